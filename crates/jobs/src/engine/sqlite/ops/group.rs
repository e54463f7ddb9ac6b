//! Groups of one queue: they take turns, each with bounds of its own. The ready jobs without a group are one
//! more line, which takes its turn like a group but knows no bounds.
//!
//! A group's row says when it may be served, so that a claim looks only at groups it can take from: an
//! index holds those that are open, another one those whose window ends by itself.

use rusqlite::{OptionalExtension, params};

use super::super::tx::{QueueRef, Tx};
use super::super::window::Window;
use crate::clock::Timestamp;
use crate::error::EngineError;
use crate::settings::QueueSettings;
use crate::state::State;

/// Groups opened by one claim as their windows end; the rest follows with the next.
const OPEN_STEP: i64 = 1_000;

/// A group's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) turn: i64,
    ready: i64,
    active: i64,
    open: Open,
    window: Window,
}

/// When a group may be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Now,
    /// When the window of its rate limit ends.
    At(Timestamp),
    /// When one of its jobs ends.
    Later,
}

impl Open {
    const fn code(self) -> Option<i64> {
        match self {
            Self::Now => Some(0),
            Self::At(time) => Some(time.as_millis()),
            Self::Later => None,
        }
    }

    const fn of(code: Option<i64>) -> Self {
        match code {
            Some(0) => Self::Now,
            Some(time) => Self::At(Timestamp::from_millis(time)),
            None => Self::Later,
        }
    }
}

impl Group {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            turn: 0,
            ready: 0,
            active: 0,
            open: Open::Now,
            window: Window::default(),
        }
    }

    /// Moves one of its jobs.
    fn shift(&mut self, from: Option<State>, to: Option<State>) {
        let count =
            |state: Option<State>, what: fn(State) -> bool| i64::from(state.is_some_and(what));
        self.ready += count(to, State::is_ready) - count(from, State::is_ready);
        let active = |state| state == State::Active;
        self.active += count(to, active) - count(from, active);
        self.ready = self.ready.max(0);
        self.active = self.active.max(0);
    }

    /// When it may be served, by its bounds.
    fn opens(&self, settings: &QueueSettings, now: Timestamp) -> Open {
        let full = |max: std::num::NonZeroU32| self.active >= i64::from(max.get());
        if settings.group_concurrency.is_some_and(full) {
            return Open::Later;
        }
        match settings.group_rate {
            Some(limit) if self.window.left(limit, now) == 0 => Open::At(self.window.until),
            _ => Open::Now,
        }
    }

    /// Whether nothing has to be remembered of it.
    fn is_idle(&self, now: Timestamp) -> bool {
        self.ready == 0 && self.active == 0 && self.window.until <= now
    }
}

/// Counts a job that changed its state by anything but a claim; `None` is outside the store. A group that
/// becomes ready stands behind those that wait already.
pub(super) fn moved(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    name: &str,
    from: Option<State>,
    to: Option<State>,
) -> Result<(), EngineError> {
    let counts = |state: Option<State>| state.is_some_and(|s| s.is_ready() || s == State::Active);
    if !counts(from) && !counts(to) {
        return Ok(());
    }
    let mut group = find(tx, queue, name)?.unwrap_or_else(|| Group::new(name));
    let (ready, open) = (group.ready, group.open);
    group.shift(from, to);
    if ready == 0 && group.ready > 0 {
        group.turn = tx.take_position(queue);
    }
    let row = tx.row(queue);
    row.grouped = row.grouped.saturating_add_signed(group.ready - ready);
    let settings = row.settings;
    group.open = group.opens(&settings, tx.now);
    if open != Open::Now && group.open == Open::Now && group.ready > 0 {
        tx.wake(queue);
    }
    store(tx, queue, &group)
}

