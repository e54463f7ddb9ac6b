//! How a row becomes one nested object: compiled once from a selection, used for every row.

use super::EncodeError;
use super::json_text::write_string;
use super::link::Link;
use super::value_csv::{write_field, write_text};
use super::value_json::write_value;
use crate::catalog::ColumnKind;
use crate::cell::{Cell, Row};

/// The members of an object, each knowing its place in the `SELECT` list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    members: Vec<Member>,
    integers: BigIntegers,
}

/// What becomes of integers beyond 2^53 - 1, which JavaScript and others read as another number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BigIntegers {
    /// They are numbers, with all their digits.
    #[default]
    Numbers,
    /// They are strings; smaller ones stay numbers.
    Strings,
}

impl BigIntegers {
    /// The largest integer that a double holds beside both its neighbours.
    const LARGEST_NUMBER: u64 = (1 << 53) - 1;

    /// Whether a value is a string by this. Whole numbers beyond 64 bits with a sign come as decimals.
    fn quotes(self, cell: Cell<'_>, kind: ColumnKind) -> bool {
        self == Self::Strings
            && match cell {
                Cell::Integer(number) => number.unsigned_abs() > Self::LARGEST_NUMBER,
                Cell::Decimal(_) => kind == ColumnKind::Integer,
                _ => false,
            }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    name: String,
    /// `"name":` as it stands in JSON.
    prefix: Vec<u8>,
    value: MemberValue,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum MemberValue {
    Column {
        index: usize,
        kind: ColumnKind,
    },
    /// `null` when the column at `presence` is: then there is no related row.
    Object {
        presence: usize,
        shape: Shape,
    },
    List {
        list: List,
        /// `,"name@next":` as it stands in JSON.
        next: Vec<u8>,
    },
}

/// The related rows of a row, as an array of objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct List {
    /// Where the `SELECT` list has them: at most one more than are shown.
    pub(crate) place: usize,
    /// How many are shown at most.
    pub(crate) limit: u32,
    /// What each is shown as; the places are those among its own values.
    pub(crate) shape: Shape,
    /// Where those beyond the limit are, if they have an address.
    pub(crate) next: Option<Link>,
}

impl List {
    /// Writes the array; answers whether there are more rows than it shows.
    fn write(&self, row: &dyn Row, out: &mut Vec<u8>) -> Result<bool, EncodeError> {
        let mut shown = 0;
        let mut is_cut = false;
        out.push(b'[');
        row.rows(self.place).each(|related| {
            if shown == self.limit {
                is_cut = true;
                return Ok(());
            }
            if shown > 0 {
                out.push(b',');
            }
            shown += 1;
            self.shape.write_json(related, out)
        })?;
        out.push(b']');
        Ok(is_cut)
    }

    fn write_next(&self, row: &dyn Row, out: &mut Vec<u8>) {
        match &self.next {
            Some(link) => link.write(row, out),
            None => out.extend_from_slice(b"null"),
        }
    }

    /// Writes the array as text in a CSV field, and behind it a field with the link where rows are left out.
    fn write_csv(&self, row: &dyn Row, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let mut text = Vec::new();
        let is_cut = self.write(row, &mut text)?;
        write_text(&text, out);
        out.push(b',');
        if is_cut {
            let link = self.next.as_ref().map(|link| link.text(row));
            write_text(link.as_deref().unwrap_or("null").as_bytes(), out);
        }
        Ok(())
    }
}

impl Shape {
    /// No members yet.
    pub(crate) fn new(integers: BigIntegers) -> Self {
        Self {
            members: Vec::new(),
            integers,
        }
    }

    /// Adds a member that is the column at `index` of the `SELECT` list.
    pub(crate) fn column(&mut self, name: &str, index: usize, kind: ColumnKind) {
        self.push(name, MemberValue::Column { index, kind });
    }

    /// Adds a member that is an object of its own.
    pub(crate) fn object(&mut self, name: &str, presence: usize, shape: Shape) {
        self.push(name, MemberValue::Object { presence, shape });
    }

    /// Adds a member that is an array of related rows.
    pub(crate) fn list(&mut self, name: &str, list: List) {
        let mut next = vec![b','];
        write_string(next_name(name).as_bytes(), &mut next);
        next.push(b':');
        self.push(name, MemberValue::List { list, next });
    }

    fn push(&mut self, name: &str, value: MemberValue) {
        let mut prefix = Vec::new();
        write_string(name.as_bytes(), &mut prefix);
        prefix.push(b':');
        self.members.push(Member {
            name: name.to_owned(),
            prefix,
            value,
        });
    }

