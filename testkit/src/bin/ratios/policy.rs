//! The policy in the waPC host, beside a policy that accepts without looking.
//!
//! Every request gets a fresh instance, as in policy-server. The modules take turns, so that whatever else the machine does
//! hits all of them, and the best round of each counts.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use serde_json::{Value, json};
use xposer_testkit::host::Module;
use xposer_testkit::kubewarden::payload;

const ROUNDS: usize = 15;
const CALLS: u32 = 400;
/// What the policy may cost beside the one that does nothing.
const BUDGET: f64 = 1.7;

/// The best mean time of each of `runs`, in microseconds.
fn times(runs: &[&dyn Fn()]) -> Vec<f64> {
    let mut best = vec![f64::MAX; runs.len()];
    for _ in 0..ROUNDS {
        for (run, best) in runs.iter().zip(&mut best) {
            let start = Instant::now();
            for _ in 0..CALLS {
                run();
            }
            *best = best.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS));
        }
    }
    best
}

/// The payload of the request in `tests/admission/`, after `change`.
fn request(root: &Path, change: impl FnOnce(&mut Value)) -> Result<Vec<u8>> {
    let text = std::fs::read_to_string(root.join("tests/admission/service.json"))?;
    let mut request: Value = serde_json::from_str(&text)?;
    change(&mut request);
    let payload = payload(&request, &serde_json::Map::new()).map_err(|refusal| anyhow!("{refusal}"))?;
    Ok(payload.to_string().into_bytes())
}

fn annotation<'v>(request: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    request
        .pointer_mut("/object/metadata/annotations")?
        .as_object_mut()
        .map(|all| all.entry(key).or_insert(Value::Null))
}

pub(crate) fn policy(root: &Path, module: &Path, noop: &Path, out: &mut String) -> Result<()> {
    let (ours, noop) = (Module::load(module)?, Module::load(noop)?);
    let exposed = request(root, |_| {})?;
    let answer = ours.call("validate", &exposed).result.map_err(|error| anyhow!(error))?;
    let answer: Value = serde_json::from_slice(&answer)?;
    ensure!(answer.pointer("/mutated_object").is_some(), "the Service was not stamped: {answer}");
    let silent = request(root, |request| {
        // The label forbids the exposure; without a label, the annotations would be reported.
        if let Some(labels) = request.pointer_mut("/object/metadata/labels") {
            *labels = json!({"expose": "false"});
        }
    })?;
    let refused = request(root, |request| {
        if let Some(url) = annotation(request, "config.xposer.stakater.com/IngressURLTemplate") {
            *url = "{{.Service}}.{{.Doman}}".into();
        }
    })?;
    let call = |module: &Module, payload: &[u8]| {
        black_box(module.call("validate", payload).result.is_ok());
    };
    let found = times(&[
        &|| call(&noop, &exposed),
        &|| call(&ours, &silent),
        &|| call(&ours, &refused),
        &|| call(&ours, &exposed),
        &|| drop(black_box(ours.call("protocol_version", b"").result)),
        &|| drop(black_box(noop.call("protocol_version", b"").result)),
        &|| drop(black_box(xposer_policy::validate(&exposed))),
    ]);
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
    growth(root, &ours, out)
}

fn growth(root: &Path, ours: &Module, out: &mut String) -> Result<()> {
    writeln!(out, "\none request with n forwarded lines")?;
    for count in [0, 10, 100, 1_000] {
        let block: String =
            (0..count).map(|line| format!("example.com/key-{line}: value-{line}\n")).collect();
        let payload = request(root, |request| {
            if let Some(annotation) = annotation(request, "xposer.stakater.com/annotations") {
                *annotation = block.into();
            }
        })?;
        let time = times(&[&|| drop(black_box(ours.call("validate", &payload).result))]);
        writeln!(out, "{count:>7}  {:>7.1} us", time.first().copied().unwrap_or_default())?;
    }
    Ok(())
}
