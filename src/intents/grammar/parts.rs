//! Values with several parts.

use super::{Read, Wrong, duration, is_not, list, meant_of, pairs, wrong};

/// The parts of a value: either lines `key: value` with known keys, or only the value of the first key.
pub(super) struct Parts<'t> {
    values: Vec<(&'static str, &'t str)>,
    problems: Vec<Wrong>,
}

impl<'t> Parts<'t> {
    pub(super) fn new(text: &'t str, keys: &'static [&'static str]) -> Self {
        let first = keys.first().copied().unwrap_or_default();
        let pairs = pairs(text);
        let begins_with_key = pairs.first().is_some_and(|(key, value)| {
            let is_word = |key: &str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphabetic());
            // `https://...` is the value of the first key.
            key.is_some_and(is_word) && !value.starts_with("//")
        });
        if !begins_with_key {
            return Self { values: vec![(first, text)], problems: Vec::new() };
        }
        let mut parts = Self { values: Vec::new(), problems: Vec::new() };
        for (key, value) in pairs {
            match keys.iter().find(|known| key == Some(**known)) {
                Some(key) if parts.values.iter().any(|(given, _)| given == key) => {
                    let problem = wrong(["the part `", key, "` is given twice"].concat(), "keep one of them");
                    parts.problem(problem);
                }
                Some(key) => parts.values.push((key, value)),
                None => {
                    let key = key.unwrap_or(value);
                    parts.problem(is_not(key, "a part of this value", &meant_of(key, keys)));
                }
            }
        }
        if parts.get(first).is_none() {
            let help = ["write ", first, ": and a value"].concat();
            parts.problem(wrong(["the part `", first, "` is missing"].concat(), &help));
        }
        parts
    }

    pub(super) fn problem(&mut self, problem: Read<()>) {
        self.problems.extend(problem.err());
    }

    /// Returns the part with a key.
    pub(super) fn get(&self, key: &str) -> Option<&'t str> {
        let given = self.values.iter().find(|(known, _)| *known == key);
        given.map(|(_, value)| *value).filter(|value| !value.is_empty())
    }

    /// Reads a part. Returns the default if the part is missing or invalid.
    pub(super) fn read<T: Default>(&mut self, key: &str, read: impl FnOnce(&str) -> Read<T>) -> T {
        match self.get(key).map(read) {
            None => T::default(),
            Some(Ok(value)) => value,
            Some(Err(wrong)) => {
                self.problems.push(wrong);
                T::default()
            }
        }
    }

    /// Reads a part that is a list.
    pub(super) fn list(
        &mut self,
        key: &'static str,
        what: &str,
        read: &dyn Fn(&str) -> Read<String>,
    ) -> Vec<String> {
        match self.get(key).map(|text| list(text, what, read)) {
            None => Vec::new(),
            Some(Ok(value)) => value,
            Some(Err(wrong)) => {
                self.problems.extend(wrong);
                Vec::new()
            }
        }
    }

    /// Reads a part that is a duration of whole seconds.
    pub(super) fn seconds(&mut self, key: &str) -> Option<u64> {
        self.read(key, |text| match duration(text)? {
            ms if ms % 1000 == 0 => Ok(Some(ms / 1000)),
            _ => is_not(text, "a number of whole seconds", "write whole seconds, such as 2s"),
        })
    }

    pub(super) fn done<T>(self, value: T) -> Result<T, Vec<Wrong>> {
        if self.problems.is_empty() { Ok(value) } else { Err(self.problems) }
    }
}
