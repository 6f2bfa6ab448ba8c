//! The programs around an exposed Service, on this machine, with real requests.
//!
//! `make e2e-chain` starts an API server and the programs, and runs the tests one after the other; without them, the tests are
//! ignored.

mod cookbook;
mod smoke;
