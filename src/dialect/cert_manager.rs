//! Rules about the annotations of cert-manager: what it would refuse, and what it does not read.

use std::net::IpAddr;

use serde_json::Value;

use crate::check::{RuleContext, folded, misspelt};
use crate::diagnostics::{Code, Origin, Problem, Report, did_you_mean, quoted};
use crate::dialect::external_dns::go_seconds;
use crate::options::{Target, Tls};
use crate::resolve::Annotation;
use crate::validation::{
    CLUSTER_ISSUER_KEY, HostError, ISSUER_KEY, MAX_COMMON_NAME, MAX_LABEL, TLS_ACME_KEY,
    annotation_key_error, host_errors, parse_bool,
};

const PREFIX: &str = "cert-manager.io/";
const ACME_PREFIX: &str = "acme.cert-manager.io/";
const EDIT_IN_PLACE: &str = "acme.cert-manager.io/http01-edit-in-place";

/// The keys that cert-manager reads on an Ingress, in ascending order.
const KEYS: [&str; 31] = [
    "acme.cert-manager.io/http01-edit-in-place",
    "acme.cert-manager.io/http01-ingress-class",
    "acme.cert-manager.io/http01-ingress-ingressclassname",
    "cert-manager.io/alt-names",
    "cert-manager.io/cluster-issuer",
    "cert-manager.io/common-name",
    "cert-manager.io/duration",
    "cert-manager.io/email-sans",
    "cert-manager.io/ip-sans",
    // Of a Certificate; the option --extra-certificate-annotations takes it there.
    "cert-manager.io/issue-temporary-certificate",
    "cert-manager.io/issuer",
    "cert-manager.io/issuer-group",
    "cert-manager.io/issuer-kind",
    "cert-manager.io/private-key-algorithm",
    "cert-manager.io/private-key-encoding",
    "cert-manager.io/private-key-rotation-policy",
    "cert-manager.io/private-key-size",
    "cert-manager.io/renew-before",
    "cert-manager.io/renew-before-percentage",
    "cert-manager.io/revision-history-limit",
    "cert-manager.io/secret-template",
    "cert-manager.io/subject-countries",
    "cert-manager.io/subject-localities",
    "cert-manager.io/subject-organizationalunits",
    "cert-manager.io/subject-organizations",
    "cert-manager.io/subject-postalcodes",
    "cert-manager.io/subject-provinces",
    "cert-manager.io/subject-serialnumber",
    "cert-manager.io/subject-streetaddresses",
    "cert-manager.io/usages",
    "kubernetes.io/tls-acme",
];

/// What a key may be used for (`KeyUsage` of cert-manager.io/v1).
const USAGES: [&str; 23] = [
    "signing",
    "digital signature",
    "content commitment",
    "key encipherment",
    "key agreement",
    "data encipherment",
    "cert sign",
    "crl sign",
    "encipher only",
    "decipher only",
    "any",
    "server auth",
    "client auth",
    "code signing",
    "email protection",
    "s/mime",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "timestamping",
    "ocsp signing",
    "microsoft sgc",
    "netscape sgc",
];

const ALGORITHMS: [&str; 3] = ["RSA", "ECDSA", "Ed25519"];
const ENCODINGS: [&str; 2] = ["PKCS1", "PKCS8"];
const ROTATIONS: [&str; 2] = ["Never", "Always"];
const ISSUER_KINDS: [&str; 2] = ["Issuer", "ClusterIssuer"];

/// A certificate is valid for 90 days where nobody says how long, and for an hour at least.
const USUAL_DURATION: u64 = 90 * 24 * 3600;
const MIN_DURATION: u64 = 3600;
/// It is renewed five minutes before its end at the latest.
const MIN_RENEWAL: u64 = 300;
/// The longest duration of Go, in seconds.
const MAX_DURATION: u64 = 9_223_372_036;

