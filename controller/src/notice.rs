//! The texts of notices for the owners of Services.

use std::sync::Arc;
use std::time::Duration;

use xposer::emit::URL_CONFIG_MAP;
use xposer::internal::{shortened, with_rest};
use xposer::service::ADOPT_ANNOTATION;
use xposer::{Code, Diagnostic, Severity};
use xposer_live::keys::{ObjectKey, ServiceKey};
use xposer_live::kinds::{self, Kind};

use crate::watch::KindStatus;

/// The maximum size of a note that the API server accepts, in bytes (`k8s.io/kubernetes/pkg/apis/core/validation/events.go`).
pub(crate) const MAX_NOTE_BYTES: usize = 1024;
/// The reason of the notice that a kept object is deleted although its successors do not serve yet.
const TIMED_OUT: &str = "HandoverTimedOut";
/// The reason of the notice that an object is as desired, and that its controller refuses it.
const NOT_SERVED: &str = "NotServed";
/// The reason of the notice that the Gateway of an HTTPRoute does not exist.
const GATEWAY_NOT_FOUND: &str = "GatewayNotFound";

/// A message for the owner of a Service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Notice {
    /// The reason in PascalCase: a code of the core, or a reason of the controller.
    pub(crate) reason: String,
    pub(crate) note: String,
    /// Whether the notice describes a condition, which is sent once as long as it holds. Otherwise it describes an event.
    pub(crate) is_condition: bool,
    pub(crate) is_warning: bool,
    /// The only Service that gets the notice, if the key of the reconciliation concerns several Services.
    pub(crate) only: Option<Arc<ServiceKey>>,
    /// The code and severity, if the notice is a diagnostic of the core.
    pub(crate) code: Option<(Code, Severity)>,
}

/// A notice, and the Service whose owner gets it.
#[derive(Clone, Debug)]
pub(crate) struct ServiceNotice {
    pub(crate) service: Arc<ServiceKey>,
    pub(crate) uid: Box<str>,
    pub(crate) notice: Notice,
}

impl Notice {
    fn event(reason: &str, note: String) -> Self {
        Self {
            reason: reason.to_owned(),
            note,
            is_condition: false,
            is_warning: false,
            only: None,
            code: None,
        }
    }

    /// A warning about a condition that remains until somebody fixes it.
    fn warning(reason: &str, note: String) -> Self {
        Self { is_condition: true, is_warning: true, ..Self::event(reason, note) }
    }

    /// A notice with a diagnostic of the core.
    pub(crate) fn diagnostic(diagnostic: &Diagnostic) -> Self {
        let prefix = if diagnostic.severity == Severity::Warning { "warning: " } else { "" };
        let message = format!("{prefix}{}: {}", diagnostic.path, diagnostic.message);
        let note = shortened(&message, diagnostic.help.as_deref(), MAX_NOTE_BYTES);
        let code = Some((diagnostic.code, diagnostic.severity));
        Self { code, ..Self::warning(&pascal_case(diagnostic.code.slug()), note) }
    }

    /// An object of another owner has the name of a desired one.
    pub(crate) fn foreign(object: &ObjectKey, message: Option<&str>) -> Self {
        let message = message.map(|message| format!(" ({message})")).unwrap_or_default();
        let help = format!(
            "choose another name, or annotate that object with {ADOPT_ANNOTATION}: <name of the Service>"
        );
        Self::warning(
            "ForeignObject",
            format!("{object} belongs to another owner and was not changed{message}; {help}"),
        )
    }

    /// Another manager has a key of the URL ConfigMap. The namespace is `None` if the notice must not name it.
    pub(crate) fn foreign_key(namespace: Option<&str>, key: &str, service: Arc<ServiceKey>) -> Self {
        let (map, help) = match namespace {
            Some(namespace) => {
                (format!("{namespace}/{URL_CONFIG_MAP}"), "remove it there, or rename the Service")
            }
            None => (elsewhere(), "rename the Service"),
        };
        let note =
            format!("the key {key} of ConfigMap {map} belongs to another owner and was not changed; {help}");
        Self { only: Some(service), ..Self::warning("ForeignObject", note) }
    }

    /// The same notice without the namespace of the URL ConfigMap, for owners who must not see its name.
    pub(crate) fn without_namespace(notice: &Self) -> Self {
        let note = format!("ConfigMap {} cannot be changed; tell your administrator", elsewhere());
        Self { note, ..notice.clone() }
    }

    /// The API server refused a request.
    pub(crate) fn apply_failed(object: Option<&ObjectKey>, message: &str) -> Self {
        let what = object.map_or_else(|| "the Service".to_owned(), ToString::to_string);
        let help = object.filter(|object| kinds::is_missing_permission(object.kind, message));
        let help = help.and_then(|object| kinds::permission_help(object.kind));
        let help = help.map(|help| format!("; {help}")).unwrap_or_default();
        Self::warning("ApplyFailed", format!("the API server refused to change {what}: {message}{help}"))
    }

