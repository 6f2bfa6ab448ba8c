//! What is known of the keys of other programs: which of them protect, and which keys some programs have at all.

use super::nginx;
use crate::options::{DNS_PREFIXES, Target};
use crate::validation::parse_bool;
use crate::validation::pattern::matches;

/// What is lost where nothing does what a key says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loss {
    /// A convenience, or nothing.
    Nothing,
    /// Something that makes an attack harder, or that the Service may need.
    Weakens,
    /// What keeps somebody out.
    Protects,
}

/// The value with which a key says no more than if it were not there. An empty one always does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idle {
    /// There is none.
    Never,
    /// What counts as false.
    False,
    /// What counts as true.
    True,
    /// 0, also with a unit.
    Zero,
    /// This word.
    Word(&'static str),
    /// A list that has all addresses.
    Everyone,
    /// Plain HTTP to the backend.
    Plain,
}

impl Idle {
    /// Whether `value` says nothing.
    pub(crate) fn is(self, value: &str) -> bool {
        let value = value.trim();
        let word = |word: &str| value.eq_ignore_ascii_case(word);
        value.is_empty()
            || match self {
                Self::Never => false,
                Self::False => parse_bool(value) == Some(false),
                Self::True => parse_bool(value) == Some(true),
                Self::Zero => value.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse() == Ok(0_u64),
                Self::Word(idle) => word(idle),
                Self::Everyone => value.split([',', ' ']).any(|range| range == "0.0.0.0/0"),
                Self::Plain => word("HTTP") || word("AUTO_HTTP"),
            }
    }
}

/// What a target can do that comes to the same as a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Same {
    /// Nothing.
    None,
    /// It sends requests without TLS to https.
    Redirect,
    /// It passes TLS through to the Service.
    Passthrough,
    /// It compares the path with a regular expression.
    Pattern,
    /// It speaks TLS to the Service.
    Reencrypt,
}

/// What is known of a key, whichever program it is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effect {
    pub(crate) loss: Loss,
    pub(crate) idle: Idle,
    pub(crate) same: Same,
    /// The targets, beside the Ingress, on which its program reads it.
    pub(crate) read_on: &'static [Target],
}

/// A row of the table of keys that protect.
#[derive(Debug)]
struct Row {
    /// A pattern of keys.
    key: &'static str,
    effect: Effect,
}

const fn row(key: &'static str, loss: Loss, idle: Idle) -> Row {
    Row { key, effect: Effect { loss, idle, same: Same::None, read_on: &[] } }
}

const fn protects(key: &'static str) -> Row {
    row(key, Loss::Protects, Idle::Never)
}

const fn redirects(key: &'static str, idle: Idle) -> Row {
    row(key, Loss::Protects, idle).same(Same::Redirect)
}

impl Row {
    const fn same(self, same: Same) -> Self {
        Self { effect: Effect { same, ..self.effect }, ..self }
    }

    const fn read_on(self, read_on: &'static [Target]) -> Self {
        Self { effect: Effect { read_on, ..self.effect }, ..self }
    }
}

