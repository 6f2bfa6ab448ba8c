//! Finds the Services in documents and lists, and counts the other objects.

use serde_json::{Map, Value};
use xposer::diagnostics::{FieldPath, Root, Segment};
use xposer::internal::type_name;
use xposer::{Diagnostic, Outcome, Service, is_service};
use xposer_import::{is_class, is_ingress};

use xposer_manifest::encrypted::{SOPS, SOPS_KEY, first_encrypted, has_sops, is_encrypted};
use xposer_manifest::{Document, File, Finding, Findings, Place, SettingsFile};

use crate::args::CommandName;
use crate::ignored_objects::{self, Hint, IgnoredObjects};
use crate::local;
use crate::words::count;

/// An object: a document, or an item of a list.
pub(crate) struct Item<'f> {
    /// The file and document with the object; `None` for an object from a cluster.
    written: Option<(&'f File, &'f Document)>,
    pub(crate) value: &'f Value,
    /// The indices in nested lists that lead to the object.
    within: Vec<usize>,
}

/// The relevant contents of the files.
pub(crate) struct InputObjects<'f> {
    /// The Services in the order of the input.
    pub(crate) services: Vec<Item<'f>>,
    /// The Ingresses in the order of the input, if the command reads them.
    pub(crate) ingresses: Vec<Item<'f>>,
    /// The IngressClasses, if the command reads them.
    pub(crate) classes: Vec<Item<'f>>,
    /// The number of Services that are for tools only.
    pub(crate) local_config_count: usize,
    /// Findings about ignored objects.
    pub(crate) notes: Findings,
    pub(crate) ignored: IgnoredObjects<'f>,
    /// Hints for an input without Services, each message once.
    hints: Vec<(Hint, Option<Place>)>,
    wrong: Findings,
    typed: CommandName,
}

impl<'f> InputObjects<'f> {
    /// Reads all files. A document that is no object is an error, and so is an encrypted one.
    pub(crate) fn new(files: &'f [File], typed: CommandName) -> Result<Self, Findings> {
        let mut found = Self::nothing(typed);
        for file in files {
            for document in &file.documents {
                if !found.add_document(&document.value, Some((file, document))) {
                    break;
                }
            }
        }
        found.complete()
    }

    /// Reads objects that are in no file.
    pub(crate) fn of_objects(objects: &'f [Value], typed: CommandName) -> Result<Self, Findings> {
        let mut found = Self::nothing(typed);
        for object in objects {
            found.add_document(object, None);
        }
        found.complete()
    }

    fn nothing(typed: CommandName) -> Self {
        Self {
            services: Vec::new(),
            ingresses: Vec::new(),
            classes: Vec::new(),
            local_config_count: 0,
            notes: Findings::new(),
            ignored: IgnoredObjects::default(),
            hints: Vec::new(),
            wrong: Findings::new(),
            typed,
        }
    }

    /// Adds the objects of a document. Returns false if the rest of its file cannot be read.
    fn add_document(&mut self, value: &'f Value, written: Option<(&'f File, &'f Document)>) -> bool {
        let among = Among { services: false, ingresses: false, encrypted: has_sops(value) };
        Item { written, value, within: Vec::new() }.visit(among, self)
    }

    fn complete(mut self) -> Result<Self, Findings> {
        if !self.wrong.is_empty() {
            return Err(self.wrong);
        }
        let lacks_all = if self.typed.reads_ingresses() {
            self.ingresses.is_empty()
        } else {
            self.services.is_empty() && self.local_config_count == 0
        };
        if lacks_all {
            let hints = self.hints.drain(..);
            self.notes
                .extend(hints.map(|(hint, place)| Finding::info(hint.message).help(hint.help).at(place)));
        }
        Ok(self)
    }
}

impl InputObjects<'_> {
    /// The core's views of the Services. `namespace` is the namespace of Services without one.
    pub(crate) fn views<'v>(&'v self, namespace: Option<&'v str>) -> Vec<Service<'v>> {
        let namespace = namespace.unwrap_or_default();
        let items = self.services.iter();
        items.map(|item| Service::from_value(item.value).with_default_namespace(namespace)).collect()
    }

    /// The numbers of Services of each category; for an input without Services, the numbers of other objects.
    pub(crate) fn summary(&self, outcomes: &[Outcome]) -> String {
        let mut text = summary(outcomes, self.local_config_count);
        if let Some(counts) =
            self.ignored.counts().filter(|_| self.services.is_empty() && self.local_config_count == 0)
        {
            text.push_str(&format!("; ignored: {counts}"));
        }
        text
    }
}

