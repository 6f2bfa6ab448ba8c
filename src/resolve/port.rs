//! The port of the Service that requests go to: one for all routes, or one that a URL names.

use std::collections::BTreeMap;

use super::{BackendPort, KnownPort, Plan, Resolver, file};
use crate::diagnostics::{Code, FieldPath, Origin, Problem, Sourced};
use crate::options::annotations::annotation;
use crate::options::{SourcedTemplate, port_of};
use crate::service::{Port, PortRef, Service};
use crate::values::BackendProtocol;

/// What stands between a URL and its port.
const ARROW: &str = "->";

impl Resolver<'_, '_> {
    /// Takes ` -> port` off a rendered URL.
    pub(super) fn own_port(&mut self, item: &mut String, url: &SourcedTemplate) -> Option<BackendPort> {
        let (before, port) = item.rsplit_once(ARROW)?;
        // Nothing in a URL is blank, but a path may have an arrow.
        if !before.ends_with(char::is_whitespace) {
            return None;
        }
        let (port, length) = (port.trim().to_owned(), before.trim_end().len());
        item.truncate(length);
        let chosen = match port_of(&port) {
            Ok(port) => Sourced::new(port, url.origin.clone()),
            Err(mut problem) => {
                // It would take the place of the whole template.
                problem.proposed = None;
                file(self.report, url, problem);
                return None;
            }
        };
        Some(BackendPort { chosen, known: None })
    }

    /// Chooses the port of all routes, and finds all ports that are named.
    pub(super) fn ports(&mut self, service: &Service<'_>, plan: &mut Plan) {
        let is_named = |port: &Option<BackendPort>| port.is_some();
        let is_used = plan.rules.is_empty() || plan.rules.iter().any(|route| !is_named(&route.port));
        if let Some(chosen) = self.port(service, is_used) {
            let known = service.port(&chosen.value).map(KnownPort::from);
            plan.port = Some(BackendPort { chosen, known });
        }
        if plan.rules.iter().any(|route| is_named(&route.port)) {
            let known = by_reference(service);
            for port in plan.rules.iter_mut().filter_map(|route| route.port.as_mut()) {
                port.known = known.get(&port.chosen.value).copied().map(KnownPort::from);
            }
        }
        plan.port_protocols = protocols(service, plan);
    }

    fn port(&mut self, service: &Service<'_>, is_used: bool) -> Option<Sourced<PortRef>> {
        if let Some(chosen) = self.layers.slot(|it| &it.port) {
            let chosen = chosen.set()?;
            if !is_used && matches!(chosen.origin, Origin::Annotation(_)) {
                let said = "every URL names a port of its own, so this has no effect";
                let problem =
                    Problem::new(Code::PortUnused, said).help("remove it, or one of the other ports");
                self.report.file(chosen.origin.path(), problem);
            }
            return Some(chosen.clone());
        }
        let first = service.ports().first()?;
        // One that cannot be used is reported by itself.
        let used = service.port(&PortRef::Number(first.number)).filter(|_| is_used);
        if service.ports().len() > 1 && first.number != 0 && used.is_some_and(|port| port.tcp) {
            let said = format!(
                "the Service has {} ports, the first one ({}) is used",
                service.ports().len(),
                first.number
            );
            self.report.file(
                FieldPath::object(&["spec", "ports"]),
                Problem::new(Code::PortFirst, said)
                    .help(format!("choose one with the annotation {}", annotation::PORT)),
            );
        }
        Some(Sourced::new(PortRef::Number(first.number), Origin::BuiltIn))
    }
}

/// Where the protocol of a port of the Service is said, by the position of the port.
pub(super) fn protocol_origin(at: usize) -> Origin {
    Origin::Field(FieldPath::object(&["spec", "ports"]).index(at).key("appProtocol"))
}

/// What is spoken at the ports that routes lead to, each protocol once, with the position of the first port that speaks it.
fn protocols(service: &Service<'_>, plan: &Plan) -> Vec<(BackendProtocol, usize)> {
    let mut spoken: Vec<(BackendProtocol, usize)> = Vec::new();
    let ports = plan.rules.iter().filter_map(|route| plan.backend_port(route)?.known.as_ref());
    for port in ports {
        if !spoken.iter().any(|(known, _)| *known == port.protocol) {
            let is_this = |it: &Port<'_>| it.number == port.number && it.tcp == port.is_tcp;
            spoken.push((port.protocol, service.ports().iter().position(is_this).unwrap_or_default()));
        }
    }
    spoken
}

/// The ports of a Service by their numbers and names; of several, the first TCP port.
fn by_reference<'s>(service: &'s Service<'_>) -> BTreeMap<PortRef, &'s Port<'s>> {
    let mut known: BTreeMap<PortRef, &Port<'_>> = BTreeMap::new();
    for port in service.ports() {
        let name = port.name.map(|name| PortRef::Name(name.to_owned()));
        for reference in [Some(PortRef::Number(port.number)), name].into_iter().flatten() {
            let place = known.entry(reference).or_insert(port);
            if port.tcp && !place.tcp {
                *place = port;
            }
        }
    }
    known
}
