//! The data of a report. `docs/report.md` lists the fields from this file.

use serde::Serialize;

use crate::changes::{Changes, Served};

/// The version of the data. A field may be added to it; nothing is renamed or removed.
pub const API_VERSION: &str = "report.xposer.stakater.com/v1";

/// A report: which Services are exposed and how, which are refused, and what is to be known about the others.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of this data: `report.xposer.stakater.com/v1`.
    pub api_version: &'static str,
    /// Always `Report`.
    pub kind: &'static str,
    /// When it was made, in RFC 3339; left out where the same input shall give the same report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated: Option<String>,
    /// What it is about, for example the name of a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The target that every row is compared with: what `migration` is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare_target: Option<&'static str>,
    /// How many there are of everything, also of what is left out.
    pub summary: Summary,
    /// The exposed Services, in the order of their namespaces and names.
    pub rows: Vec<Row>,
    /// The Services that ask to be exposed and are not, in the same order.
    pub refused: Vec<Refused>,
    /// What is said about the other Services: warnings, then infos.
    pub findings: Vec<Told>,
    /// What several Services ask for and one of them at most can have.
    pub conflicts: Vec<Conflict>,
    /// The hosts that belong to another namespace, or not to that of their Service, as the setting `namespaces` says.
    pub foreign_hosts: Vec<ForeignHost>,
    /// What is not in this report because it would be too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
}

/// How many there are of everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// All Services that were looked at.
    pub services: usize,
    /// Those that are exposed.
    pub exposed: usize,
    /// Those that ask to be exposed and are not.
    pub refused: usize,
    /// Those that do not ask.
    pub not_exposed: usize,
    /// The different hosts under which a Service is exposed.
    pub hosts: usize,
    /// The exposed Services that everybody may come in to, by one of their targets at least.
    pub open: usize,
    /// Those of which it is not known who may come in.
    pub access_not_known: usize,
    /// The warnings about Services that are not refused. Of the findings of one kind about one Service, 100 are filed; the last of them
    /// says how many more there are, which are not counted.
    pub warnings: usize,
    /// The infos about them, counted in the same way.
    pub infos: usize,
    /// What is claimed by several Services.
    pub conflicts: usize,
    /// The hosts that do not belong to the namespace of their Service.
    pub foreign_hosts: usize,
    /// The rows by the result of their `migration`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migration: Option<MigrationSummary>,
}

/// The rows by the result of their migration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MigrationSummary {
    /// They work there as here.
    pub same: usize,
    /// They work there in another way.
    pub differs: usize,
    /// They lose something.
    pub loses: usize,
    /// They are less protected.
    pub opens: usize,
    /// They are refused.
    pub refused: usize,
}

/// An exposed Service.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The namespace of the Service; empty where it names none.
    pub namespace: String,
    /// Its name.
    pub service: String,
    /// Where it is exposed: at least one.
    pub urls: Vec<Url>,
    /// The profile that it is under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// What exposes it: at least one kind of object.
    pub targets: Vec<RowTarget>,
    /// Where its certificate comes from, at the first of its targets.
    pub certificate: Certificate,
    /// What ExternalDNS publishes, where it runs.
    pub dns: Dns,
    /// The URL that its monitor requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitor: Option<String>,
    /// Who may come in, by the target that lets in most: `open`, `notKnown` or `restricted`.
    pub access: Access,
    /// What decides who or what gets to it.
    pub protections: Vec<Protection>,
    /// Of a canary: whose requests it gets, and which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<Canary>,
    /// The canaries that get a part of its requests.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub canaries: Vec<Canary>,
    /// What would be different if `compareTarget` exposed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migration: Option<Migration>,
    /// What the controller did about it; only in the controller's own report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Cluster>,
}

/// Where a Service is exposed.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Url {
    /// Scheme, host and path; of a regular expression, its literal beginning.
    pub url: String,
    /// The host; `*.` at its beginning stands for any one name.
    pub host: String,
    /// The path as the object has it.
    pub path: String,
    /// How the path is compared: `Prefix`, `Exact` or `ImplementationSpecific`.
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
    /// What it is attached to: the class of an Ingress, the Gateways or the ListenerSet of an HTTPRoute. None means the default of the cluster.
    pub attached_to: Vec<String>,
    /// The program that serves it.
    pub program: String,
    /// How that is known, as the end of a sentence.
    pub because: String,
    /// Who may come in here: `open`, `notKnown` or `restricted`.
    pub access: Access,
    /// Where the certificate comes from here, if it is another one than that of the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
}

/// Who may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Access {
    /// Only those with an allowed address, a password, a certificate, or the consent of a server that is asked.
    Restricted,
    /// It is not known: an object of another program is named, which may keep somebody out.
    NotKnown,
    /// Everybody.
    Open,
}

