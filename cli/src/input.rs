//! Files become documents that know where they are written.

use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::Value;
use xposer::{Code, Diagnostic, Segment, Settings};

use crate::Console;
use crate::args::{InputArgs, Typed};
use crate::config::{Config, Spot, Wrong};
use crate::diagnostics::{Finding, Findings};
use crate::encrypted::{Encrypted, SOPS, SOPS_KEY, first_encrypted, has_sops};
use crate::place::{LONGEST_LINE, Place, Point, SHORT_LINE};
use crate::progress::Progress;
use crate::yaml::{Document, LineIndex, Step, line_column, load};

/// How standard input is named on the command line.
pub(crate) const STDIN_PATH: &str = "-";
/// How standard input is named in diagnostics.
const STDIN: &str = "<stdin>";

/// A text with its documents.
pub(crate) struct File {
    name: String,
    text: String,
    pub(crate) documents: Vec<Document>,
    lines: OnceCell<LineIndex>,
    /// How many bytes of long lines have been shown.
    shown: Cell<usize>,
}

/// How many bytes of long lines are shown of a file: in one that is a single line, every finding would show most of it.
const MOST_OF_LONG_LINES: usize = 4 * 1024 * 1024;

/// All that a run reads.
pub(crate) struct Inputs {
    pub(crate) files: Vec<File>,
    pub(crate) settings: Settings,
    pub(crate) settings_file: Option<SettingsFile>,
    /// What is to be said about them that keeps nothing from being used.
    pub(crate) notes: Findings,
}

/// What a text is read for, and by which command.
#[derive(Clone, Copy)]
enum Purpose {
    Services(Typed),
    Settings(Typed),
}

impl Purpose {
    /// The command that reads the same from standard input.
    fn piped(self) -> &'static str {
        match self {
            Self::Services(typed) => typed.piped(),
            Self::Settings(typed) => typed.piped_settings(),
        }
    }
}

/// A text with settings, and where in its document they stand.
pub(crate) struct SettingsFile {
    file: File,
    config: Config,
    /// What is to be said about them that keeps nothing from being used.
    note: Option<Finding<'static>>,
}

impl Inputs {
    /// Reads all files; where any of them is wrong, gives what is wrong with all of them.
    pub(crate) fn read(args: &InputArgs, typed: Typed, console: &mut Console<'_>) -> Result<Self, Findings> {
        let standard = [PathBuf::from(STDIN_PATH)];
        let paths = if args.files.all.is_empty() { &standard } else { args.files.all.as_slice() };
        match paths.iter().chain(&args.settings).filter(|path| is_stdin(path)).count() {
            0 => {}
            1 if console.terminal.stdin => invite(console),
            1 => {}
            _ => {
                let said = "standard input (`-`, or no FILE) can be read only once";
                return Err(vec![Finding::input(said).help("name a file instead")]);
            }
        }
        let (mut wrong, mut notes) = (Findings::new(), Findings::new());
        let paths = distinct(paths, &mut notes);
        let settings = args.settings.as_ref().map(|path| read_settings(path, typed, console.stdin));
        let (settings_file, settings) = match settings.transpose() {
            Ok(settings) => settings.unzip(),
            Err(findings) => {
                wrong.extend(findings);
                (None, None)
            }
        };
        notes.extend(settings_file.iter().filter_map(|file: &SettingsFile| file.note.clone()));
        let files = read_files(&paths, typed, console, &mut wrong);
        if wrong.is_empty() {
            Ok(Self { files, settings: settings.unwrap_or_default(), settings_file, notes })
        } else {
            Err(wrong)
        }
    }
}

/// The files to read: one that is given several times is read once, for its Services would be in the way of themselves.
fn distinct<'p>(paths: &'p [PathBuf], notes: &mut Findings) -> Vec<&'p Path> {
    let mut times: HashMap<PathBuf, usize> = HashMap::new();
    let mut distinct: Vec<(&Path, PathBuf)> = Vec::new();
    for path in paths {
        // What is not there has no other name; that it is not there is said when it is read.
        let file = if is_stdin(path) { None } else { path.canonicalize().ok() };
        let file = file.unwrap_or_else(|| path.clone());
        let count = times.entry(file.clone()).or_default();
        *count += 1;
        if *count == 1 {
            distinct.push((path, file));
        }
    }
    for (path, file) in &distinct {
        let said = match times.get(file) {
            None | Some(0 | 1) => continue,
            Some(2) => "the file is given twice, and is read once".to_owned(),
            Some(count) => format!("the file is given {count} times, and is read once"),
        };
        let place = Place::file(&path.display().to_string());
        notes.push(Finding::warning(said).help("name it once").at(place));
    }
    distinct.into_iter().map(|(path, _)| path).collect()
}

