//! Who may know whom, proven from `cargo metadata`.
//!
//! The rules are those of ARCHITECTURE.md: the libraries know nothing of each other, jobs know no HTTP, data answers
//! none, deploy talks to nobody, what runs a service knows none in particular, and only the `paceline` crate knows all.

use crate::metadata::Metadata;

/// HTTP, as a dependency: what `paceline-jobs` must not need at any depth.
/// `tower` and `tower-service` know none: a service is a function that may have to wait.
const HTTP: [&str; 6] = [
    "axum",
    "axum-core",
    "tower-http",
    "hyper",
    "hyper-util",
    "http",
];

/// What answers HTTP, as a dependency: what `paceline-data` must not need at any depth. It may ask: some databases are
/// reached over HTTP.
const FRAMEWORKS: [&str; 4] = ["axum", "axum-core", "tower-http", "tower"];

/// Databases, as a dependency: what `paceline-http` must not need at any depth.
const STORES: [&str; 4] = [
    "rusqlite",
    "libsqlite3-sys",
    "tokio-postgres",
    "mysql_async",
];

/// What talks to anybody, as a dependency: what `paceline-deploy` must not need at any depth.
const OUTSIDE: [&str; 8] = [
    "axum",
    "axum-core",
    "http",
    "hyper",
    "libsqlite3-sys",
    "mysql_async",
    "tokio",
    "tokio-postgres",
];

/// Frameworks and databases, as a dependency: what `paceline-serverless` must not need at any depth. It starts in
/// milliseconds, whatever service it is given.
const HEAVY: [&str; 8] = [
    "axum",
    "axum-core",
    "tower-http",
    "tower",
    "rusqlite",
    "libsqlite3-sys",
    "tokio-postgres",
    "mysql_async",
];

/// One library and what it must not need.
#[derive(Debug)]
struct Rule {
    member: &'static str,
    forbidden: &'static [&'static str],
    why: &'static str,
}

const RULES: [Rule; 5] = [
    Rule {
        member: "paceline-http",
        forbidden: &STORES,
        why: "it knows no database and no queue",
    },
    Rule {
        member: "paceline-jobs",
        forbidden: &HTTP,
        why: "it knows no HTTP",
    },
    Rule {
        member: "paceline-data",
        forbidden: &FRAMEWORKS,
        why: "it knows no HTTP framework",
    },
    Rule {
        member: "paceline-deploy",
        forbidden: &OUTSIDE,
        why: "it is functions of values, and talks to nobody",
    },
    Rule {
        member: "paceline-serverless",
        forbidden: &HEAVY,
        why: "it runs any service and knows none",
    },
];

/// Members that may need the product's crates: the facade, what tests or measures it, and the examples.
const KNOWS_OTHERS: [&str; 6] = [
    "axum-app",
    "lambda-app",
    "paceline",
    "paceline-bench",
    "paceline-conformance",
    "paceline-fuzz-bodies",
];

/// Every broken rule, as a sentence.
pub(crate) fn violations(metadata: &Metadata) -> Vec<String> {
    let mut found = Vec::new();
    for rule in &RULES {
        if !metadata.members().any(|member| member.name == rule.member) {
            found.push(format!(
                "the workspace has no {}, which a rule is about",
                rule.member
            ));
        }
    }
    for member in metadata.members() {
        let needs = metadata.needs(&member.id);
        for rule in RULES.iter().filter(|rule| rule.member == member.name) {
            for name in needs.iter().filter(|name| rule.forbidden.contains(name)) {
                found.push(format!("{} needs {name}, but {}", member.name, rule.why));
            }
        }
        if KNOWS_OTHERS.contains(&member.name.as_str()) {
            continue;
        }
        for other in metadata
            .members()
            .filter(|other| needs.contains(&other.name.as_str()))
        {
            found.push(format!(
                "{} needs {}: only `paceline` knows the others",
                member.name, other.name
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace of `(package, what it needs, kind of the need)`.
    fn workspace(edges: &[(&str, &str, Option<&str>)]) -> Metadata {
        let mut names = vec![
            "paceline",
            "paceline-http",
            "paceline-jobs",
            "paceline-data",
            "paceline-deploy",
            "paceline-serverless",
        ];
        let members = names.clone();
        names.extend(edges.iter().flat_map(|edge| [edge.0, edge.1]));
        names.sort_unstable();
        names.dedup();
        let node = |name: &&str| {
            let deps = edges
                .iter()
                .filter(|edge| edge.0 == *name)
                .map(|edge| serde_json::json!({"pkg": edge.1, "dep_kinds": [{"kind": edge.2}]}));
            serde_json::json!({"id": name, "deps": deps.collect::<Vec<_>>()})
        };
        let package = |name: &&str| serde_json::json!({"id": name, "name": name, "version": "1.0.0", "features": {}});
        serde_json::from_value(serde_json::json!({
            "packages": names.iter().map(package).collect::<Vec<_>>(),
            "workspace_members": members,
            "resolve": {"nodes": names.iter().map(node).collect::<Vec<_>>()},
        }))
        .expect("the shape of cargo metadata")
    }

    #[test]
    fn directions_are_told_apart() {
        for (edges, expected) in [
            (
                vec![
                    ("paceline", "paceline-http", None),
                    ("paceline", "paceline-jobs", None),
                ],
                0,
            ),
            (
                vec![
                    ("paceline-http", "axum", None),
                    ("paceline-data", "rusqlite", None),
                ],
                0,
            ),
            (vec![("paceline-http", "paceline-jobs", None)], 1),
            (vec![("paceline-data", "axum", None)], 1),
            (vec![("paceline-data", "axum", Some("dev"))], 0),
            (vec![("paceline-serverless", "hyper", None)], 0),
            (vec![("paceline-serverless", "tower", None)], 1),
            (vec![("paceline-serverless", "paceline-jobs", None)], 1),
            (vec![("paceline-data", "hyper", None)], 0),
            (vec![("paceline-deploy", "tokio", None)], 1),
            (vec![("paceline-deploy", "paceline-data", None)], 1),
            (vec![("paceline", "paceline-deploy", None)], 0),
            (
                vec![
                    ("paceline-jobs", "some-client", None),
                    ("some-client", "hyper", None),
                ],
                1,
            ),
            (
                vec![
                    ("paceline-http", "cache", None),
                    ("cache", "rusqlite", Some("build")),
                ],
                1,
            ),
        ] {
            let found = violations(&workspace(&edges));
            assert_eq!(found.len(), expected, "{edges:?}: {found:?}");
        }
    }

    #[test]
    fn a_crate_that_a_rule_names_must_exist() {
        let mut metadata = workspace(&[]);
        metadata
            .workspace_members
            .retain(|id| id != "paceline-jobs");
        assert!(violations(&metadata)[0].contains("no paceline-jobs"));
    }
}
