//! `diff`: the changes that the controller would make. The cluster is only read, and compared in the same way as in the controller.

mod compared;
mod fields;
mod urls;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use xposer::Severity;
use xposer::emit::stamp;
use xposer::internal::joined;
use xposer::service::ADOPT_ANNOTATION;
use xposer_cli::Console;
use xposer_live::document::Document;
use xposer_live::keys::{ObjectKey, ServiceKey};
use xposer_live::kinds::{self, Kind};
use xposer_live::object::{Observed, Ownership, is_as_desired};
use xposer_live::plan::{Decision, DecisionResult, Desired, Exposed, Member, decide};
use xposer_live::service::StoredService;
use xposer_manifest::Finding;

use crate::args::{ClusterArgs, DiffArgs};
use crate::connect::Connection;
use crate::failure::Failure;
use crate::session::{CommandError, Exit, read, text};
use crate::world::{ClusterObjects, Entry, Scope};

pub(crate) use compared::Change;
use compared::Compared;
pub(crate) use fields::handed_over;

/// Prints the changes.
pub(crate) async fn diff(
    args: &DiffArgs,
    cluster: &ClusterArgs,
    console: &mut Console<'_>,
) -> Result<Exit, CommandError> {
    let connection = Connection::new(cluster).await?;
    let wanted = Scope { selection: &args.selection, everything: false };
    let world = read(&connection, cluster, &wanted, console).await?;
    let decisions = decisions(&world);
    let wants: BTreeSet<&ObjectKey> = decisions.iter().flat_map(desired).map(|it| &it.key).collect();
    let objects = Objects::read(&connection, &world, &wants).await?;

    let mut compared = Compared::default();
    for decision in decisions.iter().filter(|it| world.is_chosen(&it.key)) {
        compared.service(decision, &world, &objects);
    }
    compared.no_longer_asked(&world, &objects);
    urls::compare(&connection, &world, &decisions, &mut compared).await?;

    for change in &compared.changes {
        write!(console.stdout, "{}", change.to_text())?;
    }
    console.stdout.flush()?;
    text(console).print(compared.notes, console.stderr)?;
    Ok(if compared.changes.is_empty() { Exit::Done } else { Exit::Refused })
}

/// The decisions about all Services by a controller that starts now. A Service that is being deleted gets no new claims: it is
/// decided as refused, so its objects stay.
pub(crate) fn decisions(world: &ClusterObjects) -> Vec<Decision> {
    let asking = world.entries.iter().zip(&world.outcomes);
    let asking = asking.filter(|(_, outcome)| !matches!(outcome, xposer::Outcome::NotExposed { .. }));
    let asking: Vec<(&Arc<ServiceKey>, Cow<'_, StoredService>)> =
        asking.map(|(entry, _)| (&entry.key, counted(entry))).collect();
    let members: Vec<Member<'_>> =
        asking.iter().map(|(key, stored)| Member { key: (*key).clone(), stored }).collect();
    decide(&members, &[], &world.settings)
}

/// A Service as a controller sees it that has not seen it before.
fn counted(entry: &Entry) -> Cow<'_, StoredService> {
    if entry.stored.terminating {
        Cow::Owned(entry.stored.clone().ending(None))
    } else {
        Cow::Borrowed(&entry.stored)
    }
}

/// The desired objects of a Service.
pub(crate) fn desired(decision: &Decision) -> impl Iterator<Item = &Desired> {
    let exposed = match &decision.result {
        DecisionResult::Exposed(exposed) => exposed.desired.as_slice(),
        DecisionResult::Refused | DecisionResult::Conflicted => &[],
    };
    exposed.iter()
}

/// The relevant objects of the cluster: the desired ones, and those with marks of Xposer.
#[derive(Default)]
struct Objects {
    all: BTreeMap<ObjectKey, (Document, Option<Observed>)>,
    /// The keys of the objects with marks, by the Service that they belong to.
    of_service: BTreeMap<Arc<ServiceKey>, Vec<ObjectKey>>,
    /// The kinds that the cluster does not serve.
    not_served: BTreeSet<Kind>,
    /// The kinds whose objects may not be listed.
    not_seen: Vec<&'static str>,
}

