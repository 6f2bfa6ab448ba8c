//! `kubectl xposer`: who is exposed in a cluster and how, what is wrong, and what the controller would change.
//!
//! The cluster is read with `kube`, the core decides in the same way as for the controller, and the output is that of the command
//! line for files. Only [`adopt`] writes anything.

mod adopt;
mod args;
mod connect;
mod controller;
mod diff;
mod failure;
mod import;
mod list;
mod resources;
mod session;
mod table;
mod world;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use k8s_openapi::jiff::Timestamp;
use xposer::{Precedence, Service};
use xposer_cli::{Console, Printer, Terminal, summary, write_trace};
use xposer_manifest::{Findings, visible, visible_lines};
use xposer_report::{Options, Report};

use args::{
    CheckArgs, Cli, ClusterArgs, Command, ExplainArgs, ListArgs, ReportArgs, ReportOutput, Selection,
};
use connect::Connection;
use controller::SettingsError;
use failure::Failure;
use session::{CommandError, Exit, read, text};
use world::{ClusterObjects, Scope};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut console = Console {
        stdin: &mut io::stdin().lock(),
        stdout: &mut io::BufWriter::new(io::stdout().lock()),
        stderr: &mut io::BufWriter::new(io::stderr().lock()),
        terminal: Terminal::of_process(),
    };
    let exit = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(dispatch(cli, &mut console)),
        Err(error) => Err(Failure::new(format!("error: the program cannot start: {error}")).into()),
    };
    let exit = exit.unwrap_or_else(|stop| give_up(stop, &mut console));
    let flushed = console.stdout.flush().and_then(|()| console.stderr.flush());
    let exit = flushed.map_or_else(|error| give_up(error.into(), &mut console), |()| exit);
    ExitCode::from(exit as u8)
}

/// Prints the reason of a failure. It is no error if the reader of the output is gone, such as `head`.
fn give_up(stop: CommandError, console: &mut Console<'_>) -> Exit {
    let said = match stop {
        CommandError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return Exit::Done,
        CommandError::Output(error) => {
            writeln!(console.stderr, "error: the output cannot be written: {error}")
        }
        CommandError::Missing(SettingsError::Failure(Failure { message, help })) => {
            let help = help.map(|help| format!("help: {help}\n")).unwrap_or_default();
            write!(console.stderr, "{}", visible_lines(&format!("{message}\n{help}")))
        }
        CommandError::Missing(SettingsError::Invalid(findings)) => {
            text(console).print(findings, console.stderr)
        }
    };
    // If standard error also fails, only the exit status remains.
    let _ = said.and_then(|()| console.stderr.flush());
    Exit::Unusable
}

async fn dispatch(cli: Cli, console: &mut Console<'_>) -> Result<Exit, CommandError> {
    let Cli { command, cluster } = cli;
    match command {
        Command::List(args) => list(&args, &cluster, console).await,
        Command::Explain(args) => explain(args, &cluster, console).await,
        Command::Check(args) => check(&args, &cluster, console).await,
        Command::Report(args) => report(&args, &cluster, console).await,
        Command::Diff(args) => diff::diff(&args, &cluster, console).await,
        Command::Import(args) => import::import(&args, &cluster, console).await,
        Command::Init(args) => import::init(&args, &cluster, console).await,
        Command::Adopt(args) => adopt::adopt(&args, &cluster, console).await,
    }
}

async fn list(
    args: &ListArgs,
    cluster: &ClusterArgs,
    console: &mut Console<'_>,
) -> Result<Exit, CommandError> {
    let connection = Connection::new(cluster).await?;
    let wanted = Scope { selection: &args.selection, everything: false };
    let world = read(&connection, cluster, &wanted, console).await?;
    let report = make_report(&world, Options::default());
    if let Some(nothing) = list::write(args, &world, &report, console.stdout)? {
        writeln!(console.stderr, "{nothing}")?;
    }
    Ok(Exit::Done)
}

/// The report about the selected Services.
fn make_report(world: &ClusterObjects, options: Options<'_>) -> Report {
    let services: Vec<Service<'_>> = world.entries.iter().map(world::Entry::view).collect();
    let options = Options { precedence: Precedence::OldestFirst, ..options };
    let is_shown = |at: usize| world.entries.get(at).is_some_and(|entry| entry.shown);
    Report::of_some((&services, &world.outcomes), is_shown, &world.settings, &options)
}

