//! Byte ranges, white space, and the maximum depth of nesting.

use serde_saphyr::Location;
use std::ops::Range;

/// The maximum depth of nested mappings and sequences. No Kubernetes object needs more, and recursive code does not overflow the
/// stack.
///
/// ```
/// use xposer_manifest::{MAX_DEPTH, load};
///
/// assert!(load(&("[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH))).is_ok());
/// assert!(load(&("[".repeat(MAX_DEPTH + 1) + &"]".repeat(MAX_DEPTH + 1))).is_err());
/// ```
pub const MAX_DEPTH: usize = 128;

/// A byte range of a text, which is shorter than 4 GiB.
pub(crate) type Span = Range<u32>;

pub(crate) fn narrow(span: &Range<usize>) -> Span {
    let narrow = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
    narrow(span.start)..narrow(span.end)
}

/// The white space of YAML. A no-break space or an ideographic space is a part of the value.
pub(crate) const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

pub(crate) fn wide(span: &Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

/// The byte range of a location of the YAML library.
pub(crate) fn bytes(location: &Location) -> Range<usize> {
    let wide = |offset: Option<u64>| usize::try_from(offset.unwrap_or_default()).unwrap_or(usize::MAX);
    let start = wide(location.span().byte_offset());
    start..start.saturating_add(wide(location.span().byte_len()))
}
