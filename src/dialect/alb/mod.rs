//! The annotations of the AWS Load Balancer Controller 3.5.

pub(crate) mod rules;
pub(super) mod support;
pub(crate) mod write;

use serde_json::{Map, Value};

use super::key::{Form, KnownNames, NeutralValue, OnInvalid, Program, Shape, Text, is_addresses, key};

/// Networks. The controller accepts no address without a prefix length.
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

/// Parses a list of listeners, or of other things; `None` if it is not valid.
fn listeners(list: &str) -> Option<Vec<Map<String, Value>>> {
    serde_json::from_str(list).ok()
}

/// Pairs. The text between commas is not checked, because a value can contain commas after backslashes.
static PAIRS: Text =
    Text { expected: "KEY=VALUE, several with commas between them", form: Form::Like("*=*") };

/// A text that is read as JSON.
static JSON: Text =
    Text { expected: "JSON", form: Form::Fits(|value| serde_json::from_str::<Value>(value).is_ok()) };

/// The port of the listener to which requests are redirected.
static PORT: Text = Text { expected: "the port of a listener for https, such as 443", form: Form::Units("") };

const PROTOCOLS: Shape = Shape::Exactly("HTTP HTTPS");

/// The annotation that says whether the load balancer is reachable from the internet.
pub(crate) const SCHEME: &str = "alb.ingress.kubernetes.io/scheme";
/// The same for the Network Load Balancer in front.
pub(crate) const FRONTEND_SCHEME: &str = "alb.ingress.kubernetes.io/frontend-nlb-scheme";
/// The annotation with the allowed addresses.
pub(crate) const INBOUND: &str = "alb.ingress.kubernetes.io/inbound-cidrs";
/// The annotation that redirects requests without TLS to https, and its value.
const REDIRECT: (&str, &str) = ("alb.ingress.kubernetes.io/ssl-redirect", "443");

/// The annotation with the attributes of the target group, to which the load balancer sends requests.
const TARGET_GROUP: &str = "alb.ingress.kubernetes.io/target-group-attributes";
/// The annotation with the security groups, which decide about access instead of the allowed addresses.
pub(crate) const SECURITY_GROUPS: &str = "alb.ingress.kubernetes.io/security-groups";
/// The annotation with lists of further allowed addresses, which AWS keeps.
const PREFIX_LISTS: &str = "alb.ingress.kubernetes.io/security-group-prefix-lists";
/// The beginning of the annotations with the server that signs clients in.
pub(crate) const AUTH_IDP: &str = "alb.ingress.kubernetes.io/auth-idp-";
/// The beginnings of the annotations with a firewall, and of those with a firewall of the former kind.
pub(crate) const WAF: &[&str] = &["alb.ingress.kubernetes.io/wafv2-acl-"];
pub(crate) const WAF_CLASSIC: &[&str] =
    &["alb.ingress.kubernetes.io/waf-acl-id", "alb.ingress.kubernetes.io/web-acl-id"];
/// The annotation with the listeners of an Ingress.
pub(crate) const LISTENERS: &str = "alb.ingress.kubernetes.io/listen-ports";
/// If one of these annotations exists and no listeners are named, the only listener is for https.
pub(crate) const CERTIFICATES: [&str; 2] =
    ["alb.ingress.kubernetes.io/certificate-arn", "alb.ingress.kubernetes.io/create-acm-cert"];
/// The annotations that give an Ingress another load balancer, or precedence over others with the same host and path.
pub(super) const PRECEDENCE: [&str; 4] = [
    GROUP,
    "alb.ingress.kubernetes.io/group.order",
    "alb.ingress.kubernetes.io/load-balancer-name",
    "alb.ingress.kubernetes.io/scheme",
];
/// The annotation that makes several Ingresses share a load balancer.
const GROUP: &str = "alb.ingress.kubernetes.io/group.name";
/// The annotation that turns paths into regular expressions. Such a path begins with an additional slash.
const USE_REGEX: &str = "alb.ingress.kubernetes.io/use-regex-path-match";

/// The key without which nobody is asked for a login.
const AUTH_TYPE: &[&str] = &["auth-type"];
/// The key without which there is no Network Load Balancer in front.
const FRONTEND_NLB: &[&str] = &["enable-frontend-nlb"];

