//! The content codings and what a level is.

use std::ops::RangeInclusive;

/// A content coding (RFC 9110, 8.4.1). The order is the server's preference, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Coding {
    /// The bytes as they are.
    Identity,
    /// `deflate`: the zlib format (RFC 1950), not raw DEFLATE.
    Deflate,
    /// `gzip`, also accepted as `x-gzip`.
    Gzip,
    /// `br`.
    Brotli,
    /// `zstd`, with a window of at most 8 MiB (RFC 9659).
    Zstd,
}

impl Coding {
    /// Every coding, the least preferred first.
    pub const ALL: [Self; 5] = [
        Self::Identity,
        Self::Deflate,
        Self::Gzip,
        Self::Brotli,
        Self::Zstd,
    ];

    /// The name in `Accept-Encoding` and `Content-Encoding`.
    pub const fn token(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Deflate => "deflate",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// The coding of that name, in any case; `None` for one this crate does not have.
    pub fn from_token(token: &[u8]) -> Option<Self> {
        if token.eq_ignore_ascii_case(b"x-gzip") {
            return Some(Self::Gzip);
        }
        Self::ALL
            .into_iter()
            .find(|coding| token.eq_ignore_ascii_case(coding.token().as_bytes()))
    }

    /// The levels the coding knows; for identity, which has none, only 0. Zstandard ends at 19: higher levels
    /// use windows that browsers refuse.
    pub const fn levels(self) -> RangeInclusive<u8> {
        match self {
            Self::Identity => 0..=0,
            Self::Deflate | Self::Gzip => 1..=9,
            Self::Brotli => 0..=11,
            Self::Zstd => 1..=19,
        }
    }
}

/// How hard an encoder tries; what a number means is the coding's own affair ([`Coding::levels`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u8);

impl Level {
    /// A level; numbers outside the coding's range are moved to its nearest end where they are used.
    pub const fn new(level: u8) -> Self {
        Self(level)
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_in_any_case_and_the_old_name_of_gzip() {
        for coding in Coding::ALL {
            assert_eq!(
                Coding::from_token(coding.token().to_uppercase().as_bytes()),
                Some(coding)
            );
        }
        assert_eq!(Coding::from_token(b"X-GZip"), Some(Coding::Gzip));
        assert_eq!(Coding::from_token(b"compress"), None);
        assert_eq!(Coding::from_token(b""), None);
    }
}
