//! What has to hold between the sections.

use std::collections::BTreeMap;

use paceline_data::resource::AccessVerb;

use super::reader::Section;
use super::{Access, Config, DatabaseUrl, LimitStore, Mistake, Resource, Resources, WriteVerb};

/// The segments under `/api/` that are Paceline's own: no resource may have them as its path.
const RESERVED_PATHS: [&str; 4] = ["auth", "export", "jobs", "stream"];

/// The routes that are always there.
const OWN_ROUTES: [&str; 4] = ["/health/live", "/health/ready", "/metrics", "/openapi.json"];

/// The limit that `max_per_window` of `[email]` makes.
pub(crate) const MAILS: &str = "mails";

pub(super) fn check(config: &mut Config, root: &Section<'_, '_>) {
    hide_passwords(config);
    check_addresses(config, root);
    check_database(config, root);
    check_email(config, root);
    check_workers(config, root);
    check_limits(config, root);
    if let Resources::Named(resources) = &config.resources {
        for resource in resources {
            check_columns(resource, config, root);
            check_logins(resource, root);
            check_events(resource, config, root);
        }
    }
    check_routes(config, root);
}

/// Each listener has an address of its own.
fn check_addresses(config: &Config, root: &Section<'_, '_>) {
    let report = |key: &str, message: String, expected: &str| {
        root.reader
            .report(Mistake::new(root.reader.span(key), message).expected(expected));
    };
    if config.server.admin_listen == Some(config.server.listen) && config.server.listen.port() != 0
    {
        let message = "`admin_listen` is the address of `listen`".to_owned();
        report("server.admin_listen", message, "another port, or \"off\"");
    }
    if let Some(sql) = &config.sql
        && sql.listen.port() != 0
        && (sql.listen == config.server.listen || Some(sql.listen) == config.server.admin_listen)
    {
        let message = "`listen` of [sql] is that of the API or of the metrics".to_owned();
        report("sql.listen", message, "an address of its own");
    }
}

/// Mails have a store, and somebody who may queue them.
fn check_email(config: &Config, root: &Section<'_, '_>) {
    let report = |key: &str, message: String, expected: &str| {
        root.reader
            .report(Mistake::new(root.reader.span(key), message).expected(expected));
    };
    if root.has("email") {
        if !root.has("jobs") {
            let message = "[email] queues mails, and there is no [jobs]".to_owned();
            report("email", message, "a table [jobs] with the key `url`");
        }
        if let Some(email) = &config.email
            && !email.anonymous
            && !root.has("login")
            && !root.has("api_keys")
        {
            let message = "[email] asks for a login token, and there is no [login]".to_owned();
            report(
                "email",
                message,
                "a table [login] or [[api_keys]], or anonymous = true here",
            );
        }
    }
}

