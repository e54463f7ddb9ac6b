use super::*;

const DEMO: &str = include_str!("../../demo.toml");

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, "paceline.toml", Path::new("/srv"), &|_| None)
        .map_err(|mistakes| mistakes.to_string())
}

#[test]
fn the_demo_is_without_mistakes() {
    let config = parse(DEMO).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(config.database.url.path(), Some(Path::new("/srv/shop.db")));
    assert_eq!(config.limits.len(), 2);
    assert_eq!(config.email.expect("[email]").queue, "emails");
}

#[test]
fn mistakes_are_all_told_with_their_line() {
    let text = "[database]\nurl = \"sqlite:a.db\"\n[server]\nlisten = \"here\"\ndrain_timout = \"5s\"\n[[limits]]\nname = \"a\"\nmax = 0\nwindow = \"15 minutes\"\n";
    let told = parse(text).unwrap_err();
    for part in [
        "paceline.toml:4:",
        "paceline.toml:5:",
        "drain_timeout",
        "paceline.toml:8:",
        "paceline.toml:9:",
        "15m",
    ] {
        assert!(told.contains(part), "{part} in\n{told}");
    }
}

#[test]
fn a_file_without_a_database_and_one_that_is_not_toml_are_refused() {
    assert!(parse("[server]\n").unwrap_err().contains("database"));
    assert!(parse("[server\n").unwrap_err().contains("paceline.toml:1:"));
    assert!(parse("[database]\nurl = \"sqlite:a.db\"\n[email]\nfrom = \"a@b.example\"\ndeliver = \"maildir:x\"\n")
        .unwrap_err()
        .contains("[jobs]"));
}

const DATABASE: &str = "[database]\nurl = \"sqlite:a.db\"\n";

/// Checks what is said about `text` below a sound `[database]`: one mistake for each entry of
/// `expected`, in this order, with the words between its bars.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let told = parse(&format!("{DATABASE}{text}"))
        .err()
        .unwrap_or_default();
    let parts: Vec<&str> = told
        .split("\n\n")
        .filter(|part| part.contains("paceline.toml:"))
        .collect();
    assert_eq!(parts.len(), expected.len(), "{text}\n{told}");
    for (part, words) in parts.iter().zip(expected) {
        for word in words.split(" | ") {
            assert!(part.contains(word), "{word:?} in\n{part}");
        }
    }
}

#[test]
fn one_mistake_is_shown_with_its_line_and_what_to_write() {
    let told = parse("[database]\nurl = \"sqlite:a.db\"\nquery_timout = \"5s\"\n").unwrap_err();
    let expected = "\
paceline.toml:3:1: unknown key `query_timout` in [database]
  |
3 | query_timout = \"5s\"
  | ^^^^^^^^^^^^
  = help: did you mean `query_timeout`?

1 mistake in paceline.toml";
    assert_eq!(told, expected);
}

#[test]
fn every_kind_of_wrong_value_says_what_to_write() {
    check(
        "[server]\nlisten = \"localhost:80\"",
        &["listen | write \"127.0.0.1:80\""],
    );
    check(
        "[server]\nlisten = 8080",
        &["a whole number | write \"127.0.0.1:8080\""],
    );
    check(
        "[server]\nlog_requests = \"yes\"",
        &["a string | true or false, without quotes"],
    );
    check("[server]\nmax_body = \"1MB\"", &["write \"1MiB\""]);
    check(
        "[server]\ntrusted_proxies = [\"10.1.0.0/8\"]",
        &["write \"10.0.0.0/8\""],
    );
    check("[cache]\nsize = 64", &["write \"64MiB\""]);
    check(
        "[resources.a]\nwrite = [\"crate\"]\nanonymous_write = true",
        &["write \"create\""],
    );
    check(
        "[resources.a]\nwrite = \"create\"\nanonymous_write = true",
        &["a string | a list"],
    );
    check("[resources.a]\npath = \"/api/as\"", &["write \"as\""]);
    check("[sever]\n", &["unknown key `sever` | `server`"]);
    check("[jobs]\nurl = \"postgres://h/db\"", &["later version"]);
    check(
        "[[workers]]\nqueue = \"a:b\"\nhttp = \"example.com\"\ntimeout = \"0s\"\nsecret = \"x\"",
        &[
            "no [jobs]",
            "4: | queue",
            "5: | https://",
            "6: | longer than zero",
            "7: | whsec_",
        ],
    );
    check("port = 1", &["unknown key `port` in [database] | one of"]);
}

#[test]
fn limits_need_names_of_their_own_and_a_rooted_path() {
    let limit = |name: &str, path: &str| {
        format!("[[limits]]\nname = \"{name}\"\npath = \"{path}\"\nmax = 1\nwindow = \"1m\"\n")
    };
    check(&limit("a", "/api/"), &[]);
    check(&limit("a", "api/"), &["write \"/api/\""]);
    check(
        &(limit("a", "/") + &limit("a", "/x")),
        &["paceline.toml:9: | \"a\""],
    );
    check(
        "[[limits]]\nname = \"a\"",
        &["has no `max`", "has no `window`"],
    );
}

