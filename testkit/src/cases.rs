//! Case folders: an input, the expected results, and the reason.
//!
//! | file | content |
//! | --- | --- |
//! | `service.yaml` | any number of documents; those that are `v1` Services are exposed together |
//! | `settings.yaml` | the administrator's settings, if the case needs any |
//! | `objects.yaml` | the objects, as a YAML stream; empty where there are none |
//! | `report.txt` | one diagnostic a line, in the order of the Services, then what the output could not express |
//! | `why.md` | one to three sentences: what the case shows, and by which source |
//! | `mended.yaml`, `mended-settings.yaml` | the input after its help was followed, if the case shows that |

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use xposer::diagnostics::Root;
use xposer::emit::Emitted;
use xposer::{Diagnostic, Outcome, Precedence, Report, Service, Settings, emit_all, expose_all, is_service};
use xposer_manifest::{load, to_yaml};

use crate::source::{entries, workspace};

/// The files that a case folder may have.
pub const FILES: [&str; 7] = ["service.yaml", SETTINGS, OBJECTS, REPORT, "why.md", MENDED, MENDED_SETTINGS];
/// The Services after following the help.
const MENDED: &str = "mended.yaml";
/// The settings after following the help.
const MENDED_SETTINGS: &str = "mended-settings.yaml";
/// The settings, which a case may omit.
const SETTINGS: &str = "settings.yaml";
/// The file of the objects.
pub const OBJECTS: &str = "objects.yaml";
/// The file of the diagnostics.
pub const REPORT: &str = "report.txt";
/// The maximum size of `why.md`, in bytes.
const MAX_WHY: usize = 600;

/// A case folder, parsed.
#[derive(Clone, Debug)]
pub struct Case {
    /// The name of the folder, which describes in kebab case what the case shows.
    pub slug: String,
    /// The folder.
    pub folder: PathBuf,
    /// The documents of `service.yaml`.
    pub documents: Vec<Value>,
    /// The document of `settings.yaml`, if the file exists; null if it is empty.
    pub settings: Option<Value>,
    /// The text of `why.md`.
    pub why: String,
    /// The documents of `mended.yaml`, if the file exists.
    pub mended: Option<Vec<Value>>,
    /// The document of `mended-settings.yaml`, if the file exists.
    pub mended_settings: Option<Value>,
}

/// The result of a case.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// The text of `objects.yaml`.
    pub objects: String,
    /// The diagnostics, in the order of `report.txt`.
    pub findings: Vec<Finding>,
    /// Whether at least one Service was refused.
    pub refused: bool,
    /// Whether the settings were refused, so that no Service was decided about.
    pub unusable: bool,
}

/// A diagnostic, and the Service that it is about.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The position of the Service among the Services of the case; `None` for the settings alone.
    pub service: Option<usize>,
    /// The diagnostic.
    pub diagnostic: Diagnostic,
}

/// The folder of the cases.
#[must_use]
pub fn folder() -> PathBuf {
    workspace().join("tests/cases")
}

