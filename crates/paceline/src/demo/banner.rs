//! What to paste: one command for each thing the demo shows.

use std::fmt::Write as _;

use serde_json::json;

use super::shop::{PASSWORD, login_email};

/// Commands for a POSIX shell and curl 7.84 or later, each below a line that says what it shows.
///
/// `base` is the address of the API without a slash at its end, `http://127.0.0.1:8080`.
///
/// ```
/// let text = paceline::demo::banner("http://127.0.0.1:8080");
/// assert!(text.contains("curl -i 'http://127.0.0.1:8080/api/posts?page=2&limit=20'"));
/// ```
pub fn banner(base: &str) -> String {
    let mut text = String::new();
    for (title, command) in commands(base) {
        writeln!(text, "# {title}\n{command}\n").expect("a string takes everything");
    }
    text
}

fn commands(base: &str) -> Vec<(&'static str, String)> {
    let mut commands = choosing(base);
    commands.extend(reading(base));
    commands.extend(writing(base));
    commands.extend(limited(base));
    commands
}

fn choosing(base: &str) -> Vec<(&'static str, String)> {
    let url = |path: &str| quote(&format!("{base}{path}"));
    let newest = format!("{base}/api/posts?sort=-created_at&limit=3");
    vec![
        (
            "A page with its total, and Link",
            format!("curl -i {}", url("/api/posts?page=2&limit=20")),
        ),
        (
            "The newest posts, then the page after them by cursor",
            format!(
                "curl \"{newest}&cursor=$(curl -s {} | sed 's/.*\"next\":\"\\([^\"]*\\)\".*/\\1/')\"",
                quote(&newest)
            ),
        ),
        (
            "Filters",
            format!(
                "curl -g {}",
                url("/api/posts?user_id=7&created_at[gte]=2026-01-01")
            ),
        ),
        (
            "Only these fields",
            format!("curl {}", url("/api/users/1?fields=id,name,email")),
        ),
        (
            "Fields of the author, in one SQL statement; both spellings",
            format!(
                "curl {} {}",
                url("/api/posts/123?fields=id,title,author.name"),
                url("/api/posts/123?fields=id,title,author(name,email)")
            ),
        ),
        (
            "The same with an envelope",
            format!("curl -g {}", url("/api/users/1?fields[user]=id,name")),
        ),
        (
            "A JSON:API document",
            format!(
                "curl -g -H 'Accept: application/vnd.api+json' {}",
                url("/api/posts?include=author&page[size]=2&sort=-created_at")
            ),
        ),
    ]
}

fn reading(base: &str) -> Vec<(&'static str, String)> {
    let url = |path: &str| quote(&format!("{base}{path}"));
    let product = url("/api/products/1");
    vec![
        (
            "304: nothing has changed, and no query ran",
            format!(
                "curl -i -H \"If-None-Match: {}\" {product}",
                header_of("etag", &product)
            ),
        ),
        (
            "Compressed once per version",
            format!(
                "curl -s -o /dev/null -H 'Accept-Encoding: zstd, br, gzip' \
                 -w '%header{{content-encoding}}: %{{size_download}} bytes\\n' {}",
                url("/api/posts?limit=100")
            ),
        ),
        (
            "Every user: a JSON array, NDJSON, CSV",
            format!(
                "curl -s {users} | tail -c 200; curl -s -H 'Accept: application/x-ndjson' {users} | tail -n 2; \
                 curl -s -H 'Accept: text/csv' {users} | tail -n 2",
                users = url("/api/export/users")
            ),
        ),
        (
            "Changes and job events as they happen (Ctrl-C ends it)",
            format!("curl -N {}", url("/api/stream")),
        ),
    ]
}

fn writing(base: &str) -> Vec<(&'static str, String)> {
    let url = |path: &str| quote(&format!("{base}{path}"));
    let product = url("/api/products/1");
    let mail = json!({"to": "ada@example.com", "subject": "Hi", "body": "It's on its way."});
    let send = format!("{} {}", post(&mail), url("/send-email"));
    vec![
        (
            "A guarded write: 412 when the row has changed since",
            format!(
                "curl -i -X PATCH -H \"If-Match: {}\" {} {product}",
                header_of("etag", &product),
                post(&json!({"stock": 5}))
            ),
        ),
        (
            "A mail, answered once its job is on disk; the same key is the same job",
            format!("curl -i -H 'Idempotency-Key: order-17' {send}"),
        ),
        (
            "Another mail, and the state of its job",
            format!("curl \"{base}$(curl -s -o /dev/null -w '%header{{location}}' {send})\""),
        ),
    ]
}

