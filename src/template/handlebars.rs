//! Parsing templates in Handlebars' own syntax into a [`Program`].
//!
//! Only variables, functions, `if` and `unless` are accepted: nothing loops, includes or logs. The rules are those of the
//! Handlebars language (<https://handlebarsjs.com/guide/expressions.html>), with its whitespace: `~` removes the blanks
//! beside it, and the tag of a block or a comment that is alone on a line removes the line. A property test compares the
//! results with those of the `handlebars` crate.

use std::ops::Range;

use super::functions::{self, Val};
use super::parser::{unknown_function, unknown_variable};
use super::program::{Expr, Node, Program};
use super::scan::{BLANKS, action_end, string_end, unclosed_action};
use super::{MAX_DEPTH, Var};
use crate::diagnostics::{Code, Problem, quoted};

/// Parses a template.
pub(super) fn parse(text: &str) -> Result<Program, Vec<Problem>> {
    // Blocks and parentheses are parsed by recursion, so their number is bounded first.
    let count = |what: &[u8]| text.bytes().filter(|byte| what.contains(byte)).count();
    if count(b"([") > MAX_DEPTH || count(b"{") > 4 * MAX_DEPTH {
        let message = "the template has too many actions or parentheses";
        return Err(vec![Problem::new(Code::TemplateTooLarge, message).help("simplify the template")]);
    }
    let pieces = pieces(text).map_err(|problem| vec![problem])?;
    let mut parser = Parser { text, pieces: pieces.into_iter(), problems: Vec::new() };
    let mut nodes = Vec::new();
    loop {
        let (more, ending) = parser.nodes();
        nodes.extend(more);
        let Some(stray) = ending else { break };
        let message = format!("{} closes no block", parser.slice(&stray.whole));
        parser.report::<()>(Problem::new(Code::TemplateSyntax, message).help("remove it").at(stray.whole));
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
    kind: TagKind,
    /// With the braces.
    whole: Range<usize>,
    /// Without the braces, the tildes, the blanks around, and the sign that makes the kind.
    inner: Range<usize>,
    trim_before: bool,
    trim_after: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum TagKind {
    Expression,
    Open,
    Else,
    Close,
    Comment,
    /// A partial or a decorator.
    Other,
}

/// What is removed at one end of a text.
#[derive(Clone, Copy)]
enum Trim {
    Nothing,
    /// All blanks: the tag has a `~` there.
    Blanks,
    /// The rest of the line: the tag is alone on it.
    Line,
}

/// Splits `text` at its tags.
fn pieces(text: &str) -> Result<Vec<Piece>, Problem> {
    let mut pieces = Vec::new();
    let (mut at, mut before) = (0, Trim::Nothing);
    while let Some((literal, open)) = literal(text, at) {
        let tag = tag(text, open)?;
        let alone = tag.kind != TagKind::Expression && is_alone(text, &tag.whole);
        let side = |tilde: bool| match (tilde, alone) {
            (true, _) => Trim::Blanks,
            (false, true) => Trim::Line,
            (false, false) => Trim::Nothing,
        };
        push_text(&literal, before, side(tag.trim_before), &mut pieces);
        before = side(tag.trim_after);
        at = tag.whole.end;
        pieces.push(Piece::Tag(tag));
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
            // Of several backslashes the last one is removed, and the tag counts.
            _ => return Some((unescaped(before.get(..before.len() - 1)?), at)),
        }
    }
}

fn unescaped(text: &str) -> String {
    text.replace("\\{{", "{{")
}

fn push_text(text: &str, before: Trim, after: Trim, pieces: &mut Vec<Piece>) {
    let text = match before {
        Trim::Nothing => text,
        Trim::Blanks => text.trim_start_matches(BLANKS),
        Trim::Line => {
            let rest = text.trim_start_matches([' ', '\t']);
            rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')).unwrap_or(rest)
        }
    };
    let text = match after {
        Trim::Nothing => text,
        Trim::Blanks => text.trim_end_matches(BLANKS),
        Trim::Line => text.trim_end_matches([' ', '\t']),
    };
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

/// Whether there is nothing but blanks beside the tag on its lines.
fn is_alone(text: &str, tag: &Range<usize>) -> bool {
    let before = text.get(..tag.start).unwrap_or_default().trim_end_matches([' ', '\t']);
    let after = text.get(tag.end..).unwrap_or_default().trim_start_matches([' ', '\t']);
    (before.is_empty() || before.ends_with('\n'))
        && (after.is_empty() || after.starts_with('\n') || after.starts_with("\r\n"))
}

/// Reads the braces of the tag at `open`, and what they hold.
fn tag(text: &str, open: usize) -> Result<Tag, Problem> {
    let rest = text.get(open..).unwrap_or_default();
    if rest.starts_with("{{!") {
        return comment(text, open);
    }
    if rest.starts_with("{{{{") {
        return Err(unsupported("a raw block", open..open + 4));
    }
    let close = action_end(text, open, open + 2)?;
    let triple = rest.starts_with("{{{") && text.get(close..).is_some_and(|rest| rest.starts_with("}}}"));
    let whole = open..close + if triple { 3 } else { 2 };
    let body = text.get(open + 2..whole.end - 2).unwrap_or_default();
    // `{{{x}}}` and `{{~{x}~}}` mean `{{x}}` without the escaping of HTML, which is never done here.
    let around = ['{', '}', '~', ' ', '\t', '\r', '\n'];
    let inner = body.trim_start_matches(around);
    let (before, inner) = (body.strip_suffix(inner).unwrap_or_default(), inner.trim_end_matches(around));
    let start = open + 2 + before.len();
    let after = text.get(start + inner.len()..whole.end - 2).unwrap_or_default();
    let braces = before.matches('{').count();
    if before.contains('}') || braces > 1 || braces != after.matches('}').count() {
        return Err(unclosed_action(open..open + 2 + braces));
    }
    if inner.starts_with("/*") {
        return Err(Problem::new(Code::TemplateSyntax, "this comment cannot be read")
            .help("write the comment right behind the braces: {{/* .. */}}")
            .at(start..start + 1));
    }
    let (kind, sign) = if braces == 0 { kind_of(inner) } else { (TagKind::Expression, 0) };
    let inner = start + sign..start + inner.len();
    Ok(Tag { kind, whole, inner, trim_before: before.contains('~'), trim_after: after.contains('~') })
}

/// The kind of a tag, and the length of the sign that makes it.
fn kind_of(inner: &str) -> (TagKind, usize) {
    match inner.as_bytes() {
        [b'#', b'*' | b'>', ..] | [b'>' | b'*', ..] => (TagKind::Other, 0),
        [b'#', ..] => (TagKind::Open, 1),
        [b'/', ..] => (TagKind::Close, 1),
        [b'^', ..] => (TagKind::Else, 1),
        [b'&', ..] => (TagKind::Expression, 1),
        _ => match inner.strip_prefix("else") {
            Some(rest) if !rest.starts_with(is_word) => (TagKind::Else, 4),
            _ => (TagKind::Expression, 0),
        },
    }
}

fn comment(text: &str, open: usize) -> Result<Tag, Problem> {
    let rest = text.get(open..).unwrap_or_default();
    let long = rest.strip_prefix("{{!--").and_then(|rest| rest.find("--}}")).map(|at| 5 + at + 4);
    let length = long.or_else(|| rest.find("}}").map(|at| at + 2)).ok_or_else(|| {
        Problem::new(Code::TemplateUnclosed, "the comment is not closed by `}}`")
            .help("close the comment with `}}`")
            .at(open..open + 3)
    })?;
    let whole = open..open + length;
    Ok(Tag { kind: TagKind::Comment, whole, inner: open..open, trim_before: false, trim_after: false })
}

struct Parser<'t> {
    text: &'t str,
    pieces: std::vec::IntoIter<Piece>,
    problems: Vec<Problem>,
}

/// What cannot be parsed is reported, and the parser goes on without it.
impl<'t> Parser<'t> {
    fn report<T>(&mut self, problem: Problem) -> Option<T> {
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
                // The result is one text: only literal text in Go's syntax separates the items of a list.
                Piece::Text(text) => {
                    nodes.push(Node::Print(Expr::Value(Val::Str(text))));
                    continue;
                }
                Piece::Tag(tag) => tag,
            };
            match tag.kind {
                TagKind::Else | TagKind::Close => return (nodes, Some(tag)),
                TagKind::Comment => {}
                TagKind::Other => {
                    self.report::<()>(unsupported("a partial or decorator", tag.whole));
                }
                TagKind::Open => nodes.extend(self.block(&tag, tag.inner.clone())),
                TagKind::Expression => {
                    nodes.extend(Line::new(self, tag.inner).whole().map(Node::Print));
                }
            }
        }
        (nodes, None)
    }

    /// A block whose condition stands in `head`. `{{else if ..}}` begins a block inside it, which the same tag closes.
    fn block(&mut self, open: &Tag, head: Range<usize>) -> Option<Node> {
        let condition = Line::new(self, head).condition();
        let (mut then, ending) = self.nodes();
        let Some(ending) = ending else { return self.unclosed(open) };
        let mut otherwise = if ending.kind == TagKind::Close {
            self.close(open, &ending)?;
            Vec::new()
        } else if ending.inner.is_empty() {
            let (nodes, mut last) = self.nodes();
            while let Some(Tag { kind: TagKind::Else, whole, .. }) = last {
                let problem = Problem::new(Code::TemplateSyntax, "the block has a second {{else}}");
                self.report::<()>(problem.help("remove it").at(whole));
                (_, last) = self.nodes();
            }
            let Some(last) = last else { return self.unclosed(open) };
            self.close(open, &last)?;
            nodes
        } else {
            vec![self.block(open, ending.inner)?]
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
        self.report(problem)
    }

    /// Whether the tag that ends a block names the block.
    fn close(&mut self, open: &Tag, close: &Tag) -> Option<()> {
        let opened = self.slice(&open.inner).trim_start_matches(BLANKS);
        let opened = opened.split(|c| !is_word(c)).next().unwrap_or_default();
        let closed = self.slice(&close.inner).trim_start_matches(BLANKS);
        if opened == closed {
            return Some(());
        }
        let message = format!("the block {} is closed by {}", quoted(opened), quoted(closed));
        let problem = Problem::new(Code::TemplateSyntax, message).help("close the innermost block first");
        self.report(problem.at(close.whole.clone()))
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

/// The content of one tag, parsed from its start.
struct Line<'p, 't> {
    parser: &'p mut Parser<'t>,
    at: usize,
    end: usize,
}

impl<'p, 't> Line<'p, 't> {
    fn new(parser: &'p mut Parser<'t>, range: Range<usize>) -> Self {
        Self { parser, at: range.start, end: range.end }
    }

    fn rest(&self) -> &'t str {
        self.parser.slice(&(self.at..self.end))
    }

    /// The next character that is not a blank.
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
        self.parser.report(problem.help("correct the marked place").at(range))
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
        if !matches!(word, "if" | "unless") {
            return self.parser.report(unsupported(&quoted(word), range));
        }
        let mut arguments = self.arguments()?;
        if self.peek().is_some() {
            return self.unreadable();
        }
        match (arguments.len(), arguments.pop()) {
            (1, Some(condition)) => Some((condition, word == "unless")),
            (count, _) => {
                let message = format!("{} takes 1 argument, not {count}", quoted(word));
                self.parser.report(Problem::new(Code::TemplateFunction, message).at(range))
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
                let message = function.wrong_count(arguments.len());
                self.parser.report(Problem::new(Code::TemplateFunction, message).at(range))
            }
            None if alone => self.parser.report(unknown(word, range)),
            None => self.parser.report(unknown_function(word, range)),
        }
    }

    /// The arguments up to the end of the tag or parenthesis; every problem among them is reported.
    fn arguments(&mut self) -> Option<Vec<Expr>> {
        let (mut arguments, before) = (Vec::new(), self.parser.problems.len());
        while self.peek().is_some_and(|next| next != ')') {
            let at = self.at;
            arguments.extend(self.argument());
            // Nothing was read, so the end of the arguments is unknown.
            if self.at == at {
                return None;
            }
        }
        (self.parser.problems.len() == before).then_some(arguments)
    }

    fn argument(&mut self) -> Option<Expr> {
        let next = self.peek();
        let start = self.at;
        match next {
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
                let end = string_end(self.parser.text.as_bytes(), start).filter(|end| *end <= self.end);
                let text = end.and_then(|end| string_value(self.parser.slice(&(start..end))));
                let Some((end, text)) = end.zip(text) else { return self.unreadable() };
                self.at = end;
                Some(Expr::Value(Val::Str(text)))
            }
            Some('[' | '{' | '|') => {
                self.at = self.end;
                self.parser.report(unsupported("this argument", start..self.end))
            }
            _ => {
                let Some((word, range)) = self.word() else { return self.unreadable() };
                if self.rest().starts_with('=') {
                    self.at += 1;
                    self.argument();
                    return self.parser.report(unsupported("a named argument", range));
                }
                match word {
                    "true" | "false" => Some(Expr::Value(Val::Bool(word == "true"))),
                    "null" => self.parser.report(unsupported("this argument", range)),
                    _ => match (Var::from_name(word), number(word)) {
                        (Some(var), _) => Some(Expr::Var(var, range)),
                        (None, Some(number)) => Some(Expr::Value(number)),
                        (None, None) => self.parser.report(unknown(word, range)),
                    },
                }
            }
        }
    }
}

fn unknown(word: &str, range: Range<usize>) -> Problem {
    match word.strip_prefix('.') {
        Some(name) if name.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            let message = "the template mixes Go's {{.Service}} with Handlebars' syntax";
            let help = "write {{Service}} beside {{#if ..}}, or {{if ..}} and {{end}} beside {{.Service}}";
            Problem::new(Code::TemplateSyntax, message).help(help).at(range)
        }
        _ => unknown_variable(word, "", range),
    }
}

/// A number in JSON's form.
fn number(word: &str) -> Option<Val> {
    word.strip_prefix('-').unwrap_or(word).starts_with(|c: char| c.is_ascii_digit()).then_some(())?;
    word.parse().map(Val::Int).ok().or_else(|| functions::fraction(word).map(Val::Float))
}

/// The value of a string with its quotes; the escapes are those of JSON.
fn string_value(quoted: &str) -> Option<String> {
    match quoted.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(inside) => {
            let inside = inside.replace("\\'", "'").replace('"', "\\\"");
            serde_json::from_str(&format!("\"{inside}\"")).ok()
        }
        None => serde_json::from_str(quoted).ok(),
    }
}
