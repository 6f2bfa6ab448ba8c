//! The items of a regular expression: its tokens, each with the quantifier behind it.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::{Token, bounds, tokens};

/// A token of a regular expression with its text and the quantifier behind it.
#[derive(Clone, Copy, Debug)]
pub(in crate::validation) struct Item<'t> {
    pub(in crate::validation) token: Token,
    pub(in crate::validation) text: &'t str,
    /// The text of the quantifier, with the sign that makes it lazy or possessive; empty if there is none.
    pub(in crate::validation) quantifier: &'t str,
}

impl Item<'_> {
    /// How often the item must be there at least, if it has a quantifier.
    pub(in crate::validation) fn min_repetitions(&self) -> Option<u32> {
        match self.quantifier.bytes().next()? {
            b'*' | b'?' => Some(0),
            b'+' => Some(1),
            _ => bounds(self.quantifier).map(|(_, least, _)| least),
        }
    }

    /// Whether this is the start of a group that matches no text: `(?=`, `(?<!` and such, and `(*` of a verb.
    pub(in crate::validation) fn starts_assertion(&self) -> bool {
        self.text.ends_with(['=', '!', '*'])
    }
}

/// The items of a regular expression. The last one is the rest of the text, if no program accepts that.
pub(in crate::validation) fn items(text: &str) -> impl Iterator<Item = Item<'_>> {
    let mut rest = tokens(text).into_iter().peekable();
    std::iter::from_fn(move || {
        let (at, token) = rest.next()?;
        let end = |rest: &mut Peekable<IntoIter<_>>| rest.peek().map_or(text.len(), |(next, _)| *next);
        let behind = end(&mut rest);
        let is_quantifier = |text: &str| text.starts_with(['*', '+', '?']) || bounds(text).is_some();
        let is_repeated = !matches!(token, Token::Capture | Token::Open | Token::Bar)
            && rest.next_if(|(next, _)| text.get(*next..).is_some_and(is_quantifier)).is_some();
        let quantifier = if is_repeated { text.get(behind..end(&mut rest))? } else { "" };
        Some(Item { token, text: text.get(at..behind)?, quantifier })
    })
}