/// Counts a job of `group` that a worker takes, and sends the group to the end of the line.
pub(super) fn took(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    mut group: Group,
    from: State,
) -> Result<(), EngineError> {
    group.shift(Some(from), Some(State::Active));
    group.turn = tx.take_position(queue);
    let row = tx.row(queue);
    row.grouped = row.grouped.saturating_sub(1);
    let settings = row.settings;
    if let Some(limit) = settings.group_rate {
        group.window.count(limit, 1, tx.now);
    }
    group.open = group.opens(&settings, tx.now);
    store(tx, queue, &group)
}

/// Corrects a group that has no ready job although its row says so.
pub(super) fn empty(tx: &mut Tx<'_>, queue: QueueRef, mut group: Group) -> Result<(), EngineError> {
    let row = tx.row(queue);
    row.grouped = row.grouped.saturating_add_signed(-group.ready);
    tracing::warn!(group = %group.name, "a group was counted with jobs it does not have");
    group.ready = 0;
    store(tx, queue, &group)
}

/// The group whose turn it is, among those that may be served.
pub(super) fn next(tx: &mut Tx<'_>, queue: QueueRef) -> Result<Option<Group>, EngineError> {
    let queue = tx.row(queue).id;
    Ok(tx
        .connection
        .prepare_cached(NEXT)?
        .query_row([queue], read)
        .optional()?)
}

/// Opens groups whose windows ended; gives when the next one does.
pub(super) fn open_due(tx: &mut Tx<'_>, queue: QueueRef) -> Result<Option<Timestamp>, EngineError> {
    let queue = tx.row(queue).id;
    tx.connection.prepare_cached(OPEN_DUE)?.execute(params![
        queue,
        tx.now.as_millis(),
        OPEN_STEP
    ])?;
    next_window(tx, queue)
}

/// When the next window of a group with ready jobs ends.
pub(super) fn next_window(tx: &Tx<'_>, queue: i64) -> Result<Option<Timestamp>, EngineError> {
    let next: Option<i64> = tx
        .connection
        .prepare_cached(NEXT_WINDOW)?
        .query_row([queue], |row| row.get(0))
        .optional()?;
    Ok(next.map(Timestamp::from_millis))
}

/// Applies new bounds to the groups there are.
pub(super) fn bounds_changed(tx: &mut Tx<'_>, queue: QueueRef) -> Result<(), EngineError> {
    let row = *tx.row(queue);
    let limit = row.settings.group_rate;
    // As `Group::opens`, for all at once.
    let sql = "UPDATE paceline_groups SET open_at = CASE WHEN active >= ?2 THEN NULL \
               WHEN rate_used >= ?3 AND rate_until > ?5 AND rate_until <= ?4 THEN rate_until ELSE 0 END \
               WHERE queue = ?1";
    tx.connection.prepare_cached(sql)?.execute(params![
        row.id,
        row.settings
            .group_concurrency
            .map(std::num::NonZeroU32::get),
        limit.map(|limit| limit.max.get()),
        limit.map(|limit| tx.now.saturating_add(limit.per).as_millis()),
        tx.now.as_millis(),
    ])?;
    Ok(())
}

const NEXT: &str = "SELECT name, turn, ready, active, open_at, rate_until, rate_used FROM paceline_groups \
                    WHERE queue = ?1 AND ready > 0 AND open_at = 0 ORDER BY turn LIMIT 1";
const OPEN_DUE: &str = "UPDATE paceline_groups SET open_at = 0 WHERE queue = ?1 AND name IN (SELECT name FROM paceline_groups \
                        WHERE queue = ?1 AND ready > 0 AND open_at > 0 AND open_at <= ?2 ORDER BY open_at LIMIT ?3)";
const NEXT_WINDOW: &str = "SELECT open_at FROM paceline_groups WHERE queue = ?1 AND ready > 0 AND open_at > 0 \
                           ORDER BY open_at LIMIT 1";

fn find(tx: &mut Tx<'_>, queue: QueueRef, name: &str) -> Result<Option<Group>, EngineError> {
    let sql = "SELECT name, turn, ready, active, open_at, rate_until, rate_used FROM paceline_groups \
               WHERE queue = ?1 AND name = ?2";
    let queue = tx.row(queue).id;
    Ok(tx
        .connection
        .prepare_cached(sql)?
        .query_row(params![queue, name], read)
        .optional()?)
}

