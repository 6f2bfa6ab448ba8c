//! The hosts and paths of a plan.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::{Resolver, Route, file};
use crate::diagnostics::{Code, Origin, Problem, Sourced, quoted};
use crate::options::SourcedTemplate;
use crate::options::annotations::annotation;
use crate::validation::{
    HostError, MAX_COMMON_NAME, PathType, comparable_path, host_errors, is_dns_label, is_regex_path,
    is_sloppy_ip,
};

impl Resolver<'_, '_> {
    /// Returns the hosts and paths; `tls` tells whether the hosts need certificates.
    pub(super) fn rules(&mut self, tls: bool) -> Vec<Route> {
        let path = self.path(self.layers.first(|it| &it.path));
        let Some(url) = self.layers.first(|it| &it.url) else { return Vec::new() };
        let items = match url.value.render_list(&self.vars) {
            Ok(items) => items,
            Err(problem) => {
                file(self.report, url, problem);
                return Vec::new();
            }
        };
        if items.is_empty() {
            let problem =
                Problem::new(Code::HostMissing, "the URL template renders to nothing, so there is no host");
            file(self.report, url, problem.help("write a host, for example {{.Service}}.{{.Domain}}"));
        }
        let mut rules: Vec<Route> = Vec::with_capacity(items.len());
        // All rules share one copy of the text: a template may give thousands of rules.
        let text: Arc<str> = url.value.text().into();
        for mut item in self.split_items(items, url) {
            let port = self.own_port(&mut item, url);
            let rule = Route { port, ..self.rule(item, &path, url, text.clone()) };
            rules.push(self.shortened(rule, tls, &path));
        }
        if rules.len() > 1 { self.without_repeated(rules, url) } else { rules }
    }

    /// Removes the rules that repeat an earlier one, and reports them.
    fn without_repeated(&mut self, mut rules: Vec<Route>, url: &SourcedTemplate) -> Vec<Route> {
        let mut seen = BTreeMap::new();
        let mut is_new = Vec::with_capacity(rules.len());
        for rule in &rules {
            let path = comparable_path(&rule.path, rule.path_type);
            match seen.entry((rule.host.as_str(), path)) {
                Entry::Vacant(place) => {
                    place.insert(rule);
                    is_new.push(true);
                }
                Entry::Occupied(same) => {
                    let same = same.get();
                    let shown = quoted(&format!("{}{}", same.host, same.path));
                    let port = |route: &Route| route.port.as_ref().map(|port| port.chosen.value.clone());
                    let (code, said) = if port(same) == port(rule) {
                        (Code::HostRepeated, format!("two URL templates give {shown}"))
                    } else {
                        (Code::PortTwice, format!("two ports are named for {shown}"))
                    };
                    file(self.report, url, Problem::new(code, said).help("remove one of them"));
                    is_new.push(false);
                }
            }
        }
        let mut is_new = is_new.into_iter();
        rules.retain(|_| is_new.next().unwrap_or(true));
        rules
    }

    /// Returns the items that are one host each, possibly with a path. Reports separators other than commas and lines, and paths
    /// with a comma, which separates hosts here.
    fn split_items(&mut self, items: Vec<String>, url: &SourcedTemplate) -> Vec<String> {
        if let Some(problem) = as_yaml_list(url.value.text()) {
            file(self.report, url, problem);
            return items.iter().map(|item| bare(item).to_owned()).filter(|item| !item.is_empty()).collect();
        }
        let has_comma = url.value.text().contains(',');
        let mut kept = Vec::with_capacity(items.len());
        let mut items = items.into_iter().peekable();
        while let Some(mut item) = items.next() {
            let mut open = 0;
            let mut seen = 0;
            // The items as they would have to be written, each with a host of its own.
            let mut several: Vec<String> = Vec::new();
            while let Some(next) = items.peek() {
                open += brackets(item.get(seen..).unwrap_or_default());
                if !item.contains('/') {
                    break;
                }
                if !continues_path(next, open > 0) {
                    if !(has_comma && is_end_of_path(&item, next)) {
                        break;
                    }
                    if several.is_empty() {
                        several.push(item.clone());
                    }
                    several.push(format!("{}/{next}", host_of(&item)));
                }
                seen = item.len();
                item.push(',');
                item.push_str(next);
                items.next();
            }
            // A path with a comma is reported and dropped: whether the path is right can be checked only after it is written in the
            // option for paths.
            if seen > 0 {
                file(self.report, url, comma_in_path(&item, &several, url));
            } else if let Some((problem, hosts)) = wrong_separator(&item, url) {
                file(self.report, url, problem);
                kept.extend(hosts);
            } else {
                kept.push(item);
            }
        }
        kept
    }

    /// The path of the option, with its leading slash.
    fn path(&mut self, chosen: Option<&SourcedTemplate>) -> Sourced<String> {
        let rendered = self.rendered(chosen, self.vars);
        let mut path = rendered.unwrap_or_else(|| Sourced::new("/".to_owned(), Origin::BuiltIn));
        if !path.value.starts_with('/') {
            path.value.insert(0, '/');
        }
        path
    }

