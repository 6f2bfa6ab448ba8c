//! Tests of the schedule of ConfigMaps with claims; a store answers in place of the API server.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use xposer::conflicts::{Buckets, Holder, Holders, SHARD_VERSION, SHARDS, Shard};

use crate::claim_shards::{
    Answer, Completed, Failure, LogMessage, Operation, Shards, StoredShard, Version, Work, content_hash,
};
use crate::state::recorded_claims::Content;

const HOUR: u64 = 3600;
const ALL: usize = SHARDS as usize;

/// The schedule, a clock, and the ConfigMaps of a namespace.
struct Store {
    shards: Shards,
    now: Instant,
    maps: BTreeMap<u64, Map>,
    contents: BTreeMap<u64, Content>,
    versions: u32,
    is_complete: bool,
    /// Decides whether to refuse a request.
    refuses: fn(&Operation) -> Option<Failure>,
    /// The work that was done, without lists.
    done: Vec<String>,
    news: Vec<LogMessage>,
}

#[derive(Clone)]
struct Map {
    version: String,
    is_ours: bool,
    shard: Shard,
    written: Instant,
}

fn content(host: &str) -> Content {
    let holder = Holder {
        kind: "Service".to_owned(),
        namespace: "shop".to_owned(),
        name: "web".to_owned(),
        created: String::new(),
        is_local: false,
        is_part: false,
    };
    let claims = Holders::from([(format!("prefix {host}/"), vec![holder])]);
    Content { buckets: Buckets::from([('a', claims)]), ..Content::default() }
}

impl Store {
    fn new() -> Self {
        let mut shards = Shards::new();
        shards.set_location(Some(("xposer-system", HOUR)));
        Self {
            shards,
            now: Instant::now(),
            maps: BTreeMap::new(),
            contents: BTreeMap::new(),
            versions: 0,
            is_complete: true,
            refuses: |_| None,
            done: Vec::new(),
            news: Vec::new(),
        }
    }

    /// A store in which all ConfigMaps are written, and no work is left.
    fn written() -> Self {
        let mut store = Self::new();
        assert_eq!(store.run(60).len(), ALL);
        store
    }

    fn restart(&mut self) {
        self.shards = Shards::new();
        self.shards.set_location(Some(("xposer-system", HOUR)));
    }

    fn set(&mut self, shard: u64, host: &str) {
        self.contents.insert(shard, content(host));
        self.shards.change(shard, self.now);
    }

    /// Advances the clock by this time, and answers every request at once. Returns the work that was done.
    fn run(&mut self, seconds: u64) -> Vec<String> {
        let end = self.now + Duration::from_secs(seconds);
        let mut requests = 0;
        loop {
            let contents = self.contents.clone();
            let content = |shard: u64| contents.get(&shard).cloned().unwrap_or_default();
            let content: Option<&dyn Fn(u64) -> Content> =
                if self.is_complete { Some(&content) } else { None };
            let mut all: Vec<Work> = Vec::new();
            while let Some(work) = self.shards.next(self.now, content) {
                all.push(work);
            }
            assert!(all.len() <= 2, "{all:?}");
            for work in all {
                requests += 1;
                assert!(requests < 20_000, "it never ends: {:?}", &self.done[self.done.len() - 10..]);
                let result = self.answer(&work);
                self.news.extend(self.shards.done(Completed { work, result }, self.now));
            }
            self.now += Duration::from_millis(100);
            if self.now > end {
                return std::mem::take(&mut self.done);
            }
        }
    }

    fn answer(&mut self, work: &Work) -> Result<Answer, Failure> {
        if let Some(failure) = (self.refuses)(&work.operation) {
            self.done.push(format!("failed {}", failure.word()));
            return Err(failure);
        }
        match &work.operation {
            Operation::List => {
                let ours = self.maps.iter().filter(|(_, map)| map.is_ours);
                Ok(Answer::Listed(ours.map(|(number, map)| (*number, self.found(map))).collect()))
            }
            Operation::Delete => {
                self.done.push(format!("delete in {}", work.namespace));
                Ok(Answer::Deleted)
            }
            Operation::Read(number) => {
                self.done.push(format!("read {number}"));
                Ok(Answer::Read(self.maps.get(number).map(|map| self.found(map))))
            }
            Operation::Write(number, content, version) => {
                let there = self.maps.get(number).map(|map| map.version.clone());
                if there != version.as_ref().map(|it| it.version.clone()) {
                    self.done.push(format!("conflict {number}"));
                    return Err(Failure::Outdated);
                }
                self.done.push(format!("write {number}"));
                Ok(Answer::Written(self.put(*number, content.clone(), true)))
            }
        }
    }

