//! The API server of the kubeconfig's context, and requests to it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use kube::api::{Api, ApiResource, ListParams, ObjectList};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::core::DynamicResourceScope;
use kube::{Client, Config, Error, Resource};
use serde::de::DeserializeOwned;

use crate::args::ClusterArgs;
use crate::failure::{Failure, Request};
use crate::resources::check_namespace;

/// The number of objects in a page. A page is decoded as a whole, so large pages cost memory.
const PAGE_SIZE: u32 = 500;
/// How many times a list is restarted, if its continue token has expired.
const RESTARTS: usize = 3;

/// A connection to an API server.
pub(crate) struct Connection {
    pub(crate) client: Client,
    /// The namespace of the context, or the one that was given.
    pub(crate) namespace: String,
    /// The name of the context, if there is one.
    pub(crate) context: Option<String>,
    /// The host and port of the API server.
    server: String,
    timeout: Option<Duration>,
}

impl Connection {
    /// Reads the configuration. This sends no request.
    pub(crate) async fn new(args: &ClusterArgs) -> Result<Self, Failure> {
        let (mut config, context) = configuration(args).await?;
        // Without retries, the user sees an error immediately.
        config.default_retry = false;
        let timeout = Some(args.request_timeout).filter(|time| !time.is_zero());
        config.connect_timeout = timeout.or(config.connect_timeout);
        let auth = &mut config.auth_info;
        if args.impersonate.is_some() {
            auth.impersonate.clone_from(&args.impersonate);
        }
        if !args.impersonate_groups.is_empty() {
            if auth.impersonate.is_none() {
                return Err(Failure::new("error: requesting groups without impersonating a user")
                    .help("name the user, too: --as USER"));
            }
            auth.impersonate_groups = Some(args.impersonate_groups.clone());
        }
        // As in kubectl, an empty namespace means that of the context.
        let given = args.namespace.clone().filter(|namespace| !namespace.is_empty());
        let namespace = given.unwrap_or_else(|| config.default_namespace.clone());
        check_namespace(&namespace)?;
        let server = config.cluster_url.authority().map(ToString::to_string).unwrap_or_default();
        let login = config.auth_info.exec.as_ref().and_then(|exec| exec.command.clone());
        let client = Client::try_from(config);
        let client = client.map_err(|error| Failure::of_client(&error, login.as_deref()))?;
        Ok(Self { client, namespace, context, server, timeout })
    }

    /// The request, for the message about its error.
    fn request<'r>(
        &'r self,
        verb: &'static str,
        resource: &'r str,
        namespace: Option<&'r str>,
    ) -> Request<'r> {
        Request { verb, resource, namespace, server: &self.server }
    }

    /// Waits for a response within the user's time limit.
    pub(crate) async fn ask<T>(
        &self,
        (verb, resource, namespace): (&'static str, &str, Option<&str>),
        answer: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Refusal> {
        let request = self.request(verb, resource, namespace);
        let answered = match self.timeout {
            None => answer.await,
            Some(time) => match tokio::time::timeout(time, answer).await {
                Ok(answered) => answered,
                Err(_) => return Err(Refusal { failure: request.timed_out(), code: 0 }),
            },
        };
        answered.map_err(|error| {
            let code = if let Error::Api(status) = &error { status.code } else { 0 };
            Refusal { failure: request.failed(&error), code }
        })
    }

    /// Lists all objects, page by page.
    pub(crate) async fn list<K>(
        &self,
        api: &Api<K>,
        resource: &str,
        namespace: Option<&str>,
        selector: Option<&str>,
    ) -> Result<Vec<K>, Refusal>
    where
        K: Resource + Clone + DeserializeOwned + std::fmt::Debug,
    {
        let mut parameters = ListParams::default().limit(PAGE_SIZE);
        parameters.label_selector = selector.map(str::to_owned);
        let mut pages = Pages::default();
        loop {
            let page = self.ask(("list", resource, namespace), api.list(&parameters)).await;
            if !pages.add(page)? {
                return Ok(pages.objects.into_values().collect());
            }
            parameters.continue_token.clone_from(&pages.next);
        }
    }

    /// The API of a kind, in one namespace or in all.
    pub(crate) fn api<K>(&self, resource: &ApiResource, namespace: Option<&str>) -> Api<K>
    where
        K: Resource<Scope = DynamicResourceScope, DynamicType = ApiResource>,
    {
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, resource),
            None => Api::all_with(self.client.clone(), resource),
        }
    }
}

/// The pages of a list.
struct Pages<K> {
    /// The objects by namespace and name, because a list that is restarted has the objects of its earlier pages again.
    objects: BTreeMap<(Option<String>, Option<String>), K>,
    /// The token of the next page; `None` if the list begins.
    next: Option<String>,
    restarts: usize,
}

impl<K> Default for Pages<K> {
    fn default() -> Self {
        Self { objects: BTreeMap::new(), next: None, restarts: 0 }
    }
}

