//! Xposer as a Kubewarden policy.
//!
//! It rejects a Service that requests exposure and cannot be exposed, with every reason in one message, and writes the URL into the
//! annotations of the others. The crate [`xposer`] decides; this crate turns an admission request into a Service, and an
//! outcome into an admission response.
//!
//! The guest functions are functions of bytes, so they can be tested and fuzzed natively:
//!
//! ```
//! use serde_json::{Value, json};
//! let request = json!({"settings": {"domain": "example.com"}, "request": {
//!     "uid": "1", "operation": "CREATE", "kind": {"group": "", "version": "v1", "kind": "Service"},
//!     "object": {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]},
//!         "metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"}}}}});
//! let answer = xposer_policy::validate(&serde_json::to_vec(&request)?)?;
//! let answer: Value = serde_json::from_slice(&answer)?;
//! assert_eq!(answer["accepted"], true);
//! let annotations = &answer["mutated_object"]["metadata"]["annotations"];
//! assert_eq!(annotations["status.xposer.stakater.com/url"], "http://web.shop.example.com");
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! ```

mod object;
mod review;
mod words;

use kubewarden_policy_sdk::protocol_version_guest;
use kubewarden_policy_sdk::settings::SettingsValidationResponse;
use serde_json::Value;
use wapc_guest::prelude::{CallResult, register_function};
use xposer::Settings;

/// Registers the functions that a Kubewarden host calls.
#[allow(unsafe_code, reason = "the host finds the function by its name, which must therefore stay as it is")]
#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("validate", validate);
    register_function("validate_settings", validate_settings);
    register_function("protocol_version", protocol_version_guest);
}

/// Answers an admission request: `{"request": .., "settings": ..}` in, a Kubewarden `ValidationResponse` out.
///
/// Creations and updates of Services are reviewed. Everything else is accepted unchanged: other operations, other kinds,
/// subresources, and Services that are being deleted and only wait for their finalizers. The status of a rejection
/// is 422; a request or settings that cannot be read at all, which no Kubewarden host sends, have 400 and 500.
///
/// # Errors
///
/// None, whatever the payload: an error would reach the user as an internal error without its reason.
pub fn validate(payload: &[u8]) -> CallResult {
    Ok(review::answer(payload)?)
}

/// Validates settings: the settings as JSON in, `{"valid": .., "message": ..}` out. The message lists
/// every problem, also those that every Service would be refused for ([`Settings::tried`]).
///
/// ```
/// let answer = xposer_policy::validate_settings(br#"{"domian": "example.com"}"#)?;
/// assert_eq!(String::from_utf8(answer)?,
///     r#"{"valid":false,"message":"xposer: settings.domian: there is no setting `domian`; did you mean domain? [setting-unknown]"}"#);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
///
/// # Errors
///
/// None, whatever the payload.
pub fn validate_settings(payload: &[u8]) -> CallResult {
    let message = match serde_json::from_slice::<Value>(payload) {
        Ok(settings) => Settings::tried(&settings).err().map(|report| words::settings(&report)),
        // The host may send no settings at all.
        Err(_) if payload.trim_ascii().is_empty() => None,
        Err(error) => Some(format!("xposer: the settings are not JSON: {error}")),
    };
    Ok(serde_json::to_vec(&SettingsValidationResponse { valid: message.is_none(), message })?)
}
