//! Look-ups in the cluster that a request needs before it can be answered: the holders of hosts and names.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::value::RawValue;
use xposer::conflicts::{ClaimText, Holders, ShardState};
use xposer::diagnostics::{FieldPath, Problem};
use xposer::guard::Guarded;
use xposer::internal::{lone_canary, set, shortened};
use xposer::options::{Claims, Mode};
use xposer::{Code, Diagnostic, Plan, Report, Service, Settings, expose};

use crate::object;
use crate::response::{Response, is_error};
use crate::shard::{self, ShardContent};
use crate::time::seconds;

/// The maximum number of ConfigMaps that are looked up for one request.
const MAX_LOOKUPS: usize = 64;
/// If the caller answered at least this many look-ups in time, the API server is not slow, and the object asks for too much.
/// Objects of a team need fewer look-ups.
const ENOUGH_LOOKUPS: usize = 8;

/// The result of a look-up.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The ConfigMap: the JSON of the API server, unchanged.
    Found(Vec<u8>),
    /// There is no such ConfigMap.
    NotFound,
    /// The look-up failed; the text tells why.
    Failed(String),
}

/// The answer to a request, or the look-ups that it needs first.
#[derive(Clone, Debug)]
pub enum Review<'a> {
    /// The answer.
    Answered(Response),
    /// The answer depends on objects in the cluster.
    Asks(Box<Question<'a>>),
}

/// A request that can be answered after some ConfigMaps were looked up.
///
/// The caller gets each ConfigMap of [`names`](Self::names) in [`namespace`](Self::namespace), and passes the replies to
/// [`answer`](Self::answer). A failed look-up is a reply, too.
///
/// ```
/// use serde_json::json;
/// use xposer::Settings;
/// use xposer_admission::{Reply, Request, Review, review};
///
/// let request = json!({
///     "operation": "CREATE", "kind": {"kind": "Service"}, "userInfo": {"username": "alice"},
///     "object": {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]},
///         "metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"}}}})
/// .to_string();
/// let request: Request = serde_json::from_str(&request)?;
/// let settings = json!({"ingressURLTemplate": "shop.example.com", "claims": {"namespace": "xposer-system", "mode": "deny"}});
/// let settings = Settings::from_value(&settings)?;
/// let Review::Asks(question) = review(&request, &settings) else { panic!("it is exposed") };
/// // One for the host, and one for the name.
/// assert_eq!((question.namespace(), question.names()), ("xposer-system", &["xposer-claims-2a".to_owned(), "xposer-claims-7d".to_owned()][..]));
/// let labels = json!({"app.kubernetes.io/managed-by": "xposer", "app.kubernetes.io/component": "claims"});
/// let found = |claims: &str| {
///     let data = json!({"state": r#"{"version":3,"written":"2026-11-29T07:00:00Z"}"#, "a": claims});
///     Reply::Found(json!({"metadata": {"labels": labels}, "data": data}).to_string().into_bytes())
/// };
/// let claims = "Ingress ops/old 2026-01-01T00:00:00Z prefix shop.example.com/";
/// let response = question.answer(&[found(claims), found(claims)], 1_795_935_600);
/// assert_eq!(response.code(), Some(422));
/// assert!(response.message().is_some_and(|message| message.contains("Ingress ops/old, created on 2026-01-01")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Question<'a> {
    names: Vec<String>,
    /// The claims to look up in each ConfigMap.
    wanted: Vec<Vec<ClaimText>>,
    /// The texts of the claims to look up. A key of a ConfigMap also has claims of other buckets.
    texts: BTreeSet<String>,
    /// Whether the request needs more look-ups than are allowed.
    is_cut: bool,
    claims: &'a Claims,
    asked: Subject<'a>,
    /// The creation time of the object, in the format of the API server.
    created: String,
    /// The findings so far.
    report: Report,
}

/// The object that asks for the claims.
#[derive(Clone, Debug)]
pub(crate) enum Subject<'a> {
    /// A Service that would be exposed.
    Service {
        plan: Box<Plan>,
        before: PreviousClaims<'a>,
        /// The Service under review, if the URL is to be written on it.
        stamped: Option<object::Service<'a>>,
    },
    /// An object that was written by hand.
    Guarded {
        object: Value,
        /// The object before the update.
        old: Option<Value>,
        /// The mode for the findings.
        mode: Mode,
        settings: &'a Settings,
    },
}

/// The claims of a Service before the update.
#[derive(Clone, Debug)]
pub(crate) enum PreviousClaims<'a> {
    Nothing,
    /// The same claims as after the update.
    Same,
    /// The claims of another version of the Service.
    Other {
        old: &'a RawValue,
        namespace: String,
        settings: &'a Settings,
    },
}

impl PreviousClaims<'_> {
    /// The texts of the claims.
    fn texts(&self, plan: &Plan) -> BTreeSet<String> {
        let keys = match self {
            PreviousClaims::Nothing => None,
            PreviousClaims::Same => Some(plan.keys_for_update(plan)),
            PreviousClaims::Other { old, namespace, settings } => {
                object::Service::read(old).ok().and_then(|old| {
                    let outcome =
                        expose(&Service::from_value(&old.tree).with_default_namespace(namespace), settings);
                    Some(outcome.plan()?.keys_for_update(plan))
                })
            }
        };
        keys.unwrap_or_default()
    }
}

