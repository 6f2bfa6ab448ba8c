//! Kubernetes manifests as text: read with positions, written so that every reader agrees.
//!
//! [`load()`] reads YAML or JSON into [`serde_json::Value`]s and keeps, beside each value, where in the
//! text it stands. [`Document::locate`] answers where a path is written, [`Document::locate_part`] where
//! some part of a string is. [`to_yaml`] writes a value.
//!
//! Nothing in here knows what a Service is: the module depends on no other part of the program.
//!
//! What a plain (unquoted) scalar means is decided the way `kubectl` decides it, with one exception: the
//! words `yes`, `no`, `on`, `off`, `y` and `n` and dates stay strings. [`other_reading`] tells them.
//!
//! Limits, all of which end in a [`LoadError`] and never in a panic: collections nest at most
//! [`MAX_DEPTH`] deep, aliases may not multiply a small text into a large value, and a text is shorter
//! than 4 GiB.

mod decode;
mod emit;
mod json;
mod load;
mod messages;
mod positions;
mod scalar;
mod tree;

pub use emit::to_yaml;
pub use load::{LoadError, load};
pub(crate) use messages::TEMPLATE_HELP;
pub use positions::{LineIndex, Located, Step, line_column};
pub use scalar::other_reading;
pub use tree::{Document, MAX_DEPTH};
