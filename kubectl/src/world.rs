//! The Services of the cluster, and what the controller decides about them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kube::api::{Api, ApiResource};
use serde_json::Value;
use xposer::diagnostics::Root;
use xposer::service::EXPOSE_LABEL;
use xposer::{Code, Outcome, Precedence, Service, Settings, emit_all, expose_all};
use xposer_live::document::Document;
use xposer_live::keys::ServiceKey;
use xposer_live::servers::{ServerKind, Servers};
use xposer_live::service::{StoredService, service_resource};
use xposer_manifest::{Finding, Findings, SettingsFile};

use crate::args::{ClusterArgs, Selection};
use crate::connect::{Connection, Refusal};
use crate::controller::{self, Found, Missing};
use crate::failure::Failure;
use crate::resources;

/// A Service of the cluster.
pub(crate) struct Entry {
    pub(crate) key: Arc<ServiceKey>,
    pub(crate) stored: StoredService,
    /// What the core reads of it.
    document: Value,
    /// Whether the user has asked about it. The others count for conflicts.
    pub(crate) shown: bool,
}

/// Everything that decides how Services are exposed, and the decisions.
pub(crate) struct World {
    /// In the order of namespaces and names.
    pub(crate) entries: Vec<Entry>,
    /// The decision about each of them.
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) settings: Settings,
    file: Option<SettingsFile>,
    /// What is to be known about all of it.
    pub(crate) notes: Findings,
    /// Where the settings come from, unless the user has given them.
    pub(crate) told: Option<String>,
    /// Whether the controller writes the URL back on the Services.
    pub(crate) stamps: bool,
    /// The namespace that the user has asked about; `None` means all.
    pub(crate) scope: Option<String>,
    /// The names that the user has asked for, or that a selector has found; `None` means all.
    pub(crate) chosen: Option<BTreeSet<Arc<ServiceKey>>>,
}

/// What the user has asked about.
pub(crate) struct Wanted<'w> {
    pub(crate) selection: &'w Selection,
    /// Whether Services count that do not ask to be exposed.
    pub(crate) everything: bool,
}

impl World {
    /// Reads everything, and decides.
    pub(crate) async fn read(
        connection: &Connection,
        args: &ClusterArgs,
        wanted: &Wanted<'_>,
        stdin: &mut dyn std::io::Read,
    ) -> Result<Self, Missing> {
        let Selection { resources, all_namespaces, selector } = wanted.selection;
        let names = resources::services(resources)?;
        resources::check_selection(&names, *all_namespaces, selector.as_deref())?;
        let scope = (!all_namespaces).then(|| connection.namespace.clone());
        let Found { settings, file, watched, stamps, told } =
            controller::settings(connection, args, scope.as_deref(), stdin).await?;
        let mut notes: Findings = file.iter().filter_map(|file| file.note().cloned()).collect();
        let watched = watched.as_deref();
        if let Some(watched) = watched
            && scope.as_deref() != Some(watched)
        {
            let message = format!(
                "the controller looks at the namespace {watched} alone, so only its Services are decided"
            );
            notes.push(Finding::warning(message));
        }

        let mut services = Services::default();
        exposed(connection, watched, scope.as_deref(), &mut services, &mut notes).await?;
        let chosen = chosen(connection, wanted, &names, scope.as_deref(), &mut services).await?;
        let servers = servers(connection, watched, &mut notes).await?;
        let settings = settings.with_served_by(servers.served_by());

        let is_in_scope =
            |key: &ServiceKey| scope.as_deref().is_none_or(|namespace| *key.namespace == *namespace);
        let is_shown = |key: &Arc<ServiceKey>| {
            is_in_scope(key) && chosen.as_ref().is_none_or(|chosen| chosen.contains(key))
        };
        let entries: Vec<Entry> = services
            .0
            .into_iter()
            .map(|(key, stored)| Entry { document: stored.document(), shown: is_shown(&key), key, stored })
            .collect();
        let outcomes = outcomes(&entries, &settings);
        Ok(Self { entries, outcomes, settings, file, notes, told, stamps, scope, chosen })
    }

