//! One template language: Go's `text/template` as far as names need it, the Helm-escaped form of it, and Handlebars.
//!
//! A template of literals and plain variables, which practically all are, is cut into segments once and joined. A
//! template with more Go in it is parsed into a small tree and evaluated here, so that every error has its place in the
//! text the user wrote. A template in Handlebars' own syntax (`{{#if ..}}`) is run by the `handlebars` crate in strict
//! mode. All three share one table of [`functions`].

mod cut;
mod eval;
pub mod functions;
mod go;
mod hbs;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use crate::diag::{Code, Problem};
use cut::{Cut, Piece, SourceMap};

/// The most bytes a template may have, and the most its result may have.
pub const MAX_TEMPLATE: usize = 16_384;
/// How deep blocks and parentheses may be nested.
pub const MAX_DEPTH: usize = 64;

/// A variable of the template language.
///
/// ```
/// use xposer::template::Var;
/// assert_eq!(Var::from_name("Service"), Some(Var::Service));
/// assert_eq!(Var::from_name("service"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Var {
    /// The Service's name.
    Service,
    /// The Service's namespace.
    Namespace,
    /// The domain: annotation `Domain`, or the setting.
    Domain,
}

impl Var {
    /// Every variable.
    pub const ALL: [Self; 3] = [Self::Service, Self::Namespace, Self::Domain];

    /// The variable's name, as it is written in a template.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::Namespace => "Namespace",
            Self::Domain => "Domain",
        }
    }

    /// What it stands for, in one sentence.
    #[must_use]
    pub fn doc(self) -> &'static str {
        match self {
            Self::Service => "The Service's name.",
            Self::Namespace => "The Service's namespace.",
            Self::Domain => "The annotation Domain, or the setting domain.",
        }
    }

    /// The variable of this name; letter case counts.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|var| var.name() == name)
    }
}

/// The values of the variables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vars<'v> {
    /// The Service's name.
    pub service: &'v str,
    /// The Service's namespace, if it names one.
    pub namespace: Option<&'v str>,
    /// The domain, if one is set.
    pub domain: Option<&'v str>,
}

impl<'v> Vars<'v> {
    /// The value of `var`, if it is set.
    #[must_use]
    pub fn get(&self, var: Var) -> Option<&'v str> {
        match var {
            Var::Service => Some(self.service),
            Var::Namespace => self.namespace,
            Var::Domain => self.domain,
        }
    }
}

/// The forms of the language, each by an example and one sentence.
///
/// ```
/// use xposer::template::{SYNTAX, Template};
/// assert!(SYNTAX.iter().all(|(example, _)| Template::parse(example).is_ok()));
/// ```
pub const SYNTAX: &[(&str, &str)] = &[
    ("{{.Service}}.{{.Domain}}", "Variables in a text."),
    ("{{ .Service -}}   .{{- .Domain }}", "A `-` removes the blanks outside of the braces."),
    ("{{.Service | upper | lower}}", "The result of one function is the last argument of the next."),
    (r#"{{replace "w" "v" (lower .Service)}}"#, "Calls inside of calls stand in parentheses."),
    (r#"{{if eq .Namespace "shop"}}{{.Service}}{{else}}{{.Service}}-{{.Namespace}}{{end}}"#, "A condition."),
    ("{{with .Namespace}}{{.}}-{{$.Service}}{{end}}", "The value of a condition as the dot."),
    ("{{$name := lower .Service}}{{$name}}", "A variable of your own."),
    ("{{/* nobody reads this */}}{{.Service}}", "A comment."),
    ("{{`{{.Service}}`}}", "Escaped for Helm: the text between the backquotes is the template."),
    ("{{Service}}-{{#if Domain}}public{{/if}}", "Handlebars' own syntax."),
];

/// A template, read and checked.
///
/// ```
/// use xposer::template::{Template, Vars};
/// let vars = Vars { service: "web", namespace: Some("shop"), domain: Some("example.com") };
/// let render = |text| Template::parse(text).unwrap().render(&vars).unwrap();
/// assert_eq!(render("{{.Service}}.{{ .Namespace }}.{{.Domain}}"), "web.shop.example.com");
/// assert_eq!(render("{{`{{.Service}}`}}"), "web");
/// assert_eq!(render(r#"{{if eq .Namespace "shop"}}{{.Service | upper}}{{end}}"#), "WEB");
/// assert_eq!(render("{{Service}}-{{#if Domain}}public{{/if}}"), "web-public");
/// ```
#[derive(Clone, Debug)]
pub struct Template<'t> {
    text: Cow<'t, str>,
    map: SourceMap,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Plain(Vec<Piece>),
    Go(go::Program),
    Handlebars(hbs::Program),
}

/// The empty template.
impl Default for Template<'_> {
    fn default() -> Self {
        Self { text: Cow::Borrowed(""), map: SourceMap::default(), kind: Kind::Plain(Vec::new()) }
    }
}

