//! Writes that share a transaction.

use paceline_data::write::{Precondition, WriteError};

use super::Shop;

#[tokio::test]
async fn one_failing_write_does_not_take_its_neighbours_along() {
    let schemas = [
        "CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER CHECK (n <> 13));",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER REFERENCES ok DEFERRABLE INITIALLY DEFERRED);
         CREATE TABLE ok(n INTEGER PRIMARY KEY); WITH RECURSIVE i(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i LIMIT 100)
         INSERT INTO ok SELECT n FROM i WHERE n <> 13;",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER);
         CREATE TRIGGER unlucky AFTER INSERT ON t WHEN new.n = 13 BEGIN SELECT RAISE(ROLLBACK, 'no'); END;",
    ];
    for schema in schemas {
        let shop = Shop::with(schema);
        let writes: Vec<_> = (0..50)
            .map(|n| {
                let plan = shop.plan(
                    "POST",
                    "t",
                    &[],
                    &format!("{{\"n\":{n}}}"),
                    Precondition::None,
                );
                let database = shop.database.clone();
                tokio::spawn(async move { database.write(plan).await })
            })
            .collect();
        for (n, write) in writes.into_iter().enumerate() {
            let outcome = write.await.unwrap();
            assert_eq!(outcome.is_ok(), n != 13, "{n}: {outcome:?} {schema}");
            assert!(n != 13 || matches!(outcome, Err(WriteError::Constraint(_))));
        }
        assert_eq!(
            shop.read("count(*), sum(n) FROM t"),
            format!("49|{}", 49 * 50 / 2 - 13)
        );
    }
}
