//! What keeps somebody out of a Service, or its connections safe, and what of it two plans do not share.

use std::net::IpAddr;

use super::loss::{is_done_as_given, is_passed, loss};
use crate::diagnostics::{FieldPath, Origin, quoted};
use crate::dialect::controller::Controller;
use crate::dialect::keeps::{Keeps, addresses, asks_certificate, is_one_enough, keeps};
use crate::dialect::nginx::read::https_redirect;
use crate::dialect::read::read;
use crate::dialect::says::{intent_of, says};
use crate::dialect::{Loss, Same, effect};
use crate::intents::{Given, Intent, Wish};
use crate::plan::{Annotation, Plan, Reason, Server};
use crate::values::{ParentRef, Target};

/// What protects a Service under one plan, and less or not at all under another one.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::opened, testing};
/// let of = |source: &str| testing::plan(&[("AllowedSources", source)], json!({}));
/// let (office, everybody) = (of("10.0.0.0/8")?, of("0.0.0.0/0")?);
/// assert!(opened(&everybody, &office).is_empty());
/// assert_eq!(opened(&office, &everybody)[0].what, "AllowedSources");
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The intent, or the key of an annotation.
    pub what: String,
    /// The target on which it is missing or weaker.
    pub target: Target,
    /// Who asked for it under the first plan.
    pub path: FieldPath,
    /// What is different, as a clause.
    pub message: String,
}

/// Something that decides who or what gets to a Service, and the targets on which it has an effect.
///
/// ```
/// use serde_json::json;
/// use xposer::internal::{Keeps, access};
/// use xposer::{Target, testing};
/// let plan = testing::plan(&[("AllowedSources", "10.0.0.0/8"), ("RateLimit", "10/s")], json!({}))?;
/// let access = access(&plan);
/// assert_eq!((access[0].what.as_str(), access[0].value.as_str()), ("AllowedSources", "10.0.0.0/8"));
/// assert_eq!((access[0].keeps, access[1].keeps), (Keeps::Out, Keeps::Nobody));
/// assert_eq!(access[0].targets, [Target::Ingress]);
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The name of the option, or the key of an annotation.
    pub what: String,
    /// The value, in one line.
    pub value: String,
    /// Who asks for it.
    pub path: FieldPath,
    /// The targets on which it has an effect.
    pub targets: Vec<Target>,
    /// Whether it keeps anybody out.
    pub keeps: Keeps,
}

/// Who may come in.
///
/// ```
/// use serde_json::json;
/// use xposer::internal::{Door, access, door};
/// use xposer::{Target, testing};
/// let of = |key, value| testing::plan(&[(key, value)], json!({})).map(|plan| door(&access(&plan), Target::Ingress));
/// assert_eq!((of("AllowedSources", "10.0.0.0/8")?, of("RateLimit", "10/s")?), (Door::Closed, Door::Open));
/// // All addresses are everybody.
/// assert_eq!(of("AllowedSources", "0.0.0.0/0")?, Door::Open);
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    /// Only those who are admitted.
    Closed,
    /// It is not known.
    NotKnown,
    /// Everybody.
    Open,
}

/// What decides who or what gets to a Service. The order is that of the options, and then that of the annotations.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::access, testing};
/// assert!(access(&testing::plan(&[], json!({}))?).is_empty());
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn access(plan: &Plan) -> Vec<Access> {
    let access = judged(plan).into_iter().map(|(it, keeps)| {
        let Protection { what, value, origin, targets, .. } = it;
        Access { what: what.to_owned(), value, path: origin.path(), targets, keeps }
    });
    access.collect()
}