fn limited(base: &str) -> Vec<(&'static str, String)> {
    let url = |path: &str| quote(&format!("{base}{path}"));
    let login = |password: &str| {
        let body = json!({"email": login_email(), "password": password});
        format!("{} {}", post(&body), url("/api/auth/login"))
    };
    vec![
        ("A login", format!("curl -i {}", login(PASSWORD))),
        (
            "Six failed logins: the sixth is refused with 429",
            format!(
                "for attempt in 1 2 3 4 5 6; do curl -s -o /dev/null -w '%{{http_code}}\\n' {}; done",
                login("wrong")
            ),
        ),
        (
            "What is left of the limit (`--limits documented` makes it 100 in 15 minutes)",
            format!(
                "curl -s -D - -o /dev/null {} | grep -i ratelimit",
                url("/api/products/1")
            ),
        ),
    ]
}

/// The options that send a JSON body.
fn post(body: &serde_json::Value) -> String {
    format!(
        "-H 'Content-Type: application/json' -d {}",
        quote(&body.to_string())
    )
}

/// A command substitution that is one header of an answer.
fn header_of(name: &str, quoted_url: &str) -> String {
    format!("$(curl -s -o /dev/null -w '%header{{{name}}}' {quoted_url})")
}

/// `text` as one word of a POSIX shell.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "http://127.0.0.1:8080";

    #[test]
    fn quoting_keeps_quotes() {
        assert_eq!(quote("it's a[0]&b"), r"'it'\''s a[0]&b'");
    }

    #[test]
    fn every_row_of_the_demo_is_there() {
        let text = banner(BASE);
        for part in [
            "/api/posts?page=2&limit=20",
            "cursor=",
            "user_id=7&created_at[gte]=2026-01-01",
            "/api/users/1?fields=id,name,email",
            "author.name",
            "author(name,email)",
            "fields[user]=id,name",
            "application/vnd.api+json",
            "If-None-Match",
            "If-Match",
            "/api/export/users",
            "application/x-ndjson",
            "text/csv",
            "/api/stream",
            "zstd, br, gzip",
            "/send-email",
            "Idempotency-Key",
            "%header{location}",
            "/api/auth/login",
            "429",
            PASSWORD,
        ] {
            assert!(text.contains(part), "{part}");
        }
        assert!(!text.contains("/console"));
    }

    #[test]
    fn brackets_are_never_left_to_curl() {
        for (title, command) in commands(BASE) {
            let is_plain = !command.contains("[gte]")
                && !command.contains("[user]")
                && !command.contains("[size]");
            assert!(is_plain || command.starts_with("curl -g "), "{title}");
        }
    }

    /// Lets a shell run each command with a `curl` that only notes the words it was given.
    #[cfg(unix)]
    #[test]
    fn a_shell_understands_every_command() {
        for (title, command) in commands(BASE) {
            let script = format!(
                "curl() {{ case \"$*\" in *'-w %header'*) printf found ;; *) for word; do printf '<%s>\\n' \"$word\"; done ;; esac; }}\n{command}"
            );
            let shell = std::process::Command::new("sh")
                .args(["-eu", "-c", &script])
                .output();
            let output = shell.expect("there is a POSIX shell");
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(errors, "", "{title}: {command}");
            if title.contains("guarded") {
                let words = String::from_utf8_lossy(&output.stdout).into_owned();
                assert!(words.contains("<If-Match: found>\n"), "{words}");
                assert!(words.contains("<{\"stock\":5}>\n"), "{words}");
            }
            if title.starts_with("Another mail") {
                let words = String::from_utf8_lossy(&output.stdout).into_owned();
                assert_eq!(words, format!("<{BASE}found>\n"));
            }
        }
    }
}
