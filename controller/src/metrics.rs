//! The metrics for Prometheus.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};
use xposer::{Code, Severity};

/// A label value that is defined in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Word(&'static str);

impl EncodeLabelValue for Word {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), fmt::Error> {
        self.0.encode(encoder)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    kind: Word,
    verb: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DiagnosticLabels {
    code: Word,
    severity: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    result: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    answer: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failed {
    reason: Word,
}

/// All metrics.
pub(crate) struct Metrics {
    registry: Registry,
    reconciles: Family<Outcome, Counter>,
    diagnostics: Family<DiagnosticLabels, Counter>,
    requests: Family<Request, Counter>,
    owned: Family<Kind, Gauge>,
    kept: Family<Kind, Gauge>,
    handover_timeouts: Counter,
    services: Family<State, Gauge>,
    queue: Gauge,
    leader: Gauge,
    settings_good: Gauge,
    apply: Histogram,
    events_dropped: Counter,
    pauses: Counter<u64, AtomicU64>,
    reviews: Family<Answer, Counter>,
    review: Histogram,
    lookups: Family<Outcome, Counter>,
    certificate_good: Gauge,
    claims_writes: Counter,
    claims_failures: Family<Failed, Counter>,
    claims_held: Gauge,
    claims_dropped: Gauge,
    claims_foreign: Gauge,
    claims_age: Gauge,
}

/// A new metric of the registry.
fn add<M: Metric + Clone + Default>(all: &mut Registry, name: &str, help: &str) -> M {
    added(all, name, help, M::default())
}

fn added<M: Metric + Clone>(all: &mut Registry, name: &str, help: &str, metric: M) -> M {
    all.register(name, help, metric.clone());
    metric
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("xposer");
        // From 1 ms to 8 s.
        let apply = Histogram::new((0..14).map(|power| 0.001 * f64::from(1 << power)));
        // From 0.125 ms to 4 s.
        let review = Histogram::new((0..16).map(|power| 0.000_125 * f64::from(1 << power)));
        let all = &mut registry;
        // The text has the metrics in this order.
        Self {
            reconciles: add(all, "reconciles", "Reconciliations of Services and ConfigMaps, by result"),
            diagnostics: add(all, "diagnostics", "Findings about Services, by code"),
            requests: add(all, "api_requests", "Requests about objects sent to the API server"),
            owned: add(all, "owned_objects", "Objects of Xposer in the cluster, by kind"),
            kept: add(
                all,
                "kept_objects",
                "Objects that are no longer desired, and kept until their replacements serve, by kind",
            ),
            handover_timeouts: add(
                all,
                "handover_timeouts",
                "Objects deleted although their replacements do not serve",
            ),
            services: add(all, "services", "Services that ask to be exposed, by state"),
            queue: add(all, "queue_depth", "Services and ConfigMaps that wait for reconciliation"),
            leader: add(all, "leader", "1 if this replica has the lease and writes"),
            settings_good: add(all, "settings_good", "1 if the settings file is valid"),
            apply: added(
                all,
                "apply_duration_seconds",
                "Time of the API server to create or apply an object",
                apply,
            ),
            events_dropped: add(all, "events_dropped", "Events dropped because too many waited"),
            pauses: add(all, "pauses", "Number of pauses of all writes"),
            claims_writes: add(all, "claims_writes", "Writes of ConfigMaps of claims"),
            claims_failures: add(all, "claims_failures", "Failed requests about claims, by reason"),
            claims_held: add(all, "claims_held", "Claims of Services and foreign objects"),
            claims_dropped: add(all, "claims_dropped", "Claims that do not fit into their ConfigMap"),
            claims_foreign: add(all, "claims_foreign", "ConfigMaps of claims that belong to another owner"),
            claims_age: add(all, "claims_age_seconds", "Age of the oldest ConfigMap of claims"),
            reviews: Family::default(),
            review,
            lookups: Family::default(),
            certificate_good: Gauge::default(),
            registry,
        }
    }

    /// Adds the metrics of the webhook, which exist only if the program serves it.
    pub(crate) fn with_webhook(mut self) -> Self {
        self.registry.register(
            "webhook_requests",
            "Requests to the webhook, by answer",
            self.reviews.clone(),
        );
        self.registry.register(
            "webhook_duration_seconds",
            "Time of the webhook for a request",
            self.review.clone(),
        );
        self.registry.register(
            "webhook_lookups",
            "ConfigMaps of claims that the webhook looked up, by result",
            self.lookups.clone(),
        );
        self.registry.register(
            "webhook_certificate_good",
            "1 if the files of the webhook's certificate are in use, and it is valid",
            self.certificate_good.clone(),
        );
        self
    }

    /// The metrics as text (OpenMetrics 1.0).
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    pub(crate) fn reconciled(&self, result: &'static str) {
        self.reconciles.get_or_create(&Outcome { result: Word(result) }).inc();
    }

    pub(crate) fn found(&self, code: Code, severity: Severity) {
        let severity = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        let found = DiagnosticLabels { code: Word(code.slug()), severity: Word(severity) };
        self.diagnostics.get_or_create(&found).inc();
    }

    pub(crate) fn request(&self, verb: &'static str, kind: &'static str) {
        self.requests.get_or_create(&Request { kind: Word(kind), verb: Word(verb) }).inc();
    }

    pub(crate) fn applied(&self, took: Duration) {
        self.apply.observe(took.as_secs_f64());
    }

    pub(crate) fn event_dropped(&self) {
        self.events_dropped.inc();
    }

    pub(crate) fn paused(&self) {
        self.pauses.inc();
    }

    pub(crate) fn set_owned(&self, kind: &'static str, count: usize) {
        self.owned.get_or_create(&Kind { kind: Word(kind) }).set(count as i64);
    }

    pub(crate) fn set_kept(&self, kind: &'static str, count: usize) {
        self.kept.get_or_create(&Kind { kind: Word(kind) }).set(count as i64);
    }

    pub(crate) fn handover_timed_out(&self) {
        self.handover_timeouts.inc();
    }

    pub(crate) fn set_services(&self, all: usize, refused: usize) {
        let set = |state, count: usize| {
            self.services.get_or_create(&State { state: Word(state) }).set(count as i64)
        };
        set("exposed", all.saturating_sub(refused));
        set("refused", refused);
    }

    pub(crate) fn set_queue(&self, depth: usize) {
        self.queue.set(depth as i64);
    }

    pub(crate) fn set_leader(&self, is_leader: bool) {
        self.leader.set(i64::from(is_leader));
    }

    pub(crate) fn reviewed(&self, answer: &'static str, took: Duration) {
        self.reviews.get_or_create(&Answer { answer: Word(answer) }).inc();
        self.review.observe(took.as_secs_f64());
    }

    pub(crate) fn looked_up(&self, result: &'static str) {
        self.lookups.get_or_create(&Outcome { result: Word(result) }).inc();
    }

    pub(crate) fn set_certificate_good(&self, good: bool) {
        self.certificate_good.set(i64::from(good));
    }

    pub(crate) fn claims_written(&self) {
        self.claims_writes.inc();
    }

    pub(crate) fn claims_failed(&self, reason: &'static str) {
        self.claims_failures.get_or_create(&Failed { reason: Word(reason) }).inc();
    }

    pub(crate) fn set_claims(&self, held: usize, dropped: u64, foreign: usize, age: Duration) {
        self.claims_held.set(held as i64);
        self.claims_dropped.set(i64::try_from(dropped).unwrap_or(i64::MAX));
        self.claims_foreign.set(foreign as i64);
        self.claims_age.set(i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
    }

    pub(crate) fn set_settings_good(&self, good: bool) {
        self.settings_good.set(i64::from(good));
    }
}
