//! Licences, banned crates and sources, as `deny.toml` says.
//!
//! `cargo deny` is used when it is installed. Where it is not, the same file is judged here from
//! `cargo metadata`: licence expressions, banned names and registries. What only cargo-deny knows
//! (advisories, licence files without an expression) is not looked at.

mod expression;
mod policy;

use std::collections::BTreeMap;

use crate::metadata::Metadata;
use crate::process::{Program, cargo};
use policy::Policy;

/// Judges the whole graph.
pub(crate) fn run() -> Result<(), String> {
    if Program::new("cargo-deny")
        .arguments(&["--version"])
        .succeeds()
    {
        return cargo(&["deny", "check", "bans", "licenses", "sources"]).run();
    }
    println!("  cargo-deny is not installed: deny.toml is read by xtask itself");
    let policy = Policy::read()?;
    let metadata = Metadata::read()?;
    for line in duplicates(&metadata) {
        println!("  two versions: {line}");
    }
    let found = violations(&policy, &metadata);
    if found.is_empty() {
        println!(
            "  {} packages: licences, bans and sources are as deny.toml says",
            metadata.packages.len()
        );
        return Ok(());
    }
    Err(found.join("\n"))
}

fn violations(policy: &Policy, metadata: &Metadata) -> Vec<String> {
    let mut found = Vec::new();
    for package in &metadata.packages {
        let name = format!("{} {}", package.name, package.version);
        if let Some(ban) = policy.ban(&package.name) {
            found.push(format!("{name} is banned: {}", ban.reason));
        }
        match &package.license {
            None => found.push(format!("{name} names no licence")),
            Some(licence) => match expression::allowed(licence, &policy.licenses.allow) {
                Ok(true) => {}
                Ok(false) => found.push(format!(
                    "{name}: the licence {licence:?} is not in deny.toml's list"
                )),
                Err(problem) => found.push(format!(
                    "{name}: the licence {licence:?} cannot be read: {problem}"
                )),
            },
        }
        if let Some(source) = &package.source
            && !policy.allows_source(source)
        {
            found.push(format!(
                "{name} comes from {source}, which deny.toml does not allow"
            ));
        }
    }
    found
}

fn duplicates(metadata: &Metadata) -> Vec<String> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in &metadata.packages {
        versions
            .entry(&package.name)
            .or_default()
            .push(&package.version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    versions
        .into_iter()
        .map(|(name, versions)| format!("{name} {}", versions.join(", ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(name: &str, licence: Option<&str>, source: Option<&str>) -> Vec<String> {
        let policy = Policy::parse(
            "[licenses]\nallow = ['MIT']\n[bans]\ndeny = [{ crate = 'chrono', reason = 'jiff' }]\n\
             [sources]\nallow-registry = ['https://example.test/index']",
        );
        let metadata = serde_json::from_value(serde_json::json!({
            "packages": [{"id": "a", "name": name, "version": "1.0.0", "license": licence,
                          "source": source, "features": {}}],
            "workspace_members": [],
            "resolve": {"nodes": []},
        }));
        violations(&policy.expect("a policy"), &metadata.expect("metadata"))
    }

    #[test]
    fn each_rule_bites() {
        let registry = Some("registry+https://example.test/index");
        for (name, licence, source, part) in [
            (
                "serde",
                Some("GPL-3.0"),
                registry,
                "not in deny.toml's list",
            ),
            ("serde", None, registry, "names no licence"),
            ("serde", Some("MIT OR"), registry, "cannot be read"),
            ("chrono", Some("MIT"), registry, "is banned: jiff"),
            (
                "serde",
                Some("MIT"),
                Some("git+https://example.test/index"),
                "comes from",
            ),
        ] {
            let found = judged(name, licence, source);
            assert_eq!(found.len(), 1, "{name} {licence:?}: {found:?}");
            assert!(found[0].contains(part), "{found:?}");
        }
        assert!(judged("serde", Some("MIT"), registry).is_empty());
        assert!(judged("ours", Some("MIT"), None).is_empty());
    }
}
