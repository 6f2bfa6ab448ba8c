//! The annotations of what is emitted: the forwarded block, old keys translated, the defaults of the administrator, and
//! what other annotations ask for.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use super::monitor::Wanted;
use super::{Annotation, DNS_CONTROLLER, PUBLISH_KEY, Plan, Resolver, Scope, Source};
use crate::diagnostics::{Code, Problem, shown};
use crate::dialect::legacy::{self, Fate};
use crate::dialect::nginx::paths::{Nginx, USE_REGEX, asked_path};
use crate::options::annotations::annotation;
use crate::options::block::Line;
use crate::options::{Layer, Legacy, Slot};
use crate::service::{CONFIG_PREFIX, FORWARD_ANNOTATION};
use crate::validation::{CLUSTER_ISSUER_KEY, ISSUER_KEY, Issuer, Origin, Sourced, Target, Tls, parse_bool};

/// The class whose controller makes load balancers of AWS.
const ALB_CLASS: &str = "alb";
/// The keys of ingress-nginx that have two names: that of today and the old one, which still counts.
pub(crate) const ALIASES: [[&str; 2]; 2] = [
    [
        "nginx.ingress.kubernetes.io/allowlist-source-range",
        "nginx.ingress.kubernetes.io/whitelist-source-range",
    ],
    ["nginx.ingress.kubernetes.io/limit-allowlist", "nginx.ingress.kubernetes.io/limit-whitelist"],
];
/// What says that the issuer is of another kind.
pub(crate) const FOREIGN_ISSUER: [&str; 2] = ["cert-manager.io/issuer-kind", "cert-manager.io/issuer-group"];
/// The prefix of Forecastle's annotations.
const FORECASTLE: &str = "forecastle.stakater.com/";

impl Resolver<'_, '_> {
    pub(super) fn forward(&mut self, plan: &mut Plan) -> Option<(Scope, Range<usize>)> {
        let mut publish = None;
        // What the block means in our words. Old keys of monitors are not in it: each layer of settings can have them
        // among its annotations, too, so they are merged below.
        let mut meant = Layer::default();
        let translate = self.settings.legacy == Legacy::Translate;
        let mut old = Old::new(&plan.targets);
        plan.annotations.reserve(self.forwarded.block.lines().len());
        for line in self.forwarded.block.lines() {
            let at = line.key_range.clone();
            let row = legacy::find(line.key);
            // The rule `folded-block` refuses the line.
            if is_read_here(line.key, row, self.settings.legacy) && !line.swallowed().is_empty() {
                continue;
            }
            if line.key == PUBLISH_KEY {
                let place = line.key_range.start..line.value_range.end;
                publish = self.scope(line.value, line.value_range.clone()).map(|scope| (scope, place));
                if translate {
                    continue;
                }
            }
            if line.key.starts_with(CONFIG_PREFIX) || line.key == FORWARD_ANNOTATION {
                let said = format!("{} has no effect inside the forwarded block", shown(line.key));
                let problem = Problem::new(Code::ForwardOwnKey, said);
                self.block(problem.help("move the line to the annotations of the Service").at(at.clone()));
            }
            if matches!(row, Some(row) if row.fate == Fate::Class) {
                if meant.class.is_unset() {
                    // Nothing of the settings takes the place of a class that is empty, or that stays an annotation.
                    meant.class = Slot::Broken;
                }
                if line.value.is_empty() {
                    let said = "the ingress class is empty and counts as not set";
                    let problem =
                        Problem::new(Code::AnnotationEmpty, said).help("name a class or remove the line");
                    self.block(problem.at(at));
                    continue;
                }
                let own = self.layers.service.and_then(|own| own.class.set());
                match own.or(meant.class.set()) {
                    Some(own) if own.value != line.value => {
                        self.class_conflict(&own.value, line.value, line.value_range.clone());
                    }
                    _ if translate => self.translated(&given(line), "spec.ingressClassName"),
                    _ => {}
                }
                if translate {
                    if !meant.class.is_set() {
                        let origin = Origin::Annotation(FORWARD_ANNOTATION.into());
                        meant.class = Slot::Set(Sourced::new(line.value.to_owned(), origin));
                    }
                    continue;
                }
            }
            let forwarded = self.forwarded;
            if let Some(given) = self.of_today(given(line), &|key| forwarded.block.contains(key), &mut old) {
                plan.annotations.push(given);
            }
        }
        let Old { mut monitor, switches, .. } = old;
        self.switched(plan, switches);
        self.silence(plan);
        self.mirror(plan);
        plan.class = self.layers.with_block(&meant).first(|it| &it.class).cloned();
        self.defaults(plan, &mut monitor);
        self.asked_for(plan);
        plan.monitor = self.monitor(plan, monitor);
        plan.annotations.sort_by(|left, right| left.key.cmp(&right.key));
        publish
    }

