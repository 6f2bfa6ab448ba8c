//! Whether the protecting annotations of programs deny anybody access.

use super::covers::{Network, network};
use super::nginx::read::https_redirect;
use super::{contradicts, is_snippet};
use crate::plan::{Annotation, Plan};
use crate::values::{Target, Tls};

/// Which clients an annotation, or all protections of a target together, admit.
///
/// ```
/// use serde_json::json;
/// use xposer::internal::{AccessLevel, access};
/// let block = "traefik.ingress.kubernetes.io/router.middlewares: shop-login@kubernetescrd";
/// let plan = xposer::testing::plan(&[("xposer.stakater.com/annotations", block)], json!({"ingressClassName": "traefik"}))?;
/// assert_eq!(access(&plan)[0].level, AccessLevel::NotKnown);
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessLevel {
    /// Only clients with an allowed address, a password, a certificate or the consent of a server get access.
    Restricted,
    /// It is not known which clients: the annotation names an object of another program, or its value is not understood.
    NotKnown,
    /// All clients: an annotation secures connections, limits requests, or denies only some addresses.
    Open,
}

/// How the value of an annotation is judged.
#[derive(Clone, Copy)]
enum Criterion {
    /// A list of the allowed addresses.
    Addresses,
    /// A client certificate. The program must request it, and can do so only over TLS.
    Certificate,
    /// A list of the listeners of an ALB with the mode of each for client certificates.
    Listeners,
    /// The value names a server or an object that decides about access, unless it is empty.
    Named,
    /// An object of another program, or a value whose effect is not known.
    NotKnown,
    /// A password or a sign-in, for which a program needs several annotations.
    SignIn,
    /// A token, which is verified with the key that another annotation names.
    Token,
}

/// How annotations are judged, by the beginnings of their names. The first row that matches counts. Other annotations, such as
/// a limit or a firewall, do not identify clients, so they deny nobody access.
const CRITERIA: &[(&str, Criterion)] = &[
    ("allow-list", Criterion::Addresses),
    ("allowlist-source-range", Criterion::Addresses),
    ("auth-idp-", Criterion::SignIn),
    ("auth-on-unauthenticated-request", Criterion::SignIn),
    ("auth-realm", Criterion::SignIn),
    ("auth-secret", Criterion::SignIn),
    ("auth-tls-", Criterion::Certificate),
    ("auth-type", Criterion::SignIn),
    ("auth-uri", Criterion::Named),
    ("auth-url", Criterion::Named),
    ("basic-auth-secret", Criterion::Named),
    ("inbound-cidrs", Criterion::Addresses),
    ("ip_allowlist", Criterion::Addresses),
    ("ip_whitelist", Criterion::Addresses),
    ("jwt-validation", Criterion::Named),
    ("jwt-", Criterion::Token),
    ("mutual-authentication", Criterion::Listeners),
    ("whitelist", Criterion::Addresses),
    ("auth-", Criterion::NotKnown),
    ("conditions.", Criterion::NotKnown),
    ("frontend-nlb-security-groups", Criterion::NotKnown),
    ("plugin-config-name", Criterion::NotKnown),
    ("plugins", Criterion::NotKnown),
    ("policies", Criterion::NotKnown),
    ("router.middlewares", Criterion::NotKnown),
    ("router.tls.options", Criterion::NotKnown),
    ("security-group", Criterion::NotKnown),
];

