//! Rules about the annotations that are passed on: what may not ride along, and what would break the program that reads it.

use super::{RuleContext, folded};
use crate::diagnostics::{Code, FieldPath, Problem, Report, quoted};
use crate::dialect::nginx;
use crate::options::{Settings, Target};
use crate::resolve::Annotation;
use crate::validation::parse_bool;
use crate::validation::pattern::matches;

/// What nobody may forward unless the administrator allows it: text that goes into the configuration of the controller as it is.
const SNIPPETS: &str = "*-snippet";

/// The pattern by which an annotation may not be forwarded, if there is one.
pub(crate) fn denial<'s>(settings: &'s Settings, annotation: &Annotation<'_>) -> Option<&'s str> {
    let key = annotation.key.as_ref();
    let snippet = || Some(SNIPPETS).filter(|pattern| matches(pattern, key));
    let pattern = settings.deny.first(key).or_else(snippet).filter(|_| annotation.is_forwarded())?;
    Some(pattern).filter(|_| !settings.allow.fit(key))
}

/// No key is on the list of those that may not be forwarded.
pub(crate) fn denied(context: &RuleContext<'_>, report: &mut Report) {
    for forwarded in &context.plan.annotations {
        let Some(pattern) = denial(context.settings, forwarded) else { continue };
        let key = forwarded.key.as_ref();
        let said = if pattern == SNIPPETS {
            format!("{} would put text into the controller's configuration as it is", quoted(key))
        } else {
            format!("{} may not be forwarded: the administrator denies {}", quoted(key), quoted(pattern))
        };
        let help = "remove the line, or ask your administrator to allow the key";
        forwarded.file_key(report, Problem::new(Code::AnnotationDenied, said).help(help));
    }
}

/// No annotation for a controller of Ingresses stands on the Service, where it does not look.
pub(crate) fn beside(context: &RuleContext<'_>, report: &mut Report) {
    for key in &context.service.of_ingresses {
        let said = format!("nobody reads {} on a Service: it is for an Ingress", quoted(key));
        let help = if context.request.block.contains(key) {
            "remove it; xposer.stakater.com/annotations has it"
        } else {
            "move it into xposer.stakater.com/annotations, or remove it"
        };
        let problem = Problem::new(Code::AnnotationBeside, said).help(help);
        report.file(FieldPath::annotation((*key).to_owned()), problem);
    }
}

/// The values that ingress-nginx would refuse, and the whole Ingress with them.
pub(crate) fn nginx_values(context: &RuleContext<'_>, report: &mut Report) {
    for annotation in &context.plan.annotations {
        let Some(name) = annotation.key.strip_prefix(nginx::PREFIX) else { continue };
        if annotation.value.contains(['\r', '\n']) {
            invalid(annotation, "a value on one line", Code::AnnotationInvalid, report);
            continue;
        }
        let shape = nginx::find(name).and_then(|known| known.shape);
        if let Some(shape) = shape.filter(|shape| !shape.fits(&annotation.value)) {
            invalid(annotation, shape.describe(), Code::AnnotationInvalid, report);
        }
    }
}

/// A canary says which Service it is one of.
pub(crate) fn nginx_canary_unnamed(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if plan.canary.is_some() || !plan.targets.contains(&Target::Ingress) {
        return;
    }
    let canary = plan.annotation("nginx.ingress.kubernetes.io/canary");
    if let Some(canary) = canary.filter(|it| it.is_given() && parse_bool(&it.value) == Some(true)) {
        let said = "nothing says which Service this is a canary of, and unless another Ingress has the host, ingress-nginx serves nobody";
        let help = "write config.xposer.stakater.com/CanaryOf and CanaryWeight, CanaryByHeader or CanaryByCookie in place of the lines about a canary";
        canary.file_key(report, Problem::new(Code::CanaryUnnamed, said).help(help));
    }
}

/// What is forwarded about a canary is about one, and its weight is a part of the whole.
pub(crate) fn nginx_canary(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let about = plan.annotations.iter().find(|it| it.key.starts_with(NGINX_CANARY));
    let Some(about) = about.filter(|_| plan.canary.is_none()) else { return };
    let is_canary = plan
        .annotation("nginx.ingress.kubernetes.io/canary")
        .is_some_and(|it| parse_bool(&it.value) == Some(true));
    if !is_canary {
        let said = format!(
            "{} is given without nginx.ingress.kubernetes.io/canary: \"true\", and ingress-nginx then configures nothing",
            quoted(&about.key)
        );
        let help = "add config.xposer.stakater.com/CanaryOf and CanaryWeight instead, or remove the line";
        about.file_key(report, Problem::new(Code::AnnotationInvalid, said).help(help));
    }
    let number = |key: &str| Some(plan.annotation(key)?.value.parse::<i64>());
    let total = match number("nginx.ingress.kubernetes.io/canary-weight-total") {
        Some(Ok(total)) => total,
        _ => 100,
    };
    let weight = plan.annotation("nginx.ingress.kubernetes.io/canary-weight");
    if let Some(weight) = weight
        && weight.value.parse::<i64>().is_ok_and(|weight| !(0..=total).contains(&weight))
    {
        invalid(weight, format!("0 to {total}"), Code::AnnotationInvalid, report);
    }
}

const NGINX_CANARY: &str = "nginx.ingress.kubernetes.io/canary-";

fn invalid(annotation: &Annotation<'_>, expected: impl std::fmt::Display, code: Code, report: &mut Report) {
    // What was folded into the value is told already.
    if folded::is_refused(annotation, report) {
        return;
    }
    let said = format!("{} is {}, expected {expected}", quoted(&annotation.key), quoted(&annotation.value));
    annotation.file_value(report, Problem::new(code, said).help("correct the value"));
}

/// The values that Forecastle would trip over.
pub(crate) fn forecastle(context: &RuleContext<'_>, report: &mut Report) {
    let first = context.plan.rules.first().filter(|rule| rule.host.starts_with("*."));
    if let Some(rule) = first
        && let Some(expose) = context.plan.annotation("forecastle.stakater.com/expose")
        && expose.value == "true"
        && context.plan.annotation("forecastle.stakater.com/url").is_none()
    {
        let said = format!("a link to the wildcard host {} leads nowhere", quoted(&rule.host));
        let help = "forward forecastle.stakater.com/url, too, or put a host without a star first";
        expose.file_key(report, Problem::new(Code::ForecastleWildcard, said).help(help));
    }
    for annotation in &context.plan.annotations {
        let Some(name) = annotation.key.strip_prefix("forecastle.stakater.com/") else { continue };
        let value = annotation.value.as_ref();
        let expected = match name {
            "expose" | "network-restricted" if !matches!(value, "true" | "false") => "exactly true or false",
            "url" if !value.starts_with("https://") && !value.starts_with("http://") => {
                "a URL that begins with https:// or http://"
            }
            // Forecastle stops where it cannot split an item.
            "properties" if !value.split(',').all(|item| item.contains(':')) => {
                "items such as owner:team-a, separated by commas"
            }
            _ => continue,
        };
        invalid(annotation, expected, Code::ForecastleInvalid, report);
    }
}
