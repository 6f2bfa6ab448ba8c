//! Whether the controller that serves a target supports the intents of a plan.

use std::borrow::Cow;

use super::controller::Controller;
use super::dialects::dialect;
use super::{haproxy_ingress, nginx, protocol};
use crate::intents::{Intent, IntentValue};
use crate::plan::{Plan, RequestedIntent};
use crate::values::{Target, Termination};

/// Whether and how a program supports an intent of a plan.
///
/// ```
/// use xposer::internal::{Controller, Intent, Program, Support};
/// let nginx = Program::all().into_iter().find(|program| program.controller() == Controller::IngressNginx).unwrap();
/// assert_eq!(nginx.intent_support(Intent::AllowedSources).support, Support::Full);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Support {
    /// The program supports it.
    Full,
    /// The program supports it, with this difference: a part of a sentence that begins with a verb.
    Partial(Cow<'static, str>),
    /// The program does not support it. The text is a help that says what to do instead.
    Unsupported(Cow<'static, str>),
}

impl Support {
    /// Whether the program supports it, perhaps with a difference.
    pub(crate) fn is_supported(&self) -> bool {
        !matches!(self, Self::Unsupported(_))
    }
}

/// Returns how the controller of a target supports an intent of a plan. A canary and the redirect to https have no value here.
pub(crate) fn support(
    plan: &Plan,
    target: Target,
    intent: Intent,
    intent_value: Option<&IntentValue>,
) -> Support {
    // Only the Service reads what TLS passes through.
    if intent == Intent::BackendProtocol && target == Target::Ingress && plan.passes_tls() {
        return Support::Full;
    }
    if let Some(support) = intent_value
        .filter(|_| intent == Intent::BackendProtocol)
        .and_then(|it| protocol::support(plan, target, it))
    {
        return support;
    }
    // ingress-nginx decides for each path whether it rewrites; the other controllers decide for the whole Ingress.
    if let (Intent::RewritePath, Target::Ingress, Some(IntentValue::Path(path))) =
        (intent, target, intent_value)
        && !plan.controller(target).is_nginx()
        && plan.is_rewritten_as_given()
        && plan.rules.iter().any(|route| nginx::paths::is_unchanged(plan, route, path))
    {
        return unsupported(format!("expose {path}, which stays as it is, by a Service of its own"));
    }
    let Some(dialect) = dialect(target, plan.controller(target)) else {
        return unsupported("name the program in the setting controllers, or choose another class");
    };
    if let Some(help) = passthrough_help(plan, target, intent) {
        return unsupported(help);
    }
    if intent == Intent::RequestHeaders
        && let Some(help) = lost_rewrite_help(plan, target)
    {
        return unsupported(help);
    }
    let support = (dialect.support)(plan, intent, intent_value);
    if let Some(IntentValue::ExternalAuth(auth)) = intent_value
        && let Some(host) = auth.short_host().filter(|_| plan.controller(target) != Controller::EnvoyGateway)
    {
        let namespace = plan.namespace().unwrap_or("namespace");
        let short = format!(
            "does not find `{host}` in the namespace of the Service, as it finds {host}.{namespace}.svc"
        );
        return match support {
            Support::Full => partial(short),
            Support::Partial(other) => partial(format!("{other}, and {short}")),
            Support::Unsupported(_) => support,
        };
    }
    // A program finds the Service by the host alone, before it can read a path.
    let has_path = || plan.rules.iter().any(|route| route.path != "/");
    if intent == Intent::TlsPassthrough
        && target == Target::Ingress
        && plan.passes_tls()
        && plan.canary.is_none()
        && support.is_supported()
        && has_path()
    {
        return unsupported("expose the path `/` alone");
    }
    support
}

/// Returns the help for a rewrite that is lost, if a line of ingress-nginx asks for a header. ingress-nginx sends this header, which
/// tells the Service the removed prefix, only with a rewrite.
fn lost_rewrite_help(plan: &Plan, target: Target) -> Option<Cow<'static, str>> {
    plan.requested(Intent::RequestHeaders)?.keys.first()?;
    let is_rewrite = |it: &&RequestedIntent| matches!(it.intent, Intent::StripPrefix | Intent::RewritePath);
    let rewrite = plan.intents.iter().find(is_rewrite)?;
    match support(plan, target, rewrite.intent, Some(&rewrite.intent_value)) {
        Support::Unsupported(help) => Some(help),
        Support::Full | Support::Partial(_) => None,
    }
}

