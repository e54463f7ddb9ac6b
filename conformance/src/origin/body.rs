//! A body that comes as its behaviour says: in one piece, with pauses, broken off.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use crate::case;
use crate::case::PAUSE;

/// Between the last frame and the failure: a server that is told of both at once sends neither.
const BEFORE_BREAK: Duration = Duration::from_millis(50);

/// The origin fails on purpose, as a database that goes away.
#[derive(Debug)]
pub struct OriginFailed;

/// A body of a scripted answer.
#[derive(Debug)]
pub struct ScriptBody {
    frames: VecDeque<case::Frame>,
    pause: Option<Pin<Box<Sleep>>>,
    is_broken: bool,
    has_waited: bool,
    is_stream: bool,
}

impl ScriptBody {
    /// All bytes at once, their number known.
    pub fn whole(data: Bytes) -> Self {
        let frames = (!data.is_empty()).then_some(case::Frame::Data(data));
        Self {
            frames: frames.into_iter().collect(),
            pause: None,
            is_broken: false,
            has_waited: false,
            is_stream: false,
        }
    }

    /// In pieces.
    pub(super) fn stream(frames: &[case::Frame], is_broken: bool) -> Self {
        Self {
            frames: frames.iter().cloned().collect(),
            pause: None,
            is_broken,
            has_waited: false,
            is_stream: true,
        }
    }
}

impl Body for ScriptBody {
    type Data = Bytes;
    type Error = OriginFailed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, OriginFailed>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            match self.frames.pop_front() {
                Some(case::Frame::Data(data)) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Some(case::Frame::Pause) => {
                    let pause = tokio::time::sleep(Duration::from_millis(PAUSE));
                    self.pause = Some(Box::pin(pause));
                }
                None if self.is_broken && !self.has_waited => {
                    self.has_waited = true;
                    self.pause = Some(Box::pin(tokio::time::sleep(BEFORE_BREAK)));
                }
                None if std::mem::take(&mut self.is_broken) => {
                    return Poll::Ready(Some(Err(OriginFailed)));
                }
                None => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        !self.is_stream && self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_stream {
            return SizeHint::default();
        }
        let length = self.frames.iter().map(|frame| match frame {
            case::Frame::Data(data) => data.len() as u64,
            case::Frame::Pause => 0,
        });
        SizeHint::with_exact(length.sum())
    }
}

impl fmt::Display for OriginFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the origin fails on purpose")
    }
}

impl std::error::Error for OriginFailed {}
