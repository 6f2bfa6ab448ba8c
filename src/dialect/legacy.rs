//! Forwarded keys that no program reads any more, and what is read instead.

use super::{cert_manager, contour, kubernetes, monitor, nginx};
use crate::validation::halves;

/// What Xposer does with a legacy key.
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
    /// The key has another name today.
    Renamed(&'static str),
    /// The key has the same name today, and another prefix.
    Moved(&'static str),
    /// The key is a field of the Ingress today: `spec.ingressClassName`.
    Class,
    /// The key has no successor on the Ingress; the sentence says where this is configured today.
    Dropped(&'static str),
    /// The key is a field of the EndpointMonitor today.
    Monitor(MonitorField),
    /// The key is an option under the name of a provider. If the provider still has the option, it is a field of the
    /// EndpointMonitor today. Otherwise no program reads the key: the sentence says what is read instead, and the key is passed
    /// on.
    MonitorOption(&'static str),
    /// No program reads the key; the sentence says what is read instead. The key is passed on.
    Dead(&'static str),
    /// If the value is true, another key has this value today; if it is false, the key has no effect.
    Switch {
        /// The key that is read today.
        key: &'static str,
        /// Its value.
        value: &'static str,
    },
    /// The program that read the key no longer does so. The key is passed on.
    Removed {
        /// The reason: what is missing now.
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
    /// Whether there is an EndpointMonitor.
    Enabled,
    /// Whether the URL begins with `https`.
    ForceHttps,
    /// The path of the URL.
    HealthEndpoint,
}

impl MonitorField {
    /// Returns the place of the part.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Enabled => "EndpointMonitor",
            Self::ForceHttps | Self::HealthEndpoint => "EndpointMonitor.spec.url",
        }
    }
}

/// A row of the tables: a key, or the beginning of keys if it ends with `/` or `*`.
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
    /// What Xposer does with the key.
    pub migration: Migration,
    /// The evidence: the program, and its version or the page of its documentation.
    pub source: &'static str,
}

pub(super) const fn row(old: &'static str, migration: Migration, source: &'static str) -> Legacy {
    Legacy { old, migration, source }
}

/// The tables in addition to [`nginx::removed::REMOVED`].
static TABLES: [&[Legacy]; 5] =
    [kubernetes::LEGACY, contour::LEGACY, nginx::removed::LEGACY, cert_manager::LEGACY, monitor::LEGACY];

/// Returns all rows. If several match a key, the first one counts.
///
/// ```
/// use xposer::internal::legacy::{Migration, find, rows};
/// let switch = rows().find(|row| matches!(row.migration, Migration::Switch { .. })).unwrap();
/// assert_eq!(find(switch.old).map(|row| row.old), Some(switch.old));
/// ```
pub fn rows() -> impl Iterator<Item = &'static Legacy> {
    nginx::removed::REMOVED.iter().chain(TABLES.into_iter().flatten())
}

/// Returns the row for `key`; `None` if it is not a legacy key. Keys of providers such as
/// `uptimerobot.monitor.stakater.com/interval` belong to the row of their common suffix, [`Migration::MonitorOption`].
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
        TABLES.into_iter().flatten().find(|row| match row.old.strip_suffix("/") {
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

/// The keys that name the class of an Ingress, in ascending order.
pub(crate) const CLASSES: [&str; 2] = [kubernetes::CLASS, contour::CLASS];

/// Returns the key that replaced a legacy key.
pub(crate) fn successor(row: &Legacy, key: &str) -> Option<String> {
    match row.migration {
        Migration::Renamed(new) => Some(new.to_owned()),
        Migration::Moved(prefix) => Some([prefix, key.strip_prefix(row.old)?].concat()),
        _ => None,
    }
}
