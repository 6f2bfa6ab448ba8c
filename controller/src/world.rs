//! All that the controller knows, and what follows from it. Nothing in here reads or writes anything: events and results
//! come in, and turns go out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use xposer::stamp::{self, Stamp};
use xposer::{MAX_NAMED, Published, Settings};

use crate::document::Document;
use crate::handover::{Handovers, Refusal, Successor};
use crate::kinds::Kind;
use crate::live::{Live, ObjectKey, Whose, digest, is_as_wanted};
use crate::plan::{Claims, Decision, Exposed, Fate, Member, Seen, Wanted, claims, decide};
use crate::service::{ServiceKey, Stored};
use crate::tell::Told;
use crate::urls::Urls;
use crate::write::{How, Write, Written, Wrong};

/// What a turn is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Job {
    /// A Service and its objects.
    Service(Arc<ServiceKey>),
    /// The URL ConfigMap of a namespace.
    Urls(Box<str>),
}

/// What is to be done about a Service, or a ConfigMap.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) job: Job,
    pub(crate) writes: Vec<Write>,
    /// What its owner is to be told; all that was told before and is not among it is over.
    pub(crate) told: Vec<Told>,
}

/// Something to tell the owner of a Service.
#[derive(Clone, Debug)]
pub(crate) struct News {
    pub(crate) service: Arc<ServiceKey>,
    pub(crate) uid: Box<str>,
    pub(crate) told: Told,
}

/// What follows from something that could not be written.
#[derive(Debug)]
pub(crate) enum Reaction {
    /// Its owner is told, and it is tried again later.
    Tell(Told),
    /// It is tried again later.
    Wait,
    /// It is tried at once, in another way.
    Retry,
}

/// Whether the API server has a kind, and whether we know its objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Serving {
    /// Not known yet, or its objects are being listed.
    #[default]
    Unknown,
    /// Its objects are known.
    Listed,
    /// The API server does not have it.
    Unserved,
    /// We may not list it.
    Forbidden(String),
    /// It cannot be listed for another reason.
    Unreadable(String),
}

/// A Service, and what we remember of it.
#[derive(Debug)]
struct Entry {
    stored: Stored,
    claims: Claims,
    /// Hashes of what its owner was told.
    told: BTreeSet<u64>,
    refused: bool,
}

/// All that is known.
pub(crate) struct World {
    settings: Settings,
    /// Whether the URL is written back on the Services.
    stamps: bool,
    services: BTreeMap<Arc<ServiceKey>, Entry>,
    /// Who claims what.
    claims: BTreeSet<(u64, Arc<ServiceKey>)>,
    /// Every object of our kinds; of those without any mark of ours, only that they are there.
    objects: BTreeMap<ObjectKey, Option<Box<Live>>>,
    /// The objects that say they belong to a Service.
    belonging: BTreeSet<(Arc<ServiceKey>, ObjectKey)>,
    /// Services that wait for an object to change or to go.
    waiting: BTreeSet<(ObjectKey, Arc<ServiceKey>)>,
    serving: BTreeMap<Kind, Serving>,
    /// Namespaces that are being deleted. Nothing can be made in them, and what is in them goes without us.
    going: BTreeSet<Box<str>>,
    urls: Urls,
    /// What the owners of entries were told about the ConfigMap of a namespace.
    urls_told: BTreeMap<Box<str>, BTreeSet<u64>>,
    /// What is not wanted any more, and still there because nothing serves in its place yet.
    handovers: Handovers,
    /// Services that do not ask any more, until what was made of them is dealt with.
    former: BTreeMap<Arc<ServiceKey>, Former>,
    /// What there is to do.
    due: BTreeSet<Job>,
    /// Of that, what somebody wants who changed a Service.
    wished: BTreeSet<Job>,
}

/// A Service that asked to be exposed.
#[derive(Debug)]
struct Former {
    uid: Box<str>,
    /// Whether something is written back on it.
    stamped: bool,
    /// Hashes of what its owner was told.
    told: BTreeSet<u64>,
    /// Whether a turn has begun that deals with it; one that was under way when it stopped asking does not.
    begun: bool,
}

