//! The typed values of an exposure, and the rules of form that the Kubernetes API has for them.
//!
//! The rules are those of `k8s.io/apimachinery/pkg/util/validation` and
//! `k8s.io/kubernetes/pkg/apis/networking/validation` at Kubernetes 1.36.

pub mod pattern;
mod url;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::{Serialize, Serializer};

use crate::diagnostics::FieldPath;
pub(crate) use url::{literal_beginning, literal_path, url};

/// The longest DNS label, in bytes (RFC 1035, section 2.3.4).
///
/// ```
/// use xposer::validation::{MAX_LABEL, is_dns_label};
/// assert!(is_dns_label(&"a".repeat(MAX_LABEL)) && !is_dns_label(&"a".repeat(MAX_LABEL + 1)));
/// ```
pub const MAX_LABEL: usize = 63;
/// The longest DNS name, in characters without the root dot (RFC 1035, section 2.3.4: 255 octets on the wire).
///
/// ```
/// use xposer::validation::{HostError, MAX_NAME, host_errors};
/// let host = |length| "a.".repeat(length / 2) + "a";
/// assert_eq!(host(MAX_NAME).len(), MAX_NAME);
/// assert_eq!(host_errors(&host(MAX_NAME)), []);
/// assert_eq!(host_errors(&host(MAX_NAME + 1)), [HostError::TooLong]);
/// ```
pub const MAX_NAME: usize = 253;
/// The longest common name of a certificate, in characters (RFC 5280, `ub-common-name`).
///
/// ```
/// # use serde_json::json;
/// # use xposer::{Code, Service, Settings, expose, validation::MAX_COMMON_NAME};
/// let host = format!("{}.example.com", "a".repeat(MAX_COMMON_NAME - 11));
/// # let service = json!({"metadata": {"name": "web", "labels": {"expose": "true"},
/// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": host}}, "spec": {"ports": [{"port": 80}]}});
/// let settings = Settings::from_value(&json!({"tls": true, "tlsCommonName": true}))?;
/// let outcome = expose(&Service::from_value(&service), &settings);
/// assert!(outcome.report().is_some_and(|report| report.diagnostics()[0].code == Code::HostCommonName));
/// # Ok::<(), xposer::Report>(())
/// ```
pub const MAX_COMMON_NAME: usize = 64;
/// The most bytes all annotation keys and values of one object may have together (`TotalAnnotationSizeLimitB`).
///
/// ```
/// # use serde_json::json;
/// # use xposer::{Outcome, Service, Settings, expose, validation::MAX_ANNOTATIONS};
/// let annotations = json!({"note": "a".repeat(MAX_ANNOTATIONS)});
/// let service = json!({"metadata": {"name": "web", "labels": {"expose": "true"}, "annotations": annotations}});
/// let service = Service::from_value(&service);
/// assert_eq!(service.annotation_bytes(), MAX_ANNOTATIONS + "note".len());
/// assert!(matches!(expose(&service, &Settings::default()), Outcome::Refused(_)));
/// ```
pub const MAX_ANNOTATIONS: usize = 262_144;

/// Where a value came from.
///
/// ```
/// use xposer::validation::Origin;
/// use xposer::FieldPath;
/// let origin = Origin::Setting(FieldPath::setting("profiles").key("external").key("domain"));
/// assert_eq!(origin.path().to_string(), "settings.profiles.external.domain");
/// assert_eq!(Origin::BuiltIn.path().to_string(), "metadata.labels.expose");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// An annotation of the Service, by its key.
    Annotation(Cow<'static, str>),
    /// A setting of the administrator, by its path.
    Setting(FieldPath),
    /// Nobody wrote it: the built-in default.
    #[default]
    BuiltIn,
}

impl Origin {
    /// The place to accuse. A built-in default is accused at the label that asked for the Ingress.
    #[must_use]
    pub fn path(&self) -> FieldPath {
        match self {
            Self::Annotation(key) => FieldPath::annotation(key.clone()),
            Self::Setting(path) => path.clone(),
            Self::BuiltIn => FieldPath::label("expose"),
        }
    }
}

