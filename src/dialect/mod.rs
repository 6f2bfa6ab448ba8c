//! The annotations that the programs around Kubernetes read on the objects: one file or folder per program.
//!
//! The tables of a program contain its keys, what each key protects, and the forms of the values. They import only
//! `diagnostics`, `validation`, `values` and `intents`. The other files of a program read a plan: `support` returns whether the
//! program supports an intent, `write` expresses the intents as annotations and objects of the program, and `rules` contains
//! the rules.

pub(crate) mod access;
pub(crate) mod alb;
pub(crate) mod apisix;
pub(crate) mod app_gateway;
mod argocd;
pub(crate) mod cert_manager;
pub(crate) mod cilium;
pub(crate) mod contour;
pub(crate) mod controller;
pub(crate) mod covers;
mod dialects;
pub(crate) mod envoy_gateway;
pub(crate) mod equivalents;
pub(crate) mod external_dns;
pub(crate) mod f5_nginx;
pub(crate) mod forecastle;
mod form;
pub(crate) mod gateway;
mod gke;
pub(crate) mod go;
pub(crate) mod haproxy;
pub(crate) mod haproxy_ingress;
mod homepage;
pub(crate) mod hosts;
pub(crate) mod key;
pub(crate) mod known_keys;
mod kong;
pub(crate) mod kubernetes;
pub mod legacy;
pub(crate) mod mappings;
pub(crate) mod misspelt;
pub(crate) mod monitor;
pub(crate) mod nginx;
pub(crate) mod openshift;
mod protocol;
pub(crate) mod read;
pub(crate) mod support;
pub(crate) mod tools;
pub(crate) mod traefik;
pub(crate) mod write;

use crate::diagnostics::{Code, Problem, quoted};
use crate::values::{Target, Tls};
use controller::Controller;
use key::{CrossNamespace, InvalidValue, Key, KnownNames, OnInvalid, Program, ReadOn, ValueReference};
pub(crate) use key::{Loss, NativeFeature};

/// The programs whose keys are known. If several have a row for a key, the first one counts.
static PROGRAMS: [&Program; 23] = [
    &nginx::PROGRAM,
    &alb::PROGRAM,
    &cert_manager::PROGRAM,
    &cert_manager::ACME,
    &external_dns::PROGRAM,
    &forecastle::PROGRAM,
    &kubernetes::PROGRAM,
    &traefik::PROGRAM,
    &haproxy::PROGRAM,
    &haproxy_ingress::PROGRAM,
    &f5_nginx::PROGRAM,
    &f5_nginx::PLUS,
    &f5_nginx::APP_PROTECT,
    &kong::PROGRAM,
    &contour::PROGRAM,
    &gke::PROGRAM,
    &gke::OF_SERVICES,
    &cilium::PROGRAM,
    &app_gateway::PROGRAM,
    &apisix::PROGRAM,
    &openshift::PROGRAM,
    &openshift::COOKIES,
    &openshift::ROUTES,
];

/// Returns the programs whose tables list their own keys, and not only the protecting ones.
fn listed_programs() -> impl Iterator<Item = &'static Program> {
    PROGRAMS.iter().copied().filter(|program| program.names != KnownNames::Protecting)
}

/// Whether a program serves Ingresses or Routes.
fn is_controller(program: &Program) -> bool {
    !NOT_CONTROLLERS.iter().any(|around| std::ptr::eq(*around, program))
}

/// Whether the value of a key becomes text of a controller's configuration. Nobody may forward such a key unless the
/// administrator allows it.
pub(crate) fn is_snippet(key: &str) -> bool {
    // HAProxy Ingress has such keys with other names.
    let program = &haproxy_ingress::PROGRAM;
    let row = || program.find(program.name_of(key)?);
    key.ends_with("-snippet")
        || key.ends_with("-snippets")
        || row().is_some_and(|row| row.references == ValueReference::Configuration)
}

/// The ends of prefixes that nobody uses by chance.
pub(crate) const FAMILIES: [&str; 3] = ["kubernetes.io", "cert-manager.io", "stakater.com"];

/// The effect of a snippet, independent of the program that reads it.
static SNIPPET: Key = key::key("").protects();

/// The effect of keys without a row without which the Service gets other requests, or clients other answers.
static CHANGING: Key = key::key("").changes_answers();

