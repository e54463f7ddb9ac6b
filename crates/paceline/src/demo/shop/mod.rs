//! The shop: three tables of made-up rows, the same on every machine.

mod calendar;
mod goods;
mod people;
mod prose;
mod random;

use std::fs::File;
use std::path::Path;

use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use argon2::password_hash::phc::PasswordHash;
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

/// The shop that the demo serves: 10,000 users, 100,000 posts, 1,000 products.
pub const SHOP: Size = Size {
    users: 10_000,
    posts: 100_000,
    products: 1_000,
};

/// The password of user 1, the only one who can log in. It protects made-up rows and is printed.
pub const PASSWORD: &str = "open-sesame-2026";

/// The shop is the same everywhere, so its one hash needs one salt.
const SALT: &[u8] = b"paceline demo sh";

const SCHEMA: &str = "
CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL CHECK (name <> ''),
  email TEXT NOT NULL UNIQUE,
  password_hash TEXT,
  created_at TEXT NOT NULL
) STRICT;
CREATE TABLE posts (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users (id),
  title TEXT NOT NULL CHECK (title <> ''),
  body TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;
CREATE TABLE products (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL CHECK (name <> ''),
  description TEXT NOT NULL,
  price_cents INTEGER NOT NULL CHECK (price_cents >= 0),
  stock INTEGER NOT NULL CHECK (stock >= 0),
  updated_at TEXT NOT NULL
) STRICT;
";

/// Made after the rows: filling an index in order is several times faster.
const INDEXES: &str = "
CREATE INDEX users_name ON users (name);
CREATE INDEX users_created_at ON users (created_at);
CREATE INDEX posts_user_id_created_at ON posts (user_id, created_at);
CREATE INDEX posts_title ON posts (title);
CREATE INDEX posts_created_at ON posts (created_at);
CREATE INDEX products_name ON products (name);
CREATE INDEX products_price_cents ON products (price_cents);
CREATE INDEX products_stock ON products (stock);
CREATE INDEX products_updated_at ON products (updated_at);
";

/// The shop could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShopError {
    /// SQLite refused.
    #[error("SQLite refused")]
    Sqlite(#[from] rusqlite::Error),
    /// The file could not be put on disk.
    #[error("the file could not be put on disk")]
    Io(#[from] std::io::Error),
}

/// Writes a shop into the new file at `path` and returns when it is on disk. Blocks.
///
/// Nobody must open the file before that: until the end it is written without a journal.
///
/// # Errors
/// [`ShopError`], also when the file exists and has tables.
pub fn create(path: &Path, size: Size) -> Result<(), ShopError> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    fill_users(&transaction, size)?;
    fill_posts(&transaction, size)?;
    fill_products(&transaction, size)?;
    transaction.execute_batch(INDEXES)?;
    transaction.execute_batch("ANALYZE")?;
    transaction.commit()?;
    connection.execute_batch("PRAGMA journal_mode = WAL")?;
    connection.close().map_err(|(_, error)| error)?;
    File::open(path)?.sync_all()?;
    Ok(())
}

fn fill_users(transaction: &Transaction<'_>, size: Size) -> rusqlite::Result<()> {
    let mut random = Random::new(1);
    let mut insert = transaction.prepare(
        "INSERT INTO users (id, name, email, password_hash, created_at) VALUES (?, ?, ?, ?, ?)",
    )?;
    for id in 1..=size.users {
        let person = people::person(id, &mut random);
        let hash = (id == 1).then(password_hash);
        let created_at = calendar::arrival(id - 1, size.users, random.below(86_400));
        insert.execute(params![id, person.name, person.email, hash, created_at])?;
    }
    Ok(())
}

fn fill_posts(transaction: &Transaction<'_>, size: Size) -> rusqlite::Result<()> {
    let mut random = Random::new(2);
    let mut insert = transaction.prepare(
        "INSERT INTO posts (id, user_id, title, body, created_at) VALUES (?, ?, ?, ?, ?)",
    )?;
    for id in 1..=size.posts {
        // The smallest of four draws: a few users write much, most write little.
        let draws = [(); 4].map(|()| random.below(size.users));
        let user_id = 1 + draws.into_iter().min().unwrap_or_default();
        let post = prose::post(&mut random);
        let created_at = calendar::writing(id - 1, size.posts, random.below(86_400));
        insert.execute(params![id, user_id, post.title, post.body, created_at])?;
    }
    Ok(())
}

fn fill_products(transaction: &Transaction<'_>, size: Size) -> rusqlite::Result<()> {
    let mut random = Random::new(3);
    let mut insert = transaction.prepare(
        "INSERT INTO products (id, name, description, price_cents, stock, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    for id in 1..=size.products {
        let product = goods::product(&mut random);
        let updated_at = calendar::change(id - 1, size.products, random.below(86_400));
        insert.execute(params![
            id,
            product.name,
            product.description,
            product.price_cents,
            product.stock,
            updated_at
        ])?;
    }
    Ok(())
}

/// The address that user 1 logs in with.
pub fn login_email() -> String {
    people::person(1, &mut Random::new(1)).email
}

/// Argon2id with 19 MiB and two passes, the least that OWASP's password storage sheet recommends.
fn password_hash() -> String {
    let hash: PasswordHash = Argon2::default()
        .hash_password_with_salt(PASSWORD.as_bytes(), SALT)
        .expect("the default parameters and a salt of 16 bytes are valid");
    hash.to_string()
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::PasswordVerifier as _;

    use super::*;

    const SMALL: Size = Size {
        users: 200,
        posts: 2_000,
        products: 50,
    };

    fn shop(size: Size) -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        create(&path, size).unwrap();
        let connection = Connection::open(path).unwrap();
        (folder, connection)
    }

    fn number(connection: &Connection, query: &str) -> u32 {
        connection.query_row(query, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn the_same_rows_every_time() {
        let (first, _) = shop(SMALL);
        let (second, _) = shop(SMALL);
        let bytes =
            |folder: &tempfile::TempDir| std::fs::read(folder.path().join("shop.db")).unwrap();
        assert_eq!(bytes(&first), bytes(&second));
    }

    #[test]
    fn the_whole_shop_has_what_the_documented_requests_ask_for() {
        let (_folder, connection) = shop(SHOP);
        let rows = |table: &str| number(&connection, &format!("SELECT count(*) FROM {table}"));
        assert_eq!(
            [rows("users"), rows("posts"), rows("products")],
            [10_000, 100_000, 1_000]
        );
        let recent = "SELECT count(*) FROM posts WHERE user_id = 7 AND created_at >= '2026-01-01'";
        assert!(number(&connection, recent) >= 1);
        assert_eq!(
            number(
                &connection,
                "SELECT count(*) FROM posts WHERE created_at > '2026-07'"
            ),
            0
        );
        let beyond_ascii = "SELECT count(*) FROM users WHERE length(name) < octet_length(name)";
        assert!(number(&connection, beyond_ascii) > 1_000);
        assert_eq!(
            number(&connection, "SELECT count(*) FROM pragma_foreign_key_check"),
            0
        );
        assert_eq!(
            number(
                &connection,
                "SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'posts'"
            ),
            3
        );
        let mode: String = connection
            .query_row("PRAGMA journal_mode", [], |row| row.get(0))
            .unwrap();
        assert_eq!(mode, "wal");
    }

    #[test]
    fn one_user_can_log_in() {
        let (_folder, connection) = shop(SMALL);
        let with_hash = "SELECT count(*) FROM users WHERE password_hash IS NOT NULL";
        assert_eq!(number(&connection, with_hash), 1);
        let (email, hash): (String, String) = connection
            .query_row(
                "SELECT email, password_hash FROM users WHERE id = 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        assert_eq!(email, login_email());
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let hash = PasswordHash::new(&hash).unwrap();
        assert!(
            Argon2::default()
                .verify_password(PASSWORD.as_bytes(), &hash)
                .is_ok()
        );
    }

    #[test]
    fn the_tables_refuse_what_cannot_be() {
        let (_folder, connection) = shop(SMALL);
        for refused in [
            "UPDATE products SET price_cents = -1 WHERE id = 1",
            "UPDATE products SET stock = 'many' WHERE id = 1",
            "UPDATE users SET email = (SELECT email FROM users WHERE id = 2) WHERE id = 1",
            "UPDATE posts SET title = NULL WHERE id = 1",
        ] {
            assert!(connection.execute(refused, []).is_err(), "{refused}");
        }
    }
}