/// A value and where it came from.
///
/// ```
/// use xposer::validation::{Origin, Sourced};
/// let tls = Sourced::new(true, Origin::Annotation("config.xposer.stakater.com/TLS".into()));
/// assert!(tls.value && tls.origin != Origin::BuiltIn);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// `value`, written at `origin`.
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

macro_rules! text_value {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name<'a>(Cow<'a, str>);

        impl<'a> $name<'a> {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Wraps a text that the rules of `check` have passed.
            pub(crate) fn checked(text: impl Into<Cow<'a, str>>) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name<'_> {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

text_value! {
    /// The host of an Ingress rule: a DNS name in lower case, or `*.` and a DNS name. It passed every rule that
    /// [`host_errors`] knows. Only [`expose`](crate::expose) makes one.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use xposer::{Service, Settings, expose};
    /// # let service = json!({"metadata": {"name": "web", "labels": {"expose": "true"},
    /// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": " *.example.com/api "}},
    /// #     "spec": {"ports": [{"port": 80}]}});
    /// // The URL template is ` *.example.com/api `.
    /// # let outcome = expose(&Service::from_value(&service), &Settings::default());
    /// # let Some(plan) = outcome.plan() else { panic!("{outcome:?}") };
    /// let host = &plan.ingress.rules[0].host;
    /// assert_eq!(host.as_str().strip_prefix("*."), Some("example.com"));
    /// assert_eq!(host.to_string(), host.as_ref());
    /// ```
    Hostname
}
text_value! {
    /// The name of an object: a DNS subdomain (`NameIsDNSSubdomain`). Only [`expose`](crate::expose) makes one;
    /// [`IngressPlan`](crate::IngressPlan) has an example.
    ObjectName
}
text_value! {
    /// The path of an Ingress rule; it starts with `/` and has none of the errors that [`path_error`] knows. Only
    /// [`expose`](crate::expose) makes one; [`Route`](crate::Route) has an example.
    UrlPath
}

/// How a controller compares the path of a rule with the path of a request (`pathType` of `networking.k8s.io/v1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum PathType {
    /// The whole path, letter by letter.
    Exact,
    /// The path's first elements.
    Prefix,
    /// What the controller makes of it; for regular expressions.
    ImplementationSpecific,
}

impl PathType {
    /// Every path type, in the order of the Kubernetes reference.
    pub const ALL: [Self; 3] = [Self::Exact, Self::Prefix, Self::ImplementationSpecific];

    /// The spelling of the Kubernetes API.
    ///
    /// ```
    /// assert_eq!(xposer::PathType::Prefix.as_str(), "Prefix");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "Exact",
            Self::Prefix => "Prefix",
            Self::ImplementationSpecific => "ImplementationSpecific",
        }
    }

    /// The path type of this spelling; letter case counts.
    ///
    /// ```
    /// use xposer::PathType;
    /// assert!(PathType::ALL.into_iter().all(|kind| PathType::parse(kind.as_str()) == Some(kind)));
    /// assert_eq!(PathType::parse("prefix"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether a path of this type is a regular expression. No path of a request contains a `?`.
    pub(crate) fn is_pattern(self, path: &str) -> bool {
        self == Self::ImplementationSpecific
            && (is_regex_path(path) || path.contains('?') || path.contains(".+"))
    }
}

/// How the connection to a host is secured.
///
/// ```
/// use xposer::validation::Tls;
/// assert_eq!(Tls::parse("TRUE"), Some(Tls::Secret));
/// assert_eq!(Tls::parse("load-balancer"), Some(Tls::LoadBalancer));
/// assert!(Tls::CertManager.is_on() && !Tls::Off.is_on() && Tls::parse("maybe").is_none());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: `false`.
    #[default]
    Off,
    /// By the certificate in a secret: `true`.
    Secret,
    /// By a certificate that cert-manager puts into a secret: `cert-manager`.
    CertManager,
    /// By a load balancer in front of the controller, which holds the certificates: `load-balancer`.
    LoadBalancer,
}