/// What is said of the database is about what it is: a file, a server, or an endpoint.
fn check_database(config: &Config, root: &Section<'_, '_>) {
    let report = |key: &str, message: String, expected: &str| {
        root.reader
            .report(Mistake::new(root.reader.span(key), message).expected(expected));
    };
    if root.has("pool")
        && matches!(config.database.url, DatabaseUrl::Sqlite(_))
        && root.has("database")
    {
        let message =
            "[pool] is about connections to a server, and the database is a file".to_owned();
        report(
            "pool",
            message,
            "a [database] that is a server, or no [pool]",
        );
    }
    let of_http = super::Pool {
        ca_file: config.pool.ca_file.clone(),
        ..super::Pool::default()
    };
    if matches!(config.database.url, DatabaseUrl::Neon(_)) && config.pool != of_http {
        let message = "over HTTP there are no connections to keep".to_owned();
        report("pool", message, "`ca_file` alone, or no [pool]");
    }
    if root.has("pool") && matches!(config.database.url, DatabaseUrl::PlanetScale(_)) {
        let message = "over HTTP there are no connections to keep".to_owned();
        report(
            "pool",
            message,
            "no [pool]; `ca_file` is part of the address",
        );
    }
    if matches!(config.database.url, DatabaseUrl::MySql(_)) && config.pool.is_of_postgres() {
        let message = "what `pooler` names stands before PostgreSQL, and the database is MySQL";
        report(
            "pool.pooler",
            message.to_owned(),
            "\"none\", \"rds-proxy\" or \"other\"",
        );
    }
    if config.database.read_connections.is_some()
        && !matches!(config.database.url, DatabaseUrl::Sqlite(_))
    {
        let message = "`read_connections` is about threads that read a file".to_owned();
        report(
            "database.read_connections",
            message,
            "`size` in [pool] for connections to a server",
        );
    }
    let told = match config.database.url {
        DatabaseUrl::Sqlite(_) => {
            Some("`listen_url` is about a server, and the database is a file")
        }
        DatabaseUrl::MySql(_) | DatabaseUrl::PlanetScale(_) => {
            Some("`listen_url` is about PostgreSQL, and the database is MySQL")
        }
        DatabaseUrl::Postgres(_) | DatabaseUrl::Neon(_) => None,
    };
    if let Some(message) = told.filter(|_| config.database.listen_url.is_some()) {
        report(
            "database.listen_url",
            message.to_owned(),
            "a `url` that is a server, or no `listen_url`",
        );
    }
}

/// Each queue has one way to be worked, and a store.
fn check_workers(config: &Config, root: &Section<'_, '_>) {
    let mut taken: Vec<(&str, &str)> = Vec::new();
    if let Some(email) = &config.email {
        taken.push((&email.queue, "[email] delivers"));
    }
    for worker in &config.workers {
        let queue = worker.queue.as_str();
        if let Some((_, other)) = taken.iter().find(|(name, _)| *name == queue) {
            let message = format!("{other} the jobs of {queue:?} already");
            root.reader.report(
                Mistake::new(root.reader.span("workers"), message)
                    .expected("a queue of its own for each worker"),
            );
        }
        taken.push((queue, "another of [[workers]] delivers"));
    }
    if root.has("workers") && !root.has("jobs") {
        let message = "[[workers]] take jobs, and there is no [jobs]";
        root.reader.report(
            Mistake::new(root.reader.span("workers"), message)
                .expected("a table [jobs] with the key `url`"),
        );
    }
}

/// A limit has a server to be counted on, and the mail route's own limit its name.
fn check_limits(config: &Config, root: &Section<'_, '_>) {
    for (index, limit) in config.limits.iter().enumerate() {
        let key = |key: &str| format!("limits[{index}].{key}");
        let report = |key: &str, message: String, expected: &str| {
            root.reader
                .report(Mistake::new(root.reader.span(key), message).expected(expected));
        };
        if limit.store == LimitStore::Redis && config.limit_settings.redis.is_none() {
            let message = format!(
                "the limit {:?} is counted on Redis, and no server is named",
                limit.name
            );
            let expected = "a table [limit_settings] with the key `redis`";
            report(&key("store"), message, expected);
        }
        if limit.name == MAILS && config.email.is_some() {
            let message = format!("{MAILS:?} is the limit of [email]");
            report(&key("name"), message, "another name");
        }
    }
}

/// The hashes of passwords never leave, whatever the resource says.
fn hide_passwords(config: &mut Config) {
    let Some(login) = &config.login else { return };
    let Resources::Named(resources) = &mut config.resources else {
        return;
    };
    for resource in resources
        .iter_mut()
        .filter(|resource| resource.table == login.table)
    {
        let shown = [&resource.fields, &resource.default_fields];
        let named = shown
            .into_iter()
            .flatten()
            .flatten()
            .any(|field| *field == login.password);
        if !named && !resource.hidden.contains(&login.password) {
            resource.hidden.push(login.password.clone());
        }
    }
}

