//! Forms of values that several programs have in common, and what a value of another form may be meant for.

use super::covers::network;
use super::go::go_seconds;
use super::key::Bad;
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

/// A form of a text.
#[derive(Debug)]
pub(crate) struct Text {
    /// The form in words; in front of signs, what they make up.
    pub(crate) expected: &'static str,
    pub(crate) form: Form,
}

/// What a text must be.
#[derive(Debug)]
pub(crate) enum Form {
    /// Letters, digits and these signs.
    Of(&'static str),
    /// One of these words, which have blanks between them.
    Word(&'static str),
    /// Digits, and behind them one of these units, which have `|` between them and may be empty.
    Units(&'static str),
    /// What one of these patterns fits, which have `|` between them.
    Like(&'static str),
    /// Items of a form with this character between them.
    List(char, &'static Text),
    /// What this function takes.
    Fits(fn(&str) -> bool),
}

impl Text {
    /// The form, in words.
    pub(crate) fn describe(&self) -> String {
        match self.form {
            Form::Of(signs) => described(self.expected, signs),
            Form::Word(words) => one_of(words),
            _ => self.expected.to_owned(),
        }
    }

    /// Whether a value has it.
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
            Form::Fits(fits) => fits(value),
        }
    }
}

/// Letters, digits and signs, in words. Where a blank is among the signs, it does no harm, and is not recommended.
fn described(what: &str, signs: &str) -> String {
    let mut words = [what, "letters, digits and `"].concat();
    for sign in signs.chars().filter(|sign| *sign != ' ') {
        words.extend([sign, ' ']);
    }
    words.pop();
    words.push('`');
    words
}

fn one_of(words: &str) -> String {
    ["one of ", &words.replace(' ', ", ")].concat()
}

/// The form of a value, as a program defines it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Boolean,
    Integer,
    /// Digits and perhaps `b`, `k`, `m` or `g`.
    Size,
    /// Something, of letters, digits and these signs.
    Of(&'static [&'static str; 2]),
    Headers,
    OnOff,
    /// One of these words, which have blanks between them, in any letter case.
    Words(&'static str),
    /// One of these words, which have blanks between them. Their letter case counts.
    Exactly(&'static str),
    Text(&'static Text),
    /// What has the first form and not the second one has an effect of its own.
    Both(&'static (Shape, &'static Text, Bad)),
}

/// A path, perhaps with captures such as `$1`.
pub(crate) const PATH: Shape = Shape::Of(&["a path of ", "/-._~:$"]);
/// A URL without blanks.
pub(crate) const URL: Shape = Shape::Of(&["a URL of ", "/-._~:,?&="]);
/// A URL whose blanks are removed first.
pub(crate) const LOOSE_URL: Shape = Shape::Of(&["a URL of ", "/-._~:,?&= "]);

impl Shape {
    /// The expected form, in words.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Boolean => "true or false".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::Size => "a size such as 900m".to_owned(),
            Self::Of([what, signs]) => described(what, signs),
            Self::Headers => "names of headers, separated by commas".to_owned(),
            Self::OnOff => "on or off".to_owned(),
            Self::Words(words) | Self::Exactly(words) => one_of(words),
            Self::Text(text) => text.describe(),
            Self::Both((first, ..)) => first.describe(),
        }
    }

    /// Whether a value has this form. An empty one is not checked.
    pub(crate) fn fits(self, value: &str) -> bool {
        value.is_empty()
            || match self {
                Self::Boolean => parse_bool(value).is_some(),
                Self::Integer => value.parse::<i64>().is_ok(),
                Self::Size => {
                    // ingress-nginx removes blanks first.
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

/// Whether a text is among these patterns, which have blanks between them.
pub(crate) fn has(patterns: &str, text: &str) -> bool {
    patterns.split_ascii_whitespace().any(|known| matches(known, text))
}

/// Whether a value has only letters, digits and these signs.
pub(crate) fn is_of(value: &str, signs: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphanumeric() || signs.contains(c))
}

/// A time of HAProxy.
pub(super) static TIMER: Text =
    Text { expected: "one number, perhaps with a unit, such as 30s", form: Form::Units("|us|ms|s|m|h|d") };

/// A size of nginx and HAProxy.
pub(super) static SIZE: Text = Text { expected: "a size such as 8m", form: Form::Units("|k|K|m|M|g|G") };

/// A number of things.
pub(super) static COUNT: Text = Text { expected: "a whole number", form: Form::Units("") };

/// A path that something is sent to.
pub(super) static ROOTED: Text = Text { expected: "a path that begins with `/`", form: Form::Like("/*") };

/// The value that was meant for a form, where that is clear. A form is asked by an example what it is about.
pub(super) fn meant(shape: Shape, value: &str) -> Option<String> {
    let lower = value.trim().to_ascii_lowercase();
    let takes = |example: &str| shape.fits(example) && !shape.fits("x");
    let is_on = has("yes on enabled 1", &lower);
    let text = if is_on || has("no off disabled 0", &lower) {
        is_on.to_string()
    } else if let Shape::Exactly(words) | Shape::Words(words) = shape {
        words.split(' ').find(|word| word.eq_ignore_ascii_case(&lower))?.to_owned()
    } else if takes("1s") {
        // Seconds for `30` and `1m30s`.
        let seconds =
            go_seconds(&lower).filter(|_| !lower.contains(['.', 'u', 'n']) && !lower.contains("ms"));
        seconds.map_or(lower, |seconds| seconds.to_string()) + "s"
    } else if takes("1k") {
        // `8Mi` and `8MB` are 8m.
        lower.trim_end_matches(['i', 'b']).to_owned()
    } else if value.contains(", ") {
        value.replace(", ", ",")
    } else {
        value.replace(',', " ")
    };
    Some(text).filter(|text| shape.fits(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_a_value_of_the_form() {
        for (shape, value, known) in [
            (Shape::Text(&TIMER), "1m30s", Some("90s")),
            (Shape::Text(&TIMER), "5 min", None),
            (Shape::Text(&TIMER), "30x", None),
            (Shape::Text(&TIMER), "1.5s", None),
            (Shape::Size, "8Mi", Some("8m")),
            (Shape::Size, "8 TB", None),
            (Shape::Boolean, "Yes", Some("true")),
            (Shape::Boolean, "maybe", None),
            (Shape::Exactly("h1 h2"), "H2", Some("h2")),
            (Shape::Exactly("Lax Strict"), "lax", Some("Lax")),
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
