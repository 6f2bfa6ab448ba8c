//! IngressMonitorController 2.2: the options of the monitoring providers (`endpointmonitor.stakater.com/v1alpha1`,
//! EndpointMonitorSpec), and the annotations of the controller's first version.

use serde_json::{Map, Value};

use super::legacy::{Legacy, Migration, MonitorField, row};
use crate::diagnostics::{joined, kind_of, one_of, quoted};
use crate::validation::parse_bool;

/// The annotations of the controller's first version.
pub(super) static LEGACY: &[Legacy] = &[
    monitor("monitor.stakater.com/enabled", MonitorField::Enabled),
    monitor("monitor.stakater.com/forceHttps", MonitorField::ForceHttps),
    monitor("monitor.stakater.com/healthEndpoint", MonitorField::HealthEndpoint),
    // `overridePath` replaced the path, as the health endpoint does.
    monitor("monitor.stakater.com/overridePath", MonitorField::HealthEndpoint),
    row(
        "monitor.stakater.com/",
        Migration::MonitorOption(
            "IngressMonitorController reads EndpointMonitor objects; the setting monitorProvider has their options",
        ),
        MONITOR_SOURCE,
    ),
];

const MONITOR_SOURCE: &str = "IngressMonitorController 2, migration guide";

const fn monitor(old: &'static str, field: MonitorField) -> Legacy {
    Legacy { old, migration: Migration::Monitor(field), source: MONITOR_SOURCE }
}

/// The type of an option's value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ValueType {
    Text,
    Boolean,
    /// An integer in this range, including both ends.
    Between(i64, i64),
    Numbers(&'static [i64]),
    Word(&'static [&'static str]),
    Texts,
    /// The steps of a scripted check.
    Steps,
}

const NUMBER: ValueType = ValueType::Between(i32::MIN as i64, i32::MAX as i64);

/// A provider and its options.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) name: &'static str,
    /// The names of the options of each type, separated by spaces.
    options: &'static [(ValueType, &'static str)],
}

impl Provider {
    /// Returns the names of its options and their types.
    fn options(&self) -> impl Iterator<Item = (&'static str, &'static ValueType)> {
        self.options.iter().flat_map(|(kind, names)| names.split(' ').map(move |name| (name, kind)))
    }

    /// Returns the names of its options, in ascending order.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.options().map(|(name, _)| name).collect();
        names.sort_unstable();
        names
    }

    /// Returns the type of an option.
    pub(crate) fn kind(&self, name: &str) -> Option<&'static ValueType> {
        self.options().find_map(|(known, kind)| (known == name).then_some(kind))
    }

    /// Returns the option that the provider requires, if there is one.
    pub(crate) fn required(&self) -> Option<&'static str> {
        self.options().find_map(|(name, kind)| (*kind == ValueType::Steps).then_some(name))
    }
}

/// The providers in the order in which the controller searches for one (its `endpointmonitor_controller.go`).
pub(crate) static PROVIDERS: &[Provider] = &[
    provider(
        "pingdomTransactionConfig",
        &[
            (ValueType::Text, "alertContacts alertIntegrations custom_message teamAlertContacts"),
            (ValueType::Numbers(&[5, 10, 20, 60, 720, 1440]), "interval"),
            (ValueType::Boolean, "paused"),
            (ValueType::Word(&["us-east", "us-west", "eu", "au"]), "region"),
            (NUMBER, "send_notification_when_down"),
            (ValueType::Word(&["low", "high"]), "severity_level"),
            (ValueType::Steps, "steps"),
            (ValueType::Texts, "tags"),
        ],
    ),
    provider(
        "pingdomConfig",
        &[
            (
                ValueType::Text,
                "alertContacts alertIntegrations basicAuthUser postDataEnvVar requestHeaders \
                 requestHeadersEnvVar shouldContain tags teamAlertContacts",
            ),
            (ValueType::Boolean, "notifyWhenBackUp paused verifyCertificate"),
            (NUMBER, "resolution sendNotificationWhenDown sslDownDaysBefore"),
        ],
    ),
    provider(
        "uptimeRobotConfig",
        &[
            (ValueType::Text, "alertContacts customHTTPStatuses keywordValue maintenanceWindows statusPages"),
            (ValueType::Between(60, i32::MAX as i64), "interval"),
            (ValueType::Word(&["yes", "no"]), "keywordExists"),
            (ValueType::Word(&["http", "keyword"]), "monitorType"),
        ],
    ),
    provider(
        "statusCakeConfig",
        &[
            (
                ValueType::Text,
                "basicAuthSecret basicAuthUser contactGroup findString pingUrl rawPostData regions \
                 statusCodes testTags userAgent",
            ),
            (NUMBER, "checkRate port triggerRate"),
            (ValueType::Between(0, 10), "confirmation"),
            (ValueType::Boolean, "enableSslAlert followRedirect paused realBrowser"),
            (ValueType::Word(&["HTTP", "TCP", "PING", "Heartbeat"]), "testType"),
            (ValueType::Between(5, 75), "timeout"),
        ],
    ),
    provider("uptimeConfig", &[(ValueType::Text, "checkType contacts locations tags"), (NUMBER, "interval")]),
    provider(
        "updownConfig",
        &[
            (ValueType::Boolean, "enable publishPage"),
            (NUMBER, "period"),
            (ValueType::Text, "requestHeaders"),
        ],
    ),
    provider("appInsightsConfig", &[(NUMBER, "frequency statusCode"), (ValueType::Boolean, "retryEnable")]),
    provider("gcloudConfig", &[(ValueType::Text, "projectId")]),
    provider(
        "grafanaConfig",
        &[
            (ValueType::Word(&["none", "low", "medium", "high"]), "alertSensitivity"),
            (NUMBER, "frequency tenantId"),
            (ValueType::Texts, "probes"),
        ],
    ),
];

