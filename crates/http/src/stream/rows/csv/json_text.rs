//! Nested values that are no columns: their JSON text is one cell.

use std::fmt::Write as _;

use serde::Serialize;
use serde::ser::{
    Error as _, SerializeSeq, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant,
};

use super::cells::{Cells, CsvError};

/// An array or an object that is being written.
pub(super) struct JsonText<'c> {
    cells: &'c mut Cells,
    end: &'static str,
    is_first: bool,
}

impl<'c> JsonText<'c> {
    pub(super) fn array(cells: &'c mut Cells) -> Self {
        cells.text().push('[');
        Self {
            cells,
            end: "]",
            is_first: true,
        }
    }

    /// `{"variant":` and what begins and ends its value.
    pub(super) fn variant(
        cells: &'c mut Cells,
        variant: &str,
        begin: &str,
        end: &'static str,
    ) -> Result<Self, CsvError> {
        let name = json(variant)?;
        write!(cells.text(), "{{{name}:{begin}").expect("writing to a String cannot fail");
        Ok(Self {
            cells,
            end,
            is_first: true,
        })
    }

    pub(super) fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CsvError> {
        let value = json(value)?;
        self.cells.text().push_str(&value);
        Ok(())
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CsvError> {
        if !self.is_first {
            self.cells.text().push(',');
        }
        self.is_first = false;
        self.value(value)
    }

    pub(super) fn close(self) -> Result<(), CsvError> {
        self.cells.text().push_str(self.end);
        self.cells.close_text()
    }
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, CsvError> {
    serde_json::to_string(value).map_err(CsvError::custom)
}

macro_rules! arrays {
    ($($kind:ident :: $method:ident),*) => {$(
        impl $kind for JsonText<'_> {
            type Ok = ();
            type Error = CsvError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CsvError> {
                self.element(value)
            }

            fn end(self) -> Result<(), CsvError> {
                self.close()
            }
        }
    )*};
}

arrays!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

impl SerializeStructVariant for JsonText<'_> {
    type Ok = ();
    type Error = CsvError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), CsvError> {
        self.element(key)?;
        self.cells.text().push(':');
        self.value(value)
    }

    fn end(self) -> Result<(), CsvError> {
        self.close()
    }
}
