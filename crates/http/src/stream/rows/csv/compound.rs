//! The members of a row, and of structs and maps in it: each a cell, or more.

use serde::Serialize;
use serde::ser::{Error as _, SerializeMap, SerializeStruct};

use super::cells::{Cells, CsvError, Value};

pub(super) struct Members<'c> {
    cells: &'c mut Cells,
    key: String,
}

impl<'c> Members<'c> {
    pub(super) fn new(cells: &'c mut Cells) -> Self {
        Self {
            cells,
            key: String::new(),
        }
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), CsvError> {
        let back = self.cells.enter(&name);
        let written = value.serialize(Value { cells: self.cells });
        self.cells.leave(back);
        written
    }
}

impl SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = CsvError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), CsvError> {
        self.member(key, value)
    }

    fn end(self) -> Result<(), CsvError> {
        Ok(())
    }
}

impl SerializeMap for Members<'_> {
    type Ok = ();
    type Error = CsvError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), CsvError> {
        let key = serde_json::to_value(key).map_err(CsvError::custom)?;
        self.key = match key {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CsvError> {
        let key = std::mem::take(&mut self.key);
        self.member(&key, value)
    }

    fn end(self) -> Result<(), CsvError> {
        Ok(())
    }
}
