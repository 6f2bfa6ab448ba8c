//! The translation of legacy keys to the keys that programs read today.

use std::borrow::Cow;

use super::monitor::MonitorRequest;
use super::{Annotation, Plan, Resolver};
use crate::diagnostics::{Code, Problem, quoted};
use crate::dialect::controller::Controller;
use crate::dialect::legacy::{Legacy, Migration, find, successor};
use crate::validation::parse_bool;
use crate::values::Target;

/// The legacy annotations that have no single successor: monitors and switches.
pub(super) struct Migrated {
    pub(super) monitor: MonitorRequest,
    pub(super) switches: Vec<Switch>,
    /// Whether the plan has another target than an Ingress.
    has_other_target: bool,
}

impl Migrated {
    pub(super) fn new(targets: &[Target]) -> Self {
        let has_other_target = targets.iter().any(|target| *target != Target::Ingress);
        Self { monitor: MonitorRequest::default(), switches: Vec::new(), has_other_target }
    }
}

/// A legacy annotation with a boolean value that a key with another value replaces today.
pub(super) struct Switch {
    given: Annotation,
    key: &'static str,
    value: &'static str,
}

/// The problem that a legacy key was translated to a current one.
pub(super) fn translated(old: &str, new: &str) -> Problem {
    let message = ["`", old, "` was translated to `", new, "`"].concat();
    Problem::new(Code::LegacyTranslated, message)
}

fn pair(key: &str, value: &str) -> String {
    format!("{key}: {value}")
}

impl Resolver<'_, '_> {
    /// Returns the current form of an annotation, from the block or from the settings; `row` is its row in the table of legacy
    /// keys. An annotation that became no annotation, or becomes one together with others, is added to `old`. `is_given` tells
    /// whether the same source gives a key.
    pub(super) fn migrate(
        &mut self,
        given: Annotation,
        row: Option<&Legacy>,
        is_given: &dyn Fn(&str) -> bool,
        old: &mut Migrated,
    ) -> Option<Annotation> {
        let Some(row) = row else { return Some(given) };
        // A key that is legacy for ingress-nginx may be current for another controller.
        if !self.controller.is_nginx() && self.controller.reads(&given.key) {
            return Some(given);
        }
        if !self.translates() {
            // An Ingress of ingress-nginx gets the line unchanged. Other objects do not, so the loss of a removed key is reported.
            let leaves_nginx = old.has_other_target || self.controller != Controller::IngressNginx;
            if leaves_nginx && matches!(row.migration, Migration::Removed { .. }) {
                self.report_migration(&given, row.migration);
            }
            return Some(given);
        }
        match row.migration {
            Migration::Monitor(field) => {
                self.monitor_field(&mut old.monitor, field, &given);
                return None;
            }
            Migration::MonitorOption(_) if self.monitor_option(&mut old.monitor, &given) => return None,
            Migration::Switch { key, value } => {
                old.switches.push(Switch { given, key, value });
                return None;
            }
            migration => self.report_migration(&given, migration),
        }
        if matches!(row.migration, Migration::Dropped(_)) {
            return None;
        }
        let Some(key) = successor(row, &given.key) else { return Some(given) };
        if is_given(&key) {
            self.file_shadowed(&given, &key);
            return None;
        }
        given.file_key(self.report, translated(&given.key, &key));
        Some(Annotation { key, ..given })
    }

    /// Writes the current keys of the switches that are on. A Service with TLS and gRPC had one switch for each, and one key
    /// replaces both.
    pub(super) fn apply_switches(&mut self, plan: &mut Plan, switches: Vec<Switch>) {
        let mut on: Vec<Switch> = Vec::new();
        for switch in switches {
            let Annotation { key, value, .. } = &switch.given;
            match parse_bool(value) {
                Some(true) => on.push(switch),
                Some(false) => {
                    let message = format!("{} has no effect, and was dropped", quoted(&pair(key, value)));
                    switch.given.file_key(self.report, Problem::new(Code::LegacyTranslated, message));
                }
                None => {
                    let message = format!("{} is {}, expected true or false", quoted(key), quoted(value));
                    let wanted = pair(switch.key, switch.value);
                    let problem = Problem::new(Code::BooleanInvalid, message)
                        .help(format!("write {wanted} if that is meant, or remove the line"));
                    switch.given.file_value(self.report, problem);
                }
            }
        }
        let Some(first) = on.first() else { return };
        let is_given = plan.annotations.iter().any(|known| known.key == first.key);
        let has = |wanted: &str| on.iter().any(|switch| switch.value == wanted);
        let value = if has("GRPC") && has("HTTPS") { "GRPCS" } else { first.value };
        for Switch { given, key, .. } in &on {
            if is_given {
                self.file_shadowed(given, key);
            } else {
                let old = pair(&given.key, &given.value);
                let message = format!("`{old}` was translated to `{}`", pair(key, value));
                given.file_key(self.report, Problem::new(Code::LegacyTranslated, message));
            }
        }
        if let Some(first) = on.into_iter().next().filter(|_| !is_given) {
            let (key, value) = (first.key.to_owned(), value.to_owned());
            plan.annotations.push(Annotation { key, value, ..first.given });
        }
    }

    /// The current key with the meaning of this key.
    pub(super) fn current_key<'k>(&self, key: &'k str) -> Cow<'k, str> {
        let is_read = self.controller != Controller::IngressNginx && self.controller.reads(key);
        match find(key).filter(|_| self.translates() && !is_read) {
            Some(Legacy { migration: Migration::Switch { key, .. }, .. }) => Cow::Borrowed(key),
            Some(row) => successor(row, key).map_or(Cow::Borrowed(key), Cow::Owned),
            None => Cow::Borrowed(key),
        }
    }

    fn file_shadowed(&mut self, old: &Annotation, new: &str) {
        let message = format!("{} is also given, and applies", quoted(new));
        let problem = Problem::new(Code::LegacyShadowed, message).help(format!("remove {}", old.key));
        old.file_key(self.report, problem);
    }

    /// Reports a key that has no successor.
    fn report_migration(&mut self, given: &Annotation, migration: Migration) {
        let key = || quoted(&given.key);
        let problem = match migration {
            Migration::Dropped(why) => {
                let message = format!("{} was dropped: {why}", key());
                Problem::new(Code::LegacyDropped, message).help("remove the line")
            }
            Migration::Dead(why) | Migration::MonitorOption(why) => {
                let message = format!("no current program reads {}: {why}", key());
                Problem::new(Code::LegacyDead, message).help("remove the line, and use its replacement")
            }
            Migration::Removed { why, help } => {
                let message = format!("ingress-nginx no longer reads {}: {why}", key());
                Problem::new(Code::LegacyDead, message).help(help)
            }
            Migration::Renamed(_)
            | Migration::Moved(_)
            | Migration::Class
            | Migration::Monitor(_)
            | Migration::Switch { .. } => return,
        };
        given.file_key(self.report, problem);
    }
}
