//! Rules about the objects that expose the Service: the requirements of an HTTPRoute, a ListenerSet, a Route and a monitor.

use crate::diagnostics::{Code, FieldPath, Problem, Report, quoted, quoted_char};
use crate::dialect::controller::Controller;
use crate::dialect::gateway::support::refused_protocol;
use crate::dialect::legacy;
use crate::dialect::monitor::PROVIDERS;
use crate::dialect::write::Paths;
use crate::options::overlap;
use crate::plan::context::RuleContext;
use crate::plan::{Plan, Route};
use crate::validation::{MAX_NAME, PathType, path_error, subdomain_host};
use crate::values::{LinkPage, Target, Termination};

/// The maximum length of the suffix of a name, if a target needs several objects.
const MAX_SUFFIX: usize = 16;
/// The maximum length of the suffix in the name of a Middleware or of an additional Ingress.
const MAX_SUFFIX_OF_TRAEFIK: usize = 24;
/// The limits of an HTTPRoute (`gateway.networking.k8s.io/v1`, HTTPRouteSpec).
const MAX_RULES: usize = 16;
const MAX_PATH: usize = 1024;
/// The limit of a ListenerSet (`gateway.networking.k8s.io/v1`, ListenerSetSpec).
const MAX_LISTENERS: usize = 64;

/// Checks that the implementation knows the `appProtocol` of each port. Otherwise it answers every request with 500.
fn protocols(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let wanted: Vec<_> = plan
        .rules
        .iter()
        .filter_map(|rule| context.service.port(&plan.backend_port(rule)?.chosen.value))
        .collect();
    for (at, port) in context.service.ports().iter().enumerate().filter(|(_, port)| wanted.contains(port)) {
        let Some(protocol) = port.app_protocol else { continue };
        let Some(help) = refused_protocol(plan, protocol) else { continue };
        let message = format!(
            "{} refuses a route to a port with the protocol {}, so every request is answered with 500",
            plan.program_name(Target::HttpRoute),
            quoted(protocol)
        );
        let path = FieldPath::object(&["spec", "ports"]).index(at).key("appProtocol");
        report.file(path, Problem::new(Code::TargetInvalid, message).help(help));
    }
}

/// Checks that an HTTPRoute is attached to a parent, and has only hosts and paths that its schema allows.
pub(crate) fn http_route(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if !plan.targets.contains(&Target::HttpRoute) {
        return;
    }
    if plan.gateways().is_empty() {
        let problem = Problem::new(Code::GatewayMissing, "no Gateway is named for the HTTPRoute");
        report.file(
            plan.targets_origin.path(),
            problem.help("ask your administrator for the setting parentRefs"),
        );
    }
    parents(context, report);
    protocols(context, report);
    listener_set(context, report);
    if plan.rules.len() > MAX_RULES {
        let message = format!(
            "{} hosts and paths are too many for an HTTPRoute, which has at most {MAX_RULES}",
            plan.rules.len()
        );
        let at =
            plan.rules.first().map_or_else(|| plan.targets_origin.path(), |rule| rule.host_origin.path());
        report.file(at, Problem::new(Code::TargetInvalid, message).help("expose them by several Services"));
    }
    for rule in plan.rules.iter().filter(|rule| !rule.is_pattern()) {
        let path = quoted(&rule.path);
        let (message, help) = if let Some(found) = stray_character(plan, rule, Target::HttpRoute) {
            found
        } else if has_stray_percent(&rule.path) {
            let message =
                format!("in the path {path} of an HTTPRoute, two hexadecimal digits must follow each `%`");
            (message, "write `%` itself as %25".to_owned())
        } else if let Some(error) = path_error(&rule.path, PathType::Prefix) {
            // The rule `path` reports a path that is invalid for every target.
            if path_error(&rule.path, rule.path_type).is_some() {
                continue;
            }
            (format!("the path {path} is not valid in an HTTPRoute: {error}"), "correct the path".to_owned())
        } else if rule.path.len() > MAX_PATH {
            let message =
                format!("the path has {} characters, an HTTPRoute allows {MAX_PATH}", rule.path.len());
            (message, "shorten the path".to_owned())
        } else {
            continue;
        };
        let problem = Problem::new(Code::TargetInvalid, message).found(rule.path.clone());
        report.file(rule.path_origin.path(), problem.help(help));
    }
}

/// Checks that no listener gets both the route to the Service and the route that redirects to https.
fn parents(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if let Some(parents) =
        plan.parent_refs.as_ref().filter(|_| plan.redirects(Target::HttpRoute) && plan.listener_set.is_none())
        && let Some(http) = &plan.http_parent_refs
        && let Some((path, problem)) = overlap(parents, http, context.service.namespace())
    {
        report.file(path, problem);
    }
}

