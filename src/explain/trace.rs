//! The source of every value that decides how a Service is exposed, which `xposer explain` shows.

use std::borrow::Cow;
use std::fmt;

use crate::diagnostics::{FieldPath, Origin, Report, joined, quoted};
use crate::dialect::mappings::mappings;
use crate::dialect::support::{Support, support};
use crate::dialect::write::write;
use crate::intents::Intent;
use crate::options::{Decided, Entry, Layer, Layers, Settings, annotations, decided};
use crate::plan::{Plan, Reason};
use crate::resolve;
use crate::service::Service;
use crate::values::Target;

/// A value and its source.
///
/// ```
/// use serde_json::json;
/// use xposer::internal::trace;
/// use xposer::{Service, Settings, testing};
/// let service = testing::service(&[("Profile", "external")]);
/// let settings = Settings::from_value(&json!({"domain": "example.com", "profiles": {"external": {"domain": "example.org"}}}))?;
/// let rows = trace(&Service::from_value(&service), &settings);
/// let domain = rows.iter().find(|row| row.what == "domain").unwrap();
/// assert_eq!(domain.to_string(), "domain: example.org, from settings.profiles.external.domain, which takes precedence over settings.domain");
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traced {
    /// The name of the value: `host`, `path`, or the name of a setting.
    pub what: Cow<'static, str>,
    /// The value, in one line.
    pub value: String,
    /// The source of the value; of a rendered template, the source of the template.
    pub origin: Origin,
    /// The other sources that give a value, which this source overrides, by descending priority.
    pub before: Vec<FieldPath>,
    /// For a controller that serves the Service: how the controller is known, if no value names it.
    pub known_by: Option<String>,
    /// For an intent: how each program that serves the Service expresses it.
    pub said: Vec<String>,
}

impl fmt::Display for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, from {}", self.what, self.value, self.from())?;
        for (index, path) in self.before.iter().enumerate() {
            write!(f, "{}{path}", if index == 0 { ", which takes precedence over " } else { " and " })?;
        }
        self.said.iter().try_for_each(|said| write!(f, ", {said}"))
    }
}

impl Traced {
    /// The source of the value, in words.
    ///
    /// ```
    /// use xposer::{Service, Settings, internal::trace, testing};
    /// let rows = trace(&Service::from_value(&testing::service(&[])), &Settings::default());
    /// let port = rows.iter().find(|row| row.what == "servicePort").unwrap();
    /// assert_eq!(port.from(), "the built-in default");
    /// ```
    #[must_use]
    pub fn from(&self) -> String {
        match (&self.known_by, &self.origin) {
            (Some(known), _) => known.clone(),
            (None, Origin::BuiltIn) => "the built-in default".to_owned(),
            (None, given) => given.path().to_string(),
        }
    }
}

/// Returns the values that decide how a Service is exposed, in the order in which they are decided. A value that could not be made
/// is missing; the report of [`expose`](crate::expose) has the reason. A Service that does not ask to be exposed has none.
///
/// ```
/// use serde_json::json;
/// use xposer::{Service, Settings, internal::trace, testing};
/// let (service, settings) = (testing::service(&[]), Settings::from_value(&json!({"domain": "example.com"}))?);
/// let rows = trace(&Service::from_value(&service), &settings);
/// assert!(rows.iter().any(|row| row.what == "host" && row.value == "web.shop.example.com"));
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn trace(service: &Service<'_>, settings: &Settings) -> Vec<Traced> {
    if !service.is_exposed() || service.has_unreadable_annotations {
        return Vec::new();
    }
    let mut report = Report::new(service.subject(), false);
    let (own, forwarded) = annotations::read(service, settings, &mut report);
    let Some((layers, profile)) = resolve::layers(service, settings, &own, &mut report) else {
        return Vec::new();
    };
    let plan = resolve::resolve(service, settings, layers, &forwarded, &mut report);
    let mut rows = Rows { layers, plan: &plan, rows: Vec::new() };
    // Every other value depends on these two, which no layer of settings gives.
    for (what, given) in [("profile", profile.as_ref()), ("canaryOf", layers.first(|it| &it.canary_of))] {
        if let Some(given) = given {
            rows.add(what.into(), &given.value, given.origin.clone(), Vec::new());
        }
    }
    for Decided { what, value, origin, origin_in } in decided(&plan) {
        let before = lower_sources(&origin, layers.settings().filter_map(origin_in).map(Origin::path));
        rows.add(what.into(), &value, origin, before);
    }
    rows.add_annotation_meanings();
    rows.servers();
    let written = write(&plan, Target::Ingress);
    // An annotation that was translated to other words is not emitted, so it is not listed.
    let reads =
        |key: &str| plan.servers.iter().any(|it| it.target == Target::Ingress && it.controller.reads(key));
    let is_said = |key: &String| plan.intents.iter().any(|wanted| wanted.keys.contains(key)) && !reads(key);
    let given = plan.annotations.iter().filter(|it| !is_said(&it.key));
    let given = given.map(|it| (it.key.as_str(), it.value.as_str(), it.origin()));
    let mut all: Vec<_> = given.collect();
    all.extend(written.iter().map(|it| (it.key, it.value.as_ref(), it.origin.clone())));
    all.sort_by_key(|(key, ..)| *key);
    rows.entries("annotation", Layer::annotations, all.into_iter());
    // The labels of Xposer are the same for every Service, so they are not listed.
    let given =
        plan.labels.iter().map(|(key, label)| (key.as_str(), label.value.as_str(), label.origin.clone()));
    rows.entries("label", |layer| layer.labels.entries(), given);
    rows.rows
}

