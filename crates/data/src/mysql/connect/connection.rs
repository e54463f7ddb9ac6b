//! A connection to a server.

use std::fmt;

use futures_util::FutureExt as _;
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

use super::StatementMode;
use super::session::Session;

/// A connection: the driver's, and what is known of its session.
pub struct MySqlConnection {
    conn: Conn,
    session: Session,
    statements: StatementMode,
}

impl MySqlConnection {
    pub(super) fn new(conn: Conn, session: Session) -> Self {
        Self {
            conn,
            session,
            statements: StatementMode::Unnamed,
        }
    }

    /// With the statements that are safe where it leads.
    pub(super) fn with_statements(self, statements: StatementMode) -> Self {
        Self { statements, ..self }
    }

    /// What is known of the session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// How statements are sent on it.
    pub fn statements(&self) -> StatementMode {
        self.statements
    }

    /// The driver's connection.
    pub(in crate::mysql) fn driver(&mut self) -> &mut Conn {
        &mut self.conn
    }

    /// Whether it is known to be closed.
    pub(super) fn is_closed(&self) -> bool {
        self.conn.is_disconnected()
    }

    /// Whether the number we were told when it began is the server's own: behind what shares connections it is not.
    pub(in crate::mysql) fn is_direct(&self) -> bool {
        u64::from(self.conn.id()) == self.session.connection_id & u64::from(u32::MAX)
    }

    /// Takes leave of the server.
    pub(super) async fn close(self) {
        // It is closed either way.
        let _ = self.conn.disconnect().await;
    }

    /// Closes the socket without a word. Left to itself the driver would read to the end whatever still comes; a
    /// command that is begun and dropped makes it take the connection for broken.
    pub(super) fn sever(mut self) {
        let begun = self.conn.ping().now_or_never();
        drop(begun);
    }
}

impl fmt::Debug for MySqlConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlConnection")
            .field("session", &self.session)
            .field("statements", &self.statements)
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
