//! Who has which claims, in shards, as the ConfigMaps of the claims say it: what exposed Services have, and the hosts of foreign
//! objects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use xposer::Target;
use xposer::conflicts::{
    BucketHash, Buckets, ClaimText, Holder, MAX_HOLDERS, MAX_ROUTES, SHARD_VERSION, ShardState,
};
use xposer::guard::claims_of;
use xposer_live::document::Document;
use xposer_live::keys::{ObjectKey, ServiceKey};
use xposer_live::kinds::{self, ForeignKind, Kind};
use xposer_live::object::{Observed, Ownership};

use crate::watch::Source;

/// The most claims of one object or Service that are kept, with [`MAX_BYTES`] in all. Others are counted as dropped. Its names have room beside
/// the most hosts and paths that one may have at admission.
pub(crate) const MAX_CLAIMS: usize = MAX_ROUTES + 96;
/// The most bytes of the values of a shard, without its state.
const MAX_BYTES: usize = 511 * 1024;
/// The most buckets of a shard that are named because some of their claims found no room: 136 KiB. Where there are more, nothing is known of
/// what is not in the shard.
pub(crate) const MAX_INCOMPLETE: usize = 8192;

/// Whether objects of this kind give hosts to a program.
fn gives_hosts(kind: Kind) -> bool {
    Target::ALL.iter().any(|target| target.as_str() == kind.as_str())
}

/// The sources of all objects that give hosts to a program.
pub(crate) fn sources() -> impl Iterator<Item = Source> {
    let ours = Kind::ALL.into_iter().filter(|kind| gives_hosts(*kind)).map(Source::Objects);
    ours.chain(ForeignKind::ALL.into_iter().map(Source::Foreign))
}

/// The holders of all claims.
#[derive(Debug, Default)]
pub(crate) struct HeldClaims {
    is_on: bool,
    shards: BTreeMap<u64, BTreeSet<Entry>>,
    by_source: BTreeMap<Arc<Who>, Held>,
    /// How many claims are not kept, by the shard and the bucket.
    dropped: BTreeMap<u64, BTreeMap<BucketHash, u64>>,
    /// The shards whose content may have changed.
    changed: BTreeSet<u64>,
    /// The Services that have not been decided about since this was switched on.
    undecided: BTreeSet<Arc<ServiceKey>>,
    /// The objects that have not been listed since this was switched on, and those of which a list has begun.
    unlisted: BTreeSet<Source>,
    listing: BTreeSet<Source>,
}

/// An object. Ordered as the holders of a claim are that were created in the same second.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Who {
    namespace: Box<str>,
    name: Box<str>,
    kind: &'static str,
}

/// A claim of a shard, with one of its holders. Ordered by the claim, and then the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    bucket: BucketHash,
    text: Arc<str>,
    created: i64,
    holder: Arc<Who>,
    /// What says it: the holder, or an object that it may adopt.
    source: Arc<Who>,
    is_local: bool,
    /// Behind the others: who has a whole path has a part of it, too.
    is_part: bool,
}

/// What an object or a Service has.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    entries: Box<[Entry]>,
    /// The buckets of the claims that are not kept, each as often as it has one.
    dropped: Box<[BucketHash]>,
}

/// What a ConfigMap is to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) buckets: Buckets,
    /// How many claims found no room.
    pub(crate) dropped: u64,
    /// The buckets of these; `None` if they are too many.
    pub(crate) incomplete: Option<BTreeSet<BucketHash>>,
}

impl Content {
    /// What is said of it as a whole, if it is written at this time.
    pub(crate) fn state(&self, written: String) -> ShardState {
        let incomplete = self.incomplete.as_ref().map(|buckets| {
            let buckets: Vec<String> = buckets.iter().map(BucketHash::to_string).collect();
            buckets.join(" ")
        });
        ShardState { version: SHARD_VERSION, written, dropped: self.dropped, incomplete }
    }
}

impl Who {
    fn service(key: &ServiceKey) -> Self {
        Self { namespace: key.namespace.clone(), name: key.name.clone(), kind: "Service" }
    }

    fn object(key: &ObjectKey) -> Self {
        Self { namespace: key.namespace.clone(), name: key.name.clone(), kind: key.kind.as_str() }
    }

    pub(super) fn foreign(kind: ForeignKind, document: &Document) -> Self {
        let text = |field: &Option<String>| field.clone().unwrap_or_default().into();
        let metadata = &document.metadata;
        Self { namespace: text(&metadata.namespace), name: text(&metadata.name), kind: kind.as_str() }
    }
}

impl HeldClaims {
    /// Switches this on or off. What is to be known then is what these Services have, and all objects that give hosts.
    pub(super) fn switch(&mut self, is_on: bool, services: impl Iterator<Item = Arc<ServiceKey>>) {
        if self.is_on == is_on {
            return;
        }
        *self = Self { is_on, ..Self::default() };
        if is_on {
            self.undecided.extend(services);
            self.unlisted.extend(sources());
        }
    }

    /// Whether claims are held.
    pub(crate) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Whether everything is known: a shard that says less would say that hosts are free.
    pub(super) fn is_complete(&self) -> bool {
        self.is_on && self.undecided.is_empty() && self.unlisted.is_empty()
    }

