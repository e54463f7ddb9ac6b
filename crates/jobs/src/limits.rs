//! Sizes the engine accepts. Everything has a bound.

/// What an engine accepts. The defaults are in [`Limits::default`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a payload as JSON. Default 1 MiB.
    pub payload: usize,
    /// Bytes of a result as JSON; a larger one fails the job. Default 64 KiB.
    pub result: usize,
    /// Bytes of a progress value as JSON. Default 16 KiB.
    pub progress: usize,
    /// Bytes of an error message; longer ones are cut. Default 8 KiB.
    pub error: usize,
    /// Jobs in one `add_bulk`. Default 10,000.
    pub bulk: usize,
    /// Jobs taken by one claim. Default 1,000.
    pub claim: usize,
    /// Jobs on one page of a listing. Default 1,000.
    pub page: usize,
    /// Ended attempts kept with a job, newest first to stay. Default 50.
    pub attempts: u32,
    /// Log lines kept with a job, newest first to stay. Default 1,000.
    pub logs: u32,
    /// Bytes of a log line; longer ones are cut. Default 8 KiB.
    pub log_line: usize,
    /// Jobs in one flow. Default 1,000.
    pub flow: usize,
    /// Levels of a flow. Default 16.
    pub flow_depth: usize,
    /// Schedulers of a queue. Default 10,000.
    pub schedulers: usize,
    /// Jobs changed by one step of a bulk action. Default 1,000.
    pub bulk_step: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            payload: 1024 * 1024,
            result: 64 * 1024,
            progress: 16 * 1024,
            error: 8 * 1024,
            bulk: 10_000,
            claim: 1_000,
            page: 1_000,
            attempts: 50,
            logs: 1_000,
            log_line: 8 * 1024,
            flow: 1_000,
            flow_depth: 16,
            schedulers: 10_000,
            bulk_step: 1_000,
        }
    }
}

impl Limits {
    /// `text`, cut at a character boundary to the length kept of an error.
    pub(crate) fn cut_error<'a>(&self, text: &'a str) -> &'a str {
        cut(text, self.error)
    }

    /// `text`, cut at a character boundary to the length kept of a log line.
    pub(crate) fn cut_line<'a>(&self, text: &'a str) -> &'a str {
        cut(text, self.log_line)
    }
}

fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_cut_between_characters() {
        let limits = Limits {
            error: 4,
            ..Limits::default()
        };
        for (text, kept) in [("abc", "abc"), ("abcdef", "abcd"), ("abcé", "abc")] {
            assert_eq!(limits.cut_error(text), kept);
        }
    }
}
