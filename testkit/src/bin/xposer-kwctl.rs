//! Stands in for `kwctl run` on machines without kwctl: the same command line, as far as `e2e.bats` uses it, the same
//! JSON on standard output, the same exit codes; the module runs in the same kind of host.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::{Args, Parser};
use serde_json::{Map, Value};
use xposer_testkit::cases::parse;
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
    #[arg(long, value_name = "FILE")]
    replay_host_capabilities_interactions: Option<PathBuf>,
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
            // Nothing can be done where standard error is closed.
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
    let session = match &run.replay_host_capabilities_interactions {
        Some(file) => Session::read(file)?,
        None => Session::default(),
    };
    let policy = Replayed { module, session: Arc::new(Mutex::new(session)) };
    let (response, _) = evaluate(&policy, &deployment, &request).map_err(|refusal| anyhow!("{refusal}"))?;
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

/// The only document of a YAML file.
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

/// A module whose calls are answered from a recording.
struct Replayed {
    module: Module,
    session: Arc<Mutex<Session>>,
}

impl Policy for Replayed {
    fn call(&self, operation: &str, payload: &[u8]) -> Answer {
        let session = Arc::clone(&self.session);
        let reply: Box<Reply> =
            Box::new(move |call| session.lock().unwrap_or_else(PoisonError::into_inner).reply(call));
        self.module.call_with(operation, payload, reply)
    }
}

/// What kwctl recorded: requests and responses, in order.
#[derive(Default)]
struct Session {
    exchanges: VecDeque<(HostCall, Result<Vec<u8>, String>)>,
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

/// The tags of a recording and the calls they stand for.
const TAGS: [(&str, &str); 4] = [
    ("!KubernetesListResourceAll", "list_resources_all"),
    ("!KubernetesListResourceNamespace", "list_resources_by_namespace"),
    ("!KubernetesGetResource", "get_resource"),
    ("!KubernetesCanI", "can_i"),
];

fn read_exchange(exchange: &Value) -> Option<(HostCall, Result<Vec<u8>, String>)> {
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

/// A field that is null was not set.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => map.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        other => other,
    }
}
