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
    if word.len() > MAX_WORD {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    known
        .map(|candidate| (strsim::osa_distance(&lower, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance * 3 <= candidate.len().max(word.len()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