fn check_columns(resource: &Resource, config: &Config, root: &Section<'_, '_>) {
    let key = |key: &str| format!("resources.{}.{key}", resource.name);
    let report = |key: &str, message: String, expected: &str| {
        root.reader
            .report(Mistake::new(root.reader.span(key), message).expected(expected));
    };
    let password = config
        .login
        .as_ref()
        .filter(|login| login.table == resource.table);
    let password = password.map(|login| &login.password);
    let lists = [
        ("fields", &resource.fields),
        ("default_fields", &resource.default_fields),
    ];
    for (list, names) in lists {
        for (index, name) in names.iter().flatten().enumerate() {
            let place = key(&format!("{list}[{index}]"));
            if resource.hidden.contains(name) {
                report(
                    &place,
                    format!("`{name}` is also in `hidden`"),
                    "one of both",
                );
            } else if password == Some(name) {
                let message = format!("`{name}` holds password hashes, which are never shown");
                report(&place, message, "other columns");
            } else if resource
                .fields
                .as_ref()
                .is_some_and(|fields| !fields.contains(name))
            {
                let message = format!("`{name}` is not in `fields`, so no client can see it");
                report(&place, message, "columns that are in `fields`");
            }
        }
        if names.as_ref().is_some_and(Vec::is_empty) {
            report(
                &key(list),
                format!("`{list}` is empty"),
                "at least one column, or no such key",
            );
        }
    }
    if resource.limit > resource.max_limit {
        let place = if root.reader.has_span(&key("limit")) {
            "limit"
        } else {
            "max_limit"
        };
        let message = format!(
            "`limit` {} is above `max_limit` {}",
            resource.limit, resource.max_limit
        );
        report(&key(place), message, "a `limit` of at most `max_limit`");
    }
}

/// Jobs that follow writes have a store.
fn check_events(resource: &Resource, config: &Config, root: &Section<'_, '_>) {
    if resource.on.is_empty() {
        return;
    }
    let report = |message: &str, expected: &str| {
        let span = root.reader.span(&format!("resources.{}.on", resource.name));
        root.reader
            .report(Mistake::new(span, message).expected(expected));
    };
    if !root.has("jobs") {
        let message = "`on` adds jobs, and there is no [jobs]";
        report(message, "a table [jobs] with the key `url`");
    }
    if matches!(config.database.url, DatabaseUrl::Neon(_)) {
        let message =
            "over HTTP a transaction is sent whole, before there is a row to make a job of";
        report(
            message,
            "no `on`, or the postgres:// address of the same database",
        );
    }
}

/// What asks for a token or a key can get one.
fn check_logins(resource: &Resource, root: &Section<'_, '_>) {
    if root.has("login") || root.has("api_keys") {
        return;
    }
    let key = |key: &str| format!("resources.{}.{key}", resource.name);
    let report = |key: &str, message: String, expected: &str| {
        root.reader
            .report(Mistake::new(root.reader.span(key), message).expected(expected));
    };
    let is_closed = |verb: AccessVerb| *resource.access.rule(verb) != Access::Public;
    let reads = [AccessVerb::List, AccessVerb::Read];
    let writes = [
        (AccessVerb::Create, &[WriteVerb::Create][..]),
        (AccessVerb::Update, &[WriteVerb::Update, WriteVerb::Replace]),
        (AccessVerb::Delete, &[WriteVerb::Delete]),
    ];
    let is_served = |verbs: &[WriteVerb]| verbs.iter().any(|verb| resource.write.contains(verb));
    let place = |usual: &str| {
        let access = key("access");
        if root.reader.has_span(&access) {
            access
        } else {
            key(usual)
        }
    };
    if writes
        .iter()
        .any(|(verb, served)| is_closed(*verb) && is_served(served))
    {
        let message = "writes ask for a login token, and there is no [login]".to_owned();
        let expected = "a table [login] or [[api_keys]], or anonymous_write = true here";
        report(&place("write"), message, expected);
    }
    if reads.into_iter().any(is_closed) {
        let message = "reads ask for a login token, and there is no [login]".to_owned();
        report(
            &place("anonymous_read"),
            message,
            "a table [login] or [[api_keys]]",
        );
    }
}

