//! The monitor, which an annotation, a setting, or legacy keys of the first version of the controller ask for.

use serde_json::{Map, Value};

use super::migrate::translated;
use super::{Annotation, Monitor, Plan, Resolver};
use crate::diagnostics::{Code, FieldPath, Origin, Problem, Sourced, quoted};
use crate::dialect::legacy::MonitorField;
use crate::dialect::monitor as provider;
use crate::options::Layers;
use crate::options::annotations::annotation;
use crate::validation::parse_bool;

/// The settings of a monitor that legacy keys give.
#[derive(Default)]
pub(super) struct MonitorRequest {
    enabled: Option<Sourced<bool>>,
    monitor: Monitor,
    /// Whether the block gives a setting of a monitor.
    is_forwarded: bool,
}

impl MonitorRequest {
    /// Adds the settings that the layer at this index gives as legacy keys. A value of a layer above wins, whether it is an option
    /// or a legacy key.
    pub(super) fn add_default(&mut self, lower: Self, layers: Layers<'_>, index: usize) {
        let upper = || layers.iter().take(index + 1);
        if self.enabled.is_none() && upper().all(|it| it.monitor.is_unset()) {
            self.enabled = lower.enabled;
        }
        self.monitor.force_https |= lower.monitor.force_https;
        if self.monitor.health_endpoint.is_none() && upper().all(|it| it.monitor_health.is_unset()) {
            self.monitor.health_endpoint = lower.monitor.health_endpoint;
        }
        add_options(&mut self.monitor.provider, &lower.monitor.provider);
    }
}

/// Adds the provider options that are not set yet.
fn add_options(known: &mut Map<String, Value>, lower: &Map<String, Value>) {
    for (name, options) in lower {
        let known = known.entry(name.clone()).or_insert_with(|| Map::new().into());
        if let (Value::Object(known), Value::Object(options)) = (known, options) {
            for (option, value) in options {
                known.entry(option.clone()).or_insert_with(|| value.clone());
            }
        }
    }
}

impl Resolver<'_, '_> {
    /// Reads a legacy key of the monitor.
    pub(super) fn monitor_field(
        &mut self,
        wanted: &mut MonitorRequest,
        field: MonitorField,
        given: &Annotation,
    ) {
        let (monitor, value) = (&mut wanted.monitor, given.value.as_str());
        let read = match field {
            MonitorField::Enabled => {
                boolean(value).map(|value| wanted.enabled = Some(Sourced::new(value, given.origin())))
            }
            MonitorField::ForceHttps => boolean(value).map(|value| monitor.force_https = value),
            MonitorField::HealthEndpoint if value.starts_with('/') => {
                monitor.health_endpoint = Some(value.to_owned());
                Ok(())
            }
            MonitorField::HealthEndpoint => Err(format!("{} does not start with `/`", quoted(value))),
        };
        wanted.is_forwarded |= given.is_forwarded() && wanted.monitor != Monitor::default();
        self.monitor_line(read, field.path(), given);
    }

    /// Reads a legacy key of a provider. Returns whether the provider still has the option.
    pub(super) fn monitor_option(&mut self, wanted: &mut MonitorRequest, given: &Annotation) -> bool {
        let Some((provider, name, kind)) = provider::find_old(&given.key) else { return false };
        let read = kind.read(&given.value).map(|value| {
            let config = wanted.monitor.provider.entry(provider.name).or_insert_with(|| Map::new().into());
            if let Value::Object(config) = config {
                config.insert(name.to_owned(), value);
            }
        });
        wanted.is_forwarded |= given.is_forwarded() && wanted.monitor != Monitor::default();
        self.monitor_line(read, &format!("EndpointMonitor.spec.{}.{name}", provider.name), given);
        true
    }

    /// Reports settings of a monitor on a Service that does not ask for one.
    fn file_not_asked(&mut self, wanted: &MonitorRequest) {
        let message = "no monitor is requested, so this has no effect";
        let help = || format!("add {}: \"true\"", annotation::MONITOR);
        let problem = || Problem::new(Code::MonitorNotAsked, message).help(help());
        if wanted.is_forwarded {
            self.block(problem());
        }
        if self.layers.service.is_some_and(|own| own.monitor_health.is_set()) {
            self.report.file(FieldPath::annotation(annotation::MONITOR_HEALTH), problem());
        }
    }

    fn monitor_line(&mut self, read: Result<(), String>, field: &str, given: &Annotation) {
        match read {
            Ok(()) => given.file_key(self.report, translated(&given.key, field)),
            Err(said) => {
                let message = format!("{}: {said}", quoted(&given.key));
                let problem = Problem::new(Code::MonitorInvalid, message).help("correct the value");
                given.file_value(self.report, problem);
            }
        }
    }

    /// The monitor, if the Service asks for one. A canary has none, because the monitor of the stable Service requests the same
    /// host.
    pub(super) fn monitor(&mut self, plan: &Plan, wanted: MonitorRequest) -> Option<Sourced<Monitor>> {
        let (layers, enabled) = (self.layers, wanted.enabled.clone().into());
        let asked = layers.first_with_block(&enabled, |it| &it.monitor).cloned();
        if asked.is_none() && plan.canary.is_none() {
            self.file_not_asked(&wanted);
        }
        let asked = asked.filter(|asked| asked.value && plan.canary.is_none())?;
        let mut monitor = wanted.monitor;
        let health = layers.first(|it| &it.monitor_health);
        if health.is_some_and(|path| matches!(path.origin, Origin::Annotation(_)))
            || monitor.health_endpoint.is_none()
        {
            monitor.health_endpoint = health.map(|path| path.value.clone());
        }
        if let Some(provider) = layers.first(|it| &it.monitor_provider) {
            add_options(&mut monitor.provider, &provider.value);
        }
        provider::write_defaults(&mut monitor.provider);
        Some(Sourced::new(monitor, asked.origin))
    }
}

fn boolean(text: &str) -> Result<bool, String> {
    parse_bool(text).ok_or_else(|| format!("expected true or false, found {}", quoted(text)))
}