/// Whether the controller of at least one target of a plan supports an intent.
pub(crate) fn is_supported(plan: &Plan, wanted: &RequestedIntent) -> bool {
    let support = |target| support(plan, target, wanted.intent, Some(&wanted.intent_value));
    plan.targets.iter().any(|target| support(*target).is_supported())
}

/// Returns the help for an intent that has no effect on an Ingress because the program reads no request; `None` if it has an
/// effect.
///
/// For the host of a TLS passthrough, ingress-nginx, and Traefik in its place, do nothing but pass TLS through. HAProxy compares
/// addresses and applies timeouts without reading requests, and HAProxy Ingress counts connections.
pub(crate) fn passthrough_help(plan: &Plan, target: Target, intent: Intent) -> Option<&'static str> {
    let help = no_request(plan, target)?;
    let controller = plan.controller(target);
    let is_nginx = controller.is_nginx();
    match intent {
        Intent::AllowedSources | Intent::DeniedSources if is_nginx => {
            Some("remove it, because addresses are not checked if TLS passes through")
        }
        Intent::ConnectTimeout | Intent::IdleTimeout | Intent::Timeout if is_nginx => Some(help),
        Intent::RateLimit if controller == Controller::HaproxyIngress => None,
        // At a port of its own, it asks for the certificate.
        Intent::ClientCertificate if !plan.passes_tls() => None,
        _ => reads_requests(intent).then_some(help),
    }
}

/// Returns the help for an intent that needs a program that reads requests, if the program of an Ingress reads none; `None` if it
/// reads them.
pub(crate) fn no_request(plan: &Plan, target: Target) -> Option<&'static str> {
    if target != Target::Ingress || plan.canary.is_some() {
        None
    } else if plan.passes_tls() {
        Some(NO_REQUEST_HELP)
    } else {
        haproxy_ingress::support::is_tcp(plan)
            .then_some("remove it, because requests are not read at a tcp-service-port")
    }
}

/// The help for an intent that needs a program that reads requests, if TLS passes through.
pub(crate) const NO_REQUEST_HELP: &str = "remove it, because requests are not read if TLS passes through";

/// The difference of a limit whose addresses HAProxy keeps in a table of the type `ip`, which has no IPv6 addresses.
pub(crate) const IPV4: &str = "does not limit clients with IPv6 addresses";
/// The same, of a limit with a burst.
pub(super) const IPV4_WITHOUT_BURST: &str =
    "admits no burst beyond the limit, and does not limit clients with IPv6 addresses";

/// Whether an intent needs a program that reads requests, and TLS passes through the program of a target, or it serves TCP.
pub(crate) fn is_unread(plan: &Plan, target: Target, intent: Intent) -> bool {
    let passes = || target == Target::Route && plan.termination() == Termination::Passthrough;
    reads_requests(intent) && (passes() || no_request(plan, target).is_some())
}

/// The help for the redirect to https if a load balancer in front of the program terminates TLS. The program would redirect
/// every request again, because the load balancer connects to it without TLS.
pub(crate) const BY_LOAD_BALANCER: &str =
    "let the load balancer send requests to https, and write HTTPSRedirect: \"false\"";

/// Whether an intent needs a program that reads requests.
fn reads_requests(intent: Intent) -> bool {
    match intent {
        Intent::StripPrefix
        | Intent::RewritePath
        | Intent::BasicAuth
        | Intent::ExternalAuth
        | Intent::MaxBodySize
        | Intent::Cors
        | Intent::RequestHeaders
        | Intent::ResponseHeaders
        | Intent::StickySession
        | Intent::RateLimit
        | Intent::ClientCertificate => true,
        Intent::HttpsRedirect
        | Intent::HttpsRedirectCode
        | Intent::Canary
        | Intent::AllowedSources
        | Intent::DeniedSources
        | Intent::ConnectTimeout
        | Intent::IdleTimeout
        | Intent::Timeout
        | Intent::BackendProtocol
        | Intent::RedirectFrom
        | Intent::TlsPassthrough => false,
    }
}

/// Returns that the program does not support the intent, with a help.
pub(super) fn unsupported(help: impl Into<Cow<'static, str>>) -> Support {
    Support::Unsupported(help.into())
}

/// Returns that the program supports the intent, with a difference.
pub(super) fn partial(difference: impl Into<Cow<'static, str>>) -> Support {
    Support::Partial(difference.into())
}

