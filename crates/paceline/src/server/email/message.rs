//! A queued mail as an RFC 5322 message.

use lettre::Message;
use lettre::message::{Mailbox, header::ContentType};

use super::payload::Email;

/// Why a mail cannot become a message; trying again cannot help.
#[derive(Debug, thiserror::Error)]
#[error("the mail cannot be written as a message")]
pub(crate) struct Unwritable(#[source] Box<dyn std::error::Error + Send + Sync>);

/// Builds the message. Its `Message-ID` comes from the job's id, so a mail that is delivered twice
/// after a crash can be recognised by whoever reads it.
pub(crate) fn compose(from: &Mailbox, email: &Email, job: &str) -> Result<Message, Unwritable> {
    let to: Mailbox = email
        .to
        .parse()
        .map_err(|error| Unwritable(Box::new(error)))?;
    let digest = blake3::hash(job.as_bytes()).to_hex();
    Message::builder()
        .from(from.clone())
        .to(to)
        .subject(email.subject.as_str())
        .message_id(Some(format!("<{}@{}>", &digest[..32], from.email.domain())))
        .header(ContentType::TEXT_PLAIN)
        .body(email.body.clone())
        .map_err(|error| Unwritable(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_job_is_one_message_id_and_text_is_encoded() {
        let from: Mailbox = "Shop <shop@example.com>".parse().unwrap();
        let email = Email {
            to: "ada@example.com".into(),
            subject: "Grüße".into(),
            body: "Schön\n.\n".into(),
        };
        let text =
            |job| String::from_utf8(compose(&from, &email, job).unwrap().formatted()).unwrap();
        let id = |text: &str| {
            text.lines()
                .find(|line| line.starts_with("Message-ID"))
                .unwrap()
                .to_owned()
        };
        assert_eq!(id(&text("1")), id(&text("1")));
        assert_ne!(id(&text("1")), id(&text("2")));
        assert!(text("1").is_ascii(), "8-bit text must be encoded");
    }
}
