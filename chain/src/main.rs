//! Runs the chain until it is stopped, for manual inspection; `chain/up` starts it. Our controller runs, and exposes an example.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use xposer_chain::{Chain, say, status};

const SETTINGS: &str = "
domain: example.com
ingressURLTemplate: '{{.Service}}.{{.Domain}}'
ingressClassName: contour
controllers: {internal-ingress: contour, external-ingress: contour}
tls: cert-manager
clusterIssuer: ca
parentRefs: [{name: external, namespace: gateways, sectionName: https}]
httpParentRefs: [{name: external, namespace: gateways, sectionName: http}]
";
const EXAMPLE: &str = "
apiVersion: v1
kind: Service
metadata: {name: hello, labels: {expose: 'true'}}
spec: {ports: [{port: 80}]}
";

fn main() -> Result<()> {
    let chain = Chain::get();
    let controller = chain.controller(SETTINGS);
    let ns = chain.namespace("demo");
    ns.apply(EXAMPLE);
    ns.request("https://hello.example.com/").eventually(status(200).backend("hello"));
    let run = chain.run().display();
    // The commands work in any folder, and for this chain.
    let enter = format!("CHAIN_RUN={run} {}/chain/enter", std::env::current_dir()?.display());
    let mut table = String::new();
    for front in chain.fronts() {
        writeln!(table, "{:14} {}", front.address, front.class)?;
    }
    writeln!(
        table,
        "{enter} kubectl --kubeconfig {run}/cluster/kubeconfig get services,ingresses,httproutes -A"
    )?;
    writeln!(table, "{enter} curl --cacert {run}/ca.crt https://hello.example.com/")?;
    show(chain.run(), &table)?;
    // `chain/down` stops everything. Programs that ended earlier are shown by the next `chain/up`.
    let mut told = BTreeSet::new();
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let all = chain.processes().chain([controller.process()]);
        let ended: Vec<_> = all.filter(|it| !it.runs() && told.insert(it.name())).collect();
        for process in &ended {
            say(&process.log_tail());
            writeln!(
                table,
                "{} has ended by itself; its log is {run}/programs/{}/log",
                process.name(),
                process.name()
            )?;
        }
        if !ended.is_empty() {
            show(chain.run(), &table)?;
        }
    }
}

/// Writes the table that `chain/up` prints. The file is renamed into place, so a reader never sees a part of it.
fn show(run: &Path, table: &str) -> Result<()> {
    std::fs::write(run.join("table.new"), table)?;
    Ok(std::fs::rename(run.join("table.new"), run.join("table"))?)
}
