//! The command line of Xposer: `render`, `check`, `compare`, `report`, `import`, `init`, `explain`, `completions` and the KRM function `krm`.
//!
//! Files become [`serde_json::Value`]s with places ([`xposer_manifest`]), the core decides, and its objects and diagnostics become
//! text. [`run`] is the whole program without its process:
//!
//! ```
//! use xposer_cli::{Console, Terminal, run};
//!
//! let mut stdin = r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}"#.as_bytes();
//! let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
//! let console = Console {
//!     stdin: &mut stdin,
//!     stdout: &mut stdout,
//!     stderr: &mut stderr,
//!     terminal: Terminal::default(),
//! };
//! assert_eq!(run(["xposer", "check"], console), 0);
//! assert_eq!(String::from_utf8(stderr).unwrap(), "1 service: 0 exposed, 1 left alone\n");
//! ```
//!
//! The other public items are for programs that have Services from another source and print about them as this program does, such
//! as `kubectl xposer`: [`read_settings`], [`write_trace`], [`explain_word`], [`import_objects`], [`init_objects`], [`Printer`],
//! [`summary`] and [`target()`].

mod args;
mod compare;
mod console;
mod explain;
mod ignored_objects;
mod import;
mod init;
mod input;
mod krm;
mod local;
mod printer;
mod programs;
mod progress;
mod render;
mod report;
mod services;
mod trace;
mod words;

use std::ffi::OsString;
use std::io::{self, Write};

use clap::{CommandFactory, Parser};

use args::{Cli, Command};
pub use args::{Diagnostics, ProposalArgs, StartArgs, namespace, target};
use console::ignore_broken_pipe;
pub use console::{Console, Exit, Terminal};
pub use explain::explain_word;
pub use import::{Objects, import_objects};
pub use init::init_objects;
pub use input::read_settings;
pub use printer::Printer;
pub use services::summary;
pub use trace::write_trace;
use xposer_manifest::Finding;

/// Runs the program with these arguments, the first of which is its own name, and returns its exit status.
pub fn run<A: Into<OsString> + Clone>(
    arguments: impl IntoIterator<Item = A>,
    mut console: Console<'_>,
) -> u8 {
    let done = match Cli::try_parse_from(arguments) {
        Ok(cli) => dispatch(cli, &mut console),
        Err(usage) => show_usage(&usage, &mut console),
    };
    let flushed = |exit| {
        ignore_broken_pipe(console.stdout.flush())?;
        ignore_broken_pipe(console.stderr.flush())?;
        Ok(exit)
    };
    let written = done.and_then(flushed);
    written.unwrap_or_else(|error| give_up(&error, &mut console)) as u8
}

fn dispatch(cli: Cli, console: &mut Console<'_>) -> io::Result<Exit> {
    match cli.command {
        Command::Render(args) => render::render(&args, console),
        Command::Check(args) => render::check(&args, console),
        Command::Compare(args) => compare::compare(&args, console),
        Command::Report(args) => report::report(&args, console),
        Command::Import(args) => import::import(&args, console),
        Command::Init(args) => init::init(args, console),
        Command::Explain(args) => explain::explain(args, console),
        Command::Krm => krm::krm(console),
        Command::Completions { shell } => {
            // The generator panics if it cannot write, so it writes to memory.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "xposer", &mut script);
            console.stdout.write_all(&script)?;
            Ok(Exit::Done)
        }
    }
}

/// Prints the requested help, or the error of the arguments.
fn show_usage(usage: &clap::Error, console: &mut Console<'_>) -> io::Result<Exit> {
    let text = usage.render();
    let (stream, is_terminal, exit) = if usage.use_stderr() {
        (&mut console.stderr, console.terminal.stderr, Exit::Unusable)
    } else {
        (&mut console.stdout, console.terminal.stdout, Exit::Done)
    };
    if is_terminal && console.terminal.colors {
        write!(stream, "{}", text.ansi())?;
    } else {
        write!(stream, "{text}")?;
    }
    Ok(exit)
}

/// Reports an output that cannot be written. It is no error if the reader is gone, such as `head`.
fn give_up(error: &io::Error, console: &mut Console<'_>) -> Exit {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Exit::Done;
    }
    let finding = Finding::input(format!("the output cannot be written: {error}"));
    // If standard error also fails, only the exit status remains.
    let _ = printer::write_text([finding], false, &mut console.stderr);
    Exit::Unusable
}
