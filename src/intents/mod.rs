//! What a Service may want of whoever serves it, in words of no program: the intents, and their values.
//!
//! Each value has one grammar, which is checked once, whether an option gives the value or the annotation of a program does.

mod grammar;
mod values;

use std::fmt;

use crate::diagnostics::words;
pub(crate) use grammar::{Wrong, duration};
pub(crate) use values::{
    BasicAuth, ClientCertificate, Cors, ExternalAuth, Header, RateLimit, StickySession, Wish, size,
};

/// Something that a Service wants of whoever serves it. The words are the names of the annotations that say it.
///
/// ```
/// use xposer::internal::Intent;
/// assert_eq!("AllowedSources".parse(), Ok(Intent::AllowedSources));
/// assert_eq!(Intent::Cors.to_string(), "CORS");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Intent {
    /// Requests without TLS are sent to https.
    HttpsRedirect,
    /// The code of the answers that send them there.
    HttpsRedirectCode,
    /// Another Service gets a part of the requests.
    Canary,
    /// The path under which the Service is exposed is taken away.
    StripPrefix,
    /// The Service gets another path.
    RewritePath,
    /// The addresses that may come in.
    AllowedSources,
    /// The addresses that may not.
    DeniedSources,
    /// Names and passwords.
    BasicAuth,
    /// Another server that is asked about each request.
    ExternalAuth,
    /// How long a connection to the Service may take to be made.
    ConnectTimeout,
    /// How long a connection may be silent.
    IdleTimeout,
    /// How long a request may take.
    Timeout,
    /// How large a request may be.
    MaxBodySize,
    /// Which other origins may use the Service.
    Cors,
    /// Headers that the Service gets.
    RequestHeaders,
    /// Headers that the client gets.
    ResponseHeaders,
    /// What is spoken with the Service.
    BackendProtocol,
    /// One client stays with one pod.
    StickySession,
    /// Other hosts that are sent to this one.
    RedirectFrom,
    /// How many requests one client may make.
    RateLimit,
    /// Clients show a certificate.
    ClientCertificate,
    /// TLS ends at the Service.
    TlsPassthrough,
}

/// Gives every intent the name of its annotation.
macro_rules! intents {
    ($($intent:ident = $name:literal),+ $(,)?) => {
        words!(Intent { $($intent = $name),+ });

        impl Intent {
            /// The annotation of a Service that says it.
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

/// What is lost where nothing does what somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loss {
    /// A convenience, or nothing.
    Nothing,
    /// Something without which requests are answered in another way.
    Needed,
    /// Something that makes an attack harder, or that the Service may need.
    Weakens,
    /// What keeps somebody out.
    Protects,
}

impl Intent {
    /// What is lost where nothing expresses it. A canary that is not expressed gets all requests, or none.
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
            | Self::TlsPassthrough => Loss::Protects,
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
            | Self::HttpsRedirectCode => Loss::Weakens,
        }
    }

    /// Whether it says who may come in.
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

    /// What is lost with a value: less where it keeps nobody out.
    pub(crate) fn loss_of(self, wish: &Wish) -> Loss {
        match wish {
            Wish::Switch(false) => Loss::Nothing,
            // Pages may need the answer all the same.
            Wish::Cors(_) if self.keeps_nobody_out(wish) => Loss::Weakens,
            _ if self.keeps_nobody_out(wish) => Loss::Nothing,
            _ => self.loss(),
        }
    }

    /// Whether nobody is kept out by a value, so that nothing is open without it.
    ///
    /// This is no copy of `dialect::keeps`, which says whether a value keeps anybody out. Of what is doubtful, such as all addresses of
    /// IPv6 alone, or all of IPv4 in several networks, neither is true: nothing that may protect is lost in silence, and nothing that
    /// may be open is called closed.
    pub(crate) fn keeps_nobody_out(self, wish: &Wish) -> bool {
        match wish {
            Wish::Size(bytes) => *bytes == 0,
            Wish::Cors(cors) => cors.origins.iter().any(|origin| origin == "*"),
            Wish::Sources(list) => self == Self::AllowedSources && list.iter().any(|it| it == EVERYBODY),
            _ => false,
        }
    }
}

/// The network of all addresses, as people write it to let everybody in.
pub(crate) const EVERYBODY: &str = "0.0.0.0/0";

/// A value as the annotation that gives it would have it.
impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        values::show(self, f)
    }
}
