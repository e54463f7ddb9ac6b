//! `[[workers]]`: queues whose jobs are delivered to a URL.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use paceline_jobs::QueueName;

use super::mistake::Mistake;
use super::reader::Section;
use super::values::{self, Invalid};
use crate::processor::http::{SigningSecret, is_public};

/// `[[workers]]`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Worker {
    /// The queue. No default.
    pub queue: QueueName,
    /// Where its jobs are delivered. No default.
    pub http: WebhookUrl,
    /// Deliveries at the same time. Default 4.
    pub concurrency: NonZeroU32,
    /// How long one delivery may take. Default 30 s.
    pub timeout: Duration,
    /// Signs deliveries. Default none.
    pub secret: Option<SigningSecret>,
    /// Whether the target may have an address that is not public. Default false.
    pub allow_private: bool,
}

/// An absolute `http` or `https` URL that jobs are delivered to. Shown without its query, which may hold
/// a key.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(Uri);

/// The text is not a URL that jobs can be delivered to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidWebhookUrl(Invalid);

impl fmt::Display for InvalidWebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.0.expected)?;
        match &self.0.suggestion {
            Some(suggestion) => write!(f, "; {suggestion}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for InvalidWebhookUrl {}

impl FromStr for WebhookUrl {
    type Err = InvalidWebhookUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        url(text).map_err(InvalidWebhookUrl)
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.scheme_str().unwrap_or_default();
        let authority = self
            .0
            .authority()
            .map_or("", |authority| authority.as_str());
        write!(f, "{scheme}://{authority}{}", self.0.path())
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl WebhookUrl {
    /// The whole URL.
    pub const fn uri(&self) -> &Uri {
        &self.0
    }

    /// Whether it says by itself that its address is not public: `localhost`, or such an address.
    pub fn is_private(&self) -> bool {
        let host = self.0.host().unwrap_or_default();
        let host = host.trim_matches(['[', ']']);
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        match host.parse() {
            Ok(ip) => !is_public(ip),
            Err(_) => name == "localhost" || name.ends_with(".localhost"),
        }
    }
}

pub(super) fn url(text: &str) -> Result<WebhookUrl, Invalid> {
    let invalid = Invalid::expected("a URL such as \"https://example.com/hooks\"");
    let Ok(uri) = text.parse::<Uri>() else {
        return Err(invalid);
    };
    let web = uri.scheme() == Some(&Scheme::HTTP) || uri.scheme() == Some(&Scheme::HTTPS);
    let Some(authority) = uri.authority().filter(|_| web) else {
        return Err(invalid);
    };
    if authority.as_str().contains('@') {
        return Err(invalid.because("a user and password in it are not sent: sign with a secret"));
    }
    if text.contains('#') {
        return Err(invalid.because("the part after # is never sent: leave it out"));
    }
    let port = authority.as_str().rsplit_once(':');
    let bad_port =
        port.is_some_and(|(_, port)| !port.ends_with(']') && authority.port_u16().is_none());
    if authority.host().is_empty() || bad_port {
        return Err(invalid);
    }
    Ok(WebhookUrl(uri))
}

pub(super) fn workers(sections: &[Section<'_, '_>]) -> Vec<Worker> {
    sections.iter().filter_map(worker).collect()
}

fn worker(section: &Section<'_, '_>) -> Option<Worker> {
    let queue = section.required("queue", |text| {
        QueueName::new(text).map_err(|_| {
            Invalid::expected("a queue name: 1 to 128 bytes, no colon, no control characters")
        })
    });
    let http = section.required("http", url);
    let concurrency = section.integer32("concurrency", 1..=256);
    let timeout = section.parsed("timeout", values::positive_duration);
    let secret = section.secret("secret", |text| {
        text.parse()
            .map_err(|_| Invalid::expected("whsec_ and 24 to 64 random bytes as base64"))
    });
    let allow_private = section.boolean("allow_private").unwrap_or(false);
    section.finish();
    if let Some(http) = &http
        && http.is_private()
        && !allow_private
    {
        let span = section.reader.span(&section.key("http"));
        let mistake = Mistake::new(span, "`http` is not an address of the public internet");
        section.reader.report(
            mistake
                .expected("a public address")
                .suggestion("write allow_private = true if that is meant"),
        );
    }
    Some(Worker {
        queue: queue?,
        http: http?,
        concurrency: concurrency
            .and_then(NonZeroU32::new)
            .unwrap_or(NonZeroU32::MIN.saturating_add(3)),
        timeout: timeout.unwrap_or(Duration::from_secs(30)),
        secret,
        allow_private,
    })
}

#[cfg(test)]
mod tests {
    use super::super::values::checks::check;
    use super::*;

    #[test]
    fn urls() {
        let shown = |text: &str| url(text).map(|url| url.to_string());
        check(shown, "https://h/x?key=1", Ok("https://h/x".to_owned()));
        check(shown, "http://h:8080", Ok("http://h:8080/".to_owned()));
        check(shown, "http://[::1]:80/", Ok("http://[::1]:80/".to_owned()));
        for bad in [
            "",
            "h",
            "/x",
            "ftp://h/",
            "http://",
            "https://h:port/",
            "http://h:99999/",
        ] {
            check(shown, bad, Err(None));
        }
        assert!(url("https://u:p@h/").unwrap_err().suggestion.is_some());
        assert!(url("https://h/#x").unwrap_err().suggestion.is_some());
    }

    #[test]
    fn private_targets_are_told_from_public_ones() {
        for (text, private) in [
            ("http://localhost:3000/", true),
            ("http://api.LOCALHOST./", true),
            ("http://127.0.0.1/", true),
            ("http://[::1]/", true),
            ("http://[fd00::1]/", true),
            ("http://10.0.0.1/", true),
            ("https://example.com/", false),
            ("https://1.1.1.1/", false),
        ] {
            assert_eq!(url(text).unwrap().is_private(), private, "{text}");
        }
    }
}
