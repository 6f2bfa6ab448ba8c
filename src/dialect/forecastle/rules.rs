//! The rule about the annotations of Forecastle.

use super::{EXPOSE, PREFIX, URL, exposes};
use crate::diagnostics::{Code, Problem, Report, quoted};
use crate::dialect::unexpected;
use crate::plan::context::{RuleContext, is_refused};

/// Reports values that Forecastle cannot read, and links to a wildcard host.
pub(crate) fn values(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let first = plan.rules.first().filter(|rule| rule.host.starts_with("*."));
    if let Some(rule) = first
        && let Some(expose) = plan.annotation(EXPOSE).filter(|it| exposes(&it.key, &it.value))
        && plan.annotation(URL).is_none()
    {
        let message = format!("a link to the wildcard host {} does not work", quoted(&rule.host));
        let help = format!("forward {URL}, too, or put a host without a star first");
        expose.file_key(report, Problem::new(Code::ForecastleWildcard, message).help(help));
    }
    for annotation in &plan.annotations {
        let Some(name) = annotation.key.strip_prefix(PREFIX) else { continue };
        let value = annotation.value.as_str();
        let expected = match name {
            "expose" | "network-restricted" if !matches!(value, "true" | "false") => "exactly true or false",
            "url" if !value.starts_with("https://") && !value.starts_with("http://") => {
                "a URL that begins with https:// or http://"
            }
            // Forecastle stops if it cannot split an item.
            "properties" if !value.split(',').all(|item| item.contains(':')) => {
                "items such as owner:team-a, separated by commas"
            }
            _ => continue,
        };
        // A key inside the value has a diagnostic of its own.
        if !is_refused(annotation, report) {
            let problem = unexpected(Code::ForecastleInvalid, &annotation.key, value, expected);
            annotation.file_value(report, problem.help("correct the value"));
        }
    }
}
