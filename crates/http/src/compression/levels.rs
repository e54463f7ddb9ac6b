//! Which codings a server offers, and how hard each tries.

use http::HeaderValue;

use crate::coding::{Coding, Level};

impl Coding {
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

/// One level for each coding. The defaults suit JSON made per request: zstd 3, br 4, gzip and deflate 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels([Level; 5]);

impl Levels {
    const DEFAULT: Self = Self([
        Level::new(0),
        Level::new(5),
        Level::new(5),
        Level::new(4),
        Level::new(3),
    ]);

    /// For bodies that are encoded once and sent many times: zstd 19, br 9, gzip and deflate 9.
    pub(crate) const fn highest() -> Self {
        Self([
            Level::new(0),
            Level::new(9),
            Level::new(9),
            Level::new(9),
            Level::new(19),
        ])
    }

    /// Sets the level of one coding, moved into [`Coding::levels`].
    #[must_use]
    pub fn with(mut self, coding: Coding, level: Level) -> Self {
        let range = coding.levels();
        self.0[coding.index()] = Level::new(level.get().clamp(*range.start(), *range.end()));
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
