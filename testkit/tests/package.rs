//! The files that are published with the policy match the policy.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a file that cannot be read has failed the test"
)]

use serde_json::{Value, json};
use xposer::conflicts::{SHARDS, config_map};
use xposer_testkit::{cases, golden, package, workspace};

fn text(name: &str) -> String {
    std::fs::read_to_string(workspace().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn yaml(name: &str) -> Value {
    let mut documents = cases::parse(&text(name)).unwrap_or_else(|error| panic!("{name}: {error:#}"));
    assert_eq!(documents.len(), 1, "{name}");
    documents.remove(0)
}

#[test]
fn the_questions_ask_for_every_setting() {
    golden::compare(&workspace().join("questions-ui.yml"), &package::questions())
        .unwrap_or_else(|said| panic!("{said}"));
    let questions = yaml("questions-ui.yml");
    let asked: Vec<&str> = questions["questions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["variable"].as_str().unwrap())
        .collect();
    let settings: Vec<&str> = xposer::options::settings().map(|(key, _)| key.name).collect();
    assert_eq!(asked, settings);
    // The default values of the form are valid settings.
    let untouched: Value = questions["questions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|question| (question["variable"].as_str().unwrap().to_owned(), question["default"].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    xposer::Settings::from_value(&untouched).unwrap_or_else(|report| panic!("{report}"));
}

#[test]
fn the_package_is_what_kwctl_would_scaffold() {
    let file = workspace().join("artifacthub-pkg.yml");
    let known = std::fs::read_to_string(&file)
        .ok()
        .and_then(|text| cases::parse(&text).ok()?.pop()?.get("createdAt")?.as_str().map(str::to_owned));
    // The creation time is that of the release, so it is taken from the existing file.
    let created = known.unwrap_or_else(|| "2026-11-24T00:00:00Z".to_owned());
    let made = package::artifacthub(
        &package::Sources {
            metadata: &text("metadata.yml"),
            questions: &package::questions(),
            readme: &text("policy/README.md"),
            changelog: &text("CHANGELOG.md"),
        },
        &created,
    )
    .unwrap();
    golden::compare(&file, &made).unwrap_or_else(|said| panic!("{said}"));
}

/// The rules of `docs/metadata/artifacthub-pkg.yml` of Artifact Hub.
#[test]
fn the_package_keeps_the_rules_of_artifact_hub() {
    let package = yaml("artifacthub-pkg.yml");
    for required in ["version", "name", "displayName", "createdAt", "description"] {
        assert!(package[required].as_str().is_some_and(|text| !text.is_empty()), "{required}");
    }
    let categories = [
        "ai-machine-learning",
        "database",
        "integration-delivery",
        "monitoring-logging",
        "networking",
        "security",
        "storage",
        "streaming-messaging",
    ];
    assert!(categories.contains(&package["category"].as_str().unwrap()));
    for link in package["links"].as_array().unwrap().iter().chain(package["screenshots"].as_array().unwrap())
    {
        assert!(link["url"].as_str().unwrap().starts_with("https://"), "{link}");
        assert!(link["name"].is_string() || link["title"].is_string(), "{link}");
    }
    let logo = package["logoURL"].as_str().unwrap();
    let (_, file) = logo.split_once(&format!("/v{}/", env!("CARGO_PKG_VERSION"))).unwrap();
    assert!(workspace().join(file).is_file(), "{logo}");
    let kinds = ["added", "changed", "deprecated", "removed", "fixed", "security"];
    for change in package.get("changes").and_then(Value::as_array).into_iter().flatten() {
        assert!(kinds.contains(&change["kind"].as_str().unwrap()), "{change}");
    }
    // Every heading of the changelog is one of these kinds, so that the next release has a kind for each change.
    for line in text("CHANGELOG.md").lines() {
        if let Some(kind) = line.strip_prefix("### ") {
            assert!(kinds.contains(&kind.to_lowercase().as_str()), "{line}");
        }
    }
    let repository = yaml("artifacthub-repo.yml");
    let id = repository.get("repositoryID").and_then(Value::as_str);
    assert!(id.is_none_or(|id| id.len() == 36 && !id.starts_with("00000000")), "{id:?}");
    assert_eq!(repository["owners"], package["maintainers"]);
}

/// The README for users of the policy, in Artifact Hub and in the module.
#[test]
fn the_readme_of_the_policy_is_true() {
    let (page, metadata) = (text("policy/README.md"), yaml("metadata.yml"));
    let annotation = |name: &str| metadata["annotations"][name].as_str().unwrap();
    // It is published in other places, so its links are absolute, and lead to files of this repository.
    let source = annotation("io.kubewarden.policy.source");
    let mut links = 0;
    for link in page.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
        let link = link.split('#').next().unwrap();
        let file = link.strip_prefix(source).unwrap_or_else(|| panic!("{link}"));
        assert!(workspace().join(file.trim_start_matches("/blob/main/")).exists(), "{link}");
        links += 1;
    }
    assert!(links > 3);
    let module = format!(
        "registry://{}:v{}",
        annotation("io.kubewarden.policy.ociUrl"),
        annotation("io.kubewarden.policy.version")
    );
    let yaml = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let policy = &cases::parse(yaml).unwrap()[0];
    assert_eq!(policy["spec"]["module"], module);
    // The simplest setup covers only Services.
    assert_eq!(policy["spec"]["rules"], json!([metadata["rules"][0]]));
    assert_eq!(policy["spec"]["mutating"], metadata["mutating"]);
    let settings = xposer::Settings::tried(&policy["spec"]["settings"]);
    assert!(settings.is_ok(), "{settings:?}");
    assert_eq!(page.matches(&module).count(), page.matches("registry://").count());
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        for name in line.split('|').nth(1).unwrap().split(',').map(|name| name.trim().trim_matches('`')) {
            assert!(xposer::options::settings().any(|(key, _)| key.name == name), "{name}");
        }
    }
    // `readme.rs` compares the transcripts of `docs/policy.md` with the output of the policy.
    let long = text("docs/policy.md");
    for said in page
        .lines()
        .filter(|line| ["Error from", "Warning:", "http://"].iter().any(|start| line.starts_with(start)))
    {
        assert!(long.lines().any(|line| line == said), "{said}");
    }
}

#[test]
fn the_versions_are_the_same_everywhere() {
    let version = env!("CARGO_PKG_VERSION");
    let metadata = yaml("metadata.yml");
    assert_eq!(metadata["annotations"]["io.kubewarden.policy.version"], version);
    assert_eq!(metadata["annotations"]["com.github.release.tag"], format!("v{version}"));
    let module = format!(
        "registry://{}:v{version}",
        metadata["annotations"]["io.kubewarden.policy.ociUrl"].as_str().unwrap()
    );
    for name in ["cluster-admission-policy", "admission-policy"] {
        assert_eq!(yaml(&format!("deploy/kubewarden/{name}.yaml"))["spec"]["module"], module, "{name}");
    }
}

/// The keys that Kubewarden's programs read.
const ANNOTATIONS: [&str; 14] = [
    "com.github.release.tag",
    "io.artifacthub.displayName",
    "io.artifacthub.keywords",
    "io.artifacthub.resources",
    "io.kubewarden.policy.author",
    "io.kubewarden.policy.category",
    "io.kubewarden.policy.description",
    "io.kubewarden.policy.license",
    "io.kubewarden.policy.ociUrl",
    "io.kubewarden.policy.severity",
    "io.kubewarden.policy.source",
    "io.kubewarden.policy.title",
    "io.kubewarden.policy.url",
    "io.kubewarden.policy.version",
];

#[test]
fn the_metadata_has_the_fields_that_kubewarden_knows() {
    let metadata = yaml("metadata.yml");
    // A misspelt field would be ignored silently.
    let fields: Vec<&String> = metadata.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "annotations",
            "backgroundAudit",
            "contextAwareResources",
            "executionMode",
            "hostCapabilities",
            "mutating",
            "policyType",
            "rules"
        ]
    );
    let annotations: Vec<&String> = metadata["annotations"].as_object().unwrap().keys().collect();
    assert_eq!(annotations, ANNOTATIONS);
    // Values with several lines are not added to the annotations of the image.
    assert!(
        metadata["annotations"]
            .as_object()
            .unwrap()
            .values()
            .all(|value| !value.as_str().unwrap().contains('\n'))
    );
    assert_eq!(
        (&metadata["mutating"], &metadata["contextAwareResources"], &metadata["hostCapabilities"]),
        (
            &json!(true),
            &json!([{"apiVersion": "v1", "kind": "ConfigMap"}]),
            &json!(["kubernetes/get_resource"])
        )
    );
}

