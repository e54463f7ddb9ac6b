//! What a configuration asks for that is otherwise on Lambda than on a server.

/// Parts of a configuration that cannot work in environments which are many, frozen between requests and forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each with a yes or a no"
)]
pub struct Uses {
    /// Jobs are kept in a file.
    pub job_file: bool,
    /// Names of the limits that are counted in memory.
    pub memory_limits: Vec<String>,
    /// Mails are written into a folder.
    pub maildir: bool,
    /// Mails are queued, and delivered by a worker.
    pub mails: bool,
    /// Queues with a worker.
    pub workers: Vec<String>,
    /// There is a listener for statements.
    pub sql: bool,
    /// Only names of this machine are answered.
    pub local_hosts_only: bool,
    /// There is a live stream.
    pub live_stream: bool,
    /// Jobs are kept on Redis.
    pub redis: bool,
}
