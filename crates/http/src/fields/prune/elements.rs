//! The elements of a sequence, each pruned alike.

use serde::ser::{Serialize, SerializeSeq, SerializeTuple, SerializeTupleStruct};

use super::{Pruned, Selection};

pub(super) struct Elements<'a, C> {
    selection: &'a Selection,
    inner: C,
}

impl<'a, C> Elements<'a, C> {
    pub(super) fn new(selection: &'a Selection, inner: C) -> Self {
        Self { selection, inner }
    }
}

macro_rules! elements {
    ($($kind:ident :: $method:ident),*) => {$(
        impl<C: $kind> $kind for Elements<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                let selection = self.selection;
                self.inner.$method(&Pruned { selection, value })
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        }
    )*};
}

elements!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field
);
