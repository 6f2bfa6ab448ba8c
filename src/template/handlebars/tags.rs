//! The tags of a template in Handlebars' syntax, with their positions.

use std::borrow::Cow;
use std::ops::Range;

use super::unsupported;
use crate::diagnostics::{Code, Problem};
use crate::template::scan::{BLANKS, action_end, unclosed_action};

/// The text between braces.
pub(super) struct Tag {
    pub(super) kind: TagKind,
    /// The range with the braces.
    pub(super) whole: Range<usize>,
    /// The range without the braces, the tildes, the blanks around the content, and the sign of the kind.
    pub(super) inner: Range<usize>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum TagKind {
    Expression,
    Open,
    Else,
    Close,
    Comment,
    /// A partial, a decorator or an inverse block.
    Other,
}

/// Replaces each comment with a tilde by a variable, because the crate cannot parse such comments. The length of the text stays the
/// same.
pub(super) fn without_tilde_comments<'t>(text: &'t str, tags: &[Tag]) -> Cow<'t, str> {
    let mut plain = Cow::Borrowed(text);
    for tag in tags.iter().filter(|tag| tag.kind == TagKind::Comment) {
        let body = text.get(tag.inner.clone()).unwrap_or_default();
        if tag.inner.len() + 4 < tag.whole.len() {
            let blanks = body.bytes().skip(1).map(|byte| if byte == b'\n' { '\n' } else { ' ' });
            plain
                .to_mut()
                .replace_range(tag.inner.clone(), &std::iter::once('x').chain(blanks).collect::<String>());
        }
    }
    plain
}

/// The tags of `text`.
pub(super) fn tags(text: &str) -> Result<Vec<Tag>, Problem> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find("{{")).map(|found| at + found) {
        let before = text.get(at..open).unwrap_or_default();
        let rest = text.get(open..).unwrap_or_default();
        // After a single backslash, up to four braces are literal text.
        if before.len() - before.trim_end_matches('\\').len() == 1 {
            at = open + if rest.starts_with("{{{{") { 4 } else { 2 };
            continue;
        }
        let tag = tag(text, open, rest)?;
        at = tag.whole.end;
        tags.push(tag);
    }
    Ok(tags)
}

/// The tag whose braces start at `open`; `rest` is the text from there.
fn tag(text: &str, open: usize, rest: &str) -> Result<Tag, Problem> {
    if let Some(body) = rest.strip_prefix("{{!").or_else(|| rest.strip_prefix("{{~!")) {
        let long = body.trim_start_matches(BLANKS).strip_prefix("--");
        let ends = ["--}}", "--~}}"].into_iter().filter_map(|end| long?.split_once(end));
        let after = ends.max_by_key(|(_, after)| after.len()).or_else(|| body.split_once("}}"));
        let Some((_, after)) = after else {
            return Err(Problem::new(Code::TemplateUnclosed, "the comment is not closed by `}}`")
                .help("close the comment with `}}`")
                .at(open..open + 3));
        };
        // The start includes the sign and excludes the tildes.
        let start = text.len() - body.len() - 1;
        let whole = open..text.len() - after.len();
        let inside = text.get(start..whole.end - 2).unwrap_or_default();
        let end = start + inside.strip_suffix('~').unwrap_or(inside).len();
        return Ok(Tag { kind: TagKind::Comment, whole, inner: start..end });
    }
    if rest.starts_with("{{{{") {
        return Err(unsupported("a raw block", open..open + 4));
    }
    let close = action_end(text, open, open + 2)?;
    let triple = rest.starts_with("{{{") && text.get(close..).is_some_and(|rest| rest.starts_with("}}}"));
    let whole = open..close + if triple { 3 } else { 2 };
    let body = text.get(open + 2..whole.end - 2).unwrap_or_default();
    // `{{{x}}}` and `{{~{x}~}}` mean `{{x}}` without HTML escaping, and templates here never escape HTML.
    let around = ['{', '}', '~', ' ', '\t', '\r', '\n'];
    let inner = body.trim_start_matches(around);
    let before = body.strip_suffix(inner).unwrap_or_default();
    let inner = inner.trim_end_matches(around);
    let braces = before.matches('{').count();
    let after = body.get(before.len() + inner.len()..).unwrap_or_default();
    let range = open..open + 2 + braces;
    match (braces, after.matches('}').count()) {
        _ if before.contains('}') => return Err(unclosed_action(text, range)),
        (0, 0) | (1, 1) => {}
        (1, 0) => {
            return Err(Problem::new(Code::TemplateUnclosed, "the action is not closed by `}}}`")
                .help("close the action with as many braces as open it")
                .at(range));
        }
        _ => return Err(unclosed_action(text, range)),
    }
    let start = open + 2 + before.len();
    // The closing braces belong to a later action: `{{Service}.x{{/if}}`.
    if inner.split(['"', '\'']).next().is_some_and(|unquoted| unquoted.contains("{{")) {
        return Err(unclosed_action(text, range));
    }
    if inner.starts_with("/*") {
        return Err(Problem::new(Code::TemplateSyntax, "this comment cannot be read")
            .help("write the comment like this: {{! .. }}")
            .at(start..start + 1));
    }
    let (kind, sign) = match inner.as_bytes() {
        _ if braces > 0 => (TagKind::Expression, 0),
        [b'#', b'*' | b'>', ..] => (TagKind::Other, 2),
        [b'*' | b'>', ..] => (TagKind::Other, 1),
        [b'#', ..] => (TagKind::Open, 1),
        [b'/', ..] => (TagKind::Close, 1),
        // The crate reads as `else if` what Handlebars reads as a block of its own.
        [b'^', _, ..] => (TagKind::Other, 1),
        [b'^'] => (TagKind::Else, 1),
        [b'e', b'l', b's', b'e', ..] => (TagKind::Else, 4),
        [b'&', ..] => (TagKind::Expression, 1),
        _ => (TagKind::Expression, 0),
    };
    let signless = inner.get(sign..).unwrap_or_default().trim_start_matches(BLANKS);
    let end = start + inner.len();
    Ok(Tag { kind, whole, inner: end - signless.len()..end })
}
