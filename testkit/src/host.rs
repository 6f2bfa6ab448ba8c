//! The real host of a policy: waPC on wasmtime, configured as in Kubewarden's policy-server.
//!
//! A module is compiled once. Every call gets a fresh instance, an epoch deadline interrupts a call that does not end, and every
//! call of the guest to its host is recorded.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use wapc::WapcHost;
use wasmtime_provider::wasmtime::{Config, Engine, Module as Compiled};
use wasmtime_provider::{EpochDeadlines, WasmtimeEngineProviderBuilder, WasmtimeEngineProviderPre};

use crate::source::workspace;

/// The interval at which the epoch advances, as in policy-server.
const TICK: Duration = Duration::from_secs(1);
/// The maximum number of ticks of the initialisation and of a call: policy-server's default.
const TICKS: u64 = 2;

/// A call of a guest to its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCall {
    /// The binding; `kubewarden` for all capabilities of Kubewarden.
    pub binding: String,
    /// The namespace, for example `kubernetes`.
    pub namespace: String,
    /// The operation, for example `get_resource`.
    pub operation: String,
    /// The payload.
    pub payload: Vec<u8>,
}

impl HostCall {
    /// Creates a call of `kubernetes/get_resource`.
    #[must_use]
    pub fn get_resource(payload: Vec<u8>) -> Self {
        Self {
            binding: "kubewarden".to_owned(),
            namespace: "kubernetes".to_owned(),
            operation: "get_resource".to_owned(),
            payload,
        }
    }
}

/// Refuses a call, as a host without capabilities does.
///
/// # Errors
///
/// Always.
pub fn refuse(_: &HostCall) -> Result<Vec<u8>, String> {
    Err("no host capability is granted".to_owned())
}

/// The result of a call.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The answer of the guest, or the host's message why there is none.
    pub result: Result<Vec<u8>, String>,
    /// The calls that the guest made in the meantime, in order.
    pub calls: Vec<HostCall>,
}

/// A function that answers the calls of a guest.
pub type Reply = dyn Fn(&HostCall) -> Result<Vec<u8>, String> + Send + Sync;

/// A compiled module.
pub struct Module {
    pre: WasmtimeEngineProviderPre,
}

/// The text of the deadline error, which policy-server looks for.
pub const INTERRUPTED: &str = "guest code interrupted, execution deadline exceeded";

/// The file of the policy's module: the file that `POLICY_WASM` names, or `policy.wasm` in the folder of the workspace, which `make
/// policy.wasm` builds.
#[must_use]
pub fn policy_file() -> PathBuf {
    let named = std::env::var_os("POLICY_WASM").filter(|path| !path.is_empty());
    named.map_or_else(|| workspace().join("policy.wasm"), PathBuf::from)
}

/// Loads the policy's module from its [file](policy_file).
///
/// # Errors
///
/// The file does not exist, or is no module.
pub fn policy() -> anyhow::Result<Module> {
    Module::load(&policy_file())
}

impl Module {
    /// Compiles the module in a file; `.wat` text is accepted as well.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no module that a waPC host can run.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
        Self::new(&bytes).with_context(|| path.display().to_string())
    }

    /// Compiles a module.
    ///
    /// # Errors
    ///
    /// The bytes are no module that a waPC host can run.
    pub fn new(bytes: &[u8]) -> anyhow::Result<Self> {
        let mut config = Config::new();
        config.epoch_interruption(true);
        let engine = Engine::new(&config).map_err(|error| anyhow!("{error:#}"))?;
        let compiled = Compiled::new(&engine, bytes).map_err(|error| anyhow!("{error:#}"))?;
        let clock = engine.weak();
        // The thread ends with the last user of the engine.
        thread::spawn(move || {
            while let Some(engine) = clock.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(TICK);
            }
        });
        let builder = WasmtimeEngineProviderBuilder::new().engine(engine).module(compiled);
        let pre = builder.build_pre()?;
        Ok(Self { pre })
    }

    /// Calls an operation of a fresh instance. Its calls to the host are refused, as by a host without capabilities.
    #[must_use]
    pub fn call(&self, operation: &str, payload: &[u8]) -> Answer {
        self.call_with(operation, payload, Box::new(refuse))
    }

    /// Calls an operation of a fresh instance; `reply` answers its calls to the host.
    #[must_use]
    pub fn call_with(&self, operation: &str, payload: &[u8], reply: Box<Reply>) -> Answer {
        let calls: Arc<Mutex<Vec<HostCall>>> = Arc::default();
        let seen = Arc::clone(&calls);
        let record = move |_: u64, binding: &str, namespace: &str, operation: &str, payload: &[u8]| {
            let call = HostCall {
                binding: binding.to_owned(),
                namespace: namespace.to_owned(),
                operation: operation.to_owned(),
                payload: payload.to_vec(),
            };
            let answer = reply(&call).map_err(Into::into);
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(call);
            answer
        };
        let deadlines = EpochDeadlines { wapc_init: TICKS, wapc_func: TICKS };
        let run = || {
            let engine = self.pre.rehydrate(Some(deadlines)).map_err(|error| error.to_string())?;
            let host =
                WapcHost::new(Box::new(engine), Some(Box::new(record))).map_err(|error| error.to_string())?;
            host.call(operation, payload).map_err(|error| error.to_string())
        };
        let result = run();
        let calls = std::mem::take(&mut *calls.lock().unwrap_or_else(PoisonError::into_inner));
        Answer { result, calls }
    }
}
