//! The fractions that stand in templates.
//!
//! They are kept as they are written, and not as the nearest number of the machine: what Go prints of that number can be said from
//! the digits, without the tables that print any number, which would be a fortieth of the policy's module.

use std::cmp::Ordering;
use std::fmt;

/// A decimal fraction of at most 15 digits with a power of ten of at most 22, so that the nearest number of the machine is one
/// division or multiplication away.
///
/// ```
/// use xposer::internal::functions::Decimal;
/// let fraction = Decimal::parse("1.250e-5").unwrap();
/// assert_eq!(fraction.to_string(), "1.25e-05");
/// assert!(Decimal::parse("1e23").is_none() && Decimal::parse("0x1p4").is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    is_negative: bool,
    digits: u64,
    /// The power of ten that they are multiplied by.
    power: i32,
}

const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

impl Decimal {
    /// Reads a fraction; `None` where it has more digits, or another power, than can be kept.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (is_negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (digits, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let all = [whole, part].concat();
        let is_exact = all.bytes().all(|b| b.is_ascii_digit()) && all.trim_start_matches('0').len() <= 15;
        let digits = all.parse::<u64>().ok().filter(|_| is_exact)?;
        let power = power.parse::<i32>().ok()?.checked_sub(i32::try_from(part.len()).ok()?)?;
        POWERS.get(usize::try_from(power.unsigned_abs()).ok()?)?;
        Some(Self { is_negative, digits, power })
    }

    /// The same without zeros at the end of its digits.
    fn shortest(mut self) -> Self {
        while self.digits != 0 && self.digits % 10 == 0 {
            self.digits /= 10;
            self.power += 1;
        }
        if self.digits == 0 { Self { power: 0, ..self } } else { self }
    }

    /// The nearest number of the machine.
    #[allow(clippy::cast_precision_loss, reason = "15 digits are exact")]
    fn value(self) -> f64 {
        let digits = self.digits as f64;
        let factor = usize::try_from(self.power.unsigned_abs()).ok().and_then(|power| POWERS.get(power));
        let factor = factor.copied().unwrap_or(1.0);
        let value = if self.power < 0 { digits / factor } else { digits * factor };
        if self.is_negative { -value } else { value }
    }

    /// Whether it is zero.
    pub(super) fn is_zero(self) -> bool {
        self.digits == 0
    }

    pub(super) fn compare(self, other: Self) -> Ordering {
        self.value().partial_cmp(&other.value()).unwrap_or(Ordering::Equal)
    }

    /// The number of the machine with this many digits behind the point, as Go prints it.
    pub(super) fn fixed(self, precision: usize) -> String {
        let bits = self.value().abs().to_bits();
        let significand = u128::from(bits & ((1 << 52) - 1) | (1 << 52));
        // The number is the significand divided by 2^exponent: at most 10^37, so that 123 bits hold the whole part.
        let exponent = 1075 - i32::try_from(bits >> 52).unwrap_or_default();
        let (whole, mut rest, mut exponent) = match u32::try_from(exponent) {
            _ if bits == 0 => (0, 0, 0),
            Ok(exponent) => {
                let whole = significand.checked_shr(exponent).unwrap_or_default();
                (whole, significand - (whole << exponent.min(127)), exponent)
            }
            Err(_) => (significand << exponent.unsigned_abs().min(127), 0, 0),
        };
        let mut digits: Vec<u8> = whole.to_string().into_bytes();
        for _ in 0..precision {
            // Ten times the rest, divided by 2: its whole part is the next digit.
            exponent = exponent.saturating_sub(1);
            rest *= if exponent == 0 && rest == 0 { 0 } else { 5 };
            let digit = rest >> exponent;
            rest -= digit << exponent;
            digits.push(b'0' + u8::try_from(digit).unwrap_or_default());
        }
        let half = 1_u128.checked_shl(exponent).unwrap_or_default() / 2;
        let is_odd = digits.last().is_some_and(|digit| digit % 2 == 1);
        if exponent > 0 && (rest > half || (rest == half && is_odd)) {
            round_up(&mut digits);
        }
        if precision > 0 {
            digits.insert(digits.len() - precision, b'.');
        }
        if self.is_negative {
            digits.insert(0, b'-');
        }
        String::from_utf8(digits).unwrap_or_default()
    }
}

/// The next number of the same length, or one digit longer.
fn round_up(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}

/// Go's shortest form: with an exponent below -4 or from 6 on.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let it = self.shortest();
        let digits = it.digits.to_string();
        let exponent = it.power + i32::try_from(digits.len()).unwrap_or_default() - 1;
        let sign = if self.is_negative { "-" } else { "" };
        let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
        if it.digits == 0 || (0..6).contains(&exponent) && it.power >= 0 {
            return write!(f, "{sign}{digits}{}", zeros(it.power));
        }
        if (-4..0).contains(&exponent) {
            return write!(f, "{sign}0.{}{digits}", zeros(-1 - exponent));
        }
        if (0..6).contains(&exponent) {
            let places = usize::try_from(exponent + 1).unwrap_or_default();
            let (whole, part) = digits.split_at_checked(places).unwrap_or((&digits, "0"));
            return write!(f, "{sign}{whole}.{part}");
        }
        let (first, rest) = digits.split_at_checked(1).unwrap_or((&digits, ""));
        let point = if rest.is_empty() { "" } else { "." };
        let of_power = if exponent < 0 { '-' } else { '+' };
        write!(f, "{sign}{first}{point}{rest}e{of_power}{:02}", exponent.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_rounded_as_numbers_of_the_machine() {
        let mut seed = 7_u64;
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        for round in 0..20_000 {
            let digits = 10_u64.pow(u32::try_from(next(15)).unwrap());
            // Every second one ends with 5, which is where the two could differ.
            let number =
                next(digits) * if round % 2 == 0 { 10 } else { 1 } + if round % 2 == 0 { 5 } else { 0 };
            let sign = if round % 3 == 0 { "" } else { "-" };
            let text = format!("{number}e{sign}{}", next(23));
            let Some(decimal) = Decimal::parse(&text) else { continue };
            let value: f64 = text.parse().unwrap();
            for precision in [0, 1, 2, 3, 6, 12, 25] {
                assert_eq!(decimal.fixed(precision), format!("{value:.precision$}"), "{text} {precision}");
            }
            assert_eq!(decimal.to_string().parse(), Ok(value), "{text}");
        }
    }
}
