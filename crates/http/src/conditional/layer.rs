//! The layer that tags answers by their bytes.

use tower_layer::Layer;

use super::service::Conditional;

/// Gives buffered `GET` and `HEAD` answers a tag made of their bytes, and answers 304 where the client has them.
///
/// For services that cannot tell a version before the work; where they can, a
/// [`ValidatorLayer`](super::ValidatorLayer) saves the work as well. The layer
///
/// * tags 200 answers without an `ETag` whose length is known and at most [`max_body`](Self::max_body);
/// * compares tags the service set itself, too, and `Last-Modified` where there is no tag to compare;
/// * answers 412 where `If-Match` or `If-Unmodified-Since` of a `GET` or `HEAD` is false;
/// * never looks at any other method: refusing after the write would be a lie.
///
/// It belongs inside a [`CompressionLayer`](crate::compression::CompressionLayer), which turns the tag into
/// that of the coding. Answers with `Cache-Control: no-store` are left alone.
#[derive(Debug, Clone)]
pub struct ConditionalLayer {
    max_body: usize,
}

impl ConditionalLayer {
    /// A layer with the default limit of 1 MiB.
    pub fn new() -> Self {
        Self {
            max_body: 1024 * 1024,
        }
    }

    /// Sets the most bytes that are hashed (default 1 MiB); longer answers pass untouched.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }
}

impl Default for ConditionalLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for ConditionalLayer {
    type Service = Conditional<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Conditional::new(inner, self.max_body)
    }
}
