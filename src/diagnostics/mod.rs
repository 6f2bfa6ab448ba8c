//! Diagnostics: what is wrong, where the user wrote it, and what to do.
//!
//! Every stage of the transformation files its findings into one [`Report`]. A finding is a [`Diagnostic`]: a stable
//! [`Code`], the [`FieldPath`] of the text the user wrote, what was found there, and one sentence of help.

pub(crate) mod codes;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;

pub use codes::Code;

/// How much a diagnostic weighs.
///
/// ```
/// use xposer::Severity;
/// assert!(Severity::Error > Severity::Warning && Severity::Warning > Severity::Info);
/// assert_eq!(Severity::Warning.to_string(), "warning");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something was translated, chosen or cannot be expressed; nothing needs to be done.
    Info,
    /// The plan stands, or there is none, but that is probably not what was meant.
    Warning,
    /// Nothing is planned for this Service.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One step of a [`FieldPath`].
///
/// ```
/// use xposer::{FieldPath, Segment};
/// let steps: Vec<_> = FieldPath::settings().key("ingressURLTemplateFallbacks").index(1).segments().collect();
/// assert_eq!(steps, [Segment::Key("ingressURLTemplateFallbacks".into()), Segment::Index(1)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// A key of a mapping.
    Key(Cow<'static, str>),
    /// A position in a sequence, from 0.
    Index(usize),
}

/// The document a [`FieldPath`] starts in.
///
/// ```
/// use serde_json::json;
/// use xposer::{FieldPath, Root};
/// let (service, settings) = (json!({"kind": "Service"}), json!({"domain": "example.com"}));
/// let path = FieldPath::setting("domain");
/// let document = match path.root() { Root::Object => &service, Root::Settings => &settings };
/// assert_eq!(path.lookup(document), Some(&json!("example.com")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Root {
    /// The Kubernetes object under review.
    Object,
    /// The administrator's settings; shown as the prefix `settings.`.
    Settings,
}

/// The place the user wrote, in the spelling of Kubernetes' own messages.
///
/// A key of letters, digits, `_` and `-` stands behind a dot, any other one in brackets and quotes. A path is
/// serialised as the text it is shown as.
///
/// ```
/// use xposer::FieldPath;
/// let path = FieldPath::annotation("config.xposer.stakater.com/Domain");
/// assert_eq!(path.to_string(), r#"metadata.annotations["config.xposer.stakater.com/Domain"]"#);
/// assert_eq!(FieldPath::setting("domain").to_string(), "settings.domain");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldPath {
    root: Root,
    /// Fixed names of the Kubernetes API, from the top.
    fields: &'static [&'static str],
    /// What follows them. Most paths end with one key, for which nothing is allocated.
    tail: Tail,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Tail {
    None,
    One(Segment),
    Many(Vec<Segment>),
}

