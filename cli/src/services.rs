//! The Services among the documents, also those in lists.

use serde_json::Value;
use xposer::{Diagnostic, Root, Segment, is_service};

use crate::diagnostics::{Finding, Findings};
use crate::input::File;
use crate::place::Place;
use crate::yaml::Document;

/// A Service in a document, or an item of a list that is the document.
pub(crate) struct Item<'f> {
    file: &'f File,
    document: &'f Document,
    pub(crate) value: &'f Value,
    /// The positions in the lists that lead to it.
    within: Vec<usize>,
}

/// The Services of all files, in order. What is no object at all is an error.
pub(crate) fn services(files: &[File]) -> Result<Vec<Item<'_>>, Findings> {
    let (mut items, mut wrong) = (Vec::new(), Findings::new());
    for file in files {
        for document in &file.documents {
            let item = Item { file, document, value: &document.value, within: Vec::new() };
            item.visit(false, &mut items, &mut wrong);
        }
    }
    if wrong.is_empty() { Ok(items) } else { Err(wrong) }
}

impl<'f> Item<'f> {
    /// Adds this object if it is a Service, and the Services of its items if it is a list.
    fn visit(self, is_service_item: bool, items: &mut Vec<Self>, wrong: &mut Findings) {
        let Value::Object(object) = self.value else {
            wrong.push(self.not_an_object());
            return;
        };
        let is = |key: &str, wanted: &str| object.get(key).and_then(Value::as_str) == Some(wanted);
        // The API server leaves the kind out of the items of a ServiceList.
        if is_service(self.value) || is_service_item && !object.contains_key("kind") {
            items.push(self);
            return;
        }
        let is_service_list = is("kind", "ServiceList");
        if !(is("apiVersion", "v1") && (is_service_list || is("kind", "List"))) {
            return;
        }
        match object.get("items") {
            None | Some(Value::Null) => {}
            Some(Value::Array(values)) => {
                for (index, value) in values.iter().enumerate() {
                    let within = self.within.iter().copied().chain([index]).collect();
                    Item { value, within, ..self }.visit(is_service_list, items, wrong);
                }
            }
            Some(other) => {
                let items = [Segment::Key("items".into())];
                let place = self.file.place_at(self.document, self.path().chain(items));
                let said = format!("expected a list of items, found {}", kind_of(other));
                wrong.push(Finding::input(said).at(place));
            }
        }
    }

    /// The way from the top of the document, through the lists, to this object.
    fn path(&self) -> impl Iterator<Item = Segment> {
        self.within.iter().flat_map(|index| [Segment::Key("items".into()), Segment::Index(*index)])
    }

    fn not_an_object(&self) -> Finding<'static> {
        let said = format!("expected a Kubernetes object, found {}", kind_of(self.value));
        let finding = Finding::input(said).at(self.file.place_at(self.document, self.path()));
        match self.value {
            Value::Array(_) => {
                finding.help("separate objects by lines of `---`, or make it the items of a List")
            }
            _ => finding,
        }
    }

    /// Where the text is that a diagnostic about this Service accuses, in its file or in that of the settings.
    pub(crate) fn place_of(&self, diagnostic: &Diagnostic, settings: Option<&File>) -> Option<Place> {
        match diagnostic.path.root() {
            Root::Object => {
                let path = self.path().chain(diagnostic.path.segments());
                Some(self.file.place_of(self.document, path, diagnostic))
            }
            Root::Settings => {
                let file = settings?;
                Some(file.place_of(file.documents.first()?, diagnostic.path.segments(), diagnostic))
            }
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
