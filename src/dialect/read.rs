//! The meaning of the annotations of other programs, as intents that are independent of any program.

use super::controller::Controller;
use super::key::Key;
use super::{NativeFeature, effect, nginx};
use crate::diagnostics::Origin;
use crate::intents::{Intent, IntentValue};
use crate::plan::{Annotation, Plan};
use crate::values::Target;

/// The common meaning of one or more annotations.
#[derive(Clone, Debug)]
pub(crate) struct ReadIntent {
    pub(crate) intent: Intent,
    pub(crate) intent_value: IntentValue,
    /// The keys of the annotations.
    pub(crate) keys: Vec<String>,
    /// The origin of the first annotation.
    pub(crate) origin: Origin,
    /// Whether the Service's author forwarded the first annotation.
    pub(crate) is_forwarded: bool,
}

impl ReadIntent {
    /// Returns the meaning of a list of annotations; the first one supplies the origin.
    pub(crate) fn new(intent: Intent, intent_value: IntentValue, given: &[&Annotation]) -> Option<Self> {
        let first = given.first()?;
        let keys = given.iter().map(|it| it.key.clone()).collect();
        Some(Self { intent, intent_value, keys, origin: first.origin(), is_forwarded: first.is_forwarded() })
    }
}

/// Returns the meanings of a plan's annotations. A meaning that no intent can express is missing; the rule `protection` checks
/// each annotation without a meaning.
pub(crate) fn read(plan: &Plan) -> Vec<ReadIntent> {
    #[cfg(test)]
    tests::READS.set(tests::READS.get() + 1);
    let mut meant = nginx::read::read(plan);
    if !meant.iter().any(|it| it.intent == Intent::TlsPassthrough) {
        meant.extend(passthrough(plan));
    }
    meant
}

/// Returns TLS passthrough, if an annotation that the controller of the Ingress reads turns it on. No request is read then.
pub(crate) fn passthrough(plan: &Plan) -> Option<ReadIntent> {
    // A program without a dialect reads its own annotations, and no rule knows more about it.
    let controller = Some(plan.controller(Target::Ingress)).filter(|it| *it != Controller::Other)?;
    let is_on = |it: &&Annotation| {
        let passes = |known: &Key| known.native == NativeFeature::Passthrough && !known.neutral.is(&it.value);
        controller.reads(&it.key) && effect(&it.key).is_some_and(passes)
    };
    let given = plan.annotations.iter().filter(|_| plan.targets.contains(&Target::Ingress)).find(is_on)?;
    ReadIntent::new(Intent::TlsPassthrough, IntentValue::Switch(true), &[given])
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde_json::json;

    use crate::service::FORWARD_ANNOTATION;
    use crate::testing;

    std::thread_local! {
        /// The number of times that annotations were read in this thread.
        pub(super) static READS: Cell<usize> = const { Cell::new(0) };
    }

    /// A check of one annotation needs the meanings of all of them. Reading them for each check would take quadratic time.
    #[test]
    fn annotations_are_read_once_however_many_there_are() {
        let pattern = "alb.ingress.kubernetes.io/wafv2-acl-";
        for (lines, class) in
            [(1, "traefik"), (400, "traefik"), (400, "alb"), (400, "contour"), (400, "traefik-nginx")]
        {
            let mut block: String = (0..lines).map(|at| format!("{pattern}{at}: x\n")).collect();
            block.push_str("nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8\n");
            let annotations = [
                (FORWARD_ANNOTATION, block.as_str()),
                ("IngressClassName", class),
                ("MaxBodySize", "10Mi"),
                ("StripPrefix", "true"),
            ];
            READS.set(0);
            let outcome = testing::plan(&annotations, json!({"tls": true}));
            let emitted = outcome.as_ref().ok().map(crate::Plan::emit);
            assert_eq!(READS.get(), 1, "{class}, {lines}: {}", emitted.is_some());
        }
    }

    /// The annotations of a stable Service are read for all of its canaries at once.
    #[test]
    fn a_stable_service_is_read_once_for_all_canaries() {
        const CANARIES: usize = 20;
        let host = ("IngressURLTemplate", "shop.example.com");
        let mut services = vec![testing::service(&[host, ("AllowedSources", "10.0.0.0/8")])];
        services.extend((0..CANARIES).map(|at| {
            let weight = [host, ("CanaryOf", "web"), ("CanaryWeight", "1"), ("AllowedSources", "10.0.0.0/8")];
            let mut canary = testing::service(&weight);
            canary["metadata"]["name"] = format!("canary-{at}").into();
            canary
        }));
        let services: Vec<_> = services.iter().map(crate::Service::from_value).collect();
        READS.set(0);
        let settings = crate::Settings::default();
        let outcomes = crate::expose_all(&services, &settings, crate::Precedence::RefuseAll);
        assert_eq!(outcomes.len(), CANARIES + 1);
        // Each Service is read once for its plan. For the comparison, each canary is read again, and the stable Service once
        // for all of them.
        assert_eq!(READS.get(), 2 * CANARIES + 2);
    }
}