impl Tls {
    /// Every word, in the order of the reference; booleans have more spellings (see [`parse_bool`]).
    pub const WORDS: &'static [&'static str] = &["false", "true", "cert-manager", "load-balancer"];

    /// The mode of this word; letter case counts, but for booleans.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "cert-manager" => Some(Self::CertManager),
            "load-balancer" => Some(Self::LoadBalancer),
            other => parse_bool(other).map(|on| if on { Self::Secret } else { Self::Off }),
        }
    }

    /// Whether the URL begins with `https`.
    #[must_use]
    pub fn is_on(self) -> bool {
        self != Self::Off
    }

    /// Whether the certificate is in a secret that the exposing object names.
    #[must_use]
    pub fn has_secret(self) -> bool {
        matches!(self, Self::Secret | Self::CertManager)
    }

    /// The word of the reference.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "false",
            Self::Secret => "true",
            Self::CertManager => "cert-manager",
            Self::LoadBalancer => "load-balancer",
        }
    }
}

/// The kind of object that exposes a Service.
///
/// ```
/// use xposer::Target;
/// assert!(Target::ALL.iter().all(|target| Target::parse(target.as_str()) == Some(*target)));
/// assert_eq!(Target::HttpRoute.as_str(), "HTTPRoute");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// `networking.k8s.io/v1` Ingress.
    Ingress,
    /// `gateway.networking.k8s.io/v1` HTTPRoute of the Gateway API.
    HttpRoute,
    /// `route.openshift.io/v1` Route of OpenShift.
    Route,
}

impl Target {
    /// Every target, in the order in which objects are emitted.
    pub const ALL: [Self; 3] = [Self::Ingress, Self::HttpRoute, Self::Route];
    /// Their kinds.
    pub const WORDS: &'static [&'static str] = &["Ingress", "HTTPRoute", "Route"];

    /// The kind, as the API spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ingress => "Ingress",
            Self::HttpRoute => "HTTPRoute",
            Self::Route => "Route",
        }
    }

    /// The target of this kind; letter case counts.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.as_str() == text)
    }
}

/// Who issues a certificate (cert-manager).
///
/// ```
/// use xposer::validation::Issuer;
/// let issuer = Issuer { cluster: true, name: "letsencrypt".to_owned() };
/// assert_eq!(issuer.key(), "cert-manager.io/cluster-issuer");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Whether it is a ClusterIssuer; otherwise it is an Issuer of the Service's namespace.
    pub cluster: bool,
    /// Its name.
    pub name: String,
}

impl Issuer {
    /// The annotation that names it on an Ingress.
    #[must_use]
    pub fn key(&self) -> &'static str {
        if self.cluster { CLUSTER_ISSUER_KEY } else { ISSUER_KEY }
    }
}

/// The annotation that named the class before there was a field for it.
pub(crate) const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";
/// The annotation that names an Issuer on an Ingress.
pub(crate) const ISSUER_KEY: &str = "cert-manager.io/issuer";
/// The annotation that names a ClusterIssuer on an Ingress.
pub(crate) const CLUSTER_ISSUER_KEY: &str = "cert-manager.io/cluster-issuer";

/// The controllers by whose names their classes are called, word by word.
const OTHER_CONTROLLERS: [&str; 20] = [
    "alb",
    "ambassador",
    "apisix",
    "cilium",
    "citrix",
    "contour",
    "gce",
    "gloo",
    "haproxy",
    "higress",
    "istio",
    "kong",
    "ngrok",
    "openshift",
    "pomerium",
    "skipper",
    "tailscale",
    "traefik",
    "tyk",
    "voyager",
];

