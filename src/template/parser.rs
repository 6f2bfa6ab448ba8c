//! Parses Go's actions into a [`Ast`]. Every name is checked, and every problem has its position.

use std::ops::Range;

use super::ast::{Ast, Expr, Node};
use super::expression::Reader;
use super::functions::{self, Function};
use super::lexer::{Token, TokenKind, tokens};
use super::scan::Piece;
use super::{MAX_DEPTH, Var};
use crate::diagnostics::{Code, Problem, did_you_mean, quoted};

/// Constructs of Go's templates that are refused by name, and what to write instead.
pub(super) const REFUSED: &[(&str, &str)] = &[
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
pub(super) fn parse(text: &str, pieces: &[Piece]) -> Result<Ast, Vec<Problem>> {
    let mut parser = Parser { text, pieces, ..Parser::default() };
    let (nodes, mut ending) = parser.nodes();
    // An `end` or `else` at the top level belongs to no block. It is reported, and parsing continues.
    loop {
        let at = parser.problems.len();
        let (is, help, range) = match ending {
            Ending::Text => break,
            Ending::End(range) => ("closes", "write {{if ..}} before it, or remove it", range),
            Ending::Else(range, _) => match parser.body() {
                true => ("belongs to", "write {{if ..}} before it", range),
                false => ("belongs to", "write {{if ..}} before it, and {{end}} behind it", range),
            },
        };
        let message = format!("{{{{{}}}}} {is} no block", text.get(range.clone()).unwrap_or_default().trim());
        parser.problems.insert(at, Problem::new(Code::TemplateSyntax, message).help(help).at(range));
        (_, ending) = parser.nodes();
    }
    if parser.problems.is_empty() {
        Ok(Ast { nodes, slots: parser.slots, dot: "." })
    } else {
        Err(parser.problems)
    }
}

/// The reason why a list of nodes ended.
enum Ending {
    Text,
    End(Range<usize>),
    /// An `else`; its remaining tokens are not parsed yet.
    Else(Range<usize>, Vec<Token>),
}

#[derive(Default)]
pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    pieces: &'t [Piece],
    at: usize,
    problems: Vec<Problem>,
    /// The names of the blocks that were parsed.
    pub(super) blocks: Vec<String>,
    /// The `$` variables in scope.
    pub(super) names: Vec<(String, usize)>,
    slots: usize,
    /// The slot of the dot inside `with`; `None` if the dot is the whole context.
    pub(super) dot: Option<usize>,
    /// The number of open blocks and parentheses.
    pub(super) depth: usize,
}

pub(super) type Parsed<T> = Result<T, Problem>;

