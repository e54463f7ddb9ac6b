//! The result of a statement: rows are decoded one after the other, into one buffer.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mysql_async::Column;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};

use super::reply::Number;
use crate::cell::{self, Cell, Row};
use crate::mysql::gathered::Related;
use crate::mysql::row::Reader;

/// What a statement gave.
pub struct Rows {
    affected: u64,
    insert_id: u64,
    columns: Arc<[Column]>,
    body: Vec<u8>,
    place: Option<Range<usize>>,
}

/// Its `Debug` shows no values.
impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("affected", &self.affected)
            .field("insert_id", &self.insert_id)
            .field("columns", &self.columns.len())
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A row as it is sent.
#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(default)]
    lengths: Vec<Number>,
    /// All values behind each other.
    #[serde(borrow, default)]
    values: Cow<'a, str>,
}

impl Rows {
    pub(super) fn new(
        affected: u64,
        insert_id: u64,
        columns: Arc<[Column]>,
        body: Vec<u8>,
        place: Option<Range<usize>>,
    ) -> Self {
        Self {
            affected,
            insert_id,
            columns,
            body,
            place,
        }
    }

    /// The rows an `INSERT`, `UPDATE` or `DELETE` met, whether it changed them or not.
    pub fn affected(&self) -> u64 {
        self.affected
    }

    /// The number a counting column got; 0 where none did.
    pub fn insert_id(&self) -> u64 {
        self.insert_id
    }

    /// The names of the columns.
    pub fn names(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.columns.iter().map(Column::name_str)
    }

    /// Shows each row to `take`, and gives how many there were.
    ///
    /// # Errors
    /// What `take` answers, or that a row cannot be decoded.
    pub fn each<E>(
        &self,
        mut take: impl FnMut(&PlanetScaleRow<'_>) -> Result<(), E>,
    ) -> Result<u64, E>
    where
        E: From<serde_json::Error>,
    {
        let Some(place) = self.place.clone() else {
            return Ok(0);
        };
        let mut stopped = None;
        let readers = Reader::of(&self.columns);
        let each = Each {
            readers: &readers,
            take: |row: &PlanetScaleRow<'_>| match take(row) {
                Ok(()) => true,
                Err(error) => {
                    stopped = Some(error);
                    false
                }
            },
        };
        let mut deserializer = serde_json::Deserializer::from_slice(&self.body[place]);
        let count = each.deserialize(&mut deserializer);
        match stopped {
            Some(error) => Err(error),
            None => Ok(count?),
        }
    }
}

/// Walks the rows without keeping them.
struct Each<'a, F> {
    readers: &'a [Reader],
    take: F,
}

impl<'de, F: FnMut(&PlanetScaleRow<'_>) -> bool> DeserializeSeed<'de> for Each<'_, F> {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(&PlanetScaleRow<'_>) -> bool> Visitor<'de> for Each<'_, F> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut rows: A) -> Result<u64, A::Error> {
        let (mut count, mut bytes, mut places) = (0, Vec::new(), Vec::new());
        while let Some(sent) = rows.next_element::<Sent<'de>>()? {
            decode(&sent, self.readers.len(), &mut bytes, &mut places).map_err(A::Error::custom)?;
            let row = PlanetScaleRow::new(self.readers, &bytes, &places);
            if !(self.take)(&row) {
                return Err(A::Error::custom("nobody wants more rows"));
            }
            count += 1;
        }
        Ok(count)
    }
}

/// Decodes a row into the buffers.
fn decode(
    sent: &Sent<'_>,
    columns: usize,
    bytes: &mut Vec<u8>,
    places: &mut Vec<Option<Range<usize>>>,
) -> Result<(), &'static str> {
    bytes.clear();
    places.clear();
    STANDARD
        .decode_vec(sent.values.as_bytes(), bytes)
        .map_err(|_| "the values of a row are not base64")?;
    if sent.lengths.len() != columns {
        return Err("a row has not as many values as there are columns");
    }
    let mut begin = 0_usize;
    for Number(length) in &sent.lengths {
        if *length < 0 {
            places.push(None);
            continue;
        }
        let end = usize::try_from(*length)
            .ok()
            .and_then(|length| begin.checked_add(length));
        let end = end.filter(|end| *end <= bytes.len());
        let end = end.ok_or("the values of a row are shorter than their lengths say")?;
        places.push(Some(begin..end));
        begin = end;
    }
    if begin == bytes.len() {
        Ok(())
    } else {
        Err("the values of a row are longer than their lengths say")
    }
}

