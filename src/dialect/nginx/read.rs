//! The meaning of the annotations of ingress-nginx, as intents that are independent of any program.
//!
//! An annotation is not read if no intent has its meaning, or if the grammar of the intent does not accept its value. The loss
//! of such an annotation is reported key by key, and `reason_unread` returns the reason.

mod readers;

pub(crate) use self::readers::size;
use super::{CANARY, PREFIX, find, invalid_value, is_intent};
use crate::diagnostics::Sourced;
use crate::dialect::key::InvalidValue;
use crate::dialect::read::ReadIntent;
use crate::intents::{Intent, IntentValue, Wrong};
use crate::plan::{Annotation, Plan, Route};
use crate::validation::parse_bool;

/// The names of the keys from which an intent is read. For the reference, a key belongs to the first intent that has it.
const KEYS: &[(Intent, &[&str])] = &[
    (Intent::HttpsRedirect, &["force-ssl-redirect", "ssl-redirect"]),
    (
        Intent::Canary,
        &[
            "canary",
            "canary-weight",
            "canary-weight-total",
            "canary-by-header",
            "canary-by-header-value",
            "canary-by-header-pattern",
            "canary-by-cookie",
        ],
    ),
    (Intent::RewritePath, &["rewrite-target", "use-regex"]),
    (Intent::AllowedSources, &["allowlist-source-range", "whitelist-source-range"]),
    (Intent::DeniedSources, &["denylist-source-range"]),
    (Intent::BasicAuth, &["auth-type", "auth-secret", "auth-secret-type", "auth-realm"]),
    (Intent::ExternalAuth, &["auth-url", "auth-signin", "auth-response-headers", "auth-method"]),
    (Intent::ConnectTimeout, &["proxy-connect-timeout"]),
    (Intent::IdleTimeout, &["proxy-read-timeout", "proxy-send-timeout"]),
    (Intent::MaxBodySize, &["proxy-body-size"]),
    (
        Intent::Cors,
        &[
            "enable-cors",
            "cors-allow-origin",
            "cors-allow-methods",
            "cors-allow-headers",
            "cors-expose-headers",
            "cors-allow-credentials",
            "cors-max-age",
        ],
    ),
    (Intent::RequestHeaders, &["x-forwarded-prefix"]),
    (Intent::BackendProtocol, &["backend-protocol"]),
    (
        Intent::StickySession,
        &[
            "affinity",
            "affinity-mode",
            "session-cookie-name",
            "session-cookie-max-age",
            "session-cookie-expires",
        ],
    ),
    (Intent::RedirectFrom, &["from-to-www-redirect"]),
    (Intent::RateLimit, &["limit-rps", "limit-rpm", "limit-burst-multiplier"]),
    (Intent::ClientCertificate, &["auth-tls-secret", "auth-tls-verify-client"]),
    (Intent::TlsPassthrough, &["ssl-passthrough"]),
];

/// Returns the names of the keys from which an intent is read.
pub(crate) fn names_of(intent: Intent) -> &'static [&'static str] {
    KEYS.iter().find(|(of, _)| *of == intent).map_or(&[], |(_, names)| *names)
}

/// The annotations of a plan by their names.
struct Annotations<'p>(&'p Plan);