    /// An annotation in the words of today, whoever wrote it. What is no annotation today, or is one together with others, goes
    /// to `old`. `is_given` says whether the same source gives a key.
    fn of_today(
        &mut self,
        given: Annotation,
        is_given: &dyn Fn(&str) -> bool,
        old: &mut Old,
    ) -> Option<Annotation> {
        let Some(row) = legacy::find(&given.key) else { return Some(given) };
        if self.settings.legacy == Legacy::Forward {
            // It is passed on to an Ingress alone, and what is not passed on is told.
            if old.leaves_ingress && matches!(row.fate, Fate::Removed { .. }) {
                self.told(&given, row.fate);
            }
            return Some(given);
        }
        match row.fate {
            Fate::Monitor(field) => {
                self.monitored(&mut old.monitor, field, &given);
                return None;
            }
            Fate::MonitorOption(_) if self.option(&mut old.monitor, &given) => return None,
            Fate::Switch { key, value } => {
                old.switches.push(Switch { given, key, value });
                return None;
            }
            fate if !self.told(&given, fate) => return None,
            _ => {}
        }
        let Some(key) = successor(&given.key, row.fate) else { return Some(given) };
        if is_given(&key) {
            self.shadowed(&given, &key);
            return None;
        }
        self.translated(&given, &key);
        Some(Annotation { key: key.into_owned(), ..given })
    }

    /// What the switches that are on ask for in the words of today. A Service of TLS and gRPC had one switch for each.
    fn switched(&mut self, plan: &mut Plan, switches: Vec<Switch>) {
        let mut on: Vec<Switch> = Vec::new();
        for switch in switches {
            let Annotation { key, value, .. } = &switch.given;
            match parse_bool(value) {
                Some(true) => on.push(switch),
                Some(false) => {
                    let said = format!("{} asks for nothing, and was left out", shown(&pair(key, value)));
                    switch.given.file_key(self.report, Problem::new(Code::LegacyTranslated, said));
                }
                None => {
                    let said = format!("{} is {}, expected true or false", shown(key), shown(value));
                    let help = format!(
                        "write {} if that is meant, or remove the line",
                        pair(switch.key, switch.value)
                    );
                    let problem = Problem::new(Code::BooleanInvalid, said).help(help);
                    switch.given.file_value(self.report, problem);
                }
            }
        }
        let Some(first) = on.first() else { return };
        let is_given = plan.annotations.iter().any(|known| known.key == first.key);
        let asks_for = |wanted: &str| on.iter().any(|switch| switch.value == wanted);
        let value = if asks_for("GRPC") && asks_for("HTTPS") { "GRPCS" } else { first.value };
        for Switch { given, key, .. } in &on {
            if is_given {
                self.shadowed(given, key);
            } else {
                let old = pair(&given.key, &given.value);
                let said = ["`", &old, "` was translated to `", &pair(key, value), "`"].concat();
                given.file_key(self.report, Problem::new(Code::LegacyTranslated, said));
            }
        }
        if let Some(first) = on.into_iter().next().filter(|_| !is_given) {
            let (key, value) = (first.key.to_owned(), value.to_owned());
            plan.annotations.push(Annotation { key, value, ..first.given });
        }
    }

    fn shadowed(&mut self, old: &Annotation, new: &str) {
        let said = format!("{} is given, too, and counts", shown(new));
        let problem = Problem::new(Code::LegacyShadowed, said).help(format!("remove {}", old.key));
        old.file_key(self.report, problem);
    }

    /// Whether a key speaks for the host: ExternalDNS would publish it, Forecastle would list it.
    fn speaks_for_host(&self, key: &str) -> bool {
        key.starts_with(FORECASTLE) || self.settings.is_dns_key(key)
    }

