//! Compares the claims of a plan or an object with those of other holders.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use super::SOMEBODY;
use super::all_claims::{AllClaims, MAX_ROUTE_BYTES, MAX_ROUTES};
use super::claims::{Claimed, MAX_NAMED, MONITOR, conflict};
use super::held::{CANARY, ClaimText, Holder, Holders, SERVICE, text_of};
use crate::diagnostics::{Code, FieldPath, Problem, Report, cut, quoted};
use crate::dialect::hosts::HostRole;
use crate::dialect::nginx;
use crate::options::annotations::annotation;
use crate::plan::Plan;
pub(crate) use crate::service::ADOPT_ANNOTATION;
use crate::service::FORWARD_ANNOTATION;

impl Plan {
    /// Compares the claims of this plan with the recorded holders. A claim of an older holder is an Error, the same as in
    /// [`expose_all`](crate::expose_all) for two Services, and a claim of a younger holder is a Warning. `created` is the creation
    /// time of the Service in the format of the API server; empty while the Service is being created. If `names_others` is false,
    /// messages do not name holders of other namespaces. `had` has the claims of the Service before an update
    /// ([`Plan::keys_for_update`]); any other claim is new, so it counts as younger than those of all holders. An alias or a name in
    /// DNS that the Service had before is only a Warning, because the controller exposes such a Service.
    ///
    /// A canary shares the routes of its stable Service. A route that another Service of its namespace has is an Error as well.
    ///
    /// ```
    /// use serde_json::json;
    /// use std::collections::BTreeSet;
    /// use xposer::conflicts::{Holder, Holders};
    /// let plan = xposer::testing::plan(&[("IngressURLTemplate", "shop.example.com")], json!({}))?;
    /// let holder = Holder { kind: "Ingress".to_owned(), namespace: "ops".to_owned(), name: "old".to_owned(),
    ///     created: "2026-01-01T00:00:00Z".to_owned(), is_local: false, is_part: false };
    /// let holders = Holders::from([("prefix shop.example.com/".to_owned(), vec![holder])]);
    /// let nothing = BTreeSet::new();
    /// let said = |created, named| plan.contested(created, &nothing, &holders, named).diagnostics()[0].message.clone();
    /// assert_eq!(said("", true), "`shop.example.com/` is also claimed by Ingress ops/old, created on 2026-01-01");
    /// assert_eq!(said("", false), "`shop.example.com/` is also claimed by an object in another namespace");
    /// // It had the host before, and is older.
    /// let had = plan.keys_for_update(&plan);
    /// assert_eq!(plan.contested("2025-01-01T00:00:00Z", &had, &holders, true).count(xposer::Severity::Error), 0);
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn contested(
        &self,
        created: &str,
        had: &BTreeSet<String>,
        holders: &Holders,
        names_others: bool,
    ) -> Report {
        let mut report = Report::new(self.subject.clone(), false);
        let (as_created, as_new) = (self.holder(created), self.holder(""));
        // A set, because a Service may have thousands of hosts.
        let (mut seen, mut has_name) = (BTreeSet::new(), false);
        // Few Services publish other names than those of their own hosts.
        let addresses = LazyCell::new(|| self.addresses_for_update());
        let added = self.added_hosts();
        let claims = AllClaims::of(self, &added);
        for (claim, origin, role) in claims.iter() {
            let Some(asked) = text_of(self, claim, role) else { continue };
            if !seen.insert(asked.text.clone()) {
                continue;
            }
            if role >= HostRole::Name {
                let is_kept = addresses.iter().all(|address| role.is_among(address, &asked.text, had));
                let asker = if is_kept { &as_created } else { &as_new };
                let place = origin.cloned().unwrap_or_default().path();
                published((&asked, is_kept), place, asker, holders, names_others, &mut report);
                continue;
            }
            let is_kept = had.contains(&asked.text) || had.contains(&asked.key_for_update());
            let asker = if is_kept { &as_created } else { &as_new };
            // The holders of the route that the canary shares.
            let route_holders =
                asked.stable().and_then(|stable| holders.get(stable)).map_or(&[][..], Vec::as_slice);
            let stable =
                self.canary.as_ref().map(|canary| Holder { name: canary.of.clone(), ..asker.clone() });
            let follows = stable.is_some_and(|stable| {
                route_holders.iter().any(|holder| holder.is_same(&stable) && holder.has_all(&asked))
            });
            let rivals = Rivals::new(&asked, asker, None, holders, follows);
            let is_lost = !rivals.older.is_empty();
            // The conflict about the name of another object says the same.
            let is_repeated = is_lost && has_name && matches!(claim, Claimed::Name(MONITOR, ..));
            has_name |= is_lost && matches!(claim, Claimed::Name(..));
            let others = rivals.named(asker, names_others).filter(|_| !is_repeated);
            if let (Claimed::Name(kind, _, name), Some(other)) = (&claim, rivals.name_holder(&asked)) {
                report.file(self.origin_of_name().path(), self.taken(kind, name, other));
                continue;
            }
            // The holder of the route is not a canary, so the message must not say so.
            let claim = claim.stable().filter(|_| rivals.is_across).unwrap_or_else(|| claim.clone());
            if let Some((path, problem)) = others
                .and_then(|others| conflict(&claim, self, origin, &others, &help(&claim, &rivals, asker)))
            {
                let problem = rivals.with_precedence(problem);
                let is_known = is_kept && role == HostRole::Alias;
                report.file(path, if is_known { kept(problem) } else { problem });
            }
            if let (Claimed::Route(host, path, ..), Some(canary)) = (&claim, &self.canary) {
                let own = |holder: &&Holder| {
                    holder.namespace == asker.namespace
                        && holder.has_all(&asked)
                        && !holder.may_share(&asked, asker)
                };
                let route_holders: Vec<&Holder> = route_holders.iter().filter(own).collect();
                if let Some(first) = route_holders.first().filter(|_| !follows) {
                    let said = format!(
                        "{} is claimed by {}, and not by the stable Service {}",
                        quoted(&format!("{host}{path}")),
                        named(&route_holders, asker, names_others),
                        quoted(&canary.of)
                    );
                    let problem = Problem::new(Code::RouteClaimed, said);
                    let help = match first.kind.as_str() {
                        SERVICE => "name the stable Service that has the host and path".to_owned(),
                        _ => format!("annotate that object with {ADOPT_ANNOTATION}: {}", canary.of),
                    };
                    let path = origin.cloned().unwrap_or_default().path();
                    report.file(path, problem.help(help));
                }
            }
        }
        if claims.is_truncated {
            let of_rule = self.rules.first().filter(|_| added.is_empty()).map(|rule| rule.host_origin.path());
            report.file(of_rule.unwrap_or_else(|| FieldPath::annotation(FORWARD_ANNOTATION)), too_many());
        }
        report
    }

