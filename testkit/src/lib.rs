//! The test kit: all programs are tested with the same cases.
//!
//! A case is a folder `tests/cases/<slug>/` with an input and the expected results ([`cases`]). The test suites run every case
//! through the core and the programs that use it, and compare the results with the files of the folder ([`golden`]). The reference
//! pages below `docs/reference/` are generated from the core's tables ([`reference`](mod@reference)).
//!
//! ```
//! let cases = xposer_testkit::cases::all().unwrap();
//! let case = cases.iter().find(|case| case.slug == "blog-static").unwrap();
//! assert!(case.run().objects.contains("host: forecastle.stakater.com"));
//! ```

pub mod cases;
pub mod cluster;
pub mod cookbook;
pub mod fuel;
pub mod golden;
pub mod growth;
pub mod host;
pub mod kubewarden;
pub mod net;
pub mod package;
pub mod reference;
pub mod schema;
pub mod source;

pub use source::workspace;
