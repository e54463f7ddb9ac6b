//! Finds what is missing on this machine and installs it, saying what and why, and asking first.
//!
//! Nothing is asked when `--yes` was given or `CI=true`. Without a terminal to ask on, and without
//! either, nothing is installed.

mod debian;
mod emulators;
mod node;
mod pgbouncer;
mod postgres;
mod python;
mod rust_port;
mod unpacked;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

/// Something that a suite or the measurements cannot do without. The order is the order of installing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// Python with its venv module.
    PythonVenv,
    /// The pinned Python programs of the tests, in a venv under the target folder.
    Python,
    /// AWS's own signer, in a venv under the target folder.
    Botocore,
    /// AWS's own judges of templates, in a venv under the target folder.
    TemplateValidators,
    /// A C++ compiler and make: `better-sqlite3` of the Express peer is compiled.
    Compiler,
    /// Node with npm and its headers: the Express peer, BullMQ, vendors' clients.
    Node,
    /// The load generator.
    Wrk,
    /// curl and h2load.
    Http2Clients,
    /// The browser.
    Chromium,
    /// What drives the browser, and `REDbot`, in a venv under the target folder.
    PythonClients,
    /// The store of our Redis engine, of BullMQ and of the Express peer's queue.
    Redis,
    /// The server of the `PostgreSQL` engine, and of the pool's tests.
    Postgres,
    /// A newer one beside it.
    NewPostgres,
    /// The pooler that knows no prepared statements.
    PgBouncer,
    /// The pooler that does, beside it.
    NewPgBouncer,
    /// The server of the MySQL engine.
    MariaDb,
    /// Counts instructions.
    Valgrind,
    /// BullMQ for Node and Bull Board: the other side of the interop tests.
    InteropNode,
    /// BullMQ for Python, likewise, in a venv under the target folder.
    InteropPython,
    /// BullMQ for Rust (the official port), likewise, compiled into a target folder of its own.
    InteropRust,
    /// The drivers of vendors, npm packages, which judge our endpoints.
    VendorDrivers,
    /// The clients of vendors whose servers have doubles: those clients judge the doubles.
    VendorClients,
    /// Emulators of AWS Lambda, in a venv under the target folder.
    LambdaEmulators,
    /// Packages that keep functions warm, for what they send.
    Warmers,
    /// The Express peer's npm packages.
    ExpressPeer,
    /// The conformance suite's Express, npm packages.
    ExpressConformance,
    /// nginx and Caddy, in a venv under the target folder.
    Proxies,
    /// The BullMQ peer's npm packages.
    BullmqPeer,
    /// The `PocketBase` peer, in a venv under the target folder.
    PocketBase,
}

/// What AWS's own judges of templates are for.
const TEMPLATE_VALIDATORS: &str = "PyPI xtask/python/template.txt into target/template: cfn-lint and aws-sam-translator, which the templates for Lambda must please (some 150 MB)";

/// What AWS's own signer is for.
const BOTOCORE: &str = "PyPI xtask/python/aws.txt into target/botocore: botocore, AWS's own signer, which the tokens for Amazon RDS are compared with (some 15 MB)";

/// Express for the conformance suite.
const EXPRESS_CONFORMANCE: &str = "bench/peers/express-conformance";

/// The Node side of the interop tests.
const INTEROP_NODE: &str = "crates/jobs/tests/interop/node";

/// The vendors' drivers.
const VENDOR_DRIVERS: &str = "crates/paceline/tests/vendors";

/// Vendors' own clients, for the doubles of their servers.
const VENDOR_CLIENTS: &str = "crates/test-servers/tests/interop/node";

/// Packages that keep functions warm.
const WARMERS: &str = "crates/serverless/tests/emulators/node";

/// What `cargo xtask conformance` needs.
pub(crate) const CONFORMANCE_NEEDS: [Need; 4] = [
    Need::PythonVenv,
    Need::Node,
    Need::ExpressConformance,
    Need::Proxies,
];

/// What the measurements of jobs need.
pub(crate) const JOBS_BENCH_NEEDS: [Need; 3] = [Need::Node, Need::Redis, Need::BullmqPeer];

