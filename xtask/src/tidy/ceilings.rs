//! How long files and functions may be, and the exceptions.

use std::path::Path;

use serde::Deserialize;

/// Lines of production code a file may have.
pub(super) const FILE: usize = 600;

/// Lines a function may have, its signature and closing brace included.
pub(super) const FUNCTION: usize = 70;

/// The exceptions, and which of them were needed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ceilings {
    #[serde(default)]
    exception: Vec<Exception>,
}

/// One file or function that is over the ceiling.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    /// `path` of a file, or `path#function`.
    place: String,
    /// What it may have now.
    lines: usize,
    /// Why it is better whole.
    #[allow(
        dead_code,
        reason = "the field must be written, for whoever reads the file"
    )]
    reason: String,
    #[serde(skip)]
    used: bool,
}

impl Ceilings {
    /// Reads `xtask/ceilings.toml`; without the file there are no exceptions.
    pub(super) fn read(root: &Path) -> Result<Self, String> {
        match std::fs::read_to_string(root.join("xtask/ceilings.toml")) {
            Ok(text) => Self::parse(&text),
            Err(_) => Ok(Self::default()),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| format!("xtask/ceilings.toml: {error}"))
    }

    /// Whether `lines` at `place` is more than `ceiling` and than its exception.
    pub(super) fn exceeded(&mut self, place: &str, lines: usize, ceiling: usize) -> bool {
        if lines <= ceiling {
            return false;
        }
        match self
            .exception
            .iter_mut()
            .find(|exception| exception.place == place)
        {
            Some(exception) => {
                exception.used = exception.lines == lines;
                lines > exception.lines
            }
            None => true,
        }
    }

    /// Exceptions that are not needed any more, or allow more than is there.
    pub(super) fn stale(&self) -> Vec<String> {
        let stale = self.exception.iter().filter(|exception| !exception.used);
        stale
            .map(|e| {
                format!(
                    "xtask/ceilings.toml: {} no longer has {} lines: lower or remove it",
                    e.place, e.lines
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_may_only_shrink() {
        let text = "[[exception]]\nplace = 'a.rs'\nlines = 700\nreason = 'a table'";
        for (lines, exceeded, stale) in [
            (500, false, 1),
            (650, false, 1),
            (700, false, 0),
            (701, true, 1),
        ] {
            let mut ceilings = Ceilings::parse(text).expect("valid");
            assert_eq!(ceilings.exceeded("a.rs", lines, FILE), exceeded, "{lines}");
            assert_eq!(ceilings.stale().len(), stale, "{lines}");
        }
        assert!(Ceilings::default().exceeded("b.rs", 601, FILE));
    }
}