    /// Takes away what a canary forwards to publish or list its host, which is that of the stable Service.
    fn silence(&mut self, plan: &mut Plan) {
        let Some(canary) = &plan.canary else { return };
        let (silent, kept) = std::mem::take(&mut plan.annotations)
            .into_iter()
            .partition(|it: &Annotation| self.speaks_for_host(&it.key));
        plan.annotations = kept;
        for given in silent {
            let is_opt_out = matches!(legacy::dns_key(&given.key), Some((_, "controller")))
                && given.value != "dns-controller";
            // That is what a canary says anyway.
            if is_opt_out {
                continue;
            }
            let does = if given.key.starts_with(FORECASTLE) {
                "is the one that is listed"
            } else {
                "publishes the host"
            };
            let said = format!(
                "{} has no effect on a canary: the Service {} {does}",
                shown(&given.key),
                shown(&canary.of)
            );
            let help = format!("forward it from the Service {}, or remove the line", canary.of);
            given.file_key(self.report, Problem::new(Code::CanaryAnnotation, said).help(help));
        }
    }

    /// The annotations that the layers of settings give, where neither the block nor a layer above does.
    fn defaults(&mut self, plan: &mut Plan, monitor: &mut Wanted) {
        let layers = self.layers;
        let tls = plan.tls();
        let mut replaces_issuer = false;
        for (index, layer) in layers.iter().enumerate() {
            let defaults = layer.annotations();
            if defaults.is_empty() {
                continue;
            }
            // An issuer that is named above takes the place of the one that is named here, whoever names it in whatever words.
            let is_issued_above = layers.iter().take(index).any(|above| !above.issuer().is_unset())
                || plan.annotations.iter().any(|it| is_issuer(&it.key));
            let names_issuer = || defaults.iter().any(|it| is_issuer(&self.key_of_today(&it.key)));
            let is_issued_twice = is_issued_above && names_issuer();
            // So does what is said above about requests without TLS.
            let redirect = self.redirect_above(plan, index);
            let (mut old, mut added) = (Old::new(&plan.targets), Vec::new());
            let known = Keys::of(plan);
            let own = Keys::new(defaults.iter().map(|default| default.key.as_str()));
            for default in defaults {
                if plan.canary.is_some() && self.speaks_for_host(&default.key) {
                    continue;
                }
                let today = self.key_of_today(&default.key);
                let alias = || ALIASES.iter().find(|names| names.contains(&today.as_ref()));
                if known.contain(&today)
                    || alias().is_some_and(|names| names.iter().any(|it| known.contain(it)))
                {
                    continue;
                }
                if is_issued_twice && (is_issuer(&today) || FOREIGN_ISSUER.contains(&today.as_ref())) {
                    replaces_issuer |= is_issuer(&today);
                    continue;
                }
                if let Some(redirect) = &redirect
                    && contradicts(&today, &default.value, redirect.value, tls)
                {
                    if redirect.value && tls.has_secret() {
                        let source = Source::Option(redirect.origin.clone());
                        added.push(Annotation { key: today.into_owned(), value: "true".to_owned(), source });
                    }
                    continue;
                }
                let given = Annotation {
                    key: default.key.clone(),
                    value: default.value.clone(),
                    source: Source::Setting(default.origin.path()),
                };
                added.extend(self.of_today(given, &|key| own.contain(key), &mut old));
            }
            plan.annotations.append(&mut added);
            self.switched(plan, old.switches);
            monitor.add_default(old.monitor, layers, index);
            self.mirror(plan);
        }
        plan.replaces_issuer = replaces_issuer;
    }

    /// What is said about requests without TLS above the annotations of this layer, where an Ingress is to do it.
    fn redirect_above(&self, plan: &Plan, index: usize) -> Option<Sourced<bool>> {
        let is_read = plan.canary.is_none() && plan.targets.contains(&Target::Ingress);
        let redirect = plan.https_redirect.as_ref().filter(|_| is_read)?;
        let is_above = self.layers.iter().take(index).any(|above| above.https_redirect.is_set());
        is_above.then(|| redirect.clone())
    }