/// Whether the name of a class says that another controller than ingress-nginx serves it. Of a name that says nothing, such
/// as `internal`, ingress-nginx is expected, whose annotations the original wrote.
pub(crate) fn is_of_other_controller(class: &str) -> bool {
    let mut words = class.split(|c: char| !c.is_ascii_alphanumeric());
    let is_azure =
        class.starts_with("azure") && (class.contains("application-gateway") || class.contains("alb"));
    is_azure || (!class.contains("nginx") && words.any(|word| OTHER_CONTROLLERS.contains(&word)))
}

/// The annotation that asks cert-manager for a certificate of its default issuer.
pub(crate) const TLS_ACME_KEY: &str = "kubernetes.io/tls-acme";

/// A Gateway, or one of its listeners, that an HTTPRoute is attached to.
///
/// It is serialised as an entry of `parentRefs` with the defaults that the API server would fill in, so that an object in the
/// cluster is the same as the object that was emitted.
///
/// ```
/// use serde_json::json;
/// use xposer::validation::ParentRef;
/// let gateway = ParentRef { name: "external".to_owned(), section_name: Some("https".to_owned()), ..ParentRef::default() };
/// assert_eq!(json!(gateway), json!({"group": "gateway.networking.k8s.io", "kind": "Gateway",
///     "name": "external", "sectionName": "https"}));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentRef {
    /// The API group; `gateway.networking.k8s.io` where none is given.
    #[serde(serialize_with = "group_of_parent")]
    pub group: Option<String>,
    /// The kind; `Gateway` where none is given.
    #[serde(serialize_with = "kind_of_parent")]
    pub kind: Option<String>,
    /// The name.
    pub name: String,
    /// The namespace; that of the route where none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The port of the listener, 1 to 65535.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The name of the listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
}

impl ParentRef {
    /// The group, kind, namespace and name of the object.
    fn object<'t>(&'t self, namespace: Option<&'t str>) -> (&'t str, &'t str, Option<&'t str>, &'t str) {
        let group = self.group.as_deref().unwrap_or(PARENT_GROUP);
        let kind = self.kind.as_deref().unwrap_or(PARENT_KIND);
        (group, kind, self.namespace.as_deref().or(namespace), &self.name)
    }

    /// Whether both name the same Gateway, for a route in this namespace. Where the namespace of the route is not known, a
    /// missing namespace is equal to a missing one only.
    pub(crate) fn is_same_gateway(&self, other: &Self, namespace: Option<&str>) -> bool {
        self.object(namespace) == other.object(namespace)
    }

    /// Whether both can mean the same listener of the same Gateway. Without a name or port, all listeners are meant.
    pub(crate) fn overlaps(&self, other: &Self, namespace: Option<&str>) -> bool {
        fn fits<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
            one.is_none() || other.is_none() || one == other
        }
        self.is_same_gateway(other, namespace)
            && fits(self.section_name.as_ref(), other.section_name.as_ref())
            && fits(self.port.as_ref(), other.port.as_ref())
    }
}

/// The group of a parent that names none.
const PARENT_GROUP: &str = "gateway.networking.k8s.io";
/// The kind of a parent that names none.
const PARENT_KIND: &str = "Gateway";

#[allow(clippy::ref_option, reason = "serde passes a reference to the field")]
fn group_of_parent<S: Serializer>(group: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(group.as_deref().unwrap_or(PARENT_GROUP))
}

#[allow(clippy::ref_option, reason = "serde passes a reference to the field")]
fn kind_of_parent<S: Serializer>(kind: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_deref().unwrap_or(PARENT_KIND))
}

/// Where the TLS connection to an OpenShift Route ends.
///
/// ```
/// use xposer::validation::Termination;
/// assert_eq!(Termination::parse("reencrypt"), Some(Termination::Reencrypt));
/// assert_eq!(Termination::default().as_str(), "edge");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Termination {
    /// At the router.
    #[default]
    Edge,
    /// At the pod; the router sees no path.
    Passthrough,
    /// At the router, which opens another one to the pod.
    Reencrypt,
}

