//! `adopt`: hands an object over to a Service. Everything is checked first, and then one annotation is written.

mod losses;

use kube::api::{Patch, PatchParams};
use serde_json::json;
use xposer::Outcome;
use xposer::internal::joined;
use xposer::service::ADOPT_ANNOTATION;
use xposer_cli::Console;
use xposer_live::document::Document;
use xposer_live::keys::{ObjectKey, ServiceKey};
use xposer_live::kinds::{self, Kind};
use xposer_live::object::{FIELD_MANAGER, Observed, Ownership};
use xposer_live::plan::{Decision, DecisionResult, Desired};
use xposer_manifest::{Finding, Findings};

use crate::args::{AdoptArgs, ClusterArgs, DryRun, Selection};
use crate::connect::Connection;
use crate::diff::{self, Change};
use crate::failure::Failure;
use crate::resources;
use crate::session::{CommandError, Exit, read, text};
use crate::world::{ClusterObjects, Scope};
pub(crate) use losses::items;
use losses::{lost_paths, lost_protections};

/// The field manager of the annotation.
const MANAGER: &str = "kubectl-xposer";

/// Checks, shows the difference, and writes the annotation.
pub(crate) async fn adopt(
    args: &AdoptArgs,
    cluster: &ClusterArgs,
    console: &mut Console<'_>,
) -> Result<Exit, CommandError> {
    let (kind, name) = resources::object(&args.object)?;
    let service_name = resources::service_name(&args.service)?;
    let connection = Connection::new(cluster).await?;
    let namespace = connection.namespace.as_str();
    let resource = kinds::resource(kind);
    let api = connection.api::<Document>(&resource, Some(namespace));
    let asked = ("get", resource.plural.as_str(), Some(namespace));
    let document = connection.ask(asked, api.get(&name)).await.map_err(Failure::from)?;
    let selection = Selection { resources: vec![format!("svc/{service_name}")], ..Selection::default() };
    let wanted = Scope { selection: &selection, everything: false };
    let world = read(&connection, cluster, &wanted, console).await?;

    let service = ServiceKey::new(namespace, &args.service);
    let key = ObjectKey { kind, namespace: namespace.into(), name: name.as_str().into() };
    let decisions = diff::decisions(&world);
    let decision = decisions.iter().find(|decision| decision.key == service);
    let uid = world.entry(&service).map(|entry| &*entry.stored.uid).unwrap_or_default();
    let wants = decision.and_then(|decision| diff::desired(decision).find(|it| it.key == key));
    let observed = Observed::new(&document);
    let mut wrong = of_service(&world, &service, &key, decision, wants);
    if let Some(observed) = &observed
        && observed.ownership(&service, uid) == Ownership::Ours
    {
        let object = named(kind, &name);
        writeln!(console.stdout, "{object} belongs to Service {service} already")?;
        return Ok(Exit::Done);
    }
    wrong.extend(of_object(&document, observed.as_ref(), &service, &key));
    let Some(Desired { body, .. }) = wants.filter(|_| wrong.is_empty()) else {
        text(console).print(wrong, console.stderr)?;
        let is_refused = world.outcome(&service).is_some_and(Outcome::is_refused);
        return Ok(if is_refused { Exit::Refused } else { Exit::Unusable });
    };

    let (before, after) = diff::handed_over(&document, body);
    let change = Change { verb: "adopt", object: key.to_string(), before: Some(before), after: Some(after) };
    write!(console.stdout, "{}", change.to_text())?;
    console.stdout.flush()?;
    let mut warnings = other_writers(&document, &key);
    warnings.extend(lost_paths(kind, &document, body, &args.service));
    let lost = lost_protections(kind, &document, body);
    let is_handed_over =
        observed.as_ref().is_some_and(|it| it.adoptable_by.as_deref() == Some(args.service.as_str()));
    let is_refused = !lost.is_empty() && !args.force && !is_handed_over;
    warnings.extend(lost.iter().map(|it| {
        let message = format!("{key} {it}");
        if is_handed_over {
            let help = format!("it is handed over already; to undo that: {}", take_back(&key));
            return Finding::warning(message).help(help);
        }
        if args.force {
            return Finding::warning(message);
        }
        Finding::input(message).help(format!(
            "add it to the Service, as `kubectl xposer import` proposes, or accept the loss with --force; nothing is written to {key}"
        ))
    }));
    text(console).print(warnings, console.stderr)?;
    if is_refused {
        return Ok(Exit::Unusable);
    }
    write_annotation(args, &connection, &document, &key, console).await
}

