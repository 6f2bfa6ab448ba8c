//! The loop: what is seen goes into the world, and what follows from it goes to the API server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tracing::{debug, error, info, warn};

use crate::args::Args;
use crate::diff;
use crate::kinds::Kind;
use crate::lease::{Candidate, Part};
use crate::live::ObjectKey;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::serve::{Health, serve};
use crate::service::ServiceKey;
use crate::settings::SettingsFile;
use crate::tell::{Teller, Told};
use crate::watch::{Change, Scope, Sight, Source, random, said, with_causes};
use crate::world::{Job, Reaction, Serving, Turn, World};
use crate::write::{Written, Wrong, write_all};

/// Requests under way at the same time. The API server's fair queueing gives a client its share whatever it asks for; more
/// than these only wait there.
const AT_ONCE: usize = 16;
/// How often the loop comes by when nothing happens, and the settings file is looked at.
const TICK: Duration = Duration::from_secs(2);
/// How long what is under way may take when the program is to end.
const GRACE: Duration = Duration::from_secs(10);
/// How long the Events of a run that ends by itself may take.
const LAST_EVENTS: Duration = Duration::from_secs(60);
/// The pause after the API server could not be reached, which doubles as long as it cannot.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What the program's exit status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    /// A Service was refused, an object could not be written, or the lease was lost.
    Refused = 1,
    /// Wrong usage, unusable settings, no cluster.
    Unusable = 2,
}

/// Runs until it is told to end, or with `--once` until everything is in order.
pub(crate) async fn run(args: Args) -> Exit {
    let mut file = SettingsFile::new(args.settings.clone());
    let settings = match file.read() {
        Some(Err(wrong)) => {
            eprintln_all(&wrong);
            return Exit::Unusable;
        }
        Some(Ok(settings)) => settings,
        None => xposer::Settings::default(),
    };
    let client = match client().await {
        Ok(client) => client,
        Err(wrong) => {
            error!("no cluster: {wrong}");
            return Exit::Unusable;
        }
    };
    let (metrics, health) = (Arc::new(Metrics::new()), Arc::new(Health::new()));
    metrics.set_settings_good(true);
    if !args.is_once() {
        match serve(args.address, health.clone(), metrics.clone()).await {
            Ok(address) => info!(%address, "serving /healthz, /readyz and /metrics"),
            Err(wrong) => {
                error!("nobody can listen at {}: {wrong}", args.address);
                return Exit::Unusable;
            }
        }
    }
    let (sender, sights) = mpsc::channel(64);
    let scope = Scope { client: client.clone(), namespace: args.namespace.clone() };
    let teller = Teller::start(client.clone(), args.identity.clone(), metrics.clone());
    // A dry run makes nothing that could be waited for, and shows what would be deleted in the end.
    let timeout = if args.dry_run { 0 } else { args.handover_timeout };
    let world = World::new(settings, args.stamp, Duration::from_secs(timeout));
    let controller = Controller {
        world,
        file,
        client,
        metrics,
        health,
        teller,
        scope,
        sender,
        queue: Queue::default(),
        unlisted: BTreeMap::new(),
        complete: BTreeSet::new(),
        tasks: JoinSet::new(),
        permits: Arc::new(Semaphore::new(AT_ONCE)),
        pause: Pause::default(),
        failed: false,
        args,
    };
    controller.run(sights).await
}

/// What is wrong with settings is text in several lines, which no log improves.
#[allow(clippy::print_stderr, reason = "it is for the person who started the program")]
fn eprintln_all(text: &str) {
    eprint!("{text}");
}

async fn client() -> Result<Client, String> {
    let mut config = kube::Config::infer().await.map_err(|error| with_causes(&error))?;
    // We pause as a whole where the API server is in trouble, and do not ask again with every request.
    config.default_retry = false;
    Client::try_from(config).map_err(|error| said(&error))
}

/// Writing rests while the API server is in trouble.
#[derive(Debug, Default)]
struct Pause {
    until: Option<Instant>,
    times: u32,
}

