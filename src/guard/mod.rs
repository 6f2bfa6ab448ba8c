//! Objects that were written by hand and that assign hosts in a controller: the hosts and paths that they take, and the conflicts
//! with other holders.
//!
//! Each family of kinds has one file. All of them return the same data, so the rules do not depend on the kind.

mod gateway;
mod ingress;
mod kinds;
mod named;
mod route;
mod rules;

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::conflicts::{ClaimText, Holder};
use crate::diagnostics::FieldPath;
use crate::dialect::controller::Controller;
use crate::options::Settings;
use crate::validation::{PathBudget, PathType, claimed_paths};
use crate::values::GATEWAY;
use named::NamedHost;

pub use kinds::ForeignKind;

/// A host and a path that an object takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClaimedRoute {
    /// The host in lower case; empty if the object takes all hosts.
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) path_type: PathType,
    /// The field with the host, or the field in which it is missing.
    pub(crate) place: FieldPath,
    /// Whether the object takes only some of the requests for the path ([`ClaimText::is_part`]).
    pub(crate) is_part: bool,
    /// The requests that a route takes, as the text of its match.
    pub(crate) match_text: String,
}

impl ClaimedRoute {
    /// All requests for a host.
    fn whole(host: String, place: FieldPath) -> Self {
        let path = "/".to_owned();
        Self { host, path, path_type: PathType::Prefix, place, is_part: false, match_text: String::new() }
    }
}

/// An object of a kind that assigns hosts in a controller.
///
/// ```
/// use serde_json::json;
/// use xposer::guard::Guarded;
/// let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
///     "metadata": {"name": "old", "namespace": "ops", "creationTimestamp": "2026-01-01T00:00:00Z"},
///     "spec": {"ingressClassName": "internal", "rules": [{"host": "shop.example.com"}]}});
/// let guarded = Guarded::read(&ingress).expect("an Ingress is one of the kinds");
/// assert_eq!((guarded.kind(), guarded.class()), ("Ingress", Some("internal")));
/// assert_eq!(guarded.claims()[0].text, "prefix shop.example.com/");
/// assert_eq!(guarded.holder().created, "2026-01-01T00:00:00Z");
/// assert!(Guarded::read(&json!({"apiVersion": "v1", "kind": "Service"})).is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guarded<'o> {
    kind: &'static str,
    object: &'o Value,
    /// The result of the reader of the kind, and the hosts from annotations.
    hosts: ObjectHosts<'o>,
    /// The hosts whose names the object publishes in DNS, and those for which it requests a certificate.
    named: Vec<NamedHost>,
    /// What selects the object for ExternalDNS ([`selections`](crate::dialect::external_dns::selections)).
    selections: BTreeSet<String>,
    /// Whether the object takes more routes than [`RouteBudget`](crate::conflicts::RouteBudget) allows.
    is_cut: bool,
}

/// A function that reads an object of a kind.
type Reader = for<'o> fn(&'o Value, ControllerOfClass<'_>) -> ObjectHosts<'o>;

/// Returns the controller that serves a class, if it is known.
type ControllerOfClass<'p> = &'p dyn Fn(&str) -> Option<Controller>;

/// The groups and names of the kinds, and their readers.
const KINDS: [(&str, &str, Reader); 5] = [
    ("networking.k8s.io", "Ingress", ingress::read),
    (gateway::GROUP, "HTTPRoute", gateway::http),
    (gateway::GROUP, ForeignKind::GrpcRoute.as_str(), gateway::grpc),
    (gateway::GROUP, ForeignKind::TlsRoute.as_str(), gateway::tls),
    ("route.openshift.io", "Route", route::read),
];

fn find(group: &str, kind: &str) -> Option<(&'static str, &'static str, Reader)> {
    KINDS.into_iter().find(|(known, name, _)| (*known, *name) == (group, kind))
}

