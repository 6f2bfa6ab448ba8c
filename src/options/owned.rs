//! The hosts that belong to a namespace, and the classes and Gateways that it may use (the keys `hosts`, `classes` and `gateways`
//! of the setting `namespaces`), and the patterns of denied annotations.

use super::Settings;
use super::layer::GatewayPattern;
use crate::diagnostics::{Code, Problem, choose, quoted};
use crate::dialect::is_snippet;
use crate::validation::pattern::matches;
use crate::values::GATEWAY;

impl Settings {
    /// The problem if a namespace uses a host that belongs to another namespace, or that is not among its own hosts. A wildcard
    /// covers all hosts below it, and an empty host covers all hosts.
    pub(crate) fn problem_of_host(&self, namespace: &str, host: &str) -> Option<Problem> {
        let (what, help) = match host {
            "" => ("a rule, a route or an alias for all hosts".to_owned(), "name its hosts"),
            host => (format!("the host {}", quoted(host)), ""),
        };
        self.problem_of(namespace, host, &what, help)
    }

    /// The problem if all hosts are not those of a namespace, but its default backend gets the requests for them.
    pub(crate) fn problem_of_default_backend(&self, namespace: &str) -> Option<Problem> {
        let help = "remove it, or write paths of the rules in its place";
        let problem = self.problem_of(namespace, "", "the default backend for all hosts", help)?;
        Some(problem.help(help))
    }

    /// The same for a host, or for all hosts if it is empty, with words for what has it. `of_all` is the help for all hosts.
    fn problem_of(&self, namespace: &str, host: &str, what: &str, of_all: &str) -> Option<Problem> {
        let own_row = self.namespace_row(namespace);
        let mine =
            own_row.and_then(|row| self.namespaces.at(row)?.1.hosts.as_ref()).map(|hosts| &hosts.value);
        if self.owners.is_empty() && mine.is_none() {
            return None;
        }
        let lower = host.to_ascii_lowercase();
        let nearest = self.owners.nearest(&lower);
        let is_mine = |owner: usize| Some(owner) == own_row;
        // A more specific pattern gives its owner the hosts exclusively.
        let is_own = nearest.iter().any(|(_, owner)| is_mine(*owner));
        let names_others = self.names_others();
        let owner = |row: usize| match self.namespaces.at(row) {
            Some((name, _)) if names_others => format!("the namespace {}", quoted(name)),
            _ => "another namespace".to_owned(),
        };
        let choose = || mine.and_then(|hosts| one_of(hosts));
        let problem = |said: String, help: Option<String>, otherwise: &str| {
            let otherwise = if host.is_empty() { of_all } else { otherwise };
            let help = help.unwrap_or_else(|| otherwise.to_owned());
            Some(Problem::new(Code::HostNotOwned, said).help(help).found(host))
        };
        if let Some(other) = nearest.last().filter(|_| !is_own).map(|(_, row)| owner(*row)) {
            let message = format!("{what} belongs to {other}");
            return problem(message, choose(), "choose another host");
        }
        // The administrator gave the wildcard itself to its owner.
        let domain = if host.is_empty() { Some("") } else { lower.strip_prefix("*.") };
        let below = domain.filter(|domain| !self.owners.has_domain(domain));
        if let Some((taken, row)) = below.and_then(|domain| self.owners.below(domain, &is_mine)) {
            let such = if names_others { format!(", such as {}", quoted(&taken)) } else { String::new() };
            let message = format!("{what} includes hosts of {}{such}", owner(row));
            return problem(message, choose(), "choose another host");
        }
        if mine.is_some() && nearest.is_empty() {
            let message = format!("{what} does not belong to the namespace {}", quoted(namespace));
            return problem(message, choose(), "ask your administrator for a host");
        }
        None
    }

    /// The problem if an Ingress of a namespace has a class that the namespace may not use.
    pub(crate) fn problem_of_class(&self, namespace: &str, class: &str) -> Option<Problem> {
        let classes = self.namespace(namespace)?.classes.as_ref()?;
        if classes.iter().any(|pattern| matches(pattern, class)) {
            return None;
        }
        let message =
            format!("the class {} is not allowed in the namespace {}", quoted(class), quoted(namespace));
        let help = one_of(classes).unwrap_or_else(|| "ask your administrator for a class".to_owned());
        Some(Problem::new(Code::ClassNotAllowed, message).help(help).found(class))
    }

    /// The problem if a route of a namespace is attached to a Gateway that the namespace may not use, or to an object of another kind,
    /// such as a ListenerSet, that is not listed. The Gateway of a ListenerSet is known to the cluster only, so a Gateway in the list
    /// allows no ListenerSet, unless the list has all Gateways.
    pub(crate) fn problem_of_gateway(
        &self,
        namespace: &str,
        kind: &str,
        gateway: (&str, &str),
    ) -> Option<Problem> {
        let gateways = self.namespace(namespace)?.gateways.as_ref()?;
        let fits = |pattern: &GatewayPattern| {
            let has_all = pattern.namespace.as_deref() == Some("*") && pattern.name == "*";
            let known = pattern.kind.strip_suffix('/').unwrap_or(GATEWAY);
            (known == kind || (has_all && known == GATEWAY))
                && matches(pattern.namespace.as_deref().unwrap_or(namespace), gateway.0)
                && matches(&pattern.name, gateway.1)
        };
        if gateways.iter().any(fits) {
            return None;
        }
        let name = [gateway.0, "/", gateway.1].concat();
        let message =
            format!("the {kind} {} is not allowed in the namespace {}", quoted(&name), quoted(namespace));
        let shown = |it: &GatewayPattern| {
            [&it.kind, it.namespace.as_deref().unwrap_or(namespace), "/", &it.name].concat()
        };
        let known: Vec<String> = gateways.iter().map(shown).collect();
        let help = one_of(&known).unwrap_or_else(|| "ask your administrator for a Gateway".to_owned());
        Some(Problem::new(Code::GatewayNotAllowed, message).help(help).found(name))
    }

    /// The code and the message of a finding about lost protection. The administrator may accept the loss of a key, which lowers
    /// the code.
    pub(crate) fn lost(&self, key: &str, said: String) -> (Code, String) {
        if self.accept_loss.fit(key) {
            (Code::ProtectionLossAccepted, said + ", and the administrator accepts that")
        } else {
            (Code::ProtectionLost, said)
        }
    }

    /// The pattern that denies an annotation, if there is one; empty if the key is denied to everybody.
    pub(crate) fn denial(&self, key: &str) -> Option<&str> {
        let of_program = || (is_snippet(key) && !self.allow.fit(key)).then_some("");
        self.denied_by(key).or_else(of_program)
    }

    /// The pattern of the list `deny` that denies a key or an option.
    pub(crate) fn denied_by(&self, key: &str) -> Option<&str> {
        self.deny.first(key).filter(|_| !self.allow.fit(key))
    }
}

/// The names as a choice in a help; `None` if there are none.
fn one_of(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| choose(names))
}
