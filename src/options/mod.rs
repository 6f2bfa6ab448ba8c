//! The administrator's defaults: the `config.yaml` of the original Xposer, unchanged, and new settings.
//!
//! Most settings form layers: the profile that a Service chooses, the Service's namespace, the general settings, and the built-in
//! defaults. The annotations of the Service are the uppermost layer. For each option, the first layer that sets it applies.

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
    Code, FieldPath, Origin, Problem, Report, Sourced, Subject, choose, did_you_mean, kind_of, quoted,
};
use crate::dialect::controller::Controller;
use crate::dialect::external_dns;
use crate::template::Template;
use crate::validation::pattern::{Owners, Patterns};
use crate::values::Target;
pub use admission::{Claims, Guard, Mode};
pub(crate) use annotations::Forwarded;
pub(crate) use gateways::overlap;
pub(crate) use layer::IntentValues;
use layer::Named;
pub(crate) use layer::{BUILT_IN, Entry, Layers, Namespace, Profile, Slot};
pub(crate) use parse::{class_problem, is_class, object_problem, port_of};
pub(crate) use served_by::ClassSource;
pub use served_by::{GatewayFacts, ServedBy};
pub use table::{ConfigOption, Form, Key, annotations, options, settings};
pub(crate) use table::{Decided, Layer, decided};

/// The secret name template that means `<ingress name>-cert`.
pub(crate) const NO_SECRET: &str = "NO_SECRET";
/// The help if a namespace may choose no profile.
pub(crate) const NO_PROFILE: &str = "ask your administrator for a profile";