/// Returns what a program lacks for a duration if it has only whole seconds and takes 0 for no time at all, not for an
/// unlimited time; `None` if it can express the duration.
pub(super) fn whole_seconds(milliseconds: u64) -> Option<Support> {
    match milliseconds {
        0 => Some(unsupported("write a long time, such as 24h")),
        ms if ms % 1000 != 0 => Some(unsupported("write whole seconds")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnostics::{Origin, Sourced};
    use crate::dialect::mappings::{is_annotation_of, mappings};
    use crate::dialect::write::by_controller;
    use crate::plan::RequestedIntent;
    use crate::testing;
    use crate::{Code, Service, Settings};

    /// The programs whose annotations are tested here, with the value of the option `TLS` with which each supports the most.
    const PROGRAMS: [(Controller, &str); 8] = [
        (Controller::IngressNginx, "true"),
        (Controller::Contour, "true"),
        (Controller::Haproxy, "true"),
        (Controller::HaproxyIngress, "true"),
        (Controller::F5Nginx, "true"),
        (Controller::Alb, "load-balancer"),
        (Controller::Gce, "true"),
        (Controller::Openshift, "true"),
    ];

    /// Returns example values of each intent.
    fn samples(intent: Intent) -> &'static [&'static str] {
        match intent {
            // These intents have no value here.
            Intent::HttpsRedirect | Intent::Canary => &[],
            Intent::HttpsRedirectCode => &["301", "302", "303", "307", "308"],
            Intent::StripPrefix | Intent::TlsPassthrough => &["true"],
            Intent::RewritePath => &["/new", "/$2"],
            Intent::AllowedSources | Intent::DeniedSources => &["10.0.0.0/8, 2001:db8::/32"],
            Intent::BasicAuth => &["users", "secret: users\nrealm: Staff only"],
            Intent::ExternalAuth => &[
                "https://auth.example.com/verify",
                "url: http://auth.example.com/(verify)",
                "url: http://auth.example.com/verify\nsignIn: https://auth.example.com/in\nresponseHeaders: X-User",
            ],
            Intent::ConnectTimeout | Intent::IdleTimeout | Intent::Timeout => &["30s", "500ms", "0s"],
            Intent::MaxBodySize => &["10Mi", "1000", "0"],
            Intent::Cors => &[
                "*",
                "origins: https://a.example.com, https://*.example.com\nmethods: GET, PUT\nheaders: X-A\ncredentials: true\nmaxAge: 1h",
                "origins: https://a.example.com\nmethods: '*'\nheaders: '*'\nexposeHeaders: X-B",
            ],
            Intent::RequestHeaders => &["X-A: b", "X-A: b$c", "X-Gone:"],
            Intent::ResponseHeaders => {
                &["X-A: b", "Strict-Transport-Security: max-age=60; preload", "X-Gone:"]
            }
            Intent::BackendProtocol => &["h2c", "https", "grpc", "grpcs"],
            Intent::StickySession => &["route", "cookie: route\nmaxAge: 1h", "ro|ute"],
            Intent::RedirectFrom => &["www", "old.example.com", "www, old.example.com"],
            Intent::RateLimit => &["10/s", "60/m", "1/h", "limit: 10/s\nburst: 20", "limit: 10/s\nburst: 25"],
            Intent::ClientCertificate => &["ca", "secret: ca\nverify: optional"],
        }
    }

    fn plan(program: Controller, tls: &str, path: &str) -> (Plan, Target) {
        let target = if program == Controller::Openshift { Target::Route } else { Target::Ingress };
        let annotations = [
            ("IngressClassName", "own"),
            ("TLS", tls),
            ("IngressURLPath", path),
            ("Target", target.as_str()),
        ];
        let settings = json!({"domain": "example.com", "controllers": {"own": program.as_str()}});
        match testing::plan(&annotations, settings) {
            Ok(plan) => (plan, target),
            Err(report) => panic!("{program}: {report}"),
        }
    }

    /// Returns the objects of a plan as text.
    fn objects(plan: &Plan) -> Vec<String> {
        plan.emit().objects.iter().map(crate::emit::Object::to_json).collect()
    }

    #[test]
    fn supported_intents_are_written() {
        for (program, tls) in PROGRAMS {
            for intent in Intent::ALL {
                let path = if intent == Intent::TlsPassthrough { "/" } else { "/shop" };
                let (plain, target) = plan(program, tls, path);
                let (mut can, mut writes) = (false, false);
                for text in samples(intent) {
                    let intent_value = intent.read(text).unwrap_or_else(|_| panic!("{intent}: {text}"));
                    let wanted = RequestedIntent {
                        intent,
                        intent_value: intent_value.clone(),
                        origin: Origin::BuiltIn,
                        keys: Vec::new(),
                        repeated_by: Vec::new(),
                    };
                    let plan = Plan { intents: vec![wanted], ..plain.clone() };
                    let is_written = objects(&plan) != objects(&plain);
                    let support = support(&plan, target, intent, Some(&intent_value));
                    let unsupported = !support.is_supported();
                    assert!(!(unsupported && is_written), "{program} writes {intent}: {text}, and lacks it");
                    can |= !unsupported;
                    writes |= is_written;
                    for written in by_controller(&plan, target) {
                        let Some(option) = plan.intents.iter().find(|it| it.origin == written.origin) else {
                            continue;
                        };
                        let is_annotation_of = is_annotation_of(&plan, target, option, written.key);
                        assert!(is_annotation_of, "{program}, {intent}: {} stands in no row", written.key);
                    }
                }
                let row = mappings(target, program).into_iter().find(|row| row.intent == intent);
                if samples(intent).is_empty() {
                    continue;
                }
                assert_eq!(row.is_some(), can, "{program}, {intent}: its words and what it says");
                let is_silent = row.is_some_and(|row| row.annotations.ends_with("(always, no annotation)"));
                assert_eq!(writes, can && !is_silent, "{program}, {intent}: what it writes and what it says");
            }
        }
    }

    /// The annotations of ingress-nginx for the intents: one item per intent.
    const LINES: [&[(&str, &str)]; 13] = [
        &[("rewrite-target", "/$2")],
        &[("whitelist-source-range", "10.0.0.0/8, 192.0.2.0/24")],
        &[("denylist-source-range", "10.0.0.0/8")],
        &[("auth-type", "basic"), ("auth-secret", "users"), ("auth-realm", "Staff")],
        &[("auth-url", "http://auth.example.com/verify"), ("auth-response-headers", "X-User")],
        &[("proxy-connect-timeout", "5")],
        &[("proxy-read-timeout", "60"), ("proxy-send-timeout", "60")],
        &[("proxy-body-size", "10m")],
        &[
            ("enable-cors", "true"),
            ("cors-allow-origin", "https://a.example.com"),
            ("cors-allow-methods", "GET, PUT"),
            ("cors-max-age", "600"),
        ],
        &[("backend-protocol", "GRPCS")],
        &[("affinity", "cookie"), ("session-cookie-name", "route")],
        &[("limit-rps", "10")],
        &[("auth-tls-secret", "shop/ca")],
    ];

    /// One intent as annotations of ingress-nginx and as annotations of the program of the class. The value that the program
    /// would get anyway is accepted; any other value is a conflict.
    #[test]
    fn equal_values_are_accepted_and_different_values_conflict() {
        let mut tried = std::collections::BTreeMap::new();
        for (program, tls) in PROGRAMS {
            let target = if program == Controller::Openshift { Target::Route } else { Target::Ingress };
            for lines in LINES {
                let path = if lines.iter().any(|(name, _)| *name == "rewrite-target") {
                    "/shop(/|$)(.*)"
                } else {
                    "/"
                };
                let said: Vec<String> = lines
                    .iter()
                    .map(|(name, value)| format!("nginx.ingress.kubernetes.io/{name}: {value}"))
                    .collect();
                let with = |more: Option<String>| {
                    let block: Vec<String> = said.iter().cloned().chain(more).collect();
                    let block = block.join("\n");
                    let annotations = [
                        ("IngressClassName", "own"),
                        ("TLS", tls),
                        ("IngressURLPath", path),
                        ("Target", target.as_str()),
                        (crate::service::FORWARD_ANNOTATION, block.as_str()),
                    ];
                    let settings = json!({"domain": "example.com", "controllers": {"own": program.as_str()}});
                    let settings = Settings::from_value(&settings).unwrap_or_default();
                    crate::expose(&Service::from_value(&testing::service(&annotations)), &settings)
                };
                // An intent that the program does not support is refused.
                let outcome = with(None);
                let Some(plan) = outcome.plan() else { continue };
                let options: Vec<RequestedIntent> = plan.intents.clone();
                for written in by_controller(plan, target) {
                    let name = written.key.rsplit('/').next().unwrap_or_default();
                    if !options.iter().any(|it| is_annotation_of(plan, target, it, written.key)) {
                        continue;
                    }
                    let is_conflict = |value: &str| {
                        let outcome = with(Some(format!("{}: {value}", written.key)));
                        // An invalid value has a diagnostic of its own.
                        let codes = [Code::IntentConflict, Code::AnnotationInvalid, Code::AnnotationIgnored];
                        let found = outcome.report().map_or(&[][..], |report| report.diagnostics());
                        found.iter().any(|it| codes.contains(&it.code))
                    };
                    assert!(!is_conflict(&written.value), "{program}: {}: {}", written.key, written.value);
                    // Another annotation may add what the annotations of ingress-nginx leave open. If attributes are given, an
                    // ALB cannot get a cookie in addition, which is reported.
                    let is_default = |it: &&str| !lines.iter().any(|(name, _)| name == it);
                    let is_unsaid = name.starts_with("cors-") && name != "cors-enable" && is_default(&name)
                        || matches!(
                            name,
                            "limit-req-burst" | "limit-req-no-delay" | "target-group-attributes"
                        );
                    if !is_unsaid {
                        let other = written.value.replace("route", "other").replace("true", "false");
                        assert!(is_conflict(&["x", &other].concat()), "{program}: {}", written.key);
                        *tried.entry(program).or_insert(0) += 1;
                    }
                }
            }
        }
        for (program, least) in [
            (Controller::Haproxy, 9),
            (Controller::HaproxyIngress, 12),
            (Controller::F5Nginx, 9),
            (Controller::Alb, 3),
            (Controller::Openshift, 4),
        ] {
            assert!(tried.get(&program).is_some_and(|count| *count >= least), "{program}: {tried:?}");
        }
    }

    #[test]
    fn https_redirect_is_written_if_supported() {
        for (program, tls) in PROGRAMS {
            let (plain, target) = plan(program, tls, "/");
            let with = |redirect| Plan {
                https_redirect: Some(Sourced::new(redirect, Origin::BuiltIn)),
                ..plain.clone()
            };
            let can = support(&with(true), target, Intent::HttpsRedirect, None).is_supported();
            assert_eq!(objects(&with(true)) != objects(&with(false)), can, "{program}");
            assert!(
                mappings(target, program).iter().any(|row| row.intent == Intent::HttpsRedirect) && can,
                "{program}"
            );
        }
    }

    /// An Info says that a line is translated only if something is written for it.
    #[test]
    fn translated_info_only_if_something_is_written() {
        let lines = [
            "force-ssl-redirect: \"true\"",
            "ssl-redirect: \"true\"",
            "whitelist-source-range: 10.0.0.0/8",
            "denylist-source-range: 10.0.0.0/8",
            "auth-url: https://auth.example.com/",
            "proxy-body-size: 1m",
            "limit-rps: \"10\"",
            "enable-cors: \"true\"",
            "rewrite-target: /new",
            "proxy-connect-timeout: \"5\"",
            "proxy-read-timeout: \"90\"",
            "affinity: cookie",
            "from-to-www-redirect: \"true\"",
            "backend-protocol: GRPC",
        ];
        let programs = PROGRAMS.iter().map(|(program, _)| *program).chain([Controller::Traefik]);
        let programs = programs.filter(|it| !matches!(it, Controller::IngressNginx | Controller::Openshift));
        let mut told = 0;
        for program in programs {
            for (tls, line) in
                ["false", "true", "load-balancer"].into_iter().flat_map(|it| lines.map(|line| (it, line)))
            {
                let settings = json!({"controllers": {"own": program.as_str()}, "ingressClassName": "own"});
                let block = format!("nginx.ingress.kubernetes.io/{line}\n");
                let options = [("TLS", tls), ("xposer.stakater.com/annotations", block.as_str())];
                // With TLS, the program redirects without an annotation, so the plan for comparison turns the redirect off.
                let mut other = options[..1].to_vec();
                if line.contains("ssl-redirect") && tls != "false" {
                    other.push(("HTTPSRedirect", "false"));
                }
                let (Ok(with), Ok(without)) =
                    (testing::plan(&options, settings.clone()), testing::plan(&other, settings))
                else {
                    continue;
                };
                let emitted = with.emit();
                let mut found = emitted.report.diagnostics().iter();
                if found.any(|it| it.code.slug() == "intent-translated") {
                    told += 1;
                    assert_ne!(objects(&with), objects(&without), "{program}, TLS {tls}: {line}");
                }
            }
        }
        assert!(told > 20, "{told}");
    }
}
