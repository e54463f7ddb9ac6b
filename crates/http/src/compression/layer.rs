//! The layer that compresses answers.

use std::sync::Arc;

use tower_layer::Layer;

use super::cache::EncodedCache;
use super::one_shot::Compressor;
use super::policy::CompressionPolicy;
use super::service::Compression;

/// Compresses the answers of a service in the coding the client likes best.
///
/// Put it outside whatever sets tags or answers 304 (a [`ConditionalLayer`](crate::conditional::ConditionalLayer)
/// too), and outside routes whose answers are [cached in every coding](crate::representation): those carry
/// their `Content-Encoding` already and pass untouched.
///
/// An encoded answer gets `Content-Encoding`, its strong `ETag` the coding's suffix, and loses `Accept-Ranges`
/// and the digests of the bytes it no longer has. Every answer that could have been encoded gets
/// `Vary: accept-encoding`, identity and 304 included. Untouched stay: `Cache-Control: no-transform` (of the
/// request, too), ranges, 1xx, 204, 205 and 206, what is encoded already, and types that are not on the
/// policy's list.
///
/// ```
/// use paceline_http::compression::{Coding, CompressionLayer, CompressionPolicy, Level};
///
/// let layer = CompressionLayer::new(CompressionPolicy::new().level(Coding::Brotli, Level::new(5)));
/// # drop(layer);
/// ```
#[derive(Debug, Clone)]
pub struct CompressionLayer {
    compressor: Arc<Compressor>,
    cache: Option<EncodedCache>,
}

impl CompressionLayer {
    /// A layer with its own pool of encoders.
    pub fn new(policy: CompressionPolicy) -> Self {
        Self::with_compressor(Arc::new(Compressor::new(policy)))
    }

    /// A layer that shares its policy and encoders with others.
    pub fn with_compressor(compressor: Arc<Compressor>) -> Self {
        Self {
            compressor,
            cache: None,
        }
    }

    /// Keeps encoded bodies up to [`one_shot_max`](CompressionPolicy::one_shot_max) in `cache`; streams are encoded anew.
    #[must_use]
    pub fn with_cache(mut self, cache: EncodedCache) -> Self {
        self.cache = Some(cache);
        self
    }
}

impl Default for CompressionLayer {
    fn default() -> Self {
        Self::new(CompressionPolicy::new())
    }
}

impl<S> Layer<S> for CompressionLayer {
    type Service = Compression<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Compression::new(inner, Arc::clone(&self.compressor), self.cache.clone())
    }
}