impl World {
    pub(crate) fn new(settings: Settings, stamps: bool, handover_timeout: Duration) -> Self {
        Self {
            stamps: stamps && settings.stamp(),
            settings,
            services: BTreeMap::new(),
            claims: BTreeSet::new(),
            objects: BTreeMap::new(),
            belonging: BTreeSet::new(),
            waiting: BTreeSet::new(),
            serving: BTreeMap::new(),
            going: BTreeSet::new(),
            urls: Urls::default(),
            urls_told: BTreeMap::new(),
            handovers: Handovers::new(handover_timeout),
            former: BTreeMap::new(),
            due: BTreeSet::new(),
            wished: BTreeSet::new(),
        }
    }

    /// What there is to do, which is then regarded as taken.
    pub(crate) fn take_due(&mut self) -> BTreeSet<Job> {
        std::mem::take(&mut self.due)
    }

    /// How many Services have something to be done.
    #[cfg(test)]
    pub(crate) fn due_services(&self) -> usize {
        self.due.iter().filter(|job| matches!(job, Job::Service(_))).count()
    }

    /// Of what there is to do, what was wished for; that is not a quarrel with another writer, however often it comes.
    pub(crate) fn take_wished(&mut self) -> BTreeSet<Job> {
        std::mem::take(&mut self.wished)
    }

    /// Other settings: everything is planned anew.
    pub(crate) fn set_settings(&mut self, settings: Settings, stamps: bool) {
        self.settings = settings;
        self.stamps = stamps && self.settings.stamp();
        self.claims.clear();
        for (key, entry) in &mut self.services {
            self.handovers.try_again(key);
            entry.claims = claims(&entry.stored, &self.settings);
            let seen = entry.claims.seen.iter().filter(|_| !entry.refused).map(|seen| &seen.own);
            self.claims.extend(entry.claims.shared.iter().chain(seen).map(|claim| (*claim, key.clone())));
        }
        self.everything_is_due();
    }

    fn everything_is_due(&mut self) {
        self.due.extend(self.services.keys().cloned().map(Job::Service));
    }

    // Services.

    /// A Service that asks to be exposed is there, as it is now.
    pub(crate) fn see_service(&mut self, document: &Document) {
        let Some((key, stored)) = Stored::new(document) else { return };
        let known = self.services.get(&key);
        if known.is_some_and(|known| known.stored.is_same(&stored)) {
            return;
        }
        let claims = claims(&stored, &self.settings);
        self.handovers.try_again(&key);
        self.release(&key, &claims.seen);
        self.claims.extend(claims.shared.iter().map(|claim| (*claim, key.clone())));
        let (told, refused) =
            self.services.remove(&key).map(|entry| (entry.told, entry.refused)).unwrap_or_default();
        if !refused {
            self.show(&key, &claims.seen);
        }
        self.former.remove(&key);
        self.services.insert(key.clone(), Entry { stored, claims, told, refused });
        self.wished.insert(Job::Service(key.clone()));
        self.due.insert(Job::Service(key));
    }

    /// A Service is gone, or does not ask any more.
    pub(crate) fn lose_service(&mut self, key: &Arc<ServiceKey>) {
        self.release(key, &[]);
        self.handovers.forget(key);
        if let Some(entry) = self.services.remove(key) {
            let stamped = self.stamps && stamp::write(&mut entry.stored.document(), None);
            let former = Former { uid: entry.stored.uid, stamped, told: entry.told, begun: false };
            self.former.insert(key.clone(), former);
            self.due.insert(Job::Service(key.clone()));
        }
    }

    /// What a Service claimed is free, but for what others still see of it; those that claim it too may get it.
    fn release(&mut self, key: &Arc<ServiceKey>, kept: &[Seen]) {
        let Some(entry) = self.services.get_mut(key) else { return };
        let claims = std::mem::take(&mut entry.claims);
        for claim in claims.shared {
            self.claims.remove(&(claim, key.clone()));
            let rivals: Vec<_> = self.claimants(claim).cloned().map(Job::Service).collect();
            self.due.extend(rivals);
        }
        let gone: Vec<Seen> = claims.seen.into_iter().filter(|seen| !kept.contains(seen)).collect();
        self.hide(key, &gone);
    }

