//! Reading templates in Handlebars' own syntax into the same small tree as Go's.
//!
//! A name needs variables, functions, `if` and `unless`, and nothing else passes: nothing loops, includes or logs. The rules
//! are those of the Handlebars language (<https://handlebarsjs.com/guide/expressions.html>), with its whitespace: `~`
//! removes the blanks beside it, and a block's tag or a comment that stands alone on a line takes the line with it. A
//! property test compares with the `handlebars` crate.

use std::ops::Range;

use super::cut::{string_end, unclosed_action};
use super::functions::{self, Val};
use super::go::{Expr, Node, Program, unknown_function, unknown_variable};
use super::{MAX_DEPTH, Var};
use crate::diagnostics::{Code, Problem, quoted};

/// Blanks inside of a tag, and those that `~` removes.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// Reads a template.
pub(super) fn parse(text: &str) -> Result<Program, Vec<Problem>> {
    // Blocks and parentheses are read by recursion: bound what it is given.
    let count = |what: &[u8]| text.bytes().filter(|byte| what.contains(byte)).count();
    if count(b"([") > MAX_DEPTH || count(b"{") > 4 * MAX_DEPTH {
        let said = "the template has too many actions or parentheses";
        return Err(vec![Problem::new(Code::TemplateTooLarge, said).help("simplify the template")]);
    }
    let pieces = pieces(text).map_err(|problem| vec![problem])?;
    let mut parser = Parser { text, pieces: pieces.into_iter(), problems: Vec::new() };
    let (mut nodes, mut ending) = parser.nodes();
    while let Some(stray) = ending {
        let said = format!("{} closes no block", text.get(stray.whole.clone()).unwrap_or_default());
        parser.file::<Node>(Problem::new(Code::TemplateSyntax, said).help("remove it").at(stray.whole));
        let (more, next) = parser.nodes();
        nodes.extend(more);
        ending = next;
    }
    if parser.problems.is_empty() { Ok(Program { nodes, slots: 0 }) } else { Err(parser.problems) }
}

/// A part of a template.
enum Piece {
    Text(String),
    Tag(Tag),
}

/// What stands between braces.
struct Tag {
    kind: Kind,
    /// With the braces.
    whole: Range<usize>,
    /// What follows the sign that makes the kind, up to the braces.
    inner: Range<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Expression,
    Open,
    Else,
    Close,
    Comment,
    /// A partial, a decorator or a raw block.
    Other,
}

/// What is removed at one end of a text.
#[derive(Clone, Copy, PartialEq)]
enum Trim {
    Nothing,
    /// All blanks: the tag has a `~` there.
    Blanks,
    /// The rest of the line: the tag stands alone on it.
    Line,
}

/// Cuts `text` at its tags.
fn pieces(text: &str) -> Result<Vec<Piece>, Problem> {
    let mut pieces = Vec::new();
    let (mut at, mut before) = (0, Trim::Nothing);
    while let Some((literal, open)) = literal(text, at) {
        let scanned = tag(text, open)?;
        let alone = scanned.tag.kind.can_stand_alone() && stands_alone(text, &scanned.tag.whole);
        let side = |tilde: bool| match (tilde, alone) {
            (true, _) => Trim::Blanks,
            (false, true) => Trim::Line,
            (false, false) => Trim::Nothing,
        };
        push_text(&literal, before, side(scanned.trim_before), &mut pieces);
        before = side(scanned.trim_after);
        at = scanned.tag.whole.end;
        pieces.push(Piece::Tag(scanned.tag));
    }
    push_text(&unescaped(text.get(at..).unwrap_or_default()), before, Trim::Nothing, &mut pieces);
    Ok(pieces)
}

/// The text up to the next `{{` from `from` on, and where that is. A `\{{` is text.
fn literal(text: &str, from: usize) -> Option<(String, usize)> {
    let mut at = from;
    loop {
        at += text.get(at..)?.find("{{")?;
        let before = text.get(from..at)?;
        match before.len() - before.trim_end_matches('\\').len() {
            0 => return Some((unescaped(before), at)),
            // Four braces are escaped as one.
            1 => at += if text.get(at..)?.starts_with("{{{{") { 4 } else { 2 },
            // Of several backslashes one is taken off, and the tag counts.
            _ => return Some((unescaped(before.get(..before.len() - 1)?), at)),
        }
    }
}

