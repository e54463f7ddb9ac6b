//! The traps of docs/traps.md: each has a test that is named after it.

use std::collections::BTreeSet;

use super::Source;

/// Their number.
const TRAPS: u32 = 20;
/// Crates whose tests are meant: those that answer HTTP. The traps of jobs are counted apart.
const CRATES: [&str; 3] = ["crates/http/", "crates/data/", "crates/paceline/"];

/// Each trap without a test.
pub(super) fn missing(sources: &[Source]) -> Vec<String> {
    let pinned: BTreeSet<u32> = sources
        .iter()
        .filter(|source| source.has_extension("rs"))
        .filter(|source| CRATES.iter().any(|start| source.path.starts_with(start)))
        .flat_map(|source| source.text.lines())
        .filter_map(number)
        .collect();
    (1..=TRAPS)
        .filter(|number| !pinned.contains(number))
        .map(|number| format!("docs/traps.md: no test begins with trap_{number:02}_"))
        .collect()
}

/// The trap of a line such as `fn trap_05_...`; two digits, so that names sort.
fn number(line: &str) -> Option<u32> {
    let (_, name) = line.split_once("fn trap_")?;
    let (digits, _) = name.split_once('_')?;
    (digits.len() == 2).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trap_counts_once_a_test_of_the_right_crate_has_its_two_digits() {
        let source = |path: &str, numbers: std::ops::RangeInclusive<u32>| Source {
            path: path.into(),
            text: numbers.fold(String::new(), |text, n| {
                format!("{text}    async fn trap_{n:02}_x() {{\n")
            }),
        };
        let mut sources = vec![
            source("crates/http/tests/it/a.rs", 1..=12),
            source("crates/jobs/tests/it/a.rs", 13..=14),
            source("crates/data/src/a.md", 13..=14),
            source("crates/paceline/tests/it/a.rs", 15..=20),
        ];
        assert_eq!(missing(&sources).len(), 2);
        sources.push(source("crates/data/src/a.rs", 13..=14));
        assert_eq!(missing(&sources), Vec::<String>::new());
        assert_eq!(number("fn trap_5_x() {"), None);
    }
}
