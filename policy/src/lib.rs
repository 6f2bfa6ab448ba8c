//! Xposer as a Kubewarden policy.
//!
//! The policy rejects a Service that requests exposure and cannot be exposed, with every reason in one message, and writes the URL
//! into the annotations of other Services. The crate [`xposer_admission`] decides; this crate connects it to Kubewarden.
//!
//! The guest functions take and return bytes, so they can be tested and fuzzed natively:
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

mod host;

use std::time::{SystemTime, UNIX_EPOCH};

use kubewarden_policy_sdk::protocol_version_guest;
use kubewarden_policy_sdk::settings::SettingsValidationResponse;
use serde::Deserialize;
use serde_json::Value;
use wapc_guest::prelude::{CallResult, register_function};
use xposer::Settings;
use xposer_admission::{Request, Response, Review, Reviewed, about_json, about_settings};

pub use host::Host;

/// Registers the functions that a Kubewarden host calls.
#[allow(unsafe_code, reason = "the host finds the function by its name, which must therefore stay as it is")]
#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("validate", validate);
    register_function("validate_settings", validate_settings);
    register_function("protocol_version", protocol_version_guest);
}

/// The payload of a Kubewarden host.
#[derive(Deserialize)]
struct Payload<'p> {
    #[serde(borrow)]
    request: Request<'p>,
    #[serde(default)]
    settings: Value,
}

/// Answers an admission request: takes `{"request": .., "settings": ..}`, and returns a Kubewarden `ValidationResponse`.
///
/// Creations and updates of Services are reviewed. Everything else is accepted unchanged: other operations, other kinds,
/// subresources, and Services that are being deleted and only wait for their finalizers. The status code of a rejection is 422. A
/// request or settings that cannot be parsed, which no Kubewarden host sends, get 400 and 500.
///
/// # Errors
///
/// None, whatever the payload: the user would see an error as an internal error without its reason.
pub fn validate(payload: &[u8]) -> CallResult {
    validate_with(payload, &host::ask, &now)
}

/// The same as [`validate`] with another host, and another clock: `now` returns the time in seconds since 1970.
///
/// ```
/// let payload = br#"{"request": {"operation": "DELETE"}}"#;
/// let answer = xposer_policy::validate_with(payload, &|_| Err("nobody is asked".to_owned()), &|| 0)?;
/// assert_eq!(answer, br#"{"accepted":true}"#);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
///
/// # Errors
///
/// None, whatever the payload.
pub fn validate_with(payload: &[u8], host: &Host<'_>, now: &dyn Fn() -> i64) -> CallResult {
    let response = match serde_json::from_slice::<Payload<'_>>(payload) {
        Ok(payload) => answer(&payload, host, now),
        Err(error) => Response::unreadable(&error),
    };
    Ok(serde_json::to_vec(&response)?)
}

fn answer(payload: &Payload<'_>, host: &Host<'_>, now: &dyn Fn() -> i64) -> Response {
    let reviewed = match Reviewed::of(&payload.request) {
        Ok(Some(reviewed)) => reviewed,
        Ok(None) => return Response::accepted(),
        Err(response) => return response,
    };
    let settings = match Settings::from_value(&payload.settings) {
        Ok(settings) => settings,
        Err(report) => return Response::without_settings(&report),
    };
    match reviewed.review(&settings) {
        Review::Answered(response) => response,
        Review::Asks(question) => {
            let replies = host::replies(&question, host);
            question.answer(&replies, now())
        }
    }
}

/// The time in seconds since 1970; 0 if the clock is before that.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Validates settings: takes the settings as JSON, and returns `{"valid": .., "message": ..}`. The message lists every problem,
/// including those for which every Service would be refused ([`Settings::tried`]).
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
        Ok(settings) => Settings::tried(&settings).err().map(|report| about_settings(&report)),
        // The host may send no settings at all.
        Err(_) if payload.trim_ascii().is_empty() => None,
        Err(error) => {
            let help = r#"write one JSON object, such as {"domain": "example.com"}"#;
            Some(format!("xposer: the settings are not JSON: {}; {help}", about_json(&error)))
        }
    };
    Ok(serde_json::to_vec(&SettingsValidationResponse { valid: message.is_none(), message })?)
}
