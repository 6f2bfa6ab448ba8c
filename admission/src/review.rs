//! What is decided about an object.

use serde_json::Value;
use serde_json::value::RawValue;
use xposer::options::Mode;
use xposer::{Diagnostic, Outcome, Service, Settings, Severity, expose};

use crate::object;
use crate::question::{Asked, Question};
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
    /// When the API server created the object; empty if it is being created.
    created: String,
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
        // Whoever creates or changes an object can write any time into it.
        let created = match request.old_object {
            Some(old) => object::created(old),
            None if request.is_audit() => object::time_of(&object),
            None => String::new(),
        };
        Ok(Some(Self { text, object, namespace: request.namespace.as_deref().unwrap_or_default(), created }))
    }

    /// Reviews the object under these settings.
    #[must_use]
    pub fn review(self, settings: &Settings) -> Review {
        let service = Service::from_value(&self.object).with_default_namespace(self.namespace);
        let (plan, report) = match expose(&service, settings) {
            Outcome::NotExposed { report } => (None, report.unwrap_or_default()),
            Outcome::Refused(report) | Outcome::Conflicting(report) => {
                return Review::Answered(Response::of(&report, &is_error));
            }
            Outcome::Planned { plan, report } => (Some(plan), report),
        };
        let stamps = settings.stamp();
        match (plan, settings.claims().filter(|claims| claims.mode() != Mode::Off)) {
            (Some(plan), Some(claims)) => {
                let stamped = stamps.then(|| (self.text.to_owned(), self.object));
                let texts = plan.claim_texts();
                let asked = Asked::Service { plan, stamped };
                Review::Asks(Question::new(&texts, claims, asked, self.created, report))
            }
            (plan, _) => {
                let response = Response::of(&report, &is_error);
                if !stamps {
                    return Review::Answered(response);
                }
                Review::Answered(response.with_change(object::stamped(
                    self.text,
                    self.object,
                    plan.as_deref(),
                )))
            }
        }
    }
}

fn is_error(finding: &Diagnostic) -> bool {
    finding.severity == Severity::Error
}
