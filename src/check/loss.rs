//! Rules about annotations and options that have no effect on the emitted objects, so that no protection of a Service is lost
//! silently.

mod message;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

pub(super) use self::message::subject;
use self::message::{allowed_redirect, at_author, reported_annotation, subjects, target_to_use};
use super::alone::{is_elsewhere, is_unread_switch};
use crate::diagnostics::{Code, Origin, Problem, Report, joined, quoted};
use crate::dialect::controller::Controller;
use crate::dialect::equivalents::Cause;
use crate::dialect::key::Key;
use crate::dialect::legacy::{Legacy, Migration, find};
use crate::dialect::mappings;
use crate::dialect::misspelt::is_misspelt;
use crate::dialect::nginx::paths::is_no_rewrite;
use crate::dialect::nginx::read::{intent_of, sample_value};
use crate::dialect::nginx::rules::ineffective::is_without_effect;
use crate::dialect::nginx::rules::values::{bad_value, refused};
use crate::dialect::support::{Support, is_unread, no_request, passthrough_help, support};
use crate::dialect::traefik::rules::is_read_otherwise;
use crate::dialect::{
    Loss, NativeFeature, SCHEMES, effect, equivalents, is_of_controller, is_of_gateway, is_read_on,
    is_ssl_redirect, nginx,
};
use crate::intents::{Intent, IntentValue};
use crate::options::annotations::annotation;
use crate::plan::context::RuleContext;
use crate::plan::{Annotation, Place, Plan, Reason, RequestedIntent, Server};
use crate::validation::parse_bool;
use crate::values::{BackendProtocol, Target, Termination, Tls};

/// Whether the object of a target has the effect of an annotation by other means.
fn has_equivalent_effect(plan: &Plan, target: Target, effect: &Key, given: &Annotation) -> bool {
    let value = given.value.as_str();
    let terminates = |how| target == Target::Route && plan.tls().has_secret() && plan.termination() == how;
    match effect.native {
        NativeFeature::None => false,
        // The stable Service determines the redirect of a canary. A redirect that an annotation of ingress-nginx asks for is an
        // intent, which the rule `canary-and-redirect` checks.
        NativeFeature::Redirect => {
            let is_wanted = || target == Target::Ingress && nginx::redirect_of(&given.key).is_some();
            let is_default = || plan.tls().has_secret() || !plan.controller(target).is_nginx();
            plan.canary.is_some() || is_wanted() || (plan.redirects(target) && is_default())
        }
        NativeFeature::Passthrough => terminates(Termination::Passthrough),
        // The rule `ingress-patterns` reports paths that are not compared as regular expressions. The behaviour of some controllers
        // is not known.
        NativeFeature::Pattern => {
            plan.controller(target) != Controller::Other || plan.rules.iter().all(|route| route.path == "/")
        }
        NativeFeature::Reencrypt => {
            terminates(Termination::Reencrypt)
                && (value.eq_ignore_ascii_case("HTTPS") || parse_bool(value) == Some(true))
        }
    }
}

/// The beginnings of the names of annotations that limit rates. They do not decide which clients are admitted.
const RATE_LIMIT_PREFIXES: [&str; 2] = ["limit-", "rate-limit"];
/// The beginnings of the names of annotations about the connection to the Service. They do not decide which clients are admitted,
/// and the Service can do the same if TLS passes through.
const BACKEND_CONNECTION_PREFIXES: [&str; 3] = ["proxy-", "secure-", "server-"];

