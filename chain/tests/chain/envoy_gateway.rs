//! Tests the options of Services with Envoy Gateway: which requests are admitted and refused, and what the Service gets.

use xposer_chain::cluster::HTTP_ROUTE;
use xposer_chain::{Chain, Namespace, Request, redirect, status};

use crate::common::expose;

const SETTINGS: &str = "
domain: example.com
ingressURLTemplate: '{{.Service}}.{{.Domain}}'
target: HTTPRoute
gatewayController: envoy-gateway
parentRefs: [{name: external, namespace: gateways, sectionName: http}]
";
/// The password of alice is `wonder`.
const USERS: &str = "
apiVersion: v1
kind: Secret
metadata: {name: users}
stringData: {.htpasswd: 'alice:{SHA}w3QkzGJswDXW5OKZHAJw0FELjfM='}
";
const ALICE: &str = "Basic YWxpY2U6d29uZGVy";
const EVE: &str = "Basic ZXZlOmV2ZQ==";
/// Makes Envoy Gateway read the client address from a header, as behind a load balancer.
const FORWARDED: &str = "
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: forwarded, namespace: gateways}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external}]
  clientIPDetection: {xForwardedFor: {numTrustedHops: 1}}
";
/// Basic authentication for every route of the Gateway.
const OF_THE_GATEWAY: &str = "
apiVersion: v1
kind: Secret
metadata: {name: everybody, namespace: gateways}
stringData: {.htpasswd: 'alice:{SHA}w3QkzGJswDXW5OKZHAJw0FELjfM='}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: everybody, namespace: gateways}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external}]
  basicAuth: {users: {name: everybody}}
";

/// Objects of the administrator, which exist until the end of a test.
struct Administered(&'static Chain, &'static str);

impl Administered {
    fn new(chain: &'static Chain, yaml: &'static str) -> Self {
        chain.kubectl(&["apply", "-f", "-"], yaml).expect("kubectl applies");
        Self(chain, yaml)
    }
}

impl Drop for Administered {
    fn drop(&mut self) {
        let _ = self.0.kubectl(&["delete", "--ignore-not-found", "-f", "-"], self.1);
    }
}

/// Returns a request for a Service.
fn get(ns: &Namespace, service: &str, path: &str) -> Request {
    ns.request(&format!("http://{service}.example.com{path}")).at("envoy-gateway")
}

