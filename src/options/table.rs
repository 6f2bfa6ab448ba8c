//! The table of options: one row for each option, which an annotation, a setting, or both can set.
//!
//! The fields of [`Layer`] are made from the rows, and so is everything that parses or describes options: proposals for misspelt
//! names, the reference pages, `xposer explain`, the form of the policy and the JSON Schema of the settings.

use std::borrow::Cow;
use std::fmt::Display;

use serde_json::{Map, Value};

use super::annotations::annotation;
use super::layer::{Entry, IntentValues, Slot};
use super::parse::Parsed;
use super::{NO_SECRET, Settings, SourcedTemplate, admission, entries, gateways, named, parse};
use crate::diagnostics::{Origin, Sourced, joined, one_of};
use crate::dialect::controller::Controller;
use crate::intents::Intent;
use crate::plan::{Plan, Route};
use crate::service::{FORWARD_ANNOTATION, PortRef};
use crate::template::Template;
use crate::validation::PathType;
use crate::validation::pattern::Certificates;
use crate::values::{BackendProtocol, Feature, Issuer, LinkPage, ParentRef, Target, Termination, Tls};

/// A row of the table of options.
///
/// ```
/// use xposer::options::{Form, options};
/// let tls = options().iter().find(|row| row.setting.is_some_and(|key| key.name == "tls")).unwrap();
/// assert_eq!(tls.annotation.map(|key| key.name), Some("config.xposer.stakater.com/TLS"));
/// assert!(tls.is_layered() && tls.original && tls.default == "false");
/// let strict = options().iter().find(|row| row.setting.is_some_and(|key| key.name == "strict")).unwrap();
/// assert!(strict.annotation.is_none() && !strict.is_layered() && strict.form == Form::Boolean);
/// ```
#[derive(Debug)]
pub struct ConfigOption {
    /// The setting; `None` if only a Service can set the option.
    pub setting: Option<Key>,
    /// The annotation of a Service that overrides the setting; `None` if a Service cannot set the option.
    pub annotation: Option<Key>,
    /// The form of its value.
    pub form: Form,
    /// The meaning of the option, in one sentence.
    pub doc: &'static str,
    /// The default, as YAML. In parentheses, a description of the behaviour without a value, if no value has the same effect.
    pub default: &'static str,
    /// Whether the original Xposer had the option.
    pub original: bool,
    /// Whether a profile or a namespace can also have the setting.
    is_layered: bool,
}

/// The part of an option that parsing needs. It is separate from [`ConfigOption`], so that the policy's module does not contain the
/// texts of the reference pages.
pub(super) struct Row {
    /// The name of the setting.
    pub(super) setting: Option<&'static str>,
    /// The key of the annotation.
    pub(super) annotation: Option<&'static str>,
    /// The value in the built-in layer, as YAML. If there is none, the code that uses the option decides.
    pub(super) built_in: Option<&'static str>,
    /// Whether a profile or a namespace can also have the setting.
    pub(super) is_layered: bool,
    /// Reads the setting or the annotation into its slot.
    pub(super) read: Option<ReadLayer>,
    /// Reads the setting at the top level, if it is more than a slot of the lowest layer.
    pub(super) read_top: Option<ReadTop>,
}

/// Reads a setting or an annotation into its slot. `null` stands for an annotation that is no text.
pub(super) type ReadLayer = fn(&mut Layer, &Value, Origin) -> Parsed<()>;
/// Reads a setting of the top level into its field.
pub(super) type ReadTop = fn(&mut Settings, &Value, &Origin) -> Parsed<()>;

/// The key of an annotation or a setting.
///
/// ```
/// let (key, row) = xposer::options::annotations().next().unwrap();
/// assert_eq!((key.name, key.short_name()), ("config.xposer.stakater.com/Domain", "Domain"));
/// assert_eq!((key.example, row.setting.unwrap().name), ("company.com", "domain"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The whole key.
    pub name: &'static str,
    /// An example value that works: for an annotation its text, for a setting YAML.
    pub example: &'static str,
}

impl Key {
    /// The key without its prefix: `IngressNameTemplate`.
    #[must_use]
    pub fn short_name(&self) -> &'static str {
        self.name.rsplit('/').next().unwrap_or(self.name)
    }
}

impl ConfigOption {
    /// Whether a profile or a namespace can also have the setting.
    #[must_use]
    pub fn is_layered(&self) -> bool {
        self.is_layered
    }

    /// The default; `None` if it is a description and not a value.
    ///
    /// ```
    /// let default = |name| xposer::options::settings().find(|(key, _)| key.name == name)?.1.default_value();
    /// assert_eq!((default("tls"), default("servicePort")), (Some("false"), None));
    /// ```
    #[must_use]
    pub fn default_value(&self) -> Option<&'static str> {
        Some(self.default).filter(|default| !default.starts_with('('))
    }
}

/// Every option, in the order of the reference pages.
///
/// ```
/// assert!(xposer::options::options().iter().all(|row| row.setting.is_some() || row.annotation.is_some()));
/// ```
#[must_use]
pub fn options() -> &'static [ConfigOption] {
    OPTIONS
}

/// Returns the key and the option of every setting.
///
/// ```
/// assert!(xposer::options::settings().any(|(key, row)| key.name == "ingressURLTemplate" && row.is_layered()));
/// ```
pub fn settings() -> impl Iterator<Item = (Key, &'static ConfigOption)> + Clone {
    OPTIONS.iter().filter_map(|row| Some((row.setting?, row)))
}

