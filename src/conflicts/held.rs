//! The holders of claims, as the controller records them for programs that see one object at a time.
//!
//! A claim that only one Service can have is a text such as `prefix shop.example.com/`. All claims about one host are in one
//! *bucket*, and so are all claims about one name in a namespace. So one look-up for each host and one for the name are enough,
//! however many hosts there are and however many Services a namespace has. The module [`written`](super::written) has the format of
//! buckets.

use std::collections::{BTreeMap, BTreeSet};

use super::all_claims::AllClaims;
use super::claims::{Claim, Claimed, MAX_NAMED};
use super::written::{BucketHash, config_map};
use crate::dialect::hosts::HostRole;
use crate::plan::{Plan, UNPUBLISHED};
use crate::validation::{PathType, without_slash};

/// The maximum number of holders of one claim in a shard. If all of these are of one namespace, the oldest holder of another
/// namespace is added.
///
/// ```
/// // As many as a diagnostic names, and the one that asks, which may be among them.
/// assert_eq!(xposer::conflicts::MAX_HOLDERS, xposer::internal::MAX_NAMED + 1);
/// ```
pub const MAX_HOLDERS: usize = MAX_NAMED + 1;

/// A claim as text, and the bucket that decides which shard it is in.
///
/// ```
/// use serde_json::json;
/// use xposer::testing;
/// let plan = testing::plan(&[("IngressURLTemplate", "shop.example.com/api")], json!({}))?;
/// let texts: Vec<String> = plan.claims().iter().filter_map(|claim| claim.text()).map(|it| it.text).collect();
/// assert_eq!(texts, ["Ingress shop/web", "prefix shop.example.com/api"]);
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimText {
    /// The text of the claim. Two objects with equal texts claim the same thing.
    pub text: String,
    /// The host that the claim is about, or the namespace and name as [`bucket_of_name`] gives them.
    pub bucket: String,
    /// Whether the claim does not conflict with another local claim: the keys of the URL ConfigMaps of two namespaces.
    pub is_local: bool,
    /// Whether the claim covers only some of the requests for a path: requests with certain headers, query parameters or methods,
    /// requests for a host without a rule, or, for a Service, a redirect or an alias. Within a namespace, a part of an object that was
    /// written by hand conflicts with nothing, and a part of a Service only with a whole claim of another Service. Across namespaces, a
    /// part conflicts like a whole claim.
    pub is_part: bool,
}

impl ClaimText {
    /// Returns the claim of a host and path of an object that Xposer does not manage. An empty path means `/`.
    ///
    /// ```
    /// use xposer::conflicts::ClaimText;
    /// use xposer::validation::PathType;
    /// let route = |path, path_type| ClaimText::route("Shop.example.com", path, path_type, false).text;
    /// assert_eq!(route("/api/", PathType::Prefix), "prefix shop.example.com/api");
    /// assert_eq!(route("/api/", PathType::ImplementationSpecific), "prefix shop.example.com/api");
    /// assert_eq!(route("/api", PathType::Exact), "exact shop.example.com/api");
    /// ```
    #[must_use]
    pub fn route(host: &str, path: &str, path_type: PathType, is_canary: bool) -> Self {
        let host = host.to_ascii_lowercase();
        let is_exact = path_type == PathType::Exact;
        let path = without_slash(if path.is_empty() { "/" } else { path }, is_exact);
        let text = route(&host, path, is_exact, is_canary);
        Self { text, bucket: host, is_local: false, is_part: false }
    }

    /// Returns the claim of a DNS name of a host: a part of the host as a whole.
    pub(crate) fn name_of(host: &str) -> Self {
        Self { is_part: true, ..Self::route(host, "/", PathType::Prefix, false) }
    }

    /// Returns the claim of the object's own name, which only one object of a kind can have.
    ///
    /// ```
    /// let own = xposer::conflicts::ClaimText::object("Ingress", "shop", "web");
    /// assert_eq!((own.text.as_str(), own.bucket.as_str()), ("Ingress shop/web", "web.shop.svc"));
    /// ```
    #[must_use]
    pub fn object(kind: &str, namespace: &str, name: &str) -> Self {
        Self {
            text: format!("{kind} {namespace}/{name}"),
            bucket: bucket_of_name(namespace, name),
            is_local: false,
            is_part: false,
        }
    }

