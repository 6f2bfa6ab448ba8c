//! The claims: what is due is written, and what came of it is told.

use tokio::time::Instant;
use tracing::{info, warn};
use xposer_live::kinds::ForeignKind;

use super::Controller;
use crate::claims;
use crate::shards::{Done, News};
use crate::state::held::{self, Content};
use crate::watch::Source;

impl Controller {
    /// Tells the schedule where the settings want the claims.
    pub(super) fn place_claims(&mut self) {
        let claims = self.state.settings.claims();
        if claims.is_some() && self.args.namespace.is_some() {
            warn!("the claims are not written, because with `--namespace` only a part of the hosts is known");
        }
        let claims = claims.filter(|_| self.state.held.is_on());
        self.shards.set_place(claims.map(|claims| (claims.namespace(), claims.max_age_seconds())));
    }

    /// Lists all objects that give hosts again: until now, only the names of those of others were kept.
    pub(super) fn watch_hosts_anew(&mut self) {
        // Watches that have not begun yet list them anyway.
        if self.state.is_listed(Source::Services) {
            held::sources().for_each(|source| self.start_watch(source));
        }
    }

    /// Only the claims are about objects that are never ours.
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
            self.claim_tasks.spawn(claims::carry_out(
                self.client.clone(),
                self.metrics.clone(),
                self.leadership.subscribe(),
                work,
            ));
        }
    }

    pub(super) fn finish_claims(&mut self, done: Done) {
        match self.shards.done(done, Instant::now()) {
            Some(News::Failed(message)) => warn!("{message}"),
            Some(News::Recovered) => info!("the claims are written again"),
            None => {}
        }
    }
}
