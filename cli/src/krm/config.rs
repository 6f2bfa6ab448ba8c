//! Reads the settings from the config of the function.

use serde_json::Value;
use xposer::Settings;
use xposer::diagnostics::{FieldPath, Segment};

use super::results::Said;
use xposer_manifest::SettingPath;
use xposer_manifest::encrypted::{first_encrypted, has_sops};

/// The config, and the settings in it.
pub(super) struct Config<'c> {
    object: Option<&'c Value>,
    settings: xposer_manifest::Config,
}

/// Where a setting is written in the config.
pub(super) struct Located<'c> {
    pub(super) object: &'c Value,
    pub(super) path: FieldPath,
    /// Whether it is a part of a text at this path that contains YAML.
    pub(super) is_part: bool,
}

impl<'c> Config<'c> {
    /// Reads the config. Without a config, or with a wrong one, the settings are the defaults.
    pub(super) fn new(object: Option<&'c Value>, said: &mut Vec<Said>) -> Self {
        let object = object.filter(|object| !object.is_null());
        let Some(config) = object else {
            return Self { object, settings: xposer_manifest::Config::default() };
        };
        if has_sops(config) || first_encrypted(config).is_some() {
            said.push(Said::encrypted(config));
            return Self { object, settings: xposer_manifest::Config::default() };
        }
        let settings = xposer_manifest::Config::of_function(config).unwrap_or_else(|wrong| {
            said.extend(wrong.into_iter().map(|wrong| {
                let path = wrong.path.into_iter().fold(FieldPath::object(&[]), then);
                Said::error(wrong.message, wrong.help, config, Some(&path))
            }));
            xposer_manifest::Config::default()
        });
        Self { object, settings }
    }

    /// The settings.
    pub(super) fn settings(&self, said: &mut Vec<Said>) -> Settings {
        Settings::tried(&self.settings.settings).unwrap_or_else(|report| {
            said.extend(report.diagnostics().iter().map(|found| Said::core(found, None, self)));
            Settings::default()
        })
    }

    /// The config and the path of a setting in it.
    pub(super) fn locate(&self, path: &FieldPath) -> Option<Located<'c>> {
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
