//! Settings are tried before they are used: what no Service could be exposed under is a problem of the settings, and not
//! one of every Service.

use serde_json::{Map, Value};

use crate::check;
use crate::diagnostics::{
    Code, Diagnostic, FieldPath, Origin, Problem, Report, Root, Severity, Subject, listed, quoted,
};
use crate::options::annotations::{Request, annotation};
use crate::options::{Layer, Layers, Namespace, Profile, Settings, Target, Tpl};
use crate::resolve;
use crate::service::{EXPOSE_LABEL, Service};
use crate::template::{Var, Vars};
use crate::validation::pattern::{Patterns, owns};
use crate::validation::{CLUSTER_ISSUER_KEY, ISSUER_KEY, TLS_ACME_KEY};

/// The name of a sample Service, and what stands for the stars in the name of its namespace.
type Sample = (&'static str, &'static str);
/// The sample that messages speak of.
const FIRST: Sample = ("web", "shop");
/// What is wrong under one name may be right under another one, where a template cuts it. The first names here are as short as
/// names can be: a host that is too long with them is too long with all others.
const OTHERS: [Sample; 2] = [("a", "b"), ("orders-2", "team-9")];
/// The domain of the samples, where the settings leave it to the Services.
const DOMAIN: &str = "example.com";
/// The pattern of all namespaces.
const EVERYWHERE: &str = "*";

impl Settings {
    /// Reads settings, as [`Settings::from_value`] does, and tries them, as [`Settings::try_out`] does. This is what a program
    /// does before it uses settings.
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
    /// Everything that is wrong with them. Where a part cannot be read, the rest is tried without it, and what such a part
    /// could mend is not told.
    pub fn tried(value: &Value) -> Result<Self, Report> {
        let (settings, mut report) = Self::of_value(value);
        let tried = settings.try_out();
        if !report.has_errors() {
            return if tried.has_errors() { Err(tried) } else { Ok(settings) };
        }
        let broken: Vec<_> = report.diagnostics().iter().map(|told| told.path.clone()).collect();
        for found in tried.into_diagnostics() {
            if stands_in_the_text(found.code) && !broken.contains(&found.path) {
                report.file(found.path.clone(), problem(found, None));
            }
        }
        Err(report)
    }

    /// Tries the settings on sample Services: under the general settings, under every profile and in every row of
    /// `namespaces`, as Services can meet them. The report has the Errors that every such Service would get, and that accuse
    /// a setting: what the author of a Service cannot mend.
    ///
    /// What a Service can give itself is no Error: a domain, an issuer, a port, a host of its namespace. Neither is what
    /// depends on a condition in a template. Each setting is accused once, however many profiles it shines through.
    ///
    /// [`Settings::from_value`] does not do this, because the policy reads the settings for every request. The time is in
    /// proportion to the number of profiles, of their namespaces, and of rows.
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
        let everywhere = self.namespaces.get(EVERYWHERE);
        if self.default_profile.is_none() {
            trial.layers(None, everywhere, EVERYWHERE);
        }
        for (_, profile) in self.profiles.iter() {
            match &profile.namespaces {
                None => trial.layers(Some(profile), everywhere, EVERYWHERE),
                Some(allowed) => {
                    for place in allowed.iter() {
                        let row = self.namespaces.get(place).or(everywhere);
                        trial.layers(Some(profile), row, place);
                    }
                }
            }
        }
        let default = self.default_profile.as_ref().and_then(|named| self.profiles.get(&named.value));
        for (place, row) in self.namespaces.iter() {
            let own = row.profile.as_ref().and_then(|named| self.profiles.get(&named.value));
            let profile = match own {
                Some(own) => {
                    trial.profile_of(place, row, own);
                    Some(own)
                }
                None => {
                    trial.no_profile_for(place);
                    default.filter(|profile| is_for(profile, &namespace(place, FIRST)))
                }
            };
            trial.hosts_of(profile, row, place);
            trial.layers(profile, Some(row), place);
        }
        trial.report
    }
}

/// The namespace of a sample, which a pattern fits.
fn namespace(pattern: &str, (_, filler): Sample) -> String {
    pattern.replace('*', filler)
}

/// Whether a namespace may choose a profile.
fn is_for(profile: &Profile, namespace: &str) -> bool {
    profile.namespaces.as_ref().is_none_or(|allowed| allowed.fit(namespace))
}

