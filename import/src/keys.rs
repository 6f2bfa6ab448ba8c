//! The annotations of proposals.

/// The annotations by their names.
macro_rules! keys {
    ($($name:ident = $key:literal),+ $(,)?) => {
        $(pub(crate) const $name: &str = concat!("config.xposer.stakater.com/", $key);)+

        #[cfg(test)]
        pub(crate) const ALL: &[&str] = &[$($name),+];
    };
}

keys! {
    NAME = "IngressNameTemplate",
    URL = "IngressURLTemplate",
    PATH = "IngressURLPath",
    TLS = "TLS",
    SECRET = "TLSSecretNameTemplate",
    TLS_HOSTS = "TLSHosts",
    HTTPS_REDIRECT = "HTTPSRedirect",
    PORT = "ServicePort",
    PATH_TYPE = "PathType",
    CLASS = "IngressClassName",
    TARGET = "Target",
    PROFILE = "Profile",
    ISSUER = "Issuer",
    CLUSTER_ISSUER = "ClusterIssuer",
    LABELS = "Labels",
    CANARY_OF = "CanaryOf",
    STRIP_PREFIX = "StripPrefix",
    REWRITE_PATH = "RewritePath",
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn every_key_is_one_of_the_core() {
        for name in ALL {
            assert!(xposer::options::annotations().any(|(key, _)| key.name == *name), "{name}");
        }
    }
}
