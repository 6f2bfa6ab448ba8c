#![allow(clippy::indexing_slicing, reason = "a test that finds something else has failed")]

use std::cell::Cell;

use super::*;
use serde_json::json;
use xposer::conflicts::Holder;

/// Planning a Service a second time is half of the work of a request.
#[test]
fn old_service_is_planned_only_on_conflict() -> Result<(), Report> {
    let plan = xposer::testing::plan(&[("IngressURLTemplate", "shop.example.com")], json!({}))?;
    let holder = |name: &str| Holder { name: name.to_owned(), ..plan.holder("2026-01-01T00:00:00Z") };
    let planned = Cell::new(0);
    let had = || {
        planned.set(planned.get() + 1);
        BTreeSet::new()
    };
    let says = |name: &str| {
        let holders = Holders::from([("prefix shop.example.com/".to_owned(), vec![holder(name)])]);
        contested(&plan, "2026-01-01T00:00:00Z", &had, &holders, true).has_errors()
    };
    assert!(!contested(&plan, "", &had, &Holders::new(), true).has_errors() && !says("web"));
    assert_eq!(planned.get(), 0);
    assert!(says("other"));
    assert_eq!(planned.get(), 1);
    Ok(())
}

const NOW: i64 = 1_795_935_600;

/// The answer to a user's creation of this object; `reply` is the result of each look-up.
fn answer(
    object: &Value,
    more: &Value,
    reply: &dyn Fn() -> Reply,
) -> Result<Response, Box<dyn std::error::Error>> {
    let (group, version) =
        object["apiVersion"].as_str().and_then(|it| it.split_once('/')).unwrap_or(("", "v1"));
    let kind = json!({"group": group, "version": version, "kind": object["kind"]});
    let request =
        json!({"operation": "CREATE", "kind": kind, "userInfo": {"username": "alice"}, "namespace": "shop",
        "object": object})
        .to_string();
    let request: crate::Request<'_> = serde_json::from_str(&request)?;
    let mut settings = json!({"ingressURLTemplate": "shop.example.com", "claims": {"namespace": "xposer-system", "mode": "deny"}});
    for (key, value) in more.as_object().into_iter().flatten() {
        settings[key] = value.clone();
    }
    let settings = Settings::from_value(&settings).map_err(|report| report.to_string())?;
    Ok(match crate::review(&request, &settings) {
        Review::Answered(response) => response,
        Review::Asks(question) => {
            let replies: Vec<Reply> = question.names().iter().map(|_| reply()).collect();
            question.answer(&replies, NOW)
        }
    })
}

/// A ConfigMap with these claims, in the bucket of the host.
fn config_map(claims: &str) -> Reply {
    let labels = json!({"app.kubernetes.io/managed-by": "xposer", "app.kubernetes.io/component": "claims"});
    let mut data = json!({"state": r#"{"version":3,"written":"2026-11-29T07:00:00Z"}"#});
    if !claims.is_empty() {
        data["a"] = claims.into();
    }
    Reply::Found(json!({"metadata": {"labels": labels}, "data": data}).to_string().into_bytes())
}

fn canary() -> Value {
    let annotations = json!({"config.xposer.stakater.com/CanaryOf": "web", "config.xposer.stakater.com/CanaryWeight": "10"});
    json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]}, "metadata": {
        "name": "beta", "namespace": "shop", "labels": {"expose": "true"}, "annotations": annotations}})
}

type Tested = Result<(), Box<dyn std::error::Error>>;

#[test]
fn canary_without_stable_service_is_reported_and_has_no_url() -> Tested {
    let by_hand = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "beta", "namespace": "shop",
        "annotations": {xposer::internal::CANARY: "true"}}, "spec": {"rules": [{"host": "shop.example.com"}]}});
    let guard = json!({"guard": {"mode": "deny"}});
    for object in [canary(), by_hand] {
        let alone = answer(&object, &guard, &|| config_map(""))?;
        assert!(alone.is_allowed() && alone.changed_object().is_none(), "{alone:?}");
        assert!(alone.warnings().len() == 1 && alone.warnings()[0].contains("canary-alone"), "{alone:?}");
        // A claim that is unknown does not count as missing.
        let unknown = answer(&object, &guard, &|| Reply::NotFound)?;
        assert!(!unknown.warnings().iter().any(|it| it.contains("canary-alone")), "{unknown:?}");
        let stable = "Service shop/web 2026-01-01T00:00:00Z prefix shop.example.com/";
        let beside = answer(&object, &guard, &|| config_map(stable))?;
        assert!(beside.is_allowed() && beside.warnings().is_empty(), "{beside:?}");
        assert_eq!(beside.changed_object().is_some(), object["kind"] == "Service");
        // The key of the host also has the claims that canaries of other namespaces conflict with.
        let foreign = "Service ops/web 2026-01-01T00:00:00Z prefix shop.example.com/";
        assert!(!answer(&object, &guard, &|| config_map(foreign))?.is_allowed());
    }
    let stable = json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]},
        "metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"}}});
    let foreign = "Ingress free/can 2026-01-01T00:00:00Z canary prefix shop.example.com/";
    let refused = answer(&stable, &guard, &|| config_map(foreign))?;
    assert!(refused.message().is_some_and(|it| it.contains("by Ingress free/can")), "{refused:?}");
    Ok(())
}

#[test]
fn messages_hide_service_accounts() -> Tested {
    let failed = || Reply::Failed("User \"system:serviceaccount:a:b\" cannot get".to_owned());
    let response = answer(&canary(), &json!({}), &failed)?;
    let warnings = response.warnings().join("\n");
    assert!(
        warnings.contains("cannot be read: permission denied")
            && warnings.contains("tell your administrator"),
        "{warnings}"
    );
    assert!(!warnings.contains("serviceaccount"), "{warnings}");
    Ok(())
}

#[test]
fn one_cause_is_reported_once() -> Tested {
    let hosts: Vec<String> = (0..101).map(|n| format!("h{n}.example.com")).collect();
    let rules: Vec<Value> =
        (0..100).map(|n| json!({"matches": [{"path": {"value": format!("/p{n}")}}]})).collect();
    let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "all", "namespace": "shop"},
        "spec": {"hostnames": hosts, "parentRefs": [{"name": "edge"}], "rules": rules}});
    let response = answer(&route, &json!({"guard": {"mode": "deny"}}), &|| config_map(""))?;
    let message = response.message().unwrap_or_default();
    assert_eq!(message.matches("[claims-too-many]").count(), 1, "{message}");
    Ok(())
}
