//! Kept answers that are asked for often are compressed harder, under a tag of their own.

use std::num::NonZeroU32;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, header};
use http_body_util::BodyExt;
use paceline_http::compression::{CompressionPolicy, Compressor};
use paceline_http::conditional::EntityTag;
use paceline_http::representation::{Entry, Representation, VariantCache};

use super::coding::decode;

type Cache = VariantCache<u64, &'static str>;

fn cache(policy: CompressionPolicy) -> Cache {
    VariantCache::new(1 << 24, Arc::new(Compressor::new(policy)))
}

fn list() -> Representation {
    let row = |number: usize| {
        format!(
            "{{\"id\":{number},\"name\":\"user {}\"}},",
            number * 31 % 977
        )
    };
    let body: String = (0..2000).map(row).collect();
    Representation::new(HeaderValue::from_static("application/json"), body)
        .with_tag(EntityTag::strong("v").unwrap())
}

/// Status, tag, length and the decoded body.
async fn get(
    entry: &Arc<Entry<u64>>,
    coding: &'static str,
    known: Option<&'static str>,
) -> (u16, String, usize, Vec<u8>) {
    let mut headers =
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(coding))]);
    if let Some(known) = known {
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(known));
    }
    let response = entry.respond(&Method::GET, &headers).await.unwrap();
    let tag = response.headers()[header::ETAG]
        .to_str()
        .unwrap()
        .to_owned();
    let (status, is_encoded) = (
        response.status().as_u16(),
        response.headers().contains_key(header::CONTENT_ENCODING),
    );
    let sent = response.into_body().collect().await.unwrap().to_bytes();
    let decoded = decode(if is_encoded { coding } else { "" }, &sent);
    (status, tag, sent.len(), decoded)
}

#[tokio::test]
async fn a_hot_answer_becomes_smaller_and_both_of_its_tags_are_understood() {
    let cache = cache(CompressionPolicy::new().upgrade_after(NonZeroU32::new(3)));
    let entry = cache.insert(b"list", 1, list());
    let (_, first_tag, first_length, body) = get(&entry, "zstd", None).await;
    assert_eq!(
        (first_tag.as_str(), &body),
        ("\"v-zstd\"", &entry.body().to_vec())
    );
    let weight = cache.statistics().bytes;
    while cache.statistics().upgrades == 0 {
        get(&entry, "zstd", None).await;
        tokio::task::yield_now().await;
    }
    let (_, tag, length, body) = get(&entry, "zstd", None).await;
    assert_eq!(
        (tag.as_str(), &body),
        ("\"v-zstd.19\"", &entry.body().to_vec())
    );
    assert!(length < first_length, "{length} {first_length}");
    for (known, answered) in [
        ("\"v-zstd\"", "\"v-zstd\""),
        ("\"v-zstd.19\"", "\"v-zstd.19\""),
        ("\"v\"", "\"v\""),
    ] {
        let (status, tag, ..) = get(&entry, "zstd", Some(known)).await;
        assert_eq!((status, tag.as_str()), (304, answered), "{known}");
    }
    assert!(cache.statistics().bytes > weight, "both are weighed");
}

#[tokio::test]
async fn figures_say_what_was_spared() {
    let cache = cache(CompressionPolicy::new().upgrade_after(None));
    let entry = cache.insert(b"list", 1, list());
    for _ in 0..200 {
        get(&entry, "gzip", None).await;
    }
    get(&entry, "identity", None).await;
    let done = cache.statistics();
    assert_eq!(
        (done.compressions, done.encoded_hits, done.upgrades),
        (1, 199, 0)
    );
    let (_, _, length, _) = get(&entry, "gzip", None).await;
    assert_eq!(done.bytes_saved, 200 * (entry.body().len() - length) as u64);
    assert!(!done.time_saved.is_zero());
}
