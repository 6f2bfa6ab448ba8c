//! The keys of ingress-nginx 1.15: one row for each key, with all that is known about it.

use super::grammar::{
    ABSOLUTE_PATH, ABSOLUTE_URL, ADDRESSES, CIPHER_LIST, CIPHERS, COMMON_NAME, COOKIE_DOMAIN, DURATION_LAST,
    DURATIONS, ERROR_CODES, ERROR_PAGE, EXPOSED, FILE, FROM_1, FROM_2, FULL_NAME, HEADERS, HTTP_URL, METHOD,
    METHODS, NAME, NEXT_UPSTREAM, NOT_NEGATIVE, ORIGINS, PATTERN, PERMANENT_CODE, PLAIN, PREFIX_PATH,
    PROTOCOLS, SECONDS, SERVER_NAME, SERVER_NAMES, SERVICE, TEMPORAL_CODE, VARIABLE, VARIABLES,
    VERIFY_CLIENT, WORD,
};
use crate::dialect::key::{
    Key, LOOSE_URL, NativeFeature, NeutralValue, OnInvalid, PATH, Shape, URL, ValueReference, key,
};

/// How much harm a key can do, according to ingress-nginx. Its setting `annotations-risk-level` is `High` by default.
///
/// ```
/// use xposer::internal::{Risk, nginx_keys};
/// let too_risky = nginx_keys().filter(|key| key.risk() > Risk::High);
/// assert!(too_risky.map(|key| key.name()).all(|name| name.ends_with("-snippet")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// A choice of few values.
    Low,
    /// A text of few characters.
    Medium,
    /// A text with variables or regular expressions.
    High,
    /// Any text, which becomes a part of the configuration.
    Critical,
}

/// The description of a key for the reference page, in addition to its row.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) risk: Risk,
    /// The value that ingress-nginx uses in place of a value that it ignores.
    pub(super) default: &'static str,
    pub(super) about: &'static str,
}

/// A row is a key, its risk, the default that replaces a bad value, and the subject of the key. The last three are in a list of
/// their own, so that a program that never reads them does not contain them.
macro_rules! keys {
    ($( $key:expr, $risk:ident, $default:literal, $about:literal; )+) => {
        /// The keys and aliases, in ascending order.
        pub(super) static KEYS: &[Key] = &[$( $key ),+];
        /// The notes about them, in the same order.
        pub(super) static NOTES: &[Note] =
            &[$( Note { risk: Risk::$risk, default: $default, about: $about } ),+];
    };
}

// The keys that other keys need.
const AFFINITY: &[&str] = &["affinity"];
const AUTH_TLS_SECRET: &[&str] = &["auth-tls-secret"];
const AUTH_TYPE: &[&str] = &["auth-type"];
const AUTH_URL: &[&str] = &["auth-url"];
const ENABLE_CORS: &[&str] = &["enable-cors"];
const LIMITS: &[&str] = &["limit-rps", "limit-rpm", "limit-connections"];
const LIMIT_RATES: &[&str] = &["limit-rps", "limit-rpm"];
const MIRROR_TARGET: &[&str] = &["mirror-target"];
const PERMANENT_REDIRECT: &[&str] = &["permanent-redirect"];
const PROXY_SSL_SECRET: &[&str] = &["proxy-ssl-secret"];
const REWRITE_TARGET: &[&str] = &["rewrite-target"];
const TEMPORAL_REDIRECT: &[&str] = &["temporal-redirect"];
const UPSTREAM_HASH_BY: &[&str] = &["upstream-hash-by"];

