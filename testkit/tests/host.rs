//! The waPC host of the tests does what policy-server's does: it interrupts, survives traps, and sees every host call.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a module that does not compile has failed the test"
)]

use serde_json::json;
use xposer_testkit::host::{HostCall, INTERRUPTED, Module};
use xposer_testkit::kubewarden::{Deployment, Refusal, evaluate};

/// Returns a guest with one function, whose code is `body`.
fn guest(body: &str) -> Module {
    let text = format!(
        r#"(module
            (import "wapc" "__host_call" (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
            (import "wapc" "__host_response_len" (func $response_len (result i32)))
            (import "wapc" "__host_response" (func $response (param i32)))
            (import "wapc" "__host_error_len" (func $error_len (result i32)))
            (import "wapc" "__host_error" (func $error (param i32)))
            (import "wapc" "__guest_response" (func $answer (param i32 i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "kubewardenkubernetesget_resource{{\"kind\":\"Namespace\"}}{{\"valid\":true}}")
            (func (export "wapc_init"))
            (func (export "__guest_call") (param i32 i32) (result i32) {body}))"#
    );
    Module::new(text.as_bytes()).unwrap()
}

#[test]
fn endless_module_is_interrupted() {
    let endless = guest("(loop $on (br $on)) (i32.const 1)");
    assert!(endless.call("validate", b"{}").result.unwrap_err().contains(INTERRUPTED));
    let refusal = evaluate(&endless, &Deployment::default(), &json!({})).unwrap_err();
    assert!(matches!(refusal, Refusal::Settings(said) if said.contains(INTERRUPTED)));
}

#[test]
fn a_trap_is_an_error_of_this_call_only() {
    let trapping = guest(
        "(if (i32.eq (local.get 1) (i32.const 4)) (then unreachable))
         (call $answer (i32.const 52) (i32.const 14)) (i32.const 1)",
    );
    assert!(trapping.call("validate", b"trap").result.is_err());
    assert_eq!(trapping.call("validate", b"{}").result, Ok(br#"{"valid":true}"#.to_vec()));
}

#[test]
fn host_calls_are_recorded_and_answered() {
    let asking = guest(
        "(if (call $host_call (i32.const 0) (i32.const 10) (i32.const 10) (i32.const 10) (i32.const 20)
                (i32.const 12) (i32.const 32) (i32.const 20))
            (then (call $response (i32.const 200)) (call $answer (i32.const 200) (call $response_len)))
            (else (call $error (i32.const 200)) (call $answer (i32.const 200) (call $error_len))))
         (i32.const 1)",
    );
    let call = HostCall {
        binding: "kubewarden".to_owned(),
        namespace: "kubernetes".to_owned(),
        operation: "get_resource".to_owned(),
        payload: br#"{"kind":"Namespace"}"#.to_vec(),
    };
    let granted = asking.call_with("validate", b"{}", Box::new(|_| Ok(b"shop".to_vec())));
    assert_eq!((granted.result, granted.calls), (Ok(b"shop".to_vec()), vec![call.clone()]));
    let denied = asking.call("validate", b"{}");
    assert_eq!((denied.result, denied.calls), (Ok(b"no host capability is granted".to_vec()), vec![call]));
}

#[test]
fn invalid_module_is_refused() {
    assert!(Module::new(b"not wasm").is_err());
    assert!(Module::new(b"(module)").unwrap().call("validate", b"{}").result.is_err());
}
