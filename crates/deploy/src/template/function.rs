//! The function and its log.

use super::{entry, variables};
use crate::deployment::{Artifact, Deployment};
use crate::yaml::{Map, Node, texts};

pub(super) fn resources(deployment: &Deployment) -> Map {
    let log = Map::new()
        .with("Type", "AWS::Logs::LogGroup")
        .with("DeletionPolicy", "Delete")
        .with("UpdateReplacePolicy", "Delete")
        .with(
            "Properties",
            Map::new()
                .with("LogGroupName", format!("/aws/lambda/{}", deployment.name))
                .because(
                    "Without a number, log lines are kept, and paid for, for ever.",
                    "RetentionInDays",
                    deployment.log_days,
                ),
        );
    Map::new().with("FunctionLog", log).with(
        "Function",
        Map::new()
            .with("Type", "AWS::Serverless::Function")
            .with("Properties", properties(deployment)),
    )
}

fn properties(deployment: &Deployment) -> Map {
    Map::new()
        .with("FunctionName", deployment.name.as_str())
        .and(code(deployment))
        .and(size(deployment))
        .with("Role", Node::attribute("FunctionRole.Arn"))
        .with(
            "LoggingConfig",
            Map::new().with("LogGroup", Node::reference("FunctionLog")),
        )
        .and(versions(deployment))
        .and_if(!variables::of(deployment).is_empty(), || {
            Map::new().because(
                "Read from their stores when the stack is deployed: a changed secret arrives with the next deployment.",
                "Environment",
                Map::new().with("Variables", variables::of(deployment)),
            )
        })
        .and_if(deployment.vpc, || {
            Map::new().because(
                "The database is reached inside its VPC; the rest of the world then only through a NAT gateway.",
                "VpcConfig",
                Map::new()
                    .with("SubnetIds", Node::reference("SubnetIds"))
                    .with(
                        "SecurityGroupIds",
                        vec![Node::attribute("FunctionSecurityGroup.GroupId")],
                    ),
            )
        })
        .and(invocations(deployment))
        .and(entry::of_function(deployment))
}

fn code(deployment: &Deployment) -> Map {
    let architecture = texts(&[deployment.architecture.name()]);
    let map = match deployment.artifact {
        Artifact::Zip => Map::new()
            .because(
                "What `paceline lambda package --output function.zip` wrote.",
                "CodeUri",
                "function.zip",
            )
            .because(
                "A program of its own instead of a language's runtime: it is started as `bootstrap`.",
                "Runtime",
                "provided.al2023",
            )
            .with("Handler", "bootstrap"),
        Artifact::Image => Map::new()
            .with("PackageType", "Image")
            .with("ImageUri", Node::reference("ImageUri")),
    };
    map.because(
        "Must be what the program was built for. A millisecond of arm64 costs a fifth less.",
        "Architectures",
        architecture,
    )
}

fn size(deployment: &Deployment) -> Map {
    let seconds = u32::try_from(deployment.times.function.as_secs()).unwrap_or(u32::MAX);
    let limit = deployment.entry.limit().as_secs();
    let why = if deployment.entry.is_gateway() {
        format!(
            "Below the {limit} s that the gateway waits: after its 504 the function would run on, and be paid for. \
             The service itself answers 503 before."
        )
    } else {
        "How long one invocation may take, a streamed answer included; the service itself answers 503 before.".to_owned()
    };
    Map::new()
        .because(
            "In MB. Processor time comes with it: 1769 MB are one whole processor. `paceline lambda budget` says which \
             class measurements ask for.",
            "MemorySize",
            deployment.memory,
        )
        .because(why, "Timeout", seconds)
}

fn versions(deployment: &Deployment) -> Map {
    let alias = deployment.alias.as_ref().map(|alias| {
        Map::new()
            .because(
                "Each deployment publishes a version and moves this alias to it; callers reach the alias.",
                "AutoPublishAlias",
                alias.as_str(),
            )
            .because(
                "A change of memory or of a variable is a new version too, not only one of the code.",
                "AutoPublishAliasAllProperties",
                true,
            )
    });
    let provisioned = deployment.provisioned.map(|provisioned| {
        Map::new().because(
            "Environments that are initialised before anybody asks. They belong to the alias, and are paid for while they \
             wait.",
            "ProvisionedConcurrencyConfig",
            Map::new().with("ProvisionedConcurrentExecutions", provisioned.usual.get()),
        )
    });
    let snapshot = deployment.snap_start.then(|| {
        Map::new().because(
            "New environments start from a snapshot of an initialised one; the service closes its connections before it \
             is taken.",
            "SnapStart",
            Map::new().with("ApplyOn", "PublishedVersions"),
        )
    });
    [alias, provisioned, snapshot]
        .into_iter()
        .flatten()
        .fold(Map::new(), Map::and)
}

fn invocations(deployment: &Deployment) -> Map {
    let reserved = deployment.reserved.map(|reserved| {
        let why = if deployment.proxy.is_none() && deployment.database.kind.has_sessions() {
            format!(
                "The most environments at once. Each holds {} of the {} connections that the database lets in. The account \
                 must have a quota of 100 beyond it.",
                deployment.database.pool, deployment.database.max_connections
            )
        } else {
            "The most environments at once. The account must have a quota of 100 beyond it.".to_owned()
        };
        Map::new().because(why, "ReservedConcurrentExecutions", reserved.get())
    });
    let warm = deployment.keep_warm.map(|period| {
        Map::new().because(
            "A ping to keep warm that fails is not worth repeating: retries would only add to the trouble.",
            "EventInvokeConfig",
            Map::new()
                .with("MaximumRetryAttempts", 0_u32)
                .with("MaximumEventAgeInSeconds", u32::try_from(period.as_secs().clamp(60, 21_600)).unwrap_or(60)),
        )
    });
    [reserved, warm]
        .into_iter()
        .flatten()
        .fold(Map::new(), Map::and)
}
