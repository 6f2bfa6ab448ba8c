//! Assigns the parts of Ingresses to Services.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use xposer::Severity;
use xposer::diagnostics::FieldPath;
use xposer::internal::{
    About, CANARY_OPTIONS, CANARY_WEIGHT_TOTAL, about, joined, tool_of_label, weight_total, with_rest,
};
use xposer::service::{MANAGED_BY_LABEL, SERVICE_LABEL};
use xposer::validation::parse_bool;

use crate::finding::Finding;
use crate::keys;
use crate::read::{Class, Ingress, Route};

/// The source Ingress of one Service.
#[derive(Clone, Debug)]
pub(crate) struct SourceIngress<'i> {
    pub(crate) namespace: &'i str,
    pub(crate) service: &'i str,
    /// The name of the Ingress; `None` if another Service keeps the name.
    pub(crate) name: Option<&'i str>,
    pub(crate) routes: Vec<&'i Route>,
    /// The hosts of the TLS section, each once with its secret.
    pub(crate) tls: Vec<(&'i str, Option<&'i str>)>,
    pub(crate) class: Option<&'i Class>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) canary: Option<Canary>,
    /// The Ingresses that are the source. The first one has the annotations and everything else except hosts and paths.
    pub(crate) ingresses: Vec<&'i Ingress>,
}

/// The options of a canary, and the annotations that express them.
#[derive(Clone, Debug)]
pub(crate) struct Canary {
    pub(crate) options: BTreeMap<&'static str, String>,
    pub(crate) keys: BTreeSet<String>,
}

impl SourceIngress<'_> {
    /// The Ingress with the annotations.
    pub(crate) fn main(&self) -> Option<&Ingress> {
        self.ingresses.first().copied()
    }
}

/// The part of an Ingress that leads to one Service.
struct Part<'i> {
    ingress: &'i Ingress,
    service: &'i str,
    routes: Vec<&'i Route>,
    /// Whether the Service keeps the name of the Ingress.
    keeps_name: bool,
    tls: Vec<(&'i str, Option<&'i str>)>,
    annotations: BTreeMap<String, String>,
    canary: Option<Canary>,
}

