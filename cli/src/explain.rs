//! `explain`: prints the core's tables, and the sources of the values for the Services of a file.

use std::io::{self, Write};
use std::path::Path;

use xposer::Code;
use xposer::internal::functions::{self, Function};
use xposer::internal::{Controller, did_you_mean, rules};
use xposer::options::{ConfigOption, Key, annotations, settings};
use xposer::template::{SYNTAX, Template, Var, Vars};

use xposer_manifest::{Finding, is_manifest};

use crate::args::{Color, CommandName, Diagnostics, ExplainArgs, Files, InputArgs};
use crate::console::{Console, Exit};
use crate::input::STDIN_PATH;
use crate::printer::write_text;
use crate::programs;
use crate::render::explain_file;

/// The word that explains the template language.
const TEMPLATES: &str = "templates";

/// Explains a word or the Services of a file, or lists all words.
pub(crate) fn explain(args: ExplainArgs, console: &mut Console<'_>) -> io::Result<Exit> {
    let files = match args.subject {
        _ if args.kubectl.given(CommandName::Explain).is_some() => Vec::new(),
        None if !args.filename.is_empty() => args.filename,
        Some(subject) if is_file(&subject) && !is_word(&subject) => vec![subject.into()],
        subject => {
            let is_known = explain_word(subject.as_deref(), "xposer explain", console)?;
            return Ok(if is_known { Exit::Done } else { Exit::Unusable });
        }
    };
    let input = InputArgs {
        files: Files { all: files },
        settings: args.settings,
        namespace: args.namespace,
        diagnostics: Diagnostics::Text,
        color: Color::Auto,
        kubectl: args.kubectl,
    };
    explain_file(&input, console)
}

/// Explains everything with this name, or lists all words. `command` is the command line before a word. Returns whether the word is
/// known.
///
/// ```
/// use xposer_cli::{Console, Terminal, explain_word};
/// let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
/// let mut console =
///     Console { stdin: &mut std::io::empty(), stdout: &mut stdout, stderr: &mut stderr, terminal: Terminal::default() };
/// assert!(explain_word(Some("host-uppercase"), "kubectl xposer explain", &mut console).unwrap());
/// assert!(!explain_word(Some("quux"), "kubectl xposer explain", &mut console).unwrap());
/// assert!(String::from_utf8(stderr).unwrap().contains("list all words with `kubectl xposer explain`"));
/// ```
///
/// # Errors
///
/// An error of the writer.
pub fn explain_word(subject: Option<&str>, command: &str, console: &mut Console<'_>) -> io::Result<bool> {
    let Some(subject) = subject else {
        return overview(command, console.stdout).map(|()| true);
    };
    let is_known = word(subject, console.stdout)?;
    if !is_known {
        let colors = console.terminal.stderr && console.terminal.colors;
        write_text([unknown(subject, command)], colors, console.stderr)?;
    }
    Ok(is_known)
}

/// Whether the word is known.
fn is_word(subject: &str) -> bool {
    // The output is not needed, and writing to the sink cannot fail.
    word(subject, &mut io::sink()).unwrap_or_default()
}

/// Whether the word is a file name, existing or not.
fn is_file(subject: &str) -> bool {
    let path = Path::new(subject);
    subject == STDIN_PATH || path.exists() || is_manifest(path)
}

