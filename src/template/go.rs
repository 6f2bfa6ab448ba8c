//! Reading Go's actions into a small tree, with every name checked and every error at its place.

use std::ops::Range;

use super::cut::{Piece, string_end, unclosed_action, unquote};
use super::functions::{self, Function, Val};
use super::{MAX_DEPTH, Var};
use crate::diagnostics::{Code, Problem, did_you_mean, quoted};

/// A parsed template. Variables of the template (`$x`) and the dot inside `with` are numbered slots.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) nodes: Vec<Node>,
    pub(super) slots: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(Range<usize>),
    Print(Expr),
    Set(usize, Expr),
    /// `if` and `with`; the condition's value is kept in the slots: that of the variable, and that of the dot.
    If {
        slots: Vec<usize>,
        condition: Expr,
        then: Vec<Self>,
        otherwise: Vec<Self>,
    },
}

#[derive(Clone, Debug)]
pub(super) enum Expr {
    Value(Val),
    Var(Var, Range<usize>),
    Slot(usize, Range<usize>),
    Call(&'static Function, Vec<Self>, Range<usize>),
}

/// Constructs of Go that are refused by name, and what to write instead.
const REFUSED: &[(&str, &str)] = &[
    ("range", "there is nothing to loop over; write the parts one after the other"),
    ("define", "write the text where it is used"),
    ("template", "write the text where it is used"),
    ("break", "there is nothing to loop over"),
    ("continue", "there is nothing to loop over"),
    ("call", "there is nothing to call"),
    ("index", "use trunc for the first letters of a value"),
    ("slice", "use trunc for the first or last letters of a value"),
];

/// Parses the pieces of `text`.
pub(super) fn parse(text: &str, pieces: &[Piece]) -> Result<Program, Vec<Problem>> {
    let mut parser = Parser {
        text,
        pieces,
        at: 0,
        problems: Vec::new(),
        blocks: Vec::new(),
        names: Vec::new(),
        slots: 0,
        dot: None,
        depth: 0,
    };
    let (mut nodes, mut ending) = parser.nodes();
    // An `end` or `else` at the top closes nothing: say so and go on.
    while let Some((word, range)) = ending.stray() {
        let said = format!("{{{{{word}}}}} closes no block");
        parser.problems.push(Problem::new(Code::TemplateSyntax, said).help("remove it").at(range));
        let (more, next) = parser.nodes();
        nodes.extend(more);
        ending = next;
    }
    if parser.problems.is_empty() { Ok(Program { nodes, slots: parser.slots }) } else { Err(parser.problems) }
}

/// How a list of nodes ended.
enum Ending {
    Text,
    End(Range<usize>),
    /// The tokens after `else` are still to be read.
    Else(Range<usize>, Vec<Token>),
}

impl Ending {
    fn stray(&self) -> Option<(&'static str, Range<usize>)> {
        match self {
            Self::Text => None,
            Self::End(range) => Some(("end", range.clone())),
            Self::Else(range, _) => Some(("else", range.clone())),
        }
    }
}

#[derive(Clone, Debug)]
struct Token {
    kind: TokenKind,
    range: Range<usize>,
    /// Whether a blank stands before it.
    spaced: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum TokenKind {
    Ident(String),
    Field(String),
    Dot,
    Variable(String),
    Value(Val),
    Open,
    Close,
    Pipe,
    Declare,
    Assign,
    Comma,
}

struct Parser<'t> {
    text: &'t str,
    pieces: &'t [Piece],
    at: usize,
    problems: Vec<Problem>,
    /// The names of the blocks so far.
    blocks: Vec<String>,
    /// The `$` variables in scope.
    names: Vec<(String, usize)>,
    slots: usize,
    /// The slot of the dot inside `with`; `None` where the dot is the whole context.
    dot: Option<usize>,
    depth: usize,
}

type Parsed<T> = Result<T, Problem>;

impl Parser<'_> {
    fn nodes(&mut self) -> (Vec<Node>, Ending) {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.get(self.at) {
            self.at += 1;
            match piece {
                Piece::Comment => {}
                Piece::Text(range) => nodes.push(Node::Text(range.clone())),
                Piece::Variable(var, range) => match self.variable(*var, range.clone()) {
                    Ok(expr) => nodes.push(Node::Print(expr)),
                    Err(problem) => self.problems.push(problem),
                },
                Piece::Action(range) => match self.tokens(range.clone()) {
                    Ok(tokens) => match self.action(tokens, range.clone(), &mut nodes) {
                        Ok(None) => {}
                        Ok(Some(ending)) => return (nodes, ending),
                        Err(problem) => self.problems.push(problem),
                    },
                    Err(problem) => self.problems.push(problem),
                },
            }
        }
        (nodes, Ending::Text)
    }