impl<'p> Annotations<'p> {
    /// Returns the annotation of this name. An empty one counts as missing, and so does one that ingress-nginx ignores.
    fn get(&self, name: &str) -> Option<&'p Annotation> {
        self.given(name).filter(|it| !it.value.trim().is_empty() && invalid_value_of(it).is_none())
    }

    fn given(&self, name: &str) -> Option<&'p Annotation> {
        self.0.annotations.iter().find(|it| it.key.strip_prefix(PREFIX) == Some(name))
    }

    /// Whether ingress-nginx does not accept one of the values, which a rule reports as an Error.
    fn is_refused(&self, names: &[&str]) -> bool {
        let is_refused = |it| invalid_value_of(it).is_some_and(|(_, is_harmless)| !is_harmless);
        names.iter().any(|name| self.given(name).is_some_and(is_refused))
    }

    fn text(&self, name: &str) -> Option<&'p str> {
        self.get(name).map(|it| it.value.trim())
    }

    fn is_true(&self, name: &str) -> bool {
        self.text(name).and_then(parse_bool) == Some(true)
    }

    /// Returns the meaning of annotations, if the grammar of the intent accepts it.
    fn as_intent(&self, message: AnnotationsAsOption) -> Option<ReadIntent> {
        let (intent, names) = (message.intent, message.names);
        if self.is_refused(names) {
            return None;
        }
        let given: Vec<&Annotation> = names.iter().filter_map(|name| self.get(name)).collect();
        ReadIntent::new(intent, message.intent_value().ok()?, &given)
    }
}

/// Returns why ingress-nginx does not accept the value of an annotation.
fn invalid_value_of(given: &Annotation) -> Option<(InvalidValue, bool)> {
    invalid_value(find(given.key.strip_prefix(PREFIX)?)?, &given.value)
}

/// Returns the intent that an annotation expresses, alone or together with others.
pub(crate) fn intent_of(key: &str) -> Option<Intent> {
    intent_of_name(key.strip_prefix(PREFIX)?)
}

/// Returns the first intent that an annotation of ingress-nginx is read as. `name` is the key without its prefix.
///
/// ```
/// use xposer::internal::{Intent, intent_of_name};
/// assert_eq!(intent_of_name("whitelist-source-range"), Some(Intent::AllowedSources));
/// assert_eq!(intent_of_name("proxy-buffering"), None);
/// ```
#[must_use]
pub fn intent_of_name(name: &str) -> Option<Intent> {
    KEYS.iter().find(|(_, names)| names.contains(&name)).map(|(intent, _)| *intent)
}

/// Returns the annotation of an intent whose value contains the text that a sentence quotes.
pub(crate) fn annotation_with_text<'p>(
    plan: &'p Plan,
    intent: Intent,
    message: &str,
) -> Option<&'p Annotation> {
    let (_, quoted) = message.split_once('`')?;
    let (text, _) = quoted.split_once('`')?;
    plan.annotations.iter().find(|it| it.value.contains(text) && intent_of(&it.key) == Some(intent))
}

/// The value of the annotations with these names as a value of the intent's option, or the reason why no option has this value.
struct AnnotationsAsOption {
    intent: Intent,
    names: &'static [&'static str],
    text: Result<String, Wrong>,
}

impl AnnotationsAsOption {
    fn intent_value(self) -> Result<IntentValue, Wrong> {
        self.intent.read(&self.text?).map_err(|problems| {
            let first = problems.into_iter().next();
            first.unwrap_or_else(|| wrong("", ""))
        })
    }
}

/// Returns the meanings of a plan's annotations.
pub(in crate::dialect) fn read(plan: &Plan) -> Vec<ReadIntent> {
    if !plan.annotations.iter().any(|it| it.key.starts_with(PREFIX)) {
        return Vec::new();
    }
    let given = Annotations(plan);
    readers::READERS.iter().filter_map(|read| given.as_intent(read(&given)?)).collect()
}

/// Returns why an annotation has no meaning here although an option exists for it, and the intent of that option.
pub(crate) fn reason_unread(plan: &Plan, key: &str) -> Option<(Option<Intent>, Wrong)> {
    let (given, name) = (Annotations(plan), key.strip_prefix(PREFIX)?);
    match name {
        "server-alias" => {
            let help =
                "write each host into config.xposer.stakater.com/IngressURLTemplate in place of the line";
            return Some((None, wrong("", help)));
        }
        "custom-headers" => {
            let help = "write config.xposer.stakater.com/ResponseHeaders in place of the line";
            return Some((Some(Intent::ResponseHeaders), wrong("", help)));
        }
        "auth-signin" => {
            let wrong = wrong("options do not support variables of nginx", "write the URL without `$`");
            return given.text(name)?.contains('$').then_some((Some(Intent::ExternalAuth), wrong));
        }
        _ => {}
    }
    let message =
        readers::READERS.iter().filter_map(|read| read(&given)).find(|it| it.names.contains(&name))?;
    Some((Some(message.intent), message.intent_value().err()?))
}

