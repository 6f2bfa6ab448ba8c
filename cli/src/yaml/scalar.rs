//! What an unquoted word means: null, a boolean, a number, or just text.
//!
//! YAML 1.1 and 1.2 disagree about it, and what ends up in a cluster is decided by the reader that
//! `kubectl`, Argo CD and Flux share. [`read_plain`] follows that reader for numbers; [`other_reading`] is
//! about every reader there is.

use serde_json::{Number, Value};
use std::borrow::Cow;

/// Integers up to this magnitude are exact in a 64-bit float, so a float can become one without loss.
const EXACT_FLOAT_LIMIT: f64 = 9_007_199_254_740_992.0;

/// The meaning of a plain scalar.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reading {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number that JSON can hold.
    Number(Number),
    /// `.inf` or `.nan`, which JSON cannot hold.
    NotFinite,
    /// Anything else.
    Text,
}

/// Reads a plain scalar. Numbers are read as `kubectl` reads them (`0o17` and `017` are fifteen, `1_000`
/// is a thousand, `80.0` is the integer eighty); a number too large for 64 bits becomes the nearest float,
/// and one too large for that stays text.
pub(super) fn read_plain(text: &str) -> Reading {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Reading::Null,
        "true" | "True" | "TRUE" => Reading::Bool(true),
        "false" | "False" | "FALSE" => Reading::Bool(false),
        _ if is_not_finite(text) => Reading::NotFinite,
        _ => read_number(text).map_or(Reading::Text, Reading::Number),
    }
}

/// What some reader of YAML 1.1 or 1.2 would make of this text if it stood unquoted and were not a string:
/// a noun with its article such as `a boolean`, or `None` where every reader sees a string.
///
/// Syntax is not its matter: a text such as `- a` or `{}` is not covered here.
pub fn other_reading(text: &str) -> Option<&'static str> {
    const BOOLEANS: [&str; 8] = ["true", "false", "yes", "no", "on", "off", "y", "n"];
    if BOOLEANS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Some("a boolean");
    }
    if text.is_empty() || text == "~" || text.eq_ignore_ascii_case("null") {
        return Some("null");
    }
    if text == "<<" || text == "=" {
        return Some("a special key");
    }
    if has_number_shape(text) || is_not_finite_in_any_case(text) {
        return Some("a number");
    }
    has_date_shape(text).then_some("a date")
}

/// The spellings of infinity and not-a-number that YAML 1.2 and `kubectl` know.
fn is_not_finite(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

fn is_not_finite_in_any_case(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    unsigned.eq_ignore_ascii_case(".inf") || unsigned.eq_ignore_ascii_case(".nan")
}

fn read_number(text: &str) -> Option<Number> {
    match text.as_bytes().first()? {
        // Underscores separate digits only where the number begins with one.
        b'.' => read_float(text),
        b'0'..=b'9' | b'+' | b'-' => {
            let plain = without_underscores(text);
            read_integer(&plain).or_else(|| read_float(&plain))
        }
        _ => None,
    }
}

fn without_underscores(text: &str) -> Cow<'_, str> {
    if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) }
}

fn read_integer(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix('-') {
        let magnitude = i128::from(read_magnitude(digits)?);
        return i64::try_from(-magnitude).ok().map(Number::from);
    }
    if let Some(digits) = text.strip_prefix('+') {
        return i64::try_from(read_magnitude(digits)?).ok().map(Number::from);
    }
    read_magnitude(text).map(Number::from)
}

/// The value of an unsigned integer with its base prefix; a bare leading zero means octal.
fn read_magnitude(text: &str) -> Option<u64> {
    let (radix, skipped) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, 2),
        [b'0', b'o' | b'O', ..] => (8, 2),
        [b'0', b'b' | b'B', ..] => (2, 2),
        [b'0', _, ..] => (8, 1),
        _ => (10, 0),
    };
    let digits = text.get(skipped..)?;
    // The standard library would accept a second sign here.
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

fn read_float(text: &str) -> Option<Number> {
    if !has_decimal_shape(text) {
        return None;
    }
    let float = text.parse::<f64>().ok().filter(|float| float.is_finite())?;
    let is_negative_zero = float == 0.0 && float.is_sign_negative();
    if float.fract() == 0.0 && float.abs() < EXACT_FLOAT_LIMIT && !is_negative_zero {
        // `80.0` and `08` reach the cluster as the integers they are. The value is known to fit.
        return Some(Number::from(float as i64));
    }
    Number::from_f64(float)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, the decimal numbers of the YAML 1.2 core schema.
fn has_decimal_shape(text: &str) -> bool {
    let rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, rest) = split_digits(rest);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => split_digits(rest),
        None => (0, rest),
    };
    if whole + fraction == 0 {
        return false;
    }
    match rest.strip_prefix(['e', 'E']) {
        Some(rest) => {
            let (exponent, rest) = split_digits(rest.strip_prefix(['+', '-']).unwrap_or(rest));
            exponent > 0 && rest.is_empty()
        }
        None => rest.is_empty(),
    }
}

