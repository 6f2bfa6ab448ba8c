//! The certificate and its key, which are reloaded when their files change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error, InconsistentKeys};

/// How many times both files are read again if they change in between.
const TRIES: usize = 3;

/// A certificate chain and its private key, each in a PEM file. A connection keeps the pair with which it began; a new connection
/// uses the pair in use.
///
/// The pair in the files comes into use if it is valid now. A pair that is expired or not yet valid does not replace a valid one:
/// it comes into use when it becomes valid, or when the pair in use has expired and expired earlier.
///
/// ```
/// use xposer_webhook::{Certificates, Reloaded};
/// let certificates = Certificates::new("/nowhere/tls.crt", "/nowhere/tls.key");
/// let Some(Reloaded::NotUsed(said)) = certificates.reload() else { unreachable!() };
/// assert!(said.starts_with("/nowhere/tls.crt: the file cannot be read: "));
/// // Once, until it changes.
/// assert_eq!(certificates.reload(), None);
/// assert!(!certificates.is_usable() && !certificates.has_been_valid());
/// ```
#[derive(Debug)]
pub struct Certificates {
    certificate: PathBuf,
    key: PathBuf,
    known: Mutex<Known>,
    current: RwLock<Option<Arc<Usable>>>,
}

/// The result of loading the pair in the files.
///
/// ```
/// use xposer_webhook::Reloaded;
/// assert_ne!(Reloaded::Used, Reloaded::NotUsed("tls.crt: there is no certificate in PEM form".to_owned()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// The pair is in use and valid.
    Used,
    /// The pair is in use because there is no better one, but clients do not accept it now; the text tells why.
    UsedInvalid(String),
    /// The pair is not in use; the text tells why. The previous pair stays in use, if there is one.
    NotUsed(String),
}

/// The state of the files.
#[derive(Debug, Default)]
struct Known {
    /// The contents that were read last, even if they cannot be used. Contents are compared and not modification times, because the
    /// kubelet replaces the files of a Secret through symbolic links.
    last: Option<Pair>,
    /// The pair in the files, or the reason why it cannot be used.
    found: Option<Result<Arc<Usable>, String>>,
    /// The result that was returned last.
    told: Option<Reloaded>,
    has_been_valid: bool,
}

type File = Result<Vec<u8>, String>;

/// The contents of both files, or the reason why they could not be read.
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

/// A pair that can be used for connections.
#[derive(Debug)]
struct Usable {
    pair: Arc<CertifiedKey>,
    /// The first and the last second in which clients accept the certificate.
    not_before: i64,
    not_after: i64,
}

impl Usable {
    fn is_valid(&self, now: i64) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }

    /// Whether this pair, which is in use, stays in use although `other` is in the files.
    fn is_better(&self, other: &Self, now: i64) -> bool {
        let rank = |it: &Self| (it.is_valid(now), it.not_after);
        !other.is_valid(now) && rank(self) > rank(other)
    }

    /// The reason why clients do not accept the certificate now.
    fn trouble(&self, now: i64) -> Option<String> {
        if now < self.not_before {
            Some(format!("is not valid before {}", time(self.not_before)))
        } else if now > self.not_after {
            Some(format!("expired at {}", time(self.not_after)))
        } else {
            None
        }
    }
}

/// A time in the format of RFC 3339.
fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| format!("second {seconds}"), |time| time.to_string())
}

