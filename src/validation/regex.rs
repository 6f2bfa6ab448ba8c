//! The grammar of regular expressions, as far as the programs have it in common: PCRE in nginx and HAProxy, RE2 in Go and Envoy.

mod items;

pub(super) use items::{Item, items};

/// The reason why a text is no valid regular expression of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed<'t> {
    /// The invalid part.
    pub(crate) part: &'t str,
    /// The message: a sentence whose subject is the part.
    pub(crate) message: &'static str,
    /// The help.
    pub(crate) help: &'static str,
}

/// The parts of a regular expression that only some programs accept: the first part of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds<'t> {
    /// A part that PCRE accepts and RE2 does not, such as a look-around or a backreference.
    pub(crate) of_pcre: Option<&'t str>,
    /// A part that RE2 accepts and PCRE does not.
    pub(crate) not_pcre: Option<Malformed<'t>>,
    /// A part that RE2 and the original PCRE accept and PCRE2 does not.
    pub(crate) not_pcre2: Option<Malformed<'t>>,
}

/// A token of a regular expression, as far as its meaning matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// The start of a capturing group.
    Capture,
    /// The start of another group.
    Open,
    Close,
    Bar,
    /// `.`
    Any,
    /// `*`
    Star,
    /// `$`
    End,
    Other,
}

/// The maximum repetition count of RE2, multiplied over nested repetitions.
const MOST: u32 = 1000;
/// The maximum repetition count of PCRE.
const MOST_OF_PCRE: u32 = 65_535;
/// The number of groups inside each other that PCRE accepts by default.
const MOST_GROUPS_OF_PCRE: usize = 250;
/// With nested repetitions above this product, an expression is too large for PCRE as well.
const MOST_TOGETHER: u32 = 1_000_000;

const ESCAPE: &str = "write `\\` in front of it if it is literal, or complete the expression";
const HYPHEN: &str = "write the `-` last, or `\\-`";
const BELOW: &str = "ends below its beginning";

/// The escape letters that both PCRE and RE2 accept, and those that only PCRE accepts.
const LETTERS: &str = "aAbBCdDEfnpPQrsStvwWxz";
const LETTERS_OF_PCRE: &str = "ceGghHKkNoRVXZ";
/// The escapes that stand for a set of characters, and those of them that do so in both.
const SETS: &str = "dDwWsSpPhHvVNR";
const SETS_OF_ALL: &str = "dDwWsSpP";
/// The escapes that match no character.
const ASSERTIONS: &str = "AbBzZGK";

