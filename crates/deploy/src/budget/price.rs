//! What it costs, in US dollars.

use crate::deployment::Architecture;

/// Prices of Lambda. They differ by region and change: the defaults are those of us-east-1, read in November 2026.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prices {
    /// One GB for one second.
    pub gb_second: f64,
    /// One million requests.
    pub million_requests: f64,
    /// One GB kept ready for one second.
    pub provisioned_gb_second: f64,
}

/// When the defaults were read.
pub(super) const READ: &str = "us-east-1, November 2026";

impl Prices {
    /// The defaults for a processor.
    pub const fn of(architecture: Architecture) -> Self {
        match architecture {
            Architecture::Arm64 => Self {
                gb_second: 0.000_013_333_4,
                million_requests: 0.20,
                provisioned_gb_second: 0.000_003_333_4,
            },
            Architecture::X86_64 => Self {
                gb_second: 0.000_016_666_7,
                million_requests: 0.20,
                provisioned_gb_second: 0.000_004_166_7,
            },
        }
    }

    /// A million requests of so many seconds each, which are billed as whole milliseconds, one at least.
    pub fn million(&self, memory: u32, seconds: f64) -> f64 {
        // Rounded a little first: 3 ms that are 3.0000000001 by arithmetic stay 3.
        let billed = ((seconds * 1e6).round() / 1e3).ceil().max(1.0) / 1e3;
        1e6 * billed * gigabytes(memory) * self.gb_second + self.million_requests
    }

    /// So many environments kept ready for a month of 730 hours.
    pub fn provisioned_month(&self, memory: u32, environments: u32) -> f64 {
        f64::from(environments) * gigabytes(memory) * 730.0 * 3600.0 * self.provisioned_gb_second
    }
}

fn gigabytes(memory: u32) -> f64 {
    f64::from(memory) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_billed_whole() {
        let prices = Prices::of(Architecture::X86_64);
        for (memory, seconds, expected) in [
            (1024, 0.001, 0.216_666_7),
            (1024, 0.000_2, 0.216_666_7),
            (1024, 0.001_01, 0.233_333_4),
            (512, 0.100, 1.033_335),
        ] {
            let found = prices.million(memory, seconds);
            assert!(
                (found - expected).abs() < 1e-9,
                "{memory} {seconds}: {found}"
            );
        }
        let month = prices.provisioned_month(1024, 1);
        assert!((month - 10.950_087_6).abs() < 1e-6, "{month}");
    }
}
