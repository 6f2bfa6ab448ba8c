//! The rows of the reference: how Traefik says each intent.

use crate::dialect::says::{Proof, Words};
use crate::intents::Intent;

/// A row that real requests have tried.
const fn proved(intent: Intent, words: &'static str, since: &'static str) -> Words {
    Words { intent, words, proof: Proof::Proved, since }
}

/// An intent that Traefik does only where the Service itself, or an object beside it, says so.
const fn documented(intent: Intent, words: &'static str, since: &'static str) -> Words {
    Words { intent, words, proof: Proof::Documented, since }
}

/// The intents that an Ingress of Traefik expresses, by its annotations and by Middlewares.
pub(crate) static WORDS: &[Words] = &[
    proved(
        Intent::HttpsRedirect,
        "Middleware `redirectScheme` on a second Ingress of the entry point `web`; `router.tls: \"true\"` on the first one",
        "3.0",
    ),
    proved(Intent::HttpsRedirectCode, "`redirectScheme.permanent`: 301 and 308, or 302 and 307", "3.0"),
    proved(Intent::StripPrefix, "Middleware `stripPrefix` or `stripPrefixRegex`", "3.0"),
    proved(Intent::RewritePath, "Middleware `replacePath` or `replacePathRegex`", "3.0"),
    proved(Intent::AllowedSources, "Middleware `ipAllowList`", "3.0"),
    proved(Intent::DeniedSources, "Middleware `ipAllowList` with all other networks", "3.0"),
    proved(Intent::BasicAuth, "Middleware `basicAuth`; the secret has one key", "3.0"),
    proved(Intent::ExternalAuth, "Middleware `forwardAuth`; `authSigninURL` since 3.7", "3.0"),
    documented(
        Intent::ConnectTimeout,
        "on the Service: `service.serverstransport`; ServersTransport `forwardingTimeouts.dialTimeout`",
        "3.0",
    ),
    proved(Intent::MaxBodySize, "Middleware `buffering.maxRequestBodyBytes`", "3.0"),
    proved(Intent::Cors, "Middleware `headers.accessControl*`", "3.0"),
    proved(Intent::RequestHeaders, "Middleware `headers.customRequestHeaders`", "3.0"),
    proved(Intent::ResponseHeaders, "Middleware `headers.customResponseHeaders`", "3.0"),
    proved(Intent::BackendProtocol, "on the Service: `service.serversscheme`", "3.0"),
    proved(Intent::StickySession, "on the Service: `service.sticky.cookie`", "3.0"),
    proved(Intent::RedirectFrom, "Middleware `redirectRegex` on an Ingress of the other hosts", "3.0"),
    proved(Intent::RateLimit, "Middleware `rateLimit`; others get 429", "3.0"),
    documented(Intent::ClientCertificate, "forwarded: `router.tls.options`, a TLSOption with `clientAuth`", "3.0"),
];
