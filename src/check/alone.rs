//! Rules about keys that have no effect on the object that has them: another key is missing beside them, or the program reads
//! them elsewhere.

use crate::diagnostics::{Code, Problem, Report, joined, quoted};
use crate::dialect::controller::Controller;
use crate::dialect::key::{Key, NeutralValue, Program, has};
use crate::dialect::kubernetes::ALLOW_HTTP;
use crate::dialect::mappings::is_annotation_of;
use crate::dialect::nginx::rules::ineffective;
use crate::dialect::support::no_request;
use crate::dialect::{
    Loss, alb, apisix, app_gateway, cilium, f5_nginx, haproxy, haproxy_ingress, nginx, place_of, protects,
    read_by, reader_name, reads_on_service,
};
use crate::plan::context::{Reader, RuleContext};
use crate::plan::{Annotation, Plan};
use crate::validation::parse_bool;
use crate::values::Target;

/// The keys without which a program authenticates nobody, and what it requires with them.
const AUTHENTICATION: [(&str, &str); 4] = [
    ("auth-secret", "a password"),
    ("auth-tls-secret", "a client certificate"),
    ("auth-type", "a password"),
    ("jwt-key", "a token"),
];

impl Reader {
    /// Whether one of the keys that the key needs has an effect.
    fn has_needed(&self, plan: &Plan, prefix: &str) -> bool {
        self.needs.iter().any(|name| self.is_on(plan, prefix, name))
    }

    /// Returns what may take the effect of the key of this name away.
    fn without_effect(&self, name: &str) -> impl Iterator<Item = &'static NoEffect> {
        let rows = NO_EFFECT.iter().filter(move |it| std::ptr::eq(self.program, it.0) && has(it.1, name));
        rows.map(|(.., why)| why)
    }

    /// Whether the annotation of this name has an effect: somebody gave it, or it is written for an option.
    fn is_on(&self, plan: &Plan, prefix: &str, name: &str) -> bool {
        if self.controller.is_nginx() {
            return ineffective::is_on(plan, name);
        }
        let is_neutral = |value: &str| {
            !self.program.refuses_alone && self.program.find(name).is_some_and(|row| row.neutral.is(value))
        };
        let wanted = with_prefix(prefix, name);
        let is_it = |key: &str, value: &str| {
            (self.program.name_of(key) == Some(name) || key == wanted) && !is_neutral(value)
        };
        plan.annotations.iter().any(|it| is_it(&it.key, &it.value))
            || plan.service_annotations.iter().any(|(key, value)| is_it(key, value))
            || plan.intents.iter().any(|intent| {
                // The program does not get the annotations of another one, but what is written for them.
                let is_written = !intent.keys.iter().any(|key| self.controller.reads(key));
                is_written && is_annotation_of(plan, self.target, intent, &wanted)
            })
    }

    /// Returns the key beside which the program refuses an Ingress with this one.
    fn refused_beside(&self, plan: &Plan, key: &str) -> Option<String> {
        let (prefix, name) = key.split_once('/')?;
        let mut rows =
            REFUSED_TOGETHER.iter().filter(|it| std::ptr::eq(self.program, it.0) && it.1[0] == name);
        rows.find_map(|(_, [_, other])| {
            let other = with_prefix(prefix, other);
            plan.annotation(&other).is_some_and(|it| !it.value.trim().is_empty()).then_some(other)
        })
    }

    /// Returns the key that counts in place of this one, and whether more requests are admitted for that reason.
    fn ignored_beside(&self, plan: &Plan, key: &str, value: &str) -> Option<(String, bool)> {
        let (prefix, name) = key.split_once('/')?;
        self.without_effect(name).find_map(|why| {
            let (NoEffect::Beside(other) | NoEffect::BesideAllowed(other) | NoEffect::BesideSame(other)) =
                why
            else {
                return None;
            };
            let is_on = self.is_on(plan, prefix, other);
            let other = with_prefix(prefix, other);
            let allowed = plan.annotation(&other).map_or("", |it| &it.value);
            let is_allowed = |item: &str| allowed.split(',').any(|it| it.trim() == item.trim());
            let is_lost = match why {
                NoEffect::BesideAllowed(_) => value.split(',').any(is_allowed),
                why => matches!(why, NoEffect::Beside(_)),
            };
            is_on.then_some((other, is_lost))
        })
    }
}

