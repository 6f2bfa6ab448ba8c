//! The DNS server of the chain: its configuration, and a client.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process::output;

/// The zones for which the server is authoritative. All other names do not exist.
pub const ZONES: [&str; 3] = ["example.com", "company.com", "stakater.com"];
/// The TSIG key that permits changes and transfers of the zones.
pub(crate) const KEY_NAME: &str = "external-dns";
pub(crate) const KEY: &str = "Y2hhaW4tY2hhaW4tY2hhaW4tY2hhaW4tY2hhaW4tMDA=";

const CONFIGURATION: &str = include_str!("../files/named.conf");

/// Writes the configuration of the server, which says whether updates are accepted.
pub(crate) fn configure(folder: &Path, accepts_updates: bool) -> Result<()> {
    let folder_name = folder.display().to_string();
    let words = [("{folder}", folder_name.as_str()), ("{key_name}", KEY_NAME), ("{key}", KEY)];
    let mut text =
        words.iter().fold(CONFIGURATION.to_owned(), |text, (word, value)| text.replace(word, value));
    let who = if accepts_updates { format!("key \"{KEY_NAME}\"") } else { "none".to_owned() };
    for zone in ZONES {
        writeln!(
            text,
            "zone \"{zone}\" {{ type primary; file \"{zone}.zone\"; allow-update {{ {who}; }}; }};"
        )?;
    }
    Ok(fs::write(folder.join("named.conf"), text)?)
}

/// Writes zones without records.
pub(crate) fn empty_zones(folder: &Path) -> Result<()> {
    for zone in ZONES {
        for file in [format!("{zone}.zone"), format!("{zone}.zone.jnl")] {
            // In a new folder, the file does not exist.
            let _ = fs::remove_file(folder.join(file));
        }
        // A minimum TTL of 0 prevents caching of negative responses.
        let text = format!(
            "$TTL 0\n@ IN SOA ns.{zone}. root.{zone}. 1 60 60 600 0\n@ IN NS ns.{zone}.\nns IN A 127.0.0.1\n"
        );
        fs::write(folder.join(format!("{zone}.zone")), text)?;
    }
    Ok(())
}

/// Returns the response of the server.
fn dig(words: &[&str]) -> Result<String> {
    output(Command::new("dig").args(["@127.0.0.1", "+time=2", "+tries=1"]).args(words))
}

/// Returns the addresses of a name; none if there is no such name.
pub(crate) fn addresses(name: &str) -> Result<Vec<IpAddr>> {
    let answer = dig(&["+short", name, "A"])?;
    let mut addresses: Vec<IpAddr> = answer.lines().filter_map(|line| line.parse().ok()).collect();
    addresses.sort();
    Ok(addresses)
}

/// Returns all records of all zones except the SOA and NS records and the name server, each as `name TTL type value`.
pub(crate) fn records() -> Result<BTreeSet<String>> {
    let key = format!("hmac-sha256:{KEY_NAME}:{KEY}");
    let mut records = BTreeSet::new();
    for zone in ZONES {
        let answer = dig(&["-y", &key, "+noall", "+answer", zone, "AXFR"])?;
        for line in answer.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, time, _, kind, value @ ..] = words.as_slice() else { continue };
            let is_zone = [zone, &format!("ns.{zone}")].contains(&name.trim_end_matches('.'));
            if !is_zone && !["SOA", "NS", "TSIG"].contains(kind) {
                records.insert(format!("{} {time} {kind} {}", name.trim_end_matches('.'), value.join(" ")));
            }
        }
    }
    Ok(records)
}