/// What the measurements of the layers alone need.
pub(crate) const LAYERS_BENCH_NEEDS: [Need; 6] = [
    Need::PythonVenv,
    Need::Node,
    Need::Wrk,
    Need::Valgrind,
    Need::ExpressConformance,
    Need::Proxies,
];

/// What the measurements of the server on PostgreSQL or `MariaDB` need besides that.
pub(crate) const REMOTE_BENCH_NEEDS: [Need; 3] = [Need::Node, Need::Wrk, Need::ExpressPeer];

/// What the measurements of the server need.
pub(crate) const BENCH_NEEDS: [Need; 9] = [
    Need::PythonVenv,
    Need::Compiler,
    Need::Node,
    Need::Wrk,
    Need::Redis,
    Need::Valgrind,
    Need::ExpressPeer,
    Need::BullmqPeer,
    Need::PocketBase,
];

/// What the emulators of AWS Lambda are.
const ABOUT_EMULATORS: &str = "PyPI xtask/python/emulators.txt into target/emulators: AWS's emulator of the Lambda runtime (from aws-sam-cli) and cargo-lambda, single programs (some 60 MB)";

/// What sends warm-ups.
const ABOUT_WARMERS: &str = "npm crates/serverless/tests/emulators/node/package-lock.json: lambda-warmer and serverless-plugin-warmup, whose events must be told apart";

/// What BullMQ for Rust is.
const ABOUT_RUST_PORT: &str = "crates.io crates/jobs/tests/interop/rust/Cargo.lock into target/interop-rust: BullMQ for Rust, likewise (compiled, some minutes)";

/// What the second pooler is.
const ABOUT_NEW_PGBOUNCER: &str = "Debian 13's pgbouncer (1.24) with its libraries, unpacked into target/pgbouncer-1.24: a pooler that does, likewise";