    fn action(
        &mut self,
        tokens: Vec<Token>,
        range: Range<usize>,
        nodes: &mut Vec<Node>,
    ) -> Parsed<Option<Ending>> {
        let word = match tokens.first().map(|token| &token.kind) {
            Some(TokenKind::Ident(word)) => word.as_str(),
            _ => "",
        };
        match word {
            "end" if tokens.len() == 1 => Ok(Some(Ending::End(range))),
            "else" => Ok(Some(Ending::Else(range, tokens.into_iter().skip(1).collect()))),
            "if" | "with" | "block" => {
                let word = word.to_owned();
                nodes.extend(self.block(&word, tokens, range)?);
                Ok(None)
            }
            "range" | "define" => {
                // Read the block all the same, so that its `end` does not become a second problem.
                let problem = refused(word, range.clone());
                let kept = self.problems.len();
                self.body();
                self.problems.truncate(kept);
                Err(problem)
            }
            _ => {
                let mut reader = Reader { parser: self, tokens, at: 0, end: range.end, pipes: 0 };
                let node = match reader.declaration()? {
                    Some((slot, expr)) => Node::Set(slot, expr),
                    None => Node::Print(reader.whole_pipeline()?),
                };
                nodes.push(node);
                Ok(None)
            }
        }
    }

    /// Reads the rest of an `if`, `with` or `block`.
    fn block(&mut self, word: &str, tokens: Vec<Token>, range: Range<usize>) -> Parsed<Vec<Node>> {
        let (names, dot) = (self.names.len(), self.dot);
        // A block is a template of its own, which sees no variable of the one around it.
        let outer = if word == "block" { std::mem::take(&mut self.names) } else { Vec::new() };
        let head = self.head(word, tokens, &range);
        self.depth += 1;
        let result = if self.depth > MAX_DEPTH {
            // Nothing below is worth reading: skip to the end of the text.
            self.at = self.pieces.len();
            Err(too_deep(range))
        } else {
            self.block_body(word, head, &range, dot)
        };
        self.depth -= 1;
        if word == "block" {
            self.names = outer;
        }
        self.names.truncate(names);
        self.dot = dot;
        result
    }

    /// The condition of a block, and the slot of its variable.
    fn head(&mut self, word: &str, tokens: Vec<Token>, range: &Range<usize>) -> Parsed<(Vec<usize>, Expr)> {
        if let Some(next) = tokens.get(1).filter(|next| !next.spaced) {
            return Err(missing_blank(self.text, &next.range));
        }
        let mut reader = Reader { parser: self, tokens, at: 1, end: range.end, pipes: 0 };
        if word == "block" {
            let head = reader.block_head(range);
            if head.is_err() {
                // The dot inside must not become a second problem.
                self.dot = Some(self.new_slot());
            }
            return head;
        }
        let head = reader.condition();
        if word != "with" {
            return head;
        }
        // The dot has a slot of its own: a variable beside it may be assigned to. Also where the condition is wrong, so
        // that the dot inside does not become a second problem.
        let dot = self.new_slot();
        self.dot = Some(dot);
        head.map(|(slots, expr)| (slots.into_iter().chain([dot]).collect(), expr))
    }

