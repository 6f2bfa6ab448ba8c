//! The holders of claims in shards, as the ConfigMaps record them: the claims of exposed Services, and the hosts of objects that
//! Xposer does not manage.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use xposer::conflicts::{
    BucketHash, Buckets, ClaimText, Holder, MAX_HOLDERS, MAX_ROUTES, SHARD_VERSION, ShardState,
};
use xposer::guard::claims_of;
use xposer::{Settings, Target};
use xposer_live::document::Document;
use xposer_live::keys::{ObjectKey, ServiceKey};
use xposer_live::kinds::{self, ForeignKind, Kind};
use xposer_live::object::{Observed, Ownership};

use crate::watch::Source;

/// The maximum number of claims of one object or Service that are kept, with [`MAX_BYTES`] in all. Further claims are counted as
/// dropped. The names of an object have room beside the maximum number of routes at admission.
pub(crate) const MAX_CLAIMS: usize = MAX_ROUTES + 96;
/// The maximum size of the values of a shard, in bytes, without its state.
const MAX_BYTES: usize = 511 * 1024;
/// The maximum number of incomplete buckets that a shard lists: 136 KiB. If there are more, all buckets of the shard count as
/// incomplete.
pub(crate) const MAX_INCOMPLETE: usize = 8192;

const SERVICE: &str = "Service";

/// Whether objects of this kind assign hosts in a controller.
fn assigns_hosts(kind: Kind) -> bool {
    Target::ALL.iter().any(|target| target.as_str() == kind.as_str())
}

/// The sources of all objects that assign hosts in a controller.
pub(crate) fn sources() -> impl Iterator<Item = Source> {
    let ours = Kind::ALL.into_iter().filter(|kind| assigns_hosts(*kind)).map(Source::Objects);
    ours.chain(ForeignKind::ALL.into_iter().map(Source::Foreign))
}

/// The holders of all claims.
#[derive(Debug, Default)]
pub(crate) struct RecordedClaims {
    is_on: bool,
    shards: BTreeMap<u64, BTreeSet<ClaimEntry>>,
    by_source: BTreeMap<Arc<ObjectRef>, ClaimsOfObject>,
    /// The number of claims that are not kept, by shard and bucket.
    dropped: BTreeMap<u64, BTreeMap<BucketHash, u64>>,
    /// The shards whose content may have changed.
    changed: BTreeSet<u64>,
    /// The Services without a decision since claims were switched on.
    undecided: BTreeSet<Arc<ServiceKey>>,
    /// The sources that have not been listed since claims were switched on, including those whose list is in progress.
    unlisted: BTreeSet<Source>,
    listing: BTreeSet<Source>,
    /// Whether the lists have to be read again, because the objects themselves are not kept.
    needs_lists: bool,
}

/// The identity of an object. The order is that of holders of a claim that were created in the same second.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ObjectRef {
    namespace: Box<str>,
    name: Box<str>,
    kind: &'static str,
}

/// A claim of a shard and one of its holders. Ordered by claim, and then by age, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ClaimEntry {
    bucket: BucketHash,
    text: Arc<str>,
    created: i64,
    holder: Arc<ObjectRef>,
    /// The object that has the claim: the holder itself, or an object that the holder may adopt.
    source: Arc<ObjectRef>,
    is_local: bool,
    /// A part comes after whole claims, because a holder of the whole path also holds its parts.
    is_part: bool,
}

/// The claims of an object or a Service.
#[derive(Debug, PartialEq, Eq)]
struct ClaimsOfObject {
    entries: Box<[ClaimEntry]>,
    /// The buckets of the claims that are not kept, once for each claim.
    dropped: Box<[BucketHash]>,
}

/// The desired content of a ConfigMap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) buckets: Buckets,
    /// The number of claims that did not fit.
    pub(crate) dropped: u64,
    /// The buckets of these claims; `None` if there are too many buckets to list.
    pub(crate) incomplete: Option<BTreeSet<BucketHash>>,
}

impl Content {
    /// The state of the shard, if it is written at this time.
    pub(crate) fn state(&self, written: String) -> ShardState {
        let incomplete = self.incomplete.as_ref().map(|buckets| {
            let buckets: Vec<String> = buckets.iter().map(BucketHash::to_string).collect();
            buckets.join(" ")
        });
        ShardState { version: SHARD_VERSION, written, dropped: self.dropped, incomplete }
    }
}

