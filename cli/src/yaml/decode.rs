//! Finds, for a part of a decoded string, the piece of source text that says exactly this part.
//!
//! The source of a scalar is decoded a second time, piece by piece, and each piece must produce what the
//! known value says at this point. So the rules here need not repeat the whole of YAML: wherever they do
//! not hold, the pieces do not fit and the answer is that it cannot be told.

use super::tree::{Style, Token};
use std::ops::Range;

/// The bytes of the source that `part` (bytes of `decoded`) was made from, or `None` where that cannot be
/// told exactly. An empty part has an empty span. That there is an answer also proves that the source at
/// `token` decodes to `decoded`.
pub(super) fn part_span(
    text: &str,
    token: &Token,
    decoded: &str,
    part: &Range<usize>,
) -> Option<Range<usize>> {
    if part.start > part.end || !decoded.is_char_boundary(part.start) || !decoded.is_char_boundary(part.end) {
        return None;
    }
    let span = token.span();
    let mut trace =
        Trace { decoded, done: 0, part: part.clone(), start: None, end: None, source_end: span.start };
    match token.style {
        Style::Plain => Flow::new(text, span, Quotes::None)?.decode(&mut trace)?,
        Style::SingleQuoted => Flow::new(text, span, Quotes::Single)?.decode(&mut trace)?,
        Style::DoubleQuoted => Flow::new(text, span, Quotes::Double)?.decode(&mut trace)?,
        Style::Literal => Block::new(text, &span, decoded)?.decode_literal(&mut trace)?,
        Style::Folded => Block::new(text, &span, decoded)?.decode_folded(&mut trace)?,
        Style::Collection => return None,
    }
    trace.finish()
}

/// Follows the decoding and notes where the wanted part begins and ends.
struct Trace<'d> {
    decoded: &'d str,
    /// How much of `decoded` was produced.
    done: usize,
    part: Range<usize>,
    start: Option<usize>,
    end: Option<usize>,
    /// Where the source of the last piece ends.
    source_end: usize,
}

impl<'d> Trace<'d> {
    fn remaining(&self) -> &'d str {
        self.decoded.get(self.done..).unwrap_or_default()
    }

    fn is_complete(&self) -> bool {
        self.done == self.decoded.len()
    }

    /// Notes that `source` produced `piece`. Fails if the value says otherwise, or if the part begins or
    /// ends in the middle of the piece, which then cannot be divided.
    fn produce(&mut self, source: Range<usize>, piece: &str) -> Option<()> {
        if !self.remaining().starts_with(piece) {
            return None;
        }
        if piece.is_empty() {
            return Some(());
        }
        let produced = self.done..self.done + piece.len();
        for boundary in [self.part.start, self.part.end] {
            if produced.start < boundary && boundary < produced.end {
                return None;
            }
        }
        if self.part.start == produced.start {
            self.start = Some(source.start);
        }
        if self.part.end == produced.end {
            self.end = Some(source.end);
        }
        self.done = produced.end;
        self.source_end = source.end;
        Some(())
    }

    fn produce_char(&mut self, source: Range<usize>, character: char) -> Option<()> {
        self.produce(source, character.encode_utf8(&mut [0; 4]))
    }

    fn finish(self) -> Option<Range<usize>> {
        if !self.is_complete() {
            return None;
        }
        if self.part.is_empty() {
            let at = self.start.unwrap_or(self.source_end);
            return Some(at..at);
        }
        let span = self.start?..self.end?;
        (span.start <= span.end).then_some(span)
    }
}

