//! Objects that somebody wrote by hand and that give hosts to a program: what they take, and what others have of it.
//!
//! One file reads one family of kinds. What is read is the same for all of them, so the rules do not know the kinds.

mod gateway;
mod ingress;
mod route;

use serde_json::Value;

use crate::conflicts::{ClaimText, Holder};
use crate::diagnostics::FieldPath;
use crate::validation::PathType;

/// A host and a path that an object takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The host in lower case; empty where the object takes all hosts.
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) path_type: PathType,
    /// Where the host stands, or where it is missing.
    pub(crate) place: FieldPath,
}

/// The most hosts and paths of one object that are looked at. Lists that are combined would otherwise have no bound.
pub(crate) const MAX_TAKEN: usize = 10_000;

/// An object of a kind that gives hosts to a program.
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
    pub(crate) taken: Vec<Taken>,
    /// Whether it shares the hosts and paths of another object on purpose.
    is_canary: bool,
    class: Option<&'o str>,
    /// The Gateways that it is attached to: namespace and name.
    gateways: Vec<(&'o str, &'o str)>,
}

/// What the reader of a kind finds.
#[derive(Default)]
struct Found<'o> {
    taken: Vec<Taken>,
    is_canary: bool,
    class: Option<&'o str>,
    gateways: Vec<(&'o str, &'o str)>,
}

impl<'o> Guarded<'o> {
    /// Reads an object; `None` if its kind gives no hosts to anybody. The version of the API does not matter.
    #[must_use]
    pub fn read(object: &'o Value) -> Option<Self> {
        let word = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
        let group = word("apiVersion").split_once('/').map_or("", |(group, _)| group);
        type Reader = fn(&Value) -> Found<'_>;
        let (kind, read): (&'static str, Reader) = match (group, word("kind")) {
            ("networking.k8s.io", "Ingress") => ("Ingress", ingress::read),
            ("gateway.networking.k8s.io", "HTTPRoute") => ("HTTPRoute", gateway::http),
            ("gateway.networking.k8s.io", "GRPCRoute") => ("GRPCRoute", gateway::grpc),
            ("gateway.networking.k8s.io", "TLSRoute") => ("TLSRoute", gateway::tls),
            ("route.openshift.io", "Route") => ("Route", route::read),
            _ => return None,
        };
        let Found { taken, is_canary, class, gateways } = read(object);
        Some(Self { kind, object, taken, is_canary, class, gateways })
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The class of an Ingress, if it names one.
    #[must_use]
    pub fn class(&self) -> Option<&'o str> {
        self.class
    }

    /// The Gateways that a route is attached to, each with its namespace.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::guard::Guarded;
    /// let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
    ///     "metadata": {"name": "web", "namespace": "shop"}, "spec": {"parentRefs": [{"name": "edge"}]}});
    /// assert_eq!(Guarded::read(&route).unwrap().gateways(), [("shop", "edge")]);
    /// ```
    #[must_use]
    pub fn gateways(&self) -> &[(&'o str, &'o str)] {
        &self.gateways
    }

    /// The object as a holder of what it takes.
    #[must_use]
    pub fn holder(&self) -> Holder {
        let word = |field: &str| of_metadata(self.object, field).to_owned();
        Holder {
            kind: self.kind.to_owned(),
            namespace: word("namespace"),
            name: word("name"),
            created: word("creationTimestamp"),
            is_local: false,
        }
    }

    /// The hosts and paths that it takes, as claims; each once.
    #[must_use]
    pub fn claims(&self) -> Vec<ClaimText> {
        let mut claims: Vec<ClaimText> = self.taken.iter().map(|taken| self.claim(taken)).collect();
        claims.sort_unstable();
        claims.dedup();
        claims
    }

    pub(crate) fn claim(&self, taken: &Taken) -> ClaimText {
        ClaimText::route(&taken.host, &taken.path, taken.path_type, self.is_canary)
    }
}

/// The hosts and paths that an object takes, as claims; none if its kind gives no hosts to anybody.
///
/// ```
/// use serde_json::json;
/// use xposer::guard::claims_of;
/// let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
///     "metadata": {"name": "web", "namespace": "shop"},
///     "spec": {"hostnames": ["shop.example.com"], "rules": [{"matches": [{"path": {"type": "Exact", "value": "/api"}}]}]}});
/// assert_eq!(claims_of(&route)[0].text, "exact shop.example.com/api");
/// ```
#[must_use]
pub fn claims_of(object: &Value) -> Vec<ClaimText> {
    Guarded::read(object).map(|guarded| guarded.claims()).unwrap_or_default()
}

/// A text of the metadata; empty where there is none.
fn of_metadata<'o>(object: &'o Value, field: &str) -> &'o str {
    object.get("metadata").and_then(|it| it.get(field)).and_then(Value::as_str).unwrap_or_default()
}

/// The items of a list; none where it is none.
fn items<'v>(value: &'v Value, field: &str) -> &'v [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text of a mapping that is not empty.
fn word<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A text of the mapping `annotations` of an object.
fn annotation<'o>(object: &'o Value, key: &str) -> Option<&'o str> {
    object.get("metadata").and_then(|it| it.get("annotations")).and_then(|it| word(it, key))
}
