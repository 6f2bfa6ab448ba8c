//! `gateway.networking.k8s.io/v1` ListenerSet: one listener with a certificate for each host, which a team adds to a Gateway that
//! it does not own.
//!
//! cert-manager reads the same annotations on it as on an Ingress.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::metadata::Metadata;
use super::{Emitting, Kind, Object, Spec};
use crate::dialect::cert_manager;
use crate::plan::{Plan, numbered};
use crate::validation::MAX_NAME;
use crate::values::{ParentRef, Target};

/// The port at which a Gateway serves https.
const PORT: u16 = 443;

/// The ListenerSet of a plan, if it has one.
pub(super) fn listener_set<'p>(emitting: &Emitting<'_, 'p>) -> Option<Object<'p>> {
    let plan = emitting.plan;
    let gateway = plan.gateways().first().filter(|_| plan.has_listener_set())?;
    let section = plan.tls_section();
    let hosts = section.iter().flat_map(|(_, hosts)| hosts);
    let mut taken: BTreeSet<Cow<'p, str>> = hosts.map(|host| Cow::Borrowed(*host)).collect();
    let mut listeners = Vec::new();
    for (secret, hosts) in section {
        listeners.extend(hosts.into_iter().map(|host| listener(&name(host, &mut taken), host, secret)));
    }
    // A ListenerSet is attached to the Gateway as a whole, and not to one of its listeners.
    let parent_ref = ParentRef { section_name: None, port: None, ..gateway.clone() };
    let spec = json!({"listeners": listeners, "parentRef": parent_ref});
    let metadata = Metadata::new(plan, plan.name().into(), annotations(plan));
    Some(Object::new(Kind::ListenerSet, metadata, Some(Spec::Other(spec))))
}

fn listener(name: &str, hostname: &str, secret: &str) -> Value {
    json!({
        "allowedRoutes": {"namespaces": {"from": "Same"}},
        "hostname": hostname,
        "name": name,
        "port": PORT,
        "protocol": "HTTPS",
        "tls": {"certificateRefs": [{"group": "", "kind": "Secret", "name": secret}], "mode": "Terminate"},
    })
}

/// The name of a listener. It is made from the host, so that it does not change when a host is added. A name cannot contain `*`.
fn name<'p>(hostname: &'p str, taken: &mut BTreeSet<Cow<'p, str>>) -> Cow<'p, str> {
    let Some(domain) = hostname.strip_prefix("*.") else { return Cow::Borrowed(hostname) };
    let names = (0_usize..).flat_map(|index| {
        let any = numbered("any", index);
        [format!("{any}.{domain}"), any.into_owned()]
    });
    let mut free =
        names.filter(|name| name.len() <= MAX_NAME && !taken.contains(name.as_str())).map(Cow::Owned);
    let name = free.next().unwrap_or(Cow::Borrowed(domain));
    taken.insert(name.clone());
    name
}

/// The annotations that cert-manager reads on a ListenerSet, and the issuer.
fn annotations(plan: &Plan) -> Vec<(&str, Cow<'_, str>)> {
    let given = plan.annotations.iter().filter(|it| cert_manager::is_read_on_listeners(&it.key));
    let given = given.map(|it| (it.key.as_str(), Cow::Borrowed(it.value.as_str())));
    let written =
        cert_manager::write::write(plan, Target::HttpRoute).into_iter().map(|it| (it.key, it.value));
    let mut all: Vec<_> = given.chain(written).collect();
    all.sort_unstable_by_key(|(key, _)| *key);
    all
}
