//! The keys of ingress-nginx 1.15: one row holds all that is known of a key.

pub(crate) mod paths;
pub(crate) mod rewrite;
pub(crate) mod traps;

use crate::dialect::programs::{Idle, Loss, Same};
use crate::validation::parse_bool;

/// The prefix of its keys.
pub(crate) const PREFIX: &str = "nginx.ingress.kubernetes.io/";
/// The prefix of its keys up to 0.9.0-beta.17.
pub(crate) const OLD_PREFIX: &str = "ingress.kubernetes.io/";

/// What is known of a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// The key without its prefix.
    pub(crate) name: &'static str,
    /// What a value must look like; `None` where that is not checked.
    pub(crate) shape: Option<Shape>,
    /// What is lost where nothing reads the key.
    pub(crate) loss: Loss,
    /// The value with which the key says no more than if it were not there.
    pub(crate) idle: Idle,
    /// What another target does that comes to the same.
    pub(crate) same: Same,
    /// The keys one of which must be there, or this one has no effect.
    pub(crate) needs: &'static [&'static str],
}

const fn key(name: &'static str) -> Key {
    Key { name, shape: None, loss: Loss::Nothing, idle: Idle::Never, same: Same::None, needs: &[] }
}

impl Key {
    const fn shape(self, shape: Shape) -> Self {
        Self { shape: Some(shape), ..self }
    }

    const fn protects(self) -> Self {
        Self { loss: Loss::Protects, ..self }
    }

    const fn weakens(self) -> Self {
        Self { loss: Loss::Weakens, ..self }
    }

    const fn idle(self, idle: Idle) -> Self {
        Self { idle, ..self }
    }

    const fn same(self, same: Same) -> Self {
        Self { same, ..self }
    }

    const fn needs(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }
}

/// Every key and alias, in ascending order.
pub(crate) static KEYS: &[Key] = &[
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
    key("canary-by-cookie"),
    key("canary-by-header"),
    key("canary-by-header-pattern"),
    key("canary-by-header-value"),
    key("canary-weight").shape(Shape::Integer),
    key("canary-weight-total").shape(Shape::Integer),
    key("client-body-buffer-size").shape(Shape::Size),
    key("configuration-snippet").protects(),
    key("connection-proxy-header"),
    key("cors-allow-credentials").shape(Shape::Boolean).protects().idle(Idle::True).needs(&["enable-cors"]),
    key("cors-allow-headers").shape(Shape::Headers).weakens().needs(&["enable-cors"]),
    key("cors-allow-methods").weakens().needs(&["enable-cors"]),
    key("cors-allow-origin").protects().idle(Idle::Word("*")).needs(&["enable-cors"]),
    key("cors-expose-headers").weakens().needs(&["enable-cors"]),
    key("cors-max-age").shape(Shape::Integer).needs(&["enable-cors"]),
    key("custom-headers").weakens(),
    key("custom-http-errors"),
    key("default-backend"),
    key("denylist-source-range").protects(),
    key("disable-proxy-intercept-errors").shape(Shape::Boolean),
    key("enable-access-log").shape(Shape::Boolean),
    key("enable-cors").shape(Shape::Boolean).idle(Idle::False),
    key("enable-global-auth").shape(Shape::Boolean),
    key("enable-modsecurity").shape(Shape::Boolean).protects().idle(Idle::False),
    key("enable-opentelemetry").shape(Shape::Boolean),
    key("enable-owasp-core-rules").shape(Shape::Boolean).protects().idle(Idle::False),
    key("enable-rewrite-log").shape(Shape::Boolean),
    key("fastcgi-index"),
    key("fastcgi-params-configmap"),
    key("force-ssl-redirect").shape(Shape::Boolean).protects().idle(Idle::False).same(Same::Redirect),
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
    key("mirror-target"),
    key("modsecurity-snippet").protects(),
    key("modsecurity-transaction-id").protects(),
    key("opentelemetry-operation-name"),
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
    key("proxy-cookie-domain"),
    key("proxy-cookie-path").shape(Shape::Url),
    key("proxy-http-version").shape(Shape::Words(&["1.0", "1.1"])),
    key("proxy-max-temp-file-size").shape(Shape::Size),
    key("proxy-next-upstream"),
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
    key("server-alias"),
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
    key("ssl-redirect").shape(Shape::Boolean).protects().idle(Idle::False).same(Same::Redirect),
    key("stream-snippet").protects(),
    key("temporal-redirect").shape(Shape::Url),
    key("temporal-redirect-code").shape(Shape::Integer).needs(&["temporal-redirect"]),
    key("upstream-hash-by"),
    key("upstream-hash-by-subset").shape(Shape::Boolean).idle(Idle::False).needs(&["upstream-hash-by"]),
    key("upstream-hash-by-subset-size").shape(Shape::Integer).needs(&["upstream-hash-by"]),
    key("upstream-vhost"),
    key("use-port-in-redirects").shape(Shape::Boolean),
    key("use-regex").shape(Shape::Boolean).weakens().idle(Idle::False).same(Same::Pattern),
    key("whitelist-source-range").protects().idle(Idle::Everyone),
    key("x-forwarded-prefix").shape(Shape::Path).needs(&["rewrite-target"]),
];

