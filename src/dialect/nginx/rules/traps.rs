//! Rules about values that ingress-nginx accepts and then ignores, so that it authenticates nobody or allows everybody.

use crate::diagnostics::{Code, Problem, Report, quoted};
use crate::dialect::key::Key;
use crate::dialect::nginx::{ALIASES, PREFIX, any_name, find};
use crate::plan::context::RuleContext;
use crate::plan::{Annotation, Plan};
use crate::validation::parse_bool;

/// The keys without which ingress-nginx authenticates nobody, and what it requires with them.
const AUTHENTICATION: [(&str, &str); 2] =
    [("auth-type", "a password"), ("auth-tls-secret", "a client certificate")];

/// The rows of the keys of ingress-nginx that are wanted and given, where it reads them.
fn given<'f>(
    context: &'f RuleContext<'_>,
    is_wanted: impl Fn(&str) -> bool,
) -> impl Iterator<Item = (&'static Key, &'f Annotation)> {
    // On a canary it reads few of them; the rule `nginx-canary-annotations` finds the others.
    let is_read = context.plan.has_stable_ingress();
    context.plan.annotations.iter().filter(move |_| is_read).filter_map(move |annotation| {
        let name = annotation.key.strip_prefix(PREFIX).filter(|name| is_wanted(name))?;
        let known = find(name)?;
        let counts = !known.idle.is(&annotation.value) && context.denial(annotation).is_none();
        Some((known, annotation)).filter(|_| counts)
    })
}

/// Whether the annotation of this name has an effect.
fn is_on(plan: &Plan, name: &str) -> bool {
    let is_on = |known: &Key| {
        plan.annotation(&[PREFIX, name].concat()).is_some_and(|annotation| !known.idle.is(&annotation.value))
    };
    find(name).is_some_and(is_on)
}

/// Every key has the keys that it needs. A missing key is reported once, at the first key that needs it.
pub(crate) fn alone(context: &RuleContext<'_>, report: &mut Report) {
    let mut missing: Vec<(&[&str], Vec<&Annotation>)> = Vec::new();
    for (known, annotation) in given(context, |_| true) {
        let authenticates = || AUTHENTICATION.iter().any(|(key, _)| known.needs.contains(key));
        // A default may be meant for Services that have the other keys; without authentication, it opens the others.
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
        // Where the missing key is inside the value of another one, that has a finding.
        let is_needed = |key: &str| any_name(key).is_some_and(|name| needs.contains(&name));
        if context.is_swallowed(is_needed, report) {
            continue;
        }
        let names: Vec<String> = waiting.iter().map(|it| quoted(&it.key)).collect();
        let verb = if names.len() == 1 { "has" } else { "have" };
        let needed: Vec<String> = needs.iter().map(|name| quoted(&[PREFIX, name].concat())).collect();
        let message = format!("{} {verb} no effect without {}", names.join(", "), needed.join(" or "));
        let problem = match AUTHENTICATION.iter().find(|(key, _)| needs.contains(key)) {
            Some((_, proof)) => {
                let message = format!("{message}: ingress-nginx asks nobody for {proof}");
                Problem::new(Code::AuthenticationOff, message)
            }
            None => Problem::new(Code::AnnotationAlone, message),
        };
        let lines = if names.len() == 1 { "the line" } else { "the lines" };
        let wanted: Vec<String> = needs.iter().map(|name| quoted(&example(name))).collect();
        first.file_key(report, problem.help(format!("add {}, or remove {lines}", wanted.join(" or "))));
    }
}

/// A key, with its usual value if it has one.
fn example(name: &str) -> String {
    let value = match name {
        "affinity" => ": cookie",
        "auth-type" => ": basic",
        "enable-cors" => ": true",
        _ => "",
    };
    [PREFIX, name, value].concat()
}

