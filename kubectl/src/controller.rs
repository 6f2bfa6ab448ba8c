//! The controller in the cluster: its Deployment, as `deploy/` and the chart create it, and its settings.

use anyhow::Context;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Container, PodSpec, Volume};
use kube::api::Api;
use xposer::Settings;
use xposer::internal::joined;
use xposer_manifest::{File, Findings, SettingsFile};

use crate::args::{ClusterArgs, Namespaced};
use crate::connect::Connection;
use crate::failure::Failure;

/// The label selector of the controller's Deployment.
const SELECTOR: &str = "app.kubernetes.io/name=xposer";
/// The help if it is not known which settings apply.
const NAME_IT: &str =
    "give the settings with --settings FILE, or name the controller with --controller NAMESPACE/NAME";

/// The settings that apply, and their source.
pub(crate) struct AppliedSettings {
    pub(crate) settings: Settings,
    pub(crate) file: Option<SettingsFile>,
    /// The only namespace that the controller watches; `None` for all.
    pub(crate) watched: Option<String>,
    /// Whether the controller writes the URL back on the Services.
    pub(crate) stamps: bool,
    /// The source of the settings, in one line.
    pub(crate) settings_source: Option<String>,
}

/// The reason why there are no settings.
pub(crate) enum SettingsError {
    Failure(Failure),
    /// The settings are invalid.
    Invalid(Findings),
}

impl From<Failure> for SettingsError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Returns the given settings, or the settings of the controller that watches the namespace `scope` (`None`: any).
pub(crate) async fn settings(
    connection: &Connection,
    args: &ClusterArgs,
    scope: Option<&str>,
    stdin: &mut dyn std::io::Read,
) -> Result<AppliedSettings, SettingsError> {
    let Some(path) = &args.settings else {
        return find(connection, args.controller.as_ref(), scope).await;
    };
    let (file, settings) = xposer_cli::read_settings(path, stdin).map_err(SettingsError::Invalid)?;
    Ok(AppliedSettings { settings, file: Some(file), watched: None, stamps: false, settings_source: None })
}

/// Finds the controller that watches the namespace `scope` (`None`: any), and its settings.
async fn find(
    connection: &Connection,
    named: Option<&Namespaced>,
    scope: Option<&str>,
) -> Result<AppliedSettings, SettingsError> {
    let found = match named {
        Some(named) => vec![named_one(connection, named).await?],
        None => list_deployments(connection, scope).await?,
    };
    let mut candidates: Vec<Controller> = found.iter().filter_map(Controller::of).collect();
    if let Some(named) = named
        && candidates.is_empty()
    {
        let Namespaced { namespace, name } = named;
        return Err(Failure::new(format!("error: Deployment {namespace}/{name} has no containers")).into());
    }
    // A controller of another namespace does not matter.
    let is_of_scope =
        |it: &Controller| it.watched.is_none() || scope.is_none() || it.watched.as_deref() == scope;
    if named.is_none() {
        candidates.retain(is_of_scope);
    }
    match candidates.as_slice() {
        [] => Ok(AppliedSettings {
            settings: Settings::default(),
            file: None,
            watched: None,
            stamps: false,
            settings_source: Some(format!(
                "settings: the defaults, because there is no Deployment with the label {SELECTOR}; --settings FILE gives others"
            )),
        }),
        [one] => one.read(connection).await,
        several => {
            let names: Vec<String> = several.iter().map(Controller::place).collect();
            let message = format!("error: there are several controllers: {}", joined(&names, " and "));
            let help = format!(
                "name one with --controller {}, or give the settings with --settings FILE",
                names.first().map_or("NAMESPACE/NAME", String::as_str)
            );
            Err(Failure::new(message).help(help).into())
        }
    }
}

async fn named_one(connection: &Connection, named: &Namespaced) -> Result<Deployment, Failure> {
    let Namespaced { namespace, name } = named;
    let api: Api<Deployment> = Api::namespaced(connection.client.clone(), namespace);
    Ok(connection.ask(("get", "deployments", Some(namespace)), api.get(name)).await?)
}

