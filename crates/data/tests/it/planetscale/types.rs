//! Values of every type, exactly.

use paceline_data::Value;
use paceline_data::planetscale::Repeat;
use paceline_test_servers::{Authority, MariaDb, PlanetScale};

use super::{client, double, soon, values};

const ALL: &str = "CREATE TABLE types (b BIGINT, bu BIGINT UNSIGNED, t TINYINT, n DECIMAL(40,12), f FLOAT, d DOUBLE,
    bits BIT(12), y YEAR, da DATE, dt DATETIME(6), ts TIMESTAMP NULL, ti TIME(3), v VARCHAR(20) COLLATE utf8mb4_bin,
    vb VARBINARY(10), bl BLOB, j JSON, e ENUM('a','b'), s SET('x','y'));
    INSERT INTO types VALUES (-9223372036854775808, 18446744073709551615, -128, 1234567890123456789012345678.500000000001,
    0.5, 0.1, b'100000000001', 2026, '2026-01-31', '2026-01-31 10:00:00.25', '2026-01-31 10:00:00', '-10:00:00.5', 'žluť',
    x'00ff27', '', '{\"a\": 1.50}', 'b', 'x,y');
    INSERT INTO types (b) VALUES (NULL);";

#[tokio::test]
async fn values_of_every_type_are_exact() {
    let double = double();
    double.sql(ALL);
    let client = client(&double);
    let sql = "SELECT * FROM types ORDER BY b DESC";
    let rows = client.execute(sql, Repeat::Allowed, soon()).await.unwrap();
    let text = |text: &str| Value::Text(text.to_owned());
    let expected = [
        Value::Integer(i64::MIN),
        text("18446744073709551615"),
        Value::Integer(-128),
        text("1234567890123456789012345678.500000000001"),
        Value::Real(0.5),
        Value::Real(0.1),
        Value::Integer(2049),
        Value::Integer(2026),
        text("2026-01-31"),
        text("2026-01-31T10:00:00.25"),
        text("2026-01-31T10:00:00Z"),
        text("-10:00:00.5"),
        text("žluť"),
        Value::Blob(vec![0, 0xff, b'\'']),
        Value::Blob(Vec::new()),
        text("{\"a\": 1.50}"),
        text("b"),
        text("x,y"),
    ];
    assert_eq!(values(&rows), [expected.to_vec(), vec![Value::Null; 18]]);
    let names: Vec<_> = rows.names().take(2).collect();
    assert_eq!(names, ["b", "bu"]);
}

#[tokio::test]
async fn ids_and_counts_are_told() {
    let double = double();
    double.sql("CREATE TABLE t (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, a INT)");
    let client = client(&double);
    let run = async |sql: &str| client.execute(sql, Repeat::Never, soon()).await.unwrap();
    let made = run("INSERT INTO t (a) VALUES (1), (2)").await;
    assert_eq!((made.affected(), made.insert_id()), (2, 1));
    let unchanged = run("UPDATE t SET a = 1 WHERE a = 1").await;
    assert_eq!((unchanged.affected(), unchanged.insert_id()), (1, 0));
}

#[tokio::test]
async fn it_is_asked_over_tls_with_the_authority_of_the_address() {
    let authority = Authority::new();
    let double = PlanetScale::start_with_tls(&MariaDb::shared(), &authority);
    let ask = async |ca_file: std::path::PathBuf| {
        let address = double.address().replace("127.0.0.1", "localhost");
        let address = format!("{address}?ca_file={}", ca_file.display());
        let options = paceline_data::planetscale::ClientOptions::default();
        let client =
            paceline_data::planetscale::PlanetScaleClient::new(address.parse().unwrap(), options);
        client
            .unwrap()
            .execute("SELECT 1", Repeat::Allowed, soon())
            .await
    };
    let rows = ask(authority.ca()).await.unwrap();
    assert_eq!(values(&rows), [[Value::Integer(1)]]);
    let error = ask(authority.other()).await.unwrap_err();
    assert!(
        error.is_unavailable() && !error.may_have_happened(),
        "{error}"
    );
}
