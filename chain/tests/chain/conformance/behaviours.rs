//! The table of behaviours: Services with our annotations, and requests with the response that is expected of every program.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::ask::{Ask, get};
use super::columns::Column;
use super::intents::INTENTS;

/// A behaviour. No other behaviour uses the hosts of its Services.
#[derive(Clone, Copy)]
pub(super) struct Behaviour {
    /// The expected behaviour in words.
    pub(super) words: &'static str,
    /// The Services. The host of the first one is used for requests without a host.
    pub(super) services: &'static [Exposed],
    /// Additional objects, as YAML.
    pub(super) objects: &'static str,
    pub(super) asks: &'static [Ask],
    /// The requests after the first Service is not exposed any more.
    pub(super) afterwards: &'static [Ask],
}

/// An exposed Service.
#[derive(Clone, Copy)]
pub(super) struct Exposed {
    pub(super) name: &'static str,
    /// Options without their prefix, and lines of the forwarded block, which are recognised by the slash in their keys.
    pub(super) annotations: &'static [&'static str],
    /// Annotations of programs that read the Service, with their prefixes.
    pub(super) own: &'static [&'static str],
    spec: &'static str,
}

pub(super) const fn service(name: &'static str, annotations: &'static [&'static str]) -> Exposed {
    Exposed { name, annotations, own: &[], spec: "{ports: [{port: 80, targetPort: 8000}]}" }
}

impl Exposed {
    pub(super) const fn own(self, own: &'static [&'static str]) -> Self {
        Self { own, ..self }
    }

    const fn spec(self, spec: &'static str) -> Self {
        Self { spec, ..self }
    }

    /// Returns the Service for a column.
    pub(super) fn object(&self, column: &Column) -> Value {
        let (mut annotations, mut block) = (Map::new(), Vec::new());
        for line in self.annotations {
            let (key, value) = line.split_once(": ").unwrap();
            if key.contains('/') {
                block.push(*line);
            } else {
                let value = value.replace("{column}", column.name);
                annotations.insert(format!("config.xposer.stakater.com/{key}"), value.into());
            }
        }
        for (key, value) in self.own.iter().filter_map(|line| line.split_once(": ")) {
            annotations.insert(key.to_owned(), value.into());
        }
        if !block.is_empty() {
            annotations.insert("xposer.stakater.com/annotations".to_owned(), block.join("\n").into());
        }
        let spec = xposer_chain::cluster::documents(self.spec).unwrap().remove(0);
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": self.name, "labels": {"expose": "true"}, "annotations": annotations},
            "spec": spec,
        })
    }
}

pub(super) const fn behaviour(
    words: &'static str,
    services: &'static [Exposed],
    asks: &'static [Ask],
) -> Behaviour {
    Behaviour { words, services, objects: "", asks, afterwards: &[] }
}

/// All behaviours. The names of the Services are unique.
pub(super) static BEHAVIOURS: LazyLock<Vec<Behaviour>> = LazyLock::new(|| [TABLE, INTENTS].concat());