impl Objects {
    async fn read(
        connection: &Connection,
        world: &ClusterObjects,
        wants: &BTreeSet<&ObjectKey>,
    ) -> Result<Self, Failure> {
        let mut objects = Self::default();
        let scope = world.scope.as_deref();
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::ConfigMap) {
            let api = connection.api::<Document>(&kinds::resource(kind), scope);
            match connection.list(&api, kind.row().plural, scope, None).await {
                Ok(documents) => {
                    documents.into_iter().for_each(|document| objects.add(kind, document, wants));
                }
                Err(refusal) if refusal.code == 404 => {
                    objects.not_served.insert(kind);
                }
                // Roles usually permit only the kinds that are used.
                Err(refusal) if refusal.code == 403 && !wants.iter().any(|key| key.kind == kind) => {
                    objects.not_seen.push(kind.row().plural);
                }
                Err(refusal) => return Err(refusal.into()),
            }
        }
        Ok(objects)
    }

    fn add(&mut self, kind: Kind, document: Document, wants: &BTreeSet<&ObjectKey>) {
        let key = ObjectKey::of(kind, &document.metadata);
        let observed = Observed::new(&document);
        if observed.is_none() && !wants.contains(&key) {
            return;
        }
        if let Some(observed) = &observed {
            self.of_service.entry(observed.service.clone()).or_default().push(key.clone());
        }
        self.all.insert(key, (document, observed));
    }

    /// The objects of a Service that may be deleted if the Service does not need them.
    fn deletable(&self, service: &ServiceKey) -> impl Iterator<Item = (&ObjectKey, &Document, &Observed)> {
        let keys = self.of_service.get(service).into_iter().flatten();
        keys.filter_map(|key| {
            let (document, observed) = self.all.get(key)?;
            observed.as_ref().filter(|it| it.is_deletable()).map(|observed| (key, document, observed))
        })
    }
}

impl Compared {
    fn service(&mut self, decision: &Decision, world: &ClusterObjects, objects: &Objects) {
        let Some(entry) = world.entry(&decision.key) else { return };
        // Kubernetes deletes the objects of such a Service.
        if entry.stored.terminating {
            return;
        }
        let uid = &*entry.stored.uid;
        let nothing = Vec::new();
        let wants = match &decision.result {
            DecisionResult::Refused => {
                self.refused(decision, "stay as they are");
                return;
            }
            DecisionResult::Conflicted => {
                self.refused(decision, "be deleted, because another Service has the same host, path or name");
                &nothing
            }
            DecisionResult::Exposed(exposed) => {
                self.stamp(decision, exposed, entry.stored.document(), world);
                &exposed.desired
            }
        };
        let is_complete = self.objects(decision, wants, uid, objects);
        if !is_complete {
            // Old objects are deleted only if every new one can be applied.
            return;
        }
        for (key, document, observed) in objects.deletable(&decision.key) {
            if observed.owner.as_deref() == Some(uid) && !wants.iter().any(|it| it.key == *key) {
                self.delete(key, document);
            }
        }
    }

    /// Reports that a Service is refused, and the consequence for its objects.
    fn refused(&mut self, decision: &Decision, objects: &str) {
        let error = decision.diagnostics.iter().find(|it| it.severity == Severity::Error);
        let why = error.map(|it| it.message.as_str()).unwrap_or_default();
        let key = &decision.key;
        let message = format!("Service {key} is refused, so its objects would {objects}: {why}");
        let help = format!("for all problems: kubectl xposer explain svc/{} -n {}", key.name, key.namespace);
        self.notes.push(Finding::warning(message).help(help));
    }

    /// Compares the objects of a Service. Returns whether all of them can be written.
    fn objects(&mut self, decision: &Decision, wants: &[Desired], uid: &str, objects: &Objects) -> bool {
        let mut sorted: Vec<&Desired> = wants.iter().collect();
        sorted.sort_by_key(|it| !kinds::is_auxiliary(it.key.kind));
        let mut withheld = BTreeSet::<Kind>::new();
        let mut is_complete = true;
        for Desired { key, body, .. } in sorted {
            // Without an object that it needs, the object would be unprotected.
            let mut allowed = |change: Change| {
                if !withheld.contains(&key.kind) {
                    self.changes.push(change);
                }
            };
            let change =
                |verb, before| Change { verb, object: key.to_string(), before, after: Some(body.clone()) };
            let blocked = if objects.not_served.contains(&key.kind) {
                let name = key.kind.as_str();
                Some(
                    Finding::warning(format!("the cluster has no {name}, so {key} would not be written"))
                        .help(format!("install the definition of {name}, or choose another target")),
                )
            } else {
                match objects.all.get(key) {
                    None => {
                        allowed(change("create", None));
                        None
                    }
                    Some((document, observed)) => {
                        let ownership = observed.as_ref().map(|it| it.ownership(&decision.key, uid));
                        match ownership {
                            _ if document.metadata.deletion_timestamp.is_some() => None,
                            Some(Ownership::Ours) if is_as_desired(document, body) => None,
                            Some(Ownership::Ours) => {
                                allowed(change("update", Some(fields::relevant(document, body))));
                                None
                            }
                            Some(Ownership::Adoptable) => {
                                let (before, after) = handed_over(document, body);
                                allowed(Change { after: Some(after), ..change("adopt", Some(before)) });
                                None
                            }
                            Some(Ownership::Foreign) | None => Some(foreign(key, &decision.key)),
                        }
                    }
                }
            };
            if let Some(note) = blocked {
                is_complete = false;
                withheld.extend(kinds::needed_by(key.kind));
                self.notes.push(note);
            }
        }
        is_complete
    }

