//! The differences between an Ingress and the result of a proposal.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use xposer::diagnostics::FieldPath;
use xposer::internal::legacy::{Migration, find};
use xposer::internal::{joined, opts_out};
use xposer::service::{MANAGED_BY_LABEL, PortRef, SERVICE_LABEL};
use xposer::validation::PathType;

use crate::read::{Ingress, Route};
use crate::source_ingress::SourceIngress;

/// A difference.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    /// The position of the Ingress.
    pub(crate) ingress: usize,
    pub(crate) path: FieldPath,
    pub(crate) message: String,
    pub(crate) help: Option<&'static str>,
    /// Whether something is not reproduced. Otherwise it is expressed in another way.
    pub(crate) is_loss: bool,
    /// Whether the Service gets fewer requests.
    pub(crate) loses_requests: bool,
    /// The annotation that differs.
    pub(crate) key: Option<String>,
}

/// The cost of the differences: the numbers of routes that lose requests, of all losses, and of parts that are expressed in another
/// way.
pub(crate) fn cost(differences: &[Difference]) -> (usize, usize, usize) {
    let lost = differences.iter().filter(|it| it.is_loss).count();
    (differences.iter().filter(|it| it.loses_requests).count(), lost, differences.len() - lost)
}

/// The result of a proposal, and the keys of the annotations about which the core has a finding.
pub(crate) struct EmittedIngress<'m> {
    pub(crate) ingress: &'m Ingress,
    pub(crate) reported: &'m BTreeSet<String>,
}

/// Returns the differences between the source Ingress and the result.
pub(crate) fn differences(source: &SourceIngress<'_>, emitted: &EmittedIngress<'_>) -> Vec<Difference> {
    let Some(main) = source.main() else { return Vec::new() };
    let mut all = Differences { main, found: Vec::new() };
    all.name(source, emitted.ingress);
    all.class(source, emitted.ingress);
    all.routes(source, emitted.ingress);
    all.tls(source, emitted.ingress);
    all.annotations(source, emitted);
    all.labels(source, emitted.ingress);
    all.found
}

struct Differences<'m> {
    main: &'m Ingress,
    found: Vec<Difference>,
}

/// The current key of a legacy annotation.
fn successor(key: &str) -> Option<String> {
    match find(key)?.migration {
        Migration::Renamed(new) | Migration::Switch { key: new, .. } => Some(new.to_owned()),
        Migration::Moved(prefix) => Some([prefix, key.split_once('/')?.1].concat()),
        _ => None,
    }
}

fn shown(port: Option<&PortRef>) -> String {
    port.map_or_else(|| "no port".to_owned(), |port| format!("the port {port}"))
}

/// Takes the route out of those with the same URL that is compared with a route: the one with its path type, or else one that
/// is not compared with another route.
fn take_route<'r>(
    same_url: &mut Vec<&'r Route>,
    route: &Route,
    is_of_other: impl Fn(&Route) -> bool,
) -> Option<&'r Route> {
    let with_type = same_url.iter().position(|it| it.kind == route.kind);
    let at = with_type.or_else(|| same_url.iter().rposition(|it| !is_of_other(it)))?;
    Some(same_url.remove(at))
}

