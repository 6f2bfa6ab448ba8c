//! The ASCII form of international names (IDNA: RFC 5890), for the helps about such names.
//!
//! The crate `idna` implements all of IDNA, but its tables of all characters are far larger than the room in the policy's module. A
//! help needs less: it gives the ASCII form only if the form is certain, for letters that IDNA keeps unchanged in lower case, and
//! otherwise tells the prefix of the form. The test compares each of these letters with the crate. None of the crates with only the
//! encoding is maintained, and the encoding is one page of RFC 3492.

use super::MAX_LABEL;
use crate::diagnostics::quoted;

/// The prefix of the ASCII form of an international label.
const PREFIX: &str = "xn--";
/// The maximum size of a help in bytes: room for two labels of maximum length.
const MAX_HELP: usize = 512;

/// The lower-case letters that IDNA keeps unchanged, of Latin, Greek, Cyrillic, kana, Han and Hangul. Each row has the first and
/// the last letter of a range, 1 if upper-case letters alternate with them and otherwise 0, and the distance of each letter from
/// its upper-case letter (0 if it is not known here). Letters that IDNA replaces, such as ligatures, and scripts with
/// context-dependent letters are missing.
const LETTERS: [(u16, u16, u16, u16); 27] = [
    (0xdf, 0xdf, 0, 0),
    (0xe0, 0xf6, 0, 32),
    (0xf8, 0xfe, 0, 32),
    (0xff, 0xff, 0, 0),
    (0x101, 0x12f, 1, 1),
    (0x131, 0x131, 0, 0),
    (0x135, 0x137, 1, 1),
    (0x13a, 0x13e, 1, 1),
    (0x142, 0x148, 1, 1),
    (0x14b, 0x177, 1, 1),
    (0x17a, 0x17e, 1, 1),
    (0x1ce, 0x1dc, 1, 1),
    (0x219, 0x21b, 1, 1),
    (0x3ac, 0x3b0, 0, 0),
    (0x3b1, 0x3c1, 0, 32),
    (0x3c2, 0x3c2, 0, 0),
    (0x3c3, 0x3cb, 0, 32),
    (0x3cc, 0x3ce, 0, 0),
    (0x430, 0x44f, 0, 32),
    (0x450, 0x45f, 0, 80),
    (0x48b, 0x4bf, 1, 1),
    (0x1ea1, 0x1ef9, 1, 1),
    (0x3041, 0x3096, 0, 0),
    (0x30a1, 0x30fa, 0, 0),
    (0x30fc, 0x30fe, 0, 0),
    (0x4e00, 0x9fff, 0, 0),
    (0xac00, 0xd7a3, 0, 0),
];

/// The letter or digit in lower case, or a hyphen; `None` for a character that IDNA may replace.
fn certain(character: char) -> Option<u32> {
    if character.is_ascii() {
        let is_fit = character.is_ascii_alphanumeric() || character == '-';
        return is_fit.then(|| character.to_ascii_lowercase().into());
    }
    let code = u16::try_from(u32::from(character)).ok()?;
    for (first, last, mask, to_capital) in LETTERS {
        for small in [code, code.saturating_add(to_capital)] {
            if (first..=last).contains(&small) && (small - first) & mask == 0 {
                return Some(small.into());
            }
        }
    }
    None
}

/// The help about a name; `otherwise` is the help if all letters are ASCII.
pub(crate) fn host_help(host: &str, otherwise: &str) -> String {
    if !host.contains(is_international) {
        return otherwise.to_owned();
    }
    let (mut help, mut before) = ("write ".to_owned(), "");
    for label in host.split('.').filter(|label| !label.is_ascii()) {
        match ascii_label(label) {
            Some(form) if help.len() < MAX_HELP => {
                help += &[before, &form, " in place of ", &quoted(label)].concat();
                before = ", ";
            }
            _ => return "write an international name in its ASCII form, which begins with xn--".to_owned(),
        }
    }
    help
}

fn is_international(character: char) -> bool {
    !character.is_ascii() && character.is_alphabetic()
}

/// The ASCII form of a label with a letter outside of ASCII; `None` if it is not certain, or too long.
fn ascii_label(label: &str) -> Option<String> {
    let is_another_form = label.starts_with(PREFIX) || label.starts_with('-') || label.ends_with('-');
    if label.is_ascii() || is_another_form || label.len() > 4 * MAX_LABEL {
        return None;
    }
    let mut codes = Vec::new();
    for character in label.chars() {
        codes.push(certain(character)?);
    }
    let mut form = PREFIX.to_owned();
    punycode(&codes, &mut form);
    (form.len() <= MAX_LABEL).then_some(form)
}

