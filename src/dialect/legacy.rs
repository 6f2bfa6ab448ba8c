//! Forwarded keys that the programs around us no longer read, and what they read instead.

use crate::options::DNS_PREFIXES;
use crate::validation::CLASS_ANNOTATION;

/// What became of a key.
///
/// ```
/// use xposer::dialect::legacy::{Fate, find};
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
    /// Where it is true, another key has this value today; where it is false, it asks for nothing.
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
/// use xposer::dialect::legacy::{Fate, Monitor, find};
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

/// A row of the tables: a key, or the beginning of keys where it ends with `/` or `*`.
///
/// ```
/// use xposer::dialect::legacy::find;
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
/// use xposer::dialect::legacy::{Fate, find};
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
        fate: Fate::Dropped(
            "cert-manager makes an Ingress of its own for each challenge, and what it writes into this one is taken out",
        ),
        source: "cert-manager 1.21, acme.cert-manager.io/http01-edit-in-place",
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

/// The keys that ingress-nginx read once, in ascending order. They are found behind its old prefix, too.
///
/// ```
/// use xposer::dialect::legacy::{Fate, REMOVED, find};
/// let fate = |key| find(key).map(|row| row.fate);
/// let https = Some(Fate::Switch { key: "nginx.ingress.kubernetes.io/backend-protocol", value: "HTTPS" });
/// assert_eq!(fate("nginx.ingress.kubernetes.io/secure-backends"), https);
/// assert_eq!(fate("ingress.kubernetes.io/secure-backends"), https);
/// assert!(matches!(fate("nginx.ingress.kubernetes.io/influxdb-host"), Some(Fate::Removed { .. })));
/// assert!(REMOVED.is_sorted_by_key(|row| row.old));
/// ```
pub static REMOVED: &[Legacy] = &[
    removed(
        "nginx.ingress.kubernetes.io/add-base-url",
        "nothing puts a base element into pages",
        "remove the line, and let the application write its base URL",
        "ingress-nginx 0.22.0, #3174",
    ),
    removed(
        "nginx.ingress.kubernetes.io/auth-send-body",
        "a request for authentication has no body",
        "remove the line",
        "ingress-nginx 0.9.0-beta.16, #1533",
    ),
    removed(
        "nginx.ingress.kubernetes.io/base-url-scheme",
        "nothing puts a base element into pages",
        "remove the line, and let the application write its base URL",
        "ingress-nginx 0.22.0, #3174",
    ),
    removed("nginx.ingress.kubernetes.io/enable-influxdb", NO_INFLUXDB, REMOVE_INFLUXDB, INFLUXDB_SOURCE),
    removed("nginx.ingress.kubernetes.io/enable-lua-resty-waf", NO_WAF, USE_MODSECURITY, WAF_SOURCE),
    removed(
        "nginx.ingress.kubernetes.io/enable-opentracing",
        "OpenTelemetry took the place of OpenTracing",
        "write nginx.ingress.kubernetes.io/enable-opentelemetry instead",
        OPENTRACING_SOURCE,
    ),
    removed("nginx.ingress.kubernetes.io/global-rate-limit", NO_LIMIT, USE_LIMIT, LIMIT_SOURCE),
    removed("nginx.ingress.kubernetes.io/global-rate-limit-*", NO_LIMIT, USE_LIMIT, LIMIT_SOURCE),
    Legacy {
        old: "nginx.ingress.kubernetes.io/grpc-backend",
        fate: Fate::Switch { key: BACKEND_PROTOCOL, value: "GRPC" },
        source: "ingress-nginx 0.21.0, #3203",
    },
    removed(
        "nginx.ingress.kubernetes.io/http2-push-preload",
        "nginx pushes nothing",
        "remove the line",
        "ingress-nginx 1.10.0, nginx 1.25.1",
    ),
    removed("nginx.ingress.kubernetes.io/influxdb-*", NO_INFLUXDB, REMOVE_INFLUXDB, INFLUXDB_SOURCE),
    removed("nginx.ingress.kubernetes.io/lua-resty-waf", NO_WAF, USE_MODSECURITY, WAF_SOURCE),
    removed("nginx.ingress.kubernetes.io/lua-resty-waf-*", NO_WAF, USE_MODSECURITY, WAF_SOURCE),
    removed(
        "nginx.ingress.kubernetes.io/mirror-uri",
        "requests are mirrored to a URL, and not to a path",
        "write nginx.ingress.kubernetes.io/mirror-target with the URL instead",
        "ingress-nginx 0.28.1, #5015",
    ),
    removed(
        "nginx.ingress.kubernetes.io/opentracing-*",
        "OpenTelemetry took the place of OpenTracing",
        "write nginx.ingress.kubernetes.io/opentelemetry-trust-incoming-span or opentelemetry-operation-name instead",
        OPENTRACING_SOURCE,
    ),
    Legacy {
        old: "nginx.ingress.kubernetes.io/secure-backends",
        fate: Fate::Switch { key: BACKEND_PROTOCOL, value: "HTTPS" },
        source: "ingress-nginx 0.21.0, #3203",
    },
    removed(
        "nginx.ingress.kubernetes.io/secure-verify-ca-secret",
        "nothing verifies the certificates of the pods",
        "write nginx.ingress.kubernetes.io/proxy-ssl-secret: <namespace>/<secret> and nginx.ingress.kubernetes.io/proxy-ssl-verify: \"on\" instead",
        "ingress-nginx 0.27.0, #4695",
    ),
    removed(
        "nginx.ingress.kubernetes.io/session-cookie-hash",
        "the cookie of a session needs no hash",
        "remove the line",
        "ingress-nginx 0.24.0, #3743",
    ),
    removed("nginx.ingress.kubernetes.io/upstream-fail-timeout", NO_FAILS, USE_PROBE, FAILS_SOURCE),
    removed("nginx.ingress.kubernetes.io/upstream-max-fails", NO_FAILS, USE_PROBE, FAILS_SOURCE),
    removed(
        "nginx.ingress.kubernetes.io/vts-filter-key",
        "there is no status page of virtual hosts",
        "remove the line, and read the metrics for Prometheus",
        "ingress-nginx 0.16.0, #2643",
    ),
];