/// Writes the annotation, on condition that the object still has the version that was checked.
async fn write_annotation(
    args: &AdoptArgs,
    connection: &Connection,
    document: &Document,
    key: &ObjectKey,
    console: &mut Console<'_>,
) -> Result<Exit, CommandError> {
    let object = named(key.kind, &key.name);
    let annotation = document.metadata.annotations.as_ref().and_then(|all| all.get(ADOPT_ANNOTATION));
    if annotation.is_some_and(|name| *name == args.service) {
        writeln!(console.stdout, "{object} not annotated, because it has the annotation already")?;
        return Ok(Exit::Done);
    }
    let suffix = match args.dry_run {
        DryRun::Client => " (dry run)",
        DryRun::Server => " (server dry run)",
        DryRun::None => "",
    };
    if args.dry_run != DryRun::Client {
        let metadata = json!({
            "resourceVersion": document.metadata.resource_version,
            "annotations": {ADOPT_ANNOTATION: args.service},
        });
        let parameters = PatchParams {
            dry_run: args.dry_run == DryRun::Server,
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let resource = kinds::resource(key.kind);
        let api = connection.api::<Document>(&resource, Some(&key.namespace));
        let patch = Patch::Merge(json!({"metadata": metadata}));
        let asked = ("patch", resource.plural.as_str(), Some(&*key.namespace));
        let written = connection.ask(asked, api.patch(&key.name, &parameters, &patch)).await;
        written.map_err(|refusal| match refusal.code {
            409 => refusal.failure.help("it has changed since it was checked: repeat the command"),
            _ => refusal.failure,
        })?;
    }
    writeln!(console.stdout, "{object} annotated{suffix}")?;
    if args.dry_run == DryRun::None {
        let (service, namespace) = (&args.service, &key.namespace);
        writeln!(
            console.stderr,
            "A running controller adopts it now; the Event Adopted confirms it: kubectl describe service {service} -n {namespace}"
        )?;
    }
    Ok(Exit::Done)
}

/// The object in kubectl's notation: `ingress.networking.k8s.io/web`.
fn named(kind: Kind, name: &str) -> String {
    format!("{}.{}/{name}", kind.row().name.to_lowercase(), kind.group())
}

/// The command that removes the annotation.
fn take_back(key: &ObjectKey) -> String {
    let kind = key.kind.row().name.to_lowercase();
    format!("kubectl annotate {kind} {} {ADOPT_ANNOTATION}- -n {}", key.name, key.namespace)
}

/// The reasons on the side of the Service why it cannot have the object.
fn of_service(
    world: &ClusterObjects,
    service: &ServiceKey,
    key: &ObjectKey,
    decision: Option<&Decision>,
    wants: Option<&Desired>,
) -> Findings {
    let mut wrong = Findings::new();
    if world.entry(service).is_some_and(|entry| entry.stored.terminating) {
        let message = format!("Service {service} is being deleted, so it cannot adopt an object");
        wrong.push(Finding::input(message).help("wait until it is gone, and create it again"));
        return wrong;
    }
    match decision.map(|decision| &decision.result) {
        None => wrong.push(
            Finding::input(format!("Service {service} does not ask to be exposed, so it has no objects"))
                .help(format!(
                    "label it first: kubectl label --overwrite service {} expose=true -n {}",
                    service.name, service.namespace
                )),
        ),
        Some(DecisionResult::Refused | DecisionResult::Conflicted) => {
            wrong.push(Finding::input(format!("Service {service} is refused, so it has no objects")));
            wrong.extend(world.findings());
        }
        Some(DecisionResult::Exposed(exposed)) if wants.is_none() => {
            let names: Vec<String> = exposed.desired.iter().map(|it| it.key.to_string()).collect();
            let of_kind = exposed.desired.iter().find(|it| it.key.kind == key.kind);
            let finding =
                Finding::input(format!("Service {service} has no {key}, but {}", joined(&names, " and ")));
            wrong.push(finding.help(match of_kind {
                Some(_) => format!(
                    "give the object of the Service this name: kubectl annotate --overwrite service {} config.xposer.stakater.com/IngressNameTemplate={} -n {}",
                    service.name, key.name, service.namespace
                ),
                None => "choose an object of a kind that the Service has, or change its targets".to_owned(),
            }));
        }
        Some(DecisionResult::Exposed(_)) => {}
    }
    wrong
}

/// The reasons on the side of the object why the controller would not adopt it.
fn of_object(
    document: &Document,
    observed: Option<&Observed>,
    service: &ServiceKey,
    key: &ObjectKey,
) -> Findings {
    let mut wrong = Findings::new();
    let metadata = &document.metadata;
    if metadata.deletion_timestamp.is_some() {
        wrong.push(
            Finding::input(format!("{key} is being deleted"))
                .help("wait until it is gone; the controller then creates its own"),
        );
    }
    let owners = metadata.owner_references.iter().flatten();
    for owner in owners.filter(|owner| owner.controller == Some(true)) {
        wrong.push(
            Finding::input(format!(
                "{key} belongs to {} {}, which its ownerReferences name as its controller",
                owner.kind, owner.name
            ))
            .help("remove that owner; the controller adopts no object that another controller owns"),
        );
    }
    let Some(observed) = observed else { return wrong };
    if observed.labelled && *observed.service != *service && observed.managed {
        wrong.push(
            Finding::input(format!("{key} is an object of Service {}", observed.service))
                .help("change the name or the target of that Service, or remove its label"),
        );
    }
    if let Some(other) = observed.adoptable_by.as_deref().filter(|name| *name != &*service.name) {
        wrong.push(
            Finding::input(format!("{key} is handed over to Service {other} already"))
                .help(format!("undo that first: {}", take_back(key))),
        );
    }
    wrong
}

/// Other managers that have written the object, and would revert the controller's changes.
fn other_writers(document: &Document, key: &ObjectKey) -> Findings {
    let metadata = &document.metadata;
    let mut others: Vec<String> = Vec::new();
    let labels = metadata.labels.as_ref();
    if let Some(by) = labels.and_then(|labels| labels.get(xposer::service::MANAGED_BY_LABEL)) {
        others.push(format!("{by} (label)"));
    }
    for entry in metadata.managed_fields.iter().flatten().filter(|entry| entry.subresource.is_none()) {
        let manager = entry.manager.as_deref().unwrap_or_default();
        if ![FIELD_MANAGER, MANAGER].contains(&manager) && !others.iter().any(|known| known == manager) {
            others.push(manager.to_owned());
        }
    }
    if others.is_empty() {
        return Findings::new();
    }
    let message = format!("{key} was written by {}", joined(&others, " and "));
    vec![
        Finding::info(message)
            .help("stop the program that applies it, or it overwrites the changes of the controller"),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{ClusterObjects, ObjectKey, ServiceKey, of_service};
    use xposer_live::kinds::Kind;

    /// Kubernetes would delete the object together with the Service.
    #[test]
    fn a_service_that_is_being_deleted_takes_no_object() {
        let mut service = json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]},
            "metadata": {"name": "web", "namespace": "shop", "uid": "1", "labels": {"expose": "true"},
                "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "shop.example.com"}}});
        let key = ObjectKey { kind: Kind::Ingress, namespace: "shop".into(), name: "web".into() };
        let wrong = |service: &Value| {
            let world = ClusterObjects::of(std::slice::from_ref(service), xposer::Settings::default());
            let decisions = crate::diff::decisions(&world);
            let wants = decisions.iter().flat_map(crate::diff::desired).next();
            let wrong = of_service(&world, &ServiceKey::new("shop", "web"), &key, decisions.first(), wants);
            format!("{wrong:?}")
        };
        assert_eq!(wrong(&service), "[]");
        service["metadata"]["deletionTimestamp"] = json!("2026-01-02T00:00:00Z");
        let wrong = wrong(&service);
        assert!(wrong.contains("Service shop/web is being deleted, so it cannot adopt an object"), "{wrong}");
    }
}
