//! Rules about what ingress-nginx takes without a word and does not do: no authentication, or everybody allowed.

use super::super::nginx;
use crate::check::annotations::denial;
use crate::check::{RuleContext, folded};
use crate::diagnostics::{Code, Problem, Report, quoted};
use crate::options::Target;
use crate::resolve::{ALIASES, Annotation, Draft};
use crate::validation::parse_bool;

/// The keys without which ingress-nginx authenticates nobody, and what it does not ask for then.
const AUTHENTICATION: [(&str, &str); 2] =
    [("auth-type", "a password"), ("auth-tls-secret", "a client certificate")];

/// The rows of the keys of ingress-nginx that are given, where it reads them.
fn given<'f>(context: &RuleContext<'f>) -> impl Iterator<Item = (&'static nginx::Key, &'f Annotation<'f>)> {
    let plan = context.plan;
    // On a canary it reads few of them, which is told elsewhere.
    let is_read = plan.targets.contains(&Target::Ingress) && plan.canary.is_none();
    let settings = context.settings;
    plan.annotations.iter().filter(move |it| is_read && it.is_given()).filter_map(move |annotation| {
        let known = nginx::find(annotation.key.strip_prefix(nginx::PREFIX)?)?;
        let counts = !known.idle.is(&annotation.value) && denial(settings, annotation).is_none();
        Some((known, annotation)).filter(|_| counts)
    })
}

/// The annotation of this name, if it says something.
fn is_on(plan: &Draft<'_>, name: &str) -> bool {
    let is_on = |known: &nginx::Key| {
        plan.annotation(&[nginx::PREFIX, name].concat())
            .is_some_and(|annotation| !known.idle.is(&annotation.value))
    };
    nginx::find(name).is_some_and(is_on)
}

