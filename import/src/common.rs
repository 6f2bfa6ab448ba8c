//! The common parts of many Ingresses, as settings.

mod losses;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use xposer::internal::{About, Controller, about};
use xposer::validation::{PathType, is_dns_subdomain};
use xposer::{Outcome, Service, Settings, expose};

use self::losses::without_losses;
use crate::draft::{Draft, bare, with_draft};
use crate::proposal::Proposal;
use crate::read::{Ingress, read};
use crate::source_ingress::{SourceIngress, source_ingresses};
use crate::verify::{Imported, Input, import, text};

/// Settings for the Services behind some Ingresses, each with its reason.
///
/// ```
/// use serde_json::json;
/// use xposer_import::{Input, settings};
/// let ingress = |service: &str| json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": service, "namespace": "shop"},
///     "spec": {"ingressClassName": "nginx", "rules": [{"host": format!("{service}.example.com"), "http": {"paths": [
///         {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}}]}}]}});
/// let (web, api) = (ingress("web"), ingress("api"));
/// let common = settings(&Input { ingresses: vec![&web, &api], ..Input::default() }, None);
/// assert_eq!(common.value(), json!({
///     "domain": "example.com", "ingressURLTemplate": "{{.Service}}.{{.Domain}}", "ingressClassName": "nginx",
/// }));
/// assert_eq!(common.entries[0].why, "The domain of 2 of 2 hosts.");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Common {
    /// The settings, in the order in which they are best read.
    pub entries: Vec<Entry>,
}

/// A setting and its reason.
///
/// ```
/// use xposer_import::{Input, settings};
/// let entry = settings(&Input::default(), Some("example.com")).entries.remove(0);
/// assert_eq!((entry.name, entry.value, entry.why.as_str()), ("domain", "example.com".into(), "The given domain."));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: Value,
    /// The reason, in one sentence.
    pub why: String,
}

impl Common {
    /// Returns all settings as one mapping.
    #[must_use]
    pub fn value(&self) -> Value {
        let entries = self.entries.iter().map(|entry| (entry.name.to_owned(), entry.value.clone()));
        Value::Object(entries.collect::<Map<_, _>>())
    }

    fn add(&mut self, name: &'static str, value: impl Into<Value>, why: String) {
        self.entries.push(Entry { name, value: value.into(), why });
    }
}

/// The part of a host before the domain, for a Service and its namespace.
type Form = fn(&str, &str) -> String;

/// The forms of a host, and the templates for them. The first one is the built-in default.
const FORMS: [(&str, Form); 4] = [
    ("{{.Service}}.{{.Namespace}}.{{.Domain}}", |service, namespace| format!("{service}.{namespace}.")),
    ("{{.Service}}.{{.Domain}}", |service, _| format!("{service}.")),
    ("{{.Service}}-{{.Namespace}}.{{.Domain}}", |service, namespace| format!("{service}-{namespace}.")),
    ("{{.Namespace}}-{{.Service}}.{{.Domain}}", |service, namespace| format!("{namespace}-{service}.")),
];

/// The most frequent value, and its count. If several are equally frequent, the first one.
fn most<T: Ord + Clone>(all: impl Iterator<Item = T>) -> Option<(T, usize)> {
    let mut counts: BTreeMap<T, (usize, usize)> = BTreeMap::new();
    for (at, value) in all.enumerate() {
        counts.entry(value).or_insert((0, at)).0 += 1;
    }
    let best = counts.into_iter().max_by_key(|(_, (count, first))| (*count, std::cmp::Reverse(*first)))?;
    Some((best.0, best.1.0))
}

