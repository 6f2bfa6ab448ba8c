//! Objects in kubectl's notation: `TYPE/NAME`, or `TYPE NAME ...`.

use xposer::emit::Kind;
use xposer::internal::{did_you_mean, joined};
use xposer::validation::{is_dns_label, is_dns_subdomain};

use crate::failure::Failure;

/// The words for Services.
const SERVICE: [&str; 3] = ["svc", "service", "services"];

/// Whether a word stands for Services, alone or followed by a slash and a name.
pub(crate) fn is_service(word: &str) -> bool {
    SERVICE.contains(&word.split('/').next().unwrap_or_default().to_ascii_lowercase().as_str())
}

/// Checks that a name is valid, because it becomes a part of a URL.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    if is_dns_subdomain(name) {
        return Ok(());
    }
    Err(Failure::new(format!("error: no object can have the name {name:?}"))
        .help("names have lower-case letters, digits, `-` and `.`"))
}

/// Checks that the name of a namespace is valid.
pub(crate) fn check_namespace(name: &str) -> Result<(), Failure> {
    if is_dns_label(name) {
        return Ok(());
    }
    Err(Failure::new(format!("error: no namespace can have the name {name:?}"))
        .help("names of namespaces have lower-case letters, digits and `-`"))
}

/// The types and names of the arguments.
fn pairs<'w>(words: &'w [String], example: &str) -> Result<Vec<(&'w str, &'w str)>, Failure> {
    let found = split(words, example)?;
    found.iter().try_for_each(|(_, name)| check_name(name))?;
    Ok(found)
}

fn split<'w>(words: &'w [String], example: &str) -> Result<Vec<(&'w str, &'w str)>, Failure> {
    let Some((first, rest)) = words.split_first() else { return Ok(Vec::new()) };
    if words.iter().any(|word| word.contains('/')) {
        return words
            .iter()
            .map(|word| match word.split_once('/') {
                Some((of, name)) if !of.is_empty() && !name.is_empty() && !name.contains('/') => Ok((of, name)),
                Some(_) => Err(Failure::new(format!("error: expected TYPE/NAME, found {word:?}"))
                    .help("a name of another namespace is given with -n NAMESPACE")),
                None => Err(Failure::new(
                    "error: there is no need to specify a resource type as a separate argument when passing arguments in resource/name form",
                )
                .help(format!("write {example}/{word}"))),
            })
            .collect();
    }
    if rest.is_empty() {
        let failure = Failure::new(format!("error: expected TYPE/NAME, found {first:?}"));
        return Err(failure.help(format!("write {example}/NAME, for example {example}/web")));
    }
    Ok(rest.iter().map(|name| (first.as_str(), name.as_str())).collect())
}

