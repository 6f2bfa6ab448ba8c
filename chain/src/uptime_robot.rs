//! A stand-in for UptimeRobot's API (version 2), as far as IngressMonitorController uses it. It stores the monitors.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use serde_json::{Value, json};

use crate::http::{self, Answer};

/// A registered monitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// `friendly_name`.
    pub name: String,
    /// The URL that is monitored.
    pub url: String,
}

/// The monitors and the calls so far.
#[derive(Clone, Debug, Default)]
pub struct UptimeRobot {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    monitors: BTreeMap<u64, Registered>,
    calls: Vec<String>,
    last: u64,
}

impl UptimeRobot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the registered monitors.
    pub fn monitors(&self) -> Vec<Registered> {
        self.state().monitors.values().cloned().collect()
    }

    /// Returns the calls so far, each as its method with its parameters.
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    pub(crate) fn answer(&self, request: &Request<Bytes>) -> Answer {
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let parameters: BTreeMap<String, String> = body
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), decoded(value)))
            .collect();
        let value = |name: &str| parameters.get(name).cloned().unwrap_or_default();
        let mut state = self.state();
        state.calls.push(format!("{method} {body}"));
        let id: u64 = value("id").parse().unwrap_or_default();
        let answer = match method.as_str() {
            "getMonitors" => {
                let searched = value("search");
                let shown = |(id, it): (&u64, &Registered)| {
                    (it.name.contains(&searched) || it.url.contains(&searched)).then(
                        || json!({"id": id, "friendly_name": it.name, "url": it.url, "type": 1, "status": 2, "interval": 300}),
                    )
                };
                let monitors: Vec<Value> = state.monitors.iter().filter_map(shown).collect();
                json!({"stat": "ok", "pagination": {"offset": 0, "limit": 50, "total": monitors.len()}, "monitors": monitors})
            }
            "newMonitor" => {
                state.last += 1;
                let id = state.last;
                state.monitors.insert(id, Registered { name: value("friendly_name"), url: value("url") });
                json!({"stat": "ok", "monitor": {"id": id, "status": 1}})
            }
            "editMonitor" if state.monitors.contains_key(&id) => {
                state.monitors.insert(id, Registered { name: value("friendly_name"), url: value("url") });
                json!({"stat": "ok", "monitor": {"id": id}})
            }
            "deleteMonitor" if state.monitors.remove(&id).is_some() => {
                json!({"stat": "ok", "monitor": {"id": id}})
            }
            "getAlertContacts" => json!({"stat": "ok", "alert_contacts": []}),
            _ => json!({"stat": "fail", "error": {"type": "not_found", "message": method}}),
        };
        http::json(StatusCode::OK, &answer)
    }
}

/// Returns the decoded value of a form field.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let code = std::str::from_utf8(&digits).ok().and_then(|it| u8::from_str_radix(it, 16).ok());
                bytes.extend(code);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
