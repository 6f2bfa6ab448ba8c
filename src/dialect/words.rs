//! The words of the programs: what each says for what a plan wants, and how we know.

use super::controller::Controller;
use super::says::says;
use super::{
    alb, contour, envoy_gateway, f5_nginx, gateway, gke, haproxy, haproxy_ingress, nginx, openshift, traefik,
};
use crate::diagnostics::words;
use crate::intents::{Given, Intent, Wish, duration};
use crate::plan::{Annotation, Plan, Wanted};
use crate::values::{BackendProtocol, Target};

/// How we know what a program does.
///
/// ```
/// use xposer::internal::Proof;
/// assert_eq!(Proof::Proved.as_str(), "proved");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Real requests went through the real program.
    Proved,
    /// The program's own code read the words.
    Parser,
    /// Its documentation says so.
    Documented,
}

words!(Proof { Proved = "proved", Parser = "parser", Documented = "documented" });

/// A row of the reference of a program: an intent, its words there, how we know, and since which version it has them.
///
/// ```
/// use xposer::internal::{Intent, Program};
/// let rows = Program::all().into_iter().flat_map(Program::words);
/// assert!(rows.into_iter().all(|row| !row.words.is_empty() && Intent::ALL.contains(&row.intent)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// The intent.
    pub intent: Intent,
    /// Its words, as the documentation of the program has them.
    pub words: &'static str,
    /// How we know.
    pub proof: Proof,
    /// The first version that has the words.
    pub since: &'static str,
}

impl Words {
    pub(super) const fn new(intent: Intent, words: &'static str, proof: Proof, since: &'static str) -> Self {
        Self { intent, words, proof, since }
    }
}

type Rows = &'static [Words];

/// The words of a program on the objects of a target that are annotations. The policy has no use for those that are none.
fn rows(target: Target, controller: Controller) -> Rows {
    match (target, controller) {
        (Target::Route, _) => openshift::says::WORDS,
        (Target::Ingress, Controller::IngressNginx | Controller::TraefikNginx) => nginx::says::WORDS,
        (Target::Ingress, Controller::Contour) => contour::says::WORDS,
        (Target::Ingress, Controller::Haproxy) => haproxy::says::WORDS,
        (Target::Ingress, Controller::HaproxyIngress) => haproxy_ingress::says::WORDS,
        (Target::Ingress, Controller::F5Nginx) => f5_nginx::says::WORDS,
        (Target::Ingress, Controller::Alb) => alb::says::WORDS,
        (Target::Ingress, Controller::Gce) => gke::says::WORDS,
        (Target::HttpRoute, _)
        | (
            Target::Ingress,
            Controller::Traefik
            | Controller::Openshift
            | Controller::EnvoyGateway
            | Controller::Gateway
            | Controller::Other,
        ) => &[],
    }
}

/// Whether whoever serves a target reads an annotation for what an option wants, and can do it. No Gateway reads annotations.
pub(crate) fn is_word(plan: &Plan, target: Target, option: &Wanted, key: &str) -> bool {
    rows_of(plan, target, key).any(|row| row.intent == option.intent)
        && says(plan, target, option.intent, Some(&option.wish)).is_done()
}

/// Whether a word of whoever serves the Service says nothing else than what somebody wants. What cannot be compared says something else.
pub(crate) fn agrees(plan: &Plan, wanted: &Wanted, given: &Annotation) -> bool {
    let Wanted { intent, wish, keys, .. } = wanted;
    let value = given.value.trim();
    let is_same = |read: Wish| match (&read, wish) {
        (Wish::Sources(read), Wish::Sources(wish)) => {
            read.len() == wish.len() && read.iter().all(|it| wish.contains(it))
        }
        _ => read == *wish,
    };
    if intent.read(Given(value)).is_ok_and(is_same) {
        return true;
    }
    let name = given.key.rsplit('/').next().unwrap_or_default();
    // What the annotations of another program say in the same text, of which seconds have no unit there.
    let mut said = plan.annotations.iter().filter(|it| keys.contains(&it.key));
    let is_equal = |it: &Annotation| {
        let text = it.value.trim();
        value.eq_ignore_ascii_case(text) || value.strip_suffix('s') == Some(text)
    };
    match wish {
        // It stands beside the others, with one value.
        _ if matches!(name, "auth-type" | "cors-enable" | "path-regex") => true,
        Wish::Switch(_) => name == "rewrite-target" && matches!(value, "/" | "/$2"),
        Wish::Hosts(_) => plan.rules.first().is_some_and(|rule| {
            let host = rule.host.as_str();
            host.strip_prefix("www.") == Some(value) || value.strip_prefix("www.") == Some(host)
        }),
        Wish::Protocol(protocol) => match value {
            "true" | "HTTPS" | "h1-ssl" | "h2-ssl" => protocol.has_tls(),
            // It can be spoken over TLS, which another word says.
            "h2" | "HTTP2" | "GRPC" => *protocol != BackendProtocol::Http,
            "false" | "HTTP" | "HTTP1" | "h1" => !protocol.has_tls(),
            _ => value == plan.service(),
        },
        Wish::Rate(rate) => {
            let (number, unit) = value.split_once("r/").unwrap_or((value, rate.unit()));
            let expected = match name.rsplit('-').next() {
                Some("period") => {
                    return duration(value).is_ok_and(|time| time == u64::from(rate.per) * 1000);
                }
                Some("connections" | "delay") => return value == "true",
                Some("burst") => rate.burst,
                // The router of OpenShift counts the requests of a time of its own.
                Some("http") => Some(openshift::says::in_period(*rate)),
                _ => Some(rate.requests),
            };
            unit == rate.unit() && expected.is_none_or(|expected| number.parse() == Ok(expected))
        }
        Wish::Certificate(it) if name == "auth-tls-verify-client" => {
            value == if it.is_optional { "optional" } else { "on" }
        }
        Wish::Sticky(sticky) => {
            said.any(is_equal)
                || value.split(' ').any(|word| word == sticky.cookie)
                || value.contains("stickiness.enabled=true")
        }
        Wish::Headers(_) => said.any(|it| value.contains(it.value.trim())),
        // Of what they do not say, the word is all that is said.
        Wish::Cors(_) | Wish::BasicAuth(_) | Wish::ExternalAuth(_) | Wish::Duration(_)
            if nginx::read::KEYS.iter().any(|(of, names)| of == intent && names.contains(&name))
                && !keys.iter().any(|key| key.ends_with(name)) =>
        {
            !keys.is_empty()
        }
        _ => said.any(is_equal),
    }
}

