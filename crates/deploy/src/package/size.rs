//! How large an archive may be. Source: the quotas of Lambda: 50 MB to upload directly, 250 MB unpacked.

/// The largest archive that is uploaded without S3, in bytes.
const DIRECT: u64 = 50 << 20;
/// The most that an archive may unpack to, in bytes.
const UNPACKED: u64 = 250 << 20;

/// The size of an archive that can be deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// It can be uploaded as it is.
    Direct,
    /// It has to be put into S3 first; it also starts more slowly.
    OverS3,
}

/// The archive unpacks to more than Lambda takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "unpacked it is {} MB, and Lambda takes 250 MB: strip the binary (strip = true in its profile), leave files out, or deploy an image",
    .0 >> 20
)]
pub struct TooLarge(pub u64);

/// Whether an archive of `zipped` bytes that unpacks to `unpacked` can be deployed, and how.
pub fn judge_size(zipped: u64, unpacked: u64) -> Result<Size, TooLarge> {
    match (zipped, unpacked) {
        (_, unpacked) if unpacked > UNPACKED => Err(TooLarge(unpacked)),
        (zipped, _) if zipped > DIRECT => Ok(Size::OverS3),
        _ => Ok(Size::Direct),
    }
}