    /// The problem of an object whose name belongs to another owner: the controller does not change it.
    fn taken(&self, kind: &str, name: &str, other: &Holder) -> Problem {
        let said = format!(
            "there is {kind} {}{}, which has another owner and is not changed",
            quoted(name),
            other.day()
        );
        let help = format!(
            "choose another IngressNameTemplate, or annotate that object with {ADOPT_ANNOTATION}: {}",
            self.subject.name
        );
        Problem::new(Code::NameClaimed, said).help(help)
    }
}

/// The problem of a claim that an update leaves as it was, although an older object has it: to refuse the update would mend nothing.
fn kept(mut problem: Problem) -> Problem {
    if problem.code == Code::RouteClaimed {
        problem.code = Code::ClaimKept;
        problem.message.push_str(", as before the update");
    }
    problem
}

/// Files a problem if an older holder in another namespace has a host whose name the asker publishes in DNS: requests for the host would
/// go to the asker. A team may publish the names of its own hosts.
pub(crate) fn published(
    (asked, is_kept): (&ClaimText, bool),
    place: FieldPath,
    asker: &Holder,
    holders: &Holders,
    names_others: bool,
    report: &mut Report,
) {
    let others = holders.get(&asked.text).into_iter().flatten().filter(|it| it.namespace != asker.namespace);
    let older: Vec<&Holder> = others.filter(|holder| holder.precedes(asker)).collect();
    if older.is_empty() {
        return;
    }
    let message = format!("{} belongs to {}", quoted(&asked.bucket), named(&older, asker, names_others));
    let problem = Problem::new(Code::RouteClaimed, message).help("publish only the names of your own hosts");
    report.file(place, if is_kept { kept(problem) } else { problem });
}

