//! Parses the pages of the cookbook. An example is a sequence of fenced blocks in this order, possibly with prose between them:
//!
//! | fence | content |
//! | --- | --- |
//! | `yaml settings` | the administrator's settings, if the example needs any |
//! | `yaml service` | any number of documents; those that are `v1` Services are exposed together |
//! | `yaml objects` | the objects that `xposer render` prints; no block where nothing is emitted |
//! | `text report` | one diagnostic a line; no block where nothing is said |
//! | `text requests` | commands, and what is answered once the Services are exposed ([`RequestExample`]) |
//! | `text requests with ingress-nginx` | the same, where it needs a controller that reads the annotations of ingress-nginx |
//!
//! A block `yaml` without a second word shows an object of another program; it is only checked that it is YAML. A statement that no
//! request can test here is in a line of prose that starts with [`NOT_TRIED`].

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::cases::{Case, parse};
use crate::source::{entries, workspace};

/// The fence of the settings.
pub const SETTINGS: &str = "yaml settings";
/// The fence of the Services.
pub const SERVICE: &str = "yaml service";
/// The fence of the objects.
pub const OBJECTS: &str = "yaml objects";
/// The fence of the diagnostics.
pub const REPORT: &str = "text report";
/// The fence of requests.
pub const REQUESTS: &str = "text requests";
/// The fence of requests that need ingress-nginx, or a controller that reads its annotations.
pub const NGINX_REQUESTS: &str = "text requests with ingress-nginx";
/// The start of a line with a statement that no request tests, and the reason.
pub const NOT_TRIED: &str = "Not tried: ";

/// The folder of the pages.
#[must_use]
pub fn folder() -> PathBuf {
    workspace().join("docs/cookbook")
}

/// Returns every page including the README, in order.
///
/// # Errors
///
/// The folder cannot be read.
pub fn pages() -> Result<Vec<PathBuf>> {
    let mut pages = entries(&folder())?;
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    Ok(pages)
}

/// Reads the text of a page.
///
/// # Errors
///
/// The file cannot be read.
pub fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// The file name of a page.
#[must_use]
pub fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A part of a page.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// Lines outside of fences.
    Prose(String),
    /// The text between two fences: the number of its first line, the words after the opening fence, and the text.
    Block(usize, String, String),
}

/// Splits a page into its parts, in order.
///
/// # Errors
///
/// A block is not closed.
pub fn pieces(page: &str) -> Result<Vec<Piece>, String> {
    let (mut pieces, mut prose) = (Vec::new(), String::new());
    let mut open: Option<(usize, String, String)> = None;
    for (number, line) in page.split_inclusive('\n').enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(words), None) => {
                pieces.push(Piece::Prose(std::mem::take(&mut prose)));
                open = Some((number + 2, words.trim().to_owned(), String::new()));
            }
            (Some(_), Some((number, words, text))) => pieces.push(Piece::Block(number, words, text)),
            (None, Some((number, words, text))) => open = Some((number, words, text + line)),
            (None, None) => prose.push_str(line),
        }
    }
    pieces.push(Piece::Prose(prose));
    match open {
        Some((number, ..)) => Err(format!("the block that begins at line {number} is not closed")),
        None => Ok(pieces),
    }
}

/// The positions of an example's blocks in the pieces of its page.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Example {
    /// The settings.
    pub settings: Option<usize>,
    /// The Services.
    pub service: usize,
    /// The objects.
    pub objects: Option<usize>,
    /// The diagnostics.
    pub report: Option<usize>,
    /// The requests, with and without ingress-nginx.
    pub requests: Vec<usize>,
}

/// Returns the examples of a page, and all errors in the order and the words of its blocks.
#[must_use]
pub fn examples(pieces: &[Piece]) -> (Vec<Example>, Vec<String>) {
    let (mut examples, mut wrong): (Vec<Example>, Vec<String>) = (Vec::new(), Vec::new());
    let mut settings = None;
    for (at, piece) in pieces.iter().enumerate() {
        let Piece::Block(line, words, text) = piece else { continue };
        let open = if settings.is_none() { examples.last_mut() } else { None };
        let message = match (words.as_str(), open) {
            (SETTINGS, _) if settings.is_none() => {
                settings = Some(at);
                continue;
            }
            (SERVICE, _) => {
                examples.push(Example { settings: settings.take(), service: at, ..Example::default() });
                continue;
            }
            (OBJECTS, Some(example))
                if example.objects.is_none() && example.report.is_none() && example.requests.is_empty() =>
            {
                example.objects = Some(at);
                continue;
            }
            (REPORT, Some(example)) if example.report.is_none() && example.requests.is_empty() => {
                example.report = Some(at);
                continue;
            }
            (REQUESTS | NGINX_REQUESTS, Some(example)) => {
                example.requests.push(at);
                match asked(text) {
                    Ok(_) => continue,
                    Err(error) => format!("{error:#}"),
                }
            }
            (SETTINGS | OBJECTS | REPORT | REQUESTS | NGINX_REQUESTS, _) => {
                "the order is `yaml settings`, `yaml service`, `yaml objects`, `text report`, each once, and `text requests`"
                    .to_owned()
            }
            ("yaml", _) => match parse(text) {
                Ok(_) => continue,
                Err(error) => format!("{error:#}"),
            },
            (other, _)
                if other.starts_with("yaml") || other.starts_with("yml") || other.starts_with("text ") =>
            {
                format!(
                    "there is no block `{other}`; write `{SETTINGS}`, `{SERVICE}`, `{OBJECTS}`, `{REPORT}`, `{REQUESTS}` or `yaml`"
                )
            }
            _ => continue,
        };
        wrong.push(format!("{line}: {message}"));
    }
    if let Some(Piece::Block(line, ..)) = settings.and_then(|at| pieces.get(at)) {
        wrong.push(format!("{line}: the settings have no `{SERVICE}` behind them"));
    }
    (examples, wrong)
}

