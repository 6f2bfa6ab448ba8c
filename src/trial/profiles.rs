//! The rows of `namespaces` whose namespaces may not have the profile that the settings give to them.

use super::{EVERYWHERE, Trial};
use crate::diagnostics::{Code, FieldPath, Problem, quoted};
use crate::options::{Namespace, Profile};
use crate::validation::pattern::Patterns;

impl Trial<'_> {
    /// Reports a row whose profile its namespace may not choose.
    pub(super) fn profile_of(&mut self, pattern: &str, row: &Namespace, profile: &Profile) {
        let Some(named) = row.layer.profile.value() else { return };
        if pattern.contains('*') || profile.is_for(pattern) {
            return;
        }
        let message = format!(
            "the profile {} is not allowed in the namespace {}",
            quoted(&named.value),
            quoted(pattern)
        );
        let help = format!("add {pattern} to the list namespaces of the profile, or choose another profile");
        self.report.file(named.origin.path(), Problem::new(Code::ProfileForbidden, message).help(help));
    }

    /// Reports a row without a profile if its namespace may choose neither the default profile nor another one.
    pub(super) fn no_profile_for(&mut self, pattern: &str) {
        let settings = self.settings;
        let Some(named) = settings.base.profile.value().filter(|_| !pattern.contains('*')) else { return };
        if settings.profiles.get(&named.value).is_none_or(|profile| profile.is_for(pattern))
            || self.has_profile_for(pattern)
        {
            return;
        }
        let name = quoted(&named.value);
        let message =
            format!("the default profile {name} is not allowed in the namespace {}", quoted(pattern));
        let message = format!("{message}, and no other profile is, so no Service in it can be exposed");
        let help = format!("add {pattern} to the list namespaces of the profile, or remove this row");
        let path = FieldPath::setting("namespaces").key(pattern.to_owned());
        self.report.file(path, Problem::new(Code::ProfileForbidden, message).help(help));
    }

    /// Whether a namespace may choose any profile.
    fn has_profile_for(&mut self, pattern: &str) -> bool {
        let profiles = &self.settings.profiles;
        let allowed = self.allowed.get_or_insert_with(|| {
            let lists: Option<Vec<_>> =
                profiles.iter().map(|(_, profile)| profile.namespaces.as_ref()).collect();
            let all = lists.map(|lists| lists.into_iter().flat_map(Patterns::iter).map(str::to_owned));
            all.map_or_else(|| vec![EVERYWHERE.to_owned()], Iterator::collect::<Vec<_>>).into()
        });
        allowed.fit(pattern)
    }
}
