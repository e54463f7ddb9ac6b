//! Compression of buffered answers through the whole stack.

use http::Method;

use super::coding::decode;
use super::exchange::{Lines, Script, json};

const GZIP: Lines<'_> = &[("accept-encoding", "gzip")];

#[tokio::test]
async fn every_coding_decodes_to_the_body_and_says_its_exact_length() {
    for coding in ["deflate", "gzip", "br", "zstd"] {
        for size in [1024, 5000, 70_000, 1_500_000] {
            let body = "0123456789abcdef".repeat(size / 16 + 1);
            let answer = json(&[])
                .with_body(body.clone())
                .ask(Method::GET, &[("accept-encoding", coding)])
                .await;
            assert_eq!(answer.field("content-encoding"), coding);
            assert_eq!(
                decode(coding, &answer.body),
                body.as_bytes(),
                "{coding} {size}"
            );
            if size <= 1024 * 1024 {
                assert_eq!(
                    answer.field("content-length"),
                    answer.body.len().to_string(),
                    "{coding} {size}"
                );
            }
        }
    }
}

#[tokio::test]
async fn trap_07_vary_is_on_every_negotiable_answer_and_never_twice() {
    let check = async |script: Script, request: Lines<'_>, status: u16, vary: &str| {
        let answer = script.ask(Method::GET, request).await;
        assert_eq!(
            (answer.status.as_u16(), answer.field("vary").as_str()),
            (status, vary),
            "{request:?}"
        );
    };
    let tagged = || json(&[("etag", "\"v\"")]);
    check(tagged(), GZIP, 200, "accept-encoding").await;
    check(tagged(), &[], 200, "accept-encoding").await;
    check(
        tagged(),
        &[("accept-encoding", "*;q=0")],
        200,
        "accept-encoding",
    )
    .await;
    check(tagged().with_body("[]"), GZIP, 200, "accept-encoding").await;
    check(
        tagged(),
        &[("if-none-match", "\"v\"")],
        304,
        "accept-encoding",
    )
    .await;
    check(tagged().with_status(404), GZIP, 404, "accept-encoding").await;
    check(
        json(&[("vary", "Accept-Encoding, Cookie")]),
        GZIP,
        200,
        "Accept-Encoding, Cookie",
    )
    .await;
    check(
        json(&[("vary", "Cookie")]),
        GZIP,
        200,
        "Cookie, accept-encoding",
    )
    .await;
    check(json(&[("vary", "*")]), GZIP, 200, "*").await;
}

#[tokio::test]
async fn trap_08_accept_encoding_decides_as_rfc_9110_says() {
    let check = async |request: Lines<'_>, expected: &str| {
        assert_eq!(
            json(&[])
                .ask(Method::GET, request)
                .await
                .field("content-encoding"),
            expected,
            "{request:?}"
        );
    };
    check(&[("accept-encoding", "gzip;q=0")], "").await;
    check(&[("accept-encoding", "*;q=0")], "").await;
    check(&[("accept-encoding", "")], "").await;
    check(&[], "").await;
    check(&[("accept-encoding", "GZIP")], "gzip").await;
    check(&[("accept-encoding", "x-gzip")], "gzip").await;
    check(&[("accept-encoding", "gzip;q=0.1234")], "").await;
    check(
        &[
            ("accept-encoding", "gzip;q=0.5"),
            ("accept-encoding", "br;q=0.6"),
        ],
        "br",
    )
    .await;
    check(&[("accept-encoding", "gzip, deflate, br, zstd")], "zstd").await;
}

#[tokio::test]
async fn trap_08_a_short_body_is_encoded_only_where_identity_is_refused() {
    let short = || json(&[]).with_body("[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]");
    assert_eq!(
        short()
            .ask(Method::GET, GZIP)
            .await
            .field("content-encoding"),
        ""
    );
    let answer = short()
        .ask(Method::GET, &[("accept-encoding", "gzip, identity;q=0")])
        .await;
    assert_eq!(answer.field("content-encoding"), "gzip");
    assert_eq!(decode("gzip", &answer.body), short().body);
}

