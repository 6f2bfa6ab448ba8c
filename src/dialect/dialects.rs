//! The dialect of each program that serves a target: one line for each program.

use super::controller::Controller;
use super::mappings::IntentMapping;
use super::support::Support;
use super::write::Write;
use super::{
    alb, contour, envoy_gateway, f5_nginx, gateway, gke, haproxy, haproxy_ingress, nginx, openshift, traefik,
};
use crate::intents::{Intent, IntentValue};
use crate::plan::Plan;
use crate::values::Target;

type SupportOf = fn(&Plan, Intent, Option<&IntentValue>) -> Support;

/// The parts of a dialect that a plan needs.
pub(super) struct Dialect {
    /// The annotations for the intents. Empty for a program that has fields or objects for them.
    pub(super) mappings: &'static [IntentMapping],
    /// Returns whether and how the program supports an intent.
    pub(super) support: SupportOf,
    /// Returns the annotations that express the intents of a plan.
    pub(super) write: Write,
}

macro_rules! dialect {
    ($program:ident) => {
        Dialect {
            mappings: $program::support::MAPPINGS,
            support: $program::support::support,
            write: $program::write::write,
        }
    };
}

/// Returns the dialect of a program that has fields or objects for the intents. The policy makes no objects, so the table does not contain them.
fn without_annotations(support: SupportOf) -> Dialect {
    Dialect { mappings: &[], support, write: |_, _| Vec::new() }
}

/// Returns the dialect of the program that serves a target, if it is known.
pub(super) fn dialect(target: Target, controller: Controller) -> Option<Dialect> {
    Some(match (target, controller) {
        (Target::HttpRoute, Controller::EnvoyGateway) => without_annotations(envoy_gateway::support::support),
        (Target::HttpRoute, _) => without_annotations(gateway::support::support),
        (Target::Route, _) => dialect!(openshift),
        (Target::Ingress, Controller::IngressNginx) => dialect!(nginx),
        (Target::Ingress, Controller::TraefikNginx) => {
            Dialect { support: traefik::support::support_of_nginx_provider, ..dialect!(nginx) }
        }
        (Target::Ingress, Controller::Traefik) => without_annotations(traefik::support::support),
        (Target::Ingress, Controller::Contour) => dialect!(contour),
        (Target::Ingress, Controller::Haproxy) => dialect!(haproxy),
        (Target::Ingress, Controller::HaproxyIngress) => dialect!(haproxy_ingress),
        (Target::Ingress, Controller::F5Nginx) => dialect!(f5_nginx),
        (Target::Ingress, Controller::Alb) => dialect!(alb),
        (Target::Ingress, Controller::Gce) => dialect!(gke),
        (
            Target::Ingress,
            Controller::Openshift | Controller::EnvoyGateway | Controller::Gateway | Controller::Other,
        ) => return None,
    })
}
