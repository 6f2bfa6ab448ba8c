//! Rules about the paths of HTTPRoutes.

use std::collections::BTreeSet;

use super::regex::{Engine, engine};
use super::support::pattern;
use crate::diagnostics::{Code, Problem, Report, Severity, quoted};
use crate::dialect::controller::Controller;
use crate::plan::context::RuleContext;
use crate::validation::literal_beginning;
use crate::validation::regex::kinds;
use crate::values::Target;

/// Reports a regular expression that an implementation does not support, or may compare differently.
pub(crate) fn patterns(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if !plan.targets.contains(&Target::HttpRoute) {
        return;
    }
    let controller = plan.controller(Target::HttpRoute);
    let mut checked_paths = BTreeSet::new();
    for route in plan.rules.iter().filter(|route| checked_paths.insert(&route.path)) {
        let Some(pattern) = pattern(plan, route) else { continue };
        // A path that no program compares as a regular expression has a diagnostic of its own.
        let Ok(kinds) = kinds(&route.path) else { continue };
        if report.is_about(&route.path_origin.path(), &route.path, Severity::Error) {
            continue;
        }
        let engine = engine(controller);
        let problem = match (engine, kinds.of_pcre) {
            (_, Some(part)) => {
                let (code, who) = match engine {
                    Engine::Unknown => (Code::IntentDiffers, "most Gateways"),
                    Engine::Whole | Engine::Anywhere => {
                        (Code::TargetInvalid, controller.name_on(Target::HttpRoute))
                    }
                };
                let message = format!(
                    "the path {} contains {}, which the regular expressions of {who} do not support",
                    quoted(&route.path),
                    quoted(part),
                );
                Problem::new(code, message)
                    .help("write the path without it, or use the target Ingress")
                    .found(route.path.clone())
            }
            (Engine::Unknown, None) => {
                let message = format!(
                    "the regular expression {} keeps its meaning if the Gateway compares it with the whole path; another \
                     one may also match inside a path, such as below {}",
                    quoted(&pattern),
                    quoted(format!("/x{}", literal_beginning(&route.path)).trim_end_matches('/'))
                );
                let help = match controller {
                    Controller::Gateway => {
                        "set gatewayController if Contour, Envoy Gateway, OpenShift or Traefik serves the Gateway, or write a path without a regular expression"
                    }
                    _ => "write a path without a regular expression",
                };
                Problem::new(Code::IntentDiffers, message).help(help)
            }
            (_, None) => continue,
        };
        report.file(route.path_origin.path(), problem);
    }
}