/// Reads the only document that standard input may hold.
pub(crate) fn read_single(stdin: &mut dyn Read) -> Result<Value, Findings> {
    let mut documents = read_file(Path::new(STDIN_PATH), Purpose::Services(Typed::Render), stdin)?.documents;
    match (documents.pop(), documents.len()) {
        (Some(document), 0) => Ok(document.value),
        (None, _) => Ok(Value::Null),
        (Some(_), others) => Err(vec![
            Finding::input(format!("expected one document, found {}", others + 1)).at(Place::file(STDIN)),
        ]),
    }
}

/// Tells somebody who sees nothing happen what the program waits for.
fn invite(console: &mut Console<'_>) {
    let said = "reading Services from the terminal; Ctrl-D ends the input, `xposer --help` shows other ways";
    // Where it cannot be said, the program waits all the same.
    let _ = writeln!(console.stderr, "{said}").and_then(|()| console.stderr.flush());
}

fn read_files(paths: &[&Path], typed: Typed, console: &mut Console<'_>, wrong: &mut Findings) -> Vec<File> {
    let mut progress = Progress::new(console.terminal.stderr);
    let (mut files, mut documents) = (Vec::new(), 0);
    for path in paths {
        match read_file(path, Purpose::Services(typed), console.stdin) {
            Ok(file) => {
                documents += file.documents.len();
                files.push(file);
            }
            Err(findings) => wrong.extend(findings),
        }
        progress.read(files.len(), documents);
    }
    files
}

fn read_settings(
    path: &Path,
    typed: Typed,
    stdin: &mut dyn Read,
) -> Result<(SettingsFile, Settings), Findings> {
    settings_of(read_file(path, Purpose::Settings(typed), stdin)?, typed)
}

/// The settings in a text that was read already.
pub(crate) fn settings(name: String, text: String) -> Result<(SettingsFile, Settings), Findings> {
    settings_of(File::load(name, text)?, Typed::Check)
}

fn settings_of(file: File, typed: Typed) -> Result<(SettingsFile, Settings), Findings> {
    let document = match file.documents.as_slice() {
        [] => return Ok((SettingsFile { file, config: Config::default(), note: None }, Settings::default())),
        [document] => document,
        [_, second, ..] => {
            let place = file.place_at(second, std::iter::empty());
            let said = format!("expected one document with settings, found {}", file.documents.len());
            return Err(vec![Finding::input(said).at(place).help("remove all but one")]);
        }
    };
    if let Some(way) = encrypted_settings(&document.value) {
        let help = SOPS.help(file.path(), typed.piped_settings());
        return Err(vec![Finding::input(SOPS.said()).at(file.place_of_key(document, way)).help(help)]);
    }
    let config = Config::of_document(&document.value).map_err(|wrong| {
        let finding = |wrong: Wrong| {
            let place = file.place_of_part(document, &wrong.way, wrong.range.as_ref());
            wrong.help.into_iter().fold(Finding::input(wrong.said).at(place), Finding::help)
        };
        wrong.into_iter().map(finding).collect::<Findings>()
    })?;
    let read = Settings::tried(&config.settings);
    let note = config.missing.as_ref().map(|missing| {
        let place = file.place_of_key(document, [Segment::Key("kind".into())]);
        Finding::warning(missing.said.clone()).help(missing.help.clone()).at(place)
    });
    let file = SettingsFile { file, config, note };
    match read {
        Ok(settings) => Ok((file, settings)),
        Err(report) => {
            let found = report.diagnostics().iter();
            Err(found.map(|found| Finding::owned(found.clone()).at(file.place_of(found))).collect())
        }
    }
}

/// The way to what shows that SOPS encrypted the settings.
fn encrypted_settings(document: &Value) -> Option<Vec<Segment>> {
    if has_sops(document) { Some(vec![Segment::Key(SOPS_KEY.into())]) } else { first_encrypted(document) }
}

impl SettingsFile {
    /// Where the text is that a diagnostic about the settings accuses.
    pub(crate) fn place_of(&self, diagnostic: &Diagnostic) -> Option<Place> {
        let document = self.file.documents.first()?;
        let Spot { way, inside } = self.config.spot(diagnostic.path.segments().iter().cloned());
        Some(match inside {
            None => self.file.place_of(document, way.into_iter(), diagnostic),
            Some(inside) => {
                let part = accused(inside.text, inside.document, &inside.way, diagnostic);
                self.file.place_of_part(document, &way, Some(&part))
            }
        })
    }
}

/// Whether a path stands for standard input.
fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == STDIN_PATH
}

