//! What the program that serves a target has for the intents of a plan: one line for each program.

use super::controller::Controller;
use super::says::Says;
use super::words::Words;
use super::write::Write;
use super::{
    alb, contour, envoy_gateway, f5_nginx, gateway, gke, haproxy, haproxy_ingress, nginx, openshift, traefik,
};
use crate::intents::{Intent, Wish};
use crate::plan::Plan;
use crate::values::Target;

type Say = fn(&Plan, Intent, Option<&Wish>) -> Says;

/// What a program has for the intents of a plan.
pub(super) struct Dialect {
    /// Its words that are annotations.
    pub(super) words: &'static [Words],
    /// Whether and how it does what a plan wants.
    pub(super) says: Say,
    /// The annotations in which a plan says what it wants.
    pub(super) write: Write,
}

macro_rules! dialect {
    ($program:ident) => {
        Dialect { words: $program::says::WORDS, says: $program::says::says, write: $program::write::write }
    };
}

/// The dialect of a program whose words are no annotations. The policy reads this table, and has no use for these words.
fn without_annotations(says: Say) -> Dialect {
    Dialect { words: &[], says, write: |_, _| Vec::new() }
}

/// The dialect of whoever serves a target, if it is known.
pub(super) fn dialect(target: Target, controller: Controller) -> Option<Dialect> {
    Some(match (target, controller) {
        (Target::HttpRoute, Controller::EnvoyGateway) => without_annotations(envoy_gateway::says::says),
        (Target::HttpRoute, _) => without_annotations(gateway::says::says),
        (Target::Route, _) => dialect!(openshift),
        (Target::Ingress, Controller::IngressNginx) => dialect!(nginx),
        (Target::Ingress, Controller::TraefikNginx) => {
            Dialect { says: traefik::says::says_as_nginx, ..dialect!(nginx) }
        }
        (Target::Ingress, Controller::Traefik) => without_annotations(traefik::says::says),
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
