//! What is decided about an object.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::value::RawValue;
use xposer::{Diagnostic, Outcome, Service, Settings, Severity, expose};

use crate::question::{Asked, Question, Review};
use crate::request::Request;
use crate::response::Response;
use crate::{guard, object};

/// Reviews a request.
///
/// The status of a refusal is 422; a request that cannot be read has 400.
#[must_use]
pub fn review(request: &Request<'_>, settings: &Settings) -> Review {
    match Reviewed::of(request) {
        Ok(Some(reviewed)) => reviewed.review(settings),
        Ok(None) => Review::Answered(Response::accepted()),
        Err(response) => Review::Answered(response),
    }
}

/// An object that is created or updated.
pub struct Reviewed<'p> {
    request: &'p Request<'p>,
    text: &'p RawValue,
    /// A Service as far as it is read; `None` for an object of another kind.
    service: Option<Value>,
}

impl<'p> Reviewed<'p> {
    /// What is reviewed of a request; `None` where it is accepted unchanged whatever the settings say: other operations than
    /// creations and updates, other kinds, subresources, and Services that are being deleted and only wait for their finalizers.
    ///
    /// A program that has to read its settings for every request asks this first. Others call [`review`].
    ///
    /// # Errors
    ///
    /// The object cannot be read; the response says why.
    pub fn of(request: &'p Request<'p>) -> Result<Option<Self>, Response> {
        let Some(text) = request.object.filter(|_| request.writes()) else { return Ok(None) };
        if request.is_for_guarded() {
            return Ok(Some(Self { request, text, service: None }));
        }
        if !request.is_for_service() {
            return Ok(None);
        }
        let object = object::read(text).map_err(|error| Response::unreadable(&error))?;
        if object::is_being_deleted(&object) || (request.kind.is_none() && !xposer::is_service(&object)) {
            return Ok(None);
        }
        Ok(Some(Self { request, text, service: Some(object) }))
    }

    /// Reviews the object under these settings.
    #[must_use]
    pub fn review(self, settings: &Settings) -> Review {
        match self.service {
            Some(service) => review_service(self.request, self.text, service, settings),
            None => guard::review(self.request, self.text, settings)
                .unwrap_or_else(|error| Review::Answered(Response::unreadable(&error))),
        }
    }
}

fn review_service(request: &Request<'_>, text: &RawValue, object: Value, settings: &Settings) -> Review {
    let service = Service::from_value(&object).with_default_namespace(request.namespace());
    let (plan, report) = match expose(&service, settings) {
        Outcome::NotExposed { report } => (None, report.unwrap_or_default()),
        Outcome::Refused(report) | Outcome::Conflicting(report) => {
            return Review::Answered(Response::of(&report, &is_error));
        }
        Outcome::Planned { plan, report } => (Some(plan), report),
    };
    let stamps = settings.stamp();
    match (plan, Question::claims(settings)) {
        (Some(plan), Some(claims)) => {
            let created = request.created(&object);
            let texts = plan.claim_texts();
            let had = if request.is_audit() {
                texts.iter().map(|claim| claim.text.clone()).collect()
            } else {
                claims_before(request, settings)
            };
            let asked = Asked::Service { plan, had, stamped: stamps.then(|| (text.to_owned(), object)) };
            Review::Asks(Box::new(Question::new(&texts, claims, asked, created, report)))
        }
        (plan, _) => {
            let response = Response::of(&report, &is_error);
            if !stamps {
                return Review::Answered(response);
            }
            Review::Answered(response.with_change(object::stamped(text, object, plan.as_deref())))
        }
    }
}

/// What a Service asked for before it is updated.
fn claims_before(request: &Request<'_>, settings: &Settings) -> BTreeSet<String> {
    let old = request.old_object.and_then(|old| object::read(old).ok());
    let outcome = old
        .as_ref()
        .map(|old| expose(&Service::from_value(old).with_default_namespace(request.namespace()), settings));
    let texts = outcome.as_ref().and_then(Outcome::plan).map(xposer::Plan::claim_texts);
    texts.into_iter().flatten().map(|claim| claim.text).collect()
}

fn is_error(finding: &Diagnostic) -> bool {
    finding.severity == Severity::Error
}
