//! What is wrong with an object that somebody wrote by hand, as far as it is about others.

use std::collections::{BTreeMap, BTreeSet};

use super::{Guarded, Taken, of_metadata, unique};
use crate::conflicts::held::{Asked, contested_by, too_many};
use crate::conflicts::{ClaimText, Holder, Holders};
use crate::diagnostics::Code;
use crate::diagnostics::{FieldPath, Problem, Report, Subject, quoted};
use crate::dialect::{is_snippet, kubernetes};
use crate::options::Settings;

impl Guarded<'_> {
    /// What is wrong under these settings, whatever others have: hosts that belong to another namespace, annotations that nobody may use,
    /// and a class or a Gateway that is not for the namespace.
    ///
    /// What was wrong with the object before it was updated, `old`, is a Warning. A host counts as new if a path is added to it or the object
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
        let namespace = of_metadata(self.object, "namespace");
        let before = old.map(Before::of);
        let before = before.as_ref();
        let mut found: Vec<(FieldPath, Problem, bool)> = Vec::new();
        let stays = before.is_some_and(|before| before.serves(self));
        // A host may have many paths, each of which may be new.
        let taken = self.taken.iter().map(|taken| {
            let was_so = stays && before.is_some_and(|before| before.has(&self.claim(taken)));
            (&taken.host, &taken.place, was_so)
        });
        let named = self.named.iter().map(|(host, place)| {
            (host, place, before.is_some_and(|before| before.hosts.contains(host.as_str())))
        });
        let mut was_so: BTreeMap<&str, bool> = BTreeMap::new();
        let mut places: Vec<(&str, &FieldPath)> = Vec::new();
        for (host, place, was) in taken.chain(named) {
            let known = was_so.entry(host).or_insert_with(|| {
                places.push((host, place));
                true
            });
            *known &= was;
        }
        let adds = was_so.values().any(|was_so| !was_so);
        for (host, place) in places {
            let was_so = was_so.get(host).is_some_and(|was_so| *was_so);
            let problem = settings.problem_of_host(namespace, host);
            found.extend(problem.map(|problem| (place.clone(), problem, was_so)));
        }
        for (key, value) in self.annotations() {
            let Some(problem) = denied(settings, key) else { continue };
            let was_so = old.and_then(|old| old.value(key)) == Some(value);
            found.push((FieldPath::annotation(key.to_owned()), problem.found(value), was_so));
        }
        for (class, place) in &self.classes {
            let was_so = !adds && before.is_some_and(|before| before.classes.contains(class));
            let problem = settings.problem_of_class(namespace, class);
            found.extend(problem.map(|problem| (place.clone(), problem, was_so)));
        }
        for (index, gateway) in &self.gateways {
            let was_so = !adds && before.is_some_and(|before| before.gateways.contains(gateway));
            let place = || FieldPath::object(&["spec", "parentRefs"]).index(*index);
            let problem = settings.problem_of_gateway(namespace, *gateway);
            found.extend(problem.map(|problem| (place(), problem, was_so)));
        }
        // A report has room for some of a code: what is new comes first.
        found.sort_by_key(|(_, _, was_so)| *was_so);
        let mut report = self.report();
        for (place, problem, was_so) in found {
            report.file_of_update(place, problem, was_so);
        }
        report
    }

    /// The claims that are to be compared with what others have, those of hosts that it names: what is new, and what it had before.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::guard::Guarded;
    /// let of = |hosts: &[&str]| json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
    ///     "metadata": {"name": "web", "namespace": "shop"}, "spec": {"rules": hosts.iter().map(|host| json!({"host": host})).collect::<Vec<_>>()}});
    /// let (old, new) = (of(&["a.example.com"]), of(&["a.example.com", "b.example.com", ""]));
    /// let asked = Guarded::read(&new).unwrap().claims_beside(Guarded::read(&old).as_ref());
    /// assert_eq!(asked.map(|claims| claims[0].text.clone()), ["prefix b.example.com/", "prefix a.example.com/"]);
    /// ```
    #[must_use]
    pub fn claims_beside(&self, old: Option<&Self>) -> [Vec<ClaimText>; 2] {
        let (kept, added): (Vec<Asked>, Vec<Asked>) =
            self.asked(old).into_iter().partition(|asked| asked.is_before);
        [added, kept].map(|asked| unique(asked.into_iter().map(|asked| asked.claim).collect()))
    }

    /// Compares the claims of hosts that it names with what others have: an Error for everything that an older one has, and a Warning for
    /// what a younger one has. What it had before, as `old`, is compared by age, and never an Error. The other parameters are those of
    /// [`Plan::contested`](crate::Plan::contested).
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::conflicts::{Holder, Holders};
    /// use xposer::guard::Guarded;
    /// let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
    ///     "metadata": {"name": "web", "namespace": "shop"}, "spec": {"rules": [{"host": "shop.example.com"}]}});
    /// let holder = Holder { kind: "Service".to_owned(), namespace: "ops".to_owned(), name: "old".to_owned(),
    ///     created: "2026-01-01T00:00:00Z".to_owned(), is_local: false };
    /// let holders = Holders::from([("prefix shop.example.com/".to_owned(), vec![holder])]);
    /// let guarded = Guarded::read(&ingress).unwrap();
    /// assert!(guarded.contested(None, "", &holders, true).has_errors());
    /// let update = guarded.contested(Some(&guarded), "2026-01-02T00:00:00Z", &holders, true);
    /// assert!(!update.has_errors() && !update.is_empty());
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
        let asker = Holder { created: created.to_owned(), ..self.holder() };
        contested_by(&self.asked(old), &asker, old.is_some(), holders, names_others, &mut report);
        if self.is_cut {
            let place = FieldPath::object(&["metadata", "name"]);
            report.file_of_update(place, too_many(), old.is_some_and(|old| old.is_cut));
        }
        report
    }

    /// The claims of hosts that it names, with their places and in words; what is new comes first. Which of the hosts of others an object
    /// without a host takes, depends on its class or its Gateway.
    fn asked(&self, old: Option<&Self>) -> Vec<Asked> {
        let before = old.map(Before::of);
        let asked = |taken: &Taken| {
            let claim = self.claim(taken);
            Asked {
                is_before: before.as_ref().is_some_and(|before| before.has(&claim)),
                claim,
                place: taken.place.clone(),
                shown: format!("{}{}", taken.host, taken.path),
            }
        };
        let named = self.taken.iter().filter(|taken| !taken.host.is_empty());
        let mut all: Vec<Asked> = named.map(asked).collect();
        // Who takes a whole path takes a part of it, too.
        all.sort_by_key(|asked| (asked.is_before, asked.claim.is_part));
        all
    }

    fn report(&self) -> Report {
        let Holder { kind, namespace, name, .. } = self.holder();
        Report::new(Subject { kind: kind.into(), namespace, name }, false)
    }
}

