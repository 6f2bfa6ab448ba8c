//! `gateway.networking.k8s.io/v1` HTTPRoute of the Gateway API.
//!
//! TLS and certificates belong to the listeners of the Gateway. Hosts with the same paths share a route. A second route, at the
//! listeners without TLS, redirects requests to https.
//!
//! What the API server would fill in is written out, so that the object in the cluster is the same as the one emitted.

use std::borrow::Cow;

use serde::Serialize;

use super::metadata::Metadata;
use super::{Emitting, Kind, Object, origin, rest};
use crate::diagnostics::{FieldPath, quoted};
use crate::dialect::write::is_about_link;
use crate::dialect::{external_dns, nginx};
use crate::options::annotations::annotation;
use crate::plan::{BackendPort, Plan, Route, grouped, numbered, redirect_name};
use crate::validation::PathType;
use crate::values::{ParentRef, Target, Tls};

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec<'p> {
    hostnames: Vec<&'p str>,
    parent_refs: &'p [ParentRef],
    rules: Vec<Rule<'p>>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'p> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    backend_refs: Vec<BackendRef<'p>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    filters: Vec<Filter<'p>>,
    matches: Vec<Match<'p>>,
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
    /// The Service of a plan, with its share of the requests. A canary has routes like those of its stable Service.
    fn new(plan: &'p Plan, route: &Route, weight: u8) -> Self {
        let is_same = |own: &&Route| own.host == route.host && own.path == route.path;
        let own = plan.rules.iter().find(is_same);
        let port = own.map_or(plan.port.as_ref(), |own| plan.backend_port(own));
        let port = port.map_or(0, BackendPort::number);
        Self { group: "", kind: "Service", name: plan.service(), port, weight }
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Filter<'p> {
    #[serde(skip_serializing_if = "Option::is_none")]
    request_redirect: Option<Redirect>,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url_rewrite: Option<Rewrite<'p>>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Redirect {
    scheme: &'static str,
    status_code: u16,
}

#[derive(Clone, Debug, Serialize)]
struct Rewrite<'p> {
    path: RewritePath<'p>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RewritePath<'p> {
    replace_full_path: &'p str,
    r#type: &'static str,
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
    value: &'p str,
}

/// The routes of a plan; none for a canary that is only a weight in the route of the stable Service.
pub(super) fn routes<'p>(emitting: &mut Emitting<'_, 'p>) -> Vec<Object<'p>> {
    let plan = emitting.plan;
    lacks(emitting);
    let mut routes = Vec::new();
    if plan.has_object(Target::HttpRoute) {
        let annotations = emitting.annotations();
        let rewrite = rewrite(emitting);
        let canaries = emitting.canaries();
        for (index, (hosts, paths)) in plan.groups().into_iter().enumerate() {
            let rules = paths.iter().map(|path| rule(plan, path, rewrite, &canaries)).collect();
            let name = numbered(plan.name(), index);
            let spec = Spec { hostnames: hosts, parent_refs: plan.parents(), rules };
            let mut annotations = annotations.clone();
            // Pages make an entry for every route, and a Service needs only one.
            annotations.retain(|(key, _)| index == 0 || !is_about_link(key));
            routes.push(object(Metadata::new(plan, name, annotations), spec));
        }
        routes.extend(redirect(emitting));
    }
    routes
}

fn object<'p>(metadata: Metadata<'p>, spec: Spec<'p>) -> Object<'p> {
    Object::new(Kind::HttpRoute, metadata, Some(super::Spec::HttpRoute(spec)))
}

/// Reports what an HTTPRoute cannot express.
fn lacks(emitting: &mut Emitting<'_, '_>) {
    let plan = emitting.plan;
    emitting.lacks_class();
    emitting.lacks_stable();
    if plan.has_listener_set() {
        // It has the certificates.
    } else if plan.tls() == Tls::CertManager {
        let said =
            "cert-manager is asked by the annotations of the Gateway, whose listener has the certificate";
        emitting.inexpressible(origin(&plan.tls), said.to_owned());
    } else if plan.secret.is_some() {
        let said = "the certificate of an HTTPRoute belongs to the Gateway's listener, so no secret is named";
        emitting.inexpressible(origin(&plan.tls), said.to_owned());
    }
    if let Some(host) =
        plan.certificate_hosts.first().filter(|_| plan.secret.is_some() && !plan.has_listener_set())
    {
        let said = "the hosts of a certificate belong to the Gateway's listeners, so no other host is named";
        emitting.inexpressible(host.host_origin.path(), said.to_owned());
    }
    if let Some(rule) = plan.pattern() {
        let said = format!(
            "the path {} becomes a RegularExpression, which not every implementation of the Gateway API supports",
            quoted(&rule.path)
        );
        emitting.inexpressible(rule.path_origin.path(), said);
    }
    if plan.canary.as_ref().is_some_and(|canary| canary.cookie.is_some()) {
        let said = "an HTTPRoute cannot choose by a cookie".to_owned();
        emitting.inexpressible(FieldPath::annotation(annotation::CANARY_COOKIE), said);
    }
    if plan.https_redirect() == Some(true) && plan.tls().is_on() && plan.http_parents().is_empty() {
        let said = "nothing says which listener has no TLS (the setting httpParentRefs), so nothing is sent to https";
        emitting.inexpressible(origin(&plan.https_redirect), said.to_owned());
    }
}

