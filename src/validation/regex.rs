//! The grammar of regular expressions, as far as the programs have it in common: PCRE of nginx and HAProxy, RE2 of Go and Envoy.

/// Why a text is no regular expression of any program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed<'t> {
    /// The part that no program takes.
    pub(crate) part: &'t str,
    /// What is wrong with it: a sentence whose subject is the part.
    pub(crate) said: &'static str,
    /// What to do.
    pub(crate) help: &'static str,
}

/// How often RE2 repeats something, also by repetitions inside of each other.
const MOST: u32 = 1000;
/// How often PCRE does.
const MOST_OF_PCRE: u32 = 65_535;
/// By repetitions inside of each other, an expression becomes too large for PCRE, too.
const MOST_TOGETHER: u32 = 1_000_000;

const ESCAPE: &str = "write `\\` in front of it where it stands for itself, or complete the expression";

/// The letters behind a backslash that have a meaning in both, and in PCRE alone.
const LETTERS: &str = "aAbBCdDEfnpPQrsStvwWxz";
const LETTERS_OF_PCRE: &str = "ceGghHKkNoRVXZ";

/// The first part of a regular expression that PCRE has and RE2 has not: it never looks around, and never back.
///
/// # Errors
///
/// The first part that neither of them takes.
pub(crate) fn only_in_pcre(text: &str) -> Result<Option<&str>, Malformed<'_>> {
    let mut reader = Reader { text, at: 0, of_pcre: None, groups: vec![(0, 1)], before: None };
    while let Some(first) = reader.rest().bytes().next() {
        match first {
            b'\\' => reader.escape()?,
            b'[' => reader.class()?,
            b'(' => reader.open()?,
            b')' => reader.close()?,
            b'|' => reader.pass(1, None),
            b'*' | b'+' | b'?' => reader.repeat(1, 1)?,
            b'{' => match bounds(reader.rest()) {
                Some((length, least, most)) if most < least => {
                    let help = "write the smaller number first";
                    return reader.malformed(length, "ends below its beginning", help);
                }
                Some((length, _, most)) => reader.repeat(length, most)?,
                None => reader.pass(1, Some(1)),
            },
            _ => reader.pass(1, Some(1)),
        }
    }
    match reader.groups.as_slice() {
        [_, .., (open, _)] => {
            reader.at = *open;
            reader.malformed(1, "is not closed", ESCAPE)
        }
        _ => Ok(reader.of_pcre),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// The first part that only PCRE has.
    of_pcre: Option<&'t str>,
    /// Of each open group its place, and how often something in it is repeated at most. The first one is the whole expression.
    groups: Vec<(usize, u32)>,
    /// How often something in the item before this place is repeated; `None` if there is nothing that could be repeated.
    before: Option<u32>,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next bytes, which end where a character ends.
    fn next(&self, length: usize) -> &'t str {
        let rest = self.rest();
        (length..=rest.len()).find_map(|end| rest.get(..end)).unwrap_or(rest)
    }

    fn pass(&mut self, length: usize, before: Option<u32>) {
        self.at += self.next(length).len();
        self.before = before;
    }

    fn only_pcre(&mut self, length: usize) {
        let part = self.next(length);
        self.of_pcre.get_or_insert(part);
    }

    fn malformed<T>(
        &self,
        length: usize,
        said: &'static str,
        help: &'static str,
    ) -> Result<T, Malformed<'t>> {
        Err(Malformed { part: self.next(length), said, help })
    }

    /// A backslash and what follows it.
    fn escape(&mut self) -> Result<(), Malformed<'t>> {
        let rest = self.rest();
        let Some(letter) = rest.chars().nth(1) else {
            return self.malformed(1, "has nothing behind it", "remove it");
        };
        if letter.is_ascii_alphabetic() && !LETTERS.contains(letter) {
            if !LETTERS_OF_PCRE.contains(letter) {
                return self.malformed(2, "has no meaning", "remove the backslash");
            }
            self.only_pcre(2);
        } else if matches!(letter, '1'..='9') {
            self.only_pcre(2);
        }
        let end = if letter == 'Q' { rest.find("\\E").map_or(rest.len(), |end| end + 2) } else { 2 };
        self.pass(end, Some(1));
        // What is in braces is a number or a name, and no repetition.
        if "xpPgkoN".contains(letter) && self.rest().starts_with('{') {
            let end = self.rest().find('}').map_or(1, |end| end + 1);
            self.pass(end, Some(1));
        }
        Ok(())
    }

    /// A class such as `[^]a-z\]]`.
    fn class(&mut self) -> Result<(), Malformed<'t>> {
        let start = self.at;
        self.pass(1, None);
        self.pass(usize::from(self.rest().starts_with('^')), None);
        let mut is_first = true;
        while let [first, others @ ..] = self.rest().as_bytes() {
            match (first, others) {
                (b']', _) if !is_first => {
                    self.pass(1, Some(1));
                    return Ok(());
                }
                (b'\\', _) => self.escape()?,
                (b'[', [b':', ..]) => self.pass(self.rest().find(":]").map_or(1, |end| end + 2), None),
                (low, [b'-', high, ..]) if !matches!(high, b']' | b'[' | b'\\') => {
                    if high.is_ascii() && low.is_ascii() && high < low {
                        return self.malformed(3, "ends below its beginning", "write the smaller sign first");
                    }
                    self.pass(3, None);
                }
                _ => self.pass(1, None),
            }
            is_first = false;
        }
        self.at = start;
        self.malformed(1, "is not closed", ESCAPE)
    }

    /// The beginning of a group, or what stands where one could begin.
    fn open(&mut self) -> Result<(), Malformed<'t>> {
        let rest = self.rest();
        let mut length = 1;
        if rest.starts_with("(?#") {
            self.only_pcre(3);
            let Some(end) = rest.find(')') else { return self.malformed(3, "is not closed", ESCAPE) };
            self.pass(end + 1, self.before);
            return Ok(());
        }
        if let Some(verb) = rest.strip_prefix("(*") {
            if verb.starts_with(|c: char| c.is_ascii_alphabetic() || c == ':') {
                self.only_pcre(2);
                length = 2;
            }
        } else if let Some(kind) = rest.strip_prefix("(?") {
            let name = kind.strip_prefix('P').unwrap_or(kind).strip_prefix('<').unwrap_or_default();
            let is_named = name.starts_with(|c: char| c.is_alphanumeric() || c == '_') && name.contains('>');
            let flags = kind.bytes().take_while(|byte| b"imsUnxJa^-".contains(byte)).count();
            let behind = kind.as_bytes().get(flags);
            let around = ["=", "!", "<=", "<!", ">", "|", "P=", "P>", "R", "&", "'", "(", "+", "C"];
            if is_named {
                length = 2 + kind.find('>').unwrap_or_default() + 1;
            } else if let (b')' | b':', true) = (behind.unwrap_or(&b' '), flags > 0 || kind.starts_with(':'))
            {
                if kind.bytes().take(flags).any(|flag| b"nxJa^".contains(&flag)) {
                    self.only_pcre(3 + flags);
                }
                length = 3 + flags;
                if behind == Some(&b')') {
                    self.pass(length, None);
                    return Ok(());
                }
            } else if let Some(start) = around.into_iter().find(|start| kind.starts_with(start)) {
                self.only_pcre(2 + start.len());
                // A condition is a group of its own.
                length = if start == "(" { 2 } else { 2 + start.len() };
            } else if kind.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == ')') {
                self.only_pcre(3);
                length = 2;
            } else {
                return self.malformed(3, "begins no group", "write `(?:`, or `\\(` for the sign itself");
            }
        }
        self.groups.push((self.at, 1));
        self.pass(length, None);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Malformed<'t>> {
        let Some((_, times)) = self.groups.pop().filter(|_| !self.groups.is_empty()) else {
            return self.malformed(1, "closes nothing", ESCAPE);
        };
        self.repeats(times);
        self.pass(1, Some(times));
        Ok(())
    }

    /// Something in the innermost group is repeated so often.
    fn repeats(&mut self, times: u32) {
        if let Some((_, most)) = self.groups.last_mut() {
            *most = times.max(*most);
        }
    }

    /// A repetition of this length, and what may follow it.
    fn repeat(&mut self, length: usize, times: u32) -> Result<(), Malformed<'t>> {
        let Some(inside) = self.before else {
            return self.malformed(length, "repeats nothing", ESCAPE);
        };
        let together = inside.saturating_mul(times.max(1));
        if times > MOST_OF_PCRE || together > MOST_TOGETHER {
            let help = "write at most 1000, also by repetitions inside of each other";
            return self.malformed(length, "repeats more often than any program does", help);
        }
        if together > MOST {
            self.only_pcre(length);
        }
        self.repeats(together);
        self.pass(length - 1, None);
        if self.rest().as_bytes().get(1) == Some(&b'+') {
            self.only_pcre(2);
        }
        let is_more = matches!(self.rest().as_bytes().get(1), Some(b'?' | b'+'));
        self.pass(1 + usize::from(is_more), None);
        Ok(())
    }
}