/// Returns every case, in the order of the slugs.
///
/// # Errors
///
/// The errors of all invalid folders, in words.
pub fn all() -> Result<Vec<Case>> {
    let (mut cases, mut wrong) = (Vec::new(), Vec::new());
    for path in entries(&folder())? {
        match Case::read(&path) {
            Ok(case) => cases.push(case),
            Err(error) => wrong.push(format!("{error:#}")),
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(cases)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn documents(path: &Path) -> Result<Vec<Value>> {
    parse(&read(path)?).with_context(|| path.display().to_string())
}

/// Parses the documents of a YAML text.
///
/// # Errors
///
/// All errors of the text, in words.
pub fn parse(text: &str) -> Result<Vec<Value>> {
    match load(text) {
        Ok(documents) => Ok(documents.into_iter().map(|document| document.value).collect()),
        Err(errors) => {
            let messages: Vec<_> = errors.iter().map(ToString::to_string).collect();
            bail!("{}", messages.join("; "))
        }
    }
}

impl Case {
    /// Reads a case folder. The golden files may be missing; the comparison reports that.
    ///
    /// # Errors
    ///
    /// The error of the folder: a missing Service file, a missing reason, or an unexpected file.
    pub fn read(folder: &Path) -> Result<Self> {
        Self::of_folder(folder).with_context(|| folder.display().to_string())
    }

    fn of_folder(folder: &Path) -> Result<Self> {
        let names: Vec<_> = entries(folder)?.iter().map(|path| name(path)).collect();
        if let Some(extra) = names.iter().find(|name| !FILES.contains(&name.as_str())) {
            bail!("{extra} is no file of a case; a case has {}", FILES.join(", "));
        }
        let why = read(&folder.join("why.md"))?;
        let is_short = !why.trim().is_empty() && why.len() <= MAX_WHY && why.ends_with(".\n");
        ensure!(is_short, "why.md must be one to three sentences");
        let settings = |file: &str| {
            if !names.iter().any(|name| name == file) {
                return Ok(None);
            }
            let mut found = documents(&folder.join(file))?;
            ensure!(found.len() <= 1, "{file} must be one document");
            Ok(Some(found.pop().unwrap_or(Value::Null)))
        };
        let objects = |file: &str| {
            let found = documents(&folder.join(file))?;
            ensure!(found.iter().all(Value::is_object), "every document of {file} must be an object");
            Ok(found)
        };
        let mended = names.iter().any(|name| name == MENDED).then(|| objects(MENDED)).transpose()?;
        Ok(Self {
            slug: name(folder),
            folder: folder.to_owned(),
            documents: objects("service.yaml")?,
            settings: settings(SETTINGS)?,
            why,
            mended,
            mended_settings: settings(MENDED_SETTINGS)?,
        })
    }

    /// Returns the same case after following its help, if the folder has one.
    #[must_use]
    pub fn mended(&self) -> Option<Self> {
        if self.mended.is_none() && self.mended_settings.is_none() {
            return None;
        }
        let documents = self.mended.clone().unwrap_or_else(|| self.documents.clone());
        let settings = self.mended_settings.clone().or_else(|| self.settings.clone());
        Some(Self { documents, settings, mended: None, mended_settings: None, ..self.clone() })
    }

    /// The documents that are Services, in order.
    pub fn services(&self) -> impl Iterator<Item = &Value> {
        self.documents.iter().filter(|document| is_service(document))
    }

    /// Runs the case through the core.
    #[must_use]
    pub fn run(&self) -> Run {
        let settings = match Settings::tried(self.settings.as_ref().unwrap_or(&Value::Null)) {
            Ok(settings) => settings,
            Err(report) => {
                let findings = report.diagnostics().iter().cloned();
                let findings = findings.map(|diagnostic| Finding { service: None, diagnostic }).collect();
                return Run { findings, unusable: true, ..Run::default() };
            }
        };
        let services: Vec<Service<'_>> = self.services().map(Service::from_value).collect();
        let outcomes = expose_all(&services, &settings, Precedence::RefuseAll);
        let Emitted { objects, report, .. } = emit_all(outcomes.iter().filter_map(Outcome::plan));
        let mut findings = Vec::new();
        for (index, outcome) in outcomes.iter().enumerate() {
            let diagnostics = outcome.report().into_iter().flat_map(Report::diagnostics).cloned();
            findings.extend(diagnostics.map(|diagnostic| Finding { service: Some(index), diagnostic }));
        }
        findings.extend(report.diagnostics().iter().cloned().map(|diagnostic| Finding {
            service: services.iter().position(|service| service.subject() == *diagnostic.subject),
            diagnostic,
        }));
        let objects: Vec<String> = objects.iter().map(|object| to_yaml(&object.to_value())).collect();
        let refused = outcomes.iter().any(Outcome::is_refused);
        Run { objects: objects.join("---\n"), findings, refused, unusable: false }
    }

    /// The value that a diagnostic is about, if there is one at its path.
    #[must_use]
    pub fn accused(&self, finding: &Finding) -> Option<&Value> {
        let document = match finding.diagnostic.path.root() {
            Root::Object => self.services().nth(finding.service?)?,
            Root::Settings => self.settings.as_ref()?,
        };
        finding.diagnostic.path.lookup(document)
    }
}

impl Run {
    /// The text of `report.txt`.
    #[must_use]
    pub fn report(&self) -> String {
        self.findings.iter().map(|finding| format!("{}\n", finding.diagnostic)).collect()
    }

    /// The diagnostics in the order of the Services they are about, as all programs print them.
    #[must_use]
    pub fn by_service(&self) -> Vec<&Diagnostic> {
        let mut findings: Vec<_> = self.findings.iter().collect();
        findings.sort_by_key(|finding| finding.service);
        findings.into_iter().map(|finding| &finding.diagnostic).collect()
    }
}