/// What a value of ingress-nginx must look like; an Ingress with another one is not configured at all.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Boolean,
    Integer,
    /// Digits and perhaps `b`, `k`, `m` or `g`.
    Size,
    /// A path, perhaps with captures such as `$1`.
    Path,
    Url,
    Headers,
    OnOff,
    /// One of these words, in any letter case.
    Words(&'static [&'static str]),
    /// One of these words, whose letter case counts.
    Exactly(&'static [&'static str]),
}

impl Shape {
    /// What is expected, in words.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Boolean => "true or false".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::Size => "a size such as 900m".to_owned(),
            Self::Path => "a path of letters, digits and `/ - . _ ~ : $`".to_owned(),
            Self::Url => "a URL of letters, digits and `/ - . _ ~ : , ? & =`".to_owned(),
            Self::Headers => "names of headers, separated by commas".to_owned(),
            Self::OnOff => "on or off".to_owned(),
            Self::Words(words) | Self::Exactly(words) => format!("one of {}", words.join(", ")),
        }
    }

    /// Whether ingress-nginx takes the value. It does not look at an empty one.
    pub(crate) fn fits(self, value: &str) -> bool {
        let only = |signs: &str| value.chars().all(|c| c.is_ascii_alphanumeric() || signs.contains(c));
        value.is_empty()
            || match self {
                Self::Boolean => parse_bool(value).is_some(),
                Self::Integer => value.parse::<i64>().is_ok(),
                Self::Size => {
                    // Blanks are removed before it is looked at.
                    let bare = value.replace(' ', "");
                    let digits = bare.trim_end_matches(['b', 'k', 'm', 'g', 'B', 'K', 'M', 'G']);
                    !digits.is_empty()
                        && bare.len() - digits.len() <= 1
                        && digits.bytes().all(|b| b.is_ascii_digit())
                }
                Self::Path => only("-._~/:$"),
                Self::Url => only("-._~/:,?&= "),
                Self::Headers => only("-_, "),
                Self::OnOff => matches!(value.trim(), "on" | "off"),
                Self::Exactly(words) => words.contains(&value.trim()),
                Self::Words(words) => words.iter().any(|word| word.eq_ignore_ascii_case(value.trim())),
            }
    }
}

/// The row of a name, without prefix.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    KEYS.get(KEYS.binary_search_by(|known| known.name.cmp(name)).ok()?)
}

/// The name of a key of ingress-nginx, under its prefix of today or its old one.
pub(crate) fn any_name(key: &str) -> Option<&str> {
    key.strip_prefix(PREFIX).or_else(|| key.strip_prefix(OLD_PREFIX))
}

/// Whether ingress-nginx reads a key on the Ingress of a canary; everything else counts on that of the stable Service.
pub(crate) fn is_read_on_canary(name: &str) -> bool {
    ["canary", "load-balance", "upstream-hash-by", "affinity", "session-cookie-"]
        .iter()
        .any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_one_row() {
        assert!(KEYS.is_sorted_by(|left, right| left.name < right.name));
        // ingress-nginx 1.15.1 has 136 keys; two of them have an alias.
        assert_eq!(KEYS.len(), 136 + 2);
        assert!(KEYS.iter().all(|known| find(known.name).is_some_and(|row| row.name == known.name)));
    }

    #[test]
    fn a_key_needs_keys_that_are_there() {
        for known in KEYS {
            for needed in known.needs {
                assert!(find(needed).is_some() && *needed != known.name, "{}: {needed}", known.name);
            }
        }
    }

    #[test]
    fn keys_of_the_configuration_itself_protect() {
        assert!(KEYS.iter().filter(|it| it.name.ends_with("-snippet")).all(|it| it.loss == Loss::Protects));
    }

    #[test]
    fn a_canary_has_few_keys_of_its_own() {
        let own: Vec<&str> = KEYS.iter().map(|it| it.name).filter(|it| is_read_on_canary(it)).collect();
        assert_eq!(own.len(), 23, "{own:?}");
    }
}
