//! What `--target` and the setting `target` make instead of an Ingress, and what is said about it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{INGRESS_OF_WEB, Ran, folder, service, xposer, xposer_in};

const GATEWAY: &str = "parentRefs: [{name: external, namespace: gateways, sectionName: https}]\n";

/// Renders the Service `web` under these settings, with these arguments.
fn targets(test: &str, settings: &str, arguments: &[&str]) -> Ran {
    let folder = folder(test);
    std::fs::write(folder.join("settings.yaml"), settings).unwrap();
    let all = [&["render", "--settings", "settings.yaml"], arguments].concat();
    xposer_in(&folder, &all, &service("web"))
}

const HTTPROUTE_OF_WEB: &str = "\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  labels:
    app.kubernetes.io/managed-by: xposer
    xposer.stakater.com/service: web
  name: web
  namespace: shop
spec:
  hostnames:
  - web.example.com
  parentRefs:
  - group: gateway.networking.k8s.io
    kind: Gateway
    name: external
    namespace: gateways
    sectionName: https
  rules:
  - backendRefs:
    - group: \"\"
      kind: Service
      name: web
      port: 80
      weight: 1
    matches:
    - path:
        type: PathPrefix
        value: /
";

#[test]
fn another_target() {
    let expected = Ran { code: 0, stdout: HTTPROUTE_OF_WEB.into(), stderr: String::new() };
    for word in ["httproute", "HTTPRoute", "HTTPROUTE"] {
        assert_eq!(targets("httproute", GATEWAY, &["--target", word]), expected, "{word}");
    }
    assert_eq!(targets("httproute", &format!("{GATEWAY}target: HTTPRoute\n"), &[]), expected);
    // What the command line says counts more than the settings.
    let asked = format!("{GATEWAY}target: Route\n");
    assert_eq!(targets("httproute", &asked, &["--target", "httproute"]), expected);
    let route = targets("route", "", &["--target", "route"]).expect(0);
    assert!(route.stdout.starts_with("apiVersion: route.openshift.io/v1\nkind: Route\n"), "{}", route.stdout);
    assert!(route.stdout.contains("\n  port:\n    targetPort: http\n"), "{}", route.stdout);
}

/// Objects come in the order of their kinds, however they are asked for.
#[test]
fn two_targets_at_once() {
    let both = format!("{INGRESS_OF_WEB}---\n{HTTPROUTE_OF_WEB}");
    for arguments in [
        ["--target", "ingress", "--target", "httproute"].as_slice(),
        &["--target", "httproute", "--target", "ingress"],
        &["--target", "httproute", "--target", "ingress", "--target", "httproute"],
    ] {
        let expected = Ran { code: 0, stdout: both.clone(), stderr: String::new() };
        assert_eq!(targets("two-targets", GATEWAY, arguments), expected);
    }
}

#[test]
fn an_httproute_without_a_gateway() {
    let ran = xposer(&["render", "--target", "httproute"], &service("web")).expect(1);
    assert_eq!(ran.stdout, "");
    assert_eq!(
        ran.stderr,
        "\
error[gateway-missing]: no Gateway is named for the HTTPRoute
 --> <stdin>:6:20
  |
6 |   labels: {expose: 'true'}
  |                    ^^^^^^
  |
  = note: metadata.labels.expose of Service shop/web
  = help: ask your administrator for the setting parentRefs

"
    );
    // An Ingress that is asked for as well is not made alone.
    let both = ["render", "--target", "ingress", "--target", "httproute"];
    assert_eq!(xposer(&both, &service("web")).expect(1).stdout, "");
}

#[test]
fn a_target_that_there_is_not() {
    for word in ["gateway", "HTTP Route", ""] {
        let ran = xposer(&["render", "--target", word], &service("web")).expect(2);
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.contains("[possible values: ingress, httproute, route]"), "{}", ran.stderr);
    }
}
