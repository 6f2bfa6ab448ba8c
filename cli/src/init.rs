//! `init`: settings that existing Ingresses have in common, and the remaining annotations.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use xposer::Settings;
use xposer_import::{Common, Imported, Input, Proposal, Unexposed, settings, unexposed};
use xposer_manifest::{Finding, Findings, Place, to_yaml, visible};

use crate::args::{CommandName, InitArgs, InputArgs, StartArgs};
use crate::console::{Console, Exit, ignore_broken_pipe};
use crate::import::{ImportInput, Objects, Source, services_yaml};
use crate::input::with_input;
use crate::printer::Printer;
use crate::services::InputObjects;
use crate::words::{count, text_at};

/// The names of the output files.
const SETTINGS: &str = "settings.yaml";
const SERVICES: &str = "services.yaml";
const COMMANDS: &str = "annotate.sh";
/// The maximum number of listed Services without an Ingress.
const MAX_LISTED: usize = 100;

/// Prints or writes the settings and the Services, the parts that are not reproduced, and the next steps.
pub(crate) fn init(args: InitArgs, console: &mut Console<'_>) -> io::Result<Exit> {
    let InitArgs { files, starting, namespace, diagnostics, color, kubectl } = args;
    let args = InputArgs { files, settings: None, namespace, diagnostics, color, kubectl };
    with_input(&args, None, CommandName::Init, console, |inputs, found, printer, console| {
        let asked = ImportInput {
            found,
            source: Source::Files,
            notes: &inputs.notes,
            namespace: args.namespace.as_deref().unwrap_or_default(),
            settings_file: None,
        };
        start(&asked, &starting, printer, console)
    })
}

/// Prints the same for objects of a cluster as `xposer init` prints for files with these objects.
///
/// ```
/// use clap::{Args, Command, FromArgMatches};
/// use serde_json::json;
/// use xposer_cli::{Console, Diagnostics, Exit, Objects, Printer, StartArgs, Terminal, init_objects};
/// let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
///     "spec": {"ports": [{"port": 80}]}});
/// let objects = Objects { all: vec![service], ..Objects::default() };
/// let words = StartArgs::augment_args(Command::new("init")).get_matches_from(["init", "--domain=example.com"]);
/// let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
/// let mut console =
///     Console { stdin: &mut std::io::empty(), stdout: &mut stdout, stderr: &mut stderr, terminal: Terminal::default() };
/// let printer = Printer::for_terminal(Diagnostics::Text, console.terminal);
/// let args = StartArgs::from_arg_matches(&words).unwrap();
/// assert_eq!(init_objects(&objects, &args, printer, &mut console).unwrap(), Exit::Done);
/// assert!(String::from_utf8(stdout).unwrap().ends_with("#   shop/web: http://web.shop.example.com\n"));
/// ```
///
/// # Errors
///
/// An error of writing an output.
pub fn init_objects(
    objects: &Objects,
    args: &StartArgs,
    printer: Printer,
    console: &mut Console<'_>,
) -> io::Result<Exit> {
    let found = match InputObjects::of_objects(&objects.all, CommandName::Init) {
        Ok(found) => found,
        Err(wrong) => return printer.print(wrong, console.stderr).map(|()| Exit::Unusable),
    };
    let asked = ImportInput {
        found,
        source: Source::Cluster,
        notes: &objects.notes,
        namespace: "",
        settings_file: None,
    };
    start(&asked, args, printer, console)
}

