//! The data of a report. `docs/report.md` lists the fields from this file.

use serde::Serialize;

use crate::changes::{Changes, Served};

/// The version of the data. Fields may be added in this version, but no field is renamed or removed.
pub const API_VERSION: &str = "report.xposer.stakater.com/v1";

/// A report: the exposed Services, the refused Services, and the findings about all of them.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of this data: `report.xposer.stakater.com/v1`.
    pub api_version: &'static str,
    /// Always `Report`.
    pub kind: &'static str,
    /// The time at which the report was made, in RFC 3339. `xposer report` leaves it out, so that the same input gives the same
    /// report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated: Option<String>,
    /// The title, for example the name of a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The target for which `migration` shows the differences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare_target: Option<&'static str>,
    /// The numbers of Services and findings. Entries that are left out of the lists are counted, too.
    pub summary: Summary,
    /// The exposed Services, sorted by namespace and name.
    pub rows: Vec<Row>,
    /// The Services that ask to be exposed and are refused, in the same order.
    pub refused: Vec<Refused>,
    /// The findings about the Services that are not refused: warnings, then infos.
    pub findings: Vec<ServiceFinding>,
    /// Claims that several Services make and at most one can have.
    pub conflicts: Vec<Conflict>,
    /// The hosts that belong to another namespace, or do not belong to the namespace of their Service, according to the setting
    /// `namespaces`.
    pub foreign_hosts: Vec<ForeignHost>,
    /// The numbers of entries that are left out because the report would be too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
}

/// The numbers of Services and findings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The number of Services that were read.
    pub services: usize,
    /// The number of exposed Services.
    pub exposed: usize,
    /// The number of Services that ask to be exposed and are refused.
    pub refused: usize,
    /// The number of Services that do not ask to be exposed.
    pub not_exposed: usize,
    /// The number of different hosts under which Services are exposed.
    pub hosts: usize,
    /// The number of exposed Services with access `open`: at least one of their targets admits all clients.
    pub open: usize,
    /// The number of exposed Services with access `notKnown`.
    pub access_not_known: usize,
    /// The number of warnings about Services that are not refused. At most 100 findings with one code are filed for a Service; the
    /// last of them gives the number of the others, which are not counted here.
    pub warnings: usize,
    /// The number of infos about these Services, counted in the same way.
    pub infos: usize,
    /// The number of claims that several Services make.
    pub conflicts: usize,
    /// The number of hosts that do not belong to the namespace of their Service.
    pub foreign_hosts: usize,
    /// The numbers of rows by the result of their `migration`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migration: Option<MigrationSummary>,
}

/// The numbers of rows by the result of their migration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MigrationSummary {
    /// The number of rows that work in the same way on the other target.
    pub same: usize,
    /// The number of rows that work differently on the other target.
    pub differs: usize,
    /// The number of rows that lose a feature.
    pub loses: usize,
    /// The number of rows that are less protected.
    pub opens: usize,
    /// The number of rows that are refused.
    pub refused: usize,
}

/// An exposed Service.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The namespace of the Service; empty if it has none.
    pub namespace: String,
    /// The name of the Service.
    pub service: String,
    /// The URLs of the Service: at least one.
    pub urls: Vec<Url>,
    /// The profile that applies to the Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The kinds of objects that expose the Service: at least one.
    pub targets: Vec<RowTarget>,
    /// The source of the certificate on the first target.
    pub certificate: Certificate,
    /// The DNS records that ExternalDNS publishes if it runs.
    pub dns: Dns,
    /// The URL that the monitor of the Service requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitor: Option<String>,
    /// Which clients get access, by the target that admits the most: `open`, `notKnown` or `restricted`.
    pub access: Access,
    /// The protections of the Service.
    pub protections: Vec<Protection>,
    /// If the Service is a canary: its stable Service, and the requests that it gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<Canary>,
    /// The canaries that get a part of the requests for this Service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub canaries: Vec<Canary>,
    /// The differences if `compareTarget` exposed the Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migration: Option<Migration>,
    /// The state of the objects in the cluster; only in the controller's own report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Cluster>,
}

