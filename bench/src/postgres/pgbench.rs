//! pgbench with our own statement, in the statement mode that we use.

use paceline_data::Database;
use paceline_data::cursor::CursorKey;
use paceline_data::plan::ListPlan;
use paceline_data::postgres::PostgresOptions;
use paceline_data::postgres::connect::Address;
use paceline_data::query::{Dialect, parse_list};
use paceline_data::resource::Resources;
use paceline_test_servers::Postgres;

use crate::Outcome;
use crate::contender::CONNECTIONS;

/// Transactions a second with the statement of a page after a random post.
pub(super) fn rate(
    cluster: &Postgres,
    database: &str,
    statement: &str,
    seconds: u64,
) -> Outcome<f64> {
    let script = format!("\\set n random(0, 99988)\n{statement};\n");
    let (clients, seconds) = (CONNECTIONS.to_string(), seconds.to_string());
    let told = cluster.pgbench(
        database,
        &script,
        &[
            "-n", "-M", "prepared", "-j", "1", "-c", &clients, "-T", &seconds,
        ],
    );
    tps(&told).ok_or_else(|| format!("pgbench gave no rate: {told}"))
}

/// The statement that `/api/posts?id[gt]={n}&limit=20&count=none` becomes, its parameter as pgbench has it: the post
/// is `:n`.
pub(super) fn statement(url: &str) -> Outcome<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let address: Address = url.parse().map_err(|error| format!("{error}"))?;
        let opening = Database::connect(PostgresOptions::new(address));
        let database = opening.await.map_err(|error| error.to_string())?;
        let resources = Resources::discover(database.catalog());
        let posts = resources.by_path("posts").ok_or("there are no posts")?;
        let query = parse_list(
            &resources,
            posts,
            Dialect::Plain,
            "id[gt]=5&limit=20&count=none",
        )
        .map_err(|error| error.detail.clone())?;
        let plan = ListPlan::new(&resources, &query, &CursorKey::new([0; 32]))
            .map_err(|error| error.detail.clone())?;
        for_pgbench(&plan.statement.sql, plan.statement.values.len())
    })
}

fn for_pgbench(sql: &str, values: usize) -> Outcome<String> {
    if values != 1 {
        return Err(format!("the statement has {values} values: {sql}"));
    }
    Ok(sql.replace("$1", ":n"))
}

/// The rate in what pgbench prints, connecting left out.
fn tps(told: &str) -> Option<f64> {
    let mut rates = told
        .lines()
        .filter_map(|line| line.trim().strip_prefix("tps = "));
    rates.next_back()?.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read() {
        let told = "number of failed transactions: 0 (0.000%)\nlatency average = 0.5 ms\n\
                    initial connection time = 12.3 ms\ntps = 12345.678901 (without initial connection time)\n";
        assert_eq!(tps(told), Some(12_345.678_901));
        assert_eq!(tps("tps"), None);
    }

    #[test]
    fn the_statement_keeps_its_casts() {
        let sql = "SELECT 1 WHERE id > $1::int8 LIMIT 21";
        assert_eq!(
            for_pgbench(sql, 1).as_deref(),
            Ok("SELECT 1 WHERE id > :n::int8 LIMIT 21")
        );
        assert!(for_pgbench(sql, 2).is_err());
    }
}
