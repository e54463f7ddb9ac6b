//! What is wrong in a configuration, and how it is shown.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// One mistake, tied to the place where it was made.
///
/// `Display` prints the sentence alone; [`Mistakes`] prints it with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    span: Range<usize>,
    message: String,
    expected: Option<String>,
    suggestion: Option<String>,
    conceal: bool,
    absence: bool,
}

impl Mistake {
    /// A mistake at the bytes `span` of the file.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            expected: None,
            suggestion: None,
            conceal: false,
            absence: false,
        }
    }

    /// Adds what would have been right.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn suggestion(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// Shows `[redacted]` where the marked bytes stand in the file.
    #[must_use]
    pub(super) fn concealed(mut self, conceal: bool) -> Self {
        self.conceal = conceal;
        self
    }

    /// Marks that something is not there.
    #[must_use]
    pub(super) fn absence(mut self) -> Self {
        self.absence = true;
        self
    }

    pub(super) fn is_absence(&self) -> bool {
        self.absence
    }

    /// The bytes of the file that are wrong.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Every mistake of one configuration, in the order of the file; never empty.
///
/// `Display` prints each with `file:line:column`, the line, a caret under the place, what was
/// expected and what to write instead. It prints no expanded variable and no password of a URL.
#[derive(Debug, Clone)]
pub struct Mistakes {
    name: String,
    text: Arc<str>,
    found: Vec<Mistake>,
}

impl Mistakes {
    /// Collects `found`, or is `None` when there is nothing to report.
    pub(super) fn collect(name: &str, text: &Arc<str>, mut found: Vec<Mistake>) -> Option<Self> {
        if found.is_empty() {
            return None;
        }
        found.sort_by_key(|mistake| mistake.span.start);
        found.dedup();
        Some(Self {
            name: name.to_owned(),
            text: Arc::clone(text),
            found,
        })
    }

    /// The mistakes in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.found.iter()
    }

    /// How many there are; at least one.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.found.len()
    }

    fn write_one(&self, f: &mut fmt::Formatter<'_>, mistake: &Mistake) -> fmt::Result {
        let place = Place::find(&self.text, &mistake.span);
        writeln!(
            f,
            "{}:{}:{}: {}",
            self.name, place.line, place.column, mistake.message
        )?;
        let number = place.line.to_string();
        let margin = " ".repeat(number.len());
        let excerpt = place.excerpt(&self.text, mistake.conceal);
        if !excerpt.trim().is_empty() {
            writeln!(f, "{margin} |")?;
            writeln!(f, "{number} | {}", excerpt.replace('\t', " "))?;
            let carets = if mistake.conceal { 1 } else { place.width };
            writeln!(
                f,
                "{margin} | {}{}",
                " ".repeat(place.column - 1),
                "^".repeat(carets)
            )?;
        }
        if let Some(expected) = &mistake.expected {
            writeln!(f, "{margin} = expected {expected}")?;
        }
        if let Some(suggestion) = &mistake.suggestion {
            writeln!(f, "{margin} = help: {suggestion}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mistake in &self.found {
            self.write_one(f, mistake)?;
            writeln!(f)?;
        }
        match self.found.len() {
            1 => write!(f, "1 mistake in {}", self.name),
            count => write!(f, "{count} mistakes in {}", self.name),
        }
    }
}

impl std::error::Error for Mistakes {}

/// Where a span starts, for people: lines and columns count from 1, columns in characters.
struct Place {
    line: usize,
    column: usize,
    width: usize,
    bytes: Range<usize>,
    marked: Range<usize>,
}

impl Place {
    fn find(text: &str, span: &Range<usize>) -> Self {
        let start = text.floor_char_boundary(span.start);
        let end = text.ceil_char_boundary(span.end.max(start));
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let marked = start..end.min(line_end).max(start);
        Self {
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            width: text[marked.clone()].trim_end().chars().count().max(1),
            bytes: line_start..line_end,
            marked,
        }
    }

    fn excerpt(&self, text: &str, conceal: bool) -> String {
        if conceal {
            return format!("{}[redacted]", &text[self.bytes.start..self.marked.start]);
        }
        mask_password(text[self.bytes.clone()].trim_end())
    }
}

/// Replaces the password of a `scheme://user:password@host` by stars of the same width.
fn mask_password(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        shown.push_str(head);
        let authority = tail.find(['/', ' ', '"', '\'']).unwrap_or(tail.len());
        let password = tail[..authority].rfind('@').and_then(|host| {
            let colon = tail[..host].find(':')?;
            Some(colon + 1..host)
        });
        let Some(password) = password else {
            rest = tail;
            continue;
        };
        shown.push_str(&tail[..password.start]);
        shown.push_str(&"*".repeat(tail[password.clone()].chars().count()));
        rest = &tail[password.end..];
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, marked: &str, expected: &str) {
        let at = text.find(marked).expect("the marked words are in the text");
        let mistake = Mistake::new(at..at + marked.len(), "wrong").expected("right");
        let text: Arc<str> = text.into();
        let mistakes = Mistakes::collect("f.toml", &text, vec![mistake]).expect("one mistake");
        assert_eq!(mistakes.to_string(), expected);
    }

    #[test]
    fn a_mistake_shows_its_line_and_a_caret_under_the_place() {
        check(
            "a = 1\nb = two # why\n",
            "two",
            "f.toml:2:5: wrong\n  |\n2 | b = two # why\n  |     ^^^\n  = expected right\n\n1 mistake in f.toml",
        );
    }

    #[test]
    fn columns_count_characters() {
        check(
            "é = \"ñandú\"",
            "\"ñandú\"",
            "f.toml:1:5: wrong\n  |\n1 | é = \"ñandú\"\n  |     ^^^^^^^\n  = expected right\n\n1 mistake in f.toml",
        );
    }

    #[test]
    fn a_span_at_the_end_of_the_file_is_shown() {
        let text: Arc<str> = "a = 1\n".into();
        let mistakes = Mistakes::collect("f", &text, vec![Mistake::new(6..9, "short")]).unwrap();
        assert_eq!(mistakes.to_string(), "f:2:1: short\n\n1 mistake in f");
    }

    #[test]
    fn passwords_of_urls_are_masked() {
        assert_eq!(
            mask_password("x = \"smtp://u:abc@h:25\""),
            "x = \"smtp://u:***@h:25\""
        );
        assert_eq!(
            mask_password("smtp://u:a@b@h smtp://h:25"),
            "smtp://u:***@h smtp://h:25"
        );
        assert_eq!(mask_password("smtp://h:25/x"), "smtp://h:25/x");
    }
}
