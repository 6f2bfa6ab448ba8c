//! How Go, in which the programs are written, reads values.

/// The whole seconds of a duration such as `1h30m` or `1.5m`, as Go's time.ParseDuration reads it.
pub(crate) fn go_seconds(text: &str) -> Option<u64> {
    const UNITS: [(&str, f64); 8] = [
        ("ns", 1e-9),
        ("us", 1e-6),
        ("µs", 1e-6),
        ("μs", 1e-6),
        ("ms", 1e-3),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3600.0),
    ];
    let mut total = 0.0;
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    while !rest.is_empty() {
        let number = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, behind) = rest.split_at_checked(number)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || number.len() > 18 {
            return None;
        }
        let unit = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let (unit, behind) = behind.split_at_checked(unit)?;
        let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let digits = [whole, fraction].concat().parse::<u64>().ok()?;
        total += digits as f64 / 10_f64.powi(fraction.len() as i32) * seconds;
        rest = behind;
    }
    (total > 0.0).then_some(total as u64)
}

/// The first part of a regular expression that ingress-nginx understands (PCRE), and the expressions of Go and of Envoy (RE2) do not:
/// they never look around, and never back.
pub(crate) fn not_in_re2(pattern: &str) -> Option<&str> {
    const AROUND: [&str; 6] = ["(?=", "(?!", "(?<=", "(?<!", "(?>", "(?#"];
    let mut escaped = false;
    for (at, c) in pattern.char_indices() {
        let Some(rest) = pattern.get(at..) else { break };
        if escaped {
            escaped = false;
            if matches!(c, '1'..='9' | 'k' | 'g' | 'K' | 'R' | 'G' | 'Z') {
                return pattern.get(at - 1..at + 1);
            }
            continue;
        }
        escaped = c == '\\';
        let possessive = ["*+", "++", "?+", "}+"].into_iter();
        if let Some(found) = AROUND.into_iter().chain(possessive).find(|part| rest.starts_with(part)) {
            return rest.get(..found.len());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_expressions_have_no_meaning_in_re2() {
        for (pattern, part) in [
            ("/(?!admin).*", Some("(?!")),
            (r"/(a)\1", Some(r"\1")),
            ("/a++", Some("++")),
            (r"/a\+\+", None),
            ("/(?<rest>.*)", None),
            ("/(?:a|b)(/|$)(.*)", None),
            (r"/v\d+", None),
        ] {
            assert_eq!(not_in_re2(pattern), part, "{pattern}");
        }
    }
}