/// The problem of an object with more routes than are compared.
pub(crate) fn too_many() -> Problem {
    let message = format!(
        "it has more than {MAX_ROUTES} hosts and paths, or more than {} KiB of them, and the others cannot be compared",
        MAX_ROUTE_BYTES >> 10
    );
    Problem::new(Code::ClaimsTooMany, message).help("split it into several objects with fewer hosts")
}

/// A route of an object that Xposer does not manage.
pub(crate) struct AskedRoute {
    pub(crate) claim: ClaimText,
    /// The field with the route.
    pub(crate) place: FieldPath,
    /// The host and path in words.
    pub(crate) shown: String,
}

/// Reports the conflicts of an object that Xposer does not manage with other holders, in the same way as for a plan. The hosts of the
/// object pass to the Service `adopter`, so they are not in conflict with it.
pub(crate) fn contested_by(
    asked: &[AskedRoute],
    asker: &Holder,
    adopter: Option<&str>,
    holders: &Holders,
    names_others: bool,
    report: &mut Report,
) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    // A whole path includes its parts, so parts are compared last and skipped if the path was.
    let (parts, whole) =
        (asked.iter().filter(|it| it.claim.is_part), asked.iter().filter(|it| !it.claim.is_part));
    for AskedRoute { claim: text, place: path, shown } in whole.chain(parts) {
        if !seen.insert(text.text.clone()) {
            continue;
        }
        let mut stable = text.stable().and_then(|stable| holders.get(stable)).into_iter().flatten();
        let oldest = stable.find(|holder| holder.has_all(text));
        let follows = oldest.is_some_and(|oldest| oldest.namespace == asker.namespace);
        let rivals = Rivals::new(text, asker, adopter, holders, follows);
        if let Some(others) = rivals.named(asker, names_others) {
            let message = format!("{} is also claimed by {others}", quoted(shown));
            let problem = Problem::new(Code::RouteClaimed, message).help(rivals.another_route(asker));
            report.file(path.clone(), rivals.with_precedence(problem));
        }
    }
}

/// Returns the finding about a canary that has no stable Service to share requests with, given the texts of its claims and all
/// their holders, and its place. It is a Warning, because the stable Service may follow in the same apply. The canary is a Service
/// if `is_service` is true, otherwise an Ingress.
///
/// ```
/// use std::collections::BTreeSet;
/// use xposer::{conflicts::Holders, internal::lone_canary};
/// let texts = BTreeSet::from(["canary prefix shop.example.com/".to_owned()]);
/// let (_, problem) = lone_canary(&texts, &Holders::new(), true).unwrap();
/// assert_eq!(problem.message, "no other Service or Ingress has `shop.example.com/` to share with the canary");
/// ```
#[must_use]
pub fn lone_canary(
    texts: &BTreeSet<String>,
    holders: &Holders,
    is_service: bool,
) -> Option<(FieldPath, Problem)> {
    let mut stable = texts.iter().filter_map(|text| text.strip_prefix(CANARY));
    let is_alone = |stable: &&str| {
        holders.get(*stable).is_none_or(|holders| holders.iter().all(|holder| holder.is_part))
    };
    let route = stable.find(is_alone)?;
    let (_, shown) = route.split_once(' ')?;
    let said = format!("no other Service or Ingress has {} to share with the canary", quoted(shown));
    let problem = Problem::new(Code::CanaryAlone, said);
    let place = FieldPath::annotation(if is_service { annotation::CANARY_OF } else { nginx::CANARY });
    Some((place, problem.help("expose the stable Service with the same host and path")))
}

const ANOTHER_ROUTE: &str = "choose another host or path";

/// The help for the younger of two claimants.
fn help(claim: &Claimed<'_>, rivals: &Rivals<'_>, asker: &Holder) -> String {
    match claim {
        Claimed::Route(..) => rivals.another_route(asker),
        Claimed::Secret(..) => "leave TLSSecretNameTemplate out, or put {{.Service}} into it".to_owned(),
        _ => String::new(),
    }
}

/// The other holders of a claim.
#[derive(Default)]
struct Rivals<'h> {
    older: Vec<&'h Holder>,
    younger: Vec<&'h Holder>,
    /// Whether the claims are different but conflict across namespaces: one is the route of a canary, and the other the same route
    /// without one.
    is_across: bool,
}

