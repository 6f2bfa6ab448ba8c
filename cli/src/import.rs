//! `import`: the annotations for the Services behind existing Ingresses.

use std::io::{self, Write};

use serde_json::{Value, json};
use xposer::diagnostics::Root;
use xposer::internal::joined;
use xposer::{Diagnostic, Settings};
use xposer_import::{ImportResult, Imported, Input, Object, Proposal};
use xposer_manifest::{Finding, Findings, SettingsFile, to_yaml, visible};

use crate::args::{CommandName, ImportArgs, ProposalArgs, Proposed};
use crate::console::{Console, Exit, ignore_broken_pipe, write_json};
use crate::input::with_input;
use crate::printer::Printer;
use crate::services::{InputObjects, Item};
use crate::words::{count, text_at};

/// The maximum number of commands in the summary.
const MAX_COMMANDS: usize = 3;

/// Objects that a program read from a cluster, for [`import_objects`] and [`init_objects`](crate::init_objects).
///
/// ```
/// assert!(xposer_cli::Objects::default().all.is_empty());
/// ```
#[derive(Debug, Default)]
pub struct Objects {
    /// Ingresses, IngressClasses and Services with their `apiVersion` and `kind`, in the form of the API.
    pub all: Vec<Value>,
    /// Findings that are printed before all others.
    pub notes: Findings,
}

/// The source of the objects, which decides the helps of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Files, which the command line reads.
    Files,
    /// A cluster, which the kubectl plugin reads.
    Cluster,
}

impl Source {
    /// The program that reads the source.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Files => "xposer",
            Self::Cluster => "kubectl xposer",
        }
    }
}

/// The input of `import` and `init`.
pub(crate) struct ImportInput<'a> {
    pub(crate) found: InputObjects<'a>,
    pub(crate) source: Source,
    /// Findings about the input that are printed before all others.
    pub(crate) notes: &'a [Finding<'static>],
    /// The namespace of objects without one.
    pub(crate) namespace: &'a str,
    pub(crate) settings_file: Option<&'a SettingsFile>,
}

/// Prints the proposals, the parts that are not reproduced, and the next steps.
pub(crate) fn import(args: &ImportArgs, console: &mut Console<'_>) -> io::Result<Exit> {
    with_input(&args.input, None, CommandName::Import, console, |inputs, found, printer, console| {
        let asked = ImportInput {
            found,
            source: Source::Files,
            notes: &inputs.notes,
            namespace: args.input.namespace.as_deref().unwrap_or_default(),
            settings_file: inputs.settings_file.as_ref(),
        };
        propose(&asked, &inputs.settings, &args.proposing, printer, console)
    })
}

/// Prints the same for objects of a cluster as `xposer import` prints for files with these objects. `settings` are the settings
/// that the proposals do not repeat, and their file, if they have one.
///
/// ```
/// use clap::{Args, Command, FromArgMatches};
/// use serde_json::json;
/// use xposer_cli::{Console, Diagnostics, Exit, Objects, Printer, ProposalArgs, Terminal, import_objects};
/// let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web", "namespace": "shop"},
///     "spec": {"ingressClassName": "nginx", "rules": [{"host": "shop.example.com", "http": {"paths": [
///         {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}});
/// let objects = Objects { all: vec![ingress], ..Objects::default() };
/// let words = ProposalArgs::augment_args(Command::new("import")).get_matches_from(["import", "-o", "kubectl"]);
/// let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
/// let mut console =
///     Console { stdin: &mut std::io::empty(), stdout: &mut stdout, stderr: &mut stderr, terminal: Terminal::default() };
/// let printer = Printer::for_terminal(Diagnostics::Text, console.terminal);
/// let args = ProposalArgs::from_arg_matches(&words).unwrap();
/// let exit = import_objects(&objects, (&xposer::Settings::default(), None), &args, printer, &mut console);
/// assert_eq!(exit.unwrap(), Exit::Done);
/// assert!(String::from_utf8(stdout).unwrap().contains("kubectl label service web -n shop --overwrite expose=true\n"));
/// ```
///
/// # Errors
///
/// An error of writing an output.
pub fn import_objects(
    objects: &Objects,
    (settings, settings_file): (&Settings, Option<&SettingsFile>),
    args: &ProposalArgs,
    printer: Printer,
    console: &mut Console<'_>,
) -> io::Result<Exit> {
    let found = match InputObjects::of_objects(&objects.all, CommandName::Import) {
        Ok(found) => found,
        Err(wrong) => return printer.print(wrong, console.stderr).map(|()| Exit::Unusable),
    };
    let asked =
        ImportInput { found, source: Source::Cluster, notes: &objects.notes, namespace: "", settings_file };
    propose(&asked, settings, args, printer, console)
}

