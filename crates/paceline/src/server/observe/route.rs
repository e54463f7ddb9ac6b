//! The route a path belongs to, as a label with few values: a metric must not grow with its callers.

/// A group of paths that share their metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// `/api/{resource}`
    List,
    /// `/api/{resource}/{key}`
    One,
    /// `/api/export/{resource}`
    Export,
    /// `/api/jobs/{queue}/{id}`
    Job,
    /// `/api/stream`
    Stream,
    /// `/health/...`
    Health,
    /// Everything else: login, mail, OpenAPI, what is not found.
    Other,
}

impl Route {
    pub(super) const ALL: [Self; 7] = [
        Self::List,
        Self::One,
        Self::Export,
        Self::Job,
        Self::Stream,
        Self::Health,
        Self::Other,
    ];

    /// The route of a request's path.
    pub(super) fn of(path: &str) -> Self {
        let Some(rest) = path.strip_prefix("/api/") else {
            return if path.starts_with("/health/") {
                Self::Health
            } else {
                Self::Other
            };
        };
        match rest.split_once('/') {
            None if rest == "stream" => Self::Stream,
            None => Self::List,
            Some(("export", _)) => Self::Export,
            Some(("jobs", _)) => Self::Job,
            Some(("auth", _)) => Self::Other,
            Some(_) => Self::One,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::One => "one",
            Self::Export => "export",
            Self::Job => "job",
            Self::Stream => "stream",
            Self::Health => "health",
            Self::Other => "other",
        }
    }

    pub(super) fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::Route;

    #[test]
    fn each_path_has_one_route() {
        for (path, expected) in [
            ("/api/posts", Route::List),
            ("/api/posts/1", Route::One),
            ("/api/export/posts", Route::Export),
            ("/api/jobs/emails/x", Route::Job),
            ("/api/stream", Route::Stream),
            ("/api/auth/login", Route::Other),
            ("/health/live", Route::Health),
            ("/", Route::Other),
        ] {
            assert_eq!(Route::of(path), expected, "{path}");
        }
    }

    #[test]
    fn the_index_is_the_place_in_all() {
        for (index, route) in Route::ALL.into_iter().enumerate() {
            assert_eq!(route.index(), index);
        }
    }
}
