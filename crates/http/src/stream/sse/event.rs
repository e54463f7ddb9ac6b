//! One event as it goes over the wire.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

use super::{EventId, EventName};

/// A block of fields that ends with an empty line.
///
/// Whatever is in `data` and `comment`, the result is one block: text is divided at its line ends (CR LF,
/// CR, LF) into a line of the field each, which the client joins again with LF.
///
/// ```
/// use paceline_http::stream::sse::{Event, EventName};
///
/// let event = Event::new().with_name(EventName::new("note")?).with_data("one\r\ntwo");
/// assert_eq!(event.to_bytes(), "event: note\ndata: one\ndata: two\n\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Event {
    comment: Option<Bytes>,
    id: Option<EventId>,
    name: Option<EventName>,
    retry: Option<Duration>,
    data: Option<Bytes>,
}

impl Event {
    /// An event without any field. Without data the client dispatches nothing, and takes only the id and
    /// the retry time.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a comment, which clients ignore.
    pub fn with_comment(mut self, text: impl Into<Bytes>) -> Self {
        self.comment = Some(text.into());
        self
    }

    /// Sets the id, which the client sends back as `Last-Event-ID` when it reconnects.
    pub fn with_id(mut self, id: EventId) -> Self {
        self.id = Some(id);
        self
    }

    /// Sets the name. Without one it is `message` to the client.
    pub fn with_name(mut self, name: EventName) -> Self {
        self.name = Some(name);
        self
    }

    /// Sets how long the client waits before it reconnects, rounded down to milliseconds.
    pub fn with_retry(mut self, wait: Duration) -> Self {
        self.retry = Some(wait);
        self
    }

    /// Sets the data: UTF-8 text; a client replaces bytes that are not.
    pub fn with_data(mut self, data: impl Into<Bytes>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// Appends the block to `out`.
    pub fn encode(&self, out: &mut BytesMut) {
        const INFALLIBLE: &str = "writing to a growing buffer cannot fail";
        if let Some(comment) = &self.comment {
            put_lines(out, b": ", comment);
        }
        if let Some(id) = self.id {
            writeln!(out, "id: {id}").expect(INFALLIBLE);
        }
        if let Some(name) = &self.name {
            writeln!(out, "event: {name}").expect(INFALLIBLE);
        }
        if let Some(retry) = self.retry {
            writeln!(out, "retry: {}", retry.as_millis()).expect(INFALLIBLE);
        }
        if let Some(data) = &self.data {
            put_lines(out, b"data: ", data);
        }
        out.put_u8(b'\n');
    }

    /// The block.
    pub fn to_bytes(&self) -> Bytes {
        let text = self.data.as_ref().map_or(0, Bytes::len);
        let mut out = BytesMut::with_capacity(text + 96);
        self.encode(&mut out);
        out.freeze()
    }
}

/// A line `{prefix}{line}` for each line of `text`, one for an empty text.
fn put_lines(out: &mut BytesMut, prefix: &[u8], text: &[u8]) {
    let mut rest = text;
    loop {
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        out.put_slice(prefix);
        out.put_slice(&rest[..end.unwrap_or(rest.len())]);
        out.put_u8(b'\n');
        let Some(end) = end else {
            return;
        };
        let width = if rest[end..].starts_with(b"\r\n") {
            2
        } else {
            1
        };
        rest = &rest[end + width..];
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::client;
    use super::*;
    use proptest::prelude::*;

    fn check(event: &Event, expected: &str) {
        assert_eq!(event.to_bytes(), expected);
    }

    #[test]
    fn fields_are_lines_and_a_block_ends_with_an_empty_one() {
        let id = EventId {
            epoch: 3,
            sequence: 9,
        };
        check(&Event::new(), "\n");
        check(&Event::new().with_data(""), "data: \n\n");
        check(
            &Event::new().with_data("a\nb\rc\r\nd\n"),
            "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n",
        );
        check(
            &Event::new().with_comment("x\ndata: forged"),
            ": x\n: data: forged\n\n",
        );
        check(
            &Event::new()
                .with_data("{}")
                .with_retry(Duration::from_millis(1_500))
                .with_name(EventName::new("change").unwrap())
                .with_id(id),
            "id: 3-9\nevent: change\nretry: 1500\ndata: {}\n\n",
        );
    }

    proptest! {
        /// Any bytes make one event, and a client reads back the same text with its line ends as LF.
        #[test]
        fn any_data_arrives_as_one_event(data in "[a: \r\n\u{0}é]{0,40}", comment in "[b:\r\n]{0,9}") {
            let event = Event::new().with_comment(comment).with_data(data.clone());
            let received = client::read(&event.to_bytes());
            prop_assert_eq!(received.len(), 1);
            prop_assert_eq!(&received[0].data, &data.replace("\r\n", "\n").replace('\r', "\n"));
        }

        #[test]
        fn bytes_that_are_no_text_do_not_panic(data in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert!(Event::new().with_data(data).to_bytes().ends_with(b"\n\n"));
        }
    }
}
