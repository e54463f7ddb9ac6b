//! Weights, outcomes, and what a request costs after all.

use super::*;

const ALL: [Algorithm; 3] = [
    Algorithm::FixedWindow,
    Algorithm::SlidingWindow,
    Algorithm::Gcra,
];

fn counted(name: &str, max: u32, algorithm: Algorithm) -> Policy {
    let quota = Quota::new(NonZeroU32::new(max).unwrap(), HOUR).unwrap();
    Policy::new(name, quota.with_algorithm(algorithm)).unwrap()
}

#[tokio::test]
async fn a_request_takes_its_weight() {
    for algorithm in ALL {
        let heavy = counted("heavy", 10, algorithm).with_weight_by(|request| {
            let weight = if request.uri.path() == "/export" {
                4
            } else {
                1
            };
            NonZeroU32::new(weight).unwrap()
        });
        let server = Server::new([heavy]);
        let left = async |path: &str| {
            let answer = server.ask("192.0.2.1", path, 200).await;
            let told = field(answer.headers(), "ratelimit").to_owned();
            let left = told.split(";r=").nth(1).unwrap().split(';').next();
            (answer.status().as_u16(), left.unwrap().parse().unwrap())
        };
        assert_eq!(left("/export").await, (200, 6), "{algorithm:?}");
        assert_eq!(left("/").await, (200, 5));
        assert_eq!(left("/export").await, (200, 1));
        assert_eq!(left("/export").await, (429, 1), "it does not fit");
        assert_eq!(left("/").await, (200, 0), "what is lighter does");
        assert_eq!(left("/").await, (429, 0));
    }
}

#[tokio::test]
async fn what_an_answer_costs_is_settled_by_its_size_and_status() {
    for algorithm in ALL {
        let bytes = counted("kib", 10, algorithm).with_cost(Cost::by(|outcome, _| {
            u32::try_from(outcome.body_bytes().div_ceil(1_024)).unwrap()
        }));
        let layer = RateLimitLayer::new([bytes]).with_clock(FakeClock::default());
        let mut service = layer.layer(service_fn(async |request: Request<()>| {
            let size: usize = request.uri().path()[1..].parse().unwrap();
            Ok::<_, Infallible>(Response::new(Body::from(vec![b'x'; size])))
        }));
        let mut left = async |size: &str| {
            let answer = service.call(request("192.0.2.1", size)).await.unwrap();
            let told = field(answer.headers(), "ratelimit").to_owned();
            (
                answer.status().as_u16(),
                told[..told.find(";t").unwrap()].to_owned(),
            )
        };
        let told = |left: u32| format!("\"kib\";r={left}");
        assert_eq!(left("/0").await, (200, told(10)), "{algorithm:?}");
        assert_eq!(left("/3000").await, (200, told(7)));
        // More than is left is charged up to the quota: nobody owes more.
        assert_eq!(left("/100000").await, (200, told(0)));
        assert_eq!(left("/0").await, (429, told(0)));
    }
}

#[tokio::test]
async fn failures_may_be_free() {
    let policy = policy("api", 2, HOUR).with_cost(Cost::SkipFailed);
    let server = Server::new([policy]);
    server.check("/", 500, 500, "\"api\";r=2;t=3600").await;
    server.check("/", 404, 404, "\"api\";r=2;t=3600").await;
    server.check("/", 200, 200, "\"api\";r=1;t=3600").await;
}

/// Trap 19 of the limits: the exact count under concurrency, with outcomes known only afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn trap_19_a_thousand_concurrent_outcomes_are_counted_exactly() {
    for algorithm in ALL {
        let policy = counted("login", 1_000, algorithm)
            .with_weight(NonZeroU32::new(2).unwrap())
            .with_skip_successful(true);
        let layer = RateLimitLayer::new([policy]).with_clock(FakeClock::default());
        let limiter = layer.limiter().clone();
        let service = layer.layer(service_fn(async |request: Request<()>| {
            tokio::task::yield_now().await;
            let status = if request.uri().path() == "/good" {
                200
            } else {
                401
            };
            let response = Response::builder().status(status).body(Body::empty());
            Ok::<_, Infallible>(response.unwrap())
        }));
        let tasks: Vec<_> = (0..1_000)
            .map(|number| {
                let path = if number % 5 == 0 { "/bad" } else { "/good" };
                tokio::spawn(service.clone().oneshot(request("192.0.2.1", path)))
            })
            .collect();
        let mut failed = 0;
        for task in tasks {
            failed += u32::from(task.await.unwrap().unwrap().status() == 401);
        }
        let key = LimitKey::from(IpAddr::from([192, 0, 2, 1]));
        let standing = limiter
            .reserve(key, Timestamp::default())
            .unwrap()
            .refund(Timestamp::default());
        let left = standing.policies().next().unwrap().1;
        assert_eq!(left, 1_000 - 2 * failed, "{algorithm:?}");
    }
}
