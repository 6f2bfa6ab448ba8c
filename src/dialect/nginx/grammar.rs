//! The forms of values that ingress-nginx 1.15 checks. Most have the name of the function or regular expression in
//! internal/ingress/annotations, or in validators.go of its folder parser.

// `ValidateCIDRs`.
pub(super) use crate::dialect::key::ADDRESSES;
use crate::dialect::key::{Form, Text, is_of};
use crate::validation::{is_dns_label, is_dns_subdomain};

/// `BasicCharsRegex`, which ignores spaces, and `CharsWithSpace`.
pub(super) static PLAIN: Text = Text { expected: "", form: Form::Of("/-._~: ") };

/// `ValidateServerName`.
pub(super) static SERVER_NAME: Text = Text {
    expected: "a name, or a regular expression, without blanks",
    form: Form::Fits(|value| is_pattern(value.trim())),
};

/// `ValidateArrayOfServerName`.
pub(super) static SERVER_NAMES: Text = Text {
    expected: "names of hosts, or regular expressions, separated by commas",
    form: Form::Fits(|value| each(value, ',', is_pattern)),
};

/// `IsValidRegex`.
pub(super) static PATTERN: Text = Text {
    expected: "a regular expression without blanks and rare characters",
    form: Form::Fits(is_pattern),
};

fn is_pattern(value: &str) -> bool {
    is_of(value, "-._~/:^$[](){}*+?|&=\\")
}

