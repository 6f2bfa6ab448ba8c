//! Forms of values that several programs have in common, and corrections for values of another form.

use super::covers::network;
use super::go::go_seconds;
use super::key::OnInvalid;
use crate::diagnostics::one_of;
use crate::validation::parse_bool;
use crate::validation::pattern::matches;

/// A list of addresses and networks.
pub(crate) static ADDRESSES: Text =
    Text { expected: "IP addresses or CIDRs, separated by commas", form: Form::Fits(is_list_of_addresses) };

pub(crate) fn is_list_of_addresses(value: &str) -> bool {
    value.split(',').map(str::trim).all(is_addresses)
}

pub(crate) fn is_addresses(item: &str) -> bool {
    // A number may have a sign for Rust, and has none here.
    network(item).is_some() && !item.contains('+')
}

/// A form for text.
#[derive(Debug)]
pub(crate) struct Text {
    /// The description of the form. With [`Form::Of`], it is only the beginning, and the allowed characters follow. Words describe
    /// themselves.
    pub(crate) expected: &'static str,
    pub(crate) form: Form,
}

/// The condition that a text must satisfy.
#[derive(Debug)]
pub(crate) enum Form {
    /// Only letters, digits and these characters.
    Of(&'static str),
    /// One of these words, which are separated by spaces.
    Word(&'static str),
    /// Digits, followed by one of these units, which are separated by `|` and may be empty.
    Units(&'static str),
    /// A text that matches one of these patterns, which are separated by `|`.
    Like(&'static str),
    /// Items of this form, separated by this character.
    List(char, &'static Text),
    /// One of these words, which are separated by spaces, or another spelling that this function accepts.
    Spelled(&'static str, fn(&str) -> bool),
    /// A text that this function accepts.
    Fits(fn(&str) -> bool),
}

impl Text {
    /// Returns the description of the form.
    pub(crate) fn describe(&self) -> String {
        match self.form {
            Form::Of(signs) => described(self.expected, signs),
            Form::Word(words) | Form::Spelled(words, _) => described_words(words),
            _ => self.expected.to_owned(),
        }
    }

    /// Returns the words of which a value is one, separated by spaces; empty if other texts are accepted, too.
    const fn words(&self) -> &'static str {
        match self.form {
            Form::Word(words) | Form::Spelled(words, _) => words,
            _ => "",
        }
    }

    /// Whether a value has the form.
    pub(crate) fn fits(&self, value: &str) -> bool {
        match self.form {
            Form::Of(signs) => is_of(value, signs),
            Form::Word(words) => has(words, value.trim()),
            Form::Units(units) => {
                let unit = value.trim_start_matches(|c: char| c.is_ascii_digit());
                unit.len() < value.len() && units.split('|').any(|known| known == unit)
            }
            Form::Like(patterns) => patterns.split('|').any(|pattern| matches(pattern, value)),
            Form::List(separator, item) => value.split(separator).all(|it| item.fits(it)),
            Form::Spelled(_, fits) | Form::Fits(fits) => fits(value),
        }
    }
}

/// Describes letters, digits and these characters. A space among the characters is accepted, but not recommended.
fn described(what: &str, signs: &str) -> String {
    let mut words = [what, "letters, digits and `"].concat();
    for sign in signs.chars().filter(|sign| *sign != ' ') {
        words.extend([sign, ' ']);
    }
    words.pop();
    words.push('`');
    words
}

/// Describes words, which are separated by spaces.
fn described_words(words: &str) -> String {
    one_of(&words.split(' ').collect::<Vec<_>>())
}

/// The form of a value, as a program defines it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Boolean,
    Integer,
    /// Digits, optionally followed by `b`, `k`, `m` or `g`.
    Size,
    /// A text of letters, digits and certain characters: the beginning of the description, and the characters.
    Of(&'static [&'static str; 2]),
    Headers,
    OnOff,
    /// One of these words, which are separated by spaces, in any letter case.
    Words(&'static str),
    /// One of these words, which are separated by spaces. The letter case matters.
    Exactly(&'static str),
    Text(&'static Text),
    /// A value with both forms. If a value has only the first form, the program does with it what the third item says.
    Both(&'static (Shape, &'static Text, OnInvalid)),
}

/// A path, optionally with captures such as `$1`.
pub(crate) const PATH: Shape = Shape::Of(&["a path of ", "/-._~:$"]);
/// A URL without spaces.
pub(crate) const URL: Shape = Shape::Of(&["a URL of ", "/-._~:,?&="]);
/// A URL whose spaces the program removes first.
pub(crate) const LOOSE_URL: Shape = Shape::Of(&["a URL of ", "/-._~:,?&= "]);

impl Shape {
    /// Returns the description of the expected form.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Boolean | Self::OnOff | Self::Words(_) | Self::Exactly(_) => described_words(self.words()),
            Self::Integer => "a whole number".to_owned(),
            Self::Size => "a size such as 900m".to_owned(),
            Self::Of([what, signs]) => described(what, signs),
            Self::Headers => "names of headers, separated by commas".to_owned(),
            Self::Text(text) => text.describe(),
            Self::Both((first, ..)) => first.describe(),
        }
    }

    /// Returns the words of which a value is one, separated by spaces, in the spelling that the documentation of the program
    /// recommends; empty if other texts are accepted, too.
    const fn words(self) -> &'static str {
        match self {
            Self::Boolean => "true false",
            Self::OnOff => "on off",
            Self::Words(words) | Self::Exactly(words) => words,
            Self::Text(text) => text.words(),
            Self::Both((first, ..)) => first.words(),
            Self::Integer | Self::Size | Self::Of(_) | Self::Headers => "",
        }
    }

    /// Whether a value has this form. An empty value is not checked.
    pub(crate) fn fits(self, value: &str) -> bool {
        value.is_empty()
            || match self {
                Self::Boolean => parse_bool(value).is_some(),
                Self::Integer => value.parse::<i64>().is_ok(),
                Self::Size => {
                    // ingress-nginx removes spaces first.
                    let bare = value.replace(' ', "");
                    let digits = bare.trim_end_matches(['b', 'k', 'm', 'g', 'B', 'K', 'M', 'G']);
                    !digits.is_empty()
                        && bare.len() - digits.len() <= 1
                        && digits.bytes().all(|b| b.is_ascii_digit())
                }
                Self::Of([_, signs]) => is_of(value, signs),
                Self::Headers => is_of(value, "-_, "),
                Self::OnOff => matches!(value.trim(), "on" | "off"),
                Self::Exactly(words) => has(words, value.trim()),
                Self::Words(words) => words.split(' ').any(|word| word.eq_ignore_ascii_case(value.trim())),
                Self::Text(text) => text.fits(value),
                Self::Both((first, second, _)) => first.fits(value) && second.fits(value),
            }
    }
}

/// Whether a text matches one of these patterns, which are separated by white space.
pub(crate) fn has(patterns: &str, text: &str) -> bool {
    patterns.split_ascii_whitespace().any(|known| matches(known, text))
}

/// Whether a value consists only of letters, digits and these characters.
pub(crate) fn is_of(value: &str, signs: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphanumeric() || signs.contains(c))
}

/// A duration of HAProxy.
pub(super) static TIMER: Text =
    Text { expected: "one number, perhaps with a unit, such as 30s", form: Form::Units("|us|ms|s|m|h|d") };

/// A size as nginx and HAProxy write it.
pub(super) static SIZE: Text = Text { expected: "a size such as 8m", form: Form::Units("|k|K|m|M|g|G") };

/// A whole number without a sign.
pub(super) static COUNT: Text = Text { expected: "a whole number", form: Form::Units("") };

/// A path that begins with a slash.
pub(super) static ROOTED: Text = Text { expected: "a path that begins with `/`", form: Form::Like("/*") };

/// Returns the value that was probably meant, if it is clear. Whether the form is a duration or a size shows in the examples
/// that it accepts.
pub(super) fn meant(shape: Shape, value: &str) -> Option<String> {
    let lower = value.trim().to_ascii_lowercase();
    let takes = |example: &str| shape.fits(example) && !shape.fits("x");
    let switches = ["true yes on enabled 1", "false no off disabled 0"];
    let text = if let Some(spellings) = switches.into_iter().find(|all| has(all, &lower)) {
        let recommended = shape.words().split(' ').find(|word| has(spellings, word));
        // A number would be a value of another meaning.
        let is_word = |word: &&str| !word.starts_with(['0', '1']) && shape.fits(word);
        recommended.or_else(|| spellings.split(' ').find(is_word))?.to_owned()
    } else if let Shape::Exactly(words) | Shape::Words(words) = shape {
        words.split(' ').find(|word| word.eq_ignore_ascii_case(&lower))?.to_owned()
    } else if takes("1s") {
        // `30` becomes `30s`, and `1m30s` becomes `90s`.
        let seconds =
            go_seconds(&lower).filter(|_| !lower.contains(['.', 'u', 'n']) && !lower.contains("ms"));
        seconds.map_or(lower, |seconds| seconds.to_string()) + "s"
    } else if takes("1k") {
        // `8Mi` and `8MB` become `8m`.
        lower.trim_end_matches(['i', 'b']).to_owned()
    } else if value.ends_with('/') {
        value.trim_end_matches('/').to_owned()
    } else if value.contains(", ") {
        value.replace(", ", ",")
    } else {
        value.replace(',', " ")
    };
    // Every shape takes an empty text, which says nothing.
    Some(text).filter(|text| !text.trim().is_empty() && shape.fits(text))
}

#[cfg(test)]
mod tests {
    use super::super::PROGRAMS;
    use super::*;

