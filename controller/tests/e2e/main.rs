//! The controller on a real API server. There is no ingress controller, and no traffic.
//!
//! `make e2e-cluster` starts a cluster, and runs the tests one after the other; without a cluster, they are ignored.
//! `E2E_KUBECONFIG` names another cluster, in which the tests create namespaces with the label `xposer-e2e`, and remove them;
//! no other kubeconfig is ever read. `E2E_CTL` is the program that stops and starts parts of the cluster.
//!
//! Every scenario ends with the common check [`scenario::Scene::end`].

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "the helpers of a test fail it like the test itself"
)]

mod cluster;
mod controller;
mod recording;
mod scenario;

mod accepted_objects;
mod admission;
mod cases;
mod claims;
mod cluster_failures;
mod concurrent_changes;
mod faults;
mod handover;
mod lifecycle;
mod operations;
mod option_annotations;
mod other_programs;
mod ownership;
mod replicas;
mod report;
mod servers;
mod soak;
mod urls;
mod webhook;
