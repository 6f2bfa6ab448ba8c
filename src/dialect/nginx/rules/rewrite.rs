//! Rules about how ingress-nginx reads a path: rewrites and regular expressions.

use std::collections::BTreeMap;

use crate::diagnostics::{Code, Origin, Problem, Report, quoted};
use crate::dialect::gateway::regex::groups;
use crate::dialect::key::PATH;
use crate::dialect::nginx::paths::{as_regex, is_unchanged, loses_meaning};
use crate::dialect::nginx::{REWRITE_TARGET, USE_REGEX};
use crate::dialect::support::support;
use crate::intents::{Intent, IntentValue};
use crate::options::annotations::annotation;
use crate::plan::context::RuleContext;
use crate::plan::{Annotation, RequestedIntent, Route};
use crate::validation::{PathType, is_regex_path, parse_bool};
use crate::values::Target;

/// Reports a rewrite that loses the rest of a path. Since version 0.22, ingress-nginx replaces the whole path by the target,
/// and keeps only what the groups of the path match.
pub(crate) fn rewrite_target(context: &RuleContext<'_>, report: &mut Report) {
    if context.plan.annotation(REWRITE_TARGET).is_none() {
        return option(context, report);
    }
    let by_nginx = context.plan.nginx().and_then(|nginx| nginx.rewrite);
    let by_other = if by_nginx.is_some() { None } else { by_other(context) };
    let Some(rewrite) = by_nginx.or(by_other.map(|(rewrite, _)| rewrite)) else { return };
    // A target that ingress-nginx refuses has a diagnostic of its own.
    if !PATH.fits(&rewrite.value) {
        return;
    }
    let target = Replacement { is_old: !context.has_own_key(rewrite), ..Replacement::new(&rewrite.value) };
    let found = context.plan.rules.iter().find_map(|rule| match by_other {
        Some((_, by)) => target.misfit_elsewhere(context, rule, by),
        None => target.mismatch(context, rule),
    });
    if let Some(problem) = found {
        rewrite.file_value(report, problem);
    }
}

/// Reports an option that rewrites a path with groups that the path does not have, whichever program rewrites it.
fn option(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let Some(RequestedIntent { intent_value: intent_value @ IntentValue::Path(text), origin, .. }) =
        plan.requested(Intent::RewritePath)
    else {
        return;
    };
    // An intent that no program supports is reported as such, and so is a group without a regular expression.
    if !plan
        .targets
        .iter()
        .any(|target| support(plan, *target, Intent::RewritePath, Some(intent_value)).is_supported())
    {
        return;
    }
    let target = Replacement::new(text);
    let mut patterns = plan.rules.iter().filter(|rule| rule.is_pattern());
    let Some((message, groups)) = patterns.find_map(|rule| target.missing(rule)) else { return };
    let help = target.help(groups, "").filter(|_| groups > 0);
    let help = help
        .unwrap_or_else(|| "put the part of the path to keep into a group, and write its number".to_owned());
    report.file(origin.path(), Problem::new(Code::RewriteMismatch, message).help(help));
}

/// Returns the rewrite by another program than ingress-nginx, which replaces the whole path by a target without captures.
fn by_other<'f>(context: &'f RuleContext<'_>) -> Option<(&'f Annotation, Target)> {
    let plan = context.plan;
    let rewrite =
        plan.annotation(REWRITE_TARGET).filter(|it| it.value.starts_with('/') && !it.value.contains('$'))?;
    let does = |target: &Target| match target {
        Target::Ingress => plan.requested(Intent::RewritePath).is_some_and(|wanted| {
            wanted.keys.contains(&rewrite.key)
                && support(plan, *target, wanted.intent, Some(&wanted.intent_value)).is_supported()
        }),
        Target::HttpRoute => plan.canary.as_ref().is_none_or(|canary| canary.header.is_some()),
        Target::Route => false,
    };
    let target = plan.targets.iter().find(|target| does(target)).filter(|_| plan.pattern().is_none())?;
    Some((rewrite, *target))
}

