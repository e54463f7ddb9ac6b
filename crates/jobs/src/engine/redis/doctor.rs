//! What the server's settings mean for jobs: facts are read, then judged by a pure function.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use super::fault::RedisFault;
use super::link::Visit;
use super::reply::{list, text};
use super::store::Store;
use super::topology::Place;
use crate::error::{EngineError, OpenError};

/// What is known of a server. `None`: it does not say, as managed servers often do not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RedisFacts {
    /// Its version.
    pub version: String,
    /// `master` or `slave`.
    pub role: String,
    /// Whether it is a node of a Redis Cluster.
    pub cluster: bool,
    /// What it does when memory is used up.
    pub maxmemory_policy: Option<String>,
    /// Whether it keeps an append-only file.
    pub append_only: Option<bool>,
    /// How often that file is brought to the disk.
    pub append_fsync: Option<String>,
    /// When it writes snapshots; empty for never.
    pub save: Option<String>,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Jobs can be lost.
    Warning,
    /// Jobs will be lost, or nothing works.
    Problem,
}

/// Something about the server's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What it means and what to do.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What is known of one node of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeFacts {
    /// Its host and port.
    pub address: String,
    /// Its settings; none when it does not answer.
    pub facts: Option<RedisFacts>,
}

/// A server's settings and what they mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RedisReport {
    /// The settings; of a cluster those of the first node that answered.
    pub facts: RedisFacts,
    /// The masters of a cluster; empty for a single server.
    pub nodes: Vec<NodeFacts>,
    /// What they mean, worst first.
    pub findings: Vec<Finding>,
}

impl RedisReport {
    /// Why the engine does not work on this server at all.
    pub(super) fn refusal(&self) -> Result<(), OpenError> {
        let of_nodes = self.nodes.iter().filter_map(|node| node.facts.as_ref());
        let mut all = of_nodes.chain([&self.facts]);
        match all.find(|facts| too_old(&facts.version)) {
            Some(facts) => Err(OpenError::ServerTooOld {
                found: facts.version.clone(),
            }),
            None => Ok(()),
        }
    }
}

/// Scripts use commands of 6.2. A version nobody can read is taken as new.
fn too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < (6, 2),
        _ => false,
    }
}

