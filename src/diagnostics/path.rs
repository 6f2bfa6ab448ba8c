//! The location of a value: the path of a field, and the origin of a value.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::text::escaped;

/// A step of a [`FieldPath`].
///
/// ```
/// use xposer::diagnostics::{FieldPath, Segment};
/// let path = FieldPath::settings().key("ingressURLTemplateFallbacks").index(1);
/// assert_eq!(path.segments(), [Segment::Key("ingressURLTemplateFallbacks".into()), Segment::Index(1)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// A key of a mapping.
    Key(Cow<'static, str>),
    /// A position in a sequence, from 0.
    Index(usize),
}

/// The document that a [`FieldPath`] starts in.
///
/// ```
/// use serde_json::json;
/// use xposer::diagnostics::{FieldPath, Root};
/// let (service, settings) = (json!({"kind": "Service"}), json!({"domain": "example.com"}));
/// let path = FieldPath::setting("domain");
/// let document = match path.root() { Root::Object => &service, Root::Settings => &settings };
/// assert_eq!(path.lookup(document), Some(&json!("example.com")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Root {
    /// The Kubernetes object under review.
    Object,
    /// The administrator's settings; written with the prefix `settings.`.
    Settings,
}

/// The path of a field in a document, in the notation of Kubernetes' own messages.
///
/// A key of letters, digits, `_` and `-` follows a dot; any other key is in brackets and quotes. A path is serialised as this text.
///
/// ```
/// use xposer::diagnostics::FieldPath;
/// let path = FieldPath::annotation("config.xposer.stakater.com/Domain");
/// assert_eq!(path.to_string(), r#"metadata.annotations["config.xposer.stakater.com/Domain"]"#);
/// assert_eq!(FieldPath::setting("domain").to_string(), "settings.domain");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldPath {
    root: Root,
    segments: Vec<Segment>,
}

impl FieldPath {
    /// The path of a field of the object, by its keys from the top.
    #[must_use]
    pub fn object(keys: &[&'static str]) -> Self {
        let segments = keys.iter().map(|key| Segment::Key((*key).into())).collect();
        Self { root: Root::Object, segments }
    }

    /// The path of an annotation of the object.
    #[must_use]
    pub fn annotation(key: impl Into<Cow<'static, str>>) -> Self {
        Self::metadata("annotations", key.into())
    }

    /// The path of a label of the object.
    #[must_use]
    pub fn label(key: impl Into<Cow<'static, str>>) -> Self {
        Self::metadata("labels", key.into())
    }

    fn metadata(field: &'static str, key: Cow<'static, str>) -> Self {
        let segments = vec![Segment::Key("metadata".into()), Segment::Key(field.into()), Segment::Key(key)];
        Self { root: Root::Object, segments }
    }

    /// The path of a setting.
    #[must_use]
    pub fn setting(name: impl Into<Cow<'static, str>>) -> Self {
        Self::settings().key(name)
    }

    /// The path of the settings as a whole.
    #[must_use]
    pub const fn settings() -> Self {
        Self { root: Root::Settings, segments: Vec::new() }
    }

    /// Returns this path extended by a key.
    #[must_use]
    pub fn key(mut self, key: impl Into<Cow<'static, str>>) -> Self {
        self.segments.push(Segment::Key(key.into()));
        self
    }

    /// Returns this path extended by an index.
    #[must_use]
    pub fn index(mut self, index: usize) -> Self {
        self.segments.push(Segment::Index(index));
        self
    }

    /// The document that this path starts in.
    #[must_use]
    pub fn root(&self) -> Root {
        self.root
    }

    /// The steps from the root of the document. The prefix `settings.` is not one of them.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Returns the value at this path in `document`, if there is one. [`FieldPath::root`] tells which document to pass.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::diagnostics::FieldPath;
    /// let service = json!({"spec": {"ports": [{"port": 80}]}});
    /// let path = FieldPath::object(&["spec", "ports"]).index(0).key("port");
    /// assert_eq!(path.lookup(&service), Some(&json!(80)));
    /// ```
    #[must_use]
    pub fn lookup<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.segments.iter().try_fold(document, |value, segment| match segment {
            Segment::Key(key) => value.get(key.as_ref()),
            Segment::Index(index) => value.get(index),
        })
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut dot = "";
        if self.root == Root::Settings {
            f.write_str("settings")?;
            dot = ".";
        }
        for segment in &self.segments {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if is_plain(key) => write!(f, "{dot}{key}")?,
                Segment::Key(key) => f.write_str(&escaped(&format!("[{key:?}]")))?,
            }
            dot = ".";
        }
        Ok(())
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The source of a value.
///
/// ```
/// use xposer::diagnostics::{FieldPath, Origin};
/// let origin = Origin::Setting(FieldPath::setting("profiles").key("external").key("domain"));
/// assert_eq!(origin.path().to_string(), "settings.profiles.external.domain");
/// assert_eq!(Origin::BuiltIn.path().to_string(), "metadata.labels.expose");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// An annotation of the Service, by its key.
    Annotation(Cow<'static, str>),
    /// A setting of the administrator, by its path.
    Setting(FieldPath),
    /// Another field of the Service, by its path.
    Field(FieldPath),
    /// The built-in default.
    #[default]
    BuiltIn,
}

impl Origin {
    /// The path that a diagnostic points at. For a built-in default, it is the label that requests exposure.
    #[must_use]
    pub fn path(&self) -> FieldPath {
        match self {
            Self::Annotation(key) => FieldPath::annotation(key.clone()),
            Self::Setting(path) | Self::Field(path) => path.clone(),
            Self::BuiltIn => FieldPath::label("expose"),
        }
    }
}

/// A value and its source.
///
/// ```
/// use xposer::diagnostics::{Origin, Sourced};
/// let tls = Sourced::new(true, Origin::Annotation("config.xposer.stakater.com/TLS".into()));
/// assert!(tls.value && tls.origin != Origin::BuiltIn);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// The source of the value.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// `value`, written at `origin`.
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}
