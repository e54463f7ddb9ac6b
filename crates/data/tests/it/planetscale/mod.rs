//! `PlanetScale` over HTTP, against its double over a real `MariaDB`.

mod failing;
mod literals;
mod sessions;
mod types;

use std::time::{Duration, Instant};

use paceline_data::planetscale::{ClientOptions, PlanetScaleClient, Rows};
use paceline_data::{Row as _, Value};
use paceline_test_servers::{MariaDb, PlanetScale, PlanetScaleOptions};

/// A double of the test's own, over the server of all.
fn double() -> PlanetScale {
    PlanetScale::start(&MariaDb::shared())
}

fn double_with(options: PlanetScaleOptions) -> PlanetScale {
    PlanetScale::start_with(&MariaDb::shared(), options)
}

fn client(double: &PlanetScale) -> PlanetScaleClient {
    client_with(double, ClientOptions::default())
}

fn client_with(double: &PlanetScale, options: ClientOptions) -> PlanetScaleClient {
    let address = double.address().parse().unwrap();
    PlanetScaleClient::new(address, options).unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// All values.
fn values(rows: &Rows) -> Vec<Vec<Value>> {
    let mut all = Vec::new();
    rows.each(|row| {
        let row = (0..row.columns()).map(|column| Value::from(row.cell(column)));
        all.push(row.collect());
        Ok::<(), serde_json::Error>(())
    })
    .unwrap();
    all
}
