//! A forwarded block that became one line, as YAML's `>-` makes it: the keys behind the first are a part of its value.

use super::programs::{Loss, effect};
use super::{Facts, nginx};
use crate::diag::{Code, FieldPath, Problem, Report, shown};
use crate::input::FORWARD_ANNOTATION;
use crate::request::forward::{Line, Swallowed, swallowed};
use crate::request::legacy::{self, dns_key};
use crate::resolve::{Annotation, Source, is_read_here};

/// The most keys that are named.
const MOST_NAMES: usize = 3;

/// No key stands inside the value of another one.
pub(super) fn folded(facts: &Facts<'_>, report: &mut Report) {
    let lines = facts.request.block.lines();
    for line in lines {
        let inside = line.swallowed();
        let Some(first) = inside.first() else { continue };
        let start = line.value_range.start + first.start;
        let place = format!("in the value of {}", shown(line.key));
        let problem = problem(&inside, &place, is_spoilt(facts, line));
        report.file(FieldPath::annotation(FORWARD_ANNOTATION), problem.at(start..line.value_range.end));
    }
    if lines.is_empty() {
        comment(facts, report);
    }
}

/// Where a comment is the first line of a folded block, the others are a part of it.
fn comment(facts: &Facts<'_>, report: &mut Report) {
    let block = facts.service.annotations().iter().find(|(key, _)| *key == FORWARD_ANNOTATION);
    let Some((_, text)) = block else { return };
    let (trimmed, start) = (text.trim(), text.len() - text.trim_start().len());
    let Some(comment) = trimmed.strip_prefix('#').filter(|comment| !comment.contains('\n')) else { return };
    let inside = swallowed(comment, false);
    // A line that was taken out begins with its key.
    let Some(first) =
        inside.first().filter(|it| inside.len() > 1 || !comment.trim_start().starts_with(it.key))
    else {
        return;
    };
    let problem = problem(&inside, "in a comment", false);
    let range = start + 1 + first.start..start + trimmed.len();
    report.file(FieldPath::annotation(FORWARD_ANNOTATION), problem.at(range));
}

fn problem(inside: &[Swallowed<'_>], place: &str, is_spoilt: bool) -> Problem {
    let mut names: Vec<String> = inside.iter().take(MOST_NAMES).map(|it| shown(it.key)).collect();
    if inside.len() > MOST_NAMES {
        names.push(format!("{} more", inside.len() - MOST_NAMES));
    }
    let (verb, them) = if inside.len() == 1 { ("stands", "it") } else { ("stand", "them") };
    let mut said = format!("{} {verb} {place}, where nobody reads {them}", names.join(", "));
    let protects = |it: &&Swallowed<'_>| {
        effect(it.key).is_some_and(|effect| effect.loss == Loss::Protects && !effect.idle.is(it.value))
    };
    let code = if let Some(protecting) = inside.iter().find(protects) {
        said.push_str(&match inside {
            [_] => ", although it protects the Service".to_owned(),
            _ => format!(", although {} protects the Service", shown(protecting.key)),
        });
        Code::FoldedBlockRefused
    } else if is_spoilt {
        Code::FoldedBlockRefused
    } else {
        Code::FoldedBlock
    };
    Problem::new(code, said).help("write the block with `|-`, one annotation a line")
}

/// Whether nobody could read what is left of the line's own value.
fn is_spoilt(facts: &Facts<'_>, line: &Line<'_>) -> bool {
    let shape = nginx::any_name(line.key).and_then(nginx::find).and_then(|known| known.shape);
    let is_name =
        |(_, name): (&str, &str)| matches!(name, "hostname" | "internal-hostname" | "target" | "ttl");
    shape.is_some_and(|shape| !shape.fits(line.value))
        || dns_key(line.key).is_some_and(is_name)
        || matches!(line.key, "forecastle.stakater.com/expose" | "forecastle.stakater.com/network-restricted")
        || is_read_here(line.key, legacy::find(line.key), facts.settings.legacy)
}

/// Whether the value was refused for the keys in it.
pub(super) fn is_refused(annotation: &Annotation<'_>, report: &Report) -> bool {
    let Source::Block { value, .. } = &annotation.source else { return false };
    report.diagnostics().iter().any(|known| {
        known.code == Code::FoldedBlockRefused
            && known.range.as_ref().is_some_and(|range| value.contains(&range.start))
    })
}
