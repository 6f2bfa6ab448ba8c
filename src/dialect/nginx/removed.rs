//! The keys that ingress-nginx read once.

use super::{BACKEND_PROTOCOL, OLD_PREFIX, PREFIX, any_name};
use crate::dialect::legacy::{Legacy, Migration, row};

pub(crate) static LEGACY: &[Legacy] = &[row(
    OLD_PREFIX,
    Migration::Moved(PREFIX),
    "ingress-nginx 0.9.0-beta.18, default of --annotations-prefix",
)];

/// The keys that it reads no longer, in ascending order. They are found behind its old prefix, too.
pub(crate) static REMOVED: &[Legacy] = &[
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
    row(
        "nginx.ingress.kubernetes.io/grpc-backend",
        Migration::Switch { key: BACKEND_PROTOCOL, value: "GRPC" },
        "ingress-nginx 0.21.0, #3203",
    ),
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
    row(
        "nginx.ingress.kubernetes.io/secure-backends",
        Migration::Switch { key: BACKEND_PROTOCOL, value: "HTTPS" },
        "ingress-nginx 0.21.0, #3203",
    ),
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
    Legacy { old, migration: Migration::Removed { why, help }, source }
}

/// The row of [`REMOVED`] for a key under one of the prefixes.
pub(crate) fn find(key: &str) -> Option<&'static Legacy> {
    let name = any_name(key)?;
    let own = |row: &Legacy| any_name(row.old).unwrap_or_default();
    // A row with a star stands directly before the place of the names that it is for.
    let after = REMOVED.partition_point(|row| own(row) <= name);
    let row = REMOVED.get(after.checked_sub(1)?)?;
    let fits = match own(row).strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => own(row) == name,
    };
    fits.then_some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_bisection() {
        assert!(REMOVED.is_sorted_by_key(|row| row.old));
        for row in REMOVED {
            assert_eq!(find(row.old).map(|found| found.old), Some(row.old));
        }
    }
}