/// Returns the key and the option of every annotation of a Service that is read.
///
/// ```
/// assert!(xposer::options::annotations().any(|(key, _)| key.name == "config.xposer.stakater.com/IngressNameTemplate"));
/// ```
pub fn annotations() -> impl Iterator<Item = (Key, &'static ConfigOption)> + Clone {
    OPTIONS.iter().filter_map(|row| Some((row.annotation?, row)))
}

/// A value of a Plan that an option decides, as `xposer explain` shows it.
pub(crate) struct Decided {
    /// The name of the value.
    pub(crate) what: &'static str,
    pub(crate) value: String,
    pub(crate) origin: Origin,
    /// Returns the source of the option in a layer.
    pub(crate) origin_in: OriginIn,
}

/// A function that returns the source of an option in a layer.
type OriginIn = fn(&Layer) -> Option<&Origin>;
/// A function that returns the values that an option decides, given the function for its source in a layer.
type Decides = fn(&Plan, OriginIn) -> Vec<Decided>;

impl Decided {
    fn new(what: &'static str, value: impl Display, origin: &Origin, origin_in: OriginIn) -> Self {
        Self { what, value: value.to_string(), origin: origin.clone(), origin_in }
    }

    /// The value of an intent, if it comes from an option.
    fn intent_value(what: &'static str, intent: Intent, plan: &Plan, origin_in: OriginIn) -> Vec<Self> {
        let wanted = plan.requested(intent).filter(|it| it.keys.is_empty());
        wanted.map(|it| Self::new(what, &it.intent_value, &it.origin, origin_in)).into_iter().collect()
    }

    /// The value of an option that decides a single value, if the plan has one.
    fn only(what: &'static str, value: Option<&Sourced<impl Display>>, origin_in: OriginIn) -> Vec<Self> {
        value.map(|it| Self::new(what, &it.value, &it.origin, origin_in)).into_iter().collect()
    }
}

/// Returns the values of a Plan that options decide, in the order of the table.
pub(crate) fn decided(plan: &Plan) -> impl Iterator<Item = Decided> {
    DECIDES.iter().flat_map(|(decides, origin_in)| decides(plan, *origin_in))
}

/// The row of a setting.
pub(super) fn find_setting(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.setting == Some(name))
}

/// The names of all settings.
pub(super) fn setting_names() -> impl Iterator<Item = &'static str> {
    ROWS.iter().filter_map(|row| row.setting)
}

/// The keys of all annotations.
pub(super) fn annotation_keys() -> impl Iterator<Item = &'static str> {
    ROWS.iter().filter_map(|row| row.annotation)
}

/// The words as a message quotes them.
fn in_backquotes(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| format!("`{word}`")).collect()
}

/// The form of the value of a setting or an annotation.
///
/// ```
/// use xposer::options::{Form, annotations};
/// let types = annotations().find(|(key, _)| key.short_name() == "PathType").map(|(_, row)| row.form);
/// assert_eq!(types, Some(Form::Word(&["Exact", "Prefix", "ImplementationSpecific"])));
/// assert_eq!(Form::Word(&["a", "b", "c"]).describe(), "one of `a`, `b` or `c`");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A template.
    Template,
    /// Templates, separated by commas or line ends.
    Templates,
    /// A list of templates.
    TemplateList,
    /// A boolean; as text, one of the spellings of Go's `strconv.ParseBool`.
    Boolean,
    /// The name or the number of a port.
    Port,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Some of these words, separated by commas; in settings, also a list.
    Words(&'static [&'static str]),
    /// A whole number in this inclusive range.
    Number(u8, u8),
    /// The name of an object.
    Name,
    /// A text with a format of its own, which the description names.
    Text,
    /// A path that begins with `/`.
    Path,
    /// Numbers with the units h, m, s or ms: `1m30s`.
    Duration,
    /// A number of bytes, optionally with Ki, Mi, Gi, k, M or G.
    Size,
    /// Texts, separated by commas or blanks; in settings, also a list.
    Items,
    /// One `key: value` on each line with these keys, or the value of the first key alone; in settings, also a mapping.
    Parts(&'static [&'static str]),
    /// One `key: value` on each line.
    Block,
    /// A mapping with texts as values; in an annotation, one `key: value` on each line.
    Pairs,
    /// A list of texts, such as hosts or patterns.
    List,
    /// A mapping with keys of its own.
    Mapping,
}

impl Form {
    /// The form in words, for the reference pages.
    #[must_use]
    pub fn describe(self) -> Cow<'static, str> {
        match self {
            Self::Template => "template".into(),
            Self::Templates => "templates, separated by commas or line ends".into(),
            Self::TemplateList => "list of templates".into(),
            Self::Boolean => "boolean".into(),
            Self::Port => "name or number of a port".into(),
            Self::Word(words) => {
                let words = in_backquotes(words);
                one_of(&words.iter().map(String::as_str).collect::<Vec<_>>()).into()
            }
            Self::Words(words) => {
                format!("some of {}, separated by commas", joined(&in_backquotes(words), " and ")).into()
            }
            Self::Number(min, max) => format!("whole number from {min} to {max}").into(),
            Self::Name => "name of an object".into(),
            Self::Text => "text".into(),
            Self::Path => "path".into(),
            Self::Duration => "duration such as `1m30s`".into(),
            Self::Size => "size such as `10Mi`".into(),
            Self::Items => "list; in an annotation separated by commas or blanks".into(),
            Self::Parts(keys) => format!(
                "{}; in an annotation one `key: value` a line, or the first value alone",
                joined(&in_backquotes(keys), " and ")
            )
            .into(),
            Self::Block => "one `key: value` a line".into(),
            Self::Pairs => "mapping to texts, in an annotation one `key: value` a line".into(),
            Self::List => "list".into(),
            Self::Mapping => "mapping".into(),
        }
    }

    /// Whether a setting of this form is, or can be, a list or a mapping. Places that only hold texts, such as the data of a
    /// ConfigMap, have the value as YAML.
    ///
    /// ```
    /// use xposer::options::Form;
    /// assert!(Form::List.is_collection() && Form::Mapping.is_collection());
    /// assert!(!Form::Template.is_collection() && !Form::Boolean.is_collection());
    /// ```
    #[must_use]
    pub fn is_collection(self) -> bool {
        match self {
            Self::TemplateList
            | Self::Words(_)
            | Self::List
            | Self::Items
            | Self::Parts(_)
            | Self::Pairs
            | Self::Mapping => true,
            Self::Template
            | Self::Templates
            | Self::Boolean
            | Self::Port
            | Self::Word(_)
            | Self::Number(..)
            | Self::Name
            | Self::Text
            | Self::Path
            | Self::Duration
            | Self::Size
            | Self::Block => false,
        }
    }
}