#[test]
fn each_mistake_in_a_limit_is_shown_at_its_line() {
    let limit = |keys: &str| format!("[[limits]]\nname = \"a\"\nmax = 10\nwindow = \"1m\"\n{keys}");
    let redis = "\n[limit_settings]\nredis = \"redis://127.0.0.1:6379\"";
    check(
        &limit("algorithm = \"sliding_window\""),
        &["paceline.toml:7: | write \"sliding-window\""],
    );
    check(&limit("algorithm = \"leaky\""), &["\"gcra\""]);
    check(&limit("algorithm = \"gcra\"\nburst = 5\nweight = 5"), &[]);
    check(
        &limit("burst = 5"),
        &["paceline.toml:7: | algorithm = \"gcra\""],
    );
    check(
        &limit("algorithm = \"gcra\"\nburst = 11"),
        &["paceline.toml:8: | above `max` 10"],
    );
    check(
        &limit("weight = 11"),
        &["paceline.toml:7: | smaller `weight`"],
    );
    check(&limit("weight = 0"), &["paceline.toml:7: | at least 1"]);
    check(
        &limit("skip_successful = true\nskip_failed = true"),
        &["paceline.toml:8: | no request counts"],
    );
    check(
        &limit("store = \"redis\""),
        &["paceline.toml:7: | [limit_settings] with the key `redis`"],
    );
    let large = "[[limits]]\nname = \"a\"\nmax = 1_000_000\nwindow = \"365d\"\nstore = \"redis\"";
    check(
        &format!("{large}{redis}"),
        &["paceline.toml:5: | a smaller `max`"],
    );
    check(
        &(limit("store = \"redis\"\non_store_failure = \"closed\"") + redis),
        &[],
    );
    check(
        &(limit("store = \"redis\"\non_store_failure = \"close\"") + redis),
        &["write \"closed\""],
    );
    check(
        &limit("on_store_failure = \"open\""),
        &["paceline.toml:7: | store = \"redis\""],
    );
    check(
        "[[limits]]\nname = \"a\"\nmax = 0\nwindow = \"1500ms\"",
        &["5: | at least 1", "6: | whole seconds"],
    );
    check(
        "[limit_settings]\nheaders = \"draft7\"\nipv6_prefix = 200\nredis = \"127.0.0.1\"",
        &[
            "4: | write \"draft-7\"",
            "5: | from 1 to 128",
            "6: | redis://",
        ],
    );
    check(
        "[[concurrency]]\npath = \"/api/export\"\n[[concurrency]]\nmax = 4\n[[concurrency]]\nmax = 4",
        &["3: | no `max`", "7: | two of"],
    );
    let config = parse(&format!("{DATABASE}{}{redis}", limit("store = \"redis\""))).unwrap();
    assert_eq!(config.limits[0].store, LimitStore::Redis);
    assert!(!format!("{config:?}").contains("6379"));
}

#[test]
fn variables_are_told_by_name_and_never_by_value() {
    let lookup = |name: &str| (name == "SET").then(|| "top-secret".to_owned());
    let told = |text: &str| {
        let text = format!("{DATABASE}{text}");
        Config::parse(&text, "f", Path::new(""), &lookup).map_err(|mistakes| mistakes.to_string())
    };
    let missing = told("[server]\nlisten = \"${GONE}\"").unwrap_err();
    assert!(
        missing.starts_with("f:4:10: ") && missing.contains("GONE"),
        "{missing}"
    );
    assert!(
        told("[server]\nlisten = \"$x\"")
            .unwrap_err()
            .contains("$$")
    );
    for text in [
        "[server]\nlisten = \"${SET}\"",
        "[secrets]\nkey = \"${SET}\"",
    ] {
        let wrong = told(text).unwrap_err();
        assert!(!wrong.contains("top-secret"), "{wrong}");
    }
    let literal = told("[secrets]\nkey = \"hunter2\"").unwrap_err();
    assert!(!literal.contains("hunter2"), "{literal}");
    let long = "0123456789abcdef0123456789abcdef";
    let config = told(&format!("[secrets]\nkey = \"{long}\"")).unwrap();
    assert!(!format!("{config:?}").contains(long));
}

#[test]
fn broken_syntax_does_not_hide_other_mistakes() {
    check(
        "[server]\nlisten = \nmax_body = \"1MB\"\n[cache]\nsize = \"1 MiB\n",
        &[
            "paceline.toml:4:",
            "paceline.toml:5: | 1MiB",
            "paceline.toml:7:",
        ],
    );
}

#[test]
fn a_wrong_database_does_not_hide_other_mistakes() {
    let told = parse(
        "[database]\nurl = \"a.db\"\n[email]\nfrom = \"a@b.example\"\ndeliver = \"maildir:x\"\nanonymous = true\n",
    );
    let told = told.unwrap_err();
    assert!(
        told.contains("sqlite:a.db") && told.contains("no [jobs]"),
        "{told}"
    );
    assert!(parse("").unwrap_err().contains("there is no [database]"));
}

#[test]
fn a_pool_is_of_a_server_and_its_values_are_checked() {
    let of_a_file = "[pool] is about connections to a server";
    let sound = "[pool]\nsize = 4\nmax_waiting = 100\nconnect_timeout = \"2s\"\ncheck_after_idle = \"0s\"\n\
                 check_timeout = \"100ms\"\nmax_lifetime = \"10m\"\nmax_idle = \"1m\"\npooler = \"pgbouncer-1.24\"\n\
                 statements = \"named\"\nca_file = \"ca.pem\"\n";
    check(sound, &[of_a_file]);
    check(
        "[pool]\nsize = 0\ncheck_timeout = \"0s\"\npooler = \"pgcat\"\nstatement = \"named\"\n",
        &[
            of_a_file,
            "`size`",
            "`check_timeout`",
            "pgcat | pool doctor",
            "did you mean `statements`?",
        ],
    );
    check(
        "[pool]\npooler = \"pgbouncer-1.18\"\nstatements = \"named\"\n",
        &[of_a_file, "not safe behind PgBouncer 1.18"],
    );
}