/// What an annotation means to whoever serves a target.
pub(crate) fn intent_of(plan: &Plan, target: Target, key: &str) -> Option<Intent> {
    let by_rows = rows_of(plan, target, key).next().map(|row| row.intent);
    // Others read names of ingress-nginx under the prefix that it had.
    by_rows.or_else(|| {
        let name = nginx::any_name(key).filter(|_| plan.controller(target).reads(key))?;
        nginx::read::KEYS.iter().find(|(_, names)| names.contains(&name)).map(|(intent, _)| *intent)
    })
}

/// The rows of whoever serves a target that have an annotation as a word.
fn rows_of<'k>(plan: &Plan, target: Target, key: &'k str) -> impl Iterator<Item = &'static Words> + use<'k> {
    let controller = plan.controller(target);
    // The words of a controller of Ingresses are without its prefixes, of which it may have several.
    let name = match target {
        Target::Ingress if controller.reads(key) => key.split_once('/').map(|(_, name)| name),
        Target::Route => Some(key),
        Target::Ingress | Target::HttpRoute => None,
    };
    rows(target, controller).iter().filter(move |row| {
        let is_it = |word: &str| Some(word) == name || word == key;
        name.is_some() && row.words.split([',', ':', ' ']).any(is_it)
    })
}

/// Whether two annotations are two words of whoever serves a target for one thing: those with `or` between them.
pub(crate) fn is_alias(plan: &Plan, target: Target, key: &str, other: &str) -> bool {
    let has = |item: &str, key: &str| {
        item.split(" or ").any(|word| word == key || key.rsplit('/').next() == Some(word))
    };
    let are_both = |item: &str| item.contains(" or ") && has(item, key) && has(item, other);
    rows_of(plan, target, key).any(|row| row.words.split(", ").any(are_both))
        && rows_of(plan, target, other).next().is_some()
}

/// Pairs of annotations that are two names of one thing, with different values, for ingress-nginx or for whoever serves the Service.
pub(crate) fn named_twice(plan: &Plan) -> Vec<(&Annotation, &Annotation)> {
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

/// The annotations in which whoever serves a target says what an option wants, and those of ingress-nginx, in whose words
/// administrators have said what they deny.
pub(crate) fn keys_of(plan: &Plan, intent: Intent) -> impl Iterator<Item = String> {
    let ingress = (Target::Ingress, Controller::IngressNginx);
    let served = plan.targets.iter().map(|target| (*target, plan.controller(*target)));
    served.filter(move |it| *it != ingress).chain([ingress]).flat_map(move |(target, controller)| {
        let words = rows(target, controller)
            .iter()
            .filter(move |row| row.intent == intent)
            .flat_map(|row| row.words.split([',', ':', ' ']));
        let prefixes = controller.row().reads.iter().filter(|prefix| prefix.ends_with('/'));
        words.filter(|word| !word.is_empty()).flat_map(move |word| {
            let whole = word.contains('/').then(|| word.to_owned());
            whole.into_iter().chain(prefixes.clone().map(move |prefix| [prefix, word].concat()))
        })
    })
}

/// The words of a program on the objects of a target. Only the reference and `xposer explain` read them all.
pub(crate) fn words(target: Target, controller: Controller) -> Vec<Words> {
    let none: Rows = &[];
    let (own, below) = match (target, controller) {
        (Target::HttpRoute, Controller::EnvoyGateway) => (envoy_gateway::says::WORDS, gateway::says::WORDS),
        (Target::HttpRoute, _) => (gateway::says::WORDS, none),
        (Target::Ingress, Controller::Traefik) => (traefik::says::WORDS, none),
        (Target::Ingress | Target::Route, _) => (rows(target, controller), none),
    };
    // What a program has beside the Gateway API takes the place of the row there.
    let is_own = |row: &&Words| own.iter().any(|known| known.intent == row.intent);
    let mut words: Vec<Words> = own.iter().chain(below.iter().filter(|row| !is_own(row))).copied().collect();
    if controller == Controller::TraefikNginx {
        // They were tried with ingress-nginx. Of Traefik 3.7, the source was read.
        words =
            words.into_iter().map(|row| Words { proof: Proof::Documented, since: "3.7", ..row }).collect();
    }
    words
}
