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

use std::path::{Path, PathBuf};

pub mod cases;
pub mod golden;
pub mod host;
pub mod kubewarden;
pub mod package;
pub mod reference;
pub mod schema;

/// The Rust files below a folder, also in the folders below it, in order: what the tests of the structure read.
///
/// ```
/// use xposer_testkit::{rust_files, workspace};
/// let files = rust_files(&workspace().join("testkit/src")).unwrap();
/// assert!(files.contains(&workspace().join("testkit/src/reference/mod.rs")) && files.is_sorted());
/// ```
///
/// # Errors
///
/// A folder that cannot be read.
pub fn rust_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in cases::entries(folder)? {
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

/// The folder of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}