/// How many ASCII digits the text begins with, and what follows them.
fn split_digits(text: &str) -> (usize, &str) {
    let rest = text.trim_start_matches(|character: char| character.is_ascii_digit());
    (text.len() - rest.len(), rest)
}

/// Whether any reader takes the text for a number, whatever its size. A little wider than the union of
/// their rules where that makes it shorter: a needless pair of quotes does no harm.
fn has_number_shape(text: &str) -> bool {
    let plain = without_underscores(text);
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    match unsigned.as_bytes() {
        [b'0', b'x' | b'X', digits @ ..] => digits.iter().all(u8::is_ascii_hexdigit),
        [b'0', b'o' | b'O' | b'b' | b'B', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        [b'.'] => true,
        // A sign and underscores: digits to some.
        [] => plain.len() < text.len(),
        _ => has_decimal_shape(unsigned) || has_base_60_shape(unsigned),
    }
}

/// `190:20:30` and `190:20:30.15`, numbers to base 60 in YAML 1.1.
fn has_base_60_shape(text: &str) -> bool {
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|byte| byte.is_ascii_digit()) => whole,
        Some(_) => return false,
        None => text,
    };
    let mut groups = whole.split(':');
    let first_is_number = groups.next().is_some_and(|group| matches!(split_digits(group), (1.., "")));
    let mut following = 0;
    for group in groups {
        following += 1;
        if !matches!(group.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']) {
            return false;
        }
    }
    first_is_number && following > 0
}

/// `2001-12-14` alone or followed by a time.
fn has_date_shape(text: &str) -> bool {
    let (year, rest) = split_digits(text);
    let Some(rest) = rest.strip_prefix('-').filter(|_| year == 4) else {
        return false;
    };
    let (month, rest) = split_digits(rest);
    let Some(rest) = rest.strip_prefix('-').filter(|_| matches!(month, 1 | 2)) else {
        return false;
    };
    let (day, rest) = split_digits(rest);
    matches!(day, 1 | 2) && (rest.is_empty() || rest.starts_with(['T', 't', ' ', '\t']))
}

/// The value of a plain scalar, or `None` for a number that is not finite.
pub(super) fn plain_value(text: Cow<'_, str>) -> Option<Value> {
    match read_plain(&text) {
        Reading::Null => Some(Value::Null),
        Reading::Bool(value) => Some(Value::Bool(value)),
        Reading::Number(value) => Some(Value::Number(value)),
        Reading::NotFinite => None,
        Reading::Text => Some(Value::String(text.into_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn value(text: &str) -> Value {
        plain_value(Cow::Borrowed(text)).unwrap_or_else(|| json!("not finite"))
    }

    #[test]
    fn numbers_are_read_as_kubectl_reads_them() {
        for (text, expected) in [
            ("0", json!(0)),
            ("-0", json!(0)),
            ("+7", json!(7)),
            ("0o17", json!(15)),
            ("017", json!(15)),
            ("08", json!(8)),
            ("0x1F", json!(31)),
            ("-0x1f", json!(-31)),
            ("0b11", json!(3)),
            ("1_000", json!(1000)),
            ("1e3", json!(1000)),
            ("80.0", json!(80)),
            ("1.", json!(1)),
            (".5", json!(0.5)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("18446744073709551615", json!(u64::MAX)),
            ("18446744073709551616", json!(18_446_744_073_709_551_616.0)),
            ("1e999", json!("1e999")),
            ("1e", json!("1e")),
            ("+-5", json!("+-5")),
            ("0x-1", json!("0x-1")),
            ("0x", json!("0x")),
            ("_1", json!("_1")),
            ("12:30:45", json!("12:30:45")),
            ("1.2.3", json!("1.2.3")),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn only_the_words_of_yaml_1_2_are_booleans_and_null() {
        for text in ["yes", "No", "on", "OFF", "y", "n", "tRue", "nUll", "2001-01-01", "=", "<<"] {
            assert_eq!(value(text), json!(text));
            assert!(other_reading(text).is_some(), "{text}");
        }
        assert_eq!(value("True"), json!(true));
        assert_eq!(value("FALSE"), json!(false));
        assert_eq!(value("~"), Value::Null);
        for text in [".inf", "-.Inf", "+.INF", ".nan", ".NaN"] {
            assert_eq!(read_plain(text), Reading::NotFinite, "{text}");
        }
    }

    #[test]
    fn ordinary_words_have_no_other_reading() {
        for text in ["a", "1.2.3", "10.0.0.1", "8080:80", "v1", "-", "nope", "0xyz", "1m", "2001-1", "1e3s"] {
            assert_eq!(other_reading(text), None, "{text}");
        }
        for text in ["1", "-1.5e3", "0x_", "1:30", "12:30:45.6", "2001-1-2", "2001-01-02T10:00:00Z", "."] {
            assert!(other_reading(text).is_some(), "{text}");
        }
    }
}
