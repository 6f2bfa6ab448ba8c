//! The port of the Service that a route leads to: one for all routes, or one that a URL names.

use std::collections::BTreeMap;

use super::{BackendPort, KnownPort, Plan, Resolver, file};
use crate::diagnostics::{Code, FieldPath, Origin, Problem, Sourced};
use crate::options::annotations::annotation;
use crate::options::{SourcedTemplate, port_of};
use crate::service::{Port, PortRef, Service};
use crate::values::BackendProtocol;

/// The separator between a URL and its port.
const ARROW: &str = "->";

impl Resolver<'_, '_> {
    /// Removes ` -> port` from a rendered URL, and returns the port.
    pub(super) fn own_port(&mut self, item: &mut String, url: &SourcedTemplate) -> Option<BackendPort> {
        let (before, port) = item.rsplit_once(ARROW)?;
        // A blank must stand before the arrow, because a path may contain an arrow.
        if !before.ends_with(char::is_whitespace) {
            return None;
        }
        let (port, length) = (port.trim().to_owned(), before.trim_end().len());
        item.truncate(length);
        let chosen = match port_of(&port) {
            Ok(port) => Sourced::new(port, url.origin.clone()),
            Err(mut problem) => {
                // The proposal would replace the whole template instead of the port.
                problem.proposed = None;
                file(self.report, url, problem);
                return None;
            }
        };
        Some(BackendPort { chosen, known: None })
    }

    /// Chooses the port of all routes, and looks up the ports that URLs name.
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
            let chosen = chosen.value()?;
            if !is_used && matches!(chosen.origin, Origin::Annotation(_)) {
                let message = "every URL names a port of its own, so this has no effect";
                let problem =
                    Problem::new(Code::PortUnused, message).help("remove it, or one of the other ports");
                self.report.file(chosen.origin.path(), problem);
            }
            return Some(chosen.clone());
        }
        let first = service.ports().first()?;
        // A port that cannot be used has a finding of its own.
        let used = service.port(&PortRef::Number(first.number)).filter(|_| is_used);
        if service.ports().len() > 1 && first.number != 0 && used.is_some_and(|port| port.tcp) {
            let message = format!(
                "the Service has {} ports, the first one ({}) is used",
                service.ports().len(),
                first.number
            );
            self.report.file(
                FieldPath::object(&["spec", "ports"]),
                Problem::new(Code::PortFirst, message)
                    .help(format!("choose one with the annotation {}", annotation::PORT)),
            );
        }
        Some(Sourced::new(PortRef::Number(first.number), Origin::BuiltIn))
    }
}

/// The field with the protocol of the port at this position of the Service's ports.
pub(super) fn protocol_origin(at: usize) -> Origin {
    Origin::Field(FieldPath::object(&["spec", "ports"]).index(at).key("appProtocol"))
}

/// The protocols of the ports that routes lead to, each once, with the position of the first port that has it.
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

/// The ports of a Service by number and by name. If several ports have one number or name, the first TCP port is chosen.
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