/// The behaviours of options that are older than the intents, and of annotations of ingress-nginx.
const TABLE: &[Behaviour] = &[
    // Hosts and paths.
    behaviour(
        "a host leads to its Service, another host to none",
        &[service("host", &[])],
        &[get("/").from("host"), get("/").host("nobody-{column}.example.com").status(&[404])],
    ),
    behaviour(
        "several hosts lead to one Service",
        &[service(
            "hosts",
            &[
                "IngressURLTemplate: {{.Service}}-{column}.{{.Domain}}, more-{{.Service}}-{column}.{{.Domain}}",
            ],
        )],
        &[get("/").from("hosts"), get("/").host("more-hosts-{column}.example.com").from("hosts")],
    ),
    behaviour(
        "a wildcard host covers every name below it, and not itself",
        &[service("wildcard", &["IngressURLTemplate: *.{{.Service}}-{column}.{{.Domain}}"])],
        &[
            get("/").host("any.wildcard-{column}.example.com").from("wildcard"),
            get("/").host("wildcard-{column}.example.com").status(&[404]),
        ],
    ),
    behaviour(
        "a wildcard host leaves the other hosts to their Services",
        &[
            service("star", &["IngressURLTemplate: *.star-{column}.{{.Domain}}/api"]),
            service("under", &["IngressURLTemplate: a.star-{column}.{{.Domain}}"]),
        ],
        &[
            get("/api/orders").host("a.star-{column}.example.com").from("under"),
            get("/api/orders").host("b.star-{column}.example.com").from("star"),
        ],
    ),
    behaviour(
        "a prefix ends where a segment ends",
        &[service("prefix", &["IngressURLPath: /shop"])],
        &[get("/shop").from("prefix"), get("/shop/cart").from("prefix"), get("/shopping").status(&[404])],
    ),
    behaviour(
        "an exact path is that path alone",
        &[service("exact", &["IngressURLPath: /only", "PathType: Exact"])],
        &[
            get("/only").from("exact"),
            get("/only/more").status(&[404]),
            get("/onlymore").status(&[404]),
            get("/ONLY").status(&[404]),
        ],
    ),
    behaviour(
        "an exact path counts more than a prefix",
        &[
            service("whole", &["IngressURLTemplate: whole-{column}.{{.Domain}}/api"]),
            service("only", &["IngressURLTemplate: whole-{column}.{{.Domain}}/api/only", "PathType: Exact"]),
        ],
        &[get("/api/only").from("only"), get("/api/other").from("whole")],
    ),
    behaviour(
        "two Services share a host, and the longer prefix counts more",
        &[service("short", &[]), service("long", &["IngressURLTemplate: short-{column}.{{.Domain}}/api"])],
        &[get("/api/orders").from("long"), get("/other").from("short")],
    ),
    behaviour(
        "a path can be a regular expression",
        &[service("regex", &["IngressURLPath: /v[0-9]+/items"])],
        &[get("/v12/items").from("regex"), get("/vx/items").status(&[404])],
    ),
    behaviour(
        "a regular expression leaves the other paths of its host as they are",
        &[
            service("sibling", &["IngressURLPath: /only", "PathType: Exact"]),
            service("pattern", &["IngressURLTemplate: sibling-{column}.{{.Domain}}/v[0-9]+"]),
        ],
        &[
            get("/only").from("sibling"),
            get("/v1").host("sibling-{column}.example.com").from("pattern"),
            get("/onlymore").status(&[404]),
            get("/ONLY").status(&[404]),
        ],
    ),
    // Services and their ports.
    behaviour(
        "a port is chosen by its name",
        &[service("port", &["ServicePort: web"]).spec(
            "{ports: [{name: admin, port: 80, targetPort: 8001}, {name: web, port: 81, targetPort: 8002}]}",
        )],
        &[get("/").said("port", "/port", "8002")],
    ),
    behaviour(
        "a headless Service answers",
        &[service("headless", &[]).spec("{clusterIP: None, ports: [{port: 80, targetPort: 8000}]}")],
        &[get("/").from("headless")],
    ),
    Behaviour {
        afterwards: &[get("/").status(&[404])],
        ..behaviour(
            "a Service that is exposed no more is not reached",
            &[service("left", &[])],
            &[get("/").from("left")],
        )
    },
    Behaviour {
        afterwards: &[get("/api").from("stays"), get("/other").status(&[404])],
        ..behaviour(
            "of two Services on a host the other one stays",
            &[service("goes", &[]), service("stays", &["IngressURLTemplate: goes-{column}.{{.Domain}}/api"])],
            &[get("/api").from("stays"), get("/other").from("goes")],
        )
    },
    // TLS.
    behaviour(
        "https is answered with a certificate that can be verified",
        &[service("tls", &["Profile: tls"])],
        &[get("/").https().from("tls")],
    ),
    behaviour(
        "http is sent to https, with path and query",
        &[service("redirect", &["Profile: tls", "HTTPSRedirect: true"])],
        &[get("/x?y=z").to_https(), get("/x?y=z").https().said("redirect", "/path", "/x?y=z")],
    ),
    behaviour(
        "http is answered beside https, if no redirect is wanted",
        &[service("both", &["Profile: both"])],
        &[get("/").from("both"), get("/").https().from("both")],
    ),
    // Canaries.
    behaviour(
        "a canary gets its share of the requests",
        &[service("weight", &[]), service("weight-canary", &["CanaryOf: weight", "CanaryWeight: 10"])],
        &[get("/").tenth("weight-canary")],
    ),
    behaviour(
        "a canary gets the requests with a header",
        &[
            service("by-header", &[]),
            service("by-header-canary", &["CanaryOf: by-header", "CanaryByHeader: X-Track"]),
        ],
        &[
            get("/").with(&[("X-Track", "always")]).from("by-header-canary"),
            get("/").with(&[("X-Track", "never")]).from("by-header"),
            get("/").from("by-header"),
        ],
    ),
    behaviour(
        "a canary gets the requests with a value in a header",
        &[
            service("by-value", &[]),
            service(
                "by-value-canary",
                &["CanaryOf: by-value", "CanaryByHeader: X-Track", "CanaryByHeaderValue: beta"],
            ),
        ],
        &[
            get("/").with(&[("X-Track", "beta")]).from("by-value-canary"),
            get("/").with(&[("X-Track", "gamma")]).from("by-value"),
            get("/").from("by-value"),
        ],
    ),
    behaviour(
        "a canary gets the requests with a cookie",
        &[
            service("by-cookie", &[]),
            service("by-cookie-canary", &["CanaryOf: by-cookie", "CanaryByCookie: track"]),
        ],
        &[
            get("/").with(&[("Cookie", "track=always")]).from("by-cookie-canary"),
            get("/").with(&[("Cookie", "track=never")]).from("by-cookie"),
            get("/").from("by-cookie"),
        ],
    ),
    // Changes of requests and responses.
    behaviour(
        "a path is replaced",
        &[service("rewrite", &["IngressURLPath: /old", "nginx.ingress.kubernetes.io/rewrite-target: /new"])],
        &[get("/old").said("rewrite", "/path", "/new")],
    ),
    behaviour(
        "a prefix is stripped",
        &[service(
            "strip",
            &["IngressURLPath: /api(/|$)(.*)", "nginx.ingress.kubernetes.io/rewrite-target: /$2"],
        )],
        &[get("/api/orders").said("strip", "/path", "/orders"), get("/apiary").status(&[404])],
    ),
    behaviour(
        "the Service gets the prefix that is stripped, in a header",
        &[service(
            "forwarded",
            &[
                "IngressURLPath: /api(/|$)(.*)",
                "nginx.ingress.kubernetes.io/rewrite-target: /$2",
                "nginx.ingress.kubernetes.io/x-forwarded-prefix: /api",
            ],
        )],
        &[get("/api/orders").said("forwarded", "/headers/x-forwarded-prefix", "/api")],
    ),
    behaviour(
        "the Service gets another host",
        &[service("vhost", &["nginx.ingress.kubernetes.io/upstream-vhost: inside.example.com"])],
        &[get("/").said("vhost", "/host", "inside.example.com")],
    ),
    behaviour(
        "all requests are sent to another URL",
        &[service(
            "moved",
            &["nginx.ingress.kubernetes.io/permanent-redirect: https://elsewhere.example.com"],
        )],
        &[get("/").location("https://elsewhere.example.com")],
    ),
    behaviour(
        "the root is sent to a page",
        &[service("root", &["nginx.ingress.kubernetes.io/app-root: /home"])],
        &[get("/").location("http://root-{column}.example.com/home"), get("/home").from("root")],
    ),
    behaviour(
        "the host with www is sent to the host without",
        &[service("www", &["nginx.ingress.kubernetes.io/from-to-www-redirect: 'true'"])],
        &[
            get("/").from("www"),
            get("/x").host("www.www-{column}.example.com").location("http://www-{column}.example.com/x"),
        ],
    ),
    // Protection.
    behaviour(
        "only allowed addresses are answered",
        &[
            service("denied", &["nginx.ingress.kubernetes.io/whitelist-source-range: 192.0.2.0/24"]),
            service("allowed", &["nginx.ingress.kubernetes.io/whitelist-source-range: 203.0.113.0/24"]),
        ],
        &[get("/").status(&[403]), get("/").host("allowed-{column}.example.com").from("allowed")],
    ),
    Behaviour {
        // The password of alice is `wonder`.
        objects: "{apiVersion: v1, kind: Secret, metadata: {name: users}, stringData: {auth: 'alice:{SHA}w3QkzGJswDXW5OKZHAJw0FELjfM='}}",
        ..behaviour(
            "a password is asked for",
            &[service(
                "password",
                &[
                    "nginx.ingress.kubernetes.io/auth-type: basic",
                    "nginx.ingress.kubernetes.io/auth-secret: users",
                ],
            )],
            &[
                get("/").status(&[401]),
                get("/").with(&[("Authorization", "Basic YWxpY2U6d29uZGVy")]).from("password"),
            ],
        )
    },
    behaviour(
        "another service decides who may enter",
        &[service("guarded", &["nginx.ingress.kubernetes.io/auth-url: http://203.0.113.9/"])],
        &[get("/").status(&[401]), get("/").with(&[("Authorization", xposer_chain::GOOD)]).from("guarded")],
    ),
    behaviour(
        "a body that is too large is refused",
        &[service("body", &["nginx.ingress.kubernetes.io/proxy-body-size: 16k"])],
        &[get("/").post(500).from("body"), get("/").post(20_000).status(&[413])],
    ),
    behaviour(
        "a client that asks too often is refused",
        &[service("rate", &["nginx.ingress.kubernetes.io/limit-rps: '1'"])],
        &[get("/").limit()],
    ),
    // Clients and backends.
    behaviour(
        "an answer that takes too long is not waited for",
        &[service("slow", &["nginx.ingress.kubernetes.io/proxy-read-timeout: '1'"])],
        &[get("/").from("slow"), get("/?delay=4").slow().status(&[504])],
    ),
    behaviour(
        "pages of another origin may ask (CORS)",
        &[service(
            "cors",
            &[
                "nginx.ingress.kubernetes.io/enable-cors: 'true'",
                "nginx.ingress.kubernetes.io/cors-allow-origin: https://app.example.com",
            ],
        )],
        &[get("/")
            .with(&[("Origin", "https://app.example.com")])
            .header("access-control-allow-origin", "https://app.example.com")],
    ),
    behaviour(
        "a cookie keeps a client at its pod",
        &[service(
            "sticky",
            &[
                "nginx.ingress.kubernetes.io/affinity: cookie",
                "nginx.ingress.kubernetes.io/session-cookie-name: pod",
            ],
        )],
        &[get("/").header("set-cookie", "pod=")],
    ),
    behaviour(
        "the Service is asked by https",
        &[service("by-https", &["nginx.ingress.kubernetes.io/backend-protocol: HTTPS"])],
        &[get("/").said("by-https", "/tls", "true")],
    ),
    behaviour(
        "the Service is asked by HTTP/2 without TLS (gRPC)",
        &[service("grpc", &["nginx.ingress.kubernetes.io/backend-protocol: GRPC"])],
        &[get("/").said("grpc", "/protocol", "HTTP/2")],
    ),
];
