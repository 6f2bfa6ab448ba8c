//! The path that a monitor requests, and the options of its provider.

use serde_json::{Map, Value};

use super::{Parsed, code, is_annotation, mapping, one, trimmed, wrong};
use crate::diagnostics::{Code, Origin, Problem, choose, did_you_mean, quoted};
use crate::dialect::monitor::PROVIDERS;
use crate::options::unknown;

/// The options of the providers of a monitor. A problem of one does not stop the others.
pub(in crate::options) fn monitor_provider(value: &Value, at: &Origin) -> Parsed<Option<Map<String, Value>>> {
    let mut providers = Map::new();
    mapping(value, at, &[], &mut |key, value, place| {
        let Some(provider) = PROVIDERS.iter().find(|it| it.name == key) else {
            let names = || PROVIDERS.iter().map(|it| it.name);
            let help = match did_you_mean(key, names()) {
                Some(meant) => format!("did you mean {meant}?"),
                None => choose(&names().map(str::to_owned).collect::<Vec<_>>()),
            };
            let message = format!("there is no provider {}", quoted(key));
            return Err(one(&place, Problem::new(Code::SettingUnknown, message).help(help)));
        };
        if value.is_null() {
            return Ok(());
        }
        let mut options = Map::new();
        mapping(value, &place, &[], &mut |key, value, place| {
            let Some(kind) = provider.kind(key) else {
                return Err(one(&place, unknown(key, provider.names().into_iter())));
            };
            if value.is_null() {
                return Ok(());
            }
            if let Some(error) = kind.error(value) {
                return Err(wrong(&place, error, "correct the value"));
            }
            options.insert(key.to_owned(), value.clone());
            Ok(())
        })?;
        if let Some(required) = provider.required()
            && !options.contains_key(required)
        {
            return Err(wrong(&place, format!("`{required}` is missing"), format!("add `{required}:`")));
        }
        providers.insert(key.to_owned(), options.into());
        Ok(())
    })?;
    Ok(Some(providers))
}

/// The path that a monitor requests.
pub(in crate::options) fn health_endpoint(value: &Value, at: &Origin) -> Parsed<Option<String>> {
    trimmed(value, at, |path| {
        if path.starts_with('/') {
            return Ok(path.to_owned());
        }
        let message = format!("{} does not start with `/`", quoted(path));
        let problem = Problem::new(code(at, Code::MonitorInvalid), message).help(format!("write /{path}"));
        Err(if is_annotation(at) { problem.propose(format!("/{path}")) } else { problem })
    })
}
