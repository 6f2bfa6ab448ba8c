//! A policy that accepts without looking: what Kubewarden itself costs. The benchmarks compare with it.

use kubewarden_policy_sdk::{accept_request, protocol_version_guest};
use wapc_guest::prelude::{CallResult, register_function};

/// Registers the functions that a Kubewarden host calls.
#[allow(unsafe_code, reason = "the host finds the function by its name, which must therefore stay as it is")]
#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("validate", validate);
    register_function("validate_settings", validate_settings);
    register_function("protocol_version", protocol_version_guest);
}

fn validate(_: &[u8]) -> CallResult {
    accept_request()
}

fn validate_settings(_: &[u8]) -> CallResult {
    Ok(br#"{"valid":true}"#.to_vec())
}