fn start(
    asked: &ImportInput<'_>,
    args: &StartArgs,
    printer: Printer,
    console: &mut Console<'_>,
) -> io::Result<Exit> {
    let StartArgs { domain, out, options } = args;
    let input = asked.input();
    let with_domain = match asked.source {
        Source::Files => "xposer init --domain example.com FILE",
        Source::Cluster => "kubectl xposer init --domain example.com",
    };
    if input.ingresses.is_empty() && (domain.is_none() || input.services.is_empty()) {
        let none = match (domain, input.services.as_slice()) {
            (None, [_, ..]) => {
                Finding::input("expected Ingresses, which show the domain, found only Services")
                    .help(format!("name the domain: {with_domain}"))
            }
            _ => asked.no_ingress(CommandName::Init),
        };
        return printer.print(asked.notes().chain([none]), console.stderr).map(|()| Exit::Unusable);
    }
    if let Some(domain) = domain
        && let Err(report) = Settings::tried(&json!({"domain": domain}))
    {
        let wrong = report.diagnostics().iter().cloned().map(Finding::owned);
        return printer.print(wrong, console.stderr).map(|()| Exit::Unusable);
    }
    let common = settings(&input, domain.as_deref());
    let read = match Settings::tried(&common.value()) {
        Ok(read) => read,
        Err(report) => {
            // This is not expected, because `settings` proposes only settings that the core accepts.
            let wrong = report.diagnostics().iter().cloned().map(Finding::owned);
            return printer.print(wrong, console.stderr).map(|()| Exit::Unusable);
        }
    };
    let imported = xposer_import::import(&input, &read, *options);
    let left = unexposed(&input, &read, &imported.proposals);
    let settings_text = settings_yaml(&common);
    let services_text =
        services_yaml(&imported, &asked.found) + &list(&left, &input, !imported.proposals.is_empty());
    match out {
        None => ignore_broken_pipe(write_both(&settings_text, &services_text, console.stdout))?,
        Some(folder) => {
            if let Err(wrong) = write_files(
                folder,
                [(SETTINGS, &settings_text), (SERVICES, &services_text), (COMMANDS, &commands(&imported))],
            ) {
                return printer.print(wrong, console.stderr).map(|()| Exit::Unusable);
            }
        }
    }
    let has_domain = common.entries.iter().any(|entry| entry.name == "domain");
    let domainless = (!has_domain).then(|| {
        Finding::warning(
            "no domain is proposed: the hosts have no common domain, or only a public suffix such as `co.uk`",
        )
        .help(format!("name the domain: {with_domain}"))
    });
    let notes = asked.notes().chain(domainless);
    let findings = imported.findings.iter().map(|finding| asked.placed(finding));
    printer.print(notes.chain(findings), console.stderr)?;
    if printer.format.has_summary() {
        let summary = summary(&common, &imported, &left, (out.as_deref(), asked.source), &input);
        ignore_broken_pipe(console.stderr.write_all(summary.as_bytes()))?;
    }
    Ok(if imported.is_same() { Exit::Done } else { Exit::Refused })
}

/// The settings as YAML, each after a comment with the reason.
fn settings_yaml(common: &Common) -> String {
    let mut text = String::from(
        "# Settings for xposer: the common values of the Ingresses. The annotations of a Service have the other values.\n",
    );
    for entry in &common.entries {
        let _ = write!(text, "\n# {}\n{}", entry.why, to_yaml(&json!({entry.name: entry.value})));
    }
    text
}

fn write_both(settings: &str, services: &str, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{settings}---\n{services}")?;
    out.flush()
}

fn name(service: &Value, default: &str) -> String {
    let name = text_at(service, "/metadata/name").unwrap_or("?");
    let namespace = text_at(service, "/metadata/namespace").unwrap_or(default);
    let name = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") };
    visible(&name).into_owned()
}

/// The Services without an Ingress, as a comment.
fn list(left: &[Unexposed], input: &Input<'_>, is_behind: bool) -> String {
    let mut text = String::new();
    if left.is_empty() {
        return text;
    }
    if is_behind {
        text.push('\n');
    }
    text.push_str("# Services without an Ingress. The label expose: \"true\" gives them these URLs:\n");
    for it in left.iter().take(MAX_LISTED) {
        let service = input.services.get(it.service).map(|service| name(service, input.namespace));
        let service = service.unwrap_or_default();
        let _ = match &it.url {
            Ok(url) => writeln!(text, "#   {service}: {url}"),
            Err(why) => writeln!(text, "#   {service}: none: {}", visible(why)),
        };
    }
    if left.len() > MAX_LISTED {
        let _ = writeln!(text, "#   and {} more", left.len() - MAX_LISTED);
    }
    text
}

/// The commands that annotate the Services of the cluster.
fn commands(imported: &Imported) -> String {
    let mut text = String::from(
        "#!/bin/sh\n# Adds the label and the annotations to the Services in the cluster.\nset -e\n",
    );
    for command in imported.proposals.iter().flat_map(Proposal::commands) {
        let _ = writeln!(text, "{command}");
    }
    text
}