/// Everything that protects a plan, and whether it keeps anybody out.
fn judged(plan: &Plan) -> Vec<(Protection<'_>, Keeps)> {
    let protections = protections(plan);
    let keeps: Vec<Keeps> =
        protections.iter().map(|it| it.keeps(plan, is_https(plan, &protections, it))).collect();
    // Where one of several is enough, and one lets everybody in, the others keep nobody out.
    let is_open = |(it, keeps): (&Protection<'_>, &Keeps)| {
        it.is_of(plan, Intent::AllowedSources) && *keeps != Keeps::Out
    };
    let is_let_in = is_one_enough(plan) && protections.iter().zip(&keeps).any(is_open);
    let judged = protections.into_iter().zip(keeps).map(|(it, keeps)| {
        let keeps = if is_let_in && it.is_alternative(plan) { Keeps::Nobody } else { keeps };
        (it, keeps)
    });
    judged.collect()
}

/// Whether no request without TLS gets in on any target of a protection: it is sent to https.
fn is_https(plan: &Plan, all: &[Protection<'_>], protection: &Protection<'_>) -> bool {
    let redirect = all.iter().find(|it| it.intent == Some(Intent::HttpsRedirect));
    let is_off = |it: &Annotation, target: Target| {
        let controller = plan.controller(target);
        let known = effect(&it.key).filter(|known| known.same == Same::Redirect);
        !controller.is_nginx()
            && controller.reads(&it.key)
            && known.is_some_and(|known| known.idle.is(&it.value))
    };
    plan.tls().has_secret()
        && redirect.is_some_and(|redirect| {
            let is_sent = |target: &Target| {
                redirect.targets.contains(target) && !plan.annotations.iter().any(|it| is_off(it, *target))
            };
            protection.targets.iter().all(is_sent)
        })
}

/// Who may come in by the object of a target. One thing that keeps somebody out closes the door.
///
/// ```
/// use serde_json::json;
/// use xposer::internal::{Door, access, door};
/// use xposer::{Target, testing};
/// let plan = testing::plan(&[], json!({}))?;
/// assert_eq!(door(&access(&plan), Target::Ingress), Door::Open);
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn door(access: &[Access], target: Target) -> Door {
    door_by(access.iter().filter(|it| it.targets.contains(&target)).map(|it| it.keeps))
}

/// Who may come in where these things are asked.
fn door_by(keeps: impl Iterator<Item = Keeps>) -> Door {
    match keeps.min() {
        Some(Keeps::Out) => Door::Closed,
        Some(Keeps::NotKnown) => Door::NotKnown,
        Some(Keeps::Nobody) | None => Door::Open,
    }
}

/// Something that protects, and the targets on which it has an effect.
struct Protection<'p> {
    what: &'p str,
    intent: Option<Intent>,
    wish: Option<Wish>,
    /// The value in one line.
    value: String,
    origin: Origin,
    targets: Vec<Target>,
}

/// What protects a Service under one plan, and less or not at all under another one.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::opened, testing};
/// let (secure, plain) = (testing::plan(&[("TLS", "true")], json!({}))?, testing::plan(&[], json!({}))?);
/// assert_eq!(opened(&secure, &plain)[0].message, "TLS would not be asked for any more");
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn opened(old: &Plan, new: &Plan) -> Vec<Opened> {
    let (before, after) = (judged(old), judged(new));
    let mut opened = Vec::new();
    for (protection, kept) in before.iter().filter(|(it, _)| !it.targets.is_empty()) {
        // Two annotations may be one intent: of a program, each of them counts, or the one that it reads.
        let same = after.iter().find(|(it, _)| it.what == protection.what);
        let same = same.or_else(|| after.iter().find(|(it, _)| it.is_same(protection)));
        // Where it had no effect before, nothing opens.
        let is_made = |target| old.targets.contains(&target) && old.has_object(target);
        let was_open = |target| is_made(target) && !protection.targets.contains(&target);
        for &target in new.targets.iter().filter(|it| new.has_object(**it) && !was_open(**it)) {
            let Protection { what, .. } = protection;
            let said = protection.said();
            let message = match same {
                Some((same, keeps)) if same.targets.contains(&target) => {
                    if is_weaker(protection, same) {
                        format!("{said} would be {}, which lets more in", quoted(&same.value))
                    } else if keeps > kept && new.canary.is_none() {
                        no_longer(&said, *keeps)
                    } else if let Some(list) = newly_exempt(old, new, protection) {
                        format!("{said} would not count for {}", quoted(list))
                    } else if protection.is_in_words() && is_guessed(old, new, target) {
                        format!("{said} would be said to {}", guess(new, target))
                    } else {
                        continue;
                    }
                }
                _ if protection.keeps_nobody_out() => continue,
                _ if protection.intent == Some(Intent::HttpsRedirect) => {
                    // That there is no TLS any more is said already.
                    if old.tls().is_on() && !new.tls().is_on() {
                        continue;
                    }
                    "requests without TLS would not be sent to https any more".to_owned()
                }
                None => format!("{said} would not be asked for any more"),
                Some(_) => {
                    let by = match new.controller(target) {
                        Controller::Gateway => String::new(),
                        controller => format!(" that {} serves", controller.row().name),
                    };
                    format!("{said} would have no effect on the {target}{by}")
                }
            };
            opened.push(Opened { what: (*what).to_owned(), target, path: protection.origin.path(), message });
        }
    }
    for &target in new.targets.iter().filter(|it| new.has_object(**it) && new.canary.is_none()) {
        opened.extend(one_is_enough((old, &before), (new, &after), target));
        opened.extend(opened_otherwise((old, &before), &after, target).filter(|_| {
            // One word about it is enough.
            !opened.iter().any(|it| it.target == target)
        }));
    }
    opened
}

