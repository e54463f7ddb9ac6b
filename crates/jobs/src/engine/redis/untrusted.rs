//! What to say when a server cannot prove who it is.

use redis::RedisError;

/// Why the other side is not trusted, if that is what went wrong.
#[cfg(not(feature = "redis-tls"))]
pub(super) fn untrusted(_: &RedisError) -> Option<String> {
    None
}

/// Why the other side is not trusted, if that is what went wrong.
#[cfg(feature = "redis-tls")]
pub(super) fn untrusted(error: &RedisError) -> Option<String> {
    use rustls::{AlertDescription, CertificateError, Error};

    let text = match failure(error)? {
        Error::InvalidCertificate(reason) => match reason {
            CertificateError::UnknownIssuer => {
                "the certificate of the server is signed by nobody who is trusted: name the file with the \
                 certificate of its authority (ca_file)"
                    .to_owned()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!("the certificate of the server is for another host: {reason}")
            }
            _ => format!("the certificate of the server cannot be trusted: {reason}"),
        },
        Error::InvalidMessage(_) => {
            "the server does not speak TLS on this port: write redis://, or give its TLS port".to_owned()
        }
        Error::AlertReceived(
            AlertDescription::CertificateRequired | AlertDescription::BadCertificate,
        ) => {
            "the server wants a certificate of this program: name it and its key (cert_file, key_file)"
                .to_owned()
        }
        other => format!("no encrypted connection can be made: {other}"),
    };
    Some(text)
}

/// What went wrong with the encryption. It lies below errors of input and output, which may be shared.
#[cfg(feature = "redis-tls")]
fn failure(error: &RedisError) -> Option<&rustls::Error> {
    type Shared = std::sync::Arc<dyn std::error::Error + Send + Sync>;

    let cause = std::error::Error::source(error)?;
    let cause = match cause.downcast_ref::<Shared>() {
        Some(shared) => &**shared,
        None => cause,
    };
    if let Some(failure) = cause.downcast_ref() {
        return Some(failure);
    }
    cause
        .downcast_ref::<std::io::Error>()?
        .get_ref()?
        .downcast_ref()
}
