//! The behaviours of options with an intent, which do not depend on a program.

use super::ask::get;
use super::behaviours::{Behaviour, behaviour, service};

/// The behaviours. The names of their Services begin with `want`.
pub(super) const INTENTS: &[Behaviour] = &[
    behaviour(
        "`HTTPSRedirectCode`: the redirect to https has another code",
        &[service("want-code", &["Profile: tls", "HTTPSRedirect: true", "HTTPSRedirectCode: 302"])],
        &[get("/x").status(&[302]), get("/x").https().from("want-code")],
    ),
    behaviour(
        "`StripPrefix`: the Service gets requests without its prefix",
        &[service("want-strip", &["IngressURLPath: /api", "StripPrefix: true"])],
        &[
            get("/api/orders?x=1").said("want-strip", "/path", "/orders?x=1"),
            get("/api").said("want-strip", "/path", "/"),
            get("/apiary").status(&[404]),
        ],
    ),
    behaviour(
        "`RewritePath`: the Service gets another path",
        &[service("want-path", &["IngressURLPath: /old", "RewritePath: /new"])],
        &[get("/old/x?y=z").said("want-path", "/path", "/new?y=z")],
    ),
    behaviour(
        "`RewritePath`: groups of a regular expression are a part of the other path",
        &[service("want-groups", &["IngressURLPath: /v([0-9]+)/(.*)", "RewritePath: /api/$1x/$2"])],
        &[
            get("/v7/items").said("want-groups", "/path", "/api/7x/items"),
            get("/V7/items").said("want-groups", "/path", "/api/7x/items"),
            get("/x/v7/items").status(&[404]),
        ],
    ),
    behaviour(
        "`AllowedSources`: only they are answered",
        &[
            service("want-out", &["AllowedSources: 192.0.2.0/24, 2001:db8::/32"]),
            service("want-in", &["AllowedSources: 192.0.2.7, 203.0.113.0/24"]),
        ],
        &[get("/").status(&[403]), get("/").host("want-in-{column}.example.com").from("want-in")],
    ),
    behaviour(
        "`DeniedSources`: they are not answered",
        &[
            service("want-denied", &["DeniedSources: 192.0.2.7, 203.0.113.0/24"]),
            service("want-others", &["DeniedSources: 192.0.2.0/24, 2001:db8::/32"]),
            service("want-both", &["AllowedSources: 203.0.0.0/16", "DeniedSources: 203.0.113.0/24"]),
        ],
        &[
            get("/").status(&[403]),
            get("/").host("want-others-{column}.example.com").from("want-others"),
            get("/").host("want-both-{column}.example.com").status(&[403]),
        ],
    ),
    Behaviour {
        // The password of alice is `wonder`.
        objects: "{apiVersion: v1, kind: Secret, metadata: {name: people}, stringData: {auth: 'alice:{SHA}w3QkzGJswDXW5OKZHAJw0FELjfM='}}",
        ..behaviour(
            "`BasicAuth`: a password is asked for",
            &[service("want-password", &["BasicAuth: secret: people\nrealm: Staff"])],
            &[
                get("/").status(&[401]),
                get("/").with(&[("Authorization", "Basic YWxpY2U6d3Jvbmc=")]).status(&[401]),
                get("/").with(&[("Authorization", "Basic YWxpY2U6d29uZGVy")]).from("want-password"),
            ],
        )
    },
    behaviour(
        "`ExternalAuth`: another server decides, and its headers reach the Service",
        &[service("want-guard", &["ExternalAuth: url: http://203.0.113.9/\nresponseHeaders: X-User"])],
        &[
            get("/").status(&[401]),
            get("/").with(&[("X-User", "eve")]).status(&[401]),
            get("/").with(&[("Authorization", xposer_chain::GOOD), ("X-User", "eve")]).said(
                "want-guard",
                "/headers/x-user",
                "alice",
            ),
        ],
    ),
    behaviour(
        "`ExternalAuth`: who is not let in is sent to sign in",
        &[service(
            "want-sign-in",
            &["ExternalAuth: url: http://203.0.113.9/\nsignIn: https://login.example.com/start"],
        )],
        &[
            get("/").location("https://login.example.com/start"),
            get("/").with(&[("Authorization", xposer_chain::GOOD)]).from("want-sign-in"),
        ],
    ),
    behaviour(
        "`MaxBodySize`: a larger body is refused",
        &[service("want-small", &["MaxBodySize: 16Ki"])],
        &[get("/").post(500).from("want-small"), get("/").post(20_000).status(&[413])],
    ),
    behaviour(
        "`RateLimit`: a client that asks too often is refused",
        &[service("want-slowly", &["RateLimit: 2/s"])],
        &[get("/").limit()],
    ),
    behaviour(
        "`CORS`: pages of other origins may ask",
        &[service(
            "want-cors",
            &[
                "CORS: origins: https://app.example.com, https://*.example.org\nmethods: GET, PUT\ncredentials: true\nmaxAge: 1h",
            ],
        )],
        &[
            get("/")
                .with(&[("Origin", "https://app.example.com")])
                .header("access-control-allow-origin", "https://app.example.com"),
            get("/")
                .with(&[("Origin", "https://one.example.org")])
                .header("access-control-allow-origin", "https://one.example.org"),
            get("/")
                .with(&[("Origin", "https://app.example.com")])
                .header("access-control-allow-credentials", "true"),
            get("/").with(&[("Origin", "https://evil-example.org")]).lacks("access-control-allow-origin"),
            get("/")
                .method("OPTIONS")
                .with(&[("Origin", "https://app.example.com"), ("Access-Control-Request-Method", "PUT")])
                .header("access-control-allow-methods", "GET"),
        ],
    ),
    behaviour(
        "`RequestHeaders`: the Service gets them, and gets others no more",
        &[service("want-headers", &["RequestHeaders: X-Stage: beta\nX-Remote-User:"])],
        &[
            get("/").with(&[("X-Stage", "other")]).said("want-headers", "/headers/x-stage", "beta"),
            get("/").with(&[("X-Remote-User", "eve")]).said("want-headers", "/headers/x-remote-user", "none"),
        ],
    ),
    behaviour(
        "`ResponseHeaders`: the client gets them",
        &[service("want-answer", &["ResponseHeaders: X-Frame-Options: DENY"])],
        &[get("/").header("x-frame-options", "DENY")],
    ),
    behaviour(
        "`BackendProtocol`: the Service is asked by HTTP/2 without TLS",
        &[service("want-h2c", &["BackendProtocol: h2c"])],
        &[get("/").said("want-h2c", "/protocol", "HTTP/2")],
    ),
    behaviour(
        "`BackendProtocol`, and the Service says it to Traefik itself",
        &[service("own-h2c", &["BackendProtocol: h2c"])
            .own(&["traefik.ingress.kubernetes.io/service.serversscheme: h2c"])],
        &[get("/").said("own-h2c", "/protocol", "HTTP/2")],
    ),
    behaviour(
        "`StickySession`: a cookie keeps a client at its pod",
        &[service("want-sticky", &["StickySession: pod"])],
        &[get("/").header("set-cookie", "pod=")],
    ),
    behaviour(
        "`StickySession`, and the Service says it to Traefik itself",
        &[service("own-sticky", &["StickySession: pod"]).own(&[
            "traefik.ingress.kubernetes.io/service.sticky.cookie: true",
            "traefik.ingress.kubernetes.io/service.sticky.cookie.name: pod",
        ])],
        &[get("/").header("set-cookie", "pod=")],
    ),
    behaviour(
        "`RedirectFrom`: other hosts are sent to this one",
        &[service("want-from", &["Profile: tls", "RedirectFrom: www, want-old-{column}.example.com"])],
        &[
            get("/").https().from("want-from"),
            get("/x?y=z")
                .host("www.want-from-{column}.example.com")
                .location("https://want-from-{column}.example.com/x?y=z"),
            get("/x?y=z")
                .https()
                .host("www.want-from-{column}.example.com")
                .location("https://want-from-{column}.example.com/x?y=z"),
            get("/")
                .host("want-old-{column}.example.com")
                .location("https://want-from-{column}.example.com/"),
        ],
    ),
    behaviour(
        "what protects holds with the redirect to https, too",
        &[service("want-closed", &["Profile: tls", "AllowedSources: 192.0.2.0/24"])],
        &[get("/").status(&[301, 308, 403]), get("/").https().status(&[403])],
    ),
    behaviour(
        "what protects holds without the redirect to https, too",
        &[service("want-shut", &["Profile: both", "AllowedSources: 192.0.2.0/24"])],
        &[get("/").status(&[403]), get("/").https().status(&[403])],
    ),
];
