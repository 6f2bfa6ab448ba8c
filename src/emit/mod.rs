//! Plans become objects of the Kubernetes API, one file per kind. A kind says what it cannot express.

mod configmap;
pub(crate) mod ingress;

use serde_json::{Map, Value};

use crate::diag::Report;
use crate::plan::Plan;

/// The label that names the program an object belongs to (a recommended label of Kubernetes).
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY_LABEL`] on everything we emit.
pub const MANAGED_BY: &str = "xposer";
/// The label that names the Service an object was made for.
pub const SERVICE_LABEL: &str = "xposer.stakater.com/service";

/// The objects of some plans, and what their kinds could not express.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Emitted {
    /// The objects: Ingresses in the order of the plans, then ConfigMaps in the order of their namespaces.
    pub objects: Vec<Value>,
    /// What could not be expressed, as Infos.
    pub report: Report,
}

pub(crate) fn emit<'p>(plans: impl IntoIterator<Item = &'p Plan>) -> Emitted {
    let mut emitted = Emitted::default();
    let mut urls = configmap::Urls::default();
    for plan in plans {
        emitted.objects.push(ingress::object_of(plan));
        urls.add(plan);
    }
    urls.emit(&mut emitted);
    emitted
}

/// A mapping; entries without a value are left out.
fn object<const N: usize>(entries: [(&str, Option<Value>); N]) -> Value {
    let mut map = Map::new();
    for (key, value) in entries {
        if let Some(value) = value {
            map.insert(key.to_owned(), value);
        }
    }
    Value::Object(map)
}

fn text(text: &str) -> Option<Value> {
    Some(Value::String(text.to_owned()))
}

/// The labels of an object; `service` where it belongs to a single one.
fn labels(service: Option<&str>) -> Option<Value> {
    Some(object([(MANAGED_BY_LABEL, text(MANAGED_BY)), (SERVICE_LABEL, service.and_then(text))]))
}