    /// The shapes of all keys of all programs.
    fn shapes() -> impl Iterator<Item = Shape> {
        PROGRAMS.into_iter().flat_map(|program| {
            let of_keys = program.keys.iter().filter_map(|key| key.shape);
            of_keys.chain(program.keys_by_form.iter().map(|(shape, ..)| *shape))
        })
    }

    /// Whatever somebody wrote, a help that names a value works.
    #[test]
    fn every_suggested_value_fits_its_shape() {
        let values = "/ // /// /a/ /a/b// a/ , ,, a,b b, 1m30s 90 8Mi 8MB Yes OFF enabled 0 1 - ( {} [] x é 1.5h 5min \
            10.0.0.0/8; http://a/ https://a.b/c/ $host/ GET,POST h2 TRUE error,timeout serviceName=a KEY=VALUE";
        let more = [" ", ", ", " , /", "a, b", "/ ", "\t/", "8 MB", "5 min", "10.0.0.0/8, x", "a , b/"];
        let mut suggested = 0;
        for shape in shapes() {
            for value in values.split(' ').chain(more).filter(|value| !shape.fits(value)) {
                if let Some(text) = meant(shape, value) {
                    suggested += 1;
                    assert!(!text.trim().is_empty(), "{shape:?}: {value:?}");
                    assert!(shape.fits(&text) && text != value, "{shape:?}: {value:?} -> {text:?}");
                }
            }
        }
        assert!(suggested > 100, "{suggested}");
    }