#[test]
fn the_deployments_fit_the_metadata() {
    let metadata = yaml("metadata.yml");
    for (name, kind) in
        [("cluster-admission-policy", "ClusterAdmissionPolicy"), ("admission-policy", "AdmissionPolicy")]
    {
        let policy = yaml(&format!("deploy/kubewarden/{name}.yaml"));
        assert_eq!(
            (&policy["apiVersion"], &policy["kind"]),
            (&json!("policies.kubewarden.io/v1"), &json!(kind))
        );
        assert_eq!(policy["metadata"].get("namespace").is_some(), kind == "AdmissionPolicy");
        for field in ["rules", "mutating", "backgroundAudit"] {
            assert_eq!(policy["spec"][field], metadata[field], "{name}: {field}");
        }
        // Kubewarden does not allow an AdmissionPolicy to read from the cluster.
        let looks_up = (kind == "ClusterAdmissionPolicy").then_some(&metadata["contextAwareResources"]);
        assert_eq!(policy["spec"].get("contextAwareResources"), looks_up, "{name}");
        let settings = xposer::Settings::from_value(&policy["spec"]["settings"])
            .unwrap_or_else(|report| panic!("{name}: {report}"));
        assert!(settings.try_out().is_empty(), "{name}: {}", settings.try_out());
        assert!(policy["spec"]["timeoutEvalSeconds"].as_u64() <= policy["spec"]["timeoutSeconds"].as_u64());
        // By default, the policy gets only Services.
        assert_eq!(policy["spec"]["matchConditions"][1]["expression"], "request.kind.kind in ['Service']");
        // The condition covers the label, and all annotations that the core reads and writes.
        let condition = policy["spec"]["matchConditions"][0]["expression"].as_str().unwrap();
        assert!(condition.contains(&format!("key in ['{}', ", xposer::service::EXPOSE_LABEL)));
        let part = "xposer.stakater.com/";
        assert_eq!(condition.matches(&format!("key.contains('{part}')")).count(), 2);
        let keys = xposer::options::annotations().map(|(key, _)| key.name);
        assert!(keys.chain([xposer::emit::stamp::STAMP_PREFIX]).all(|key| key.contains(part)));
    }
}

