//! Parsing the tokens of one action in Go's syntax into an [`Expr`].

use std::ops::Range;

use super::ast::Expr;
use super::functions::{self, Function, Val};
use super::lexer::{Token, TokenKind};
use super::parser::{
    Parsed, Parser, REFUSED, missing_blank, refused, too_deep, unknown_function, unknown_variable,
};
use super::{MAX_DEPTH, Var};
use crate::diagnostics::{Code, Problem, did_you_mean, quoted};

/// Parses the tokens of one action.
pub(super) struct Reader<'p, 't> {
    parser: &'p mut Parser<'t>,
    tokens: Vec<Token>,
    at: usize,
    end: usize,
    /// The number of `|` in this action: each makes the tree one level deeper.
    pipes: usize,
}

impl<'p, 't> Reader<'p, 't> {
    /// Creates a reader of `tokens` that starts at index `at`; `end` is the byte position of the end of the action.
    pub(super) fn new(parser: &'p mut Parser<'t>, tokens: Vec<Token>, at: usize, end: usize) -> Self {
        Self { parser, tokens, at, end, pipes: 0 }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    fn here(&self) -> Range<usize> {
        let last = || self.parser.text.floor_char_boundary(self.end.saturating_sub(1))..self.end;
        self.peek().map_or_else(last, |token| token.range.clone())
    }

    /// A pipeline whose value a variable may store.
    pub(super) fn condition(&mut self) -> Parsed<(Vec<usize>, Expr)> {
        match self.declaration()? {
            Some((slot, expr)) => Ok((vec![slot], expr)),
            None => Ok((Vec::new(), self.whole_pipeline()?)),
        }
    }

    /// `$x := pipeline` or `$x = pipeline`.
    pub(super) fn declaration(&mut self) -> Parsed<Option<(usize, Expr)>> {
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

    /// `block "name" .`: the block is rendered where it is defined. Only the whole context can be its argument.
    pub(super) fn block_head(&mut self, range: &Range<usize>) -> Parsed<(Vec<usize>, Expr)> {
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

    pub(super) fn whole_pipeline(&mut self) -> Parsed<Expr> {
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
            return Err(Problem::new(Code::TemplateSyntax, "only a function can follow `|`")
                .help("write a function such as lower behind `|`")
                .at(start));
        }
        if let Some(next) = self.peek()
            && !matches!(next.kind, TokenKind::Close | TokenKind::Pipe | TokenKind::Comma)
        {
            let message = format!("{} takes no arguments", quoted(self.source(&start)));
            return Err(Problem::new(Code::TemplateSyntax, message)
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
                return Err(missing_blank(self.parser.text, &token.range));
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
        Err(Problem::new(Code::TemplateFunction, function.wrong_count(count))
            .help(function.usage("."))
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
        // A field of a text, such as `.Service.Name`.
        match self.peek() {
            Some(Token { kind: TokenKind::Field(name), spaced: false, range: field }) => {
                let message = format!("{} is a text, which has no field {name}", quoted(self.source(&range)));
                Err(Problem::new(Code::TemplateUnknownVariable, message)
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
            let message = format!("`{word}` is not allowed here");
            return Err(Problem::new(Code::TemplateSyntax, message)
                .help("correct the marked place")
                .at(range));
        }
        // A word that has arguments or follows a pipe was meant as a function. Any other word, and a word that is nearly the name
        // of a variable, was meant as a variable.
        let before = self.at.checked_sub(2).and_then(|at| self.tokens.get(at)).map(|token| &token.kind);
        let is_alone = self.peek().is_none_or(|next| match next.kind {
            TokenKind::Close | TokenKind::Pipe => true,
            TokenKind::Field(_) => !next.spaced,
            _ => false,
        });
        if before != Some(&TokenKind::Pipe)
            && (is_alone || did_you_mean(word, Var::ALL.into_iter().map(Var::name)).is_some())
        {
            return Err(unknown_variable(word, "", range));
        }
        Err(unknown_function(word, range))
    }

    fn unexpected(&self, token: &Token) -> Problem {
        let message = format!("{} is not expected here", quoted(self.source(&token.range)));
        Problem::new(Code::TemplateSyntax, message).help("correct the marked place").at(token.range.clone())
    }
}

fn whole_context(range: Range<usize>) -> Problem {
    Problem::new(Code::TemplateSyntax, "the dot alone is not a text")
        .help("name a variable: {{.Service}}, {{.Namespace}} or {{.Domain}}")
        .at(range)
}
