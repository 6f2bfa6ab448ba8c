//! Rules about names, ports and annotations.

use std::collections::BTreeSet;

use crate::diagnostics::{
    Code, FieldPath, Origin, Problem, Report, Sourced, choose, did_you_mean, joined, quoted, quoted_char,
};
use crate::options::annotations::annotation;
use crate::options::{class_problem, is_class};
use crate::plan::Annotation;
use crate::plan::context::{RuleContext, is_refused};
use crate::service::{FORWARD_ANNOTATION, PUBLISH_KEY, Port, PortRef, ServiceKind};
use crate::validation::{
    MAX_ANNOTATIONS, MAX_NAME, annotation_key_error, character_help, is_dns_label, is_dns_subdomain,
};
use crate::values::Target;

/// Checks that the name and the namespace of the Service are DNS labels.
pub(crate) fn service(context: &RuleContext<'_>, report: &mut Report) {
    let name = context.service.name();
    if !name.is_empty() && !is_dns_label(name) {
        let message = format!("{} is not the name of a Service: {}", quoted(name), LABEL);
        let problem = Problem::new(Code::ServiceNameInvalid, message).help("rename the Service");
        report.file(FieldPath::object(&["metadata", "name"]), problem);
    }
    if let Some(namespace) = context.service.namespace().filter(|namespace| !is_dns_label(namespace)) {
        let message = format!("{} is not a namespace: {}", quoted(namespace), LABEL);
        let problem = Problem::new(Code::NamespaceInvalid, message).help("correct the namespace");
        report.file(FieldPath::object(&["metadata", "namespace"]), problem);
    }
}

const LABEL: &str = "expected lower-case letters, digits and inner `-`, at most 63 characters";

/// Reports a headless Service and an alias (ExternalName), because not every controller routes to them.
pub(crate) fn service_type(context: &RuleContext<'_>, report: &mut Report) {
    match context.service.kind() {
        ServiceKind::Routable => {}
        ServiceKind::Headless => report.file(
            FieldPath::object(&["spec", "clusterIP"]),
            Problem::new(
                Code::ServiceHeadless,
                "the Service is headless: only controllers that read its endpoints, such as ingress-nginx, can route to it",
            )
            .help("expose a Service with a cluster IP if your controller uses it"),
        ),
        ServiceKind::ExternalName => report.file(
            FieldPath::object(&["spec", "type"]),
            Problem::new(
                Code::ServiceExternalName,
                "the Service is an alias for another host (ExternalName), which many controllers do not route to",
            )
            .help("expose a Service that selects pods"),
        ),
    }
}

/// The maximum number of unknown ports that are reported. Each is compared with all ports of the Service.
const MAX_UNKNOWN: usize = 10;

/// Checks that the ports exist on the Service and are TCP ports, which HTTP needs.
pub(crate) fn port(context: &RuleContext<'_>, report: &mut Report) {
    let ports = context.service.ports();
    if context.service.has_unreadable_ports {
        return;
    }
    if ports.is_empty() {
        let path = if context.service.has_spec {
            FieldPath::object(&["spec"])
        } else {
            FieldPath::object(&["metadata"])
        };
        let problem =
            Problem::new(Code::PortNone, "the Service has no port, so there is nothing to route to");
        report.file(path, problem.help("add a port to spec.ports"));
        return;
    }
    let plan = context.plan;
    let is_used = plan.rules.is_empty() || plan.rules.iter().any(|route| route.port.is_none());
    let of_all = plan.port.iter().filter(|_| is_used).map(|port| (port, annotation::PORT));
    let of_routes = plan.rules.iter().filter_map(|route| Some((route.port.as_ref()?, annotation::URL)));
    let mut named = BTreeSet::new();
    let mut unknown = 0;
    for (port, key) in of_all.chain(of_routes) {
        let is_usable = port.known.as_ref().is_some_and(|known| known.is_tcp);
        if is_usable || !named.insert(&port.chosen.value) {
            continue;
        }
        match &port.known {
            Some(_) => {
                let index = context.service.port(&port.chosen.value);
                let index = ports.iter().position(|it| index.is_some_and(|found| std::ptr::eq(it, found)));
                let path = match &port.chosen.origin {
                    Origin::BuiltIn => FieldPath::object(&["spec", "ports"]).index(index.unwrap_or_default()),
                    chosen => chosen.path(),
                };
                report.file(path, not_tcp(&port.chosen, key, ports));
            }
            None if unknown == MAX_UNKNOWN => {}
            None => {
                unknown += 1;
                report.file(port.chosen.origin.path(), unknown_port(&port.chosen, key, ports));
            }
        }
    }
}