/// Returns what is lost if the object of a target does not have the effect of an annotation.
pub(super) fn loss(plan: &Plan, annotation: &Annotation, target: Target) -> Loss {
    let is_read = || {
        is_done_as_given(plan, &annotation.key, target) && !is_unread_switch(plan, &annotation.key, target)
    };
    if !plan.has_object(target) || is_read() {
        return Loss::Nothing;
    }
    let is_idle = |effect: &Key| effect.neutral.is(&annotation.value) || is_no_rewrite(plan, annotation);
    let Some(effect) = effect(&annotation.key).filter(|effect| !is_idle(effect)) else {
        return Loss::Nothing;
    };
    let most = match wanted_by(plan, annotation) {
        Some(wanted) if missing_support_help(plan, target, wanted).is_none() => Loss::Nothing,
        // A single key may protect although all keys of the intent together do not.
        Some(wanted) => loss_of(plan, target, wanted),
        None if is_ineffective_with_passthrough(plan, &annotation.key, target) => {
            let name = annotation.key.rsplit('/').next().unwrap_or_default();
            let starts = |with: &[&str]| with.iter().any(|start| name.starts_with(start));
            let (is_asked, admits) = match mappings::intent_of(plan, target, &annotation.key) {
                Some(intent) => (annotation.is_forwarded(), intent.admits()),
                None => (
                    annotation.is_forwarded() && !starts(&BACKEND_CONNECTION_PREFIXES),
                    !starts(&RATE_LIMIT_PREFIXES) && !starts(&BACKEND_CONNECTION_PREFIXES),
                ),
            };
            if is_asked || admits { Loss::Protection } else { Loss::Hardening }
        }
        // An annotation of the settings is for the program that reads it. With another program, the class determines which clients
        // reach the Service.
        None if SCHEMES.contains(&&*annotation.key) && !annotation.is_forwarded() => Loss::Hardening,
        None => Loss::Protection,
    };
    if has_equivalent_effect(plan, target, effect, annotation) {
        Loss::Nothing
    } else {
        effect.loss.min(most)
    }
}

/// Returns what is lost if a target does not support an intent. A limit of the settings is for Services whose requests are read, so
/// its loss is no Error if TLS passes through to the Service.
fn loss_of(plan: &Plan, target: Target, wanted: &RequestedIntent) -> Loss {
    let loss = wanted.intent.loss_of(&wanted.intent_value);
    let is_default = matches!(wanted.origin, Origin::Setting(_)) && !wanted.intent.admits();
    if is_default && is_unread(plan, target, wanted.intent) { loss.min(Loss::Hardening) } else { loss }
}

/// Returns the help if the controller of a target does not support an intent.
fn missing_support_help(plan: &Plan, target: Target, wanted: &RequestedIntent) -> Option<Cow<'static, str>> {
    match support(plan, target, wanted.intent, Some(&wanted.intent_value)) {
        Support::Unsupported(help) => Some(help),
        Support::Full | Support::Partial(_) => None,
    }
}

/// Whether the object of a target gets an annotation unchanged, because the controller or another program reads it.
pub(crate) fn is_passed(plan: &Plan, key: &str, target: Target) -> bool {
    match target {
        Target::Ingress => plan.controller(target).reads(key) || !is_of_controller(key),
        // A Gateway does not read the annotations of another Gateway's program.
        Target::HttpRoute => {
            let is_any = matches!(plan.controller(target), Controller::Gateway | Controller::Other);
            is_read_on(key, target) && (is_any || !is_of_gateway(key))
        }
        Target::Route => is_read_on(key, target),
    }
}

/// Whether an annotation is passed on, unchanged or as the same key of another program, and has its effect.
pub(super) fn is_done_as_given(plan: &Plan, key: &str, target: Target) -> bool {
    is_passed(plan, key, target) && !is_ineffective_with_passthrough(plan, key, target)
        || equivalents::equivalent(plan, target, key).is_some()
}

/// Whether an annotation has no effect, although the controller of the target reads it, because TLS passes through to the Service.
pub(super) fn is_ineffective_with_passthrough(plan: &Plan, key: &str, target: Target) -> bool {
    let controller = plan.controller(target);
    let name = key.rsplit('/').next().unwrap_or_default();
    match target {
        Target::Ingress if no_request(plan, target).is_some() && controller.reads(key) => {
            if let Some(intent) = mappings::intent_of(plan, target, key) {
                return passthrough_help(plan, target, intent).is_some();
            }
            let is_of_tls =
                |effect: &Key| matches!(effect.native, NativeFeature::Passthrough | NativeFeature::Redirect);
            // For HAProxy, the annotations with these beginnings read requests or concern TLS to the Service.
            let reads_requests = ["auth-", "cors-", "oauth", "secure-", "server-ca", "waf"]
                .iter()
                .any(|it| name.starts_with(it));
            !effect(key).is_some_and(is_of_tls) && (controller.is_nginx() || reads_requests)
        }
        Target::Route if plan.tls().has_secret() && plan.termination() == Termination::Passthrough => {
            name == "hsts_header" || name.ends_with(".rate-http")
        }
        Target::Ingress | Target::HttpRoute | Target::Route => false,
    }
}