/// The annotations to reproduce, without those of tools.
fn kept_annotations(ingress: &Ingress) -> BTreeMap<String, String> {
    let kept = ingress.annotations.iter().filter(|(key, _)| !matches!(about(key), About::Tool(_)));
    kept.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The labels to reproduce.
fn kept_labels(ingress: &Ingress) -> BTreeMap<String, String> {
    let is_ours = |key: &str| matches!(key, MANAGED_BY_LABEL | SERVICE_LABEL);
    let kept = ingress.labels.iter().filter(|(key, _)| !is_ours(key) && tool_of_label(key).is_none());
    kept.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Reports the annotations and labels that are dropped, because a tool wrote them about its own work.
pub(crate) fn report_tools(ingress: &Ingress, findings: &mut Vec<Finding>) {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let mut keys: Vec<&String> = Vec::new();
    for key in ingress.annotations.keys() {
        if let About::Tool(name) = about(key) {
            names.insert(name);
            keys.push(key);
        }
    }
    if let Some(first) = keys.first() {
        let list: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let message =
            format!("the records of {} are dropped: {}", joined(&names, " and "), joined(&list, " and "));
        findings.push(ingress.finding(FieldPath::annotation((*first).clone()), Severity::Info, message));
    }
    let labels: Vec<&String> = ingress.labels.keys().filter(|key| tool_of_label(key).is_some()).collect();
    if let Some(first) = labels.first() {
        let names: Vec<String> = labels.iter().map(|key| format!("`{key}`")).collect();
        let message =
            format!("labels about the origin of the Ingress are dropped: {}", joined(&names, " and "));
        findings.push(ingress.finding(FieldPath::label((*first).clone()), Severity::Info, message));
    }
}

/// The hosts of the TLS section, each with the first secret that an entry names for it. An entry without hosts applies to the hosts
/// of the rules that no entry names. Unused secrets are reported.
fn tls<'i>(ingress: &'i Ingress, findings: &mut Vec<Finding>) -> Vec<(&'i str, Option<&'i str>)> {
    let mut hosts: Vec<(&str, Option<&str>)> = Vec::new();
    let mut known: HashMap<&str, Option<&str>> = HashMap::new();
    let mut tell = |index: usize, message: String, help: &str| {
        let path = FieldPath::object(&["spec", "tls"]).index(index).key("secretName");
        findings.push(ingress.finding(path, Severity::Warning, message).help(help));
    };
    for (index, entry) in ingress.tls.iter().enumerate() {
        let secret = entry.secret.as_deref();
        for host in entry.hosts.iter().map(String::as_str) {
            match known.get(host) {
                None => {
                    known.insert(host, secret);
                    hosts.push((host, secret));
                }
                Some(first) if *first == secret => {}
                Some(first) => {
                    let of = |secret: Option<&str>| {
                        secret
                            .map_or_else(|| "no secret".to_owned(), |secret| format!("the secret `{secret}`"))
                    };
                    let message = format!(
                        "`{host}` has {} here and {} in an earlier entry, which applies: a host has one certificate",
                        of(secret),
                        of(*first)
                    );
                    tell(index, message, "keep the entry with the certificate that is served");
                }
            }
        }
    }
    for (index, entry) in ingress.tls.iter().enumerate().filter(|(_, entry)| entry.hosts.is_empty()) {
        let secret = entry.secret.as_deref();
        let routes = ingress.routes.iter().map(|route| route.host.as_str());
        for host in routes {
            if let Entry::Vacant(place) = known.entry(host) {
                place.insert(secret);
                hosts.push((host, secret));
            }
        }
        if let Some(name) = secret.filter(|_| !hosts.iter().any(|(_, used)| *used == secret)) {
            let message = format!(
                "the secret `{name}` is lost: its entry names no hosts, and other entries have all hosts of the rules"
            );
            tell(index, message, "name its hosts, or remove the entry");
        }
    }
    hosts
}

/// Returns the source Ingress of each Service, in the order of the Ingresses.
pub(crate) fn source_ingresses<'i>(
    ingresses: &'i [Ingress],
    findings: &mut Vec<Finding>,
) -> Vec<SourceIngress<'i>> {
    let stable = stable_services(ingresses);
    let mut groups: Vec<Vec<Part<'i>>> = Vec::new();
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    for ingress in ingresses {
        for part in parts(ingress, &stable, findings) {
            let place = *known.entry((ingress.namespace(), part.service)).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(place) {
                group.push(part);
            }
        }
    }
    groups.into_iter().filter_map(|group| merged(group, findings)).collect()
}

type Stable<'i> = HashMap<(&'i str, &'i str, &'i str), &'i str>;

fn is_canary(ingress: &Ingress) -> bool {
    let on = |(key, value): (&String, &String)| {
        about(key) == About::Canary && parse_bool(value.trim()) == Some(true)
    };
    ingress.annotations.iter().any(on)
}

/// The Services of all hosts and paths, without canaries.
fn stable_services(ingresses: &[Ingress]) -> Stable<'_> {
    let mut stable = HashMap::new();
    for ingress in ingresses.iter().filter(|it| !is_canary(it)) {
        for route in &ingress.routes {
            let key = (ingress.namespace(), route.host.as_str(), route.path.as_str());
            stable.entry(key).or_insert(route.service.as_str());
        }
    }
    stable
}

