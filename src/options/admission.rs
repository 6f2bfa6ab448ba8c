//! The settings `claims` and `guard`: what an admission policy looks up and checks in addition to the Service itself.

use serde_json::Value;

use super::parse::{Parsed, boolean, invalid, item, list, mapping, one, text, unknown_word, wrong};
use super::{Settings, unknown};
use crate::diagnostics::{Code, Origin, one_of, quoted};
use crate::intents::duration;
use crate::validation::{is_dns_label, is_dns_subdomain};

/// The consequence of a finding of the policy that is not about the Service alone.
///
/// ```
/// use xposer::options::Mode;
/// assert_eq!("deny".parse(), Ok(Mode::Deny));
/// assert_eq!(Mode::default(), Mode::Off);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Nothing is checked.
    #[default]
    Off,
    /// The request is accepted with a warning.
    Warn,
    /// The request is refused.
    Deny,
}

crate::diagnostics::words!(Mode { Off = "off", Warn = "warn", Deny = "deny" });

/// The setting `claims`: the ConfigMaps in which the controller records who holds which hosts and names, and how the policy uses
/// the records.
///
/// ```
/// use serde_json::json;
/// use xposer::{Settings, options::Mode};
/// let settings = Settings::from_value(&json!({"claims": {"namespace": "xposer-system", "mode": "deny"}}))?;
/// let claims = settings.claims().expect("they have a namespace");
/// assert_eq!((claims.namespace(), claims.mode(), claims.on_failure()), ("xposer-system", Mode::Deny, Mode::Warn));
/// assert!(claims.max_age_seconds() == 3600 && claims.names_others());
/// assert!(Settings::default().claims().is_none());
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    namespace: String,
    mode: Mode,
    on_failure: Mode,
    max_age: u64,
    names_others: bool,
}

impl Claims {
    /// The namespace of the ConfigMaps.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The mode if another Service or object holds something that the Service asks for. The controller writes the claims in every
    /// mode.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The mode if the holders are not known: `Warn` or `Deny`.
    #[must_use]
    pub fn on_failure(&self) -> Mode {
        self.on_failure
    }

    /// The age, in seconds, from which the records are too old to be used.
    #[must_use]
    pub fn max_age_seconds(&self) -> u64 {
        self.max_age
    }

    /// Whether messages name holders in other namespaces.
    #[must_use]
    pub fn names_others(&self) -> bool {
        self.names_others
    }
}

impl Settings {
    /// Whether messages name the object of another namespace that a Service conflicts with: the setting `claims.nameOthers`.
    ///
    /// ```
    /// assert!(xposer::Settings::default().names_others());
    /// ```
    #[must_use]
    pub fn names_others(&self) -> bool {
        self.claims().is_none_or(Claims::names_others)
    }
}

/// The setting `guard`: the kinds that the policy checks in addition to Services, and the users whose requests it allows.
///
/// ```
/// use serde_json::json;
/// use xposer::{Settings, options::Mode};
/// let settings = Settings::from_value(&json!({"guard": {"mode": "deny", "kinds": ["Ingress"]}}))?;
/// assert_eq!((settings.guard().mode_of("Ingress"), settings.guard().mode_of("HTTPRoute")), (Mode::Deny, Mode::Off));
/// assert!(settings.guard().exempts("system:serviceaccount:xposer-system:xposer-controller"));
/// assert_eq!(Settings::default().guard().mode_of("Ingress"), Mode::Off);
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    mode: Mode,
    kinds: Vec<String>,
    users: Vec<String>,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            mode: Mode::Off,
            kinds: Self::KINDS.map(str::to_owned).to_vec(),
            users: Self::USERS.map(str::to_owned).to_vec(),
        }
    }
}

impl Guard {
    /// The kinds that can be checked: all that assign hosts in a controller.
    ///
    /// ```
    /// assert!(xposer::options::Guard::KINDS.contains(&"TLSRoute"));
    /// ```
    pub const KINDS: [&str; 5] = ["GRPCRoute", "HTTPRoute", "Ingress", "Route", "TLSRoute"];

    /// The users whose requests are allowed if the settings name none: the service accounts of the controller as the manifests
    /// create them, and as the chart creates them for the release `xposer`, in the namespace `xposer-system`; and the one with which
    /// OpenShift makes Routes of Ingresses.
    ///
    /// ```
    /// assert!(xposer::options::Guard::default().exempts(xposer::options::Guard::USERS[1]));
    /// ```
    pub const USERS: [&str; 3] = [
        "system:serviceaccount:xposer-system:xposer-controller",
        "system:serviceaccount:xposer-system:xposer",
        "system:serviceaccount:openshift-infra:ingress-to-route-controller",
    ];

    /// The mode for findings about an object of this kind.
    #[must_use]
    pub fn mode_of(&self, kind: &str) -> Mode {
        if self.kinds.iter().any(|known| known == kind) { self.mode } else { Mode::Off }
    }

    /// Whether requests of this user are allowed without a check, as those of the controller are.
    #[must_use]
    pub fn exempts(&self, user: &str) -> bool {
        self.users.iter().any(|known| known == user)
    }
}

const CLAIMS_KEYS: &[&str] = &["namespace", "mode", "onFailure", "maxAge", "nameOthers"];
/// What stands before the namespace and the name of a service account.
const ACCOUNT: &str = "system:serviceaccount:";
const GUARD_KEYS: &[&str] = &["mode", "kinds", "users"];