/// Returns the common parts of the Ingresses of an input as settings, so that most of their Services need only the label. `domain`
/// is the domain to use, if it is known.
///
/// No setting causes a loss that would not happen without it.
#[must_use]
pub fn settings(input: &Input<'_>, domain: Option<&str>) -> Common {
    let ingresses: Vec<Ingress> = input
        .ingresses
        .iter()
        .enumerate()
        .map(|(at, document)| read(document, at, input.namespace, &mut Vec::new()))
        .filter(|ingress| ingress.owner.is_none() && ingress.made_of.is_none())
        .collect();
    let all = source_ingresses(&ingresses, &mut Vec::new());
    let mut common = Common::default();
    hosts(&all, domain, &mut common);
    if let Some((pattern, count)) = names(&all) {
        common.add(
            "ingressNameTemplate",
            pattern,
            format!("The form of the names of {count} of {} Ingresses.", all.len()),
        );
    }
    classes(&all, input, &mut common);
    certificates(&all, &mut common);
    let implementation =
        all.iter().filter(|it| it.routes.iter().all(|route| route.kind == PathType::ImplementationSpecific));
    let count = implementation.count();
    if count * 2 > all.len() {
        let kind = PathType::ImplementationSpecific.to_string();
        common.add("pathType", kind, format!("The path type of {count} of {} Ingresses.", all.len()));
    }
    annotations(&all, &mut common);
    without_losses(&common, &|settings| losses(settings, input))
}

/// Whether a domain can have one owner, and is not a public suffix such as `co.uk` or `github.io`.
fn is_owned(domain: &str) -> bool {
    is_dns_subdomain(domain) && domain.contains('.') && psl::domain_str(domain).is_some()
}