/// The facts about an object from its document and its list.
#[derive(Clone, Copy)]
struct Among {
    /// Whether it is an item of a ServiceList, whose items have no kind.
    services: bool,
    /// Whether it is an item of an IngressList, whose items have no kind either.
    ingresses: bool,
    /// Whether SOPS encrypted values of its document.
    encrypted: bool,
}

impl<'f> Item<'f> {
    /// Adds this object if it is a Service, and the Services among its items if it is a list. Returns false if the file is
    /// encrypted, which is reported once.
    fn visit(self, among: Among, found: &mut InputObjects<'f>) -> bool {
        let Value::Object(object) = self.value else {
            found.wrong.push(self.not_an_object());
            return true;
        };
        let is = |key: &str, wanted: &str| object.get(key).and_then(Value::as_str) == Some(wanted);
        // The API server omits the kind in the items of a ServiceList.
        let is_service = is_service(self.value) || among.services && !object.contains_key("kind");
        let is_ingress = found.typed.reads_ingresses()
            && (is_ingress(self.value) || among.ingresses && !object.contains_key("kind"));
        let is_read = is_service || is_ingress;
        if let Some(path) = self.encrypted(is_read, among.encrypted) {
            let finding = Finding::input(SOPS.message()).at(self.place_of_key(path));
            found.wrong.push(finding.help(SOPS.help(self.path_of_file(), found.typed.piped())));
            return false;
        }
        if let Some(path) = self.template(is_read) {
            let place = self.place_at(path);
            let finding = Finding::input("expected a Kubernetes object, found a template of one");
            found.wrong.push(finding.help(ignored_objects::render_chart(found.typed.piped())).at(place));
            return true;
        }
        if is_service {
            self.service(found);
            return true;
        }
        if is_ingress {
            found.ingresses.push(self);
            return true;
        }
        if found.typed.reads_ingresses() && is_class(self.value) {
            found.classes.push(self);
            return true;
        }
        let is_service_list = is("kind", "ServiceList");
        let is_ingress_list = found.typed.reads_ingresses()
            && is("kind", "IngressList")
            && object
                .get("apiVersion")
                .and_then(Value::as_str)
                .is_some_and(|it| it.starts_with("networking.k8s.io/"));
        let is_list = is("apiVersion", "v1") && (is_service_list || is("kind", "List"));
        if !(is_list || is_ingress_list) {
            self.ignore(object, found);
            return true;
        }
        match object.get("items") {
            None | Some(Value::Null) => true,
            Some(Value::Array(values)) => values.iter().enumerate().all(|(index, value)| {
                let within = self.within.iter().copied().chain([index]).collect();
                let among = Among { services: is_service_list, ingresses: is_ingress_list, ..among };
                Item { value, within, ..self }.visit(among, found)
            }),
            Some(other) => {
                let items = [Segment::Key("items".into())];
                let place = self.place_at(self.path().chain(items));
                let message = format!("expected a list of items, found {}", type_name(other));
                found.wrong.push(Finding::input(message).at(place));
                true
            }
        }
    }

    /// The path to the value which shows that this is, or may be, an object that the command reads and that SOPS encrypted. Other
    /// encrypted objects, such as a Secret, are ignored like any other object.
    fn encrypted(&self, is_service: bool, has_sops: bool) -> Option<Vec<Segment>> {
        let key = |name: &'static str| Segment::Key(name.into());
        let own = |path: Vec<Segment>| self.path().chain(path).collect();
        if let Some(name) =
            ["kind", "apiVersion"].into_iter().find(|name| self.value.get(name).is_some_and(is_encrypted))
        {
            return Some(own(vec![key(name)]));
        }
        if has_sops && (is_service || self.within.is_empty() && self.value.get("kind").is_none()) {
            return Some(vec![key(SOPS_KEY)]);
        }
        let fields = ["metadata", "spec"].into_iter().filter(|_| is_service);
        let mut encrypted = fields.filter_map(|name| {
            let mut path = first_encrypted(self.value.get(name)?)?;
            path.insert(0, key(name));
            Some(path)
        });
        encrypted.next().map(own)
    }

