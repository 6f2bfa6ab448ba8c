//! An annotated Kubernetes Service becomes its Ingress: a pure function, with diagnostics in plain words.
//!
//! ```
//! use serde_json::json;
//! use xposer::{Outcome, Service, Settings, expose};
//!
//! let service = json!({
//!     "apiVersion": "v1", "kind": "Service",
//!     "metadata": {
//!         "name": "forecastle", "namespace": "tools", "labels": {"expose": "true"},
//!         "annotations": {
//!             "config.xposer.stakater.com/IngressURLTemplate": "{{.Service}}.{{.Domain}}",
//!             "config.xposer.stakater.com/Domain": "company.com",
//!         },
//!     },
//!     "spec": {"ports": [{"port": 80}]},
//! });
//! match expose(&Service::from_value(&service), &Settings::default()) {
//!     Outcome::Planned { plan, report } => {
//!         assert_eq!(plan.url(), "http://forecastle.company.com");
//!         assert_eq!(plan.emit().objects[0].to_value()["spec"]["rules"][0]["host"], "forecastle.company.com");
//!         assert!(report.is_empty());
//!     }
//!     Outcome::Refused(report) => panic!("{report}"),
//!     Outcome::NotExposed { .. } => panic!("the label is there"),
//! }
//! ```
//!
//! Data flows one way: `input` and `settings` are read, `request` collects what the annotations say, `resolve` renders
//! it into a draft, `check` asks the rules, `plan` names the objects and `emit` writes them. Every stage files into one
//! [`Report`] and goes on with what it has; a plan exists only if no Error was filed.
//!
//! The feature `k8s-openapi`, which is off by default, adds the typed door: `Service::from_typed` reads the `Service`
//! of the crate `k8s_openapi`, and `Plan::typed_ingress` gives its `Ingress`.

mod check;
mod diagnostics;
pub mod dialect;
mod emit;
pub mod options;
mod plan;
mod resolve;
mod service;
pub mod template;
pub mod testing;
mod trial;
pub mod validation;

pub use check::{Route, Rule, rules};
pub use diagnostics::{
    Code, Diagnostic, FieldPath, MAX_PER_CODE, Origin, Problem, Report, Root, Segment, Severity, Sourced,
    Subject, UnknownWord, did_you_mean, shortened,
};
pub use emit::{
    Emitted, Kind, KindRow, MANAGED_BY, MANAGED_BY_LABEL, Object, Permission, SERVICE_LABEL, URL_CONFIG_MAP,
    emit_all,
};
pub use options::annotations::{Key, keys};
pub use options::{Form, Setting, Settings, Target, settings};
pub use plan::{Claim, IngressPlan, MAX_NAMED, Plan, Published};
pub use resolve::trace::{Traced, trace};
pub use resolve::{Annotation, Canary, Monitor, PUBLISH_KEY, Scope};
pub use service::{
    CONFIG_PREFIX, EXPOSE_LABEL, FORWARD_ANNOTATION, Port, PortRef, PortRefError, READ, Service, ServiceKind,
    is_service, reads_annotation, reads_label,
};
pub use validation::{Hostname, ObjectName, PathType, UrlPath};

pub use emit::stamp;

use validation::MAX_ANNOTATIONS;

/// What becomes of a Service.
///
/// ```
/// use serde_json::json;
/// use xposer::{Outcome, Service, Settings, expose};
/// let service = json!({"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}});
/// let outcome = expose(&Service::from_value(&service), &Settings::default());
/// assert!(matches!(outcome, Outcome::NotExposed { report: None }));
/// assert!(outcome.report().is_none() && outcome.plan().is_none());
/// let service = json!({"metadata": {"name": "web", "labels": {"expose": "True"}}});
/// let outcome = expose(&Service::from_value(&service), &Settings::default());
/// assert!(outcome.report().is_some_and(|report| report.diagnostics()[0].code == xposer::Code::AskedWrongly));
/// ```
#[derive(Clone, Debug)]
pub enum Outcome<'a> {
    /// It does not ask to be exposed.
    NotExposed {
        /// Warnings, where it looks as if it meant to ask.
        report: Option<Report>,
    },
    /// It asks, but it cannot be exposed: the report has at least one Error.
    Refused(Report),
    /// It will be exposed: the report has no Error.
    Planned {
        /// What will be made.
        plan: Box<Plan<'a>>,
        /// Warnings and Infos.
        report: Report,
    },
}

impl<'a> Outcome<'a> {
    /// The findings; `None` where the Service does not ask, and nothing says that it meant to.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        match self {
            Self::NotExposed { report } => report.as_ref(),
            Self::Refused(report) | Self::Planned { report, .. } => Some(report),
        }
    }

    /// The plan, if there is one.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan<'a>> {
        match self {
            Self::Planned { plan, .. } => Some(plan),
            Self::NotExposed { .. } | Self::Refused(_) => None,
        }
    }
}

