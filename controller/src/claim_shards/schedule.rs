//! The times at which a shard is checked and written.

use std::time::Duration;

use tokio::time::Instant;

use super::{StoredShard, Version};

/// The state of a shard.
#[derive(Debug)]
pub(super) struct ShardSchedule {
    pub(super) known: ShardStatus,
    /// The time at which the shard has to be checked. It is written then, unless the ConfigMap is known to be as desired.
    pub(super) at: Instant,
    /// Whether the content has to be compared at that time; otherwise the shard is only refreshed.
    pub(super) is_due: bool,
    /// The time from which the shard is refreshed although its content is unchanged.
    pub(super) refresh_at: Instant,
    pub(super) not_before: Instant,
    pub(super) written: Option<Instant>,
    pub(super) is_running: bool,
    /// Whether it was logged that the ConfigMap belongs to another owner.
    pub(super) was_foreign: bool,
    /// The number of consecutive failures.
    pub(super) failures: u32,
    pub(super) dropped: u64,
}

/// The last known state of a ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ShardStatus {
    /// The ConfigMap has to be read first.
    Unknown,
    Absent,
    Ours(Version, u64),
    Foreign,
}

impl ShardSchedule {
    pub(super) fn new(found: Option<StoredShard>, now: Instant, refresh: Duration) -> Self {
        let age = found.as_ref().and_then(|found| found.age);
        let known = match found {
            None => ShardStatus::Absent,
            Some(found) if !found.is_ours => ShardStatus::Foreign,
            // No content has the hash 0, so 0 never equals the desired one.
            Some(StoredShard { version, content_hash, .. }) => {
                ShardStatus::Ours(version, content_hash.unwrap_or_default())
            }
        };
        let left = age.map(|age| refresh.saturating_sub(age)).unwrap_or_default();
        Self {
            known,
            at: now,
            is_due: true,
            refresh_at: now + left,
            not_before: now,
            written: age.and_then(|age| now.checked_sub(age)),
            is_running: false,
            was_foreign: false,
            failures: 0,
            dropped: 0,
        }
    }
}
