//! `compare`: the changes for each Service under other settings.
//!
//! All Services are decided under both settings. The differences are printed by Service: objects, controllers, annotations that are
//! translated, losses, and Services that would be refused or unprotected.

mod fields;

use std::collections::HashMap;
use std::io::{self, Write};

use serde::Serialize;
use xposer::emit::Emitted;
use xposer::service::SERVICE_LABEL;
use xposer::{Object, Outcome, Precedence, Service, emit_all, expose_all};
use xposer_manifest::{Finding, visible_lines};
use xposer_report::changes::{self, Changes, Served, served_by};

use crate::args::{self, CommandName, CompareArgs};
use crate::console::{Console, Exit, ignore_broken_pipe, write_json};
use crate::input::with_input;
use crate::words::count;
use fields::{Field, fields};

/// The maximum number of Services in the text output, of objects of each Service, and of fields of each object.
const MAX_SERVICES: usize = 100;
const MAX_OBJECTS: usize = 20;
const MAX_FIELDS: usize = 20;

/// Prints the changes for each Service, and a summary.
pub(crate) fn compare(args: &CompareArgs, console: &mut Console<'_>) -> io::Result<Exit> {
    with_input(
        &args.input,
        Some(&args.with),
        CommandName::Compare,
        console,
        |inputs, found, printer, console| {
            if found.services.is_empty() && found.local_config_count == 0 {
                // The command that made the input may have failed, and an empty comparison would look as if nothing were unprotected.
                let wrong = Finding::input("there are no Services to compare")
                    .help("check the command that produces the input");
                let notes = inputs.notes.iter().cloned().chain(found.notes).chain([wrong]);
                return printer.print(notes, console.stderr).map(|()| Exit::Unusable);
            }
            let services = found.views(args.input.namespace.as_deref());
            printer.print(inputs.notes.iter().chain(&found.notes).cloned(), console.stderr)?;
            let decide = |settings| expose_all(&services, settings, Precedence::RefuseAll);
            let old = decide(&inputs.settings);
            let new = decide(inputs.with.as_ref().unwrap_or(&inputs.settings));
            let comparison = Comparison::new(&services, &old, &new);
            ignore_broken_pipe(match args.output {
                args::Comparison::Text => {
                    let mut text = Vec::new();
                    let made = comparison.write_text(&mut text);
                    // Findings and fields contain texts of users, so invisible characters are escaped.
                    let text = String::from_utf8_lossy(&text);
                    made.and_then(|()| console.stdout.write_all(visible_lines(&text).as_bytes()))
                        .and_then(|()| console.stdout.flush())
                }
                args::Comparison::Json => write_json(&comparison, console.stdout),
            })?;
            let Summary { refused, opens, .. } = comparison.summary;
            Ok(if refused + opens > 0 { Exit::Refused } else { Exit::Done })
        },
    )
}

/// The objects of each Service with the report of what their kinds cannot express, and the objects that several Services share.
struct ObjectsByService<'s> {
    of: HashMap<(&'s str, &'s str), Vec<&'s Object<'s>>>,
    shared: Vec<&'s Object<'s>>,
    emitted_findings: changes::ObjectFindings<'s>,
}

impl<'s> ObjectsByService<'s> {
    fn new(emitted: &'s Emitted<'s>) -> Self {
        let mut made = Self {
            of: HashMap::new(),
            shared: Vec::new(),
            emitted_findings: changes::ObjectFindings::new(&emitted.report),
        };
        for object in &emitted.objects {
            match object.label(SERVICE_LABEL) {
                Some(name) => {
                    let namespace = object.namespace().unwrap_or_default();
                    made.of.entry((namespace, name)).or_default().push(object);
                }
                None => made.shared.push(object),
            }
        }
        made
    }
}

/// The changes between two settings.
#[derive(Serialize)]
struct Comparison {
    services: Vec<Changed>,
    /// The changes of objects that several Services share.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shared: Vec<ObjectChange>,
    summary: Summary,
}

/// The numbers of Services of each category.
#[derive(Clone, Copy, Default, Serialize)]
struct Summary {
    services: usize,
    unchanged: usize,
    changed: usize,
    /// Services that would be refused and are not now.
    refused: usize,
    /// Services that are refused now and would be.
    #[serde(rename = "refusedBefore")]
    refused_before: usize,
    opens: usize,
}

/// The changes for a Service.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    service: String,
    /// The state before and after: the URL, `refused`, or `not exposed`.
    before: String,
    after: String,
    /// The controllers that serve the Service before and after, if they change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    served_by: Vec<Served>,
    objects: Vec<ObjectChange>,
    #[serde(flatten)]
    changes: Changes,
}

/// An added, removed or changed object.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ObjectChange {
    change: Change,
    kind: &'static str,
    namespace: String,
    name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Change {
    Added,
    Removed,
    Changed,
}