/// Decides what becomes of one Service. Total and deterministic: it never fails and never panics, and the same input
/// gives the same output. What is wrong is said in the report of the [`Outcome`].
///
/// Annotations of more than [`validation::MAX_ANNOTATIONS`] bytes are refused before anything else is looked at, and
/// annotations that are no mapping before anything is rendered.
///
/// ```
/// use serde_json::json;
/// use xposer::{Plan, Service, Settings, expose, testing};
/// let service = testing::service(&[]);
/// let settings = Settings::from_value(&json!({"domain": "example.com"}))?;
/// let outcome = expose(&Service::from_value(&service), &settings);
/// assert_eq!(outcome.plan().map(Plan::url).as_deref(), Some("http://web.shop.example.com"));
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn expose<'a>(service: &Service<'a>, settings: &Settings) -> Outcome<'a> {
    if !service.is_exposed() {
        return Outcome::NotExposed { report: service.hints() };
    }
    let mut report = Report::new(service.subject(), settings.strict);
    if service.annotation_bytes() > MAX_ANNOTATIONS {
        let said = format!(
            "the annotations have {} bytes, the API server allows {MAX_ANNOTATIONS}",
            service.annotation_bytes()
        );
        let problem = Problem::new(Code::AnnotationsTooLarge, said).help("shorten the annotations");
        report.file(FieldPath::object(&["metadata", "annotations"]), problem);
        return Outcome::Refused(report);
    }
    service.file_problems(&mut report);
    if service.is_unusable {
        return Outcome::Refused(report);
    }
    let request = options::annotations::Request::read(service, &mut report);
    let Some((layers, _profile)) = resolve::layers(service, settings, &request, &mut report) else {
        for problem in request.malformed {
            report.file(FieldPath::annotation(FORWARD_ANNOTATION), problem);
        }
        return Outcome::Refused(report);
    };
    let draft = resolve::resolve(service, settings, layers, &request, &mut report);
    match check::check(service, settings, layers, &request, draft, &mut report) {
        Some(exposure) => {
            let plan = Box::new(Plan::new(service, exposure));
            if settings.stamp {
                stamp::check_room(&plan, &mut report);
            }
            Outcome::Planned { plan, report }
        }
        None => Outcome::Refused(report),
    }
}

/// Decides what becomes of several Services that live in one cluster: like [`expose`] for each, in order, but an
/// Ingress name or a host and path that two of them claim is an Error on both ([`Code::NameClaimed`],
/// [`Code::RouteClaimed`]). So is a key that two of them would write into one URL ConfigMap ([`Code::UrlKeyClaimed`]),
/// and a Service that is given twice ([`Code::ServiceRepeated`]).
///
/// Names are compared within a namespace, hosts and paths across all of them. An Exact path stands in nobody's way but
/// another Exact one's; slashes at the end of a Prefix path make no difference. Only Services that would be planned
/// claim anything.
///
/// ```
/// use serde_json::json;
/// use xposer::{Outcome, Service, Settings, expose_all};
/// let service = |name| json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]},
///     "metadata": {"name": name, "namespace": "shop", "labels": {"expose": "true"},
///         "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "shop.example.com"}}});
/// let (first, second) = (service("web"), service("api"));
/// let services = [Service::from_value(&first), Service::from_value(&second)];
/// let outcomes = expose_all(&services, &Settings::default());
/// assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Refused(_))));
/// let report = outcomes[0].report().unwrap();
/// assert_eq!(report.diagnostics()[0].message, "`shop.example.com/` is also asked for by Service shop/api");
/// ```
#[must_use]
pub fn expose_all<'a>(services: &[Service<'a>], settings: &Settings) -> Vec<Outcome<'a>> {
    let mut outcomes: Vec<Outcome<'a>> = services.iter().map(|service| expose(service, settings)).collect();
    let planned: Vec<(usize, &Plan<'a>)> =
        outcomes.iter().enumerate().filter_map(|(index, outcome)| Some((index, outcome.plan()?))).collect();
    let places: Vec<usize> = planned.iter().map(|(index, _)| *index).collect();
    let plans: Vec<&Plan<'a>> = planned.into_iter().map(|(_, plan)| plan).collect();
    for (place, conflicts) in plan::conflicts(&plans) {
        let Some(outcome) = places.get(place).and_then(|index| outcomes.get_mut(*index)) else { continue };
        if let Outcome::Planned { report, .. } = outcome {
            report.merge(conflicts);
            if report.has_errors() {
                *outcome = Outcome::Refused(std::mem::take(report));
            }
        }
    }
    outcomes
}
