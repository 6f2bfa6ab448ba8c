//! Rules about values that ingress-nginx accepts and then ignores, so that it authenticates nobody or admits everybody.

use crate::diagnostics::{Code, Problem, Report, quoted};
use crate::dialect::controller::Controller;
use crate::dialect::key::Key;
use crate::dialect::mappings::{conflicting_aliases, is_annotation_of};
use crate::dialect::nginx::{PREFIX, find};
use crate::plan::context::RuleContext;
use crate::plan::{Annotation, Plan};
use crate::validation::parse_bool;
use crate::values::Target;

/// Returns the annotations of ingress-nginx with these names that have an effect, with their rows, if ingress-nginx reads them.
fn given<'f>(
    context: &'f RuleContext<'_>,
    is_wanted: impl Fn(&str) -> bool,
) -> impl Iterator<Item = (&'static Key, &'f Annotation)> {
    // On a canary, ingress-nginx reads few of them; the rule `nginx-canary-annotations` reports the others. What other programs do
    // not read is lost, which has a finding of its own.
    let plan = context.plan;
    let is_read = plan.has_stable_ingress() && plan.controller(Target::Ingress).is_nginx();
    context.plan.annotations.iter().filter(move |_| is_read).filter_map(move |annotation| {
        let name = annotation.key.strip_prefix(PREFIX).filter(|name| is_wanted(name))?;
        let known = find(name)?;
        let counts = !known.neutral.is(&annotation.value) && context.denial(annotation).is_none();
        Some((known, annotation)).filter(|_| counts)
    })
}

/// Whether the annotation of this name has an effect: somebody gave it, or it is written for an option.
pub(crate) fn is_on(plan: &Plan, name: &str) -> bool {
    let key = [PREFIX, name].concat();
    let is_on = |known: &Key| plan.annotation(&key).is_some_and(|given| !known.neutral.is(&given.value));
    find(name).is_some_and(is_on)
        || plan
            .intents
            .iter()
            .any(|wanted| wanted.keys.is_empty() && is_annotation_of(plan, Target::Ingress, wanted, &key))
}

/// Whether an annotation has no effect for ingress-nginx: a key that it needs is missing, or no client certificate is asked for. With
/// `auth-tls-match-cn`, ingress-nginx then lets nobody in.
pub(crate) fn is_without_effect(plan: &Plan, annotation: &Annotation) -> bool {
    let known = annotation.key.strip_prefix(PREFIX).and_then(find).filter(|_| plan.canary.is_none());
    known.is_some_and(|known| !known.needs.is_empty() && !known.needs.iter().any(|name| is_on(plan, name)))
        || is_certificate_off(plan, &annotation.key)
}

/// Whether a key is about client certificates, and another line says that no client is asked for one.
pub(crate) fn is_certificate_off(plan: &Plan, key: &str) -> bool {
    let start = key.strip_suffix("secret").or_else(|| key.strip_suffix("verify-depth"));
    let verify =
        start.filter(|start| start.ends_with("/auth-tls-")).map(|start| [start, "verify-client"].concat());
    verify.and_then(|key| plan.annotation(&key)).is_some_and(|it| it.value.trim() == "off")
}

/// The variables of nginx that have the same value for the requests of all clients for a URL.
const NOT_OF_CLIENT: &str = "best_http_host document_uri host hostname http_host https ingress_name location_path namespace \
    pass_server_port proxy_upstream_name request_method request_uri scheme server_addr server_name server_port \
    server_protocol service_name service_port uri";

/// Whether a key of the cache is the same for all clients, so that the answer for the first one counts for all.
fn is_same_for_all(value: &str) -> bool {
    let mut variables = value.split('$').skip(1).map(|part| {
        let part = part.trim_start_matches('{');
        part.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default()
    });
    variables.all(|name| NOT_OF_CLIENT.split_ascii_whitespace().any(|known| known == name))
}

