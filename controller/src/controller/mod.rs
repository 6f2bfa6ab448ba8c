//! The main loop. Watch events update the state, keys that are due go into the queue, and the actions of their plans go to the API
//! server. One task owns the state; each plan is executed in a separate task.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use kube::Client;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tracing::{error, info, warn};
use xposer::Settings;
use xposer_live::keys::ReconcileKey;
use xposer_live::kinds::Kind;

use crate::actions::{Action, ActionError, ActionResult, execute_all};
use crate::args::Args;
use crate::backoff::Pause;
use crate::claim_shards::{Completed, Shards};
use crate::diff;
use crate::events::EventRecorder;
use crate::lease::{LeaderElector, Leadership};
use crate::metrics::Metrics;
use crate::missing::MissingKinds;
use crate::notice::Notice;
use crate::queue::Queue;
use crate::reconcile::ReconcilePlan;
use crate::report::{MAX_ROWS, Snapshot, SnapshotReply, SnapshotRequest};
use crate::serve::Health;
use crate::settings::SettingsFile;
use crate::state::{ListCount, State, Trigger};
use crate::watch::{Scope, Source, WatchEvent};

mod claim_steps;
mod results;
mod watches;

/// The maximum number of concurrent requests. The API server limits each client to a fair share, so more requests would only wait
/// there.
const MAX_CONCURRENT: usize = 16;
/// The interval of the loop without events, and of checks of the settings file.
const TICK_INTERVAL: Duration = Duration::from_secs(2);
/// The time limit for requests in progress at shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit for queued Events at shutdown.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);
/// The time limit for queued Events at the end of a run with `--once`.
const ONCE_FLUSH_TIMEOUT: Duration = Duration::from_secs(60);

/// The exit status of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    /// A Service was refused, an object could not be written, or the lease was lost.
    Refused = 1,
    /// Wrong usage, invalid settings, or no cluster.
    Unusable = 2,
}

/// A plan that was executed.
struct Executed {
    key: ReconcileKey,
    notices: Vec<Notice>,
    results: Vec<Result<ActionResult, ActionError>>,
    /// The number of complete lists when the execution began.
    sent_at: ListCount,
}

/// What the loop waits for, beside its watches and its tasks.
struct Inputs {
    requests: mpsc::Receiver<SnapshotRequest>,
    leads: watch::Receiver<Leadership>,
    tick: Interval,
    terminate: Signal,
    interrupt: Signal,
}

impl Inputs {
    fn new(
        requests: mpsc::Receiver<SnapshotRequest>,
        leads: watch::Receiver<Leadership>,
    ) -> anyhow::Result<Self> {
        let terminate = signal(SignalKind::terminate()).context("signals cannot be received")?;
        let interrupt = signal(SignalKind::interrupt()).context("signals cannot be received")?;
        let mut tick = tokio::time::interval(TICK_INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { requests, leads, tick, terminate, interrupt })
    }
}

/// The exit status after a task has panicked, which is a bug. Without the results of the task, the state may be wrong.
fn exit_of_panic(error: &JoinError) -> Exit {
    error!("a task ended without an answer: {error}");
    Exit::Refused
}

pub(crate) struct Controller {
    args: Args,
    settings_file: SettingsFile,
    /// The current settings, for tasks that do not read the state.
    published: watch::Sender<Arc<Settings>>,
    client: Client,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    events: EventRecorder,
    scope: Scope,
    sender: mpsc::Sender<WatchEvent>,
    watch_events: mpsc::Receiver<WatchEvent>,
    state: State,
    queue: Queue,
    tasks: JoinSet<Executed>,
    shards: Shards,
    leadership: watch::Sender<Leadership>,
    /// The requests for ConfigMaps with claims.
    claim_tasks: JoinSet<Completed>,
    /// The tasks of the watches.
    watches: BTreeMap<Source, JoinHandle<()>>,
    permits: Arc<Semaphore>,
    pause: Pause,
    /// The kinds that the settings ask for, which are found by trying them on sample Services.
    requested_kinds: BTreeSet<Kind>,
    missing: MissingKinds,
    failed: bool,
    /// Incremented whenever an input of the report changes.
    revision: u64,
}

impl Controller {
    pub(crate) fn new(
        args: Args,
        settings_file: SettingsFile,
        published: watch::Sender<Arc<Settings>>,
        client: Client,
        metrics: Arc<Metrics>,
        health: Arc<Health>,
    ) -> Self {
        let (sender, watch_events) = mpsc::channel(64);
        // A dry run creates no object that could replace an old one, so it shows the deletions that would follow.
        let timeout = if args.dry_run { 0 } else { args.handover_timeout };
        let settings = Settings::clone(&published.borrow());
        let requested_kinds = settings.kinds();
        let mut state = State::new(settings, args.stamp, Duration::from_secs(timeout));
        if args.dry_run || args.namespace.is_some() {
            state = state.without_claims();
        }
        Self {
            events: EventRecorder::start(&client, &args.identity, metrics.clone()),
            scope: Scope { client: client.clone(), namespace: args.namespace.clone() },
            sender,
            watch_events,
            state,
            queue: Queue::default(),
            tasks: JoinSet::new(),
            shards: Shards::new(),
            leadership: watch::Sender::new(Leadership::Standby),
            claim_tasks: JoinSet::new(),
            watches: BTreeMap::new(),
            permits: Arc::new(Semaphore::new(MAX_CONCURRENT)),
            pause: Pause::new(),
            requested_kinds,
            missing: MissingKinds::default(),
            failed: false,
            revision: 0,
            args,
            settings_file,
            published,
            client,
            metrics,
            health,
        }
    }

