//! Rules about the path.

use super::targets::refusing;
use crate::diagnostics::{Code, Origin, Problem, Report, Severity, quoted, quoted_char};
use crate::dialect::alb;
use crate::dialect::controller::Controller;
use crate::dialect::f5_nginx::PATH_REGEX;
use crate::dialect::gateway;
use crate::dialect::gateway::regex::branches;
use crate::dialect::haproxy_ingress::write::PATH_TYPE;
use crate::dialect::nginx::USE_REGEX;
use crate::dialect::nginx::paths::{NginxPaths, as_regex};
use crate::dialect::nginx::rules::rewrite::is_literal;
use crate::dialect::write::Paths;
use crate::plan::Route;
use crate::plan::context::RuleContext;
use crate::validation::regex::{Malformed, kinds};
use crate::validation::{PathType, parse_bool, path_error};
use crate::values::Target;

const NO_PATTERN: &str =
    "write a path without the characters of a regular expression, or choose another class";

/// Checks that a path starts with `/` and, unless it is a regular expression, has no empty or relative element. A regular
/// expression must be valid for the program that compares it.
pub(crate) fn path(context: &RuleContext<'_>, report: &mut Report) {
    let nginx = context.plan.pattern().and_then(|_| context.plan.nginx());
    let paths = Paths::new(context.plan, Target::Ingress);
    for rule in &context.plan.rules {
        if let Some(problem) = problem(context, nginx, paths, rule) {
            report.file(rule.path_origin.path(), problem.found(rule.path.clone()));
        }
    }
}

fn problem<'p>(
    context: &RuleContext<'p>,
    nginx: Option<NginxPaths<'p>>,
    paths: Paths<'p>,
    rule: &'p Route,
) -> Option<Problem> {
    let path = || quoted(&rule.path);
    let is_free = rule.path_type == PathType::ImplementationSpecific;
    if let Some(error) = path_error(&rule.path, rule.path_type) {
        let message = format!("{} is not a path of type {}: {error}", path(), rule.path_type.as_str());
        let help = if error.contains("//") { "write a single slash" } else { "remove this part of the path" };
        return Some(Problem::new(Code::PathInvalid, message).help(help));
    }
    let server = context.plan.controller(Target::Ingress);
    let has_ingress = context.plan.targets.contains(&Target::Ingress);
    if has_ingress
        && matches!(server, Controller::Traefik | Controller::TraefikNginx)
        && rule.path.contains('`')
    {
        let message = format!(
            "the path {} contains a backtick, which ends a path in the rules of Traefik before 3.6.12",
            path()
        );
        return Some(Problem::new(Code::TargetInvalid, message).help("remove it"));
    }
    if has_ingress && let Some(problem) = refused(server, paths, rule) {
        return Some(problem);
    }
    // Another rule reports a character that a target refuses.
    let contains = |is_it: fn(char) -> bool| {
        rule.path.contains(|c| is_it(c) && refusing(context.plan, rule, c).is_none())
    };
    if !is_free && contains(|c| c == '?') {
        let message = format!("the path {} contains a `?`, but a path has no query", path());
        let help = format!("remove the query; for a regular expression set {}", free_type(rule));
        return Some(Problem::new(Code::PathQuery, message).help(help));
    }
    if contains(char::is_whitespace) {
        let message = format!("the path {} contains a blank, which no request has", path());
        return Some(Problem::new(Code::PathBlank, message).help("remove the blank, or write %20"));
    }
    if is_free && let Some(rest) = rule.path.strip_prefix("/^") {
        let message =
            format!("the path {} has a `^` behind its first `/`, where no request path has one", path());
        let help = format!("write /{}: a path is compared from its beginning", rest.trim_start_matches('/'));
        return Some(Problem::new(Code::PathInvalid, message).help(help));
    }
    let is_pattern = rule.is_pattern() && rule.path_origin != Origin::BuiltIn;
    if is_pattern && let Some(problem) = malformed(context, paths, rule) {
        return Some(problem);
    }
    if !has_ingress {
        return None;
    }
    if !is_free
        && server.is_nginx()
        && let Some(stray) = rule.path.chars().find(|c| {
            !(c.is_ascii_alphanumeric() || "._-/".contains(*c)) && refusing(context.plan, rule, *c).is_none()
        })
    {
        let message = format!(
            "the path {} contains {}, which {} refuses in a path of this type",
            path(),
            quoted_char(stray),
            server.row().name
        );
        let help = format!("write letters, digits and `. _ - /`, or set {}", free_type(rule));
        return Some(Problem::new(Code::PathStrict, message).help(help));
    }
    if is_pattern {
        return regex_problem(context, nginx, paths, rule);
    }
    None
}

