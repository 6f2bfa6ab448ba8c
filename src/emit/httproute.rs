//! `gateway.networking.k8s.io/v1` HTTPRoute of the Gateway API.
//!
//! TLS and certificates belong to the listeners of the Gateway. Hosts with the same paths share a route. A second route, at the
//! listeners without TLS, redirects requests to https.
//!
//! Fields that the API server would default are written out, so that the object in the cluster equals the emitted one.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use super::metadata::{Annotations, Metadata};
use super::{Emitting, Kind, Object, origin, remaining_percentage};
use crate::diagnostics::{Code, Problem, quoted};
use crate::dialect::envoy_gateway::write::cookie_filter;
use crate::dialect::external_dns;
use crate::dialect::gateway::regex::{Engine, engine};
use crate::dialect::gateway::write::{filters, path, redirect_code, timeouts};
use crate::dialect::write::is_about_link;
use crate::plan::{BackendPort, Plan, Route, numbered, redirect_route_name, redirect_to_https_name};
use crate::values::{ParentRef, Target, Tls};

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec<'p> {
    hostnames: Vec<Cow<'p, str>>,
    parent_refs: Vec<&'p ParentRef>,
    rules: Vec<Rule<'p>>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'p> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    backend_refs: Vec<BackendRef<'p>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    filters: Vec<Value>,
    matches: Vec<Match<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeouts: Option<Value>,
}

#[derive(Clone, Debug, Serialize)]
struct BackendRef<'p> {
    group: &'static str,
    kind: &'static str,
    name: &'p str,
    port: u16,
    weight: u8,
}

impl<'p> BackendRef<'p> {
    /// The backend of a plan, with its weight. A canary has the routes of its stable Service.
    fn new(plan: &'p Plan, route: &Route, weight: u8) -> Self {
        let is_same = |own: &&Route| own.host == route.host && own.path == route.path;
        let own = plan.rules.iter().find(is_same);
        let port = own.map_or(plan.port.as_ref(), |own| plan.backend_port(own));
        let port = port.map_or(0, BackendPort::number);
        Self { group: "", kind: "Service", name: plan.service(), port, weight }
    }
}

#[derive(Clone, Debug, Serialize)]
struct Match<'p> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headers: Vec<Header<'p>>,
    path: PathMatch<'p>,
}

#[derive(Clone, Debug, Serialize)]
struct Header<'p> {
    name: &'p str,
    r#type: &'static str,
    value: &'p str,
}

#[derive(Clone, Debug, Serialize)]
struct PathMatch<'p> {
    r#type: &'static str,
    value: Cow<'p, str>,
}

/// The HTTPRoutes of a plan; empty for a canary that is only a weight in the route of the stable Service.
pub(super) fn routes<'p>(emitting: &mut Emitting<'_, 'p>) -> Vec<Object<'p>> {
    let plan = emitting.plan;
    file_inexpressible_values(emitting);
    let mut routes = Vec::new();
    if plan.has_object(Target::HttpRoute) {
        let annotations = emitting.annotations();
        let stable = emitting.stable_plan();
        let canaries = emitting.canaries();
        for (index, (hosts, paths)) in plan.groups().into_iter().enumerate() {
            let rules = paths.iter().flat_map(|path| rules(plan, stable, path, &canaries)).collect();
            let name = numbered(plan.name(), index);
            let hostnames = hosts.into_iter().map(Cow::Borrowed).collect();
            let spec = Spec { hostnames, parent_refs: plan.parents().iter().collect(), rules };
            let mut annotations = annotations.clone();
            // A dashboard adds an entry for every route, and a Service needs only one.
            annotations.retain(|(key, _)| index == 0 || !is_about_link(key));
            routes.push(object(Metadata::new(plan, name, annotations), spec));
        }
        routes.extend(redirects(plan));
        routes.extend(redirects_from(plan, &annotations));
    }
    routes
}

fn object<'p>(metadata: Metadata<'p>, spec: Spec<'p>) -> Object<'p> {
    Object::new(Kind::HttpRoute, metadata, Some(super::Spec::HttpRoute(spec)))
}

/// Reports that the listeners of the Gateway have the certificates.
fn file_certificates(emitting: &mut Emitting<'_, '_>) {
    let plan = emitting.plan;
    if plan.tls() == Tls::CertManager {
        let message = "cert-manager reads the annotations of the Gateway, whose listener has the certificate";
        emitting.file_inexpressible(origin(&plan.tls), message.to_owned());
    } else if plan.secret.is_some() {
        let message =
            "the certificate of an HTTPRoute belongs to the Gateway's listener, so no secret is named";
        emitting.file_inexpressible(origin(&plan.tls), message.to_owned());
    }
    if let Some(host) = plan.certificate_hosts.first().filter(|_| plan.secret.is_some()) {
        let message =
            "the hosts of a certificate belong to the Gateway's listeners, so no other host is named";
        emitting.file_inexpressible(host.host_origin.path(), message.to_owned());
    }
}

