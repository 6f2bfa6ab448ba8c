//! The Services of the cluster, and the controller's decisions about them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kube::api::{Api, ApiResource};
use serde_json::Value;
use xposer::diagnostics::Root;
use xposer::internal::joined;
use xposer::service::EXPOSE_LABEL;
use xposer::{Code, Outcome, Precedence, Service, Settings, emit_all, expose_all};
use xposer_live::document::Document;
use xposer_live::keys::ServiceKey;
use xposer_live::servers::{ServerKind, Servers};
use xposer_live::service::{StoredService, service_resource};
use xposer_manifest::{Finding, Findings, SettingsFile};

use crate::args::{ClusterArgs, Selection};
use crate::connect::{Connection, Refusal};
use crate::controller::{self, AppliedSettings, SettingsError};
use crate::failure::Failure;
use crate::resources;

/// A Service of the cluster.
pub(crate) struct Entry {
    pub(crate) key: Arc<ServiceKey>,
    pub(crate) stored: StoredService,
    /// The fields that the core reads.
    document: Value,
    /// Whether the user selected the Service. The others only matter for conflicts.
    pub(crate) shown: bool,
}

/// All inputs that decide how Services are exposed, and the decisions.
pub(crate) struct ClusterObjects {
    /// The Services, ordered by namespace and name.
    pub(crate) entries: Vec<Entry>,
    /// The decision about each Service.
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) settings: Settings,
    file: Option<SettingsFile>,
    /// Findings about the whole cluster.
    pub(crate) notes: Findings,
    /// The source of the settings, unless the user gave them.
    pub(crate) settings_source: Option<String>,
    /// Whether the controller writes the URL back on the Services.
    pub(crate) stamps: bool,
    /// The namespace that the user selected; `None` means all.
    pub(crate) scope: Option<String>,
    /// The Services that the user selected by name or by labels; `None` means all.
    pub(crate) chosen: Option<BTreeSet<Arc<ServiceKey>>>,
}

/// The selection of the user.
pub(crate) struct Scope<'w> {
    pub(crate) selection: &'w Selection,
    /// Whether to include Services that do not request exposure.
    pub(crate) everything: bool,
}

impl ClusterObjects {
    /// Reads all inputs, and decides.
    pub(crate) async fn read(
        connection: &Connection,
        args: &ClusterArgs,
        wanted: &Scope<'_>,
        stdin: &mut dyn std::io::Read,
    ) -> Result<Self, SettingsError> {
        let Selection { resources, all_namespaces, selector } = wanted.selection;
        let names = resources::services(resources)?;
        resources::check_selection(&names, *all_namespaces, selector.as_deref())?;
        let scope = (!all_namespaces).then(|| connection.namespace.clone());
        let AppliedSettings { settings, file, watched, stamps, settings_source } =
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
        Ok(Self { entries, outcomes, settings, file, notes, settings_source, stamps, scope, chosen })
    }

    /// A world with these Services, for tests.
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
        let (file, notes, settings_source, stamps, scope, chosen) =
            (None, Findings::new(), None, false, None, None);
        Self { entries, outcomes, settings, file, notes, settings_source, stamps, scope, chosen }
    }

    /// The Services that the user selected, and the decisions about them.
    pub(crate) fn shown(&self) -> impl Iterator<Item = (&Entry, &Outcome)> {
        self.entries.iter().zip(&self.outcomes).filter(|(entry, _)| entry.shown)
    }

    /// Whether one of the selected Services is refused.
    pub(crate) fn has_refused(&self) -> bool {
        self.shown().any(|(_, outcome)| outcome.is_refused())
    }

    /// The findings about the selected Services, in their order.
    pub(crate) fn findings(&self) -> Findings {
        let emitted = emit_all(self.outcomes.iter().filter_map(Outcome::plan)).report;
        let mut of_objects: BTreeMap<(&str, &str), Vec<_>> = BTreeMap::new();
        // In a cluster, all namespaces are known, so this code does not apply.
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

    /// The Service with this key.
    pub(crate) fn entry(&self, key: &ServiceKey) -> Option<&Entry> {
        self.entries.get(self.position(key)?)
    }

    fn position(&self, key: &ServiceKey) -> Option<usize> {
        self.entries.binary_search_by(|entry| (*entry.key).cmp(key)).ok()
    }

    /// The decision about a Service.
    pub(crate) fn outcome(&self, key: &ServiceKey) -> Option<&Outcome> {
        self.outcomes.get(self.position(key)?)
    }

    /// The Services that request exposure.
    pub(crate) fn asking(&self) -> impl Iterator<Item = &Arc<ServiceKey>> {
        let asks = |(_, outcome): &(&Entry, &Outcome)| !matches!(outcome, Outcome::NotExposed { .. });
        self.entries.iter().zip(&self.outcomes).filter(asks).map(|(entry, _)| &entry.key)
    }

    /// Whether the user selected a Service, which may be deleted.
    pub(crate) fn is_chosen(&self, key: &ServiceKey) -> bool {
        let is_in_scope = self.scope.as_deref().is_none_or(|namespace| *key.namespace == *namespace);
        is_in_scope && self.chosen.as_ref().is_none_or(|chosen| chosen.contains(key))
    }
}

