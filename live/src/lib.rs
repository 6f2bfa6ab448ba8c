//! The state of a cluster and the desired state from the core, in the types of `kube`: Services, objects and their owners, the
//! controllers of classes and Gateways, and the desired objects of exposed Services.
//!
//! The controller and `kubectl xposer` both use this crate, so that they decide and compare alike. It sends no requests.
//!
//! ```
//! use serde_json::json;
//! use xposer::Settings;
//! use xposer_live::plan::{Member, decide};
//! use xposer_live::service::StoredService;
//!
//! let service = json!({
//!     "metadata": {"name": "web", "namespace": "shop", "uid": "1", "labels": {"expose": "true"},
//!         "creationTimestamp": "2026-01-01T00:00:00Z"},
//!     "spec": {"ports": [{"port": 80}]},
//! });
//! let (key, stored) = StoredService::new(&serde_json::from_value(service)?).unwrap();
//! let settings = Settings::from_value(&json!({"domain": "example.com"})).unwrap();
//! let decisions = decide(&[Member { key, stored: &stored }], &[], &settings);
//! assert!(!decisions[0].is_refused());
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! This crate is for the programs of this repository, and may change in any release.

pub mod difference;
pub mod digest;
pub mod document;
pub mod error;
pub mod keys;
pub mod kinds;
pub mod object;
pub mod plan;
pub mod servers;
pub mod service;
