//! The networks that remain if some are denied. Traefik only has a list of allowed networks.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A network: the number of bits of an address, its address in the lowest bits, and the length of its prefix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Network {
    width: u32,
    address: u128,
    length: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        let length = length.parse().ok()?;
        if let Ok(address) = address.parse::<Ipv4Addr>() {
            return Some(Self { width: 32, address: address.to_bits().into(), length });
        }
        Some(Self { width: 128, address: address.parse::<Ipv6Addr>().ok()?.to_bits(), length })
    }

    /// Whether this network contains all addresses of the other one.
    fn covers(self, other: Self) -> bool {
        let rest = self.width.saturating_sub(self.length);
        let begin = |address: u128| address.checked_shr(rest).unwrap_or_default();
        self.width == other.width
            && self.length <= other.length
            && begin(self.address) == begin(other.address)
    }

    fn halves(self) -> [Self; 2] {
        let length = self.length + 1;
        let bit = 1_u128.checked_shl(self.width.saturating_sub(length)).unwrap_or_default();
        [Self { length, ..self }, Self { address: self.address | bit, length, ..self }]
    }

    fn show(self) -> String {
        if self.width == 32 {
            let address = Ipv4Addr::from(u32::try_from(self.address).unwrap_or_default());
            return format!("{address}/{}", self.length);
        }
        format!("{}/{}", Ipv6Addr::from(self.address), self.length)
    }
}

/// Returns all networks except those of the list, as few as possible.
pub(super) fn complement(denied: &[String]) -> Vec<String> {
    let denied: Vec<Network> = denied.iter().filter_map(|text| Network::parse(text)).collect();
    let mut left = Vec::new();
    for width in [32, 128] {
        let mut open = vec![(Network { width, address: 0, length: 0 }, denied.clone())];
        while let Some((network, denied)) = open.pop() {
            let inside: Vec<Network> = denied.iter().copied().filter(|it| network.covers(*it)).collect();
            if denied.iter().any(|it| it.covers(network)) {
                continue;
            }
            if inside.is_empty() {
                left.push(network);
            } else {
                open.extend(network.halves().into_iter().rev().map(|half| (half, inside.clone())));
            }
        }
    }
    if left.is_empty() {
        // An empty list would be an error. No request comes from this address.
        left.push(Network { width: 32, address: 0, length: 32 });
    }
    left.into_iter().map(Network::show).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn others_of(list: &[&str]) -> Vec<String> {
        complement(&list.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn complement_of_networks_is_complete() {
        assert_eq!(others_of(&["128.0.0.0/2", "::/1"]), ["0.0.0.0/1", "192.0.0.0/2", "8000::/1"]);
        assert_eq!(others_of(&["0.0.0.0/0", "::/0"]), ["0.0.0.0/32"]);
        assert_eq!(others_of(&["0.0.0.0/0", "10.0.0.0/8"]), ["::/0"]);
        assert_eq!(others_of(&["192.0.2.7/32"]).len(), 33);
        assert_eq!(others_of(&["2001:db8::1/128", "2001:db8::/32"]).len(), 33);
    }
}
