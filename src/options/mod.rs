//! The administrator's defaults: an Xposer `config.yaml` as it is, and the settings that are new.
//!
//! Most settings are layers on each other: those of a profile that a Service chooses, those of its namespace, the general
//! ones, and what is built in. Annotations of the Service lie on top. The first that says something counts.

pub mod annotations;
pub mod block;
mod parse;
mod table;
mod values;

use std::borrow::Cow;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::diagnostics::{
    Code, FieldPath, Origin, Problem, Report, Sourced, Subject, did_you_mean, kind_of, listed, quoted,
};
use crate::service::PortRef;
use crate::template::Template;
use crate::validation::PathType;
use crate::validation::pattern::{Certificates, Owners, Patterns};
pub(crate) use parse::{class_problem, object_problem, overlap, port, unknown_word};
use table::READERS;
pub(crate) use table::WEIGHT;
pub use table::{Form, Setting, settings};
pub use values::{Issuer, ParentRef, Target, Termination, Tls};

/// The URL template where nobody gives one. What is built in is read when it is first needed: the policy answers every request
/// from scratch.
pub(crate) static DEFAULT_URL: LazyLock<Tpl> =
    LazyLock::new(|| built_in("{{.Service}}.{{.Namespace}}.{{.Domain}}"));
/// The name template where nobody gives one.
pub(crate) static DEFAULT_NAME: LazyLock<Tpl> = LazyLock::new(|| built_in("{{.Service}}"));
/// The path where nobody gives one.
pub(crate) static DEFAULT_PATH: LazyLock<Tpl> = LazyLock::new(|| built_in("/"));
/// The secret name template that means `<ingress name>-cert`.
pub(crate) const NO_SECRET: &str = "NO_SECRET";
/// The annotations of ExternalDNS have the first prefix up to version 0.21, and the second from 0.22 on.
pub(crate) const DNS_PREFIXES: [&str; 2] =
    ["external-dns.alpha.kubernetes.io/", "external-dns.kubernetes.io/"];

/// What to do with forwarded keys that today's programs no longer read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Legacy {
    /// Write what they read instead.
    #[default]
    Translate,
    /// Pass everything through, as the original did.
    Forward,
}

pub(crate) type Tpl = Sourced<Template<'static>>;

/// An annotation that the administrator gives to what is emitted.
#[derive(Clone, Debug)]
pub(crate) struct DefaultAnnotation {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) path: FieldPath,
}

/// Settings that lie on each other. What is `None` or empty is left to the layer below.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    pub(crate) domain: Option<Tpl>,
    pub(crate) url: Option<Tpl>,
    pub(crate) fallbacks: Option<Vec<Tpl>>,
    pub(crate) path: Option<Tpl>,
    pub(crate) name: Option<Tpl>,
    pub(crate) tls: Option<Sourced<Tls>>,
    pub(crate) secret: Option<Tpl>,
    pub(crate) common_name: Option<bool>,
    pub(crate) issuer: Option<Sourced<Issuer>>,
    pub(crate) certificates: Option<Sourced<Certificates>>,
    pub(crate) https_redirect: Option<Sourced<bool>>,
    pub(crate) port: Option<Sourced<PortRef>>,
    pub(crate) path_type: Option<Sourced<PathType>>,
    pub(crate) class: Option<Sourced<String>>,
    pub(crate) annotations: Vec<DefaultAnnotation>,
    pub(crate) targets: Option<Sourced<Vec<Target>>>,
    pub(crate) parent_refs: Option<Sourced<Vec<ParentRef>>>,
    pub(crate) http_parent_refs: Option<Sourced<Vec<ParentRef>>>,
    pub(crate) termination: Option<Sourced<Termination>>,
    pub(crate) monitor: Option<Sourced<bool>>,
    pub(crate) monitor_health: Option<Sourced<String>>,
    pub(crate) monitor_provider: Option<Sourced<Map<String, Value>>>,
}

/// Defaults under a name that Services choose.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profile {
    pub(crate) layer: Layer,
    /// Patterns of the namespaces that may choose it; `None` means all.
    pub(crate) namespaces: Option<Patterns>,
}

