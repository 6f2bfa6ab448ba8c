//! A parsed template, and its evaluation.

use std::ops::Range;

use super::functions::{CallError, Function, Val};
use super::{MAX_TEMPLATE, Var, Vars};
use crate::diagnostics::{Code, Problem};

/// A parsed template. Template variables (`$x`) and the dot inside `with` are numbered slots.
#[derive(Clone, Debug, Default)]
pub(super) struct Ast {
    pub(super) nodes: Vec<Node>,
    pub(super) slots: usize,
    /// The prefix of a variable in the syntax of the template: `.` in Go's, empty in Handlebars'.
    pub(super) dot: &'static str,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(Range<usize>),
    Print(Expr),
    Set(usize, Expr),
    /// `if` and `with`. The value of the condition is stored in the slots of the variable and of the dot.
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

impl Expr {
    /// The range of the first use of a variable.
    fn place(&self, var: Var) -> Option<Range<usize>> {
        match self {
            Self::Var(known, range) => (*known == var).then(|| range.clone()),
            Self::Call(_, arguments, _) => arguments.iter().find_map(|argument| argument.place(var)),
            Self::Value(_) | Self::Slot(..) => None,
        }
    }

    /// The range of the expression. A literal has an empty one, because it cannot fail.
    fn range(&self) -> Range<usize> {
        match self {
            Self::Var(_, range) | Self::Slot(_, range) | Self::Call(_, _, range) => range.clone(),
            Self::Value(_) => 0..0,
        }
    }
}

impl Ast {
    /// Writes the result of the template, which was parsed from `text`.
    pub(super) fn run(&self, text: &str, vars: &Vars<'_>, out: &mut Output) -> Result<(), Problem> {
        let slots = vec![Val::Str(String::new()); self.slots];
        Machine { text, vars, slots, dot: self.dot }.nodes(&self.nodes, out, true)
    }
}

/// The range of the first use of a variable. The recursion is bounded, because nodes and expressions are nested at most
/// [`MAX_DEPTH`](super::MAX_DEPTH) deep.
pub(super) fn place(nodes: &[Node], var: Var) -> Option<Range<usize>> {
    nodes.iter().find_map(|node| match node {
        Node::Text(_) => None,
        Node::Print(expr) | Node::Set(_, expr) => expr.place(var),
        Node::If { condition, then, otherwise, .. } => {
            condition.place(var).or_else(|| place(then, var)).or_else(|| place(otherwise, var))
        }
    })
}

struct Machine<'m> {
    text: &'m str,
    vars: &'m Vars<'m>,
    slots: Vec<Val>,
    dot: &'static str,
}

