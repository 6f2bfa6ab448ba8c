//! The requests that change something in the cluster, as data. [`execute`] sends them. Apart from these, only Events and the
//! Lease are written.

mod execute;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use xposer_live::document::Document;
use xposer_live::keys::{ObjectKey, ServiceKey};
use xposer_live::kinds::{self, Kind};

pub(crate) use execute::execute_all;

/// A request that changes something.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Applies an object.
    Apply { key: ObjectKey, body: Value, hash: u64, mode: ApplyMode },
    /// Applies an object of another owner, and removes the fields that the other owner has set.
    Adopt { key: ObjectKey, body: Value, hash: u64 },
    /// Removes the fields that we have applied, and leaves the others.
    Withdraw { key: ObjectKey },
    /// Deletes exactly this version of an object.
    Delete { key: ObjectKey, uid: Box<str>, version: Box<str> },
    /// Deletes this version of an object if its Service still exists and is not exposed any more. If the Service is gone,
    /// Kubernetes deletes the object.
    DeleteUnexposed {
        key: ObjectKey,
        uid: Box<str>,
        version: Box<str>,
        service: Arc<ServiceKey>,
        owner: Box<str>,
    },
    /// Writes the status annotations of a Service.
    Stamp { service: Arc<ServiceKey>, uid: Box<str>, annotations: Vec<(&'static str, String)> },
}

impl Action {
    /// The kind of the object that it is about; `None` for a Service.
    pub(crate) fn kind(&self) -> Option<Kind> {
        match self {
            Self::Apply { key, .. }
            | Self::Adopt { key, .. }
            | Self::Withdraw { key }
            | Self::Delete { key, .. }
            | Self::DeleteUnexposed { key, .. } => Some(key.kind),
            Self::Stamp { .. } => None,
        }
    }
}

/// Which actions of a plan are not sent after others have failed.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    has_failed: bool,
    /// The kinds whose objects would be open without those that could not be applied.
    withheld: BTreeSet<Kind>,
}

impl Failures {
    /// An action about this kind has failed.
    pub(crate) fn add(&mut self, kind: Option<Kind>) {
        self.has_failed = true;
        self.withheld.extend(kind.map(kinds::needed_by).unwrap_or_default());
    }

    /// Whether an action is still sent.
    pub(crate) fn allow(&self, action: &Action) -> bool {
        match action {
            Action::Apply { key, .. } | Action::Adopt { key, .. } => !self.withheld.contains(&key.kind),
            // An old object stays until the new one exists.
            Action::Delete { .. } | Action::Stamp { .. } => !self.has_failed,
            // What needs it may still exist.
            Action::DeleteUnexposed { key, .. } => !(self.has_failed && kinds::is_helper(key.kind)),
            Action::Withdraw { .. } => true,
        }
    }
}

/// How an object is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ApplyMode {
    /// The object does not exist. One that somebody has made in the meantime, or a field that another manager has set, is an error.
    Create,
    /// The object has another owner. A field that the other owner has set to another value is an error.
    Share,
    /// The object is ours. Fields that others have set are overwritten.
    Update,
    /// The object is ours. Before it is applied, its fields become fields that we have applied, and other managers lose them.
    TakeOwnership,
}

impl ApplyMode {
    /// Whether fields that others have set are overwritten.
    pub(crate) fn is_forced(self) -> bool {
        matches!(self, Self::Update | Self::TakeOwnership)
    }
}

/// The result of an action.
#[derive(Debug)]
pub(crate) enum ActionResult {
    /// The object as it is now.
    Applied { key: ObjectKey, hash: u64, document: Box<Document>, is_new: bool, adopted: bool },
    /// The object with this UID is deleted, or being deleted.
    Deleted { key: ObjectKey, uid: Box<str> },
    /// There is nothing to record.
    Done,
}

/// Why an action failed.
#[derive(Debug)]
pub(crate) enum ActionError {
    /// Another manager has this object, or a field of it.
    Foreign { key: ObjectKey, message: String },
    /// The object has changed in the meantime; the watch will deliver the change.
    Outdated,
    /// There is an object of this name already; the watch will deliver it.
    Exists(ObjectKey),
    /// The API server refused the request.
    Refused { key: Option<ObjectKey>, message: String },
    /// The API server cannot be reached, or is overloaded.
    Unavailable(String),
}
