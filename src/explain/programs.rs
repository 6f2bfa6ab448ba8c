//! How each program expresses each intent, found out with a sample Service, for the reference and `xposer explain`.

use serde_json::json;

use crate::diagnostics::Report;
use crate::dialect::controller::Controller;
use crate::dialect::mappings::{IntentMapping, mappings};
use crate::dialect::nginx::PREFIX;
use crate::dialect::nginx::read::{https_redirect, names_of};
use crate::dialect::read::read;
use crate::dialect::support::{Support, support};
use crate::intents::Intent;
use crate::options::annotations::{self, annotation};
use crate::options::{Layers, Settings, annotations as rows};
use crate::plan::Plan;
use crate::resolve;
use crate::service::Service;
use crate::values::Target;

/// A program, and the kind of object that it reads.
///
/// ```
/// use xposer::internal::{Controller, ServedTarget};
/// let all = ServedTarget::all();
/// assert!(all.iter().any(|program| program.controller() == Controller::Traefik && program.name() == "Traefik"));
/// assert!(all.iter().all(|program| !program.target().as_str().is_empty()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServedTarget {
    target: Target,
    controller: Controller,
}

/// How a program expresses an intent.
///
/// ```
/// use xposer::internal::{Intent, ServedTarget, Support};
/// let all = ServedTarget::all();
/// let intent_support = all[0].intent_support(Intent::Timeout);
/// assert_eq!(intent_support.intent, Intent::Timeout);
/// assert!(intent_support.limits.iter().all(|(value, support)| !value.is_empty() && *support != intent_support.support));
/// ```
#[derive(Clone, Debug)]
pub struct IntentSupport {
    /// The intent.
    pub intent: Intent,
    /// The words of the program for the intent, in the order of the program's table; empty if the words are not known.
    pub mappings: Vec<IntentMapping>,
    /// Whether the program does what the example of the option asks for.
    pub support: Support,
    /// The values for which the answer is different.
    pub limits: Vec<(&'static str, Support)>,
}

/// The annotations that the sample Service needs for an intent in addition to the annotation of the intent.
const EXTRA_SAMPLES: &[(Intent, &str, &str)] = &[(Intent::Canary, annotation::CANARY_WEIGHT, "10")];

/// Values that a program may treat differently from the example of the option.
const SAMPLE_VALUES: &[(Intent, &[&str])] = &[
    (Intent::HttpsRedirectCode, &["301", "302", "303", "307"]),
    (Intent::RewritePath, &["/app"]),
    (Intent::AllowedSources, &["2001:db8::/32"]),
    (Intent::DeniedSources, &["2001:db8::/32"]),
    (Intent::BasicAuth, &["secret: users\nrealm: Staff"]),
    (
        Intent::ExternalAuth,
        &[
            "http://auth.shop.svc:8080/verify",
            "url: https://auth.example.com/verify\nsignIn: https://auth.example.com/start",
            "url: https://auth.example.com/verify\nresponseHeaders: X-User",
        ],
    ),
    (Intent::ConnectTimeout, &["500ms", "0s"]),
    (Intent::IdleTimeout, &["500ms", "0s"]),
    (Intent::Timeout, &["500ms", "0s"]),
    (
        Intent::Cors,
        &[
            "*",
            "https://*.example.com",
            "origins: https://app.example.com\nexposeHeaders: X-Total",
            "origins: https://app.example.com\ncredentials: true\nmaxAge: 10m",
        ],
    ),
    (Intent::RequestHeaders, &["X-Tenant:"]),
    (Intent::ResponseHeaders, &["X-Powered-By:"]),
    (Intent::BackendProtocol, &["https", "h2c", "grpcs"]),
    (Intent::StickySession, &["cookie: route\nmaxAge: 1h"]),
    (Intent::RedirectFrom, &["old.example.com"]),
    (Intent::RateLimit, &["100/m", "1000/h", "limit: 10/s\nburst: 50"]),
    (Intent::ClientCertificate, &["secret: clients-ca\nverify: optional"]),
];

/// The class of the sample Service.
const CLASS: &str = "sample";

/// The meaning of annotations of a plan, as the option that expresses the same.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::meanings, service::FORWARD_ANNOTATION, testing};
/// let block = "nginx.ingress.kubernetes.io/proxy-connect-timeout: \"5\"";
/// let plan = testing::plan(&[(FORWARD_ANNOTATION, block)], json!({}))?;
/// let meant = &meanings(&plan)[0];
/// assert_eq!((meant.option, meant.value.as_str()), ("config.xposer.stakater.com/ConnectTimeout", "5s"));
/// assert_eq!(meant.keys, ["nginx.ingress.kubernetes.io/proxy-connect-timeout"]);
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The annotation of a Service that expresses it.
    pub option: &'static str,
    /// The value of the option.
    pub value: String,
    /// The annotations that have this meaning.
    pub keys: Vec<String>,
}

