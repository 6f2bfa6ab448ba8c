//! Tests with the programs around an exposed Service on this machine, and with real requests.
//!
//! `make e2e-chain` starts an API server and the programs, and runs the tests one after the other. Other runs ignore these tests.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail it like the test itself"
)]

mod common;
mod conformance;
mod contour;
mod cookbook;
mod envoy_gateway;
mod example_setup;
mod faults;
mod regressions;
mod smoke;