/// The canary options of an Ingress whose hosts and paths all belong to one other Service.
fn canary(ingress: &Ingress, stable: &Stable<'_>, findings: &mut Vec<Finding>) -> Option<Canary> {
    if !is_canary(ingress) {
        return None;
    }
    let of =
        |route: &Route| stable.get(&(ingress.namespace(), route.host.as_str(), route.path.as_str())).copied();
    let first = ingress.routes.first()?;
    let service = of(first).filter(|service| *service != first.service);
    let is_one = ingress.routes.iter().all(|route| of(route) == service && route.service == first.service);
    let Some(service) = service.filter(|_| is_one) else {
        let key = ingress.annotations.keys().find(|key| about(key) == About::Canary).cloned();
        let path = FieldPath::annotation(key.unwrap_or_default());
        let message = "no Ingress of the input has the same hosts and paths for exactly one other Service, so the stable Service of the canary is not known";
        let help = "import the Ingress of the stable Service together with this one";
        findings.push(ingress.finding(path, Severity::Info, message).help(help));
        return None;
    };
    let mut canary = Canary {
        options: BTreeMap::from([(keys::CANARY_OF, service.to_owned())]),
        keys: ingress.annotations.keys().filter(|key| about(key) == About::Canary).cloned().collect(),
    };
    for (key, option) in CANARY_OPTIONS {
        if let Some(value) = ingress.annotation(key) {
            canary.options.insert(option, value.to_owned());
            canary.keys.insert(key.to_owned());
        }
    }
    Some(canary)
}

/// Writes the weight of a canary as a percentage, if it is a whole one of another total. Otherwise both annotations stay.
fn write_percentage(
    ingress: &Ingress,
    canary: &mut Canary,
    annotations: &mut BTreeMap<String, String>,
    findings: &mut Vec<Finding>,
) {
    let number = |key| ingress.annotation(key)?.trim().parse::<u32>().ok().map(u64::from);
    let (key, option) = CANARY_OPTIONS[0];
    let (Some(weight), Some(given)) = (number(key), number(CANARY_WEIGHT_TOTAL)) else { return };
    let total = weight_total(Some(given));
    if total == weight_total(None) {
        return;
    }
    let info =
        |message: &str| ingress.finding(FieldPath::annotation(CANARY_WEIGHT_TOTAL), Severity::Info, message);
    let share = weight * weight_total(None);
    if !share.is_multiple_of(total) {
        let message = format!(
            "the weight {weight} of {total} is no whole percentage, so both annotations stay, and only ingress-nginx can serve the canary"
        );
        let help = "round the weight to a whole percentage before another controller serves the class";
        findings.push(info(&message).help(help));
        return;
    }
    let percentage = (share / total).to_string();
    findings.push(info(&format!("the weight {weight} of {total} is written as the percentage {percentage}")));
    annotations.remove(CANARY_WEIGHT_TOTAL);
    annotations.insert(key.to_owned(), percentage.clone());
    canary.options.insert(option, percentage);
}

/// The parts of an Ingress, one for each Service.
fn parts<'i>(ingress: &'i Ingress, stable: &Stable<'_>, findings: &mut Vec<Finding>) -> Vec<Part<'i>> {
    let mut services: Vec<&str> = Vec::new();
    let mut routes: HashMap<&str, Vec<&Route>> = HashMap::new();
    for route in &ingress.routes {
        let of_service = routes.entry(route.service.as_str()).or_default();
        if of_service.is_empty() {
            services.push(&route.service);
        }
        of_service.push(route);
    }
    let keeper = services.iter().find(|name| **name == ingress.name()).or(services.first()).copied();
    let mut annotations = kept_annotations(ingress);
    let mut canary = canary(ingress, stable, findings);
    if let Some(canary) = &mut canary {
        write_percentage(ingress, canary, &mut annotations, findings);
    }
    let all_tls = tls(ingress, findings);
    let mut parts: Vec<Part<'i>> = Vec::new();
    for service in &services {
        let routes = routes.remove(service).unwrap_or_default();
        parts.push(Part {
            ingress,
            service,
            routes,
            keeps_name: Some(*service) == keeper,
            tls: Vec::new(),
            annotations: annotations.clone(),
            canary: canary.clone(),
        });
    }
    if let [part] = parts.as_mut_slice() {
        part.tls = all_tls;
    } else {
        split_tls(&mut parts, ingress, &all_tls);
        if let Some(keeper) = keeper {
            report_split(ingress, keeper, &services, findings);
        }
    }
    parts
}

