//! What options mean in the words of the programs that read the objects.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::defaults::Keys;
use super::{Annotation, Canary, Draft, Resolver, Source};
use crate::diagnostics::{Code, Problem, shown};
use crate::dialect::nginx::paths::asked_path;
use crate::dialect::{cert_manager, external_dns, forecastle, nginx, redirect};
use crate::options::annotations::annotation;
use crate::validation::{Issuer, Origin, Sourced, Target, Tls, url};

impl<'a> Resolver<'_, 'a> {
    /// Adds the annotations that the canary, the issuer, the redirect, the paths and the link mean.
    pub(super) fn write_intents(&mut self, draft: &mut Draft<'a>) {
        if let Some(canary) = draft.canary.clone() {
            self.write_canary(draft, &canary);
            return;
        }
        // A setting's issuer is for those who ask cert-manager; one that the Service names is for the Service.
        if let Some(issuer) = draft.issuer.clone() {
            let is_own = matches!(issuer.origin, Origin::Annotation(_));
            if draft.tls() == Tls::CertManager
                || ((is_own || draft.replaces_issuer) && draft.tls().has_secret())
            {
                self.write_issuer(draft, &issuer);
            }
        }
        if let Some(wanted) = draft.https_redirect.clone() {
            let class = draft.class.as_ref().map(|class| class.value.as_ref());
            if let Some((key, value)) = redirect(class, draft.tls(), wanted.value) {
                add(draft, key, value.to_owned(), &wanted.origin);
            }
        }
        write_regex(draft);
        write_link(draft);
    }

    /// The share of the requests, in the words of ingress-nginx, and that others publish the host.
    fn write_canary(&self, draft: &mut Draft<'a>, canary: &Canary<'_>) {
        let text = |value: Option<&str>| value.map(str::to_owned);
        for (key, value, option) in [
            (nginx::CANARY, Some("true".to_owned()), annotation::CANARY_OF),
            (nginx::CANARY_WEIGHT, canary.weight.map(|it| it.to_string()), annotation::CANARY_WEIGHT),
            (nginx::CANARY_HEADER, text(canary.header), annotation::CANARY_HEADER),
            (nginx::CANARY_HEADER_VALUE, text(canary.header_value), annotation::CANARY_HEADER_VALUE),
            (nginx::CANARY_COOKIE, text(canary.cookie), annotation::CANARY_COOKIE),
        ] {
            if let Some(value) = value {
                add(draft, key, value, &Origin::Annotation(option.into()));
            }
        }
        for key in self.settings.dns_controller_keys() {
            let origin = Origin::Annotation(annotation::CANARY_OF.into());
            add(draft, key, external_dns::OPT_OUT.to_owned(), &origin);
        }
    }

    /// The issuer, unless the block names the same one.
    fn write_issuer(&mut self, draft: &mut Draft<'a>, issuer: &Sourced<Issuer>) {
        let (key, name) = (cert_manager::issuer_key(&issuer.value), &issuer.value.name);
        let is_other = |it: &&Annotation<'_>| {
            cert_manager::is_issuer(&it.key) && (it.key != key || it.value != name.as_str())
        };
        match draft.annotations.iter().find(is_other) {
            None => add(draft, key, name.clone(), &issuer.origin),
            // An issuer of the block counts more than a setting, and contradicts an annotation.
            Some(other) if matches!(issuer.origin, Origin::Annotation(_)) => {
                let message = format!("{} contradicts the issuer {}", shown(&other.value), shown(name));
                let problem = Problem::new(Code::IssuerConflict, message).help("keep one of the two");
                other.file_value(self.report, problem);
            }
            Some(_) => {}
        }
    }

    /// Whether a key publishes or lists the host.
    pub(super) fn publishes(&self, key: &str) -> bool {
        forecastle::is_key(key) || self.settings.is_dns_key(key)
    }

    /// Takes away what a canary forwards to publish or list its host, which is that of the stable Service.
    pub(super) fn silence(&mut self, draft: &mut Draft<'a>) {
        let Some(canary) = &draft.canary else { return };
        let (silent, kept) = std::mem::take(&mut draft.annotations)
            .into_iter()
            .partition(|it: &Annotation<'_>| self.publishes(&it.key));
        draft.annotations = kept;
        for given in silent {
            // A canary has this annotation anyway.
            if external_dns::opts_out(&given.key, &given.value) {
                continue;
            }
            let does = if forecastle::is_key(&given.key) {
                "is the one that is listed"
            } else {
                "publishes the host"
            };
            let message = format!(
                "{} has no effect on a canary: the Service {} {does}",
                shown(&given.key),
                shown(canary.of)
            );
            let help = format!("forward it from the Service {}, or remove the line", canary.of);
            given.file_key(self.report, Problem::new(Code::CanaryAnnotation, message).help(help));
        }
    }

    /// Copies the annotations of ExternalDNS to all prefixes that it may look for.
    pub(super) fn mirror(&mut self, draft: &mut Draft<'a>) {
        let is_of_dns = |known: &Annotation<'_>| external_dns::split(&known.key).is_some();
        if !self.translates() || !draft.annotations.iter().any(is_of_dns) {
            return;
        }
        let mut more = Vec::new();
        let (known, mut added) = (Keys::of(draft), BTreeSet::new());
        for given in &draft.annotations {
            let Some((own, name)) = external_dns::split(&given.key) else { continue };
            for prefix in self.settings.dns_prefixes.iter().filter(|prefix| *prefix != own) {
                let key = [prefix, name].concat();
                if !known.contain(&key) && added.insert(key.clone()) {
                    more.push(Annotation { key: Cow::Owned(key), ..given.clone() });
                }
            }
        }
        for added in &more {
            let message =
                format!("{} is given, too, for the versions of ExternalDNS that read it", shown(&added.key));
            added.file_key(self.report, Problem::new(Code::DnsMirrored, message));
        }
        draft.annotations.append(&mut more);
    }
}