/// Defaults and limits of a namespace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Namespace {
    pub(crate) layer: Layer,
    /// Patterns of the hosts that belong to it, and to nobody else.
    pub(crate) hosts: Option<Sourced<Vec<String>>>,
    /// The profile of Services that choose none.
    pub(crate) profile: Option<Sourced<String>>,
}

/// What is set under names, in their order. There are few, or none, and trees for them would be kilobytes of the policy's module.
#[derive(Clone, Debug)]
pub(crate) struct Named<T> {
    rows: Vec<(String, T)>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self { rows: Vec::new() }
    }
}

impl<T> Named<T> {
    fn find(&self, name: &str) -> Result<usize, usize> {
        self.rows.binary_search_by(|(known, _)| known.as_str().cmp(name))
    }

    /// Adds a row; a mapping, from which they come, has every name once.
    fn insert(&mut self, name: &str, value: T) {
        let (Ok(at) | Err(at)) = self.find(name);
        self.rows.insert(at, (name.to_owned(), value));
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.at(self.find(name).ok()?).map(|(_, value)| value)
    }

    /// The row at a position.
    pub(crate) fn at(&self, position: usize) -> Option<(&str, &T)> {
        self.rows.get(position).map(|(name, value)| (name.as_str(), value))
    }

    /// The names nearest to this one in their order, for a did-you-mean that does not compare with thousands.
    fn near(&self, name: &str) -> impl Iterator<Item = &str> {
        const NEIGHBOURS: usize = 32;
        let (Ok(place) | Err(place)) = self.find(name);
        let names = self.rows.iter().map(|(name, _)| name.as_str());
        names.take(place + NEIGHBOURS).skip(place.saturating_sub(NEIGHBOURS))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.rows.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// The administrator's defaults. Annotations of a Service override them. [`settings`] lists what can be set.
///
/// ```
/// use serde_json::json;
/// use xposer::Settings;
/// let settings = Settings::from_value(&json!({"domain": "example.com", "tls": true})).unwrap();
/// let report = Settings::from_value(&json!({"domian": "example.com", "tls": "maybe"})).unwrap_err();
/// assert_eq!(report.diagnostics().len(), 2);
/// assert_eq!(report.diagnostics()[0].help.as_deref(), Some("did you mean domain?"));
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) base: Layer,
    pub(crate) profiles: Named<Profile>,
    pub(crate) default_profile: Option<Sourced<String>>,
    pub(crate) namespaces: Named<Namespace>,
    /// The rows of `namespaces` that are patterns.
    namespace_patterns: Patterns,
    /// Which row of `namespaces` a host belongs to.
    pub(crate) owners: Owners,
    /// Patterns of annotation keys that may not be forwarded, and of those that may all the same.
    pub(crate) deny: Patterns,
    pub(crate) allow: Patterns,
    /// Patterns of annotation keys that protect, and that a target may lack all the same.
    pub(crate) accept_loss: Patterns,
    pub(crate) dns_prefixes: Vec<Cow<'static, str>>,
    pub(crate) publish_url: bool,
    /// What exposes every Service, whatever is set; empty where settings and annotations decide.
    pub(crate) only_targets: Vec<Target>,
    pub(crate) legacy: Legacy,
    pub(crate) strict: bool,
    pub(crate) stamp: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base: Layer::default(),
            profiles: Named::default(),
            default_profile: None,
            namespaces: Named::default(),
            namespace_patterns: Patterns::default(),
            owners: Owners::default(),
            deny: Patterns::default(),
            allow: Patterns::default(),
            accept_loss: Patterns::default(),
            dns_prefixes: DNS_PREFIXES.map(Cow::Borrowed).to_vec(),
            publish_url: false,
            only_targets: Vec::new(),
            legacy: Legacy::Translate,
            strict: false,
            stamp: true,
        }
    }
}

fn built_in(text: &'static str) -> Tpl {
    Sourced::new(Template::parse(text).unwrap_or_default(), Origin::BuiltIn)
}

/// The layers of one Service, the uppermost first.
#[derive(Clone, Copy)]
pub(crate) struct Layers<'s> {
    all: [Option<&'s Layer>; 3],
}