fn unescaped(text: &str) -> String {
    text.replace("\\{{", "{{")
}

fn push_text(text: &str, before: Trim, after: Trim, pieces: &mut Vec<Piece>) {
    let mut kept = text;
    kept = match before {
        Trim::Nothing => kept,
        Trim::Blanks => kept.trim_start_matches(BLANKS),
        Trim::Line => {
            let rest = kept.trim_start_matches([' ', '\t']);
            rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')).unwrap_or(rest)
        }
    };
    kept = match after {
        Trim::Nothing => kept,
        Trim::Blanks => kept.trim_end_matches(BLANKS),
        Trim::Line => kept.trim_end_matches([' ', '\t']),
    };
    if !kept.is_empty() {
        pieces.push(Piece::Text(kept.to_owned()));
    }
}

/// Whether there is nothing but blanks beside the tag on its lines.
fn stands_alone(text: &str, tag: &Range<usize>) -> bool {
    let before = text.get(..tag.start).unwrap_or_default().trim_end_matches([' ', '\t']);
    let after = text.get(tag.end..).unwrap_or_default().trim_start_matches([' ', '\t']);
    (before.is_empty() || before.ends_with('\n'))
        && (after.is_empty() || after.starts_with('\n') || after.starts_with("\r\n"))
}

impl Kind {
    fn can_stand_alone(self) -> bool {
        self != Self::Expression
    }
}

struct Scanned {
    tag: Tag,
    trim_before: bool,
    trim_after: bool,
}

/// Reads the braces of the tag at `open`.
fn tag(text: &str, open: usize) -> Result<Scanned, Problem> {
    let rest = text.get(open..).unwrap_or_default();
    if rest.starts_with("{{!") {
        return comment(text, open);
    }
    let braces = rest.len() - rest.trim_start_matches('{').len();
    if braces > 3 {
        return Err(unsupported("a raw block", open..open + 4));
    }
    let from = open + braces;
    let end = action_end(text, open, from)?;
    let inside = text.get(from..end).unwrap_or_default();
    let trim_before = inside.starts_with('~');
    let inside = inside.strip_prefix('~').unwrap_or(inside);
    let trim_after = inside.ends_with('~');
    let inside = inside.strip_suffix('~').unwrap_or(inside);
    // `{{{x}}}` is `{{x}}` without the escaping of HTML, which there never is; so is `{{~{x}~}}`.
    let (inside, behind, close) = match (braces, inside.strip_prefix('{')) {
        (2, Some(inner)) => match inner.strip_suffix('}') {
            Some(inner) => (inner, 1, "}}"),
            None => (inner, 0, "}}}"),
        },
        (2, None) => (inside, 0, "}}"),
        _ => (inside, 0, "}}}"),
    };
    if !text.get(end..).unwrap_or_default().starts_with(close) {
        return Err(unclosed_action(open..from));
    }
    let inside = inside.trim_start_matches(BLANKS);
    let start = end - usize::from(trim_after) - behind - inside.len();
    let (kind, sign) = if close.len() + behind == 2 { kind_of(inside) } else { (Kind::Expression, 0) };
    if inside.starts_with("/*") {
        let problem = Problem::new(Code::TemplateSyntax, "this comment cannot be read");
        return Err(problem
            .help("write the comment right behind the braces: {{/* .. */}}")
            .at(start..start + 1));
    }
    let inner = start + sign..start + inside.len();
    Ok(Scanned { tag: Tag { kind, whole: open..end + close.len(), inner }, trim_before, trim_after })
}

/// The kind of a tag, and the length of the sign that makes it.
fn kind_of(inner: &str) -> (Kind, usize) {
    match inner.as_bytes() {
        [b'#', b'*' | b'>', ..] | [b'>' | b'*', ..] => (Kind::Other, 0),
        [b'#', ..] => (Kind::Open, 1),
        [b'/', ..] => (Kind::Close, 1),
        [b'^', ..] => (Kind::Else, 1),
        [b'&', ..] => (Kind::Expression, 1),
        _ => match inner.strip_prefix("else") {
            Some(rest) if !rest.starts_with(is_word) => (Kind::Else, 4),
            _ => (Kind::Expression, 0),
        },
    }
}

