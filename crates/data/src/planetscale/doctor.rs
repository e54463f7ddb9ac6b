//! Says what an address leads to. Statements are sent that change nothing.

use std::time::{Duration, Instant};

use super::client::PlanetScaleClient;
use super::error::PlanetScaleError;
use super::rows::Rows;
use super::session::Repeat;

/// Round trips of which the shortest counts.
const ROUNDS: usize = 5;

/// What an address leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// What the server calls its version.
    pub version: String,
    /// The database the password belongs to.
    pub database: String,
    /// Whether values that do not fit are refused: nothing is written where they are not.
    pub is_strict: bool,
    /// Whether a session that is sent back is the same session.
    pub keeps_sessions: bool,
    /// How long the first statement took: network, TLS, and the session.
    pub first: Duration,
    /// The shortest of some statements on a connection that was there.
    pub round_trip: Duration,
    /// How long the server says it worked on one, on the average.
    pub server_time: Duration,
}

/// Looks at what a client leads to.
///
/// # Errors
/// [`PlanetScaleError`] when it does not answer by `deadline`, or its sessions cannot be used.
pub async fn examine(
    client: &PlanetScaleClient,
    deadline: Instant,
) -> Result<Facts, PlanetScaleError> {
    let began = Instant::now();
    let mut session = client.session(deadline).await?;
    let first = began.elapsed();
    let mut round_trip = Duration::MAX;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        session
            .execute("SELECT 1", Repeat::Allowed, deadline)
            .await?;
        round_trip = round_trip.min(began.elapsed());
    }
    let told = session
        .execute(
            "SELECT VERSION(), DATABASE(), @@session.sql_mode",
            Repeat::Allowed,
            deadline,
        )
        .await?;
    let told = texts(&told);
    session
        .execute("SET @paceline_doctor = 7", Repeat::Never, deadline)
        .await?;
    let kept = session
        .execute("SELECT @paceline_doctor", Repeat::Allowed, deadline)
        .await?;
    let statistics = client.statistics();
    let asked = u32::try_from(statistics.requests)
        .unwrap_or(u32::MAX)
        .max(1);
    let text = |index: usize| told.get(index).cloned().unwrap_or_default();
    Ok(Facts {
        version: text(0),
        database: text(1),
        is_strict: text(2).contains("STRICT_"),
        keeps_sessions: texts(&kept) == ["7"],
        first,
        round_trip,
        server_time: statistics.server_time / asked,
    })
}

/// The values of the first row; nothing where it cannot be read.
fn texts(rows: &Rows) -> Vec<String> {
    let mut texts = Vec::new();
    let read = rows.each(|row| {
        let sent = (0..row.columns()).map(|index| row.sent(index).unwrap_or_default());
        texts.extend(sent.map(|sent| String::from_utf8_lossy(sent).into_owned()));
        Ok::<(), serde_json::Error>(())
    });
    read.map_or_else(|_| Vec::new(), |_| texts)
}
