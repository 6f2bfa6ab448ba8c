//! `gateway.networking.k8s.io/v1` HTTPRoute of the Gateway API.
//!
//! TLS belongs to the listeners of the Gateway, and so do certificates. Hosts with the same paths share a route. Requests
//! without TLS are sent to https by a second route at the listeners that have none.
//!
//! What the API server would fill in is written out, so that the object in the cluster is the same as the one emitted.

use std::borrow::Cow;

use serde::Serialize;

use super::{Annotations, Emitting, FORECASTLE, Kind, Resource, rest};
use crate::check::Route;
use crate::diagnostics::{FieldPath, quoted};
use crate::options::annotations::annotation;
use crate::options::{ParentRef, Tls};
use crate::plan::{Plan, numbered, redirect_name};
use crate::resolve::DNS_CONTROLLER;
use crate::validation::{PathType, grouped};

const REWRITE: &str = "nginx.ingress.kubernetes.io/rewrite-target";

pub(super) type HttpRoute<'p> = Resource<'p, Spec<'p>>;

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
    /// The Service of a plan, with its share of the requests.
    fn new(plan: &'p Plan<'p>, weight: u8) -> Self {
        Self { group: "", kind: "Service", name: plan.service, port: plan.port_number, weight }
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
pub(super) fn routes<'p>(emitting: &mut Emitting<'_, 'p>) -> impl Iterator<Item = HttpRoute<'p>> + use<'p> {
    let plan = emitting.plan;
    lacks(emitting);
    let mut routes = Vec::new();
    if !plan.is_weight_only() {
        let annotations = forwarded(emitting);
        let rewrite = rewrite(emitting);
        let canaries = emitting.canaries();
        for (index, (hosts, paths)) in plan.groups().into_iter().enumerate() {
            let rules = paths.iter().map(|path| rule(plan, path, rewrite, &canaries)).collect();
            let name = numbered(plan.ingress.name.as_str(), index);
            let spec = Spec { hostnames: hosts, parent_refs: &plan.gateway.parents, rules };
            let mut annotations = annotations.clone();
            // Forecastle makes an entry of every route that it finds exposed, and a Service has one.
            annotations.retain(|(key, _)| index == 0 || !key.starts_with(FORECASTLE));
            routes.push(Resource::new(Kind::HttpRoute, plan, name, Annotations::Own(annotations), spec));
        }
        routes.extend(redirect(emitting));
    }
    routes.into_iter()
}

/// What a plan has and an HTTPRoute has not.
fn lacks(emitting: &mut Emitting<'_, '_>) {
    let plan = emitting.plan;
    emitting.lacks_class();
    emitting.lacks_stable();
    if plan.tls == Tls::CertManager {
        let said =
            "cert-manager is asked by the annotations of the Gateway, whose listener has the certificate";
        emitting.inexpressible(plan.tls_origin.path(), said.to_owned());
    } else if plan.ingress.secret.is_some() {
        let said = "the certificate of an HTTPRoute belongs to the Gateway's listener, so no secret is named";
        emitting.inexpressible(plan.tls_origin.path(), said.to_owned());
    }
    if let Some(rule) = plan.ingress.rules.iter().find(|rule| rule.path_type.is_pattern(rule.path.as_str())) {
        let said = format!(
            "the path {} becomes a RegularExpression, which not every implementation of the Gateway API supports",
            quoted(rule.path.as_str())
        );
        emitting.inexpressible(rule.path_origin.path(), said);
    }
    if plan.canary.as_ref().is_some_and(|canary| canary.cookie.is_some()) {
        let said = "an HTTPRoute cannot choose by a cookie".to_owned();
        emitting.inexpressible(FieldPath::annotation(annotation::CANARY_COOKIE), said);
    }
    if plan.https_redirect == Some(true) && plan.tls.is_on() && plan.gateway.http_parents.is_empty() {
        let said = "nothing says which listener has no TLS (the setting httpParentRefs), so nothing is sent to https";
        emitting.inexpressible(plan.redirect_origin.path(), said.to_owned());
    }
}