    /// Others can see this of a Service.
    fn show(&mut self, key: &Arc<ServiceKey>, seen: &[Seen]) {
        for seen in seen {
            if self.claims.insert((seen.own, key.clone())) {
                self.affects(key, *seen);
            }
        }
    }

    /// Others see this of a Service no longer.
    fn hide(&mut self, key: &Arc<ServiceKey>, seen: &[Seen]) {
        for seen in seen {
            self.affects(key, *seen);
            self.claims.remove(&(seen.own, key.clone()));
        }
    }

    /// Those that see something of a Service are due; not where they see enough others instead.
    fn affects(&mut self, key: &Arc<ServiceKey>, seen: Seen) {
        if self.claimants(seen.own).take(MAX_NAMED).any(|first| first == key) {
            let affected: Vec<_> = self.claimants(seen.other).cloned().map(Job::Service).collect();
            self.due.extend(affected);
        }
    }

    fn claimants(&self, claim: u64) -> impl Iterator<Item = &Arc<ServiceKey>> {
        let from = (claim, ServiceKey::new("", ""));
        self.claims.range(from..).take_while(move |(known, _)| *known == claim).map(|(_, key)| key)
    }

    pub(crate) fn service_keys(&self) -> BTreeSet<Arc<ServiceKey>> {
        self.services.keys().cloned().collect()
    }

