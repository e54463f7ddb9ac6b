//! The selection of a request, as an argument of a handler.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::resolve::resolve;
use super::{Selectable, Selected, Selection};
use crate::problem::Problem;

/// What the request wants to see of values of type `T`: an axum extractor, and by
/// [`from_query`](Self::from_query) for anything else.
///
/// Without `fields` it is what the schema shows by default. Parameters of other names are not looked at.
pub struct Fields<T: ?Sized> {
    selection: Arc<Selection>,
    enveloped: bool,
    of: PhantomData<fn(&T)>,
}

impl<T: Selectable + ?Sized> Fields<T> {
    /// Reads `fields` and `fields[type]` of a query string, without its `?`.
    ///
    /// # Errors
    /// 400 that names the parameter: a selection that cannot be read (`invalid-fields`), is too deep or too
    /// long (`query-too-large`), or names what is not in the schema (`unknown-field`, with the member
    /// `allowed`).
    pub fn from_query(query: &str) -> Result<Self, Problem> {
        let (selection, enveloped) = resolve(T::schema(), query)?;
        Ok(Self {
            selection: Arc::new(selection),
            enveloped,
            of: PhantomData,
        })
    }

    /// What is shown. Written as text it belongs into the entity tag: answers of different selections differ.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Whether it was said by type, which asks for `{"data": …}`.
    pub fn is_enveloped(&self) -> bool {
        self.enveloped
    }

    /// A `T`, or any number of them, reduced to what is shown.
    pub fn of<V>(&self, value: V) -> Selected<V> {
        Selected::new(Arc::clone(&self.selection), self.enveloped, value)
    }
}

impl<T: ?Sized> Clone for Fields<T> {
    fn clone(&self) -> Self {
        Self {
            selection: Arc::clone(&self.selection),
            ..*self
        }
    }
}

impl<T: ?Sized> fmt::Debug for Fields<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fields")
            .field("selection", &self.selection)
            .field("enveloped", &self.enveloped)
            .finish_non_exhaustive()
    }
}

impl<S: Sync, T: Selectable + ?Sized> FromRequestParts<S> for Fields<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::from_query(parts.uri.query().unwrap_or_default())
    }
}
