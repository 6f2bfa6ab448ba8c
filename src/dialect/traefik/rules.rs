//! Rules about values that Traefik's provider for ingress-nginx reads differently from ingress-nginx, and about annotations of
//! Traefik that turn TLS off.

use super::nginx::{REQUEST_BUFFERING, is_true, limits_bodies};
use super::support::{PLAIN, difference_from_nginx, is_secure, plain_entry_point, refused_tls};
use super::write::below_exact_hosts;
use super::{ENTRY_POINTS, PRIORITY, SERVERS_SCHEME, TLS_OPTIONS};
use crate::diagnostics::{Code, FieldPath, Origin, Problem, Report, quoted};
use crate::dialect::controller::Controller;
use crate::dialect::key::NeutralValue;
use crate::dialect::nginx::{PREFIX, SERVER_ALIAS};
use crate::dialect::{Loss, effect};
use crate::intents::{Intent, IntentValue};
use crate::options::annotations::annotation;
use crate::plan::context::RuleContext;
use crate::plan::{Annotation, Plan};
use crate::validation::parse_bool;
use crate::values::Target;

/// The annotation with the name that the certificate of the Service is verified against.
const SERVER_NAME: &str = "nginx.ingress.kubernetes.io/proxy-ssl-name";

/// Reports annotations that the provider reads as false, or that have no effect there.
pub(crate) fn nginx(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if !plan.targets.contains(&Target::Ingress)
        || plan.controller(Target::Ingress) != Controller::TraefikNginx
    {
        return;
    }
    alias_with_star(context, report);
    for annotation in plan.annotations.iter().filter(|it| it.key.starts_with(PREFIX)) {
        let message =
            |how: &str| format!("{} is {}, {how}", quoted(&annotation.key), quoted(&annotation.value));
        if let Some((how, help)) = read_differently(plan, annotation) {
            let message = message(&["and Traefik's provider for ingress-nginx ", how].concat());
            lost(context, annotation, Loss::Behavior, message, help, report);
            continue;
        }
        let Some(effect) = effect(&annotation.key).filter(|effect| !effect.neutral.is(&annotation.value))
        else {
            continue;
        };
        let value = annotation.value.trim();
        if effect.neutral == NeutralValue::False && parse_bool(value) == Some(true) && !is_true(value) {
            let message = message("which Traefik's provider for ingress-nginx reads as false");
            lost(context, annotation, effect.loss, message, "write \"true\"", report);
        } else if annotation.key.strip_prefix(PREFIX) == Some("proxy-body-size")
            && !limits_bodies(plan.annotation(REQUEST_BUFFERING).map(|it| it.value.as_str()))
        {
            let message =
                message("and Traefik's provider for ingress-nginx limits only bodies that it buffers");
            let help = format!("forward {REQUEST_BUFFERING}: \"on\", too");
            lost(context, annotation, effect.loss, message, &help, report);
        }
    }
}

/// Returns what the provider does with a value that it reads differently from ingress-nginx, and the help.
fn read_differently(plan: &Plan, annotation: &Annotation) -> Option<(&'static str, &'static str)> {
    match annotation.key.strip_prefix(PREFIX)? {
        "proxy-ssl-server-name" if plan.annotation(SERVER_NAME).is_none() => Some((
            "reads the value as the name of the server, so it asks the Service for the certificate of another name",
            "forward nginx.ingress.kubernetes.io/proxy-ssl-name with the name in the certificate of the Service",
        )),
        "backend-protocol" if ["FCGI", "AUTO_HTTP"].contains(&annotation.value.trim()) => {
            Some(("speaks http instead", "speak HTTP in the Service, or choose another class"))
        }
        "server-alias" if annotation.value.split(',').any(is_expression) => {
            Some(("serves no hosts by regular expressions", "name the hosts, or choose another class"))
        }
        _ => None,
    }
}

