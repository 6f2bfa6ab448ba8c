//! Detects encrypted files and values.

use serde_json::Value;
use xposer::diagnostics::Segment;
use xposer::is_service;

/// A program that encrypts files, and the command that decrypts a file, with FILE as its name.
///
/// ```
/// use xposer_manifest::encrypted::Encrypted;
///
/// let found = Encrypted::of_bytes(b"$ANSIBLE_VAULT;1.1;AES256\n").unwrap();
/// assert_eq!(found.message(), "the file is encrypted by Ansible Vault");
/// assert_eq!(
///     found.help(Some("web.yaml"), "xposer render"),
///     "decrypt it first: ansible-vault view web.yaml | xposer render"
/// );
/// assert!(Encrypted::of_text("TOKEN=ENC[AES256_GCM,data:").is_some());
/// ```
pub struct Encrypted {
    by: &'static str,
    decrypt: &'static str,
}

/// The prefix of a value that SOPS encrypted.
const SOPS_VALUE: &str = "ENC[AES256_GCM,";
/// The key of a document with the metadata of SOPS.
///
/// ```
/// use serde_json::json;
/// use xposer_manifest::encrypted::{SOPS_KEY, has_sops};
///
/// assert!(has_sops(&json!({SOPS_KEY: {"mac": "ENC[AES256_GCM,data:"}})));
/// ```
pub const SOPS_KEY: &str = "sops";
/// The program that encrypts most files of Kubernetes.
///
/// ```
/// assert_eq!(xposer_manifest::encrypted::SOPS.message(), "the file is encrypted by SOPS");
/// ```
pub const SOPS: Encrypted = Encrypted { by: "SOPS", decrypt: "sops decrypt FILE" };

/// The first bytes of the files of other programs.
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
    /// Returns the program that encrypted a whole file.
    pub fn of_bytes(bytes: &[u8]) -> Option<&'static Self> {
        HEADS.iter().find(|(head, _)| bytes.starts_with(head)).map(|(_, found)| found)
    }

    /// Returns the program that encrypted values of a text that is not YAML, such as an `.env` file.
    pub fn of_text(text: &str) -> Option<&'static Self> {
        text.contains(SOPS_VALUE).then_some(&SOPS)
    }

    /// The error message.
    pub fn message(&self) -> String {
        format!("the file is encrypted by {}", self.by)
    }

    /// The help for `file`; `command` reads the decrypted file from standard input.
    pub fn help(&self, file: Option<&str>, command: &str) -> String {
        match file {
            Some(file) => format!("decrypt it first: {} | {command}", self.decrypt.replace("FILE", file)),
            None => format!("decrypt it first, for example with `{}`", self.decrypt),
        }
    }
}

/// Whether a document has the metadata of SOPS.
///
/// ```
/// use serde_json::json;
/// use xposer_manifest::encrypted::has_sops;
///
/// assert!(has_sops(&json!({"kind": "Service", "sops": {"mac": "ENC[AES256_GCM,data:"}})));
/// assert!(!has_sops(&json!({"kind": "Service", "sops": {}})));
/// ```
pub fn has_sops(document: &Value) -> bool {
    document.get(SOPS_KEY).and_then(|sops| sops.get("mac")).is_some_and(Value::is_string)
}

/// Whether SOPS encrypted a value.
///
/// ```
/// use serde_json::json;
/// use xposer_manifest::encrypted::is_encrypted;
///
/// assert!(is_encrypted(&json!("ENC[AES256_GCM,data:")) && !is_encrypted(&json!("web")));
/// ```
pub fn is_encrypted(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with(SOPS_VALUE))
}

/// Whether an object is, or may be, a Service that SOPS encrypted.
///
/// ```
/// use serde_json::json;
/// use xposer_manifest::encrypted::is_encrypted_service;
///
/// let service = json!({"apiVersion": "v1", "kind": "Service", "spec": {"type": "ENC[AES256_GCM,data:"}});
/// assert!(is_encrypted_service(&service));
/// assert!(!is_encrypted_service(&json!({"apiVersion": "v1", "kind": "Service"})));
/// ```
pub fn is_encrypted_service(object: &Value) -> bool {
    let encrypted = |key: &str| object.get(key).is_some_and(|value| first_encrypted(value).is_some());
    encrypted("kind")
        || encrypted("apiVersion")
        || is_service(object) && (has_sops(object) || encrypted("metadata") || encrypted("spec"))
}

/// Returns the path to the first value inside this one that SOPS encrypted.
///
/// ```
/// use serde_json::json;
/// use xposer::diagnostics::Segment;
/// use xposer_manifest::encrypted::first_encrypted;
///
/// let path = first_encrypted(&json!({"hosts": ["web", "ENC[AES256_GCM,data:"]}));
/// assert_eq!(path.unwrap(), [Segment::Key("hosts".into()), Segment::Index(1)]);
/// ```
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