    /// How many Services there are, and how many of them are refused.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.services.len(), self.services.values().filter(|entry| entry.refused).count())
    }

    /// How many objects of each kind are ours.
    pub(crate) fn owned(&self) -> BTreeMap<Kind, usize> {
        let mut owned: BTreeMap<Kind, usize> = Kind::ALL.into_iter().map(|kind| (kind, 0)).collect();
        for (key, live) in &self.objects {
            if live.as_ref().is_some_and(|live| live.labelled && live.managed) {
                *owned.entry(key.kind).or_default() += 1;
            }
        }
        owned.insert(Kind::ConfigMap, self.urls.managed());
        owned
    }

    // Objects.

    /// Whether a kind can be written, and its objects are known.
    pub(crate) fn set_serving(&mut self, kind: Kind, serving: Serving) {
        if self.serving.get(&kind) == Some(&serving) {
            return;
        }
        if serving == Serving::Unserved {
            let gone: Vec<ObjectKey> = self.objects_of(kind).collect();
            gone.iter().for_each(|key| self.forget(key));
        }
        self.serving.insert(kind, serving);
        // Those that could not be written before may be now, or the other way round.
        self.everything_is_due();
    }

    /// Whether it is known of every kind whether it can be written, and something can be exposed.
    pub(crate) fn is_ready(&self) -> bool {
        let is_known = |kind: &Kind| !matches!(self.serving(*kind), Serving::Unknown);
        let exposes = [Kind::Ingress, Kind::HttpRoute, Kind::Route];
        Kind::ALL.iter().all(is_known)
            && exposes.into_iter().any(|kind| self.serving(kind) == Serving::Listed)
    }

    fn serving(&self, kind: Kind) -> Serving {
        self.serving.get(&kind).cloned().unwrap_or_default()
    }

    /// The keys of all objects of a kind.
    pub(crate) fn objects_of(&self, kind: Kind) -> impl Iterator<Item = ObjectKey> {
        let maps = self.urls.all_maps().map(|namespace| ObjectKey {
            kind: Kind::ConfigMap,
            namespace: namespace.into(),
            name: xposer::URL_CONFIG_MAP.into(),
        });
        let keys = self.objects.keys().filter(move |key| key.kind == kind).cloned();
        keys.chain(maps.filter(move |_| kind == Kind::ConfigMap))
    }

    /// An object is there, as it is now.
    pub(crate) fn see_object(&mut self, kind: Kind, document: &Document) {
        if kind == Kind::ConfigMap {
            if self.urls.observe(document) {
                let namespace = document.metadata.namespace.as_deref().unwrap_or_default();
                self.due.insert(Job::Urls(namespace.into()));
            }
            return;
        }
        let key = ObjectKey::of(kind, &document.metadata);
        let known = self.objects.get(&key).and_then(Option::as_deref);
        let version = document.metadata.resource_version.as_deref().unwrap_or_default();
        if known.is_some_and(|known| *known.version == *version) {
            return;
        }
        let Some(mut live) = Live::new(document) else {
            // Of somebody else. Whoever had it does not have it any more.
            let had = known.map(|known| known.service.clone());
            if self.objects.get(&key).is_none_or(Option::is_some) {
                self.wake(&key);
            }
            if let Some(had) = had {
                self.belonging.remove(&(had.clone(), key.clone()));
                self.due.insert(Job::Service(had));
            }
            self.objects.insert(key, None);
            return;
        };
        let had = known.map(|known| (known.service.clone(), known.uid.clone(), known.synced, known.content));
        let status = |of: &Live| (of.served, of.is_behind);
        if known.is_none_or(|known| status(known) != status(&live)) && self.handovers.involves(&live.service)
        {
            self.due.insert(Job::Service(live.service.clone()));
        }
        match &had {
            // Only its version is new: the status, or fields that are not ours.
            Some((_, uid, synced, content))
                if *uid == live.uid && *content == live.content && *synced != 0 =>
            {
                live.synced = *synced;
            }
            _ => live.synced = self.sync(&live, &key, document),
        }
        if live.synced == 0 {
            self.due.insert(Job::Service(live.service.clone()));
        }
        self.wake(&key);
        self.place(key, live, had.map(|(service, ..)| service));
    }

    /// The hash of what is wanted of an object, if it is that, and 0 if it is not, or if nothing is.
    fn sync(&self, live: &Live, key: &ObjectKey, document: &Document) -> u64 {
        if live.terminating || !self.services.contains_key(&live.service) {
            return 0;
        }
        let decisions = self.decide(&live.service);
        let wanted = decisions.iter().flat_map(|decision| match &decision.fate {
            Fate::Exposed(exposed) => exposed.wanted.as_slice(),
            _ => &[],
        });
        let wanted = wanted.into_iter().find(|wanted| wanted.key == *key);
        wanted.filter(|wanted| is_as_wanted(document, &wanted.body)).map_or(0, |wanted| wanted.hash)
    }

    /// What we wrote is there. The API server, or a webhook of somebody, may have made something else of it; it is what
    /// there is to have, as long as nobody changes it.
    fn see_written(&mut self, key: &ObjectKey, hash: u64, document: &Document) {
        if key.kind == Kind::ConfigMap {
            self.see_object(key.kind, document);
            return;
        }
        let had = self.objects.get(key).and_then(Option::as_deref).map(|known| known.service.clone());
        let Some(mut live) = Live::new(document) else { return };
        live.synced = hash;
        self.place(key.clone(), live, had);
    }

    fn place(&mut self, key: ObjectKey, live: Live, had: Option<Arc<ServiceKey>>) {
        if let Some(had) = had.filter(|had| *had != live.service) {
            self.belonging.remove(&(had.clone(), key.clone()));
            self.due.insert(Job::Service(had));
        }
        self.belonging.insert((live.service.clone(), key.clone()));
        self.objects.insert(key, Some(Box::new(live)));
    }

    /// An object is gone.
    pub(crate) fn lose_object(&mut self, key: &ObjectKey) {
        if key.kind == Kind::ConfigMap {
            self.urls.forget(&key.namespace);
            self.due.insert(Job::Urls(key.namespace.clone()));
            return;
        }
        let service = self.objects.get(key).and_then(Option::as_deref).map(|live| live.service.clone());
        self.due.extend(service.map(Job::Service));
        self.forget(key);
        self.wake(key);
    }

    fn forget(&mut self, key: &ObjectKey) {
        if let Some(Some(live)) = self.objects.remove(key) {
            self.belonging.remove(&(live.service, key.clone()));
        }
    }

    /// Who waits for an object may look again.
    fn wake(&mut self, key: &ObjectKey) {
        let from = (key.clone(), ServiceKey::new("", ""));
        let waiting: Vec<_> =
            self.waiting.range(from..).take_while(|(known, _)| known == key).cloned().collect();
        for waiting in waiting {
            self.waiting.remove(&waiting);
            self.due.insert(Job::Service(waiting.1));
        }
    }

    // Namespaces.

    pub(crate) fn see_namespace(&mut self, name: &str, terminating: bool) {
        if terminating {
            self.going.insert(name.into());
            self.urls.remove_namespace(name);
            return;
        }
        self.come(name);
        if self.urls.add_namespace(name) {
            self.due.insert(Job::Urls(name.into()));
        }
    }

    pub(crate) fn lose_namespace(&mut self, name: &str) {
        self.come(name);
        self.urls.remove_namespace(name);
    }

    /// A namespace is not being deleted. Another one of its name may be there, and Services of it were seen before it was.
    fn come(&mut self, name: &str) {
        if self.going.remove(name) {
            let within = self.services.keys().filter(|key| *key.namespace == *name);
            self.due.extend(within.cloned().map(Job::Service));
            self.former.retain(|key, _| *key.namespace != *name);
        }
    }

    pub(crate) fn namespaces(&self) -> BTreeSet<Box<str>> {
        self.urls.namespaces().map(Into::into).collect()
    }

    // Turns.

    /// A Service and all that it meets by claims, directly or through others.
    fn group(&self, key: &Arc<ServiceKey>) -> Vec<Member<'_>> {
        let mut found = BTreeSet::from([key.clone()]);
        let mut todo = vec![key.clone()];
        let mut seen = BTreeSet::new();
        while let Some(next) = todo.pop() {
            let claims = self.services.get(&next).map(|entry| &*entry.claims.shared).unwrap_or_default();
            for claim in claims {
                if seen.insert(*claim) {
                    let new = self.claimants(*claim).filter(|other| !found.contains(*other));
                    let new: Vec<_> = new.cloned().collect();
                    found.extend(new.iter().cloned());
                    todo.extend(new);
                }
            }
        }
        let member = |key: Arc<ServiceKey>| {
            let entry = self.services.get(&key)?;
            Some(Member { key, stored: &entry.stored })
        };
        found.into_iter().filter_map(member).collect()
    }

    /// Of those that share no claim with the members and affect them, as many as are named.
    fn beside(&self, members: &[Member<'_>]) -> Vec<&Stored> {
        let entries = members.iter().filter_map(|member| self.services.get(&member.key));
        let mut found: BTreeSet<&Arc<ServiceKey>> = BTreeSet::new();
        for seen in entries.flat_map(|entry| &entry.claims.seen) {
            found.extend(self.claimants(seen.other).take(MAX_NAMED));
        }
        if found.is_empty() {
            return Vec::new();
        }
        let own: BTreeSet<&Arc<ServiceKey>> = members.iter().map(|member| &member.key).collect();
        let others = found.into_iter().filter(|key| !own.contains(key));
        others.filter_map(|key| self.services.get(key)).map(|entry| &entry.stored).collect()
    }

    fn decide(&self, key: &Arc<ServiceKey>) -> Vec<Decision> {
        let members = self.group(key);
        decide(&members, &self.beside(&members), &self.settings)
    }

    /// What is to be done about a job. About a Service, also what is to be done about those that it meets.
    pub(crate) fn turns(&mut self, job: &Job, now: Instant) -> Vec<Turn> {
        let key = match job {
            Job::Urls(namespace) => {
                if self.serving(Kind::ConfigMap) != Serving::Listed {
                    return Vec::new();
                }
                let told = self.urls.taken(namespace);
                let told =
                    told.into_iter().map(|(service, key)| Told::taken(namespace, &key, service)).collect();
                let writes = self.urls.turn(namespace).into_iter().collect();
                return vec![Turn { job: job.clone(), writes, told }];
            }
            Job::Service(key) => key,
        };
        if !self.services.contains_key(key) {
            let is_going = self.going.contains(&key.namespace);
            return if is_going { Vec::new() } else { vec![self.not_asked(key)] };
        }
        let mut decisions = self.decide(key);
        decisions.retain(|decision| !self.going.contains(&decision.key.namespace));
        decisions.into_iter().map(|decision| self.turn(decision, now)).collect()
    }

    /// A Service that does not ask, or is not there: what was made of it goes.
    fn not_asked(&mut self, key: &Arc<ServiceKey>) -> Turn {
        self.handovers.forget(key);
        self.publish(key, None);
        let unasked =
            self.belonging_to(key).filter(|(_, live)| live.is_deletable()).filter_map(|(object, live)| {
                Some(Write::DeleteUnasked {
                    key: object.clone(),
                    uid: live.uid.clone(),
                    version: live.version.clone(),
                    service: key.clone(),
                    owner: live.owner.clone()?,
                })
            });
        let mut writes: Vec<Write> = unasked.collect();
        if let Some(former) = self.former.get_mut(key) {
            former.begun = true;
            if former.stamped {
                let (service, uid) = (key.clone(), former.uid.clone());
                writes.push(Write::Stamp { service, uid, annotations: Vec::new() });
            }
        }
        Turn { writes, job: Job::Service(key.clone()), told: Vec::new() }
    }

    fn belonging_to(&self, key: &Arc<ServiceKey>) -> impl Iterator<Item = (&ObjectKey, &Live)> {
        let first = ObjectKey { kind: Kind::Ingress, namespace: "".into(), name: "".into() };
        let range = self.belonging.range((key.clone(), first)..);
        let objects = range.take_while(move |(service, _)| service == key).map(|(_, object)| object);
        objects.filter_map(|object| Some((object, self.objects.get(object)?.as_deref()?)))
    }

    /// A Service publishes this now, and nothing else.
    fn publish(&mut self, key: &Arc<ServiceKey>, published: Option<Published>) {
        let namespaces = self.urls.publish(key, published);
        self.due.extend(namespaces.into_iter().map(Job::Urls));
    }

    fn turn(&mut self, decision: Decision, now: Instant) -> Turn {
        let refused = decision.is_refused();
        let mut told: Vec<Told> = decision.told().map(Told::diagnostic).collect();
        let Decision { key, fate, .. } = decision;
        if let Some(entry) = self.services.get_mut(&key)
            && entry.refused != refused
        {
            entry.refused = refused;
            // Who is not exposed changes nobody's host.
            let seen = entry.claims.seen.clone();
            if refused { self.hide(&key, &seen) } else { self.show(&key, &seen) }
        }
        let terminating = self.services.get(&key).is_none_or(|entry| entry.stored.terminating);
        if terminating || refused {
            self.handovers.forget(&key);
        }
        let writes = match fate {
            _ if terminating => Vec::new(),
            Fate::Refused => Vec::new(),
            Fate::Lost => {
                self.publish(&key, None);
                let unwanted = self.unwanted(&key, &[]);
                let mut writes: Vec<Write> = unwanted.iter().map(|(key, live)| delete(key, live)).collect();
                writes.extend(self.stamp(&key, None));
                writes
            }
            Fate::Exposed(exposed) => self.exposed(&key, exposed, &mut told, now),
        };
        Turn { job: Job::Service(key), writes, told }
    }

    fn exposed(
        &mut self,
        key: &Arc<ServiceKey>,
        exposed: Exposed,
        told: &mut Vec<Told>,
        now: Instant,
    ) -> Vec<Write> {
        self.publish(key, exposed.published);
        let uid = self.services.get(key).map(|entry| entry.stored.uid.clone()).unwrap_or_default();
        let mut wanted = exposed.wanted;
        let unwanted = self.unwanted(key, &wanted);
        let first = self.handovers.detour(key, &unwanted, &mut wanted);
        let successors: Vec<Successor> = match unwanted.as_slice() {
            [] => Vec::new(),
            _ => wanted.iter().map(|it| Successor::new(it, self.in_place(it, key, &uid))).collect(),
        };
        let mut is_complete = true;
        let is_first = |(key, _): &&(ObjectKey, Live)| first.as_ref() == Some(key);
        let mut writes: Vec<Write> =
            unwanted.iter().filter(is_first).map(|(key, live)| delete(key, live)).collect();
        for Wanted { key: object, body, hash } in wanted {
            let serving = self.serving(object.kind);
            if serving != Serving::Listed {
                is_complete = false;
                told.extend(Told::serving(object.kind, &serving));
                continue;
            }
            match self.objects.get(&object) {
                None => writes.push(Write::Apply { key: object, body, hash, how: How::New }),
                Some(Some(live)) if live.terminating => {
                    is_complete = false;
                    self.waiting.insert((object, key.clone()));
                }
                Some(live) => match live.as_ref().map_or(Whose::Foreign, |live| live.whose(key, &uid)) {
                    Whose::Ours if live.as_ref().is_some_and(|live| live.synced == hash) => {}
                    Whose::Ours => {
                        let contested = live.as_ref().is_some_and(|live| live.contested);
                        let how = if contested { How::Contested } else { How::Ours };
                        writes.push(Write::Apply { key: object, body, hash, how });
                    }
                    Whose::Offered => writes.push(Write::Adopt { key: object, body, hash }),
                    Whose::Foreign => {
                        is_complete = false;
                        let owner = live.as_ref().map(|live| &live.service);
                        let keeps = owner.filter(|owner| self.handovers.is_kept(owner, &object));
                        told.push(match keeps {
                            Some(owner) => Told::kept_by(&object, owner),
                            None => Told::foreign(&object, None),
                        });
                        self.waiting.insert((object, key.clone()));
                    }
                },
            }
        }
        // What is old goes only where all that is new is there.
        if is_complete {
            let going = self.handovers.review(key, &unwanted, &successors, now).into_iter();
            writes.extend(going.filter(|it| !is_first(it)).map(|(key, live)| delete(key, live)));
            told.extend(self.handovers.told(key));
            writes.extend(self.stamp(key, exposed.stamp.as_ref()));
        }
        writes
    }

    /// The object in the cluster, if it is the one that is wanted, as it is wanted.
    fn in_place(&self, wanted: &Wanted, service: &ServiceKey, uid: &str) -> Option<&Live> {
        let live = self.objects.get(&wanted.key)?.as_deref()?;
        let is_ours = live.whose(service, uid) == Whose::Ours && !live.terminating;
        (is_ours && live.synced == wanted.hash).then_some(live)
    }

    /// What is ours and not wanted.
    fn unwanted(&self, key: &Arc<ServiceKey>, wanted: &[Wanted]) -> Vec<(ObjectKey, Live)> {
        let Some(uid) = self.services.get(key).map(|entry| &entry.stored.uid) else { return Vec::new() };
        let wanted: BTreeSet<&ObjectKey> = wanted.iter().map(|wanted| &wanted.key).collect();
        let is_unwanted = |(object, live): &(&ObjectKey, &Live)| {
            live.is_deletable() && live.owner.as_ref() == Some(uid) && !wanted.contains(object)
        };
        let unwanted = self.belonging_to(key).filter(is_unwanted);
        unwanted.map(|(object, live)| (object.clone(), live.clone())).collect()
    }

    /// What is to be written back on a Service, if that is not there already.
    fn stamp(&self, key: &Arc<ServiceKey>, stamp: Option<&Stamp>) -> Option<Write> {
        if !self.stamps {
            return None;
        }
        let entry = self.services.get(key)?;
        let mut document = entry.stored.document();
        stamp::write(&mut document, stamp).then(|| Write::Stamp {
            service: key.clone(),
            uid: entry.stored.uid.clone(),
            annotations: stamp
                .iter()
                .flat_map(|stamp| stamp.annotations())
                .map(|(key, value)| (key, value.to_owned()))
                .collect(),
        })
    }

    /// What was written for a job changes what is known; gives what is to be told.
    pub(crate) fn written(&mut self, job: &Job, written: Written) -> Option<Told> {
        match written {
            Written::Applied { key, hash, document, is_new, adopted } => {
                self.see_written(&key, hash, &document);
                if let Some(live) = self.objects.get(&key).and_then(Option::as_deref) {
                    let is_there = |key: &ObjectKey| {
                        self.objects.get(key).and_then(Option::as_deref).is_some_and(Live::is_deletable)
                    };
                    self.handovers.applied(&live.service, &key, is_there);
                    // What was kept for it waits from now on.
                    if self.handovers.involves(&live.service) {
                        self.due.insert(Job::Service(live.service.clone()));
                    }
                }
                Some(Told::applied(&key, is_new, adopted))
            }
            Written::Deleted { key } => {
                // It may linger, with a finalizer; the watch tells when it is gone, if it has not done so already.
                if let Some(Some(live)) = self.objects.get_mut(&key) {
                    live.terminating = true;
                }
                let told = match job {
                    Job::Service(service) => self.handovers.deleted(service, &key),
                    Job::Urls(_) => None,
                };
                Some(told.unwrap_or_else(|| Told::deleted(&key)))
            }
            Written::Done => None,
        }
    }

    /// Something could not be written.
    pub(crate) fn wrong(&mut self, job: &Job, wrong: &Wrong) -> Reaction {
        match wrong {
            Wrong::Foreign { key, said } => {
                if let Job::Service(service) = job {
                    self.waiting.insert((key.clone(), service.clone()));
                }
                Reaction::Tell(Told::foreign(key, Some(said)))
            }
            Wrong::Refused { key, said } => match self.refused(job, key.as_ref(), said) {
                Refusal::Retried => {
                    self.due.insert(job.clone());
                    Reaction::Retry
                }
                Refusal::Passing => Reaction::Wait,
                Refusal::Told => Reaction::Tell(Told::refused(key.as_ref(), said)),
            },
            Wrong::Outdated | Wrong::Unavailable(_) => Reaction::Wait,
        }
    }

    fn refused(&mut self, job: &Job, key: Option<&ObjectKey>, said: &str) -> Refusal {
        let (Job::Service(service), Some(key)) = (job, key) else { return Refusal::Told };
        let others = self.belonging_to(service).map(|(key, live)| (key.clone(), live.clone()));
        let others: Vec<_> = others.collect();
        self.handovers.refused(service, key, said, &others)
    }

    // What is kept until something else serves.

    /// Time passes.
    pub(crate) fn pass(&mut self, now: Instant) {
        let overdue = self.handovers.take_overdue(now).into_iter();
        self.due.extend(overdue.filter(|key| self.services.contains_key(key)).map(Job::Service));
    }

    /// When time has to be told to have passed.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.handovers.next_deadline()
    }

    /// Whether nothing waits for somebody to serve it.
    pub(crate) fn is_settled(&self) -> bool {
        self.handovers.is_settled()
    }

    /// How many objects of a kind are kept.
    pub(crate) fn kept(&self, kind: Kind) -> usize {
        self.handovers.count(kind)
    }

    /// A turn is done, or failed. Of what is to be told, what was not told before, with the Services whose owners are to be
    /// told, and their UIDs.
    pub(crate) fn done(&mut self, job: &Job, told: Vec<Told>, failed: bool) -> Vec<News> {
        let hashes: BTreeSet<u64> = told.iter().filter(|it| it.lasts).map(digest).collect();
        let (before, listeners) = match job {
            Job::Service(key) => match self.services.get_mut(key) {
                Some(entry) => {
                    let listener = (key.clone(), entry.stored.uid.clone());
                    (std::mem::replace(&mut entry.told, hashes), vec![listener])
                }
                None => match self.former.get_mut(key) {
                    Some(former) => {
                        let listener = (key.clone(), former.uid.clone());
                        let before = std::mem::replace(&mut former.told, hashes);
                        if former.begun && !failed {
                            self.former.remove(key);
                        }
                        (before, vec![listener])
                    }
                    None => Default::default(),
                },
            },
            Job::Urls(namespace) => {
                let publishers = if hashes.is_empty() { Vec::new() } else { self.urls.publishers(namespace) };
                let uid =
                    |key: Arc<ServiceKey>| Some((key.clone(), self.services.get(&key)?.stored.uid.clone()));
                let listeners = publishers.into_iter().filter_map(uid).collect();
                (self.urls_told.insert(namespace.clone(), hashes).unwrap_or_default(), listeners)
            }
        };
        // Nobody is told that a ConfigMap has one line more.
        let is_news =
            |it: &Told| if it.lasts { !before.contains(&digest(it)) } else { matches!(job, Job::Service(_)) };
        let told: Vec<Told> = told.into_iter().filter(is_news).collect();
        let to = |(service, uid): (Arc<ServiceKey>, Box<str>)| {
            told.iter()
                .filter(|told| told.only.as_ref().is_none_or(|only| *only == service))
                .map(|told| News { service: service.clone(), uid: uid.clone(), told: told.clone() })
                .collect::<Vec<_>>()
        };
        listeners.into_iter().flat_map(to).collect()
    }
}

fn delete(key: &ObjectKey, live: &Live) -> Write {
    Write::Delete { key: key.clone(), uid: live.uid.clone(), version: live.version.clone() }
}
