//! Whether annotations of programs that protect keep anybody out.

use super::is_snippet;

/// Whether something keeps anybody out who is not admitted.
///
/// ```
/// use serde_json::json;
/// use xposer::internal::{Keeps, access};
/// let block = "traefik.ingress.kubernetes.io/router.middlewares: shop-login@kubernetescrd";
/// let plan = xposer::testing::plan(&[("xposer.stakater.com/annotations", block)], json!({"ingressClassName": "traefik"}))?;
/// assert_eq!(access(&plan)[0].keeps, Keeps::NotKnown);
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Only those come in who have an address, a password, a certificate or the consent of a server.
    Out,
    /// An object of another program is named, and it is not known what it does.
    NotKnown,
    /// Everybody may come in: it secures connections, limits requests, or keeps out some addresses.
    Nobody,
}

/// What annotations keep out, by the beginnings of their names. The first that fits counts. Others keep out nobody, as a limit or a
/// firewall does not ask who somebody is.
const KEEPS: &[(&str, Keeps)] = &[
    ("allow-list", Keeps::Out),
    ("allowlist-source-range", Keeps::Out),
    ("auth-idp-", Keeps::Out),
    ("auth-secret", Keeps::Out),
    ("auth-tls-secret", Keeps::Out),
    ("auth-type", Keeps::Out),
    ("auth-uri", Keeps::Out),
    ("auth-url", Keeps::Out),
    ("basic-auth-secret", Keeps::Out),
    ("inbound-cidrs", Keeps::Out),
    ("ip_allowlist", Keeps::Out),
    ("ip_whitelist", Keeps::Out),
    ("jwt-", Keeps::Out),
    ("mutual-authentication", Keeps::Out),
    ("whitelist", Keeps::Out),
    ("auth-", Keeps::NotKnown),
    ("frontend-nlb-security-groups", Keeps::NotKnown),
    ("plugin-config-name", Keeps::NotKnown),
    ("plugins", Keeps::NotKnown),
    ("policies", Keeps::NotKnown),
    ("router.middlewares", Keeps::NotKnown),
    ("router.tls.options", Keeps::NotKnown),
    ("security-group", Keeps::NotKnown),
];

/// The annotation of the AWS Load Balancer Controller that says what becomes of those who have not signed in.
const UNAUTHENTICATED: &str = "alb.ingress.kubernetes.io/auth-on-unauthenticated-request";

/// Whether an annotation that protects keeps anybody out; `value` has the values of the others.
pub(crate) fn keeps<'v>(key: &str, value: impl Fn(&str) -> Option<&'v str>) -> Keeps {
    if is_snippet(key) {
        return Keeps::NotKnown;
    }
    let Some((prefix, name)) = key.split_once('/') else { return Keeps::Nobody };
    let is_offered = || {
        UNAUTHENTICATED.starts_with(prefix) && value(UNAUTHENTICATED).is_some_and(|it| it.trim() == "allow")
    };
    let known = KEEPS.iter().find(|(start, _)| name.starts_with(start));
    known.map_or(Keeps::Nobody, |(_, keeps)| {
        if name.starts_with("auth-") && is_offered() { Keeps::Nobody } else { *keeps }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_that_is_only_offered_keeps_nobody_out() {
        let key = "alb.ingress.kubernetes.io/auth-type";
        assert_eq!(keeps(key, |_| None), Keeps::Out);
        assert_eq!(keeps(key, |other| (other == UNAUTHENTICATED).then_some("allow")), Keeps::Nobody);
        let other = "nginx.ingress.kubernetes.io/auth-url";
        assert_eq!(keeps(other, |other| (other == UNAUTHENTICATED).then_some("allow")), Keeps::Out);
    }

    #[test]
    fn what_is_not_known_is_not_a_door_that_is_closed() {
        for key in ["konghq.com/plugins", "nginx.ingress.kubernetes.io/server-snippet", "nginx.org/policies"]
        {
            assert_eq!(keeps(key, |_| None), Keeps::NotKnown, "{key}");
        }
        for key in ["alb.ingress.kubernetes.io/wafv2-acl-arn", "haproxy.org/deny-list", "auth-type"] {
            assert_eq!(keeps(key, |_| None), Keeps::Nobody, "{key}");
        }
    }
}