fn not_tcp(wanted: &Sourced<PortRef>, key: &str, ports: &[Port<'_>]) -> Problem {
    let port = &wanted.value;
    let what = match &wanted.origin {
        Origin::BuiltIn if ports.len() > 1 => {
            format!("the first port ({port}), which is used if none is chosen,")
        }
        Origin::BuiltIn => format!("the only port ({port})"),
        _ => format!("the port {port}"),
    };
    let message = format!("{what} does not use TCP, so requests cannot be routed to it");
    let tcp = ports.iter().find(|port| port.tcp && port.number != 0);
    let help = match tcp {
        Some(Port { name, number, .. }) if key == annotation::URL => {
            let tcp = name.map_or_else(|| number.to_string(), str::to_owned);
            format!("name a TCP port behind the URL: -> {tcp}")
        }
        Some(Port { name: Some(name), .. }) => format!("choose a TCP port: {key}: {name}"),
        Some(Port { number, .. }) => format!("choose a TCP port: {key}: \"{number}\""),
        None => "add a TCP port to the Service".to_owned(),
    };
    Problem::new(Code::PortNotTcp, message).help(help)
}

/// Returns the problem with a port that the Service does not have. The help names the annotation `key`.
fn unknown_port(wanted: &Sourced<PortRef>, key: &str, ports: &[Port<'_>]) -> Problem {
    let listed: Vec<String> = ports
        .iter()
        .filter(|port| port.number != 0)
        .take(10)
        .map(|port| {
            port.name.map_or_else(|| port.number.to_string(), |name| format!("{name} ({})", port.number))
        })
        .collect();
    let problem = Problem::new(
        Code::PortUnknown,
        format!("the Service has no port {}", quoted(&wanted.value.to_string())),
    );
    if matches!(wanted.origin, Origin::Setting(_)) {
        // The author of the Service cannot change the setting.
        return problem.help(match listed.as_slice() {
            [] => "correct the ports of the Service".to_owned(),
            ports => {
                let ports = joined(ports, " or ");
                format!("choose a port ({ports}) with the annotation {key}, or ask your administrator")
            }
        });
    }
    let meant = did_you_mean(&wanted.value.to_string(), ports.iter().filter_map(|port| port.name));
    match meant {
        // A proposal replaces the whole value, and the value of the annotation for URLs contains more than the port.
        Some(name) if key == annotation::PORT => problem.help(format!("did you mean {name}?")).propose(name),
        Some(name) => problem.help(format!("did you mean {name}?")),
        None => problem.help(match listed.as_slice() {
            [] => "correct the ports of the Service".to_owned(),
            _ => choose(&listed),
        }),
    }
}

/// Checks that the name of the Ingress is a DNS subdomain.
pub(crate) fn ingress_name(context: &RuleContext<'_>, report: &mut Report) {
    if let Some(name) = &context.plan.name {
        object_name(name, Code::IngressNameInvalid, "Ingress name", report);
    }
}

/// Checks that the names of the secrets are DNS subdomains.
pub(crate) fn tls_secret(context: &RuleContext<'_>, report: &mut Report) {
    // If the name of the secret is derived from the name of the Ingress, an invalid name is reported only once, for the Ingress.
    let name_is_bad = || context.plan.name.as_ref().is_none_or(|name| !is_dns_subdomain(&name.value));
    if let Some(secret) = &context.plan.secret
        && !(context.plan.secret_is_derived && name_is_bad())
    {
        let names = context.plan.tls_section().into_iter().map(|(name, _)| name.to_owned());
        for name in names {
            if name.contains([',', '\n']) {
                let message = format!("{} is not the name of one secret", quoted(&name));
                let help = "write one template; with {{.Host}} in it, each host has a secret of its own";
                report.file(secret.origin.path(), Problem::new(Code::TlsSecretInvalid, message).help(help));
                continue;
            }
            let secret = Sourced::new(name, secret.origin.clone());
            object_name(&secret, Code::TlsSecretInvalid, "secret name", report);
        }
    }
}

fn object_name(name: &Sourced<String>, code: Code, what: &str, report: &mut Report) {
    let value = &name.value;
    if is_dns_subdomain(value) {
        return;
    }
    if value.is_empty() {
        report.file(
            name.origin.path(),
            Problem::new(code, format!("the {what} is empty")).help("write a name"),
        );
        return;
    }
    let stray = value.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.')));
    let (why, help) = if value.len() > MAX_NAME {
        (
            format!("it has {} characters, at most {MAX_NAME} are allowed", value.len()),
            "shorten the template".to_owned(),
        )
    } else if let Some(character) = stray {
        (format!("it contains {}", quoted_char(character)), character_help(character, value))
    } else if value.bytes().any(|b| b.is_ascii_uppercase()) {
        ("it contains upper-case letters".to_owned(), "write it in lower case".to_owned())
    } else {
        (
            "every part between dots must start and end with a letter or digit".to_owned(),
            "correct the template".to_owned(),
        )
    };
    let message = format!("{} is not a valid {what}: {why}", quoted(value));
    report.file(name.origin.path(), Problem::new(code, message).help(help).found(value.clone()));
}

/// Checks that the class is a valid name of an IngressClass.
pub(crate) fn class(context: &RuleContext<'_>, report: &mut Report) {
    if let Some(class) = context.plan.class.as_ref().filter(|class| !is_class(&class.value)) {
        let mut problem = class_problem(&class.value).found(class.value.clone());
        if matches!(&class.origin, Origin::Annotation(key) if key == FORWARD_ANNOTATION) {
            problem = problem.help(
                "name an IngressClass; the setting legacyAnnotations: forward keeps the annotation as it is",
            );
        }
        report.file(class.origin.path(), problem);
    }
}

/// Checks that the program serves Ingresses of the class.
pub(crate) fn served_class(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let controller = plan.controller(Target::Ingress);
    let is_passed_over = |class: &&Sourced<String>| {
        plan.has_object(Target::Ingress) && controller.ignores_class_by_default(&class.value)
    };
    if let Some(class) = plan.class.as_ref().filter(is_passed_over) {
        let message = format!(
            "{} serves the class {} only if its option --ingress-class names it",
            controller.name(),
            quoted(&class.value)
        );
        let help =
            "choose the class gce, gce-internal or gce-regional-external, unless you run it with this option";
        report.file(class.origin.path(), Problem::new(Code::ClassUnserved, message).help(help));
    }
}

/// Checks that every forwarded key is a valid annotation key, and that the annotations are not too large together.
pub(crate) fn forwarded_keys(context: &RuleContext<'_>, report: &mut Report) {
    for forwarded in &context.plan.annotations {
        // The first line of a folded YAML list is no key, and the rule `folded-block` reports it.
        if forwarded.key.starts_with("- ") && is_refused(forwarded, report) {
            continue;
        }
        if let Some(error) = annotation_key_error(&forwarded.key) {
            let message = if forwarded.key.is_empty() {
                "there is no key in front of the colon".to_owned()
            } else {
                format!("{} is not an annotation key: {error}", quoted(&forwarded.key))
            };
            let problem = Problem::new(Code::ForwardKeyInvalid, message)
                .help("write `key: value` with a key such as example.com/name");
            forwarded.file_key(report, problem);
        }
    }
    // Annotations that options add are short, so they are not counted.
    let given = &context.plan.annotations;
    let size = |it: &Annotation| it.key.len() + it.value.len();
    let bytes: usize = given.iter().map(size).sum();
    if bytes > MAX_ANNOTATIONS {
        let message = format!(
            "the annotations of the Ingress have {bytes} bytes, the API server allows {MAX_ANNOTATIONS}"
        );
        let problem = Problem::new(Code::AnnotationsTooLarge, message);
        match given.iter().max_by_key(|it| size(it)) {
            // Without forwarded annotations, all of them come from the settings.
            Some(largest) if !given.iter().any(Annotation::is_forwarded) => {
                report.file(largest.origin().path(), problem.help("shorten the annotations"));
            }
            _ => report.file(FieldPath::annotation(FORWARD_ANNOTATION), problem.help("shorten the block")),
        }
    }
}

/// Checks that a Service whose host goes into the URL ConfigMap has a namespace, which is a part of the key.
pub(crate) fn published(context: &RuleContext<'_>, report: &mut Report) {
    if context.plan.published.is_some() && context.service.namespace().is_none() {
        let message = format!(
            "{PUBLISH_KEY} publishes the host under <service>-<namespace>, and the Service names no namespace"
        );
        let problem = Problem::new(Code::NamespaceMissing, message)
            .help("set metadata.namespace, or pass --namespace on the command line");
        report.file(FieldPath::annotation(FORWARD_ANNOTATION), problem);
    }
}
