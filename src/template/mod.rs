//! The template language: Go's `text/template`, as far as names need it, its Helm-escaped form, and Handlebars.
//!
//! `scan` splits a template into literal text and actions, and `escape` removes the Helm escape. `parser`, with `lexer` and
//! `expression`, parses Go's syntax; `handlebars` parses Handlebars' own syntax (`{{#if ..}}`) with the crate of that name. Both
//! make an `ast`, use the same table of `functions`, and report every problem at its position in the text that the user wrote.

mod ast;
mod escape;
mod expression;
pub(crate) mod functions;
mod handlebars;
mod lexer;
mod parser;
mod printf;
mod scan;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::diagnostics::{Code, Problem};
use ast::{Ast, Node, Output};
use escape::SourceMap;

/// The maximum size in bytes of a template, of its result, and of each item of a list before its outer blanks are removed. Xposer
/// sets this limit, which bounds the cost of one Service.
///
/// ```
/// use xposer::template::{MAX_TEMPLATE, Template, Vars};
/// assert!(Template::parse(&"a".repeat(MAX_TEMPLATE + 1)).is_err());
/// let template = Template::parse("{{.Service}}{{.Service}}")?;
/// let long = "a".repeat(MAX_TEMPLATE / 2 + 1);
/// assert!(template.render(&Vars { service: &long, ..Vars::default() }).is_err());
/// # Ok::<(), Vec<xposer::diagnostics::Problem>>(())
/// ```
pub const MAX_TEMPLATE: usize = 16_384;
/// The maximum depth of nested blocks and parentheses together, the maximum number of `|` in an action, and the maximum number of
/// Helm escapes of a template. In Handlebars' syntax, it is the maximum number of `(` and `[` in the whole template, and a quarter
/// of the maximum number of `{` and of `\`. Xposer sets this limit.
///
/// ```
/// use xposer::template::{MAX_DEPTH, Template};
/// let nested = |depth: usize| "{{if .Domain}}".repeat(depth) + &"{{end}}".repeat(depth);
/// assert!(Template::parse(&nested(MAX_DEPTH)).is_ok());
/// assert!(Template::parse(&nested(MAX_DEPTH + 1)).is_err());
/// ```
pub const MAX_DEPTH: usize = 64;

/// A variable of the template language.
///
/// ```
/// use xposer::template::Var;
/// assert_eq!(Var::from_name("Service"), Some(Var::Service));
/// assert_eq!(Var::from_name("service"), None);
/// assert_eq!(Var::ALL.map(Var::name), ["Service", "Namespace", "Domain", "Host"]);
/// assert_eq!(Var::Namespace.doc(), "The Service's namespace.");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Var {
    /// The Service's name.
    Service,
    /// The Service's namespace.
    Namespace,
    /// The domain: the annotation `Domain`, or the setting.
    Domain,
    /// The host that a secret is for; only templates of secrets have it.
    Host,
}

impl Var {
    /// Every variable.
    pub const ALL: [Self; 4] = [Self::Service, Self::Namespace, Self::Domain, Self::Host];

    /// The variable's name, as it is written in a template.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::Namespace => "Namespace",
            Self::Domain => "Domain",
            Self::Host => "Host",
        }
    }

    /// The meaning of the variable, in one sentence.
    #[must_use]
    pub fn doc(self) -> &'static str {
        match self {
            Self::Service => "The Service's name.",
            Self::Namespace => "The Service's namespace.",
            Self::Domain => "The annotation Domain, or the setting domain.",
            Self::Host => {
                "Only in TLSSecretNameTemplate: the host of the secret, with `wildcard` in place of a star."
            }
        }
    }

    /// Returns the variable with this name, which is case-sensitive.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|var| var.name() == name)
    }
}

/// The values of the variables.
///
/// ```
/// use xposer::template::{Var, Vars};
/// let vars = Vars { service: "web", domain: Some("example.com"), ..Vars::default() };
/// assert_eq!(vars.get(Var::Domain), Some("example.com"));
/// assert_eq!(vars.get(Var::Namespace), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vars<'v> {
    /// The Service's name.
    pub service: &'v str,
    /// The Service's namespace, if it names one.
    pub namespace: Option<&'v str>,
    /// The domain, if one is set.
    pub domain: Option<&'v str>,
    /// The host that a secret is for.
    pub host: Option<&'v str>,
}

impl<'v> Vars<'v> {
    /// The value of `var`, if it is set.
    #[must_use]
    pub fn get(&self, var: Var) -> Option<&'v str> {
        match var {
            Var::Service => Some(self.service),
            Var::Namespace => self.namespace,
            Var::Domain => self.domain,
            Var::Host => self.host,
        }
    }
}

