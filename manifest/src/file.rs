//! A file with its documents.

use std::cell::{Cell, OnceCell};
use std::ops::Range;
use std::path::Path;

use xposer::diagnostics::Segment;
use xposer::{Code, Diagnostic};

use crate::document::Document;
use crate::finding::{Finding, Findings};
use crate::lines::{LineIndex, line_column};
use crate::place::{MAX_LINE, Place, Point, SHORT_LINE};
use crate::read::load;

/// The name of standard input in diagnostics.
///
/// ```
/// use xposer_manifest::{File, STDIN};
///
/// assert_eq!(File::of_bytes(STDIN.to_owned(), Vec::new()).unwrap().path(), None);
/// ```
pub const STDIN: &str = "<stdin>";

/// The endings of the names of files with manifests.
///
/// ```
/// assert!(xposer_manifest::EXTENSIONS.contains(&"yaml"));
/// ```
pub const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// Whether the name of a file is that of a manifest.
///
/// ```
/// use xposer_manifest::is_manifest;
/// assert!(is_manifest("web.yaml".as_ref()) && !is_manifest("web.txt".as_ref()));
/// ```
#[must_use]
pub fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|ending| EXTENSIONS.iter().any(|known| ending == *known))
}

/// A file with its documents, and the places of their parts.
///
/// ```
/// use xposer_manifest::File;
///
/// let file = File::of_bytes("web.yaml".to_owned(), b"kind: Service".to_vec()).unwrap();
/// assert_eq!(file.documents[0].value["kind"], "Service");
/// assert!(File::of_bytes("web.yaml".to_owned(), b"\xff\xfe".to_vec()).is_err());
/// ```
pub struct File {
    name: String,
    text: String,
    /// The documents of its text.
    pub documents: Vec<Document>,
    lines: OnceCell<LineIndex>,
    /// The total size of long lines in the places so far, in bytes.
    shown: Cell<usize>,
}

/// The maximum total size of long lines in the places of one file, in bytes. In a file of one line, every place would otherwise
/// contain most of the file.
const MAX_LONG_LINES: usize = 4 * 1024 * 1024;

impl File {
    /// Reads the documents of a file from its bytes.
    ///
    /// # Errors
    ///
    /// The errors of the file.
    pub fn of_bytes(name: String, bytes: Vec<u8>) -> Result<Self, Findings> {
        let text = String::from_utf8(bytes).map_err(|error| vec![not_text(&name, &error)])?;
        Self::load(name, text)
    }

    /// Reads the documents of a text.
    pub(crate) fn load(name: String, text: String) -> Result<Self, Findings> {
        match load(&text) {
            Ok(documents) => Ok(Self { name, text, documents, lines: OnceCell::new(), shown: Cell::new(0) }),
            Err(errors) => Err(errors
                .into_iter()
                .map(|error| {
                    let point = Point { line: error.line, column: error.column };
                    let place = Place::span(&name, &text, &error.span, point, MAX_LINE);
                    let finding = Finding::input(error.message + &error.lines).at(place);
                    error.help.into_iter().fold(finding, Finding::help)
                })
                .collect()),
        }
    }

    /// The path of the file; `None` for standard input.
    pub fn path(&self) -> Option<&str> {
        Some(self.name.as_str()).filter(|name| *name != STDIN)
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let lines = self.lines.get_or_init(|| LineIndex::new(&self.text));
        let (line, column) = lines.line_column(&self.text, span.start);
        let longest = if self.shown.get() < MAX_LONG_LINES { MAX_LINE } else { SHORT_LINE };
        let place = Place::span(&self.name, &self.text, span, Point { line, column }, longest);
        let length = place.excerpt.as_ref().map_or(0, |excerpt| excerpt.line.len());
        self.shown.set(self.shown.get() + if length > SHORT_LINE { length } else { 0 });
        place
    }

    /// Returns the place of the value at `path` in a document.
    ///
    /// ```
    /// use xposer::diagnostics::Segment;
    /// use xposer_manifest::{File, Finding, write_text};
    ///
    /// let file = File::of_bytes("web.yaml".to_owned(), b"kind: Servise".to_vec()).unwrap();
    /// let document = &file.documents[0];
    /// let place = file.place_at(document, [Segment::Key("kind".into())].into_iter());
    /// let mut out = Vec::new();
    /// write_text([Finding::warning("misspelt").at(place)], false, &mut out).unwrap();
    /// assert!(String::from_utf8(out).unwrap().contains("--> web.yaml:1:7"));
    /// ```
    pub fn place_at(&self, document: &Document, path: impl Iterator<Item = Segment>) -> Place {
        self.place(&document.locate(&path.collect::<Vec<_>>()).value)
    }

