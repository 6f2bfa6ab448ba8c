//! How ingress-nginx reads the paths of an Ingress, in particular whether it reads them as regular expressions.

use std::borrow::Cow;

use super::{REWRITE_TARGET, USE_REGEX};
use crate::dialect::controller::Controller;
use crate::dialect::write::prefix_of;
use crate::intents::{Intent, IntentValue};
use crate::plan::{Annotation, Plan, RequestedIntent, Route};
use crate::validation::{PathType, comparable_path, literal_beginning, literal_path, parse_bool};
use crate::values::Target;

/// The target of a rewrite that keeps the rest of a path after the stripped prefix.
const REST: &str = "/$2";

impl Plan {
    /// Returns the intent that rewrites the paths, and the target that is written for it.
    fn rewrites(&self) -> Option<(&RequestedIntent, &str)> {
        self.intents.iter().find_map(|wanted| match (&wanted.intent_value, wanted.intent) {
            (intent_value, Intent::StripPrefix | Intent::RewritePath) => {
                Some((wanted, target_of(self, intent_value)?))
            }
            _ => None,
        })
    }

    /// Whether an annotation, and not an option, rewrites the path.
    pub(in crate::dialect) fn is_rewritten_as_given(&self) -> bool {
        self.requested(Intent::RewritePath).is_some_and(|wanted| !wanted.keys.is_empty())
    }

    /// Whether the plan has an Ingress that is not one of a canary, so that all of its annotations are read.
    pub(crate) fn has_stable_ingress(&self) -> bool {
        self.canary.is_none() && self.targets.contains(&Target::Ingress)
    }

    /// Marks the paths as regular expressions, if an annotation makes ingress-nginx read them so. A path with `+` or `?` then
    /// also gets the type for regular expressions, unless somebody has chosen its type.
    pub(crate) fn apply_use_regex(&mut self, has_type: bool) {
        if self.annotation(USE_REGEX).and_then(|it| parse_bool(&it.value)) != Some(true) {
            return;
        }
        for route in &mut self.rules {
            route.is_regex = true;
            if !has_type && route.path.contains(['+', '?']) {
                route.path_type = PathType::ImplementationSpecific;
            }
        }
    }

    /// Returns how ingress-nginx reads the paths; `None` if it does not serve them with this Ingress, or if the Ingress is one
    /// of a canary, on which it reads none of these annotations.
    pub(crate) fn nginx(&self) -> Option<NginxPaths<'_>> {
        if !self.has_stable_ingress() || !self.controller(Target::Ingress).is_nginx() {
            return None;
        }
        let (mut use_regex, mut rewrite) = (None, None);
        for annotation in &self.annotations {
            match annotation.key.as_str() {
                USE_REGEX => use_regex = Some(annotation),
                REWRITE_TARGET if !annotation.value.is_empty() => rewrite = Some(annotation),
                _ => {}
            }
        }
        let wanted = if rewrite.is_none() { self.rewrites() } else { None };
        let is_given = use_regex.or(rewrite).is_some() || wanted.is_some();
        Some(NginxPaths { use_regex, rewrite, wanted, pattern: self.pattern().filter(|_| !is_given) })
    }
}

/// The annotations, intents and paths that decide how ingress-nginx reads the paths of an Ingress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NginxPaths<'d> {
    pub(crate) use_regex: Option<&'d Annotation>,
    /// The annotation `rewrite-target`. An empty one counts as missing.
    pub(crate) rewrite: Option<&'d Annotation>,
    /// The intent that needs a rewrite and for which no annotation is given, with its target.
    pub(crate) wanted: Option<(&'d RequestedIntent, &'d str)>,
    /// The regular expression for which `use-regex` is written, because neither an annotation nor an intent has this effect.
    pub(crate) pattern: Option<&'d Route>,
}

impl NginxPaths<'_> {
    /// Whether ingress-nginx reads the path as a regular expression, and with it every path of the same host (ingress-nginx
    /// 1.15, enforceRegexModifier and needsRewrite).
    pub(crate) fn reads_regex(&self, path: &str, kind: PathType) -> bool {
        let is_regex =
            self.pattern.is_some() || self.use_regex.is_some_and(|it| parse_bool(&it.value) == Some(true));
        let is_rewritten = || self.rewrite.is_some_and(|it| !is_target(path, kind, &it.value, is_regex));
        // A path that an option rewrites is written as a regular expression.
        is_regex || self.wanted.is_some() || is_rewritten()
    }
}

/// Whether a path is the target of its rewrite, so that ingress-nginx rewrites nothing. If ingress-nginx reads the path as a
/// prefix, it adds a slash before it compares the two (1.15, updateServerLocations and buildProxyPass).
pub(crate) fn is_target(path: &str, kind: PathType, target: &str, is_regex: bool) -> bool {
    path == target && (is_regex || kind != PathType::Prefix || path.ends_with('/'))
}

/// Whether ingress-nginx leaves the path of a route unchanged, because it is the target that an annotation names.
pub(in crate::dialect) fn is_unchanged(plan: &Plan, route: &Route, target: &str) -> bool {
    let use_regex = || plan.annotation(USE_REGEX).and_then(|it| parse_bool(&it.value)) == Some(true);
    is_target(&route.path, route.path_type, target, false) || (route.path == target && use_regex())
}