/// Writes all files. If one cannot be written, those before it are removed, so that the next run can write all of them.
fn write_files(folder: &Path, files: [(&str, &str); 3]) -> Result<(), Findings> {
    let at =
        |finding: Finding<'static>, path: &Path| vec![finding.at(Place::file(&path.display().to_string()))];
    let cannot = |path: &Path, error: &io::Error| {
        at(Finding::input(format!("the file cannot be written: {error}")), path)
    };
    if folder.is_file() {
        let finding = Finding::input("this is a file; expected a folder for three files");
        return Err(at(finding.help("name a folder"), folder));
    }
    std::fs::create_dir_all(folder)
        .map_err(|error| at(Finding::input(format!("the folder cannot be created: {error}")), folder))?;
    let files = files.map(|(name, text)| (folder.join(name), text));
    if let Some((path, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        let finding = Finding::input("the file exists and is not overwritten");
        return Err(at(finding.help("remove it, or name another folder"), path));
    }
    write_new(&files).map_err(|(path, error)| cannot(path, &error))
}

/// Creates all files, or none. Returns the path of the file that cannot be written, and the error.
fn write_new<'f>(files: &'f [(PathBuf, &str)]) -> Result<(), (&'f Path, io::Error)> {
    let mut created: Vec<&Path> = Vec::new();
    for (path, text) in files {
        let opened = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
        let written = opened.and_then(|mut file| {
            created.push(path);
            file.write_all(text.as_bytes())
        });
        if let Err(error) = written {
            for path in created {
                // Only the first error is reported. A file that cannot be removed is named by the next run.
                let _ = std::fs::remove_file(path);
            }
            return Err((path, error));
        }
    }
    Ok(())
}

/// The results, and the next steps.
fn summary(
    common: &Common,
    imported: &Imported,
    left: &[Unexposed],
    (out, source): (Option<&Path>, Source),
    input: &Input<'_>,
) -> String {
    let exposed = imported.proposals.iter().filter(|it| it.open.is_empty());
    let (bare, own): (Vec<&Proposal>, Vec<&Proposal>) =
        exposed.partition(|it| it.annotations.is_empty() && it.removed.is_empty());
    let (bare, own) = (bare.len(), own.len());
    let open = imported.proposals.len() - bare - own;
    let mut text = format!(
        "Found {}, {}, and {} for them.\n",
        count(input.ingresses.len(), "Ingress", "Ingresses"),
        count(input.services.len(), "Service", "Services"),
        count(common.entries.len(), "setting", "settings"),
    );
    let _ = writeln!(
        text,
        "{} only the label, {} annotations of {} own, {} no Ingress.",
        count(bare, "Service needs", "Services need"),
        count(own, "has", "have"),
        if own == 1 { "its" } else { "their" },
        count(left.len(), "has", "have"),
    );
    if open > 0 {
        let _ = writeln!(
            text,
            "{} not to be exposed: {}.",
            count(open, "Service is", "Services are"),
            if open == 1 { "a comment gives the reason" } else { "comments give the reasons" },
        );
    }
    let lost = imported.findings.iter().filter(|finding| finding.is_loss).count();
    if lost > 0 {
        let _ = writeln!(
            text,
            "{} not reproduced: see the findings above.",
            count(lost, "part of the Ingresses is", "parts of the Ingresses are"),
        );
    }
    let Some(folder) = out else {
        let program = source.program();
        let _ = writeln!(text, "\nNext: {program} init ... --out FOLDER writes them into files.");
        return text;
    };
    let (settings, services, commands) =
        (folder.join(SETTINGS), folder.join(SERVICES), folder.join(COMMANDS));
    let _ = write!(
        text,
        "\nNext:\n  1. Read {settings} and {services}.\n  2. Add the label and the annotations to the Services: write them into your manifests, name {services}\n     among the patches of a kustomization, or change the cluster: sh {commands}\n  3. Check the resulting objects:\n     {look} --settings {settings}\n  4. Start the controller with these settings, or apply the printed objects. An Ingress that exists stays as it is\n     until its Service adopts it: kubectl xposer adopt ingress/NAME --service NAME\n",
        settings = settings.display(),
        services = services.display(),
        commands = commands.display(),
        look = match source {
            Source::Files => "kubectl get services -A -o yaml | xposer render",
            Source::Cluster => "kubectl xposer diff -A",
        },
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_are_written_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let names = || std::fs::read_dir(folder.path()).unwrap().count();
        let files = [(at("first"), "1"), (at("missing/second"), "2")];
        let (path, error) = write_new(&files).unwrap_err();
        assert_eq!((path, error.kind()), (files[1].0.as_path(), io::ErrorKind::NotFound));
        assert_eq!(names(), 0);

        // A file of somebody else stays.
        std::fs::write(at("second"), "other").unwrap();
        assert!(write_new(&[(at("first"), "1"), (at("second"), "2")]).is_err());
        assert_eq!((names(), std::fs::read_to_string(at("second")).unwrap().as_str()), (1, "other"));
        write_new(&[(at("first"), "1"), (at("third"), "3")]).unwrap();
        assert_eq!(names(), 3);
    }
}
