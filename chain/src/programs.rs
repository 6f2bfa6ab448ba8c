//! The table of programs: how each is started, which classes it serves, and how its readiness is checked.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::dns::{KEY, KEY_NAME, ZONES};
use crate::process::{Ready, Start, output};

/// The source of a program.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Binary {
    /// `chain/build` builds it. It is required.
    Built(&'static str),
    /// A Debian package contains it. It is required.
    Debian(&'static str),
    /// The environment variable names it, or it is in the PATH, which includes programs that `chain/build` builds only on request.
    /// It is optional: tests that need it are skipped.
    Elsewhere { variable: &'static str, name: &'static str },
}

/// A class that an ingress controller or a gateway serves, with the address.
#[derive(Clone, Copy, Debug)]
pub struct Front {
    /// The class of the Ingresses, or the GatewayClass.
    pub class: &'static str,
    /// The address, where it listens on the ports 80 and 443.
    pub address: Ipv4Addr,
}

const fn front(class: &'static str, last: u8) -> Front {
    Front { class, address: Ipv4Addr::new(203, 0, 113, last) }
}

/// The readiness check of a program.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Question {
    /// The address, the port and the path that respond with 200.
    Http(&'static str, u16, &'static str),
    /// The address and the port that accept connections.
    Tcp(&'static str, u16),
    /// There is no check, because the program does not listen. The objects that it writes show its work.
    Nothing,
}

/// A row of the table. In its texts, `{folder}` is replaced by the program's folder, `{kubeconfig}` by the administrator's
/// kubeconfig, `{bin}` by the folder of the programs that `chain/build` builds, `{zones}` by the flags of ExternalDNS for the
/// zones, and `{key_name}` and `{key}` by the key that the DNS server trusts.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// The name in tests, logs and tables.
    pub name: &'static str,
    pub(crate) binary: Binary,
    /// The classes that it serves; none if it is not an ingress controller or a gateway.
    pub serves: &'static [Front],
    /// A shell command that prepares its folder.
    pub(crate) prepare: &'static str,
    /// Files that are written into its folder before that command.
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// The arguments, separated by blanks.
    pub(crate) arguments: &'static str,
    pub(crate) environment: &'static [(&'static str, &'static str)],
    pub(crate) ready: Question,
    /// The objects that it needs, as YAML.
    pub(crate) objects: &'static str,
}

/// The defaults of a row.
const BASE: Program = Program {
    name: "",
    binary: Binary::Built(""),
    serves: &[],
    prepare: "",
    files: &[],
    arguments: "",
    environment: &[],
    ready: Question::Nothing,
    objects: "",
};

/// The DNS server.
pub(crate) const NAMED: &str = "named";
/// The program that issues certificates.
pub(crate) const CERT_MANAGER: &str = "cert-manager";
/// The program that writes DNS records.
pub(crate) const EXTERNAL_DNS: &str = "external-dns";

/// The start page.
pub const FORECASTLE: &str = "forecastle";
/// The program that registers monitors.
pub const INGRESS_MONITOR_CONTROLLER: &str = "ingressmonitorcontroller";

/// The address of the stand-in for UptimeRobot's API.
pub(crate) const UPTIME_ROBOT: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 8);
/// The address of the stand-in for external authentication.
pub(crate) const AUTHENTICATE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 9);

/// The arguments of the Contour with this number, which is a part of its address and ports, and with these classes.
macro_rules! contour {
    ($number:literal, $classes:literal) => {
        concat!(
            "serve --kubeconfig={kubeconfig} --config-path=contour.yaml --insecure --disable-leader-election",
            // Contour would need the definitions of these kinds.
            " --disable-feature=tlsroutes --disable-feature=grpcroutes --disable-feature=tcproutes",
            " --disable-feature=backendtlspolicies --ingress-class-name=",
            $classes,
            concat!(" --ingress-status-address=203.0.113.", $number),
            concat!(" --envoy-service-http-address=203.0.113.", $number, " --envoy-service-http-port=80"),
            concat!(" --envoy-service-https-address=203.0.113.", $number, " --envoy-service-https-port=443"),
            concat!(" --xds-address=127.0.0.1 --xds-port=800", $number),
            concat!(" --stats-address=127.0.0.1 --stats-port=801", $number),
            concat!(" --health-address=127.0.0.1 --health-port=802", $number),
            concat!(" --http-address=127.0.0.1 --http-port=803", $number),
            concat!(" --debug-http-address=127.0.0.1 --debug-http-port=804", $number),
        )
    };
}