    fn put(&mut self, number: u64, content: Content, is_ours: bool) -> Version {
        self.versions += 1;
        let version = self.versions.to_string();
        let shard = Shard { state: content.state(String::new()), buckets: content.buckets };
        self.maps.insert(number, Map { version: version.clone(), is_ours, shard, written: self.now });
        Version { uid: "u".to_owned(), version }
    }

    fn found(&self, map: &Map) -> StoredShard {
        StoredShard {
            version: Version { uid: "u".to_owned(), version: map.version.clone() },
            is_ours: map.is_ours,
            content_hash: content_hash(map.shard.clone()),
            age: Some(self.now.duration_since(map.written)),
        }
    }
}

#[test]
fn all_are_written_once_after_each_start() {
    let mut store = Store::new();
    store.contents.insert(7, content("a.example.com"));
    store.is_complete = false;
    assert!(store.run(60).is_empty(), "nothing is written before everything is known");
    store.is_complete = true;
    assert!(!store.shards.is_settled());
    assert_eq!(store.run(60).len(), ALL);
    assert!(store.shards.is_settled() && store.run(60).is_empty());
    store.restart();
    store.contents.insert(8, content("b.example.com"));
    assert_eq!(store.run(60).len(), ALL);
    assert_eq!(store.maps[&8].shard.buckets, store.contents[&8].buckets);
    // A ConfigMap that another version of the program wrote is not trusted.
    store.maps.get_mut(&9).unwrap().shard.state.version = SHARD_VERSION - 1;
    store.restart();
    assert_eq!(store.run(60).len(), ALL);
    assert_eq!(store.maps[&9].shard.state.version, SHARD_VERSION);
}

#[test]
fn a_write_from_before_a_change_of_the_leader_comes_too_late() {
    // The versions known to a replica that was then disconnected, with its request in progress.
    let mut store = Store::written();
    let before: BTreeMap<u64, String> =
        store.maps.iter().map(|(number, map)| (*number, map.version.clone())).collect();
    // Another replica leads. The request arrives between its list and its write, or later.
    store.restart();
    let work = store.shards.next(store.now, Some(&|_| Content::default())).unwrap();
    let result = store.answer(&work);
    store.shards.done(Completed { work, result }, store.now);
    store.put(1, content("late.example.com"), true);
    store.run(60);
    for number in 0..SHARDS {
        assert_ne!(
            store.maps[&number].version, before[&number],
            "a late write of {number} would be carried out"
        );
        assert!(store.maps[&number].shard.buckets.is_empty(), "{number}");
    }
}

#[test]
fn changes_are_written_in_batches() {
    let mut store = Store::written();
    for number in 0..100 {
        store.set(7, &format!("{number}.example.com"));
    }
    assert!(store.run(0).is_empty());
    assert_eq!(store.run(1), ["write 7"]);
    // It is not written again at once, however often it changes.
    for number in 0..50 {
        store.set(7, &format!("again-{number}.example.com"));
        store.run(0);
    }
    let during = store.run(10).len();
    assert!((1..=4).contains(&during), "{during}");
    assert_eq!(store.maps[&7].shard.buckets, store.contents[&7].buckets);
    // A change that is reverted is not written.
    store.set(7, "x.example.com");
    store.set(7, "again-49.example.com");
    assert!(store.run(10).is_empty());
}

#[test]
fn shards_are_refreshed_before_max_age() {
    let mut store = Store::written();
    let started = store.now;
    let mut at = BTreeMap::<u64, usize>::new();
    for minute in 0..60 {
        let written = store.run(60).len();
        at.insert(minute, written);
        let oldest = store.maps.values().map(|map| store.now.duration_since(map.written)).max().unwrap();
        assert!(oldest <= Duration::from_secs(HOUR / 3 + 60), "{oldest:?}");
    }
    // Each about three times an hour, and never many at once after the first writes.
    let all: usize = at.values().sum();
    assert!((3 * ALL..=4 * ALL + ALL / 2).contains(&all), "{all} in {:?}: {at:?}", store.now - started);
    assert!(at.values().all(|it| *it < ALL / 4), "{at:?}");
    assert!(store.news.is_empty());
    // With other settings, another interval applies.
    store.shards.set_location(Some(("xposer-system", 60)));
    assert!(store.run(21).len() >= ALL);
}