    fn block_body(
        &mut self,
        word: &str,
        head: Parsed<(Vec<usize>, Expr)>,
        range: &Range<usize>,
        outer_dot: Option<usize>,
    ) -> Parsed<Vec<Node>> {
        let names = self.names.len();
        let (then, ending) = self.nodes();
        self.dot = outer_dot;
        // What the first branch declared, the second does not see.
        self.names.truncate(names);
        let otherwise = match ending {
            Ending::End(_) => Vec::new(),
            Ending::Text => {
                // Where the nesting was too deep, the rest was not read.
                if self.problems.iter().all(|problem| problem.code != Code::TemplateTooLarge) {
                    self.problems.push(unclosed_block(word, range.clone()));
                }
                Vec::new()
            }
            Ending::Else(at, _) if word == "block" => {
                self.body();
                return Err(Problem::new(Code::TemplateSyntax, "`block` has no {{else}}")
                    .help("remove it")
                    .at(at));
            }
            Ending::Else(at, rest) => self.otherwise(word, at, rest)?,
        };
        let (slots, condition) = head?;
        if word == "block" {
            return Ok(then);
        }
        Ok(vec![Node::If { slots, condition, then, otherwise }])
    }

    fn otherwise(&mut self, word: &str, range: Range<usize>, rest: Vec<Token>) -> Parsed<Vec<Node>> {
        match rest.first().map(|token| &token.kind) {
            None => {
                let (nodes, ending) = self.nodes();
                match ending {
                    Ending::End(_) => Ok(nodes),
                    Ending::Text => Err(unclosed_block(word, range)),
                    Ending::Else(again, _) => {
                        self.body();
                        Err(Problem::new(Code::TemplateSyntax, "the block has a second {{else}}")
                            .help("use one {{else}}, or {{else if ..}}")
                            .at(again))
                    }
                }
            }
            // `{{else if ..}}` shares the `{{end}}` of the block it belongs to.
            Some(TokenKind::Ident(next)) if next == word && word != "block" => {
                let next = next.clone();
                self.block(&next, rest, range)
            }
            Some(_) => {
                self.body();
                let said = format!("only {{{{else}}}} or {{{{else {word} ..}}}} can stand in `{word}`");
                Err(Problem::new(Code::TemplateSyntax, said)
                    .help("open a block of its own after {{else}}")
                    .at(range))
            }
        }
    }

    /// Skips to the end of a block whose content does not matter any more.
    fn body(&mut self) {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.at = self.pieces.len();
        } else {
            while let (_, Ending::Else(..)) = self.nodes() {}
        }
        self.depth -= 1;
    }

    fn new_slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    fn variable(&self, var: Var, range: Range<usize>) -> Parsed<Expr> {
        if self.dot.is_some() && self.text.get(range.clone()).is_some_and(|text| text.starts_with('.')) {
            let said = format!("inside `with` the dot is a text, which has no field {}", var.name());
            return Err(Problem::new(Code::TemplateUnknownVariable, said)
                .help(format!("write $.{} to reach the outer variable", var.name()))
                .at(range));
        }
        Ok(Expr::Var(var, range))
    }

    fn tokens(&self, range: Range<usize>) -> Parsed<Vec<Token>> {
        Lexer { text: self.text, at: range.start, end: range.end }.all()
    }
}

fn refused(word: &str, range: Range<usize>) -> Problem {
    let help = REFUSED.iter().find(|(name, _)| *name == word).map_or("", |(_, help)| help);
    Problem::new(Code::TemplateUnsupported, format!("`{word}` is not supported in templates"))
        .help(help)
        .at(range)
}

fn unclosed_block(word: &str, range: Range<usize>) -> Problem {
    Problem::new(Code::TemplateUnclosed, format!("`{word}` is not closed by {{{{end}}}}"))
        .help("add {{end}} after the block")
        .at(range)
}

fn missing_blank(text: &str, range: &Range<usize>) -> Problem {
    let part = quoted(text.get(range.clone()).unwrap_or_default());
    Problem::new(Code::TemplateSyntax, format!("a blank is missing in front of {part}"))
        .help("write a blank between the parts")
        .at(range.clone())
}

fn too_deep(range: Range<usize>) -> Problem {
    Problem::new(Code::TemplateTooLarge, format!("the template is nested more than {MAX_DEPTH} deep"))
        .help("simplify the template")
        .at(range)
}

/// Reads the tokens of one action.
struct Reader<'p, 't> {
    parser: &'p mut Parser<'t>,
    tokens: Vec<Token>,
    at: usize,
    end: usize,
    /// The `|` of this action: each makes the tree one deeper.
    pipes: usize,
}

