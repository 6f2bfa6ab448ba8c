//! What is known of a key and of a program: the rows of the tables of this room.

use std::borrow::Cow;

pub(crate) use super::form::{
    ADDRESSES, Form, LOOSE_URL, PATH, Shape, Text, URL, has, is_addresses, is_list_of_addresses, is_of,
};
use crate::intents::EVERYBODY;
pub(crate) use crate::intents::Loss;
use crate::validation::pattern::matches;
use crate::validation::{is_dns_label, parse_bool};
use crate::values::Target;

/// The value with which a key has the same effect as if it were missing. An empty value always has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idle {
    /// There is none.
    Never,
    /// A false boolean.
    False,
    /// A true boolean.
    True,
    /// 0, also with a unit.
    Zero,
    /// This word.
    Word(&'static &'static str),
    /// A list that contains all addresses.
    Everyone,
    /// Plain HTTP to the backend.
    Plain,
    /// Entry points that everybody reaches, by the names that most people give them.
    Public,
}

impl Idle {
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
                Self::Word(idle) => is_word(idle),
                Self::Everyone => value.split([',', ' ']).any(|range| range == EVERYBODY),
                Self::Public => value.split(',').map(|word| word.trim().replace('-', "")).all(|word| {
                    ["web", "websecure", "http", "https"].iter().any(|known| word.eq_ignore_ascii_case(known))
                }),
                Self::Plain => is_word("HTTP") || is_word("AUTO_HTTP"),
            }
    }
}

/// A feature of another target that has the same effect as a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Same {
    /// There is none.
    None,
    /// It sends requests without TLS to https.
    Redirect,
    /// It passes TLS through to the Service.
    Passthrough,
    /// It compares the path with a regular expression.
    Pattern,
    /// It speaks TLS to the Service.
    Reencrypt,
}

/// What a program does with a value that it does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    /// It does not configure the Ingress.
    Refused,
    /// It answers every request with 503.
    Denied,
    /// It ignores the line in silence, and takes a default.
    Ignored,
    /// It takes it for false.
    False,
    /// It takes it for 0.
    Zero,
    /// It ignores the items of the list that have another form, and takes the rest.
    Parted,
    /// It takes a default that lets everybody in.
    Opened,
    /// It leaves out everything that the keys around it say.
    Dropped,
}

/// What a value has that is of others than the Service: objects, perhaps of another namespace, or text of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Nothing of the kind.
    Nothing,
    /// Text of the configuration, which can be anything.
    Configuration,
    /// An object by its name, perhaps with its namespace and a slash before it. There may be several, with commas between them.
    Named,
    /// An object by its namespace alone.
    Namespace,
    /// An object by its namespace, `-`, its name, `@` and the word for a kind of provider. There may be several, with commas between them.
    Joined,
}

impl Holds {
    /// Another namespace than this one, of which a value names an object.
    pub(crate) fn elsewhere<'v>(self, value: &'v str, own: &str) -> Option<&'v str> {
        let is_own = |item: &str| item.strip_prefix(own).is_some_and(|rest| rest.starts_with('-'));
        value.split(',').map(str::trim).find_map(|item| match self {
            Self::Nothing | Self::Configuration => None,
            Self::Named => Some(item.split_once('/')?.0).filter(|other| *other != own && is_dns_label(other)),
            Self::Namespace => Some(item).filter(|other| !other.is_empty() && *other != own),
            Self::Joined => Some(item.strip_suffix("@kubernetescrd")?).filter(|item| !is_own(item)),
        })
    }
}

/// Why a value does not fit a key.
#[derive(Debug)]
pub(crate) struct Misfit {
    /// The expected form, in words.
    pub(crate) expected: String,
    /// What is done with the value.
    pub(crate) bad: Bad,
    /// Whether it is a text of its own form, and not a value of another type.
    pub(crate) is_text: bool,
}

/// One key of a program, or a pattern for keys that versions of it may have. There are hundreds: what few have is behind a reference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// The key without its prefix; `*` stands for any text.
    pub(crate) name: &'static str,
    /// The form of its value; `None` where that is not checked.
    pub(crate) shape: Option<Shape>,
    /// What is done with a value of another form.
    pub(crate) bad: Bad,
    /// What is lost where nothing reads the key.
    pub(crate) loss: Loss,
    /// The value with which the key has no effect.
    pub(crate) idle: Idle,
    /// What another target does that has the same effect.
    pub(crate) same: Same,
    /// Without one of these keys, this one has no effect.
    pub(crate) needs: &'static &'static [&'static str],
    /// What its value has that is of others than the Service.
    pub(crate) holds: Holds,
}