    /// Returns the place of the key at the end of a path, or of the value if the path has no key or ends early.
    ///
    /// ```
    /// use xposer::diagnostics::Segment;
    /// use xposer_manifest::{File, Finding, write_text};
    ///
    /// let file = File::of_bytes("web.yaml".to_owned(), b"kimd: Service".to_vec()).unwrap();
    /// let place = file.place_of_key(&file.documents[0], [Segment::Key("kimd".into())]);
    /// let mut out = Vec::new();
    /// write_text([Finding::input("misspelt").at(place)], false, &mut out).unwrap();
    /// assert!(String::from_utf8(out).unwrap().contains("--> web.yaml:1:1"));
    /// ```
    pub fn place_of_key(&self, document: &Document, path: impl IntoIterator<Item = Segment>) -> Place {
        let located = document.locate(&path.into_iter().collect::<Vec<_>>());
        self.place(&located.key.unwrap_or(located.value))
    }

    /// Returns the place of a byte range of the text at `path`, or of its key if there is no range.
    pub(crate) fn place_of_part(
        &self,
        document: &Document,
        path: &[Segment],
        part: Option<&Range<usize>>,
    ) -> Place {
        let Some(part) = part else { return self.place_of_key(document, path.iter().cloned()) };
        self.place(&document.locate_part(&self.text, path, part))
    }

    /// Returns the place of a diagnostic about the value at `path` in a document.
    ///
    /// ```
    /// use xposer::{Outcome, Service, Settings, expose};
    /// use xposer_manifest::{File, Finding, write_text};
    ///
    /// let text = "kind: Service\nmetadata: {name: web, labels: {expose: \"true\"}}\nspec: {ports: []}";
    /// let file = File::of_bytes("web.yaml".to_owned(), text.into()).unwrap();
    /// let document = &file.documents[0];
    /// let outcome = expose(&Service::from_value(&document.value), &Settings::default());
    /// let found = outcome.report().unwrap().diagnostics().iter().find(|found| found.code == xposer::Code::PortNone).unwrap();
    /// let place = file.place_of(document, found.path.segments().iter().cloned(), found);
    /// let mut out = Vec::new();
    /// write_text([Finding::core(found).at(place)], false, &mut out).unwrap();
    /// assert!(String::from_utf8(out).unwrap().contains("--> web.yaml:3:"));
    /// ```
    pub fn place_of(
        &self,
        document: &Document,
        path: impl Iterator<Item = Segment>,
        diagnostic: &Diagnostic,
    ) -> Place {
        let path: Vec<Segment> = path.collect();
        self.place(&span_of(&self.text, document, &path, diagnostic))
    }
}

/// Returns the byte range of a text that a diagnostic about the value at `path` in one of its documents is about.
pub(crate) fn span_of(
    text: &str,
    document: &Document,
    path: &[Segment],
    diagnostic: &Diagnostic,
) -> Range<usize> {
    let located = document.locate(path);
    // If a value is missing, the path leads to the surrounding collection, which is too long to be marked.
    let marks_key = located.is_collection || is_about_key(diagnostic);
    match (&diagnostic.range, &located.key) {
        (Some(range), _) if located.depth == path.len() => document.locate_part(text, path, range),
        (_, Some(key)) if marks_key => key.clone(),
        _ => located.value,
    }
}

/// Whether the diagnostic is about the key at the end of the path, and not about its value.
fn is_about_key(diagnostic: &Diagnostic) -> bool {
    match diagnostic.code {
        Code::AnnotationUnknown | Code::SettingUnknown => true,
        // With a proposal, the value of the label is not `true`; otherwise the key is in the wrong place.
        Code::AskedWrongly => diagnostic.proposed.is_none(),
        _ => false,
    }
}

fn not_text(name: &str, error: &std::string::FromUtf8Error) -> Finding<'static> {
    let (bytes, offset) = (error.as_bytes(), error.utf8_error().valid_up_to());
    let before = String::from_utf8_lossy(bytes.get(..offset).unwrap_or_default());
    let (line, column) = line_column(&before, offset);
    let byte = bytes.get(offset).copied().unwrap_or_default();
    let message = format!("expected UTF-8 text, found the byte 0x{byte:02X} at offset {offset}");
    let help = match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "save the file as UTF-8; this looks like UTF-16",
        _ if bytes.contains(&0) => "name a YAML or JSON file; this one looks like a binary file",
        _ => "save the file as UTF-8",
    };
    let place = Place { point: Some(Point { line, column }), ..Place::file(name) };
    Finding::input(message).help(help).at(place)
}