/// Whether an alias is a regular expression for ingress-nginx.
fn is_expression(alias: &str) -> bool {
    alias.trim_start().starts_with('~')
}

/// Reports an alias with a star, if the namespace has no hosts of its own and no rule has reported hosts of other namespaces. The provider adds the
/// alias to the rule of the host, and this long rule comes before most others: also before those of exact hosts.
fn alias_with_star(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let has_hosts = plan
        .namespace()
        .and_then(|own| context.settings.namespace(own))
        .is_some_and(|own| own.hosts.is_some());
    let has_star =
        |it: &Annotation| it.value.split(',').any(|alias| alias.contains('*') && !is_expression(alias));
    let line = plan.annotation(SERVER_ALIAS).filter(|it| has_star(it) && !has_hosts);
    let is_reported = || report.diagnostics().iter().any(|it| it.code == Code::HostNotOwned);
    let Some(line) = line.filter(|_| plan.canary.is_none() && !is_reported()) else { return };
    let message = format!(
        "{} is {}: Traefik's provider for ingress-nginx sends requests for all such hosts to this Service, also for hosts of others",
        quoted(&line.key),
        quoted(&line.value)
    );
    let help =
        "name the hosts, or ask your administrator to give the namespace the hosts in the setting namespaces";
    line.file_value(report, Problem::new(Code::HostNotOwned, message).help(help));
}

/// Reports a wildcard host that may come before an exact host of another Service. Traefik compares only the lengths of rules and
/// paths. Its provider for ingress-nginx reads no priority, and an HTTPRoute has none.
pub(crate) fn wildcard_hosts(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if plan.canary.is_some() {
        return;
    }
    let help_of = |target: Target| match (target, plan.controller(target)) {
        (Target::Ingress, Controller::TraefikNginx) => Some("name the hosts, or choose another class"),
        (Target::Ingress, Controller::Traefik)
            if below_exact_hosts(plan).is_none() && plan.annotation(PRIORITY).is_none() =>
        {
            Some("expose the wildcard host by a Service of its own, under one path")
        }
        (Target::HttpRoute, Controller::Traefik) => {
            Some("name the hosts, or use a Gateway of another implementation")
        }
        _ => None,
    };
    let found = plan.targets.iter().find_map(|target| Some((*target, help_of(*target)?)));
    let rule = plan.rules.iter().find(|rule| rule.host.starts_with("*."));
    let (Some((target, help)), Some(rule)) = (found, rule) else { return };
    let message = format!(
        "{} compares the lengths of rules, so {} may take requests for hosts of other Services",
        plan.controller(target).row().name,
        quoted(&rule.host)
    );
    report.file(rule.host_origin.path(), Problem::new(Code::IntentDiffers, message).help(help));
}

/// Reports a port with which Traefik speaks https although nobody asks for it.
pub(crate) fn scheme(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let is_served =
        |target: &&Target| plan.controller(**target) == Controller::Traefik && plan.has_object(**target);
    let Some(target) = plan.targets.iter().find(is_served) else { return };
    let is_asked = plan.requested(Intent::BackendProtocol).is_some();
    let help = if *target == Target::Ingress {
        format!("annotate the Service with {SERVERS_SCHEME}: http, or https if it speaks TLS")
    } else {
        "write appProtocol: http at the port of the Service, or https if it speaks TLS".to_owned()
    };
    let is_said = *target == Target::Ingress && plan.on_service(SERVERS_SCHEME).is_some();
    let port = plan.rules.iter().filter_map(|route| plan.backend_port(route)).find(|it| is_secure(it));
    let Some(port) = port.filter(|_| !is_asked && !is_said) else { return };
    let Some(named) = context.service.port(&port.chosen.value) else { return };
    let at = context.service.ports().iter().position(|it| it == named).unwrap_or_default();
    if *target != Target::Ingress && named.app_protocol.is_some() {
        return;
    }
    let message = format!(
        "Traefik speaks https with the port {} of the Service and verifies its certificate, because of the number 443 or the name; ingress-nginx speaks http",
        port.number()
    );
    let path = FieldPath::object(&["spec", "ports"]).index(at);
    report.file(path, Problem::new(Code::IntentDiffers, message).help(help));
}

