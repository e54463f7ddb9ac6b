//! Certificates of the test's own authority.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::program::output;

/// What openssl is told: names of the kinds of certificate that are made.
const CONFIG: &str = "[req]\ndistinguished_name = name\n[name]\n\
                      [ca]\nbasicConstraints = critical,CA:TRUE\n\
                      [leaf]\nbasicConstraints = CA:FALSE\nsubjectAltName = DNS:localhost\n";

/// Two authorities, and a certificate for `localhost` (not for 127.0.0.1) that the first one signed.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// Makes them with openssl.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("openssl.cnf"), CONFIG).expect("a file");
        let authority = Self { folder };
        authority.certificate("ca", "ca", None);
        authority.certificate("other", "ca", None);
        authority.certificate("server", "leaf", Some("ca"));
        authority
    }

    /// The authority that signed the server's certificate.
    pub fn ca(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// Another authority, which signed nothing.
    pub fn other(&self) -> PathBuf {
        self.file("other.pem")
    }

    /// Copies the server's certificate and key to `folder`, as `server.pem` and `server.key`; gives their paths.
    pub(crate) fn copy_to(&self, folder: &Path) -> [PathBuf; 2] {
        ["server.pem", "server.key"].map(|name| {
            let copy = folder.join(name);
            std::fs::copy(self.file(name), &copy).expect("a copy");
            copy
        })
    }

    /// A file by its name: the certificates `ca.pem`, `other.pem` and `server.pem`, and their keys `.key`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes `{name}.pem` and `{name}.key`, signed by `issuer` or by itself.
    fn certificate(&self, name: &str, extensions: &str, issuer: Option<&str>) {
        let mut openssl = Command::new("openssl");
        openssl
            .current_dir(self.folder.path())
            .args(["req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"])
            .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-config", "openssl.cnf", "-extensions", extensions])
            .args(["-subj", &format!("/CN={name}")])
            .args(["-keyout", &format!("{name}.key")])
            .args(["-out", &format!("{name}.pem")]);
        if let Some(issuer) = issuer {
            openssl.args(["-CA", &format!("{issuer}.pem")]);
            openssl.args(["-CAkey", &format!("{issuer}.key")]);
        }
        output(&mut openssl);
    }
}
