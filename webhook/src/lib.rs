//! An admission webhook over HTTPS.
//!
//! [`serve`] reads reviews (`AdmissionReview` of `admission.k8s.io/v1`), passes their requests to a [`Handler`], and writes the
//! answers in the format of the API server, with changes as a JSON patch. The `Handler` decides: the controller decides by its
//! settings, and the tests by the policy's module in its real host.
//!
//! The input is bounded: the size of a body, the memory of bodies at the same time, the number of connections, and the time for
//! each step. A body that is no review gets a status of 4xx and a sentence.
//!
//! ```
//! use xposer_admission::Response;
//! use xposer_webhook::PendingReview;
//!
//! let review = br#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "1", "operation": "DELETE"}}"#;
//! let exchange = PendingReview::read(review)?;
//! assert_eq!(exchange.request(), r#"{"uid": "1", "operation": "DELETE"}"#);
//! assert_eq!(exchange.answer(&Response::accepted()),
//!     br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"1","allowed":true}}"#);
//! # Ok::<(), xposer_webhook::InvalidReview>(())
//! ```

mod certificates;
mod connection_slots;
mod exchange;
pub mod http;
mod reader;
mod server;

pub use certificates::{Certificates, Reloaded};
pub use exchange::{InvalidReview, PendingReview};
pub use reader::Reader;
pub use server::{Handler, MAX_BODY, Outcome, PATH, serve};