/// Reports what an HTTPRoute cannot express.
fn file_inexpressible_values(emitting: &mut Emitting<'_, '_>) {
    let plan = emitting.plan;
    emitting.file_ignored_class();
    emitting.file_missing_stable();
    // A ListenerSet names the Secrets and the issuer of the certificates. Without one, only the Gateway does.
    if !plan.has_listener_set() {
        file_certificates(emitting);
    }
    let mut checked_paths = BTreeSet::new();
    for route in plan.rules.iter().filter(|route| route.is_pattern()) {
        if !checked_paths.insert(&route.path) {
            continue;
        }
        let (kind, path) = path(plan, route);
        let message = match kind {
            "PathPrefix" => format!("the path {} is the prefix {}", quoted(&route.path), quoted(&path)),
            // A rule reports what the path matches.
            _ if engine(plan.controller(Target::HttpRoute)) == Engine::Unknown => continue,
            _ => format!(
                "the path {} is written as {}, which has the same meaning there",
                quoted(&route.path),
                quoted(&path)
            ),
        };
        emitting.report().file(route.path_origin.path(), Problem::new(Code::IntentTranslated, message));
    }
}

/// The rules of a path. The intents of the stable Service apply to its canaries as well.
fn rules<'p>(
    plan: &'p Plan,
    stable: &'p Plan,
    route: &'p Route,
    canaries: &[(&'p Plan, u8)],
) -> Vec<Rule<'p>> {
    // A single backend gets all requests, whatever its weight; 1 is the default of the API server.
    let own =
        if canaries.is_empty() { 1 } else { remaining_percentage(canaries.iter().map(|(_, share)| *share)) };
    let canaries = canaries.iter().map(|(canary, share)| BackendRef::new(canary, route, *share));
    let backend_refs: Vec<_> = [BackendRef::new(plan, route, own)].into_iter().chain(canaries).collect();
    let (r#type, value) = path(stable, route);
    let rule = |header: Option<Header<'p>>, cookie: Option<Value>| {
        let path = PathMatch { r#type, value: value.clone() };
        Rule {
            backend_refs: backend_refs.clone(),
            filters: filters(stable, route).into_iter().chain(cookie).collect(),
            matches: vec![Match { headers: header.into_iter().collect(), path }],
            timeouts: timeouts(stable),
        }
    };
    let header = plan.canary.as_ref().and_then(|canary| {
        let value = canary.header_value.as_deref().unwrap_or("always");
        Some(Header { name: canary.header.as_deref()?, r#type: "Exact", value })
    });
    match cookie_filter(plan) {
        None => vec![rule(header, None)],
        Some(cookie) => {
            let by_header = header.map(|header| rule(Some(header), None));
            by_header.into_iter().chain([rule(None, Some(cookie))]).collect()
        }
    }
}

/// The match of every request.
const EVERYTHING: Match<'_> =
    Match { headers: Vec::new(), path: PathMatch { r#type: "PathPrefix", value: Cow::Borrowed("/") } };

/// A rule that redirects these requests.
fn redirecting<'p>(to: &Value, matches: Vec<Match<'p>>) -> Rule<'p> {
    let filters = vec![json!({"type": "RequestRedirect", "requestRedirect": to})];
    Rule { backend_refs: Vec::new(), filters, matches, timeouts: None }
}

/// The routes that redirect requests without TLS to https. They have the paths of the Service alone: another Service may have other
/// paths of a host, without TLS.
fn redirects<'p>(plan: &'p Plan) -> Vec<Object<'p>> {
    if !plan.redirects(Target::HttpRoute) {
        return Vec::new();
    }
    let to = json!({"scheme": "https", "statusCode": redirect_code(plan)});
    let all = plan.redirect_groups().into_iter().enumerate().map(|(index, (hosts, paths))| {
        let matches = paths.into_iter().map(|route| {
            let (r#type, value) = path(plan, route);
            Match { headers: Vec::new(), path: PathMatch { r#type, value } }
        });
        let hostnames = hosts.into_iter().map(Cow::Borrowed).collect();
        let rules = vec![redirecting(&to, matches.collect())];
        let spec = Spec { hostnames, parent_refs: plan.http_parents().iter().collect(), rules };
        // ExternalDNS publishes the host from the other route, and must ignore this one.
        let keys = plan.dns_controller_keys.iter();
        let annotations = keys.map(|key| (key.as_str(), Cow::Borrowed(external_dns::OPT_OUT))).collect();
        object(Metadata::new(plan, redirect_to_https_name(plan.name(), index).into(), annotations), spec)
    });
    all.collect()
}

/// The routes that redirect other hosts to a host of the plan, at all listeners. ExternalDNS publishes these hosts like the others.
/// Names that an annotation gives to ExternalDNS stay on the Service's own route.
fn redirects_from<'p>(plan: &'p Plan, annotations: &Annotations<'p>) -> Vec<Object<'p>> {
    let mut parent_refs: Vec<&ParentRef> = plan.parents().iter().collect();
    if plan.redirects(Target::HttpRoute) {
        parent_refs.extend(plan.http_parents());
    }
    let mut annotations = annotations.clone();
    annotations.retain(|(key, _)| external_dns::is_key(key) && !external_dns::is_hostname(key));
    let all = plan.redirected_groups().into_iter().enumerate().map(|(index, (to, hostnames))| {
        // A request without TLS is redirected to https directly, so that there are not two redirects.
        let to = if plan.redirects(Target::HttpRoute) {
            json!({"hostname": to, "scheme": "https", "statusCode": redirect_code(plan)})
        } else {
            json!({"hostname": to, "statusCode": redirect_code(plan)})
        };
        let hostnames = hostnames.into_iter().map(Cow::Owned).collect();
        let spec = Spec {
            hostnames,
            parent_refs: parent_refs.clone(),
            rules: vec![redirecting(&to, vec![EVERYTHING])],
        };
        object(Metadata::new(plan, redirect_route_name(plan.name(), index).into(), annotations.clone()), spec)
    });
    all.collect()
}