impl ObjectRef {
    fn service(key: &ServiceKey) -> Self {
        Self { namespace: key.namespace.clone(), name: key.name.clone(), kind: SERVICE }
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

impl RecordedClaims {
    /// Switches the claims on or off. When they are switched on, the claims of these Services and of all objects that assign hosts
    /// have to become known.
    pub(super) fn switch(&mut self, is_on: bool, services: impl Iterator<Item = Arc<ServiceKey>>) {
        if self.is_on == is_on {
            return;
        }
        *self = Self { is_on, needs_lists: is_on, ..Self::default() };
        if is_on {
            self.undecided.extend(services);
            self.unlisted.extend(sources());
        }
    }

    /// Forgets the claims of all objects, which have to be read again: the hosts and paths of an Ingress depend on the program that
    /// serves its class, and another program serves some class now.
    pub(super) fn forget_objects(&mut self) {
        let has_begun = !self.listing.is_empty() || self.unlisted.len() < sources().count();
        if !self.is_on || !has_begun {
            return;
        }
        let of_objects = self.by_source.keys().filter(|source| source.kind != SERVICE);
        for source in of_objects.cloned().collect::<Vec<_>>() {
            self.remove(&source);
        }
        self.listing.clear();
        self.unlisted = sources().collect();
        self.needs_lists = true;
    }

    /// Whether the objects that assign hosts have to be listed again. It is true for one call only.
    pub(crate) fn take_needs_lists(&mut self) -> bool {
        std::mem::take(&mut self.needs_lists)
    }

    /// Whether claims are recorded.
    pub(crate) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Whether all claims are known. A shard with only some of them would make hosts look free.
    pub(super) fn is_complete(&self) -> bool {
        self.is_on && self.undecided.is_empty() && self.unlisted.is_empty()
    }

    /// Returns the shards whose content may have changed since the last call.
    pub(crate) fn take_changed(&mut self) -> BTreeSet<u64> {
        std::mem::take(&mut self.changed)
    }

    /// The number of claims, each counted once for each holder.
    pub(crate) fn len(&self) -> usize {
        self.shards.values().map(BTreeSet::len).sum()
    }

    /// The desired content of the ConfigMap of a shard.
    pub(crate) fn content(&self, number: u64) -> Content {
        let mut found: Vec<&ClaimEntry> = Vec::new();
        for entry in self.shards.get(&number).into_iter().flatten() {
            let same = || found.iter().rev().take_while(|known| known.text == entry.text);
            let count = same().count();
            // Holders of one namespace may share the claim, and a holder of another namespace conflicts with all of them, so one of
            // those is always included.
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
            let share = bytes_per_namespace(bytes.into_values().collect());
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
            claims.entry(entry.text.to_string()).or_default().push(entry.as_holder());
        }
        let incomplete = Some(incomplete).filter(|all| !all.is_empty() && all.len() <= MAX_INCOMPLETE);
        Content { buckets, dropped, incomplete }
    }

    // Services.

    /// Records that a Service needs a decision before all claims are known.
    pub(super) fn await_service(&mut self, key: &Arc<ServiceKey>) {
        self.undecided.insert(key.clone());
    }

    /// Sets the claims of a Service; empty if it is not exposed.
    pub(crate) fn set_service(&mut self, key: &ServiceKey, created: i64, claims: Vec<ClaimText>) {
        if self.is_on {
            self.undecided.remove(key);
            let who = Arc::new(ObjectRef::service(key));
            self.set(who.clone(), created, &who, claims);
        }
    }

    // Objects.

    /// Sets the claims of an object in its current version. An object that belongs to Xposer has none: its Service has its hosts.
    pub(super) fn set_object(
        &mut self,
        key: &ObjectKey,
        document: &Document,
        observed: Option<&Observed>,
        uid: &str,
        settings: &Settings,
    ) {
        if !self.is_on || !assigns_hosts(key.kind) {
            return;
        }
        let source = Arc::new(ObjectRef::object(key));
        let ownership = observed.map(|it| (it, it.ownership(&it.service, uid)));
        let holder = match ownership {
            Some((_, Ownership::Ours)) => return self.remove(&source),
            // The owners of the object pass its hosts to this Service.
            Some((observed, Ownership::Adoptable)) => Arc::new(ObjectRef::service(&observed.service)),
            Some((_, Ownership::Foreign)) | None => source.clone(),
        };
        let object = value(&kinds::resource(key.kind).api_version, key.kind.as_str(), document);
        let mut claims = claims_of(&object, settings);
        // The name is also a claim, because a Service may need an object with it.
        claims.push(ClaimText::object(key.kind.as_str(), &key.namespace, &key.name));
        self.set(source, created(document), &holder, claims);
    }

    pub(super) fn remove_object(&mut self, key: &ObjectKey) {
        if self.is_on {
            self.remove(&ObjectRef::object(key));
        }
    }

    /// Sets the claims of an object of a kind that Xposer never emits.
    pub(super) fn set_foreign(&mut self, kind: ForeignKind, document: &Document, settings: &Settings) {
        if self.is_on {
            let source = Arc::new(ObjectRef::foreign(kind, document));
            let claims = claims_of(&value(&format!("{}/", kind.group()), kind.as_str(), document), settings);
            self.set(source.clone(), created(document), &source, claims);
        }
    }

    pub(super) fn remove_foreign(&mut self, who: &ObjectRef) {
        self.remove(who);
    }

    /// The objects of a kind that Xposer never emits.
    pub(super) fn foreign(&self, kind: ForeignKind) -> Vec<Arc<ObjectRef>> {
        self.by_source.keys().filter(|who| who.kind == kind.as_str()).cloned().collect()
    }

    /// Records that a list of objects begins.
    pub(super) fn begin_list(&mut self, source: Source) {
        if self.unlisted.contains(&source) {
            self.listing.insert(source);
        }
    }

    /// Whether a list that has to be read completely is in progress.
    pub(super) fn is_listing(&self, source: Source) -> bool {
        self.listing.contains(&source)
    }

    /// Records that a list of objects is complete. A list that began before claims were switched on does not count.
    pub(super) fn end_list(&mut self, source: Source) {
        if self.listing.remove(&source) {
            self.unlisted.remove(&source);
        }
    }

    /// Records that objects of this source cannot be listed.
    pub(super) fn give_up_list(&mut self, source: Source) {
        self.listing.remove(&source);
        self.unlisted.remove(&source);
    }

    // All holders.

    fn set(
        &mut self,
        source: Arc<ObjectRef>,
        created: i64,
        holder: &Arc<ObjectRef>,
        mut claims: Vec<ClaimText>,
    ) {
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
        // An object without a creation time is being created now, so it is the youngest.
        let created = if created > 0 { created } else { i64::MAX };
        let entries = claims.into_iter().map(|ClaimText { text, bucket, is_local, is_part }| ClaimEntry {
            bucket: BucketHash::of(&bucket),
            text: text.into(),
            created,
            holder: holder.clone(),
            source: source.clone(),
            is_local,
            is_part,
        });
        let held = ClaimsOfObject { entries: entries.collect(), dropped };
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

    fn remove(&mut self, source: &ObjectRef) {
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

/// The number of bytes that each namespace may have in a shard if all together exceed [`MAX_BYTES`]. Small namespaces always fit,
/// however much others write. The loop terminates, because some namespace exceeds an equal share of the remaining bytes.
fn bytes_per_namespace(mut bytes: Vec<usize>) -> usize {
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

impl ClaimsOfObject {
    fn shards(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().map(|entry| &entry.bucket).chain(&self.dropped).map(|bucket| bucket.shard())
    }
}

impl ClaimEntry {
    /// An upper bound of the size of the entry's line, in bytes.
    fn bytes(&self) -> usize {
        let ObjectRef { namespace, name, kind } = &*self.holder;
        let frame = " / 2026-01-01T00:00:00Z,local,part \n".len();
        frame + [&*self.text, namespace, name, kind].into_iter().map(escaped_bytes).sum::<usize>()
    }

    fn as_holder(&self) -> Holder {
        let ObjectRef { namespace, name, kind } = &*self.holder;
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

/// The size of a text with escaped line breaks and backslashes, in bytes.
fn escaped_bytes(text: &str) -> usize {
    text.len() + text.bytes().filter(|byte| matches!(byte, b'\\' | b'\n')).count()
}

/// A time in the format of the API server; empty for none.
fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}

/// The creation time of an object; 0 if it has none.
fn created(document: &Document) -> i64 {
    document.metadata.creation_timestamp.as_ref().map_or(0, |time| time.0.as_second())
}

/// The part of an object that tells which hosts it takes.
fn value(api_version: &str, kind: &str, document: &Document) -> Value {
    let Document { metadata, spec, .. } = document;
    json!({
        "apiVersion": api_version, "kind": kind,
        "metadata": {"namespace": metadata.namespace, "annotations": metadata.annotations}, "spec": spec,
    })
}
