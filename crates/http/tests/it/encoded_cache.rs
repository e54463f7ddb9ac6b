//! Encoded bodies are kept: equal bytes are encoded once.

use std::convert::Infallible;
use std::future::ready;
use std::num::NonZeroU32;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use paceline_http::compression::{CompressionLayer, CompressionPolicy, EncodedCache, KeyedBy};
use tower::{Layer, ServiceExt, service_fn};

use super::coding::decode;

const CODINGS: [&str; 4] = ["gzip", "br", "zstd", "deflate"];

/// Answers `body` to `path` with the tag `"v"`; what the client decodes, and the tag.
async fn ask(
    cache: &EncodedCache,
    uses: u32,
    path: &str,
    coding: &str,
    body: &Bytes,
) -> (Vec<u8>, String) {
    ask_tagged(cache, uses, path, coding, body, "\"v\"").await
}

async fn ask_tagged(
    cache: &EncodedCache,
    uses: u32,
    path: &str,
    coding: &str,
    body: &Bytes,
    tag: &'static str,
) -> (Vec<u8>, String) {
    let policy = CompressionPolicy::new().upgrade_after(NonZeroU32::new(uses));
    let body = body.clone();
    let handler = service_fn(move |_: Request<()>| {
        let mut response = Response::new(Full::new(body.clone()));
        let headers = response.headers_mut();
        headers.insert("content-type", "application/json".parse().unwrap());
        headers.insert("etag", tag.parse().unwrap());
        ready(Ok::<_, Infallible>(response))
    });
    let service = CompressionLayer::new(policy)
        .with_cache(cache.clone())
        .layer(handler);
    let request = Request::get(path)
        .header("accept-encoding", coding)
        .body(())
        .unwrap();
    let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
    let sent = body.collect().await.unwrap().to_bytes();
    assert_eq!(parts.headers["content-length"], sent.len().to_string());
    assert_eq!(parts.headers["content-encoding"], coding);
    (
        decode(coding, &sent),
        parts.headers["etag"].to_str().unwrap().to_owned(),
    )
}

fn rows(seed: usize, count: usize) -> Bytes {
    let row = |number: usize| {
        format!(
            "{{\"id\":{},\"name\":\"user {}\"}},",
            number * seed,
            number % 17
        )
    };
    (0..count).map(row).collect::<String>().into()
}

#[tokio::test]
async fn equal_bytes_are_encoded_once_for_each_coding() {
    let cache = EncodedCache::new(1 << 20);
    for round in 0..3_u64 {
        for coding in CODINGS {
            for (path, body) in [("/a", rows(3, 200)), ("/b", rows(7, 4000))] {
                assert_eq!(
                    ask(&cache, 0, path, coding, &body).await.0,
                    body,
                    "{coding}"
                );
            }
        }
        let done = cache.statistics();
        assert_eq!((done.misses, done.hits), (8, 8 * round), "{done:?}");
    }
    let done = cache.statistics();
    assert_eq!(done.entries, 8);
    assert!(
        done.bytes_saved > 500_000 && !done.time_saved.is_zero(),
        "{done:?}"
    );
}

#[tokio::test]
async fn another_body_is_never_taken_for_one_that_is_kept() {
    let cache = EncodedCache::new(1 << 20);
    for seed in 1..50 {
        let body = rows(seed, 300);
        assert_eq!(ask(&cache, 0, "/same", "gzip", &body).await.0, body);
    }
    assert_eq!(cache.statistics().hits, 0);
}

#[tokio::test]
async fn by_validator_the_bytes_are_not_looked_at() {
    let cache = EncodedCache::keyed(1 << 20, KeyedBy::Validator);
    let body = rows(3, 200);
    for (path, hits) in [("/a", 0), ("/a", 1), ("/a?b", 1)] {
        assert_eq!(ask(&cache, 0, path, "gzip", &body).await.0, body);
        assert_eq!(cache.statistics().hits, hits, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_body_that_many_ask_for_at_once_is_encoded_once() {
    let cache = EncodedCache::new(8 << 20);
    let body = rows(3, 20_000);
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (cache, body) = (cache.clone(), body.clone());
            tokio::spawn(async move { ask(&cache, 0, "/long", "gzip", &body).await.0 == body })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert_eq!(cache.statistics().misses, 1);
}

#[tokio::test]
async fn memory_stays_within_the_budget() {
    let budget = 64 * 1024;
    let cache = EncodedCache::new(budget);
    for seed in 1..200 {
        ask(&cache, 0, "/", "gzip", &rows(seed, 500)).await;
        assert!(cache.statistics().bytes <= budget);
    }
    assert!(cache.statistics().entries > 5);
}

#[tokio::test]
async fn a_hot_body_is_encoded_harder_and_its_tag_names_the_level() {
    for (coding, level) in [("zstd", "19"), ("br", "9"), ("gzip", "9"), ("deflate", "9")] {
        let cache = EncodedCache::new(1 << 20);
        let body = rows(3, 1000);
        let before = format!("\"v-{coding}\"");
        for _ in 0..4 {
            assert_eq!(
                ask(&cache, 5, "/", coding, &body).await,
                (body.to_vec(), before.clone())
            );
        }
        let after = format!("\"v-{coding}.{level}\"");
        while cache.statistics().upgrades == 0 {
            ask(&cache, 5, "/", coding, &body).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(
            ask(&cache, 5, "/", coding, &body).await,
            (body.to_vec(), after),
            "{coding}"
        );
        assert_eq!(cache.statistics().entries, 1);
    }
}

#[tokio::test]
async fn trap_07_answers_that_depend_on_who_asks_never_mix_in_the_cache() {
    for by in [KeyedBy::Content, KeyedBy::Validator] {
        let cache = EncodedCache::keyed(1 << 20, by);
        for round in 0..2_u64 {
            for (tag, seed) in [("\"ada\"", 300), ("\"bob\"", 500), ("\"eve\"", 700)] {
                let body = rows(seed, 200);
                let (decoded, _) = ask_tagged(&cache, 0, "/me", "gzip", &body, tag).await;
                assert_eq!(decoded, body, "{by:?} {tag}");
            }
            assert_eq!(cache.statistics().hits, 3 * round, "{by:?}");
        }
    }
}
