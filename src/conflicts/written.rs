//! The recorded format of claims: a ConfigMap for each of [`SHARDS`] shards, with the claims under sixteen keys.
//!
//! A reader of a bucket needs two of the values, and skips the others without parsing them. Skipping costs time proportional to the
//! length, and each escaped JSON character costs as much as twenty others. So a claim is a line of few words, without quotes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::held::{Holder, Holders};
use crate::service::{MANAGED_BY, MANAGED_BY_LABEL};

/// The number of shards.
///
/// ```
/// assert_eq!(xposer::conflicts::SHARDS, 256);
/// ```
pub const SHARDS: u64 = 256;

/// The version of the format of a shard.
///
/// ```
/// assert_eq!(xposer::conflicts::SHARD_VERSION, 3);
/// ```
pub const SHARD_VERSION: u64 = 3;

/// The labels of the ConfigMaps of shards. A ConfigMap without both labels belongs to another owner: readers do not trust it, and
/// the controller does not change it.
///
/// ```
/// use xposer::conflicts::SHARD_LABELS;
/// assert_eq!(SHARD_LABELS[1], ("app.kubernetes.io/component", "claims"));
/// ```
pub const SHARD_LABELS: [(&str, &str); 2] =
    [(MANAGED_BY_LABEL, MANAGED_BY), ("app.kubernetes.io/component", "claims")];

/// The key in the data of such a ConfigMap that has its [`ShardState`] as JSON.
///
/// ```
/// assert_eq!(xposer::conflicts::STATE_KEY, "state");
/// ```
pub const STATE_KEY: &str = "state";

/// The hash of a bucket: 64-bit FNV-1a of its text. It decides the shard of the bucket and the key in the ConfigMap.
///
/// ```
/// use xposer::conflicts::BucketHash;
/// assert_eq!(BucketHash::of("shop.example.com"), BucketHash::of("shop.example.com"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketHash(u64);

impl BucketHash {
    /// The hash of a bucket.
    ///
    /// ```
    /// use xposer::conflicts::BucketHash;
    /// assert_ne!(BucketHash::of("shop.example.com"), BucketHash::of("example.com"));
    /// ```
    #[must_use]
    pub fn of(bucket: &str) -> Self {
        Self(bucket.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    /// The number of the shard, from 0 to [`SHARDS`], exclusive.
    ///
    /// ```
    /// use xposer::conflicts::{BucketHash, SHARDS};
    /// assert!(BucketHash::of("shop.example.com").shard() < SHARDS);
    /// assert_eq!(BucketHash::of("shop.example.com").shard(), 0x2a);
    /// ```
    #[must_use]
    pub fn shard(self) -> u64 {
        // The upper bits depend on all bytes.
        (self.0 >> 32) % SHARDS
    }

    /// The key in the data of the ConfigMap: one hexadecimal digit. All buckets with this digit share the key.
    ///
    /// ```
    /// use xposer::conflicts::BucketHash;
    /// assert_eq!(BucketHash::of("shop.example.com").key(), 'a');
    /// ```
    #[must_use]
    pub fn key(self) -> char {
        // The upper half has eight hexadecimal digits: the last two are the shard, and the key is the digit before them.
        let digit = u32::try_from((self.0 >> 40) % u64::from(KEYS)).unwrap_or_default();
        char::from_digit(digit, KEYS).unwrap_or('0')
    }
}

/// Displays the hash as sixteen hexadecimal digits.
impl fmt::Display for BucketHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The number of keys for claims in a ConfigMap. With more keys, a reader would skip more values; with fewer, it would parse more
/// claims that it does not need.
const KEYS: u32 = 16;

/// The name of the ConfigMap of a shard.
///
/// ```
/// assert_eq!(xposer::conflicts::config_map(0xa), "xposer-claims-0a");
/// ```
#[must_use]
pub fn config_map(shard: u64) -> String {
    format!("xposer-claims-{shard:02x}")
}

/// The value of the key [`STATE_KEY`] of a ConfigMap, as JSON. Without it, readers do not trust the other keys.
///
/// ```
/// use xposer::conflicts::{SHARD_VERSION, ShardState};
/// let state: ShardState = serde_json::from_str(r#"{"version":3,"written":"2026-11-29T07:00:00Z"}"#)?;
/// assert_eq!((state.version, state.dropped), (SHARD_VERSION, 0));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardState {
    /// [`SHARD_VERSION`]. Readers do not trust another version.
    pub version: u64,
    /// The time at which the ConfigMap was written, in the format of the API server.
    pub written: String,
    /// The number of claims of the shard that did not fit.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
    /// The hashes of the buckets of these claims, separated by spaces. All other buckets are complete. If the field is missing, any
    /// bucket may be incomplete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<String>,
}

impl ShardState {
    /// Whether some claims of this bucket did not fit.
    ///
    /// ```
    /// use xposer::conflicts::{BucketHash, ShardState};
    /// let incomplete = BucketHash::of("shop.example.com").to_string();
    /// let state = ShardState { dropped: 7, incomplete: Some(incomplete), ..ShardState::default() };
    /// assert!(state.lacks("shop.example.com") && !state.lacks("blog.example.com"));
    /// assert!(ShardState { incomplete: None, ..state.clone() }.lacks("blog.example.com"));
    /// assert!(ShardState { incomplete: Some("zzzz".to_owned()), ..state }.lacks("blog.example.com"));
    /// ```
    #[must_use]
    pub fn lacks(&self, bucket: &str) -> bool {
        let is_listed = |all: &String| {
            let hash = BucketHash::of(bucket).to_string();
            // A text that is no hash may stand for any bucket.
            let is_hash = |it: &str| it.len() == hash.len() && it.bytes().all(|it| it.is_ascii_hexdigit());
            all.split(' ').any(|it| it == hash || !is_hash(it))
        };
        self.dropped > 0 && self.incomplete.as_ref().is_none_or(is_listed)
    }

