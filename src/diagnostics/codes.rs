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
        "The namespace is needed here, and the Service names none.",
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
        "The port that was chosen does not speak TCP, so nothing can route to it.",
        "An Ingress and a route carry HTTP, which runs over TCP. The original took the first port whatever its protocol, and nobody answered; which of the others is meant would be a guess.",
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
        "The ports of the URLs speak different protocols, and the Ingress has one for all of them.",
        "Controllers read the protocol of the backend from the Ingress, and not from the field appProtocol of each port.",
        "Expose them by several Services, or set the annotation config.xposer.stakater.com/BackendProtocol.";
    PortUnused, "port-unused", Warning,
        "A port is chosen for all URLs, and each of them names its own.",
        "The port behind a URL counts more.",
        "Remove the annotation config.xposer.stakater.com/ServicePort.";
    AskedWrongly, "asked-wrongly", Warning,
        "The Service looks as if it asked to be exposed, and does not, or says how in a place that nobody reads.",
        "Only the label expose with exactly the value true asks, as in the original, and only metadata.annotations say how. An API server drops fields that it does not know.",
        "Write the label expose: \"true\" and our keys under metadata.annotations; the label expose: \"false\" says that nothing is to be made.";

    // The annotations.
    AnnotationUnknown, "annotation-unknown", Warning + strict,
        "An annotation has our prefix, but there is no such key.",
        "Keys are case sensitive. A misspelt key would otherwise be ignored in silence, as the original did.",
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
        "Profiles are made by the administrator, in the setting profiles; under no profile, or another one, the Service would get other defaults than those it was written for.",
        "Choose one that there is.";
    ProfileForbidden, "profile-forbidden", Error,
        "The profile is not for this namespace.",
        "The profile's list namespaces says who may choose it.",
        "Choose another one, or ask the administrator.";
    PathTypeUnknown, "path-type-unknown", Error,
        "The path type is none of those Kubernetes knows.",
        "networking.k8s.io/v1 knows Exact, Prefix and ImplementationSpecific.",
        "Write one of Exact, Prefix, ImplementationSpecific.";

    // Templates.
    TemplateUnclosed, "template-unclosed", Error,
        "An action, block, string, comment or parenthesis of the template is not closed.",
        "An action begins with `{{` and ends with `}}` on the same template; if and with end with `{{end}}`.",
        "Close it.";
    TemplateSyntax, "template-syntax", Error,
        "The template cannot be read.",
        "Templates are written in Go's text/template syntax, or in Handlebars'.",
        "Correct the marked place; `xposer explain templates` shows the syntax.";
    TemplateUnknownVariable, "template-unknown-variable", Error,
        "The template uses a variable that does not exist.",
        "There are Service, Namespace and Domain; names are case sensitive. An unknown variable is never rendered as an empty string.",
        "Use {{.Service}}, {{.Namespace}} or {{.Domain}}.";
    TemplateUnknownFunction, "template-unknown-function", Error,
        "The template calls a function that does not exist.",
        "Only the functions listed in the reference are available.",
        "Use one of the listed functions; `xposer explain templates` lists them.";
    TemplateUnsupported, "template-unsupported", Error,
        "The template uses a construct that is not supported.",
        "A name is made of three variables: there is nothing to loop over and nothing to call. What cannot be rendered exactly as Go would is refused, never guessed.",
        "Rewrite the template without it.";
    TemplateValueMissing, "template-value-missing", Error,
        "The template needs a value that is not set.",
        "A half-rendered template must not become a host name.",
        "Set the domain (annotation config.xposer.stakater.com/Domain or the setting domain), or metadata.namespace.";
    TemplateFunction, "template-function-failed", Error,
        "A function of the template cannot work on the values it was given.",
        "Where Go prints an error text into the result or stops in the middle, the template is refused.",
        "Correct the arguments.";
    TemplateTooLarge, "template-too-large", Error,
        "The template, or what it renders to, is larger than any name can be.",
        "A template holds at most 16384 bytes and may be nested 64 deep; so does its result. This bounds what one Service can cost.",
        "Shorten the template.";

    // The host.
    HostMissing, "host-missing", Error,
        "The URL template gives no host.",
        "An Ingress rule without a host matches every host and would take the traffic of all the others.",
        "Write a host before the path.";
    HostScheme, "host-scheme", Error,
        "The URL template contains a scheme such as https://.",
        "An Ingress rule names a host and a path; whether it is https is decided by TLS.",
        "Remove the scheme; ask for https with config.xposer.stakater.com/TLS: \"true\".";
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
        "A rule's host is in lower case (IsDNS1123Subdomain), although DNS does not care.",
        "Write it in lower case, or use the function lower.";
    HostCharacter, "host-character", Error,
        "The host contains a character that no host name may contain.",
        "A host name has lower-case letters, digits, `-` and `.` (RFC 1123, IsDNS1123Subdomain).",
        "Remove the character; `_` is usually meant to be `-`.";
    HostSeparator, "host-separator", Error,
        "Hosts are separated by something else than commas or lines, or a path has a comma.",
        "A template of URLs may hold several hosts; commas and line ends separate them, and so does the comma of a path such as /a{1,3}.",
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
        "A wildcard stands where Kubernetes does not allow one.",
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
        "A common name holds at most 64 characters (RFC 5280, ub-common-name); the setting tlsCommonName says that certificates carry the host there.",
        "Shorten the host, let ingressURLTemplateFallbacks give shorter forms, or set tlsCommonName to false.";
    HostFallback, "host-fallback", Info,
        "The host was too long, so a fallback template was used.",
        "The setting ingressURLTemplateFallbacks is tried in order until a host fits.",
        "Nothing, or shorten the first template.";
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
        "The path is not one the API server accepts for its path type.",
        "Exact and Prefix paths start with `/` and contain no `//`, `/./`, `/../`, `%2f`; they do not end with `/.` or `/..` (validateHTTPIngressPath).",
        "Correct the path.";
    PathRegex, "path-regular-expression", Info,
        "The path is a regular expression, so its path type is ImplementationSpecific.",
        "Only ImplementationSpecific lets a controller read a path as a regular expression.",
        "Nothing; choose another type with config.xposer.stakater.com/PathType.";
    PathLiteral, "path-literal", Warning,
        "The path looks like a regular expression, and is compared letter by letter.",
        "ingress-nginx reads paths as regular expressions where use-regex is true, or where there is a rewrite-target; no request has the signs of a regular expression in its path.",
        "Remove use-regex, which is then added, or write a plain path.";
    RewriteMismatch, "rewrite-target-mismatch", Warning,
        "The rewrite target does not fit the path.",
        "Since version 0.22, ingress-nginx puts rewrite-target in place of the whole path and keeps only what the groups of the path hold; before, it cut the path off and kept the rest.",
        "Write a path with a group for what is to be kept, such as /shop(/|$)(.*), and the number of the group in the target, such as /$2.";
    HostRegex, "host-regular-expression", Warning,
        "A regular expression changes how ingress-nginx compares the other paths of its host.",
        "With use-regex or rewrite-target on one Ingress of a host, ingress-nginx reads all paths of the host as regular expressions: an Exact path is the beginning of others, a Prefix does not end at a slash, and the case of letters does not count.",
        "Write the other paths as regular expressions, too, or give one of them another host.";
    PathBlank, "path-blank", Warning,
        "The path contains a blank, which no request has.",
        "In a request a blank is written %20; ingress-nginx refuses such a path (strict-validate-path-type).",
        "Remove the blank, or write %20.";
    PathQuery, "path-query", Warning,
        "The path contains a `?`, and a query is no part of a path.",
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
        "The program serves no Ingress of the class by default.",
        "The controller of GKE reads the class in the annotation kubernetes.io/ingress.class, and serves gce, gce-internal and gce-regional-external.",
        "Choose one of these classes, unless you run the controller with another one.";
    ClassConflict, "class-conflict", Error,
        "Two different ingress classes are asked for.",
        "The API server refuses an Ingress whose class annotation and ingressClassName differ (ValidateIngressCreate).",
        "Keep one of the two.";

    PathStrict, "path-strict", Warning + strict,
        "The path contains a character that ingress-nginx refuses.",
        "Its webhook takes Exact and Prefix paths of letters, digits and `. _ - /` only (strict-validate-path-type, on by default).",
        "Write the path without it, or set config.xposer.stakater.com/PathType: ImplementationSpecific.";
    HostNotOwned, "host-not-owned", Error,
        "The host belongs to another namespace, or not to this one.",
        "The setting namespaces gives hosts to namespaces, so that no team takes the name of another.",
        "Choose a host of your namespace, or ask the administrator.";
    ClassNotAllowed, "class-not-allowed", Error,
        "The class is not for this namespace.",
        "The list classes of a namespace in the setting namespaces has the classes that its Ingresses may have.",
        "Choose a class of the list, or ask the administrator.";
    GatewayNotAllowed, "gateway-not-allowed", Error,
        "The Gateway is not for this namespace.",
        "The list gateways of a namespace in the setting namespaces has the Gateways that its routes may be attached to.",
        "Choose a Gateway of the list, or ask the administrator.";

    // Certificates.
    IssuerInvalid, "issuer-invalid", Error,
        "The name of the issuer is not a valid object name.",
        "An Issuer and a ClusterIssuer are objects, whose names are DNS subdomains.",
        "Name an existing one.";
    IssuerMissing, "issuer-missing", Error,
        "cert-manager is asked for, and nothing says which issuer.",
        "Without an issuer on the Ingress cert-manager does nothing, and says nothing (certificate-shim).",
        "Add config.xposer.stakater.com/ClusterIssuer or Issuer, or set clusterIssuer or issuer.";
    IssuerConflict, "issuer-conflict", Error,
        "Two issuers are given.",
        "Of an Ingress with an issuer and a cluster issuer, cert-manager issues nothing (BadConfig).",
        "Keep one of the two.";
    TlsHostsIgnored, "tls-hosts-ignored", Warning,
        "TLSHosts names hosts for a certificate, and none is asked for.",
        "The hosts are for the TLS section of an Ingress, which there is only with a secret.",
        "Set config.xposer.stakater.com/TLS: \"true\", or remove TLSHosts.";
    RedirectWithoutCertificate, "redirect-without-certificate", Warning,
        "A host is to be redirected to one with or without `www.`, and the certificate of cert-manager has only one of the two.",
        "ingress-nginx redirects requests by https only where the certificate has both names.",
        "Name the other host in the annotation config.xposer.stakater.com/TLSHosts.";
    IssuerWithoutTls, "issuer-without-tls", Warning,
        "An issuer is named, and there is no TLS section for its certificate.",
        "cert-manager makes a certificate for each entry of spec.tls; without one it does nothing, and says nothing.",
        "Set config.xposer.stakater.com/TLS: cert-manager, or remove the issuer.";
    RedirectConflict, "redirect-conflict", Error,
        "An annotation and the block beside it want the opposite of requests without TLS.",
        "The controller does what its own annotations say, such as ssl-redirect; HTTPSRedirect says it for every target.",
        "Keep one of the two.";
    RedirectWithoutTls, "redirect-without-tls", Warning,
        "Requests are to be sent to https, and there is no https.",
        "Without a certificate nothing answers under https, so the annotation has no effect.",
        "Set config.xposer.stakater.com/TLS, or remove the annotation.";
    IssuerWildcard, "issuer-wildcard", Warning,
        "A certificate for a wildcard host needs a DNS-01 solver.",
        "ACME gives certificates for wildcards only after a DNS challenge (RFC 8555), and HTTP-01 solvers cannot answer it.",
        "Make sure that the issuer has a DNS-01 solver for the domain.";
    CertManagerInvalid, "cert-manager-invalid", Error,
        "cert-manager would refuse this value, and issue nothing.",
        "It makes a Certificate of the annotations of an Ingress; where one of them cannot be read, or its webhook refuses the Certificate, there is none (translateAnnotations, ValidateCertificateSpec).",
        "Correct the value.";
    CertManagerIgnored, "cert-manager-ignored", Warning,
        "cert-manager does not read this key here.",
        "Some keys are read on other objects, and what is said of a certificate has no effect where none is asked for.",
        "Ask for a certificate, or remove the line.";
    EditInPlace, "edit-in-place", Error,
        "cert-manager would write into the Ingress.",
        "With http01-edit-in-place, it puts the paths of its challenges into the Ingress. They are no part of what the Service asks for, and whoever keeps the Ingress takes them out again.",
        "Remove the line; cert-manager then makes an Ingress of its own for each challenge.";
    ListenerClaimed, "listener-claimed", Error,
        "Two Services ask for a listener for the same host at the same Gateway.",
        "Of two ListenerSets with a listener for one host and port, the Gateway API takes the older, and the routes of the other one are not served.",
        "Give one of the Services another host, or let the Gateway have the listener, without listenerSet.";
    SecretShared, "secret-shared", Error,
        "Two Services want certificates in the same secret.",
        "cert-manager makes one Certificate a secret, owned by the first Ingress; the host of the second never gets into it.",
        "Give each its own secret: leave TLSSecretNameTemplate out, or put {{.Service}} into it. Where they have a host in common, keep the issuer on one of them, and set TLS: \"true\" with the same secret on the other.";
    CertificateTwice, "certificate-twice", Warning,
        "cert-manager is asked for two certificates for one host.",
        "Each Ingress with an issuer and a secret of its own gets a Certificate; a controller serves one of them for the host, and issuers limit how many certificates a name gets.",
        "Keep the issuer on one of them, and set TLS: \"true\" with the same secret on the other.";
    CertificateMissing, "certificate-missing", Error,
        "No certificate of the load balancer covers the host.",
        "The setting certificates lists their names; a star stands for exactly one label (RFC 6125), so *.example.com covers neither example.com nor a.b.example.com.",
        "Choose a host that one covers, or have one issued.";

    // Canaries.
    CanaryInvalid, "canary-invalid", Error,
        "A value of the canary is not one that it can have.",
        "The other Service is a name, the weight a whole number from 0 to 100, header and cookie are letters, digits and few signs (ingress-nginx, BasicCharsRegex).",
        "Correct the value.";
    CanaryIncomplete, "canary-incomplete", Error,
        "Something is missing for a canary.",
        "A canary is of another Service, and a weight, a header or a cookie says which requests it gets; ingress-nginx refuses one without the other.",
        "Add what is missing.";
    CanaryDiffers, "canary-differs", Error,
        "The canary is exposed in another way than the stable Service.",
        "ingress-nginx joins a canary to the Ingress with the same host, path, path type and class, and drops one that has no such partner. What protects a canary is what protects the stable Service.",
        "Give both Services the same templates, path, path type and class, and the stable one what protects.";
    CanaryAnnotation, "canary-annotation", Info,
        "An annotation for ExternalDNS or Forecastle has no effect on a canary.",
        "A canary has the host of the stable Service, which alone speaks for it: ExternalDNS merges the values of all objects with a host, and Forecastle lists each of them.",
        "Nothing, or forward the annotation from the stable Service.";
    CanaryAlone, "canary-alone", Warning,
        "The stable Service of the canary is not among the exposed ones.",
        "A canary gets a share of the requests of a Service that is exposed itself; without that one it gets none, but for one with an HTTPRoute of its own, which nothing protects then.",
        "Expose the stable Service, or correct CanaryOf.";

    // ExternalDNS, monitors, Forecastle.
    DnsInvalid, "dns-invalid", Error,
        "ExternalDNS could not use this value.",
        "A TTL is seconds or a duration; hostname and target are DNS names with at most 63 bytes between two dots, targets also addresses. ExternalDNS drops a record that it cannot publish.",
        "Correct the value.";
    DnsUnread, "dns-key-unread", Warning,
        "ExternalDNS does not read this key on what exposes the Service.",
        "Some keys are read on a Service alone, and of two keys about hosts one is for an Ingress and the other for a route.",
        "Write the key that is read, or remove the line.";
    DnsTwice, "dns-published-twice", Warning,
        "ExternalDNS would publish the same name for the Service and for what exposes it.",
        "Its sources service and ingress both make a record, with different targets.",
        "Remove the annotation from the Service.";
    DnsMirrored, "dns-mirrored", Info,
        "An annotation of ExternalDNS is given under its other prefix, too.",
        "Version 0.22 changed the prefix, and no version reads both.",
        "Nothing; the setting externalDNSPrefixes names the prefixes.";
    MonitorInvalid, "monitor-invalid", Error,
        "A value of the monitor is not one that it can have.",
        "An EndpointMonitor has a health endpoint that begins with `/`, and options with values of their own (EndpointMonitorSpec).",
        "Correct the value.";
    MonitorNotAsked, "monitor-not-asked", Warning,
        "Something is said about a monitor that nobody asks for.",
        "Options of a monitor have no effect without one.",
        "Set config.xposer.stakater.com/Monitor: \"true\", or remove the options.";
    MonitorWildcard, "monitor-wildcard", Warning,
        "The monitor would ask for a wildcard host.",
        "IngressMonitorController takes the first host as it is.",
        "Put a host without a star first, or ask for no monitor.";
    MonitorProviders, "monitor-providers", Warning,
        "The monitor has the options of several providers.",
        "IngressMonitorController asks one provider: the first, in an order of its own, that the EndpointMonitor has options for.",
        "Keep the options of one provider.";
    ForecastleWildcard, "forecastle-wildcard", Warning,
        "Forecastle would link to a wildcard host.",
        "Forecastle takes the first host as it is, and a link to a star leads nowhere.",
        "Forward forecastle.stakater.com/url, or put a host without a star first.";
    ForecastleInvalid, "forecastle-invalid", Error,
        "Forecastle could not use this value.",
        "`expose` is compared with true, `url` needs a scheme, and an item of `properties` without a colon stops the program.",
        "Correct the value.";

    // Annotations that may be forwarded.
    AnnotationDenied, "annotation-denied", Error,
        "This annotation may not be forwarded.",
        "A snippet, or `config-*` of HAProxy Ingress, becomes part of the controller's configuration, with which it serves all namespaces (ingress-nginx: risk Critical). An object of another namespace belongs to others, and Traefik, the HAProxy Kubernetes Ingress Controller and F5's NGINX Ingress Controller use it for whoever names it. The setting annotations can deny more.",
        "Remove it, or ask the administrator to allow it.";
    AnnotationInvalid, "annotation-invalid", Error,
        "The value is not one that the controller accepts for this key.",
        "ingress-nginx refuses an Ingress with such a value or answers with 503; it and others also ignore what was meant, in silence and even where that opens the Service.",
        "Correct the value.";
    AnnotationIgnored, "annotation-ignored", Warning,
        "The controller ignores the value of a key.",
        "Where its validator or parser does not take a value, ingress-nginx takes its default, and says so in its log alone (internal/ingress/annotations). So do most others; what they do then is told.",
        "Correct the value, or remove the line.";
    NamespaceOther, "namespace-other", Warning,
        "An annotation names an object of another namespace.",
        "Since version 1.12, ingress-nginx takes Secrets and ConfigMaps of the Ingress's own namespace alone, and answers every request with 503 otherwise, unless its setting allow-cross-namespace-resources is true. Contour takes a certificate of another namespace where a TLSCertificateDelegation there allows it. Other controllers use objects of all namespaces, even if their owners do not mean that: there, a line of a Service is refused (`annotation-denied`) unless the setting annotations allows its key.",
        "Copy the object into the namespace of the Service; keep the line if the object is meant for all.";
    AuthenticationOff, "authentication-off", Warning,
        "Something is said about authentication, and whoever serves the Service authenticates nobody, or not all.",
        "Without auth-type there is no password in ingress-nginx, without auth-url no external authentication, without auth-tls-secret no client certificate, whatever else is said (internal/ingress/annotations). A client certificate is a part of TLS: whoever comes by http is asked for none. A load balancer of AWS asks for logins, tokens and certificates on listeners for https alone.",
        "Do what the message says: add the key, correct the value, or let requests come by TLS alone.";
    AnnotationAlone, "annotation-alone", Warning,
        "A key has no effect without another one.",
        "The parser returns before it looks at the key, or the template writes nothing (ingress-nginx, internal/ingress/annotations and nginx.tmpl; the router of OpenShift, haproxy-config.template).",
        "Add the key that the message names, or remove the line.";
    AnnotationAlias, "annotation-alias", Warning,
        "One annotation is given under both of its names, with different values.",
        "Controllers have renamed some keys and still know the old names, or know one name under several prefixes. ingress-nginx reads one of the two and passes over the other; where another program serves the Service, the current name counts.",
        "Keep one of the two.";
    AuthenticationDenies, "authentication-denies", Warning,
        "A password is asked for, and nothing says which ones are right.",
        "Without auth-secret ingress-nginx cannot set up basic or digest authentication, and answers every request with an error (internal/ingress/annotations/auth).",
        "Add the key that the message names, or remove the line.";
    CanaryUnnamed, "canary-unnamed", Warning,
        "An Ingress is the canary of nobody that is known.",
        "ingress-nginx serves nothing by an Ingress with canary: \"true\" unless another Ingress has the same host and path.",
        "Name the other Service with config.xposer.stakater.com/CanaryOf.";
    CorsOriginInvalid, "cors-origin-invalid", Warning,
        "An item in the list of origins is none.",
        "No browser sends an origin without a scheme, so ingress-nginx passes it over (internal/ingress/annotations/cors).",
        "Write scheme, host and perhaps port of each origin, separated by commas.";
    ForeignKeyUnknown, "foreign-key-unknown", Warning,
        "A program that we know has no such key.",
        "Keys are case sensitive, and controllers of Ingresses, cert-manager, ExternalDNS and Forecastle ignore those that they do not know in silence.",
        "Correct the key; keep it if your version of the program reads it.";

    // Targets.
    ProtectionLost, "protection-lost", Error,
        "Whoever serves the Service has nothing for an annotation or an option that protects it.",
        "Authentication, allowed and denied addresses, client certificates, limits and redirects are asked for in the words of one program, or by an option; an Ingress, an HTTPRoute or a Route of a program without words for them would be open to everybody, so none is made.",
        "Do what the help says, choose a class or a target that can do it, or protect the Service by other means and let the administrator accept the loss with the list acceptLoss of the setting annotations.";
    ProtectionLossAccepted, "protection-loss-accepted", Warning,
        "Whoever serves the Service has nothing for an annotation or an option that protects it, and the administrator accepts that.",
        "The list acceptLoss of the setting annotations has a pattern for the key.",
        "Protect the Service as the target does it, and remove the line.";
    ProtectionWeakened, "protection-weakened", Warning,
        "Whoever serves the Service has nothing for an annotation that makes it safer.",
        "What is said about ciphers, headers or the connection to the Service has no effect there.",
        "Remove the line, or choose a class or a target that has it.";
    ProtectionUnclear, "protection-unclear", Warning,
        "An annotation protects the Service only if another program serves it than the assumed one.",
        "If no setting, no IngressClass of the cluster and no name of a class says which program serves the Service, ingress-nginx is assumed, which does not read the annotation. A class nginx can also be one of NGINX Ingress Controller.",
        "Name the program of the class in the setting controllers, or that of all other classes in defaultController.";
    IntentInvalid, "intent-invalid", Error,
        "The value of an option has not the form that the option takes.",
        "Each of these options has one grammar, whoever serves the Service; a value that is partly valid is refused whole.",
        "Correct the value; `xposer explain` shows the form and an example.";
    IntentConflict, "intent-conflict", Error,
        "The Service says the same thing twice, and not the same.",
        "An option and a forwarded annotation of another program, two options, or annotations of two programs of which the second one serves the Service, are about one thing; which of them is meant would be a guess.",
        "Keep one of the two.";
    IntentLost, "intent-lost", Warning,
        "Whoever serves the Service cannot do what an option or an annotation asks for.",
        "The controller of the class or of the Gateway has no words for it, so requests are served without it.",
        "Do what the help says, remove the option or the line, or choose another class or target.";
    IntentDiffers, "intent-differs", Warning,
        "Whoever serves the Service does what is asked for in a different way.",
        "The words of the controller have not exactly the meaning of the option or the annotation.",
        "Check that the difference does not matter; otherwise choose another class or target.";
    IntentTranslated, "intent-translated", Info,
        "An annotation of another program is said in the words of the one that serves the Service.",
        "The controller of the class or the Gateway does not read the annotation; it has words of its own for the same thing.",
        "Nothing needs to be done.";
    CanaryAnnotationIgnored, "canary-annotation-ignored", Warning,
        "An annotation that protects has no effect on a canary.",
        "Of an Ingress that is a canary, ingress-nginx reads the annotations about the canary, the choice of a pod and session affinity; all others count on that of the stable Service. A canary by weight has no HTTPRoute of its own, and none has a Route.",
        "Move the line to the stable Service.";
    TargetUnknown, "target-unknown", Error,
        "There is no such target.",
        "A Service is exposed by an Ingress, an HTTPRoute or a Route.",
        "Write one of Ingress, HTTPRoute, Route.";
    TargetInvalid, "target-invalid", Error,
        "The target cannot have such a host, path or name.",
        "An HTTPRoute has at most 16 hosts and plain characters in its paths (Gateway API), a Route of OpenShift no regular expression, and no path where TLS passes through.",
        "Change what the message names, or use another target.";
    TargetInexpressible, "target-inexpressible", Info,
        "The target has nothing for this.",
        "What one API has, another lacks, or has elsewhere.",
        "Nothing, or configure it where the message says.";
    RouteWildcard, "route-wildcard", Warning,
        "A wildcard host becomes a Route that routers of OpenShift refuse by default.",
        "A Route has its wildcard in wildcardPolicy: Subdomain, and a router admits such Routes only with ROUTER_ALLOW_WILDCARD_ROUTES, which the IngressController sets by routeAdmission.wildcardPolicy: WildcardsAllowed.",
        "Let the router admit wildcards, or name the hosts.";
    GatewayMissing, "gateway-missing", Error,
        "Nothing says which Gateway an HTTPRoute is attached to.",
        "An HTTPRoute without a parent serves nobody.",
        "Set parentRefs.";
    ParentsOverlap, "parents-overlap", Error,
        "parentRefs and httpParentRefs mean the same listener.",
        "The HTTPRoute that answers would be attached to the listener without TLS, or the one that redirects to the listener with TLS; requests would be answered without TLS, or be redirected without end.",
        "Name the listeners in both lists by sectionName.";

    // The forwarded block.
    ForwardMalformed, "forward-malformed", Warning + strict,
        "A line of the forwarded block has no colon and is skipped.",
        "The block holds one `key: value` a line.",
        "Write `key: value`, or remove the line.";
    ForwardMalformedProtection, "forward-malformed-protection", Error,
        "A line of the forwarded block names a key that protects, has no colon and is skipped.",
        "The block holds one `key: value` a line; what was to protect the Service would not.",
        "Write `key: value`, or remove the line.";
    ForwardRepeated, "forward-repeated", Warning + strict,
        "A key stands twice in the forwarded block; the last one counts.",
        "An object has each annotation once. The original took the last one, too.",
        "Remove one of them.";
    ForwardKeyInvalid, "forward-key-invalid", Error,
        "A key of the forwarded block is not an annotation key.",
        "A key is `name` or `prefix/name`; the name has at most 63 letters, digits, `-`, `_`, `.`, the prefix is a DNS subdomain (ValidateAnnotations).",
        "Correct the key.";
    ForwardBlockScalar, "forward-block-scalar", Error,
        "A value of the forwarded block spreads over several lines.",
        "The block holds one `key: value` a line; a YAML block scalar inside it cannot be told from further keys.",
        "Put the value on one line.";
    ForwardEscapes, "forward-escapes", Error,
        "A value of the forwarded block is in quotes, with escaped quotes between them.",
        "The block is no YAML: it takes one pair of quotes off, and knows no escapes, so that the value would be passed on with its quotes and backslashes, which no program reads.",
        "Write the value without the quotes around it, and without escapes.";
    FoldedBlock, "folded-block", Warning,
        "A key stands inside the value of another one.",
        "YAML folds the lines behind `>-` into one, and the block holds one `key: value` a line, so everything behind the first key is its value; the same comes of commas, semicolons or a written `\\n` between the keys.",
        "Write the block with `|-`, one annotation a line; put a value that is meant so in quotes.";
    FoldedBlockRefused, "folded-block-refused", Error,
        "A key that protects stands inside the value of another one, or makes it unreadable.",
        "YAML folds the lines behind `>-` into one, and everything behind the first key is its value: what was to protect the Service would not.",
        "Write the block with `|-`, one annotation a line; put a value that is meant so in quotes.";
    ForwardScopeUnknown, "forward-scope-unknown", Warning + strict,
        "The value of exposeIngressUrl is neither locally nor globally, so the URL is not published.",
        "The original compared with these two words exactly.",
        "Write `exposeIngressUrl: locally` or `exposeIngressUrl: globally`.";
    ForwardOwnKey, "forward-own-key", Warning + strict,
        "One of our own annotations stands inside the forwarded block, where it has no effect.",
        "The block is passed on to the Ingress; what is for us stands beside it.",
        "Move the line out of the block, to the annotations of the Service.";
    AnnotationBeside, "annotation-beside-block", Warning,
        "An annotation for the controller of an Ingress is on the Service, where nobody reads it.",
        "Controllers such as ingress-nginx read their annotations on Ingresses alone; only what is in the block is passed on.",
        "Move the annotation into xposer.stakater.com/annotations.";
    LabelInvalid, "label-invalid", Error,
        "A label in the annotation Labels is not one that an object can have, or is one by which we know our own.",
        "The API server's rules for labels (ValidateLabels); app.kubernetes.io/managed-by and xposer.stakater.com/service say whose an object is.",
        "Write `key: value` with a value of at most 63 letters, digits, `-`, `_` and `.`.";
    LegacyTranslated, "legacy-translated", Info,
        "An old key was translated to what is read today.",
        "ingress-nginx, cert-manager and Kubernetes renamed their keys; the old ones are ignored in silence.",
        "Nothing, or write the new key; the setting legacyAnnotations: forward passes old keys through.";
    LegacyDropped, "legacy-dropped", Warning,
        "A key that today's programs no longer read has no successor and was dropped.",
        "What it said is configured elsewhere today.",
        "Remove it, and configure it where the message says.";
    LegacyShadowed, "legacy-shadowed", Warning,
        "An old key and its successor are both given; the successor counts.",
        "Both would set the same annotation.",
        "Remove the old key.";
    LegacyDead, "legacy-dead", Warning,
        "No current program reads this key.",
        "It is passed on unchanged, but it has no effect.",
        "Remove it, and use what the message names.";

    // Several Services.
    NameClaimed, "name-claimed", Error,
        "Two Services ask for an Ingress of the same name, or somebody else has one of that name.",
        "One would overwrite the other.",
        "Give one of them another IngressNameTemplate, or let the Service adopt what is there.";
    RouteClaimed, "route-claimed", Error,
        "Two Services ask for the same host and path, or two are canaries there.",
        "Controllers route such requests to one of them, whichever they see first, and ingress-nginx's webhook refuses the second.",
        "Give one of them another host or path.";

    HostClaimed, "host-claimed", Error,
        "The Service needs a whole host, on which another Service has paths or needs something else.",
        "Some things belong to the host, and not to a path. NGINX Ingress Controller serves a host for one Ingress. If the Ingresses of a host have different TLS options, Traefik uses its default ones, which ask nobody for a client certificate; ingress-nginx and HAProxy Ingress use the client certificate of one Ingress. With TLS passthrough, a controller sees no path. The AWS Load Balancer Controller has one list of addresses, one scheme and the like for a group of Ingresses, and with two values it changes none of them.",
        "Give one of the Services another host or group, or the same value to all of them.";
    HostCertificate, "host-client-certificate", Warning,
        "Another Service makes the controller ask for client certificates on the host.",
        "ingress-nginx and HAProxy Ingress ask for client certificates on all paths of a host, because a client shows its certificate before it sends a path.",
        "Give one of the Services another host, or the same ClientCertificate to both.";
    UrlKeyClaimed, "url-key-claimed", Error,
        "Two Services would publish their URL under the same key.",
        "The key is <service>-<namespace>: `a-b` in `c` and `a` in `b-c` have the same one, and a ConfigMap has each key once.",
        "Rename one of the Services, or publish locally.";
    ClaimYounger, "claim-younger", Warning,
        "Somebody who is younger has what this object asks for.",
        "The older of two gets a host and path, or a name; the younger one loses it, perhaps while people use it.",
        "Leave it to the other one, or tell its owners.";
    ClaimsTooMany, "claims-too-many", Error,
        "The object asks for more hosts and names than can be compared with those of others.",
        "Each host is a look-up, and their number is bounded, so that an answer comes in time. What is beyond could be somebody else's.",
        "Split it into several objects with fewer hosts.";
    ClaimsUnknown, "claims-unknown", Warning,
        "It is not known who else has the hosts and names.",
        "The controller writes down who has what, in ConfigMaps of the namespace of the setting claims. They cannot be read, are missing, are older than claims.maxAge, or were written by another version; or somebody asks for so much that a claim of the same host or name found no room.",
        "Let the administrator check that the controller runs with the same setting claims, and that the policy may read the ConfigMaps. Where claims found no room, split the object that has more than 4,000 hosts and paths, or limit how many objects a namespace may have.";
    ServiceRepeated, "service-repeated", Error,
        "The same Service stands twice in the input.",
        "A name in a namespace belongs to one Service; which of the copies counts would be a guess.",
        "Give every Service once.";

    // Settings.
    SettingUnknown, "setting-unknown", Error,
        "There is no such setting.",
        "A misspelt setting must not be ignored in silence.",
        "Correct or remove it; `xposer explain` lists all settings.";
    SettingInvalid, "setting-invalid", Error,
        "The value of a setting is not of the right type or form.",
        "See the setting's own description.",
        "Correct the value.";

    // The stamp on the Service.
    StampNoRoom, "stamp-no-room", Warning,
        "The Service's annotations leave no room to write the URL back.",
        "All keys and values of an object's annotations together hold at most 262144 bytes (ValidateAnnotationsSize), and the Service is more important than our note on it.",
        "Shorten the annotations, or set stamp to false.";

    // Limits of an output.
    PublishedHere, "published-here-only", Info,
        "`exposeIngressUrl: globally` reaches only the namespaces of this input.",
        "A file does not say which namespaces a cluster has.",
        "Nothing, or render the Services of all namespaces in one run.";
}
