//! TLS to a server: its certificate is checked, name and all, unless somebody says otherwise.

use std::path::PathBuf;

use redis::{ConnectionAddr, ConnectionInfo};

/// Whom to trust. By default the authorities the system knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Encryption {
    /// The certificates of the authorities to trust instead (PEM).
    pub(crate) ca_file: Option<PathBuf>,
    /// What to show a server that asks for it (PEM): a certificate and its key.
    pub(crate) certificate_file: Option<PathBuf>,
    pub(crate) key_file: Option<PathBuf>,
    /// Any certificate will do.
    pub(crate) insecure: bool,
}

impl Encryption {
    fn is_asked_for(&self) -> bool {
        let files = [&self.ca_file, &self.certificate_file, &self.key_file];
        self.insecure || files.iter().any(|file| file.is_some())
    }
}

/// Makes an encrypted connection follow `encryption`.
pub(super) fn apply(
    info: ConnectionInfo,
    encryption: &Encryption,
) -> Result<ConnectionInfo, String> {
    match info.addr() {
        ConnectionAddr::TcpTls { .. } => encrypt(info, encryption),
        _ if encryption.is_asked_for() => Err(
            "ca_file, cert_file, key_file and insecure are about TLS: write rediss://".to_owned(),
        ),
        _ => Ok(info),
    }
}

#[cfg(not(feature = "redis-tls"))]
fn encrypt(_: ConnectionInfo, _: &Encryption) -> Result<ConnectionInfo, String> {
    Err("rediss:// needs the feature redis-tls of paceline-jobs".to_owned())
}

#[cfg(feature = "redis-tls")]
fn encrypt(info: ConnectionInfo, encryption: &Encryption) -> Result<ConnectionInfo, String> {
    use redis::{Client, ClientTlsConfig, TlsCertificates};

    let client_tls = match (&encryption.certificate_file, &encryption.key_file) {
        (Some(certificate), Some(key)) => Some(ClientTlsConfig {
            client_cert: read(certificate, "CERTIFICATE")?,
            client_key: read(key, "PRIVATE KEY")?,
        }),
        (None, None) => None,
        _ => return Err("cert_file and key_file go together".to_owned()),
    };
    let root_cert = match &encryption.ca_file {
        Some(file) => Some(read(file, "CERTIFICATE")?),
        None => None,
    };
    let certificates = TlsCertificates {
        client_tls,
        root_cert,
    };
    let client = Client::build_with_tls(info, certificates)
        .map_err(|error| format!("a certificate or key cannot be used: {error}"))?;
    let info = client.get_connection_info().clone();
    let ConnectionAddr::TcpTls {
        host,
        port,
        tls_params,
        ..
    } = info.addr().clone()
    else {
        return Ok(info);
    };
    Ok(info.set_addr(ConnectionAddr::TcpTls {
        host,
        port,
        insecure: encryption.insecure,
        tls_params,
    }))
}

/// A file in PEM form that holds `what`.
#[cfg(feature = "redis-tls")]
fn read(file: &std::path::Path, what: &str) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(file)
        .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    if text
        .lines()
        .any(|line| line.starts_with("-----BEGIN ") && line.contains(what))
    {
        Ok(bytes)
    } else {
        let what = what.to_lowercase();
        Err(format!("{} holds no {what} in PEM form", file.display()))
    }
}
