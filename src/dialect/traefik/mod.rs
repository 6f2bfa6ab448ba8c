//! The annotations of Traefik 3.7 and 1.7.

pub(super) mod nginx;
pub(crate) mod rules;
pub(crate) mod says;
#[cfg(test)]
mod tests;
pub(super) mod write;

use super::key::{Bad, Elsewhere, Holds, Idle, Names, Program, Shape, key};

/// The Middlewares through which a request goes, separated by commas.
const MIDDLEWARES: &str = "traefik.ingress.kubernetes.io/router.middlewares";
/// Whether TLS ends at Traefik. Without it, the TLS section of an Ingress gives a certificate and no more.
const TLS: &str = "traefik.ingress.kubernetes.io/router.tls";
/// The TLSOption of the hosts.
const TLS_OPTIONS: &str = "traefik.ingress.kubernetes.io/router.tls.options";
/// The entry points at which an Ingress is served.
const ENTRY_POINTS: &str = "traefik.ingress.kubernetes.io/router.entrypoints";
/// How paths of the type `ImplementationSpecific` are compared.
const PATH_MATCHER: &str = "traefik.ingress.kubernetes.io/router.pathmatcher";
/// Which of several Ingresses counts; without it, the one with the longest host and path together.
const PRIORITY: &str = "traefik.ingress.kubernetes.io/router.priority";
/// The beginning of all keys that are read on an Ingress.
pub(crate) const ROUTER: &str = "traefik.ingress.kubernetes.io/router.";
/// What is spoken with the Service: `http`, `https` or `h2c`.
const SERVERS_SCHEME: &str = "traefik.ingress.kubernetes.io/service.serversscheme";
/// The ServersTransport with the timeouts and the certificates of the connection to the Service.
const SERVERS_TRANSPORT: &str = "traefik.ingress.kubernetes.io/service.serverstransport";
/// Whether a cookie keeps a client with one pod.
const STICKY_COOKIE: &str = "traefik.ingress.kubernetes.io/service.sticky.cookie";

pub(super) static PROGRAM: Program = Program {
    // Its decoder compares them so (github.com/traefik/paerser, findTypedField).
    any_case: true,
    beside: &[ROUTER],
    elsewhere: Elsewhere::Uses(
        "Traefik uses, whoever it belongs to, unless its option crossProviderNamespaces is set",
    ),
    on_service: &["traefik.ingress.kubernetes.io/service."],
    // With any other key of a router, it passes over the whole Ingress.
    plain: "router.observability router.observability.traceverbosity router.rulesyntax router.tls.certresolver \
        router.tls.domains.*",
    // With a matcher that there is not, the rule is none.
    formed: &[(Shape::Words("Path PathPrefix PathRegexp"), Bad::Denied, "router.pathmatcher")],
    unread: "service.middlewares service.nativelb service.nodeportlb service.passhostheader service.serversscheme \
        service.serverstransport service.sticky.cookie service.sticky.cookie.domain service.sticky.cookie.httponly \
        service.sticky.cookie.maxage service.sticky.cookie.name service.sticky.cookie.path \
        service.sticky.cookie.samesite service.sticky.cookie.secure",
    ..Program::new(
        "Traefik 3.7",
        &["traefik.ingress.kubernetes.io/"],
        Names::All,
        &[
            key("auth-*").protects(),
            key("rate-limit").protects(),
            key("redirect-entry-point").redirects(),
            // Nobody knows what an entry point of another name protects; elsewhere, the class decides who reaches it.
            key("router.entrypoints").weakens().idle(Idle::Public),
            key("router.middlewares").holds(Holds::Joined).protects(),
            key("router.observability.accesslogs").shape(Shape::Boolean).bad(Bad::Refused),
            key("router.observability.metrics").shape(Shape::Boolean).bad(Bad::Refused),
            key("router.observability.tracing").shape(Shape::Boolean).bad(Bad::Refused),
            key("router.priority").shape(Shape::Integer).bad(Bad::Refused),
            // What is not true disables it.
            key("router.tls").shape(Shape::Words("true false")).bad(Bad::False),
            key("router.tls.options").holds(Holds::Joined).protects(),
            key("ssl-redirect").redirects().idle(Idle::False),
            key("whitelist-source-range").protects().idle(Idle::Everyone),
        ],
    )
};
