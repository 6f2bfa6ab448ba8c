//! What is decided about an object.

use serde_json::Value;
use serde_json::value::RawValue;
use xposer::emit::stamp;
use xposer::{Outcome, Service, Settings, expose};

use crate::object;
use crate::question::Question;
use crate::request::Request;
use crate::response::Response;

/// The answer to a request, or what has to be looked up first.
#[derive(Clone, Debug)]
pub enum Review {
    /// The answer.
    Answered(Response),
    /// The answer depends on what the cluster has.
    Asks(Question),
}

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
    text: &'p RawValue,
    object: Value,
    /// That of the request; empty if it has none.
    namespace: &'p str,
}

impl<'p> Reviewed<'p> {
    /// What is reviewed of a request; `None` where it is accepted unchanged whatever the settings say: other operations than
    /// creations and updates, other kinds, subresources, and objects that are being deleted and only wait for their finalizers.
    ///
    /// A program that has to read its settings for every request asks this first. Others call [`review`].
    ///
    /// # Errors
    ///
    /// The object cannot be read; the response says why.
    pub fn of(request: &'p Request<'_>) -> Result<Option<Self>, Response> {
        let Some(text) = request.object.filter(|_| request.is_for_service()) else { return Ok(None) };
        let object = object::read(text).map_err(|error| Response::unreadable(&error))?;
        // Refusing the update that removes the last finalizer would keep the Service alive for ever.
        let is_being_deleted = object.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null());
        if is_being_deleted || (request.kind.is_none() && !xposer::is_service(&object)) {
            return Ok(None);
        }
        Ok(Some(Self { text, object, namespace: request.namespace.as_deref().unwrap_or_default() }))
    }

    /// Reviews the object under these settings.
    #[must_use]
    pub fn review(self, settings: &Settings) -> Review {
        Review::Answered(self.decide(settings).unwrap_or_else(|error| Response::unreadable(&error)))
    }

    fn decide(mut self, settings: &Settings) -> serde_json::Result<Response> {
        let service = Service::from_value(&self.object).with_default_namespace(self.namespace);
        let (mut response, stamp) = match expose(&service, settings) {
            Outcome::NotExposed { report: None } => (Response::accepted(), None),
            Outcome::NotExposed { report: Some(report) } => {
                (Response::accepted().with_findings(&report), None)
            }
            Outcome::Refused(report) | Outcome::Conflicting(report) => return Ok(Response::refused(&report)),
            Outcome::Planned { plan, report } => (Response::accepted().with_findings(&report), plan.stamp()),
        };
        if settings.stamp() && stamp::write(&mut self.object, stamp.as_ref()) {
            let annotations = self.object.pointer("/metadata/annotations").unwrap_or(&Value::Null);
            response = response.with_object(object::with_annotations(self.text, annotations)?);
        }
        Ok(response)
    }
}