/// The Deployments of controllers, in all namespaces, or in `scope` if listing all is forbidden.
async fn list_deployments(connection: &Connection, scope: Option<&str>) -> Result<Vec<Deployment>, Failure> {
    let all: Api<Deployment> = Api::all(connection.client.clone());
    let refusal = match connection.list(&all, "deployments", None, Some(SELECTOR)).await {
        Ok(found) => return Ok(found),
        Err(refusal) if refusal.code == 403 => refusal,
        Err(refusal) => return Err(refusal.into()),
    };
    if let Some(namespace) = scope {
        let here: Api<Deployment> = Api::namespaced(connection.client.clone(), namespace);
        let found = connection.list(&here, "deployments", scope, Some(SELECTOR)).await;
        if let Ok(found) = found
            && !found.is_empty()
        {
            return Ok(found);
        }
    }
    let message = format!(
        "error: the controller's settings are not known, because there is no permission to list Deployments\n{}",
        refusal.failure.message
    );
    Err(Failure::new(message).help(NAME_IT))
}

/// The facts from the Deployment of a controller.
struct Controller {
    namespace: String,
    name: String,
    /// The path of the settings in the container.
    settings: Option<String>,
    watched: Option<String>,
    stamps: bool,
    container: Container,
    volumes: Vec<Volume>,
}

/// The source of a file in a container.
#[derive(Debug, PartialEq, Eq)]
struct Key {
    config_map: String,
    key: String,
}

impl Controller {
    /// Returns `None` for a Deployment that is being deleted, or that has no containers.
    fn of(deployment: &Deployment) -> Option<Self> {
        let metadata = &deployment.metadata;
        if metadata.deletion_timestamp.is_some() {
            return None;
        }
        let pod: &PodSpec = deployment.spec.as_ref()?.template.spec.as_ref()?;
        let is_it = |container: &&Container| {
            argument(container, "--settings").is_some() || container.name == "controller"
        };
        let container = pod.containers.iter().find(is_it).or_else(|| pod.containers.first())?;
        Some(Self {
            namespace: metadata.namespace.clone().unwrap_or_default(),
            name: metadata.name.clone().unwrap_or_default(),
            settings: argument(container, "--settings"),
            watched: argument(container, "--namespace"),
            stamps: words(container).any(|word| word == "--stamp"),
            container: container.clone(),
            volumes: pod.volumes.clone().unwrap_or_default(),
        })
    }