impl Parser<'_> {
    fn nodes(&mut self) -> (Vec<Node>, Ending) {
        let mut nodes = Vec::with_capacity(self.pieces.len().min(8));
        while let Some(piece) = self.pieces.get(self.at) {
            self.at += 1;
            match piece {
                Piece::Text(range) => nodes.push(Node::Text(range.clone())),
                Piece::Variable(var, range) => match self.variable(*var, range.clone()) {
                    Ok(expr) => nodes.push(Node::Print(expr)),
                    Err(problem) => self.problems.push(problem),
                },
                Piece::Action(range) => match self.action(range.clone(), &mut nodes) {
                    Ok(None) => {}
                    Ok(Some(ending)) => return (nodes, ending),
                    Err(problem) => self.problems.push(problem),
                },
            }
        }
        (nodes, Ending::Text)
    }

    fn action(&mut self, range: Range<usize>, nodes: &mut Vec<Node>) -> Parsed<Option<Ending>> {
        let tokens = match tokens(self.text, range.clone()) {
            Ok(tokens) => tokens,
            Err(problem) => {
                // The body of the block is skipped, so that its `end` is not a second problem.
                let action = self.text.get(range).unwrap_or_default();
                let word = action.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
                if matches!(word, "if" | "with" | "block" | "range" | "define") {
                    self.body();
                }
                return Err(problem);
            }
        };
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
                // The body of the block is skipped, so that its `end` is not a second problem.
                let problem = refused(word, range.clone());
                let kept = self.problems.len();
                self.body();
                self.problems.truncate(kept);
                Err(problem)
            }
            _ => {
                let mut reader = Reader::new(self, tokens, 0, range.end);
                let node = match reader.declaration()? {
                    Some((slot, expr)) => Node::Set(slot, expr),
                    None => Node::Print(reader.whole_pipeline()?),
                };
                nodes.push(node);
                Ok(None)
            }
        }
    }

    /// Parses the rest of an `if`, `with` or `block`.
    fn block(&mut self, word: &str, tokens: Vec<Token>, range: Range<usize>) -> Parsed<Vec<Node>> {
        let (names, dot) = (self.names.len(), self.dot);
        // A block is a separate template, which does not see the variables around it.
        let outer = if word == "block" { std::mem::take(&mut self.names) } else { Vec::new() };
        let head = self.head(word, tokens, &range);
        self.depth += 1;
        let result = if self.depth > MAX_DEPTH {
            // The nesting is too deep, so the rest of the text is skipped.
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
        let mut reader = Reader::new(self, tokens, 1, range.end);
        if word == "block" {
            let head = reader.block_head(range);
            if head.is_err() {
                // The dot gets a slot although the condition is invalid, so that its use inside is not a second problem.
                self.dot = Some(self.new_slot());
            }
            return head;
        }
        let head = reader.condition();
        if word != "with" {
            return head;
        }
        // The dot has a slot of its own, because the variable with the same value may be assigned to. It gets one even if the
        // condition is invalid, so that its use inside is not a second problem.
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
        // The second branch does not see the declarations of the first one.
        self.names.truncate(names);
        let otherwise = match ending {
            Ending::End(_) => Vec::new(),
            Ending::Text => {
                // If the nesting was too deep, the rest was not parsed, and a missing `end` is not known.
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
            // `{{else if ..}}` shares the `{{end}}` of the block that it belongs to.
            Some(TokenKind::Ident(next)) if next == word && word != "block" => {
                let next = next.clone();
                self.block(&next, rest, range)
            }
            Some(_) => {
                self.body();
                let message = format!("only {{{{else}}}} or {{{{else {word} ..}}}} is allowed in `{word}`");
                Err(Problem::new(Code::TemplateSyntax, message)
                    .help("open a block of its own after {{else}}")
                    .at(range))
            }
        }
    }

    /// Skips the body of a block whose content is not used. Returns whether the block has an end.
    fn body(&mut self) -> bool {
        let mut ending = Ending::Text;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.at = self.pieces.len();
        } else {
            loop {
                (_, ending) = self.nodes();
                if !matches!(ending, Ending::Else(..)) {
                    break;
                }
            }
        }
        self.depth -= 1;
        matches!(ending, Ending::End(_))
    }

    pub(super) fn new_slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    pub(super) fn variable(&self, var: Var, range: Range<usize>) -> Parsed<Expr> {
        if self.dot.is_some() && self.text.get(range.clone()).is_some_and(|text| text.starts_with('.')) {
            let message = format!("inside `with` the dot is a text, which has no field {}", var.name());
            return Err(Problem::new(Code::TemplateUnknownVariable, message)
                .help(format!("write $.{} to reach the outer variable", var.name()))
                .at(range));
        }
        Ok(Expr::Var(var, range))
    }
}

pub(super) fn refused(word: &str, range: Range<usize>) -> Problem {
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

pub(super) fn missing_blank(text: &str, range: &Range<usize>) -> Problem {
    let part = quoted(text.get(range.clone()).unwrap_or_default());
    Problem::new(Code::TemplateSyntax, format!("a blank is missing in front of {part}"))
        .help("write a blank between the parts")
        .at(range.clone())
}

pub(super) fn too_deep(range: Range<usize>) -> Problem {
    Problem::new(Code::TemplateTooLarge, format!("the template is nested more than {MAX_DEPTH} deep"))
        .help("simplify the template")
        .at(range)
}

/// The problem of an unknown variable. The help names variables in the spelling of `name`, with or without the dot, because only
/// that spelling works in its place.
pub(super) fn unknown_variable(name: &str, dot: &str, range: Range<usize>) -> Problem {
    let known = Var::ALL.into_iter().map(Var::name);
    // In Handlebars' syntax, the name may be a path: `this.Srvice`.
    let last = name.rsplit(['.', '/']).next().unwrap_or_default();
    let help = match did_you_mean(last, known) {
        _ if matches!(name, "Values" | "Release" | "Chart" | "Capabilities" | "Files") => {
            "render the chart first: this is a variable of Helm".to_owned()
        }
        Some(var) => format!("did you mean {{{{{dot}{var}}}}}?"),
        None => known_variables(dot),
    };
    Problem::new(
        Code::TemplateUnknownVariable,
        format!("there is no variable {}", quoted(&format!("{dot}{name}"))),
    )
    .help(help)
    .at(range)
}

/// The help that lists all variables.
pub(super) fn known_variables(dot: &str) -> String {
    format!("use {{{{{dot}Service}}}}, {{{{{dot}Namespace}}}} or {{{{{dot}Domain}}}}")
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