const NOTHING: &[&str] = &[];

/// A key that protects nothing.
pub(crate) const fn key(name: &'static str) -> Key {
    Key {
        name,
        shape: None,
        bad: Bad::Ignored,
        loss: Loss::Nothing,
        idle: Idle::Never,
        same: Same::None,
        needs: &NOTHING,
        holds: Holds::Nothing,
    }
}

impl Key {
    pub(super) const fn shape(self, shape: Shape) -> Self {
        Self { shape: Some(shape), ..self }
    }

    pub(super) const fn text(self, text: &'static Text) -> Self {
        self.shape(Shape::Text(text))
    }

    pub(super) const fn bad(self, bad: Bad) -> Self {
        Self { bad, ..self }
    }

    pub(super) const fn protects(self) -> Self {
        Self { loss: Loss::Protects, ..self }
    }

    pub(super) const fn weakens(self) -> Self {
        Self { loss: Loss::Weakens, ..self }
    }

    /// Without it, requests are answered in another way.
    pub(super) const fn needed(self) -> Self {
        Self { loss: Loss::Needed, ..self }
    }

    /// It sends requests without TLS to https.
    pub(super) const fn redirects(self) -> Self {
        self.protects().same(Same::Redirect)
    }

    pub(super) const fn idle(self, idle: Idle) -> Self {
        Self { idle, ..self }
    }

    pub(super) const fn same(self, same: Same) -> Self {
        Self { same, ..self }
    }

    pub(super) const fn needs(self, needs: &'static &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }

    pub(super) const fn holds(self, holds: Holds) -> Self {
        Self { holds, ..self }
    }

    /// Whether the key has an effect with this value and a Service is exposed to more people without it.
    pub(crate) fn guards(&self, value: &str) -> bool {
        self.loss == Loss::Protects && !self.idle.is(value)
    }

    /// Why a value does not fit, if it does not.
    pub(crate) fn misfit(&self, value: &str) -> Option<Misfit> {
        let shape = self.shape.filter(|shape| !shape.fits(value))?;
        let (expected, bad, is_text) = match shape {
            Shape::Both((first, second, bad)) if first.fits(value) => (second.describe(), *bad, true),
            Shape::Both((first, ..)) => (first.describe(), self.bad, matches!(first, Shape::Text(_))),
            shape => (shape.describe(), self.bad, matches!(shape, Shape::Text(_))),
        };
        Some(Misfit { expected, bad, is_text })
    }
}

/// How much of the keys under a program's prefixes is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// All of them: nobody else has keys there.
    All,
    /// Those of the program, or at least those that protect and those whose names are near to them; there are others, too.
    Own,
    /// Only those that protect.
    Protecting,
}

/// What a program does with an object of another namespace that a value names: the end of a sentence.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Elsewhere {
    /// It uses the object, so that whoever writes the line reaches what belongs to others.
    Uses(&'static str),
    /// It uses none, and keeps out whom the object would keep out.
    Refuses(&'static str),
    /// It uses none, and serves the Service without it.
    PassesOver(&'static str),
}

/// Where the keys of a program are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// On an Ingress alone.
    Ingress,
    /// On an Ingress and on this target.
    And(Target),
    /// On other objects as well, so that they are passed on everywhere.
    Everywhere,
}

/// A program whose keys are known.
#[derive(Debug)]
pub(crate) struct Program {
    /// Its name and version, as they stand in a sentence.
    pub(crate) name: &'static str,
    /// The prefixes of its keys.
    pub(crate) prefixes: &'static [&'static str],
    /// Other prefixes, under which keys of these names have the same effect, or had it once.
    pub(super) aliases: &'static [&'static str],
    /// The keys of which more is known than their names, in ascending order of these.
    pub(super) keys: &'static [Key],
    /// The names of its other keys, with blanks between them.
    pub(super) plain: &'static str,
    /// The forms of values, what is done with others, and the names of the keys that have them, with blanks between these.
    pub(super) formed: &'static [(Shape, Bad, &'static str)],
    /// The names of keys that it writes, or reads on other objects than an Ingress.
    pub(super) unread: &'static str,
    pub(super) names: Names,
    /// Whether it reads its names in any letter case.
    pub(super) any_case: bool,
    pub(super) reach: Reach,
    /// What it does with an object of another namespace that a value names.
    pub(crate) elsewhere: Elsewhere,
    /// The beginnings of keys that are read on an Ingress and on no Service.
    pub(super) beside: &'static [&'static str],
    /// The beginnings of keys that are read on the Service.
    pub(super) on_service: &'static [&'static str],
}

