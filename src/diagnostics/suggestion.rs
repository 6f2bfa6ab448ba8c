//! Suggestions for misspelt words ("did you mean").

/// Longer words are not misspellings of known words, and the edit distance takes time proportional to the product of the lengths.
const MAX_WORD: usize = 64;

/// Returns the entry of `known` that `word` probably stands for.
///
/// Letter case is ignored. The Damerau-Levenshtein distance may be at most a third of the length of the longer word in bytes. The
/// nearest entry is returned, or the first of several nearest ones. A word of more than 64 bytes has no suggestion.
///
/// ```
/// assert_eq!(xposer::internal::did_you_mean("IngresUrlTemplate", ["Domain", "IngressURLTemplate"]), Some("IngressURLTemplate"));
/// assert_eq!(xposer::internal::did_you_mean("Colour", ["Domain", "TLS"]), None);
/// ```
#[must_use]
pub fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    nearest(word, &mut known.into_iter())
}

/// Not generic over the iterator, because each instance would make the policy's module larger.
fn nearest<'k>(word: &str, known: &mut dyn Iterator<Item = &'k str>) -> Option<&'k str> {
    let meant = Misspelt::new(word)?;
    known
        .filter_map(|known| Some((meant.distance(known, usize::MAX)?, known)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// A possibly misspelt word. Letter case is ignored.
pub(crate) struct Misspelt {
    lower: String,
    count: usize,
    letters: u64,
}

impl Misspelt {
    /// Returns `None` for a word of more than 64 bytes, which is not a misspelling.
    pub(crate) fn new(word: &str) -> Option<Self> {
        (word.len() <= MAX_WORD).then(|| Self {
            lower: word.to_ascii_lowercase(),
            count: word.chars().count(),
            letters: letters(word),
        })
    }

    /// The Damerau-Levenshtein distance from a known word, if it is at most a third of the longer word's bytes and at most `max`.
    pub(crate) fn distance(&self, known: &str, max: usize) -> Option<usize> {
        let max = max.min(known.len().max(self.lower.len()) / 3);
        // The distance costs a hundred times as much as reading the words, so cheap lower bounds are checked first: each edit adds
        // or removes at most one letter.
        if known.chars().count().abs_diff(self.count) > max {
            return None;
        }
        let letters = letters(known);
        let missing = [self.letters & !letters, letters & !self.letters];
        if missing.into_iter().any(|letters| letters.count_ones() as usize > max) {
            return None;
        }
        Some(strsim::osa_distance(&self.lower, &known.to_ascii_lowercase()))
            .filter(|distance| *distance <= max)
    }
}

/// The letters of a word as a bit set. Several letters may share a bit.
fn letters(word: &str) -> u64 {
    word.chars()
        .fold(0, |letters, letter| letters | 1 << (u32::from(letter.to_ascii_lowercase()) % u64::BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_near_words_are_suggested() {
        let words = [
            "auth-url",
            "auth-urls",
            "uath-url",
            "AUTH_URL",
            "auth-uri",
            "",
            "a",
            "proxy-body-size",
            "größe",
            "grösse",
            "0",
            "p",
        ];
        for word in words {
            for known in words {
                let [lower, other] = [word, known].map(str::to_ascii_lowercase);
                let distance = strsim::osa_distance(&lower, &other);
                for max in 0..20 {
                    let is_near = distance <= max && distance * 3 <= word.len().max(known.len());
                    let found = Misspelt::new(word).and_then(|it| it.distance(known, max));
                    assert_eq!(found, Some(distance).filter(|_| is_near), "{word} {known} {max}");
                }
            }
        }
    }
}
