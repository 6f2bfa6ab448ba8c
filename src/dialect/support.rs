//! Whether the controller that serves a target supports the intents of a plan.

use std::borrow::Cow;

use super::controller::Controller;
use super::dialects::dialect;
use super::{haproxy_ingress, nginx, protocol};
use crate::diagnostics::{Origin, joined};
use crate::intents::{Intent, IntentValue};
use crate::plan::{Place, Plan, RequestedIntent};
use crate::values::{Target, Termination};

/// Whether and how a program supports an intent of a plan.
///
/// ```
/// use xposer::internal::{Controller, Intent, ServedTarget, Support};
/// let nginx = ServedTarget::all().into_iter().find(|program| program.controller() == Controller::IngressNginx).unwrap();
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
        return unsupported(match plan.class_without_server() {
            Some(_) => "name the program in the setting controllers, or choose another class",
            None => "choose another class",
        });
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
        haproxy_ingress::support::tcp_port(plan)
            .map(|_| "remove it, because requests are not read at a tcp-service-port")
    }
}

/// Returns the option or the line by which the Service itself asks that no request is read; `None` if the settings ask for that, or
/// nobody does.
pub(crate) fn unread_because_of(plan: &Plan) -> Option<Place<'_>> {
    match plan.requested(Intent::TlsPassthrough).filter(|_| plan.passes_tls()) {
        Some(wanted) => matches!(wanted.origin, Origin::Annotation(_)).then(|| plan.place_of(wanted)),
        None => haproxy_ingress::support::tcp_port(plan).filter(|it| it.is_forwarded()).map(Place::Line),
    }
}

/// The help for an intent that needs a program that reads requests, if TLS passes through.
pub(crate) const NO_REQUEST_HELP: &str = "remove it, because requests are not read if TLS passes through";

/// The difference of a limit whose addresses HAProxy keeps in a table of the type `ip`, which has no IPv6 addresses.
pub(crate) const IPV4: &str = "does not limit clients with IPv6 addresses";
/// The same, of a limit with a burst.
pub(super) const IPV4_WITHOUT_BURST: &str =
    "admits no burst beyond the limit, and does not limit clients with IPv6 addresses";

/// The difference of a login whose headers a client can forge.
pub(super) const KEEPS_HEADERS: &str = "keeps a wanted header as the client sent it if the server answers without it, so that clients can forge it";

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

/// Returns that the program supports the intent, with these differences: at least one.
pub(super) fn partial_with(differences: &[&str]) -> Support {
    partial(joined(differences, ", and "))
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
mod tests;