impl Reader<'_, '_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    fn here(&self) -> Range<usize> {
        self.peek().map_or(self.end.saturating_sub(1)..self.end, |token| token.range.clone())
    }

    /// A pipeline whose value may be kept in a variable.
    fn condition(&mut self) -> Parsed<(Vec<usize>, Expr)> {
        match self.declaration()? {
            Some((slot, expr)) => Ok((vec![slot], expr)),
            None => Ok((Vec::new(), self.whole_pipeline()?)),
        }
    }

    /// `$x := pipeline` or `$x = pipeline`.
    fn declaration(&mut self) -> Parsed<Option<(usize, Expr)>> {
        let kind = |at: usize| self.tokens.get(at).map(|token| &token.kind);
        let (Some(TokenKind::Variable(name)), Some(operator)) = (kind(self.at), kind(self.at + 1)) else {
            return Ok(None);
        };
        let declares = match operator {
            TokenKind::Declare => true,
            TokenKind::Assign => false,
            _ => return Ok(None),
        };
        let (name, range) = (name.clone(), self.here());
        self.at += 2;
        if name == "$" {
            return Err(Problem::new(Code::TemplateSyntax, "`$` cannot be assigned to")
                .help("use a name such as $name")
                .at(range));
        }
        let expr = self.whole_pipeline()?;
        let slot = if declares {
            let slot = self.parser.new_slot();
            self.parser.names.push((name, slot));
            slot
        } else {
            self.slot_of(&name, range)?
        };
        Ok(Some((slot, expr)))
    }

    fn slot_of(&self, name: &str, range: Range<usize>) -> Parsed<usize> {
        let names = &self.parser.names;
        if let Some((_, slot)) = names.iter().rev().find(|(known, _)| known == name) {
            return Ok(*slot);
        }
        let mut problem =
            Problem::new(Code::TemplateUnknownVariable, format!("the variable `{name}` is not declared"))
                .at(range);
        let candidate = Var::ALL.into_iter().map(Var::name);
        problem.help = Some(match did_you_mean(name.trim_start_matches('$'), candidate) {
            Some(var) => format!("did you mean {{{{.{var}}}}}?"),
            None => format!("declare it first: {{{{{name} := .Service}}}}"),
        });
        Err(problem)
    }

    /// `block "name" .`: the text in place. Only the whole context can be handed on.
    fn block_head(&mut self, range: &Range<usize>) -> Parsed<(Vec<usize>, Expr)> {
        let name = match self.next().map(|token| token.kind) {
            Some(TokenKind::Value(Val::Str(name))) => Some(name),
            _ => None,
        };
        let context = self.next().map(|token| token.kind);
        let whole = match context {
            Some(TokenKind::Dot) => self.parser.dot.is_none(),
            Some(TokenKind::Variable(name)) => name == "$",
            _ => false,
        };
        let fresh = name.as_ref().is_some_and(|name| !self.parser.blocks.contains(name));
        if fresh && whole && self.peek().is_none() {
            self.parser.blocks.extend(name);
            self.parser.dot = None;
            return Ok((Vec::new(), Expr::Value(Val::Bool(true))));
        }
        Err(Problem::new(Code::TemplateUnsupported, "`block` is supported only as {{block \"name\" .}}")
            .help("write the text where it is used")
            .at(range.clone()))
    }

    fn whole_pipeline(&mut self) -> Parsed<Expr> {
        let expr = self.pipeline()?;
        match self.next() {
            None => Ok(expr),
            Some(token) => Err(self.unexpected(&token)),
        }
    }

    fn pipeline(&mut self) -> Parsed<Expr> {
        let mut expr = self.command(None)?;
        while matches!(self.peek().map(|token| &token.kind), Some(TokenKind::Pipe)) {
            self.at += 1;
            self.pipes += 1;
            if self.pipes > MAX_DEPTH {
                return Err(too_deep(self.here()));
            }
            expr = self.command(Some(expr))?;
        }
        Ok(expr)
    }

    fn command(&mut self, piped: Option<Expr>) -> Parsed<Expr> {
        let start = self.here();
        if let Some(Token { kind: TokenKind::Ident(word), range, .. }) = self.peek().cloned()
            && let Some(function) = functions::find(&word)
        {
            self.at += 1;
            let mut arguments = self.arguments()?;
            arguments.extend(piped);
            return self.call(function, arguments, range);
        }
        let first = self.operand()?;
        if piped.is_some() {
            return Err(Problem::new(Code::TemplateSyntax, "only a function can stand behind `|`")
                .help("write a function such as lower behind `|`")
                .at(start));
        }
        if let Some(next) = self.peek()
            && !matches!(next.kind, TokenKind::Close | TokenKind::Pipe | TokenKind::Comma)
        {
            let said = format!("{} takes no arguments", quoted(self.source(&start)));
            return Err(Problem::new(Code::TemplateSyntax, said)
                .help("put a function such as printf in front")
                .at(next.range.clone()));
        }
        Ok(first)
    }

    fn source(&self, range: &Range<usize>) -> &str {
        self.parser.text.get(range.clone()).unwrap_or_default()
    }

    fn arguments(&mut self) -> Parsed<Vec<Expr>> {
        let mut arguments = Vec::new();
        while let Some(token) = self.peek() {
            if matches!(token.kind, TokenKind::Close | TokenKind::Pipe) {
                break;
            }
            if !token.spaced {
                let said = format!("a blank is missing in front of {}", quoted(self.source(&token.range)));
                let problem =
                    Problem::new(Code::TemplateSyntax, said).help("write a blank between the parts");
                return Err(problem.at(token.range.clone()));
            }
            arguments.push(self.operand()?);
        }
        Ok(arguments)
    }

    fn call(&self, function: &'static Function, arguments: Vec<Expr>, range: Range<usize>) -> Parsed<Expr> {
        let count = arguments.len();
        if function.takes(count) {
            return Ok(Expr::Call(function, arguments, range));
        }
        let said = format!("`{}` takes {}, not {count}", function.name, function.arity());
        Err(Problem::new(Code::TemplateFunction, said)
            .help(format!("write it like this: {}", function.example))
            .at(range))
    }

    fn operand(&mut self) -> Parsed<Expr> {
        let Some(token) = self.next() else {
            return Err(Problem::new(Code::TemplateSyntax, "the action has no value")
                .help("write a variable such as .Service")
                .at(self.here()));
        };
        let range = token.range.clone();
        let expr = match &token.kind {
            TokenKind::Value(value) => Expr::Value(value.clone()),
            TokenKind::Field(name) => self.field(name, range.clone())?,
            TokenKind::Variable(name) if name == "$" => return self.root_field(range),
            TokenKind::Variable(name) => Expr::Slot(self.slot_of(name, range.clone())?, range.clone()),
            TokenKind::Dot => match self.parser.dot {
                Some(slot) => Expr::Slot(slot, range.clone()),
                None => return Err(whole_context(range)),
            },
            TokenKind::Open => self.parenthesis(range.clone())?,
            TokenKind::Ident(word) => self.word(word, range.clone())?,
            _ => return Err(self.unexpected(&token)),
        };
        // A field of a text: `.Service.Name`.
        match self.peek() {
            Some(Token { kind: TokenKind::Field(name), spaced: false, range: field }) => {
                let said = format!("{} is a text, which has no field {name}", quoted(self.source(&range)));
                Err(Problem::new(Code::TemplateUnknownVariable, said)
                    .help(format!("remove .{name}"))
                    .at(range.start..field.end))
            }
            _ => Ok(expr),
        }
    }

    fn parenthesis(&mut self, open: Range<usize>) -> Parsed<Expr> {
        self.parser.depth += 1;
        if self.parser.depth > MAX_DEPTH {
            self.parser.depth -= 1;
            return Err(too_deep(open));
        }
        let expr = self.pipeline();
        self.parser.depth -= 1;
        let expr = expr?;
        match self.next() {
            Some(Token { kind: TokenKind::Close, .. }) => Ok(expr),
            Some(token) => Err(self.unexpected(&token)),
            None => Err(Problem::new(Code::TemplateUnclosed, "the parenthesis is not closed")
                .help("add the closing parenthesis")
                .at(open)),
        }
    }

    fn field(&self, name: &str, range: Range<usize>) -> Parsed<Expr> {
        match Var::from_name(name) {
            Some(var) => self.parser.variable(var, range),
            None => Err(unknown_variable(name, ".", range)),
        }
    }

    fn root_field(&mut self, range: Range<usize>) -> Parsed<Expr> {
        match self.peek().cloned() {
            Some(Token { kind: TokenKind::Field(name), spaced: false, range: field }) => {
                self.at += 1;
                let range = range.start..field.end;
                let var = Var::from_name(&name).ok_or_else(|| unknown_variable(&name, ".", range.clone()))?;
                Ok(Expr::Var(var, range))
            }
            _ => Err(whole_context(range)),
        }
    }

    fn word(&self, word: &str, range: Range<usize>) -> Parsed<Expr> {
        if let Some(var) = Var::from_name(word) {
            return Ok(Expr::Var(var, range));
        }
        match word {
            "true" => return Ok(Expr::Value(Val::Bool(true))),
            "false" => return Ok(Expr::Value(Val::Bool(false))),
            _ => {}
        }
        if REFUSED.iter().any(|(name, _)| *name == word) {
            return Err(refused(word, range));
        }
        if let Some(function) = functions::find(word) {
            return self.call(function, Vec::new(), range);
        }
        if matches!(word, "end" | "else" | "if" | "with" | "block" | "nil") {
            let said = format!("`{word}` cannot stand here");
            return Err(Problem::new(Code::TemplateSyntax, said).help("correct the marked place").at(range));
        }
        // A word alone may have been meant as a variable, a word with arguments as a function.
        if self.tokens.len() == 1 {
            return Err(unknown_variable(word, "", range));
        }
        Err(unknown_function(word, range))
    }

    fn unexpected(&self, token: &Token) -> Problem {
        let said = format!("{} is not expected here", quoted(self.source(&token.range)));
        Problem::new(Code::TemplateSyntax, said).help("correct the marked place").at(token.range.clone())
    }
}

