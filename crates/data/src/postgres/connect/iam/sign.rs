//! The token: the address of a request that is never sent, signed (AWS Signature Version 4, query form).

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

use super::credentials::Credentials;

/// How long a token is good for, in seconds: the only value that RDS takes.
const SECONDS: u32 = 900;

/// The service as it is signed for.
const SERVICE: &str = "rds-db";

/// Everything but the unreserved characters of RFC 3986.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Signs for one region.
pub(super) struct Signer<'a> {
    pub(super) credentials: &'a Credentials,
    pub(super) region: &'a str,
}

impl Signer<'_> {
    /// The token with which `user` connects to this host, good from `now` on.
    pub(super) fn token(&self, host: &str, port: u16, user: &str, now: SystemTime) -> String {
        let moment = moment(now);
        let day = &moment[..8];
        let scope = format!("{day}/{}/{SERVICE}/aws4_request", self.region);
        let mut parameters = vec![
            ("Action", "connect".to_owned()),
            ("DBUser", user.to_owned()),
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
            (
                "X-Amz-Credential",
                format!("{}/{scope}", self.credentials.key_id),
            ),
            ("X-Amz-Date", moment.clone()),
            ("X-Amz-Expires", SECONDS.to_string()),
            ("X-Amz-SignedHeaders", "host".to_owned()),
        ];
        if let Some(session) = &self.credentials.session {
            parameters.push(("X-Amz-Security-Token", session.clone()));
        }
        let token = format!("{host}:{port}/?{}", query(&parameters));
        parameters.sort_unstable();
        let signed_host = match port {
            443 => host.to_lowercase(),
            _ => format!("{}:{port}", host.to_lowercase()),
        };
        let nothing = hexadecimal(&Sha256::digest(b""));
        let request = format!(
            "GET\n/\n{}\nhost:{signed_host}\n\nhost\n{nothing}",
            query(&parameters)
        );
        let digest = hexadecimal(&Sha256::digest(request.as_bytes()));
        let text = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}");
        let signature = hexadecimal(&hmac(&self.key(day), text.as_bytes()));
        format!("{token}&X-Amz-Signature={signature}")
    }

    /// The key of a day.
    fn key(&self, day: &str) -> [u8; 32] {
        let secret = format!("AWS4{}", self.credentials.secret);
        [day, self.region, SERVICE, "aws4_request"]
            .iter()
            .fold(None, |key: Option<[u8; 32]>, part| {
                let key = key.as_ref().map_or(secret.as_bytes(), |key| key);
                Some(hmac(key, part.as_bytes()))
            })
            .expect("there are four parts")
    }
}

/// `20261125T203819Z`
fn moment(now: SystemTime) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let now = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    now.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn query(parameters: &[(&str, String)]) -> String {
    let pair =
        |(name, value): &(&str, String)| format!("{name}={}", utf8_percent_encode(value, ESCAPED));
    parameters.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::*;

    /// AWS's own signer, for each line of its input.
    const ORACLE: &str = include_str!("oracle.py");

    /// Host, port, user, region, key id, secret, session token, seconds since 1970.
    type Case<'a> = (
        &'a str,
        u16,
        &'a str,
        &'a str,
        &'a str,
        &'a str,
        &'a str,
        u64,
    );

    const CASES: [Case<'_>; 6] = [
        (
            "shop.abc123.eu-central-1.rds.amazonaws.com",
            5432,
            "app",
            "eu-central-1",
            "AKIAEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "",
            1_795_639_099,
        ),
        (
            "p.proxy-abc.us-east-1.rds.amazonaws.com",
            5432,
            "app",
            "us-east-1",
            "ASIAEXAMPLE",
            "s+e/c=r&t",
            "IQoJb3JpZ2luX2VjE//+a==&b%20c",
            1_795_639_100,
        ),
        (
            "db.example.com",
            443,
            "o'hara@corp",
            "us-gov-west-1",
            "AKIA",
            "x",
            "",
            0,
        ),
        (
            "db.example.com",
            80,
            "a b+c/d~e_f.g-h%i",
            "ap-south-1",
            "AKIA",
            "x",
            "t",
            4_102_444_799,
        ),
        (
            "DB.Example.COM",
            6543,
            "Ünal",
            "eu-west-1",
            "AKIA",
            "ключ",
            "",
            1_709_164_800,
        ),
        (
            "10.0.0.1",
            1,
            "app:x?y#z",
            "eu-west-1",
            "AK/IA+",
            "x",
            "",
            1_709_208_000,
        ),
    ];

    #[test]
    fn a_token_is_what_it_was_when_it_was_compared() {
        let credentials = Credentials {
            key_id: "AKIAEXAMPLE".to_owned(),
            secret: "secret".to_owned(),
            session: None,
        };
        let signer = Signer {
            credentials: &credentials,
            region: "eu-central-1",
        };
        let now = UNIX_EPOCH + Duration::from_secs(1_795_639_099);
        let token = signer.token("h.example.com", 5432, "app", now);
        let (begin, signature) = token.rsplit_once('=').unwrap();
        assert_eq!(
            begin,
            "h.example.com:5432/?Action=connect&DBUser=app&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAEXAMPLE\
             %2F20261125%2Feu-central-1%2Frds-db%2Faws4_request&X-Amz-Date=20261125T203819Z&X-Amz-Expires=900\
             &X-Amz-SignedHeaders=host&X-Amz-Signature"
        );
        assert_eq!(signature.len(), 64);
    }

    #[test]
    fn tokens_are_those_of_botocore() {
        let Ok(python) = std::env::var("PACELINE_BOTOCORE") else {
            println!(
                "skipped: PACELINE_BOTOCORE names no Python that has botocore; `cargo xtask test unit` sets it"
            );
            return;
        };
        let mut oracle = Command::new(python)
            .args(["-c", ORACLE])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python runs");
        let mut input = oracle.stdin.take().expect("piped");
        for (host, port, user, region, key_id, secret, session, now) in CASES {
            let line = [
                host,
                &port.to_string(),
                user,
                region,
                key_id,
                secret,
                session,
                &now.to_string(),
            ];
            writeln!(input, "{}", line.join("\t")).expect("it reads");
        }
        drop(input);
        let output = oracle.wait_with_output().expect("it ends");
        assert!(output.status.success());
        let theirs = String::from_utf8(output.stdout).expect("text");
        assert_eq!(theirs.lines().count(), CASES.len());
        for (case, theirs) in CASES.iter().zip(theirs.lines()) {
            let (host, port, user, region, key_id, secret, session, now) = *case;
            let credentials = Credentials {
                key_id: key_id.to_owned(),
                secret: secret.to_owned(),
                session: Some(session.to_owned()).filter(|session| !session.is_empty()),
            };
            let signer = Signer {
                credentials: &credentials,
                region,
            };
            let now = UNIX_EPOCH + Duration::from_secs(now);
            assert_eq!(signer.token(host, port, user, now), theirs, "{case:?}");
        }
    }
}
