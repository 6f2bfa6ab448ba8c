//! The programs that serve Ingresses, HTTPRoutes or Routes: one row per program.

use super::key::Program;
use super::{contour, f5_nginx, haproxy, haproxy_ingress, nginx, traefik};
use crate::diagnostics::{quoted_char, words};
use crate::validation::{PathType, is_regex_path};
use crate::values::Target;

/// A program that serves Ingresses, HTTPRoutes or Routes. The settings `controllers`, `defaultController` and
/// `gatewayController` use these names.
///
/// ```
/// use xposer::internal::Controller;
/// assert_eq!("traefik".parse(), Ok(Controller::Traefik));
/// assert_eq!(Controller::of_class("traefik-internal"), Some(Controller::Traefik));
/// assert_eq!(Controller::of_spec("k8s.io/ingress-nginx"), Some(Controller::IngressNginx));
/// assert_eq!(Controller::of_class("internal"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Controller {
    /// ingress-nginx.
    IngressNginx,
    /// Traefik, configured by its own annotations; for HTTPRoutes, its Gateway API provider.
    Traefik,
    /// Traefik, with its provider that reads the annotations of ingress-nginx.
    TraefikNginx,
    /// Contour.
    Contour,
    /// The HAProxy Kubernetes Ingress Controller of HAProxy Technologies.
    Haproxy,
    /// HAProxy Ingress of the community.
    HaproxyIngress,
    /// NGINX Ingress Controller of F5.
    F5Nginx,
    /// AWS Load Balancer Controller.
    Alb,
    /// The Ingress controller of Google Cloud.
    Gce,
    /// The router of OpenShift.
    Openshift,
    /// Envoy Gateway.
    EnvoyGateway,
    /// An implementation of the Gateway API about which nothing else is known.
    Gateway,
    /// A program whose annotations are not known.
    Other,
}

words!(Controller {
    IngressNginx = "ingress-nginx",
    Traefik = "traefik",
    TraefikNginx = "traefik-nginx",
    Contour = "contour",
    Haproxy = "haproxy",
    HaproxyIngress = "haproxy-ingress",
    F5Nginx = "f5-nginx",
    Alb = "alb",
    Gce = "gce",
    Openshift = "openshift",
    EnvoyGateway = "envoy-gateway",
    Gateway = "gateway",
    Other = "other",
});

/// The properties of a controller.
pub(crate) struct Row {
    /// Its name in a sentence.
    pub(crate) name: &'static str,
    /// `IngressClass.spec.controller`.
    ingress: &'static str,
    /// `GatewayClass.spec.controllerName`.
    gateway: &'static str,
    /// The beginnings of the keys that it reads on an Ingress.
    pub(crate) reads: &'static [&'static str],
}

