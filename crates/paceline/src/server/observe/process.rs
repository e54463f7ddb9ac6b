//! What the process itself uses, under the names that every Prometheus client has for it.

use std::fmt::Write as _;

use rustix::time::{ClockId, clock_gettime};

/// Lines of a metrics page: processor time and, where the system tells, memory.
pub(in crate::server) fn page() -> String {
    let mut page = String::new();
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let line = |page: &mut String, name: &str, kind: &str, value: String| {
        writeln!(page, "# TYPE {name} {kind}\n{name} {value}").expect("a string takes everything");
    };
    let seconds = format!("{}.{:09}", time.tv_sec, time.tv_nsec);
    line(&mut page, "process_cpu_seconds_total", "counter", seconds);
    if let Some(bytes) = resident() {
        let bytes = bytes.to_string();
        line(&mut page, "process_resident_memory_bytes", "gauge", bytes);
    }
    page
}

/// Bytes of memory that the process has. Only Linux tells without more ado.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    pages(&text)?.checked_mul(u64::try_from(rustix::param::page_size()).ok()?)
}

/// The second number of `/proc/self/statm`: pages that are in memory. Source: proc(5).
fn pages(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_number_is_what_is_in_memory() {
        assert_eq!(pages("5000 1234 800 20 0 400 0\n"), Some(1234));
        assert_eq!(pages("5000"), None);
        assert_eq!(pages("a b"), None);
    }

    #[test]
    fn this_process_computes_and_has_memory() {
        let read = || {
            let page = page();
            let value = |name: &str| {
                let line = page.lines().find(|line| line.starts_with(name));
                line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            };
            (
                value("process_cpu_seconds_total").unwrap(),
                value("process_resident_memory_bytes"),
            )
        };
        let before = read().0;
        let sum: u64 = (0..2_000_000_u64).map(std::hint::black_box).sum();
        assert!(sum > 0);
        let (after, memory) = read();
        assert!(after > before, "{before} {after}");
        if cfg!(target_os = "linux") {
            assert!(memory.unwrap() > 1e6);
        }
    }
}
