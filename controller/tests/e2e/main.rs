//! The controller on a real API server: stories in which everything is real but the traffic.
//!
//! `make e2e-cluster` starts a cluster for them, and runs them one after the other; where there is none, they are ignored.
//! `E2E_KUBECONFIG` names another one, in which the tests make namespaces with the label `xposer-e2e`, and remove them; no
//! other kubeconfig is ever read. `E2E_CTL` is the program that breaks the cluster.
//!
//! A scenario ends with [`scene::Scene::end`], the check that all of them share.

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
mod film;
mod scene;

mod admission;
mod breaks;
mod cases;
mod faults;
mod handover;
mod life;
mod neighbours;
mod operations;
mod ownership;
mod replicas;
mod storm;
mod urls;
