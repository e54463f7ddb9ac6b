//! Real data, as its authors made it for each engine: names are spelled differently, and some types.

use std::path::Path;
use std::sync::Arc;

use paceline_test_servers::{MariaDb, PlanetScale, PlanetScaleOptions, Postgres};
use serde_json::{Map, Number, Value};

use super::serve;
use crate::server::Server;

/// `AlbumId` is `album_id` in the other file.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && snake.ends_with(char::is_alphanumeric) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// The value with names as PostgreSQL's file has them, decimal numbers as doubles, and times with a `T`.
fn alike(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter();
            Value::Object(
                members
                    .map(|(name, value)| (snake(name), alike(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(values) => values.iter().map(alike).collect(),
        Value::Number(number) => {
            Number::from_f64(number.as_f64().unwrap()).map_or(Value::Null, Value::Number)
        }
        Value::String(text) if text.len() == 19 && text.ends_with(":00") => {
            text.replace(' ', "T").into()
        }
        // The rest of a list that is cut off: an address of names.
        Value::String(text) if text.starts_with("/api/") => snake(text).into(),
        // One of the files has a space at the end of a city.
        Value::String(text) => text.trim_end().into(),
        other => other.clone(),
    }
}

#[test]
fn chinook_says_the_same_in_each_engine() {
    let variable = std::env::var_os("PACELINE_CHINOOK");
    let Some(sqlite) = variable.as_deref().map(Path::new) else {
        println!("skipped: PACELINE_CHINOOK does not name the Chinook database; .ci/run sets it");
        return;
    };
    let statements = sqlite.with_file_name("chinook-postgres.sql");
    let cluster = Postgres::start();
    cluster.sql_file("postgres", &statements);
    let postgres = serve(&cluster, "chinook");
    // The file has backslashes that are to be themselves.
    let server = MariaDb::start_with(&["--sql-mode=NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES"]);
    let server = Arc::new(server);
    server.sql_file("mysql", &sqlite.with_file_name("chinook-mysql.sql"));
    let mariadb = Server::serve_url(&server.url("Chinook"));
    let options = PlanetScaleOptions {
        database: Some("Chinook".to_owned()),
        setup: vec!["SET SESSION sql_mode = 'STRICT_ALL_TABLES'".to_owned()],
        ..PlanetScaleOptions::default()
    };
    let double = PlanetScale::start_with(&server, options);
    let planetscale = Server::serve_url(&double.address());
    let sqlite = Server::serve_url(&format!("sqlite:{}", sqlite.display()));
    for (own, other) in [
        ("/api/Album?limit=100&page=2", "/api/album?limit=100&page=2"),
        (
            "/api/Track?sort=-Milliseconds&limit=30&fields=TrackId,Name,Milliseconds,Album(Title,Artist(Name))",
            "/api/track?sort=-milliseconds&limit=30&fields=track_id,name,milliseconds,album(title,artist(name))",
        ),
        (
            "/api/Track/1?fields=Name,Album.Artist.Name",
            "/api/track/1?fields=name,album.artist.name",
        ),
        ("/api/PlaylistTrack/1,3402", "/api/playlist_track/1,3402"),
        (
            "/api/PlaylistTrack?PlaylistId=8&limit=50&page=3",
            "/api/playlist_track?playlist_id=8&limit=50&page=3",
        ),
        (
            "/api/Employee?fields=LastName,ReportsTo(LastName,ReportsTo(LastName))",
            "/api/employee?fields=last_name,reports_to(last_name,reports_to(last_name))",
        ),
        (
            "/api/Customer?Country=Brazil&sort=LastName&fields=LastName,City,Company",
            "/api/customer?country=Brazil&sort=last_name&fields=last_name,city,company",
        ),
        (
            "/api/Invoice?Total[gte]=10&limit=100",
            "/api/invoice?total[gte]=10&limit=100",
        ),
        (
            "/api/InvoiceLine?UnitPrice=1.99&limit=5",
            "/api/invoice_line?unit_price=1.99&limit=5",
        ),
        (
            "/api/Artist?fields=Name,Album(Title,Track.Name)&limit=20&page=3",
            "/api/artist?fields=name,album(title,track.name)&limit=20&page=3",
        ),
        (
            "/api/Playlist?fields=Name,Track(Name,UnitPrice)&Track.Name[like]=a%25",
            "/api/playlist?fields=name,track(name,unit_price)&track.name[like]=a%25",
        ),
        (
            "/api/Track/1?fields=Playlist.Name,PlaylistTrack.PlaylistId,InvoiceLine(Quantity,Invoice(Total,Customer.LastName))",
            "/api/track/1?fields=playlist.name,playlist_track.playlist_id,invoice_line(quantity,invoice(total,customer.last_name))",
        ),
        (
            "/api/Employee?fields=LastName,Employee_by_ReportsTo(LastName,Customer.LastName)",
            "/api/employee?fields=last_name,employee_by_reports_to(last_name,customer.last_name)",
        ),
        (
            "/api/Track?Album.Artist.Name=Iron%20Maiden&sort=-Album.Title,TrackId&limit=50&fields=Name,Album.Title",
            "/api/track?album.artist.name=Iron%20Maiden&sort=-album.title,track_id&limit=50&fields=name,album.title",
        ),
        (
            "/api/Customer?Invoice.Total[gt]=15&Invoice.BillingCountry=USA&fields=CustomerId",
            "/api/customer?invoice.total[gt]=15&invoice.billing_country=USA&fields=customer_id",
        ),
        ("/api/export/Track", "/api/export/track"),
        ("/api/export/Invoice", "/api/export/invoice"),
    ] {
        let other = postgres.get(other);
        let [own, mariadb, planetscale] = [&sqlite, &mariadb, &planetscale].map(|one| one.get(own));
        assert_eq!(own.status, 200, "{}", own.text());
        let mut bodies = [own, other, mariadb, planetscale].map(|answer| answer.json());
        for body in &mut bodies {
            if let Some(pagination) = body.get_mut("pagination") {
                pagination["next"] = pagination["next"].is_null().into();
            }
        }
        for body in &bodies[1..] {
            assert_eq!(alike(body), alike(&bodies[0]));
        }
    }
}
