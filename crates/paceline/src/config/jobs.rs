//! `[jobs]` and `[email]`.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::Mailbox;

use super::job_store::{self, JobStoreUrl};
use super::reader::Section;
use super::redacted::Redacted;
use super::values::{self, Invalid};

/// `[jobs]`: where jobs are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Jobs {
    /// The store. No default.
    pub url: JobStoreUrl,
    /// What an answered add has survived, where the store is a file. Default [`Durability::Full`].
    pub durability: Durability,
}

/// What a job that was added has survived when the add is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// A power loss: the add waits for `fsync`.
    #[default]
    Full,
    /// The end of the process; a power loss may take the last ones.
    Normal,
}

/// `[email]`: the route that queues mails, and their delivery.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Email {
    /// The route. Default `/send-email`.
    pub path: String,
    /// The queue. Default `emails`.
    pub queue: String,
    /// The sender of every mail. No default.
    pub from: Mailbox,
    /// Where mails go. No default.
    pub deliver: Delivery,
    /// How often a mail is tried. Default 5.
    pub attempts: NonZeroU32,
    /// The pause before the second try, doubled after each further one. Default 2 s.
    pub backoff: Duration,
    /// Mails delivered at the same time. Default 4.
    pub concurrency: NonZeroU32,
    /// Mails that may wait; beyond it the route answers 503. Default 100,000.
    pub max_waiting: u64,
    /// Mails one client address may queue in a [`window`](Self::window). Default 100.
    pub max_per_window: NonZeroU32,
    /// How long the window is. Default 1 h.
    pub window: Duration,
    /// Whether mails are queued without a login token. Default false.
    pub anonymous: bool,
}

/// Where mails go.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// Into a folder, one file a mail (`maildir:PATH`).
    Maildir(PathBuf),
    /// To a mail server (`smtp://` or `smtps://`, with user and password where it wants them).
    Smtp(Redacted<String>),
}

pub(super) fn jobs(section: &Section<'_, '_>, folder: &Path) -> Option<Jobs> {
    let url = section.required("url", job_store::parse);
    let durability = section.parsed("durability", |text| match text {
        "full" => Ok(Durability::Full),
        "normal" => Ok(Durability::Normal),
        _ => Err(Invalid::expected("\"full\" or \"normal\"")),
    });
    section.finish();
    Some(Jobs {
        url: url?.relative_to(folder),
        durability: durability.unwrap_or_default(),
    })
}

pub(super) fn email(section: &Section<'_, '_>, folder: &Path) -> Option<Email> {
    let count = |key, range, usual| {
        NonZeroU32::new(section.integer32(key, range).unwrap_or(usual)).unwrap_or(NonZeroU32::MIN)
    };
    let from = section.required("from", mailbox);
    let deliver = section.required("deliver", |text| delivery(text, folder));
    let path = section.parsed("path", values::route);
    let queue = section.parsed("queue", values::segment);
    let attempts = count("attempts", 1..=100, 5);
    let backoff = section.parsed("backoff", values::duration);
    let concurrency = count("concurrency", 1..=256, 4);
    let max_waiting = section.integer("max_waiting", 1..=u64::MAX);
    let max_per_window = count("max_per_window", 1..=u32::MAX, 100);
    let window = section.parsed("window", values::positive_duration);
    let anonymous = section.boolean("anonymous");
    section.finish();
    Some(Email {
        path: path.unwrap_or_else(|| "/send-email".to_owned()),
        queue: queue.unwrap_or_else(|| "emails".to_owned()),
        from: from?,
        deliver: deliver?,
        attempts,
        backoff: backoff.unwrap_or(Duration::from_secs(2)),
        concurrency,
        max_waiting: max_waiting.unwrap_or(100_000),
        max_per_window,
        window: window.unwrap_or(Duration::from_hours(1)),
        anonymous: anonymous.unwrap_or(false),
    })
}

fn mailbox(text: &str) -> Result<Mailbox, Invalid> {
    let expected = "a mail address, such as \"Shop <shop@example.com>\"";
    if text.contains(['\r', '\n']) {
        return Err(Invalid::expected(expected));
    }
    text.parse().map_err(|_| Invalid::expected(expected))
}

fn delivery(text: &str, folder: &Path) -> Result<Delivery, Invalid> {
    let invalid = Invalid::expected(
        "\"maildir:FOLDER\" or \"smtp://user:${SMTP_PASSWORD}@mail.example.com:587\"",
    );
    if let Some(path) = text.strip_prefix("maildir:") {
        return match path {
            "" => Err(invalid),
            path => Ok(Delivery::Maildir(folder.join(path))),
        };
    }
    let rest = text
        .strip_prefix("smtp://")
        .or_else(|| text.strip_prefix("smtps://"));
    let Some(rest) = rest else {
        return Err(invalid);
    };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let (host, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    if host.is_empty() || port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err(invalid);
    }
    Ok(Delivery::Smtp(Redacted::new(text.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::super::values::checks::check;
    use super::*;

    #[test]
    fn deliveries() {
        let smtp = |url: &str| Ok(Delivery::Smtp(Redacted::new(url.to_owned())));
        let parse = |text: &str| delivery(text, Path::new("/conf"));
        check(
            parse,
            "maildir:mail",
            Ok(Delivery::Maildir("/conf/mail".into())),
        );
        check(
            parse,
            "maildir:/var/mail",
            Ok(Delivery::Maildir("/var/mail".into())),
        );
        check(parse, "smtp://h", smtp("smtp://h"));
        check(parse, "smtp://u:p@h:25", smtp("smtp://u:p@h:25"));
        check(
            parse,
            "smtps://u:p@[::1]:465?tls=required",
            smtp("smtps://u:p@[::1]:465?tls=required"),
        );
        for bad in [
            "maildir:",
            "smtp://",
            "smtp://u:p@",
            "smtp://h:port",
            "http://h",
            "mail",
        ] {
            check(parse, bad, Err(None));
        }
    }

    #[test]
    fn a_sender_cannot_smuggle_a_header() {
        assert!(mailbox("Shop <shop@example.com>").is_ok());
        assert!(mailbox("shop@example.com\r\nBcc: x@example.com").is_err());
        assert!(mailbox("shop").is_err());
    }
}