/// Returns the intent of an annotation. An option may be the origin of the same intent.
pub(crate) fn wanted_by<'p>(plan: &'p Plan, annotation: &Annotation) -> Option<&'p RequestedIntent> {
    let has_key = |keys: &[String]| keys.contains(&annotation.key);
    let mut wanted = plan.intents.iter();
    wanted.clone().find(|it| has_key(&it.keys)).or_else(|| wanted.find(|it| has_key(&it.repeated_by)))
}

/// Checks that the controllers support the intents of the options. The loss of the intents of annotations is checked by key in
/// [`lost`].
pub(crate) fn intents(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    for target in plan.targets.iter().filter(|target| plan.has_object(**target)) {
        // Intents of the settings apply to the stable Service.
        let is_shared = |wanted: &&RequestedIntent| {
            plan.canary.is_some() && *target == Target::Ingress && matches!(wanted.origin, Origin::Setting(_))
        };
        for wanted in plan.intents.iter().filter(|wanted| !is_shared(wanted)) {
            let server = subject(plan, *target);
            let what = match &wanted.origin {
                Origin::Field(_) => "appProtocol",
                _ => wanted.words(),
            };
            match support(plan, *target, wanted.intent, Some(&wanted.intent_value)) {
                Support::Partial(difference)
                    if wanted.keys.is_empty()
                        || !is_passed(plan, what, *target)
                        || is_read_otherwise(plan, *target, &wanted.intent_value) =>
                {
                    let problem = Problem::new(
                        Code::IntentDiffers,
                        format!("for {}, {server} {difference}", quoted(what)),
                    );
                    plan.place_of(wanted).file(report, problem);
                }
                // A line that turns the passthrough on has its effect, but not for the path alone.
                Support::Unsupported(help)
                    if wanted.keys.is_empty()
                        || (wanted.intent == Intent::TlsPassthrough && is_passed(plan, what, *target)) =>
                {
                    let message =
                        format!("{server} does not support {}", lacking(plan, *target, wanted, what));
                    let problem = missing_support(context, *target, wanted, message);
                    // Without support for a limit there is no limit, so no help is needed.
                    let problem = if wanted.intent_value == IntentValue::Size(0) {
                        problem
                    } else {
                        problem.help(help)
                    };
                    let is_unread = is_unread_intent(plan, *target, wanted.intent);
                    let setting = Some(&wanted.origin).filter(|_| is_unread);
                    let key = wanted.intent.annotation();
                    let (place, problem) = at_author(plan, setting, key, plan.place_of(wanted), problem);
                    place.file(report, problem);
                }
                _ if is_idle_code(plan, wanted) => {
                    let message =
                        format!("{} has no effect: requests are not redirected to https", quoted(what));
                    let tls = (!plan.tls().is_on()).then(|| annotation::TLS.to_owned());
                    let redirect = (plan.https_redirect() != Some(true))
                        .then(|| [annotation::HTTPS_REDIRECT, ": \"true\""].concat());
                    let missing: Vec<String> = tls.into_iter().chain(redirect).collect();
                    let help = match &missing[..] {
                        [] => "remove it".to_owned(),
                        missing => format!("set {}, or remove it", joined(missing, " and ")),
                    };
                    let problem = Problem::new(Code::IntentLost, message).help(help);
                    plan.place_of(wanted).file(report, problem);
                }
                _ => {}
            }
        }
    }
}

/// Whether an intent has no effect on a target because its program reads no request of the Service.
fn is_unread_intent(plan: &Plan, target: Target, intent: Intent) -> bool {
    is_unread(plan, target, intent) || passthrough_help(plan, target, intent).is_some()
}

