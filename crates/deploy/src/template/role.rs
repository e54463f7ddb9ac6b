//! What the function may do, and nothing else.

use crate::deployment::Deployment;
use crate::yaml::{Map, Node, texts};

pub(super) fn resources(deployment: &Deployment) -> Map {
    let mut statements = vec![Node::Map(
        Map::new()
            .with("Effect", "Allow")
            .with(
                "Action",
                texts(&["logs:CreateLogStream", "logs:PutLogEvents"]),
            )
            .with("Resource", Node::attribute("FunctionLog.Arn")),
    )];
    if deployment.vpc {
        statements.extend(network(deployment));
    }
    if deployment.proxy.is_some_and(|proxy| proxy.iam) {
        statements.push(login());
    }
    let policy = Map::new().with("PolicyName", "function").with(
        "PolicyDocument",
        Map::new()
            .with("Version", "2012-10-17")
            .with("Statement", statements),
    );
    let properties = Map::new()
        .with("AssumeRolePolicyDocument", assumed_by("lambda.amazonaws.com"))
        .because(
            "Its own log and what follows; secrets are read by whoever deploys, not by the function.",
            "Policies",
            vec![Node::Map(policy)],
        );
    Map::new().with(
        "FunctionRole",
        Map::new()
            .with("Type", "AWS::IAM::Role")
            .with("Properties", properties),
    )
}

/// The document that lets a service take a role.
pub(super) fn assumed_by(service: &str) -> Map {
    let statement = Map::new()
        .with("Effect", "Allow")
        .with("Principal", Map::new().with("Service", service))
        .with("Action", "sts:AssumeRole");
    Map::new()
        .with("Version", "2012-10-17")
        .with("Statement", vec![Node::Map(statement)])
}

/// Lambda makes network interfaces with the function's role; the function's own code is forbidden to.
fn network(deployment: &Deployment) -> Vec<Node> {
    let actions = [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    ];
    let allowed = Map::new()
        .because(
            "Lambda makes the function's network interfaces with this role. AWS names no narrower resource for them.",
            "Effect",
            "Allow",
        )
        .with("Action", texts(&actions))
        .with("Resource", "*");
    let function = format!(
        "arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{}",
        deployment.name
    );
    let forbidden = Map::new()
        .because(
            "The function's own code needs none of that.",
            "Effect",
            "Deny",
        )
        .with("Action", texts(&actions))
        .with("Resource", "*")
        .with(
            "Condition",
            Map::new().with(
                "ArnEquals",
                Map::new().with("lambda:SourceFunctionArn", vec![Node::substitute(function)]),
            ),
        );
    vec![allowed.into(), forbidden.into()]
}

fn login() -> Node {
    let proxy = Node::Tagged(
        "!Select",
        Box::new(Node::List(vec![
            6_u32.into(),
            Node::Tagged(
                "!Split",
                Box::new(Node::List(vec![
                    ":".into(),
                    Node::attribute("DatabaseProxy.DBProxyArn"),
                ])),
            ),
        ])),
    );
    let resource = Node::List(vec![
        "arn:${AWS::Partition}:rds-db:${AWS::Region}:${AWS::AccountId}:dbuser:${Proxy}/${DatabaseUser}".into(),
        Map::new().with("Proxy", proxy).into(),
    ]);
    Map::new()
        .because(
            "Tokens instead of a password, for one user of this proxy.",
            "Effect",
            "Allow",
        )
        .with("Action", "rds-db:connect")
        .with("Resource", Node::Tagged("!Sub", Box::new(resource)))
        .into()
}
