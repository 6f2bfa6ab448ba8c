//! The files that Kubewarden, Rancher and Artifact Hub read, made from the core's table of settings and from `metadata.yml`.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use xposer::options::{ConfigOption, Form, Key, settings};
use xposer_manifest::to_yaml;

use crate::cases::parse;

const QUESTIONS_NOTICE: &str =
    "# Made by `make docs` from the table of settings. Change that, not this file.\n";
const PACKAGE_NOTICE: &str = "\
# Made by `make docs` from metadata.yml and questions-ui.yml, as `kwctl scaffold artifacthub` makes it, and from policy/README.md and
# the section of the version in CHANGELOG.md.
";

/// Returns `questions-ui.yml`: the form for the settings in Rancher and Artifact Hub. Unlike the forms of other policies, it has no
/// question for a description: a form that sends its answer would send a setting that does not exist.
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

/// The values of form fields are texts, lists of texts and mappings with texts as values.
fn hint(key: Key, row: &ConfigOption) -> &'static str {
    let is_nested = match row.form {
        Form::List => key.example.contains('{'),
        Form::Mapping => key.example.trim_start_matches('{').contains(['{', '[']),
        _ => false,
    };
    if is_nested { ". Write it in the YAML of the policy, where a form cannot hold it" } else { "" }
}

/// If the default is not a value, the field stays empty.
fn default(row: &ConfigOption) -> Value {
    let value = row.default_value().filter(|value| *value != "NO_SECRET");
    let document = value.and_then(|value| parse(value).ok()?.pop());
    match (document, kind(row.form)) {
        (None, "string") => "".into(),
        (None, _) => Value::Null,
        // The options of an enumeration are texts.
        (Some(Value::Bool(value)), "enum") => value.to_string().into(),
        (Some(value), _) => value,
    }
}

/// The types of fields in Rancher's chart questions.
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

/// The inputs of `artifacthub-pkg.yml`, each as the text of a file.
///
/// ```
/// let sources = xposer_testkit::package::Sources { metadata: "annotations: {}", questions: "", readme: "", changelog: "" };
/// let error = xposer_testkit::package::artifacthub(&sources, "2026-11-24T00:00:00Z").unwrap_err();
/// assert_eq!(error.to_string(), "metadata.yml has no annotation io.kubewarden.policy.version");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sources<'t> {
    /// `metadata.yml`.
    pub metadata: &'t str,
    /// `questions-ui.yml`.
    pub questions: &'t str,
    /// `policy/README.md`.
    pub readme: &'t str,
    /// `CHANGELOG.md`.
    pub changelog: &'t str,
}

/// Returns the changes of a version as Artifact Hub lists them: the kind, such as `added`, and the sentence. Empty if the changelog
/// has no section for the version.
///
/// ```
/// let changelog = "## Unreleased\n\n### Added\n\n- A.\n\n## 0.2.0 - 2026-12-01\n\n### Fixed\n\n- One\n  thing.\n- Another.\n\n## 0.1.0\n";
/// let changes = xposer_testkit::package::changes(changelog, "0.2.0");
/// assert_eq!(changes, [("fixed".to_owned(), "One thing.".to_owned()), ("fixed".to_owned(), "Another.".to_owned())]);
/// assert!(xposer_testkit::package::changes(changelog, "0.3.0").is_empty());
/// ```
#[must_use]
pub fn changes(changelog: &str, version: &str) -> Vec<(String, String)> {
    let (mut changes, mut kind, mut is_inside) = (Vec::new(), String::new(), false);
    for line in changelog.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            let named = heading.split(' ').next().unwrap_or_default();
            is_inside = named.trim_start_matches('[').trim_end_matches(']') == version;
        } else if !is_inside {
            continue;
        } else if let Some(heading) = line.strip_prefix("### ") {
            kind = heading.trim().to_lowercase();
        } else if let Some(change) = line.strip_prefix("- ") {
            changes.push((kind.clone(), change.trim().to_owned()));
        } else if let (Some((_, change)), true) = (changes.last_mut(), line.starts_with("  ")) {
            change.push(' ');
            change.push_str(line.trim());
        }
    }
    changes
}

/// Returns `artifacthub-pkg.yml`, created at a time in RFC 3339. Fields that `kwctl scaffold artifacthub` writes have the same
/// values as there; it does not write the logo, the category, the screenshots, the README and the changes.
///
/// # Errors
///
/// Inputs that `kwctl scaffold artifacthub` would refuse, in words.
pub fn artifacthub(sources: &Sources<'_>, created: &str) -> anyhow::Result<String> {
    let Sources { metadata, questions, readme, changelog } = *sources;
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
    ensure!(is_version, "the version must have the form 1.2.3, found {version}");
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
    // Files are linked at the tag, because those of the branch change.
    let raw = |file: &str| -> anyhow::Result<String> {
        let place = source.replacen("https://github.com/", "https://raw.githubusercontent.com/", 1);
        Ok(format!("{place}/{}/{file}", annotation("com.github.release.tag")?))
    };
    let changes: Vec<Value> = changes(changelog, version)
        .into_iter()
        .map(|(kind, description)| json!({"kind": kind, "description": description}))
        .collect();
    let keywords: Vec<&str> = annotation("io.artifacthub.keywords")?.split(',').map(str::trim).collect();
    let install = format!(
        "The policy can be obtained using [kwctl](https://docs.kubewarden.io/howtos/install-kwctl):\n\
         ```console\nkwctl pull {image}\n```\n\
         Then, generate the policy manifest and tune it to your liking. For example:\n\
         ```console\nkwctl scaffold manifest -t ClusterAdmissionPolicy registry://{image}\n```\n"
    );
    let mut package = json!({
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
            {"name": "documentation", "url": format!("{source}/blob/main/docs/policy.md")},
            {"name": "changelog", "url": format!("{source}/blob/main/CHANGELOG.md")},
            {"name": "support", "url": format!("{source}/issues")},
        ],
        "logoURL": raw("docs/logo.svg")?,
        "category": "networking",
        "readme": readme,
        "screenshots": [{"title": "The report: who is exposed where", "url": raw("docs/report.png")?}],
        "install": install,
        "maintainers": [{"name": name, "email": email}],
        "provider": {"name": "kubewarden"},
        "recommendations": [{"url": "https://artifacthub.io/packages/helm/kubewarden/kubewarden-controller"}],
        "annotations": annotations,
    });
    if let Some(fields) = package.as_object_mut().filter(|_| !changes.is_empty()) {
        fields.insert("changes".to_owned(), changes.into());
    }
    Ok(format!("{PACKAGE_NOTICE}{}", to_yaml(&package)))
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn labels_are_split_into_words() {
        assert_eq!(label("ingressURLTemplateFallbacks"), "Ingress URL template fallbacks");
        assert_eq!(label("tlsSecretNameTemplate"), "TLS secret name template");
        assert_eq!(label("domain"), "Domain");
        assert_eq!(label("httpsRedirect"), "HTTPS redirect");
        assert_eq!(label("externalDNSPrefixes"), "External DNS prefixes");
    }
}
