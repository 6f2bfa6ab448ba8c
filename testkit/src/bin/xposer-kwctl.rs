//! A replacement for `kwctl run` on machines without kwctl: the same command line, as far as `e2e.bats` uses it, the same JSON on
//! standard output, and the same exit codes. The module runs in the same kind of host.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::{Args, Parser};
use serde_json::{Map, Value, json};
use xposer_testkit::cases::parse;
use xposer_testkit::cluster::Cluster;
use xposer_testkit::host::{Answer, HostCall, Module, Reply};
use xposer_testkit::kubewarden::{Deployment, Policy, evaluate};

#[derive(Parser)]
#[command(name = "xposer-kwctl", version, about = "Stands in for `kwctl run` in the tests of Xposer")]
enum Command {
    /// Runs a policy: a module, or the YAML of an AdmissionPolicy or ClusterAdmissionPolicy.
    Run(Run),
}

#[derive(Args)]
struct Run {
    /// The admission request as JSON; `-` is standard input.
    #[arg(short, long, value_name = "PATH")]
    request_path: PathBuf,
    /// The settings as JSON.
    #[arg(long, value_name = "VALUE", conflicts_with = "settings_path")]
    settings_json: Option<String>,
    /// The settings as a file of YAML or JSON.
    #[arg(short, long, value_name = "PATH")]
    settings_path: Option<PathBuf>,
    /// Grants what the module's metadata requests; without metadata, nothing.
    #[arg(long)]
    allow_context_aware: bool,
    /// Answers the calls of the policy from a file that kwctl has recorded.
    #[arg(long, value_name = "FILE", conflicts_with = "record_host_capabilities_interactions")]
    replay_host_capabilities_interactions: Option<PathBuf>,
    /// Writes the calls of the policy and their answers into a file, in kwctl's form.
    #[arg(long, value_name = "FILE")]
    record_host_capabilities_interactions: Option<PathBuf>,
    /// Answers the calls of the policy from a file of objects, or a folder of such files; kwctl asks a cluster.
    #[arg(long, value_name = "PATH", conflicts_with = "replay_host_capabilities_interactions")]
    cluster: Option<PathBuf>,
    /// The module, or the YAML file.
    policy: String,
}