/// What takes the effect of a key away, although the keys that it needs are there.
enum NoEffect {
    /// A key of this name counts in its place.
    Beside(&'static str),
    /// A key of this name counts in its place. It lists all that is allowed, so what it does not list is denied without this key.
    BesideAllowed(&'static str),
    /// A key of this name counts in its place, and admits nobody more.
    BesideSame(&'static str),
    /// A key of this name, which is on by default, says false.
    Off(&'static str),
    /// A key of this name does not have this value.
    Unless(&'static str, &'static str),
    /// Requests have no TLS, and no key of this name says that a proxy in front has it.
    WithoutTls(&'static str),
}

/// A program, the names of its keys, and what takes their effect away.
static NO_EFFECT: [(&Program, &str, NoEffect); 14] = [
    (&alb::PROGRAM, "auth-idp-cognito", NoEffect::Unless("auth-type", "cognito")),
    (&alb::PROGRAM, "auth-idp-oidc", NoEffect::Unless("auth-type", "oidc")),
    (&alb::PROGRAM, "inbound-cidrs security-group-prefix-lists", NoEffect::Beside("security-groups")),
    (&apisix::PROGRAM, "http-block-methods", NoEffect::BesideAllowed("http-allow-methods")),
    (&apisix::PROGRAM, "http-redirect", NoEffect::Beside("http-to-https")),
    (&apisix::PROGRAM, "rewrite-target-regex", NoEffect::Beside("rewrite-target")),
    (&app_gateway::PROGRAM, "rewrite-rule-set", NoEffect::Beside("rewrite-rule-set-custom-resource")),
    (&haproxy_ingress::PROGRAM, "oauth", NoEffect::Beside("auth-url")),
    (&haproxy_ingress::PROGRAM, "hsts-*", NoEffect::Off("hsts")),
    (&haproxy_ingress::PROGRAM, "hsts hsts-*", NoEffect::WithoutTls("")),
    (&cilium::PROGRAM, "force-https", NoEffect::WithoutTls("")),
    (&f5_nginx::PROGRAM, "hsts hsts-*", NoEffect::WithoutTls("hsts-behind-proxy")),
    (&f5_nginx::PROGRAM, "rewrite-target", NoEffect::Beside("rewrites")),
    (&nginx::PROGRAM, "permanent-redirect", NoEffect::BesideSame("temporal-redirect")),
];

/// A program, the names of two of its keys, and that it refuses an Ingress with both.
static REFUSED_TOGETHER: [(&Program, [&str; 2]); 1] =
    [(&apisix::PROGRAM, ["blocklist-source-range", "allowlist-source-range"])];

/// What a program does with a key that lacks another one.
#[derive(Clone, Copy)]
enum Incomplete {
    /// It does not configure the Ingress. The AWS Load Balancer Controller also configures no other Ingress of the load balancer.
    Refused,
    /// It answers no request.
    Denied,
}

/// A program, one of its keys with the value for which it needs another key (an empty text for every value), that key, and what the
/// program does without it.
static NEEDED: [(&Program, [&str; 3], Incomplete); 5] = [
    (&alb::PROGRAM, ["auth-type", "cognito", "auth-idp-cognito"], Incomplete::Refused),
    (&alb::PROGRAM, ["auth-type", "oidc", "auth-idp-oidc"], Incomplete::Refused),
    (&f5_nginx::PLUS, ["health-checks-mandatory", "", "health-checks"], Incomplete::Refused),
    (&f5_nginx::PLUS, ["health-checks-mandatory-queue", "", "health-checks-mandatory"], Incomplete::Refused),
    (&haproxy::PROGRAM, ["auth-type", "basic-auth", "auth-secret"], Incomplete::Denied),
];

/// Reports keys without the key that their program requires with them.
pub(crate) fn incomplete(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    for (annotation, reader) in &context.read {
        let (key, value) = (annotation.key.as_str(), annotation.value.trim());
        if no_request(plan, reader.target).is_some() {
            continue;
        }
        let prefix = key.split_once('/').map_or("", |(prefix, _)| prefix);
        let is_missing = |(program, [name, wanted, other], _): &&(&Program, [&str; 3], Incomplete)| {
            std::ptr::eq(reader.program, *program)
                && program.name_of(key) == Some(name)
                && (*wanted == value || (wanted.is_empty() && !value.is_empty()))
                && !reader.is_on(plan, prefix, other)
        };
        let Some((program, [_, wanted, name], does)) = NEEDED.iter().find(is_missing) else { continue };
        if context.is_inside_other_value(|it| program.name_of(it) == Some(name), report) {
            continue;
        }
        let (code, does) = match does {
            Incomplete::Refused if reader.controller == Controller::Alb => {
                (Code::AnnotationInvalid, " refuses all Ingresses of the load balancer with ")
            }
            Incomplete::Refused => (Code::AnnotationInvalid, " refuses the whole Ingress with "),
            Incomplete::Denied => (Code::AuthenticationDenies, " denies every request with "),
        };
        let colon = if wanted.is_empty() { "" } else { ": " };
        let given = quoted(&[key, colon, wanted].concat());
        let other = quoted(&with_prefix(prefix, name));
        let message = [reader_name(reader.controller, key), does, &given, " without ", &other].concat();
        let help = ["add ", &other, ", or remove the line"].concat();
        annotation.file_key(report, Problem::new(code, message).help(help));
    }
}

/// Whether a key has no effect beside the annotations of a plan: its program needs another key, or something takes its effect
/// away ([`NoEffect`]). [`ineffective::is_without_effect`] answers this for the keys of ingress-nginx alone, and the rules need no more,
/// because they report the keys of other programs one by one.
pub(super) fn has_no_effect(plan: &Plan, key: &str) -> bool {
    let Some(reader) = Reader::of(plan, key) else { return ineffective::is_certificate_off(plan, key) };
    let (prefix, name) = key.split_once('/').unwrap_or_default();
    let is_alone =
        !reader.needs.is_empty() && !reader.needs.contains(&name) && !reader.has_needed(plan, prefix);
    let value = |name: &str| plan.annotation(&with_prefix(prefix, name)).map(|it| it.value.trim());
    let applies = |why: &NoEffect| match why {
        NoEffect::Beside(other) | NoEffect::BesideAllowed(other) | NoEffect::BesideSame(other) => {
            reader.is_on(plan, prefix, other)
        }
        NoEffect::Off(switch) => value(switch).is_some_and(|value| NeutralValue::False.is(value)),
        NoEffect::Unless(other, wanted) => value(other).is_some_and(|value| value != *wanted),
        NoEffect::WithoutTls(proxy) => !plan.tls().is_on() && !value(proxy).is_some_and(is_true),
    };
    is_alone || ineffective::is_certificate_off(plan, key) || reader.without_effect(name).any(applies)
}

/// Reports keys that a program ignores beside another key, and keys with which it refuses the Ingress beside another key.
pub(crate) fn beside_another(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    for (annotation, reader) in &context.read {
        let (key, value) = (annotation.key.as_str(), annotation.value.as_str());
        // Without requests, the program ignores both, which is reported separately.
        // Another program loses both keys of ingress-nginx, which is reported separately, too.
        let is_idle = reader.neutral.is(value)
            || no_request(plan, reader.target).is_some()
            || reader.controller.is_nginx() != plan.controller(reader.target).is_nginx();
        if is_idle {
            continue;
        }
        let server = reader_name(plan.controller(reader.target), key);
        let with = |other: &str| [&quoted(key), " beside ", &quoted(other)].concat();
        let (code, said) = if let Some(other) = reader.refused_beside(plan, key) {
            (Code::AnnotationInvalid, [server, " refuses the whole Ingress with ", &with(&other)].concat())
        } else if let Some((other, is_lost)) = reader.ignored_beside(plan, key, value) {
            let said = [server, " ignores ", &with(&other)].concat();
            match (is_lost && protects(key, value), annotation.is_forwarded()) {
                (false, _) => (Code::AnnotationIgnored, said),
                (true, true) => context.settings.lost(key, said),
                // The administrator gave it, and decides about access with the other key, too.
                (true, false) => (Code::ProtectionWeakened, said),
            }
        } else {
            continue;
        };
        annotation.file_key(report, Problem::new(code, said).help("keep one of the two"));
    }
}

/// Whether a key only configures CORS or a Network Load Balancer in front, which another key turns on. Without that key, a change of
/// this one admits nobody.
pub(super) fn opens_nothing_alone(key: &str) -> bool {
    key.split_once('/').is_some_and(|(_, name)| has("cors-* frontend-nlb-*", name))
}

/// Returns the keys without which a key has no effect.
pub(super) fn needed_keys(plan: &Plan, key: &str) -> Vec<String> {
    let prefix = key.split_once('/').map_or("", |(prefix, _)| prefix);
    let needs = Reader::of(plan, key).map_or(&[][..], |reader| reader.needs);
    needs.iter().map(|name| with_prefix(prefix, name)).collect()
}

fn is_true(value: &str) -> bool {
    parse_bool(value) == Some(true)
}

/// Reports keys without the keys that they need. A missing key is reported once, at the first key that needs it.
pub(crate) fn missing_key(context: &RuleContext<'_>, report: &mut Report) {
    let mut missing: Vec<(&Reader, Vec<&Annotation>)> = Vec::new();
    for (annotation, reader) in &context.read {
        let (prefix, name) = annotation.key.split_once('/').unwrap_or_default();
        let needs = reader.needs;
        let authenticates = || AUTHENTICATION.iter().any(|(key, _)| needs.contains(key));
        let is_neutral = reader.neutral.is(&annotation.value) && !reader.program.refuses_alone;
        // A default may be meant for Services that have the other keys. Without authentication, it admits everybody to all
        // other Services.
        let counts = annotation.is_forwarded() || authenticates() || reader.program.refuses_alone;
        if is_neutral || needs.is_empty() || needs.contains(&name) || !counts {
            continue;
        }
        match missing.iter_mut().find(|(it, _)| it.controller == reader.controller && it.needs == needs) {
            Some((_, waiting)) => waiting.push(annotation),
            None if reader.has_needed(context.plan, prefix) => {}
            None => missing.push((reader, vec![annotation])),
        }
    }
    for (reader, waiting) in missing {
        let Some(first) = waiting.first() else { continue };
        let needs = reader.needs;
        // If the missing key is inside the value of another one, that is reported instead.
        let is_needed = |key: &str| {
            let name = nginx::any_name(key).or_else(|| reader.program.name_of(key));
            name.is_some_and(|name| needs.contains(&name))
        };
        if context.is_inside_other_value(is_needed, report) {
            continue;
        }
        let prefix = first.key.split_once('/').map_or("", |(prefix, _)| prefix);
        let server = reader_name(reader.controller, &first.key);
        let names: Vec<String> = waiting.iter().map(|it| quoted(&it.key)).collect();
        let verb = if names.len() == 1 { "has" } else { "have" };
        let needed: Vec<String> = needs.iter().map(|name| quoted(&with_prefix(prefix, name))).collect();
        let message =
            format!("{} {verb} no effect without {}", joined(&names, " and "), joined(&needed, " or "));
        let problem = match AUTHENTICATION.iter().find(|(key, _)| needs.contains(key)) {
            _ if reader.program.refuses_alone => {
                let message = format!("{message}: {server} refuses the whole Ingress");
                Problem::new(Code::AnnotationInvalid, message)
            }
            Some((_, proof)) => {
                let proof = if reader.controller == Controller::Alb { "a login" } else { proof };
                Problem::new(Code::AuthenticationOff, format!("{message}: {server} does not require {proof}"))
            }
            None => Problem::new(Code::AnnotationAlone, message),
        };
        let lines = if names.len() == 1 { "the line" } else { "the lines" };
        let is_cognito = waiting.iter().any(|it| it.key.ends_with("-cognito"));
        let usual = |name: &&str| match *name {
            "auth-type" if is_cognito => with_prefix(prefix, name) + ": cognito",
            name => example(reader.controller, prefix, name),
        };
        let wanted: Vec<String> = needs.iter().map(|name| quoted(&usual(name))).collect();
        first.file_key(report, problem.help(format!("add {}, or remove {lines}", joined(&wanted, " or "))));
    }
}

/// Returns the key of a name, which may have a prefix of its own.
fn with_prefix(prefix: &str, name: &str) -> String {
    if name.contains('/') { name.to_owned() } else { [prefix, "/", name].concat() }
}

/// Returns a key, with its usual value if it has one.
fn example(controller: Controller, prefix: &str, name: &str) -> String {
    let value = match (controller, name) {
        (_, "affinity") => ": cookie",
        (Controller::Haproxy, "auth-type") => ": basic-auth",
        (Controller::Alb, "auth-type") => ": oidc",
        (_, "auth-type") => ": basic",
        (
            _,
            "connection-draining"
            | "cookie-based-affinity"
            | "cors-enable"
            | "enable-cors"
            | "enable-csrf"
            | "enable-frontend-nlb"
            | "enable-response-rewrite"
            | "hsts"
            | "rate-limit-connections",
        ) => ": true",
        (_, name) if name.ends_with("/force-ssl-redirect") => ": true",
        (_, "protocols") => ": https",
        _ => "",
    };
    with_prefix(prefix, name) + value
}

/// Returns the target whose program reads the key of an annotation only elsewhere, with the place and the row of the key.
fn read_elsewhere(
    plan: &Plan,
    annotation: &Annotation,
) -> Option<(Target, &'static str, Option<&'static Key>)> {
    let (place, row) = place_of(&annotation.key)?;
    let reads = |it: Controller| it.reads(&annotation.key) || reads_on_service(it, &annotation.key);
    let mut targets = plan.targets.iter().copied();
    let target = targets.find(|target| plan.has_object(*target) && reads(plan.controller(*target)))?;
    (!row.is_some_and(|row| row.neutral.is(&annotation.value))).then_some((target, place, row))
}

/// Whether an annotation closes the port without TLS for some controllers, and not for the one of a target. It is passed on, because
/// it is of Kubernetes and not of a controller.
pub(super) fn is_unread_switch(plan: &Plan, key: &str, target: Target) -> bool {
    key == ALLOW_HTTP && !plan.controller(target).reads(key)
}

/// Whether the rule `key-elsewhere` reports an annotation for this target.
pub(crate) fn is_elsewhere(plan: &Plan, annotation: &Annotation, target: Target) -> bool {
    read_elsewhere(plan, annotation).is_some_and(|(found, ..)| found == target)
}

/// Reports keys that the program of the class reads only on the Service, or in its ConfigMap.
pub(crate) fn read_elsewhere_only(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    for annotation in plan.annotations.iter().filter(|it| context.denial(it).is_none()) {
        let key = annotation.key.as_str();
        let Some((target, place, row)) = read_elsewhere(plan, annotation) else { continue };
        let controller = plan.controller(target);
        let server = reader_name(controller, key);
        let message = format!("{server} does not read {} on the {target}", quoted(key));
        let (code, said) =
            context.loss(row.map_or(Loss::Behavior, |row| row.loss.max(Loss::Behavior)), key, message);
        let invalid_value =
            read_by(controller, key).and_then(|(_, known)| known.invalid_value(&annotation.value));
        let mut help = ["move the line ", place].concat();
        if let Some(invalid_value) = invalid_value {
            help.extend([", with ", &invalid_value.expected]);
        }
        annotation.file_key(report, Problem::new(code, said).help(help));
    }
}