/// Returns the problem with a path that the controller of the Ingress refuses, and with it the whole Ingress.
fn refused(server: Controller, paths: Paths<'_>, rule: &Route) -> Option<Problem> {
    let (written, kind) = paths.of(rule);
    let part = server.refused_part(&written, kind)?;
    let message = format!(
        "{} refuses {part} in the path {} of the type {}, and serves nothing of the Ingress",
        server.row().name,
        quoted(&written),
        kind.as_str()
    );
    Some(Problem::new(Code::TargetInvalid, message).help("choose another path, or another class"))
}

/// Returns the problem with an invalid regular expression, or with one that matches no path.
fn malformed<'p>(context: &RuleContext<'p>, paths: Paths<'p>, rule: &'p Route) -> Option<Problem> {
    let plan = context.plan;
    let controller = plan.controller(Target::Ingress);
    // It is not known how other controllers compare a path.
    let by_ingress = plan.targets.contains(&Target::Ingress) && controller != Controller::Other;
    let by_route =
        plan.targets.contains(&Target::HttpRoute) && gateway::support::prefix(plan, rule).is_none();
    let is_by_ingress = || actual_match(context, paths, rule).is_none() && !is_literal(context);
    let is_compared = || by_route || (by_ingress && is_by_ingress());
    let of = |controller: Controller| [" of ", controller.row().name].concat();
    let path = quoted(&rule.path);
    let refused = match (kinds(&rule.path), controller) {
        (Err(wrong), _) => Some((wrong, String::new())),
        (Ok(kinds), Controller::IngressNginx) => kinds.not_pcre.map(|wrong| (wrong, of(controller))),
        // These programs are built with PCRE2.
        (Ok(kinds), Controller::F5Nginx | Controller::HaproxyIngress) => {
            kinds.not_pcre.or(kinds.not_pcre2).map(|wrong| (wrong, of(controller)))
        }
        _ => None,
    };
    if let Some((wrong, whose)) = refused {
        let message = format!(
            "the path {path} is not a regular expression{whose}: {} {}",
            quoted(wrong.part),
            wrong.message
        );
        // An error for only one program concerns the Ingress, and not an HTTPRoute.
        let is_lost = if whose.is_empty() { is_compared() } else { by_ingress && is_by_ingress() };
        return is_lost.then(|| Problem::new(Code::PathInvalid, message).help(wrong.help));
    }
    // nginx searches such a branch anywhere in a path, so it can match. The paths that are written for other programs anchor each
    // branch at the beginning, where it cannot match.
    let is_nginx = controller.is_nginx() || controller == Controller::F5Nginx;
    let is_begun = |branch: &&str| branch.trim_start_matches('^').starts_with(['/', '(', '[', '.', '\\']);
    let stray = branches(&rule.path).find(|branch| !is_begun(branch))?;
    let (said, help) = if stray.is_empty() {
        (
            format!("the path {path} has an empty alternative next to `|`, which matches every path"),
            "remove the `|`",
        )
    } else {
        let message = format!(
            "the branch {} of the path {path} does not begin with `/`, as every path does",
            quoted(stray)
        );
        (message, "begin each branch with `/`: /a|/b")
    };
    let is_lost = by_route || (by_ingress && (!is_nginx || stray.is_empty()) && is_compared());
    is_lost.then(|| Problem::new(Code::PathInvalid, said).help(help))
}

/// Returns the path type that allows any path, in the notation of the annotation or setting that has the path.
fn free_type(rule: &Route) -> &'static str {
    match rule.path_origin {
        Origin::Setting(_) => "pathType: ImplementationSpecific",
        Origin::Annotation(_) | Origin::Field(_) | Origin::BuiltIn => "PathType: ImplementationSpecific",
    }
}

