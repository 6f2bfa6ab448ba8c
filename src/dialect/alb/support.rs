//! The intents of a plan that the AWS Load Balancer Controller supports.

use super::{GROUP, PREFIX_LISTS, SECURITY_GROUPS, TARGET_GROUP};
use crate::dialect::mappings::IntentMapping;
use crate::dialect::mappings::Proof::Documented;
use crate::dialect::support::{Support, partial, unsupported};
use crate::intents::{Intent, IntentValue};
use crate::plan::Plan;
use crate::values::{BackendProtocol, Tls};

pub(in crate::dialect) static MAPPINGS: &[IntentMapping] = &[
    IntentMapping::new(Intent::HttpsRedirect, "ssl-redirect: \"443\"", Documented, "2.2"),
    IntentMapping::new(Intent::HttpsRedirectCode, "301 (always, no annotation)", Documented, "2.2"),
    IntentMapping::new(Intent::AllowedSources, "inbound-cidrs", Documented, "2.0"),
    IntentMapping::new(
        Intent::BackendProtocol,
        "backend-protocol, backend-protocol-version",
        Documented,
        "2.2",
    ),
    IntentMapping::new(
        Intent::StickySession,
        "target-group-attributes: stickiness.enabled=true,stickiness.type=lb_cookie,stickiness.lb_cookie.duration_seconds=...",
        Documented,
        "2.0",
    ),
];

/// The longest lifetime of its cookie, in seconds.
const MAX_AGE: u64 = 604_800;

pub(in crate::dialect) fn support(
    plan: &Plan,
    intent: Intent,
    intent_value: Option<&IntentValue>,
) -> Support {
    match (intent, intent_value) {
        (_, Some(IntentValue::Switch(false)))
        | (Intent::HttpsRedirectCode, Some(IntentValue::Code(301)))
        | (Intent::BackendProtocol, Some(IntentValue::Protocol(BackendProtocol::Http))) => Support::Full,
        (Intent::HttpsRedirect, _) if plan.tls() == Tls::LoadBalancer => Support::Full,
        // Its listener uses certificates of AWS, and none of a Secret.
        (Intent::HttpsRedirect, _) => unsupported(
            "write TLS: load-balancer, because the load balancer has its certificate from AWS Certificate Manager",
        ),
        (Intent::HttpsRedirectCode, _) => unsupported("remove it: the load balancer answers with 301"),
        (Intent::AllowedSources, _) if plan.annotation(SECURITY_GROUPS).is_some() => unsupported(
            "remove it, and allow the addresses in the security groups, because of which inbound-cidrs is ignored",
        ),
        (Intent::AllowedSources, _) if plan.annotation(PREFIX_LISTS).is_some() => {
            partial("also admits the addresses of security-group-prefix-lists")
        }
        (Intent::AllowedSources, _) if plan.annotation(GROUP).is_some() => {
            partial("admits only these addresses for every Ingress of the group")
        }
        (Intent::AllowedSources, _) => Support::Full,
        (
            Intent::BackendProtocol,
            Some(IntentValue::Protocol(BackendProtocol::Grpc | BackendProtocol::Grpcs)),
        ) if !plan.tls().is_on() => {
            unsupported("write TLS: load-balancer, without which the load balancer does not support gRPC")
        }
        (Intent::BackendProtocol, _) => Support::Full,
        (Intent::StickySession, _) if plan.annotation(TARGET_GROUP).is_some() => unsupported(
            "remove it, and add stickiness.enabled=true to alb.ingress.kubernetes.io/target-group-attributes",
        ),
        (Intent::StickySession, Some(IntentValue::Sticky(sticky)))
            if sticky.max_age.is_some_and(|age| age == 0 || age > MAX_AGE) =>
        {
            unsupported("let the cookie last from one second to seven days")
        }
        (Intent::StickySession, _) => partial("names the cookie AWSALB"),
        (Intent::IdleTimeout, _) => unsupported(
            "remove it, and forward alb.ingress.kubernetes.io/load-balancer-attributes: idle_timeout.timeout_seconds=60, which applies to the whole load balancer",
        ),
        (Intent::StripPrefix | Intent::RewritePath, _) => unsupported(format!(
            "remove it, and forward alb.ingress.kubernetes.io/transforms.{} with a url-rewrite",
            plan.service()
        )),
        (Intent::Canary, _) => unsupported(
            "choose another class, or share the requests by alb.ingress.kubernetes.io/actions of one Ingress instead",
        ),
        (Intent::DeniedSources | Intent::RateLimit | Intent::MaxBodySize, _) => unsupported(
            "remove it, do it by AWS WAF, and forward alb.ingress.kubernetes.io/wafv2-acl-arn, or choose another class",
        ),
        (Intent::ClientCertificate, _) => unsupported(
            "remove it, and forward alb.ingress.kubernetes.io/mutual-authentication with a trust store of AWS, or choose another class",
        ),
        (Intent::BasicAuth | Intent::ExternalAuth, _) => unsupported(
            "remove it, and forward alb.ingress.kubernetes.io/auth-type: oidc with auth-idp-oidc, or cognito with auth-idp-cognito, or choose another class",
        ),
        _ => unsupported("remove it, or choose another class"),
    }
}
