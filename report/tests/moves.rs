//! Each key of the tables of the programs, on a Service that moves to another program: the comparison of the settings tells what
//! becomes of a key that protects, and calls nothing an opening that is none.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use xposer::internal::{Controller, KnownKey, intent_of_name, known_keys};
use xposer::{Object, Outcome, Service, Settings, Severity, emit_all, expose, testing};
use xposer_report::changes::{ChangeMessage, Changes, ObjectFindings};

/// Where a Service is exposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// By a class whose program the settings name.
    Class(Controller),
    /// By the program of all classes that the settings do not name.
    Default(Controller),
    /// By a class whose program nothing names.
    Nobody,
    /// By a Gateway of a program.
    Gateway(Controller),
    Route,
}

use By::{Class, Default, Gateway, Nobody, Route};

impl By {
    fn settings(self, tls: bool) -> Value {
        let mut settings = match self {
            Class(it) => json!({"ingressClassName": "pub", "controllers": {"pub": it.as_str()}}),
            Default(it) => json!({"ingressClassName": "pub", "defaultController": it.as_str()}),
            Nobody => json!({"ingressClassName": "pub"}),
            Gateway(it) => json!({
                "target": "HTTPRoute", "gatewayController": it.as_str(),
                "parentRefs": [{"name": "external"}], "httpParentRefs": [{"name": "plain"}],
            }),
            Route => json!({"target": "Route"}),
        };
        let has_own = matches!(self, Class(Controller::Alb | Controller::Gce));
        settings["tls"] = if tls && has_own { json!("load-balancer") } else { json!(tls) };
        settings["domain"] = json!("example.com");
        settings
    }

    fn controller(self) -> Controller {
        match self {
            Class(it) | Default(it) | Gateway(it) => it,
            Nobody => Controller::IngressNginx,
            Route => Controller::Openshift,
        }
    }

    /// Whether it is known that the objects with a key are read by the program to which the key belongs.
    fn is_reader_of(self, key: &str) -> bool {
        let is_read_by = |it: Controller| it.reads(key);
        let known = || Controller::ALL.into_iter().filter(|it| !is_any(*it));
        match self {
            Class(it) | Default(it) if is_any(it) => !known().any(is_read_by),
            Class(it) | Default(it) => is_read_by(it),
            // It may be Kong.
            Gateway(it) => is_any(it) && Controller::Gateway.reads(key),
            Nobody => false,
            Route => is_read_by(Controller::Openshift),
        }
    }
}

/// Whether a word stands for any program without a table here.
fn is_any(controller: Controller) -> bool {
    matches!(controller, Controller::Other | Controller::Gateway)
}

/// Where the Services are exposed before, and after.
fn places() -> (Vec<By>, Vec<By>) {
    let is_usable = |by: &By| Settings::from_value(&by.settings(true)).is_ok();
    let of_ingresses = |it: &Controller| !matches!(it, Controller::EnvoyGateway | Controller::Gateway);
    let classes: Vec<By> = Controller::ALL.into_iter().filter(of_ingresses).map(Class).collect();
    let gateways: Vec<By> = Controller::ALL.into_iter().map(Gateway).filter(is_usable).collect();
    let before = [&classes[..], &[Gateway(Controller::Gateway), Route]].concat();
    // A default is treated in another way if it is ingress-nginx.
    let defaults = [Controller::IngressNginx, Controller::Traefik, Controller::Other].map(Default);
    (before, [&classes[..], &defaults, &[Nobody], &gateways, &[Route]].concat())
}

type Lines = Vec<(String, String)>;

/// Where the lines of a Service are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum In {
    Service,
    Settings,
}

