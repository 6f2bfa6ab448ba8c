//! What options mean in the words of the programs that read the objects.

use std::collections::BTreeSet;

use super::defaults::keys;
use super::{Annotation, Canary, Plan, Resolver, Source};
use crate::diagnostics::{Code, Origin, Problem, Sourced, quoted};
use crate::dialect::nginx::paths::asked_path;
use crate::dialect::{cert_manager, external_dns, forecastle, nginx, redirect};
use crate::options::annotations::annotation;
use crate::values::{Issuer, Target, Tls};

impl Resolver<'_, '_> {
    /// Adds the annotations that the canary, the issuer, the redirect, the paths and the link mean.
    pub(super) fn write_intents(&mut self, plan: &mut Plan) {
        if let Some(canary) = plan.canary.clone() {
            self.write_canary(plan, &canary);
            set_url_path(plan);
            return;
        }
        // A setting's issuer is for those who ask cert-manager; one that the Service names is for the Service.
        if let Some(issuer) = plan.issuer.clone() {
            let is_own = matches!(issuer.origin, Origin::Annotation(_));
            if plan.tls() == Tls::CertManager || ((is_own || plan.replaces_issuer) && plan.tls().has_secret())
            {
                self.write_issuer(plan, &issuer);
            }
        }
        if let Some(wanted) = plan.https_redirect.clone() {
            let class = plan.class.as_ref().map(|class| class.value.as_str());
            if let Some((key, value)) = redirect(class, plan.tls(), wanted.value) {
                add(plan, key, value.to_owned(), &wanted.origin);
            }
        }
        write_regex(plan);
        set_url_path(plan);
        write_link(plan);
    }

    /// The share of the requests, in the words of ingress-nginx, and that others publish the host.
    fn write_canary(&self, plan: &mut Plan, canary: &Canary) {
        for (key, value, option) in [
            (nginx::CANARY, Some("true".to_owned()), annotation::CANARY_OF),
            (nginx::CANARY_WEIGHT, canary.weight.map(|it| it.to_string()), annotation::CANARY_WEIGHT),
            (nginx::CANARY_HEADER, canary.header.clone(), annotation::CANARY_HEADER),
            (nginx::CANARY_HEADER_VALUE, canary.header_value.clone(), annotation::CANARY_HEADER_VALUE),
            (nginx::CANARY_COOKIE, canary.cookie.clone(), annotation::CANARY_COOKIE),
        ] {
            if let Some(value) = value {
                add(plan, key, value, &Origin::Annotation(option.into()));
            }
        }
        for key in self.settings.dns_controller_keys() {
            let origin = Origin::Annotation(annotation::CANARY_OF.into());
            add(plan, key, external_dns::OPT_OUT.to_owned(), &origin);
        }
    }

    /// The issuer, unless the block names the same one.
    fn write_issuer(&mut self, plan: &mut Plan, issuer: &Sourced<Issuer>) {
        let (key, name) = (cert_manager::issuer_key(&issuer.value), &issuer.value.name);
        let is_other = |it: &&Annotation| {
            cert_manager::is_issuer(&it.key) && (it.key != key || it.value != name.as_str())
        };
        match plan.annotations.iter().find(is_other) {
            None => add(plan, key, name.clone(), &issuer.origin),
            // An issuer of the block counts more than a setting, and contradicts an annotation.
            Some(other) if matches!(issuer.origin, Origin::Annotation(_)) => {
                let message = format!("{} contradicts the issuer {}", quoted(&other.value), quoted(name));
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
    pub(super) fn silence(&mut self, plan: &mut Plan) {
        let Some(canary) = &plan.canary else { return };
        let (silent, kept) = std::mem::take(&mut plan.annotations)
            .into_iter()
            .partition(|it: &Annotation| self.publishes(&it.key));
        plan.annotations = kept;
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
                quoted(&given.key),
                quoted(&canary.of)
            );
            let help = format!("forward it from the Service {}, or remove the line", canary.of);
            given.file_key(self.report, Problem::new(Code::CanaryAnnotation, message).help(help));
        }
    }

    /// Copies the annotations of ExternalDNS to all prefixes that it may look for.
    pub(super) fn mirror(&mut self, plan: &mut Plan) {
        let is_of_dns = |known: &Annotation| external_dns::split(&known.key).is_some();
        if !self.translates() || !plan.annotations.iter().any(is_of_dns) {
            return;
        }
        let mut more = Vec::new();
        let (known, mut added) = (keys(plan), BTreeSet::new());
        for given in &plan.annotations {
            let Some((own, name)) = external_dns::split(&given.key) else { continue };
            for prefix in self.settings.dns_prefixes.iter().filter(|prefix| *prefix != own) {
                let key = format!("{prefix}{name}");
                if !known.contains(key.as_str()) && added.insert(key.clone()) {
                    more.push(Annotation { key, ..given.clone() });
                }
            }
        }
        for added in &more {
            let message =
                format!("{} is given, too, for the versions of ExternalDNS that read it", quoted(&added.key));
            added.file_key(self.report, Problem::new(Code::DnsMirrored, message));
        }
        plan.annotations.append(&mut more);
    }
}

/// Adds an annotation, unless the block or a setting gives it.
fn add(plan: &mut Plan, key: impl Into<String>, value: String, origin: &Origin) {
    let key = key.into();
    if plan.annotations.iter().all(|known| known.key != key) {
        let source = Source::Option(origin.clone());
        plan.annotations.push(Annotation { key, value, source });
    }
}

/// ingress-nginx compares a regular expression letter by letter, unless an annotation says what it is; a rewrite does, too.
fn write_regex(plan: &mut Plan) {
    let Some(pattern) = plan.rules.iter().find(|rule| rule.path_type.is_pattern(&rule.path)) else { return };
    if plan.nginx().is_some_and(|nginx| nginx.rewrite.is_none() && nginx.use_regex.is_none()) {
        let origin = pattern.path_origin.clone();
        add(plan, nginx::USE_REGEX, "true".to_owned(), &origin);
    }
}

/// Sets the path of the URL, once the annotations say how ingress-nginx reads the paths.
fn set_url_path(plan: &mut Plan) {
    if let Some(rule) = plan.rules.first() {
        plan.url_path = asked_path(plan, &rule.path, rule.path_type).into_owned();
    }
}

/// Forecastle makes an `http` URL of an Ingress without a TLS section, and takes the first path as it is, also a regular
/// expression. There the right URL is added. The rule `forecastle` finds a link to a wildcard host.
fn write_link(plan: &mut Plan) {
    let is_read = plan.targets.iter().any(|target| matches!(target, Target::Ingress | Target::HttpRoute));
    if !is_read || !plan.annotations.iter().any(|it| forecastle::exposes(&it.key, &it.value)) {
        return;
    }
    let Some(rule) = plan.rules.first().filter(|rule| !rule.host.starts_with("*.")) else { return };
    let origin = match &plan.tls {
        Some(tls) if tls.value == Tls::LoadBalancer => tls.origin.clone(),
        _ if plan.url_path != rule.path => rule.path_origin.clone(),
        _ => return,
    };
    let url = plan.url();
    add(plan, forecastle::URL, url, &origin);
}
