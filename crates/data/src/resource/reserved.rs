//! Names that mean something else in a URL.

/// Names no resource may be served under: other routes have them.
pub const RESERVED_PATHS: [&str; 4] = ["jobs", "stream", "export", "auth"];

/// Parameter names that are not filters. A field of such a name is filtered as `filter[name]`.
pub const RESERVED_PARAMETERS: [&str; 8] = [
    "page", "limit", "sort", "count", "fields", "cursor", "include", "filter",
];

/// Whether other routes have this name.
pub(crate) fn is_reserved_path(path: &str) -> bool {
    RESERVED_PATHS.contains(&path)
}
