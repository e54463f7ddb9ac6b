//! A representation with the header fields and bytes of each coding, built once.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue};
use tokio::sync::OnceCell;

use super::representation::Representation;
use crate::cache_control::cache_control_has;
use crate::compression::{
    Coding, CompressionPolicy, Compressor, UpgradeTurn, add_vary, remove_plain_fields,
};
use crate::conditional::{EntityTag, retain_not_modified_headers};

/// What one header field costs in memory, roughly: slot, index and the value's own allocation.
const FIELD_OVERHEAD: usize = 96;

/// The bytes and fields of a 200 in one coding.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// What encoding took.
    pub(super) cost: Duration,
}

/// A variant at the higher level, whose tag names it.
#[derive(Debug)]
struct Better {
    variant: Variant,
    tag: Option<EntityTag>,
}

/// One coding of the representation.
#[derive(Debug, Default)]
struct Coded {
    /// `None` inside: the coding does not make the body smaller.
    first: OnceCell<Option<Variant>>,
    better: OnceLock<Better>,
    tag: OnceLock<EntityTag>,
    uses: AtomicU32,
    was_upgraded: AtomicBool,
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
    coded: [Coded; 5],
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
        let identity = Variant {
            headers,
            body,
            cost: Duration::ZERO,
        };
        Self {
            tag,
            last_modified,
            is_negotiable,
            identity,
            not_modified,
            coded: Default::default(),
            compressor,
        }
    }

    /// The tag of the version in `coding`, as it is sent now.
    pub(super) fn tag_in(&self, coding: Coding) -> Option<&EntityTag> {
        let tag = self.tag.as_ref()?;
        if coding == Coding::Identity {
            return Some(tag);
        }
        let coded = &self.coded[coding.index()];
        if let Some(better) = coded.better.get() {
            return better.tag.as_ref();
        }
        let level = self.compressor.policy().levels().named(coding);
        Some(coded.tag.get_or_init(|| tag.for_coding(coding, level)))
    }

    /// The answer in `coding`, if it is there already; identity where the coding gains nothing.
    pub(super) fn ready(&self, coding: Coding) -> Option<&Variant> {
        if coding == Coding::Identity {
            return Some(&self.identity);
        }
        let coded = &self.coded[coding.index()];
        if let Some(better) = coded.better.get() {
            return Some(&better.variant);
        }
        let first = coded.first.get()?;
        Some(first.as_ref().unwrap_or(&self.identity))
    }

    /// The answer in `coding`, compressed now if nobody has done so; those who ask meanwhile wait. The number
    /// is what the call added to memory, `None` when it found the work done.
    pub(super) async fn make(&self, coding: Coding) -> (&Variant, Option<usize>) {
        let mut added = None;
        let variant = self.coded[coding.index()]
            .first
            .get_or_init(|| async {
                let start = Instant::now();
                let encoded = self.compress(coding).await;
                let tag = self.tag_in(coding);
                let variant = encoded.map(|body| self.variant(coding, body, tag, start.elapsed()));
                added = Some(variant.as_ref().map_or(0, Variant::weight));
                variant
            })
            .await;
        (variant.as_ref().unwrap_or(&self.identity), added)
    }

    /// Counts one use of a coding; the turn to encode it harder, when it has become hot and is nobody else's yet.
    pub(super) fn hot(&self, coding: Coding) -> Option<UpgradeTurn> {
        let policy = self.compressor.policy();
        let enough = policy.enough_uses()?;
        let coded = &self.coded[coding.index()];
        let uses = coded.uses.fetch_add(1, Ordering::Relaxed);
        let is_due = uses.saturating_add(1) >= enough
            && !coded.was_upgraded.load(Ordering::Relaxed)
            && self.identity.body.len() <= policy.largest_one_shot();
        if !is_due {
            return None;
        }
        let turn = self.compressor.begin_upgrade()?;
        (!coded.was_upgraded.swap(true, Ordering::Relaxed)).then_some(turn)
    }

    /// Encodes a coding harder; what that added to memory, `None` when it won nothing. For a blocking thread.
    pub(super) fn upgrade(&self, coding: Coding) -> Option<usize> {
        let coded = &self.coded[coding.index()];
        let before = coded.first.get()?.as_ref()?;
        let (body, level) = self
            .compressor
            .compress_harder(coding, &self.identity.body)?;
        if body.len() >= before.body.len() {
            return None;
        }
        let tag = self.tag.as_ref().map(|tag| tag.for_coding(coding, level));
        let variant = self.variant(coding, body, tag.as_ref(), before.cost);
        let weight = variant.weight();
        let is_set = coded.better.set(Better { variant, tag }).is_ok();
        is_set.then_some(weight)
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

    fn variant(
        &self,
        coding: Coding,
        body: Bytes,
        tag: Option<&EntityTag>,
        cost: Duration,
    ) -> Variant {
        let mut headers = self.identity.headers.clone();
        remove_plain_fields(&mut headers);
        headers.insert(CONTENT_ENCODING, coding.header_value());
        headers.insert(CONTENT_LENGTH, body.len().into());
        if let Some(tag) = tag {
            headers.insert(ETAG, tag.header_value().clone());
        }
        Variant {
            headers,
            body,
            cost,
        }
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