    /// Returns the claim of the stable Service whose requests a canary shares; `None` if this is not the route of a canary.
    ///
    /// ```
    /// use xposer::conflicts::ClaimText;
    /// use xposer::validation::PathType;
    /// let route = |is_canary| ClaimText::route("shop.example.com", "/", PathType::Prefix, is_canary);
    /// assert_eq!(route(true).stable(), Some(route(false).text.as_str()));
    /// assert_eq!(route(false).stable(), None);
    /// ```
    #[must_use]
    pub fn stable(&self) -> Option<&str> {
        self.text.strip_prefix(CANARY)
    }

    /// Returns the other claim that conflicts with this one across namespaces, because a canary takes requests from whichever
    /// object has the host and path: for a canary, the [`stable`](Self::stable) claim, and for another route, the claim of a
    /// canary. `None` if this is no route.
    ///
    /// ```
    /// use xposer::conflicts::ClaimText;
    /// use xposer::validation::PathType;
    /// let route = |is_canary| ClaimText::route("shop.example.com", "/", PathType::Prefix, is_canary);
    /// assert_eq!((route(true).in_other_namespaces(), route(false).in_other_namespaces()), (Some(route(false).text), Some(route(true).text)));
    /// ```
    #[must_use]
    pub fn in_other_namespaces(&self) -> Option<String> {
        if let Some(stable) = self.stable() {
            return Some(stable.to_owned());
        }
        let is_route = [PREFIX, EXACT].iter().any(|kind| self.text.starts_with(kind));
        is_route.then(|| [CANARY, &self.text].concat())
    }

    /// Returns the text by which an update recognises a claim that the object had before. A part and a local claim have a different
    /// text than the whole claim, so that growing to the whole counts as a new claim.
    ///
    /// ```
    /// use xposer::conflicts::ClaimText;
    /// use xposer::validation::PathType;
    /// let whole = ClaimText::route("shop.example.com", "/", PathType::Prefix, false);
    /// let part = ClaimText { is_part: true, ..whole.clone() };
    /// assert_eq!((whole.key_for_update(), part.key_for_update().as_str()), (whole.text, "some prefix shop.example.com/"));
    /// ```
    #[must_use]
    pub fn key_for_update(&self) -> String {
        let some = if self.is_part || self.is_local { "some " } else { "" };
        [some, &self.text].concat()
    }

    /// The name of the ConfigMap of the claim's shard.
    ///
    /// ```
    /// use xposer::conflicts::ClaimText;
    /// use xposer::validation::PathType;
    /// let of = |host, path| ClaimText::route(host, path, PathType::Prefix, false).config_map();
    /// // Everything about one host is in one shard.
    /// assert_eq!(of("shop.example.com", "/"), of("shop.example.com", "/api"));
    /// assert_eq!(of("shop.example.com", "/"), "xposer-claims-2a");
    /// ```
    #[must_use]
    pub fn config_map(&self) -> String {
        config_map(BucketHash::of(&self.bucket).shard())
    }

    /// The key of the claim's bucket in that ConfigMap.
    ///
    /// ```
    /// use xposer::conflicts::ClaimText;
    /// use xposer::validation::PathType;
    /// let of = |path| ClaimText::route("shop.example.com", path, PathType::Prefix, false).key();
    /// assert_eq!((of("/"), of("/api")), ('a', 'a'));
    /// ```
    #[must_use]
    pub fn key(&self) -> char {
        BucketHash::of(&self.bucket).key()
    }
}

/// The prefix of the route of a canary.
pub(super) const CANARY: &str = "canary ";
const EXACT: &str = "exact ";
const PREFIX: &str = "prefix ";

/// The text of a claim of a host and path.
fn route(host: &str, path: &str, is_exact: bool, is_canary: bool) -> String {
    let canary = if is_canary { CANARY } else { "" };
    let kind = if is_exact { EXACT } else { PREFIX };
    [canary, kind, host, path].concat()
}

/// Returns the bucket of a name in a namespace. A name that is derived from the name of an object, such as its secret `web-cert`,
/// is in the same bucket, so that a Service seldom needs more than one look-up for its names. The hash depends least on the last
/// bytes, so the constant suffix is last.
///
/// ```
/// use xposer::conflicts::bucket_of_name;
/// assert_eq!(bucket_of_name("shop", "web"), "web.shop.svc");
/// assert_eq!(bucket_of_name("shop", "web-cert"), bucket_of_name("shop", "web"));
/// assert_eq!(bucket_of_name("shop", "web-redirect"), bucket_of_name("shop", "web"));
/// ```
#[must_use]
pub fn bucket_of_name(namespace: &str, name: &str) -> String {
    let stem = ["-cert", "-redirect"].into_iter().find_map(|end| name.strip_suffix(end));
    format!("{}.{namespace}.svc", stem.unwrap_or(name))
}