/// The names of the objects of a type, each once; empty for no words. `wrong` is the failure for an object of another type.
fn names(
    words: &[String],
    example: &str,
    is_type: impl Fn(&str) -> bool,
    wrong: impl Fn(&str, &str) -> Failure,
) -> Result<Vec<String>, Failure> {
    let mut names: Vec<String> = Vec::new();
    // As in kubectl, a type alone means all of its objects.
    if let [word] = words
        && !word.contains('/')
        && is_type(word)
    {
        return Ok(names);
    }
    for (of, name) in pairs(words, example)? {
        if !is_type(of) {
            return Err(wrong(of, name));
        }
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// The names of Services, each once; empty for no words.
pub(crate) fn services(words: &[String]) -> Result<Vec<String>, Failure> {
    names(words, "svc", is_service, |of, name| {
        Failure::new(format!("error: expected a Service, found the type {of:?}"))
            .help(format!("write svc/{name}"))
    })
}

/// Checks that a name is not combined with another way to select objects.
pub(crate) fn check_selection(names: &[String], all: bool, selector: Option<&str>) -> Result<(), Failure> {
    if names.is_empty() {
        return Ok(());
    }
    if selector.is_some() {
        return Err(Failure::new("error: name cannot be provided when a selector is specified"));
    }
    if all {
        return Err(Failure::new("error: a resource cannot be retrieved by name across all namespaces")
            .help("name the namespace with -n, and leave out -A"));
    }
    Ok(())
}

/// The names of Ingresses, each once; empty for no words.
pub(crate) fn ingresses(words: &[String]) -> Result<Vec<String>, Failure> {
    names(
        words,
        "ingress",
        |word| kind(word) == Some(Kind::Ingress),
        |of, name| {
            let failure = Failure::new(format!("error: only Ingresses are imported, found the type {of:?}"));
            failure.help(if is_service(of) {
                "name the Ingress that leads to the Service; the Services are found by themselves".to_owned()
            } else {
                format!("write ingress/{name}")
            })
        },
    )
}

/// The name of a Service, for an argument that takes nothing else.
pub(crate) fn service_name(text: &str) -> Result<&str, Failure> {
    match text.rsplit_once('/') {
        None if !text.is_empty() => check_name(text).map(|()| text),
        split => {
            let name = split.map(|(_, name)| name).filter(|name| !name.is_empty()).unwrap_or("NAME");
            let failure =
                Failure::new(format!("error: --service expects the name of a Service, found {text:?}"));
            Err(failure.help(format!("write --service {name}")))
        }
    }
}

/// The kinds of the objects that expose Services.
fn kinds() -> impl Iterator<Item = Kind> {
    Kind::ALL.into_iter().filter(|kind| *kind != Kind::ConfigMap)
}

/// The type of an argument without its version and group, in lower case.
fn plural(of: &str) -> String {
    of.split('.').next().unwrap_or_default().to_ascii_lowercase()
}

/// The kind of a type in kubectl's notation.
fn kind(of: &str) -> Option<Kind> {
    let word = plural(of);
    let is_named = |kind: &Kind| {
        let row = kind.row();
        row.plural == word || row.name.to_lowercase() == word || word == "ing" && *kind == Kind::Ingress
    };
    kinds().find(is_named)
}

/// The object of an argument, which must be of a kind that exposes Services.
pub(crate) fn object(words: &[String]) -> Result<(Kind, String), Failure> {
    let pairs = pairs(words, "ingress")?;
    let [(of, name)] = pairs.as_slice() else {
        return Err(Failure::new("error: expected one object, for example ingress/web"));
    };
    match kind(of) {
        Some(kind) => Ok((kind, (*name).to_owned())),
        None => {
            let (word, known): (String, Vec<String>) =
                (plural(of), kinds().map(|kind| kind.row().name.to_lowercase()).collect());
            let failure = Failure::new(format!("error: the controller makes no objects of the type {of:?}"));
            Err(failure.help(match did_you_mean(&word, known.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean {meant}/{name}?"),
                None => format!("it makes {}", joined(&known, " and ")),
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn services_are_named_in_both_ways() {
        let names = |text: &str| services(&words(text)).map_err(|failure| failure.message);
        assert_eq!(names("svc/web Service/api svc/web"), Ok(words("web api")));
        assert_eq!(names("services web api"), Ok(words("web api")));
        assert_eq!(names(""), Ok(Vec::new()));
        assert_eq!(names("svc"), Ok(Vec::new()));
        for wrong in ["web", "svc/", "/web", "svc/a/b", "pod/web", "svc/web api", "pods web"] {
            assert!(names(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            services(&words("web")).unwrap_err().help.as_deref(),
            Some("write svc/NAME, for example svc/web")
        );
        assert!(
            object(&words("ingress")).unwrap_err().help.is_some_and(|help| help.contains("ingress/NAME"))
        );
    }

    #[test]
    fn ingresses_are_named_as_kubectl_names_them() {
        let names = |text: &str| ingresses(&words(text)).map_err(|failure| failure.help.unwrap_or_default());
        assert_eq!(names("ing/web Ingress/api ingresses.networking.k8s.io/web"), Ok(words("web api")));
        assert_eq!(names("ingress web api"), Ok(words("web api")));
        assert_eq!((names(""), names("ing")), (Ok(Vec::new()), Ok(Vec::new())));
        assert_eq!(
            names("svc/web").unwrap_err(),
            "name the Ingress that leads to the Service; the Services are found by themselves"
        );
        assert_eq!(names("httproute/web").unwrap_err(), "write ingress/web");
        assert_eq!(names("web").unwrap_err(), "write ingress/NAME, for example ingress/web");
    }

    #[test]
    fn url_parts_are_valid_names() {
        for wrong in ["..", "a b", "web?dryRun=All", "web#", "%2e%2e", "Web", "caf\u{e9}"] {
            let said = format!("error: no object can have the name {wrong:?}");
            let one = |kind: &str| vec![format!("{kind}/{wrong}")];
            assert_eq!(services(&one("svc")).unwrap_err().message, said);
            assert_eq!(ingresses(&one("ingress")).unwrap_err().message, said);
            assert_eq!(object(&one("ingress")).unwrap_err().message, said);
            assert_eq!(service_name(wrong).unwrap_err().message, said);
            assert!(check_namespace(wrong).is_err(), "{wrong}");
        }
        assert!(check_namespace("a.b").is_err() && check_namespace("kube-system").is_ok());
        assert!(check_name("a.b").is_ok());
    }

    #[test]
    fn bare_name_is_reported() {
        assert_eq!(service_name("web"), Ok("web"));
        for (wrong, help) in
            [("svc/web", "--service web"), ("", "--service NAME"), ("svc/", "--service NAME")]
        {
            let failure = service_name(wrong).unwrap_err();
            assert!(failure.message.ends_with(&format!("found {wrong:?}")), "{}", failure.message);
            assert_eq!(failure.help, Some(format!("write {help}")));
        }
    }

    #[test]
    fn every_kind_has_its_names() {
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::ConfigMap) {
            for word in [kind.row().plural.to_owned(), kind.row().name.to_owned()] {
                assert_eq!(object(&words(&format!("{word}/web"))), Ok((kind, "web".to_owned())));
            }
        }
        assert_eq!(object(&words("ing web")), Ok((Kind::Ingress, "web".to_owned())));
        assert_eq!(object(&words("ingress.networking.k8s.io/web")).unwrap().0, Kind::Ingress);
        assert_eq!(
            object(&words("ingres/web")).unwrap_err().help.as_deref(),
            Some("did you mean ingress/web?")
        );
        assert!(object(&words("configmap/xposer")).is_err() && object(&words("ingress a b")).is_err());
    }
}