impl Change {
    fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

impl Comparison {
    /// `old` and `new` are the decisions about all Services under the two settings.
    fn new(services: &[Service<'_>], old: &[Outcome], new: &[Outcome]) -> Self {
        let (old_objects, new_objects) = (emit(old), emit(new));
        let (before, after) = (ObjectsByService::new(&old_objects), ObjectsByService::new(&new_objects));
        let mut summary = Summary { services: services.len(), ..Summary::default() };
        let mut changed = Vec::new();
        for ((service, old), new) in services.iter().zip(old).zip(new) {
            let own = (service.namespace().unwrap_or_default(), service.name());
            let change = Changed::new(service, (old, &before), (new, &after), own);
            let (was, is) = (old.is_refused(), new.is_refused());
            summary.refused += usize::from(is && !was);
            summary.refused_before += usize::from(is && was);
            summary.opens += usize::from(!change.changes.opens.is_empty());
            if change.is_empty() {
                summary.unchanged += 1;
            } else {
                summary.changed += 1;
                changed.push(change);
            }
        }
        Self { services: changed, shared: objects(&before.shared, &after.shared), summary }
    }

    /// Writes the comparison as text. Services that would be refused or unprotected come first, so that the limit does not cut
    /// them.
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let (first, others): (Vec<&Changed>, Vec<&Changed>) = self
            .services
            .iter()
            .partition(|it| !it.changes.refused.is_empty() || !it.changes.opens.is_empty());
        for changed in first.into_iter().chain(others).take(MAX_SERVICES) {
            changed.write(out)?;
            writeln!(out)?;
        }
        if let Some(more) = self.services.len().checked_sub(MAX_SERVICES).filter(|more| *more > 0) {
            writeln!(out, "{more} more Services change; -o json has all of them\n")?;
        }
        if !self.shared.is_empty() {
            writeln!(out, "Objects of several Services")?;
            write_objects(&self.shared, out)?;
            writeln!(out)?;
        }
        let Summary { services, unchanged, changed, refused, refused_before, opens } = self.summary;
        let services = count(services, "service", "services");
        let before =
            if refused_before > 0 { format!(", {refused_before} refused as before") } else { String::new() };
        writeln!(
            out,
            "{services}: {unchanged} unchanged, {changed} changed; {refused} would be refused{before}, {opens} would be open"
        )?;
        out.flush()
    }
}

fn emit(outcomes: &[Outcome]) -> Emitted<'_> {
    emit_all(outcomes.iter().filter_map(Outcome::plan))
}

/// The state of a Service under some settings.
fn state(outcome: &Outcome) -> String {
    match outcome {
        Outcome::NotExposed { .. } => "not exposed".to_owned(),
        Outcome::Refused(_) | Outcome::Conflicting(_) => "refused".to_owned(),
        Outcome::Planned { plan, .. } => plan.url(),
    }
}

impl Changed {
    fn new<'s>(
        service: &Service<'_>,
        old: (&'s Outcome, &ObjectsByService<'s>),
        new: (&'s Outcome, &ObjectsByService<'s>),
        own: (&str, &str),
    ) -> Self {
        let objects_of = |made: &ObjectsByService<'s>| made.of.get(&own).cloned().unwrap_or_default();
        let served_by = match (old.0.plan(), new.0.plan()) {
            (Some(old), Some(new)) => served_by(old, new),
            _ => Vec::new(),
        };
        Self {
            service: service.subject().to_string(),
            before: state(old.0),
            after: state(new.0),
            served_by,
            objects: objects(&objects_of(old.1), &objects_of(new.1)),
            changes: Changes::between(
                (old.0, old.1.emitted_findings.of(own.0, own.1)),
                (new.0, new.1.emitted_findings.of(own.0, own.1)),
            ),
        }
    }

    fn is_empty(&self) -> bool {
        self.before == self.after
            && self.served_by.is_empty()
            && self.objects.is_empty()
            && self.changes.is_empty()
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.service)?;
        if self.before == self.after {
            writeln!(out, "  url         {}", self.after)?;
        } else {
            writeln!(out, "  url         {} -> {}", self.before, self.after)?;
        }
        for Served { target, before, after, guessed } in &self.served_by {
            let why = if *guessed { ", which is the default" } else { "" };
            writeln!(out, "  served by   {target}: {before} -> {after}{why}")?;
        }
        write_objects(&self.objects, out)?;
        for (what, list) in self.changes.lists() {
            for said in list {
                let help = said.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
                writeln!(out, "  {what:10}  {}{help}", said.message)?;
            }
        }
        Ok(())
    }
}

/// Writes the objects, each with its changed fields below it.
fn write_objects(objects: &[ObjectChange], out: &mut dyn Write) -> io::Result<()> {
    for object in objects.iter().take(MAX_OBJECTS) {
        writeln!(out, "  {:10}  {} {}", object.change.as_str(), object.kind, object.name)?;
        for field in object.fields.iter().take(MAX_FIELDS) {
            writeln!(out, "                {field}")?;
        }
        if let Some(more) = object.fields.len().checked_sub(MAX_FIELDS).filter(|more| *more > 0) {
            writeln!(out, "                and {more} more fields")?;
        }
    }
    match objects.len().checked_sub(MAX_OBJECTS).filter(|more| *more > 0) {
        Some(more) => writeln!(out, "              and {more} more objects"),
        None => Ok(()),
    }
}

/// The objects that differ: first the new and changed ones in their new order, then the removed ones.
fn objects(old: &[&Object<'_>], new: &[&Object<'_>]) -> Vec<ObjectChange> {
    let key = |object: &Object<'_>| {
        (object.kind().as_str(), object.namespace().unwrap_or_default().to_owned(), object.name().to_owned())
    };
    let change = |change: Change, object: &Object<'_>, fields: Vec<Field>| {
        let (kind, namespace, name) = key(object);
        ObjectChange { change, kind, namespace, name, fields }
    };
    let mut before: HashMap<_, &Object<'_>> = old.iter().map(|object| (key(object), *object)).collect();
    let mut changes = Vec::new();
    for object in new {
        match before.remove(&key(object)) {
            None => changes.push(change(Change::Added, object, Vec::new())),
            Some(known) => {
                let fields = fields(&known.to_value(), &object.to_value());
                if !fields.is_empty() {
                    changes.push(change(Change::Changed, object, fields));
                }
            }
        }
    }
    let removed = old.iter().filter(|object| before.contains_key(&key(object)));
    changes.extend(removed.map(|object| change(Change::Removed, object, Vec::new())));
    changes
}
