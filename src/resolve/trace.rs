//! Where everything came from that decides how a Service is exposed: what `xposer explain` shows of a file.

use std::borrow::Cow;
use std::fmt;

use crate::diagnostics::{FieldPath, Origin, Report, Sourced};
use crate::dialect::write::write;
use crate::options::annotations::{self, annotation};
use crate::options::{ConfigOption, Entry, Layer, Layers, Settings, find_setting, options};
use crate::plan::Plan;
use crate::resolve;
use crate::service::Service;
use crate::values::Target;

/// A value and where it came from.
///
/// ```
/// use serde_json::json;
/// use xposer::internal::trace;
/// use xposer::{Service, Settings, testing};
/// let service = testing::service(&[("Profile", "external")]);
/// let settings = Settings::from_value(&json!({"domain": "example.com", "profiles": {"external": {"domain": "example.org"}}}))?;
/// let rows = trace(&Service::from_value(&service), &settings);
/// let domain = rows.iter().find(|row| row.what == "domain").unwrap();
/// assert_eq!(domain.to_string(), "domain: example.org, from settings.profiles.external.domain, which goes before settings.domain");
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traced {
    /// What it decides: `host`, `path`, or the name of a setting.
    pub what: Cow<'static, str>,
    /// The value, in one line.
    pub value: String,
    /// Who gave it; of a rendered template, who wrote the template.
    pub origin: Origin,
    /// Who else would have given one, the next one first.
    pub before: Vec<FieldPath>,
}

impl fmt::Display for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, from ", self.what, self.value)?;
        match &self.origin {
            Origin::BuiltIn => f.write_str("the built-in default")?,
            given => write!(f, "{}", given.path())?,
        }
        for (index, path) in self.before.iter().enumerate() {
            write!(f, "{}{path}", if index == 0 { ", which goes before " } else { " and " })?;
        }
        Ok(())
    }
}

/// The values that decide how a Service is exposed, in the order in which they are decided. What could not be made is
/// missing; [`expose`](crate::expose) says why. A Service that does not ask to be exposed has none.
///
/// [`Traced`] has an example.
#[must_use]
pub fn trace(service: &Service<'_>, settings: &Settings) -> Vec<Traced> {
    if !service.is_exposed() || service.is_unusable {
        return Vec::new();
    }
    let mut report = Report::new(service.subject(), false);
    let (own, forwarded) = annotations::read(service, &mut report);
    let Some((layers, profile)) = resolve::layers(service, settings, &own, &mut report) else {
        return Vec::new();
    };
    let plan = resolve::resolve(service, settings, layers, &forwarded, &mut report);
    Rows { layers, rows: Vec::new() }.of(&plan, profile)
}

struct Rows<'s> {
    layers: Layers<'s>,
    rows: Vec<Traced>,
}

/// Where a layer says something.
type Says = fn(&Layer) -> Option<&Origin>;

