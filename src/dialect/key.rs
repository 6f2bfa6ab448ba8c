//! The rows of the tables of the dialects: the properties of keys and of programs.

use std::borrow::Cow;

pub(crate) use super::form::{
    ADDRESSES, Form, LOOSE_URL, PATH, Shape, Text, URL, has, is_addresses, is_list_of_addresses, is_of,
};
use crate::intents::EVERYBODY;
pub(crate) use crate::intents::Loss;
use crate::validation::pattern::matches;
use crate::validation::{is_dns_label, parse_bool};
use crate::values::Target;

/// The value with which a key has the same effect as if it were absent. An empty value always has this effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NeutralValue {
    /// No value.
    Never,
    /// A false boolean.
    False,
    /// A true boolean.
    True,
    /// The number 0, with or without a unit.
    Zero,
    /// This word.
    Word(&'static &'static str),
    /// A list that contains all addresses.
    AllAddresses,
    /// Plain HTTP to the backend.
    HttpBackend,
    /// Entry points that everybody can reach, recognized by their usual names.
    PublicEntryPoints,
    /// A list with one of these words, which are separated by spaces.
    Listed(&'static &'static str),
    /// Any text without this word.
    TextWithout(&'static &'static str),
}

impl NeutralValue {
    /// Whether a key with this value has no effect.
    pub(crate) fn is(self, value: &str) -> bool {
        let value = value.trim();
        let is_word = |word: &str| value.eq_ignore_ascii_case(word);
        value.is_empty()
            || match self {
                Self::Never => false,
                Self::False => parse_bool(value) == Some(false),
                Self::True => parse_bool(value) == Some(true),
                Self::Zero => value.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse() == Ok(0_u64),
                Self::Word(word) => is_word(word),
                Self::AllAddresses => value.split([',', ' ']).any(|range| range == EVERYBODY),
                Self::PublicEntryPoints => {
                    value.split(',').map(|word| word.trim().replace('-', "")).all(|word| {
                        ["web", "websecure", "http", "https"]
                            .iter()
                            .any(|known| word.eq_ignore_ascii_case(known))
                    })
                }
                Self::Listed(words) => value.split(',').any(|item| has(words, item.trim())),
                Self::TextWithout(word) => !value.contains(*word),
                Self::HttpBackend => is_word("HTTP") || is_word("AUTO_HTTP"),
            }
    }
}

/// A feature of another target that has the same effect as a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NativeFeature {
    /// No feature.
    None,
    /// A redirect of requests without TLS to https.
    Redirect,
    /// TLS passthrough to the Service.
    Passthrough,
    /// A path that is compared as a regular expression.
    Pattern,
    /// TLS on the connection to the Service.
    Reencrypt,
}

/// What a program does with a value that it does not accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnInvalid {
    /// It does not configure the Ingress.
    Refused,
    /// It answers every request with 503.
    Denied,
    /// It ignores the line silently, and uses a default.
    Ignored,
    /// It reads the value as false.
    False,
    /// It reads the value as 0.
    Zero,
    /// It ignores the items of the list that have another form, and uses the others.
    SkipsItems,
    /// It uses a default that admits everybody.
    AdmitsAll,
    /// It drops the whole feature to which the key belongs.
    DropsFeature,
}

/// What a value refers to outside of the Service: objects, possibly of another namespace, or text of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueReference {
    /// Nothing outside of the Service.
    Nothing,
    /// Text of the configuration, which can be anything.
    Configuration,
    /// The name of an object, optionally after its namespace and a slash. Commas separate several objects.
    Named,
    /// The name of an object, optionally after its namespace and a colon. Commas separate several objects. A namespace needs a
    /// permission even if it is that of the Service.
    AfterColon,
    /// Only the namespace of an object.
    Namespace,
    /// The namespace of an object, `-`, its name, `@` and the name of a provider. Commas separate several objects.
    NamespaceAndName,
}

