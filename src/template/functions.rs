//! The functions of the template language: one table for the syntax of Go and the syntax of Handlebars.

use std::cmp::Ordering;
use std::fmt;

use super::printf::{is_hidden, printf};
use super::{MAX_TEMPLATE, Var};
use crate::diagnostics::quoted_char;

/// A value inside a template.
///
/// ```
/// use xposer::internal::functions::Val;
/// assert!(Val::Str("false".to_owned()).is_true() && !Val::Int(0).is_true());
/// assert_eq!(Val::Float(1e21).to_string(), "1e+21");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Val {
    /// Text.
    Str(String),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A boolean.
    Bool(bool),
    /// A variable that is not set. It is false as a condition and for `and`, `or`, `not` and `default`, and an error if it is
    /// printed or passed to another function.
    Unset(Var),
}

impl Val {
    /// Whether the value is true as a condition: by Go's rule, if it is not the zero value of its type.
    #[must_use]
    pub fn is_true(&self) -> bool {
        match self {
            Self::Str(text) => !text.is_empty(),
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Bool(value) => *value,
            Self::Unset(_) => false,
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Str(_) => "a text",
            Self::Int(_) => "a number",
            Self::Float(_) => "a fraction",
            Self::Bool(_) => "a boolean",
            Self::Unset(_) => "nothing",
        }
    }
}

/// The value as Go's `%v` prints it.
impl fmt::Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(text) => f.write_str(text),
            Self::Int(number) => write!(f, "{number}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Float(number) => f.write_str(&go_float(*number)),
            Self::Unset(_) => Ok(()),
        }
    }
}

/// Go's shortest form, which has an exponent below -4 and from 6 on.
fn go_float(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(power) if !(-4..6).contains(&power) => {
            format!("{digits}e{}{:02}", if power < 0 { '-' } else { '+' }, power.abs())
        }
        _ => number.to_string(),
    }
}

/// The reason why a call failed.
pub(super) enum CallError {
    /// The arguments are invalid; the text tells why.
    Invalid(String),
    /// An argument is a variable that is not set.
    Unset(Var),
    /// The result would be larger than [`MAX_TEMPLATE`].
    TooLarge,
}

impl From<String> for CallError {
    fn from(message: String) -> Self {
        Self::Invalid(message)
    }
}

impl From<&str> for CallError {
    fn from(message: &str) -> Self {
        Self::Invalid(message.to_owned())
    }
}

/// The result of a call.
pub(super) type Called = Result<Val, CallError>;

/// A row of the function table.
///
/// ```
/// let lower = xposer::internal::functions::find("lower");
/// assert!(lower.is_some_and(|function| function.names().eq(["lower", "toLower"])));
/// assert!(lower.is_some_and(|function| function.doc().ends_with("in lower case.")));
/// ```
#[derive(Debug)]
pub struct Function {
    /// The name.
    pub name: &'static str,
    /// Other spellings of the name.
    pub aliases: &'static [&'static str],
    /// A template that uses the function.
    pub example: &'static str,
    min: usize,
    max: usize,
    /// Whether an argument may be a variable that is not set.
    takes_unset: bool,
    run: fn(&[Val]) -> Called,
}

impl Function {
    /// The name and the other spellings.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    pub(super) fn takes(&self, count: usize) -> bool {
        (self.min..=self.max).contains(&count)
    }

    /// The message about a call with `count` arguments.
    pub(super) fn wrong_count(&self, count: usize) -> String {
        let plural =
            |count: usize| if count == 1 { "1 argument".to_owned() } else { format!("{count} arguments") };
        let expected = match (self.min, self.max) {
            (min, max) if min == max => plural(min),
            (min, usize::MAX) => format!("at least {}", plural(min)),
            (min, max) => format!("{min} to {max} arguments"),
        };
        format!("`{}` takes {expected}, not {count}", self.name)
    }

    /// The help that shows a call. In Handlebars' syntax, in which `dot` is empty, it is the first action of the example with
    /// parentheses instead of the pipe.
    pub(super) fn usage(&self, dot: &str) -> String {
        let mut example = self.example.to_owned();
        if dot.is_empty() {
            let action = example.split("}}").next().unwrap_or_default().trim_start_matches(['{', '.']);
            let mut stages = action.split(" | ").map(|stage| stage.replace(" .", " "));
            let mut call = stages.next().unwrap_or_default();
            for stage in stages {
                let value = if call.contains(' ') { format!("({call})") } else { call };
                call = format!("{stage} {value}");
            }
            example = match call.strip_prefix("if ") {
                Some(condition) => format!("{{{{#if ({condition})}}}}yes{{{{/if}}}}"),
                None => format!("{{{{{call}}}}}"),
            };
        }
        format!("write it like this: {example}")
    }

    /// Calls the function; the parsers have checked the number of arguments.
    ///
    /// # Errors
    ///
    /// A variable that is not set, a result that is too large, or invalid arguments.
    pub(super) fn call(&self, arguments: &[Val]) -> Called {
        if !self.takes_unset
            && let Some(Val::Unset(var)) = arguments.iter().find(|value| matches!(value, Val::Unset(_)))
        {
            return Err(CallError::Unset(*var));
        }
        match (self.run)(arguments) {
            Ok(Val::Str(text)) if text.len() > MAX_TEMPLATE => Err(CallError::TooLarge),
            Err(CallError::Invalid(message)) => Err(format!("`{}`: {message}", self.name).into()),
            result => result,
        }
    }
}