impl Pause {
    /// Gives whether this is a new pause; requests under way at the same time fail for the same reason.
    fn begin(&mut self, now: Instant) -> bool {
        if self.until.is_some_and(|until| until > now) {
            return false;
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.times.min(8)).min(LONGEST_PAUSE);
        self.times = self.times.saturating_add(1);
        // Several controllers do not come back at the same moment.
        self.until = Some(now + pause.mul_f64(0.75 + random() / 2.0));
        true
    }

    fn end(&mut self) {
        *self = Self::default();
    }

    fn is_over(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| until <= now)
    }
}

/// A turn whose writes are done.
struct Finished {
    job: Job,
    told: Vec<Told>,
    results: Vec<Result<Written, Wrong>>,
}

struct Controller {
    args: Args,
    world: World,
    file: SettingsFile,
    client: Client,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    teller: Teller,
    scope: Scope,
    sender: mpsc::Sender<Sight>,
    queue: Queue,
    /// Of lists that are not complete: what is known and was not in them yet.
    unlisted: BTreeMap<Source, BTreeSet<Known>>,
    complete: BTreeSet<Source>,
    tasks: JoinSet<Finished>,
    permits: Arc<Semaphore>,
    pause: Pause,
    failed: bool,
}

/// Something that is known of a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    Service(Arc<ServiceKey>),
    Namespace(Box<str>),
    Object(ObjectKey),
}

impl Controller {
    async fn run(mut self, mut sights: mpsc::Receiver<Sight>) -> Exit {
        let (part_sender, mut part) = watch::channel(Part::Waiting);
        let (stop, stopped) = watch::channel(false);
        let lease = if self.args.leader_elect && !self.args.is_once() {
            let Args { lease_namespace, lease_name, identity, .. } = self.args.clone();
            let candidate = Candidate::new(
                self.client.clone(),
                self.metrics.clone(),
                &lease_namespace,
                lease_name,
                identity,
            );
            Some(tokio::spawn(candidate.run(part_sender.clone(), stopped)))
        } else {
            part_sender.send_replace(Part::Leading);
            None
        };
        let (Ok(mut terminate), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            error!("signals cannot be received");
            return Exit::Unusable;
        };
        // What objects mean depends on the Services, so these come first.
        tokio::spawn(Source::Services.watch(self.scope.clone(), self.sender.clone()));
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let exit = loop {
            let wake = self.wakes_at();
            tokio::select! {
                Some(sight) = sights.recv() => {
                    self.see(sight);
                    // One event is rarely alone.
                    while let Ok(sight) = sights.try_recv() {
                        self.see(sight);
                    }
                }
                Some(done) = self.tasks.join_next(), if !self.tasks.is_empty() => match done {
                    Ok(finished) => self.finish(finished),
                    Err(wrong) => {
                        // A panic, which no input should be able to cause; without its answer the world is not sure.
                        error!("a task ended without an answer: {wrong}");
                        break Exit::Refused;
                    }
                },
                () = tokio::time::sleep_until(wake) => {}
                _ = tick.tick() => {
                    self.look_at_settings();
                    self.queue.tidy(Instant::now());
                    self.report();
                }
                changed = part.changed() => if changed.is_ok() && *part.borrow() == Part::Lost {
                    error!("the lease is lost");
                    break Exit::Refused;
                },
                _ = terminate.recv() => break Exit::Done,
                _ = interrupt.recv() => break Exit::Done,
            }
            let leads = *part.borrow() == Part::Leading;
            self.metrics.set_leader(leads);
            self.work(leads).await;
            self.health.beat(self.is_ready());
            if self.args.is_once() && self.is_in_order() {
                let (_, refused) = self.world.counts();
                break if refused > 0 || self.failed { Exit::Refused } else { Exit::Done };
            }
        };
        info!("ending");
        // What is under way is finished, so that nobody has to guess what became of it.
        let rest = async { while self.tasks.join_next().await.is_some() {} };
        if *part.borrow() != Part::Lost && tokio::time::timeout(GRACE, rest).await.is_err() {
            warn!("some requests were not answered in time");
        }
        let events = if self.args.is_once() { LAST_EVENTS } else { GRACE / 5 };
        self.teller.finish(events).await;
        stop.send_replace(true);
        if let Some(lease) = lease {
            // It ends by itself.
            let _ = lease.await;
        }
        exit
    }

