//! A row where it was read to.

use std::io;
use std::ops::Range;

use crate::cell::{Cell, Row, Rows};
use crate::postgres::row::Reader;

/// Where the values of a row are in it; `None` is `NULL`.
pub(super) type Places = Vec<Option<Range<usize>>>;

/// Finds the values in what a message of a row says.
pub(super) fn places(body: &[u8], columns: usize, places: &mut Places) -> io::Result<()> {
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "a row is not understood");
    places.clear();
    let (count, _) = body.split_first_chunk::<2>().ok_or_else(malformed)?;
    if usize::from(u16::from_be_bytes(*count)) != columns {
        return Err(malformed());
    }
    let mut at = count.len();
    for _ in 0..columns {
        let (length, _) = body
            .get(at..)
            .and_then(<[u8]>::split_first_chunk::<4>)
            .ok_or_else(malformed)?;
        at += length.len();
        // A negative one stands for NULL.
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            places.push(None);
            continue;
        };
        let end = at + length;
        if end > body.len() {
            return Err(malformed());
        }
        places.push(Some(at..end));
        at = end;
    }
    Ok(())
}

/// A row, and how its values are read.
#[derive(Debug)]
pub(in crate::postgres) struct WireRow<'a> {
    pub(super) body: &'a [u8],
    pub(super) places: &'a [Option<Range<usize>>],
    pub(super) readers: &'a [Reader],
}

impl Row for WireRow<'_> {
    fn cell(&self, index: usize) -> Cell<'_> {
        let Some(place) = &self.places[index] else {
            return Cell::Null;
        };
        self.readers[index]
            .read(&self.body[place.clone()])
            .expect("the server sends values of the length their type has")
    }

    fn rows(&self, index: usize) -> Rows<'_> {
        Rows::records(self.cell(index))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_and_nulls_are_found() {
        let body = [&[0, 3][..], &[0, 0, 0, 2], b"ab", &[0xff; 4], &[0; 4]].concat();
        let mut found = Places::new();
        places(&body, 3, &mut found).expect("well formed");
        assert_eq!(found, [Some(6..8), None, Some(16..16)]);
        assert!(places(&body, 2, &mut found).is_err());
        assert!(places(&body[..14], 3, &mut found).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_will_do(body in prop::collection::vec(any::<u8>(), 0..60), columns in 0..4_usize) {
            let mut found = Places::new();
            if places(&body, columns, &mut found).is_ok() {
                prop_assert!(found.iter().flatten().all(|place| place.end <= body.len()));
            }
        }
    }
}
