//! Parses templates in Handlebars' own syntax into a [`Ast`].
//!
//! The `handlebars` crate parses the language (<https://handlebarsjs.com/guide/expressions.html>), including its whitespace
//! control. Only variables, functions, `if` and `unless` are accepted in its tree: nothing loops, includes or logs. The tree has no
//! positions, so the tags are found in the text, and their words are matched with the nodes in order. A template that the crate
//! cannot parse is parsed tag by tag, so that every problem is reported.

use std::ops::Range;

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};
use handlebars::{Path, PathSeg, TemplateError, TemplateErrorReason};
use serde_json::Value;

use super::ast::{Ast, Expr, Node};
use super::functions::{self, Val};
use super::parser::{unknown_function, unknown_variable};
use super::scan::{BLANKS, string_end};
use super::{MAX_DEPTH, Var};
use crate::diagnostics::{Code, Problem, quoted};

mod tags;

use self::tags::{Tag, TagKind, tags, without_tilde_comments};

/// Parses a template.
pub(super) fn parse(text: &str) -> Result<Ast, Vec<Problem>> {
    // The limits prevent a stack overflow and quadratic time: the crate parses blocks and parentheses by recursion, and searches
    // for the end of backslashes from each of them.
    for (what, most) in [("([", MAX_DEPTH), ("{", 4 * MAX_DEPTH), ("\\", 4 * MAX_DEPTH)] {
        let count = text.bytes().filter(|byte| what.as_bytes().contains(byte)).count();
        if count > most {
            let message = format!(
                "the template has {count} of the characters `{what}`, at most {most} are allowed in Handlebars' syntax"
            );
            return Err(vec![Problem::new(Code::TemplateTooLarge, message).help("simplify the template")]);
        }
    }
    let tags = tags(text).map_err(|problem| vec![problem])?;
    let supported = tags.iter().all(|tag| tag.kind != TagKind::Other);
    let plain = without_tilde_comments(text, &tags);
    let mut reader = Reader { text, tags: tags.into_iter(), at: 0, problems: Vec::new() };
    let error = match Template::compile(&plain) {
        Ok(template) if supported => {
            let nodes = reader.nodes(Some(template));
            if reader.problems.is_empty() {
                return Ok(Ast { nodes, slots: 0, dot: "" });
            }
            return Err(reader.problems);
        }
        Ok(_) => None,
        Err(error) => Some(error),
    };
    reader.each_tag();
    if let (true, Some(error)) = (reader.problems.is_empty(), error) {
        reader.unreadable(&error, &plain, 0, &(0..text.len()));
    }
    Err(reader.problems)
}

struct Reader<'t> {
    text: &'t str,
    /// The tags that are not parsed yet.
    tags: std::vec::IntoIter<Tag>,
    /// The position in the current tag up to which its words are parsed.
    at: usize,
    problems: Vec<Problem>,
}

/// An invalid part is reported, and parsing continues without it.
impl<'t> Reader<'t> {
    fn report<T>(&mut self, problem: Problem) -> Option<T> {
        self.problems.push(problem);
        None
    }

    fn slice(&self, range: &Range<usize>) -> &'t str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// Returns the next tag, which must be of one of these kinds according to the tree.
    fn tag(&mut self, kinds: &[TagKind]) -> Option<Tag> {
        let tag = self.tags.next().filter(|tag| kinds.contains(&tag.kind));
        if tag.is_none() {
            self.report::<()>(not_handlebars(0..self.text.len()));
        }
        tag
    }

    fn nodes(&mut self, template: Option<Template>) -> Vec<Node> {
        let elements = template.map(|template| template.elements).unwrap_or_default();
        elements.into_iter().filter_map(|element| self.node(element)).collect()
    }

    fn node(&mut self, element: TemplateElement) -> Option<Node> {
        match element {
            // Literal text in Handlebars' syntax does not separate the items of a list, so it is printed as a value.
            TemplateElement::RawString(text) => Some(Node::Print(Expr::Value(Val::Str(text)))),
            TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => {
                let tag = self.tag(&[TagKind::Expression, TagKind::Comment])?;
                if tag.kind == TagKind::Comment {
                    return None;
                }
                self.expression(&call, &tag).map(Node::Print)
            }
            TemplateElement::HelperBlock(block) => {
                let tag = self.tag(&[TagKind::Open])?;
                self.block(*block, &tag)
            }
            _ => self.tag(&[TagKind::Comment]).and(None),
        }
    }

