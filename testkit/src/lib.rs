//! The test kit: one truth for every door.
//!
//! A case is a folder `tests/cases/<slug>/` with an input and what must become of it ([`cases`]). The suites run every
//! case through the core and through the programs around it and compare with the files of the folder ([`golden`]). The
//! reference pages below `docs/reference/` are made from the core's tables ([`reference`](mod@reference)), so that they
//! cannot go stale either.
//!
//! ```
//! let cases = xposer_testkit::cases::all().unwrap();
//! let case = cases.iter().find(|case| case.slug == "blog-static").unwrap();
//! assert!(case.run().objects.contains("host: forecastle.stakater.com"));
//! ```

pub mod cases;
pub mod golden;
pub mod host;
pub mod kubewarden;
pub mod package;
pub mod reference;
pub mod schema;
pub mod source;

pub use source::workspace;
