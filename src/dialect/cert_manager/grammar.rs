//! The forms of the values of cert-manager's annotations.

use serde_json::Value;

use super::PREFIX;
use crate::diagnostics::{did_you_mean, quoted};
use crate::dialect::go::go_seconds;
use crate::validation::{annotation_key_error, label_value_error};

/// The usages of a key (`KeyUsage` of cert-manager.io/v1).
pub(super) const USAGES: &str = "signing, digital signature, content commitment, key encipherment, key agreement, data encipherment, \
     cert sign, crl sign, encipher only, decipher only, any, server auth, client auth, code signing, email \
     protection, s/mime, ipsec end system, ipsec tunnel, ipsec user, timestamping, ocsp signing, microsoft \
     sgc, netscape sgc";

pub(super) const ALGORITHMS: [&str; 3] = ["RSA", "ECDSA", "Ed25519"];
pub(super) const ENCODINGS: [&str; 2] = ["PKCS1", "PKCS8"];
pub(super) const ROTATIONS: [&str; 2] = ["Never", "Always"];
pub(super) const ISSUER_KINDS: [&str; 2] = ["Issuer", "ClusterIssuer"];

/// The validity of a certificate, in seconds: 90 days by default, and at least one hour.
pub(super) const USUAL_DURATION: u64 = 90 * 24 * 3600;
pub(super) const MIN_DURATION: u64 = 3600;
/// The latest renewal: five minutes before the end of the certificate.
pub(super) const MIN_RENEWAL: u64 = 300;
/// The longest duration of Go, in seconds.
const MAX_DURATION: u64 = 9_223_372_036;

/// Returns the word that was probably meant: the value begins with the word, or is similar to it.
pub(super) fn likely(value: &str, words: &[&'static str]) -> Option<&'static str> {
    let lower = value.trim().to_ascii_lowercase().replace(['-', '_', ' ', '#'], "");
    let starts = words.iter().copied().find(|word| lower.starts_with(&word.to_ascii_lowercase()));
    starts.or_else(|| did_you_mean(value, words.iter().copied()))
}

/// Returns the whole seconds of a duration, if Go can represent it.
pub(super) fn duration(text: &str) -> Option<u64> {
    go_seconds(text).filter(|seconds| *seconds <= MAX_DURATION)
}

/// Returns the seconds of a number of days, weeks, months or years, which Go does not accept as units.
pub(super) fn in_days(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(unit)?;
    let days = match unit.trim().to_ascii_lowercase().as_str() {
        "d" | "day" | "days" => 1,
        "w" | "week" | "weeks" => 7,
        "mo" | "month" | "months" => 30,
        "y" | "yr" | "year" | "years" => 365,
        _ => return None,
    };
    let seconds = number.parse::<u64>().ok()?.checked_mul(days * 24 * 3600)?;
    (MIN_DURATION..=MAX_DURATION).contains(&seconds).then_some(seconds)
}

/// Writes seconds as a duration of Go.
pub(super) fn go_text(seconds: u64) -> String {
    match seconds {
        whole if whole.is_multiple_of(3600) => format!("{}h", whole / 3600),
        whole if whole.is_multiple_of(60) => format!("{}m", whole / 60),
        whole => format!("{whole}s"),
    }
}

/// Whether a text is a bare email address, without the name of a person.
pub(super) fn is_email(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.contains("..")
            && !part.contains(|c: char| c.is_whitespace() || c.is_control() || "<>()[]:;@\\,\"".contains(c))
    };
    text.split_once('@').is_some_and(|(local, domain)| is_part(local) && is_part(domain))
}

/// Whether Go's encoding/csv reads exactly one record of the text.
pub(super) fn is_csv_line(text: &str) -> bool {
    if text.is_empty() || text.contains(['\n', '\r']) {
        return false;
    }
    let mut rest = text;
    loop {
        let after = match rest.strip_prefix('"') {
            Some(mut quoted) => loop {
                let Some((_, behind)) = quoted.split_once('"') else { return false };
                match behind.strip_prefix('"') {
                    // Two quotes stand for one quote.
                    Some(more) => quoted = more,
                    None => break behind,
                }
            },
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (field, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
                if field.contains('"') {
                    return false;
                }
                behind
            }
        };
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return after.is_empty(),
        }
    }
}

