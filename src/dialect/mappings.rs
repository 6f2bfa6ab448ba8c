//! The annotations and fields of each program for the intents of a plan, with the evidence for them.

use std::collections::BTreeSet;

use super::controller::Controller;
use super::dialects::dialect;
use super::support::support;
use super::write::WrittenAnnotation;
use super::{envoy_gateway, gateway, nginx, read_by, traefik};
use crate::diagnostics::words;
use crate::intents::{Intent, IntentValue, duration};
use crate::plan::{Annotation, Plan, RequestedIntent};
use crate::validation::parse_bool;
use crate::values::{BackendProtocol, Target, set};

/// The evidence for what a program does.
///
/// ```
/// use xposer::internal::Proof;
/// assert_eq!(Proof::Proved.as_str(), "proved");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Real requests were sent through the real program.
    Proved,
    /// The program's own code parsed the annotations.
    Parser,
    /// The program's documentation describes it.
    Documented,
}

words!(Proof { Proved = "proved", Parser = "parser", Documented = "documented" });

/// A row of the reference of a program: an intent, the annotations or fields for it, the evidence, and the first version that
/// has them.
///
/// ```
/// use xposer::internal::{Intent, ServedTarget};
/// let rows = ServedTarget::all().into_iter().flat_map(ServedTarget::mappings);
/// assert!(rows.into_iter().all(|row| !row.annotations.is_empty() && Intent::ALL.contains(&row.intent)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct IntentMapping {
    /// The intent.
    pub intent: Intent,
    /// The annotations or fields, as the documentation of the program writes them.
    pub annotations: &'static str,
    /// The evidence.
    pub proof: Proof,
    /// The first version that has the annotations or fields.
    pub since: &'static str,
}

impl IntentMapping {
    pub(super) const fn new(
        intent: Intent,
        annotations: &'static str,
        proof: Proof,
        since: &'static str,
    ) -> Self {
        Self { intent, annotations, proof, since }
    }
}

type Rows = &'static [IntentMapping];

/// Returns the rows of a program that has annotations for the objects of a target. Rows of other programs are left out, because
/// the policy does not need them.
fn rows(target: Target, controller: Controller) -> Rows {
    dialect(target, controller).map_or(&[], |dialect| dialect.mappings)
}

/// Whether the controller of a target reads an annotation for the intent of an option, and supports the intent. No Gateway
/// reads annotations.
pub(crate) fn is_annotation_of(plan: &Plan, target: Target, option: &RequestedIntent, key: &str) -> bool {
    rows_of(plan, target, key).any(|row| row.intent == option.intent)
        && support(plan, target, option.intent, Some(&option.intent_value)).is_supported()
}

