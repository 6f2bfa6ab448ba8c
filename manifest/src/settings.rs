//! A settings file.

use serde_json::Value;
use xposer::diagnostics::Segment;
use xposer::{Diagnostic, Settings};

use crate::config::{Config, ConfigError, SettingPath};
use crate::encrypted::{SOPS, SOPS_KEY, first_encrypted, has_sops};
use crate::file::{File, span_of};
use crate::finding::{Finding, Findings};
use crate::place::Place;

/// A settings file, with the places of its settings.
///
/// ```
/// use xposer::{Plan, Service, expose, testing};
/// use xposer_manifest::{File, SettingsFile};
///
/// let file = File::of_bytes("config.yaml".to_owned(), b"domain: example.com".to_vec()).unwrap();
/// let (file, settings) = SettingsFile::read(file, "xposer check --settings - FILE").unwrap();
/// assert!(file.note().is_none());
/// let service = testing::service(&[]);
/// let outcome = expose(&Service::from_value(&service), &settings);
/// assert_eq!(outcome.plan().map(Plan::url).as_deref(), Some("http://web.shop.example.com"));
/// ```
pub struct SettingsFile {
    file: File,
    config: Config,
    /// A warning about the file.
    note: Option<Finding<'static>>,
}

impl SettingsFile {
    /// Reads the settings of a file: the document itself, or a part of an object such as a ConfigMap. The help for an encrypted
    /// file contains `command`, which reads settings from standard input.
    ///
    /// # Errors
    ///
    /// All errors of the file and of its settings.
    pub fn read(file: File, command: &str) -> Result<(Self, Settings), Findings> {
        let document = match file.documents.as_slice() {
            [] => return Ok((Self { file, config: Config::default(), note: None }, Settings::default())),
            [document] => document,
            [_, second, ..] => {
                let place = file.place_at(second, std::iter::empty());
                let message = format!("expected one document with settings, found {}", file.documents.len());
                return Err(vec![Finding::input(message).at(place).help("remove all but one")]);
            }
        };
        if let Some(path) = encrypted_settings(&document.value) {
            let help = SOPS.help(file.path(), command);
            return Err(vec![
                Finding::input(SOPS.message()).at(file.place_of_key(document, path)).help(help),
            ]);
        }
        let config = Config::of_document(&document.value).map_err(|errors| {
            let finding = |ConfigError { path, range, message, help }| {
                let place = file.place_of_part(document, &path, range.as_ref());
                help.into_iter().fold(Finding::input(message).at(place), Finding::help)
            };
            errors.into_iter().map(finding).collect::<Findings>()
        })?;
        let read = Settings::tried(&config.settings);
        let note = config.missing.as_ref().map(|(message, help)| {
            let place = file.place_of_key(document, [Segment::Key("kind".into())]);
            Finding::warning(message.clone()).help(help.clone()).at(place)
        });
        let file = Self { file, config, note };
        match read {
            Ok(settings) => Ok((file, settings)),
            Err(report) => {
                let found = report.diagnostics().iter();
                Err(found.map(|found| Finding::owned(found.clone()).at(file.place_of(found))).collect())
            }
        }
    }

    /// A warning about the file.
    pub fn note(&self) -> Option<&Finding<'static>> {
        self.note.as_ref()
    }

    /// Returns the place of a diagnostic about the settings.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::Settings;
    /// use xposer_manifest::{File, SettingsFile};
    ///
    /// let file = File::of_bytes("config.yaml".to_owned(), b"domain: example.com".to_vec()).unwrap();
    /// let (file, _) = SettingsFile::read(file, "xposer check --settings - FILE").unwrap();
    /// let report = Settings::from_value(&json!({"domain": 1})).unwrap_err();
    /// assert!(file.place_of(&report.diagnostics()[0]).is_some());
    /// ```
    pub fn place_of(&self, diagnostic: &Diagnostic) -> Option<Place> {
        let document = self.file.documents.first()?;
        let SettingPath { path, embedded } = self.config.locate(diagnostic.path.segments().iter().cloned());
        Some(match embedded {
            None => self.file.place_of(document, path.into_iter(), diagnostic),
            Some(embedded) => {
                let part = span_of(embedded.text, embedded.document, &embedded.path, diagnostic);
                self.file.place_of_part(document, &path, Some(&part))
            }
        })
    }
}

/// The path to the value which shows that SOPS encrypted the settings.
fn encrypted_settings(document: &Value) -> Option<Vec<Segment>> {
    if has_sops(document) { Some(vec![Segment::Key(SOPS_KEY.into())]) } else { first_encrypted(document) }
}