/// Whether an annotation asks for a rewrite, or for a header that is only sent with a rewrite, and ingress-nginx rewrites
/// nothing, because each path already is the target.
pub(crate) fn is_no_rewrite(plan: &Plan, given: &Annotation) -> bool {
    let target = match given.key.as_str() {
        REWRITE_TARGET => Some(given),
        "nginx.ingress.kubernetes.io/x-forwarded-prefix" => plan.annotation(REWRITE_TARGET),
        _ => None,
    };
    let is_kept = |it: &Annotation| plan.rules.iter().all(|route| is_unchanged(plan, route, it.value.trim()));
    !plan.rules.is_empty() && target.is_some_and(is_kept)
}

/// Whether ingress-nginx accepts a character in a URL.
pub(in crate::dialect) fn is_url(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~/:,?&=".contains(c)
}

/// Returns the path of a URL for a route, without the syntax of regular expressions. A `+` alone does not make a path a regular
/// expression, unless ingress-nginx reads the path as one; then it repeats the character before it.
pub(crate) fn asked_path<'p>(plan: &Plan, route: &'p Route) -> Cow<'p, str> {
    let (path, kind) = (route.path.as_str(), route.path_type);
    let is_read = || plan.nginx().is_some_and(|nginx| nginx.reads_regex(path, kind));
    let is_repeated = kind == PathType::ImplementationSpecific && path.contains('+') && is_read();
    if is_repeated || route.is_pattern() { literal_beginning(path) } else { literal_path(path, kind) }
}

/// Whether a path of this type matches more requests if it is read as a regular expression: an Exact path then matches all
/// paths that begin with it, and a Prefix need not end at a slash.
pub(crate) fn loses_meaning(path: &str, kind: PathType) -> bool {
    match kind {
        PathType::Exact => true,
        PathType::Prefix => path != "/",
        PathType::ImplementationSpecific => false,
    }
}

/// Returns the regular expression that matches what a path of this type matches, except for the letter case.
pub(crate) fn as_regex(path: &str, kind: PathType) -> String {
    let mut regex = String::with_capacity(path.len() + 5);
    for character in comparable_path(path, kind).chars() {
        if ".+?()[]{}|^$*\\".contains(character) {
            regex.push('\\');
        }
        regex.push(character);
    }
    regex.push_str(if kind == PathType::Exact { "$" } else { "(/|$)" });
    regex
}

/// The regular expressions that replace all paths of an Ingress if an option rewrites them. They match what the paths match.
#[derive(Clone, Copy, Debug)]
pub(in crate::dialect) struct RewrittenPaths {
    /// Whether the path is stripped, so that the second group is the rest of it.
    pub(in crate::dialect) is_cut: bool,
    /// The end of the expressions for paths that are not stripped.
    pub(in crate::dialect) end: &'static str,
}

impl RewrittenPaths {
    /// Returns the expressions for ingress-nginx, if it serves the plan and an option rewrites the paths.
    pub(in crate::dialect) fn of(plan: &Plan) -> Option<Self> {
        let (wanted, target) = plan.nginx()?.wanted?;
        // Traefik replaces only what the expression matches; ingress-nginx replaces the whole path. ingress-nginx does not
        // rewrite a path that is the target already, so this path needs another expression that matches the same requests.
        let is_root = target == "/" && plan.rules.iter().any(|route| route.path == target);
        let end = match plan.controller(Target::Ingress) {
            Controller::TraefikNginx => ".*",
            _ if is_root => ".*",
            _ => "",
        };
        Some(Self { is_cut: wanted.intent == Intent::StripPrefix, end })
    }

    /// Returns the path of a route, such as `/x(/|$)` for `/x`; `None` if the path stays unchanged.
    pub(in crate::dialect) fn path<'r>(self, route: &'r Route) -> Option<(Cow<'r, str>, PathType)> {
        let (path, kind, Self { is_cut, end }) = (route.path.as_str(), route.path_type, self);
        let written = match (kind, is_cut) {
            _ if route.is_pattern() => return None,
            (PathType::Exact, _) => as_regex(path, kind),
            (_, true) if path == "/" => "/()(.*)".to_owned(),
            (_, true) => as_regex(path, PathType::Prefix) + "(.*)",
            (_, false) if path == "/" && end.is_empty() => return None,
            (_, false) if path == "/" => [path, end].concat(),
            (_, false) => as_regex(path, PathType::Prefix) + end,
        };
        Some((written.into(), PathType::ImplementationSpecific))
    }
}

/// Returns the target of the rewrite that is written for an intent. A regular expression is stripped with the target that
/// belongs to it, and only a regular expression has groups.
pub(in crate::dialect) fn target_of<'p>(plan: &'p Plan, intent_value: &'p IntentValue) -> Option<&'p str> {
    let has_pattern = plan.pattern().is_some();
    match intent_value {
        IntentValue::Switch(true) if has_pattern => {
            let is_cut = plan.rules.iter().all(|route| prefix_of(plan, route).is_some());
            plan.annotation(REWRITE_TARGET).filter(|_| is_cut).map(|given| given.value.trim())
        }
        IntentValue::Switch(true) => plan.rules.iter().any(|route| route.path != "/").then_some(REST),
        IntentValue::Path(target) => {
            Some(target.as_str()).filter(|target| has_pattern || !target.contains('$'))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_written_as_a_regular_expression() {
        for (path, kind, expected) in [
            ("/shop", PathType::Prefix, "/shop(/|$)"),
            ("/shop/", PathType::Prefix, "/shop(/|$)"),
            ("/v1.2", PathType::Prefix, "/v1\\.2(/|$)"),
            ("/", PathType::Exact, "/$"),
            ("/a/", PathType::Exact, "/a/$"),
        ] {
            assert_eq!(as_regex(path, kind), expected);
        }
    }
}
