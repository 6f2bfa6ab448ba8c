//! `render` and `check`: print the objects and the diagnostics of all inputs together.

use std::collections::HashMap;
use std::io::{self, Write};

use serde::Serialize;
use xposer::emit::Emitted;
use xposer::{Object, Outcome, Precedence, Report, Service, Settings, Target, emit_all, expose_all};
use xposer_manifest::{Finding, to_yaml};

use crate::args::{CommandName, InputArgs, Output, RenderArgs};
use crate::console::{Console, Exit, ignore_broken_pipe, write_json};
use crate::input::{Inputs, with_input};
use crate::services::Item;
use crate::trace::write_trace;

/// Prints the objects of all exposed Services, and the diagnostics.
pub(crate) fn render(args: &RenderArgs, console: &mut Console<'_>) -> io::Result<Exit> {
    run(&args.input, &args.target, &Show::Objects(args.output), console)
}

/// Prints the diagnostics, and the number of Services with each outcome.
pub(crate) fn check(args: &InputArgs, console: &mut Console<'_>) -> io::Result<Exit> {
    run(args, &[], &Show::Summary, console)
}

/// Prints the sources of the values for each Service, and the diagnostics.
pub(crate) fn explain_file(args: &InputArgs, console: &mut Console<'_>) -> io::Result<Exit> {
    run(args, &[], &Show::Origins, console)
}

/// The output in addition to the diagnostics.
enum Show {
    Objects(Output),
    Origins,
    Summary,
}

impl Show {
    /// The command with this output.
    fn typed(&self) -> CommandName {
        match self {
            Self::Objects(_) => CommandName::Render,
            Self::Origins => CommandName::Explain,
            Self::Summary => CommandName::Check,
        }
    }
}

fn run(args: &InputArgs, targets: &[Target], show: &Show, console: &mut Console<'_>) -> io::Result<Exit> {
    with_input(args, None, show.typed(), console, |inputs, found, printer, console| {
        let services = found.views(args.namespace.as_deref());
        let settings = inputs.settings.clone().with_targets(targets.iter().copied());
        let outcomes = expose_all(&services, &settings, Precedence::RefuseAll);
        let Emitted { objects, report, .. } = emit_all(outcomes.iter().filter_map(Outcome::plan));
        match show {
            Show::Objects(Output::Yaml) => ignore_broken_pipe(write_yaml(&objects, console.stdout))?,
            Show::Objects(Output::Json) => ignore_broken_pipe(write_list(&objects, console.stdout))?,
            Show::Origins => {
                ignore_broken_pipe(write_origins(&services, &outcomes, &settings, console.stdout))?;
            }
            Show::Summary => {}
        }
        let findings = findings(inputs, &found.services, &services, &outcomes, &report);
        let notes = inputs.notes.iter().chain(&found.notes).cloned();
        printer.print(notes.chain(findings), console.stderr)?;
        if matches!(show, Show::Summary) && printer.format.has_summary() {
            ignore_broken_pipe(writeln!(console.stderr, "{}", found.summary(&outcomes)))?;
        }
        let refused = outcomes.iter().any(Outcome::is_refused);
        Ok(if refused { Exit::Refused } else { Exit::Done })
    })
}

/// Writes one paragraph for each Service.
fn write_origins(
    services: &[Service<'_>],
    outcomes: &[Outcome],
    settings: &Settings,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (index, (service, outcome)) in services.iter().zip(outcomes).enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        write_trace(service, outcome, settings, out)?;
    }
    out.flush()
}

/// The findings, in the order of the Services in the input.
fn findings<'f>(
    inputs: &'f Inputs,
    items: &'f [Item<'_>],
    services: &[Service<'_>],
    outcomes: &'f [Outcome],
    emitted: &'f Report,
) -> impl Iterator<Item = Finding<'f>> {
    let mut found: Vec<_> = items
        .iter()
        .zip(outcomes)
        .enumerate()
        .filter_map(|(index, (item, outcome))| Some((index, item, outcome.report()?)))
        .flat_map(|(index, item, report)| {
            report.diagnostics().iter().map(move |diagnostic| (index, item, diagnostic))
        })
        .collect();
    if !emitted.is_empty() {
        let places: HashMap<(&str, &str), usize> = services
            .iter()
            .enumerate()
            .map(|(index, service)| ((service.namespace().unwrap_or_default(), service.name()), index))
            .collect();
        found.extend(emitted.diagnostics().iter().filter_map(|diagnostic| {
            let index =
                *places.get(&(diagnostic.subject.namespace.as_str(), diagnostic.subject.name.as_str()))?;
            Some((index, items.get(index)?, diagnostic))
        }));
        found.sort_by_key(|(index, ..)| *index);
    }
    let settings = inputs.settings_file.as_ref();
    found
        .into_iter()
        .map(move |(_, item, diagnostic)| Finding::core(diagnostic).at(item.place_of(diagnostic, settings)))
}

/// Writes a stream of documents.
fn write_yaml(objects: &[Object<'_>], out: &mut dyn Write) -> io::Result<()> {
    for (index, object) in objects.iter().enumerate() {
        if index > 0 {
            out.write_all(b"---\n")?;
        }
        out.write_all(to_yaml(&object.to_value()).as_bytes())?;
    }
    out.flush()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'l> {
    api_version: &'static str,
    items: &'l [Object<'l>],
    kind: &'static str,
}

/// Writes one `v1` List.
fn write_list(objects: &[Object<'_>], out: &mut dyn Write) -> io::Result<()> {
    write_json(&List { api_version: "v1", items: objects, kind: "List" }, out)
}
