//! What is said when the stack is deployed.

use crate::deployment::{Artifact, Deployment, Source};
use crate::yaml::Map;

pub(super) fn of(deployment: &Deployment) -> Map {
    let secrets = deployment
        .variables
        .iter()
        .any(|variable| variable.source == Source::Secret);
    Map::new()
        .and_if(deployment.artifact == Artifact::Image, image)
        .and_if(secrets, || {
            Map::new().with(
                "SecretName",
                Map::new()
                    .with("Type", "String")
                    .with("Default", format!("{}/paceline", deployment.name))
                    .with(
                        "Description",
                        "The secret of Secrets Manager that holds a key for each variable of the function",
                    ),
            )
        })
        .and_if(deployment.vpc, || network(deployment))
        .and_if(deployment.proxy.is_some(), || proxy(deployment))
        .and_if(deployment.provisioned.is_some(), busy_hours)
        .with(
            "AlarmTopic",
            Map::new()
                .with("Type", "String")
                .with("Default", "")
                .with("Description", "ARN of the SNS topic that alarms go to; empty: alarms are only shown"),
        )
}

fn image() -> Map {
    Map::new().with(
        "ImageUri",
        described(
            "String",
            "The container image in ECR, with its tag or digest",
        ),
    )
}

fn network(deployment: &Deployment) -> Map {
    let map = Map::new()
        .with(
            "VpcId",
            described("AWS::EC2::VPC::Id", "The VPC of the database"),
        )
        .with(
            "SubnetIds",
            described(
                "List<AWS::EC2::Subnet::Id>",
                "Private subnets of it, in two availability zones at least",
            ),
        );
    map.and_if(deployment.database.kind.has_sessions(), || {
        Map::new().with(
            "DatabaseSecurityGroup",
            described(
                "AWS::EC2::SecurityGroup::Id",
                "The security group of the database; it gets a rule that lets the function in",
            ),
        )
    })
}

fn proxy(deployment: &Deployment) -> Map {
    let iam = deployment.proxy.is_some_and(|proxy| proxy.iam);
    Map::new()
        .with(
            "DatabaseInstance",
            described(
                "String",
                "The identifier of the RDS instance behind the proxy",
            ),
        )
        .with(
            "DatabaseLoginSecret",
            described(
                "String",
                "ARN of the secret with username and password that the proxy logs in with",
            ),
        )
        .and_if(iam, || {
            Map::new().with(
                "DatabaseUser",
                described("String", "The database user that the function logs in as"),
            )
        })
}

fn busy_hours() -> Map {
    let schedule = |when: &str, what: &str| described("String", what).with("Default", when);
    Map::new()
        .with(
            "BusyFrom",
            schedule("cron(0 7 ? * MON-FRI *)", "When the busy hours begin"),
        )
        .with(
            "QuietFrom",
            schedule(
                "cron(0 20 ? * MON-FRI *)",
                "When they end; one environment stays ready",
            ),
        )
        .with(
            "TimeZone",
            schedule("Etc/UTC", "The time zone of both, such as Europe/Berlin"),
        )
}

fn described(kind: &str, what: &str) -> Map {
    Map::new().with("Type", kind).with("Description", what)
}
