//! Prints findings.

use std::io::{self, Write};

use xposer_manifest::{Finding, write_github, write_json, write_sarif};

use crate::args::{Color, Diagnostics, InputArgs};
use crate::console::{Terminal, ignore_broken_pipe};

/// The format and the colours of findings.
///
/// ```
/// use xposer_cli::{Diagnostics, Printer, Terminal};
/// use xposer_manifest::Finding;
/// let mut out = Vec::new();
/// let printer = Printer::for_terminal(Diagnostics::Json, Terminal::default());
/// printer.print([Finding::input("no ports")], &mut out).unwrap();
/// assert_eq!(serde_json::from_slice::<serde_json::Value>(&out).unwrap()[0]["message"], "no ports");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    pub(crate) format: Diagnostics,
    colors: bool,
}

impl Printer {
    pub(crate) fn new(args: &InputArgs, terminal: Terminal) -> Self {
        let colors = match args.color {
            Color::Auto => terminal.stderr && terminal.colors,
            Color::Always => true,
            Color::Never => false,
        };
        Self { format: args.diagnostics, colors }
    }

    /// Creates a printer that uses colours if standard error is a terminal that shows them.
    #[must_use]
    pub fn for_terminal(format: Diagnostics, terminal: Terminal) -> Self {
        Self { format, colors: terminal.stderr && terminal.colors }
    }

    /// Prints all findings of a run. JSON and SARIF are complete documents even without findings.
    ///
    /// # Errors
    ///
    /// An error of the writer, unless its reader is gone.
    pub fn print<'d>(
        self,
        findings: impl IntoIterator<Item = Finding<'d>>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let written = match self.format {
            Diagnostics::Text => return write_text(findings, self.colors, out),
            Diagnostics::Json => write_json(findings, out),
            Diagnostics::Sarif => write_sarif(findings, out),
            Diagnostics::Github => write_github(findings, out),
        };
        ignore_broken_pipe(written.and_then(|()| out.flush()))
    }
}

/// Writes findings as text. It is no error if the reader is gone.
pub(crate) fn write_text<'d>(
    findings: impl IntoIterator<Item = Finding<'d>>,
    colors: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    ignore_broken_pipe(xposer_manifest::write_text(findings, colors, out).and_then(|()| out.flush()))
}