/// An object that has a claim, or that asks for it.
///
/// ```
/// use xposer::conflicts::Holder;
/// let holder = |created: &str| Holder {
///     kind: "Service".to_owned(), namespace: "shop".to_owned(), name: "web".to_owned(),
///     created: created.to_owned(), is_local: false, is_part: false,
/// };
/// assert!(holder("2025-01-01T00:00:00Z").precedes(&holder("2026-01-01T00:00:00Z")));
/// // What has no time is being created now.
/// assert!(holder("2026-01-01T00:00:00Z").precedes(&holder("")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The kind of the object, for example `Service` or `Ingress`.
    pub kind: String,
    /// The namespace of the object.
    pub namespace: String,
    /// The name of the object.
    pub name: String,
    /// The creation time in the format of the API server; empty if the object is not created yet.
    pub created: String,
    /// Whether the claim is local ([`ClaimText::is_local`]).
    pub is_local: bool,
    /// Whether the claim covers only some of the requests ([`ClaimText::is_part`]).
    pub is_part: bool,
}

impl Holder {
    /// Whether this holder wins a claim of both: the older one wins; if both were created in the same second, the one whose
    /// namespace and name come first.
    #[must_use]
    pub fn precedes(&self, other: &Self) -> bool {
        // The API server writes all times in one format, so the texts have the order of the times.
        fn key(holder: &Holder) -> (bool, &str, &str, &str) {
            (holder.created.is_empty(), &holder.created, &holder.namespace, &holder.name)
        }
        key(self) < key(other)
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.kind, &self.namespace, &self.name) == (&other.kind, &other.namespace, &other.name)
    }

    /// Whether this claim is the object's own name, which no other object can have, whatever the creation times.
    pub(super) fn is_own_name(&self, claim: &str) -> bool {
        claim
            .strip_prefix(&*self.kind)
            .and_then(|claim| claim.strip_prefix(' '))
            .is_some_and(|claim| claim.split_once('/') == Some((&self.namespace, &self.name)))
    }

    /// Whether the asker may have this claim in addition to this holder, without a conflict.
    pub(super) fn may_share(&self, asked: &ClaimText, asker: &Self) -> bool {
        let is_by_hand = |holder: &Self| holder.kind != SERVICE;
        let is_of_team = self.namespace == asker.namespace;
        // Objects that a team wrote by hand may share a route: controllers merge them, for example one for http and one for https,
        // or one for each class.
        let is_written = is_by_hand(self) && is_by_hand(asker);
        // A part of a Service is a redirect or an alias. It may equal another part; it conflicts with any other claim of a Service.
        let is_divided =
            (self.is_part && (asked.is_part || is_by_hand(self))) || (asked.is_part && is_by_hand(asker));
        (self.is_local && asked.is_local) || (is_of_team && (is_divided || is_written))
    }
}

/// The holders of claims, by the text of the claim. The oldest is first, and each claim has at most [`MAX_HOLDERS`].
///
/// ```
/// let holders = xposer::conflicts::Holders::new();
/// assert!(holders.get("prefix shop.example.com/").is_none());
/// ```
pub type Holders = BTreeMap<String, Vec<Holder>>;

impl Claim<'_> {
    /// The claim as text; `None` for claims that several plans can have, for the Service itself, and for names outside of its
    /// namespace.
    #[must_use]
    pub fn text(&self) -> Option<ClaimText> {
        text(&self.0)
    }
}

fn text(claim: &Claimed<'_>) -> Option<ClaimText> {
    let text = |text: String, bucket: &str| ClaimText {
        text,
        bucket: bucket.to_owned(),
        is_local: false,
        is_part: false,
    };
    Some(match claim {
        Claimed::Service(..)
        | Claimed::Paths(..)
        | Claimed::Host(..)
        | Claimed::Certificate(_)
        | Claimed::Name(_, None, _) => return None,
        Claimed::Name(kind, Some(namespace), name) => ClaimText::object(kind, namespace, name),
        Claimed::Route(host, path, is_exact, is_canary) => {
            text(route(host, path, *is_exact, *is_canary), host)
        }
        Claimed::Listener(namespace, gateway, host) => {
            text(format!("listener {}/{gateway} {host}", namespace.unwrap_or_default()), host)
        }
        Claimed::Secret(namespace, name) => ClaimText::object("Secret", namespace.unwrap_or_default(), name),
        Claimed::Key(key) => text(format!("key {key}"), &format!("key {key}")),
    })
}

