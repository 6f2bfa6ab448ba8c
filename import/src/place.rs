//! Maps findings of the core about a proposal to places in the Ingress.

use std::collections::BTreeMap;

use xposer::Diagnostic;
use xposer::diagnostics::{FieldPath, Root, Segment};
use xposer::internal::{About, about, block};
use xposer::service::FORWARD_ANNOTATION;

use crate::finding::{Finding, Object};
use crate::keys;
use crate::source_ingress::SourceIngress;

/// The key in the forwarded block that a diagnostic is about.
pub(crate) fn key_in_block(
    diagnostic: &Diagnostic,
    annotations: &BTreeMap<String, String>,
) -> Option<String> {
    if diagnostic.path != FieldPath::annotation(FORWARD_ANNOTATION) {
        return None;
    }
    let range = diagnostic.range.as_ref()?;
    let (block, _) = block::parse(annotations.get(FORWARD_ANNOTATION)?);
    let is_it =
        |line: &&block::Line<'_>| line.key_range.start <= range.start && range.start <= line.value_range.end;
    block.lines().iter().find(is_it).map(|line| line.key.to_owned())
}

/// Places a finding of the core about a proposal at the source of the value in the Ingress, or in the Service.
pub(crate) fn place(
    source: &SourceIngress<'_>,
    diagnostic: &Diagnostic,
    annotations: &BTreeMap<String, String>,
    service: Option<usize>,
    is_loss: bool,
) -> Option<Finding> {
    let main = source.main()?;
    let here = |path| Finding::of_core(diagnostic, Object::Ingress(main.at), &main.subject, path, is_loss);
    if diagnostic.path.root() == Root::Settings {
        return Some(Finding::of_core(
            diagnostic,
            Object::Settings,
            &diagnostic.subject,
            diagnostic.path.clone(),
            is_loss,
        ));
    }
    if let Some(key) = key_in_block(diagnostic, annotations) {
        return Some(here(FieldPath::annotation(key)));
    }
    let key = match diagnostic.path.segments() {
        [Segment::Key(first), Segment::Key(field), Segment::Key(key)]
            if first == "metadata" && field == "annotations" =>
        {
            key.as_ref()
        }
        [Segment::Key(first), Segment::Key(field), ..] if first == "metadata" && field == "labels" => {
            return Some(here(FieldPath::object(&["metadata", "name"])));
        }
        _ => {
            let path = diagnostic.path.clone();
            let Some(object) = service.map(Object::Service) else {
                return Some(here(FieldPath::object(&["spec"])));
            };
            return Some(Finding::of_core(diagnostic, object, &diagnostic.subject, path, is_loss));
        }
    };
    Some(here(match key {
        keys::NAME => FieldPath::object(&["metadata", "name"]),
        keys::CLASS => main.class.as_ref().map_or_else(|| FieldPath::object(&["spec"]), |it| it.at.clone()),
        keys::TLS | keys::SECRET | keys::TLS_HOSTS => FieldPath::object(&["spec", "tls"]),
        keys::LABELS => FieldPath::object(&["metadata", "labels"]),
        keys::ISSUER | keys::CLUSTER_ISSUER => {
            let issuer = main.annotations.keys().find(|key| matches!(about(key), About::Issuer { .. }));
            FieldPath::annotation(issuer.cloned().unwrap_or_default())
        }
        keys::PORT | keys::URL | keys::PATH | keys::PATH_TYPE => first_route(source, diagnostic, key),
        FORWARD_ANNOTATION => FieldPath::object(&["metadata", "annotations"]),
        _ => {
            let given = xposer::internal::CANARY_OPTIONS.iter().find(|(_, option)| *option == key);
            given.map_or_else(
                || FieldPath::object(&["metadata", "annotations"]),
                |(own, _)| FieldPath::annotation(*own),
            )
        }
    }))
}

/// The route that a diagnostic about hosts, paths or ports names; all rules if it names none.
fn first_route(source: &SourceIngress<'_>, diagnostic: &Diagnostic, key: &str) -> FieldPath {
    let at = source.main().map(|main| main.at).unwrap_or_default();
    let own = || source.routes.iter().filter(|route| route.ingress == at);
    if key == keys::PORT {
        let route = own().find(|route| {
            route.port.as_ref().is_some_and(|port| diagnostic.message.contains(&port.to_string()))
        });
        return route
            .or_else(|| own().next())
            .map_or_else(|| FieldPath::object(&["spec", "rules"]), |route| route.at.clone().key("backend"));
    }
    let names = |text: &str| diagnostic.message.contains(&format!("`{text}`"));
    let found = own().find(|route| names(&route.host) || names(&format!("{}{}", route.host, route.path)));
    let found = found.or_else(|| own().find(|route| names(&route.path)));
    found.map_or_else(|| FieldPath::object(&["spec", "rules"]), |route| route.at.clone())
}
