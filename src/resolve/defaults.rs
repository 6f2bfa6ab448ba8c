//! The default annotations of the administrator.

use std::collections::BTreeSet;

use super::migrate::Migrated;
use super::monitor::MonitorRequest;
use super::{Annotation, Plan, Resolver, Source};
use crate::diagnostics::Sourced;
use crate::dialect::cert_manager::{is_about_issuer, is_issuer};
use crate::dialect::contradicts;
use crate::dialect::legacy::find;
use crate::dialect::nginx::{ALIASES, SSL_REDIRECT};
use crate::values::set;

impl Resolver<'_, '_> {
    /// Adds the annotations of the settings, layer by layer, unless the block or an upper layer gives the same annotation or
    /// contradicts it.
    pub(super) fn defaults(&mut self, plan: &mut Plan, monitor: &mut MonitorRequest) {
        let layers = self.layers;
        let tls = plan.tls();
        let (mut replaces_issuer, mut replaces_redirect) = (false, false);
        for (index, layer) in layers.iter().enumerate() {
            let defaults = layer.annotations();
            if defaults.is_empty() {
                continue;
            }
            // An issuer from a source above replaces the issuer of this layer, whether an option or an annotation names it.
            let is_issued_above = layers.iter().take(index).any(|above| !above.issuer().is_unset())
                || plan.annotations.iter().any(|it| is_issuer(&it.key));
            let names_issuer = || defaults.iter().any(|it| is_issuer(&self.current_key(&it.key)));
            let is_issued_twice = is_issued_above && names_issuer();
            let redirect = self.redirect_above(plan, index);
            let (mut old, mut added) = (Migrated::new(&plan.targets), Vec::new());
            let known = keys(plan);
            let own = set(defaults.iter().map(|default| default.key.as_str()));
            for default in defaults {
                if plan.canary.is_some() && self.is_publishing_key(&default.key) {
                    continue;
                }
                let current = self.current_key(&default.key);
                // The redirect that an upper layer asks for is written instead.
                if replaces_redirect && current == SSL_REDIRECT {
                    continue;
                }
                let mut aliases = ALIASES.iter().filter(|names| names.contains(&current.as_ref())).flatten();
                if known.contains(current.as_ref()) || aliases.any(|name| known.contains(name)) {
                    continue;
                }
                if is_issued_twice && is_about_issuer(&current) {
                    replaces_issuer |= is_issuer(&current);
                    continue;
                }
                if let Some(redirect) = &redirect
                    && contradicts(self.controller, &current, &default.value, redirect.value, tls)
                {
                    replaces_redirect |= redirect.value && tls.has_secret();
                    continue;
                }
                let given = Annotation {
                    key: default.key.clone(),
                    value: default.value.clone(),
                    source: Source::Setting { path: default.origin.path(), layer: index },
                };
                added.extend(self.migrate(given, find(&default.key), &|key| own.contains(key), &mut old));
            }
            plan.annotations.append(&mut added);
            self.apply_switches(plan, old.switches);
            monitor.add_default(old.monitor, layers, index);
            self.copy_to_all_dns_prefixes(plan);
        }
        (plan.replaces_issuer, plan.replaces_redirect) = (replaces_issuer, replaces_redirect);
    }

    /// The option `HTTPSRedirect`, if a layer above this one sets it and an Ingress is made. It overrides the annotations of this
    /// layer.
    fn redirect_above(&self, plan: &Plan, index: usize) -> Option<Sourced<bool>> {
        let redirect = plan.https_redirect.as_ref().filter(|_| plan.has_stable_ingress())?;
        let is_above = self.layers.iter().take(index).any(|above| above.https_redirect.is_set());
        is_above.then(|| redirect.clone())
    }
}

/// The keys of the annotations that are already given. A set, because there may be thousands.
pub(super) fn keys(plan: &Plan) -> BTreeSet<&str> {
    set(plan.annotations.iter().map(|known| known.key.as_str()))
}
