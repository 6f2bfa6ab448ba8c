//! Admission policies change what the controller writes, or refuse it.

use std::time::{Duration, Instant};

use kube::api::{DeleteParams, PatchParams};
use serde_json::{Value, json};

use crate::cluster::{
    INGRESS, Kind, MUTATING, MUTATING_BINDING, VALIDATING, VALIDATING_BINDING, eventually, place_of,
};
use crate::scenario::{PLAIN, Place, Scene, foreign_ingress, host, key};

/// An admission policy for the Ingresses of a namespace. It is removed on drop.
struct Policy<'s> {
    scene: &'s Scene,
    shop: &'s Place,
    kinds: [Kind; 2],
}

impl<'s> Policy<'s> {
    /// Returns when the policy is in force for an Ingress of this host.
    fn new(scene: &'s Scene, shop: &'s Place, kinds: [Kind; 2], mut spec: Value, binding: Value) -> Self {
        let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": shop.name}});
        let rule = json!({"apiGroups": ["networking.k8s.io"], "apiVersions": ["v1"],
            "operations": ["CREATE", "UPDATE"], "resources": ["ingresses"]});
        spec["matchConstraints"] = json!({"namespaceSelector": selector, "resourceRules": [rule]});
        for (kind, spec) in kinds.into_iter().zip([spec, binding]) {
            scene.apply(&json!({"apiVersion": kind.api, "kind": kind.name, "metadata": {"name": shop.name}, "spec": spec}));
        }
        Self { scene, shop, kinds }
    }

    /// The answer to a dry run of creating an Ingress with this host.
    fn probe(scene: &Scene, shop: &Place, host: &str) -> Result<Value, String> {
        let mut probe = foreign_ingress("probe", host);
        probe["metadata"]["namespace"] = shop.name.as_str().into();
        let parameters = PatchParams::apply("e2e").dry_run();
        scene.apply_with(&probe, &parameters).map_err(|status| status.message)
    }
}

impl Drop for Policy<'_> {
    fn drop(&mut self) {
        for kind in self.kinds {
            self.scene.delete(kind, None, &self.shop.name, &DeleteParams::default());
        }
    }
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn changes_by_admission_are_accepted() {
    let scene = Scene::with_kinds("mutated", &[MUTATING]);
    let shop = scene.place();
    let set = r#"Object{spec: Object.spec{ingressClassName: "forced"}}"#;
    let spec = json!({"failurePolicy": "Fail", "reinvocationPolicy": "Never",
        "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": set}}]});
    let binding = json!({"policyName": shop.name});
    let policy = Policy::new(&scene, &shop, [MUTATING, MUTATING_BINDING], spec, binding);
    let is_forced = |forced: bool| {
        eventually("the policy is in force, or not", || {
            let seen = Policy::probe(&scene, &shop, "probe.example.com")?;
            if (seen["spec"]["ingressClassName"] == "forced") == forced {
                Ok(())
            } else {
                Err(seen.to_string())
            }
        });
    };
    is_forced(true);

    let controller = scene.controller(PLAIN, &[]);
    shop.expose("web", &[(key("IngressClassName"), "ours".to_owned())]);
    shop.sees(INGRESS, "web", "/spec/ingressClassName", "forced");
    scene.rests(&[&controller]);
    shop.configure("web", "IngressURLPath", "/web");
    shop.sees(INGRESS, "web", "/spec/rules/0/http/paths/0/path", "/web");
    shop.has(["Ingress web"]);
    scene.rests(&[&controller]);
    // A new controller tries once, with the same result.
    drop(controller);
    let controller = scene.controller(PLAIN, &[]);
    scene.rests(&[&controller]);

    drop(policy);
    is_forced(false);
    shop.configure("web", "IngressURLPath", "/ours");
    shop.sees(INGRESS, "web", "/spec/ingressClassName", "ours");
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_refusal_is_reported_and_a_change_is_applied_at_once() {
    let scene = Scene::with_kinds("denied", &[VALIDATING]);
    let shop = scene.place();
    let fine = r#"!object.spec.rules.exists(rule, rule.host.startsWith("denied."))"#;
    let spec = json!({"failurePolicy": "Fail",
        "validations": [{"expression": fine, "message": "this host is not for you"}]});
    let binding = json!({"policyName": shop.name, "validationActions": ["Deny"]});
    let _policy = Policy::new(&scene, &shop, [VALIDATING, VALIDATING_BINDING], spec, binding);
    eventually("the policy is in force", || {
        Policy::probe(&scene, &shop, "denied.example.com").map_or(Ok(()), |seen| Err(place_of(&seen)))
    });

    let controller = scene.controller(PLAIN, &[]);
    shop.expose("denied", &[host("denied.example.com")]);
    shop.expose("web", &[]);
    let said = shop.event("denied", "Warning", "ApplyFailed");
    assert!(said.contains("this host is not for you"), "{said}");
    shop.has(["Ingress web"]);
    // After four failures in a row, the next retry is 16 s away. A change of the Service does not wait for it.
    eventually("it has failed four times", || {
        match controller.metric("xposer_reconciles_total", &["result=\"failed\""]) {
            few if few < 4.0 => Err(few.to_string()),
            _ => Ok(()),
        }
    });
    let began = Instant::now();
    shop.configure("denied", "IngressURLTemplate", "fine.example.com");
    shop.has(["Ingress denied", "Ingress web"]);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let told = shop.events("denied").iter().filter(|it| it.1 == "ApplyFailed").count();
    assert_eq!(told, 1, "{:#?}", shop.events("denied"));
    scene.end(&[&controller]);
}
