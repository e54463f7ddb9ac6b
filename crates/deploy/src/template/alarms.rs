//! What somebody should be told of.

use crate::deployment::Deployment;
use crate::yaml::{Map, Node};

pub(super) fn conditions() -> Map {
    let empty = Node::Tagged(
        "!Equals",
        Box::new(Node::List(vec![Node::reference("AlarmTopic"), "".into()])),
    );
    Map::new().with(
        "HasAlarmTopic",
        Node::Tagged("!Not", Box::new(Node::List(vec![empty]))),
    )
}

/// One alarm.
struct Alarm<'a> {
    resource: &'a str,
    name: &'a str,
    what: String,
    metric: &'a str,
    /// `Sum` or a percentile.
    statistic: &'a str,
    /// Of so many minutes, three must be over it.
    minutes: u32,
    threshold: u32,
}

pub(super) fn resources(deployment: &Deployment) -> Map {
    let timeout = u32::try_from(deployment.times.function.as_millis()).unwrap_or(u32::MAX);
    let mut alarms = vec![
        Alarm {
            resource: "ErrorsAlarm",
            name: "errors",
            what: "Invocations end in errors: panics, timeouts, memory".to_owned(),
            metric: "Errors",
            statistic: "Sum",
            minutes: 5,
            threshold: 0,
        },
        Alarm {
            resource: "ThrottlesAlarm",
            name: "throttles",
            what: "Requests are turned away because too many environments are busy".to_owned(),
            metric: "Throttles",
            statistic: "Sum",
            minutes: 5,
            threshold: 0,
        },
        Alarm {
            resource: "SlowAlarm",
            name: "slow",
            what: "One in twenty requests takes more than four fifths of the timeout".to_owned(),
            metric: "Duration",
            statistic: "p95",
            minutes: 5,
            threshold: timeout / 5 * 4,
        },
    ];
    if deployment.provisioned.is_some() {
        alarms.push(Alarm {
            resource: "SpilloverAlarm",
            name: "spillover",
            what: "More is asked than environments are ready: cold starts".to_owned(),
            metric: "ProvisionedConcurrencySpilloverInvocations",
            statistic: "Sum",
            minutes: 15,
            threshold: 0,
        });
    }
    alarms.into_iter().fold(Map::new(), |map, alarm| {
        map.with(alarm.resource, alarm.resource(deployment))
    })
}

impl Alarm<'_> {
    fn resource(&self, deployment: &Deployment) -> Map {
        let dimension = |name: &str, value: Node| {
            Node::from(Map::new().with("Name", name).with("Value", value))
        };
        let mut dimensions = vec![dimension("FunctionName", Node::reference("Function"))];
        if let Some(alias) = &deployment.alias {
            let resource = format!("${{Function}}:{alias}");
            dimensions.push(dimension("Resource", Node::substitute(resource)));
        }
        let statistic = if self.statistic == "Sum" {
            "Statistic"
        } else {
            "ExtendedStatistic"
        };
        let none = Node::reference("AWS::NoValue");
        let topic = Node::List(vec![Node::reference("AlarmTopic")]);
        let actions = Node::List(vec!["HasAlarmTopic".into(), topic, none]);
        let properties = Map::new()
            .with("AlarmName", format!("{}-{}", deployment.name, self.name))
            .with("AlarmDescription", self.what.as_str())
            .with("Namespace", "AWS/Lambda")
            .with("MetricName", self.metric)
            .with("Dimensions", dimensions)
            .with(statistic, self.statistic)
            .with("Period", 60_u32)
            .with("EvaluationPeriods", self.minutes)
            .with("DatapointsToAlarm", 3_u32)
            .with("Threshold", self.threshold)
            .with("ComparisonOperator", "GreaterThanThreshold")
            .with("TreatMissingData", "notBreaching")
            .with("AlarmActions", Node::Tagged("!If", Box::new(actions)));
        Map::new()
            .with("Type", "AWS::CloudWatch::Alarm")
            .with("Properties", properties)
    }
}
