//! The annotations of the AWS Load Balancer Controller 3.5.

pub(crate) mod rules;
pub(super) mod says;
pub(crate) mod write;

use serde_json::{Map, Value};

use super::key::{Bad, Form, Idle, Names, Program, Shape, Text, is_addresses, key};

/// Networks: it takes no address alone.
static NETWORKS: Text = Text { expected: "CIDRs, separated by commas", form: Form::List(',', &NETWORK) };

static NETWORK: Text = Text {
    expected: "",
    form: Form::Fits(|item| item.trim().is_empty() || item.contains('/') && is_addresses(item.trim())),
};

/// The listeners of an Ingress.
static PORTS: Text = Text {
    expected: "a list of protocols and ports, such as [{\"HTTP\": 80}, {\"HTTPS\": 443}]",
    form: Form::Fits(|value| {
        let is_port = |(protocol, port): (&String, &Value)| {
            matches!(protocol.as_str(), "HTTP" | "HTTPS")
                && port.as_u64().is_some_and(|port| (1..=65_535).contains(&port))
        };
        listeners(value).is_some_and(|all| !all.is_empty() && all.iter().flatten().all(is_port))
    }),
};

/// The listeners of a list, if it can be read.
fn listeners(list: &str) -> Option<Vec<Map<String, Value>>> {
    serde_json::from_str(list).ok()
}

/// Pairs. What stands between commas is not looked at, for a value can have some behind backslashes.
static PAIRS: Text =
    Text { expected: "KEY=VALUE, several with commas between them", form: Form::Like("*=*") };

/// What is read as JSON.
static JSON: Text =
    Text { expected: "JSON", form: Form::Fits(|value| serde_json::from_str::<Value>(value).is_ok()) };

/// The listener to which requests are sent.
static PORT: Text = Text { expected: "the port of a listener for https, such as 443", form: Form::Units("") };

const PROTOCOLS: Shape = Shape::Exactly("HTTP HTTPS");

/// From where the load balancer is reached.
pub(crate) const SCHEME: &str = "alb.ingress.kubernetes.io/scheme";
/// The addresses that may come in.
const INBOUND: &str = "alb.ingress.kubernetes.io/inbound-cidrs";
/// What sends requests without TLS to https.
const REDIRECT: (&str, &str) = ("alb.ingress.kubernetes.io/ssl-redirect", "443");

/// The attributes of what the load balancer sends requests to.
const TARGET_GROUP: &str = "alb.ingress.kubernetes.io/target-group-attributes";
/// What lets addresses in, in place of the allowed sources.
const SECURITY_GROUPS: &str = "alb.ingress.kubernetes.io/security-groups";
/// What shares a load balancer among Ingresses.
const GROUP: &str = "alb.ingress.kubernetes.io/group.name";
/// What makes regular expressions of paths that begin with a slash of their own.
const USE_REGEX: &str = "alb.ingress.kubernetes.io/use-regex-path-match";

// Alibaba Cloud's ALB Ingress has the same prefix, and other keys.
pub(super) static PROGRAM: Program = Program {
    plain: "acm-pca-arn auth-scope auth-session-cookie certificate-arn customer-owned-ipv4-pool dry-run-plan \
        frontend-nlb-* group.name healthcheck-path healthcheck-port ipam-ipv4-pool-id load-balancer-name \
        multi-cluster-target-group subnets success-codes",
    // With one bad value, it changes nothing for all Ingresses of the load balancer.
    formed: &[
        (
            Shape::Boolean,
            Bad::Refused,
            "enable-frontend-nlb manage-backend-security-group-rules use-regex-path-match",
        ),
        (Shape::Boolean, Bad::False, "create-acm-cert"),
        (
            Shape::Integer,
            Bad::Refused,
            "auth-session-timeout group.order healthcheck-interval-seconds healthcheck-timeout-seconds \
                healthy-threshold-count target-control-port* unhealthy-threshold-count",
        ),
        (
            Shape::Text(&PAIRS),
            Bad::Refused,
            "listener-attributes.* load-balancer-attributes minimum-load-balancer-capacity tags \
                target-group-attributes target-node-labels",
        ),
        (Shape::Text(&JSON), Bad::Refused, "actions.* conditions.* transforms.*"),
        (Shape::Text(&PORTS), Bad::Refused, "listen-ports"),
        (PROTOCOLS, Bad::Refused, "backend-protocol healthcheck-protocol"),
        (Shape::Exactly("HTTP1 HTTP2 GRPC"), Bad::Refused, "backend-protocol-version"),
        (Shape::Exactly("ipv4 dualstack dualstack-without-public-ipv4"), Bad::Refused, "ip-address-type"),
        (Shape::Exactly("instance ip"), Bad::Refused, "target-type"),
    ],
    ..Program::new(
        "the AWS Load Balancer Controller 3.5",
        &["alb.ingress.kubernetes.io/"],
        Names::Own,
        &[
            key("auth-idp-*").protects(),
            key("auth-idp-cognito").text(&JSON).bad(Bad::Refused).protects(),
            key("auth-idp-oidc").text(&JSON).bad(Bad::Refused).protects(),
            key("auth-on-unauthenticated-request")
                .shape(Shape::Exactly("deny allow authenticate"))
                .bad(Bad::Refused)
                .protects()
                .idle(Idle::Word(&"allow")),
            key("auth-type")
                .shape(Shape::Exactly("none oidc cognito"))
                .bad(Bad::Refused)
                .protects()
                .idle(Idle::Word(&"none")),
            key("frontend-nlb-security-groups").protects(),
            key("inbound-cidrs").text(&NETWORKS).bad(Bad::Refused).protects().idle(Idle::Everyone),
            key("jwt-validation").text(&JSON).bad(Bad::Refused).protects(),
            key("mutual-authentication").text(&JSON).bad(Bad::Refused).protects(),
            // Elsewhere, the class decides who reaches it.
            key("scheme")
                .shape(Shape::Exactly("internet-facing internal"))
                .bad(Bad::Refused)
                .protects()
                .idle(Idle::Word(&"internet-facing")),
            key("security-group-prefix-lists").protects(),
            key("security-groups").protects(),
            key("shield-advanced-protection")
                .shape(Shape::Boolean)
                .bad(Bad::Refused)
                .protects()
                .idle(Idle::False),
            key("ssl-policy").weakens(),
            key("ssl-redirect").text(&PORT).bad(Bad::Refused).redirects().idle(Idle::False),
            key("waf-acl-id").protects().idle(Idle::Word(&"none")),
            key("wafv2-acl-*").protects().idle(Idle::Word(&"none")),
            key("wafv2-acl-arn").protects().idle(Idle::Word(&"none")),
            key("wafv2-acl-name").protects().idle(Idle::Word(&"none")),
            key("web-acl-id").protects().idle(Idle::Word(&"none")),
        ],
    )
};