    /// The key by which a program of today reads what this one says.
    fn key_of_today<'k>(&self, key: &'k str) -> Cow<'k, str> {
        let row = legacy::find(key).filter(|_| self.settings.legacy == Legacy::Translate);
        match row.map(|row| row.fate) {
            Some(Fate::Switch { key, .. }) => Cow::Borrowed(key),
            Some(fate) => successor(key, fate).unwrap_or(Cow::Borrowed(key)),
            None => Cow::Borrowed(key),
        }
    }

    /// The annotations of ExternalDNS under all prefixes that it may look for.
    fn mirror(&mut self, plan: &mut Plan) {
        if self.settings.legacy != Legacy::Translate {
            return;
        }
        let prefixes = &self.settings.dns_prefixes;
        let is_of_dns = |known: &Annotation| legacy::dns_key(&known.key).is_some();
        if !plan.annotations.iter().any(is_of_dns) {
            return;
        }
        let mut more = Vec::new();
        let (known, mut added) = (Keys::of(plan), BTreeSet::new());
        for given in &plan.annotations {
            let Some((own, name)) = legacy::dns_key(&given.key) else { continue };
            for prefix in prefixes.iter().filter(|prefix| *prefix != own) {
                let key = [prefix, name].concat();
                if !known.contain(&key) && added.insert(key.clone()) {
                    more.push(Annotation { key, ..given.clone() });
                }
            }
        }
        for added in &more {
            let said =
                format!("{} is given, too, for the versions of ExternalDNS that read it", shown(&added.key));
            added.file_key(self.report, Problem::new(Code::DnsMirrored, said));
        }
        plan.annotations.append(&mut more);
    }

    /// What other annotations and settings ask for in the words of the programs that read it.
    fn asked_for(&mut self, plan: &mut Plan) {
        if let Some(canary) = plan.canary.clone() {
            let of = |key: &'static str| Origin::Annotation(key.into());
            let keys = [
                ("nginx.ingress.kubernetes.io/canary", Some("true".to_owned()), annotation::CANARY_OF),
                (
                    "nginx.ingress.kubernetes.io/canary-weight",
                    canary.weight.map(|weight| weight.to_string()),
                    annotation::CANARY_WEIGHT,
                ),
                ("nginx.ingress.kubernetes.io/canary-by-header", canary.header, annotation::CANARY_HEADER),
                (
                    "nginx.ingress.kubernetes.io/canary-by-header-value",
                    canary.header_value,
                    annotation::CANARY_HEADER_VALUE,
                ),
                ("nginx.ingress.kubernetes.io/canary-by-cookie", canary.cookie, annotation::CANARY_COOKIE),
            ];
            for (key, value, asked) in keys {
                if let Some(value) = value {
                    add(plan, key, value, &of(asked));
                }
            }
            for key in self.settings.dns_controller_keys() {
                add(plan, key, DNS_CONTROLLER.to_owned(), &of(annotation::CANARY_OF));
            }
            set_url_path(plan);
            return;
        }
        let own_issuer =
            matches!(&plan.issuer, Some(issuer) if matches!(issuer.origin, Origin::Annotation(_)));
        // A setting's issuer is for those who ask cert-manager; one that the Service names is for the Service.
        if let Some(issuer) = plan.issuer.clone()
            && (plan.tls() == Tls::CertManager
                || ((own_issuer || plan.replaces_issuer) && plan.tls().has_secret()))
        {
            self.issued(plan, &issuer.value, &issuer.origin);
        }
        if let Some(redirect) = plan.https_redirect.clone() {
            let is_alb = plan.class.as_ref().is_some_and(|class| class.value == ALB_CLASS);
            match (plan.tls(), redirect.value) {
                (Tls::LoadBalancer, true) if is_alb => {
                    add(plan, "alb.ingress.kubernetes.io/ssl-redirect", "443".to_owned(), &redirect.origin);
                }
                (Tls::LoadBalancer, true) => {
                    let key = "nginx.ingress.kubernetes.io/force-ssl-redirect";
                    add(plan, key, "true".to_owned(), &redirect.origin);
                }
                (Tls::Secret | Tls::CertManager, false) => {
                    let key = "nginx.ingress.kubernetes.io/ssl-redirect";
                    add(plan, key, "false".to_owned(), &redirect.origin);
                }
                _ => {}
            }
        }
        regular_expressions(plan);
        set_url_path(plan);
        listed(plan);
    }

    /// The issuer, unless the block names the same one.
    fn issued(&mut self, plan: &mut Plan, issuer: &Issuer, origin: &Origin) {
        let other = plan.annotations.iter().find(|it| {
            matches!(it.key.as_str(), ISSUER_KEY | CLUSTER_ISSUER_KEY)
                && (it.key != issuer.key() || it.value != issuer.name.as_str())
        });
        match other {
            None => add(plan, issuer.key(), issuer.name.clone(), origin),
            // What the Service forwards counts more than a setting, and contradicts an annotation.
            Some(other) if matches!(origin, Origin::Annotation(_)) => {
                let said = format!("{} contradicts the issuer {}", shown(&other.value), shown(&issuer.name));
                let problem = Problem::new(Code::IssuerConflict, said).help("keep one of the two");
                other.file_value(self.report, problem);
            }
            Some(_) => {}
        }
    }

    fn scope(&mut self, value: &str, range: Range<usize>) -> Option<Scope> {
        match value {
            "locally" => Some(Scope::Locally),
            "globally" => Some(Scope::Globally),
            other => {
                let said =
                    format!("expected locally or globally, found {}; the URL is not published", shown(other));
                let help = match other.to_ascii_lowercase().as_str() {
                    word @ ("locally" | "globally") => {
                        format!("write it in lower case: {PUBLISH_KEY}: {word}")
                    }
                    _ => format!("write `{PUBLISH_KEY}: locally` or `{PUBLISH_KEY}: globally`"),
                };
                self.block(Problem::new(Code::ForwardScopeUnknown, said).help(help).at(range));
                None
            }
        }
    }

    fn class_conflict(&mut self, own: &str, block: &str, range: Range<usize>) {
        let said = format!("the class {} contradicts {} in {}", shown(block), shown(own), annotation::CLASS);
        self.block(Problem::new(Code::ClassConflict, said).help("keep one of the two").at(range));
    }

    pub(super) fn translated(&mut self, old: &Annotation, new: &str) {
        let said = ["`", &old.key, "` was translated to `", new, "`"].concat();
        old.file_key(self.report, Problem::new(Code::LegacyTranslated, said));
    }

    /// Tells what became of a key that has no successor; whether it is passed on.
    fn told(&mut self, given: &Annotation, fate: Fate) -> bool {
        let key = shown(&given.key);
        let problem = match fate {
            Fate::Dropped(why) => {
                let said = format!("{key} was dropped: {why}");
                Problem::new(Code::LegacyDropped, said).help("remove the line")
            }
            Fate::Dead(why) | Fate::MonitorOption(why) => {
                let said = format!("no current program reads {key}: {why}");
                Problem::new(Code::LegacyDead, said).help("remove the line, and use what is read today")
            }
            Fate::Removed { why, help } => {
                let said = format!("ingress-nginx no longer reads {key}: {why}");
                Problem::new(Code::LegacyDead, said).help(help)
            }
            _ => return true,
        };
        given.file_key(self.report, problem);
        !matches!(fate, Fate::Dropped(_))
    }
}

