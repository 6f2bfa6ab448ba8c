//! Compares the policy in the waPC host with a policy that accepts everything.
//!
//! Every request gets a fresh instance, as in policy-server. The modules take turns, so that other load on the machine affects all
//! of them, and the best round of each counts, in processor time.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::{Value, json};
use xposer_testkit::host::Module;
use xposer_testkit::kubewarden::payload;

use crate::linear::spent;
use crate::lookup;

const ROUNDS: usize = 15;
const CALLS: u32 = 400;
/// The maximum ratio of the policy's cost to that of the policy that does nothing.
const BUDGET: f64 = 1.7;

/// A measured function.
pub(crate) struct Measured<'m> {
    /// The number of calls in a round.
    pub(crate) calls: u32,
    pub(crate) run: Box<dyn Fn() + 'm>,
}

impl<'m> Measured<'m> {
    fn new(run: impl Fn() + 'm) -> Self {
        Self { calls: CALLS, run: Box::new(run) }
    }

    /// Measures a request in a fresh instance of a module.
    pub(crate) fn of(module: &'m Module, payload: &'m [u8]) -> Self {
        Self::new(|| {
            black_box(module.call("validate", payload).result.is_ok());
        })
    }
}

/// The duration of a run, in microseconds.
#[derive(Clone, Copy)]
pub(crate) struct Time {
    /// The processor time, which includes no waiting.
    pub(crate) own: f64,
    /// The elapsed time.
    pub(crate) all: f64,
}

/// The best mean times of each of `runs`.
pub(crate) fn times(runs: &[&Measured<'_>]) -> Result<Vec<Time>> {
    let mut best = vec![Time { own: f64::MAX, all: f64::MAX }; runs.len()];
    for _ in 0..ROUNDS {
        for (measured, best) in runs.iter().zip(&mut best) {
            let (start, before) = (Instant::now(), spent()?);
            for _ in 0..measured.calls {
                (measured.run)();
            }
            let [own, all] = [spent()? - before, start.elapsed().as_secs_f64()]
                .map(|seconds| seconds * 1e6 / f64::from(measured.calls));
            *best = Time { own: best.own.min(own), all: best.all.min(all) };
        }
    }
    Ok(best)
}

/// The payload of the request in `tests/admission/` after `change`, with these settings.
pub(crate) fn request(root: &Path, settings: &Value, change: impl FnOnce(&mut Value)) -> Result<Vec<u8>> {
    let text = std::fs::read_to_string(root.join("tests/admission/service.json"))?;
    let mut request: Value = serde_json::from_str(&text)?;
    change(&mut request);
    let settings = settings.as_object().context("the settings are a mapping")?;
    let payload = payload(&request, settings).map_err(|refusal| anyhow!("{refusal}"))?;
    Ok(payload.to_string().into_bytes())
}

fn annotation<'v>(request: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    request
        .pointer_mut("/object/metadata/annotations")?
        .as_object_mut()
        .map(|all| all.entry(key).or_insert(Value::Null))
}

/// Sets the label to a value that forbids exposure; without the label, the annotations would cause a warning.
pub(crate) fn silent(request: &mut Value) {
    if let Some(labels) = request.pointer_mut("/object/metadata/labels") {
        *labels = json!({"expose": "false"});
    }
}

/// The part of the policy's cost to print.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    All,
    Lookup,
}

/// Prints the cost of the policy; `before` are the files of other modules to compare with.
pub(crate) fn policy(
    root: &Path,
    module: &Path,
    noop: &Path,
    part: Part,
    before: &[String],
    out: &mut String,
) -> Result<()> {
    let (ours, noop) = (Module::load(module)?, Module::load(noop)?);
    let load = |file: &String| Ok((file.clone(), Module::load(Path::new(file))?));
    let before = before.iter().map(load).collect::<Result<Vec<_>>>()?;
    if part == Part::All {
        without_claims(root, &ours, &noop, out)?;
        growth(root, &ours, out)?;
    }
    lookup::lookup(root, &ours, &noop, &before, out)
}

fn without_claims(root: &Path, ours: &Module, noop: &Module, out: &mut String) -> Result<()> {
    let none = json!({});
    let exposed = request(root, &none, |_| {})?;
    let answer = ours.call("validate", &exposed).result.map_err(|error| anyhow!(error))?;
    let answer: Value = serde_json::from_slice(&answer)?;
    ensure!(answer.pointer("/mutated_object").is_some(), "the Service was not stamped: {answer}");
    let silent = request(root, &none, silent)?;
    let refused = request(root, &none, |request| {
        if let Some(url) = annotation(request, "config.xposer.stakater.com/IngressURLTemplate") {
            *url = "{{.Service}}.{{.Doman}}".into();
        }
    })?;
    let found = times(&[
        &Measured::of(noop, &exposed),
        &Measured::of(ours, &silent),
        &Measured::of(ours, &refused),
        &Measured::of(ours, &exposed),
        &Measured::new(|| drop(black_box(ours.call("protocol_version", b"").result))),
        &Measured::new(|| drop(black_box(noop.call("protocol_version", b"").result))),
        &Measured::new(|| drop(black_box(xposer_policy::validate(&exposed)))),
    ])?;
    let found: Vec<f64> = found.into_iter().map(|time| time.own).collect();
    let [base, silent, refused, exposed, ours_start, noop_start, native] = found.as_slice() else {
        anyhow::bail!("a time is missing");
    };
    writeln!(
        out,
        "\none request in the waPC host, a fresh instance each, as a ratio to a policy that accepts without looking"
    )?;
    for (what, time) in [
        ("accepts without looking", base),
        ("ours, not exposed", silent),
        ("ours, refused with a reason", refused),
        ("ours, exposed and stamped", exposed),
    ] {
        writeln!(out, "{what:>28}  {time:>6.1} us  {:.2}", time / base)?;
    }
    let verdict = if exposed / base <= BUDGET { "within" } else { "OVER" };
    writeln!(out, "ratio: {:.2} ({verdict} the budget of {BUDGET})", exposed / base)?;
    writeln!(
        out,
        "an instance that is asked for its version only: {ours_start:.1} us, without looking {noop_start:.1} us"
    )?;
    writeln!(out, "the same request natively: {native:.1} us")?;
    Ok(())
}

fn growth(root: &Path, ours: &Module, out: &mut String) -> Result<()> {
    writeln!(out, "\none request with n forwarded lines")?;
    for count in [0, 10, 100, 1_000] {
        let block: String =
            (0..count).map(|line| format!("example.com/key-{line}: value-{line}\n")).collect();
        let payload = request(root, &json!({}), |request| {
            if let Some(annotation) = annotation(request, "xposer.stakater.com/annotations") {
                *annotation = block.into();
            }
        })?;
        let time = times(&[&Measured::of(ours, &payload)])?;
        writeln!(out, "{count:>7}  {:>7.1} us", time.first().map(|time| time.own).unwrap_or_default())?;
    }
    Ok(())
}
