//! The objects of a plan and their names.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{BackendPort, Plan, Route};
use crate::dialect::controller::Controller;
use crate::intents::{Intent, IntentValue};
use crate::validation::{PathType, www};
use crate::values::{Target, Termination, set};

/// Hosts that have the same paths, and these paths.
pub(crate) type Group<'p> = (Vec<&'p str>, Vec<&'p Route>);

/// The maximum number of hosts of an HTTPRoute.
const MAX_HOSTNAMES: usize = 16;

impl Plan {
    /// The names of the objects of a target, in the order in which they are emitted.
    pub(crate) fn names(&self, target: Target) -> Vec<Cow<'_, str>> {
        if !self.has_object(target) {
            return Vec::new();
        }
        let count = match target {
            Target::Ingress => 1,
            Target::HttpRoute => self.groups().len(),
            Target::Route => self.rules.len(),
        };
        let mut names: Vec<_> = (0..count).map(|index| numbered(self.name(), index)).collect();
        if target == Target::HttpRoute {
            if self.redirects(target) {
                let count = self.redirect_groups().len();
                names.extend((0..count).map(|index| Cow::Owned(redirect_to_https_name(self.name(), index))));
            }
            let from = self.redirected_groups().len();
            names.extend((0..from).map(|index| Cow::Owned(redirect_route_name(self.name(), index))));
        }
        names
    }

    /// Whether this target has an object of its own. Otherwise the canary is a weight in the HTTPRoute, or a backend in the Route,
    /// of the stable Service.
    pub(crate) fn has_object(&self, target: Target) -> bool {
        match target {
            Target::Ingress => true,
            Target::HttpRoute => self.canary.as_ref().is_none_or(|canary| {
                // Only Envoy Gateway can match a cookie; an HTTPRoute of other implementations can match a header.
                canary.header.is_some()
                    || (canary.cookie.is_some() && self.controller(target) == Controller::EnvoyGateway)
            }),
            Target::Route => self.canary.is_none(),
        }
    }

    /// Whether the target redirects requests without TLS to https, or does not answer them. For ingress-nginx, the plan does not
    /// decide this: its annotations do, and `check` reads them. So this is always true for it.
    pub(crate) fn redirects(&self, target: Target) -> bool {
        let is_wanted = self.https_redirect() != Some(false);
        match target {
            Target::Ingress if self.controller(target).is_nginx() => true,
            Target::Ingress => {
                self.https_redirect().unwrap_or_else(|| self.tls().has_secret()) && self.canary.is_none()
            }
            // An additional HTTPRoute does it.
            Target::HttpRoute => {
                self.tls().is_on() && is_wanted && !self.http_parents().is_empty() && self.canary.is_none()
            }
            Target::Route => {
                self.tls().has_secret() && (is_wanted || self.termination() == Termination::Passthrough)
            }
        }
    }

    /// Whether the Service asks for TLS passthrough, so that TLS ends at the Service.
    pub(crate) fn passes_tls(&self) -> bool {
        self.intent_value(Intent::TlsPassthrough) == Some(&IntentValue::Switch(true))
    }

    /// The place where TLS ends on a Route.
    pub(crate) fn termination(&self) -> Termination {
        if self.passes_tls() { Termination::Passthrough } else { self.termination }
    }

    /// The hosts that are redirected, each list after the host of the plan that it is redirected to. `www` stands for each host of
    /// the plan with or without `www.`, whichever the plan does not have; any other name is redirected to the first host.
    pub(crate) fn redirected_hosts(&self) -> Vec<(&str, Vec<String>)> {
        let Some(IntentValue::Hosts(wanted)) =
            self.intent_value(Intent::RedirectFrom).filter(|_| self.canary.is_none())
        else {
            return Vec::new();
        };
        let own = grouped(self.rules.iter().map(|route| (route.host.as_str(), ())))
            .into_iter()
            .map(|(host, _)| host);
        let names: Vec<&str> = own.clone().filter(|host| !host.starts_with("*.")).collect();
        let mut pairs = Vec::new();
        for host in wanted {
            if host == "www" {
                pairs.extend(names.iter().filter_map(|to| Some((*to, www(to)?))));
            } else {
                pairs.extend(names.first().map(|to| (*to, host.clone())));
            }
        }
        let mut taken = set(own.map(str::to_owned));
        pairs.retain(|(_, from)| taken.insert(from.clone()));
        grouped(pairs)
    }

    /// The redirected hosts in groups that are small enough for an HTTPRoute.
    pub(crate) fn redirected_groups(&self) -> Vec<(&str, Vec<String>)> {
        let all = self.redirected_hosts().into_iter();
        all.flat_map(|(to, from)| from.chunks(MAX_HOSTNAMES).map(|it| (to, it.to_vec())).collect::<Vec<_>>())
            .collect()
    }

    /// The hosts grouped by their paths: one group for each HTTPRoute.
    pub(crate) fn groups(&self) -> Vec<Group<'_>> {
        let number = |route| self.backend_port(route).map(BackendPort::number);
        grouped_by(self.routes_by_host(), |route| (route.path.as_str(), route.path_type, number(route)))
    }

    /// The hosts grouped by the paths at which requests without TLS are redirected to https: one group for each HTTPRoute. Other
    /// Services may have other paths of the same hosts, and one without TLS answers there.
    pub(crate) fn redirect_groups(&self) -> Vec<Group<'_>> {
        let mut hosts = self.routes_by_host();
        for (_, routes) in &mut hosts {
            let covers_all = |route: &&Route| route.path == "/" && route.path_type != PathType::Exact;
            if let Some(all) = routes.iter().copied().find(covers_all) {
                *routes = vec![all];
            }
        }
        grouped_by(hosts, |route| (route.path.as_str(), route.path_type))
    }

    /// The hosts with their routes.
    fn routes_by_host(&self) -> Vec<(&str, Vec<&Route>)> {
        grouped(self.rules.iter().map(|route| (route.host.as_str(), route)))
    }
}

