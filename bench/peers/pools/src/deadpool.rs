//! deadpool-postgres.

use ::deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio_postgres::NoTls;

use crate::contender::{Contender, Failure, ask};

pub struct Deadpool(Pool);

/// A pool of that size that looks at a connection in that way before it is lent.
pub fn of(url: &str, size: usize, recycling_method: RecyclingMethod) -> Result<Deadpool, Failure> {
    let config = ManagerConfig { recycling_method };
    let manager = Manager::from_config(url.parse()?, NoTls, config);
    Ok(Deadpool(Pool::builder(manager).max_size(size).build()?))
}

impl Contender for Deadpool {
    async fn ask(&self, _client: usize) -> Result<(), Failure> {
        let client = self.0.get().await?;
        ask(&client).await
    }
}
