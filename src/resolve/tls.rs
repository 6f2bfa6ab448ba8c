//! The secrets with the certificates, and the hosts that the certificates are for.

use std::sync::Arc;

use super::{Plan, Resolver, file};
use crate::diagnostics::Sourced;
use crate::dialect::support::is_supported;
use crate::intents::Intent;
use crate::options::NO_SECRET;
use crate::plan::OtherHost;
use crate::plan::kinds::Kind;
use crate::template::Vars;
use crate::validation::MAX_NAME;
use crate::values::{ParentRef, Target};

impl Resolver<'_, '_> {
    /// Sets the secret of the first host.
    pub(super) fn secret(&mut self, plan: &mut Plan, vars: Vars<'_>) {
        if self.layers.is_broken(|it| &it.secret) {
            return;
        }
        if let Some(chosen) = self.layers.first(|it| &it.secret) {
            // A missing host is an Error already; a placeholder lets the template be rendered.
            let host = plan.rules.first().map_or_else(|| "host".to_owned(), |rule| in_name(&rule.host));
            let vars = Vars { host: Some(&host), ..vars };
            let Some(rendered) = self.rendered(Some(chosen), vars) else { return };
            if rendered.value != NO_SECRET {
                plan.secret = Some(rendered);
                return;
            }
        }
        plan.secret_is_derived = true;
        plan.secret =
            plan.name.as_ref().map(|name| Sourced::new(format!("{}-cert", name.value), name.origin.clone()));
    }

    /// Sets the hosts without a route that certificates are for, and the secrets of all hosts.
    pub(super) fn certificates(&mut self, plan: &mut Plan, vars: Vars<'_>) {
        self.certificate_hosts(plan);
        plan.other_hosts = other_hosts(plan);
        let Some(chosen) = self.layers.first(|it| &it.secret) else { return };
        let (Some(first), false) = (&plan.secret, plan.secret_is_derived) else { return };
        let mut secrets = Vec::new();
        for host in plan.tls_hosts() {
            match chosen.value.render(&Vars { host: Some(&in_name(host)), ..vars }) {
                Ok(secret) => {
                    // A name that is too long is refused, so the other names need not be rendered.
                    let is_too_long = secret.len() > MAX_NAME;
                    secrets.push(secret);
                    if is_too_long {
                        break;
                    }
                }
                Err(problem) => {
                    file(self.report, chosen, problem);
                    return;
                }
            }
        }
        if secrets.iter().any(|secret| *secret != first.value) {
            plan.secrets = secrets;
        }
    }

    /// Sets the ListenerSet, which has the name of the stable Service's objects.
    pub(super) fn listener_set(&mut self, plan: &mut Plan, stable: Vars<'_>) {
        let Some(wanted) = self.layers.first(|it| &it.listener_set).filter(|it| it.value) else { return };
        if !plan.targets.contains(&Target::HttpRoute) || !plan.tls().has_secret() {
            return;
        }
        // An error of the template is reported already.
        let name = match &plan.canary {
            None => plan.name.as_ref().map(|name| name.value.clone()),
            Some(_) => self.layers.first(|it| &it.name).and_then(|name| name.value.render(&stable).ok()),
        };
        let Some(name) = name else { return };
        plan.listener_parents = vec![ParentRef {
            kind: Some(Kind::ListenerSet.as_str().to_owned()),
            name: name.clone(),
            ..ParentRef::default()
        }];
        plan.listener_set = Some(Box::new(Sourced::new(name, wanted.origin.clone())));
    }

    fn certificate_hosts(&mut self, plan: &mut Plan) {
        let Some(chosen) = self.layers.first(|it| &it.tls_hosts) else { return };
        let hosts = match chosen.value.render_list(&self.vars) {
            Ok(hosts) => hosts,
            Err(problem) => {
                file(self.report, chosen, problem);
                return;
            }
        };
        let template: Arc<str> = chosen.value.text().into();
        let host = |host| OtherHost {
            host,
            host_origin: chosen.origin.clone(),
            template: template.clone(),
            verbatim: chosen.value.is_verbatim(),
        };
        plan.certificate_hosts = hosts.into_iter().map(host).collect();
    }
}

/// The host as a part of the name of a secret, which cannot contain `*`.
fn in_name(host: &str) -> String {
    host.replace('*', "wildcard")
}

/// The hosts that are redirected to the hosts of the routes. An annotation that the Ingress controller itself reads needs none of
/// them.
fn other_hosts(plan: &Plan) -> Vec<OtherHost> {
    let Some(wanted) = plan.requested(Intent::RedirectFrom).filter(|wanted| is_supported(plan, wanted))
    else {
        return Vec::new();
    };
    if !wanted.keys.is_empty() && plan.controller(Target::Ingress).is_nginx() {
        return Vec::new();
    }
    let other = |host: String| OtherHost {
        template: host.as_str().into(),
        host,
        host_origin: wanted.origin.clone(),
        verbatim: false,
    };
    plan.redirected_hosts().into_iter().flat_map(|(_, from)| from).map(other).collect()
}
