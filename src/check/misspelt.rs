//! Keys that look like those of a program that we know, and are none.

use super::RuleContext;
use super::annotations::denial;
use crate::diagnostics::{Code, MAX_PER_CODE, Problem, Report, did_you_mean, quoted};
use crate::dialect::legacy;
use crate::dialect::nginx;
use crate::dialect::programs::{PROGRAMS, Program};
use crate::validation::annotation_key_error;

/// The programs that are known have the keys that are forwarded to them.
pub(crate) fn keys(context: &RuleContext<'_>, report: &mut Report) {
    let mut told = 0;
    for annotation in context.plan.annotations.iter().filter(|it| it.is_given()) {
        if context.is_mirrored(annotation) || denial(context.settings, annotation).is_some() {
            continue;
        }
        let (key, value) = (&annotation.key, &annotation.value);
        // The report keeps no more and only counts them, and each proposal looks at all names.
        let found = if told < MAX_PER_CODE {
            problem(key, value)
        } else if is_told(key, value) {
            Some(Problem::new(Code::ForeignKeyUnknown, "one more"))
        } else {
            None
        };
        if let Some(problem) = found {
            annotation.file_key(report, problem);
            told += 1;
        }
    }
}

/// Whether something is wrong with a key; what was meant is not looked for where it makes no difference.
pub(crate) fn is_told(key: &str, value: &str) -> bool {
    let program = key.split_once('/').and_then(|(prefix, name)| {
        Some((PROGRAMS.iter().find(|it| it.is_closed && is_prefix(it, prefix))?, name))
    });
    match program {
        Some((program, name)) => !program.knows(name) && !is_told_elsewhere(key),
        None => problem(key, value).is_some(),
    }
}

/// Whether a key is in the table of old keys, or is none at all.
fn is_told_elsewhere(key: &str) -> bool {
    legacy::find(key).is_some() || annotation_key_error(key).is_some()
}

/// What is wrong with a key, if it is one that its program does not have, or that belongs to none.
pub(crate) fn problem(key: &str, value: &str) -> Option<Problem> {
    let said = match key.split_once('/') {
        Some((prefix, name)) => match PROGRAMS.iter().find(|it| is_prefix(it, prefix)) {
            Some(program) if program.knows(name) => return None,
            Some(program) => return unknown(program, key, prefix, name),
            None => proposed_prefix(prefix, name)?,
        },
        None => proposed_slash(key, value)?,
    };
    if is_told_elsewhere(key) {
        return None;
    }
    let (program, meant) = said;
    Some(
        Problem::new(Code::ForeignKeyUnknown, format!("{} is no key of {}", quoted(key), program.name))
            .help(format!("did you mean {meant}?")),
    )
}

fn is_prefix(program: &Program, prefix: &str) -> bool {
    program.prefixes.iter().any(|known| known.strip_suffix('/') == Some(prefix))
}

/// A key under a known prefix that the program does not have.
fn unknown(program: &Program, key: &str, prefix: &str, name: &str) -> Option<Problem> {
    if is_told_elsewhere(key) {
        return None;
    }
    let problem =
        Problem::new(Code::ForeignKeyUnknown, format!("{} is no key of {}", quoted(key), program.name));
    let meant = did_you_mean(name, program.names().filter(|known| !known.contains('*')));
    // Where others have keys under the same prefix, only a slip of the pen is one.
    match meant.filter(|meant| program.is_closed || is_slip(name, meant, 2)) {
        Some(meant) => Some(problem.help(format!("did you mean {prefix}/{meant}?"))),
        None if program.is_closed => {
            Some(problem.help("remove the line, unless you know that your version reads the key"))
        }
        None => None,
    }
}

/// Whether two words differ in few letters, whatever their case.
fn is_slip(word: &str, known: &str, max: usize) -> bool {
    word.len().abs_diff(known.len()) <= max
        && strsim::osa_distance(&word.to_ascii_lowercase(), &known.to_ascii_lowercase()) <= max
}

/// The program that a prefix was meant for, and the whole key: the prefix differs in few letters, or in the order or number
/// of its parts, and the name behind it is one of the program's.
fn proposed_prefix(prefix: &str, name: &str) -> Option<(&'static Program, String)> {
    let candidates =
        PROGRAMS.iter().flat_map(|program| program.prefixes.iter().map(move |it| (program, *it)));
    candidates
        .filter(|(_, known)| {
            let known = known.trim_end_matches('/');
            is_slip(prefix, known, (known.len() / 9).max(1)) || has_its_parts(prefix, known)
        })
        .find_map(|(program, known)| Some((program, [known, known_name(program, name)?].concat())))
}

