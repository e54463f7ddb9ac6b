//! A representation with the header fields and bytes of each coding, built once.

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue};
use tokio::sync::OnceCell;

use super::representation::Representation;
use crate::compression::{Coding, CompressionPolicy, Compressor, add_vary, cache_control_has};
use crate::conditional::{EntityTag, retain_not_modified_headers};

/// What one header field costs in memory, roughly: slot, index and the value's own allocation.
const FIELD_OVERHEAD: usize = 96;

/// The bytes and fields of a 200 in one coding.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A representation in every coding that was asked for so far.
#[derive(Debug)]
pub(super) struct Variants {
    pub(super) tag: Option<EntityTag>,
    pub(super) last_modified: Option<SystemTime>,
    /// Whether `Accept-Encoding` decides anything.
    pub(super) is_negotiable: bool,
    pub(super) identity: Variant,
    /// The fields of a 304; `ETag` is that of identity.
    pub(super) not_modified: HeaderMap,
    /// `None` inside: the coding does not make the body smaller.
    coded: [OnceCell<Option<Variant>>; 5],
    tags: [OnceLock<EntityTag>; 5],
    pub(super) compressor: Arc<Compressor>,
}

impl Variants {
    pub(super) fn new(representation: Representation, compressor: Arc<Compressor>) -> Self {
        let Representation {
            tag,
            last_modified,
            mut headers,
            body,
        } = representation;
        let is_negotiable = is_negotiable(&headers, compressor.policy());
        if is_negotiable {
            add_vary(&mut headers);
        }
        if let Some(tag) = &tag {
            headers.insert(ETAG, tag.header_value().clone());
        }
        headers.insert(CONTENT_LENGTH, body.len().into());
        let mut not_modified = headers.clone();
        retain_not_modified_headers(&mut not_modified);
        let identity = Variant { headers, body };
        Self {
            tag,
            last_modified,
            is_negotiable,
            identity,
            not_modified,
            coded: Default::default(),
            tags: Default::default(),
            compressor,
        }
    }

    /// The tag of the version in `coding`.
    pub(super) fn tag_in(&self, coding: Coding) -> Option<&EntityTag> {
        let tag = self.tag.as_ref()?;
        if coding == Coding::Identity {
            return Some(tag);
        }
        let level = self.compressor.policy().levels().named(coding);
        Some(self.tags[coding.index()].get_or_init(|| tag.for_coding(coding, level)))
    }

    /// The answer in `coding`, if it is there already; identity where the coding gains nothing.
    pub(super) fn ready(&self, coding: Coding) -> Option<&Variant> {
        if coding == Coding::Identity {
            return Some(&self.identity);
        }
        self.coded[coding.index()]
            .get()
            .map(|variant| variant.as_ref().unwrap_or(&self.identity))
    }

    /// The answer in `coding`, compressed now if nobody has done so; those who ask meanwhile wait. The number
    /// is what the call added to memory, `None` when it found the work done.
    pub(super) async fn make(&self, coding: Coding) -> (&Variant, Option<usize>) {
        let mut added = None;
        let variant = self.coded[coding.index()]
            .get_or_init(|| async {
                let encoded = self.compress(coding).await;
                let variant = encoded.map(|body| self.variant(coding, body));
                added = Some(variant.as_ref().map_or(0, Variant::weight));
                variant
            })
            .await;
        (variant.as_ref().unwrap_or(&self.identity), added)
    }

    async fn compress(&self, coding: Coding) -> Option<Bytes> {
        let body = &self.identity.body;
        if !self.compressor.policy().is_offloaded(body.len()) {
            return self.compressor.compress(coding, body);
        }
        let (compressor, body) = (Arc::clone(&self.compressor), body.clone());
        tokio::task::spawn_blocking(move || compressor.compress(coding, &body))
            .await
            .unwrap_or_default()
    }

    fn variant(&self, coding: Coding, body: Bytes) -> Variant {
        let mut headers = self.identity.headers.clone();
        headers.insert(CONTENT_ENCODING, coding.header_value());
        headers.insert(CONTENT_LENGTH, body.len().into());
        if let Some(tag) = self.tag_in(coding) {
            headers.insert(ETAG, tag.header_value().clone());
        }
        Variant { headers, body }
    }

    /// Bytes of memory for what is there from the start.
    pub(super) fn initial_weight(&self) -> usize {
        size_of::<Self>() + self.identity.weight() + fields_weight(&self.not_modified)
    }
}

impl Variant {
    fn weight(&self) -> usize {
        self.body.len() + fields_weight(&self.headers)
    }
}

fn fields_weight(headers: &HeaderMap) -> usize {
    headers
        .values()
        .map(|value| FIELD_OVERHEAD + HeaderValue::len(value))
        .sum()
}

fn is_negotiable(headers: &HeaderMap, policy: &CompressionPolicy) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|content_type| policy.allows_type(content_type))
        && !headers.contains_key(CONTENT_ENCODING)
        && !cache_control_has(headers.get_all(CACHE_CONTROL), "no-transform")
}