impl<'s> Layers<'s> {
    pub(crate) fn new(
        profile: Option<&'s Profile>,
        namespace: Option<&'s Namespace>,
        settings: &'s Settings,
    ) -> Self {
        let layers = [profile.map(|it| &it.layer), namespace.map(|it| &it.layer), Some(&settings.base)];
        Self { all: layers }
    }

    /// The layers, the uppermost first.
    pub(crate) fn iter(self) -> impl Iterator<Item = &'s Layer> {
        self.all.into_iter().flatten()
    }

    /// What the first layer says that says something.
    pub(crate) fn first<T>(self, field: impl Fn(&'s Layer) -> Option<&'s T>) -> Option<&'s T> {
        self.iter().find_map(field)
    }

    /// The template of the first layer that has one, else what is built in.
    pub(crate) fn template(
        self,
        field: impl Fn(&'s Layer) -> Option<&'s Tpl>,
        built_in: &'static LazyLock<Tpl>,
    ) -> Option<&'s Tpl> {
        self.first(field).or_else(|| Some(built_in))
    }
}

impl Settings {
    /// Reads settings; `null` and an empty mapping give the defaults. A setting that is `null` or an empty text counts
    /// as not set.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::Settings;
    /// assert!(Settings::from_value(&json!({"domain": "", "servicePort": null, "tls": "TRUE"})).is_ok());
    /// let refused = Settings::from_value(&json!({"profiles": {"external": {"domain": "{{.Name}}"}}}));
    /// let said = refused.err().map(|report| report.to_string()).unwrap_or_default();
    /// assert!(said.starts_with("error[template-unknown-variable]: settings.profiles.external.domain:"));
    /// ```
    ///
    /// # Errors
    ///
    /// Every problem at once: settings that do not exist, values of the wrong type, templates that cannot be read.
    pub fn from_value(value: &Value) -> Result<Self, Report> {
        let (settings, report) = Self::of_value(value);
        if report.has_errors() { Err(report) } else { Ok(settings) }
    }

    /// What can be read, and what is wrong with the rest.
    pub(crate) fn of_value(value: &Value) -> (Self, Report) {
        let mut settings = Self::default();
        let subject = Subject { kind: "Settings".into(), ..Subject::default() };
        let mut report = Report::new(subject, false);
        match value {
            Value::Object(map) => settings.read(map, &mut report),
            Value::Null => {}
            other => {
                let said = format!("expected a mapping, found {}", kind_of(other));
                let problem = Problem::new(Code::SettingInvalid, said).help("write `key: value` pairs");
                report.file(FieldPath::settings(), problem);
            }
        }
        (settings, report)
    }

    fn read(&mut self, map: &Map<String, Value>, report: &mut Report) {
        for (key, value) in map {
            let path = FieldPath::setting(key.clone());
            let Some(row) = READERS.iter().find(|row| row.name == key) else {
                report.file(path, unknown(key, READERS.iter().map(|row| row.name)));
                continue;
            };
            if !value.is_null() {
                row.read(self, value, &path, report);
            }
        }
        self.check_profiles(report);
        self.check_layers(report);
        let rows = || self.namespaces.iter().enumerate();
        self.owners = rows()
            .filter_map(|(at, (_, row))| Some((at, row.hosts.as_ref()?)))
            .flat_map(|(at, hosts)| hosts.value.iter().map(move |host| (host.as_str(), at)))
            .collect();
        let patterns = rows().map(|(_, (name, _))| name).filter(|name| name.contains('*'));
        self.namespace_patterns = patterns.map(str::to_owned).collect::<Vec<_>>().into();
    }

    /// No layer contradicts itself: in `parentRefs` and `httpParentRefs`, or in its annotations.
    fn check_layers(&self, report: &mut Report) {
        let profiles = self.profiles.iter().map(|(_, profile)| &profile.layer);
        let namespaces = self.namespaces.iter().map(|(_, namespace)| &namespace.layer);
        for layer in [&self.base].into_iter().chain(profiles).chain(namespaces) {
            if let Some((path, problem)) = parse::parents_overlap(layer) {
                report.file(path, problem);
            }
            for (path, problem) in parse::contradictions(layer) {
                report.file(path, problem);
            }
        }
    }

