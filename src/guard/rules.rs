//! What is wrong with an object that somebody wrote by hand, as far as it is about others.

use std::collections::BTreeSet;

use super::{Guarded, Taken};
use crate::conflicts::rivals::{Asked, contested_by, published, too_many};
use crate::conflicts::{ClaimText, Holder, Holders};
use crate::diagnostics::Code;
use crate::diagnostics::{FieldPath, Problem, Report, Subject, quoted};
use crate::dialect::{is_snippet, kubernetes, nginx};
use crate::options::Settings;

impl Guarded<'_> {
    /// What is wrong under these settings, whatever others have: hosts that belong to another namespace, annotations that nobody may use,
    /// and a class or a Gateway that is not for the namespace.
    ///
    /// Of an object that is updated from `old`, only what is new is told. A host counts as new if a path is added to it or the object
    /// gets another class or Gateway, and a class or Gateway does if a host or path is added.
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
        let before = old.map(Before::of).unwrap_or_default();
        let stays = old.is_some_and(|old| before.serves(self) && !self.shares_more(old));
        // A host may have many paths, each of which may be new.
        let mut added: BTreeSet<String> = BTreeSet::new();
        for taken in self.taken.iter().filter(|taken| !(stays && before.has(&self.claim(taken), taken))) {
            added.insert(taken.host.clone());
        }
        for (host, _) in self.named.iter().filter(|(host, _)| !before.knows(HOST, host)) {
            added.insert(host.clone());
        }
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let taken = self.taken.iter().map(|taken| (&taken.host, &taken.place));
        for (host, place) in taken.chain(self.named.iter().map(|(host, place)| (host, place))) {
            if !added.contains(host) || !seen.insert(host.clone()) {
                continue;
            }
            if let Some(problem) = settings.problem_of_host(&namespace, host) {
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
        for (class, place) in &self.classes {
            if is_same && before.knows(CLASS, class) {
                continue;
            }
            if let Some(problem) = settings.problem_of_class(&namespace, class) {
                report.file(place.clone(), problem);
            }
        }
        for (index, gateway) in &self.gateways {
            if is_same && before.knows(GATEWAY, &name_of(*gateway)) {
                continue;
            }
            if let Some(problem) = settings.problem_of_gateway(&namespace, *gateway) {
                report.file(FieldPath::object(&["spec", "parentRefs"]).index(*index), problem);
            }
        }
        report
    }

    /// The claims that are to be compared with what others have: those of hosts that it names, without what it had before, as `old`.
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
        let asked = self.asked(old).into_iter().map(|asked| asked.claim);
        asked.chain(self.publishes(old).map(|(host, _)| ClaimText::name_of(host))).collect()
    }

    /// Compares the claims of hosts that it names with what others have: an Error for everything that an older one has, and a Warning for
    /// what a younger one has. Nothing is said of what it had before, as `old`. The other parameters are those of
    /// [`Plan::contested`](crate::Plan::contested).
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
        // What an update adds is asked for now.
        let created = if old.is_some() { "" } else { created };
        let asker = Holder { created: created.to_owned(), ..self.holder() };
        contested_by(&self.asked(old), &asker, holders, names_others, &mut report);
        for (host, place) in self.publishes(old) {
            let claim = ClaimText::name_of(host);
            published(&claim, place.clone(), &asker, holders, names_others, &mut report);
        }
        if self.is_cut && !old.is_some_and(|old| old.is_cut) {
            report.file(FieldPath::object(&["metadata", "name"]), too_many());
        }
        report
    }

    /// The claims of hosts that it names and did not have before, with their places and in words. Which of the hosts of others an object
    /// without a host takes, depends on its class or its Gateway.
    fn asked(&self, old: Option<&Self>) -> Vec<Asked> {
        let before = old.map(Before::of).unwrap_or_default();
        let stays = old.is_some_and(|old| before.serves(self) && !self.shares_more(old));
        let asked = |taken: &Taken| {
            let claim = Some(self.claim(taken)).filter(|claim| !(stays && before.has(claim, taken)))?;
            Some(Asked { claim, place: taken.place.clone(), shown: format!("{}{}", taken.host, taken.path) })
        };
        let named = self.taken.iter().filter(|taken| !taken.host.is_empty());
        named.filter_map(asked).collect()
    }

    /// The hosts that it does not serve and whose names it publishes, with their places, without those whose names it published before.
    fn publishes(&self, old: Option<&Self>) -> impl Iterator<Item = &(String, FieldPath)> {
        let before = old.map_or(&[][..], |old| &old.published);
        let before: BTreeSet<&str> = before.iter().map(|(host, _)| host.as_str()).collect();
        self.published.iter().filter(move |(host, _)| !before.contains(host.as_str()))
    }

    /// Whether it is a canary that gets other requests than before, or more of them.
    fn shares_more(&self, old: &Self) -> bool {
        let weight = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
        let all = self.annotations().chain(old.annotations()).map(|(key, _)| key);
        self.is_canary
            && all.filter(|key| key.starts_with(nginx::CANARY)).any(|key| {
                let (new, old) = (self.value(key), old.value(key));
                new != old && (key != nginx::CANARY_WEIGHT || weight(new) > weight(old))
            })
    }

    fn report(&self) -> Report {
        let Holder { kind, namespace, name, .. } = self.holder();
        Report::new(Subject { kind: kind.into(), namespace, name }, false)
    }
}

