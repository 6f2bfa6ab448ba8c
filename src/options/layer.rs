//! The layers of options: the annotations of the Service, its profile, its namespace, the general settings, and the built-in
//! defaults.

use std::sync::LazyLock;

use serde_json::Value;

use super::Settings;
use super::parse::{self, Parsed};
use super::table::{Layer, ROWS};
use crate::diagnostics::{Origin, Severity, Sourced};
use crate::intents::{Intent, IntentValue};
use crate::validation::pattern::Patterns;
use crate::values::Issuer;

/// The state of one option in a layer. A layer begins with all options unset. The reader of each option in the table sets its
/// slot once, for the settings when they are read, and for a Service when its annotations are. After that, the layer is only read,
/// through [`Layers`].
#[derive(Clone, Debug, Default)]
pub(crate) enum Slot<T> {
    /// The layer does not set the option, so the layer below applies.
    #[default]
    Unset,
    /// The layer sets the option to an invalid value. This is reported as an Error already, and no lower layer replaces the value.
    Broken,
    /// The layer sets the option to this value.
    Set(Sourced<T>),
}

impl<T> Slot<T> {
    /// The value, if there is one.
    pub(crate) fn value(&self) -> Option<&Sourced<T>> {
        match self {
            Self::Set(value) => Some(value),
            Self::Unset | Self::Broken => None,
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        matches!(self, Self::Set(_))
    }

    pub(crate) fn is_unset(&self) -> bool {
        matches!(self, Self::Unset)
    }

    /// The source of the value.
    pub(crate) fn origin(&self) -> Option<&Origin> {
        self.value().map(|value| &value.origin)
    }

    /// Reads a setting or an annotation. `null` stands for an annotation that is no text, which is already reported. An invalid
    /// value that is only a Warning counts as not set.
    pub(super) fn read_into(
        &mut self,
        read: impl FnOnce(&Value, &Origin) -> Parsed<Option<T>>,
        value: &Value,
        origin: Origin,
    ) -> Parsed<()> {
        if value.is_null() {
            *self = Self::Broken;
            return Ok(());
        }
        match read(value, &origin) {
            Ok(value) => {
                *self = value.map(|value| Sourced::new(value, origin)).into();
                Ok(())
            }
            Err(problems) => {
                if problems.iter().any(|(_, problem)| problem.code.severity() == Severity::Error) {
                    *self = Self::Broken;
                }
                Err(problems)
            }
        }
    }
}

/// The intents of a layer that have no field of their own; empty for most layers.
#[derive(Clone, Debug, Default)]
pub(crate) struct IntentValues(Vec<(Intent, Slot<IntentValue>)>);

impl IntentValues {
    /// The state of an intent.
    pub(crate) fn slot(&self, intent: Intent) -> &Slot<IntentValue> {
        static NOTHING: Slot<IntentValue> = Slot::Unset;
        self.0.iter().find(|(known, _)| *known == intent).map_or(&NOTHING, |(_, slot)| slot)
    }

