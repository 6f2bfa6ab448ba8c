//! A recording of all events of the objects of some kinds.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use kube::api::{Api, DynamicObject, ListParams, WatchEvent, WatchParams};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::cluster::{Cluster, Kind, name_of, value};

/// An event of an object.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// `Added`, `Modified`, `Deleted`; `Lost` if the history of the API server is gone.
    pub(crate) what: &'static str,
    pub(crate) object: Value,
}

type Frames = Arc<Mutex<Vec<Frame>>>;

/// A recording, which ends on drop.
pub(crate) struct Film {
    frames: Frames,
    tasks: Vec<JoinHandle<()>>,
}

impl Film {
    /// Records the events of the objects of these kinds in a namespace from now on.
    pub(crate) fn of(cluster: &Cluster, kinds: &[Kind], namespace: &str) -> Self {
        let frames = Frames::default();
        let start = |kind: &Kind| {
            let api = cluster.api(*kind, Some(namespace));
            let now = cluster.block_on(api.list(&ListParams::default())).unwrap();
            let version = now.metadata.resource_version.unwrap_or_default();
            cluster.spawn(record(api, version, frames.clone()))
        };
        Self { tasks: kinds.iter().map(start).collect(), frames }
    }

    /// The events in the order of their resource versions. Each kind has its own watch, so they do not arrive in this order.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        let mut frames = self.frames.lock().unwrap().clone();
        let version = |it: &Frame| it.object["metadata"]["resourceVersion"].as_str()?.parse::<u64>().ok();
        frames.sort_by_key(version);
        frames
    }

    /// The events, one line each: `Added Ingress web`.
    pub(crate) fn story(&self) -> Vec<String> {
        let line = |it: &Frame| {
            format!("{} {} {}", it.what, it.object["kind"].as_str().unwrap_or_default(), name_of(&it.object))
        };
        self.frames().iter().map(line).collect()
    }
}

impl Drop for Film {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        if std::thread::panicking() {
            let story = self.story();
            let last = story.len().saturating_sub(40);
            println!("what was recorded at last, of {}: {:#?}", story.len(), &story[last..]);
        }
    }
}

/// Watches, and continues at the last version when the API server comes back.
async fn record(api: Api<DynamicObject>, mut version: String, frames: Frames) {
    loop {
        if let Ok(stream) = api.watch(&WatchParams::default(), &version).await {
            let mut stream = Box::pin(stream);
            while let Some(Ok(event)) = stream.next().await {
                let (what, object) = match event {
                    WatchEvent::Added(object) => ("Added", object),
                    WatchEvent::Modified(object) => ("Modified", object),
                    WatchEvent::Deleted(object) => ("Deleted", object),
                    WatchEvent::Bookmark(mark) => {
                        version = mark.metadata.resource_version;
                        continue;
                    }
                    WatchEvent::Error(status) => {
                        let object = serde_json::to_value(status).unwrap();
                        frames.lock().unwrap().push(Frame { what: "Lost", object });
                        return;
                    }
                };
                version = object.metadata.resource_version.clone().unwrap_or_default();
                frames.lock().unwrap().push(Frame { what, object: value(&object) });
            }
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