    /// The path to the value which shows that this is a template whose actions are in quotes.
    fn template(&self, is_service: bool) -> Option<Vec<Segment>> {
        let fields: &[&[&'static str]] = &[&["kind"], &["metadata", "name"], &["metadata", "namespace"]];
        let found = fields.iter().take(if is_service { 3 } else { 1 }).find(|field| {
            let value = field.iter().try_fold(self.value, |value, key| value.get(key));
            value.and_then(Value::as_str).is_some_and(|text| text.contains("{{"))
        })?;
        Some(self.path().chain(found.iter().map(|key| Segment::Key((*key).into()))).collect())
    }

    fn service(self, found: &mut InputObjects<'f>) {
        if !local::is_local(self.value) {
            found.services.push(self);
            return;
        }
        found.local_config_count += 1;
        if let Some(message) = local::local_config_message(&Service::from_value(self.value)) {
            let annotation = FieldPath::annotation(local::LOCAL_CONFIG);
            let place = self.place_at(self.path().chain(annotation.segments().iter().cloned()));
            found.notes.push(Finding::info(message).help(local::LOCAL_CONFIG_HELP).at(place));
        }
    }

    fn ignore(&self, object: &'f Map<String, Value>, found: &mut InputObjects<'f>) {
        found.ignored.add(object);
        let at = |key: String| self.place_of_key(self.path().chain([Segment::Key(key.into())]));
        if let Some(near_miss) = ignored_objects::near_miss(object) {
            found.notes.push(Finding::warning(near_miss.message).help(near_miss.help).at(at(near_miss.key)));
        } else if let Some(hint) =
            ignored_objects::hint(object, self.path_of_file().unwrap_or("FILE"), found.typed.piped())
            && found.hints.iter().all(|(known, _)| known.message != hint.message)
        {
            found.hints.push((hint, at("kind".to_owned())));
        }
    }

    /// The path from the root of the document through the lists to this object.
    fn path(&self) -> impl Iterator<Item = Segment> {
        self.within.iter().flat_map(|index| [Segment::Key("items".into()), Segment::Index(*index)])
    }

    fn not_an_object(&self) -> Finding<'static> {
        let message = format!("expected a Kubernetes object, found {}", type_name(self.value));
        let finding = Finding::input(message).at(self.place_at(self.path()));
        match self.value {
            Value::Array(_) => {
                finding.help("separate objects by lines of `---`, or make it the items of a List")
            }
            _ => finding,
        }
    }

    /// The path of the file; `None` for standard input and for an object that is in no file.
    fn path_of_file(&self) -> Option<&'f str> {
        self.written?.0.path()
    }

    fn place_at(&self, path: impl IntoIterator<Item = Segment>) -> Option<Place> {
        self.written.map(|(file, document)| file.place_at(document, path.into_iter()))
    }

    fn place_of_key(&self, path: impl IntoIterator<Item = Segment>) -> Option<Place> {
        self.written.map(|(file, document)| file.place_of_key(document, path))
    }

    /// The place of a field of this object: its key, or its value if it has no key.
    pub(crate) fn place_of_field(&self, path: &FieldPath) -> Option<Place> {
        self.place_of_key(self.path().chain(path.segments().iter().cloned()))
    }

    /// The place of a diagnostic about this Service, in its file or in the settings file.
    pub(crate) fn place_of(&self, diagnostic: &Diagnostic, settings: Option<&SettingsFile>) -> Option<Place> {
        match diagnostic.path.root() {
            Root::Object => {
                let (file, document) = self.written?;
                let path = self.path().chain(diagnostic.path.segments().iter().cloned());
                Some(file.place_of(document, path, diagnostic))
            }
            Root::Settings => settings?.place_of(diagnostic),
        }
    }
}

/// Returns the summary, for example `3 services: 2 exposed, 1 refused`, with the number of Services that are for tools only.
///
/// ```
/// use xposer::{Service, Settings, expose, testing};
/// let service = testing::service(&[("Domain", "example.com")]);
/// let outcome = expose(&Service::from_value(&service), &Settings::default());
/// assert_eq!(xposer_cli::summary(&[outcome], 0), "1 service: 1 exposed");
/// ```
#[must_use]
pub fn summary<'o>(outcomes: impl IntoIterator<Item = &'o Outcome>, local: usize) -> String {
    let (mut exposed, mut refused, mut left_alone) = (0, 0, 0);
    for outcome in outcomes {
        *match outcome {
            Outcome::Planned { .. } => &mut exposed,
            Outcome::Refused(_) | Outcome::Conflicting(_) => &mut refused,
            Outcome::NotExposed { .. } => &mut left_alone,
        } += 1;
    }
    let all = exposed + refused + left_alone + local;
    let mut text = format!("{}: {exposed} exposed", count(all, "service", "services"));
    for (number, what) in [(refused, "refused"), (left_alone, "left alone"), (local, "local")] {
        if number > 0 {
            text.push_str(&format!(", {number} {what}"));
        }
    }
    text
}
