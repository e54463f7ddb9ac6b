//! What every crate of the workspace shares, and what the README says about it.

use std::path::Path;

use super::Source;

/// Every manifest that goes its own way, and a README with another toolchain than the manifest's.
pub(super) fn violations(sources: &[Source]) -> Vec<String> {
    let mut found: Vec<String> = sources
        .iter()
        .filter(|source| is_member(&source.path))
        .flat_map(member)
        .collect();
    let text = |path: &str| {
        sources
            .iter()
            .find(|source| source.path == Path::new(path))
            .map(|source| &*source.text)
    };
    found.extend(toolchain(
        text("Cargo.toml").unwrap_or_default(),
        text("README.md"),
    ));
    found
}

/// The peers of the measurements and of the interop tests are no members: each has a lock file of its own.
fn is_member(path: &Path) -> bool {
    path.ends_with("Cargo.toml")
        && path != Path::new("Cargo.toml")
        && path != Path::new("fuzz/Cargo.toml")
        && !path.starts_with("bench/peers")
        && !path.starts_with("crates/jobs/tests/interop")
}

fn member(manifest: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let parsed: toml::Table = match manifest.text.parse() {
        Ok(parsed) => parsed,
        Err(error) => return vec![manifest.place(1, &error.to_string())],
    };
    let inherits = |value: Option<&toml::Value>| {
        value
            .and_then(|v| v.get("workspace"))
            .and_then(toml::Value::as_bool)
            == Some(true)
    };
    if !inherits(parsed.get("lints")) {
        found.push(manifest.place(
            1,
            "does not opt into the workspace's lints: [lints] workspace = true",
        ));
    }
    let package = parsed
        .get("package")
        .unwrap_or(&toml::Value::Boolean(false));
    for key in ["version", "edition", "rust-version", "license"] {
        if !inherits(package.get(key)) {
            found.push(manifest.place(
                1,
                &format!("says its own {key}: write {key}.workspace = true"),
            ));
        }
    }
    found
}

/// The oldest toolchain is said twice, and alike.
fn toolchain(manifest: &str, readme: Option<&str>) -> Option<String> {
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "));
    let Some(version) = version.map(|version| version.trim_matches('"')) else {
        return Some("Cargo.toml:1: states no rust-version".to_owned());
    };
    match readme {
        None => Some("README.md is missing".to_owned()),
        Some(text) if !text.contains(version) => Some(format!(
            "README.md:1: does not state {version}, which Cargo.toml asks for"
        )),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_inherits() {
        let fine = "[package]\nversion.workspace = true\nedition.workspace = true\nrust-version.workspace = true\n\
                    license.workspace = true\n[lints]\nworkspace = true\n";
        let manifest = |text: &str| Source {
            path: "crates/x/Cargo.toml".into(),
            text: text.to_owned(),
        };
        assert!(member(&manifest(fine)).is_empty());
        assert_eq!(
            member(&manifest(
                &fine.replace("[lints]\nworkspace", "[other]\nworkspace")
            ))
            .len(),
            1
        );
        assert_eq!(
            member(&manifest(
                &fine.replace("edition.workspace = true", "edition = '2021'")
            ))
            .len(),
            1
        );
        assert_eq!(member(&manifest("not toml at all")).len(), 1);
    }

    #[test]
    fn the_readme_states_the_toolchain() {
        let manifest = "rust-version = \"1.95\"";
        assert_eq!(toolchain(manifest, Some("needs Rust 1.95 or newer")), None);
        assert!(toolchain(manifest, Some("needs Rust 1.80")).is_some_and(|m| m.contains("1.95")));
        assert!(toolchain(manifest, None).is_some());
        assert!(toolchain("", Some("Rust 1.95")).is_some());
    }
}