    fn place(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    async fn read(&self, connection: &Connection) -> Result<AppliedSettings, SettingsError> {
        let place = self.place();
        let found = |settings, file, settings_source| AppliedSettings {
            settings,
            file,
            watched: self.watched.clone(),
            stamps: self.stamps,
            settings_source: Some(settings_source),
        };
        let Some(path) = &self.settings else {
            let settings_source = format!("settings: the defaults, because Deployment {place} names no file");
            return Ok(found(Settings::default(), None, settings_source));
        };
        let key = self.key(path);
        let key = key.with_context(|| format!("error: the settings of Deployment {place} are not known"));
        let Key { config_map, key } =
            key.map_err(|error| Failure::new(format!("{error:#}")).help(NAME_IT))?;
        let api: Api<ConfigMap> = Api::namespaced(connection.client.clone(), &self.namespace);
        let asked = connection.ask(("get", "configmaps", Some(&self.namespace)), api.get(&config_map)).await;
        let map = asked.map_err(|refusal| Failure { help: Some(NAME_IT.to_owned()), ..refusal.failure })?;
        let data = map.data.unwrap_or_default();
        let map = format!("ConfigMap {}/{config_map}", self.namespace);
        let Some(text) = data.get(&key) else {
            let message =
                format!("error: {map} has no key {key:?}, which Deployment {place} reads as its settings");
            return Err(Failure::new(message).help(NAME_IT).into());
        };
        let name = format!("{map}[{key}]");
        let file = File::of_bytes(name, text.clone().into_bytes());
        let read = file.and_then(|file| SettingsFile::read(file, "kubectl xposer check --settings -"));
        let (file, settings) = read.map_err(SettingsError::Invalid)?;
        let settings_source = format!("settings: {map}, key {key}, of Deployment {place}");
        Ok(found(settings, Some(file), settings_source))
    }

    /// The ConfigMap and the key with the content of a file.
    fn key(&self, path: &str) -> anyhow::Result<Key> {
        let mounts = self.container.volume_mounts.iter().flatten();
        let below = |mount: &str| {
            let rest = path.strip_prefix(mount.trim_end_matches('/'))?;
            if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
        };
        let mount = mounts.filter_map(|mount| Some((mount, below(&mount.mount_path)?)));
        let (mount, file) = mount
            .max_by_key(|(mount, _)| mount.mount_path.len())
            .with_context(|| format!("{path} is in no volume"))?;
        let volume = self.volumes.iter().find(|volume| volume.name == mount.name);
        let source = volume.and_then(|volume| volume.config_map.as_ref());
        let source =
            source.with_context(|| format!("the volume {} of {path} is no ConfigMap", mount.name))?;
        let part = mount.sub_path.as_deref().unwrap_or_default();
        let file = [part, file].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("/");
        let mut items = source.items.iter().flatten();
        let key = match &source.items {
            None => file,
            Some(_) => items
                .find(|item| item.path == file)
                .map(|item| item.key.clone())
                .with_context(|| format!("the volume {} has no file {file}", mount.name))?,
        };
        Ok(Key { config_map: source.name.clone(), key })
    }
}

/// The words of the command line of a container.
fn words(container: &Container) -> impl Iterator<Item = &str> {
    container.command.iter().chain(&container.args).flatten().map(String::as_str)
}

/// The value of an argument: `--settings FILE` or `--settings=FILE`.
fn argument(container: &Container, name: &str) -> Option<String> {
    let mut words = words(container);
    while let Some(word) = words.next() {
        match word.strip_prefix(name) {
            Some("") => return words.next().map(str::to_owned),
            Some(value) if value.starts_with('=') => return value.strip_prefix('=').map(str::to_owned),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use xposer_manifest::load;

    use super::*;

    fn deployed() -> Value {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/controller/deployment.yaml");
        let text = std::fs::read_to_string(file).unwrap();
        load(&text).unwrap().remove(0).value
    }

    fn controller(deployment: Value) -> Controller {
        Controller::of(&serde_json::from_value(deployment).unwrap()).unwrap()
    }

    const POD: &str = "/spec/template/spec";

    #[test]
    fn the_settings_of_the_deployed_controller_are_found() {
        let it = controller(deployed());
        assert_eq!(
            (it.place().as_str(), it.stamps, &it.watched),
            ("xposer-system/xposer-controller", false, &None)
        );
        let key = it.key(&it.settings.clone().unwrap()).unwrap();
        assert_eq!(key, Key { config_map: "xposer-controller-settings".into(), key: "settings.yaml".into() });
    }

    #[test]
    fn arguments_items_and_parts_of_volumes_are_read() {
        let mut other = deployed();
        let pod = other.pointer_mut(POD).unwrap();
        pod["containers"][0]["args"] =
            json!(["--settings", "/etc/xposer/own/s.yaml", "--namespace=shop", "--stamp"]);
        pod["volumes"][0]["configMap"]["items"] = json!([{"key": "a", "path": "own/s.yaml"}]);
        let it = controller(other.clone());
        assert!(it.stamps && it.watched.as_deref() == Some("shop"));
        assert_eq!(it.key("/etc/xposer/own/s.yaml").unwrap().key, "a");
        assert!(it.key("/etc/xposer/other").unwrap_err().to_string().contains("has no file"));
        assert!(it.key("/etc/xposering").unwrap_err().to_string().contains("in no volume"));
        let pod = other.pointer_mut(POD).unwrap();
        pod["volumes"][0] = json!({"name": "settings", "secret": {"secretName": "x"}});
        assert!(
            controller(other.clone())
                .key("/etc/xposer/s")
                .unwrap_err()
                .to_string()
                .contains("is no ConfigMap")
        );
        let pod = other.pointer_mut(POD).unwrap();
        pod["volumes"][0] = json!({"name": "settings", "configMap": {"name": "m"}});
        pod["containers"][0]["volumeMounts"] =
            json!([{"name": "settings", "mountPath": "/s.yaml", "subPath": "t.yaml"}]);
        assert_eq!(controller(other).key("/s.yaml").unwrap().key, "t.yaml");
    }

    #[test]
    fn a_deployment_that_goes_does_not_count() {
        let mut gone = deployed();
        gone["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        assert!(Controller::of(&serde_json::from_value(gone).unwrap()).is_none());
    }
}
