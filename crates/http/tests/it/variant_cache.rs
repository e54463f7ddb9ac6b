//! The variant cache: one render, one compression, a budget, and no answer from an older state.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{HeaderMap, HeaderValue, Method, header};
use http_body_util::BodyExt;
use paceline_http::compression::{CompressionPolicy, Compressor};
use paceline_http::conditional::EntityTag;
use paceline_http::representation::{Entry, Representation, VariantCache};
use tokio::sync::Notify;

use super::coding::decode;

type Cache = VariantCache<u64, &'static str>;

fn cache(budget: u64) -> Arc<Cache> {
    Arc::new(VariantCache::new(
        budget,
        Arc::new(Compressor::new(CompressionPolicy::new())),
    ))
}

fn answer(text: &str, length: usize) -> Representation {
    let body = text.repeat(length / text.len() + 1);
    Representation::new(HeaderValue::from_static("application/json"), body)
        .with_tag(EntityTag::strong(text).expect("tests use legal tags"))
}

fn accepting(coding: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(coding))])
}

async fn get(entry: &Arc<Entry<u64>>, coding: &'static str) -> Vec<u8> {
    let response = entry
        .respond(&Method::GET, &accepting(coding))
        .await
        .unwrap();
    let coding = response
        .headers()
        .get(header::CONTENT_ENCODING)
        .map_or("", |name| name.to_str().unwrap())
        .to_owned();
    decode(
        &coding,
        &response.into_body().collect().await.unwrap().to_bytes(),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_who_ask_at_once_cost_one_render_and_one_compression() {
    let (cache, renders, all_are_here) = (
        cache(1 << 26),
        Arc::new(AtomicUsize::new(0)),
        Arc::new(Notify::new()),
    );
    let tasks: Vec<_> = (0..1000)
        .map(|_| {
            let (cache, renders, all_are_here) = (
                Arc::clone(&cache),
                Arc::clone(&renders),
                Arc::clone(&all_are_here),
            );
            tokio::spawn(async move {
                let render = || async {
                    renders.fetch_add(1, Ordering::SeqCst);
                    all_are_here.notified().await;
                    Ok(answer("row", 200_000))
                };
                let entry = cache.get_or_render(b"list", 1, render).await.unwrap();
                get(&entry, "zstd").await.len()
            })
        })
        .collect();
    while cache.statistics().joins < 999 {
        tokio::task::yield_now().await;
    }
    all_are_here.notify_one();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200_001);
    }
    let done = cache.statistics();
    assert_eq!(renders.load(Ordering::SeqCst), 1);
    assert_eq!(
        (done.renders, done.misses, done.joins, done.compressions),
        (1, 1000, 999, 1)
    );
}

#[tokio::test]
async fn an_entry_counts_only_while_its_validity_is_the_same() {
    let cache = cache(1 << 26);
    let render = |text: &'static str| move || async move { Ok(answer(text, 2000)) };
    let old = cache
        .get_or_render(b"list", 1, render("old"))
        .await
        .unwrap();
    assert!(cache.get(b"list", &1).is_some());
    assert!(cache.get(b"list", &2).is_none());
    assert!(cache.get(b"other", &1).is_none());
    let new = cache
        .get_or_render(b"list", 2, render("new"))
        .await
        .unwrap();
    assert_ne!(old.body(), new.body());
    assert!(cache.get(b"list", &1).is_none());
    assert_eq!(
        cache.statistics().entries,
        1,
        "the new one took the place of the old"
    );
    assert_eq!(
        get(&old, "gzip").await,
        *old.body(),
        "an entry in use stays usable"
    );
    assert!(
        cache.get(b"list", &2).is_some(),
        "and does not come back by being used"
    );
}