/// The decision about a Service with these lines; `None` if the settings do not accept them.
fn decided(by: By, lines: &Lines, tls: bool, place: In) -> Option<Outcome> {
    let mut settings = by.settings(tls);
    let mut given = Map::new();
    given.insert("allow".to_owned(), json!(["*"]));
    let mut block = String::new();
    for (key, value) in lines {
        match place {
            In::Service => block.push_str(&[key, ": ", value, "\n"].concat()),
            In::Settings => _ = given.insert(key.clone(), json!(value)),
        }
    }
    settings["annotations"] = Value::Object(given);
    let service = testing::service(&[("xposer.stakater.com/annotations", &block)]);
    let settings = Settings::from_value(&settings).ok()?;
    Some(expose(&Service::from_value(&service), &settings))
}

/// Values of which the first that a key takes is its sample.
const SAMPLES: &str = "10.0.0.0/8 true on basic-auth basic https://auth.example.com 5 5r/s 10m 1.2 enabled internal https verify \
    GET shop/users users CN=web shop-auth@kubernetescrd {}";

/// The values of keys whose form is not in the tables, or whose first sample would have no effect.
const OWN_SAMPLES: &[(&str, &str)] = &[
    ("alb.ingress.kubernetes.io/auth-on-unauthenticated-request", "deny"),
    ("alb.ingress.kubernetes.io/auth-type", "oidc"),
    (
        "alb.ingress.kubernetes.io/conditions.*",
        r#"[{"field":"source-ip","sourceIpConfig":{"values":["10.0.0.0/8"]}}]"#,
    ),
    ("alb.ingress.kubernetes.io/mutual-authentication", r#"[{"port":443,"mode":"verify"}]"#),
    ("haproxy.router.openshift.io/hsts_header", "max-age=31536000"),
    ("k8s.apisix.apache.org/auth-type", "basicAuth"),
    ("kubernetes.io/ingress.allow-http", "false"),
];

/// The values of further keys, by their names.
const SAMPLES_BY_NAME: &[(&str, &str)] = &[
    ("affinity", "cookie"),
    ("auth-secret", "users"),
    ("auth-secret-type", "auth-map"),
    ("auth-tls-secret", "shop/ca"),
    ("auth-tls-verify-client", "on"),
    ("cors-allow-credentials", "false"),
    ("cors-allow-headers", "X-A"),
    ("cors-allow-methods", "GET"),
    ("cors-allow-origin", "https://a.example.com"),
    ("cors-allow-origin-regex", "^https://a"),
    ("basic-auth-secret", "users"),
    ("grpc-services", "web"),
    ("hsts", "true"),
    ("jwt-key", "keys"),
    ("proxy-ssl-ciphers", "HIGH"),
    ("proxy-ssl-protocols", "TLSv1.2"),
    ("proxy-ssl-secret", "shop/ca"),
    ("secure-verify-ca-secret", "ca"),
    ("session-cookie-samesite", "Lax"),
    ("ssl-ciphers", "HIGH"),
    ("ssl-options-host", "no-sslv3"),
    ("ssl-services", "web"),
    ("waf", "modsecurity"),
];

/// Names of keys, and their values.
type Names = &'static [(&'static str, &'static str)];

/// What a star stands for, if the program does not know all names.
const NAMES: &[(&str, &str)] = &[
    ("haproxy.router.openshift.io/rate-limit-connections.*", "concurrent-tcp"),
    ("nginx.com/jwt-*", "realm"),
];

/// The keys that a program needs beside another one although its table does not say so, by their names, and their values. A value
/// without a name is that of the key itself.
const COMPANIONS: &[(&str, &str, Names)] = &[
    ("alb.ingress.kubernetes.io", "auth-idp-cognito", &[("auth-type", "cognito")]),
    ("alb.ingress.kubernetes.io", "auth-idp-oidc", &[("auth-type", "oidc")]),
    ("alb.ingress.kubernetes.io", "auth-on-unauthenticated-request", &[("auth-idp-oidc", "{}")]),
    ("alb.ingress.kubernetes.io", "auth-type", &[("auth-idp-oidc", "{}")]),
    ("ingress.kubernetes.io", "auth-type", &[("auth-secret", "users")]),
    ("haproxy.com", "auth-realm", &[("auth-type", "basic-auth"), ("auth-secret", "users")]),
    ("haproxy.com", "auth-type", &[("auth-secret", "users")]),
    ("haproxy.org", "auth-realm", &[("auth-type", "basic-auth"), ("auth-secret", "users")]),
    ("haproxy.org", "auth-type", &[("auth-secret", "users")]),
    ("nginx.ingress.kubernetes.io", "auth-secret", &[("auth-type", "basic")]),
    ("nginx.ingress.kubernetes.io", "auth-secret-type", &[("auth-type", "basic"), ("auth-secret", "users")]),
    ("nginx.ingress.kubernetes.io", "auth-type", &[("auth-secret", "users")]),
    ("nginx.ingress.kubernetes.io", "proxy-ssl-verify", &[("backend-protocol", "HTTPS")]),
];

fn parts(key: &str) -> (&str, &str) {
    key.split_once('/').unwrap()
}

fn samples(key: &KnownKey) -> Vec<&'static str> {
    let name = parts(&key.key).1;
    let own = OWN_SAMPLES.iter().filter(|(known, _)| *known == key.key);
    let own = own.chain(SAMPLES_BY_NAME.iter().filter(|(known, _)| *known == name)).map(|(_, value)| *value);
    own.chain(SAMPLES.split(' ')).filter(|value| key.takes(value)).collect()
}