    /// Parses a block that `tag` opens. `{{else if ..}}` starts a nested block, which the same closing tag ends.
    fn block(&mut self, block: HelperTemplate, tag: &Tag) -> Option<Node> {
        let condition = self.condition(&block, tag);
        let mut then = self.nodes(block.template);
        let next = self.tag(&[TagKind::Else, TagKind::Close])?;
        let mut otherwise = match block.inverse {
            _ if next.kind == TagKind::Close => Vec::new(),
            Some(mut chained) if !next.inner.is_empty() => match chained.elements.pop() {
                Some(TemplateElement::HelperBlock(block)) => self.block(*block, &next).into_iter().collect(),
                _ => return self.report(not_handlebars(next.whole)),
            },
            template => {
                let nodes = self.nodes(template);
                self.tag(&[TagKind::Close])?;
                nodes
            }
        };
        let (condition, negated) = condition?;
        if negated {
            std::mem::swap(&mut then, &mut otherwise);
        }
        Some(Node::If { slots: Vec::new(), condition, then, otherwise })
    }

    /// Checks that a tag contains only calls, and that a block is one of the supported blocks.
    fn enter(&mut self, tag: &Tag) -> Option<()> {
        self.at = tag.inner.start;
        let first = self.slice(&first_word(self.text, tag));
        if matches!(tag.kind, TagKind::Open | TagKind::Else) && !matches!(first, "" | "if" | "unless") {
            return self.report(unsupported(&quoted(first), first_word(self.text, tag)));
        }
        let (mut at, mut plain) = (tag.inner.start, Some(()));
        while let Some(next) = self.slice(&(at..tag.inner.end)).chars().next() {
            match next {
                '[' | '{' | '|' => return self.report(unsupported("this argument", at..tag.inner.end)),
                '}' => break,
                _ => {}
            }
            let Some(end) = self.token_end(at) else {
                at += next.len_utf8();
                continue;
            };
            if self.slice(&(end..tag.inner.end)).trim_start_matches(BLANKS).starts_with('=') {
                plain = self.report(unsupported("a named argument", at..end));
            }
            at = end;
        }
        plain
    }

    /// The end of the word or quoted text that starts at `at`.
    fn token_end(&self, at: usize) -> Option<usize> {
        let rest = self.slice(&(at..self.text.len()));
        if rest.starts_with(['"', '\'']) {
            return string_end(self.text.as_bytes(), at);
        }
        let length = rest.find(|c| !is_word_character(c)).unwrap_or(rest.len());
        (length > 0).then_some(at + length)
    }

    /// The range of the next word or quoted text of the tag. A name or a path may also end without a blank.
    fn place(&mut self, parameter: &Parameter) -> Range<usize> {
        let rest = self.slice(&(self.at..self.text.len()));
        let start =
            self.at + rest.find(|c| is_word_character(c) || matches!(c, '"' | '\'')).unwrap_or(rest.len());
        self.at = match parameter {
            Parameter::Name(name)
            | Parameter::Path(Path::Relative((_, name)) | Path::Local((_, _, name))) => start + name.len(),
            Parameter::Literal(Value::String(_)) => self.token_end(start).unwrap_or(start),
            // A path may follow a number or a word without a blank: `1@root.x`, `true./x`.
            _ => {
                let word = self.slice(&(start..self.token_end(start).unwrap_or(start)));
                let literal = word.find(['@', '/']).and_then(|end| word.get(..end)).unwrap_or(word);
                start + literal.trim_end_matches('.').len()
            }
        };
        start..self.at
    }

    /// The expression of the tag.
    fn expression(&mut self, call: &HelperTemplate, tag: &Tag) -> Option<Expr> {
        self.enter(tag)?;
        self.call(call)
    }