/// Distributes the hosts of the TLS section to the parts of an Ingress. If parts share a secret, one of them requests the
/// certificate for all hosts of the secret: the part that keeps the name, or the first one.
fn split_tls<'i>(parts: &mut [Part<'i>], ingress: &'i Ingress, all: &[(&'i str, Option<&'i str>)]) {
    let has_host: Vec<BTreeSet<&str>> =
        parts.iter().map(|part| part.routes.iter().map(|route| route.host.as_str()).collect()).collect();
    let mut owners: HashMap<Option<&str>, usize> = HashMap::new();
    let keeper = parts.iter().position(|part| part.keeps_name).unwrap_or_default();
    for (host, secret) in all {
        let takes = |at: &usize| has_host.get(*at).is_some_and(|hosts| hosts.contains(host));
        let taker = [keeper].into_iter().chain(0..has_host.len()).find(takes);
        if let Some(taker) = taker {
            let owner = owners.entry(*secret).or_insert(taker);
            if taker == keeper {
                *owner = keeper;
            }
        }
    }
    for (at, part) in parts.iter_mut().enumerate() {
        let owns = |secret: &Option<&str>| owners.get(secret).copied().unwrap_or(keeper) == at;
        let mut asks = false;
        for (host, secret) in all {
            let is_own = owns(secret);
            if is_own || has_host.get(at).is_some_and(|hosts| hosts.contains(host)) {
                asks |= is_own;
                part.tls.push((host, *secret));
            }
        }
        if !asks && !part.tls.is_empty() {
            part.annotations.retain(|key, _| {
                !matches!(about(key), About::Issuer { .. } | About::IssuerKind | About::Certificate)
            });
        }
    }
    debug_assert!(parts.iter().all(|part| part.ingress.at == ingress.at));
}

fn report_split(ingress: &Ingress, keeper: &str, services: &[&str], findings: &mut Vec<Finding>) {
    if services.len() < 2 {
        return;
    }
    const MAX_NAMES: usize = 5;
    let others: Vec<String> = services
        .iter()
        .filter(|name| **name != keeper)
        .take(MAX_NAMES)
        .map(|name| format!("`{name}`"))
        .collect();
    let message = format!(
        "the paths lead to {} Services, and each Service gets an Ingress of its own: that of `{keeper}` keeps the name, those of {} have others",
        services.len(),
        with_rest(others, services.len() - 1, " and ")
    );
    let help = "expose all of them before this Ingress is adopted or deleted";
    findings
        .push(ingress.finding(FieldPath::object(&["spec", "rules"]), Severity::Warning, message).help(help));
}

/// The reason why two parts cannot be one Ingress.
fn difference(one: &Part<'_>, other: &Part<'_>) -> Option<&'static str> {
    let class = |part: &Part<'_>| part.ingress.class.as_ref().map(|class| class.name.clone());
    let secrets: HashMap<&str, Option<&str>> = one.tls.iter().copied().collect();
    let contradicts =
        |(host, secret): &(&str, Option<&str>)| secrets.get(host).is_some_and(|own| own != secret);
    match () {
        () if one.canary.is_some() || other.canary.is_some() => Some("one of them is a canary"),
        () if class(one) != class(other) => Some("they have different classes"),
        () if one.tls.is_empty() != other.tls.is_empty() => Some("one of them has no TLS section"),
        () if other.tls.iter().any(contradicts) => Some("they have different secrets for one host"),
        () if one.annotations != other.annotations => Some("they have different annotations"),
        () if kept_labels(one.ingress) != kept_labels(other.ingress) => Some("they have different labels"),
        () => None,
    }
}

