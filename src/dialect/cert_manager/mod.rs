//! cert-manager 1.21, which asks an issuer for the certificate of an Ingress.

mod grammar;
pub(crate) mod rules;

use super::key::{Names, Program, key};
use super::kubernetes;
use super::legacy::{Legacy, Migration};
use crate::validation::{Issuer, parse_bool};

const PREFIX: &str = "cert-manager.io/";
const ACME_PREFIX: &str = "acme.cert-manager.io/";
/// Its prefix up to 0.10.
const OLD_PREFIX: &str = "certmanager.k8s.io/";

/// The annotation that names an Issuer on an Ingress.
pub(crate) const ISSUER: &str = "cert-manager.io/issuer";
/// The annotation that names a ClusterIssuer on an Ingress.
pub(crate) const CLUSTER_ISSUER: &str = "cert-manager.io/cluster-issuer";
/// The annotations that say that the issuer is of another kind.
const FOREIGN_ISSUER: [&str; 2] = ["cert-manager.io/issuer-kind", "cert-manager.io/issuer-group"];
const COMMON_NAME: &str = "cert-manager.io/common-name";
const EDIT_IN_PLACE: &str = "acme.cert-manager.io/http01-edit-in-place";
const HTTP01_CLASS_NAME: &str = "acme.cert-manager.io/http01-ingress-ingressclassname";

pub(super) static PROGRAM: Program = Program::new(
    "cert-manager 1.21",
    &[PREFIX],
    Names::All,
    &[
        key("allow-direct-injection").unread(),
        key("alt-names"),
        key("certificate-name").unread(),
        key("certificate-revision").unread(),
        key("cluster-issuer"),
        key("common-name"),
        key("duration"),
        key("email-sans"),
        key("ignore-tls-listeners").unread(),
        key("inject-apiserver-ca").unread(),
        key("inject-ca-from").unread(),
        key("inject-ca-from-secret").unread(),
        key("ip-sans"),
        // Of a Certificate; the option --extra-certificate-annotations takes it there.
        key("issue-temporary-certificate"),
        key("issuer"),
        key("issuer-group"),
        key("issuer-kind"),
        key("issuer-name").unread(),
        key("next-private-key").unread(),
        key("parent-gateway").unread(),
        key("private-key-algorithm"),
        key("private-key-encoding"),
        key("private-key-rotation-policy"),
        key("private-key-secret-name").unread(),
        key("private-key-size"),
        key("renew-before"),
        key("renew-before-percentage"),
        key("revision-history-limit"),
        key("secret-template"),
        key("subject-countries"),
        key("subject-localities"),
        key("subject-organizationalunits"),
        key("subject-organizations"),
        key("subject-postalcodes"),
        key("subject-provinces"),
        key("subject-serialnumber"),
        key("subject-streetaddresses"),
        key("uri-sans").unread(),
        key("usages"),
    ],
)
.aliases(&[OLD_PREFIX])
.beside(&[ISSUER, CLUSTER_ISSUER]);

pub(super) static ACME: Program = Program::new(
    "cert-manager 1.21",
    &[ACME_PREFIX],
    Names::All,
    &[
        key("http-domain").unread(),
        key("http-token").unread(),
        key("http01-edit-in-place"),
        key("http01-ingress-class"),
        key("http01-ingress-ingressclassname"),
        key("http01-override-ingress-class").unread(),
        key("http01-override-ingress-ingressclassname").unread(),
        key("http01-override-ingress-name").unread(),
        key("http01-parentreffallback").unread(),
        key("http01-parentrefkind").unread(),
        key("http01-parentrefname").unread(),
        key("http01-parentrefnamespace").unread(),
        key("http01-solver").unread(),
    ],
);

pub(super) static LEGACY: &[Legacy] = &[
    Legacy {
        old: "certmanager.k8s.io/issuer",
        migration: Migration::Renamed("cert-manager.io/issuer"),
        source: "cert-manager 0.11, upgrading 0.10 to 0.11",
    },
    Legacy {
        old: "certmanager.k8s.io/cluster-issuer",
        migration: Migration::Renamed("cert-manager.io/cluster-issuer"),
        source: "cert-manager 0.11, upgrading 0.10 to 0.11",
    },
    Legacy {
        old: "certmanager.k8s.io/acme-http01-edit-in-place",
        migration: Migration::Dropped(
            "cert-manager makes an Ingress of its own for each challenge, and what it writes into this one is taken out",
        ),
        source: "cert-manager 1.21, acme.cert-manager.io/http01-edit-in-place",
    },
    Legacy {
        old: "certmanager.k8s.io/acme-http01-ingress-class",
        migration: Migration::Renamed("acme.cert-manager.io/http01-ingress-class"),
        source: "cert-manager 0.11, upgrading 0.10 to 0.11",
    },
    Legacy {
        old: "certmanager.k8s.io/acme-challenge-type",
        migration: Migration::Dropped("the solver is configured in the Issuer"),
        source: "cert-manager 0.8, solvers of the ACME Issuer",
    },
    Legacy {
        old: "certmanager.k8s.io/acme-dns01-provider",
        migration: Migration::Dropped("the solver is configured in the Issuer"),
        source: "cert-manager 0.8, solvers of the ACME Issuer",
    },
    Legacy {
        old: "certmanager.k8s.io/",
        migration: Migration::Dead("cert-manager reads cert-manager.io/ keys"),
        source: "cert-manager 0.11, upgrading 0.10 to 0.11",
    },
];

/// The annotation that names an issuer on an Ingress.
pub(crate) fn issuer_key(issuer: &Issuer) -> &'static str {
    if issuer.cluster { CLUSTER_ISSUER } else { ISSUER }
}

/// Whether an annotation names an issuer.
pub(crate) fn is_issuer(key: &str) -> bool {
    matches!(key, ISSUER | CLUSTER_ISSUER)
}

/// Whether an annotation names an issuer or its kind.
pub(crate) fn is_about_issuer(key: &str) -> bool {
    is_issuer(key) || FOREIGN_ISSUER.contains(&key)
}

/// Whether an annotation asks for a certificate: it names an issuer, or means the default one.
pub(crate) fn asks(key: &str, value: &str) -> bool {
    is_issuer(key) || (key == kubernetes::TLS_ACME && parse_bool(value) == Some(true))
}

/// Whether a key has a part in which issuer is asked.
pub(crate) fn chooses_issuer(key: &str) -> bool {
    matches!(key, CLUSTER_ISSUER | kubernetes::TLS_ACME) || key.starts_with(ISSUER)
}

/// Whether the key of an annotation, under the current prefix or the old one, names a ClusterIssuer; `None` if it names no
/// issuer.
pub(crate) fn named_kind(key: &str) -> Option<bool> {
    match key.strip_prefix(PREFIX).or_else(|| key.strip_prefix(OLD_PREFIX))? {
        "issuer" => Some(false),
        "cluster-issuer" => Some(true),
        _ => None,
    }
}
