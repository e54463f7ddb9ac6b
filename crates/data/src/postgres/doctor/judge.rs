//! What the facts mean: findings, and the configuration to use.

use std::fmt;
use std::time::Duration;

use super::super::connect::{Encryption, Endpoint, StatementMode, Version};
use super::facts::{Facts, Named, Sharing};

/// How a finding is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Fine,
    /// To be known.
    Note,
    /// Something can go wrong.
    Risk,
    /// To be mended.
    Wrong,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How it is meant.
    pub grade: Grade,
    /// What it is, and what to do.
    pub text: String,
}

impl Finding {
    pub(crate) fn new(grade: Grade, text: impl Into<String>) -> Self {
        Self {
            grade,
            text: text.into(),
        }
    }
}

/// The configuration that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Advice {
    /// What to say the address leads to.
    pub endpoint: Endpoint,
    /// The statements that will be used then.
    pub statements: StatementMode,
    /// Whether that has to be asked for, because it is not what would be used anyway.
    pub ask_for_statements: bool,
}

/// The configuration for what was found: named statements only where they were seen to work.
pub fn advise(facts: &Facts) -> Advice {
    let endpoint = match (facts.endpoint, &facts.named) {
        // Its version was not told; that they work, tells that it follows them.
        (Endpoint::PgBouncer(None), Named::Work) => Endpoint::PgBouncer(Some(Version(1, 21))),
        (endpoint, _) => endpoint,
    };
    let wish = (facts.named == Named::Work).then_some(StatementMode::Named);
    let statements = match wish {
        None => StatementMode::Unnamed,
        Some(wish) => endpoint
            .statements_for(Some(wish))
            .unwrap_or(StatementMode::Unnamed),
    };
    Advice {
        endpoint,
        statements,
        ask_for_statements: statements != endpoint.statements(),
    }
}

/// Everything there is to say, the most general first.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut found = vec![what_it_is(facts)];
    found.extend(contradictions(facts));
    found.push(statements(facts));
    found.push(sessions(facts));
    found.push(cancelling(facts));
    found.push(options(facts));
    found.push(encryption(facts));
    found.push(Finding::new(
        Grade::Fine,
        format!(
            "connecting takes {}, a round trip {}",
            Short(facts.connect),
            Short(facts.round_trip)
        ),
    ));
    found.extend(limits(facts));
    found
}

fn what_it_is(facts: &Facts) -> Finding {
    let server = format!("PostgreSQL {}", facts.server_version);
    let text = match (facts.endpoint, &facts.pooler) {
        (Endpoint::Direct, _) => format!("{server}, directly"),
        (Endpoint::Pooler, Some(name)) => format!("{server} behind {name}"),
        (endpoint, _) => format!("{server} behind {endpoint}"),
    };
    Finding::new(Grade::Fine, text)
}

/// What was said in the address and is not so.
fn contradictions(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    let unsafe_named = facts.wants_named
        || facts
            .said
            .is_some_and(|said| said.statements() == StatementMode::Named);
    if unsafe_named && !matches!(facts.named, Named::Work) {
        found.push(Finding::new(
            Grade::Wrong,
            "the address leads to named statements (pooler or statements), and they do not work here: leave both \
             out, or take what is written below",
        ));
    }
    match facts.said {
        Some(said) if (said == Endpoint::Direct) != (facts.endpoint == Endpoint::Direct) => {
            let text = format!(
                "the address says that this is {said}, and it is {}",
                facts.endpoint
            );
            found.push(Finding::new(Grade::Wrong, text));
        }
        _ => {}
    }
    found
}

fn statements(facts: &Facts) -> Finding {
    match &facts.named {
        Named::Work => Finding::new(
            Grade::Fine,
            "named statements work: each client's are its own",
        ),
        Named::Fail(state) => Finding::new(
            Grade::Note,
            format!(
                "named statements fail here ({state}): they are lost, or collide with those of other clients. \
                 Unnamed ones are used; other programs on this address must do so too"
            ),
        ),
        Named::Mixed => Finding::new(
            Grade::Risk,
            "named statements are mixed up here: a client may get the rows of another one's statement. Unnamed ones \
             are used; other programs on this address must do so too",
        ),
        Named::NotTried => Finding::new(
            Grade::Note,
            "named statements were not tried: the proxy may then keep a server connection for one client. Unnamed \
             ones are used",
        ),
    }
}

fn sessions(facts: &Facts) -> Finding {
    match facts.sharing {
        Sharing::Own => Finding::new(
            Grade::Fine,
            "a session is one client's for as long as its connection stands: SET, LISTEN and advisory locks work",
        ),
        Sharing::Transactions => Finding::new(
            Grade::Note,
            "sessions are shared, each transaction gets another one: SET, LISTEN, temporary tables and session \
             advisory locks leak to other clients, and we use none of them. For versions by triggers (LISTEN), give \
             an address of the server itself",
        ),
    }
}

fn cancelling(facts: &Facts) -> Finding {
    if facts.cancels {
        return Finding::new(Grade::Fine, "a request to cancel reaches the server");
    }
    let text = "a request to cancel does not reach the server: a query that nobody waits for any more goes on until \
                statement_timeout, so set one for the role";
    Finding::new(Grade::Note, text)
}

fn options(facts: &Facts) -> Finding {
    let text = if facts.takes_options {
        "settings may be sent when a connection begins (options); we send none"
    } else {
        "settings that are sent when a connection begins (options) are refused; we send none: ALTER ROLE ... SET does \
         the same"
    };
    Finding::new(Grade::Fine, text)
}

