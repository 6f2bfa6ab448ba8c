//! `route.openshift.io/v1` Route of OpenShift: one for every host and path.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::metadata::Metadata;
use super::{Emitting, Kind, Object, Spec, origin, remaining_percentage};
use crate::diagnostics::quoted;
use crate::dialect::write::{Paths, is_about_link};
use crate::plan::{BackendPort, Plan, Route, numbered};
use crate::validation::{PathType, subdomain_host};
use crate::values::{Target, Termination, Tls};

/// The maximum number of `alternateBackends` of a Route.
const MAX_ALTERNATES: usize = 3;

/// The Routes of a plan; empty for a canary, which is a backend of the stable Service's Route.
pub(super) fn routes<'p>(emitting: &mut Emitting<'_, 'p>) -> Vec<Object<'p>> {
    let plan = emitting.plan;
    file_inexpressible_values(emitting);
    let mut routes = Vec::new();
    if plan.has_object(Target::Route) {
        let annotations = emitting.annotations();
        let canaries = alternates(emitting);
        let secrets = plan.secrets_by_host();
        for (index, rule) in plan.rules.iter().enumerate() {
            let mut annotations = annotations.clone();
            annotations.retain(|(key, _)| index == 0 || !is_about_link(key));
            let metadata = Metadata::new(plan, numbered(plan.name(), index), annotations);
            let secret = secrets.get(rule.host.as_str()).copied().or_else(|| plan.secret());
            let spec = Spec::Other(spec(plan, rule, secret, &canaries));
            routes.push(Object::new(Kind::Route, metadata, Some(spec)));
        }
    }
    routes
}

/// Reports what a Route cannot express.
fn file_inexpressible_values(emitting: &mut Emitting<'_, '_>) {
    let plan = emitting.plan;
    emitting.file_ignored_class();
    emitting.file_missing_stable();
    if plan.canary.is_some() {
        return;
    }
    if let Some(rule) = plan.rules.iter().find(|rule| rule.path_type == PathType::Exact) {
        let message =
            format!("a Route compares the beginning of a path, so {} is not exact", quoted(&rule.path));
        emitting.file_inexpressible(rule.path_origin.path(), message);
    }
    if plan.tls() == Tls::CertManager {
        let message =
            "cert-manager issues no certificates for Routes, so the router's own is used".to_owned();
        emitting.file_inexpressible(origin(&plan.tls), message);
    } else if plan.secret.is_some()
        && plan.secret_is_derived
        && plan.termination() != Termination::Passthrough
    {
        let message =
            "the router's own certificate is used; a TLSSecretNameTemplate would name another one".to_owned();
        emitting.file_inexpressible(origin(&plan.tls), message);
    }
    if let Some(host) = plan.certificate_hosts.first().filter(|_| plan.secret.is_some()) {
        let message = "a Route has a certificate for its own host, and no other hosts for it".to_owned();
        emitting.file_inexpressible(host.host_origin.path(), message);
    }
}

/// The canaries that fit into a Route, with their weights. Reports the canaries that do not fit.
fn alternates<'p>(emitting: &mut Emitting<'_, 'p>) -> Vec<(&'p Plan, u8)> {
    let mut canaries = emitting.canaries();
    if canaries.len() > MAX_ALTERNATES {
        canaries.truncate(MAX_ALTERNATES);
        let message = format!("a Route has at most {MAX_ALTERNATES} backends besides the first one");
        let path = origin(&emitting.plan.name);
        emitting.file_inexpressible(path, message);
    }
    canaries
}

fn spec(plan: &Plan, rule: &Route, secret: Option<&str>, canaries: &[(&Plan, u8)]) -> Value {
    let (host, wildcard_policy) = match subdomain_host(&rule.host) {
        Some(host) => (Cow::Owned(host), "Subdomain"),
        None => (Cow::Borrowed(rule.host.as_str()), "None"),
    };
    let backend = |plan: &Plan, weight| json!({"kind": "Service", "name": plan.service(), "weight": weight});
    let alternates: Vec<Value> = canaries.iter().map(|(canary, weight)| backend(canary, *weight)).collect();
    // The port of the endpoints, by the name of the Service's port.
    let port = plan.backend_port(rule).and_then(BackendPort::name);
    without_nulls(json!({
        "alternateBackends": Some(alternates).filter(|all| !all.is_empty()),
        "host": host,
        "path": Some(Paths::new(plan, Target::Route).of(rule).0).filter(|path| path != "/"),
        "port": port.map(|name| json!({"targetPort": name})),
        "tls": tls(plan, secret),
        "to": backend(plan, remaining_percentage(canaries.iter().map(|(_, weight)| *weight))),
        "wildcardPolicy": wildcard_policy,
    }))
}

fn tls(plan: &Plan, secret: Option<&str>) -> Option<Value> {
    // A load balancer that has the certificate connects to the router without TLS, so the Route has no TLS section.
    if !plan.tls().has_secret() {
        return None;
    }
    let is_passed = plan.termination() == Termination::Passthrough;
    let insecure = match (plan.https_redirect(), is_passed) {
        (Some(false), true) => "None",
        (Some(false), false) => "Allow",
        _ => "Redirect",
    };
    let is_named = plan.tls() == Tls::Secret && !plan.secret_is_derived && !is_passed;
    let secret = secret.filter(|_| is_named);
    Some(without_nulls(json!({
        "externalCertificate": secret.map(|name| json!({"name": name})),
        "insecureEdgeTerminationPolicy": insecure,
        "termination": plan.termination().as_str(),
    })))
}

fn without_nulls(mut object: Value) -> Value {
    if let Value::Object(members) = &mut object {
        members.retain(|_, member| !member.is_null());
    }
    object
}
