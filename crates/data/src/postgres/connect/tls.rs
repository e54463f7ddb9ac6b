//! TLS to a server: its certificate is checked, name and all, unless somebody says otherwise.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Encryption;

/// TLS as an address wants it cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsSetUpError {
    /// The file of authorities cannot be read.
    #[error("{} cannot be read as PEM", .0.display())]
    Unreadable(PathBuf, #[source] rustls::pki_types::pem::Error),
    /// It holds none.
    #[error("{} holds no certificate in PEM form", .0.display())]
    Empty(PathBuf),
    /// One in it cannot be an authority.
    #[error("a certificate in {} cannot be used", .0.display())]
    Unusable(PathBuf, #[source] Error),
    /// The system knows no authority.
    #[error(
        "no root certificates were found to check the server's by: install the package ca-certificates, or name a \
         file with ca_file"
    )]
    NoRoots,
}

/// What makes encrypted connections; nothing where they are not to be encrypted.
pub(super) fn connector(
    encryption: &Encryption,
) -> Result<Option<MakeRustlsConnect>, TlsSetUpError> {
    Ok(client_config(encryption)?.map(MakeRustlsConnect::new))
}

/// The settings of TLS; nothing where connections are not to be encrypted.
pub(crate) fn client_config(
    encryption: &Encryption,
) -> Result<Option<ClientConfig>, TlsSetUpError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("the provider knows the default versions");
    let config = match encryption {
        Encryption::None => return Ok(None),
        Encryption::Verified(Some(file)) => builder.with_root_certificates(of_file(file)?),
        Encryption::Verified(None) => builder.with_root_certificates(of_system()?),
        Encryption::Unverified => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody(provider))),
    };
    Ok(Some(config.with_no_client_auth()))
}

fn of_file(file: &Path) -> Result<Arc<RootCertStore>, TlsSetUpError> {
    let unreadable = |error| TlsSetUpError::Unreadable(file.to_owned(), error);
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(unreadable)? {
        roots
            .add(certificate.map_err(unreadable)?)
            .map_err(|error| TlsSetUpError::Unusable(file.to_owned(), error))?;
    }
    if roots.is_empty() {
        return Err(TlsSetUpError::Empty(file.to_owned()));
    }
    Ok(Arc::new(roots))
}

/// Those the system knows, read once in a process: it takes a while.
fn of_system() -> Result<Arc<RootCertStore>, TlsSetUpError> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        // What cannot be parsed is of no use to anybody; the others are.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    });
    if roots.is_empty() {
        return Err(TlsSetUpError::NoRoots);
    }
    Ok(Arc::clone(roots))
}

/// Takes any certificate; the handshake is still signed by its key.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