/// A template and its source.
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
/// Settings can be a field of a program's own configuration, in any format that serde reads. The error of deserialising is one text
/// with all diagnostics of [`Settings::from_value`], one on each line; the reader of the format may add a position and escape the
/// line breaks. Call [`Settings::from_value`] to get the diagnostics themselves.
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
    /// The keys of `namespaces` that are patterns.
    namespace_patterns: Patterns,
    /// The owner of each host: a row of `namespaces`.
    pub(crate) owners: Owners,
    /// Patterns of annotation keys that may not be forwarded, and of the exceptions to them.
    pub(crate) deny: Patterns,
    pub(crate) allow: Patterns,
    /// Patterns of annotation keys that protect a Service and that a target may lose nevertheless.
    pub(crate) accept_loss: Patterns,
    /// The controller that serves each class.
    pub(crate) controllers: Named<Sourced<Controller>>,
    /// The controller that serves all other classes.
    pub(crate) default_controller: Option<Controller>,
    /// The controllers as the classes and Gateways of the cluster name them.
    pub(crate) served_by: ServedBy,
    /// Named authentications, which Services can choose.
    pub(crate) auth: Named<IntentValues>,
    pub(crate) dns_prefixes: Vec<String>,
    pub(crate) publish_url: bool,
    /// The targets of every Service, whatever settings and annotations say; if empty, they decide.
    pub(crate) only_targets: Vec<Target>,
    /// Whether legacy keys are passed on unchanged, as the original Xposer did, and not translated.
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
            default_controller: None,
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
    /// Reads settings. `null` and an empty mapping give the defaults. A setting with the value `null` or an empty text counts as
    /// not set.
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
    /// A report with every problem: unknown settings, values of the wrong type, and templates that cannot be parsed.
    pub fn from_value(value: &Value) -> Result<Self, Report> {
        let (settings, report) = Self::of_value(value);
        if report.has_errors() { Err(report) } else { Ok(settings) }
    }

    /// Reads the settings that are valid, and reports the problems of the others.
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

    /// Reports references to profiles that do not exist.
    fn check_profiles(&self, report: &mut Report) {
        for named in self.layers().filter_map(|layer| layer.profile.value()) {
            if self.profiles.get(&named.value).is_none() {
                report.file(
                    named.origin.path(),
                    self.unknown_profile(Code::SettingInvalid, &named.value, None),
                );
            }
        }
    }

    /// Reports layers that contradict themselves: in `parentRefs` and `httpParentRefs`, in their issuers, or in their annotations.
    fn check_layers(&self, report: &mut Report) {
        // A route that is attached to a ListenerSet is attached to no listener of the Gateway. A rule checks each Service that has
        // no ListenerSet.
        let has_listener_sets =
            self.layers().any(|layer| layer.listener_set.value().is_some_and(|it| it.value));
        for layer in self.layers() {
            let overlap = gateways::parents_overlap(layer).filter(|_| !has_listener_sets);
            let found = overlap.into_iter().chain(entries::contradictions(layer));
            for (path, problem) in found {
                report.file(path, problem);
            }
        }
    }

    /// All layers: the general settings, the profiles and the namespaces.
    pub(crate) fn layers(&self) -> impl Iterator<Item = &Layer> {
        let profiles = self.profiles.iter().map(|(_, profile)| &profile.layer);
        let namespaces = self.namespaces.iter().map(|(_, namespace)| &namespace.layer);
        [&self.base].into_iter().chain(profiles).chain(namespaces)
    }

    /// Returns these settings without profiles and namespaces, and so without owners of hosts, for a caller that has already chosen
    /// the layers.
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

    /// The problem of a profile that does not exist.
    pub(crate) fn unknown_profile(&self, code: Code, name: &str, namespace: Option<&str>) -> Problem {
        let problem = Problem::new(code, format!("there is no profile {}", quoted(name)));
        let is_allowed = |profile: &Profile| namespace.is_none_or(|namespace| profile.is_for(namespace));
        let near = self.profiles.near(name).filter(|name| self.profiles.get(name).is_some_and(is_allowed));
        match did_you_mean(name, near) {
            Some(meant) => problem.help(format!("did you mean {meant}?")).propose(meant),
            None if self.profiles.is_empty() => problem.help("remove it; the settings have no profiles"),
            None => problem.help(match self.allowed_profiles(namespace) {
                Some(choice) => choice,
                None => NO_PROFILE.to_owned(),
            }),
        }
    }

    /// Returns the help that names the profiles that a namespace may choose; `None` if there are none.
    pub(crate) fn allowed_profiles(&self, namespace: Option<&str>) -> Option<String> {
        // There may be thousands of profiles, and a help that names some of them is enough.
        let looked_at = self.profiles.iter().take(100);
        let allowed = looked_at.filter(|(_, it)| namespace.is_none_or(|namespace| it.is_for(namespace)));
        let names: Vec<String> = allowed.map(|(name, _)| name.to_owned()).collect();
        (!names.is_empty()).then(|| choose(&names))
    }

    /// The settings of a namespace: the row with its exact name, otherwise the row with the longest pattern that matches.
    pub(crate) fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.at(self.namespace_row(name)?).map(|(_, namespace)| namespace)
    }

    /// The position of the row that [`Settings::namespace`] returns.
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

    /// Whether ExternalDNS reads a key, with one of its own prefixes or one from the settings.
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

    /// The ConfigMaps with the claims of the controller, and how the policy uses them (the setting `claims`).
    #[must_use]
    pub fn claims(&self) -> Option<&Claims> {
        self.claims.as_ref()
    }

    /// The objects that the policy checks in addition to Services (the setting `guard`).
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Adds what the cluster says about the controllers of its classes and Gateways.
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

    /// Whether each class has the same program as under the other settings. Otherwise an Ingress may take other hosts and paths.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::Settings;
    /// let mapped = Settings::from_value(&json!({"controllers": {"internal": "traefik"}}))?;
    /// assert!(mapped.has_programs_of(&mapped) && !mapped.has_programs_of(&Settings::default()));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn has_programs_of(&self, other: &Self) -> bool {
        self.controllers == other.controllers && self.served_by.has_classes_of(&other.served_by)
    }

    /// What the cluster says about the controllers of its classes and Gateways; empty unless [`Settings::with_served_by`] was
    /// called.
    #[must_use]
    pub fn served_by(&self) -> &ServedBy {
        &self.served_by
    }

    /// Makes these targets expose every Service, whatever a setting or an annotation says. An empty list changes nothing.
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

/// The problem of a key that is not among `known`.
fn unknown<'k>(key: &str, known: impl Iterator<Item = &'k str>) -> Problem {
    let help = match did_you_mean(key, known) {
        Some(name) => format!("did you mean {name}?"),
        None => "remove it; `xposer explain` lists all settings".to_owned(),
    };
    Problem::new(Code::SettingUnknown, format!("there is no setting {}", quoted(key))).help(help)
}
