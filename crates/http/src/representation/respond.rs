//! One request against a representation: negotiation, preconditions, answer.

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

use super::variants::{Variant, Variants};
use crate::cache_control::cache_control_has;
use crate::compression::{AcceptEncoding, Coding};
use crate::conditional::{CurrentState, Decision, IfNoneMatch, PreconditionRefused, evaluate};

/// What a request gets.
enum Answer {
    /// 200 in this coding.
    Full(Coding),
    /// 304 with this tag.
    NotModified(Option<HeaderValue>),
}

/// The response, and what it took.
pub(super) struct Responded {
    pub(super) response: Result<Response<Full<Bytes>>, PreconditionRefused>,
    /// What compressing for it added to memory.
    pub(super) added: Option<usize>,
    pub(super) sent: Option<Sent>,
}

/// An encoded body that was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) coding: Coding,
    /// Bytes that encoding spared.
    pub(super) bytes_saved: usize,
    /// What encoding took, once.
    pub(super) cost: Duration,
}

impl Responded {
    fn without_body(response: Result<Response<Full<Bytes>>, PreconditionRefused>) -> Self {
        Self {
            response,
            added: None,
            sent: None,
        }
    }
}

impl Variants {
    pub(super) async fn respond(&self, method: &Method, headers: &HeaderMap) -> Responded {
        let coding = self.negotiate(headers);
        match self.decide(method, headers, coding) {
            Err(refused) => Responded::without_body(Err(refused)),
            Ok(Answer::NotModified(tag)) => Responded::without_body(Ok(self.not_modified(tag))),
            Ok(Answer::Full(coding)) => {
                let (variant, added) = match self.ready(coding) {
                    Some(variant) => (variant, None),
                    None => self.make(coding).await,
                };
                let is_encoded = !std::ptr::eq(variant, &raw const self.identity);
                Responded {
                    response: Ok(full(method, variant)),
                    added,
                    sent: is_encoded.then(|| Sent {
                        coding,
                        bytes_saved: self.identity.body.len() - variant.body.len(),
                        cost: variant.cost,
                    }),
                }
            }
        }
    }

    fn negotiate(&self, headers: &HeaderMap) -> Coding {
        if !self.is_negotiable
            || self.identity.body.is_empty()
            || !headers.contains_key(ACCEPT_ENCODING)
        {
            return Coding::Identity;
        }
        let policy = self.compressor.policy();
        let accepted = AcceptEncoding::from_headers(headers);
        let is_short = self.identity.body.len() < policy.smallest();
        if (is_short && accepted.accepts_identity())
            || cache_control_has(headers.get_all(CACHE_CONTROL), "no-transform")
        {
            return Coding::Identity;
        }
        accepted.negotiate(policy.offered()).or_identity()
    }

    fn decide(
        &self,
        method: &Method,
        headers: &HeaderMap,
        coding: Coding,
    ) -> Result<Answer, PreconditionRefused> {
        let has = |name| headers.contains_key(name);
        let guarded = has(IF_MATCH) || has(IF_UNMODIFIED_SINCE);
        if !guarded && !has(IF_NONE_MATCH) && !has(IF_MODIFIED_SINCE) {
            return Ok(Answer::Full(coding));
        }
        let is_plain_read = !guarded && matches!(*method, Method::GET | Method::HEAD);
        if is_plain_read && let Some(tag) = self.only_tag(headers, coding) {
            return Ok(Answer::NotModified(Some(tag)));
        }
        let mut state = self
            .tag
            .as_ref()
            .map_or(CurrentState::untagged(), CurrentState::tagged);
        if let Some(time) = self.last_modified {
            state = state.with_last_modified(time);
        }
        match evaluate(method, headers, &state) {
            Decision::Proceed => Ok(Answer::Full(coding)),
            Decision::Refuse(refused) => Err(refused),
            Decision::NotModified => Ok(Answer::NotModified(self.held_tag(headers, coding))),
        }
    }

    /// The usual case: one line with the very tag this client was sent.
    fn only_tag(&self, headers: &HeaderMap, coding: Coding) -> Option<HeaderValue> {
        let mut lines = headers.get_all(IF_NONE_MATCH).iter();
        let (first, second) = (lines.next()?, lines.next());
        let tag = self.tag_in(coding)?.header_value();
        (second.is_none() && first == tag).then(|| tag.clone())
    }

    fn held_tag(&self, headers: &HeaderMap, coding: Coding) -> Option<HeaderValue> {
        let (current, negotiated) = (self.tag.as_ref()?, self.tag_in(coding)?);
        let held = IfNoneMatch::from_headers(headers).held(current, negotiated);
        Some(held.as_ref().unwrap_or(negotiated).header_value().clone())
    }

    fn not_modified(&self, tag: Option<HeaderValue>) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.headers_mut() = self.not_modified.clone();
        if let Some(tag) = tag {
            response.headers_mut().insert(ETAG, tag);
        }
        response
    }
}

