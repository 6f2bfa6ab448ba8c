//! What the results of an executed plan mean: for the state, the queue, the pause of all writes, and the owners of the Services.

use tokio::time::Instant;
use tracing::{info, warn};
use xposer_live::keys::ReconcileKey;

use super::{Controller, Executed};
use crate::actions::{ActionError, ActionResult};
use crate::notice::{Notice, ServiceNotice};
use crate::reconcile::Recovery;
use crate::state::ListCount;

/// The results of an executed plan together.
struct ExecutionOutcome {
    /// Whether a request failed for another reason than that the API server does not answer.
    failed: bool,
    /// Whether the API server did not answer a request.
    is_unavailable: bool,
    notices: Vec<Notice>,
}

impl Controller {
    /// Records the results of a plan, and when its key is reconciled again.
    pub(super) fn finish(&mut self, Executed { key, notices, results, sent_at }: Executed) {
        self.revision += 1;
        let now = Instant::now();
        let wrote = !results.is_empty();
        let mut outcome = ExecutionOutcome { failed: false, is_unavailable: false, notices };
        for result in results {
            match result {
                Ok(result) => self.record_result(&key, result, sent_at, &mut outcome),
                Err(error) => self.record_error(&key, &error, now, &mut outcome),
            }
        }
        let ExecutionOutcome { failed, is_unavailable, notices } = outcome;
        self.failed |= failed || notices.iter().any(Notice::is_failure);
        if is_unavailable {
            self.metrics.reconciled("unavailable");
            // The conditions are unchanged until the key is reconciled.
            self.queue.requeue(key, now);
            return;
        }
        self.metrics.reconciled(if failed {
            "failed"
        } else if wrote {
            "written"
        } else {
            "in_order"
        });
        let notices = self.state.finish(&key, notices, failed);
        self.queue.done(key, wrote, failed, now);
        notices.into_iter().for_each(|notice| self.announce(notice));
    }

    /// Records that a request succeeded.
    fn record_result(
        &mut self,
        key: &ReconcileKey,
        result: ActionResult,
        sent_at: ListCount,
        outcome: &mut ExecutionOutcome,
    ) {
        self.pause.reset();
        let notice = self.state.record_result(key, result, sent_at);
        if notice.as_ref().is_some_and(Notice::is_timeout) {
            self.metrics.handover_timed_out();
        }
        outcome.notices.extend(notice);
    }

    /// Records that a request failed.
    fn record_error(
        &mut self,
        key: &ReconcileKey,
        error: &ActionError,
        now: Instant,
        outcome: &mut ExecutionOutcome,
    ) {
        if let ActionError::Unavailable(message) = error {
            outcome.is_unavailable = true;
            if self.pause.begin(now) {
                self.metrics.paused();
                warn!("writes are paused: {message}");
            }
            return;
        }
        match self.state.record_error(key, error) {
            Recovery::Report(notice) => {
                outcome.failed = true;
                outcome.notices.push(notice);
            }
            Recovery::RetryLater => outcome.failed = true,
            Recovery::RetryNow => {
                if let (ReconcileKey::Service(service), ActionError::Refused { message, .. }) = (key, error) {
                    info!(%service, "refused; another kind of request is tried: {message}");
                }
            }
        }
    }

    /// Sends a message to the owner of a Service: as an Event, or in the log of a dry run.
    fn announce(&mut self, notice: ServiceNotice) {
        if self.args.dry_run {
            let (service, notice) = (notice.service, notice.notice);
            warn!(%service, reason = notice.reason, "{}", notice.note);
        } else {
            self.events.record(notice);
        }
    }
}
