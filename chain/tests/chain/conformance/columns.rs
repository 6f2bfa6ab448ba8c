//! The programs, and the settings that expose the same Services with each of them.

use std::process::Command;

use xposer_chain::Chain;

/// A program that reads our objects.
pub(super) struct Column {
    /// The head of the column.
    pub(super) title: &'static str,
    /// The name of the column in hosts and namespaces.
    pub(super) name: &'static str,
    /// The program in the chain's table that serves it.
    pub(super) program: &'static str,
    /// Whether the chain runs without it if it is missing.
    pub(super) is_optional: bool,
    /// The programs whose versions are compared, each with the argument that prints the version.
    versions: &'static [(&'static str, &'static str, &'static str)],
    /// The class whose address gets the requests.
    pub(super) class: &'static str,
    reads: Reads,
}

/// The objects that a program reads.
enum Reads {
    /// The Ingresses of the class.
    Ingress,
    /// The HTTPRoutes of a Gateway in the namespace `gateways`; the second value is the program of the Gateway.
    HttpRoute(&'static str, &'static str),
}

const CONTOUR: &[(&str, &str, &str)] =
    &[("Contour", "contour", "version"), ("Envoy", "contour-envoy", "--version")];
const ENVOY_GATEWAY: &[(&str, &str, &str)] =
    &[("Envoy Gateway", "envoy-gateway", "version"), ("Envoy", "contour-envoy", "--version")];
const TRAEFIK: &[(&str, &str, &str)] = &[("Traefik", "traefik", "version")];
const NGINX: &[(&str, &str, &str)] = &[("ingress-nginx", "nginx-ingress-controller", "--version")];

/// The table.
pub(super) const COLUMNS: &[Column] = &[
    Column {
        title: "Contour",
        name: "contour",
        program: "contour-envoy",
        is_optional: false,
        versions: CONTOUR,
        class: "contour",
        reads: Reads::Ingress,
    },
    Column {
        title: "Envoy Gateway",
        name: "envoy-gateway",
        program: "envoy-gateway",
        is_optional: false,
        versions: ENVOY_GATEWAY,
        class: "envoy-gateway",
        reads: Reads::HttpRoute("external", "envoy-gateway"),
    },
    Column {
        title: "Traefik, Ingress",
        name: "traefik",
        program: "traefik",
        is_optional: true,
        versions: TRAEFIK,
        class: "traefik",
        reads: Reads::Ingress,
    },
    Column {
        title: "Traefik, ingress-nginx",
        name: "traefik-nginx",
        program: "traefik",
        is_optional: true,
        versions: TRAEFIK,
        class: "traefik-nginx",
        reads: Reads::Ingress,
    },
    Column {
        title: "Traefik, Gateway API",
        name: "traefik-gateway",
        program: "traefik",
        is_optional: true,
        versions: TRAEFIK,
        class: "traefik",
        reads: Reads::HttpRoute("traefik", "traefik"),
    },
    Column {
        title: "ingress-nginx",
        name: "nginx",
        program: "nginx-ingress-controller",
        is_optional: true,
        versions: NGINX,
        class: "nginx",
        reads: Reads::Ingress,
    },
];

impl Column {
    /// Returns the settings of the controller. A Service without a profile has no TLS. The profile `tls` has TLS with a redirect to
    /// https, and `both` has TLS without a redirect.
    pub(super) fn settings(&self) -> String {
        let target = match self.reads {
            Reads::Ingress => format!(
                "ingressClassName: {}
controllers: {{traefik-nginx: traefik-nginx}}
clusterIssuer: ca
profiles:
  plain: {{tls: false}}
  tls: {{tls: cert-manager}}
  both: {{tls: cert-manager, httpsRedirect: false}}",
                self.class
            ),
            Reads::HttpRoute(gateway, program) => format!(
                "target: HTTPRoute
gatewayController: {program}
profiles:
  plain: {{parentRefs: [{{name: {gateway}, namespace: gateways, sectionName: http}}]}}
  tls:
    tls: load-balancer
    parentRefs: [{{name: {gateway}, namespace: gateways, sectionName: https}}]
    httpParentRefs: [{{name: {gateway}, namespace: gateways, sectionName: http}}]
  both: {{tls: load-balancer, httpsRedirect: false, parentRefs: [{{name: {gateway}, namespace: gateways}}]}}"
            ),
        };
        format!(
            "domain: example.com\ningressURLTemplate: '{{{{.Service}}}}-{}.{{{{.Domain}}}}'\ndefaultProfile: plain\n{target}\n",
            self.name
        )
    }

    /// Returns the kind that the program reads, for the page.
    pub(super) fn reads(&self) -> &'static str {
        match self.reads {
            Reads::Ingress => "Ingress",
            Reads::HttpRoute(..) => "HTTPRoute",
        }
    }

    /// Returns the versions that the programs print.
    pub(super) fn version(&self, chain: &Chain) -> String {
        let message = self.versions.iter().map(|(title, program, argument)| {
            let mut command = Command::new(chain.program(program).binary());
            let output = command.arg(argument).output().unwrap();
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text);
            // The first word of the form 1.2.3 is the version.
            let mut words = text.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
            let is_version = |word: &&str| word.split('.').filter(|number| !number.is_empty()).count() == 3;
            format!("{title} {}", words.find(is_version).unwrap_or_else(|| panic!("{program}: {text}")))
        });
        message.collect::<Vec<String>>().join(", ")
    }
}
