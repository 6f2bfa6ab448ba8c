//! The proposal for a Service, in the formats that programs take.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use xposer::Severity;
use xposer::service::EXPOSE_LABEL;

use crate::finding::{Finding, Object};

/// The proposal for a Service.
///
/// ```
/// use serde_json::json;
/// use xposer::Settings;
/// use xposer_import::{Input, import};
/// let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web", "namespace": "shop"},
///     "spec": {"rules": [{"host": "shop.example.com", "http": {"paths": [
///         {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}});
/// let input = Input { ingresses: vec![&ingress], ..Input::default() };
/// let proposal = import(&input, &Settings::default(), false).proposals.remove(0);
/// assert!(proposal.is_same && proposal.adopts == Some(0) && proposal.not_exposed().is_none());
/// assert_eq!(proposal.patch()["metadata"]["labels"], json!({"expose": "true"}));
/// assert_eq!(proposal.commands().pop().unwrap(), "kubectl label service web -n shop --overwrite expose=true");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The namespace of the Service; empty if it is not known.
    pub namespace: String,
    /// The name of the Service.
    pub service: String,
    /// The position of the Service in the input, if the input contains it.
    pub given: Option<usize>,
    /// The annotations to add.
    pub annotations: BTreeMap<String, String>,
    /// The annotations of Xposer on the Service that have to be removed.
    pub removed: Vec<String>,
    /// The positions of the reproduced Ingresses. Of all but the first one, only hosts and paths are reproduced.
    pub ingresses: Vec<usize>,
    /// The position of the Ingress with the name of the emitted one, which the Service can adopt.
    pub adopts: Option<usize>,
    /// Whether the Ingresses are reproduced completely, as far as they concern this Service.
    pub is_same: bool,
    /// The reasons why the Service is not to be exposed as proposed: the protection of its Ingresses that would be lost, one
    /// sentence each.
    pub open: Vec<String>,
}

/// Quotes a word of a command if the shell needs it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

impl Proposal {
    /// Returns the Service with only its name, the label and the annotations: a strategic merge patch, in which `null` removes an
    /// annotation. It is for kustomize and `kubectl patch`. Do not use it with `kubectl apply --server-side`: if the Service was
    /// applied client-side before, kubectl makes the patch the owner of all its fields, and the next apply removes the fields that
    /// the patch lacks.
    ///
    /// The patch exposes the Service, even if it is [not to be exposed](Self::not_exposed).
    #[must_use]
    pub fn patch(&self) -> Value {
        let mut metadata = Map::new();
        metadata.insert("name".to_owned(), self.service.as_str().into());
        metadata.insert("labels".to_owned(), json!({EXPOSE_LABEL: "true"}));
        if !self.namespace.is_empty() {
            metadata.insert("namespace".to_owned(), self.namespace.as_str().into());
        }
        let mut annotations: Map<String, Value> =
            self.annotations.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
        annotations.extend(self.removed.iter().map(|key| (key.clone(), Value::Null)));
        if !annotations.is_empty() {
            metadata.insert("annotations".to_owned(), annotations.into());
        }
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata})
    }

    /// Returns the given Service with the label and the annotations, even if it is [not to be exposed](Self::not_exposed).
    #[must_use]
    pub fn whole(&self, service: &Value) -> Value {
        let mut whole = service.clone();
        let Some(object) = whole.as_object_mut() else { return whole };
        let metadata = object.entry("metadata").or_insert_with(|| json!({}));
        let Some(metadata) = metadata.as_object_mut() else { return whole };
        let mut add = |field: &str, entries: BTreeMap<String, String>, removed: &[String]| {
            let known = metadata.entry(field).or_insert_with(|| json!({}));
            if !known.is_object() {
                *known = json!({});
            }
            if let Some(known) = known.as_object_mut() {
                removed.iter().for_each(|key| {
                    known.remove(key);
                });
                known.extend(entries.into_iter().map(|(key, value)| (key, value.into())));
            }
        };
        add("labels", BTreeMap::from([(EXPOSE_LABEL.to_owned(), "true".to_owned())]), &[]);
        if !self.annotations.is_empty() || !self.removed.is_empty() {
            add("annotations", self.annotations.clone(), &self.removed);
        }
        whole
    }

    fn name(&self) -> String {
        let name = [&self.namespace, "/", &self.service].concat();
        name.trim_start_matches('/').to_owned()
    }

    /// Returns a sentence with the reasons if the Service is not to be exposed as proposed, because [protection](Self::open) would
    /// be lost.
    #[must_use]
    pub fn not_exposed(&self) -> Option<String> {
        let is_open = !self.open.is_empty();
        is_open.then(|| format!("Service {} is not exposed: {}", self.name(), self.open.join("; ")))
    }

    /// Returns the kubectl commands that add the annotations and the label to the Service, and comments. The label comes last, so
    /// that a running controller does not expose the Service without its protection. If the Service is [not to be
    /// exposed](Self::not_exposed), the commands are comments.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        let namespace = if self.namespace.is_empty() {
            String::new()
        } else {
            format!(" -n {}", quoted(&self.namespace))
        };
        let service = format!("service {}{namespace} --overwrite", quoted(&self.service));
        let mut commands = Vec::new();
        if !self.annotations.is_empty() || !self.removed.is_empty() {
            let given = self.annotations.iter().map(|(key, value)| quoted(&format!("{key}={value}")));
            let removed = self.removed.iter().map(|key| quoted(&format!("{key}-")));
            let words: Vec<String> = given.chain(removed).collect();
            commands.push(format!("kubectl annotate {service} {}", words.join(" ")));
        }
        commands.push(format!("kubectl label {service} {EXPOSE_LABEL}=true"));
        // A comment ends with its line, and a value may have several lines.
        let comment =
            |text: &str| text.lines().map(|line| format!("# {line}")).collect::<Vec<_>>().join("\n");
        if let Some(said) = self.not_exposed() {
            return [said].iter().chain(&commands).map(|text| comment(text)).collect();
        }
        if !self.is_same {
            commands.insert(
                0,
                comment(&format!("Service {}: not all of its Ingress is reproduced", self.name())),
            );
        }
        commands
    }
}

/// Adds the lost protection from the findings to the proposals.
pub(crate) fn set_open(proposals: &mut [Proposal], findings: &[Finding]) {
    let mut errors: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for finding in findings.iter().filter(|it| it.is_loss && it.severity == Severity::Error) {
        if let Object::Ingress(at) = finding.object {
            errors.entry(at).or_default().insert(&finding.message);
        }
    }
    for proposal in proposals {
        let of_own = proposal.ingresses.iter().filter_map(|at| errors.get(at)).flatten();
        proposal.open = of_own.map(|message| (*message).to_owned()).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn command_arguments_are_quoted() {
        for (word, expected) in [
            ("a.b/c=d", "a.b/c=d"),
            ("a=$(rm x)", "'a=$(rm x)'"),
            ("a='b'", r"'a='\''b'\'''"),
            ("", "''"),
            ("a=b\nc", "'a=b\nc'"),
            ("a=~", "'a=~'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
