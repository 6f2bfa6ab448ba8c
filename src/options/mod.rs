//! The administrator's defaults: an Xposer `config.yaml` as it is, and the settings that are new.
//!
//! Most settings are layers on each other: those of a profile that a Service chooses, those of its namespace, the general
//! ones, and what is built in. Annotations of the Service lie on top. The first that says something counts.

mod admission;
pub(crate) mod annotations;
pub(crate) mod block;
mod entries;
mod gateways;
mod layer;
mod named;
mod owned;
mod parse;
mod served_by;
mod table;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::{Map, Value};

use crate::diagnostics::{
    Code, FieldPath, Origin, Problem, Report, Sourced, Subject, did_you_mean, kind_of, listed, quoted,
};
use crate::dialect::controller::Controller;
use crate::dialect::external_dns;
use crate::template::Template;
use crate::validation::pattern::{Owners, Patterns};
use crate::values::Target;
pub use admission::{Claims, Guard, Mode};
pub(crate) use annotations::Forwarded;
pub(crate) use gateways::overlap;
use layer::Named;
pub(crate) use layer::Wishes;
pub(crate) use layer::{Entry, Layers, Namespace, Profile, Slot, built_in};
pub(crate) use parse::{class_problem, is_class, object_problem, port_of};
pub use served_by::{GatewayFacts, ServedBy};
pub use table::{ConfigOption, Form, Key, annotations, options, settings};
pub(crate) use table::{Decided, Layer, decided};

/// The secret name template that means `<ingress name>-cert`.
pub(crate) const NO_SECRET: &str = "NO_SECRET";

/// A template and where it was written.
pub(crate) type SourcedTemplate = Sourced<Template<'static>>;

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
///
/// Settings can be a field of a program's own configuration, in any format that serde reads. The error is a text with
/// everything that [`Settings::from_value`] reports, one diagnostic a line; a reader may add a
/// position and escape the line breaks. Call
/// [`Settings::from_value`] to get the diagnostics themselves.
///
/// ```
/// #[derive(serde::Deserialize)]
/// struct Config {
///     xposer: xposer::Settings,
/// }
///
/// let config: Config = serde_json::from_str(r#"{"xposer": {"stamp": false}}"#)?;
/// assert!(!config.xposer.stamp());
/// let error = serde_json::from_str::<xposer::Settings>(r#"{"domian": "example.com", "tls": "maybe"}"#).unwrap_err();
/// let lines: Vec<String> = error.to_string().lines().map(str::to_owned).collect();
/// assert!(lines[0].starts_with("error[setting-unknown]: settings.domian: "));
/// assert!(lines[1].starts_with("error[setting-invalid]: settings.tls: "));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) base: Layer,
    pub(crate) profiles: Named<Profile>,
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
    /// Which program serves a class.
    pub(crate) controllers: Named<Sourced<Controller>>,
    /// Which program serves all other classes.
    pub(crate) default_controller: Controller,
    /// Who serves what, as the cluster says it.
    pub(crate) served_by: ServedBy,
    /// Authentications that Services choose by their names.
    pub(crate) auth: Named<Wishes>,
    pub(crate) dns_prefixes: Vec<String>,
    pub(crate) publish_url: bool,
    /// What exposes every Service, whatever is set; empty where settings and annotations decide.
    pub(crate) only_targets: Vec<Target>,
    /// Whether keys that today's programs no longer read are passed on as they are, as the original did, and not translated.
    pub(crate) forwards_legacy: bool,
    pub(crate) strict: bool,
    pub(crate) stamp: bool,
    claims: Option<Claims>,
    guard: Guard,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base: Layer::default(),
            profiles: Named::default(),
            namespaces: Named::default(),
            namespace_patterns: Patterns::default(),
            owners: Owners::default(),
            deny: Patterns::default(),
            allow: Patterns::default(),
            accept_loss: Patterns::default(),
            controllers: Named::default(),
            default_controller: Controller::IngressNginx,
            served_by: ServedBy::default(),
            auth: Named::default(),
            dns_prefixes: external_dns::PREFIXES.map(str::to_owned).to_vec(),
            publish_url: false,
            only_targets: Vec::new(),
            forwards_legacy: false,
            strict: false,
            stamp: true,
            claims: None,
            guard: Guard::default(),
        }
    }
}

