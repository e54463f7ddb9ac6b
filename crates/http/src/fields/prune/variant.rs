//! Variants of enums with values in them: objects with one member, named after the variant.

use serde::ser::{
    Serialize, SerializeMap, SerializeStructVariant, SerializeTupleVariant, Serializer,
};

use super::{Part, Writer, with_part};

/// The variant was not selected: an empty object.
pub(super) fn nothing<S: Serializer>(inner: S) -> Result<S::Ok, S::Error> {
    inner.serialize_map(Some(0))?.end()
}

pub(super) struct Newtype<S> {
    pub(super) inner: S,
    pub(super) name: &'static str,
    pub(super) index: u32,
    pub(super) variant: &'static str,
}

impl<S: Serializer> Writer<Result<S::Ok, S::Error>> for Newtype<S> {
    fn write<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner
            .serialize_newtype_variant(self.name, self.index, self.variant, value)
    }
}

/// The inner variant and how much of it is selected, or the empty object in its place.
pub(super) enum Opened<'a, V, M> {
    Selected(&'a Part, V),
    Left(M),
}

pub(super) struct VariantElements<'a, S: Serializer>(
    Opened<'a, S::SerializeTupleVariant, S::SerializeMap>,
);

pub(super) struct VariantMembers<'a, S: Serializer>(
    Opened<'a, S::SerializeStructVariant, S::SerializeMap>,
);

impl<'a, S: Serializer> VariantElements<'a, S> {
    pub(super) fn open(
        inner: S,
        part: Option<&'a Part>,
        open: impl FnOnce(S) -> Result<S::SerializeTupleVariant, S::Error>,
    ) -> Result<Self, S::Error> {
        Ok(Self(match part {
            Some(part) => Opened::Selected(part, open(inner)?),
            None => Opened::Left(inner.serialize_map(Some(0))?),
        }))
    }
}

impl<'a, S: Serializer> VariantMembers<'a, S> {
    pub(super) fn open(
        inner: S,
        part: Option<&'a Part>,
        open: impl FnOnce(S) -> Result<S::SerializeStructVariant, S::Error>,
    ) -> Result<Self, S::Error> {
        Ok(Self(match part {
            Some(part) => Opened::Selected(part, open(inner)?),
            None => Opened::Left(inner.serialize_map(Some(0))?),
        }))
    }
}

struct Element<'v, V> {
    inner: &'v mut V,
}

impl<V: SerializeTupleVariant> Writer<Result<(), V::Error>> for Element<'_, V> {
    fn write<T: Serialize + ?Sized>(self, value: &T) -> Result<(), V::Error> {
        self.inner.serialize_field(value)
    }
}

impl<S: Serializer> SerializeTupleVariant for VariantElements<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        match &mut self.0 {
            Opened::Selected(part, inner) => with_part(part, value, Element { inner }),
            Opened::Left(_) => Ok(()),
        }
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        match self.0 {
            Opened::Selected(_, inner) => inner.end(),
            Opened::Left(inner) => inner.end(),
        }
    }
}

struct Member<'v, V> {
    inner: &'v mut V,
    key: &'static str,
}

impl<V: SerializeStructVariant> Writer<Result<(), V::Error>> for Member<'_, V> {
    fn write<T: Serialize + ?Sized>(self, value: &T) -> Result<(), V::Error> {
        self.inner.serialize_field(self.key, value)
    }
}

impl<S: Serializer> SerializeStructVariant for VariantMembers<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), S::Error> {
        let Opened::Selected(part, inner) = &mut self.0 else {
            return Ok(());
        };
        match part {
            Part::Whole => inner.serialize_field(key, value),
            Part::Of(selection) => match selection.get(key) {
                Some(part) => with_part(part, value, Member { inner, key }),
                None => inner.skip_field(key),
            },
        }
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        match self.0 {
            Opened::Selected(_, inner) => inner.end(),
            Opened::Left(inner) => inner.end(),
        }
    }
}
