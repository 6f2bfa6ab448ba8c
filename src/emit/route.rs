//! `route.openshift.io/v1` Route of OpenShift: one for every host and path.

use std::borrow::Cow;

use serde::Serialize;

use super::metadata::Metadata;
use super::{Emitting, Kind, Object, origin, rest};
use crate::diagnostics::quoted;
use crate::dialect::write::{Paths, is_about_link};
use crate::plan::{BackendPort, Plan, Route, numbered};
use crate::validation::{PathType, subdomain_host};
use crate::values::{Target, Termination, Tls};

/// The maximum number of `alternateBackends` of a Route.
const MAX_ALTERNATES: usize = 3;

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec<'p> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alternate_backends: Vec<To<'p>>,
    host: Cow<'p, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Cow<'p, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<Port<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<TlsConfig<'p>>,
    to: To<'p>,
    wildcard_policy: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct To<'p> {
    kind: &'static str,
    name: &'p str,
    weight: u8,
}

/// The port of the endpoints, by the name of the Service's port.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Port<'p> {
    target_port: &'p str,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TlsConfig<'p> {
    #[serde(skip_serializing_if = "Option::is_none")]
    external_certificate: Option<SecretName<'p>>,
    insecure_edge_termination_policy: &'static str,
    termination: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct SecretName<'p> {
    name: &'p str,
}

/// The Routes of a plan; empty for a canary, which is a backend of the stable Service's Route.
pub(super) fn routes<'p>(emitting: &mut Emitting<'_, 'p>) -> Vec<Object<'p>> {
    let plan = emitting.plan;
    lacks(emitting);
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
            let spec = super::Spec::Route(spec(plan, rule, secret, &canaries));
            routes.push(Object::new(Kind::Route, metadata, Some(spec)));
        }
    }
    routes
}

/// Reports what a Route cannot express.
fn lacks(emitting: &mut Emitting<'_, '_>) {
    let plan = emitting.plan;
    emitting.lacks_class();
    emitting.lacks_stable();
    if plan.canary.is_some() {
        return;
    }
    if let Some(rule) = plan.rules.iter().find(|rule| rule.path_type == PathType::Exact) {
        let said =
            format!("a Route compares the beginning of a path, so {} is no exact path", quoted(&rule.path));
        emitting.inexpressible(rule.path_origin.path(), said);
    }
    if plan.tls() == Tls::CertManager {
        let said = "cert-manager gives Routes no certificates, so the router's own is used".to_owned();
        emitting.inexpressible(origin(&plan.tls), said);
    } else if plan.secret.is_some()
        && plan.secret_is_derived
        && plan.termination() != Termination::Passthrough
    {
        let said =
            "the router's own certificate is used; a TLSSecretNameTemplate would name another one".to_owned();
        emitting.inexpressible(origin(&plan.tls), said);
    }
    if let Some(host) = plan.certificate_hosts.first().filter(|_| plan.secret.is_some()) {
        let said = "a Route has a certificate for its own host, and no other hosts for it".to_owned();
        emitting.inexpressible(host.host_origin.path(), said);
    }
}

/// The canaries that fit into a Route, with their weights. Reports the canaries that do not fit.
fn alternates<'p>(emitting: &mut Emitting<'_, 'p>) -> Vec<To<'p>> {
    let mut canaries = emitting.canaries();
    if canaries.len() > MAX_ALTERNATES {
        canaries.truncate(MAX_ALTERNATES);
        let said = format!("a Route has at most {MAX_ALTERNATES} backends beside the first one");
        let path = origin(&emitting.plan.name);
        emitting.inexpressible(path, said);
    }
    canaries.into_iter().map(|(plan, weight)| To { kind: "Service", name: plan.service(), weight }).collect()
}

fn spec<'p>(plan: &'p Plan, rule: &'p Route, secret: Option<&'p str>, canaries: &[To<'p>]) -> Spec<'p> {
    let (host, wildcard_policy) = match subdomain_host(&rule.host) {
        Some(host) => (Cow::Owned(host), "Subdomain"),
        None => (Cow::Borrowed(rule.host.as_str()), "None"),
    };
    Spec {
        alternate_backends: canaries.to_vec(),
        host,
        path: Some(Paths::new(plan, Target::Route).of(rule).0).filter(|path| path != "/"),
        port: plan.backend_port(rule).and_then(BackendPort::name).map(|target_port| Port { target_port }),
        tls: tls(plan, secret),
        to: To { kind: "Service", name: plan.service(), weight: rest(canaries.iter().map(|it| it.weight)) },
        wildcard_policy,
    }
}

fn tls<'p>(plan: &'p Plan, secret: Option<&'p str>) -> Option<TlsConfig<'p>> {
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
    Some(TlsConfig {
        external_certificate: secret.map(|name| SecretName { name }),
        insecure_edge_termination_policy: insecure,
        termination: plan.termination().as_str(),
    })
}
