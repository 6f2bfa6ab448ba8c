//! Running a parsed Go template.

use super::functions::{CallError, Val};
use super::go::{Expr, Node, Program};
use super::{Output, Vars, not_set, too_large};
use crate::diagnostics::{Code, Problem};

/// Writes what `program`, parsed from `text`, renders to.
pub(super) fn run(program: &Program, text: &str, vars: &Vars<'_>, out: &mut Output) -> Result<(), Problem> {
    let slots = vec![Val::Str(String::new()); program.slots];
    Machine { text, vars, slots }.nodes(&program.nodes, out, true)
}

struct Machine<'m> {
    text: &'m str,
    vars: &'m Vars<'m>,
    slots: Vec<Val>,
}

impl Machine<'_> {
    /// Only literal text at the top separates the items of a list: a comma inside a block belongs to the block.
    fn nodes(&mut self, nodes: &[Node], out: &mut Output, top: bool) -> Result<(), Problem> {
        for node in nodes {
            match node {
                Node::Text(range) => {
                    let text = self.text.get(range.clone()).unwrap_or_default();
                    if top { out.text(text)? } else { out.value(text)? }
                }
                Node::Print(expr) => match self.eval(expr)? {
                    Val::Str(text) => out.value(&text)?,
                    Val::Unset(var) => return Err(not_set(var, place(expr))),
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
                    CallError::Said(said) => Problem::new(Code::TemplateFunction, said)
                        .help(format!("write it like this: {}", function.example))
                        .at(range.clone()),
                })
            }
        }
    }
}

/// Where an expression stands; for one without a place of its own, the start.
fn place(expr: &Expr) -> std::ops::Range<usize> {
    match expr {
        Expr::Var(_, range) | Expr::Slot(_, range) | Expr::Call(_, _, range) => range.clone(),
        Expr::Value(_) => 0..0,
    }
}
