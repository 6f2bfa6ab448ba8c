//! Prints the sources of the values for one Service.

use std::io::{self, Write};

use xposer::internal::trace;
use xposer::service::EXPOSE_LABEL;
use xposer::{Outcome, Service, Settings};
use xposer_manifest::visible;

/// Writes the sources of the values that decide how a Service is exposed.
///
/// ```
/// use xposer::{Service, Settings, expose, testing};
/// let service = testing::service(&[("Domain", "example.com")]);
/// let (service, settings) = (Service::from_value(&service), Settings::default());
/// let mut out = Vec::new();
/// xposer_cli::write_trace(&service, &expose(&service, &settings), &settings, &mut out).unwrap();
/// assert!(out.starts_with(b"Service shop/web is exposed as http://web.shop.example.com\n"));
/// ```
///
/// # Errors
///
/// An error of the writer.
pub fn write_trace(
    service: &Service<'_>,
    outcome: &Outcome,
    settings: &Settings,
    out: &mut dyn Write,
) -> io::Result<()> {
    let subject = service.subject();
    match outcome {
        Outcome::NotExposed { .. } => {
            return writeln!(
                out,
                "{subject} does not ask to be exposed; the label is {EXPOSE_LABEL}: \"true\""
            );
        }
        Outcome::Refused(_) | Outcome::Conflicting(_) => writeln!(out, "{subject} is refused")?,
        Outcome::Planned { plan, .. } => writeln!(out, "{subject} is exposed as {}", visible(&plan.url()))?,
    }
    let rows = trace(service, settings);
    let width = rows.iter().map(|row| row.what.chars().count()).max().unwrap_or_default();
    let mut line = |what: &str, text: &str| {
        let line = format!("  {what:width$}  {text}");
        writeln!(out, "{}", visible(&line))
    };
    for row in rows {
        line(&row.what, &row.value)?;
        line("", &format!("  from {}", row.from()))?;
        for path in &row.before {
            line("", &format!("  before {path}"))?;
        }
        for said in &row.said {
            line("", &format!("  {said}"))?;
        }
    }
    Ok(())
}
