//! Objects that are not Services. If the input has no Services, a hint lists these objects and tells what to do.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The maximum number of kinds that are listed.
const MAX_KINDS: usize = 10;

/// The numbers of objects that are not Services.
#[derive(Default)]
pub(crate) struct IgnoredObjects<'f> {
    /// The number of objects of each kind; the empty text stands for objects without a kind. Services also differ by API version.
    kinds: BTreeMap<(&'f str, &'f str), usize>,
}

impl<'f> IgnoredObjects<'f> {
    pub(crate) fn add(&mut self, object: &'f Map<String, Value>) {
        let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
        let kind = text("kind");
        let version = if kind == "Service" { text("apiVersion") } else { "" };
        *self.kinds.entry((kind, version)).or_default() += 1;
    }

    /// The numbers as text, for example `1 ConfigMap, 2 Deployment`; `None` if there are no such objects.
    pub(crate) fn counts(&self) -> Option<String> {
        let is_word = |text: &str| text.len() <= 253 && text.bytes().all(|byte| byte.is_ascii_graphic());
        let shown = |((kind, version), count): (&(&str, &str), &usize)| match (*kind, *version) {
            ("", _) => format!("{count} without a kind"),
            (kind, "") if is_word(kind) => format!("{count} {kind}"),
            (kind, version) if is_word(kind) && is_word(version) => format!("{count} {kind} of {version}"),
            _ => format!("{count} without a valid kind"),
        };
        let mut counts: Vec<String> = self.kinds.iter().take(MAX_KINDS).map(shown).collect();
        if self.kinds.len() > MAX_KINDS {
            counts.push(format!("{} more kinds", self.kinds.len() - MAX_KINDS));
        }
        (!counts.is_empty()).then(|| counts.join(", "))
    }
}

/// A message and a help about an object that is no Service, but looks like one or is a source of Services.
pub(crate) struct Hint {
    pub(crate) message: &'static str,
    pub(crate) help: String,
}

/// The help for a chart. `piped` is the command that reads Services from standard input.
pub(crate) fn render_chart(piped: &str) -> String {
    render_chart_in("CHART", piped)
}

/// The help for a chart in a folder.
fn render_chart_in(folder: &str, piped: &str) -> String {
    format!("render the chart first: helm template NAME {folder} | {piped}")
}

/// The hint about an object if no input has Services. `file` is the file of the object, and `piped` the command that reads
/// Services from standard input.
pub(crate) fn hint(object: &Map<String, Value>, file: &str, piped: &str) -> Option<Hint> {
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let hint = |message, help: &str| Some(Hint { message, help: help.replace("PIPED", piped) });
    let Some(kind) = text("kind") else { return unnamed(object, file, piped) };
    let version = text("apiVersion").unwrap_or_default();
    let group = version.split_once('/').map_or("", |(group, _)| group);
    match (group, kind) {
        ("helm.toolkit.fluxcd.io", "HelmRelease") => {
            hint("the Services of a HelmRelease are in its chart", &render_chart(piped))
        }
        ("helm.cattle.io", "HelmChart") => {
            hint("the Services of a HelmChart are in its chart", &render_chart(piped))
        }
        ("helm.crossplane.io", "Release") => {
            hint("the Services of a Release are in its chart", &render_chart(piped))
        }
        ("argoproj.io", "Application" | "ApplicationSet") => hint(
            "the Services of an Application of Argo CD are in what it points to",
            "render that first: helm template NAME CHART | PIPED, or kustomize build FOLDER | PIPED",
        ),
        ("kustomize.config.k8s.io", "Kustomization" | "Component") => kustomization(file, piped),
        ("kustomize.toolkit.fluxcd.io", "Kustomization") => hint(
            "the Services of a Kustomization of Flux are in the folder that it points to",
            "build that folder: kustomize build FOLDER | PIPED",
        ),
        ("source.toolkit.fluxcd.io", _) => hint(
            "a source of Flux only refers to manifests",
            "render those: helm template NAME CHART | PIPED, or kustomize build FOLDER | PIPED",
        ),
        ("serving.knative.dev", "Service" | "Configuration" | "Route" | "Revision") => hint(
            "Knative exposes its own Services, and Xposer exposes those of Kubernetes (apiVersion v1)",
            "expose a Service with `apiVersion: v1`, or give Knative's the host with a DomainMapping",
        ),
        ("template.openshift.io" | "", "Template") => Some(Hint {
            message: "the Services of a Template of OpenShift are made by processing it",
            help: format!("process it first: oc process -o yaml -f {file} | {piped}"),
        }),
        ("config.kubernetes.io", "ResourceList") => Some(Hint {
            message: "a ResourceList is for KRM functions",
            help: format!("give it to the function: xposer krm < {file}"),
        }),
        _ => None,
    }
}