/// Says what the settings mean.
pub fn judge(facts: &RedisFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |severity, text: String| findings.push(Finding { severity, text });
    if facts.role == "slave" {
        let text = "it is a replica, which refuses every change: give the address of the primary";
        find(Severity::Problem, text.to_owned());
    }
    match facts.maxmemory_policy.as_deref() {
        Some("noeviction") => {}
        Some(policy) => find(
            Severity::Problem,
            format!(
                "maxmemory-policy is {policy}: jobs vanish when memory is used up; set it to noeviction"
            ),
        ),
        None => find(
            Severity::Note,
            "it does not tell its maxmemory-policy: make sure that it is noeviction".to_owned(),
        ),
    }
    match (facts.append_only, facts.append_fsync.as_deref()) {
        (Some(true), Some("always")) => {}
        (Some(true), fsync) => find(
            Severity::Warning,
            format!(
                "a power loss can take the last second (appendfsync is {}); set it to always to keep every job",
                fsync.unwrap_or("unknown")
            ),
        ),
        (Some(false), _) => {
            let saved = facts.save.as_deref().unwrap_or("");
            let what = if saved.is_empty() {
                "a restart loses all jobs".to_owned()
            } else {
                format!("a restart loses the jobs since the last snapshot (save {saved})")
            };
            let text = format!("appendonly is off: {what}; set appendonly to yes");
            find(Severity::Warning, text);
        }
        (None, _) => find(
            Severity::Note,
            "it does not tell whether it keeps an append-only file: without one a restart loses jobs"
                .to_owned(),
        ),
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// Says what the settings of a cluster's nodes mean. What is so on several nodes is said once.
fn judge_all(nodes: &[NodeFacts]) -> Vec<Finding> {
    let mut said: Vec<(Finding, Vec<&str>)> = Vec::new();
    for node in nodes {
        let findings = node.facts.as_ref().map_or_else(|| vec![silent()], judge);
        for finding in findings {
            match said.iter_mut().find(|(known, _)| *known == finding) {
                Some((_, where_so)) => where_so.push(&node.address),
                None => said.push((finding, vec![&node.address])),
            }
        }
    }
    let mut findings: Vec<Finding> = said
        .into_iter()
        .map(|(finding, where_so)| Finding {
            text: format!("{}: {}", where_so.join(", "), finding.text),
            ..finding
        })
        .collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// A node that is not there.
fn silent() -> Finding {
    Finding {
        severity: Severity::Problem,
        text: "it does not answer: the queues it has stand still".to_owned(),
    }
}

/// Reads the settings of a server, or of each master of a cluster, and judges them.
pub(super) async fn look(store: &Store) -> Result<RedisReport, EngineError> {
    let mut nodes = Vec::new();
    let mut missing = None;
    for place in store.link.topology.places().await? {
        let facts = match facts(store, &place).await {
            Ok(facts) if place == Place::Primary => {
                return Ok(RedisReport {
                    findings: judge(&facts),
                    facts,
                    nodes,
                });
            }
            Ok(facts) => Some(facts),
            Err(fault) => {
                missing = Some(fault);
                None
            }
        };
        nodes.push(NodeFacts {
            address: place.to_string(),
            facts,
        });
    }
    match nodes.iter().find_map(|node| node.facts.clone()) {
        Some(facts) => Ok(RedisReport {
            findings: judge_all(&nodes),
            facts,
            nodes,
        }),
        None => Err(missing.unwrap_or(RedisFault::NoOwner(0)).into()),
    }
}

/// The settings of the server at `place`.
async fn facts(store: &Store, place: &Place) -> Result<RedisFacts, RedisFault> {
    let mut visit = store.link.visit(place).await?;
    let answer = visit.query(&redis::cmd("INFO")).await?;
    let info = text(answer).unwrap_or_default();
    let known: HashMap<&str, &str> = info
        .lines()
        .filter_map(|line| line.trim().split_once(':'))
        .collect();
    let told = |name: &str| known.get(name).map(|value| (*value).to_owned());
    Ok(RedisFacts {
        version: told("redis_version").unwrap_or_default(),
        role: told("role").unwrap_or_default(),
        cluster: told("cluster_enabled").as_deref() == Some("1"),
        maxmemory_policy: told("maxmemory_policy"),
        append_only: told("aof_enabled").map(|enabled| enabled == "1"),
        append_fsync: setting(&mut visit, "appendfsync").await,
        save: setting(&mut visit, "save").await,
    })
}

/// A setting, if the server tells it.
async fn setting(visit: &mut Visit, name: &str) -> Option<String> {
    let mut get = redis::cmd("CONFIG");
    get.arg("GET").arg(name);
    let answer = visit.query(&get).await.ok()?;
    list(answer).into_iter().nth(1).and_then(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn safe() -> RedisFacts {
        RedisFacts {
            version: "7.0.15".to_owned(),
            role: "master".to_owned(),
            cluster: false,
            maxmemory_policy: Some("noeviction".to_owned()),
            append_only: Some(true),
            append_fsync: Some("always".to_owned()),
            save: Some(String::new()),
        }
    }

    fn check(facts: &RedisFacts, expected: &[(Severity, &str)]) {
        let found = judge(facts);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (finding, (severity, part)) in found.iter().zip(expected) {
            assert_eq!(finding.severity, *severity, "{finding}");
            assert!(finding.text.contains(part), "{finding}");
        }
    }

    #[test]
    fn what_can_be_lost_is_said() {
        check(&safe(), &[]);
        let every_second = RedisFacts {
            append_fsync: Some("everysec".to_owned()),
            ..safe()
        };
        check(&every_second, &[(Severity::Warning, "last second")]);
        let memory_only = RedisFacts {
            append_only: Some(false),
            maxmemory_policy: Some("allkeys-lru".to_owned()),
            ..safe()
        };
        check(
            &memory_only,
            &[
                (Severity::Problem, "allkeys-lru"),
                (Severity::Warning, "loses all jobs"),
            ],
        );
        let silent = RedisFacts {
            maxmemory_policy: None,
            append_only: None,
            ..safe()
        };
        check(
            &silent,
            &[
                (Severity::Note, "noeviction"),
                (Severity::Note, "append-only"),
            ],
        );
    }

    #[test]
    fn what_is_so_on_several_nodes_is_said_once() {
        let node = |port: u16, facts| NodeFacts {
            address: format!("h:{port}"),
            facts,
        };
        let every_second = RedisFacts {
            append_fsync: Some("everysec".to_owned()),
            ..safe()
        };
        let found = judge_all(&[
            node(1, Some(every_second.clone())),
            node(2, None),
            node(3, Some(every_second)),
            node(4, Some(safe())),
        ]);
        let texts: Vec<&str> = found.iter().map(|finding| finding.text.as_str()).collect();
        assert!(texts[0].starts_with("h:2: it does not answer"), "{texts:?}");
        assert!(texts[1].starts_with("h:1, h:3: a power loss"), "{texts:?}");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn servers_before_6_2_are_refused() {
        for (version, refused) in [
            ("6.0.16", true),
            ("6.2.0", false),
            ("7.4.1", false),
            ("?", false),
        ] {
            assert_eq!(too_old(version), refused, "{version}");
        }
        let old = NodeFacts {
            address: "h:1".to_owned(),
            facts: Some(RedisFacts {
                version: "6.0.16".to_owned(),
                ..safe()
            }),
        };
        let report = RedisReport {
            facts: safe(),
            nodes: vec![old],
            findings: Vec::new(),
        };
        assert!(report.refusal().is_err(), "one node is enough");
    }
}
