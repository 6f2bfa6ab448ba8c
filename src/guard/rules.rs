//! The rules about an object that was written by hand, as far as they protect other owners.

use std::collections::BTreeSet;

use super::gateway::{adds_nothing, stays_attached};
use super::ingress::default_backend;
use super::named::NamedHost;
use super::{ClaimedRoute, Guarded};
use crate::conflicts::rivals::{ADOPT_ANNOTATION, AskedRoute, contested_by, published, too_many};
use crate::conflicts::{ClaimText, Holder, Holders};
use crate::diagnostics::Code;
use crate::diagnostics::{FieldPath, Problem, Report, Subject, quoted};
use crate::dialect::hosts::{HostRole, decides_precedence};
use crate::dialect::{is_snippet, kubernetes, nginx};
use crate::options::Settings;

impl Guarded<'_> {
    /// Checks the object against these settings, independently of other objects: hosts that belong to another namespace, denied
    /// annotations, and a class or a Gateway that the namespace may not use.
    ///
    /// If the object is updated from `old`, only changes are reported. A host counts as changed if a path is added to it or if the
    /// object gets another class or Gateway. A class or Gateway counts as changed if a host or path is added.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::{Settings, guard::Guarded};
    /// let settings = Settings::from_value(&json!({"namespaces": {"shop": {"hosts": ["shop.example.com"]}}}))?;
    /// let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
    ///     "metadata": {"name": "web", "namespace": "blog"}, "spec": {"rules": [{"host": "shop.example.com"}]}});
    /// let report = Guarded::read(&ingress).expect("an Ingress is one of the kinds").check(&settings, None);
    /// assert_eq!(report.to_string(), "error[host-not-owned]: Ingress blog/web: spec.rules[0].host: the host `shop.example.com` \
    ///     belongs to the namespace `shop`; choose another host\n");
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn check(&self, settings: &Settings, old: Option<&Self>) -> Report {
        let mut report = self.report();
        let namespace = report.subject().namespace.clone();
        let update = self.update_of(old);
        let Update { before, stays, .. } = &update;
        // Counted by host, because a host may have many paths, each of which may be new.
        let mut added: BTreeSet<String> = BTreeSet::new();
        for taken in
            self.hosts.taken.iter().filter(|taken| !(*stays && before.has(&self.claim(taken), taken)))
        {
            added.insert(taken.host.clone());
        }
        for (host, _) in self.hosts.named.iter().filter(|(host, _)| !(*stays && before.contains(HOST, host)))
        {
            added.insert(host.clone());
        }
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let taken = self.hosts.taken.iter().map(|taken| (&taken.host, &taken.place));
        for (host, place) in taken.chain(self.hosts.named.iter().map(|(host, place)| (host, place))) {
            if !added.contains(host) || !seen.insert(host.clone()) {
                continue;
            }
            let problem = match *place == default_backend() {
                true => settings.problem_of_default_backend(&namespace),
                false => settings.problem_of_host(&namespace, host),
            };
            if let Some(problem) = problem {
                report.file(place.clone(), problem);
            }
        }
        for NamedHost { host, place, .. } in self.new_names(&update, true) {
            if seen.insert(host.clone())
                && let Some(problem) = settings.problem_of_host(&namespace, host)
            {
                report.file(place.clone(), problem);
            }
        }
        for (key, value) in self.annotations() {
            if old.and_then(|old| old.value(key)) == Some(value) {
                continue;
            }
            if let Some(problem) = denied(settings, key) {
                report.file(FieldPath::annotation(key.to_owned()), problem.found(value));
            }
        }
        let is_same = added.is_empty();
        for (class, place) in &self.hosts.classes {
            if is_same && before.contains(CLASS, class) {
                continue;
            }
            if let Some(problem) = settings.problem_of_class(&namespace, class) {
                report.file(place.clone(), problem);
            }
        }
        for (index, kind, gateway) in &self.hosts.gateways {
            if is_same && before.contains(PARENT, &name_of(kind, *gateway)) {
                continue;
            }
            if let Some(problem) = settings.problem_of_gateway(&namespace, kind, *gateway) {
                report.file(FieldPath::object(&["spec", "parentRefs"]).index(*index), problem);
            }
        }
        report
    }

    /// Returns the claims to compare with those of other holders: the claims of hosts that the object names, without the claims
    /// that it had before, as `old`.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::guard::Guarded;
    /// let of = |hosts: &[&str]| json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
    ///     "metadata": {"name": "web", "namespace": "shop"}, "spec": {"rules": hosts.iter().map(|host| json!({"host": host})).collect::<Vec<_>>()}});
    /// let (old, new) = (of(&["a.example.com"]), of(&["a.example.com", "b.example.com", ""]));
    /// let asked = Guarded::read(&new).unwrap().claims_beside(Guarded::read(&old).as_ref());
    /// assert_eq!(asked.len(), 1);
    /// assert_eq!(asked[0].text, "prefix b.example.com/");
    /// ```
    #[must_use]
    pub fn claims_beside(&self, old: Option<&Self>) -> Vec<ClaimText> {
        let update = self.update_of(old);
        let asked = self.asked(&update).into_iter().map(|asked| asked.claim);
        asked
            .chain(self.new_names(&update, false).into_iter().map(|it| ClaimText::name_of(&it.host)))
            .collect()
    }

    /// Compares the claims of hosts that the object names with those of other holders. A claim of an older holder is an Error, and
    /// a claim of a younger holder a Warning. Claims that the object had before, as `old`, are not reported. The other parameters
    /// are those of [`Plan::contested`](crate::Plan::contested).
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::conflicts::{Holder, Holders};
    /// use xposer::guard::Guarded;
    /// let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
    ///     "metadata": {"name": "web", "namespace": "shop"}, "spec": {"rules": [{"host": "shop.example.com"}]}});
    /// let holder = Holder { kind: "Service".to_owned(), namespace: "ops".to_owned(), name: "old".to_owned(),
    ///     created: "2026-01-01T00:00:00Z".to_owned(), is_part: false, is_local: false };
    /// let holders = Holders::from([("prefix shop.example.com/".to_owned(), vec![holder])]);
    /// let guarded = Guarded::read(&ingress).unwrap();
    /// assert!(guarded.contested(None, "", &holders, true).has_errors());
    /// assert!(guarded.contested(Some(&guarded), "2026-01-02T00:00:00Z", &holders, true).is_empty());
    /// ```
    #[must_use]
    pub fn contested(
        &self,
        old: Option<&Self>,
        created: &str,
        holders: &Holders,
        names_others: bool,
    ) -> Report {
        let mut report = self.report();
        // A claim that an update adds counts as asked for now.
        let created = if old.is_some() { "" } else { created };
        let asker = Holder { created: created.to_owned(), ..self.holder() };
        let update = self.update_of(old);
        let asked = self.asked(&update);
        contested_by(&asked, &asker, self.value(ADOPT_ANNOTATION), holders, names_others, &mut report);
        for NamedHost { host, place, .. } in self.new_names(&update, false) {
            let claim = (&ClaimText::name_of(host), false);
            published(claim, place.clone(), &asker, holders, names_others, &mut report);
        }
        // Aliases and paths beyond the limit are not among the claims, so nothing may be added to them.
        let aliases = |of: &Self| (of.value(nginx::SERVER_ALIAS), of.value(nginx::FROM_TO_WWW));
        let has_none = || asked.is_empty() || (aliases(self) == (None, None) && !self.hosts.is_exceeded);
        let is_part = |old: &Self| !self.hosts.is_incomplete || adds_nothing(old.object, self.object);
        let is_known = |old: &Self| old.is_cut && aliases(old) == aliases(self) && has_none() && is_part(old);
        if self.is_cut && !old.is_some_and(is_known) {
            report.file(FieldPath::object(&["metadata", "name"]), too_many());
        }
        report
    }

    /// The claims of named hosts that the object did not have before, with their fields and in words. An object without hosts takes
    /// hosts that depend on its class or Gateway, so it has no such claims.
    fn asked(&self, Update { before, stays, .. }: &Update) -> Vec<AskedRoute> {
        let asked = |taken: &ClaimedRoute| {
            let claim = Some(self.claim(taken)).filter(|claim| !(*stays && before.has(claim, taken)))?;
            Some(AskedRoute {
                claim,
                place: taken.place.clone(),
                shown: format!("{}{}", taken.host, taken.path),
            })
        };
        let named = self.hosts.taken.iter().filter(|taken| !taken.host.is_empty());
        named.filter_map(asked).collect()
    }

    /// Returns the names that the object publishes in DNS, and with `has_certificates` the hosts for which it requests a certificate,
    /// each host once and without those that the object had before the update.
    fn new_names(
        &self,
        Update { before, keeps_names, .. }: &Update,
        has_certificates: bool,
    ) -> Vec<&NamedHost> {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut new = Vec::new();
        for it in &self.named {
            // A rule is compared as a route.
            let is_certificate = it.role == HostRole::Certificate;
            let is_compared = it.role != HostRole::Rule && (has_certificates || !is_certificate);
            let is_kept = (*keeps_names || is_certificate) && it.is_among(&before.0);
            if is_compared && !is_kept && seen.insert(it.host.clone()) {
                new.push(it);
            }
        }
        new
    }

    /// Compares the object with itself before the update; without `old`, it is created.
    fn update_of(&self, old: Option<&Self>) -> Update {
        let before = old.map(PreviousClaims::of).unwrap_or_default();
        let stays = old.is_some_and(|old| self.is_unchanged(old, &before));
        // The address of a name is that of the class or the Gateway.
        let keeps_names = stays && old.is_some_and(|old| self.selections.is_subset(&old.selections));
        Update { before, stays, keeps_names }
    }

    /// Whether the update leaves the requests for each host and path as they were.
    fn is_unchanged(&self, old: &Self, before: &PreviousClaims) -> bool {
        before.keeps_controller(self)
            && self.keeps_precedence(old)
            && stays_attached(&self.holder().namespace, &old.hosts, &self.hosts)
            && !self.gets_more_requests(old)
    }

    /// Whether the update leaves the load balancer of the object and its precedence over others with the same host and path.
    fn keeps_precedence(&self, old: &Self) -> bool {
        let all = self.annotations().chain(old.annotations()).map(|(key, _)| key);
        all.filter(|key| decides_precedence(key)).all(|key| self.value(key) == old.value(key))
    }

    /// Whether the object is a canary that gets other requests than before, or more of them.
    fn gets_more_requests(&self, old: &Self) -> bool {
        let number = |of: &Self, key| of.value(key).and_then(|text| text.parse::<u32>().ok()).map(u64::from);
        // The weight is a share of the total.
        let weight = |of: &Self| number(of, nginx::CANARY_WEIGHT).unwrap_or_default();
        let total = |of: &Self| nginx::weight_total(number(of, nginx::CANARY_WEIGHT_TOTAL));
        let is_more = || weight(self) * total(old) > weight(old) * total(self);
        let all = self.annotations().chain(old.annotations()).map(|(key, _)| key);
        self.hosts.is_canary
            && all.filter(|key| key.starts_with(nginx::CANARY)).any(|key| {
                let is_weight = key.starts_with(nginx::CANARY_WEIGHT);
                // Both are canaries, however the value is written.
                let is_same =
                    self.value(key) == old.value(key) || (key == nginx::CANARY && old.hosts.is_canary);
                !is_same && (!is_weight || is_more())
            })
    }

    fn report(&self) -> Report {
        let Holder { kind, namespace, name, .. } = self.holder();
        Report::new(Subject { kind: kind.into(), namespace, name }, false)
    }
}