/// Returns whether a protecting annotation denies anybody access. `only_https` says that no request without TLS gets access. In
/// doubt, the result is `Open` or `NotKnown`, because a reader who trusts a report does not check again.
pub(crate) fn access_level(plan: &Plan, key: &str, value: &str, only_https: bool) -> AccessLevel {
    if is_snippet(key) {
        return AccessLevel::NotKnown;
    }
    let Some((prefix, name)) = key.split_once('/') else { return AccessLevel::Open };
    let beside = |name: &str| {
        let mut all = plan.annotations.iter();
        let found = all.find(|it| it.key.split_once('/') == Some((prefix, name)));
        found.map(|it| it.value.trim()).unwrap_or_default()
    };
    let out_if = |is_out: bool| if is_out { AccessLevel::Restricted } else { AccessLevel::Open };
    let Some((_, by)) = CRITERIA.iter().find(|(start, _)| name.starts_with(start)) else {
        return AccessLevel::Open;
    };
    match by {
        // An ALB ignores the list if the annotations name its security groups, and also admits the addresses of lists elsewhere.
        Criterion::Addresses
            if ["security-groups", "security-group-prefix-lists"].iter().any(|it| !beside(it).is_empty()) =>
        {
            AccessLevel::NotKnown
        }
        Criterion::Addresses => addresses(value.split([',', ' ', '\n', '\t'])),
        Criterion::Certificate => {
            out_if(!beside("auth-tls-secret").is_empty() && asks_certificate(plan, only_https))
        }
        Criterion::Listeners => {
            let modes: String = value.chars().filter(|sign| !sign.is_whitespace()).collect();
            let listeners = beside("listen-ports").matches("\"HTTPS\"").count().max(1);
            let verifying = modes.matches("\"mode\":\"verify\"").count();
            let is_all = verifying == modes.matches("\"mode\"").count() && verifying >= listeners;
            out_if(is_all && is_https_alb(beside, only_https))
        }
        Criterion::Named => out_if(!value.trim().is_empty()),
        Criterion::NotKnown => AccessLevel::NotKnown,
        Criterion::SignIn => out_if(signs_in(prefix, beside, only_https)),
        Criterion::Token => out_if(!beside("jwt-key").is_empty()),
    }
}

/// Whether the program requires a password or a sign-in.
fn signs_in<'p>(prefix: &str, beside: impl Fn(&str) -> &'p str, only_https: bool) -> bool {
    let (kind, secret) = (beside("auth-type"), beside("auth-secret"));
    match prefix {
        // An ALB signs nobody in without TLS, and it can be configured to admit clients that have not signed in.
        "alb.ingress.kubernetes.io" => {
            let idp = match kind {
                "oidc" => beside("auth-idp-oidc"),
                "cognito" => beside("auth-idp-cognito"),
                _ => "",
            };
            !idp.is_empty()
                && beside("auth-on-unauthenticated-request") != "allow"
                && is_https_alb(beside, only_https)
        }
        "haproxy-ingress.github.io" => !secret.is_empty(),
        "k8s.apisix.apache.org" => !kind.is_empty(),
        // Traefik has not read these annotations since its version 2.
        "traefik.ingress.kubernetes.io" => false,
        // Without a Secret, ingress-nginx and the controller of HAProxy Technologies deny every request.
        _ => !kind.is_empty(),
    }
}

/// Whether an ALB answers requests without TLS only with a redirect, or not at all. Without `listen-ports`, it listens for
/// HTTPS if a certificate is named. `only_https` means that an option asks for the redirect.
fn is_https_alb<'p>(beside: impl Fn(&str) -> &'p str, only_https: bool) -> bool {
    match beside("listen-ports") {
        "" => !beside("certificate-arn").is_empty(),
        ports => {
            let is_redirected = only_https || !beside("ssl-redirect").is_empty();
            ports.contains("\"HTTPS\"") && (is_redirected || !ports.contains("\"HTTP\""))
        }
    }
}

/// Whether every client is asked for a client certificate: no annotation makes it optional, and no request without TLS gets
/// access.
pub(crate) fn asks_certificate(plan: &Plan, only_https: bool) -> bool {
    let is_lax = |key: &str, value: &str| {
        key.ends_with("/auth-tls-verify-client") && !matches!(value.trim(), "" | "on")
    };
    only_https && !plan.annotations.iter().any(|it| is_lax(&it.key, &it.value))
}

/// Returns the annotation that makes the controller of the Ingress ask every client that uses TLS for a certificate.
pub(crate) fn certificate_asked(plan: &Plan) -> Option<&Annotation> {
    let controller = plan.controller(Target::Ingress);
    let asks = |it: &&Annotation| {
        it.key.ends_with("/auth-tls-secret") && controller.reads(&it.key) && !it.value.trim().is_empty()
    };
    plan.annotations.iter().find(asks).filter(|_| asks_certificate(plan, true))
}

