//! The intents of a Service, which options or annotations of other programs express.

use std::cell::OnceCell;
use std::cmp::Ordering;

use super::port::protocol_origin;
use super::{Annotation, Plan, Resolver, Source};
use crate::diagnostics::{Code, FieldPath, Origin, Problem, Sourced, did_you_mean, quoted};
use crate::dialect::access::exempts_everybody;
use crate::dialect::controller::Controller;
use crate::dialect::mappings::{conflicting_aliases, is_annotation_of, matches_intent};
use crate::dialect::nginx::read::https_redirect;
use crate::dialect::read::{ReadIntent, passthrough, read};
use crate::dialect::traefik::support::refused_tls;
use crate::dialect::write::{WrittenAnnotation, annotations_for};
use crate::dialect::{equivalents, is_invalid, is_neutral};
use crate::intents::{Intent, IntentValue};
use crate::options::annotations::annotation;
use crate::options::{IntentValues, Layer, Slot};
use crate::plan::RequestedIntent;
use crate::values::{BackendProtocol, Target, Tls};

/// Whether there is an Ingress whose controller has one protocol for all ports, instead of the `appProtocol` of each.
fn has_one_protocol(plan: &Plan) -> bool {
    plan.targets.contains(&Target::Ingress) && plan.controller(Target::Ingress) != Controller::Contour
}

/// Removes an annotation of the settings that makes Traefik not terminate TLS, if the Service has the option `TLS`, which overrides
/// it.
fn drop_refused_tls(plan: &mut Plan) {
    let is_option =
        |tls: &Sourced<Tls>| tls.value.has_secret() && matches!(tls.origin, Origin::Annotation(_));
    if plan.tls.as_ref().is_some_and(is_option)
        && plan.controller(Target::Ingress) == Controller::Traefik
        && let Some(refused) = refused_tls(plan).filter(|it| !it.is_forwarded()).map(|it| it.key.clone())
    {
        plan.annotations.retain(|it| it.key != refused);
    }
}

/// The problem that a key or value contradicts an option or an annotation.
pub(crate) fn contradiction(first: &str, other: &str) -> Problem {
    let message = [first, " contradicts ", other].concat();
    Problem::new(Code::IntentConflict, message).help("keep one of the two")
}

/// The help for a line of the block that contradicts the settings.
pub(crate) const ASK: &str = "remove the line, or ask your administrator";

/// The layer that an annotation comes from; 0 is the uppermost.
fn layer(given: &Annotation) -> usize {
    match given.source {
        Source::Block { .. } => 0,
        Source::Setting { layer, .. } => 1 + layer,
    }
}

/// Whether another value replaces this one as a whole, rather than part by part.
fn is_replaced_as_a_whole(intent_value: &IntentValue) -> bool {
    matches!(
        intent_value,
        IntentValue::Switch(_)
            | IntentValue::Path(_)
            | IntentValue::Sources(_)
            | IntentValue::Duration(_)
            | IntentValue::Size(_)
            | IntentValue::Hosts(_)
            | IntentValue::Protocol(_)
    )
}

/// Whether the annotation expresses the intent on every target of the plan.
fn is_read_by_all_controllers(plan: &Plan, wanted: &RequestedIntent, key: &str) -> bool {
    plan.targets.iter().all(|target| is_annotation_of(plan, *target, wanted, key))
}

/// If several aliases of one annotation are given, keeps the one of the uppermost layer. A rule reports aliases within one layer.
fn drop_lower_aliases(plan: &mut Plan) {
    loop {
        let below = |(named, other): (&Annotation, &Annotation)| match layer(named).cmp(&layer(other)) {
            Ordering::Less => Some(other.key.clone()),
            Ordering::Equal => None,
            Ordering::Greater => Some(named.key.clone()),
        };
        let pairs = conflicting_aliases(plan).into_iter().chain(equivalents::conflicting(plan));
        let below: Vec<String> = pairs.filter_map(below).collect();
        if below.is_empty() {
            return;
        }
        // Each alias was compared with the first one only, which may be removed now, so the comparison repeats.
        plan.annotations.retain(|given| !below.contains(&given.key));
    }
}