/// Checks that a ListenerSet is attached to one Gateway, and does not have too many listeners.
fn listener_set(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let Some(parents) = plan.parent_refs.as_ref().filter(|_| plan.has_listener_set()) else { return };
    let Some(first) = parents.value.first() else { return };
    let namespace = context.service.namespace();
    let kind = first.kind.as_deref().filter(|kind| *kind != "Gateway");
    let (said, help) = if let Some(kind) = kind {
        (format!("parentRefs names a {kind}, and a ListenerSet is added to a Gateway"), "name the Gateway")
    } else if parents.value.iter().any(|it| !it.is_same_gateway(first, namespace)) {
        (
            "parentRefs names several Gateways, and a ListenerSet is added to one".to_owned(),
            "name one Gateway",
        )
    } else {
        let hosts = plan.tls_hosts().len();
        if hosts > MAX_LISTENERS {
            let message =
                format!("{hosts} hosts are too many for a ListenerSet, which has at most {MAX_LISTENERS}");
            let at = plan
                .certificate_hosts
                .first()
                .map_or_else(|| plan.targets_origin.path(), |it| it.host_origin.path());
            let problem = Problem::new(Code::TargetInvalid, message).help("expose them by several Services");
            report.file(at, problem);
        }
        return;
    };
    report.file(parents.origin.path(), Problem::new(Code::TargetInvalid, said).help(help));
}

/// Returns the first target that does not allow a character in a path.
pub(super) fn refusing(plan: &Plan, rule: &Route, character: char) -> Option<Target> {
    let is_plain = || character.is_ascii_alphanumeric() || "-/._~!$&'()*+,;=:@%".contains(character);
    if plan.targets.contains(&Target::HttpRoute) && !rule.is_pattern() && !is_plain() {
        return Some(Target::HttpRoute);
    }
    let is_refused = character == '#' || character.is_whitespace();
    Some(Target::Route).filter(|target| is_refused && plan.targets.contains(target))
}

/// Returns the message and the help for a character that a target does not allow in a path.
fn stray_character(plan: &Plan, rule: &Route, target: Target) -> Option<(String, String)> {
    let stray = rule.path.chars().find(|c| refusing(plan, rule, *c) == Some(target))?;
    let message = format!(
        "the path {} of {} cannot contain {}",
        quoted(&rule.path),
        target.with_article(),
        quoted_char(stray)
    );
    let mut bytes = [0; 4];
    let code: String = stray.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")).collect();
    let query = if stray == '?' { "remove the query, or " } else { "" };
    Some((message, [query, "write it as ", &code].concat()))
}

fn has_stray_percent(path: &str) -> bool {
    let is_code =
        |rest: &str| rest.as_bytes().get(..2).is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit));
    path.split('%').skip(1).any(|rest| !is_code(rest))
}

/// Checks that a path can be expressed in a Route, which has no regular expressions.
pub(crate) fn route(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if !plan.targets.contains(&Target::Route) {
        return;
    }
    let paths = Paths::new(plan, Target::Route);
    for rule in &plan.rules {
        wildcard(rule, report);
        let (written, kind) = paths.of(rule);
        let message = if kind.is_pattern(&written) || (rule.is_pattern() && written == rule.path) {
            format!(
                "the path {} is a regular expression, which a Route of OpenShift cannot have",
                quoted(&rule.path)
            )
        } else if let Some((message, help)) = stray_character(plan, rule, Target::Route) {
            let problem = Problem::new(Code::TargetInvalid, message).help(help);
            report.file(rule.path_origin.path(), problem.found(rule.path.clone()));
            continue;
        } else if plan.tls().has_secret()
            && plan.termination() == Termination::Passthrough
            && rule.path != "/"
        {
            format!("a Route with TLS passthrough sees no path, but {} is requested", quoted(&rule.path))
        } else {
            continue;
        };
        let problem =
            Problem::new(Code::TargetInvalid, message).help("expose the whole host, or use another target");
        report.file(rule.path_origin.path(), problem.found(rule.path.clone()));
    }
}

/// Reports a wildcard host, which becomes the `wildcardPolicy` of a Route. Routers do not admit it by default.
fn wildcard(rule: &Route, report: &mut Report) {
    // The rule `host` reports a host with another star.
    let is_name = |host: &String| !host.contains('*');
    let Some(host) = subdomain_host(&rule.host).filter(is_name) else { return };
    let problem = if host.len() > MAX_NAME {
        let message = format!(
            "the host {} becomes one of {} characters in a Route of OpenShift, DNS allows {MAX_NAME}",
            quoted(&rule.host),
            host.len()
        );
        Problem::new(Code::TargetInvalid, message).help("shorten the template")
    } else {
        let message = format!(
            "a router of OpenShift refuses the wildcard host {} unless it admits wildcards (ROUTER_ALLOW_WILDCARD_ROUTES)",
            quoted(&rule.host)
        );
        let help =
            "set routeAdmission.wildcardPolicy: WildcardsAllowed on the IngressController, or name the hosts";
        Problem::new(Code::RouteWildcard, message).help(help)
    };
    report.file(rule.host_origin.path(), problem);
}