fn propose(
    asked: &ImportInput<'_>,
    settings: &Settings,
    args: &ProposalArgs,
    printer: Printer,
    console: &mut Console<'_>,
) -> io::Result<Exit> {
    let ImportInput { found, .. } = asked;
    if found.ingresses.is_empty() {
        let findings = asked.notes().chain([asked.no_ingress(CommandName::Import)]);
        return printer.print(findings, console.stderr).map(|()| Exit::Unusable);
    }
    let input = asked.input();
    let imported = xposer_import::import(&input, settings, args.options);
    let mut findings: Vec<Finding<'static>> = asked.notes().collect();
    findings.extend(imported.findings.iter().map(|finding| asked.placed(finding)));
    let is_printed = |proposal: &&Proposal| !args.whole || proposal.given.is_some();
    let printed: Vec<&Proposal> = imported.proposals.iter().filter(is_printed).collect();
    let is_short = printed.len() < imported.proposals.len();
    if is_short {
        let (where_not, help) = match asked.source {
            Source::Files => ("among the inputs", "name their files, too, or omit --whole"),
            Source::Cluster => ("in the cluster", "create them first, or omit --whole"),
        };
        let message =
            format!("Services that are not {where_not} cannot be printed completely, and are omitted");
        findings.push(Finding::warning(message).help(help));
    }
    let document = |proposal: &Proposal| {
        let given = proposal.given.and_then(|at| input.services.get(at)).filter(|_| args.whole);
        match given {
            Some(service) if proposal.open.is_empty() => Some(proposal.whole(service)),
            Some(service) => Some((*service).clone()),
            None => patch(proposal),
        }
    };
    if args.output == Proposed::Json {
        // Only YAML has comments that could tell it, so other formats get a finding.
        findings.extend(printed.iter().filter_map(|proposal| proposal.not_exposed()).map(|said| {
            let help = "correct the reported problems of its Ingress, and import again";
            Finding::warning(said).help(help)
        }));
    }
    ignore_broken_pipe(match args.output {
        Proposed::Yaml => {
            let text = yaml(&printed, &document, &imported, found);
            console.stdout.write_all(text.as_bytes()).and_then(|()| console.stdout.flush())
        }
        Proposed::Json => write_list(&printed, &document, console.stdout),
        Proposed::Kubectl => write_commands(&printed, console.stdout),
    })?;
    printer.print(findings, console.stderr)?;
    if printer.format.has_summary() {
        ignore_broken_pipe(write_summary(&imported, &input, console.stderr))?;
    }
    Ok(if imported.is_same() && !is_short { Exit::Done } else { Exit::Refused })
}

impl<'a> ImportInput<'a> {
    /// The documents of the input.
    pub(crate) fn input(&self) -> Input<'a> {
        let values = |items: &[Item<'a>]| items.iter().map(|item| item.value).collect();
        Input {
            ingresses: values(&self.found.ingresses),
            services: values(&self.found.services),
            classes: values(&self.found.classes),
            namespace: self.namespace,
        }
    }

    /// The findings about the input itself.
    pub(crate) fn notes(&self) -> impl Iterator<Item = Finding<'static>> {
        self.notes.iter().chain(&self.found.notes).cloned()
    }

    /// The error for an input without Ingresses.
    pub(crate) fn no_ingress(&self, typed: CommandName) -> Finding<'static> {
        let services = match self.found.services.len() {
            0 => None,
            1 => Some("1 Service".to_owned()),
            count => Some(format!("{count} Services")),
        };
        let seen: Vec<String> = services.into_iter().chain(self.found.ignored.counts()).collect();
        let seen = if seen.is_empty() { "nothing".to_owned() } else { joined(&seen, " and ") };
        Finding::input(format!("expected Ingresses, found {seen}")).help(match self.source {
            Source::Files => format!(
                "name their files, or ask kubectl: kubectl get ingresses,services -A -o yaml | {}",
                typed.piped()
            ),
            Source::Cluster => "name another namespace with -n, or look in all of them: -A".to_owned(),
        })
    }

    /// Adds the place in the input to a finding.
    pub(crate) fn placed(&self, finding: &xposer_import::Finding) -> Finding<'static> {
        let xposer_import::Finding { object, path, subject, code, severity, message, help, .. } = finding;
        let item = match object {
            Object::Ingress(at) => self.found.ingresses.get(*at),
            Object::Service(at) => self.found.services.get(*at),
            Object::Settings => None,
        };
        let written = || item.and_then(|item| item.place_of_field(path));
        let Some(code) = code else {
            let own = Finding::of_input(*severity, message.clone()).of_field(format!("{path} of {subject}"));
            let own = help.iter().fold(own, |own, help| own.help(help.clone()));
            return own.at(written());
        };
        let diagnostic = Diagnostic {
            code: *code,
            severity: *severity,
            subject: subject.clone().into(),
            path: path.clone(),
            found: None,
            message: message.clone(),
            help: help.clone(),
            proposed: None,
            range: None,
        };
        let place = match path.root() {
            Root::Settings => self.settings_file.and_then(|file| file.place_of(&diagnostic)),
            Root::Object => written(),
        };
        Finding::owned(diagnostic).at(place)
    }
}