/// The names of the profiles, in ascending order.
///
/// ```
/// use serde_json::json;
/// use xposer::{Settings, internal::profiles};
/// let settings = Settings::from_value(&json!({"profiles": {"internal": {"domain": "corp.example.com"}}}))?;
/// assert_eq!(profiles(&settings), ["internal"]);
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn profiles(settings: &Settings) -> Vec<&str> {
    settings.profiles.iter().map(|(name, _)| name).collect()
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value(&value).map_err(|report| D::Error::custom(report.to_string().trim_end()))
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
            let place = Origin::Setting(FieldPath::setting(key.clone()));
            let Some(row) = table::find_setting(key) else {
                report.file(place.path(), unknown(key, table::setting_names()));
                continue;
            };
            if value.is_null() {
                continue;
            }
            let read = match (row.read_top, row.read) {
                (Some(read), _) => read(self, value, &place),
                (None, Some(read)) => read(&mut self.base, value, place),
                (None, None) => Ok(()),
            };
            for (path, problem) in read.err().unwrap_or_default() {
                report.file(path, problem);
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

    /// Every profile that is named is there.
    fn check_profiles(&self, report: &mut Report) {
        for named in self.layers().filter_map(|layer| layer.profile.set()) {
            if self.profiles.get(&named.value).is_none() {
                report.file(named.origin.path(), self.unknown_profile(Code::SettingInvalid, &named.value));
            }
        }
    }

    /// No layer contradicts itself: in `parentRefs` and `httpParentRefs`, in its issuers, or in its annotations.
    fn check_layers(&self, report: &mut Report) {
        // Routes that are attached to a ListenerSet are at no listener of the Gateway; who has none is looked at by a rule.
        let has_listener_sets =
            self.layers().any(|layer| layer.listener_set.set().is_some_and(|it| it.value));
        for layer in self.layers() {
            let overlap = gateways::parents_overlap(layer).filter(|_| !has_listener_sets);
            let found = overlap.into_iter().chain(entries::contradictions(layer));
            for (path, problem) in found {
                report.file(path, problem);
            }
        }
    }

    /// All layers: that for everybody, those of the profiles, and those of the namespaces.
    pub(crate) fn layers(&self) -> impl Iterator<Item = &Layer> {
        let profiles = self.profiles.iter().map(|(_, profile)| &profile.layer);
        let namespaces = self.namespaces.iter().map(|(_, namespace)| &namespace.layer);
        [&self.base].into_iter().chain(profiles).chain(namespaces)
    }

    /// These settings for somebody who has chosen the layers already: without those of profiles and namespaces, and so without
    /// anybody's hosts.
    pub(crate) fn without_layers(&self) -> Self {
        Self {
            base: Layer::default(),
            profiles: Named::default(),
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
            self.dns_prefixes.iter().map(|prefix| external_dns::controller_key(prefix)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Whether a key is one of ExternalDNS, under one of its own prefixes or of those that are set.
    pub(crate) fn is_dns_key(&self, key: &str) -> bool {
        let set = self.dns_prefixes.iter().map(String::as_str);
        set.chain(external_dns::PREFIXES).any(|prefix| key.starts_with(prefix))
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

    /// Where the controller writes down who has what, and what the policy makes of it (the setting `claims`).
    #[must_use]
    pub fn claims(&self) -> Option<&Claims> {
        self.claims.as_ref()
    }

    /// What the policy looks at beside Services (the setting `guard`).
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// These settings with what the cluster says about who serves its classes and Gateways.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::options::ServedBy;
    /// use xposer::Settings;
    /// let served_by = ServedBy::default().with_ingress_class("internal", "traefik.io/ingress-controller");
    /// let settings = Settings::default().with_served_by(served_by.clone());
    /// assert_eq!(settings.served_by(), &served_by);
    /// ```
    #[must_use]
    pub fn with_served_by(mut self, served_by: ServedBy) -> Self {
        self.served_by = served_by;
        self
    }

    /// What the cluster says about who serves its classes and Gateways; nothing, unless [`Settings::with_served_by`] was called.
    #[must_use]
    pub fn served_by(&self) -> &ServedBy {
        &self.served_by
    }

    /// These settings, under which every Service is exposed by these targets, whatever a setting or an annotation says.
    /// An empty list changes nothing.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::{Service, Settings, Target, expose, testing};
    /// let service = testing::service(&[]);
    /// let settings = Settings::from_value(&json!({"domain": "example.com"}))?.with_targets([Target::Route]);
    /// let outcome = expose(&Service::from_value(&service), &settings);
    /// assert_eq!(outcome.plan().map(|plan| plan.targets().to_vec()), Some(vec![Target::Route]));
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