fn comment(text: &str, open: usize) -> Result<Scanned, Problem> {
    let rest = text.get(open..).unwrap_or_default();
    let long = rest.strip_prefix("{{!--").and_then(|rest| rest.find("--}}")).map(|at| 5 + at + 4);
    let end = long.or_else(|| rest.find("}}").map(|at| at + 2)).ok_or_else(|| {
        Problem::new(Code::TemplateUnclosed, "the comment is not closed by `}}`")
            .help("close the comment with `}}`")
            .at(open..open + 3)
    })?;
    let tag = Tag { kind: Kind::Comment, whole: open..open + end, inner: open..open };
    Ok(Scanned { tag, trim_before: false, trim_after: false })
}

/// The position of the `}}` that closes the tag; quoted strings are skipped.
fn action_end(text: &str, open: usize, from: usize) -> Result<usize, Problem> {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'}' if bytes.get(at + 1) == Some(&b'}') => return Ok(at),
            b'"' | b'\'' => {
                at = string_end(bytes, at).ok_or_else(|| {
                    Problem::new(Code::TemplateUnclosed, "the string is not closed")
                        .help("close the string with the same quote before `}}`")
                        .at(at..at + 1)
                })?;
            }
            _ => at += 1,
        }
    }
    Err(unclosed_action(open..open + 2))
}

struct Parser<'t> {
    text: &'t str,
    pieces: std::vec::IntoIter<Piece>,
    problems: Vec<Problem>,
}

/// What cannot be read is filed, and the walk goes on with nothing in its place.
impl<'t> Parser<'t> {
    fn file<T>(&mut self, problem: Problem) -> Option<T> {
        self.problems.push(problem);
        None
    }

    fn slice(&self, range: &Range<usize>) -> &'t str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// The nodes up to a tag that ends or divides a block.
    fn nodes(&mut self) -> (Vec<Node>, Option<Tag>) {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let tag = match piece {
                // What Handlebars gives is one text: only Go's literal text separates the items of a list.
                Piece::Text(text) => {
                    nodes.push(Node::Print(Expr::Value(Val::Str(text))));
                    continue;
                }
                Piece::Tag(tag) => tag,
            };
            match tag.kind {
                Kind::Else | Kind::Close => return (nodes, Some(tag)),
                Kind::Comment => {}
                Kind::Other => {
                    self.file::<Node>(unsupported("a partial or decorator", tag.whole));
                }
                Kind::Open => nodes.extend(self.arm(&tag, tag.inner.clone())),
                Kind::Expression => {
                    let line = Line { parser: self, at: tag.inner.start, end: tag.inner.end };
                    nodes.extend(line.whole().map(Node::Print));
                }
            }
        }
        (nodes, None)
    }

    /// A block from the condition in `head` on, up to its end. What follows `{{else if ..}}` is such a block again, which
    /// the same end closes.
    fn arm(&mut self, open: &Tag, head: Range<usize>) -> Option<Node> {
        let condition = Line { at: head.start, end: head.end, parser: self }.condition();
        let (mut then, ending) = self.nodes();
        let Some(ending) = ending else { return self.unclosed(open) };
        let mut otherwise = if ending.kind == Kind::Close {
            self.close(open, &ending)?;
            Vec::new()
        } else if self.slice(&ending.inner).trim_matches(BLANKS).is_empty() {
            let (nodes, mut last) = self.nodes();
            while let Some(Tag { kind: Kind::Else, whole, .. }) = last {
                let problem = Problem::new(Code::TemplateSyntax, "the block has a second {{else}}");
                self.file::<Node>(problem.help("remove it").at(whole));
                (_, last) = self.nodes();
            }
            let Some(last) = last else { return self.unclosed(open) };
            self.close(open, &last)?;
            nodes
        } else {
            vec![self.arm(open, ending.inner)?]
        };
        let (condition, negated) = condition?;
        if negated {
            std::mem::swap(&mut then, &mut otherwise);
        }
        Some(Node::If { slots: Vec::new(), condition, then, otherwise })
    }

    fn unclosed<T>(&mut self, open: &Tag) -> Option<T> {
        let problem = Problem::new(Code::TemplateUnclosed, "a block is not closed")
            .help("close the block, for example with {{/if}}")
            .at(open.whole.start..self.text.len());
        self.file(problem)
    }

    /// Whether the tag that ends a block names the block.
    fn close(&mut self, open: &Tag, close: &Tag) -> Option<()> {
        let opened = self.slice(&open.inner).trim_start_matches(BLANKS);
        let opened = opened.split(|c| !is_word(c)).next().unwrap_or_default();
        let closed = self.slice(&close.inner).trim_matches(BLANKS);
        if opened == closed {
            return Some(());
        }
        let said = format!("the block {} is closed by {}", quoted(opened), quoted(closed));
        let problem = Problem::new(Code::TemplateSyntax, said).help("close the innermost block first");
        self.file(problem.at(close.whole.clone()))
    }
}