impl ValueReference {
    /// Returns the namespace of an object that a value names, if it is not `own`. For [`ValueReference::NamespaceAndName`], the name of the object
    /// is included, because namespaces and names may contain the `-` between them.
    pub(crate) fn other_namespace<'v>(self, value: &'v str, own: &str) -> Option<&'v str> {
        let is_own = |item: &str| item.strip_prefix(own).is_some_and(|rest| rest.starts_with('-'));
        value.split(',').map(str::trim).find_map(|item| match self {
            Self::Nothing | Self::Configuration => None,
            Self::Named => Some(item.split_once('/')?.0).filter(|other| *other != own && is_dns_label(other)),
            Self::AfterColon => Some(item.split_once(':')?.0).filter(|other| is_dns_label(other)),
            Self::Namespace => Some(item).filter(|other| !other.is_empty() && *other != own),
            Self::NamespaceAndName => Some(item.strip_suffix("@kubernetescrd")?).filter(|item| !is_own(item)),
        })
    }
}

/// The reason why a value does not fit a key.
#[derive(Debug)]
pub(crate) struct InvalidValue {
    /// The description of the expected form.
    pub(crate) expected: String,
    /// What the program does with the value.
    pub(crate) on_invalid: OnInvalid,
    /// Whether the expected form is one for text, and not another type.
    pub(crate) is_text: bool,
}

/// One key of a program, or a pattern for keys that its versions may have. There are hundreds of rows, so rare properties are
/// behind a reference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// The key without its prefix; `*` stands for any text.
    pub(crate) name: &'static str,
    /// The form of its value; `None` if the value is not checked.
    pub(crate) shape: Option<Shape>,
    /// What the program does with a value of another form.
    pub(crate) on_invalid: OnInvalid,
    /// What is lost if no program reads the key.
    pub(crate) loss: Loss,
    /// The value with which the key has no effect.
    pub(crate) neutral: NeutralValue,
    /// The feature of another target that has the same effect.
    pub(crate) native: NativeFeature,
    /// Without at least one of these keys, this one has no effect. One with a slash is written with its prefix.
    pub(crate) needs: &'static &'static [&'static str],
    /// What the value refers to outside of the Service.
    pub(crate) references: ValueReference,
}

const NOTHING: &[&str] = &[];

/// Returns a row for a key that protects nothing.
pub(crate) const fn key(name: &'static str) -> Key {
    Key {
        name,
        shape: None,
        on_invalid: OnInvalid::Ignored,
        loss: Loss::Nothing,
        neutral: NeutralValue::Never,
        native: NativeFeature::None,
        needs: &NOTHING,
        references: ValueReference::Nothing,
    }
}

impl Key {
    pub(super) const fn shape(self, shape: Shape) -> Self {
        Self { shape: Some(shape), ..self }
    }

    pub(super) const fn text(self, text: &'static Text) -> Self {
        self.shape(Shape::Text(text))
    }

    pub(super) const fn on_invalid(self, on_invalid: OnInvalid) -> Self {
        Self { on_invalid, ..self }
    }

    pub(super) const fn protects(self) -> Self {
        Self { loss: Loss::Protection, ..self }
    }

    pub(super) const fn hardens(self) -> Self {
        Self { loss: Loss::Hardening, ..self }
    }

    /// Without the key, requests are answered differently.
    pub(super) const fn changes_answers(self) -> Self {
        Self { loss: Loss::Behavior, ..self }
    }

    /// The key redirects requests without TLS to https.
    pub(super) const fn redirects(self) -> Self {
        self.protects().native(NativeFeature::Redirect)
    }

    pub(super) const fn neutral(self, neutral: NeutralValue) -> Self {
        Self { neutral, ..self }
    }

    pub(super) const fn native(self, native: NativeFeature) -> Self {
        Self { native, ..self }
    }

    pub(super) const fn needs(self, needs: &'static &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }

    pub(super) const fn references(self, holds: ValueReference) -> Self {
        Self { references: holds, ..self }
    }

    /// Whether the key has an effect with this value, and more people can reach the Service without it.
    pub(crate) fn protects_with(&self, value: &str) -> bool {
        self.loss == Loss::Protection && !self.neutral.is(value)
    }

    /// Whether the key names only entry points that not everybody can reach.
    pub(crate) fn hides_with(&self, value: &str) -> bool {
        matches!(self.neutral, NeutralValue::PublicEntryPoints)
            && !value.split(',').any(|name| self.neutral.is(name))
    }

    /// Returns why a value does not fit; `None` if it fits, or if the program reads it as the false that it is.
    pub(crate) fn invalid_value(&self, value: &str) -> Option<InvalidValue> {
        let is_false = self.on_invalid == OnInvalid::False && NeutralValue::False.is(value);
        let shape = self.shape.filter(|shape| !shape.fits(value) && !is_false)?;
        let (expected, on_invalid, is_text) = match shape {
            Shape::Both((first, second, on_invalid)) if first.fits(value) => {
                (second.describe(), *on_invalid, true)
            }
            Shape::Both((first, ..)) => (first.describe(), self.on_invalid, matches!(first, Shape::Text(_))),
            shape => (shape.describe(), self.on_invalid, matches!(shape, Shape::Text(_))),
        };
        Some(InvalidValue { expected, on_invalid, is_text })
    }
}

/// Which of the keys under the prefixes of a program are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KnownNames {
    /// All keys. No other program has keys there.
    All,
    /// The keys of the program, or at least the protecting ones and those with similar names. There are other keys, too.
    Own,
    /// Only the protecting keys.
    Protecting,
}