impl Need {
    /// What would be installed, and why.
    fn explanation(self) -> &'static str {
        match self {
            Need::PythonVenv => {
                "Debian python3-venv: makes the folders that the Python programs below are installed into"
            }
            Need::Python => {
                "PyPI xtask/python/requirements.txt into target/python: schemathesis (tests the API from its OpenAPI document), aiosmtpd (a real SMTP server for the mail tests)"
            }
            Need::Botocore => BOTOCORE,
            Need::TemplateValidators => TEMPLATE_VALIDATORS,
            Need::Compiler => {
                "Debian build-essential: compiles better-sqlite3 for the Express peer"
            }
            Need::Node => {
                "Debian nodejs, npm, libnode-dev: runs BullMQ and Bull Board, the Express peer, and vendors' drivers"
            }
            Need::Wrk => "Debian wrk: the load generator",
            Need::Http2Clients => {
                "Debian curl, nghttp2-client: HTTP/2 without TLS, one request and many"
            }
            Need::Chromium => "Debian chromium: a real browser, without a window (some hundred MB)",
            Need::PythonClients => {
                "PyPI xtask/python/clients.txt into target/clients: playwright (drives the browser), redbot (lint for HTTP)"
            }
            Need::Redis => {
                "Debian redis-server, openssl: the store of the Redis engine, and the Express peer's queue; certificates for it"
            }
            Need::Postgres => {
                "Debian postgresql, openssl: the server of the PostgreSQL engine and of the pool's tests; certificates for it"
            }
            Need::NewPostgres => "Debian 13's postgresql-17 in target/: a newer server to test",
            Need::PgBouncer => {
                "Debian pgbouncer (1.18 in Debian 12): a pooler that knows no prepared statements, which the pool must work behind"
            }
            Need::NewPgBouncer => ABOUT_NEW_PGBOUNCER,
            Need::MariaDb => "Debian mariadb-server: the server of the MySQL engine",
            Need::Valgrind => "Debian valgrind: counts the instructions of one rate-limit decision",
            Need::InteropNode => {
                "npm crates/jobs/tests/interop/node/package-lock.json: BullMQ and Bull Board, which work on our queues in the interop tests"
            }
            Need::InteropPython => {
                "PyPI crates/jobs/tests/interop/python/requirements.txt into target/interop-python: BullMQ for Python, likewise"
            }
            Need::InteropRust => ABOUT_RUST_PORT,
            Need::VendorDrivers => {
                "npm crates/paceline/tests/vendors/package-lock.json: Neon's serverless driver, which judges our /sql, and pg, which it is compared with"
            }
            Need::VendorClients => {
                "npm crates/test-servers/tests/interop/node/package-lock.json: PlanetScale's own client, which judges the double of its server that our tests run against"
            }
            Need::LambdaEmulators => ABOUT_EMULATORS,
            Need::Warmers => ABOUT_WARMERS,
            Need::BullmqPeer => "npm bench/peers/bullmq/package-lock.json: the BullMQ peer",
            Need::ExpressConformance => {
                "npm bench/peers/express-conformance/package-lock.json: Express and its compression middleware, asked the conformance suite's cases"
            }
            Need::Proxies => {
                "PyPI bench/peers/proxies/requirements.txt into target/proxies: nginx and Caddy, likewise"
            }
            Need::ExpressPeer => {
                "npm bench/peers/express/package-lock.json: the Express peer (its SQLite driver is compiled, some minutes)"
            }
            Need::PocketBase => {
                "PyPI bench/peers/pocketbase/requirements.txt into target/pocketbase: the PocketBase peer"
            }
        }
    }

    fn is_met(self) -> bool {
        match self {
            Need::PythonVenv => python::venv_works(),
            Need::Python => python::TESTS.is_current(),
            Need::Botocore => python::BOTOCORE.is_current(),
            Need::TemplateValidators => python::TEMPLATE.is_current(),
            Need::Compiler => debian::on_path("g++") && debian::on_path("make"),
            Need::Node => debian::on_path("node") && debian::on_path("npm"),
            Need::Wrk => debian::on_path("wrk"),
            Need::Http2Clients => debian::on_path("curl") && debian::on_path("h2load"),
            Need::Chromium => debian::on_path("chromium"),
            Need::PythonClients => python::CLIENTS.is_current(),
            Need::Redis => debian::on_path("redis-server") && debian::on_path("openssl"),
            Need::Postgres => postgres::is_installed() && debian::on_path("openssl"),
            Need::NewPostgres => postgres::NEW.is_current(),
            Need::PgBouncer => debian::is_installed("pgbouncer"),
            Need::NewPgBouncer => pgbouncer::NEW.is_current(),
            Need::MariaDb => debian::is_installed("mariadbd"),
            Need::Valgrind => debian::on_path("valgrind"),
            Need::InteropNode => node::is_current(INTEROP_NODE),
            Need::InteropPython => python::INTEROP.is_current(),
            Need::InteropRust => rust_port::is_current(),
            Need::VendorDrivers => node::is_current(VENDOR_DRIVERS),
            Need::VendorClients => node::is_current(VENDOR_CLIENTS),
            Need::LambdaEmulators => emulators::is_current(),
            Need::Warmers => node::is_current(WARMERS),
            Need::BullmqPeer => node::is_current("bench/peers/bullmq"),
            Need::ExpressConformance => node::is_current(EXPRESS_CONFORMANCE),
            Need::Proxies => python::PROXIES.is_current(),
            Need::ExpressPeer => node::is_current("bench/peers/express"),
            Need::PocketBase => python::POCKETBASE.is_current(),
        }
    }

    fn install(self) -> Result<(), String> {
        match self {
            Need::PythonVenv => debian::install(&["python3-venv"]),
            Need::Python => python::TESTS.install(),
            Need::Botocore => python::BOTOCORE.install(),
            Need::TemplateValidators => python::TEMPLATE.install(),
            Need::Compiler => debian::install(&["build-essential"]),
            Need::Node => debian::install(&["nodejs", "npm", "libnode-dev"]),
            Need::Wrk => debian::install(&["wrk"]),
            Need::Http2Clients => debian::install(&["curl", "nghttp2-client"]),
            Need::Chromium => debian::install(&["chromium"]),
            Need::PythonClients => python::CLIENTS.install(),
            Need::Redis => debian::install(&["redis-server", "openssl"]),
            Need::Postgres => debian::install(&["postgresql", "openssl"]),
            Need::NewPostgres => postgres::NEW.install(),
            Need::PgBouncer => debian::install(&["pgbouncer"]),
            Need::NewPgBouncer => pgbouncer::NEW.install(),
            Need::MariaDb => debian::install(&["mariadb-server"]),
            Need::Valgrind => debian::install(&["valgrind"]),
            Need::InteropNode => node::install(INTEROP_NODE),
            Need::InteropPython => python::INTEROP.install(),
            Need::InteropRust => rust_port::build(),
            Need::VendorDrivers => node::install(VENDOR_DRIVERS),
            Need::VendorClients => node::install(VENDOR_CLIENTS),
            Need::LambdaEmulators => emulators::install(),
            Need::Warmers => node::install(WARMERS),
            Need::BullmqPeer => node::install("bench/peers/bullmq"),
            Need::ExpressConformance => node::install(EXPRESS_CONFORMANCE),
            Need::Proxies => python::PROXIES.install(),
            Need::ExpressPeer => node::install("bench/peers/express"),
            Need::PocketBase => python::POCKETBASE.install(),
        }
    }
}

