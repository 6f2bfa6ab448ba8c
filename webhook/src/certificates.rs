//! The certificate and its key, which are read again when their files change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error, InconsistentKeys};

/// How often both files are read at once if they change meanwhile.
const TRIES: usize = 3;

/// A certificate chain and its private key, each in a file in PEM form. Connections that exist keep the pair with which they
/// began; a new one begins with the newest pair that could be used.
///
/// ```
/// use xposer_webhook::Certificates;
/// let certificates = Certificates::new("/nowhere/tls.crt", "/nowhere/tls.key");
/// let said = certificates.reload().and_then(Result::err).unwrap_or_default();
/// assert!(said.starts_with("/nowhere/tls.crt: the file cannot be read: "));
/// // Once for each content.
/// assert_eq!(certificates.reload(), None);
/// assert!(!certificates.is_usable());
/// ```
#[derive(Debug)]
pub struct Certificates {
    certificate: PathBuf,
    key: PathBuf,
    /// What was read last, even if it cannot be used. The contents are compared and not the times, because the kubelet replaces the
    /// files of a Secret through links.
    last: Mutex<Option<Pair>>,
    current: RwLock<Option<Arc<CertifiedKey>>>,
}

type File = Result<Vec<u8>, String>;

/// The contents of both files, or why there are none.
#[derive(Clone, PartialEq)]
struct Pair {
    certificate: File,
    key: File,
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pair")
    }
}

impl Certificates {
    /// The pair in these files, which are not read yet.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
            last: Mutex::new(None),
            current: RwLock::new(None),
        }
    }

    /// Reads the files, and takes them into use. `None` if they have not changed since the last call.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or the pair cannot be used; why, in a sentence. The pair from before stays in use.
    pub fn reload(&self) -> Option<Result<(), String>> {
        let pair = self.read();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref() == Some(&pair) {
            return None;
        }
        let usable = self.usable(&pair);
        *last = Some(pair);
        Some(usable.map(|usable| {
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(usable));
        }))
    }

    /// Whether there is a pair that can be used.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.current().is_some()
    }

    fn current(&self) -> Option<Arc<CertifiedKey>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Both files as they were at one time: one that changes while the other one is read is read again.
    fn read(&self) -> Pair {
        let mut pair = Pair { certificate: read(&self.certificate), key: read(&self.key) };
        for _ in 1..TRIES {
            let certificate = read(&self.certificate);
            if certificate == pair.certificate {
                break;
            }
            pair = Pair { certificate, key: read(&self.key) };
        }
        pair
    }

    fn usable(&self, pair: &Pair) -> Result<CertifiedKey, String> {
        let (at, key_at) = (self.certificate.display(), self.key.display());
        let (certificate, key) = (pair.certificate.as_ref(), pair.key.as_ref());
        let (certificate, key) = match (certificate, key) {
            (Ok(certificate), Ok(key)) => (certificate, key),
            (Err(one), Err(two)) => return Err(format!("{one}; {two}")),
            (Err(one), _) | (_, Err(one)) => return Err(one.clone()),
        };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<_, _>>()
            .map_err(|error| format!("{at}: the certificates are not in PEM form: {error}"))?;
        if chain.is_empty() {
            return Err(format!("{at}: there is no certificate in PEM form"));
        }
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| format!("{key_at}: there is no private key in PEM form: {error}"))?;
        CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                format!("{key_at}: the key does not belong to the certificate in {at}")
            }
            Error::InvalidCertificate(why) => format!("{at}: the certificate cannot be used: {why:?}"),
            other => format!("{key_at}: the private key cannot be used: {other}"),
        })
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current()
    }
}

fn read(path: &Path) -> File {
    std::fs::read(path).map_err(|error| format!("{}: the file cannot be read: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn a_broken_pair_is_told_once_and_the_one_from_before_stays() {
        let folder = std::env::temp_dir().join(format!("xposer-tls-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
        let write = |pair: (&str, &str)| {
            std::fs::write(&certificate, pair.0).unwrap();
            std::fs::write(&key, pair.1).unwrap();
        };
        let (one, two) = (pair(), pair());
        let certificates = Certificates::new(&certificate, &key);
        let said = certificates.reload().unwrap().unwrap_err();
        assert!(said.contains("tls.crt: the file cannot be read") && said.contains("tls.key: the"), "{said}");
        write((&one.0, &one.1));
        assert_eq!((certificates.reload(), certificates.reload()), (Some(Ok(())), None));
        let before = certificates.current().unwrap();
        let no_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (broken, said) in [
            ((two.0.as_str(), one.1.as_str()), "tls.key: the key does not belong to the certificate in"),
            (("", one.1.as_str()), "tls.crt: there is no certificate in PEM form"),
            ((one.1.as_str(), one.1.as_str()), "tls.crt: there is no certificate in PEM form"),
            ((one.0.as_str(), one.0.as_str()), "tls.key: there is no private key in PEM form"),
            ((no_der, one.1.as_str()), "tls.crt: the certificate cannot be used"),
            (
                ("-----BEGIN CERTIFICATE-----\n", one.1.as_str()),
                "tls.crt: the certificates are not in PEM form",
            ),
        ] {
            write(broken);
            let found = certificates.reload().unwrap().unwrap_err();
            assert!(found.contains(said), "{found}");
            assert_eq!(certificates.reload(), None);
            assert!(Arc::ptr_eq(&before, &certificates.current().unwrap()));
        }
        write((&two.0, &two.1));
        assert_eq!(certificates.reload(), Some(Ok(())));
        assert_ne!(before.cert, certificates.current().unwrap().cert);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