impl Certificates {
    /// Creates the state for these files, without reading them.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
            known: Mutex::default(),
            current: RwLock::new(None),
        }
    }

    /// Reads the files, and uses their pair if it is the better one now. Returns `None` if neither the files nor the result have
    /// changed since the last call. Call this periodically, because a certificate becomes valid and expires without a change of its
    /// file.
    pub fn reload(&self) -> Option<Reloaded> {
        self.reload_at(Timestamp::now().as_second())
    }

    fn reload_at(&self, now: i64) -> Option<Reloaded> {
        let pair = self.read();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = known.last.as_ref() != Some(&pair);
        if is_new {
            known.found = Some(self.usable(&pair).map(Arc::new));
            known.last = Some(pair);
        }
        let told = self.choose(known.found.as_ref()?, now);
        known.has_been_valid |= self.current().is_some_and(|current| current.is_valid(now));
        if !is_new && known.told.as_ref() == Some(&told) {
            return None;
        }
        known.told = Some(told.clone());
        Some(told)
    }

    /// Chooses the better one of the pair in use and the pair in the files.
    fn choose(&self, found: &Result<Arc<Usable>, String>, now: i64) -> Reloaded {
        let at = self.certificate.display();
        let current = self.current();
        let said = match found {
            Ok(found) if current.as_ref().is_none_or(|current| !current.is_better(found, now)) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(found.clone());
                return match found.trouble(now) {
                    Some(trouble) => Reloaded::UsedInvalid(format!("{at}: the certificate {trouble}")),
                    None => Reloaded::Used,
                };
            }
            Ok(found) => format!("{at}: the certificate {}", found.trouble(now).unwrap_or_default()),
            Err(said) => said.clone(),
        };
        Reloaded::NotUsed(match current.and_then(|current| current.trouble(now)) {
            Some(trouble) => format!("{said}; the certificate in use {trouble}"),
            None => said,
        })
    }

    /// Whether there is a pair in use.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.current().is_some()
    }

    /// Whether a pair was in use and valid at one of the calls of `reload`.
    #[must_use]
    pub fn has_been_valid(&self) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).has_been_valid
    }

    fn current(&self) -> Option<Arc<Usable>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns consistent contents of both files: if one changes while the other is read, both are read again.
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

    fn usable(&self, pair: &Pair) -> Result<Usable, String> {
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
        // Only the own certificate counts: a client may use other issuers than those in the file.
        let Some(own) = chain.first() else {
            return Err(format!("{at}: there is no certificate in PEM form"));
        };
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| format!("{key_at}: there is no private key in PEM form: {error}"))?;
        let (not_before, not_after) =
            validity(own).map_err(|error| format!("{at}: the certificate cannot be used: {error}"))?;
        let pair = CertifiedKey::from_der(chain, key, &ring::default_provider());
        let pair = pair.map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                format!("{key_at}: the key does not belong to the certificate in {at}")
            }
            Error::InvalidCertificate(why) => format!("{at}: the certificate cannot be used: {why:?}"),
            other => format!("{key_at}: the private key cannot be used: {other}"),
        })?;
        Ok(Usable { pair: Arc::new(pair), not_before, not_after })
    }
}

/// The first and the last second in which a certificate is valid.
fn validity(certificate: &[u8]) -> Result<(i64, i64), String> {
    let (_, certificate) =
        x509_parser::parse_x509_certificate(certificate).map_err(|error| error.to_string())?;
    let validity = certificate.validity();
    Ok((validity.not_before.timestamp(), validity.not_after.timestamp()))
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current().map(|current| current.pair.clone())
    }
}

