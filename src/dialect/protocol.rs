//! The protocol to the Service, if its port names one (`appProtocol`). Some programs read this field themselves.

use super::controller::Controller;
use super::support::Support;
use crate::diagnostics::Origin;
use crate::intents::{Intent, IntentValue};
use crate::plan::Plan;
use crate::values::{BackendProtocol, Target, Termination};

/// The help if gRPC is meant.
const WRITE_H2C: &str = "write appProtocol: kubernetes.io/h2c at the port of the Service";

/// Returns how the controller of a target supports the protocol; `None` if the table of the program decides.
pub(super) fn support(plan: &Plan, target: Target, intent_value: &IntentValue) -> Option<Support> {
    let IntentValue::Protocol(intent_value) = intent_value else { return None };
    let is_of_port =
        plan.requested(Intent::BackendProtocol).is_some_and(|it| matches!(it.origin, Origin::Field(_)));
    let is_h2c = plan.port_protocols.iter().all(|(it, _)| *it == BackendProtocol::H2c);
    let reads_port = match (target, plan.controller(target)) {
        (Target::HttpRoute | Target::Route, _) | (Target::Ingress, Controller::Contour) => true,
        (Target::Ingress, controller) => {
            let lacks_h2c = *intent_value == BackendProtocol::H2c && controller.is_nginx();
            return lacks_h2c.then(|| Support::Unsupported("write grpc if the Service speaks gRPC".into()));
        }
    };
    match intent_value {
        BackendProtocol::H2c | BackendProtocol::Grpc if reads_port && is_h2c => Some(Support::Full),
        _ if !is_of_port => None,
        // Contour and Traefik refuse a route of the Gateway API to a port whose protocol is `grpc`, which a rule reports.
        BackendProtocol::Grpc
            if target == Target::HttpRoute
                && matches!(plan.controller(target), Controller::Contour | Controller::Traefik) =>
        {
            Some(Support::Full)
        }
        BackendProtocol::Grpc if target == Target::HttpRoute => Some(Support::Partial(
            "carries gRPC on every implementation only with appProtocol: kubernetes.io/h2c".into(),
        )),
        BackendProtocol::Grpc => Some(Support::Unsupported(WRITE_H2C.into())),
        BackendProtocol::Https if target == Target::Ingress => Some(Support::Full),
        BackendProtocol::Https if target == Target::Route => Some(match plan.termination {
            Termination::Reencrypt | Termination::Passthrough => Support::Full,
            Termination::Edge => Support::Unsupported("set routeTermination: reencrypt".into()),
        }),
        BackendProtocol::Https if target == Target::HttpRoute => Some(Support::Partial(
            "speaks TLS with the Service on every implementation only with a BackendTLSPolicy".into(),
        )),
        _ => None,
    }
}
