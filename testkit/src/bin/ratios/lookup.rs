//! Measures the policy that looks up the holders of a Service's hosts and names, in a waPC host with a known response time.
//!
//! The shards have the claims of Services that the core planned. The cost of a request, without the time the host waits, should
//! depend neither on the response time nor on the number of hosts in the cluster.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::{Value, json};
use xposer::conflicts::Holders;
use xposer_testkit::cluster::{Cluster, EACH, holders, spread, time};
use xposer_testkit::host::{HostCall, Module, Reply};

use crate::policy::{Measured, request, silent, times};

pub(crate) const NAMESPACE: &str = "xposer-system";
/// The number of hosts in the cluster while the response time is varied.
const HOSTS: usize = 1_000;
/// The number of look-ups for the exposed Service: one for its host, and one for its name.
const LOOKUPS: usize = 2;
const CALLS: u32 = 200;
/// A smaller number of calls, because each waits for milliseconds.
const CALLS_THAT_WAIT: u32 = 20;

/// A host that has the replies to the calls of one request, and waits before each reply.
struct Stub {
    answers: Arc<BTreeMap<Vec<u8>, Vec<u8>>>,
    wait: Duration,
}

impl Stub {
    /// Creates the host for this cluster. The request is sent once to record its calls; it must be accepted after two look-ups,
    /// without a message about claims.
    fn new(module: &Module, payload: &[u8], cluster: Cluster) -> Result<Self> {
        let cluster = Arc::new(cluster);
        let asked = Arc::clone(&cluster);
        let answer = module.call_with("validate", payload, Box::new(move |call| asked.reply(call)));
        let message: Value = serde_json::from_slice(&answer.result.map_err(|error| anyhow!(error))?)?;
        ensure!(message.pointer("/mutated_object").is_some(), "the Service was not stamped: {message}");
        ensure!(!message.to_string().contains("claims-unknown"), "the claims do not count: {message}");
        ensure!(answer.calls.len() == LOOKUPS, "{} look-ups, expected {LOOKUPS}", answer.calls.len());
        let known = |call: HostCall| {
            let answer = cluster.reply(&call).map_err(|error| anyhow!(error))?;
            Ok((call.payload, answer))
        };
        let answers = answer.calls.into_iter().map(known).collect::<Result<_>>()?;
        Ok(Self { answers: Arc::new(answers), wait: Duration::ZERO })
    }

    /// The same host with a longer response time.
    fn with_delay(&self, milliseconds: u64) -> Self {
        Self { answers: Arc::clone(&self.answers), wait: Duration::from_millis(milliseconds) }
    }

    fn bytes(&self) -> usize {
        self.answers.values().map(Vec::len).sum()
    }

    fn reply(&self) -> Box<Reply> {
        let (answers, wait) = (Arc::clone(&self.answers), self.wait);
        Box::new(move |call| {
            if !wait.is_zero() {
                std::thread::sleep(wait);
            }
            answers.get(&call.payload).cloned().ok_or_else(|| "it was not asked before".to_owned())
        })
    }

    fn measured<'m>(&'m self, module: &'m Module, payload: &'m [u8]) -> Measured<'m> {
        let calls = if self.wait.is_zero() { CALLS } else { CALLS_THAT_WAIT };
        Measured {
            calls,
            run: Box::new(move || {
                drop(black_box(module.call_with("validate", payload, self.reply()).result));
            }),
        }
    }
}

/// Prints the cost of the look-up; `before` are other modules to compare with, each with its name.
pub(crate) fn lookup(
    root: &Path,
    ours: &Module,
    noop: &Module,
    before: &[(String, Module)],
    out: &mut String,
) -> Result<()> {
    let off = json!({});
    let on = json!({"claims": {"namespace": NAMESPACE, "mode": "deny"}});
    let (exposed_off, silent_off) = (request(root, &off, |_| {})?, request(root, &off, silent)?);
    let (exposed, silent) = (request(root, &on, |_| {})?, request(root, &on, silent)?);
    for (what, payload) in [("not exposed", &silent), ("exposed, without claims", &exposed_off)] {
        let calls = ours.call("validate", payload).calls.len();
        ensure!(calls == 0, "{what}: {calls} calls of the host");
    }
    let cluster =
        |holders: &Holders| Stub::new(ours, &exposed, Cluster::of_claims(NAMESPACE, &time(-10), holders));
    let stub = cluster(&holders(HOSTS, &spread)?)?;
    let slow = [1, 5].map(|milliseconds| (milliseconds, stub.with_delay(milliseconds)));

    let mut rows = vec![
        ("accepts without looking".to_owned(), Measured::of(noop, &exposed_off)),
        ("not exposed, claims off".to_owned(), Measured::of(ours, &silent_off)),
        ("not exposed, claims on".to_owned(), Measured::of(ours, &silent)),
        ("exposed, claims off".to_owned(), Measured::of(ours, &exposed_off)),
        ("exposed, answers after 0 ms".to_owned(), stub.measured(ours, &exposed)),
    ];
    for (milliseconds, stub) in &slow {
        rows.push((format!("exposed, answers after {milliseconds} ms"), stub.measured(ours, &exposed)));
    }
    for (name, module) in before {
        rows.push((format!("{name}: not exposed"), Measured::of(module, &silent_off)));
        rows.push((format!("{name}: exposed"), Measured::of(module, &exposed_off)));
    }
    writeln!(
        out,
        "\none request in the waPC host with the question who has the host: {LOOKUPS} look-ups, {HOSTS} hosts in the cluster;\nprocessor time, as a ratio to a policy that accepts without looking, and by the clock"
    )?;
    table(&rows, out, |_| String::new())?;

    let mut stubs = Vec::new();
    for count in [0, 100, 1_000, 10_000] {
        stubs.push((format!("{count} hosts in the cluster"), cluster(&holders(count, &spread)?)?));
    }
    let crowded = |_: usize| "tools".to_owned();
    stubs.push(("1000 hosts, all of them in the namespace".to_owned(), cluster(&holders(1_000, &crowded)?)?));
    let mut rows = vec![("accepts without looking".to_owned(), Measured::of(noop, &exposed_off))];
    rows.extend(stubs.iter().map(|(what, stub)| (what.clone(), stub.measured(ours, &exposed))));
    writeln!(
        out,
        "\nthe same with n hosts in the cluster, {EACH} in a namespace, and the size of both answers"
    )?;
    table(&rows, out, |row| {
        let stub = row.checked_sub(1).and_then(|row| stubs.get(row));
        stub.map(|(_, stub)| format!("  {:>7} bytes", stub.bytes())).unwrap_or_default()
    })
}

/// Prints the rows, which are measured in turns, relative to the first one.
fn table(rows: &[(String, Measured<'_>)], out: &mut String, more: impl Fn(usize) -> String) -> Result<()> {
    let measured: Vec<&Measured<'_>> = rows.iter().map(|(_, measured)| measured).collect();
    let found = times(&measured)?;
    let base = found.first().context("there is no row")?.own;
    for (row, ((what, _), time)) in rows.iter().zip(&found).enumerate() {
        writeln!(
            out,
            "{what:>40}  {:>7.1} us  {:>5.2}  {:>8.1} us{}",
            time.own,
            time.own / base,
            time.all,
            more(row)
        )?;
    }
    Ok(())
}