/// Whether all parts of a prefix are parts of the known one, whose first one, the program's own, is among them.
fn has_its_parts(prefix: &str, known: &str) -> bool {
    let Some((own, rest)) = known.split_once('.') else { return false };
    let is_part = |part: &str| part == own || rest.split('.').any(|other| other == part);
    prefix.split('.').any(|part| part == own) && prefix.split('.').all(is_part)
}

/// The name that was meant: one of the program's, or near to one.
fn known_name<'n>(program: &'static Program, name: &'n str) -> Option<&'n str>
where
    'static: 'n,
{
    if program.knows(name) {
        return Some(name);
    }
    let meant = did_you_mean(name, program.names().filter(|known| !known.contains('*')))?;
    is_slip(name, meant, 2).then_some(meant)
}

/// The program and the key where there is no slash: another character stands in its place, the name is part of the value,
/// or the whole prefix is missing.
fn proposed_slash(key: &str, value: &str) -> Option<(&'static Program, String)> {
    for program in PROGRAMS {
        for known in program.prefixes {
            let Some(rest) = key.strip_prefix(known.trim_end_matches('/')) else { continue };
            let name = match rest.strip_prefix(['.', '-', '_']) {
                Some(name) => name,
                None if rest.is_empty() => value.split_once(':')?.0.trim(),
                None => continue,
            };
            return Some((program, [known, known_name(program, name)?].concat()));
        }
    }
    // A name of several words is hardly anybody else's.
    let of_nginx = PROGRAMS.first().filter(|_| key.contains('-') && nginx::find(key).is_some())?;
    Some((of_nginx, [nginx::PREFIX, key].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(key: &str) -> Option<String> {
        problem(key, "").map(|problem| {
            [problem.message.as_str(), "; ", problem.help.as_deref().unwrap_or_default()].concat()
        })
    }

    #[test]
    fn a_proposal_is_a_key_that_there_is() {
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
            let said = said(key).unwrap_or_default();
            assert!(said.ends_with(&format!("; did you mean {meant}?")), "{key}: {said}");
            assert!(problem(meant, "").is_none() && !is_told(meant, ""), "{meant}");
            assert!(is_told(key, ""), "{key}");
        }
    }

    #[test]
    fn the_name_can_stand_in_the_value() {
        let problem = problem("nginx.ingress.kubernetes.io", "rewrite-target: /");
        let help = problem.and_then(|problem| problem.help);
        assert_eq!(help.as_deref(), Some("did you mean nginx.ingress.kubernetes.io/rewrite-target?"));
    }

    #[test]
    fn keys_of_others_are_nobodys_slip() {
        for key in [
            "appgw.ingress.kubernetes.io/ssl-redirect",
            "mse.ingress.kubernetes.io/rewrite-target",
            "nginx.org/rewrite-target",
            "internal-nginx.ingress.kubernetes.io/rewrite-target",
            "traefik.ingress.kubernetes.io/router.entrypoints",
            "alb.ingress.kubernetes.io/canary-by-header",
            "alb.ingress.kubernetes.io/actions.redirect-to-eks",
            "alb.ingress.kubernetes.io/conditions.rule-path1",
            "external-dns.alpha.kubernetes.io/ibmcloud-proxied",
            "external-dns.alpha.kubernetes.io/aws-weight",
            "kubernetes.io/change-cause",
            "kubernetes.io/elb.class",
            "example.com/owner",
            "affinity",
            "team",
        ] {
            assert_eq!((said(key), is_told(key, "")), (None, false), "{key}");
        }
    }

    #[test]
    fn a_key_without_a_near_one_is_told_where_nobody_else_has_any() {
        let said = said("nginx.ingress.kubernetes.io/no-such-key").unwrap_or_default();
        assert!(said.contains("is no key of ingress-nginx 1.15; remove"), "{said}");
        // What the table of old keys has is told there.
        assert!(problem("ingress.kubernetes.io/no-such-key", "").is_none());
        assert!(problem("nginx.ingress.kubernetes.io/not a key", "").is_none());
    }
}
