//! What leads to the function.

use std::time::Duration;

/// What stands between callers and the function, and how long it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entry {
    /// A REST API of API Gateway: 29 s, up to 10 MB, no streaming here.
    Rest,
    /// An HTTP API of API Gateway: 30 s, no streaming.
    Http,
    /// A function URL whose answers are streamed: the function's own 15 minutes.
    Url,
    /// Nothing: other programs invoke the function themselves.
    Direct,
}

impl Entry {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Rest, Self::Http, Self::Url, Self::Direct];

    /// How long it waits for an answer. Source: the quotas of API Gateway and of Lambda.
    pub const fn limit(self) -> Duration {
        Duration::from_secs(match self {
            Self::Rest => 29,
            Self::Http => 30,
            Self::Url | Self::Direct => 900,
        })
    }

    /// Whether it gives up by itself before the function does; then the function must be quicker.
    pub const fn is_gateway(self) -> bool {
        matches!(self, Self::Rest | Self::Http)
    }

    /// Whether an answer reaches its client while it is written.
    pub const fn streams(self) -> bool {
        matches!(self, Self::Url)
    }

    /// The word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Http => "http",
            Self::Url => "url",
            Self::Direct => "direct",
        }
    }
}
