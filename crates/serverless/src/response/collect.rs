//! Gathers the body of an answer, within the limit.

use std::pin::pin;

use bytes::{Buf, Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt as _;

use super::problem::LIMIT;
use crate::BoxError;

/// A body that cannot be answered with.
#[derive(Debug)]
pub(crate) enum Ungathered {
    /// It is larger than an answer may be; its rest was not read.
    TooLarge,
    /// It ended in an error.
    Failed(BoxError),
}

/// The whole body. Trailers are left out: no shape of an answer has a place for them.
pub(crate) async fn collect<B>(body: B) -> Result<Bytes, Ungathered>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Ungathered::Failed(error.into()))?;
        let Ok(mut data) = frame.into_data() else {
            continue;
        };
        let length = data.remaining();
        if first.len() + more.len() + length > LIMIT {
            return Err(Ungathered::TooLarge);
        }
        if first.is_empty() {
            first = data.copy_to_bytes(length);
        } else {
            if more.is_empty() {
                more.extend_from_slice(&first);
                first = Bytes::new();
            }
            more.extend_from_slice(&data.copy_to_bytes(length));
        }
    }
    Ok(if more.is_empty() {
        first
    } else {
        more.freeze()
    })
}
