//! Runs the chain until it is ended, to look at it by hand; `chain/up` starts it. Our controller runs, and exposes an example.

use std::fmt::Write;

use anyhow::Result;
use xposer_chain::{Chain, status};

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
    let _controller = chain.controller(SETTINGS);
    let ns = chain.namespace("demo");
    ns.apply(EXAMPLE);
    ns.request("https://hello.example.com/").eventually(status(200).backend("hello"));
    let run = chain.run().display();
    // From any folder, and into this chain.
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
    // Whoever waits for this file sees all of it.
    std::fs::write(chain.run().join("table.new"), table)?;
    std::fs::rename(chain.run().join("table.new"), chain.run().join("table"))?;
    // `chain/down` ends everything.
    loop {
        std::thread::park();
    }
}
