//! `"*" / #entity-tag` over several header lines, with bounded work.

use std::fmt;

use super::entity_tag::EntityTagRef;

/// Most tags one field may list; a longer list counts as malformed.
pub const MAX_LIST_TAGS: usize = 256;

/// Most bytes one field may have over all its lines; a longer one counts as malformed.
pub const MAX_LIST_BYTES: usize = 16 * 1024;

/// A field that lists entity tags, read from all of its header lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntityTagList<'h> {
    /// `*` alone: any current representation.
    Any,
    /// The listed tags in order; may be empty, and then matches nothing.
    Tags(Vec<EntityTagRef<'h>>),
}

/// The field is not a list of entity tags, or is longer than [`MAX_LIST_TAGS`] or [`MAX_LIST_BYTES`] allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedEntityTags;

impl<'h> EntityTagList<'h> {
    /// Reads the lines of one field; `None` when there are none. Commas inside a tag belong to the tag, empty
    /// elements are skipped, `*` beside anything else is malformed.
    pub fn parse(
        lines: impl IntoIterator<Item = &'h [u8]>,
    ) -> Result<Option<Self>, MalformedEntityTags> {
        let mut lines = lines.into_iter();
        let Some(first) = lines.next() else {
            return Ok(None);
        };
        let mut tags = Vec::new();
        let mut any = false;
        let mut budget = MAX_LIST_BYTES;
        for line in std::iter::once(first).chain(lines) {
            budget = budget.checked_sub(line.len()).ok_or(MalformedEntityTags)?;
            parse_line(line, &mut tags, &mut any)?;
        }
        match (any, tags.is_empty()) {
            (true, true) => Ok(Some(Self::Any)),
            (true, false) => Err(MalformedEntityTags),
            (false, _) => Ok(Some(Self::Tags(tags))),
        }
    }
}

fn parse_line<'h>(
    line: &'h [u8],
    tags: &mut Vec<EntityTagRef<'h>>,
    any: &mut bool,
) -> Result<(), MalformedEntityTags> {
    let mut rest = skip_blanks(line);
    while let Some(&byte) = rest.first() {
        if byte == b',' {
            rest = skip_blanks(&rest[1..]);
            continue;
        }
        if byte == b'*' {
            if std::mem::replace(any, true) {
                return Err(MalformedEntityTags);
            }
            rest = &rest[1..];
        } else {
            let (tag, after) = EntityTagRef::parse_prefix(rest).map_err(|_| MalformedEntityTags)?;
            if tags.len() == MAX_LIST_TAGS {
                return Err(MalformedEntityTags);
            }
            tags.push(tag);
            rest = after;
        }
        rest = skip_blanks(rest);
        if !matches!(rest.first(), None | Some(b',')) {
            return Err(MalformedEntityTags);
        }
    }
    Ok(())
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let start = text
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t'))
        .unwrap_or(text.len());
    &text[start..]
}

impl fmt::Display for MalformedEntityTags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a list of quoted entity tags, nor a lone *, or too long")
    }
}

impl std::error::Error for MalformedEntityTags {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(lines: &[&[u8]], expected: Result<Option<&str>, MalformedEntityTags>) {
        let shown =
            EntityTagList::parse(lines.iter().copied()).map(|list| list.map(|list| show(&list)));
        assert_eq!(
            shown,
            expected.map(|list| list.map(str::to_owned)),
            "{lines:?}"
        );
    }

    fn show(list: &EntityTagList<'_>) -> String {
        match list {
            EntityTagList::Any => "*".to_owned(),
            EntityTagList::Tags(tags) => tags
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" "),
        }
    }

    #[test]
    fn lists_over_lines_with_commas_in_tags_and_empty_elements() {
        check(&[], Ok(None));
        check(&[b""], Ok(Some("")));
        check(&[b"\"a\""], Ok(Some("\"a\"")));
        check(
            &[b"\"a\", W/\"b\"", b" , \"c,d\" ,,"],
            Ok(Some("\"a\" W/\"b\" \"c,d\"")),
        );
        check(&[b"*"], Ok(Some("*")));
        check(&[b" , * ,"], Ok(Some("*")));
        check(&[b"*", b"*"], Err(MalformedEntityTags));
        check(&[b"*, \"a\""], Err(MalformedEntityTags));
        check(&[b"\"a\"", b"*"], Err(MalformedEntityTags));
        check(&[b"\"a\" \"b\""], Err(MalformedEntityTags));
        check(&[b"\"a\"", b"b"], Err(MalformedEntityTags));
        check(&[b"w/\"a\""], Err(MalformedEntityTags));
        check(&[b"\"a\"\"b\""], Err(MalformedEntityTags));
    }

    #[test]
    fn ten_thousand_tags_are_malformed_after_bounded_work() {
        let many = "\"a\",".repeat(10_000);
        check(&[many.as_bytes()], Err(MalformedEntityTags));
        let fits = "\"a\",".repeat(MAX_LIST_TAGS);
        assert!(EntityTagList::parse([fits.as_bytes()]).is_ok());
        let lines = vec![&b"\"a\""[..]; MAX_LIST_TAGS + 1];
        check(&lines, Err(MalformedEntityTags));
        let long = format!("\"{}\"", "a".repeat(MAX_LIST_BYTES));
        check(&[long.as_bytes()], Err(MalformedEntityTags));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic_and_within_bounds(lines in proptest::collection::vec(any::<Vec<u8>>(), 0..4)) {
            if let Ok(Some(EntityTagList::Tags(tags))) = EntityTagList::parse(lines.iter().map(Vec::as_slice)) {
                prop_assert!(tags.len() <= MAX_LIST_TAGS);
            }
        }

        #[test]
        fn what_is_written_is_read_back(tags in proptest::collection::vec((any::<bool>(), "[!#-~]{0,12}"), 0..20)) {
            let text: Vec<String> =
                tags.iter().map(|(weak, opaque)| format!("{}\"{opaque}\"", if *weak { "W/" } else { "" })).collect();
            let line = text.join(" , ");
            let Ok(Some(EntityTagList::Tags(read))) = EntityTagList::parse([line.as_bytes()]) else {
                return Err(TestCaseError::fail("a legal list was refused"));
            };
            let read: Vec<(bool, Vec<u8>)> = read.iter().map(|tag| (tag.is_weak(), tag.opaque().to_vec())).collect();
            let expected: Vec<(bool, Vec<u8>)> = tags.into_iter().map(|(weak, opaque)| (weak, opaque.into_bytes())).collect();
            prop_assert_eq!(read, expected);
        }
    }
}