impl<'h> Rivals<'h> {
    /// The object whose own name is the claim.
    fn name_holder(&self, asked: &ClaimText) -> Option<&'h Holder> {
        self.older.iter().find(|holder| holder.is_own_name(&asked.text)).copied()
    }

    /// The rivals of a claim. If `follows`, the asker is a canary with a stable object in its namespace: only the stable object is
    /// compared with holders of other namespaces, so they do not keep the canary away.
    ///
    /// ingress-nginx gives a canary the requests of an Ingress in any namespace.
    fn new(
        asked: &ClaimText,
        asker: &Holder,
        adopter: Option<&str>,
        holders: &'h Holders,
        follows: bool,
    ) -> Self {
        let among = |text: &str, is_across: bool| {
            let mut rivals = Self { is_across, ..Self::default() };
            for holder in holders.get(text).into_iter().flatten() {
                let is_own = holder.namespace == asker.namespace;
                if holder.is_same(asker)
                    || (is_own && holder.kind == SERVICE && adopter == Some(&holder.name))
                    || holder.may_share(asked, asker)
                    || (is_across && is_own)
                {
                    continue;
                }
                let is_older = holder.is_own_name(text) || (holder.precedes(asker) && (is_own || !follows));
                let side = if is_older { &mut rivals.older } else { &mut rivals.younger };
                side.push(holder);
            }
            rivals
        };
        let same = among(&asked.text, false);
        if follows || !same.older.is_empty() {
            return same;
        }
        let Some(across) = asked.in_other_namespaces() else { return same };
        let across = among(&across, true);
        if across.older.is_empty() && !same.younger.is_empty() { same } else { across }
    }

    /// The rivals that decide, in words: the older ones, or if there are none, the younger ones.
    fn named(&self, asker: &Holder, names_others: bool) -> Option<String> {
        let who = if self.older.is_empty() { &self.younger } else { &self.older };
        (!who.is_empty()).then(|| named(who, asker, names_others))
    }

    /// The problem for these rivals: if all of them are younger, they lose the claim, and it is a Warning.
    fn with_precedence(&self, problem: Problem) -> Problem {
        if !self.older.is_empty() {
            return problem;
        }
        Problem {
            code: Code::ClaimYounger,
            message: format!("{}, and the older object gets it", problem.message),
            help: Some("use another host, path or name, or tell the owners of the younger object".to_owned()),
            ..problem
        }
    }

    /// The help about a host and path. If all rivals are of the same namespace, the route may be on its way from one object to
    /// another.
    fn another_route(&self, asker: &Holder) -> String {
        let is_own = self.older.iter().all(|it| it.namespace == asker.namespace);
        match self.older.first().filter(|_| is_own) {
            Some(first) => format!(
                "choose another host or path, or take it from {} and apply this again some seconds later",
                cut(&format!("{} {}", first.kind, first.name), MAX_SHOWN)
            ),
            None => ANOTHER_ROUTE.to_owned(),
        }
    }
}

impl Holder {
    /// Whether a canary with this claim can share the requests of this holder: an alias or another part of a path has no requests of
    /// the whole path.
    fn has_all(&self, asked: &ClaimText) -> bool {
        asked.is_part || !self.is_part
    }

    /// The creation date, for a message.
    fn day(&self) -> String {
        self.created.get(..10).map(|day| format!(", created on {day}")).unwrap_or_default()
    }
}

/// The maximum size of a holder in a message, in bytes. A name alone may have 253.
const MAX_SHOWN: usize = 160;

/// Holders in words: at most [`MAX_NAMED`] by name, with their creation dates.
fn named(holders: &[&Holder], asker: &Holder, names_others: bool) -> String {
    let (shown, hidden): (Vec<&Holder>, Vec<&Holder>) =
        holders.iter().partition(|holder| names_others || holder.namespace == asker.namespace);
    let name = |holder: &&Holder| {
        cut(&format!("{} {}/{}", holder.kind, holder.namespace, holder.name), MAX_SHOWN) + &holder.day()
    };
    let mut listed: Vec<String> = shown.iter().take(MAX_NAMED).map(name).collect();
    if shown.len() > MAX_NAMED {
        listed.push(format!("{} more", shown.len() - MAX_NAMED));
    }
    if !hidden.is_empty() {
        listed.push(SOMEBODY.to_owned());
    }
    // A name can contain a comma, before its date.
    listed.join(" and ")
}