    /// The reason why objects of a kind cannot be written; `None` if they can be, or if it is not known yet.
    pub(crate) fn kind_status(kind: Kind, status: &KindStatus) -> Option<Self> {
        let name = kind.as_str();
        match status {
            KindStatus::Unknown | KindStatus::Listed => None,
            KindStatus::NotServed => {
                let what = if kinds::is_auxiliary(kind) {
                    format!(
                        "this cluster has no {name}, so the object that it protects is not written; install its definition, or remove the option that needs it"
                    )
                } else {
                    format!("this cluster has no {name}; install its definition, or remove the target")
                };
                let help = kinds::permission_help(kind).map(|help| format!("; for the permission, {help}"));
                Some(Self::warning("KindNotServed", what + &help.unwrap_or_default()))
            }
            KindStatus::Forbidden(message) => {
                let help = kinds::permission_help(kind).map(|help| format!("; {help}"));
                let help = help.unwrap_or_default();
                let what = kinds::resource(kind).plural;
                Some(Self::warning("ApplyFailed", format!("no permission to list {what}{help} ({message})")))
            }
            KindStatus::ListFailed(message) => Some(Self::warning(
                "ApplyFailed",
                format!("the {} of the cluster cannot be listed: {message}", kinds::resource(kind).plural),
            )),
        }
    }

    pub(crate) fn applied(object: &ObjectKey, is_new: bool, adopted: bool) -> Self {
        match (is_new, adopted) {
            (true, _) => Self::event("Created", format!("{object} is created")),
            (_, true) => Self::event("Adopted", format!("{object} is adopted")),
            _ => Self::event("Updated", format!("{object} is updated")),
        }
    }

    pub(crate) fn deleted(object: &ObjectKey) -> Self {
        Self::event("Deleted", format!("{object} is deleted"))
    }

    /// The controller that serves an object refuses it; `server` tells which controller, and how it is known.
    pub(crate) fn not_served(object: &ObjectKey, refusal: &str, server: Option<&str>) -> Self {
        let server = server.map(|server| format!("; its program is {server}")).unwrap_or_default();
        // The refusal is a text of another program, so its length is limited.
        let refusal = shortened(refusal, None, MAX_NOTE_BYTES.saturating_sub(server.len() + 256));
        Self::warning(NOT_SERVED, format!("{object} {} {refusal}{server}", does_not_serve(object.kind)))
    }

    /// An Ingress has no address, and no controller is known to serve its class.
    pub(crate) fn class_unknown(object: &ObjectKey, class: &str) -> Self {
        let note = format!(
            "{object} {}; there is no IngressClass {class:?}, and no program is known for that name; correct the class, or name its program in the setting `controllers`",
            does_not_serve(object.kind)
        );
        Self::warning(NOT_SERVED, note)
    }

    /// The Gateway of an HTTPRoute does not exist.
    pub(crate) fn gateway_not_found(object: &ObjectKey, namespace: &str, name: &str) -> Self {
        let note = format!(
            "{object} belongs to the Gateway {namespace}/{name}, which does not exist; create it, or correct \
             `parentRefs`"
        );
        Self::warning(GATEWAY_NOT_FOUND, note)
    }

    // Objects that are kept until their successors serve.

    /// An object that is no longer desired is kept until these objects serve.
    pub(crate) fn kept(object: &ObjectKey, awaited: &[ObjectKey], timeout: Duration) -> Self {
        let until = join(awaited, |key| format!("{key} {}", serves(key.kind)));
        let note = format!("{object} is kept until {until}, {} s at most", timeout.as_secs());
        Self { is_condition: true, ..Self::event("Kept", note) }
    }

    /// A desired object has the name of an object of another Service, which is kept.
    pub(crate) fn kept_by(object: &ObjectKey, other: &ServiceKey) -> Self {
        let note = format!(
            "{object} is still kept for Service {other}, and is created for this one after its deletion"
        );
        Self { is_condition: true, ..Self::event("Kept", note) }
    }

    /// A kept object is deleted, because these objects serve.
    pub(crate) fn replaced(object: &ObjectKey, awaited: &[ObjectKey]) -> Self {
        let now = join(awaited, |key| format!("{key} {}", serves(key.kind)));
        Self::event("Deleted", format!("{object} is deleted: {now}"))
    }

    /// A kept object is deleted, because these objects cannot serve as long as it exists.
    pub(crate) fn blocking(object: &ObjectKey, blocked: &[ObjectKey]) -> Self {
        let blocked = join(blocked, ToString::to_string);
        Self::event("Deleted", format!("{object} is deleted: {blocked} cannot be admitted while it exists"))
    }

