//! The graph of a report in the language of Mermaid.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::model::Report;

impl Report {
    /// Returns the graph of the exposed Services for Mermaid: from hosts over classes and Gateways to Services. Refused Services
    /// are not included.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::{Precedence, Service, Settings, expose_all, testing};
    /// use xposer_report::{Options, Report};
    /// let (service, settings) = (testing::service(&[]), Settings::from_value(&json!({"domain": "example.com"}))?);
    /// let services = [Service::from_value(&service)];
    /// let outcomes = expose_all(&services, &settings, Precedence::RefuseAll);
    /// let graph = Report::new(&services, &outcomes, &settings, &Options::default()).to_mermaid();
    /// assert!(graph.starts_with("flowchart LR\n") && graph.contains("h0[\"web.shop.example.com\"]"), "{graph}");
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        let (mut hosts, mut doors, mut services) = (Nodes::new('h'), Nodes::new('c'), Nodes::new('s'));
        let mut edges: BTreeSet<(String, String)> = BTreeSet::new();
        let mut order = Vec::new();
        for row in &self.rows {
            let service = services.id(&row.name());
            for target in &row.targets {
                let attached = if target.attached_to.is_empty() {
                    vec![target.default_attachment()]
                } else {
                    target.attached_to.clone()
                };
                for attached in attached {
                    let label = format!("{} {attached}\n{}", target.kind, target.program);
                    let door = doors.id(&label);
                    let from = row.urls.iter().map(|url| (hosts.id(&url.host), door.clone()));
                    let from: Vec<(String, String)> = from.collect();
                    for edge in from.into_iter().chain([(door, service.clone())]) {
                        if edges.insert(edge.clone()) {
                            order.push(edge);
                        }
                    }
                }
            }
        }
        let mut graph = "flowchart LR\n".to_owned();
        for nodes in [hosts, doors, services] {
            graph.push_str(&nodes.text());
        }
        for (from, to) in order {
            // Writing to a text cannot fail.
            let _ = writeln!(graph, "  {from} --> {to}");
        }
        graph
    }
}

/// The nodes of one kind, in the order of their first use.
struct Nodes {
    letter: char,
    ids: BTreeMap<String, usize>,
    labels: Vec<String>,
}

impl Nodes {
    fn new(letter: char) -> Self {
        Self { letter, ids: BTreeMap::new(), labels: Vec::new() }
    }

    /// Returns the id of the node with this label.
    fn id(&mut self, label: &str) -> String {
        let next = self.labels.len();
        let number = *self.ids.entry(label.to_owned()).or_insert(next);
        if number == next {
            self.labels.push(escaped(label));
        }
        format!("{}{number}", self.letter)
    }

    fn text(&self) -> String {
        let lines = self.labels.iter().enumerate();
        lines.map(|(number, label)| format!("  {}{number}[\"{label}\"]\n", self.letter)).collect()
    }
}

/// Escapes a label, in which only a line break has a meaning.
fn escaped(label: &str) -> String {
    let mut text = String::with_capacity(label.len());
    for character in label.chars() {
        match character {
            '\n' => text.push_str("<br>"),
            _ if character.is_control() => text.push(' '),
            _ if character.is_alphanumeric() || " -./:*()_,".contains(character) => text.push(character),
            _ => text.push_str(&format!("#{};", u32::from(character))),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_no_signs_of_the_language() {
        assert_eq!(escaped("a\"];b<br>#35;\nc\u{1b}"), "a#34;#93;#59;b#60;br#62;#35;35#59;<br>c ");
    }
}