/// Groups hosts whose routes have the same keys.
fn grouped_by<'p, K: Ord + Clone>(
    hosts: Vec<(&'p str, Vec<&'p Route>)>,
    key: impl Fn(&'p Route) -> K,
) -> Vec<Group<'p>> {
    let by_keys = hosts.into_iter().map(|(host, routes)| {
        let keys: Vec<K> = routes.iter().copied().map(&key).collect();
        (keys, (host, routes))
    });
    let groups = grouped(by_keys).into_iter().filter_map(|(_, alike)| {
        let (hosts, routes): (Vec<_>, Vec<_>) = alike.into_iter().unzip();
        Some((hosts, routes.into_iter().next()?))
    });
    groups.collect()
}

/// The name of the object at this index: `web`, `web-2`, `web-3` ...
pub(crate) fn numbered(name: &str, index: usize) -> Cow<'_, str> {
    if index == 0 { Cow::Borrowed(name) } else { Cow::Owned(format!("{name}-{}", index + 1)) }
}

/// The name of the object that redirects requests without TLS to https.
pub(crate) fn redirect_name(name: &str) -> String {
    format!("{name}-redirect")
}

/// The name of the HTTPRoute at this index that redirects requests without TLS to https.
pub(crate) fn redirect_to_https_name(name: &str, index: usize) -> String {
    numbered(&redirect_name(name), index).into_owned()
}

/// The name of an HTTPRoute that redirects other hosts to a host of the plan.
pub(crate) fn redirect_route_name(name: &str, index: usize) -> String {
    numbered(&format!("{name}-from"), index).into_owned()
}

/// Groups items by their keys. The groups are in the order of their first items, and the items keep their order.
pub(crate) fn grouped<K: Ord + Clone, T>(items: impl IntoIterator<Item = (K, T)>) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    let mut places = BTreeMap::new();
    for (key, item) in items {
        let place = *places.entry(key.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, group)) => group.push(item),
            None => groups.push((key, vec![item])),
        }
    }
    groups
}
