//! The rules: a Draft that passes all of them becomes an Exposure.
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

use std::ops::Range;

use crate::diagnostics::{Code, Origin, Report, Segment};
use crate::dialect::legacy::dns_key;
use crate::dialect::nginx::{rewrite, traps};
use crate::dialect::{cert_manager, external_dns};
use crate::options::annotations::Request;
use crate::options::{Layers, ParentRef, Settings, Target, Termination, Tls};
use crate::resolve::{Annotation, Canary, Draft, DraftRule, Monitor, Scope, Source};
use crate::service::{PortRef, Service};
use crate::validation::{Hostname, ObjectName, PathType, UrlPath};
pub(crate) use loss::Scene;

/// What a rule may look at.
pub(crate) struct RuleContext<'f> {
    pub(crate) service: &'f Service<'f>,
    pub(crate) settings: &'f Settings,
    pub(crate) layers: Layers<'f>,
    pub(crate) request: &'f Request<'f>,
    pub(crate) plan: &'f Draft<'f>,
}

impl RuleContext<'_> {
    /// Whether an annotation is one that was written under the other prefix of ExternalDNS. What is to be said of it is said of
    /// the line as it was written.
    pub(crate) fn is_mirrored(&self, annotation: &Annotation<'_>) -> bool {
        dns_key(&annotation.key).is_some()
            && match &annotation.source {
                Source::Block { .. } => !self.request.block.contains(&annotation.key),
                Source::Origin(Origin::Setting(path)) => {
                    !matches!(path.segments().last(), Some(Segment::Key(key)) if *key == annotation.key)
                }
                Source::Origin(_) => false,
            }
    }
}

/// A row of the table of rules.
///
/// ```
/// use xposer::{Code, rules};
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
}

/// Every rule, in the order in which they are asked.
///
/// ```
/// assert!(xposer::rules().iter().any(|rule| rule.name == "host"));
/// ```
#[must_use]
pub fn rules() -> &'static [Rule] {
    RULES
}

/// What of a row runs stands in a table of its own: a program that never asks for the texts does not carry them.
macro_rules! rules {
    ($( Rule { name: $name:expr, codes: $codes:expr, source: $source:expr, run: $run:expr $(,)? } ),+ $(,)?) => {
        static RULES: &[Rule] = &[$( Rule { name: $name, codes: $codes, source: $source } ),+];
        static RUNS: &[fn(&RuleContext<'_>, &mut Report)] = &[$( $run ),+];
    };
}

rules![
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
        run: tls::issuer,
    },
    Rule {
        name: "cert-manager",
        codes: &[Code::CertManagerInvalid, Code::CertManagerIgnored, Code::EditInPlace],
        source: "cert-manager 1.21, certificate-shim, translateAnnotations and issuerForIngressLike; its webhook, ValidateCertificateSpec",
        run: cert_manager::values,
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
        run: tls::redirect_conflict,
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
        run: annotations::nginx_values,
    },
    Rule {
        name: "nginx-canary",
        codes: &[Code::AnnotationInvalid],
        source: "ingress-nginx 1.15, canary annotations",
        run: annotations::nginx_canary,
    },
    Rule {
        name: "nginx-canary-unnamed",
        codes: &[Code::CanaryUnnamed],
        source: "ingress-nginx 1.15, canary annotations",
        run: annotations::nginx_canary_unnamed,
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
        run: annotations::forecastle,
    },
    Rule {
        name: "external-dns",
        codes: &[Code::DnsInvalid, Code::DnsUnread],
        source: "ExternalDNS 0.22, source/annotations and source/ingress.go; RFC 1035, 2.3.4",
        run: external_dns::values,
    },
    Rule {
        name: "external-dns-twice",
        codes: &[Code::DnsTwice],
        source: "ExternalDNS 0.22, sources service and ingress",
        run: external_dns::twice,
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

/// An exposure that every rule has passed.
#[derive(Clone, Debug)]
pub(crate) struct Exposure<'a> {
    pub(crate) name: ObjectName<'a>,
    pub(crate) name_origin: Origin,
    pub(crate) rules: Vec<Route<'a>>,
    pub(crate) secret: Option<ObjectName<'a>>,
    pub(crate) port: PortRef,
    pub(crate) class: Option<ObjectName<'a>>,
    pub(crate) annotations: Vec<Annotation<'a>>,
    pub(crate) publish: Option<(Scope, Range<usize>)>,
    pub(crate) publish_url: bool,
    pub(crate) tls: Tls,
    pub(crate) tls_origin: Origin,
    pub(crate) redirect_origin: Origin,
    pub(crate) secret_is_derived: bool,
    pub(crate) secret_origin: Option<Origin>,
    pub(crate) class_origin: Option<Origin>,
    pub(crate) https_redirect: Option<bool>,
    pub(crate) targets: Vec<Target>,
    pub(crate) canary: Option<Canary<'a>>,
    pub(crate) monitor: Option<Monitor>,
    pub(crate) gateway: Gateway,
    pub(crate) termination: Termination,
}

/// What HTTPRoutes are attached to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gateway {
    pub(crate) parents: Vec<ParentRef>,
    /// The listeners without TLS.
    pub(crate) http_parents: Vec<ParentRef>,
    /// The keys by which ExternalDNS is told to leave an object to others, in ascending order.
    pub(crate) dns_keys: Vec<String>,
}

/// One host and path of an Ingress. Routes are made by [`expose`](crate::expose) only.
///
/// ```
/// # use serde_json::json;
/// # use xposer::{PathType, Service, Settings, expose};
/// # let service = json!({"metadata": {"name": "web", "labels": {"expose": "true"},
/// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate":
/// #         "a.example.com/api(/|$)(.*), b.example.com"}},
/// #     "spec": {"ports": [{"port": 80}]}});
/// // The URL template is `a.example.com/api(/|$)(.*), b.example.com`.
/// let outcome = expose(&Service::from_value(&service), &Settings::default());
/// let routes = outcome.plan().map(|plan| plan.ingress.rules.as_slice()).unwrap_or_default();
/// assert_eq!((routes[0].path.as_str(), routes[0].path_type), ("/api(/|$)(.*)", PathType::ImplementationSpecific));
/// assert_eq!((routes[1].host.as_str(), routes[1].path.as_str()), ("b.example.com", "/"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route<'a> {
    /// The host.
    pub host: Hostname<'a>,
    /// The path.
    pub path: UrlPath<'a>,
    /// How the path is compared.
    pub path_type: PathType,
    /// Who wrote the host.
    pub(crate) origin: Origin,
    /// Who wrote the path.
    pub(crate) path_origin: Origin,
}

