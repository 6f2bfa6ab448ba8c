//! Rules about the path.

use crate::diagnostics::{Code, Origin, Problem, Report, quoted, quoted_char};
use crate::dialect::alb;
use crate::dialect::controller::Controller;
use crate::dialect::f5_nginx::write::PATH_REGEX;
use crate::dialect::gateway;
use crate::dialect::gateway::regex::branches;
use crate::dialect::nginx::USE_REGEX;
use crate::dialect::nginx::paths::Nginx;
use crate::dialect::nginx::rules::rewrite::is_literal;
use crate::dialect::write::Paths;
use crate::plan::Route;
use crate::plan::context::RuleContext;
use crate::validation::regex::only_in_pcre;
use crate::validation::{PathType, path_error};
use crate::values::Target;

/// A path starts with `/` and, unless it is a regular expression, has no empty or relative element.
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
    nginx: Option<Nginx<'p>>,
    paths: Paths<'p>,
    rule: &'p Route,
) -> Option<Problem> {
    let path = || quoted(&rule.path);
    let is_free = rule.path_type == PathType::ImplementationSpecific;
    if let Some(error) = path_error(&rule.path, rule.path_type) {
        let said = format!("{} is no path of type {}: {error}", path(), rule.path_type.as_str());
        let help = if error.contains("//") { "write a single slash" } else { "remove this part of the path" };
        return Some(Problem::new(Code::PathInvalid, said).help(help));
    }
    if !is_free && rule.path.contains('?') {
        let said = format!("the path {} contains a `?`, and a query is no part of a path", path());
        let help = format!("remove the query; for a regular expression set {}", free_type(rule));
        return Some(Problem::new(Code::PathQuery, said).help(help));
    }
    if rule.path.contains(char::is_whitespace) {
        let said = format!("the path {} contains a blank, which no request has", path());
        return Some(Problem::new(Code::PathBlank, said).help("remove the blank, or write %20"));
    }
    if is_free && let Some(rest) = rule.path.strip_prefix("/^") {
        let said = format!("the path {} has a `^` behind its first `/`, where no request has one", path());
        let help = format!("write /{}: a path is compared from its beginning", rest.trim_start_matches('/'));
        return Some(Problem::new(Code::PathInvalid, said).help(help));
    }
    let is_pattern = rule.path_type.is_pattern(&rule.path) && rule.path_origin != Origin::BuiltIn;
    if is_pattern && let Some(problem) = malformed(context, paths, rule) {
        return Some(problem);
    }
    if !context.plan.targets.contains(&Target::Ingress) {
        return None;
    }
    if !is_free
        && let Some(stray) = rule.path.chars().find(|c| !(c.is_ascii_alphanumeric() || "._-/".contains(*c)))
    {
        let said = format!(
            "the path {} contains {}, which ingress-nginx refuses in a path of this type",
            path(),
            quoted_char(stray)
        );
        let help = format!("write letters, digits and `. _ - /`, or set {}", free_type(rule));
        return Some(Problem::new(Code::PathStrict, said).help(help));
    }
    if is_pattern {
        return regex(context, nginx, paths, rule);
    }
    None
}

/// Why a path that is compared as a regular expression is one of no program, or one that fits no path.
fn malformed<'p>(context: &RuleContext<'p>, paths: Paths<'p>, rule: &'p Route) -> Option<Problem> {
    let plan = context.plan;
    let controller = plan.controller(Target::Ingress);
    // Nothing is known of how others compare a path.
    let by_ingress = plan.targets.contains(&Target::Ingress) && controller != Controller::Other;
    let by_route = plan.targets.contains(&Target::HttpRoute) && gateway::says::prefix(plan, rule).is_none();
    let is_compared =
        || by_route || (by_ingress && instead(context, paths, rule).is_none() && !is_literal(context));
    let path = quoted(&rule.path);
    if let Err(wrong) = only_in_pcre(&rule.path) {
        let said = format!("the path {path} is no regular expression: {} {}", quoted(wrong.part), wrong.said);
        return is_compared().then(|| Problem::new(Code::PathInvalid, said).help(wrong.help));
    }
    // nginx looks for such a branch anywhere in a path. Where the path is written anew, each branch begins one.
    let is_nginx = controller.is_nginx() || controller == Controller::F5Nginx;
    let stray = branches(&rule.path).find(|branch| !branch.starts_with(['/', '(', '[', '.', '\\']))?;
    let said =
        format!("the branch {} of the path {path} begins with no `/`, as every path does", quoted(stray));
    let is_lost = by_route || (by_ingress && !is_nginx && is_compared());
    is_lost.then(|| Problem::new(Code::PathInvalid, said).help("begin each branch with `/`: /a|/b"))
}

