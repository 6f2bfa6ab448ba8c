//! Whether the protecting annotations of programs deny anybody access.

use super::covers::{Network, network};
use super::nginx::read::https_redirect;
use super::{contradicts, is_snippet};
use crate::plan::{Annotation, Plan};
use crate::values::{Target, Tls};

/// Whether an annotation denies access to anybody who is not admitted.
///
/// ```
/// use serde_json::json;
/// use xposer::internal::{Keeps, access};
/// let block = "traefik.ingress.kubernetes.io/router.middlewares: shop-login@kubernetescrd";
/// let plan = xposer::testing::plan(&[("xposer.stakater.com/annotations", block)], json!({"ingressClassName": "traefik"}))?;
/// assert_eq!(access(&plan)[0].keeps, Keeps::NotKnown);
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keeps {
    /// Only clients with an allowed address, a password, a certificate or the consent of a server get access.
    Out,
    /// The annotation names an object of another program, and the effect of the object is not known.
    NotKnown,
    /// Everybody may get access: the annotation secures connections, limits requests, or denies only some addresses.
    Nobody,
}

/// How the value of an annotation is judged.
#[derive(Clone, Copy)]
enum By {
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
const KEEPS: &[(&str, By)] = &[
    ("allow-list", By::Addresses),
    ("allowlist-source-range", By::Addresses),
    ("auth-idp-", By::SignIn),
    ("auth-on-unauthenticated-request", By::SignIn),
    ("auth-realm", By::SignIn),
    ("auth-secret", By::SignIn),
    ("auth-tls-", By::Certificate),
    ("auth-type", By::SignIn),
    ("auth-uri", By::Named),
    ("auth-url", By::Named),
    ("basic-auth-secret", By::Named),
    ("inbound-cidrs", By::Addresses),
    ("ip_allowlist", By::Addresses),
    ("ip_whitelist", By::Addresses),
    ("jwt-validation", By::Named),
    ("jwt-", By::Token),
    ("mutual-authentication", By::Listeners),
    ("whitelist", By::Addresses),
    ("auth-", By::NotKnown),
    ("frontend-nlb-security-groups", By::NotKnown),
    ("plugin-config-name", By::NotKnown),
    ("plugins", By::NotKnown),
    ("policies", By::NotKnown),
    ("router.middlewares", By::NotKnown),
    ("router.tls.options", By::NotKnown),
    ("security-group", By::NotKnown),
];

/// Returns whether a protecting annotation denies anybody access. `only_https` says that no request without TLS gets access. In
/// doubt, the result is `Nobody` or `NotKnown`, because a reader who trusts a report does not check again.
pub(crate) fn keeps(plan: &Plan, key: &str, value: &str, only_https: bool) -> Keeps {
    if is_snippet(key) {
        return Keeps::NotKnown;
    }
    let Some((prefix, name)) = key.split_once('/') else { return Keeps::Nobody };
    let beside = |name: &str| {
        let mut all = plan.annotations.iter();
        let found = all.find(|it| it.key.split_once('/') == Some((prefix, name)));
        found.map(|it| it.value.trim()).unwrap_or_default()
    };
    let out_if = |is_out: bool| if is_out { Keeps::Out } else { Keeps::Nobody };
    let Some((_, by)) = KEEPS.iter().find(|(start, _)| name.starts_with(start)) else { return Keeps::Nobody };
    match by {
        // An ALB ignores the list if the annotations name its security groups.
        By::Addresses if !beside("security-groups").is_empty() => Keeps::NotKnown,
        By::Addresses => addresses(value.split([',', ' ', '\n', '\t'])),
        By::Certificate => {
            out_if(!beside("auth-tls-secret").is_empty() && asks_certificate(plan, only_https))
        }
        By::Listeners => {
            let modes: String = value.chars().filter(|sign| !sign.is_whitespace()).collect();
            let listeners = beside("listen-ports").matches("\"HTTPS\"").count().max(1);
            let verifying = modes.matches("\"mode\":\"verify\"").count();
            let is_all = verifying == modes.matches("\"mode\"").count() && verifying >= listeners;
            out_if(is_all && is_https_alb(beside))
        }
        By::Named => out_if(!value.trim().is_empty()),
        By::NotKnown => Keeps::NotKnown,
        By::SignIn => out_if(signs_in(prefix, beside)),
        By::Token => out_if(!beside("jwt-key").is_empty()),
    }
}

/// Whether the program requires a password or a sign-in.
fn signs_in<'p>(prefix: &str, beside: impl Fn(&str) -> &'p str) -> bool {
    let (kind, secret) = (beside("auth-type"), beside("auth-secret"));
    match prefix {
        // An ALB signs nobody in without TLS, and it can be configured to admit clients that have not signed in.
        "alb.ingress.kubernetes.io" => {
            let idp = match kind {
                "oidc" => beside("auth-idp-oidc"),
                "cognito" => beside("auth-idp-cognito"),
                _ => "",
            };
            !idp.is_empty() && beside("auth-on-unauthenticated-request") != "allow" && is_https_alb(beside)
        }
        "haproxy-ingress.github.io" => !secret.is_empty(),
        "k8s.apisix.apache.org" => !kind.is_empty(),
        // Traefik has not read these annotations since its version 2.
        "traefik.ingress.kubernetes.io" => false,
        _ => !kind.is_empty() && !secret.is_empty(),
    }
}