/// Installs what is missing of `needs`; gives those that could not be met.
///
/// Without permission nothing is installed, which is an error.
pub(crate) fn provide_what_can_be(needs: &[Need], yes: bool) -> Result<Vec<Need>, String> {
    let mut missing: Vec<Need> = needs
        .iter()
        .copied()
        .filter(|need| !need.is_met())
        .collect();
    missing.sort_unstable();
    if missing.is_empty() {
        return Ok(missing);
    }
    println!("Missing on this machine:");
    for need in &missing {
        println!("  {}", need.explanation());
    }
    if !permitted(yes)? {
        return Err("nothing was installed; `--without SUITE` runs the tests without the suites that need it".to_owned());
    }
    missing.retain(|need| match need.install() {
        Ok(()) if need.is_met() => false,
        Ok(()) => {
            eprintln!("installed, but still not found: {}", need.explanation());
            true
        }
        Err(problem) => {
            eprintln!("not installed: {}\n  {problem}", need.explanation());
            true
        }
    });
    Ok(missing)
}

/// Installs all of `needs` that is missing, or fails.
pub(crate) fn provide(needs: &[Need], yes: bool) -> Result<(), String> {
    let missing = provide_what_can_be(needs, yes)?;
    if missing.is_empty() {
        Ok(())
    } else {
        Err("not everything that is needed could be installed".to_owned())
    }
}

/// A program of the tests' Python environment.
pub(crate) fn python_program(name: &str) -> PathBuf {
    python::TESTS.program(name)
}

/// A program of the Python environment with the clients of others.
pub(crate) fn clients_program(name: &str) -> PathBuf {
    python::CLIENTS.program(name)
}

/// The Python that has AWS's own signer.
pub(crate) fn botocore_python() -> PathBuf {
    python::BOTOCORE.program("python")
}

/// The Python that has AWS's judges of templates.
pub(crate) fn template_python() -> PathBuf {
    python::TEMPLATE.program("python")
}

/// The second `PgBouncer`.
pub(crate) fn new_pgbouncer() -> PathBuf {
    pgbouncer::NEW.programs().join("pgbouncer")
}

/// The folder with the programs of the second `PostgreSQL`.
pub(crate) fn new_postgres() -> PathBuf {
    postgres::NEW.programs()
}

/// AWS's emulator of the Lambda runtime.
pub(crate) fn lambda_rie() -> PathBuf {
    emulators::rie()
}

/// cargo-lambda.
pub(crate) fn cargo_lambda() -> PathBuf {
    emulators::cargo_lambda()
}

/// The Python that has BullMQ.
pub(crate) fn interop_python() -> PathBuf {
    python::INTEROP.program("python")
}

/// The program around BullMQ for Rust, built from its sources as they are now.
pub(crate) fn interop_rust() -> Result<PathBuf, String> {
    rust_port::build()?;
    Ok(rust_port::program())
}

fn permitted(yes: bool) -> Result<bool, String> {
    if yes || std::env::var("CI").is_ok_and(|ci| ci == "true") {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        return Err("there is no terminal to ask on: give --yes to have it installed".to_owned());
    }
    print!("Install it? [y/N] ");
    std::io::stdout()
        .flush()
        .map_err(|error| error.to_string())?;
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| error.to_string())?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