const NGINX: &str = "nginx.ingress.kubernetes.io";
const OLD_NGINX: &str = "ingress.kubernetes.io";
const BACKEND_PROTOCOL: &str = "nginx.ingress.kubernetes.io/backend-protocol";

const NO_INFLUXDB: &str = "nothing is sent to InfluxDB";
const REMOVE_INFLUXDB: &str = "remove the line, and read the metrics for Prometheus";
const INFLUXDB_SOURCE: &str = "ingress-nginx 1.7.1, #9861";
const NO_WAF: &str = "there is no lua-resty-waf, so no firewall protects the Service";
const USE_MODSECURITY: &str = "write nginx.ingress.kubernetes.io/enable-modsecurity: \"true\" and nginx.ingress.kubernetes.io/enable-owasp-core-rules: \"true\" instead";
const WAF_SOURCE: &str = "ingress-nginx 0.27.0, #4779";
const OPENTRACING_SOURCE: &str = "ingress-nginx 1.10.0, #10615";
const NO_LIMIT: &str = "there is no limit for all replicas together, so nothing limits the requests";
const USE_LIMIT: &str =
    "write nginx.ingress.kubernetes.io/limit-rps instead, for which each replica counts by itself";
const LIMIT_SOURCE: &str = "ingress-nginx 1.12.0, #11851";
const NO_FAILS: &str = "failed requests take no pod out";
const USE_PROBE: &str = "remove the line, and give the pods a readinessProbe";
const FAILS_SOURCE: &str = "ingress-nginx 0.21.0, #3207";

const fn removed(old: &'static str, why: &'static str, help: &'static str, source: &'static str) -> Legacy {
    Legacy { old, fate: Fate::Removed { why, help }, source }
}

/// The row of [`REMOVED`] for a name behind one of the prefixes of ingress-nginx.
fn no_longer_read(name: &str) -> Option<&'static Legacy> {
    let own = |row: &Legacy| row.old.get(NGINX.len() + 1..).unwrap_or_default();
    // A row with a star stands directly before the place of the names that it is for.
    let after = REMOVED.partition_point(|row| own(row) <= name);
    let row = REMOVED.get(after.checked_sub(1)?)?;
    let fits = match own(row).strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => own(row) == name,
    };
    fits.then_some(row)
}

const MONITOR_SOURCE: &str = "IngressMonitorController 2, migration guide";

const fn monitor(old: &'static str, field: Monitor) -> Legacy {
    Legacy { old, fate: Fate::Monitor(field), source: MONITOR_SOURCE }
}

/// The row for `key`, if the key is an old one. Provider keys such as `uptimerobot.monitor.stakater.com/interval`
/// belong to the row of their common suffix, [`Fate::MonitorOption`].
///
/// ```
/// use xposer::dialect::legacy::find;
/// let old = |key| find(key).map(|row| row.old);
/// assert_eq!(old("pingdom.monitor.stakater.com/resolution"), Some("monitor.stakater.com/"));
/// assert_eq!(old("nginx.ingress.kubernetes.io/rewrite-target"), None);
/// ```
#[must_use]
pub fn find(key: &str) -> Option<&'static Legacy> {
    let (prefix, name) = key.split_once('/')?;
    if matches!(prefix, NGINX | OLD_NGINX)
        && let Some(row) = no_longer_read(name)
    {
        return Some(row);
    }
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
/// use xposer::dialect::legacy::dns_key;
/// assert_eq!(dns_key("external-dns.alpha.kubernetes.io/ttl"), Some(("external-dns.alpha.kubernetes.io/", "ttl")));
/// assert_eq!(dns_key("example.com/ttl"), None);
/// ```
#[must_use]
pub fn dns_key(key: &str) -> Option<(&'static str, &str)> {
    DNS_PREFIXES.into_iter().find_map(|prefix| Some((prefix, key.strip_prefix(prefix)?)))
}
