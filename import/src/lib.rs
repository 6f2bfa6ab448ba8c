//! Converts existing Ingresses to the label and the annotations of the Services behind them.
//!
//! [`import`] reads Ingresses, with or without their Services, and proposes for each Service the annotations that reproduce its
//! Ingress. The result is verified: the core exposes the Services with the proposals, and every difference between the Ingresses
//! and the result is one of the [`Finding`]s. [`settings()`] finds the common parts of many Ingresses, as settings.
//!
//! There is no I/O: the input are documents, and the output are proposals and findings. The command line and the kubectl plugin
//! read and print them.
//!
//! ```
//! use serde_json::json;
//! use xposer::Settings;
//! use xposer_import::{Input, import};
//!
//! let ingress = json!({
//!     "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
//!     "metadata": {"name": "web", "namespace": "shop"},
//!     "spec": {
//!         "ingressClassName": "nginx",
//!         "rules": [{"host": "shop.example.com", "http": {"paths": [
//!             {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}},
//!         ]}}],
//!     },
//! });
//! let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
//!     "spec": {"ports": [{"port": 80}]}});
//! let input = Input { ingresses: vec![&ingress], services: vec![&service], ..Input::default() };
//! let imported = import(&input, &Settings::default(), false);
//! assert!(imported.findings.is_empty() && imported.is_same());
//! assert_eq!(serde_json::to_value(&imported.proposals[0].annotations).unwrap(), json!({
//!     "config.xposer.stakater.com/IngressClassName": "nginx",
//!     "config.xposer.stakater.com/IngressURLTemplate": "shop.example.com",
//! }));
//! ```

mod changes;
mod choice;
mod common;
mod compare;
mod draft;
mod finding;
mod keys;
mod place;
mod proposal;
mod propose;
mod read;
mod source_ingress;
mod templates;
mod verify;

pub use common::{Common, Entry, Unexposed, settings, unexposed};
pub use finding::{Finding, Object};
pub use proposal::Proposal;
pub use read::{is_class, is_ingress};
pub use verify::{ImportResult, Imported, Input, import};