keys! {
    key("affinity").shape(Shape::Exactly("cookie")).changes_answers(), Low, "no affinity", "keeps a client at one pod, by a cookie";
    key("affinity-canary-behavior").shape(Shape::Exactly("sticky legacy")),
        Low, "sticky", "whether a client stays with the canary";
    key("affinity-mode").shape(Shape::Exactly("balanced persistent")).needs(&AFFINITY),
        Medium, "balanced", "whether clients move when pods are added";
    key("allowlist-source-range").text(&ADDRESSES).on_invalid(OnInvalid::Denied).protects().neutral(NeutralValue::AllAddresses),
        Medium, "", "the addresses that are admitted";
    key("app-root").shape(Shape::Both(&(PATH, &ABSOLUTE_PATH, OnInvalid::Ignored))).changes_answers(),
        Medium, "no redirect", "where requests for / are sent";
    key("auth-always-set-cookie").shape(Shape::Boolean).on_invalid(OnInvalid::DropsFeature).neutral(NeutralValue::False).needs(&AUTH_URL),
        Low, "", "passes on cookies of the authentication with every answer";
    key("auth-cache-duration").shape(Shape::Both(&(Shape::Text(&DURATIONS), &DURATION_LAST, OnInvalid::Denied)))
        .on_invalid(OnInvalid::DropsFeature).needs(&AUTH_URL),
        Medium, "", "how long an answer of the authentication is reused";
    key("auth-cache-key").text(&VARIABLE).needs(&AUTH_URL),
        Medium, "no cache", "for which requests an answer of the authentication is reused";
    key("auth-keepalive").shape(Shape::Integer).needs(&AUTH_URL),
        Low, "0", "the connections to the authentication that are kept";
    key("auth-keepalive-requests").shape(Shape::Integer).needs(&AUTH_URL),
        Low, "1000", "the requests on a connection to the authentication";
    key("auth-keepalive-share-vars").shape(Shape::Boolean).neutral(NeutralValue::False).needs(&AUTH_URL),
        Low, "false", "shares the variables of nginx with the authentication";
    key("auth-keepalive-timeout").shape(Shape::Integer).needs(&AUTH_URL),
        Low, "60", "the seconds that such a connection is kept";
    key("auth-method").text(&METHOD).on_invalid(OnInvalid::Denied).needs(&AUTH_URL),
        Low, "", "the method of requests to the authentication";
    key("auth-proxy-set-headers").references(ValueReference::Named).shape(Shape::Both(&(Shape::Text(&PLAIN), &FULL_NAME, OnInvalid::Denied))).hardens()
        .needs(&AUTH_URL),
        Medium, "no headers", "headers for the authentication, from a ConfigMap";
    key("auth-realm").text(&PLAIN).on_invalid(OnInvalid::Refused).needs(&AUTH_TYPE),
        Medium, "", "the name that a browser shows when it requires a password";
    key("auth-request-redirect").shape(LOOSE_URL).on_invalid(OnInvalid::DropsFeature).needs(&AUTH_URL),
        Medium, "", "the URL that the authentication gets as the requested one";
    key("auth-response-headers").shape(Shape::Both(&(Shape::Headers, &HEADERS, OnInvalid::Denied))).on_invalid(OnInvalid::Denied)
        .hardens().needs(&AUTH_URL),
        Medium, "", "headers of the authentication that the Service gets";
    key("auth-secret").references(ValueReference::Named).shape(Shape::Both(&(Shape::Text(&PLAIN), &NAME, OnInvalid::Denied))).on_invalid(OnInvalid::Denied).protects()
        .needs(&AUTH_TYPE),
        Medium, "", "the Secret with the passwords";
    key("auth-secret-type").shape(Shape::Exactly("auth-file auth-map")).on_invalid(OnInvalid::Refused).protects()
        .needs(&AUTH_TYPE),
        Low, "", "how the Secret holds the passwords";
    key("auth-signin").text(&VARIABLES).changes_answers().needs(&AUTH_URL),
        High, "no sign-in page", "where clients who are not signed in are sent";
    key("auth-signin-redirect-param").shape(LOOSE_URL).needs(&AUTH_URL),
        Medium, "rd", "the parameter of the sign-in page for the requested URL";
    key("auth-snippet").protects().needs(&AUTH_URL),
        Critical, "", "configuration of nginx for external authentication";
    key("auth-tls-error-page").text(&ERROR_PAGE).on_invalid(OnInvalid::Refused).needs(&AUTH_TLS_SECRET),
        High, "", "where clients without a good certificate are sent";
    key("auth-tls-match-cn").text(&COMMON_NAME).on_invalid(OnInvalid::Refused).protects().needs(&AUTH_TLS_SECRET),
        High, "", "the common names of the admitted certificates";
    key("auth-tls-pass-certificate-to-upstream").shape(Shape::Boolean).on_invalid(OnInvalid::Refused).neutral(NeutralValue::False).changes_answers()
        .needs(&AUTH_TLS_SECRET),
        Low, "", "gives the certificate of the client to the Service";
    key("auth-tls-secret").references(ValueReference::Named).shape(Shape::Both(&(Shape::Text(&PLAIN), &FULL_NAME, OnInvalid::Denied))).on_invalid(OnInvalid::Refused)
        .protects(),
        Medium, "", "the Secret with the authority of client certificates";
    key("auth-tls-verify-client").text(&VERIFY_CLIENT).protects().neutral(NeutralValue::Word(&"off")).needs(&AUTH_TLS_SECRET),
        Medium, "on", "whether a client certificate is required";
    key("auth-tls-verify-depth").shape(Shape::Integer).hardens().needs(&AUTH_TLS_SECRET),
        Low, "1", "how long a chain of client certificates may be";
    key("auth-type").shape(Shape::Exactly("basic digest")).on_invalid(OnInvalid::Refused).protects(),
        Low, "", "requires a password";
    key("auth-url").shape(Shape::Both(&(Shape::Text(&VARIABLES), &ABSOLUTE_URL, OnInvalid::Denied))).on_invalid(OnInvalid::Refused)
        .protects(),
        High, "", "a URL that decides which requests are admitted";
    key("backend-protocol").shape(Shape::Words("AUTO_HTTP HTTP HTTPS GRPC GRPCS FCGI")).hardens()
        .neutral(NeutralValue::HttpBackend).native(NativeFeature::Reencrypt),
        Low, "HTTP", "the protocol of the Service";
    key("canary").shape(Shape::Boolean), Low, "false", "makes this Ingress the canary of another one";
    key("canary-by-cookie").text(&PLAIN), Medium, "no cookie", "the cookie that leads to the canary";
    key("canary-by-header").text(&PLAIN), Medium, "no header", "the header that leads to the canary";
    key("canary-by-header-pattern").text(&PATTERN), Medium, "no pattern", "the regular expression for the value of that header";
    key("canary-by-header-value").text(&PLAIN), Medium, "no value", "the value of the header that leads to the canary";
    key("canary-weight").shape(Shape::Integer), Low, "0", "the share of the requests that the canary gets";
    key("canary-weight-total").shape(Shape::Integer), Low, "100", "the whole of which the weight of the canary is a part";
    key("client-body-buffer-size").shape(Shape::Size).on_invalid(OnInvalid::Refused),
        Low, "", "how much of a body is kept in memory";
    key("configuration-snippet").protects(), Critical, "", "configuration of nginx for the paths";
    key("connection-proxy-header").shape(Shape::Exactly("close keep-alive")).on_invalid(OnInvalid::Refused),
        Low, "", "the header Connection for the Service";
    key("cors-allow-credentials").shape(Shape::Boolean).protects().neutral(NeutralValue::True).needs(&ENABLE_CORS),
        Low, "true", "whether pages of other origins may send cookies";
    key("cors-allow-headers").shape(Shape::Headers).hardens().needs(&ENABLE_CORS),
        Medium, "a list of usual ones", "the headers that pages of other origins may send";
    key("cors-allow-methods").text(&METHODS).hardens().needs(&ENABLE_CORS),
        Medium, "GET, PUT, POST, DELETE, PATCH, OPTIONS", "the methods that pages of other origins may use";
    key("cors-allow-origin").text(&ORIGINS).on_invalid(OnInvalid::AdmitsAll).protects().neutral(NeutralValue::Word(&"*")).needs(&ENABLE_CORS),
        Medium, "*", "the origins that may read answers";
    key("cors-expose-headers").text(&EXPOSED).hardens().needs(&ENABLE_CORS),
        Medium, "none", "the headers that pages of other origins may read";
    key("cors-max-age").shape(Shape::Integer).needs(&ENABLE_CORS),
        Low, "1728000", "the seconds that a browser remembers what CORS allows";
    key("custom-headers").references(ValueReference::Named).shape(Shape::Both(&(Shape::Text(&PLAIN), &FULL_NAME, OnInvalid::Denied))).hardens(),
        Medium, "no headers", "headers of answers, from a ConfigMap";
    key("custom-http-errors").text(&ERROR_CODES).on_invalid(OnInvalid::Refused),
        Low, "", "the errors for which the default backend answers";
    key("default-backend").text(&SERVICE).on_invalid(OnInvalid::Refused), Low, "", "the Service that answers for errors";
    key("denylist-source-range").text(&ADDRESSES).on_invalid(OnInvalid::Denied).protects(),
        Medium, "", "the addresses that are denied";
    key("disable-proxy-intercept-errors").shape(Shape::Boolean),
        Low, "false", "leaves errors of the Service as they are";
    key("enable-access-log").shape(Shape::Boolean), Low, "true", "writes requests to the log";
    key("enable-cors").shape(Shape::Boolean).neutral(NeutralValue::False).changes_answers(),
        Low, "false", "lets pages of other origins read answers";
    key("enable-global-auth").shape(Shape::Boolean), Low, "true", "applies the authentication of the controller";
    key("enable-modsecurity").shape(Shape::Boolean).protects().neutral(NeutralValue::False),
        Low, "the setting of the controller", "the firewall ModSecurity";
    key("enable-opentelemetry").shape(Shape::Boolean), Low, "the setting of the controller", "traces requests";
    key("enable-owasp-core-rules").shape(Shape::Boolean).protects().neutral(NeutralValue::False),
        Low, "false", "the core rules of OWASP for ModSecurity";
    key("enable-rewrite-log").shape(Shape::Boolean), Low, "false", "writes rewrites to the log";
    key("fastcgi-index").text(&FILE).on_invalid(OnInvalid::Refused),
        Medium, "", "the file for paths that end in a slash, for FastCGI";
    key("fastcgi-params-configmap").references(ValueReference::Named).shape(Shape::Both(&(Shape::Text(&PLAIN), &NAME, OnInvalid::Denied))).on_invalid(OnInvalid::Refused),
        Medium, "", "parameters for FastCGI, from a ConfigMap";
    key("force-ssl-redirect").shape(Shape::Boolean).redirects().neutral(NeutralValue::False),
        Medium, "false", "sends plain requests to https, also without a certificate";
    key("from-to-www-redirect").shape(Shape::Boolean).on_invalid(OnInvalid::Refused).changes_answers().neutral(NeutralValue::False),
        Low, "", "sends www.HOST to HOST, or HOST to www.HOST";
    key("http2-push-preload").shape(Shape::Boolean).on_invalid(OnInvalid::Refused), Low, "", "nothing: nginx no longer pushes";
    key("limit-allowlist").text(&ADDRESSES).on_invalid(OnInvalid::Refused).needs(&LIMITS),
        Low, "", "the addresses without a limit";
    key("limit-burst-multiplier").shape(Shape::Both(&(Shape::Integer, &FROM_1, OnInvalid::Refused))).needs(&LIMIT_RATES),
        Low, "5", "how many times the limit is admitted at once";
    key("limit-connections").shape(Shape::Both(&(Shape::Integer, &NOT_NEGATIVE, OnInvalid::Ignored))).on_invalid(OnInvalid::Refused).protects().neutral(NeutralValue::Zero),
        Low, "no limit", "the connections of one client";
    key("limit-rate").shape(Shape::Integer), Low, "0", "the kilobytes a second of one answer";
    key("limit-rate-after").shape(Shape::Integer), Low, "0", "the kilobytes of an answer that are not limited";
    key("limit-rpm").shape(Shape::Both(&(Shape::Integer, &NOT_NEGATIVE, OnInvalid::Ignored))).on_invalid(OnInvalid::Refused).protects().neutral(NeutralValue::Zero),
        Low, "no limit", "the requests of one client in a minute";
    key("limit-rps").shape(Shape::Both(&(Shape::Integer, &NOT_NEGATIVE, OnInvalid::Ignored))).on_invalid(OnInvalid::Refused).protects().neutral(NeutralValue::Zero),
        Low, "no limit", "the requests of one client in a second";
    key("limit-whitelist").text(&ADDRESSES).on_invalid(OnInvalid::Refused).needs(&LIMITS),
        Low, "", "another name of `limit-allowlist`";
    key("load-balance").shape(Shape::Exactly("round_robin chash chashsubset sticky_balanced sticky_persistent ewma"))
        .on_invalid(OnInvalid::Refused),
        Low, "", "how a pod is chosen";
    key("mirror-host").text(&SERVER_NAME).needs(&MIRROR_TARGET),
        High, "the host of the target", "the header Host of copies of requests";
    key("mirror-request-body").shape(Shape::OnOff).neutral(NeutralValue::Word(&"off")).needs(&MIRROR_TARGET),
        Low, "on", "whether copies have a body";
    key("mirror-target").text(&SERVER_NAME), High, "no copies", "where copies of requests are sent";
    key("modsecurity-snippet").protects(), Critical, "", "configuration of ModSecurity";
    key("modsecurity-transaction-id").text(&VARIABLE),
        High, "none", "the name of a request for ModSecurity";
    key("opentelemetry-operation-name").text(&WORD).on_invalid(OnInvalid::Refused), Medium, "", "the name of a trace";
    key("opentelemetry-trust-incoming-span").shape(Shape::Boolean),
        Low, "the setting of the controller", "continues traces of clients";
    // Nobody reaches the Service.
    key("permanent-redirect").shape(URL).on_invalid(OnInvalid::Refused).protects(),
        Medium, "", "sends every request to a URL, with 301";
    key("permanent-redirect-code").shape(Shape::Both(&(Shape::Integer, &PERMANENT_CODE, OnInvalid::Ignored))).on_invalid(OnInvalid::Refused).needs(&PERMANENT_REDIRECT),
        Low, "301", "another code than 301 for permanent-redirect";
    key("preserve-trailing-slash").shape(Shape::Boolean),
        Medium, "false", "keeps a slash at the end when it redirects to https";
    key("proxy-body-size").shape(Shape::Size).protects().neutral(NeutralValue::Zero),
        Medium, "1m", "the most bytes of a request";
    key("proxy-buffer-size").shape(Shape::Size), Low, "4k", "the size of the first buffer for an answer";
    key("proxy-buffering").shape(Shape::OnOff), Low, "off", "whether answers are buffered";
    key("proxy-buffers-number").shape(Shape::Both(&(Shape::Integer, &FROM_2, OnInvalid::Refused))), Low, "4", "how many buffers an answer has";
    key("proxy-busy-buffers-size").shape(Shape::Size), Low, "8k", "how much of the buffers may be busy with sending";
    key("proxy-connect-timeout").shape(Shape::Both(&(Shape::Integer, &NOT_NEGATIVE, OnInvalid::Refused))).changes_answers(), Low, "5", "the seconds for a connection to the Service";
    key("proxy-cookie-domain").text(&COOKIE_DOMAIN).changes_answers().neutral(NeutralValue::Word(&"off")), Medium, "off", "replaces the domain of cookies";
    key("proxy-cookie-path").shape(LOOSE_URL).changes_answers().neutral(NeutralValue::Word(&"off")), Medium, "off", "replaces the path of cookies";
    key("proxy-http-version").shape(Shape::Exactly("1.0 1.1")),
        Low, "1.1", "the version of HTTP for the Service";
    key("proxy-max-temp-file-size").shape(Shape::Size), Low, "1024m", "how much of an answer is kept on disk";
    key("proxy-next-upstream").text(&NEXT_UPSTREAM), Medium, "error timeout", "when another pod is tried";
    key("proxy-next-upstream-timeout").shape(Shape::Both(&(Shape::Integer, &NOT_NEGATIVE, OnInvalid::Refused))), Low, "0", "for how many seconds other pods are tried";
    key("proxy-next-upstream-tries").shape(Shape::Both(&(Shape::Integer, &NOT_NEGATIVE, OnInvalid::Refused))), Low, "3", "how many pods are tried";
    key("proxy-read-timeout").shape(Shape::Both(&(Shape::Integer, &NOT_NEGATIVE, OnInvalid::Refused))).changes_answers(), Low, "60", "the seconds between two parts of an answer";
    key("proxy-redirect-from").shape(LOOSE_URL).changes_answers().neutral(NeutralValue::Word(&"off")),
        Medium, "off", "the URL in redirects of the Service that is replaced";
    key("proxy-redirect-to").shape(LOOSE_URL).changes_answers().neutral(NeutralValue::Word(&"off")), Medium, "off", "what replaces the URL in redirects of the Service";
    key("proxy-request-buffering").shape(Shape::OnOff), Low, "on", "whether requests are buffered";
    key("proxy-send-timeout").shape(Shape::Both(&(Shape::Integer, &NOT_NEGATIVE, OnInvalid::Refused))), Low, "60", "the seconds between two parts of a request";
    key("proxy-ssl-ciphers").text(&CIPHERS).hardens().needs(&PROXY_SSL_SECRET),
        Medium, "DEFAULT", "the ciphers for the Service";
    key("proxy-ssl-name").text(&SERVER_NAME).hardens().needs(&PROXY_SSL_SECRET),
        High, "none", "the name in the certificate of the Service";
    key("proxy-ssl-protocols").text(&PROTOCOLS).hardens().needs(&PROXY_SSL_SECRET),
        Low, "TLSv1.2", "the versions of TLS for the Service";
    key("proxy-ssl-secret").references(ValueReference::Named).shape(Shape::Both(&(Shape::Text(&PLAIN), &FULL_NAME, OnInvalid::Denied))).on_invalid(OnInvalid::Refused)
        .protects(),
        Medium, "", "the Secret with certificates for the Service";
    key("proxy-ssl-server-name").shape(Shape::OnOff).hardens().neutral(NeutralValue::Word(&"off")).needs(&PROXY_SSL_SECRET),
        Low, "off", "sends a name of the server (SNI) to the Service";
    key("proxy-ssl-verify").shape(Shape::OnOff).protects().neutral(NeutralValue::Word(&"off")).needs(&PROXY_SSL_SECRET),
        Low, "off", "verifies the certificate of the Service";
    key("proxy-ssl-verify-depth").shape(Shape::Integer).hardens().needs(&PROXY_SSL_SECRET),
        Low, "1", "how long the chain of the Service's certificates may be";
    key("relative-redirects").shape(Shape::Boolean).on_invalid(OnInvalid::Refused), Low, "", "redirects without scheme and host";
    key("rewrite-target").shape(PATH).changes_answers(), Medium, "no rewrite", "what replaces the path";
    key("satisfy").shape(Shape::Exactly("any all")).changes_answers().neutral(NeutralValue::Word(&"all")), Low, "all", "whether one of several proofs is enough";
    key("server-alias").text(&SERVER_NAMES).on_invalid(OnInvalid::Refused).changes_answers(), High, "", "more hosts";
    key("server-snippet").protects(), Critical, "", "configuration of nginx for the host";
    key("service-upstream").shape(Shape::Boolean),
        Low, "false", "uses the address of the Service, and not those of its pods";
    key("session-cookie-change-on-failure").shape(Shape::Boolean).neutral(NeutralValue::False).needs(&AFFINITY),
        Low, "false", "sets another cookie for a session when its pod fails";
    key("session-cookie-conditional-samesite-none").shape(Shape::Boolean).neutral(NeutralValue::False).needs(&AFFINITY),
        Low, "false", "leaves SameSite=None out of that cookie for old browsers";
    key("session-cookie-domain").text(&PLAIN).needs(&AFFINITY), Medium, "none", "the domain of the cookie for a session";
    key("session-cookie-expires").text(&SECONDS).needs(&AFFINITY),
        Medium, "none", "the seconds until that cookie expires, for old browsers";
    key("session-cookie-max-age").text(&SECONDS).needs(&AFFINITY), Medium, "none", "the seconds until that cookie expires";
    key("session-cookie-name").text(&PLAIN).needs(&AFFINITY),
        Medium, "INGRESSCOOKIE", "the name of the cookie for a session";
    key("session-cookie-path").shape(LOOSE_URL).needs(&AFFINITY),
        Medium, "the path of the Ingress", "the path of the cookie for a session";
    key("session-cookie-samesite").shape(Shape::Words("None Lax Strict")).hardens().needs(&AFFINITY),
        Low, "none", "the attribute SameSite of that cookie";
    key("session-cookie-secure").shape(Shape::Boolean).hardens().neutral(NeutralValue::False).needs(&AFFINITY),
        Low, "false", "the attribute Secure of that cookie";
    key("ssl-ciphers").text(&CIPHER_LIST).on_invalid(OnInvalid::Refused).hardens(), Low, "", "the ciphers for clients";
    key("ssl-passthrough").shape(Shape::Boolean).on_invalid(OnInvalid::Refused).protects().neutral(NeutralValue::False)
        .native(NativeFeature::Passthrough),
        Low, "", "passes TLS through to the Service";
    key("ssl-prefer-server-ciphers").shape(Shape::Boolean).hardens().neutral(NeutralValue::False),
        Low, "the setting of the controller", "whether the server chooses the cipher";
    key("ssl-redirect").shape(Shape::Boolean).redirects().neutral(NeutralValue::False),
        Low, "true", "sends plain requests to https, with a certificate";
    key("stream-snippet").protects(), Critical, "", "configuration of nginx for TCP and UDP";
    key("temporal-redirect").shape(Shape::Both(&(URL, &HTTP_URL, OnInvalid::Ignored))).on_invalid(OnInvalid::Refused).protects(),
        Medium, "no redirect", "sends every request to a URL, with 302";
    key("temporal-redirect-code").shape(Shape::Both(&(Shape::Integer, &TEMPORAL_CODE, OnInvalid::Ignored))).on_invalid(OnInvalid::Refused).needs(&TEMPORAL_REDIRECT),
        Low, "302", "another code than 302 for temporal-redirect";
    key("upstream-hash-by").text(&VARIABLE).on_invalid(OnInvalid::Refused).changes_answers(),
        High, "", "keeps requests with the same text at one pod";
    key("upstream-hash-by-subset").shape(Shape::Boolean).on_invalid(OnInvalid::Refused).neutral(NeutralValue::False)
        .needs(&UPSTREAM_HASH_BY),
        Low, "", "hashes to a group of pods, and not to one pod";
    key("upstream-hash-by-subset-size").shape(Shape::Integer).on_invalid(OnInvalid::Refused).needs(&UPSTREAM_HASH_BY),
        Low, "", "the number of pods in such a group";
    key("upstream-vhost").text(&SERVER_NAME).on_invalid(OnInvalid::Refused).changes_answers(), Low, "", "the header Host for the Service";
    key("use-port-in-redirects").shape(Shape::Boolean), Low, "false", "writes the port into redirects";
    key("use-regex").shape(Shape::Boolean).hardens().neutral(NeutralValue::False).native(NativeFeature::Pattern),
        Low, "false", "reads paths as regular expressions";
    key("whitelist-source-range").text(&ADDRESSES).on_invalid(OnInvalid::Denied).protects().neutral(NeutralValue::AllAddresses),
        Medium, "", "another name of `allowlist-source-range`";
    key("x-forwarded-prefix").text(&PREFIX_PATH).on_invalid(OnInvalid::Refused).changes_answers().needs(&REWRITE_TARGET),
        Medium, "", "the header X-Forwarded-Prefix for the Service";
}