/// The keys of programs other than ingress-nginx that protect or weaken; of several that fit, the first counts.
///
/// Read in: AWS Load Balancer Controller 3.5, Traefik 3.7 and 1.7, HAProxy Kubernetes Ingress Controller 3.2, HAProxy
/// Ingress 0.16, NGINX Ingress Controller 5.5, Kong Ingress Controller 3, Contour 1.33, APISIX Ingress Controller 2, the
/// documentation of GKE, of Cilium and of Azure's Application Gateway, the router of OpenShift 4.
static OTHERS: &[Row] = &[
    row("alb.ingress.kubernetes.io/auth-type", Loss::Protects, Idle::Word("none")),
    protects("alb.ingress.kubernetes.io/auth-idp-*"),
    row("alb.ingress.kubernetes.io/auth-on-unauthenticated-request", Loss::Protects, Idle::Word("allow")),
    row("alb.ingress.kubernetes.io/inbound-cidrs", Loss::Protects, Idle::Everyone),
    protects("alb.ingress.kubernetes.io/security-groups"),
    protects("alb.ingress.kubernetes.io/security-group-prefix-lists"),
    protects("alb.ingress.kubernetes.io/frontend-nlb-security-groups"),
    protects("alb.ingress.kubernetes.io/mutual-authentication"),
    protects("alb.ingress.kubernetes.io/jwt-validation"),
    row("alb.ingress.kubernetes.io/wafv2-acl-*", Loss::Protects, Idle::Word("none")),
    row("alb.ingress.kubernetes.io/waf-acl-id", Loss::Protects, Idle::Word("none")),
    row("alb.ingress.kubernetes.io/web-acl-id", Loss::Protects, Idle::Word("none")),
    row("alb.ingress.kubernetes.io/shield-advanced-protection", Loss::Protects, Idle::False),
    redirects("alb.ingress.kubernetes.io/ssl-redirect", Idle::False),
    row("alb.ingress.kubernetes.io/ssl-policy", Loss::Weakens, Idle::Never),
    protects("traefik.ingress.kubernetes.io/router.middlewares"),
    protects("traefik.ingress.kubernetes.io/router.tls.options"),
    row("traefik.ingress.kubernetes.io/whitelist-source-range", Loss::Protects, Idle::Everyone),
    protects("traefik.ingress.kubernetes.io/auth-*"),
    protects("traefik.ingress.kubernetes.io/rate-limit"),
    redirects("traefik.ingress.kubernetes.io/ssl-redirect", Idle::False),
    redirects("traefik.ingress.kubernetes.io/redirect-entry-point", Idle::Never),
    row("haproxy.org/allow-list", Loss::Protects, Idle::Everyone),
    row("haproxy.org/whitelist", Loss::Protects, Idle::Everyone),
    protects("haproxy.org/deny-list"),
    protects("haproxy.org/blacklist"),
    protects("haproxy.org/auth-*"),
    row("haproxy.org/rate-limit-requests", Loss::Protects, Idle::Zero),
    redirects("haproxy.org/ssl-redirect", Idle::False),
    row("haproxy.org/ssl-passthrough", Loss::Protects, Idle::False).same(Same::Passthrough),
    row("haproxy.org/cors-allow-origin", Loss::Protects, Idle::Word("*")),
    protects("haproxy.org/server-ca"),
    row("haproxy.org/server-ssl", Loss::Weakens, Idle::False).same(Same::Reencrypt),
    row("haproxy-ingress.github.io/allowlist-source-range", Loss::Protects, Idle::Everyone),
    row("haproxy-ingress.github.io/whitelist-source-range", Loss::Protects, Idle::Everyone),
    protects("haproxy-ingress.github.io/denylist-source-range"),
    protects("haproxy-ingress.github.io/auth-type"),
    protects("haproxy-ingress.github.io/auth-secret"),
    protects("haproxy-ingress.github.io/auth-realm"),
    protects("haproxy-ingress.github.io/auth-url"),
    protects("haproxy-ingress.github.io/auth-tls-secret"),
    row("haproxy-ingress.github.io/auth-tls-verify-client", Loss::Protects, Idle::Word("off")),
    protects("haproxy-ingress.github.io/oauth"),
    protects("haproxy-ingress.github.io/waf"),
    row("haproxy-ingress.github.io/limit-rps", Loss::Protects, Idle::Zero),
    row("haproxy-ingress.github.io/limit-connections", Loss::Protects, Idle::Zero),
    row("haproxy-ingress.github.io/proxy-body-size", Loss::Protects, Idle::Zero),
    redirects("haproxy-ingress.github.io/ssl-redirect", Idle::False),
    row("haproxy-ingress.github.io/ssl-passthrough", Loss::Protects, Idle::False).same(Same::Passthrough),
    row("haproxy-ingress.github.io/cors-allow-origin", Loss::Protects, Idle::Word("*")),
    protects("haproxy-ingress.github.io/secure-verify-ca-secret"),
    protects("nginx.org/policies"),
    protects("nginx.org/basic-auth-*"),
    protects("nginx.com/jwt-*"),
    protects("nginx.org/limit-req-rate"),
    row("nginx.org/client-max-body-size", Loss::Protects, Idle::Zero),
    redirects("nginx.org/ssl-redirect", Idle::False),
    redirects("nginx.org/redirect-to-https", Idle::False),
    row("nginx.org/hsts", Loss::Weakens, Idle::False),
    protects("appprotect.f5.com/*"),
    protects("appprotectdos.f5.com/*"),
    protects("konghq.com/plugins").read_on(&[Target::HttpRoute]),
    redirects("konghq.com/protocols", Idle::Word("http,https")).read_on(&[Target::HttpRoute]),
    row("projectcontour.io/tls-minimum-protocol-version", Loss::Weakens, Idle::Never),
    redirects("kubernetes.io/ingress.allow-http", Idle::True),
    row("networking.gke.io/v1beta1.FrontendConfig", Loss::Weakens, Idle::Never),
    redirects("ingress.cilium.io/force-https", Idle::Word("disabled")),
    row("ingress.cilium.io/tls-passthrough", Loss::Protects, Idle::Word("disabled")).same(Same::Passthrough),
    redirects("appgw.ingress.kubernetes.io/ssl-redirect", Idle::False),
    protects("appgw.ingress.kubernetes.io/waf-policy-for-path"),
    row("k8s.apisix.apache.org/allowlist-source-range", Loss::Protects, Idle::Everyone),
    protects("k8s.apisix.apache.org/blocklist-source-range"),
    protects("k8s.apisix.apache.org/auth-type"),
    protects("k8s.apisix.apache.org/auth-uri"),
    row("k8s.apisix.apache.org/enable-csrf", Loss::Protects, Idle::False),
    protects("k8s.apisix.apache.org/http-allow-methods"),
    protects("k8s.apisix.apache.org/http-block-methods"),
    protects("k8s.apisix.apache.org/plugin-config-name"),
    redirects("k8s.apisix.apache.org/http-to-https", Idle::False),
    row("haproxy.router.openshift.io/ip_allowlist", Loss::Protects, Idle::Everyone).read_on(&[Target::Route]),
    row("haproxy.router.openshift.io/ip_whitelist", Loss::Protects, Idle::Everyone).read_on(&[Target::Route]),
    row("haproxy.router.openshift.io/rate-limit-connections*", Loss::Protects, Idle::False)
        .read_on(&[Target::Route]),
    row("haproxy.router.openshift.io/pod-concurrent-connections", Loss::Protects, Idle::Zero)
        .read_on(&[Target::Route]),
    row("haproxy.router.openshift.io/hsts_header", Loss::Weakens, Idle::Never).read_on(&[Target::Route]),
    // Text of the configuration itself can be anything.
    protects("*-snippet"),
    protects("*-snippets"),
];

