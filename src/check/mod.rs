//! The rules that a plan has to pass.
//!
//! Every rule files what it finds and never stops another one. The sources are the validators of the Kubernetes API
//! server, version 1.36, and the RFCs that they do not enforce.

pub(crate) mod annotations;
mod canary;
pub(crate) mod folded;
mod host;
mod loss;
pub(crate) mod misspelt;
pub(crate) mod object;
mod route;
mod targets;
mod tls;

use crate::diagnostics::{Code, Report};
use crate::dialect::nginx::rules::{self as nginx, rewrite, traps};
use crate::dialect::{cert_manager, external_dns, forecastle};
use crate::options::{Forwarded, Layers, Settings};
use crate::plan::Plan;
use crate::plan::context::RuleContext;
use crate::service::Service;
pub(crate) use loss::{fulfils, has_finding, redirects_against};

/// A row of the table of rules.
///
/// ```
/// use xposer::internal::rules;
/// use xposer::Code;
/// let rule = rules().iter().find(|rule| rule.codes.contains(&Code::HostLabelTooLong));
/// assert!(rule.is_some_and(|rule| rule.name == "host" && rule.source.contains("RFC 1035")));
/// ```
#[derive(Debug)]
pub struct Rule {
    /// The rule's name, in kebab case.
    pub name: &'static str,
    /// The codes it files.
    pub codes: &'static [Code],
    /// Where the rule comes from: a validation function of Kubernetes, an RFC or a page of documentation.
    pub source: &'static str,
    run: fn(&RuleContext<'_>, &mut Report),
}

/// Every rule, in the order in which they are asked.
///
/// ```
/// assert!(xposer::internal::rules().iter().any(|rule| rule.name == "host"));
/// ```
#[must_use]
pub fn rules() -> &'static [Rule] {
    RULES
}

/// Asks every rule about a plan.
pub(crate) fn check(
    service: &Service<'_>,
    settings: &Settings,
    layers: Layers<'_>,
    forwarded: &Forwarded<'_>,
    plan: &Plan,
    report: &mut Report,
) {
    let context = RuleContext { service, settings, layers, forwarded, plan };
    for rule in RULES {
        (rule.run)(&context, report);
    }
}

