//! What many Ingresses have in common, as settings.

use xposer::Settings;

use crate::Input;

/// Placeholder.
#[derive(Clone, Debug, Default)]
pub struct Common;

/// Placeholder.
#[must_use]
pub fn settings(_input: &Input<'_>) -> Settings {
    Settings::default()
}