/// What an Ingress says to cert-manager is read, and can be.
pub(crate) fn values(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let is_about = |it: &&Annotation<'_>| it.key.starts_with(PREFIX) || it.key.starts_with(ACME_PREFIX);
    if plan.canary.is_some()
        || !plan.targets.contains(&Target::Ingress)
        || !plan.annotations.iter().any(|it| is_about(&it))
    {
        return;
    }
    let is_named = plan.annotation(ISSUER_KEY).or(plan.annotation(CLUSTER_ISSUER_KEY)).is_some()
        || plan.annotation(TLS_ACME_KEY).is_some_and(|it| parse_bool(&it.value) == Some(true));
    // Where an issuer is missing, or has no TLS section, that is told.
    let own_issuer = plan.issuer.as_ref().is_some_and(|it| matches!(it.origin, Origin::Annotation(_)));
    let mut is_told = is_named || own_issuer || plan.tls() == Tls::CertManager;
    for annotation in plan.annotations.iter().filter(is_about) {
        if annotation.key == EDIT_IN_PLACE {
            edit_in_place(annotation, report);
        } else if KEYS.binary_search(&annotation.key.as_ref()).is_err() {
            unread(annotation, report);
        } else if is_named && plan.tls().has_secret() {
            let values = Values { context, annotation };
            // What was folded into the value is told already.
            if !folded::is_refused(annotation, report)
                && let Some((code, said, help)) = values.problem()
            {
                annotation.file_value(report, Problem::new(code, said).help(help));
            }
        } else if annotation.is_forwarded() && !is_told {
            is_told = true;
            let said = format!(
                "no issuer is named, so cert-manager is asked for no certificate, and {} has no effect",
                quoted(&annotation.key)
            );
            let help = "add config.xposer.stakater.com/TLS: cert-manager and ClusterIssuer, or remove what is for cert-manager";
            annotation.file_key(report, Problem::new(Code::CertManagerIgnored, said).help(help));
        }
    }
}

/// Nobody but its owner writes into the Ingress.
fn edit_in_place(annotation: &Annotation<'_>, report: &mut Report) {
    if matches!(annotation.value.to_ascii_lowercase().as_str(), "" | "false" | "no" | "off" | "0") {
        return;
    }
    let said = "cert-manager would write the paths of its challenges into the Ingress, from which the controller removes them";
    let help = "remove the line, and cert-manager makes an Ingress of its own for each challenge";
    annotation.file_key(report, Problem::new(Code::EditInPlace, said).help(help));
}

/// A key that cert-manager reads on other objects. What is no key of it is told with those of other programs.
fn unread(annotation: &Annotation<'_>, report: &mut Report) {
    if annotation.is_given() && !misspelt::is_told(&annotation.key, &annotation.value) {
        let said = format!("cert-manager does not read {} on an Ingress", quoted(&annotation.key));
        let problem = Problem::new(Code::CertManagerIgnored, said).help("remove the line");
        annotation.file_key(report, problem);
    }
}

/// What is said of a value: the code, the sentence and the help.
type Said = (Code, String, String);

struct Values<'v, 'f> {
    context: &'v RuleContext<'f>,
    annotation: &'v Annotation<'f>,
}

impl Values<'_, '_> {
    fn other(&self, name: &str) -> Option<&str> {
        let annotation = self.context.plan.annotation(&[PREFIX, name].concat())?;
        Some(annotation.value.as_ref())
    }

    /// Something else was expected.
    fn expected(&self, expected: &str, help: impl Into<String>) -> Option<Said> {
        let key = quoted(&self.annotation.key);
        let value = match self.annotation.value.as_ref() {
            "" => "empty".to_owned(),
            value => quoted(value),
        };
        Some((Code::CertManagerInvalid, format!("{key} is {value}, expected {expected}"), help.into()))
    }

