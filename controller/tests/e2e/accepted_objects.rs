//! Every object of the case folders and the cookbook, judged by programs that read such objects: a real API server, and
//! ingress-nginx's own code for annotations, which `chain/build` builds.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use kube::api::{PatchParams, ValidationDirective};
use serde_json::{Value, json};
use xposer::Code;
use xposer_testkit::cases::{Case, all, parse};
use xposer_testkit::workspace;

use crate::cluster::{HTTP_ROUTE, INGRESS, Kind, MADE, MONITOR, ROUTE, kind_of, name_of, say};
use crate::scenario::{FORWARD, Scene, differences};

/// Why an Ingress is emitted although ingress-nginx refuses it, or passes over one of its annotations.
enum Reason {
    /// The report of the case says it with this code.
    Said(Code),
    Because(&'static str),
}
use Reason::{Because, Said};

const SNIPPETS: Reason = Because("snippets are off by default, and the administrator has allowed them");

/// What ingress-nginx refuses or passes over: a case, a part of the answer, and the reason.
const INTENDED_DIFFERENCES: [(&str, &str, Reason); 17] = [
    ("authentication-denies", "error reading secret name", Said(Code::AuthenticationDenies)),
    (
        "cors-origin-any",
        "incorrect origin: null",
        Because("the version that is judged does not know the origin `null` yet, which 1.15 takes"),
    ),
    ("cors-origin-without-scheme", "incorrect origin: blog.example.com", Said(Code::CorsOriginInvalid)),
    ("folded-block-equals-sign", "error reading secret name", Said(Code::AuthenticationDenies)),
    ("folded-block-not", "configuration-snippet", SNIPPETS),
    ("legacy-nginx-protection", "global-rate-limit-key", Said(Code::LegacyDead)),
    ("nginx-other-namespace", "cross namespace usage of secrets", Said(Code::NamespaceOther)),
    ("nginx-snippet-of-several-lines", "configuration-snippet", SNIPPETS),
    (
        "nginx-value-blanks",
        "https://example.com/a,b",
        Because("the version that is judged takes no commas in a redirect yet, as 1.15 does"),
    ),
    ("nginx-value-ignored", "session-cookie-max-age", Said(Code::AnnotationIgnored)),
    ("path-blank", "/a b", Said(Code::PathBlank)),
    ("path-query", "/search?q=1", Said(Code::PathQuery)),
    ("path-strict", "/~user", Said(Code::PathStrict)),
    ("path-strict", "/a@b", Said(Code::PathStrict)),
    ("protection-lost-snippet", "configuration-snippet", SNIPPETS),
    ("snippet-allowed", "configuration-snippet", SNIPPETS),
    ("snippet-by-setting", "configuration-snippet", SNIPPETS),
];

/// What we refuse with `annotation-invalid` and ingress-nginx takes without a word: a case, a key, and the reason.
const STRICTER: [(&str, &str, &str); 13] = [
    ("bad-value-elsewhere", "nginx.ingress.kubernetes.io/proxy-read-timeout", REFUSED_BY_NGINX),
    ("canary-not-enabled-elsewhere", CANARY_WEIGHT, NO_CANARY),
    ("canary-not-enabled-elsewhere", "nginx.ingress.kubernetes.io/canary-by-header", NO_CANARY),
    ("nginx-value-canary-not-enabled", CANARY_WEIGHT, NO_CANARY),
    (
        "nginx-value-canary-weight-too-large",
        CANARY_WEIGHT,
        "it knows no bounds: 150 of 100 requests are all of them",
    ),
    (
        "nginx-redirect-ignored",
        "nginx.ingress.kubernetes.io/temporal-redirect",
        "it ignores what is no URL, and serves the Service",
    ),
    ("nginx-value-numbers", "nginx.ingress.kubernetes.io/limit-burst-multiplier", REFUSED_BY_NGINX),
    (
        "nginx-value-numbers",
        "nginx.ingress.kubernetes.io/limit-connections",
        "it writes no limit for a negative number",
    ),
    ("nginx-value-numbers", "nginx.ingress.kubernetes.io/proxy-buffers-number", REFUSED_BY_NGINX),
    ("nginx-value-numbers", "nginx.ingress.kubernetes.io/proxy-connect-timeout", REFUSED_BY_NGINX),
    ("nginx-value-numbers", "nginx.ingress.kubernetes.io/proxy-next-upstream-timeout", REFUSED_BY_NGINX),
    ("nginx-value-numbers", "nginx.ingress.kubernetes.io/proxy-read-timeout", REFUSED_BY_NGINX),
    (
        "options-give-the-needed-key",
        "nginx.ingress.kubernetes.io/session-cookie-secure",
        "the key that it needs is that of the option StickySession, which is not forwarded",
    ),
];
/// The code that judges reads annotations, and does not start nginx.
const REFUSED_BY_NGINX: &str = "nginx does not start with it";
const NO_CANARY: &str = "it drops all keys of a canary without a word";
const CANARY_WEIGHT: &str = "nginx.ingress.kubernetes.io/canary-weight";

/// Why a value is judged in another way than the lists of values say.
enum Difference {
    /// The version that is judged is older than 1.15.
    Older(&'static str),
    /// It is meant.
    Ours(&'static str),
}
use Difference::{Older, Ours};

/// How the version begins of which [`Older`] is said.
const OLD_VERSION: &str = "v0.0.0-202407";

/// Values that are judged in another way than the lists of values say: a key, the value, what happens, and why.
const DIFFERENT: [(&str, &str, &str, Difference); 15] = [
    ("auth-method", "GETPOST", "good", Older("a part of the value could be a method")),
    ("auth-tls-error-page", "@denied", "refused", Older("it could be no location")),
    ("auth-tls-verify-client", "optional;", "good", Older("a part of the value could be the word")),
    ("custom-http-errors", "404, 503", "ignored", Older("it did not take blanks")),
    ("mirror-target", "https://mirror.example.com/a b", "good", Ours(NO_TARGET)),
    ("mirror-target", "https://mirror.example.com/;", "good", Ours(NO_TARGET)),
    ("permanent-redirect", "https://example.com/a,b", "refused", Older("it took no commas")),
    ("proxy-busy-buffers-size", "16k", "ignored", NEW),
    ("proxy-cookie-domain", "a b c", "good", Older("it took any words")),
    ("proxy-cookie-domain", "a.example.com", "good", Older("it took any words")),
    ("relative-redirects", "on", "ignored", NEW),
    ("relative-redirects", "true", "ignored", NEW),
    ("ssl-redirect", "true", "ignored", Ours("this is the default")),
    ("temporal-redirect-code", "307", "ignored", NEW),
    ("temporal-redirect-code", "temporary", "ignored", NEW),
];
const NEW: Difference = Older("it did not know the key");
const NO_TARGET: &str = "only the target is left out, without which there are no copies";

/// Classes with these words are those of other programs.
const OTHER_PROGRAMS: [&str; 8] = ["alb", "azure", "contour", "f5", "gce", "haproxy", "kong", "traefik"];

/// An object to judge.
struct Emitted {
    /// The case, or the page of the cookbook.
    origin: String,
    object: Value,
    /// The codes of the report that comes with it.
    codes: Vec<Code>,
    /// The setting `controllers` of the case: the program of a class.
    controllers: Value,
}

impl Emitted {
    /// The class of another program than ingress-nginx: as the settings of the case say it, or else as its name does.
    fn other_class(&self) -> Option<&str> {
        let annotation = &self.object["metadata"]["annotations"]["kubernetes.io/ingress.class"];
        let class = self.object["spec"]["ingressClassName"].as_str().or(annotation.as_str())?;
        let is_other = match self.controllers[class].as_str() {
            Some(program) => program != "ingress-nginx",
            None => OTHER_PROGRAMS.iter().any(|word| class.contains(word)),
        };
        is_other.then_some(class)
    }
}

/// The objects of all cases, also of their mended inputs, and of the cookbook.
fn emitted() -> Vec<Emitted> {
    let objects = |yaml: &str| parse(yaml).unwrap_or_else(|error| panic!("{error:#}\n{yaml}"));
    let mut emitted = Vec::new();
    for case in cases().into_iter().flat_map(|case| [case.mended(), Some(case)]).flatten() {
        let run = case.run();
        let codes: Vec<Code> = run.findings.iter().map(|finding| finding.diagnostic.code).collect();
        let controllers = case.settings.as_ref().map_or(Value::Null, |it| it["controllers"].clone());
        emitted.extend(objects(&run.objects).into_iter().map(|object| Emitted {
            origin: case.slug.clone(),
            object,
            codes: codes.clone(),
            controllers: controllers.clone(),
        }));
    }
    for entry in workspace().join("docs/cookbook").read_dir().unwrap() {
        let path = entry.unwrap().path();
        let page = fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // Another test compares these blocks with the output of the core.
        for block in page.split("\n```yaml objects\n").skip(1) {
            let yaml = block.split("\n```\n").next().unwrap();
            let of_page = |object| Emitted {
                origin: name.clone(),
                object,
                codes: Vec::new(),
                controllers: Value::Null,
            };
            emitted.extend(objects(yaml).into_iter().map(of_page));
        }
    }
    emitted
}

fn cases() -> Vec<Case> {
    all().unwrap_or_else(|error| panic!("{error:#}"))
}

#[test]
#[ignore = "needs a cluster: make verify-objects"]
fn the_api_server_takes_every_object_and_adds_nothing() {
    let scene = Scene::with_kinds("judges", &[HTTP_ROUTE, ROUTE, MONITOR]);
    let shop = scene.place();
    let parameters = PatchParams {
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply("xposer").force().dry_run()
    };
    let (mut wrong, mut counts) = (Vec::new(), BTreeMap::<String, usize>::new());
    let (mut served, mut not_judged) = (BTreeMap::new(), BTreeMap::<String, usize>::new());
    for Emitted { origin, mut object, .. } in emitted() {
        // The namespaces of the cases do not exist in this cluster.
        object["metadata"]["namespace"] = shop.name.as_str().into();
        let kind = object["kind"].as_str().unwrap().to_owned();
        let is_served = || kind_of(&object).is_some_and(|kind| scene.is_served(kind));
        if !*served.entry(kind.clone()).or_insert_with(is_served) {
            *not_judged.entry(kind).or_default() += 1;
            continue;
        }
        let message = match scene.apply_with(&object, &parameters) {
            Ok(mut stored) => {
                for field in ["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"] {
                    stored["metadata"].as_object_mut().unwrap().remove(field);
                }
                stored.as_object_mut().unwrap().remove("status");
                differences(&object, &stored)
            }
            Err(status) => vec![status.to_string()],
        };
        wrong
            .extend(message.into_iter().map(|said| format!("{origin}: {kind} {}: {said}", name_of(&object))));
        *counts.entry(kind).or_default() += 1;
    }
    say(&format!("the API server judged {} objects: {counts:?}", counts.values().sum::<usize>()));
    say(&format!(
        "skipped: {not_judged:?}, whose definitions this cluster lacks; `schemas` judges them, and the chain with the real ones"
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let is_judged = |kind: &&Kind| !not_judged.contains_key(kind.name);
    let is_counted = |kind: &Kind| counts.get(kind.name).is_some_and(|count| *count > 5);
    assert!(MADE.iter().filter(is_judged).all(is_counted), "{counts:?}");
    assert!(counts[INGRESS.name] > 200, "{counts:?}");
    shop.has_nothing();
    scene.end(&[]);
}

/// The program with ingress-nginx's code: that of `chain/build`, unless a variable names another one.
fn judge() -> PathBuf {
    let own = || workspace().join(".tools/chain/bin/ingress-nginx-annotations");
    std::env::var_os("INGRESS_NGINX_ANNOTATIONS").map_or_else(own, PathBuf::from)
}

/// What ingress-nginx's code says against each Ingress: its refusal, and the complaints of its log.
fn complaints<'o>(ingresses: impl IntoIterator<Item = &'o Value>) -> Vec<Option<String>> {
    answers(ingresses).iter().map(complaint).collect()
}

/// What ingress-nginx's code makes of each Ingress.
fn answers<'o>(ingresses: impl IntoIterator<Item = &'o Value>) -> Vec<Value> {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let program = judge();
    let file = format!("ingresses-{}.json", RUNS.fetch_add(1, Ordering::Relaxed));
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    let documents: Vec<String> = ingresses.into_iter().map(Value::to_string).collect();
    fs::write(&file, documents.join("\n---\n")).unwrap();
    let run = Command::new(&program).stdin(File::open(&file).unwrap()).stderr(Stdio::inherit()).output();
    let output =
        run.unwrap_or_else(|error| panic!("{}: {error}; `make verify-objects` builds it", program.display()));
    assert!(output.status.success(), "{}: {}", program.display(), output.status);
    let lines = std::str::from_utf8(&output.stdout).unwrap().lines();
    let answers: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), documents.len(), "one answer an Ingress");
    answers
}

fn complaint(answer: &Value) -> Option<String> {
    assert_eq!(answer["refusal"].is_null(), !answer["settings"].is_null(), "{answer}");
    let logged = answer["log"].as_array().into_iter().flatten().filter_map(|line| line["msg"].as_str());
    // This is no complaint, though it is logged as one.
    let logged = logged.filter(|message| !message.starts_with("Current config."));
    let said: Vec<&str> = answer["refusal"].as_str().into_iter().chain(logged).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

#[test]
#[ignore = "needs ingress-nginx's code: make verify-objects"]
fn ingress_nginx_takes_every_ingress_but_those_that_are_listed() {
    let mut ingresses = emitted();
    ingresses.retain(|it| it.object["kind"] == INGRESS.name);
    let all = ingresses.len();
    let mut others = BTreeMap::<String, usize>::new();
    ingresses.retain(|it| match it.other_class() {
        Some(class) => {
            *others.entry(class.to_owned()).or_default() += 1;
            false
        }
        None => true,
    });
    let (mut wrong, mut counts) = (Vec::new(), [0; INTENDED_DIFFERENCES.len()]);
    for (it, complaint) in ingresses.iter().zip(complaints(ingresses.iter().map(|it| &it.object))) {
        let Some(complaint) = complaint else { continue };
        let row = INTENDED_DIFFERENCES
            .iter()
            .position(|(slug, part, _)| *slug == it.origin && complaint.contains(part));
        if let Some(row) = row {
            counts[row] += 1;
        }
        match row.map(|row| &INTENDED_DIFFERENCES[row].2) {
            Some(Said(code)) if !it.codes.contains(code) => {
                wrong.push(format!("{}: {complaint}, and the report has no {code}", it.origin));
            }
            Some(_) => {}
            None => wrong.push(format!("{}: Ingress {}: {complaint}", it.origin, name_of(&it.object))),
        }
    }
    for ((slug, part, reason), count) in INTENDED_DIFFERENCES.iter().zip(counts) {
        let reason = match reason {
            Said(code) => code.to_string(),
            Because(reason) => (*reason).to_owned(),
        };
        say(&format!("  {slug}: {part}: {reason}"));
        if count == 0 {
            wrong.push(format!("{slug}: there is no complaint about {part} any more"));
        }
    }
    say(&format!(
        "ingress-nginx judged {} of {all} Ingresses, and complains about {}, as listed; classes of other \
         programs, whose annotations it does not know: {others:?}",
        ingresses.len(),
        counts.iter().sum::<usize>(),
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Reads "`key` is `value`, expected ..." and "`key` is given without ...".
fn accused(message: &str) -> Option<(&str, Option<&str>)> {
    let mut parts = message.split('`');
    let (key, between, value) = (parts.nth(1)?, parts.next()?, parts.next());
    Some((key, value.filter(|_| between == " is ")))
}

fn ingress(annotations: &Value) -> Value {
    json!({
        "apiVersion": INGRESS.api, "kind": INGRESS.name,
        "metadata": {"name": "web", "namespace": "shop", "annotations": annotations},
        "spec": {"rules": [{"host": "shop.example.com"}]},
    })
}

#[test]
#[ignore = "needs ingress-nginx's code: make verify-objects"]
fn ingress_nginx_refuses_what_we_refuse_but_for_those_that_are_listed() {
    let mut refused = Vec::new();
    for case in cases() {
        let services: Vec<&Value> = case.services().collect();
        let findings = case.run().findings;
        for finding in findings.iter().filter(|it| it.diagnostic.code == Code::AnnotationInvalid) {
            let Some((key, value)) = accused(&finding.diagnostic.message) else { continue };
            if !key.starts_with("nginx.ingress.kubernetes.io/") {
                continue;
            }
            let block =
                finding.service.and_then(|at| services[at]["metadata"]["annotations"][FORWARD].as_str());
            let mut annotations =
                parse(block.unwrap_or_default()).ok().and_then(|mut it| it.pop()).unwrap_or_default();
            if !annotations.is_object() {
                annotations = json!({});
            }
            if let Some(value) = value {
                annotations[key] = value.into();
            }
            refused.push((case.slug.clone(), key.to_owned(), ingress(&annotations)));
        }
    }
    let said = complaints(refused.iter().map(|(.., ingress)| ingress));
    let (mut wrong, mut met) = (Vec::new(), [false; STRICTER.len()]);
    for ((slug, key, ingress), complaint) in refused.iter().zip(said) {
        let row = STRICTER.iter().position(|(of, name, _)| slug == of && key == name);
        match (complaint, row) {
            (None, None) => {
                wrong.push(format!("{slug}: is taken: {key} of {}", ingress["metadata"]["annotations"]));
            }
            (None, Some(row)) => met[row] = true,
            (Some(_), _) => {}
        }
    }
    for ((slug, key, reason), met) in STRICTER.iter().zip(met) {
        say(&format!("  {slug}: {key}: {reason}"));
        if !met {
            wrong.push(format!("{slug}: {key} is refused now, so this is over: {reason}"));
        }
    }
    say(&format!(
        "ingress-nginx refuses {} of {} values that we refuse",
        refused.len() - STRICTER.len(),
        refused.len()
    ));
    assert!(!refused.is_empty() && wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What happens to a value, in the words of the lists of values.
fn verdict(answer: &Value, without: &Value) -> &'static str {
    let settings = |answer: &Value| {
        let mut settings = answer["settings"].clone();
        if let Some(settings) = settings.as_object_mut() {
            settings.remove("annotations");
        }
        settings
    };
    let url = |answer: &Value| answer["settings"]["ExternalAuth"]["url"].as_str().map(str::len);
    match answer["refusal"].as_str() {
        Some(_) if answer["denied"] == true => "denied",
        Some(_) => "refused",
        None if url(answer) == Some(0) && url(without) > Some(0) => "dropped",
        None if settings(answer) == settings(without) => "ignored",
        None => "good",
    }
}

#[test]
#[ignore = "needs ingress-nginx's code: make verify-objects"]
fn ingress_nginx_behaves_as_the_value_lists_expect() {
    let version = Command::new(judge()).arg("-version").output().unwrap().stdout;
    let is_old = String::from_utf8_lossy(&version).starts_with(OLD_VERSION);
    let file = workspace().join("src/dialect/nginx/tests/values.json");
    let groups: Vec<Value> = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let mut asked = Vec::new();
    for group in &groups {
        let beside: BTreeMap<String, &Value> =
            group["with"].as_object().unwrap().iter().map(|(name, value)| (prefixed(name), value)).collect();
        for (name, lists) in group["keys"].as_object().unwrap() {
            for (list, values) in lists.as_object().unwrap() {
                for value in values.as_array().unwrap() {
                    let mut annotations = beside.clone();
                    annotations.insert(prefixed(name), value);
                    let value = value.as_str().unwrap();
                    asked.push((name, list, value, ingress(&json!(annotations)), ingress(&json!(beside))));
                }
            }
        }
    }
    let answers = answers(asked.iter().flat_map(|(.., ingress, without)| [ingress, without]));
    let (mut wrong, mut met) = (Vec::new(), vec![false; DIFFERENT.len()]);
    for ((name, list, value, ..), answer) in asked.iter().zip(answers.chunks(2)) {
        let found = verdict(&answer[0], &answer[1]);
        let row = DIFFERENT.iter().position(|row| row.0 == *name && row.1 == *value && row.2 == found);
        match row {
            Some(row) => met[row] = true,
            None if found != *list => wrong.push(format!("{name}: {value}: we say {list}, it is {found}")),
            None => {}
        }
    }
    for ((name, value, found, reason), met) in DIFFERENT.iter().zip(met) {
        match reason {
            Older(reason) if is_old => say(&format!("  {name}: {value}: {found} before 1.15: {reason}")),
            Older(_) => continue,
            Ours(reason) => say(&format!("  {name}: {value}: {found}: {reason}")),
        }
        if !met {
            wrong.push(format!("{name}: {value} is not {found} any more"));
        }
    }
    say(&format!("ingress-nginx does what the lists say with {} values of all keys but those", asked.len()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn prefixed(name: &str) -> String {
    format!("nginx.ingress.kubernetes.io/{name}")
}