impl FieldPath {
    const fn new(root: Root, fields: &'static [&'static str]) -> Self {
        Self { root, fields, tail: Tail::None }
    }

    /// The path of a field of the object: its keys from the top, all of them fixed names of the Kubernetes API.
    #[must_use]
    pub const fn object(fields: &'static [&'static str]) -> Self {
        Self::new(Root::Object, fields)
    }

    /// The path of an annotation of the object.
    #[must_use]
    pub fn annotation(key: impl Into<Cow<'static, str>>) -> Self {
        Self::object(&["metadata", "annotations"]).key(key)
    }

    /// The path of a label of the object.
    #[must_use]
    pub fn label(key: impl Into<Cow<'static, str>>) -> Self {
        Self::object(&["metadata", "labels"]).key(key)
    }

    /// The path of a setting.
    #[must_use]
    pub fn setting(name: impl Into<Cow<'static, str>>) -> Self {
        Self::settings().key(name)
    }

    /// The settings as a whole.
    #[must_use]
    pub const fn settings() -> Self {
        Self::new(Root::Settings, &[])
    }

    /// This path with one more key at its end.
    #[must_use]
    pub fn key(self, key: impl Into<Cow<'static, str>>) -> Self {
        self.then(Segment::Key(key.into()))
    }

    /// This path with one more index at its end.
    #[must_use]
    pub fn index(self, index: usize) -> Self {
        self.then(Segment::Index(index))
    }

    fn then(mut self, segment: Segment) -> Self {
        self.tail = match self.tail {
            Tail::None => Tail::One(segment),
            Tail::One(first) => Tail::Many(vec![first, segment]),
            Tail::Many(mut segments) => {
                segments.push(segment);
                Tail::Many(segments)
            }
        };
        self
    }

    /// The document this path starts in.
    #[must_use]
    pub fn root(&self) -> Root {
        self.root
    }

    /// The steps from the document's top. The prefix `settings.` is none of them.
    pub fn segments(&self) -> impl Iterator<Item = Segment> + '_ {
        let fields = self.fields.iter().map(|field| Segment::Key(Cow::Borrowed(*field)));
        let tail = match &self.tail {
            Tail::None => &[],
            Tail::One(segment) => std::slice::from_ref(segment),
            Tail::Many(segments) => segments.as_slice(),
        };
        fields.chain(tail.iter().cloned())
    }

    /// The value at this path in `document`, if there is one. Which document is meant, [`FieldPath::root`] says.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::FieldPath;
    /// let service = json!({"spec": {"ports": [{"port": 80}]}});
    /// let path = FieldPath::object(&["spec", "ports"]).index(0).key("port");
    /// assert_eq!(path.lookup(&service), Some(&json!(80)));
    /// ```
    #[must_use]
    pub fn lookup<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.segments().try_fold(document, |value, segment| match segment {
            Segment::Key(key) => value.get(key.as_ref()),
            Segment::Index(index) => value.get(index),
        })
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        if self.root == Root::Settings {
            f.write_str("settings")?;
            first = false;
        }
        for segment in self.segments() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if is_plain_key(&key) => {
                    if !first {
                        f.write_str(".")?;
                    }
                    f.write_str(&key)?;
                }
                Segment::Key(key) => write!(f, "[{key:?}]")?,
            }
            first = false;
        }
        Ok(())
    }
}

fn is_plain_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The object a diagnostic is about, shown in words: `KIND NAMESPACE/NAME`, or without what is empty.
///
/// ```
/// use xposer::Subject;
/// let web = Subject { kind: "Service".into(), namespace: "shop".into(), name: "web".into() };
/// assert_eq!(web.to_string(), "Service shop/web");
/// assert_eq!(Subject { namespace: String::new(), ..web.clone() }.to_string(), "Service web");
/// assert_eq!(Subject { name: String::new(), ..web }.to_string(), "Service without a name in shop");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Subject {
    /// The kind, for example `Service`, or `Settings` for the administrator's settings.
    pub kind: Cow<'static, str>,
    /// The namespace; empty where the object names none.
    pub namespace: String,
    /// The name; empty where the object names none.
    pub name: String,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        match (self.namespace.is_empty(), self.name.is_empty()) {
            (true, true) => Ok(()),
            (true, false) => write!(f, " {}", self.name),
            (false, true) => write!(f, " without a name in {}", self.namespace),
            (false, false) => write!(f, " {}/{}", self.namespace, self.name),
        }
    }
}

/// A finding without its place: what a parser knows before anybody says whose text it read.
///
/// [`Report::file`] adds the subject, the path and the severity.
///
/// ```
/// use xposer::{Code, Problem};
/// let problem = Problem::new(Code::HostUppercase, "the host contains upper-case letters")
///     .found("Web.example.com").at(0..1)
///     .help("write it in lower case").propose("web.example.com");
/// let found = problem.found.unwrap_or_default();
/// assert_eq!(problem.range.and_then(|range| found.get(range)), Some("W"));
/// assert_eq!(problem.proposed, Some(found.to_lowercase()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of finding this is.
    pub code: Code,
    /// What is wrong: lower case, no final period, what was found and what was expected.
    pub message: String,
    /// The offending value as found, if it is not in the message already.
    pub found: Option<String>,
    /// One imperative sentence that says what to do.
    pub help: Option<String>,
    /// A value that would be accepted in place of the whole value at the path.
    pub proposed: Option<String>,
    /// The bytes of the value at the path that are meant, from 0, without the end.
    pub range: Option<Range<usize>>,
}

