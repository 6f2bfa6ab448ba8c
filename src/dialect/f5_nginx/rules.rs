//! Rules about values that NGINX Ingress Controller does not accept.

use crate::diagnostics::{Code, Problem, Report, quoted};
use crate::dialect::controller::Controller;
use crate::plan::context::RuleContext;
use crate::values::Target;

/// The annotations that name a secret.
const SECRETS: [&str; 2] = ["nginx.org/basic-auth-secret", "nginx.com/jwt-key"];

/// Reports a secret that is named with a namespace. The controller only searches in the namespace of the Ingress.
pub(crate) fn secrets(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if !plan.has_stable_ingress() || plan.controller(Target::Ingress) != Controller::F5Nginx {
        return;
    }
    for given in plan.annotations.iter().filter(|it| SECRETS.contains(&it.key.as_str())) {
        let Some((namespace, name)) = given.value.trim().split_once('/') else { continue };
        let said = format!(
            "{} is {}, and NGINX Ingress Controller takes no secret of another namespace",
            quoted(&given.key),
            quoted(&given.value)
        );
        let help = if plan.namespace() == Some(namespace) {
            format!("write {name}")
        } else {
            format!("copy the secret into the namespace of the Service, and write {name}")
        };
        given.file_value(report, Problem::new(Code::AnnotationInvalid, said).help(help));
    }
}