/// A URL of a Service.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Url {
    /// The scheme, the host and the path. If the path is a regular expression, the URL has its literal beginning.
    pub url: String,
    /// The host. `*.` at the beginning stands for any single DNS label.
    pub host: String,
    /// The path in the emitted object.
    pub path: String,
    /// The path type: `Prefix`, `Exact` or `ImplementationSpecific`.
    pub path_type: &'static str,
    /// The port of the Service, by number or name.
    pub port: String,
}

/// A kind of object that exposes a Service.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RowTarget {
    /// The kind: `Ingress`, `HTTPRoute` or `Route`.
    pub kind: &'static str,
    /// The class of an Ingress, or the Gateways or the ListenerSet to which an HTTPRoute is attached. An empty list means the
    /// default of the cluster.
    pub attached_to: Vec<String>,
    /// The controller that serves the object.
    pub program: String,
    /// How the controller is known, as the end of a sentence.
    pub because: String,
    /// Which clients get access through this target: `open`, `notKnown` or `restricted`.
    pub access: Access,
    /// The source of the certificate on this target, if it differs from that of the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
}

/// Which clients get access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Access {
    /// Only clients with an allowed address, a password, a client certificate, or the consent of an authentication server.
    Restricted,
    /// It is not known which clients: the Service names an object of another program, which may restrict the access.
    NotKnown,
    /// All clients.
    Open,
}

impl Access {
    /// The word for people, which is also the value of the page's filter and a class of its style sheet.
    ///
    /// ```
    /// assert_eq!(xposer_report::model::Access::NotKnown.as_str(), "unknown");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restricted => "restricted",
            Self::NotKnown => "unknown",
            Self::Open => "open",
        }
    }
}

/// A protection of a Service.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Protection {
    /// The name of the option, or the key of an annotation of another program.
    pub what: String,
    /// The value in one line, shortened to 200 bytes.
    pub value: String,
    /// The annotation or the setting that asks for the protection.
    pub from: String,
    /// The targets on which the protection has an effect.
    pub targets: Vec<&'static str>,
    /// Whether the protection denies access to clients that are not admitted. TLS, limits and denied addresses do not count.
    pub restricts: bool,
}

/// The source of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// `none`, `secret`, `certManager`, `loadBalancer`, `gateway` (the listener has it), `passthrough` (the Service has it) or
    /// `stable` (the stable Service of a canary has it).
    pub source: CertificateSource,
    /// The names of the secrets with the certificate. Their content is never read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// The issuer that cert-manager uses, as `Issuer NAME` or `ClusterIssuer NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

/// The source of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum CertificateSource {
    /// There is no TLS.
    None,
    /// A secret that is created by other means than cert-manager.
    Secret,
    /// A secret that cert-manager creates.
    CertManager,
    /// A load balancer in front of the controller.
    LoadBalancer,
    /// The listener of the Gateway.
    Gateway,
    /// The Service, which terminates TLS.
    Passthrough,
    /// The stable Service of a canary.
    Stable,
}

/// The DNS records that ExternalDNS publishes if it runs.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Dns {
    /// The hosts that ExternalDNS publishes.
    pub hosts: Vec<String>,
    /// The target of the records, if an annotation sets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The time to live of the records, if an annotation sets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
    /// The annotation that excludes the objects from ExternalDNS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out_by: Option<String>,
}

/// A relation between a canary and its stable Service, with the requests that the canary gets.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Canary {
    /// The other Service, in the same namespace: the stable Service in the row of a canary, and the canary in the row of a stable
    /// Service.
    pub service: String,
    /// The percentage of the requests that the canary gets, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u8>,
    /// The header that selects requests for the canary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The value of the header. Without a value, it is `always`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_value: Option<String>,
    /// The cookie that selects requests for the canary if its value is `always`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
}

/// The differences if another target exposed a Service.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Migration {
    /// The most severe of the differences.
    pub result: MigrationResult,
    /// The URL on the other target, if it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The change of the controller, if there is one.
    pub served_by: Vec<Served>,
    /// The differences in detail.
    #[serde(flatten)]
    pub changes: Changes,
}