fn encryption(facts: &Facts) -> Finding {
    match &facts.encryption {
        Encryption::Verified(_) => Finding::new(
            Grade::Fine,
            "encrypted, and the server's certificate is checked",
        ),
        Encryption::Unverified => Finding::new(
            Grade::Risk,
            "encrypted, but no certificate is checked: whoever stands in between reads everything. Name the \
             certificate of its authority in ca_file",
        ),
        Encryption::None if facts.is_local => Finding::new(
            Grade::Fine,
            "not encrypted, and it does not leave this machine",
        ),
        Encryption::None => Finding::new(
            Grade::Risk,
            "not encrypted (sslmode=disable): everybody on the way reads everything, the password's proof included",
        ),
    }
}

fn limits(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(most) = facts.max_connections {
        let text = match facts.endpoint {
            Endpoint::Direct => format!(
                "the server takes {most} connections: pool size times processes must stay below that (on Lambda, \
                 the function's reserved concurrency)"
            ),
            _ => format!(
                "the server behind it takes {most} connections; the pooler has a bound of its own"
            ),
        };
        found.push(Finding::new(Grade::Note, text));
    }
    match facts.statement_timeout {
        Some(bound) => {
            found.push(Finding::new(Grade::Fine, format!("the server stops statements after {}", Short(bound))));
        }
        None => found.push(Finding::new(
            Grade::Note,
            "the server stops no statement by itself: ALTER ROLE ... SET statement_timeout = '30s' bounds those that \
             nobody waits for any more",
        )),
    }
    if facts.is_superuser {
        found.push(Finding::new(
            Grade::Risk,
            "the role is a superuser: serve with one that may only read and write what it should",
        ));
    }
    if facts.is_standby {
        found.push(Finding::new(
            Grade::Note,
            "the server is a standby: it takes no writes",
        ));
    }
    found
}

/// A duration with three digits.
struct Short(Duration);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        match micros {
            0..1_000 => write!(f, "{micros} us"),
            1_000..1_000_000 => write!(f, "{:.1} ms", self.0.as_secs_f64() * 1e3),
            _ => write!(f, "{:.1} s", self.0.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(endpoint: Endpoint, named: Named) -> Facts {
        Facts {
            said: None,
            wants_named: false,
            endpoint,
            pooler: None,
            server_version: "15.4".to_owned(),
            is_standby: false,
            is_superuser: false,
            encryption: Encryption::Verified(None),
            is_local: false,
            connect: Duration::from_millis(12),
            round_trip: Duration::from_micros(300),
            named,
            sharing: Sharing::Transactions,
            takes_options: false,
            cancels: true,
            max_connections: Some(97),
            statement_timeout: Some(Duration::from_secs(30)),
        }
    }

    #[test]
    fn named_statements_are_advised_only_where_they_were_seen_to_work() {
        use Endpoint::{Direct, NeonPooler, PgBouncer, Pooler, RdsProxy};
        use StatementMode::{Named as ByName, Unnamed};
        let fail = || Named::Fail("42P05".to_owned());
        let bouncer = |minor| PgBouncer(Some(Version(1, minor)));
        for (endpoint, named, advised, mode, ask) in [
            (Direct, Named::Work, Direct, ByName, false),
            // A pooler that hides well: what does not work is not used, whatever it looks like.
            (Direct, fail(), Direct, Unnamed, true),
            (bouncer(18), fail(), bouncer(18), Unnamed, false),
            (bouncer(24), Named::Work, bouncer(24), ByName, false),
            // max_prepared_statements = 0.
            (bouncer(24), fail(), bouncer(24), Unnamed, true),
            (bouncer(22), Named::Work, bouncer(22), ByName, true),
            (PgBouncer(None), Named::Work, bouncer(21), ByName, true),
            (
                PgBouncer(None),
                Named::Mixed,
                PgBouncer(None),
                Unnamed,
                false,
            ),
            (RdsProxy, Named::NotTried, RdsProxy, Unnamed, false),
            (NeonPooler, Named::Work, NeonPooler, Unnamed, false),
            (Pooler, Named::Work, Pooler, Unnamed, false),
        ] {
            let advice = advise(&facts(endpoint, named.clone()));
            let expected = (advised, mode, ask);
            assert_eq!(
                (
                    advice.endpoint,
                    advice.statements,
                    advice.ask_for_statements
                ),
                expected,
                "{endpoint:?} {named:?}"
            );
        }
    }

    #[test]
    fn what_the_address_claims_wrongly_is_to_be_mended() {
        let worst = |facts: &Facts| judge(facts).iter().map(|found| found.grade).max();
        let mut old = facts(
            Endpoint::PgBouncer(Some(Version(1, 18))),
            Named::Fail("42P05".to_owned()),
        );
        assert_eq!(worst(&old), Some(Grade::Note));
        old.said = Some(Endpoint::PgBouncer(Some(Version(1, 24))));
        assert_eq!(worst(&old), Some(Grade::Wrong));
        old.said = Some(Endpoint::Direct);
        assert_eq!(
            judge(&old)
                .iter()
                .filter(|found| found.grade == Grade::Wrong)
                .count(),
            2
        );
        let mut plain = facts(Endpoint::Direct, Named::Work);
        plain.encryption = Encryption::None;
        assert_eq!(worst(&plain), Some(Grade::Risk));
        plain.is_local = true;
        assert_eq!(worst(&plain), Some(Grade::Note));
    }
}