    /// The condition of a block, and whether it is negated.
    fn condition(&mut self, block: &HelperTemplate, tag: &Tag) -> Option<(Expr, bool)> {
        self.enter(tag)?;
        let range = self.place(&block.name);
        let word = self.slice(&range);
        let [condition] = block.params.as_slice() else {
            let message = format!("{} takes 1 argument, not {}", quoted(word), block.params.len());
            let help = format!(
                "write one condition: {{{{#{word} Domain}}}}, or {{{{#{word} (eq Service \"web\")}}}}"
            );
            return self.report(Problem::new(Code::TemplateFunction, message).help(help).at(range));
        };
        self.argument(condition).map(|condition| (condition, word == "unless"))
    }

    /// Parses a variable, or a function with its arguments.
    fn call(&mut self, call: &HelperTemplate) -> Option<Expr> {
        if matches!(call.name, Parameter::Subexpression(_)) {
            // The whole expression may be in parentheses.
            return self.argument(&call.name);
        }
        let range = self.place(&call.name);
        let word = self.slice(&range);
        if GO_BLOCKS.contains(&word) {
            return self.report(mixed(&format!("{{{{{word}}}}}"), "write {{#if ..}} and {{/if}}", range));
        }
        let arguments = self.arguments(&call.params)?;
        if let Some(var) = variable(&call.name) {
            return Some(Expr::Var(var, range));
        }
        match functions::find(word) {
            Some(function) if function.takes(arguments.len()) => Some(Expr::Call(function, arguments, range)),
            Some(function) => {
                let message = function.wrong_count(arguments.len());
                let problem = Problem::new(Code::TemplateFunction, message);
                self.report(problem.help(function.usage("")).at(range))
            }
            None if arguments.is_empty() => self.report(unknown_variable(word, "", range)),
            None => self.report(unknown_function(word, range)),
        }
    }

    /// Parses all arguments, and reports every problem among them.
    fn arguments(&mut self, parameters: &[Parameter]) -> Option<Vec<Expr>> {
        let arguments: Vec<_> = parameters.iter().map(|parameter| self.argument(parameter)).collect();
        arguments.into_iter().collect()
    }

    fn argument(&mut self, parameter: &Parameter) -> Option<Expr> {
        if let Parameter::Subexpression(inner) = parameter {
            return match inner.as_element() {
                TemplateElement::Expression(call) => self.call(call),
                _ => None,
            };
        }
        let range = self.place(parameter);
        let value = match parameter {
            Parameter::Literal(Value::String(text)) => Val::Str(text.clone()),
            Parameter::Literal(Value::Bool(value)) => Val::Bool(*value),
            Parameter::Literal(Value::Number(number)) => match number.as_i64() {
                Some(number) => Val::Int(number),
                None => Val::Float(number.as_f64()?),
            },
            Parameter::Literal(_) => return self.report(unsupported("this argument", range)),
            path => match variable(path) {
                Some(var) => return Some(Expr::Var(var, range)),
                None => {
                    let name = self.slice(&range);
                    let problem = unknown_variable(name, "", range);
                    return self.report(match functions::find(name) {
                        Some(_) => problem.help(format!("put the call in parentheses: ({name} ..)")),
                        None => problem,
                    });
                }
            },
        };
        Some(Expr::Value(value))
    }

