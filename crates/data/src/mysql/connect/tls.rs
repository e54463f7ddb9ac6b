//! TLS to a server: its certificate is checked, name and all, unless somebody says otherwise.

use std::path::Path;

use mysql_async::SslOpts;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{Encryption, TlsSetUpError};

/// What the driver is told; nothing where connections are not to be encrypted.
pub(super) fn options(encryption: &Encryption) -> Result<Option<SslOpts>, TlsSetUpError> {
    let roots = match encryption {
        Encryption::None => return Ok(None),
        Encryption::Unverified => {
            let anybody = SslOpts::default().with_danger_accept_invalid_certs(true);
            return Ok(Some(anybody));
        }
        Encryption::Verified(Some(file)) => of_file(file)?,
        Encryption::Verified(None) => rustls_native_certs::load_native_certs().certs,
    };
    if roots.is_empty() {
        return Err(TlsSetUpError::NoRoots);
    }
    let roots = roots
        .into_iter()
        // What cannot be parsed is of no use to anybody; the others are.
        .filter(|root| rustls::RootCertStore::empty().add(root.clone()).is_ok())
        .map(|root| root.to_vec().into());
    let verified = SslOpts::default()
        .with_root_certs(roots.collect())
        .with_disable_built_in_roots(true);
    Ok(Some(verified))
}

fn of_file(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsSetUpError> {
    let unreadable = |error| TlsSetUpError::Unreadable(file.to_owned(), error);
    let roots = CertificateDer::pem_file_iter(file).map_err(unreadable)?;
    let roots: Vec<_> = roots.collect::<Result<_, _>>().map_err(unreadable)?;
    if roots.is_empty() {
        return Err(TlsSetUpError::Empty(file.to_owned()));
    }
    for root in &roots {
        let added = rustls::RootCertStore::empty().add(root.clone());
        added.map_err(|error| TlsSetUpError::Unusable(file.to_owned(), error))?;
    }
    Ok(roots)
}
