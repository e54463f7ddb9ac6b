//! Addresses: what is understood, what is refused and how, and what is never shown.

use std::time::Duration;

use proptest::prelude::*;

use super::{Address, Encryption, Endpoint, Host, PostgresManager, StatementMode};

fn parsed(text: &str) -> Address {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> String {
    match text.parse::<Address>() {
        Ok(address) => panic!("{text}: {address:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_parts_of_an_address() {
    let address = parsed("postgresql://u%40x:p%2F%20%C3%BC@db.example.com:6432/my%20shop");
    assert_eq!(address.user(), Some("u@x"));
    assert_eq!(address.password.as_ref().unwrap().expose(), "p/ ü");
    assert_eq!(address.database(), Some("my shop"));
    assert_eq!(address.hosts(), [Host::Tcp("db.example.com".into(), 6432)]);
    assert_eq!(
        address.to_string(),
        "postgres://u@x@db.example.com:6432/my shop"
    );
    let tcp = |name: &str, port| Host::Tcp(name.into(), port);
    for (text, hosts) in [
        ("postgres://h", vec![tcp("h", 5432)]),
        ("postgres://h/", vec![tcp("h", 5432)]),
        ("postgres://[::1]:5433/d", vec![tcp("::1", 5433)]),
        ("postgres://[::1]/d", vec![tcp("::1", 5432)]),
        ("postgres://a,b:2/d", vec![tcp("a", 5432), tcp("b", 2)]),
        ("postgres://a,b:2/d?port=7", vec![tcp("a", 7), tcp("b", 2)]),
        ("postgres://u:a@b@h/d", vec![tcp("h", 5432)]),
        (
            "postgres://%2Frun%2Fpg/d",
            vec![Host::Socket("/run/pg".into(), 5432)],
        ),
        (
            "postgres:///d?host=/run/pg&port=5433",
            vec![Host::Socket("/run/pg".into(), 5433)],
        ),
    ] {
        assert_eq!(parsed(text).hosts(), hosts, "{text}");
    }
    let address =
        parsed("postgres://h?dbname=d&user=u&password=p&connect_timeout=3&application_name=a%20b");
    assert_eq!((address.user(), address.database()), (Some("u"), Some("d")));
    assert_eq!(address.connect_timeout, Some(Duration::from_secs(3)));
    assert_eq!(address.application_name, "a b");
    let address =
        parsed("postgres://h/d?pooler=pgbouncer-1.24&statements=unnamed&options=endpoint%3Dep-x");
    assert_eq!(address.statements, Some(StatementMode::Unnamed));
    assert_eq!(address.options.as_deref(), Some("endpoint=ep-x"));
    assert_eq!(
        parsed("postgres://h?pgbouncer=true").endpoint,
        Some(Endpoint::PgBouncer(None))
    );
}

#[test]
fn connections_that_leave_the_machine_are_encrypted_and_verified() {
    let verified = || Encryption::Verified(None);
    let by = |file: &str| Encryption::Verified(Some(file.into()));
    for (text, expected) in [
        ("postgres://db.example.com/d", verified()),
        ("postgres://10.0.0.1/d", verified()),
        ("postgres://localhost,db.example.com/d", verified()),
        ("postgres://localhost/d", Encryption::None),
        ("postgres://127.0.0.2/d", Encryption::None),
        ("postgres://[::1]/d", Encryption::None),
        ("postgres:///d?host=/run/pg", Encryption::None),
        ("postgres://localhost/d?sslmode=verify-full", verified()),
        ("postgres://localhost/d?ca_file=/a.pem", by("/a.pem")),
        ("postgres://h/d?sslmode=require", verified()),
        (
            "postgres://h/d?sslmode=verify-ca&sslrootcert=/a.pem",
            by("/a.pem"),
        ),
        (
            "postgres://h/d?sslmode=verify-full&sslrootcert=system",
            verified(),
        ),
        ("postgres://h/d?sslmode=disable", Encryption::None),
        ("postgres://h/d?insecure=true", Encryption::Unverified),
        ("postgres://h/d?insecure=false", verified()),
    ] {
        assert_eq!(*parsed(text).encryption(), expected, "{text}");
    }
    assert!(parsed("postgres://h/d?channel_binding=require").bound);
}

#[test]
fn refusals_name_the_part_and_what_to_do() {
    for (text, part) in [
        ("mysql://h/d", "begins with postgres://"),
        ("postgres:h", "begins with postgres://"),
        ("postgres://", "names no host"),
        ("postgres://u:p@/d", "names no host"),
        ("postgres://h:0/d", "the port"),
        ("postgres://h:70000/d", "the port"),
        ("postgres://h:/d", "the port"),
        ("postgres://a,,b/d", "the host is not"),
        ("postgres://a b/d", "write %20"),
        ("postgres://::1/d", "the port"),
        ("postgres://[::1/d", "the port"),
        ("postgres://[::1]x/d", "the port"),
        ("postgres://h/d#x", "write %23"),
        ("postgres://u:pa/ss@h/d", "%2F, %3F and %23"),
        ("postgres://u:pa#ss@h/d", "%2F, %3F and %23"),
        ("postgres://h/d?host=x", "the host is written twice"),
        ("postgres://h/d?sslmod=require", "did you mean sslmode?"),
        ("postgres://h/d?zzz=1", "is not known; there are"),
        ("postgres://h/d?sslmode=prefer", "write verify-full"),
        ("postgres://h/d?sslmode=yes", "disable or verify-full"),
        ("postgres://h/d?sslmode=disable&ca_file=x", "contradicts"),
        ("postgres://h/d?insecure=true&ca_file=x", "leave one out"),
        ("postgres://h/d?insecure=1", "true or false"),
        (
            "postgres://h/d?sslmode=disable&sslmode=disable",
            "written twice",
        ),
        ("postgres://h/d?options=-c%20search_path%3Dx", "ALTER ROLE"),
        ("postgres://h/d?pooler=pgbouncer-new", "pgbouncer-1.24"),
        ("postgres://h/d?statements=prepared", "named or unnamed"),
        ("postgres://h/d?connect_timeout=-1", "connect_timeout"),
        ("postgres://h/d?connect_timeout=0", "connect_timeout"),
        ("postgres://h/%FF", "database's name is not UTF-8"),
        ("postgres://u%00:p@h/d", "zero byte"),
    ] {
        assert!(refused(text).contains(part), "{text}: {}", refused(text));
    }
}

#[test]
fn named_statements_are_refused_where_they_are_not_safe() {
    for (text, is_safe) in [
        ("postgres://localhost/d?statements=named", true),
        (
            "postgres://localhost/d?statements=named&pooler=pgbouncer-1.21",
            true,
        ),
        (
            "postgres://localhost/d?statements=named&pooler=pgbouncer-1.18",
            false,
        ),
        (
            "postgres://localhost/d?statements=named&pooler=pgbouncer",
            false,
        ),
        (
            "postgres://ep-x-pooler.aws.neon.tech/d?statements=named&insecure=true",
            false,
        ),
        (
            "postgres://x.proxy-y.eu-west-1.rds.amazonaws.com/d?statements=named&sslmode=disable",
            false,
        ),
    ] {
        let made = PostgresManager::new(parsed(text));
        assert_eq!(made.is_ok(), is_safe, "{text}");
        if let Err(error) = made {
            assert!(
                error.to_string().contains("named statements are not safe"),
                "{error}"
            );
        }
    }
}

#[test]
fn a_password_that_looks_like_a_parameter_is_not_shown() {
    for text in [
        "postgres://user:@?SECRET@host/d",
        "postgres://user:a@/SECRET@host/d",
        "postgres://user:a@#SECRET@host/d",
    ] {
        let error = text.parse::<Address>().unwrap_err().to_string();
        assert!(
            !error.contains("SECRET") && error.contains("%3F"),
            "{error}"
        );
    }
}

proptest! {
    /// Whatever the password, wherever it stands: neither an error nor `Debug` nor `Display` shows it.
    #[test]
    fn a_password_is_never_shown(
        secret in "[A-Z]{6}",
        around in "[!-~]{0,4}",
        place in 0..4_usize,
        rest in "[!-~]{0,12}",
    ) {
        let text = match place {
            0 => format!("postgres://user:{around}{secret}@host/{rest}"),
            1 => format!("postgres://user:{secret}{around}@{rest}"),
            2 => format!("postgres://host/d?password={secret}{around}&{rest}"),
            _ => format!("postgres://user:{secret}{around}/{rest}@host/d"),
        };
        match text.parse::<Address>() {
            Ok(address) => {
                let shown = format!("{address} {address:?}");
                // A host or database may have been read from what stands before an @ of the rest.
                let is_password = address.password.as_ref().is_some_and(|password| password.expose().contains(&secret));
                prop_assert!(!is_password || !shown.contains(&secret), "{text}: {shown}");
                if let Ok(manager) = PostgresManager::new(address) {
                    let shown = format!("{manager:?}");
                    prop_assert!(!is_password || !shown.contains(&secret), "{text}: {shown}");
                }
            }
            Err(error) => prop_assert!(!error.to_string().contains(&secret), "{text}: {error}"),
        }
    }
}

#[test]
fn neon_wants_tls_and_one_endpoint() {
    let direct = "ep-cool-rain-123456.eu-central-1.aws.neon.tech";
    let pooled = "ep-cool-rain-123456-pooler.eu-central-1.aws.neon.tech";
    for host in [direct, pooled] {
        let address = parsed(&format!("postgres://u:p@{host}/d?sslmode=require"));
        assert_eq!(address.encryption(), &Encryption::Verified(None));
        parsed(&format!(
            "postgres://u:p@{host}/d?options=endpoint%3Dep-cool-rain-123456"
        ));
        let told = refused(&format!(
            "postgres://u:p@{host}/d?options=endpoint%3Dep-x-1"
        ));
        assert!(told.contains("another endpoint"), "{told}");
        let told = refused(&format!("postgres://u:p@{host}/d?sslmode=disable"));
        assert!(told.contains("TLS"), "{told}");
    }
    // Where the name cannot tell, the option does.
    parsed("postgres://u:p@db.example.com/d?options=endpoint%3Dep-x-1");
}

#[test]
fn tokens_are_made_only_for_servers_that_are_verified() {
    use super::Authentication;

    let address = parsed("postgres://app@localhost/d?auth=rds-iam&ca_file=rds.pem");
    assert_eq!(address.authentication(), Authentication::RdsIam);
    let address = parsed("postgres://app@localhost/d?auth=rds-iam");
    assert_eq!(address.encryption(), &Encryption::Verified(None));
    for (text, part) in [
        ("postgres://app:hunter2@h/d?auth=rds-iam", "password"),
        ("postgres://h/d?auth=rds-iam", "user"),
        ("postgres://app@h/d?auth=rds-iam&sslmode=disable", "sslmode"),
        ("postgres://app@h/d?auth=rds-iam&insecure=true", "insecure"),
        ("postgres://app@h/d?auth=iam", "rds-iam"),
    ] {
        let told = refused(text);
        assert!(told.contains(part), "{text}: {told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn a_proxy_takes_the_place_of_the_host() {
    let name = "p.proxy-x.eu-central-1.rds.amazonaws.com";
    let moved = parsed("postgres://app@localhost:6432/d").through_rds_proxy(name);
    let moved = moved.unwrap();
    assert_eq!(moved.hosts(), [Host::Tcp(name.into(), 6432)]);
    assert_eq!(moved.encryption(), &Encryption::Verified(None));
    assert_eq!(moved.endpoint, Some(Endpoint::RdsProxy));
    let moved = parsed("postgres://app@h/d?pooler=other").through_rds_proxy("p:1");
    let moved = moved.unwrap();
    assert_eq!(moved.hosts(), [Host::Tcp("p".into(), 1)]);
    assert_eq!(moved.endpoint, Some(Endpoint::Pooler));
    assert!(
        parsed("postgres://app@h/d")
            .through_rds_proxy("a b")
            .is_err()
    );
}
