//! The annotations and paths for Contour.

use std::borrow::Cow;

use crate::dialect::gateway::regex::{behind_slash, takes_the_rest};
use crate::dialect::write::{WrittenAnnotation, intents, redirect, text};
use crate::intents::IntentValue;
use crate::plan::{Plan, Route};
use crate::validation::PathType;
use crate::values::Target;

/// The annotation that redirects requests without TLS to https, if its value is exactly `true`.
const REDIRECT: &str = "ingress.kubernetes.io/force-ssl-redirect";
/// The annotation with the timeout of a request.
const TIMEOUT: &str = "projectcontour.io/response-timeout";

pub(in crate::dialect) fn write(plan: &Plan, target: Target) -> Vec<WrittenAnnotation<'_>> {
    let mut written = intents(plan, target, |_, intent_value| match intent_value {
        IntentValue::Duration(0) => vec![(TIMEOUT, "infinity".into())],
        IntentValue::Duration(_) => vec![(TIMEOUT, text(intent_value))],
        _ => Vec::new(),
    });
    let origin = redirect(plan);
    written.extend(origin.map(|origin| WrittenAnnotation { key: REDIRECT, value: "true".into(), origin }));
    written
}

/// Returns the path of a route that is a regular expression. Contour compares it with the whole path (RE2), and the letter case
/// matters; ingress-nginx compares it with the beginning of the path, in any letter case. Contour reads a path without any of
/// `^+*[]%` as text, so the result always contains a star.
pub(in crate::dialect) fn path<'p>(plan: &'p Plan, route: &'p Route) -> Option<(Cow<'p, str>, PathType)> {
    if !route.is_pattern() {
        return None;
    }
    let end = if takes_the_rest(&route.path) && !route.path.ends_with('$') { "" } else { ".*" };
    let path = [&behind_slash(&route.path), end].concat().into();
    Some((path, PathType::ImplementationSpecific)).filter(|_| plan.canary.is_none())
}

#[cfg(test)]
mod tests {
    use crate::testing;

    #[test]
    fn a_pattern_matches_the_beginning_of_a_path_in_any_case() {
        for (path, written) in [
            ("/shop(/|$)(.*)", Some("/(?i:shop(/|$)(.*))")),
            ("/api/v[0-9]+", Some("/(?i:api/v[0-9]+).*")),
            ("/shop$", Some("/(?i:shop$).*")),
            ("/(users|orders)$", Some("/(?i:(users|orders)$).*")),
            ("/shop(a)?", Some("/(?i:shop(a)?).*")),
            ("/(a|b.*)", Some("/(?i:(a|b.*)).*")),
            ("/a|^/b", Some("/{0}(?i:/a|^/b).*")),
            ("/a|/b.*", Some("/(?i:a|b.*).*")),
            (r"/a\.*", Some(r"/(?i:a\.*).*")),
            ("/shop", None),
        ] {
            let annotations = [("IngressURLPath", path)];
            let plan = testing::plan(&annotations, serde_json::json!({"ingressClassName": "contour"}))
                .unwrap_or_else(|report| panic!("{report}"));
            let found = plan.rules.first().and_then(|route| super::path(&plan, route));
            let found = found.map(|(path, _)| path.into_owned());
            // Contour recognizes a regular expression by one of these characters.
            assert!(
                found.as_ref().is_none_or(|path| path.contains(['^', '+', '*', '[', ']', '%'])),
                "{path}"
            );
            assert_eq!(found.as_deref(), written, "{path}");
        }
    }
}