    /// Runs until a signal, until the lease is lost, or, with `--once`, until everything is reconciled.
    ///
    /// # Errors
    ///
    /// If signals cannot be received.
    pub(crate) async fn run(mut self, requests: mpsc::Receiver<SnapshotRequest>) -> anyhow::Result<Exit> {
        let leads = self.leadership.subscribe();
        let (stop, stopped) = watch::channel(false);
        let elector = self.start_election(stopped);
        let mut inputs = Inputs::new(requests, leads)?;
        self.start_first_watches();
        self.set_claims_location();
        let exit = loop {
            if let Some(exit) = self.handle_next(&mut inputs).await {
                break exit;
            }
            if self.state.held.take_needs_lists() {
                self.relist_hosts();
            }
            let is_leader = inputs.leads.borrow().may_write(Instant::now());
            self.work(is_leader).await;
            if self.args.is_once() && self.is_finished() {
                break self.exit_of_once();
            }
        };
        info!("ending");
        let is_lost = *inputs.leads.borrow() == Leadership::Lost;
        if !is_lost && tokio::time::timeout(SHUTDOWN_TIMEOUT, self.join_requests()).await.is_err() {
            warn!("some requests were not answered in time");
        }
        self.events.flush(if self.args.is_once() { ONCE_FLUSH_TIMEOUT } else { FLUSH_TIMEOUT }).await;
        stop.send_replace(true);
        if let Some(elector) = elector {
            // The elector releases the lease, and ends.
            let _ = elector.await;
        }
        Ok(exit)
    }

    /// Waits for the next event, answer, signal or due time, and handles it. Returns the exit status if the program has to end.
    async fn handle_next(&mut self, inputs: &mut Inputs) -> Option<Exit> {
        let wake = self.next_wake();
        tokio::select! {
            Some(event) = self.watch_events.recv() => {
                self.apply(event);
                // Events often arrive together, and are then reconciled together.
                while let Ok(event) = self.watch_events.try_recv() {
                    self.apply(event);
                }
            }
            Some(executed) = self.tasks.join_next(), if !self.tasks.is_empty() => match executed {
                Ok(executed) => self.finish(executed),
                Err(error) => return Some(exit_of_panic(&error)),
            },
            Some(done) = self.claim_tasks.join_next(), if !self.claim_tasks.is_empty() => match done {
                Ok(done) => self.finish_claims(done),
                Err(error) => return Some(exit_of_panic(&error)),
            },
            Some(request) = inputs.requests.recv() => self.answer(request),
            () = tokio::time::sleep_until(wake) => {}
            _ = inputs.tick.tick() => {
                self.reload_settings();
                self.queue.gc(Instant::now());
                self.update_metrics();
            }
            changed = inputs.leads.changed() => {
                if changed.is_ok() && *inputs.leads.borrow() == Leadership::Lost {
                    error!("the lease is lost");
                    return Some(Exit::Refused);
                }
            }
            _ = inputs.terminate.recv() => return Some(Exit::Done),
            _ = inputs.interrupt.recv() => return Some(Exit::Done),
        }
        None
    }

    /// Reconciles what is due and writes the claims, if this replica leads.
    async fn work(&mut self, is_leader: bool) {
        self.metrics.set_leader(is_leader);
        if is_leader && self.state.is_ready() {
            self.reconcile_due().await;
            self.write_claims();
        }
        self.events.set_busy(self.queue.has_ready(Instant::now()));
        self.health.beat(self.state.is_ready());
    }

    /// The exit status of a run with `--once` that has nothing left to do.
    fn exit_of_once(&self) -> Exit {
        let (_, refused) = self.state.counts();
        let failed = self.failed || self.shards.has_given_up();
        if refused > 0 || failed { Exit::Refused } else { Exit::Done }
    }

    /// Waits until the requests in progress are finished, so that their results are known.
    async fn join_requests(&mut self) {
        while self.tasks.join_next().await.is_some() {}
        while self.claim_tasks.join_next().await.is_some() {}
    }