    static OFF_OR_TWO: Text = Text { expected: "off, or two domains", form: Form::Like("off|* *") };
    static SPELLED: Text = Text {
        expected: "",
        form: Form::Spelled("enabled disabled", |it| matches!(it, "enabled" | "disabled" | "true" | "false")),
    };

    #[test]
    fn suggested_value_has_the_form() {
        for (shape, value, known) in [
            (Shape::Text(&TIMER), "1m30s", Some("90s")),
            (Shape::Text(&TIMER), "5 min", None),
            (Shape::Text(&TIMER), "30x", None),
            (Shape::Text(&TIMER), "1.5s", None),
            (Shape::Size, "8Mi", Some("8m")),
            (Shape::Size, "8 TB", None),
            (Shape::Boolean, "Yes", Some("true")),
            (Shape::OnOff, "False", Some("off")),
            (Shape::Exactly("true false"), "on", Some("true")),
            (Shape::Boolean, "maybe", None),
            (Shape::Exactly("h1 h2"), "H2", Some("h2")),
            (Shape::Exactly("Lax Strict"), "lax", Some("Lax")),
            (Shape::Text(&OFF_OR_TWO), "disabled", Some("off")),
            (Shape::Text(&SPELLED), "yes", Some("enabled")),
            (Shape::Text(&COUNT), "on", None),
            (Shape::Exactly("h1 h2"), "h3", None),
            (Shape::Text(&COUNT), "five", None),
            (Shape::Text(&ADDRESSES), "10.0.0.0/8;::1", None),
            (Shape::Of(&["", ","]), "a, b", Some("a,b")),
            (Shape::Of(&["", " "]), "a,b", Some("a b")),
        ] {
            assert_eq!(meant(shape, value).as_deref(), known, "{value}");
            assert!(!shape.fits(value) && known.is_none_or(|known| shape.fits(known)), "{value}");
        }
    }
}
