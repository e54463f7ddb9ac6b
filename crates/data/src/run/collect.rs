//! Rows kept as values: for the few statements whose answer is not shown but used.

use crate::cell::Row;
use crate::encode::{EncodeError, RowEncoder};
use crate::statement::Value;

/// Keeps the first columns of the first rows and writes nothing.
#[derive(Debug)]
pub(crate) struct Collect {
    columns: usize,
    most: usize,
    pub(crate) rows: Vec<Vec<Value>>,
}

impl Collect {
    /// Keeps at most `most` rows of `columns` columns.
    pub(crate) fn new(columns: usize, most: usize) -> Self {
        Self {
            columns,
            most,
            rows: Vec::new(),
        }
    }
}

impl RowEncoder for Collect {
    fn begin(&mut self, _: &mut Vec<u8>) {}

    fn row(&mut self, row: &dyn Row, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.rows.len() < self.most {
            let values = (0..self.columns).map(|index| Value::from(row.cell(index)));
            self.rows.push(values.collect());
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<u8>) {}
}