    /// One of the words, letter by letter.
    fn word(&self, words: &[&'static str]) -> Option<Said> {
        let value = self.annotation.value.as_ref();
        if words.contains(&value) {
            return None;
        }
        let help = match likely(value, words) {
            Some(meant) => format!("write {meant}"),
            None => "write one of these words".to_owned(),
        };
        self.expected(&format!("one of {}", words.join(", ")), help)
    }

    fn problem(&self) -> Option<Said> {
        let value = self.annotation.value.as_ref();
        match self.annotation.key.as_ref() {
            ISSUER_KEY | CLUSTER_ISSUER_KEY if value.is_empty() => {
                self.expected("the name of an issuer", "name an issuer, or remove the line")
            }
            "cert-manager.io/issuer-kind" => self.issuer_kind(),
            "cert-manager.io/duration" => self.duration(),
            "cert-manager.io/renew-before" => self.renew_before(),
            "cert-manager.io/renew-before-percentage" => self.renew_before_percentage(),
            "cert-manager.io/private-key-algorithm" => self.word(&ALGORITHMS),
            "cert-manager.io/private-key-encoding" => self.word(&ENCODINGS),
            "cert-manager.io/private-key-rotation-policy" => self.word(&ROTATIONS),
            "cert-manager.io/private-key-size" => self.key_size(),
            "cert-manager.io/usages" => self.usages(),
            "cert-manager.io/revision-history-limit"
                if !value.parse::<i32>().is_ok_and(|limit| limit >= 1) =>
            {
                self.expected(
                    "a whole number from 1",
                    "write how many requests are to be kept, or remove the line",
                )
            }
            // One that is too long is told with the hosts.
            "cert-manager.io/common-name" if value.contains('/') && value.len() <= MAX_COMMON_NAME => {
                let host = value.rsplit("://").next().and_then(|rest| rest.split('/').next());
                let help = match host.filter(|host| host_errors(host).is_empty()) {
                    Some(host) => format!("write {host}, or remove the line"),
                    None => "remove the line; the hosts are in the certificate all the same".to_owned(),
                };
                self.expected("a name without a scheme and a path", help)
            }
            "cert-manager.io/alt-names" if !value.is_empty() => self.alt_names(),
            "cert-manager.io/ip-sans" if !value.is_empty() => {
                let stray = value.split(',').map(str::trim).find(|item| item.parse::<IpAddr>().is_err())?;
                let expected = format!("IP addresses, separated by commas, and {} is none", quoted(stray));
                self.expected(
                    &expected,
                    "correct the address, or write a name into cert-manager.io/alt-names",
                )
            }
            "cert-manager.io/email-sans" if !value.is_empty() => {
                let stray = value.split(',').map(str::trim).find(|item| !is_email(item))?;
                let expected = format!(
                    "addresses such as team@example.com, separated by commas, and {} is none",
                    quoted(stray)
                );
                self.expected(&expected, "write the bare address, or remove it")
            }
            "cert-manager.io/secret-template" => secret_template(value).and_then(|why| {
                self.expected(
                    &format!("JSON such as {{\"labels\": {{\"team\": \"a\"}}}} ({why})"),
                    "correct the JSON",
                )
            }),
            "acme.cert-manager.io/http01-ingress-class" if !value.is_empty() => self.ingress_class(),
            "cert-manager.io/subject-serialnumber" => None,
            key if key.starts_with("cert-manager.io/subject-") && !is_csv_line(value) => self.expected(
                "a line of values, separated by commas, with double quotes around those that have one",
                "correct the list, or remove the line",
            ),
            _ => None,
        }
    }

    fn issuer_kind(&self) -> Option<Said> {
        let value = self.annotation.value.as_ref();
        let is_foreign =
            self.other("issuer-group").is_some_and(|group| !matches!(group, "" | "cert-manager.io"));
        // Beside a cluster issuer, that there is a kind is told.
        let is_told = self.context.plan.annotation(CLUSTER_ISSUER_KEY).is_some();
        if is_told || is_foreign || value.is_empty() || ISSUER_KINDS.contains(&value) {
            return None;
        }
        let help = match likely(value, &ISSUER_KINDS) {
            Some(meant) => format!("write {meant}"),
            None => "add cert-manager.io/issuer-group with the group of that kind".to_owned(),
        };
        self.expected("Issuer or ClusterIssuer where no other group is named", help)
    }

    fn duration(&self) -> Option<Said> {
        let value = self.annotation.value.as_ref();
        if duration(value).is_some_and(|seconds| seconds >= MIN_DURATION) {
            return None;
        }
        let help = match in_days(value) {
            Some(seconds) => format!("write {}", go_text(seconds)),
            None => "write the duration in hours, such as 2160h".to_owned(),
        };
        self.expected("a duration such as 2160h, of at least 1h, in hours, minutes and seconds", help)
    }

    /// How long the certificate is valid, or is meant to be.
    fn valid_for(&self) -> Option<u64> {
        match self.other("duration") {
            Some(text) => duration(text).or_else(|| in_days(text)),
            None => Some(USUAL_DURATION),
        }
    }

    fn renew_before(&self) -> Option<Said> {
        let value = self.annotation.value.as_ref();
        let valid_for = self.valid_for();
        let third = valid_for.map_or_else(|| "720h".to_owned(), |seconds| go_text(seconds / 3));
        let Some(seconds) = duration(value).filter(|seconds| *seconds >= MIN_RENEWAL) else {
            let help = match in_days(value).filter(|meant| valid_for.is_none_or(|valid| *meant < valid)) {
                Some(seconds) => format!("write {}", go_text(seconds)),
                None => format!("write a time such as {third}"),
            };
            return self
                .expected("a duration such as 720h, of at least 5m, in hours, minutes and seconds", help);
        };
        let valid_for = valid_for.filter(|valid| seconds >= *valid)?;
        let help = format!("write {third}, a third of that, or remove the line");
        self.expected(
            &format!("less than the {} for which the certificate is valid", go_text(valid_for)),
            help,
        )
    }

    fn renew_before_percentage(&self) -> Option<Said> {
        if self.other("renew-before").is_some() {
            let said = "cert-manager.io/renew-before is given, too, and cert-manager refuses a certificate with both";
            return Some((Code::CertManagerInvalid, said.to_owned(), "keep one of the two".to_owned()));
        }
        let percent = self.annotation.value.parse::<u64>().ok().filter(|percent| (1..=99).contains(percent));
        let Some(percent) = percent else {
            return self.expected("a whole number from 1 to 99", "write a percentage such as 67");
        };
        let valid_for = self.valid_for()?;
        if valid_for * (100 - percent) / 100 >= MIN_RENEWAL {
            return None;
        }
        self.expected(
            "a percentage that leaves 5m to the end of the certificate",
            "write a percentage such as 67",
        )
    }

    fn key_size(&self) -> Option<Said> {
        let value = self.annotation.value.as_ref();
        let algorithm = self.other("private-key-algorithm").unwrap_or("RSA");
        let size = value.parse::<i64>().ok();
        let is = |sizes: &[i64]| size.is_some_and(|size| sizes.contains(&size));
        match likely(algorithm, &ALGORITHMS) {
            Some("RSA") if size.is_some_and(|size| (2048..=8192).contains(&size)) => None,
            Some("RSA") => self.expected("2048 to 8192 for RSA", "write 2048 or 4096, or remove the line"),
            Some("ECDSA") if is(&[256, 384, 521]) => None,
            Some("ECDSA") => self.expected("256, 384 or 521 for ECDSA", "write 256, or remove the line"),
            Some("Ed25519") if size.is_some() => {
                let said = format!(
                    "a key of Ed25519 has one size, so {} has no effect",
                    quoted(&self.annotation.key)
                );
                Some((Code::CertManagerIgnored, said, "remove the line".to_owned()))
            }
            // Which size is right nobody can tell of an algorithm that there is not.
            _ if size.is_some() => None,
            _ => self.expected("a whole number", "write 2048 or 4096, or remove the line"),
        }
    }

    fn usages(&self) -> Option<Said> {
        let mut items = self.annotation.value.split(',').map(|item| item.trim_matches(' '));
        let stray = items.find(|item| !USAGES.contains(item))?;
        if stray.is_empty() {
            return self.expected(
                "usages, separated by commas, and there is an empty item",
                "remove the extra comma, or the line",
            );
        }
        let plain = stray.trim().replace(['-', '_'], " ");
        let help = match did_you_mean(&plain, USAGES) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("choose from {}", USAGES.join(", ")),
        };
        self.expected(
            &format!("usages such as server auth, separated by commas, and {} is none", quoted(stray)),
            help,
        )
    }