fn read_file(path: &Path, purpose: Purpose, stdin: &mut dyn Read) -> Result<File, Findings> {
    let name = if is_stdin(path) { STDIN.to_owned() } else { path.display().to_string() };
    let bytes = read_bytes(path, stdin).map_err(|error| vec![unreadable(path, &name, purpose, &error)])?;
    let encrypted = |found: &Encrypted| {
        let file = Some(name.as_str()).filter(|_| !is_stdin(path));
        let finding = Finding::input(found.said()).at(Place::file(&name));
        vec![finding.help(found.help(file, purpose.piped()))]
    };
    if let Some(found) = Encrypted::of_bytes(&bytes) {
        return Err(encrypted(found));
    }
    let text = String::from_utf8(bytes).map_err(|error| vec![not_text(&name, &error)])?;
    match File::load(name.clone(), text) {
        Ok(file) => match file.documents.as_slice() {
            [Document { value: Value::String(text), .. }] if Encrypted::of_text(text).is_some() => {
                Err(encrypted(&SOPS))
            }
            _ => Ok(file),
        },
        Err(wrong) => Err(wrong),
    }
}

fn read_bytes(path: &Path, stdin: &mut dyn Read) -> io::Result<Vec<u8>> {
    if !is_stdin(path) {
        return std::fs::read(path);
    }
    let mut bytes = Vec::new();
    stdin.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(path: &Path, name: &str, purpose: Purpose, error: &io::Error) -> Finding<'static> {
    let finding = match error.kind() {
        io::ErrorKind::NotFound if is_url(name) => Finding::input("expected a file, found a URL")
            .help(format!("fetch it first: curl -L {name} | {}", purpose.piped())),
        io::ErrorKind::NotFound => Finding::input("there is no such file"),
        io::ErrorKind::IsADirectory => {
            Finding::input("expected a file, found a directory").help(instead_of_folder(path, purpose))
        }
        io::ErrorKind::PermissionDenied => Finding::input("no permission to read the file"),
        _ => Finding::input(format!("the file cannot be read: {error}")),
    };
    finding.at(Place::file(name))
}

fn is_url(name: &str) -> bool {
    name.starts_with("https://") || name.starts_with("http://")
}

/// How to get at what is in a folder.
fn instead_of_folder(path: &Path, purpose: Purpose) -> String {
    let typed = match purpose {
        Purpose::Services(typed) => typed,
        Purpose::Settings(_) => return one_of_folder(path),
    };
    let piped = typed.piped();
    let has = |name: &str| path.join(name).exists();
    let folder = path.display();
    if has("Chart.yaml") {
        return format!("render the chart: helm template NAME {folder} | {piped}");
    }
    if ["kustomization.yaml", "kustomization.yml", "Kustomization"].into_iter().any(has) {
        return format!("build it: kustomize build {folder} | {piped}");
    }
    let (mut endings, mut has_folders) = (Vec::new(), false);
    for entry in path.read_dir().into_iter().flatten().flatten() {
        let file = entry.path();
        has_folders |= file.is_dir();
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        endings.extend(["yaml", "yml", "json"].into_iter().find(|known| *known == ending));
    }
    let files = |ending: &str| path.join(format!("*.{ending}")).display().to_string();
    endings.sort_unstable_by(|left, right| right.cmp(left));
    endings.dedup();
    if endings.is_empty() && has_folders {
        return format!("name the files below it: find {folder} -name '*.yaml' {}", typed.of_found());
    }
    if endings.is_empty() {
        endings.push("yaml");
    }
    let files: Vec<String> = endings.into_iter().map(files).collect();
    format!("name its files: {}", files.join(" "))
}

/// The settings stand in one file. A pattern would name several, and all but one of them would be read for Services.
fn one_of_folder(path: &Path) -> String {
    let is_text = |file: &PathBuf| {
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        ["yaml", "yml", "json"].contains(&ending) && file.is_file()
    };
    let entries = path.read_dir().into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_text).collect();
    files.sort_unstable();
    match files.as_slice() {
        [] => "name one file with settings".to_owned(),
        [file] => format!("name the file: --settings {}", file.display()),
        [file, ..] => format!("name one of its files, for example --settings {}", file.display()),
    }
}

fn not_text(name: &str, error: &std::string::FromUtf8Error) -> Finding<'static> {
    let (bytes, offset) = (error.as_bytes(), error.utf8_error().valid_up_to());
    let before = String::from_utf8_lossy(bytes.get(..offset).unwrap_or_default());
    let (line, column) = line_column(&before, offset);
    let byte = bytes.get(offset).copied().unwrap_or_default();
    let said = format!("expected UTF-8 text, found the byte 0x{byte:02X} at offset {offset}");
    let help = match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "save the file as UTF-8; this looks like UTF-16",
        _ if bytes.contains(&0) => "name a YAML or JSON file; this one looks like a binary file",
        _ => "save the file as UTF-8",
    };
    let place = Place { point: Some(Point { line, column }), ..Place::file(name) };
    Finding::input(said).help(help).at(place)
}