fn main() -> ExitCode {
    let Command::Run(run) = Command::parse();
    match answer(&run) {
        Ok(line) => match writeln!(std::io::stdout(), "{line}") {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(error) => {
            // An error is ignored, because there is nowhere else to report it.
            let _ = writeln!(std::io::stderr(), "Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn answer(run: &Run) -> Result<String> {
    let (module, deployment) = if run.policy.ends_with(".yml") || run.policy.ends_with(".yaml") {
        deployed(&run.policy)?
    } else {
        (PathBuf::from(&run.policy), Deployment { settings: settings(run)?, ..Deployment::default() })
    };
    let request = text(&run.request_path)?;
    let request: Value = serde_json::from_str(&request).context("cannot parse the request")?;
    let module = Module::load(&module)?;
    let answers = match (&run.replay_host_capabilities_interactions, &run.cluster) {
        (Some(file), _) => Answers::Recorded(Session::read(file)?),
        (None, Some(path)) => Answers::Of(Cluster::read(path)?),
        (None, None) => Answers::Of(Cluster::default()),
    };
    let answered = Answered { answers, made: Vec::new() };
    let policy = Replayed {
        module,
        // As in kwctl, which grants what the metadata requests only with the flag.
        grants: run.allow_context_aware || run.replay_host_capabilities_interactions.is_some(),
        answered: Arc::new(Mutex::new(answered)),
    };
    let (response, _) = evaluate(&policy, &deployment, &request).map_err(|refusal| anyhow!("{refusal}"))?;
    if let Some(file) = &run.record_host_capabilities_interactions {
        let made = &policy.answered.lock().unwrap_or_else(PoisonError::into_inner).made;
        std::fs::write(file, recording(made)?).with_context(|| file.display().to_string())?;
    }
    Ok(serde_json::to_string(&response)?)
}

fn text(path: &Path) -> Result<String> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.with_context(|| path.display().to_string())?;
    Ok(text)
}

/// The single document of a YAML file.
fn document(path: &Path) -> Result<Value> {
    let mut documents = parse(&text(path)?).with_context(|| path.display().to_string())?;
    ensure!(documents.len() <= 1, "{}: expected one document, found {}", path.display(), documents.len());
    Ok(documents.pop().unwrap_or_default())
}

fn mapping(value: Value) -> Result<Map<String, Value>> {
    match value {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        _ => bail!("Invalid settings in CRD, not an object"),
    }
}

fn settings(run: &Run) -> Result<Map<String, Value>> {
    match (&run.settings_json, &run.settings_path) {
        (Some(json), _) => mapping(serde_json::from_str(json).context("Cannot parse settings JSON")?),
        (None, Some(path)) => mapping(document(path)?),
        (None, None) => Ok(Map::new()),
    }
}

/// The module and the deployment that a policy resource describes.
fn deployed(file: &str) -> Result<(PathBuf, Deployment)> {
    let resource = document(Path::new(file))?;
    let at = |path: &str| resource.pointer(path);
    let word = |path: &str| at(path).and_then(Value::as_str);
    if word("/apiVersion") != Some("policies.kubewarden.io/v1") {
        bail!("invalid apiVersion {:?}", word("/apiVersion"));
    }
    if !matches!(word("/kind"), Some("AdmissionPolicy" | "ClusterAdmissionPolicy")) {
        bail!("unknown kind {:?}, not a Kubewarden policy", word("/kind"));
    }
    let module = word("/spec/module").and_then(|uri| uri.strip_prefix("file://"));
    let module = module.context("the module must be a file:// URL here")?.into();
    let deployment = Deployment {
        id: word("/metadata/name").unwrap_or("crd-without-name").to_owned(),
        mutating: at("/spec/mutating").and_then(Value::as_bool).unwrap_or_default(),
        protect: word("/spec/mode") != Some("monitor"),
        message: word("/spec/message").map(str::to_owned),
        settings: mapping(at("/spec/settings").cloned().unwrap_or_default())?,
    };
    Ok((module, deployment))
}

/// A module whose calls are answered from a recording or from objects.
struct Replayed {
    module: Module,
    grants: bool,
    answered: Arc<Mutex<Answered>>,
}

struct Answered {
    answers: Answers,
    /// The calls that were made, and their answers.
    made: Vec<Exchange>,
}

enum Answers {
    Recorded(Session),
    Of(Cluster),
}

/// A call and its answer.
type Exchange = (HostCall, Result<Vec<u8>, String>);

impl Policy for Replayed {
    fn call(&self, operation: &str, payload: &[u8]) -> Answer {
        if !self.grants {
            let refuse = |call: &HostCall| {
                Err(format!(
                    "Policy has not been granted access to the '{}/{}' host capability",
                    call.namespace, call.operation
                ))
            };
            return self.module.call_with(operation, payload, Box::new(refuse));
        }
        let answered = Arc::clone(&self.answered);
        let reply: Box<Reply> = Box::new(move |call| {
            let mut answered = answered.lock().unwrap_or_else(PoisonError::into_inner);
            let answer = match &mut answered.answers {
                Answers::Recorded(session) => session.reply(call),
                Answers::Of(cluster) => cluster.reply(call),
            };
            answered.made.push((call.clone(), answer.clone()));
            answer
        });
        self.module.call_with(operation, payload, reply)
    }
}

/// Formats calls and answers as kwctl does. JSON is YAML; the request is a YAML text with a tag.
fn recording(made: &[Exchange]) -> Result<String> {
    let exchange = |(call, answer): &Exchange| {
        let tag = TAGS.iter().find(|(_, operation)| *operation == call.operation);
        let (tag, _) = tag.with_context(|| format!("there is no form for {}", call.operation))?;
        let payload: Map<String, Value> = serde_json::from_slice(&call.payload)?;
        let fields: String = payload.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
        let response = match answer {
            Ok(payload) => json!({"type": "Success", "payload": String::from_utf8_lossy(payload)}),
            Err(message) => json!({"type": "Error", "message": message}),
        };
        Ok(json!({"type": "Exchange", "request": format!("{tag}\n{fields}"), "response": response}))
    };
    let exchanges = made.iter().map(exchange).collect::<Result<Vec<Value>>>()?;
    Ok(serde_json::to_string_pretty(&exchanges)? + "\n")
}

/// A recording of kwctl: requests and responses, in order.
#[derive(Default)]
struct Session {
    exchanges: VecDeque<Exchange>,
}

impl Session {
    fn read(file: &Path) -> Result<Self> {
        let recorded = document(file)?;
        let exchanges =
            recorded.as_array().with_context(|| format!("{}: expected a list", file.display()))?;
        let exchanges = exchanges.iter().map(|exchange| {
            read_exchange(exchange)
                .with_context(|| format!("{}: an exchange cannot be read: {exchange}", file.display()))
        });
        Ok(Self { exchanges: exchanges.collect::<Result<_, _>>()? })
    }

    fn reply(&mut self, call: &HostCall) -> Result<Vec<u8>, String> {
        let Some((expected, response)) = self.exchanges.pop_front() else {
            return Err("the list of recorded responses is empty".to_owned());
        };
        let json = |payload: &[u8]| serde_json::from_slice::<Value>(payload).ok().map(without_nulls);
        let same = (&expected.namespace, &expected.operation) == (&call.namespace, &call.operation)
            && json(&expected.payload) == json(&call.payload);
        if same {
            response
        } else {
            Err(format!("Replay error: unexpected request. Was expecting {expected:?}, got {call:?} instead"))
        }
    }
}

/// The tags of a recording, and the calls they stand for.
const TAGS: [(&str, &str); 4] = [
    ("!KubernetesListResourceAll", "list_resources_all"),
    ("!KubernetesListResourceNamespace", "list_resources_by_namespace"),
    ("!KubernetesGetResource", "get_resource"),
    ("!KubernetesCanI", "can_i"),
];

fn read_exchange(exchange: &Value) -> Option<Exchange> {
    let word = |path: &str| exchange.pointer(path).and_then(Value::as_str);
    let (tag, body) = word("/request")?.split_once('\n')?;
    let (_, operation) = TAGS.iter().find(|(known, _)| *known == tag.trim())?;
    let payload = without_nulls(parse(body).ok()?.pop()?).to_string().into_bytes();
    let call = HostCall {
        binding: "kubewarden".to_owned(),
        namespace: "kubernetes".to_owned(),
        operation: (*operation).to_owned(),
        payload,
    };
    let response = match word("/response/type")? {
        "Success" => Ok(word("/response/payload")?.as_bytes().to_vec()),
        _ => Err(word("/response/message")?.to_owned()),
    };
    Some((call, response))
}

/// Removes null fields, which are not set.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => map.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        other => other,
    }
}
