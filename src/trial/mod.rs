//! Tries settings on sample Services before they are used. An Error that every Service would get is an error of the settings.

mod profiles;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::check;
use crate::diagnostics::{
    Code, Diagnostic, FieldPath, Origin, Problem, Report, Root, Severity, Subject, listed, quoted,
};
use crate::dialect::cert_manager::chooses_issuer;
use crate::emit::{Kind, Object};
use crate::options::annotations::{self, annotation};
use crate::options::{Layer, Layers, Namespace, Profile, Settings, Slot, SourcedTemplate};
use crate::plan::Plan;
use crate::resolve;
use crate::service::{EXPOSE_LABEL, Service};
use crate::template::{Template, Var, Vars};
use crate::validation::pattern::{Patterns, owns};
use crate::values::Target;

/// The inputs that select the layers of a Service: its profile, its row of `namespaces`, and a pattern of its namespace.
type Combination<'s> = (Option<&'s Profile>, Option<&'s Namespace>, &'s str);
/// The name of a sample Service, and the replacement for `*` in the pattern of its namespace.
type Sample = (&'static str, &'static str);
/// The sample whose names messages contain.
const FIRST: Sample = ("web", "shop");
/// A template may cut a name, so a template that is wrong for one name may be right for another. The first sample here has the
/// shortest possible names: a host that is too long with them is too long with all others.
const OTHERS: [Sample; 2] = [("a", "b"), ("orders-2", "team-9")];
/// The domain of the samples, if the settings leave it to the Services.
const DOMAIN: &str = "example.com";
/// The pattern that matches all namespaces.
const EVERYWHERE: &str = "*";

impl Settings {
    /// Reads settings like [`Settings::from_value`], and tries them like [`Settings::try_out`]. A program does this before it uses
    /// settings.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::Settings;
    /// assert!(Settings::tried(&json!({"domain": "example.com"})).is_ok());
    /// let report = Settings::tried(&json!({"domain": "Example.com", "foo": "bar"})).unwrap_err();
    /// let places: Vec<_> = report.diagnostics().iter().map(|found| found.path.to_string()).collect();
    /// assert_eq!(places, ["settings.foo", "settings.domain"]);
    /// ```
    ///
    /// # Errors
    ///
    /// A report with every Error of the settings. If a part cannot be parsed, the rest is tried without it, and Errors that this
    /// part could correct are left out.
    pub fn tried(value: &Value) -> Result<Self, Report> {
        let (settings, mut report) = Self::of_value(value);
        let tried = settings.try_out();
        if !report.has_errors() {
            return if tried.has_errors() { Err(tried) } else { Ok(settings) };
        }
        let broken: Vec<_> = report.diagnostics().iter().map(|finding| finding.path.clone()).collect();
        for found in tried.into_diagnostics() {
            if is_wrong_by_itself(found.code) && !broken.contains(&found.path) {
                report.file(found.path.clone(), problem(found, None));
            }
        }
        Err(report)
    }

    /// Tries the settings on sample Services: with the general settings, with every profile and in every row of `namespaces`. The
    /// report has the Errors that every such Service would get and that point at a setting, because the author of a Service cannot
    /// correct them.
    ///
    /// A missing value that a Service can give itself is no Error: a domain, an issuer, a port, a host of its namespace. A value
    /// that depends on a condition in a template is no Error, either. Each setting is reported once, however many profiles it
    /// applies to.
    ///
    /// [`Settings::from_value`] does not do this, because the policy reads the settings for every request. The time is proportional
    /// to the number of profiles, of their namespaces, and of rows.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::Settings;
    /// let settings = Settings::from_value(&json!({"domain": "example.com", "ingressNameTemplate": "My_{{.Service}}"}))?;
    /// assert_eq!(settings.try_out().to_string(), "error[ingress-name-invalid]: settings.ingressNameTemplate: `My_web` is \
    ///     not a valid Ingress name: it contains `_` (tried on a Service `web` in the namespace `shop`); write `-` instead of `_`\n");
    /// // A Service can give a domain, so this is in order.
    /// assert!(Settings::from_value(&json!({"tls": true}))?.try_out().is_empty());
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn try_out(&self) -> Report {
        let mut trial = Trial::new(self);
        for (profile, row, pattern) in self.without_own_row() {
            trial.try_layers(profile, row, pattern);
        }
        for (pattern, row) in self.namespaces.iter() {
            match self.own_profile(row) {
                Some(own) => trial.profile_of(pattern, row, own),
                None => trial.no_profile_for(pattern),
            }
            let profile = self.profile_in(pattern, row);
            trial.hosts_of(profile, row, pattern);
            trial.try_layers(profile, Some(row), pattern);
        }
        trial.report
    }