struct Trial<'s> {
    settings: &'s Settings,
    /// What is set for everybody. Profiles and namespaces are chosen here, and no rule asks whose a host is.
    general: Settings,
    /// Whether any layer names a Gateway: who has to choose a profile, or a namespace, gets it there.
    has_gateways: bool,
    report: Report,
    /// What is accused already, by code and place.
    told: Seen,
    /// The namespaces that may choose a profile, once somebody asks.
    allowed: Option<Patterns>,
    /// The places of the templates that were tried although nothing asks for them yet.
    tried: Seen,
}

/// Some texts. The keys of a mapping of JSON, because a tree of another type would be kilobytes of the policy's module.
#[derive(Default)]
struct Seen(Map<String, Value>);

impl Seen {
    fn has(&self, text: &str) -> bool {
        self.0.contains_key(text)
    }

    /// Adds a text; whether it is new.
    fn add(&mut self, text: String) -> bool {
        self.0.insert(text, Value::Null).is_none()
    }
}

impl<'s> Trial<'s> {
    fn new(settings: &'s Settings) -> Self {
        let layers = [&settings.base].into_iter();
        let layers = layers.chain(settings.profiles.iter().map(|(_, profile)| &profile.layer));
        let mut layers = layers.chain(settings.namespaces.iter().map(|(_, row)| &row.layer));
        let names_gateway =
            |layer: &Layer| layer.parent_refs.as_ref().is_some_and(|refs| !refs.value.is_empty());
        let subject = Subject { kind: "Settings".into(), ..Subject::default() };
        Self {
            settings,
            general: settings.without_layers(),
            has_gateways: layers.any(names_gateway),
            report: Report::new(subject, settings.strict),
            told: Seen::default(),
            allowed: None,
            tried: Seen::default(),
        }
    }

    /// A namespace is given a profile that is not for it.
    fn profile_of(&mut self, place: &str, row: &Namespace, profile: &Profile) {
        let Some(named) = &row.profile else { return };
        if place.contains('*') || is_for(profile, place) {
            return;
        }
        let said = format!("the profile {} is not for the namespace {}", quoted(&named.value), quoted(place));
        let help = format!("add {place} to the list namespaces of the profile, or choose another profile");
        self.report.file(named.origin.path(), Problem::new(Code::ProfileForbidden, said).help(help));
    }

    /// A row names no profile, the default one is not for its namespace, and no other is: no Service there can be exposed.
    fn no_profile_for(&mut self, place: &str) {
        let settings = self.settings;
        let Some(named) = settings.default_profile.as_ref().filter(|_| !place.contains('*')) else { return };
        if settings.profiles.get(&named.value).is_none_or(|profile| is_for(profile, place))
            || self.has_profile_for(place)
        {
            return;
        }
        let name = quoted(&named.value);
        let said = format!("the default profile {name} is not for the namespace {}", quoted(place));
        let said = format!("{said}, and no other profile is, so no Service in it can be exposed");
        let help = format!("add {place} to the list namespaces of the profile, or remove this row");
        let path = FieldPath::setting("namespaces").key(place.to_owned());
        self.report.file(path, Problem::new(Code::ProfileForbidden, said).help(help));
    }

    /// Whether a namespace may choose any profile.
    fn has_profile_for(&mut self, place: &str) -> bool {
        let profiles = &self.settings.profiles;
        let allowed = self.allowed.get_or_insert_with(|| {
            let lists: Option<Vec<_>> =
                profiles.iter().map(|(_, profile)| profile.namespaces.as_ref()).collect();
            let all = lists.map(|lists| lists.into_iter().flat_map(Patterns::iter).map(str::to_owned));
            all.map_or_else(|| vec![EVERYWHERE.to_owned()], Iterator::collect::<Vec<_>>).into()
        });
        allowed.fit(place)
    }

