//! `explain`: the core's tables, for people.

use std::io::{self, Write};

use xposer::template::functions::{self, Function};
use xposer::template::{SYNTAX, Template, Var, Vars};
use xposer::{Code, Key, Setting, did_you_mean, keys, rules, settings};

use crate::diagnostics::{Finding, write_text};
use crate::{Console, Exit};

/// The word that explains the template language.
const TEMPLATES: &str = "templates";

/// Explains a word, or lists all there are.
pub(crate) fn explain(word: Option<&str>, console: &mut Console<'_>) -> io::Result<Exit> {
    let Some(word) = word else { return overview(console.stdout).map(|()| Exit::Done) };
    if word == TEMPLATES {
        templates(console.stdout)?;
    } else if let Some(key) = keys().iter().find(|key| [key.annotation, key.name()].contains(&word)) {
        annotation(key, console.stdout)?;
    } else if let Some(row) = settings().iter().find(|row| row.name == word) {
        setting(row, console.stdout)?;
    } else if let Some(found) = Code::from_slug(word) {
        code(found, console.stdout)?;
    } else if let Some(found) = functions::find(word) {
        function(found, console.stdout)?;
    } else {
        write_text([unknown(word)], console.terminal.stderr && console.terminal.colors, console.stderr)?;
        return Ok(Exit::Unusable);
    }
    Ok(Exit::Done)
}

fn unknown(word: &str) -> Finding<'_> {
    let finding = Finding::input(format!("there is nothing to explain about {word:?}"));
    let known = keys()
        .iter()
        .flat_map(|key| [key.name(), key.annotation])
        .chain(settings().iter().map(|row| row.name))
        .chain(Code::ALL.iter().map(|code| code.slug()))
        .chain([TEMPLATES]);
    match did_you_mean(word, known) {
        Some(meant) => finding.help(format!("did you mean {meant}?")),
        None => finding.help("list all words with `xposer explain`"),
    }
}

fn overview(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Annotations of a Service")?;
    table(out, keys().iter().map(|key| (key.annotation, key.doc.to_owned())))?;
    writeln!(out, "\nSettings")?;
    table(out, settings().iter().map(|row| (row.name, row.doc.to_owned())))?;
    writeln!(out, "\nDiagnostic codes")?;
    table(
        out,
        Code::ALL.iter().map(|code| (code.slug(), format!("{}: {}", code.severity(), code.summary()))),
    )?;
    writeln!(out, "\nTemplates")?;
    let names: Vec<String> = Var::ALL.iter().map(|var| format!("{{{{.{}}}}}", var.name())).collect();
    let functions = functions::all().len();
    let row =
        (TEMPLATES, format!("The variables {}, the syntax and the {functions} functions.", names.join(", ")));
    table(out, [row].into_iter())?;
    writeln!(out, "\nMore about each word: xposer explain WORD")
}

/// Two columns, the first as wide as its widest word.
fn table<'r>(out: &mut dyn Write, rows: impl Iterator<Item = (&'r str, String)> + Clone) -> io::Result<()> {
    let width = rows.clone().map(|(word, _)| word.chars().count()).max().unwrap_or_default();
    for (word, sentence) in rows {
        writeln!(out, "  {word:width$}  {sentence}")?;
    }
    Ok(())
}

fn annotation(key: &Key, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "annotation {}\n\n  {}\n", key.annotation, key.doc)?;
    writeln!(out, "  Value:     {}", key.form.describe())?;
    writeln!(out, "  Example:   {}: {:?}", key.annotation, key.example)?;
    if let Some(setting) = key.setting {
        writeln!(out, "  Default:   the setting {setting}")?;
    }
    let origin = if key.original { "the original Xposer" } else { "new in this program" };
    writeln!(out, "  Origin:    {origin}")
}

fn setting(row: &Setting, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "setting {}\n\n  {}\n", row.name, row.doc)?;
    writeln!(out, "  Value:     {}", row.form.describe())?;
    writeln!(out, "  Default:   {}", row.default)?;
    writeln!(out, "  Example:   {}: {}", row.name, row.example)?;
    match keys().iter().find(|key| key.setting == Some(row.name)) {
        Some(key) => writeln!(out, "  Service:   the annotation {} overrides it", key.annotation),
        None => Ok(()),
    }
}

fn code(code: Code, out: &mut dyn Write) -> io::Result<()> {
    let strict = if code.is_error_when_strict() { ", error under the setting strict" } else { "" };
    writeln!(out, "{}[{code}]{strict}\n\n  {}\n", code.severity(), code.summary())?;
    writeln!(out, "  Why:       {}", code.why())?;
    writeln!(out, "  Fix:       {}", code.fix())?;
    match rules().iter().find(|rule| rule.codes.contains(&code)) {
        Some(rule) => writeln!(out, "  Source:    {}", rule.source),
        None => Ok(()),
    }
}

/// The Service of the examples.
const SAMPLE: Vars<'_> = Vars { service: "web", namespace: Some("shop"), domain: Some("example.com") };

fn templates(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "templates\n\n  Go's text/template, as far as names need it. An unknown variable or function is an error."
    )?;
    writeln!(out, "\nVariables, and their values in the examples below")?;
    let value = |var: Var| SAMPLE.get(var).unwrap_or_default();
    for var in Var::ALL {
        writeln!(out, "  {{{{.{}}}}}: {}\n      {}", var.name(), var.doc(), value(var))?;
    }
    writeln!(out, "\nSyntax")?;
    for (example, sentence) in SYNTAX {
        writeln!(out, "  {sentence}\n      {example}  gives  {}", rendered(example))?;
    }
    writeln!(out, "\nFunctions")?;
    functions::all().iter().try_for_each(|row| function(row, out))
}

fn function(row: &Function, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<&str> = row.names().collect();
    writeln!(out, "  {}: {}", names.join(", "), row.doc)?;
    writeln!(out, "      {}  gives  {}", row.example, row.result)
}

fn rendered(example: &str) -> String {
    let template = Template::parse(example).ok();
    template.and_then(|template| template.render(&SAMPLE).ok()).unwrap_or_default()
}