    /// Sets the state of an intent. It replaces the state that was set before.
    pub(crate) fn set(&mut self, intent: Intent, slot: Slot<IntentValue>) {
        match self.0.iter_mut().find(|(known, _)| *known == intent) {
            Some((_, known)) => *known = slot,
            None => self.0.push((intent, slot)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a setting or an annotation.
    pub(super) fn read_into(&mut self, intent: Intent, value: &Value, origin: Origin) -> Parsed<()> {
        let mut slot = Slot::Unset;
        let taken = slot.read_into(|value, at| parse::intent_value(intent, value, at), value, origin);
        self.set(intent, slot);
        taken
    }
}

impl Slot<Vec<Entry>> {
    /// The entries; empty if the option is not set.
    pub(crate) fn entries(&self) -> &[Entry] {
        self.value().map(|given| given.value.as_slice()).unwrap_or_default()
    }
}

impl<T> From<Option<Sourced<T>>> for Slot<T> {
    fn from(value: Option<Sourced<T>>) -> Self {
        value.map_or(Self::Unset, Self::Set)
    }
}

/// An entry of an option that is a mapping whose layers are merged key by key, for example an annotation of the emitted objects.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) origin: Origin,
}

impl Layer {
    /// The issuer of certificates. Two options can name one; if both do, that is an Error.
    pub(crate) fn issuer(&self) -> &Slot<Issuer> {
        static BOTH: Slot<Issuer> = Slot::Broken;
        match (&self.namespaced_issuer, &self.cluster_issuer) {
            (Slot::Set(_), Slot::Set(_)) => &BOTH,
            (Slot::Unset, other) | (Slot::Broken, other @ Slot::Set(_)) => other,
            (own, _) => own,
        }
    }

    /// The annotations that the layer adds to the emitted objects.
    pub(crate) fn annotations(&self) -> &[Entry] {
        self.annotations.entries()
    }
}

/// The built-in layer, which is the lowest of all: the defaults of the table, parsed as settings are.
pub(crate) static BUILT_IN: LazyLock<Layer> = LazyLock::new(|| {
    let mut layer = Layer::default();
    for row in ROWS {
        if let (Some(value), Some(read)) = (row.built_in, row.read) {
            // The defaults of the table are valid, so there is nothing to report.
            let _ = read(&mut layer, &value.trim_matches('\'').into(), Origin::BuiltIn);
        }
    }
    layer
});

/// The layers of one Service. For each option, the uppermost layer that sets it applies.
#[derive(Clone, Copy)]
pub(crate) struct Layers<'s> {
    /// The annotations of the Service.
    pub(crate) service: Option<&'s Layer>,
    /// The meaning of the Service's forwarded block, where it is written in words of other programs.
    block: Option<&'s Layer>,
    /// The profile, the namespace, and the general settings.
    settings: [Option<&'s Layer>; 3],
    /// The meaning of the annotations of these settings, where they are written in words of other programs.
    annotations: Option<&'s Layer>,
}

impl<'s> Layers<'s> {
    /// The layers of the settings, without any Service.
    pub(crate) fn new(
        profile: Option<&'s Profile>,
        namespace: Option<&'s Namespace>,
        settings: &'s Settings,
    ) -> Self {
        let layers = [profile.map(|it| &it.layer), namespace.map(|it| &it.layer), Some(&settings.base)];
        Self { service: None, block: None, settings: layers, annotations: None }
    }

    /// Adds the annotations of a Service as the uppermost layer.
    pub(crate) fn with_service(self, service: &'s Layer) -> Self {
        Self { service: Some(service), ..self }
    }

    /// Adds the meaning of the forwarded block as a layer below the annotations of the Service and above the settings.
    pub(crate) fn with_block(self, block: &'s Layer) -> Self {
        Self { block: Some(block), ..self }
    }

    /// Adds the meaning of the annotations of the settings as a layer below all settings.
    pub(crate) fn with_annotations(self, annotations: &'s Layer) -> Self {
        Self { annotations: Some(annotations), ..self }
    }

    /// All layers, the uppermost first.
    pub(crate) fn iter(self) -> impl Iterator<Item = &'s Layer> {
        let [profile, namespace, general] = self.settings;
        let all = [self.service, self.block, profile, namespace, general, self.annotations, Some(&*BUILT_IN)];
        all.into_iter().flatten()
    }

    /// The layers of the settings, the uppermost first.
    pub(crate) fn settings(self) -> impl Iterator<Item = &'s Layer> {
        self.settings.into_iter().flatten()
    }

    /// The value in the uppermost layer that sets the option; `None` if no layer does, or if the value in that layer is invalid.
    pub(crate) fn first<T: 's>(self, field: impl Fn(&'s Layer) -> &'s Slot<T>) -> Option<&'s Sourced<T>> {
        self.slot(field).and_then(Slot::value)
    }

    /// The value of the first of these that sets the option: the annotations of the Service, the forwarded block, the layers below.
    /// `block` is the state in the forwarded block.
    pub(crate) fn first_with_block<T: 's>(
        self,
        block: &'s Slot<T>,
        field: impl Fn(&'s Layer) -> &'s Slot<T>,
    ) -> Option<&'s Sourced<T>> {
        let mut slots = self.service.map(&field).into_iter().chain([block]);
        slots.find(|slot| !slot.is_unset()).or_else(|| self.slot(field)).and_then(Slot::value)
    }

    /// The state of the option in the uppermost layer that sets it.
    pub(crate) fn slot<T: 's>(self, field: impl Fn(&'s Layer) -> &'s Slot<T>) -> Option<&'s Slot<T>> {
        self.iter().map(field).find(|slot| !slot.is_unset())
    }

    /// Whether the uppermost layer that sets the option has an invalid value.
    pub(crate) fn is_broken<T: 's>(self, field: impl Fn(&'s Layer) -> &'s Slot<T>) -> bool {
        matches!(self.slot(field), Some(Slot::Broken))
    }
}