    /// The kinds of objects that are made for Services without annotations: with the general settings, with every profile and in
    /// every row of `namespaces`. Kinds that only annotations of a Service ask for are not included.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::Settings;
    /// use xposer::emit::Kind;
    /// let profiles = json!({"internal": {}, "external": {"target": "HTTPRoute", "parentRefs": [{"name": "external"}]}});
    /// let settings = Settings::from_value(&json!({"domain": "example.com", "monitor": true, "profiles": profiles}))?;
    /// assert!(settings.kinds().into_iter().eq([Kind::Ingress, Kind::HttpRoute, Kind::EndpointMonitor]));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn kinds(&self) -> BTreeSet<Kind> {
        let trial = Trial::new(self);
        let rows = self.namespaces.iter();
        let rows = rows.map(|(pattern, row)| (self.profile_in(pattern, row), Some(row), pattern));
        let mut kinds = BTreeSet::new();
        for (profile, row, pattern) in self.without_own_row().into_iter().chain(rows) {
            let layers = Layers::new(profile, row, self);
            let (plan, report) = trial.planned(layers, FIRST, pattern, &[]);
            // If the settings are incomplete without a Service, only the kinds that they name are known.
            kinds.extend(plan.targets.iter().filter_map(|target| Kind::from_name(target.as_str())));
            kinds.extend(plan.listener_set.as_ref().map(|_| Kind::ListenerSet));
            kinds.extend(plan.monitor.as_ref().map(|_| Kind::EndpointMonitor));
            if !report.has_errors() {
                kinds.extend(plan.emit().objects.iter().map(Object::kind));
            }
        }
        kinds
    }

    /// The combinations for Services in namespaces without a row of their own: the profile, the row of all namespaces, and a
    /// pattern of the namespace.
    fn without_own_row(&self) -> Vec<Combination<'_>> {
        let everywhere = self.namespaces.get(EVERYWHERE);
        let mut all = Vec::new();
        if self.base.profile.is_unset() {
            all.push((None, everywhere, EVERYWHERE));
        }
        for (_, profile) in self.profiles.iter() {
            match &profile.namespaces {
                None => all.push((Some(profile), everywhere, EVERYWHERE)),
                Some(allowed) => {
                    let row = |pattern| self.namespaces.get(pattern).or(everywhere);
                    all.extend(allowed.iter().map(|pattern| (Some(profile), row(pattern), pattern)));
                }
            }
        }
        all
    }

    /// The profile that a row of `namespaces` names.
    fn own_profile(&self, row: &Namespace) -> Option<&Profile> {
        row.layer.profile.value().and_then(|named| self.profiles.get(&named.value))
    }

    /// The default profile of Services in the namespaces of a row.
    fn profile_in(&self, pattern: &str, row: &Namespace) -> Option<&Profile> {
        let default = || self.base.profile.value().and_then(|named| self.profiles.get(&named.value));
        let allowed = |profile: &&Profile| profile.is_for(&namespace(pattern, FIRST));
        self.own_profile(row).or_else(|| default().filter(allowed))
    }
}

/// A namespace for a sample that matches a pattern.
fn namespace(pattern: &str, (_, filler): Sample) -> String {
    pattern.replace('*', filler)
}

struct Trial<'s> {
    settings: &'s Settings,
    /// The general settings, without profiles and namespaces: these are chosen here, and no rule about owners of hosts may apply.
    general: Settings,
    /// Whether any layer names a Gateway. If one does, a Service without a Gateway can get one by choosing a profile or a
    /// namespace.
    has_gateways: bool,
    report: Report,
    /// The codes and paths that are reported already, as [`finding_key`] writes them.
    reported: BTreeSet<String>,
    /// The paths of the fallbacks that are tried already.
    tried_fallbacks: BTreeSet<String>,
    /// The namespaces that may choose a profile; built on first use.
    allowed: Option<Patterns>,
}