/// The length of the line break the text begins with, 0 if there is none.
fn break_length(text: &str) -> usize {
    match text.as_bytes() {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

fn blanks_length(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}

/// Consumes blanks and line breaks: how many bytes, and how many breaks were among them.
fn blanks_and_breaks(text: &str) -> (usize, usize) {
    let (mut length, mut breaks) = (0, 0);
    loop {
        let rest = text.get(length..).unwrap_or_default();
        let line_break = break_length(rest);
        let step = if line_break > 0 { line_break } else { blanks_length(rest) };
        if step == 0 {
            return (length, breaks);
        }
        breaks += usize::from(line_break > 0);
        length += step;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Single,
    Double,
}

/// A plain or quoted scalar, whose lines are folded.
struct Flow<'t> {
    text: &'t str,
    /// The content, without quotes.
    content: Range<usize>,
    quotes: Quotes,
}

impl<'t> Flow<'t> {
    fn new(text: &'t str, span: Range<usize>, quotes: Quotes) -> Option<Self> {
        let source = text.get(span.clone())?;
        let quote = match quotes {
            Quotes::None => return Some(Self { text, content: span, quotes }),
            Quotes::Single => '\'',
            Quotes::Double => '"',
        };
        source.strip_prefix(quote)?.strip_suffix(quote)?;
        Some(Self { text, content: span.start + 1..span.end - 1, quotes })
    }

    fn rest(&self, at: usize) -> &'t str {
        self.text.get(at..self.content.end).unwrap_or_default()
    }

    fn decode(&self, trace: &mut Trace<'_>) -> Option<()> {
        // With an empty value the part can only be the point between the quotes.
        trace.source_end = self.content.start;
        let mut at = self.content.start;
        while let Some(character) = self.rest(at).chars().next() {
            let length = match character {
                ' ' | '\t' | '\r' | '\n' => self.blanks(at, trace)?,
                '\'' if self.quotes == Quotes::Single => self.doubled_quote(at, trace)?,
                '\\' if self.quotes == Quotes::Double => self.escape(at, trace)?,
                _ => {
                    let length = character.len_utf8();
                    trace.produce_char(at..at + length, character)?;
                    length
                }
            };
            at += length;
        }
        Some(())
    }

    /// Blanks are content, unless a line break follows or precedes them: then everything together is a
    /// blank, or one line break less than there are.
    fn blanks(&self, at: usize, trace: &mut Trace<'_>) -> Option<usize> {
        let rest = self.rest(at);
        let (length, breaks) = blanks_and_breaks(rest);
        match breaks {
            0 => {
                for (offset, character) in rest.get(..length)?.char_indices() {
                    trace.produce_char(at + offset..at + offset + 1, character)?;
                }
            }
            1 => trace.produce(at..at + length, " ")?,
            _ => trace.produce(at..at + length, &"\n".repeat(breaks - 1))?,
        }
        Some(length)
    }

    fn doubled_quote(&self, at: usize, trace: &mut Trace<'_>) -> Option<usize> {
        self.rest(at).starts_with("''").then_some(())?;
        trace.produce(at..at + 2, "'")?;
        Some(2)
    }

    fn escape(&self, at: usize, trace: &mut Trace<'_>) -> Option<usize> {
        let rest = self.rest(at);
        let after = rest.get(1..)?;
        if break_length(after) > 0 {
            let (length, breaks) = blanks_and_breaks(after);
            trace.produce(at..at + 1 + length, &"\n".repeat(breaks.saturating_sub(1)))?;
            return Some(1 + length);
        }
        let letter = after.chars().next()?;
        let (character, length) = match letter {
            'x' => (char::from_u32(hex(rest.get(2..4)?)?)?, 4),
            'u' => unicode_escape(rest)?,
            'U' => (char::from_u32(hex(rest.get(2..10)?)?)?, 10),
            _ => (simple_escape(letter)?, 2),
        };
        trace.produce_char(at..at + length, character)?;
        Some(length)
    }
}

fn hex(digits: &str) -> Option<u32> {
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
    u32::from_str_radix(digits, 16).ok()
}

/// `\uXXXX`, or two of them where they are the halves of one character; with the length of the source.
fn unicode_escape(text: &str) -> Option<(char, usize)> {
    let first = hex(text.get(2..6)?)?;
    if !(0xd800..0xdc00).contains(&first) {
        return Some((char::from_u32(first)?, 6));
    }
    let second = hex(text.get(6..12)?.strip_prefix("\\u")?)?;
    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    Some((char::from_u32(0x10000 + ((first - 0xd800) << 10) + low)?, 12))
}

fn simple_escape(letter: char) -> Option<char> {
    Some(match letter {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        ' ' => ' ',
        '"' => '"',
        '/' => '/',
        '\\' => '\\',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        _ => return None,
    })
}

/// A block scalar.
struct Block<'t> {
    text: &'t str,
    /// Where the line behind the header begins.
    start: usize,
    indentation: usize,
}

/// One line of a block scalar.
struct Line<'t> {
    /// The content behind the indentation; empty for a line of nothing but indentation.
    content: &'t str,
    at: usize,
    line_break: Range<usize>,
}

