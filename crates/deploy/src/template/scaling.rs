//! How provisioned concurrency follows the hours and the load.

use crate::deployment::{Deployment, Provisioned};
use crate::yaml::{Map, Node};

pub(super) fn resources(deployment: &Deployment) -> Map {
    let (Some(provisioned), Some(alias)) = (deployment.provisioned, &deployment.alias) else {
        return Map::new();
    };
    let target = Map::new()
        .with("Type", "AWS::ApplicationAutoScaling::ScalableTarget")
        .because(
            "The alias is made from AutoPublishAlias, under this name.",
            "DependsOn",
            format!("FunctionAlias{alias}"),
        )
        .with("Properties", target(provisioned, alias));
    let policy = Map::new()
        .with("Type", "AWS::ApplicationAutoScaling::ScalingPolicy")
        .with("Properties", tracking(&deployment.name));
    Map::new()
        .with("ProvisionedTarget", target)
        .with("ProvisionedInUse", policy)
}

fn target(provisioned: Provisioned, alias: &str) -> Map {
    let usual = provisioned.usual.get();
    let most = provisioned.most.get().max(usual);
    let action = |name: &str, schedule: &str, least: u32| {
        Node::from(
            Map::new()
                .with("ScheduledActionName", name)
                .with("Schedule", Node::reference(schedule))
                .with("Timezone", Node::reference("TimeZone"))
                .with(
                    "ScalableTargetAction",
                    Map::new()
                        .with("MinCapacity", least)
                        .with("MaxCapacity", most),
                ),
        )
    };
    Map::new()
        .with("ServiceNamespace", "lambda")
        .with(
            "ScalableDimension",
            "lambda:function:ProvisionedConcurrency",
        )
        .with(
            "ResourceId",
            Node::substitute(format!("function:${{Function}}:{alias}")),
        )
        .because(
            "The bounds hold between the two times below; a deployment sets them to these again.",
            "MinCapacity",
            usual,
        )
        .with("MaxCapacity", most)
        .because(
            "What waits is paid for: fewer environments wait outside of busy hours.",
            "ScheduledActions",
            vec![
                action("busy", "BusyFrom", usual),
                action("quiet", "QuietFrom", 1),
            ],
        )
}

fn tracking(name: &str) -> Map {
    let metric = Map::new().with(
        "PredefinedMetricType",
        "LambdaProvisionedConcurrencyUtilization",
    );
    Map::new()
        .with("PolicyName", format!("{name}-in-use"))
        .with("PolicyType", "TargetTrackingScaling")
        .with("ScalingTargetId", Node::reference("ProvisionedTarget"))
        .with(
            "TargetTrackingScalingPolicyConfiguration",
            Map::new()
                .because(
                    "Of what is ready, seven tenths are in use: the rest takes the next wave while more is made ready.",
                    "TargetValue",
                    Node::Fraction(0.7),
                )
                .with("PredefinedMetricSpecification", metric),
        )
}