/// Makes the table, and the fields of [`Layer`] from its first part.
///
/// A row of `layered` has a slot in every layer. Its `setting` can be in every layer of the settings, its `general` only at the top
/// level, and its `annotation` on a Service. `read` parses all of them, and `top` replaces it at the top level. `built_in` in place
/// of `default` is also the value in the built-in layer: a text, in single quotes where YAML needs them. `decides` returns the
/// values of a Plan that the option decides. The grammar of the intent parses a row of `intents`. A row of `general` is a setting
/// of the top level only, or the block, which has a parser of its own.
macro_rules! options {
    (
        layered {$(
            $field:ident: $type:ty {
                form: $form:expr,
                doc: $doc:expr,
                $( default: $default:expr, )?
                $( built_in: $built_in:expr, )?
                $( original: $original:expr, )?
                $( setting: ($setting:expr, $setting_example:expr), )?
                $( general: ($general:expr, $general_example:expr), )?
                $( annotation: ($annotation:expr, $annotation_example:expr), )?
                read: $read:expr,
                $( top: $read_top:expr, )?
                $( decides: $decides:expr, )?
            }
        )+}
        intents {$(
            $intent:ident {
                form: $intent_form:expr,
                doc: $intent_doc:expr,
                setting: ($intent_setting:expr, $intent_setting_example:expr),
                annotation: $intent_annotation_example:expr,
            }
        )+}
        general {$({
            form: $only_form:expr,
            doc: $only_doc:expr,
            default: $only_default:expr,
            $( original: $only_original:expr, )?
            $( setting: ($only:expr, $only_example:expr, $read_only:expr), )?
            $( annotation: ($block:expr, $block_example:expr), )?
        })+}
    ) => {
        /// The options that one layer sets.
        #[derive(Clone, Debug, Default)]
        pub(crate) struct Layer {
            $( pub(crate) $field: Slot<$type>, )+
            /// The intents that have no field of their own.
            pub(crate) intent_values: IntentValues,
        }

        /// The rows of all options, in the order of [`options`].
        pub(super) static ROWS: &[Row] = &[
            $( Row {
                $( setting: Some($setting), is_layered: true, )?
                $( setting: Some($general), )?
                $( annotation: Some($annotation), )?
                $( built_in: Some($built_in), )?
                read: Some(|layer, value, origin| layer.$field.read_into($read, value, origin)),
                $( read_top: Some($read_top), )?
                ..ROW
            }, )+
            $( Row {
                setting: Some($intent_setting),
                annotation: Some(Intent::$intent.annotation()),
                is_layered: true,
                read: Some(|layer, value, origin| layer.intent_values.read_into(Intent::$intent, value, origin)),
                ..ROW
            }, )+
            $( Row {
                $( setting: Some($only), read_top: Some($read_only), )?
                $( annotation: Some($block), )?
                ..ROW
            }, )+
        ];

        // Only references and `xposer explain` read this. It is no column of the table above, so that the policy's module does not
        // contain it.
        static OPTIONS: &[ConfigOption] = &[
            $( ConfigOption {
                $( setting: Some(Key { name: $setting, example: $setting_example }), is_layered: true, )?
                $( setting: Some(Key { name: $general, example: $general_example }), )?
                $( annotation: Some(Key { name: $annotation, example: $annotation_example }), )?
                $( original: $original, )?
                $( default: $default, )?
                $( default: $built_in, )?
                ..option($form, $doc)
            }, )+
            $( ConfigOption {
                setting: Some(Key { name: $intent_setting, example: $intent_setting_example }),
                annotation: Some(Key {
                    name: Intent::$intent.annotation(),
                    example: $intent_annotation_example,
                }),
                is_layered: true,
                default: "(none)",
                ..option($intent_form, $intent_doc)
            }, )+
            $( ConfigOption {
                $( setting: Some(Key { name: $only, example: $only_example }), )?
                $( annotation: Some(Key { name: $block, example: $block_example }), )?
                $( original: $only_original, )?
                default: $only_default,
                ..option($only_form, $only_doc)
            }, )+
        ];

        // Only `xposer explain` reads this.
        static DECIDES: &[(Decides, OriginIn)] = &[
            $( $( ($decides, |layer| layer.$field.origin()), )? )+
            $( (
                |plan, origin_in| Decided::intent_value($intent_setting, Intent::$intent, plan, origin_in),
                |layer| layer.intent_values.slot(Intent::$intent).origin(),
            ), )+
        ];
    };
}

