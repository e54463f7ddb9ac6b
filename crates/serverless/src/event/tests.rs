//! Events as gateways send them, in miniature.

use http_body_util::BodyExt as _;
use serde_json::json;

use super::*;
use crate::warm_up::Sender;

fn read_with(event: &Value, stage: StagePrefix) -> Result<Event, UnknownEvent> {
    let payload = serde_json::to_vec(event).expect("JSON");
    super::read(&payload, &Matching::default(), stage)
}

fn http(event: &Value) -> (Shape, Request<Body>) {
    match read_with(event, StagePrefix::Removed) {
        Ok(Event::Http(shape, Ok(request))) => (shape, *request),
        other => panic!("{event}: {other:?}"),
    }
}

fn malformed(event: &Value) -> String {
    match read_with(event, StagePrefix::Removed) {
        Ok(Event::Http(_, Err(malformed))) => malformed.to_string(),
        other => panic!("{event}: {other:?}"),
    }
}

async fn text(request: Request<Body>) -> String {
    let body = request.into_body().collect().await.expect("a whole body");
    String::from_utf8(body.to_bytes().to_vec()).expect("text")
}

fn header<'a>(request: &'a Request<Body>, name: &str) -> Vec<&'a str> {
    let values = request.headers().get_all(name).iter();
    values.map(|value| value.to_str().expect("text")).collect()
}

fn client(request: &Request<Body>) -> Option<String> {
    let address = request.extensions().get::<ClientAddress>();
    address.map(|address| address.0.to_string())
}

/// A request of a REST API.
fn rest() -> Value {
    json!({
        "resource": "/{proxy+}", "path": "/users/7", "httpMethod": "POST",
        "headers": {"Accept": "text/html", "Host": "api.example"},
        "multiValueHeaders": {"Accept": ["application/json", "text/html"], "Host": ["api.example"]},
        "queryStringParameters": {"tag": "b&c"},
        "multiValueQueryStringParameters": {"tag": ["a b", "b&c"], "zone[x]": ["\u{e9}"]},
        "pathParameters": {"proxy": "users/7"}, "stageVariables": null,
        "requestContext": {
            "stage": "prod", "path": "/prod/users/7", "identity": {"sourceIp": "192.0.2.7"},
            "domainName": "abc.execute-api.eu-west-1.amazonaws.com", "authorizer": {"principalId": "7"}
        },
        "body": "{\"name\":\"Ada\"}", "isBase64Encoded": false
    })
}

/// A request of an HTTP API.
fn http_api() -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/prod/users/7",
        "rawQueryString": "tag=a%20b&tag=c+d&x=&y",
        "cookies": ["a=1", "b=2"],
        "headers": {"accept": "text/html,application/json", "host": "api.example"},
        "queryStringParameters": {"tag": "a b,c d"},
        "requestContext": {
            "stage": "prod", "domainName": "api.example",
            "http": {"method": "PUT", "path": "/prod/users/7", "sourceIp": "2001:db8::7"}
        },
        "body": "aGVsbG8=", "isBase64Encoded": true
    })
}

/// A request through a load balancer.
fn load_balancer() -> Value {
    json!({
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:r:1:targetgroup/x/1"}},
        "httpMethod": "GET", "path": "/users",
        "queryStringParameters": {"tag": "a%20b", "x": "1"},
        "headers": {"host": "lb.example", "x-forwarded-for": "198.51.100.1, 192.0.2.9"},
        "body": "", "isBase64Encoded": false
    })
}

#[tokio::test]
async fn a_rest_api_sends_lists_and_a_decoded_query() {
    let (shape, request) = http(&rest());
    assert_eq!(shape, Shape::Rest);
    assert_eq!(request.method(), "POST");
    assert_eq!(
        request.uri(),
        "/users/7?tag=a%20b&tag=b%26c&zone%5Bx%5D=%C3%A9"
    );
    assert_eq!(
        header(&request, "accept"),
        ["application/json", "text/html"]
    );
    assert_eq!(header(&request, "host"), ["api.example"]);
    assert_eq!(client(&request).as_deref(), Some("192.0.2.7"));
    let context = request
        .extensions()
        .get::<RequestContext>()
        .expect("it is kept");
    assert_eq!(context.as_json()["authorizer"]["principalId"], "7");
    assert_eq!(text(request).await, "{\"name\":\"Ada\"}");
}

#[tokio::test]
async fn an_http_api_sends_a_raw_query_and_cookies_apart() {
    let (shape, request) = http(&http_api());
    assert_eq!(shape, Shape::Http);
    assert_eq!(request.method(), "PUT");
    assert_eq!(request.uri(), "/users/7?tag=a%20b&tag=c+d&x=&y");
    assert_eq!(header(&request, "cookie"), ["a=1; b=2"]);
    assert_eq!(client(&request).as_deref(), Some("2001:db8::7"));
    assert_eq!(text(request).await, "hello");
}

