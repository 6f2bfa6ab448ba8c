use serde_json::json;

use super::*;
use crate::{Service, Settings, expose, testing};

const USE: &str = "nginx.ingress.kubernetes.io/use-regex: \"true\"";

/// Returns the codes of the findings about a Service, and its path in the emitted object; no path if the Service is refused.
fn findings_and_path(
    class: &str,
    annotations: &[(&str, &str)],
    block: &str,
) -> (Vec<Code>, Option<(String, PathType)>) {
    let settings = json!({"domain": "example.com", "ingressClassName": class, "controllers": {class: class}});
    let settings = Settings::from_value(&settings).unwrap_or_else(|problem| panic!("{problem:?}"));
    let keys: Vec<(String, &str)> = annotations
        .iter()
        .map(|(name, value)| (format!("config.xposer.stakater.com/{name}"), *value))
        .chain(
            [("xposer.stakater.com/annotations".to_owned(), block)].into_iter().filter(|_| !block.is_empty()),
        )
        .collect();
    let keys: Vec<(&str, &str)> = keys.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let service = testing::service(&keys);
    let outcome = expose(&Service::from_value(&service), &settings);
    let codes = outcome.report().map(|it| it.diagnostics().iter().map(|it| it.code).collect());
    let written = outcome.plan().and_then(|plan| {
        let (path, kind) = Paths::new(plan, Target::Ingress).of(plan.rules.first()?);
        Some((path.into_owned(), kind))
    });
    (codes.unwrap_or_default(), written)
}

#[test]
fn annotation_makes_every_path_with_metacharacters_a_regex() {
    for (class, path, expected) in [
        ("ingress-nginx", "/foo/.+", "/foo/.+"),
        ("ingress-nginx", "/a+b", "/a+b"),
        ("traefik", "/foo/.+", "/?^(?i)/foo/.+"),
        ("traefik", "/foo/?", "/?^(?i)/foo/?"),
        ("traefik", "/a++b", "/?^(?i)/a++b"),
        ("traefik-nginx", "/foo/.+", "/foo/.+"),
        ("contour", "/foo/.+", "/(?i:foo/.+).*"),
        ("haproxy-ingress", "/a+b", "/(?i:a+b)"),
        ("f5-nginx", "/a+b", "/a+b"),
    ] {
        let (codes, written) = findings_and_path(class, &[("IngressURLPath", path)], USE);
        if path == "/a++b" {
            // Go has no possessive quantifiers.
            assert!(codes.contains(&Code::TargetInvalid), "{class} {path}: {codes:?}");
            continue;
        }
        assert_eq!(
            written,
            Some((expected.to_owned(), PathType::ImplementationSpecific)),
            "{class} {path}: {codes:?}"
        );
        let wrong = [Code::PathStrict, Code::PathQuery, Code::ProtectionWeakened, Code::IntentDiffers];
        assert!(!codes.iter().any(|code| wrong.contains(code)), "{class} {path}: {codes:?}");
    }
    // A `+` alone does not make a path a regular expression.
    let (_, written) = findings_and_path("traefik", &[("IngressURLPath", "/a+b")], "");
    assert_eq!(written.map(|(path, _)| path).as_deref(), Some("/?^/a\\+b(/|$)"));
}

#[test]
fn a_path_without_a_sign_loses_little_by_another_program() {
    for class in ["traefik", "contour", "haproxy", "alb", "gce", "haproxy-ingress"] {
        let (codes, _) = findings_and_path(class, &[], USE);
        assert!(
            !codes.contains(&Code::ProtectionWeakened) && !codes.contains(&Code::IntentDiffers),
            "{codes:?}"
        );
        let (codes, written) = findings_and_path(class, &[("IngressURLPath", "/api")], USE);
        assert!(!codes.contains(&Code::ProtectionWeakened), "{class}: {codes:?}");
        assert!(codes.contains(&Code::IntentDiffers) && written.is_some(), "{class}: {codes:?}");
    }
    let (codes, _) = findings_and_path("ingress-nginx", &[("IngressURLPath", "/api")], USE);
    assert!(!codes.contains(&Code::IntentDiffers), "{codes:?}");
}

#[test]
fn literal_regex_matches_no_request() {
    let free = [("PathType", "ImplementationSpecific")];
    for (class, path, expected) in [
        ("alb", "/shop(/|$)(.*)", Some("/shop")),
        ("gce", "/shop(/|$)(.*)", Some("/shop")),
        ("haproxy", "/shop(/|$)(.*)", Some("/shop")),
        ("haproxy", "/shop/*", Some("/shop")),
        ("gce", "/shop(/|$)", Some("/shop")),
        ("alb", "/shop/(.*)", None),
        ("alb", "/(a|b)/.*", None),
        ("gce", "/(a|b)/.*", None),
        ("haproxy", "/(a|b)/.*", None),
        ("haproxy", "/api/v[0-9]+", None),
        ("gce", "/api/*/x", None),
        ("gce", "/img*", None),
        ("gce", "/shop/*", Some("/shop/*")),
        ("alb", "/wiki/a_(b)", None),
        // These are regular expressions, or paths that a request can have.
        ("alb", "/img*.png", Some("/img*.png")),
        ("alb", "/img?", Some("/img?")),
        ("haproxy", "/wiki/a_(b)", Some("/wiki/a_(b)")),
    ] {
        let (codes, written) = findings_and_path(class, &[("IngressURLPath", path), free[0]], "");
        assert_eq!(written.map(|(path, _)| path).as_deref(), expected, "{class} {path}: {codes:?}");
        assert_eq!(codes.contains(&Code::TargetInvalid), expected.is_none(), "{class} {path}: {codes:?}");
    }
    let alb = "alb.ingress.kubernetes.io/use-regex-path-match: \"true\"";
    let (_, written) = findings_and_path("alb", &[("IngressURLPath", "/(a|b)/.*")], alb);
    assert_eq!(written.map(|(path, _)| path).as_deref(), Some("/(a|b)/.*"));
}

