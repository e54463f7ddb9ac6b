//! The content codings and their levels.

use std::ops::RangeInclusive;

use http::HeaderValue;

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

    pub(crate) const fn header_value(self) -> HeaderValue {
        HeaderValue::from_static(self.token())
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// A set of codings the server offers. Identity is always in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodingSet(u8);

impl CodingSet {
    /// Every coding of this crate.
    pub const ALL: Self = Self(0b1_1111);

    /// Identity alone.
    pub const NONE: Self = Self(1);

    /// The set with `coding`.
    #[must_use]
    pub const fn with(self, coding: Coding) -> Self {
        Self(self.0 | 1 << coding as u8)
    }

    /// The set without `coding`; identity stays.
    #[must_use]
    pub const fn without(self, coding: Coding) -> Self {
        Self((self.0 & !(1 << coding as u8)) | 1)
    }

    /// Whether `coding` is offered.
    pub const fn contains(self, coding: Coding) -> bool {
        self.0 & (1 << coding as u8) != 0
    }
}

impl Default for CodingSet {
    fn default() -> Self {
        Self::ALL
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

/// One level for each coding. The defaults suit JSON made per request: zstd 3, br 4, gzip and deflate 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels([Level; 5]);

impl Levels {
    const DEFAULT: Self = Self([Level(0), Level(5), Level(5), Level(4), Level(3)]);

    /// Sets the level of one coding, moved into [`Coding::levels`].
    #[must_use]
    pub fn with(mut self, coding: Coding, level: Level) -> Self {
        let range = coding.levels();
        self.0[coding.index()] = Level(level.0.clamp(*range.start(), *range.end()));
        self
    }

    /// The level of a coding.
    pub fn get(self, coding: Coding) -> Level {
        self.0[coding.index()]
    }

    /// The level as it is named in a tag: `None` when it is the default.
    pub(crate) fn named(self, coding: Coding) -> Option<Level> {
        let level = self.get(coding);
        (level != Self::DEFAULT.get(coding)).then_some(level)
    }
}

impl Default for Levels {
    fn default() -> Self {
        Self::DEFAULT
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

    #[test]
    fn levels_stay_in_range_and_only_unusual_ones_are_named() {
        let levels = Levels::default()
            .with(Coding::Zstd, Level::new(22))
            .with(Coding::Gzip, Level::new(0));
        assert_eq!(levels.get(Coding::Zstd).get(), 19);
        assert_eq!(levels.get(Coding::Gzip).get(), 1);
        assert_eq!(levels.named(Coding::Brotli), None);
        assert_eq!(levels.named(Coding::Zstd), Some(Level::new(19)));
    }

    #[test]
    fn identity_is_always_offered() {
        let set = CodingSet::ALL
            .without(Coding::Identity)
            .without(Coding::Gzip);
        assert!(
            set.contains(Coding::Identity)
                && set.contains(Coding::Zstd)
                && !set.contains(Coding::Gzip)
        );
        assert!(
            CodingSet::NONE
                .with(Coding::Brotli)
                .contains(Coding::Brotli)
        );
    }
}