    fn rule(
        &self,
        mut item: String,
        path: &Sourced<String>,
        url: &SourcedTemplate,
        template: Arc<str>,
    ) -> Route {
        let host_origin = url.origin.clone();
        let url_path = split_url(&mut item);
        // The path in the URL applies only if no option gives another path.
        let (path, path_origin) = match url_path {
            Some(url_path) if path.value == "/" => (url_path, host_origin.clone()),
            _ => (path.value.clone(), path.origin.clone()),
        };
        let path_type = self.layers.first(|it| &it.path_type).map_or_else(
            || if is_regex_path(&path) { PathType::ImplementationSpecific } else { PathType::Prefix },
            |asked| asked.value,
        );
        Route {
            host: item,
            path,
            path_type,
            is_regex: false,
            host_origin,
            path_origin,
            port: None,
            template,
            verbatim: url.value.is_verbatim() && url.origin != Origin::BuiltIn,
        }
    }

    /// Returns the rule, or the first fallback that fits if the host of the rule is too long.
    fn shortened(&mut self, rule: Route, tls: bool, path: &Sourced<String>) -> Route {
        let Some(fallbacks) = self.layers.first(|it| &it.fallbacks).filter(|it| !it.value.is_empty()) else {
            return rule;
        };
        let Some(why) = self.too_long(&rule.host, tls) else { return rule };
        for fallback in &fallbacks.value {
            let mut item = match fallback.value.render(&self.vars) {
                Ok(item) => item,
                Err(problem) => {
                    file(self.report, fallback, problem);
                    return rule;
                }
            };
            let port = self.own_port(&mut item, fallback);
            let mut shorter = self.rule(item, path, fallback, fallback.value.text().into());
            shorter.port = port.or_else(|| rule.port.clone());
            if self.too_long(&shorter.host, tls).is_none() {
                let message = format!(
                    "the host {} {why}, so {} of {} is used: {}",
                    quoted(&rule.host),
                    quoted(fallback.value.text()),
                    fallback.origin.path(),
                    quoted(&shorter.host),
                );
                self.report.file(
                    rule.host_origin.path(),
                    Problem::new(Code::HostFallback, message)
                        .help("shorten the template to choose the host yourself"),
                );
                // A fallback without a path keeps the path of the URL.
                if rule.path_origin == rule.host_origin && shorter.path == "/" {
                    shorter.path = rule.path;
                    shorter.path_origin = rule.path_origin;
                    shorter.path_type = rule.path_type;
                }
                return shorter;
            }
        }
        rule
    }

    fn too_long(&self, host: &str, tls: bool) -> Option<String> {
        for error in host_errors(host) {
            match error {
                HostError::LabelTooLong(range) => {
                    return Some(format!("has a part of {} characters, DNS allows 63", range.len()));
                }
                HostError::TooLong => return Some(format!("has {} characters, DNS allows 253", host.len())),
                _ => {}
            }
        }
        // With the option `TLSHosts`, a shorter host can be the common name.
        let common_name = self.layers.first(|it| &it.common_name).is_some_and(|it| it.value)
            && self.layers.first(|it| &it.tls_hosts).is_none();
        (tls && common_name && host.len() > MAX_COMMON_NAME)
            .then(|| format!("has {} characters, a common name holds {MAX_COMMON_NAME}", host.len()))
    }
}

/// Removes the path from a rendered URL and returns it. A scheme stays with the host, and `check` refuses it.
fn split_url(url: &mut String) -> Option<String> {
    let mut slash = url.bytes().position(|b| b == b'/')?;
    if url.get(..slash)?.ends_with(':') && url.get(slash..)?.starts_with("//") {
        slash += 2 + url.get(slash + 2..)?.find('/')?;
    }
    let path = url.split_off(slash);
    url.truncate(url.trim_end().len());
    Some(path)
}

/// The problem of a list in YAML or JSON syntax: `- a` line by line, or `["a", "b"]`.
fn as_yaml_list(text: &str) -> Option<Problem> {
    let text = text.trim();
    // An IPv6 address in brackets is no list, and has a finding of its own.
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_flow = inner.is_some_and(|inner| !is_sloppy_ip(inner));
    if !is_flow && !text.lines().any(|line| line.trim_start().starts_with("- ")) {
        return None;
    }
    let hosts = text.split([',', '\n']).map(bare).filter(|item| !item.is_empty());
    let hosts = hosts.collect::<Vec<_>>().join(", ");
    let message = "the hosts are written as a list of YAML, expected commas or lines between them";
    let help = format!("separate the hosts by commas or lines: {hosts}");
    Some(Problem::new(Code::HostSeparator, message).help(help).propose(hosts))
}

/// An item of such a list without the YAML syntax around it.
fn bare(item: &str) -> &str {
    let item = item.trim();
    item.strip_prefix("- ").unwrap_or(item).trim_matches(['[', ']', '"', '\'', ' '])
}

/// The number of opened brackets minus the number of closed brackets.
fn brackets(text: &str) -> isize {
    text.bytes().fold(0, |open, byte| match byte {
        b'(' | b'[' | b'{' => open + 1,
        b')' | b']' | b'}' => open - 1,
        _ => open,
    })
}