/// Defaults under a name that a Service can choose.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profile {
    pub(crate) layer: Layer,
    /// Patterns of the namespaces that may choose the profile; `None` means all.
    pub(crate) namespaces: Option<Patterns>,
}

impl Profile {
    /// Whether a namespace may choose the profile.
    pub(crate) fn is_for(&self, namespace: &str) -> bool {
        self.namespaces.as_ref().is_none_or(|allowed| allowed.fit(namespace))
    }
}

/// Defaults and limits of a namespace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Namespace {
    pub(crate) layer: Layer,
    /// Patterns of the hosts that belong to this namespace exclusively.
    pub(crate) hosts: Option<Sourced<Vec<String>>>,
    /// Patterns of the classes that its Ingresses may have; `None` means all.
    pub(crate) classes: Option<Vec<String>>,
    /// The Gateways that its routes may be attached to; `None` means all.
    pub(crate) gateways: Option<Vec<GatewayPattern>>,
}

/// Some Gateways, or other objects with listeners, by patterns of their namespaces and names.
#[derive(Clone, Debug)]
pub(crate) struct GatewayPattern {
    /// The kind with a slash behind it; empty for a Gateway.
    pub(crate) kind: String,
    /// The namespace of the object; `None` is the namespace of the route.
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

/// Settings by name, in the order of the names. The rows are added when the settings, or the classes of the cluster, are read; after
/// that they are only looked up. A row whose value is invalid may be missing, and its problem is an Error of the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named<T> {
    rows: Vec<(String, T)>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self { rows: Vec::new() }
    }
}

impl<T> Named<T> {
    pub(super) fn find(&self, name: &str) -> Result<usize, usize> {
        self.rows.binary_search_by(|(known, _)| known.as_str().cmp(name))
    }

    /// Adds a row. The name must be new, as the keys of a mapping are.
    pub(super) fn insert(&mut self, name: &str, value: T) {
        let (Ok(at) | Err(at)) = self.find(name);
        self.rows.insert(at, (name.to_owned(), value));
    }

    /// Adds a row, or replaces the row with this name.
    pub(super) fn set(&mut self, name: &str, value: T) {
        match self.find(name) {
            Ok(at) => {
                if let Some((_, known)) = self.rows.get_mut(at) {
                    *known = value;
                }
            }
            Err(_) => self.insert(name, value),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.at(self.find(name).ok()?).map(|(_, value)| value)
    }

    /// The row at a position.
    pub(crate) fn at(&self, position: usize) -> Option<(&str, &T)> {
        self.rows.get(position).map(|(name, value)| (name.as_str(), value))
    }

    /// The names next to this one in the order, as candidates for a did-you-mean that is not compared with thousands of names.
    pub(super) fn near(&self, name: &str) -> impl Iterator<Item = &str> {
        const NEIGHBOURS: usize = 32;
        let (Ok(place) | Err(place)) = self.find(name);
        let names = self.rows.iter().map(|(name, _)| name.as_str());
        names.take(place + NEIGHBOURS).skip(place.saturating_sub(NEIGHBOURS))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.rows.iter().map(|(name, value)| (name.as_str(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_state_of_an_intent_counts() {
        let mut values = IntentValues::default();
        let given = |value| Slot::Set(Sourced::new(IntentValue::Switch(value), Origin::BuiltIn));
        values.set(Intent::StripPrefix, given(true));
        values.set(Intent::TlsPassthrough, given(true));
        values.set(Intent::StripPrefix, given(false));
        let value = |intent| values.slot(intent).value().map(|it| it.value.clone());
        assert_eq!(value(Intent::StripPrefix), Some(IntentValue::Switch(false)));
        assert_eq!(value(Intent::TlsPassthrough), Some(IntentValue::Switch(true)));
        values.set(Intent::StripPrefix, Slot::Broken);
        assert!(matches!(values.slot(Intent::StripPrefix), Slot::Broken));
    }
}
