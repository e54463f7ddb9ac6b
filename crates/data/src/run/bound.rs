//! How large an answer may become: pages and rows are kept in memory, with all that is related to them.

use super::RunError;
use crate::cell::Row;
use crate::encode::RowEncoder;

/// The most bytes of an answer that is not a stream, and of the related rows of one row: 64 MiB.
pub const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// Encodes a row of an answer.
pub(crate) fn encode<E: RowEncoder + ?Sized>(
    encoder: &mut E,
    row: &dyn Row,
    out: &mut Vec<u8>,
) -> Result<(), RunError> {
    encoder.row(row, out).map_err(RunError::encode)?;
    if out.len() > LARGEST_ANSWER {
        return Err(RunError::too_large());
    }
    Ok(())
}
