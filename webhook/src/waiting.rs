//! Connections without a request under way: they give way to new ones when there are too many. Anybody who reaches the port can open
//! connections, and the API server does not wait long for its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Who gives way first: connections over which no review was answered, and of those the one that has waited longest.
type Turn = (bool, u64);

/// The connections that wait for a request.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    turns: BTreeMap<Turn, Arc<Notify>>,
    count: u64,
}

impl Waiting {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of them has to end. Returns false if none waits.
    pub(crate) fn give_way(&self) -> bool {
        let first = self.queue().turns.pop_first();
        first.inspect(|(_, end)| end.notify_one()).is_some()
    }
}

/// A connection.
pub(crate) struct Place {
    waiting: Arc<Waiting>,
    turn: Mutex<Option<Turn>>,
    end: Arc<Notify>,
}

impl Place {
    /// A new connection, which waits for its first request.
    pub(crate) fn new(waiting: Arc<Waiting>) -> Self {
        let place = Self { waiting, turn: Mutex::default(), end: Arc::default() };
        place.wait(false);
        place
    }

    /// It waits for a request. `has_asked`: the one before was a review.
    pub(crate) fn wait(&self, has_asked: bool) {
        let mut queue = self.waiting.queue();
        queue.count += 1;
        let turn = (has_asked, queue.count);
        queue.turns.insert(turn, self.end.clone());
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = Some(turn);
    }

    /// It does not wait any more: a request is under way, or it has ended.
    pub(crate) fn leave(&self) {
        if let Some(turn) = self.turn.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.waiting.queue().turns.remove(&turn);
        }
    }

    /// Ready when it has to end.
    pub(crate) async fn ended(&self) {
        self.end.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_never_asked_gives_way_first_and_who_asks_does_not() {
        let waiting = Arc::new(Waiting::default());
        let [old, asked, busy, new] = [(); 4].map(|()| Place::new(waiting.clone()));
        asked.leave();
        asked.wait(true);
        busy.leave();
        assert!(waiting.give_way());
        old.ended().await;
        assert!(waiting.give_way());
        new.ended().await;
        assert!(waiting.give_way());
        asked.ended().await;
        assert!(!waiting.give_way());
        busy.wait(true);
        drop(busy);
        assert!(!waiting.give_way());
    }
}
