//! What is wrong with an object that somebody wrote by hand, as far as it is about others.

use std::collections::BTreeSet;

use super::{Guarded, Taken};
use crate::conflicts::held::contested_by;
use crate::conflicts::{ClaimText, Holder, Holders};
use crate::diagnostics::Code;
use crate::diagnostics::{FieldPath, Problem, Report, Subject, quoted};
use crate::dialect::{is_snippet, kubernetes};
use crate::options::Settings;

impl Guarded<'_> {
    /// What is wrong under these settings, whatever others have: hosts that belong to another namespace, annotations that nobody may use,
    /// and a class or a Gateway that is not for the namespace.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::{Settings, guard::Guarded};
    /// let settings = Settings::from_value(&json!({"namespaces": {"shop": {"hosts": ["shop.example.com"]}}}))?;
    /// let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
    ///     "metadata": {"name": "web", "namespace": "blog"}, "spec": {"rules": [{"host": "shop.example.com"}]}});
    /// let report = Guarded::read(&ingress).expect("an Ingress is one of the kinds").check(&settings);
    /// assert_eq!(report.to_string(), "error[host-not-owned]: Ingress blog/web: spec.rules[0].host: the host `shop.example.com` \
    ///     belongs to the namespace `shop`; choose another host\n");
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn check(&self, settings: &Settings) -> Report {
        let mut report = self.report();
        let namespace = report.subject().namespace.clone();
        let taken = self.taken.iter().map(|taken| (taken.host.as_str(), &taken.place));
        let named = self.named.iter().map(|(host, place)| (host.as_str(), place));
        let mut seen = BTreeSet::new();
        for (host, place) in taken.chain(named) {
            // A host may have many paths.
            if !seen.insert(host.to_owned()) {
                continue;
            }
            if let Some(problem) = settings.problem_of_host(&namespace, host) {
                report.file(place.clone(), problem);
            }
        }
        for (key, value) in self.annotations() {
            if let Some(problem) = denied(settings, key) {
                // Another value is another finding.
                report.file(FieldPath::annotation(key.to_owned()), problem.found(value));
            }
        }
        for (class, place) in &self.classes {
            if let Some(problem) = settings.problem_of_class(&namespace, class) {
                report.file(place.clone(), problem);
            }
        }
        for (index, gateway) in &self.gateways {
            if let Some(problem) = settings.problem_of_gateway(&namespace, *gateway) {
                report.file(FieldPath::object(&["spec", "parentRefs"]).index(*index), problem);
            }
        }
        report
    }

    /// The claims that are to be compared with what others have: those of hosts that it names, without those that it had before.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::guard::Guarded;
    /// let of = |hosts: &[&str]| json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
    ///     "metadata": {"name": "web", "namespace": "shop"}, "spec": {"rules": hosts.iter().map(|host| json!({"host": host})).collect::<Vec<_>>()}});
    /// let (old, new) = (of(&["a.example.com"]), of(&["a.example.com", "b.example.com", ""]));
    /// let asked = Guarded::read(&new).unwrap().claims_beside(Guarded::read(&old).as_ref());
    /// assert_eq!(asked.iter().map(|claim| claim.text.as_str()).collect::<Vec<_>>(), ["prefix b.example.com/"]);
    /// ```
    #[must_use]
    pub fn claims_beside(&self, old: Option<&Self>) -> Vec<ClaimText> {
        self.asked(old).into_iter().map(|(claim, ..)| claim).collect()
    }

    /// Compares these claims with what others have: an Error for everything that an older one has, and a Warning for what a younger one
    /// has. The other parameters are those of [`Plan::contested`](crate::Plan::contested).
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
    /// assert!(guarded.contested(Some(&guarded), "", &holders, true).is_empty());
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
        // What is compared is new, if it was something else before.
        let created = if old.is_some() { String::new() } else { created.to_owned() };
        let asker = Holder { created, ..self.holder() };
        contested_by(&self.asked(old), &asker, holders, names_others, &mut report);
        report
    }

    /// The claims with their places and in words. Which of the hosts of others an object without a host takes, depends on its class or its
    /// Gateway.
    fn asked(&self, old: Option<&Self>) -> Vec<(ClaimText, FieldPath, String)> {
        let before: BTreeSet<String> =
            old.into_iter().flat_map(|old| old.taken.iter().map(|taken| old.claim(taken).text)).collect();
        let claim = |taken: &Taken| {
            let shown = format!("{}{}", taken.host, taken.path);
            (self.claim(taken), taken.place.clone(), shown)
        };
        let named = self.taken.iter().filter(|taken| !taken.host.is_empty());
        named.map(claim).filter(|(claim, ..)| !before.contains(&claim.text)).collect()
    }

    fn report(&self) -> Report {
        let Holder { kind, namespace, name, .. } = self.holder();
        Report::new(Subject { kind: kind.into(), namespace, name }, false)
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
