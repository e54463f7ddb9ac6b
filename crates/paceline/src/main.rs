//! The paceline binary.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Answers are written on one thread and freed on another, which the system's allocator does slowly.
/// Without transparent huge pages (`no_thp`): an idle server would hold 10 MiB it does not use.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    paceline::cli::run()
}
