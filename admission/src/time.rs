//! Times in the format of the API server.

/// The seconds since 1970 of a time such as `2026-11-29T07:00:00Z`, without a fraction of a second; `None` for any other text.
pub(crate) fn seconds(time: &str) -> Option<i64> {
    let (date, time) = time.strip_suffix('Z')?.split_once('T')?;
    let time = time.split_once('.').map_or(time, |(time, _)| time);
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let is_time =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    is_time.then(|| days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let is_number =
        |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = text.split(between).map(|part| part.parse().ok().filter(|_| is_number(part)));
    parts.collect::<Option<Vec<i64>>>()?.try_into().ok()
}

/// The number of days since 1970 in the Gregorian calendar. The computation starts the year in March, so that a leap day is its
/// last day.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // From March on, every five months have 153 days.
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_are_read_as_the_api_server_writes_them() {
        for (time, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-11-29T07:00:00Z", Some(1_795_935_600)),
            ("2024-02-29T23:59:59Z", Some(1_709_251_199)),
            ("2000-03-01T00:00:00Z", Some(951_868_800)),
            ("2026-11-29T07:00:00.123456Z", Some(1_795_935_600)),
            ("1969-12-31T23:59:59Z", Some(-1)),
            ("", None),
            ("2026-11-29", None),
            ("2026-11-29T07:00:00", None),
            ("2026-13-29T07:00:00Z", None),
            ("2026-11-29T24:00:00Z", None),
            ("+026-11-29T07:00:00Z", None),
            ("99999-11-29T07:00:00Z", None),
            ("2026-11-29T07:00Z", None),
        ] {
            assert_eq!(seconds(time), expected, "{time}");
        }
    }
}