/// Adds an annotation, unless the block or a setting gives it.
fn add(draft: &mut Draft<'_>, key: impl Into<Cow<'static, str>>, value: String, origin: &Origin) {
    let key = key.into();
    if draft.annotations.iter().all(|known| known.key != key) {
        let source = Source::Origin(origin.clone());
        draft.annotations.push(Annotation { key, value: Cow::Owned(value), source });
    }
}

/// ingress-nginx compares a regular expression letter by letter, unless an annotation says what it is; a rewrite does, too.
fn write_regex(draft: &mut Draft<'_>) {
    let Some(pattern) = draft.rules.iter().find(|rule| rule.path_type.is_pattern(&rule.path)) else { return };
    if draft.nginx().is_some_and(|nginx| nginx.rewrite.is_none() && nginx.use_regex.is_none()) {
        let origin = pattern.path_origin.clone();
        add(draft, nginx::USE_REGEX, "true".to_owned(), &origin);
    }
}

/// Forecastle makes an `http` URL of an Ingress without a TLS section, and takes the first path as it is, also a regular
/// expression. There the right URL is added. The rule `forecastle` finds a link to a wildcard host.
fn write_link(draft: &mut Draft<'_>) {
    let is_read = draft.targets.iter().any(|target| matches!(target, Target::Ingress | Target::HttpRoute));
    if !is_read || !draft.annotations.iter().any(|it| forecastle::exposes(&it.key, &it.value)) {
        return;
    }
    let Some(rule) = draft.rules.first().filter(|rule| !rule.host.starts_with("*.")) else { return };
    let path = asked_path(draft.nginx(), &rule.path, rule.path_type);
    let origin = match &draft.tls {
        Some(tls) if tls.value == Tls::LoadBalancer => tls.origin.clone(),
        _ if path != rule.path => rule.path_origin.clone(),
        _ => return,
    };
    let url = url(draft.tls().is_on(), &rule.host, &path);
    add(draft, forecastle::URL, url, &origin);
}