    /// Returns the data of the ConfigMap with these claims.
    ///
    /// ```
    /// use xposer::conflicts::{Buckets, ShardState};
    /// assert!(ShardState::default().data(&Buckets::new()).keys().eq(["state"]));
    /// ```
    #[must_use]
    pub fn data(&self, buckets: &Buckets) -> BTreeMap<String, String> {
        let claims = buckets.iter().map(|(key, holders)| (key.to_string(), lines(holders)));
        claims.chain([(STATE_KEY.to_owned(), json!(self).to_string())]).collect()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Claims by the key of their bucket.
///
/// ```
/// let buckets = xposer::conflicts::Buckets::new();
/// assert!(buckets.is_empty());
/// ```
pub type Buckets = BTreeMap<char, Holders>;

/// The content of the ConfigMap of one shard.
///
/// ```
/// use xposer::conflicts::Shard;
/// let data = [
///     ("state", r#"{"version":3,"written":"2026-11-29T07:00:00Z"}"#),
///     ("a", "Ingress shop/old 2026-01-01T00:00:00Z prefix shop.example.com/"),
/// ];
/// let data = data.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
/// let shard = Shard::from_data(&data).unwrap();
/// let holders = &shard.buckets[&'a']["prefix shop.example.com/"];
/// assert_eq!((holders[0].kind.as_str(), holders[0].name.as_str()), ("Ingress", "old"));
/// assert_eq!(shard.data(), data);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shard {
    /// The state of the shard as a whole.
    pub state: ShardState,
    /// The holders of the claims. A missing key has no claims.
    pub buckets: Buckets,
}

impl Shard {
    /// The data of the ConfigMap.
    #[must_use]
    pub fn data(&self) -> BTreeMap<String, String> {
        self.state.data(&self.buckets)
    }

