//! The limited places of connections, and which connection is closed if all are taken. Anybody who reaches the port can open
//! connections, and the API server does not wait long for a place.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The order in which connections of an address are closed: first those that have sent no review, and among equals the one that has
/// waited longest.
type EvictionOrder = (bool, u64);

/// The places, whose number is fixed.
pub(crate) struct ConnectionSlots {
    most: usize,
    taken: Mutex<SlotState>,
    /// Notified when a request or a connection has ended.
    changed: Notify,
}

#[derive(Default)]
struct SlotState {
    connections: BTreeMap<u64, Connection>,
    /// The number of the next connection or turn.
    count: u64,
    /// The connection that is being closed to free its place.
    ending: Option<u64>,
}

struct Connection {
    from: IpAddr,
    /// The turn; `None` while a request is in progress.
    turn: Option<EvictionOrder>,
    end: Arc<Notify>,
}

impl SlotState {
    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// The connection to close for a new one. It belongs to the address with the most connections, so that nobody can take the
    /// places of others by opening many. `None` if all of that address have a request in progress.
    fn first(&self, new: IpAddr) -> Option<u64> {
        let mut counts = HashMap::from([(new, 1)]);
        for connection in self.connections.values() {
            *counts.entry(connection.from).or_default() += 1;
        }
        let most = counts.values().max();
        let of_most = self.connections.iter().filter(|(_, it)| counts.get(&it.from) == most);
        let waiting = of_most.filter_map(|(number, it)| Some((it.turn?, *number)));
        waiting.min().map(|(_, number)| number)
    }
}

impl ConnectionSlots {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default(), changed: Notify::new() })
    }

    fn taken(&self) -> MutexGuard<'_, SlotState> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a free place for a new connection. Only one caller at a time may wait.
    pub(crate) async fn take(self: &Arc<Self>, from: IpAddr) -> ConnectionSlot {
        loop {
            if let Some(place) = self.try_take(from) {
                return place;
            }
            // No notification between the check and this wait is lost, because `notify_one` stores one.
            self.changed.notified().await;
        }
    }

    /// Takes a place for a connection that waits for its first request. If there is none, one waiting connection is told to end.
    fn try_take(self: &Arc<Self>, from: IpAddr) -> Option<ConnectionSlot> {
        let mut taken = self.taken();
        if taken.connections.len() < self.most {
            let (number, end) = (taken.next(), Arc::new(Notify::new()));
            taken
                .connections
                .insert(number, Connection { from, turn: Some((false, number)), end: end.clone() });
            return Some(ConnectionSlot { places: self.clone(), number, end });
        }
        if taken.ending.is_none() {
            taken.ending = taken.first(from);
            let connection = taken.ending.and_then(|number| taken.connections.get(&number));
            connection.inspect(|connection| connection.end.notify_one());
        }
        None
    }
}

/// The place of a connection, which is free again when this is dropped.
pub(crate) struct ConnectionSlot {
    places: Arc<ConnectionSlots>,
    number: u64,
    end: Arc<Notify>,
}

impl ConnectionSlot {
    /// Marks the connection as waiting for a request. `has_asked` tells whether the previous request was a review.
    pub(crate) fn mark_waiting(&self, has_asked: bool) {
        let mut taken = self.places.taken();
        let turn = (has_asked, taken.next());
        if let Some(connection) = taken.connections.get_mut(&self.number) {
            connection.turn = Some(turn);
        }
        self.places.changed.notify_one();
    }

    /// Marks a request as in progress, so that the connection is not closed.
    pub(crate) fn mark_busy(&self) {
        if let Some(connection) = self.places.taken().connections.get_mut(&self.number) {
            connection.turn = None;
        }
    }

    /// Completes when the connection has to end.
    pub(crate) async fn ended(&self) {
        self.end.notified().await;
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.connections.remove(&self.number);
        if taken.ending == Some(self.number) {
            taken.ending = None;
        }
        self.places.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const API_SERVER: [u8; 4] = [10, 0, 0, 1];
    const POD: [u8; 4] = [10, 0, 0, 2];

    fn take(places: &Arc<ConnectionSlots>, from: [u8; 4]) -> Option<ConnectionSlot> {
        places.try_take(Ipv4Addr::from(from).into())
    }

    /// Whether the future is ready immediately.
    fn is_ready<T>(future: impl Future<Output = T>) -> bool {
        pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn connection_without_a_request_is_closed_first() {
        let places = ConnectionSlots::new(4);
        let [old, asked, busy, new] = [(); 4].map(|()| take(&places, POD).unwrap());
        asked.mark_busy();
        asked.mark_waiting(true);
        busy.mark_busy();
        // Each new connection takes the place of the one that is closed.
        let mut others = Vec::new();
        for first in [old, new, asked] {
            assert!(take(&places, POD).is_none() && is_ready(first.ended()));
            // No other connection is closed before this one has ended.
            assert!(take(&places, POD).is_none());
            drop(first);
            others.push(take(&places, POD).unwrap());
            others.iter().for_each(ConnectionSlot::mark_busy);
        }
        assert!(take(&places, POD).is_none() && !is_ready(busy.ended()));
        busy.mark_waiting(true);
        assert!(take(&places, POD).is_none() && is_ready(busy.ended()));
    }

    #[test]
    fn waiting_connection_is_notified_of_each_change() {
        let places = ConnectionSlots::new(1);
        let only = take(&places, POD).unwrap();
        only.mark_busy();
        let mut next = pin!(places.take(Ipv4Addr::from(POD).into()));
        let mut look = || next.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(look().is_pending() && !is_ready(only.ended()));
        // Its request ends, so it can be closed.
        only.mark_waiting(true);
        assert!(look().is_pending() && is_ready(only.ended()));
        drop(only);
        let Poll::Ready(_next) = look() else { panic!("there is a place") };
    }

    #[test]
    fn client_with_many_connections_does_not_evict_others() {
        for has_asked in [false, true] {
            let places = ConnectionSlots::new(8);
            let of_api_server = [(); 3].map(|()| take(&places, API_SERVER).unwrap());
            of_api_server.iter().for_each(|place| place.mark_waiting(true));
            let mut of_pod: Vec<ConnectionSlot> = Vec::new();
            for _ in 0..20 {
                let place = take(&places, POD).unwrap_or_else(|| {
                    // One of the pod's own connections is closed.
                    let at = of_pod.iter().position(|place| is_ready(place.ended())).unwrap();
                    drop(of_pod.remove(at));
                    take(&places, POD).unwrap()
                });
                place.mark_busy();
                place.mark_waiting(has_asked);
                of_pod.push(place);
            }
            // For a new connection of the API server, one of the pod's is closed as well, whatever its age.
            assert!(take(&places, API_SERVER).is_none());
            assert!(of_pod.iter().any(|place| is_ready(place.ended())));
            assert!(!of_api_server.iter().any(|place| is_ready(place.ended())));
        }
    }

    #[test]
    fn of_an_address_with_the_most_connections_one_ends_as_soon_as_it_may() {
        let places = ConnectionSlots::new(4);
        let of_pod = [(); 3].map(|()| take(&places, POD).unwrap());
        of_pod.iter().for_each(ConnectionSlot::mark_busy);
        let other = take(&places, API_SERVER).unwrap();
        // All connections of the pod have a request in progress, so no connection is closed.
        assert!(take(&places, POD).is_none() && !is_ready(other.ended()));
        of_pod[1].mark_waiting(false);
        assert!(take(&places, POD).is_none() && is_ready(of_pod[1].ended()));
    }
}
