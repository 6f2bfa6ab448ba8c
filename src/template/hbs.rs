//! Templates in Handlebars' own syntax, run by the `handlebars` crate in strict mode.
//!
//! A template is looked through before it is run: only our variables, our functions, `if` and `unless` pass, so that
//! nothing loops, includes or logs.

use std::fmt;
use std::ops::Range;

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, Path, RenderContext, RenderError, RenderErrorReason, ScopedJson,
    Template, TemplateErrorReason, no_escape,
};
use serde_json::{Map, Value};

use super::functions::{self, CallError, Function, Val};
use super::go::{unknown_function, unknown_variable};
use super::{MAX_DEPTH, Var, Vars, not_set, too_large};
use crate::diag::{Code, Problem, shown};

/// A template that passed.
#[derive(Clone, Debug)]
pub(super) struct Program {
    template: Template,
    text: String,
}

/// Reads a template and looks it through.
pub(super) fn compile(text: &str) -> Result<Program, Vec<Problem>> {
    // The crate's parser recurses: bound what it is given.
    let count = |what: &[u8]| text.bytes().filter(|byte| what.contains(byte)).count();
    if count(b"([") > MAX_DEPTH || count(b"{") > 4 * MAX_DEPTH {
        let said = "the template has too many actions or parentheses";
        return Err(vec![Problem::new(Code::TemplateTooLarge, said).help("simplify the template")]);
    }
    let template = Template::compile(text).map_err(|error| {
        let at = error.pos().map_or(0, |position| offset(text, position));
        let (said, help) = match error.reason() {
            TemplateErrorReason::MismatchingClosedHelper(open, close) => (
                format!("the block {} is closed by {}", shown(open), shown(close)),
                "close the innermost block first",
            ),
            _ if ["{{.", "{{ .", "{{- ."].iter().any(|go| text.contains(go)) => (
                "the template mixes Go's {{.Service}} with Handlebars' syntax".to_owned(),
                "write {{Service}} beside {{#if ..}}, or {{if ..}} and {{end}} beside {{.Service}}",
            ),
            _ if text.get(at..).is_some_and(|rest| rest.trim_start_matches(['{', ' ']).starts_with("/*")) => {
                (
                    "this comment cannot be read".to_owned(),
                    "write the comment right behind the braces: {{/* .. */}}",
                )
            }
            _ if at == text.len() => {
                let open = text.rfind("{{#").unwrap_or(0);
                return vec![
                    Problem::new(Code::TemplateUnclosed, "a block is not closed")
                        .help("close the block, for example with {{/if}}")
                        .at(open..text.len()),
                ];
            }
            _ => ("this cannot be read as Handlebars".to_owned(), "correct the marked place"),
        };
        vec![
            Problem::new(Code::TemplateSyntax, said)
                .help(help)
                .at(at.min(text.len().saturating_sub(1))..text.len().min(at + 1)),
        ]
    })?;
    let mut inspector = Inspector { text, problems: Vec::new() };
    inspector.template(&template);
    if inspector.problems.is_empty() {
        Ok(Program { template, text: text.to_owned() })
    } else {
        Err(inspector.problems)
    }
}

/// The byte offset of a line and column, both from 1.
fn offset(text: &str, (line, column): (usize, usize)) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(before..).unwrap_or_default();
    let inside = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at);
    (before + inside).min(text.len())
}

struct Inspector<'t> {
    text: &'t str,
    problems: Vec<Problem>,
}