impl Differences<'_> {
    fn add(&mut self, path: FieldPath, message: String, is_loss: bool) -> Option<&mut Difference> {
        let ingress = self.main.at;
        let loses_requests = false;
        self.found.push(Difference {
            ingress,
            path,
            message,
            help: None,
            is_loss,
            loses_requests,
            key: None,
        });
        self.found.last_mut()
    }

    fn name(&mut self, source: &SourceIngress<'_>, emitted: &Ingress) {
        // A missing name is reported already.
        if let Some(name) = source.name.filter(|name| !name.is_empty() && *name != emitted.name()) {
            let message =
                format!("the Ingress has the name `{name}`, the emitted Ingress `{}`", emitted.name());
            self.add(FieldPath::object(&["metadata", "name"]), message, true);
        }
    }

    fn class(&mut self, source: &SourceIngress<'_>, emitted: &Ingress) {
        let field = || FieldPath::object(&["spec"]);
        match (source.class, &emitted.class) {
            (None, None) => {}
            (Some(own), Some(other)) if own.name == other.name => {
                if own.is_annotation != other.is_annotation {
                    let written = if other.is_annotation {
                        "the annotation"
                    } else {
                        "the field spec.ingressClassName"
                    };
                    let message = format!("the class `{}` is written as {written}", own.name);
                    let added = self.add(own.at.clone(), message, false);
                    if let Some(added) = added.filter(|_| !other.is_annotation) {
                        added.help = Some(
                            "check that there is an IngressClass of this name: kubectl get ingressclass",
                        );
                    }
                }
            }
            (Some(own), Some(other)) => {
                let message =
                    format!("the class is `{}`, and `{}` in the emitted Ingress", own.name, other.name);
                self.add(own.at.clone(), message, true);
            }
            (Some(own), None) => {
                self.add(
                    own.at.clone(),
                    format!("the emitted Ingress does not have the class `{}`", own.name),
                    true,
                );
            }
            (None, Some(other)) => {
                let message = format!(
                    "the Ingress has no class, and the settings give `{}`, which a Service cannot remove",
                    other.name
                );
                let added = self.add(field(), message, true);
                if let Some(added) = added {
                    added.help = Some("remove the class from the settings, or accept it");
                }
            }
        }
    }

    fn routes(&mut self, source: &SourceIngress<'_>, emitted: &Ingress) {
        let mut left: HashMap<(&str, &str), Vec<&Route>> = HashMap::new();
        let mut wide: HashSet<(&str, &str)> = HashSet::new();
        for route in &emitted.routes {
            if route.kind != PathType::Exact {
                wide.insert((&route.host, &route.path));
            }
            left.entry((&route.host, &route.path)).or_default().push(route);
        }
        let prefixes: BTreeSet<(&str, &str, Option<&PortRef>)> = emitted
            .routes
            .iter()
            .filter(|it| it.kind == PathType::Prefix)
            .map(|it| (it.host.as_str(), it.path.as_str(), it.port.as_ref()))
            .collect();
        let kinds: BTreeSet<(&str, &str, PathType)> =
            source.routes.iter().map(|it| (it.host.as_str(), it.path.as_str(), it.kind)).collect();
        let mut seen: BTreeSet<(&str, &str, PathType, Option<&PortRef>)> = BTreeSet::new();
        for route in &source.routes {
            // A repeated route is emitted once.
            if !seen.insert((&route.host, &route.path, route.kind, route.port.as_ref())) {
                continue;
            }
            let url = format!("{}{}", route.host, route.path);
            let address = (route.host.as_str(), route.path.as_str());
            let is_exact = route.kind == PathType::Exact;
            let loses_requests =
                if is_exact { !left.contains_key(&address) } else { !wide.contains(&address) };
            let same_url = left.get_mut(&address);
            let is_of_other = |it: &Route| kinds.contains(&(&route.host, &route.path, it.kind));
            let found = same_url.and_then(|all| take_route(all, route, is_of_other));
            let mut add = |path: FieldPath, message: String| {
                let ingress = route.ingress;
                let is_loss = true;
                let (help, key) = (None, None);
                self.found.push(Difference { ingress, path, message, help, is_loss, loses_requests, key });
            };
            let Some(other) = found else {
                // The Prefix of the same path serves all requests of an Exact one.
                if is_exact && prefixes.contains(&(&route.host, &route.path, route.port.as_ref())) {
                    continue;
                }
                let with_type = if left.contains_key(&address) {
                    format!(" with the path type {}", route.kind)
                } else {
                    String::new()
                };
                add(route.at.clone(), format!("the emitted Ingress does not have `{url}`{with_type}"));
                continue;
            };
            if route.kind != other.kind {
                let said = format!(
                    "the path type of `{url}` is {}, and {} in the emitted Ingress: a Service has one for all its paths",
                    route.kind, other.kind
                );
                add(route.at.clone().key("pathType"), said);
            }
            if route.port != other.port {
                let said = format!(
                    "`{url}` leads to {}, and to {} in the emitted Ingress",
                    shown(route.port.as_ref()),
                    shown(other.port.as_ref())
                );
                add(route.at.clone().key("backend"), said);
            }
        }
        let mut more: Vec<&Route> = left.into_values().flatten().collect();
        more.sort_by(|left, right| (&left.host, &left.path).cmp(&(&right.host, &right.path)));
        for route in more {
            let said = format!("the emitted Ingress also has `{}{}`", route.host, route.path);
            self.add(FieldPath::object(&["spec", "rules"]), said, true);
        }
    }

    fn tls(&mut self, source: &SourceIngress<'_>, emitted: &Ingress) {
        let section = || FieldPath::object(&["spec", "tls"]);
        let other: BTreeMap<&str, Option<&str>> = emitted
            .tls
            .iter()
            .flat_map(|entry| entry.hosts.iter().map(|host| (host.as_str(), entry.secret.as_deref())))
            .collect();
        if source.tls.is_empty() && other.is_empty() {
            return;
        }
        // No controller reads the TLS section of a canary: the stable Ingress has the certificates.
        if source.canary.is_some() && other.is_empty() {
            self.add(
                section(),
                "the TLS section of a canary is that of the stable Service".to_owned(),
                false,
            );
            return;
        }
        let hostless = self.main.tls.iter().filter(|entry| entry.hosts.is_empty()).count();
        if hostless > 0 {
            let (what, emitted) = if hostless == self.main.tls.len() {
                ("the TLS section", "those of the rules")
            } else {
                ("an entry of the TLS section", "those of the rules that no other entry has")
            };
            self.add(
                section(),
                format!("{what} names no hosts, and the emitted Ingress names {emitted}"),
                true,
            );
        }
        let own: BTreeMap<&str, Option<&str>> = source.tls.iter().copied().collect();
        let order = emitted.tls.iter().flat_map(|entry| &entry.hosts).map(String::as_str);
        let is_other_order = !order.eq(source.tls.iter().map(|(host, _)| *host));
        if is_other_order && own == other {
            let message = "the hosts of the TLS section have another order in the emitted Ingress";
            self.add(section(), message.to_owned(), false);
        }
        for (host, secret) in &own {
            match other.get(host) {
                None => {
                    self.add(
                        section(),
                        format!("the TLS section of the emitted Ingress does not have `{host}`"),
                        true,
                    );
                }
                Some(found) if found != secret => {
                    let found = found.unwrap_or("none");
                    let message = match secret {
                        Some(secret) => {
                            format!(
                                "the secret of `{host}` is `{secret}`, and `{found}` in the emitted Ingress"
                            )
                        }
                        None => format!(
                            "the TLS section names no secret for `{host}`, and the emitted Ingress names `{found}`: if this secret does not exist, the controller may use its default certificate"
                        ),
                    };
                    self.add(section(), message, true);
                }
                Some(_) => {}
            }
        }
        for host in other.keys().filter(|host| !own.contains_key(*host)) {
            let message = if own.is_empty() {
                format!("the Ingress has no TLS section, and the emitted Ingress has one for `{host}`")
            } else {
                format!(
                    "the TLS section of the emitted Ingress also has `{host}`: all hosts of a Service have TLS, or none"
                )
            };
            self.add(section(), message, true);
        }
    }

    fn annotations(&mut self, source: &SourceIngress<'_>, emitted: &EmittedIngress<'_>) {
        let other = &emitted.ingress.annotations;
        let mut expected: BTreeSet<String> = BTreeSet::new();
        for (key, value) in &source.annotations {
            let path = FieldPath::annotation(key.clone());
            let today = successor(key);
            let found = other.get(key);
            let message = match found {
                Some(found) if found == value => None,
                Some(found) => Some(format!(
                    "the value of `{key}` is `{}`, and `{}` in the emitted Ingress",
                    short(value),
                    short(found)
                )),
                None if emitted.reported.contains(key) => None,
                None => Some(format!("the emitted Ingress does not have `{key}`")),
            };
            if let Some(said) = message {
                let added = self.add(path, said, true);
                if let Some(added) = added {
                    added.key = Some(key.clone());
                }
            }
            expected.extend(today);
            expected.insert(key.clone());
        }
        let names: BTreeSet<&str> = source
            .annotations
            .keys()
            .filter(|key| emitted.reported.contains(*key))
            .filter_map(|key| Some(key.split_once('/')?.1))
            .collect();
        let mut unpublished: Vec<String> = Vec::new();
        for (key, value) in other.iter().filter(|(key, _)| !expected.contains(*key)) {
            // The settings give an annotation that a tool had written.
            if self.main.annotations.get(key) == Some(value) {
                continue;
            }
            // The stable Ingress publishes the host of a canary, whatever the Ingress of the canary says.
            if source.canary.is_some() && opts_out(key, value) {
                unpublished.push(format!("`{key}: {}`", short(value)));
                continue;
            }
            // The core has reported the annotation with the same name under another prefix.
            if key.split_once('/').is_some_and(|(_, name)| names.contains(name)) {
                continue;
            }
            let message = format!("the emitted Ingress also has the annotation `{key}: {}`", short(value));
            let added = self.add(FieldPath::object(&["metadata", "annotations"]), message, true);
            if let Some(added) = added {
                added.key = Some(key.clone());
            }
        }
        if !unpublished.is_empty() {
            let message = format!(
                "the emitted Ingress also has {}: the Ingress of the stable Service publishes the hosts",
                joined(&unpublished, " and ")
            );
            self.add(FieldPath::object(&["metadata", "annotations"]), message, false);
        }
    }

    fn labels(&mut self, source: &SourceIngress<'_>, emitted: &Ingress) {
        let is_ours = |key: &str| matches!(key, MANAGED_BY_LABEL | SERVICE_LABEL);
        for (key, value) in &source.labels {
            if emitted.labels.get(key) != Some(value) {
                let message =
                    format!("the emitted Ingress does not have the label `{key}: {}`", short(value));
                self.add(FieldPath::label(key.clone()), message, true);
            }
        }
        for (key, value) in emitted.labels.iter().filter(|(key, _)| !is_ours(key)) {
            if !source.labels.contains_key(key) && self.main.labels.get(key) != Some(value) {
                let message = format!("the emitted Ingress also has the label `{key}: {}`", short(value));
                // Labels of tools are reported once, when they are dropped.
                self.add(FieldPath::object(&["metadata", "labels"]), message, true);
            }
        }
    }
}

/// The start of a value, on one line.
pub(crate) fn short(value: &str) -> String {
    xposer::internal::shortened(&value.replace('\n', "\\n"), None, 80)
}
