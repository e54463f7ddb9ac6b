//! A body compressed while it is sent.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame};
use tokio::time::Instant;

use super::body::BoxError;
use super::codec::{Codec, Window, codec};
use super::flush::{FlushSchedule, Framing};
use crate::coding::{Coding, Level};
use crate::gathering::Gathered;

/// Input handed to the encoder at a time.
const SLICE: usize = 32 * 1024;

/// Output sent without waiting for a flush.
const FRAME: usize = 16 * 1024;

/// Input encoded in one poll before other tasks get their turn.
const POLL_BUDGET: usize = 128 * 1024;

/// What a stream is encoded to.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamSettings {
    pub(super) coding: Coding,
    pub(super) level: Level,
    pub(super) framing: Framing,
    pub(super) latency: Duration,
}

/// The encoder, the body it reads and what goes out next.
#[derive(Debug)]
pub(super) struct EncodingStream<B> {
    body: Pin<Box<B>>,
    settings: StreamSettings,
    codec: Option<Box<dyn Codec>>,
    schedule: FlushSchedule,
    input: Bytes,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// The body may have more.
    Open,
    /// The body has ended; these frames are left to send.
    Ended(VecDeque<Result<Frame<Bytes>, BoxError>>),
}

impl<B> EncodingStream<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    /// Goes on with a body of which something may have been read already. The encoder is made with the first
    /// byte: a stream that stays idle costs nothing.
    pub(super) fn new(read: Gathered<B>, settings: StreamSettings) -> Self {
        let Gathered { body, data, .. } = read;
        let schedule = FlushSchedule::new(settings.framing, settings.latency);
        Self {
            body,
            settings,
            codec: None,
            schedule,
            input: data,
            source: Source::Open,
        }
    }

    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut budget = POLL_BUDGET;
        loop {
            if let Source::Ended(frames) = &mut self.source {
                return Poll::Ready(frames.pop_front());
            }
            if !self.input.is_empty() {
                match self.encode_slice() {
                    Err(error) => return Poll::Ready(Some(Err(self.fail(error)))),
                    Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                    Ok(None) => {}
                }
                budget = budget.saturating_sub(SLICE);
                if budget == 0 {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                continue;
            }
            match self.body.as_mut().poll_frame(cx) {
                Poll::Ready(next) => self.take(next),
                Poll::Pending if self.schedule.on_pause() => {
                    return match self.flush() {
                        Err(error) => Poll::Ready(Some(Err(self.fail(error)))),
                        Ok(Some(frame)) => Poll::Ready(Some(Ok(frame))),
                        Ok(None) => Poll::Pending,
                    };
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    pub(super) fn is_end_stream(&self) -> bool {
        matches!(&self.source, Source::Ended(frames) if frames.is_empty())
    }

    /// Encodes some of the input; a frame, when one is due.
    fn encode_slice(&mut self) -> io::Result<Option<Frame<Bytes>>> {
        let slice = self.input.split_to(self.input.len().min(SLICE));
        let now = Instant::now();
        self.codec()?.write(&slice)?;
        self.schedule.wrote(&slice, now);
        if self.schedule.is_overdue(now) {
            return self.flush();
        }
        let full = self.codec()?.output().len() >= FRAME;
        Ok(if full { self.take_output() } else { None })
    }

    fn take(&mut self, next: Option<Result<Frame<B::Data>, B::Error>>) {
        match next {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(mut data) => self.input = data.copy_to_bytes(data.remaining()),
                Err(frame) => self.end(frame.into_trailers().ok()),
            },
            Some(Err(error)) => self.break_off(error.into()),
            None => self.end(None),
        }
    }

    /// The body is complete: so is the encoded stream.
    fn end(&mut self, trailers: Option<HeaderMap>) {
        let finished = self.codec().and_then(|codec| codec.finish());
        let mut frames = VecDeque::with_capacity(2);
        frames.extend(self.take_output().map(Ok));
        match finished {
            Ok(()) => frames.extend(trailers.map(|trailers| Ok(Frame::trailers(trailers)))),
            Err(error) => frames.push_back(Err(error.into())),
        }
        self.codec = None;
        self.source = Source::Ended(frames);
    }

    /// The body broke: the client gets what there is and then the break, never a proper end.
    fn break_off(&mut self, error: BoxError) {
        let mut frames = VecDeque::with_capacity(2);
        if let Ok(Some(frame)) = self.flush() {
            frames.push_back(Ok(frame));
        }
        frames.push_back(Err(error));
        self.codec = None;
        self.source = Source::Ended(frames);
    }

    fn fail(&mut self, error: io::Error) -> BoxError {
        self.source = Source::Ended(VecDeque::new());
        error.into()
    }

    fn flush(&mut self) -> io::Result<Option<Frame<Bytes>>> {
        if let Some(codec) = &mut self.codec {
            codec.flush()?;
        }
        self.schedule.flushed();
        Ok(self.take_output())
    }

    fn take_output(&mut self) -> Option<Frame<Bytes>> {
        let output = std::mem::take(self.codec.as_mut()?.output());
        (!output.is_empty()).then(|| Frame::data(Bytes::from(output)))
    }

    fn codec(&mut self) -> io::Result<&mut Box<dyn Codec>> {
        if self.codec.is_none() {
            let window = match self.settings.framing {
                Framing::Bytes => Window::Wide,
                Framing::Events => Window::Narrow,
            };
            self.codec = Some(codec(self.settings.coding, self.settings.level, window)?);
        }
        Ok(self.codec.as_mut().expect("set just above"))
    }
}
