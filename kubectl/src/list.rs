//! `list`: one line for each Service that requests exposure, from the data of the report.

use std::io::{self, Write};

use serde_json::Value;
use xposer_manifest::to_yaml;
use xposer_report::Report;
use xposer_report::model::{CertificateSource, Refused, Row};

use crate::args::{ListArgs, ListOutput};
use crate::table;
use crate::world::ClusterObjects;

/// A line of the list.
enum Line<'r> {
    Exposed(&'r Row),
    Refused(&'r Refused),
}

impl Line<'_> {
    fn key(&self) -> (&str, &str) {
        match self {
            Self::Exposed(row) => (&row.namespace, &row.service),
            Self::Refused(refused) => (&refused.namespace, &refused.service),
        }
    }

    fn columns(&self, with_namespace: bool, is_wide: bool) -> Vec<String> {
        let (namespace, name) = self.key();
        let mut columns = Vec::new();
        if with_namespace {
            columns.push(namespace.to_owned());
        }
        columns.push(name.to_owned());
        match self {
            Self::Exposed(row) => {
                columns.push(urls(row, is_wide));
                columns.push(distinct(row.targets.iter().map(|target| target.kind)));
                columns.push(distinct(row.targets.iter().map(|target| target.program.as_str())));
                columns.push(row.access.as_str().to_owned());
                if is_wide {
                    columns.push(distinct(
                        row.targets.iter().flat_map(|target| &target.attached_to).map(String::as_str),
                    ));
                    columns.push(certificate(row));
                    columns.push(row.profile.clone().unwrap_or_else(none));
                }
                columns.push("exposed".to_owned());
            }
            Self::Refused(refused) => {
                columns.extend(std::iter::repeat_with(none).take(if is_wide { 7 } else { 4 }));
                columns.push(reasons(refused, is_wide));
            }
        }
        columns
    }
}

/// The text of kubectl for an empty cell.
fn none() -> String {
    "<none>".to_owned()
}

fn urls(row: &Row, all: bool) -> String {
    let urls: Vec<&str> = row.urls.iter().map(|it| it.url.as_str()).collect();
    match urls.as_slice() {
        [first, rest @ ..] if !all && !rest.is_empty() => format!("{first} + {} more...", rest.len()),
        urls => urls.join(","),
    }
}

fn distinct<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let mut distinct: Vec<&str> = Vec::new();
    for word in words {
        if !distinct.contains(&word) {
            distinct.push(word);
        }
    }
    if distinct.is_empty() { none() } else { distinct.join(",") }
}

fn certificate(row: &Row) -> String {
    let certificate = &row.certificate;
    match certificate.source {
        CertificateSource::None => none(),
        CertificateSource::Secret => format!("Secret/{}", certificate.secrets.join(",")),
        CertificateSource::CertManager => certificate
            .issuer
            .clone()
            .map_or_else(|| "cert-manager".to_owned(), |issuer| issuer.replace(' ', "/")),
        CertificateSource::LoadBalancer => "load balancer".to_owned(),
        CertificateSource::Gateway => "Gateway".to_owned(),
        CertificateSource::Passthrough => "Service".to_owned(),
        CertificateSource::Stable => "of the stable Service".to_owned(),
    }
}

/// The reasons for the refusal: the first error, or all of them.
fn reasons(refused: &Refused, all: bool) -> String {
    let errors = refused.findings.iter().filter(|finding| finding.severity == "error");
    let errors: Vec<&str> = errors.map(|finding| finding.message.as_str()).collect();
    match errors.as_slice() {
        [first, rest @ ..] if !all && !rest.is_empty() => format!("refused: {first} (+ {} more)", rest.len()),
        errors => format!("refused: {}", errors.join("; ")),
    }
}

/// The headings of the columns.
fn headings(with_namespace: bool, is_wide: bool) -> Vec<&'static str> {
    let mut headings = if with_namespace { vec!["NAMESPACE"] } else { Vec::new() };
    headings.extend(["NAME", "URL", "TARGET", "SERVED-BY", "ACCESS"]);
    if is_wide {
        headings.extend(["CLASS-OR-GATEWAY", "CERTIFICATE", "PROFILE"]);
    }
    headings.push("STATUS");
    headings
}

/// Prints the list. Returns a sentence if there is nothing to list.
pub(crate) fn write(
    args: &ListArgs,
    world: &ClusterObjects,
    report: &Report,
    out: &mut dyn Write,
) -> io::Result<Option<String>> {
    let value = || serde_json::to_value(report).unwrap_or(Value::Null);
    match args.output {
        Some(ListOutput::Json) => return out.write_all(report.to_json().as_bytes()).map(|()| None),
        Some(ListOutput::Yaml) => return out.write_all(to_yaml(&value()).as_bytes()).map(|()| None),
        Some(ListOutput::Wide | ListOutput::Name) | None => {}
    }
    let mut lines: Vec<Line<'_>> = report.rows.iter().map(Line::Exposed).collect();
    lines.extend(report.refused.iter().map(Line::Refused));
    lines.sort_by(|one, other| one.key().cmp(&other.key()));
    if lines.is_empty() {
        return Ok(Some(match &world.scope {
            Some(namespace) => format!("No exposed Services found in {namespace} namespace."),
            None => "No exposed Services found".to_owned(),
        }));
    }
    if args.output == Some(ListOutput::Name) {
        lines.iter().try_for_each(|line| writeln!(out, "service/{}", line.key().1))?;
        return Ok(None);
    }
    let (with_namespace, is_wide) = (world.scope.is_none(), args.output == Some(ListOutput::Wide));
    let rows: Vec<Vec<String>> = lines.iter().map(|line| line.columns(with_namespace, is_wide)).collect();
    let headings = (!args.no_headers).then(|| headings(with_namespace, is_wide));
    table::write(headings.as_deref(), &rows, out).map(|()| None)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use xposer::{Precedence, Service, Settings, expose_all, testing};
    use xposer_report::Options;

    use super::*;

    fn columns(annotations: &[(&str, &str)], is_wide: bool) -> String {
        let service = testing::service(annotations);
        let services = [Service::from_value(&service)];
        let settings = Settings::from_value(&json!({"ingressClassName": "nginx"})).unwrap();
        let outcomes = expose_all(&services, &settings, Precedence::OldestFirst);
        let report = Report::new(&services, &outcomes, &settings, &Options::default());
        let line =
            report.rows.iter().map(Line::Exposed).chain(report.refused.iter().map(Line::Refused)).next();
        let columns = line.unwrap().columns(true, is_wide);
        assert_eq!(columns.len(), headings(true, is_wide).len());
        columns.join(" | ")
    }

    #[test]
    fn list_columns() {
        let open = columns(&[("Domain", "example.com")], false);
        assert_eq!(
            open,
            "shop | web | http://web.shop.example.com | Ingress | ingress-nginx | open | exposed"
        );
        let wide = columns(&[("Domain", "example.com"), ("AllowedSources", "10.0.0.0/8")], true);
        assert_eq!(
            wide,
            "shop | web | http://web.shop.example.com | Ingress | ingress-nginx | restricted | nginx | <none> | <none> | exposed"
        );
    }

    #[test]
    fn a_refused_service_has_its_first_reason() {
        let refused = columns(&[("Domain", "EXAMPLE.com")], false);
        assert!(
            refused.starts_with("shop | web | <none> | <none> | <none> | <none> | refused: "),
            "{refused}"
        );
        columns(&[("Domain", "EXAMPLE.com")], true);
    }
}