pub(super) fn unknown_variable(name: &str, dot: &str, range: Range<usize>) -> Problem {
    let known = Var::ALL.into_iter().map(Var::name);
    let help = match did_you_mean(name, known) {
        _ if matches!(name, "Values" | "Release" | "Chart" | "Capabilities" | "Files") => {
            "render the chart first: this is a variable of Helm".to_owned()
        }
        Some(var) => format!("did you mean {{{{.{var}}}}}?"),
        None => "use {{.Service}}, {{.Namespace}} or {{.Domain}}".to_owned(),
    };
    Problem::new(
        Code::TemplateUnknownVariable,
        format!("there is no variable {}", quoted(&format!("{dot}{name}"))),
    )
    .help(help)
    .at(range)
}

pub(super) fn unknown_function(name: &str, range: Range<usize>) -> Problem {
    let known = functions::all().iter().flat_map(Function::names);
    let help = match did_you_mean(name, known) {
        Some(function) => format!("did you mean {function}?"),
        None => "use one of the functions that `xposer explain templates` lists".to_owned(),
    };
    Problem::new(Code::TemplateUnknownFunction, format!("there is no function {}", quoted(name)))
        .help(help)
        .at(range)
}

fn whole_context(range: Range<usize>) -> Problem {
    Problem::new(Code::TemplateSyntax, "the dot alone is not a text")
        .help("name a variable: {{.Service}}, {{.Namespace}} or {{.Domain}}")
        .at(range)
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    end: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    fn all(mut self) -> Parsed<Vec<Token>> {
        let mut tokens = Vec::new();
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
            let spaced = trimmed.len() < rest.len();
            self.at = self.end - trimmed.len();
            let Some(character) = trimmed.chars().next() else { return Ok(tokens) };
            let start = self.at;
            let kind = self.token(character)?;
            tokens.push(Token { kind, range: start..self.at, spaced });
        }
    }

    fn token(&mut self, character: char) -> Parsed<TokenKind> {
        let start = self.at;
        self.at += character.len_utf8();
        Ok(match character {
            '(' => TokenKind::Open,
            ')' => TokenKind::Close,
            '|' => TokenKind::Pipe,
            ',' => TokenKind::Comma,
            '=' => TokenKind::Assign,
            ':' if self.rest().starts_with('=') => {
                self.at += 1;
                TokenKind::Declare
            }
            '"' | '`' => {
                let end = string_end(self.text.as_bytes(), start)
                    .filter(|end| *end <= self.end)
                    .unwrap_or(self.end);
                self.at = end;
                let quoted = self.text.get(start..end).unwrap_or_default();
                TokenKind::Value(Val::Str(unquote(quoted).ok_or_else(|| bad_string(start..end))?))
            }
            '\'' => {
                let end = string_end(self.text.as_bytes(), start)
                    .filter(|end| *end <= self.end)
                    .unwrap_or(self.end);
                self.at = end;
                let quoted = self.text.get(start..end).unwrap_or_default();
                let value = unquote(quoted).ok_or_else(|| bad_string(start..end))?;
                let mut chars = value.chars();
                match (chars.next(), chars.next()) {
                    (Some(only), None) => TokenKind::Value(Val::Int(i64::from(u32::from(only)))),
                    _ => return Err(single_quotes(start..end)),
                }
            }
            '.' => match self.word() {
                "" => TokenKind::Dot,
                word => TokenKind::Field(word.to_owned()),
            },
            '$' => TokenKind::Variable(format!("${}", self.word())),
            '0'..='9' | '+' | '-' => {
                self.at = start;
                TokenKind::Value(self.number()?)
            }
            letter if letter.is_alphabetic() || letter == '_' => {
                self.at = start;
                TokenKind::Ident(self.word().to_owned())
            }
            '}' | '{' => return Err(unclosed_action(start..self.at)),
            other => {
                let said = format!("{} is not expected in an action", quoted(&other.to_string()));
                return Err(Problem::new(Code::TemplateSyntax, said).help("remove it").at(start..self.at));
            }
        })
    }

    fn word(&mut self) -> &'t str {
        let start = self.at;
        let rest = self.rest();
        self.at += rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn number(&mut self) -> Parsed<Val> {
        let start = self.at;
        let rest = self.rest();
        let length = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '+' | '-')))
            .unwrap_or(rest.len());
        self.at += length;
        let text = self.text.get(start..self.at).unwrap_or_default();
        parse_number(text).ok_or_else(|| {
            Problem::new(Code::TemplateSyntax, format!("{} is not a number", quoted(text)))
                .help("write a whole number or a decimal fraction")
                .at(start..self.at)
        })
    }
}