impl Program {
    pub(super) const fn new(
        name: &'static str,
        prefixes: &'static [&'static str],
        names: Names,
        keys: &'static [Key],
    ) -> Self {
        Self {
            name,
            prefixes,
            aliases: &[],
            keys,
            plain: "",
            formed: &[],
            unread: "",
            names,
            any_case: false,
            reach: Reach::Ingress,
            elsewhere: Elsewhere::Uses("the controller uses, whoever it belongs to"),
            beside: &[],
            on_service: &[],
        }
    }

    pub(super) const fn reach(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// The names of its keys without patterns, in no order.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<&'static str> = self.keys.iter().map(|key| key.name).collect();
        let mut add = |list: &'static str| {
            names.extend(list.split_ascii_whitespace());
            false
        };
        self.lists(&mut add);
        add(self.unread);
        names.retain(|name| !name.contains('*'));
        names
    }

    /// Whether something is so for one of the lists of the names of keys without a row.
    fn lists(&self, is_it: &mut dyn FnMut(&'static str) -> bool) -> bool {
        is_it(self.plain) || self.formed.iter().any(|(_, _, names)| is_it(names))
    }

    /// Whether nobody else is known to have keys under its prefixes.
    pub(crate) fn is_closed(&self) -> bool {
        self.names == Names::All
    }

    /// Whether it has a key of this name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        let name = self.cased(name);
        self.reads(&name) || has(self.unread, &name)
    }

    /// Whether it reads a key of this name on an Ingress.
    pub(super) fn reads(&self, name: &str) -> bool {
        self.exact(name).is_some() || self.lists(&mut |names| has(names, name))
    }

    /// The row for a name: that of the key itself, or of the first pattern that fits.
    pub(crate) fn find(&self, name: &str) -> Option<&'static Key> {
        let name = &*self.cased(name);
        let is_pattern = |known: &&Key| known.name.contains('*') && matches(known.name, name);
        self.exact(name).or_else(|| self.keys.iter().find(is_pattern))
    }

    /// All that is known of a key of this name, with the form of its value.
    pub(crate) fn known(&self, name: &str) -> Option<Key> {
        let row = self.find(name).copied();
        let formed = self.formed.iter().find(|(.., names)| has(names, name));
        match formed.filter(|_| row.is_none_or(|row| row.shape.is_none())) {
            Some((shape, bad, _)) => Some(row.unwrap_or(key("")).shape(*shape).bad(*bad)),
            None => row,
        }
    }

    /// Whether the letter case of the names does not count.
    pub(super) const fn is_any_case(&self) -> bool {
        self.any_case
    }

    /// A name in the letter case of the tables.
    fn cased<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if self.any_case { name.to_ascii_lowercase().into() } else { name.into() }
    }

    fn exact(&self, name: &str) -> Option<&'static Key> {
        self.keys.get(self.keys.binary_search_by(|known| known.name.cmp(name)).ok()?)
    }

    /// The name of a key behind one of the prefixes of this program, or one of their aliases.
    pub(super) fn name_of<'k>(&self, key: &'k str) -> Option<&'k str> {
        self.prefixes.iter().chain(self.aliases).find_map(|prefix| key.strip_prefix(prefix))
    }

    /// Whether this is one of the prefixes of its keys, without the slash.
    pub(crate) fn has_prefix(&self, prefix: &str) -> bool {
        self.prefixes.iter().any(|known| known.strip_suffix('/') == Some(prefix))
    }

    pub(super) fn has_alias(&self, prefix: &str) -> bool {
        self.aliases.iter().any(|known| known.strip_suffix('/') == Some(prefix))
    }
}
