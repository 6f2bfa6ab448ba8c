//! What a host says of claims: any text is a shard or none, what is read is written the same, and a request is answered whatever the host says.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use xposer::conflicts::{Holders, SHARD_KEY, SHARD_LABELS, Shard};
use xposer::guard::Guarded;
use xposer::testing;

fuzz_target!(|text: &str| {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if let Ok(shard) = serde_json::from_str::<Shard>(first) {
        let again: Shard =
            serde_json::from_str(&json!(shard).to_string()).expect("what was written can be read");
        assert_eq!(again, shard);
        compared(&shard.claims);
    }
    // The host's bytes as they are, and as the text of a ConfigMap of this moment.
    for claims in
        [first.to_owned(), format!(r#"{{"version":2,"written":"1970-01-01T00:00:00Z","claims":{first}}}"#)]
    {
        let found =
            json!({"metadata": {"labels": BTreeMap::from(SHARD_LABELS)}, "data": {SHARD_KEY: claims}})
                .to_string();
        for bytes in [first.as_bytes(), found.as_bytes()] {
            answered(rest, &|_| Ok(bytes.to_vec()));
        }
    }
    answered(rest, &|_| Err(first.to_owned()));
});

/// Who asks in vain is told who has it, and nobody is in the own way.
fn compared(holders: &Holders) {
    let plan = testing::plan(&[("IngressURLTemplate", "shop.example.com")], json!({}))
        .expect("the Service is in order");
    let report = plan.contested("", &BTreeSet::new(), holders, false);
    assert!(report.diagnostics().len() <= plan.claim_texts().len() + 1);
    let own: Holders = plan
        .claim_texts()
        .into_iter()
        .map(|claim| (claim.text, vec![plan.holder("2026-01-01T00:00:00Z")]))
        .collect();
    let had: BTreeSet<String> = plan.claim_texts().into_iter().map(|claim| claim.kept()).collect();
    assert!(plan.contested("2026-01-01T00:00:00Z", &had, &own, true).is_empty());
}

/// The policy answers about a Service, and about an object of any kind.
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
        // What was there before takes nothing from anybody.
        if let Some(guarded) = Guarded::read(&object) {
            assert!(guarded.claims_beside(Some(&guarded)).is_empty());
            assert_eq!(answer["accepted"], true);
        }
    }
}