/// A value with long durations in hours, because the number of a duration has at most five digits.
fn in_hours(value: &str) -> String {
    let mended = |line: &str| {
        let (before, word) = line.rsplit_once(' ').map_or(("", line), |(before, word)| (before, word));
        let seconds = word.strip_suffix('s').and_then(|digits| digits.parse::<u64>().ok());
        let Some(seconds) = seconds.filter(|seconds| *seconds >= 100_000) else { return line.to_owned() };
        let blank = if before.is_empty() { "" } else { " " };
        format!("{before}{blank}{}h{}s", seconds / 3600, seconds % 3600)
    };
    value.lines().map(mended).collect::<Vec<_>>().join("\n")
}

/// Returns the meanings of the forwarded annotations of a plan. An annotation is included if an option expresses it, too.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::meanings, service::FORWARD_ANNOTATION, testing};
/// let block = "nginx.ingress.kubernetes.io/enable-cors: \"true\"";
/// let plan = testing::plan(&[(FORWARD_ANNOTATION, block)], json!({}))?;
/// // Times have at most five digits, so long ones are written in hours.
/// assert!(meanings(&plan)[0].value.ends_with("\nmaxAge: 480h0s"));
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn meanings(plan: &Plan) -> Vec<Meaning> {
    let meant = read(plan).into_iter().filter(|it| it.is_forwarded);
    let mut all: Vec<Meaning> = meant
        .map(|it| Meaning {
            option: it.intent.annotation(),
            value: in_hours(&it.intent_value.to_string()),
            keys: it.keys,
        })
        .collect();
    if let Some(redirect) = https_redirect(plan) {
        let names = names_of(Intent::HttpsRedirect);
        let keys = plan.annotations.iter().filter(|it| it.is_forwarded()).map(|it| it.key.clone());
        let keys: Vec<String> =
            keys.filter(|key| key.strip_prefix(PREFIX).is_some_and(|name| names.contains(&name))).collect();
        if !keys.is_empty() {
            let option = Intent::HttpsRedirect.annotation();
            all.push(Meaning { option, value: redirect.value.to_string(), keys });
        }
    }
    all
}

/// The programs that serve the objects of a plan.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::servers, testing};
/// let plan = testing::plan(&[], json!({"defaultController": "traefik"}))?;
/// assert_eq!(servers(&plan)[0].name(), "Traefik");
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn servers(plan: &Plan) -> Vec<ServedTarget> {
    let servers = plan.servers.iter();
    servers.map(|server| ServedTarget { target: server.target, controller: server.controller }).collect()
}