/// The length, the lower and the upper bound of a repetition such as `{2,5}`, at the beginning of a text. Anything else in braces
/// is text.
fn bounds(text: &str) -> Option<(usize, u32, u32)> {
    let (inside, _) = text.strip_prefix('{')?.split_once('}')?;
    let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
    let number = |digits: &str| {
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().unwrap_or(u32::MAX))
    };
    let least = number(least)?;
    let most = if most.is_empty() { least } else { number(most)? };
    Some((inside.len() + 2, least, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_program_takes_is_found() {
        for (text, part) in [
            ("/(a", "("),
            ("/a)", ")"),
            ("/[a", "["),
            ("/[]", "["),
            ("/[^]", "["),
            ("/a(*)", "*"),
            ("/a(?:+b)", "+"),
            ("/a|*b", "*"),
            ("/({2})", "{2}"),
            ("/a**", "*"),
            ("/a{2}{3}", "{3}"),
            ("/a+?+", "+"),
            ("/(?i)*a", "*"),
            ("/x{5,2}", "{5,2}"),
            ("/a{70000}", "{70000}"),
            ("/a{99999999999}", "{99999999999}"),
            ("/((a{1,1000}){1,1000}){1,1000}", "{1,1000}"),
            ("/a\\", "\\"),
            ("/[a\\", "\\"),
            ("/[z-a]", "z-a"),
            ("/(?yx)", "(?y"),
            ("/(?<=a", "("),
            ("/a\\y", "\\y"),
            ("/ä(", "("),
        ] {
            assert_eq!(only_in_pcre(text).map_err(|it| it.part), Err(part), "{text}");
        }
    }

    #[test]
    fn what_only_pcre_has_is_found() {
        for (text, part) in [
            ("/(?!admin).*", "(?!"),
            ("/(?=a)", "(?="),
            ("/x(?<!y)", "(?<!"),
            ("/(?>a)", "(?>"),
            ("/a(?#c)*", "(?#"),
            ("/(?|a|b)", "(?|"),
            ("/(?x)a", "(?x)"),
            (r"/(a)\1", r"\1"),
            (r"/a\Z", r"\Z"),
            (r"/a\Kb", r"\K"),
            (r"/[\h]", r"\h"),
            ("/a++", "++"),
            ("/a{2}+", "}+"),
            ("/.*+", "*+"),
            ("/a{2000}", "{2000}"),
            ("/(a{100}b){11}", "{11}"),
            ("/(*ACCEPT)", "(*"),
        ] {
            assert_eq!(only_in_pcre(text), Ok(Some(part)), "{text}");
        }
    }

    #[test]
    fn what_all_have_is_no_finding() {
        for text in [
            "",
            "/shop(/|$)(.*)",
            "/*",
            "/a/*",
            "/(?:a|b)(/|$)(.*)",
            "/(?<rest>.*)",
            "/(?P<rest>.*)?",
            "/(?i)a(?s-i:b)c",
            r"/v\d+\.[\w.-]+",
            r"/a\+\+\(\[\\",
            "/[(?!*+]",
            "/[]a]{2}",
            r"/[\]]+",
            "/[^-a-z_-]",
            "/[[:alpha:]]+",
            "/a{1,1000}",
            "/(a{100}){10}",
            "/a{,3}*{x}{",
            "/(a|)?|",
            r"/\x{2000}{2}\p{L}*",
            r"/\Q(*\E*",
            "/a+?b*?c??d{2}?",
            "/^*",
            "/]}",
            "/ä{2}ö",
        ] {
            assert_eq!(only_in_pcre(text), Ok(None), "{text}");
        }
    }
}
