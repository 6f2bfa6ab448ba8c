//! `ingress-nginx.md`.

use xposer::internal::{NginxKey, intent_of_name, nginx_keys};

use super::markdown::{anchor, code, prose, table};

pub(super) fn body() -> String {
    let mut out = "# The annotations of ingress-nginx\n\n\
        ingress-nginx 1.15 reads these keys behind the prefix `nginx.ingress.kubernetes.io/`. A value of another form is reported as \
        [annotation-invalid](diagnostics.md#annotation-invalid), or as [annotation-ignored](diagnostics.md#annotation-ignored) where \
        ingress-nginx ignores a text and nothing that protects is lost. An empty value counts as missing everywhere, and only a snippet \
        may have several lines.\n\n\
        *Risk* is the word of ingress-nginx, whose setting `annotations-risk-level` is `High` by default. *A bad value* says \
        what ingress-nginx does with a value of another form:\n\n\
        - *Ingress refused*: the admission webhook refuses the Ingress. Without the webhook, the controller does not serve a new Ingress. It \
        serves a changed Ingress as before the change, until the controller restarts.\n\
        - *503*: the webhook accepts the Ingress, and ingress-nginx answers every request with 503.\n\
        - *ignored*: ingress-nginx uses the default, which the table names, and writes only a line to its log.\n\
        - *authentication dropped*: ingress-nginx drops `auth-url` and all keys that belong to it, and writes only a line to its log.\n\n\
        If a row has two of them, the second one is for a value with characters that the key does not allow.\n\n\
        *Elsewhere* says what Xposer reports if the program of the Service has nothing for the key: for *protects*, an Error \
        ([protection-lost](diagnostics.md#protection-lost)); for *weakens* and *may be needed*, a Warning \
        ([protection-weakened](diagnostics.md#protection-weakened), [intent-lost](diagnostics.md#intent-lost)).\n\n"
        .to_owned();
    out.push_str(&table(
        ["Key", "What it is about", "Intent", "Value", "Risk", "A bad value", "Elsewhere"],
        nginx_keys().map(row),
    ));
    out
}

fn row(key: NginxKey) -> [String; 7] {
    [
        code(key.name()),
        prose(key.about()),
        intent_of(key.name()),
        prose(&key.value()),
        format!("{:?}", key.risk()),
        prose(&key.bad_value()),
        key.lost().to_owned(),
    ]
}

/// The option that has the same meaning as a key, on every target.
fn intent_of(name: &str) -> String {
    intent_of_name(name).map_or_else(
        || "-".to_owned(),
        |intent| {
            let option = intent.annotation().rsplit('/').next().unwrap_or_default();
            format!("[{}](dialects.md#{})", code(option), anchor(option))
        },
    )
}
