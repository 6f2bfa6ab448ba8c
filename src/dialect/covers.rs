//! Comparison of two values of an intent: whether one admits somebody whom the other one denies.

use std::net::IpAddr;

use crate::intents::{Cors, Intent, IntentValue};

/// Whether `given` admits nobody whom `wanted` denies. Values that cannot be compared must be equal.
pub(crate) fn covers(intent: Intent, given: &IntentValue, wanted: &IntentValue) -> bool {
    match (given, wanted) {
        (IntentValue::BasicAuth(given), IntentValue::BasicAuth(wanted)) => given.secret == wanted.secret,
        (IntentValue::ExternalAuth(given), IntentValue::ExternalAuth(wanted)) => given.url == wanted.url,
        (IntentValue::Certificate(given_one), IntentValue::Certificate(wanted_one)) => {
            given_one.secret == wanted_one.secret && !admits_more(intent, wanted, given)
        }
        (IntentValue::Sources(_) | IntentValue::Rate(_) | IntentValue::Cors(_), _) => {
            !admits_more(intent, wanted, given)
        }
        _ => given == wanted,
    }
}

/// Whether the new value of an intent admits more than the old one.
pub(crate) fn admits_more(intent: Intent, old: &IntentValue, new: &IntentValue) -> bool {
    match (old, new) {
        (IntentValue::Sources(old), IntentValue::Sources(new)) => match intent {
            Intent::DeniedSources => !Networks::of(new).contain_all(old),
            _ => !Networks::of(old).contain_all(new),
        },
        (IntentValue::Size(old), IntentValue::Size(new)) => *old > 0 && (*new == 0 || new > old),
        (IntentValue::Rate(old), IntentValue::Rate(new)) => {
            u64::from(new.requests) * u64::from(old.per) > u64::from(old.requests) * u64::from(new.per)
                || new.burst.zip(old.burst).is_some_and(|(new, old)| new > old)
        }
        (IntentValue::Cors(old), IntentValue::Cors(new)) => {
            let is_new = |origin: &String| !old.origins.iter().any(|it| is_origin_of(it, origin));
            let adds = |old: &[String], new: &[String]| {
                !old.iter().any(|it| it == "*")
                    && new.iter().any(|it| !old.iter().any(|known| known.eq_ignore_ascii_case(it)))
            };
            let [old_lists, new_lists] = [old, new].map(Cors::with_defaults);
            new.origins.iter().any(is_new)
                || (new.credentials && !old.credentials)
                || adds(&old_lists.methods, &new_lists.methods)
                || adds(&old_lists.headers, &new_lists.headers)
                || adds(&old.expose_headers, &new.expose_headers)
        }
        (IntentValue::Certificate(old), IntentValue::Certificate(new)) => new.is_optional && !old.is_optional,
        _ => false,
    }
}

/// Whether an origin of CORS contains another one. A star stands for one label.
fn is_origin_of(outer: &str, origin: &str) -> bool {
    let is_below = |(scheme, domain): (&str, &str)| {
        let label = origin.strip_prefix(scheme).and_then(|rest| rest.strip_suffix(domain)?.strip_suffix('.'));
        label.is_some_and(|label| !label.is_empty() && !label.contains(['.', '*']))
    };
    outer == "*" || outer == origin || outer.split_once("*.").is_some_and(is_below)
}

/// Sorted networks, none of which contains another one, so that only one of them can contain an address. A binary search finds
/// it.
pub(crate) struct Networks(Vec<Network>);

impl Networks {
    pub(crate) fn of<'l>(list: impl IntoIterator<Item = &'l (impl AsRef<str> + ?Sized + 'l)>) -> Self {
        let mut all: Vec<Network> = list.into_iter().filter_map(|text| network(text.as_ref())).collect();
        // Of two networks with the same first address, the larger one comes first.
        all.sort_unstable_by_key(|(is_v6, first, last)| (*is_v6, *first, std::cmp::Reverse(*last)));
        let mut kept: Vec<Network> = Vec::with_capacity(all.len());
        for (is_v6, first, last) in all {
            if kept.last().is_none_or(|outer| outer.0 != is_v6 || outer.2 < last) {
                kept.push((is_v6, first, last));
            }
        }
        Self(kept)
    }

    /// Whether these networks contain all networks of a list. A text that is not a network is contained in none.
    pub(crate) fn contain_all<'l>(
        &self,
        list: impl IntoIterator<Item = &'l (impl AsRef<str> + ?Sized + 'l)>,
    ) -> bool {
        list.into_iter().all(|text| network(text.as_ref()).is_some_and(|network| self.contain(network)))
    }

    fn contain(&self, (is_v6, first, last): Network) -> bool {
        let behind = self.0.partition_point(|known| (known.0, known.1) <= (is_v6, first));
        let outer = behind.checked_sub(1).and_then(|at| self.0.get(at));
        outer.is_some_and(|outer| outer.0 == is_v6 && last <= outer.2)
    }
}

/// A network: whether it is an IPv6 network, its first address and its last address. IPv4 addresses are stored in the upper
/// bits.
pub(crate) type Network = (bool, u128, u128);

pub(crate) fn network(text: &str) -> Option<Network> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let (is_v6, number, most) = match address.parse().ok()? {
        IpAddr::V4(address) => (false, u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (true, address.to_bits(), 128),
    };
    let bits = bits.map_or(Some(most), |bits| bits.parse::<u32>().ok())?;
    let rest = u128::MAX.checked_shr(bits.min(most)).unwrap_or_default();
    (bits <= most).then_some((is_v6, number & !rest, number | rest))
}