/// Returns why cert-manager refuses a template of the secret; `None` if it accepts it.
pub(super) fn secret_template_error(text: &str) -> Option<String> {
    let fields = match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => fields,
        Ok(Value::Null) => return None,
        Ok(_) => return Some("it is not a mapping".to_owned()),
        Err(error) => return Some(format!("it cannot be read at column {}", error.column())),
    };
    for (field, entries) in &fields {
        let is = |name: &str| field.eq_ignore_ascii_case(name);
        if !is("annotations") && !is("labels") {
            return Some(format!("there is no field {}, only annotations and labels", quoted(field)));
        }
        let entries = match entries {
            Value::Object(entries) => entries,
            Value::Null => continue,
            _ => return Some(format!("{} is not a mapping", quoted(field))),
        };
        for (key, value) in entries {
            let value = match value {
                Value::String(text) => text.as_str(),
                Value::Null => "",
                _ => return Some(format!("the value of {} is not a text", quoted(key))),
            };
            if is("annotations") && key.starts_with(PREFIX) {
                return Some(format!("{} is not allowed in it", quoted(key)));
            }
            if let Some(error) = annotation_key_error(key) {
                return Some(format!("{} is not a key: {error}", quoted(key)));
            }
            if is("labels") && label_value_error(value).is_some() {
                return Some(format!("{} cannot be the value of a label", quoted(value)));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found() {
        assert_eq!(likely("rsa2048", &ALGORITHMS), Some("RSA"));
        assert_eq!(likely("PKCS#8", &ENCODINGS), Some("PKCS8"));
        assert_eq!(likely("ed-25519", &ALGORITHMS), Some("Ed25519"));
        assert_eq!(likely("DSA", &ALGORITHMS), Some("RSA"));
        assert_eq!(likely("blowfish", &ALGORITHMS), None);
    }

    #[test]
    fn days_become_hours() {
        for (text, hours) in [
            ("90d", Some("2160h")),
            ("12 weeks", Some("2016h")),
            ("1y", Some("8760h")),
            ("90", None),
            ("d", None),
            ("0d", None),
            ("90h", None),
        ] {
            assert_eq!(in_days(text).map(go_text).as_deref(), hours, "{text}");
        }
        assert_eq!((go_text(5400), go_text(61)), ("90m".to_owned(), "61s".to_owned()));
        assert_eq!(in_days("999999999999d"), None);
    }

    #[test]
    fn lists_are_one_line_of_csv() {
        for (text, fits) in [
            ("a", true),
            ("a,b c", true),
            (r#""Example, Inc.",b"#, true),
            (r#""say ""yes""""#, true),
            (",", true),
            ("", false),
            (r#"a "b""#, false),
            (r#""a"#, false),
            (r#""a"b"#, false),
        ] {
            assert_eq!(is_csv_line(text), fits, "{text}");
        }
    }

    #[test]
    fn addresses_of_mail_are_bare() {
        for (text, fits) in [
            ("team@example.com", true),
            ("a.b+c@localhost", true),
            ("Team <team@example.com>", false),
            ("team", false),
            ("@example.com", false),
            ("a@b@c", false),
            ("", false),
        ] {
            assert_eq!(is_email(text), fits, "{text}");
        }
    }

    #[test]
    fn a_template_has_annotations_and_labels() {
        for text in
            [r#"{"annotations": {"a": "b"}, "labels": {"c": ""}}"#, "{}", "null", r#"{"Labels": null}"#]
        {
            assert_eq!(secret_template_error(text), None, "{text}");
        }
        for text in [
            "",
            "[]",
            "{",
            r#"{"type": "Opaque"}"#,
            r#"{"labels": {"a": 1}}"#,
            r#"{"labels": {"a": "b c"}}"#,
            r#"{"labels": []}"#,
            r#"{"annotations": {"cert-manager.io/x": ""}}"#,
            r#"{"annotations": {"a/b/c": ""}}"#,
        ] {
            assert!(secret_template_error(text).is_some(), "{text}");
        }
    }
}