impl<'t> Template<'t> {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// Every problem of the template, each with its bytes in `text`: unclosed and malformed actions, unknown variables
    /// and functions, constructs that are not supported, and more than [`MAX_TEMPLATE`] bytes.
    pub fn parse(text: &'t str) -> Result<Self, Vec<Problem>> {
        if text.len() > MAX_TEMPLATE {
            let said = format!("the template has {} bytes, at most {MAX_TEMPLATE} are allowed", text.len());
            return Err(vec![Problem::new(Code::TemplateTooLarge, said).help("shorten the template")]);
        }
        let mut text = Cow::Borrowed(text);
        let mut map = SourceMap::default();
        for _ in 0..=MAX_DEPTH {
            let pieces = match cut::cut(&text) {
                Ok(Cut::Go(pieces)) => pieces,
                Ok(Cut::Handlebars) => {
                    let program = hbs::compile(&text).map_err(|problems| map.back(problems))?;
                    return Ok(Self { text, map, kind: Kind::Handlebars(program) });
                }
                Err(problem) => return Err(map.back(vec![problem])),
            };
            if let Some((inner, inner_map)) = cut::unwrap(&text, &pieces, &map) {
                text = Cow::Owned(inner);
                map = inner_map;
                continue;
            }
            let kind = if pieces.iter().all(Piece::is_plain) {
                Kind::Plain(pieces)
            } else {
                Kind::Go(go::parse(&text, &pieces).map_err(|problems| map.back(problems))?)
            };
            return Ok(Self { text, map, kind });
        }
        let said = format!("the template is escaped more than {MAX_DEPTH} times");
        Err(vec![Problem::new(Code::TemplateTooLarge, said).help("remove the outer layers of the escape")])
    }

