//! Reads the sources of the workspace for the tests of its structure.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The name of a crate's root module.
const ROOT: &str = "crate";

/// The folder of the workspace.
///
/// ```
/// assert!(xposer_testkit::workspace().join("testkit/src/source.rs").exists());
/// ```
#[must_use]
pub fn workspace() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// The entries of a folder, in order.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || folder.read_dir()?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut paths = read().with_context(|| folder.display().to_string())?;
    paths.sort();
    Ok(paths)
}

/// Returns the Rust files below a folder, including its subfolders, in order.
///
/// ```
/// use xposer_testkit::{source::rust_files, workspace};
/// let files = rust_files(&workspace().join("testkit/src")).unwrap();
/// assert!(files.contains(&workspace().join("testkit/src/reference/mod.rs")) && files.is_sorted());
/// ```
///
/// # Errors
///
/// A folder cannot be read.
pub fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

/// Returns the code below a folder: the path of each file below the folder, and its text. Comments are removed, and so are unit
/// tests (at the end of a file, in a file `tests.rs` or in a folder `tests`) and separate programs in a folder `bin`.
///
/// ```
/// use xposer_testkit::{source::code, workspace};
/// let files = code(&workspace().join("testkit/src")).unwrap();
/// let (_, text) = files.iter().find(|(file, _)| file == "source.rs").unwrap();
/// assert!(text.contains("fn code(") && !text.contains("///"));
/// ```
///
/// # Errors
///
/// A file cannot be read.
pub fn code(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in rust_files(folder)? {
        let file = path.strip_prefix(folder)?;
        if file.iter().any(|part| part == "tests" || part == "tests.rs" || part == "bin") {
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        files.push((file.to_string_lossy().into_owned(), lines.join("\n")));
    }
    Ok(files)
}

/// Returns the modules of the crate in this folder, each with the other modules that it imports: `crate` is the root, and `a::b`
/// the module `b` in the module `a`. A path that starts with `crate`, `super` or the name of a submodule is an import.
///
/// ```
/// use xposer_testkit::{source::imports, workspace};
/// let imports = imports(&workspace().join("testkit/src")).unwrap();
/// assert!(imports["reference::schema"].contains("cases") && imports["source"].is_empty());
/// ```
///
/// # Errors
///
/// A file cannot be read.
pub fn imports(source: &Path) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut files = code(source)?;
    if files.iter().any(|(file, _)| file == "lib.rs") {
        files.retain(|(file, _)| file != "main.rs");
    }
    let files: BTreeMap<String, String> =
        files.into_iter().map(|(file, code)| (module_of(&file), code)).collect();
    let mut imports = BTreeMap::new();
    for (module, code) in &files {
        let mut imported: BTreeSet<String> =
            paths(module, code).iter().filter_map(|path| module_in(path, &files)).collect();
        imported.remove(module);
        imports.insert(module.clone(), imported);
    }
    Ok(imports)
}

/// Returns the modules that are in import cycles, or between two cycles.
///
/// ```
/// use std::collections::{BTreeMap, BTreeSet};
/// use xposer_testkit::source::cycles;
/// let row = |module: &str, imported: &str| (module.to_owned(), BTreeSet::from([imported.to_owned()]));
/// let imports = BTreeMap::from([row("lib", "a"), row("a", "b"), row("b", "a"), row("c", "a")]);
/// assert_eq!(cycles(imports), ["a", "b"]);
/// ```
#[must_use]
pub fn cycles(mut imports: BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    loop {
        // A module that imports none of the remaining modules, or that none of them imports, is in no cycle.
        let imported: BTreeSet<String> = imports.values().flatten().cloned().collect();
        let rest: BTreeSet<String> =
            imports.keys().filter(|module| imported.contains(*module)).cloned().collect();
        let before = imports.len();
        imports.retain(|module, others| rest.contains(module) && !others.is_disjoint(&rest));
        if imports.len() == before {
            return imports.into_keys().collect();
        }
    }
}

/// The module of a file.
fn module_of(file: &str) -> String {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if matches!(path, "lib" | "main") { ROOT.to_owned() } else { path.replace('/', "::") }
}

/// The innermost module that a path of the crate names.
fn module_in(path: &str, modules: &BTreeMap<String, String>) -> Option<String> {
    let mut path = path.trim_end_matches(':');
    loop {
        if modules.contains_key(path) {
            return Some(path.to_owned());
        }
        let Some((outer, _)) = path.rsplit_once("::") else {
            return modules.contains_key(ROOT).then(|| ROOT.to_owned());
        };
        path = outer;
    }
}

/// The paths in the code of a module that may name another module, from the root of the crate.
fn paths(module: &str, code: &str) -> Vec<String> {
    let own = if module == ROOT { "" } else { module };
    let mut found = Vec::new();
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
    for (at, _) in code.match_indices("::") {
        let (before, after) = (code.get(..at).unwrap_or_default(), code.get(at + 2..).unwrap_or_default());
        let name = before.rsplit(|c| !is_of_name(c)).next().unwrap_or_default();
        let is_inside = before.trim_end_matches(is_of_name).ends_with("::");
        let base = match name {
            "crate" => String::new(),
            "super" => own.rsplit_once("::").map_or("", |(outer, _)| outer).to_owned(),
            // `std::fmt` also matches, but is no module of the crate.
            _ if !is_inside && !name.is_empty() => format!("{own}::{name}"),
            _ => continue,
        };
        found.extend(expanded(base.trim_start_matches("::"), after));
    }
    found
}

/// The paths from `base` that a text starts with: one, or several in braces.
fn expanded(base: &str, text: &str) -> Vec<String> {
    let mut path = if base.is_empty() { String::new() } else { format!("{base}::") };
    let (mut outer, mut found) = (Vec::new(), Vec::new());
    for character in text.chars() {
        match character {
            '{' => outer.push(path.clone()),
            ',' | '}' if !outer.is_empty() => {
                found.push(std::mem::take(&mut path));
                if character == '}' {
                    outer.pop();
                }
                match outer.last() {
                    Some(outer) => path.clone_from(outer),
                    None => return found,
                }
            }
            _ if character.is_alphanumeric() || matches!(character, '_' | ':') => path.push(character),
            _ if character.is_whitespace() && !outer.is_empty() => {}
            _ => break,
        }
    }
    found.push(path);
    found
}