/// Whether an annotation switches off an intent that the settings ask for. No option has such a value.
fn disables(wanted: &RequestedIntent, given: &Annotation) -> bool {
    let is_any = matches!(
        wanted.intent,
        Intent::RateLimit | Intent::ClientCertificate | Intent::BasicAuth | Intent::ExternalAuth
    );
    is_any && is_neutral(&given.key, &given.value)
}

fn prefix(key: &str) -> Option<&str> {
    key.split_once('/').map(|(prefix, _)| prefix)
}

impl<'v> Resolver<'v, '_> {
    /// Decides the intents of the plan. If ingress-nginx alone serves the objects and no option asks for anything, the annotations
    /// need not be understood. TLS passthrough is the exception: with it, the other annotations have no effect.
    pub(super) fn intents(&mut self, plan: &mut Plan) {
        let wants = |layer: &Layer| !layer.intent_values.is_empty() || !layer.auth.is_unset();
        let is_foreign = plan.servers.iter().any(|server| server.controller != Controller::IngressNginx);
        let speaks = plan.port_protocols.iter().any(|(it, _)| *it != BackendProtocol::Http);
        let is_read = is_foreign && !plan.annotations.is_empty() || passthrough(plan).is_some();
        if !(speaks || self.layers.iter().any(wants) || is_read) {
            return;
        }
        if plan.https_redirect.is_none()
            && plan.targets.contains(&Target::Ingress)
            && !plan.controller(Target::Ingress).is_nginx()
        {
            plan.https_redirect = https_redirect(plan);
        }
        drop_refused_tls(plan);
        let meant = read(plan);
        let (mut block, mut below) = (Layer::default(), Layer::default());
        for it in &meant {
            let layer = if it.is_forwarded { &mut block } else { &mut below };
            // The first of several meanings of one intent counts; the others are compared with it below.
            if layer.intent_values.slot(it.intent).is_unset() {
                let intent_value = Sourced::new(it.intent_value.clone(), it.origin.clone());
                layer.intent_values.set(it.intent, Slot::Set(intent_value));
            }
        }
        self.port_protocol(plan, &mut below, &block);
        let chosen = self.chosen_auth();
        let nothing = IntentValues::default();
        let (auth_of_service, auth_of_settings) = match &chosen {
            Some(auth) if matches!(auth.origin, Origin::Annotation(_)) => (auth.value, &nothing),
            Some(auth) => (&nothing, auth.value),
            None => (&nothing, &nothing),
        };
        let layers = self.layers.with_block(&block).with_annotations(&below);
        for intent in Intent::ALL {
            let own = layers.service.map(|own| own.intent_values.slot(intent));
            let by_name = auth_of_service.slot(intent);
            let slot = if by_name.is_set() {
                if own.is_some_and(Slot::is_set) {
                    self.report.file(
                        FieldPath::annotation(annotation::AUTH),
                        contradiction(annotation::AUTH, intent.annotation()),
                    );
                }
                Some(by_name)
            } else {
                layers.slot(|it| it.intent_values.slot(intent)).or(Some(auth_of_settings.slot(intent)))
            };
            let Some(wanted) = slot.and_then(Slot::value) else { continue };
            let message = meant.iter().filter(|it| it.intent == intent);
            let (same, others): (Vec<&ReadIntent>, Vec<&ReadIntent>) =
                message.partition(|it| it.origin == wanted.origin);
            let forwarded = others.iter().filter(|it| it.is_forwarded);
            let equal = forwarded.flat_map(|it| it.keys.iter().cloned()).collect();
            for other in others {
                self.replace_annotations(plan, intent, wanted, other);
            }
            let keys = same.into_iter().flat_map(|it| it.keys.iter().cloned()).collect();
            let Sourced { value: intent_value, origin } = wanted.clone();
            plan.intents.push(RequestedIntent { intent, intent_value, origin, keys, repeated_by: equal });
        }
        self.check_rewrites(plan);
        drop_lower_aliases(plan);
        self.compare_annotations(plan, &meant);
    }

    /// Reports a plan that asks both to strip the prefix and to rewrite the path, which contradict each other.
    fn check_rewrites(&mut self, plan: &mut Plan) {
        let is_cut = plan.intent_value(Intent::StripPrefix) == Some(&IntentValue::Switch(true));
        let replaced = plan.intents.iter().position(|wanted| is_cut && wanted.intent == Intent::RewritePath);
        if let Some(place) = replaced {
            let wanted = plan.intents.remove(place);
            if let Some(cut) = plan.intents.iter_mut().find(|it| it.intent == Intent::StripPrefix) {
                cut.repeated_by.extend_from_slice(&wanted.keys);
            }
            let place = plan.place_of(&wanted);
            let problem = contradiction(&quoted(wanted.words()), Intent::StripPrefix.annotation());
            place.file(self.report, problem);
        }
    }

    /// Compares each intent with the annotations that express the same intent in the words of the program that serves the Service.
    /// Annotations that were read as an intent were compared with options before; of the others, only the key tells which intent
    /// they are about.
    ///
    /// The upper layer wins. Two different values in one layer are an Error.
    fn compare_annotations(&mut self, plan: &mut Plan, meant: &[ReadIntent]) {
        if plan.annotations.is_empty() {
            return;
        }
        let is_said = |wanted: &&RequestedIntent| {
            wanted.intent_value != IntentValue::Switch(false) && plan.canary.is_none()
        };
        let (mut replaced_keys, mut below) = (Vec::new(), Vec::new());
        // Most Services have no annotation that expresses the same as an option, so the annotations of the programs are only made if
        // one has.
        let written: OnceCell<Vec<Vec<WrittenAnnotation<'_>>>> = OnceCell::new();
        let write = || plan.targets.iter().map(|target| annotations_for(plan, *target)).collect();
        for wanted in plan.intents.iter().filter(is_said) {
            // The first annotation that expresses the intent; an intent from an option has none.
            let own = wanted.keys.first().and_then(|key| plan.annotation(key));
            // `check_rewrites` has reported a prefix that is both stripped and rewritten.
            let is_path = |intent| matches!(intent, Intent::StripPrefix | Intent::RewritePath);
            let is_about =
                |it: &&ReadIntent| it.intent == wanted.intent || is_path(it.intent) && is_path(wanted.intent);
            let is_read = |key: &String| meant.iter().filter(is_about).any(|it| it.keys.contains(key));
            let says_it =
                |key: &str| plan.targets.iter().any(|target| is_annotation_of(plan, *target, wanted, key));
            let says_same = |given: &Annotation| {
                plan.targets.iter().zip(written.get_or_init(write)).all(|(target, written)| {
                    !is_annotation_of(plan, *target, wanted, &given.key)
                        || matches_intent(plan, *target, written, wanted, given)
                })
            };
            let voids_it = |given: &Annotation| {
                wanted.intent == Intent::RateLimit && exempts_everybody(&given.key, &given.value)
            };
            // The rules of a program report two names of one annotation.
            let is_of_one =
                |given: &Annotation| own.is_some_and(|own| prefix(&own.key) == prefix(&given.key));
            // A value that is none has a finding of its own.
            let is_bad = |it: &Annotation| is_invalid(plan.controller(Target::Ingress), &it.key, &it.value);
            for given in &plan.annotations {
                if is_read(&given.key)
                    || !(says_it(&given.key) || voids_it(given))
                    || is_of_one(given)
                    || !voids_it(given) && says_same(given)
                    || is_bad(given)
                {
                    continue;
                }
                match own {
                    None => match (given.is_forwarded(), &wanted.origin) {
                        (true, Origin::Annotation(_)) => {
                            let problem = contradiction(&quoted(&given.key), wanted.intent.annotation());
                            given.file_key(self.report, problem);
                        }
                        (true, origin) if disables(wanted, given) => {
                            let problem = contradiction(&quoted(&given.key), &origin.path().to_string());
                            given.file_key(self.report, problem.help(ASK));
                        }
                        (true, _) => {}
                        (false, _) => replaced_keys.push(given.key.clone()),
                    },
                    Some(own) if layer(own) == layer(given) => {
                        given.file_key(self.report, contradiction(&quoted(&given.key), &own.key));
                    }
                    Some(own) if layer(own) < layer(given) => replaced_keys.push(given.key.clone()),
                    Some(_)
                        if is_replaced_as_a_whole(&wanted.intent_value)
                            && is_read_by_all_controllers(plan, wanted, &given.key) =>
                    {
                        below.push(wanted.intent);
                        replaced_keys.extend_from_slice(&wanted.keys);
                    }
                    // The parts that the upper layer does not set are taken from this layer.
                    Some(_) => {}
                }
            }
        }
        plan.intents.retain(|wanted| !below.contains(&wanted.intent));
        plan.annotations.retain(|given| !replaced_keys.contains(&given.key));
    }

    /// Adds the backend protocol from `appProtocol` if nothing else sets it. The ports of several URLs may have different
    /// protocols.
    fn port_protocol(&mut self, plan: &Plan, below: &mut Layer, block: &Layer) {
        let intent = Intent::BackendProtocol;
        let is_said = |layer: &Layer| !layer.intent_values.slot(intent).is_unset();
        if is_said(below) || is_said(block) || self.layers.iter().any(is_said) {
            return;
        }
        match plan.port_protocols.as_slice() {
            [(only, at)] if *only != BackendProtocol::Http => {
                let intent_value = Sourced::new(IntentValue::Protocol(*only), protocol_origin(*at));
                below.intent_values.set(intent, Slot::Set(intent_value));
            }
            [(first, _), (second, at), ..] if has_one_protocol(plan) => {
                let name = plan.program_name(Target::Ingress);
                let message = format!(
                    "the ports of the URLs use {first} and {second}, but {name} has one protocol for the whole Ingress"
                );
                let help = format!(
                    "set {} to the protocol of all of them, or expose them by several Services",
                    intent.annotation()
                );
                let problem = Problem::new(Code::ProtocolsDiffer, message).help(help);
                self.report.file(protocol_origin(*at).path(), problem);
            }
            _ => {}
        }
    }

    /// Handles an annotation that expresses the same intent as an option. The option overrides an annotation of the settings, which
    /// is removed; an annotation of the Service that contradicts it is an Error.
    fn replace_annotations(
        &mut self,
        plan: &mut Plan,
        intent: Intent,
        wanted: &Sourced<IntentValue>,
        other: &ReadIntent,
    ) {
        if !other.is_forwarded {
            plan.annotations.retain(|given| given.is_forwarded() || !other.keys.contains(&given.key));
        } else if other.intent_value != wanted.value
            && let Some(first) = plan.annotations.iter().find(|given| other.keys.contains(&given.key))
        {
            first.file_key(self.report, contradiction(&quoted(&first.key), intent.annotation()));
        }
    }

    /// The authentication that the option `Auth` chooses by its name.
    fn chosen_auth(&mut self) -> Option<Sourced<&'v IntentValues>> {
        let settings = self.settings;
        let chosen = self.layers.first(|it| &it.auth)?;
        if let Some(intent_values) = settings.auth.get(&chosen.value) {
            return Some(Sourced::new(intent_values, chosen.origin.clone()));
        }
        let names = || settings.auth.iter().map(|(name, _)| name);
        let help = match did_you_mean(&chosen.value, names().take(100)) {
            Some(meant) => format!("did you mean {meant}?"),
            None if matches!(chosen.origin, Origin::Setting(_)) => {
                "add it to the setting auth, or choose one of it".to_owned()
            }
            None => "ask your administrator for the setting auth".to_owned(),
        };
        let message = format!("there is no authentication {}", quoted(&chosen.value));
        self.report.file(chosen.origin.path(), Problem::new(Code::IntentInvalid, message).help(help));
        None
    }
}
