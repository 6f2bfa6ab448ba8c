//! Where everything came from that decides how a Service is exposed: what `xposer explain` shows of a file.

use std::borrow::Cow;
use std::fmt;

use crate::diagnostics::{FieldPath, Origin, Report, Sourced};
use crate::options::annotations::{Request, annotation};
use crate::options::{DefaultAnnotation, Layer, Layers, Settings, Target};
use crate::resolve::{self, Draft, Source};
use crate::service::{FORWARD_ANNOTATION, Service};

/// A value and where it came from.
///
/// ```
/// # use serde_json::json;
/// # use xposer::{Service, Settings, trace};
/// # let service = json!({"metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"},
/// #     "annotations": {"config.xposer.stakater.com/Profile": "external"}}, "spec": {"ports": [{"port": 80}]}});
/// let settings = Settings::from_value(&json!({"domain": "example.com", "profiles": {"external": {"domain": "example.org"}}}))?;
/// // The Service has the annotation `Profile: external`.
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
    let request = Request::read(service, &mut report);
    let Some((layers, profile)) = resolve::layers(service, settings, &request, &mut report) else {
        return Vec::new();
    };
    let draft = resolve::resolve(service, settings, layers, &request, &mut report);
    let mut annotations: Vec<_> = layers.iter().flat_map(|layer| &layer.annotations).collect();
    // Equal keys keep the order of their layers.
    annotations.sort_by(|left, right| left.key.cmp(&right.key));
    Rows { layers, annotations, rows: Vec::new() }.of(&draft, profile)
}

struct Rows<'s> {
    layers: Layers<'s>,
    /// The annotations that all layers give, in ascending order of their keys.
    annotations: Vec<&'s DefaultAnnotation>,
    rows: Vec<Traced>,
}

/// What a layer says about something.
type Says = fn(&Layer) -> Option<&Origin>;

fn origin<T>(sourced: Option<&Sourced<T>>) -> Option<&Origin> {
    sourced.map(|sourced| &sourced.origin)
}

impl Rows<'_> {
    fn of(mut self, draft: &Draft<'_>, profile: Option<Sourced<String>>) -> Vec<Traced> {
        if let Some(profile) = profile {
            self.add("profile", &profile.value, profile.origin, |_| None);
        }
        if let Some(canary) = &draft.canary {
            let key = Origin::Annotation(annotation::CANARY_OF.into());
            self.add("canaryOf", canary.of, key, |_| None);
        }
        self.sourced("domain", draft.domain.as_ref(), |it| origin(it.domain.as_ref()));
        for rule in &draft.rules {
            self.add("host", &rule.host, rule.host_origin.clone(), |it| origin(it.url.as_ref()));
            self.add("path", &rule.path, rule.path_origin.clone(), |it| origin(it.path.as_ref()));
        }
        self.sourced("name", draft.name.as_ref(), |it| origin(it.name.as_ref()));
        self.sourced("ingressClassName", draft.class.as_ref(), |it| origin(it.class.as_ref()));
        self.sourced("servicePort", draft.port.as_ref(), |it| origin(it.port.as_ref()));
        let tls = draft.tls.as_ref().map(|tls| Sourced::new(tls.value.as_str(), tls.origin.clone()));
        self.sourced("tls", tls.as_ref(), |it| origin(it.tls.as_ref()));
        self.sourced("tlsSecretName", draft.secret.as_ref(), |it| origin(it.secret.as_ref()));
        let redirect = draft.https_redirect.as_ref();
        self.sourced("httpsRedirect", redirect, |it| origin(it.https_redirect.as_ref()));
        let targets: Vec<&str> = draft.targets.iter().copied().map(Target::as_str).collect();
        let targets = Sourced::new(targets.join(", "), draft.targets_origin.clone());
        self.sourced("target", Some(&targets), |it| origin(it.targets.as_ref()));
        let monitor = draft.monitor.as_ref().map(|monitor| Sourced::new(true, monitor.origin.clone()));
        self.sourced("monitor", monitor.as_ref(), |it| origin(it.monitor.as_ref()));
        for given in &draft.annotations {
            let from = match &given.source {
                Source::Block { .. } => Origin::Annotation(FORWARD_ANNOTATION.into()),
                Source::Origin(origin) => origin.clone(),
            };
            let what = Cow::Owned(format!("annotation {}", given.key));
            let before = self.annotation_layers(&given.key, &from);
            self.rows.push(Traced { what, value: one_line(&given.value), origin: from, before });
        }
        self.rows
    }

    fn sourced<T: fmt::Display>(&mut self, what: &'static str, sourced: Option<&Sourced<T>>, says: Says) {
        if let Some(Sourced { value, origin }) = sourced {
            self.add(what, &value.to_string(), origin.clone(), says);
        }
    }

    fn add(&mut self, what: &'static str, value: &str, from: Origin, says: Says) {
        let before = below(&from, self.layers.iter().filter_map(says).map(Origin::path));
        self.rows.push(Traced { what: what.into(), value: one_line(value), origin: from, before });
    }

    /// The settings below the one that gives an annotation.
    fn annotation_layers(&self, key: &str, from: &Origin) -> Vec<FieldPath> {
        let first = self.annotations.partition_point(|it| it.key.as_str() < key);
        let given = self.annotations.iter().skip(first).take_while(|it| it.key == key);
        below(from, given.map(|it| it.path.clone()))
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