    /// Parses a template that the crate refuses: each tag alone, and the pairs of opening and closing tags.
    fn each_tag(&mut self) {
        // The tags that opened the blocks, and whether the block has an `{{else}}`. An `{{else}}` outside of a block is also
        // entered.
        let mut blocks: Vec<(Tag, bool)> = Vec::new();
        while let Some(tag) = self.tags.next() {
            match (tag.kind, blocks.last_mut()) {
                (TagKind::Comment, _) => {}
                (TagKind::Expression, _) => {
                    self.alone(&tag, self.slice(&tag.whole), tag.whole.start);
                    // Blocks of Go's syntax are reported, but still count as blocks, so that their closing tags are not a second
                    // problem.
                    match self.slice(&first_word(self.text, &tag)) {
                        "end" => drop(blocks.pop()),
                        word if GO_BLOCKS.contains(&word) => blocks.push((tag, false)),
                        _ => {}
                    }
                }
                (TagKind::Other, _) => {
                    let signs = self.slice(&(tag.whole.start..tag.inner.start));
                    let problem = if signs.contains('^') {
                        let problem = unsupported("an inverse block", tag.whole.clone());
                        problem.help(match self.slice(&first_word(self.text, &tag)) {
                            "unless" => "write {{#if ..}} in place of {{^unless ..}}",
                            _ => "write {{#unless ..}} in place of {{^if ..}}",
                        })
                    } else {
                        unsupported("a partial or decorator", tag.whole.clone())
                    };
                    self.report::<()>(problem);
                    if signs.contains(['#', '^']) {
                        blocks.push((tag, false));
                    }
                }
                (TagKind::Else, None) if self.enter(&tag).is_some() => {
                    let problem = self.without_block(&tag);
                    self.report::<()>(problem);
                    let is_divided = tag.inner.is_empty();
                    if !is_divided {
                        self.condition_alone(&tag);
                    }
                    blocks.push((tag, is_divided));
                }
                (TagKind::Else, None) => {}
                (TagKind::Close, None) => {
                    let message = format!("{} closes no block", self.slice(&tag.whole));
                    let help = match self.slice(&tag.inner) {
                        word @ ("if" | "unless") => {
                            format!("write {{{{#{word} ..}}}} before it, or remove it")
                        }
                        _ => "remove it".to_owned(),
                    };
                    self.report::<()>(Problem::new(Code::TemplateSyntax, message).help(help).at(tag.whole));
                }
                (TagKind::Else, Some((_, true))) => {
                    let problem = Problem::new(Code::TemplateSyntax, "the block has a second {{else}}");
                    self.report::<()>(problem.help("remove it").at(tag.whole));
                }
                (TagKind::Else, Some((_, divided))) if tag.inner.is_empty() => *divided = true,
                (TagKind::Open | TagKind::Else, _) => {
                    self.condition_alone(&tag);
                    if tag.kind == TagKind::Open {
                        blocks.push((tag, false));
                    }
                }
                (TagKind::Close, Some((open, _))) if open.kind == TagKind::Else => drop(blocks.pop()),
                (TagKind::Close, Some(_)) => {
                    let opened = blocks.pop().map(|(open, _)| self.slice(&first_word(self.text, &open)));
                    let (opened, closed) = (opened.unwrap_or_default(), self.slice(&tag.inner));
                    if opened != closed {
                        let tag_or_name = if closed.is_empty() { self.slice(&tag.whole) } else { closed };
                        let message =
                            format!("the block {} is closed by {}", quoted(opened), quoted(tag_or_name));
                        let problem = Problem::new(Code::TemplateSyntax, message);
                        let help = format!("close the innermost block first, with {{{{/{opened}}}}}");
                        self.report::<()>(problem.help(help).at(tag.whole));
                    }
                }
            }
        }
        while let Some((open, _)) = blocks.pop() {
            // The missing block is reported already.
            if open.kind == TagKind::Else {
                continue;
            }
            let problem = Problem::new(Code::TemplateUnclosed, "a block is not closed")
                .help(format!("close the block with {{{{/{}}}}}", self.slice(&first_word(self.text, &open))))
                .at(open.whole.start..self.text.len());
            self.report::<()>(problem);
        }
    }

    /// The problem of an `{{else}}` outside of a block.
    fn without_block(&self, tag: &Tag) -> Problem {
        // Finds the closing tag of the block, after the blocks in between that are opened and closed.
        let mut open = 0_usize;
        let closes = self.tags.as_slice().iter().find(|next| match next.kind {
            TagKind::Open => {
                open += 1;
                false
            }
            TagKind::Close => {
                let is_its = open == 0;
                open = open.saturating_sub(1);
                is_its
            }
            _ => false,
        });
        let help = match closes.map(|close| self.slice(&close.inner)) {
            Some("unless") => "write {{#unless ..}} before it",
            Some(_) => "write {{#if ..}} before it",
            None => "write {{#if ..}} before it, and {{/if}} behind it",
        };
        let message = format!("{} belongs to no block", self.slice(&tag.whole));
        Problem::new(Code::TemplateSyntax, message).help(help).at(tag.whole.clone())
    }

