//! The choices for the options that reproduce an Ingress, and the draft for a choice.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use xposer::diagnostics::Segment;
use xposer::internal::{About, about};
use xposer::validation::PathType;

use crate::draft::Draft;
use crate::keys;
use crate::source_ingress::SourceIngress;
use crate::templates;

/// A choice for a draft.
#[derive(Clone, Debug)]
pub(crate) struct Choice<'p> {
    pub(crate) profile: Option<&'p str>,
    pub(crate) kind: Option<PathType>,
    pub(crate) certificate: Certificate,
    /// Whether requests without TLS are redirected to https; `None` uses the default of the controller.
    pub(crate) redirect: Option<bool>,
    /// Whether the class stays an annotation.
    pub(crate) class_in_block: bool,
    /// Whether the URLs contain the paths; otherwise all routes have the same path.
    pub(crate) paths_in_urls: bool,
    /// The name of the Ingress; `None` uses the default.
    pub(crate) name: Option<String>,
}

/// The way to get the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certificate {
    None,
    /// The secret exists.
    Secret,
    /// cert-manager fills the secret, and an option names the issuer.
    Issued,
    /// cert-manager fills the secret, and an annotation names the issuer.
    Annotated,
}

impl<'p> Choice<'p> {
    /// The first choice under a profile.
    pub(crate) fn new(source: &SourceIngress<'_>, profile: Option<&'p str>) -> Self {
        Self {
            profile,
            kind: None,
            certificate: Certificate::None,
            redirect: None,
            class_in_block: false,
            paths_in_urls: true,
            name: source.name.map(str::to_owned),
        }
    }

    /// The options and the block for this choice, without the dropped annotations.
    pub(crate) fn draft(&self, source: &SourceIngress<'_>, dropped: &BTreeSet<String>) -> Draft {
        let mut draft = Draft { labels: source.labels.clone(), ..Draft::default() };
        let mut set = |key: &'static str, value: String| {
            draft.options.insert(key, value);
        };
        set(keys::TARGET, "Ingress".to_owned());
        if let Some(profile) = self.profile {
            set(keys::PROFILE, profile.to_owned());
        }
        if let Some(name) = &self.name {
            set(keys::NAME, name.clone());
        }
        let port = templates::main_port(&source.routes);
        set(keys::URL, templates::urls(&source.routes, port, self.paths_in_urls));
        let path = common_path(source).filter(|_| !self.paths_in_urls);
        set(keys::PATH, path.unwrap_or("/").to_owned());
        if let Some(kind) = self.kind {
            set(keys::PATH_TYPE, kind.to_string());
        }
        if let Some(port) = port {
            set(keys::PORT, port.to_string());
        }
        let mut handled_keys: BTreeSet<&str> = dropped.iter().map(String::as_str).collect();
        if let Some(class) = source.class.filter(|_| !self.class_in_block) {
            set(keys::CLASS, class.name.clone());
        }
        match self.certificate {
            Certificate::None => set(keys::TLS, "false".to_owned()),
            Certificate::Secret => set(keys::TLS, "true".to_owned()),
            Certificate::Issued | Certificate::Annotated => set(keys::TLS, "cert-manager".to_owned()),
        }
        if let Some(redirect) = self.redirect {
            set(keys::HTTPS_REDIRECT, redirect.to_string());
        }
        if self.certificate == Certificate::Issued {
            for (key, value) in &source.annotations {
                if let About::Issuer { cluster } = about(key) {
                    set(if cluster { keys::CLUSTER_ISSUER } else { keys::ISSUER }, value.trim().to_owned());
                    handled_keys.insert(key);
                }
            }
        }
        if self.certificate != Certificate::None && source.canary.is_none() {
            let hosts: HashSet<&str> = source.routes.iter().map(|route| route.host.as_str()).collect();
            let others = source.tls.iter().filter(|(host, _)| !hosts.contains(host));
            let others: Vec<String> = others.map(|(host, _)| (*host).to_owned()).collect();
            if !others.is_empty() {
                set(keys::TLS_HOSTS, templates::joined(&others));
            }
            let secrets = source.tls.iter().filter_map(|(host, secret)| Some((*host, (*secret)?)));
            let secrets: Vec<(&str, &str)> = secrets.collect();
            if let Some(template) = templates::secret(&secrets) {
                set(keys::SECRET, template);
            }
        }
        if let Some(canary) = &source.canary {
            for (key, value) in &canary.options {
                set(key, value.clone());
            }
            handled_keys.extend(canary.keys.iter().map(String::as_str));
            // No controller reads the certificates of a canary.
            draft.options.remove(keys::TLS_HOSTS);
        }
        let rest = source.annotations.iter().filter(|(key, _)| !handled_keys.contains(key.as_str()));
        draft.block = rest.map(|(key, value)| (key.clone(), value.clone())).collect();
        if let Some(class) = source.class.filter(|_| self.class_in_block) {
            let key = class.at.segments().iter().rev().find_map(|segment| match segment {
                Segment::Key(key) => Some(key.to_string()),
                Segment::Index(_) => None,
            });
            draft.block.extend(key.map(|key| (key, class.name.clone())));
        }
        draft
    }
}

/// The path types to try. Without one, a path that is a regular expression is ImplementationSpecific, and any other path is a
/// Prefix.
pub(crate) fn kinds(source: &SourceIngress<'_>) -> Vec<Option<PathType>> {
    let mut counts: BTreeMap<PathType, usize> = BTreeMap::new();
    for route in &source.routes {
        *counts.entry(route.kind).or_default() += 1;
    }
    // Of equally frequent path types, the one that has more requests comes first, so that a proposal does not drop paths.
    let requests = |kind: &PathType| match kind {
        PathType::ImplementationSpecific => 2,
        PathType::Prefix => 1,
        PathType::Exact => 0,
    };
    let mut kinds: Vec<PathType> = counts.keys().copied().collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse((counts.get(kind).copied(), requests(kind))));
    let given = kinds.into_iter().map(Some);
    if counts.len() == 1 { given.collect() } else { [None].into_iter().chain(given).collect() }
}

/// The ways to get the certificate to try.
pub(crate) fn certificates(source: &SourceIngress<'_>) -> Vec<Certificate> {
    if source.tls.is_empty() {
        return vec![Certificate::None];
    }
    let is = |test: fn(About) -> bool| source.annotations.keys().any(|key| test(about(key)));
    if is(|it| matches!(it, About::Issuer { .. })) {
        vec![Certificate::Issued, Certificate::Annotated, Certificate::Secret]
    } else if is(|it| it == About::Certificate) {
        vec![Certificate::Annotated, Certificate::Secret]
    } else {
        vec![Certificate::Secret]
    }
}

/// The path of all routes, if they have one path other than `/`.
pub(crate) fn common_path<'i>(source: &SourceIngress<'i>) -> Option<&'i str> {
    let first: &'i str = source.routes.first().map(|route| route.path.as_str())?;
    (first != "/" && source.routes.iter().all(|route| route.path == first)).then_some(first)
}