/// Whether an annotation that the controller of a target reads has the same meaning as an intent. The annotation is compared
/// with the one that would be written for the same key. Values that cannot be compared count as different.
pub(crate) fn matches_intent(
    plan: &Plan,
    target: Target,
    written: &[WrittenAnnotation<'_>],
    wanted: &RequestedIntent,
    given: &Annotation,
) -> bool {
    let (value, name) = (given.value.trim(), given.key.rsplit('/').next().unwrap_or_default());
    match written.iter().find(|it| is_same_annotation(plan, target, it.key, &given.key)) {
        Some(it) => {
            leaves_default_to(wanted, name) || has_same_meaning(plan, wanted, name, (it.value.trim(), value))
        }
        None => is_separate_part(&wanted.intent_value, name, value),
    }
}

/// Whether the annotations that express an intent leave a part to a default of ingress-nginx, so that another annotation may
/// add it.
fn leaves_default_to(wanted: &RequestedIntent, name: &str) -> bool {
    let part = match name {
        "cors-enable" => return false,
        "limit-req-burst" | "limit-req-no-delay" => "limit-burst-multiplier",
        "session-cookie-name" => name,
        _ if name.starts_with("cors-") => name.trim_end_matches("-regex"),
        _ => return false,
    };
    !wanted.keys.is_empty() && !wanted.keys.iter().any(|key| key.ends_with(part))
}

/// Whether a value has the same meaning as the value that would be written in its place.
fn has_same_meaning(
    plan: &Plan,
    wanted: &RequestedIntent,
    name: &str,
    (written, value): (&str, &str),
) -> bool {
    if value == written || parse_bool(value).is_some_and(|it| parse_bool(written) == Some(it)) {
        return true;
    }
    let items = |text: &str| -> BTreeSet<String> {
        let all = text.split([',', ' ', '\n']).filter(|item| !item.is_empty());
        all.map(str::to_ascii_lowercase).collect()
    };
    let is_one_time =
        |text: &str| duration(value).is_ok_and(|time| duration(text).is_ok_and(|it| it == time));
    match &wanted.intent_value {
        IntentValue::Sources(intent_value) => {
            let list = items(value).into_iter().collect::<Vec<_>>().join(",");
            matches!(wanted.intent.read(&list), Ok(IntentValue::Sources(read)) if set(&read) == set(intent_value))
        }
        // NGINX reads a number without a unit as seconds.
        IntentValue::Duration(_) if plan.controller(Target::Ingress) == Controller::F5Nginx => {
            is_one_time(written)
                || duration(&[value, "s"].concat())
                    .is_ok_and(|it| wanted.intent_value == IntentValue::Duration(it))
        }
        IntentValue::Duration(_) | IntentValue::Rate(_) => is_one_time(written),
        IntentValue::Size(_) => nginx::read::size(value)
            .is_some_and(|text| wanted.intent.read(&text).is_ok_and(|read| read == wanted.intent_value)),
        // This controller is case-sensitive. Equal values and equal booleans are handled above.
        IntentValue::Protocol(_) if plan.controller(Target::Ingress) == Controller::Haproxy => false,
        IntentValue::Protocol(_) => {
            items(value).contains(&written.to_ascii_lowercase())
                || wanted
                    .intent
                    .read(&value.to_ascii_lowercase())
                    .is_ok_and(|read| read == wanted.intent_value)
        }
        // A value may contain more headers than those that are wanted.
        IntentValue::Headers(_) => {
            let has = |line: &str| value.split([',', '\n']).any(|it| it.trim() == line.trim());
            written.split([',', '\n']).all(has)
        }
        IntentValue::Cors(cors) => {
            items(value) == items(written)
                || value.trim_end_matches('s') == written.trim_end_matches('s')
                || name == "cors-allow-origin" && items(value) == items(&cors.origins.join(","))
        }
        IntentValue::ExternalAuth(_) => name.contains("headers") && items(value) == items(written),
        IntentValue::BasicAuth(_) | IntentValue::Certificate(_) => {
            plan.namespace().and_then(|own| value.strip_prefix(own)?.strip_prefix('/')) == Some(written)
        }
        IntentValue::Sticky(sticky) => {
            sticky.max_age.is_none()
                && value.split(' ').take(2).eq(written.split(' ').take(2))
                && value.contains(' ')
        }
        // A path is a regular expression with either letter case.
        IntentValue::Switch(_) | IntentValue::Path(_) => {
            value.starts_with("case_") && written.starts_with("case_")
        }
        IntentValue::Code(_) | IntentValue::Hosts(_) => false,
    }
}

/// Whether an annotation that would not be written is about a part of the intent that nothing else covers, or turns a part off.
fn is_separate_part(intent_value: &IntentValue, name: &str, value: &str) -> bool {
    match intent_value {
        IntentValue::Cors(_)
        | IntentValue::BasicAuth(_)
        | IntentValue::ExternalAuth(_)
        | IntentValue::Sticky(_)
        | IntentValue::Rate(_)
        | IntentValue::Certificate(_) => true,
        // HTTP/2 can be used over TLS, which another annotation turns on.
        IntentValue::Protocol(BackendProtocol::Https) if matches!(value, "h2" | "HTTP2") => {
            name != "backend-protocol"
        }
        IntentValue::Protocol(_) => matches!(value, "false" | "HTTP" | "HTTP1" | "h1"),
        IntentValue::Switch(_) => name == "rewrite-target" && value == "/",
        _ => false,
    }
}

/// Whether two keys are one annotation for the controller of a target: equal keys, or two names under which the controller
/// reads the same annotation.
pub(super) fn is_same_annotation(plan: &Plan, target: Target, key: &str, other: &str) -> bool {
    let controller = plan.controller(target);
    let name = |it: &'_ str| it.find('/').unwrap_or(it.len());
    let has_name = || key.get(name(key)..) == other.get(name(other)..);
    key == other
        || target == Target::Ingress && has_name() && controller.reads(key) && controller.reads(other)
        || is_alias(plan, target, key, other)
}

/// Returns the intent that an annotation expresses for the controller of a target.
pub(crate) fn intent_of(plan: &Plan, target: Target, key: &str) -> Option<Intent> {
    let by_rows = rows_of(plan, target, key).next().map(|row| row.intent);
    // Some controllers read names of ingress-nginx under the prefix that it had earlier.
    by_rows.or_else(|| {
        let name = nginx::any_name(key).filter(|_| plan.controller(target).reads(key))?;
        nginx::read::intent_of_name(name)
    })
}

/// Returns the rows of the controller of a target that contain an annotation.
fn rows_of<'k>(
    plan: &Plan,
    target: Target,
    key: &'k str,
) -> impl Iterator<Item = &'static IntentMapping> + use<'k> {
    let controller = plan.controller(target);
    // The rows of an Ingress controller contain names without a prefix, because it can have several prefixes.
    let name = match target {
        Target::Ingress if controller.reads(key) => key.split_once('/').map(|(_, name)| name),
        Target::Route => Some(key),
        Target::Ingress | Target::HttpRoute => None,
    };
    rows(target, controller).iter().filter(move |row| {
        let is_it = |word: &str| Some(word) == name || word == key;
        name.is_some() && row.annotations.split([',', ':', ' ']).any(is_it)
    })
}

