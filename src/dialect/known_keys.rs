//! The keys of all programs, for tests that try each of them.

use super::key::{Key, Loss, NativeFeature, Program, key};
use super::{PROGRAMS, effect, place_of};

/// A key of one of the programs. A name with `*` stands for many keys.
///
/// ```
/// use xposer::internal::known_keys;
/// let all = known_keys();
/// let limit = all.iter().find(|it| it.key == "nginx.ingress.kubernetes.io/limit-rps").unwrap();
/// assert!(limit.protects() && limit.takes("5") && !limit.takes("0") && !limit.takes("five"));
/// ```
#[derive(Clone, Debug)]
pub struct KnownKey {
    /// The key with its prefix.
    pub key: String,
    program: &'static Program,
    row: Key,
}

/// Returns the keys of all programs, under each of their prefixes.
///
/// ```
/// let all = xposer::internal::known_keys();
/// assert!(all.iter().any(|it| it.key == "projectcontour.io/tls-minimum-protocol-version" && it.hardens()));
/// ```
#[must_use]
pub fn known_keys() -> Vec<KnownKey> {
    let of_program = |program: &'static Program| {
        let rows = program.keys.iter().map(|row| row.name);
        let mut names: Vec<&'static str> = rows.chain(program.names()).collect();
        names.sort_unstable();
        names.dedup();
        let prefixes = program.prefixes.iter().chain(program.aliases);
        let all = prefixes.flat_map(move |prefix| {
            names.clone().into_iter().map(move |name| {
                let row = program.known(name).unwrap_or(key(name));
                KnownKey { key: [prefix, name].concat(), program, row }
            })
        });
        all.collect::<Vec<_>>()
    };
    PROGRAMS.into_iter().flat_map(of_program).collect()
}

impl KnownKey {
    /// The loss without the key, as the rules read it: the row of the first program that has one counts.
    fn loss(&self) -> Loss {
        effect(&self.key).map_or(Loss::Nothing, |row| row.loss)
    }

    /// Whether the key restricts access, or secures a connection.
    ///
    /// ```
    /// let all = xposer::internal::known_keys();
    /// assert!(all.iter().any(|it| it.key == "konghq.com/tls-verify" && it.protects()));
    /// ```
    #[must_use]
    pub fn protects(&self) -> bool {
        self.loss() == Loss::Protection
    }

    /// Whether the Service is less safe without the key, or does not answer.
    ///
    /// ```
    /// let all = xposer::internal::known_keys();
    /// assert!(all.iter().any(|it| it.key == "alb.ingress.kubernetes.io/ssl-policy" && it.hardens()));
    /// ```
    #[must_use]
    pub fn hardens(&self) -> bool {
        self.loss() == Loss::Hardening
    }

    /// Whether the key sends requests without TLS to https.
    ///
    /// ```
    /// let all = xposer::internal::known_keys();
    /// assert!(all.iter().any(|it| it.key == "haproxy.org/ssl-redirect" && it.redirects()));
    /// ```
    #[must_use]
    pub fn redirects(&self) -> bool {
        self.row.native == NativeFeature::Redirect
    }

    /// Whether a value has the form that the program expects, and an effect.
    ///
    /// ```
    /// let all = xposer::internal::known_keys();
    /// assert!(all.iter().any(|it| it.key == "haproxy.org/allow-list" && it.takes("10.0.0.0/8") && !it.takes("office")));
    /// ```
    #[must_use]
    pub fn takes(&self, value: &str) -> bool {
        self.row.invalid_value(value).is_none() && !self.row.neutral.is(value)
    }

    /// Whether the program reads the key only on other objects than those that expose a Service.
    ///
    /// ```
    /// let all = xposer::internal::known_keys();
    /// assert!(all.iter().any(|it| it.key == "cloud.google.com/backend-config" && it.is_elsewhere()));
    /// ```
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        place_of(&self.key).is_some()
    }

    /// The keys of which the program needs one beside this one; empty if it needs none.
    ///
    /// ```
    /// let all = xposer::internal::known_keys();
    /// let realm = all.iter().find(|it| it.key == "haproxy.org/auth-realm").unwrap();
    /// assert_eq!(realm.needs(), ["haproxy.org/auth-type"]);
    /// ```
    #[must_use]
    pub fn needs(&self) -> Vec<String> {
        let prefix = self.key.split_once('/').map_or("", |(prefix, _)| prefix);
        let with_prefix =
            |name: &&str| if name.contains('/') { (*name).to_owned() } else { [prefix, "/", name].concat() };
        self.row.needs.iter().map(with_prefix).collect()
    }

    /// The name of the program, as it is written in a sentence.
    ///
    /// ```
    /// assert_eq!(xposer::internal::known_keys()[0].program(), "ingress-nginx 1.15");
    /// ```
    #[must_use]
    pub fn program(&self) -> &'static str {
        self.program.name
    }
}
