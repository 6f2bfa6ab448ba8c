//! Reports about exposed Services: their URLs, controllers and certificates, and who has access.
//!
//! [`Report::new`] makes a report from Services and the core's decisions about them. The report is data: [`Report::to_json`] writes
//! it for programs, [`Report::to_html`] as a self-contained page, and [`Report::to_mermaid`] as a graph.
//!
//! ```
//! use serde_json::json;
//! use xposer::{Precedence, Service, Settings, expose_all, testing};
//! use xposer_report::{Options, Report};
//! let (service, settings) = (testing::service(&[]), Settings::from_value(&json!({"domain": "example.com"}))?);
//! let services = [Service::from_value(&service)];
//! let outcomes = expose_all(&services, &settings, Precedence::RefuseAll);
//! let report = Report::new(&services, &outcomes, &settings, &Options::default());
//! assert_eq!(report.rows[0].urls[0].url, "http://web.shop.example.com");
//! assert!(report.to_html().contains("<a href=\"http://web.shop.example.com\""));
//! # Ok::<(), xposer::Report>(())
//! ```

pub mod changes;
mod exposed;
mod html;
mod mermaid;
pub mod model;
mod rows;

pub use html::content_security_policy;
pub use model::{Place, Report};
pub use rows::{Options, PlaceOf};
