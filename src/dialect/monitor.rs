//! What an EndpointMonitor can say to the provider of a monitor: the options of `endpointmonitor.stakater.com/v1alpha1`,
//! EndpointMonitorSpec, as IngressMonitorController 2.2 has them.

use serde_json::{Map, Value};

use crate::diagnostics::{kind_of, quoted};

use crate::validation::parse_bool;

/// What value an option takes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Boolean,
    /// An integer between two others.
    Between(i64, i64),
    Numbers(&'static [i64]),
    Word(&'static [&'static str]),
    Texts,
    /// What a scripted check does, step by step.
    Steps,
}

const NUMBER: Kind = Kind::Between(i32::MIN as i64, i32::MAX as i64);

/// A provider, and its options in alphabetical order.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) name: &'static str,
    pub(crate) options: &'static [(&'static str, Kind)],
    /// An option that it cannot do without.
    pub(crate) required: Option<&'static str>,
}

/// The providers in the order in which the controller looks for one (its endpointmonitor_controller.go).
pub(crate) static PROVIDERS: &[Provider] = &[
    Provider {
        name: "pingdomTransactionConfig",
        options: &[
            ("alertContacts", Kind::Text),
            ("alertIntegrations", Kind::Text),
            ("custom_message", Kind::Text),
            ("interval", Kind::Numbers(&[5, 10, 20, 60, 720, 1440])),
            ("paused", Kind::Boolean),
            ("region", Kind::Word(&["us-east", "us-west", "eu", "au"])),
            ("send_notification_when_down", NUMBER),
            ("severity_level", Kind::Word(&["low", "high"])),
            ("steps", Kind::Steps),
            ("tags", Kind::Texts),
            ("teamAlertContacts", Kind::Text),
        ],
        required: Some("steps"),
    },
    provider(
        "pingdomConfig",
        &[
            ("alertContacts", Kind::Text),
            ("alertIntegrations", Kind::Text),
            ("basicAuthUser", Kind::Text),
            ("notifyWhenBackUp", Kind::Boolean),
            ("paused", Kind::Boolean),
            ("postDataEnvVar", Kind::Text),
            ("requestHeaders", Kind::Text),
            ("requestHeadersEnvVar", Kind::Text),
            ("resolution", NUMBER),
            ("sendNotificationWhenDown", NUMBER),
            ("shouldContain", Kind::Text),
            ("sslDownDaysBefore", NUMBER),
            ("tags", Kind::Text),
            ("teamAlertContacts", Kind::Text),
            ("verifyCertificate", Kind::Boolean),
        ],
    ),
    provider(
        "uptimeRobotConfig",
        &[
            ("alertContacts", Kind::Text),
            ("customHTTPStatuses", Kind::Text),
            ("interval", Kind::Between(60, i32::MAX as i64)),
            ("keywordExists", Kind::Word(&["yes", "no"])),
            ("keywordValue", Kind::Text),
            ("maintenanceWindows", Kind::Text),
            ("monitorType", Kind::Word(&["http", "keyword"])),
            ("statusPages", Kind::Text),
        ],
    ),
    provider(
        "statusCakeConfig",
        &[
            ("basicAuthSecret", Kind::Text),
            ("basicAuthUser", Kind::Text),
            ("checkRate", NUMBER),
            ("confirmation", Kind::Between(0, 10)),
            ("contactGroup", Kind::Text),
            ("enableSslAlert", Kind::Boolean),
            ("findString", Kind::Text),
            ("followRedirect", Kind::Boolean),
            ("paused", Kind::Boolean),
            ("pingUrl", Kind::Text),
            ("port", NUMBER),
            ("rawPostData", Kind::Text),
            ("realBrowser", Kind::Boolean),
            ("regions", Kind::Text),
            ("statusCodes", Kind::Text),
            ("testTags", Kind::Text),
            ("testType", Kind::Word(&["HTTP", "TCP", "PING", "Heartbeat"])),
            ("timeout", Kind::Between(5, 75)),
            ("triggerRate", NUMBER),
            ("userAgent", Kind::Text),
        ],
    ),
    provider(
        "uptimeConfig",
        &[
            ("checkType", Kind::Text),
            ("contacts", Kind::Text),
            ("interval", NUMBER),
            ("locations", Kind::Text),
            ("tags", Kind::Text),
        ],
    ),
    provider(
        "updownConfig",
        &[
            ("enable", Kind::Boolean),
            ("period", NUMBER),
            ("publishPage", Kind::Boolean),
            ("requestHeaders", Kind::Text),
        ],
    ),
    provider(
        "appInsightsConfig",
        &[("frequency", NUMBER), ("retryEnable", Kind::Boolean), ("statusCode", NUMBER)],
    ),
    provider("gcloudConfig", &[("projectId", Kind::Text)]),
    provider(
        "grafanaConfig",
        &[
            ("alertSensitivity", Kind::Word(&["none", "low", "medium", "high"])),
            ("frequency", NUMBER),
            ("probes", Kind::Texts),
            ("tenantId", NUMBER),
        ],
    ),
];

