//! The requests that change something in the cluster, as data. [`execute`] sends them. Other writes are only those of Events, of
//! the Lease, and of the ConfigMaps with claims.

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
    /// Applies an object of another owner, and removes the fields of the other owner.
    Adopt { key: ObjectKey, body: Value, hash: u64 },
    /// Removes the fields that the controller applied, and keeps the others.
    Withdraw { key: ObjectKey },
    /// Deletes exactly this version of an object.
    Delete { key: ObjectKey, uid: Box<str>, version: Box<str> },
    /// Deletes this version of an object if its Service still exists and is no longer exposed. If the Service is deleted,
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
    /// The kind of the action's object; `None` for a Service.
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

/// Tracks failed actions, and decides which further actions of a plan are not sent.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    has_failed: bool,
    /// The kinds whose objects would be unprotected, because an object that they need could not be applied.
    withheld: BTreeSet<Kind>,
}

impl Failures {
    /// Records the failure of an action on an object of this kind.
    pub(crate) fn add(&mut self, kind: Option<Kind>) {
        self.has_failed = true;
        self.withheld.extend(kind.map(kinds::needed_by).unwrap_or_default());
    }

    /// Whether an action may still be sent.
    pub(crate) fn allow(&self, action: &Action) -> bool {
        match action {
            Action::Apply { key, .. } | Action::Adopt { key, .. } => !self.withheld.contains(&key.kind),
            // An old object is kept until the new one exists.
            Action::Delete { .. } | Action::Stamp { .. } => !self.has_failed,
            // Objects that need the helper may still exist.
            Action::DeleteUnexposed { key, .. } => !(self.has_failed && kinds::is_auxiliary(key.kind)),
            Action::Withdraw { .. } => true,
        }
    }
}

/// How an object is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ApplyMode {
    /// The object does not exist. If it was created in the meantime, or another manager has a field, that is an error.
    Create,
    /// The object has another owner. A field that the other owner set to another value is an error.
    Share,
    /// The object belongs to Xposer. Fields of other managers are overwritten.
    Update,
    /// The object belongs to Xposer. Before it is applied, its fields are recorded as applied by the controller, and other managers
    /// lose them.
    TakeOwnership,
}

impl ApplyMode {
    /// Whether fields of other managers are overwritten.
    pub(crate) fn is_forced(self) -> bool {
        matches!(self, Self::Update | Self::TakeOwnership)
    }
}

/// The result of an action.
#[derive(Debug)]
pub(crate) enum ActionResult {
    /// The object after it was applied.
    Applied { key: ObjectKey, hash: u64, document: Box<Document>, is_new: bool, adopted: bool },
    /// The object with this UID is deleted, or being deleted.
    Deleted { key: ObjectKey, uid: Box<str> },
    /// There is nothing to record.
    Done,
}

/// The reason why an action failed.
#[derive(Debug)]
pub(crate) enum ActionError {
    /// Another manager owns this object, or a field of it.
    Foreign { key: ObjectKey, message: String },
    /// The object was changed in the meantime; the watch will report the change.
    Outdated,
    /// An object with this name exists already; the watch will report it.
    Exists(ObjectKey),
    /// The API server refused the request.
    Refused { key: Option<ObjectKey>, message: String },
    /// The API server cannot be reached, or is overloaded.
    Unavailable(String),
}
