//! What must not be deployed: what AWS rejects after minutes, or takes and then does nothing with.
//!
//! cfn-lint and the SAM translator let all of these through.

mod configuration;
mod connections;
mod environments;
mod names;
mod refusal;
mod times;

pub use refusal::Refusal;

use crate::deployment::Deployment;

/// Everything that is wrong with it; empty when it can be deployed.
pub fn refusals(deployment: &Deployment) -> Vec<Refusal> {
    let mut found = Vec::new();
    names::check(deployment, &mut found);
    environments::check(deployment, &mut found);
    times::check(deployment, &mut found);
    connections::check(deployment, &mut found);
    configuration::check(deployment, &mut found);
    found
}

/// What works, and not as one may expect; a sentence each.
pub fn notes(deployment: &Deployment) -> Vec<String> {
    configuration::notes(deployment)
}
