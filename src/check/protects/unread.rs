//! Lines that the program of the second plan does not read, or may not read.

use super::directions::is_of_known;
use super::{LostProtection, assumed_program, is_made};
use crate::check::alone::{has_no_effect, opens_nothing_alone};
use crate::check::loss::{is_perhaps_of_another, loss};
use crate::diagnostics::{joined, quoted};
use crate::dialect::controller::Controller;
use crate::dialect::mappings::intent_of;
use crate::dialect::{Loss, effect, haproxy_ingress, nginx, protects};
use crate::intents::{Intent, IntentValue};
use crate::plan::{Annotation, Plan, Server};
use crate::validation::parse_bool;
use crate::values::Target;

/// Returns that a line of a known program is passed to a controller about which nothing is known, as a clause. Such a controller may
/// read any key, so no rule reports the line.
pub(super) fn passed_to_unknown(old: &Plan, new: &Plan, line: &Annotation, target: Target) -> Option<String> {
    let is_it = |plan: &Plan| is_made(plan, target) && plan.controller(target) == Controller::Other;
    if target != Target::Ingress || !is_it(new) || is_it(old) || !is_of_known(&line.key) {
        return None;
    }
    let class =
        new.class_name().map_or("this class".to_owned(), |class| ["the class ", &quoted(class)].concat());
    let said = described(line);
    Some(
        [&said, " would be passed to the controller of ", &class, ", which is not known to read it"].concat(),
    )
}

/// Returns that a protection is on an object whose program does not read it, as a clause.
pub(super) fn without_effect(said: &str, new: &Plan, target: Target) -> String {
    let by = match new.controller(target) {
        Controller::Gateway => String::new(),
        controller => format!(" that {} serves", controller.name_on(target)),
    };
    format!("{said} would have no effect on the {target}{by}")
}

fn described(line: &Annotation) -> String {
    [&line.key, " ", &quoted(&line.value)].concat()
}

/// Returns the lines without which the Service is less safe, and which have their effect only under the first plan. Those that a rule
/// reports under the second plan are left out.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::lost_lines, testing};
/// let plan = |program: &str| {
///     let annotations = json!({"projectcontour.io/tls-minimum-protocol-version": "1.3"});
///     testing::plan(&[], json!({"tls": true, "defaultController": program, "annotations": annotations}))
/// };
/// let (contour, nginx) = (plan("contour")?, plan("ingress-nginx")?);
/// assert!(lost_lines(&contour, &nginx)[0].message.ends_with("no effect on the Ingress that ingress-nginx serves"));
/// assert!(lost_lines(&nginx, &contour).is_empty());
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn lost_lines(old: &Plan, new: &Plan) -> Vec<LostProtection> {
    if new.canary.is_some() {
        return Vec::new();
    }
    // Other lines about CORS, and about a load balancer in front, have their own comparison.
    let hardens = |line: &&Annotation| {
        effect(&line.key).is_some_and(|row| row.loss == Loss::Hardening && !row.neutral.is(&line.value))
            && !opens_nothing_alone(&line.key)
    };
    let lost = old.annotations.iter().filter(hardens).filter_map(|line| {
        let was = |target: &Target| is_heeded(old, line, *target);
        let counted = |target: &Target| {
            if is_made(old, *target) { was(target) } else { old.targets.iter().any(was) }
        };
        let mut targets = new.targets.iter().copied().filter(|it| new.has_object(*it) && counted(it));
        targets.find_map(|target| {
            let message = lost_line(old, new, line, target)?;
            let path = line.origin().path();
            Some(LostProtection { what: line.key.clone(), target, path, message })
        })
    });
    lost.chain(lost_backend_tls(old, new)).collect()
}

/// Returns that an option no longer asks for TLS to the Service, if no line there verifies the Service.
fn lost_backend_tls(old: &Plan, new: &Plan) -> Option<LostProtection> {
    let asked = old.requested(Intent::BackendProtocol).filter(|it| it.keys.is_empty())?;
    let is_lost = has_backend_tls(old) && !has_backend_tls(new) && plain_backend(old, new).is_none();
    let target = *new.targets.first().filter(|_| is_lost)?;
    let message = "connections to the Service would have no TLS".to_owned();
    Some(LostProtection {
        what: asked.intent.as_str().to_owned(),
        target,
        path: asked.origin.path(),
        message,
    })
}

