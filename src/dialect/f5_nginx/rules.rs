//! Rules about values that NGINX Ingress Controller does not accept.

use super::grammar::has_parent;
use crate::diagnostics::{Code, Problem, Report, quoted};
use crate::dialect::controller::Controller;
use crate::dialect::is_invalid;
use crate::plan::context::RuleContext;
use crate::values::Target;

/// The annotations that name a secret.
const SECRETS: [&str; 2] = ["nginx.org/basic-auth-secret", "nginx.com/jwt-key"];

/// Reports a secret that is named with a namespace. The controller only searches in the namespace of the Ingress.
pub(crate) fn secrets(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if !plan.has_stable_ingress() || plan.controller(Target::Ingress) != Controller::F5Nginx {
        return;
    }
    for given in plan.annotations.iter().filter(|it| SECRETS.contains(&it.key.as_str())) {
        let Some((namespace, name)) = given.value.trim().split_once('/') else { continue };
        let message = format!(
            "{} is {}, and NGINX Ingress Controller accepts no secret of another namespace",
            quoted(&given.key),
            quoted(&given.value)
        );
        let help = if plan.namespace() == Some(namespace) {
            format!("write {name}")
        } else {
            format!("copy the secret into the namespace of the Service, and write {name}")
        };
        given.file_value(report, Problem::new(Code::AnnotationInvalid, message).help(help));
    }
}

/// The annotations with lists of Services, and the character between two of them. An item may have a parameter after a blank.
const LISTS: [(&str, char); 6] = [
    ("nginx.org/grpc-services", ','),
    ("nginx.org/ssl-services", ','),
    ("nginx.org/websocket-services", ','),
    ("nginx.org/rewrites", ';'),
    ("nginx.com/sticky-cookie-services", ';'),
    ("nginx.org/sticky-cookie-services", ';'),
];

/// Reports lists that name another Service than that of the Ingress, and a minion that the controller refuses.
pub(crate) fn services(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if !plan.has_stable_ingress() || plan.controller(Target::Ingress) != Controller::F5Nginx {
        return;
    }
    let server = Controller::F5Nginx.row().name;
    for given in plan.annotations.iter().filter(|it| context.denial(it).is_none()) {
        let (key, value) = (given.key.as_str(), given.value.as_str());
        if key == "nginx.org/mergeable-ingress-type" && value == "minion" && plan.tls().has_secret() {
            let message = format!("{} is minion, and {server} refuses a minion with TLS", quoted(key));
            let help = "set config.xposer.stakater.com/TLS: \"false\", or remove the line";
            given.file_value(report, Problem::new(Code::AnnotationInvalid, message).help(help));
        }
        let list = LISTS.iter().find(|(known, _)| *known == key);
        let Some((_, between)) = list.filter(|_| !is_invalid(Controller::F5Nginx, key, value)) else {
            continue;
        };
        // The parser does not remove blanks between commas.
        let service = |item: &'_ str| match between {
            ',' => item.to_owned(),
            _ => {
                let first = item.trim().split(' ').next().unwrap_or_default();
                first.split_once('=').map_or(first, |(_, name)| name).to_owned()
            }
        };
        let Some(other) = value.split(*between).map(service).find(|name| name != plan.service()) else {
            continue;
        };
        let (code, does) = if key.ends_with("sticky-cookie-services") {
            (Code::IntentLost, "finds no such Service here")
        } else {
            (Code::AnnotationInvalid, "then refuses the whole Ingress")
        };
        let message = format!(
            "{} names {}, and the Ingress has only the Service {}: {server} {does}",
            quoted(key),
            quoted(&other),
            quoted(plan.service())
        );
        let help = format!("name only {}, without blanks around it, or remove the line", plan.service());
        given.file_value(report, Problem::new(code, message).help(help));
    }
}

/// Returns the part of a path for which the controller refuses the whole Ingress, in words; `None` if it accepts the path.
pub(crate) fn refused_part(path: &str) -> Option<&'static str> {
    let is_below =
        |folder: &str| path.strip_prefix(folder).is_some_and(|it| it.is_empty() || it.starts_with('/'));
    if path.starts_with("/etc/") {
        return Some("`/etc/`");
    }
    if is_below("/root") {
        return Some("`/root`");
    }
    if is_below("/var") {
        return Some("`/var`");
    }
    if path.contains(';') {
        return Some("`;`");
    }
    if path.starts_with("//") {
        return Some("`//` at the beginning");
    }
    if has_parent(path) {
        return Some("the part `..`");
    }
    if path.contains(|c: char| c.is_ascii_whitespace()) {
        return Some("a blank");
    }
    if path.contains("\\n") || path.ends_with("\\r") {
        return Some("`\\n` or `\\r`");
    }
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return Some("a quote"),
            '\\' if characters.next().is_none() => return Some("`\\` at the end"),
            _ => {}
        }
    }
    let mut rest = path;
    while let Some((inside, after)) = rest.split_once('{').and_then(|(_, it)| it.split_once('}')) {
        if inside.contains(|c: char| c.is_ascii_alphabetic()) {
            return Some("letters between braces");
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::refused_part;

    #[test]
    fn some_parts_of_paths_are_refused() {
        for path in [
            "/etc/x",
            "/root",
            "/var/x",
            "/a;b",
            "/a\\nb",
            "/a\"b",
            "/a\\",
            "/{}{a}",
            "//a",
            "/a/..",
            "/a\\..\\b",
            "/a b",
        ] {
            assert!(refused_part(path).is_some(), "{path}");
        }
        for path in [
            "/",
            "/etc",
            "/rooted",
            "/root(/|$)(.*)",
            "/x/etc/",
            "/a\\\"b",
            "/a{2}",
            "/a{b",
            "/a//b",
            "/a..b",
            "/\\.\\./b",
        ] {
            assert_eq!(refused_part(path), None, "{path}");
        }
    }
}