/// The names of classes such as `[:alpha:]`.
const CLASSES: &[&str] = &[
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// Returns the parts of a regular expression that only some programs accept.
///
/// # Errors
///
/// The first part that no program accepts.
pub(crate) fn kinds(text: &str) -> Result<Kinds<'_>, Malformed<'_>> {
    let mut reader = Reader::new(text);
    while !reader.rest().is_empty() {
        reader.item()?;
    }
    match (reader.groups.as_slice(), reader.refers) {
        ([_, .., (open, _)], _) => {
            reader.at = *open;
            reader.malformed(1, "is not closed", ESCAPE)
        }
        (_, Some((at, group))) if group > reader.captures => {
            reader.at = at;
            reader.malformed(2, "refers to a group that is not there", "write the number of a group")
        }
        _ => Ok(reader.kinds),
    }
}

/// The tokens of a regular expression with their positions. They end before a part that no program accepts.
pub(crate) fn tokens(text: &str) -> Vec<(usize, Token)> {
    let (mut reader, mut found) = (Reader::new(text), Vec::new());
    while reader.at < text.len() {
        let at = reader.at;
        let token = reader.item().unwrap_or_else(|_| {
            reader.at = text.len();
            Token::Other
        });
        found.push((at, token));
    }
    found
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    kinds: Kinds<'t>,
    /// For each open group its position, and the maximum repetition count inside it. The first entry is the whole expression.
    groups: Vec<(usize, u32)>,
    /// The number of capturing groups.
    captures: u32,
    /// The position of the backreference with the greatest number, and the number.
    refers: Option<(usize, u32)>,
    /// The maximum repetition count inside the previous item; `None` if there is no item that can be repeated.
    before: Option<u32>,
    /// Whether the previous item matches no character, so that PCRE does not repeat it.
    asserts: bool,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            kinds: Kinds::default(),
            groups: vec![(0, 1)],
            captures: 0,
            refers: None,
            before: None,
            asserts: false,
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next bytes, extended to a character boundary.
    fn next(&self, length: usize) -> &'t str {
        let rest = self.rest();
        (length..=rest.len()).find_map(|end| rest.get(..end)).unwrap_or(rest)
    }

    fn advance(&mut self, length: usize, before: Option<u32>) {
        self.at += self.next(length).len();
        self.before = before;
        self.asserts = false;
    }

    fn only_pcre(&mut self, length: usize) {
        let part = self.next(length);
        self.kinds.of_pcre.get_or_insert(part);
    }

    fn malformed<T>(
        &self,
        length: usize,
        message: &'static str,
        help: &'static str,
    ) -> Result<T, Malformed<'t>> {
        Err(Malformed { part: self.next(length), message, help })
    }

    /// Parses the item at the current position, including a lazy or possessive quantifier.
    fn item(&mut self) -> Result<Token, Malformed<'t>> {
        let rest = self.rest();
        match rest.bytes().next().unwrap_or_default() {
            b'\\' => {
                self.backreference();
                let asserts = rest.chars().nth(1).is_some_and(|letter| ASSERTIONS.contains(letter));
                self.escape()?;
                self.asserts = asserts;
            }
            b'[' => self.class()?,
            b'(' => return self.open(),
            b')' => {
                self.close()?;
                return Ok(Token::Close);
            }
            b'|' => {
                self.advance(1, None);
                return Ok(Token::Bar);
            }
            b'*' => {
                self.repeat(1, 1)?;
                return Ok(Token::Star);
            }
            b'+' | b'?' => self.repeat(1, 1)?,
            b'{' => match bounds(rest) {
                Some((length, least, most)) if most < least => {
                    return self.malformed(length, BELOW, "write the smaller number first");
                }
                Some((length, _, most)) => self.repeat(length, most)?,
                None => self.advance(1, Some(1)),
            },
            first => {
                self.advance(1, Some(1));
                self.asserts = matches!(first, b'^' | b'$');
                return Ok(match first {
                    b'.' => Token::Any,
                    b'$' => Token::End,
                    _ => Token::Other,
                });
            }
        }
        Ok(Token::Other)
    }

    /// Parses the number of a backreference, unless it may be an octal escape.
    fn backreference(&mut self) {
        if let [b'\\', digit @ b'1'..=b'7', behind @ ..] = self.rest().as_bytes() {
            let group = u32::from(digit - b'0');
            let is_one = !behind.first().is_some_and(u8::is_ascii_digit);
            if is_one && self.refers.is_none_or(|(_, most)| most < group) {
                self.refers = Some((self.at, group));
            }
        }
    }

    /// Parses a backslash and the escape that follows it.
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
            // RE2 has octal escapes that begin with two of these digits.
            let is_octal = |digit: &u8| (b'0'..=b'7').contains(digit);
            if letter > '7' || !rest.as_bytes().get(2).is_some_and(is_octal) {
                self.only_pcre(2);
            }
        }
        let end = if letter == 'Q' { rest.find("\\E").map_or(rest.len(), |end| end + 2) } else { 2 };
        self.advance(end, Some(1));
        // The braces contain a number or a name, and not a repetition count.
        if "xpPgkoN".contains(letter) && self.rest().starts_with('{') {
            let end = self.rest().find('}').map_or(1, |end| end + 1);
            self.advance(end, Some(1));
        }
        Ok(())
    }

    /// Parses a class such as `[^]a-z\]]`.
    fn class(&mut self) -> Result<(), Malformed<'t>> {
        let start = self.at;
        if let Some(name) = class_name(self.rest()) {
            let (part, help) = (self.next(name.len() + 4), "write it in brackets: [[:alpha:]]");
            self.kinds.not_pcre.get_or_insert(Malformed { part, message: "is not in brackets", help });
        }
        self.advance(1, None);
        self.advance(usize::from(self.rest().starts_with('^')), None);
        let mut is_first = true;
        while !self.rest().is_empty() {
            if self.rest().starts_with(']') && !is_first {
                self.advance(1, Some(1));
                return Ok(());
            }
            is_first = false;
            self.range()?;
        }
        self.at = start;
        self.malformed(1, "is not closed", ESCAPE)
    }

    /// Parses a part of a class: a character, a range such as `a-z`, or a set such as `\w` or `[:alpha:]`.
    fn range(&mut self) -> Result<(), Malformed<'t>> {
        let (start, rest) = (self.at, self.rest());
        let letter = |rest: &str| rest.strip_prefix('\\').and_then(|rest| rest.chars().next());
        let is_of = |rest: &str, all: &str| letter(rest).is_some_and(|letter| all.contains(letter));
        let is_set = is_of(rest, SETS) || class_name(rest).is_some();
        match class_name(rest) {
            Some(name) if !CLASSES.contains(&name.trim_start_matches('^')) => {
                return self.malformed(name.len() + 4, "is not a class of characters", "correct the name");
            }
            Some(name) => self.advance(name.len() + 4, None),
            None if rest.starts_with('\\') => self.escape()?,
            None => self.advance(1, None),
        }
        let high = match self.rest().strip_prefix('-') {
            Some(high) if !high.is_empty() && !high.starts_with(']') => high,
            _ => return Ok(()),
        };
        let end =
            high.chars().take(if high.starts_with('\\') { 2 } else { 1 }).map(char::len_utf8).sum::<usize>();
        let part = self.text.get(start..self.at + 1 + end).unwrap_or_default();
        let wrong = |said, help| Malformed { part, message: said, help };
        // `\Q` and `\E` are no characters, so a range cannot start or end with them.
        if is_of(rest, "QE") || is_of(high, "QE") {
            return Ok(());
        }
        if is_set {
            self.kinds.not_pcre2.get_or_insert(wrong("is not a range", HYPHEN));
            return Ok(());
        }
        if is_of(high, SETS_OF_ALL) {
            return Err(wrong("is not a range", HYPHEN));
        }
        if class_name(high).is_some() || is_of(high, SETS) {
            self.kinds.not_pcre.get_or_insert(wrong("is not a range", HYPHEN));
            return Ok(());
        }
        if high.starts_with('\\') {
            self.advance(1, None);
            return self.escape();
        }
        let ends = [rest, high].map(|text| text.bytes().next().unwrap_or_default());
        if ends[1] < ends[0] && ends.is_ascii() && !rest.starts_with('\\') {
            return Err(wrong(BELOW, "write the smaller character first"));
        }
        self.advance(1, None);
        self.advance(1, None);
        Ok(())
    }

    /// Parses the start of a group, or a sequence that only begins like one.
    fn open(&mut self) -> Result<Token, Malformed<'t>> {
        let rest = self.rest();
        let mut length = 1;
        let mut token = Token::Capture;
        if rest.starts_with("(?#") {
            self.only_pcre(3);
            let Some(end) = rest.find(')') else { return self.malformed(3, "is not closed", ESCAPE) };
            // A comment also separates a quantifier from the sign that makes it lazy or possessive.
            let is_kind = matches!(rest.as_bytes().get(end + 1), Some(b'?' | b'+'));
            let (before, asserts) = (self.before.or_else(|| is_kind.then_some(1)), self.asserts);
            self.advance(end + 1, before);
            self.asserts = asserts;
            return Ok(Token::Other);
        }
        if let Some(verb) = rest.strip_prefix("(*") {
            if verb.starts_with(|c: char| c.is_ascii_alphabetic() || c == ':') {
                self.only_pcre(2);
                length = 2;
                token = Token::Open;
            }
        } else if let Some(kind) = rest.strip_prefix("(?") {
            let name = kind.strip_prefix('P').unwrap_or(kind).strip_prefix('<').unwrap_or_default();
            let is_named = name.starts_with(|c: char| c.is_alphanumeric() || c == '_') && name.contains('>');
            let flags = kind.bytes().take_while(|byte| b"imsUnxJa^-".contains(byte)).count();
            let behind = kind.as_bytes().get(flags);
            let around = ["=", "!", "<=", "<!", ">", "|", "P=", "P>", "R", "&", "'", "(", "+", "C"];
            if is_named {
                length = 2 + kind.find('>').unwrap_or_default() + 1;
                if name.starts_with(|c: char| c.is_ascii_digit()) {
                    let (part, said) = (self.next(length), "begins with a digit");
                    let help = "begin the name with a letter";
                    self.kinds.not_pcre.get_or_insert(Malformed { part, message: said, help });
                }
            } else if let (b')' | b':', true) = (behind.unwrap_or(&b' '), flags > 0 || kind.starts_with(':'))
            {
                if kind.bytes().take(flags).any(|flag| b"nxJa^".contains(&flag)) {
                    self.only_pcre(3 + flags);
                }
                length = 3 + flags;
                token = Token::Open;
                if behind == Some(&b')') {
                    self.advance(length, Some(1));
                    self.asserts = true;
                    return Ok(Token::Other);
                }
            } else if let Some(start) = around.into_iter().find(|start| kind.starts_with(start)) {
                self.only_pcre(2 + start.len());
                // The condition of a conditional group is a group itself.
                length = if start == "(" { 2 } else { 2 + start.len() };
                token = if start == "'" { Token::Capture } else { Token::Open };
            } else if kind.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == ')') {
                self.only_pcre(3);
                length = 2;
                token = Token::Open;
            } else {
                return self.malformed(
                    3,
                    "does not begin a group",
                    "write `(?:`, or `\\(` for the character itself",
                );
            }
        }
        self.captures += u32::from(token == Token::Capture);
        self.groups.push((self.at, 1));
        if self.groups.len() > MOST_GROUPS_OF_PCRE + 1 {
            let part = self.next(1);
            let (message, help) = ("is inside of too many groups", "nest at most 250 groups");
            self.kinds.not_pcre.get_or_insert(Malformed { part, message, help });
        }
        self.advance(length, None);
        Ok(token)
    }

    fn close(&mut self) -> Result<(), Malformed<'t>> {
        let Some((_, times)) = self.groups.pop().filter(|_| !self.groups.is_empty()) else {
            return self.malformed(1, "closes nothing", ESCAPE);
        };
        self.record_repetition(times);
        self.advance(1, Some(times));
        Ok(())
    }

    /// Records that an item in the innermost group is repeated this number of times.
    fn record_repetition(&mut self, times: u32) {
        if let Some((_, most)) = self.groups.last_mut() {
            *most = times.max(*most);
        }
    }

    /// Parses a quantifier of this length, and the sign that may follow it.
    fn repeat(&mut self, length: usize, times: u32) -> Result<(), Malformed<'t>> {
        const NOTHING: &str = "repeats nothing";
        let Some(inside) = self.before else {
            return self.malformed(length, NOTHING, ESCAPE);
        };
        if self.asserts {
            let part = self.next(length);
            self.kinds.not_pcre.get_or_insert(Malformed { part, message: NOTHING, help: ESCAPE });
        }
        let together = inside.saturating_mul(times.max(1));
        if times > MOST_OF_PCRE || together > MOST_TOGETHER {
            let help = "write at most 1000, also by repetitions inside of each other";
            return self.malformed(length, "repeats more often than any program allows", help);
        }
        if together > MOST {
            self.only_pcre(length);
        }
        self.record_repetition(together);
        self.advance(length - 1, None);
        if self.rest().as_bytes().get(1) == Some(&b'+') {
            self.only_pcre(2);
        }
        let is_more = matches!(self.rest().as_bytes().get(1), Some(b'?' | b'+'));
        self.advance(1 + usize::from(is_more), None);
        Ok(())
    }
}

/// The name of a class such as `[:alpha:]` at the start of a text. Without its end, the text is literal.
fn class_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix("[:")?;
    let length = name.bytes().take_while(|byte| byte.is_ascii_alphabetic() || *byte == b'^').count();
    name.get(length..)?.starts_with(":]").then(|| name.get(..length))?
}

/// The length, the lower bound and the upper bound of a quantifier such as `{2,5}` at the start of a text. Any other text in braces
/// is literal.
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
mod tests;