/// No key waits for another one that is not there. What is missing is told once, at the first key that waits for it.
pub(crate) fn alone(context: &RuleContext<'_>, report: &mut Report) {
    let mut missing: Vec<(&[&str], Vec<&Annotation<'_>>)> = Vec::new();
    for (known, annotation) in given(context) {
        let authenticates = || AUTHENTICATION.iter().any(|(key, _)| known.needs.contains(key));
        // A default may be for those who ask for the rest; one about authentication opens a door to those who do not.
        if known.needs.is_empty() || !(annotation.is_forwarded() || authenticates()) {
            continue;
        }
        match missing.iter_mut().find(|(needs, _)| *needs == known.needs) {
            Some((_, waiting)) => waiting.push(annotation),
            None if known.needs.iter().any(|name| is_on(context.plan, name)) => {}
            None => missing.push((known.needs, vec![annotation])),
        }
    }
    for (needs, waiting) in missing {
        let Some(first) = waiting.first() else { continue };
        // What is missing may be a part of a value, which is told.
        if folded::is_inside(needs, context, report) {
            continue;
        }
        let names: Vec<String> = waiting.iter().map(|it| quoted(&it.key)).collect();
        let verb = if names.len() == 1 { "has" } else { "have" };
        let needed: Vec<String> = needs.iter().map(|name| quoted(&[nginx::PREFIX, name].concat())).collect();
        let said = format!("{} {verb} no effect without {}", names.join(", "), needed.join(" or "));
        let problem = match AUTHENTICATION.iter().find(|(key, _)| needs.contains(key)) {
            Some((_, proof)) => {
                let said = format!("{said}: ingress-nginx asks nobody for {proof}");
                Problem::new(Code::AuthenticationOff, said)
            }
            None => Problem::new(Code::AnnotationAlone, said),
        };
        let lines = if names.len() == 1 { "the line" } else { "the lines" };
        let wanted: Vec<String> = needs.iter().map(|name| quoted(&example(name))).collect();
        first.file_key(report, problem.help(format!("add {}, or remove {lines}", wanted.join(" or "))));
    }
}

/// A key with the value that it mostly has, if it mostly has one.
fn example(name: &str) -> String {
    let value = match name {
        "affinity" => ": cookie",
        "auth-type" => ": basic",
        "enable-cors" => ": true",
        _ => "",
    };
    [nginx::PREFIX, name, value].concat()
}

/// No value switches authentication off.
pub(crate) fn authentication(context: &RuleContext<'_>, report: &mut Report) {
    for (known, annotation) in given(context) {
        let value = annotation.value.as_ref();
        match known.name {
            "auth-cache-duration" if is_on(context.plan, "auth-url") && !value.chars().all(is_of_a_list) => {
                let said = format!(
                    "{} is {}, and ingress-nginx then leaves out auth-url as a whole: it asks nobody who comes",
                    quoted(&annotation.key),
                    quoted(value)
                );
                let problem = Problem::new(Code::AuthenticationOff, said);
                let help =
                    "write codes and a duration, separated by blanks, several by commas: 200 202 30m, 401 5m";
                annotation.file_value(report, problem.help(help));
            }
            // Who has an authentication of his own replaces the general one.
            "enable-global-auth"
                if parse_bool(value) == Some(false)
                    && !["auth-url", "auth-type"].iter().any(|name| is_on(context.plan, name)) =>
            {
                let said = format!(
                    "{} is false, so ingress-nginx asks nobody who comes here, unlike elsewhere",
                    quoted(&annotation.key)
                );
                let help = "remove the line, unless everybody may come in";
                annotation.file_value(report, Problem::new(Code::AuthenticationOff, said).help(help));
            }
            _ => {}
        }
    }
}

/// Whether ingress-nginx takes a sign in a list of times.
fn is_of_a_list(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || "-._~/:, ".contains(sign)
}

/// No key is given under both of its names with different values. Across sources, the upper one counts.
pub(crate) fn aliases(context: &RuleContext<'_>, report: &mut Report) {
    for [name, alias] in ALIASES {
        let find = |key: &str| context.plan.annotation(key).filter(|it| it.is_given());
        let is_read = context.plan.targets.contains(&Target::Ingress) && context.plan.canary.is_none();
        let (Some(named), Some(other)) = (find(name), find(alias)) else { continue };
        if is_read && named.value != other.value {
            let said = format!(
                "{} is another name of {}, and ingress-nginx reads one of the two",
                quoted(alias),
                quoted(name)
            );
            let help = format!("write what is meant as {name}, and remove {alias}");
            other.file_key(report, Problem::new(Code::AnnotationAlias, said).help(help));
        }
    }
}

/// Where a password is asked for, something says which ones are right.
pub(crate) fn passwords(context: &RuleContext<'_>, report: &mut Report) {
    let Some((_, asked)) = given(context).find(|(known, _)| known.name == "auth-type") else { return };
    if is_on(context.plan, "auth-secret") {
        return;
    }
    let said = format!(
        "{} is given without nginx.ingress.kubernetes.io/auth-secret, and ingress-nginx then lets nobody in",
        quoted(&asked.key)
    );
    let help = "add nginx.ingress.kubernetes.io/auth-secret with the name of a Secret, or remove the line";
    asked.file_key(report, Problem::new(Code::AuthenticationDenies, said).help(help));
}

/// The origins that may read answers are such that ingress-nginx takes them.
pub(crate) fn origins(context: &RuleContext<'_>, report: &mut Report) {
    let Some((_, annotation)) = given(context).find(|(known, _)| known.name == "cors-allow-origin") else {
        return;
    };
    if !is_on(context.plan, "enable-cors") {
        return;
    }
    let list = annotation.value.as_ref();
    let said = if !is_list_of_origins(list) {
        format!("{} is no list of origins, and ingress-nginx then allows every one", quoted(list))
    } else {
        let mut origins = list.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        let Some(stray) = origins.find(|origin| !is_origin(origin)) else { return };
        format!("{} is no origin, and ingress-nginx passes it over", quoted(stray))
    };
    let problem = Problem::new(Code::CorsOriginInvalid, said);
    let help = "write scheme, host and perhaps port of each, separated by commas: https://example.com, https://*.example.com:8443";
    annotation.file_value(report, problem.help(help));
}

/// Whether ingress-nginx takes the list; in place of another one it allows all origins. Blanks count for nothing.
fn is_list_of_origins(list: &str) -> bool {
    let list: Vec<char> = list.chars().filter(|sign| *sign != ' ').collect();
    let at = |index: usize| list.get(index).copied();
    let mut index = 0;
    while let Some(sign) = at(index) {
        index += match (sign, at(index + 1), at(index + 2)) {
            (sign, ..) if sign.is_ascii_alphanumeric() || "-.,".contains(sign) => 1,
            ('*', Some('.'), _) => 2,
            (':', Some(digit), _) if digit.is_ascii_digit() => 2,
            (':', Some('/'), Some('/'))
                if index.checked_sub(1).and_then(at).is_some_and(|it| it.is_ascii_lowercase()) =>
            {
                3
            }
            ('*', None, _) if list.len() == 1 => 1,
            _ => return false,
        };
    }
    true
}

/// Whether ingress-nginx takes one origin of a list.
fn is_origin(origin: &str) -> bool {
    let Some((scheme, rest)) = origin.split_once("://") else { return matches!(origin, "*" | "null") };
    let rest = rest.strip_prefix("*.").unwrap_or(rest);
    let (host, port) = rest.split_once(':').unwrap_or((rest, "0"));
    !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_lowercase())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
        && !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_origins_is_what_ingress_nginx_takes_for_one() {
        for list in [
            "*",
            "null",
            "https://example.com",
            "https://*.example.com:8443, null",
            "example.com",
            ",",
            "a b",
        ] {
            assert!(is_list_of_origins(list), "{list}");
        }
        for list in [
            "https://example.com/",
            "https://example.com;https://example.org",
            "https://example.com, *",
            "https://.*\\.example\\.com",
            "HTTPS://example.com",
            "https://example.com:port",
            "https://exa_mple.com",
        ] {
            assert!(!is_list_of_origins(list), "{list}");
        }
    }

    #[test]
    fn an_origin_has_a_scheme() {
        for origin in
            ["*", "null", "https://example.com", "http://*.example.com:8080", "capacitor://localhost"]
        {
            assert!(is_origin(origin), "{origin}");
        }
        for origin in
            ["example.com", "https://a.example.com https://b.example.com", "https://example.com:", "://x"]
        {
            assert!(!is_origin(origin), "{origin}");
        }
    }
}