#[test]
fn deleted_or_edited_shard_is_restored() {
    let mut store = Store::written();
    store.maps.remove(&1);
    store.put(2, content("evil.example.com"), true);
    assert!(store.run(60).is_empty(), "nobody watches them");
    store.run(HOUR / 3);
    for number in [1, 2] {
        assert_eq!(store.maps[&number].shard.buckets, Buckets::new());
    }
    // A change of the content notices it at once.
    store.maps.remove(&3);
    store.set(3, "a.example.com");
    assert_eq!(store.run(10), ["conflict 3", "read 3", "write 3"]);
    // Constant edits of another client are not answered each time.
    store.refuses = |what| matches!(what, Operation::Write(4, ..)).then_some(Failure::Outdated);
    store.set(4, "a.example.com");
    let during = store.run(60).len();
    assert!(during <= 60, "{during}");
}

#[test]
fn foreign_config_map_is_not_changed() {
    let mut store = Store::new();
    store.put(5, content("theirs.example.com"), false);
    let version = store.maps[&5].version.clone();
    let done = store.run(60);
    let reads = done.iter().filter(|it| *it == "read 5").count();
    assert!(done.len() == ALL + reads && (1..4).contains(&reads), "{done:?}");
    for number in 0..20 {
        store.set(5, &format!("{number}.example.com"));
        assert!(store.run(3).iter().all(|done| done == "read 5"));
    }
    store.run(HOUR);
    assert_eq!((store.maps[&5].version.clone(), store.shards.counts().1), (version, 1));
    assert_eq!(store.news.len(), 1, "{:?}", store.news);
    assert!(store.shards.is_settled());
    // After it is deleted, as the message advises, the shard is written soon.
    store.maps.remove(&5);
    store.run(35);
    assert_eq!((store.maps[&5].shard.buckets.len(), store.shards.counts().1), (1, 0));
}

#[test]
fn failures_are_logged_once_and_retried_with_growing_delays() {
    for failure in [
        Failure::NoNamespace("no".to_owned()),
        Failure::NoPermission("no".to_owned()),
        Failure::Refused("no".to_owned()),
        Failure::Unavailable("no".to_owned()),
    ] {
        let mut store = Store::new();
        store.refuses = match failure {
            Failure::NoNamespace(_) => {
                |what| matches!(what, Operation::Write(..)).then(|| Failure::NoNamespace("no".to_owned()))
            }
            Failure::NoPermission(_) => |_| Some(Failure::NoPermission("no".to_owned())),
            Failure::Refused(_) => {
                |what| matches!(what, Operation::Write(..)).then(|| Failure::Refused("no".to_owned()))
            }
            _ => |_| Some(Failure::Unavailable("no".to_owned())),
        };
        let done = store.run(600);
        assert!(done.len() < 120 && store.shards.has_given_up(), "{failure:?}: {}", done.len());
        assert!(matches!(&*store.news, [LogMessage::Failed(_)]), "{failure:?}: {:?}", store.news);
        store.refuses = |_| None;
        store.run(400);
        assert_eq!(store.maps.len(), ALL, "{failure:?}");
        assert!(
            matches!(&*store.news, [LogMessage::Failed(_), LogMessage::Recovered]),
            "{failure:?}: {:?}",
            store.news
        );
        assert!(!store.shards.has_given_up());
    }
}

#[test]
fn refused_shard_does_not_block_others() {
    let mut store = Store::new();
    store.refuses = |what| matches!(what, Operation::Write(3, ..)).then(|| Failure::Refused("no".to_owned()));
    let failed = store.run(600).iter().filter(|it| it.starts_with("failed")).count();
    assert_eq!(store.maps.len(), ALL - 1);
    assert!(failed < 10 && store.news.len() == 1, "{failed} {:?}", store.news);
}

