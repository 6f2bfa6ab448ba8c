//! Random changes by people and programs, faster than the controller can follow, while it is killed again and again. In the end,
//! the objects are what the core emits.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use xposer::conflicts::{ClaimText, Holder};
use xposer::emit::URL_CONFIG_MAP;
use xposer::{Outcome, Precedence, Service, Settings, emit_all, expose_all};

use crate::cluster::{CONFIG_MAP, HTTP_ROUTE, INGRESS, SERVICE, name_of};
use crate::scenario::{FORWARD, Place, Scene, key, service};

pub(crate) const SETTINGS: &str =
    "domain: storm.example.com\nparentRefs: [{name: external, namespace: gateways}]";
const STEPS: usize = 300;

/// Pseudo-random numbers, the same ones for the same seed (xorshift).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    pub(crate) fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

/// The seed of a run: that of `E2E_SEED`, or another one each time.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("E2E_SEED").ok().and_then(|seed| seed.parse().ok());
    seed.unwrap_or_else(|| u64::from(std::process::id()) * 2_654_435_761)
}

/// One random change.
pub(crate) fn step(shop: &Place, names: &[String], dice: &mut Dice) {
    let name = dice.of(names);
    let value = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    match dice.below(12) {
        // Two Services may claim the same host or name; one host is invalid.
        0 | 1 => {
            let hosts = ["", "one.storm.example.com", "two.storm.example.com", "Impossible.example.com"];
            shop.configure(&name, "IngressURLTemplate", value(dice.of(&hosts)));
        }
        2 => {
            shop.configure(&name, "IngressNameTemplate", value(dice.of(&["", "front", "{{.Service}}-new"])));
        }
        3 => {
            shop.configure(
                &name,
                "Target",
                value(dice.of(&["", "Ingress", "HTTPRoute", "Ingress, HTTPRoute"])),
            );
        }
        4 => {
            shop.configure(&name, "IngressURLPath", value(dice.of(&["", "/a", "/b"])));
        }
        5 => {
            shop.configure(&name, "TLS", value(dice.of(&["", "true"])));
        }
        6 => {
            shop.annotate(
                &name,
                FORWARD,
                value(dice.of(&["", "exposeIngressUrl: locally", "example.com/a: b"])),
            );
        }
        7 => {
            shop.label(&name, value(dice.of(&["true", "true", "false", ""])));
        }
        8 => {
            shop.delete(SERVICE, &name);
            shop.expose(&name, &[]);
        }
        9 => {
            let rules = json!({"spec": {"rules": [{"host": "edited.example.com"}], "tls": null}});
            for ingress in shop.list(INGRESS).iter().filter(|it| !shop.is_bystander(it)) {
                shop.try_patch(INGRESS, name_of(ingress), &rules);
            }
        }
        // The ingress controller writes an address.
        10 => {
            for ingress in shop.list(INGRESS).iter().filter(|it| !shop.is_bystander(it)) {
                let _ = shop.try_address(name_of(ingress));
            }
        }
        _ => {
            let kind = dice.of(&[INGRESS, HTTP_ROUTE, CONFIG_MAP]);
            let objects = shop.list(kind);
            let objects: Vec<&Value> = objects.iter().filter(|it| !shop.is_bystander(it)).collect();
            if !objects.is_empty() {
                shop.delete(kind, name_of(dice.of(&objects)));
            }
        }
    }
}

/// What the core emits for all Services together, and what they claim. Of two with the same claim, the older one keeps it.
pub(crate) fn expected(services: &mut [Value]) -> (Vec<Value>, Vec<(ClaimText, Holder)>) {
    services.sort_by_key(|it| {
        let of = &it["metadata"];
        (of["creationTimestamp"].to_string(), of["namespace"].to_string(), name_of(it).to_owned())
    });
    let settings = xposer_manifest::settings("settings", SETTINGS.to_owned()).unwrap();
    let mut kept: Vec<Service<'_>> = Vec::new();
    for service in services.iter() {
        let mut with: Vec<Service<'_>> = kept.clone();
        with.push(Service::from_value(service));
        if plans(&with, &settings) == with.len() {
            kept = with;
        }
    }
    let outcomes = expose_all(&kept, &settings, Precedence::RefuseAll);
    let plans = || outcomes.iter().filter_map(Outcome::plan);
    let claims = plans().flat_map(|plan| {
        let holder = plan.holder("");
        plan.claim_texts().into_iter().map(move |text| (text, holder.clone()))
    });
    let objects = emit_all(plans()).objects.iter().map(xposer::Object::to_value).collect();
    (objects, claims.collect())
}

fn plans(services: &[Service<'_>], settings: &Settings) -> usize {
    expose_all(services, settings, Precedence::RefuseAll).iter().filter_map(Outcome::plan).count()
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn concurrent_changes_end_in_the_decision_of_the_core() {
    let scene = Scene::with_kinds("storm", &[HTTP_ROUTE]);
    let shop = scene.place();
    let seed = seed();
    println!("the same again: E2E_SEED={seed}");
    let mut dice = Dice::new(seed);
    let names: Vec<String> = (0..8).map(|it| format!("web-{it}")).collect();
    shop.create_all(names.iter().map(|name| service(name, &[])));

    // The handover timeout is short.
    let words = ["--handover-timeout", "5"];
    let mut controller = scene.controller(SETTINGS, &words);
    for round in 0..STEPS {
        step(&shop, &names, &mut dice);
        match round {
            100 => {
                controller.kill();
                controller = scene.controller_as(&scene.identity, SETTINGS, &words);
            }
            200 => controller.signal("STOP"),
            220 => controller.signal("CONT"),
            _ => {}
        }
    }
    // The objects of a refused Service depend on its history, so in the end no Service is refused.
    for service in shop.list(SERVICE) {
        if service["metadata"]["annotations"][key("IngressURLTemplate")] == "Impossible.example.com" {
            shop.configure(name_of(&service), "IngressURLTemplate", Value::Null);
        }
    }

    let mut services = shop.list(SERVICE);
    let (objects, _) = expected(&mut services);
    let lines = objects.iter().map(|it| format!("{} {}", it["kind"].as_str().unwrap(), name_of(it)));
    let lines: BTreeSet<String> = lines.collect();
    println!("expected: {lines:?}");
    shop.has_within(Duration::from_secs(60), &lines);
    for object in &objects {
        match object["kind"].as_str() {
            Some("ConfigMap") => drop(shop.sees(CONFIG_MAP, URL_CONFIG_MAP, "/data", object["data"].clone())),
            Some("Ingress") => drop(shop.sees(INGRESS, name_of(object), "/spec", object["spec"].clone())),
            _ => {}
        }
    }
    assert!(controller.runs());
    scene.end(&[&controller]);
}
