//! How many items a page may have.

use std::num::NonZeroU32;

/// How many items a page has, and may have.
///
/// As an axum `Extension` it governs every [`PageRequest`](super::PageRequest) of the routes beneath:
///
/// ```
/// use axum::{Extension, Router};
/// use paceline_http::page::PageLimits;
///
/// let app: Router = Router::new().layer(Extension(PageLimits::new(50, 500)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageLimits {
    default: NonZeroU32,
    most: NonZeroU32,
}

impl PageLimits {
    /// `default` items where the client does not say, and `most` when it asks for many.
    ///
    /// # Panics
    /// When one of them is zero, or `default` is above `most`. In a `const` that does not compile.
    #[must_use]
    pub const fn new(default: u32, most: u32) -> Self {
        assert!(
            default <= most,
            "the default page size is above the maximum"
        );
        match (NonZeroU32::new(default), NonZeroU32::new(most)) {
            (Some(default), Some(most)) => Self { default, most },
            _ => panic!("a page has at least one item"),
        }
    }

    /// Items a page where the client does not say. Default: 20.
    pub fn default_limit(self) -> NonZeroU32 {
        self.default
    }

    /// The most items a page. Default: 100.
    pub fn most(self) -> NonZeroU32 {
        self.most
    }
}

impl Default for PageLimits {
    fn default() -> Self {
        const { Self::new(20, 100) }
    }
}