/// Whether objects of the kind with this group and name assign hosts in a controller.
///
/// ```
/// use xposer::guard::is_guarded;
/// use xposer::options::Guard;
/// assert!(is_guarded("networking.k8s.io", "Ingress") && !is_guarded("", "Ingress"));
/// assert!(Guard::KINDS.iter().all(|kind| {
///     ["networking.k8s.io", "gateway.networking.k8s.io", "route.openshift.io"].iter().any(|group| is_guarded(group, kind))
/// }));
/// ```
#[must_use]
pub fn is_guarded(group: &str, kind: &str) -> bool {
    find(group, kind).is_some()
}

/// The result of the reader of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct ObjectHosts<'o> {
    taken: Vec<ClaimedRoute>,
    /// Whether the object is a canary, which intentionally has the hosts and paths of another object.
    is_canary: bool,
    /// The classes: two if the field and the annotation both have one.
    classes: Vec<(&'o str, FieldPath)>,
    /// The parents with listeners that the route is attached to: the position of the reference, the kind, and the namespace and name.
    gateways: Vec<(usize, Cow<'o, str>, (&'o str, &'o str))>,
    /// All parents of the route.
    parents: &'o [Value],
    /// Whether the route is also attached to the default Gateways.
    has_defaults: bool,
    /// All hosts of lists that are combined with paths, and the hosts that only have a certificate or a DNS name from the object.
    named: Vec<(String, FieldPath)>,
    /// Whether there are too many paths, so that some regular expressions count only as they are written ([`PathBudget`]), or some
    /// paths are left out.
    is_exceeded: bool,
    /// Whether some of the combinations of hosts and paths are left out, so that an update may exchange them.
    is_incomplete: bool,
}

impl<'o> Guarded<'o> {
    /// Reads an object; `None` if its kind assigns no hosts. The version of the API does not matter.
    #[must_use]
    pub fn read(object: &'o Value) -> Option<Self> {
        Self::read_by(object, &Controller::of_class, &[])
    }

    /// Reads an object as [`read`](Self::read), with the programs of classes and the prefixes under which ExternalDNS looks for
    /// annotations by these settings.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::{Settings, guard::Guarded};
    /// let settings = json!({"externalDNSPrefixes": ["dns.example.com/"], "namespaces": {"shop": {"hosts": ["shop.example.com"]}}});
    /// let settings = Settings::from_value(&settings)?;
    /// let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "spec": {"hostnames": ["blog.example.com"]},
    ///     "metadata": {"name": "web", "namespace": "blog", "annotations": {"dns.example.com/hostname": "shop.example.com"}}});
    /// let guarded = Guarded::read_with(&route, &settings).expect("an HTTPRoute is one of the kinds");
    /// assert!(guarded.check(&settings, None).has_errors());
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn read_with(object: &'o Value, settings: &Settings) -> Option<Self> {
        let program = |class: &str| settings.program_of_class(Some(class)).map(|(program, _)| program);
        Self::read_by(object, &program, &settings.dns_prefixes)
    }

    fn read_by(object: &'o Value, program: ControllerOfClass<'_>, dns_prefixes: &[String]) -> Option<Self> {
        let word = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
        let group = word("apiVersion").split_once('/').map_or("", |(group, _)| group);
        let (_, kind, read) = find(group, word("kind"))?;
        let mut guarded = Self {
            kind,
            object,
            hosts: read(object, program),
            named: Vec::new(),
            selections: BTreeSet::new(),
            is_cut: false,
        };
        guarded.add_other_hosts(dns_prefixes);
        Some(guarded)
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Whether the object is an Ingress with `nginx.ingress.kubernetes.io/canary`, which gets a part of the requests of another
    /// Ingress.
    #[must_use]
    pub fn is_canary(&self) -> bool {
        self.hosts.is_canary
    }

    /// The class of an Ingress, if it has one.
    #[must_use]
    pub fn class(&self) -> Option<&'o str> {
        self.hosts.classes.first().map(|(class, _)| *class)
    }

    /// The value of an annotation, if it is a text.
    fn value(&self, key: &str) -> Option<&'o str> {
        metadata(self.object, "annotations")?.get(key)?.as_str()
    }

    /// The annotations whose values are texts.
    fn annotations(&self) -> impl Iterator<Item = (&'o str, &'o str)> + use<'o> {
        let all = metadata(self.object, "annotations").and_then(Value::as_object);
        all.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
    }

    /// The Gateways that a route is attached to: the namespace and name of each.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::guard::Guarded;
    /// let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
    ///     "metadata": {"name": "web", "namespace": "shop"}, "spec": {"parentRefs": [{"name": "edge"}]}});
    /// assert_eq!(Guarded::read(&route).unwrap().gateways(), [("shop", "edge")]);
    /// ```
    #[must_use]
    pub fn gateways(&self) -> Vec<(&'o str, &'o str)> {
        let gateways = self.hosts.gateways.iter().filter(|(_, kind, _)| *kind == GATEWAY);
        gateways.map(|(.., gateway)| *gateway).collect()
    }

    /// Returns the object as a holder of its claims.
    #[must_use]
    pub fn holder(&self) -> Holder {
        let word = |field: &str| metadata_text(self.object, field).to_owned();
        Holder {
            kind: self.kind.to_owned(),
            namespace: word("namespace"),
            name: word("name"),
            created: word("creationTimestamp"),
            is_local: false,
            is_part: false,
        }
    }

    /// Returns the hosts and paths of the object as claims, each once.
    #[must_use]
    pub fn claims(&self) -> Vec<ClaimText> {
        let mut claims: Vec<ClaimText> = self.hosts.taken.iter().map(|taken| self.claim(taken)).collect();
        claims.sort_unstable();
        // A claim of all requests for a path includes the claims of parts of it.
        claims.dedup_by(|left, right| left.text == right.text);
        claims
    }

    pub(crate) fn claim(&self, taken: &ClaimedRoute) -> ClaimText {
        let claim = ClaimText::route(&taken.host, &taken.path, taken.path_type, self.hosts.is_canary);
        ClaimText { is_part: taken.is_part, ..claim }
    }
}

