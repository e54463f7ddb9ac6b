//! The part of `cargo metadata` that the checks read.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::process::cargo;

/// Every package of the build, and which needs which.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    /// All packages, the workspace's and the others.
    pub(crate) packages: Vec<Package>,
    /// Ids of the workspace's own packages.
    pub(crate) workspace_members: Vec<String>,
    /// The resolved graph.
    pub(crate) resolve: Resolve,
}

/// One package.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
}

/// The resolved graph.
#[derive(Debug, Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

/// What one package depends on.
#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) deps: Vec<Dependency>,
}

/// One edge of the graph.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) pkg: String,
    pub(crate) dep_kinds: Vec<DependencyKind>,
}

/// Why the edge is there.
#[derive(Debug, Deserialize)]
pub(crate) struct DependencyKind {
    /// `None` is a normal dependency; else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

impl Metadata {
    /// Asks cargo, for the platform this is built on.
    pub(crate) fn read() -> Result<Self, String> {
        let host = host_platform()?;
        let arguments = [
            "metadata",
            "--format-version",
            "1",
            "--filter-platform",
            &host,
        ];
        let text = cargo(&arguments).output()?;
        serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))
    }

    /// The workspace's own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|p| self.workspace_members.contains(&p.id))
    }

    /// The package of that id.
    pub(crate) fn package(&self, id: &str) -> Option<&Package> {
        self.packages.iter().find(|p| p.id == id)
    }

    /// Names of everything `id` needs to be built and run, at any depth; test-only needs are not followed.
    pub(crate) fn needs(&self, id: &str) -> Vec<&str> {
        let mut seen = vec![id];
        let mut next = 0;
        while let Some(id) = seen.get(next).copied() {
            next += 1;
            let node = self.resolve.nodes.iter().find(|node| node.id == id);
            for dependency in node.map_or(&[][..], |node| &node.deps) {
                let is_dev = |k: &DependencyKind| k.kind.as_deref() == Some("dev");
                if !dependency.dep_kinds.iter().all(is_dev)
                    && !seen.contains(&dependency.pkg.as_str())
                {
                    seen.push(&dependency.pkg);
                }
            }
        }
        let packages = seen.into_iter().skip(1).filter_map(|id| self.package(id));
        packages.map(|package| package.name.as_str()).collect()
    }
}

fn host_platform() -> Result<String, String> {
    let text = crate::process::Program::new("rustc")
        .arguments(&["-vV"])
        .output()?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| "rustc -vV names no host".to_owned())
}