    /// This template with a text of its own.
    #[must_use]
    pub fn into_owned(self) -> Template<'static> {
        Template { text: Cow::Owned(self.text.into_owned()), map: self.map, kind: self.kind }
    }

    /// The text after the Helm escape was taken off; the same as was given where there was none.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether [`Template::text`] is letter by letter what was given.
    #[must_use]
    pub fn is_verbatim(&self) -> bool {
        self.map.is_identity()
    }

    /// The text, without blanks at both ends, if there is nothing in it to render.
    #[must_use]
    pub fn literal(&self) -> Option<Cow<'t, str>> {
        match (&self.kind, &self.text) {
            (Kind::Plain(pieces), text) if matches!(pieces.as_slice(), [] | [Piece::Text(_)]) => {
                Some(match text {
                    Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
                    Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
                })
            }
            _ => None,
        }
    }

    /// The text, for longer than the template lives.
    pub(crate) fn shared_text(&self) -> Cow<'t, str> {
        self.text.clone()
    }

    /// Renders the template. Blanks at both ends of the result are removed.
    ///
    /// # Errors
    ///
    /// A variable that is needed and not set, a function that cannot work on its arguments, a result of more than
    /// [`MAX_TEMPLATE`] bytes.
    pub fn render(&self, vars: &Vars<'_>) -> Result<String, Problem> {
        let mut out = Output { items: None, text: String::new() };
        self.run(vars, &mut out)?;
        Ok(trimmed(out.text))
    }

    /// Renders a list of templates: commas and line ends in the literal text (not inside an action or a block)
    /// separate the items. Blanks around items are removed, empty items are left out.
    ///
    /// ```
    /// use xposer::template::{Template, Vars};
    /// let vars = Vars { service: "web", namespace: None, domain: Some("a.com,b.com") };
    /// let list = Template::parse("{{.Service}}.a.com, {{.Service}}.b.com\n").unwrap();
    /// assert_eq!(list.render_list(&vars).unwrap(), ["web.a.com", "web.b.com"]);
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Template::render`].
    pub fn render_list(&self, vars: &Vars<'_>) -> Result<Vec<String>, Problem> {
        let mut out = Output { items: Some(Vec::new()), text: String::new() };
        self.run(vars, &mut out)?;
        out.separate();
        Ok(out.items.unwrap_or_default())
    }

    fn run(&self, vars: &Vars<'_>, out: &mut Output) -> Result<(), Problem> {
        match &self.kind {
            Kind::Plain(pieces) => self.join(pieces, vars, out),
            Kind::Go(program) => eval::run(program, &self.text, vars, out),
            Kind::Handlebars(program) => program.run(vars).and_then(|text| out.text(&text)),
        }
        .map_err(|problem| self.map.back_one(problem))
    }

    fn join(&self, pieces: &[Piece], vars: &Vars<'_>, out: &mut Output) -> Result<(), Problem> {
        for piece in pieces {
            match piece {
                Piece::Text(range) => out.text(self.text.get(range.clone()).unwrap_or_default())?,
                Piece::Variable(var, range) => {
                    let value = vars.get(*var).ok_or_else(|| not_set(*var, range.clone()))?;
                    out.value(value)?;
                }
                Piece::Comment | Piece::Action(_) => {}
            }
        }
        Ok(())
    }
}

/// What a template writes into: one text, or the items of a list.
struct Output {
    items: Option<Vec<String>>,
    text: String,
}

impl Output {
    /// Writes literal text, in which commas and line ends separate the items of a list.
    fn text(&mut self, text: &str) -> Result<(), Problem> {
        if self.items.is_none() {
            return self.value(text);
        }
        let mut parts = text.split([',', '\n']);
        if let Some(first) = parts.next() {
            self.value(first)?;
        }
        for part in parts {
            self.separate();
            self.value(part)?;
        }
        Ok(())
    }

    /// Writes a value.
    fn value(&mut self, value: &str) -> Result<(), Problem> {
        if self.text.len() + value.len() > MAX_TEMPLATE {
            return Err(too_large());
        }
        if self.text.is_empty() {
            self.text.reserve(value.len() + 40);
        }
        self.text.push_str(value);
        Ok(())
    }

    fn separate(&mut self) {
        let item = trimmed(std::mem::take(&mut self.text));
        if let (Some(items), false) = (&mut self.items, item.is_empty()) {
            items.push(item);
        }
    }
}

fn trimmed(text: String) -> String {
    let kept = text.trim();
    if kept.len() == text.len() { text } else { kept.to_owned() }
}

fn too_large() -> Problem {
    Problem::new(
        Code::TemplateTooLarge,
        format!("the template renders to more than {MAX_TEMPLATE} bytes, which no name can have"),
    )
    .help("shorten the template")
}

fn not_set(var: Var, range: Range<usize>) -> Problem {
    let (said, help) = match var {
        Var::Namespace => (
            "the template needs the namespace, and the Service names none",
            "set metadata.namespace, or pass --namespace on the command line",
        ),
        _ => (
            "the template needs a domain, and none is set",
            "set the annotation config.xposer.stakater.com/Domain, or ask your administrator for the setting domain",
        ),
    };
    Problem::new(Code::TemplateValueMissing, said).help(help).at(range)
}
