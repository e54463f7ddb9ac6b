//! What a pool must know about its connections.

use std::error::Error;
use std::time::Instant;

/// Opens, checks and closes connections of one kind; the pool itself knows no driver.
///
/// Every future may be dropped before it is done: the connection it was about is then closed, never lent.
pub trait Manage: Send + Sync + 'static {
    /// A connection.
    type Connection: Send + 'static;
    /// Why one could not be opened, or failed its check.
    type Error: Error + Send + Sync + 'static;

    /// Opens a connection, one attempt. The pool gives up waiting at `deadline`; it is told so that the manager
    /// can set time-outs of its own by it.
    fn connect(
        &self,
        deadline: Instant,
    ) -> impl Future<Output = Result<Self::Connection, Self::Error>> + Send;

    /// Whether the server still answers on it: one cheap round trip that leaves no trace.
    fn check(
        &self,
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Whether it may be used again, as far as is known without asking the server: false once it is known to be
    /// broken, or was left in the middle of something.
    fn is_open(&self, connection: &Self::Connection) -> bool;

    /// Whether the server said something on a connection that lay idle: mostly that it is closed. It is then checked
    /// before it is lent, however short it lay. By default nobody looks.
    fn has_news(&self, connection: &Self::Connection) -> bool {
        let _ = connection;
        false
    }

    /// Whether an attempt to connect that failed so may succeed in a moment. Only connecting is tried again, so
    /// nothing that was executed is repeated.
    fn may_pass(&self, error: &Self::Error) -> bool;

    /// Ends a connection the way its protocol wants it. The pool gives up waiting at its own deadline.
    fn close(&self, connection: Self::Connection) -> impl Future<Output = ()> + Send;

    /// Ends a connection that was given up, whatever still runs on it. By default it is dropped.
    fn abandon(&self, connection: Self::Connection) {
        drop(connection);
    }
}