/// The replacement for a path.
struct Replacement<'t> {
    text: &'t str,
    /// The numbers of the groups that it uses, in ascending order.
    groups: Vec<usize>,
    /// Whether it is the same for every request.
    is_constant: bool,
    /// Whether its key is from the time when the target replaced only the beginning of the path.
    is_old: bool,
}

impl<'t> Replacement<'t> {
    fn new(text: &'t str) -> Self {
        // nginx reads one digit: `$12` is the first group, followed by a 2.
        let groups = (1..=9).filter(|number| text.contains(&format!("${number}"))).collect();
        Self { text, groups, is_constant: !text.contains('$'), is_old: false }
    }

    /// Returns the target with this group in place of its only one. A target without exactly one group gets this group at its
    /// end.
    fn with_group(&self, number: usize) -> String {
        match self.groups.as_slice() {
            [old] => self.text.replace(&format!("${old}"), &format!("${number}")),
            _ => format!("{}/${number}", self.text.trim_end_matches('/')),
        }
    }

    /// Whether it names a single page, to which many paths may lead: a file, or another server.
    fn is_page(&self) -> bool {
        self.text.contains("://") || self.text.rsplit('/').next().is_some_and(|last| last.contains('.'))
    }

    /// Returns a message about a group that the target uses and the path does not have, and the number of groups that the path
    /// has.
    fn missing(&self, rule: &Route) -> Option<(String, usize)> {
        let groups = if is_regex_path(&rule.path) { groups(&rule.path) } else { 0 };
        let missing = self.groups.iter().find(|number| **number > groups)?;
        let message = format!(
            "the rewrite target {} uses `${missing}`, and the path {} has no such group, so it is empty",
            quoted(self.text),
            quoted(&rule.path)
        );
        Some((message, groups))
    }

    /// Returns the help for a target that uses more groups than a path has; `None` if the path has no groups and the target
    /// uses one.
    fn help(&self, groups: usize, key: &str) -> Option<String> {
        if self.groups.len() > 1 {
            return Some("give the path as many groups as the target uses".to_owned());
        }
        (groups > 0).then(|| format!("write {key}{}", self.with_group(groups)))
    }

    /// Returns why the target does not fit a path.
    fn mismatch(&self, context: &RuleContext<'_>, rule: &Route) -> Option<Problem> {
        let (target, path) = (quoted(self.text), quoted(&rule.path));
        if let Some((message, groups)) = self.missing(rule) {
            let help = match self.help(groups, "rewrite-target: ") {
                Some(help) => help,
                None => self.pair(context, rule)?,
            };
            return Some(Problem::new(Code::RewriteMismatch, message).help(help));
        }
        if !self.is_constant || self.is_page() || is_unchanged(context.plan, rule, self.text) {
            return None;
        }
        let kept = rule.path.trim_end_matches('$');
        let help = match rule.path_type {
            // A group for the rest of the path shows that the rest should be kept.
            PathType::ImplementationSpecific if kept.ends_with("(.*)") || kept.ends_with("(.+)") => {
                format!("write rewrite-target: {}", self.with_group(groups(&rule.path)))
            }
            PathType::ImplementationSpecific if is_regex_path(&rule.path) && !kept.ends_with('*') => {
                return None;
            }
            PathType::Prefix | PathType::ImplementationSpecific if rule.path != "/" || self.is_old => {
                let pair = self.pair(context, rule)?;
                let is_plain = !is_regex_path(&rule.path) && !asks_for_path_type(context);
                // An Exact path would not help: with a rewrite, it matches all paths that begin with it.
                if self.text == "/" || !is_plain {
                    pair
                } else {
                    format!(
                        "{pair}, or the path {} for that page alone",
                        as_regex(&rule.path, PathType::Exact)
                    )
                }
            }
            _ => return None,
        };
        let below = if rule.is_pattern() { "for" } else { "below" };
        let message = format!(
            "the rewrite target {target} replaces the whole path, so every request {below} {path} is sent to {target} (before version 0.22, ingress-nginx removed the path instead)"
        );
        Some(Problem::new(Code::RewriteMismatch, message).help(help))
    }