    /// That of these Services, for tests.
    #[cfg(test)]
    pub(crate) fn of(services: &[Value], settings: Settings) -> Self {
        let mut all = Services::default();
        for service in services {
            all.add(&serde_json::from_value(service.clone()).unwrap());
        }
        let entry = |(key, stored): (_, StoredService)| Entry {
            document: stored.document(),
            shown: true,
            key,
            stored,
        };
        let entries: Vec<Entry> = all.0.into_iter().map(entry).collect();
        let outcomes = outcomes(&entries, &settings);
        let (file, notes, told, stamps, scope, chosen) = (None, Findings::new(), None, false, None, None);
        Self { entries, outcomes, settings, file, notes, told, stamps, scope, chosen }
    }

    /// The Services that the user has asked about, and the decisions about them.
    pub(crate) fn shown(&self) -> impl Iterator<Item = (&Entry, &Outcome)> {
        self.entries.iter().zip(&self.outcomes).filter(|(entry, _)| entry.shown)
    }

    /// Whether one of them is refused.
    pub(crate) fn has_refused(&self) -> bool {
        self.shown().any(|(_, outcome)| outcome.is_refused())
    }

    /// What is wrong with them, in their order.
    pub(crate) fn findings(&self) -> Findings {
        let emitted = emit_all(self.outcomes.iter().filter_map(Outcome::plan)).report;
        let mut of_objects: BTreeMap<(&str, &str), Vec<_>> = BTreeMap::new();
        // Of the namespaces of a cluster, this one says nothing.
        for diagnostic in emitted.diagnostics().iter().filter(|it| it.code != Code::PublishedHere) {
            let subject = (diagnostic.subject.namespace.as_str(), diagnostic.subject.name.as_str());
            of_objects.entry(subject).or_default().push(diagnostic);
        }
        let mut findings = Findings::new();
        for (entry, outcome) in self.shown() {
            let own = outcome.report().map(xposer::Report::diagnostics).unwrap_or_default();
            let of_objects = of_objects.get(&(&*entry.key.namespace, &*entry.key.name));
            for diagnostic in own.iter().chain(of_objects.into_iter().flatten().copied()) {
                let place = match diagnostic.path.root() {
                    // A Service of the cluster is in no file.
                    Root::Object => None,
                    Root::Settings => self.file.as_ref().and_then(|file| file.place_of(diagnostic)),
                };
                findings.push(Finding::owned(diagnostic.clone()).at(place));
            }
        }
        findings
    }

    /// A Service.
    pub(crate) fn entry(&self, key: &ServiceKey) -> Option<&Entry> {
        self.entries.get(self.position(key)?)
    }

    fn position(&self, key: &ServiceKey) -> Option<usize> {
        self.entries.binary_search_by(|entry| (*entry.key).cmp(key)).ok()
    }

    /// What is decided about a Service.
    pub(crate) fn outcome(&self, key: &ServiceKey) -> Option<&Outcome> {
        self.outcomes.get(self.position(key)?)
    }

    /// The Services that ask to be exposed.
    pub(crate) fn asking(&self) -> impl Iterator<Item = &Arc<ServiceKey>> {
        let asks = |(_, outcome): &(&Entry, &Outcome)| !matches!(outcome, Outcome::NotExposed { .. });
        self.entries.iter().zip(&self.outcomes).filter(asks).map(|(entry, _)| &entry.key)
    }

    /// Whether the user has asked about a Service, which may be gone.
    pub(crate) fn is_chosen(&self, key: &ServiceKey) -> bool {
        let is_in_scope = self.scope.as_deref().is_none_or(|namespace| *key.namespace == *namespace);
        is_in_scope && self.chosen.as_ref().is_none_or(|chosen| chosen.contains(key))
    }
}

impl Entry {
    /// The core's view of it.
    pub(crate) fn view(&self) -> Service<'_> {
        self.stored.view(&self.document).created_at(self.stored.created)
    }
}

/// What is decided about Services together.
fn outcomes(entries: &[Entry], settings: &Settings) -> Vec<Outcome> {
    let views: Vec<Service<'_>> = entries.iter().map(Entry::view).collect();
    expose_all(&views, settings, Precedence::OldestFirst)
}

/// The Services by their keys. One that is read twice is kept once.
#[derive(Default)]
struct Services(BTreeMap<Arc<ServiceKey>, StoredService>);

impl Services {
    fn add(&mut self, document: &Document) -> Option<Arc<ServiceKey>> {
        let (key, stored) = StoredService::new(document)?;
        self.0.insert(key.clone(), stored);
        Some(key)
    }
}