/// No value turns authentication off.
pub(crate) fn authentication(context: &RuleContext<'_>, report: &mut Report) {
    let decides = |name: &str| matches!(name, "auth-cache-duration" | "enable-global-auth");
    for (known, annotation) in given(context, decides) {
        let value = annotation.value.as_str();
        match known.name {
            "auth-cache-duration" if is_on(context.plan, "auth-url") && !value.chars().all(is_of_a_list) => {
                let message = format!(
                    "{} is {}, and ingress-nginx then leaves out auth-url as a whole: it asks nobody who comes",
                    quoted(&annotation.key),
                    quoted(value)
                );
                let problem = Problem::new(Code::AuthenticationOff, message);
                let help =
                    "write codes and a duration, separated by blanks, several by commas: 200 202 30m, 401 5m";
                annotation.file_value(report, problem.help(help));
            }
            // An authentication of its own replaces the general one.
            "enable-global-auth"
                if parse_bool(value) == Some(false)
                    && !["auth-url", "auth-type"].iter().any(|name| is_on(context.plan, name)) =>
            {
                let message = format!(
                    "{} is false, so ingress-nginx asks nobody who comes here, unlike elsewhere",
                    quoted(&annotation.key)
                );
                let help = "remove the line, unless everybody may come in";
                annotation.file_value(report, Problem::new(Code::AuthenticationOff, message).help(help));
            }
            _ => {}
        }
    }
}

/// Whether ingress-nginx accepts a character in a list of durations.
fn is_of_a_list(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || "-._~/:, ".contains(sign)
}

/// No key is given under both of its names with different values. Of two sources, the upper one counts.
pub(crate) fn aliases(context: &RuleContext<'_>, report: &mut Report) {
    let is_read = context.plan.has_stable_ingress();
    for [name, alias] in ALIASES {
        let given = |key: &str| context.plan.annotation(key);
        let (Some(named), Some(other)) = (given(name), given(alias)) else { continue };
        if is_read && named.value != other.value {
            let message = format!(
                "{} is another name of {}, and ingress-nginx reads one of the two",
                quoted(alias),
                quoted(name)
            );
            let help = format!("write what is meant as {name}, and remove {alias}");
            other.file_key(report, Problem::new(Code::AnnotationAlias, message).help(help));
        }
    }
}

/// Where a password is required, there is a Secret with the passwords.
pub(crate) fn passwords(context: &RuleContext<'_>, report: &mut Report) {
    let Some((_, asked)) = given(context, |name| name == "auth-type").next() else { return };
    if is_on(context.plan, "auth-secret") {
        return;
    }
    let message = format!(
        "{} is given without nginx.ingress.kubernetes.io/auth-secret, and ingress-nginx then lets nobody in",
        quoted(&asked.key)
    );
    let help = "add nginx.ingress.kubernetes.io/auth-secret with the name of a Secret, or remove the line";
    asked.file_key(report, Problem::new(Code::AuthenticationDenies, message).help(help));
}

/// ingress-nginx accepts the origins of CORS.
pub(crate) fn origins(context: &RuleContext<'_>, report: &mut Report) {
    let Some((_, annotation)) = given(context, |name| name == "cors-allow-origin").next() else { return };
    if !is_on(context.plan, "enable-cors") {
        return;
    }
    let list = annotation.value.as_str();
    let message = if !is_list_of_origins(list) {
        format!("{} is no list of origins, and ingress-nginx then allows every one", quoted(list))
    } else {
        let mut origins = list.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        let Some(stray) = origins.find(|origin| !is_origin(origin)) else { return };
        format!("{} is no origin, and ingress-nginx passes it over", quoted(stray))
    };
    let problem = Problem::new(Code::CorsOriginInvalid, message);
    let help = "write scheme, host and perhaps port of each, separated by commas: https://example.com, https://*.example.com:8443";
    annotation.file_value(report, problem.help(help));
}

/// Whether ingress-nginx accepts the list; otherwise it allows all origins. Blanks are ignored.
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

/// Whether ingress-nginx accepts one origin of a list.
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
        let accepted = "*|null|https://example.com|https://*.example.com:8443, null|example.com|,|a b";
        for list in accepted.split('|') {
            assert!(is_list_of_origins(list), "{list}");
        }
        let refused = "https://example.com/|https://example.com;https://example.org|https://example.com, *|\
             https://.*\\.example\\.com|HTTPS://example.com|https://example.com:port|https://exa_mple.com";
        for list in refused.split('|') {
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