    /// Returns why the target does not fit a path that another program than ingress-nginx replaces by it.
    fn misfit_elsewhere(&self, context: &RuleContext<'_>, rule: &Route, by: Target) -> Option<Problem> {
        let is_whole = rule.path_type == PathType::Exact
            || rule.path == "/"
            || is_unchanged(context.plan, rule, self.text);
        if is_whole || self.is_page() {
            return None;
        }
        let (target, path) = (quoted(self.text), quoted(&rule.path));
        let place = match by {
            Target::Ingress => format!("with {}", context.plan.program_name(by)),
            Target::HttpRoute | Target::Route => "on an HTTPRoute".to_owned(),
        };
        let message = format!(
            "the rewrite target {target} replaces the whole path {place}, so every request below {path} is sent to {target}"
        );
        let can =
            || by == Target::Ingress || support(context.plan, by, Intent::StripPrefix, None).is_supported();
        let help = match self.pair(context, rule).filter(|_| by != Target::Ingress) {
            _ if self.text == "/" && can() => {
                format!("write {}: \"true\" in place of the line", Intent::StripPrefix.annotation())
            }
            Some(pair) => format!("remove the line, or keep the target Ingress and {pair}"),
            None => "remove the line".to_owned(),
        };
        Some(Problem::new(Code::RewriteMismatch, message).help(help))
    }

    /// Returns a help with a path and a target that strip the path and keep what follows it.
    fn pair(&self, context: &RuleContext<'_>, rule: &Route) -> Option<String> {
        let tails = ["/.*", ".*", "/*", "*"];
        let start = tails.iter().find_map(|tail| rule.path.strip_suffix(tail)).unwrap_or(&rule.path);
        if is_regex_path(start) && rule.path_type == PathType::ImplementationSpecific {
            return Some("put the part of the path to keep into a group, and write its number".to_owned());
        }
        let (path, target) = if start.is_empty() || start == "/" {
            ("/(.*)".to_owned(), self.with_group(1))
        } else {
            (format!("{}(.*)", as_regex(start, PathType::Prefix)), self.with_group(2))
        };
        if path == "/(.*)" && target == "/$1" {
            return Some("remove the line, without which the path stays as it is".to_owned());
        }
        let written = match &rule.path_origin {
            Origin::Annotation(key) if key == annotation::URL => {
                format!("the path {path} in IngressURLTemplate")
            }
            Origin::Setting(setting) => format!("the path {path} in {setting}"),
            Origin::Annotation(_) | Origin::Field(_) | Origin::BuiltIn => {
                format!("{}: {path}", annotation::PATH)
            }
        };
        let kind = if asks_for_path_type(context) && rule.path_type != PathType::ImplementationSpecific {
            ", PathType: ImplementationSpecific"
        } else {
            ""
        };
        Some(format!("write {written}{kind} and rewrite-target: {target}"))
    }
}

/// Whether an option sets the path type, which is otherwise derived from the path.
fn asks_for_path_type(context: &RuleContext<'_>) -> bool {
    context.layers.slot(|it| &it.path_type).is_some()
}

/// Reports a path that looks like a regular expression but is not read as one.
pub(crate) fn literal(context: &RuleContext<'_>, report: &mut Report) {
    let Some((rule, use_regex)) = literal_rule(context) else { return };
    let value = if use_regex.value.is_empty() { "empty".to_owned() } else { quoted(&use_regex.value) };
    let message = format!(
        "the path {} is compared as plain text, because {} is {value}",
        quoted(&rule.path),
        use_regex.key,
    );
    let help = "remove the line, or write a path without the characters of a regular expression";
    use_regex.file_value(report, Problem::new(Code::PathLiteral, message).help(help));
}