    /// A kept object is deleted, although these objects do not serve yet.
    pub(crate) fn timed_out(object: &ObjectKey, missing: &[ObjectKey], timeout: Duration) -> Self {
        let missing = join(missing, |key| format!("{key} {}", does_not_serve(key.kind)));
        let note = format!("after {} s {missing}; {object} is deleted nevertheless", timeout.as_secs());
        Self { is_warning: true, ..Self::event(TIMED_OUT, note) }
    }

    /// An object is deleted before its successor exists, because the successor was refused with this message.
    pub(crate) fn deleted_first(object: &ObjectKey, new: &ObjectKey, message: &str) -> Self {
        let note =
            format!("{object} is deleted before {new} exists, which was refused because of it: {message}");
        Self { is_warning: true, ..Self::event("Deleted", note) }
    }

    /// Whether the notice reports that something could not be written.
    pub(crate) fn is_failure(&self) -> bool {
        let is_about_others = [NOT_SERVED, GATEWAY_NOT_FOUND].contains(&self.reason.as_str());
        self.is_condition && self.is_warning && self.code.is_none() && !is_about_others
    }

    /// Whether the notice reports that a handover timed out.
    pub(crate) fn is_timeout(&self) -> bool {
        self.reason == TIMED_OUT
    }
}

/// The phrase of a note about an object of this kind that serves.
fn serves(kind: Kind) -> &'static str {
    match kind {
        Kind::HttpRoute => "is accepted",
        Kind::Route => "is admitted",
        Kind::ListenerSet => "is programmed",
        _ => "has an address",
    }
}

/// The phrase of a note about an object of this kind that does not serve.
fn does_not_serve(kind: Kind) -> &'static str {
    match kind {
        Kind::HttpRoute | Kind::SecurityPolicy | Kind::BackendTrafficPolicy | Kind::HttpRouteFilter => {
            "is not accepted"
        }
        Kind::Route => "is not admitted",
        Kind::ListenerSet => "is not programmed",
        _ => "has no address",
    }
}

/// At most three objects as text, and the number of further objects.
fn join(keys: &[ObjectKey], text: impl Fn(&ObjectKey) -> String) -> String {
    with_rest(keys.iter().take(3).map(text).collect(), keys.len(), " and ")
}

/// Converts `host-uppercase` to `HostUppercase`.
fn pascal_case(slug: &str) -> String {
    let mut upper = true;
    let letter = |letter: char| {
        if letter == '-' {
            upper = true;
            return None;
        }
        Some(if std::mem::take(&mut upper) { letter.to_ascii_uppercase() } else { letter })
    };
    slug.chars().filter_map(letter).collect()
}

/// The URL ConfigMap of a namespace that the notice must not name.
fn elsewhere() -> String {
    format!("{URL_CONFIG_MAP} of another namespace")
}

#[cfg(test)]
mod tests {
    use super::*;
    use xposer::Report;
    use xposer::diagnostics::{FieldPath, Problem, Subject};

    #[test]
    fn a_code_becomes_a_reason() {
        assert_eq!(pascal_case("host-uppercase"), "HostUppercase");
        for code in Code::ALL {
            assert!(pascal_case(code.slug()).len() <= 128);
        }
    }

    #[test]
    fn a_refusal_for_want_of_a_permission_names_the_component() {
        let route = ObjectKey { kind: Kind::HttpRoute, namespace: "shop".into(), name: "web".into() };
        let forbidden = "httproutes.gateway.networking.k8s.io \"web\" is forbidden: User \"xposer\" cannot patch resource \
                         \"httproutes\" in API group \"gateway.networking.k8s.io\" in the namespace \"shop\"";
        let Notice { note, .. } = Notice::apply_failed(Some(&route), forbidden);
        let help = "; add the component `httproute` of deploy/controller, or set `targets.httpRoute: true` in the values of the \
                    chart";
        assert!(note.ends_with(help), "{note}");
        // A refusal of a webhook or a quota is not about the roles.
        let denied = "admission webhook \"hosts.example.com\" denied the request: the host is forbidden";
        assert!(!Notice::apply_failed(Some(&route), denied).note.contains("component"));
        assert!(!Notice::apply_failed(None, forbidden).note.contains("component"));
    }

    #[test]
    fn a_long_note_is_cut_and_keeps_its_help() {
        let mut report = Report::new(Subject::default(), false);
        let problem = Problem::new(Code::AnnotationUnknown, "ä".repeat(600)).help("remove it");
        report.file(FieldPath::annotation("a"), problem);
        let Notice { note, .. } = Notice::diagnostic(&report.diagnostics()[0]);
        assert!(note.len() <= MAX_NOTE_BYTES && note.ends_with("ä...; remove it"), "{note}");
        assert!(note.starts_with("warning: metadata.annotations.a: ä"), "{note}");
    }
}
