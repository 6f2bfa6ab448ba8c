//! Prints the ratios of the last benchmark run, the growth of the work with its input, the peak memory of rendering many Services,
//! and the cost of the policy in the waPC host.
//!
//! `make bench` runs the benchmarks first; this program reads their results, and makes no decision based on the clock. With the
//! word `linear`, optionally followed by words that select rows, it only prints the growth of the work; with `policy`, only the
//! cost of the policy, optionally compared with other modules, whose files follow; with `lookup`, only the cost of looking up
//! claims; with `fuel`, only the number of WebAssembly instructions of a request, optionally also for other modules.

mod fuel;
mod linear;
mod lookup;
mod policy;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::Value;

use policy::Part;

/// The number of Services for which the memory is measured.
const MANY: usize = 10_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [word, program, file] if word == PEAK => return measure(program, file),
        [word, only @ ..] if word == LINEAR => {
            let mut out = String::new();
            linear::linear(only, &mut out)?;
            std::io::stdout().write_all(out.as_bytes())?;
            return Ok(());
        }
        _ => {}
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the test kit has no parent folder")?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let mut out = String::new();
    if let [word, before @ ..] = arguments.as_slice()
        && word == FUEL
    {
        let ours = root.join("policy.wasm");
        let files: Vec<&Path> = std::iter::once(ours.as_path()).chain(before.iter().map(Path::new)).collect();
        fuel::fuel(root, &files, &mut out)?;
        std::io::stdout().write_all(out.as_bytes())?;
        return Ok(());
    }
    let policy = |part: Part, before: &[String], out: &mut String| {
        policy::policy(root, &root.join("policy.wasm"), &target.join("noop.wasm"), part, before, out)
    };
    if let [word, before @ ..] = arguments.as_slice()
        && let Some(part) = [(POLICY, Part::All), (LOOKUP, Part::Lookup)]
            .into_iter()
            .find_map(|(known, part)| (word == known).then_some(part))
    {
        policy(part, before, &mut out)?;
        std::io::stdout().write_all(out.as_bytes())?;
        return Ok(());
    }
    budget(&target, &mut out)?;
    growth(&target, "services", "Services", &[1, 10, 100, 1_000, 10_000], &mut out)?;
    growth(&target, "forwarded", "forwarded lines", &[1, 10, 100, 1_000], &mut out)?;
    templates(&target, &mut out)?;
    linear::linear(&[], &mut out)?;
    memory(&target, &mut out)?;
    policy(Part::All, &[], &mut out)?;
    std::io::stdout().write_all(out.as_bytes())?;
    Ok(())
}

/// The mean time of a benchmark, in nanoseconds.
fn mean(target: &Path, group: &str, name: &str) -> Result<f64> {
    let file = target.join("criterion").join(group).join(name).join("new/estimates.json");
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let estimates: Value = serde_json::from_str(&text)?;
    let mean = estimates.pointer("/mean/point_estimate").and_then(Value::as_f64);
    mean.with_context(|| format!("{}: no mean", file.display()))
}

fn budget(target: &Path, out: &mut String) -> Result<()> {
    let (json, expose) = (mean(target, "budget", "json-only")?, mean(target, "budget", "expose")?);
    let ratio = expose / json;
    let verdict = if ratio <= 3.0 { "within the budget of 3" } else { "OVER the budget of 3" };
    writeln!(out, "the Service of examples/forecastle.yaml, JSON in and out: {:.2} us", expose / 1e3)?;
    writeln!(out, "only parsing it and writing its Ingress: {:.2} us", json / 1e3)?;
    writeln!(out, "ratio: {ratio:.2} ({verdict})")?;
    Ok(())
}

fn growth(target: &Path, group: &str, what: &str, counts: &[u32], out: &mut String) -> Result<()> {
    let mut first = None;
    writeln!(out, "\ntime for each of n {what}, as a ratio to the first row")?;
    for count in counts {
        let each = mean(target, group, &count.to_string())? / f64::from(*count);
        let base = *first.get_or_insert(each);
        writeln!(out, "{count:>7}  {:>8.2} us  {:.2}", each / 1e3, each / base)?;
    }
    Ok(())
}

fn templates(target: &Path, out: &mut String) -> Result<()> {
    let segments = mean(target, "template", "segments")?;
    writeln!(out, "\nreading and rendering one template, as a ratio to plain variables")?;
    for name in ["segments", "go", "handlebars"] {
        let time = mean(target, "template", name)?;
        writeln!(out, "{name:>11}  {time:>7.0} ns  {:.1}", time / segments)?;
    }
    Ok(())
}

/// The argument that selects only the growth of the work.
const LINEAR: &str = "linear";
/// The argument that selects only the cost of the policy.
const POLICY: &str = "policy";
/// The argument that selects only the cost of looking up claims.
const LOOKUP: &str = "lookup";
/// The argument that selects only the number of instructions of the policy.
const FUEL: &str = "fuel";
/// The argument that makes this program run another one and print its peak memory.
const PEAK: &str = "peak-of";

/// Runs `xposer render` on a file and prints its peak resident memory in KiB. It is the only child of this process, so the figures
/// of the children are its own.
fn measure(program: &str, file: &str) -> Result<()> {
    let status = Command::new(program)
        .args(["render", "--diagnostics", "json", file])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .with_context(|| format!("{program}: run `make build` first"))?;
    ensure!(status.success(), "{program} ended with {status}");
    writeln!(std::io::stdout(), "{}", getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss())?;
    Ok(())
}

fn memory(target: &Path, out: &mut String) -> Result<()> {
    let program = target.join("release/xposer");
    let folder = target.join("bench");
    std::fs::create_dir_all(&folder)?;
    writeln!(out, "\npeak memory of `xposer render`")?;
    for count in [1, MANY] {
        let file = folder.join(format!("services-{count}.yaml"));
        let text: String = (0..count).map(service).collect();
        std::fs::write(&file, &text)?;
        let measured = Command::new(std::env::current_exe()?).arg(PEAK).args([&program, &file]).output()?;
        if !measured.status.success() {
            bail!("{}", String::from_utf8_lossy(&measured.stderr));
        }
        let peak: f64 = String::from_utf8(measured.stdout)?.trim().parse()?;
        let size = text.len() as f64 / 1024.0 / 1024.0;
        writeln!(out, "{count:>7} Services  file {size:>6.2} MiB  peak {:>7.1} MiB", peak / 1024.0)?;
    }
    Ok(())
}

fn service(index: usize) -> String {
    format!(
        "---
apiVersion: v1
kind: Service
metadata:
  name: web-{index}
  namespace: tools
  labels: {{expose: 'true'}}
  annotations:
    config.xposer.stakater.com/IngressNameTemplate: '{{{{.Service}}}}-{{{{.Namespace}}}}'
    config.xposer.stakater.com/IngressURLTemplate: '{{{{.Service}}}}.{{{{.Domain}}}}'
    config.xposer.stakater.com/Domain: company.com
    xposer.stakater.com/annotations: |-
      kubernetes.io/ingress.class: external-ingress
      ingress.kubernetes.io/force-ssl-redirect: true
      certmanager.k8s.io/cluster-issuer: letsencrypt-production
spec: {{ports: [{{name: http, port: 80}}], selector: {{app: web-{index}}}}}
"
    )
}