/// Returns the intent that a name without its prefix expresses for any Ingress controller.
pub(crate) fn intent_named(name: &str) -> Option<Intent> {
    let is_it = |row: &&IntentMapping| row.annotations.split([',', ':', ' ']).any(|word| word == name);
    let mut all = Controller::ALL.into_iter().flat_map(|it| rows(Target::Ingress, it));
    nginx::read::intent_of_name(name).or_else(|| all.find(is_it).map(|row| row.intent))
}

/// Whether two annotations are alternatives for the same thing for the controller of a target. The rows write `or` between
/// them.
pub(crate) fn is_alias(plan: &Plan, target: Target, key: &str, other: &str) -> bool {
    let has = |item: &str, key: &str| {
        item.split(" or ").any(|word| word == key || key.rsplit('/').next() == Some(word))
    };
    let are_both = |item: &str| item.contains(" or ") && has(item, key) && has(item, other);
    rows_of(plan, target, key).any(|row| row.annotations.split(", ").any(are_both))
        && rows_of(plan, target, other).next().is_some()
}

/// Whether the controller of a target does what annotations of ingress-nginx mean, but without the part that this annotation
/// adds.
pub(crate) fn loses_part(plan: &Plan, target: Target, key: &str) -> bool {
    let lacking: &[&str] = match (target, plan.controller(target)) {
        (Target::HttpRoute, Controller::EnvoyGateway) => &["auth-realm", "affinity-mode"],
        (Target::Ingress, Controller::Alb) => &["affinity-mode", "session-cookie-name"],
        (Target::Ingress, Controller::HaproxyIngress) | (Target::Route, _) => {
            &["affinity-mode", "session-cookie-max-age", "session-cookie-expires"]
        }
        _ => &["affinity-mode"],
    };
    nginx::any_name(key).is_some_and(|name| lacking.contains(&name))
}

