//! The annotations that the administrator gives by default.

use std::borrow::Cow;

use super::migrate::Old;
use super::monitor::Wanted;
use super::{Annotation, Draft, Resolver, Source};
use crate::dialect::cert_manager::{is_about_issuer, is_issuer};
use crate::dialect::nginx::{ALIASES, contradicts};
use crate::options::annotations::Field;
use crate::validation::{Origin, Sourced, Target};

impl<'a> Resolver<'_, 'a> {
    /// Adds the annotations of the layers of settings, where neither the block nor a layer above has the same or its opposite.
    pub(super) fn defaults(&mut self, draft: &mut Draft<'a>, monitor: &mut Wanted) {
        let layers = self.layers;
        let tls = draft.tls();
        let mut replaces_issuer = false;
        for (index, layer) in layers.iter().enumerate() {
            if layer.annotations.is_empty() {
                continue;
            }
            // An issuer that is named above takes the place of this layer's one, whoever names it and however.
            let is_issued_above =
                !matches!((&self.request.issuer, &self.request.cluster_issuer), (Field::Unset, Field::Unset))
                    || layers.iter().take(index).any(|above| above.issuer.is_some())
                    || draft.annotations.iter().any(|it| is_issuer(&it.key));
            let names_issuer = || layer.annotations.iter().any(|it| is_issuer(&self.current_key(&it.key)));
            let is_issued_twice = is_issued_above && names_issuer();
            let redirect = self.redirect_above(draft, index);
            let (mut old, mut added) = (Old::new(&draft.targets), Vec::new());
            let known = Keys::of(draft);
            let own = Keys::new(layer.annotations.iter().map(|default| default.key.as_str()));
            for default in &layer.annotations {
                if draft.canary.is_some() && self.publishes(&default.key) {
                    continue;
                }
                let current = self.current_key(&default.key);
                let mut aliases = ALIASES.iter().filter(|names| names.contains(&current.as_ref())).flatten();
                if known.contain(&current) || aliases.any(|name| known.contain(name)) {
                    continue;
                }
                if is_issued_twice && is_about_issuer(&current) {
                    replaces_issuer |= is_issuer(&current);
                    continue;
                }
                if let Some(redirect) = &redirect
                    && contradicts(&current, &default.value, redirect.value, tls)
                {
                    if redirect.value && tls.has_secret() {
                        let (key, value) = (Cow::Owned(current.into_owned()), Cow::Borrowed("true"));
                        let source = Source::Origin(redirect.origin.clone());
                        added.push(Annotation { key, value, source });
                    }
                    continue;
                }
                let given = Annotation {
                    key: Cow::Owned(default.key.clone()),
                    value: Cow::Owned(default.value.clone()),
                    source: Source::Origin(Origin::Setting(default.path.clone())),
                };
                added.extend(self.migrate(given, &|key| own.contain(key), &mut old));
            }
            draft.annotations.append(&mut added);
            self.apply_switches(draft, old.switches);
            monitor.add_default(old.monitor, layers, index);
            self.mirror(draft);
        }
        draft.replaces_issuer = replaces_issuer;
    }

    /// The option about requests without TLS that counts more than the annotations of this layer, where an Ingress is made.
    fn redirect_above(&self, draft: &Draft<'_>, index: usize) -> Option<Sourced<bool>> {
        let is_read = draft.canary.is_none() && draft.targets.contains(&Target::Ingress);
        let redirect = draft.https_redirect.as_ref().filter(|_| is_read)?;
        let layers = self.layers;
        let is_above = matches!(redirect.origin, Origin::Annotation(_))
            || layers.iter().take(index).any(|above| above.https_redirect.is_some());
        is_above.then(|| redirect.clone())
    }
}

/// The keys of the annotations that are given already, sorted: there may be thousands.
pub(super) struct Keys<'k>(Vec<&'k str>);

impl<'k> Keys<'k> {
    pub(super) fn of(draft: &'k Draft<'_>) -> Self {
        Self::new(draft.annotations.iter().map(|known| known.key.as_ref()))
    }

    fn new(keys: impl Iterator<Item = &'k str>) -> Self {
        let mut keys: Vec<&str> = keys.collect();
        keys.sort_unstable();
        Self(keys)
    }

    pub(super) fn contain(&self, key: &str) -> bool {
        self.0.binary_search(&key).is_ok()
    }
}