/// The names of these keys, which several programs have.
const CHANGING_NAMES: &str = "*-add-headers *-del-headers affinity app-root auth-signin backend-hostname backend-path-prefix hostname-extension path-rewrite \
    redirect-from* redirect-to request-redirect rewrite rewrite-rule-set* rewrite-target rewrites server-alias* set-host \
    sticky-cookie-services transforms.*";

/// Returns the row of a key: that of the first program with a row for it. `None` if no table has the key, so that nothing is lost
/// without it.
pub(crate) fn effect(key: &str) -> Option<&'static Key> {
    let (prefix, name) = key.split_once('/').unwrap_or(("", key));
    let mut programs = PROGRAMS.into_iter().filter(|it| it.has_prefix(prefix) || it.has_alias(prefix));
    let known = programs.clone().find_map(|program| program.find(name));
    known.or_else(|| is_snippet(key).then_some(&SNIPPET)).or_else(|| {
        let is_changing = form::has(CHANGING_NAMES, name) && programs.any(|program| program.reads(name));
        is_changing.then_some(&CHANGING)
    })
}

/// The annotations that decide who can reach a whole load balancer.
pub(crate) const SCHEMES: [&str; 2] = [alb::SCHEME, app_gateway::PRIVATE];

/// Whether an annotation protects the Service.
///
/// ```
/// use xposer::internal::protects;
/// assert!(protects("nginx.ingress.kubernetes.io/whitelist-source-range", "10.0.0.0/8"));
/// assert!(!protects("nginx.ingress.kubernetes.io/whitelist-source-range", "0.0.0.0/0"));
/// ```
#[must_use]
pub fn protects(key: &str, value: &str) -> bool {
    effect(key).is_some_and(|effect| effect.protects_with(value))
}

/// Whether an annotation turns off the redirect to https that its program does by itself or by another value.
///
/// ```
/// use xposer::internal::turns_redirect_off;
/// assert!(turns_redirect_off("haproxy.org/ssl-redirect", "false"));
/// assert!(!turns_redirect_off("haproxy.org/ssl-redirect", "true"));
/// ```
#[must_use]
pub fn turns_redirect_off(key: &str, value: &str) -> bool {
    !value.is_empty()
        && effect(key)
            .is_some_and(|effect| effect.native == NativeFeature::Redirect && effect.neutral.is(value))
}

/// Whether an annotation that a controller reads has the opposite effect of what is wanted. `is_wanted` says whether requests
/// without TLS should be redirected to https.
pub(crate) fn contradicts(controller: Controller, key: &str, value: &str, is_wanted: bool, tls: Tls) -> bool {
    if key.starts_with(nginx::PREFIX) {
        return nginx::contradicts(key, value, is_wanted, tls);
    }
    let redirects =
        |effect: &Key| effect.native == NativeFeature::Redirect && effect.neutral.is(value) == is_wanted;
    !value.is_empty() && controller.reads(key) && effect(key).is_some_and(redirects)
}

/// Whether a key is called `ssl-redirect`. Such a key redirects requests to https only if there is a certificate, and is on by
/// default.
pub(crate) fn is_ssl_redirect(key: &str) -> bool {
    key.ends_with("/ssl-redirect")
}

/// Whether a program may read a key on an object of a target.
pub(crate) fn is_read_on(key: &str, target: Target) -> bool {
    program_of(key).is_none_or(|program| match program.read_on {
        ReadOn::Ingress => target == Target::Ingress,
        ReadOn::And(other) => target == other,
        ReadOn::Everywhere => true,
    })
}

/// Returns the program that has the prefix of a key.
fn program_of(key: &str) -> Option<&'static Program> {
    let (prefix, _) = key.split_once('/')?;
    PROGRAMS.into_iter().find(|it| it.has_prefix(prefix) || it.has_alias(prefix))
}

/// Whether the program of a key also reads it on HTTPRoutes of its own Gateways.
pub(crate) fn is_of_gateway(key: &str) -> bool {
    program_of(key).is_some_and(|program| program.read_on == ReadOn::And(Target::HttpRoute))
}

/// Returns the diagnostic that a program expects another value of a key.
fn unexpected(code: Code, key: &str, value: &str, expected: &str) -> Problem {
    Problem::new(code, format!("{} is {}, expected {expected}", quoted(key), quoted(value)))
}