impl Termination {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["edge", "passthrough", "reencrypt"];

    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Passthrough => "passthrough",
            Self::Reencrypt => "reencrypt",
        }
    }

    /// The termination of this word; letter case counts.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Edge, Self::Passthrough, Self::Reencrypt].into_iter().find(|one| one.as_str() == text)
    }
}

/// A port of a Service, by number or by name; serialised as `backend.service.port` of an Ingress.
///
/// ```
/// use serde_json::json;
/// use xposer::PortRef;
/// let (number, name) = (PortRef::Number(80), PortRef::Name("http".to_owned()));
/// assert_eq!(json!([number, name]), json!([{"number": 80}, {"name": "http"}]));
/// assert_eq!(format!("{number} {name}"), "80 http");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PortRef {
    /// The Service port's number, 1 to 65535.
    Number(u16),
    /// The Service port's name (see [`is_port_name`]).
    Name(String),
}

impl fmt::Display for PortRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// One thing that is wrong with a host; ranges are bytes of the host.
///
/// ```
/// use xposer::validation::{HostError, host_errors};
/// let host = "web.-shop.example.com";
/// let hyphen = host_errors(host).into_iter().find_map(|error| match error {
///     HostError::Hyphen(part) => host.get(part),
///     _ => None,
/// });
/// assert_eq!(hyphen, Some("-shop"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostError {
    /// It has no characters.
    Missing,
    /// It starts with a scheme such as `https://`, or with `http:` or `https:` alone.
    Scheme,
    /// It ends with `:` and a port, or with `:` alone.
    Port,
    /// It is an IP address.
    Ip,
    /// It ends with a dot.
    TrailingDot,
    /// It contains upper-case ASCII letters.
    Uppercase,
    /// It contains this character, the first of those that no host may contain.
    Character(char),
    /// It has an empty part.
    EmptyLabel,
    /// This part, the first of its kind, starts or ends with a hyphen.
    Hyphen(Range<usize>),
    /// A star stands elsewhere than as the whole first part.
    Wildcard,
    /// This part, the first of its kind, has more than 63 bytes.
    LabelTooLong(Range<usize>),
    /// It has more than 253 bytes.
    TooLong,
}

/// What is wrong with `host`, each kind of error once; nothing if it can be the host of an Ingress rule. A host that is
/// missing, has a scheme or a stray colon, or is an address is looked at no further.
///
/// The rules: RFC 1123 names in lower case or `*.` and such a name (`validateIngressRules`), no address in Go's sloppy
/// reading, at most 253 characters; and, which the API server does not check, at most 63 bytes between two dots.
///
/// ```
/// use xposer::validation::{HostError, host_errors};
/// assert!(host_errors("web.example.com").is_empty());
/// assert_eq!(host_errors("Web_1.example.com."),
///     [HostError::TrailingDot, HostError::Character('_'), HostError::Uppercase]);
/// ```
#[must_use]
pub fn host_errors(host: &str) -> Vec<HostError> {
    let mut errors = Vec::new();
    // Practically every host is in order; an address has no letters.
    if host.len() <= MAX_NAME
        && host.bytes().any(|b| b.is_ascii_lowercase())
        && longest_part(host).is_some_and(|longest| longest <= MAX_LABEL)
    {
        return errors;
    }
    if host.is_empty() {
        errors.push(HostError::Missing);
        return errors;
    }
    let mut name = host;
    if let Some((scheme, rest)) = host.split_once(':') {
        if rest.starts_with("//") || matches!(scheme, "http" | "https") {
            errors.push(HostError::Scheme);
            return errors;
        }
        // An IPv6 address has more than one colon; a port stands behind the only one.
        if rest.contains(':') {
            errors.push(if is_sloppy_ip(host.trim_matches(['[', ']'])) {
                HostError::Ip
            } else {
                HostError::Character(':')
            });
            return errors;
        }
        if !rest.bytes().all(|b| b.is_ascii_digit()) {
            errors.push(HostError::Character(':'));
            return errors;
        }
        errors.push(HostError::Port);
        name = scheme;
    }
    if is_sloppy_ip(name) {
        errors.push(HostError::Ip);
        return errors;
    }
    if name.len() > 1 && name.ends_with('.') {
        errors.push(HostError::TrailingDot);
        name = name.trim_end_matches('.');
    }
    name_errors(name, &mut errors);
    errors
}

