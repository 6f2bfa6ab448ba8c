//! cert-manager 1.21, which requests the certificate of an Ingress from an issuer.

mod grammar;
pub(crate) mod rules;
pub(crate) mod write;

use super::key::{KnownNames, Program};
use super::kubernetes;
use super::legacy::{Legacy, Migration, row};
use crate::validation::parse_bool;

const PREFIX: &str = "cert-manager.io/";
const ACME_PREFIX: &str = "acme.cert-manager.io/";
/// Its prefix up to version 0.10.
const OLD_PREFIX: &str = "certmanager.k8s.io/";

/// The annotation that names an Issuer on an Ingress.
pub(crate) const ISSUER: &str = "cert-manager.io/issuer";
/// The annotation that names a ClusterIssuer on an Ingress.
pub(crate) const CLUSTER_ISSUER: &str = "cert-manager.io/cluster-issuer";
/// The annotations that say that the issuer is of another kind, or of another API group.
const FOREIGN_ISSUER: [&str; 2] = ["cert-manager.io/issuer-kind", "cert-manager.io/issuer-group"];
const COMMON_NAME: &str = "cert-manager.io/common-name";
const ALT_NAMES: &str = "cert-manager.io/alt-names";
const EDIT_IN_PLACE: &str = "acme.cert-manager.io/http01-edit-in-place";
const HTTP01_CLASS_NAME: &str = "acme.cert-manager.io/http01-ingress-ingressclassname";

/// Whether a key names hosts of the certificate in addition to those of the object.
pub(super) fn names_hosts(key: &str) -> bool {
    matches!(key, COMMON_NAME | ALT_NAMES)
}

pub(super) static PROGRAM: Program = Program {
    aliases: &[OLD_PREFIX],
    ingress_prefixes: &[ISSUER, CLUSTER_ISSUER],
    // The option --extra-certificate-annotations copies issue-temporary-certificate to the Certificate.
    names_only: "alt-names cluster-issuer common-name duration email-sans ip-sans issue-temporary-certificate issuer \
     issuer-group issuer-kind private-key-algorithm private-key-encoding private-key-rotation-policy \
     private-key-size renew-before renew-before-percentage revision-history-limit secret-template \
     subject-countries subject-localities subject-organizationalunits subject-organizations \
     subject-postalcodes subject-provinces subject-serialnumber subject-streetaddresses usages",
    not_read: "allow-direct-injection certificate-name certificate-revision ignore-tls-listeners inject-apiserver-ca \
     inject-ca-from inject-ca-from-secret issuer-name next-private-key parent-gateway \
     private-key-secret-name uri-sans",
    ..Program::new("cert-manager 1.21", &[PREFIX], KnownNames::All, &[])
};

pub(super) static ACME: Program = Program {
    names_only: "http01-edit-in-place http01-ingress-class http01-ingress-ingressclassname",
    not_read: "http-domain http-token http01-override-ingress-class http01-override-ingress-ingressclassname \
     http01-override-ingress-name http01-parentreffallback http01-parentrefkind http01-parentrefname \
     http01-parentrefnamespace http01-solver",
    ..Program::new("cert-manager 1.21", &[ACME_PREFIX], KnownNames::All, &[])
};

const UPGRADE: &str = "cert-manager 0.11, upgrading 0.10 to 0.11";

pub(super) static LEGACY: &[Legacy] = &[
    row("certmanager.k8s.io/issuer", Migration::Renamed("cert-manager.io/issuer"), UPGRADE),
    row("certmanager.k8s.io/cluster-issuer", Migration::Renamed("cert-manager.io/cluster-issuer"), UPGRADE),
    row(
        "certmanager.k8s.io/acme-http01-edit-in-place",
        Migration::Dropped(
            "cert-manager makes an Ingress of its own for each challenge, and its changes to this one are removed",
        ),
        "cert-manager 1.21, acme.cert-manager.io/http01-edit-in-place",
    ),
    row(
        "certmanager.k8s.io/acme-http01-ingress-class",
        Migration::Renamed("acme.cert-manager.io/http01-ingress-class"),
        UPGRADE,
    ),
    row(
        "certmanager.k8s.io/acme-challenge-type",
        Migration::Dropped("the solver is configured in the Issuer"),
        "cert-manager 0.8, solvers of the ACME Issuer",
    ),
    row(
        "certmanager.k8s.io/acme-dns01-provider",
        Migration::Dropped("the solver is configured in the Issuer"),
        "cert-manager 0.8, solvers of the ACME Issuer",
    ),
    row("certmanager.k8s.io/", Migration::Dead("cert-manager reads cert-manager.io/ keys"), UPGRADE),
];

/// Whether cert-manager reads a key on a Gateway and on a ListenerSet. There, it requests certificates only if an issuer is
/// named.
pub(crate) fn is_read_on_listeners(key: &str) -> bool {
    key.strip_prefix(PREFIX).is_some_and(|name| PROGRAM.reads(name))
}

/// Whether an annotation names an issuer.
pub(crate) fn is_issuer(key: &str) -> bool {
    matches!(key, ISSUER | CLUSTER_ISSUER)
}

/// Whether an annotation names an issuer, or its kind or API group.
pub(crate) fn is_about_issuer(key: &str) -> bool {
    is_issuer(key) || FOREIGN_ISSUER.contains(&key)
}

/// Whether an annotation requests a certificate: it names an issuer, or asks for the default one.
fn asks(key: &str, value: &str) -> bool {
    is_issuer(key) || (key == kubernetes::TLS_ACME && parse_bool(value) == Some(true))
}

/// Whether a key affects the choice of the issuer.
pub(crate) fn chooses_issuer(key: &str) -> bool {
    matches!(key, CLUSTER_ISSUER | kubernetes::TLS_ACME) || key.starts_with(ISSUER)
}

/// Returns whether a key, under the current prefix or the old one, names a ClusterIssuer; `None` if it names no issuer.
pub(crate) fn named_kind(key: &str) -> Option<bool> {
    match key.strip_prefix(PREFIX).or_else(|| key.strip_prefix(OLD_PREFIX))? {
        "issuer" => Some(false),
        "cluster-issuer" => Some(true),
        _ => None,
    }
}
