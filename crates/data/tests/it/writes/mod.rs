//! Writes against a real file: what is stored, and what each refusal is.

mod constraints;
mod groups;
mod preconditions;
mod verbs;

use std::time::Duration;

use paceline_data::resource::{ResourceSpec, Resources, WriteVerb};
use paceline_data::sqlite::{Access, SqliteOptions, row_version_sql};
use paceline_data::write::{Changes, Precondition, ReadBack, WriteError, WritePlan, Written};
use paceline_data::{Database, Value};

use crate::files::{File, sql_with};

const SCHEMA: &str = "
    CREATE TABLE maker(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE item(
        id INTEGER PRIMARY KEY, maker_id INTEGER REFERENCES maker, name VARCHAR(20) NOT NULL,
        stock INTEGER NOT NULL DEFAULT 0 CONSTRAINT stock_not_negative CHECK (stock >= 0),
        extra JSON, hidden TEXT DEFAULT 'kept', UNIQUE (maker_id, name), CHECK (length(name) > 1));
    CREATE TABLE seat(hall TEXT NOT NULL, number INTEGER NOT NULL, guest TEXT, PRIMARY KEY (hall, number)) WITHOUT ROWID;
    CREATE TABLE sealed(id INTEGER PRIMARY KEY, n INTEGER);
    CREATE TRIGGER seal BEFORE UPDATE ON sealed BEGIN SELECT RAISE(IGNORE); END;
    CREATE TABLE stamped(id INTEGER PRIMARY KEY, n INTEGER, twice INTEGER);
    CREATE TRIGGER doubles AFTER UPDATE OF n ON stamped BEGIN UPDATE stamped SET twice = new.n * 2 WHERE id = new.id; END;
    INSERT INTO maker VALUES (1, 'Ada'), (2, 'Bob');
    INSERT INTO item(id, maker_id, name, stock, extra) VALUES (1, 1, 'lamp', 5, '{\"a\":1,\"b\":{\"c\":2}}'), (2, 1, 'desk', 1, NULL);
    INSERT INTO seat VALUES ('north', 7, 'Eve'); INSERT INTO sealed VALUES (1, 1); INSERT INTO stamped VALUES (1, 1, 2);";

struct Shop {
    file: File,
    database: Database,
    resources: Resources,
}

impl Shop {
    fn open() -> Self {
        Self::with(SCHEMA)
    }

    fn with(schema: &str) -> Self {
        Self::with_timeout(schema, Duration::from_mins(1))
    }

    fn with_timeout(schema: &str, timeout: Duration) -> Self {
        let file = File::new(schema);
        let database = Database::open(
            &SqliteOptions::new(file.path())
                .access(Access::ReadWrite)
                .query_timeout(timeout),
        )
        .unwrap();
        let specs = database.catalog().tables().iter().map(|table| {
            let mut spec = ResourceSpec::new(&table.name);
            spec.write = vec![
                WriteVerb::Create,
                WriteVerb::Update,
                WriteVerb::Replace,
                WriteVerb::Delete,
            ];
            spec.hidden = table
                .columns
                .iter()
                .filter(|one| one.name == "hidden")
                .map(|one| one.name.clone())
                .collect();
            spec
        });
        let resources = Resources::build(database.catalog(), specs.collect()).unwrap();
        Self {
            file,
            database,
            resources,
        }
    }

    fn plan(
        &self,
        verb: &str,
        name: &str,
        key: &[Value],
        body: &str,
        precondition: Precondition,
    ) -> WritePlan {
        let resource = self.resources.by_path(name).unwrap();
        let table = self.resources.table_of(resource);
        let body = body.as_bytes();
        match verb {
            "POST" => WritePlan::create(
                &self.resources,
                resource,
                &Changes::create(resource, table, body, None).unwrap(),
            ),
            "PATCH" => {
                let changes = Changes::update(resource, table, key, body, None).unwrap();
                WritePlan::update(&self.resources, resource, key, &changes, precondition)
            }
            "PUT" => {
                let changes = Changes::replace(resource, table, key, body, None).unwrap();
                WritePlan::replace(&self.resources, resource, key, &changes, precondition)
            }
            _ => WritePlan::delete(&self.resources, resource, key, precondition),
        }
    }

    async fn write(
        &self,
        verb: &str,
        name: &str,
        key: &[Value],
        body: &str,
    ) -> Result<Written, WriteError> {
        self.write_if(verb, name, key, body, Precondition::None)
            .await
    }

    async fn write_if(
        &self,
        verb: &str,
        name: &str,
        key: &[Value],
        body: &str,
        precondition: Precondition,
    ) -> Result<Written, WriteError> {
        self.database
            .write(self.plan(verb, name, key, body, precondition))
            .await
    }

    /// The row somebody else reads, its columns joined by `|`.
    fn read(&self, select: &str) -> String {
        let connection = self.file.connect();
        let mut statement = connection.prepare(&format!("SELECT {select}")).unwrap();
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
        let values: Vec<rusqlite::types::Value> = statement.query_row([], row).unwrap();
        let text = values.into_iter().map(|value| match value {
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Integer(number) => number.to_string(),
            other => format!("{other:?}"),
        });
        text.collect::<Vec<_>>().join("|")
    }

    async fn version(&self, name: &str, id: i64) -> String {
        let table = self.database.catalog().find(name).unwrap();
        let text = format!(
            "SELECT {} FROM {name} AS t WHERE id = ?1",
            row_version_sql(table, "t")
        );
        let statement = sql_with(&text, vec![Value::Integer(id)]);
        match self.database.value(statement).await.unwrap() {
            Some(Value::Text(version)) => version,
            other => panic!("{other:?}"),
        }
    }
}

fn id(id: i64) -> [Value; 1] {
    [Value::Integer(id)]
}

#[expect(clippy::unnecessary_wraps, reason = "what `write_and_read` takes")]
fn read_back<E>(sql: &str, encoder: E) -> Option<ReadBack<E>> {
    Some(ReadBack {
        sql: sql.into(),
        values: Vec::new(),
        encoder,
    })
}