fn name_errors(name: &str, errors: &mut Vec<HostError>) {
    let (wild, rest) = match name.strip_prefix("*.") {
        Some(rest) => (2, rest),
        None => (0, name),
    };
    if rest.contains('*') {
        errors.push(HostError::Wildcard);
    }
    if let Some(character) =
        rest.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '*')))
    {
        errors.push(HostError::Character(character));
    }
    if rest.bytes().any(|b| b.is_ascii_uppercase()) {
        errors.push(HostError::Uppercase);
    }
    let mut start = wild;
    let (mut empty, mut hyphen, mut long) = (false, None, None);
    for label in rest.split('.') {
        let range = start..start + label.len();
        start = range.end + 1;
        empty |= label.is_empty();
        if label.starts_with('-') || label.ends_with('-') {
            hyphen.get_or_insert_with(|| range.clone());
        }
        if label.len() > MAX_LABEL {
            long.get_or_insert(range);
        }
    }
    if empty {
        errors.push(HostError::EmptyLabel);
    }
    errors.extend(hyphen.map(HostError::Hyphen));
    errors.extend(long.map(HostError::LabelTooLong));
    if name.len() > MAX_NAME {
        errors.push(HostError::TooLong);
    }
}

/// Whether Go's lenient address parser, which the API server uses here, reads `text` as an IP address: four decimal
/// numbers, leading zeros allowed, or an IPv6 address (`netutils.ParseIPSloppy`).
///
/// ```
/// use xposer::validation::is_sloppy_ip;
/// assert!(is_sloppy_ip("010.1.1.1") && is_sloppy_ip("::1"));
/// assert!(!is_sloppy_ip("1.2.3") && !is_sloppy_ip("1.2.3.256"));
/// ```
#[must_use]
pub fn is_sloppy_ip(text: &str) -> bool {
    if text.contains(':') {
        return text.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let mut parts = 0;
    text.split('.').all(|part| {
        parts += 1;
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_digit())
            && part.trim_start_matches('0').len() <= 3
            && part.parse::<u64>().is_ok_and(|number| number <= 255)
    }) && parts == 4
}

/// Whether `text` is a DNS label: lower-case letters, digits and inner `-`, 1 to 63 bytes (`IsDNS1123Label`).
///
/// ```
/// use xposer::validation::is_dns_label;
/// assert!(is_dns_label("web-1") && !is_dns_label("Web") && !is_dns_label("-web"));
/// ```
#[must_use]
pub fn is_dns_label(text: &str) -> bool {
    text.len() <= MAX_LABEL && is_dns_part(text)
}

/// Whether `text` is a DNS subdomain: labels of any length, joined by dots, 253 bytes at most (`IsDNS1123Subdomain`,
/// which, unlike DNS, sets no limit on a label).
///
/// ```
/// use xposer::validation::is_dns_subdomain;
/// assert!(is_dns_subdomain("a.b-c.d") && !is_dns_subdomain("a..b") && !is_dns_subdomain(""));
/// ```
#[must_use]
pub fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= MAX_NAME && longest_part(text).is_some()
}

fn is_dns_part(text: &str) -> bool {
    !text.contains('.') && longest_part(text).is_some()
}

/// The length of the longest part between dots, if every part is made of lower-case letters, digits and inner `-`.
/// One pass over the bytes: names are valid far more often than not.
fn longest_part(text: &str) -> Option<usize> {
    let (mut longest, mut start, mut before) = (0, 0, b'.');
    for (at, byte) in text.bytes().enumerate() {
        match NAME_BYTES.get(usize::from(byte)) {
            Some(1) => {}
            Some(2) if before != b'.' => {}
            Some(3) if before != b'.' && before != b'-' => {
                longest = longest.max(at - start);
                start = at + 1;
            }
            _ => return None,
        }
        before = byte;
    }
    (before != b'.' && before != b'-').then_some(longest.max(text.len() - start))
}

