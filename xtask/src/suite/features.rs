//! Each feature of each crate builds alone: features are additive.

use crate::metadata::{Metadata, Package};
use crate::process::cargo;

/// clippy on every crate that has features: with none, then with each alone. Code that only another feature uses is a
/// warning, and warnings fail.
pub(super) fn run() -> Result<(), String> {
    let metadata = Metadata::read()?;
    let mut checked = 0;
    for (package, feature) in metadata.members().flat_map(choices) {
        let mut check = cargo(&[
            "clippy",
            "--quiet",
            "--package",
            &package.name,
            "--no-default-features",
        ]);
        if let Some(feature) = feature {
            check.arguments(&["--features", feature]);
        }
        check.arguments(&["--", "-D", "warnings"]);
        check.run()?;
        checked += 1;
    }
    if checked == 0 {
        println!("  no crate has features");
    }
    Ok(())
}

/// What is checked of one crate: nothing when it has no features.
fn choices(package: &Package) -> impl Iterator<Item = (&Package, Option<&str>)> {
    let names = package
        .features
        .keys()
        .map(String::as_str)
        .filter(|name| *name != "default");
    let none = (!package.features.is_empty()).then_some(None);
    none.into_iter()
        .chain(names.map(Some))
        .map(move |feature| (package, feature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_checked_with_none_and_with_each() {
        for (features, expected) in [
            (serde_json::json!({}), vec![]),
            (
                serde_json::json!({"default": ["a"], "a": [], "b": []}),
                vec![None, Some("a"), Some("b")],
            ),
        ] {
            let package = serde_json::json!({"id": "x", "name": "x", "version": "1.0.0", "features": features});
            let package: Package = serde_json::from_value(package).expect("a package");
            let found: Vec<_> = choices(&package).map(|(_, feature)| feature).collect();
            assert_eq!(found, expected);
        }
    }
}