#[tokio::test]
async fn trap_09_what_must_not_be_transformed_is_untouched() {
    let check = async |script: Script| {
        let answer = script.ask(Method::GET, GZIP).await;
        assert_eq!(answer.body, script.body, "{:?}", script.headers);
        for (name, value) in &script.headers {
            assert_eq!(answer.headers.get(name), Some(value));
        }
        assert_eq!(answer.field("vary"), "", "{:?}", script.headers);
    };
    check(json(&[("cache-control", "No-Transform, max-age=1")])).await;
    check(json(&[("content-encoding", "br")])).await;
    check(json(&[("content-range", "bytes 0-4095/9000")]).with_status(206)).await;
    check(json(&[("content-range", "bytes */9000")]).with_status(416)).await;
    check(json(&[]).with_status(206)).await;
    check(json(&[]).with_status(204).with_body("")).await;
    check(json(&[]).with_status(205).with_body("")).await;
    check(json(&[]).with_status(101).with_body("")).await;
    let mut ranges = json(&[]);
    ranges.headers.insert(
        "content-type",
        "multipart/byteranges; boundary=x".parse().unwrap(),
    );
    check(ranges).await;
    let mut image = json(&[]);
    image
        .headers
        .insert("content-type", "image/png".parse().unwrap());
    check(image).await;
}

#[tokio::test]
async fn trap_09_the_words_no_transform_inside_an_extension_mean_nothing() {
    let noise = json(&[(
        "cache-control",
        "ext=\"a, no-transform, b\", x=no-transform",
    )]);
    assert_eq!(
        noise.ask(Method::GET, GZIP).await.field("content-encoding"),
        "gzip"
    );
}

#[tokio::test]
async fn trap_09_a_request_may_forbid_the_transformation() {
    let request = [
        ("accept-encoding", "gzip"),
        ("cache-control", "no-transform"),
    ];
    let answer = json(&[]).ask(Method::GET, &request).await;
    assert_eq!(
        (answer.field("content-encoding").as_str(), &answer.body),
        ("", &json(&[]).body)
    );
}

#[tokio::test]
async fn trap_09_head_has_the_fields_of_get() {
    for request in [&[][..], GZIP, &[("accept-encoding", "zstd")]] {
        let get = json(&[("accept-ranges", "bytes")])
            .ask(Method::GET, request)
            .await;
        let head = json(&[("accept-ranges", "bytes")])
            .ask(Method::HEAD, request)
            .await;
        assert_eq!(get.headers, head.headers, "{request:?}");
    }
}

#[tokio::test]
async fn trap_09_head_without_a_body_is_judged_by_its_content_length() {
    let bodiless =
        |length: &'static str| json(&[("content-length", length), ("etag", "\"v\"")]).with_body("");
    let long = bodiless("4096").ask(Method::HEAD, GZIP).await;
    assert_eq!(
        (
            long.field("content-encoding").as_str(),
            long.field("etag").as_str()
        ),
        ("gzip", "\"v-gzip\"")
    );
    assert_eq!(
        long.field("content-length"),
        "",
        "the encoded length is not known"
    );
    let short = bodiless("10").ask(Method::HEAD, GZIP).await;
    assert_eq!(
        (
            short.field("content-encoding").as_str(),
            short.field("content-length").as_str()
        ),
        ("", "10")
    );
}

#[tokio::test]
async fn trap_09_an_encoded_answer_loses_its_ranges_and_digests() {
    let digests = [
        ("accept-ranges", "bytes"),
        ("content-digest", "sha-256=:AA==:"),
        ("content-length", "3840"),
    ];
    let answer = json(&digests).ask(Method::GET, GZIP).await;
    assert_eq!(
        (
            answer.field("accept-ranges"),
            answer.field("content-digest")
        ),
        (String::new(), String::new())
    );
    let identity = json(&digests).ask(Method::GET, &[]).await;
    assert_eq!(identity.field("accept-ranges"), "bytes");
}

#[tokio::test]
async fn trap_11_deflate_is_zlib_and_zstd_fits_the_browsers_window() {
    let answer = json(&[])
        .ask(Method::GET, &[("accept-encoding", "deflate")])
        .await;
    assert_eq!(answer.body[0] & 0x0f, 8, "a zlib header names method 8");
    assert_eq!(
        u16::from_be_bytes([answer.body[0], answer.body[1]]) % 31,
        0,
        "and carries its check bits"
    );
    let long = json(&[]).with_body("0123456789abcdef".repeat(1_000_000));
    let answer = long.ask(Method::GET, &[("accept-encoding", "zstd")]).await;
    assert_eq!(decode("zstd", &answer.body).len(), long.body.len());
}
