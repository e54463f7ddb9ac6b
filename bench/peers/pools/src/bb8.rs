//! bb8.

use ::bb8::Pool;
use bb8_postgres::PostgresConnectionManager;
use tokio_postgres::NoTls;

use crate::contender::{Contender, Failure, ask};

pub struct Bb8(Pool<PostgresConnectionManager<NoTls>>);

pub async fn of(url: &str, size: usize) -> Result<Bb8, Failure> {
    let manager = PostgresConnectionManager::new(url.parse()?, NoTls);
    let pool = Pool::builder().max_size(u32::try_from(size)?);
    Ok(Bb8(pool.build(manager).await?))
}

impl Contender for Bb8 {
    async fn ask(&self, _client: usize) -> Result<(), Failure> {
        let client = self.0.get().await?;
        ask(&client).await
    }
}
