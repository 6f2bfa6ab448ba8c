//! Reads the files of the command line.

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;
use xposer::Settings;
use xposer_manifest::encrypted::{Encrypted, SOPS};
use xposer_manifest::{
    Document, EXTENSIONS, File, Finding, Findings, Place, STDIN, SettingsFile, is_manifest,
};

use crate::args::{CommandName, InputArgs};
use crate::console::{Console, Exit};
use crate::printer::Printer;
use crate::progress::Progress;
use crate::services::InputObjects;

/// The name of standard input on the command line.
pub(crate) const STDIN_PATH: &str = "-";

/// The input of a run.
pub(crate) struct Inputs {
    pub(crate) files: Vec<File>,
    pub(crate) settings: Settings,
    pub(crate) settings_file: Option<SettingsFile>,
    /// The settings to compare with, if there are any.
    pub(crate) with: Option<Settings>,
    /// Warnings about the files.
    pub(crate) notes: Findings,
}

/// Reads the input of a command, and passes it on with what it contains. An input that cannot be read is reported.
pub(crate) fn with_input(
    args: &InputArgs,
    with: Option<&PathBuf>,
    typed: CommandName,
    console: &mut Console<'_>,
    go_on: impl FnOnce(&Inputs, InputObjects<'_>, Printer, &mut Console<'_>) -> io::Result<Exit>,
) -> io::Result<Exit> {
    let printer = Printer::new(args, console.terminal);
    let inputs = match Inputs::read(args, with, typed, console) {
        Ok(inputs) => inputs,
        Err(wrong) => return printer.print(wrong, console.stderr).map(|()| Exit::Unusable),
    };
    match InputObjects::new(&inputs.files, typed) {
        Ok(found) => go_on(&inputs, found, printer, console),
        Err(wrong) => printer.print(wrong, console.stderr).map(|()| Exit::Unusable),
    }
}

/// The purpose of a file, and the command that reads it.
#[derive(Clone, Copy)]
enum Purpose {
    Services(CommandName),
    Settings(CommandName),
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

impl Inputs {
    /// Reads all files. The error is that of a kubectl option, or has the errors of all files. `with` is the file of the settings
    /// to compare with.
    pub(crate) fn read(
        args: &InputArgs,
        with: Option<&PathBuf>,
        typed: CommandName,
        console: &mut Console<'_>,
    ) -> Result<Self, Findings> {
        if let Some((message, help)) = args.kubectl.given(typed) {
            return Err(vec![Finding::input(message).help(help)]);
        }
        let standard = [PathBuf::from(STDIN_PATH)];
        let paths = if args.files.all.is_empty() { &standard } else { args.files.all.as_slice() };
        match paths.iter().chain(&args.settings).chain(with).filter(|path| is_stdin(path)).count() {
            0 => {}
            1 if console.terminal.stdin => prompt_for_input(console),
            1 => {}
            _ => {
                let message = "standard input (`-`, or no FILE) can be read only once";
                return Err(vec![Finding::input(message).help("name a file instead")]);
            }
        }
        let (mut wrong, mut notes) = (Findings::new(), Findings::new());
        let paths = distinct(paths, &mut notes);
        let mut settings = |path: Option<&PathBuf>| {
            let read = path.map(|path| settings_of(path, typed, console.stdin));
            read.transpose().unwrap_or_else(|findings| {
                wrong.extend(findings);
                None
            })
        };
        let (settings, with) = (settings(args.settings.as_ref()), settings(with));
        let ((settings_file, settings), (with_file, with)) = (settings.unzip(), with.unzip());
        let read = settings_file.iter().chain(&with_file);
        notes.extend(read.filter_map(|file: &SettingsFile| file.note().cloned()));
        let files = read_files(&paths, typed, console, &mut wrong);
        if wrong.is_empty() {
            Ok(Self { files, settings: settings.unwrap_or_default(), settings_file, with, notes })
        } else {
            Err(wrong)
        }
    }
}

/// The distinct files to read. A file that is given several times is read once, because its Services would conflict with
/// themselves.
fn distinct<'p>(paths: &'p [PathBuf], notes: &mut Findings) -> Vec<&'p Path> {
    let mut times: HashMap<PathBuf, usize> = HashMap::new();
    let mut distinct: Vec<(&Path, PathBuf)> = Vec::new();
    for path in paths {
        // A missing file has no canonical path; its error follows when it is read.
        let file = if is_stdin(path) { None } else { path.canonicalize().ok() };
        let file = file.unwrap_or_else(|| path.clone());
        let count = times.entry(file.clone()).or_default();
        *count += 1;
        if *count == 1 {
            distinct.push((path, file));
        }
    }
    for (path, file) in &distinct {
        let message = match times.get(file) {
            None | Some(0 | 1) => continue,
            Some(2) => "the file is given twice, and is read once".to_owned(),
            Some(count) => format!("the file is given {count} times, and is read once"),
        };
        let place = Place::file(&path.display().to_string());
        notes.push(Finding::warning(message).help("name it once").at(place));
    }
    distinct.into_iter().map(|(path, _)| path).collect()
}

