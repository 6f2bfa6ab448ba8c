//! The annotations of which all Ingresses of a group must have one value. With two values, the controller changes nothing for any
//! Ingress of the group.

use super::super::{GROUP, INBOUND, PREFIX_LISTS, REDIRECT, SCHEME};
use super::{listens_for_http, ports};
use crate::dialect::controller::Controller;
use crate::dialect::mappings::is_annotation_of;
use crate::dialect::nginx::read::redirecting_line;
use crate::dialect::write::{WrittenAnnotation, annotations_for};
use crate::plan::{Place, Plan, RequestedIntent};
use crate::values::Target;

/// The listeners for which the values of an annotation are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listeners {
    All,
    Http,
    Https,
}

/// A name for what is compared, the annotation, and the listeners for which it counts.
const ROWS: [(&str, &str, Listeners); 15] = [
    ("inbound-cidrs of HTTP", INBOUND, Listeners::Http),
    ("inbound-cidrs of HTTPS", INBOUND, Listeners::Https),
    ("prefix lists of HTTP", PREFIX_LISTS, Listeners::Http),
    ("prefix lists of HTTPS", PREFIX_LISTS, Listeners::Https),
    (SCHEME, SCHEME, Listeners::All),
    (REDIRECT.0, REDIRECT.0, Listeners::All),
    of_all("alb.ingress.kubernetes.io/customer-owned-ipv4-pool"),
    of_all("alb.ingress.kubernetes.io/ip-address-type"),
    of_all("alb.ingress.kubernetes.io/load-balancer-name"),
    of_all("alb.ingress.kubernetes.io/manage-backend-security-group-rules"),
    of_all("alb.ingress.kubernetes.io/security-groups"),
    of_all("alb.ingress.kubernetes.io/shield-advanced-protection"),
    of_all("alb.ingress.kubernetes.io/subnets"),
    of_all("alb.ingress.kubernetes.io/wafv2-acl-arn"),
    of_all("alb.ingress.kubernetes.io/wafv2-acl-name"),
];

const fn of_all(key: &'static str) -> (&'static str, &'static str, Listeners) {
    (key, key, Listeners::All)
}

/// A value that a plan gives for its group.
pub(crate) struct GroupValue<'p> {
    /// What is compared in the group.
    pub(crate) name: &'static str,
    pub(crate) group: &'p str,
    pub(crate) key: &'static str,
    /// The items of the value in ascending order.
    pub(crate) value: String,
    /// The line or the setting that gives it.
    pub(crate) place: Place<'p>,
}

/// Returns the values that a plan gives for its group.
pub(crate) fn group_values(plan: &Plan) -> Vec<GroupValue<'_>> {
    let is_served = plan.has_stable_ingress() && plan.controller(Target::Ingress) == Controller::Alb;
    let group =
        plan.annotation(GROUP).map(|it| it.value.trim()).filter(|group| is_served && !group.is_empty());
    let Some(group) = group else { return Vec::new() };
    let written = annotations_for(plan, Target::Ingress);
    // The values for addresses are compared at ports, and other ports than the usual ones are not compared here.
    let own = match (has_own_ports(plan), listens_for_http(plan)) {
        (true, _) => Listeners::All,
        (false, true) => Listeners::Http,
        (false, false) => Listeners::Https,
    };
    let rows = ROWS.into_iter().filter(|(.., of)| [Listeners::All, own].contains(of));
    let values = rows.filter_map(|(name, key, _)| {
        let (value, place) = match plan.annotation(key) {
            Some(given) => (given.value.as_str(), Place::Line(given)),
            None => written.iter().find(|it| it.key == key).map(|it| (&*it.value, place_of(plan, it)))?,
        };
        let mut items: Vec<&str> = value.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
        items.sort_unstable();
        items.dedup();
        (!items.is_empty()).then(|| GroupValue { name, group, key, value: items.join(","), place })
    });
    values.collect()
}

/// Returns the line or the option for which an annotation is written.
fn place_of<'p>(plan: &'p Plan, written: &WrittenAnnotation<'_>) -> Place<'p> {
    let asks = |it: &&RequestedIntent| is_annotation_of(plan, Target::Ingress, it, written.key);
    let line = redirecting_line(plan).filter(|_| written.key == REDIRECT.0);
    let of_intent = || plan.intents.iter().find(asks).map(|wanted| plan.place_of(wanted));
    line.map(Place::Line).or_else(of_intent).unwrap_or_else(|| Place::new(None, &written.origin))
}

/// Whether a listener has another port than 80 for http and 443 for https.
fn has_own_ports(plan: &Plan) -> bool {
    let is_usual = |(protocol, port): &(String, String)| match protocol.as_str() {
        "HTTP" => port == "80",
        _ => port == "443",
    };
    !ports(plan).iter().all(is_usual)
}