/// A plan, and what protects it.
type Side<'s, 'p> = (&'p Plan, &'s [(Protection<'p>, Keeps)]);

/// What a protection comes to that keeps somebody out no longer, as a clause.
fn no_longer(said: &str, keeps: Keeps) -> String {
    match keeps {
        Keeps::NotKnown => format!("it would not be known whom {said} keeps out"),
        Keeps::Out | Keeps::Nobody => format!("{said} would keep nobody out any more"),
    }
}

/// One of several proofs is enough under the second plan, and under the first one all were needed, or there were fewer.
fn one_is_enough(old: Side<'_, '_>, new: Side<'_, '_>, target: Target) -> Option<Opened> {
    let (were, are) = (proofs(old, target), proofs(new, target));
    let (_, first) = were.first()?;
    let is_known = |(intent, _): &(Intent, _)| were.iter().any(|(known, _)| known == intent);
    if target != Target::Ingress
        || are.len() < 2
        || !is_one_enough(new.0)
        || (is_one_enough(old.0) && are.iter().all(is_known))
    {
        return None;
    }
    let names: Vec<&str> = are.iter().map(|(intent, _)| intent.as_str()).collect();
    let message = format!("one of {} would be enough", names.join(", "));
    Some(Opened { what: first.what.to_owned(), target, path: first.origin.path(), message })
}

/// The proofs of which one can be enough, and by which somebody is kept out of a target.
fn proofs<'s, 'p>((plan, all): Side<'s, 'p>, target: Target) -> Vec<(Intent, &'s Protection<'p>)> {
    let asked = ALTERNATIVES.into_iter().filter_map(|intent| {
        let is_it = |(it, keeps): &&(Protection<'_>, Keeps)| {
            *keeps == Keeps::Out && it.targets.contains(&target) && it.is_of(plan, intent)
        };
        Some((intent, &all.iter().find(is_it)?.0))
    });
    asked.collect()
}

/// A door that is more open for another reason than one of the protections says by itself.
fn opened_otherwise(old: Side<'_, '_>, after: &[(Protection<'_>, Keeps)], target: Target) -> Option<Opened> {
    let (plan, before) = old;
    // Of a target that is new, the door is as open as any that there was.
    let is_there = |it: &Protection<'_>| {
        it.targets.contains(&target) || !(plan.targets.contains(&target) && plan.has_object(target))
    };
    let was = before.iter().filter(|(it, _)| is_there(it) && !it.targets.is_empty());
    let is = after.iter().filter(|(it, _)| it.targets.contains(&target)).map(|(_, keeps)| *keeps);
    let (first, kept) = was.min_by_key(|(_, keeps)| *keeps)?;
    let keeps = match door_by(is) {
        Door::Closed => return None,
        Door::NotKnown => Keeps::NotKnown,
        Door::Open => Keeps::Nobody,
    };
    (keeps > *kept).then(|| Opened {
        what: first.what.to_owned(),
        target,
        path: first.origin.path(),
        message: no_longer(&first.said(), keeps),
    })
}

/// The addresses for which a limit does not count under a second plan, if it counted for some of them under the first one.
fn newly_exempt<'n>(old: &Plan, new: &'n Plan, limit: &Protection<'_>) -> Option<&'n str> {
    if limit.intent != Some(Intent::RateLimit) && !limit.what.contains("/limit-") {
        return None;
    }
    let are_exempt = |it: &&Annotation| {
        ["limit-allowlist", "limit-whitelist"].iter().any(|end| it.key.ends_with(end))
            && !it.value.trim().is_empty()
    };
    let networks = |it: &Annotation| -> Vec<String> {
        let full = |text: &str| match (text.contains('/'), text.contains(':')) {
            (true, _) => text.to_owned(),
            (false, false) => [text, "/32"].concat(),
            (false, true) => [text, "/128"].concat(),
        };
        it.value.split(',').map(|text| full(text.trim())).collect()
    };
    let known: Vec<String> = old.annotations.iter().filter(are_exempt).flat_map(networks).collect();
    let is_new = |it: &&Annotation| {
        networks(it).iter().any(|network| !known.iter().any(|outer| contains(outer, network)))
    };
    new.annotations.iter().filter(are_exempt).find(is_new).map(|it| it.value.as_str())
}

/// Whether it is known who serves a target under one plan, and a guess under another one: the words may be those of a program
/// that does not read them.
///
/// ```
/// use serde_json::json;
/// use xposer::{Target, internal::is_guessed, testing};
/// let plan = |class| testing::plan(&[("IngressClassName", class)], json!({}));
/// let (contour, unknown) = (plan("contour")?, plan("internal")?);
/// assert!(is_guessed(&contour, &unknown, Target::Ingress) && !is_guessed(&unknown, &contour, Target::Ingress));
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn is_guessed(old: &Plan, new: &Plan, target: Target) -> bool {
    // Whoever sets another default has said who serves all other classes. Of a Gateway, nothing is assumed.
    let is_guess =
        |server: &Server| server.reason == Reason::Default && server.controller == Controller::IngressNginx;
    let of = |plan: &'_ Plan| plan.servers.iter().find(|server| server.target == target).map(is_guess);
    of(old) == Some(false) && of(new) == Some(true) && old.controller(target) != new.controller(target)
}

/// Who is assumed to serve an Ingress, as a part of a sentence.
fn guess(plan: &Plan, target: Target) -> String {
    let class = plan
        .class_name()
        .map_or("Ingresses without a class".to_owned(), |class| format!("the class {}", quoted(class)));
    format!("{}, and no setting says that it serves {class}", plan.controller(target).row().name)
}

impl Protection<'_> {
    /// Whether both are one thing, in whichever words.
    fn is_same(&self, other: &Self) -> bool {
        match (self.intent, other.intent) {
            (Some(own), Some(other)) => own == other,
            _ => self.what == other.what,
        }
    }

    /// Its name and its value, as a part of a sentence.
    fn said(&self) -> String {
        if self.value.is_empty() {
            return self.what.to_owned();
        }
        format!("{} {}", self.what, quoted(&self.value))
    }

    /// Whether it is said in words of a program, and not in a field of the object.
    fn is_in_words(&self) -> bool {
        self.what != TLS
    }

    /// Whether anybody is kept out who is not admitted. `only_https` says that no request without TLS gets in.
    fn keeps(&self, plan: &Plan, only_https: bool) -> Keeps {
        if self.what.contains('/') {
            return keeps(plan, self.what, &self.value, only_https);
        }
        match (self.intent, &self.wish) {
            (Some(Intent::AllowedSources), Some(Wish::Sources(list))) => {
                addresses(list.iter().map(String::as_str))
            }
            (Some(Intent::ClientCertificate), Some(Wish::Certificate(wanted)))
                if !wanted.is_optional && asks_certificate(plan, only_https) =>
            {
                Keeps::Out
            }
            (Some(Intent::BasicAuth | Intent::ExternalAuth), _) => Keeps::Out,
            _ => Keeps::Nobody,
        }
    }

    /// Whether it is about this, in the words of whoever serves one of its targets or in none.
    fn is_of(&self, plan: &Plan, intent: Intent) -> bool {
        self.intent == Some(intent)
            || plan.targets.iter().any(|target| intent_of(plan, *target, self.what) == Some(intent))
    }

    /// Whether it is one of those of which one can be enough.
    fn is_alternative(&self, plan: &Plan) -> bool {
        ALTERNATIVES.into_iter().any(|intent| self.is_of(plan, intent))
    }

    /// Whether nobody is kept out by this value, so that nothing is open without it.
    fn keeps_nobody_out(&self) -> bool {
        self.intent.zip(self.wish.as_ref()).is_some_and(|(intent, wish)| intent.keeps_nobody_out(wish))
    }
}

/// The proofs of which one can be enough.
const ALTERNATIVES: [Intent; 3] = [Intent::AllowedSources, Intent::BasicAuth, Intent::ExternalAuth];

/// What the protection by TLS is called.
const TLS: &str = "TLS";

/// Everything that protects a plan.
fn protections(plan: &Plan) -> Vec<Protection<'_>> {
    let objects = || plan.targets.iter().copied().filter(|target| plan.has_object(*target));
    let mut all = Vec::new();
    let tls = plan.tls.as_ref().filter(|tls| tls.value.is_on());
    all.extend(tls.map(|tls| Protection {
        what: TLS,
        intent: None,
        wish: None,
        value: String::new(),
        origin: tls.origin.clone(),
        targets: objects().collect(),
    }));
    all.extend(redirect(plan, objects().collect()));
    // Where ingress-nginx alone reads the annotations, the plan does not say what they mean.
    let meant = read(plan);
    let known = plan.intents.iter().map(|it| (it.intent, &it.wish, &it.origin, &it.keys));
    let more = meant.iter().filter(|it| plan.wanted(it.intent).is_none());
    let mut keys = Vec::new();
    for (intent, wish, origin, own) in known.chain(more.map(|it| (it.intent, &it.wish, &it.origin, &it.keys)))
    {
        keys.extend(own);
        if intent.loss() != Loss::Protects || *wish == Wish::Switch(false) {
            continue;
        }
        let is_done = |target: &Target| {
            !own.is_empty() && own.iter().all(|key| is_done_as_given(plan, key, *target))
                || says(plan, *target, intent, Some(wish)).is_done()
        };
        all.push(Protection {
            what: intent.as_str(),
            intent: Some(intent),
            wish: Some(wish.clone()),
            value: wish.to_string().replace('\n', ", "),
            origin: origin.clone(),
            targets: objects().filter(is_done).collect(),
        });
    }
    // What redirects to https is looked at above.
    let others = plan.annotations.iter().filter(|it| !keys.contains(&&it.key) && !redirects(it));
    for annotation in others.filter(|it| effect(&it.key).is_some_and(|effect| effect.protects(&it.value))) {
        let intent = objects().find_map(|target| intent_of(plan, target, &annotation.key));
        all.push(Protection {
            what: &annotation.key,
            intent,
            wish: intent.and_then(|intent| intent.read(Given(&annotation.value)).ok()),
            value: annotation.value.clone(),
            origin: annotation.origin(),
            targets: objects().filter(|target| loss(plan, annotation, *target) == Loss::Nothing).collect(),
        });
    }
    all
}

/// Whether an annotation redirects to https, where somebody reads it.
fn redirects(annotation: &Annotation) -> bool {
    let known = effect(&annotation.key).filter(|effect| effect.same == Same::Redirect);
    known.is_some_and(|effect| effect.protects(&annotation.value))
}

/// The redirect to https: somebody asks for it, or it is done without a word, as ingress-nginx does it where it ends TLS.
fn redirect(plan: &Plan, objects: Vec<Target>) -> Option<Protection<'static>> {
    let asked = plan.https_redirect.clone().or_else(|| https_redirect(plan));
    if asked.as_ref().is_some_and(|asked| !asked.value) {
        return None;
    }
    let said = plan.annotations.iter().find(|it| redirects(it));
    let by_tls = plan.tls.as_ref().filter(|tls| tls.value.is_on() && plan.canary.is_none());
    let origin = asked
        .as_ref()
        .map(|asked| asked.origin.clone())
        .or_else(|| said.map(Annotation::origin))
        .or_else(|| by_tls.map(|tls| tls.origin.clone()))?;
    let is_done = |target: &Target| {
        said.is_some_and(|said| is_passed(plan, &said.key, *target))
            || match target {
                Target::Ingress if plan.controller(*target).is_nginx() => {
                    asked.is_some() || plan.tls().has_secret()
                }
                Target::Ingress => {
                    let says = says(plan, *target, Intent::HttpsRedirect, None);
                    plan.redirects(*target) && says.is_done()
                }
                // From a listener that is named, requests without TLS do not come.
                Target::HttpRoute => {
                    let is_named =
                        |parent: &ParentRef| parent.section_name.is_some() || parent.port.is_some();
                    plan.redirects(*target) || (asked.is_none() && plan.parents().iter().all(is_named))
                }
                Target::Route => plan.redirects(*target),
            }
    };
    Some(Protection {
        what: Intent::HttpsRedirect.as_str(),
        intent: Some(Intent::HttpsRedirect),
        wish: None,
        value: String::new(),
        origin,
        targets: objects.into_iter().filter(is_done).collect(),
    })
}

/// Whether the second of two protections of one kind lets more in.
fn is_weaker(old: &Protection<'_>, new: &Protection<'_>) -> bool {
    let inside = |all: &[String], of: &[String]| {
        all.iter().all(|network| of.iter().any(|outer| contains(outer, network)))
    };
    match (&old.wish, &new.wish) {
        (Some(Wish::Sources(old_list)), Some(Wish::Sources(new_list))) => match old.intent {
            Some(Intent::DeniedSources) => !inside(old_list, new_list),
            _ => !inside(new_list, old_list),
        },
        (Some(Wish::Size(old)), Some(Wish::Size(new))) => *old > 0 && (*new == 0 || new > old),
        (Some(Wish::Rate(old)), Some(Wish::Rate(new))) => {
            u64::from(new.requests) * u64::from(old.per) > u64::from(old.requests) * u64::from(new.per)
        }
        (Some(Wish::Cors(old)), Some(Wish::Cors(new))) => {
            let is_new =
                |origin: &String| !old.origins.contains(origin) && !old.origins.iter().any(|it| it == "*");
            new.origins.iter().any(is_new) || (new.credentials && !old.credentials)
        }
        (Some(Wish::Certificate(old)), Some(Wish::Certificate(new))) => new.is_optional && !old.is_optional,
        _ => false,
    }
}

/// Whether a network has all addresses of another one. Both are written as `address/bits`.
fn contains(outer: &str, inner: &str) -> bool {
    let read = |text: &str| {
        let (address, bits) = text.split_once('/')?;
        let number = match address.parse().ok()? {
            IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
            IpAddr::V6(address) => address.to_bits(),
        };
        Some((address.contains(':'), number, bits.parse::<u32>().ok()?))
    };
    let (Some((outer_is_v6, outer, bits)), Some((inner_is_v6, inner, inner_bits))) =
        (read(outer), read(inner))
    else {
        return false;
    };
    let differing = (outer ^ inner).checked_shr(128_u32.saturating_sub(bits)).unwrap_or_default();
    outer_is_v6 == inner_is_v6 && bits <= inner_bits && differing == 0
}

#[cfg(test)]
mod tests;
