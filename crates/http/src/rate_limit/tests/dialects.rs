//! The header fields in each dialect.

use super::*;

async fn check(dialect: HeaderDialect, expected: &[(&str, &str)]) {
    let mut server = Server::new(api_and_login());
    server.clock.set(Timestamp::from_millis(1_000_000));
    server.layer = server.layer.with_headers(dialect);
    for _ in 0..4 {
        server.ask("192.0.2.1", "/api/auth/login", 401).await;
    }
    let last = server.ask("192.0.2.1", "/api/auth/login", 401).await;
    let mut found: Vec<(&str, &str)> = last
        .headers()
        .iter()
        .filter(|(name, _)| name.as_str().contains("ratelimit"))
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected, "{dialect:?}");
    let refused = server.ask("192.0.2.1", "/api/auth/login", 401).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(field(refused.headers(), "retry-after"), "3600");
    let told = refused.headers().keys();
    let told = told.filter(|name| name.as_str().contains("ratelimit"));
    assert_eq!(told.count(), expected.len(), "{dialect:?}");
}

#[tokio::test]
async fn each_dialect_has_its_fields_and_the_scarcest_policy_where_there_is_one_value() {
    check(
        HeaderDialect::Draft10,
        &[
            ("ratelimit", "\"api\";r=95;t=900, \"login\";r=0;t=3600"),
            (
                "ratelimit-policy",
                "\"api\";q=100;w=900, \"login\";q=5;w=3600",
            ),
        ],
    )
    .await;
    check(
        HeaderDialect::Draft7,
        &[
            ("ratelimit", "limit=5, remaining=0, reset=3600"),
            ("ratelimit-policy", "100;w=900, 5;w=3600"),
        ],
    )
    .await;
    check(
        HeaderDialect::Draft6,
        &[
            ("ratelimit-limit", "5"),
            ("ratelimit-policy", "100;w=900, 5;w=3600"),
            ("ratelimit-remaining", "0"),
            ("ratelimit-reset", "3600"),
        ],
    )
    .await;
    check(
        HeaderDialect::Legacy,
        &[
            ("x-ratelimit-limit", "5"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "4600"),
        ],
    )
    .await;
    check(
        HeaderDialect::LegacySeconds,
        &[
            ("x-ratelimit-limit", "5"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "3600"),
        ],
    )
    .await;
    check(HeaderDialect::None, &[]).await;
}

/// Two layers around one route, in a dialect with single values: the client learns of the one that binds.
#[tokio::test]
async fn of_two_layers_the_one_with_less_left_is_told() {
    for dialect in [
        HeaderDialect::Draft7,
        HeaderDialect::Draft6,
        HeaderDialect::LegacySeconds,
    ] {
        for (outer, inner) in [(9, 4), (4, 9)] {
            let layer = |max| {
                let policy = policy(&format!("of-{max}"), max, HOUR);
                RateLimitLayer::new([policy]).with_headers(dialect)
            };
            let service =
                layer(outer).layer(layer(inner).layer(service_fn(async |_: Request<()>| {
                    Ok::<_, Infallible>(Response::new(Body::empty()))
                })));
            let response = service.oneshot(request("192.0.2.1", "/")).await.unwrap();
            let headers = response.headers();
            let told = [
                field(headers, "ratelimit"),
                field(headers, "ratelimit-remaining"),
                field(headers, "x-ratelimit-remaining"),
            ]
            .concat();
            let expected = match dialect {
                HeaderDialect::Draft7 => "limit=4, remaining=3, reset=3600",
                _ => "3",
            };
            assert_eq!(told, expected, "{dialect:?} {outer} {inner}");
        }
    }
}
