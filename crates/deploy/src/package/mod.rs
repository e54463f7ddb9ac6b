//! The archive that is uploaded: of a program that can run there, and the same bytes whenever it is made.

mod archive;
mod elf;
mod fit;
mod size;

pub use archive::{ArchiveError, Entry, write};
pub use elf::{Linkage, NotAProgram, Program, Version, read};
pub use fit::{AL2023_GLIBC, Unfit, judge, unknown_libraries};
pub use size::{Size, TooLarge, judge_size};
