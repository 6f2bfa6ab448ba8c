//! `import` and `init`: read the Ingresses of the cluster and related objects, and pass them to the code of the command line.

use std::collections::{BTreeMap, BTreeSet};

use kube::api::{Api, ApiResource, DynamicObject};
use serde_json::Value;
use xposer_cli::{Console, Objects, Printer, import_objects, init_objects};
use xposer_live::kinds::{self, Kind};
use xposer_live::servers::ServerKind;
use xposer_live::service::service_resource;
use xposer_manifest::Findings;

use crate::adopt::items;
use crate::args::{ClusterArgs, ImportArgs, Ingresses, InitArgs};
use crate::connect::{Connection, Refusal};
use crate::controller::{self, SettingsError};
use crate::failure::Failure;
use crate::resources;
use crate::session::{CommandError, Exit};
use crate::world::{full_name, servers_not_seen};

/// Prints the annotations for the Services behind Ingresses.
pub(crate) async fn import(
    args: &ImportArgs,
    cluster: &ClusterArgs,
    console: &mut Console<'_>,
) -> Result<Exit, CommandError> {
    let printer = Printer::for_terminal(args.diagnostics, console.terminal);
    let connection = Connection::new(cluster).await?;
    let asked = IngressSelection::new(&connection, &args.ingresses)?;
    let found = match controller::settings(&connection, cluster, asked.scope, console.stdin).await {
        // These are findings like any other, so a program gets them in its format.
        Err(SettingsError::Invalid(findings)) => {
            printer.print(findings, console.stderr)?;
            return Ok(Exit::Unusable);
        }
        found => found?,
    };
    if let Some(settings_source) = found.settings_source.as_ref().filter(|_| args.diagnostics.has_summary()) {
        writeln!(console.stderr, "{settings_source}")?;
        console.stderr.flush()?;
    }
    let mut seen = asked.read().await?;
    seen.notes.splice(..0, found.file.iter().filter_map(|file| file.note().cloned()));
    let settings = (&found.settings, found.file.as_ref());
    Ok(import_objects(&seen.objects(), settings, &args.proposing, printer, console)?)
}

/// Prints or writes the common settings of Ingresses, and the remaining annotations of the Services behind them.
pub(crate) async fn init(
    args: &InitArgs,
    cluster: &ClusterArgs,
    console: &mut Console<'_>,
) -> Result<Exit, CommandError> {
    if cluster.settings.is_some() || cluster.controller.is_some() {
        let failure = Failure::new("error: init proposes settings, and reads none");
        return Err(failure.help("omit them, or see what they do not cover: kubectl xposer import").into());
    }
    let printer = Printer::for_terminal(args.diagnostics, console.terminal);
    let connection = Connection::new(cluster).await?;
    let mut seen = IngressSelection::new(&connection, &args.ingresses)?.read().await?;
    seen.leave_out_services_of_others();
    Ok(init_objects(&seen.objects(), &args.starting, printer, console)?)
}

/// The selection of the user.
struct IngressSelection<'a> {
    connection: &'a Connection,
    /// The names of Ingresses; empty means all.
    names: Vec<String>,
    selector: Option<&'a str>,
    /// The namespace; `None` means all.
    scope: Option<&'a str>,
}

/// Objects by `NAMESPACE/NAME`, in the order in which the API server lists them.
type ByName = BTreeMap<String, Value>;

/// The objects in the cluster.
#[derive(Default)]
struct Seen {
    ingresses: ByName,
    services: ByName,
    classes: ByName,
    /// The Ingresses and Services that were selected by name or by labels; `None` means all.
    chosen: Option<Chosen>,
    notes: Findings,
}

#[derive(Default)]
struct Chosen {
    ingresses: BTreeSet<String>,
    services: BTreeSet<String>,
}

impl<'a> IngressSelection<'a> {
    fn new(connection: &'a Connection, ingresses: &'a Ingresses) -> Result<Self, Failure> {
        let names = resources::ingresses(&ingresses.resources)?;
        let selector = ingresses.selector.as_deref();
        resources::check_selection(&names, ingresses.all_namespaces, selector)?;
        let scope = (!ingresses.all_namespaces).then_some(connection.namespace.as_str());
        Ok(Self { connection, names, selector, scope })
    }

    async fn read(&self) -> Result<Seen, Failure> {
        let mut seen = Seen {
            ingresses: self.list(&kinds::resource(Kind::Ingress), self.scope, None).await?,
            services: self.list(&service_resource(), self.scope, None).await?,
            ..Seen::default()
        };
        let classes = ServerKind::IngressClass.resource();
        match self.list(&classes, None, None).await {
            Ok(found) => seen.classes = found,
            Err(refusal) if refusal.code == 403 => seen.notes.push(servers_not_seen(&[full_name(&classes)])),
            Err(refusal) => return Err(refusal.into()),
        }
        seen.chosen = self.chosen().await?;
        Ok(seen)
    }

    async fn chosen(&self) -> Result<Option<Chosen>, Failure> {
        let mut chosen = Chosen::default();
        let resource = kinds::resource(Kind::Ingress);
        if let Some(selector) = self.selector {
            let names = |found: ByName| found.into_keys().collect();
            chosen.ingresses = names(self.list(&resource, self.scope, Some(selector)).await?);
            chosen.services = names(self.list(&service_resource(), self.scope, Some(selector)).await?);
            return Ok(Some(chosen));
        }
        if self.names.is_empty() {
            return Ok(None);
        }
        let api: Api<DynamicObject> = self.connection.api(&resource, self.scope);
        for name in &self.names {
            let asked = ("get", resource.plural.as_str(), self.scope);
            chosen.ingresses.insert(key(&self.connection.ask(asked, api.get(name)).await?));
        }
        Ok(Some(chosen))
    }

