//! The texts below the arguments in the help: examples, and exit codes.

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  nothing was refused (also if no Service asks to be exposed)
  1  at least one Service was refused; `render` prints the others
  2  wrong usage, or an input or the settings cannot be used; nothing is printed";

pub(super) const EXAMPLES: &str = "\
Examples:
  Print the Ingress of each Service of a file that has the label expose: \"true\"
    xposer render service.yaml

  The same for a Helm chart, with your defaults, and apply the objects to the cluster
    helm template shop ./chart | xposer render --settings config.yaml -n shop | kubectl apply -f -

  In CI: fail if a Service cannot be exposed, and report the reason
    xposer check --settings config.yaml manifests/*.yaml

  Before a migration: what other settings would change, and which features or protections would be lost
    xposer compare --settings config.yaml --with new.yaml manifests/*.yaml

  Report the exposed Services, their URLs and who has access, as an HTML page
    xposer report --settings config.yaml manifests/*.yaml > report.html

  Explain annotations, settings, codes and templates
    xposer explain
    xposer explain host-uppercase
    xposer explain templates

  Show the source of each value for the Services of a file
    xposer explain --settings config.yaml service.yaml";

pub(super) const RENDER_EXAMPLES: &str = "\
Examples:
  xposer render service.yaml
  kubectl get services -A -o yaml | xposer render --settings config.yaml -o json
  xposer render -n shop web.yaml api.yaml > ingresses.yaml

All inputs are one set: a host and path, or an Ingress name, that two Services ask for is an
error on both. Other objects than Services (apiVersion v1) are ignored,
and so are Services with config.kubernetes.io/local-config: \"true\".";

pub(super) const CHECK_EXAMPLES: &str = "\
Examples:
  xposer check service.yaml
  helm template shop ./chart | xposer check --settings config.yaml -n shop
  xposer check --diagnostics json manifests/*.yaml 2> findings.json
  xposer check --diagnostics sarif manifests/*.yaml 2> xposer.sarif";

pub(super) const COMPARE_EXAMPLES: &str = "\
Examples:
  What changes when the class internal is served by Traefik
    xposer compare --settings config.yaml --with new-config.yaml manifests/*.yaml

  The same for all Services of a cluster, in CI, as JSON
    kubectl get services -A -o yaml | xposer compare --settings config.yaml --with new.yaml -o json

Exit codes:
  0  no further Service would be refused, and none would lose its protection
  1  at least one further Service would be refused, or one would lose its protection
  2  wrong usage, or an input or the settings cannot be used, or there are no Services;
     nothing is printed";

pub(super) const REPORT_EXAMPLES: &str = "\
Examples:
  One page without other files
    xposer report --settings config.yaml manifests/*.yaml > report.html

  The same for all Services of a cluster, and what an HTTPRoute would lose, refuse or open
    kubectl get services -A -o yaml |
      xposer report --settings config.yaml --compare-target httproute > report.html

  For programs, and for a page in Markdown
    xposer report -o json service.yaml
    xposer report -o mermaid service.yaml

The report contains all findings. Standard error has only messages about the input and a
summary line.";

pub(super) const IMPORT_EXAMPLES: &str = "\
Examples:
  The annotations for the Services behind the Ingresses of a file
    xposer import ingress.yaml service.yaml

  All of a cluster, with your defaults, which are not repeated
    kubectl get ingresses,services -A -o yaml > cluster.yaml
    xposer import --settings config.yaml cluster.yaml

  As kubectl commands
    xposer import --settings config.yaml -o kubectl cluster.yaml > annotate.sh
    sh annotate.sh

The documents are patches: write them into the `patches` of a kustomization. Do not give
them to `kubectl apply`, which needs whole objects.

Each proposal is rendered again, and every difference from the Ingress is reported.

Exit codes:
  0  every Ingress is reproduced
  1  at least one Ingress is not reproduced completely; the proposals are still printed
  2  wrong usage, or an input or the settings cannot be used, or there is no Ingress;
     nothing is printed";

pub(super) const INIT_EXAMPLES: &str = "\
Examples:
  Settings and annotations for the Ingresses of some files, written to a new folder
    xposer init manifests/*.yaml --out xposer

  The same for a chart, or for a whole cluster, printed and not written
    helm template shop ./chart | xposer init -n shop
    kubectl get ingresses,ingressclasses,services -A -o yaml | xposer init

  Services that have no Ingress yet
    xposer init --domain example.com services.yaml

Exit codes:
  0  every Ingress is reproduced
  1  at least one Ingress is not reproduced completely; the rest is printed
  2  wrong usage, or an input cannot be used, or there are only Services and no domain is
     known, or a file would be overwritten; nothing is printed";

pub(super) const EXPLAIN_EXAMPLES: &str = "\
Examples:
  xposer explain                         every annotation, setting and diagnostic code
  xposer explain IngressNameTemplate     an annotation (its whole key works, too)
  xposer explain ingressNameTemplate     a setting
  xposer explain host-uppercase          a diagnostic code
  xposer explain templates               variables, syntax and functions
  xposer explain traefik                 a program: its annotations, and what it does not support
  xposer explain service.yaml            where every value of its Services comes from
  xposer explain --settings config.yaml -n shop service.yaml

Where several give a value, the first of these counts: an annotation of the Service, its
forwarded block, its profile, its namespace, the general settings, the annotations in these
settings, the built-in default.";

pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  source <(xposer completions bash)
  xposer completions zsh > \"${fpath[1]}/_xposer\"
  xposer completions fish > ~/.config/fish/completions/xposer.fish";

pub(super) const KRM_EXAMPLES: &str = "\
In a kustomization.yaml, for `kustomize build --enable-alpha-plugins --enable-exec`:
  transformers:
  - |-
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: xposer
      annotations:
        config.kubernetes.io/function: 'exec: {path: xposer, args: [krm]}'
    data:
      domain: example.com
      parentRefs: '[{name: external, namespace: gateways}]'

With kpt:
  kpt fn eval --exec 'xposer krm' -- domain=example.com

Exit codes:
  0  nothing was refused
  1  something is wrong: the items are returned unchanged, and the results have the messages
  2  the input is not a ResourceList; nothing is printed";
