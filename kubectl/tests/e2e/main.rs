//! `kubectl xposer` on a real API server, with the harness of the controller's tests: `make e2e-cluster` runs both.
//!
//! Where there is a `kubectl`, it runs the plugin; otherwise the plugin is run by itself.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "the helpers of a test fail it like the test itself"
)]
#![allow(dead_code, reason = "the harness is that of the controller's tests, which use more of it")]

#[path = "../../../controller/tests/e2e/cluster.rs"]
mod cluster;
#[path = "../../../controller/tests/e2e/controller.rs"]
mod controller;
#[path = "../../../controller/tests/e2e/recording.rs"]
mod recording;
#[path = "../../../controller/tests/e2e/scenario.rs"]
mod scenario;

mod adopting;
mod changes;
mod errors;
mod importing;
mod page;
mod plugin;
mod reading;