// Alibaba Cloud's ALB Ingress uses the same prefix for other keys.
pub(crate) static PROGRAM: Program = Program {
    // The controller reads the authentication on the Service, too.
    service_prefixes: &["alb.ingress.kubernetes.io/auth-"],
    names_only: "acm-pca-arn auth-scope auth-session-cookie certificate-arn customer-owned-ipv4-pool dry-run-plan \
        group.name healthcheck-path healthcheck-port ipam-ipv4-pool-id load-balancer-name \
        multi-cluster-target-group subnets success-codes",
    // With one bad value, the controller updates none of the Ingresses of the load balancer.
    keys_by_form: &[
        (
            Shape::Boolean,
            OnInvalid::Refused,
            "enable-frontend-nlb manage-backend-security-group-rules use-regex-path-match",
        ),
        (Shape::Boolean, OnInvalid::False, "create-acm-cert"),
        (
            Shape::Integer,
            OnInvalid::Refused,
            "auth-session-timeout group.order healthcheck-interval-seconds healthcheck-timeout-seconds \
                healthy-threshold-count target-control-port* unhealthy-threshold-count",
        ),
        (
            Shape::Text(&PAIRS),
            OnInvalid::Refused,
            "listener-attributes.* load-balancer-attributes minimum-load-balancer-capacity tags \
                target-group-attributes target-node-labels",
        ),
        (Shape::Text(&JSON), OnInvalid::Refused, "actions.* conditions.* transforms.*"),
        (Shape::Text(&PORTS), OnInvalid::Refused, "listen-ports"),
        (PROTOCOLS, OnInvalid::Refused, "backend-protocol healthcheck-protocol"),
        (Shape::Exactly("HTTP1 HTTP2 GRPC"), OnInvalid::Refused, "backend-protocol-version"),
        (
            Shape::Exactly("ipv4 dualstack dualstack-without-public-ipv4"),
            OnInvalid::Refused,
            "ip-address-type",
        ),
        (Shape::Exactly("instance ip"), OnInvalid::Refused, "target-type"),
    ],
    ..Program::new(
        "the AWS Load Balancer Controller 3.5",
        &["alb.ingress.kubernetes.io/"],
        KnownNames::Own,
        &[
            key("auth-idp-*").protects(),
            key("auth-idp-cognito").text(&JSON).on_invalid(OnInvalid::Refused).protects().needs(&AUTH_TYPE),
            key("auth-idp-oidc").text(&JSON).on_invalid(OnInvalid::Refused).protects().needs(&AUTH_TYPE),
            key("auth-on-unauthenticated-request")
                .shape(Shape::Exactly("deny allow authenticate"))
                .on_invalid(OnInvalid::Refused)
                .protects()
                .neutral(NeutralValue::Word(&"allow"))
                .needs(&AUTH_TYPE),
            key("auth-session-*").needs(&AUTH_TYPE),
            key("auth-type")
                .shape(Shape::Exactly("none oidc cognito"))
                .on_invalid(OnInvalid::Refused)
                .protects()
                .neutral(NeutralValue::Word(&"none")),
            // The only condition that denies anybody access.
            key("conditions.*").protects().neutral(NeutralValue::TextWithout(&"source-ip")),
            key("enable-frontend-nlb").neutral(NeutralValue::False),
            key("frontend-nlb-*").needs(&FRONTEND_NLB),
            key("frontend-nlb-scheme")
                .shape(Shape::Exactly("internet-facing internal"))
                .on_invalid(OnInvalid::Refused)
                .neutral(NeutralValue::Word(&"internal"))
                .needs(&FRONTEND_NLB),
            key("frontend-nlb-security-groups").protects().needs(&FRONTEND_NLB),
            key("inbound-cidrs")
                .text(&NETWORKS)
                .on_invalid(OnInvalid::Refused)
                .protects()
                .neutral(NeutralValue::AllAddresses),
            key("jwt-validation").text(&JSON).on_invalid(OnInvalid::Refused).protects(),
            key("mutual-authentication")
                .text(&JSON)
                .on_invalid(OnInvalid::Refused)
                .protects()
                .neutral(NeutralValue::TextWithout(&"verify")),
            // With other controllers, the class decides who can reach the Service.
            key("scheme")
                .shape(Shape::Exactly("internet-facing internal"))
                .on_invalid(OnInvalid::Refused)
                .protects()
                .neutral(NeutralValue::Word(&"internet-facing")),
            key("security-group-prefix-lists").protects(),
            key("security-groups").protects(),
            key("shield-advanced-protection")
                .shape(Shape::Boolean)
                .on_invalid(OnInvalid::Refused)
                .protects()
                .neutral(NeutralValue::False),
            key("ssl-policy").hardens(),
            key("ssl-redirect")
                .text(&PORT)
                .on_invalid(OnInvalid::Refused)
                .redirects()
                .neutral(NeutralValue::False),
            key("waf-acl-id").protects().neutral(NeutralValue::Word(&"none")),
            key("wafv2-acl-*").protects().neutral(NeutralValue::Word(&"none")),
            key("wafv2-acl-arn").protects().neutral(NeutralValue::Word(&"none")),
            key("wafv2-acl-name").protects().neutral(NeutralValue::Word(&"none")),
            key("web-acl-id").protects().neutral(NeutralValue::Word(&"none")),
        ],
    )
};
