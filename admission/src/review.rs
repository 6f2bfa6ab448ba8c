//! The review of an object.

use serde_json::value::RawValue;
use xposer::{Outcome, Settings, expose};

use crate::question::{PreviousClaims, Question, Review, Subject};
use crate::request::Request;
use crate::response::{Response, is_error};
use crate::{guard, object};

/// Reviews a request.
///
/// The status code of a refusal is 422; a request that cannot be parsed gets 400.
#[must_use]
pub fn review<'a>(request: &Request<'a>, settings: &'a Settings) -> Review<'a> {
    match Reviewed::of(request) {
        Ok(Some(reviewed)) => reviewed.review(settings),
        Ok(None) => Review::Answered(Response::accepted()),
        Err(response) => Review::Answered(response),
    }
}

/// The object of a request that creates or updates it.
pub struct Reviewed<'r, 'p> {
    request: &'r Request<'p>,
    text: &'p RawValue,
    /// The Service; `None` if the object is of another kind.
    service: Option<object::Service<'p>>,
}

impl<'r, 'p> Reviewed<'r, 'p> {
    /// Reads the object to review from a request. Returns `None` if the request is accepted unchanged under all settings: other
    /// operations than creations and updates, other kinds, subresources, and Services that are being deleted and only wait for
    /// their finalizers.
    ///
    /// A program that has to parse its settings for every request calls this first. Other programs call [`review`].
    ///
    /// # Errors
    ///
    /// A response that tells why the object cannot be parsed.
    pub fn of(request: &'r Request<'p>) -> Result<Option<Self>, Response> {
        let Some(text) = request.object.filter(|_| request.writes()) else { return Ok(None) };
        if request.is_for_guarded() {
            return Ok(Some(Self { request, text, service: None }));
        }
        if !request.is_for_service() {
            return Ok(None);
        }
        let service = object::Service::read(text).map_err(|error| Response::unreadable(&error))?;
        let tree = &service.tree;
        if object::is_being_deleted(tree) || (request.kind.is_none() && !xposer::is_service(tree)) {
            return Ok(None);
        }
        Ok(Some(Self { request, text, service: Some(service) }))
    }

    /// Reviews the object under these settings.
    #[must_use]
    pub fn review<'a>(self, settings: &'a Settings) -> Review<'a>
    where
        'p: 'a,
    {
        match self.service {
            Some(service) => review_service(self.request, service, settings),
            None => guard::review(self.request, self.text, settings)
                .unwrap_or_else(|error| Review::Answered(Response::unreadable(&error))),
        }
    }
}

fn review_service<'a>(
    request: &Request<'a>,
    object: object::Service<'a>,
    settings: &'a Settings,
) -> Review<'a> {
    let service = xposer::Service::from_value(&object.tree).with_default_namespace(request.namespace());
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
            let created = request.created(&object.tree);
            let texts = plan.admission_claim_texts();
            let before = match request.old_object {
                _ if request.is_audit() => PreviousClaims::Same,
                Some(old) => {
                    PreviousClaims::Other { old, namespace: request.namespace().to_owned(), settings }
                }
                None => PreviousClaims::Nothing,
            };
            let asked = Subject::Service { plan, before, stamped: stamps.then_some(object) };
            Review::Asks(Box::new(Question::new(&texts, claims, asked, created, report)))
        }
        (plan, _) => {
            let response = Response::of(&report, &is_error);
            if !stamps {
                return Review::Answered(response);
            }
            Review::Answered(response.with_change(object.stamped(plan.as_deref())))
        }
    }
}
