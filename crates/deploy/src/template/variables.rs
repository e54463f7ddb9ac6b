//! Environment variables: references that are resolved at deployment.

use crate::deployment::{Deployment, Source};
use crate::yaml::{Map, Node};

pub(super) fn of(deployment: &Deployment) -> Map {
    let mut variables = Map::new();
    for variable in &deployment.variables {
        let value = match &variable.source {
            Source::Secret => Node::substitute(format!(
                "{{{{resolve:secretsmanager:${{SecretName}}:SecretString:{}}}}}",
                variable.name
            )),
            Source::Parameter(path) => format!("{{{{resolve:ssm:{path}}}}}").into(),
        };
        variables = variables.with(variable.name.as_str(), value);
    }
    let variables = variables.and_if(deployment.entry.streams(), || {
        Map::new().because(
            "Tells the service that its answers may be streamed; through any other entry they must not be.",
            "PACELINE_LAMBDA_STREAMING",
            "true",
        )
    });
    variables.and_if(deployment.proxy.is_some(), || {
        Map::new().because(
            "Takes the place of the host in a PostgreSQL address; the address keeps naming the database itself.",
            "RDS_PROXY_ENDPOINT",
            Node::attribute("DatabaseProxy.Endpoint"),
        )
    })
}