    // What is seen.

    fn see(&mut self, Sight { source, change }: Sight) {
        match change {
            Change::Restarted => {
                let known = self.known(source);
                self.unlisted.insert(source, known);
            }
            Change::Seen(document) => {
                if let Some(unlisted) = self.unlisted.get_mut(&source) {
                    unlisted.remove(&Known::of(source, &document));
                }
                match source {
                    Source::Services => self.world.see_service(&document),
                    Source::Objects(kind) => self.world.see_object(kind, &document),
                    Source::Namespaces => {
                        let name = document.metadata.name.as_deref().unwrap_or_default();
                        self.world.see_namespace(name, document.metadata.deletion_timestamp.is_some());
                    }
                }
            }
            Change::Gone(document) => self.lose(Known::of(source, &document)),
            Change::Complete => {
                for gone in self.unlisted.remove(&source).unwrap_or_default() {
                    self.lose(gone);
                }
                self.completed(source);
                // It answers again.
                self.pause.until = None;
            }
            Change::Serving(serving) => {
                if let Source::Objects(kind) = source {
                    self.world.set_serving(kind, serving);
                }
            }
        }
    }

    fn completed(&mut self, source: Source) {
        debug!("the list of {source:?} is complete");
        if let Source::Objects(kind) = source {
            self.world.set_serving(kind, Serving::Listed);
        }
        if !self.complete.insert(source) || source != Source::Services {
            return;
        }
        match &self.args.namespace {
            Some(namespace) => {
                self.world.see_namespace(namespace, false);
                self.complete.insert(Source::Namespaces);
            }
            None => {
                tokio::spawn(Source::Namespaces.watch(self.scope.clone(), self.sender.clone()));
            }
        }
        for kind in Kind::ALL {
            tokio::spawn(Source::Objects(kind).watch(self.scope.clone(), self.sender.clone()));
        }
    }

    fn known(&self, source: Source) -> BTreeSet<Known> {
        match source {
            Source::Services => self.world.service_keys().into_iter().map(Known::Service).collect(),
            Source::Namespaces => self.world.namespaces().into_iter().map(Known::Namespace).collect(),
            Source::Objects(kind) => self.world.objects_of(kind).map(Known::Object).collect(),
        }
    }

    fn lose(&mut self, known: Known) {
        match known {
            Known::Service(key) => self.world.lose_service(&key),
            Known::Namespace(name) => self.world.lose_namespace(&name),
            Known::Object(key) => self.world.lose_object(&key),
        }
    }

    fn look_at_settings(&mut self) {
        match self.file.read() {
            None => {}
            Some(Ok(settings)) => {
                info!("the settings changed; everything is planned anew");
                self.metrics.set_settings_good(true);
                self.world.set_settings(settings, self.args.stamp);
            }
            Some(Err(wrong)) => {
                self.metrics.set_settings_good(false);
                error!("the settings cannot be used; those from before stay in force\n{wrong}");
            }
        }
    }

    // What is done.

    fn is_ready(&self) -> bool {
        self.complete.contains(&Source::Services)
            && self.complete.contains(&Source::Namespaces)
            && self.world.is_ready()
    }

    fn is_in_order(&self) -> bool {
        self.is_ready() && self.tasks.is_empty() && self.queue.is_idle() && self.world.is_settled()
    }

    fn wakes_at(&self) -> Instant {
        let now = Instant::now();
        let next =
            self.queue.next_at().into_iter().chain(self.pause.until.filter(|_| self.queue.has_ready(now)));
        next.chain(self.world.next_deadline()).filter(|at| *at > now).min().unwrap_or(now + TICK)
    }

    async fn work(&mut self, leads: bool) {
        if !self.is_ready() || !leads {
            return;
        }
        let now = Instant::now();
        self.world.pass(now);
        for job in self.world.take_wished() {
            self.queue.forgive(&job);
        }
        self.queue_due(now);
        while self.pause.is_over(now) && self.tasks.len() < 2 * AT_ONCE {
            let Some(job) = self.queue.pop(now) else { break };
            let mut has_turn = false;
            for turn in self.world.turns(&job, now) {
                has_turn |= turn.job == job;
                if turn.job == job || self.queue.take(&turn.job) {
                    self.begin(turn).await;
                }
            }
            if !has_turn {
                self.queue.done(job, false, false, now);
            }
            self.queue_due(now);
        }
    }

