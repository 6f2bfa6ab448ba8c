//! Objects that a host uses instead of a cluster, and the way Kubewarden's host gets one of them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use xposer::conflicts::{
    BucketHash, Buckets, Holders, SHARD_LABELS, SHARD_VERSION, SHARDS, Shard, ShardState, bucket_of_name,
    config_map,
};
use xposer::{Service, Settings, expose, testing};

use crate::cases::parse;
use crate::host::HostCall;

/// The number of Services in each namespace of [`spread`].
pub const EACH: usize = 10;

/// Returns the namespace of the Service with this number, so that each namespace has ten Services.
#[must_use]
pub fn spread(number: usize) -> String {
    format!("team-{}", number / EACH)
}

/// Returns the claims of this many Services, each with a host of its own; `namespace` returns the namespace of each.
///
/// # Errors
///
/// The core cannot plan such a Service.
pub fn holders(count: usize, namespace: &dyn Fn(usize) -> String) -> Result<Holders> {
    let settings =
        Settings::from_value(&json!({"domain": "example.com"})).map_err(|report| anyhow!("{report}"))?;
    let mut holders = Holders::new();
    for number in 0..count {
        let service = testing::service_named(&namespace(number), &format!("web-{number}"), &[]);
        let outcome = expose(&Service::from_value(&service), &settings);
        let plan = outcome.plan().context("the Service is in order")?;
        for claim in plan.claim_texts() {
            holders.entry(claim.text).or_default().push(plan.holder("2026-01-01T00:00:00Z"));
        }
    }
    Ok(holders)
}

/// Objects, by the key of a request for them.
#[derive(Clone, Debug, Default)]
pub struct Cluster(BTreeMap<Wanted, Value>);

/// The API version, the kind, the namespace and the name of an object.
type Wanted = (String, String, Option<String>, String);

impl Cluster {
    /// Reads the objects of a file, or of all files of a folder that end with `.yaml`, `.yml` or `.json`.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or is not YAML.
    pub fn read(path: &Path) -> Result<Self> {
        let mut files = vec![path.to_path_buf()];
        if path.is_dir() {
            files = path.read_dir()?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
            files.retain(|file| xposer_manifest::is_manifest(file));
        }
        let mut cluster = Self::default();
        for file in files {
            let in_file = || file.display().to_string();
            let text = std::fs::read_to_string(&file).with_context(in_file)?;
            parse(&text).with_context(in_file)?.into_iter().for_each(|object| cluster.add(object));
        }
        Ok(cluster)
    }

