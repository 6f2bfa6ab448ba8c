//! Forwarded keys that no program reads any longer, and what is read instead.

use super::{cert_manager, kubernetes, monitor, nginx};
use crate::validation::halves;

/// What is done with a key.
///
/// ```
/// use xposer::internal::legacy::{Migration, find};
/// let migration = |key| find(key).map(|row| row.migration);
/// assert_eq!(migration("kubernetes.io/ingress.class"), Some(Migration::Class));
/// assert_eq!(migration("ingress.kubernetes.io/rewrite-target"), Some(Migration::Moved("nginx.ingress.kubernetes.io/")));
/// assert!(matches!(migration("certmanager.k8s.io/acme-challenge-type"), Some(Migration::Dropped(_))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migration {
    /// It has another name today.
    Renamed(&'static str),
    /// Its name is the same, its prefix another one.
    Moved(&'static str),
    /// It is a field of the Ingress today: `spec.ingressClassName`.
    Class,
    /// It has no successor on the Ingress; the sentence says where it is configured today.
    Dropped(&'static str),
    /// It is a field of the EndpointMonitor today.
    Monitor(MonitorField),
    /// Under the name of a provider, an option that the provider still has is a field of the EndpointMonitor today. Nothing
    /// reads any other; the sentence says what is read instead, and the key is passed on.
    MonitorOption(&'static str),
    /// Nothing reads it; the sentence says what is read instead. It is passed on.
    Dead(&'static str),
    /// Where it is true, another key has this value today; where it is false, it has no effect.
    Switch {
        /// The key that is read today.
        key: &'static str,
        /// Its value.
        value: &'static str,
    },
    /// The program that read it does so no longer. It is passed on.
    Removed {
        /// What is missing now.
        why: &'static str,
        /// What to do, in one imperative sentence.
        help: &'static str,
    },
}

/// A part of the EndpointMonitor that was an annotation of the Ingress.
///
/// ```
/// use xposer::internal::legacy::{Migration, MonitorField, find};
/// let row = find("monitor.stakater.com/overridePath");
/// assert_eq!(row.map(|row| row.migration), Some(Migration::Monitor(MonitorField::HealthEndpoint)));
/// assert_eq!(MonitorField::HealthEndpoint.path(), "EndpointMonitor.spec.url");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonitorField {
    /// Whether there is one.
    Enabled,
    /// Whether the URL begins with `https`.
    ForceHttps,
    /// The path of the URL.
    HealthEndpoint,
}

impl MonitorField {
    /// Where it is, in words.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Enabled => "EndpointMonitor",
            Self::ForceHttps | Self::HealthEndpoint => "EndpointMonitor.spec.url",
        }
    }
}

/// A row of the tables: a key, or the beginning of keys where it ends with `/` or `*`.
///
/// ```
/// use xposer::internal::legacy::find;
/// let row = find("certmanager.k8s.io/cluster-issuer");
/// assert!(row.is_some_and(|row| row.source.starts_with("cert-manager 0.11")));
/// ```
#[derive(Debug)]
pub struct Legacy {
    /// The old key or prefix.
    pub old: &'static str,
    /// What is done with it.
    pub migration: Migration,
    /// Who decided it: the program, and its version or the page of its documentation.
    pub source: &'static str,
}

pub(super) const fn row(old: &'static str, migration: Migration, source: &'static str) -> Legacy {
    Legacy { old, migration, source }
}

/// The tables beside [`nginx::removed::REMOVED`].
static TABLES: [&[Legacy]; 4] =
    [kubernetes::LEGACY, nginx::removed::LEGACY, cert_manager::LEGACY, monitor::LEGACY];

/// All rows; of several that fit a key, the first one counts.
///
/// ```
/// use xposer::internal::legacy::{Migration, find, rows};
/// let switch = rows().find(|row| matches!(row.migration, Migration::Switch { .. })).unwrap();
/// assert_eq!(find(switch.old).map(|row| row.old), Some(switch.old));
/// ```
pub fn rows() -> impl Iterator<Item = &'static Legacy> {
    nginx::removed::REMOVED.iter().chain(TABLES.into_iter().flatten())
}

/// The row for `key`, if the key is an old one. Provider keys such as `uptimerobot.monitor.stakater.com/interval`
/// belong to the row of their common suffix, [`Migration::MonitorOption`].
///
/// ```
/// use xposer::internal::legacy::find;
/// let old = |key| find(key).map(|row| row.old);
/// assert_eq!(old("pingdom.monitor.stakater.com/resolution"), Some("monitor.stakater.com/"));
/// assert_eq!(old("ingress.kubernetes.io/influxdb-host"), Some("nginx.ingress.kubernetes.io/influxdb-*"));
/// assert_eq!(old("nginx.ingress.kubernetes.io/rewrite-target"), None);
/// ```
#[must_use]
pub fn find(key: &str) -> Option<&'static Legacy> {
    let (prefix, _) = halves(key, b'/')?;
    nginx::removed::find(key).or_else(|| {
        TABLES.into_iter().flatten().find(|row| match row.old.strip_suffix('/') {
            None => row.old == key,
            Some(old) => match prefix.strip_suffix(old) {
                Some("") => true,
                Some(provider) => {
                    matches!(row.migration, Migration::MonitorOption(_)) && provider.ends_with('.')
                }
                None => false,
            },
        })
    })
}

/// The key that took the place of an old one.
pub(crate) fn successor(row: &Legacy, key: &str) -> Option<String> {
    match row.migration {
        Migration::Renamed(new) => Some(new.to_owned()),
        Migration::Moved(prefix) => Some([prefix, key.strip_prefix(row.old)?].concat()),
        _ => None,
    }
}