/// Returns the finding about how the controller of the Ingress compares a path that is a regular expression.
fn regex_problem<'p>(
    context: &RuleContext<'p>,
    nginx: Option<NginxPaths<'p>>,
    paths: Paths<'p>,
    rule: &'p Route,
) -> Option<Problem> {
    let path = quoted(&rule.path);
    let controller = context.plan.controller(Target::Ingress);
    let has_re2 = matches!(controller, Controller::Contour | Controller::Traefik | Controller::TraefikNginx);
    if let Some(part) = kinds(&rule.path).ok().and_then(|kinds| kinds.of_pcre).filter(|_| has_re2) {
        let message = format!(
            "the path {path} has {}, which the regular expressions of {} do not support: no request would be served",
            quoted(part),
            controller.row().name
        );
        return Some(Problem::new(Code::TargetInvalid, message).help("write the path without it"));
    }
    let (written, _) = paths.of(rule);
    if let Some(instead) = actual_match(context, paths, rule) {
        let message = format!(
            "{} does not read {path} as a regular expression: it {instead}, and no request would be served",
            controller.row().name
        );
        let problem = Problem::new(Code::TargetInvalid, message).help(NO_PATTERN);
        return Some(problem).filter(|_| controller.never_matches(&rule.path));
    }
    let message = match (context.plan.class_name(), nginx) {
        _ if is_literal(context) => return None,
        _ if written != rule.path => {
            let name = controller.row().name;
            format!("the path {path} is written as {} for {name}", quoted(&written))
        }
        _ if controller == Controller::F5Nginx => {
            format!("the path {path} is read as a regular expression, for which {PATH_REGEX} was added")
        }
        (Some(class), None) if context.plan.canary.is_none() => {
            format!(
                "the path {path} is a regular expression, which the controller of the class {} reads in its own way",
                quoted(class)
            )
        }
        (_, Some(NginxPaths { pattern: Some(_), .. })) => {
            format!("the path {path} is read as a regular expression, for which {USE_REGEX} was added")
        }
        _ => format!("the path {path} is read as a regular expression"),
    };
    Some(Problem::new(Code::PathRegex, message))
}

/// Returns what the controller of the Ingress does instead, as a clause: for an exact path that does not have precedence over a
/// prefix, and for a regular expression that the controller does not compare as one.
fn actual_match<'p>(context: &RuleContext<'p>, paths: Paths<'p>, rule: &'p Route) -> Option<&'static str> {
    let plan = context.plan;
    if !plan.targets.contains(&Target::Ingress) {
        return None;
    }
    let controller = plan.controller(Target::Ingress);
    if rule.path_type == PathType::Exact && controller == Controller::TraefikNginx {
        return Some("prefers a prefix of the host whose rule is longer");
    }
    if !rule.is_pattern() {
        return None;
    }
    let instead = controller.literal_match_note(&rule.path)?;
    if alb::write::reads_patterns(plan) {
        return None;
    }
    (paths.of(rule).0 == rule.path).then_some(instead)
}

/// Reports paths that the controller of the Ingress compares in another way than their path type says.
pub(crate) fn patterns(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let paths = Paths::new(plan, Target::Ingress);
    let controller = plan.controller(Target::Ingress);
    let name = controller.row().name;
    // Computed once, because it reads all annotations and routes.
    let by_first_pcre = plan.pattern().filter(|_| controller == Controller::IngressNginx);
    let nginx = by_first_pcre.and_then(|_| plan.nginx());
    for rule in &plan.rules {
        let path = || quoted(&rule.path);
        let (said, help) = if let Some(instead) = actual_match(context, paths, rule) {
            let path = path();
            match rule.path_type {
                PathType::Exact => (
                    format!("{name} reads {path} as an exact path, and {instead}"),
                    "write PathType: Prefix, or choose another class".to_owned(),
                ),
                PathType::Prefix | PathType::ImplementationSpecific => (
                    format!("{name} does not read {path} as a regular expression: it {instead}"),
                    NO_PATTERN.to_owned(),
                ),
            }
        } else if is_whole_path(context, paths, rule) {
            let below = format!("{}/*", rule.path.trim_end_matches('/'));
            let help = format!("write PathType: Prefix, or the path {below}");
            (format!("{name} compares {} with whole paths, and serves nothing below it", path()), help)
        } else if let Some(help) = prefix_overmatch_help(context, paths, rule) {
            let (path, longer) = (path(), format!("{}x", rule.path));
            (
                format!(
                    "{name} compares the beginning of a path, so {path} also matches {}",
                    quoted(&longer)
                ),
                help,
            )
        } else if let Some(wrong) = only_of_first_pcre(nginx.as_ref(), rule) {
            let message = format!(
                "in the path {}, {} {} for PCRE2, with which nginx would load no configuration",
                path(),
                quoted(wrong.part),
                wrong.message
            );
            (message, wrong.help.to_owned())
        } else {
            continue;
        };
        // A path that the rule `path` reports needs a change first, so its other differences do not matter.
        let place = rule.path_origin.path();
        if !report.is_about(&place, &rule.path, Severity::Warning) {
            report.file(place, Problem::new(Code::IntentDiffers, said).found(rule.path.clone()).help(help));
        }
    }
    use_regex_without_effect(context, report);
}