/// Returns what the program of a target does not support: an option, or only what is wrong with it if another value, or TLS, would do.
fn lacking(plan: &Plan, target: Target, wanted: &RequestedIntent, what: &str) -> String {
    let what = quoted(what);
    let is_headers = matches!(wanted.intent, Intent::RequestHeaders | Intent::ResponseHeaders);
    let has_another = || {
        sample_value(wanted.intent)
            .is_some_and(|it| support(plan, target, wanted.intent, Some(&it)).is_supported())
    };
    if is_headers && has_another() {
        ["these values of ", &what].concat()
    } else if wanted.intent == Intent::TlsPassthrough && target == Target::Route && !plan.tls().has_secret() {
        [&what, " without TLS"].concat()
    } else {
        what
    }
}

/// Whether the Service sets the status code of the redirect, and nothing redirects. If the redirect itself has no effect, the rule
/// `https-redirect` reports that.
fn is_idle_code(plan: &Plan, wanted: &RequestedIntent) -> bool {
    let redirect = plan.https_redirect.clone().or_else(|| nginx::read::https_redirect(plan));
    let is_redirecting = |target: &Target| {
        plan.redirects(*target)
            && (*target != Target::Ingress
                || !plan.controller(*target).is_nginx()
                || redirect.as_ref().map_or(plan.tls().has_secret(), |it| it.value))
    };
    let has_redirect_finding = plan.asked_redirect().is_some() && !plan.tls().is_on();
    wanted.intent == Intent::HttpsRedirectCode
        && matches!(wanted.origin, Origin::Annotation(_))
        && !has_redirect_finding
        && !plan.targets.iter().any(is_redirecting)
}

/// Returns the problem with an option that the controller does not support.
fn missing_support(
    context: &RuleContext<'_>,
    target: Target,
    wanted: &RequestedIntent,
    message: String,
) -> Problem {
    // Most servers of HTTP/2 without TLS also serve HTTP/1.1.
    let is_h2c = wanted.intent_value == IntentValue::Protocol(BackendProtocol::H2c);
    if is_h2c && matches!(wanted.origin, Origin::Field(_)) {
        return Problem::new(Code::TargetInexpressible, message);
    }
    match loss_of(context.plan, target, wanted) {
        Loss::Nothing => Problem::new(Code::TargetInexpressible, message),
        Loss::Behavior | Loss::Hardening => Problem::new(Code::IntentLost, message),
        Loss::Protection => protecting(context, wanted.intent, message),
    }
}

/// Returns the problem with a protection that is lost. The administrator may accept the loss.
pub(super) fn protecting(context: &RuleContext<'_>, intent: Intent, message: String) -> Problem {
    let (code, said) = context.settings.lost(intent.annotation(), message);
    Problem::new(code, said)
}

/// Whether the object of the target has the effect of an annotation by other means, so that nothing is reported.
pub(crate) fn is_fulfilled_otherwise(plan: &Plan, annotation: &Annotation, target: Target) -> bool {
    effect(&annotation.key).is_some_and(|effect| {
        !effect.neutral.is(&annotation.value) && has_equivalent_effect(plan, target, effect, annotation)
    })
}

/// Whether a rule files a finding about an annotation on this target.
pub(crate) fn has_finding(plan: &Plan, annotation: &Annotation, target: Target) -> bool {
    loss(plan, annotation, target) > Loss::Nothing
        || is_elsewhere(plan, annotation, target)
        || is_misspelt(&annotation.key, &annotation.value)
        || bad_value(plan, annotation).is_some()
        || (is_without_effect(plan, annotation)
            && effect(&annotation.key).is_some_and(|effect| !effect.neutral.is(&annotation.value)))
}

/// Whether an annotation disables the redirect to https, and the target redirects nevertheless.
pub(crate) fn redirects_despite(plan: &Plan, annotation: &Annotation, target: Target) -> bool {
    is_ssl_redirect(&annotation.key) && parse_bool(&annotation.value) == Some(false) && plan.redirects(target)
}

