//! The report on many lines: laid aside as it grows, in memory first and then in a file without a name, and sent from
//! there. So it may be as long as it will, and memory stays the same.

use std::io::{self, Read as _, Seek as _, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use http_body::Frame;
use serde_json::Value;
use tempfile::{SpooledData, SpooledTempFile};
use tokio::io::{AsyncRead, ReadBuf};

/// Bytes laid aside in memory.
const IN_MEMORY: usize = 256 * 1024;

/// Bytes read from the file at once.
const FRAME: usize = 64 * 1024;

/// A line for each row, and one at the end.
#[derive(Debug)]
pub(super) struct Report {
    lines: SpooledTempFile,
    length: u64,
}

impl Report {
    /// No lines yet.
    pub(super) fn new() -> Self {
        Self {
            lines: SpooledTempFile::new(IN_MEMORY),
            length: 0,
        }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// When the temporary file cannot be written.
    pub(super) fn add(&mut self, line: &Value) -> io::Result<()> {
        let mut text = line.to_string();
        text.push('\n');
        self.length += text.len() as u64;
        self.lines.write_all(text.as_bytes())
    }

    /// The answer: `201` with the lines.
    ///
    /// # Errors
    /// When the temporary file cannot be read.
    pub(super) fn into_response(mut self) -> io::Result<Response> {
        self.lines.rewind()?;
        let body = match self.lines.into_inner() {
            SpooledData::InMemory(mut lines) => {
                let mut text = Vec::new();
                lines.read_to_end(&mut text)?;
                Body::from(text)
            }
            SpooledData::OnDisk(file) => Body::new(Lines {
                file: tokio::fs::File::from_std(file),
                left: self.length,
            }),
        };
        let mut response = (StatusCode::CREATED, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-ndjson"),
        );
        headers.insert(CONTENT_LENGTH, self.length.into());
        Ok(response)
    }
}

/// A body from a file.
#[derive(Debug)]
struct Lines {
    file: tokio::fs::File,
    left: u64,
}

impl http_body::Body for Lines {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut bytes = vec![0; FRAME];
        let mut read = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.file).poll_read(context, &mut read))?;
        let length = read.filled().len();
        if length == 0 {
            let error = io::Error::from(io::ErrorKind::UnexpectedEof);
            return Poll::Ready(Some(Err(error)));
        }
        bytes.truncate(length);
        self.left = self.left.saturating_sub(length as u64);
        Poll::Ready(Some(Ok(Frame::data(bytes.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_long_report_is_sent_from_a_file_and_a_short_one_from_memory() {
        for (count, is_on_disk) in [(3_u32, false), (40_000, true)] {
            let mut report = Report::new();
            for line in 0..count {
                report
                    .add(&json!({"line": line}))
                    .expect("it is laid aside");
            }
            assert_eq!(report.lines.is_rolled(), is_on_disk);
            let response = report.into_response().expect("it is read");
            let length = response.headers()[CONTENT_LENGTH].clone();
            let body = response.into_body().collect().await.expect("it is sent");
            let text = String::from_utf8(body.to_bytes().to_vec()).expect("text");
            assert_eq!(length, text.len().to_string());
            let lines: Vec<String> = (0..count)
                .map(|line| format!("{{\"line\":{line}}}"))
                .collect();
            assert!(text.lines().eq(lines));
        }
    }
}
