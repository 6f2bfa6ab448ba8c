//! The annotations of Traefik 3.7 and 1.7.

pub(in crate::dialect) mod nginx;
pub(crate) mod rules;
pub(crate) mod support;
#[cfg(test)]
mod tests;
pub(super) mod write;

use super::key::{
    CrossNamespace, Form, KnownNames, NeutralValue, OnInvalid, Program, Shape, TO_SERVICE, Text,
    ValueReference, key,
};

/// The annotation with the Middlewares that a request passes, separated by commas.
const MIDDLEWARES: &str = "traefik.ingress.kubernetes.io/router.middlewares";
/// The annotation that says whether TLS ends at Traefik. Without it, the TLS section of an Ingress only supplies a certificate.
const TLS: &str = "traefik.ingress.kubernetes.io/router.tls";
/// The annotation with the TLSOption of the hosts.
pub(crate) const TLS_OPTIONS: &str = "traefik.ingress.kubernetes.io/router.tls.options";
/// The annotation with the entry points that serve an Ingress.
pub(crate) const ENTRY_POINTS: &str = "traefik.ingress.kubernetes.io/router.entrypoints";
/// The annotation that says how paths of the type `ImplementationSpecific` are compared.
const PATH_MATCHER: &str = "traefik.ingress.kubernetes.io/router.pathmatcher";
/// The annotation with the priority of an Ingress. By default, the Ingress with the longest host and path together comes first.
const PRIORITY: &str = "traefik.ingress.kubernetes.io/router.priority";
/// The beginning of all keys that are read on an Ingress.
pub(crate) const ROUTER: &str = "traefik.ingress.kubernetes.io/router.";
/// The beginning of all keys that are read on a Service.
pub(crate) const SERVICE: &str = "traefik.ingress.kubernetes.io/service.";
/// The annotation of a Service with the protocol to it: `http`, `https` or `h2c`.
const SERVERS_SCHEME: &str = "traefik.ingress.kubernetes.io/service.serversscheme";
/// The annotation of a Service with the ServersTransport, which has the timeouts and the certificates of the connection to it.
const SERVERS_TRANSPORT: &str = "traefik.ingress.kubernetes.io/service.serverstransport";
/// The annotation of a Service that keeps a client with one pod by a cookie.
const STICKY_COOKIE: &str = "traefik.ingress.kubernetes.io/service.sticky.cookie";

/// The beginning of the keys with the names for which the resolver of Traefik requests a certificate.
const DOMAINS: &str = "traefik.ingress.kubernetes.io/router.tls.domains";

/// Whether an annotation of an Ingress makes Traefik request a certificate for hosts that it names.
pub(crate) fn names_hosts(key: &str) -> bool {
    key.get(..DOMAINS.len()).is_some_and(|start| start.eq_ignore_ascii_case(DOMAINS))
}

/// The annotations that give an Ingress another entry point, or precedence over others with the same host and path.
pub(super) const PRECEDENCE: [&str; 2] = [ENTRY_POINTS, PRIORITY];

/// The names of Middlewares. Without the name of a provider, Traefik looks for an object of its provider for Ingresses, which has
/// none, and does not serve the Ingress.
static MIDDLEWARE_NAMES: Text = Text {
    expected: "names with a provider, such as NAMESPACE-NAME@kubernetescrd",
    form: Form::Fits(|value| value.split(',').all(|name| name.trim().is_empty() || name.contains('@'))),
};

/// The name of a TLSOption, of which one needs no provider.
static OPTIONS_NAME: Text = Text {
    expected: "`default`, or a name with a provider, such as NAMESPACE-NAME@kubernetescrd",
    form: Form::Fits(|value| matches!(value.trim(), "" | "default") || value.contains('@')),
};

/// Returns a list of names in which each one has a provider.
pub(super) fn with_provider(value: &str) -> String {
    let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
    let full = names
        .map(|name| if name.contains('@') { name.to_owned() } else { [name, "@kubernetescrd"].concat() });
    full.collect::<Vec<_>>().join(",")
}

pub(super) static PROGRAM: Program = Program {
    // Traefik's decoder ignores the letter case (github.com/traefik/paerser, findTypedField).
    any_case: true,
    ingress_prefixes: &[ROUTER],
    cross_namespace: CrossNamespace::Uses(
        "Traefik uses without checking its owner, unless its option crossProviderNamespaces is set",
    ),
    service_prefixes: &[SERVICE],
    // With an unknown key of a router, Traefik ignores the whole Ingress.
    names_only: "router.observability router.observability.traceverbosity router.rulesyntax router.tls.certresolver \
        router.tls.domains.*",
    // With an unknown matcher, the rule is not valid.
    keys_by_form: &[
        (Shape::Words("Path PathPrefix PathRegexp"), OnInvalid::Denied, "router.pathmatcher"),
        // With a value of another type on the Service, Traefik serves no path of the Service.
        (
            Shape::Boolean,
            OnInvalid::Refused,
            "service.nativelb service.nodeportlb service.passhostheader service.sticky.cookie.httponly \
                service.sticky.cookie.secure",
        ),
        (Shape::Integer, OnInvalid::Refused, "service.sticky.cookie.maxage"),
        (Shape::Words("http https h2c"), OnInvalid::Denied, "service.serversscheme"),
        (Shape::Words("none lax strict"), OnInvalid::Ignored, "service.sticky.cookie.samesite"),
        // Any value other than true turns the cookie off.
        (Shape::Words("true false"), OnInvalid::False, "service.sticky service.sticky.cookie"),
    ],
    elsewhere: &[(
        TO_SERVICE,
        "service.middlewares service.nativelb service.nodeportlb service.passhostheader service.serversscheme \
            service.serverstransport service.sticky service.sticky.cookie service.sticky.cookie.domain \
            service.sticky.cookie.httponly service.sticky.cookie.maxage service.sticky.cookie.name \
            service.sticky.cookie.path service.sticky.cookie.samesite service.sticky.cookie.secure",
    )],
    ..Program::new(
        "Traefik 3.7",
        &["traefik.ingress.kubernetes.io/"],
        KnownNames::All,
        &[
            key("auth-*").protects(),
            key("rate-limit").protects(),
            key("redirect-entry-point").redirects(),
            // It is not known what an entry point of another name protects. With other controllers, the class decides who can
            // reach the Service.
            key("router.entrypoints").hardens().neutral(NeutralValue::PublicEntryPoints),
            key("router.middlewares")
                .text(&MIDDLEWARE_NAMES)
                .on_invalid(OnInvalid::Denied)
                .references(ValueReference::NamespaceAndName)
                .protects(),
            key("router.observability.accesslogs").shape(Shape::Boolean).on_invalid(OnInvalid::Refused),
            key("router.observability.metrics").shape(Shape::Boolean).on_invalid(OnInvalid::Refused),
            key("router.observability.tracing").shape(Shape::Boolean).on_invalid(OnInvalid::Refused),
            key("router.priority").shape(Shape::Integer).on_invalid(OnInvalid::Refused),
            // Any value other than true turns TLS off.
            key("router.tls").shape(Shape::Words("true false")).on_invalid(OnInvalid::False),
            key("router.tls.options")
                .text(&OPTIONS_NAME)
                .on_invalid(OnInvalid::Refused)
                .references(ValueReference::NamespaceAndName)
                .protects(),
            key("ssl-redirect").redirects().neutral(NeutralValue::False),
            key("whitelist-source-range").protects().neutral(NeutralValue::AllAddresses),
        ],
    )
};
