//! The annotations for the AWS Load Balancer Controller.

pub(crate) mod group;

use super::{CERTIFICATES, LISTENERS, REDIRECT, TARGET_GROUP, USE_REGEX, listeners};
use crate::diagnostics::Sourced;
use crate::dialect::write::{KeyValue, WrittenAnnotation, intents};
use crate::intents::IntentValue;
use crate::plan::Plan;
use crate::values::{BackendProtocol, Target, Tls};

pub(in crate::dialect) fn write(plan: &Plan, target: Target) -> Vec<WrittenAnnotation<'_>> {
    let mut written = intents(plan, target, |_, intent_value| annotations(intent_value));
    let (key, value) = REDIRECT;
    written.extend(redirect(plan).map(|wanted| WrittenAnnotation {
        key,
        value: value.into(),
        origin: wanted.origin.clone(),
    }));
    written
}

/// Returns the redirect to https that is written. Without a certificate of its own, the load balancer has no listener for
/// https.
pub(super) fn redirect(plan: &Plan) -> Option<&Sourced<bool>> {
    let has_listener = plan.tls() == Tls::LoadBalancer && plan.canary.is_none();
    plan.https_redirect.as_ref().filter(|wanted| wanted.value && has_listener)
}

/// Returns the ports of the listeners that get requests for an Ingress, each with its protocol, `HTTP` or `HTTPS`. If none is
/// named, only a certificate that is named makes the listener one for https: the controller discovers others for listeners that
/// are named. A certificate of the class is unknown here.
pub(crate) fn ports(plan: &Plan) -> Vec<(String, String)> {
    if let Some(given) = plan.annotation(LISTENERS) {
        // A list that cannot be parsed has no listeners.
        let all = listeners(&given.value).unwrap_or_default();
        return all.into_iter().flatten().map(|(protocol, port)| (protocol, port.to_string())).collect();
    }
    let has_certificate = CERTIFICATES.iter().any(|key| plan.annotation(key).is_some());
    let (protocol, port) = if has_certificate { ("HTTPS", "443") } else { ("HTTP", "80") };
    vec![(protocol.to_owned(), port.to_owned())]
}

/// Whether there is a listener for http, with or without a redirect.
pub(super) fn listens_for_http(plan: &Plan) -> bool {
    ports(plan).iter().any(|(protocol, _)| protocol == "HTTP")
}

fn annotations(intent_value: &IntentValue) -> Vec<KeyValue<'_>> {
    match intent_value {
        IntentValue::Sources(list) => {
            vec![("alb.ingress.kubernetes.io/inbound-cidrs", list.join(",").into())]
        }
        IntentValue::Protocol(protocol) => {
            let version = match protocol {
                BackendProtocol::H2c => Some("HTTP2"),
                BackendProtocol::Grpc | BackendProtocol::Grpcs => Some("GRPC"),
                BackendProtocol::Http | BackendProtocol::Https => None,
            };
            let version = version.map(|it| ("alb.ingress.kubernetes.io/backend-protocol-version", it.into()));
            let tls =
                protocol.has_tls().then(|| ("alb.ingress.kubernetes.io/backend-protocol", "HTTPS".into()));
            tls.into_iter().chain(version).collect()
        }
        IntentValue::Sticky(sticky) => {
            let mut attributes = "stickiness.enabled=true,stickiness.type=lb_cookie".to_owned();
            if let Some(age) = sticky.max_age {
                attributes += &format!(",stickiness.lb_cookie.duration_seconds={age}");
            }
            vec![(TARGET_GROUP, attributes.into())]
        }
        _ => Vec::new(),
    }
}

/// Whether the controller reads the paths of a plan as regular expressions.
pub(crate) fn reads_patterns(plan: &Plan) -> bool {
    let controller = plan.controller(Target::Ingress);
    plan.annotation(USE_REGEX).is_some_and(|it| controller.reads(&it.key) && it.value == "true")
}