/// Whether the controller of the Ingress serves the path alone, although its type leaves the meaning to the controller, and most
/// others also serve what is below it.
fn is_whole_path(context: &RuleContext<'_>, paths: Paths<'_>, rule: &Route) -> bool {
    let plan = context.plan;
    plan.has_stable_ingress()
        && plan.controller(Target::Ingress).has_whole_paths()
        && !rule.is_pattern()
        && paths.of(rule).1 == PathType::ImplementationSpecific
        && !alb::write::reads_patterns(plan)
}

/// Returns what to write instead of a path that the controller of the Ingress also matches as the beginning of a longer path
/// element, as `/a` matches `/ab`.
fn prefix_overmatch_help(context: &RuleContext<'_>, paths: Paths<'_>, rule: &Route) -> Option<String> {
    let plan = context.plan;
    let controller = plan.controller(Target::Ingress);
    let is_f5 = controller == Controller::F5Nginx;
    let is_begin =
        is_f5 || matches!(controller, Controller::Contour | Controller::Haproxy | Controller::HaproxyIngress);
    let begins = match rule.path_type {
        PathType::Exact => false,
        PathType::Prefix => is_f5,
        PathType::ImplementationSpecific => is_begin,
    };
    let has_regex_type = || [PATH_REGEX, PATH_TYPE].into_iter().any(|key| plan.annotation(key).is_some());
    if !begins
        || !plan.has_stable_ingress()
        || has_regex_type()
        || rule.is_pattern()
        || rule.path.ends_with('/')
        || paths.of(rule).0 != rule.path
    {
        return None;
    }
    Some(if is_f5 {
        pattern_help(context, &as_regex(&rule.path, PathType::Prefix))
    } else {
        "write PathType: Prefix".to_owned()
    })
}

/// Returns the help that proposes a regular expression for a path.
fn pattern_help(context: &RuleContext<'_>, pattern: &str) -> String {
    let mut help = format!("write the regular expression {pattern}");
    // Without a path type, the special characters of a regular expression determine the type.
    if context.layers.first(|it| &it.path_type).is_some() {
        help.push_str(" with PathType: ImplementationSpecific");
    }
    help
}

/// Returns the part of a path that PCRE accepts and PCRE2 does not. ingress-nginx 1.15 is built with PCRE.
fn only_of_first_pcre<'p>(nginx: Option<&NginxPaths<'_>>, rule: &'p Route) -> Option<Malformed<'p>> {
    let is_read = nginx.is_some_and(|nginx| nginx.reads_regex(&rule.path, rule.path_type));
    if is_read && rule.is_pattern() { kinds(&rule.path).ok()?.not_pcre2 } else { None }
}

/// Reports `use-regex: "true"` on a path without special characters, if a known controller compares it as a plain path, which
/// ingress-nginx does not.
fn use_regex_without_effect(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let given = plan.annotation(USE_REGEX).filter(|it| parse_bool(&it.value) == Some(true));
    let Some(given) = given.filter(|_| plan.canary.is_none()) else { return };
    let reads = |target: &&Target| {
        let controller = plan.controller(**target);
        !controller.is_nginx() && controller != Controller::Other
    };
    let Some(target) = plan.targets.iter().find(reads) else { return };
    let Some(rule) = plan.rules.iter().find(|rule| !rule.is_pattern() && rule.path != "/") else { return };
    let path = &rule.path;
    let message = format!(
        "{} compares {} as a path, and not as a regular expression",
        plan.program_name(*target),
        quoted(path)
    );
    let is_text = *target == Target::Route || plan.controller(*target).literal_match_note("/(a|b)").is_some();
    let help = if is_text {
        "remove the line".to_owned()
    } else {
        let pattern = pattern_help(context, &format!("{path}.*"));
        format!("remove the line, or {pattern} if longer paths are meant")
    };
    given.file_key(report, Problem::new(Code::IntentDiffers, message).help(help));
}

#[cfg(test)]
mod tests;