/// The two places to which a line has to be moved if its key is read elsewhere.
pub(super) const TO_SERVICE: &str = "to the annotations of the Service";
pub(super) const TO_CONFIG_MAP: &str = "into the ConfigMap of the controller";

/// What a program does with an object of another namespace that a value names. The text is the end of a sentence.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CrossNamespace {
    /// It uses the object, so whoever writes the line gets access to objects of other namespaces.
    Uses(&'static str),
    /// It does not use the object, and denies access to those whom the object would deny it.
    Refuses(&'static str),
    /// It does not use the object, and serves the Service without it.
    Ignores(&'static str),
}

/// The objects on which the keys of a program are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadOn {
    /// Only on an Ingress.
    Ingress,
    /// On an Ingress and on this target.
    And(Target),
    /// Also on other objects, so the keys are passed on to every target.
    Everywhere,
}

/// A program whose keys are known.
#[derive(Debug)]
pub(crate) struct Program {
    /// Its name and version, as they are written in a sentence.
    pub(crate) name: &'static str,
    /// The prefixes of its keys.
    pub(crate) prefixes: &'static [&'static str],
    /// Other prefixes under which keys with these names have, or once had, the same effect.
    pub(super) aliases: &'static [&'static str],
    /// The keys about which more than the name is known, in ascending order of their names.
    pub(super) keys: &'static [Key],
    /// The names of its other keys, separated by spaces.
    pub(super) names_only: &'static str,
    /// Forms of values, what the program does with other values, and the names of the keys with the form, separated by spaces.
    pub(super) keys_by_form: &'static [(Shape, OnInvalid, &'static str)],
    /// The names of keys that it writes, or that it reads on other objects than an Ingress.
    pub(super) not_read: &'static str,
    /// The names of keys that it reads only elsewhere, each list after the place to which a line has to be moved.
    pub(super) elsewhere: &'static [(&'static str, &'static str)],
    /// Whether it refuses an Ingress that has a key without the key that this one needs.
    pub(crate) refuses_alone: bool,
    pub(super) names: KnownNames,
    /// Whether it reads its keys in any letter case.
    pub(super) any_case: bool,
    pub(super) read_on: ReadOn,
    /// What it does with an object of another namespace that a value names.
    pub(crate) cross_namespace: CrossNamespace,
    /// Whether a value that names an object may name a file of the controller in its place, by `file://`.
    pub(super) reads_files: bool,
    /// The beginnings of keys that are read on an Ingress but not on a Service.
    pub(super) ingress_prefixes: &'static [&'static str],
    /// The names of keys that are read on an Ingress but not on a Service, although others of its keys are.
    pub(super) on_ingress: &'static str,
    /// The beginnings of keys that are read on the Service.
    pub(super) service_prefixes: &'static [&'static str],
}

