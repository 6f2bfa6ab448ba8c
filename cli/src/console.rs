//! The streams of the program, and its exit status.

use std::io::{self, IsTerminal, Read, Write};

use serde::Serialize;

/// The streams that the program reads and writes.
pub struct Console<'c> {
    /// Standard input.
    pub stdin: &'c mut dyn Read,
    /// Standard output.
    pub stdout: &'c mut dyn Write,
    /// Standard error.
    pub stderr: &'c mut dyn Write,
    /// The streams that are terminals.
    pub terminal: Terminal,
}

/// The streams that are terminals, and whether the terminal shows colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Whether standard input is a terminal.
    pub stdin: bool,
    /// Whether standard output is a terminal.
    pub stdout: bool,
    /// Whether standard error is a terminal.
    pub stderr: bool,
    /// Whether the terminal can show colours, and its user has not disabled them with `NO_COLOR`.
    pub colors: bool,
}

impl Terminal {
    /// Reads the state of the streams and the environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            stdin: io::stdin().is_terminal(),
            stdout: io::stdout().is_terminal(),
            stderr: io::stderr().is_terminal(),
            colors: !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
        }
    }
}

/// The exit status of the program.
///
/// ```
/// use xposer_cli::Exit;
/// assert_eq!([Exit::Done, Exit::Refused, Exit::Unusable].map(|exit| exit as u8), [0, 1, 2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing was refused.
    Done = 0,
    /// At least one Service was refused, or a part of an Ingress is not reproduced or would change.
    Refused = 1,
    /// Wrong usage, or an input or a cluster that cannot be read.
    Unusable = 2,
}

/// Writes a value as indented JSON.
pub(crate) fn write_json(value: &impl Serialize, mut out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    out.flush()
}

/// Ignores the error that the reader of the output is gone. The exit status still depends on the findings.
pub(crate) fn ignore_broken_pipe(written: io::Result<()>) -> io::Result<()> {
    written.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}