fn is_issuer(key: &str) -> bool {
    matches!(key, ISSUER_KEY | CLUSTER_ISSUER_KEY)
}

/// Whether an annotation makes ingress-nginx do the opposite with requests without TLS of what is wanted (ingress-nginx 1.15:
/// without a TLS section, only `force-ssl-redirect` counts; with one, it redirects unless `ssl-redirect` is false).
pub(crate) fn contradicts(key: &str, value: &str, wanted: bool, tls: Tls) -> bool {
    let decides = match key {
        "nginx.ingress.kubernetes.io/ssl-redirect" => tls.has_secret(),
        "nginx.ingress.kubernetes.io/force-ssl-redirect" => tls == Tls::LoadBalancer || !wanted,
        _ => false,
    };
    decides && parse_bool(value) == Some(!wanted)
}

/// What is given in old words and is no single annotation of today.
struct Old {
    monitor: Wanted,
    switches: Vec<Switch>,
    /// Whether another target than an Ingress is made.
    leaves_ingress: bool,
}

impl Old {
    fn new(targets: &[Target]) -> Self {
        let leaves_ingress = targets.iter().any(|target| *target != Target::Ingress);
        Self { monitor: Wanted::default(), switches: Vec::new(), leaves_ingress }
    }
}

/// The key that took the place of an old one.
fn successor(key: &str, fate: Fate) -> Option<Cow<'_, str>> {
    match fate {
        Fate::Renamed(new) => Some(Cow::Borrowed(new)),
        Fate::Moved(prefix) => {
            let name = key.split_once('/').map_or("", |(_, name)| name);
            Some(Cow::Owned([prefix, name].concat()))
        }
        _ => None,
    }
}