const HOST: &str = "host";
const CLASS: &str = "class";
const PARENT: &str = "parent";
const PART: &str = "part";
const WHOLE: &str = "whole";

/// What an update of an object begins with.
struct Update {
    before: PreviousClaims,
    /// Whether it leaves the requests for each host and path as they were.
    stays: bool,
    /// Whether it leaves the addresses of the names in DNS as they were, and those who publish them.
    keeps_names: bool,
}

/// The features of an object before the update, as texts such as `class internal`.
#[derive(Default)]
struct PreviousClaims(BTreeSet<String>);

impl PreviousClaims {
    fn of(old: &Guarded<'_>) -> Self {
        let mut before = Self::default();
        let mut add = |what: &str, name: &str| before.0.insert(format!("{what} {name}"));
        for (claim, taken) in old.hosts.taken.iter().map(|taken| (old.claim(taken), taken)) {
            match claim.is_part {
                true => add(PART, &(claim.text + &taken.match_text)),
                false => add(WHOLE, &claim.text),
            };
        }
        for (host, _) in &old.hosts.named {
            add(HOST, host);
        }
        for (class, _) in &old.hosts.classes {
            add(CLASS, class);
        }
        for (_, kind, gateway) in &old.hosts.gateways {
            add(PARENT, &name_of(kind, *gateway));
        }
        before.0.extend(old.named.iter().map(NamedHost::key));
        before
    }

