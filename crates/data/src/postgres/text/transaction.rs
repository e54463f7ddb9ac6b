//! How a batch's transaction is to be.

/// How well a transaction is kept apart from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// What PostgreSQL takes for read committed.
    ReadUncommitted,
    /// Each statement sees what was committed before it.
    ReadCommitted,
    /// All statements see what was committed before the first.
    RepeatableRead,
    /// As if transactions ran one after the other.
    Serializable,
}

/// How a transaction begins. What is not said is as the role has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Transaction {
    /// How well it is kept apart from others.
    pub isolation: Option<Isolation>,
    /// Whether it may only read.
    pub read_only: Option<bool>,
    /// Whether it waits for a moment in which it cannot fail; means something when it is serializable and only reads.
    pub deferrable: Option<bool>,
}

impl Transaction {
    /// The statement that begins it.
    pub(super) fn begin(self) -> String {
        let isolation = self.isolation.map(|isolation| match isolation {
            Isolation::ReadUncommitted => " ISOLATION LEVEL READ UNCOMMITTED",
            Isolation::ReadCommitted => " ISOLATION LEVEL READ COMMITTED",
            Isolation::RepeatableRead => " ISOLATION LEVEL REPEATABLE READ",
            Isolation::Serializable => " ISOLATION LEVEL SERIALIZABLE",
        });
        let access = self
            .read_only
            .map(|only| if only { " READ ONLY" } else { " READ WRITE" });
        let waiting = self.deferrable.map(|waits| {
            if waits {
                " DEFERRABLE"
            } else {
                " NOT DEFERRABLE"
            }
        });
        let modes = [isolation, access, waiting];
        let modes: Vec<&str> = modes.into_iter().flatten().collect();
        format!("BEGIN{}", modes.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_said_is_asked_for() {
        assert_eq!(Transaction::default().begin(), "BEGIN");
        let all = Transaction {
            isolation: Some(Isolation::Serializable),
            read_only: Some(true),
            deferrable: Some(false),
        };
        assert_eq!(
            all.begin(),
            "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, NOT DEFERRABLE"
        );
    }
}