    /// Every profile that is named is there.
    fn check_profiles(&self, report: &mut Report) {
        let namespaces = self.namespaces.iter().filter_map(|(_, namespace)| namespace.profile.as_ref());
        for named in self.default_profile.iter().chain(namespaces) {
            if self.profiles.get(&named.value).is_none() {
                report.file(named.origin.path(), self.unknown_profile(Code::SettingInvalid, &named.value));
            }
        }
    }

    /// These settings for somebody who has chosen the layers already: without those of profiles and namespaces, and so without
    /// anybody's hosts.
    pub(crate) fn without_layers(&self) -> Self {
        Self {
            base: Layer::default(),
            profiles: Named::default(),
            default_profile: None,
            namespaces: Named::default(),
            namespace_patterns: Patterns::default(),
            owners: Owners::default(),
            ..self.clone()
        }
    }

    /// What is said of a profile that does not exist.
    pub(crate) fn unknown_profile(&self, code: Code, name: &str) -> Problem {
        let problem = Problem::new(code, format!("there is no profile {}", quoted(name)));
        match did_you_mean(name, self.profiles.near(name)) {
            Some(meant) => problem.help(format!("did you mean {meant}?")).propose(meant),
            None if self.profiles.is_empty() => problem.help("remove it; the settings have no profiles"),
            None => {
                let known = listed(self.profiles.iter().map(|(name, _)| name), self.profiles.len());
                problem.help(format!("choose one of {known}"))
            }
        }
    }

    /// The row of a namespace: that of its own name, else that of the longest pattern that fits.
    pub(crate) fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.at(self.namespace_row(name)?).map(|(_, namespace)| namespace)
    }

    /// The position of that row.
    pub(crate) fn namespace_row(&self, name: &str) -> Option<usize> {
        let own = self.namespaces.find(name);
        own.or_else(|_| self.namespaces.find(self.namespace_patterns.longest(name).unwrap_or_default())).ok()
    }

    /// The keys of the annotation that tells ExternalDNS which controller an object is for, in ascending order.
    pub(crate) fn dns_controller_keys(&self) -> Vec<String> {
        let mut keys: Vec<String> =
            self.dns_prefixes.iter().map(|prefix| format!("{prefix}controller")).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Whether a key is one of ExternalDNS, under one of its own prefixes or of those that are set.
    pub(crate) fn is_dns_key(&self, key: &str) -> bool {
        let set = self.dns_prefixes.iter().map(AsRef::as_ref);
        set.chain(DNS_PREFIXES).any(|prefix| key.starts_with(prefix))
    }

    /// Whether the URL is to be written back on the Service (the setting `stamp`, true by default).
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::Settings;
    /// assert!(Settings::default().stamp());
    /// assert!(Settings::from_value(&json!({"stamp": false})).is_ok_and(|settings| !settings.stamp()));
    /// ```
    #[must_use]
    pub fn stamp(&self) -> bool {
        self.stamp
    }

    /// These settings, under which every Service is exposed by these targets, whatever a setting or an annotation says.
    /// An empty list changes nothing.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use xposer::{Service, Settings, Target, expose};
    /// # let service = json!({"metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"}},
    /// #     "spec": {"ports": [{"port": 80}]}});
    /// let settings = Settings::from_value(&json!({"domain": "example.com"}))?.with_targets([Target::Route]);
    /// let outcome = expose(&Service::from_value(&service), &settings);
    /// assert_eq!(outcome.plan().map(|plan| plan.targets.as_slice()), Some(&[Target::Route][..]));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn with_targets(mut self, targets: impl IntoIterator<Item = Target>) -> Self {
        self.only_targets = targets.into_iter().collect();
        self
    }
}

/// What is said of a key that is none of `known`.
fn unknown<'k>(key: &str, known: impl Iterator<Item = &'k str>) -> Problem {
    let help = match did_you_mean(key, known) {
        Some(name) => format!("did you mean {name}?"),
        None => "remove it; `xposer explain` lists all settings".to_owned(),
    };
    Problem::new(Code::SettingUnknown, format!("there is no setting {}", quoted(key))).help(help)
}
