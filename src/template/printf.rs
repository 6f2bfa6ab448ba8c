//! `printf` as in Go's `fmt`, with the verbs and flags that names need.

use super::MAX_TEMPLATE;
use super::functions::{CallError, Called, Val, escaped, text};

/// A verb of a format: `%[1]-8.3s`.
#[derive(Default)]
struct Verb {
    left: bool,
    zero: bool,
    plus: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

pub(super) fn printf(values: &[Val]) -> Called {
    let mut out = String::new();
    let mut next = 1;
    let mut used = 0;
    let mut chosen = false;
    let mut rest = text(values, 0)?;
    while let Some(at) = rest.find('%') {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        let (verb, index, letter, tail) = parse_verb(rest)?;
        rest = tail;
        if letter == '%' {
            out.push('%');
            continue;
        }
        if let Some(index) = index {
            next = index;
            chosen = true;
        }
        let value = values.get(next).ok_or_else(|| format!("there is no value for %{letter}"))?;
        used = used.max(next);
        next += 1;
        format_verb(&verb, letter, value, &mut out)?;
        if out.len() > MAX_TEMPLATE {
            return Err(CallError::TooLarge);
        }
    }
    if !chosen && used + 1 < values.len() {
        return Err(format!("{} values are given, the format uses {used}", values.len() - 1).into());
    }
    out.push_str(rest);
    Ok(Val::Str(out))
}

/// Parses the text after a `%`. Returns the verb, the number of the argument it takes, its letter, and the rest of the format.
fn parse_verb(text: &str) -> Result<(Verb, Option<usize>, char, &str), CallError> {
    let mut verb = Verb::default();
    let mut index = None;
    let mut rest = text;
    loop {
        let mut chars = rest.chars();
        match chars.next() {
            Some('-') => verb.left = true,
            Some('0') => verb.zero = true,
            Some('+') => verb.plus = true,
            Some('[') => {
                let (number, tail) =
                    chars.as_str().split_once(']').ok_or("`[` is not closed in the format")?;
                index = Some(
                    number.parse().ok().filter(|n| *n > 0).ok_or("`[..]` in the format needs a number")?,
                );
                rest = tail;
                continue;
            }
            _ => break,
        }
        rest = chars.as_str();
    }
    (verb.width, rest) = number(rest)?;
    if let Some(tail) = rest.strip_prefix('.') {
        let (precision, tail) = number(tail)?;
        verb.precision = Some(precision.unwrap_or(0));
        rest = tail;
    }
    let mut chars = rest.chars();
    let letter = chars.next().ok_or("the format ends after %")?;
    Ok((verb, index, letter, chars.as_str()))
}

fn number(text: &str) -> Result<(Option<usize>, &str), CallError> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end).unwrap_or_default();
    if digits.is_empty() {
        return Ok((None, rest));
    }
    let value = digits.parse().ok().filter(|value| *value <= MAX_TEMPLATE);
    value.map(|value| (Some(value), rest)).ok_or(CallError::TooLarge)
}

fn format_verb(verb: &Verb, letter: char, value: &Val, out: &mut String) -> Result<(), CallError> {
    let plain = verb.precision.is_none();
    let shown = match (letter, value) {
        ('s' | 'v', Val::Str(text)) => cut(text, verb.precision),
        ('q', Val::Str(text)) if !verb.plus => quote(&cut(text, verb.precision)),
        ('x', Val::Str(text)) if plain => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ('X', Val::Str(text)) if plain => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
        // With `v`, `+` is ignored: it prints field names in Go, and a number has none.
        ('d' | 'v' | 'x' | 'X' | 'o' | 'b', Val::Int(number)) if plain => {
            integer(letter, *number, verb.plus && letter != 'v')
        }
        ('c', Val::Int(number)) if plain => u32::try_from(*number)
            .ok()
            .and_then(char::from_u32)
            .ok_or_else(|| format!("%c cannot print {number}, which is no character"))?
            .to_string(),
        ('f', Val::Float(number)) if !verb.plus => format!("{number:.*}", verb.precision.unwrap_or(6)),
        ('v', Val::Float(_)) if plain && !verb.plus => value.to_string(),
        ('t' | 'v', Val::Bool(_)) => value.to_string(),
        ('s' | 'v' | 'q' | 'd' | 't' | 'x' | 'X' | 'o' | 'b' | 'c' | 'f', _) => {
            return Err(format!("%{letter} cannot print {}", value.kind()).into());
        }
        _ => {
            let verbs = "%s, %v, %q, %d, %t, %x, %o, %b, %c or %f";
            return Err(format!("%{letter} is not supported, use {verbs}").into());
        }
    };
    let missing = verb.width.unwrap_or(0).saturating_sub(shown.chars().count());
    if verb.left {
        out.push_str(&shown);
        out.extend(std::iter::repeat_n(' ', missing));
    } else if verb.zero {
        // The sign precedes the padding zeros.
        let digits = shown
            .strip_prefix(['-', '+'])
            .filter(|_| matches!(value, Val::Int(_) | Val::Float(_)))
            .unwrap_or(&shown);
        out.push_str(shown.strip_suffix(digits).unwrap_or_default());
        out.extend(std::iter::repeat_n('0', missing));
        out.push_str(digits);
    } else {
        out.extend(std::iter::repeat_n(' ', missing));
        out.push_str(&shown);
    }
    Ok(())
}

fn integer(letter: char, number: i64, plus: bool) -> String {
    let size = number.unsigned_abs();
    let digits = match letter {
        'x' => format!("{size:x}"),
        'X' => format!("{size:X}"),
        'o' => format!("{size:o}"),
        'b' => format!("{size:b}"),
        _ => size.to_string(),
    };
    let sign = match (number < 0, plus) {
        (true, _) => "-",
        (false, true) => "+",
        (false, false) => "",
    };
    format!("{sign}{digits}")
}

fn cut(text: &str, precision: Option<usize>) -> String {
    text.chars().take(precision.unwrap_or(usize::MAX)).collect()
}

/// Quotes a text as Go does.
fn quote(text: &str) -> String {
    let inside = escaped(text, |character| {
        Some(match character {
            '"' | '\\' => format!("\\{character}"),
            '\u{7}' => "\\a".to_owned(),
            '\u{8}' => "\\b".to_owned(),
            '\u{b}' => "\\v".to_owned(),
            '\u{c}' => "\\f".to_owned(),
            '\n' | '\r' | '\t' => character.escape_default().to_string(),
            control if control.is_ascii_control() => format!("\\x{:02x}", u32::from(control)),
            hidden if is_hidden(hidden) && hidden > '\u{ffff}' => format!("\\U{:08x}", u32::from(hidden)),
            hidden if is_hidden(hidden) => format!("\\u{:04x}", u32::from(hidden)),
            _ => return None,
        })
    });
    format!("\"{inside}\"")
}

/// Whether a character outside of ASCII is not printable.
pub(super) fn is_hidden(character: char) -> bool {
    let escaped = || character.escape_debug().next() == Some('\\');
    !character.is_ascii() && (character.is_whitespace() || escaped())
}