#[test]
fn the_claims_move_with_the_settings() {
    let mut store = Store::written();
    store.shards.set_location(Some(("elsewhere", HOUR)));
    store.maps.clear();
    let done = store.run(60);
    assert!(done.len() == ALL + 1 && done[ALL] == "delete in xposer-system", "{done:?}");
    store.shards.set_location(None);
    assert!(!store.shards.is_settled());
    assert_eq!(store.run(60), ["delete in elsewhere"]);
    assert!(store.shards.is_settled());
    // Moved and moved back: nothing is deleted in the current place.
    store.shards.set_location(Some(("elsewhere", HOUR)));
    store.shards.set_location(None);
    store.shards.set_location(Some(("elsewhere", HOUR)));
    assert!(store.run(60).iter().all(|it| it.starts_with("write ")));
    // If the ConfigMaps cannot be written in the new place, the previous ones stay, in case the settings are reverted.
    store.shards.set_location(Some(("forbidden", HOUR)));
    store.refuses =
        |what| matches!(what, Operation::Write(..)).then(|| Failure::NoPermission("no".to_owned()));
    store.maps.clear();
    assert!(store.run(600).iter().all(|it| it.starts_with("failed")) && !store.shards.is_settled());
    store.shards.set_location(Some(("elsewhere", HOUR)));
    store.refuses = |_| None;
    store.run(60);
    store.news.clear();
    // ConfigMaps that may not be deleted are reported, and stay.
    store.shards.set_location(None);
    store.refuses = |_| Some(Failure::NoPermission("no".to_owned()));
    assert_eq!(store.run(600), ["failed no_permission"]);
    assert!(matches!(&*store.news, [LogMessage::Failed(_)]) && store.shards.is_settled());
}

/// A check of a ConfigMap of another owner may fail, and is repeated: no write there could end the failure.
#[test]
fn failed_check_of_a_foreign_config_map_recovers() {
    let mut store = Store::new();
    store.put(5, content("theirs.example.com"), false);
    store.run(20);
    let failing =
        |what: &Operation| matches!(what, Operation::Read(5)).then(|| Failure::Unavailable("no".to_owned()));
    store.refuses = failing;
    store.run(35);
    assert!(matches!(&*store.news, [LogMessage::Failed(_), LogMessage::Failed(_)]), "{:?}", store.news);
    store.refuses = |_| None;
    store.run(HOUR);
    assert!(store.shards.is_settled());
    assert_eq!(store.news.last(), Some(&LogMessage::Recovered), "{:?}", store.news);
    // The next failure is reported.
    store.refuses = failing;
    store.run(35);
    assert!(matches!(store.news.last(), Some(LogMessage::Failed(_))), "{:?}", store.news);
}

#[test]
fn old_namespace_is_cleaned_during_changes() {
    let mut store = Store::written();
    store.shards.set_location(Some(("elsewhere", HOUR)));
    store.maps.clear();
    let mut done = Vec::new();
    for step in 0..600 {
        store.set(7, &format!("{step}.example.com"));
        done.extend(store.run(0));
    }
    assert!(done.contains(&"delete in xposer-system".to_owned()), "{done:?}");
    // It also does not matter that a ConfigMap belongs to another owner there.
    store.shards.set_location(Some(("third", HOUR)));
    store.maps.clear();
    store.put(5, content("theirs.example.com"), false);
    assert!(store.run(60).contains(&"delete in elsewhere".to_owned()));
}

#[test]
fn permanent_refusal_is_logged_with_the_shards_that_are_kept() {
    let mut store = Store::written();
    store.shards.set_location(Some(("elsewhere", HOUR)));
    store.maps.clear();
    // Another failure is reported before it.
    store.refuses = |what| {
        let said = "data: Forbidden: field is immutable when `immutable` is set";
        match what {
            Operation::Write(3, ..) => Some(Failure::Unavailable("down".to_owned())),
            Operation::Write(4, ..) => Some(Failure::Refused(said.to_owned())),
            _ => None,
        }
    };
    let done = store.run(600);
    assert!(!done.iter().any(|it| it.starts_with("delete in")), "{done:?}");
    let [LogMessage::Failed(_), LogMessage::Failed(refused)] = &*store.news else {
        panic!("{:?}", store.news)
    };
    let expected = "the claims are not written: the API server refused elsewhere/xposer-claims-04: data: Forbidden: field is \
                    immutable when `immutable` is set; delete it, and it is created again within five minutes; those in the \
                    previous namespace xposer-system stay until then";
    assert_eq!(refused, expected);
    store.refuses = |_| None;
    assert!(store.run(400).contains(&"delete in xposer-system".to_owned()));
}

/// The fix that the message about an immutable ConfigMap advises.
#[test]
fn deleted_immutable_shard_is_created_again() {
    let mut store = Store::written();
    store.refuses = |what| {
        let is_there = matches!(what, Operation::Write(3, _, Some(_)));
        is_there.then(|| Failure::Refused("field is immutable".to_owned()))
    };
    store.set(3, "a.example.com");
    store.run(600);
    store.maps.remove(&3);
    // The response to an update of a ConfigMap that does not exist.
    store.refuses = |_| None;
    store.run(300);
    assert_eq!(store.maps[&3].shard.buckets, store.contents[&3].buckets);
}
