use super::*;

/// A time within [`pair`], and one day.
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

    /// With this pair, which comes into use.
    fn using(pair: &SignedPair) -> Self {
        let files = Self::new();
        files.write(pair.both());
        assert_eq!(files.reload(NOW).as_deref(), Some("used"));
        files
    }

    fn write(&self, (certificate, key): (&str, &str)) {
        std::fs::write(self.folder.path().join("tls.crt"), certificate).unwrap();
        std::fs::write(self.folder.path().join("tls.key"), key).unwrap();
    }

    /// What is said at a time, without the folder.
    fn reload(&self, now: i64) -> Option<String> {
        let (word, said) = match self.certificates.apply(self.certificates.read(), now)? {
            Reloaded::Used => ("used", String::new()),
            Reloaded::UsedInvalid(said) => ("used, but ", said),
            Reloaded::NotUsed(said) => ("not used: ", said),
        };
        Some(word.to_owned() + &said.replace(&format!("{}/", self.folder.path().display()), ""))
    }

    fn serves(&self, pair: &SignedPair) -> bool {
        let current = self.certificates.current().unwrap();
        current.pair.cert[0] == CertificateDer::from_pem_slice(pair.0.as_bytes()).unwrap()
    }
}

/// A certificate and its key.
struct SignedPair(String, String);

impl SignedPair {
    /// Valid in these days, counted from [`NOW`].
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

fn pair() -> SignedPair {
    SignedPair::new(-1, 1)
}

#[test]
fn broken_pair_is_reported_once_and_the_previous_pair_stays() {
    let files = Files::new();
    let (one, two) = (pair(), pair());
    let message = files.reload(NOW).unwrap();
    assert!(
        message.starts_with("not used: tls.crt: the file cannot be read") && message.contains("tls.key: the"),
        "{message}"
    );
    assert!(!files.certificates.is_usable());
    files.write(one.both());
    assert_eq!((files.reload(NOW).as_deref(), files.reload(NOW)), (Some("used"), None));
    let no_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (broken, said) in [
        ((two.0.as_str(), one.1.as_str()), "tls.key: the key does not belong to the certificate in tls.crt"),
        (("", one.1.as_str()), "tls.crt: there is no certificate in PEM form"),
        ((one.1.as_str(), one.1.as_str()), "tls.crt: there is no certificate in PEM form"),
        ((one.0.as_str(), one.0.as_str()), "tls.key: there is no private key in PEM form"),
        ((no_der, one.1.as_str()), "tls.crt: the certificate cannot be used"),
        (("-----BEGIN CERTIFICATE-----\n", one.1.as_str()), "tls.crt: the certificates are not in PEM form"),
    ] {
        files.write(broken);
        let found = files.reload(NOW).unwrap();
        assert!(found.starts_with(&format!("not used: {said}")), "{found}");
        assert_eq!(files.reload(NOW), None);
        assert!(files.serves(&one));
    }
    // The one in use expires meanwhile.
    let message = files.reload(NOW + 2 * DAY).unwrap();
    assert!(message.ends_with("; the certificate in use expired at 2026-01-02T00:00:00Z"), "{message}");
    files.write(two.both());
    assert_eq!(files.reload(NOW).as_deref(), Some("used"));
    assert!(files.serves(&two));
}

#[test]
fn an_expired_certificate_does_not_replace_a_valid_one() {
    let (good, expired) = (pair(), SignedPair::new(-30, -1));
    let files = Files::using(&good);
    files.write(expired.both());
    let message = "not used: tls.crt: the certificate expired at 2025-12-31T00:00:00Z";
    assert_eq!((files.reload(NOW).as_deref(), files.reload(NOW)), (Some(message), None));
    assert!(files.serves(&good));
    // When both have expired, the newer one is better.
    let later = format!("{message}; the certificate in use expired at 2026-01-02T00:00:00Z");
    assert_eq!((files.reload(NOW + 2 * DAY), files.reload(NOW + 2 * DAY)), (Some(later), None));
    assert!(files.serves(&good));
    let newer = SignedPair::new(-30, 2);
    files.write(newer.both());
    let message = "used, but tls.crt: the certificate expired at 2026-01-03T00:00:00Z";
    assert_eq!(files.reload(NOW + 3 * DAY).as_deref(), Some(message));
    assert!(files.serves(&newer));
    // A valid one ends that, and another valid one replaces it, for however long.
    for valid in [SignedPair::new(0, 9), SignedPair::new(0, 5)] {
        files.write(valid.both());
        assert_eq!(files.reload(NOW + 3 * DAY).as_deref(), Some("used"));
        assert!(files.serves(&valid));
    }
}

#[test]
fn a_certificate_that_is_not_valid_yet_waits() {
    let (good, early) = (pair(), SignedPair::new(1, 30));
    let files = Files::using(&good);
    files.write(early.both());
    let message = "not used: tls.crt: the certificate is not valid before 2026-01-02T00:00:00Z";
    assert_eq!((files.reload(NOW).as_deref(), files.reload(NOW)), (Some(message), None));
    assert!(files.serves(&good));
    // The first second of its time; the file has not changed.
    assert_eq!(files.reload(NOW + DAY - 1), None);
    assert_eq!(files.reload(NOW + DAY).as_deref(), Some("used"));
    assert!(files.serves(&early));
}

#[test]
fn at_the_start_there_may_be_no_better_one() {
    let files = Files::new();
    let expired = SignedPair::new(-30, -1);
    files.write(expired.both());
    let message = "used, but tls.crt: the certificate expired at 2025-12-31T00:00:00Z";
    assert_eq!((files.reload(NOW).as_deref(), files.reload(NOW)), (Some(message), None));
    assert!(files.serves(&expired) && !files.certificates.has_been_valid());
    // One that will be valid is better than one that has been.
    let early = SignedPair::new(1, 30);
    files.write(early.both());
    let message = "used, but tls.crt: the certificate is not valid before 2026-01-02T00:00:00Z";
    assert_eq!(files.reload(NOW).as_deref(), Some(message));
    assert_eq!((files.reload(NOW + DAY).as_deref(), files.reload(NOW + 2 * DAY)), (Some("used"), None));
    // It expires without a change of the files.
    let message = "used, but tls.crt: the certificate expired at 2026-01-31T00:00:00Z";
    assert_eq!(files.reload(NOW + 31 * DAY).as_deref(), Some(message));
    assert!(files.serves(&early) && files.certificates.has_been_valid());
}

/// Anything else is not opened: to open a named pipe blocks until somebody writes to it.
#[cfg(unix)]
#[test]
fn only_regular_files_of_a_limited_size_are_read() {
    let (good, other) = (pair(), pair());
    let files = Files::using(&good);
    let at = |name: &str| files.folder.path().join(name);
    let replace_by_pipe = || {
        std::fs::remove_file(at("tls.crt")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("tls.crt")).status().unwrap().success());
    };
    let replace_by_folder = || {
        std::fs::remove_file(at("tls.crt")).unwrap();
        std::fs::create_dir(at("tls.crt")).unwrap();
    };
    let is_kept = |said: &str| {
        assert_eq!((files.reload(NOW).as_deref(), files.reload(NOW)), (Some(said), None));
        assert!(files.serves(&good));
    };
    replace_by_pipe();
    is_kept("not used: tls.crt: this is not a regular file");
    std::fs::remove_file(at("tls.crt")).unwrap();
    files.write(good.both());
    assert_eq!(files.reload(NOW).as_deref(), Some("used"));
    replace_by_folder();
    is_kept("not used: tls.crt: this is not a regular file");
    std::fs::remove_dir(at("tls.crt")).unwrap();
    let of_length = |length: usize| other.0.clone() + &" ".repeat(length - other.0.len());
    files.write((&of_length((1 << 20) + 1), &other.1));
    is_kept("not used: tls.crt: the file is longer than 1 MiB");
    files.write((&of_length(1 << 20), &other.1));
    assert_eq!(files.reload(NOW).as_deref(), Some("used"));
    assert!(files.serves(&other));
}

