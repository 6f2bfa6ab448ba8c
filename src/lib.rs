//! Turns an annotated Kubernetes Service into the Ingress, HTTPRoute or Route that exposes it, and the other objects that belong to
//! it. The transformation is a pure function, and its diagnostics are in plain words.
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
//!     Outcome::Refused(report) | Outcome::Conflicting(report) => panic!("{report}"),
//!     Outcome::NotExposed { .. } => panic!("the label is there"),
//! }
//! ```
//!
//! Data flows one way: `service` and `options` read a Service and the settings, `resolve` makes a [`Plan`] of them, `check` runs
//! the rules on the plan, `conflicts` compares the plan with other plans, and `emit` writes its objects. Every stage files its
//! findings into one [`Report`] and continues with the values that it could read. [`expose`] returns a plan only if no Error was
//! filed.
//!
//! The crate root exports the types that most programs need. The types of a plan, of a finding or of an option are in the module of
//! that name.
//!
//! The feature `k8s-openapi`, which is off by default, adds the typed API: `Service::from_typed` reads the `Service` of the crate
//! `k8s_openapi`, and `Plan::typed_ingress` returns its `Ingress`.

mod check;
pub mod conflicts;
pub mod diagnostics;
mod dialect;
pub mod emit;
mod explain;
pub mod guard;
mod intents;
pub mod options;
pub mod plan;
mod resolve;
pub mod service;
pub mod template;
pub mod testing;
mod trial;
pub mod validation;
pub mod values;

pub use conflicts::Precedence;
pub use diagnostics::{Code, Diagnostic, Report, Severity};
pub use emit::{Object, emit_all};
pub use options::Settings;
pub use plan::Plan;
pub use service::{Service, is_service};
pub use values::Target;

use diagnostics::{FieldPath, Problem};
use emit::stamp;
use options::annotations;
use service::FORWARD_ANNOTATION;
use validation::MAX_ANNOTATIONS;

/// Items that the other crates of this repository and its tests need. This module may change in any release.
#[doc(hidden)]
pub mod internal {
    pub use crate::check::protects::{
        Access, LostDefault, LostProtection, access, access_level, is_only_assumed, lost_defaults,
        lost_lines, lost_listeners, lost_protections, may_protect_less,
    };
    pub use crate::check::{Rule, rules};
    pub use crate::conflicts::claims::MAX_NAMED;
    pub use crate::conflicts::contested::{Contested, contested};
    pub use crate::conflicts::rivals::lone_canary;
    pub use crate::diagnostics::suggestion::did_you_mean;
    pub use crate::diagnostics::text::{
        escaped, is_hidden, joined, shortened, start_of_difference, type_name, with_rest,
    };
    pub use crate::dialect::access::AccessLevel;
    pub use crate::dialect::controller::Controller;
    pub use crate::dialect::external_dns::opts_out;
    pub use crate::dialect::known_keys::{KnownKey, known_keys};
    pub use crate::dialect::legacy;
    pub use crate::dialect::mappings::{IntentMapping, Proof};
    pub use crate::dialect::nginx::keys::Risk;
    pub use crate::dialect::nginx::read::intent_of_name;
    pub use crate::dialect::nginx::reference::{NginxKey, nginx_keys};
    pub use crate::dialect::nginx::write::CANARY_OPTIONS;
    pub use crate::dialect::nginx::{CANARY, CANARY_WEIGHT_TOTAL, weight_total};
    pub use crate::dialect::support::Support;
    pub use crate::dialect::tools::{About, about, tool_of_label};
    pub use crate::dialect::{protects, turns_redirect_off};
    pub use crate::explain::facts::{
        Certificate, Dns, certificate, certificate_at, dns_records, profile, route_urls,
    };
    pub use crate::explain::programs::{IntentSupport, Meaning, ServedTarget, meanings, servers};
    pub use crate::explain::trace::{Traced, trace};
    pub use crate::intents::Intent;
    pub use crate::options::profiles;
    pub use crate::resolve::tls::host_in_name;
    pub use crate::service::keys::{READ, reads_annotation, reads_label};
    pub use crate::values::set;

    /// The lines of the annotation that forwards annotations.
    pub mod block {
        pub use crate::options::block::{Block, Line, parse};
    }

    /// The functions of templates.
    pub mod functions {
        pub use crate::template::functions::{Function, Val, all, find};
    }
}

/// The decision about a Service.
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
pub enum Outcome {
    /// The Service does not ask to be exposed.
    NotExposed {
        /// Warnings, if the Service looks as if its author meant to ask.
        report: Option<Report>,
    },
    /// The Service asks, but it cannot be exposed: the report has at least one Error.
    Refused(Report),
    /// The Service could be exposed alone, but not together with the others that [`expose_all`] was given: the report has at least
    /// one Error.
    Conflicting(Report),
    /// The Service will be exposed: the report has no Error.
    Planned {
        /// The objects that will be made.
        plan: Box<Plan>,
        /// Warnings and Infos.
        report: Report,
    },
}

