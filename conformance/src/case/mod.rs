//! A case as data: what the origin does, what is asked, what is expected.

mod behaviour;
mod content;
mod expected;
mod read;
mod step;

use serde::Deserialize;

pub use behaviour::{Behaviour, Ending, Frame, PAUSE};
pub use expected::{BodyExpected, Expected, LengthExpected, TagExpected};
pub use read::{InvalidCase, behaviours, read_all};
pub use step::{Repeated, Step};

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// A rule of the RFC in capital letters; without it somebody gets wrong bytes or loses a change.
    Must,
    /// The RFC's recommendation.
    Should,
    /// No rule, but clients gain by it.
    Good,
}

/// One case: an origin's behaviour and a conversation about it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name, and the path it is asked at.
    pub name: String,
    /// What is right, as a sentence.
    pub title: String,
    /// Where that is said.
    pub rule: String,
    /// How much it matters.
    pub strength: Strength,
    /// The file it stands in.
    #[serde(skip)]
    pub group: String,
    /// What the origin does.
    #[serde(default)]
    pub origin: Behaviour,
    /// What is asked, in order.
    pub step: Vec<Step>,
}
