//! All layers around one service, without boxes between them, in the documented order.

use std::convert::Infallible;
use std::future::ready;
use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, request};
use http_body_util::{BodyExt, Full};
use paceline_http::client_ip::{ClientAddressLayer, TrustedProxies};
use paceline_http::compression::{CompressionLayer, EncodedCache};
use paceline_http::conditional::{ConditionalLayer, EntityTag, KnownState, ValidatorLayer};
use paceline_http::rate_limit::{Policy, Quota, RateLimitLayer};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use super::coding::decode;

#[tokio::test]
async fn limits_compression_validators_and_hashes_stand_around_one_handler() {
    let quota = Quota::new(NonZeroU32::new(3).unwrap(), Duration::from_mins(1)).unwrap();
    let version = |request: &request::Parts| {
        let tag = EntityTag::strong("v").unwrap();
        ready((request.uri.path() == "/known").then(|| KnownState::tagged(tag)))
    };
    let body = "{\"id\":1},".repeat(500);
    let text = Bytes::from(body.clone());
    let handler = service_fn(move |_: Request<()>| {
        let mut response = Response::new(Full::new(text.clone()));
        let json = "application/json".parse().unwrap();
        response.headers_mut().insert("content-type", json);
        ready(Ok::<_, Infallible>(response))
    });
    let mut service = ServiceBuilder::new()
        .layer(ClientAddressLayer::new(TrustedProxies::none()))
        .layer(RateLimitLayer::new([Policy::new("api", quota).unwrap()]))
        .layer(CompressionLayer::default().with_cache(EncodedCache::new(1 << 20)))
        .layer(ValidatorLayer::new(version))
        .layer(ConditionalLayer::new())
        .service(handler);
    for (path, known, status) in [
        ("/known", "\"v-gzip\"", 304),
        ("/known", "\"w-gzip\"", 200),
        ("/hashed", "\"w-gzip\"", 200),
        ("/known", "\"v-gzip\"", 429),
    ] {
        let request = Request::get(path)
            .header("accept-encoding", "gzip")
            .header("if-none-match", known)
            .body(())
            .unwrap();
        let ready = service.ready().await.unwrap();
        let (parts, sent) = ready.call(request).await.unwrap().into_parts();
        assert_eq!(parts.status, status, "{path} {known}");
        let sent = sent.collect().await.unwrap().to_bytes();
        if status == 200 {
            assert_eq!(decode("gzip", &sent), body.as_bytes(), "{path}");
        }
    }
}