impl<K: Resource + Clone> Pages<K> {
    /// Adds a page. Returns whether there is another one. If the token of the page has expired, the list begins again.
    fn add(&mut self, page: Result<ObjectList<K>, Refusal>) -> Result<bool, Refusal> {
        let page = match page {
            Err(refusal) if refusal.code == 410 && self.restarts < RESTARTS => {
                self.restarts += 1;
                self.next = None;
                self.objects.clear();
                return Ok(true);
            }
            page => page?,
        };
        self.objects.extend(page.items.into_iter().map(|object| {
            let metadata = object.meta();
            ((metadata.namespace.clone(), metadata.name.clone()), object)
        }));
        self.next = page.metadata.continue_.filter(|token| !token.is_empty());
        Ok(self.next.is_some())
    }
}

/// The reason why a request failed, and the status code of the response; 0 if there was none.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) failure: Failure,
    pub(crate) code: u16,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        refusal.failure
    }
}

/// The configuration, and the name of the context.
async fn configuration(args: &ClusterArgs) -> Result<(Config, Option<String>), Failure> {
    let Some(file) = kubeconfig(args)? else {
        // A program in a pod has no kubeconfig.
        return match Config::incluster() {
            Ok(config) => Ok((config, None)),
            Err(_) => Err(Failure::new("error: no kubeconfig was found")
                .help("name one with --kubeconfig or KUBECONFIG, or put it at ~/.kube/config")),
        };
    };
    let options = KubeConfigOptions {
        context: args.context.clone(),
        cluster: args.cluster.clone(),
        user: args.user.clone(),
    };
    if let Some(user) = &args.user
        && !file.auth_infos.iter().any(|known| known.name == *user)
    {
        return Err(Failure::new(format!("error: auth info {user:?} does not exist"))
            .help("list the users: kubectl config get-users"));
    }
    let context = args.context.clone().or_else(|| file.current_context.clone());
    let context = context.filter(|name| !name.is_empty());
    let file = Kubeconfig { current_context: context.clone(), ..file };
    let config = Config::from_custom_kubeconfig(file, &options).await;
    config.map(|config| (config, context)).map_err(|error| Failure::of_config(&error))
}

/// The kubeconfig; `None` if there is no file. Missing files of KUBECONFIG are skipped, as in kubectl.
fn kubeconfig(args: &ClusterArgs) -> Result<Option<Kubeconfig>, Failure> {
    let read = |path: &PathBuf| {
        Kubeconfig::read_from(path).map_err(|error| match error {
            KubeconfigError::Parse(_) => Failure::of_config(&error).about(path),
            error => Failure::of_config(&error),
        })
    };
    if let Some(path) = &args.kubeconfig {
        return read(path).map(Some);
    }
    let named = std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty());
    let paths: Vec<PathBuf> = match &named {
        Some(value) => std::env::split_paths(value).filter(|path| !path.as_os_str().is_empty()).collect(),
        None => std::env::home_dir().map(|home| home.join(".kube/config")).into_iter().collect(),
    };
    let mut merged: Option<Kubeconfig> = None;
    for path in paths.iter().filter(|path| path.exists()) {
        let file = read(path)?;
        merged = Some(match merged {
            None => file,
            Some(before) => {
                before.merge(file).map_err(|error: KubeconfigError| Failure::of_config(&error))?
            }
        });
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use xposer_live::document::Document;

    use super::*;

    fn page(names: &[&str], next: &str) -> Result<ObjectList<Document>, Refusal> {
        let items: Vec<_> = names.iter().map(|name| json!({"metadata": {"name": name}})).collect();
        let list =
            json!({"apiVersion": "v1", "kind": "List", "metadata": {"continue": next}, "items": items});
        Ok(serde_json::from_value(list).unwrap())
    }

    fn expired() -> Result<ObjectList<Document>, Refusal> {
        Err(Refusal { failure: Failure::new("expired"), code: 410 })
    }

    #[test]
    fn a_list_that_is_restarted_has_each_object_once() {
        let mut pages = Pages::default();
        assert!(pages.add(page(&["a", "deleted"], "2")).unwrap());
        assert_eq!(pages.next.as_deref(), Some("2"));
        assert!(pages.add(expired()).unwrap() && pages.next.is_none());
        assert!(pages.add(page(&["a", "b"], "2")).unwrap());
        // Another object can move to the next page while the list is read.
        assert!(!pages.add(page(&["b", "c"], "")).unwrap());
        let names: Vec<Option<String>> = pages.objects.into_values().map(|it| it.metadata.name).collect();
        assert_eq!(names, ["a", "b", "c"].map(|name| Some(name.to_owned())));
    }

    #[test]
    fn a_list_is_not_restarted_for_ever() {
        let mut pages = Pages::<Document>::default();
        assert!((0..RESTARTS).all(|_| pages.add(expired()).is_ok()));
        assert!(pages.add(expired()).is_err());
    }
}