/// Returns the first line, the words and the text of a block.
///
/// # Errors
///
/// The piece is no block.
pub fn block(pieces: &[Piece], at: usize) -> Result<(usize, &str, &str), String> {
    match pieces.get(at) {
        Some(Piece::Block(line, words, text)) => Ok((*line, words, text)),
        _ => Err("there is no block".to_owned()),
    }
}

/// Returns the example as a case.
///
/// # Errors
///
/// The errors of the blocks with settings and Services, in words.
pub fn case(path: &Path, pieces: &[Piece], example: &Example) -> Result<Case, String> {
    let documents = |at: usize| {
        let (line, _, text) = block(pieces, at)?;
        parse(text).map_err(|said| format!("{line}: {said}"))
    };
    let (line, ..) = block(pieces, example.service)?;
    let services = documents(example.service)?;
    if services.is_empty() || !services.iter().all(Value::is_object) {
        return Err(format!("{line}: every document must be an object"));
    }
    let settings = match example.settings.map(documents).transpose()? {
        Some(mut found) if found.len() == 1 => found.pop(),
        Some(_) => return Err(format!("{line}: the settings must be one document")),
        None => None,
    };
    Ok(Case {
        slug: format!("{}:{line}", name(path)),
        folder: path.to_owned(),
        documents: services,
        settings,
        why: String::new(),
        mended: None,
        mended_settings: None,
    })
}

/// A command of a `text requests` block, which starts with `$ `, and the expected answer on the lines below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestExample {
    /// The shell command: `curl`, or another one whose output is the answer.
    pub command: String,
    /// The answer.
    pub answer: Answer,
}

/// The answer of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The response to `curl`, as one line: `HTTP 200 from web at /index.html`, `HTTP 200 from shop/web or web-canary`, `HTTP 301
    /// to https://web.example.com/`, `HTTP 404`.
    Http {
        /// The status.
        status: u16,
        /// The Services one of which responds, optionally with a namespace.
        from: Vec<String>,
        /// The path that the Service receives.
        at: Option<String>,
        /// The target of a redirect.
        to: Option<String>,
    },
    /// The output lines of the command, with single blanks between words.
    Lines(Vec<String>),
}

/// Parses the commands of a `text requests` block.
///
/// # Errors
///
/// A line cannot be parsed.
///
/// ```
/// let asked = xposer_testkit::cookbook::asked("$ curl http://example.com/\nHTTP 200 from a or b\n$ dig +short a.b\n").unwrap();
/// assert_eq!(asked[1].command, "dig +short a.b");
/// ```
pub fn asked(block: &str) -> Result<Vec<RequestExample>> {
    let mut commands: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in block.lines().map(str::trim) {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command, Vec::new())),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => bail!("`{line}` stands below no command; a command begins with `$ `"),
        }
    }
    let read = |(command, lines): (&str, Vec<&str>)| {
        let answer = match (command.split(' ').next(), lines.as_slice()) {
            (Some("curl"), [line]) => http(line).with_context(|| format!("`{line}`"))?,
            (Some("curl"), _) => bail!("`{command}` needs one line such as `HTTP 200 from web` below it"),
            _ => Answer::Lines(
                lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect(),
            ),
        };
        Ok(RequestExample { command: command.to_owned(), answer })
    };
    commands.into_iter().map(read).collect()
}

fn http(line: &str) -> Result<Answer> {
    let mut words = line.split_whitespace();
    if words.next() != Some("HTTP") {
        bail!("it does not begin with `HTTP`");
    }
    let status =
        words.next().and_then(|word| word.parse().ok()).context("there is no status behind `HTTP`")?;
    let (mut from, mut at, mut to) = (Vec::new(), None, None);
    while let Some(word) = words.next() {
        let value = words.next().with_context(|| format!("nothing stands behind `{word}`"))?.to_owned();
        match word {
            "from" if from.is_empty() => from.push(value),
            "or" if !from.is_empty() => from.push(value),
            "at" if at.is_none() => at = Some(value),
            "to" if to.is_none() => to = Some(value),
            _ => bail!("`{word}` is none of `from`, `or`, `at` and `to`, or stands in the wrong place"),
        }
    }
    Ok(Answer::Http { status, from, at, to })
}