impl Machine<'_> {
    /// Writes nodes. Only literal text outside of blocks (`top`) separates the items of a list.
    fn nodes(&mut self, nodes: &[Node], out: &mut Output, top: bool) -> Result<(), Problem> {
        for node in nodes {
            match node {
                Node::Text(range) => {
                    let text = self.text.get(range.clone()).unwrap_or_default();
                    if top { out.text(text)? } else { out.value(text)? }
                }
                Node::Print(Expr::Var(var, range)) => {
                    out.value(self.vars.get(*var).ok_or_else(|| not_set(*var, range.clone()))?)?;
                }
                Node::Print(expr) => match self.eval(expr)? {
                    Val::Str(text) => out.value(&text)?,
                    Val::Unset(var) => return Err(not_set(var, expr.range())),
                    other => out.value(&other.to_string())?,
                },
                Node::Set(slot, expr) => {
                    let value = self.eval(expr)?;
                    self.set(*slot, value);
                }
                Node::If { slots, condition, then, otherwise } => {
                    let value = self.eval(condition)?;
                    let branch = if value.is_true() { then } else { otherwise };
                    for slot in slots {
                        self.set(*slot, value.clone());
                    }
                    self.nodes(branch, out, false)?;
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, slot: usize, value: Val) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = value;
        }
    }

    /// The help that shows a call. It explains that single quotes make a number in Go's syntax, which few users expect.
    fn usage(&self, function: &Function, range: &Range<usize>) -> String {
        let usage = function.usage(self.dot);
        let call = self.text.get(range.end..).and_then(|rest| rest.split("}}").next()).unwrap_or_default();
        if !self.dot.is_empty() && call.contains('\'') {
            return format!("put texts in double quotes, and {usage}");
        }
        usage
    }

    fn eval(&self, expr: &Expr) -> Result<Val, Problem> {
        match expr {
            Expr::Value(value) => Ok(value.clone()),
            Expr::Slot(slot, _) => Ok(self.slots.get(*slot).cloned().unwrap_or(Val::Str(String::new()))),
            Expr::Var(var, _) => {
                Ok(self.vars.get(*var).map_or(Val::Unset(*var), |value| Val::Str(value.to_owned())))
            }
            Expr::Call(function, arguments, range) => {
                let values =
                    arguments.iter().map(|argument| self.eval(argument)).collect::<Result<Vec<_>, _>>()?;
                function.call(&values).map_err(|error| match error {
                    CallError::TooLarge => too_large(),
                    CallError::Unset(var) => not_set(var, range.clone()),
                    CallError::Invalid(message) => Problem::new(Code::TemplateFunction, message)
                        .help(self.usage(function, range))
                        .at(range.clone()),
                })
            }
        }
    }
}

/// The output of a template: one text, or the items of a list.
#[derive(Default)]
pub(super) struct Output {
    /// The finished items of a list; `None` if the result is one text.
    pub(super) items: Option<Vec<String>>,
    /// The text, or the unfinished item.
    text: String,
    /// The number of bytes written so far, in all items.
    written: usize,
}

impl Output {
    pub(super) fn list() -> Self {
        Self { items: Some(Vec::new()), ..Self::default() }
    }

    /// Writes literal text, in which commas and line ends separate the items of a list.
    fn text(&mut self, text: &str) -> Result<(), Problem> {
        if self.items.is_none() {
            return self.value(text);
        }
        for (at, part) in text.split([',', '\n']).enumerate() {
            if at > 0 {
                self.end_item();
            }
            self.value(part)?;
        }
        Ok(())
    }

    fn value(&mut self, value: &str) -> Result<(), Problem> {
        self.written += value.len();
        if self.written > MAX_TEMPLATE {
            return Err(too_large());
        }
        if self.text.is_empty() {
            // One allocation is enough for most names and hosts.
            self.text.reserve(value.len() + 40);
        }
        self.text.push_str(value);
        Ok(())
    }

    /// Returns the text so far without outer blanks, and resets it.
    pub(super) fn take(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        let trimmed = text.trim();
        if trimmed.len() == text.len() { text } else { trimmed.to_owned() }
    }

    /// Ends an item of a list. Empty items are dropped.
    pub(super) fn end_item(&mut self) {
        let item = self.take();
        if let (Some(items), false) = (&mut self.items, item.is_empty()) {
            items.push(item);
        }
    }
}

fn too_large() -> Problem {
    Problem::new(
        Code::TemplateTooLarge,
        format!("the template renders to more than {MAX_TEMPLATE} bytes, which no name can have"),
    )
    .help("shorten the template")
}

fn not_set(var: Var, range: Range<usize>) -> Problem {
    let (message, help) = match var {
        Var::Host => {
            ("the template needs a host, and there is none", "write {{.Host}} only in TLSSecretNameTemplate")
        }
        Var::Namespace => (
            "the template needs the namespace, and the Service names none",
            "set metadata.namespace, or pass --namespace on the command line",
        ),
        Var::Service | Var::Domain => (
            "the template needs a domain, and none is set",
            "set the annotation config.xposer.stakater.com/Domain, or ask your administrator for the setting domain",
        ),
    };
    Problem::new(Code::TemplateValueMissing, message).help(help).at(range)
}
