//! Leaving out what was not selected, while it is being serialised.
//!
//! A serializer around the one that writes: it hands on what is selected and never makes a tree of values in
//! between. Sequences are looked through, each element is pruned.

mod elements;
mod key;
mod members;
mod variant;

use serde::ser::{Error as _, Serialize, Serializer};

use self::elements::Elements;
use self::members::Members;
use self::variant::{VariantElements, VariantMembers};
use super::selection::{Part, Selection};

/// Types of `serde_json` that are serialised as structs and are none.
const PRIVATE: &str = "$serde_json::private::";

/// A value of which only what is selected is serialised.
#[derive(Debug)]
pub(super) struct Pruned<'a, T: ?Sized> {
    pub(super) selection: &'a Selection,
    pub(super) value: &'a T,
}

impl<T: Serialize + ?Sized> Serialize for Pruned<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Pruner {
            selection: self.selection,
            inner: serializer,
        })
    }
}

/// Calls `write` with the value, or the part of it that is selected.
fn with_part<T, R>(part: &Part, value: &T, write: impl Writer<R>) -> R
where
    T: Serialize + ?Sized,
{
    match part {
        Part::Whole => write.write(value),
        Part::Of(selection) => write.write(&Pruned { selection, value }),
    }
}

/// A closure over values of any type.
trait Writer<R> {
    fn write<T: Serialize + ?Sized>(self, value: &T) -> R;
}

struct Pruner<'a, S> {
    selection: &'a Selection,
    inner: S,
}

/// What has no fields is handed on.
macro_rules! scalars {
    ($($method:ident: $scalar:ty),*) => {$(
        fn $method(self, value: $scalar) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        }
    )*};
}

impl<'a, S: Serializer> Serializer for Pruner<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Elements<'a, S::SerializeSeq>;
    type SerializeTuple = Elements<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Elements<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = VariantElements<'a, S>;
    type SerializeMap = Members<'a, S::SerializeMap>;
    type SerializeStruct = Members<'a, S::SerializeMap>;
    type SerializeStructVariant = VariantMembers<'a, S>;

    scalars! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_u128: u128, serialize_f32: f32, serialize_f64: f64, serialize_char: char,
        serialize_str: &str, serialize_bytes: &[u8]
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let selection = self.selection;
        self.inner.serialize_some(&Pruned { selection, value })
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_struct(name)
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let selection = self.selection;
        self.inner
            .serialize_newtype_struct(name, &Pruned { selection, value })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        match self.selection.get(variant) {
            Some(part) => {
                let inner = self.inner;
                with_part(
                    part,
                    value,
                    variant::Newtype {
                        inner,
                        name,
                        index,
                        variant,
                    },
                )
            }
            None => variant::nothing(self.inner),
        }
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let inner = self.inner.serialize_seq(length)?;
        Ok(Elements::new(self.selection, inner))
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        let inner = self.inner.serialize_tuple(length)?;
        Ok(Elements::new(self.selection, inner))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        let inner = self.inner.serialize_tuple_struct(name, length)?;
        Ok(Elements::new(self.selection, inner))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let part = self.selection.get(variant);
        VariantElements::open(self.inner, part, |inner| {
            inner.serialize_tuple_variant(name, index, variant, length)
        })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let inner = self.inner.serialize_map(None)?;
        Ok(Members::new(self.selection, inner))
    }

    /// A map to the inner serializer: how many fields remain is known at the end only.
    fn serialize_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        if name.starts_with(PRIVATE) {
            return Err(S::Error::custom(
                "raw JSON has no fields to choose from: list its field in the schema as a plain one",
            ));
        }
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let part = self.selection.get(variant);
        VariantMembers::open(self.inner, part, |inner| {
            inner.serialize_struct_variant(name, index, variant, length)
        })
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

#[cfg(test)]
mod tests;
