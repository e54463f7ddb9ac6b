//! RDS Proxy: many environments, few sessions of the database.

use super::role::assumed_by;
use crate::deployment::{DatabaseKind, Deployment, Proxy};
use crate::yaml::{Map, Node};

pub(super) fn resources(deployment: &Deployment) -> Map {
    let Some(proxy) = deployment.proxy else {
        return Map::new();
    };
    Map::new()
        .with("ProxyRole", role())
        .with(
            "DatabaseProxy",
            Map::new()
                .with("Type", "AWS::RDS::DBProxy")
                .with("Properties", itself(deployment, proxy)),
        )
        .with(
            "ProxyTargets",
            Map::new()
                .with("Type", "AWS::RDS::DBProxyTargetGroup")
                .with("Properties", targets(deployment, proxy)),
        )
}

fn role() -> Map {
    let statement = Map::new()
        .with("Effect", "Allow")
        .with("Action", "secretsmanager:GetSecretValue")
        .with("Resource", Node::reference("DatabaseLoginSecret"));
    let policy = Map::new().with("PolicyName", "login").with(
        "PolicyDocument",
        Map::new()
            .with("Version", "2012-10-17")
            .with("Statement", vec![Node::Map(statement)]),
    );
    let properties = Map::new()
        .with("AssumeRolePolicyDocument", assumed_by("rds.amazonaws.com"))
        .because(
            "The one secret that it logs in with.",
            "Policies",
            vec![Node::Map(policy)],
        );
    Map::new()
        .with("Type", "AWS::IAM::Role")
        .with("Properties", properties)
}

fn itself(deployment: &Deployment, proxy: Proxy) -> Map {
    let family = match deployment.database.kind {
        DatabaseKind::MySql => "MYSQL",
        _ => "POSTGRESQL",
    };
    let login = Map::new()
        .with("AuthScheme", "SECRETS")
        .with("SecretArn", Node::reference("DatabaseLoginSecret"))
        .with("IAMAuth", if proxy.iam { "REQUIRED" } else { "DISABLED" });
    Map::new()
        .with("DBProxyName", format!("{}-proxy", deployment.name.replace('_', "-").to_ascii_lowercase()))
        .with("EngineFamily", family)
        .with("RequireTLS", true)
        .because(
            "An environment that is frozen keeps its connection to the proxy. After half an hour it is closed; ours live \
             25 minutes at most.",
            "IdleClientTimeout",
            1800_u32,
        )
        .with("RoleArn", Node::attribute("ProxyRole.Arn"))
        .with("Auth", vec![Node::Map(login)])
        .with("VpcSubnetIds", Node::reference("SubnetIds"))
        .with("VpcSecurityGroupIds", vec![Node::attribute("ProxySecurityGroup.GroupId")])
}

fn targets(deployment: &Deployment, proxy: Proxy) -> Map {
    let borrow = u32::try_from(proxy.borrow.as_secs()).unwrap_or(u32::MAX);
    let connections = Map::new()
        .because(
            "How long a statement waits for a session. The usual 120 s outlive the request, which would end without a reason.",
            "ConnectionBorrowTimeout",
            borrow,
        )
        .because("A tenth is left for migrations and administrators.", "MaxConnectionsPercent", 90_u32)
        .with("MaxIdleConnectionsPercent", 50_u32)
        .and(first_query(deployment));
    Map::new()
        .with("DBProxyName", Node::reference("DatabaseProxy"))
        .with("TargetGroupName", "default")
        .with(
            "DBInstanceIdentifiers",
            vec![Node::reference("DatabaseInstance")],
        )
        .with("ConnectionPoolConfigurationInfo", connections)
}

fn first_query(deployment: &Deployment) -> Map {
    let (why, query) = match deployment.database.kind {
        DatabaseKind::MySql => (
            "Run on each session of the proxy. A session that is in UTC and strict needs no SET of ours, which would pin \
             it to one environment.",
            "SET time_zone='+00:00', sql_mode='STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'".to_owned(),
        ),
        _ => (
            "Run on each session of the proxy, which passes no request to cancel on: the database ends a statement itself. \
             A SET of ours would pin the session to one environment.",
            format!("SET statement_timeout = {}", deployment.times.statement.as_millis()),
        ),
    };
    Map::new().because(why, "InitQuery", query)
}
