//! The rules about values that have another effect in the AWS Load Balancer Controller than their authors expect.

use super::write::{listens_for_http, ports, redirect};
use super::{GROUP, LISTENERS, REDIRECT};
use crate::diagnostics::{Code, Problem, Report, quoted};
use crate::dialect::controller::Controller;
use crate::dialect::nginx::read::redirecting_line;
use crate::dialect::{Loss, protects};
use crate::plan::context::RuleContext;
use crate::plan::{Place, Plan};
use crate::values::Target;

/// The annotations that apply only to listeners for https, and what they ask clients for.
const HTTPS_KEYS: [(&str, &str); 3] = [
    ("alb.ingress.kubernetes.io/auth-type", "a login"),
    ("alb.ingress.kubernetes.io/jwt-validation", "a token"),
    (MUTUAL, "a client certificate"),
];

const PREFIX: &str = "alb.ingress.kubernetes.io/";
/// The annotation with the listeners that ask for client certificates.
const MUTUAL: &str = "alb.ingress.kubernetes.io/mutual-authentication";

/// Reports an authentication that a listener for http does not require.
pub(crate) fn without_https(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let is_served = plan.has_stable_ingress() && plan.controller(Target::Ingress) == Controller::Alb;
    if !is_served || !answers_http(plan) {
        return;
    }
    for annotation in &plan.annotations {
        let Some((_, proof)) = HTTPS_KEYS.iter().find(|(key, _)| *key == annotation.key) else { continue };
        if !protects(&annotation.key, &annotation.value) || context.denial(annotation).is_some() {
            continue;
        }
        let message = format!(
            "{} requires {proof}, but the load balancer does not require it for http requests",
            quoted(&annotation.key)
        );
        let help = format!("forward {LISTENERS}: [{{\"HTTPS\": 443}}]");
        annotation.file_key(report, Problem::new(Code::AuthenticationOff, message).help(help));
    }
}

/// Reports a redirect to a listener that does not exist.
pub(crate) fn without_listener(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if !plan.has_stable_ingress() || plan.controller(Target::Ingress) != Controller::Alb {
        return;
    }
    let (key, value) = REDIRECT;
    let line = plan.annotation(key).filter(|it| protects(key, &it.value) && context.denial(it).is_none());
    let port = line.map_or(value, |it| it.value.trim());
    // Another Ingress of the group may have the listener. A text that is not a port has a diagnostic of its own.
    if port.parse::<u16>().is_err() || has_listener(plan, port) || plan.annotation(GROUP).is_some() {
        return;
    }
    let wanted = redirect(plan).map(|wanted| &wanted.origin);
    let tls = plan.tls.as_ref().filter(|tls| tls.value.is_on()).map(|tls| &tls.origin);
    let (does, code) = match (line, wanted, tls) {
        (None, None, None) => return,
        (None, None, Some(_)) => ("so https requests are not answered", Code::IntentLost),
        _ => (
            "and without one the AWS Load Balancer Controller configures nothing for the Ingress",
            Code::RedirectWithoutTls,
        ),
    };
    let message = format!("no listener for https at {} is named, {does}", quoted(port));
    let port = port.parse().unwrap_or(443_u16);
    let help = format!(
        "forward {LISTENERS}: [{{\"HTTP\": 80}}, {{\"HTTPS\": {port}}}], unless the class has a certificate"
    );
    let problem = Problem::new(code, message).help(help);
    match (line, wanted.or(tls)) {
        (Some(line), _) => line.file_key(report, problem),
        (None, Some(origin)) => {
            let line = redirecting_line(plan).filter(|_| wanted.is_some());
            Place::new(line, origin).file(report, problem);
        }
        (None, None) => {}
    }
}

/// Reports listeners without the client certificates that are named for other ports, conditions of another Service, and actions, which
/// no path of Xposer leads to.
pub(crate) fn without_reference(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if !plan.has_stable_ingress() || plan.controller(Target::Ingress) != Controller::Alb {
        return;
    }
    let given = plan.annotations.iter().filter(|it| context.denial(it).is_none());
    for given in given {
        let key = given.key.as_str();
        let name = key.split_once('/').map_or(key, |(_, name)| name);
        if key == MUTUAL {
            let Some(entries) = super::listeners(&given.value) else { continue };
            let has = |port: &String| {
                entries
                    .iter()
                    .filter_map(|it| it.get("port")?.as_u64())
                    .any(|known| port.parse() == Ok(known))
            };
            let ports = https_ports(plan);
            let Some(missing) = ports.iter().find(|port| !has(port)) else { continue };
            let message = format!(
                "{} has no entry for the listener at {}, which requires no client certificate",
                quoted(key),
                quoted(missing)
            );
            let (code, said) = if ports.iter().any(has) {
                (Code::AuthenticationOff, message)
            } else {
                context.settings.lost(key, message)
            };
            let help = format!("add an entry with \"port\": {missing}");
            given.file_value(report, Problem::new(code, said).help(help));
        } else if key.starts_with(PREFIX) && name.starts_with("actions.") {
            let message = format!(
                "{} has no effect: only a backend with the port use-annotation leads to it, and Xposer writes the port of the Service",
                quoted(key)
            );
            let loss = if protects(key, &given.value) { Loss::Protection } else { Loss::Behavior };
            let (code, said) = context.loss(loss, key, message);
            given.file_key(report, Problem::new(code, said).help("remove the line"));
        } else if let Some(kind @ ("conditions" | "transforms")) =
            name.split_once('.').filter(|(_, of)| *of != plan.service()).map(|(kind, _)| kind)
            && key.starts_with(PREFIX)
        {
            let message =
                format!("{} applies to another Service than {}", quoted(key), quoted(plan.service()));
            let loss = if protects(key, &given.value) { Loss::Protection } else { Loss::Behavior };
            let (code, said) = context.loss(loss, key, message);
            let help = format!("write {PREFIX}{kind}.{}, or remove the line", plan.service());
            given.file_key(report, Problem::new(code, said).help(help));
        }
    }
}

/// Returns the ports of the listeners for https.
fn https_ports(plan: &Plan) -> Vec<String> {
    ports(plan).into_iter().filter(|(protocol, _)| protocol == "HTTPS").map(|(_, port)| port).collect()
}

/// Whether there is a listener for https at a port.
fn has_listener(plan: &Plan, port: &str) -> bool {
    https_ports(plan).iter().any(|known| known == port)
}

/// Whether a listener for http sends requests to the Service.
pub(crate) fn answers_http(plan: &Plan) -> bool {
    let (key, _) = REDIRECT;
    let is_forwarded = plan.annotation(key).is_some_and(|it| protects(key, &it.value));
    if redirect(plan).is_some() || is_forwarded {
        return false;
    }
    listens_for_http(plan)
}