    /// A row has a domain and a list of hosts, and no host under the domain is among them.
    fn hosts_of(&mut self, profile: Option<&Profile>, row: &'s Namespace, place: &str) {
        let layers = Layers::new(profile, Some(row), self.settings);
        let (Some(hosts), Some(own)) = (&row.hosts, &row.layer.domain) else { return };
        let mentions = |template: &Tpl, var: Var| template.value.text().contains(var.name());
        // A domain that is made of a name is another one for other names.
        let is_made = mentions(own, Var::Service) || (mentions(own, Var::Namespace) && place.contains('*'));
        let is_used =
            |domain: &Tpl| domain.origin == own.origin && !is_made && !domain.value.is_conditional();
        let is_in_url = |url: &Tpl| mentions(url, Var::Domain);
        if !layers.first(|it| it.domain.as_ref()).is_some_and(is_used)
            || !layers.first(|it| it.url.as_ref()).is_none_or(is_in_url)
        {
            return;
        }
        let namespace = namespace(place, FIRST);
        let vars = Vars { service: FIRST.0, namespace: Some(&namespace), domain: None };
        let Ok(domain) = own.value.render(&vars) else { return };
        let domain = domain.trim_start_matches('.').to_ascii_lowercase();
        let can_be = |host: &String| {
            let name = host.strip_prefix("*.").unwrap_or(host);
            name == domain || owns(&format!("*.{domain}"), name) || owns(host, &domain)
        };
        if domain.is_empty() || hosts.value.iter().any(can_be) {
            return;
        }
        let said = format!("no host under the domain {} is one of those that belong to", quoted(&domain));
        let said = format!("{said} the namespace {}: {}", quoted(place), listed_hosts(&hosts.value));
        let help = "set a domain under one of them, or add this one to the list hosts with `*.` in front";
        let problem = Problem::new(Code::HostNotOwned, said).help(help);
        self.report.file(own.origin.path(), problem);
    }

    /// Tries the layers of a Service in a namespace of this name or pattern.
    fn layers(&mut self, profile: Option<&'s Profile>, row: Option<&'s Namespace>, place: &str) {
        let layers = Layers::new(profile, row, self.settings);
        let as_is = |found: &Diagnostic| Some(found.path.clone());
        self.under(layers, place, &[], &as_is);
        // A name of a secret, and what cert-manager is told, are looked at where there is TLS, which a Service can ask for
        // itself; the issuer, too.
        let mut switched = vec![(annotation::TLS, "cert-manager")];
        if !names_issuer(layers) {
            switched.push((annotation::CLUSTER_ISSUER, "issuer"));
        }
        self.under(layers, place, &switched, &as_is);
        // So are the Gateways of an HTTPRoute and of the one that redirects.
        if layers.first(|it| it.http_parent_refs.as_ref()).is_some()
            && layers.first(|it| it.https_redirect.as_ref()).is_none_or(|it| it.value)
        {
            switched.push((annotation::TARGET, Target::HttpRoute.as_str()));
            self.under(layers, place, &switched, &|found| {
                (found.code == Code::ParentsOverlap).then(|| found.path.clone())
            });
        }
        // A fallback is looked at where a host is too long.
        for fallback in layers.first(|it| it.fallbacks.as_ref()).into_iter().flatten() {
            let path = fallback.origin.path();
            if self.tried.add(path.to_string()) && !fallback.value.is_conditional() {
                let stand_in = FieldPath::annotation(annotation::URL);
                let given = [(annotation::URL, fallback.value.text())];
                self.under(layers, place, &given, &|found| (found.path == stand_in).then(|| path.clone()));
            }
        }
    }