/// Whether an ALB answers requests without TLS only with a redirect, or not at all. Without `listen-ports`, it listens for
/// HTTPS if a certificate is named.
fn is_https_alb<'p>(beside: impl Fn(&str) -> &'p str) -> bool {
    match beside("listen-ports") {
        "" => !beside("certificate-arn").is_empty(),
        ports => {
            ports.contains("\"HTTPS\"") && (!ports.contains("\"HTTP\"") || !beside("ssl-redirect").is_empty())
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
/// `Intent::keeps_nobody_out` is true if a list certainly admits everybody; this function returns `Out` if the list certainly
/// denies somebody access.
pub(crate) fn addresses<'l>(list: impl IntoIterator<Item = &'l str>) -> Keeps {
    let (mut all, mut is_known) = (Vec::new(), true);
    for text in list.into_iter().map(str::trim).filter(|text| !text.is_empty() && !text.starts_with('!')) {
        match network(text) {
            Some(network) => all.push(network),
            None => is_known = false,
        }
    }
    all.sort_unstable();
    if [false, true].into_iter().any(|is_v6| is_everybody(&all, is_v6)) {
        Keeps::Nobody
    } else if is_known && !all.is_empty() {
        Keeps::Out
    } else {
        Keeps::NotKnown
    }
}

/// Whether the value of a key is the list of addresses that a limit does not count.
pub(crate) fn exempts(key: &str) -> bool {
    ["limit-allowlist", "limit-whitelist"].iter().any(|end| key.ends_with(end))
}

/// Whether the value of a key is the list of addresses that a limit does not count, and contains all addresses.
pub(crate) fn exempts_everybody(key: &str, value: &str) -> bool {
    exempts(key) && addresses(value.split([',', ' '])) == Keeps::Nobody
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
    fn a_list_of_all_addresses_keeps_nobody_out() {
        for (list, keeps) in [
            ("10.0.0.0/8", Keeps::Out),
            ("192.0.2.7", Keeps::Out),
            ("2001:db8::/32, 10.0.0.0/8", Keeps::Out),
            ("0.0.0.0/1", Keeps::Out),
            ("0.0.0.0/1, 192.0.0.0/2", Keeps::Out),
            ("::/1, 0.0.0.0/1", Keeps::Out),
            ("0.0.0.0/0", Keeps::Nobody),
            ("0.0.0.0/1,128.0.0.0/1", Keeps::Nobody),
            ("128.0.0.0/1 0.0.0.0/2 10.0.0.0/8 64.0.0.0/2", Keeps::Nobody),
            ("::/0", Keeps::Nobody),
            ("10.0.0.0/8, 8000::/1, ::/1", Keeps::Nobody),
            ("10.0.0.0/0", Keeps::Nobody),
            ("0.0.0.0/0, !10.0.0.0/8", Keeps::Nobody),
            ("10.0.0.0/8, !10.1.0.0/16", Keeps::Out),
            ("!10.0.0.0/8", Keeps::NotKnown),
            ("10.0.0.0/8, patterns/office", Keeps::NotKnown),
            ("10.0.0.0/33", Keeps::NotKnown),
            ("", Keeps::NotKnown),
        ] {
            assert_eq!(addresses(list.split([',', ' '])), keeps, "{list}");
        }
    }

    /// The two functions agree on every list that is not doubtful.
    #[test]
    fn a_list_that_lets_everybody_in_keeps_nobody_out() {
        for (list, lets_everybody_in, keeps) in [
            ("0.0.0.0/0", true, Keeps::Nobody),
            ("10.0.0.0/8, 0.0.0.0/0", true, Keeps::Nobody),
            ("10.0.0.0/8", false, Keeps::Out),
            // Clients of the other address family are denied.
            ("::/0", false, Keeps::Nobody),
            ("0.0.0.0/1, 128.0.0.0/1", false, Keeps::Nobody),
        ] {
            let wish = Intent::AllowedSources.read(list).ok().expect("a list");
            let found = (Intent::AllowedSources.keeps_nobody_out(&wish), addresses(list.split(',')));
            assert_eq!(found, (lets_everybody_in, keeps), "{list}");
        }
    }

    /// Each case judges the first line; the other lines are annotations of the same plan.
    #[test]
    fn a_value_decides_whether_an_annotation_keeps_anybody_out() {
        let nginx = "nginx.ingress.kubernetes.io";
        let own = "haproxy-ingress.github.io";
        let alb = "alb.ingress.kubernetes.io";
        let https = ("certificate-arn", "arn:aws:acm:c");
        let (both, ports) = ("[{\"HTTP\": 80}, {\"HTTPS\": 443}]", "listen-ports");
        let verify = "[{\"port\": 443, \"mode\": \"verify\", \"trustStore\": \"arn\"}]";
        let login = [("auth-type", "oidc"), ("auth-idp-oidc", "{}")];
        type Line = (&'static str, &'static str);
        let cases: &[(&str, &[Line], Keeps)] = &[
            (nginx, &[("auth-secret", "s"), ("auth-type", "basic")], Keeps::Out),
            (nginx, &[("auth-secret", "s")], Keeps::Nobody),
            (nginx, &[("auth-secret", "s"), ("auth-type", "")], Keeps::Nobody),
            (nginx, &[("auth-type", "basic")], Keeps::Nobody),
            (nginx, &[("auth-url", "https://auth.example.com")], Keeps::Out),
            (nginx, &[("auth-url", " ")], Keeps::Nobody),
            (nginx, &[("auth-tls-secret", "t/ca")], Keeps::Out),
            (nginx, &[("auth-tls-secret", "t/ca"), ("auth-tls-verify-client", "on")], Keeps::Out),
            (nginx, &[("auth-tls-secret", "t/ca"), ("auth-tls-verify-client", "off")], Keeps::Nobody),
            (nginx, &[("auth-tls-secret", "t/ca"), ("auth-tls-verify-client", "optional")], Keeps::Nobody),
            (
                nginx,
                &[("auth-tls-verify-client", "optional_no_ca"), ("auth-tls-secret", "t/ca")],
                Keeps::Nobody,
            ),
            (nginx, &[("auth-tls-verify-client", "on")], Keeps::Nobody),
            (own, &[("auth-secret", "s")], Keeps::Out),
            (own, &[("auth-tls-secret", "ca"), ("auth-tls-verify-client", "optional")], Keeps::Nobody),
            (own, &[("allowlist-source-range", "0.0.0.0/1,128.0.0.0/1")], Keeps::Nobody),
            (alb, &[("mutual-authentication", verify), https], Keeps::Out),
            (alb, &[("mutual-authentication", verify)], Keeps::Nobody),
            (alb, &[("mutual-authentication", verify), (ports, both)], Keeps::Nobody),
            (alb, &[("mutual-authentication", verify), (ports, both), ("ssl-redirect", "443")], Keeps::Out),
            (
                alb,
                &[("mutual-authentication", "[{\"port\":443,\"mode\":\"passthrough\"}]"), https],
                Keeps::Nobody,
            ),
            (alb, &[("mutual-authentication", "[{\"port\":443,\"mode\":\"off\"}]"), https], Keeps::Nobody),
            (alb, &[login[0], login[1], https], Keeps::Out),
            (alb, &[login[0], login[1]], Keeps::Nobody),
            (alb, &[login[0], https], Keeps::Nobody),
            (alb, &[login[1], https], Keeps::Nobody),
            (alb, &[login[0], login[1], https, ("auth-on-unauthenticated-request", "allow")], Keeps::Nobody),
            (alb, &[("inbound-cidrs", "10.0.0.0/8")], Keeps::Out),
            (alb, &[("inbound-cidrs", "10.0.0.0/8"), ("security-groups", "sg-1")], Keeps::NotKnown),
            (alb, &[("wafv2-acl-arn", "arn")], Keeps::Nobody),
            ("nginx.org", &[("basic-auth-secret", "s")], Keeps::Out),
            ("nginx.org", &[("policies", "p")], Keeps::NotKnown),
            ("nginx.com", &[("jwt-realm", "r")], Keeps::Nobody),
            ("nginx.com", &[("jwt-realm", "r"), ("jwt-key", "k")], Keeps::Out),
            ("haproxy.org", &[("auth-type", "basic-auth"), ("auth-secret", "s")], Keeps::Out),
            ("haproxy.org", &[("auth-secret", "s")], Keeps::Nobody),
            ("haproxy.org", &[("deny-list", "10.0.0.0/8")], Keeps::Nobody),
            ("konghq.com", &[("plugins", "p")], Keeps::NotKnown),
            (nginx, &[("server-snippet", "deny all;")], Keeps::NotKnown),
        ];
        let line = |prefix: &str, name: &str, value: &str| Annotation {
            key: format!("{prefix}/{name}"),
            value: value.to_owned(),
            source: Source::Setting(FieldPath::settings()),
        };
        let mut plan = testing::plan(&[], json!({})).expect("it is in order");
        for (prefix, lines, expected) in cases {
            plan.annotations = lines.iter().map(|(name, value)| line(prefix, name, value)).collect();
            let first = &plan.annotations[0];
            assert_eq!(keeps(&plan, &first.key, &first.value, true), *expected, "{prefix} {lines:?}");
        }
        let certificate = line(nginx, "auth-tls-secret", "t/ca");
        plan.annotations = vec![certificate];
        assert_eq!(keeps(&plan, "nginx.ingress.kubernetes.io/auth-tls-secret", "t/ca", false), Keeps::Nobody);
    }
}
