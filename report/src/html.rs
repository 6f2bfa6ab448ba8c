//! The HTML page of a report: one file with its style and script, which sends no requests.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::model::{
    Access, CertificateSource, ClusterState, MigrationResult, Refused, Report, Row, ServiceFinding,
};

const STYLE: &str = include_str!("../assets/report.css");
const SCRIPT: &str = include_str!("../assets/report.js");

/// The number of URLs of a Service, and of its findings, that are shown without expanding them.
const SHOWN: usize = 5;

/// Returns the Content-Security-Policy of the page: its own style and script, by their hashes, and nothing else. A server may also
/// send it as a header.
///
/// ```
/// let policy = xposer_report::content_security_policy();
/// assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
/// assert!(policy.contains("; script-src 'sha256-") && !policy.contains("unsafe") && !policy.contains("http"));
/// ```
#[must_use]
pub fn content_security_policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
        format!(
            "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
            hash(STYLE),
            hash(SCRIPT)
        )
    });
    &POLICY
}

impl Report {
    /// Returns the report as one page of HTML, which can be opened from a file without network access.
    ///
    /// ```
    /// use xposer::Settings;
    /// use xposer_report::{Options, Report};
    /// let page = Report::new(&[], &[], &Settings::default(), &Options::default()).to_html();
    /// assert!(page.starts_with("<!doctype html>") && page.contains("No Service is exposed"));
    /// ```
    #[must_use]
    pub fn to_html(&self) -> String {
        // This cannot fail: writing to a text succeeds.
        Page::new(self).render().unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "report.html", whitespace = "minimize")]
struct Page<'r> {
    report: &'r Report,
    policy: &'static str,
    style: &'static str,
    script: &'static str,
    lines: Vec<Line<'r>>,
    refused: Vec<RefusedPart<'r>>,
    warnings: Vec<FindingPart<'r>>,
    infos: Vec<FindingPart<'r>>,
    has_cluster: bool,
    columns: usize,
    /// The row number of each Service, for links to it.
    numbers: HashMap<(&'r str, &'r str), usize>,
}

/// A Service by its namespace and name: an exposed one, or a refused one with its number.
type ServiceRow<'r> = (&'r str, &'r str, Result<&'r Row, (usize, &'r Refused)>);

/// A row of the table: an exposed Service, or a refused one with a link to the reason.
enum Line<'r> {
    Exposed(usize, &'r Row),
    Refused(usize, usize, &'r Refused),
}

/// A refused Service, with its number.
struct RefusedPart<'r> {
    number: usize,
    refused: &'r Refused,
}

/// A finding about a Service, and the row number of the Service, if it has one.
struct FindingPart<'r> {
    finding: &'r ServiceFinding,
    line: Option<usize>,
}

impl<'r> Page<'r> {
    fn new(report: &'r Report) -> Self {
        let mut order: Vec<ServiceRow<'_>> = Vec::new();
        order.extend(report.rows.iter().map(|row| (row.namespace.as_str(), row.service.as_str(), Ok(row))));
        let refused = report.refused.iter().enumerate();
        order.extend(refused.map(|(index, refused)| {
            (refused.namespace.as_str(), refused.service.as_str(), Err((index + 1, refused)))
        }));
        order.sort_by_key(|(namespace, name, _)| (*namespace, *name));
        let mut numbers = HashMap::new();
        let mut lines = Vec::new();
        for (index, (namespace, name, line)) in order.into_iter().enumerate() {
            let number = index + 1;
            numbers.entry((namespace, name)).or_insert(number);
            lines.push(match line {
                Ok(row) => Line::Exposed(number, row),
                Err((at, refused)) => Line::Refused(number, at, refused),
            });
        }
        let part = |finding: &'r ServiceFinding| {
            let line = numbers.get(&(finding.namespace.as_str(), finding.service.as_str())).copied();
            FindingPart { finding, line }
        };
        let (warnings, infos) =
            report.findings.iter().partition::<Vec<_>, _>(|it| it.finding.severity != "info");
        let (warnings, infos) =
            (warnings.into_iter().map(part).collect(), infos.into_iter().map(part).collect());
        let has_cluster = report.rows.iter().any(|row| row.cluster.is_some());
        let more = [has_cluster, report.compare_target.is_some()];
        Self {
            report,
            policy: content_security_policy(),
            style: STYLE,
            script: SCRIPT,
            lines,
            refused: (1..)
                .zip(&report.refused)
                .map(|(number, refused)| RefusedPart { number, refused })
                .collect(),
            warnings,
            infos,
            has_cluster,
            columns: 6 + more.iter().filter(|is_there| **is_there).count(),
            numbers,
        }
    }

    /// The row number of a Service in the same namespace.
    fn line_of(&self, row: &Row, service: &str) -> Option<usize> {
        self.numbers.get(&(row.namespace.as_str(), service)).copied()
    }
}

/// The methods that the template uses.
impl Row {
    fn first_urls(&self) -> &[crate::model::Url] {
        self.urls.get(..SHOWN).unwrap_or(&self.urls)
    }

    fn more_urls(&self) -> &[crate::model::Url] {
        self.urls.get(SHOWN..).unwrap_or_default()
    }