    fn contains(&self, what: &str, name: &str) -> bool {
        self.0.contains(&format!("{what} {name}"))
    }

    /// Whether the object had this claim. A claim of a whole path includes its parts.
    fn has(&self, claim: &ClaimText, taken: &ClaimedRoute) -> bool {
        self.contains(WHOLE, &claim.text)
            || (claim.is_part && self.contains(PART, &[&*claim.text, &taken.match_text].concat()))
    }

    /// Whether no other controller serves the object after the update. Without a class, the default class of the cluster applies.
    fn keeps_controller(&self, new: &Guarded<'_>) -> bool {
        let had_class = self.0.iter().any(|known| known.starts_with(CLASS));
        had_class != new.hosts.classes.is_empty()
            && new.hosts.classes.iter().all(|(class, _)| self.contains(CLASS, class))
    }
}

fn name_of(kind: &str, (namespace, name): (&str, &str)) -> String {
    format!("{kind} {namespace}/{name}")
}

/// The problem of a denied key.
fn denied(settings: &Settings, key: &str) -> Option<Problem> {
    let pattern = settings.denial(key)?;
    let message = if is_snippet(key) {
        format!("{} would put text into the controller's configuration as it is", quoted(key))
    } else if kubernetes::CLIENT_PREFIXES.iter().any(|prefix| key.starts_with(prefix)) {
        // A pattern such as `*` denies keys of controllers only.
        return None;
    } else {
        format!("{} may not be used: the administrator denies {}", quoted(key), quoted(pattern))
    };
    let help = "remove the annotation, or ask your administrator to allow the key";
    Some(Problem::new(Code::AnnotationDenied, message).help(help))
}
