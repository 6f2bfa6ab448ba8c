//! Tests the examples of the cookbook: `kubectl` applies their Services, our controller has their settings, and the requests of the
//! page get the responses that it shows. `CHAIN_PAGES=canary,acm` limits the pages.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail it like the test itself, and a JSON value has null where nothing is"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use xposer::Severity;
use xposer_chain::cluster::{
    BACKEND_TRAFFIC_POLICY, HTTP_ROUTE, HTTP_ROUTE_FILTER, INGRESS, MONITOR, SECRET, SECURITY_POLICY,
    documents, name_of,
};
use xposer_chain::{Chain, Kind, Namespace, say, wait_for};
use xposer_testkit::cases::{Case, Run};
use xposer_testkit::cookbook::{
    self, Answer, Example, NGINX_REQUESTS, Piece, REQUESTS, RequestExample, asked, block, examples, pieces,
};

const ROUTE: Kind = Kind { api: "route.openshift.io/v1", name: "Route" };
/// The kinds that our controller writes.
const KINDS: [Kind; 7] =
    [INGRESS, HTTP_ROUTE, ROUTE, MONITOR, SECURITY_POLICY, BACKEND_TRAFFIC_POLICY, HTTP_ROUTE_FILTER];
/// The kind that our controller writes for Traefik.
const MIDDLEWARE: Kind = Kind { api: "traefik.io/v1alpha1", name: "Middleware" };
/// The classes of the pages.
const CLASSES: [&str; 2] = ["external-ingress", "internal-ingress"];
/// The classes of the chain whose programs read the annotations of ingress-nginx.
const NGINX: [&str; 2] = ["nginx", "traefik-nginx"];
/// The deadline of an example, including its certificates and records.
const TIME: Duration = Duration::from_secs(60);