/// An annotation that switched on what has a key and a value today.
struct Switch {
    given: Annotation,
    key: &'static str,
    value: &'static str,
}

fn pair(key: &str, value: &str) -> String {
    format!("{key}: {value}")
}

/// Whether a line of the block with this key, which has this row in the table of old keys, says something to us rather than to
/// another program.
pub(crate) fn is_read_here(key: &str, row: Option<&legacy::Legacy>, mode: Legacy) -> bool {
    let is_ours =
        |row: &legacy::Legacy| matches!(row.fate, Fate::Class | Fate::Monitor(_) | Fate::MonitorOption(_));
    key == PUBLISH_KEY || (mode == Legacy::Translate && row.is_some_and(is_ours))
}

/// The keys of the annotations that are given already, sorted: there may be thousands.
struct Keys<'k>(Vec<&'k str>);

impl<'k> Keys<'k> {
    fn of(plan: &'k Plan) -> Self {
        Self::new(plan.annotations.iter().map(|known| known.key.as_str()))
    }

    fn new(keys: impl Iterator<Item = &'k str>) -> Self {
        let mut keys: Vec<&str> = keys.collect();
        keys.sort_unstable();
        Self(keys)
    }

    fn contain(&self, key: &str) -> bool {
        self.0.binary_search(&key).is_ok()
    }
}

fn given(line: &Line<'_>) -> Annotation {
    let source = Source::Block { key: line.key_range.clone(), value: line.value_range.clone() };
    Annotation { key: line.key.to_owned(), value: line.value.to_owned(), source }
}

/// Gives an annotation, unless the block or a setting does.
fn add(plan: &mut Plan, key: impl Into<String>, value: String, origin: &Origin) {
    let key = key.into();
    if plan.annotations.iter().all(|known| known.key != key) {
        let source = Source::Option(origin.clone());
        plan.annotations.push(Annotation { key, value, source });
    }
}

/// ingress-nginx reads a regular expression letter by letter unless it is told what it is. A rewrite tells it, too.
fn regular_expressions(plan: &mut Plan) {
    let Some(pattern) = plan.rules.iter().find(|rule| rule.path_type.is_pattern(&rule.path)) else { return };
    let is_told = |nginx: Nginx<'_>| nginx.rewrite.is_some() || nginx.use_regex.is_some();
    if plan.nginx().is_some_and(|nginx| !is_told(nginx)) {
        let origin = pattern.path_origin.clone();
        add(plan, USE_REGEX, "true".to_owned(), &origin);
    }
}

/// The path of the URL, once it is known what ingress-nginx makes of the paths.
fn set_url_path(plan: &mut Plan) {
    if let Some(rule) = plan.rules.first() {
        plan.url_path = asked_path(plan.nginx(), &rule.path, rule.path_type).into_owned();
    }
}

/// Of an Ingress without a TLS section, Forecastle makes an `http` URL; and it takes the first path as it is, also a regular
/// expression. There it is given the right URL. A link to a wildcard host leads nowhere, which `check` says.
fn listed(plan: &mut Plan) {
    let shows = |it: &Annotation| it.key == "forecastle.stakater.com/expose" && it.value == "true";
    let is_read = plan.targets.iter().any(|target| matches!(target, Target::Ingress | Target::HttpRoute));
    if !is_read || !plan.annotations.iter().any(shows) {
        return;
    }
    let Some(rule) = plan.rules.first().filter(|rule| !rule.host.starts_with("*.")) else { return };
    let origin = match &plan.tls {
        Some(tls) if tls.value == Tls::LoadBalancer => tls.origin.clone(),
        _ if plan.url_path != rule.path => rule.path_origin.clone(),
        _ => return,
    };
    let url = plan.url();
    add(plan, "forecastle.stakater.com/url", url, &origin);
}
