//! Paths of URLs.

use super::Invalid;

/// Parses an absolute URL path without query, such as `/api/`.
pub(in crate::config) fn absolute_path(text: &str) -> Result<String, Invalid> {
    let invalid = Invalid::expected("a path that starts with /, such as \"/api/\"");
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/-._~!$&'()+,;=:@%".contains(c);
    if !text.starts_with('/')
        && !text.is_empty()
        && !text.contains("://")
        && text.chars().all(allowed)
    {
        return Err(invalid.instead(format!("/{text}")));
    }
    if !text.starts_with('/') || !text.chars().all(allowed) || text.contains("//") {
        return Err(invalid);
    }
    Ok(text.to_owned())
}

/// Parses the path of one route: an [`absolute_path`] that names something.
pub(in crate::config) fn route(text: &str) -> Result<String, Invalid> {
    let path = absolute_path(text)?;
    match path.strip_suffix('/') {
        None => Ok(path),
        Some("") => Err(Invalid::expected(
            "a path with a name, such as \"/send-email\"",
        )),
        Some(shorter) => {
            Err(Invalid::expected("a path without a slash at its end").instead(shorter))
        }
    }
}

/// Parses the one path segment a resource is served under.
pub(in crate::config) fn segment(text: &str) -> Result<String, Invalid> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let good = |text: &str| !text.is_empty() && !text.starts_with('.') && text.chars().all(allowed);
    if good(text) {
        return Ok(text.to_owned());
    }
    let expected = "one path segment of letters, digits, - . _ ~; it is served under /api/";
    let last = text
        .trim_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    let invalid = Invalid::expected(expected);
    Err(if good(last) {
        invalid.instead(last)
    } else {
        invalid
    })
}

#[cfg(test)]
mod tests {
    use super::super::checks::check;
    use super::*;

    #[test]
    fn paths() {
        check(absolute_path, "/api/", Ok("/api/".to_owned()));
        check(absolute_path, "/", Ok("/".to_owned()));
        check(absolute_path, "api/", Err(Some("/api/")));
        check(absolute_path, "", Err(None));
        check(absolute_path, "/a?b", Err(None));
        check(absolute_path, "/a b", Err(None));
        check(absolute_path, "//a", Err(None));
        check(absolute_path, "http://h/api", Err(None));
        check(route, "/send-email", Ok("/send-email".to_owned()));
        check(route, "/send-email/", Err(Some("/send-email")));
        check(route, "/", Err(None));
    }

    #[test]
    fn segments() {
        check(segment, "blog-posts", Ok("blog-posts".to_owned()));
        check(segment, "/api/posts", Err(Some("posts")));
        check(segment, "..", Err(None));
        check(segment, "a b", Err(None));
        check(segment, "", Err(None));
    }
}