/// Whether an annotation may be for another program than the one of a server, so that its loss is not reported. The rule
/// `protection-unclear` reports annotations of another program than the assumed one. The settings may have annotations for the
/// programs of several classes.
pub(super) fn is_perhaps_of_another(server: &Server, annotation: &Annotation) -> bool {
    server.is_assumed()
        || (server.controller == Controller::IngressNginx
            && matches!(server.reason, Reason::ClassName | Reason::DefaultController)
            && !annotation.is_forwarded())
}

/// Reports annotations whose effect is lost on a target. The loss of a protection is an Error, so no object is emitted without it.
pub(crate) fn lost(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if plan.annotations.is_empty() || (plan.servers.iter().all(Server::is_assumed) && !plan.passes_tls()) {
        return;
    }
    let refused = refused(plan);
    let losses = |annotation: &Annotation| -> Vec<(Loss, Target)> {
        let is_idle = |server: &&Server| {
            !is_perhaps_of_another(server, annotation)
                || is_ineffective_with_passthrough(plan, &annotation.key, server.target)
        };
        let known = plan.servers.iter().filter(is_idle).map(|server| server.target);
        known.map(|target| (loss(plan, annotation, target), target)).collect()
    };
    // Annotations that form one intent are reported once.
    let mut groups: BTreeMap<&str, Vec<Weighed<'_>>> = BTreeMap::new();
    for annotation in &plan.annotations {
        let most = losses(annotation).into_iter().map(|(loss, _)| loss).max().unwrap_or(Loss::Nothing);
        // An invalid value has its own finding, and so does a key without another one.
        let is_reported = || {
            intent_of(&annotation.key).is_some_and(|it| refused.contains(&it))
                || bad_value(plan, annotation).is_some()
                || is_without_effect(plan, annotation)
                || is_removed(context, &annotation.key)
        };
        if most > Loss::Nothing && context.denial(annotation).is_none() && !is_reported() {
            let is_accepted = context.settings.accept_loss.fit(&annotation.key);
            let weight = (most, !is_accepted);
            groups.entry(group_of(&annotation.key)).or_default().push((weight, annotation));
        }
    }
    let mut reported: Vec<Lost<'_>> = groups.into_values().filter_map(Lost::of).collect();
    reported.sort_by_key(|lost| &lost.annotation.key);
    for mut lost in reported {
        let all = losses(lost.annotation).into_iter().filter(|(own, _)| *own == lost.loss);
        lost.targets = all.map(|(_, target)| target).collect();
        lost.file(context, report);
    }
}

/// Returns what the keys have in common that are reported together: the name of their intent, or their prefix, if they are of a program
/// with a type and a secret for the login like ingress-nginx. Any other key is reported alone.
fn group_of(key: &str) -> &str {
    match (intent_of(key), key.split_once('/')) {
        (Some(intent), Some(_)) => intent.as_str(),
        (None, Some((prefix, "auth-type" | "auth-secret" | "auth-realm"))) => prefix,
        _ => key,
    }
}

/// Whether ingress-nginx alone serves the Service and no longer reads a key, which is reported as a legacy key.
pub(super) fn is_removed(context: &RuleContext<'_>, key: &str) -> bool {
    let is_nginx = |server: &Server| server.controller == Controller::IngressNginx;
    !context.settings.forwards_legacy
        && context.plan.servers.iter().all(is_nginx)
        && matches!(find(key), Some(Legacy { migration: Migration::Removed { .. }, .. }))
}

/// An annotation and its loss, and whether this loss is not accepted.
type Weighed<'p> = ((Loss, bool), &'p Annotation);

/// A loss, with the annotation for which it is reported.
struct Lost<'p> {
    annotation: &'p Annotation,
    loss: Loss,
    targets: Vec<Target>,
    /// All annotations that form the intent.
    all: Vec<&'p Annotation>,
}

impl<'p> Lost<'p> {
    /// Returns the loss of annotations that form one intent, for the one with the greatest loss.
    fn of(group: Vec<Weighed<'p>>) -> Option<Self> {
        let greatest = group.iter().max_by_key(|(weight, it)| (*weight, Reverse(&it.key)));
        let ((loss, _), annotation) = *greatest?;
        let others = group.into_iter().map(|(_, it)| it).filter(|it| it.key != annotation.key);
        let all = others.chain([annotation]).collect();
        Some(Self { annotation, loss, targets: Vec::new(), all })
    }