/// A row while it is shown.
#[derive(Debug)]
pub struct PlanetScaleRow<'row> {
    readers: &'row [Reader],
    bytes: &'row [u8],
    places: &'row [Option<Range<usize>>],
    /// The columns whose value has no cell of its own, with their text.
    told: Vec<(usize, Vec<u8>)>,
    related: Related,
}

impl<'row> PlanetScaleRow<'row> {
    fn new(
        readers: &'row [Reader],
        bytes: &'row [u8],
        places: &'row [Option<Range<usize>>],
    ) -> Self {
        let mut row = Self {
            readers,
            bytes,
            places,
            told: Vec::new(),
            related: Related::default(),
        };
        let told = readers.iter().enumerate().filter_map(|(index, reader)| {
            let text = reader.read_bytes(row.sent(index)?).err()?;
            Some((index, text))
        });
        row.told = told.collect();
        row
    }

    /// How many columns it has.
    pub fn columns(&self) -> usize {
        self.places.len()
    }

    /// A value as it was sent: text as MySQL writes it, or bytes. Nothing for `NULL`.
    ///
    /// # Panics
    /// When there is no such column.
    pub fn sent(&self, index: usize) -> Option<&'row [u8]> {
        let place = self.places[index].clone()?;
        Some(&self.bytes[place])
    }
}

impl Row for PlanetScaleRow<'_> {
    fn cell(&self, index: usize) -> Cell<'_> {
        let Some(bytes) = self.sent(index) else {
            return Cell::Null;
        };
        let reader = self.readers[index];
        reader.read_bytes(bytes).unwrap_or_else(|_| {
            let text = self.told.iter().find(|(place, _)| *place == index);
            reader.told(text.map(|(_, text)| text.as_slice()).unwrap_or_default())
        })
    }

    fn rows(&self, index: usize) -> cell::Rows<'_> {
        self.related
            .rows(index, self.places.len(), self.cell(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planetscale::reply::Reply;
    use crate::statement::Value;

    fn read(body: &str) -> Result<Vec<Vec<Value>>, String> {
        let reply = Reply::read(body.as_bytes().to_vec()).map_err(|error| error.to_string())?;
        let rows = reply.outcome.expect("no error in it");
        let mut all = Vec::new();
        rows.each(|row| {
            let values = (0..row.columns()).map(|index| Value::from(row.cell(index)));
            all.push(values.collect());
            Ok::<(), serde_json::Error>(())
        })
        .map_err(|error| error.to_string())?;
        Ok(all)
    }

    /// An answer with these fields and rows.
    fn answer(fields: &str, rows: &str) -> String {
        format!(
            r#"{{"session":{{}},"result":{{"rows":[{rows}],"fields":[{fields}]}},"timing":0.1}}"#
        )
    }

    #[test]
    fn values_are_cut_out_and_keep_all_their_digits() {
        let fields = r#"{"name":"a","type":"INT64"},{"name":"b","type":"UINT64"},{"name":"c","type":"DECIMAL"},
            {"name":"d"},{"name":"e","type":"VARCHAR","charset":255},{"name":"f","type":"VARBINARY","charset":63}"#;
        let values = STANDARD.encode(b"-9223372036854775808184467440737095516151.500\xff");
        let row = format!(r#"{{"lengths":["20","20",5,"-1","0","1"],"values":"{values}"}}"#);
        let read = read(&answer(fields, &row)).unwrap();
        assert_eq!(
            read,
            [[
                Value::Integer(i64::MIN),
                Value::Text(u64::MAX.to_string()),
                Value::Text("1.500".to_owned()),
                Value::Null,
                Value::Text(String::new()),
                Value::Blob(vec![0xff]),
            ]]
        );
    }

    #[test]
    fn what_does_not_fit_together_is_no_row() {
        let field = r#"{"name":"a","type":"INT32"}"#;
        let check = |row: &str, about: &str| {
            let error = read(&answer(field, row)).unwrap_err();
            assert!(error.contains(about), "{row}: {error}");
        };
        check(r#"{"lengths":["2"],"values":"MQ=="}"#, "shorter");
        check(r#"{"lengths":["0"],"values":"MQ=="}"#, "longer");
        check(r#"{"lengths":["1","-1"],"values":"MQ=="}"#, "as many");
        check(r#"{"lengths":["1"],"values":"M?=="}"#, "base64");
        check(
            r#"{"lengths":["99999999999999999999"],"values":"MQ=="}"#,
            "shorter",
        );
        check("7", "invalid type");
    }

    #[test]
    fn no_rows_and_no_result_are_no_error() {
        assert_eq!(read(r#"{"result":{"fields":[]}}"#), Ok(Vec::new()));
        assert_eq!(read("{}"), Ok(Vec::new()));
        assert_eq!(read(r#"{"result":null,"session":null}"#), Ok(Vec::new()));
    }
}