async fn explain(
    args: ExplainArgs,
    cluster: &ClusterArgs,
    console: &mut Console<'_>,
) -> Result<Exit, CommandError> {
    let ExplainArgs { resources, selector, all_namespaces } = args;
    let is_of_services = selector.is_some() || all_namespaces;
    match resources.as_slice() {
        [] if !is_of_services => return explain_word(None, console),
        [word] if !word.contains('/') && !resources::is_service(word) => {
            return explain_word(Some(word), console);
        }
        _ => {}
    }
    let connection = Connection::new(cluster).await?;
    let selection = Selection { resources, all_namespaces, selector };
    let wanted = Scope { selection: &selection, everything: false };
    let world = read(&connection, cluster, &wanted, console).await?;
    for (place, (entry, outcome)) in world.shown().enumerate() {
        if place > 0 {
            writeln!(console.stdout)?;
        }
        write_trace(&entry.view(), outcome, &world.settings, console.stdout)?;
    }
    console.stdout.flush()?;
    text(console).print(world.findings(), console.stderr)?;
    Ok(if world.has_refused() { Exit::Refused } else { Exit::Done })
}

/// Explains a word, or lists all words, as the command line does.
fn explain_word(word: Option<&str>, console: &mut Console<'_>) -> Result<Exit, CommandError> {
    if xposer_cli::explain_word(word, "kubectl xposer explain", console)? {
        return Ok(Exit::Done);
    }
    if let Some(word) = word {
        let word = visible(word);
        writeln!(console.stderr, "help: if {word} is a Service, write svc/{word}")?;
    }
    Ok(Exit::Unusable)
}

async fn check(
    args: &CheckArgs,
    cluster: &ClusterArgs,
    console: &mut Console<'_>,
) -> Result<Exit, CommandError> {
    let printer = Printer::for_terminal(args.diagnostics, console.terminal);
    let has_summary = args.diagnostics.has_summary();
    let connection = Connection::new(cluster).await?;
    let wanted = Scope { selection: &args.selection, everything: true };
    let world = ClusterObjects::read(&connection, cluster, &wanted, console.stdin).await;
    let world = match world {
        // These are findings like any other, so a program gets them in its format.
        Err(SettingsError::Invalid(findings)) => {
            printer.print(findings, console.stderr)?;
            return Ok(Exit::Unusable);
        }
        world => world?,
    };
    if let Some(settings_source) = world.settings_source.as_ref().filter(|_| has_summary) {
        writeln!(console.stderr, "{settings_source}")?;
    }
    let findings: Findings = world.notes.iter().cloned().chain(world.findings()).collect();
    printer.print(findings, console.stderr)?;
    if has_summary {
        writeln!(console.stderr, "{}", summary(world.shown().map(|(_, outcome)| outcome), 0))?;
    }
    Ok(if world.has_refused() { Exit::Refused } else { Exit::Done })
}

async fn report(
    args: &ReportArgs,
    cluster: &ClusterArgs,
    console: &mut Console<'_>,
) -> Result<Exit, CommandError> {
    let connection = Connection::new(cluster).await?;
    let wanted = Scope { selection: &args.selection, everything: false };
    let world = read(&connection, cluster, &wanted, console).await?;
    let options = Options {
        compare_target: args.compare_target,
        title: connection.context.clone(),
        generated: Some(now()),
        ..Options::default()
    };
    let report = make_report(&world, options);
    let text = match args.output {
        ReportOutput::Html => report.to_html(),
        ReportOutput::Json => report.to_json(),
        ReportOutput::Mermaid => report.to_mermaid(),
    };
    console.stdout.write_all(text.as_bytes())?;
    console.stdout.flush()?;
    writeln!(console.stderr, "{}", summary(world.shown().map(|(_, outcome)| outcome), 0))?;
    Ok(if world.has_refused() { Exit::Refused } else { Exit::Done })
}

/// The current time in RFC 3339, with a precision of seconds.
fn now() -> String {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}