impl<'s> Trial<'s> {
    fn new(settings: &'s Settings) -> Self {
        let names_gateway =
            |layer: &Layer| layer.parent_refs.value().is_some_and(|refs| !refs.value.is_empty());
        let subject = Subject { kind: "Settings".into(), ..Subject::default() };
        Self {
            settings,
            general: settings.without_layers(),
            has_gateways: settings.layers().any(names_gateway),
            report: Report::new(subject, settings.strict),
            reported: BTreeSet::new(),
            tried_fallbacks: BTreeSet::new(),
            allowed: None,
        }
    }

    /// Reports a row with a domain and a list of hosts if no host under the domain is in the list.
    fn hosts_of(&mut self, profile: Option<&Profile>, row: &'s Namespace, pattern: &str) {
        let layers = Layers::new(profile, Some(row), self.settings);
        let (Some(hosts), Some(own)) = (&row.hosts, row.layer.domain.value()) else { return };
        let mentions = |template: &SourcedTemplate, var: Var| template.value.text().contains(var.name());
        // A domain that contains a name differs between Services.
        let is_made = mentions(own, Var::Service) || (mentions(own, Var::Namespace) && pattern.contains('*'));
        let is_used = |domain: &SourcedTemplate| {
            domain.origin == own.origin && !is_made && !domain.value.is_conditional()
        };
        let is_in_url = |url: &SourcedTemplate| mentions(url, Var::Domain);
        if !layers.first(|it| &it.domain).is_some_and(is_used)
            || !layers.first(|it| &it.url).is_none_or(is_in_url)
        {
            return;
        }
        let namespace = namespace(pattern, FIRST);
        let vars = Vars { service: FIRST.0, namespace: Some(&namespace), ..Vars::default() };
        let Ok(domain) = own.value.render(&vars) else { return };
        let domain = domain.trim_start_matches('.').to_ascii_lowercase();
        let can_be = |host: &String| {
            let name = host.strip_prefix("*.").unwrap_or(host);
            name == domain || owns(&format!("*.{domain}"), name) || owns(host, &domain)
        };
        if domain.is_empty() || hosts.value.iter().any(can_be) {
            return;
        }
        let message = format!("no host under the domain {} belongs to", quoted(&domain));
        let message = format!("{message} the namespace {}: {}", quoted(pattern), listed_hosts(&hosts.value));
        let help = "set a domain under one of them, or add this one to the list hosts with `*.` in front";
        let problem = Problem::new(Code::HostNotOwned, message).help(help);
        self.report.file(own.origin.path(), problem);
    }

    /// Tries the layers of a Service in a namespace with this name or pattern.
    fn try_layers(&mut self, profile: Option<&'s Profile>, row: Option<&'s Namespace>, pattern: &str) {
        let layers = Layers::new(profile, row, self.settings);
        // A protection may need TLS, or a kind of TLS that only the settings can choose. It is tried with the TLS of the settings,
        // or with TLS if they have none.
        let has_tls = layers.first(|it| &it.tls).is_some_and(|tls| tls.value.is_on());
        let counts = |found: &Diagnostic, has_tls| found.code != Code::ProtectionLost || has_tls;
        let as_is = |found: &Diagnostic| counts(found, has_tls).then(|| found.path.clone());
        self.try_annotations(layers, pattern, &[], &as_is);
        // The name of the secret and the annotations of cert-manager are only checked with TLS. A Service can ask for TLS and name
        // the issuer, so the samples do.
        let mut switched = vec![(annotation::TLS, "cert-manager")];
        if !names_issuer(layers) {
            switched.push((annotation::CLUSTER_ISSUER, "issuer"));
        }
        let with_tls = |found: &Diagnostic| counts(found, !has_tls).then(|| found.path.clone());
        self.try_annotations(layers, pattern, &switched, &with_tls);
        // The Gateways of an HTTPRoute, and of the HTTPRoute that redirects, are only checked if a Service asks for that target.
        if layers.first(|it| &it.http_parent_refs).is_some()
            && layers.first(|it| &it.https_redirect).is_none_or(|it| it.value)
        {
            switched.push((annotation::TARGET, Target::HttpRoute.as_str()));
            self.try_annotations(layers, pattern, &switched, &|found| {
                (found.code == Code::ParentsOverlap).then(|| found.path.clone())
            });
        }
        // A fallback is only rendered if a host is too long, so each is also tried as the template of the host.
        for fallback in layers.first(|it| &it.fallbacks).into_iter().flat_map(|it| &it.value) {
            let path = fallback.origin.path();
            if self.tried_fallbacks.insert(path.to_string()) && !fallback.value.is_conditional() {
                let stand_in = FieldPath::annotation(annotation::URL);
                let given = [(annotation::URL, fallback.value.text())];
                self.try_annotations(layers, pattern, &given, &|found| {
                    (found.path == stand_in).then(|| path.clone())
                });
            }
        }
    }