/// Returns the lines of a sample of a key: the key itself, and those that its program needs beside it.
fn sample_lines(all: &[KnownKey], key: &KnownKey, value: &str) -> Lines {
    let (prefix, name) = parts(&key.key);
    let name_of_pattern =
        NAMES.iter().find(|(pattern, _)| *pattern == key.key).map_or("web", |(_, name)| *name);
    let mut lines = vec![(key.key.replace('*', name_of_pattern), value.to_owned())];
    let own = COMPANIONS.iter().filter(|(of, key, _)| *of == prefix && *key == name);
    let own = own.flat_map(|(.., with)| with.iter());
    lines.extend(own.map(|(name, value)| ([prefix, "/", name].concat(), (*value).to_owned())));
    if prefix == "alb.ingress.kubernetes.io" {
        // By http, nobody is asked for anything.
        lines.push(("alb.ingress.kubernetes.io/listen-ports".to_owned(), "[{\"HTTPS\": 443}]".to_owned()));
    }
    let needed = key.needs();
    if !needed.is_empty() && !lines.iter().any(|(key, _)| needed.contains(key)) {
        let known = all.iter().find(|it| needed.contains(&it.key));
        lines.extend(known.and_then(|it| Some((it.key.clone(), (*samples(it).first()?).to_owned()))));
    }
    lines
}

/// What the messages about a redirect say.
const REDIRECTS: [&str; 2] = ["redirect", "requests without TLS would be answered"];

/// Whether a message is about a line, or about the option of the same name.
fn is_about(said: &ChangeMessage, lines: &Lines) -> bool {
    let text = [said.message.as_str(), " ", &said.path].concat();
    lines.iter().any(|(key, _)| {
        let intent = intent_of_name(parts(key).1);
        let is_header = key.contains("/hsts") && text.contains("Strict-Transport-Security");
        is_header || text.contains(key.as_str()) || intent.is_some_and(|it| text.contains(it.as_str()))
    })
}

/// The lines under which a program heeds a key, and whether the Service then has TLS.
fn heeded(all: &[KnownKey], key: &KnownKey, by: By) -> Option<(Lines, bool)> {
    if !by.is_reader_of(&key.key) {
        return None;
    }
    let tries = [true, false].into_iter().flat_map(|tls| samples(key).into_iter().map(move |it| (it, tls)));
    tries.map(|(value, tls)| (sample_lines(all, key, value), tls)).find(|(lines, tls)| {
        let is_read = lines.iter().all(|(key, _)| by.is_reader_of(key));
        let Some(Outcome::Planned { report, .. }) = decided(by, lines, *tls, In::Service) else {
            return false;
        };
        let wrong = report.diagnostics().iter().filter(|it| it.severity > Severity::Info);
        is_read && wrong.map(ChangeMessage::from).all(|it| !is_about(&it, lines))
    })
}

