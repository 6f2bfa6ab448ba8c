//! `annotations.md`.

use serde_json::json;
use xposer::internal::legacy::{self, Migration};
use xposer::options::{ConfigOption, Key, annotations};
use xposer::service::{CONFIG_PREFIX, EXPOSE_LABEL};
use xposer_manifest::to_yaml;

use super::markdown::{anchor, code, prose, table, yaml};

pub(super) fn body() -> String {
    let mut out = format!(
        "# Annotations of a Service\n\n\
         A Service is exposed if it carries the label {label}, with quotes: a label is a text. Annotations with the \
         prefix `{CONFIG_PREFIX}` configure it. Without an annotation, the [setting](settings.md) applies. An \
         annotation with an empty value counts as not set.\n\n\
         A Service with these annotations and without the label, or with the label `{EXPOSE_LABEL}: \"True\"`, gets the Warning \
         [asked-wrongly](diagnostics.md#asked-wrongly). With the label `{EXPOSE_LABEL}: \"false\"`, there is no Warning.\n\n",
        label = code(&format!("{EXPOSE_LABEL}: \"true\""))
    );
    out.push_str(&table(
        ["Annotation", "Value", "Overrides the setting", "Known to the original"],
        annotations().map(|(key, row)| {
            [
                format!("[{}](#{})", code(key.name), anchor(key.short_name())),
                prose(&row.form.describe()),
                row.setting.map_or_else(|| "-".to_owned(), setting),
                if row.original { "yes".to_owned() } else { "no".to_owned() },
            ]
        }),
    ));
    for (key, row) in annotations() {
        out.push_str(&section(key, row));
    }
    out.push_str(&old_keys());
    out
}

fn setting(key: Key) -> String {
    format!("[{}](settings.md#{})", code(key.name), anchor(key.name))
}

fn section(key: Key, row: &ConfigOption) -> String {
    let overrides = match row.setting {
        Some(key) => format!("- Overrides the setting {}.\n", setting(key)),
        None => "- There is no setting for it.\n".to_owned(),
    };
    let origin = if row.original {
        "The original Xposer knew it."
    } else {
        "New: the original Xposer did not know it."
    };
    let example = to_yaml(&json!({ key.name: key.example }));
    format!(
        "\n## {}\n\n{}\n\n- Value: {}.\n{overrides}- {origin}\n\n{}",
        key.short_name(),
        prose(row.doc),
        prose(&row.form.describe()),
        yaml(example.trim_end()),
    )
}

/// The keys of the forwarded block that are translated.
fn old_keys() -> String {
    let mut out = "\n## Keys that are translated\n\n\
        Today's programs no longer read some of the keys in forwarded blocks. Unless the setting \
        [`legacyAnnotations`](settings.md#legacyannotations) is `forward`, they are translated as in this table. The first \
        matching row applies, and a key that ends with `/` or `*` matches all keys that begin with it. If the successor is also \
        given, it applies, and the old key is dropped. The rows about keys with the prefix `nginx.ingress.kubernetes.io/` also \
        apply to the prefix `ingress.kubernetes.io/`.\n\n"
        .to_owned();
    out.push_str(&table(
        ["Old key", "What becomes of it", "Since"],
        legacy::rows().map(|row| [code(row.old), migration(row.migration), prose(row.source)]),
    ));
    out
}

fn migration(migration: Migration) -> String {
    match migration {
        Migration::Renamed(new) => format!("becomes {}", code(new)),
        Migration::Moved(prefix) => format!("becomes {} and the same name", code(prefix)),
        Migration::Class => format!("becomes the field {}", code("spec.ingressClassName")),
        Migration::Dropped(why) => format!("is dropped: {}", prose(why)),
        Migration::Monitor(field) => format!("becomes {}", code(field.path())),
        Migration::MonitorOption(why) => {
            format!(
                "becomes the option of the same name where the EndpointMonitor has it for the provider before the \
                 first dot; any other is passed on, with a warning: {}",
                prose(why)
            )
        }
        Migration::Dead(why) => format!("is passed on, with a warning: {}", prose(why)),
        Migration::Switch { key, value } => {
            format!("becomes {} where it is true", code(&format!("{key}: {value}")))
        }
        Migration::Removed { why, help } => {
            format!("is passed on, with a warning: {}; {}", prose(why), prose(help))
        }
    }
}
