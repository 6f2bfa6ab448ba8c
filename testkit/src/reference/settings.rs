//! `settings.md`.

use xposer::options::{ConfigOption, Key, settings};

use super::markdown::{anchor, code, prose, table, yaml};

pub(super) fn body() -> String {
    let mut out = "# Settings\n\n\
        Settings are the administrator's defaults for all Services. An Xposer `config.yaml` is a valid settings file as \
        it is. A setting that does not exist is an error, always; one with an empty value counts as not set.\n\n\
        Most settings are also allowed in a profile and under a namespace. The first of these that has a value applies: \
        the [annotation](annotations.md) of the Service, its [profile](#profiles), its [namespace](#namespaces), the \
        general setting, the built-in default. `xposer explain SERVICE.yaml --settings SETTINGS.yaml` shows where each value \
        of a Service comes from.\n\n\
        Settings are tried before they are used, on a sample Service: under the general settings, in every profile, and in \
        every row of `namespaces`. If every Service there would be refused, for example because of a domain in capitals, this is an \
        error of the settings: the policy does not become active, the controller does not start, or continues with the previous \
        settings, and the commands end with exit status 2. A missing value that a Service can have, such as a domain or an \
        issuer, is no error of the settings, and neither is a problem that depends on a condition in a template.\n\n\
        [`settings.schema.json`](settings.schema.json) is the JSON Schema of the settings. An editor that reads it completes and \
        checks them where the file begins with this line, or with a path to the schema in it:\n\n"
        .to_owned();
    out.push_str(&yaml(&format!("# yaml-language-server: $schema={}", super::schema::ID)));
    out.push('\n');
    out.push_str(&table(
        ["Setting", "Value", "Default", "Overridden by"],
        settings().map(|(key, row)| {
            [
                format!("[{}](#{})", code(key.name), anchor(key.name)),
                prose(&row.form.describe()),
                default(row),
                row.annotation.map_or_else(|| "-".to_owned(), annotation),
            ]
        }),
    ));
    for (key, row) in settings() {
        out.push_str(&section(key, row));
    }
    out
}

fn annotation(key: Key) -> String {
    format!("[{}](annotations.md#{})", code(key.short_name()), anchor(key.short_name()))
}

fn default(row: &ConfigOption) -> String {
    match row.default_value() {
        Some(value) => code(value),
        None => prose(row.default.trim_matches(['(', ')'])),
    }
}

fn section(key: Key, row: &ConfigOption) -> String {
    let overridden = match row.annotation {
        Some(key) => format!("- A Service overrides it with the annotation {}.\n", annotation(key)),
        None => "- A Service cannot override it.\n".to_owned(),
    };
    let layered = if row.is_layered() {
        "- Also allowed in a profile and under a namespace.\n"
    } else {
        "- Allowed only in the general settings.\n"
    };
    format!(
        "\n## {}\n\n{}\n\n- Value: {}.\n- Default: {}.\n{layered}{overridden}\n{}",
        key.name,
        prose(row.doc),
        prose(&row.form.describe()),
        default(row),
        yaml(&format!("{}: {}", key.name, key.example)),
    )
}
