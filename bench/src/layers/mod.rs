//! The HTTP layers alone, without a database: compressed answers, 304, instructions, idle streams.
//!
//! Contenders are those of the conformance suite, serving its bodies of 1, 16 and 256 KiB of JSON; what each answers was
//! compared there.

mod compressed;
mod idle;
mod instructions;

use crate::Outcome;
use crate::options::Options;
use crate::results::Results;

pub(crate) use idle::{connect, serve};
pub(crate) use instructions::call;

/// Measures the rows that were asked for.
pub(crate) fn measure(options: &Options, results: &mut Results) -> Outcome<()> {
    if options.wants("layers-instructions") {
        instructions::measure(results)?;
    }
    if options.wants("layers-idle-streams") {
        idle::measure(options, results)?;
    }
    compressed::measure(options, results)
}