    /// Tries the layers with these annotations. `accused` gives the setting that a finding is about, if it is about one that is
    /// tried.
    fn under(
        &mut self,
        layers: Layers<'_>,
        place: &str,
        annotations: &[(&'static str, &str)],
        accused: &dyn Fn(&Diagnostic) -> Option<FieldPath>,
    ) {
        let key = |path: &FieldPath, code: Code| format!("{code} {path}");
        let mut found = Vec::new();
        for it in self.sample(layers, FIRST, place, annotations) {
            let path = accused(&it).filter(|path| path.root() == Root::Settings);
            if let Some(path) = path
                && !self.told.has(&key(&path, it.code))
                && !is_conditional(layers, &path)
            {
                found.push((path, it));
            }
        }
        if found.is_empty() {
            return;
        }
        let others = OTHERS.map(|other| self.sample(layers, other, place, annotations));
        let tried =
            format!(" (tried on a Service `{}` in the namespace `{}`)", FIRST.0, namespace(place, FIRST));
        let mut told = Vec::new();
        for (path, finding) in found {
            let is_same = |it: &&Diagnostic| it.code == finding.code && it.path == finding.path;
            if !others.iter().all(|other| other.iter().any(|it| is_same(&it))) {
                continue;
            }
            let is_in_other_words =
                |other: &Vec<Diagnostic>| other.iter().all(|it| it.message != finding.message);
            let depends_on_the_name = others.iter().any(is_in_other_words);
            told.push(key(&path, finding.code));
            let is_of_the_text = path == finding.path;
            let mut problem = problem(finding, depends_on_the_name.then_some(tried.as_str()));
            // A text that was given in place of another one may be unescaped.
            problem.range = problem.range.filter(|_| is_of_the_text);
            self.report.file(path, problem);
        }
        for key in told {
            self.told.add(key);
        }
    }

    /// The Errors of a sample that no Service can mend.
    fn sample(
        &self,
        layers: Layers<'_>,
        sample: Sample,
        place: &str,
        annotations: &[(&'static str, &str)],
    ) -> Vec<Diagnostic> {
        let domain = layers.first(|it| it.domain.as_ref());
        let own = domain.is_none().then_some((annotation::DOMAIN, DOMAIN));
        let mut given = Map::new();
        for (key, value) in annotations.iter().copied().chain(own) {
            given.insert(key.to_owned(), value.into());
        }
        let document = object([
            (
                "metadata",
                object([
                    ("name", sample.0.into()),
                    ("namespace", namespace(place, sample).into()),
                    ("labels", object([(EXPOSE_LABEL, "true".into())])),
                    ("annotations", Value::Object(given)),
                ]),
            ),
            ("spec", object([("ports", Value::Array(vec![object([("port", 80.into())])]))])),
        ]);
        let service = Service::from_value(&document);
        let mut report = Report::new(service.subject(), self.settings.strict);
        let request = Request::read(&service, &mut report);
        let draft = resolve::resolve(&service, &self.general, layers, &request, &mut report);
        check::check(&service, &self.general, layers, &request, draft, &mut report);
        let is_certain = |found: &Diagnostic| match found.code {
            // The author of a Service names an issuer, a host of the namespace, or one with a certificate; the ports are
            // those of the Service.
            Code::IssuerMissing | Code::HostNotOwned | Code::CertificateMissing | Code::PortUnknown => false,
            // The sample has a domain; only one that is made of itself has none.
            Code::TemplateValueMissing => domain.is_some_and(|domain| domain.origin.path() == found.path),
            Code::GatewayMissing => !self.has_gateways,
            _ => true,
        };
        // The template is built in and the names are plain, so a host that cannot be is the domain's fault.
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

/// The first hosts of a list.
fn listed_hosts(hosts: &[String]) -> String {
    if hosts.is_empty() {
        return "none".to_owned();
    }
    listed(hosts.iter().map(String::as_str), hosts.len())
}

/// Whether the settings say which issuer cert-manager is to ask; another one beside it would be a conflict.
fn names_issuer(layers: Layers<'_>) -> bool {
    let is_issuer = |key: &str| {
        [ISSUER_KEY, CLUSTER_ISSUER_KEY, TLS_ACME_KEY].contains(&key) || key.starts_with(ISSUER_KEY)
    };
    layers.iter().any(|it| it.issuer.is_some() || it.annotations.iter().any(|given| is_issuer(&given.key)))
}

/// A mapping of JSON.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let mut object = Map::new();
    for (key, value) in fields {
        object.insert(key.to_owned(), value);
    }
    Value::Object(object)
}

/// Whether it is wrong whatever else is set: no setting that could not be read would mend it.
fn stands_in_the_text(code: Code) -> bool {
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

/// Whether the template at this path renders this or that, by a condition: what is wrong with one may not be with the other.
fn is_conditional(layers: Layers<'_>, path: &FieldPath) -> bool {
    let fields: [fn(&Layer) -> Option<&Tpl>; 5] = [
        |it| it.domain.as_ref(),
        |it| it.url.as_ref(),
        |it| it.path.as_ref(),
        |it| it.name.as_ref(),
        |it| it.secret.as_ref(),
    ];
    let mut templates = fields.into_iter().filter_map(|field| layers.first(field));
    templates.any(|template| template.value.is_conditional() && template.origin.path() == *path)
}

/// A finding about a sample as one about the settings.
fn problem(found: Diagnostic, tried: Option<&str>) -> Problem {
    let Diagnostic { code, mut message, found, mut help, proposed, range, .. } = found;
    message.push_str(tried.unwrap_or_default());
    // The reader is the administrator.
    let sentence = match code {
        Code::GatewayMissing => Some("set parentRefs"),
        Code::HostScheme => Some("remove the scheme; https is asked for with the setting tls"),
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
mod tests {
    use super::*;
    use serde_json::json;

    /// The places of all problems, and their codes.
    fn problems(settings: &Value) -> Vec<String> {
        let settings = Settings::from_value(settings).unwrap_or_else(|report| panic!("{report}"));
        let report = settings.try_out();
        report.diagnostics().iter().map(|found| format!("{} {}", found.path, found.code)).collect()
    }

    #[test]
    fn each_setting_is_accused_once() {
        let settings = json!({
            "domain": "example_1.com", "profiles": {"a": {}, "b": {"tls": true}, "c": {"domain": "example_2.com"}},
            "namespaces": {"shop": {}, "team-*": {"profile": "c"}},
        });
        assert_eq!(
            problems(&settings),
            ["settings.domain host-character", "settings.profiles.c.domain host-character"]
        );
        // Several problems of one setting are all told.
        let settings = json!({"ingressURLTemplate": "A.example.com, B.example.com"});
        assert_eq!(
            problems(&settings),
            ["settings.ingressURLTemplate host-uppercase", "settings.ingressURLTemplate host-uppercase"]
        );
    }

    #[test]
    fn what_no_service_meets_is_not_tried() {
        // Every Service has a profile, and each has a domain of its own.
        let settings = json!({
            "domain": "example_1.com", "defaultProfile": "a",
            "profiles": {"a": {"domain": "example.com"}, "b": {"domain": "example.org"}},
        });
        assert_eq!(problems(&settings), Vec::<String>::new());
        // The profile is for a namespace that has a domain of its own.
        let settings = json!({
            "defaultProfile": "plain",
            "profiles": {"plain": {"domain": "example.org"}, "a": {"namespaces": ["shop"]}}, "domain": "example_1.com",
            "namespaces": {"shop": {"domain": "example.com"}},
        });
        assert_eq!(problems(&settings), Vec::<String>::new());
        assert_eq!(
            problems(&json!({"domain": "example.com", "profiles": {"a": {"namespaces": []}}})),
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_a_service_can_give_is_no_problem() {
        for settings in [
            json!({}),
            json!({"tls": "cert-manager"}),
            json!({"servicePort": "metrics"}),
            json!({"domain": "{{if eq .Namespace \"prod\"}}example.com{{end}}"}),
            json!({"target": "HTTPRoute", "profiles": {"external": {"parentRefs": [{"name": "external"}]}}}),
            json!({"domain": "example.com", "namespaces": {"shop": {"hosts": ["*.example.org"]}}}),
            json!({"domain": "example.com", "tls": "load-balancer", "certificates": ["*.example.org"]}),
            json!({"profiles": {"a": {"namespaces": ["web"]}, "b": {}}, "defaultProfile": "a", "namespaces": {"shop": {}}}),
            json!({"namespaces": {"shop": {"domain": "a.example.org", "hosts": ["web.a.example.org"]}}}),
            json!({"namespaces": {"shop": {"domain": "a.example.org", "hosts": ["*.example.org"]}}}),
            json!({"namespaces": {"team-*": {"domain": "{{.Namespace}}.example.org", "hosts": ["*.team-a.example.org"]}}}),
            json!({"clusterIssuer": "x", "annotations": {"cert-manager.io/duration": "2160h"}}),
            json!({"annotations": {"cert-manager.io/issuer": "x"}, "domain": "example.com"}),
            json!({"profiles": {"a": {"namespaces": ["web-a"]}}, "namespaces": {"web-*": {"profile": "a"}}}),
        ] {
            assert_eq!(problems(&settings), Vec::<String>::new(), "{settings}");
        }
        assert_eq!(problems(&json!({"target": "HTTPRoute"})), ["settings.target gateway-missing"]);
        assert_eq!(
            problems(&json!({"domain": "{{.Domain}}.com"})),
            ["settings.domain template-value-missing"]
        );
    }

    #[test]
    fn what_can_be_read_is_tried_beside_what_cannot() {
        let places = |settings: Value| -> Vec<String> {
            let report = Settings::tried(&settings).err();
            let found = report.map(Report::into_diagnostics).unwrap_or_default();
            found.iter().map(|found| format!("{} {}", found.path, found.code)).collect()
        };
        assert_eq!(
            places(
                json!({"domain": "Example.com", "tls": "maybe", "profiles": {"a": {"domain": "b_c.com"}}})
            ),
            [
                "settings.tls setting-invalid",
                "settings.domain host-uppercase",
                "settings.profiles.a.domain host-character"
            ]
        );
        // The broken part may be what mends it.
        assert_eq!(
            places(json!({"target": "HTTPRoute", "parentRef": [{"name": "gateway"}]})),
            ["settings.parentRef setting-unknown"]
        );
        assert_eq!(places(json!({"domain": "{{.Domian}}"})), ["settings.domain template-unknown-variable"]);
        assert_eq!(places(json!("domain")), ["settings setting-invalid"]);
    }

    #[test]
    fn what_a_service_can_switch_on_is_tried() {
        let gateways = json!([{"name": "gateway"}]);
        for (settings, expected) in [
            (
                json!({"domain": "example.com", "annotations": {"cert-manager.io/duration": "90d"}}),
                r#"settings.annotations["cert-manager.io/duration"] cert-manager-invalid"#,
            ),
            (
                json!({"profiles": {"a": {"annotations": {"cert-manager.io/duration": "90d"}}}, "clusterIssuer": "x"}),
                r#"settings.profiles.a.annotations["cert-manager.io/duration"] cert-manager-invalid"#,
            ),
            (
                json!({"ingressNameTemplate": "web", "tlsSecretNameTemplate": "My_secret"}),
                "settings.tlsSecretNameTemplate tls-secret-invalid",
            ),
            (
                json!({"profiles": {"a": {"parentRefs": gateways}}, "namespaces": {"shop": {"profile": "a", "httpParentRefs": gateways}}}),
                "settings.namespaces.shop.httpParentRefs[0] parents-overlap",
            ),
            (
                json!({"defaultProfile": "a", "profiles": {"a": {"namespaces": ["team-b"]}}, "namespaces": {"team-a": {"tls": true}}}),
                "settings.namespaces.team-a profile-forbidden",
            ),
            (
                json!({"namespaces": {"shop": {"domain": "a.example.org", "hosts": ["*.b.example.org"]}}}),
                "settings.namespaces.shop.domain host-not-owned",
            ),
            (
                json!({"namespaces": {"team-*": {"domain": "x.example.org", "hosts": ["*.example.com"]}}}),
                "settings.namespaces.team-*.domain host-not-owned",
            ),
        ] {
            let found = problems(&settings);
            assert!(found.len() == 1 && found[0].replace("[\"team-*\"]", ".team-*") == expected, "{found:?}");
        }
    }

    #[test]
    fn lengths_count_where_no_name_is_short_enough() {
        let label = "a".repeat(62);
        assert_eq!(
            problems(&json!({"ingressURLTemplate": format!("{{{{.Service}}}}{label}.example.com")})),
            Vec::<String>::new()
        );
        assert_eq!(
            problems(&json!({"ingressURLTemplate": format!("{{{{.Service}}}}-{label}.example.com")})),
            ["settings.ingressURLTemplate host-label-too-long"]
        );
    }

    #[test]
    fn a_domain_is_accused_for_hosts_that_the_built_in_template_makes() {
        for domain in ["*.example.com".to_owned(), "-x.example.com".to_owned(), "a.".repeat(124) + "com"] {
            let found = problems(&json!({"domain": domain}));
            assert!(found.len() == 1 && found[0].starts_with("settings.domain host-"), "{found:?}");
        }
        assert_eq!(
            problems(&json!({"domain": ".example.com", "ingressURLTemplate": "{{.Service}}{{.Domain}}"})),
            Vec::<String>::new()
        );
    }

    #[test]
    fn annotations_that_are_too_large_accuse_the_longest() {
        let settings = json!({"annotations": {"a/b": "c", "a/long": "x".repeat(262_144)}});
        assert_eq!(problems(&settings), ["settings.annotations[\"a/long\"] annotations-too-large"]);
    }

    #[test]
    fn thousands_of_rows_are_tried() {
        let rows: Map<String, Value> = (0..10_000)
            .map(|index| (format!("team-{index}"), json!({"ingressNameTemplate": "My_{{.Service}}"})))
            .collect();
        let profiles: Map<String, Value> =
            (0..1_000).map(|index| (format!("p{index}"), json!({"tls": true}))).collect();
        let found = problems(&json!({"domain": "example.com", "namespaces": rows, "profiles": profiles}));
        assert_eq!(found.len(), crate::diagnostics::MAX_PER_CODE);
    }
}
