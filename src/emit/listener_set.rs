//! `gateway.networking.k8s.io/v1` ListenerSet: one listener with a certificate for each host, which a team adds to a Gateway that
//! it does not own.
//!
//! cert-manager reads the same annotations on it as on an Ingress.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;

use super::metadata::Metadata;
use super::{Emitting, Kind, Object};
use crate::dialect::cert_manager;
use crate::plan::{Plan, numbered};
use crate::validation::MAX_NAME;
use crate::values::{ParentRef, Target};

/// The port at which a Gateway serves https.
const PORT: u16 = 443;

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec<'p> {
    listeners: Vec<Listener<'p>>,
    parent_ref: ParentRef,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listener<'p> {
    allowed_routes: AllowedRoutes,
    hostname: &'p str,
    name: Cow<'p, str>,
    port: u16,
    protocol: &'static str,
    tls: Tls<'p>,
}

#[derive(Clone, Debug, Serialize)]
struct AllowedRoutes {
    namespaces: From,
}

#[derive(Clone, Debug, Serialize)]
struct From {
    from: &'static str,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tls<'p> {
    certificate_refs: [Secret<'p>; 1],
    mode: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct Secret<'p> {
    group: &'static str,
    kind: &'static str,
    name: &'p str,
}

/// The ListenerSet of a plan, if it has one.
pub(super) fn listener_set<'p>(emitting: &Emitting<'_, 'p>) -> Option<Object<'p>> {
    let plan = emitting.plan;
    let gateway = plan.gateways().first().filter(|_| plan.has_listener_set())?;
    let section = plan.tls_section();
    let hosts = section.iter().flat_map(|(_, hosts)| hosts);
    let mut taken: BTreeSet<Cow<'p, str>> = hosts.map(|host| Cow::Borrowed(*host)).collect();
    let mut listeners = Vec::new();
    for (secret, hosts) in section {
        listeners.extend(hosts.into_iter().map(|host| listener(name(host, &mut taken), host, secret)));
    }
    // A ListenerSet is attached to the Gateway as a whole, and not to one of its listeners.
    let parent_ref = ParentRef { section_name: None, port: None, ..gateway.clone() };
    let spec = Spec { listeners, parent_ref };
    let metadata = Metadata::new(plan, plan.name().into(), annotations(plan));
    Some(Object::new(Kind::ListenerSet, metadata, Some(super::Spec::ListenerSet(spec))))
}

fn listener<'p>(name: Cow<'p, str>, hostname: &'p str, secret: &'p str) -> Listener<'p> {
    Listener {
        allowed_routes: AllowedRoutes { namespaces: From { from: "Same" } },
        hostname,
        name,
        port: PORT,
        protocol: "HTTPS",
        tls: Tls {
            certificate_refs: [Secret { group: "", kind: "Secret", name: secret }],
            mode: "Terminate",
        },
    }
}

/// The name of a listener. It is made from the host, so that it does not change when a host is added. A name cannot contain `*`.
fn name<'p>(hostname: &'p str, taken: &mut BTreeSet<Cow<'p, str>>) -> Cow<'p, str> {
    let Some(domain) = hostname.strip_prefix("*.") else { return Cow::Borrowed(hostname) };
    let names = (0_usize..).flat_map(|index| {
        let any = numbered("any", index);
        [format!("{any}.{domain}"), any.into_owned()]
    });
    let mut free =
        names.filter(|name| name.len() <= MAX_NAME && !taken.contains(name.as_str())).map(Cow::Owned);
    let name = free.next().unwrap_or(Cow::Borrowed(domain));
    taken.insert(name.clone());
    name
}

/// The annotations that cert-manager reads on a ListenerSet, and the issuer.
fn annotations(plan: &Plan) -> Vec<(&str, Cow<'_, str>)> {
    let given = plan.annotations.iter().filter(|it| cert_manager::is_read_on_listeners(&it.key));
    let given = given.map(|it| (it.key.as_str(), Cow::Borrowed(it.value.as_str())));
    let written =
        cert_manager::write::write(plan, Target::HttpRoute).into_iter().map(|it| (it.key, it.value));
    let mut all: Vec<_> = given.chain(written).collect();
    all.sort_unstable_by_key(|(key, _)| *key);
    all
}