    /// The shards whose content may have changed since the last call.
    pub(crate) fn take_changed(&mut self) -> BTreeSet<u64> {
        std::mem::take(&mut self.changed)
    }

    /// How many claims are held, each counted once for each holder.
    pub(crate) fn len(&self) -> usize {
        self.shards.values().map(BTreeSet::len).sum()
    }

    /// What the ConfigMap of a shard is to say.
    pub(crate) fn content(&self, number: u64) -> Content {
        let mut found: Vec<&Entry> = Vec::new();
        for entry in self.shards.get(&number).into_iter().flatten() {
            let same = || found.iter().rev().take_while(|known| known.text == entry.text);
            let count = same().count();
            // Those of one namespace may divide the claim, and somebody of another one is in the way of all of them.
            let is_stranger = count == MAX_HOLDERS && {
                let mut namespaces = same().map(|known| &known.holder.namespace);
                let first = namespaces.next();
                namespaces.all(|it| Some(it) == first) && Some(&entry.holder.namespace) != first
            };
            if (count < MAX_HOLDERS || is_stranger) && same().all(|known| known.holder != entry.holder) {
                found.push(entry);
            }
        }
        let of_shard = self.dropped.get(&number);
        let mut incomplete: BTreeSet<BucketHash> =
            of_shard.into_iter().flatten().map(|(it, _)| *it).collect();
        let mut dropped: u64 = of_shard.into_iter().flatten().map(|(_, count)| *count).sum();
        let mut bytes: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in &found {
            *bytes.entry(&entry.holder.namespace).or_default() += entry.bytes();
        }
        if bytes.values().sum::<usize>() > MAX_BYTES {
            let share = share(bytes.into_values().collect());
            let all = found.len();
            found.sort_by_key(|entry| (entry.created, &entry.holder));
            let mut kept: BTreeMap<&str, usize> = BTreeMap::new();
            found.retain(|entry| {
                let bytes = kept.entry(&entry.holder.namespace).or_default();
                *bytes += entry.bytes();
                let has_room = *bytes <= share;
                if !has_room {
                    incomplete.insert(entry.bucket);
                }
                has_room
            });
            dropped += (all - found.len()) as u64;
            found.sort_unstable();
        }
        let mut buckets = Buckets::new();
        for entry in found {
            let claims = buckets.entry(entry.bucket.key()).or_default();
            claims.entry(entry.text.to_string()).or_default().push(entry.in_words());
        }
        let incomplete = Some(incomplete).filter(|all| !all.is_empty() && all.len() <= MAX_INCOMPLETE);
        Content { buckets, dropped, incomplete }
    }

    // Services.

    /// A Service has to be decided about before everything is known.
    pub(super) fn await_service(&mut self, key: &Arc<ServiceKey>) {
        self.undecided.insert(key.clone());
    }

    /// What a Service has: nothing, if it is not exposed.
    pub(crate) fn set_service(&mut self, key: &ServiceKey, created: i64, claims: Vec<ClaimText>) {
        if self.is_on {
            self.undecided.remove(key);
            let who = Arc::new(Who::service(key));
            self.set(who.clone(), created, &who, claims);
        }
    }

    // Objects.

    /// An object exists, as it is now. Nothing is kept of an object of ours: its Service has its hosts.
    pub(super) fn set_object(
        &mut self,
        key: &ObjectKey,
        document: &Document,
        observed: Option<&Observed>,
        uid: &str,
    ) {
        if !self.is_on || !gives_hosts(key.kind) {
            return;
        }
        let source = Arc::new(Who::object(key));
        let ownership = observed.map(|it| (it, it.ownership(&it.service, uid)));
        let holder = match ownership {
            Some((_, Ownership::Ours)) => return self.remove(&source),
            // Its owners give its hosts to this Service.
            Some((observed, Ownership::Adoptable)) => Arc::new(Who::service(&observed.service)),
            Some((_, Ownership::Foreign)) | None => source.clone(),
        };
        let mut claims =
            claims_of(&value(&kinds::resource(key.kind).api_version, key.kind.as_str(), document));
        // What a Service needs has its name, too.
        claims.push(ClaimText::object(key.kind.as_str(), &key.namespace, &key.name));
        self.set(source, created(document), &holder, claims);
    }

    pub(super) fn remove_object(&mut self, key: &ObjectKey) {
        if self.is_on {
            self.remove(&Who::object(key));
        }
    }

    /// An object exists, as it is now, of a kind that is never ours.
    pub(super) fn set_foreign(&mut self, kind: ForeignKind, document: &Document) {
        if self.is_on {
            let source = Arc::new(Who::foreign(kind, document));
            let claims = claims_of(&value(&format!("{}/", kind.group()), kind.as_str(), document));
            self.set(source.clone(), created(document), &source, claims);
        }
    }

    pub(super) fn remove_foreign(&mut self, who: &Who) {
        self.remove(who);
    }