/// Whether each item has a form, without the spaces around it.
fn each(value: &str, separator: char, fits: fn(&str) -> bool) -> bool {
    value.split(separator).map(str::trim).all(fits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The name of an object. `BasicCharsRegex` accepts more, but no object has such a name.
pub(super) static NAME: Text = Text {
    expected: "a name, or a namespace and a name with a slash between them",
    form: Form::Fits(is_name),
};

/// Like [`NAME`], but the namespace is required.
pub(super) static FULL_NAME: Text = Text {
    expected: "a namespace and a name with a slash between them",
    form: Form::Fits(|value| named(value).0.is_some() && is_name(value)),
};

fn is_name(value: &str) -> bool {
    let (namespace, name) = named(value);
    namespace.is_none_or(is_dns_label) && is_dns_subdomain(name)
}

/// Returns the namespace, if one is given, and the name of an object.
pub(super) fn named(value: &str) -> (Option<&str>, &str) {
    let value = value.trim();
    value.split_once('/').map_or((None, value), |(namespace, name)| (Some(namespace), name))
}

/// `URLWithNginxVariableRegex`.
pub(super) static VARIABLES: Text = Text { expected: "a URL of ", form: Form::Of("/-._~:,?&=$ ") };

/// `StringToURL`.
pub(super) static ABSOLUTE_URL: Text = Text {
    expected: "a URL with scheme and host, such as https://auth.example.com",
    form: Form::Fits(|value| {
        authority(value.trim()).is_some_and(|(_, authority)| {
            let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
            !authority.is_empty()
                && !host.contains(' ')
                && !host.contains("..")
                && port.bytes().all(|byte| byte.is_ascii_digit())
        })
    }),
};

/// Returns the scheme of a URL, and its host with the port.
fn authority(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && is_of(scheme, "+-.");
    Some((scheme, rest.split(['/', '?']).next()?)).filter(|_| is_scheme)
}

/// `isValidURL`, for redirects.
pub(super) static HTTP_URL: Text = Text {
    expected: "a URL that begins with http:// or https://",
    form: Form::Fits(|value| {
        let scheme = value.trim().split_once(':').map_or("", |(scheme, _)| scheme);
        ["http", "https"].iter().any(|known| known.eq_ignore_ascii_case(scheme))
    }),
};

/// `ParseRequestURI` without a scheme.
pub(super) static ABSOLUTE_PATH: Text =
    Text { expected: "a path that begins with `/`", form: Form::Fits(|value| value.starts_with('/')) };

/// `RegexPathWithCapture`, which ignores spaces.
pub(super) static PREFIX_PATH: Text = Text { expected: "a path of ", form: Form::Of("/-._~:$ ") };

/// `NGINXVariable`.
pub(super) static VARIABLE: Text = Text { expected: "", form: Form::Of("-_${} ") };

/// A word for tracing.
pub(super) static WORD: Text = Text { expected: "", form: Form::Of("-_ ") };

/// The name of a file.
pub(super) static FILE: Text = Text {
    expected: "the name of a file, such as index.php",
    form: Form::Fits(|value| is_of(value, "-_. ") && !value.trim().is_empty()),
};

/// The HTTP methods that a request for authentication may have.
pub(super) static METHOD: Text =
    Text { expected: "", form: Form::Word("GET HEAD POST PUT PATCH DELETE CONNECT OPTIONS TRACE") };

/// `ExtendedCharsRegex`, and the durations of `ValidCacheDuration`.
pub(super) static DURATIONS: Text = Text {
    expected: "codes and a duration, separated by blanks, several by commas: 200 202 30m, 401 5m",
    form: Form::Fits(|value| is_of(value, "/-._~:, ")),
};

pub(super) static DURATION_LAST: Text = Text {
    expected: "codes, and a duration behind them, such as 200 202 30m",
    form: Form::Fits(|value| each(value, ',', |item| item.is_empty() || is_cached(item))),
};

/// Whether an item has a duration, and no code after it.
fn is_cached(item: &str) -> bool {
    let mut has_duration = false;
    for word in item.split(' ').filter(|word| !word.is_empty()) {
        if word.len() == 3 && is_digits(word) {
            if has_duration {
                return false;
            }
        } else {
            let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let unit = word.strip_prefix(digits).unwrap_or_default();
            has_duration |=
                is_digits(digits) && matches!(unit, "ms" | "s" | "m" | "h" | "d" | "w" | "M" | "y");
        }
    }
    has_duration
}

/// `ValidHeader`, for each item of a list.
pub(super) static HEADERS: Text = Text {
    expected: "names of headers without blanks, separated by commas",
    form: Form::Fits(|value| each(value, ',', |name| is_of(name, "-_"))),
};

/// The modes in which a client certificate is verified.
pub(super) static VERIFY_CLIENT: Text =
    Text { expected: "", form: Form::Word("on off optional optional_no_ca") };

/// `CommonNameAnnotationValidator`.
pub(super) static COMMON_NAME: Text = Text {
    expected: "CN= and a regular expression",
    form: Form::Fits(|value| value.strip_prefix("CN=").is_some_and(is_balanced)),
};

/// Whether the brackets of a regular expression are closed, and each quantifier has something to repeat.
fn is_balanced(pattern: &str) -> bool {
    // 2: any quantifier may follow. 1: only a `?` for laziness may follow. 0: none may follow. So `a*?` is valid, and `a**` is
    // not.
    let (mut depth, mut repeats) = (0_usize, 0);
    let mut rest = pattern.chars();
    while let Some(sign) = rest.next() {
        match sign {
            '\\' if rest.next().is_none() => return false,
            '[' => {
                // A closing bracket in the first place is one of the characters.
                let inside = rest.as_str().strip_prefix('^').unwrap_or(rest.as_str());
                rest = inside.strip_prefix(']').unwrap_or(inside).chars();
                loop {
                    match rest.next() {
                        Some(']') => break,
                        Some('\\') if rest.next().is_some() => {}
                        Some('\\') | None => return false,
                        Some(_) => {}
                    }
                }
            }
            '(' => {
                depth += 1;
                rest = rest.as_str().strip_prefix('?').unwrap_or(rest.as_str()).chars();
            }
            ')' if depth == 0 => return false,
            ')' => depth -= 1,
            '*' | '+' | '?' if repeats == 2 || (sign == '?' && repeats == 1) => {}
            '*' | '+' | '?' => return false,
            _ => {}
        }
        repeats = match sign {
            '(' | '|' => 0,
            '*' | '+' | '?' => repeats - 1,
            _ => 2,
        };
    }
    depth == 0
}

/// `redirectRegex`, for the error page of client certificates.
pub(super) static ERROR_PAGE: Text = Text {
    expected: "a URL, or `@` and the name of a location",
    form: Form::Fits(|value| {
        let value = value.replace(' ', "");
        if let Some(location) = value.strip_prefix('@') {
            return !location.is_empty() && is_of(location, "-_");
        }
        let bare = ["http://", "https://"].iter().find_map(|scheme| value.strip_prefix(scheme));
        let (server, path) = {
            let rest = bare.unwrap_or(&value);
            rest.split_once('/').map_or((rest, ""), |(server, path)| (server, path))
        };
        let (host, port) = server.split_once(':').unwrap_or((server, "0"));
        let is_server = !host.is_empty() && is_of(host, "-.") && is_digits(port);
        let path = path.strip_suffix('/').unwrap_or(path);
        let is_path = path.is_empty() || path.split('/').all(|part| !part.is_empty() && is_of(part, "-_."));
        (is_server || (bare.is_none() && server.is_empty())) && is_path
    }),
};

/// `proxySSLCiphersRegex`.
pub(super) static CIPHERS: Text = Text { expected: "ciphers of OpenSSL: ", form: Form::Of("+:_-! ") };

/// `regexValidSSLCipher`.
pub(super) static CIPHER_LIST: Text = Text {
    expected: "ciphers of OpenSSL, separated by `:`",
    form: Form::Fits(|value| {
        let value = value.replace(' ', "");
        let mut parts = value.split('@');
        let is_plain = |part: &str| is_of(part, "!:+-_");
        parts.next().is_none_or(is_plain)
            && parts.all(|part| {
                let level = part
                    .strip_prefix("SECLEVEL=")
                    .and_then(|it| it.strip_prefix(['0', '1', '2', '3', '4', '5']));
                level.or_else(|| part.strip_prefix("STRENGTH")).is_some_and(is_plain)
            })
    }),
};

/// `proxySSLProtocolRegex`.
pub(super) static PROTOCOLS: Text = Text {
    expected: "TLSv1.2, TLSv1.3 or both, separated by a blank",
    form: Form::Fits(|value| each(value, ' ', |word| matches!(word, "" | "TLSv1.2" | "TLSv1.3"))),
};

/// `cookieDomainRegex`.
pub(super) static COOKIE_DOMAIN: Text = Text {
    expected: "off, or two domains, separated by a blank",
    form: Form::Fits(|value| {
        let mut words = value.split_ascii_whitespace();
        let is_two = words.by_ref().take(2).filter(|word| is_of(word, "-._~/:")).count() == 2;
        value == "off" || (is_two && words.next().is_none() && value.trim() == value)
    }),
};

const UPSTREAM: [&str; 12] = [
    "error",
    "timeout",
    "invalid_header",
    "http_500",
    "http_502",
    "http_503",
    "http_504",
    "http_403",
    "http_404",
    "http_429",
    "non_idempotent",
    "off",
];
/// `validUpstreamAnnotation`.
pub(super) static NEXT_UPSTREAM: Text = Text {
    expected: "off, or words such as error timeout http_502, separated by a blank",
    form: Form::Fits(|value| {
        let value = value.strip_suffix(' ').unwrap_or(value);
        each(value, ' ', |word| UPSTREAM.contains(&word))
    }),
};

/// `corsOriginRegexValidator`, which ignores spaces.
pub(super) static ORIGINS: Text = Text {
    expected: "scheme, host and perhaps port of each, separated by commas: https://example.com, https://*.example.com:8443",
    form: Form::Fits(is_list_of_origins),
};

fn is_list_of_origins(list: &str) -> bool {
    let list: Vec<char> = list.chars().filter(|sign| *sign != ' ').collect();
    let at = |index: usize| list.get(index).copied();
    let mut index = 0;
    while let Some(sign) = at(index) {
        index += match (sign, at(index + 1), at(index + 2)) {
            (sign, ..) if sign.is_ascii_alphanumeric() || "-.,".contains(sign) => 1,
            ('*', Some('.'), _) => 2,
            (':', Some(digit), _) if digit.is_ascii_digit() => 2,
            (':', Some('/'), Some('/'))
                if index.checked_sub(1).and_then(at).is_some_and(|it| it.is_ascii_lowercase()) =>
            {
                3
            }
            ('*', None, _) if list.len() == 1 => 1,
            _ => return false,
        };
    }
    true
}

/// `corsMethodsRegex`.
pub(super) static METHODS: Text = Text {
    expected: "methods of HTTP, separated by commas",
    form: Form::Fits(|value| is_list(value, |sign| sign.is_ascii_alphabetic())),
};

/// `corsExposeHeadersRegex`.
pub(super) static EXPOSED: Text = Text {
    expected: "names of headers or `*`, separated by commas",
    form: Form::Fits(|value| is_list(value, |sign| sign.is_ascii_alphanumeric() || "-_*".contains(sign))),
};

/// Whether a list has items of such characters, each followed by at most one comma and one space.
fn is_list(value: &str, is_sign: fn(char) -> bool) -> bool {
    let mut rest = value.trim();
    while !rest.is_empty() {
        let behind = rest.trim_start_matches(is_sign);
        if behind.len() == rest.len() {
            return false;
        }
        let behind = behind.strip_prefix(',').unwrap_or(behind);
        rest = behind.strip_prefix(' ').unwrap_or(behind);
    }
    true
}

/// `arrayOfHTTPErrors`.
pub(super) static ERROR_CODES: Text = Text {
    expected: "codes from 400 to 599, separated by commas",
    form: Form::Fits(|value| {
        let value = value.trim();
        let is_code = |code: &str| code.len() == 3 && is_digits(code) && code.starts_with(['4', '5']);
        each(value.strip_suffix(',').unwrap_or(value), ',', is_code)
    }),
};

/// `ValidateServiceName`.
pub(super) static SERVICE: Text = Text {
    expected: "the name of a Service",
    form: Form::Fits(|value| is_dns_label(value) && !value.starts_with(|c: char| c.is_ascii_digit())),
};

/// Numbers with which nginx accepts its configuration: it refuses a negative one for a time or a number of tries, a burst of 0, and
/// fewer than two buffers.
pub(super) static NOT_NEGATIVE: Text =
    Text { expected: "a whole number from 0", form: Form::Fits(|value| number(value) >= 0) };
pub(super) static FROM_1: Text =
    Text { expected: "a whole number from 1", form: Form::Fits(|value| number(value) >= 1) };
pub(super) static FROM_2: Text =
    Text { expected: "a whole number from 2", form: Form::Fits(|value| number(value) >= 2) };

/// The codes of `temporal-redirect-code` and `permanent-redirect-code`. ingress-nginx replaces others by its default.
pub(super) static TEMPORAL_CODE: Text =
    Text { expected: "a code from 300 to 307", form: Form::Fits(|value| matches!(number(value), 300..=307)) };
pub(super) static PERMANENT_CODE: Text =
    Text { expected: "a code from 300 to 308", form: Form::Fits(|value| matches!(number(value), 300..=308)) };

/// Returns a number whose form the shape of the key has checked.
fn number(value: &str) -> i64 {
    value.trim().parse().unwrap_or_default()
}

/// `affinityCookieExpiresRegex`.
pub(super) static SECONDS: Text =
    Text { expected: "a number of seconds", form: Form::Fits(|value| value.trim().parse::<i64>().is_ok()) };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_name_is_a_regular_expression() {
        for pattern in ["", "admin", "(a|b).*", "a*?", "[](*]x", "(?:a)+", r"a\(", "^a$", "[^]]{2}"] {
            assert!(is_balanced(pattern), "{pattern}");
        }
        for pattern in ["(a", "a)", "[a", "[]", "*a", "(*a)", "a|+", "a**", "a*??", "a\\", "[a\\"] {
            assert!(!is_balanced(pattern), "{pattern}");
        }
    }

    #[test]
    fn a_list_of_origins_is_what_ingress_nginx_takes_for_one() {
        let accepted = "*|null|https://example.com|https://*.example.com:8443, null|example.com|,|a b";
        for list in accepted.split('|') {
            assert!(ORIGINS.fits(list), "{list}");
        }
        let refused = "https://example.com/|https://example.com;https://example.org|https://example.com, *|\
             https://.*\\.example\\.com|HTTPS://example.com|https://example.com:port|https://exa_mple.com";
        for list in refused.split('|') {
            assert!(!ORIGINS.fits(list), "{list}");
        }
    }
}
