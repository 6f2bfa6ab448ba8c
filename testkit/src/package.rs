//! The files that Kubewarden, Rancher and Artifact Hub read, made from the core's table of settings and from `metadata.yml`.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use xposer::options::{ConfigOption, Form, Key, settings};
use xposer_manifest::to_yaml;

use crate::cases::parse;

const QUESTIONS_NOTICE: &str =
    "# Made by `make docs` from the table of settings. Change that, not this file.\n";
const PACKAGE_NOTICE: &str = "# Made by `make docs` from metadata.yml and questions-ui.yml, as `kwctl scaffold artifacthub` makes it.\n";

/// `questions-ui.yml`: the form in which Rancher and Artifact Hub ask for the settings. There is no question for a
/// description, as other policies have one: a form that sent its answer would send a setting that does not exist.
///
/// ```
/// assert!(xposer_testkit::package::questions().contains("variable: ingressURLTemplate"));
/// ```
#[must_use]
pub fn questions() -> String {
    let questions: Vec<Value> = settings().map(|(key, row)| question(key, row)).collect();
    format!("{QUESTIONS_NOTICE}{}", to_yaml(&json!({"questions": questions})))
}

fn question(key: Key, row: &ConfigOption) -> Value {
    let mut question = json!({
        "default": default(row),
        "description": row.doc,
        "group": "Settings",
        "label": label(key.name),
        "required": false,
        "tooltip": format!("{}. For example: {}{}", capitalised(&row.form.describe()), key.example, hint(key, row)),
        "type": kind(row.form),
        "variable": key.name,
    });
    if let (Form::Word(words), Some(fields)) = (row.form, question.as_object_mut()) {
        fields.insert("options".to_owned(), json!(words));
    }
    question
}

/// The fields of a form hold texts, lists of texts and mappings to texts.
fn hint(key: Key, row: &ConfigOption) -> &'static str {
    let is_nested = match row.form {
        Form::List => key.example.contains('{'),
        Form::Mapping => key.example.trim_start_matches('{').contains(['{', '[']),
        _ => false,
    };
    if is_nested { ". Write it in the YAML of the policy, where a form cannot hold it" } else { "" }
}

/// Without a default that is a value, the field stays empty.
fn default(row: &ConfigOption) -> Value {
    let value = row.default_value().filter(|value| *value != "NO_SECRET");
    let document = value.and_then(|value| parse(value).ok()?.pop());
    match (document, kind(row.form)) {
        (None, "string") => "".into(),
        (None, _) => Value::Null,
        // The options are texts.
        (Some(Value::Bool(value)), "enum") => value.to_string().into(),
        (Some(value), _) => value,
    }
}

/// The kinds of fields are those of Rancher's chart questions.
fn kind(form: Form) -> &'static str {
    match form {
        Form::Boolean => "boolean",
        Form::Word(_) => "enum",
        Form::TemplateList | Form::List | Form::Items => "array[",
        Form::Mapping | Form::Pairs | Form::Parts(_) => "map[",
        Form::Number(..) => "int",
        Form::Template
        | Form::Templates
        | Form::Port
        | Form::Words(_)
        | Form::Name
        | Form::Text
        | Form::Path
        | Form::Duration
        | Form::Size
        | Form::Block => "string",
    }
}

/// `ingressURLTemplate` as a label: `Ingress URL template`.
fn label(name: &str) -> String {
    let mut words: Vec<String> = vec![String::new()];
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let (before, after) = (at.checked_sub(1).and_then(|at| letters.get(at)), letters.get(at + 1));
        let starts = letter.is_uppercase()
            && (before.is_some_and(|before| before.is_lowercase())
                || after.is_some_and(|after| after.is_lowercase()));
        if starts && at > 0 {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(*letter);
        }
    }
    let words: Vec<String> = words
        .into_iter()
        .map(|word| if word.chars().all(char::is_uppercase) { word } else { word.to_lowercase() })
        .map(|word| {
            if ["tls", "http", "https", "cors"].contains(&word.as_str()) { word.to_uppercase() } else { word }
        })
        .collect();
    capitalised(&words.join(" "))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `artifacthub-pkg.yml`, made of the text of `metadata.yml` and that of `questions-ui.yml`, at a time in the form of RFC
/// 3339.
///
/// # Errors
///
/// What `kwctl scaffold artifacthub` would refuse, in words.
pub fn artifacthub(metadata: &str, questions: &str, created: &str) -> anyhow::Result<String> {
    let metadata = parse(metadata)?.pop().context("metadata.yml is empty")?;
    let annotation = |name: &str| {
        let value = metadata.get("annotations").and_then(|all| all.get(name)).and_then(Value::as_str);
        value
            .filter(|value| !value.is_empty())
            .with_context(|| format!("metadata.yml has no annotation {name}"))
    };
    let policy = |name: &str| annotation(&format!("io.kubewarden.policy.{name}"));
    let version = policy("version")?;
    let is_version =
        version.split('.').count() == 3 && version.split('.').all(|part| part.parse::<u64>().is_ok());
    ensure!(is_version, "the version {version} has not the form 1.2.3");
    let image = format!("{}:v{version}", policy("ociUrl")?);
    let source = policy("source")?;
    let (name, email) = policy("author")?
        .strip_suffix('>')
        .and_then(|author| author.split_once(" <"))
        .context("the author must be `Name <email>`")?;
    let mut annotations = json!({
        "kubewarden/mutation": metadata.get("mutating").and_then(Value::as_bool).unwrap_or_default().to_string(),
        "kubewarden/resources": annotation("io.artifacthub.resources")?,
        "kubewarden/rules": to_yaml(metadata.get("rules").unwrap_or(&Value::Null)),
    });
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.insert("kubewarden/questions-ui".to_owned(), questions.into());
    }
    let keywords: Vec<&str> = annotation("io.artifacthub.keywords")?.split(',').map(str::trim).collect();
    let install = format!(
        "The policy can be obtained using [kwctl](https://docs.kubewarden.io/howtos/install-kwctl):\n\
         ```console\nkwctl pull {image}\n```\n\
         Then, generate the policy manifest and tune it to your liking. For example:\n\
         ```console\nkwctl scaffold manifest -t ClusterAdmissionPolicy registry://{image}\n```\n"
    );
    let package = json!({
        "version": version,
        "name": policy("title")?,
        "displayName": annotation("io.artifacthub.displayName")?,
        "createdAt": created,
        "description": policy("description")?,
        "license": policy("license")?,
        "homeURL": policy("url")?,
        "containersImages": [{"name": "policy", "image": image}],
        "keywords": keywords,
        "links": [
            {"name": "policy", "url": format!("{source}/releases/download/{}/policy.wasm", annotation("com.github.release.tag")?)},
            {"name": "source", "url": source},
        ],
        "install": install,
        "maintainers": [{"name": name, "email": email}],
        "provider": {"name": "kubewarden"},
        "recommendations": [{"url": "https://artifacthub.io/packages/helm/kubewarden/kubewarden-controller"}],
        "annotations": annotations,
    });
    Ok(format!("{PACKAGE_NOTICE}{}", to_yaml(&package)))
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn labels_are_words() {
        assert_eq!(label("ingressURLTemplateFallbacks"), "Ingress URL template fallbacks");
        assert_eq!(label("tlsSecretNameTemplate"), "TLS secret name template");
        assert_eq!(label("domain"), "Domain");
        assert_eq!(label("httpsRedirect"), "HTTPS redirect");
        assert_eq!(label("externalDNSPrefixes"), "External DNS prefixes");
    }
}
