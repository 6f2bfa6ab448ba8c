//! A file with settings.

use serde_json::Value;
use xposer::{Diagnostic, Segment, Settings};

use crate::config::{Config, Spot, Wrong};
use crate::encrypted::{SOPS, SOPS_KEY, first_encrypted, has_sops};
use crate::file::{File, accused};
use crate::finding::{Finding, Findings};
use crate::place::Place;

/// A text with settings, and where in its document they stand.
pub struct SettingsFile {
    file: File,
    config: Config,
    /// What is to be said about them that keeps nothing from being used.
    note: Option<Finding<'static>>,
}

impl SettingsFile {
    /// Reads the settings of a file, from what stands in it or in the object that it holds. `command` is what reads settings from
    /// standard input, for the help of an encrypted file.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with them.
    pub fn read(file: File, command: &str) -> Result<(Self, Settings), Findings> {
        let document = match file.documents.as_slice() {
            [] => return Ok((Self { file, config: Config::default(), note: None }, Settings::default())),
            [document] => document,
            [_, second, ..] => {
                let place = file.place_at(second, std::iter::empty());
                let said = format!("expected one document with settings, found {}", file.documents.len());
                return Err(vec![Finding::input(said).at(place).help("remove all but one")]);
            }
        };
        if let Some(way) = encrypted_settings(&document.value) {
            let help = SOPS.help(file.path(), command);
            return Err(vec![Finding::input(SOPS.said()).at(file.place_of_key(document, way)).help(help)]);
        }
        let config = Config::of_document(&document.value).map_err(|wrong| {
            let finding = |wrong: Wrong| {
                let place = file.place_of_part(document, &wrong.way, wrong.range.as_ref());
                wrong.help.into_iter().fold(Finding::input(wrong.said).at(place), Finding::help)
            };
            wrong.into_iter().map(finding).collect::<Findings>()
        })?;
        let read = Settings::tried(&config.settings);
        let note = config.missing.as_ref().map(|missing| {
            let place = file.place_of_key(document, [Segment::Key("kind".into())]);
            Finding::warning(missing.said.clone()).help(missing.help.clone()).at(place)
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

    /// What is to be said about them that keeps nothing from being used.
    pub fn note(&self) -> Option<&Finding<'static>> {
        self.note.as_ref()
    }

    /// Where the text is that a diagnostic about the settings accuses.
    pub fn place_of(&self, diagnostic: &Diagnostic) -> Option<Place> {
        let document = self.file.documents.first()?;
        let Spot { way, inside } = self.config.spot(diagnostic.path.segments());
        Some(match inside {
            None => self.file.place_of(document, way.into_iter(), diagnostic),
            Some(inside) => {
                let part = accused(inside.text, inside.document, &inside.way, diagnostic);
                self.file.place_of_part(document, &way, Some(&part))
            }
        })
    }
}

/// The way to what shows that SOPS encrypted the settings.
fn encrypted_settings(document: &Value) -> Option<Vec<Segment>> {
    if has_sops(document) { Some(vec![Segment::Key(SOPS_KEY.into())]) } else { first_encrypted(document) }
}
