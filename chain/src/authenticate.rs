//! A stand-in for external authentication. It answers at its own address, and as the backend of each Service with its name.

use http_body_util::Full;
use hyper::header::{AUTHORIZATION, HeaderValue};
use hyper::{Request, Response, StatusCode};

use crate::http::Answer;

/// The name of a Service that is this stand-in.
pub(crate) const NAME: &str = "authenticate";
/// What a request has to have in `authorization`.
pub const GOOD: &str = "Bearer good";

/// 200, with the user in a header, for the good token; else 401.
pub(crate) fn answer(request: &Request<impl Sized>) -> Answer {
    let mut answer = Response::new(Full::default());
    if request.headers().get(AUTHORIZATION).is_some_and(|token| token == GOOD) {
        answer.headers_mut().insert("x-user", HeaderValue::from_static("alice"));
    } else {
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
    }
    answer
}