/// Returns a request with this client address.
fn from(ns: &Namespace, service: &str, address: &str) -> Request {
    get(ns, service, "/").header("x-forwarded-for", address)
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn addresses_and_passwords_restrict_access() {
    let chain = Chain::get();
    let _forwarded = Administered::new(chain, FORWARDED);
    let _controller = chain.controller(SETTINGS);
    let ns = chain.namespace("eg-in");
    ns.apply(USERS);
    expose(&ns, "eg-allowed", &[("AllowedSources", "192.0.2.0/24, 2001:db8::/32")]);
    expose(&ns, "eg-denied", &[("DeniedSources", "192.0.2.0/24")]);
    expose(&ns, "eg-both", &[("AllowedSources", "192.0.2.0/24"), ("DeniedSources", "192.0.2.7")]);
    expose(&ns, "eg-password", &[("BasicAuth", "users")]);
    expose(&ns, "eg-no-users", &[("BasicAuth", "nobody")]);
    expose(
        &ns,
        "eg-several",
        &[
            ("IngressURLTemplate", "eg-several.example.com, eg-more.example.com/x"),
            ("AllowedSources", "192.0.2.0/24"),
        ],
    );
    for (service, address, expected) in [
        ("eg-allowed", "192.0.2.1", 200),
        ("eg-allowed", "2001:db8::1", 200),
        ("eg-allowed", "198.51.100.1", 403),
        ("eg-denied", "198.51.100.1", 200),
        ("eg-denied", "192.0.2.1", 403),
        ("eg-both", "192.0.2.1", 200),
        ("eg-both", "192.0.2.7", 403),
        ("eg-both", "198.51.100.1", 403),
        ("eg-several", "192.0.2.1", 200),
        ("eg-several", "198.51.100.1", 403),
    ] {
        from(&ns, service, address).eventually(status(expected));
    }
    let more = |address| get(&ns, "eg-more", "/x").header("x-forwarded-for", address);
    more("192.0.2.1").eventually(status(200).backend("eg-several"));
    more("198.51.100.1").eventually(status(403));

    let password = |token: &str| get(&ns, "eg-password", "/").header("authorization", token);
    password(ALICE).eventually(status(200).backend("eg-password"));
    password(EVE).eventually(status(401));
    get(&ns, "eg-password", "/").eventually(status(401));
    // Without the secret, all requests are refused, and the owner gets an Event.
    ns.event("eg-no-users", "Warning", "NotServed");
    let closed = get(&ns, "eg-no-users", "/").header("authorization", ALICE).eventually(status(500));
    assert_eq!(closed.backend(), None);
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn external_service_authenticates_requests() {
    let chain = Chain::get();
    let _controller = chain.controller(SETTINGS);
    let ns = chain.namespace("eg-auth");
    ns.apply("{apiVersion: v1, kind: Service, metadata: {name: authenticate}, spec: {ports: [{port: 8080, targetPort: 8000}]}}");
    let url = "url: http://authenticate.eg-auth.svc.cluster.local:8080/verify\nresponseHeaders: X-User";
    expose(&ns, "eg-guarded", &[("ExternalAuth", url)]);
    expose(&ns, "eg-no-guard", &[("ExternalAuth", "http://nobody.eg-auth.svc/")]);
    let asked = |token: &str| get(&ns, "eg-guarded", "/x").header("authorization", token);
    asked(xposer_chain::GOOD)
        .header("x-user", "eve")
        .eventually(status(200).backend("eg-guarded").path("/x").received("x-user", Some("alice")));
    asked("Bearer bad").header("x-user", "alice").eventually(status(401));
    get(&ns, "eg-guarded", "/x").eventually(status(401));
    // Without the authentication server, all requests are refused.
    let closed =
        get(&ns, "eg-no-guard", "/").header("authorization", xposer_chain::GOOD).eventually(status(500));
    assert_eq!(closed.backend(), None);
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn a_policy_of_the_gateway_counts_beside_that_of_a_route() {
    let chain = Chain::get();
    let _forwarded = Administered::new(chain, FORWARDED);
    let _policy = Administered::new(chain, OF_THE_GATEWAY);
    let _controller = chain.controller(SETTINGS);
    let ns = chain.namespace("eg-merge");
    expose(&ns, "eg-plain", &[]);
    expose(&ns, "eg-merged", &[("AllowedSources", "192.0.2.0/24"), ("CORS", "https://app.example.com")]);
    for service in ["eg-plain", "eg-merged"] {
        from(&ns, service, "192.0.2.1")
            .header("authorization", ALICE)
            .eventually(status(200).backend(service));
        from(&ns, service, "192.0.2.1").eventually(status(401));
        from(&ns, service, "192.0.2.1").header("authorization", EVE).eventually(status(401));
    }
    from(&ns, "eg-plain", "198.51.100.1").header("authorization", ALICE).eventually(status(200));
    from(&ns, "eg-merged", "198.51.100.1").header("authorization", ALICE).eventually(status(403));
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn paths_and_headers_are_what_the_service_wants() {
    let chain = Chain::get();
    let _controller = chain.controller(SETTINGS);
    let ns = chain.namespace("eg-paths");
    expose(&ns, "eg-strip", &[("IngressURLPath", "/shop"), ("StripPrefix", "true")]);
    expose(&ns, "eg-only", &[("IngressURLPath", "/only"), ("PathType", "Exact"), ("StripPrefix", "true")]);
    expose(&ns, "eg-full", &[("IngressURLPath", "/old"), ("RewritePath", "/new")]);
    expose(&ns, "eg-base", &[("IngressURLPath", "/shop(/|$)(.*)"), ("RewritePath", "/store/$2")]);
    expose(&ns, "eg-groups", &[("IngressURLPath", "/v([0-9]+)/(.*)"), ("RewritePath", "/api/$1x/$2")]);
    expose(&ns, "eg-cut", &[("IngressURLPath", "/v[0-9]+"), ("StripPrefix", "true")]);
    expose(&ns, "eg-regex", &[("IngressURLPath", "/api/v[0-9]+")]);
    expose(&ns, "eg-choice", &[("IngressURLPath", "/a|/b")]);
    expose(&ns, "eg-glob", &[("IngressURLPath", "/app/*")]);
    for (service, path, seen) in [
        ("eg-strip", "/shop/cart?x=1", "/cart?x=1"),
        ("eg-strip", "/shop", "/"),
        ("eg-only", "/only?x=1", "/?x=1"),
        ("eg-full", "/old/x?y=z", "/new?y=z"),
        ("eg-base", "/shop/cart", "/store/cart"),
        ("eg-groups", "/v7/items?x=1", "/api/7x/items?x=1"),
        ("eg-groups", "/V7/items", "/api/7x/items"),
        ("eg-cut", "/v12/items", "/items"),
        ("eg-cut", "/V12", "/"),
        ("eg-regex", "/api/v1/x", "/api/v1/x"),
        ("eg-regex", "/API/V1", "/API/V1"),
        ("eg-choice", "/b/x", "/b/x"),
        ("eg-glob", "/app", "/app"),
        ("eg-glob", "/app/x", "/app/x"),
    ] {
        get(&ns, service, path).eventually(status(200).backend(service).path(seen));
    }
    for (service, path) in [
        ("eg-strip", "/shopping"),
        ("eg-only", "/only/more"),
        ("eg-base", "/shopping"),
        ("eg-groups", "/x/v7/items"),
        ("eg-regex", "/x/api/v1"),
        ("eg-choice", "/c"),
        ("eg-glob", "/apple"),
    ] {
        get(&ns, service, path).eventually(status(404));
    }

    expose(
        &ns,
        "eg-headers",
        &[("RequestHeaders", "X-Team: shop\nX-Debug:"), ("ResponseHeaders", "X-Frame-Options: DENY")],
    );
    get(&ns, "eg-headers", "/").header("x-debug", "1").header("x-team", "eve").eventually(
        status(200)
            .received("x-team", Some("shop"))
            .received("x-debug", None)
            .header("x-frame-options", "DENY"),
    );
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn limits_and_browsers_get_what_the_service_wants() {
    let chain = Chain::get();
    let _forwarded = Administered::new(chain, FORWARDED);
    let _controller = chain.controller(SETTINGS);
    let ns = chain.namespace("eg-limits");
    ns.apply(USERS);
    expose(&ns, "eg-body", &[("MaxBodySize", "16Ki")]);
    expose(&ns, "eg-idle", &[("IdleTimeout", "1s"), ("ConnectTimeout", "2s")]);
    expose(&ns, "eg-time", &[("Timeout", "1s500ms")]);
    expose(&ns, "eg-rate", &[("RateLimit", "3/m")]);
    expose(&ns, "eg-sticky", &[("StickySession", "pod")]);
    expose(&ns, "eg-day", &[("StickySession", "cookie: day\nmaxAge: 24h")]);
    let cors = "origins: https://app.example.com, https://*.example.org\nmethods: GET, PUT\ncredentials: true\nmaxAge: 1h";
    expose(&ns, "eg-cors", &[("CORS", cors), ("BasicAuth", "users")]);

    let body = |size: usize| get(&ns, "eg-body", "/").method("POST").body(&"x".repeat(size));
    body(20_000).eventually(status(413));
    body(20_000).http2().eventually(status(413));
    body(500).eventually(status(200).backend("eg-body"));
    for service in ["eg-idle", "eg-time"] {
        get(&ns, service, "/?delay=4").eventually(status(504));
        get(&ns, service, "/").eventually(status(200).backend(service));
    }

    // Each address is counted separately.
    for address in ["192.0.2.1", "192.0.2.2", "2001:db8::1"] {
        from(&ns, "eg-rate", address).eventually(status(429));
    }
    from(&ns, "eg-rate", "192.0.2.3").eventually(status(200).backend("eg-rate"));

    let cookie = |service: &str| {
        let answer = get(&ns, service, "/").eventually(status(200).backend(service));
        answer.header("set-cookie").map(str::to_owned)
    };
    xposer_chain::eventually("there are cookies", || {
        let (session, day) = (cookie("eg-sticky"), cookie("eg-day"));
        let is_session =
            session.as_deref().is_some_and(|it| it.starts_with("pod=") && !it.contains("Max-Age=86400"));
        let is_day = day.as_deref().is_some_and(|it| it.starts_with("day=") && it.contains("Max-Age=86400"));
        anyhow::ensure!(is_session && is_day, "{session:?} {day:?}");
        Ok(())
    });

    // A browser sends a preflight request without the password.
    get(&ns, "eg-cors", "/")
        .method("OPTIONS")
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "PUT")
        .eventually(
            status(200)
                .header("access-control-allow-origin", "https://app.example.com")
                .header("access-control-allow-credentials", "true")
                .header("access-control-max-age", "3600"),
        );
    let asked =
        |origin: &str| get(&ns, "eg-cors", "/").header("authorization", ALICE).header("origin", origin);
    asked("https://one.example.org")
        .eventually(status(200).header("access-control-allow-origin", "https://one.example.org"));
    let other = asked("https://evil-example.org").eventually(status(200).backend("eg-cors"));
    assert_eq!(other.header("access-control-allow-origin"), None);
    get(&ns, "eg-cors", "/").header("origin", "https://app.example.com").eventually(status(401));
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn other_hosts_are_sent_to_the_first_one() {
    let chain = Chain::get();
    let settings = "
domain: example.com
ingressURLTemplate: '{{.Service}}.{{.Domain}}'
target: HTTPRoute
gatewayController: envoy-gateway
tls: load-balancer
parentRefs: [{name: external, namespace: gateways, sectionName: https}]
httpParentRefs: [{name: external, namespace: gateways, sectionName: http}]
";
    let _controller = chain.controller(settings);
    let ns = chain.namespace("eg-from");
    expose(
        &ns,
        "eg-to",
        &[("RedirectFrom", "eg-old.example.com, eg-older.example.com"), ("HTTPSRedirectCode", "308")],
    );
    for host in ["eg-old", "eg-older"] {
        for scheme in ["http", "https"] {
            let request = ns.request(&format!("{scheme}://{host}.example.com/x?y=z")).at("envoy-gateway");
            request.eventually(redirect(308, "https://eg-to.example.com/x?y=z"));
        }
    }
    get(&ns, "eg-to", "/x").eventually(redirect(308, "https://eg-to.example.com/x"));
    ns.request("https://eg-to.example.com/x").at("envoy-gateway").eventually(status(200).backend("eg-to"));
    assert_eq!(ns.names(HTTP_ROUTE), ["eg-to", "eg-to-from", "eg-to-redirect"]);
    // ExternalDNS also publishes the other hosts.
    for host in ["eg-to", "eg-old", "eg-older"] {
        xposer_chain::eventually("the name resolves", || {
            crate::common::resolves(chain, &format!("{host}.example.com"), "envoy-gateway")
        });
    }
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn protections_of_a_service_apply_to_its_canaries() {
    let chain = Chain::get();
    let _forwarded = Administered::new(chain, FORWARDED);
    let _controller = chain.controller(SETTINGS);
    let ns = chain.namespace("eg-canary");
    expose(
        &ns,
        "eg-stable",
        &[("IngressURLPath", "/shop"), ("StripPrefix", "true"), ("AllowedSources", "192.0.2.0/24")],
    );
    let canary = [("CanaryOf", "eg-stable"), ("IngressURLPath", "/shop")];
    let by = [("CanaryByCookie", "track"), ("CanaryByHeader", "X-Track")];
    expose(&ns, "eg-beta", &[canary, by].concat());
    let asked = |address: &str| get(&ns, "eg-stable", "/shop/x").header("x-forwarded-for", address);
    for (name, value, backend) in [
        ("cookie", "a=b; track=always", "eg-beta"),
        ("cookie", "track=never", "eg-stable"),
        ("x-track", "always", "eg-beta"),
        ("x-track", "never", "eg-stable"),
        ("x-other", "always", "eg-stable"),
    ] {
        asked("192.0.2.1").header(name, value).eventually(status(200).backend(backend).path("/x"));
        asked("198.51.100.1").header(name, value).eventually(status(403));
    }
}