#[test]
fn invalid_pcre_is_reported_for_pcre_programs() {
    for (class, path, code) in [
        ("ingress-nginx", "/^*", Some(Code::PathInvalid)),
        ("ingress-nginx", "/a(b)^*", Some(Code::PathInvalid)),
        ("f5-nginx", "/a(b)$?", Some(Code::PathInvalid)),
        ("traefik", "/a(b)$?", None),
        ("contour", "/a(b)$?", None),
        ("ingress-nginx", r"/(a)\2", Some(Code::PathInvalid)),
        ("haproxy-ingress", r"/(a)\2", Some(Code::PathInvalid)),
        ("ingress-nginx", r"/(a)\1", None),
        ("ingress-nginx", r"/[\w-.]+", Some(Code::IntentDiffers)),
        ("f5-nginx", r"/[\w-.]+", Some(Code::PathInvalid)),
        ("haproxy-ingress", r"/[\w-.]+", Some(Code::PathInvalid)),
        ("traefik-nginx", r"/[\w-.]+", None),
        ("contour", r"/[\w-.]+", None),
        ("ingress-nginx", r"/[\w.-]+", None),
        ("contour", "/[[:alpha:]|]+", None),
        ("traefik", "/a|^/b", None),
        ("contour", "/a|", Some(Code::PathInvalid)),
        ("contour", "/a|b", Some(Code::PathInvalid)),
    ] {
        let (codes, _) = findings_and_path(class, &[("IngressURLPath", path)], "");
        let found = codes.into_iter().find(|code| *code != Code::PathRegex);
        assert_eq!(found, code, "{class} {path}");
    }
}

#[test]
fn other_programs_are_not_mentioned() {
    for (class, path, code) in [
        ("ingress-nginx", "/a`b", Some(Code::PathStrict)),
        ("traefik-nginx", "/a+b", Some(Code::PathStrict)),
        ("contour", "/a+b", None),
        ("alb", "/a`b", None),
        ("traefik", "/a`b", Some(Code::TargetInvalid)),
        ("traefik", "/a`) || Host(`victim.example.com`) && PathPrefix(`/b", Some(Code::TargetInvalid)),
        ("traefik", "/(a`|b).*", Some(Code::TargetInvalid)),
    ] {
        let (codes, _) = findings_and_path(class, &[("IngressURLPath", path), ("PathType", "Prefix")], "");
        assert_eq!(codes.first().copied(), code, "{class} {path}");
    }
}

#[test]
fn prefix_overmatch_is_reported() {
    for (class, path, kind, is_reported) in [
        ("f5-nginx", "/shop", "Prefix", true),
        ("f5-nginx", "/shop/", "Prefix", false),
        ("f5-nginx", "/shop", "Exact", false),
        ("f5-nginx", "/", "Prefix", false),
        ("f5-nginx", "/shop(/|$)", "ImplementationSpecific", false),
        ("contour", "/shop", "Prefix", false),
        ("contour", "/shop", "ImplementationSpecific", true),
        ("haproxy", "/shop", "ImplementationSpecific", true),
        ("haproxy-ingress", "/shop", "ImplementationSpecific", true),
        ("ingress-nginx", "/shop", "ImplementationSpecific", false),
        ("traefik", "/shop", "ImplementationSpecific", false),
    ] {
        let (codes, _) = findings_and_path(class, &[("IngressURLPath", path), ("PathType", kind)], "");
        assert_eq!(codes.contains(&Code::IntentDiffers), is_reported, "{class} {path} {kind}: {codes:?}");
    }
}

#[test]
fn an_option_rewrites_by_the_groups_of_the_path() {
    for (path, target, is_reported) in [
        ("/x/(.*)", "/$9", true),
        ("/x/(.*)", "/$1", false),
        ("/x(/|$)(.*)", "/y/$2", false),
        ("/x/.*", "/$1", true),
    ] {
        for class in ["ingress-nginx", "traefik", "f5-nginx"] {
            let (codes, _) =
                findings_and_path(class, &[("IngressURLPath", path), ("RewritePath", target)], "");
            assert_eq!(
                codes.contains(&Code::RewriteMismatch),
                is_reported,
                "{class} {path} {target}: {codes:?}"
            );
        }
    }
}

#[test]
fn regex_conflicts_with_the_prefix_it_covers() {
    let path = "config.xposer.stakater.com/IngressURLTemplate";
    for class in ["alb", "gce", "haproxy", "ingress-nginx", "traefik"] {
        let settings = json!({"ingressClassName": class, "controllers": {class: class}});
        let settings = Settings::from_value(&settings).unwrap_or_else(|problem| panic!("{problem:?}"));
        let all = [("a", "a.example.com/shop(/|$)(.*)"), ("b", "a.example.com/shop")]
            .map(|(name, url)| testing::service_named("shop", name, &[(path, url)]));
        let services: Vec<Service<'_>> = all.iter().map(Service::from_value).collect();
        let outcomes = crate::expose_all(&services, &settings, crate::Precedence::RefuseAll);
        assert!(outcomes.iter().all(crate::Outcome::is_refused), "{class}: {outcomes:?}");
    }
}