/// Returns the conflicts of a Service. `had` computes the texts of the claims before the update. That costs as much as planning the
/// Service, so it is only called if another holder has a claim.
fn contested(
    plan: &Plan,
    created: &str,
    had: &dyn Fn() -> BTreeSet<String>,
    holders: &Holders,
    names_others: bool,
) -> Report {
    let found = plan.contested(created, &BTreeSet::new(), holders, names_others);
    if found.is_empty() { found } else { plan.contested(created, &had(), holders, names_others) }
}

/// What the replies say.
struct LookUps {
    holders: Holders,
    /// The ConfigMaps that cannot be used, each with the reason.
    unknown: Vec<String>,
    /// Whether some names were not looked up in time.
    is_late: bool,
}

impl<'a> Question<'a> {
    /// Creates the question about these claims, as far as the limit allows.
    pub(crate) fn new(
        asked_for: &[ClaimText],
        claims: &'a Claims,
        asked: Subject<'a>,
        created: String,
        report: Report,
    ) -> Self {
        let (mut names, mut wanted, mut is_cut) = (Vec::new(), Vec::<Vec<ClaimText>>::new(), false);
        for claim in asked_for {
            let name = claim.config_map();
            let place = match names.binary_search(&name) {
                Ok(known) => {
                    wanted.get_mut(known).into_iter().for_each(|all| all.push(claim.clone()));
                    continue;
                }
                Err(place) => place,
            };
            if names.len() >= MAX_LOOKUPS {
                is_cut = true;
                continue;
            }
            names.insert(place, name);
            wanted.insert(place, vec![claim.clone()]);
        }
        // A canary is also compared with the holders of its route.
        let texts =
            asked_for.iter().flat_map(|claim| [Some(claim.text.clone()), claim.in_other_namespaces()]);
        let texts = set(texts.flatten());
        Self { names, wanted, texts, is_cut, claims, asked, created, report }
    }

    /// The claims of the settings, unless their mode is off.
    pub(crate) fn claims(settings: &Settings) -> Option<&Claims> {
        settings.claims().filter(|claims| claims.mode() != Mode::Off)
    }

