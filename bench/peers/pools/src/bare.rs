//! A connection of the driver for each client: no pool at all.

use tokio_postgres::{Client, NoTls};

use crate::contender::{Contender, Failure, ask};

pub struct Bare(Vec<Client>);

impl Bare {
    pub async fn open(url: &str, clients: usize) -> Result<Self, Failure> {
        let mut all = Vec::new();
        for _ in 0..clients {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            all.push(client);
        }
        Ok(Self(all))
    }
}

impl Contender for Bare {
    async fn ask(&self, client: usize) -> Result<(), Failure> {
        ask(&self.0[client]).await
    }
}
