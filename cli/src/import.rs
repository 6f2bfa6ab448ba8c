//! `import`: what the Services behind existing Ingresses have to say.

use std::io::{self, Write};

use serde_json::{Value, json};
use xposer::Diagnostic;
use xposer::diagnostics::Root;
use xposer_import::{Became, Imported, Input, Object, Proposal};
use xposer_manifest::{Finding, to_yaml, visible};

use crate::args::{ImportArgs, Proposed, Typed};
use crate::console::{Console, Exit, or_gone};
use crate::input::Inputs;
use crate::printer::Printer;
use crate::services::{Found, Item};

/// The most commands that the summary shows.
const MAX_COMMANDS: usize = 3;

/// Prints the proposals, what is not reproduced, and what to do next.
pub(crate) fn import(args: &ImportArgs, console: &mut Console<'_>) -> io::Result<Exit> {
    let printer = Printer::new(&args.input, console.terminal);
    let inputs = match Inputs::read(&args.input, None, Typed::Import, console) {
        Ok(inputs) => inputs,
        Err(wrong) => return printer.print(wrong, console.stderr).map(|()| Exit::Unusable),
    };
    let found = match Found::new(&inputs.files, Typed::Import) {
        Ok(found) => found,
        Err(wrong) => return printer.print(wrong, console.stderr).map(|()| Exit::Unusable),
    };
    if found.ingresses.is_empty() {
        let none = no_ingress(&found, "xposer import");
        let notes = inputs.notes.iter().cloned().chain(found.notes.iter().cloned());
        return printer.print(notes.chain([none]), console.stderr).map(|()| Exit::Unusable);
    }
    let input = input(&found, args.input.namespace.as_deref().unwrap_or_default());
    let imported = xposer_import::import(&input, &inputs.settings, args.options);
    let mut findings: Vec<Finding<'static>> = inputs.notes.iter().chain(&found.notes).cloned().collect();
    findings.extend(imported.findings.iter().map(|finding| placed(finding, &found, &inputs)));
    let is_printed = |proposal: &&Proposal| !args.whole || proposal.given.is_some();
    let printed: Vec<&Proposal> = imported.proposals.iter().filter(is_printed).collect();
    let is_short = printed.len() < imported.proposals.len();
    if is_short {
        let message = "the Services that are not among the inputs cannot be printed whole, and are left out";
        findings.push(Finding::warning(message).help("name their files, too, or leave out --whole"));
    }
    let document = |proposal: &Proposal| match proposal.given.and_then(|at| input.services.get(at)) {
        Some(service) if args.whole => proposal.whole(service),
        _ => proposal.patch(),
    };
    or_gone(match args.output {
        Proposed::Yaml => {
            let text = yaml(&printed, &document, &imported, &found);
            console.stdout.write_all(text.as_bytes()).and_then(|()| console.stdout.flush())
        }
        Proposed::Json => write_json(&printed, &document, console.stdout),
        Proposed::Kubectl => write_commands(&printed, console.stdout),
    })?;
    printer.print(findings, console.stderr)?;
    if printer.format.has_summary() {
        or_gone(write_summary(&imported, &input, console.stderr))?;
    }
    Ok(if imported.is_same() && !is_short { Exit::Done } else { Exit::Refused })
}

