//! Keys that look like those of a known program, but are not.

use super::key::Program;
use super::{PROGRAMS, is_controller, legacy, listed_programs, nginx, protects};
use crate::diagnostics::{Code, Misspelt, Problem, quoted};
use crate::validation::pattern::matches;
use crate::validation::{annotation_key_error, halves};

/// The most letters in which a typing error differs. A name that differs more is probably a key of another program.
const MAX_EDITS: usize = 2;

/// Whether a key is misspelt. This function does not search for the intended key if the result does not depend on it.
pub(crate) fn is_misspelt(key: &str, value: &str) -> bool {
    let program = key.split_once('/').and_then(|(prefix, name)| {
        Some((listed_programs().find(|it| it.is_closed() && it.has_prefix(prefix))?, name))
    });
    match program {
        Some((program, name)) => !program.knows(name) && !has_other_finding(key),
        None => problem(key, value).is_some(),
    }
}

/// Whether a key is a legacy key, or not valid at all. Other diagnostics report these.
fn has_other_finding(key: &str) -> bool {
    legacy::find(key).is_some() || annotation_key_error(key).is_some()
}

/// A key that its program does not have, or whose prefix no program has.
pub(crate) struct UnknownKey {
    pub(crate) problem: Problem,
    /// The key that was probably meant.
    pub(crate) intended: Option<String>,
    /// Whether the name is a protecting key of another program.
    pub(crate) is_foreign: bool,
}

/// Whether a pattern without a prefix matches names of keys that have a prefix, and no key as a whole.
pub(crate) fn is_bare_name(pattern: &str) -> bool {
    let start = pattern.split('*').next().unwrap_or_default();
    let is_whole = |program: &Program| {
        program.prefixes.iter().any(|prefix| prefix.starts_with(start)) || program.prefixes.is_empty()
    };
    let has = |program: &Program| program.names().into_iter().any(|name| matches(pattern, name));
    !listed_programs().any(is_whole) && listed_programs().any(has)
}

/// Whether the author of such a key probably asks for a protection.
pub(crate) fn means_protection(is_foreign: bool, meant: Option<&str>, value: &str) -> bool {
    is_foreign || meant.is_some_and(|meant| protects(meant, value))
}

/// Returns the diagnostic for such a key.
pub(crate) fn problem(key: &str, value: &str) -> Option<Problem> {
    misspelt(key, value).map(|found| found.problem)
}

/// Returns what is known about such a key.
pub(crate) fn misspelt(key: &str, value: &str) -> Option<UnknownKey> {
    let mut is_foreign = false;
    let (program, meant) = match halves(key, b'/') {
        Some((prefix, name)) => match listed_programs().find(|it| it.has_prefix(prefix)) {
            Some(program) if program.knows(name) || has_other_finding(key) => return None,
            Some(program) => {
                is_foreign = protects_elsewhere(program, name, value);
                // If other programs have keys under the same prefix, only a typing error counts as misspelt.
                let meant = nearest(program, name, if program.is_closed() { usize::MAX } else { MAX_EDITS });
                if meant.is_none() && !program.is_closed() && !is_foreign {
                    return None;
                }
                (program, meant.map(|meant| [prefix, "/", meant].concat()))
            }
            None => proposed_prefix(prefix, name).map(|(program, meant)| (program, Some(meant)))?,
        },
        None => proposed_slash(key, value).map(|(program, meant)| (program, Some(meant)))?,
    };
    if has_other_finding(key) {
        return None;
    }
    let message = format!("{} is not a key of {}", quoted(key), program.name);
    let problem = Problem::new(Code::ForeignKeyUnknown, message).help(match &meant {
        Some(meant) => format!("did you mean {meant}?"),
        None => "remove the line, unless you know that your version reads the key".to_owned(),
    });
    Some(UnknownKey { problem, intended: meant, is_foreign })
}

/// Whether a name under the prefix of an Ingress controller is a protecting key of another one. Alibaba Cloud's ALB has keys for
/// CORS under the prefix of the AWS Load Balancer Controller.
fn protects_elsewhere(program: &Program, name: &str, value: &str) -> bool {
    let is_theirs = |it: &Program| it.row(name).is_some_and(|row| row.protects_with(value));
    is_controller(program)
        && (program.is_closed() || !name.starts_with("cors-"))
        && PROGRAMS.iter().any(|it| is_theirs(it) && is_controller(it))
}