/// Whether the program of a target reads a line, and the line has an effect.
fn is_heeded(plan: &Plan, line: &Annotation, target: Target) -> bool {
    let is_unknown = plan.controller(target) == Controller::Other && is_of_known(&line.key);
    is_made(plan, target)
        && !is_unknown
        && loss(plan, line, target) == Loss::Nothing
        && !has_no_effect(plan, &line.key)
}

/// Returns that a line has no effect on a target under the second plan, as a clause.
fn lost_line(old: &Plan, new: &Plan, line: &Annotation, target: Target) -> Option<String> {
    let said = described(line);
    let Some(now) = new.annotation(&line.key) else {
        return (!has_other_line(old, new, &line.key)).then(|| [&said, " would be missing"].concat());
    };
    let server = new.servers.iter().find(|it| it.target == target)?;
    match loss(new, now, target) {
        Loss::Nothing => passed_to_unknown(old, new, now, target),
        _ if !is_perhaps_of_another(server, now) => None,
        _ if Server::is_assumed(server) => {
            Some([&said, " would be passed to ", &assumed_program(new, target)].concat())
        }
        _ => Some(without_effect(&said, new, target)),
    }
}

/// Whether an option, or another line, has the meaning of a line under the second plan.
fn has_other_line(old: &Plan, new: &Plan, key: &str) -> bool {
    let of = |plan: &Plan, key: &str| plan.targets.iter().find_map(|target| intent_of(plan, *target, key));
    of(old, key).is_some_and(|intent| {
        new.requested(intent).is_some() || new.annotations.iter().any(|it| of(new, &it.key) == Some(intent))
    })
}

/// The beginnings of the keys of lines that verify the Service, and have an effect only if the connection to it uses TLS. The HAProxy
/// Kubernetes Ingress Controller uses TLS with such a line.
const BACKEND_LINES: [&str; 2] = [nginx::PROXY_SSL, haproxy_ingress::SECURE_VERIFY];

/// Returns that the program of the Ingress would no longer use TLS to the Service, so that lines which verify the Service have no
/// effect.
pub(super) fn plain_backend(old: &Plan, new: &Plan) -> Option<LostProtection> {
    let target = Target::Ingress;
    let verifies = |line: &&Annotation| {
        let is_it = || BACKEND_LINES.iter().any(|start| line.key.starts_with(start));
        is_it() && protects(&line.key, &line.value) && is_heeded(old, line, target)
    };
    let is_kept = |line: &&Annotation| new.annotation(&line.key).is_some_and(|it| is_heeded(new, it, target));
    if !has_backend_tls(old) || has_backend_tls(new) || new.canary.is_some() {
        return None;
    }
    let lines: Vec<&Annotation> = old.annotations.iter().filter(verifies).filter(is_kept).collect();
    let first = lines.first()?;
    let said: Vec<String> = lines.iter().map(|line| described(line)).collect();
    let message =
        [&joined(&said, " and "), " would have no effect: connections to the Service would have no TLS"]
            .concat();
    Some(LostProtection { what: first.key.clone(), target, path: first.origin().path(), message })
}

/// Whether the program of the Ingress uses TLS to the Service.
fn has_backend_tls(plan: &Plan) -> bool {
    let intent = Intent::BackendProtocol;
    let asked = plan.intent_value(intent);
    let says_tls = |line: &Annotation| {
        let value = line.value.to_ascii_lowercase();
        let says = || ["auto_http", "grpcs", "https", "ssl"].iter().any(|word| value.ends_with(word));
        let is_switch = line.key.ends_with("/secure-backends") && is_heeded(plan, line, Target::Ingress);
        is_switch && parse_bool(&value) == Some(true)
            || intent_of(plan, Target::Ingress, &line.key) == Some(intent)
                && (says() || parse_bool(&value) == Some(true))
    };
    matches!(asked, Some(IntentValue::Protocol(protocol)) if protocol.has_tls())
        || plan.annotations.iter().any(says_tls)
}