/// The command that writes the configuration of the Envoy of a Contour.
macro_rules! contour_bootstrap {
    ($number:literal) => {
        concat!(
            "{bin}/contour bootstrap bootstrap.json --xds-address=127.0.0.1 --dns-lookup-family=v4",
            " --admin-address=admin.sock --xds-port=800",
            $number
        )
    };
}

const CONTOUR: Program =
    Program { binary: Binary::Built("contour"), files: &[("contour.yaml", "{}")], ..BASE };
const CONTOUR_ENVOY: Program = Program { binary: Binary::Built("envoy"), ..BASE };

/// The table. Programs are started in this order.
pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: NAMED,
        binary: Binary::Debian("named"),
        arguments: "-g -n 1 -c named.conf",
        ready: Question::Tcp("127.0.0.1", 53),
        ..BASE
    },
    Program {
        name: CERT_MANAGER,
        binary: Binary::Built("cert-manager"),
        arguments: "--kubeconfig={kubeconfig}",
        objects: include_str!("../files/issuers.yaml"),
        ..BASE
    },
    // Without a Gateway, Contour listens on the configured ports. There are two instances, because Stakater's article about Xposer
    // has two classes (its Service is `examples/forecastle.yaml`).
    Program {
        name: "contour",
        arguments: contour!("1", "contour,external-ingress"),
        ready: Question::Http("127.0.0.1", 8021, "/healthz"),
        ..CONTOUR
    },
    Program {
        name: "contour-envoy",
        serves: &[front("contour", 1), front("external-ingress", 1)],
        prepare: contour_bootstrap!("1"),
        arguments: "-c bootstrap.json --service-cluster contour --service-node envoy --concurrency 1 --base-id 1",
        ready: Question::Http("127.0.0.1", 8011, "/ready"),
        ..CONTOUR_ENVOY
    },
    Program {
        name: "contour-internal",
        arguments: contour!("2", "internal-ingress"),
        ready: Question::Http("127.0.0.1", 8022, "/healthz"),
        ..CONTOUR
    },
    Program {
        name: "contour-internal-envoy",
        serves: &[front("internal-ingress", 2)],
        prepare: contour_bootstrap!("2"),
        arguments: "-c bootstrap.json --service-cluster contour --service-node envoy --concurrency 1 --base-id 2",
        ready: Question::Http("127.0.0.1", 8012, "/ready"),
        ..CONTOUR_ENVOY
    },
    Program {
        name: EXTERNAL_DNS,
        binary: Binary::Built("external-dns"),
        arguments: concat!(
            "--kubeconfig={kubeconfig} --source=ingress --source=gateway-httproute --source=service",
            " --provider=rfc2136 --rfc2136-host=127.0.0.1 --rfc2136-port=53 {zones} --rfc2136-tsig-axfr",
            " --rfc2136-tsig-keyname={key_name} --rfc2136-tsig-secret={key} --rfc2136-tsig-secret-alg=hmac-sha256",
            " --policy=sync --registry=txt --txt-owner-id=chain --txt-prefix=owner-%{record_type}. --events --interval=2s",
            " --min-event-sync-interval=1s --metrics-address=127.0.0.1:7979"
        ),
        ready: Question::Http("127.0.0.1", 7979, "/healthz"),
        ..BASE
    },
    // It starts Envoy itself, and reads its certificates from a fixed folder. In the mount namespace of the chain, this folder has
    // its own content.
    Program {
        name: "envoy-gateway",
        binary: Binary::Built("envoy-gateway"),
        serves: &[front("envoy-gateway", 3)],
        files: &[("envoy-gateway.yaml", include_str!("../files/envoy-gateway.yaml"))],
        prepare: concat!(
            "export KUBECONFIG={kubeconfig}; {bin}/envoy-gateway certgen --overwrite --disable-topology-injector;",
            " {bin}/envoy-gateway certgen --local --config-home={folder}/config; mkdir -p /certs;",
            " ! mountpoint -q /certs || umount /certs; mount --bind config/certs/envoy-gateway /certs;",
            // Without this file, it would download this version of Envoy.
            " mkdir -p data/envoy-versions/1.0.0/bin; ln -sf {bin}/envoy data/envoy-versions/1.0.0/bin/envoy"
        ),
        arguments: "server --config-path=envoy-gateway.yaml",
        environment: &[("KUBECONFIG", "{kubeconfig}")],
        ready: Question::Http("127.0.0.1", 8081, "/readyz"),
        objects: include_str!("../files/gateway.yaml"),
    },
    Program {
        name: "traefik",
        binary: Binary::Elsewhere { variable: "TRAEFIK", name: "traefik" },
        serves: &[front("traefik", 4), front("traefik-nginx", 4)],
        arguments: concat!(
            // The ports of the listeners in the Gateway API must be those of the entry points.
            "--entrypoints.web.address=203.0.113.4:80 --entrypoints.websecure.address=203.0.113.4:443",
            " --entrypoints.traefik.address=127.0.0.1:8074 --ping=true --global.checknewversion=false",
            " --global.sendanonymoususage=false --providers.kubernetesingress=true",
            " --providers.kubernetescrd=true --providers.kubernetescrd.throttleduration=200ms",
            " --providers.kubernetesingress.ingressclass=traefik --providers.kubernetesingress.ingressendpoint.ip=203.0.113.4",
            " --providers.kubernetesingress.throttleduration=200ms --providers.kubernetesingressnginx=true",
            " --providers.kubernetesingressnginx.ingressclass=traefik-nginx --providers.kubernetesingressnginx.ingressclassbyname=true",
            " --providers.kubernetesingressnginx.publishstatusaddress=203.0.113.4",
            " --providers.kubernetesingressnginx.throttleduration=200ms --providers.kubernetesgateway=true",
            " --providers.kubernetesgateway.statusaddress.ip=203.0.113.4 --providers.kubernetesgateway.throttleduration=200ms"
        ),
        environment: &[("KUBECONFIG", "{kubeconfig}")],
        ready: Question::Http("127.0.0.1", 8074, "/ping"),
        objects: include_str!("../files/traefik.yaml"),
        ..BASE
    },
    Program {
        name: "nginx-ingress-controller",
        binary: Binary::Elsewhere { variable: "NGINX_INGRESS_CONTROLLER", name: "nginx-ingress-controller" },
        serves: &[front("nginx", 5)],
        arguments: concat!(
            "--kubeconfig={kubeconfig} --ingress-class=nginx --controller-class=k8s.io/ingress-nginx --election-id=nginx",
            " --configmap=ingress-nginx/configuration --publish-status-address=203.0.113.5 --healthz-host=127.0.0.1"
        ),
        environment: &[("POD_NAMESPACE", "ingress-nginx"), ("POD_NAME", "nginx")],
        ready: Question::Http("127.0.0.1", 10254, "/healthz"),
        objects: include_str!("../files/ingress-nginx.yaml"),
        ..BASE
    },
    Program {
        name: "haproxy-ingress",
        binary: Binary::Elsewhere { variable: "HAPROXY_INGRESS", name: "haproxy-ingress" },
        serves: &[front("haproxy", 6)],
        arguments: concat!(
            "--kubeconfig={kubeconfig} --ingress-class=haproxy --controller-class=haproxy-ingress.github.io/controller",
            " --configmap=haproxy/configuration --publish-address=203.0.113.6"
        ),
        environment: &[("POD_NAMESPACE", "haproxy"), ("POD_NAME", "haproxy")],
        ready: Question::Http("127.0.0.1", 10253, "/healthz"),
        objects: include_str!("../files/haproxy.yaml"),
        ..BASE
    },
    Program {
        name: FORECASTLE,
        binary: Binary::Elsewhere { variable: "FORECASTLE", name: "forecastle" },
        files: &[("config.yaml", "namespaceSelector: {any: true}")],
        arguments: "-port=8077 -cache-interval=1s",
        environment: &[("KUBECONFIG", "{kubeconfig}")],
        ready: Question::Http("127.0.0.1", 8077, "/readyz"),
        ..BASE
    },
    Program {
        name: INGRESS_MONITOR_CONTROLLER,
        binary: Binary::Elsewhere { variable: "INGRESSMONITORCONTROLLER", name: "ingressmonitorcontroller" },
        arguments: "--metrics-bind-address=127.0.0.1:8075 --health-probe-bind-address=127.0.0.1:8076",
        environment: &[
            ("KUBECONFIG", "{kubeconfig}"),
            ("OPERATOR_NAMESPACE", "monitors"),
            ("WATCH_NAMESPACE", ""),
            ("CONFIG_SECRET_NAME", "imc-config"),
        ],
        ready: Question::Http("127.0.0.1", 8076, "/readyz"),
        objects: include_str!("../files/monitors.yaml"),
        ..BASE
    },
];