fn mode(value: &Value, at: &Origin, words: &[&str]) -> Parsed<Option<Mode>> {
    // YAML 1.1 reads the word `off` as a boolean.
    if *value == Value::Bool(false) && words.contains(&Mode::Off.as_str()) {
        return Ok(Some(Mode::Off));
    }
    let Some(word) = word(value, at, words)? else { return Ok(None) };
    match word.trim().parse() {
        Ok(mode) if words.contains(&word.trim()) => Ok(Some(mode)),
        _ => Err(one(at, unknown_word(Code::SettingInvalid, word.trim(), words))),
    }
}

/// A text that is one of some words; `None` if it is empty.
fn word<'v>(value: &'v Value, at: &Origin, words: &[&str]) -> Parsed<Option<&'v str>> {
    match value {
        Value::String(_) => text(value, at),
        other => Err(invalid(at, &one_of(words), other)),
    }
}

pub(super) fn claims(value: &Value, at: &Origin, into: &mut Option<Claims>) -> Parsed<()> {
    let mut claims = Claims {
        namespace: String::new(),
        mode: Mode::Off,
        on_failure: Mode::Warn,
        max_age: 3600,
        names_others: true,
    };
    mapping(value, at, CLAIMS_KEYS, &mut |key, value, place| {
        match key {
            "namespace" => {
                let name = text(value, &place)?.unwrap_or_default().trim();
                if !is_dns_label(name) {
                    let message = format!("{} is not the name of a namespace", quoted(name));
                    return Err(wrong(&place, message, "write lower-case letters, digits and `-`"));
                }
                name.clone_into(&mut claims.namespace);
            }
            "mode" => claims.mode = mode(value, &place, Mode::WORDS)?.unwrap_or_default(),
            "onFailure" => {
                claims.on_failure = mode(value, &place, &["warn", "deny"])?.unwrap_or(Mode::Warn);
            }
            "maxAge" => {
                if !value.is_string() {
                    return Err(invalid(&place, "a duration such as 1h", value));
                }
                let text = item(value, &place, "duration")?.trim();
                let read = duration(text).map_err(|it| wrong(&place, it.said, it.help))?;
                // The controller renews records after a third of this age.
                if read < 60_000 {
                    let message = format!("{} is shorter than a minute", quoted(text));
                    return Err(wrong(&place, message, "write a duration from 1m"));
                }
                claims.max_age = read / 1000;
            }
            "nameOthers" => claims.names_others = boolean(value, &place)?.unwrap_or(true),
            _ => return Err(one(&place, unknown(key, CLAIMS_KEYS.iter().copied()))),
        }
        Ok(())
    })?;
    if claims.namespace.is_empty() {
        return Err(wrong(at, "the claims have no namespace", "write namespace: xposer-system"));
    }
    *into = Some(claims);
    Ok(())
}

pub(super) fn guard(value: &Value, at: &Origin, into: &mut Guard) -> Parsed<()> {
    mapping(value, at, GUARD_KEYS, &mut |key, value, place| {
        match key {
            "mode" => into.mode = mode(value, &place, Mode::WORDS)?.unwrap_or_default(),
            "kinds" => {
                if value.as_array().is_some_and(Vec::is_empty) {
                    return Err(wrong(
                        &place,
                        "there are no kinds",
                        "write some, or leave it out for all; mode: off checks none",
                    ));
                }
                into.kinds = list(value, &place, "a list of kinds", &|value, at| {
                    let kind = word(value, at, &Guard::KINDS)?.unwrap_or_default();
                    match Guard::KINDS.iter().find(|known| **known == kind.trim()) {
                        Some(kind) => Ok((*kind).to_owned()),
                        None => Err(one(at, unknown_word(Code::SettingInvalid, kind.trim(), &Guard::KINDS))),
                    }
                })?;
            }
            "users" => {
                into.users = list(value, &place, "a list of users", &|value, at| {
                    let user = item(value, at, "user")?.trim();
                    // The name of a service account is compared as a whole, without patterns.
                    if user.contains('*') {
                        let message = format!("{} is a pattern, but a user is a whole name", quoted(user));
                        return Err(wrong(at, message, "write system:serviceaccount:NAMESPACE:NAME"));
                    }
                    let is_account = |it: &str| {
                        let parts = it.split_once(':');
                        parts.is_some_and(|(namespace, name)| {
                            is_dns_label(namespace) && is_dns_subdomain(name)
                        })
                    };
                    // The prefix of groups of service accounts has one more letter than the prefix of users.
                    let is_group = user.starts_with("system:serviceaccounts");
                    let account = user.strip_prefix(ACCOUNT);
                    let is_misspelt = account.is_none() && user.to_ascii_lowercase().starts_with(ACCOUNT);
                    if is_group || is_misspelt || account.is_some_and(|it| !is_account(it)) {
                        let message = format!("{} is not a service account", quoted(user));
                        return Err(wrong(at, message, "write system:serviceaccount:NAMESPACE:NAME"));
                    }
                    // Another name may be a valid user, but not one that is the end of a service account of the controller.
                    let name = user.rsplit([':', '/']).next().unwrap_or_default();
                    let is_short = |known: &&str| {
                        let (namespace, account) = known.rsplit_once(':').unwrap_or_default();
                        account == name
                            && user.strip_suffix(name).is_some_and(|rest| {
                                let rest = rest.trim_end_matches([':', '/']);
                                rest.is_empty() || namespace.strip_prefix(ACCOUNT) == Some(rest)
                            })
                    };
                    if account.is_none() && Guard::USERS.iter().any(is_short) {
                        let message = format!("{} is not the whole name of a service account", quoted(user));
                        return Err(wrong(at, message, format!("write {ACCOUNT}NAMESPACE:{name}")));
                    }
                    Ok(user.to_owned())
                })?;
            }
            _ => return Err(one(&place, unknown(key, GUARD_KEYS.iter().copied()))),
        }
        Ok(())
    })
}
