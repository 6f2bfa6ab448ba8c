//! The intents of a plan that the AWS Load Balancer Controller supports.

use super::{GROUP, SECURITY_GROUPS, TARGET_GROUP};
use crate::dialect::says::{Says, but, lacks};
use crate::dialect::words::Proof::Documented;
use crate::dialect::words::Words;
use crate::intents::{Intent, Wish};
use crate::plan::Plan;
use crate::values::{BackendProtocol, Tls};

pub(in crate::dialect) static WORDS: &[Words] = &[
    Words::new(Intent::HttpsRedirect, "ssl-redirect: \"443\"", Documented, "2.2"),
    Words::new(Intent::HttpsRedirectCode, "301 alone, without a word", Documented, "2.2"),
    Words::new(Intent::AllowedSources, "inbound-cidrs", Documented, "2.0"),
    Words::new(Intent::BackendProtocol, "backend-protocol, backend-protocol-version", Documented, "2.2"),
    Words::new(
        Intent::StickySession,
        "target-group-attributes: stickiness.enabled=true,stickiness.type=lb_cookie,stickiness.lb_cookie.duration_seconds=...",
        Documented,
        "2.0",
    ),
];

/// The longest lifetime of its cookie, in seconds.
const MAX_AGE: u64 = 604_800;

pub(in crate::dialect) fn says(plan: &Plan, intent: Intent, wish: Option<&Wish>) -> Says {
    match (intent, wish) {
        (_, Some(Wish::Switch(false)))
        | (Intent::HttpsRedirectCode, Some(Wish::Code(301)))
        | (Intent::BackendProtocol, Some(Wish::Protocol(BackendProtocol::Http))) => Says::Fully,
        (Intent::HttpsRedirect, _) if plan.tls() == Tls::LoadBalancer => Says::Fully,
        // Its listener uses certificates of AWS, and none of a Secret.
        (Intent::HttpsRedirect, _) => lacks(
            "write TLS: load-balancer, for the load balancer has its certificate from AWS Certificate Manager",
        ),
        (Intent::HttpsRedirectCode, _) => lacks("remove it: the load balancer answers with 301"),
        (Intent::AllowedSources, _) if plan.annotation(SECURITY_GROUPS).is_some() => lacks(
            "remove it, and allow the addresses in the security groups, with which the load balancer passes over inbound-cidrs",
        ),
        (Intent::AllowedSources, _) if plan.annotation(GROUP).is_some() => {
            but("lets in these addresses alone for every Ingress of the group")
        }
        (Intent::AllowedSources, _) => Says::Fully,
        (Intent::BackendProtocol, Some(Wish::Protocol(BackendProtocol::Grpc | BackendProtocol::Grpcs)))
            if !plan.tls().is_on() =>
        {
            lacks("write TLS: load-balancer, without which the load balancer speaks no gRPC")
        }
        (Intent::BackendProtocol, _) => Says::Fully,
        (Intent::StickySession, _) if plan.annotation(TARGET_GROUP).is_some() => lacks(
            "remove it, and add stickiness.enabled=true to alb.ingress.kubernetes.io/target-group-attributes",
        ),
        (Intent::StickySession, Some(Wish::Sticky(sticky)))
            if sticky.max_age.is_some_and(|age| age == 0 || age > MAX_AGE) =>
        {
            lacks("let the cookie last from one second to seven days")
        }
        (Intent::StickySession, _) => but("names the cookie AWSALB"),
        (Intent::IdleTimeout, _) => lacks(
            "remove it, and forward alb.ingress.kubernetes.io/load-balancer-attributes: idle_timeout.timeout_seconds=60, which counts for the whole load balancer",
        ),
        (Intent::StripPrefix | Intent::RewritePath, _) => lacks(format!(
            "remove it, and forward alb.ingress.kubernetes.io/transforms.{} with a url-rewrite",
            plan.service()
        )),
        (Intent::Canary, _) => lacks(
            "choose another class, or share the requests by alb.ingress.kubernetes.io/actions of one Ingress instead",
        ),
        (Intent::DeniedSources | Intent::RateLimit | Intent::MaxBodySize, _) => lacks(
            "remove it, do it by AWS WAF, and forward alb.ingress.kubernetes.io/wafv2-acl-arn, or choose another class",
        ),
        (Intent::ClientCertificate, _) => lacks(
            "remove it, and forward alb.ingress.kubernetes.io/mutual-authentication with a trust store of AWS, or choose another class",
        ),
        (Intent::BasicAuth | Intent::ExternalAuth, _) => lacks(
            "remove it, and forward alb.ingress.kubernetes.io/auth-type: oidc or cognito, or choose another class",
        ),
        _ => lacks("remove it, or choose another class"),
    }
}