impl Program {
    /// Returns the path of its binary, if it exists.
    pub(crate) fn find(&self, bin: &Path) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let searched = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
        let in_path = |name: &str| searched.map(|folder| folder.join(name)).find(|file| file.is_file());
        match self.binary {
            Binary::Built(name) => Some(bin.join(name)).filter(|file| file.is_file()),
            Binary::Debian(name) => in_path(name),
            Binary::Elsewhere { variable, name } => match std::env::var_os(variable) {
                Some(named) => Some(named.into()),
                None => in_path(name),
            },
        }
    }

    /// Whether the chain runs without it if it is missing.
    pub(crate) fn is_optional(&self) -> bool {
        matches!(self.binary, Binary::Elsewhere { .. })
    }

    /// Writes its files, and runs its command for preparation.
    pub(crate) fn prepare(&self, place: &Place<'_>) -> anyhow::Result<()> {
        for (name, text) in self.files {
            fs::write(place.folder.join(name), place.fill(text))?;
        }
        if !self.prepare.is_empty() {
            let command = place.fill(self.prepare);
            output(Command::new("sh").args(["-ec", &command]).current_dir(place.folder))?;
        }
        Ok(())
    }

    /// Returns the description of its process.
    pub(crate) fn start(&self, program: PathBuf, place: &Place<'_>) -> anyhow::Result<Start> {
        let at = |host: &str, port: u16| anyhow::Ok(SocketAddr::new(host.parse()?, port));
        Ok(Start {
            program,
            arguments: place.fill(self.arguments).split_whitespace().map(str::to_owned).collect(),
            environment: self
                .environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), place.fill(value)))
                .collect(),
            ready: match self.ready {
                Question::Http(host, port, path) => {
                    Ready::Http { address: at(host, port)?, path: path.to_owned() }
                }
                Question::Tcp(host, port) => Ready::Tcp(at(host, port)?),
                Question::Nothing => Ready::Runs,
            },
        })
    }
}

