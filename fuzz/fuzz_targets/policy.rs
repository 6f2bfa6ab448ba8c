//! The guest functions on any bytes: never a panic, never an error, always an answer in Kubewarden's form; the text of a
//! changed object is what the tree would have become; and what was changed once is left alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use xposer::emit::stamp;
use xposer::{Plan, Service, Settings, expose};

fn call(function: fn(&[u8]) -> wapc_guest::CallResult, payload: &[u8]) -> Value {
    let answer = function(payload).expect("a guest function answers");
    serde_json::from_slice(&answer).expect("the answer is JSON")
}

fuzz_target!(|text: &str| {
    // The bytes themselves, as nobody should send them.
    let answer = call(xposer_policy::validate, text.as_bytes());
    assert!(answer["accepted"].is_boolean());
    let answer = call(xposer_policy::validate_settings, text.as_bytes());
    assert_eq!(answer["valid"] == true, answer["message"].is_null());

    // A line of settings, and an object, in a request that is in order.
    let (config, rest) = text.split_once('\n').unwrap_or(("", text));
    let Ok(object) = serde_json::from_str::<Value>(rest) else { return };
    let config = serde_json::from_str(config).unwrap_or_else(|_| json!({"domain": "example.com"}));
    let request = |object: &Value| {
        json!({"settings": config, "request": {"uid": "1", "operation": "UPDATE", "namespace": "shop",
            "kind": {"group": "", "version": "v1", "kind": "Service"}, "object": object}})
        .to_string()
    };
    let answer = call(xposer_policy::validate, request(&object).as_bytes());
    let Ok(settings) = Settings::from_value(&config) else {
        assert!(answer["accepted"] == false || answer.as_object().map(serde_json::Map::len) == Some(1));
        return;
    };
    if object.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null()) || object.is_null() {
        assert_eq!(answer, json!({"accepted": true}));
        return;
    }
    let outcome = expose(&Service::from_value(&object).with_default_namespace("shop"), &settings);
    assert_eq!(answer["accepted"] == true, !outcome.is_refused());
    let mut expected = object.clone();
    let changed = answer["accepted"] == true
        && settings.stamp()
        && stamp::write(&mut expected, outcome.plan().and_then(Plan::stamp).as_ref());
    assert_eq!(answer.get("mutated_object"), changed.then_some(&expected));
    let again = call(xposer_policy::validate, request(&expected).as_bytes());
    assert_eq!(again.get("mutated_object"), None);
    // However the text of the object is laid out.
    let same = format!(
        r#"{{"settings":{config},"request":{{"operation":"UPDATE","namespace":"shop","object":{rest},"kind":{{"kind":"Service"}}}}}}"#
    );
    assert_eq!(call(xposer_policy::validate, same.as_bytes()), answer);
});
