//! The rules that check a plan.
//!
//! Every rule files its findings, and all rules run whatever the others find. The sources are the validators of the Kubernetes API
//! server, version 1.36, and the RFCs that they do not enforce.

mod alone;
pub(crate) mod annotations;
mod assumed;
mod canary;
mod canary_and_redirect;
pub(crate) mod folded;
mod host;
mod loss;
pub(crate) mod misspelt;
pub(crate) mod object;
pub(crate) mod protects;
mod route;
mod targets;
mod tls;

use crate::diagnostics::{Code, Report};
use crate::dialect::nginx::rules::{self as nginx, ineffective, rewrite, values, www};
use crate::dialect::{alb, cert_manager, external_dns, f5_nginx, forecastle, gateway, traefik};
use crate::options::{Forwarded, Layers, Settings};
use crate::plan::Plan;
use crate::plan::context::RuleContext;
use crate::service::Service;
pub(crate) use loss::{has_finding, is_fulfilled_otherwise, is_passed, redirects_despite, wanted_by};

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
    /// The codes of its findings.
    pub codes: &'static [Code],
    /// The source of the rule: a validation function of Kubernetes, an RFC or a page of documentation.
    pub source: &'static str,
}

/// Every rule, in the order in which they run.
///
/// ```
/// assert!(xposer::internal::rules().iter().any(|rule| rule.name == "host"));
/// ```
#[must_use]
pub fn rules() -> &'static [Rule] {
    RULES
}

/// Runs every rule on a plan.
pub(crate) fn check(
    service: &Service<'_>,
    settings: &Settings,
    layers: Layers<'_>,
    forwarded: &Forwarded<'_>,
    plan: &Plan,
    report: &mut Report,
) {
    let context = RuleContext::new(service, settings, layers, forwarded, plan);
    for run in RUN {
        run(&context, report);
    }
}