/// What is known of a key; nothing is lost with one that is in no table.
pub(crate) fn effect(key: &str) -> Option<Effect> {
    if let Some(known) = nginx::any_name(key).and_then(nginx::find) {
        let nginx::Key { loss, idle, same, .. } = *known;
        return Some(Effect { loss, idle, same, read_on: &[] });
    }
    // HAProxy Technologies' controller reads its keys under three prefixes alike.
    let name = ["haproxy.com/", nginx::OLD_PREFIX].into_iter().find_map(|prefix| key.strip_prefix(prefix));
    let haproxy = name.map(|name| ["haproxy.org/", name].concat());
    let key = haproxy.as_deref().unwrap_or(key);
    OTHERS.iter().find(|row| matches(row.key, key)).map(|row| row.effect)
}

/// A program whose keys are known.
#[derive(Debug)]
pub(crate) struct Program {
    /// Its name and version, as they stand in a sentence.
    pub(crate) name: &'static str,
    /// The prefixes of its keys.
    pub(crate) prefixes: &'static [&'static str],
    /// The names of its keys; `*` stands for any text.
    names: &'static [&'static str],
    /// Whether nobody else is known to have keys under the prefix.
    pub(crate) is_closed: bool,
}

impl Program {
    /// The names of its keys.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        let of_nginx = self.prefixes.contains(&nginx::PREFIX);
        let nginx = nginx::KEYS.iter().filter(move |_| of_nginx).map(|known| known.name);
        nginx.chain(self.names.iter().copied())
    }

    /// Whether it has a key of this name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        if self.prefixes.contains(&nginx::PREFIX) {
            return nginx::find(name).is_some();
        }
        self.names.iter().any(|known| matches(known, name))
    }
}

