//! `paceline jobs` on a real Redis server over TLS.

use std::path::Path;
use std::process::{Command, Output};

use crate::jobs_redis::{Redis, free_port};
use crate::server::BINARY;

/// Writes `{name}.pem` and `{name}.key`: an authority of its own that is also a server's certificate would be
/// refused, so the server's is signed by another.
fn certificate(folder: &Path, name: &str, extension: &str, signed: &[&str]) {
    let config = format!("[req]\ndistinguished_name = name\n[name]\n[all]\n{extension}\n");
    let file = format!("{name}.cnf");
    std::fs::write(folder.join(&file), config).unwrap();
    let made = Command::new("openssl")
        .current_dir(folder)
        .args(["req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"])
        .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-config", &file, "-extensions", "all"])
        .args(["-subj", &format!("/CN={name}")])
        .args(["-keyout", &format!("{name}.key")])
        .args(["-out", &format!("{name}.pem")])
        .args(signed)
        .output();
    let made = made.unwrap_or_else(|error| {
        panic!("these tests need openssl (Debian package openssl): {error}")
    });
    assert!(made.status.success(), "{made:?}");
}

fn list(url: &str) -> Output {
    let mut command = Command::new(BINARY);
    command.args(["jobs", "list", "--url", url]);
    command.output().unwrap()
}

#[test]
fn a_store_is_reached_over_tls_and_one_that_is_not_trusted_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let authority = "basicConstraints = critical,CA:TRUE";
    certificate(folder.path(), "ca", authority, &[]);
    certificate(folder.path(), "other", authority, &[]);
    let leaf = "basicConstraints = CA:FALSE\nsubjectAltName = DNS:localhost";
    certificate(
        folder.path(),
        "server",
        leaf,
        &["-CA", "ca.pem", "-CAkey", "ca.key"],
    );
    let file = |name: &str| folder.path().join(name).display().to_string();
    let port = free_port();
    let _redis = Redis::start(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &file("server.pem"),
        "--tls-key-file",
        &file("server.key"),
        "--tls-ca-cert-file",
        &file("ca.pem"),
        "--tls-auth-clients",
        "no",
    ]);
    let url = |host: &str, ca: &str| format!("rediss://{host}:{port}?ca_file={}", file(ca));
    let good = list(&url("localhost", "ca.pem"));
    assert!(good.status.success(), "{good:?}");
    for (url, part) in [
        (
            url("localhost", "other.pem"),
            "signed by nobody who is trusted",
        ),
        (url("127.0.0.1", "ca.pem"), "for another host"),
    ] {
        let refused = list(&url);
        let error = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{error}");
        assert!(error.contains(part), "{url}: {error}");
    }
    let careless = list(&format!("rediss://127.0.0.1:{port}?insecure=true"));
    let told = String::from_utf8_lossy(&careless.stderr);
    assert!(careless.status.success(), "{told}");
    assert!(told.contains("certificates are not checked"), "{told}");
}