#[test]
fn the_rules_are_those_of_the_kinds_that_are_looked_at() {
    let rules = yaml("metadata.yml")["rules"].clone();
    let mut resources: Vec<String> = Vec::new();
    for rule in rules.as_array().unwrap() {
        assert_eq!(rule["operations"], json!(["CREATE", "UPDATE"]));
        let group = rule["apiGroups"][0].as_str().unwrap();
        for resource in rule["resources"].as_array().unwrap() {
            let resource = resource.as_str().unwrap();
            let kind = xposer::options::Guard::KINDS.iter().find(|kind| {
                let plural = kind.to_lowercase() + if kind.ends_with('s') { "es" } else { "s" };
                plural == resource
            });
            match kind {
                Some(kind) => assert!(xposer::guard::is_guarded(group, kind), "{group} {kind}"),
                None => assert_eq!((group, resource), ("", "services")),
            }
            resources.push(resource.to_owned());
        }
    }
    assert_eq!(resources.len(), xposer::options::Guard::KINDS.len() + 1);
}

#[test]
fn the_reader_of_the_claims_may_read_what_the_settings_name() {
    let text = text("deploy/kubewarden/claims-rbac.yaml");
    let objects = cases::parse(&text).unwrap();
    assert_eq!(
        objects.iter().map(|object| object["kind"].clone()).collect::<Vec<_>>(),
        ["Role", "RoleBinding"]
    );
    for object in &objects {
        assert_eq!(object["metadata"]["namespace"], "xposer-system");
    }
    // Other policies on the PolicyServer have the same permissions, and must not read other ConfigMaps.
    let names: Vec<String> = (0..SHARDS).map(config_map).collect();
    assert_eq!(
        objects[0]["rules"],
        json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"], "resourceNames": names}])
    );
}