/// Returns a value of an option that every program accepts that supports the option.
pub(crate) fn sample_value(intent: Intent) -> Option<IntentValue> {
    let text = match intent {
        Intent::RewritePath => "/x",
        Intent::AllowedSources | Intent::DeniedSources => "10.0.0.0/8",
        Intent::BasicAuth | Intent::StickySession | Intent::ClientCertificate => "x",
        Intent::ExternalAuth => "http://x/",
        Intent::ConnectTimeout | Intent::IdleTimeout => "9s",
        Intent::MaxBodySize => "1Mi",
        Intent::Cors => "http://x.x",
        Intent::RequestHeaders | Intent::ResponseHeaders => "x: x",
        Intent::BackendProtocol => "http",
        Intent::RateLimit => "9/s",
        _ => return None,
    };
    intent.read(text).ok()
}

fn wrong(message: &str, help: &str) -> Wrong {
    Wrong { said: message.to_owned(), help: help.to_owned() }
}

/// Returns the path in front of a pattern whose rewrite strips this path. For `/shop(/|$)(.*)` with the target `/$2`, it is
/// `/shop`.
pub(crate) fn stripped<'r>(route: &'r Route, target: &str) -> Option<&'r str> {
    let ends = [("(/|$)(.*)", "/$2"), ("/(.*)", "/$1"), ("(/|$)(.+)", "/$2"), ("/?(.*)", "/$1")];
    let path = ends.into_iter().find_map(|(end, rest)| {
        Some(route.path.strip_suffix('$').unwrap_or(&route.path).strip_suffix(end)?)
            .filter(|_| target == rest)
    })?;
    let is_plain =
        path.starts_with('/') && path.chars().all(|c| c.is_ascii_alphanumeric() || "-_~/".contains(c));
    is_plain.then_some(path)
}

/// The help that names the options for a canary.
pub(crate) const NAME_STABLE: &str =
    "write config.xposer.stakater.com/CanaryOf and CanaryWeight in place of the lines about a canary";

/// Returns the annotation that makes a Service the canary of a Service that is not named.
pub(crate) fn unnamed_canary(plan: &Plan) -> Option<&Annotation> {
    let canary = plan.annotation(CANARY).filter(|_| plan.canary.is_none())?;
    (parse_bool(&canary.value) == Some(true)).then_some(canary)
}

/// Returns whether the annotations redirect requests without TLS to https, with the origin of the annotation that decides this.
/// Without a TLS section, only `force-ssl-redirect` redirects.
pub(crate) fn https_redirect(plan: &Plan) -> Option<Sourced<bool>> {
    let given = Annotations(plan);
    let switch = |name: &str| {
        let annotation = given.get(name)?;
        Some(Sourced::new(parse_bool(annotation.value.trim())?, annotation.origin()))
    };
    switch("force-ssl-redirect")
        .filter(|forced| forced.value)
        .or_else(|| switch("ssl-redirect").filter(|redirect| !redirect.value || plan.tls().has_secret()))
}

/// Returns the annotation of ingress-nginx that asks for the redirect to https, if no option does.
pub(crate) fn redirecting_line(plan: &Plan) -> Option<&Annotation> {
    let wanted = plan.https_redirect.as_ref().filter(|wanted| wanted.value)?;
    plan.annotations
        .iter()
        .find(|it| is_intent(&it.key) && it.origin() == wanted.origin && parse_bool(&it.value) == Some(true))
}
