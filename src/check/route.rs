//! Rules about the path.

use super::Facts;
use crate::diag::{Code, Problem, Report, shown};
use crate::value::{Origin, PathType, is_regex_path, path_flaw};

/// The annotations that make ingress-nginx read paths as regular expressions.
const REGEX_KEYS: [&str; 2] =
    ["nginx.ingress.kubernetes.io/use-regex", "nginx.ingress.kubernetes.io/rewrite-target"];

/// A path starts with `/` and, unless it is a regular expression, has no empty or relative element.
pub(super) fn path(facts: &Facts<'_>, report: &mut Report) {
    for rule in &facts.draft.rules {
        let at = rule.path_origin.path();
        if let Some(flaw) = path_flaw(&rule.path, rule.path_type) {
            let said =
                format!("the path {} is not a {} path: {flaw}", shown(&rule.path), rule.path_type.as_str());
            let mut problem =
                Problem::new(Code::PathInvalid, said).help("remove it").found(rule.path.clone());
            if flaw.contains("//") {
                problem.help = Some("write a single slash".to_owned());
            }
            report.file(at, problem);
        } else if rule.path_type == PathType::ImplementationSpecific
            && is_regex_path(&rule.path)
            && rule.path_origin != Origin::BuiltIn
        {
            let said = format!("the path {} is read as a regular expression", shown(&rule.path));
            let mut problem = Problem::new(Code::PathRegex, said);
            if !facts.draft.annotations.iter().any(|forwarded| REGEX_KEYS.contains(&forwarded.key.as_ref())) {
                problem = problem
                    .help("forward nginx.ingress.kubernetes.io/use-regex: true if ingress-nginx serves it");
            }
            report.file(at, problem);
        }
    }
}