/// The configuration of `curl` for the commands of the pages: the trusted authority, and the output after the body.
const CURLRC: &str = "silent\nshow-error\nmax-time = 10\nwrite-out = \"\\n%{http_code} %{redirect_url}\"\n";

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn cookbook_requests_get_the_documented_answers() {
    let chosen = std::env::var("CHAIN_PAGES").ok();
    let is_chosen = |path: &PathBuf| {
        let name = cookbook::name(path);
        name != "README.md"
            && chosen.as_ref().is_none_or(|chosen| chosen.split(',').any(|page| name == format!("{page}.md")))
    };
    let pages: Vec<Page> = cookbook::pages().unwrap().into_iter().filter(is_chosen).map(Page::read).collect();
    let setup = Setup::new(&pages);
    let (mut wrong, mut counted) = (Vec::new(), Counted::default());
    for page in &pages {
        for example in &page.examples {
            if let Err(error) = setup.try_example(page, example, &mut counted) {
                let message = format!("{}: {error:#}", page.case(example).slug);
                say(&message);
                wrong.push(message);
            }
        }
    }
    say(&format!("cookbook: {counted:?}"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The numbers of examples and requests.
#[derive(Debug, Default)]
struct Counted {
    examples: usize,
    requests: usize,
    skipped: usize,
}

/// A page of the cookbook.
struct Page {
    path: PathBuf,
    pieces: Vec<Piece>,
    examples: Vec<Example>,
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let pieces = pieces(&cookbook::read(&path).unwrap()).unwrap();
        let (examples, _) = examples(&pieces);
        Self { path, pieces, examples }
    }

    fn case(&self, example: &Example) -> Case {
        cookbook::case(&self.path, &self.pieces, example).unwrap()
    }

    fn text(&self, at: usize) -> &str {
        block(&self.pieces, at).unwrap().2
    }

    /// Returns the requests in the blocks whose fence has these words.
    fn asked(&self, example: &Example, words: &str) -> Vec<RequestExample> {
        let blocks = example.requests.iter().map(|at| block(&self.pieces, *at).unwrap());
        blocks.filter(|(_, own, _)| *own == words).flat_map(|(.., text)| asked(text).unwrap()).collect()
    }
}

/// The environment of all examples.
struct Setup {
    chain: &'static Chain,
    namespaces: BTreeMap<String, Namespace>,
    /// The folder with the configuration of `curl`.
    home: PathBuf,
    records: BTreeSet<String>,
}

impl Setup {
    fn new(pages: &[Page]) -> Self {
        let chain = Chain::get();
        let home = chain.run().join("curl");
        fs::create_dir_all(&home).unwrap();
        let authority = chain.run().join("ca.crt");
        fs::write(home.join(".curlrc"), format!("cacert = {:?}\n{CURLRC}", authority.display().to_string()))
            .unwrap();
        let mut names = BTreeSet::from(["bank".to_owned(), "shop".to_owned()]);
        for page in pages {
            let cases = page.examples.iter().map(|example| page.case(example));
            names.extend(cases.flat_map(|case| case.documents).map(|it| namespace_of(&it).to_owned()));
        }
        let namespaces = names.into_iter().map(|name| (name.clone(), chain.namespace(&name))).collect();
        let records = chain.records();
        let setup = Self { chain, namespaces, home, records };
        let authority = chain.cluster().find(SECRET, Some("cert-manager"), "ca").unwrap().unwrap();
        let copy = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ca"}, "data": authority["data"]});
        chain.cluster().apply("bank", &copy).unwrap();
        chain.kubectl(&["apply", "-f", "-"], include_str!("cookbook.yaml")).unwrap();
        setup
    }

    /// Exposes an example, sends its requests, and removes it.
    fn try_example(&self, page: &Page, example: &Example, counted: &mut Counted) -> Result<()> {
        let case = page.case(example);
        let run = case.run();
        // The controller does not start with invalid settings.
        if run.unusable {
            return Ok(());
        }
        let settings = example.settings.map_or("", |at| page.text(at));
        // Without Traefik, its kinds are not defined.
        if documents(&run.objects)?.iter().any(|it| it["kind"] == MIDDLEWARE.name)
            && !self.chain.has("traefik")
        {
            let asked = page.asked(example, REQUESTS).len();
            say(&format!("skipped: no traefik, so {} and {asked} requests of it", case.slug));
            counted.skipped += asked;
            return Ok(());
        }
        self.expose(page, example, &case, settings, || {
            wait_for(TIME, "the objects are made", || self.has_objects(&run))?;
            wait_for(TIME, "the Events say what is wrong", || self.has_events(&case, &run))?;
            self.ask(&page.asked(example, REQUESTS), counted)
        })?;
        counted.examples += 1;
        let with_nginx = page.asked(example, NGINX_REQUESTS);
        let fronts = self.chain.fronts();
        match NGINX.into_iter().find(|class| fronts.iter().any(|front| front.class == *class)) {
            _ if with_nginx.is_empty() => Ok(()),
            None => {
                say(&format!(
                    "skipped: no nginx-ingress-controller and no traefik, so {} requests of {}",
                    with_nginx.len(),
                    case.slug
                ));
                counted.skipped += with_nginx.len();
                Ok(())
            }
            Some(class) => {
                let settings = if CLASSES.iter().any(|old| settings.contains(old)) {
                    CLASSES.iter().fold(settings.to_owned(), |it, old| it.replace(old, class))
                } else {
                    format!("{}\ningressClassName: {class}\n", settings.trim_end())
                };
                self.expose(page, example, &case, &settings, || self.ask(&with_nginx, counted))
            }
        }
    }

    fn expose(
        &self,
        page: &Page,
        example: &Example,
        case: &Case,
        settings: &str,
        look: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let began = Instant::now();
        let controller = self.chain.controller(settings);
        let services = page.text(example.service);
        self.chain.kubectl(&["apply", "-f", "-"], services)?;
        let seen = look().with_context(|| controller.process().log_tail());
        let exposed = began.elapsed();
        self.chain.kubectl(&["delete", "--wait=false", "-f", "-"], services)?;
        wait_for(TIME, "everything is removed", || self.is_clean(case))?;
        let (exposed, all) = (exposed.as_secs_f64(), began.elapsed().as_secs_f64());
        say(&format!("cookbook: {:30} {exposed:6.1} s, removed after {all:.1} s", case.slug));
        seen
    }

    /// Returns the kinds that are defined.
    fn kinds(&self) -> Vec<Kind> {
        let traefik = self.chain.runs("traefik").then_some(MIDDLEWARE);
        KINDS.into_iter().chain(traefik).collect()
    }

    fn namespaces(&self, case: &Case) -> BTreeMap<String, &Namespace> {
        let names = case.documents.iter().map(|it| namespace_of(it).to_owned());
        names.filter_map(|name| Some((name.clone(), self.namespaces.get(&name)?))).collect()
    }

    /// Checks that nothing of this example is left for the next one.
    fn is_clean(&self, case: &Case) -> Result<()> {
        for ns in self.namespaces(case).values() {
            ns.has_none(&self.kinds())?;
            for event in ns.names(xposer_chain::cluster::EVENT) {
                ns.delete(xposer_chain::cluster::EVENT, &event);
            }
            // cert-manager does not delete these Secrets. The Secrets of the test itself have other names.
            for secret in ns.names(SECRET).iter().filter(|name| name.ends_with("-cert")) {
                ns.delete(SECRET, secret);
            }
        }
        // Records of an earlier test may still be deleted.
        let records = self.chain.records();
        ensure!(records.is_subset(&self.records), "{records:?}");
        Ok(())
    }

    /// Checks that the objects of the page exist.
    fn has_objects(&self, run: &Run) -> Result<()> {
        for wanted in documents(&run.objects)? {
            let mut kinds = self.kinds().into_iter();
            let kind = kinds.find(|kind| wanted["kind"] == kind.name).context("an unknown kind")?;
            let name = name_of(&wanted);
            let found = self.chain.cluster().find(kind, Some(namespace_of(&wanted)), name)?;
            let found = found.with_context(|| format!("there is no {} {name}", kind.name))?;
            ensure!(contains(&found, &wanted), "{name} is not as on the page: {found}");
        }
        Ok(())
    }

    /// Checks that refused Services of the page have an Event. If several Services have the same claim, the controller refuses only
    /// the newer ones.
    fn has_events(&self, case: &Case, run: &Run) -> Result<()> {
        let services: Vec<&Value> = case.services().collect();
        let errors = run.findings.iter().filter(|it| it.diagnostic.severity == Severity::Error);
        let refused: BTreeSet<usize> = errors.filter_map(|it| it.service).collect();
        let is_told = |at: &usize| {
            let Some(service) = services.get(*at) else { return false };
            let Some(ns) = self.namespaces.get(namespace_of(service)) else { return false };
            ns.events(name_of(service)).iter().any(|told| told.kind == "Warning")
        };
        ensure!(refused.is_empty() || refused.iter().any(is_told), "there is no Warning");
        Ok(())
    }

    /// Repeats all requests until all responses of a round are as on the page.
    fn ask(&self, asked: &[RequestExample], counted: &mut Counted) -> Result<()> {
        wait_for(TIME, "the requests are answered", || {
            let wrong = asked.iter().filter_map(|it| {
                let error = self.check(it).err()?;
                Some(format!("`{}`: {error:#}", it.command))
            });
            let wrong: Vec<String> = wrong.collect();
            ensure!(wrong.is_empty(), "{}", wrong.join("; "));
            Ok(())
        })?;
        counted.requests += asked.len();
        Ok(())
    }

    fn check(&self, asked: &RequestExample) -> Result<()> {
        let output = Command::new("sh").args(["-c", &asked.command]).env("CURL_HOME", &self.home).output()?;
        let message = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "{}{message}", String::from_utf8_lossy(&output.stderr));
        let (status, from, at, to) = match &asked.answer {
            Answer::Http { status, from, at, to } => (status, from, at, to),
            Answer::Lines(lines) => {
                let sorted = |lines: &mut dyn Iterator<Item = String>| lines.collect::<BTreeSet<String>>();
                let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
                ensure!(
                    sorted(&mut message.lines().map(words)) == sorted(&mut lines.iter().cloned()),
                    "{message}"
                );
                return Ok(());
            }
        };
        let (body, last) = message.rsplit_once('\n').context("curl printed nothing")?;
        let (code, location) = last.split_once(' ').unwrap_or((last, ""));
        let backend: Value = serde_json::from_str(body).unwrap_or_default();
        let word = |name: &str| backend[name].as_str().unwrap_or_default().to_owned();
        let long = format!("{}/{}", word("namespace"), word("backend"));
        let is_from = |name: &String| *name == word("backend") || *name == long;
        let wrong = if code != status.to_string() {
            "the status"
        } else if !from.is_empty() && !from.iter().any(is_from) {
            "the Service"
        } else if at.as_ref().is_some_and(|at| *at != word("path")) {
            "the path"
        } else if to.as_ref().is_some_and(|to| to != location) {
            "the redirect"
        } else {
            return Ok(());
        };
        bail!("{wrong} is another one: {code} {location} {body}")
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        // The default class must not apply to other tests.
        if let Err(error) =
            self.chain.kubectl(&["delete", "--wait=false", "-f", "-"], include_str!("cookbook.yaml"))
        {
            say(&format!("{error:#}"));
        }
    }
}

fn namespace_of(object: &Value) -> &str {
    object["metadata"]["namespace"].as_str().unwrap_or_default()
}

/// Whether `found` contains everything in `wanted`. The API server and other programs add fields.
fn contains(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| found.get(key).is_some_and(|it| contains(it, value)))
        }
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(it, value)| contains(it, value))
        }
        _ => found == wanted,
    }
}
