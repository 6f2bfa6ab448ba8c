//! Runs the programs around an exposed Service on this machine: an API server, a DNS server, an issuer of certificates, ingress
//! controllers and gateways, and backends that respond with their names.
//!
//! Everything runs in the network, mount and process namespaces that `chain/enter` makes. A test has this form:
//!
//! ```no_run
//! use xposer_chain::{Chain, status};
//!
//! let chain = Chain::get();
//! let ns = chain.namespace("shop");
//! let _controller = chain.controller("{domain: example.com, ingressClassName: contour}");
//! ns.apply("{apiVersion: v1, kind: Service, metadata: {name: web, labels: {expose: 'true'}}, spec: {ports: [{port: 80}]}}");
//! ns.request("http://web.shop.example.com/").eventually(status(200).backend("web"));
//! ```

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in the harness fails the test, and a JSON value has null where nothing is"
)]

mod authenticate;
mod backends;
mod chain;
pub mod cluster;
mod controller;
mod dns;
mod http;
mod namespace;
mod process;
mod programs;
mod requests;
mod uptime_robot;
mod wait;

pub use authenticate::GOOD;
pub use chain::Chain;
pub use cluster::{Cluster, Kind};
pub use controller::Controller;
pub use dns::ZONES;
pub use namespace::{Namespace, ServiceEvent};
pub use process::Process;
pub use programs::{FORECASTLE, Front, INGRESS_MONITOR_CONTROLLER, Program};
pub use requests::{Answer, Expected, Request, Steady, Tally, redirect, status};
pub use uptime_robot::{Registered, UptimeRobot};
pub use wait::{Links, SOON, eventually, say, wait_for, within};