    /// The namespace of the ConfigMaps.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.claims.namespace()
    }

    /// The names of the ConfigMaps, sorted, each once; at most 64.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the answer, given a reply for each name, in the order of the names. `now` is the time in seconds since 1970. A
    /// missing reply counts as a failed look-up.
    #[must_use]
    pub fn answer(mut self, replies: &[Reply], now: i64) -> Response {
        let known = self.collect(replies, now);
        let (found, is_canary) = self.conflicts(&known.holders);
        let mut has_url = !found.has_errors();
        self.report.merge_claims(found);
        let is_complete = known.unknown.is_empty() && !self.is_cut && !known.is_late;
        let is_service = matches!(self.asked, Subject::Service { .. });
        if is_canary
            && has_url
            && is_complete
            && let Some((place, problem)) = lone_canary(&self.texts, &known.holders, is_service)
        {
            has_url = false;
            self.report.file(place, problem);
        }
        self.file_incomplete(&known);
        let response = Response::of(&self.report, &|finding| self.refuses(finding));
        if !response.is_allowed() {
            return response;
        }
        match self.asked {
            // A URL is not written on a Service that does not get the requests for it: if another Service has the route, or a
            // canary has no stable Service.
            Subject::Service { plan, stamped: Some(service), .. } => {
                response.with_change(service.stamped(Some(&*plan).filter(|_| has_url)))
            }
            Subject::Service { stamped: None, .. } | Subject::Guarded { .. } => response,
        }
    }

    /// Collects the holders from all replies, and the reasons why some of them are not known.
    fn collect(&self, replies: &[Reply], now: i64) -> LookUps {
        let (mut holders, mut unknown) = (Holders::new(), Vec::new());
        for (at, name) in self.names.iter().enumerate() {
            match self.read(at, replies.get(at), now) {
                Ok((claims, state)) => {
                    // A claim with a recorded holder is known even if its bucket is incomplete, so that the holder can always
                    // update its object, however many claims others have added.
                    let lacks =
                        |claim: &ClaimText| !claims.contains_key(&claim.text) && state.lacks(&claim.bucket);
                    if self.wanted.get(at).is_some_and(|all| all.iter().any(lacks)) {
                        unknown.push((
                            name,
                            format!("leaves out {} claims, because there are too many", state.dropped),
                        ));
                    }
                    holders.extend(claims);
                }
                Err(reason) => unknown.push((name, reason)),
            }
        }
        // The look-ups work, so the object asks for too much. The author of the object chooses its hosts, and so which of them are
        // never looked up.
        let late = self.names.get(replies.len()..).unwrap_or_default();
        let is_late = replies.len() >= ENOUGH_LOOKUPS && unknown.iter().any(|(name, _)| late.contains(*name));
        if is_late {
            unknown.retain(|(name, _)| !late.contains(*name));
        }
        let unknown = unknown.into_iter().map(|(name, reason)| self.config_map(name, &reason)).collect();
        LookUps { holders, unknown, is_late }
    }

    /// Returns the conflicts with the holders, and whether the object is a canary.
    fn conflicts(&self, holders: &Holders) -> (Report, bool) {
        let names_others = self.claims.names_others();
        match &self.asked {
            Subject::Service { plan, before, .. } => {
                let had = || before.texts(plan);
                (contested(plan, &self.created, &had, holders, names_others), plan.canary().is_some())
            }
            Subject::Guarded { object, old, settings, .. } => {
                let read = |object| Guarded::read_with(object, settings);
                let (old, guarded) = (old.as_ref().and_then(read), read(object));
                let found = guarded
                    .as_ref()
                    .map(|guarded| guarded.contested(old.as_ref(), &self.created, holders, names_others));
                (found.unwrap_or_default(), guarded.is_some_and(|guarded| guarded.is_canary()))
            }
        }
    }

    /// Reports hosts and names that were not looked up, and ConfigMaps that could not be used.
    fn file_incomplete(&mut self, known: &LookUps) {
        let place = || FieldPath::object(&["metadata", "name"]);
        // An object with more routes than are compared has a finding about that already.
        let is_reported = self.report.diagnostics().iter().any(|it| it.code == Code::ClaimsTooMany);
        if (self.is_cut || known.is_late) && !is_reported {
            let message = match known.is_late {
                true => "it has more hosts and names than could be looked up in time".to_owned(),
                false => {
                    format!("it has more hosts and names than can be compared in {MAX_LOOKUPS} look-ups")
                }
            };
            let problem = Problem::new(Code::ClaimsTooMany, message)
                .help("split it into several objects with fewer hosts");
            self.report.file(place(), problem);
        }
        if let Some(problem) = about_unknown(&known.unknown) {
            self.report.file(place(), problem);
        }
    }

    /// Whether the object is refused because of a finding, by the modes of `claims` and `guard`.
    fn refuses(&self, finding: &Diagnostic) -> bool {
        let guard = match &self.asked {
            Subject::Service { .. } => None,
            Subject::Guarded { mode, .. } => Some(*mode),
        };
        let is_refused = match (finding.code, guard) {
            (Code::ClaimsUnknown, _) => self.claims.on_failure() == Mode::Deny,
            (Code::RouteClaimed | Code::ClaimsTooMany, _) | (_, None) => {
                is_error(finding) && self.claims.mode() == Mode::Deny
            }
            (_, Some(_)) => is_error(finding),
        };
        is_refused && guard.is_none_or(|mode| mode == Mode::Deny)
    }

    /// Returns the wanted claims of one ConfigMap and its state, or the reason why the ConfigMap is not used.
    fn read(&self, at: usize, reply: Option<&Reply>, now: i64) -> Result<(Holders, ShardState), String> {
        let found = match reply {
            Some(Reply::Found(found)) => found,
            Some(Reply::NotFound) => return Err("does not exist".to_owned()),
            // Removes the account from the message, which is of no use to the owners of a Service. Both callers pass on the message
            // of the API server: `configmaps "x" is forbidden: User "system:serviceaccount:a:b" cannot get ..`.
            Some(Reply::Failed(error)) if error.contains("User \"") => {
                return Err("cannot be read: permission denied".to_owned());
            }
            Some(Reply::Failed(error)) => return Err(format!("cannot be read: {}", short(error))),
            None => return Err("was not looked up in time".to_owned()),
        };
        let keys: String = self.wanted.get(at).into_iter().flatten().map(ClaimText::key).collect();
        let ShardContent { state, holders } = shard::read(found, &keys, &self.texts)?;
        let age = seconds(&state.written).map(|written| now.saturating_sub(written).unsigned_abs());
        // A time in the future is also refused; otherwise the ConfigMap would never be too old.
        if age.is_none_or(|age| age > self.claims.max_age_seconds()) {
            return Err(format!(
                "was written at `{}`, which is more than {} s {}",
                short(&state.written),
                self.claims.max_age_seconds(),
                if seconds(&state.written).is_some_and(|written| written > now) { "from now" } else { "ago" }
            ));
        }
        Ok((holders, state))
    }

    fn config_map(&self, name: &str, reason: &str) -> String {
        format!("the ConfigMap {}/{name} {reason}", self.namespace())
    }
}

/// Shortens a text of the caller or of a ConfigMap for a message.
fn short(text: &str) -> String {
    shortened(text, None, 200)
}

/// The finding that some of the claims could not be looked up.
fn about_unknown(reasons: &[String]) -> Option<Problem> {
    let first = reasons.first()?;
    let why = match reasons.len() {
        1 => String::new(),
        all => format!(" for {all} reasons, such as"),
    };
    let message = format!("the owners of its hosts and names are not known{why}: {first}");
    Some(Problem::new(Code::ClaimsUnknown, message).help("tell your administrator"))
}

#[cfg(test)]
mod tests;
