//! Carries out the work on claims that is due, and logs the results.

use tokio::time::Instant;
use tracing::{info, warn};
use xposer_live::kinds::ForeignKind;

use super::Controller;
use crate::claim_shards::{Completed, LogMessage};
use crate::claims_writer;
use crate::state::recorded_claims::{self, Content};
use crate::watch::Source;

impl Controller {
    /// Passes the location of the claims in the settings to the schedule.
    pub(super) fn set_claims_location(&mut self) {
        let claims = self.state.settings.claims();
        if claims.is_some() && self.args.namespace.is_some() {
            warn!("the claims are not written, because with `--namespace` only a part of the hosts is known");
        }
        let claims = claims.filter(|_| self.state.held.is_on());
        self.shards.set_location(claims.map(|claims| (claims.namespace(), claims.max_age_seconds())));
    }

    /// Lists all objects that assign hosts again. Of objects of other owners, only the names and the claims are kept.
    pub(super) fn relist_hosts(&mut self) {
        // Watches that have not started yet list the objects anyway.
        if self.state.is_listed(Source::Services) {
            recorded_claims::sources().for_each(|source| self.start_watch(source));
        }
    }

    /// Stops the watches of kinds that Xposer never emits, which only claims need.
    pub(super) fn stop_foreign_watches(&mut self) {
        for kind in ForeignKind::ALL {
            if let Some(watch) = self.watches.remove(&Source::Foreign(kind)) {
                watch.abort();
            }
        }
    }

    pub(super) fn write_claims(&mut self) {
        let now = Instant::now();
        for shard in self.state.held.take_changed() {
            self.shards.change(shard, now);
        }
        if !self.pause.is_over(now) {
            return;
        }
        let held = &self.state.held;
        let content = |shard| held.content(shard);
        let content: Option<&dyn Fn(u64) -> Content> =
            if self.state.knows_all_claims() { Some(&content) } else { None };
        while let Some(work) = self.shards.next(now, content) {
            self.claim_tasks.spawn(claims_writer::carry_out(
                self.client.clone(),
                self.metrics.clone(),
                self.leadership.subscribe(),
                work,
            ));
        }
    }

    pub(super) fn finish_claims(&mut self, done: Completed) {
        match self.shards.done(done, Instant::now()) {
            Some(LogMessage::Failed(message)) => warn!("{message}"),
            Some(LogMessage::Recovered) => info!("the claims are written again"),
            None => {}
        }
    }
}
