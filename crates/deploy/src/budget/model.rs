//! How long a request takes with so much memory.

/// The memory, in MB, that comes with one whole processor. Source: "Configure Lambda function memory" in the guide.
pub const WHOLE_PROCESSOR: u32 = 1769;

/// The memory classes that are compared, in MB, and what each is usual for.
pub const CLASSES: [(u32, &str); 5] = [
    (128, "simple transforms"),
    (256, "API handlers"),
    (512, "moderate computation"),
    (1024, "heavy computation"),
    (WHOLE_PROCESSOR, "one whole processor"),
];

/// Seconds of a request that took `wall` seconds of which it computed for `cpu`, on a function with `memory` MB whose
/// whole processor takes `factor` times as long as the one that was measured.
///
/// One request computes on one processor: more memory than [`WHOLE_PROCESSOR`] makes it no quicker.
pub fn predicted(wall: f64, cpu: f64, memory: u32, factor: f64) -> f64 {
    let cpu = cpu.min(wall);
    let share = (f64::from(WHOLE_PROCESSOR) / f64::from(memory.max(1))).max(1.0);
    (wall - cpu) + cpu * factor * share
}

#[cfg(test)]
mod tests {
    use super::predicted;

    #[test]
    fn what_is_computed_takes_longer_and_what_is_waited_for_does_not() {
        for (wall, cpu, memory, factor, expected) in [
            (0.100, 0.0, 128, 1.0, 0.100),
            (0.100, 0.100, 1769, 1.0, 0.100),
            (0.100, 0.100, 1769, 2.0, 0.200),
            (0.020, 0.010, 884, 1.0, 0.010 + 0.010 * 1769.0 / 884.0),
            (0.020, 0.010, 10_240, 1.0, 0.020),
            // 54 ms of processor time are the 745 ms of a TLS handshake that somebody saw at 128 MB.
            (0.054, 0.054, 128, 1.0, 0.746_296_875),
            // More was computed than it took: by other threads, or by nobody's request.
            (0.010, 0.020, 1769, 1.0, 0.010),
        ] {
            let found = predicted(wall, cpu, memory, factor);
            assert!(
                (found - expected).abs() < 1e-9,
                "{wall} {cpu} {memory}: {found}"
            );
        }
    }
}