impl File {
    /// Reads the documents of a text.
    fn load(name: String, text: String) -> Result<Self, Findings> {
        match load(&text) {
            Ok(documents) => Ok(Self { name, text, documents, lines: OnceCell::new(), shown: Cell::new(0) }),
            Err(errors) => Err(errors
                .into_iter()
                .map(|error| {
                    let point = Point { line: error.line, column: error.column };
                    let place = Place::span(&name, &text, &error.span, point, LONGEST_LINE);
                    let finding = Finding::input(error.message).at(place);
                    error.help.into_iter().fold(finding, Finding::help)
                })
                .collect()),
        }
    }

    /// What to name on a command line to read the file again; `None` for standard input.
    pub(crate) fn path(&self) -> Option<&str> {
        Some(self.name.as_str()).filter(|name| *name != STDIN)
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let lines = self.lines.get_or_init(|| LineIndex::new(&self.text));
        let (line, column) = lines.line_column(&self.text, span.start);
        let longest = if self.shown.get() < MOST_OF_LONG_LINES { LONGEST_LINE } else { SHORT_LINE };
        let place = Place::span(&self.name, &self.text, span, Point { line, column }, longest);
        let length = place.excerpt.as_ref().map_or(0, |excerpt| excerpt.line.len());
        self.shown.set(self.shown.get() + if length > SHORT_LINE { length } else { 0 });
        place
    }

    /// Where the value at `path` in a document is written.
    pub(crate) fn place_at(&self, document: &Document, path: impl Iterator<Item = Segment>) -> Place {
        let path: Vec<Segment> = path.collect();
        let steps: Vec<Step<'_>> = path.iter().map(step).collect();
        self.place(&document.locate(&self.text, &steps).value)
    }

    /// Where the key at the end of a path is written, or what there is of the path.
    pub(crate) fn place_of_key(&self, document: &Document, path: impl IntoIterator<Item = Segment>) -> Place {
        let path: Vec<Segment> = path.into_iter().collect();
        let steps: Vec<Step<'_>> = path.iter().map(step).collect();
        let located = document.locate(&self.text, &steps);
        self.place(&located.key.unwrap_or(located.value))
    }

    /// Where some bytes of the text at `path` are written, or its key where no bytes are meant.
    fn place_of_part(&self, document: &Document, path: &[Segment], part: Option<&Range<usize>>) -> Place {
        let Some(part) = part else { return self.place_of_key(document, path.iter().cloned()) };
        let steps: Vec<Step<'_>> = path.iter().map(step).collect();
        self.place(&document.locate_part(&self.text, &steps, part))
    }

    /// Where the text is that a diagnostic accuses, which is at `path` in a document.
    pub(crate) fn place_of(
        &self,
        document: &Document,
        path: impl Iterator<Item = Segment>,
        diagnostic: &Diagnostic,
    ) -> Place {
        let path: Vec<Segment> = path.collect();
        self.place(&accused(&self.text, document, &path, diagnostic))
    }
}

/// The bytes of a text that a diagnostic accuses, which is at `path` in one of its documents.
fn accused(text: &str, document: &Document, path: &[Segment], diagnostic: &Diagnostic) -> Range<usize> {
    let steps: Vec<Step<'_>> = path.iter().map(step).collect();
    let located = document.locate(text, &steps);
    let wants_key = || {
        let value = value_at(&document.value, path.iter().take(located.depth));
        // What is missing is missing from the collection above it, which is too long to be marked.
        accuses_key(diagnostic) || value.is_none_or(|value| value.is_array() || value.is_object())
    };
    match (&diagnostic.range, located.key) {
        (Some(range), _) if located.depth == steps.len() => document.locate_part(text, &steps, range),
        (_, Some(key)) if wants_key() => key,
        _ => located.value,
    }
}

fn value_at<'v, 's>(value: &'v Value, mut path: impl Iterator<Item = &'s Segment>) -> Option<&'v Value> {
    path.try_fold(value, |value, segment| match segment {
        Segment::Key(key) => value.get(key.as_ref()),
        Segment::Index(index) => value.get(index),
    })
}

fn step(segment: &Segment) -> Step<'_> {
    match segment {
        Segment::Key(key) => Step::Key(key),
        Segment::Index(index) => Step::Index(*index),
    }
}

/// Whether what is wrong is the key at the end of the path rather than its value.
fn accuses_key(diagnostic: &Diagnostic) -> bool {
    match diagnostic.code {
        Code::AnnotationUnknown | Code::SettingUnknown => true,
        // What stands in the wrong place is the key; a label that says something else than `true` has another value.
        Code::AskedWrongly => diagnostic.proposed.is_none(),
        _ => false,
    }
}
