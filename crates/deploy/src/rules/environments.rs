//! Environments: their memory, how they start, how many are ready.

use std::time::Duration;

use super::Refusal;
use crate::deployment::{Artifact, Deployment};

/// Source: `RetentionInDays` of `AWS::Logs::LogGroup`, up to two years.
const LOG_DAYS: [u32; 15] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
];

pub(super) fn check(deployment: &Deployment, found: &mut Vec<Refusal>) {
    if !(128..=10240).contains(&deployment.memory) {
        found.push(Refusal::Memory(deployment.memory));
    }
    if !LOG_DAYS.contains(&deployment.log_days) {
        found.push(Refusal::LogDays(deployment.log_days));
    }
    if let Some(period) = deployment.keep_warm
        && (period < Duration::from_mins(1)
            || period.subsec_nanos() != 0
            || period.as_secs() % 60 != 0)
    {
        found.push(Refusal::KeepWarm(period));
    }
    if deployment.snap_start {
        snap_start(deployment, found);
    }
    provisioned(deployment, found);
}

fn snap_start(deployment: &Deployment, found: &mut Vec<Refusal>) {
    if deployment.provisioned.is_some() {
        found.push(Refusal::SnapStartWithProvisioned);
    }
    if deployment.artifact == Artifact::Zip {
        found.push(Refusal::SnapStartOfZip);
    }
    if deployment.alias.is_none() {
        found.push(Refusal::SnapStartWithoutAlias);
    }
}

fn provisioned(deployment: &Deployment, found: &mut Vec<Refusal>) {
    let Some(provisioned) = deployment.provisioned else {
        return;
    };
    let (usual, most) = (provisioned.usual.get(), provisioned.most.get());
    if deployment.alias.is_none() {
        found.push(Refusal::ProvisionedWithoutAlias);
    }
    if most < usual {
        found.push(Refusal::ProvisionedOrder { usual, most });
    }
    if let Some(reserved) = deployment.reserved
        && reserved.get() < most.max(usual)
    {
        found.push(Refusal::ProvisionedAboveReserved {
            most: most.max(usual),
            reserved: reserved.get(),
        });
    }
}