/// The result of a migration, in the order of severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum MigrationResult {
    /// It works in the same way. Annotations may be translated.
    Same,
    /// A feature works differently.
    Differs,
    /// A feature is lost.
    Loses,
    /// The Service is less protected.
    Opens,
    /// The Service is refused.
    Refused,
}

/// The state of the objects of a Service in a cluster.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// Whether all objects are as Xposer emits them.
    pub state: ClusterState,
    /// The last error of the API server or the controller: which object was not written, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The state of the objects of a Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum ClusterState {
    /// All objects are as Xposer emits them.
    InSync,
    /// An object is not written yet.
    Pending,
    /// An object could not be written.
    Failed,
}

/// A Service that asks to be exposed and is refused.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// The namespace of the Service; empty if it has none.
    pub namespace: String,
    /// The name of the Service; empty if it has none.
    pub service: String,
    /// Whether the Service is refused only because of conflicts with other Services.
    pub conflict: bool,
    /// All findings about the Service: errors, then warnings, then infos.
    pub findings: Vec<Finding>,
}

/// A finding about a Service that is not refused.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServiceFinding {
    /// The namespace of the Service; empty if it has none.
    pub namespace: String,
    /// The name of the Service.
    pub service: String,
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
}

/// A finding about a Service.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// `error`, `warning` or `info`.
    pub severity: &'static str,
    /// The code of the finding; `xposer explain CODE` explains it.
    pub code: &'static str,
    /// The annotation, field or setting that the finding is about.
    pub path: String,
    /// The message.
    pub message: String,
    /// The help: what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The place in a file, if the input came from a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A place in a file.
///
/// ```
/// use xposer_report::Place;
/// let place = Place { file: "web.yaml".to_owned(), line: Some(7), column: Some(3) };
/// assert_eq!(place.to_string(), "web.yaml:7:3");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The name of the file, as it was given.
    pub file: String,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The column in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        [self.line, self.column].into_iter().flatten().try_for_each(|number| write!(f, ":{number}"))
    }
}

/// A claim that several Services make and at most one can have.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// The claim: a host and path, or a kind, a namespace and a name.
    pub claim: String,
    /// The Services that make the claim.
    pub services: Vec<Claimant>,
}

/// A Service with a claim that other Services make, too.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Claimant {
    /// The namespace of the Service; empty if it has none.
    pub namespace: String,
    /// The name of the Service.
    pub service: String,
    /// Whether the Service is exposed. In a cluster, the oldest Service is exposed; in files, all of them are refused.
    pub exposed: bool,
}

/// A host that does not belong to the namespace of its Service.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ForeignHost {
    /// The namespace of the Service; empty if it has none.
    pub namespace: String,
    /// The name of the Service.
    pub service: String,
    /// The host.
    pub host: String,
    /// The message about the owner of the host.
    pub message: String,
    /// The place in a file, if the input came from a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// The numbers of entries that are left out of a report because it would be too long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// The maximum number of entries of each list.
    pub limit: usize,
    /// The number of Services that were not read. The summary does not count them.
    pub services: usize,
    /// The number of rows that are left out.
    pub rows: usize,
    /// The number of refused Services that are left out.
    pub refused: usize,
    /// The number of findings that are left out, including those about refused Services.
    pub findings: usize,
    /// The number of conflicts and foreign hosts that are left out.
    pub others: usize,
}

/// Adds a method that returns the name of the Service to a type.
macro_rules! named {
    ($($of:ident),+) => {
        $(impl $of {
            /// The namespace and the name of the Service: `shop/web`.
            pub(crate) fn name(&self) -> String {
                joined(&self.namespace, &self.service)
            }
        })+
    };
}

named!(Row, Refused, ServiceFinding, Claimant, ForeignHost);

impl RowTarget {
    /// Returns the text for an object without a class or parent.
    pub(crate) fn default_attachment(&self) -> String {
        match self.kind {
            "Ingress" => "of the default class".to_owned(),
            _ => "of the router".to_owned(),
        }
    }
}

/// Joins a namespace and a name, without a slash if the namespace is empty.
fn joined(namespace: &str, name: &str) -> String {
    let name = if name.is_empty() { "(without a name)" } else { name };
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}