/// Returns what to do so that no request gets access without TLS, and thus without a client certificate; `None` if none does.
/// Without a TLS section, ingress-nginx uses its own certificate, and redirects to https only if the redirect is forced.
pub(crate) fn needs_tls(plan: &Plan) -> Option<String> {
    let controller = plan.controller(Target::Ingress);
    let redirect = https_redirect(plan).filter(|_| controller.is_nginx());
    let is_forced = redirect.as_ref().is_some_and(|it| it.value);
    if !plan.tls().has_secret() {
        let is_closed = is_forced && plan.tls() == Tls::Off;
        return (!is_closed).then(|| "set config.xposer.stakater.com/TLS: \"true\"".to_owned());
    }
    if is_forced {
        return None;
    }
    let is_off = |it: &&Annotation| contradicts(controller, &it.key, &it.value, true, plan.tls());
    if let Some(line) = plan.annotations.iter().find(is_off) {
        return Some(["remove the line ", &line.key].concat());
    }
    let is_off = plan.https_redirect() == Some(false);
    is_off.then(|| "set config.xposer.stakater.com/HTTPSRedirect: \"true\"".to_owned())
}

/// Whether it is enough to satisfy one of the restrictions by address, password and consent of a server.
pub(crate) fn is_one_enough(plan: &Plan) -> bool {
    plan.annotation("nginx.ingress.kubernetes.io/satisfy").is_some_and(|it| it.value.trim() == "any")
}

/// Returns whether a list of allowed addresses and networks denies anybody access. It does not if the networks together contain
/// all addresses of a family. An item after `!` is an exception, which denies some addresses.
///
/// `Intent::admits_everybody` is true if a list certainly admits everybody; this function returns `Restricted` if the list certainly
/// denies somebody access.
pub(crate) fn addresses<'l>(list: impl IntoIterator<Item = &'l str>) -> AccessLevel {
    let (mut all, mut is_known) = (Vec::new(), true);
    for text in list.into_iter().map(str::trim).filter(|text| !text.is_empty() && !text.starts_with('!')) {
        match network(text) {
            Some(network) => all.push(network),
            None => is_known = false,
        }
    }
    all.sort_unstable();
    if [false, true].into_iter().any(|is_v6| is_everybody(&all, is_v6)) {
        AccessLevel::Open
    } else if is_known && !all.is_empty() {
        AccessLevel::Restricted
    } else {
        AccessLevel::NotKnown
    }
}

/// Whether the value of a key is the list of addresses that a limit does not count.
pub(crate) fn exempts(key: &str) -> bool {
    ["limit-allowlist", "limit-whitelist"].iter().any(|end| key.ends_with(end))
}

/// Whether the value of a key is the list of addresses that a limit does not count, and contains all addresses.
pub(crate) fn exempts_everybody(key: &str, value: &str) -> bool {
    exempts(key) && addresses(value.split([',', ' '])) == AccessLevel::Open
}