/// Returns the first path that looks like a regular expression although `use-regex` is off.
fn literal_rule<'f>(context: &'f RuleContext<'_>) -> Option<(&'f Route, &'f Annotation)> {
    context.plan.annotation(USE_REGEX)?;
    let nginx = context.plan.nginx()?;
    let use_regex = nginx.use_regex?;
    // The rule `nginx-values` reports a value that is not a boolean.
    let is_off = use_regex.value.is_empty() || parse_bool(&use_regex.value) == Some(false);
    let pattern = context.plan.pattern().filter(|_| is_off && nginx.rewrite.is_none())?;
    Some((pattern, use_regex))
}

/// Whether the paths that look like regular expressions are not read as such.
pub(crate) fn is_literal(context: &RuleContext<'_>) -> bool {
    literal_rule(context).is_some()
}

/// Reports a path that matches more requests because of a regular expression on the same host.
pub(crate) fn among_patterns(context: &RuleContext<'_>, report: &mut Report) {
    let rules = &context.plan.rules;
    if rules.len() < 2 {
        return;
    }
    // If an option rewrites the paths, they are written as regular expressions with the same meaning.
    let Some(nginx) = context.plan.nginx().filter(|nginx| nginx.wanted.is_none()) else { return };
    // For each host: the first pattern, the first path that loses its meaning, and whether all paths are read as patterns.
    let mut hosts: BTreeMap<&str, (Option<&Route>, Option<&Route>, bool)> = BTreeMap::new();
    for rule in rules {
        let (pattern, loser, is_read) = hosts.entry(&rule.host).or_default();
        if rule.is_pattern() {
            pattern.get_or_insert(rule);
        } else if loses_meaning(&rule.path, rule.path_type) {
            loser.get_or_insert(rule);
        }
        *is_read |= nginx.reads_regex(&rule.path, rule.path_type);
    }
    for (host, found) in hosts {
        let (Some(pattern), Some(loser), true) = found else { continue };
        let message = format!(
            "because of {}, ingress-nginx reads all paths of the host {} as regular expressions, so {} matches every path that begins with it, in any letter case",
            quoted(&pattern.path),
            quoted(host),
            quoted(&loser.path)
        );
        let help = format!(
            "write it as the regular expression {}, or give it another host",
            as_regex(&loser.path, loser.path_type)
        );
        let problem = Problem::new(Code::HostRegex, message).help(help).found(loser.path.clone());
        report.file(loser.path_origin.path(), problem);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_counted_as_pcre_does() {
        for (pattern, count) in [
            ("/shop", 0),
            ("/shop(/|$)(.*)", 2),
            ("/shop(?:/|$)(.*)", 1),
            (r"/a\(b\)(.*)", 1),
            ("/[(](.*)", 1),
            ("/[](](.*)", 1),
            ("/[^](](.*)", 1),
            (r"/[\](](.*)", 1),
            ("/(?<rest>.*)", 1),
            ("/(?P<rest>.*)", 1),
            ("/(?<=a)(?<!b)(?=c)(?!d)(?i)(.*)", 1),
            ("/((a)(b))", 3),
            ("/[(", 0),
            ("/\\", 0),
        ] {
            assert_eq!(groups(pattern), count, "{pattern}");
        }
    }

    #[test]
    fn a_target_uses_groups() {
        for (text, used) in [
            ("/", vec![]),
            ("/$2", vec![2]),
            ("/$2/$1", vec![1, 2]),
            ("/$1$1", vec![1]),
            ("/$0$host", vec![]),
        ] {
            assert_eq!(Replacement::new(text).groups, used, "{text}");
        }
        assert!(!Replacement::new("/$host").is_constant && Replacement::new("/index.html").is_page());
        assert_eq!(Replacement::new("/new/").with_group(2), "/new/$2");
        assert_eq!(Replacement::new("/api/$1").with_group(2), "/api/$2");
    }
}