    fn alt_names(&self) -> Option<Said> {
        let is_name = |item: &&str| host_errors(item).iter().all(|error| *error == HostError::Uppercase);
        let stray = self.annotation.value.split(',').find(|item| !is_name(item))?;
        let help = if is_name(&stray.trim()) {
            "remove the blanks"
        } else if stray.trim().parse::<IpAddr>().is_ok() {
            "write the address into cert-manager.io/ip-sans"
        } else {
            "correct the name, or remove it"
        };
        self.expected(&format!("DNS names, separated by commas alone, and {} is none", quoted(stray)), help)
    }

    fn ingress_class(&self) -> Option<Said> {
        let field = "acme.cert-manager.io/http01-ingress-ingressclassname";
        let other = self.context.plan.annotation(field).filter(|it| !it.value.is_empty())?;
        let said =
            format!("{} is given, too, and cert-manager refuses an order with both", quoted(&other.key));
        Some((Code::CertManagerInvalid, said, "remove the line".to_owned()))
    }
}

/// The word that was probably meant: one that it begins with, or that it is in another letter case.
fn likely(value: &str, words: &[&'static str]) -> Option<&'static str> {
    let lower = value.trim().to_ascii_lowercase().replace(['-', '_', ' ', '#'], "");
    let starts = words.iter().copied().find(|word| lower.starts_with(&word.to_ascii_lowercase()));
    starts.or_else(|| did_you_mean(value, words.iter().copied()))
}

/// The whole seconds of a duration that Go can hold.
fn duration(text: &str) -> Option<u64> {
    go_seconds(text).filter(|seconds| *seconds <= MAX_DURATION)
}

/// The seconds of a number of days, weeks, months or years, which Go does not know.
fn in_days(text: &str) -> Option<u64> {
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

/// Seconds as Go reads them.
fn go_text(seconds: u64) -> String {
    match seconds {
        whole if whole.is_multiple_of(3600) => format!("{}h", whole / 3600),
        whole if whole.is_multiple_of(60) => format!("{}m", whole / 60),
        whole => format!("{whole}s"),
    }
}

/// A bare address of mail, without the name of a person.
fn is_email(text: &str) -> bool {
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
fn is_csv_line(text: &str) -> bool {
    if text.is_empty() || text.contains(['\n', '\r']) {
        return false;
    }
    let mut rest = text;
    loop {
        let after = match rest.strip_prefix('"') {
            Some(mut quoted) => loop {
                let Some((_, behind)) = quoted.split_once('"') else { return false };
                match behind.strip_prefix('"') {
                    // Two quotes stand for one.
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

/// What is wrong with a template of the secret; `None` if cert-manager takes it.
fn secret_template(text: &str) -> Option<String> {
    let fields = match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => fields,
        Ok(Value::Null) => return None,
        Ok(_) => return Some("it is no mapping".to_owned()),
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
            _ => return Some(format!("{} is no mapping", quoted(field))),
        };
        for (key, value) in entries {
            let value = match value {
                Value::String(text) => text.as_str(),
                Value::Null => "",
                _ => return Some(format!("the value of {} is no text", quoted(key))),
            };
            if is("annotations") && key.starts_with(PREFIX) {
                return Some(format!("{} may not stand in it", quoted(key)));
            }
            if let Some(error) = annotation_key_error(key) {
                return Some(format!("{} is no key: {error}", quoted(key)));
            }
            if is("labels") && !is_label_value(value) {
                return Some(format!("{} cannot be the value of a label", quoted(value)));
            }
        }
    }
    None
}

/// Whether a label may have this value (`IsValidLabelValue`).
fn is_label_value(text: &str) -> bool {
    let ends = |c: char| c.is_ascii_alphanumeric();
    text.is_empty()
        || (text.len() <= MAX_LABEL
            && text.starts_with(ends)
            && text.ends_with(ends)
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found() {
        assert!(KEYS.is_sorted());
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
            assert_eq!(secret_template(text), None, "{text}");
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
            assert!(secret_template(text).is_some(), "{text}");
        }
    }
}
