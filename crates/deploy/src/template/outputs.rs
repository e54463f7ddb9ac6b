//! What is told when the stack is deployed.

use crate::deployment::{Deployment, Entry};
use crate::yaml::{Map, Node};

pub(super) fn of(deployment: &Deployment) -> Map {
    let output =
        |what: &str, value: Node| Map::new().with("Description", what).with("Value", value);
    let function = match &deployment.alias {
        Some(alias) => Node::reference(&format!("FunctionAlias{alias}")),
        None => Node::attribute("Function.Arn"),
    };
    let api = match deployment.entry {
        Entry::Rest => Some(Node::substitute(
            "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/live/",
        )),
        Entry::Http => Some(Node::substitute(
            "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/",
        )),
        Entry::Url => Some(Node::attribute("FunctionUrl.FunctionUrl")),
        Entry::Direct => None,
    };
    let map = Map::new().with("FunctionArn", output("What is invoked", function));
    let map = match api {
        Some(api) => map.with("Address", output("Where the service answers", api)),
        None => map,
    };
    map.and_if(deployment.proxy.is_some(), || {
        Map::new().with(
            "ProxyEndpoint",
            output(
                "The proxy's host",
                Node::attribute("DatabaseProxy.Endpoint"),
            ),
        )
    })
}