const HOST: &str = "host";
const CLASS: &str = "class";
const GATEWAY: &str = "gateway";
const PART: &str = "part";
const WHOLE: &str = "whole";

/// What an object took before it was updated: texts such as `class internal`.
#[derive(Default)]
struct Before(BTreeSet<String>);

impl Before {
    fn of(old: &Guarded<'_>) -> Self {
        let mut before = Self::default();
        let mut add = |what: &str, name: &str| before.0.insert(format!("{what} {name}"));
        for (claim, taken) in old.taken.iter().map(|taken| (old.claim(taken), taken)) {
            match claim.is_part {
                true => add(PART, &(claim.text + &taken.wants)),
                false => add(WHOLE, &claim.text),
            };
        }
        for (host, _) in &old.named {
            add(HOST, host);
        }
        for (class, _) in &old.classes {
            add(CLASS, class);
        }
        for (_, gateway) in &old.gateways {
            add(GATEWAY, &name_of(*gateway));
        }
        before
    }

    fn knows(&self, what: &str, name: &str) -> bool {
        self.0.contains(&format!("{what} {name}"))
    }

    /// Whether it took this. Who takes a whole path takes a part of it, too.
    fn has(&self, claim: &ClaimText, taken: &Taken) -> bool {
        self.knows(WHOLE, &claim.text)
            || (claim.is_part && self.knows(PART, &[&*claim.text, &taken.wants].concat()))
    }

    /// Whether nobody else serves the object now. Without a class, the cluster's default does.
    fn serves(&self, new: &Guarded<'_>) -> bool {
        let had_class = self.0.iter().any(|known| known.starts_with(CLASS));
        had_class != new.classes.is_empty()
            && new.classes.iter().all(|(class, _)| self.knows(CLASS, class))
            && new.gateways.iter().all(|(_, gateway)| self.knows(GATEWAY, &name_of(*gateway)))
    }
}

fn name_of((namespace, name): (&str, &str)) -> String {
    format!("{namespace}/{name}")
}

/// What is wrong with a key that nobody may use.
fn denied(settings: &Settings, key: &str) -> Option<Problem> {
    let pattern = settings.denial(key)?;
    let said = if is_snippet(key) {
        format!("{} would put text into the controller's configuration as it is", quoted(key))
    } else if kubernetes::OF_CLIENTS.iter().any(|prefix| key.starts_with(prefix)) {
        // A pattern such as `*` is about keys of controllers.
        return None;
    } else {
        format!("{} may not be used: the administrator denies {}", quoted(key), quoted(pattern))
    };
    let help = "remove the annotation, or ask your administrator to allow the key";
    Some(Problem::new(Code::AnnotationDenied, said).help(help))
}