/// Each path is one route's.
fn check_routes(config: &Config, root: &Section<'_, '_>) {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for route in OWN_ROUTES {
        taken.insert(route.to_owned(), "the server itself".to_owned());
    }
    let mut claim = |path: String, key: String, owner: String| {
        if let Some(other) = taken.get(&path) {
            let message = format!("{path} is already the path of {other}");
            root.reader.report(
                Mistake::new(root.reader.span(&key), message)
                    .expected("a path of its own for each route")
                    .suggestion("set `path`"),
            );
        } else {
            taken.insert(path, owner);
        }
    };
    if let Resources::Named(resources) = &config.resources {
        for resource in resources {
            let section = format!("resources.{}", resource.name);
            let given = format!("{section}.path");
            let key = if root.reader.has_span(&given) {
                given
            } else {
                section.clone()
            };
            if RESERVED_PATHS.contains(&resource.path.as_str()) {
                let message = format!("/api/{} is Paceline's own", resource.path);
                root.reader.report(
                    Mistake::new(root.reader.span(&key), message)
                        .expected("another path")
                        .suggestion(format!("write path = \"{}-rows\"", resource.path)),
                );
            } else if let Err(invalid) = super::values::segment(&resource.path) {
                let message = format!("{:?} cannot stand in a path", resource.path);
                root.reader.report(
                    Mistake::new(root.reader.span(&key), message)
                        .expected(invalid.expected)
                        .suggestion("set `path`"),
                );
            }
            claim(
                format!("/api/{}", resource.path),
                key,
                format!("[{section}]"),
            );
        }
    }
    let named = [
        ("email", config.email.as_ref().map(|email| &email.path)),
        ("login", config.login.as_ref().map(|login| &login.path)),
        ("stream", config.stream.as_ref().map(|stream| &stream.path)),
    ];
    for (section, path) in named {
        if let Some(path) = path {
            claim(
                path.clone(),
                format!("{section}.path"),
                format!("[{section}]"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Config, Resources};

    const LOGIN: &str = "[login]\n";

    fn parse(text: &str) -> Result<Config, String> {
        let text = format!("{text}\n[database]\nurl = \"sqlite:a.db\"\n");
        Config::parse(&text, "f", Path::new(""), &|_| None).map_err(|mistakes| mistakes.to_string())
    }

    /// Checks that `text` is refused at `place` with these words, or taken when there are none.
    #[track_caller]
    fn check(text: &str, place: &str, words: &str) {
        match parse(text) {
            Ok(_) => assert_eq!(words, "", "{text}"),
            Err(told) => {
                assert!(
                    !words.is_empty() && told.contains(words),
                    "{words:?} in\n{told}"
                );
                assert!(
                    told.starts_with(&format!("f:{place}")),
                    "{place} in\n{told}"
                );
                assert!(told.ends_with("1 mistake in f"), "{told}");
            }
        }
    }

    #[test]
    fn what_asks_for_a_token_needs_a_login() {
        let write = "[resources.a]\nwrite = [\"create\"]\n";
        check(write, "2:9", "no [login]");
        check(&format!("{write}anonymous_write = true"), "", "");
        check(&format!("{write}{LOGIN}"), "", "");
        check(
            "[resources.a]\nanonymous_read = false",
            "2:18",
            "no [login]",
        );
        let email = "[email]\nfrom = \"a@b.example\"\ndeliver = \"maildir:x\"\n";
        let jobs = "[jobs]\nurl = \"sqlite:j.db\"\n";
        check(&format!("{email}{jobs}"), "1:", "no [login]");
        check(&format!("{email}anonymous = true\n{jobs}"), "", "");
        check(&format!("{email}anonymous = true\n"), "1:", "no [jobs]");
    }

    #[test]
    fn rules_keys_and_events_are_read_with_their_mistakes() {
        let resource = |keys: &str| format!("[resources.a]\n{keys}\n");
        let owner = "access = { read = \"owner(user_id)\" }";
        check(&resource(owner), "2:10", "no [login]");
        check(&format!("{}{LOGIN}", resource(owner)), "", "");
        let word = "access = { read = \"owner\" }";
        check(&resource(word), "2:19", "owner(user_id)");
        let both = "anonymous_read = true\naccess = { read = \"public\" }";
        check(&resource(both), "2:18", "beside `access`");
        check(
            &resource("access = { reed = \"public\" }"),
            "2:12",
            "unknown key",
        );
        let hash = format!("sha256:{}", "0a".repeat(32));
        let key = |rest: &str| format!("[[api_keys]]\nname = \"n\"\n{rest}\n");
        let good = format!("hash = \"{hash}\"\nprincipal = \"7\"\nverbs = [\"read\"]");
        check(&format!("{}{}", resource(owner), key(&good)), "", "");
        check(&key(&good.replace("read", "reed")), "5:", "write \"read\"");
        check(
            &key("hash = \"x\"\nprincipal = \"7\""),
            "3:8",
            "paceline secret api-key",
        );
        check(&key(&format!("hash = \"{hash}\"")), "1:", "`principal`");
        let on = resource("on = { insert = { queue = \"q\", job = \"j\" } }");
        check(&on, "2:6", "no [jobs]");
        check(&format!("{on}[jobs]\nurl = \"sqlite:j.db\"\n"), "", "");
        let bad = on.replace("\"q\"", "\"a:b\"");
        check(
            &format!("{bad}[jobs]\nurl = \"sqlite:j.db\"\n"),
            "2:",
            "a queue name",
        );
        check("[bulk]\nmax_rows = 0\n", "2:12", "max_rows");
    }

    #[test]
    fn each_path_is_one_routes() {
        check("[resources.jobs]\n", "1:", "write path = \"jobs-rows\"");
        check("[resources.jobs]\npath = \"work\"", "", "");
        check(
            "[resources.a]\n[resources.b]\npath = \"a\"",
            "3:8",
            "the path of [resources.a]",
        );
        check("[resources.\"a b\"]\n", "1:", "set `path`");
        check(
            "[login]\npath = \"/health/live\"",
            "2:8",
            "the server itself",
        );
        check(
            "[login]\npath = \"/x\"\n[stream]\npath = \"/x\"",
            "4:8",
            "the path of [login]",
        );
        check(
            "[resources.a]\n[stream]\npath = \"/api/a\"",
            "3:8",
            "[resources.a]",
        );
    }

    #[test]
    fn lists_of_columns_agree() {
        let resource = |keys: &str| format!("[resources.a]\n{keys}");
        check(
            &resource("hidden = [\"x\"]\ndefault_fields = [\"y\", \"x\"]"),
            "3:24",
            "also in `hidden`",
        );
        check(
            &resource("fields = [\"x\"]\ndefault_fields = [\"y\"]"),
            "3:19",
            "not in `fields`",
        );
        check(&resource("fields = []"), "2:10", "empty");
        check(&resource("limit = 200"), "2:9", "above `max_limit` 100");
        check(&resource("max_limit = 10"), "2:13", "`limit` 20 is above");
        check(&resource("limit = 200\nmax_limit = 200"), "", "");
    }

    #[test]
    fn password_hashes_are_hidden_whatever_the_resource_says() {
        let config =
            parse("[resources.people]\ntable = \"users\"\n[resources.b]\n[login]\n").unwrap();
        let Resources::Named(named) = config.resources else {
            panic!("two are named")
        };
        assert_eq!(named[0].hidden, ["password_hash"]);
        assert!(named[1].hidden.is_empty());
        let shown = "[resources.users]\nfields = [\"id\", \"password_hash\"]\n[login]\n";
        check(shown, "2:17", "never shown");
    }

    #[test]
    fn listeners_have_addresses_of_their_own() {
        check(
            "[server]\nlisten = \"127.0.0.1:8081\"",
            "1:",
            "the address of `listen`",
        );
        check(
            "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"",
            "",
            "",
        );
    }
}