/// Reads standard input, which may contain only one document.
pub(crate) fn read_single(stdin: &mut dyn Read) -> Result<Value, Findings> {
    let mut documents =
        read_file(Path::new(STDIN_PATH), Purpose::Services(CommandName::Render), stdin)?.documents;
    match (documents.pop(), documents.len()) {
        (Some(document), 0) => Ok(document.value),
        (None, _) => Ok(Value::Null),
        (Some(_), others) => Err(vec![
            Finding::input(format!("expected one document, found {}", others + 1)).at(Place::file(STDIN)),
        ]),
    }
}

/// Tells the user of a terminal that the program waits for input.
fn prompt_for_input(console: &mut Console<'_>) {
    let message =
        "reading Services from the terminal; Ctrl-D ends the input, `xposer --help` shows other ways";
    // An error is ignored: the program waits even without this message.
    let _ = writeln!(console.stderr, "{message}").and_then(|()| console.stderr.flush());
}

fn read_files(
    paths: &[&Path],
    typed: CommandName,
    console: &mut Console<'_>,
    wrong: &mut Findings,
) -> Vec<File> {
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

/// Reads the settings from a file, or from standard input if the path is `-`.
///
/// ```
/// let mut stdin = "domain: example.com".as_bytes();
/// assert!(xposer_cli::read_settings("-".as_ref(), &mut stdin).is_ok());
/// assert!(xposer_cli::read_settings("no such file".as_ref(), &mut stdin).is_err());
/// ```
///
/// # Errors
///
/// All errors of the file and of its settings.
pub fn read_settings(path: &Path, stdin: &mut dyn Read) -> Result<(SettingsFile, Settings), Findings> {
    settings_of(path, CommandName::Check, stdin)
}

fn settings_of(
    path: &Path,
    typed: CommandName,
    stdin: &mut dyn Read,
) -> Result<(SettingsFile, Settings), Findings> {
    SettingsFile::read(read_file(path, Purpose::Settings(typed), stdin)?, typed.piped_settings())
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
        let finding = Finding::input(found.message()).at(Place::file(&name));
        vec![finding.help(found.help(file, purpose.piped()))]
    };
    if let Some(found) = Encrypted::of_bytes(&bytes) {
        return Err(encrypted(found));
    }
    let file = File::of_bytes(name.clone(), bytes)?;
    match file.documents.as_slice() {
        [Document { value: Value::String(text), .. }] if Encrypted::of_text(text).is_some() => {
            Err(encrypted(&SOPS))
        }
        _ => Ok(file),
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

/// The help for a folder: how to read its files.
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
        let ending = file.extension();
        endings.extend(EXTENSIONS.into_iter().find(|known| ending.is_some_and(|ending| ending == *known)));
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

/// The help for a folder as settings. Settings are one file: a shell would expand a pattern, and all but the first file would be
/// read as Services.
fn one_of_folder(path: &Path) -> String {
    let is_text = |file: &PathBuf| is_manifest(file) && file.is_file();
    let entries = path.read_dir().into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_text).collect();
    files.sort_unstable();
    match files.as_slice() {
        [] => "name one file with settings".to_owned(),
        [file] => format!("name the file: --settings {}", file.display()),
        [file, ..] => format!("name one of its files, for example --settings {}", file.display()),
    }
}