/// The path that takes the place of the whole one; a rewrite with captures is reported.
fn rewrite<'p>(emitting: &mut Emitting<'_, 'p>) -> Option<&'p str> {
    let plan = emitting.plan;
    let found = plan.annotation(nginx::REWRITE_TARGET)?;
    if found.value.contains('$') || plan.pattern().is_some() || !found.value.starts_with('/') {
        let said = "an HTTPRoute has nothing for a rewrite by regular expression".to_owned();
        emitting.lacks_annotation(found, said);
        return None;
    }
    Some(found.value.as_str())
}

fn rule<'p>(
    plan: &'p Plan,
    path: &'p Route,
    rewrite: Option<&'p str>,
    canaries: &[(&'p Plan, u8)],
) -> Rule<'p> {
    // The only backend gets all requests, whatever its weight; 1 is the default.
    let own = if canaries.is_empty() { 1 } else { rest(canaries.iter().map(|(_, share)| *share)) };
    let canaries = canaries.iter().map(|(canary, share)| BackendRef::new(canary, path, *share));
    let backend_refs = [BackendRef::new(plan, path, own)].into_iter().chain(canaries).collect();
    let kind = match path.path_type {
        PathType::Exact => "Exact",
        kind if kind.is_pattern(&path.path) => "RegularExpression",
        PathType::Prefix | PathType::ImplementationSpecific => "PathPrefix",
    };
    let header = plan.canary.as_ref().and_then(|canary| {
        let value = canary.header_value.as_deref().unwrap_or("always");
        Some(Header { name: canary.header.as_deref()?, r#type: "Exact", value })
    });
    // A target that is the path itself rewrites nothing.
    let rewrite = rewrite.filter(|target| *target != path.path).map(|path| Filter {
        request_redirect: None,
        r#type: "URLRewrite",
        url_rewrite: Some(Rewrite {
            path: RewritePath { replace_full_path: path, r#type: "ReplaceFullPath" },
        }),
    });
    Rule {
        backend_refs,
        filters: rewrite.into_iter().collect(),
        matches: vec![Match {
            headers: header.into_iter().collect(),
            path: PathMatch { r#type: kind, value: &path.path },
        }],
    }
}

/// The match of every request.
const EVERYTHING: Match<'_> =
    Match { headers: Vec::new(), path: PathMatch { r#type: "PathPrefix", value: "/" } };

/// The route that redirects requests without TLS to https.
fn redirect<'p>(emitting: &Emitting<'_, 'p>) -> Option<Object<'p>> {
    let plan = emitting.plan;
    if !plan.has_redirect() {
        return None;
    }
    let hosts = grouped(plan.rules.iter().map(|rule| (rule.host.as_str(), ())));
    let hosts = hosts.into_iter().map(|(host, _)| host).collect();
    let redirect = Redirect { scheme: "https", status_code: 301 };
    let filter = Filter { request_redirect: Some(redirect), r#type: "RequestRedirect", url_rewrite: None };
    let name = redirect_name(plan.name()).into();
    let rules = vec![Rule { backend_refs: Vec::new(), filters: vec![filter], matches: vec![EVERYTHING] }];
    let spec = Spec { hostnames: hosts, parent_refs: plan.http_parents(), rules };
    // ExternalDNS publishes the host by the other route, and would publish it by this one, too.
    let keys = plan.dns_controller_keys.iter();
    let annotations = keys.map(|key| (key.as_str(), Cow::Borrowed(external_dns::OPT_OUT))).collect();
    Some(object(Metadata::new(plan, name, annotations), spec))
}