    /// Parses the data of a ConfigMap. Returns `None` if the state is missing or anything cannot be parsed. Keys of other programs
    /// are ignored.
    #[must_use]
    pub fn from_data(data: &BTreeMap<String, String>) -> Option<Self> {
        let state = serde_json::from_str(data.get(STATE_KEY)?).ok()?;
        let is_key = |key: &char| matches!(key, '0'..='9' | 'a'..='f');
        let buckets = data.iter().filter_map(|(key, lines)| Some((key.parse().ok().filter(is_key)?, lines)));
        let buckets = buckets.map(|(key, lines)| Some((key, read_lines(lines, &|_| true)?)));
        Some(Self { state, buckets: buckets.collect::<Option<_>>()? })
    }
}

/// The attributes of a holder in a line.
const LOCAL: &str = "local";
const PART: &str = "part";
/// The text for a missing time.
const NO_TIME: &str = "-";

/// Writes claims as lines, one for each holder: the kind, the namespace and name, the creation time with the attributes, and the
/// claim. Only the claim may contain spaces.
fn lines(holders: &Holders) -> String {
    let lines = holders.iter().flat_map(|(text, holders)| holders.iter().map(move |it| line(text, it)));
    lines.collect::<Vec<_>>().join("\n")
}

fn line(text: &str, holder: &Holder) -> String {
    let Holder { kind, namespace, name, created, is_local, is_part } = holder;
    let time = if created.is_empty() { NO_TIME } else { created };
    let more = [(*is_local, LOCAL), (*is_part, PART)].into_iter().filter(|(is, _)| *is);
    let more: String = more.map(|(_, word)| format!(",{word}")).collect();
    let line = format!("{kind} {namespace}/{name} {time}{more} {text}");
    line.replace('\\', r"\\").replace('\n', r"\n")
}

/// Parses the lines of a key. Returns the holders of the wanted claims; `None` if a line or a wanted holder is malformed.
///
/// ```
/// use xposer::conflicts::read_lines;
/// let lines = "Service shop/web 2026-01-01T00:00:00Z prefix a.example.com/\nRoute ops/old -,part exact b.example.com/x y";
/// let holders = read_lines(lines, &|text| text.starts_with("exact ")).unwrap();
/// assert_eq!(holders.len(), 1);
/// let holder = &holders["exact b.example.com/x y"][0];
/// assert_eq!((holder.name.as_str(), holder.created.as_str(), holder.is_part), ("old", "", true));
/// assert!(read_lines("Service", &|_| true).is_none());
/// ```
#[must_use]
pub fn read_lines(lines: &str, is_wanted: &dyn Fn(&str) -> bool) -> Option<Holders> {
    let mut holders = Holders::new();
    let has_escapes = lines.contains('\\');
    for line in lines.split('\n') {
        let line = if has_escapes { unescaped(line) } else { line.into() };
        let (kind, rest) = word(&line)?;
        let (name, rest) = word(rest)?;
        let (time, text) = word(rest)?;
        if !is_wanted(text) {
            continue;
        }
        let (namespace, name) = name.split_once('/')?;
        let mut more = time.split(',');
        let created = more.next().filter(|time| *time != NO_TIME).unwrap_or_default().to_owned();
        let [kind, namespace, name] = [kind, namespace, name].map(str::to_owned);
        let mut holder = Holder { kind, namespace, name, created, is_local: false, is_part: false };
        for word in more {
            match word {
                LOCAL => holder.is_local = true,
                PART => holder.is_part = true,
                // Unknown attributes are ignored: a later version may add some.
                _ => {}
            }
        }
        holders.entry(text.to_owned()).or_default().push(holder);
    }
    Some(holders)
}

/// The first word of a text, and the rest.
fn word(text: &str) -> Option<(&str, &str)> {
    let end = text.as_bytes().iter().position(|byte| *byte == b' ')?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// The line without its escapes, which exist because a path may contain any character.
fn unescaped(line: &str) -> Cow<'_, str> {
    let mut characters = line.chars();
    let mut text = String::new();
    while let Some(character) = characters.next() {
        text.extend(match character {
            '\\' => characters.next().map(|escaped| if escaped == 'n' { '\n' } else { escaped }),
            other => Some(other),
        });
    }
    text.into()
}
