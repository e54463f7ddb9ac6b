//! The name that was probably meant.

/// The name among `known` that is most like `name`, if one is near enough to be meant.
pub(super) fn nearest<'name>(
    name: &str,
    known: impl IntoIterator<Item = &'name str>,
) -> Option<&'name str> {
    // A long name is cut: the work stays small whatever a request sends.
    let name: String = name.chars().take(64).flat_map(char::to_lowercase).collect();
    let scored = known.into_iter().map(|candidate| {
        let lower = candidate.to_lowercase();
        (strsim::jaro_winkler(&name, &lower), candidate)
    });
    scored
        .filter(|(score, _)| *score >= 0.75)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate)
}
