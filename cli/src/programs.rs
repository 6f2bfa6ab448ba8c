//! Prints what the controllers of a Service can do for its intents.

use std::io::{self, Write};

use xposer::internal::{Controller, Intent, IntentSupport, ServedTarget, Support, joined};
use xposer::options::{Form, Key, annotations, settings};

/// The intent of an annotation of Xposer, if it has one.
pub(crate) fn intent(key: Key) -> Option<Intent> {
    Intent::ALL.into_iter().find(|intent| intent.annotation() == key.name)
}

/// Prints how each program expresses an intent.
pub(crate) fn of_intent(intent: Intent, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nIn the programs, with the evidence and the first version")?;
    let all = ServedTarget::all().into_iter();
    table(out, all.map(|program| (program.controller().as_str(), program.intent_support(intent))))
}

/// Prints the words of a program, and the intents that it cannot express.
pub(crate) fn of_controller(controller: Controller, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "program {controller}\n\n  {}\n", summary(controller))?;
    let (ingress, gateway) = controller.class_controllers();
    let of_gateways = gateway_words();
    let settings = if of_gateways.contains(&controller.as_str()) {
        "controllers, defaultController, gatewayController"
    } else {
        "controllers, defaultController"
    };
    for (what, value) in [("IngressClass:", ingress), ("GatewayClass:", gateway), ("Settings:", settings)] {
        if !value.is_empty() {
            writeln!(out, "  {what:13} {value}")?;
        }
    }
    let is_unknown = |word: &str| matches!(word.parse(), Ok(Controller::Gateway | Controller::Other));
    if is_unknown(controller.as_str()) {
        let known: Vec<&str> = of_gateways.iter().copied().filter(|word| !is_unknown(word)).collect();
        let known = joined(&known, " or ");
        writeln!(out, "\n  If {known} serves the Gateway, name it in the setting gatewayController.")?;
    }
    for program in ServedTarget::all().into_iter().filter(|program| program.controller() == controller) {
        writeln!(out, "\nWhat it does on {}", program.target().with_article())?;
        table(out, Intent::ALL.into_iter().map(|intent| (option(intent), program.intent_support(intent))))?;
    }
    Ok(())
}

/// The values of the setting for the program that serves the Gateways.
fn gateway_words() -> &'static [&'static str] {
    match settings().find(|(key, _)| key.name == "gatewayController").map(|(_, row)| row.form) {
        Some(Form::Word(words)) => words,
        _ => &[],
    }
}

/// A controller, in one sentence.
pub(crate) fn summary(controller: Controller) -> String {
    if controller == Controller::Other {
        return "A program whose annotations are not known.".to_owned();
    }
    let mut letters = controller.name().chars();
    let name: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let all = ServedTarget::all().into_iter().filter(|program| program.controller() == controller);
    let targets: Vec<String> = all.map(|program| format!("the {}", program.target())).collect();
    format!("{name} serves {}.", joined(&targets, " and "))
}

/// The name of the option of an intent, without its prefix.
fn option(intent: Intent) -> &'static str {
    let row = annotations().find(|(key, _)| key.name == intent.annotation());
    row.map_or(intent.as_str(), |(key, _)| key.short_name())
}

/// Prints two columns; the second may have several lines.
fn table<'r>(out: &mut dyn Write, rows: impl Iterator<Item = (&'r str, IntentSupport)>) -> io::Result<()> {
    let rows: Vec<(&str, IntentSupport)> = rows.collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, support) in rows {
        for (index, line) in lines(&support).into_iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            writeln!(out, "  {name:width$}  {line}")?;
        }
    }
    Ok(())
}

/// The words, their source, and the values that are different or not supported.
fn lines(support: &IntentSupport) -> Vec<String> {
    let words =
        support.mappings.iter().map(|row| format!("{} ({}, {})", row.annotations, row.proof, row.since));
    let mut lines: Vec<String> = words.collect();
    match &support.support {
        Support::Full if lines.is_empty() => lines.push("yes".to_owned()),
        Support::Full => {}
        Support::Partial(difference) => lines.push(format!("it {difference}")),
        Support::Unsupported(help) => lines.push(format!("not supported; {help}")),
    }
    lines.extend(support.limits.iter().map(|(value, support)| {
        let value = value.replace('\n', ", ");
        match support {
            Support::Full => format!("with `{value}`: yes"),
            Support::Partial(difference) => format!("with `{value}`: it {difference}"),
            Support::Unsupported(help) => format!("with `{value}`: not supported; {help}"),
        }
    }));
    lines
}
