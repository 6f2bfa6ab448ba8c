//! Recognises encrypted files and values.

use serde_json::Value;
use xposer::diagnostics::Segment;
use xposer::is_service;

/// A program that encrypts files, and the command that decrypts one, in which FILE stands for its name.
pub struct Encrypted {
    by: &'static str,
    decrypt: &'static str,
}

/// How a value that SOPS encrypted begins.
const SOPS_VALUE: &str = "ENC[AES256_GCM,";
/// The key of a document under which SOPS keeps what it needs to decrypt it.
pub const SOPS_KEY: &str = "sops";
/// The program that most files of Kubernetes are encrypted by.
pub const SOPS: Encrypted = Encrypted { by: "SOPS", decrypt: "sops decrypt FILE" };

/// How the files of other programs begin.
const HEADS: &[(&[u8], Encrypted)] = &[
    (b"$ANSIBLE_VAULT;", Encrypted { by: "Ansible Vault", decrypt: "ansible-vault view FILE" }),
    (
        b"-----BEGIN AGE ENCRYPTED FILE-----",
        Encrypted { by: "age", decrypt: "age --decrypt --identity KEY FILE" },
    ),
    (b"age-encryption.org/", Encrypted { by: "age", decrypt: "age --decrypt --identity KEY FILE" }),
    (b"-----BEGIN PGP MESSAGE-----", Encrypted { by: "PGP", decrypt: "gpg --decrypt FILE" }),
    (b"\0GITCRYPT\0", Encrypted { by: "git-crypt", decrypt: "git-crypt unlock && cat FILE" }),
];

impl Encrypted {
    /// The program that encrypted a whole file.
    pub fn of_bytes(bytes: &[u8]) -> Option<&'static Self> {
        HEADS.iter().find(|(head, _)| bytes.starts_with(head)).map(|(_, found)| found)
    }

    /// The program that encrypted values of a text that is not YAML, such as an `.env` file.
    pub fn of_text(text: &str) -> Option<&'static Self> {
        text.contains(SOPS_VALUE).then_some(&SOPS)
    }

    /// The error message.
    pub fn message(&self) -> String {
        format!("the file is encrypted by {}", self.by)
    }

    /// The help for `file`, which `command` reads from standard input.
    pub fn help(&self, file: Option<&str>, command: &str) -> String {
        match file {
            Some(file) => format!("decrypt it first: {} | {command}", self.decrypt.replace("FILE", file)),
            None => format!("decrypt it first, for example with `{}`", self.decrypt),
        }
    }
}

/// Whether a document has the metadata of SOPS.
pub fn has_sops(document: &Value) -> bool {
    document.get(SOPS_KEY).and_then(|sops| sops.get("mac")).is_some_and(Value::is_string)
}

/// Whether SOPS encrypted a value.
pub fn is_encrypted(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with(SOPS_VALUE))
}

/// Whether an object is, or may be, a Service that SOPS encrypted.
pub fn is_encrypted_service(object: &Value) -> bool {
    let encrypted = |key: &str| object.get(key).is_some_and(|value| first_encrypted(value).is_some());
    encrypted("kind")
        || encrypted("apiVersion")
        || is_service(object) && (has_sops(object) || encrypted("metadata") || encrypted("spec"))
}

/// The path to the first value inside this one that SOPS encrypted.
pub fn first_encrypted(value: &Value) -> Option<Vec<Segment>> {
    let below = |segment: Segment, inner: &Value| {
        let mut path = first_encrypted(inner)?;
        path.insert(0, segment);
        Some(path)
    };
    match value {
        Value::Object(entries) => {
            entries.iter().find_map(|(key, inner)| below(Segment::Key(key.clone().into()), inner))
        }
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(at, inner)| below(Segment::Index(at), inner))
        }
        scalar => is_encrypted(scalar).then(Vec::new),
    }
}
