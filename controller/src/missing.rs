//! Kinds that the settings ask for and that cannot be written, because the cluster does not serve them or the roles do not permit
//! it: one log line for each kind.

use std::collections::{BTreeMap, BTreeSet};
use xposer_live::kinds::Kind;

use crate::notice::Notice;
use crate::watch::KindStatus;

/// The last log lines about kinds that cannot be written.
#[derive(Debug, Default)]
pub(crate) struct MissingKinds {
    reported: BTreeMap<Kind, String>,
}

impl MissingKinds {
    /// Returns the lines about the kinds in `requested` that cannot be written, each once until it changes.
    pub(crate) fn take_unreported(
        &mut self,
        requested: &BTreeSet<Kind>,
        status: impl Fn(Kind) -> KindStatus,
    ) -> Vec<String> {
        let mut unreported = Vec::new();
        self.reported.retain(|kind, _| requested.contains(kind));
        for kind in requested {
            let status = status(*kind);
            let Some(Notice { note, .. }) = Notice::kind_status(*kind, &status) else {
                if status == KindStatus::Listed {
                    self.reported.remove(kind);
                }
                continue;
            };
            let line = format!("the settings ask for a kind that cannot be written, {kind}: {note}");
            if self.reported.get(kind) != Some(&line) {
                self.reported.insert(*kind, line.clone());
                unreported.push(line);
            }
        }
        unreported
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use xposer::Settings;

    use super::*;

    fn requested() -> BTreeSet<Kind> {
        let external = json!({"target": "HTTPRoute", "parentRefs": [{"name": "external"}]});
        let settings = json!({"domain": "example.com", "monitor": true, "profiles": {"external": external}});
        Settings::tried(&settings).unwrap().kinds()
    }

    #[test]
    fn missing_kind_is_logged_once_with_its_component() {
        let mut missing = MissingKinds::default();
        let status = |kind| match kind {
            Kind::HttpRoute => KindStatus::Forbidden("httproutes is forbidden".to_owned()),
            Kind::Ingress => KindStatus::Listed,
            // The settings do not ask for the other kinds.
            _ => KindStatus::NotServed,
        };
        assert_eq!(
            missing.take_unreported(&requested(), status),
            [
                "the settings ask for a kind that cannot be written, HTTPRoute: no permission to list httproutes; add the \
                 component `httproute` of deploy/controller, or set `targets.httpRoute: true` in the values of the chart \
                 (httproutes is forbidden)",
                "the settings ask for a kind that cannot be written, EndpointMonitor: this cluster has no EndpointMonitor; \
                 install its definition, or remove the target; for the permission, add the component `monitor` of \
                 deploy/controller, or set `targets.endpointMonitor: true` in the values of the chart",
            ]
        );
        assert!(missing.take_unreported(&requested(), status).is_empty());
        // It can be written in the meantime.
        assert!(missing.take_unreported(&requested(), |_| KindStatus::Listed).is_empty());
        assert_eq!(missing.take_unreported(&requested(), status).len(), 2);
    }

    #[test]
    fn missing_kinds_are_not_logged_before_they_are_known() {
        let mut missing = MissingKinds::default();
        assert!(missing.take_unreported(&requested(), |_| KindStatus::Unknown).is_empty());
        assert!(missing.take_unreported(&BTreeSet::new(), |_| KindStatus::NotServed).is_empty());
    }
}
