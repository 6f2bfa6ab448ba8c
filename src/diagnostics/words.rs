//! Enumerations whose values are words.

use std::fmt;

use super::{did_you_mean, joined, quoted};

/// The error for a text that is none of the words of an enumeration.
///
/// ```
/// use xposer::Target;
/// let error = "HTTPRout".parse::<Target>().unwrap_err();
/// assert_eq!(error.to_string(), "`HTTPRout` is not one of Ingress, HTTPRoute or Route; did you mean HTTPRoute?");
/// assert_eq!(error.words, Target::WORDS);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord {
    /// The text.
    pub found: String,
    /// The words that are accepted.
    pub words: &'static [&'static str],
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = joined(self.words, " or ");
        write!(f, "{} is not one of {words}", quoted(&self.found))?;
        match did_you_mean(&self.found, self.words.iter().copied()) {
            Some(meant) => write!(f, "; did you mean {meant}?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnknownWord {}

/// Adds a word for each value of an enumeration: `ALL`, `WORDS`, `as_str`, `Display` and `FromStr`. `also` accepts other spellings.
macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? } $(also $also:expr)?) => {
        impl $name {
            /// Every value, in the order of the reference.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];
            /// The words, in the order of the values.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word for this value.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        /// Parses a word, which is case-sensitive.
        impl std::str::FromStr for $name {
            type Err = $crate::diagnostics::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.into_iter().find(|value| value.as_str() == text);
                $( let found = found.or_else(|| $also(text)); )?
                found.ok_or_else(|| $crate::diagnostics::UnknownWord { found: text.to_owned(), words: Self::WORDS })
            }
        }
    };
}
pub(crate) use words;
