//! The shapes of requests, and so of their answers.

/// In which shape a request came, which its answer must fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A REST API (payload 1.0): headers as lists.
    Rest,
    /// An HTTP API or a function URL (payload 2.0): one value a header, cookies apart.
    Http,
    /// An Application Load Balancer.
    LoadBalancer {
        /// Whether the target group sends and takes headers as lists.
        multi_value: bool,
    },
}

impl Shape {
    /// Whether an answer can be streamed to it at all. A load balancer waits for the end.
    pub(crate) fn can_stream(self) -> bool {
        !matches!(self, Self::LoadBalancer { .. })
    }
}
