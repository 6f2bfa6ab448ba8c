//! The certificate and its key, which are reloaded when their files change.

use std::io::Read;
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
/// The greatest length of a file, in bytes. A whole Secret has no more.
const MAX_FILE: u64 = 1 << 20;

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
    known: Mutex<FileState>,
    current: RwLock<Option<Arc<LoadedPair>>>,
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
struct FileState {
    /// The contents that were read last, even if they cannot be used. Contents are compared and not modification times, because the
    /// kubelet replaces the files of a Secret through symbolic links.
    last: Option<Pair>,
    /// The pair in the files, or the reason why it cannot be used.
    found: Option<Result<Arc<LoadedPair>, String>>,
    /// The result that was returned last.
    last_reported: Option<Reloaded>,
    has_been_valid: bool,
}

type File = Result<Vec<u8>, String>;

/// The contents of both files, or the reason why they could not be read.
#[derive(Clone, PartialEq)]
pub(crate) struct Pair {
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
struct LoadedPair {
    pair: Arc<CertifiedKey>,
    /// The first and the last second in which clients accept the certificate.
    not_before: i64,
    not_after: i64,
}

impl LoadedPair {
    fn is_valid(&self, now: i64) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }

    /// Whether this pair, which is in use, stays in use although `other` is in the files.
    fn is_better(&self, other: &Self, now: i64) -> bool {
        let rank = |it: &Self| (it.is_valid(now), it.not_after);
        !other.is_valid(now) && rank(self) > rank(other)
    }

    /// The reason why clients do not accept the certificate now.
    fn invalid_reason(&self, now: i64) -> Option<String> {
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

    /// Reads both files, and uses the pair in them if it is better at this time than the pair in use. Returns `None` if neither the
    /// files nor the result have changed since the last call. The caller repeats this, because a certificate can also become valid
    /// or expire without a change of its file. It blocks as long as the file system does; [`Reader`](crate::Reader) has a time
    /// limit.
    pub fn reload(&self) -> Option<Reloaded> {
        self.apply(self.read(), Timestamp::now().as_second())
    }

    /// Takes the pair that was read into use if it is the better one at this time.
    pub(crate) fn apply(&self, pair: Pair, now: i64) -> Option<Reloaded> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = known.last.as_ref() != Some(&pair);
        if is_new {
            known.found = Some(self.usable(&pair).map(Arc::new));
            known.last = Some(pair);
        }
        let result = self.choose(known.found.as_ref()?, now);
        known.has_been_valid |= self.current().is_some_and(|current| current.is_valid(now));
        if !is_new && known.last_reported.as_ref() == Some(&result) {
            return None;
        }
        known.last_reported = Some(result.clone());
        Some(result)
    }

    /// The same for a read without a result: the pair in use stays. `reason` says why there is no result.
    pub(crate) fn read_failed(&self, reason: &str, now: i64) -> Option<Reloaded> {
        let message = format!("{}: {reason}", self.certificate.display());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // The pair of an earlier read may become valid meanwhile.
        if let Some(found) = &known.found {
            self.choose(found, now);
        }
        let result = self.choose(&Err(message), now);
        known.has_been_valid |= self.current().is_some_and(|current| current.is_valid(now));
        if known.last_reported.as_ref() == Some(&result) {
            return None;
        }
        known.last_reported = Some(result.clone());
        Some(result)
    }

    /// Takes the better one of the pair in use and that of the files into use.
    fn choose(&self, found: &Result<Arc<LoadedPair>, String>, now: i64) -> Reloaded {
        let at = self.certificate.display();
        let current = self.current();
        let message = match found {
            Ok(found) if current.as_ref().is_none_or(|current| !current.is_better(found, now)) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(found.clone());
                return match found.invalid_reason(now) {
                    Some(trouble) => Reloaded::UsedInvalid(format!("{at}: the certificate {trouble}")),
                    None => Reloaded::Used,
                };
            }
            Ok(found) => format!("{at}: the certificate {}", found.invalid_reason(now).unwrap_or_default()),
            Err(said) => said.clone(),
        };
        Reloaded::NotUsed(match current.and_then(|current| current.invalid_reason(now)) {
            Some(trouble) => format!("{message}; the certificate in use {trouble}"),
            None => message,
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

    fn current(&self) -> Option<Arc<LoadedPair>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Both files as they were at one time: one that changes while the other one is read is read again.
    pub(crate) fn read(&self) -> Pair {
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

    fn usable(&self, pair: &Pair) -> Result<LoadedPair, String> {
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
        Ok(LoadedPair { pair: Arc::new(pair), not_before, not_after })
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

/// The content of a regular file of at most [`MAX_FILE`] bytes. A read of anything else can block, or never end.
fn read(path: &Path) -> File {
    let at = path.display();
    let wrong = |error: std::io::Error| format!("{at}: the file cannot be read: {error}");
    // This follows links, because the kubelet mounts the files of a Secret as links. To open a named pipe blocks until somebody writes to it.
    if !std::fs::metadata(path).map_err(wrong)?.is_file() {
        return Err(format!("{at}: this is not a regular file"));
    }
    let mut content = Vec::new();
    let file = std::fs::File::open(path).map_err(wrong)?;
    file.take(MAX_FILE + 1).read_to_end(&mut content).map_err(wrong)?;
    if content.len() as u64 > MAX_FILE {
        return Err(format!("{at}: the file is longer than {} MiB", MAX_FILE >> 20));
    }
    Ok(content)
}

#[cfg(test)]
mod tests;
