//! Reviews objects that were written by hand and that assign hosts in a controller.

use serde_json::Value;
use serde_json::value::RawValue;
use xposer::Settings;
use xposer::guard::Guarded;
use xposer::options::Mode;
use xposer::service::{MANAGED_BY, MANAGED_BY_LABEL};

use crate::object;
use crate::question::{Question, Review, Subject};
use crate::request::Request;
use crate::response::{Response, is_error};

/// Reviews the object of a request.
pub(crate) fn review<'a>(
    request: &Request<'a>,
    text: &RawValue,
    settings: &'a Settings,
) -> serde_json::Result<Review<'a>> {
    let passes = Ok(Review::Answered(Response::accepted()));
    let mode = settings.guard().mode_of(request.kind());
    if mode == Mode::Off || settings.guard().exempts(request.user()) {
        return passes;
    }
    let object = read(request, text)?;
    // An audit request names no user. For an audit, the labels of Xposer are enough although anybody can set them, because an audit
    // refuses nothing.
    let is_marked = |object: &Value| {
        let labels = object::of_metadata(object, "labels");
        labels.and_then(|it| it.get(MANAGED_BY_LABEL)).and_then(Value::as_str) == Some(MANAGED_BY)
    };
    if request.is_audit() && is_marked(&object) {
        return passes;
    }
    let old = request.old_object.map(|old| read(request, old)).transpose()?;
    let Some(guarded) = Guarded::read_with(&object, settings) else { return passes };
    let old_guarded = old.as_ref().and_then(|old| Guarded::read_with(old, settings));
    let report = guarded.check(settings, old_guarded.as_ref());
    let claims = Question::claims(settings);
    let Some(claims) = claims else {
        return Ok(Review::Answered(Response::of(&report, &|finding| {
            mode == Mode::Deny && is_error(finding)
        })));
    };
    let added = guarded.claims_beside(old_guarded.as_ref());
    let created = request.created(&object);
    let question =
        Question::new(&added, claims, Subject::Guarded { object, old, mode, settings }, created, report);
    // A request that adds no claims needs no look-up.
    Ok(match question.names() {
        [] => Review::Answered(question.answer(&[], 0)),
        _ => Review::Asks(Box::new(question)),
    })
}

/// Parses the object, and adds the namespace of the request if the object has none.
fn read(request: &Request<'_>, text: &RawValue) -> serde_json::Result<Value> {
    let mut object = object::read_guarded(text)?;
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.entry("namespace").or_insert_with(|| request.namespace().into());
    }
    Ok(object)
}
