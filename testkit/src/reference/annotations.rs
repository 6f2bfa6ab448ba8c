//! `annotations.md`.

use serde_json::json;
use xposer::dialect::legacy::{self, Fate};
use xposer::{CONFIG_PREFIX, EXPOSE_LABEL, Key, keys};
use xposer_cli::yaml::to_yaml;

use super::{anchor, code, prose, table, yaml};

pub(super) fn body() -> String {
    let mut out = format!(
        "# Annotations of a Service\n\n\
         A Service is exposed if it carries the label {label}, with quotes: a label is a text. Annotations with the \
         prefix `{CONFIG_PREFIX}` say how. What an annotation does not say, the [setting](settings.md) does. An \
         annotation with an empty value counts as not set.\n\n\
         A Service with annotations of ours and without the label, or with the label `{EXPOSE_LABEL}: \"True\"`, is told that it \
         asks for nothing ([asked-wrongly](diagnostics.md#asked-wrongly)); the label `{EXPOSE_LABEL}: \"false\"` says that it is \
         meant so.\n\n",
        label = code(&format!("{EXPOSE_LABEL}: \"true\""))
    );
    out.push_str(&table(
        ["Annotation", "Value", "Overrides the setting", "Known to the original"],
        keys().iter().map(|key| {
            [
                format!("[{}](#{})", code(key.annotation), anchor(key.name())),
                prose(&key.form.describe()),
                key.setting.map_or_else(|| "-".to_owned(), setting),
                if key.original { "yes".to_owned() } else { "no".to_owned() },
            ]
        }),
    ));
    for key in keys() {
        out.push_str(&section(key));
    }
    out.push_str(&old_keys());
    out
}

fn setting(name: &str) -> String {
    format!("[{}](settings.md#{})", code(name), anchor(name))
}

fn section(key: &Key) -> String {
    let overrides = match key.setting {
        Some(name) => format!("- Overrides the setting {}.\n", setting(name)),
        None => "- There is no setting for it.\n".to_owned(),
    };
    let origin = if key.original {
        "The original Xposer knew it."
    } else {
        "New: the original Xposer did not know it."
    };
    let example = to_yaml(&json!({ key.annotation: key.example }));
    format!(
        "\n## {}\n\n{}\n\n- Value: {}.\n{overrides}- {origin}\n\n{}",
        key.name(),
        prose(key.doc),
        prose(&key.form.describe()),
        yaml(example.trim_end()),
    )
}

/// The keys of the forwarded block that are translated.
fn old_keys() -> String {
    let mut out = "\n## Keys that are translated\n\n\
        Today's programs no longer read some of the keys that stand in forwarded blocks. Unless the setting \
        [`legacyAnnotations`](settings.md#legacyannotations) is `forward`, this becomes of them; the first row that fits \
        counts, and a key that ends with `/` or `*` stands for all keys that begin with it. Where the successor is given as \
        well, it counts and the old key is left out. What is said of a key behind `nginx.ingress.kubernetes.io/` is true \
        behind `ingress.kubernetes.io/`, too.\n\n"
        .to_owned();
    out.push_str(&table(
        ["Old key", "What becomes of it", "Since"],
        legacy::REMOVED
            .iter()
            .chain(legacy::TABLE)
            .map(|row| [code(row.old), fate(row.fate), prose(row.source)]),
    ));
    out
}

fn fate(fate: Fate) -> String {
    match fate {
        Fate::Renamed(new) => format!("becomes {}", code(new)),
        Fate::Moved(prefix) => format!("becomes {} and the same name", code(prefix)),
        Fate::Class => format!("becomes the field {}", code("spec.ingressClassName")),
        Fate::Dropped(why) => format!("is dropped: {}", prose(why)),
        Fate::Monitor(field) => format!("becomes {}", code(field.field())),
        Fate::MonitorOption(why) => {
            format!(
                "becomes the option of the same name where the EndpointMonitor has it for the provider before the \
                 first dot; any other is passed on, with a warning: {}",
                prose(why)
            )
        }
        Fate::Dead(why) => format!("is passed on, with a warning: {}", prose(why)),
        Fate::Switch { key, value } => {
            format!("becomes {} where it is true", code(&format!("{key}: {value}")))
        }
        Fate::Removed { why, help } => {
            format!("is passed on, with a warning: {}; {}", prose(why), prose(help))
        }
    }
}