impl Problem {
    /// A finding of the kind `code`, said in `message`.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), found: None, help: None, proposed: None, range: None }
    }

    /// Adds the value that was found, as it was found.
    #[must_use]
    pub fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }

    /// Adds the sentence of help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a value that would be accepted in place of the whole value at the path.
    #[must_use]
    pub fn propose(mut self, proposed: impl Into<String>) -> Self {
        self.proposed = Some(proposed.into());
        self
    }

    /// Takes back the bytes and the value proposed: they were those of another place.
    #[must_use]
    pub(crate) fn without_place(mut self) -> Self {
        self.range = None;
        self.proposed = None;
        self
    }

    /// Adds the bytes of the value that are meant, from 0, without the end.
    #[must_use]
    pub fn at(mut self, range: Range<usize>) -> Self {
        self.range = Some(range);
        self
    }
}

/// One finding, complete: the same data behind the command line, the policy and the controller.
///
/// As JSON it is an object of the fields below; fields that are `None` are left out.
///
/// ```
/// use serde_json::json;
/// use xposer::{Code, FieldPath, Problem, Report, Subject};
/// let mut report = Report::new(Subject { kind: "Service".into(), ..Subject::default() }, false);
/// report.file(FieldPath::label("expose"), Problem::new(Code::FieldType, "not a string").help("quote it"));
/// let finding = &report.diagnostics()[0];
/// assert_eq!(finding.to_string(), "error[field-type]: Service: metadata.labels.expose: not a string; quote it");
/// assert_eq!(json!(finding)["path"], "metadata.labels.expose");
/// assert!(json!(finding).get("range").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The kind of finding; explained by `xposer explain CODE`.
    pub code: Code,
    /// How much it weighs here: the code's severity, or Error where `strict: true` raised it.
    pub severity: Severity,
    /// The object it is about.
    pub subject: Arc<Subject>,
    /// The place the user wrote.
    pub path: FieldPath,
    /// The offending value, as found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What is wrong: lower case, no final period.
    pub message: String,
    /// One imperative sentence that says what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// A value that would be accepted in place of the whole value at `path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposed: Option<String>,
    /// The bytes of the value at `path` that are meant, as `{start, end}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range<usize>>,
}

/// One line: `error[CODE]: Service tools/web: PATH: MESSAGE; HELP`. Where the path is that of a setting, it is the
/// subject as well: `error[CODE]: settings.domain: MESSAGE; HELP`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: ", self.severity, self.code)?;
        // The path of a setting names its subject itself.
        if self.path.root() == Root::Object || self.subject.kind != "Settings" {
            write!(f, "{}: ", self.subject)?;
        }
        f.write_str(&self.sentence())
    }
}

impl Diagnostic {
    /// The place, what is wrong, and what to do: `PATH: MESSAGE; HELP`.
    ///
    /// ```
    /// use serde_json::json;
    /// let report = xposer::Settings::from_value(&json!({"domian": "example.com"})).unwrap_err();
    /// let sentence = report.diagnostics()[0].sentence();
    /// assert_eq!(sentence, "settings.domian: there is no setting `domian`; did you mean domain?");
    /// ```
    #[must_use]
    pub fn sentence(&self) -> String {
        let help = self.help.as_deref().map(|help| format!("; {help}")).unwrap_or_default();
        format!("{}: {}{help}", self.path, self.message)
    }
}

/// A sentence and its help, `SAID; HELP`, in at most `most` bytes. Where they are longer, the sentence is cut, and the help stays
/// whole unless it needs more than a third of the room: the sentence names the key, and without that two findings look alike.
///
/// ```
/// use xposer::shortened;
/// assert_eq!(shortened("there is no key `TSL`", Some("did you mean TLS?"), 50), "there is no key `TSL`; did you mean TLS?");
/// let said = "there is no key `TSL`, and nobody reads it";
/// assert_eq!(shortened(said, Some("write TLS"), 40), "there is no key `TSL`, and...; write TLS");
/// assert_eq!(shortened("there is no key `TSL`", None, 10), "there i...");
/// ```
#[must_use]
pub fn shortened(said: &str, help: Option<&str>, most: usize) -> String {
    const BETWEEN: &str = "; ";
    let Some(help) = help else { return cut(said, most).into_owned() };
    let room = most.saturating_sub(BETWEEN.len());
    let said = cut(said, room.saturating_sub(help.len()).max(room / 3 * 2));
    let help = cut(help, room.saturating_sub(said.len()));
    [said.as_ref(), BETWEEN, help.as_ref()].concat()
}