/// The forms of the language, each with an example and one sentence.
///
/// ```
/// use xposer::template::{SYNTAX, Template};
/// assert!(SYNTAX.iter().all(|(example, _)| Template::parse(example).is_ok()));
/// ```
pub const SYNTAX: &[(&str, &str)] = &[
    ("{{.Service}}.{{.Domain}}", "Variables in a text."),
    ("{{ .Service -}}   .{{- .Domain }}", "A `-` removes the blanks outside of the braces."),
    ("{{.Service | upper | lower}}", "The result of one function is the last argument of the next."),
    (r#"{{replace "w" "v" (lower .Service)}}"#, "Calls inside of calls need parentheses."),
    (r#"{{if eq .Namespace "shop"}}{{.Service}}{{else}}{{.Service}}-{{.Namespace}}{{end}}"#, "A condition."),
    ("{{with .Namespace}}{{.}}-{{$.Service}}{{end}}", "The value of a condition as the dot."),
    ("{{$name := lower .Service}}{{$name}}", "A variable of your own."),
    ("{{/* a comment */}}{{.Service}}", "A comment."),
    ("{{`{{.Service}}`}}", "Escaped for Helm: the text between the backquotes is the template."),
    ("{{Service}}-{{#if Domain}}public{{/if}}", "Handlebars' own syntax."),
];

/// A parsed and validated template.
///
/// ```
/// use xposer::template::{Template, Vars};
/// let vars = Vars { service: "web", namespace: Some("shop"), domain: Some("example.com"), ..Vars::default() };
/// let render = |text| Template::parse(text).unwrap().render(&vars).unwrap();
/// assert_eq!(render("{{.Service}}.{{ .Namespace }}.{{.Domain}}"), "web.shop.example.com");
/// assert_eq!(render("{{`{{.Service}}`}}"), "web");
/// assert_eq!(render(r#"{{if eq .Namespace "shop"}}{{.Service | upper}}{{end}}"#), "WEB");
/// assert_eq!(render("{{Service}}-{{#if Domain}}public{{/if}}"), "web-public");
/// ```
///
/// The default is the empty template.
#[derive(Clone, Debug, Default)]
pub struct Template<'t> {
    /// The text after the Helm escape was removed.
    text: Cow<'t, str>,
    map: SourceMap,
    ast: Ast,
}

impl<'t> Template<'t> {
    /// Parses a template.
    ///
    /// # Errors
    ///
    /// All problems, as far as the text can be parsed, with byte ranges in `text` where possible: unclosed and malformed actions,
    /// unknown variables and functions, functions with too few or too many arguments, unsupported constructs, more than
    /// [`MAX_TEMPLATE`] bytes, and nesting deeper than [`MAX_DEPTH`].
    ///
    /// ```
    /// use xposer::Code;
    /// use xposer::template::Template;
    /// let text = "{{.Servic}}.{{upper}}";
    /// let problems = Template::parse(text).err().unwrap_or_default();
    /// let codes: Vec<_> = problems.iter().map(|problem| problem.code).collect();
    /// assert_eq!(codes, [Code::TemplateUnknownVariable, Code::TemplateFunction]);
    /// assert_eq!(problems[0].range.clone().and_then(|range| text.get(range)), Some(".Servic"));
    /// assert_eq!(problems[0].help.as_deref(), Some("did you mean {{.Service}}?"));
    /// ```
    pub fn parse(text: &'t str) -> Result<Self, Vec<Problem>> {
        if text.len() > MAX_TEMPLATE {
            let message =
                format!("the template has {} bytes, at most {MAX_TEMPLATE} are allowed", text.len());
            return Err(vec![Problem::new(Code::TemplateTooLarge, message).help("shorten the template")]);
        }
        let mut text = Cow::Borrowed(text);
        let mut map = SourceMap::default();
        for _ in 0..=MAX_DEPTH {
            let pieces = scan::pieces(&text).map_err(|problem| vec![map.to_source(problem)])?;
            if let Some((inner, inner_map)) =
                pieces.as_ref().and_then(|pieces| escape::unescape(&text, pieces, &map))
            {
                (text, map) = (Cow::Owned(inner), inner_map);
                continue;
            }
            let ast = match pieces {
                // A template that is valid in Go's syntax is in Go's syntax.
                Some(pieces) => parser::parse(&text, &pieces).or_else(|problems| {
                    if scan::means_handlebars(&text, &pieces) {
                        handlebars::parse(&text)
                    } else {
                        Err(problems)
                    }
                }),
                None => handlebars::parse(&text),
            };
            return match ast {
                Ok(ast) => Ok(Self { text, map, ast }),
                Err(problems) => Err(problems.into_iter().map(|problem| map.to_source(problem)).collect()),
            };
        }
        let message = format!("the template is escaped more than {MAX_DEPTH} times");
        Err(vec![Problem::new(Code::TemplateTooLarge, message).help("remove the outer layers of the escape")])
    }

    /// Returns this template with an owned text, so that it may outlive the text it was parsed from.
    ///
    /// ```
    /// use xposer::template::Template;
    /// let owned = Template::parse(&String::from("{{.Service}}")).map(Template::into_owned);
    /// assert!(owned.is_ok_and(|template| template.text() == "{{.Service}}"));
    /// ```
    #[must_use]
    pub fn into_owned(self) -> Template<'static> {
        Template { text: Cow::Owned(self.text.into_owned()), map: self.map, ast: self.ast }
    }

    /// The text after the Helm escape was removed; the given text if there was no escape.
    ///
    /// ```
    /// use xposer::template::Template;
    /// let escaped = Template::parse("{{`{{.Service}}`}}.example.com")?;
    /// assert_eq!(escaped.text(), "{{.Service}}.example.com");
    /// assert!(!escaped.is_verbatim() && Template::parse(escaped.text())?.is_verbatim());
    /// # Ok::<(), Vec<xposer::diagnostics::Problem>>(())
    /// ```
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether [`Template::text`] equals the given text.
    #[must_use]
    pub fn is_verbatim(&self) -> bool {
        self.map.is_identity()
    }

    /// Returns the text without outer blanks if it is literal: without actions and comments.
    ///
    /// ```
    /// use xposer::template::Template;
    /// let literal = |text| Template::parse(text).ok().and_then(|template| template.literal());
    /// assert_eq!(literal(" example.com\n").as_deref(), Some("example.com"));
    /// assert_eq!(literal("{{.Domain}}"), None);
    /// ```
    #[must_use]
    pub fn literal(&self) -> Option<Cow<'t, str>> {
        let is_literal = match self.ast.nodes.as_slice() {
            [] => self.text.is_empty(),
            [Node::Text(range)] => range.len() == self.text.len(),
            _ => false,
        };
        is_literal.then(|| match &self.text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        })
    }

    /// The problem of the template if this variable has no value; `None` if the template does not use the variable. `said` is the
    /// reason.
    pub(crate) fn without(&self, var: Var, said: &str) -> Option<Problem> {
        let range = ast::place(&self.ast.nodes, var)?;
        let dot = self.ast.dot;
        let message = format!("{{{{{dot}{}}}}} {said}", var.name());
        let problem = Problem::new(Code::TemplateUnknownVariable, message);
        Some(self.map.to_source(problem.help(parser::known_variables(dot)).at(range)))
    }

    /// Whether the result depends on a condition.
    pub(crate) fn is_conditional(&self) -> bool {
        self.ast.nodes.iter().any(|node| matches!(node, Node::If { .. }))
    }

    /// Renders the template, and removes outer blanks from the result.
    ///
    /// ```
    /// use xposer::template::{Template, Vars};
    /// let template = Template::parse("{{.Service}}.{{.Domain}}")?;
    /// let problem = template.render(&Vars { service: "web", ..Vars::default() }).err();
    /// assert!(problem.is_some_and(|it| it.code.slug() == "template-value-missing" && it.range == Some(15..22)));
    /// # Ok::<(), Vec<xposer::diagnostics::Problem>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A required variable that is not set, invalid arguments of a function, or a result of more than [`MAX_TEMPLATE`] bytes.
    pub fn render(&self, vars: &Vars<'_>) -> Result<String, Problem> {
        Ok(self.run(vars, Output::default())?.take())
    }

    /// Renders a list of templates. Commas and line ends in literal text, outside of actions and blocks, separate the items. Outer
    /// blanks of items and empty items are removed.
    ///
    /// The result of a template in Handlebars' own syntax is one item, because its commas may come from a value.
    ///
    /// ```
    /// use xposer::template::{Template, Vars};
    /// let vars = Vars { service: "web", domain: Some("x,y"), ..Vars::default() };
    /// let list = |text| Template::parse(text).ok().and_then(|template| template.render_list(&vars).ok());
    /// assert_eq!(list("{{.Service}}.a.com, {{.Domain}}\n"), Some(vec!["web.a.com".to_owned(), "x,y".to_owned()]));
    /// assert_eq!(list("{{#if Service}}a.com, b.com{{/if}}"), Some(vec!["a.com, b.com".to_owned()]));
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`Template::render`].
    pub fn render_list(&self, vars: &Vars<'_>) -> Result<Vec<String>, Problem> {
        let mut out = self.run(vars, Output::list())?;
        out.end_item();
        Ok(out.items.unwrap_or_default())
    }

    fn run(&self, vars: &Vars<'_>, mut out: Output) -> Result<Output, Problem> {
        let written = self.ast.run(&self.text, vars, &mut out);
        written.map(|()| out).map_err(|problem| self.map.to_source(problem))
    }
}
