//! The table of settings.

use std::borrow::Cow;

use serde_json::Value;

use super::parse::{self, Parsed, Setter};
use super::{Legacy, Settings};
use crate::diagnostics::{FieldPath, Report, Sourced};
use crate::options::{Target, Termination, Tls};
use crate::validation::PathType;

/// A row of the table of settings.
///
/// ```
/// use xposer::{Form, settings};
/// let strict = settings().iter().find(|setting| setting.name == "strict");
/// assert!(strict.is_some_and(|setting| setting.form == Form::Boolean && setting.default == "false"));
/// assert!(settings().iter().any(|setting| setting.name == "domain" && setting.is_layered()));
/// ```
#[derive(Debug)]
pub struct Setting {
    /// The key, in camelCase.
    pub name: &'static str,
    /// What its value is.
    pub form: Form,
    /// What it means, in one sentence.
    pub doc: &'static str,
    /// The default, as YAML; in parentheses, where no value says the same, what happens without one.
    pub default: &'static str,
    /// A value that works, as YAML.
    pub example: &'static str,
}

/// What of a row runs. It stands in a table of its own: a program that never asks for the texts does not carry them.
pub(super) struct Reader {
    pub(super) name: &'static str,
    set: Set,
}

enum Set {
    /// A profile and a namespace can have it, too.
    Layered(Setter),
    /// There is one for everybody.
    General(fn(&mut Settings, &Value, &FieldPath) -> Parsed<()>),
    /// One for everybody, which has a part that profiles and namespaces can have.
    Both(fn(&mut Settings, &Value, &FieldPath) -> Parsed<()>, Setter),
}

impl Setting {
    /// Whether it can also stand in a profile, or under a namespace.
    #[must_use]
    pub fn is_layered(&self) -> bool {
        READERS.iter().any(|row| row.name == self.name && row.layered().is_some())
    }
}

impl Reader {
    pub(super) fn layered(&self) -> Option<Setter> {
        match self.set {
            Set::Layered(set) | Set::Both(_, set) => Some(set),
            Set::General(_) => None,
        }
    }

    pub(super) fn read(&self, settings: &mut Settings, value: &Value, at: &FieldPath, report: &mut Report) {
        let read = match self.set {
            Set::Layered(set) => set(&mut settings.base, value, at),
            Set::General(set) | Set::Both(set, _) => set(settings, value, at),
        };
        for (path, problem) in read.err().unwrap_or_default() {
            report.file(path, problem);
        }
    }
}

/// What kind of value a setting or an annotation takes.
///
/// ```
/// use xposer::{Form, keys};
/// let types = keys().iter().find(|key| key.name() == "PathType").map(|key| key.form);
/// assert_eq!(types, Some(Form::Word(&["Exact", "Prefix", "ImplementationSpecific"])));
/// assert_eq!(Form::Word(&["a", "b"]).describe(), "one of `a`, `b`");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A template.
    Template,
    /// Templates, separated by commas or line ends.
    Templates,
    /// A list of templates.
    TemplateList,
    /// True or false; as a text in one of the spellings of Go's `strconv.ParseBool`.
    Boolean,
    /// The name or the number of a port.
    Port,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Some of these words, separated by commas; in settings, also a list.
    Words(&'static [&'static str]),
    /// A whole number from the first to the second.
    Number(u8, u8),
    /// The name of an object.
    Name,
    /// A text in a form of its own, which the description names.
    Text,
    /// A path that begins with `/`.
    Path,
    /// One `key: value` a line.
    Block,
    /// A list of texts, such as hosts or patterns.
    List,
    /// A mapping with keys of its own.
    Mapping,
}

impl Form {
    /// The kind in words, for the reference pages.
    #[must_use]
    pub fn describe(self) -> Cow<'static, str> {
        match self {
            Self::Template => "template".into(),
            Self::Templates => "templates, separated by commas or line ends".into(),
            Self::TemplateList => "list of templates".into(),
            Self::Boolean => "boolean".into(),
            Self::Port => "name or number of a port".into(),
            Self::Word(words) => format!("one of `{}`", words.join("`, `")).into(),
            Self::Words(words) => format!("some of `{}`, separated by commas", words.join("`, `")).into(),
            Self::Number(min, max) => format!("whole number from {min} to {max}").into(),
            Self::Name => "name of an object".into(),
            Self::Text => "text".into(),
            Self::Path => "path".into(),
            Self::Block => "one `key: value` a line".into(),
            Self::List => "list".into(),
            Self::Mapping => "mapping".into(),
        }
    }

    /// Whether a setting of this kind is, or can be, a list or a mapping. Where only texts can be written, as in the data of
    /// a ConfigMap, its value is written as YAML.
    ///
    /// ```
    /// use xposer::Form;
    /// assert!(Form::List.is_collection() && Form::Mapping.is_collection());
    /// assert!(!Form::Template.is_collection() && !Form::Boolean.is_collection());
    /// ```
    #[must_use]
    pub fn is_collection(self) -> bool {
        match self {
            Self::TemplateList | Self::Words(_) | Self::List | Self::Mapping => true,
            Self::Template
            | Self::Templates
            | Self::Boolean
            | Self::Port
            | Self::Word(_)
            | Self::Number(..)
            | Self::Name
            | Self::Text
            | Self::Path
            | Self::Block => false,
        }
    }
}

