//! Whether whoever serves a target can do what a plan wants.

use std::borrow::Cow;

use super::controller::Controller;
use super::{
    alb, contour, envoy_gateway, f5_nginx, gateway, gke, haproxy, haproxy_ingress, nginx, openshift, traefik,
};
use crate::diagnostics::words;
use crate::intents::{Intent, Wish};
use crate::plan::Plan;
use crate::values::Target;

/// Whether and how a program does what a plan wants.
///
/// ```
/// use xposer::internal::{Controller, Intent, Program, Says};
/// let nginx = Program::all().into_iter().find(|program| program.controller() == Controller::IngressNginx).unwrap();
/// assert_eq!(nginx.said(Intent::AllowedSources).says, Says::Fully);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// It does it.
    Fully,
    /// It does it, and this is different there: a part of a sentence that begins with a verb.
    But(Cow<'static, str>),
    /// It cannot do it; what to do there instead, as a help.
    Lacks(Cow<'static, str>),
}

/// How whoever serves a target does what a plan wants. A canary and the redirect to https have no value here.
pub(crate) fn says(plan: &Plan, target: Target, intent: Intent, wish: Option<&Wish>) -> Says {
    let says = match (target, plan.controller(target)) {
        (Target::HttpRoute, Controller::EnvoyGateway) => envoy_gateway::says::says,
        (Target::HttpRoute, _) => gateway::says::says,
        (Target::Route, _) => openshift::says::says,
        (Target::Ingress, Controller::IngressNginx | Controller::TraefikNginx) => nginx::says::says,
        (Target::Ingress, Controller::Traefik) => traefik::says::says,
        (Target::Ingress, Controller::Contour) => contour::says::says,
        (Target::Ingress, Controller::Haproxy) => haproxy::says::says,
        (Target::Ingress, Controller::HaproxyIngress) => haproxy_ingress::says::says,
        (Target::Ingress, Controller::F5Nginx) => f5_nginx::says::says,
        (Target::Ingress, Controller::Alb) => alb::says::says,
        (Target::Ingress, Controller::Gce) => gke::says::says,
        (
            Target::Ingress,
            Controller::Openshift | Controller::EnvoyGateway | Controller::Gateway | Controller::Other,
        ) => {
            return Says::Lacks(
                "name the program in the setting controllers, or choose another class".into(),
            );
        }
    };
    says(plan, intent, wish)
}

/// How we know what a program does.
///
/// ```
/// use xposer::internal::Proof;
/// assert_eq!(Proof::Proved.as_str(), "proved");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Real requests went through the real program.
    Proved,
    /// The program's own code read the words.
    Parser,
    /// Its documentation says so.
    Documented,
}

words!(Proof { Proved = "proved", Parser = "parser", Documented = "documented" });

/// A row of the reference of a program: an intent, its words there, how we know, and since which version it has them.
///
/// ```
/// use xposer::internal::{Intent, Program};
/// let rows = Program::all().into_iter().flat_map(Program::words);
/// assert!(rows.into_iter().all(|row| !row.words.is_empty() && Intent::ALL.contains(&row.intent)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// The intent.
    pub intent: Intent,
    /// Its words, as the documentation of the program has them.
    pub words: &'static str,
    /// How we know.
    pub proof: Proof,
    /// The first version that has the words.
    pub since: &'static str,
}

/// The words of a program on the objects of a target. Only the reference and `xposer explain` read them.
pub(crate) fn words(target: Target, controller: Controller) -> Vec<&'static Words> {
    let none: &[Words] = &[];
    let (own, below) = match (target, controller) {
        _ => (none, none),
    };
    // What a program has beside the Gateway API takes the place of the row there.
    let is_own = |row: &&Words| own.iter().any(|known| known.intent == row.intent);
    own.iter().chain(below.iter().filter(|row| !is_own(row))).collect()
}