static RULES: &[Rule] = &[
    Rule {
        name: "service",
        codes: &[Code::ServiceNameInvalid, Code::NamespaceInvalid],
        source: "Kubernetes, validation.go, validateIngressBackend with RelaxedServiceNameValidation; ValidateNamespaceName",
        run: object::service,
    },
    Rule {
        name: "service-type",
        codes: &[Code::ServiceExternalName, Code::ServiceHeadless],
        source: "Kubernetes, Services: headless and ExternalName; Gateway API, BackendRef",
        run: object::service_type,
    },
    Rule {
        name: "port",
        codes: &[Code::PortNone, Code::PortUnknown, Code::PortNotTcp],
        source: "Kubernetes, validation.go, validateIngressBackend",
        run: object::port,
    },
    Rule {
        name: "ingress-name",
        codes: &[Code::IngressNameInvalid],
        source: "Kubernetes, validation.go, ValidateIngressName",
        run: object::ingress_name,
    },
    Rule {
        name: "host",
        codes: &[
            Code::HostMissing,
            Code::HostScheme,
            Code::HostPort,
            Code::HostIp,
            Code::HostTrailingDot,
            Code::HostUppercase,
            Code::HostCharacter,
            Code::HostEmptyLabel,
            Code::HostHyphen,
            Code::HostWildcard,
            Code::HostLabelTooLong,
            Code::HostTooLong,
        ],
        source: "Kubernetes, validation.go, validateIngressRules; RFC 1035, 2.3.4 for the lengths",
        run: host::host,
    },
    Rule {
        name: "ownership",
        codes: &[Code::HostNotOwned],
        source: "the setting namespaces",
        run: host::ownership,
    },
    Rule {
        name: "common-name",
        codes: &[Code::HostCommonName],
        source: "RFC 5280, ub-common-name",
        run: host::common_name,
    },
    Rule {
        name: "path",
        codes: &[Code::PathInvalid, Code::PathBlank, Code::PathQuery, Code::PathStrict, Code::PathRegex],
        source: "Kubernetes, validation.go, validateHTTPIngressPath; RFC 3986, 3.3; ingress-nginx, strict-validate-path-type",
        run: route::path,
    },
    Rule {
        name: "path-literal",
        codes: &[Code::PathLiteral],
        source: "ingress-nginx 1.15, use-regex",
        run: rewrite::literal,
    },
    Rule {
        name: "rewrite-target",
        codes: &[Code::RewriteMismatch],
        source: "ingress-nginx 0.22, rewrite-target (#3174); its lint since then",
        run: rewrite::rewrite_target,
    },
    Rule {
        name: "host-regular-expression",
        codes: &[Code::HostRegex],
        source: "ingress-nginx 1.15, template.go, enforceRegexModifier",
        run: rewrite::among_patterns,
    },
    Rule {
        name: "tls-secret",
        codes: &[Code::TlsSecretInvalid],
        source: "Kubernetes, validation.go, validateIngressTLS",
        run: object::tls_secret,
    },
    Rule {
        name: "issuer",
        codes: &[
            Code::IssuerInvalid,
            Code::IssuerConflict,
            Code::IssuerMissing,
            Code::IssuerWithoutTls,
            Code::IssuerWildcard,
            Code::HostCommonName,
        ],
        source: "cert-manager 1.21, certificate-shim; RFC 8555, 8.4: wildcards need a DNS challenge",
        run: cert_manager::rules::issuer,
    },
    Rule {
        name: "cert-manager",
        codes: &[Code::CertManagerInvalid, Code::CertManagerIgnored, Code::EditInPlace],
        source: "cert-manager 1.21, certificate-shim, translateAnnotations and issuerForIngressLike; its webhook, ValidateCertificateSpec",
        run: cert_manager::rules::values,
    },
    Rule {
        name: "https-redirect",
        codes: &[Code::RedirectWithoutTls],
        source: "ingress-nginx 1.15, ssl-redirect; Gateway API 1.6, HTTPRequestRedirectFilter",
        run: tls::https_redirect,
    },
    Rule {
        name: "redirect-conflict",
        codes: &[Code::RedirectConflict],
        source: "ingress-nginx 1.15, ssl-redirect and force-ssl-redirect",
        run: nginx::redirect_conflict,
    },
    Rule {
        name: "certificates",
        codes: &[Code::CertificateMissing],
        source: "RFC 6125, 6.4.3; AWS Load Balancer Controller, certificate discovery",
        run: tls::certificates,
    },
    Rule {
        name: "class",
        codes: &[Code::ClassInvalid],
        source: "Kubernetes, validation.go, ValidateIngressSpec",
        run: object::class,
    },
    Rule {
        name: "malformed-lines",
        codes: &[Code::ForwardMalformed, Code::ForwardMalformedProtection],
        source: "Xposer 0.0.20, one `key: value` a line",
        run: folded::malformed,
    },
    Rule {
        name: "folded-block",
        codes: &[Code::FoldedBlock, Code::FoldedBlockRefused],
        source: "YAML 1.2, 8.1.3: folded style; Xposer 0.0.20, one `key: value` a line",
        run: folded::folded,
    },
    Rule {
        name: "forwarded-keys",
        codes: &[Code::ForwardKeyInvalid, Code::AnnotationsTooLarge],
        source: "Kubernetes, objectmeta.go, ValidateAnnotations and ValidateAnnotationsSize",
        run: object::forwarded_keys,
    },
    Rule {
        name: "denied-annotations",
        codes: &[Code::AnnotationDenied],
        source: "ingress-nginx 1.15, annotation risks: Critical; the setting annotations",
        run: annotations::denied,
    },
    Rule {
        name: "foreign-keys",
        codes: &[Code::ForeignKeyUnknown],
        source: "ingress-nginx 1.15, annotations; AWS Load Balancer Controller 3.5, annotations; cert-manager 1.21, certificate-shim; ExternalDNS 0.22, annotations; Forecastle 2, annotations",
        run: misspelt::keys,
    },
    Rule {
        name: "protection",
        codes: &[Code::ProtectionLost, Code::ProtectionLossAccepted, Code::ProtectionWeakened],
        source: "Gateway API 1.6, HTTPRouteSpec; OpenShift, route.openshift.io/v1 RouteSpec and the annotations of its router",
        run: loss::lost,
    },
    Rule {
        name: "nginx-values",
        codes: &[Code::AnnotationInvalid],
        source: "ingress-nginx 1.15, annotation validators",
        run: nginx::values,
    },
    Rule {
        name: "nginx-canary",
        codes: &[Code::AnnotationInvalid],
        source: "ingress-nginx 1.15, canary annotations",
        run: nginx::canary,
    },
    Rule {
        name: "nginx-canary-unnamed",
        codes: &[Code::CanaryUnnamed],
        source: "ingress-nginx 1.15, canary annotations",
        run: nginx::canary_unnamed,
    },
    Rule {
        name: "nginx-canary-annotations",
        codes: &[Code::CanaryAnnotationIgnored, Code::TargetInexpressible],
        source: "ingress-nginx 1.15, canary annotations",
        run: loss::canary,
    },
    Rule {
        name: "nginx-authentication",
        codes: &[Code::AuthenticationOff],
        source: "ingress-nginx 1.15, internal/ingress/annotations/authreq and authreqglobal",
        run: traps::authentication,
    },
    Rule {
        name: "nginx-alone",
        codes: &[Code::AuthenticationOff, Code::AnnotationAlone],
        source: "ingress-nginx 1.15, internal/ingress/annotations and its template",
        run: traps::alone,
    },
    Rule {
        name: "nginx-aliases",
        codes: &[Code::AnnotationAlias],
        source: "ingress-nginx 1.15, internal/ingress/annotations/parser, aliases",
        run: traps::aliases,
    },
    Rule {
        name: "nginx-passwords",
        codes: &[Code::AuthenticationDenies],
        source: "ingress-nginx 1.15, internal/ingress/annotations/auth",
        run: traps::passwords,
    },
    Rule {
        name: "beside-block",
        codes: &[Code::AnnotationBeside],
        source: "ingress-nginx 1.15, Traefik 3.7, NGINX Ingress Controller 5.5 and cert-manager 1.21: annotations of an Ingress",
        run: annotations::beside,
    },
    Rule {
        name: "nginx-origins",
        codes: &[Code::CorsOriginInvalid],
        source: "ingress-nginx 1.15, internal/ingress/annotations/cors",
        run: traps::origins,
    },
    Rule {
        name: "forecastle",
        codes: &[Code::ForecastleInvalid, Code::ForecastleWildcard],
        source: "Forecastle 2, annotations and wrappers",
        run: forecastle::rules::values,
    },
    Rule {
        name: "external-dns",
        codes: &[Code::DnsInvalid, Code::DnsUnread],
        source: "ExternalDNS 0.22, source/annotations and source/ingress.go; RFC 1035, 2.3.4",
        run: external_dns::rules::values,
    },
    Rule {
        name: "external-dns-twice",
        codes: &[Code::DnsTwice],
        source: "ExternalDNS 0.22, sources service and ingress",
        run: external_dns::rules::twice,
    },
    Rule {
        name: "canary",
        codes: &[Code::CanaryInvalid, Code::CanaryIncomplete],
        source: "ingress-nginx 1.15, canary annotations",
        run: canary::canary,
    },
    Rule {
        name: "monitor",
        codes: &[Code::MonitorWildcard, Code::MonitorProviders],
        source: "IngressMonitorController 2, EndpointMonitorSpec",
        run: targets::monitor,
    },
    Rule {
        name: "http-route",
        codes: &[Code::GatewayMissing, Code::ParentsOverlap, Code::TargetInvalid],
        source: "Gateway API 1.6, HTTPRouteSpec, HTTPPathMatch and ParentReference",
        run: targets::http_route,
    },
    Rule {
        name: "openshift-route",
        codes: &[Code::RouteWildcard, Code::TargetInvalid],
        source: "OpenShift, route.openshift.io/v1 RouteSpec, its validation, and the router's admission of wildcards",
        run: targets::route,
    },
    Rule {
        name: "published",
        codes: &[Code::NamespaceMissing],
        source: "the ConfigMap's key is <service>-<namespace>",
        run: object::published,
    },
];