#[tokio::test]
async fn a_load_balancer_decodes_nothing_and_its_lists_are_a_setting() {
    let (shape, request) = http(&load_balancer());
    assert_eq!(shape, Shape::LoadBalancer { multi_value: false });
    assert_eq!(request.uri(), "/users?tag=a%20b&x=1");
    assert_eq!(client(&request).as_deref(), Some("192.0.2.9"));
    let mut lists = load_balancer();
    let event = lists.as_object_mut().expect("members");
    event.remove("headers");
    event.remove("queryStringParameters");
    event.insert(
        "multiValueHeaders".into(),
        json!({"x-forwarded-for": ["[2001:db8::1]:443"], "cookie": ["a=1", "b=2"]}),
    );
    event.insert(
        "multiValueQueryStringParameters".into(),
        json!({"tag": ["a%20b", "c"]}),
    );
    let (shape, request) = http(&lists);
    assert_eq!(shape, Shape::LoadBalancer { multi_value: true });
    assert_eq!(request.uri(), "/users?tag=a%20b&tag=c");
    assert_eq!(header(&request, "cookie"), ["a=1", "b=2"]);
    assert_eq!(client(&request).as_deref(), Some("2001:db8::1"));
    assert_eq!(text(request).await, "");
}

#[test]
fn a_stage_is_no_part_of_a_route_unless_it_is_wanted() {
    for (event, stage, expected) in [
        (rest(), StagePrefix::Removed, "/users/7"),
        (rest(), StagePrefix::Kept, "/prod/users/7"),
        (http_api(), StagePrefix::Removed, "/users/7"),
        (http_api(), StagePrefix::Kept, "/prod/users/7"),
    ] {
        match read_with(&event, stage) {
            Ok(Event::Http(_, Ok(request))) => assert_eq!(request.uri().path(), expected),
            other => panic!("{other:?}"),
        }
    }
    let mut url = http_api();
    url["requestContext"]["stage"] = json!("$default");
    url["rawPath"] = json!("/$default/x");
    assert_eq!(http(&url).1.uri().path(), "/$default/x");
}

#[test]
fn the_host_is_the_headers_else_the_domain() {
    let mut event = http_api();
    event["headers"] = json!({});
    for nothing in ["cookies", "rawQueryString", "body", "isBase64Encoded"] {
        event[nothing] = json!(null);
    }
    let (_, request) = http(&event);
    assert_eq!(header(&request, "host"), ["api.example"]);
    assert_eq!(header(&request, "cookie"), [""; 0]);
}

#[test]
fn what_is_wrong_with_a_request_is_named() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 6] = [
        (|e| e["body"] = json!("no base64!"), "base64"),
        (|e| e["headers"] = json!({"a b": "c"}), "\"a b\""),
        (|e| e["headers"] = json!({"x-y": "a\nb"}), "x-y"),
        (
            |e| e["requestContext"]["http"]["method"] = json!("GE T"),
            "GE T",
        ),
        (|e| e["requestContext"]["http"] = json!({}), "http.method"),
        (|e| e["rawPath"] = json!(7), "HTTP API"),
    ];
    for (change, named) in cases {
        let mut event = http_api();
        change(&mut event);
        let told = malformed(&event);
        assert!(told.contains(named), "{named}: {told}");
        assert!(!told.contains("a\nb"), "a header's value is not told");
    }
}

#[test]
fn trap_08_a_body_that_looks_like_a_warm_up_is_a_body() {
    for body in [
        json!({"source": "aws.events", "detail-type": "Scheduled Event", "resources": ["arn:aws:events:r:1:rule/keep-warm"]}),
        json!({"source": "serverless-plugin-warmup"}),
        json!({"warmer": true}),
        json!({"paceline": "warm-up"}),
    ] {
        for mut event in [rest(), http_api(), load_balancer()] {
            event["body"] = json!(body.to_string());
            event["isBase64Encoded"] = json!(false);
            // A client can also send members by names of its own, in lists that gateways make of a query.
            event["queryStringParameters"] = body
                .as_object()
                .expect("members")
                .keys()
                .map(|key| (key.clone(), json!("1")))
                .collect();
            http(&event);
        }
    }
}

#[test]
fn the_top_level_tells_events_apart() {
    let other = |event: Value| match read_with(&event, StagePrefix::Removed) {
        Ok(Event::Other(found)) => assert_eq!(found, event),
        found => panic!("{event}: {found:?}"),
    };
    other(
        json!({"source": "aws.events", "detail-type": "Scheduled Event", "resources": ["arn:aws:events:r:1:rule/nightly"]}),
    );
    other(json!({"Records": [{"eventSource": "aws:sqs", "body": "{\"httpMethod\":\"GET\"}"}]}));
    other(json!({"httpMethod": "GET"}));
    other(json!([1, 2]));
    other(json!("text"));
    match read_with(&json!({"warmer": true}), StagePrefix::Removed) {
        Ok(Event::WarmUp(found)) => assert_eq!(found.sender, Sender::LambdaWarmer),
        found => panic!("{found:?}"),
    }
    for (event, named) in [
        (
            json!({"requestContext": {"connectionId": "x", "eventType": "CONNECT"}}),
            "WebSocket",
        ),
        (
            json!({"requestContext": {"serviceNetworkArn": "arn"}, "method": "GET"}),
            "Lattice",
        ),
    ] {
        let error = read_with(&event, StagePrefix::Removed).expect_err("it is not served");
        assert!(error.to_string().contains(named), "{error}");
    }
    for payload in [&b"{"[..], b"", b"<xml/>", b"{\"requestContext\":{\"http\":"] {
        let found = super::read(payload, &Matching::default(), StagePrefix::Removed);
        assert!(matches!(found, Err(UnknownEvent::Json(_))), "{found:?}");
    }
}