/// The share of the requests that a canary gets, in percent.
pub(crate) const WEIGHT: Form = Form::Number(0, 100);

/// Every setting, in the order of the reference page.
///
/// ```
/// assert!(xposer::settings().iter().any(|setting| setting.name == "ingressURLTemplate"));
/// ```
#[must_use]
pub fn settings() -> &'static [Setting] {
    SETTINGS
}

macro_rules! settings {
    ($( Setting {
        name: $name:expr,
        form: $form:expr,
        doc: $doc:expr,
        default: $default:expr,
        example: $example:expr,
        set: $set:expr $(,)?
    } ),+ $(,)?) => {
        static SETTINGS: &[Setting] =
            &[$( Setting { name: $name, form: $form, doc: $doc, default: $default, example: $example } ),+];
        pub(super) static READERS: &[Reader] = &[$( Reader { name: $name, set: $set } ),+];
    };
}

settings![
    Setting {
        name: "domain",
        form: Form::Template,
        doc: "The value of {{.Domain}} in the other templates; it may itself use {{.Service}} and {{.Namespace}}.",
        default: "(none)",
        example: "example.com",
        set: Set::Layered(|layer, value, at| parse::template(value, at).map(|it| layer.domain = it)),
    },
    Setting {
        name: "ingressURLTemplate",
        form: Form::Templates,
        doc: "The host, or the host and the path; several templates give several hosts.",
        default: "'{{.Service}}.{{.Namespace}}.{{.Domain}}'",
        example: "'{{.Service}}.{{.Domain}}'",
        set: Set::Layered(|layer, value, at| {
            parse::template(value, at).map(|it| layer.url = it.or(layer.url.take()))
        }),
    },
    Setting {
        name: "ingressURLTemplateFallbacks",
        form: Form::TemplateList,
        doc: "Templates that are tried in order where a host is longer than DNS, or a certificate's common name, allows.",
        default: "[]",
        example: "['{{.Service}}.{{.Domain}}']",
        set: Set::Layered(|layer, value, at| {
            parse::template_list(value, at).map(|list| layer.fallbacks = Some(list))
        }),
    },
    Setting {
        name: "ingressURLPath",
        form: Form::Template,
        doc: "The path; `/` leaves it to the path in the URL template.",
        default: "/",
        example: "/{{.Service}}",
        set: Set::Layered(|layer, value, at| {
            parse::template(value, at).map(|it| layer.path = it.or(layer.path.take()))
        }),
    },
    Setting {
        name: "ingressNameTemplate",
        form: Form::Template,
        doc: "The name of the Ingress, or of what takes its place.",
        default: "'{{.Service}}'",
        example: "'{{.Service}}-{{.Namespace}}'",
        set: Set::Layered(|layer, value, at| {
            parse::template(value, at).map(|it| layer.name = it.or(layer.name.take()))
        }),
    },
    Setting {
        name: "tls",
        form: Form::Word(Tls::WORDS),
        doc: "How connections are secured: not at all, by the certificate in a secret, by one that cert-manager puts there, or by a load balancer in front of the controller.",
        default: "false",
        example: "cert-manager",
        set: Set::Layered(|layer, value, at| parse::tls(value, at).map(|it| layer.tls = it)),
    },
    Setting {
        name: "tlsSecretNameTemplate",
        form: Form::Template,
        doc: "The name of the secret with the certificate; NO_SECRET, or nothing, means the Ingress's name and `-cert`.",
        default: "NO_SECRET",
        example: "'{{.Service}}-tls'",
        set: Set::Layered(|layer, value, at| parse::template(value, at).map(|it| layer.secret = it)),
    },
    Setting {
        name: "tlsCommonName",
        form: Form::Boolean,
        doc: "Whether certificates carry the host as their common name, which holds at most 64 characters; longer hosts with TLS are then refused, or replaced by a fallback.",
        default: "false",
        example: "true",
        set: Set::Layered(|layer, value, at| parse::boolean(value, at).map(|it| layer.common_name = it)),
    },
    Setting {
        name: "issuer",
        form: Form::Name,
        doc: "The Issuer, in the Service's namespace, that cert-manager is told to ask under `tls: cert-manager`.",
        default: "(none)",
        example: "internal-ca",
        set: Set::Layered(|layer, value, at| parse::issuer(layer, value, at, false)),
    },
    Setting {
        name: "clusterIssuer",
        form: Form::Name,
        doc: "The ClusterIssuer that cert-manager is told to ask under `tls: cert-manager`.",
        default: "(none)",
        example: "letsencrypt-production",
        set: Set::Layered(|layer, value, at| parse::issuer(layer, value, at, true)),
    },
    Setting {
        name: "certificates",
        form: Form::List,
        doc: "The names in the certificates of the load balancer; under `tls: load-balancer` one of them must cover every host, a star standing for one label.",
        default: "(not checked)",
        example: "['*.labs.company.com', '*.tools.company.com']",
        set: Set::Layered(|layer, value, at| {
            let names = parse::hosts(value, at)?;
            layer.certificates = names.map(|names| Sourced::new(names.value.into(), names.origin));
            Ok(())
        }),
    },
    Setting {
        name: "httpsRedirect",
        form: Form::Boolean,
        doc: "Whether requests without TLS are sent to https; without it the target's own default counts, which is yes where TLS ends at an Ingress or Route.",
        default: "(by the target)",
        example: "true",
        set: Set::Layered(|layer, value, at| {
            parse::sourced_boolean(value, at).map(|it| layer.https_redirect = it)
        }),
    },
    Setting {
        name: "servicePort",
        form: Form::Port,
        doc: "The port of every Service to route to; without it the first one.",
        default: "(the first port)",
        example: "http",
        set: Set::Layered(|layer, value, at| parse::port_value(value, at).map(|it| layer.port = it)),
    },
    Setting {
        name: "pathType",
        form: Form::Word(PathType::WORDS),
        doc: "How paths are compared; without it Prefix, or ImplementationSpecific where the path is a regular expression.",
        default: "(by the path)",
        example: "Exact",
        set: Set::Layered(|layer, value, at| parse::path_type(value, at).map(|it| layer.path_type = it)),
    },
    Setting {
        name: "ingressClassName",
        form: Form::Name,
        doc: "The IngressClass of every Ingress whose Service does not say otherwise.",
        default: "(the cluster's default)",
        example: "internal-ingress",
        set: Set::Layered(|layer, value, at| parse::class_name(value, at).map(|it| layer.class = it)),
    },
    Setting {
        name: "annotations",
        form: Form::Mapping,
        doc: "Annotations to give to what is emitted; a Service's own block counts more. The lists `deny`, `allow` and `acceptLoss`, which only stand here and in no profile, hold patterns of keys: those that Services may not forward (`*-snippet` always), those that they may all the same, and those that protect and may be lost on an HTTPRoute or a Route.",
        default: "{}",
        example: "{nginx.ingress.kubernetes.io/proxy-body-size: 10m, deny: ['*/auth-*'], allow: ['*/auth-url'], acceptLoss: ['*/limit-rps']}",
        set: Set::Both(
            |settings, value, at| {
                let [deny, allow, accept] = parse::LISTS;
                let lists = [
                    (deny, &mut settings.deny),
                    (allow, &mut settings.allow),
                    (accept, &mut settings.accept_loss),
                ];
                parse::annotations(&mut settings.base, value, at, Some(lists))
            },
            |layer, value, at| parse::annotations(layer, value, at, None),
        ),
    },
    Setting {
        name: "target",
        form: Form::Words(Target::WORDS),
        doc: "What exposes a Service: an Ingress, an HTTPRoute of the Gateway API, a Route of OpenShift; several while you move from one to another.",
        default: "Ingress",
        example: "[Ingress, HTTPRoute]",
        set: Set::Layered(|layer, value, at| parse::targets(value, at).map(|it| layer.targets = it)),
    },
    Setting {
        name: "parentRefs",
        form: Form::List,
        doc: "The Gateways, or their listeners, that HTTPRoutes are attached to, each with `name` and perhaps `namespace`, `sectionName`, `port`, `kind`, `group`.",
        default: "(none)",
        example: "[{name: external, namespace: gateways, sectionName: https}]",
        set: Set::Layered(|layer, value, at| parse::parent_refs(value, at).map(|it| layer.parent_refs = it)),
    },
    Setting {
        name: "httpParentRefs",
        form: Form::List,
        doc: "The listeners without TLS, to which a second HTTPRoute is attached that sends requests to https; `parentRefs` must not mean any of them.",
        default: "(none)",
        example: "[{name: external, namespace: gateways, sectionName: http}]",
        set: Set::Layered(|layer, value, at| {
            parse::parent_refs(value, at).map(|it| layer.http_parent_refs = it)
        }),
    },
    Setting {
        name: "routeTermination",
        form: Form::Word(Termination::WORDS),
        doc: "Where the TLS connection to a Route of OpenShift ends.",
        default: "edge",
        example: "reencrypt",
        set: Set::Layered(|layer, value, at| parse::termination(value, at).map(|it| layer.termination = it)),
    },
    Setting {
        name: "monitor",
        form: Form::Boolean,
        doc: "Whether an EndpointMonitor for IngressMonitorController is made, too.",
        default: "false",
        example: "true",
        set: Set::Layered(|layer, value, at| parse::sourced_boolean(value, at).map(|it| layer.monitor = it)),
    },
    Setting {
        name: "monitorHealthEndpoint",
        form: Form::Path,
        doc: "The path that the monitor asks for instead of the exposed one.",
        default: "(the exposed path)",
        example: "/healthz",
        set: Set::Layered(|layer, value, at| {
            parse::health_endpoint(value, at).map(|it| layer.monitor_health = it)
        }),
    },
    Setting {
        name: "monitorProvider",
        form: Form::Mapping,
        doc: "Options of the monitor's provider, as EndpointMonitor has them, for example `uptimeRobotConfig`.",
        default: "{}",
        example: "{uptimeRobotConfig: {interval: 300}}",
        set: Set::Layered(|layer, value, at| {
            parse::monitor_provider(value, at).map(|it| layer.monitor_provider = it)
        }),
    },
    Setting {
        name: "profiles",
        form: Form::Mapping,
        doc: "Settings under a name that a Service chooses with the annotation Profile; each may have the list `namespaces` of those that may choose it.",
        default: "{}",
        example: "{internal: {ingressClassName: internal}, external: {ingressClassName: external, namespaces: ['web-*']}}",
        set: Set::General(|settings, value, at| parse::profiles(value, at, &mut settings.profiles)),
    },
    Setting {
        name: "defaultProfile",
        form: Form::Name,
        doc: "The profile of Services that choose none; it must be one of `profiles`.",
        default: "(none)",
        example: "internal",
        set: Set::General(|settings, value, at| {
            parse::profile_name(value, at).map(|it| settings.default_profile = it)
        }),
    },
    Setting {
        name: "namespaces",
        form: Form::Mapping,
        doc: "Settings of single namespaces, by name or pattern; each may have the list `hosts` of those that belong to it and to nobody else, and the `profile` of its Services.",
        default: "{}",
        example: "{team-a: {domain: a.example.com, hosts: ['*.a.example.com']}}",
        set: Set::General(|settings, value, at| parse::namespaces(value, at, &mut settings.namespaces)),
    },
    Setting {
        name: "externalDNSPrefixes",
        form: Form::List,
        doc: "The prefixes under which ExternalDNS looks for annotations: each one that is forwarded is given under all of them, for version 0.22 changed the prefix, and so is `controller: none` on objects that help another one.",
        default: "[external-dns.alpha.kubernetes.io/, external-dns.kubernetes.io/]",
        example: "[external-dns.kubernetes.io/]",
        set: Set::General(|settings, value, at| {
            parse::prefixes(value, at).map(|list| settings.dns_prefixes = list)
        }),
    },
    Setting {
        name: "publishedValue",
        form: Form::Word(&["host", "url"]),
        doc: "What the URL ConfigMap holds: the host, as that of the original, or the whole URL.",
        default: "host",
        example: "url",
        set: Set::General(|settings, value, at| {
            parse::second_of(value, at, ["host", "url"]).map(|it| settings.publish_url = it.unwrap_or(false))
        }),
    },
    Setting {
        name: "legacyAnnotations",
        form: Form::Word(&["translate", "forward"]),
        doc: "Whether forwarded keys that today's programs no longer read are translated, or everything is passed through as the original did.",
        default: "translate",
        example: "forward",
        set: Set::General(|settings, value, at| {
            let forward = parse::second_of(value, at, ["translate", "forward"])?.unwrap_or(false);
            settings.legacy = if forward { Legacy::Forward } else { Legacy::Translate };
            Ok(())
        }),
    },
    Setting {
        name: "strict",
        form: Form::Boolean,
        doc: "Whether doubtful annotations, such as an unknown key or a malformed line, are Errors rather than Warnings.",
        default: "false",
        example: "true",
        set: Set::General(|settings, value, at| {
            parse::boolean(value, at).map(|it| settings.strict = it.unwrap_or(false))
        }),
    },
    Setting {
        name: "stamp",
        form: Form::Boolean,
        doc: "Whether the policy writes the URL and the name of the Ingress back on the Service, as status.xposer.stakater.com/url and ingress; with false it only validates, as a policy group wants it.",
        default: "true",
        example: "false",
        set: Set::General(|settings, value, at| {
            parse::boolean(value, at).map(|it| settings.stamp = it.unwrap_or(true))
        }),
    },
];