fn name_of(value: &Value) -> String {
    let name = text_at(value, "/metadata/name").unwrap_or("(without a name)");
    // A comment must not contain line breaks.
    let name = text_at(value, "/metadata/namespace")
        .map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"));
    visible(&name).into_owned()
}

/// The patches of all proposals.
pub(crate) fn services_yaml(imported: &Imported, found: &InputObjects<'_>) -> String {
    let proposals: Vec<&Proposal> = imported.proposals.iter().collect();
    yaml(&proposals, &patch, imported, found)
}

/// The patch that exposes a Service; `None` if the Service is not to be exposed.
fn patch(proposal: &Proposal) -> Option<Value> {
    proposal.open.is_empty().then(|| proposal.patch())
}

/// Formats a text as lines of a comment. Other characters that a program may read as a line break are escaped.
fn comment(text: &str) -> String {
    text.lines().map(|line| format!("# {}\n", visible(line))).collect()
}

/// Writes a stream of documents, each with a comment that names the Ingresses it reproduces. If the Service is not to be exposed,
/// its patch is a comment.
fn yaml(
    proposals: &[&Proposal],
    document: &dyn Fn(&Proposal) -> Option<Value>,
    imported: &Imported,
    found: &InputObjects<'_>,
) -> String {
    let mut text = String::new();
    for (index, proposal) in proposals.iter().enumerate() {
        let document = document(proposal);
        if index > 0 {
            text.push_str(if document.is_some() { "---\n" } else { "# ---\n" });
        }
        let names = proposal.ingresses.iter().filter_map(|at| {
            let is_whole = imported.results.get(*at) == Some(&ImportResult::Same) || proposal.is_same;
            let rest = if is_whole { "" } else { ", but not all of it" };
            Some(format!("{}{rest}", name_of(found.ingresses.get(*at)?.value)))
        });
        let names: Vec<String> = names.collect();
        text.push_str(&format!("# Ingress {}\n", names.join("; ")));
        text.extend(proposal.not_exposed().map(|said| comment(&said)));
        text.push_str(
            &document.map_or_else(|| comment(&to_yaml(&proposal.patch())), |document| to_yaml(&document)),
        );
    }
    text
}

/// Writes one `v1` List.
fn write_list(
    proposals: &[&Proposal],
    document: &dyn Fn(&Proposal) -> Option<Value>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let items: Vec<Value> = proposals.iter().filter_map(|proposal| document(proposal)).collect();
    write_json(&json!({"apiVersion": "v1", "items": items, "kind": "List"}), out)
}

fn write_commands(proposals: &[&Proposal], out: &mut dyn Write) -> io::Result<()> {
    if !proposals.is_empty() {
        // The script has to stop at the first command that fails.
        writeln!(out, "set -e")?;
    }
    for command in proposals.iter().flat_map(|proposal| proposal.commands()) {
        writeln!(out, "{command}")?;
    }
    out.flush()
}

/// Writes the results, and the next steps.
fn write_summary(imported: &Imported, input: &Input<'_>, out: &mut dyn Write) -> io::Result<()> {
    let number_of = |wanted: ImportResult| imported.results.iter().filter(|it| **it == wanted).count();
    let all = imported.results.len();
    let mut summary =
        format!("{}: {} reproduced", count(all, "Ingress", "Ingresses"), number_of(ImportResult::Same));
    let others = [
        (ImportResult::Different, "not in all"),
        (ImportResult::Nothing, "without a proposal"),
        (ImportResult::Ours, "made by Xposer"),
    ];
    for (result, what) in others {
        if number_of(result) > 0 {
            summary.push_str(&format!(", {} {what}", number_of(result)));
        }
    }
    let (exposed, open): (Vec<&Proposal>, Vec<&Proposal>) =
        imported.proposals.iter().partition(|it| it.open.is_empty());
    summary.push_str(&format!("; {} to annotate", count(exposed.len(), "Service", "Services")));
    if !open.is_empty() {
        summary.push_str(&format!(", {} not to be exposed", open.len()));
    }
    writeln!(out, "{summary}")?;
    let adopted: Vec<(&Value, &Proposal)> = exposed
        .into_iter()
        .filter_map(|proposal| Some((*input.ingresses.get(proposal.adopts?)?, proposal)))
        .collect();
    if adopted.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\nAdd the label and the annotations to the Services. An Ingress stays as it is until its Service adopts it:"
    )?;
    for (ingress, proposal) in adopted.iter().take(MAX_COMMANDS) {
        let namespace =
            if proposal.namespace.is_empty() { String::new() } else { format!(" -n {}", proposal.namespace) };
        let name = text_at(ingress, "/metadata/name").unwrap_or_default();
        writeln!(out, "  kubectl xposer adopt ingress/{name} --service {}{namespace}", proposal.service)?;
    }
    if adopted.len() > MAX_COMMANDS {
        writeln!(out, "  and so on for {} more", adopted.len() - MAX_COMMANDS)?;
    }
    Ok(())
}