/// The path type that allows any path, in the form of the annotation or setting that has the path.
fn free_type(rule: &Route) -> &'static str {
    match rule.path_origin {
        Origin::Setting(_) => "pathType: ImplementationSpecific",
        Origin::Annotation(_) | Origin::Field(_) | Origin::BuiltIn => "PathType: ImplementationSpecific",
    }
}

/// Who reads the path as a regular expression, and by what.
fn regex<'p>(
    context: &RuleContext<'p>,
    nginx: Option<Nginx<'p>>,
    paths: Paths<'p>,
    rule: &'p Route,
) -> Option<Problem> {
    let path = quoted(&rule.path);
    let controller = context.plan.controller(Target::Ingress);
    let has_re2 = matches!(controller, Controller::Contour | Controller::Traefik | Controller::TraefikNginx);
    if let Some(part) = only_in_pcre(&rule.path).ok().flatten().filter(|_| has_re2) {
        let said = format!(
            "the path {path} has {}, which the regular expressions of {} do not have: nobody would be served",
            quoted(part),
            controller.row().name
        );
        return Some(Problem::new(Code::TargetInvalid, said).help("write the path without it"));
    }
    let (written, _) = paths.of(rule);
    if instead(context, paths, rule).is_some() {
        return None;
    }
    let said = match (context.plan.class_name(), nginx) {
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
        (_, Some(Nginx { pattern: Some(_), .. })) => {
            format!("the path {path} is read as a regular expression, for which {USE_REGEX} was added")
        }
        _ => format!("the path {path} is read as a regular expression"),
    };
    Some(Problem::new(Code::PathRegex, said))
}

/// What happens to an exact path that does not count more than a prefix, and to one that is a regular expression where whoever serves
/// the Ingress compares no path with one.
fn instead<'p>(context: &RuleContext<'p>, paths: Paths<'p>, rule: &'p Route) -> Option<&'static str> {
    let plan = context.plan;
    if !plan.targets.contains(&Target::Ingress) {
        return None;
    }
    let controller = plan.controller(Target::Ingress);
    if rule.path_type == PathType::Exact && controller == Controller::TraefikNginx {
        return Some("prefers a prefix of the host whose rule is longer");
    }
    if !rule.path_type.is_pattern(&rule.path) {
        return None;
    }
    let instead = controller.instead_of_patterns(&rule.path)?;
    if plan.annotation(alb::USE_REGEX).is_some_and(|it| controller.reads(&it.key) && it.value == "true") {
        return None;
    }
    (paths.of(rule).0 == rule.path).then_some(instead)
}

/// Where an exact path or a regular expression is not read as one, it is said what it matches.
pub(crate) fn patterns(context: &RuleContext<'_>, report: &mut Report) {
    let paths = Paths::new(context.plan, Target::Ingress);
    for rule in &context.plan.rules {
        let Some(instead) = instead(context, paths, rule) else { continue };
        let (how, help) = match rule.path_type {
            PathType::Exact => ("an exact path, and ", "write PathType: Prefix, or choose another class"),
            PathType::Prefix | PathType::ImplementationSpecific => (
                "no regular expression: it ",
                "write a path without the signs of a regular expression, or choose another class",
            ),
        };
        let said = format!(
            "{} reads {} as {how}{instead}",
            context.plan.controller(Target::Ingress).row().name,
            quoted(&rule.path)
        );
        let problem = Problem::new(Code::IntentDiffers, said).found(rule.path.clone());
        report.file(rule.path_origin.path(), problem.help(help));
    }
}