    /// Creates the ConfigMaps with these claims in this namespace, written at this time; all shards exist.
    #[must_use]
    pub fn of_claims(namespace: &str, written: &str, holders: &Holders) -> Self {
        let mut shards: BTreeMap<u64, Buckets> = (0..SHARDS).map(|number| (number, Buckets::new())).collect();
        for (text, held) in holders {
            let bucket = BucketHash::of(&bucket_of(text));
            let claims = shards.entry(bucket.shard()).or_default().entry(bucket.key()).or_default();
            claims.insert(text.clone(), held.clone());
        }
        let mut cluster = Self::default();
        for (number, buckets) in shards {
            let state =
                ShardState { version: SHARD_VERSION, written: written.to_owned(), ..ShardState::default() };
            let data = Shard { state, buckets }.data();
            cluster.add(json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data,
                "metadata": {"namespace": namespace, "name": config_map(number), "labels": BTreeMap::from(SHARD_LABELS)}}));
        }
        cluster
    }

    /// Adds an object, or replaces the object with the same name; of a list, all items are added.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer_testkit::cluster::Cluster;
    /// use xposer_testkit::host::HostCall;
    /// let mut cluster = Cluster::default();
    /// cluster.add(json!({"apiVersion": "v1", "kind": "List", "items": [
    ///     {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "a"}}]}));
    /// // As the API server gives it.
    /// cluster.add(json!({"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": {"namespace": "shop", "name": "b"}}]}));
    /// for name in ["a", "b"] {
    ///     let asked = json!({"api_version": "v1", "kind": "ConfigMap", "namespace": "shop", "name": name});
    ///     let call = HostCall { binding: "kubewarden".to_owned(), namespace: "kubernetes".to_owned(),
    ///         operation: "get_resource".to_owned(), payload: asked.to_string().into_bytes() };
    ///     assert!(cluster.reply(&call).is_ok(), "{name}");
    /// }
    /// ```
    pub fn add(&mut self, mut object: Value) {
        let of_list = object.get("kind").and_then(Value::as_str).and_then(|kind| kind.strip_suffix("List"));
        if let Some(kind) = of_list.map(str::to_owned)
            && let Some(Value::Array(items)) = object.get_mut("items").map(Value::take)
        {
            let version = object.get("apiVersion").cloned().unwrap_or_default();
            for mut item in items {
                // The API server omits the kind of the items.
                if let (Value::Object(fields), false) = (&mut item, kind.is_empty()) {
                    fields.entry("apiVersion").or_insert_with(|| version.clone());
                    fields.entry("kind").or_insert_with(|| kind.as_str().into());
                }
                self.add(item);
            }
            return;
        }
        let word = |path: &str| object.pointer(path).and_then(Value::as_str).map(str::to_owned);
        let wanted = (
            word("/apiVersion").unwrap_or_default(),
            word("/kind").unwrap_or_default(),
            word("/metadata/namespace"),
            word("/metadata/name").unwrap_or_default(),
        );
        self.0.insert(wanted, object);
    }

    /// Returns the answer of Kubewarden's host.
    ///
    /// # Errors
    ///
    /// There is no such object, in the host's words, or the call is not `get_resource`.
    pub fn reply(&self, call: &HostCall) -> Result<Vec<u8>, String> {
        if (call.namespace.as_str(), call.operation.as_str()) != ("kubernetes", "get_resource") {
            return Err(format!("there is nothing to answer {}/{} with", call.namespace, call.operation));
        }
        let asked: Value = serde_json::from_slice(&call.payload).map_err(|error| error.to_string())?;
        let word = |key: &str| asked.get(key).and_then(Value::as_str).map(str::to_owned);
        let (version, kind) = (word("api_version").unwrap_or_default(), word("kind").unwrap_or_default());
        let (namespace, name) = (word("namespace"), word("name").unwrap_or_default());
        let wanted = (version, kind, namespace, name);
        self.0.get(&wanted).map(|object| object.to_string().into_bytes()).ok_or_else(|| {
            let (version, kind, namespace, name) = wanted;
            format!("Cannot find {version}/{kind} named '{name}' inside of namespace '{namespace:?}'")
        })
    }
}

/// The bucket of a claim with this text: the host of a route, the whole text of a key, and the namespace and name of an object.
fn bucket_of(text: &str) -> String {
    let words = ["canary ", "prefix ", "exact "];
    let route = words.iter().fold(text, |rest, word| rest.strip_prefix(word).unwrap_or(rest));
    if route.len() < text.len() {
        return route.split('/').next().unwrap_or_default().to_owned();
    }
    let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
    match kind {
        "key" => text.to_owned(),
        "listener" => rest.split_once(' ').unwrap_or_default().1.to_owned(),
        _ => {
            rest.split_once('/').map(|(namespace, name)| bucket_of_name(namespace, name)).unwrap_or_default()
        }
    }
}

/// Returns the time in this number of seconds from now, in the format of the API server.
///
/// ```
/// let now = xposer_testkit::cluster::time(0);
/// assert!(now.starts_with("20") && now.ends_with('Z') && now.len() == 20);
/// ```
#[must_use]
pub fn time(from_now: i64) -> String {
    let time = Timestamp::now() + SignedDuration::from_secs(from_now);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
