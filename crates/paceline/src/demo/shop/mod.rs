//! The shop: three tables of made-up rows, the same on every machine.

mod calendar;
mod goods;
mod people;
mod prose;
mod random;

use std::path::Path;

use argon2::password_hash::CustomizedPasswordHasher as _;
use argon2::{Argon2, PasswordHasher as _};
use rusqlite::{Connection, Transaction, params};

use random::Random;

/// How many rows each table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Rows of `users`.
    pub users: u32,
    /// Rows of `posts`.
    pub posts: u32,
    /// Rows of `products`.
    pub products: u32,
}

/// The shop the demo serves: 10,000 users, 100,000 posts, 1,000 products.
pub const SHOP: Size = Size { users: 10_000, posts: 100_000, products: 1_000 };