/// Returns the function with this name or alias, which is case-sensitive.
///
/// ```
/// use xposer::internal::functions::find;
/// assert_eq!(find("toLower").map(|function| function.name), Some("lower"));
/// ```
#[must_use]
pub fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.names().any(|known| known == name))
}

/// The whole table, in the order of the reference page.
///
/// ```
/// use xposer::internal::functions;
/// use xposer::template::{Template, Vars};
/// let vars = Vars { service: "web", namespace: Some("shop"), domain: Some("example.com"), host: None };
/// for function in functions::all() {
///     let rendered = Template::parse(function.example)?.render(&vars);
///     assert_eq!(rendered.as_deref(), Ok(function.result()));
/// }
/// # Ok::<(), Vec<xposer::diagnostics::Problem>>(())
/// ```
#[must_use]
pub fn all() -> &'static [Function] {
    FUNCTIONS
}

/// Makes the table of functions. The texts for the documentation are separate functions, so that a program that never calls them
/// does not contain the texts.
macro_rules! functions {
    ($( ($name:literal $([$($alias:literal),+])?, $min:expr, $max:expr, $doc:literal, $example:literal => $result:literal, $run:expr $(, $unset:ident)?) ),+ $(,)?) => {
        static FUNCTIONS: &[Function] = &[$( Function {
            name: $name,
            aliases: &[$($($alias),+)?],
            example: $example,
            min: $min,
            max: $max,
            takes_unset: false $( || functions!(@ $unset) )?,
            run: $run,
        } ),+];

        impl Function {
            /// What the function does, in one sentence.
            #[must_use]
            pub fn doc(&self) -> &'static str {
                match self.name { $( $name => $doc, )+ _ => "" }
            }

            /// The result of the example for the Service `web` in the namespace `shop`, with a domain.
            #[must_use]
            pub fn result(&self) -> &'static str {
                match self.name { $( $name => $result, )+ _ => "" }
            }
        }
    };
    (@ unset) => { true };
}

