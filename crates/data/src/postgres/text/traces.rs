//! What statements leave behind in a session.

/// The statement that cleans a session: settings, roles, temporary tables, cursors, prepared statements, locks,
/// `LISTEN`, the last values of sequences.
pub(super) const CLEAN: &str = "DISCARD ALL";

/// Statements whose session may be cleaned and lent again, by the first word of what the server says when they are
/// done. Everything else costs the connection: a library that was loaded, say, stays.
const CLEANABLE: [&str; 8] = [
    "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "BEGIN", "COMMIT", "ROLLBACK",
];

/// Whether a session in which this was done is as good as new once it was cleaned.
pub(super) fn can_be_cleaned(tag: &str) -> bool {
    let word = tag.split(' ').next().unwrap_or_default();
    CLEANABLE.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reading_and_writing_rows_leaves_nothing_lasting() {
        for (tag, expected) in [
            ("SELECT 3", true),
            ("INSERT 0 1", true),
            ("MERGE 2", true),
            ("COMMIT", true),
            ("SET", false),
            ("LOAD", false),
            ("DO", false),
            ("CALL", false),
            ("LISTEN", false),
            ("DECLARE CURSOR", false),
            ("CREATE TABLE", false),
            ("", false),
        ] {
            assert_eq!(can_be_cleaned(tag), expected, "{tag}");
        }
    }
}