    /// Writes a row as a JSON object.
    ///
    /// # Errors
    /// Related rows have not the form they should.
    pub(crate) fn write_json(&self, row: &dyn Row, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.push(b'{');
        for (position, member) in self.members.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&member.prefix);
            match &member.value {
                MemberValue::Column { index, kind } => {
                    let cell = row.cell(*index);
                    let quotes = self.integers.quotes(cell, *kind);
                    out.extend(quotes.then_some(b'"'));
                    write_value(cell, *kind, out);
                    out.extend(quotes.then_some(b'"'));
                }
                MemberValue::Object { presence, .. } if row.cell(*presence) == Cell::Null => {
                    out.extend_from_slice(b"null");
                }
                MemberValue::Object { shape, .. } => shape.write_json(row, out)?,
                MemberValue::List { list, next } => {
                    if list.write(row, out)? {
                        out.extend_from_slice(next);
                        list.write_next(row, out);
                    }
                }
            }
        }
        out.push(b'}');
        Ok(())
    }

    /// Writes the names as a CSV line, nested ones as `author.name`.
    pub(crate) fn write_csv_header(&self, out: &mut Vec<u8>) {
        let mut names = Vec::new();
        self.csv_names("", &mut names);
        for (position, name) in names.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            write_text(name.as_bytes(), out);
        }
        out.extend_from_slice(b"\r\n");
    }

    fn csv_names(&self, above: &str, names: &mut Vec<String>) {
        for member in &self.members {
            let name = format!("{above}{}", member.name);
            match &member.value {
                MemberValue::Column { .. } => names.push(name),
                MemberValue::Object { shape, .. } => shape.csv_names(&format!("{name}."), names),
                MemberValue::List { .. } => {
                    let next = next_name(&name);
                    names.extend([name, next]);
                }
            }
        }
    }

    /// Writes a row as a CSV line.
    ///
    /// # Errors
    /// Related rows have not the form they should.
    pub(crate) fn write_csv(&self, row: &dyn Row, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let mut first = true;
        self.csv_fields(row, &mut first, out)?;
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn csv_fields(
        &self,
        row: &dyn Row,
        first: &mut bool,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        for member in &self.members {
            if let MemberValue::Object { shape, .. } = &member.value {
                shape.csv_fields(row, first, out)?;
                continue;
            }
            if !std::mem::take(first) {
                out.push(b',');
            }
            match &member.value {
                MemberValue::Column { index, kind } => write_field(row.cell(*index), *kind, out),
                MemberValue::List { list, .. } => list.write_csv(row, out)?,
                MemberValue::Object { .. } => {}
            }
        }
        Ok(())
    }
}

/// What stands beside a list that does not show all.
fn next_name(name: &str) -> String {
    format!("{name}@next")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Decimal;

    struct Cells(Vec<Cell<'static>>);

    impl Row for Cells {
        fn cell(&self, index: usize) -> Cell<'_> {
            self.0[index]
        }
    }

    fn post() -> Shape {
        let mut author = Shape::default();
        author.column("name", 2, ColumnKind::Text);
        let mut shape = Shape::default();
        shape.column("id", 0, ColumnKind::Integer);
        shape.object("author", 1, author);
        shape
    }

    #[test]
    fn nested_members_are_objects_or_null() {
        let check = |cells: Vec<Cell<'static>>, expected: &str| {
            let mut out = Vec::new();
            post().write_json(&Cells(cells), &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        };
        check(
            vec![Cell::Integer(1), Cell::Integer(7), Cell::Text(b"Ada")],
            r#"{"id":1,"author":{"name":"Ada"}}"#,
        );
        check(
            vec![Cell::Integer(1), Cell::Integer(7), Cell::Null],
            r#"{"id":1,"author":{"name":null}}"#,
        );
        check(
            vec![Cell::Integer(1), Cell::Null, Cell::Null],
            r#"{"id":1,"author":null}"#,
        );
    }

    #[test]
    fn big_integers_are_strings_where_that_is_asked_for() {
        let mut shape = Shape::new(BigIntegers::Strings);
        for (index, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
            shape.column(name, index, ColumnKind::Integer);
        }
        let mut out = Vec::new();
        let safe = 9_007_199_254_740_991;
        let cells = [safe, safe + 1, -safe, i64::MIN].map(Cell::Integer);
        shape.write_json(&Cells(cells.to_vec()), &mut out).unwrap();
        let expected = r#"{"a":9007199254740991,"b":"9007199254740992","c":-9007199254740991,"d":"-9223372036854775808"}"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);

        let mut shape = Shape::new(BigIntegers::Strings);
        shape.column("unsigned", 0, ColumnKind::Integer);
        shape.column("decimal", 1, ColumnKind::Decimal);
        let mut out = Vec::new();
        let number = Cell::Decimal(Decimal::from_text(b"18446744073709551615"));
        shape.write_json(&Cells(vec![number; 2]), &mut out).unwrap();
        let expected = r#"{"unsigned":"18446744073709551615","decimal":18446744073709551615}"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn csv_flattens_nested_members() {
        let mut out = Vec::new();
        post().write_csv_header(&mut out);
        post()
            .write_csv(
                &Cells(vec![
                    Cell::Integer(1),
                    Cell::Integer(7),
                    Cell::Text(b"=A,b"),
                ]),
                &mut out,
            )
            .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "id,author.name\r\n1,\"'=A,b\"\r\n"
        );
    }

    #[test]
    fn no_members_are_an_empty_object() {
        let mut out = Vec::new();
        Shape::default()
            .write_json(&Cells(Vec::new()), &mut out)
            .unwrap();
        assert_eq!(out, b"{}");
    }
}