fn parse_number(text: &str) -> Option<Val> {
    // One sign, and single underscores between digits.
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let prefixed = ["0x", "0X", "0o", "0O", "0b", "0B"].iter().any(|prefix| unsigned.starts_with(prefix));
    let lone = |at: usize| {
        let digit = |at: Option<usize>| {
            let byte = at.and_then(|at| unsigned.as_bytes().get(at));
            byte.is_some_and(if prefixed { u8::is_ascii_alphanumeric } else { u8::is_ascii_digit })
        };
        digit(at.checked_sub(1)) && digit(Some(at + 1))
    };
    if unsigned.starts_with(['-', '+']) || !unsigned.match_indices('_').all(|(at, _)| lone(at)) {
        return None;
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let clean = digits.replace('_', "");
    let lower = clean.to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(rest) = lower.strip_prefix(prefix) {
            let plain = rest.bytes().all(|b| b.is_ascii_alphanumeric());
            return i64::from_str_radix(&format!("{sign}{rest}"), radix).ok().filter(|_| plain).map(Val::Int);
        }
    }
    if !clean.is_empty() && clean.bytes().all(|b| b.is_ascii_digit()) {
        let radix = if clean.len() > 1 && clean.starts_with('0') { 8 } else { 10 };
        return i64::from_str_radix(&format!("{sign}{clean}"), radix).ok().map(Val::Int);
    }
    // An exponent needs digits in front of it.
    functions::fraction(&format!("{sign}{clean}")).map(Val::Float)
}

fn bad_string(range: Range<usize>) -> Problem {
    Problem::new(Code::TemplateSyntax, "the string contains an escape that is not known")
        .help("double the backslash, or use backquotes")
        .at(range)
}

fn single_quotes(range: Range<usize>) -> Problem {
    Problem::new(Code::TemplateSyntax, "single quotes hold one character")
        .help("use double quotes or backquotes for a text")
        .at(range)
}
