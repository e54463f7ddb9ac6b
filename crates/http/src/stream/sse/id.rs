//! The id of an event.

use std::fmt;
use std::str::FromStr;

/// Where an event stands: the `sequence`th event of an `epoch`. Its text is `epoch-sequence`, decimal.
///
/// An epoch is one life of a [`Broadcaster`](super::Broadcaster); the sequence begins with 1, and 0 is
/// the position before the first event.
///
/// ```
/// use paceline_http::stream::sse::EventId;
///
/// let id: EventId = "1700-42".parse()?;
/// assert_eq!((id.epoch, id.sequence), (1700, 42));
/// assert_eq!(id.to_string(), "1700-42");
/// assert!("1700-042".parse::<EventId>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId {
    /// Which life of the broadcaster.
    pub epoch: u64,
    /// Which event of it.
    pub sequence: u64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.sequence)
    }
}

impl FromStr for EventId {
    type Err = InvalidEventId;

    /// Reads exactly what `Display` writes: no sign, no space, no leading zero.
    fn from_str(text: &str) -> Result<Self, InvalidEventId> {
        let (epoch, sequence) = text.split_once('-').ok_or(InvalidEventId(()))?;
        Ok(Self {
            epoch: number(epoch)?,
            sequence: number(sequence)?,
        })
    }
}

fn number(text: &str) -> Result<u64, InvalidEventId> {
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    match text.parse() {
        Ok(number) if canonical => Ok(number),
        _ => Err(InvalidEventId(())),
    }
}

/// Text that is no [`EventId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidEventId(());

impl fmt::Display for InvalidEventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event id is two whole numbers with a hyphen between them")
    }
}

impl std::error::Error for InvalidEventId {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_text_that_is_printed_is_read() {
        for wrong in [
            "", "-", "1", "1-", "-1", "1-2-3", "+1-2", "1-+2", "01-2", "1-02", " 1-2", "1-2 ",
            "a-b", "1--2",
        ] {
            assert!(wrong.parse::<EventId>().is_err(), "{wrong:?}");
        }
        assert!("18446744073709551616-1".parse::<EventId>().is_err());
        assert!("0-0".parse::<EventId>().is_ok());
    }

    proptest! {
        #[test]
        fn every_id_is_read_back(epoch in any::<u64>(), sequence in any::<u64>()) {
            let id = EventId { epoch, sequence };
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn any_text_is_read_without_a_panic_and_never_differently(text in "[-0-9a+ é]{0,24}") {
            if let Ok(id) = text.parse::<EventId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
