//! The table of diagnostic codes: the one source for `explain`, the reference page and the completeness tests.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::diagnostics::{Severity, UnknownWord};

macro_rules! codes {
    ($( $variant:ident, $slug:literal, $severity:ident $(+ $strict:ident)?, $summary:literal, $why:literal, $fix:literal; )+) => {
        /// The kind of a diagnostic: a stable, kebab-case slug with an explanation.
        ///
        /// A code is displayed and serialised as its slug. Each column of the table is a separate function, so that a program that
        /// never calls one does not contain its texts.
        ///
        /// ```
        /// use xposer::{Code, Severity};
        /// let code: Code = "host-uppercase".parse().unwrap();
        /// assert_eq!(code.slug(), "host-uppercase");
        /// assert_eq!(code.severity(), Severity::Error);
        /// assert!(Code::ALL.contains(&code));
        /// assert_eq!(code.summary(), "The host contains upper-case letters.");
        /// assert!(code.why().contains("lower case") && code.fix().contains("lower"));
        /// assert!(Code::TlsNotBoolean.is_error_when_strict() && !Code::PortFirst.is_error_when_strict());
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $( #[doc = $summary] $variant, )+
        }

        const SLUGS: &[&str] = &[$( $slug, )+];

        impl Code {
            /// Every code, in the order of the reference page.
            pub const ALL: &'static [Self] = &[$( Self::$variant, )+];

            /// The stable name, in kebab case: `host-uppercase`.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $( Self::$variant => $slug, )+ }
            }

            /// The severity, unless `strict: true` raises it.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $( Self::$variant => Severity::$severity, )+ }
            }

            /// Whether the setting `strict: true` makes the code an Error.
            #[must_use]
            pub fn is_error_when_strict(self) -> bool {
                match self { $( Self::$variant => false $( || codes!(@ $strict) )?, )+ }
            }

            /// The meaning, in one sentence.
            #[must_use]
            pub fn summary(self) -> &'static str {
                match self { $( Self::$variant => $summary, )+ }
            }

            /// The reason or the rule, and the source of the rule unless Xposer itself defines it.
            #[must_use]
            pub fn why(self) -> &'static str {
                match self { $( Self::$variant => $why, )+ }
            }

            /// The fix.
            #[must_use]
            pub fn fix(self) -> &'static str {
                match self { $( Self::$variant => $fix, )+ }
            }
        }
    };
    (@ strict) => { true };
}

/// Parses a slug, which is case-sensitive.
impl FromStr for Code {
    type Err = UnknownWord;

    fn from_str(slug: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.iter().copied().find(|code| code.slug() == slug);
        found.ok_or_else(|| UnknownWord { found: slug.to_owned(), words: SLUGS })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.slug())
    }
}