fn read(path: &Path) -> File {
    std::fs::read(path).map_err(|error| format!("{}: the file cannot be read: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A time at which [`pair`] is valid.
    const NOW: i64 = 1_767_225_600;
    const DAY: i64 = 24 * 60 * 60;

    struct Files {
        folder: tempfile::TempDir,
        certificates: Certificates,
    }

    impl Files {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            let certificates = Certificates::new(at("tls.crt"), at("tls.key"));
            Self { folder, certificates }
        }

        /// With this pair, which is used.
        fn using(pair: &Made) -> Self {
            let files = Self::new();
            files.write(pair.both());
            assert_eq!(files.reload(NOW).as_deref(), Some("used"));
            files
        }

        fn write(&self, (certificate, key): (&str, &str)) {
            std::fs::write(self.folder.path().join("tls.crt"), certificate).unwrap();
            std::fs::write(self.folder.path().join("tls.key"), key).unwrap();
        }

        /// The result at a time, without the folder.
        fn reload(&self, now: i64) -> Option<String> {
            let (word, said) = match self.certificates.reload_at(now)? {
                Reloaded::Used => ("used", String::new()),
                Reloaded::UsedInvalid(said) => ("used, but ", said),
                Reloaded::NotUsed(said) => ("not used: ", said),
            };
            Some(word.to_owned() + &said.replace(&format!("{}/", self.folder.path().display()), ""))
        }

        fn serves(&self, pair: &Made) -> bool {
            let current = self.certificates.current().unwrap();
            current.pair.cert[0] == CertificateDer::from_pem_slice(pair.0.as_bytes()).unwrap()
        }
    }

    /// A certificate and its key.
    struct Made(String, String);

    impl Made {
        /// A pair that is valid between these days, counted from [`NOW`].
        fn new(from: i64, to: i64) -> Self {
            let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
            let origin = rcgen::date_time_ymd(2026, 1, 1);
            let days = |days: i64| std::time::Duration::from_secs((days.abs() * DAY).try_into().unwrap());
            let at = |day: i64| if day < 0 { origin - days(day) } else { origin + days(day) };
            (params.not_before, params.not_after) = (at(from), at(to));
            let key = rcgen::KeyPair::generate().unwrap();
            Self(params.self_signed(&key).unwrap().pem(), key.serialize_pem())
        }

        fn both(&self) -> (&str, &str) {
            (&self.0, &self.1)
        }
    }

    fn pair() -> Made {
        Made::new(-1, 1)
    }

    #[test]
    fn a_broken_pair_is_told_once_and_the_one_from_before_stays() {
        let files = Files::new();
        let (one, two) = (pair(), pair());
        let said = files.reload(NOW).unwrap();
        assert!(
            said.starts_with("not used: tls.crt: the file cannot be read") && said.contains("tls.key: the"),
            "{said}"
        );
        assert!(!files.certificates.is_usable());
        files.write(one.both());
        assert_eq!((files.reload(NOW).as_deref(), files.reload(NOW)), (Some("used"), None));
        let no_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (broken, said) in [
            (
                (two.0.as_str(), one.1.as_str()),
                "tls.key: the key does not belong to the certificate in tls.crt",
            ),
            (("", one.1.as_str()), "tls.crt: there is no certificate in PEM form"),
            ((one.1.as_str(), one.1.as_str()), "tls.crt: there is no certificate in PEM form"),
            ((one.0.as_str(), one.0.as_str()), "tls.key: there is no private key in PEM form"),
            ((no_der, one.1.as_str()), "tls.crt: the certificate cannot be used"),
            (
                ("-----BEGIN CERTIFICATE-----\n", one.1.as_str()),
                "tls.crt: the certificates are not in PEM form",
            ),
        ] {
            files.write(broken);
            let found = files.reload(NOW).unwrap();
            assert!(found.starts_with(&format!("not used: {said}")), "{found}");
            assert_eq!(files.reload(NOW), None);
            assert!(files.serves(&one));
        }
        // The certificate in use has expired in the meantime.
        let said = files.reload(NOW + 2 * DAY).unwrap();
        assert!(said.ends_with("; the certificate in use expired at 2026-01-02T00:00:00Z"), "{said}");
        files.write(two.both());
        assert_eq!(files.reload(NOW).as_deref(), Some("used"));
        assert!(files.serves(&two));
    }

    #[test]
    fn an_expired_certificate_does_not_replace_a_valid_one() {
        let (good, expired) = (pair(), Made::new(-30, -1));
        let files = Files::using(&good);
        files.write(expired.both());
        let said = "not used: tls.crt: the certificate expired at 2025-12-31T00:00:00Z";
        assert_eq!((files.reload(NOW).as_deref(), files.reload(NOW)), (Some(said), None));
        assert!(files.serves(&good));
        // If both have expired, the one that expired later is better.
        let later = format!("{said}; the certificate in use expired at 2026-01-02T00:00:00Z");
        assert_eq!((files.reload(NOW + 2 * DAY), files.reload(NOW + 2 * DAY)), (Some(later), None));
        assert!(files.serves(&good));
        let newer = Made::new(-30, 2);
        files.write(newer.both());
        let said = "used, but tls.crt: the certificate expired at 2026-01-03T00:00:00Z";
        assert_eq!(files.reload(NOW + 3 * DAY).as_deref(), Some(said));
        assert!(files.serves(&newer));
        // A valid certificate replaces it, and another valid one replaces that, however long each is valid.
        for valid in [Made::new(0, 9), Made::new(0, 5)] {
            files.write(valid.both());
            assert_eq!(files.reload(NOW + 3 * DAY).as_deref(), Some("used"));
            assert!(files.serves(&valid));
        }
    }

    #[test]
    fn a_certificate_that_is_not_valid_yet_waits() {
        let (good, early) = (pair(), Made::new(1, 30));
        let files = Files::using(&good);
        files.write(early.both());
        let said = "not used: tls.crt: the certificate is not valid before 2026-01-02T00:00:00Z";
        assert_eq!((files.reload(NOW).as_deref(), files.reload(NOW)), (Some(said), None));
        assert!(files.serves(&good));
        // The last second before it is valid; the file has not changed.
        assert_eq!(files.reload(NOW + DAY - 1), None);
        assert_eq!(files.reload(NOW + DAY).as_deref(), Some("used"));
        assert!(files.serves(&early));
    }

    #[test]
    fn at_the_start_there_may_be_no_better_one() {
        let files = Files::new();
        let expired = Made::new(-30, -1);
        files.write(expired.both());
        let said = "used, but tls.crt: the certificate expired at 2025-12-31T00:00:00Z";
        assert_eq!((files.reload(NOW).as_deref(), files.reload(NOW)), (Some(said), None));
        assert!(files.serves(&expired) && !files.certificates.has_been_valid());
        // A certificate that is not valid yet is better than an expired one.
        let early = Made::new(1, 30);
        files.write(early.both());
        let said = "used, but tls.crt: the certificate is not valid before 2026-01-02T00:00:00Z";
        assert_eq!(files.reload(NOW).as_deref(), Some(said));
        assert_eq!((files.reload(NOW + DAY).as_deref(), files.reload(NOW + 2 * DAY)), (Some("used"), None));
        // It expires without a change of the files.
        let said = "used, but tls.crt: the certificate expired at 2026-01-31T00:00:00Z";
        assert_eq!(files.reload(NOW + 31 * DAY).as_deref(), Some(said));
        assert!(files.serves(&early) && files.certificates.has_been_valid());
    }
}
