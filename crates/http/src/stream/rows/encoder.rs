//! Rows into bytes, in each of the forms.

use std::error::Error;

use serde::Serialize;

use super::Format;
use super::csv::Csv;

/// Writes one answer: what stands before, between and behind its rows.
#[derive(Debug)]
pub(super) struct Encoder {
    form: Form,
    end_marker: bool,
    rows: u64,
}

#[derive(Debug)]
enum Form {
    JsonArray,
    Ndjson,
    Csv(Csv),
}

/// The last line of NDJSON with an end marker.
#[derive(Debug, Serialize)]
struct EndMarker {
    end: bool,
    rows: u64,
}

impl Encoder {
    pub(super) fn new(format: Format, end_marker: bool, csv: Csv) -> Self {
        let form = match format {
            Format::JsonArray => Form::JsonArray,
            Format::Ndjson => Form::Ndjson,
            Format::Csv => Form::Csv(csv),
        };
        Self {
            form,
            end_marker,
            rows: 0,
        }
    }

    /// How many rows were written.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn begin(&mut self, out: &mut Vec<u8>) {
        match &mut self.form {
            Form::JsonArray => out.push(b'['),
            Form::Ndjson => {}
            Form::Csv(csv) => csv.begin(out),
        }
    }

    /// Appends a row; nothing of it when it fails.
    pub(super) fn row<T: Serialize + ?Sized>(
        &mut self,
        row: &T,
        out: &mut Vec<u8>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let before = out.len();
        let written = self.write(row, out);
        match written {
            Ok(()) => self.rows += 1,
            Err(_) => out.truncate(before),
        }
        written
    }

    fn write<T: Serialize + ?Sized>(
        &mut self,
        row: &T,
        out: &mut Vec<u8>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        match &mut self.form {
            Form::JsonArray => {
                if self.rows > 0 {
                    out.push(b',');
                }
                serde_json::to_writer(out, row)?;
            }
            Form::Ndjson => {
                serde_json::to_writer(&mut *out, row)?;
                out.push(b'\n');
            }
            Form::Csv(csv) => csv.row(row, out)?,
        }
        Ok(())
    }

    /// What makes the answer whole. Never call it after a failure.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        match self.form {
            Form::JsonArray => out.push(b']'),
            Form::Ndjson if self.end_marker => {
                let marker = EndMarker {
                    end: true,
                    rows: self.rows,
                };
                serde_json::to_writer(&mut *out, &marker)
                    .expect("two plain members have a JSON form");
                out.push(b'\n');
            }
            Form::Ndjson | Form::Csv(_) => {}
        }
    }
}