    /// Tries the layers with these annotations. If the annotations are the values of a setting that is tried, `setting` returns the
    /// path of that setting for a finding.
    fn try_annotations(
        &mut self,
        layers: Layers<'_>,
        pattern: &str,
        annotations: &[(&'static str, &str)],
        setting: &dyn Fn(&Diagnostic) -> Option<FieldPath>,
    ) {
        let mut found = Vec::new();
        for it in self.sample(layers, FIRST, pattern, annotations) {
            let path = setting(&it).filter(|path| path.root() == Root::Settings);
            if let Some(path) = path
                && !self.reported.contains(&finding_key(it.code, &path))
                && !is_conditional(layers, &path)
            {
                found.push((path, it));
            }
        }
        if found.is_empty() {
            return;
        }
        let others = OTHERS.map(|other| self.sample(layers, other, pattern, annotations));
        let tried =
            format!(" (tried on a Service `{}` in the namespace `{}`)", FIRST.0, namespace(pattern, FIRST));
        let mut reported = Vec::new();
        for (path, finding) in found {
            let is_same = |it: &&Diagnostic| it.code == finding.code && it.path == finding.path;
            if !others.iter().all(|other| other.iter().any(|it| is_same(&it))) {
                continue;
            }
            let is_in_other_words =
                |other: &Vec<Diagnostic>| other.iter().all(|it| it.message != finding.message);
            let depends_on_the_name = others.iter().any(is_in_other_words);
            reported.push(finding_key(finding.code, &path));
            let is_of_the_text = path == finding.path;
            let mut problem = problem(finding, depends_on_the_name.then_some(tried.as_str()));
            // The range is in the stand-in annotation, whose escapes may differ from those of the setting.
            problem.range = problem.range.filter(|_| is_of_the_text);
            self.report.file(path, problem);
        }
        self.reported.extend(reported);
    }

    /// The plan of a sample, and its findings.
    fn planned(
        &self,
        layers: Layers<'_>,
        sample: Sample,
        pattern: &str,
        annotations: &[(&'static str, &str)],
    ) -> (Plan, Report) {
        let domain = layers.first(|it| &it.domain);
        let own = domain.is_none().then_some((annotation::DOMAIN, DOMAIN));
        let given = annotations.iter().copied().chain(own);
        let mut annotations = Map::new();
        for (key, value) in given {
            annotations.insert(key.to_owned(), value.into());
        }
        let document = json!({
            "metadata": {
                "name": sample.0, "namespace": namespace(pattern, sample),
                "labels": {EXPOSE_LABEL: "true"}, "annotations": annotations,
            },
            "spec": {"ports": [{"port": 80}]},
        });
        let service = Service::from_value(&document);
        let mut report = Report::new(service.subject(), self.settings.strict);
        let (own, forwarded) = annotations::read(&service, &self.general, &mut report);
        let layers = layers.with_service(&own);
        let plan = resolve::resolve(&service, &self.general, layers, &forwarded, &mut report);
        check::check(&service, &self.general, layers, &forwarded, &plan, &mut report);
        (*plan, report)
    }

    /// The Errors of a sample that the author of a Service cannot correct.
    fn sample(
        &self,
        layers: Layers<'_>,
        sample: Sample,
        pattern: &str,
        annotations: &[(&'static str, &str)],
    ) -> Vec<Diagnostic> {
        let domain = layers.first(|it| &it.domain);
        let (_, report) = self.planned(layers, sample, pattern, annotations);
        let is_certain = |found: &Diagnostic| match found.code {
            // The author of a Service can name an issuer, a host of the namespace, or a host with a certificate, and the ports are
            // those of the Service.
            Code::IssuerMissing | Code::HostNotOwned | Code::CertificateMissing | Code::PortUnknown => false,
            // The sample provides a domain, so only a domain that refers to itself can cause this.
            Code::TemplateValueMissing => domain.is_some_and(|domain| domain.origin.path() == found.path),
            Code::GatewayMissing => !self.has_gateways,
            _ => true,
        };
        // The template is built in and the names are valid, so the domain makes the host invalid.
        let nobody = Origin::BuiltIn.path();
        let mut found = Vec::new();
        for mut it in report.into_diagnostics() {
            if it.severity != Severity::Error || !is_certain(&it) {
                continue;
            }
            if let Some(domain) = domain
                && it.path == nobody
                && it.code.slug().starts_with("host-")
            {
                it.path = domain.origin.path();
            }
            found.push(it);
        }
        found
    }
}

/// The key of a finding in `reported`.
fn finding_key(code: Code, path: &FieldPath) -> String {
    format!("{code} {path}")
}

/// The first hosts of a list.
fn listed_hosts(hosts: &[String]) -> String {
    if hosts.is_empty() {
        return "none".to_owned();
    }
    listed(hosts, " and ")
}

/// Whether the settings name an issuer; an issuer of the sample would conflict with it.
fn names_issuer(layers: Layers<'_>) -> bool {
    let mut layers = layers.iter();
    layers.any(|it| it.issuer().is_set() || it.annotations().iter().any(|it| chooses_issuer(&it.key)))
}

/// Whether the text itself is invalid, so that no other setting could correct it.
fn is_wrong_by_itself(code: Code) -> bool {
    matches!(
        code,
        Code::HostScheme
            | Code::HostPort
            | Code::HostIp
            | Code::HostTrailingDot
            | Code::HostUppercase
            | Code::HostCharacter
            | Code::HostEmptyLabel
            | Code::HostHyphen
            | Code::HostWildcard
            | Code::IngressNameInvalid
            | Code::TlsSecretInvalid
            | Code::CertManagerInvalid
    )
}

/// Whether the template at this path has a condition. An Error in one branch may not occur in the other.
fn is_conditional(layers: Layers<'_>, path: &FieldPath) -> bool {
    let fields: [fn(&Layer) -> &Slot<Template<'static>>; 6] =
        [|it| &it.domain, |it| &it.url, |it| &it.path, |it| &it.name, |it| &it.secret, |it| &it.tls_hosts];
    let mut templates = fields.into_iter().filter_map(|field| layers.first(field));
    templates.any(|template| template.value.is_conditional() && template.origin.path() == *path)
}

/// The problem of the settings that corresponds to a finding about a sample.
fn problem(found: Diagnostic, tried: Option<&str>) -> Problem {
    let Diagnostic { code, mut message, found, mut help, proposed, range, .. } = found;
    message.push_str(tried.unwrap_or_default());
    // An administrator can fix the problem in other ways than the author of a Service.
    let sentence = match code {
        Code::GatewayMissing => Some("set parentRefs"),
        Code::HostScheme => Some("remove the scheme; request https with the setting tls"),
        Code::HostLabelTooLong | Code::HostTooLong => Some("shorten the template, or the domain"),
        Code::HostCommonName => Some("shorten the template, or the domain, or set tlsCommonName: false"),
        Code::PathQuery | Code::PathStrict => {
            Some("write a plain path, or set pathType: ImplementationSpecific")
        }
        _ => None,
    };
    if let Some(sentence) = sentence {
        help = Some(sentence.to_owned());
    }
    Problem { code, message, found, help, proposed, range }
}

#[cfg(test)]
mod tests;
