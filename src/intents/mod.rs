//! The intents: what a Service can ask of the controller that serves it, independent of the annotations of any program; and their
//! values.
//!
//! Each value has one grammar, which is checked in one place, whether the value comes from an option or from the annotation of a
//! program.

mod grammar;
mod values;

use std::fmt;

use crate::diagnostics::words;
pub(crate) use grammar::{Wrong, duration};
pub(crate) use values::{
    BasicAuth, ClientCertificate, Cors, ExternalAuth, HEADERS, Header, IntentValue, METHODS, RateLimit,
    StickySession, size,
};

/// Something that a Service asks of the controller that serves it. The text form is the name of the option.
///
/// ```
/// use xposer::internal::Intent;
/// assert_eq!("AllowedSources".parse(), Ok(Intent::AllowedSources));
/// assert_eq!(Intent::Cors.to_string(), "CORS");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Intent {
    /// Requests without TLS are redirected to https.
    HttpsRedirect,
    /// The status code of this redirect.
    HttpsRedirectCode,
    /// A canary gets a part of the requests for another Service.
    Canary,
    /// The path under which the Service is exposed is removed from the path of a request.
    StripPrefix,
    /// The path of a request is replaced.
    RewritePath,
    /// The client addresses that are allowed.
    AllowedSources,
    /// The client addresses that are denied.
    DeniedSources,
    /// Basic authentication with user names and passwords.
    BasicAuth,
    /// Authentication by an external server, which is asked about each request.
    ExternalAuth,
    /// The timeout for establishing a connection to the Service.
    ConnectTimeout,
    /// The timeout for a connection without data.
    IdleTimeout,
    /// The timeout for a whole request.
    Timeout,
    /// The maximum size of a request body.
    MaxBodySize,
    /// The other origins that may use the Service from a browser.
    Cors,
    /// Headers that are set or removed on requests to the Service.
    RequestHeaders,
    /// Headers that are set or removed on responses to the client.
    ResponseHeaders,
    /// The protocol between the controller and the Service.
    BackendProtocol,
    /// Session affinity: all requests of a client go to the same pod.
    StickySession,
    /// Other hosts that are redirected to the host of the Service.
    RedirectFrom,
    /// The maximum rate of requests from a client.
    RateLimit,
    /// Clients authenticate with a TLS certificate.
    ClientCertificate,
    /// TLS passes through the controller and is terminated by the Service.
    TlsPassthrough,
}

/// Defines the name of each intent, which is also that of its annotation.
macro_rules! intents {
    ($($intent:ident = $name:literal),+ $(,)?) => {
        words!(Intent { $($intent = $name),+ });

        impl Intent {
            /// Returns the key of the annotation of a Service that sets the intent.
            ///
            /// ```
            /// use xposer::internal::Intent;
            /// assert_eq!(Intent::Cors.annotation(), "config.xposer.stakater.com/CORS");
            /// ```
            #[must_use]
            pub const fn annotation(self) -> &'static str {
                match self { $(Self::$intent => concat!("config.xposer.stakater.com/", $name)),+ }
            }
        }
    };
}

intents! {
    HttpsRedirect = "HTTPSRedirect",
    HttpsRedirectCode = "HTTPSRedirectCode",
    Canary = "CanaryOf",
    StripPrefix = "StripPrefix",
    RewritePath = "RewritePath",
    AllowedSources = "AllowedSources",
    DeniedSources = "DeniedSources",
    BasicAuth = "BasicAuth",
    ExternalAuth = "ExternalAuth",
    ConnectTimeout = "ConnectTimeout",
    IdleTimeout = "IdleTimeout",
    Timeout = "Timeout",
    MaxBodySize = "MaxBodySize",
    Cors = "CORS",
    RequestHeaders = "RequestHeaders",
    ResponseHeaders = "ResponseHeaders",
    BackendProtocol = "BackendProtocol",
    StickySession = "StickySession",
    RedirectFrom = "RedirectFrom",
    RateLimit = "RateLimit",
    ClientCertificate = "ClientCertificate",
    TlsPassthrough = "TLSPassthrough",
}

/// The consequence of an intent that nothing fulfils.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loss {
    /// At most a convenience is lost.
    Nothing,
    /// Requests are answered in another way.
    Behavior,
    /// A measure that makes an attack harder is lost, or something that the Service may need.
    Hardening,
    /// A protection is lost, such as a restriction of access.
    Protection,
}

impl Intent {
    /// Returns what is lost if nothing fulfils the intent. A canary that is not expressed gets all requests, or none.
    pub(crate) fn loss(self) -> Loss {
        match self {
            Self::HttpsRedirect
            | Self::Canary
            | Self::AllowedSources
            | Self::DeniedSources
            | Self::BasicAuth
            | Self::ExternalAuth
            | Self::MaxBodySize
            | Self::Cors
            | Self::RateLimit
            | Self::ClientCertificate
            | Self::TlsPassthrough => Loss::Protection,
            Self::StripPrefix
            | Self::RewritePath
            | Self::ConnectTimeout
            | Self::IdleTimeout
            | Self::Timeout
            | Self::RequestHeaders
            | Self::ResponseHeaders
            | Self::BackendProtocol
            | Self::StickySession
            | Self::RedirectFrom
            | Self::HttpsRedirectCode => Loss::Hardening,
        }
    }

    /// Whether the intent decides which clients are admitted.
    pub(crate) const fn admits(self) -> bool {
        matches!(
            self,
            Self::AllowedSources
                | Self::DeniedSources
                | Self::BasicAuth
                | Self::ExternalAuth
                | Self::ClientCertificate
        )
    }

    /// Returns what is lost with this value: less if the value admits everybody.
    pub(crate) fn loss_of(self, intent_value: &IntentValue) -> Loss {
        match intent_value {
            IntentValue::Switch(false) => Loss::Nothing,
            // Web pages may need the CORS headers nevertheless.
            IntentValue::Cors(_) if self.admits_everybody(intent_value) => Loss::Hardening,
            _ if self.admits_everybody(intent_value) => Loss::Nothing,
            _ => self.loss(),
        }
    }

    /// Whether a value admits everybody, so that its removal opens nothing.
    ///
    /// `dialect::access` answers the opposite question: whether a value denies access to any clients. For a doubtful value, such as
    /// all IPv6 addresses alone, or all of IPv4 in several networks, both return false: the loss of a possible protection is
    /// reported, and an access that may be open is not called restricted.
    pub(crate) fn admits_everybody(self, intent_value: &IntentValue) -> bool {
        match intent_value {
            IntentValue::Size(bytes) => *bytes == 0,
            IntentValue::Cors(cors) => cors.origins.iter().any(|origin| origin == "*"),
            IntentValue::Sources(list) => {
                self == Self::AllowedSources && list.iter().any(|it| it == EVERYBODY)
            }
            _ => false,
        }
    }
}

/// The network of all IPv4 addresses, which users write to admit everybody.
pub(crate) const EVERYBODY: &str = "0.0.0.0/0";

/// Writes a value in the form of its annotation.
impl fmt::Display for IntentValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        values::show(self, f)
    }
}
