//! The rules about values that the AWS Load Balancer Controller takes for others than their authors.

use serde_json::{Map, Value};

use super::REDIRECT;
use super::write::redirect;
use crate::diagnostics::{Code, Problem, Report, quoted};
use crate::dialect::controller::Controller;
use crate::dialect::protects;
use crate::plan::Plan;
use crate::plan::context::RuleContext;
use crate::values::Target;

/// What counts on listeners for https alone.
const OF_HTTPS: [(&str, &str); 3] = [
    ("alb.ingress.kubernetes.io/auth-type", "a login"),
    ("alb.ingress.kubernetes.io/jwt-validation", "a token"),
    ("alb.ingress.kubernetes.io/mutual-authentication", "a client certificate"),
];

/// The listeners of an Ingress.
const LISTENERS: &str = "alb.ingress.kubernetes.io/listen-ports";
/// With one of these, and without named listeners, the only one is for https.
const CERTIFICATES: [&str; 2] =
    ["alb.ingress.kubernetes.io/certificate-arn", "alb.ingress.kubernetes.io/create-acm-cert"];

/// Nobody gets in by a listener that asks for nothing.
pub(crate) fn without_https(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let is_served = plan.has_stable_ingress() && plan.controller(Target::Ingress) == Controller::Alb;
    if !is_served || !answers_http(plan) {
        return;
    }
    for annotation in &plan.annotations {
        let Some((_, proof)) = OF_HTTPS.iter().find(|(key, _)| *key == annotation.key) else { continue };
        if !protects(&annotation.key, &annotation.value) || context.denial(annotation).is_some() {
            continue;
        }
        let message = format!(
            "{} asks for {proof}, and the load balancer asks nobody for it who comes by http",
            quoted(&annotation.key)
        );
        let help = format!("forward {LISTENERS}: [{{\"HTTPS\": 443}}]");
        annotation.file_key(report, Problem::new(Code::AuthenticationOff, message).help(help));
    }
}

/// Whether a listener for http sends requests to the Service. A list that cannot be read makes no listener.
fn answers_http(plan: &Plan) -> bool {
    let (key, _) = REDIRECT;
    let is_forwarded = plan.annotation(key).is_some_and(|it| protects(key, &it.value));
    if redirect(plan).is_some() || is_forwarded {
        return false;
    }
    match plan.annotation(LISTENERS) {
        Some(listeners) => serde_json::from_str::<Vec<Map<String, Value>>>(&listeners.value)
            .is_ok_and(|all| all.iter().any(|listener| listener.contains_key("HTTP"))),
        None => !CERTIFICATES.iter().any(|key| plan.annotation(key).is_some()),
    }
}