impl Plan {
    /// Returns the texts of the exclusive claims of this plan, without the claims that are not recorded.
    ///
    /// ```
    /// use serde_json::json;
    /// let plan = xposer::testing::plan(&[("IngressURLTemplate", "shop.example.com")], json!({}))?;
    /// assert_eq!(plan.claim_texts().len(), 2);
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn claim_texts(&self) -> Vec<ClaimText> {
        self.texts(|role| role < HostRole::Name)
    }

    /// Returns the claims that are compared with those of others at admission: the [`claim_texts`](Self::claim_texts), and the hosts whose DNS
    /// names the plan publishes and that it does not serve.
    ///
    /// ```
    /// use serde_json::json;
    /// let block = "external-dns.alpha.kubernetes.io/hostname: other.example.com";
    /// let annotations = [("IngressURLTemplate", "shop.example.com"), ("xposer.stakater.com/annotations", block)];
    /// let plan = xposer::testing::plan(&annotations, json!({}))?;
    /// assert_eq!((plan.claim_texts().len(), plan.admission_claim_texts().len()), (2, 3));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn admission_claim_texts(&self) -> Vec<ClaimText> {
        self.texts(|_| true)
    }

    fn texts(&self, counts: impl Fn(HostRole) -> bool) -> Vec<ClaimText> {
        let added = self.added_hosts();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let claims = AllClaims::of(self, &added);
        let claims = claims.iter().filter(|(.., role)| counts(*role));
        let texts = claims.filter_map(|(claim, _, role)| text_of(self, claim, role));
        texts.filter(|text| seen.insert(text.text.clone())).collect()
    }

    /// Returns the texts by which the update of a Service recognises the claims that it had before, with this plan. `new` is the plan
    /// after the update. A canary that gets more requests than before claims its routes again, and so does a name that gets another
    /// address in DNS.
    ///
    /// ```
    /// use serde_json::json;
    /// let plan = |block: &str| {
    ///     let annotations = [("IngressURLTemplate", "shop.example.com"), ("xposer.stakater.com/annotations", block)];
    ///     xposer::testing::plan(&annotations, json!({}))
    /// };
    /// let (old, new) = (plan("external-dns.alpha.kubernetes.io/hostname: a.example.com")?, plan("")?);
    /// assert!(old.keys_for_update(&new).is_superset(&new.keys_for_update(&new)));
    /// assert!(!new.keys_for_update(&old).is_superset(&old.keys_for_update(&old)));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn keys_for_update(&self, new: &Self) -> BTreeSet<String> {
        let is_more = self.canary().zip(new.canary()).is_some_and(|(old, new)| new.gets_more(old));
        let (added, mut addresses) = (self.added_hosts(), self.addresses_for_update());
        let own_addresses = self.own_addresses();
        addresses.extend(own_addresses.iter().cloned());
        addresses.push(UNPUBLISHED.to_owned());
        let mut keys = BTreeSet::new();
        for (claim, _, role) in AllClaims::of(self, &added).iter() {
            let Some(text) = text_of(self, claim, role) else { continue };
            if role >= HostRole::Name {
                for address in &addresses {
                    keys.insert(role.key(address, &text.text));
                }
            } else if !(is_more && text.stable().is_some()) {
                keys.insert(text.key_for_update());
            }
        }
        // A route publishes the name of its host, too.
        for rule in &self.rules {
            let name = ClaimText::name_of(&rule.host).text;
            keys.extend(own_addresses.iter().map(|address| HostRole::Rule.key(address, &name)));
        }
        keys
    }

    /// Returns this plan's Service as a holder. `created` is as in [`Plan::contested`].
    ///
    /// ```
    /// use serde_json::json;
    /// let plan = xposer::testing::plan(&[], json!({}))?;
    /// assert_eq!((plan.holder("").kind.as_str(), plan.holder("").name.as_str()), ("Service", "web"));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn holder(&self, created: &str) -> Holder {
        Holder {
            kind: SERVICE.to_owned(),
            namespace: self.subject.namespace.clone(),
            name: self.subject.name.clone(),
            created: created.to_owned(),
            is_local: false,
            is_part: false,
        }
    }
}

/// The kind of the holders that the controller exposes. Objects of all other kinds were written by hand.
pub(super) const SERVICE: &str = "Service";

pub(super) fn text_of(plan: &Plan, claim: &Claimed<'_>, role: HostRole) -> Option<ClaimText> {
    let is_local = matches!(claim, Claimed::Key(_)) && !plan.is_global();
    text(claim).map(|text| ClaimText { is_local, is_part: role != HostRole::Rule, ..text })
}
