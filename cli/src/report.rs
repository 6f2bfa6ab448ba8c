//! `report`: the exposed Services, their URLs, controllers and access rules, for all inputs together.

use std::io;

use xposer::{Diagnostic, Outcome, Precedence, expose_all};
use xposer_report::{Options, Place, Report};

use crate::args::{CommandName, ReportArgs, ReportOutput};
use crate::console::{Console, Exit, ignore_broken_pipe};
use crate::input::with_input;

/// Prints the report, and a summary line.
pub(crate) fn report(args: &ReportArgs, console: &mut Console<'_>) -> io::Result<Exit> {
    with_input(&args.input, None, CommandName::Report, console, |inputs, found, printer, console| {
        let services = found.views(args.input.namespace.as_deref());
        let outcomes = expose_all(&services, &inputs.settings, Precedence::RefuseAll);
        let settings_file = inputs.settings_file.as_ref();
        let place = |at: usize, diagnostic: &Diagnostic| {
            let place = found.services.get(at)?.place_of(diagnostic, settings_file)?;
            let (line, column) = place.line_and_column().unzip();
            Some(Place { file: place.name().to_owned(), line, column })
        };
        let options =
            Options { compare_target: args.compare_target, place: Some(&place), ..Options::default() };
        let report = Report::new(&services, &outcomes, &inputs.settings, &options);
        let text = match args.output {
            ReportOutput::Html => report.to_html(),
            ReportOutput::Json => report.to_json(),
            ReportOutput::Mermaid => report.to_mermaid(),
        };
        ignore_broken_pipe(console.stdout.write_all(text.as_bytes()).and_then(|()| console.stdout.flush()))?;
        printer.print(inputs.notes.iter().chain(&found.notes).cloned(), console.stderr)?;
        if printer.format.has_summary() {
            ignore_broken_pipe(writeln!(console.stderr, "{}", found.summary(&outcomes)))?;
        }
        let refused = outcomes.iter().any(Outcome::is_refused);
        Ok(if refused { Exit::Refused } else { Exit::Done })
    })
}