const fn provider(name: &'static str, options: &'static [(ValueType, &'static str)]) -> Provider {
    Provider { name, options }
}

/// Writes the defaults that the API server would add, so that an object in the cluster equals the emitted one.
pub(crate) fn write_defaults(providers: &mut Map<String, Value>) {
    for (provider, option, default) in [
        ("grafanaConfig", "alertSensitivity", Value::from("none")),
        ("statusCakeConfig", "checkRate", 300.into()),
    ] {
        if let Some(Value::Object(options)) = providers.get_mut(provider) {
            options.entry(option).or_insert(default);
        }
    }
}

impl ValueType {
    /// Returns the expected value and what was found, if `value` does not have the type.
    pub(crate) fn error(&self, value: &Value) -> Option<String> {
        let expected = match (self, value) {
            (Self::Text, Value::String(_)) | (Self::Boolean, Value::Bool(_)) => return None,
            (Self::Text, _) => "a text".to_owned(),
            (Self::Boolean, _) => "true or false".to_owned(),
            (Self::Between(min, max), _) => match value.as_i64() {
                Some(number) if (*min..=*max).contains(&number) => return None,
                Some(_) if *max == i64::from(i32::MAX) && *min >= 0 => format!("a number of at least {min}"),
                Some(_) => format!("a number from {min} to {max}"),
                None => "a number".to_owned(),
            },
            (Self::Numbers(numbers), _) => match value.as_i64() {
                Some(number) if numbers.contains(&number) => return None,
                _ => {
                    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                    ["one of ", &joined(&numbers, " or ")].concat()
                }
            },
            (Self::Word(words), Value::String(word)) if words.contains(&word.as_str()) => return None,
            (Self::Word(words), _) => one_of(words),
            (Self::Texts, Value::Array(items)) if items.iter().all(Value::is_string) => return None,
            (Self::Texts, _) => "a list of texts".to_owned(),
            (Self::Steps, Value::Array(steps)) if !steps.is_empty() && steps.iter().all(is_step) => {
                return None;
            }
            (Self::Steps, _) => "a list of steps, each with a `function` and texts as its `args`".to_owned(),
        };
        let found = match value {
            Value::String(text) => quoted(text),
            Value::Array(items) if items.is_empty() => "an empty list".to_owned(),
            Value::Array(_) => "a list with another item".to_owned(),
            other => kind_of(other),
        };
        Some(format!("expected {expected}, found {found}"))
    }

    /// Parses the value of an annotation. The error contains the expected value.
    pub(crate) fn read(&self, text: &str) -> Result<Value, String> {
        let value = match self {
            Self::Boolean => parse_bool(text).map(Value::Bool),
            Self::Between(..) | Self::Numbers(_) => text.parse::<i64>().ok().map(Value::from),
            Self::Text | Self::Word(_) | Self::Texts | Self::Steps => None,
        };
        let value = value.unwrap_or_else(|| text.into());
        self.error(&value).map_or(Ok(value), Err)
    }
}

fn is_step(step: &Value) -> bool {
    let args = step.get("args").and_then(Value::as_object);
    step.get("function").is_some_and(Value::is_string)
        && args.is_some_and(|args| args.values().all(Value::is_string))
        && step.as_object().is_some_and(|step| step.len() == 2)
}

/// Returns the option for an annotation of the controller's first version, such as
/// `statuscake.monitor.stakater.com/check-rate`: the provider, the name and the type.
pub(crate) fn find_old(key: &str) -> Option<(&'static Provider, &'static str, &'static ValueType)> {
    let (prefix, old) = key.split_once('/')?;
    let old_provider = prefix.strip_suffix(".monitor.stakater.com")?;
    let provider = PROVIDERS.iter().find(|it| {
        it.name.strip_suffix("Config").is_some_and(|name| name.eq_ignore_ascii_case(old_provider))
    })?;
    // The annotations joined words by `-`, or without a separator.
    let old = old.replace('-', "");
    let (name, kind) = provider.options().find(|(name, _)| name.eq_ignore_ascii_case(&old))?;
    Some((provider, name, kind))
}
