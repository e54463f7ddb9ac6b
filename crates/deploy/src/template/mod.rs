//! A deployment as a SAM template.
//!
//! The text is made here and nowhere else. Each value that is not obvious has a comment that says why it is so. No
//! secret is in it: values of variables are references that are resolved when the stack is deployed.

mod alarms;
mod entry;
mod function;
mod network;
mod outputs;
mod parameters;
mod proxy;
mod role;
mod scaling;
mod variables;

use crate::deployment::Deployment;
use crate::rules;
use crate::yaml::{self, Map};

/// The template's text. Write it only where [`rules::refusals`] finds nothing: it is then a template, and does not
/// work.
pub fn write(deployment: &Deployment) -> String {
    let document = Map::new()
        .with("AWSTemplateFormatVersion", "2010-09-09")
        .with("Transform", "AWS::Serverless-2016-10-31")
        .with(
            "Description",
            format!(
                "{} on AWS Lambda, written by paceline lambda template",
                deployment.name
            ),
        )
        .and_if(!parameters::of(deployment).is_empty(), || {
            Map::new().with("Parameters", parameters::of(deployment))
        })
        .with("Conditions", alarms::conditions())
        .with("Resources", resources(deployment))
        .with("Outputs", outputs::of(deployment));
    yaml::write(&heading(deployment), &document)
}

fn resources(deployment: &Deployment) -> Map {
    function::resources(deployment)
        .and(role::resources(deployment))
        .and(entry::resources(deployment))
        .and(scaling::resources(deployment))
        .and(network::resources(deployment))
        .and(proxy::resources(deployment))
        .and(alarms::resources(deployment))
}

fn heading(deployment: &Deployment) -> Vec<String> {
    let mut lines = vec![
        "Written by `paceline lambda template`; write it anew rather than editing it.".to_owned(),
        "Deploy it with: sam deploy --guided --capabilities CAPABILITY_IAM".to_owned(),
    ];
    lines.extend(rules::notes(deployment));
    lines
}