#[tokio::test]
async fn an_error_reaches_everyone_who_waited_and_is_not_kept() {
    let (cache, go) = (cache(1 << 26), Arc::new(Notify::new()));
    let failing = {
        let (cache, go) = (Arc::clone(&cache), Arc::clone(&go));
        tokio::spawn(async move {
            let render = || async {
                go.notified().await;
                Err("no such table")
            };
            cache.get_or_render(b"list", 1, render).await.map(drop)
        })
    };
    while cache.statistics().renders == 0 {
        tokio::task::yield_now().await;
    }
    let waiting = {
        let cache = Arc::clone(&cache);
        tokio::spawn(async move {
            cache
                .get_or_render(b"list", 1, || async { Ok(answer("x", 10)) })
                .await
                .map(drop)
        })
    };
    while cache.statistics().joins == 0 {
        tokio::task::yield_now().await;
    }
    go.notify_one();
    assert_eq!(failing.await.unwrap(), Err("no such table"));
    assert_eq!(waiting.await.unwrap(), Err("no such table"));
    assert!(
        cache
            .get_or_render(b"list", 1, || async { Ok(answer("x", 10)) })
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_leader_that_is_cancelled_or_panics_strands_nobody() {
    for panics in [false, true] {
        let (cache, go) = (cache(1 << 26), Arc::new(Notify::new()));
        let leader = {
            let (cache, go) = (Arc::clone(&cache), Arc::clone(&go));
            tokio::spawn(async move {
                let render = || async {
                    go.notified().await;
                    panic!("a panic in a render, on purpose");
                };
                cache.get_or_render(b"list", 1, render).await.map(drop)
            })
        };
        while cache.statistics().renders == 0 {
            tokio::task::yield_now().await;
        }
        let followers: Vec<_> = (0..10)
            .map(|_| {
                let cache = Arc::clone(&cache);
                tokio::spawn(async move {
                    cache
                        .get_or_render(b"list", 1, || async { Ok(answer("x", 10)) })
                        .await
                        .map(drop)
                })
            })
            .collect();
        while cache.statistics().joins < 10 {
            tokio::task::yield_now().await;
        }
        if panics {
            go.notify_one();
        } else {
            leader.abort();
        }
        for follower in followers {
            assert_eq!(follower.await.unwrap(), Ok(()), "panics: {panics}");
        }
        assert_eq!(
            cache.statistics().renders,
            2,
            "one of the followers took over, panics: {panics}"
        );
    }
}

#[tokio::test]
async fn memory_stays_within_the_budget_with_every_coding_counted() {
    let budget = 2 << 20;
    let cache = cache(budget);
    let mut before = 0;
    for number in 0..400_u64 {
        let render = || async move { Ok(answer(&format!("row{number},"), 20_000)) };
        let entry = cache
            .get_or_render(&number.to_be_bytes(), 1, render)
            .await
            .unwrap();
        if number == 0 {
            before = cache.statistics().bytes;
            assert!(before > 20_000);
        }
        for coding in ["gzip", "br", "zstd"] {
            get(&entry, coding).await;
        }
        if number == 0 {
            assert!(
                cache.statistics().bytes > before + 300,
                "variants are weighed"
            );
        }
        assert!(cache.statistics().bytes <= budget);
    }
    let done = cache.statistics();
    assert_eq!(done.entries + done.evictions, 400);
    assert!(done.entries > 40, "the budget is used: {done:?}");
}

#[tokio::test]
async fn what_is_too_large_or_must_not_be_stored_is_sent_and_not_kept() {
    let cache = cache(8 << 20);
    let too_large = usize::try_from(cache.largest_entry()).unwrap();
    let entry = cache
        .get_or_render(b"large", 1, || async { Ok(answer("x", too_large)) })
        .await
        .unwrap();
    assert_eq!(get(&entry, "zstd").await.len(), too_large + 1);
    let private = HeaderValue::from_static("no-store");
    let render = || async { Ok(answer("x", 10).with_header(header::CACHE_CONTROL, private)) };
    cache.get_or_render(b"private", 1, render).await.unwrap();
    assert!(cache.get(b"large", &1).is_none() && cache.get(b"private", &1).is_none());
    assert_eq!(
        (cache.statistics().entries, cache.statistics().bytes),
        (0, 0)
    );
}

#[tokio::test]
async fn an_answer_without_the_cache_is_the_same_answer() {
    let compressor = Arc::new(Compressor::new(CompressionPolicy::new()));
    let cache = cache(1 << 26);
    let entry = cache.insert(b"list", 1, answer("row", 5000));
    for coding in ["identity", "gzip", "br", "zstd", "deflate"] {
        let headers = accepting(coding);
        let kept = entry.respond(&Method::GET, &headers).await.unwrap();
        let single = answer("row", 5000)
            .into_response(&Method::GET, &headers, &compressor)
            .await
            .unwrap();
        assert_eq!(kept.headers(), single.headers(), "{coding}");
        let bytes = single.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(
            kept.into_body().collect().await.unwrap().to_bytes(),
            bytes,
            "{coding}"
        );
    }
}