    /// Parses the condition of `tag` as the condition of a block.
    fn condition_alone(&mut self, tag: &Tag) {
        let name = self.slice(&first_word(self.text, tag));
        let block = format!("{{{{#{}}}}}{{{{/{name}}}}}", self.slice(&tag.inner));
        self.alone(tag, &block, tag.inner.start - 3);
    }

    /// Parses `tag` as the template `alone`; `start` is the position of its first byte in the text.
    fn alone(&mut self, tag: &Tag, alone: &str, start: usize) {
        match Template::compile(alone).map(|template| template.elements.into_iter().next()) {
            Ok(Some(TemplateElement::HelperBlock(block))) => {
                self.condition(&block, tag);
            }
            Ok(Some(TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call))) => {
                self.expression(&call, tag);
            }
            Ok(_) => {}
            Err(error) => {
                if self.enter(tag).is_some() {
                    self.unreadable(&error, alone, start, &tag.inner);
                }
            }
        }
    }

    /// Reports the error of the crate about `read` at its position in the tag; `start` is the position of `read` in the text.
    fn unreadable(&mut self, error: &TemplateError, read: &str, start: usize, inner: &Range<usize>) {
        let at = match (error.reason(), error.pos()) {
            (TemplateErrorReason::InvalidParam(text), _) => {
                inner.start + self.slice(inner).find(text).unwrap_or_default()
            }
            (_, Some((line, column))) => start + offset(read, line, column),
            (_, None) => inner.start,
        };
        // The crate may report a position after the last character.
        let last = |(last, _): (usize, char)| last.min(at);
        let at = self.slice(&(0..inner.end)).char_indices().next_back().map_or(0, last);
        let rest = self.slice(&(at..inner.end));
        let end = at + rest.find(|c| !is_word_character(c)).unwrap_or(rest.len());
        let problem = match rest.as_bytes() {
            [b'.', b'a'..=b'z' | b'A'..=b'Z', ..] => {
                mixed("{{.Service}}", "write {{Service}} with {{#if ..}}", at..end)
            }
            _ => not_handlebars(at..at + rest.chars().next().map_or(0, char::len_utf8)),
        };
        self.problems.push(problem);
    }
}

fn first_word(text: &str, tag: &Tag) -> Range<usize> {
    let inner = text.get(tag.inner.clone()).unwrap_or_default();
    tag.inner.start..tag.inner.start + inner.find(|c| !is_word_character(c)).unwrap_or(inner.len())
}

/// The byte position of a line and column, which count from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let lines = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let columns = text.get(lines..).unwrap_or_default().chars().take(column - 1);
    lines + columns.map(char::len_utf8).sum::<usize>()
}

/// The variable that a path names: `Service`, or `this.Service`.
fn variable(parameter: &Parameter) -> Option<Var> {
    match parameter {
        Parameter::Path(Path::Relative((segments, _))) => match segments.as_slice() {
            [PathSeg::Named(name)] => Var::from_name(name),
            _ => None,
        },
        _ => None,
    }
}

/// The keywords of blocks in Go's syntax.
const GO_BLOCKS: &[&str] = &["if", "with", "range", "end"];

fn mixed(what: &str, help: &str, range: Range<usize>) -> Problem {
    Problem::new(Code::TemplateSyntax, format!("the template mixes Go's {what} with Handlebars' syntax"))
        .help(format!("{help}, or {{{{if ..}}}} and {{{{end}}}} with {{{{.Service}}}}"))
        .at(range)
}

fn unsupported(what: &str, range: Range<usize>) -> Problem {
    Problem::new(Code::TemplateUnsupported, format!("{what} is not supported in templates"))
        .help("use variables, functions, {{#if}} and {{#unless}}")
        .at(range)
}

fn not_handlebars(range: Range<usize>) -> Problem {
    let problem = Problem::new(Code::TemplateSyntax, "this cannot be read as Handlebars");
    problem.help("correct the marked place").at(range)
}

/// Whether a character can be part of a name, a number or a path.
fn is_word_character(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || !character.is_ascii()
        || matches!(character, '-' | '_' | '$' | ':' | '.' | '/' | '@')
}