/// Returns where a line with a key has to be moved, if the key is read only there, with the row of the key.
pub(crate) fn place_of(key: &str) -> Option<(&'static str, Option<&'static Key>)> {
    let (prefix, name) = key.split_once('/')?;
    // This runs for every line, and few programs have such keys.
    let programs = PROGRAMS.iter().filter(|it| !it.elsewhere.is_empty());
    let mut programs = programs.filter(|it| it.has_prefix(prefix) || it.has_alias(prefix));
    programs.find_map(|program| Some((program.place_of(name)?, program.find(name))))
}

/// Whether a key makes the controller ignore the whole object. Traefik does so for unknown names, and reads names in any letter
/// case.
pub(crate) fn makes_object_ignored(controller: Controller, key: &str) -> bool {
    let is_read = key.starts_with(traefik::ROUTER) || key.starts_with(traefik::SERVICE);
    controller == Controller::Traefik
        && is_read
        && traefik::PROGRAM.name_of(key).is_some_and(|name| !traefik::PROGRAM.knows(name))
}

/// Returns the row of a key that a controller reads, and the program of the row.
pub(crate) fn read_by(controller: Controller, key: &str) -> Option<(&'static Program, Key)> {
    let (prefix, name) = key.split_once('/')?;
    // The controller's own program comes first, because other programs can have the same prefix.
    let programs = controller.program().into_iter().chain(PROGRAMS);
    let mut programs = programs.filter(|it| it.has_prefix(prefix) || it.has_alias(prefix));
    programs.find_map(|program| Some((program, program.known(name)?)))
}

/// Whether a controller reads a key but does not accept its value, which is reported separately.
pub(crate) fn is_invalid(controller: Controller, key: &str, value: &str) -> bool {
    controller.reads(key)
        && read_by(controller, key).is_some_and(|(_, known)| known.invalid_value(value).is_some())
}

/// Returns the problem with the value of an annotation that a controller other than ingress-nginx reads.
pub(crate) fn problem_of_value(
    controller: Controller,
    key: &str,
    value: &str,
    own: Option<&str>,
    granted: Allowed,
) -> Option<Problem> {
    if makes_object_ignored(controller, key) {
        let mut problem = misspelt::problem(key, value)?;
        problem.code = Code::AnnotationInvalid;
        problem.message.push_str(", which ignores the whole Ingress");
        return Some(problem);
    }
    let (program, known) = read_by(controller, key)?;
    // Traefik treats two keys that differ only in letter case as one. Next to the key of an option, this one would be lost, and
    // no pattern of a denied key matches it.
    let lower = key.to_ascii_lowercase();
    if known.loss == Loss::Protection && lower != key && program.is_any_case() {
        let said = format!(
            "{} has upper-case letters, so an option or a denied pattern does not match it",
            quoted(key)
        );
        return Some(Problem::new(Code::AnnotationInvalid, said).help(format!("write {lower}")).found(value));
    }
    match known.invalid_value(value) {
        Some(invalid_value) => Some(misfitting(controller, &known, (key, value), &invalid_value)),
        None => file_problem(program, &known, (key, value), granted)
            .or_else(|| cross_namespace_problem(program.cross_namespace, &known, (key, value), own, granted)),
    }
}

/// Returns the name of the program that reads a key: that of the controller, if it is known.
pub(crate) fn reader_name(controller: Controller, key: &str) -> &'static str {
    let is_known = !matches!(controller, Controller::Other | Controller::Gateway);
    let program = program_of(key).filter(|_| !is_known && is_of_controller(key));
    program.map_or(controller.row().name, |program| program.name)
}

/// Returns the diagnostic that a controller does not accept a value, with what the controller does instead.
fn misfitting(
    controller: Controller,
    known: &Key,
    (key, value): (&str, &str),
    invalid_value: &InvalidValue,
) -> Problem {
    let does = match invalid_value.on_invalid {
        OnInvalid::Refused if controller == Controller::Alb => "refuses all Ingresses of the load balancer",
        OnInvalid::Refused => "refuses the whole Ingress",
        OnInvalid::Denied => "answers every request with an error",
        OnInvalid::Ignored | OnInvalid::AdmitsAll | OnInvalid::DropsFeature => "ignores the line",
        OnInvalid::False => "reads it as false",
        OnInvalid::Zero => "reads it as 0",
        OnInvalid::SkipsItems => "ignores the invalid items",
    };
    let is_refused = matches!(invalid_value.on_invalid, OnInvalid::Refused | OnInvalid::Denied);
    let is_harmless = !is_refused && known.loss < Loss::Hardening;
    let code = if is_harmless { Code::AnnotationIgnored } else { Code::AnnotationInvalid };
    let expected = format!("{}, and {} then {does}", invalid_value.expected, reader_name(controller, key));
    let problem = unexpected(code, key, value, &expected);
    let meant = match known.references {
        ValueReference::NamespaceAndName => Some(traefik::with_provider(value)),
        _ => known.shape.and_then(|shape| form::meant(shape, value)),
    };
    problem.help(meant.map_or_else(|| "correct the value".to_owned(), |meant| ["write ", &meant].concat()))
}