/// Checks that the name is short enough for the names of the other objects that are derived from it.
pub(crate) fn derived_names(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let is_traefik = plan.has_stable_ingress() && plan.controller(Target::Ingress) == Controller::Traefik;
    // Without intents and TLS, Traefik needs the Ingress alone.
    let suffix = if is_traefik && (plan.tls().is_on() || !plan.intents.is_empty()) {
        MAX_SUFFIX_OF_TRAEFIK
    } else if plan.targets.iter().any(|target| *target != Target::Ingress) {
        MAX_SUFFIX
    } else {
        return;
    };
    if let Some(name) = plan.name.as_ref().filter(|name| name.value.len() + suffix > MAX_NAME) {
        let message = format!(
            "the name has {} characters, too many for the names that are made from it",
            name.value.len()
        );
        report.file(
            name.origin.path(),
            Problem::new(Code::TargetInvalid, message).help("shorten the template"),
        );
    }
}

/// Checks that a link leads to a host without a wildcard, and that the page reads the kind of object.
pub(crate) fn links(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let Some(links) = plan.links.as_ref().filter(|it| !it.value.is_empty() && plan.canary.is_none()) else {
        return;
    };
    let first = plan.rules.first().filter(|rule| rule.host.starts_with("*."));
    let message = if let Some(rule) = first {
        format!("a link to the wildcard host {} does not work, so there is none", quoted(&rule.host))
    } else if links.value.contains(&LinkPage::Homepage) && plan.targets == [Target::Route] {
        "a Route of OpenShift gets no tile in Homepage, which reads only Ingresses and HTTPRoutes".to_owned()
    } else {
        return;
    };
    report.file(links.origin.path(), Problem::new(Code::TargetInexpressible, message));
}

/// Checks that a monitor requests a host without a wildcard, and has the options of only one provider.
pub(crate) fn monitor(context: &RuleContext<'_>, report: &mut Report) {
    if let Some(monitor) = &context.plan.monitor
        && let Some(first) = PROVIDERS.iter().find(|it| monitor.value.provider.contains_key(it.name))
        && monitor.value.provider.len() > 1
    {
        let message = format!(
            "there are options of {} providers, but IngressMonitorController uses one, here that of {}",
            monitor.value.provider.len(),
            quoted(first.name)
        );
        let problem = Problem::new(Code::MonitorProviders, message).help("keep the options of one provider");
        report.file(monitor.origin.path(), problem);
    }
    let first = context.plan.rules.first().filter(|rule| rule.host.starts_with("*."));
    if let (Some(_), Some(rule)) = (&context.plan.monitor, first) {
        let message = format!("a monitor cannot request the wildcard host {}", quoted(&rule.host));
        let problem = Problem::new(Code::MonitorWildcard, message)
            .help("put a host without a star first, or remove the monitor");
        report.file(rule.host_origin.path(), problem);
    }
}

/// Checks that the namespace may use the class of the Ingress.
pub(crate) fn class_of_namespace(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if !plan.targets.contains(&Target::Ingress) {
        return;
    }
    let problem = |class| context.settings.problem_of_class(plan.namespace().unwrap_or_default(), class);
    if let Some((class, problem)) = plan.class.as_ref().and_then(|it| Some((it, problem(&it.value)?))) {
        report.file(class.origin.path(), problem);
    }
    // With `legacyAnnotations: forward`, the annotations that name a class are not translated.
    for old in legacy::CLASSES.into_iter().filter_map(|key| plan.annotation(key)) {
        if let Some(problem) = problem(&old.value) {
            old.file_value(report, problem);
        }
    }
}

/// Checks that the namespace may use the Gateways of the HTTPRoutes.
pub(crate) fn gateway_of_namespace(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if !plan.targets.contains(&Target::HttpRoute) {
        return;
    }
    let own = plan.namespace().unwrap_or_default();
    let mut reported = Vec::new();
    for refs in [&plan.parent_refs, &plan.http_parent_refs].into_iter().flatten() {
        for (at, parent) in refs.value.iter().enumerate() {
            let Some(kind) = parent.kind_with_listeners() else { continue };
            let gateway = (parent.namespace.as_deref().unwrap_or(own), parent.name.as_str());
            // A Gateway is reported once, also if several of its listeners are named.
            let problem = context.settings.problem_of_gateway(own, &kind, gateway);
            if let Some(problem) = problem.filter(|_| !reported.contains(&(kind.clone(), gateway))) {
                reported.push((kind, gateway));
                report.file(refs.origin.path().index(at), problem);
            }
        }
    }
}