/// The documents of the input.
pub(crate) fn input<'f>(found: &Found<'f>, namespace: &'f str) -> Input<'f> {
    let values = |items: &[Item<'f>]| items.iter().map(|item| item.value).collect();
    Input {
        ingresses: values(&found.ingresses),
        services: values(&found.services),
        classes: values(&found.classes),
        namespace,
    }
}

/// The error of an input without Ingresses.
pub(crate) fn no_ingress(found: &Found<'_>, command: &str) -> Finding<'static> {
    let services = match found.services.len() {
        0 => None,
        1 => Some("1 Service".to_owned()),
        count => Some(format!("{count} Services")),
    };
    let seen: Vec<String> = services.into_iter().chain(found.passed.counts()).collect();
    let seen = if seen.is_empty() { "nothing".to_owned() } else { seen.join(", ") };
    Finding::input(format!("expected Ingresses, found {seen}")).help(format!(
        "name their files, or ask kubectl: kubectl get ingresses,services -A -o yaml | {command}"
    ))
}

/// A finding with its place in the input.
pub(crate) fn placed(
    finding: &xposer_import::Finding,
    found: &Found<'_>,
    inputs: &Inputs,
) -> Finding<'static> {
    let xposer_import::Finding { object, path, subject, code, severity, message, help, .. } = finding;
    let item = match object {
        Object::Ingress(at) => found.ingresses.get(*at),
        Object::Service(at) => found.services.get(*at),
        Object::Settings => None,
    };
    let Some(code) = code else {
        let own = Finding::of_input(*severity, message.clone()).of_field(format!("{path} of {subject}"));
        let own = help.iter().fold(own, |own, help| own.help(help.clone()));
        return own.at(item.map(|item| item.place_of_field(path)));
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
        Root::Settings => inputs.settings_file.as_ref().and_then(|file| file.place_of(&diagnostic)),
        Root::Object => item.map(|item| item.place_of_field(path)),
    };
    Finding::owned(diagnostic).at(place)
}

fn name_of(value: &Value) -> String {
    let text = |key: &str| value.pointer(key).and_then(Value::as_str).filter(|it| !it.is_empty());
    let name = text("/metadata/name").unwrap_or_default();
    // What is in a comment ends with its line.
    let name = text("/metadata/namespace")
        .map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"));
    visible(&name).into_owned()
}

/// The patches of all proposals.
pub(crate) fn services_yaml(imported: &Imported, found: &Found<'_>) -> String {
    let proposals: Vec<&Proposal> = imported.proposals.iter().collect();
    yaml(&proposals, &Proposal::patch, imported, found)
}

/// A stream of documents, each with the Ingresses that it reproduces.
fn yaml(
    proposals: &[&Proposal],
    document: &dyn Fn(&Proposal) -> Value,
    imported: &Imported,
    found: &Found<'_>,
) -> String {
    let mut text = String::new();
    for (index, proposal) in proposals.iter().enumerate() {
        if index > 0 {
            text.push_str("---\n");
        }
        let names = proposal.ingresses.iter().filter_map(|at| {
            let is_whole = imported.became.get(*at) == Some(&Became::Same) || proposal.is_same;
            let rest = if is_whole { "" } else { ", but not all of it" };
            Some(format!("{}{rest}", name_of(found.ingresses.get(*at)?.value)))
        });
        let names: Vec<String> = names.collect();
        text.push_str(&format!("# Ingress {}\n{}", names.join("; "), to_yaml(&document(proposal))));
    }
    text
}

/// One `v1` List.
fn write_json(
    proposals: &[&Proposal],
    document: &dyn Fn(&Proposal) -> Value,
    mut out: &mut dyn Write,
) -> io::Result<()> {
    let items: Vec<Value> = proposals.iter().map(|proposal| document(proposal)).collect();
    serde_json::to_writer_pretty(&mut out, &json!({"apiVersion": "v1", "items": items, "kind": "List"}))?;
    writeln!(out)?;
    out.flush()
}

fn write_commands(proposals: &[&Proposal], out: &mut dyn Write) -> io::Result<()> {
    if !proposals.is_empty() {
        // A script ends at the first command that fails.
        writeln!(out, "set -e")?;
    }
    for command in proposals.iter().flat_map(|proposal| proposal.commands()) {
        writeln!(out, "{command}")?;
    }
    out.flush()
}

/// What was found, and what to do next.
fn write_summary(imported: &Imported, input: &Input<'_>, out: &mut dyn Write) -> io::Result<()> {
    let count = |wanted: Became| imported.became.iter().filter(|it| **it == wanted).count();
    let all = imported.became.len();
    let mut summary = format!(
        "{all} {}: {} reproduced",
        if all == 1 { "Ingress" } else { "Ingresses" },
        count(Became::Same)
    );
    let others = [
        (Became::Different, "not in all"),
        (Became::Nothing, "without a proposal"),
        (Became::Ours, "made by Xposer"),
    ];
    for (became, what) in others {
        if count(became) > 0 {
            summary.push_str(&format!(", {} {what}", count(became)));
        }
    }
    let services = imported.proposals.len();
    let of = if services == 1 { "Service" } else { "Services" };
    writeln!(out, "{summary}; {services} {of} to annotate")?;
    let adopted: Vec<(&Value, &Proposal)> = imported
        .proposals
        .iter()
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
        let name = ingress.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        writeln!(out, "  kubectl xposer adopt ingress/{name} --service {}{namespace}", proposal.service)?;
    }
    if adopted.len() > MAX_COMMANDS {
        writeln!(out, "  and so on for {} more", adopted.len() - MAX_COMMANDS)?;
    }
    Ok(())
}