    /// The distinct ports.
    fn ports(&self) -> String {
        let ports: BTreeSet<&str> = self.urls.iter().map(|url| url.port.as_str()).collect();
        ports.into_iter().collect::<Vec<_>>().join(", ")
    }

    /// The protections without a value, such as TLS.
    fn plain_protections(&self) -> String {
        let plain = self.protections.iter().filter(|it| it.value.is_empty());
        plain.map(|it| it.what.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn first_host(&self) -> &str {
        self.urls.first().map_or("", |url| &url.host)
    }

    /// The group of the Service by class: the class, the Gateway or the router.
    fn class(&self) -> String {
        self.targets.first().map(RowTargetPart::label).unwrap_or_default()
    }

    /// Whether ExternalDNS publishes exactly the hosts of the URLs.
    fn publishes_its_hosts(&self) -> bool {
        let own: BTreeSet<&str> = self.urls.iter().map(|url| url.host.as_str()).collect();
        self.dns.hosts.iter().map(String::as_str).collect::<BTreeSet<_>>() == own
    }

    /// The input of the graph: each host after an `h`, and each attachment after a `c`, with a tab before the program.
    fn edges(&self) -> Vec<String> {
        let hosts: BTreeSet<&str> = self.urls.iter().map(|url| url.host.as_str()).collect();
        let hosts = hosts.into_iter().map(|host| format!("h{host}"));
        let doors = self.targets.iter().flat_map(|target| {
            let attached: Vec<String> = if target.attached_to.is_empty() {
                vec![target.label()]
            } else {
                target.attached_to.iter().map(|attached| format!("{} {attached}", target.kind)).collect()
            };
            attached.into_iter().map(|attached| format!("c{attached}\t{}", target.program))
        });
        hosts.chain(doors).collect()
    }
}

/// The name of a target in a group.
trait RowTargetPart {
    fn label(&self) -> String;
}

impl RowTargetPart for crate::model::RowTarget {
    fn label(&self) -> String {
        match self.attached_to.first() {
            Some(attached) => format!("{} {attached}", self.kind),
            None => format!("{} {}", self.kind, self.default_attachment()),
        }
    }
}

impl crate::model::Url {
    /// Whether the URL can be opened: a host with `*` stands for any name.
    fn is_link(&self) -> bool {
        !self.host.contains('*') && (self.url.starts_with("https://") || self.url.starts_with("http://"))
    }
}

impl Access {
    fn word(self) -> &'static str {
        match self {
            Self::Restricted => "Restricted",
            Self::NotKnown => "Not known",
            Self::Open => "Open",
        }
    }
}

impl CertificateSource {
    fn word(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Secret => "Secret",
            Self::CertManager => "cert-manager",
            Self::LoadBalancer => "Load balancer",
            Self::Gateway => "Gateway",
            Self::Passthrough => "Passthrough",
            Self::Stable => "As the stable Service",
        }
    }
}

impl MigrationResult {
    fn word(self) -> &'static str {
        match self {
            Self::Same => "Works",
            Self::Differs => "Differs",
            Self::Loses => "Loses",
            Self::Opens => "Opens",
            Self::Refused => "Refused",
        }
    }

    fn slug(self) -> &'static str {
        match self {
            Self::Same => "restricted",
            Self::Differs | Self::Loses => "unknown",
            Self::Opens | Self::Refused => "refused",
        }
    }
}

impl ClusterState {
    fn word(self) -> &'static str {
        match self {
            Self::InSync => "In sync",
            Self::Pending => "Pending",
            Self::Failed => "Failed",
        }
    }

    fn slug(self) -> &'static str {
        match self {
            Self::InSync => "restricted",
            Self::Pending => "unknown",
            Self::Failed => "refused",
        }
    }
}

impl crate::model::Canary {
    /// The requests that the canary receives.
    fn share(&self) -> String {
        let header = self
            .header
            .as_ref()
            .map(|name| format!("header {name}: {}", self.header_value.as_deref().unwrap_or("always")));
        let cookie = self.cookie.as_ref().map(|name| format!("cookie {name}"));
        let weight = self.weight.map(|weight| format!("{weight} %"));
        let parts: Vec<String> = [weight, header, cookie].into_iter().flatten().collect();
        if parts.is_empty() { "no requests".to_owned() } else { parts.join(", ") }
    }
}

/// The filters of the template.
#[allow(unreachable_pub, reason = "the macro writes HTML")]
mod filters {
    use std::fmt::Display;

    use xposer::internal::{escaped, shortened};

    /// The maximum size of a text in the page, in bytes.
    const MAX_TEXT: usize = 2000;

    /// Lines for the script, each in the form of [`shown`].
    #[askama::filter_fn]
    pub(super) fn edges(lines: Vec<String>, _: &dyn askama::Values) -> askama::Result<String> {
        let line = |line: &String| line.split('\t').map(clean).collect::<Vec<_>>().join("\t");
        Ok(lines.iter().map(line).collect::<Vec<String>>().join("\n"))
    }

    /// A text of a user, shortened, with invisible characters escaped.
    #[askama::filter_fn]
    pub(super) fn shown(text: impl Display, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(clean(&text.to_string()))
    }

    fn clean(text: &str) -> String {
        let text = shortened(text, None, MAX_TEXT).replace('\n', " ");
        escaped(&text)
    }
}
