//! Forecastle 2, which makes a page of links to what is exposed.

pub(crate) mod rules;
pub(super) mod write;

use super::key::{Names, Program, Reach};

const PREFIX: &str = "forecastle.stakater.com/";
const EXPOSE: &str = "forecastle.stakater.com/expose";
const NETWORK_RESTRICTED: &str = "forecastle.stakater.com/network-restricted";
/// The annotation with the URL of the link; without it, Forecastle makes one of the first host.
const URL: &str = "forecastle.stakater.com/url";

pub(super) static PROGRAM: Program = Program {
    reach: Reach::Everywhere,
    plain: "appName expose group icon instance network-restricted properties url",
    ..Program::new("Forecastle 2", &[PREFIX], Names::All, &[])
};

/// Whether Forecastle reads a key.
pub(crate) fn is_key(key: &str) -> bool {
    key.starts_with(PREFIX)
}

/// Whether an annotation asks for a link.
pub(crate) fn exposes(key: &str, value: &str) -> bool {
    key == EXPOSE && value == "true"
}

/// Whether a key has a value of one word.
pub(crate) fn is_boolean(key: &str) -> bool {
    matches!(key, EXPOSE | NETWORK_RESTRICTED)
}
