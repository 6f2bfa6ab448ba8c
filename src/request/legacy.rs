//! Forwarded keys that the programs around us no longer read, and what they read instead.

use crate::settings::DNS_PREFIXES;
use crate::value::{CLASS_ANNOTATION, split_at_byte};

/// What became of a key.
///
/// ```
/// use xposer::request::legacy::{Fate, find};
/// let fate = |key| find(key).map(|row| row.fate);
/// assert_eq!(fate("kubernetes.io/ingress.class"), Some(Fate::Class));
/// assert_eq!(fate("ingress.kubernetes.io/rewrite-target"), Some(Fate::Moved("nginx.ingress.kubernetes.io/")));
/// assert!(matches!(fate("certmanager.k8s.io/acme-challenge-type"), Some(Fate::Dropped(_))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It has another name today.
    Renamed(&'static str),
    /// Everything behind the prefix stands behind another prefix today.
    Moved(&'static str),
    /// It is a field of the Ingress today: `spec.ingressClassName`.
    Class,
    /// It has no successor on the Ingress; the sentence says where it is configured today.
    Dropped(&'static str),
    /// It is a field of the EndpointMonitor today.
    Monitor(Monitor),
    /// Under the name of a provider, an option that the provider still has is a field of the EndpointMonitor today. Nothing
    /// reads any other; the sentence says what is read instead, and the key is passed on.
    MonitorOption(&'static str),
    /// Nothing reads it; the sentence says what is read instead. It is passed on.
    Dead(&'static str),
}

/// A part of the EndpointMonitor that was an annotation of the Ingress.
///
/// ```
/// use xposer::request::legacy::{Fate, Monitor, find};
/// let row = find("monitor.stakater.com/overridePath");
/// assert_eq!(row.map(|row| row.fate), Some(Fate::Monitor(Monitor::HealthEndpoint)));
/// assert_eq!(Monitor::HealthEndpoint.field(), "EndpointMonitor.spec.url");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monitor {
    /// Whether there is one.
    Enabled,
    /// Whether the URL begins with `https`.
    ForceHttps,
    /// The path of the URL.
    HealthEndpoint,
}

impl Monitor {
    /// Where it is, in words.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::Enabled => "EndpointMonitor",
            Self::ForceHttps | Self::HealthEndpoint => "EndpointMonitor.spec.url",
        }
    }
}

/// A row of the table: a key, or the prefix of keys where it ends with `/`.
///
/// ```
/// use xposer::request::legacy::find;
/// let row = find("certmanager.k8s.io/cluster-issuer");
/// assert!(row.is_some_and(|row| row.source.starts_with("cert-manager 0.11")));
/// ```
#[derive(Debug)]
pub struct Legacy {
    /// The old key or prefix.
    pub old: &'static str,
    /// What became of it.
    pub fate: Fate,
    /// Who decided it: the program, and its version or the page of its documentation.
    pub source: &'static str,
}

/// The table; the first row that fits counts.
///
/// ```
/// use xposer::request::legacy::{Fate, find};
/// assert_eq!(find("certmanager.k8s.io/issuer").unwrap().fate, Fate::Renamed("cert-manager.io/issuer"));
/// assert!(find("cert-manager.io/issuer").is_none());
/// ```
pub static TABLE: &[Legacy] = &[
    Legacy {
        old: CLASS_ANNOTATION,
        fate: Fate::Class,
        source: "Kubernetes 1.18, networking.k8s.io/v1 Ingress",
    },
    Legacy {
        old: "ingress.kubernetes.io/",
        fate: Fate::Moved("nginx.ingress.kubernetes.io/"),
        source: "ingress-nginx 0.9.0-beta.18, default of --annotations-prefix",
    },
    Legacy {
        old: "certmanager.k8s.io/issuer",
        fate: Fate::Renamed("cert-manager.io/issuer"),
        source: "cert-manager 0.11, upgrading 0.10 to 0.11",
    },
    Legacy {
        old: "certmanager.k8s.io/cluster-issuer",
        fate: Fate::Renamed("cert-manager.io/cluster-issuer"),
        source: "cert-manager 0.11, upgrading 0.10 to 0.11",
    },
    Legacy {
        old: "certmanager.k8s.io/acme-http01-edit-in-place",
        fate: Fate::Renamed("acme.cert-manager.io/http01-edit-in-place"),
        source: "cert-manager 0.11, upgrading 0.10 to 0.11",
    },
    Legacy {
        old: "certmanager.k8s.io/acme-http01-ingress-class",
        fate: Fate::Renamed("acme.cert-manager.io/http01-ingress-class"),
        source: "cert-manager 0.11, upgrading 0.10 to 0.11",
    },
    Legacy {
        old: "certmanager.k8s.io/acme-challenge-type",
        fate: Fate::Dropped("the solver is configured in the Issuer"),
        source: "cert-manager 0.8, solvers of the ACME Issuer",
    },
    Legacy {
        old: "certmanager.k8s.io/acme-dns01-provider",
        fate: Fate::Dropped("the solver is configured in the Issuer"),
        source: "cert-manager 0.8, solvers of the ACME Issuer",
    },
    Legacy {
        old: "certmanager.k8s.io/",
        fate: Fate::Dead("cert-manager reads cert-manager.io/ keys"),
        source: "cert-manager 0.11, upgrading 0.10 to 0.11",
    },
    monitor("monitor.stakater.com/enabled", Monitor::Enabled),
    monitor("monitor.stakater.com/forceHttps", Monitor::ForceHttps),
    monitor("monitor.stakater.com/healthEndpoint", Monitor::HealthEndpoint),
    // It replaced the path, which is what the health endpoint does.
    monitor("monitor.stakater.com/overridePath", Monitor::HealthEndpoint),
    Legacy {
        old: "monitor.stakater.com/",
        fate: Fate::MonitorOption(
            "IngressMonitorController reads EndpointMonitor objects; the setting monitorProvider has their options",
        ),
        source: MONITOR_SOURCE,
    },
];

const MONITOR_SOURCE: &str = "IngressMonitorController 2, migration guide";

const fn monitor(old: &'static str, field: Monitor) -> Legacy {
    Legacy { old, fate: Fate::Monitor(field), source: MONITOR_SOURCE }
}

/// The row for `key`, if the key is an old one. Provider keys such as `uptimerobot.monitor.stakater.com/interval`
/// belong to the row of their common suffix, [`Fate::MonitorOption`].
///
/// ```
/// use xposer::request::legacy::find;
/// let old = |key| find(key).map(|row| row.old);
/// assert_eq!(old("pingdom.monitor.stakater.com/resolution"), Some("monitor.stakater.com/"));
/// assert_eq!(old("nginx.ingress.kubernetes.io/rewrite-target"), None);
/// ```
#[must_use]
pub fn find(key: &str) -> Option<&'static Legacy> {
    let (prefix, _) = split_at_byte(key, b'/')?;
    TABLE.iter().find(|row| match row.old.strip_suffix('/') {
        None => row.old == key,
        Some(old) => match prefix.strip_suffix(old) {
            Some("") => true,
            Some(provider) => matches!(row.fate, Fate::MonitorOption(_)) && provider.ends_with('.'),
            None => false,
        },
    })
}

/// The prefix and the name of a key of ExternalDNS, under either of its prefixes.
///
/// ```
/// use xposer::request::legacy::dns_key;
/// assert_eq!(dns_key("external-dns.alpha.kubernetes.io/ttl"), Some(("external-dns.alpha.kubernetes.io/", "ttl")));
/// assert_eq!(dns_key("example.com/ttl"), None);
/// ```
#[must_use]
pub fn dns_key(key: &str) -> Option<(&'static str, &str)> {
    DNS_PREFIXES.into_iter().find_map(|prefix| Some((prefix, key.strip_prefix(prefix)?)))
}
