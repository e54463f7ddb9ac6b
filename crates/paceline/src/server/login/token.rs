//! Login tokens: JWTs signed with HMAC-SHA-256 (RFC 7519, RFC 7515 appendix A.1).
//!
//! Only `HS256` is ever written or accepted; the header of a token is compared, not obeyed.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// `{"alg":"HS256","typ":"JWT"}`
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
/// Longer than any token of ours; checked before anything is decoded.
const MAX_TOKEN: usize = 4096;

/// What a token says: who, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The subject: the user's key as text.
    pub(crate) sub: String,
    /// Issued at, in seconds since 1970.
    pub(crate) iat: i64,
    /// Expires at, in seconds since 1970.
    pub(crate) exp: i64,
}

/// Signs and checks tokens with one key.
#[derive(Clone)]
pub(crate) struct TokenKey {
    mac: Hmac<Sha256>,
    lifetime: Duration,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenKey")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// Why a token was refused. The answer to the client is the same for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum TokenRefused {
    /// Not three base64url parts with our header and readable claims.
    Malformed,
    /// Signed with another key, or changed.
    BadSignature,
    /// Its time is over.
    Expired,
}

impl TokenKey {
    /// A key whose tokens live for `lifetime`.
    pub(crate) fn new(key: &[u8; 32], lifetime: Duration) -> Self {
        let mac = Hmac::new_from_slice(key).expect("HMAC takes keys of any length");
        Self { mac, lifetime }
    }

    /// How long a token lives.
    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// A token for `subject`, valid from `now`.
    pub(crate) fn issue(&self, subject: &str, now: Timestamp) -> String {
        let iat = now.as_second();
        let exp = iat.saturating_add(i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX));
        let claims = Claims {
            sub: subject.to_owned(),
            iat,
            exp,
        };
        let payload = serde_json::to_vec(&claims).expect("claims are a plain struct");
        let mut token = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(payload));
        let tag = self
            .mac
            .clone()
            .chain_update(token.as_bytes())
            .finalize()
            .into_bytes();
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(tag, &mut token);
        token
    }

    /// Checks a token's form, signature (in constant time) and expiry.
    pub(crate) fn check(&self, token: &str, now: Timestamp) -> Result<Claims, TokenRefused> {
        if token.len() > MAX_TOKEN {
            return Err(TokenRefused::Malformed);
        }
        let (signed, tag) = token.rsplit_once('.').ok_or(TokenRefused::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenRefused::Malformed)?;
        if header != HEADER {
            return Err(TokenRefused::Malformed);
        }
        let tag = URL_SAFE_NO_PAD
            .decode(tag)
            .map_err(|_| TokenRefused::Malformed)?;
        let mac = self.mac.clone().chain_update(signed.as_bytes());
        mac.verify_slice(&tag)
            .map_err(|_| TokenRefused::BadSignature)?;
        let payload = URL_SAFE_NO_PAD
            .decode(payload)
            .map_err(|_| TokenRefused::Malformed)?;
        let claims: Claims =
            serde_json::from_slice(&payload).map_err(|_| TokenRefused::Malformed)?;
        if claims.exp <= now.as_second() {
            Err(TokenRefused::Expired)
        } else {
            Ok(claims)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn key(byte: u8) -> TokenKey {
        TokenKey::new(&[byte; 32], Duration::from_mins(15))
    }

    #[test]
    fn the_header_constant_says_hs256() {
        assert_eq!(
            URL_SAFE_NO_PAD.decode(HEADER).unwrap(),
            br#"{"alg":"HS256","typ":"JWT"}"#
        );
    }

    #[test]
    fn a_token_is_good_until_its_lifetime_ends() {
        let token = key(1).issue("7", at(1000));
        assert_eq!(key(1).check(&token, at(1899)).unwrap().sub, "7");
        assert_eq!(key(1).check(&token, at(1900)), Err(TokenRefused::Expired));
    }

    #[test]
    fn other_keys_and_changed_claims_are_refused() {
        let token = key(1).issue("7", at(1000));
        assert_eq!(
            key(2).check(&token, at(1000)),
            Err(TokenRefused::BadSignature)
        );
        let forged = URL_SAFE_NO_PAD.encode(br#"{"sub":"1","iat":1000,"exp":9999999999}"#);
        let tag = token.rsplit_once('.').unwrap().1;
        let forged = format!("{HEADER}.{forged}.{tag}");
        assert_eq!(
            key(1).check(&forged, at(1000)),
            Err(TokenRefused::BadSignature)
        );
    }

    #[test]
    fn the_algorithm_in_the_header_is_not_obeyed() {
        let token = key(1).issue("7", at(1000));
        let none = URL_SAFE_NO_PAD.encode(br#"{"alg":"none"}"#);
        let (_, rest) = token.split_once('.').unwrap();
        for bad in [
            format!("{none}.{rest}"),
            format!("{none}.{}.", "e30"),
            "..".into(),
            "é".into(),
        ] {
            assert_eq!(
                key(1).check(&bad, at(1000)),
                Err(TokenRefused::Malformed),
                "{bad}"
            );
        }
    }
}
