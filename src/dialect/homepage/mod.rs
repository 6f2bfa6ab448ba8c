//! Homepage 1 (gethomepage.dev), which shows a page with a tile for each exposed application.

pub(super) mod write;

const PREFIX: &str = "gethomepage.dev/";
const ENABLED: &str = "gethomepage.dev/enabled";
const HREF: &str = "gethomepage.dev/href";
const NAME: &str = "gethomepage.dev/name";

/// Whether Homepage reads a key.
pub(super) fn is_key(key: &str) -> bool {
    key.starts_with(PREFIX)
}