/// Returns pairs of annotations that are two names of the same thing with different values, for ingress-nginx or for the
/// controllers of the Service.
pub(crate) fn conflicting_aliases(plan: &Plan) -> Vec<(&Annotation, &Annotation)> {
    let (mut pairs, mut known) = (Vec::new(), Vec::<(Option<(Target, Intent)>, &str, &Annotation)>::new());
    for other in &plan.annotations {
        let key = other.key.as_str();
        let alias = nginx::ALIASES.iter().find(|names| names.contains(&key));
        let of = if alias.is_some() || key.starts_with(nginx::PREFIX) {
            None
        } else {
            plan.targets.iter().find_map(|target| Some((*target, intent_of(plan, *target, key)?)))
        };
        if of.is_none() && alias.is_none() {
            continue;
        }
        let is_list = matches!(of, Some((_, Intent::AllowedSources | Intent::DeniedSources)));
        let name = alias.map_or_else(|| key.rsplit('/').next().unwrap_or_default(), |[first, _]| *first);
        let is_one = |it: &&(Option<(Target, Intent)>, &str, &Annotation)| {
            it.0 == of && (is_list || it.1 == name) && it.2.value.trim() != other.value.trim()
        };
        pairs.extend(known.iter().find(is_one).map(|first| (first.2, other)));
        known.push((of, name, other));
    }
    pairs
}

/// Returns the annotations in which the controllers of a plan read an intent, and those of ingress-nginx, because
/// administrators deny keys by the names of ingress-nginx.
pub(crate) fn keys_of(plan: &Plan, intent: Intent) -> impl Iterator<Item = String> {
    let ingress = (Target::Ingress, Controller::IngressNginx);
    let served = plan.targets.iter().map(|target| (*target, plan.controller(*target)));
    served.filter(move |it| *it != ingress).chain([ingress]).flat_map(move |(target, controller)| {
        let words = rows(target, controller)
            .iter()
            .filter(move |row| row.intent == intent)
            .flat_map(|row| row.annotations.split([',', ':', ' ']));
        let prefixes = controller.row().reads.iter().filter(|prefix| prefix.ends_with('/'));
        let keys = words.filter(|word| !word.is_empty()).flat_map(move |word| {
            let whole = word.contains('/').then(|| word.to_owned());
            whole.into_iter().chain(prefixes.clone().map(move |prefix| [prefix, word].concat()))
        });
        // The rows also contain values and other words.
        keys.filter(move |key| read_by(controller, key).is_some())
    })
}

/// Whether an annotation has the meaning of another one, under another name or as an annotation of another program.
pub(crate) fn is_equivalent(plan: &Plan, intent: Intent, key: &str, other: &str) -> bool {
    let ((prefix, own), (of_other, others)) =
        (key.split_once('/').unwrap_or(("", key)), other.split_once('/').unwrap_or(("", other)));
    let is_end = |long: &str, short: &str| {
        long.strip_suffix(short).is_some_and(|rest| rest.is_empty() || rest.ends_with('-'))
    };
    let is_one = matches!(
        intent,
        Intent::StripPrefix
            | Intent::RewritePath
            | Intent::AllowedSources
            | Intent::DeniedSources
            | Intent::ConnectTimeout
            | Intent::IdleTimeout
            | Intent::Timeout
            | Intent::MaxBodySize
            | Intent::BackendProtocol
            | Intent::RedirectFrom
            | Intent::RateLimit
            | Intent::TlsPassthrough
    );
    plan.targets.iter().any(|target| is_same_annotation(plan, *target, key, other))
        || prefix != of_other
            && (is_one && !own.ends_with("-regex") || is_end(own, others) || is_end(others, own))
}