/// A row without a setting and an annotation, to be completed.
const ROW: Row =
    Row { setting: None, annotation: None, built_in: None, is_layered: false, read: None, read_top: None };

/// An option without a setting and an annotation, to be completed.
const fn option(form: Form, doc: &'static str) -> ConfigOption {
    ConfigOption {
        setting: None,
        annotation: None,
        form,
        doc,
        default: "",
        original: false,
        is_layered: false,
    }
}

/// The values of the setting `publishedValue`, the default first.
const PUBLISHED_VALUES: [&str; 2] = ["host", "url"];
/// The values of the setting `legacyAnnotations`, the default first.
const LEGACY_ANNOTATIONS: [&str; 2] = ["translate", "forward"];

options! {
    layered {
        domain: Template<'static> {
            form: Form::Template,
            doc: "The value of {{.Domain}} in the other templates; it may itself use {{.Service}} and {{.Namespace}}.",
            default: "(none)",
            original: true,
            setting: ("domain", "example.com"),
            annotation: (annotation::DOMAIN, "company.com"),
            read: parse::template,
            decides: |plan, origin_in| Decided::only("domain", plan.domain.as_ref(), origin_in),
        }
        url: Template<'static> {
            form: Form::Templates,
            doc: "The host, or the host and the path; several templates give several hosts. ` -> ` and a port behind one route its requests to another port of the Service: `{{.Service}}.{{.Domain}}/metrics -> 9090`.",
            built_in: "'{{.Service}}.{{.Namespace}}.{{.Domain}}'",
            original: true,
            setting: ("ingressURLTemplate", "'{{.Service}}.{{.Domain}}'"),
            annotation: (annotation::URL, "{{.Service}}.{{.Domain}}"),
            read: parse::template,
            decides: |plan, origin_in| {
                let of_route = |route: &Route| {
                    let mut rows = vec![
                        Decided::new("host", &route.host, &route.host_origin, origin_in),
                        Decided::new("path", &route.path, &route.path_origin, |layer| layer.path.origin()),
                    ];
                    rows.extend(Decided::only("port", route.port.as_ref().map(|port| &port.chosen), origin_in));
                    rows
                };
                plan.rules.iter().flat_map(of_route).collect()
            },
        }
        fallbacks: Vec<SourcedTemplate> {
            form: Form::TemplateList,
            doc: "Templates that are tried in order if a host is longer than DNS, or a certificate's common name, allows.",
            default: "[]",
            setting: ("ingressURLTemplateFallbacks", "['{{.Service}}.{{.Domain}}']"),
            read: parse::template_list,
        }
        path: Template<'static> {
            form: Form::Template,
            doc: "The path; `/` leaves it to the path in the URL template.",
            built_in: "/",
            original: true,
            setting: ("ingressURLPath", "/{{.Service}}"),
            annotation: (annotation::PATH, "/api"),
            read: parse::template,
        }
        name: Template<'static> {
            form: Form::Template,
            doc: "The name of the Ingress, HTTPRoute or Route.",
            built_in: "'{{.Service}}'",
            original: true,
            setting: ("ingressNameTemplate", "'{{.Service}}-{{.Namespace}}'"),
            annotation: (annotation::NAME, "{{.Service}}-{{.Namespace}}"),
            read: parse::template,
            decides: |plan, origin_in| Decided::only("name", plan.name.as_ref(), origin_in),
        }
        class: String {
            form: Form::Name,
            doc: "The IngressClass, which selects the controller that serves the Ingress, for example the internal or the external one.",
            default: "(the cluster's default)",
            setting: ("ingressClassName", "internal-ingress"),
            annotation: (annotation::CLASS, "external-ingress"),
            read: parse::class,
            decides: |plan, origin_in| Decided::only("ingressClassName", plan.class.as_ref(), origin_in),
        }
        port: PortRef {
            form: Form::Port,
            doc: "The port of the Service to route to, if the URL template names none; the default is the first port.",
            default: "(the first port)",
            setting: ("servicePort", "http"),
            annotation: (annotation::PORT, "http"),
            read: parse::port,
            decides: |plan, origin_in| Decided::only("servicePort", plan.port.as_ref().map(|port| &port.chosen), origin_in),
        }
        path_type: PathType {
            form: Form::Word(PathType::WORDS),
            doc: "How the path is compared; the default is Prefix, or ImplementationSpecific if the path is a regular expression.",
            default: "(by the path)",
            setting: ("pathType", "Exact"),
            annotation: (annotation::PATH_TYPE, "Exact"),
            read: parse::path_type,
        }
        tls: Tls {
            form: Form::Word(Tls::WORDS),
            doc: "How connections are secured: not at all, by the certificate in a secret, by one that cert-manager puts there, or by a load balancer in front of the controller.",
            default: "false",
            original: true,
            setting: ("tls", "cert-manager"),
            annotation: (annotation::TLS, "true"),
            read: parse::tls,
            decides: |plan, origin_in| Decided::only("tls", plan.tls.as_ref(), origin_in),
        }
        secret: Template<'static> {
            form: Form::Template,
            doc: "The name of the secret with the certificate; NO_SECRET, or nothing, means the Ingress's name and `-cert`. With {{.Host}} in it, each host has a secret of its own.",
            default: NO_SECRET,
            original: true,
            setting: ("tlsSecretNameTemplate", "'{{.Service}}-tls'"),
            annotation: (annotation::SECRET, "{{.Service}}-tls"),
            read: parse::secret_template,
            decides: |plan, origin_in| {
                let Some(secret) = &plan.secret else { return Vec::new() };
                let names = plan.tls_section().into_iter().map(|(name, _)| name);
                names.map(|name| Decided::new("tlsSecretName", name, &secret.origin, origin_in)).collect()
            },
        }
        tls_hosts: Template<'static> {
            form: Form::Templates,
            doc: "More hosts for the TLS section, and so for the certificate, without a route of their own, such as a short name in addition to a long one.",
            default: "(none)",
            setting: ("tlsHosts", "'www.{{.Service}}.{{.Domain}}'"),
            annotation: (annotation::TLS_HOSTS, "www.{{.Service}}.{{.Domain}}"),
            read: parse::template,
            decides: |plan, origin_in| {
                let hosts = plan.certificate_hosts.iter();
                hosts.map(|it| Decided::new("tlsHost", &it.host, &it.host_origin, origin_in)).collect()
            },
        }
        common_name: bool {
            form: Form::Boolean,
            doc: "Whether certificates carry the host as their common name, which holds at most 64 characters; longer hosts with TLS are then refused, or replaced by a fallback.",
            default: "false",
            setting: ("tlsCommonName", "true"),
            read: parse::boolean,
        }
        namespaced_issuer: Issuer {
            form: Form::Name,
            doc: "The Issuer, in the Service's namespace, that issues certificates under `tls: cert-manager`.",
            default: "(none)",
            setting: ("issuer", "internal-ca"),
            annotation: (annotation::ISSUER, "internal-ca"),
            read: |value, at| parse::issuer(value, at, false),
        }
        cluster_issuer: Issuer {
            form: Form::Name,
            doc: "The ClusterIssuer that issues certificates under `tls: cert-manager`.",
            default: "(none)",
            setting: ("clusterIssuer", "letsencrypt-production"),
            annotation: (annotation::CLUSTER_ISSUER, "letsencrypt-production"),
            read: |value, at| parse::issuer(value, at, true),
        }
        certificates: Certificates {
            form: Form::List,
            doc: "The names in the certificates of the load balancer; under `tls: load-balancer` one of them must cover every host, and a star matches one label.",
            default: "(not checked)",
            setting: ("certificates", "['*.labs.company.com', '*.tools.company.com']"),
            read: parse::certificates,
        }
        https_redirect: bool {
            form: Form::Boolean,
            doc: "Whether requests without TLS are redirected to https; the target's own default is yes if TLS ends at an Ingress or Route.",
            default: "(by the target)",
            setting: ("httpsRedirect", "true"),
            annotation: (annotation::HTTPS_REDIRECT, "true"),
            read: parse::boolean,
            decides: |plan, origin_in| Decided::only("httpsRedirect", plan.https_redirect.as_ref(), origin_in),
        }
        annotations: Vec<Entry> {
            form: Form::Mapping,
            doc: "Annotations for all objects; a Service's own block takes precedence. Three lists of patterns of keys are allowed only here and not in a profile: `deny` has the keys that Services may neither forward nor set by an option (`*-snippet`, `*-snippets` and `config-*` of HAProxy Ingress are always denied), `allow` has the exceptions, and `acceptLoss` has protecting keys that may be lost if the program that serves the Service does not support them.",
            default: "{}",
            setting: (
                "annotations",
                "{nginx.ingress.kubernetes.io/proxy-body-size: 10m, deny: ['*/auth-*'], allow: ['*/auth-url'], acceptLoss: ['*/limit-rps']}"
            ),
            read: |value, at| entries::annotations(value, at, None),
            top: |settings, value, at| {
                let [deny, allow, accept] = entries::LISTS;
                let lists =
                    [(deny, &mut settings.deny), (allow, &mut settings.allow), (accept, &mut settings.accept_loss)];
                let read = |value: &Value, at: &Origin| entries::annotations(value, at, Some(lists));
                settings.base.annotations.read_into(read, value, at.clone())
            },
        }
        labels: Vec<Entry> {
            form: Form::Pairs,
            doc: "Labels of the objects of a Service, merged key by key over the layers; the ConfigMap xposer, which belongs to several Services, has none of them.",
            default: "{}",
            setting: ("labels", "{example.com/team: shop}"),
            annotation: (annotation::LABELS, "example.com/team: shop"),
            read: entries::labels,
        }
        links: Vec<LinkPage> {
            form: Form::Words(LinkPage::WORDS),
            doc: "The programs that get a link to the URL by annotations of the objects: a link at the application in Argo CD, a tile in Homepage. An annotation of the Service takes precedence.",
            default: "[]",
            setting: ("links", "[argocd, homepage]"),
            read: parse::links,
        }
        targets: Vec<Target> {
            form: Form::Words(Target::WORDS),
            doc: "The objects that expose the Service: an Ingress, an HTTPRoute of the Gateway API, a Route of OpenShift; several while you move from one to another.",
            built_in: "Ingress",
            setting: ("target", "[Ingress, HTTPRoute]"),
            annotation: (annotation::TARGET, "HTTPRoute"),
            read: parse::targets,
            decides: |plan, origin_in| {
                let words: Vec<&str> = plan.targets.iter().map(|target| target.as_str()).collect();
                vec![Decided::new("target", words.join(", "), &plan.targets_origin, origin_in)]
            },
        }
        parent_refs: Vec<ParentRef> {
            form: Form::List,
            doc: "The Gateways, or their listeners, that HTTPRoutes are attached to, each with `name` and perhaps `namespace`, `sectionName`, `port`, `kind`, `group`.",
            default: "(none)",
            setting: ("parentRefs", "[{name: external, namespace: gateways, sectionName: https}]"),
            read: gateways::parent_refs,
        }
        listener_set: bool {
            form: Form::Boolean,
            doc: "Whether an HTTPRoute whose TLS has a secret is attached to a ListenerSet of its own, which adds a listener with the secret for each host to the Gateway of `parentRefs`; the Gateway has to allow it (spec.allowedListeners).",
            default: "false",
            setting: ("listenerSet", "true"),
            read: parse::boolean,
            decides: |plan, origin_in| Decided::only("listenerSet", plan.listener_set.as_deref(), origin_in),
        }
        http_parent_refs: Vec<ParentRef> {
            form: Form::List,
            doc: "The listeners without TLS. The HTTPRoute of a Service without TLS is attached to them in place of `parentRefs`, unless its profile or namespace has `parentRefs` of its own. With TLS, a second HTTPRoute is attached to them that redirects requests to https; `parentRefs` must not match any of them.",
            default: "(none)",
            setting: ("httpParentRefs", "[{name: external, namespace: gateways, sectionName: http}]"),
            read: gateways::parent_refs,
        }
        termination: Termination {
            form: Form::Word(Termination::WORDS),
            doc: "Where the TLS connection to a Route of OpenShift ends.",
            default: "edge",
            setting: ("routeTermination", "reencrypt"),
            read: parse::termination,
        }
        canary_of: String {
            form: Form::Name,
            doc: "The stable Service, in the same namespace: this Service gets a part of its requests, under the same host and path.",
            default: "(none)",
            annotation: (annotation::CANARY_OF, "web-stable"),
            read: parse::canary_of,
        }
        canary_weight: u8 {
            form: Form::Number(0, 100),
            doc: "The percentage of the requests that the canary gets.",
            default: "(none)",
            annotation: (annotation::CANARY_WEIGHT, "10"),
            read: parse::canary_weight,
        }
        canary_header: String {
            form: Form::Text,
            doc: "The name of a header: requests that carry it with the value always, or that of CanaryByHeaderValue, go to the canary.",
            default: "(none)",
            annotation: (annotation::CANARY_HEADER, "X-Canary"),
            read: |value, at| parse::canary_text(value, at, "header", "-._~"),
        }
        canary_header_value: String {
            form: Form::Text,
            doc: "The value of the header that sends a request to the canary.",
            default: "always",
            annotation: (annotation::CANARY_HEADER_VALUE, "beta"),
            read: |value, at| parse::canary_text(value, at, "header's value", "-._~:/"),
        }
        canary_cookie: String {
            form: Form::Text,
            doc: "The name of a cookie: requests that carry it with the value always go to the canary.",
            default: "(none)",
            annotation: (annotation::CANARY_COOKIE, "canary"),
            read: |value, at| parse::canary_text(value, at, "cookie", "-._~:/"),
        }
        monitor: bool {
            form: Form::Boolean,
            doc: "Whether an EndpointMonitor for IngressMonitorController is also made.",
            default: "false",
            setting: ("monitor", "true"),
            annotation: (annotation::MONITOR, "true"),
            read: parse::boolean,
            decides: |plan, origin_in| {
                let monitor = plan.monitor.iter();
                monitor.map(|monitor| Decided::new("monitor", true, &monitor.origin, origin_in)).collect()
            },
        }
        monitor_health: String {
            form: Form::Path,
            doc: "The path that the monitor requests instead of the exposed one.",
            default: "(the exposed path)",
            setting: ("monitorHealthEndpoint", "/healthz"),
            annotation: (annotation::MONITOR_HEALTH, "/healthz"),
            read: parse::health_endpoint,
        }
        monitor_provider: Map<String, Value> {
            form: Form::Mapping,
            doc: "Options of the monitor's provider, as EndpointMonitor has them, for example `uptimeRobotConfig`.",
            default: "{}",
            setting: ("monitorProvider", "{uptimeRobotConfig: {interval: 300}}"),
            read: parse::monitor_provider,
        }
        gateway_controller: Controller {
            form: Form::Word(Controller::GATEWAY_CONTROLLERS),
            doc: "Which program serves HTTPRoutes; without it, only features of every implementation of the Gateway API are used.",
            built_in: "gateway",
            setting: ("gatewayController", "envoy-gateway"),
            read: parse::gateway_controller,
        }
        gateway_features: Vec<Feature> {
            form: Form::Words(Feature::WORDS),
            doc: "The features of the Gateway API that the Gateways support, in addition to those of the program in `gatewayController` and of their GatewayClass (`status.supportedFeatures`).",
            default: "[]",
            setting: ("gatewayFeatures", "[HTTPRouteCORS, HTTPRouteRequestTimeout]"),
            read: parse::gateway_features,
        }
        auth: String {
            form: Form::Name,
            doc: "The authentication that the administrator has defined under this name in the setting `auth`; the setting applies to Services that name none.",
            default: "(none)",
            setting: ("defaultAuth", "sso"),
            annotation: (annotation::AUTH, "sso"),
            read: parse::auth,
        }
        profile: String {
            form: Form::Name,
            doc: "The profile to take defaults from, one of `profiles`; the setting applies to Services that choose none.",
            default: "(none)",
            general: ("defaultProfile", "internal"),
            annotation: (annotation::PROFILE, "external"),
            read: parse::profile,
        }
    }
    intents {
        HttpsRedirectCode {
            form: Form::Word(&["301", "302", "303", "307", "308"]),
            doc: "The code of the answers that redirect requests to https.",
            setting: ("httpsRedirectCode", "308"),
            annotation: "308",
        }
        StripPrefix {
            form: Form::Boolean,
            doc: "Whether the Service gets requests without the path under which it is exposed: behind `/shop`, a request for `/shop/cart` arrives as `/cart`.",
            setting: ("stripPrefix", "true"),
            annotation: "true",
        }
        RewritePath {
            form: Form::Path,
            doc: "The path that the Service gets in place of the whole path of a request; `$1` is the first group of a path that is a regular expression.",
            setting: ("rewritePath", "/"),
            annotation: "/",
        }
        AllowedSources {
            form: Form::Items,
            doc: "The client addresses and networks that are admitted; all others are denied.",
            setting: ("allowedSources", "[10.0.0.0/8, 192.0.2.7]"),
            annotation: "10.0.0.0/8, 192.0.2.7",
        }
        DeniedSources {
            form: Form::Items,
            doc: "The client addresses and networks that are denied.",
            setting: ("deniedSources", "[192.0.2.0/24]"),
            annotation: "192.0.2.0/24",
        }
        BasicAuth {
            form: Form::Parts(&["secret", "realm"]),
            doc: "Names and passwords (RFC 7617): the secret of the Service's namespace that has them, in the form that the controller reads, and perhaps a realm.",
            setting: ("basicAuth", "{secret: users, realm: Staff}"),
            annotation: "users",
        }
        ExternalAuth {
            form: Form::Parts(&["url", "signIn", "responseHeaders"]),
            doc: "The URL of a server that gets each request first and admits it by answering 200, the URL of the sign-in page, and the headers of its answer that the Service gets.",
            setting: ("externalAuth", "{url: 'https://auth.example.com/verify', responseHeaders: [X-User]}"),
            annotation: "https://auth.example.com/verify",
        }
        ConnectTimeout {
            form: Form::Duration,
            doc: "How long it may take to connect to the Service.",
            setting: ("connectTimeout", "5s"),
            annotation: "5s",
        }
        IdleTimeout {
            form: Form::Duration,
            doc: "How long the Service may be silent within an answer.",
            setting: ("idleTimeout", "60s"),
            annotation: "60s",
        }
        Timeout {
            form: Form::Duration,
            doc: "How long a whole request may take, with its answer.",
            setting: ("timeout", "5m"),
            annotation: "5m",
        }
        MaxBodySize {
            form: Form::Size,
            doc: "How large the body of a request may be; 0 is no limit.",
            setting: ("maxBodySize", "10Mi"),
            annotation: "10Mi",
        }
        Cors {
            form: Form::Parts(&["origins", "methods", "headers", "exposeHeaders", "credentials", "maxAge"]),
            doc: "Which other origins may use the Service from a browser (CORS), by which methods and headers, and whether with cookies. Without `methods` or `headers`, those that ingress-nginx allows by default are allowed: GET, PUT, POST, DELETE, PATCH and OPTIONS; Authorization, Content-Type and the usual ones.",
            setting: ("cors", "{origins: ['https://app.example.com'], credentials: true}"),
            annotation: "https://app.example.com",
        }
        RequestHeaders {
            form: Form::Pairs,
            doc: "Headers that the Service gets, in place of those that the client sends; one without a value is removed.",
            setting: ("requestHeaders", "{X-Tenant: shop}"),
            annotation: "X-Tenant: shop",
        }
        ResponseHeaders {
            form: Form::Pairs,
            doc: "Headers that the client gets, in place of those that the Service sends; one without a value is removed.",
            setting: ("responseHeaders", "{X-Frame-Options: DENY}"),
            annotation: "X-Frame-Options: DENY",
        }
        BackendProtocol {
            form: Form::Word(BackendProtocol::WORDS),
            doc: "The protocol of the Service; the default is the port's appProtocol, or http.",
            setting: ("backendProtocol", "https"),
            annotation: "grpc",
        }
        StickySession {
            form: Form::Parts(&["cookie", "maxAge"]),
            doc: "The name of a cookie that keeps a client with one pod, and how long it lasts.",
            setting: ("stickySession", "{cookie: route, maxAge: 1h}"),
            annotation: "route",
        }
        RedirectFrom {
            form: Form::Items,
            doc: "Other hosts that are redirected to this one; `www` means this host with `www.` before it, or without.",
            setting: ("redirectFrom", "[www]"),
            annotation: "www",
        }
        RateLimit {
            form: Form::Parts(&["limit", "burst"]),
            doc: "How many requests one client may make in a second, a minute or an hour, and how many at once beyond that. Without a burst, these are five times the limit on ingress-nginx and NGINX Ingress Controller, and as many as the limit on Traefik.",
            setting: ("rateLimit", "{limit: 10/s, burst: 50}"),
            annotation: "10/s",
        }
        ClientCertificate {
            form: Form::Parts(&["secret", "verify"]),
            doc: "The secret of the Service's namespace with the authority whose certificates clients have to show; `verify: optional` also admits clients without one.",
            setting: ("clientCertificate", "{secret: clients-ca}"),
            annotation: "clients-ca",
        }
        TlsPassthrough {
            form: Form::Boolean,
            doc: "Whether TLS ends at the Service and not before it.",
            setting: ("tlsPassthrough", "true"),
            annotation: "true",
        }
    }
    general {
        {
            form: Form::Mapping,
            doc: "Which program serves a class of Ingresses, if its name does not show it: one of the values of `defaultController` for each class.",
            default: "{}",
            setting: (
                "controllers",
                "{internal-ingress: traefik}",
                |settings, value, at| named::controllers(value, at, &mut settings.controllers)
            ),
        }
        {
            form: Form::Word(Controller::WORDS),
            doc: "Which program serves classes whose program is not known, and Ingresses without a class.",
            default: "ingress-nginx",
            setting: ("defaultController", "traefik", |settings, value, at| {
                store_if_set(parse::controller(value, at)?.map(Some), &mut settings.default_controller)
            }),
        }
        {
            form: Form::Mapping,
            doc: "Authentication under a name that Services choose with the annotation Auth, each with `basicAuth` or `externalAuth`.",
            default: "{}",
            setting: (
                "auth",
                "{sso: {externalAuth: {url: 'https://auth.example.com/verify', responseHeaders: [X-User]}}}",
                |settings, value, at| named::auth(value, at, &mut settings.auth)
            ),
        }
        {
            form: Form::Mapping,
            doc: "Settings under a name that a Service chooses with the annotation Profile; each may have the list `namespaces` of those that may choose it.",
            default: "{}",
            setting: (
                "profiles",
                "{internal: {ingressClassName: internal}, external: {ingressClassName: external, namespaces: ['web-*']}}",
                |settings, value, at| named::profiles(value, at, &mut settings.profiles)
            ),
        }
        {
            form: Form::Mapping,
            doc: "Settings of single namespaces, by name or pattern; each may have the list `hosts` of those that belong only to it and to the namespaces that list the same, the lists `classes` and `gateways` of those that it may use (a ListenerSet as `ListenerSet/namespace/name`), and the `profile` of its Services.",
            default: "{}",
            setting: (
                "namespaces",
                "{team-a: {domain: a.example.com, hosts: ['*.a.example.com']}}",
                |settings, value, at| named::namespaces(value, at, &mut settings.namespaces)
            ),
        }
        {
            form: Form::List,
            doc: "The prefixes under which ExternalDNS looks for annotations: each forwarded one is written under all of them, because version 0.22 changed the prefix, and so is `controller: none` on objects that help another one.",
            default: "[external-dns.alpha.kubernetes.io/, external-dns.kubernetes.io/]",
            setting: ("externalDNSPrefixes", "[external-dns.kubernetes.io/]", |settings, value, at| {
                settings.dns_prefixes = parse::prefixes(value, at)?;
                Ok(())
            }),
        }
        {
            form: Form::Word(&PUBLISHED_VALUES),
            doc: "The content of the URL ConfigMap: the host, as in the original, or the whole URL.",
            default: "host",
            setting: ("publishedValue", "url", |settings, value, at| {
                store_if_set(parse::second_of(value, at, &PUBLISHED_VALUES)?, &mut settings.publish_url)
            }),
        }
        {
            form: Form::Word(&LEGACY_ANNOTATIONS),
            doc: "Whether forwarded keys that today's programs no longer read are translated, or everything is passed through as the original did.",
            default: "translate",
            setting: ("legacyAnnotations", "forward", |settings, value, at| {
                store_if_set(parse::second_of(value, at, &LEGACY_ANNOTATIONS)?, &mut settings.forwards_legacy)
            }),
        }
        {
            form: Form::Boolean,
            doc: "Whether doubtful annotations, such as an unknown key or a malformed line, are Errors rather than Warnings.",
            default: "false",
            setting: ("strict", "true", |settings, value, at| store_if_set(parse::boolean(value, at)?, &mut settings.strict)),
        }
        {
            form: Form::Boolean,
            doc: "Whether the policy writes the URL and the name of the Ingress back on the Service, as status.xposer.stakater.com/url and ingress; with false it only validates, as a policy group requires.",
            default: "true",
            setting: ("stamp", "false", |settings, value, at| store_if_set(parse::boolean(value, at)?, &mut settings.stamp)),
        }
        {
            form: Form::Mapping,
            doc: "Where the controller records which object has which hosts and names (`namespace`), and what the policy does with the records: `mode` is `off`, `warn` or `deny`; `onFailure` (`warn` or `deny`) applies if the records are not known or older than `maxAge`; with `nameOthers: false`, objects in other namespaces are not named.",
            default: "(none)",
            setting: (
                "claims",
                "{namespace: xposer-system, mode: deny}",
                |settings, value, at| admission::claims(value, at, &mut settings.claims)
            ),
        }
        {
            form: Form::Mapping,
            doc: "What the policy does with hand-written objects that have hosts: `mode` is `off`, `warn` or `deny`, `kinds` are some of `Ingress`, `HTTPRoute`, `GRPCRoute`, `TLSRoute` and `Route`, and requests of `users` are allowed; by default, these are the controller and the account with which OpenShift makes Routes of Ingresses.",
            default: "{mode: off}",
            setting: (
                "guard",
                "{mode: deny, kinds: [Ingress]}",
                |settings, value, at| admission::guard(value, at, &mut settings.guard)
            ),
        }
        {
            form: Form::Block,
            doc: "Annotations to pass on to the Ingress; the line `exposeIngressUrl: locally` or `globally` publishes the host in the ConfigMap xposer.",
            default: "(none)",
            original: true,
            annotation: (FORWARD_ANNOTATION, "nginx.ingress.kubernetes.io/proxy-body-size: 900m"),
        }
    }
}

/// Stores a value that was read; `None` leaves the target unchanged.
fn store_if_set<T>(read: Option<T>, target: &mut T) -> Parsed<()> {
    if let Some(value) = read {
        *target = value;
    }
    Ok(())
}
