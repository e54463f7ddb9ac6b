//! What a statement gave: its columns, and its rows as the server wrote them.

use std::io;

use postgres_protocol::message::backend::{DataRowBody, RowDescriptionBody};
use tokio_postgres::fallible_iterator::FallibleIterator as _;

/// What the server says of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in the result.
    pub name: String,
    /// The type's object id. A domain's is that of the type beneath.
    pub type_oid: u32,
    /// The table it comes from, 0 for none.
    pub table_oid: u32,
    /// Its number in that table, 0 for none.
    pub column: i16,
    /// The type's size in bytes, negative where it varies.
    pub type_size: i16,
    /// What was said of the type, such as a length; -1 for nothing.
    pub type_modifier: i32,
    /// What it is an array of, where it is one.
    pub array_of: Option<ArrayOf>,
}

/// The elements of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrayOf {
    /// Their type's object id.
    pub type_oid: u32,
    /// What stands between them in an array's text: a comma, and for boxes a semicolon.
    pub delimiter: char,
}

/// The result of one statement.
#[derive(Debug, Default)]
pub struct TextResult {
    pub(super) fields: Vec<Field>,
    /// The rows one after the other: of each the values, each after its length, -1 for `NULL`.
    data: Vec<u8>,
    rows: usize,
    pub(super) tag: String,
}

impl TextResult {
    /// The columns.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The rows.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = TextRow<'_>> {
        let mut rest = self.data.as_slice();
        let columns = self.fields.len();
        (0..self.rows).map(move |_| {
            let row = TextRow {
                data: rest,
                columns,
            };
            for value in row.values() {
                rest = &rest[4 + value.map_or(0, <[u8]>::len)..];
            }
            row
        })
    }

    /// What the server said when it was done, such as `INSERT 0 1`. Empty for an empty statement.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The command: the words of the tag without its numbers.
    pub fn command(&self) -> &str {
        let end = self.tag.find(|c: char| c.is_ascii_digit());
        self.tag[..end.unwrap_or(self.tag.len())].trim_end()
    }

    /// How many rows it gave or changed, where the server says it.
    pub fn row_count(&self) -> Option<u64> {
        self.tag.rsplit(' ').next()?.parse().ok()
    }

    pub(super) fn describe(&mut self, body: &RowDescriptionBody) -> io::Result<()> {
        let mut fields = body.fields();
        while let Some(field) = fields.next()? {
            self.fields.push(Field {
                name: field.name().to_owned(),
                type_oid: field.type_oid(),
                table_oid: field.table_oid(),
                column: field.column_id(),
                type_size: field.type_size(),
                type_modifier: field.type_modifier(),
                array_of: None,
            });
        }
        Ok(())
    }

    /// Adds a row; answers the bytes its values need at least in an answer, a separator each included.
    pub(super) fn add(&mut self, body: &DataRowBody) -> io::Result<usize> {
        let mut ranges = body.ranges();
        let mut size = 0;
        let mut columns = 0;
        while let Some(range) = ranges.next()? {
            columns += 1;
            let Some(range) = range else {
                self.data.extend_from_slice(&(-1_i32).to_be_bytes());
                size += 1;
                continue;
            };
            let value = &body.buffer()[range];
            let length = i32::try_from(value.len()).map_err(io::Error::other)?;
            self.data.extend_from_slice(&length.to_be_bytes());
            self.data.extend_from_slice(value);
            size += value.len() + 1;
        }
        if columns != self.fields.len() {
            return Err(io::Error::other(
                "a row has another number of columns than was said",
            ));
        }
        self.rows += 1;
        Ok(size.max(1))
    }
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct TextRow<'a> {
    data: &'a [u8],
    columns: usize,
}

impl<'a> TextRow<'a> {
    /// The values in text, `None` for `NULL`, in the order of the fields.
    ///
    /// # Panics
    /// Never: the lengths were written here.
    pub fn values(self) -> impl Iterator<Item = Option<&'a [u8]>> {
        let mut rest = self.data;
        (0..self.columns).map(move |_| {
            let (length, after) = rest.split_first_chunk().expect("kept after its length");
            let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
                rest = after;
                return None;
            };
            let (value, after) = after.split_at(length);
            rest = after;
            Some(value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_tell_the_command_and_how_many_rows() {
        for (tag, command, rows) in [
            ("INSERT 0 12", "INSERT", Some(12)),
            ("SELECT 0", "SELECT", Some(0)),
            ("CREATE TABLE", "CREATE TABLE", None),
            ("", "", None),
        ] {
            let result = TextResult {
                tag: tag.to_owned(),
                ..TextResult::default()
            };
            assert_eq!((result.command(), result.row_count()), (command, rows));
        }
    }
}
