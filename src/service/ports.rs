//! The ports of a Service.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::validation::is_port_name;

/// A port of a Service.
///
/// ```
/// use serde_json::json;
/// use xposer::service::Port;
/// use xposer::Service;
/// let service = json!({"metadata": {"name": "dns", "labels": {"expose": "true"}},
///     "spec": {"ports": [{"port": 80, "appProtocol": "https"}, {"name": "dns", "port": 53, "protocol": "UDP"}]}});
/// assert_eq!(Service::from_value(&service).ports(), [
///     Port { name: None, number: 80, tcp: true, app_protocol: Some("https") },
///     Port { name: Some("dns"), number: 53, tcp: false, app_protocol: None },
/// ]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port<'a> {
    /// The name, if it has one.
    pub name: Option<&'a str>,
    /// The number; 0 if it is missing or out of range.
    pub number: u16,
    /// Whether the protocol is TCP, which is the default.
    pub tcp: bool,
    /// The protocol that the field `appProtocol` names.
    pub app_protocol: Option<&'a str>,
}

impl<'a> Port<'a> {
    /// Creates a port from its fields; an empty text counts as missing.
    pub(super) fn new(
        name: Option<&'a str>,
        number: u16,
        protocol: Option<&str>,
        app_protocol: Option<&'a str>,
    ) -> Self {
        let name = name.filter(|name| !name.is_empty());
        let tcp = protocol.is_none_or(|protocol| matches!(protocol, "" | "TCP"));
        Self { name, number, tcp, app_protocol }
    }
}

/// A port of a Service, by number or by name; serialised as `backend.service.port` of an Ingress.
///
/// ```
/// use serde_json::json;
/// use xposer::service::PortRef;
/// let (number, name) = (PortRef::Number(80), PortRef::Name("http".to_owned()));
/// assert_eq!(json!([number, name]), json!([{"number": 80}, {"name": "http"}]));
/// assert_eq!(format!("{number} {name}"), "80 http");
/// assert_eq!(("80".parse(), "http".parse()), (Ok(number), Ok(name)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PortRef {
    /// The number, 1 to 65535.
    Number(u16),
    /// The name (see [`is_port_name`]).
    Name(String),
}

impl fmt::Display for PortRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// The error for a text that is no [`PortRef`].
///
/// ```
/// use xposer::service::{PortRef, PortRefError};
/// assert_eq!("65536".parse::<PortRef>(), Err(PortRefError::OutOfRange));
/// assert_eq!(PortRefError::NoName.to_string(), "neither a port number nor a port name");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortRefError {
    /// The text is a number, but not between 1 and 65535.
    OutOfRange,
    /// The text is neither a number nor a port name.
    NoName,
}

impl fmt::Display for PortRefError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfRange => "the port is not between 1 and 65535",
            Self::NoName => "neither a port number nor a port name",
        })
    }
}

impl std::error::Error for PortRefError {}

impl FromStr for PortRef {
    type Err = PortRefError;

    fn from_str(text: &str) -> Result<Self, PortRefError> {
        if text.bytes().all(|b| b.is_ascii_digit()) {
            let number = text.parse().ok().filter(|number| *number > 0);
            return number.map(Self::Number).ok_or(PortRefError::OutOfRange);
        }
        if is_port_name(text) { Ok(Self::Name(text.to_owned())) } else { Err(PortRefError::NoName) }
    }
}
