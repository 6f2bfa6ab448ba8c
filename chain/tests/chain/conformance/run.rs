//! Runs one column: exposes everything at once, and repeats the requests until the results are stable.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xposer::{Outcome, Precedence, Service, Settings, Severity, emit_all, expose_all};
use xposer_chain::Chain;

use super::Verdict;
use super::ask::Ask;
use super::behaviours::{BEHAVIOURS, Behaviour};
use super::columns::Column;
use super::page::{Page, Tried};

/// The time for which the results must be stable, if they are as on the page, and if they are not.
const QUIET: Duration = Duration::from_secs(3);
const QUIET_BUT_WRONG: Duration = Duration::from_secs(25);
/// The deadline for stable results.
const SETTLED: Duration = Duration::from_secs(100);
/// The number of attempts for slow checks, the time that a rate limit needs to reset, and the time between two rounds.
const ATTEMPTS: usize = 3;
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(5);
const BETWEEN_ROUNDS: Duration = Duration::from_millis(300);

/// The result of a behaviour: no error, or the first one.
type Seen = Result<(), String>;

/// Tries all behaviours of a column.
pub(super) fn column(chain: &'static Chain, column: &Column, page: &Page) -> Tried {
    let text = column.settings();
    let settings =
        xposer_manifest::settings(column.name, text.clone()).unwrap_or_else(|wrong| panic!("{wrong}"));
    let _controller = chain.controller(&text);
    let ns = chain.namespace(&format!("conformance-{}", column.name));
    let findings: Vec<Option<String>> =
        BEHAVIOURS.iter().map(|it| finding(it, column, ns.name(), &settings)).collect();
    for behaviour in BEHAVIOURS.iter() {
        if !behaviour.objects.is_empty() {
            ns.apply(behaviour.objects);
        }
        for service in behaviour.services {
            ns.apply(&service.object(column).to_string());
        }
    }
    let verdict = |at: usize, seen: &Seen| match (seen, &findings[at]) {
        (Ok(()), _) => Verdict::Proved,
        (Err(_), Some(code)) => Verdict::Cannot(code.clone()),
        (Err(how), None) => Verdict::Differs(how.clone()),
    };
    let is_expected = |at: usize, seen: &Seen| {
        let expected = page.verdict(column.title, BEHAVIOURS[at].words);
        expected.is_some_and(|expected| expected.is_like(&verdict(at, seen)))
    };
    let check = |behaviour: &Behaviour, asks: &[Ask], is_late: bool| -> Seen {
        let first = behaviour.services[0].name;
        let mut asks = asks.iter().filter(|ask| ask.is_late() == is_late);
        asks.try_for_each(|ask| ask.check(chain, column, first))
    };

    let has_late = |behaviour: &Behaviour| behaviour.asks.iter().any(Ask::is_late);
    let mut seen = settle(
        |behaviour| check(behaviour, behaviour.asks, false),
        |at, seen| has_late(&BEHAVIOURS[at]) || is_expected(at, seen),
    );
    for (at, behaviour) in BEHAVIOURS.iter().enumerate().filter(|(_, it)| has_late(it)) {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                sleep(BETWEEN_ATTEMPTS);
            }
            seen[at] =
                check(behaviour, behaviour.asks, false).and_then(|()| check(behaviour, behaviour.asks, true));
            if seen[at].is_ok() || is_expected(at, &seen[at]) {
                break;
            }
        }
    }

    for behaviour in BEHAVIOURS.iter().filter(|it| !it.afterwards.is_empty()) {
        ns.expose(behaviour.services[0].name, None);
    }
    let ends = settle(|behaviour| check(behaviour, behaviour.afterwards, false), |_, end| end.is_ok());
    for (seen, end) in seen.iter_mut().zip(ends).filter(|(seen, _)| seen.is_ok()) {
        *seen = end.map_err(|how| format!("{how} when the first Service is not exposed any more"));
    }
    let verdicts =
        seen.iter().enumerate().map(|(at, seen)| (BEHAVIOURS[at].words.to_owned(), verdict(at, seen)));
    Tried { version: column.version(chain), verdicts: verdicts.collect() }
}

/// Repeats the requests of each behaviour until the results are stable.
fn settle(ask: impl Fn(&Behaviour) -> Seen, is_expected: impl Fn(usize, &Seen) -> bool) -> Vec<Seen> {
    let began = Instant::now();
    let (mut last, mut since) = (Vec::new(), began);
    loop {
        let seen: Vec<Seen> = BEHAVIOURS.iter().map(&ask).collect();
        if seen != last {
            (last, since) = (seen, Instant::now());
        }
        let is_right = last.iter().enumerate().all(|(at, seen)| is_expected(at, seen));
        let quiet = if is_right { QUIET } else { QUIET_BUT_WRONG };
        if since.elapsed() > quiet || began.elapsed() > SETTLED {
            return last;
        }
        sleep(BETWEEN_ROUNDS);
    }
}

/// Returns the code with which the core refuses a Service of the behaviour, or reports a loss.
fn finding(behaviour: &Behaviour, column: &Column, namespace: &str, settings: &Settings) -> Option<String> {
    let objects: Vec<Value> = behaviour
        .services
        .iter()
        .map(|service| {
            let mut object = service.object(column);
            object["metadata"]["namespace"] = json!(namespace);
            object
        })
        .collect();
    let services: Vec<Service<'_>> = objects.iter().map(Service::from_value).collect();
    let outcomes = expose_all(&services, settings, Precedence::OldestFirst);
    let emitted = emit_all(outcomes.iter().filter_map(Outcome::plan));
    let reports = || outcomes.iter().filter_map(Outcome::report);
    let errors = reports().flat_map(|report| report.of(Severity::Error));
    let warnings = reports().flat_map(|report| report.of(Severity::Warning));
    let mut all = errors.chain(warnings).chain(emitted.report.diagnostics());
    all.next().map(|finding| finding.code.slug().to_owned())
}
