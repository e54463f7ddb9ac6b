//! How the binary is started where nobody gives it arguments: as the `bootstrap` of a function.

use std::ffi::OsString;
use std::path::Path;

/// What Lambda sets and nothing else does.
const RUNTIME: &str = "AWS_LAMBDA_RUNTIME_API";
/// The folder that the archive was unpacked into.
const ROOT: &str = "LAMBDA_TASK_ROOT";

/// The arguments to read: those given, or, without any on Lambda, `serve` with the archive's configuration.
pub(in crate::cli) fn arguments(
    given: impl Iterator<Item = OsString>,
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = given.collect();
    if arguments.len() <= 1 && variable(RUNTIME).is_some() {
        arguments.resize(1, "paceline".into());
        arguments.push("serve".into());
        if let Some(root) = variable(ROOT) {
            arguments.push("--config".into());
            arguments.push(Path::new(&root).join("paceline.toml").into());
        }
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &[&str], set: &[(&str, &str)], expected: &[&str]) {
        let variable = |name: &str| {
            let found = set.iter().find(|variable| variable.0 == name);
            found.map(|variable| OsString::from(variable.1))
        };
        let found = arguments(given.iter().map(OsString::from), &variable);
        assert_eq!(found, expected, "{given:?} {set:?}");
    }

    #[test]
    fn a_function_serves_what_was_packed() {
        let lambda = [(RUNTIME, "127.0.0.1:9001"), (ROOT, "/var/task")];
        check(
            &["/var/task/bootstrap"],
            &lambda,
            &[
                "/var/task/bootstrap",
                "serve",
                "--config",
                "/var/task/paceline.toml",
            ],
        );
        check(&["bootstrap"], &lambda[..1], &["bootstrap", "serve"]);
        check(&[], &lambda[..1], &["paceline", "serve"]);
        check(&["bootstrap", "demo"], &lambda, &["bootstrap", "demo"]);
        check(&["paceline"], &lambda[1..], &["paceline"]);
    }
}