    /// The objects of Services that no longer request exposure.
    fn no_longer_asked(&mut self, world: &ClusterObjects, objects: &Objects) {
        let asking: BTreeSet<&Arc<ServiceKey>> = world.asking().collect();
        for service in objects.of_service.keys() {
            if asking.contains(service) || !world.is_chosen(service) {
                continue;
            }
            for (key, document, _) in objects.deletable(service) {
                self.delete(key, document);
            }
        }
        if !objects.not_seen.is_empty() {
            let message = format!(
                "there is no permission to list {}, so it is not known whether some would be deleted",
                joined(&objects.not_seen, " and ")
            );
            self.notes.push(Finding::warning(message));
        }
    }

    fn delete(&mut self, key: &ObjectKey, document: &Document) {
        let before = fields::whole(key.kind, document);
        self.changes.push(Change {
            verb: "delete",
            object: key.to_string(),
            before: Some(before),
            after: None,
        });
    }

    /// The annotations that are written back on the Service.
    fn stamp(&mut self, decision: &Decision, exposed: &Exposed, document: Value, world: &ClusterObjects) {
        if !world.stamps || !world.settings.stamp() {
            return;
        }
        let mut after = document.clone();
        if stamp::write(&mut after, exposed.stamp.as_ref()) {
            let object = format!("Service {}", decision.key);
            self.changes.push(Change { verb: "update", object, before: Some(document), after: Some(after) });
        }
    }
}

/// The notice of the controller about an object of another owner.
fn foreign(key: &ObjectKey, service: &ServiceKey) -> Finding<'static> {
    let row = key.kind.row();
    let command = format!(
        "kubectl xposer adopt {}/{} --service {} -n {}",
        row.name.to_lowercase(),
        key.name,
        service.name,
        key.namespace
    );
    Finding::warning(format!("{key} belongs to another owner and would not be changed"))
        .help(format!("choose another name, or hand it over (annotation {ADOPT_ANNOTATION}): {command}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use xposer::Settings;

    use super::*;

    fn service(name: &str, second: u32) -> Value {
        json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]},
            "metadata": {"name": name, "namespace": "shop", "uid": name, "labels": {"expose": "true"},
                "creationTimestamp": format!("2026-01-01T00:00:0{second}Z"),
                "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "shop.example.com",
                    "xposer.stakater.com/annotations": "exposeIngressUrl: locally"}}})
    }

    /// The same as the dry run of the controller, which also does not know the earlier claims.
    #[test]
    fn a_service_that_is_being_deleted_takes_nothing() {
        let mut old = service("old", 1);
        let new = service("new", 2);
        let decided = |old: &Value| {
            let world = ClusterObjects::of(&[old.clone(), new.clone()], Settings::default());
            let decisions = decisions(&world);
            let exposed: Vec<String> =
                decisions.iter().flat_map(desired).map(|it| it.key.to_string()).collect();
            let mut compared = Compared::default();
            let objects = Objects::default();
            decisions.iter().for_each(|decision| compared.service(decision, &world, &objects));
            compared.no_longer_asked(&world, &objects);
            let published = decisions
                .iter()
                .filter_map(urls::published)
                .map(|(_, it)| it.key.clone())
                .collect::<Vec<String>>();
            let changed: Vec<String> =
                compared.changes.iter().map(|it| format!("{} {}", it.verb, it.object)).collect();
            (exposed, published, changed, compared.notes.len())
        };
        let of = |name: &str| {
            (
                vec![format!("Ingress shop/{name}")],
                vec![format!("{name}-shop")],
                vec![format!("create Ingress shop/{name}")],
            )
        };
        let (exposed, published, changed, notes) = decided(&old);
        assert_eq!(((exposed, published, changed), notes), (of("old"), 1));
        old["metadata"]["deletionTimestamp"] = json!("2026-01-02T00:00:00Z");
        let (exposed, published, changed, notes) = decided(&old);
        assert_eq!(((exposed, published, changed), notes), (of("new"), 0));
    }
}
