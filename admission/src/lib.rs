//! The admission decisions of Xposer, for the Kubewarden policy and for the webhook of the controller.
//!
//! A [`Request`] is answered with a [`Response`]. A Service that requests exposure and cannot be exposed is refused, with every
//! reason in one message; other Services get the URL in their annotations. The crate [`xposer`] decides; this crate converts an
//! admission request to a Service, and an outcome to an admission response.
//!
//! This crate does no I/O and reads no clock. If something has to be looked up in the cluster, the result is a [`Question`], which
//! the caller answers in its own way: the policy by a call to its host, the webhook by a request to the API server.
//!
//! ```
//! use serde_json::json;
//! use xposer::Settings;
//! use xposer_admission::{Request, Review, review};
//!
//! let request = json!({
//!     "uid": "1", "operation": "CREATE", "kind": {"group": "", "version": "v1", "kind": "Service"},
//!     "object": {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]},
//!         "metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"}}}})
//! .to_string();
//! let request: Request = serde_json::from_str(&request)?;
//! let settings = Settings::from_value(&json!({"domain": "example.com"}))?;
//! let response = match review(&request, &settings) {
//!     Review::Answered(response) => response,
//!     Review::Asks(question) => question.answer(&[], 0),
//! };
//! assert!(response.is_allowed());
//! let object = response.changed_object().map(|object| object.get()).unwrap_or_default();
//! assert!(object.contains(r#""status.xposer.stakater.com/url":"http://web.shop.example.com""#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod guard;
mod object;
mod question;
mod request;
mod response;
mod review;
mod shard;
mod time;
mod words;

pub use question::{Question, Reply, Review};
pub use request::Request;
pub use response::Response;
pub use review::{Reviewed, review};
pub use words::{json as about_json, settings as about_settings};
