//! How a mail leaves: into a maildir, or to an SMTP server.

use std::time::Duration;

use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::maildir::Maildir;

/// How long one SMTP conversation may take.
const SMTP_TIMEOUT: Duration = Duration::from_secs(30);

/// A configured way out.
#[derive(Clone)]
pub(crate) enum Delivery {
    /// Files for a mail reader or another program.
    Maildir(Maildir),
    /// A mail server.
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Maildir(maildir) => f.debug_tuple("Maildir").field(&maildir.folder()).finish(),
            Self::Smtp(_) => f.write_str("Smtp"),
        }
    }
}

/// A mail was not delivered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotDelivered {
    /// The mail server refused it for good (5xx): another attempt cannot help.
    #[error("the mail server refused the mail")]
    Refused(#[source] lettre::transport::smtp::Error),
    /// Anything else of the mail server: it may be back later.
    #[error("the mail server could not be used")]
    Server(#[source] lettre::transport::smtp::Error),
    /// The maildir could not be written.
    #[error("the maildir cannot be written")]
    Maildir(#[source] std::io::Error),
}

impl NotDelivered {
    /// Whether another attempt cannot help.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

impl Delivery {
    /// An SMTP transport for `smtp://` or `smtps://` URLs, connections kept and reused.
    ///
    /// # Errors
    /// When the URL is not one of an SMTP server.
    pub(crate) fn smtp(url: &str) -> Result<Self, lettre::transport::smtp::Error> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?
            .timeout(Some(SMTP_TIMEOUT))
            .build();
        Ok(Self::Smtp(transport))
    }

    /// Hands one message over; returns what is worth keeping as the job's result.
    pub(crate) async fn deliver(
        &self,
        job: &str,
        message: Message,
    ) -> Result<String, NotDelivered> {
        match self {
            Self::Smtp(transport) => match transport.send(message).await {
                Ok(response) => Ok(format!(
                    "accepted by the mail server with code {}",
                    response.code()
                )),
                Err(error) if error.is_permanent() => Err(NotDelivered::Refused(error)),
                Err(error) => Err(NotDelivered::Server(error)),
            },
            Self::Maildir(maildir) => {
                let (maildir, job) = (maildir.clone(), job.to_owned());
                let written = tokio::task::spawn_blocking(move || {
                    maildir.deliver(&job, &message.formatted())
                })
                .await;
                let written = written.unwrap_or_else(|panic| Err(std::io::Error::other(panic)));
                written
                    .map(|name| format!("stored as new/{name}"))
                    .map_err(NotDelivered::Maildir)
            }
        }
    }
}
