//! The Kubernetes namespace of a test.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::chain::{Chain, LABEL};
use crate::cluster::{EVENT, Kind, NAMESPACE, SERVICE, name_of};
use crate::requests::Request;
use crate::wait::{SOON, say, within};

/// The maximum time until an existing namespace with the same name is deleted.
const GONE: Duration = Duration::from_secs(90);

/// The namespace of a test. It is deleted at the end.
pub struct Namespace {
    chain: &'static Chain,
    name: String,
}

/// An Event of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceEvent {
    /// `Normal` or `Warning`.
    pub kind: String,
    /// The reason.
    pub reason: String,
    /// The message.
    pub message: String,
}

impl Chain {
    /// Creates the namespace of a test. All tests share the hosts, so each test needs different ones.
    #[track_caller]
    pub fn namespace(&'static self, name: &str) -> Namespace {
        Namespace::new(self, name)
    }
}

impl Namespace {
    #[track_caller]
    fn new(chain: &'static Chain, name: &str) -> Self {
        let made = Self { chain, name: name.to_owned() };
        within(GONE, &format!("an earlier namespace {name} is gone"), || {
            match chain.cluster().find(NAMESPACE, None, name)? {
                None => Ok(()),
                Some(_) => {
                    chain.cluster().delete_namespace(name)?;
                    bail!("it is still there")
                }
            }
        });
        made.apply(&format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {{{LABEL}: \"\"}}}}}}"
        ));
        made
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    #[track_caller]
    fn done<T>(&self, result: Result<T>) -> T {
        result.unwrap_or_else(|error| panic!("{}: {error:#}", self.name))
    }

    fn at(&self) -> Option<&str> {
        Some(&self.name)
    }

    /// Applies all objects of a YAML text. Objects without a namespace get this one.
    #[track_caller]
    pub fn apply(&self, yaml: &str) -> Vec<Value> {
        self.done(self.chain.cluster().apply_yaml(&self.name, yaml))
    }

    /// Applies a text as a user does, with `kubectl apply`.
    #[track_caller]
    pub fn kubectl_apply(&self, yaml: &str) {
        self.done(self.chain.kubectl(&["apply", "--namespace", &self.name, "--filename", "-"], yaml));
    }

    /// Returns an object, if it exists.
    #[track_caller]
    pub fn find(&self, kind: Kind, name: &str) -> Option<Value> {
        self.done(self.chain.cluster().find(kind, self.at(), name))
    }

    /// Returns an object, or an error if it does not exist.
    pub fn get(&self, kind: Kind, name: &str) -> Result<Value> {
        let found = self.chain.cluster().find(kind, self.at(), name)?;
        found.with_context(|| format!("there is no {} {name}", kind.name))
    }

    /// Returns all objects of a kind.
    #[track_caller]
    pub fn list(&self, kind: Kind) -> Vec<Value> {
        self.done(self.chain.cluster().list(kind, self.at()))
    }

    /// Returns the names of all objects of a kind, in order.
    #[track_caller]
    pub fn names(&self, kind: Kind) -> Vec<String> {
        let mut names: Vec<String> = self.list(kind).iter().map(|it| name_of(it).to_owned()).collect();
        names.sort();
        names
    }

    /// Applies a merge patch; null removes a field.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "a patch is written where it is used")]
    pub fn patch(&self, kind: Kind, name: &str, patch: Value) -> Value {
        self.done(self.chain.cluster().patch(kind, self.at(), name, &patch))
    }

    /// Sets an annotation of a Service or, with `None`, removes it.
    #[track_caller]
    pub fn annotate(&self, service: &str, key: &str, value: Option<&str>) {
        self.patch(SERVICE, service, json!({"metadata": {"annotations": {key: value}}}));
    }

    /// Sets the label that exposes a Service or, with `None`, removes it.
    #[track_caller]
    pub fn expose(&self, service: &str, value: Option<&str>) {
        self.patch(SERVICE, service, json!({"metadata": {"labels": {"expose": value}}}));
    }

    /// Deletes an object.
    #[track_caller]
    pub fn delete(&self, kind: Kind, name: &str) {
        self.done(self.chain.cluster().delete(kind, self.at(), name));
    }

    /// Checks that there is no object of these kinds.
    pub fn has_none(&self, kinds: &[Kind]) -> Result<()> {
        for kind in kinds {
            let objects = self.chain.cluster().list(*kind, self.at())?;
            let names: Vec<&str> = objects.iter().map(name_of).collect();
            ensure!(names.is_empty(), "{} {names:?}", kind.name);
        }
        Ok(())
    }

    /// Returns the Events of a Service that our controller has written. Other programs write Events, too: the API server repairs
    /// cluster IPs.
    #[track_caller]
    pub fn events(&self, service: &str) -> Vec<ServiceEvent> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let is_about = |event: &&Value| {
            let about = &event["involvedObject"];
            about["kind"] == "Service" && about["name"] == service && event["reportingComponent"] == "xposer"
        };
        let told = |event: &Value| ServiceEvent {
            kind: text(&event["type"]),
            reason: text(&event["reason"]),
            message: text(&event["message"]),
        };
        self.list(EVENT).iter().filter(is_about).map(told).collect()
    }

    /// Waits until a Service has an Event of this type and reason, and returns its message.
    #[track_caller]
    pub fn event(&self, service: &str, kind: &str, reason: &str) -> String {
        self.event_within(SOON, service, kind, reason)
    }

    /// [`Namespace::event`] with another deadline.
    #[track_caller]
    pub fn event_within(&self, time: Duration, service: &str, kind: &str, reason: &str) -> String {
        within(time, &format!("{service} has the Event {kind} {reason}"), || {
            let events = self.events(service);
            let found = events.iter().find(|it| it.kind == kind && it.reason == reason);
            found.map(|it| it.message.clone()).with_context(|| format!("{events:#?}"))
        })
    }

    /// Returns a request for a URL.
    pub fn request(&self, url: &str) -> Request {
        self.chain.request(url)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.chain.report();
        }
        // If this fails, the next run deletes the namespace.
        if let Err(error) = self.chain.cluster().delete_namespace(&self.name) {
            say(&format!("{}: {error:#}", self.name));
        }
    }
}
