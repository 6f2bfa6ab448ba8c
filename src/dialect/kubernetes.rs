//! The annotations of Kubernetes itself, and annotations of other programs with its prefix.

use super::key::{KnownNames, NeutralValue, Program, Shape, key};
use super::legacy::{Legacy, Migration, row};
use crate::values::BackendProtocol;

/// The annotation that named the class before the field `ingressClassName` existed.
pub(crate) const CLASS: &str = "kubernetes.io/ingress.class";
/// The annotation that asks cert-manager for a certificate of its default issuer.
pub(crate) const TLS_ACME: &str = "kubernetes.io/tls-acme";

/// The annotation that closes the port without TLS, for some controllers.
pub(crate) const ALLOW_HTTP: &str = "kubernetes.io/ingress.allow-http";

/// The prefixes of the keys in which clients store what they applied.
pub(crate) const CLIENT_PREFIXES: [&str; 2] = ["kubectl.kubernetes.io/", "meta.helm.sh/"];

pub(super) static LEGACY: &[Legacy] =
    &[row(CLASS, Migration::Class, "Kubernetes 1.18, networking.k8s.io/v1 Ingress")];

pub(super) static PROGRAM: Program = Program {
    ingress_prefixes: &[TLS_ACME],
    names_only: "ingress.class ingress.global-static-ip-name ingress.regional-static-ip-name tls-acme",
    ..Program::new(
        "Kubernetes 1.36",
        &["kubernetes.io/"],
        KnownNames::Own,
        &[key("ingress.allow-http").shape(Shape::Boolean).redirects().neutral(NeutralValue::True)],
    )
};

/// Returns the protocol of a Service port with this `appProtocol`. Other values need nothing, or are not known.
pub(crate) fn backend_protocol(app_protocol: &str) -> BackendProtocol {
    match app_protocol {
        "kubernetes.io/h2c" => BackendProtocol::H2c,
        "https" => BackendProtocol::Https,
        "grpc" => BackendProtocol::Grpc,
        _ => BackendProtocol::Http,
    }
}