/// Makes the table of rules. The functions are in a separate list: the compiler removes the names and sources from a program that
/// never asks for them.
macro_rules! rules {
    ($( $name:literal, [$($code:ident),+], $source:literal, $run:path; )+) => {
        static RULES: &[Rule] = &[$( Rule { name: $name, codes: &[$(Code::$code),+], source: $source } ),+];
        static RUN: &[fn(&RuleContext<'_>, &mut Report)] = &[$( $run ),+];
    };
}

rules! {
    "service", [ServiceNameInvalid, NamespaceInvalid],
        "Kubernetes, validation.go, validateIngressBackend with RelaxedServiceNameValidation; ValidateNamespaceName", object::service;
    "service-type", [ServiceExternalName, ServiceHeadless],
        "Kubernetes, Services: headless and ExternalName; Gateway API, BackendRef", object::service_type;
    "port", [PortNone, PortUnknown, PortNotTcp],
        "Kubernetes, validation.go, validateIngressBackend", object::port;
    "ingress-name", [IngressNameInvalid],
        "Kubernetes, validation.go, ValidateIngressName", object::ingress_name;
    "host", [HostMissing, HostScheme, HostPort, HostIp, HostTrailingDot, HostUppercase, HostCharacter,
        HostEmptyLabel, HostHyphen, HostWildcard, HostLabelTooLong, HostTooLong],
        "Kubernetes, validation.go, validateIngressRules; RFC 1035, 2.3.4 for the lengths", host::host;
    "ownership", [HostNotOwned],
        "the setting namespaces", host::ownership;
    "class-of-namespace", [ClassNotAllowed],
        "the setting namespaces", targets::class_of_namespace;
    "served-class", [ClassUnserved],
        "ingress-gce 1.40, pkg/utils: IsGCEIngress", object::served_class;
    "gateway-of-namespace", [GatewayNotAllowed],
        "the setting namespaces", targets::gateway_of_namespace;
    "common-name", [HostCommonName],
        "RFC 5280, ub-common-name", host::common_name;
    "path", [PathInvalid, PathBlank, PathQuery, PathStrict, PathRegex, TargetInvalid],
        "Kubernetes, validation.go, validateHTTPIngressPath; RFC 3986, 3.3; ingress-nginx, strict-validate-path-type; RE2, Syntax", route::path;
    "path-literal", [PathLiteral],
        "ingress-nginx 1.15, use-regex", rewrite::literal;
    "rewrite-target", [RewriteMismatch],
        "ingress-nginx 0.22, rewrite-target (#3174); its lint since then", rewrite::rewrite_target;
    "host-regular-expression", [HostRegex],
        "ingress-nginx 1.15, template.go, enforceRegexModifier", rewrite::among_patterns;
    "tls-secret", [TlsSecretInvalid],
        "Kubernetes, validation.go, validateIngressTLS", object::tls_secret;
    "issuer", [IssuerInvalid, IssuerConflict, IssuerMissing, IssuerWithoutTls, IssuerWildcard,
        HostCommonName],
        "cert-manager 1.21, certificate-shim; RFC 8555, 8.4: wildcards need a DNS challenge", cert_manager::rules::issuer;
    "cert-manager", [CertManagerInvalid, CertManagerIgnored, EditInPlace],
        "cert-manager 1.21, certificate-shim, translateAnnotations and issuerForIngressLike; its webhook, ValidateCertificateSpec", cert_manager::rules::values;
    "https-redirect", [RedirectWithoutTls],
        "ingress-nginx 1.15, ssl-redirect; Gateway API 1.6, HTTPRequestRedirectFilter", tls::https_redirect;
    "redirect-conflict", [RedirectConflict],
        "ingress-nginx 1.15, ssl-redirect and force-ssl-redirect; the annotations of each controller that redirect to https", nginx::redirect_conflict;
    "certificates", [CertificateMissing],
        "RFC 6125, 6.4.3; AWS Load Balancer Controller, certificate discovery", tls::certificates;
    "certificate-hosts", [TlsHostsIgnored],
        "Kubernetes, networking.k8s.io/v1 IngressTLS", tls::certificate_hosts;
    "class", [ClassInvalid],
        "Kubernetes, validation.go, ValidateIngressSpec", object::class;
    "malformed-lines", [ForwardMalformed, ForwardMalformedProtection],
        "Xposer 0.0.20, one `key: value` a line", folded::malformed;
    "folded-block", [FoldedBlock, FoldedBlockRefused],
        "YAML 1.2, 8.1.3: folded style; Xposer 0.0.20, one `key: value` a line", folded::folded;
    "forwarded-keys", [ForwardKeyInvalid, AnnotationsTooLarge],
        "Kubernetes, objectmeta.go, ValidateAnnotations and ValidateAnnotationsSize", object::forwarded_keys;
    "denied-annotations", [AnnotationDenied],
        "ingress-nginx 1.15, annotation risks: Critical; the setting annotations", annotations::denied;
    "denied-options", [AnnotationDenied],
        "the setting annotations", annotations::denied_options;
    "foreign-keys", [ForeignKeyUnknown, ProtectionLost, ProtectionLossAccepted],
        "ingress-nginx 1.15, AWS Load Balancer Controller 3.5, Traefik 3.7, HAProxy Kubernetes Ingress Controller 3.2, HAProxy Ingress 0.16, NGINX Ingress Controller 5.5 and OpenShift's router, annotations; cert-manager 1.21, certificate-shim; ExternalDNS 0.22, annotations; Forecastle 2, annotations", misspelt::keys;
    "protection", [ProtectionLost, ProtectionLossAccepted, ProtectionWeakened, IntentLost],
        "Gateway API 1.6, HTTPRouteSpec; OpenShift, route.openshift.io/v1 RouteSpec and the annotations of its router", loss::lost;
    "protection-unclear", [ProtectionUnclear],
        "ingress-nginx 1.15 and NGINX Ingress Controller 5.5: both serve the class nginx by default", assumed::protection_of_other_program;
    "intents", [IntentDiffers, IntentLost, ProtectionLost, ProtectionLossAccepted, TargetInexpressible],
        "the documentation and the code of each controller, as the reference page of dialects names them", loss::intents;
    "equivalents", [IntentDiffers],
        "HAProxy Ingress 0.16, rootfs/etc/templates/haproxy/haproxy.tmpl; HAProxy, stick-table type ip", annotations::differing;
    "canary-and-redirect", [TargetInvalid, IntentDiffers, ProtectionLost, ProtectionLossAccepted, IntentLost],
        "the documentation and the code of each controller, as the reference page of dialects names them", canary_and_redirect::without_value;
    "alb-without-listener", [RedirectWithoutTls, IntentLost],
        "AWS Load Balancer Controller 3.5, pkg/ingress: model_builder.go, buildSSLRedirectConfig", alb::rules::without_listener;
    "ingress-patterns", [IntentDiffers],
        "HAProxy Kubernetes Ingress Controller 3.2, path types; AWS Load Balancer Controller 3.5 and GKE, pathType; Traefik 3.7, pkg/provider/kubernetes/ingress-nginx/translator.go, buildRule", route::patterns;
    "traefik-wildcards", [IntentDiffers],
        "Traefik 3.7, pkg/muxer/http/mux.go, GetRulePriority; pkg/provider/kubernetes/ingress-nginx/translator.go, buildRule; pkg/provider/kubernetes/gateway/httproute.go, buildMatchRule", traefik::rules::wildcard_hosts;
    "traefik-nginx", [HostNotOwned, ProtectionLost, ProtectionLossAccepted, ProtectionWeakened, IntentLost, TargetInexpressible],
        "Traefik 3.7, pkg/provider/kubernetes/ingress-nginx: annotations.go, parseIngressConfig; middleware.go, buildBuffering", traefik::rules::nginx;
    "traefik-scheme", [IntentDiffers],
        "Traefik 3.7, pkg/provider/kubernetes/ingress: getProtocol; gateway: getHTTPServiceProtocol", traefik::rules::scheme;
    "traefik-tls", [IntentConflict, ProtectionWeakened, TargetInexpressible],
        "Traefik 3.7, pkg/provider/kubernetes/ingress: router.tls", traefik::rules::tls;
    "nginx-values", [AnnotationInvalid, AnnotationIgnored, NamespaceOther],
        "ingress-nginx 1.15, annotation validators and internal/ingress/annotations", values::values;
    "own-words", [AnnotationInvalid, AnnotationIgnored, AnnotationDenied, NamespaceOther, ProtectionLost, ProtectionLossAccepted],
        "the documentation and the code of each controller: HAProxy Kubernetes Ingress Controller 3.2, HAProxy Ingress 0.16, NGINX Ingress Controller 5.5, Traefik 3.7, Contour 1.33, AWS Load Balancer Controller 3.5, OpenShift's router, Kong Ingress Controller 3", annotations::native_values;
    "values-on-service", [AnnotationInvalid, AnnotationIgnored, ForeignKeyUnknown],
        "Traefik 3.7, pkg/provider/kubernetes/ingress: parseServiceConfig; Contour 1.33, internal/annotation; Kong Ingress Controller 3, internal/dataplane/kongstate; AWS Load Balancer Controller 3.5, auth_config_builder.go; HAProxy Kubernetes Ingress Controller 3.2, documentation/annotations.md; HAProxy Ingress, configuration keys", annotations::on_service;
    "undone-options", [IntentConflict, IntentDiffers],
        "HAProxy Kubernetes Ingress Controller 3.2, src-ip-header; HAProxy Ingress 0.16, allowlist-source-header and auth-tls-strict; NGINX Ingress Controller 5.5, limit-req-dry-run; ingress-nginx 1.15, satisfy", annotations::options_without_effect;
    "nginx-canary", [AnnotationInvalid],
        "ingress-nginx 1.15, canary annotations", nginx::canary;
    "nginx-canary-unnamed", [CanaryUnnamed, TargetInvalid],
        "ingress-nginx 1.15, canary annotations", nginx::canary_unnamed;
    "nginx-canary-annotations", [CanaryAnnotationIgnored, CanaryInvalid, TargetInexpressible],
        "ingress-nginx 1.15, canary annotations", canary::ignored;
    "nginx-authentication", [AuthenticationOff],
        "ingress-nginx 1.15, internal/ingress/annotations/authreqglobal", ineffective::authentication;
    "client-certificate", [AuthenticationOff],
        "ingress-nginx 1.15, nginx.tmpl: ssl_verify_client of a server that listens for http, too; HAProxy Ingress 0.16, auth-tls; Traefik 3.7, TLSOption of a router with TLS", tls::client_certificate;
    "alb-without-https", [AuthenticationOff],
        "AWS Load Balancer Controller 3.5, pkg/ingress: model_build_listener.go and model_build_actions.go", alb::rules::without_https;
    "alb-references", [AuthenticationOff, ProtectionLost, ProtectionLossAccepted, IntentLost],
        "AWS Load Balancer Controller 3.5, pkg/ingress: model_build_listener.go, computeIngressMutualAuthentication; enhanced_backend_builder.go, buildConditions", alb::rules::without_reference;
    "key-alone", [AuthenticationOff, AnnotationAlone, AnnotationInvalid],
        "ingress-nginx 1.15, internal/ingress/annotations and its template; HAProxy Kubernetes Ingress Controller 3.2, basicAuth.go; HAProxy Ingress 0.16, annotations/host.go and backend.go; NGINX Ingress Controller 5.5, validateRelatedAnnotation; AWS Load Balancer Controller 3.5, auth_config_builder.go; OpenShift's router, haproxy-config.template; Kong Ingress Controller 3, internal/dataplane/kongstate/route.go", alone::missing_key;
    "key-incomplete", [AnnotationInvalid, AuthenticationDenies],
        "AWS Load Balancer Controller 3.5, pkg/ingress: model_build_actions.go; NGINX Ingress Controller 5.5, validateRelatedAnnotation; HAProxy Kubernetes Ingress Controller 3.2, basicAuth.go", alone::incomplete;
    "key-beside-another", [AnnotationInvalid, AnnotationIgnored, ProtectionLost, ProtectionLossAccepted, ProtectionWeakened],
        "APISIX 3, ip-restriction and proxy-rewrite; its Ingress controller 2, internal/adc/translator/annotations; AWS Load Balancer Controller 3.5, pkg/ingress: model_build_managed_sg.go; HAProxy Ingress 0.16, annotations/backend.go: buildBackendOAuth; NGINX Ingress Controller 5.5, getRewriteTarget; Application Gateway Ingress Controller 1.8, requestroutingrules.go", alone::beside_another;
    "key-elsewhere", [ProtectionLost, ProtectionLossAccepted, ProtectionWeakened, IntentLost],
        "HAProxy Kubernetes Ingress Controller 3.2, documentation/annotations.md; Contour 1.33, internal/annotation; ingress-gce, pkg/annotations/service.go; Traefik 3.7, ServiceConfig; Kong Ingress Controller 3, internal/dataplane/kongstate/service.go", alone::read_elsewhere_only;
    "nginx-aliases", [AnnotationAlias],
        "ingress-nginx 1.15, internal/ingress/annotations/parser, aliases", ineffective::aliases;
    "nginx-passwords", [AuthenticationDenies],
        "ingress-nginx 1.15, internal/ingress/annotations/auth", ineffective::passwords;
    "beside-block", [AnnotationBeside, ProtectionLost, ProtectionLossAccepted],
        "ingress-nginx 1.15, Traefik 3.7, NGINX Ingress Controller 5.5, HAProxy Kubernetes Ingress Controller 3.2, Kong Ingress Controller 3 and cert-manager 1.21: annotations of an Ingress", annotations::annotations_on_service;
    "nginx-www", [RedirectWithoutCertificate],
        "ingress-nginx 1.15, internal/ingress/controller/nginx.go, from-to-www-redirect", www::certificate;
    "nginx-www-without-effect", [IntentLost],
        "ingress-nginx 1.15, pkg/util/ingress, BuildRedirects; nginx, ngx_hash_add_key", www::without_effect;
    "nginx-origins", [CorsOriginInvalid],
        "ingress-nginx 1.15, internal/ingress/annotations/cors", ineffective::origins;
    "forecastle", [ForecastleInvalid, ForecastleWildcard],
        "Forecastle 2, annotations and wrappers", forecastle::rules::values;
    "external-dns", [DnsInvalid, DnsUnread],
        "ExternalDNS 0.22, source/annotations and source/ingress.go; RFC 1035, 2.3.4", external_dns::rules::values;
    "external-dns-twice", [DnsTwice],
        "ExternalDNS 0.22, sources service and ingress", external_dns::rules::twice;
    "canary", [CanaryInvalid, CanaryIncomplete],
        "ingress-nginx 1.15, canary annotations", canary::canary;
    "monitor", [MonitorWildcard, MonitorProviders],
        "IngressMonitorController 2, EndpointMonitorSpec", targets::monitor;
    "http-route", [GatewayMissing, ParentsOverlap, TargetInvalid],
        "Gateway API 1.6, HTTPRouteSpec, HTTPPathMatch and ParentReference", targets::http_route;
    "derived-names", [TargetInvalid],
        "Kubernetes, validation of names", targets::derived_names;
    "f5-secrets", [AnnotationInvalid],
        "NGINX Ingress Controller 5.5, basic-auth-secret and jwt-key", f5_nginx::rules::secrets;
    "f5-services", [AnnotationInvalid, IntentLost],
        "NGINX Ingress Controller 5.5, internal/k8s/validation.go: validateServiceListAnnotation, validateRewriteListAnnotation and validateMinionSpec", f5_nginx::rules::services;
    "http-route-patterns", [IntentDiffers, TargetInvalid],
        "Gateway API 1.6, PathMatchRegularExpression; RE2", gateway::rules::patterns;
    "openshift-route", [RouteWildcard, TargetInvalid],
        "OpenShift, route.openshift.io/v1 RouteSpec, its validation, and the router's admission of wildcards", targets::route;
    "links", [TargetInexpressible],
        "Argo CD 3, external URL links; Homepage 1, automatic service discovery", targets::links;
    "published", [NamespaceMissing],
        "the ConfigMap's key is <service>-<namespace>", object::published;
}
