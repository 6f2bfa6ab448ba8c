//! Tests that the programs work together without our controller.

use xposer_chain::cluster::{INGRESS, MONITOR};
use xposer_chain::{Chain, Links, redirect, status};

use crate::common::{has_address, resolves};

const OBJECTS: &str = "
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  annotations: {cert-manager.io/cluster-issuer: ca, ingress.kubernetes.io/force-ssl-redirect: 'true'}
spec:
  ingressClassName: contour
  tls: [{hosts: [smoke.example.com], secretName: web-tls}]
  rules:
  - host: smoke.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}
";

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn an_ingress_by_hand_is_resolved_certified_and_routed() {
    let chain = Chain::get();
    let ns = chain.namespace("smoke");
    let before = chain.records();
    let links = Links::of("an Ingress by hand is applied");
    ns.apply(OBJECTS);
    let https = ns.request("https://smoke.example.com/x?y=z");
    links
        .link("the Ingress has an address", || has_address(&ns, "web"))
        .link("the name resolves", || resolves(chain, "smoke.example.com", "contour"))
        .link("https verifies, and the backend answers", || {
            https.check_once(&status(200).backend("web").path("/x?y=z").said("/namespace", "smoke"))
        })
        .all();
    ns.request("http://smoke.example.com/x").eventually(redirect(301, "https://smoke.example.com/x"));
    https.clone().at("internal-ingress").once().expect_err("the other class does not know the host");
    https.times(20).has_no_failure();
    let links = Links::of("the Ingress is deleted");
    ns.delete(INGRESS, "web");
    links
        .link("the records are as before", || {
            let records = chain.records();
            anyhow::ensure!(records == before, "{records:?}");
            Ok(())
        })
        .link("https is not answered", || {
            let answered = https.clone().at("contour").check_once(&status(200));
            anyhow::ensure!(answered.is_err(), "it is");
            Ok(())
        })
        .all();
    assert_eq!(ns.has_none(&[INGRESS, MONITOR]).map_err(|error| format!("{error:#}")), Ok(()));
}