/// The programs whose keys are known.
pub(crate) static PROGRAMS: &[Program] = &[
    Program { name: "ingress-nginx 1.15", prefixes: &[nginx::PREFIX], names: &[], is_closed: true },
    Program {
        name: "the AWS Load Balancer Controller 3.5",
        prefixes: &["alb.ingress.kubernetes.io/"],
        // Alibaba Cloud's ALB Ingress has the same prefix, and other keys.
        is_closed: false,
        names: &[
            "acm-pca-arn",
            "actions.*",
            "auth-idp-cognito",
            "auth-idp-oidc",
            "auth-on-unauthenticated-request",
            "auth-scope",
            "auth-session-cookie",
            "auth-session-timeout",
            "auth-type",
            "backend-protocol",
            "backend-protocol-version",
            "certificate-arn",
            "conditions.*",
            "create-acm-cert",
            "customer-owned-ipv4-pool",
            "dry-run-plan",
            "enable-frontend-nlb",
            "frontend-nlb-*",
            "group.name",
            "group.order",
            "healthcheck-interval-seconds",
            "healthcheck-path",
            "healthcheck-port",
            "healthcheck-protocol",
            "healthcheck-timeout-seconds",
            "healthy-threshold-count",
            "inbound-cidrs",
            "ip-address-type",
            "ipam-ipv4-pool-id",
            "jwt-validation",
            "listen-ports",
            "listener-attributes.*",
            "load-balancer-attributes",
            "load-balancer-name",
            "manage-backend-security-group-rules",
            "minimum-load-balancer-capacity",
            "multi-cluster-target-group",
            "mutual-authentication",
            "scheme",
            "security-group-prefix-lists",
            "security-groups",
            "shield-advanced-protection",
            "ssl-policy",
            "ssl-redirect",
            "subnets",
            "success-codes",
            "tags",
            "target-control-port",
            "target-group-attributes",
            "target-node-labels",
            "target-type",
            "transforms.*",
            "unhealthy-threshold-count",
            "use-regex-path-match",
            "waf-acl-id",
            "wafv2-acl-arn",
            "wafv2-acl-name",
            "web-acl-id",
        ],
    },
    Program {
        name: "cert-manager 1.21",
        prefixes: &["cert-manager.io/"],
        is_closed: true,
        names: &[
            "allow-direct-injection",
            "alt-names",
            "certificate-name",
            "certificate-revision",
            "cluster-issuer",
            "common-name",
            "duration",
            "email-sans",
            "ignore-tls-listeners",
            "inject-apiserver-ca",
            "inject-ca-from",
            "inject-ca-from-secret",
            "ip-sans",
            "issue-temporary-certificate",
            "issuer",
            "issuer-group",
            "issuer-kind",
            "issuer-name",
            "next-private-key",
            "parent-gateway",
            "private-key-algorithm",
            "private-key-encoding",
            "private-key-rotation-policy",
            "private-key-secret-name",
            "private-key-size",
            "renew-before",
            "renew-before-percentage",
            "revision-history-limit",
            "secret-template",
            "subject-countries",
            "subject-localities",
            "subject-organizationalunits",
            "subject-organizations",
            "subject-postalcodes",
            "subject-provinces",
            "subject-serialnumber",
            "subject-streetaddresses",
            "uri-sans",
            "usages",
        ],
    },
    Program {
        name: "cert-manager 1.21",
        prefixes: &["acme.cert-manager.io/"],
        is_closed: true,
        names: &[
            "http-domain",
            "http-token",
            "http01-edit-in-place",
            "http01-ingress-class",
            "http01-ingress-ingressclassname",
            "http01-override-ingress-class",
            "http01-override-ingress-ingressclassname",
            "http01-override-ingress-name",
            "http01-parentreffallback",
            "http01-parentrefkind",
            "http01-parentrefname",
            "http01-parentrefnamespace",
            "http01-solver",
        ],
    },
    Program {
        name: "ExternalDNS 0.22",
        prefixes: &DNS_PREFIXES,
        // Its providers have keys of their own, and the older ones had others.
        is_closed: false,
        names: &[
            "access",
            "alias",
            "aws-*",
            "azure-*",
            "cloudflare-*",
            "controller",
            "coredns-*",
            "endpoints-type",
            "gateway-hostname-source",
            "hostname",
            "ingress",
            "ingress-hostname-source",
            "internal-hostname",
            "record-type",
            "scw-*",
            "set-identifier",
            "target",
            "ttl",
            "webhook-*",
        ],
    },
    Program {
        name: "Forecastle 2",
        prefixes: &["forecastle.stakater.com/"],
        is_closed: true,
        names: &["appName", "expose", "group", "icon", "instance", "network-restricted", "properties", "url"],
    },
    Program {
        name: "Kubernetes 1.36",
        prefixes: &["kubernetes.io/"],
        is_closed: false,
        names: &[
            "ingress.allow-http",
            "ingress.class",
            "ingress.global-static-ip-name",
            "ingress.regional-static-ip-name",
            "tls-acme",
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(key: &str, value: &str) -> Option<Loss> {
        effect(key).filter(|effect| !effect.idle.is(value)).map(|effect| effect.loss)
    }

    #[test]
    fn a_value_can_say_nothing() {
        for (key, nothing, something) in [
            ("nginx.ingress.kubernetes.io/ssl-redirect", "false", "true"),
            ("nginx.ingress.kubernetes.io/cors-allow-credentials", "true", "false"),
            ("nginx.ingress.kubernetes.io/cors-allow-origin", "*", "https://example.com"),
            ("nginx.ingress.kubernetes.io/proxy-body-size", "0m", "10m"),
            ("nginx.ingress.kubernetes.io/limit-rps", "0", "5"),
            ("nginx.ingress.kubernetes.io/auth-tls-verify-client", "off", "optional"),
            ("nginx.ingress.kubernetes.io/proxy-ssl-verify", "off", "on"),
            ("nginx.ingress.kubernetes.io/auth-url", " ", "https://auth.example.com"),
            ("ingress.kubernetes.io/whitelist-source-range", "0.0.0.0/0, ::/0", "10.0.0.0/8"),
            ("alb.ingress.kubernetes.io/inbound-cidrs", "0.0.0.0/0", "10.0.0.0/8"),
            ("alb.ingress.kubernetes.io/auth-type", "none", "oidc"),
            ("haproxy.com/ssl-passthrough", "FALSE", "true"),
            ("ingress.kubernetes.io/allow-list", "0.0.0.0/0", "10.0.0.0/8"),
            ("ingress.cilium.io/force-https", "disabled", "enabled"),
        ] {
            assert_eq!((loss(key, nothing), loss(key, something)), (None, Some(Loss::Protects)), "{key}");
        }
        assert_eq!(loss("nginx.ingress.kubernetes.io/backend-protocol", "http"), None);
        assert_eq!(loss("nginx.ingress.kubernetes.io/backend-protocol", "GRPC"), Some(Loss::Weakens));
        assert_eq!(loss("nginx.ingress.kubernetes.io/enable-global-auth", "true"), Some(Loss::Nothing));
        assert_eq!(loss("example.com/owner", "team-a"), None);
    }

    #[test]
    fn a_pattern_of_the_table_fits_keys_that_end_and_begin_so() {
        assert_eq!(loss("nginx.org/location-snippets", "deny all;"), Some(Loss::Protects));
        assert_eq!(loss("example.com/any-snippet", "deny all;"), Some(Loss::Protects));
        assert_eq!(
            loss("haproxy.router.openshift.io/rate-limit-connections.rate-tcp", "5"),
            Some(Loss::Protects)
        );
    }

    #[test]
    fn every_program_knows_its_own_keys() {
        for program in PROGRAMS {
            assert!(program.names().all(|name| program.knows(name)), "{}", program.name);
            assert!(!program.knows("no-such-key"), "{}", program.name);
            assert!(program.prefixes.iter().all(|prefix| prefix.ends_with('/')), "{}", program.name);
        }
    }
}
