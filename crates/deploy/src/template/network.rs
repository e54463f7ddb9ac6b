//! Who may speak to whom inside the VPC.

use crate::deployment::Deployment;
use crate::yaml::{Map, Node};

pub(super) fn resources(deployment: &Deployment) -> Map {
    if !deployment.vpc {
        return Map::new();
    }
    let mut outgoing = vec![world(443, "HTTPS")];
    if deployment.uses.redis {
        outgoing.push(world(6379, "Redis"));
    }
    if let Some(port) = deployment.database.kind.port().filter(|port| *port != 443) {
        outgoing.push(world(port, "The database"));
    }
    let function = group("What the function may reach", outgoing);
    let map = Map::new().with("FunctionSecurityGroup", function);
    let Some(port) = deployment.database.kind.port().filter(|port| *port != 443) else {
        return map;
    };
    if deployment.proxy.is_none() {
        return map.with(
            "DatabaseIngress",
            ingress(
                "DatabaseSecurityGroup",
                Node::reference("DatabaseSecurityGroup"),
                "FunctionSecurityGroup",
                port,
            ),
        );
    }
    map.with(
        "ProxySecurityGroup",
        group(
            "What the proxy may reach",
            vec![world(port, "The database")],
        ),
    )
    .with(
        "ProxyIngress",
        ingress(
            "the proxy",
            Node::attribute("ProxySecurityGroup.GroupId"),
            "FunctionSecurityGroup",
            port,
        ),
    )
    .with(
        "DatabaseIngress",
        ingress(
            "the database",
            Node::reference("DatabaseSecurityGroup"),
            "ProxySecurityGroup",
            port,
        ),
    )
}

fn group(what: &str, outgoing: Vec<Node>) -> Map {
    let properties = Map::new()
        .with("GroupDescription", what)
        .with("VpcId", Node::reference("VpcId"))
        .because(
            "Without rules of its own a group lets everything out.",
            "SecurityGroupEgress",
            outgoing,
        );
    Map::new()
        .with("Type", "AWS::EC2::SecurityGroup")
        .with("Properties", properties)
}

fn world(port: u16, what: &str) -> Node {
    Map::new()
        .with("Description", what)
        .with("IpProtocol", "tcp")
        .with("FromPort", u32::from(port))
        .with("ToPort", u32::from(port))
        .with("CidrIp", "0.0.0.0/0")
        .into()
}

fn ingress(what: &str, group: Node, from: &str, port: u16) -> Map {
    let properties = Map::new()
        .with("Description", format!("{from} to {what}"))
        .with("GroupId", group)
        .with(
            "SourceSecurityGroupId",
            Node::attribute(&format!("{from}.GroupId")),
        )
        .with("IpProtocol", "tcp")
        .with("FromPort", u32::from(port))
        .with("ToPort", u32::from(port));
    Map::new()
        .with("Type", "AWS::EC2::SecurityGroupIngress")
        .with("Properties", properties)
}
