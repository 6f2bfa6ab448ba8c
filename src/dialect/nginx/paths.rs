//! What ingress-nginx makes of the paths of an Ingress: whether it reads them as regular expressions.

use std::borrow::Cow;

use crate::options::Target;
use crate::resolve::Annotation;
use crate::validation::{
    CLASS_ANNOTATION, PathType, comparable_path, is_of_other_controller, literal_beginning, literal_path,
    parse_bool,
};

/// The annotation by which ingress-nginx reads the paths of an Ingress as regular expressions.
pub(crate) const USE_REGEX: &str = "nginx.ingress.kubernetes.io/use-regex";
/// The annotation that puts a text in place of the whole path; it makes a regular expression of the path, too.
pub(crate) const REWRITE_TARGET: &str = "nginx.ingress.kubernetes.io/rewrite-target";

/// The class of an Ingress: that of the field, or that of the annotation where old keys are passed on.
pub(crate) fn class_of<'d>(class: Option<&'d str>, annotations: &'d [Annotation<'_>]) -> Option<&'d str> {
    let annotation = || annotations.iter().find(|it| it.key == CLASS_ANNOTATION);
    class.or_else(|| annotation().map(|it| it.value.as_ref()))
}

/// What ingress-nginx is told of the paths of an Ingress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nginx<'d> {
    pub(crate) use_regex: Option<&'d Annotation<'d>>,
    /// One that is empty counts as not given.
    pub(crate) rewrite: Option<&'d Annotation<'d>>,
}

impl<'d> Nginx<'d> {
    /// `None` where no Ingress is made, or one that another controller serves.
    pub(crate) fn of(
        targets: &[Target],
        class: Option<&str>,
        annotations: &'d [Annotation<'d>],
    ) -> Option<Self> {
        if !targets.contains(&Target::Ingress) || class.is_some_and(is_of_other_controller) {
            return None;
        }
        let (mut use_regex, mut rewrite) = (None, None);
        for annotation in annotations {
            match annotation.key.as_ref() {
                USE_REGEX => use_regex = Some(annotation),
                REWRITE_TARGET if !annotation.value.is_empty() => rewrite = Some(annotation),
                _ => {}
            }
        }
        Some(Self { use_regex, rewrite })
    }

    /// Whether the path is read as a regular expression, and with it every path of the same host (ingress-nginx 1.15,
    /// enforceRegexModifier and needsRewrite).
    pub(crate) fn reads_regex(&self, path: &str, kind: PathType) -> bool {
        let is_rewritten = self.rewrite.is_some_and(|it| {
            // To a prefix, a slash is added before the two are compared.
            it.value != path || (kind == PathType::Prefix && !path.ends_with('/'))
        });
        is_rewritten || self.use_regex.is_some_and(|it| parse_bool(&it.value) == Some(true))
    }
}

/// The path to ask for. Of the signs of a regular expression, a `+` alone makes no path one, but for the controller that reads
/// it as such: it repeats what stands before it.
pub(crate) fn asked_path<'p>(nginx: Option<Nginx<'_>>, path: &'p str, kind: PathType) -> Cow<'p, str> {
    let is_read = || nginx.is_some_and(|nginx| nginx.reads_regex(path, kind));
    if kind == PathType::ImplementationSpecific && path.contains('+') && is_read() {
        literal_beginning(path)
    } else {
        literal_path(path, kind)
    }
}

/// Whether a path of this type means less than it says where it is read as a regular expression: that of an Exact path is
/// the beginning of others, and a Prefix does not end at a slash.
pub(crate) fn loses_meaning(path: &str, kind: PathType) -> bool {
    match kind {
        PathType::Exact => true,
        PathType::Prefix => path != "/",
        PathType::ImplementationSpecific => false,
    }
}

/// The regular expression that says what a path of this type says, but for the case of its letters.
pub(crate) fn as_regex(path: &str, kind: PathType) -> String {
    let mut regex = String::with_capacity(path.len() + 5);
    for character in comparable_path(path, kind).chars() {
        if ".+?()[]{}|^$*\\".contains(character) {
            regex.push('\\');
        }
        regex.push(character);
    }
    regex.push_str(if kind == PathType::Exact { "$" } else { "(/|$)" });
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_said_as_a_regular_expression() {
        for (path, kind, expected) in [
            ("/shop", PathType::Prefix, "/shop(/|$)"),
            ("/shop/", PathType::Prefix, "/shop(/|$)"),
            ("/v1.2", PathType::Prefix, "/v1\\.2(/|$)"),
            ("/", PathType::Exact, "/$"),
            ("/a/", PathType::Exact, "/a/$"),
        ] {
            assert_eq!(as_regex(path, kind), expected);
        }
    }

    #[test]
    fn classes_are_known_by_their_words() {
        for class in [
            "alb",
            "gce-internal",
            "traefik-external",
            "internal.kong",
            "azure/application-gateway",
            "openshift-default",
        ] {
            assert!(is_of_other_controller(class), "{class}");
        }
        for class in [
            "nginx",
            "internal",
            "webapprouting.kubernetes.azure.com",
            "nginx-kong",
            "albatross",
            "azure-internal",
            "",
        ] {
            assert!(!is_of_other_controller(class), "{class}");
        }
    }
}
