//! The descriptions of the keys for the reference page.

use super::keys::{KEYS, NOTES, Note, Risk};
use crate::dialect::key::{Key, Loss, OnInvalid, Shape};

/// The description of a key of ingress-nginx.
///
/// ```
/// use xposer::internal::nginx_keys;
/// let key = nginx_keys().find(|key| key.name() == "proxy-read-timeout").unwrap();
/// assert_eq!(key.value(), "a whole number from 0");
/// assert_eq!(key.bad_value(), "Ingress refused; for other characters: ignored: 60");
/// assert_eq!(key.lost(), "may be needed");
/// assert!(key.about().contains("seconds"));
/// assert_eq!(format!("{:?}", key.risk()), "Low");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NginxKey {
    key: &'static Key,
    note: &'static Note,
}

/// Returns the keys of ingress-nginx 1.15 and their aliases, in ascending order.
///
/// ```
/// assert_eq!(xposer::internal::nginx_keys().count(), 138);
/// ```
pub fn nginx_keys() -> impl Iterator<Item = NginxKey> {
    KEYS.iter().zip(NOTES).map(|(key, note)| NginxKey { key, note })
}

/// Returns the default of a key, if the default is a number or a size.
pub(crate) fn default_amount(name: &str) -> Option<&'static str> {
    let default = nginx_keys().find(|key| key.name() == name).map(|key| key.note.default);
    default.filter(|default| default.trim_end_matches(['k', 'm', 'g']).parse::<u64>().is_ok())
}

impl NginxKey {
    /// Returns the name without the prefix.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.key.name
    }

    /// Returns the subject of the key.
    #[must_use]
    pub fn about(self) -> &'static str {
        self.note.about
    }

    /// Returns how much harm the key can do.
    #[must_use]
    pub fn risk(self) -> Risk {
        self.note.risk
    }

    /// Returns the form of the value.
    #[must_use]
    pub fn value(self) -> String {
        match self.key.shape {
            None => "any text".to_owned(),
            Some(Shape::Both((_, second, _))) => second.describe(),
            Some(shape) => shape.describe(),
        }
    }

    /// Returns what ingress-nginx does with another value.
    #[must_use]
    pub fn bad_value(self) -> String {
        match self.key.shape {
            None => "-".to_owned(),
            Some(Shape::Both((_, _, on_invalid))) if *on_invalid != self.key.on_invalid => {
                format!(
                    "{}; for other characters: {}",
                    self.effect(*on_invalid),
                    self.effect(self.key.on_invalid)
                )
            }
            Some(_) => self.effect(self.key.on_invalid),
        }
    }

    /// Returns what is lost if no program reads the key.
    #[must_use]
    pub fn lost(self) -> &'static str {
        match self.key.loss {
            Loss::Nothing => "nothing",
            Loss::Behavior => "may be needed",
            Loss::Hardening => "weakens",
            Loss::Protection => "protects",
        }
    }

    fn effect(self, on_invalid: OnInvalid) -> String {
        match on_invalid {
            OnInvalid::Refused => "Ingress refused".to_owned(),
            OnInvalid::Denied => "503".to_owned(),
            OnInvalid::Ignored
            | OnInvalid::False
            | OnInvalid::Zero
            | OnInvalid::SkipsItems
            | OnInvalid::AdmitsAll => {
                format!("ignored: {}", self.note.default)
            }
            OnInvalid::DropsFeature => "authentication dropped".to_owned(),
        }
    }
}