/// What becomes of a Service that moves.
struct Moved {
    changes: Changes,
    /// The text of the new objects, and their annotations.
    objects: String,
    annotations: Lines,
}

impl Moved {
    fn new(old: &Outcome, new: &Outcome) -> Self {
        let (before, after) = (emit_all(old.plan()), emit_all(new.plan()));
        let (were, are) = (ObjectFindings::new(&before.report), ObjectFindings::new(&after.report));
        let changes = Changes::between((old, were.of("shop", "web")), (new, are.of("shop", "web")));
        let objects: Vec<Value> = after.objects.iter().map(Object::to_value).collect();
        let annotations = objects.iter().filter_map(|it| it["metadata"]["annotations"].as_object()).flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let annotations = annotations.map(|(key, value)| (key.clone(), text(value))).collect();
        Self { changes, objects: Value::Array(objects).to_string(), annotations }
    }

    /// Whether the comparison tells what becomes of a key that protects: its effect is translated or kept, or the new settings refuse
    /// the Service, or it would be open.
    fn is_told(&self, key: &KnownKey, lines: &Lines, to: By) -> bool {
        let said = |list: &[ChangeMessage]| {
            list.iter().any(|it| {
                is_about(it, lines)
                    || (key.redirects() && REDIRECTS.iter().any(|word| it.message.contains(word)))
            })
        };
        let Self { changes, .. } = self;
        said(&changes.refused)
            || said(&changes.opens)
            || (said(&changes.translated) || said(&changes.differs)) && self.has_words(lines, to)
            || self.keeps(lines, to)
            || key.redirects() && self.redirects(to)
    }

    /// Whether the objects have words that the other lines, or none, would not give them.
    fn has_words(&self, lines: &Lines, to: By) -> bool {
        let of_program = self
            .annotations
            .iter()
            .any(|(key, _)| !lines.iter().any(|(given, _)| given == key) && to.controller().reads(key));
        of_program
            || ["policies", "Policy", "filters", "Middleware", "passthrough"]
                .iter()
                .any(|it| self.objects.contains(it))
    }

    /// Whether the new program gets and reads the line, or the same line under a prefix that it knows.
    fn keeps(&self, lines: &Lines, to: By) -> bool {
        let Some((key, value)) = lines.first() else { return false };
        let is_it = |(known, given): &(String, String)| parts(known).1 == parts(key).1 && given == value;
        self.annotations.iter().any(|it| is_it(it) && to.is_reader_of(&it.0))
    }

    /// Whether requests without TLS are redirected: by ingress-nginx if there is a certificate, by other programs if the objects say so.
    fn redirects(&self, to: By) -> bool {
        let is_nginx = matches!(to.controller(), Controller::IngressNginx | Controller::TraefikNginx);
        let words = ["redirect", "Redirect"].iter().any(|word| self.objects.contains(word));
        words || is_nginx && self.objects.contains("secretName")
    }
}

/// Lines about CORS. Without the line that turns it on, browsers let no page of another origin in.
fn is_cors_that_is_off(key: &str, moved: &Moved, to: By) -> bool {
    let is_on = |(key, value): &(String, String)| match parts(key) {
        ("nginx.ingress.kubernetes.io", name) => name == "enable-cors" && value == "true",
        (_, name) => {
            to.is_reader_of(key) && ["enable-cors", "cors-enable"].contains(&name) && value == "true"
        }
    };
    parts(key).1.starts_with("cors-") && !moved.annotations.iter().any(is_on)
}

/// The program that is assumed reads the line, or the class stays the same, so its program stays known; and paths without patterns need
/// no line about patterns.
fn changes_nothing(key: &KnownKey, from: By, to: By) -> bool {
    let is_assumed = from == Class(Controller::IngressNginx)
        || (from == Class(Controller::TraefikNginx) && !key.protects());
    (is_assumed && to == Nobody) || key.key.ends_with("/use-regex")
}