/// Returns the intents that an annotation weakens if the controller of the Ingress reads it, and what the annotation does if
/// that may be intended.
pub(crate) fn weakened_by(
    plan: &Plan,
    given: &Annotation,
) -> Option<(&'static [Intent], Option<&'static str>)> {
    const LISTS: &[Intent] = &[Intent::AllowedSources, Intent::DeniedSources];
    const ASKED: &[Intent] = &[Intent::BasicAuth, Intent::ExternalAuth];
    let controller = plan.controller(Target::Ingress);
    let name = given.key.split_once('/').filter(|_| controller.reads(&given.key))?.1;
    let value = given.value.trim();
    let intent = |it: &Annotation| intent_of(plan, Target::Ingress, &it.key);
    let wants = |intents: &[Intent]| {
        intents.iter().any(|it| plan.requested(*it).is_some())
            || plan.annotations.iter().filter_map(intent).any(|it| intents.contains(&it))
    };
    match (controller, name) {
        (Controller::Haproxy, "src-ip-header") | (Controller::HaproxyIngress, "allowlist-source-header") => {
            Some((
                LISTS,
                Some("reads the address from a header, which clients can write unless a proxy in front does"),
            ))
        }
        (Controller::HaproxyIngress, "auth-tls-strict") if parse_bool(value) == Some(false) => {
            Some((&[Intent::ClientCertificate], None))
        }
        // What this weakens is no intent.
        (Controller::HaproxyIngress, "waf-mode") if value == "detect" => Some((&[], None)),
        (Controller::IngressNginx | Controller::TraefikNginx, "enable-global-auth")
            if parse_bool(value) == Some(false) =>
        {
            Some((&[], None))
        }
        (Controller::F5Nginx, "limit-req-dry-run") if parse_bool(value) == Some(true) => {
            Some((&[Intent::RateLimit], None))
        }
        (Controller::IngressNginx | Controller::TraefikNginx, "satisfy")
            if value == "any" && wants(LISTS) && wants(ASKED) =>
        {
            Some((
                &[Intent::AllowedSources, Intent::DeniedSources, Intent::BasicAuth, Intent::ExternalAuth],
                None,
            ))
        }
        _ => None,
    }
}

/// The intents whose annotations the conformance tests prove on Traefik's provider for ingress-nginx (`docs/reference/conformance.md`).
const TRAEFIK_NGINX_PROVED: &[Intent] = &[
    Intent::HttpsRedirect,
    Intent::Canary,
    Intent::StripPrefix,
    Intent::RewritePath,
    Intent::AllowedSources,
    Intent::BasicAuth,
    Intent::ExternalAuth,
    Intent::IdleTimeout,
    Intent::Cors,
    Intent::BackendProtocol,
    Intent::StickySession,
    Intent::RateLimit,
];

/// Returns all rows of a program for the objects of a target. Only the reference and `xposer explain` need them.
pub(crate) fn mappings(target: Target, controller: Controller) -> Vec<IntentMapping> {
    let none: Rows = &[];
    let (own, below) = match (target, controller) {
        (Target::HttpRoute, Controller::EnvoyGateway) => {
            (envoy_gateway::support::MAPPINGS, gateway::support::MAPPINGS)
        }
        (Target::HttpRoute, _) => (gateway::support::MAPPINGS, none),
        (Target::Ingress, Controller::Traefik) => (traefik::support::MAPPINGS, none),
        (Target::Ingress | Target::Route, _) => (rows(target, controller), none),
    };
    // A row of the program replaces the row of the Gateway API for the same intent.
    let is_own = |row: &&IntentMapping| own.iter().any(|known| known.intent == row.intent);
    let mut all: Vec<IntentMapping> =
        own.iter().chain(below.iter().filter(|row| !is_own(row))).copied().collect();
    if controller == Controller::TraefikNginx {
        // The rows were tested with the parser of ingress-nginx. For Traefik, requests prove some; of the others, the source was read.
        for row in &mut all {
            let is_proved = TRAEFIK_NGINX_PROVED.contains(&row.intent);
            row.proof = if is_proved { Proof::Proved } else { Proof::Documented };
            row.since = "3.7";
        }
    }
    all
}