/// Something that decides who or what gets to a Service.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Protection {
    /// The option, or the key of an annotation of another program.
    pub what: String,
    /// The value, in one line and at most 200 bytes.
    pub value: String,
    /// The annotation or the setting that asks for it.
    pub from: String,
    /// The targets on which it has an effect.
    pub targets: Vec<&'static str>,
    /// Whether it keeps somebody out who is not admitted; TLS, a limit or a denied address does not.
    pub restricts: bool,
}

/// Where a certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// `none`, `secret`, `certManager`, `loadBalancer`, `gateway` (its listener has it), `passthrough` (the Service has it) or `stable` (the
    /// Service that a canary belongs to has it).
    pub source: CertificateSource,
    /// The names of the secrets that hold it. What they contain is never read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// The issuer that cert-manager asks, as `Issuer NAME` or `ClusterIssuer NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

/// Where a certificate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum CertificateSource {
    /// There is no TLS.
    None,
    /// A secret that somebody else fills.
    Secret,
    /// A secret that cert-manager fills.
    CertManager,
    /// A load balancer in front of the controller.
    LoadBalancer,
    /// The listener of the Gateway.
    Gateway,
    /// The Service, where TLS ends.
    Passthrough,
    /// The Service that a canary belongs to.
    Stable,
}

/// What ExternalDNS publishes, where it runs.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Dns {
    /// The hosts that it publishes.
    pub hosts: Vec<String>,
    /// What the records lead to, where an annotation says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The time to live of the records, where an annotation says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
    /// The annotation by which it leaves the objects out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out_by: Option<String>,
}

/// A canary, and the requests that it gets.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Canary {
    /// The other Service, in the same namespace: of a canary the stable one, and of that the canary.
    pub service: String,
    /// The percentage of the requests that the canary gets, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u8>,
    /// The header that sends a request to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The value of the header; without one it is `always`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_value: Option<String>,
    /// The cookie that sends a request to it, if its value is `always`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
}

/// What would be different if another target exposed a Service.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Migration {
    /// The worst of what would happen.
    pub result: MigrationResult,
    /// Its URL there, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who would serve it there.
    pub served_by: Vec<Served>,
    /// What is said in other words, works in another way, is lost, would be open or refused.
    #[serde(flatten)]
    pub changes: Changes,
}

/// What a migration comes to; a later one is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum MigrationResult {
    /// Nothing is different but words.
    Same,
    /// Something works in another way.
    Differs,
    /// Something is lost.
    Loses,
    /// It is less protected.
    Opens,
    /// It is refused.
    Refused,
}

/// What the controller did about a Service.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// Whether every object is as it is to be.
    pub state: ClusterState,
    /// What was not written and why, as the API server or the controller said it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What became of the objects of a Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum ClusterState {
    /// All are as they are to be.
    InSync,
    /// Something is to be written.
    Pending,
    /// Something could not be written.
    Failed,
}

/// A Service that asks to be exposed and is not.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// The namespace of the Service; empty where it names none.
    pub namespace: String,
    /// Its name; empty where it has none.
    pub service: String,
    /// Whether it could be exposed if the others were not there.
    pub conflict: bool,
    /// Everything that is said about it: errors, then warnings, then infos.
    pub findings: Vec<Finding>,
}

/// What is said about a Service that is not refused.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// The namespace of the Service; empty where it names none.
    pub namespace: String,
    /// Its name.
    pub service: String,
    /// What is said.
    #[serde(flatten)]
    pub finding: Finding,
}

/// What is said about a Service.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// `error`, `warning` or `info`.
    pub severity: &'static str,
    /// What kind of finding it is; `xposer explain CODE` explains it.
    pub code: &'static str,
    /// The annotation, field or setting that it is about.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Where that is written, if it came from a file.
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

/// What several Services ask for and one of them at most can have.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// What they ask for: a host and path, or a kind, a namespace and a name.
    pub claim: String,
    /// The Services that ask for it.
    pub services: Vec<Claimant>,
}

/// A Service that asks for something that others ask for, too.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Claimant {
    /// The namespace of the Service; empty where it names none.
    pub namespace: String,
    /// Its name.
    pub service: String,
    /// Whether it is exposed, as the oldest of them; of files, none is.
    pub exposed: bool,
}

/// A host that does not belong to the namespace of its Service.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ForeignHost {
    /// The namespace of the Service; empty where it names none.
    pub namespace: String,
    /// Its name.
    pub service: String,
    /// The host.
    pub host: String,
    /// Whom it belongs to, or not.
    pub message: String,
    /// Where that is written, if it came from a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// What is not in a report because it would be too long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// The most entries that each list may have.
    pub limit: usize,
    /// The Services that were not looked at, and are in no number of the summary.
    pub services: usize,
    /// The rows that are left out.
    pub rows: usize,
    /// The refused Services that are left out.
    pub refused: usize,
    /// The findings that are left out, also those of refused Services.
    pub findings: usize,
    /// The conflicts and foreign hosts that are left out.
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

named!(Row, Refused, Told, Claimant, ForeignHost);

impl RowTarget {
    /// The attachment of an object that names none.
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