/// Reports an annotation of Traefik that turns TLS off although TLS is wanted, or that serves TLS where nobody asks for it.
pub(crate) fn tls(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if !plan.has_object(Target::Ingress)
        || plan.controller(Target::Ingress) != Controller::Traefik
        || !plan.tls().has_secret()
    {
        return;
    }
    let Some(tls) = &plan.tls else { return };
    let Some(refused) = refused_tls(plan) else {
        if let Some(given) = plan.annotation(ENTRY_POINTS) {
            entry_points(plan, given, report);
        }
        return;
    };
    let is_own = matches!(tls.origin, Origin::Annotation(_));
    let problem = if is_own && refused.is_forwarded() {
        let message = format!("{} contradicts {}", quoted(&refused.key), annotation::TLS);
        Problem::new(Code::IntentConflict, message).help("keep one of the two")
    } else {
        // One of the two comes from a setting, so this is not a conflict between two values of the Service.
        let message = format!(
            "with {}, {} has no effect, and https requests are not answered",
            quoted(&refused.key),
            tls.origin.path()
        );
        Problem::new(Code::ProtectionWeakened, message).help("remove the line")
    };
    refused.file_value(report, problem);
}

/// Reports entry points that answer requests with TLS alone, or without it alone.
fn entry_points(plan: &Plan, given: &Annotation, report: &mut Report) {
    let key = quoted(&given.key);
    let problem = if given.value.split(',').all(|name| PLAIN.contains(&name.trim())) {
        let message = [
            &key,
            " names only the entry point for requests without TLS, so https requests are not answered",
        ]
        .concat();
        Problem::new(Code::ProtectionWeakened, message)
            .help("remove the line, or name the entry point for https")
    } else if plain_entry_point(plan, plan.redirects(Target::Ingress)).is_none() {
        let message = [&key, " does not name `web`, so only requests with TLS are answered"].concat();
        Problem::new(Code::TargetInexpressible, message)
    } else {
        return;
    };
    given.file_value(report, problem);
}

/// Returns the annotation with a TLSOption, and what to do, if requests without TLS reach the Service without it. A router with
/// a TLSOption serves requests by TLS alone, unless an annotation turns TLS off; the additional Ingress for plain requests has
/// no TLSOption.
pub(crate) fn open_options(plan: &Plan) -> Option<(&Annotation, String)> {
    let options =
        plan.annotation(TLS_OPTIONS).filter(|_| plan.controller(Target::Ingress) == Controller::Traefik)?;
    let help = match refused_tls(plan) {
        Some(refused) => ["remove the line ", &refused.key].concat(),
        None if plan.tls().has_secret()
            && !plan.redirects(Target::Ingress)
            && plain_entry_point(plan, false).is_some() =>
        {
            "set config.xposer.stakater.com/HTTPSRedirect: \"true\"".to_owned()
        }
        None => return None,
    };
    Some((options, help))
}

/// Whether an annotation of ingress-nginx that the provider reads has another meaning there.
pub(crate) fn is_read_otherwise(plan: &Plan, target: Target, intent_value: &IntentValue) -> bool {
    target == Target::Ingress
        && plan.controller(target) == Controller::TraefikNginx
        && difference_from_nginx(plan, intent_value).is_some()
}

fn lost(
    context: &RuleContext<'_>,
    annotation: &Annotation,
    loss: Loss,
    message: String,
    help: &str,
    report: &mut Report,
) {
    let (code, said) = context.loss(loss, &annotation.key, message);
    annotation.file_value(report, Problem::new(code, said).help(help.to_owned()));
}
