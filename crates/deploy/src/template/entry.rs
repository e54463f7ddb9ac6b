//! What calls the function: clients, and the schedule that keeps it warm.

use std::time::Duration;

use crate::deployment::{Deployment, Entry};
use crate::yaml::{Map, Node, texts};

/// Properties of the function itself.
pub(super) fn of_function(deployment: &Deployment) -> Map {
    let url = (deployment.entry == Entry::Url).then(|| {
        Map::new().because(
            "Answers are streamed: exports and events reach their client while they are written, up to 200 MB.",
            "FunctionUrlConfig",
            Map::new()
                .and(authorisation(deployment))
                .with("InvokeMode", "RESPONSE_STREAM"),
        )
    });
    let events = events(deployment);
    let events = (!events.is_empty()).then(|| Map::new().with("Events", events));
    [url, events]
        .into_iter()
        .flatten()
        .fold(Map::new(), Map::and)
}

fn authorisation(deployment: &Deployment) -> Map {
    if deployment.public {
        return Map::new().because(
            "Everybody may call it, because --public said so.",
            "AuthType",
            "NONE",
        );
    }
    Map::new().because(
        "Callers sign with AWS credentials; `--public` lets everybody through.",
        "AuthType",
        "AWS_IAM",
    )
}

fn events(deployment: &Deployment) -> Map {
    let event = |kind: &str, properties: Map| {
        let event = Map::new().with("Type", kind);
        if properties.is_empty() {
            event
        } else {
            event.with("Properties", properties)
        }
    };
    let clients = match deployment.entry {
        Entry::Rest => {
            let path = |path: &str| {
                let api = Node::reference("Api");
                Map::new()
                    .with("RestApiId", api)
                    .with("Path", path)
                    .with("Method", "ANY")
            };
            Map::new()
                .with("Root", event("Api", path("/")))
                .with("Everything", event("Api", path("/{proxy+}")))
        }
        Entry::Http => Map::new().with(
            "Everything",
            event("HttpApi", Map::new().with("ApiId", Node::reference("Api"))),
        ),
        Entry::Url | Entry::Direct => Map::new(),
    };
    let warm = deployment.keep_warm.map(|period| {
        Map::new().because(
            "One ping warms one environment: its connections, not only its memory. The service knows it by `keep-warm` in \
             the rule's name and answers it before any work.",
            "KeepWarm",
            event(
                "Schedule",
                Map::new()
                    .with("Name", format!("{}-keep-warm", deployment.name))
                    .with("Schedule", rate(period))
                    .with("Enabled", true),
            ),
        )
    });
    clients.and(warm.unwrap_or_default())
}

/// The schedule as `EventBridge` spells it, with its singular.
fn rate(period: Duration) -> String {
    match period.as_secs() / 60 {
        1 => "rate(1 minute)".to_owned(),
        minutes => format!("rate({minutes} minutes)"),
    }
}

/// The gateway, where there is one.
pub(super) fn resources(deployment: &Deployment) -> Map {
    let properties = match deployment.entry {
        Entry::Rest => Map::new()
            .with("StageName", "live")
            .because(
                "Regional: the service is as far away as the region; the gateway waits 29 s.",
                "EndpointConfiguration",
                Map::new().with("Type", "REGIONAL"),
            )
            .because(
                "Compressed answers are binary: without this the gateway would send their base64 on.",
                "BinaryMediaTypes",
                texts(&["*~1*"]),
            ),
        Entry::Http => Map::new().with("StageName", "$default"),
        Entry::Url | Entry::Direct => return Map::new(),
    };
    let (kind, default) = match deployment.entry {
        Entry::Rest => (
            "AWS::Serverless::Api",
            Map::new().with("DefaultAuthorizer", "AWS_IAM"),
        ),
        _ => (
            "AWS::Serverless::HttpApi",
            Map::new()
                .with("DefaultAuthorizer", "AWS_IAM")
                .with("EnableIamAuthorizer", true),
        ),
    };
    let properties = properties.and_if(!deployment.public, || {
        Map::new().because(
            "Callers sign with AWS credentials; `--public` lets everybody through.",
            "Auth",
            default,
        )
    });
    Map::new().with(
        "Api",
        Map::new().with("Type", kind).with("Properties", properties),
    )
}