impl Inspector<'_> {
    fn template(&mut self, template: &Template) {
        for (element, mapping) in template.elements.iter().zip(&template.mapping) {
            let start = offset(self.text, (mapping.0, mapping.1));
            let rest = self.text.get(start..).unwrap_or_default();
            let range = start..start + rest.find("}}").map_or(rest.len(), |end| end + 2);
            match element {
                TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
                TemplateElement::Expression(helper) | TemplateElement::HtmlExpression(helper) => {
                    self.expression(helper, &range);
                }
                TemplateElement::HelperBlock(helper) => self.block(helper, &range),
                _ => self.refuse("a partial or decorator", &range),
            }
        }
    }

    fn refuse(&mut self, what: &str, range: &Range<usize>) {
        self.problems.push(
            Problem::new(Code::TemplateUnsupported, format!("{what} is not supported in templates"))
                .help("use variables, functions, {{#if}} and {{#unless}}")
                .at(range.clone()),
        );
    }

    fn block(&mut self, helper: &HelperTemplate, range: &Range<usize>) {
        match name(&helper.name) {
            Some("if" | "unless") if helper.block_param.is_none() => {}
            other => self.refuse(&shown(other.unwrap_or("this")), range),
        }
        self.arguments(helper, range);
        for inner in [&helper.template, &helper.inverse].into_iter().flatten() {
            self.template(inner);
        }
    }

    fn expression(&mut self, helper: &HelperTemplate, range: &Range<usize>) {
        let Some(word) = name(&helper.name) else {
            return self.refuse("this expression", range);
        };
        let alone = helper.params.is_empty() && helper.hash.is_empty();
        if alone && Var::from_name(word).is_some() {
            return;
        }
        match functions::find(word) {
            Some(function) if function.takes(helper.params.len()) => self.arguments(helper, range),
            Some(function) => {
                let said =
                    format!("`{}` takes {}, not {}", function.name, function.arity(), helper.params.len());
                self.problems.push(Problem::new(Code::TemplateFunction, said).at(range.clone()));
            }
            None if alone => self.problems.push(unknown_variable(word, "", range.clone())),
            None => self.problems.push(unknown_function(word, range.clone())),
        }
    }

    fn arguments(&mut self, helper: &HelperTemplate, range: &Range<usize>) {
        if !helper.hash.is_empty() {
            self.refuse("a named argument", range);
        }
        for parameter in &helper.params {
            match parameter {
                Parameter::Literal(Value::String(_) | Value::Number(_) | Value::Bool(_)) => {}
                Parameter::Subexpression(inner) => match inner.as_element() {
                    TemplateElement::Expression(inner) => self.expression(inner, range),
                    _ => self.refuse("this expression", range),
                },
                other => match name(other) {
                    Some(word) if Var::from_name(word).is_some() => {}
                    Some(word) => self.problems.push(unknown_variable(word, "", range.clone())),
                    None => self.refuse("this argument", range),
                },
            }
        }
    }
}

fn name(parameter: &Parameter) -> Option<&str> {
    match parameter {
        Parameter::Name(name) | Parameter::Path(Path::Relative((_, name))) => Some(name),
        _ => None,
    }
}

impl Program {
    /// Renders the template.
    pub(super) fn run(&self, vars: &Vars<'_>) -> Result<String, Problem> {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_escape_fn(no_escape);
        for function in functions::all() {
            for name in function.names() {
                registry.register_helper(name, Box::new(Bridge(function)));
            }
        }
        registry.register_template("template", self.template.clone());
        let set = Var::ALL.into_iter().filter_map(|var| Some((var.name().to_owned(), vars.get(var)?.into())));
        registry
            .render("template", &Value::Object(set.collect::<Map<_, _>>()))
            .map_err(|error| self.problem(&error))
    }

    fn problem(&self, error: &RenderError) -> Problem {
        let start = offset(&self.text, (error.line_no.unwrap_or(1), error.column_no.unwrap_or(1)));
        let rest = self.text.get(start..).unwrap_or_default();
        let range = start..start + rest.find("}}").map_or(rest.len(), |end| end + 2);
        match error.reason() {
            RenderErrorReason::MissingVariable(Some(name)) => match Var::from_name(name) {
                Some(var) => not_set(var, range),
                None => unknown_variable(name, "", range),
            },
            RenderErrorReason::NestedError(inner) => match inner.downcast_ref::<Failed>() {
                Some(Failed(CallError::Unset(var), _)) => not_set(*var, range),
                Some(Failed(CallError::Said(said), function)) => {
                    Problem::new(Code::TemplateFunction, said.as_str())
                        .help(format!("write it like this: {}", function.example))
                        .at(range)
                }
                Some(Failed(CallError::TooLarge, _)) => too_large(),
                None => Problem::new(Code::TemplateFunction, inner.to_string()).at(range),
            },
            other => Problem::new(Code::TemplateFunction, other.to_string().to_lowercase()).at(range),
        }
    }
}

/// One of our functions as a Handlebars helper.
struct Bridge(&'static Function);

impl HelperDef for Bridge {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let values: Vec<Val> = helper
            .params()
            .iter()
            .map(|parameter| match parameter.value() {
                Value::String(text) => Val::Str(text.clone()),
                Value::Bool(value) => Val::Bool(*value),
                Value::Number(number) => match number.as_i64() {
                    Some(number) => Val::Int(number),
                    None => Val::Float(number.as_f64().unwrap_or_default()),
                },
                _ => {
                    let name = parameter.relative_path().and_then(|name| Var::from_name(name));
                    Val::Unset(name.unwrap_or(Var::Domain))
                }
            })
            .collect();
        let value = self
            .0
            .call(&values)
            .map_err(|error| RenderErrorReason::NestedError(Box::new(Failed(error, self.0))))?;
        Ok(ScopedJson::Derived(match value {
            Val::Str(text) => text.into(),
            Val::Int(number) => number.into(),
            Val::Float(number) => number.into(),
            Val::Bool(value) => value.into(),
            Val::Unset(var) => {
                return Err(RenderErrorReason::MissingVariable(Some(var.name().to_owned())).into());
            }
        }))
    }
}

struct Failed(CallError, &'static Function);

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a function failed")
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a function failed")
    }
}

impl std::error::Error for Failed {}
