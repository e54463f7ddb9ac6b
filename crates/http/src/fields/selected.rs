//! A value with what of it is shown.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Selection;
use super::prune::Pruned;
use crate::problem::Problem;

/// A value that is serialised without what was not selected. As a response it is JSON: the value, or
/// `{"data": value}` when it was selected by type.
#[derive(Debug, Clone)]
#[must_use = "it does nothing until it is returned or serialised"]
pub struct Selected<V> {
    selection: Arc<Selection>,
    enveloped: bool,
    value: V,
}

impl<V> Selected<V> {
    pub(super) fn new(selection: Arc<Selection>, enveloped: bool, value: V) -> Self {
        Self {
            selection,
            enveloped,
            value,
        }
    }

    /// The value, whole.
    pub fn into_inner(self) -> V {
        self.value
    }
}

/// Without the envelope.
impl<V: Serialize> Serialize for Selected<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (selection, value) = (&*self.selection, &self.value);
        Pruned { selection, value }.serialize(serializer)
    }
}

struct Enveloped<'a, V>(&'a V);

impl<V: Serialize> Serialize for Enveloped<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("data", self.0)?;
        map.end()
    }
}

impl<V: Serialize> IntoResponse for Selected<V> {
    fn into_response(self) -> Response {
        let body = if self.enveloped {
            serde_json::to_vec(&Enveloped(&self))
        } else {
            serde_json::to_vec(&self)
        };
        match body {
            Ok(body) => {
                let json = HeaderValue::from_static("application/json");
                ([(CONTENT_TYPE, json)], body).into_response()
            }
            Err(error) => Problem::internal(error).into_response(),
        }
    }
}