fn unsupported(what: &str, range: Range<usize>) -> Problem {
    Problem::new(Code::TemplateUnsupported, format!("{what} is not supported in templates"))
        .help("use variables, functions, {{#if}} and {{#unless}}")
        .at(range)
}

/// Whether a character can be part of a name, a number or a path.
fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || !character.is_ascii()
        || matches!(character, '-' | '_' | '$' | ':' | '.' | '/' | '@')
}

/// What stands in one tag, read from its start.
struct Line<'p, 't> {
    parser: &'p mut Parser<'t>,
    at: usize,
    end: usize,
}

impl<'t> Line<'_, 't> {
    fn rest(&self) -> &'t str {
        self.parser.slice(&(self.at..self.end))
    }

    /// The next character that is no blank.
    fn peek(&mut self) -> Option<char> {
        let rest = self.rest().trim_start_matches(BLANKS);
        self.at = self.end - rest.len();
        rest.chars().next()
    }

    fn unreadable<T>(&mut self) -> Option<T> {
        let at = self.at.min(self.end.saturating_sub(1));
        let next = self.parser.text.get(at..).and_then(|rest| rest.chars().next());
        let problem = Problem::new(Code::TemplateSyntax, "this cannot be read as Handlebars");
        let range = at..at + next.map_or(0, char::len_utf8);
        self.parser.file(problem.help("correct the marked place").at(range))
    }

    fn word(&mut self) -> Option<(&'t str, Range<usize>)> {
        self.peek();
        let rest = self.rest();
        let word = rest.get(..rest.find(|c| !is_word(c)).unwrap_or(rest.len())).unwrap_or_default();
        let range = self.at..self.at + word.len();
        self.at = range.end;
        (!word.is_empty()).then_some((word, range))
    }

    /// The expression that fills the tag.
    fn whole(mut self) -> Option<Expr> {
        let expr = self.call()?;
        if self.peek().is_some() { self.unreadable() } else { Some(expr) }
    }

    /// The condition of a block, and whether it is negated.
    fn condition(mut self) -> Option<(Expr, bool)> {
        let Some((word, range)) = self.word() else { return self.unreadable() };
        let negated = match word {
            "if" => false,
            "unless" => true,
            _ => return self.parser.file(unsupported(&quoted(word), range)),
        };
        let mut arguments = self.arguments()?;
        if self.peek().is_some() {
            return self.unreadable();
        }
        match (arguments.pop(), arguments.is_empty()) {
            (Some(condition), true) => Some((condition, negated)),
            (last, _) => {
                let count = arguments.len() + usize::from(last.is_some());
                let problem = Problem::new(
                    Code::TemplateFunction,
                    format!("{} takes 1 argument, not {count}", quoted(word)),
                );
                self.parser.file(problem.at(range))
            }
        }
    }

    /// A variable, or a function with its arguments.
    fn call(&mut self) -> Option<Expr> {
        let Some((word, range)) = self.word() else {
            // A parenthesis may stand around the whole expression.
            return if self.peek() == Some('(') { self.argument() } else { self.unreadable() };
        };
        let arguments = self.arguments()?;
        let alone = arguments.is_empty();
        if let Some(var) = Var::from_name(word).filter(|_| alone) {
            return Some(Expr::Var(var, range));
        }
        match functions::find(word) {
            Some(function) if function.takes(arguments.len()) => Some(Expr::Call(function, arguments, range)),
            Some(function) => {
                let said = format!("`{}` takes {}, not {}", function.name, function.arity(), arguments.len());
                self.parser.file(Problem::new(Code::TemplateFunction, said).at(range))
            }
            None if alone => self.parser.file(unknown(word, range)),
            None => self.parser.file(unknown_function(word, range)),
        }
    }

    /// The arguments up to the end of the tag or parenthesis; every problem among them is filed.
    fn arguments(&mut self) -> Option<Vec<Expr>> {
        let (mut arguments, before) = (Vec::new(), self.parser.problems.len());
        while let Some(character) = self.peek() {
            if character == ')' {
                break;
            }
            let at = self.at;
            arguments.extend(self.argument());
            // What cannot be read at all has no end, either.
            if self.at == at {
                return None;
            }
        }
        (self.parser.problems.len() == before).then_some(arguments)
    }

    fn argument(&mut self) -> Option<Expr> {
        let start = self.at;
        match self.peek() {
            Some('(') => {
                self.at += 1;
                let inner = self.call();
                if self.peek() != Some(')') {
                    return inner.and_then(|_| self.unreadable());
                }
                self.at += 1;
                inner
            }
            Some('"' | '\'') => {
                let end = string_end(self.parser.text.as_bytes(), self.at).filter(|end| *end <= self.end);
                let text = end.and_then(|end| unquoted(self.parser.slice(&(self.at..end))));
                let Some((end, text)) = end.zip(text) else { return self.unreadable() };
                self.at = end;
                Some(Expr::Value(Val::Str(text)))
            }
            Some('[' | '{' | '|') => {
                self.at = self.end;
                self.parser.file(unsupported("this argument", start..self.end))
            }
            _ => self.word_argument(),
        }
    }

    fn word_argument(&mut self) -> Option<Expr> {
        let Some((word, range)) = self.word() else { return self.unreadable() };
        if self.rest().starts_with('=') {
            self.at += 1;
            self.argument();
            return self.parser.file(unsupported("a named argument", range));
        }
        match word {
            "true" => return Some(Expr::Value(Val::Bool(true))),
            "false" => return Some(Expr::Value(Val::Bool(false))),
            "null" => return self.parser.file(unsupported("this argument", range)),
            _ => {}
        }
        if let Some(var) = Var::from_name(word) {
            return Some(Expr::Var(var, range));
        }
        match number(word) {
            Some(number) => Some(Expr::Value(number)),
            None => self.parser.file(unknown(word, range)),
        }
    }
}

