//! A stand-in for an external authentication server. It listens at its own address, and as the backend of every Service with its
//! name.

use http_body_util::Full;
use hyper::header::{AUTHORIZATION, HeaderValue};
use hyper::{Request, Response, StatusCode};

use crate::http::Answer;

/// The name of a Service that is this stand-in.
pub(crate) const NAME: &str = "authenticate";
/// The value of `authorization` that is accepted.
pub const GOOD: &str = "Bearer good";

/// Responds with 200 and a header with the user if the token is accepted, and with 401 otherwise.
pub(crate) fn answer(request: &Request<impl Sized>) -> Answer {
    let mut answer = Response::new(Full::default());
    if request.headers().get(AUTHORIZATION).is_some_and(|token| token == GOOD) {
        answer.headers_mut().insert("x-user", HeaderValue::from_static("alice"));
    } else {
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
    }
    answer
}