/// The keys that no sample gives an effect on an object, and why.
const WITHOUT_SAMPLE: &[(&str, &str)] = &[
    ("ingress.kubernetes.io/auth-proxy-set-headers", FORMER),
    ("ingress.kubernetes.io/auth-response-headers", FORMER),
    ("ingress.kubernetes.io/auth-secret-type", FORMER),
    ("ingress.kubernetes.io/auth-snippet", FORMER),
    ("ingress.kubernetes.io/auth-tls-match-cn", FORMER),
    ("ingress.kubernetes.io/auth-tls-verify-depth", FORMER),
    ("projectcontour.io/upstream-protocol.*", "Contour reads it on the Service"),
    ("traefik.ingress.kubernetes.io/auth-*", "only Traefik 1.7 read it"),
];

const FORMER: &str = "only former versions of ingress-nginx read it together with the key that it needs";

/// A move of a Service with a key, and what becomes of it.
struct Try<'k> {
    key: &'k KnownKey,
    lines: Lines,
    to: By,
    /// The programs, the lines and their place, for a message of the test.
    name: String,
    moved: Moved,
}

/// Calls a function for each move of each of some keys. Returns the number of moves, and the keys that no Service can have.
fn try_all<'k>(
    all: &'k [KnownKey],
    is_tried: impl Fn(&KnownKey) -> bool,
    in_places: &[In],
    mut check: impl FnMut(Try<'k>),
) -> (usize, BTreeSet<&'k str>) {
    let (before, after) = places();
    let (mut tried, mut without, mut with) = (0, BTreeSet::new(), BTreeSet::new());
    for key in all.iter().filter(|it| is_tried(it) && !it.is_elsewhere()) {
        without.insert(key.key.as_str());
        for from in &before {
            let Some((lines, tls)) = heeded(all, key, *from) else { continue };
            with.insert(key.key.as_str());
            for &place in in_places {
                let Some(old) = decided(*from, &lines, tls, place) else { continue };
                for to in after.iter().copied().filter(|to| to != from && !changes_nothing(key, *from, *to)) {
                    let Some(new) = decided(to, &lines, tls, place) else { continue };
                    let name = format!("{from:?} -> {to:?}, {place:?}, {lines:?}");
                    check(Try { key, lines: lines.clone(), to, name, moved: Moved::new(&old, &new) });
                    tried += 1;
                }
            }
        }
    }
    without.retain(|key| !with.contains(key));
    (tried, without)
}

#[test]
fn lost_protection_of_a_key_is_told() {
    let all = known_keys();
    let mut wrong = Vec::new();
    let (tried, without) = try_all(
        &all,
        |it| it.protects() || it.hardens(),
        &[In::Service, In::Settings],
        |it| {
            let Try { key, lines, to, name, moved } = it;
            let lists = moved.changes.lists();
            let is_any = || lists.iter().any(|(_, list)| list.iter().any(|it| is_about(it, &lines)));
            let is_told = moved.is_told(key, &lines, to)
                || (!key.protects() && is_any())
                || is_cors_that_is_off(&key.key, &moved, to);
            if !is_told {
                wrong.push(format!("{name}: {lists:?}"));
            }
        },
    );
    assert!(wrong.is_empty() && tried > 10_000, "{tried}: {wrong:#?}");
    let known = WITHOUT_SAMPLE.iter().map(|(key, _)| *key).collect();
    assert_eq!(without, known);
}

#[test]
fn key_that_protects_nothing_opens_nothing() {
    let all = known_keys();
    let mut wrong = Vec::new();
    let (tried, _) = try_all(
        &all,
        |it| !it.protects() && !it.hardens(),
        &[In::Settings],
        |it| {
            let key = it.lines.first().map_or("", |(key, _)| key);
            let opens = it.moved.changes.opens.iter().filter(|said| said.message.contains(key));
            wrong.extend(opens.map(|said| [&it.name, ": ", &said.message].concat()));
        },
    );
    assert!(wrong.is_empty() && tried > 5_000, "{tried}: {wrong:#?}");
}