fn unknown(word: &str, range: Range<usize>) -> Problem {
    match word.strip_prefix('.') {
        Some(name) if name.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            let said = "the template mixes Go's {{.Service}} with Handlebars' syntax";
            let help = "write {{Service}} beside {{#if ..}}, or {{if ..}} and {{end}} beside {{.Service}}";
            Problem::new(Code::TemplateSyntax, said).help(help).at(range)
        }
        _ => unknown_variable(word, "", range),
    }
}

/// A number in the form of JSON.
fn number(word: &str) -> Option<Val> {
    word.strip_prefix('-').unwrap_or(word).starts_with(|c: char| c.is_ascii_digit()).then_some(())?;
    match word.parse() {
        Ok(number) => Some(Val::Int(number)),
        Err(_) => functions::fraction(word).map(Val::Float),
    }
}

/// The value of a string in quotes, with JSON's escapes; `None` if an escape is malformed.
fn unquoted(quoted: &str) -> Option<String> {
    let inside = quoted.get(1..quoted.len().checked_sub(1)?)?;
    let mut out = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(character) = chars.next() {
        out.push(match character {
            '\\' => match chars.next()? {
                escaped @ ('"' | '\'' | '\\' | '/') => escaped,
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => char::from_u32(hexadecimal(&mut chars)?)?,
                _ => return None,
            },
            other => other,
        });
    }
    Some(out)
}

fn hexadecimal(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |value, _| Some(value * 16 + chars.next()?.to_digit(16)?))
}
