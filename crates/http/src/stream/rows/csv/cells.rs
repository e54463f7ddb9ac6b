//! A row taken apart into named cells. The buffers are used again for each row.

use std::fmt::{self, Display, Write as _};

use serde::ser::{Error as _, Serialize, Serializer};

use super::compound::Members;
use super::json_text::JsonText;

/// The cells of one row.
#[derive(Debug, Default)]
pub(super) struct Cells {
    names: String,
    text: String,
    ends: Vec<End>,
    /// The names on the way to the value that is being read, joined with dots.
    path: String,
}

/// Where a cell ends in the two texts; it begins where the one before ends.
#[derive(Debug, Clone, Copy)]
struct End {
    name: usize,
    text: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nothing,
    Number,
    Text,
}

/// The value of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    Nothing,
    /// A number or a truth value: written as it is.
    Number(&'a str),
    Text(&'a str),
}

impl Cells {
    /// Replaces the cells by those of `row`.
    pub(super) fn read<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<(), CsvError> {
        self.names.clear();
        self.text.clear();
        self.ends.clear();
        self.path.clear();
        row.serialize(Value { cells: self })
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Names and values, in the order of the row.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Cell<'_>)> {
        let mut begin = (0, 0);
        self.ends.iter().map(move |end| {
            let name = &self.names[begin.0..end.name];
            let text = &self.text[begin.1..end.text];
            begin = (end.name, end.text);
            let cell = match end.kind {
                Kind::Nothing => Cell::Nothing,
                Kind::Number => Cell::Number(text),
                Kind::Text => Cell::Text(text),
            };
            (name, cell)
        })
    }

    pub(super) fn get(&self, name: &str) -> Option<Cell<'_>> {
        let mut cells = self.iter();
        cells
            .find(|(known, _)| *known == name)
            .map(|(_, cell)| cell)
    }

    /// The text of the cell that is being read; [`close_text`](Self::close_text) ends it.
    pub(super) fn text(&mut self) -> &mut String {
        &mut self.text
    }

    pub(super) fn close_text(&mut self) -> Result<(), CsvError> {
        self.close(Kind::Text)
    }

    /// Goes to a member of the value that is being read, and gives the way back.
    pub(super) fn enter(&mut self, name: &dyn Display) -> usize {
        let back = self.path.len();
        let dot = if back > 0 { "." } else { "" };
        write!(self.path, "{dot}{name}").expect("writing to a String cannot fail");
        back
    }

    pub(super) fn leave(&mut self, back: usize) {
        self.path.truncate(back);
    }

    fn close(&mut self, kind: Kind) -> Result<(), CsvError> {
        if self.path.is_empty() {
            return Err(CsvError::custom("a CSV row is a struct or a map"));
        }
        self.names.push_str(&self.path);
        self.ends.push(End {
            name: self.names.len(),
            text: self.text.len(),
            kind,
        });
        Ok(())
    }
}

/// A row that has no form in CSV.
#[derive(Debug)]
pub(crate) struct CsvError(String);

impl CsvError {
    pub(super) fn stray(name: &str) -> Self {
        Self(format!(
            "the column {name:?} is not one of the first row's: say which columns there are"
        ))
    }
}

impl Display for CsvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CsvError {}

impl serde::ser::Error for CsvError {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Writes a value into cells: the one of its path, or those of its members.
pub(super) struct Value<'c> {
    pub(super) cells: &'c mut Cells,
}

impl Value<'_> {
    fn number(self, number: impl Display) -> Result<(), CsvError> {
        write!(self.cells.text, "{number}").expect("writing to a String cannot fail");
        self.cells.close(Kind::Number)
    }

    /// As JSON writes it: the shortest text that reads as the same number. What is no number is nothing.
    fn real(self, number: impl Serialize, is_finite: bool) -> Result<(), CsvError> {
        if !is_finite {
            return self.cells.close(Kind::Nothing);
        }
        let text = serde_json::to_string(&number).map_err(CsvError::custom)?;
        self.number(text)
    }
}

macro_rules! numbers {
    ($($method:ident: $number:ty),*) => {$(
        fn $method(self, value: $number) -> Result<(), CsvError> {
            self.number(value)
        }
    )*};
}

impl<'c> Serializer for Value<'c> {
    type Ok = ();
    type Error = CsvError;
    type SerializeSeq = JsonText<'c>;
    type SerializeTuple = JsonText<'c>;
    type SerializeTupleStruct = JsonText<'c>;
    type SerializeTupleVariant = JsonText<'c>;
    type SerializeMap = Members<'c>;
    type SerializeStruct = Members<'c>;
    type SerializeStructVariant = JsonText<'c>;

    numbers! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_u128: u128
    }

    fn serialize_f32(self, value: f32) -> Result<(), CsvError> {
        self.real(value, value.is_finite())
    }

    fn serialize_f64(self, value: f64) -> Result<(), CsvError> {
        self.real(value, value.is_finite())
    }

    fn serialize_char(self, value: char) -> Result<(), CsvError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), CsvError> {
        self.cells.text.push_str(value);
        self.cells.close(Kind::Text)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), CsvError> {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Result<(), CsvError> {
        self.cells.close(Kind::Nothing)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CsvError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), CsvError> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), CsvError> {
        self.serialize_none()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), CsvError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), CsvError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), CsvError> {
        let mut object = JsonText::variant(self.cells, variant, "", "}")?;
        object.value(value)?;
        object.close()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<JsonText<'c>, CsvError> {
        Ok(JsonText::array(self.cells))
    }

    fn serialize_tuple(self, _: usize) -> Result<JsonText<'c>, CsvError> {
        Ok(JsonText::array(self.cells))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<JsonText<'c>, CsvError> {
        Ok(JsonText::array(self.cells))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<JsonText<'c>, CsvError> {
        JsonText::variant(self.cells, variant, "[", "]}")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'c>, CsvError> {
        Ok(Members::new(self.cells))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'c>, CsvError> {
        Ok(Members::new(self.cells))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<JsonText<'c>, CsvError> {
        JsonText::variant(self.cells, variant, "{", "}}")
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), CsvError> {
        write!(self.cells.text, "{value}").map_err(CsvError::custom)?;
        self.cells.close(Kind::Text)
    }
}