impl<'t> Block<'t> {
    fn new(text: &'t str, span: &Range<usize>, decoded: &str) -> Option<Self> {
        // The span begins at the first visible character of the content. Blank lines before it are content
        // too, so go back to the header, which is the last thing that is not blank.
        let before = text.get(..span.start)?;
        let header_end = before.trim_end_matches([' ', '\t', '\r', '\n']).len();
        let header_line = text.get(header_end..)?;
        let blanks = blanks_length(header_line);
        let line_break = break_length(header_line.get(blanks..)?);
        let start = header_end + blanks + line_break;
        if line_break == 0 {
            return None;
        }
        // The first line with content shows the indentation, for the value says how many of its leading
        // spaces are content.
        let first = text.get(start..)?.split(['\r', '\n']).find(|line| !is_blank_line(line))?;
        let wanted = decoded.split('\n').find(|line| !is_blank_line(line))?;
        let indentation = leading_spaces(first).checked_sub(leading_spaces(wanted))?;
        Some(Self { text, start, indentation })
    }

    fn line(&self, at: usize) -> Option<Line<'t>> {
        let rest = self.text.get(at..)?;
        if rest.is_empty() {
            return None;
        }
        let length = rest.find(['\r', '\n']).unwrap_or(rest.len());
        let indentation = leading_spaces(rest).min(self.indentation);
        let content = rest.get(indentation..length)?;
        let line_break = at + length..at + length + break_length(rest.get(length..)?);
        Some(Line { content, at: at + indentation, line_break })
    }

    fn content(line: &Line<'_>, trace: &mut Trace<'_>) -> Option<()> {
        for (offset, character) in line.content.char_indices() {
            let at = line.at + offset;
            trace.produce_char(at..at + character.len_utf8(), character)?;
        }
        Some(())
    }

    fn decode_literal(&self, trace: &mut Trace<'_>) -> Option<()> {
        let mut at = self.start;
        while !trace.is_complete() {
            let line = self.line(at)?;
            Self::content(&line, trace)?;
            if trace.is_complete() {
                break;
            }
            trace.produce(line.line_break.clone(), "\n")?;
            at = line.line_break.end;
        }
        Some(())
    }

    /// In a folded block the value itself shows which line breaks became blanks, and which were dropped.
    fn decode_folded(&self, trace: &mut Trace<'_>) -> Option<()> {
        let mut at = self.start;
        // Line breaks that were read but not yet accounted for. None before the first line: there, every
        // break counts.
        let mut pending: Option<Vec<Range<usize>>> = None;
        while !trace.is_complete() {
            let line = self.line(at)?;
            if line.content.is_empty() {
                match &mut pending {
                    Some(breaks) => breaks.push(line.line_break.clone()),
                    None => trace.produce(line.line_break.clone(), "\n")?,
                }
            } else {
                fold(&pending.take().unwrap_or_default(), trace)?;
                Self::content(&line, trace)?;
                pending = Some(vec![line.line_break.clone()]);
            }
            at = line.line_break.end;
            if let Some(breaks) = pending.as_ref().filter(|breaks| ends_with(trace, breaks)) {
                for line_break in breaks {
                    if !trace.is_complete() {
                        trace.produce(line_break.clone(), "\n")?;
                    }
                }
            }
        }
        Some(())
    }
}

/// Whether the value consists of no more than these line breaks from here on.
fn ends_with(trace: &Trace<'_>, breaks: &[Range<usize>]) -> bool {
    let rest = trace.remaining();
    rest.len() <= breaks.len() && rest.bytes().all(|byte| byte == b'\n')
}

/// Accounts for the line breaks between two lines of a folded block.
fn fold(breaks: &[Range<usize>], trace: &mut Trace<'_>) -> Option<()> {
    let (Some(first), Some(last)) = (breaks.first(), breaks.last()) else {
        return Some(());
    };
    let rest = trace.remaining();
    let kept = rest.len() - rest.trim_start_matches('\n').len();
    if kept == breaks.len() {
        return breaks.iter().try_for_each(|line_break| trace.produce(line_break.clone(), "\n"));
    }
    let source = first.start..last.end;
    match breaks.len() {
        1 => trace.produce(source, " "),
        count if count - 1 == kept => trace.produce(source, &"\n".repeat(kept)),
        _ => None,
    }
}

fn leading_spaces(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn is_blank_line(line: &str) -> bool {
    line.bytes().all(|byte| byte == b' ')
}