/// What a byte may be in a DNS name: 1 a lower-case letter or digit, 2 a hyphen, 3 a dot, 0 nothing.
#[allow(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which would refuse an index out of range"
)]
const NAME_BYTES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'0'..=b'9' => 1,
            b'-' => 2,
            b'.' => 3,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// Whether `text` is a Service port's name: at most 15 lower-case letters, digits and single inner `-`, with at least
/// one letter (`IsValidPortName`).
///
/// ```
/// use xposer::validation::is_port_name;
/// assert!(is_port_name("http-alt") && !is_port_name("8080") && !is_port_name("a--b"));
/// ```
#[must_use]
pub fn is_port_name(text: &str) -> bool {
    text.len() <= 15
        && is_dns_part(text)
        && !text.contains("--")
        && text.bytes().any(|b| b.is_ascii_lowercase())
}

/// What is wrong with an annotation key, in words; `None` if the API server accepts it (`ValidateAnnotations`, which
/// asks `IsQualifiedName` about the key in lower case).
///
/// ```
/// use xposer::validation::annotation_key_error;
/// assert_eq!(annotation_key_error("nginx.ingress.kubernetes.io/ssl-redirect"), None);
/// assert_eq!(annotation_key_error("a/b/c").as_deref(), Some("it contains more than one `/`"));
/// ```
#[must_use]
pub fn annotation_key_error(key: &str) -> Option<Cow<'static, str>> {
    if is_common_key(key) {
        return None;
    }
    let mut parts = key.split('/');
    let (name, prefix) = match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, _) => (name, None),
        (Some(prefix), Some(name), None) => (name, Some(prefix)),
        _ => return Some("it contains more than one `/`".into()),
    };
    if key.is_empty() {
        return Some("it is empty".into());
    }
    if let Some(prefix) = prefix {
        if prefix.is_empty() {
            return Some("its prefix is empty".into());
        }
        if !is_dns_subdomain(&prefix.to_ascii_lowercase()) {
            return Some(
                format!("its prefix {} is not a DNS name", crate::diagnostics::quoted(prefix)).into(),
            );
        }
    }
    if name.is_empty() {
        return Some("its name is empty".into());
    }
    if name.len() > MAX_LABEL {
        return Some(
            format!("its name has {} characters, at most {MAX_LABEL} are allowed", name.len()).into(),
        );
    }
    if let Some(character) =
        name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
    {
        return Some(format!("it contains {}", crate::diagnostics::quoted_char(character)).into());
    }
    let ends = |c: char| c.is_ascii_alphanumeric();
    if !name.starts_with(ends) || !name.ends_with(ends) {
        return Some("its name must start and end with a letter or digit".into());
    }
    None
}

/// Whether a key is surely in order: practically every key is, and one pass tells.
fn is_common_key(key: &str) -> bool {
    let (prefix, name) = split_at_byte(key, b'/').unwrap_or(("a", key));
    let mut ends = [name.bytes().next(), name.bytes().next_back()].into_iter();
    name.len() <= MAX_LABEL
        && prefix.len() <= MAX_NAME
        && ends.all(|end| end.is_some_and(|byte| byte.is_ascii_alphanumeric()))
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && longest_part(prefix).is_some()
}

/// `text` before and after the first `byte`, which must be ASCII. Unlike `str::split_once`, it sets no searcher up.
pub(crate) fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = memchr::memchr(byte, text.as_bytes())?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The positions of `keys` in ascending order of the keys; equal keys keep their order.
pub(crate) fn order_of<'k>(keys: impl Iterator<Item = &'k str>) -> Vec<usize> {
    let mut order: Vec<(&str, usize)> = keys.zip(0..).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, at)| at).collect()
}

