//! Hosts and paths.

use std::borrow::Cow;

use super::{Chosen, DraftRule, Resolver, Who, choose, file, pick};
use crate::diag::{Code, Problem, shown};
use crate::request::annotation;
use crate::settings::{DEFAULT_PATH, DEFAULT_URL};
use crate::value::{
    HostFlaw, MAX_COMMON_NAME, Origin, PathType, Sourced, comparable_path, host_flaws, is_regex_path,
};

impl<'a> Resolver<'_, 'a> {
    /// The hosts and paths; `tls` says whether certificates are needed for the hosts.
    pub(super) fn rules(&mut self, tls: bool) -> Vec<DraftRule<'a>> {
        let layers = self.layers;
        let path = || layers.template(|it| it.path.as_ref(), &DEFAULT_PATH);
        let path = self.path(choose(&self.request.path, annotation::PATH, path));
        let url = || layers.template(|it| it.url.as_ref(), &DEFAULT_URL);
        let Some(url) = choose(&self.request.url, annotation::URL, url) else { return Vec::new() };
        let items = match url.template.render_list(&self.vars) {
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
        let mut rules: Vec<DraftRule<'a>> = Vec::with_capacity(items.len());
        for item in items {
            let rule = self.rule(item, &path, url);
            rules.push(self.shortened(rule, tls, &path));
        }
        if rules.len() > 1 { self.without_repeated(rules, url) } else { rules }
    }

    /// The rules without those that an earlier one says already. They are sorted for that: one template may give thousands.
    fn without_repeated(&mut self, rules: Vec<DraftRule<'a>>, url: Chosen<'_, 'a>) -> Vec<DraftRule<'a>> {
        let key = |at: usize| {
            let rule = rules.get(at)?;
            Some((rule.host.as_str(), comparable_path(&rule.path, rule.path_type)))
        };
        let mut order: Vec<usize> = (0..rules.len()).collect();
        order.sort_unstable_by(|left, right| (key(*left), left).cmp(&(key(*right), right)));
        let mut first: Vec<Option<usize>> = vec![None; rules.len()];
        for group in order.chunk_by(|left, right| key(*left) == key(*right)) {
            let [same, others @ ..] = group else { continue };
            for other in others {
                if let Some(first) = first.get_mut(*other) {
                    *first = Some(*same);
                }
            }
        }
        for same in first.iter().flatten().filter_map(|at| rules.get(*at)) {
            let said = format!("two URL templates give {}", shown(&format!("{}{}", same.host, same.path)));
            file(self.report, url, Problem::new(Code::HostRepeated, said).help("remove one of them"));
        }
        let kept = rules.into_iter().zip(first).filter(|(_, first)| first.is_none());
        kept.map(|(rule, _)| rule).collect()
    }

    /// The path that is asked for, with its slash.
    fn path(&mut self, chosen: Option<Chosen<'_, 'a>>) -> Sourced<Cow<'a, str>> {
        let literal = chosen.and_then(|chosen| Some((chosen.template.literal()?, chosen.origin)));
        let (text, origin) = match literal {
            Some((text, who)) => (text, who.origin()),
            None => match self.one(chosen) {
                Some(rendered) => (Cow::Owned(rendered.value), rendered.origin),
                None => (Cow::Borrowed("/"), Origin::BuiltIn),
            },
        };
        let text = if text.starts_with('/') { text } else { Cow::Owned(format!("/{text}")) };
        Sourced::new(text, origin)
    }

    fn rule(&self, mut item: String, path: &Sourced<Cow<'a, str>>, url: Chosen<'_, 'a>) -> DraftRule<'a> {
        let host_origin = url.origin.origin();
        let url_path = split_url(&mut item);
        // The path in the URL counts only where no other path is asked for.
        let (path, path_origin) = match url_path {
            Some(url_path) if path.value == "/" => (Cow::Owned(url_path), host_origin.clone()),
            _ => (path.value.clone(), path.origin.clone()),
        };
        let asked = pick(&self.request.path_type, annotation::PATH_TYPE, || {
            self.layers.first(|it| it.path_type.as_ref()).cloned()
        });
        let path_type = asked.map_or_else(
            || if is_regex_path(&path) { PathType::ImplementationSpecific } else { PathType::Prefix },
            |asked| asked.value,
        );
        DraftRule {
            host: item,
            path,
            path_type,
            host_origin,
            path_origin,
            template: url.template.shared_text(),
            verbatim: url.template.is_verbatim() && !matches!(url.origin, Who::Sourced(Origin::BuiltIn)),
        }
    }

    /// The rule, or the first fallback that fits where its host is too long.
    fn shortened(&mut self, rule: DraftRule<'a>, tls: bool, path: &Sourced<Cow<'a, str>>) -> DraftRule<'a> {
        let Some(fallbacks) = self.layers.first(|it| it.fallbacks.as_ref()).filter(|it| !it.is_empty())
        else {
            return rule;
        };
        let Some(why) = self.too_long(&rule.host, tls) else { return rule };
        for fallback in fallbacks {
            let chosen = Chosen { template: &fallback.value, origin: Who::Sourced(&fallback.origin) };
            let item = match chosen.template.render(&self.vars) {
                Ok(item) => item,
                Err(problem) => {
                    file(self.report, chosen, problem);
                    return rule;
                }
            };
            let mut shorter = self.rule(item, path, chosen);
            if self.too_long(&shorter.host, tls).is_none() {
                let said = format!(
                    "the host {} {why}, so {} of {} is used: {}",
                    shown(&rule.host),
                    shown(fallback.value.text()),
                    fallback.origin.path(),
                    shown(&shorter.host),
                );
                self.report.file(
                    rule.host_origin.path(),
                    Problem::new(Code::HostFallback, said)
                        .help("shorten the template to choose the host yourself"),
                );
                // The path that stood in the first URL stays.
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
        for flaw in host_flaws(host) {
            match flaw {
                HostFlaw::LabelTooLong(range) => {
                    return Some(format!("has a part of {} characters, DNS allows 63", range.len()));
                }
                HostFlaw::TooLong => return Some(format!("has {} characters, DNS allows 253", host.len())),
                _ => {}
            }
        }
        let common_name = self.layers.first(|it| it.common_name.as_ref()).copied().unwrap_or_default();
        (tls && common_name && host.len() > MAX_COMMON_NAME)
            .then(|| format!("has {} characters, a common name holds {MAX_COMMON_NAME}", host.len()))
    }
}

/// Takes the path off a rendered URL, which leaves the host. A scheme stays with the host, for `check` to refuse.
fn split_url(url: &mut String) -> Option<String> {
    let mut slash = url.bytes().position(|b| b == b'/')?;
    if url.get(..slash)?.ends_with(':') && url.get(slash..)?.starts_with("//") {
        slash += 2 + url.get(slash + 2..)?.find('/')?;
    }
    let path = url.split_off(slash);
    url.truncate(url.trim_end().len());
    Some(path)
}