/// Whether sorted networks contain all addresses of a family.
fn is_everybody(all: &[Network], is_v6: bool) -> bool {
    let mut next = Some(0_u128);
    for (_, first, last) in all.iter().filter(|it| it.0 == is_v6) {
        match next {
            Some(from) if *first <= from => next = last.checked_add(1).map(|after| after.max(from)),
            _ => break,
        }
    }
    next.is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnostics::FieldPath;
    use crate::intents::Intent;
    use crate::plan::Source;
    use crate::testing;

    #[test]
    fn list_of_all_addresses_admits_everybody() {
        for (list, access_level) in [
            ("10.0.0.0/8", AccessLevel::Restricted),
            ("192.0.2.7", AccessLevel::Restricted),
            ("2001:db8::/32, 10.0.0.0/8", AccessLevel::Restricted),
            ("0.0.0.0/1", AccessLevel::Restricted),
            ("0.0.0.0/1, 192.0.0.0/2", AccessLevel::Restricted),
            ("::/1, 0.0.0.0/1", AccessLevel::Restricted),
            ("0.0.0.0/0", AccessLevel::Open),
            ("0.0.0.0/1,128.0.0.0/1", AccessLevel::Open),
            ("128.0.0.0/1 0.0.0.0/2 10.0.0.0/8 64.0.0.0/2", AccessLevel::Open),
            ("::/0", AccessLevel::Open),
            ("10.0.0.0/8, 8000::/1, ::/1", AccessLevel::Open),
            ("10.0.0.0/0", AccessLevel::Open),
            ("0.0.0.0/0, !10.0.0.0/8", AccessLevel::Open),
            ("10.0.0.0/8, !10.1.0.0/16", AccessLevel::Restricted),
            ("!10.0.0.0/8", AccessLevel::NotKnown),
            ("10.0.0.0/8, patterns/office", AccessLevel::NotKnown),
            ("10.0.0.0/33", AccessLevel::NotKnown),
            ("", AccessLevel::NotKnown),
        ] {
            assert_eq!(addresses(list.split([',', ' '])), access_level, "{list}");
        }
    }

    /// The two functions agree on every list that is not doubtful.
    #[test]
    fn address_list_functions_agree() {
        for (list, lets_everybody_in, access_level) in [
            ("0.0.0.0/0", true, AccessLevel::Open),
            ("10.0.0.0/8, 0.0.0.0/0", true, AccessLevel::Open),
            ("10.0.0.0/8", false, AccessLevel::Restricted),
            // Clients of the other address family are denied.
            ("::/0", false, AccessLevel::Open),
            ("0.0.0.0/1, 128.0.0.0/1", false, AccessLevel::Open),
        ] {
            let intent_value = Intent::AllowedSources.read(list).ok().expect("a list");
            let found = (Intent::AllowedSources.admits_everybody(&intent_value), addresses(list.split(',')));
            assert_eq!(found, (lets_everybody_in, access_level), "{list}");
        }
    }

    /// Each case judges the first line; the other lines are annotations of the same plan.
    #[test]
    fn value_determines_whether_an_annotation_restricts_access() {
        let nginx = "nginx.ingress.kubernetes.io";
        let own = "haproxy-ingress.github.io";
        let alb = "alb.ingress.kubernetes.io";
        let https = ("certificate-arn", "arn:aws:acm:c");
        let (both, ports) = ("[{\"HTTP\": 80}, {\"HTTPS\": 443}]", "listen-ports");
        let verify = "[{\"port\": 443, \"mode\": \"verify\", \"trustStore\": \"arn\"}]";
        let login = [("auth-type", "oidc"), ("auth-idp-oidc", "{}")];
        type Line = (&'static str, &'static str);
        let cases: &[(&str, &[Line], AccessLevel)] = &[
            (nginx, &[("auth-secret", "s"), ("auth-type", "basic")], AccessLevel::Restricted),
            (nginx, &[("auth-secret", "s")], AccessLevel::Open),
            (nginx, &[("auth-secret", "s"), ("auth-type", "")], AccessLevel::Open),
            (nginx, &[("auth-type", "basic")], AccessLevel::Restricted),
            (nginx, &[("auth-url", "https://auth.example.com")], AccessLevel::Restricted),
            (nginx, &[("auth-url", " ")], AccessLevel::Open),
            (nginx, &[("auth-tls-secret", "t/ca")], AccessLevel::Restricted),
            (
                nginx,
                &[("auth-tls-secret", "t/ca"), ("auth-tls-verify-client", "on")],
                AccessLevel::Restricted,
            ),
            (nginx, &[("auth-tls-secret", "t/ca"), ("auth-tls-verify-client", "off")], AccessLevel::Open),
            (
                nginx,
                &[("auth-tls-secret", "t/ca"), ("auth-tls-verify-client", "optional")],
                AccessLevel::Open,
            ),
            (
                nginx,
                &[("auth-tls-verify-client", "optional_no_ca"), ("auth-tls-secret", "t/ca")],
                AccessLevel::Open,
            ),
            (nginx, &[("auth-tls-verify-client", "on")], AccessLevel::Open),
            (own, &[("auth-secret", "s")], AccessLevel::Restricted),
            (own, &[("auth-tls-secret", "ca"), ("auth-tls-verify-client", "optional")], AccessLevel::Open),
            (own, &[("allowlist-source-range", "0.0.0.0/1,128.0.0.0/1")], AccessLevel::Open),
            (alb, &[("mutual-authentication", verify), https], AccessLevel::Restricted),
            (alb, &[("mutual-authentication", verify)], AccessLevel::Open),
            (alb, &[("mutual-authentication", verify), (ports, both)], AccessLevel::Open),
            (
                alb,
                &[("mutual-authentication", verify), (ports, both), ("ssl-redirect", "443")],
                AccessLevel::Restricted,
            ),
            (
                alb,
                &[("mutual-authentication", "[{\"port\":443,\"mode\":\"passthrough\"}]"), https],
                AccessLevel::Open,
            ),
            (
                alb,
                &[("mutual-authentication", "[{\"port\":443,\"mode\":\"off\"}]"), https],
                AccessLevel::Open,
            ),
            (alb, &[login[0], login[1], https], AccessLevel::Restricted),
            (alb, &[login[0], login[1]], AccessLevel::Open),
            (alb, &[login[0], https], AccessLevel::Open),
            (alb, &[login[1], https], AccessLevel::Open),
            (
                alb,
                &[login[0], login[1], https, ("auth-on-unauthenticated-request", "allow")],
                AccessLevel::Open,
            ),
            (alb, &[("inbound-cidrs", "10.0.0.0/8")], AccessLevel::Restricted),
            (alb, &[("inbound-cidrs", "10.0.0.0/8"), ("security-groups", "sg-1")], AccessLevel::NotKnown),
            (alb, &[("wafv2-acl-arn", "arn")], AccessLevel::Open),
            ("nginx.org", &[("basic-auth-secret", "s")], AccessLevel::Restricted),
            ("nginx.org", &[("policies", "p")], AccessLevel::NotKnown),
            ("nginx.com", &[("jwt-realm", "r")], AccessLevel::Open),
            ("nginx.com", &[("jwt-realm", "r"), ("jwt-key", "k")], AccessLevel::Restricted),
            ("haproxy.org", &[("auth-type", "basic-auth"), ("auth-secret", "s")], AccessLevel::Restricted),
            ("haproxy.org", &[("auth-secret", "s")], AccessLevel::Open),
            ("haproxy.org", &[("deny-list", "10.0.0.0/8")], AccessLevel::Open),
            ("konghq.com", &[("plugins", "p")], AccessLevel::NotKnown),
            (nginx, &[("server-snippet", "deny all;")], AccessLevel::NotKnown),
        ];
        let line = |prefix: &str, name: &str, value: &str| Annotation {
            key: format!("{prefix}/{name}"),
            value: value.to_owned(),
            source: Source::Setting { path: FieldPath::settings(), layer: 0 },
        };
        let mut plan = testing::plan(&[], json!({})).expect("it is in order");
        for (prefix, lines, expected) in cases {
            plan.annotations = lines.iter().map(|(name, value)| line(prefix, name, value)).collect();
            let first = &plan.annotations[0];
            // The lines of an ALB themselves say whether requests without TLS are redirected.
            let level = access_level(&plan, &first.key, &first.value, *prefix != alb);
            assert_eq!(level, *expected, "{prefix} {lines:?}");
        }
        // An option can ask for the redirect, too.
        plan.annotations = [("mutual-authentication", verify), (ports, both)]
            .map(|(name, value)| line(alb, name, value))
            .to_vec();
        let of_alb = |only_https| {
            access_level(&plan, "alb.ingress.kubernetes.io/mutual-authentication", verify, only_https)
        };
        assert_eq!([true, false].map(of_alb), [AccessLevel::Restricted, AccessLevel::Open]);
        let certificate = line(nginx, "auth-tls-secret", "t/ca");
        plan.annotations = vec![certificate];
        assert_eq!(
            access_level(&plan, "nginx.ingress.kubernetes.io/auth-tls-secret", "t/ca", false),
            AccessLevel::Open
        );
    }
}