/// Appends characters in Punycode (RFC 3492, section 6.3). A label has few characters, so no number overflows.
fn punycode(codes: &[u32], out: &mut String) {
    let mut basic: u32 = 0;
    for code in codes.iter().filter(|code| **code < 0x80) {
        out.extend(char::from_u32(*code));
        basic += 1;
    }
    if basic > 0 {
        out.push('-');
    }
    let (mut done, mut code, mut delta, mut bias) = (basic, 0x80, 0, 72);
    // Each round inserts all characters with the smallest remaining code point.
    while let Some(next) = codes.iter().copied().filter(|it| *it >= code).min() {
        delta += (next - code) * (done + 1);
        for it in codes {
            if *it < next {
                delta += 1;
            } else if *it == next {
                push(out, delta, bias);
                done += 1;
                bias = adapted(if done == basic + 1 { delta / 700 } else { delta / 2 }, done);
                delta = 0;
            }
        }
        delta += 1;
        code = next + 1;
    }
}

/// Appends a number as a generalized variable-length integer (RFC 3492, section 3.3).
fn push(out: &mut String, mut rest: u32, bias: u32) {
    // The letters stand for 0 to 25, the digits for 26 to 35.
    let mut digit = |value: u32| out.extend(char::from_digit((value + 10) % 36, 36));
    let mut at: u32 = 36;
    loop {
        let threshold = at.saturating_sub(bias).clamp(1, 26);
        if rest < threshold {
            return digit(rest);
        }
        digit(threshold + (rest - threshold) % (36 - threshold));
        rest = (rest - threshold) / (36 - threshold);
        at += 36;
    }
}

/// The bias after a number (RFC 3492, section 6.1).
fn adapted(mut delta: u32, count: u32) -> u32 {
    delta += delta / count;
    let mut steps = 0;
    while delta > 455 {
        delta /= 35;
        steps += 36;
    }
    steps + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result of the crate for a label, by the rules for lookups.
    fn of_idna(label: &str) -> Option<String> {
        idna::domain_to_ascii_strict(label).ok()
    }

    #[test]
    fn every_letter_has_the_form_that_idna_gives_it() {
        let mut certain = 0;
        for letter in ('\u{80}'..=char::MAX).filter(|letter| letter.is_alphabetic()) {
            // Alone, next to other letters, and next to another letter of its range.
            for label in [letter.to_string(), format!("a{letter}1"), format!("{letter}{letter}-é")] {
                if let Some(form) = ascii_label(&label) {
                    assert_eq!(Some(form), of_idna(&label), "{label} U+{:04X}", u32::from(letter));
                    certain += 1;
                }
            }
        }
        assert!(certain > 98_000, "{certain}");
    }

    #[test]
    fn labels_of_any_letters_have_the_form_that_idna_gives_them() {
        // As many pairs as there are letters, pseudo-random with a fixed seed.
        let letters: Vec<char> = ('\u{80}'..=char::MAX)
            .filter(|it| it.is_alphabetic() && ascii_label(&it.to_string()).is_some())
            .collect();
        let mut at = 7_usize;
        for length in (1..12).cycle().take(20_000) {
            let label: String = (0..length)
                .filter_map(|_| {
                    at = (at * 48_271) % 2_147_483_647;
                    letters.get(at % letters.len())
                })
                .collect();
            if let Some(form) = ascii_label(&label) {
                assert_eq!(Some(form), of_idna(&label), "{label}");
            }
        }
    }

    #[test]
    fn names_are_checked_label_by_label() {
        let help = |host| host_help(host, "otherwise");
        assert_eq!(help("web.example.com"), "otherwise");
        assert_eq!(
            help("bücher.CAFÉ.example.com"),
            "write xn--bcher-kva in place of `bücher`, xn--caf-dma in place of `CAFÉ`"
        );
        // A combining accent, a ligature, an Arabic name, a label that is too long, and one with an unknown form.
        let long = "é".repeat(60);
        for host in ["cafe\u{301}é.example.com", "ﬁn.example.com", "مثال.example.com", &long, "xn--é.com"]
        {
            assert!(help(host).ends_with("which begins with xn--"), "{host}: {}", help(host));
        }
    }
}