/// Returns the name of a program that differs from this one in the fewest letters: in at most a third of them, and in at most
/// `max`. If several are equally near, the first one in alphabetical order counts.
fn nearest(program: &'static Program, name: &str, max: usize) -> Option<&'static str> {
    let meant = Misspelt::new(name)?;
    let near = program.names().into_iter().filter_map(|known| Some((meant.distance(known, max)?, known)));
    near.min().map(|(_, known)| known)
}

/// Returns the program whose prefix was meant, and the whole key. The prefix differs in few letters, or in the order or number
/// of its parts, and the name after it is one of the program's, or near to one.
fn proposed_prefix(prefix: &str, name: &str) -> Option<(&'static Program, String)> {
    // Most keys of unknown programs reach this code, and each is compared with the prefixes of all programs.
    let written = Misspelt::new(prefix);
    let parts: Vec<&str> = prefix.split('.').collect();
    let candidates =
        listed_programs().flat_map(|program| program.prefixes.iter().map(move |it| (program, *it)));
    candidates
        .filter(|(_, known)| {
            let known = known.strip_suffix("/").unwrap_or(known);
            let max = (known.len() / 9).max(1);
            written.as_ref().is_some_and(|it| it.distance(known, max).is_some())
                || has_its_parts(&parts, known)
        })
        .find_map(|(program, known)| Some((program, [known, known_name(program, name)?].concat())))
}

/// Whether all parts of a prefix are parts of the known one, and the first part of the known one, the program's own, is among
/// them.
fn has_its_parts(parts: &[&str], known: &str) -> bool {
    // No part has a dot. So the program's own part, which costs little to compare, is missing in almost all prefixes.
    let own = halves(known, b'.').map(|(own, _)| own);
    own.is_some_and(|own| parts.contains(&own))
        && parts.iter().all(|part| known.split('.').any(|other| other == *part))
}

/// Returns the name that was meant: the name itself if the program has it, otherwise the nearest one.
fn known_name<'n>(program: &'static Program, name: &'n str) -> Option<&'n str>
where
    'static: 'n,
{
    if program.knows(name) {
        return Some(name);
    }
    nearest(program, name, MAX_EDITS)
}

/// Returns the program and the key for a key without a slash: another character is in its place, the name is in the value, or
/// the whole prefix is missing.
fn proposed_slash(key: &str, value: &str) -> Option<(&'static Program, String)> {
    // A fast path: most prefixes begin with another letter.
    let is_near = |known: &&&str| known.bytes().next() == key.bytes().next();
    for program in listed_programs() {
        for known in program.prefixes.iter().filter(is_near) {
            let Some(rest) = known.strip_suffix('/').and_then(|known| key.strip_prefix(known)) else {
                continue;
            };
            let name = match rest.strip_prefix(['.', '-', '_']) {
                Some(name) => name,
                None if rest.is_empty() => value.split_once(':')?.0.trim(),
                None => continue,
            };
            return Some((program, [known, known_name(program, name)?].concat()));
        }
    }
    // A name of several words hardly belongs to another program.
    let is_of_nginx = key.contains('-') && nginx::PROGRAM.knows(key);
    is_of_nginx.then(|| (&nginx::PROGRAM, [nginx::PREFIX, key].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(key: &str) -> Option<String> {
        problem(key, "").map(|problem| {
            [problem.message.as_str(), "; ", problem.help.as_deref().unwrap_or_default()].concat()
        })
    }

    #[test]
    fn proposed_keys_exist() {
        for (key, meant) in [
            ("nginx.ingress.kubernetes.io/proxy-body-sise", "nginx.ingress.kubernetes.io/proxy-body-size"),
            ("nginx.ingress.kubernetes.io/Proxy-Body-Size", "nginx.ingress.kubernetes.io/proxy-body-size"),
            ("nginx.ingress.kubernetes.io/proxy_body_size", "nginx.ingress.kubernetes.io/proxy-body-size"),
            ("alb.ingress.kubernetes.io/listenPorts", "alb.ingress.kubernetes.io/listen-ports"),
            ("alb.ingress.kubernetes.io/group-name", "alb.ingress.kubernetes.io/group.name"),
            ("nginx.ingres.kubernetes.io/rewrite-target", "nginx.ingress.kubernetes.io/rewrite-target"),
            ("ngnix.ingress.kubernetes.io/rewrite-targt", "nginx.ingress.kubernetes.io/rewrite-target"),
            ("Nginx.ingress.kubernetes.io/auth-url", "nginx.ingress.kubernetes.io/auth-url"),
            ("nginx.kubernetes.io/auth-url", "nginx.ingress.kubernetes.io/auth-url"),
            ("ingress.nginx.kubernetes.io/auth-url", "nginx.ingress.kubernetes.io/auth-url"),
            ("nginx.ingress.kubernetes.io.rewrite-target", "nginx.ingress.kubernetes.io/rewrite-target"),
            ("rewrite-target", "nginx.ingress.kubernetes.io/rewrite-target"),
            ("certmanager.io/cluster-issuer", "cert-manager.io/cluster-issuer"),
            ("cert-manager.io/clusterissuer", "cert-manager.io/cluster-issuer"),
            ("external-dns.alpha.kubernetes.io/hostnames", "external-dns.alpha.kubernetes.io/hostname"),
            ("external-dns.kubernetes.io/tll", "external-dns.kubernetes.io/ttl"),
            ("forecastle.stakater.com/appname", "forecastle.stakater.com/appName"),
            ("kubernetes.io/ingress-class", "kubernetes.io/ingress.class"),
        ] {
            let message = sentence(key).unwrap_or_default();
            assert!(message.ends_with(&format!("; did you mean {meant}?")), "{key}: {message}");
            assert!(problem(meant, "").is_none() && !is_misspelt(meant, ""), "{meant}");
            assert!(is_misspelt(key, ""), "{key}");
        }
    }

    #[test]
    fn name_may_be_in_the_value() {
        let problem = problem("nginx.ingress.kubernetes.io", "rewrite-target: /");
        let help = problem.and_then(|problem| problem.help);
        assert_eq!(help.as_deref(), Some("did you mean nginx.ingress.kubernetes.io/rewrite-target?"));
    }

    #[test]
    fn keys_of_other_programs_are_not_misspellings() {
        let keys = "appgw.ingress.kubernetes.io/ssl-redirect mse.ingress.kubernetes.io/rewrite-target \
             nginx.org/rewrite-target internal-nginx.ingress.kubernetes.io/rewrite-target \
             traefik.ingress.kubernetes.io/router.entrypoints traefik.ingress.kubernetes.io/router.Middlewares alb.ingress.kubernetes.io/canary-by-header \
             alb.ingress.kubernetes.io/actions.redirect-to-eks alb.ingress.kubernetes.io/conditions.rule-path1 \
             external-dns.alpha.kubernetes.io/ibmcloud-proxied external-dns.alpha.kubernetes.io/aws-weight \
             kubernetes.io/change-cause kubernetes.io/elb.class example.com/owner affinity team";
        for key in keys.split(' ') {
            assert_eq!((sentence(key), is_misspelt(key, "")), (None, false), "{key}");
        }
    }

    #[test]
    fn a_protecting_key_of_another_program_is_foreign() {
        for (key, value, is_foreign) in [
            ("haproxy.org/allowlist-source-range", "10.0.0.0/8", true),
            ("haproxy.org/allowlist-source-range", "0.0.0.0/0", false),
            ("nginx.org/auth-url", "https://auth.example.com", true),
            ("haproxy-ingress.github.io/allow-list", "10.0.0.0/8", true),
            ("nginx.ingress.kubernetes.io/allow-list", "10.0.0.0/8", true),
            ("alb.ingress.kubernetes.io/whitelist-source-range", "10.0.0.0/8", true),
            ("projectcontour.io/auth-url", "https://auth.example.com", true),
            ("projectcontour.io/rewrite-target", "/", false),
            ("haproxy-ingress.github.io/cors-alow-origin", "https://example.com", false),
        ] {
            assert_eq!(misspelt(key, value).map(|found| found.is_foreign), Some(is_foreign), "{key}");
        }
        assert!(misspelt("alb.ingress.kubernetes.io/cors-allow-origin", "https://example.com").is_none());
        assert!(misspelt("kubernetes.io/auth-url", "https://auth.example.com").is_none());
    }

    #[test]
    fn unknown_key_of_a_closed_prefix_is_misspelt() {
        let message = sentence("nginx.ingress.kubernetes.io/no-such-key").unwrap_or_default();
        assert!(message.contains("is not a key of ingress-nginx 1.15; remove"), "{message}");
        let message = sentence("haproxy.org/no-such-key").unwrap_or_default();
        assert!(
            message.contains("is not a key of the HAProxy Kubernetes Ingress Controller 3.2"),
            "{message}"
        );
        // A legacy key has a diagnostic of its own.
        assert!(problem("ingress.kubernetes.io/no-such-key", "").is_none());
        assert!(problem("nginx.ingress.kubernetes.io/not a key", "").is_none());
    }
}