    async fn list(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        selector: Option<&str>,
    ) -> Result<ByName, Refusal> {
        let api: Api<DynamicObject> = self.connection.api(resource, namespace);
        let objects = self.connection.list(&api, &resource.plural, namespace, selector).await?;
        Ok(objects.into_iter().map(|object| (key(&object), as_printed(object, resource))).collect())
    }
}

fn key(object: &DynamicObject) -> String {
    let metadata = &object.metadata;
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    format!("{}/{}", text(&metadata.namespace), text(&metadata.name))
}

/// The object as `kubectl get -o yaml` prints it: with its type, which the items of a list do not have, and without
/// `managedFields`.
fn as_printed(mut object: DynamicObject, resource: &ApiResource) -> Value {
    object.metadata.managed_fields = None;
    let mut value = serde_json::to_value(object).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        fields.insert("apiVersion".to_owned(), resource.api_version.as_str().into());
        fields.insert("kind".to_owned(), resource.kind.as_str().into());
    }
    value
}

impl Seen {
    /// The objects for the command line.
    fn objects(&self) -> Objects {
        let is_chosen = |key: &str| self.chosen.as_ref().is_none_or(|chosen| chosen.ingresses.contains(key));
        let ingresses = self.ingresses.iter().filter(|(key, _)| is_chosen(key)).map(|(_, value)| value);
        let all = ingresses.chain(self.classes.values()).chain(self.services.values()).cloned().collect();
        Objects { all, notes: self.notes.clone() }
    }

    /// Removes the Services that were not selected, so that they are not reported as Services without an Ingress. The remaining
    /// ones are behind a selected Ingress, or were selected themselves and are behind none.
    fn leave_out_services_of_others(&mut self) {
        let Some(chosen) = &self.chosen else { return };
        let behind = |is_meant: &dyn Fn(&String) -> bool| -> BTreeSet<String> {
            let meant = self.ingresses.iter().filter(|(key, _)| is_meant(key));
            meant.flat_map(|(key, ingress)| backends(key, ingress)).collect()
        };
        let of_chosen = behind(&|key| chosen.ingresses.contains(key));
        let of_others = behind(&|key| !chosen.ingresses.contains(key));
        self.services.retain(|key, _| {
            of_chosen.contains(key) || chosen.services.contains(key) && !of_others.contains(key)
        });
    }
}

/// The Services that an Ingress leads to, as `NAMESPACE/NAME`.
fn backends(key: &str, ingress: &Value) -> Vec<String> {
    let namespace = key.split('/').next().unwrap_or_default();
    let paths = items(ingress, "/spec/rules").flat_map(|rule| items(rule, "/http/paths"));
    let names = paths.filter_map(|path| path.pointer("/backend/service/name")?.as_str());
    names.map(|name| format!("{namespace}/{name}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ingress(service: &str) -> Value {
        let backend = json!({"service": {"name": service, "port": {"number": 80}}});
        json!({"spec": {"rules": [{"host": "a.example.com", "http": {"paths": [{"path": "/", "backend": backend}]}}]}})
    }

    fn seen(chosen: Option<(&[&str], &[&str])>) -> Seen {
        let names = |names: &[&str]| names.iter().map(|name| format!("shop/{name}")).collect();
        let ingresses = ["web", "api"].map(|name| (format!("shop/{name}"), ingress(name)));
        let services =
            ["web", "api", "db", "mail"].map(|name| (format!("shop/{name}"), json!({"kind": name})));
        Seen {
            ingresses: ingresses.into(),
            services: services.into(),
            chosen: chosen.map(|(ingresses, services)| Chosen {
                ingresses: names(ingresses),
                services: names(services),
            }),
            ..Seen::default()
        }
    }

    fn left(chosen: Option<(&[&str], &[&str])>) -> Vec<String> {
        let mut seen = seen(chosen);
        seen.leave_out_services_of_others();
        seen.services.into_keys().map(|key| key.replace("shop/", "")).collect()
    }

    #[test]
    fn unselected_services_are_not_reported_without_ingress() {
        assert_eq!(left(None), ["api", "db", "mail", "web"]);
        assert_eq!(left(Some((&["web"], &[]))), ["web"]);
        // Both Services have the label, and the Ingress of `api` does not.
        assert_eq!(left(Some((&["web"], &["api", "db"]))), ["db", "web"]);
        assert_eq!(left(Some((&[], &["db"]))), ["db"]);
    }

    #[test]
    fn only_chosen_ingresses_are_given_and_all_services() {
        let count = |chosen| seen(chosen).objects().all.len();
        assert_eq!((count(None), count(Some((&["web"], &[]))), count(Some((&[], &[])))), (6, 5, 4));
    }

    #[test]
    fn an_object_is_printed_with_its_type_and_without_its_writers() {
        let object: DynamicObject = serde_json::from_value(json!({
            "metadata": {"name": "web", "namespace": "shop", "managedFields": [{"manager": "kubectl"}]}, "spec": {"ports": []},
        }))
        .unwrap();
        assert_eq!(key(&object), "shop/web");
        assert_eq!(
            as_printed(object, &service_resource()),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"ports": []}})
        );
    }
}
