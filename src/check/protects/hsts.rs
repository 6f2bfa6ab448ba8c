//! The header `Strict-Transport-Security`, with which browsers use only TLS. The lines of one program are compared like other
//! lines; this module compares what clients get, whoever sends it.

use super::directions::default_of;
use super::{LostProtection, is_made};
use crate::check::alone::has_no_effect;
use crate::check::loss::is_done_as_given;
use crate::diagnostics::{FieldPath, quoted_pair};
use crate::dialect::controller::Controller;
use crate::dialect::support::support;
use crate::intents::{Intent, IntentValue};
use crate::plan::{Annotation, Plan};
use crate::validation::parse_bool;
use crate::values::Target;

/// The name of the header.
pub(super) const HEADER: &str = "Strict-Transport-Security";

/// The end of the key of OpenShift whose value is that of the header.
const OWN_LINE: &str = "/hsts_header";

/// The ends of the keys whose values are headers for clients.
const HEADER_LINES: [&str; 4] = ["/add-header", "/headers", "/response-set-header", "/response-set-headers"];

/// The header that clients get.
pub(super) struct Sent {
    /// The key or the option that asks for it, and its place; `None` if the program sends it by default.
    asked: Option<(String, FieldPath)>,
    /// For how many seconds a browser uses only TLS.
    max_age: u64,
    /// Whether it does so for all hosts below this one, too.
    has_subdomains: bool,
}

impl Sent {
    /// Returns what clients get from the program of a target.
    pub(super) fn of(plan: &Plan, target: Target) -> Option<Self> {
        let sent = by_text(plan, target).or_else(|| by_program(plan, target))?;
        (sent.max_age > 0).then_some(sent)
    }

    /// Whether nobody asks for it.
    pub(super) fn is_default(&self) -> bool {
        self.asked.is_none()
    }

    fn is_weaker_than(&self, other: &Self) -> bool {
        self.max_age < other.max_age || (other.has_subdomains && !self.has_subdomains)
    }

    fn text(&self) -> String {
        let more = if self.has_subdomains { "; includeSubDomains" } else { "" };
        format!("max-age={}{more}", self.max_age)
    }
}

fn read(text: &str, asked: (String, FieldPath)) -> Option<Sent> {
    let text = text.to_ascii_lowercase();
    let age = text.split_once("max-age=")?.1.trim_start_matches(['"', ' ']);
    let end = age.find(|c: char| !c.is_ascii_digit()).unwrap_or(age.len());
    let max_age = age.get(..end)?.parse().ok()?;
    Some(Sent { asked: Some(asked), max_age, has_subdomains: text.contains("includesubdomains") })
}

/// Returns the header that the option for headers sets, or a line whose value contains headers.
fn by_text(plan: &Plan, target: Target) -> Option<Sent> {
    if !plan.tls().is_on() {
        return None;
    }
    let asked = plan.requested(Intent::ResponseHeaders).and_then(|wanted| {
        let IntentValue::Headers(headers) = &wanted.intent_value else { return None };
        let is_sent = support(plan, target, wanted.intent, Some(&wanted.intent_value)).is_supported();
        let header = headers.iter().find(|it| it.name.eq_ignore_ascii_case(HEADER)).filter(|_| is_sent)?;
        read(header.value.as_deref()?, (wanted.intent.as_str().to_owned(), wanted.origin.path()))
    });
    let by_line = |line: &Annotation| {
        let is_own = line.key.ends_with(OWN_LINE) && plan.tls().has_secret();
        let is_list = HEADER_LINES.iter().any(|end| line.key.ends_with(end));
        let is_attribute = line.key.contains("/listener-attributes.HTTPS-");
        let find = |name: &str| line.value.to_ascii_lowercase().find(name);
        let at = match (is_own, is_list, is_attribute) {
            (true, ..) => Some(0),
            (_, true, _) => find("strict-transport-security"),
            (.., true) => find("routing.http.response.strict_transport_security.header_value"),
            _ => None,
        };
        let text = line.value.get(at?..).filter(|_| is_done_as_given(plan, &line.key, target))?;
        read(text.lines().next()?, (line.key.clone(), line.origin().path()))
    };
    asked.or_else(|| plan.annotations.iter().find_map(by_line))
}

/// Returns the header that a program sends by lines of its own, or by default.
fn by_program(plan: &Plan, target: Target) -> Option<Sent> {
    let controller = plan.controller(target);
    let prefix = match controller {
        _ if target != Target::Ingress || plan.passes_tls() => return None,
        Controller::IngressNginx if plan.tls().has_secret() => {
            return Some(Sent { asked: None, max_age: 31_536_000, has_subdomains: true });
        }
        Controller::HaproxyIngress | Controller::F5Nginx => *controller.row().reads.first()?,
        _ => return None,
    };
    let mut asked = None;
    let mut value = |name: &str| {
        let key = [prefix, name].concat();
        let Some(line) = plan.annotation(&key) else {
            return default_of(controller, &key).unwrap_or_default();
        };
        asked.get_or_insert_with(|| (key, line.origin().path()));
        line.value.trim()
    };
    let is_on = parse_bool(value("hsts")) == Some(true) && !has_no_effect(plan, &[prefix, "hsts"].concat());
    let max_age = value("hsts-max-age").parse().unwrap_or_default();
    let has_subdomains = parse_bool(value("hsts-include-subdomains")) == Some(true);
    is_on.then_some(Sent { asked, max_age, has_subdomains })
}

/// Returns that clients would not get the header that somebody asks for under the first plan, or a weaker one. `reported` are the losses
/// that are already reported.
pub(super) fn loss(old: &Plan, new: &Plan, reported: &[LostProtection]) -> Option<LostProtection> {
    let is_reported = reported.iter().any(|it| it.what.contains("/hsts"));
    // The loss of TLS itself is reported.
    if is_reported || new.canary.is_some() || (old.tls().is_on() && !new.tls().is_on()) {
        return None;
    }
    new.targets.iter().filter(|it| new.has_object(**it)).find_map(|&target| {
        let was = before(old, target)?;
        let (what, path) = was.asked.clone()?;
        let message = match Sent::of(new, target) {
            None => format!("the header {HEADER} `{}` would be missing", was.text()),
            Some(is) if is.is_weaker_than(&was) => {
                let (was, is) = quoted_pair(&was.text(), &is.text());
                format!("the header {HEADER} {was} would be {is}, which protects less")
            }
            Some(_) => return None,
        };
        Some(LostProtection { what, target, path, message })
    })
}

/// Returns what clients get under the first plan from the program of a target, or of any target if the plan does not have this one.
pub(super) fn before(old: &Plan, target: Target) -> Option<Sent> {
    if is_made(old, target) {
        return Sent::of(old, target);
    }
    old.targets.iter().filter(|it| old.has_object(**it)).find_map(|target| Sent::of(old, *target))
}