impl ServedTarget {
    /// Returns all programs whose words are known, with the kind of object that each serves.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let of = |target| move |controller| Self { target, controller };
        let ingresses = [
            Controller::IngressNginx,
            Controller::TraefikNginx,
            Controller::Traefik,
            Controller::Contour,
            Controller::Haproxy,
            Controller::HaproxyIngress,
            Controller::F5Nginx,
            Controller::Alb,
            Controller::Gce,
        ];
        let routes = [Controller::Gateway, Controller::EnvoyGateway];
        let ingresses = ingresses.into_iter().map(of(Target::Ingress));
        let routes = routes.into_iter().map(of(Target::HttpRoute));
        ingresses.chain(routes).chain([of(Target::Route)(Controller::Openshift)]).collect()
    }

    /// The kind of object that the program reads.
    #[must_use]
    pub fn target(self) -> Target {
        self.target
    }

    /// The program's row in the table of controllers.
    #[must_use]
    pub fn controller(self) -> Controller {
        self.controller
    }

    /// The name of the program, as a sentence uses it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.controller.name_on(self.target)
    }

    /// All rows of the program's table of words.
    #[must_use]
    pub fn mappings(self) -> Vec<IntentMapping> {
        mappings(self.target, self.controller)
    }

    /// Returns how the program expresses an intent.
    #[must_use]
    pub fn intent_support(self, intent: Intent) -> IntentSupport {
        let key = intent.annotation();
        let example = rows().find(|(row, _)| row.name == key).map_or("", |(row, _)| row.example);
        let answer = self.support(intent, example);
        let values = SAMPLE_VALUES.iter().filter(|(of, _)| *of == intent).flat_map(|(_, values)| *values);
        let limits = values.map(|value| (*value, self.support(intent, value)));
        IntentSupport {
            intent,
            mappings: self.mappings().into_iter().filter(|row| row.intent == intent).collect(),
            limits: limits.filter(|(_, limit)| *limit != answer).collect(),
            support: answer,
        }
    }

    /// What the program can do for a Service with this value.
    fn support(self, intent: Intent, value: &str) -> Support {
        let plan = self.sample(intent, value);
        support(&plan, self.target, intent, plan.intent_value(intent))
    }

    /// The plan of a Service with this value.
    fn sample(self, intent: Intent, value: &str) -> Plan {
        let beside =
            EXTRA_SAMPLES.iter().filter(|(of, ..)| *of == intent).map(|(_, key, value)| (*key, *value));
        let mut given = serde_json::Map::new();
        for (key, value) in beside.chain([(intent.annotation(), value)]) {
            given.insert(key.to_owned(), value.into());
        }
        // Where TLS passes through, no program reads a path.
        let path = if intent == Intent::TlsPassthrough { "" } else { "/shop" };
        given.insert(annotation::URL.to_owned(), ["web.example.com", path].concat().into());
        let document = json!({
            "metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"}, "annotations": given},
            "spec": {"ports": [{"name": "http", "port": 80}]},
        });
        let word = self.controller.as_str();
        // These settings are valid, so there is nothing to report.
        let (settings, _) = Settings::of_value(&json!({
            "target": self.target.as_str(), "tls": true,
            "ingressClassName": CLASS, "controllers": {CLASS: word}, "gatewayController": word,
            "parentRefs": [{"name": "external", "sectionName": "https"}],
            "httpParentRefs": [{"name": "external", "sectionName": "http"}],
        }));
        let service = Service::from_value(&document);
        let mut report = Report::new(service.subject(), false);
        let (own, forwarded) = annotations::read(&service, &settings, &mut report);
        let layers = Layers::new(None, None, &settings).with_service(&own);
        *resolve::resolve(&service, &settings, layers, &forwarded, &mut report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The grammar of the intent must accept each sample value; otherwise the sample Service would have no intent.
    #[test]
    fn every_value_is_wanted() {
        let program = ServedTarget { target: Target::Ingress, controller: Controller::Traefik };
        for intent in Intent::ALL {
            let key = intent.annotation();
            let (row, _) = rows().find(|(row, _)| row.name == key).expect("every intent has an option");
            let values = SAMPLE_VALUES.iter().filter(|(of, _)| *of == intent).flat_map(|(_, values)| *values);
            for value in values.copied().chain([row.example]) {
                let plan = program.sample(intent, value);
                let is_wanted = match intent {
                    Intent::HttpsRedirect => plan.https_redirect.is_some(),
                    Intent::Canary => plan.canary.is_some(),
                    _ => plan.intent_value(intent).is_some(),
                };
                assert!(is_wanted, "{intent}: {value}");
            }
        }
    }

    #[test]
    fn a_program_serves_its_sample() {
        for program in ServedTarget::all() {
            let plan = program.sample(Intent::Timeout, "5m");
            assert_eq!(plan.controller(program.target), program.controller, "{}", program.name());
        }
    }
}