const fn provider(name: &'static str, options: &'static [(&'static str, Kind)]) -> Provider {
    Provider { name, options, required: None }
}

/// Writes the values that the API server would fill in, so that an object in the cluster is the same as the one emitted.
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

impl Kind {
    /// What is expected, where `value` is something else.
    pub(crate) fn error(&self, value: &Value) -> Option<String> {
        let expected = match (self, value) {
            (Self::Text, Value::String(_)) | (Self::Boolean, Value::Bool(_)) => return None,
            (Self::Text, _) => "a text".to_owned(),
            (Self::Boolean, _) => "true or false".to_owned(),
            (Self::Between(min, max), _) => match value.as_i64() {
                Some(number) if (*min..=*max).contains(&number) => return None,
                Some(_) if *max == i64::from(i32::MAX) && *min >= 0 => format!("at least {min}"),
                Some(_) => format!("a number from {min} to {max}"),
                None => "a number".to_owned(),
            },
            (Self::Numbers(numbers), _) => match value.as_i64() {
                Some(number) if numbers.contains(&number) => return None,
                _ => {
                    let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
                    format!("one of {}", numbers.join(", "))
                }
            },
            (Self::Word(words), Value::String(word)) if words.contains(&word.as_str()) => return None,
            (Self::Word(words), _) => format!("one of {}", words.join(", ")),
            (Self::Texts, Value::Array(items)) if items.iter().all(Value::is_string) => return None,
            (Self::Texts, _) => "a list of texts".to_owned(),
            (Self::Steps, Value::Array(steps)) if !steps.is_empty() && steps.iter().all(is_step) => {
                return None;
            }
            (Self::Steps, _) => "a list of steps, each with a `function` and texts as its `args`".to_owned(),
        };
        let found = match value {
            Value::String(text) => quoted(text),
            other => kind_of(other),
        };
        Some(format!("expected {expected}, found {found}"))
    }

    /// The value that an annotation spells, or what is expected in its place.
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

/// The option that was an annotation of the controller's first version, such as `statuscake.monitor.stakater.com/check-rate`.
pub(crate) fn find_old(key: &str) -> Option<(&'static Provider, &'static str, &'static Kind)> {
    let (prefix, old) = key.split_once('/')?;
    let old_provider = prefix.strip_suffix(".monitor.stakater.com")?;
    let provider = PROVIDERS.iter().find(|it| {
        it.name.strip_suffix("Config").is_some_and(|name| name.eq_ignore_ascii_case(old_provider))
    })?;
    // Words were joined by `-` or by nothing.
    let old = old.replace('-', "");
    let (name, kind) = provider.options.iter().find(|(name, _)| name.eq_ignore_ascii_case(&old))?;
    Some((provider, name, kind))
}