/// Whether an item is not a host but the rest of the path before the comma: the path has an open bracket, or the item contains
/// characters of a regular expression.
fn continues_path(item: &str, is_open: bool) -> bool {
    let host = host_of(item);
    if is_open && !has_domain(host) {
        return true;
    }
    brackets(host) < 0
        || host.starts_with(['+', '?', '|', '^', '%', '\\'])
        || (host.starts_with('*') && !host.starts_with("*."))
        || host.contains(['(', ')', '[', ']', '|', '+', '?', '^', '\\'])
}

/// Whether an item without a domain follows an item with a domain and a path, so that it is probably the rest of the path.
fn is_end_of_path(item: &str, next: &str) -> bool {
    has_domain(host_of(item)) && is_dns_label(&host_of(next).to_ascii_lowercase().replace('_', "-"))
}

/// The part of an item before its path, without a scheme.
fn host_of(item: &str) -> &str {
    let item = ["https://", "http://"].iter().find_map(|scheme| item.strip_prefix(scheme)).unwrap_or(item);
    item.split('/').next().unwrap_or_default().trim()
}

/// Whether a text looks like a host below a domain, valid or not.
fn has_domain(host: &str) -> bool {
    let is_of_hosts = |c: char| c.is_ascii_alphanumeric() || ".-_:*".contains(c);
    host.split('.').filter(|part| !part.is_empty()).nth(1).is_some() && host.chars().all(is_of_hosts)
}

fn comma_in_path(item: &str, several: &[String], url: &SourcedTemplate) -> Problem {
    let host = host_of(item);
    let path = item.split_once(host).map_or(item, |(_, path)| path);
    let key = match &url.origin {
        Origin::Annotation(_) | Origin::Field(_) | Origin::BuiltIn => annotation::PATH,
        Origin::Setting(_) => "ingressURLPath",
    };
    let message = format!("a comma separates hosts here, but the path {} has one", quoted(path));
    let help = if several.is_empty() {
        format!("write {key}: {path}, and only the host {host} here")
    } else {
        format!("repeat the host for each path: {}", several.join(", "))
    };
    let problem = Problem::new(Code::HostSeparator, message).help(help).found(item);
    problem.mark(path, url.value.text(), url.value.is_verbatim())
}

/// The problem of several hosts that are not separated by commas or lines, and the hosts.
fn wrong_separator(item: &str, url: &SourcedTemplate) -> Option<(Problem, Vec<String>)> {
    // A fast path: nearly every item has none of these characters.
    item.bytes().find(|byte| matches!(byte, b';' | b'|' | b'&' | b'\\') || byte.is_ascii_whitespace())?;
    // No host contains these characters, so the parts between them count as hosts without further evidence. A blank may be a
    // mistake within one host.
    let is_sure = host_of(item).contains([';', '|']);
    let is_host = |part: &str| has_domain(host_of(part)) || (is_sure && is_dns_label(host_of(part)));
    let parts = item.split(|c: char| c == ';' || c.is_whitespace()).flat_map(|part| part.split("\\n"));
    let mut hosts: Vec<&str> = Vec::new();
    for part in parts.filter(|part| !matches!(*part, "/" | "+" | "-" | "and" | "or")) {
        // In a path, `|` may belong to a regular expression.
        let host = part.split('/').next().unwrap_or_default();
        let before = host.len() - host.rsplit(['|', '&']).next().unwrap_or_default().len();
        let (first, rest) = part.split_at_checked(before).unwrap_or((part, ""));
        for part in first.split(['|', '&']).chain([rest]).filter(|part| !part.is_empty()) {
            if !is_host(part) {
                return None;
            }
            hosts.push(part);
        }
    }
    let [first, second, ..] = hosts.as_slice() else { return None };
    let (_, behind) = item.split_once(first)?;
    let (between, _) = behind.split_once(second)?;
    let what = match between.trim() {
        "" => "a blank".to_owned(),
        sign => quoted(sign),
    };
    let listed = hosts.join(", ");
    let message =
        format!("{} is several hosts with {what} between them, expected commas or lines", quoted(item));
    let mut problem = Problem::new(Code::HostSeparator, message);
    problem = problem.help(format!("separate the hosts by commas or lines: {listed}"));
    // If the value is nothing but this item, and nothing in it was rendered, the proposal can replace the whole value.
    if url.value.text().trim() == item {
        problem = problem.propose(listed);
    }
    let problem = problem.mark(between, url.value.text(), url.value.is_verbatim());
    Some((problem, hosts.into_iter().map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_may_be_the_rest_of_a_path() {
        for item in ["3}/(.*)", "b)/c", ")", "*/x", "+x", "b(.*)", "a|b", "\\d/x"] {
            assert!(continues_path(item, false), "{item}");
        }
        for item in
            ["web.example.com", "*.example.com/x", "localhost/x", "/b", "$HOST/x", "{Service}.example.com"]
        {
            assert!(!continues_path(item, false), "{item}");
        }
        assert!(
            continues_path("3", true) && continues_path("b", true) && !continues_path("b.example.com", true)
        );
    }
}