/// What an object took before it was updated.
struct Before<'o> {
    /// Each claim, and whether it is about a part only.
    claims: BTreeMap<String, bool>,
    hosts: BTreeSet<&'o str>,
    classes: BTreeSet<&'o str>,
    gateways: BTreeSet<(&'o str, &'o str)>,
}

impl<'o> Before<'o> {
    fn of(old: &'o Guarded<'_>) -> Self {
        let mut claims = BTreeMap::new();
        for ClaimText { text, is_part, .. } in old.taken.iter().map(|taken| old.claim(taken)) {
            *claims.entry(text).or_insert(true) &= is_part;
        }
        Self {
            claims,
            hosts: old.named.iter().map(|(host, _)| host.as_str()).collect(),
            classes: old.classes.iter().map(|(class, _)| *class).collect(),
            gateways: old.gateways().into_iter().collect(),
        }
    }

    fn has(&self, claim: &ClaimText) -> bool {
        self.claims.get(&claim.text).is_some_and(|was_part| claim.is_part || !was_part)
    }

    /// Whether nobody else serves the object now. Without a class, the cluster's default does.
    fn serves(&self, new: &Guarded<'_>) -> bool {
        new.classes.is_empty() == self.classes.is_empty()
            && new.classes.iter().all(|(class, _)| self.classes.contains(class))
            && new.gateways.iter().all(|(_, gateway)| self.gateways.contains(gateway))
    }
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