impl Program {
    pub(super) const fn new(
        name: &'static str,
        prefixes: &'static [&'static str],
        names: KnownNames,
        keys: &'static [Key],
    ) -> Self {
        Self {
            name,
            prefixes,
            aliases: &[],
            keys,
            names_only: "",
            keys_by_form: &[],
            not_read: "",
            elsewhere: &[],
            refuses_alone: false,
            names,
            any_case: false,
            read_on: ReadOn::Ingress,
            cross_namespace: CrossNamespace::Uses("the controller uses without checking its owner"),
            reads_files: false,
            ingress_prefixes: &[],
            on_ingress: "",
            service_prefixes: &[],
        }
    }

    pub(super) const fn reach(self, reach: ReadOn) -> Self {
        Self { read_on: reach, ..self }
    }

    /// Returns the names of its keys, without patterns and in no particular order.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<&'static str> = self.keys.iter().map(|key| key.name).collect();
        let mut add = |list: &'static str| {
            names.extend(list.split_ascii_whitespace());
            false
        };
        self.lists(&mut add);
        add(self.not_read);
        self.elsewhere.iter().for_each(|(_, names)| _ = add(names));
        names.retain(|name| !name.contains('*'));
        names
    }

    /// Whether a function returns true for one of the lists of keys that have no row.
    fn lists(&self, is_it: &mut dyn FnMut(&'static str) -> bool) -> bool {
        is_it(self.names_only) || self.keys_by_form.iter().any(|(_, _, names)| is_it(names))
    }

    /// Whether no other program is known to have keys under its prefixes.
    pub(crate) fn is_closed(&self) -> bool {
        self.names == KnownNames::All
    }

    /// Whether it has a key of this name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        let name = self.cased(name);
        self.reads(&name) || has(self.not_read, &name) || self.place_of(&name).is_some()
    }

    /// Whether a key is read on an Ingress but not on a Service.
    pub(super) fn is_for_ingress(&self, key: &str) -> bool {
        let is_named = || {
            let mut names = self.prefixes.iter().filter_map(|prefix| key.strip_prefix(prefix));
            names.any(|name| has(self.on_ingress, name))
        };
        self.ingress_prefixes.iter().any(|start| key.starts_with(start)) || is_named()
    }

    /// Returns where a line with a key has to be moved, if the key is not read on an object that exposes a Service.
    pub(crate) fn place_of(&self, name: &str) -> Option<&'static str> {
        let name = &*self.cased(name);
        self.elsewhere.iter().find(|(_, names)| has(names, name)).map(|(place, _)| *place)
    }

    /// Whether it reads a key of this name on an Ingress.
    pub(super) fn reads(&self, name: &str) -> bool {
        self.row(name).is_some() || self.lists(&mut |names| has(names, name))
    }

    /// Returns the row for a name: the row of the key itself, or the first pattern that matches.
    pub(crate) fn find(&self, name: &str) -> Option<&'static Key> {
        let name = &*self.cased(name);
        let is_pattern = |known: &&Key| known.name.contains('*') && matches(known.name, name);
        self.row(name).or_else(|| self.keys.iter().find(is_pattern))
    }

    /// Returns all that is known about a key of this name, including the form of its value.
    pub(crate) fn known(&self, name: &str) -> Option<Key> {
        let name = &*self.cased(name);
        let row = self.find(name).copied();
        let formed = self.keys_by_form.iter().find(|(.., names)| has(names, name));
        match formed.filter(|_| row.is_none_or(|row| row.shape.is_none())) {
            Some((shape, on_invalid, _)) => {
                Some(row.unwrap_or(key("")).shape(*shape).on_invalid(*on_invalid))
            }
            None => row,
        }
    }

    /// Whether the letter case of its keys is ignored.
    pub(super) const fn is_any_case(&self) -> bool {
        self.any_case
    }

    /// Returns a name in the letter case of the tables.
    fn cased<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if self.any_case { name.to_ascii_lowercase().into() } else { name.into() }
    }

    /// Returns the row of exactly this name.
    pub(super) fn row(&self, name: &str) -> Option<&'static Key> {
        self.keys.get(self.keys.binary_search_by(|known| known.name.cmp(name)).ok()?)
    }

    /// Returns the name of a key without one of the prefixes or aliases of this program.
    pub(crate) fn name_of<'k>(&self, key: &'k str) -> Option<&'k str> {
        self.prefixes.iter().chain(self.aliases).find_map(|prefix| key.strip_prefix(prefix))
    }

    /// Whether this is one of the prefixes of its keys, written without the slash.
    pub(crate) fn has_prefix(&self, prefix: &str) -> bool {
        has_with_slash(self.prefixes, prefix)
    }

    pub(super) fn has_alias(&self, prefix: &str) -> bool {
        has_with_slash(self.aliases, prefix)
    }
}

/// Whether a list has a prefix that is written here without its slash. This runs for every line and every program, so the lengths
/// are compared first.
fn has_with_slash(list: &[&str], prefix: &str) -> bool {
    list.iter().any(|it| it.len() == prefix.len() + 1 && it.ends_with('/') && it.starts_with(prefix))
}
