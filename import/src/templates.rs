//! Converts hosts, paths and secrets to templates.

use std::collections::BTreeMap;

use xposer::service::PortRef;

use crate::read::Route;

/// A list with more hosts than this has one host on each line.
const MAX_ON_A_LINE: usize = 3;

/// The hosts and paths as a list of URL templates. A port other than the main one follows its URL.
pub(crate) fn urls(routes: &[&Route], port: Option<&PortRef>, with_paths: bool) -> String {
    let mut urls: Vec<String> = Vec::with_capacity(routes.len());
    let mut seen = std::collections::HashSet::new();
    for route in routes {
        let mut url = route.host.clone();
        if with_paths && route.path != "/" {
            url.push_str(&route.path);
        }
        if let Some(own) = route.port.as_ref().filter(|own| Some(*own) != port) {
            url.push_str(&format!(" -> {own}"));
        }
        if seen.insert(url.clone()) {
            urls.push(url);
        }
    }
    joined(&urls)
}

/// A list of hosts.
pub(crate) fn joined(items: &[String]) -> String {
    items.join(if items.len() > MAX_ON_A_LINE { "\n" } else { ", " })
}

/// The port of most routes; if several are equally frequent, the first one.
pub(crate) fn main_port<'r>(routes: &[&'r Route]) -> Option<&'r PortRef> {
    let mut counts: BTreeMap<&PortRef, usize> = BTreeMap::new();
    for port in routes.iter().filter_map(|route| route.port.as_ref()) {
        *counts.entry(port).or_default() += 1;
    }
    let most = counts.values().copied().max()?;
    routes.iter().filter_map(|route| route.port.as_ref()).find(|port| counts.get(port) == Some(&most))
}

/// A host as a part of the name of a secret, like the variable `Host`.
fn in_name(host: &str) -> String {
    host.replace('*', "wildcard")
}

/// The same with dashes instead of dots.
fn dashed(host: &str) -> String {
    in_name(host).replace('.', "-")
}

/// A template that gives each host its secret. The hosts are distinct.
pub(crate) fn secret(secrets: &[(&str, &str)]) -> Option<String> {
    let (first_host, first) = *secrets.first()?;
    if secrets.iter().all(|(_, secret)| *secret == first) {
        return Some(first.to_owned());
    }
    type Variable = fn(&str) -> String;
    let variables: [(Variable, &str); 2] = [(in_name, "{{.Host}}"), (dashed, r#"{{replace "." "-" .Host}}"#)];
    for (variable, action) in variables {
        let Some((before, after)) = first.split_once(&variable(first_host)) else { continue };
        if secrets.iter().all(|(host, secret)| *secret == format!("{before}{}{after}", variable(host))) {
            return Some(format!("{before}{action}{after}"));
        }
    }
    // The secret of most hosts needs no condition.
    let mut by_secret: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (host, secret) in secrets {
        by_secret.entry(secret).or_default().push(host);
    }
    let (most, _) = by_secret.iter().max_by_key(|(_, hosts)| hosts.len())?;
    let most = *most;
    let mut template = String::new();
    let others = by_secret.into_iter().filter(|(secret, _)| *secret != most);
    for (at, (secret, hosts)) in others.enumerate() {
        let names: Vec<String> = hosts.iter().map(|host| format!("{:?}", in_name(host))).collect();
        let word = if at == 0 { "if" } else { "else if" };
        template.push_str(&format!("{{{{{word} eq .Host {}}}}}{secret}", names.join(" ")));
    }
    Some(format!("{template}{{{{else}}}}{most}{{{{end}}}}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_hosts_are_one_template() {
        for (secrets, expected) in [
            (vec![("a.example.com", "tls"), ("b.example.com", "tls")], "tls"),
            (vec![("a.example.com", "a.example.com-tls"), ("*.b", "wildcard.b-tls")], "{{.Host}}-tls"),
            (vec![("a.b", "x-a-b"), ("c.d", "x-c-d")], r#"x-{{replace "." "-" .Host}}"#),
            (
                vec![("a.b", "one"), ("c.d", "two"), ("e.f", "two")],
                r#"{{if eq .Host "a.b"}}one{{else}}two{{end}}"#,
            ),
            (
                vec![("a", "1"), ("b", "2"), ("c", "3"), ("d", "3"), ("e", "2"), ("f", "3")],
                r#"{{if eq .Host "a"}}1{{else if eq .Host "b" "e"}}2{{else}}3{{end}}"#,
            ),
        ] {
            let template = secret(&secrets).unwrap();
            assert_eq!(template, expected);
            let parsed = xposer::template::Template::parse(&template).unwrap();
            for (host, wanted) in secrets {
                let host = in_name(host);
                let vars = xposer::template::Vars { host: Some(&host), ..Default::default() };
                assert_eq!(parsed.render(&vars).unwrap(), wanted, "{template}");
            }
        }
    }
}
