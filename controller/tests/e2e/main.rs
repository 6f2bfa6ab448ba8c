//! The controller on a real API server: stories in which everything is real but the traffic.
//!
//! `cluster/with cargo test -p xposer-controller --locked --test e2e -- --test-threads=1` starts a cluster for them. `E2E_KUBECONFIG`
//! names another one, in which the tests make namespaces with the label `xposer-e2e`, and remove them; no other kubeconfig
//! is ever read. `E2E_CTL` is the program that breaks the cluster. Without these, the tests say that they were skipped.
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
mod cases;
mod faults;
mod life;
mod neighbours;
mod operations;
mod ownership;
mod replicas;
mod storm;
mod urls;
