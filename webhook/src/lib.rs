//! An admission webhook over HTTPS.
//!
//! [`serve`] reads reviews (`AdmissionReview` of `admission.k8s.io/v1`), has a [`Door`] answer their requests, and writes the answers
//! as the API server expects them, with what was changed as a JSON patch. Nothing is decided here: the controller answers by its settings,
//! and the tests by the policy's module in its real host.
//!
//! What is read is bounded: the size of a body, the bodies that are held at the same time, the connections, and the time for
//! each step. Whatever is no review is answered with a status of 4xx and a sentence.
//!
//! ```
//! use xposer_admission::Response;
//! use xposer_webhook::Exchange;
//!
//! let review = br#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "1", "operation": "DELETE"}}"#;
//! let exchange = Exchange::read(review)?;
//! assert_eq!(exchange.request(), r#"{"uid": "1", "operation": "DELETE"}"#);
//! assert_eq!(exchange.answer(&Response::accepted()),
//!     br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"1","allowed":true}}"#);
//! # Ok::<(), xposer_webhook::NoReview>(())
//! ```

mod certificates;
mod exchange;
mod places;
mod reader;
mod server;

pub use certificates::{Certificates, Reloaded};
pub use exchange::{Exchange, NoReview};
pub use reader::Reader;
pub use server::{Door, MAX_BODY, Outcome, PATH, serve};
