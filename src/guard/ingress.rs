//! Ingresses.

use serde_json::Value;

use super::{ClaimedRoute, ControllerOfClass, ObjectHosts, annotation, claimed, list_items, non_empty_text};
use crate::conflicts::RouteBudget;
use crate::diagnostics::FieldPath;
use crate::dialect::controller::Controller;
use crate::dialect::f5_nginx::PATH_REGEX;
use crate::dialect::haproxy;
use crate::dialect::legacy::CLASSES;
use crate::dialect::nginx;
use crate::validation::{PathType, parse_bool};

/// The place of the default backend, which may get the requests for all hosts.
pub(super) fn default_backend() -> FieldPath {
    FieldPath::object(&["spec", "defaultBackend"])
}

/// The hosts and paths of an Ingress.
pub(super) fn read<'o>(object: &'o Value, program: ControllerOfClass<'_>) -> ObjectHosts<'o> {
    let spec = object.get("spec").unwrap_or(&Value::Null);
    let rules = FieldPath::object(&["spec", "rules"]);
    let classes: Vec<_> = classes(object, spec).collect();
    // On other programs, such an Ingress gets all requests.
    let may_be_of = |is_it: &dyn Fn(Controller) -> bool| {
        classes.is_empty() || classes.iter().any(|(class, _)| program(class).is_none_or(is_it))
    };
    let is_canary = is_true(object, nginx::CANARY) && may_be_of(&|it| it.reads(nginx::CANARY));
    // ingress-nginx reads neither of these annotations on a canary. NGINX Ingress Controller has the other annotation.
    let use_regex = !is_canary
        && (is_true(object, nginx::USE_REGEX)
            || (annotation(object, PATH_REGEX).is_some_and(|value| value.starts_with("case"))
                && may_be_of(&|it| it == Controller::F5Nginx)));
    // With TLS passthrough, this program selects the Ingress by the host alone.
    let is_passed = haproxy::SSL_PASSTHROUGH.iter().any(|key| is_true(object, key))
        && may_be_of(&|it| it == Controller::Haproxy);
    let target = annotation(object, nginx::REWRITE_TARGET).filter(|_| !is_canary);
    let has_default = spec.get("defaultBackend").is_some_and(|it| !it.is_null());
    // A class such as `nginx` may be that of either program.
    let is_of_nginx = |(class, _): &(&str, _)| match program(class) {
        Some(program) => matches!(program, Controller::IngressNginx | Controller::F5Nginx),
        None => class.contains("nginx"),
    };
    // On these programs, the default backend beside rules gets the other requests for their hosts. That of a canary of ingress-nginx
    // gets a share of the requests for all hosts. Other programs send it all other requests.
    let takes_all = has_default && (is_canary || classes.is_empty() || !classes.iter().all(is_of_nginx));
    let (mut taken, mut budget) = (Vec::new(), RouteBudget::of_paths(1));
    for (at, rule) in list_items(spec, "rules").iter().enumerate() {
        let host = non_empty_text(rule, "host").unwrap_or_default().to_ascii_lowercase();
        let place = rules.clone().index(at).key("host");
        let paths = rule.get("http").map_or(&[][..], |http| list_items(http, "paths"));
        let whole = || ClaimedRoute::whole(host.clone(), place.clone());
        // A rule without paths reserves the host and answers no request.
        let takes_others = has_default && !is_canary;
        if paths.is_empty() || takes_others || is_passed {
            taken.push(ClaimedRoute { is_part: !(takes_others || is_passed), ..whole() });
        }
        for path in paths {
            let kind =
                non_empty_text(path, "pathType").and_then(|it| it.parse().ok()).unwrap_or(PathType::Prefix);
            let path = non_empty_text(path, "path").unwrap_or("/");
            let is_regex =
                use_regex || target.is_some_and(|target| !nginx::paths::is_target(path, kind, target, false));
            for (path, path_type) in claimed(path, kind, is_regex, &mut budget) {
                taken.push(ClaimedRoute { path, path_type, ..whole() });
            }
        }
    }
    if taken.is_empty() {
        taken.push(ClaimedRoute::whole(String::new(), rules));
    } else if takes_all {
        taken.push(ClaimedRoute::whole(String::new(), default_backend()));
    }
    ObjectHosts {
        taken,
        is_canary,
        classes,
        named: certificates(spec),
        is_exceeded: budget.is_exceeded,
        ..ObjectHosts::default()
    }
}

/// The classes of the field and the annotations. If several exist, the controller decides which one applies.
fn classes<'o>(object: &'o Value, spec: &'o Value) -> impl Iterator<Item = (&'o str, FieldPath)> {
    let field = non_empty_text(spec, "ingressClassName")
        .map(|it| (it, FieldPath::object(&["spec", "ingressClassName"])));
    let old =
        CLASSES.into_iter().filter_map(|key| Some((annotation(object, key)?, FieldPath::annotation(key))));
    field.into_iter().chain(old)
}

/// The hosts of the TLS section.
fn certificates(spec: &Value) -> Vec<(String, FieldPath)> {
    let mut found = Vec::new();
    for (at, section) in list_items(spec, "tls").iter().enumerate() {
        let place = FieldPath::object(&["spec", "tls"]).index(at).key("hosts");
        let hosts = list_items(section, "hosts").iter().enumerate();
        let host = |(at, host): (usize, &Value)| {
            Some((host.as_str()?.to_ascii_lowercase(), place.clone().index(at)))
        };
        found.extend(hosts.filter_map(host).filter(|(host, _)| !host.is_empty()));
    }
    found
}

fn is_true(object: &Value, key: &str) -> bool {
    annotation(object, key).and_then(parse_bool) == Some(true)
}
