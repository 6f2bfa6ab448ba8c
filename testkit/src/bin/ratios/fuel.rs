//! Counts the WebAssembly instructions of a request. The count is the same in every run, so two modules can be compared on a busy
//! machine.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use xposer_testkit::cluster::{Cluster, holders, spread};
use xposer_testkit::fuel::{self, Counted};
use xposer_testkit::host::{Reply, refuse};

use crate::lookup::NAMESPACE;
use crate::policy::{request, silent};

/// Prints the number of instructions of each request in each of these modules.
pub(crate) fn fuel(root: &Path, files: &[&Path], out: &mut String) -> Result<()> {
    let modules = files.iter().map(|file| Counted::load(file)).collect::<Result<Vec<_>>>()?;
    let off = json!({});
    let on = json!({"claims": {"namespace": NAMESPACE, "mode": "deny"}});
    let mut rows = vec![
        ("not exposed".to_owned(), request(root, &off, silent)?, None),
        ("exposed".to_owned(), request(root, &off, |_| {})?, None),
    ];
    for count in [0, 100, 1_000, 10_000] {
        let cluster = Cluster::of_claims(NAMESPACE, fuel::WRITTEN, &holders(count, &spread)?);
        let what = format!("exposed, claims on, {count} hosts");
        rows.push((what, request(root, &on, |_| {})?, Some(Arc::new(cluster))));
    }
    writeln!(out, "\ninstructions of WebAssembly (wasmtime's fuel): the start of an instance, and the call")?;
    for file in files {
        writeln!(out, "  {}", file.display())?;
    }
    for (what, payload, cluster) in &rows {
        write!(out, "{what:>40}")?;
        for module in &modules {
            let reply: Box<Reply> = match cluster.clone() {
                Some(cluster) => Box::new(move |call| cluster.reply(call)),
                None => Box::new(refuse),
            };
            let spent = module.call("validate", payload, reply)?;
            let answer: Value = serde_json::from_slice(&spent.answer)?;
            answer.pointer("/accepted").filter(|it| **it == json!(true)).context("it was refused")?;
            write!(out, "  {:>7} {:>9}", spent.start, spent.call)?;
        }
        writeln!(out)?;
    }
    Ok(())
}