/// What the administrator allows for an annotation.
#[derive(Clone, Copy)]
pub(crate) struct Allowed {
    /// The value may name objects of other namespaces.
    pub(crate) cross_namespace: bool,
    /// The protection of the annotation may be lost.
    pub(crate) protection_loss: bool,
}

/// Returns the diagnostic that a value names a file in place of an object. The controller has the secrets of all namespaces in files.
fn file_problem(
    program: &Program,
    known: &Key,
    (key, value): (&str, &str),
    granted: Allowed,
) -> Option<Problem> {
    let names_files = program.reads_files && known.references == ValueReference::Named;
    if !names_files || granted.cross_namespace || !value.contains("file://") {
        return None;
    }
    let message = format!(
        "{} names a file of the controller, which also has the secrets of others in files",
        quoted(key)
    );
    let help = "write the name of an object in the namespace of the Service, or ask your administrator to allow the key";
    Some(Problem::new(Code::AnnotationDenied, message).help(help))
}

/// Returns the diagnostic that a value names an object of a namespace other than the Service's own.
fn cross_namespace_problem(
    cross_namespace: CrossNamespace,
    known: &Key,
    (key, value): (&str, &str),
    own: Option<&str>,
    granted: Allowed,
) -> Option<Problem> {
    let own = own?;
    let other = known.references.other_namespace(value, own)?;
    let (code, does, or) = match cross_namespace {
        CrossNamespace::Uses(does) if !granted.cross_namespace => {
            (Code::AnnotationDenied, does, ", or ask your administrator to allow the key")
        }
        CrossNamespace::Ignores(does) if known.loss == Loss::Protection && granted.protection_loss => {
            (Code::ProtectionLossAccepted, does, "")
        }
        CrossNamespace::Ignores(does) if known.loss == Loss::Protection => (Code::ProtectionLost, does, ""),
        CrossNamespace::Uses(does) | CrossNamespace::Ignores(does) | CrossNamespace::Refuses(does) => {
            (Code::NamespaceOther, does, "")
        }
    };
    let (what, mended) = match known.references {
        ValueReference::Named => {
            ("the namespace ", value.trim().replacen(&[other, "/"].concat(), &[own, "/"].concat(), 1))
        }
        ValueReference::AfterColon => {
            ("the namespace ", value.trim().replacen(&[other, ":"].concat(), "", 1))
        }
        ValueReference::NamespaceAndName => {
            ("another namespace, ", [own, "-", "NAME@kubernetescrd"].concat())
        }
        _ => ("the namespace ", own.to_owned()),
    };
    // Without the other secrets, connections have a default certificate, or are not verified.
    let then = match cross_namespace {
        CrossNamespace::Ignores(_) if known.name.starts_with("auth-") => "; it then admits all clients",
        CrossNamespace::Ignores(_) => "; it then ignores the line",
        CrossNamespace::Uses(_) | CrossNamespace::Refuses(_) => "",
    };
    let message = format!("{} names an object of {what}{}, which {does}{then}", quoted(key), quoted(other));
    let copy = if other == own { "" } else { &format!("copy the object into the namespace {own}, and ") };
    let help = format!("{copy}write {mended}{or}");
    Some(Problem::new(code, message).help(help))
}

/// The programs that are not Ingress controllers. They read their keys whichever controller serves the Ingress.
static NOT_CONTROLLERS: [&Program; 5] = [
    &cert_manager::PROGRAM,
    &cert_manager::ACME,
    &external_dns::PROGRAM,
    &forecastle::PROGRAM,
    &kubernetes::PROGRAM,
];

