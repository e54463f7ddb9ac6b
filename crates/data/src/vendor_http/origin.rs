//! Which server is asked.

use std::fmt;

/// Scheme, host and port of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Whether it is asked over TLS.
    pub secure: bool,
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Origin {
    /// The port where the address names none.
    pub fn usual_port(secure: bool) -> u16 {
        if secure { 443 } else { 80 }
    }

    /// Host and port as they stand in `Host` and in addresses; the usual port is left out.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        if self.port == Self::usual_port(self.secure) {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_port_is_left_out() {
        let check = |secure, host: &str, port, expected: &str| {
            let origin = Origin {
                secure,
                host: host.to_owned(),
                port,
            };
            assert_eq!(origin.to_string(), expected);
        };
        check(true, "api.example.com", 443, "https://api.example.com");
        check(false, "127.0.0.1", 8082, "http://127.0.0.1:8082");
        check(true, "::1", 80, "https://[::1]:80");
    }
}