    /// The objects of a kind that is never ours.
    pub(super) fn foreign(&self, kind: ForeignKind) -> Vec<Arc<Who>> {
        self.by_source.keys().filter(|who| who.kind == kind.as_str()).cloned().collect()
    }

    /// A list of objects begins.
    pub(super) fn begin_list(&mut self, source: Source) {
        if self.unlisted.contains(&source) {
            self.listing.insert(source);
        }
    }

    /// Whether a list of objects has begun that has to be read completely.
    pub(super) fn is_listing(&self, source: Source) -> bool {
        self.listing.contains(&source)
    }

    /// A list of objects is complete. One that began before this was switched on does not count.
    pub(super) fn end_list(&mut self, source: Source) {
        if self.listing.remove(&source) {
            self.unlisted.remove(&source);
        }
    }

    /// These objects cannot be listed.
    pub(super) fn give_up_list(&mut self, source: Source) {
        self.listing.remove(&source);
        self.unlisted.remove(&source);
    }

    // All holders.

    fn set(&mut self, source: Arc<Who>, created: i64, holder: &Arc<Who>, mut claims: Vec<ClaimText>) {
        claims.sort_unstable();
        claims.dedup();
        if claims.is_empty() {
            return self.remove(&source);
        }
        let mut bytes = 0;
        let fitting = claims.iter().take(MAX_CLAIMS).take_while(|claim| {
            bytes += claim.text.len();
            bytes <= MAX_BYTES
        });
        let fitting = fitting.count();
        let dropped = claims.split_off(fitting);
        let dropped = dropped.iter().map(|claim| BucketHash::of(&claim.bucket)).collect();
        // What has no time is being created now.
        let created = if created > 0 { created } else { i64::MAX };
        let entries = claims.into_iter().map(|ClaimText { text, bucket, is_local, is_part }| Entry {
            bucket: BucketHash::of(&bucket),
            text: text.into(),
            created,
            holder: holder.clone(),
            source: source.clone(),
            is_local,
            is_part,
        });
        let held = Held { entries: entries.collect(), dropped };
        if self.by_source.get(&source) == Some(&held) {
            return;
        }
        self.remove(&source);
        for entry in &held.entries {
            self.shards.entry(entry.bucket.shard()).or_default().insert(entry.clone());
        }
        for bucket in &held.dropped {
            *self.dropped.entry(bucket.shard()).or_default().entry(*bucket).or_default() += 1;
        }
        self.changed.extend(held.shards());
        self.by_source.insert(source, held);
    }

    fn remove(&mut self, source: &Who) {
        let Some(held) = self.by_source.remove(source) else { return };
        self.changed.extend(held.shards());
        for entry in held.entries {
            if let Some(entries) = self.shards.get_mut(&entry.bucket.shard()) {
                entries.remove(&entry);
            }
        }
        for bucket in held.dropped {
            let Some(of_shard) = self.dropped.get_mut(&bucket.shard()) else { continue };
            if let Some(count) = of_shard.get_mut(&bucket) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    of_shard.remove(&bucket);
                }
            }
        }
    }
}

/// How many bytes each namespace may have in a shard in which all together have more than [`MAX_BYTES`]: what is small has room, whatever
/// others write. Somebody has more than an equal part of what is left then, so the loop returns.
fn share(mut bytes: Vec<usize>) -> usize {
    bytes.sort_unstable();
    let mut left = MAX_BYTES;
    for (at, own) in bytes.iter().enumerate() {
        let equal = left / (bytes.len() - at);
        if *own > equal {
            return equal;
        }
        left -= own;
    }
    left
}

impl Held {
    fn shards(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().map(|entry| &entry.bucket).chain(&self.dropped).map(|bucket| bucket.shard())
    }
}

impl Entry {
    /// At most so many bytes are needed for its line.
    fn bytes(&self) -> usize {
        let Who { namespace, name, kind } = &*self.holder;
        let frame = " / 2026-01-01T00:00:00Z,local,part \n".len();
        frame + [&*self.text, namespace, name, kind].into_iter().map(escaped_bytes).sum::<usize>()
    }

    fn in_words(&self) -> Holder {
        let Who { namespace, name, kind } = &*self.holder;
        Holder {
            kind: (*kind).to_owned(),
            namespace: namespace.to_string(),
            name: name.to_string(),
            created: time(self.created),
            is_local: self.is_local,
            is_part: self.is_part,
        }
    }
}

/// The bytes of a text in which line breaks and backslashes are escaped.
fn escaped_bytes(text: &str) -> usize {
    text.len() + text.bytes().filter(|byte| matches!(byte, b'\\' | b'\n')).count()
}

/// A time as the API server writes it; empty where there is none.
fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}

/// When an object was created; 0 if it has no time.
fn created(document: &Document) -> i64 {
    document.metadata.creation_timestamp.as_ref().map_or(0, |time| time.0.as_second())
}

/// What says which hosts an object takes.
fn value(api_version: &str, kind: &str, document: &Document) -> Value {
    let Document { metadata, spec, .. } = document;
    json!({
        "apiVersion": api_version, "kind": kind,
        "metadata": {"namespace": metadata.namespace, "annotations": metadata.annotations}, "spec": spec,
    })
}