/// The files of a Secret are links to a folder that is itself a link.
#[cfg(unix)]
#[test]
fn links_to_files_are_files() {
    use std::os::unix::fs::symlink;
    let (files, good) = (Files::new(), pair());
    let at = |name: &str| files.folder.path().join(name);
    std::fs::create_dir(at("..1")).unwrap();
    symlink("..1", at("..data")).unwrap();
    for (name, text) in [("tls.crt", &good.0), ("tls.key", &good.1)] {
        std::fs::write(at("..1").join(name), text).unwrap();
        symlink(Path::new("..data").join(name), at(name)).unwrap();
    }
    assert_eq!(files.reload(NOW).as_deref(), Some("used"));
    assert!(files.serves(&good));
}

/// The pair in use can expire, and the pair of the last read can become valid.
#[test]
fn validity_counts_while_a_read_hangs() {
    let (good, early) = (pair(), SignedPair::new(1, 30));
    let files = Files::using(&good);
    let read_failed = |now: i64| match files.certificates.read_failed("it hangs", now) {
        Some(Reloaded::NotUsed(said)) => Some(said.split_once("tls.crt: ").unwrap().1.to_owned()),
        None => None,
        other => panic!("{other:?}"),
    };
    assert_eq!((read_failed(NOW).as_deref(), read_failed(NOW)), (Some("it hangs"), None));
    let expired = "it hangs; the certificate in use expired at 2026-01-02T00:00:00Z";
    assert_eq!(read_failed(NOW + 2 * DAY).as_deref(), Some(expired));
    files.write(early.both());
    assert!(files.reload(NOW).is_some());
    assert_eq!(read_failed(NOW + 2 * DAY).as_deref(), Some("it hangs"));
    assert!(files.serves(&early));
    // The files have not changed, and can be read again.
    assert_eq!(files.reload(NOW + 2 * DAY).as_deref(), Some("used"));
}
