//! The annotations of what is emitted: the forwarded block, old keys translated, the defaults of the administrator, and
//! what other annotations ask for.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use super::monitor::Wanted;
use super::{Annotation, DNS_CONTROLLER, Draft, PUBLISH_KEY, Resolver, Scope, Source};
use crate::diagnostics::{Code, Origin, Problem, Sourced, quoted};
use crate::dialect::legacy::{self, Fate};
use crate::dialect::nginx::paths::{Nginx, USE_REGEX, asked_path};
use crate::options::annotations::{Field, annotation};
use crate::options::block::Line;
use crate::options::{Issuer, Legacy, Target, Tls};
use crate::service::{CONFIG_PREFIX, FORWARD_ANNOTATION};
use crate::validation::{CLUSTER_ISSUER_KEY, ISSUER_KEY, parse_bool, url};

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

impl<'a> Resolver<'_, 'a> {
    pub(super) fn forward(&mut self, draft: &mut Draft<'a>) {
        let mut class = match self.request.class {
            Field::Set(name) => {
                Some(Sourced::new(Cow::Borrowed(name), Origin::Annotation(annotation::CLASS.into())))
            }
            Field::Unset | Field::Broken => None,
        };
        let translate = self.settings.legacy == Legacy::Translate;
        let mut block_class = false;
        let mut old = Old::new(&draft.targets);
        draft.annotations.reserve(self.request.block.lines().len());
        for line in self.request.block.lines() {
            let at = line.key_range.clone();
            let row = legacy::find(line.key);
            // The rule `folded-block` refuses the line.
            if is_read_here(line.key, row, self.settings.legacy) && !line.swallowed().is_empty() {
                continue;
            }
            if line.key == PUBLISH_KEY {
                let place = line.key_range.start..line.value_range.end;
                draft.publish = self.scope(line.value, line.value_range.clone()).map(|scope| (scope, place));
                if translate {
                    continue;
                }
            }
            if line.key.starts_with(CONFIG_PREFIX) || line.key == FORWARD_ANNOTATION {
                let said = format!("{} has no effect inside the forwarded block", quoted(line.key));
                let problem = Problem::new(Code::ForwardOwnKey, said);
                self.block(problem.help("move the line to the annotations of the Service").at(at.clone()));
            }
            if matches!(row, Some(row) if row.fate == Fate::Class) {
                block_class = true;
                if line.value.is_empty() {
                    let said = "the ingress class is empty and counts as not set";
                    let problem =
                        Problem::new(Code::AnnotationEmpty, said).help("name a class or remove the line");
                    self.block(problem.at(at));
                    continue;
                }
                match &class {
                    Some(own) if own.value != line.value => {
                        self.class_conflict(&own.value, line.value, line.value_range.clone());
                    }
                    _ if translate => self.translated(&forwarded(line), "spec.ingressClassName"),
                    _ => {}
                }
                if translate {
                    let origin = Origin::Annotation(FORWARD_ANNOTATION.into());
                    class = class.or_else(|| Some(Sourced::new(Cow::Borrowed(line.value), origin)));
                    continue;
                }
            }
            let request = self.request;
            let given = forwarded(line);
            if let Some(given) = self.of_today(given, &|key| request.block.contains(key), &mut old) {
                draft.annotations.push(given);
            }
        }
        let Old { mut monitor, switches, .. } = old;
        self.switched(draft, switches);
        self.silence(draft);
        self.mirror(draft);
        // In forward mode the block's class annotation stays, and a field beside it could contradict it.
        let layers = self.layers;
        draft.class = match layers.first(|it| it.class.as_ref()) {
            Some(name) if class.is_none() && !block_class && !matches!(self.request.class, Field::Broken) => {
                Some(Sourced::new(Cow::Owned(name.value.clone()), name.origin.clone()))
            }
            _ => class,
        };
        self.defaults(draft, &mut monitor);
        self.asked_for(draft);
        draft.monitor = self.monitor(draft, monitor);
        draft.annotations.sort_by(|left, right| left.key.cmp(&right.key));
    }

    /// An annotation in the words of today, whoever wrote it. What is no annotation today, or is one together with others, goes
    /// to `old`. `is_given` says whether the same source gives a key.
    fn of_today(
        &mut self,
        given: Annotation<'a>,
        is_given: &dyn Fn(&str) -> bool,
        old: &mut Old<'a>,
    ) -> Option<Annotation<'a>> {
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
        Some(Annotation { key: Cow::Owned(key.into_owned()), ..given })
    }

    /// What the switches that are on ask for in the words of today. A Service of TLS and gRPC had one switch for each.
    fn switched(&mut self, draft: &mut Draft<'a>, switches: Vec<Switch<'a>>) {
        let mut on: Vec<Switch<'a>> = Vec::new();
        for switch in switches {
            let Annotation { key, value, .. } = &switch.given;
            match parse_bool(value) {
                Some(true) => on.push(switch),
                Some(false) => {
                    let said = format!("{} asks for nothing, and was left out", quoted(&pair(key, value)));
                    switch.given.file_key(self.report, Problem::new(Code::LegacyTranslated, said));
                }
                None => {
                    let said = format!("{} is {}, expected true or false", quoted(key), quoted(value));
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
        let is_given = draft.annotations.iter().any(|known| known.key == first.key);
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
            let (key, value) = (Cow::Borrowed(first.key), Cow::Borrowed(value));
            draft.annotations.push(Annotation { key, value, ..first.given });
        }
    }

    fn shadowed(&mut self, old: &Annotation<'_>, new: &str) {
        let said = format!("{} is given, too, and counts", quoted(new));
        let problem = Problem::new(Code::LegacyShadowed, said).help(format!("remove {}", old.key));
        old.file_key(self.report, problem);
    }

    /// Whether a key speaks for the host: ExternalDNS would publish it, Forecastle would list it.
    fn speaks_for_host(&self, key: &str) -> bool {
        key.starts_with(FORECASTLE) || self.settings.is_dns_key(key)
    }

    /// Takes away what a canary forwards to publish or list its host, which is that of the stable Service.
    fn silence(&mut self, draft: &mut Draft<'a>) {
        let Some(canary) = &draft.canary else { return };
        let (silent, kept) = std::mem::take(&mut draft.annotations)
            .into_iter()
            .partition(|it: &Annotation<'_>| self.speaks_for_host(&it.key));
        draft.annotations = kept;
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
                quoted(&given.key),
                quoted(canary.of)
            );
            let help = format!("forward it from the Service {}, or remove the line", canary.of);
            given.file_key(self.report, Problem::new(Code::CanaryAnnotation, said).help(help));
        }
    }

    /// The annotations that the layers of settings give, where neither the block nor a layer above does.
    fn defaults(&mut self, draft: &mut Draft<'a>, monitor: &mut Wanted) {
        let layers = self.layers;
        let tls = draft.tls();
        let mut replaces_issuer = false;
        for (index, layer) in layers.iter().enumerate() {
            if layer.annotations.is_empty() {
                continue;
            }
            // An issuer that is named above takes the place of the one that is named here, whoever names it in whatever words.
            let is_issued_above =
                !matches!((&self.request.issuer, &self.request.cluster_issuer), (Field::Unset, Field::Unset))
                    || layers.iter().take(index).any(|above| above.issuer.is_some())
                    || draft.annotations.iter().any(|it| is_issuer(&it.key));
            let names_issuer = || layer.annotations.iter().any(|it| is_issuer(&self.key_of_today(&it.key)));
            let is_issued_twice = is_issued_above && names_issuer();
            // So does what is said above about requests without TLS.
            let redirect = self.redirect_above(draft, index);
            let (mut old, mut added) = (Old::new(&draft.targets), Vec::new());
            let known = Keys::of(draft);
            let own = Keys::new(layer.annotations.iter().map(|default| default.key.as_str()));
            for default in &layer.annotations {
                if draft.canary.is_some() && self.speaks_for_host(&default.key) {
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
                        let (key, value) = (Cow::Owned(today.into_owned()), Cow::Borrowed("true"));
                        added.push(Annotation {
                            key,
                            value,
                            source: Source::Origin(redirect.origin.clone()),
                        });
                    }
                    continue;
                }
                let given = Annotation {
                    key: Cow::Owned(default.key.clone()),
                    value: Cow::Owned(default.value.clone()),
                    source: Source::Origin(Origin::Setting(default.path.clone())),
                };
                added.extend(self.of_today(given, &|key| own.contain(key), &mut old));
            }
            draft.annotations.append(&mut added);
            self.switched(draft, old.switches);
            monitor.add_default(old.monitor, layers, index);
            self.mirror(draft);
        }
        draft.replaces_issuer = replaces_issuer;
    }

    /// What is said about requests without TLS above the annotations of this layer, where an Ingress is to do it.
    fn redirect_above(&self, draft: &Draft<'_>, index: usize) -> Option<Sourced<bool>> {
        let is_read = draft.canary.is_none() && draft.targets.contains(&Target::Ingress);
        let redirect = draft.https_redirect.as_ref().filter(|_| is_read)?;
        let layers = self.layers;
        let is_above = matches!(redirect.origin, Origin::Annotation(_))
            || layers.iter().take(index).any(|above| above.https_redirect.is_some());
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
    fn mirror(&mut self, draft: &mut Draft<'a>) {
        if self.settings.legacy != Legacy::Translate {
            return;
        }
        let prefixes = &self.settings.dns_prefixes;
        let is_of_dns = |known: &Annotation<'_>| legacy::dns_key(&known.key).is_some();
        if !draft.annotations.iter().any(is_of_dns) {
            return;
        }
        let mut more = Vec::new();
        let (known, mut added) = (Keys::of(draft), BTreeSet::new());
        for given in &draft.annotations {
            let Some((own, name)) = legacy::dns_key(&given.key) else { continue };
            for prefix in prefixes.iter().filter(|prefix| *prefix != own) {
                let key = [prefix, name].concat();
                if !known.contain(&key) && added.insert(key.clone()) {
                    more.push(Annotation { key: Cow::Owned(key), ..given.clone() });
                }
            }
        }
        for added in &more {
            let said =
                format!("{} is given, too, for the versions of ExternalDNS that read it", quoted(&added.key));
            added.file_key(self.report, Problem::new(Code::DnsMirrored, said));
        }
        draft.annotations.append(&mut more);
    }

    /// What other annotations and settings ask for in the words of the programs that read it.
    fn asked_for(&mut self, draft: &mut Draft<'a>) {
        if let Some(canary) = draft.canary.clone() {
            let of = |key: &'static str| Origin::Annotation(key.into());
            let keys = [
                ("nginx.ingress.kubernetes.io/canary", Some("true".to_owned()), annotation::CANARY_OF),
                (
                    "nginx.ingress.kubernetes.io/canary-weight",
                    canary.weight.map(|weight| weight.to_string()),
                    annotation::CANARY_WEIGHT,
                ),
                (
                    "nginx.ingress.kubernetes.io/canary-by-header",
                    canary.header.map(str::to_owned),
                    annotation::CANARY_HEADER,
                ),
                (
                    "nginx.ingress.kubernetes.io/canary-by-header-value",
                    canary.header_value.map(str::to_owned),
                    annotation::CANARY_HEADER_VALUE,
                ),
                (
                    "nginx.ingress.kubernetes.io/canary-by-cookie",
                    canary.cookie.map(str::to_owned),
                    annotation::CANARY_COOKIE,
                ),
            ];
            for (key, value, asked) in keys {
                if let Some(value) = value {
                    add(draft, key, value, &of(asked));
                }
            }
            for key in self.settings.dns_controller_keys() {
                add(draft, key, DNS_CONTROLLER.to_owned(), &of(annotation::CANARY_OF));
            }
            return;
        }
        let own_issuer =
            matches!(&draft.issuer, Some(issuer) if matches!(issuer.origin, Origin::Annotation(_)));
        // A setting's issuer is for those who ask cert-manager; one that the Service names is for the Service.
        if let Some(issuer) = draft.issuer.clone()
            && (draft.tls() == Tls::CertManager
                || ((own_issuer || draft.replaces_issuer) && draft.tls().has_secret()))
        {
            self.issued(draft, &issuer.value, &issuer.origin);
        }
        if let Some(redirect) = draft.https_redirect.clone() {
            let is_alb = draft.class.as_ref().is_some_and(|class| class.value == ALB_CLASS);
            match (draft.tls(), redirect.value) {
                (Tls::LoadBalancer, true) if is_alb => {
                    add(draft, "alb.ingress.kubernetes.io/ssl-redirect", "443".to_owned(), &redirect.origin);
                }
                (Tls::LoadBalancer, true) => {
                    let key = "nginx.ingress.kubernetes.io/force-ssl-redirect";
                    add(draft, key, "true".to_owned(), &redirect.origin);
                }
                (Tls::Secret | Tls::CertManager, false) => {
                    let key = "nginx.ingress.kubernetes.io/ssl-redirect";
                    add(draft, key, "false".to_owned(), &redirect.origin);
                }
                _ => {}
            }
        }
        regular_expressions(draft);
        listed(draft);
    }

    /// The issuer, unless the block names the same one.
    fn issued(&mut self, draft: &mut Draft<'a>, issuer: &Issuer, origin: &Origin) {
        let other = draft.annotations.iter().find(|it| {
            matches!(it.key.as_ref(), ISSUER_KEY | CLUSTER_ISSUER_KEY)
                && (it.key != issuer.key() || it.value != issuer.name.as_str())
        });
        match other {
            None => add(draft, issuer.key(), issuer.name.clone(), origin),
            // What the Service forwards counts more than a setting, and contradicts an annotation.
            Some(other) if matches!(origin, Origin::Annotation(_)) => {
                let said =
                    format!("{} contradicts the issuer {}", quoted(&other.value), quoted(&issuer.name));
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
                let said = format!(
                    "expected locally or globally, found {}; the URL is not published",
                    quoted(other)
                );
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
        let said =
            format!("the class {} contradicts {} in {}", quoted(block), quoted(own), annotation::CLASS);
        self.block(Problem::new(Code::ClassConflict, said).help("keep one of the two").at(range));
    }

    pub(super) fn translated(&mut self, old: &Annotation<'_>, new: &str) {
        let said = ["`", &old.key, "` was translated to `", new, "`"].concat();
        old.file_key(self.report, Problem::new(Code::LegacyTranslated, said));
    }

    /// Tells what became of a key that has no successor; whether it is passed on.
    fn told(&mut self, given: &Annotation<'_>, fate: Fate) -> bool {
        let key = quoted(&given.key);
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
struct Old<'a> {
    monitor: Wanted,
    switches: Vec<Switch<'a>>,
    /// Whether another target than an Ingress is made.
    leaves_ingress: bool,
}

impl Old<'_> {
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
struct Switch<'a> {
    given: Annotation<'a>,
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
    fn of(draft: &'k Draft<'_>) -> Self {
        Self::new(draft.annotations.iter().map(|known| known.key.as_ref()))
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

fn forwarded<'a>(line: &Line<'a>) -> Annotation<'a> {
    let source = Source::Block { key: line.key_range.clone(), value: line.value_range.clone() };
    Annotation { key: Cow::Borrowed(line.key), value: Cow::Borrowed(line.value), source }
}

/// Gives an annotation, unless the block or a setting does.
fn add(draft: &mut Draft<'_>, key: impl Into<Cow<'static, str>>, value: String, origin: &Origin) {
    let key = key.into();
    if draft.annotations.iter().all(|known| known.key != key) {
        let source = Source::Origin(origin.clone());
        draft.annotations.push(Annotation { key, value: Cow::Owned(value), source });
    }
}

/// ingress-nginx reads a regular expression letter by letter unless it is told what it is. A rewrite tells it, too.
fn regular_expressions(draft: &mut Draft<'_>) {
    let Some(pattern) = draft.rules.iter().find(|rule| rule.path_type.is_pattern(&rule.path)) else { return };
    let is_told = |nginx: Nginx<'_>| nginx.rewrite.is_some() || nginx.use_regex.is_some();
    if draft.nginx().is_some_and(|nginx| !is_told(nginx)) {
        let origin = pattern.path_origin.clone();
        add(draft, USE_REGEX, "true".to_owned(), &origin);
    }
}

/// Of an Ingress without a TLS section, Forecastle makes an `http` URL; and it takes the first path as it is, also a regular
/// expression. There it is given the right URL. A link to a wildcard host leads nowhere, which `check` says.
fn listed(draft: &mut Draft<'_>) {
    let shows = |it: &Annotation<'_>| it.key == "forecastle.stakater.com/expose" && it.value == "true";
    let is_read = draft.targets.iter().any(|target| matches!(target, Target::Ingress | Target::HttpRoute));
    if !is_read || !draft.annotations.iter().any(shows) {
        return;
    }
    let Some(rule) = draft.rules.first().filter(|rule| !rule.host.starts_with("*.")) else { return };
    let path = asked_path(draft.nginx(), &rule.path, rule.path_type);
    let origin = match &draft.tls {
        Some(tls) if tls.value == Tls::LoadBalancer => tls.origin.clone(),
        _ if path != rule.path => rule.path_origin.clone(),
        _ => return,
    };
    let url = url(draft.tls().is_on(), &rule.host, &path);
    add(draft, "forecastle.stakater.com/url", url, &origin);
}