    /// Starts the leader election, if it is enabled; otherwise this replica leads.
    fn start_election(&self, stopped: watch::Receiver<bool>) -> Option<JoinHandle<()>> {
        let leadership = self.leadership.clone();
        if !self.args.leader_elect || self.args.is_once() {
            leadership.send_replace(Leadership::Leading { until: None });
            return None;
        }
        let Args { lease_namespace, lease_name, identity, .. } = self.args.clone();
        let (client, metrics) = (self.client.clone(), self.metrics.clone());
        let elector = LeaderElector::new(client, metrics, &lease_namespace, lease_name, identity);
        Some(tokio::spawn(elector.run(leadership, stopped)))
    }

    fn reload_settings(&mut self) {
        match self.settings_file.read() {
            None => {}
            Some(Ok(settings)) => {
                info!("the settings changed; all Services are planned again");
                self.metrics.set_settings_good(true);
                self.revision += 1;
                self.requested_kinds = settings.kinds();
                self.published.send_replace(Arc::new(settings.clone()));
                self.state.set_settings(settings, self.args.stamp);
                self.set_claims_location();
                if !self.state.held.is_on() {
                    self.stop_foreign_watches();
                }
                self.log_missing_kinds();
            }
            Some(Err(errors)) => {
                self.metrics.set_settings_good(false);
                error!("the settings cannot be used; the previous settings stay in force\n{errors}");
            }
        }
    }

    /// Whether a run with `--once` has nothing left to do.
    fn is_finished(&self) -> bool {
        self.state.is_ready()
            && self.tasks.is_empty()
            && self.queue.is_idle(Instant::now())
            && self.state.is_settled()
            && (self.args.dry_run || self.shards.is_settled() || self.shards.has_given_up())
    }

    /// The time at which the loop has to run next, if there is no event before.
    fn next_wake(&self) -> Instant {
        let now = Instant::now();
        let pause_end = self.pause.until().filter(|_| self.queue.has_ready(now));
        let times = [self.queue.next_at(), pause_end, self.state.next_deadline(), self.shards.next_at()];
        times.into_iter().flatten().filter(|at| *at > now).min().unwrap_or(now + TICK_INTERVAL)
    }

    async fn reconcile_due(&mut self) {
        let now = Instant::now();
        self.state.advance_to(now);
        self.queue_due(now);
        while self.pause.is_over(now) && self.tasks.len() < 2 * MAX_CONCURRENT {
            let Some(key) = self.queue.pop(now) else { break };
            let mut has_plan = false;
            for plan in self.state.reconcile(&key, now) {
                has_plan |= plan.key == key;
                if plan.key == key || self.queue.take(&plan.key, now) {
                    self.start(plan).await;
                }
            }
            if !has_plan {
                self.queue.done(key, false, false, now);
            }
            self.queue_due(now);
        }
    }

    fn queue_due(&mut self, now: Instant) {
        for (key, trigger) in self.state.take_due() {
            if trigger == Trigger::ServiceChange {
                self.queue.forget(&key);
            }
            self.queue.add(key, now);
        }
    }

    async fn start(&mut self, plan: ReconcilePlan) {
        let ReconcilePlan { key, mut actions, notices } = plan;
        if self.args.dry_run {
            for action in std::mem::take(&mut actions) {
                self.show(&action).await;
            }
        }
        let sent_at = self.state.lists();
        if actions.is_empty() {
            self.finish(Executed { key, notices, results: Vec::new(), sent_at });
            return;
        }
        let (client, metrics, permits) = (self.client.clone(), self.metrics.clone(), self.permits.clone());
        let leads = self.leadership.subscribe();
        self.tasks.spawn(async move {
            // The semaphore is never closed.
            let _permit = permits.acquire_owned().await;
            let results = execute_all(client, metrics, leads, actions).await;
            Executed { key, notices, results, sent_at }
        });
    }

    #[allow(clippy::print_stdout, reason = "the difference is the output of a dry run")]
    async fn show(&mut self, action: &Action) {
        match diff::show(&self.client, action).await {
            Ok(text) => print!("{text}"),
            Err(message) => {
                self.failed = true;
                warn!("{message}");
            }
        }
    }

    /// Answers a request for a snapshot of the state.
    fn answer(&self, request: SnapshotRequest) {
        let answer = if !self.state.is_ready() {
            SnapshotReply::NotReady
        } else if request.known == Some(self.revision) {
            SnapshotReply::Same
        } else {
            SnapshotReply::Changed(Box::new(Snapshot::new(&self.state, self.revision, MAX_ROWS)))
        };
        // The receiver may be gone.
        let _ = request.answer.send(answer);
    }

    fn update_metrics(&self) {
        self.metrics.set_queue(self.queue.len());
        let (all, refused) = self.state.counts();
        self.metrics.set_services(all, refused);
        for (kind, count) in self.state.owned() {
            self.metrics.set_owned(kind.as_str(), count);
        }
        for kind in Kind::ALL {
            self.metrics.set_kept(kind.as_str(), self.state.kept(kind));
        }
        let (dropped, foreign) = self.shards.counts();
        self.metrics.set_claims(self.state.held.len(), dropped, foreign, self.shards.age(Instant::now()));
    }
}
