//! What a statement gave.

use serde::Deserialize;

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NeonField {
    /// Its name in the result.
    pub name: String,
    /// The type's object id.
    #[serde(rename = "dataTypeID")]
    pub type_oid: u32,
}

/// The result of one statement.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NeonResult {
    pub(super) fields: Vec<NeonField>,
    rows: Vec<Vec<Option<String>>>,
    command: String,
    row_count: Option<u64>,
}

impl NeonResult {
    /// The columns.
    pub fn fields(&self) -> &[NeonField] {
        &self.fields
    }

    /// The rows.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = NeonRow<'_>> {
        self.rows.iter().map(|values| NeonRow(values))
    }

    /// The command, such as `SELECT`.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// How many rows it gave or changed, where the server says it.
    pub fn row_count(&self) -> Option<u64> {
        self.row_count
    }

    /// Whether every row has a value for every column.
    pub(super) fn is_sound(&self) -> bool {
        self.rows.iter().all(|row| row.len() == self.fields.len())
    }
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct NeonRow<'a>(&'a [Option<String>]);

impl<'a> NeonRow<'a> {
    /// The text of the value at `index`; nothing for `NULL`, and where there is no such column.
    pub fn text(self, index: usize) -> Option<&'a str> {
        self.0.get(index)?.as_deref()
    }

    /// The value at `index` as what its text means to Rust; nothing for `NULL`.
    ///
    /// # Errors
    /// When the text is none of the type's.
    pub fn get<T: std::str::FromStr>(self, index: usize) -> Result<Option<T>, T::Err> {
        self.text(index).map(str::parse).transpose()
    }
}