    fn queue_due(&mut self, now: Instant) {
        for job in self.world.take_due() {
            self.queue.push(job, now);
        }
    }

    async fn begin(&mut self, turn: Turn) {
        let Turn { job, mut writes, told } = turn;
        if self.args.dry_run {
            for write in std::mem::take(&mut writes) {
                self.show(&write).await;
            }
        }
        if writes.is_empty() {
            self.finish(Finished { job, told, results: Vec::new() });
            return;
        }
        let (client, metrics, permits) = (self.client.clone(), self.metrics.clone(), self.permits.clone());
        self.tasks.spawn(async move {
            // Nobody closes it.
            let _permit = permits.acquire_owned().await;
            let results = write_all(client, metrics, writes).await;
            Finished { job, told, results }
        });
    }

    #[allow(clippy::print_stdout, reason = "the difference is the output of a dry run")]
    async fn show(&mut self, write: &crate::write::Write) {
        match diff::show(&self.client, write).await {
            Ok(text) => print!("{text}"),
            Err(wrong) => {
                self.failed = true;
                warn!("{wrong}");
            }
        }
    }

    fn finish(&mut self, Finished { job, mut told, results }: Finished) {
        let now = Instant::now();
        let (wrote, mut failed, mut unavailable) = (!results.is_empty(), false, false);
        for result in results {
            match result {
                Ok(written) => {
                    self.pause.end();
                    let news = self.world.written(&job, written);
                    if news.as_ref().is_some_and(Told::is_timeout) {
                        self.metrics.handover_timed_out();
                    }
                    told.extend(news);
                }
                Err(Wrong::Unavailable(said)) => {
                    unavailable = true;
                    if self.pause.begin(now) {
                        self.metrics.paused();
                        warn!("the API server is left alone for a while: {said}");
                    }
                }
                Err(wrong) => match self.world.wrong(&job, &wrong) {
                    Reaction::Tell(said) => {
                        failed = true;
                        told.push(said);
                    }
                    Reaction::Wait => failed = true,
                    Reaction::Retry => {
                        if let (Job::Service(service), Wrong::Refused { said, .. }) = (&job, &wrong) {
                            info!(%service, "refused, and tried in another way: {said}");
                        }
                    }
                },
            }
        }
        let is_wrong = |told: &Told| told.lasts && told.is_wrong && told.code.is_none();
        self.failed |= failed || told.iter().any(is_wrong);
        if unavailable {
            self.metrics.reconciled("unavailable");
            // What was told stays as it is until the job is done.
            self.queue.put_back(job);
            return;
        }
        self.metrics.reconciled(if failed {
            "failed"
        } else if wrote {
            "written"
        } else {
            "in_order"
        });
        let news = self.world.done(&job, told, failed);
        self.queue.done(job, wrote, failed, now);
        for news in news {
            if self.args.dry_run {
                warn!(service = %news.service, reason = news.told.reason, "{}", news.told.note);
            } else {
                self.teller.tell(news);
            }
        }
    }

    fn report(&self) {
        self.metrics.set_queue(self.queue.len());
        let (all, refused) = self.world.counts();
        self.metrics.set_services(all, refused);
        for (kind, count) in self.world.owned() {
            self.metrics.set_owned(kind.as_str(), count);
        }
        for kind in Kind::ALL {
            self.metrics.set_kept(kind.as_str(), self.world.kept(kind));
        }
    }
}

impl Known {
    fn of(source: Source, document: &crate::document::Document) -> Self {
        let metadata = &document.metadata;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        match source {
            Source::Services => {
                Self::Service(ServiceKey::new(&text(&metadata.namespace), &text(&metadata.name)))
            }
            Source::Namespaces => Self::Namespace(text(&metadata.name).into()),
            Source::Objects(kind) => Self::Object(ObjectKey::of(kind, metadata)),
        }
    }
}
