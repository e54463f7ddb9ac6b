//! Login and the limits of the documented example.

use serde_json::Value;

use crate::server::Server;

/// The address and password the demo prints.
fn credentials(server: &Server) -> (String, String) {
    let printed = std::process::Command::new(crate::server::BINARY)
        .args(["demo", "--print-credentials"])
        .output()
        .expect("the binary runs");
    let _ = server;
    let text = String::from_utf8(printed.stdout).unwrap();
    let mut words = text.split_whitespace();
    (
        words.next().unwrap().to_owned(),
        words.next().unwrap().to_owned(),
    )
}

fn login(server: &Server, email: &str, password: &str) -> crate::client::Answer {
    let body = serde_json::json!({"email": email, "password": password}).to_string();
    server.send_json("POST", "/api/auth/login", &[], &body)
}

#[test]
fn the_right_password_answers_a_token_and_wrong_ones_all_the_same() {
    let server = Server::demo(&[]);
    let (email, password) = credentials(&server);
    let good = login(&server, &email, &password);
    assert_eq!(good.status, 200, "{}", good.text());
    assert_eq!(good.json()["token"].as_str().unwrap().split('.').count(), 3);
    assert_eq!(good.header("cache-control"), "no-store");
    let wrong = login(&server, &email, "wrong");
    let unknown = login(&server, "nobody@example.com", "wrong");
    wrong.assert_problem(401, "invalid-credentials");
    assert_eq!(wrong.json(), unknown.json());
}

#[test]
fn the_sixth_failed_login_is_refused_and_successes_do_not_count() {
    let server = Server::demo(&[]);
    let (email, password) = credentials(&server);
    for _ in 0..7 {
        assert_eq!(login(&server, &email, &password).status, 200);
    }
    for _ in 0..5 {
        assert_eq!(login(&server, &email, "wrong").status, 401);
    }
    let sixth = login(&server, &email, "wrong");
    sixth.assert_problem(429, "rate-limit-exceeded");
    let wait: u64 = sixth.header("retry-after").parse().unwrap();
    assert!((1..=3600).contains(&wait), "{wait}");
}

#[test]
fn the_hundred_and_first_call_in_the_documented_mode_is_refused() {
    let server = Server::demo(&["--limits", "documented"]);
    for call in 1..=100 {
        let answer = server.get("/api/products/1");
        assert_eq!(answer.status, 200, "call {call}");
        assert!(
            answer
                .header("ratelimit")
                .contains(&format!("r={}", 100 - call)),
            "{:?}",
            answer.headers
        );
        assert!(answer.header("ratelimit-policy").contains("q=100;w=900"));
    }
    let refused = server.get("/api/products/1");
    let problem: Value = refused.assert_problem(429, "rate-limit-exceeded");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("Too many requests")
    );
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(
        server.get("/health/live").status,
        200,
        "only /api/ is limited"
    );
}
