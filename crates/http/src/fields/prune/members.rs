//! The members of an object: structs, maps, and structs flattened into maps.

use serde::ser::{Serialize, SerializeMap, SerializeStruct};

use super::key::part_of_key;
use super::{Part, Selection, Writer, with_part};

pub(super) struct Members<'a, C> {
    selection: &'a Selection,
    inner: C,
    /// How much is selected of the value whose key came last.
    part: Option<&'a Part>,
}

impl<'a, C> Members<'a, C> {
    pub(super) fn new(selection: &'a Selection, inner: C) -> Self {
        Self {
            selection,
            inner,
            part: None,
        }
    }
}

struct Value<'c, C> {
    inner: &'c mut C,
}

impl<C: SerializeMap> Writer<Result<(), C::Error>> for Value<'_, C> {
    fn write<T: Serialize + ?Sized>(self, value: &T) -> Result<(), C::Error> {
        self.inner.serialize_value(value)
    }
}

struct Entry<'c, 'k, C, K: ?Sized> {
    inner: &'c mut C,
    key: &'k K,
}

impl<C: SerializeMap, K: Serialize + ?Sized> Writer<Result<(), C::Error>> for Entry<'_, '_, C, K> {
    fn write<T: Serialize + ?Sized>(self, value: &T) -> Result<(), C::Error> {
        self.inner.serialize_entry(self.key, value)
    }
}

impl<C: SerializeMap> SerializeMap for Members<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        self.part = part_of_key(self.selection, key)?;
        match self.part {
            Some(_) => self.inner.serialize_key(key),
            None => Ok(()),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let inner = &mut self.inner;
        match self.part.take() {
            Some(part) => with_part(part, value, Value { inner }),
            None => Ok(()),
        }
    }

    fn serialize_entry<K, V>(&mut self, key: &K, value: &V) -> Result<(), C::Error>
    where
        K: Serialize + ?Sized,
        V: Serialize + ?Sized,
    {
        let inner = &mut self.inner;
        match part_of_key(self.selection, key)? {
            Some(part) => with_part(part, value, Entry { inner, key }),
            None => Ok(()),
        }
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

impl<C: SerializeMap> SerializeStruct for Members<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), C::Error> {
        let inner = &mut self.inner;
        match self.selection.get(key) {
            Some(part) => with_part(part, value, Entry { inner, key }),
            None => Ok(()),
        }
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}
