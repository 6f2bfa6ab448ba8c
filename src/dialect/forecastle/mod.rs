//! Forecastle 2, which shows a page with links to exposed applications.

pub(crate) mod rules;
pub(super) mod write;

use super::key::{KnownNames, Program, ReadOn};

const PREFIX: &str = "forecastle.stakater.com/";
const EXPOSE: &str = "forecastle.stakater.com/expose";
const NETWORK_RESTRICTED: &str = "forecastle.stakater.com/network-restricted";
/// The annotation with the URL of the link. Without it, Forecastle builds a URL from the first host.
const URL: &str = "forecastle.stakater.com/url";

pub(super) static PROGRAM: Program = Program {
    read_on: ReadOn::Everywhere,
    names_only: "appName expose group icon instance network-restricted properties url",
    ..Program::new("Forecastle 2", &[PREFIX], KnownNames::All, &[])
};

/// Whether Forecastle reads a key.
pub(crate) fn is_key(key: &str) -> bool {
    key.starts_with(PREFIX)
}

/// Whether an annotation asks for a link.
pub(crate) fn exposes(key: &str, value: &str) -> bool {
    key == EXPOSE && value == "true"
}

/// Whether the value of a key is true or false.
pub(crate) fn is_boolean(key: &str) -> bool {
    matches!(key, EXPOSE | NETWORK_RESTRICTED)
}
