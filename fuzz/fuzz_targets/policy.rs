//! Calls the guest functions with any bytes. There is never a panic or an error, and always a response in Kubewarden's format. The
//! text of a changed object is the text of the changed tree, and a second request does not change it again. Without claims, the
//! host is not called. With claims, the response is the same if all claims are free or belong to the Service, and a refusal if all
//! are taken.
#![no_main]

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use xposer::conflicts::{
    Buckets, ClaimText, Holder, SHARD_LABELS, SHARD_VERSION, STATE_KEY, Shard, ShardState,
};
use xposer::emit::stamp;
use xposer::options::Mode;
use xposer::{Plan, Service, Settings, expose};

/// The maximum number of ConfigMaps that a request reads, as `docs/claims.md` describes.
const MAX_CONFIG_MAPS: usize = 64;

fn call(function: fn(&[u8]) -> wapc_guest::CallResult, payload: &[u8]) -> Value {
    let answer = function(payload).expect("a guest function answers");
    serde_json::from_slice(&answer).expect("the answer is JSON")
}

fuzz_target!(|text: &str| {
    // The input as the whole request.
    let answer = call(xposer_policy::validate, text.as_bytes());
    assert!(answer["accepted"].is_boolean());
    let answer = call(xposer_policy::validate_settings, text.as_bytes());
    assert_eq!(answer["valid"] == true, answer["message"].is_null());

    // A line of settings, and an object, in a valid request.
    let (config, rest) = text.split_once('\n').unwrap_or(("", text));
    let Ok(object) = serde_json::from_str::<Value>(rest) else { return };
    let mut config = serde_json::from_str(config).unwrap_or_else(|_| json!({"domain": "example.com"}));
    let claims = config.as_object_mut().and_then(|config| config.remove("claims"));
    let with = |config: &Value, object: &Value| {
        json!({"settings": config, "request": {"uid": "1", "operation": "UPDATE", "namespace": "shop",
            "kind": {"group": "", "version": "v1", "kind": "Service"}, "object": object}})
        .to_string()
    };
    let request = |object: &Value| with(&config, object);
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
    // The layout of the object's text does not matter.
    let same = format!(
        r#"{{"settings":{config},"request":{{"operation":"UPDATE","namespace":"shop","object":{rest},"kind":{{"kind":"Service"}}}}}}"#
    );
    assert_eq!(call(xposer_policy::validate, same.as_bytes()), answer);

    // The same with claims: those of the input, if they are valid.
    let asking = |claims: Value| {
        let mut asking = config.clone();
        asking.as_object_mut()?.insert("claims".to_owned(), claims);
        Some((Settings::from_value(&asking).ok()?, asking))
    };
    let usual = || json!({"namespace": "xposer-system", "mode": "deny"});
    let Some((settings, asking)) = claims.and_then(asking).or_else(|| asking(usual())) else { return };
    let payload = with(&asking, &object);
    let state = || ShardState {
        version: SHARD_VERSION,
        written: "1970-01-01T00:00:00Z".to_owned(),
        ..ShardState::default()
    };
    // Every ConfigMap has all buckets.
    let say = |buckets: Buckets| config_map(Shard { state: state(), buckets }.data());
    let mode = settings.claims().map_or(Mode::Off, xposer::options::Claims::mode);
    let is_asked = outcome.plan().is_some() && mode != Mode::Off;
    let texts = outcome.plan().map(Plan::claim_texts).unwrap_or_default();
    let all_of = |holder: &Holder| {
        let mut buckets = Buckets::new();
        for claim in &texts {
            buckets.entry(claim.key()).or_default().insert(claim.text.clone(), vec![holder.clone()]);
        }
        buckets
    };
    // If there are more ConfigMaps than the maximum, the claims are not known.
    let is_known = texts.iter().map(ClaimText::config_map).collect::<BTreeSet<_>>().len() <= MAX_CONFIG_MAPS;
    let free = asked(&payload, is_asked, say(Buckets::new()).as_bytes());
    if !is_asked || is_known {
        assert_eq!(free, answer);
    }
    if let Some(plan) = outcome.plan()
        && is_known
    {
        let own = asked(&payload, is_asked, say(all_of(&plan.holder("2026-01-01T00:00:00Z"))).as_bytes());
        assert_eq!(own, free);
        let other = Holder {
            kind: "Ingress".to_owned(),
            namespace: "ops".to_owned(),
            ..plan.holder("2026-01-01T00:00:00Z")
        };
        let taken = asked(&payload, is_asked, say(all_of(&other)).as_bytes());
        assert_eq!(taken["accepted"] == false, mode == Mode::Deny || free["accepted"] == false);
        assert!(mode == Mode::Off || taken.get("mutated_object") != Some(&expected) || expected == object);
    }
    // Whatever the host returns, a refused request stays refused.
    for said in [text, rest] {
        let found = config_map([(STATE_KEY.to_owned(), said.to_owned())].into());
        // The text is under the requested keys.
        let mut data = Shard { state: state(), buckets: Buckets::new() }.data();
        data.extend(texts.iter().map(|claim| (claim.key().to_string(), said.to_owned())));
        let under = config_map(data);
        for bytes in [said, &found, &under] {
            let strange = asked(&payload, is_asked, bytes.as_bytes());
            assert!(strange["accepted"] == false || answer["accepted"] == true);
        }
    }
});

/// Returns a ConfigMap of claims, as the API server returns it.
fn config_map(data: BTreeMap<String, String>) -> String {
    json!({"metadata": {"labels": BTreeMap::from(SHARD_LABELS)}, "data": data}).to_string()
}

/// Returns the response if the host answers all requests with `said`.
fn asked(payload: &str, is_asked: bool, said: &[u8]) -> Value {
    let calls = Cell::new(0);
    let host = |_: &[u8]| {
        calls.set(calls.get() + 1);
        Ok(said.to_vec())
    };
    let answer =
        xposer_policy::validate_with(payload.as_bytes(), &host, &|| 0).expect("a guest function answers");
    assert_eq!(calls.get() > 0, is_asked);
    let answer: Value = serde_json::from_slice(&answer).expect("the answer is JSON");
    assert!(answer["accepted"].is_boolean());
    assert_ne!(answer.get("code"), Some(&json!(500)));
    answer
}
