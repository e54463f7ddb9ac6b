//! What running a statement gives, whatever the engine: an answer, a stream of frames, or an error.

mod answer;
mod bound;
mod collect;
mod counters;
mod error;
mod exports;
pub(crate) mod paged;
mod stream;

pub use answer::Answer;
pub use bound::LARGEST_ANSWER;
pub use counters::Counts;
pub use error::RunError;
pub use stream::RowStream;

pub(crate) use bound::encode;
pub(crate) use collect::Collect;
pub(crate) use counters::Counters;
pub(crate) use exports::{Exports, Frames};
pub(crate) use stream::{CancelOnDrop, FRAME_SIZES, FRAMES_AHEAD, Frame, SLACK};