/// Merges the parts of one Service. The part with the name of the Service is used, or the most complete one. Parts that differ from
/// it in more than hosts and paths are reported.
fn merged<'i>(mut group: Vec<Part<'i>>, findings: &mut Vec<Finding>) -> Option<SourceIngress<'i>> {
    let weight = |part: &Part<'_>| {
        (part.canary.is_none(), part.ingress.name() == part.service, !part.tls.is_empty(), part.routes.len())
    };
    let most = group.iter().map(weight).max()?;
    let first = group.iter().position(|part| weight(part) == most)?;
    let main = group.remove(first);
    let mut source = SourceIngress {
        namespace: main.ingress.namespace(),
        service: main.service,
        name: Some(main.ingress.name()).filter(|_| main.keeps_name),
        routes: main.routes.clone(),
        tls: main.tls.clone(),
        class: main.ingress.class.as_ref(),
        annotations: main.annotations.clone(),
        labels: kept_labels(main.ingress),
        canary: main.canary.clone(),
        ingresses: vec![main.ingress],
    };
    for part in group {
        let path = FieldPath::object(&["metadata", "name"]);
        if let Some(why) = difference(&main, &part) {
            let message = format!(
                "the Service {} has the Ingress {}, too, and only that one is proposed: a Service gets one Ingress, and {why}",
                main.service,
                main.ingress.name()
            );
            let help = format!(
                "add a second Service with the selector of {} under another name, let this Ingress lead to it, and import again",
                main.service
            );
            findings.push(part.ingress.finding(path, Severity::Error, message).help(help));
            continue;
        }
        let message = format!(
            "the Service {} has the Ingress {}, too: the hosts and paths of both become one Ingress",
            main.service,
            main.ingress.name()
        );
        let help = "delete this Ingress once the other one serves its hosts";
        findings.push(part.ingress.finding(path, Severity::Warning, message).help(help));
        source.name = source.name.or(Some(part.ingress.name()).filter(|_| part.keeps_name));
        source.routes.extend(part.routes);
        let known: BTreeSet<&str> = source.tls.iter().map(|(host, _)| *host).collect();
        let more: Vec<_> = part.tls.into_iter().filter(|(host, _)| !known.contains(host)).collect();
        source.tls.extend(more);
        source.ingresses.push(part.ingress);
    }
    Some(source)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::read::read;

    type Case<'c> = (serde_json::Value, Vec<(&'c str, Option<&'c str>)>, Vec<&'c str>);

    #[test]
    fn no_secret_is_lost_in_silence() {
        let table: [Case<'_>; 5] = [
            (json!([{"hosts": ["a"], "secretName": "x"}]), vec![("a", Some("x"))], vec![]),
            (
                json!([{"hosts": ["a"], "secretName": "x"}, {"hosts": ["a"], "secretName": "y"}]),
                vec![("a", Some("x"))],
                vec![
                    "`a` has the secret `y` here and the secret `x` in an earlier entry, which applies: a host has one certificate",
                ],
            ),
            (
                json!([{"hosts": ["a", "b"], "secretName": "x"}, {"secretName": "y"}]),
                vec![("a", Some("x")), ("b", Some("x"))],
                vec![
                    "the secret `y` is lost: its entry names no hosts, and other entries have all hosts of the rules",
                ],
            ),
            (
                json!([{}, {"hosts": ["a"], "secretName": "x"}, {"hosts": ["b"], "secretName": "y"}]),
                vec![("a", Some("x")), ("b", Some("y"))],
                vec![],
            ),
            (
                json!([{"secretName": "y"}, {"hosts": ["a"], "secretName": "x"}]),
                vec![("a", Some("x")), ("b", Some("y"))],
                vec![],
            ),
        ];
        for (section, expected, lost) in table {
            let path = json!([{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "s", "port": {"number": 80}}}}]);
            let rule = |host: &str| json!({"host": host, "http": {"paths": path}});
            let document = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "s"},
                "spec": {"tls": section, "rules": [rule("a"), rule("b")]}});
            let ingress = read(&document, 0, "", &mut Vec::new());
            let mut findings = Vec::new();
            assert_eq!(tls(&ingress, &mut findings), expected, "{document}");
            let said: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
            assert_eq!(said, lost, "{document}");
        }
    }
}
