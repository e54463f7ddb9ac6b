//! Signatures after the Standard Webhooks convention: HMAC-SHA-256 over `id.timestamp.body`.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sha2::Sha256;

/// What may not stand in a header or in front of the dot that ends the id.
const NOT_IN_AN_ID: &AsciiSet = &CONTROLS.add(b' ').add(b'.').add(b'%');

/// A key that sender and receiver share; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(Vec<u8>);

/// The text is not a signing secret. What it was is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected whsec_ and 24 to 64 random bytes as base64, such as the output of: echo whsec_$(openssl rand -base64 32)"
)]
pub struct InvalidSecret;

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl FromStr for SigningSecret {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let key = text.strip_prefix("whsec_").ok_or(InvalidSecret)?;
        let key = STANDARD.decode(key).map_err(|_| InvalidSecret)?;
        if (24..=64).contains(&key.len()) {
            Ok(Self(key))
        } else {
            Err(InvalidSecret)
        }
    }
}

impl SigningSecret {
    /// The value of `webhook-signature`; `seconds` is that of `webhook-timestamp`.
    pub(super) fn sign(&self, id: &str, seconds: u64, body: &str) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body.as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// A job's id as it stands in `webhook-id`: the id itself, but for what a header cannot carry and the dot
/// that ends it in what is signed.
pub(super) fn webhook_id(job: &str) -> String {
    utf8_percent_encode(job, NOT_IN_AN_ID).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with another implementation (Python's `hmac` and `base64`).
    #[test]
    fn a_known_message_has_its_known_signature() {
        let secret: SigningSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let signed = secret.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_are_whsec_and_enough_bytes() {
        for bad in [
            "",
            "hunter2",
            "whsec_",
            "whsec_!!!!",
            "whsec_c2hvcnQ=",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            assert!(bad.parse::<SigningSecret>().is_err(), "{bad:?}");
        }
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        assert!(long.parse::<SigningSecret>().is_err());
        let secret: SigningSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        assert_eq!(format!("{secret:?}"), "[redacted]");
    }

    #[test]
    fn ids_fit_a_header_and_have_no_dot() {
        assert_eq!(webhook_id("0af3c5"), "0af3c5");
        assert_eq!(webhook_id("order-17/x"), "order-17/x");
        assert_eq!(webhook_id("a.b c%é"), "a%2Eb%20c%25%C3%A9");
    }
}