impl Controller {
    /// Returns the properties of the controller.
    pub(crate) const fn row(self) -> Row {
        match self {
            Self::IngressNginx => Row {
                name: "ingress-nginx",
                ingress: "k8s.io/ingress-nginx",
                gateway: "",
                reads: &["nginx.ingress.kubernetes.io/"],
            },
            Self::Traefik => Row {
                name: "Traefik",
                ingress: "traefik.io/ingress-controller",
                gateway: "traefik.io/gateway-controller",
                // Traefik 1.7 read other keys.
                reads: &["traefik.ingress.kubernetes.io/router."],
            },
            // It serves the classes of ingress-nginx, so no class identifies it.
            Self::TraefikNginx => Row {
                name: "Traefik's provider for ingress-nginx",
                ingress: "",
                gateway: "",
                reads: &["nginx.ingress.kubernetes.io/"],
            },
            Self::Contour => Row {
                name: "Contour",
                ingress: "",
                gateway: "projectcontour.io/gateway-controller",
                reads: &[
                    "projectcontour.io/",
                    "ingress.kubernetes.io/force-ssl-redirect",
                    "kubernetes.io/ingress.allow-http",
                ],
            },
            Self::Haproxy => Row {
                name: "the HAProxy Kubernetes Ingress Controller",
                ingress: "haproxy.org/ingress-controller",
                gateway: "haproxy.org/gateway-controller",
                reads: &["haproxy.org/", "haproxy.com/", "ingress.kubernetes.io/"],
            },
            Self::HaproxyIngress => Row {
                name: "HAProxy Ingress",
                ingress: "haproxy-ingress.github.io/controller",
                gateway: "haproxy-ingress.github.io/controller",
                reads: &["haproxy-ingress.github.io/", "ingress.kubernetes.io/"],
            },
            Self::F5Nginx => Row {
                name: "NGINX Ingress Controller",
                ingress: "nginx.org/ingress-controller",
                gateway: "",
                reads: &[
                    "nginx.org/",
                    "nginx.com/",
                    "appprotect.f5.com/",
                    "appprotectdos.f5.com/",
                    "ingress.kubernetes.io/ssl-redirect",
                ],
            },
            Self::Alb => Row {
                name: "the AWS Load Balancer Controller",
                ingress: "ingress.k8s.aws/alb",
                gateway: "gateway.k8s.aws/alb",
                reads: &["alb.ingress.kubernetes.io/"],
            },
            Self::Gce => Row {
                name: "the Ingress controller of GKE",
                ingress: "",
                gateway: "networking.gke.io/gateway",
                reads: &[
                    "kubernetes.io/ingress.",
                    "ingress.gcp.kubernetes.io/",
                    "networking.gke.io/",
                    "cloud.google.com/",
                ],
            },
            Self::Openshift => Row {
                name: "the router of OpenShift",
                ingress: "openshift.io/ingress-to-route",
                gateway: "openshift.io/gateway-controller/v1",
                reads: &["haproxy.router.openshift.io/", "router.openshift.io/"],
            },
            Self::EnvoyGateway => Row {
                name: "Envoy Gateway",
                ingress: "",
                gateway: "gateway.envoyproxy.io/gatewayclass-controller",
                reads: &[],
            },
            Self::Gateway => {
                // It may be one of Kong.
                let reads = &["konghq.com/"];
                Row { name: "an implementation of the Gateway API", ingress: "", gateway: "", reads }
            }
            Self::Other => Row { name: "the controller of this class", ingress: "", gateway: "", reads: &[] },
        }
    }

    /// The names of the controllers that serve HTTPRoutes.
    pub(crate) const GATEWAY_CONTROLLERS: &[&str] = &[
        "traefik",
        "contour",
        "haproxy-ingress",
        "alb",
        "gce",
        "openshift",
        "envoy-gateway",
        "gateway",
        "other",
    ];

