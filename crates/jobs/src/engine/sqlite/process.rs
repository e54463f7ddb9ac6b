//! Who holds leases, so that those of a dead process are freed at once instead of at their end.
//!
//! A process is named by host, boot, pid namespace, pid and start time. Where one of these cannot be
//! read (not on Linux) or the other process lives in another pid namespace, nothing is concluded and
//! the lease runs out by itself.

use std::fs;

/// A process that opened the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProcessIdentity {
    pub(super) host: String,
    pub(super) boot: String,
    pub(super) pids: String,
    pub(super) pid: u32,
    pub(super) started: String,
}

impl ProcessIdentity {
    /// This process. Parts that cannot be read are empty.
    pub(super) fn current() -> Self {
        let pid = std::process::id();
        Self {
            host: read_trimmed("/proc/sys/kernel/hostname"),
            boot: read_trimmed("/proc/sys/kernel/random/boot_id"),
            pids: fs::read_link("/proc/self/ns/pid")
                .map(|link| link.to_string_lossy().into_owned())
                .unwrap_or_default(),
            pid,
            started: start_time(pid).unwrap_or_default(),
        }
    }

    /// Whether `other` is certainly dead, as seen from this process.
    pub(super) fn knows_dead(&self, other: &Self) -> bool {
        self.judge(other, start_time(other.pid).as_deref())
    }

    /// `running` is the start time of the process that has `other`'s pid now, if any.
    fn judge(&self, other: &Self, running: Option<&str>) -> bool {
        let unknown = [&self.boot, &self.pids, &self.started]
            .iter()
            .chain([&other.boot, &other.pids, &other.started].iter())
            .any(|part| part.is_empty());
        if unknown || self.host != other.host {
            return false;
        }
        if self.boot != other.boot {
            return true;
        }
        self.pids == other.pids && running != Some(other.started.as_str())
    }
}

fn read_trimmed(path: &str) -> String {
    fs::read_to_string(path)
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}

/// When the process with this pid started, in ticks since boot; a zombie counts as gone.
fn start_time(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the command in parentheses and may hold anything.
    let after = stat.get(stat.rfind(')')? + 1..)?;
    let mut fields = after.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(boot: &str, pids: &str, started: &str) -> ProcessIdentity {
        ProcessIdentity {
            host: "h".into(),
            boot: boot.into(),
            pids: pids.into(),
            pid: 7,
            started: started.into(),
        }
    }

    #[test]
    fn death_is_concluded_only_when_certain() {
        let here = process("b", "n", "1");
        let other = process("b", "n", "5");
        for (other, running, dead) in [
            (other.clone(), Some("5"), false),
            (other.clone(), Some("9"), true),
            (other.clone(), None, true),
            (process("earlier", "n", "5"), Some("5"), true),
            (process("b", "container", "5"), None, false),
            (process("b", "n", ""), None, false),
            (
                ProcessIdentity {
                    host: "elsewhere".into(),
                    ..process("earlier", "n", "5")
                },
                None,
                false,
            ),
        ] {
            assert_eq!(here.judge(&other, running), dead, "{other:?} {running:?}");
        }
    }

    #[test]
    fn this_process_is_alive() {
        let here = ProcessIdentity::current();
        assert!(!here.knows_dead(&here));
    }
}