/// Asks every rule; `None` if anything forbids the exposure.
pub(crate) fn check<'a>(
    service: &Service<'_>,
    settings: &Settings,
    layers: Layers<'_>,
    request: &Request<'_>,
    draft: Draft<'a>,
    report: &mut Report,
) -> Option<Exposure<'a>> {
    let context = RuleContext { service, settings, layers, request, plan: &draft };
    for run in RUNS {
        run(&context, report);
    }
    if report.has_errors() {
        return None;
    }
    let tls = draft.tls();
    let gateway = if draft.targets.contains(&Target::HttpRoute) {
        let refs = |found: Option<&crate::diagnostics::Sourced<Vec<ParentRef>>>| {
            found.map(|refs| refs.value.clone())
        };
        Gateway {
            parents: refs(layers.first(|it| it.parent_refs.as_ref())).unwrap_or_default(),
            http_parents: refs(layers.first(|it| it.http_parent_refs.as_ref())).unwrap_or_default(),
            dns_keys: settings.dns_controller_keys(),
        }
    } else {
        Gateway::default()
    };
    let rules = draft.rules.into_iter().map(exposed).collect();
    let name = draft.name?;
    Some(Exposure {
        publish_url: settings.publish_url,
        tls,
        tls_origin: draft.tls.map(|tls| tls.origin).unwrap_or_default(),
        secret_is_derived: draft.secret_is_derived,
        secret_origin: draft.secret.as_ref().map(|secret| secret.origin.clone()),
        class_origin: draft.class.as_ref().map(|class| class.origin.clone()),
        redirect_origin: draft.https_redirect.as_ref().map(|it| it.origin.clone()).unwrap_or_default(),
        https_redirect: draft.https_redirect.map(|redirect| redirect.value),
        targets: draft.targets,
        canary: draft.canary,
        monitor: draft.monitor.map(|monitor| monitor.value),
        gateway,
        termination: layers.first(|it| it.termination.as_ref()).map(|it| it.value).unwrap_or_default(),
        name: ObjectName::checked(name.value),
        name_origin: name.origin,
        rules,
        secret: draft.secret.map(|secret| ObjectName::checked(secret.value)),
        port: draft.port?.value,
        class: draft.class.map(|class| ObjectName::checked(class.value)),
        annotations: draft.annotations,
        publish: draft.publish,
    })
}

fn exposed(rule: DraftRule<'_>) -> Route<'_> {
    Route {
        host: Hostname::checked(rule.host),
        path: UrlPath::checked(rule.path),
        path_type: rule.path_type,
        origin: rule.host_origin,
        path_origin: rule.path_origin,
    }
}