    /// Returns the name of the controller in a sentence.
    ///
    /// ```
    /// use xposer::internal::Controller;
    /// assert_eq!(Controller::Contour.name(), "Contour");
    /// assert_eq!(Controller::Traefik.class_controllers(), ("traefik.io/ingress-controller", "traefik.io/gateway-controller"));
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// Returns the name of the program by which the controller serves a target. A cloud or a platform may have another one for
    /// Gateways than for Ingresses.
    pub(crate) const fn name_on(self, target: Target) -> &'static str {
        match (self, target) {
            (Self::Gce, Target::HttpRoute) => "the Gateway controller of GKE",
            (Self::Openshift, Target::HttpRoute) => "the Gateway controller of OpenShift",
            (Self::Other, Target::HttpRoute) => "the controller of this Gateway",
            _ => self.row().name,
        }
    }

    /// Returns the names of the controller in its `IngressClass` and its `GatewayClass`; empty if it has no such class.
    #[must_use]
    pub const fn class_controllers(self) -> (&'static str, &'static str) {
        (self.row().ingress, self.row().gateway)
    }

    /// Returns the table of the controller's own keys, if it shares a prefix with other programs.
    pub(crate) fn program(self) -> Option<&'static Program> {
        match self {
            Self::Contour => Some(&contour::SHARED),
            Self::Haproxy => Some(&haproxy::PROGRAM),
            Self::HaproxyIngress => Some(&haproxy_ingress::PROGRAM),
            _ => None,
        }
    }

    /// Whether it reads a key on an Ingress. A controller without a dialect here may read any key except those of
    /// ingress-nginx.
    ///
    /// ```
    /// use xposer::internal::Controller;
    /// assert!(Controller::Traefik.reads("traefik.ingress.kubernetes.io/router.tls"));
    /// assert!(!Controller::Traefik.reads("nginx.ingress.kubernetes.io/use-regex"));
    /// ```
    #[must_use]
    pub fn reads(self, key: &str) -> bool {
        match self {
            Self::Other => return !Self::IngressNginx.reads(key),
            Self::TraefikNginx => {
                return key.strip_prefix(nginx::PREFIX).is_some_and(traefik::nginx::reads);
            }
            // The other keys with this prefix belong to ingress-nginx.
            Self::Haproxy | Self::HaproxyIngress => {
                if let (Some(name), Some(program)) = (key.strip_prefix(nginx::OLD_PREFIX), self.program()) {
                    return program.reads(name);
                }
            }
            _ => {}
        }
        self.row().reads.iter().any(|start| key.starts_with(start))
    }

    /// Returns how the controller compares a path with characters of a regular expression, if it supports no regular
    /// expressions and the path is not one of its own patterns.
    pub(crate) fn literal_match_note(self, path: &str) -> Option<&'static str> {
        // For these controllers, `*` after a slash is a wildcard; for GKE, only at the end.
        let is_glob = || match self {
            Self::Gce => !is_regex_path(path.strip_suffix("/*").unwrap_or(path)),
            _ => !is_regex_path(&path.replace("/*", "")),
        };
        match self {
            Self::Haproxy => Some("compares the beginning of a path character by character"),
            Self::Alb if !is_glob() => Some(
                "reads `*` in a path as any text, `?` as any character, and every other character literally",
            ),
            Self::Gce if !is_glob() => Some("compares a path character by character"),
            _ => None,
        }
    }

    /// Whether a controller without regular expressions serves no request at such a path: it refuses the path, or no request
    /// path contains these characters.
    pub(crate) fn never_matches(self, path: &str) -> bool {
        let has_sign = path.contains(['[', ']', '{', '}', '|', '^', '\\']);
        has_sign
            || match self {
                Self::Alb => path.contains(['(', ')']),
                Self::Gce if path.contains('*') => true,
                _ => path.contains('?') || path.contains(".*") || path.contains(".+") || path.ends_with('$'),
            }
    }

    /// Returns the part of a path for which the controller refuses the whole Ingress, as the text of a message; `None` if it
    /// accepts the path.
    pub(crate) fn refused_part(self, path: &str, path_type: PathType) -> Option<String> {
        let refused: &[char] = match self {
            Self::F5Nginx => return f5_nginx::rules::refused_part(path).map(str::to_owned),
            // A path of the other type is a pattern.
            _ if path_type == PathType::ImplementationSpecific => &[],
            Self::Alb => &['*', '?'],
            Self::Gce => &['*'],
            _ => &[],
        };
        path.chars().find(|c| refused.contains(c)).map(quoted_char)
    }

    /// Whether it serves only the path itself if the type of a path leaves the meaning to the controller.
    pub(crate) fn has_whole_paths(self) -> bool {
        matches!(self, Self::Alb | Self::Gce)
    }

    /// Whether it reads a class only in the annotation `kubernetes.io/ingress.class`, never in the field.
    pub(crate) fn reads_annotation_of(self, class: &str) -> bool {
        self == Self::Gce || is_of_annotation(class)
    }

    /// Whether it serves no Ingress of a class unless one of its own options names the class.
    pub(crate) fn ignores_class_by_default(self, class: &str) -> bool {
        self == Self::Gce && !is_of_annotation(class)
    }

    /// Whether it reads the annotations of ingress-nginx.
    pub(crate) fn is_nginx(self) -> bool {
        matches!(self, Self::IngressNginx | Self::TraefikNginx)
    }

    /// Returns the program of an `IngressClass.spec.controller` or a `GatewayClass.spec.controllerName`. A slash and the name
    /// of an instance may follow the known name.
    #[must_use]
    pub fn of_spec(controller: &str) -> Option<Self> {
        let is_it = |known: &str| {
            !known.is_empty()
                && controller.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        Self::ALL.into_iter().find(|it| is_it(it.row().ingress) || is_it(it.row().gateway))
    }

    /// Returns the program that the words in the name of a class indicate. A name such as `internal` indicates none.
    #[must_use]
    pub fn of_class(class: &str) -> Option<Self> {
        let is_azure =
            class.starts_with("azure") && (class.contains("application-gateway") || class.contains("alb"));
        if is_azure {
            return Some(Self::Other);
        }
        let mut words = class.split(|c: char| !c.is_ascii_alphanumeric()).peekable();
        let mut found = None;
        while let Some(word) = words.next() {
            let program = match (word, words.peek()) {
                // Only two words together identify which nginx it is.
                ("traefik", Some(&"nginx")) => return Some(Self::TraefikNginx),
                ("f5", Some(&"nginx")) => return Some(Self::F5Nginx),
                ("ingress", Some(&"nginx")) => return Some(Self::IngressNginx),
                ("alb", _) => Self::Alb,
                ("contour", _) => Self::Contour,
                ("gce", _) => Self::Gce,
                ("haproxy", Some(&"ingress")) => Self::HaproxyIngress,
                ("haproxy", _) => Self::Haproxy,
                ("openshift", _) => Self::Openshift,
                ("traefik", _) => Self::Traefik,
                // Controllers without a dialect in this module.
                (
                    "ambassador" | "apisix" | "cilium" | "citrix" | "gloo" | "istio" | "kong" | "ngrok"
                    | "pomerium" | "skipper" | "tailscale" | "tyk" | "voyager",
                    _,
                ) => Self::Other,
                _ => continue,
            };
            found.get_or_insert(program);
        }
        // Several programs are called nginx, so any other name with `nginx` is ambiguous.
        found.filter(|_| !class.contains("nginx"))
    }
}

