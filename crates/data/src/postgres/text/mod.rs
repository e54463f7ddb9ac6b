//! Statements of others, run as they are, their results handed on as the text the server wrote.
//!
//! For gateways: whoever sends a statement here may send any that the role may run, with values as text and of the
//! types the server chooses. What the server says of each column comes with the rows ([`Field`]).
//!
//! Such statements may leave anything behind in a session. So the connections are [`TextDatabase`]'s own, lead to the
//! server itself and never to a pooler, belong to a role that is no superuser, and are lent again only after the
//! session was cleaned; what cleaning does not undo costs its connection.
//!
//! For the tables of a database as resources use [`Database`](crate::Database): its statements need none of this.

mod arrays;
mod connection;
mod database;
mod error;
mod exchange;
mod manager;
mod options;
mod refusal;
mod result;
mod role;
mod running;
mod traces;
mod transaction;

pub use database::TextDatabase;
pub use error::{TextError, TextOpenError};
pub use options::TextOptions;
pub use refusal::{Part, Refusal};
pub use result::{ArrayOf, Field, TextResult, TextRow};
pub use transaction::{Isolation, Transaction};

/// A statement and its values, in the text the server reads them from; `None` is `NULL`.
#[derive(Clone)]
pub struct TextQuery {
    /// One statement, with `$1`, `$2`, … for the values.
    pub sql: String,
    /// The values, the first placeholder's first.
    pub values: Vec<Option<String>>,
}

/// The statement only: values may be secret.
impl std::fmt::Debug for TextQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextQuery")
            .field("sql", &self.sql)
            .field("values", &self.values.len())
            .finish()
    }
}
