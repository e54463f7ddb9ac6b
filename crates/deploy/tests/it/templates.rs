//! What templates say. That AWS takes them is the business of the suite `template`.

use std::time::Duration;

use paceline_deploy::deployment::{
    Database, DatabaseKind, Deployment, Entry, Proxy, Source, Variable,
};
use paceline_deploy::template;
use proptest::prelude::*;
use saphyr::{LoadableYamlNode, YamlOwned};

fn postgres() -> Deployment {
    Deployment::new("shop", Database::new(DatabaseKind::Postgres))
}

fn check(deployment: &Deployment, parts: &[&str]) {
    let text = template::write(deployment);
    for part in parts {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
}

#[test]
fn the_defaults_are_those_of_the_documentation() {
    check(
        &postgres(),
        &[
            "MemorySize: 512\n",
            "Timeout: 28\n",
            "ProvisionedConcurrentExecutions: 5\n",
            "Schedule: \"rate(5 minutes)\"\n",
            "Name: shop-keep-warm\n",
            "Runtime: provided.al2023\n",
            "- arm64\n",
            "AutoPublishAlias: live\n",
            "InvokeMode: RESPONSE_STREAM\n",
            "TargetValue: 0.7\n",
            "LambdaProvisionedConcurrencyUtilization",
            "RetentionInDays: 14\n",
            "ReservedConcurrentExecutions: 50\n",
        ],
    );
}

#[test]
fn every_entry_has_what_leads_to_the_function() {
    for (entry, part) in [
        (Entry::Rest, "AWS::Serverless::Api"),
        (Entry::Http, "AWS::Serverless::HttpApi"),
        (Entry::Url, "FunctionUrlConfig"),
    ] {
        let mut deployment = postgres();
        deployment.entry = entry;
        check(&deployment, &[part, "AWS_IAM"]);
        deployment.public = true;
        let text = template::write(&deployment);
        assert!(!text.contains("AWS_IAM\n"), "{text}");
    }
    check(&postgres(), &["PACELINE_LAMBDA_STREAMING: \"true\"\n"]);
    let mut deployment = postgres();
    deployment.entry = Entry::Direct;
    let text = template::write(&deployment);
    assert!(!text.contains("PACELINE_LAMBDA_STREAMING"), "{text}");
    assert!(
        !text.contains("AWS::Serverless::Api") && !text.contains("Address"),
        "{text}"
    );
}

#[test]
fn a_proxy_ends_statements_and_waits_before_the_service_does() {
    let mut deployment = postgres();
    deployment.vpc = true;
    deployment.proxy = Some(Proxy {
        borrow: Duration::from_secs(2),
        iam: true,
    });
    deployment.times.statement = Duration::from_secs(4);
    check(
        &deployment,
        &[
            "ConnectionBorrowTimeout: 2\n",
            "InitQuery: \"SET statement_timeout = 4000\"\n",
            "IAMAuth: REQUIRED\n",
            "rds-db:connect",
            "RequireTLS: true\n",
            "RDS_PROXY_ENDPOINT: !GetAtt DatabaseProxy.Endpoint\n",
        ],
    );
}

#[test]
fn the_schedule_is_spelled_as_eventbridge_reads_it() {
    let mut deployment = postgres();
    deployment.keep_warm = Some(Duration::from_mins(1));
    check(&deployment, &["Schedule: \"rate(1 minute)\"\n"]);
    deployment.keep_warm = None;
    assert!(!template::write(&deployment).contains("keep-warm"));
}

#[test]
fn a_comment_stands_before_every_number_that_was_chosen() {
    let text = template::write(&postgres());
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    for key in [
        "MemorySize",
        "Timeout",
        "RetentionInDays",
        "ReservedConcurrentExecutions",
        "TargetValue",
        "AutoPublishAlias",
    ] {
        let at = lines
            .iter()
            .position(|line| line.starts_with(&format!("{key}:")))
            .unwrap();
        assert!(lines[at - 1].starts_with('#'), "{key}: {}", lines[at - 1]);
    }
}

proptest! {
    /// Whatever names a configuration has, refused or not, the text stays a template with these names in it.
    #[test]
    fn any_name_is_read_back_from_the_template(name in any::<String>(), variable in any::<String>(), path in any::<String>()) {
        let mut deployment = Deployment::new(name.clone(), Database::new(DatabaseKind::Postgres));
        deployment.variables = vec![Variable { name: variable.clone(), source: Source::Parameter(path.clone()) }];
        let text = template::write(&deployment);
        let read = YamlOwned::load_from_str(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let function = &read[0]["Resources"]["Function"]["Properties"];
        prop_assume!(variable != "PACELINE_LAMBDA_STREAMING");
        prop_assert_eq!(function["FunctionName"].as_str(), Some(name.as_str()));
        let variables = function["Environment"]["Variables"].as_mapping().expect("variables");
        let (key, value) = variables.iter().next().expect("one variable");
        let resolved = format!("{{{{resolve:ssm:{path}}}}}");
        prop_assert_eq!(key.as_str(), Some(variable.as_str()));
        prop_assert_eq!(value.as_str(), Some(resolved.as_str()));
    }
}