impl Entry {
    /// The core's view of the Service.
    pub(crate) fn view(&self) -> Service<'_> {
        self.stored.view(&self.document).created_at(self.stored.created)
    }
}

/// Decides about Services together.
fn outcomes(entries: &[Entry], settings: &Settings) -> Vec<Outcome> {
    let views: Vec<Service<'_>> = entries.iter().map(Entry::view).collect();
    expose_all(&views, settings, Precedence::OldestFirst)
}

/// The Services by key. A Service that is read twice is stored once.
#[derive(Default)]
struct Services(BTreeMap<Arc<ServiceKey>, StoredService>);

impl Services {
    fn add(&mut self, document: &Document) -> Option<Arc<ServiceKey>> {
        let (key, stored) = StoredService::new(document)?;
        self.0.insert(key.clone(), stored);
        Some(key)
    }
}

/// Reads the Services that request exposure: of all namespaces, because conflicts cross namespaces, or only of the watched or
/// selected one.
async fn exposed(
    connection: &Connection,
    watched: Option<&str>,
    scope: Option<&str>,
    services: &mut Services,
    notes: &mut Findings,
) -> Result<(), Failure> {
    let selector = format!("{EXPOSE_LABEL}=true");
    let mut list = async |namespace: Option<&str>| -> Result<(), Refusal> {
        let api = connection.api::<Document>(&service_resource(), namespace);
        let documents = connection.list(&api, "services", namespace, Some(&selector)).await?;
        documents.iter().for_each(|document| drop(services.add(document)));
        Ok(())
    };
    match list(watched).await {
        Ok(()) => Ok(()),
        Err(refusal) if refusal.code == 403 && watched.is_none() && scope.is_some() => {
            list(scope).await?;
            let namespace = scope.unwrap_or_default();
            let message = format!(
                "no permission to list Services of other namespaces than {namespace}, so conflicts with them are not known"
            );
            let help =
                "ask for a ClusterRole with the verb list for services, and for a ClusterRoleBinding to you";
            notes.push(Finding::warning(message).help(help));
            Ok(())
        }
        Err(refusal) => Err(refusal.into()),
    }
}

/// Reads the Services that the user selected by name or by labels; `None` if all are selected.
async fn chosen(
    connection: &Connection,
    wanted: &Scope<'_>,
    names: &[String],
    scope: Option<&str>,
    services: &mut Services,
) -> Result<Option<BTreeSet<Arc<ServiceKey>>>, Failure> {
    let api: Api<Document> = connection.api::<Document>(&service_resource(), scope);
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
    for document in connection.list(&api, "services", scope, selector).await? {
        let labels = document.metadata.labels.as_ref();
        let asks = labels.and_then(|labels| labels.get(EXPOSE_LABEL)).is_some_and(|value| value == "true");
        // A Service that no longer requests exposure may have objects.
        chosen.insert(ServiceKey::of(&document.metadata));
        if everything || asks {
            services.add(&document);
        }
    }
    Ok(selector.is_some().then_some(chosen))
}

/// Reads the objects that name the controllers of classes and Gateways, as the controller does.
async fn servers(
    connection: &Connection,
    watched: Option<&str>,
    notes: &mut Findings,
) -> Result<Servers, Failure> {
    let mut servers = Servers::default();
    // A controller of one namespace reads none of them.
    if watched.is_some() {
        return Ok(servers);
    }
    let mut forbidden = Vec::new();
    for kind in ServerKind::ALL {
        let resource = kind.resource();
        let api = connection.api::<Document>(&resource, None);
        match connection.list(&api, &resource.plural, None, None).await {
            Ok(documents) => documents.iter().for_each(|document| servers.apply(kind, document)),
            // The cluster does not serve the kind.
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

/// A kind in the notation of RBAC and kubectl, for example `gateways.gateway.networking.k8s.io`.
pub(crate) fn full_name(resource: &ApiResource) -> String {
    let ApiResource { plural, group, .. } = resource;
    if group.is_empty() { plural.clone() } else { format!("{plural}.{group}") }
}

/// The finding that objects which name controllers cannot be read, and which permission is missing.
pub(crate) fn servers_not_seen(forbidden: &[String]) -> Finding<'static> {
    let kinds = joined(forbidden, " and ");
    Finding::warning(format!(
        "no permission to list {kinds}, so the program of a class or a Gateway is known only from the settings and from names"
    ))
    .help(format!(
        "ask for a ClusterRole with the verb list for {kinds}, and for a ClusterRoleBinding to you"
    ))
}
