//! The controllers that serve the objects of a plan.

use super::{Plan, Resolver};
use crate::diagnostics::Origin;
use crate::dialect::contour;
use crate::dialect::controller::Controller;
use crate::options::{ClassSource, Forwarded, GatewayFacts, Settings};
use crate::plan::{Reason, Server};
use crate::service::FORWARD_ANNOTATION;
use crate::values::{ParentRef, Target};

/// The controller that serves an Ingress of this class.
pub(super) fn server_of_class(
    settings: &Settings,
    forwarded: &Forwarded<'_>,
    class: Option<&str>,
) -> (Controller, Reason) {
    match settings.program_of_class(class) {
        Some((controller, ClassSource::Setting(origin))) => (controller, Reason::Setting(origin.clone())),
        Some((controller, ClassSource::Cluster(spec))) => (controller, Reason::Cluster(spec.to_owned())),
        Some((controller, ClassSource::Name)) => (controller, Reason::ClassName),
        None if is_class_of_contour(forwarded, class) => {
            (Controller::Contour, Reason::Setting(Origin::Annotation(FORWARD_ANNOTATION.into())))
        }
        None => match settings.default_controller {
            Some(controller) => (controller, Reason::DefaultController),
            None => (Controller::IngressNginx, Reason::Default),
        },
    }
}

/// Whether a line that only Contour reads names the class.
fn is_class_of_contour(forwarded: &Forwarded<'_>, class: Option<&str>) -> bool {
    let mut lines = forwarded.block.lines().iter();
    lines.any(|line| line.key == contour::CLASS && Some(line.value) == class)
}

impl Resolver<'_, '_> {
    /// Finds the controller that serves each target of a plan. The class that is written is nearly always the class of the
    /// Ingress, so its controller is not looked up again.
    pub(super) fn servers(&mut self, plan: &mut Plan) {
        for target in Target::ALL {
            if !plan.targets.contains(&target) {
                continue;
            }
            let (controller, reason) = match target {
                Target::Ingress if plan.class_name() == self.class => self.server.clone(),
                Target::Ingress => server_of_class(self.settings, self.forwarded, plan.class_name()),
                Target::HttpRoute => self.server_of_gateways(plan),
                Target::Route => (Controller::Openshift, Reason::Default),
            };
            if controller == Controller::Traefik {
                // Traefik gets a second Ingress for requests without TLS, which has the same hosts and which ExternalDNS has to
                // ignore.
                plan.dns_controller_keys = self.settings.dns_controller_keys();
            }
            plan.servers.push(Server { target, controller, reason });
        }
    }

    /// The controller that serves HTTPRoutes, if all Gateways of the plan have the same one.
    fn server_of_gateways(&self, plan: &mut Plan) -> (Controller, Reason) {
        let set = self.layers.settings().find_map(|layer| layer.gateway_controller.value());
        let features = self.layers.settings().find_map(|layer| layer.gateway_features.value());
        plan.gateway_has = features.map(|set| set.value.clone()).unwrap_or_default();
        let own = plan.namespace().unwrap_or_default();
        let of = |parent: &ParentRef| {
            let namespace = parent.namespace.as_deref().unwrap_or(own);
            self.settings.served_by.gateway(namespace, &parent.name)
        };
        let facts: Vec<&GatewayFacts> = plan.gateways().iter().filter_map(of).collect();
        // If a Gateway has no list of features, the table of the program applies.
        if let Some((first, rest)) = facts.split_first() {
            let has = |facts: &GatewayFacts, name: &String| {
                facts.features.as_ref().is_some_and(|features| features.contains(name))
            };
            let all = first.features.iter().flatten().filter(|name| rest.iter().all(|it| has(it, name)));
            let is_known = facts.iter().all(|facts| facts.features.is_some());
            plan.gateway_features = is_known.then(|| all.cloned().collect());
        }
        if let Some(set) = set {
            return (set.value, Reason::Setting(set.origin.clone()));
        }
        match facts.split_first() {
            Some((first, rest)) if rest.iter().all(|other| other.controller == first.controller) => {
                let controller = Controller::of_spec(&first.controller).unwrap_or(Controller::Gateway);
                (controller, Reason::Cluster(first.controller.clone()))
            }
            _ => (Controller::Gateway, Reason::Default),
        }
    }
}