fn store(tx: &mut Tx<'_>, queue: QueueRef, group: &Group) -> Result<(), EngineError> {
    let queue = tx.row(queue).id;
    if group.is_idle(tx.now) {
        tx.connection
            .prepare_cached("DELETE FROM paceline_groups WHERE queue = ?1 AND name = ?2")?
            .execute(params![queue, group.name])?;
        return Ok(());
    }
    let sql = "INSERT OR REPLACE INTO paceline_groups (queue, name, turn, ready, active, open_at, rate_until, rate_used) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    tx.connection.prepare_cached(sql)?.execute(params![
        queue,
        group.name,
        group.turn,
        group.ready,
        group.active,
        group.open.code(),
        group.window.until.as_millis(),
        group.window.used.cast_signed(),
    ])?;
    Ok(())
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Group> {
    Ok(Group {
        name: row.get(0)?,
        turn: row.get(1)?,
        ready: row.get(2)?,
        active: row.get(3)?,
        open: Open::of(row.get(4)?),
        window: Window {
            until: Timestamp::from_millis(row.get(5)?),
            used: u64::try_from(row.get::<_, i64>(6)?).unwrap_or(0),
        },
    })
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;
    use crate::engine::sqlite::ops::claim::FIRST_OF_GROUP;
    use crate::engine::sqlite::schema::plan_of;
    use crate::settings::StartLimit;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    #[test]
    fn a_claim_searches_indexes_for_the_next_group_its_first_job_and_the_windows() {
        for (sql, index) in [
            (NEXT, "paceline_groups_turn (queue=?)"),
            (
                NEXT_WINDOW,
                "paceline_groups_window (queue=? AND open_at>?)",
            ),
            (
                OPEN_DUE,
                "paceline_groups_window (queue=? AND open_at>? AND open_at<?)",
            ),
            (
                FIRST_OF_GROUP,
                "paceline_jobs_grouped (queue=? AND group_name=?)",
            ),
        ] {
            let plan = plan_of(sql);
            assert!(plan.contains(index), "{sql}: {plan}");
            assert!(
                !plan.contains("SCAN p") && !plan.contains("B-TREE"),
                "{plan}"
            );
        }
    }

    #[test]
    fn a_group_is_open_unless_a_bound_is_reached() {
        let bound = |number| NonZeroU32::new(number).unwrap();
        let rate = StartLimit {
            max: bound(2),
            per: Duration::from_millis(500),
        };
        let settings = QueueSettings::default()
            .group_concurrency(Some(bound(3)))
            .group_rate(Some(rate));
        let mut group = Group::new("g");
        group.shift(None, Some(State::Prioritized));
        group.shift(None, Some(State::Waiting));
        assert_eq!((group.ready, group.opens(&settings, NOW)), (2, Open::Now));
        group.shift(Some(State::Waiting), Some(State::Active));
        group.window.count(rate, 2, NOW);
        let end = Timestamp::from_millis(1_500);
        assert_eq!(group.opens(&settings, NOW), Open::At(end));
        assert_eq!(group.opens(&settings, end), Open::Now);
        group.active = 3;
        assert_eq!(group.opens(&settings, end), Open::Later);
        assert_eq!(group.opens(&QueueSettings::default(), NOW), Open::Now);
        for code in [Open::Now, Open::Later, Open::At(end)] {
            assert_eq!(Open::of(code.code()), code);
        }
    }

    #[test]
    fn a_group_is_forgotten_when_nothing_has_to_be_remembered() {
        let mut group = Group::new("g");
        assert!(group.is_idle(NOW));
        group.window.until = Timestamp::from_millis(1_001);
        assert!(!group.is_idle(NOW), "its window is in force");
        group.window.until = NOW;
        group.shift(None, Some(State::Waiting));
        assert!(!group.is_idle(NOW));
        group.shift(Some(State::Waiting), None);
        assert!(group.is_idle(NOW));
    }
}
