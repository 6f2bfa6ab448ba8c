//! Claims as a host returns them: any text can be parsed or is refused, parsed claims are written unchanged, and a request gets a
//! response whatever the host returns.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use xposer::conflicts::{Holders, SHARD_LABELS, STATE_KEY, Shard, ShardState, read_lines};
use xposer::guard::Guarded;
use xposer::testing;

fuzz_target!(|text: &str| {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    // A line break in the input ends its first line.
    let first = first.replace('\r', "\n");
    if let Some(holders) = read_lines(&first, &|_| true) {
        let shard = Shard { state: ShardState::default(), buckets: [('0', holders.clone())].into() };
        assert_eq!(Shard::from_data(&shard.data()).expect("what was written can be read"), shard);
        compared(&holders);
        // Claims that are not requested do not change the requested ones.
        for (text, held) in &holders {
            let found = read_lines(&first, &|it| it == text).expect("it was read before");
            assert_eq!(found, Holders::from([(text.clone(), held.clone())]));
        }
    }
    // The input as the whole response of the host, as the state, and under every key of an up-to-date ConfigMap.
    let state = r#"{"version":3,"written":"1970-01-01T00:00:00Z"}"#;
    let mut data: BTreeMap<String, &str> =
        "0123456789abcdef".chars().map(|key| (key.to_string(), &*first)).collect();
    data.insert(STATE_KEY.to_owned(), state);
    let found =
        |data: Value| json!({"metadata": {"labels": BTreeMap::from(SHARD_LABELS)}, "data": data}).to_string();
    for bytes in [first.clone(), found(json!({STATE_KEY: first})), found(json!(data))] {
        answered(rest, &|_| Ok(bytes.clone().into_bytes()));
    }
    answered(rest, &|_| Err(first.clone()));
});

/// A refused claim names its holder, and a Service is never in conflict with itself.
fn compared(holders: &Holders) {
    let plan = testing::plan(&[("IngressURLTemplate", "shop.example.com")], json!({}))
        .expect("the Service is in order");
    let report = plan.contested("", &BTreeSet::new(), holders, false);
    assert!(report.diagnostics().len() <= plan.admission_claim_texts().len() + 1);
    let own: Holders = plan
        .claim_texts()
        .into_iter()
        .map(|claim| (claim.text, vec![plan.holder("2026-01-01T00:00:00Z")]))
        .collect();
    let had: BTreeSet<String> = plan.claim_texts().into_iter().map(|claim| claim.key_for_update()).collect();
    assert!(plan.contested("2026-01-01T00:00:00Z", &had, &own, true).is_empty());
}

/// The policy gives a response for a Service, and for an object of any kind.
fn answered(object: &str, host: &xposer_policy::Host<'_>) {
    let mut objects = vec![testing::service(&[])];
    objects.extend(serde_json::from_str::<Value>(object));
    for object in objects {
        let word = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
        let (group, kind) = (word("apiVersion").split_once('/').map_or("", |(group, _)| group), word("kind"));
        let payload = json!({
            "settings": {"domain": "example.com", "guard": {"mode": "deny"}, "namespaces": {"shop": {"hosts": ["shop.example.com"]}},
                "claims": {"namespace": "xposer-system", "mode": "deny", "onFailure": "deny"}},
            "request": {"operation": "UPDATE", "namespace": "shop", "userInfo": {"username": "alice"}, "object": object, "oldObject": object,
                "kind": {"group": group, "kind": kind}},
        });
        let answer = xposer_policy::validate_with(payload.to_string().as_bytes(), host, &|| 10)
            .expect("a guest function answers");
        let answer: Value = serde_json::from_slice(&answer).expect("the answer is JSON");
        assert!(answer["accepted"].is_boolean());
        assert_ne!(answer.get("code"), Some(&json!(500)));
        // An unchanged object has no new claims.
        if let Some(guarded) = Guarded::read(&object) {
            assert!(guarded.claims_beside(Some(&guarded)).is_empty());
            assert_eq!(answer["accepted"], true);
        }
    }
}