struct Rows<'s> {
    layers: Layers<'s>,
    plan: &'s Plan,
    rows: Vec<Traced>,
}

impl Rows<'_> {
    fn add(&mut self, what: Cow<'static, str>, value: &str, origin: Origin, before: Vec<FieldPath>) {
        let intent = Intent::ALL.into_iter().find(|intent| intent.as_str().eq_ignore_ascii_case(&what));
        let message = intent.map(|intent| expressions(self.plan, intent)).unwrap_or_default();
        self.push(Traced {
            what,
            value: value.replace('\n', "\\n"),
            origin,
            before,
            known_by: None,
            said: message,
        });
    }

    fn push(&mut self, row: Traced) {
        self.rows.push(row);
    }

    /// Adds the meanings of annotations of other programs. An intent that an option gives is a value of that option already.
    fn add_annotation_meanings(&mut self) {
        for wanted in self.plan.intents.iter().filter(|wanted| !wanted.keys.is_empty()) {
            let key = wanted.intent.annotation();
            let option =
                annotations().find(|(row, _)| row.name == key).and_then(|(_, option)| option.setting);
            let what = option.map_or(wanted.intent.as_str(), |setting| setting.name);
            self.add(what.into(), &wanted.intent_value.to_string(), wanted.origin.clone(), Vec::new());
        }
    }

    /// Adds the controllers that serve the Service, and how each is known.
    fn servers(&mut self) {
        for server in &self.plan.servers {
            let (mut origin, mut known_by) = (Origin::BuiltIn, None);
            match &server.reason {
                Reason::Setting(setting) => origin = setting.clone(),
                Reason::Cluster(name) => {
                    let class =
                        if server.target == Target::Ingress { "IngressClass" } else { "GatewayClass" };
                    known_by = Some(format!("the {class} of the cluster, which names {name}"));
                }
                Reason::ClassName => {
                    let class = self.plan.class_name().unwrap_or_default();
                    known_by = Some(format!("the name of the class {}", quoted(class)));
                }
                Reason::DefaultController => {
                    origin = Origin::Setting(FieldPath::setting("defaultController"));
                }
                Reason::Default => {}
            }
            let value = format!("{}: {}", server.target, server.controller.name_on(server.target));
            let row = Traced { what: "servedBy".into(), value, origin, known_by, ..Traced::default() };
            self.push(row);
        }
    }

    /// Adds the entries of a map, one row for each key, from the layers of a setting or from other sources.
    fn entries<'g>(
        &mut self,
        what: &str,
        entries: fn(&Layer) -> &[Entry],
        given: impl Iterator<Item = (&'g str, &'g str, Origin)>,
    ) {
        let mut known: Vec<&Entry> = self.layers.settings().flat_map(entries).collect();
        // The sort is stable, so equal keys keep the order of their layers.
        known.sort_by(|left, right| left.key.cmp(&right.key));
        for (key, value, origin) in given {
            let first = known.partition_point(|it| it.key.as_str() < key);
            let same = known.iter().skip(first).take_while(|it| it.key == key);
            let before = lower_sources(&origin, same.map(|it| it.origin.path()));
            self.add(format!("{what} {key}").into(), value, origin, before);
        }
    }
}

/// How each program that serves a plan expresses an intent.
fn expressions(plan: &Plan, intent: Intent) -> Vec<String> {
    // Canaries and redirects of other targets are fields of their objects, not annotations.
    let is_field = matches!(intent, Intent::Canary | Intent::HttpsRedirect);
    let is_said = |target: &&Target| plan.has_object(**target) && (**target == Target::Ingress || !is_field);
    let targets = plan.targets.iter().filter(is_said);
    let wanted = plan.requested(intent);
    let by = targets.map(|target| {
        let controller = plan.controller(*target);
        let name = controller.name_on(*target);
        let is_read = |key: &String| *target == Target::Ingress && controller.reads(key);
        if wanted.is_some_and(|wanted| !wanted.keys.is_empty() && wanted.keys.iter().all(is_read)) {
            return format!("passed to {name} as it is");
        }
        let mappings = mappings(*target, controller).into_iter().filter(|row| row.intent == intent);
        let mappings: Vec<&str> = mappings.map(|row| row.annotations).collect();
        let mappings =
            if mappings.is_empty() { String::new() } else { format!(" as {}", joined(&mappings, " and ")) };
        match support(plan, *target, intent, wanted.map(|wanted| &wanted.intent_value)) {
            Support::Full => format!("passed to {name}{mappings}"),
            Support::Partial(difference) => format!("passed to {name}{mappings}; it {difference}"),
            Support::Unsupported(help) => format!("{name} does not support it; {help}"),
        }
    });
    by.collect()
}

/// The places below the one that is used; `places` is in descending priority.
fn lower_sources(from: &Origin, places: impl Iterator<Item = FieldPath>) -> Vec<FieldPath> {
    let own = from.path();
    match from {
        Origin::Annotation(_) => places.collect(),
        _ => places.skip_while(|path| *path != own).skip(1).collect(),
    }
}