impl Outcome {
    /// The findings; `None` if the Service does not ask to be exposed and nothing shows that its author meant to ask.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        match self {
            Self::NotExposed { report } => report.as_ref(),
            Self::Refused(report) | Self::Conflicting(report) | Self::Planned { report, .. } => Some(report),
        }
    }

    /// The plan, if there is one.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        match self {
            Self::Planned { plan, .. } => Some(plan),
            Self::NotExposed { .. } | Self::Refused(_) | Self::Conflicting(_) => None,
        }
    }

    /// Whether the Service asks to be exposed and is not, because of its own Errors or because of other Services.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::{Service, Settings, expose};
    /// let service = json!({"metadata": {"name": "web", "labels": {"expose": "true"}}});
    /// assert!(expose(&Service::from_value(&service), &Settings::default()).is_refused());
    /// ```
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Conflicting(_))
    }
}

/// Decides whether and how one Service is exposed. The function is total and deterministic: it never fails and never panics, and
/// the same input gives the same output. The report of the [`Outcome`] has everything that is wrong.
///
/// A Service with annotations of more than [`validation::MAX_ANNOTATIONS`] bytes is refused before anything else is read, and one
/// with annotations that are no mapping before anything is rendered.
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
pub fn expose(service: &Service<'_>, settings: &Settings) -> Outcome {
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
    if service.has_unreadable_annotations {
        return Outcome::Refused(report);
    }
    let (own, forwarded) = &annotations::read(service, settings, &mut report);
    let Some((layers, profile)) = resolve::layers(service, settings, own, &mut report) else {
        for problem in &forwarded.malformed {
            report.file(FieldPath::annotation(FORWARD_ANNOTATION), problem.clone());
        }
        return Outcome::Refused(report);
    };
    let mut plan = resolve::resolve(service, settings, layers, forwarded, &mut report);
    plan.profile = profile.map(Box::new);
    check::check(service, settings, layers, forwarded, &plan, &mut report);
    if report.has_errors() {
        return Outcome::Refused(report);
    }
    if settings.stamp {
        stamp::check_room(&plan, &mut report);
    }
    Outcome::Planned { plan, report }
}

/// Decides about several Services of one cluster. First each Service is decided alone and in order, as by [`expose`]. Then the
/// claims of all of them are compared: two Services may claim an object of the same name ([`Code::NameClaimed`]), a host and path
/// ([`Code::RouteClaimed`]), a secret ([`Code::SecretShared`]), or a key of one URL ConfigMap ([`Code::UrlKeyClaimed`]), and one
/// Service may be given twice ([`Code::ServiceRepeated`]). `precedence` decides which Service wins a claim; the others get an Error
/// and become [`Outcome::Conflicting`].
///
/// Names are compared within a namespace, hosts and paths across all namespaces. An Exact path conflicts only with another Exact
/// path; slashes at the end of a Prefix path make no difference. Only Services that would be planned claim anything.
///
/// ```
/// use serde_json::json;
/// use xposer::{Outcome, Precedence, Service, Settings, expose_all};
/// let service = |name| json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]},
///     "metadata": {"name": name, "namespace": "shop", "labels": {"expose": "true"},
///         "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "shop.example.com"}}});
/// let (first, second) = (service("web"), service("api"));
/// let services = [Service::from_value(&first), Service::from_value(&second)];
/// let outcomes = expose_all(&services, &Settings::default(), Precedence::RefuseAll);
/// assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Conflicting(_))));
/// let report = outcomes[0].report().unwrap();
/// assert_eq!(report.diagnostics()[0].message, "`shop.example.com/` is also claimed by Service shop/api");
/// ```
#[must_use]
pub fn expose_all(services: &[Service<'_>], settings: &Settings, precedence: Precedence) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = services.iter().map(|service| expose(service, settings)).collect();
    let planned = services.iter().zip(&outcomes).enumerate();
    let planned =
        planned.filter_map(|(at, (service, outcome))| Some((at, service.created(), outcome.plan()?)));
    let (mut positions, mut created, mut plans) = (Vec::new(), Vec::new(), Vec::new());
    for (at, time, plan) in planned {
        positions.push(at);
        created.push(time);
        plans.push(plan);
    }
    // Without a cluster, the caller has the files of all Services, so each message may name the others. In a cluster, a message
    // goes to the owners of one Service, and only the setting allows it to name the Services of other namespaces.
    let naming = if settings.names_others() || precedence == Precedence::RefuseAll {
        conflicts::Naming::All
    } else {
        conflicts::Naming::OwnNamespace
    };
    let refused = services.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_refused());
    let refused = refused.map(|(service, _)| (service.namespace(), service.name())).collect();
    for (place, conflicts) in conflicts::decide(&plans, &refused, &created, precedence, (settings, naming)) {
        let Some(outcome) = positions.get(place).and_then(|at| outcomes.get_mut(*at)) else { continue };
        if let Outcome::Planned { report, .. } = outcome {
            report.merge_over(conflicts);
            if report.has_errors() {
                *outcome = Outcome::Conflicting(std::mem::take(report));
            }
        }
    }
    outcomes
}
