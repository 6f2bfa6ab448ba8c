//! The keys of ingress-nginx 1.15: one row holds all that is known of a key.

use crate::dialect::key::{Idle, Key, Same, Shape, key};

/// The keys and aliases of which more is known than their names, in ascending order.
pub(super) static KEYS: &[Key] = &[
    key("affinity").shape(Shape::Exactly(&["cookie"])),
    key("affinity-canary-behavior").shape(Shape::Exactly(&["sticky", "legacy"])),
    key("affinity-mode").shape(Shape::Exactly(&["balanced", "persistent"])).needs(&["affinity"]),
    key("allowlist-source-range").protects().idle(Idle::Everyone),
    key("app-root").shape(Shape::Path),
    key("auth-always-set-cookie").shape(Shape::Boolean).idle(Idle::False).needs(&["auth-url"]),
    key("auth-cache-duration").needs(&["auth-url"]),
    key("auth-cache-key").needs(&["auth-url"]),
    key("auth-keepalive").shape(Shape::Integer).needs(&["auth-url"]),
    key("auth-keepalive-requests").shape(Shape::Integer).needs(&["auth-url"]),
    key("auth-keepalive-share-vars").shape(Shape::Boolean).idle(Idle::False).needs(&["auth-url"]),
    key("auth-keepalive-timeout").shape(Shape::Integer).needs(&["auth-url"]),
    key("auth-method").needs(&["auth-url"]),
    key("auth-proxy-set-headers").weakens().needs(&["auth-url"]),
    key("auth-realm").needs(&["auth-type"]),
    key("auth-request-redirect").shape(Shape::Url).needs(&["auth-url"]),
    key("auth-response-headers").shape(Shape::Headers).weakens().needs(&["auth-url"]),
    key("auth-secret").protects().needs(&["auth-type"]),
    key("auth-secret-type").protects().needs(&["auth-type"]),
    key("auth-signin").needs(&["auth-url"]),
    key("auth-signin-redirect-param").needs(&["auth-url"]),
    key("auth-snippet").protects().needs(&["auth-url"]),
    key("auth-tls-error-page").needs(&["auth-tls-secret"]),
    key("auth-tls-match-cn").protects().needs(&["auth-tls-secret"]),
    key("auth-tls-pass-certificate-to-upstream")
        .shape(Shape::Boolean)
        .idle(Idle::False)
        .needs(&["auth-tls-secret"]),
    key("auth-tls-secret").protects(),
    key("auth-tls-verify-client").protects().idle(Idle::Word("off")).needs(&["auth-tls-secret"]),
    key("auth-tls-verify-depth").shape(Shape::Integer).weakens().needs(&["auth-tls-secret"]),
    key("auth-type").shape(Shape::Exactly(&["basic", "digest"])).protects(),
    key("auth-url").protects(),
    key("backend-protocol")
        .shape(Shape::Words(&["AUTO_HTTP", "HTTP", "HTTPS", "GRPC", "GRPCS", "FCGI"]))
        .weakens()
        .idle(Idle::Plain)
        .same(Same::Reencrypt),
    key("canary").shape(Shape::Boolean),
    key("canary-weight").shape(Shape::Integer),
    key("canary-weight-total").shape(Shape::Integer),
    key("client-body-buffer-size").shape(Shape::Size),
    key("configuration-snippet").protects(),
    key("cors-allow-credentials").shape(Shape::Boolean).protects().idle(Idle::True).needs(&["enable-cors"]),
    key("cors-allow-headers").shape(Shape::Headers).weakens().needs(&["enable-cors"]),
    key("cors-allow-methods").weakens().needs(&["enable-cors"]),
    key("cors-allow-origin").protects().idle(Idle::Word("*")).needs(&["enable-cors"]),
    key("cors-expose-headers").weakens().needs(&["enable-cors"]),
    key("cors-max-age").shape(Shape::Integer).needs(&["enable-cors"]),
    key("custom-headers").weakens(),
    key("denylist-source-range").protects(),
    key("disable-proxy-intercept-errors").shape(Shape::Boolean),
    key("enable-access-log").shape(Shape::Boolean),
    key("enable-cors").shape(Shape::Boolean).idle(Idle::False),
    key("enable-global-auth").shape(Shape::Boolean),
    key("enable-modsecurity").shape(Shape::Boolean).protects().idle(Idle::False),
    key("enable-opentelemetry").shape(Shape::Boolean),
    key("enable-owasp-core-rules").shape(Shape::Boolean).protects().idle(Idle::False),
    key("enable-rewrite-log").shape(Shape::Boolean),
    key("force-ssl-redirect").shape(Shape::Boolean).redirects().idle(Idle::False),
    key("from-to-www-redirect").shape(Shape::Boolean),
    key("http2-push-preload").shape(Shape::Boolean),
    key("limit-allowlist").needs(&["limit-rps", "limit-rpm", "limit-connections"]),
    key("limit-burst-multiplier").shape(Shape::Integer).needs(&["limit-rps", "limit-rpm"]),
    key("limit-connections").shape(Shape::Integer).protects().idle(Idle::Zero),
    key("limit-rate").shape(Shape::Integer),
    key("limit-rate-after").shape(Shape::Integer),
    key("limit-rpm").shape(Shape::Integer).protects().idle(Idle::Zero),
    key("limit-rps").shape(Shape::Integer).protects().idle(Idle::Zero),
    key("limit-whitelist").needs(&["limit-rps", "limit-rpm", "limit-connections"]),
    key("load-balance").shape(Shape::Words(&[
        "round_robin",
        "chash",
        "chashsubset",
        "sticky_balanced",
        "sticky_persistent",
        "ewma",
    ])),
    key("mirror-host").needs(&["mirror-target"]),
    key("mirror-request-body").shape(Shape::OnOff).idle(Idle::Word("off")).needs(&["mirror-target"]),
    key("modsecurity-snippet").protects(),
    key("modsecurity-transaction-id").protects(),
    key("opentelemetry-trust-incoming-span").shape(Shape::Boolean),
    key("permanent-redirect").shape(Shape::Url),
    key("permanent-redirect-code").shape(Shape::Integer).needs(&["permanent-redirect"]),
    key("preserve-trailing-slash").shape(Shape::Boolean),
    key("proxy-body-size").shape(Shape::Size).protects().idle(Idle::Zero),
    key("proxy-buffer-size").shape(Shape::Size),
    key("proxy-buffering").shape(Shape::OnOff),
    key("proxy-buffers-number").shape(Shape::Integer),
    key("proxy-busy-buffers-size").shape(Shape::Size),
    key("proxy-connect-timeout").shape(Shape::Integer),
    key("proxy-cookie-path").shape(Shape::Url),
    key("proxy-http-version").shape(Shape::Words(&["1.0", "1.1"])),
    key("proxy-max-temp-file-size").shape(Shape::Size),
    key("proxy-next-upstream-timeout").shape(Shape::Integer),
    key("proxy-next-upstream-tries").shape(Shape::Integer),
    key("proxy-read-timeout").shape(Shape::Integer),
    key("proxy-redirect-from").shape(Shape::Url),
    key("proxy-redirect-to").shape(Shape::Url),
    key("proxy-request-buffering").shape(Shape::OnOff),
    key("proxy-send-timeout").shape(Shape::Integer),
    key("proxy-ssl-ciphers").weakens().needs(&["proxy-ssl-secret"]),
    key("proxy-ssl-name").weakens().needs(&["proxy-ssl-secret"]),
    key("proxy-ssl-protocols").weakens().needs(&["proxy-ssl-secret"]),
    key("proxy-ssl-secret").protects(),
    key("proxy-ssl-server-name")
        .shape(Shape::OnOff)
        .weakens()
        .idle(Idle::Word("off"))
        .needs(&["proxy-ssl-secret"]),
    key("proxy-ssl-verify")
        .shape(Shape::OnOff)
        .protects()
        .idle(Idle::Word("off"))
        .needs(&["proxy-ssl-secret"]),
    key("proxy-ssl-verify-depth").shape(Shape::Integer).weakens().needs(&["proxy-ssl-secret"]),
    key("relative-redirects").shape(Shape::Boolean),
    key("rewrite-target").shape(Shape::Path),
    key("satisfy").shape(Shape::Exactly(&["any", "all"])),
    key("server-snippet").protects(),
    key("service-upstream").shape(Shape::Boolean),
    key("session-cookie-change-on-failure").shape(Shape::Boolean).idle(Idle::False).needs(&["affinity"]),
    key("session-cookie-conditional-samesite-none")
        .shape(Shape::Boolean)
        .idle(Idle::False)
        .needs(&["affinity"]),
    key("session-cookie-domain").needs(&["affinity"]),
    key("session-cookie-expires").needs(&["affinity"]),
    key("session-cookie-max-age").needs(&["affinity"]),
    key("session-cookie-name").needs(&["affinity"]),
    key("session-cookie-path").shape(Shape::Url).needs(&["affinity"]),
    key("session-cookie-samesite")
        .shape(Shape::Words(&["None", "Lax", "Strict"]))
        .weakens()
        .needs(&["affinity"]),
    key("session-cookie-secure").shape(Shape::Boolean).weakens().idle(Idle::False).needs(&["affinity"]),
    key("ssl-ciphers").weakens(),
    key("ssl-passthrough").shape(Shape::Boolean).protects().idle(Idle::False).same(Same::Passthrough),
    key("ssl-prefer-server-ciphers").shape(Shape::Boolean).weakens().idle(Idle::False),
    key("ssl-redirect").shape(Shape::Boolean).redirects().idle(Idle::False),
    key("stream-snippet").protects(),
    key("temporal-redirect").shape(Shape::Url),
    key("temporal-redirect-code").shape(Shape::Integer).needs(&["temporal-redirect"]),
    key("upstream-hash-by-subset").shape(Shape::Boolean).idle(Idle::False).needs(&["upstream-hash-by"]),
    key("upstream-hash-by-subset-size").shape(Shape::Integer).needs(&["upstream-hash-by"]),
    key("use-port-in-redirects").shape(Shape::Boolean),
    key("use-regex").shape(Shape::Boolean).weakens().idle(Idle::False).same(Same::Pattern),
    key("whitelist-source-range").protects().idle(Idle::Everyone),
    key("x-forwarded-prefix").shape(Shape::Path).needs(&["rewrite-target"]),
];

/// The names of the others.
pub(super) const PLAIN: &str = "canary-by-cookie canary-by-header canary-by-header-pattern canary-by-header-value \
     connection-proxy-header custom-http-errors default-backend fastcgi-index fastcgi-params-configmap \
     mirror-target opentelemetry-operation-name proxy-cookie-domain proxy-next-upstream server-alias \
     upstream-hash-by upstream-vhost";