fn hosts(all: &[SourceIngress<'_>], domain: Option<&str>, common: &mut Common) {
    let first = |it: &SourceIngress<'_>| it.routes.first().map(|route| route.host.clone());
    let mut votes: Vec<(usize, String)> = Vec::new();
    for it in all.iter().filter(|it| it.canary.is_none()) {
        let Some(host) = first(it) else { continue };
        for (at, (_, form)) in FORMS.iter().enumerate() {
            let is_whole = it.namespace.is_empty() && at != 1;
            let rest = host.strip_prefix(&form(it.service, it.namespace)).filter(|_| !is_whole);
            let fits = |rest: &&str| domain.map_or_else(|| is_owned(rest), |own| own == *rest);
            votes.extend(rest.filter(fits).map(|rest| (at, rest.to_owned())));
        }
    }
    let total = all.iter().filter(|it| it.canary.is_none()).count();
    // If two forms have the same number of hosts, the earlier one is chosen.
    votes.sort_by_key(|(at, _)| *at);
    let found = most(votes.into_iter());
    let why = |what: &str, count: usize| format!("The {what} of {count} of {total} hosts.");
    match (found, domain) {
        (Some(((at, found), count)), given) => {
            let reason = if given.is_some() { "The given domain.".to_owned() } else { why("domain", count) };
            common.add("domain", found, reason);
            if at > 0
                && let Some((template, _)) = FORMS.get(at)
            {
                common.add("ingressURLTemplate", *template, why("form", count));
            }
        }
        (None, Some(given)) => common.add("domain", given, "The given domain.".to_owned()),
        (None, None) => {
            let stable = all.iter().filter(|it| it.canary.is_none());
            let parents = stable.filter_map(first).filter_map(|host| {
                let parent = host.split_once('.')?.1.to_owned();
                is_owned(&parent).then_some(parent)
            });
            if let Some((parent, count)) = most(parents) {
                common.add("domain", parent, why("domain", count));
            }
        }
    }
}

/// The template of most names, unless it is the default.
fn names(all: &[SourceIngress<'_>]) -> Option<(String, usize)> {
    let named = all.iter().filter_map(|it| Some((it, it.name?)));
    let patterns = named.filter_map(|(it, name)| {
        let (before, after) = name.split_once(it.service)?;
        let own = format!("-{}", it.namespace);
        Some(if !it.namespace.is_empty() && after == own {
            format!("{before}{{{{.Service}}}}-{{{{.Namespace}}}}")
        } else {
            format!("{before}{{{{.Service}}}}{after}")
        })
    });
    most(patterns).filter(|(pattern, count)| pattern != "{{.Service}}" && (*count > 1 || all.len() == 1))
}

fn classes(all: &[SourceIngress<'_>], input: &Input<'_>, common: &mut Common) {
    let classes: Vec<&str> = all.iter().filter_map(|it| it.class.map(|class| class.name.as_str())).collect();
    // A Service cannot remove a class that the settings give, so every Ingress must have one.
    if classes.len() == all.len()
        && let Some((class, count)) = most(classes.iter().copied())
    {
        common.add("ingressClassName", class, format!("The class of {count} of {} Ingresses.", all.len()));
    }
    let mut programs = Map::new();
    for document in &input.classes {
        let (name, spec) = (text(document, "/metadata/name"), text(document, "/spec/controller"));
        if let Some(program) = Controller::of_spec(spec)
            && !name.is_empty()
            && Controller::of_class(name) != Some(program)
        {
            programs.insert(name.to_owned(), program.as_str().into());
        }
    }
    let mut known: Vec<&str> = classes.clone();
    known.sort_unstable();
    known.dedup();
    for class in known {
        let is_known = Controller::of_class(class).is_some() || programs.contains_key(class);
        let keys = all.iter().filter(|it| it.class.is_some_and(|own| own.name == class));
        let readers = keys.flat_map(|it| it.annotations.keys()).filter_map(|key| {
            let mut readers = Controller::ALL
                .into_iter()
                .filter(|it| !matches!(it, Controller::Other | Controller::TraefikNginx) && it.reads(key));
            readers.next().filter(|_| readers.next().is_none()).map(Controller::as_str)
        });
        if let Some((program, _)) = most(readers).filter(|_| !is_known)
            && program != Controller::IngressNginx.as_str()
        {
            programs.insert(class.to_owned(), program.into());
        }
    }
    if !programs.is_empty() {
        common.add(
            "controllers",
            programs,
            "The program of each class, from the IngressClass or the annotations of its Ingresses."
                .to_owned(),
        );
    }
}

fn certificates(all: &[SourceIngress<'_>], common: &mut Common) {
    /// The index of the form without variables.
    const FIXED: usize = 3;
    let issuer = |it: &SourceIngress<'_>| {
        let mut issuers = it.annotations.iter().filter_map(|(key, value)| match about(key) {
            About::Issuer { cluster } => Some((cluster, value.trim().to_owned())),
            _ => None,
        });
        issuers.next()
    };
    let secured: Vec<&SourceIngress<'_>> =
        all.iter().filter(|it| !it.tls.is_empty() && it.canary.is_none()).collect();
    let stable = all.iter().filter(|it| it.canary.is_none()).count();
    if secured.len() * 2 <= stable {
        return;
    }
    let issuers: Vec<(bool, String)> = secured.iter().filter_map(|it| issuer(it)).collect();
    let is_issued = issuers.len() * 2 > secured.len();
    let tls: Value = if is_issued { "cert-manager".into() } else { true.into() };
    common.add("tls", tls, format!("{} of {stable} Ingresses have TLS.", secured.len()));
    let total = issuers.len();
    if let Some(((cluster, name), count)) = most(issuers.into_iter()).filter(|_| is_issued) {
        let key = if cluster { "clusterIssuer" } else { "issuer" };
        common.add(key, name, format!("The issuer of {count} of {total} certificates."));
    }
    // A secret matches several forms. The form that most secrets have in common is chosen, and among equals the most general one.
    // Parts of one Ingress do not count separately, because they share a secret as one Ingress.
    let mut forms: BTreeSet<(usize, String, Option<usize>)> = BTreeSet::new();
    let mut owners: BTreeSet<Option<usize>> = BTreeSet::new();
    for it in &secured {
        let own = it.main().map(|ingress| ingress.at);
        owners.insert(own);
        let [(host, Some(secret)), rest @ ..] = it.tls.as_slice() else { continue };
        if rest.iter().any(|(_, other)| *other != Some(secret)) {
            continue;
        }
        if it.name.is_some_and(|name| *secret == format!("{name}-cert")) {
            forms.insert((0, String::new(), own));
        }
        if let Some((before, after)) = secret.split_once(it.service) {
            forms.insert((1, format!("{before}{{{{.Service}}}}{after}"), own));
        }
        if let Some((before, after)) = secret.split_once(host) {
            forms.insert((2, format!("{before}{{{{.Host}}}}{after}"), own));
        }
        // One secret for all becomes a setting if several Ingresses use it already and cert-manager does not fill it.
        if !is_issued {
            forms.insert((FIXED, (*secret).to_owned(), own));
        }
    }
    let found = most(forms.into_iter().map(|(order, form, _)| (order, form)));
    let found = found.filter(|((order, _), count)| *count > 1 || (owners.len() == 1 && *order != FIXED));
    if let Some(((_, template), count)) = found.filter(|((_, template), _)| !template.is_empty()) {
        common.add(
            "tlsSecretNameTemplate",
            template,
            format!("The form of {count} of {} names of secrets.", owners.len()),
        );
    }
}

/// Adds the annotations that all Ingresses have. A single Ingress has nothing in common with others.
fn annotations(all: &[SourceIngress<'_>], common: &mut Common) {
    let [first, rest @ ..] = all else { return };
    let own = first.main().map(|ingress| ingress.at);
    if rest.iter().all(|it| it.main().map(|ingress| ingress.at) == own)
        || all.iter().any(|it| it.canary.is_some())
    {
        return;
    }
    let is_common = |(key, value): &(&String, &String)| {
        let is_option = matches!(about(key), About::Issuer { .. } | About::IssuerKind | About::Canary);
        !is_option && rest.iter().all(|it| it.annotations.get(*key) == Some(value))
    };
    let found = first.annotations.iter().filter(is_common);
    let found: Map<String, Value> = found.map(|(key, value)| (key.clone(), value.as_str().into())).collect();
    if !found.is_empty() {
        common.add("annotations", found, format!("All {} Ingresses have these annotations.", all.len()));
    }
}

fn losses(common: &Common, input: &Input<'_>) -> usize {
    let Ok(settings) = Settings::tried(&common.value()) else { return usize::MAX };
    let Imported { findings, .. } = import(input, &settings, false);
    findings.iter().filter(|finding| finding.is_loss).count()
}

/// A Service without an Ingress, and the URL that it would get with the label alone.
///
/// ```
/// use serde_json::json;
/// use xposer::Settings;
/// use xposer_import::{Input, unexposed};
/// let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"ports": [{"port": 80}]}});
/// let settings = Settings::from_value(&json!({"domain": "example.com"}))?;
/// let left = unexposed(&Input { services: vec![&service], ..Input::default() }, &settings, &[]);
/// assert_eq!(left[0].url.as_deref(), Ok("http://web.shop.example.com"));
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unexposed {
    /// The position of the Service in the input.
    pub service: usize,
    /// The URL, or the reason why there is none.
    pub url: Result<String, String>,
}

/// Returns the Services that are behind no Ingress and do not request exposure.
#[must_use]
pub fn unexposed(input: &Input<'_>, settings: &Settings, proposals: &[Proposal]) -> Vec<Unexposed> {
    let proposed: std::collections::HashSet<usize> = proposals.iter().filter_map(|it| it.given).collect();
    let left = input.services.iter().enumerate().filter(|(at, _)| !proposed.contains(at));
    let ingresses = input.ingresses.iter().enumerate();
    let ingresses = ingresses.map(|(at, document)| read(document, at, input.namespace, &mut Vec::new()));
    let behind: std::collections::HashSet<(String, String)> = ingresses
        .flat_map(|ingress| {
            let namespace = ingress.namespace().to_owned();
            ingress.routes.into_iter().map(move |route| (namespace.clone(), route.service))
        })
        .collect();
    let is_left = |(_, document): &(usize, &&Value)| {
        let service = Service::from_value(document).with_default_namespace(input.namespace);
        let name = (service.namespace().unwrap_or_default().to_owned(), service.name().to_owned());
        !service.is_exposed() && !behind.contains(&name)
    };
    left.filter(is_left)
        .map(|(at, service)| {
            let labelled = with_draft(&bare(service, input.namespace), &Draft::default());
            let url = match expose(&Service::from_value(&labelled), settings) {
                Outcome::Planned { plan, .. } => Ok(plan.url()),
                Outcome::Refused(report) | Outcome::Conflicting(report) => {
                    let first = report.of(xposer::Severity::Error).next();
                    Err(first.map(|it| it.message.clone()).unwrap_or_default())
                }
                Outcome::NotExposed { .. } => Err(String::new()),
            };
            Unexposed { service: at, url }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ingress(service: &str, host: &str, secret: &str, issuer: &str) -> Value {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": format!("{service}-ingress"), "namespace": "shop",
                "annotations": {"cert-manager.io/cluster-issuer": issuer, "example.com/owner": "blue"}},
            "spec": {"ingressClassName": "internal", "tls": [{"hosts": [host], "secretName": secret}],
                "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix",
                    "backend": {"service": {"name": service, "port": {"number": 80}}}}]}}]}})
    }

    #[test]
    fn common_values_become_settings() {
        let all = [
            ingress("web", "web.example.com", "web-tls", "letsencrypt"),
            ingress("api", "api.example.com", "api-tls", "letsencrypt"),
            ingress("blog", "news.example.org", "blog-tls", "other"),
        ];
        let class = json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
            "metadata": {"name": "internal"}, "spec": {"controller": "k8s.io/ingress-nginx"}});
        let input = Input { ingresses: all.iter().collect(), classes: vec![&class], ..Input::default() };
        let common = settings(&input, None);
        assert_eq!(
            common.value(),
            json!({
                "domain": "example.com", "ingressURLTemplate": "{{.Service}}.{{.Domain}}",
                "ingressNameTemplate": "{{.Service}}-ingress", "ingressClassName": "internal",
                "controllers": {"internal": "ingress-nginx"}, "tls": "cert-manager", "clusterIssuer": "letsencrypt",
                "tlsSecretNameTemplate": "{{.Service}}-tls", "annotations": {"example.com/owner": "blue"},
            })
        );
        let imported = import(&input, &Settings::from_value(&common.value()).unwrap(), false);
        assert!(imported.is_same(), "{:?}", imported.findings);
        let sizes: Vec<usize> = imported.proposals.iter().map(|it| it.annotations.len()).collect();
        // Without the Services, the annotations name the port.
        assert_eq!(sizes, [1, 1, 3]);
    }

    #[test]
    fn a_class_that_one_ingress_lacks_is_no_setting() {
        let mut bare = ingress("web", "web.example.com", "web-tls", "letsencrypt");
        bare["spec"].as_object_mut().unwrap().remove("ingressClassName");
        let other = ingress("api", "api.example.com", "api-tls", "letsencrypt");
        let common = settings(&Input { ingresses: vec![&bare, &other], ..Input::default() }, None);
        assert_eq!(common.value().get("ingressClassName"), None);
    }

    #[test]
    fn a_domain_that_is_also_that_of_others_is_none() {
        for (host, domain) in [
            ("foo.co.uk", None),
            ("a.github.io", None),
            ("foo.com", None),
            ("foo.example.co.uk", Some("example.co.uk")),
            ("foo.example.com", Some("example.com")),
            ("foo.corp.internal", Some("corp.internal")),
        ] {
            let one = ingress("foo", host, "foo-tls", "letsencrypt");
            let common = settings(&Input { ingresses: vec![&one], ..Input::default() }, None);
            assert_eq!(common.value().get("domain").and_then(Value::as_str), domain, "{host}");
        }
    }

    #[test]
    fn one_secret_is_a_setting_where_several_ingresses_share_it() {
        let plain = |service: &str, secret: &str| {
            let mut plain = ingress(service, &format!("{service}.example.com"), secret, "");
            plain["metadata"]["annotations"] = json!({});
            plain
        };
        let mut split = plain("web", "shop");
        let mut other = split["spec"]["rules"][0]["http"]["paths"][0].clone();
        (other["path"], other["backend"]["service"]["name"]) = ("/api".into(), "api".into());
        split["spec"]["rules"][0]["http"]["paths"].as_array_mut().unwrap().push(other);
        for (all, expected) in [
            (vec![plain("web", "shop")], None),
            (vec![split], None),
            (vec![plain("web", "shop"), plain("api", "shop")], Some("shop")),
            (
                vec![
                    ingress("web", "web.example.com", "shop", "le"),
                    ingress("api", "api.example.com", "shop", "le"),
                ],
                None,
            ),
            (vec![plain("web", "web-tls")], Some("{{.Service}}-tls")),
        ] {
            let common = settings(&Input { ingresses: all.iter().collect(), ..Input::default() }, None);
            let found = common.value().get("tlsSecretNameTemplate").cloned();
            assert_eq!(found.as_ref().and_then(Value::as_str), expected, "{all:?}");
        }
    }
}