/// Reports a value that turns authentication off, and a cache that admits all clients after the first. An authentication of the
/// Service itself replaces the global one.
pub(crate) fn authentication(context: &RuleContext<'_>, report: &mut Report) {
    let is_ingress_nginx = context.plan.controller(Target::Ingress) == Controller::IngressNginx;
    let cached = given(context, |name| name == "auth-cache-key")
        .find(|(known, it)| known.invalid_value(&it.value).is_none() && is_same_for_all(&it.value));
    if let Some((_, key)) = cached.filter(|_| is_ingress_nginx && is_on(context.plan, "auth-url")) {
        let message = format!(
            "{} is {}, which is the same for all clients, so the answer for one of them admits all others",
            quoted(&key.key),
            quoted(&key.value)
        );
        let help = "add what the server knows a client by, such as $http_authorization or $cookie_NAME";
        key.file_value(report, Problem::new(Code::AuthenticationOff, message).help(help));
    }
    let off = given(context, |name| name == "enable-global-auth")
        .find(|(_, it)| parse_bool(&it.value) == Some(false));
    let Some((_, off)) = off else { return };
    if ["auth-url", "auth-type"].iter().any(|name| is_on(context.plan, name)) {
        return;
    }
    let message = format!(
        "{} is false, so ingress-nginx does not authenticate clients of this Ingress",
        quoted(&off.key)
    );
    let help = "remove the line, unless all clients may be admitted";
    off.file_value(report, Problem::new(Code::AuthenticationOff, message).help(help));
}

/// Reports a key that is given under both of its names with different values. If two layers give it, only the annotation of the
/// upper layer is left.
pub(crate) fn aliases(context: &RuleContext<'_>, report: &mut Report) {
    if context.plan.canary.is_some() {
        return;
    }
    for (named, other) in conflicting_aliases(context.plan) {
        let mut message = [&quoted(&other.key), " is another name of ", &quoted(&named.key)].concat();
        let mut help = "keep one of the two".to_owned();
        if other.key.starts_with(PREFIX) {
            if context.plan.controller(Target::Ingress).is_nginx() {
                message.push_str(", and ingress-nginx reads one of the two");
            }
            help = ["write the right value as ", &named.key, ", and remove ", &other.key].concat();
        }
        other.file_key(report, Problem::new(Code::AnnotationAlias, message).help(help));
    }
}

/// Reports a required password without a Secret that has the passwords.
pub(crate) fn passwords(context: &RuleContext<'_>, report: &mut Report) {
    let Some((_, asked)) = given(context, |name| name == "auth-type").next() else { return };
    if is_on(context.plan, "auth-secret") {
        return;
    }
    let message = format!(
        "{} is given without nginx.ingress.kubernetes.io/auth-secret, and ingress-nginx then denies every request",
        quoted(&asked.key)
    );
    let help = "add nginx.ingress.kubernetes.io/auth-secret with the name of a Secret, or remove the line";
    asked.file_key(report, Problem::new(Code::AuthenticationDenies, message).help(help));
}

/// Reports an origin of CORS that ingress-nginx ignores. The rule `nginx-values` checks the list as a whole.
pub(crate) fn origins(context: &RuleContext<'_>, report: &mut Report) {
    let Some((known, annotation)) = given(context, |name| name == "cors-allow-origin").next() else { return };
    if !is_on(context.plan, "enable-cors") || known.invalid_value(&annotation.value).is_some() {
        return;
    }
    let mut origins = annotation.value.split(',').map(str::trim).filter(|origin| !origin.is_empty());
    let Some(stray) = origins.find(|origin| !is_origin(origin)) else { return };
    let message = format!("{} is not an origin, and ingress-nginx ignores it", quoted(stray));
    let help = "write scheme, host and perhaps port of each, separated by commas: https://example.com, https://*.example.com:8443";
    annotation.file_value(report, Problem::new(Code::CorsOriginInvalid, message).help(help));
}

/// Whether ingress-nginx accepts one origin of a list.
fn is_origin(origin: &str) -> bool {
    let Some((scheme, rest)) = origin.split_once("://") else { return matches!(origin, "*" | "null") };
    let rest = rest.strip_prefix("*.").unwrap_or(rest);
    let (host, port) = rest.split_once(':').unwrap_or((rest, "0"));
    !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_lowercase())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
        && !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_scheme() {
        for origin in
            ["*", "null", "https://example.com", "http://*.example.com:8080", "capacitor://localhost"]
        {
            assert!(is_origin(origin), "{origin}");
        }
        for origin in
            ["example.com", "https://a.example.com https://b.example.com", "https://example.com:", "://x"]
        {
            assert!(!is_origin(origin), "{origin}");
        }
    }
}
