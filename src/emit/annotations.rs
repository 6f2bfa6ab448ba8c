//! The annotations that an object gets, and the findings about those that it does not get.

use std::cell::LazyCell;

use super::Emitting;
use super::metadata::{Annotations, with_intents};
use crate::check::{has_finding, is_fulfilled_otherwise, is_passed, redirects_despite, wanted_by};
use crate::diagnostics::{Code, Problem, quoted};
use crate::dialect::equivalents::equivalent;
use crate::dialect::legacy::{Legacy, Migration, find};
use crate::dialect::mappings::{conflicting_aliases, is_annotation_of, loses_part, matches_intent};
use crate::dialect::nginx::paths::is_no_rewrite;
use crate::dialect::support::{Support, support};
use crate::dialect::write::{WrittenAnnotation, annotations_for};
use crate::dialect::{cert_manager, external_dns, forecastle, nginx};
use crate::intents::Intent;
use crate::options::annotations::annotation;
use crate::plan::{Annotation, Reason, Server};
use crate::validation::parse_bool;
use crate::values::Target;

impl<'p> Emitting<'_, 'p> {
    /// The annotations of the object, without those that only Ingress controllers read, which are reported.
    pub(super) fn annotations(&mut self) -> Annotations<'p> {
        self.file_inexpressible_issuer();
        let kept = self.annotations_to_copy();
        with_intents(kept.into_iter(), self.plan, self.target)
    }

    /// The annotations that users gave, without those that no program reads on this target, which are reported.
    pub(super) fn annotations_to_copy(&mut self) -> Vec<&'p Annotation> {
        let plan = self.plan;
        let mut kept = Vec::with_capacity(plan.annotations.len());
        let (twice, target) = (conflicting_aliases(plan), self.target);
        // Lazy, because most plans have no annotation that has to be compared with those of the program.
        let written = LazyCell::new(|| annotations_for(plan, target));
        let mut reported = None;
        for given in &plan.annotations {
            if self.has_listener_set() && cert_manager::is_read_on_listeners(&given.key) {
                continue;
            }
            // `resolve` has reported a key that no current program reads.
            if self.is_removed(&given.key) {
                continue;
            }
            if let Some(message) = self.unread(&given.key) {
                // A line that was copied to two prefixes is reported once.
                if reported.replace(&given.source) != Some(&given.source) {
                    self.file_inexpressible_annotation(given, message);
                }
                continue;
            }
            if is_passed(plan, &given.key, self.target) {
                kept.push(given);
                continue;
            }
            self.file_not_copied(given, &twice, &|| &written);
        }
        kept
    }

    /// Reports an annotation that is not copied: it is translated, or the object does not support it. A rule has reported the others.
    fn file_not_copied<'w>(
        &mut self,
        given: &Annotation,
        twice: &[(&Annotation, &Annotation)],
        written: &dyn Fn() -> &'w [WrittenAnnotation<'p>],
    ) {
        let plan = self.plan;
        if is_no_rewrite(plan, given) {
            let message = format!("{} has no effect: each path is its target already", quoted(&given.key));
            given.file_key(self.report(), Problem::new(Code::IntentTranslated, message));
            return;
        }
        if let Some(known) = equivalent(plan, self.target, &given.key) {
            // A rule has reported a difference.
            if known.differs.is_empty() {
                self.file_translated(given);
            }
            return;
        }
        let wanted = wanted_by(plan, given);
        let support =
            wanted.map(|wanted| support(plan, self.target, wanted.intent, Some(&wanted.intent_value)));
        let is_first = wanted.is_some_and(|wanted| wanted.keys.first() == Some(&given.key));
        let is_said = match support {
            // A rule has reported how the program expresses the intent.
            Some(Support::Partial(_)) if is_first => return,
            Some(support) => support.is_supported(),
            None => match self.target {
                Target::Ingress => nginx::redirect_of(&given.key).is_some() && self.expresses_redirect(given),
                // A route expresses each path that is a regular expression with the same meaning, or a rule reports what the
                // path matches.
                Target::HttpRoute => {
                    given.key == nginx::USE_REGEX
                        && plan.pattern().is_some()
                        && !has_finding(plan, given, self.target)
                }
                Target::Route => false,
            },
        };
        let other = |it: &Annotation| {
            wanted.is_some_and(|wanted| {
                is_annotation_of(plan, self.target, wanted, &it.key)
                    && !wanted.keys.contains(&it.key)
                    && !matches_intent(plan, self.target, written(), wanted, it)
            })
        };
        // The same annotation of an upper layer takes precedence. A rule has reported an annotation with two names.
        if is_said && (twice.iter().any(|(_, second)| *second == given) || plan.annotations.iter().any(other))
        {
            return;
        }
        let is_lost = loses_part(plan, self.target, &given.key);
        if is_said && !is_lost {
            self.file_translated(given);
            return;
        }
        // Nothing is reported twice: a rule has reported the loss, or the target fulfils the intent, so nothing is lost.
        if has_finding(plan, given, self.target) || is_fulfilled_otherwise(plan, given, self.target) {
            return;
        }
        if redirects_despite(plan, given, self.target) {
            let message = format!(
                "{} redirects requests to https in spite of {}; {}: \"false\" applies to every target",
                self.subject(),
                quoted(&given.key),
                annotation::HTTPS_REDIRECT
            );
            self.file_inexpressible_annotation(given, message);
        } else if !nginx::is_intent(&given.key) {
            // The program may have a key for it that Xposer does not know.
            let message =
                format!("{} gets no field or annotation for {}", self.subject(), quoted(&given.key));
            self.file_inexpressible_annotation(given, message);
        }
    }

    /// Whether ingress-nginx read a key once, and no program reads it now. Another controller may read the same key.
    fn is_removed(&self, key: &str) -> bool {
        let controller = self.plan.controller(self.target);
        let is_read = self.target == Target::Ingress && !controller.is_nginx() && controller.reads(key);
        !is_read && matches!(find(key), Some(Legacy { migration: Migration::Removed { .. }, .. }))
    }

    fn file_translated(&mut self, given: &Annotation) {
        let name = self.plan.program_name(self.target);
        let message = format!("{} was translated for {name}", quoted(&given.key));
        given.file_key(self.report(), Problem::new(Code::IntentTranslated, message));
    }

    /// Whether an annotation about the redirect to https is expressed in another way: the object has other words for it, or the
    /// annotation forbids the words that TLS would add.
    fn expresses_redirect(&self, given: &Annotation) -> bool {
        let plan = self.plan;
        let is_supported = support(plan, self.target, Intent::HttpsRedirect, None).is_supported();
        match parse_bool(&given.value) {
            Some(true) => plan.redirects(self.target) && is_supported,
            _ => plan.tls().has_secret() && plan.https_redirect() != Some(true),
        }
    }

    /// Reports the annotations that ingress-nginx does not read, if it is known to serve the class.
    pub(super) fn file_unread(&mut self) {
        let plan = self.plan;
        let is_known = |server: &Server| server.target == self.target && server.reason != Reason::Default;
        if !plan.servers.iter().any(is_known) {
            return;
        }
        for given in &plan.annotations {
            if !self.is_removed(&given.key)
                && !is_passed(plan, &given.key, self.target)
                && !has_finding(plan, given, self.target)
            {
                let name = plan.program_name(self.target);
                self.file_inexpressible_annotation(
                    given,
                    format!("{name} does not read {}", quoted(&given.key)),
                );
            }
        }
    }

    /// The reason why a program does not read a key, or must not read it, on this kind.
    fn unread(&self, key: &str) -> Option<String> {
        match self.target {
            Target::HttpRoute if external_dns::is_of_gateway(key) => {
                Some(format!("ExternalDNS reads {} on the Gateway, not on an HTTPRoute", quoted(key)))
            }
            Target::HttpRoute if forecastle::is_key(key) && self.plan.targets.contains(&Target::Ingress) => {
                Some(format!(
                    "the Ingress has {}, and Forecastle would list the HTTPRoute as well",
                    quoted(key)
                ))
            }
            Target::Route if forecastle::is_key(key) => {
                Some(format!("Forecastle does not read {} on a Route; a ForecastleApp lists it", quoted(key)))
            }
            _ => None,
        }
    }
}