/// Returns the programs to run: all, or those whose names begin with a prefix in `CHAIN_PROGRAMS`.
pub(crate) fn chosen() -> anyhow::Result<Vec<&'static Program>> {
    let Ok(chosen) = std::env::var("CHAIN_PROGRAMS") else { return Ok(PROGRAMS.iter().collect()) };
    let prefixes: Vec<&str> = chosen.split(',').map(str::trim).collect();
    let fits = |prefix: &str| PROGRAMS.iter().any(|program| program.name.starts_with(prefix));
    if let Some(wrong) = prefixes.iter().find(|prefix| !fits(prefix)) {
        let names: Vec<&str> = PROGRAMS.iter().map(|program| program.name).collect();
        anyhow::bail!("CHAIN_PROGRAMS: no program begins with {wrong}, only {}", names.join(", "));
    }
    let is_chosen = |program: &&Program| prefixes.iter().any(|prefix| program.name.starts_with(prefix));
    Ok(PROGRAMS.iter().filter(is_chosen).collect())
}

/// The values for the placeholders in the texts of a row.
pub(crate) struct Place<'p> {
    pub(crate) folder: &'p Path,
    pub(crate) kubeconfig: &'p Path,
    pub(crate) bin: &'p Path,
}

impl Place<'_> {
    /// Returns a text of a row with its placeholders replaced.
    pub(crate) fn fill(&self, text: &str) -> String {
        let words = [
            ("{folder}", self.folder.display().to_string()),
            ("{kubeconfig}", self.kubeconfig.display().to_string()),
            ("{bin}", self.bin.display().to_string()),
            ("{zones}", ZONES.map(|zone| format!("--rfc2136-zone={zone}")).join(" ")),
            ("{key_name}", KEY_NAME.to_owned()),
            ("{key}", KEY.to_owned()),
        ];
        words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
    }
}
