//! The function's config is the settings.

use serde_json::Value;
use xposer::{FieldPath, Segment, Settings};

use super::results::Said;
use crate::config;
use crate::encrypted::{first_encrypted, has_sops};

/// The config, and where in it the settings stand.
pub(super) struct Config<'c> {
    object: Option<&'c Value>,
    settings: config::Config,
}

/// Where something in the settings is written in the config.
pub(super) struct Located<'c> {
    pub(super) object: &'c Value,
    pub(super) path: FieldPath,
    /// Whether it is a part of the text there, in which lists and mappings are written as YAML.
    pub(super) is_part: bool,
}

impl<'c> Config<'c> {
    /// Reads the config; without one, or where it is wrong, the settings are the defaults.
    pub(super) fn new(object: Option<&'c Value>, said: &mut Vec<Said>) -> Self {
        let object = object.filter(|object| !object.is_null());
        let Some(config) = object else { return Self { object, settings: config::Config::default() } };
        if has_sops(config) || first_encrypted(config).is_some() {
            said.push(Said::encrypted(config));
            return Self { object, settings: config::Config::default() };
        }
        let settings = config::Config::of_function(config).unwrap_or_else(|wrong| {
            said.extend(wrong.into_iter().map(|wrong| {
                let path = wrong.way.into_iter().fold(FieldPath::object(&[]), then);
                Said::error(wrong.said, wrong.help, config, Some(&path))
            }));
            config::Config::default()
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

    /// The config itself, and the path in it of something in the settings.
    pub(super) fn locate(&self, path: &FieldPath) -> Option<Located<'c>> {
        let spot = self.settings.spot(path.segments().iter().cloned());
        let path = spot.way.into_iter().fold(FieldPath::object(&[]), then);
        Some(Located { object: self.object?, path, is_part: spot.inside.is_some() })
    }
}

fn then(path: FieldPath, segment: Segment) -> FieldPath {
    match segment {
        Segment::Key(key) => path.key(key),
        Segment::Index(index) => path.index(index),
    }
}