fn kustomization(file: &str, piped: &str) -> Option<Hint> {
    let folder = file.rsplit_once(['/', '\\']).map_or(".", |(folder, _)| folder);
    Some(Hint {
        message: "a Kustomization only names the files with Services",
        help: format!("build it first: kustomize build {folder} | {piped}"),
    })
}

/// The hint about a document without a kind.
fn unnamed(object: &Map<String, Value>, file: &str, piped: &str) -> Option<Hint> {
    let has = |key: &str| object.contains_key(key);
    let is_named = |start: &str| {
        let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
        name.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
    };
    let folder = file.rsplit_once(['/', '\\']).map_or(".", |(folder, _)| folder);
    let chart = |message| Some(Hint { message, help: render_chart_in(folder, piped) });
    if is_named("kustomization.") || has("resources") && object.get("resources").is_some_and(Value::is_array)
    {
        return kustomization(file, piped);
    }
    if has("apiVersion") && has("name") && has("version") {
        return chart("the Services of a chart are in its templates");
    }
    if is_named("values") {
        return chart("this is a values file of a chart, not a Service");
    }
    if object.get("services").is_some_and(Value::is_object) {
        return Some(Hint {
            message: "the services of Docker Compose are no Services of Kubernetes",
            help: format!("convert them first: kompose convert --stdout -f {file} | {piped}"),
        });
    }
    None
}

/// The reason why an object is no Service although it looks like one.
pub(crate) struct NearMiss {
    /// The wrong key, or a key next to which another key is missing.
    pub(crate) key: String,
    pub(crate) message: String,
    pub(crate) help: String,
}

/// The warning about an object that is nearly a Service, whether or not the input has Services.
pub(crate) fn near_miss(object: &Map<String, Value>) -> Option<NearMiss> {
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let is_service = |kind: &str| ["service", "services"].iter().any(|word| kind.eq_ignore_ascii_case(word));
    // Kubernetes compares keys byte by byte, and ignores unknown keys.
    let misspelt = ["kind", "apiVersion"].into_iter().find_map(|wanted| {
        let key = object.keys().find(|key| key.eq_ignore_ascii_case(wanted) && *key != wanted)?;
        (!object.contains_key(wanted)).then_some((wanted, key))
    });
    if let Some((wanted, key)) = misspelt {
        let named = |name: &str| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1.as_str();
        if named("kind").is_some_and(is_service) && named("apiVersion").is_none_or(|it| !is_foreign(it)) {
            let message = format!("expected the key `{wanted}`, found `{key}`, so this Service is ignored");
            let value = if wanted == "kind" { "Service" } else { "v1" };
            return Some(NearMiss { key: key.clone(), message, help: format!("write `{wanted}: {value}`") });
        }
    }
    let (key, message, help) = match (text("kind")?, text("apiVersion")) {
        ("Service", None) if object.contains_key("apiVersion") => (
            "apiVersion",
            "the apiVersion of a Service is the text v1, so this one is ignored",
            "write `apiVersion: v1`",
        ),
        ("Service", None) => {
            ("kind", "this Service has no apiVersion, so it is ignored", "add `apiVersion: v1`")
        }
        // A group with a dot belongs to another project, which may also have a kind Service.
        ("Service", Some(version)) if !is_foreign(version) => (
            "apiVersion",
            "the apiVersion of a Service is v1, so this one is ignored",
            "write `apiVersion: v1`",
        ),
        (kind, Some("v1")) if is_service(kind) => {
            ("kind", "expected the kind Service, so this object is ignored", "write `kind: Service`")
        }
        _ => return None,
    };
    Some(NearMiss { key: key.to_owned(), message: message.to_owned(), help: help.to_owned() })
}

fn is_foreign(version: &str) -> bool {
    version.split_once('/').is_some_and(|(group, _)| group.contains('.'))
}