/// Whether an annotation shows that the load balancer has a certificate of its own, which is in no Secret of the Service.
pub(crate) fn is_certificate_of_balancer(controller: Controller, key: &str, value: &str) -> bool {
    match (controller, key) {
        (Controller::Alb, "alb.ingress.kubernetes.io/listen-ports") => value.contains("\"HTTPS\""),
        (Controller::Alb, "alb.ingress.kubernetes.io/certificate-arn")
        | (
            Controller::Gce,
            "networking.gke.io/managed-certificates" | "ingress.gcp.kubernetes.io/pre-shared-cert",
        ) => !value.trim().is_empty(),
        _ => false,
    }
}

/// Whether a key belongs to an Ingress controller, so that other programs do not read it.
pub(crate) fn is_of_controller(key: &str) -> bool {
    program_of(key).is_some_and(is_controller)
}

/// Whether a key is read on an Ingress but not on a Service.
pub(crate) fn is_for_ingress(key: &str) -> bool {
    PROGRAMS.into_iter().any(|it| it.is_for_ingress(key))
}

/// Whether a controller reads a key on the Service.
pub(crate) fn reads_on_service(controller: Controller, key: &str) -> bool {
    is_for_service(key)
        && match controller {
            Controller::Traefik => key.starts_with(traefik::SERVICE),
            // It reads the keys of no program that has a name here.
            Controller::Other => Controller::Gateway.reads(key),
            _ => controller.reads(key),
        }
}

/// Whether a key is known, and has no effect with this value.
pub(crate) fn is_neutral(key: &str, value: &str) -> bool {
    effect(key).is_some_and(|known| known.neutral.is(value))
}

/// Whether an Ingress controller reads a key on the Service.
pub(crate) fn is_for_service(key: &str) -> bool {
    PROGRAMS.into_iter().flat_map(|it| it.service_prefixes).any(|start| key.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(key: &str, value: &str) -> Option<Loss> {
        effect(key).filter(|effect| !effect.neutral.is(value)).map(|effect| effect.loss)
    }

    /// A list of names is a text of several lines, and a name that is broken at a hyphen would be two unknown names.
    #[test]
    fn names_are_whole() {
        for program in PROGRAMS {
            for name in program.names() {
                assert!(!name.starts_with('-') && !name.ends_with('-'), "{}: {name}", program.name);
            }
        }
    }

    #[test]
    fn neutral_values_lose_nothing() {
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
            ("konghq.com/protocols", "https, http", "https"),
            ("konghq.com/tls-verify", "0", "1"),
        ] {
            assert_eq!((loss(key, nothing), loss(key, something)), (None, Some(Loss::Protection)), "{key}");
        }
        assert_eq!(loss("nginx.ingress.kubernetes.io/backend-protocol", "http"), None);
        assert_eq!(loss("nginx.ingress.kubernetes.io/backend-protocol", "GRPC"), Some(Loss::Hardening));
        assert_eq!(loss("nginx.ingress.kubernetes.io/enable-global-auth", "true"), Some(Loss::Nothing));
        assert_eq!(loss("example.com/owner", "team-a"), None);
    }

    #[test]
    fn a_pattern_of_the_table_fits_keys_that_end_and_begin_so() {
        assert_eq!(loss("nginx.org/location-snippets", "deny all;"), Some(Loss::Protection));
        assert_eq!(loss("example.com/any-snippet", "deny all;"), Some(Loss::Protection));
        assert_eq!(
            loss("haproxy.router.openshift.io/rate-limit-connections.rate-tcp", "5"),
            Some(Loss::Protection)
        );
    }

    #[test]
    fn every_program_knows_its_own_keys() {
        for program in PROGRAMS {
            assert!(program.keys.is_sorted_by(|left, right| left.name < right.name), "{}", program.name);
            assert!(program.names().iter().all(|name| program.knows(name)), "{}", program.name);
            assert!(
                program.names == KnownNames::Protecting || !program.knows("no-such-key"),
                "{}",
                program.name
            );
            let prefixes = program.prefixes.iter().chain(program.aliases);
            // Misspelt prefixes are compared in lower case.
            let is_valid = |prefix: &&str| prefix.ends_with('/') && prefix.to_ascii_lowercase() == *prefix;
            assert!(prefixes.into_iter().all(is_valid), "{}", program.name);
        }
    }
}