/// The text, cut between two characters where it has more than `most` bytes.
fn cut(text: &str, most: usize) -> Cow<'_, str> {
    const MARK: &str = "...";
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let end = (0..=most.saturating_sub(MARK.len())).rev().find(|end| text.is_char_boundary(*end));
    Cow::Owned([text.get(..end.unwrap_or_default()).unwrap_or_default().trim_end(), MARK].concat())
}

/// The most findings of one code about one object; nobody reads further, and a block may have thousands of lines. The last
/// one says how many more there are.
///
/// ```
/// use xposer::{Code, FieldPath, MAX_PER_CODE, Problem, Report, Subject};
/// let mut report = Report::new(Subject::default(), false);
/// for index in 0..MAX_PER_CODE + 20 {
///     report.file(FieldPath::object(&["spec", "ports"]).index(index), Problem::new(Code::PortInvalid, "no port"));
/// }
/// assert_eq!(report.diagnostics().len(), MAX_PER_CODE);
/// assert_eq!(report.diagnostics().last().map(|last| last.message.as_str()), Some("no port (and 20 more of this kind)"));
/// ```
pub const MAX_PER_CODE: usize = 100;

/// All findings about one object (or, once merged, several), in the order in which the stages filed them.
///
/// As JSON it is the list of its [`Diagnostic`]s.
///
/// ```
/// use serde_json::json;
/// use xposer::{Outcome, Service, Settings, expose};
/// let service = json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]},
///     "metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"}}});
/// let Outcome::Refused(report) = expose(&Service::from_value(&service), &Settings::default()) else {
///     panic!("there is no domain, so there is no host");
/// };
/// assert!(report.has_errors());
/// assert_eq!(report.diagnostics()[0].code.slug(), "template-value-missing");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Report {
    diagnostics: Vec<Diagnostic>,
    /// The codes that were filed too often, how many findings of each were left out, and the length of the message that says so
    /// without those words.
    #[serde(skip)]
    left_out: Vec<(Code, usize, usize)>,
    #[serde(skip)]
    subject: Arc<Subject>,
    #[serde(skip)]
    strict: bool,
}

impl Report {
    /// An empty report about `subject`. Under `strict`, some codes weigh more (see [`Code::is_error_when_strict`]).
    ///
    /// ```
    /// use xposer::{Code, FieldPath, Problem, Report, Severity, Subject};
    /// let mut report = Report::new(Subject::default(), true);
    /// for code in [Code::AnnotationUnknown, Code::AnnotationEmpty] {
    ///     report.file(FieldPath::annotation("a"), Problem::new(code, "said"));
    /// }
    /// let errors: Vec<_> = report.of(Severity::Error).map(|finding| finding.code).collect();
    /// assert_eq!(errors, [Code::AnnotationUnknown]);
    /// ```
    #[must_use]
    pub fn new(subject: Subject, strict: bool) -> Self {
        Self { diagnostics: Vec::new(), left_out: Vec::new(), subject: Arc::new(subject), strict }
    }

    /// Files one finding at `path`, with this report's subject and the severity of its code. Of one code,
    /// [`MAX_PER_CODE`] are kept, and the last one says how many more there are.
    pub fn file(&mut self, path: FieldPath, problem: Problem) {
        let Problem { code, message, found, help, proposed, range } = problem;
        let severity =
            if self.strict && code.is_error_when_strict() { Severity::Error } else { code.severity() };
        if self.diagnostics.len() >= MAX_PER_CODE && self.is_enough(code) {
            return;
        }
        let subject = Arc::clone(&self.subject);
        self.diagnostics.push(Diagnostic {
            code,
            severity,
            subject,
            path,
            found,
            message,
            help,
            proposed,
            range,
        });
    }

    /// Whether a code has been filed often enough; the last one then says how many more there are.
    fn is_enough(&mut self, code: Code) -> bool {
        let of_kind = |known: &&Diagnostic| known.code == code;
        let known = self.left_out.iter().position(|(known, ..)| *known == code);
        if known.is_none() && self.diagnostics.iter().filter(of_kind).count() < MAX_PER_CODE {
            return false;
        }
        let Some(last) = self.diagnostics.iter_mut().rfind(|known| known.code == code) else { return false };
        let at = known.unwrap_or_else(|| {
            self.left_out.push((code, 0, last.message.len()));
            self.left_out.len() - 1
        });
        if let Some((_, more, length)) = self.left_out.get_mut(at) {
            *more += 1;
            last.message.truncate(*length);
            last.message.push_str(&format!(" (and {more} more of this kind)"));
        }
        true
    }