codes! {
    // The Service itself.
    FieldType, "field-type", Error,
        "A field of the Service has a type the API server would refuse.",
        "Labels and annotations are strings and ports are numbers (Kubernetes API reference, ObjectMeta and ServiceSpec); in YAML an unquoted true is a boolean.",
        "Put labels and annotations in quotes, for example `expose: 'true'`; write port numbers without quotes.";
    ServiceNameInvalid, "service-name-invalid", Error,
        "The Service's name cannot be the backend of an Ingress.",
        "A backend's service name is a DNS label: lower-case letters, digits and `-`, at most 63 characters (validateIngressBackend).",
        "Rename the Service.";
    NamespaceInvalid, "namespace-invalid", Error,
        "The Service's namespace is not a namespace name.",
        "A namespace is a DNS label: lower-case letters, digits and `-`, at most 63 characters.",
        "Correct metadata.namespace.";
    NamespaceMissing, "namespace-missing", Error,
        "The namespace is needed here, but the Service has none.",
        "The URL ConfigMap belongs to a namespace and its key contains the namespace's name.",
        "Set metadata.namespace, or pass `--namespace` on the command line.";
    AnnotationsTooLarge, "annotations-too-large", Error,
        "The annotations are larger than the API server allows.",
        "All keys and values of an object's annotations together hold at most 262144 bytes (ValidateAnnotationsSize).",
        "Shorten the annotations.";
    ServiceExternalName, "service-external-name", Warning + strict,
        "The Service is of type ExternalName, which many controllers do not route to.",
        "An ExternalName Service has no endpoints: ingress-nginx resolves the name itself unless --disable-svc-external-name is set, cloud load balancers and the Gateway API do not route to it.",
        "Expose a Service that selects pods.";
    ServiceHeadless, "service-headless", Warning,
        "The Service is headless, which some controllers do not route to.",
        "A headless Service has no cluster IP: controllers that read endpoints (ingress-nginx, AWS with target-type ip) route to it, those that use the cluster IP do not.",
        "Expose a Service with a cluster IP, unless you know that your controller reads endpoints.";
    PortNone, "port-none", Error,
        "The Service has no port to route to.",
        "An Ingress backend names a port of the Service (validateIngressBackend).",
        "Add a port to spec.ports.";
    PortUnknown, "port-unknown", Error,
        "The chosen port does not exist on the Service.",
        "An Ingress that names a port the Service does not have is accepted by the API server and answers 503.",
        "Name one of the Service's ports.";
    PortInvalid, "port-invalid", Error,
        "A port number or port name is outside what Kubernetes accepts.",
        "Port numbers are 1 to 65535; port names have at most 15 lower-case letters, digits and single `-`, with at least one letter (IsValidPortName).",
        "Correct the port.";
    PortNotTcp, "port-not-tcp", Error,
        "The chosen port does not use TCP, so requests cannot be routed to it.",
        "An Ingress and a route carry HTTP over TCP. The original used the first port with any protocol. Xposer does not guess another port.",
        "Choose a TCP port with the annotation config.xposer.stakater.com/ServicePort.";
    PortFirst, "port-first-of-several", Info,
        "The Service has several ports and none was chosen, so the first one is used.",
        "This is what the original did.",
        "Choose with the annotation config.xposer.stakater.com/ServicePort.";
    PortTwice, "port-twice", Error,
        "Two ports are named for one host and path.",
        "Requests for one URL go to one port.",
        "Keep one of the two URLs.";
    ProtocolsDiffer, "protocols-differ", Warning,
        "The ports of the URLs use different protocols, but an Ingress has one protocol for all of them.",
        "Controllers read the protocol of the backend from the Ingress, not from the field appProtocol of each port.",
        "Expose them by several Services, or set the annotation config.xposer.stakater.com/BackendProtocol.";
    PortUnused, "port-unused", Warning,
        "A port is chosen for all URLs, but each URL names its own port.",
        "The port behind a URL takes precedence.",
        "Remove the annotation config.xposer.stakater.com/ServicePort.";
    AskedWrongly, "asked-wrongly", Warning,
        "The Service has annotations or a label of Xposer, but does not ask to be exposed, or they are in a place that is not read.",
        "Only the label expose with exactly the value true exposes a Service, as in the original, and only metadata.annotations configure it. An API server drops fields that it does not know.",
        "Write the label expose: \"true\", and Xposer's keys under metadata.annotations. To expose nothing, write the label expose: \"false\".";

    // The annotations.
    AnnotationUnknown, "annotation-unknown", Warning + strict,
        "An annotation has a prefix of Xposer, but Xposer has no such annotation.",
        "Keys are case sensitive. The original silently ignored a misspelt key.",
        "Correct the key or remove it; `xposer explain` lists all keys.";
    AnnotationEmpty, "annotation-empty", Warning,
        "An annotation is empty and counts as not set.",
        "Charts often render an empty value where none was given; an empty host would match every host.",
        "Give it a value or remove it.";
    TlsNotBoolean, "tls-not-boolean", Warning + strict,
        "The value of TLS is neither a boolean nor a known word, so the setting applies.",
        "The words are cert-manager and load-balancer; the spellings of booleans are those of Go's strconv.ParseBool: 1 t T true TRUE True, 0 f F false FALSE False. The original fell back to its configuration, too.",
        "Write \"true\", \"false\", cert-manager or load-balancer.";
    BooleanInvalid, "boolean-invalid", Error,
        "A value that must be true or false is neither.",
        "The spellings are those of Go's strconv.ParseBool: 1 t T true TRUE True, 0 f F false FALSE False.",
        "Write \"true\" or \"false\".";
    ProfileUnknown, "profile-unknown", Error,
        "There is no such profile.",
        "The administrator defines profiles in the setting profiles. Without this profile, the Service would get other defaults.",
        "Choose an existing profile.";
    ProfileForbidden, "profile-forbidden", Error,
        "The profile is not allowed in this namespace.",
        "The list namespaces of the profile has the namespaces that may use it.",
        "Choose another profile, or ask the administrator.";
    PathTypeUnknown, "path-type-unknown", Error,
        "Kubernetes has no such path type.",
        "networking.k8s.io/v1 has Exact, Prefix and ImplementationSpecific.",
        "Write one of Exact, Prefix, ImplementationSpecific.";

    // Templates.
    TemplateUnclosed, "template-unclosed", Error,
        "An action, block, string, comment or parenthesis of the template is not closed.",
        "An action begins with `{{` and ends with `}}` in the same template; if and with end with `{{end}}`.",
        "Close it.";
    TemplateSyntax, "template-syntax", Error,
        "The template cannot be read.",
        "Templates are written in Go's text/template syntax, or in Handlebars'.",
        "Correct the marked place; `xposer explain templates` shows the syntax.";
    TemplateUnknownVariable, "template-unknown-variable", Error,
        "The template uses a variable that does not exist.",
        "The variables are Service, Namespace and Domain; names are case sensitive. An unknown variable is never rendered as an empty string.",
        "Use {{.Service}}, {{.Namespace}} or {{.Domain}}.";
    TemplateUnknownFunction, "template-unknown-function", Error,
        "The template calls a function that does not exist.",
        "Only the functions listed in the reference are available.",
        "Use one of the listed functions; `xposer explain templates` lists them.";
    TemplateUnsupported, "template-unsupported", Error,
        "The template uses a construct that is not supported.",
        "All variables are plain texts, so there is nothing to loop over or to call. A template that cannot be rendered exactly as in Go is refused.",
        "Rewrite the template without it.";
    TemplateValueMissing, "template-value-missing", Error,
        "The template needs a value that is not set.",
        "A half-rendered template must not become a host name.",
        "Set the domain (annotation config.xposer.stakater.com/Domain or the setting domain), or metadata.namespace.";
    TemplateFunction, "template-function-failed", Error,
        "A function of the template cannot process its arguments.",
        "Go would write an error text into the result, or stop. Xposer refuses such a template.",
        "Correct the arguments.";
    TemplateTooLarge, "template-too-large", Error,
        "The template or its result is larger than any name can be.",
        "A template and its result have at most 16384 bytes, and are nested at most 64 deep. This limits the cost of one Service.",
        "Shorten the template.";

    // The host.
    HostMissing, "host-missing", Error,
        "The URL template gives no host.",
        "An Ingress rule without a host matches every host, and would take requests of other Services.",
        "Write a host before the path.";
    HostScheme, "host-scheme", Error,
        "The URL template contains a scheme such as https://.",
        "An Ingress rule has a host and a path; TLS decides whether it is https.",
        "Remove the scheme; request https with config.xposer.stakater.com/TLS: \"true\".";
    HostPort, "host-port", Error,
        "The host contains a port.",
        "An Ingress rule cannot choose the port the controller listens on (validateIngressRules).",
        "Remove the port from the URL template.";
    HostIp, "host-ip", Error,
        "The host is an IP address.",
        "An Ingress rule needs a DNS name (validateIngressRules refuses addresses).",
        "Use a DNS name.";
    HostTrailingDot, "host-trailing-dot", Error,
        "The host ends with a dot.",
        "A rule's host is written without the root dot (IsDNS1123Subdomain).",
        "Remove the last dot.";
    HostUppercase, "host-uppercase", Error,
        "The host contains upper-case letters.",
        "A rule's host is in lower case (IsDNS1123Subdomain), although DNS ignores the case.",
        "Write it in lower case, or use the function lower.";
    HostCharacter, "host-character", Error,
        "The host contains a character that no host name may contain.",
        "A host name has lower-case letters, digits, `-` and `.` (RFC 1123, IsDNS1123Subdomain).",
        "Remove the character; `_` is usually meant to be `-`.";
    HostSeparator, "host-separator", Error,
        "Hosts are not separated by commas or lines, or a path has a comma.",
        "A template of URLs may have several hosts, separated by commas or line ends. A comma in a path such as /a{1,3} separates hosts, too.",
        "Separate hosts by commas or lines; write a path with a comma into config.xposer.stakater.com/IngressURLPath.";
    HostEmptyLabel, "host-empty-label", Error,
        "The host has an empty part between two dots or at its start.",
        "Every part of a host name has at least one character (RFC 1123).",
        "Remove the extra dot, or set the value that came out empty.";
    HostHyphen, "host-hyphen", Error,
        "A part of the host starts or ends with a hyphen.",
        "Every part of a host name starts and ends with a letter or digit (RFC 1123).",
        "Remove the hyphen.";
    HostWildcard, "host-wildcard", Error,
        "A wildcard is in a place where Kubernetes does not allow one.",
        "A `*` may only be the whole first part of a host, as in *.example.com (IsWildcardDNS1123Subdomain).",
        "Write the wildcard as `*.` followed by the domain.";
    HostLabelTooLong, "host-label-too-long", Error,
        "A part of the host has more than 63 characters.",
        "DNS allows 63 bytes between two dots (RFC 1035); the API server does not check it, but ExternalDNS drops the record.",
        "Shorten it, or let the setting ingressURLTemplateFallbacks give shorter forms.";
    HostTooLong, "host-too-long", Error,
        "The host has more than 253 characters.",
        "DNS allows 253 characters in all (RFC 1035, IsDNS1123Subdomain).",
        "Shorten it, or let the setting ingressURLTemplateFallbacks give shorter forms.";
    HostCommonName, "host-common-name", Error,
        "The host does not fit into a certificate's common name.",
        "A common name has at most 64 characters (RFC 5280, ub-common-name); with the setting tlsCommonName, certificates have the host there.",
        "Shorten the host, let ingressURLTemplateFallbacks give shorter forms, or set tlsCommonName to false.";
    HostFallback, "host-fallback", Info,
        "The host was too long, so a fallback template was used.",
        "The setting ingressURLTemplateFallbacks is tried in order until a host fits.",
        "Do nothing, or shorten the first template.";
    HostRepeated, "host-repeated", Warning,
        "Two URL templates give the same host and path.",
        "One rule is enough.",
        "Remove one of them.";

    // Name, path, TLS, class.
    IngressNameInvalid, "ingress-name-invalid", Error,
        "The rendered name is not a valid object name.",
        "An Ingress name is a DNS subdomain: lower-case letters, digits, `-` and `.`, starting and ending with a letter or digit, at most 253 characters (NameIsDNSSubdomain).",
        "Correct the template.";
    PathInvalid, "path-invalid", Error,
        "The API server does not accept the path for its path type.",
        "Exact and Prefix paths start with `/` and contain no `//`, `/./`, `/../`, `%2f`; they do not end with `/.` or `/..` (validateHTTPIngressPath).",
        "Correct the path.";
    PathRegex, "path-regular-expression", Info,
        "The path is a regular expression, so its path type is ImplementationSpecific.",
        "Only ImplementationSpecific lets a controller read a path as a regular expression.",
        "Do nothing, or choose another type with config.xposer.stakater.com/PathType.";
    PathLiteral, "path-literal", Warning,
        "The path looks like a regular expression, but is compared as plain text.",
        "ingress-nginx reads paths as regular expressions only if use-regex is true or there is a rewrite-target; no request path contains the characters of a regular expression.",
        "Remove use-regex, so that Xposer adds it, or write a plain path.";
    RewriteMismatch, "rewrite-target-mismatch", Warning,
        "The rewrite target does not fit the path.",
        "Since version 0.22, ingress-nginx replaces the whole path by rewrite-target, and keeps only the text of the path's groups. Before, it removed the path and kept the rest.",
        "Write a path with a group for the part to keep, such as /shop(/|$)(.*), and the number of the group in the target, such as /$2.";
    HostRegex, "host-regular-expression", Warning,
        "A regular expression changes how ingress-nginx compares the other paths of its host.",
        "With use-regex or rewrite-target on one Ingress of a host, ingress-nginx reads all paths of the host as regular expressions: an Exact path also matches longer paths, a Prefix does not end at a slash, and the case of letters is ignored.",
        "Write the other paths as regular expressions, too, or give one of them another host.";
    PathBlank, "path-blank", Warning,
        "The path contains a blank, which no request has.",
        "In a request a blank is written %20; ingress-nginx refuses such a path (strict-validate-path-type).",
        "Remove the blank, or write %20.";
    PathQuery, "path-query", Warning,
        "The path contains a `?`, but a path has no query.",
        "Controllers compare the path only, without the query (RFC 3986, 3.3), so the rule never matches.",
        "Remove the query; if it is a regular expression, set config.xposer.stakater.com/PathType: ImplementationSpecific.";
    TlsSecretInvalid, "tls-secret-invalid", Error,
        "The rendered TLS secret name is not a valid object name.",
        "A secret name is a DNS subdomain: lower-case letters, digits, `-` and `.`, at most 253 characters (validateIngressTLS).",
        "Correct the template.";
    ClassInvalid, "class-invalid", Error,
        "The ingress class is not a valid object name.",
        "ingressClassName is a DNS subdomain (ValidateIngressSpec).",
        "Name an existing IngressClass.";
    ClassUnserved, "class-unserved", Warning,
        "By default, the program does not serve Ingresses of the class.",
        "The controller of GKE reads the class in the annotation kubernetes.io/ingress.class, and serves gce, gce-internal and gce-regional-external.",
        "Choose one of these classes, unless you run the controller with another one.";
    ClassConflict, "class-conflict", Error,
        "Two different ingress classes are given.",
        "The API server refuses an Ingress whose class annotation and ingressClassName differ (ValidateIngressCreate).",
        "Keep one of the two.";

    PathStrict, "path-strict", Warning + strict,
        "The path contains a character that ingress-nginx refuses.",
        "Its webhook accepts only letters, digits and `. _ - /` in Exact and Prefix paths (strict-validate-path-type, on by default).",
        "Write the path without it, or set config.xposer.stakater.com/PathType: ImplementationSpecific.";
    HostNotOwned, "host-not-owned", Error,
        "The host belongs to another namespace, or not to this one.",
        "The setting namespaces assigns hosts to namespaces, so that no team can take the hosts of another one.",
        "Choose a host of your namespace, or ask the administrator.";
    ClassNotAllowed, "class-not-allowed", Error,
        "The class is not allowed in this namespace.",
        "The list classes of a namespace in the setting namespaces has the classes that its Ingresses may have.",
        "Choose a class of the list, or ask the administrator.";
    GatewayNotAllowed, "gateway-not-allowed", Error,
        "The Gateway is not allowed in this namespace.",
        "The list gateways of a namespace in the setting namespaces has the Gateways that its routes may be attached to.",
        "Choose a Gateway of the list, or ask the administrator.";

    // Certificates.
    IssuerInvalid, "issuer-invalid", Error,
        "The name of the issuer is not a valid object name.",
        "An Issuer and a ClusterIssuer are objects, whose names are DNS subdomains.",
        "Name an existing issuer.";
    IssuerMissing, "issuer-missing", Error,
        "cert-manager is requested, but no issuer is named.",
        "Without an issuer on the Ingress, cert-manager does nothing and reports nothing (certificate-shim).",
        "Add config.xposer.stakater.com/ClusterIssuer or Issuer, or set clusterIssuer or issuer.";
    IssuerConflict, "issuer-conflict", Error,
        "Two issuers are given.",
        "If an Ingress has an issuer and a cluster issuer, cert-manager issues nothing (BadConfig).",
        "Keep one of the two.";
    TlsHostsIgnored, "tls-hosts-ignored", Warning,
        "TLSHosts names hosts for a certificate, but no certificate is requested.",
        "The hosts are written to the TLS section of an Ingress, which exists only with a secret.",
        "Set config.xposer.stakater.com/TLS: \"true\", or remove TLSHosts.";
    RedirectWithoutCertificate, "redirect-without-certificate", Warning,
        "A host is redirected to its name with or without `www.`, but the certificate of cert-manager has only one of the two names.",
        "ingress-nginx redirects https requests only if the certificate has both names.",
        "Name the other host in the annotation config.xposer.stakater.com/TLSHosts.";
    IssuerWithoutTls, "issuer-without-tls", Warning,
        "An issuer is named, but there is no TLS section for its certificate.",
        "cert-manager makes a certificate for each entry of spec.tls; without an entry, it does nothing and reports nothing.",
        "Set config.xposer.stakater.com/TLS: cert-manager, or remove the issuer.";
    RedirectConflict, "redirect-conflict", Error,
        "HTTPSRedirect and a forwarded annotation contradict each other.",
        "The controller follows its own annotations, such as ssl-redirect; HTTPSRedirect applies to every target.",
        "Keep one of the two.";
    RedirectWithoutTls, "redirect-without-tls", Warning,
        "Requests are redirected to https, but there is no TLS.",
        "Without a certificate, https requests are not answered, so the redirect does not work.",
        "Set config.xposer.stakater.com/TLS, or remove the annotation.";
    IssuerWildcard, "issuer-wildcard", Warning,
        "A certificate for a wildcard host needs a DNS-01 solver.",
        "ACME issues certificates for wildcards only after a DNS challenge (RFC 8555), and HTTP-01 solvers cannot answer it.",
        "Make sure that the issuer has a DNS-01 solver for the domain.";
    CertManagerInvalid, "cert-manager-invalid", Error,
        "cert-manager would refuse this value, and issue nothing.",
        "cert-manager makes a Certificate from the annotations of an Ingress. If it cannot read one of them, or its webhook refuses the Certificate, there is none (translateAnnotations, ValidateCertificateSpec).",
        "Correct the value.";
    CertManagerIgnored, "cert-manager-ignored", Warning,
        "cert-manager does not read this key here.",
        "cert-manager reads some keys only on other objects. Keys about a certificate have no effect if no certificate is requested.",
        "Request a certificate, or remove the line.";
    EditInPlace, "edit-in-place", Error,
        "cert-manager would write into the Ingress.",
        "With http01-edit-in-place, cert-manager adds the paths of its challenges to the Ingress. The Service does not have these paths, so the program that manages the Ingress removes them again.",
        "Remove the line; cert-manager then makes an Ingress of its own for each challenge.";
    ListenerClaimed, "listener-claimed", Error,
        "Two Services need a listener for the same host at the same Gateway.",
        "If two ListenerSets have a listener for one host and port, the Gateway API uses the older one, and the routes of the other one are not served.",
        "Give one of the Services another host, or let the Gateway have the listener, without listenerSet.";
    SecretShared, "secret-shared", Error,
        "Two Services store certificates in the same secret.",
        "cert-manager makes one Certificate for a secret, owned by the first Ingress; the host of the second one is never in it.",
        "Give each its own secret: leave TLSSecretNameTemplate out, or put {{.Service}} into it. If they have a host in common, keep the issuer on one of them, and set TLS: \"true\" with the same secret on the other.";
    CertificateTwice, "certificate-twice", Warning,
        "Two certificates of cert-manager are requested for one host.",
        "Each Ingress with an issuer and a secret of its own gets a Certificate; a controller serves one of them for the host, and issuers limit how many certificates a name gets.",
        "Keep the issuer on one of them, and set TLS: \"true\" with the same secret on the other.";
    CertificateMissing, "certificate-missing", Error,
        "No certificate of the load balancer covers the host.",
        "The setting certificates lists their names; a star stands for exactly one label (RFC 6125), so *.example.com covers neither example.com nor a.b.example.com.",
        "Choose a covered host, or add a certificate.";

    // Canaries.
    CanaryInvalid, "canary-invalid", Error,
        "A value of the canary is not valid.",
        "CanaryOf is the name of a Service, the weight is a whole number from 0 to 100, header and cookie have letters, digits and few other characters (ingress-nginx, BasicCharsRegex).",
        "Correct the value.";
    CanaryIncomplete, "canary-incomplete", Error,
        "The canary has no stable Service, no weight, header or cookie, or a header value without a header.",
        "A canary shares the requests of its stable Service, and a weight, a header or a cookie selects its requests; ingress-nginx refuses one without the other.",
        "Add what is missing.";
    CanaryDiffers, "canary-differs", Error,
        "The canary is exposed differently from its stable Service.",
        "ingress-nginx joins a canary to the Ingress with the same host, path, path type and class, and drops a canary without such an Ingress. The protections of the stable Service protect the canary.",
        "Give both Services the same templates, path, path type and class, and put protections on the stable one.";
    CanaryAnnotation, "canary-annotation", Info,
        "An annotation for ExternalDNS or Forecastle has no effect on a canary.",
        "Only the stable Service, which has the same host, passes it on: ExternalDNS merges the values of all objects of a host, and Forecastle lists each object.",
        "Do nothing, or forward the annotation from the stable Service.";
    CanaryAlone, "canary-alone", Warning,
        "The stable Service of the canary is not among the exposed Services.",
        "A canary gets a part of the requests of an exposed Service. Without this Service it gets none; if it has an HTTPRoute of its own, it is served without protection.",
        "Expose the stable Service, or correct CanaryOf.";

    // ExternalDNS, monitors, Forecastle.
    DnsInvalid, "dns-invalid", Error,
        "ExternalDNS could not use this value.",
        "A TTL is seconds or a duration; hostname and target are DNS names with at most 63 bytes between two dots, targets also addresses. ExternalDNS drops a record that it cannot publish.",
        "Correct the value.";
    DnsUnread, "dns-key-unread", Warning,
        "ExternalDNS does not read this key on the Ingress or route.",
        "ExternalDNS reads some keys only on a Service, and has one key about hosts for Ingresses and another for routes.",
        "Write the key that is read, or remove the line.";
    DnsTwice, "dns-published-twice", Warning,
        "ExternalDNS would publish the same name for the Service and for its Ingress or route.",
        "Its sources service and ingress both make a record, with different targets.",
        "Remove the annotation from the Service.";
    DnsMirrored, "dns-mirrored", Info,
        "An annotation of ExternalDNS is also given under its other prefix.",
        "Version 0.22 changed the prefix, and no version reads both.",
        "Do nothing; the setting externalDNSPrefixes has the prefixes.";
    MonitorInvalid, "monitor-invalid", Error,
        "A value of the monitor is not valid.",
        "The health endpoint of an EndpointMonitor begins with `/`, and its options have values of certain types (EndpointMonitorSpec).",
        "Correct the value.";
    MonitorNotAsked, "monitor-not-asked", Warning,
        "Options of a monitor are set, but no monitor is requested.",
        "Options of a monitor have no effect without one.",
        "Set config.xposer.stakater.com/Monitor: \"true\", or remove the options.";
    MonitorWildcard, "monitor-wildcard", Warning,
        "The monitor would request a wildcard host.",
        "IngressMonitorController requests the first host as it is.",
        "Put a host without a star first, or remove the monitor.";
    MonitorProviders, "monitor-providers", Warning,
        "The monitor has the options of several providers.",
        "IngressMonitorController uses one provider: the first in its own order for which the EndpointMonitor has options.",
        "Keep the options of one provider.";
    ForecastleWildcard, "forecastle-wildcard", Warning,
        "Forecastle would link to a wildcard host.",
        "Forecastle uses the first host as it is, and a link with a star does not work.",
        "Forward forecastle.stakater.com/url, or put a host without a star first.";
    ForecastleInvalid, "forecastle-invalid", Error,
        "Forecastle could not use this value.",
        "`expose` is compared with true, `url` needs a scheme, and an item of `properties` without a colon stops the program.",
        "Correct the value.";

    // Annotations that may be forwarded.
    AnnotationDenied, "annotation-denied", Error,
        "This annotation may not be forwarded.",
        "A snippet, or `config-*` of HAProxy Ingress, becomes part of the controller's configuration, with which it serves all namespaces (ingress-nginx: risk Critical). A value that names an object of another namespace gives access to it: Traefik, the HAProxy Kubernetes Ingress Controller and F5's NGINX Ingress Controller do not check the namespace. The setting annotations can deny more keys.",
        "Remove it, or ask the administrator to allow it.";
    AnnotationInvalid, "annotation-invalid", Error,
        "The controller does not accept the value for this key.",
        "ingress-nginx refuses the Ingress, or answers with 503. Other controllers, and for some keys ingress-nginx, silently ignore the value, even if this opens the Service.",
        "Correct the value.";
    AnnotationIgnored, "annotation-ignored", Warning,
        "The controller ignores the value of a key.",
        "ingress-nginx uses its default if it does not accept a value, and reports this only in its log (internal/ingress/annotations). Most other controllers do the same. The message names the effect.",
        "Correct the value, or remove the line.";
    NamespaceOther, "namespace-other", Warning,
        "An annotation names an object of another namespace.",
        "Since version 1.12, ingress-nginx uses Secrets and ConfigMaps only of the Ingress's own namespace, and otherwise answers every request with 503, unless its setting allow-cross-namespace-resources is true. Contour uses a certificate of another namespace if a TLSCertificateDelegation there allows it, and Kong a plugin if a ReferenceGrant does. Other controllers use objects of all namespaces, even against the will of their owners: for these, a line of a Service is refused (`annotation-denied`) unless the setting annotations allows its key.",
        "Copy the object into the namespace of the Service; keep the line if other namespaces may use the object.";
    AuthenticationOff, "authentication-off", Warning,
        "Authentication is configured, but some or all clients are admitted without it.",
        "ingress-nginx requires a password only with auth-type, external authentication only with auth-url, and a client certificate only with auth-tls-secret (internal/ingress/annotations). Clients without TLS show no certificate. A load balancer of AWS requires logins, tokens and certificates only at listeners for https.",
        "Follow the help of the message: add the key, correct the value, or accept only requests with TLS.";
    AnnotationAlone, "annotation-alone", Warning,
        "A key has no effect without another one.",
        "The parser returns before it reads the key, or the template writes nothing (ingress-nginx, internal/ingress/annotations and nginx.tmpl; the router of OpenShift, haproxy-config.template).",
        "Add the key that the message names, or remove the line.";
    AnnotationAlias, "annotation-alias", Warning,
        "One annotation is given under both of its names, with different values.",
        "Some controllers read a key under an old name or under several prefixes. ingress-nginx reads one name and ignores the other; for other programs, Xposer uses the current name.",
        "Keep one of the two.";
    AuthenticationDenies, "authentication-denies", Warning,
        "A password is required, but no Secret with passwords is named.",
        "Without auth-secret ingress-nginx cannot set up basic or digest authentication, and answers every request with an error (internal/ingress/annotations/auth). The HAProxy Kubernetes Ingress Controller has an empty list of users then.",
        "Add the key that the message names, or remove the line.";
    CanaryUnnamed, "canary-unnamed", Warning,
        "An annotation makes the Ingress a canary, but no stable Service is named.",
        "ingress-nginx serves an Ingress with canary: \"true\" only if another Ingress has the same host and path.",
        "Name the stable Service with config.xposer.stakater.com/CanaryOf.";
    CorsOriginInvalid, "cors-origin-invalid", Warning,
        "An item of the list is not a valid origin.",
        "No browser sends an origin without a scheme, so ingress-nginx ignores such an item (internal/ingress/annotations/cors).",
        "Write scheme, host and perhaps port of each origin, separated by commas.";
    ForeignKeyUnknown, "foreign-key-unknown", Warning,
        "The key has the prefix of a known program, but the program has no such key.",
        "Keys are case sensitive, and controllers of Ingresses, cert-manager, ExternalDNS and Forecastle silently ignore unknown keys.",
        "Correct the key; keep it if your version of the program reads it.";

    // Targets.
    ProtectionLost, "protection-lost", Error,
        "The program that serves the Service does not support an annotation or option that protects it.",
        "Authentication, allowed and denied addresses, client certificates, limits and redirects are requested by annotations of one program, or by options. If another program does not support them, its Ingress, HTTPRoute or Route would be open to all clients, so none is made.",
        "Do what the help says, choose a class or a target that supports it, or protect the Service by other means and let the administrator accept the loss in the list acceptLoss of the setting annotations.";
    ProtectionLossAccepted, "protection-loss-accepted", Warning,
        "The program that serves the Service does not support a protection, and the administrator accepts this.",
        "The list acceptLoss of the setting annotations has a pattern for the key.",
        "Protect the Service by other means, and remove the line.";
    ProtectionWeakened, "protection-weakened", Warning,
        "The program that serves the Service does not support an annotation that makes the Service safer.",
        "Annotations about ciphers, headers or the connection to the Service have no effect there.",
        "Remove the line, or choose a class or a target that supports it.";
    ProtectionUnclear, "protection-unclear", Warning,
        "An annotation protects the Service only if another program serves it than the assumed one.",
        "If no setting, no IngressClass of the cluster and no class name shows which program serves the Service, ingress-nginx is assumed, which does not read the annotation. A class nginx can also belong to NGINX Ingress Controller.",
        "Name the program of the class in the setting controllers, or that of all other classes in defaultController.";
    IntentInvalid, "intent-invalid", Error,
        "The value of an option does not have the form that the option requires.",
        "Each of these options has one grammar for all programs. A partly valid value is refused as a whole.",
        "Correct the value; `xposer explain` shows the form and an example.";
    IntentConflict, "intent-conflict", Error,
        "Two options or annotations give different values for the same feature.",
        "These are two options, an option and a forwarded annotation of another program, or annotations of two programs of which the second one serves the Service. Xposer does not guess which value is meant.",
        "Keep one of the two.";
    IntentLost, "intent-lost", Warning,
        "The program that serves the Service does not support an option or an annotation.",
        "The controller of the class or of the Gateway has no annotation, field or object for it, so requests are served without it.",
        "Do what the help says, remove the option or the line, or choose another class or target.";
    IntentDiffers, "intent-differs", Warning,
        "The program that serves the Service implements an option or an annotation differently.",
        "The feature of the controller does not have exactly the meaning of the option or the annotation.",
        "Check that the difference does not matter; otherwise choose another class or target.";
    IntentTranslated, "intent-translated", Info,
        "An annotation was translated for the program that serves the Service.",
        "This program does not read the annotation, but has another annotation, field or object for the same feature.",
        "Do nothing.";
    CanaryAnnotationIgnored, "canary-annotation-ignored", Warning,
        "An annotation that protects has no effect on a canary.",
        "On a canary Ingress, ingress-nginx reads only the annotations about the canary, the choice of a pod and session affinity; all others are read from the stable Service. A canary by weight has no HTTPRoute of its own, and no canary has a Route.",
        "Move the line to the stable Service.";
    TargetUnknown, "target-unknown", Error,
        "There is no such target.",
        "A Service is exposed by an Ingress, an HTTPRoute or a Route.",
        "Write one of Ingress, HTTPRoute, Route.";
    TargetInvalid, "target-invalid", Error,
        "The target cannot have such a host, path or name.",
        "An HTTPRoute has at most 16 hosts and plain characters in its paths (Gateway API); a Route of OpenShift has no regular expression, and no path if TLS passes through.",
        "Change what the message names, or use another target.";
    TargetInexpressible, "target-inexpressible", Info,
        "The target has no field or annotation for this.",
        "The kinds of objects support different features.",
        "Do nothing, or configure it where the message says.";
    RouteWildcard, "route-wildcard", Warning,
        "A wildcard host becomes a Route that routers of OpenShift refuse by default.",
        "A Route has its wildcard in wildcardPolicy: Subdomain, and a router admits such Routes only with ROUTER_ALLOW_WILDCARD_ROUTES, which the IngressController sets by routeAdmission.wildcardPolicy: WildcardsAllowed.",
        "Let the router admit wildcards, or name the hosts.";
    GatewayMissing, "gateway-missing", Error,
        "No Gateway is named for an HTTPRoute.",
        "An HTTPRoute without a parent is not served.",
        "Set parentRefs.";
    ParentsOverlap, "parents-overlap", Error,
        "parentRefs and httpParentRefs match the same listener.",
        "The HTTPRoute that answers would be attached to the listener without TLS, or the one that redirects to the listener with TLS; requests would be answered without TLS, or be redirected endlessly.",
        "Name the listeners in both lists by sectionName.";

    // The forwarded block.
    ForwardMalformed, "forward-malformed", Warning + strict,
        "A line of the forwarded block has no colon and is skipped.",
        "The block has one `key: value` on each line.",
        "Write `key: value`, or remove the line.";
    ForwardMalformedProtection, "forward-malformed-protection", Error,
        "A line of the forwarded block names a key that protects, has no colon and is skipped.",
        "The block has one `key: value` on each line, so the protection would be lost.",
        "Write `key: value`, or remove the line.";
    ForwardRepeated, "forward-repeated", Warning + strict,
        "A key occurs twice in the forwarded block; the last one applies.",
        "An object has each annotation once. The original used the last one, too.",
        "Remove one of them.";
    ForwardKeyInvalid, "forward-key-invalid", Error,
        "A key of the forwarded block is not an annotation key.",
        "A key is `name` or `prefix/name`; the name has at most 63 letters, digits, `-`, `_`, `.`, the prefix is a DNS subdomain (ValidateAnnotations).",
        "Correct the key.";
    ForwardBlockScalar, "forward-block-scalar", Error,
        "A value of the forwarded block spreads over several lines.",
        "The block has one `key: value` on each line; a YAML block scalar inside it cannot be distinguished from further keys.",
        "Put the value on one line.";
    ForwardEscapes, "forward-escapes", Error,
        "A value of the forwarded block is in quotes and contains escaped quotes.",
        "The block is not YAML: it removes one pair of quotes and has no escapes, so the value would keep its quotes and backslashes, which no program reads.",
        "Write the value without the quotes around it, and without escapes.";
    FoldedBlock, "folded-block", Warning,
        "The value of a key contains another key.",
        "YAML folds the lines behind `>-` into one, and the block has one `key: value` on each line, so everything behind the first key is its value. Commas, semicolons or a written `\\n` between the keys have the same effect.",
        "Write the block with `|-`, one annotation on each line; if the value is intended, put it in quotes.";
    FoldedBlockRefused, "folded-block-refused", Error,
        "A key that protects is in the value of another key, or makes it unreadable.",
        "YAML folds the lines behind `>-` into one, and everything behind the first key is its value, so the protection would be lost.",
        "Write the block with `|-`, one annotation on each line; if the value is intended, put it in quotes.";
    ForwardScopeUnknown, "forward-scope-unknown", Warning + strict,
        "The value of exposeIngressUrl is neither locally nor globally, so the URL is not published.",
        "The original accepted exactly these two words.",
        "Write `exposeIngressUrl: locally` or `exposeIngressUrl: globally`.";
    ForwardOwnKey, "forward-own-key", Warning + strict,
        "The forwarded block contains an annotation of Xposer, which has no effect there.",
        "The block is copied to the Ingress. Annotations of Xposer belong on the Service.",
        "Move the line out of the block, to the annotations of the Service.";
    AnnotationBeside, "annotation-beside-block", Warning,
        "An annotation of an Ingress controller is on the Service, where the controller does not read it.",
        "Controllers such as ingress-nginx read their annotations only on Ingresses, and only the block is copied to them.",
        "Move the annotation into xposer.stakater.com/annotations.";
    LabelInvalid, "label-invalid", Error,
        "A label in the annotation Labels is not valid, or is reserved for Xposer.",
        "The API server has rules for labels (ValidateLabels). app.kubernetes.io/managed-by and xposer.stakater.com/service mark the objects of Xposer.",
        "Write `key: value` with a value of at most 63 letters, digits, `-`, `_` and `.`.";
    LegacyTranslated, "legacy-translated", Info,
        "An old key was translated to the current one.",
        "ingress-nginx, cert-manager and Kubernetes renamed their keys, and silently ignore the old ones.",
        "Do nothing, or write the new key; the setting legacyAnnotations: forward passes old keys through.";
    LegacyDropped, "legacy-dropped", Warning,
        "A key that today's programs no longer read has no successor and was dropped.",
        "The feature is configured elsewhere today.",
        "Remove it, and configure it where the message says.";
    LegacyShadowed, "legacy-shadowed", Warning,
        "An old key and its successor are both given; the successor applies.",
        "Both would set the same annotation.",
        "Remove the old key.";
    LegacyDead, "legacy-dead", Warning,
        "No current program reads this key.",
        "It is passed on unchanged, but it has no effect.",
        "Remove it, and use what the message names.";

    // Several Services.
    NameClaimed, "name-claimed", Error,
        "Two Services need an object of the same name, or an object of this name has another owner.",
        "One would overwrite the other.",
        "Give one of them another IngressNameTemplate, or let the Service adopt the existing object.";
    RouteClaimed, "route-claimed", Error,
        "Two Services claim the same host and path, or two canaries do.",
        "Controllers send such requests to the Service that they see first, and ingress-nginx's webhook refuses the second.",
        "Give one of them another host or path.";

    HostClaimed, "host-claimed", Error,
        "The Service needs a whole host, on which another Service has paths or needs something else.",
        "Some features belong to the host, not to a path. NGINX Ingress Controller serves a host for one Ingress. If the Ingresses of a host have different TLS options, Traefik uses its default options, which require no client certificate; ingress-nginx and HAProxy Ingress use the client certificate of one Ingress. With TLS passthrough, a controller sees no path. The AWS Load Balancer Controller has one list of addresses, one scheme and the like for a group of Ingresses, and with two values it changes none of them.",
        "Give one of the Services another host or group, or the same value to all of them. For NGINX Ingress Controller, docs/controllers.md has more ways.";
    HostCertificate, "host-client-certificate", Warning,
        "Another Service makes the controller request client certificates on the host.",
        "ingress-nginx and HAProxy Ingress request client certificates on all paths of a host, because a client shows its certificate before it sends a path.",
        "Give one of the Services another host, or the same ClientCertificate to both.";
    UrlKeyClaimed, "url-key-claimed", Error,
        "Two Services would publish their URL under the same key.",
        "The key is <service>-<namespace>: `a-b` in `c` and `a` in `b-c` have the same one, and a ConfigMap has each key once.",
        "Rename one of the Services, or publish locally.";
    ClaimYounger, "claim-younger", Warning,
        "A younger object already has a host, path or name that this object claims.",
        "The older object gets the claim, so the younger one loses it, perhaps while it serves requests.",
        "Use another host or name, or tell the owners of the younger object.";
    ClaimKept, "claim-kept", Warning,
        "The Service keeps an alias or a name in DNS of a host that an older object has.",
        "An update that does not change this is accepted, because a refusal would mend nothing and would stop every other change of the Service.",
        "Remove the host from the Service.";
    ClaimsTooMany, "claims-too-many", Error,
        "The object claims more hosts and names than can be compared with those of other objects.",
        "Each host needs a look-up, and the number of look-ups is limited. The hosts beyond the limit could belong to another object.",
        "Split it into several objects with fewer hosts.";
    ClaimsUnknown, "claims-unknown", Warning,
        "The owners of the hosts and names are not known.",
        "The controller records the owners in ConfigMaps (setting claims). They cannot be read, are missing, are older than claims.maxAge, have another version, or have no room for all claims of a host or name.",
        "Let the administrator check that the controller runs with the same setting claims, and that the policy may read the ConfigMaps. If claims found no room, split the object that has more than 4,000 hosts and paths, or limit how many objects a namespace may have.";
    ServiceRepeated, "service-repeated", Error,
        "The input contains the same Service twice.",
        "A name in a namespace belongs to one Service. Xposer does not guess which copy is meant.",
        "Give every Service once.";

    // Settings.
    SettingUnknown, "setting-unknown", Error,
        "There is no such setting.",
        "A misspelt setting must not be ignored silently.",
        "Correct or remove it; `xposer explain` lists all settings.";
    SettingInvalid, "setting-invalid", Error,
        "The value of a setting does not have the right type or form.",
        "See the setting's own description.",
        "Correct the value.";

    // The stamp on the Service.
    StampNoRoom, "stamp-no-room", Warning,
        "The Service's annotations leave no room to write the URL back.",
        "All keys and values of an object's annotations together have at most 262144 bytes (ValidateAnnotationsSize), so the URL is not written.",
        "Shorten the annotations, or set stamp to false.";

    // Limits of an output.
    PublishedHere, "published-here-only", Info,
        "`exposeIngressUrl: globally` reaches only the namespaces of this input.",
        "A file does not have the namespaces of a cluster.",
        "Do nothing, or render the Services of all namespaces in one run.";
}