/// Returns the hosts and paths of an object as claims, with the programs of classes by these settings; empty if its kind assigns no hosts.
///
/// ```
/// use serde_json::json;
/// use xposer::{Settings, guard::claims_of};
/// let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
///     "metadata": {"name": "web", "namespace": "shop"},
///     "spec": {"hostnames": ["shop.example.com"], "rules": [{"matches": [{"path": {"type": "Exact", "value": "/api"}}]}]}});
/// assert_eq!(claims_of(&route, &Settings::default())[0].text, "exact shop.example.com/api");
/// ```
#[must_use]
pub fn claims_of(object: &Value, settings: &Settings) -> Vec<ClaimText> {
    Guarded::read_with(object, settings).map(|guarded| guarded.claims()).unwrap_or_default()
}

/// Returns the paths that a path claims, and their types ([`claimed_paths`]).
fn claimed(path: &str, kind: PathType, is_regex: bool, budget: &mut PathBudget) -> Vec<(String, PathType)> {
    let of = |is_exact| if is_exact { PathType::Exact } else { PathType::Prefix };
    let paths = claimed_paths(path, kind, is_regex, budget).into_iter();
    paths.map(|(path, is_exact)| (path.into_owned(), of(is_exact))).collect()
}

/// A field of the metadata.
fn metadata<'o>(object: &'o Value, field: &str) -> Option<&'o Value> {
    object.get("metadata")?.get(field)
}

/// A text field of the metadata; empty if it is missing.
fn metadata_text<'o>(object: &'o Value, field: &str) -> &'o str {
    metadata(object, field).and_then(Value::as_str).unwrap_or_default()
}

/// The items of a list; empty if the field is no list.
fn list_items<'v>(value: &'v Value, field: &str) -> &'v [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A non-empty text field of a mapping.
fn non_empty_text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The value of an annotation of an object, if it is a text that is not empty.
fn annotation<'o>(object: &'o Value, key: &str) -> Option<&'o str> {
    non_empty_text(metadata(object, "annotations")?, key)
}