    /// Appends the findings of `other`. Each keeps the subject and the severity it was filed with.
    ///
    /// ```
    /// use xposer::{Code, FieldPath, Problem, Report, Subject};
    /// let about = |name: &str| Report::new(Subject { name: name.to_owned(), ..Subject::default() }, false);
    /// let (mut all, mut other) = (about("web"), about("api"));
    /// other.file(FieldPath::object(&["spec"]), Problem::new(Code::PortNone, "no port"));
    /// all.merge(other);
    /// assert_eq!((all.subject().name.as_str(), all.diagnostics()[0].subject.name.as_str()), ("web", "api"));
    /// ```
    pub fn merge(&mut self, other: Self) {
        self.diagnostics.extend(other.diagnostics);
    }

    /// Whether anything was filed that forbids a plan: a finding of [`Severity::Error`].
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }

    /// Whether nothing was filed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// The findings, in order.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The findings, in order, for themselves.
    pub(crate) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    /// The findings of one severity, in order.
    pub fn of(&self, severity: Severity) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(move |d| d.severity == severity)
    }

    /// How many findings of a severity were filed: those that are kept, and those behind [`MAX_PER_CODE`].
    ///
    /// ```
    /// use xposer::{Code, FieldPath, Problem, Report, Severity, Subject};
    /// let mut report = Report::new(Subject::default(), false);
    /// for _ in 0..150 {
    ///     report.file(FieldPath::annotation("a"), Problem::new(Code::AnnotationUnknown, "said"));
    /// }
    /// assert_eq!((report.of(Severity::Warning).count(), report.count(Severity::Warning)), (100, 150));
    /// ```
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        let more = |(code, more, _): &(Code, usize, usize)| {
            let last = self.diagnostics.iter().rfind(|known| known.code == *code);
            last.filter(|last| last.severity == severity).map_or(0, |_| *more)
        };
        self.of(severity).count() + self.left_out.iter().map(more).sum::<usize>()
    }

    /// The object this report is about; after a merge, still the first one.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }
}

/// One diagnostic a line, each as [`Diagnostic`] shows itself.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostics.iter().try_for_each(|diagnostic| writeln!(f, "{diagnostic}"))
    }
}

/// The entry of `known` that `word` was probably meant to be, for a did-you-mean.
///
/// Letter case is ignored; the edits (Damerau and Levenshtein's distance) may be at most a third of the longer word's
/// bytes. Of several entries the nearest counts, and of equally near ones the first. For a word of more than 64 bytes
/// there is none.
///
/// ```
/// assert_eq!(xposer::did_you_mean("IngresUrlTemplate", ["Domain", "IngressURLTemplate"]), Some("IngressURLTemplate"));
/// assert_eq!(xposer::did_you_mean("Colour", ["Domain", "TLS"]), None);
/// ```
#[must_use]
pub fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // Longer words name nothing we know, and the distance costs their product.
    if word.len() > 64 {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&lower, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance * 3 <= candidate.len().max(word.len()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A character for a message.
pub(crate) fn quoted_char(character: char) -> String {
    if character == ' ' { "a blank".to_owned() } else { quoted(character.encode_utf8(&mut [0; 4])) }
}

/// `text` for a message: in backquotes, control characters escaped, cut after 80 characters.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(80) + 2);
    out.push('`');
    for (count, character) in text.chars().enumerate() {
        if count == 80 {
            out.push('…');
            break;
        }
        let odd_blank = character.is_whitespace() && character != ' ';
        if character.is_control() || odd_blank || ('\u{200b}'..='\u{202e}').contains(&character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out.push('`');
    out
}

/// Names for a message, separated by commas: at most ten of the `count` there are, and how many more.
pub(crate) fn listed<'n>(names: impl IntoIterator<Item = &'n str>, count: usize) -> String {
    const MAX_LISTED: usize = 10;
    let mut shown: Vec<Cow<'_, str>> = names.into_iter().take(MAX_LISTED).map(Cow::Borrowed).collect();
    if count > MAX_LISTED {
        shown.push(Cow::Owned(format!("{} more", count - MAX_LISTED)));
    }
    shown.join(", ")
}
