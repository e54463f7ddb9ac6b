//! Which input of a request is wrong.

use serde::ser::SerializeMap;

/// The place in the request a problem is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// A query parameter, by the name the client used. Member `parameter`.
    Parameter(String),
    /// A member of the body, as a JSON Pointer (RFC 6901); empty for the whole body. Member `pointer`.
    Pointer(String),
    /// A request header, in lower case. Member `header`.
    Header(String),
}

impl Source {
    pub(super) fn serialize_into<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match self {
            Self::Parameter(name) => map.serialize_entry("parameter", name),
            Self::Pointer(pointer) => map.serialize_entry("pointer", pointer),
            Self::Header(name) => map.serialize_entry("header", name),
        }
    }
}