functions! {
    ("eq", 2, usize::MAX, "Whether the first value equals any of the others.",
        r#"{{if eq .Namespace "shop" "store"}}yes{{end}}"# => "yes", |values| compare_any(values)),
    ("ne", 2, 2, "Whether two values differ.",
        r#"{{if ne .Namespace "prod"}}yes{{end}}"# => "yes", |values| compare(values, |o| o != Ordering::Equal)),
    ("lt", 2, 2, "Whether the first value is less than the second.",
        r#"{{if lt .Service "x"}}yes{{end}}"# => "yes", |values| order(values, |o| o == Ordering::Less)),
    ("le", 2, 2, "Whether the first value is less than or equal to the second.",
        r#"{{if le 1 1}}yes{{end}}"# => "yes", |values| order(values, |o| o != Ordering::Greater)),
    ("gt", 2, 2, "Whether the first value is greater than the second.",
        r#"{{if gt (len .Service) 2}}yes{{end}}"# => "yes", |values| order(values, |o| o == Ordering::Greater)),
    ("ge", 2, 2, "Whether the first value is greater than or equal to the second.",
        r#"{{if ge 2 1}}yes{{end}}"# => "yes", |values| order(values, |o| o != Ordering::Less)),
    ("and", 1, usize::MAX, "The first value that is empty, or the last one.",
        r#"{{and .Service .Namespace}}"# => "shop", |values| pick(values, false), unset),
    ("or", 1, usize::MAX, "The first value that is not empty, or the last one.",
        r#"{{or "" .Service}}"# => "web", |values| pick(values, true), unset),
    ("not", 1, 1, "Whether the value is empty.",
        r#"{{if not .Domain}}none{{else}}some{{end}}"# => "some",
        |values| Ok(Val::Bool(!values.iter().any(Val::is_true))), unset),
    ("print", 0, usize::MAX, "The values in one text, with a blank between two that are not texts.",
        r#"{{print .Service "-" 1 2}}"# => "web-1 2", |values| Ok(Val::Str(print(values)))),
    ("println", 0, usize::MAX, "The values in one text, with blanks between them and a line end.",
        r#"{{println .Service}}"# => "web", |values| Ok(Val::Str(println(values)))),
    ("printf", 1, usize::MAX,
        "A format with its verbs %s %v %q %d %t %x %X %o %b %c %f replaced; width and precision as in Go, as in %.8s.",
        r#"{{printf "%.2s-%s" .Service .Namespace}}"# => "we-shop", |values| printf(values)),
    ("len", 1, 1, "The length of a text in bytes.",
        r#"{{len .Service}}"# => "3",
        |values| text(values, 0).map(|text| Val::Int(i64::try_from(text.len()).unwrap_or(i64::MAX)))),
    ("lower" ["toLower"], 1, 1, "The text, whose letters are those of ASCII, in lower case.",
        r#"{{"Web" | lower}}"# => "web", |values| ascii(values).map(|text| Val::Str(text.to_ascii_lowercase()))),
    ("upper" ["toUpper"], 1, 1, "The text, whose letters are those of ASCII, in upper case.",
        r#"{{.Service | upper | lower}}"# => "web", |values| ascii(values).map(|text| Val::Str(text.to_ascii_uppercase()))),
    ("trimPrefix", 2, 2, "The second text without the first at its start.",
        r#"{{.Service | trimPrefix "w"}}"# => "eb",
        |values| both(values, |prefix, text| text.strip_prefix(prefix).unwrap_or(text).to_owned())),
    ("trimSuffix", 2, 2, "The second text without the first at its end.",
        r#"{{.Service | trimSuffix "b"}}"# => "we",
        |values| both(values, |suffix, text| text.strip_suffix(suffix).unwrap_or(text).to_owned())),
    ("replace", 3, 3, "The third text with every occurrence of the first replaced by the second.",
        r#"{{.Service | replace "w" "v"}}"# => "veb", |values| replace(values)),
    ("trunc", 2, 2, "The first letters of a text; with a negative number, the last ones.",
        r#"{{.Service | trunc 2}}-{{trunc -2 .Namespace}}"# => "we-op", |values| trunc(values)),
    ("default", 2, 2, "The second value, or the first where the second is empty or not set.",
        r#"{{.Service | default "app"}}"# => "web", |values| pick_default(values), unset),
    ("urlquery", 1, usize::MAX, "The values in one text, escaped for the query of a URL.",
        r#"{{.Service | urlquery}}"# => "web", |values| Ok(Val::Str(urlquery(&print(values))))),
    ("html", 1, usize::MAX, "The values in one text, escaped for HTML.",
        r#"{{.Service | html}}"# => "web", |values| Ok(Val::Str(html(&print(values))))),
    ("js", 1, usize::MAX, "The values in one text, escaped for JavaScript.",
        r#"{{.Service | js}}"# => "web", |values| Ok(Val::Str(js(&print(values))))),
}

pub(super) fn text(values: &[Val], at: usize) -> Result<&str, CallError> {
    match values.get(at) {
        Some(Val::Str(text)) => Ok(text),
        other => Err(format!("expected a text, found {}", other.map_or("nothing", Val::kind)).into()),
    }
}

/// A text of ASCII letters. Hosts and names have no other letters, and the Unicode tables of letter case would be a tenth of the
/// policy's module.
fn ascii(values: &[Val]) -> Result<&str, CallError> {
    let text = text(values, 0)?;
    match text.chars().find(|c| !c.is_ascii() && c.is_alphabetic()) {
        None => Ok(text),
        Some(letter) => Err(format!("expected the letters of ASCII, found {}", quoted_char(letter)).into()),
    }
}

/// Parses a decimal fraction that can be computed exactly: at most 15 digits, and a power of ten of at most 22. Both factors are
/// exact as floating-point numbers, so the result is correctly rounded.
pub(super) fn fraction(text: &str) -> Option<f64> {
    const POWERS: [f64; 23] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18, 1e19, 1e20, 1e21, 1e22,
    ];
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all = [whole, part].concat();
    if all.is_empty() || !all.bytes().all(|b| b.is_ascii_digit()) || all.trim_start_matches('0').len() > 15 {
        return None;
    }
    let mantissa = all.parse::<u32>().map(f64::from).ok().or_else(|| {
        let (high, low) = all.split_at_checked(all.len().checked_sub(9)?)?;
        Some(f64::from(high.parse::<u32>().ok()?) * 1e9 + f64::from(low.parse::<u32>().ok()?))
    })?;
    let power: i32 = power.parse::<i32>().ok()?.checked_sub(i32::try_from(part.len()).ok()?)?;
    let factor = POWERS.get(usize::try_from(power.unsigned_abs()).ok()?)?;
    Some(sign * if power < 0 { mantissa / factor } else { mantissa * factor })
}

fn both(values: &[Val], run: fn(&str, &str) -> String) -> Called {
    Ok(Val::Str(run(text(values, 0)?, text(values, 1)?)))
}

fn ordering(left: &Val, right: &Val) -> Result<Ordering, CallError> {
    let incomparable =
        || CallError::Invalid(format!("{} cannot be compared with {}", left.kind(), right.kind()));
    match (left, right) {
        (Val::Str(left), Val::Str(right)) => Ok(left.cmp(right)),
        (Val::Int(left), Val::Int(right)) => Ok(left.cmp(right)),
        (Val::Bool(left), Val::Bool(right)) => Ok(left.cmp(right)),
        (Val::Float(left), Val::Float(right)) => left.partial_cmp(right).ok_or_else(incomparable),
        _ => Err(incomparable()),
    }
}

fn compare(values: &[Val], holds: fn(Ordering) -> bool) -> Called {
    match values {
        [left, right] => ordering(left, right).map(|found| Val::Bool(holds(found))),
        _ => Err("expected two values".into()),
    }
}

fn order(values: &[Val], holds: fn(Ordering) -> bool) -> Called {
    if values.iter().any(|value| matches!(value, Val::Bool(_))) {
        return Err("booleans have no order".into());
    }
    compare(values, holds)
}

fn compare_any(values: &[Val]) -> Called {
    let Some((first, others)) = values.split_first() else { return Err("expected a value".into()) };
    let mut equal = false;
    for other in others {
        equal |= ordering(first, other)? == Ordering::Equal;
    }
    Ok(Val::Bool(equal))
}

fn pick(values: &[Val], wanted: bool) -> Called {
    let found = values.iter().find(|value| value.is_true() == wanted).or(values.last());
    found.cloned().ok_or_else(|| "expected a value".into())
}

fn pick_default(values: &[Val]) -> Called {
    match values {
        [fallback, value] => Ok(if value.is_true() { value.clone() } else { fallback.clone() }),
        _ => Err("expected two values".into()),
    }
}

fn print(values: &[Val]) -> String {
    let mut out = String::new();
    let mut before_is_text = true;
    for value in values {
        let is_text = matches!(value, Val::Str(_));
        if !is_text && !before_is_text {
            out.push(' ');
        }
        out.push_str(&value.to_string());
        before_is_text = is_text;
    }
    out
}

fn println(values: &[Val]) -> String {
    values.iter().map(Val::to_string).collect::<Vec<_>>().join(" ") + "\n"
}

fn replace(values: &[Val]) -> Called {
    let (old, new, whole) = (text(values, 0)?, text(values, 1)?, text(values, 2)?);
    // The size is computed before the text is built. An empty `old` matches between all letters.
    if whole.matches(old).count().saturating_mul(new.len()) > MAX_TEMPLATE {
        return Err(CallError::TooLarge);
    }
    Ok(Val::Str(whole.replace(old, new)))
}

fn trunc(values: &[Val]) -> Called {
    let Some(Val::Int(count)) = values.first() else {
        return Err("the first argument is how many letters to keep".into());
    };
    let text = text(values, 1)?;
    let keep = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    Ok(Val::Str(if *count >= 0 {
        text.chars().take(keep).collect()
    } else {
        text.chars().skip(text.chars().count().saturating_sub(keep)).collect()
    }))
}

/// Returns the text with each character replaced by its escape, if `escape` has one.
pub(super) fn escaped(text: &str, escape: fn(char) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match escape(character) {
            Some(escaped) => out.push_str(&escaped),
            None => out.push(character),
        }
    }
    out
}

fn urlquery(text: &str) -> String {
    escaped(text, |character| match character {
        ' ' => Some("+".to_owned()),
        '-' | '_' | '.' | '~' | '0'..='9' | 'A'..='Z' | 'a'..='z' => None,
        other => Some(other.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect()),
    })
}

fn js(text: &str) -> String {
    escaped(text, |character| match character {
        '\\' | '\'' | '"' => Some(format!("\\{character}")),
        '<' | '>' | '&' | '=' | '\0'..' ' => Some(format!("\\u{:04X}", u32::from(character))),
        hidden if is_hidden(hidden) => Some(format!("\\u{:04X}", u32::from(hidden))),
        _ => None,
    })
}

fn html(text: &str) -> String {
    escaped(text, |character| {
        let escaped = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&#34;",
            '\'' => "&#39;",
            '\0' => "\u{fffd}",
            _ => return None,
        };
        Some(escaped.to_owned())
    })
}