/// `items` in ascending order of their keys; equal keys keep their order.
pub(crate) fn sorted_by_key<T>(items: Vec<T>, key: impl Fn(&T) -> &str) -> Vec<T> {
    if items.is_sorted_by(|left, right| key(left) <= key(right)) {
        return items;
    }
    let order = order_of(items.iter().map(&key));
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| items.get_mut(at)?.take()).collect()
}

/// Items by their keys: the groups in the order of their first items, the items in their own order.
pub(crate) fn grouped<K: Ord + Clone, T>(items: impl IntoIterator<Item = (K, T)>) -> Vec<(K, Vec<T>)> {
    /// Of so few groups, none is found faster in a tree.
    const FEW: usize = 8;
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    let mut places = BTreeMap::new();
    for (key, item) in items {
        let place = if groups.len() <= FEW {
            groups.iter().position(|(known, _)| *known == key)
        } else {
            if places.is_empty() {
                places.extend(groups.iter().enumerate().map(|(at, (known, _))| (known.clone(), at)));
            }
            places.get(&key).copied()
        };
        match place.and_then(|at| groups.get_mut(at)) {
            Some((_, group)) => group.push(item),
            None => {
                if !places.is_empty() {
                    places.insert(key.clone(), groups.len());
                }
                groups.push((key, vec![item]));
            }
        }
    }
    groups
}

/// What is wrong with a path of this type, in words; `None` if the API server accepts it (`validateHTTPIngressPath`).
///
/// ```
/// use xposer::validation::{PathType, path_error};
/// assert_eq!(path_error("/api", PathType::Prefix), None);
/// assert_eq!(path_error("/a//b", PathType::Exact), Some("it contains `//`"));
/// assert_eq!(path_error("/a//b", PathType::ImplementationSpecific), None);
/// ```
#[must_use]
pub fn path_error(path: &str, kind: PathType) -> Option<&'static str> {
    if !path.starts_with('/') {
        return Some("it does not start with `/`");
    }
    if kind == PathType::ImplementationSpecific {
        return None;
    }
    for (sequence, said) in [
        ("//", "it contains `//`"),
        ("/./", "it contains `/./`"),
        ("/../", "it contains `/../`"),
        ("%2f", "it contains `%2f`"),
        ("%2F", "it contains `%2F`"),
    ] {
        if path.contains(sequence) {
            return Some(said);
        }
    }
    if path.ends_with("/..") {
        return Some("it ends with `/..`");
    }
    if path.ends_with("/.") {
        return Some("it ends with `/.`");
    }
    None
}

/// A path as it is compared: two prefixes that differ in their last slash are the same.
pub(crate) fn comparable_path(path: &str, kind: PathType) -> &str {
    match kind {
        PathType::Prefix if path != "/" => path.trim_end_matches('/'),
        _ => path,
    }
}

/// Whether a path is meant as a regular expression: it contains a character that only a pattern needs, one of
/// `( ) [ ] { } | ^ $ * \`. The rule is ours: Kubernetes leaves it to the controller.
///
/// ```
/// use xposer::validation::is_regex_path;
/// assert!(is_regex_path("/api(/|$)(.*)") && !is_regex_path("/api/v1.2/c++"));
/// ```
#[must_use]
pub fn is_regex_path(path: &str) -> bool {
    path.contains(['(', ')', '[', ']', '{', '}', '|', '^', '$', '*', '\\'])
}

/// The host of an OpenShift Route with `wildcardPolicy: Subdomain` that stands for a wildcard host; `None` for another host. The
/// router ignores its first label.
pub(crate) fn subdomain_host(host: &str) -> Option<String> {
    host.strip_prefix("*.").map(|domain| format!("wildcard.{domain}"))
}

/// A boolean in one of the spellings of Go's `strconv.ParseBool`: `1 t T true TRUE True 0 f F false FALSE False`.
///
/// ```
/// use xposer::validation::parse_bool;
/// assert_eq!(parse_bool("T"), Some(true));
/// assert_eq!(parse_bool("no"), None);
/// ```
#[must_use]
pub fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
