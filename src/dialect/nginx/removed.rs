//! The keys that ingress-nginx no longer reads.

use super::{BACKEND_PROTOCOL, OLD_PREFIX, PREFIX, any_name};
use crate::dialect::legacy::{Legacy, Migration, row};

pub(crate) static LEGACY: &[Legacy] = &[row(
    OLD_PREFIX,
    Migration::Moved(PREFIX),
    "ingress-nginx 0.9.0-beta.18, default of --annotations-prefix",
)];

/// A row is a key without its prefix, what Xposer does with it, and the evidence.
macro_rules! removed {
    ($( $name:literal: $migration:expr, $source:expr; )+) => {
        /// The keys that ingress-nginx no longer reads, in ascending order. They also exist under its old prefix.
        pub(crate) static REMOVED: &[Legacy] =
            &[$( row(concat!("nginx.ingress.kubernetes.io/", $name), $migration, $source) ),+];
    };
}

removed! {
    "add-base-url": gone("nothing puts a base element into pages",
        "remove the line, and let the application write its base URL"), "ingress-nginx 0.22.0, #3174";
    "auth-send-body": gone("a request for authentication has no body", "remove the line"),
        "ingress-nginx 0.9.0-beta.16, #1533";
    "base-url-scheme": gone("nothing puts a base element into pages",
        "remove the line, and let the application write its base URL"), "ingress-nginx 0.22.0, #3174";
    "enable-influxdb": gone(NO_INFLUXDB, REMOVE_INFLUXDB), INFLUXDB_SOURCE;
    "enable-lua-resty-waf": gone(NO_WAF, USE_MODSECURITY), WAF_SOURCE;
    "enable-opentracing": gone("OpenTelemetry replaced OpenTracing",
        "write nginx.ingress.kubernetes.io/enable-opentelemetry instead"), OPENTRACING_SOURCE;
    "global-rate-limit": gone(NO_LIMIT, USE_LIMIT), LIMIT_SOURCE;
    "global-rate-limit-*": gone(NO_LIMIT, USE_LIMIT), LIMIT_SOURCE;
    "grpc-backend": Migration::Switch { key: BACKEND_PROTOCOL, value: "GRPC" }, "ingress-nginx 0.21.0, #3203";
    "http2-push-preload": gone("nginx pushes nothing", "remove the line"),
        "ingress-nginx 1.10.0, nginx 1.25.1";
    "influxdb-*": gone(NO_INFLUXDB, REMOVE_INFLUXDB), INFLUXDB_SOURCE;
    "lua-resty-waf": gone(NO_WAF, USE_MODSECURITY), WAF_SOURCE;
    "lua-resty-waf-*": gone(NO_WAF, USE_MODSECURITY), WAF_SOURCE;
    "mirror-uri": gone("requests are mirrored to a URL, and not to a path",
        "write nginx.ingress.kubernetes.io/mirror-target with the URL instead"), "ingress-nginx 0.28.1, #5015";
    "opentracing-*": gone("OpenTelemetry replaced OpenTracing",
        "write nginx.ingress.kubernetes.io/opentelemetry-trust-incoming-span or opentelemetry-operation-name instead"), OPENTRACING_SOURCE;
    "secure-backends": Migration::Switch { key: BACKEND_PROTOCOL, value: "HTTPS" },
        "ingress-nginx 0.21.0, #3203";
    "secure-verify-ca-secret": gone("nothing verifies the certificates of the pods",
        "write nginx.ingress.kubernetes.io/proxy-ssl-secret: <namespace>/<secret> and nginx.ingress.kubernetes.io/proxy-ssl-verify: \"on\" instead"), "ingress-nginx 0.27.0, #4695";
    "session-cookie-hash": gone("the cookie of a session needs no hash", "remove the line"),
        "ingress-nginx 0.24.0, #3743";
    "upstream-fail-timeout": gone(NO_FAILS, USE_PROBE), FAILS_SOURCE;
    "upstream-max-fails": gone(NO_FAILS, USE_PROBE), FAILS_SOURCE;
    "vts-filter-key": gone("there is no status page of virtual hosts",
        "remove the line, and read the metrics for Prometheus"), "ingress-nginx 0.16.0, #2643";
}

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
const NO_FAILS: &str = "failed requests remove no pod";
const USE_PROBE: &str = "remove the line, and give the pods a readinessProbe";
const FAILS_SOURCE: &str = "ingress-nginx 0.21.0, #3207";

const fn gone(why: &'static str, help: &'static str) -> Migration {
    Migration::Removed { why, help }
}

/// Returns the row of [`REMOVED`] for a key under one of the prefixes.
pub(crate) fn find(key: &str) -> Option<&'static Legacy> {
    let name = any_name(key)?;
    let own = |row: &Legacy| any_name(row.old).unwrap_or_default();
    // A row with a star is directly in front of the place of the names that it matches.
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