/// Reads the Services that ask to be exposed: of all namespaces, because conflicts cross them, or else of the one asked about.
async fn exposed(
    connection: &Connection,
    watched: Option<&str>,
    scope: Option<&str>,
    services: &mut Services,
    notes: &mut Findings,
) -> Result<(), Failure> {
    let selector = format!("{EXPOSE_LABEL}=true");
    let mut list = async |namespace: Option<&str>| -> Result<(), Refusal> {
        let api = connection.documents(&service_resource(), namespace);
        let mut take = |document: Document| {
            services.add(&document);
        };
        connection.each(&api, "services", namespace, Some(&selector), &mut take).await
    };
    match list(watched).await {
        Ok(()) => Ok(()),
        Err(refusal) if refusal.code == 403 && watched.is_none() && scope.is_some() => {
            list(scope).await?;
            let namespace = scope.unwrap_or_default();
            let message = format!(
                "you may not list Services of other namespaces than {namespace}, so conflicts with them are not seen"
            );
            let help =
                "ask for a ClusterRole with the verb list for services, and for a ClusterRoleBinding to you";
            notes.push(Finding::warning(message).help(help));
            Ok(())
        }
        Err(refusal) => Err(refusal.into()),
    }
}

/// Reads what the user has chosen by name, or by labels; `None` if that is everything.
async fn chosen(
    connection: &Connection,
    wanted: &Wanted<'_>,
    names: &[String],
    scope: Option<&str>,
    services: &mut Services,
) -> Result<Option<BTreeSet<Arc<ServiceKey>>>, Failure> {
    let api: Api<Document> = connection.documents(&service_resource(), scope);
    if !names.is_empty() {
        let mut chosen = BTreeSet::new();
        for name in names {
            let service = connection.ask(("get", "services", scope), api.get(name)).await?;
            chosen.extend(services.add(&service));
        }
        return Ok(Some(chosen));
    }
    let selector = wanted.selection.selector.as_deref();
    if selector.is_none() && !wanted.everything {
        return Ok(None);
    }
    let mut chosen = BTreeSet::new();
    let everything = wanted.everything;
    let mut take = |document: Document| {
        let labels = document.metadata.labels.as_ref();
        let asks = labels.and_then(|labels| labels.get(EXPOSE_LABEL)).is_some_and(|value| value == "true");
        // A Service that does not ask any more may have objects.
        chosen.insert(ServiceKey::of(&document.metadata));
        if everything || asks {
            services.add(&document);
        }
    };
    connection.each(&api, "services", scope, selector, &mut take).await?;
    Ok(selector.is_some().then_some(chosen))
}

/// Reads who serves classes and Gateways, as the controller does.
async fn servers(
    connection: &Connection,
    watched: Option<&str>,
    notes: &mut Findings,
) -> Result<Servers, Failure> {
    let mut servers = Servers::default();
    // A controller for one namespace reads none of them.
    if watched.is_some() {
        return Ok(servers);
    }
    let mut forbidden = Vec::new();
    for kind in ServerKind::ALL {
        let resource = kind.resource();
        let api = connection.documents(&resource, None);
        let mut take = |document: Document| servers.apply(kind, &document);
        match connection.each(&api, &resource.plural, None, None, &mut take).await {
            Ok(()) => {}
            // The cluster does not have the kind.
            Err(refusal) if refusal.code == 404 => {}
            Err(refusal) if refusal.code == 403 => forbidden.push(full_name(&resource)),
            Err(refusal) => return Err(refusal.into()),
        }
    }
    if !forbidden.is_empty() {
        notes.push(servers_not_seen(&forbidden));
    }
    Ok(servers)
}

/// A kind as rules of RBAC and kubectl name it, for example `gateways.gateway.networking.k8s.io`.
pub(crate) fn full_name(resource: &ApiResource) -> String {
    let ApiResource { plural, group, .. } = resource;
    if group.is_empty() { plural.clone() } else { format!("{plural}.{group}") }
}

/// That some kinds cannot be read which say who serves a Service, and which right is missing.
pub(crate) fn servers_not_seen(forbidden: &[String]) -> Finding<'static> {
    let kinds = forbidden.join(", ");
    Finding::warning(format!(
        "you may not list {kinds}, so who serves a class or a Gateway is known only from the settings and from names"
    ))
    .help(format!(
        "ask for a ClusterRole with the verb list for {kinds}, and for a ClusterRoleBinding to you"
    ))
}