impl Rows<'_> {
    fn of(mut self, plan: &Plan, profile: Option<Sourced<String>>) -> Vec<Traced> {
        // The profile chooses the layers, and is in none of them; a canary is decided by the Service alone.
        if let Some(profile) = profile {
            self.add("profile", &profile.value, profile.origin, |_| None);
        }
        if let Some(canary) = &plan.canary {
            let key = Origin::Annotation(annotation::CANARY_OF.into());
            self.add("canaryOf", &canary.of, key, |_| None);
        }
        for option in options() {
            self.option(option, plan);
        }
        let written = write(plan, Target::Ingress);
        let written = written.iter().map(|it| (it.key, it.value.as_ref(), it.origin.clone()));
        let given = plan.annotations.iter().map(|it| (it.key.as_str(), it.value.as_str(), it.origin()));
        let mut all: Vec<_> = given.chain(written).collect();
        all.sort_by_key(|(key, ..)| *key);
        self.entries("annotation", Layer::annotations, all.into_iter());
        let given = plan.labels.iter().map(|(key, it)| (key.as_str(), it.value.as_str(), it.origin.clone()));
        // Ours are the same for every Service.
        self.entries(
            "label",
            |layer| layer.labels.entries(),
            given.filter(|(.., origin)| *origin != Origin::BuiltIn),
        );
        self.rows
    }

    /// What became of one option.
    fn option(&mut self, option: &ConfigOption, plan: &Plan) {
        let Some(setting) = option.setting else { return };
        let says = option.origin;
        match setting.name {
            "domain" => self.sourced("domain", plan.domain.as_ref(), says),
            "ingressURLTemplate" => {
                let path_says = find_setting("ingressURLPath").map_or(says, |path| path.origin);
                for rule in &plan.rules {
                    self.add("host", &rule.host, rule.host_origin.clone(), says);
                    self.add("path", &rule.path, rule.path_origin.clone(), path_says);
                }
            }
            "ingressNameTemplate" => self.sourced("name", plan.name.as_ref(), says),
            "ingressClassName" => self.sourced("ingressClassName", plan.class.as_ref(), says),
            "servicePort" => self.sourced("servicePort", plan.port.as_ref(), says),
            "tls" => {
                let tls = plan.tls.as_ref().map(|tls| Sourced::new(tls.value.as_str(), tls.origin.clone()));
                self.sourced("tls", tls.as_ref(), says);
            }
            "tlsSecretNameTemplate" => self.sourced("tlsSecretName", plan.secret.as_ref(), says),
            "httpsRedirect" => self.sourced("httpsRedirect", plan.https_redirect.as_ref(), says),
            "target" => {
                let targets: Vec<&str> = plan.targets.iter().copied().map(Target::as_str).collect();
                self.add("target", &targets.join(", "), plan.targets_origin.clone(), says);
            }
            "monitor" => {
                let monitor = plan.monitor.as_ref();
                let monitor = monitor.map(|monitor| Sourced::new(true, monitor.origin.clone()));
                self.sourced("monitor", monitor.as_ref(), says);
            }
            // The others say how one of these is made, or are reported where they are used.
            _ => {}
        }
    }

    fn sourced<T: fmt::Display>(&mut self, what: &'static str, sourced: Option<&Sourced<T>>, says: Says) {
        if let Some(Sourced { value, origin }) = sourced {
            self.add(what, &value.to_string(), origin.clone(), says);
        }
    }

    fn add(&mut self, what: &'static str, value: &str, from: Origin, says: Says) {
        let before = below(&from, self.layers.settings().filter_map(says).map(Origin::path));
        self.rows.push(Traced { what: what.into(), value: one_line(value), origin: from, before });
    }

    /// What is given under a key each, by the layers of a setting or by others.
    fn entries<'g>(
        &mut self,
        what: &str,
        entries: fn(&Layer) -> &[Entry],
        given: impl Iterator<Item = (&'g str, &'g str, Origin)>,
    ) {
        let mut known: Vec<&Entry> = self.layers.settings().flat_map(entries).collect();
        // Equal keys keep the order of their layers.
        known.sort_by(|left, right| left.key.cmp(&right.key));
        for (key, value, origin) in given {
            let first = known.partition_point(|it| it.key.as_str() < key);
            let same = known.iter().skip(first).take_while(|it| it.key == key);
            let before = below(&origin, same.map(|it| it.origin.path()));
            let what = Cow::Owned(format!("{what} {key}"));
            self.rows.push(Traced { what, value: one_line(value), origin, before });
        }
    }
}

/// Of all places that say something, the uppermost first, those behind the one that counts.
fn below(from: &Origin, places: impl Iterator<Item = FieldPath>) -> Vec<FieldPath> {
    let own = from.path();
    match from {
        Origin::Annotation(_) => places.collect(),
        _ => places.skip_while(|path| *path != own).skip(1).collect(),
    }
}

fn one_line(text: &str) -> String {
    text.replace('\n', "\\n")
}
