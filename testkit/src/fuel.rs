//! Counts the WebAssembly instructions of a request with wasmtime's fuel: about one unit for each instruction.
//!
//! The count is the same in every run, however busy the machine is. It does not include the cost of an instance in its host:
//! memory, and the calls between guest and host.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use wasmtime_provider::wasmtime::{self, Caller, Config, Engine, InstancePre, Linker, Memory, Store};

use crate::host::{HostCall, Reply};

/// The time that the guest reads from the clock, in seconds since 1970.
const NOW: u64 = 1_795_935_600;
/// The same time in the format of the API server, for claims that are up to date.
pub const WRITTEN: &str = "2026-11-29T07:00:00Z";

/// A compiled module whose instructions are counted.
pub struct Counted {
    pre: InstancePre<Call>,
}

/// The fuel that a call of a fresh instance consumed.
#[derive(Clone, Debug)]
pub struct Spent {
    /// The fuel of `wapc_init`.
    pub start: u64,
    /// The fuel of the operation.
    pub call: u64,
    /// The answer of the guest.
    pub answer: Vec<u8>,
}

/// The state of a call, which the guest reads and changes.
struct Call {
    operation: String,
    payload: Vec<u8>,
    reply: Box<Reply>,
    /// The answer to the guest's last call to the host.
    replied: Vec<u8>,
    /// The answer of the guest, or its error.
    answer: Result<Vec<u8>, String>,
}

impl Counted {
    /// Compiles the module in a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no module of a policy.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
        Self::new(&bytes).map_err(|error| anyhow!("{}: {error:#}", path.display()))
    }

    fn new(bytes: &[u8]) -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config.consume_fuel(true);
        let engine = Engine::new(&config)?;
        let module = wasmtime::Module::new(&engine, bytes)?;
        let mut linker = Linker::new(&engine);
        wapc(&mut linker)?;
        wasi(&mut linker)?;
        // A policy that answers does not call the other functions that the standard library imports.
        linker.define_unknown_imports_as_traps(&module)?;
        Ok(Self { pre: linker.instantiate_pre(&module)? })
    }

    /// Calls an operation of a fresh instance; `reply` answers its calls to the host.
    ///
    /// # Errors
    ///
    /// The guest returns an error, or does not answer.
    pub fn call(&self, operation: &str, payload: &[u8], reply: Box<Reply>) -> Result<Spent> {
        let call = Call {
            operation: operation.to_owned(),
            payload: payload.to_vec(),
            reply,
            replied: Vec::new(),
            answer: Err("no answer".to_owned()),
        };
        let lengths = (i32::try_from(operation.len())?, i32::try_from(payload.len())?);
        let mut store = Store::new(self.pre.module().engine(), call);
        let (start, call) = self.run(&mut store, lengths).map_err(|error| anyhow!("{error:#}"))?;
        let answer = store.into_data().answer.map_err(|error| anyhow!(error))?;
        Ok(Spent { start, call, answer })
    }

    fn run(&self, store: &mut Store<Call>, lengths: (i32, i32)) -> wasmtime::Result<(u64, u64)> {
        store.set_fuel(u64::MAX)?;
        let instance = self.pre.instantiate(&mut *store)?;
        instance.get_typed_func::<(), ()>(&mut *store, "wapc_init")?.call(&mut *store, ())?;
        let start = u64::MAX - store.get_fuel()?;
        instance
            .get_typed_func::<(i32, i32), i32>(&mut *store, "__guest_call")?
            .call(&mut *store, lengths)?;
        Ok((start, u64::MAX - store.get_fuel()? - start))
    }
}

/// An address in the guest's memory.
type Pointer = u32;

fn memory(caller: &mut Caller<'_, Call>) -> wasmtime::Result<Memory> {
    let memory = caller.get_export("memory").and_then(wasmtime::Extern::into_memory);
    memory.ok_or_else(|| wasmtime::Error::msg("the guest has no memory"))
}

fn read(caller: &mut Caller<'_, Call>, at: Pointer, length: u32) -> wasmtime::Result<Vec<u8>> {
    let memory = memory(caller)?;
    let mut bytes = vec![0; length as usize];
    memory.read(&*caller, at as usize, &mut bytes)?;
    Ok(bytes)
}

fn write(caller: &mut Caller<'_, Call>, at: Pointer, bytes: &[u8]) -> wasmtime::Result<()> {
    Ok(memory(caller)?.write(caller, at as usize, bytes)?)
}

/// Defines the functions of waPC that a policy calls.
fn wapc(linker: &mut Linker<Call>) -> wasmtime::Result<()> {
    const WAPC: &str = "wapc";
    linker.func_wrap(
        WAPC,
        "__guest_request",
        |mut caller: Caller<'_, Call>, operation: Pointer, payload: Pointer| {
            let (name, bytes) = (caller.data().operation.clone(), caller.data().payload.clone());
            write(&mut caller, operation, name.as_bytes())?;
            write(&mut caller, payload, &bytes)
        },
    )?;
    linker.func_wrap(
        WAPC,
        "__guest_response",
        |mut caller: Caller<'_, Call>, at: Pointer, length: u32| {
            caller.data_mut().answer = Ok(read(&mut caller, at, length)?);
            Ok(())
        },
    )?;
    linker.func_wrap(WAPC, "__guest_error", |mut caller: Caller<'_, Call>, at: Pointer, length: u32| {
        let error = read(&mut caller, at, length)?;
        caller.data_mut().answer = Err(String::from_utf8_lossy(&error).into_owned());
        Ok(())
    })?;
    linker.func_wrap(
        WAPC,
        "__host_call",
        |mut caller: Caller<'_, Call>,
         _: Pointer,
         _: u32,
         _: Pointer,
         _: u32,
         _: Pointer,
         _: u32,
         at: Pointer,
         length: u32| {
            let call = HostCall::get_resource(read(&mut caller, at, length)?);
            let replied = (caller.data().reply)(&call);
            let is_answered = replied.is_ok();
            caller.data_mut().replied = replied.unwrap_or_else(String::into_bytes);
            Ok(u32::from(is_answered))
        },
    )?;
    for name in ["__host_response_len", "__host_error_len"] {
        linker.func_wrap(WAPC, name, |caller: Caller<'_, Call>| caller.data().replied.len() as u32)?;
    }
    for name in ["__host_response", "__host_error"] {
        linker.func_wrap(WAPC, name, |mut caller: Caller<'_, Call>, at: Pointer| {
            let replied = caller.data().replied.clone();
            write(&mut caller, at, &replied)
        })?;
    }
    Ok(())
}

/// Defines the functions of WASI that a policy calls: the clock, and the random seed of hash tables.
fn wasi(linker: &mut Linker<Call>) -> wasmtime::Result<()> {
    const WASI: &str = "wasi_snapshot_preview1";
    linker.func_wrap(WASI, "random_get", |mut caller: Caller<'_, Call>, at: Pointer, length: u32| {
        write(&mut caller, at, &vec![0; length as usize])?;
        Ok(0)
    })?;
    linker.func_wrap(
        WASI,
        "clock_time_get",
        |mut caller: Caller<'_, Call>, _: u32, _: u64, at: Pointer| {
            write(&mut caller, at, &(NOW * 1_000_000_000).to_le_bytes())?;
            Ok(0)
        },
    )?;
    Ok(())
}
