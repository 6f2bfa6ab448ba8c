//! `dialects.md`: how each program expresses each intent.

use xposer::internal::{Controller, Intent, IntentSupport, Proof, ServedTarget, Support};
use xposer::options::annotations;

use super::markdown::{anchor, code, prose, table};

pub(super) fn body() -> String {
    let mut out = "# Dialects\n\n\
        A Service asks for a feature once, with one option, and each program that serves it has annotations, fields or objects of its own \
        for this feature. For each option, this page lists whether a program supports it, by which annotation, field or object, since \
        which version, and the evidence.\n\n\
        [Who serves a Service](../controllers.md) describes which program counts for an Ingress or an HTTPRoute. If a program does not \
        support a feature that protects the Service, this is an Error ([protection-lost](diagnostics.md#protection-lost)). The loss of a \
        feature that the Service may need is a Warning ([intent-lost](diagnostics.md#intent-lost)), and so is a feature that works \
        differently ([intent-differs](diagnostics.md#intent-differs)). Annotations of one program are translated for the program that serves \
        the Service ([intent-translated](diagnostics.md#intent-translated)).\n\n\
        The evidence is one of these words:\n\n"
        .to_owned();
    out.push_str(&table(
        ["Word", "Meaning"],
        Proof::ALL.map(|proof| [code(proof.as_str()), meaning(proof).to_owned()]),
    ));
    out.push_str("\n## Programs\n\n");
    out.push_str(&table(
        ["Word in the settings", "Program", "IngressClass", "GatewayClass"],
        Controller::ALL.map(|it| {
            let (ingress, gateway) = it.class_controllers();
            let class = |name: &str| if name.is_empty() { "-".to_owned() } else { code(name) };
            [code(it.as_str()), prose(it.name()), class(ingress), class(gateway)]
        }),
    ));
    out.push_str("\n## Overview\n\nA cell contains the evidence, or `no` if the program does not support the feature. A star marks a feature that works differently, or only with some values.\n\n");
    out.push_str(&overview());
    for intent in Intent::ALL {
        out.push_str(&section(intent));
    }
    out
}

fn meaning(proof: Proof) -> &'static str {
    match proof {
        Proof::Proved => {
            "Our tests send requests through the program, and check the answers and the requests that the Service gets."
        }
        Proof::Parser => "The program's own code reads the annotations in a test.",
        Proof::Documented => "The program's documentation or source describes it; nothing was run.",
    }
}

/// The name of the option of an intent, without its prefix.
fn name(intent: Intent) -> &'static str {
    let row = annotations().find(|(key, _)| key.name == intent.annotation());
    row.map_or(intent.as_str(), |(key, _)| key.short_name())
}

/// A table with one row for each option and one column for each program.
fn overview() -> String {
    let programs = ServedTarget::all();
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head = programs.iter().map(|program| program.controller().to_string());
    let mut out = line(std::iter::once("Option".to_owned()).chain(head).collect());
    out.push_str(&line(vec!["---".to_owned(); programs.len() + 1]));
    for intent in Intent::ALL {
        let first = format!("[{}](#{})", name(intent), anchor(name(intent)));
        let cells = programs.iter().map(|program| cell(&program.intent_support(intent)));
        out.push_str(&line(std::iter::once(first).chain(cells).collect()));
    }
    out
}

fn cell(known: &IntentSupport) -> String {
    // If there are several words, the weakest proof applies.
    let proof = known.mappings.iter().map(|row| row.proof).max();
    let proof = proof.map_or("yes", Proof::as_str);
    let is_lacking = |support: &Support| matches!(support, Support::Unsupported(_));
    match &known.support {
        Support::Unsupported(_) if known.limits.iter().all(|(_, support)| is_lacking(support)) => {
            "no".to_owned()
        }
        Support::Full if known.limits.is_empty() => proof.to_owned(),
        _ => format!("{proof} \\*"),
    }
}

fn section(intent: Intent) -> String {
    let row = annotations().find(|(key, _)| key.name == intent.annotation());
    let Some((key, option)) = row else { return String::new() };
    let rows = ServedTarget::all().into_iter().map(|program| {
        let known = program.intent_support(intent);
        let join = |of: fn(&xposer::internal::IntentMapping) -> String| {
            let all: Vec<String> = known.mappings.iter().map(of).collect();
            if all.is_empty() { "-".to_owned() } else { all.join("; ") }
        };
        [
            code(program.controller().as_str()),
            join(|row| prose(row.annotations)),
            join(|row| row.proof.to_string()),
            join(|row| row.since.to_owned()),
            limits(&known),
        ]
    });
    format!(
        "\n## {}\n\n{} See the annotation [{}](annotations.md#{}).\n\n{}",
        key.short_name(),
        prose(option.doc),
        code(key.short_name()),
        anchor(key.short_name()),
        table(["Program", "Annotations or fields", "Evidence", "Since", "Different or missing"], rows),
    )
}

/// The values that are treated differently or not supported.
fn limits(known: &IntentSupport) -> String {
    let sentence = |support: &Support| match support {
        Support::Full => "in full".to_owned(),
        Support::Partial(difference) => format!("it {}", prose(difference)),
        Support::Unsupported(help) => format!("not supported; {}", prose(help)),
    };
    let own = Some(&known.support).filter(|support| **support != Support::Full).map(sentence);
    let of_values = known
        .limits
        .iter()
        .map(|(value, support)| format!("with {}: {}", code(&value.replace('\n', ", ")), sentence(support)));
    let all: Vec<String> = own.into_iter().chain(of_values).collect();
    if all.is_empty() { "-".to_owned() } else { all.join(". ") }
}