/// The annotations that programs read on an HTTPRoute.
fn forwarded<'p>(emitting: &mut Emitting<'_, 'p>) -> Vec<(Cow<'p, str>, Cow<'p, str>)> {
    let plan = emitting.plan;
    let mut annotations = emitting.annotations();
    let has = |key: &str, all: &[(Cow<'_, str>, Cow<'_, str>)]| all.iter().any(|(known, _)| known == key);
    // Forecastle makes an https URL of the first host, without the path.
    let shown =
        annotations.iter().any(|(key, value)| key == "forecastle.stakater.com/expose" && value == "true");
    let url = plan.url();
    if shown
        && !has("forecastle.stakater.com/url", &annotations)
        && url != format!("https://{}", first_host(plan))
    {
        annotations.push((Cow::Borrowed("forecastle.stakater.com/url"), Cow::Owned(url)));
        annotations.sort_unstable();
    }
    annotations
}

fn first_host<'p>(plan: &'p Plan<'p>) -> &'p str {
    plan.ingress.rules.first().map_or("", |rule| rule.host.as_str())
}

/// The path that nginx would put in place of the whole one; one with captures is told.
fn rewrite<'p>(emitting: &mut Emitting<'_, 'p>) -> Option<&'p str> {
    let plan = emitting.plan;
    let found = plan.ingress.annotations.iter().find(|it| it.key == REWRITE)?;
    let has_pattern = plan.ingress.rules.iter().any(|rule| rule.path_type.is_pattern(rule.path.as_str()));
    if found.value.contains('$') || has_pattern || !found.value.starts_with('/') {
        let said = "an HTTPRoute has nothing for a rewrite by regular expression".to_owned();
        emitting.lacks_annotation(found, said);
        return None;
    }
    Some(found.value.as_ref())
}

fn rule<'p>(
    plan: &'p Plan<'p>,
    path: &'p Route<'p>,
    rewrite: Option<&'p str>,
    canaries: &[(&'p Plan<'p>, u8)],
) -> Rule<'p> {
    // The only backend gets everything, whatever its weight; 1 is the default.
    let own = if canaries.is_empty() { 1 } else { rest(canaries.iter().map(|(_, share)| *share)) };
    let canaries = canaries.iter().map(|(canary, share)| BackendRef::new(canary, *share));
    let backend_refs = [BackendRef::new(plan, own)].into_iter().chain(canaries).collect();
    let kind = match path.path_type {
        PathType::Exact => "Exact",
        kind if kind.is_pattern(path.path.as_str()) => "RegularExpression",
        PathType::Prefix | PathType::ImplementationSpecific => "PathPrefix",
    };
    let header = plan.canary.as_ref().and_then(|canary| {
        Some(Header { name: canary.header?, r#type: "Exact", value: canary.header_value.unwrap_or("always") })
    });
    // A target that is the path itself rewrites nothing.
    let rewrite = rewrite.filter(|target| *target != path.path.as_str()).map(|path| Filter {
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
            path: PathMatch { r#type: kind, value: path.path.as_str() },
        }],
    }
}

/// The match of every request.
const EVERYTHING: Match<'_> =
    Match { headers: Vec::new(), path: PathMatch { r#type: "PathPrefix", value: "/" } };

/// The route that sends requests without TLS to https.
fn redirect<'p>(emitting: &Emitting<'_, 'p>) -> Option<HttpRoute<'p>> {
    let plan = emitting.plan;
    if !plan.has_redirect() {
        return None;
    }
    let hosts = grouped(plan.ingress.rules.iter().map(|rule| (rule.host.as_str(), ())));
    let hosts = hosts.into_iter().map(|(host, _)| host).collect();
    let redirect = Redirect { scheme: "https", status_code: 301 };
    let filter = Filter { request_redirect: Some(redirect), r#type: "RequestRedirect", url_rewrite: None };
    let name = redirect_name(plan.ingress.name.as_str());
    let rules = vec![Rule { backend_refs: Vec::new(), filters: vec![filter], matches: vec![EVERYTHING] }];
    let spec = Spec { hostnames: hosts, parent_refs: &plan.gateway.http_parents, rules };
    // The route that answers speaks for the host, and this one would publish it against its word.
    let keys = plan.gateway.dns_keys.iter();
    let annotations = keys.map(|key| (Cow::Borrowed(key.as_str()), Cow::Borrowed(DNS_CONTROLLER))).collect();
    Some(Resource::new(Kind::HttpRoute, plan, name, Annotations::Own(annotations), spec))
}