/// Explains everything with this name. Returns whether the word is known.
fn word(word: &str, out: &mut dyn Write) -> io::Result<bool> {
    if word == TEMPLATES {
        return templates(out).map(|()| true);
    }
    let of_service = annotations().find(|(key, _)| [key.name, key.short_name()].contains(&word));
    let of_settings = settings().find(|(key, _)| key.name == word);
    if let Some((key, row)) = of_service {
        annotation(key, row, out)?;
    }
    if let Some((key, row)) = of_settings {
        // A setting and an annotation may have the same name.
        if of_service.is_some() {
            writeln!(out)?;
        }
        setting(key, row, out)?;
    }
    let keys = of_service.into_iter().chain(of_settings).filter_map(|(_, row)| row.annotation);
    if let Some(intent) = keys.filter_map(programs::intent).next() {
        programs::of_intent(intent, out)?;
    }
    if of_service.is_some() || of_settings.is_some() {
        return Ok(true);
    }
    if let Ok(controller) = word.parse() {
        return programs::of_controller(controller, out).map(|()| true);
    }
    if let Ok(found) = word.parse::<Code>() {
        code(found, out)?;
    } else if let Some(found) = functions::find(word) {
        function(found, out)?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn unknown<'w>(word: &'w str, command: &str) -> Finding<'w> {
    let finding = Finding::input(format!("{word:?} is not an annotation, setting, code or program"));
    let known: Vec<&str> = annotations()
        .flat_map(|(key, _)| [key.short_name(), key.name])
        .chain(settings().map(|(key, _)| key.name))
        .chain(Code::ALL.iter().map(|code| code.slug()))
        .chain(Controller::WORDS.iter().copied())
        .chain([TEMPLATES])
        .collect();
    // A target and its program may be written as one word, such as `gateway/other`.
    let last = known.iter().copied().find(|known| word.rsplit('/').next() == Some(known));
    match last.or_else(|| did_you_mean(word, known.iter().copied())) {
        Some(meant) => finding.help(format!("did you mean {meant}?")),
        None => finding.help(format!("list all words with `{command}`")),
    }
}

fn overview(command: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Annotations of a Service")?;
    table(out, annotations().map(|(key, row)| (key.name, row.doc.to_owned())))?;
    writeln!(out, "\nSettings")?;
    table(out, settings().map(|(key, row)| (key.name, row.doc.to_owned())))?;
    writeln!(out, "\nDiagnostic codes")?;
    table(
        out,
        Code::ALL.iter().map(|code| (code.slug(), format!("{}: {}", code.severity(), code.summary()))),
    )?;
    writeln!(out, "\nPrograms that serve Ingresses, HTTPRoutes and Routes")?;
    table(out, Controller::ALL.into_iter().map(|it| (it.as_str(), programs::summary(it))))?;
    writeln!(out, "\nTemplates")?;
    let names: Vec<String> = Var::ALL.iter().map(|var| format!("{{{{.{}}}}}", var.name())).collect();
    let functions = functions::all().len();
    let row =
        (TEMPLATES, format!("The variables {}, the syntax and the {functions} functions.", names.join(", ")));
    table(out, [row].into_iter())?;
    writeln!(out, "\nMore about each word: {command} WORD")
}

/// Prints two columns, the first as wide as its widest word.
fn table<'r>(out: &mut dyn Write, rows: impl Iterator<Item = (&'r str, String)> + Clone) -> io::Result<()> {
    let width = rows.clone().map(|(word, _)| word.chars().count()).max().unwrap_or_default();
    for (word, sentence) in rows {
        writeln!(out, "  {word:width$}  {sentence}")?;
    }
    Ok(())
}

fn annotation(key: Key, row: &ConfigOption, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "annotation {}\n\n  {}\n", key.name, row.doc)?;
    writeln!(out, "  Value:     {}", row.form.describe())?;
    writeln!(out, "  Example:   {}: {:?}", key.name, key.example)?;
    if let Some(setting) = row.setting {
        writeln!(out, "  Default:   the setting {}", setting.name)?;
    }
    let origin = if row.original { "the original Xposer" } else { "new in this program" };
    writeln!(out, "  Origin:    {origin}")
}

fn setting(key: Key, row: &ConfigOption, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "setting {}\n\n  {}\n", key.name, row.doc)?;
    writeln!(out, "  Value:     {}", row.form.describe())?;
    writeln!(out, "  Default:   {}", row.default)?;
    writeln!(out, "  Example:   {}: {}", key.name, key.example)?;
    match row.annotation {
        Some(key) => writeln!(out, "  Service:   the annotation {} overrides it", key.name),
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
const SAMPLE: Vars<'_> = Vars {
    service: "web",
    namespace: Some("shop"),
    domain: Some("example.com"),
    host: Some("web.example.com"),
};

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
    writeln!(out, "  {}: {}", names.join(", "), row.doc())?;
    writeln!(out, "      {}  gives  {}", row.example, row.result())
}

fn rendered(example: &str) -> String {
    let template = Template::parse(example).ok();
    template.and_then(|template| template.render(&SAMPLE).ok()).unwrap_or_default()
}