    fn file(&self, context: &RuleContext<'_>, report: &mut Report) {
        let Self { annotation, targets, .. } = self;
        let (named, cause, instead) = reported_annotation(context.plan, annotation, targets);
        let problem = self.problem(context, named, cause.as_ref(), instead);
        let (plan, key, origin) = (context.plan, annotation.key.as_str(), named.origin());
        let is_unread = |target: &Target| match wanted_by(plan, annotation) {
            Some(wanted) => is_unread_intent(plan, *target, wanted.intent),
            None => is_ineffective_with_passthrough(plan, key, *target),
        };
        let setting = Some(&origin).filter(|_| targets.iter().all(is_unread));
        let (place, problem) = at_author(plan, setting, key, Place::Line(named), problem);
        place.file(report, problem);
    }

    fn problem(
        &self,
        context: &RuleContext<'_>,
        named: &Annotation,
        cause: Option<&Cause>,
        instead: Option<String>,
    ) -> Problem {
        let Self { annotation, loss, targets, .. } = self;
        let key = annotation.key.as_str();
        let verb = if targets.len() == 1 { "does" } else { "do" };
        let (what, of_whom, cause) = match cause {
            None => ("", "", String::new()),
            Some(Cause::Value(said)) => ("this value of ", "", [": ", said].concat()),
            Some(Cause::Service(said, _)) => ("", " for this Service", [": ", said].concat()),
        };
        let lacks =
            format!("{} {verb} not support {what}{}", subjects(context.plan, targets), quoted(&named.key));
        let others = self.all.iter().filter(|it| it.key != named.key);
        let others: Vec<String> =
            others.map(|it| quoted(it.key.rsplit('/').next().unwrap_or_default())).collect();
        let with = if others.is_empty() { "" } else { " with " };
        let lacks = [&lacks, with, &joined(&others, " and "), of_whom].concat();
        if *loss < Loss::Protection {
            let (code, what) = match loss {
                Loss::Hardening => {
                    (Code::ProtectionWeakened, ", without which the Service is less safe or does not answer")
                }
                Loss::Nothing | Loss::Behavior | Loss::Protection => (Code::IntentLost, ""),
            };
            let help = instead.unwrap_or_else(|| ["remove the line, or ", target_to_use(targets)].concat());
            return Problem::new(code, [&lacks, what, &cause].concat()).help(help);
        }
        let is_redirect = effect(key).is_some_and(|effect| effect.native == NativeFeature::Redirect);
        let why =
            if is_redirect { "so nothing is redirected to https" } else { "which protects the Service" };
        let (code, said) = context.settings.lost(key, [&lacks, ", ", why].concat());
        if code == Code::ProtectionLossAccepted {
            return Problem::new(code, said).help("protect the Service by other means, and remove the line");
        }
        let against = context.plan.https_redirect.as_ref().filter(|it| is_redirect && !it.value);
        if let Some(against) = against {
            let help = allowed_redirect(context, &against.origin, targets);
            return Problem::new(code, said).help(help);
        }
        let help = match (is_redirect, annotation.is_forwarded()) {
            (true, _) if context.plan.tls() == Tls::LoadBalancer => {
                "let the load balancer send requests to https, and remove the line"
            }
            (true, _) if targets.contains(&Target::HttpRoute) => {
                "remove the line, and set config.xposer.stakater.com/TLS and the setting httpParentRefs"
            }
            (true, _) => "remove the line, and set config.xposer.stakater.com/TLS",
            (false, true) => "ask your administrator for annotations.acceptLoss",
            (false, false) => "name the key in annotations.acceptLoss",
        };
        let problem = Problem::new(code, said + &cause);
        if is_redirect {
            return problem.help(help);
        }
        let instead = instead.unwrap_or_else(|| ["remove the line, ", target_to_use(targets)].concat());
        problem.help([&instead, ", or ", help].concat())
    }
}
