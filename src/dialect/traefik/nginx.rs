//! The annotations of ingress-nginx that Traefik's provider for ingress-nginx reads.

use crate::dialect::key::CrossNamespace;
use crate::validation::pattern::matches;

/// What the provider does with an object of another namespace.
pub(in crate::dialect) const CROSS_NAMESPACE: CrossNamespace = CrossNamespace::Refuses(
    "Traefik's provider for ingress-nginx refuses unless its option allowCrossNamespaceResources is true",
);

/// The annotation without which Traefik does not check the size of a body.
pub(super) const REQUEST_BUFFERING: &str = "nginx.ingress.kubernetes.io/proxy-request-buffering";

/// The names of the keys of ingress-nginx 1.15 that Traefik 3.7 does not read (`IngressConfig` of its provider), or reads
/// without an effect. For a web application firewall, it only writes an error to its log.
const UNREAD: &str = "affinity-mode auth-always-set-cookie auth-cache-* auth-keepalive* auth-proxy-set-headers \
    auth-request-redirect auth-signin-redirect-param auth-tls-error-page auth-tls-match-cn \
    auth-tls-verify-depth connection-proxy-header denylist-source-range disable-proxy-intercept-errors \
    enable-modsecurity enable-opentelemetry enable-owasp-core-rules enable-rewrite-log fastcgi-* \
    http2-push-preload limit-allowlist limit-rate limit-rate-after limit-whitelist load-balance mirror-* \
    modsecurity-* opentelemetry-* preserve-trailing-slash proxy-busy-buffers-size proxy-cookie-* \
    proxy-redirect-* proxy-ssl-ciphers proxy-ssl-protocols proxy-ssl-verify-depth relative-redirects satisfy \
    session-cookie-change-on-failure session-cookie-conditional-samesite-none ssl-ciphers \
    ssl-prefer-server-ciphers stream-snippet upstream-hash-by-subset* use-port-in-redirects";

/// Whether the provider reads a key of ingress-nginx.
pub(in crate::dialect) fn reads(name: &str) -> bool {
    !UNREAD.split_ascii_whitespace().any(|unread| matches(unread, name))
}

/// Whether the provider reads a text as true. Unlike for ingress-nginx, `1` and `t` are false.
pub(in crate::dialect) fn is_true(value: &str) -> bool {
    value.eq_ignore_ascii_case("true")
}

/// Whether the provider checks the size of a body, with this value of `proxy-request-buffering`.
pub(super) fn limits_bodies(buffering: Option<&str>) -> bool {
    buffering == Some("on")
}

/// Whether a text begins with the number of a group and a character that the provider reads as a part of the group's name.
pub(super) fn is_joined(text: &[u8]) -> bool {
    matches!(text, [b'$', b'0'..=b'9', next, ..] if next.is_ascii_alphanumeric() || *next == b'_')
}

/// Returns the target of a rewrite with braces around the number of each group that is followed by such a character.
pub(in crate::dialect) fn braced(target: &str) -> String {
    let mut parts = target.split('$');
    let mut braced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, behind) = part.split_at_checked(1).unwrap_or((part, ""));
        let is_joined = is_joined(["$", part].concat().as_bytes());
        braced.extend(if is_joined { ["${", number, "}", behind] } else { ["$", part, "", ""] });
    }
    braced
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::nginx::PROGRAM;

    #[test]
    fn group_is_separated_from_following_text() {
        for (target, expected) in [
            ("/$2", "/$2"),
            ("/api/$1x/$2", "/api/${1}x/$2"),
            ("/$10", "/${1}0"),
            ("/$1_$2-$3", "/${1}_$2-$3"),
            ("/new", "/new"),
            ("/$", "/$"),
        ] {
            assert_eq!(braced(target), expected);
        }
    }

    #[test]
    fn unread_keys_are_keys_of_ingress_nginx() {
        for unread in UNREAD.split_ascii_whitespace() {
            assert!(PROGRAM.names().iter().any(|name| matches(unread, name)), "{unread}");
        }
        assert!(!reads("denylist-source-range") && reads("whitelist-source-range"));
    }
}
