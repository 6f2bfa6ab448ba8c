//! Did you mean.

/// Longer words are no misspelling of a word that is known, and the time for the distance is the product of the lengths.
const MAX_WORD: usize = 64;

/// The entry of `known` that `word` was probably meant to be.
///
/// Letter case is ignored. The distance (Damerau and Levenshtein) may be at most a third of the longer word's bytes. The
/// nearest entry counts, and of equally near entries the first. For a word of more than 64 bytes there is none.
///
/// ```
/// assert_eq!(xposer::internal::did_you_mean("IngresUrlTemplate", ["Domain", "IngressURLTemplate"]), Some("IngressURLTemplate"));
/// assert_eq!(xposer::internal::did_you_mean("Colour", ["Domain", "TLS"]), None);
/// ```
#[must_use]
pub fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    nearest(word, &mut known.into_iter())
}

/// Not generic over the iterator, because each copy of it would make the policy's module larger.
fn nearest<'k>(word: &str, known: &mut dyn Iterator<Item = &'k str>) -> Option<&'k str> {
    let meant = Misspelt::new(word)?;
    known
        .filter_map(|known| Some((meant.distance(known, usize::MAX)?, known)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// A word that may be meant to be another one. Letter case is ignored.
pub(crate) struct Misspelt {
    lower: String,
    count: usize,
    letters: u64,
}

impl Misspelt {
    /// `None` for a word of more than 64 bytes, which is meant to be no other one.
    pub(crate) fn new(word: &str) -> Option<Self> {
        (word.len() <= MAX_WORD).then(|| Self {
            lower: word.to_ascii_lowercase(),
            count: word.chars().count(),
            letters: letters(word),
        })
    }

    /// The distance of a known word (Damerau and Levenshtein), if it is at most a third of the longer word's bytes, and at most `max`.
    pub(crate) fn distance(&self, known: &str, max: usize) -> Option<usize> {
        let max = max.min(known.len().max(self.lower.len()) / 3);
        // To compare two words costs as much as to read them a hundred times. Each edit adds one letter at most, and takes one away.
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

/// Which letters a word has, as bits. Several letters may have the same bit.
fn letters(word: &str) -> u64 {
    word.chars()
        .fold(0, |letters, letter| letters | 1 << (u32::from(letter.to_ascii_lowercase()) % u64::BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_left_out_that_is_near() {
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
