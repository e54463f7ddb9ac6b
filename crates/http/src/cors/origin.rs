//! Origins, written as browsers write them.

use std::fmt;

use http::{HeaderValue, Uri};

/// A scheme, a host and, unless it is the scheme's own, a port: `https://app.example.com`,
/// `http://localhost:5173`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl Origin {
    /// The origin `text`, exactly as browsers send it in `Origin`: anything else would match no page.
    ///
    /// # Errors
    /// When there is a path (a slash at the end too), a query, a name, or a capital letter in it, or it is no
    /// `http` or `https` address.
    pub fn new(text: &str) -> Result<Self, InvalidOrigin> {
        let invalid = || InvalidOrigin {
            text: text.to_owned(),
        };
        let (scheme, authority) = text.split_once("://").ok_or_else(invalid)?;
        let own_port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => return Err(invalid()),
        };
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let is_whole = uri
            .authority()
            .is_some_and(|known| known.as_str() == authority);
        let is_plain = !authority.contains('@')
            && !authority.ends_with(own_port)
            && !text.bytes().any(|byte| byte.is_ascii_uppercase());
        if !is_whole || !is_plain {
            return Err(invalid());
        }
        HeaderValue::try_from(text).map(Self).map_err(|_| invalid())
    }

    pub(super) fn into_header_value(self) -> HeaderValue {
        self.0
    }
}

/// A text that is no origin as browsers send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidOrigin {
    text: String,
}

impl fmt::Display for InvalidOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no origin: write scheme, host and port only, in lower case, as in https://app.example.com",
            self.text
        )
    }
}

impl std::error::Error for InvalidOrigin {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_send_them() {
        for right in [
            "https://app.example.com",
            "http://localhost:5173",
            "http://[::1]:8080",
            "https://a.b:80",
        ] {
            assert!(Origin::new(right).is_ok(), "{right}");
        }
        for wrong in [
            "",
            "*",
            "null",
            "app.example.com",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://app.example.com?x",
            "https://App.example.com",
            "https://me@app.example.com",
            "https://app.example.com:443",
            "http://app.example.com:80",
            "ftp://app.example.com",
            "https://",
            "https://a\r\nb",
        ] {
            assert!(Origin::new(wrong).is_err(), "{wrong}");
        }
    }
}
