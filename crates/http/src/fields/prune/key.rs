//! Looking up the key of a map while it is being serialised, without a copy of it.

use std::fmt::{self, Display, Formatter};

use serde::ser::{Impossible, Serialize, Serializer};

use super::{Part, Selection};

/// How much is selected of the value under `key`, which must be a text, a number, or what is written as one.
pub(super) fn part_of_key<'a, T, E>(
    selection: &'a Selection,
    key: &T,
) -> Result<Option<&'a Part>, E>
where
    T: Serialize + ?Sized,
    E: serde::ser::Error,
{
    key.serialize(Lookup { selection })
        .map_err(|_: NoText| E::custom("the key of a map is not written as text"))
}

/// The key is written as something else than a text.
#[derive(Debug)]
struct NoText;

impl Display for NoText {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("not text")
    }
}

impl std::error::Error for NoText {}

impl serde::ser::Error for NoText {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

struct Lookup<'a> {
    selection: &'a Selection,
}

type Found<'a> = Result<Option<&'a Part>, NoText>;
type Never<'a> = Impossible<Option<&'a Part>, NoText>;

macro_rules! numbers {
    ($($method:ident: $number:ty),*) => {$(
        fn $method(self, value: $number) -> Found<'a> {
            self.collect_str(&value)
        }
    )*};
}

impl<'a> Serializer for Lookup<'a> {
    type Ok = Option<&'a Part>;
    type Error = NoText;
    type SerializeSeq = Never<'a>;
    type SerializeTuple = Never<'a>;
    type SerializeTupleStruct = Never<'a>;
    type SerializeTupleVariant = Never<'a>;
    type SerializeMap = Never<'a>;
    type SerializeStruct = Never<'a>;
    type SerializeStructVariant = Never<'a>;

    fn serialize_str(self, value: &str) -> Found<'a> {
        Ok(self.selection.get(value))
    }

    fn serialize_char(self, value: char) -> Found<'a> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    numbers! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_u128: u128, serialize_f32: f32, serialize_f64: f64
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Found<'a> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Found<'a> {
        value.serialize(self)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Found<'a> {
        self.serialize_str(&value.to_string())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Found<'a> {
        value.serialize(self)
    }

    fn serialize_bytes(self, _: &[u8]) -> Found<'a> {
        Err(NoText)
    }

    fn serialize_none(self) -> Found<'a> {
        Err(NoText)
    }

    fn serialize_unit(self) -> Found<'a> {
        Err(NoText)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Found<'a> {
        Err(NoText)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Found<'a> {
        Err(NoText)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Never<'a>, NoText> {
        Err(NoText)
    }

    fn serialize_tuple(self, _: usize) -> Result<Never<'a>, NoText> {
        Err(NoText)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Never<'a>, NoText> {
        Err(NoText)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Never<'a>, NoText> {
        Err(NoText)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Never<'a>, NoText> {
        Err(NoText)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Never<'a>, NoText> {
        Err(NoText)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Never<'a>, NoText> {
        Err(NoText)
    }
}