fn full(method: &Method, variant: &Variant) -> Response<Full<Bytes>> {
    let body = if *method == Method::HEAD {
        Bytes::new()
    } else {
        variant.body.clone()
    };
    let mut response = Response::new(Full::new(body));
    *response.headers_mut() = variant.headers.clone();
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, VARY};
    use http_body_util::BodyExt;

    use super::super::representation::Representation;
    use super::*;
    use crate::compression::{CompressionPolicy, Compressor};
    use crate::conditional::EntityTag;

    fn variants(length: usize, change: impl FnOnce(Representation) -> Representation) -> Variants {
        let plain = Representation::new(
            HeaderValue::from_static("application/json"),
            "x".repeat(length),
        )
        .with_tag(EntityTag::strong("v").unwrap())
        .with_header(
            CACHE_CONTROL,
            HeaderValue::from_static("private, max-age=5"),
        );
        Variants::new(
            change(plain),
            Arc::new(Compressor::new(CompressionPolicy::new())),
        )
    }

    fn request(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |&(name, value)| {
            (
                http::HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        lines.iter().map(pair).collect()
    }

    /// Status, coding and tag of a `GET`.
    async fn check(
        variants: &Variants,
        lines: &[(&'static str, &'static str)],
        expected: (u16, &str, &str),
    ) {
        let response = variants
            .respond(&Method::GET, &request(lines))
            .await
            .response
            .unwrap();
        let field = |name| {
            response
                .headers()
                .get(name)
                .map_or("", |value: &HeaderValue| value.to_str().unwrap())
        };
        assert_eq!(
            (
                response.status().as_u16(),
                field(CONTENT_ENCODING),
                field(ETAG)
            ),
            expected,
            "{lines:?}"
        );
    }

    #[tokio::test]
    async fn each_coding_has_its_tag_and_each_tag_gets_its_304() {
        let variants = variants(4096, |plain| plain);
        for (accepted, coding, tag) in [
            ("identity", "", "\"v\""),
            ("deflate", "deflate", "\"v-deflate\""),
            ("gzip", "gzip", "\"v-gzip\""),
            ("br", "br", "\"v-br\""),
            ("zstd", "zstd", "\"v-zstd\""),
        ] {
            check(
                &variants,
                &[("accept-encoding", accepted), ("if-none-match", tag)],
                (304, "", tag),
            )
            .await;
            check(
                &variants,
                &[("accept-encoding", accepted)],
                (200, coding, tag),
            )
            .await;
            check(&variants, &[("if-none-match", tag)], (304, "", tag)).await;
            check(
                &variants,
                &[("accept-encoding", "br"), ("if-none-match", tag)],
                (304, "", tag),
            )
            .await;
        }
        check(
            &variants,
            &[("accept-encoding", "br"), ("if-none-match", "*")],
            (304, "", "\"v-br\""),
        )
        .await;
        check(
            &variants,
            &[("accept-encoding", "br"), ("if-none-match", "\"w\"")],
            (200, "br", "\"v-br\""),
        )
        .await;
        check(
            &variants,
            &[("accept-encoding", "*;q=0")],
            (200, "", "\"v\""),
        )
        .await;
        check(
            &variants,
            &[
                ("accept-encoding", "gzip"),
                ("cache-control", "no-transform"),
            ],
            (200, "", "\"v\""),
        )
        .await;
    }

    #[tokio::test]
    async fn short_bodies_are_compressed_only_for_a_client_that_refuses_identity() {
        let variants = variants(1023, |plain| plain);
        check(
            &variants,
            &[("accept-encoding", "gzip")],
            (200, "", "\"v\""),
        )
        .await;
        check(
            &variants,
            &[("accept-encoding", "gzip, identity;q=0")],
            (200, "gzip", "\"v-gzip\""),
        )
        .await;
    }

    #[tokio::test]
    async fn what_must_not_be_transformed_is_sent_as_it_is_and_does_not_vary() {
        let no_transform = HeaderValue::from_static("no-transform");
        let variants = variants(4096, |plain| plain.with_header(CACHE_CONTROL, no_transform));
        check(
            &variants,
            &[("accept-encoding", "gzip")],
            (200, "", "\"v\""),
        )
        .await;
        assert!(!variants.identity.headers.contains_key(VARY));
    }

    #[tokio::test]
    async fn head_has_the_fields_of_get_and_no_body() {
        let variants = variants(4096, |plain| plain);
        let headers = request(&[("accept-encoding", "gzip")]);
        let get = variants
            .respond(&Method::GET, &headers)
            .await
            .response
            .unwrap();
        let head = variants
            .respond(&Method::HEAD, &headers)
            .await
            .response
            .unwrap();
        assert_eq!(get.headers(), head.headers());
        let sent = get.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(head.headers()[CONTENT_LENGTH], sent.len().to_string());
        assert!(
            head.into_body()
                .collect()
                .await
                .unwrap()
                .to_bytes()
                .is_empty()
        );
    }

    #[tokio::test]
    async fn a_304_carries_the_cache_fields_and_nothing_of_the_body() {
        let variants = variants(4096, |plain| plain);
        let response = variants
            .respond(&Method::GET, &request(&[("if-none-match", "\"v\"")]))
            .await
            .response
            .unwrap();
        let mut names: Vec<_> = response
            .headers()
            .keys()
            .map(http::HeaderName::as_str)
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["cache-control", "etag", "vary"]);
    }

    #[tokio::test]
    async fn false_and_malformed_preconditions_are_refused() {
        let variants = variants(4096, |plain| plain);
        let check = async |method: Method,
                           lines: &[(&'static str, &'static str)],
                           expected: PreconditionRefused| {
            let refused = variants
                .respond(&method, &request(lines))
                .await
                .response
                .map(|response| response.status());
            assert_eq!(refused, Err(expected), "{method} {lines:?}");
        };
        check(
            Method::GET,
            &[("if-match", "\"w\"")],
            PreconditionRefused::Failed,
        )
        .await;
        check(
            Method::GET,
            &[("if-match", "\"w\""), ("if-none-match", "\"v\"")],
            PreconditionRefused::Failed,
        )
        .await;
        check(
            Method::GET,
            &[("if-match", "v")],
            PreconditionRefused::Malformed,
        )
        .await;
        check(
            Method::POST,
            &[("if-none-match", "\"v\"")],
            PreconditionRefused::Failed,
        )
        .await;
    }
}
