//! What has to be looked up in the cluster before a request can be answered.

use serde_json::Value;

use crate::response::Response;

/// What one look-up gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The ConfigMap, as the API server gives it in JSON.
    Found(Value),
    /// There is no such ConfigMap.
    NotFound,
    /// The look-up failed; why, in words.
    Failed(String),
}

/// A request that can be answered when some ConfigMaps are known.
///
/// The caller gets each of [`names`](Self::names) in [`namespace`](Self::namespace), and hands the replies to
/// [`answer`](Self::answer). A look-up that fails is a reply, too.
#[derive(Clone, Debug)]
pub struct Question {
    namespace: String,
    names: Vec<String>,
    response: Response,
}

impl Question {
    /// The namespace of the ConfigMaps.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The names of the ConfigMaps, sorted, each once; at most 16.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The answer, given a reply for each name, in the order of the names. `now` is the time in seconds since 1970. A reply that is
    /// missing counts as one that failed.
    #[must_use]
    pub fn answer(self, replies: &[Reply], now: i64) -> Response {
        let _ = (replies, now);
        self.response
    }
}
