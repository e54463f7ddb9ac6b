//! Memory, timeout and provisioned concurrency, from what a server measured.
//!
//! Lambda gives processor time by memory, so a request is split into what it computed and what it waited for:
//! `t(m) = (wall - cpu) + cpu * k * max(1, 1769 / m)`, where `k` is how much longer Lambda's processor takes than the
//! one that was measured. docs/budget.md reproduces one recorded run by hand.
//!
//! # When not to use it
//! It predicts. Whoever can deploy measures instead (AWS Lambda Power Tuning), and takes this for the timeouts, which
//! averages say nothing about.

mod advice;
mod histogram;
mod model;
mod price;
mod recording;
mod svg;
mod text;

pub use advice::{Advice, Assumptions, Bound, Class, NoAdvice, Provision, Timeout, advise};
pub use histogram::{Histogram, NotComparable};
pub use model::{CLASSES, WHOLE_PROCESSOR, predicted};
pub use price::Prices;
pub use recording::{LEFT_OUT, Recording, Unreadable};
pub use svg::plot;
pub use text::report;
