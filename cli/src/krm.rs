//! `krm`: a KRM function, for kustomize and kpt.
//!
//! It reads a `ResourceList` and writes it back with the Ingresses of its Services among the items. Objects that an earlier run
//! added are replaced or removed, so that a second run changes nothing. If there is an Error, no item is changed and the exit
//! status is not 0, because kustomize checks only that.

mod config;
mod items;
mod results;

use std::collections::HashMap;
use std::io;

use serde_json::{Map, Value};
use xposer::emit::Emitted;
use xposer::{Outcome, Precedence, Report, Service, emit_all, expose_all, is_service};
use xposer_manifest::encrypted::is_encrypted_service;
use xposer_manifest::{Finding, Findings, to_yaml};

use crate::console::{Console, Exit, ignore_broken_pipe};
use crate::input::read_single;
use crate::local::{LOCAL_CONFIG_HELP, is_local, local_config_message};
use crate::printer::write_text;
use config::Config;
use items::Change;
use results::ItemFinding;

/// Reads a ResourceList from standard input and writes it to standard output.
pub(crate) fn krm(console: &mut Console<'_>) -> io::Result<Exit> {
    let colors = console.terminal.stderr && console.terminal.colors;
    let mut list = match read_single(console.stdin).and_then(ResourceList::new) {
        Ok(list) => list,
        Err(wrong) => return write_text(wrong, colors, console.stderr).map(|()| Exit::Unusable),
    };
    let mut findings = Vec::new();
    let changes = list.decide(&mut findings);
    write_text(findings.iter().map(ItemFinding::finding), colors, console.stderr)?;
    let results = findings.iter().map(ItemFinding::result).collect();
    let exit = if changes.is_some() { Exit::Done } else { Exit::Refused };
    list.items = items::apply(std::mem::take(&mut list.items), changes.unwrap_or_default());
    ignore_broken_pipe(console.stdout.write_all(to_yaml(&list.into_value(results)).as_bytes()))?;
    Ok(exit)
}

/// A ResourceList. The items are separate from the other fields.
struct ResourceList {
    items: Vec<Value>,
    rest: Map<String, Value>,
}

impl ResourceList {
    fn new(value: Value) -> Result<Self, Findings> {
        let is_list = |rest: &Map<String, Value>| {
            let text = |key: &str| rest.get(key).and_then(Value::as_str).unwrap_or_default();
            text("kind") == "ResourceList" && text("apiVersion").starts_with("config.kubernetes.io/")
        };
        let mut rest = match value {
            Value::Object(rest) if is_list(&rest) => rest,
            _ => {
                let finding = Finding::input("expected a ResourceList of config.kubernetes.io/v1");
                let help = "let kustomize or kpt run this command; for files of your own use `xposer render`";
                return Err(vec![finding.help(help)]);
            }
        };
        let items = match rest.remove("items") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => {
                return Err(vec![Finding::input("expected a list as the items of the ResourceList")]);
            }
        };
        Ok(Self { items, rest })
    }

    /// The changes of the items; `None` if there is an Error.
    fn decide<'l>(&'l self, findings: &mut Vec<ItemFinding>) -> Option<Vec<Change>> {
        let config = Config::new(self.rest.get("functionConfig"), findings);
        let settings = config.settings(findings);
        findings
            .extend(self.items.iter().filter(|item| is_encrypted_service(item)).map(ItemFinding::encrypted));
        if !findings.is_empty() {
            return None;
        }
        let all = || self.items.iter().filter(|item| is_service(item));
        findings.extend(all().filter(|item| is_local(item)).filter_map(|item| {
            let left_out = local_config_message(&Service::from_value(item))?;
            Some(ItemFinding::info(left_out, LOCAL_CONFIG_HELP, item))
        }));
        let places: Vec<&Value> = all().filter(|item| !is_local(item)).collect();
        let services: Vec<Service<'l>> = places.iter().map(|item| Service::from_value(item)).collect();
        let outcomes = expose_all(&services, &settings, Precedence::RefuseAll);
        let Emitted { objects, report, .. } = emit_all(outcomes.iter().filter_map(Outcome::plan));
        for (item, outcome) in places.iter().zip(&outcomes) {
            let found = outcome.report().into_iter().flat_map(Report::diagnostics);
            findings.extend(found.map(|found| config.finding(found, Some(item))));
        }
        let named = |service: &Service<'l>| (service.namespace().unwrap_or_default(), service.name());
        let by_name: HashMap<(&str, &str), &Value> =
            services.iter().map(named).zip(places.iter().copied()).collect();
        for found in report.diagnostics() {
            let item = by_name.get(&(found.subject.namespace.as_str(), found.subject.name.as_str()));
            findings.push(config.finding(found, item.copied()));
        }
        let changes = items::changes(&self.items, &all().collect(), &objects, findings);
        let is_refused = outcomes.iter().any(Outcome::is_refused);
        changes.filter(|_| !is_refused)
    }

    fn into_value(self, results: Vec<Value>) -> Value {
        let Self { items, mut rest } = self;
        // If the list had no items, kustomize would delete everything.
        rest.insert("items".to_owned(), Value::Array(items));
        if !results.is_empty() {
            match rest.get_mut("results") {
                Some(Value::Array(earlier)) => earlier.extend(results),
                _ => drop(rest.insert("results".to_owned(), Value::Array(results))),
            }
        }
        Value::Object(rest)
    }
}