/// The classes that their controllers read only in the annotation, never in the field.
const ANNOTATION_CLASSES: [&str; 4] =
    ["gce", "gce-internal", "gce-regional-external", "azure/application-gateway"];

/// The classes whose programs let nobody in from the Internet: internal load balancers of Google Cloud, and a tailnet.
const INTERNAL_CLASSES: [&str; 2] = ["gce-internal", "tailscale"];

/// Whether the program of a class lets nobody in from the Internet.
pub(crate) fn is_internal(class: &str) -> bool {
    INTERNAL_CLASSES.contains(&class)
}

/// Whether a class is read only in the annotation `kubernetes.io/ingress.class`.
pub(crate) fn is_of_annotation(class: &str) -> bool {
    ANNOTATION_CLASSES.contains(&class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_recognised_by_their_names() {
        let others =
            "alb gce-internal traefik-external internal.kong azure/application-gateway openshift-default";
        for class in others.split(' ') {
            assert!(Controller::of_class(class).is_some(), "{class}");
        }
        for (class, program) in [
            ("haproxy-ingress", Controller::HaproxyIngress),
            ("haproxy-internal", Controller::Haproxy),
            ("f5-nginx", Controller::F5Nginx),
            ("traefik-nginx", Controller::TraefikNginx),
            ("public-ingress-nginx", Controller::IngressNginx),
        ] {
            assert_eq!(Controller::of_class(class), Some(program), "{class}");
        }
        let own = "nginx internal webapprouting.kubernetes.azure.com nginx-kong albatross azure-internal";
        for class in own.split(' ').chain([""]) {
            assert_eq!(Controller::of_class(class), None, "{class}");
        }
    }

    #[test]
    fn a_controller_of_a_class_can_have_an_instance() {
        for (spec, known) in [
            ("haproxy.org/ingress-controller/internal", Some(Controller::Haproxy)),
            ("gateway.envoyproxy.io/gatewayclass-controller", Some(Controller::EnvoyGateway)),
            ("k8s.io/ingress-nginx-2", None),
            ("example.com/mine", None),
        ] {
            assert_eq!(Controller::of_spec(spec), known, "{spec}");
        }
    }
}
