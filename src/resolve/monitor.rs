//! The monitor: asked for by an annotation or a setting, or in the words of the controller's first version.

use serde_json::{Map, Value};

use super::{Draft, Monitor, Resolver, pick};
use crate::diag::{Code, FieldPath, Problem, shown};
use crate::input::FORWARD_ANNOTATION;
use crate::request::forward::Line;
use crate::request::legacy;
use crate::request::{Field, annotation};
use crate::settings::provider;
use crate::value::{Origin, Sourced, parse_bool};

/// What the old keys of the block ask for.
#[derive(Default)]
pub(super) struct Wanted {
    enabled: Option<bool>,
    monitor: Monitor,
}

impl<'a> Resolver<'_, 'a> {
    /// Reads one of the old keys.
    pub(super) fn monitored(&mut self, wanted: &mut Wanted, field: legacy::Monitor, line: &Line<'a>) {
        let monitor = &mut wanted.monitor;
        let read = match field {
            legacy::Monitor::Enabled => boolean(line.value).map(|value| wanted.enabled = Some(value)),
            legacy::Monitor::ForceHttps => boolean(line.value).map(|value| monitor.force_https = value),
            legacy::Monitor::HealthEndpoint if line.value.starts_with('/') => {
                monitor.health_endpoint = Some(line.value.to_owned());
                Ok(())
            }
            legacy::Monitor::HealthEndpoint => Err(format!("{} does not start with `/`", shown(line.value))),
        };
        self.monitor_line(read, field.field(), line);
    }

    /// Reads one of the old keys of a provider; whether it is one that the provider still has.
    pub(super) fn option(&mut self, wanted: &mut Wanted, line: &Line<'a>) -> bool {
        let Some((provider, name, kind)) = provider::find_old(line.key) else { return false };
        let read = kind.read(line.value).map(|value| {
            let config = wanted.monitor.provider.entry(provider.name).or_insert_with(|| Map::new().into());
            if let Value::Object(config) = config {
                config.insert(name.to_owned(), value);
            }
        });
        self.monitor_line(read, &format!("EndpointMonitor.spec.{}.{name}", provider.name), line);
        true
    }

    /// What the Service says about a monitor that nobody asks for.
    fn not_asked(&mut self, wanted: &Monitor) {
        let said = "nothing asks for a monitor, so this has no effect";
        let help = format!("add {}: \"true\"", annotation::MONITOR);
        let problem = || Problem::new(Code::MonitorNotAsked, said).help(help.clone());
        if *wanted != Monitor::default() {
            self.block(problem());
        }
        if matches!(self.request.monitor_health, Field::Set(_)) {
            self.report.file(FieldPath::annotation(annotation::MONITOR_HEALTH), problem());
        }
    }

    fn monitor_line(&mut self, read: Result<(), String>, field: &str, line: &Line<'a>) {
        match read {
            Ok(()) => self.translated(line.key, field, line.key_range.clone()),
            Err(said) => {
                let said = format!("{}: {said}", shown(line.key));
                let problem = Problem::new(Code::MonitorInvalid, said).help("correct the value");
                self.block(problem.at(line.value_range.clone()));
            }
        }
    }

    /// The monitor, if there is to be one. A canary has none: its host is monitored already.
    pub(super) fn monitor(&mut self, draft: &Draft<'_>, wanted: Wanted) -> Option<Sourced<Monitor>> {
        let layers = self.layers;
        let in_block = || {
            let origin = Origin::Annotation(FORWARD_ANNOTATION.into());
            wanted.enabled.map(|enabled| Sourced::new(enabled, origin))
        };
        let asked = pick(&self.request.monitor, annotation::MONITOR, || {
            in_block().or_else(|| layers.first(|it| it.monitor.as_ref()).cloned())
        });
        if asked.is_none() && draft.canary.is_none() {
            self.not_asked(&wanted.monitor);
        }
        let asked = asked.filter(|asked| asked.value && draft.canary.is_none())?;
        let mut monitor = wanted.monitor;
        match self.request.monitor_health {
            Field::Set(path) => monitor.health_endpoint = Some(path.to_owned()),
            Field::Unset | Field::Broken => {
                let general = || layers.first(|it| it.monitor_health.as_ref()).map(|path| path.value.clone());
                monitor.health_endpoint = monitor.health_endpoint.or_else(general);
            }
        }
        if let Some(provider) = layers.first(|it| it.monitor_provider.as_ref()) {
            for (name, options) in &provider.value {
                let known = monitor.provider.entry(name.clone()).or_insert_with(|| Map::new().into());
                if let (Value::Object(known), Value::Object(options)) = (known, options) {
                    for (option, value) in options {
                        known.entry(option.clone()).or_insert_with(|| value.clone());
                    }
                }
            }
        }
        provider::write_defaults(&mut monitor.provider);
        Some(Sourced::new(monitor, asked.origin))
    }
}

fn boolean(text: &str) -> Result<bool, String> {
    parse_bool(text).ok_or_else(|| format!("expected true or false, found {}", shown(text)))
}
