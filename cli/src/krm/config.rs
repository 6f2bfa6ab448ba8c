//! Reads the settings from the config of the function.

use serde_json::Value;
use xposer::diagnostics::{FieldPath, Root, Segment};
use xposer::{Diagnostic, Settings};

use super::results::{ItemFinding, Located};
use xposer_manifest::SettingPath;
use xposer_manifest::encrypted::{first_encrypted, has_sops};

/// The config, and its settings.
pub(super) struct Config<'c> {
    object: Option<&'c Value>,
    settings: xposer_manifest::Config,
}

impl<'c> Config<'c> {
    /// Reads the config. If it is missing or invalid, the settings are the defaults.
    pub(super) fn new(object: Option<&'c Value>, findings: &mut Vec<ItemFinding>) -> Self {
        let object = object.filter(|object| !object.is_null());
        let Some(config) = object else {
            return Self { object, settings: xposer_manifest::Config::default() };
        };
        if has_sops(config) || first_encrypted(config).is_some() {
            findings.push(ItemFinding::encrypted(config));
            return Self { object, settings: xposer_manifest::Config::default() };
        }
        let settings = xposer_manifest::Config::of_function(config).unwrap_or_else(|wrong| {
            findings.extend(wrong.into_iter().map(|wrong| {
                let path = wrong.path.into_iter().fold(FieldPath::object(&[]), then);
                ItemFinding::error(wrong.message, wrong.help, config, Some(&path))
            }));
            xposer_manifest::Config::default()
        });
        Self { object, settings }
    }

    /// The settings.
    pub(super) fn settings(&self, findings: &mut Vec<ItemFinding>) -> Settings {
        Settings::tried(&self.settings.settings).unwrap_or_else(|report| {
            findings.extend(report.diagnostics().iter().map(|found| self.finding(found, None)));
            Settings::default()
        })
    }

    /// The finding of a diagnostic about an item or about this config.
    pub(super) fn finding(&self, diagnostic: &Diagnostic, item: Option<&Value>) -> ItemFinding {
        let located = match diagnostic.path.root() {
            Root::Settings => self.locate(&diagnostic.path),
            Root::Object => None,
        };
        ItemFinding::core(diagnostic, item, located)
    }

    /// The config and the path of a setting in it.
    fn locate(&self, path: &FieldPath) -> Option<Located<'c>> {
        let SettingPath { path, embedded } = self.settings.locate(path.segments().iter().cloned());
        let path = path.into_iter().fold(FieldPath::object(&[]), then);
        Some(Located { object: self.object?, path, is_part: embedded.is_some() })
    }
}

fn then(path: FieldPath, segment: Segment) -> FieldPath {
    match segment {
        Segment::Key(key) => path.key(key),
        Segment::Index(index) => path.index(index),
    }
}
