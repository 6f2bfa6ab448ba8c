//! The annotations of the AWS Load Balancer Controller 3.5.

pub(crate) mod rules;
pub(super) mod says;
pub(crate) mod write;

use super::key::{ADDRESSES, Idle, Names, Program, key};

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
    plain: "acm-pca-arn actions.* auth-scope auth-session-cookie auth-session-timeout backend-protocol \
     backend-protocol-version certificate-arn conditions.* create-acm-cert customer-owned-ipv4-pool \
     dry-run-plan enable-frontend-nlb frontend-nlb-* group.name group.order healthcheck-interval-seconds \
     healthcheck-path healthcheck-port healthcheck-protocol healthcheck-timeout-seconds \
     healthy-threshold-count ip-address-type ipam-ipv4-pool-id listen-ports listener-attributes.* \
     load-balancer-attributes load-balancer-name manage-backend-security-group-rules \
     minimum-load-balancer-capacity multi-cluster-target-group subnets success-codes tags \
     target-control-port target-group-attributes target-node-labels target-type transforms.* \
     unhealthy-threshold-count use-regex-path-match",
    ..Program::new(
        "the AWS Load Balancer Controller 3.5",
        &["alb.ingress.kubernetes.io/"],
        Names::Own,
        &[
            key("auth-idp-*").protects(),
            key("auth-idp-cognito").protects(),
            key("auth-idp-oidc").protects(),
            key("auth-on-unauthenticated-request").protects().idle(Idle::Word("allow")),
            key("auth-type").protects().idle(Idle::Word("none")),
            key("frontend-nlb-security-groups").protects(),
            key("inbound-cidrs").text(&ADDRESSES).protects().idle(Idle::Everyone),
            key("jwt-validation").protects(),
            key("mutual-authentication").protects(),
            // Elsewhere, the class decides who reaches it.
            key("scheme").protects().idle(Idle::Word("internet-facing")),
            key("security-group-prefix-lists").protects(),
            key("security-groups").protects(),
            key("shield-advanced-protection").protects().idle(Idle::False),
            key("ssl-policy").weakens(),
            key("ssl-redirect").redirects().idle(Idle::False),
            key("waf-acl-id").protects().idle(Idle::Word("none")),
            key("wafv2-acl-*").protects().idle(Idle::Word("none")),
            key("wafv2-acl-arn").protects().idle(Idle::Word("none")),
            key("wafv2-acl-name").protects().idle(Idle::Word("none")),
            key("web-acl-id").protects().idle(Idle::Word("none")),
        ],
    )
};
