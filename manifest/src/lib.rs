//! Kubernetes manifests as text: parsed with the places of their parts, written in a form that every parser reads alike, and
//! diagnostics that show the line they are about.
//!
//! [`load`] parses YAML or JSON into [`serde_json::Value`]s and keeps the place of each part. [`Document::locate`] returns the
//! place of a path, and [`to_yaml`] writes a value. A [`File`] returns the [`Place`] of a [`Diagnostic`](xposer::Diagnostic),
//! [`write_text`] prints a [`Finding`] with its place, and [`settings()`] reads the settings file. The command line and the
//! controller use this crate.

mod config;
mod document;
pub mod encrypted;
mod file;
mod finding;
mod github;
mod json;
mod lines;
mod message;
mod place;
mod read;
mod sarif;
mod settings;
mod text;
mod visible;
mod write;

pub use config::{Config, ConfigError, EmbeddedPath, SettingPath};
pub use document::{Document, Located};
pub use file::{EXTENSIONS, File, STDIN, is_manifest};
pub use finding::{Finding, Findings, write_json, write_text};
pub use github::write_github;
pub use place::Place;
pub use read::{LoadError, load};
pub use sarif::write_sarif;
pub use settings::SettingsFile;
pub use text::MAX_DEPTH;
pub use visible::{visible, visible_lines};
pub use write::to_yaml;

/// Reads the settings from the text of the file `name`.
///
/// ```
/// assert!(xposer_manifest::settings("config.yaml", "domain: example.com").is_ok());
/// let wrong = xposer_manifest::settings("config.yaml", "domian: example.com").unwrap_err();
/// assert!(wrong.contains("config.yaml:1:1") && wrong.contains("did you mean domain?"));
/// ```
///
/// # Errors
///
/// All errors as `xposer check` prints them: syntax errors, and settings under which every Service would be refused
/// ([`Settings::tried`](xposer::Settings::tried)).
pub fn settings(name: &str, text: impl Into<Vec<u8>>) -> Result<xposer::Settings, String> {
    let file = File::of_bytes(name.to_owned(), text.into());
    let read = file.and_then(|file| SettingsFile::read(file, "xposer check --settings - FILE"));
    read.map(|(_, settings)| settings).map_err(|findings| {
        let mut out = Vec::new();
        // Writing to memory cannot fail.
        let _ = write_text(findings, false, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    })
}
