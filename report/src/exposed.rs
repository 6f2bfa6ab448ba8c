//! Makes the row of an exposed Service from its plan.

use xposer::internal::{self, AccessLevel, route_urls, servers, shortened};
use xposer::service::PortRef;
use xposer::values::ParentRef;
use xposer::{Plan, Target};

use crate::model::{Access, Canary, Certificate, CertificateSource, Dns, Protection, Row, RowTarget, Url};

/// The maximum size of a value, in bytes.
const MAX_VALUE: usize = 200;

/// The access through a target.
pub(crate) fn of_level(level: AccessLevel) -> Access {
    match level {
        AccessLevel::Restricted => Access::Restricted,
        AccessLevel::NotKnown => Access::NotKnown,
        AccessLevel::Open => Access::Open,
    }
}

/// A canary, as a row of the report shows it.
pub(crate) fn canary_of(service: &str, canary: &xposer::plan::Canary) -> Canary {
    Canary {
        service: service.to_owned(),
        weight: canary.weight,
        header: canary.header.clone(),
        header_value: canary.header_value.clone(),
        cookie: canary.cookie.clone(),
    }
}

/// The row of an exposed Service, without other Services.
pub(crate) fn row((namespace, service): (&str, &str), plan: &Plan, access: Access) -> Row {
    let protections = internal::access(plan);
    let targets = plan.targets().iter().map(|target| {
        let access = match plan.canary() {
            Some(_) => access,
            None => of_level(internal::access_level(&protections, *target)),
        };
        row_target(plan, *target, access)
    });
    Row {
        namespace: namespace.to_owned(),
        service: service.to_owned(),
        urls: row_urls(plan),
        profile: internal::profile(plan).map(|(name, _)| name.to_owned()),
        targets: targets.collect(),
        certificate: certificate(internal::certificate(plan)),
        dns: dns(plan),
        monitor: plan.monitor_url(),
        access,
        protections: protections
            .iter()
            .filter(|it| !it.targets.is_empty())
            .map(|it| Protection {
                what: it.what.clone(),
                value: shortened(&it.value, None, MAX_VALUE),
                from: it.path.to_string(),
                targets: it.targets.iter().map(|target| target.as_str()).collect(),
                restricts: it.level == AccessLevel::Restricted,
            })
            .collect(),
        canary: plan.canary().map(|canary| canary_of(&canary.of, canary)),
        canaries: Vec::new(),
        migration: None,
        cluster: None,
    }
}

fn row_urls(plan: &Plan) -> Vec<Url> {
    let routes = plan.routes().iter().zip(route_urls(plan));
    let urls = routes.map(|(route, url)| Url {
        url,
        host: route.host.clone(),
        path: route.path.clone(),
        path_type: route.path_type.as_str(),
        port: match plan.port_of(route) {
            PortRef::Number(number) => number.to_string(),
            PortRef::Name(name) => name,
        },
    });
    urls.collect()
}

fn row_target(plan: &Plan, target: Target, access: Access) -> RowTarget {
    let program = servers(plan).into_iter().find(|program| program.target() == target);
    let program = program.map(|program| program.name().to_owned()).unwrap_or_default();
    let because = plan.server(target).unwrap_or_default();
    let because =
        because.strip_prefix(&program).map_or(because.as_str(), |rest| rest.trim_start_matches(", "));
    let attached_to = match target {
        Target::Ingress => plan.class_name().map(str::to_owned).into_iter().collect(),
        Target::HttpRoute => plan.parents().iter().map(|parent| parent_name(plan, parent)).collect(),
        Target::Route => Vec::new(),
    };
    let here = internal::certificate_at(plan, target);
    let is_other = here != internal::certificate(plan);
    RowTarget {
        kind: target.as_str(),
        attached_to,
        because: because.to_owned(),
        program,
        access,
        certificate: is_other.then(|| certificate(here)),
    }
}

/// A Gateway or a ListenerSet in words: `Gateway NAMESPACE/NAME`, and the listener in parentheses.
fn parent_name(plan: &Plan, parent: &ParentRef) -> String {
    let kind = parent.kind.as_deref().unwrap_or("Gateway");
    let namespace = parent.namespace.as_deref().or(plan.namespace());
    let namespace = namespace.map(|namespace| format!("{namespace}/")).unwrap_or_default();
    let listener = match (&parent.section_name, parent.port) {
        (Some(name), _) => format!(" ({name})"),
        (None, Some(port)) => format!(" ({port})"),
        (None, None) => String::new(),
    };
    format!("{kind} {namespace}{}{listener}", parent.name)
}

fn certificate(certificate: internal::Certificate) -> Certificate {
    let (source, secrets, issuer) = match certificate {
        internal::Certificate::None => (CertificateSource::None, Vec::new(), None),
        internal::Certificate::Secret { names } => (CertificateSource::Secret, names, None),
        internal::Certificate::CertManager { issuer, names } => {
            let issuer = issuer.map(|issuer| {
                format!("{} {}", if issuer.cluster { "ClusterIssuer" } else { "Issuer" }, issuer.name)
            });
            (CertificateSource::CertManager, names, issuer)
        }
        internal::Certificate::LoadBalancer => (CertificateSource::LoadBalancer, Vec::new(), None),
        internal::Certificate::Gateway => (CertificateSource::Gateway, Vec::new(), None),
        internal::Certificate::Passthrough => (CertificateSource::Passthrough, Vec::new(), None),
        internal::Certificate::Stable => (CertificateSource::Stable, Vec::new(), None),
    };
    Certificate { source, secrets, issuer }
}

fn dns(plan: &Plan) -> Dns {
    let internal::Dns { hosts, target, ttl, left_out_by } = internal::dns_records(plan);
    let short = |text: String| shortened(&text, None, MAX_VALUE);
    Dns { hosts, target: target.map(short), ttl: ttl.map(short), left_out_by }
}
