//! Durations as the standard library of Go reads them. Most of the programs are written in Go.

/// Returns the whole seconds of a duration such as `1h30m` or `1.5m`, as Go's `time.ParseDuration` reads it; `None` if the text
/// is not a duration, or is 0.
pub(crate) fn go_seconds(text: &str) -> Option<u64> {
    duration(text).filter(|total| *total > 0.0).map(|total| total as u64)
}

/// Whether a text is a duration. Only 0 may have no unit.
pub(crate) fn is_duration(text: &str) -> bool {
    text == "0" || !text.is_empty() && duration(text.trim_start_matches('-')).is_some()
}

/// Returns the seconds of a duration; `None` if the text is not a duration.
fn duration(text: &str) -> Option<f64> {
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
    Some(total)
}
