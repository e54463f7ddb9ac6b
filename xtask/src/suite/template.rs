//! AWS's own validators on every kind of template that we write, and on those of the command line.

use std::path::Path;

use crate::process::{Program, cargo};
use crate::{setup, workspace};

/// What a user writes, of the example's configuration.
const LINES: [(&str, &[&str]); 4] = [
    ("command-line", &[]),
    (
        "command-line-proxy",
        &["--vpc", "--proxy", "--iam", "--entry", "http"],
    ),
    (
        "command-line-cold",
        &[
            "--provisioned",
            "0",
            "--keep-warm",
            "off",
            "--entry",
            "rest",
            "--public",
        ],
    ),
    (
        "command-line-image",
        &[
            "--provisioned",
            "0",
            "--image",
            "--snap-start",
            "--entry",
            "direct",
        ],
    ),
];

/// Writes them into a folder of their own and asks.
pub(super) fn run() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    cargo(&[
        "run",
        "--quiet",
        "--package",
        "paceline-deploy",
        "--example",
        "every_template",
        "--",
    ])
    .arguments(&[folder.path()])
    .run()?;
    cargo(&["build", "--workspace", "--bins", "--quiet"]).run()?;
    for (name, arguments) in LINES {
        let text = written(arguments)?;
        write(&folder.path().join(name).with_extension("yaml"), &text)?;
    }
    Program::new(setup::template_python())
        .arguments(&[workspace::root().join("xtask/python/template.py")])
        .arguments(&[folder.path()])
        .run()
}

fn written(arguments: &[&str]) -> Result<String, String> {
    let mut program = Program::new(workspace::target().join("debug/paceline"));
    program
        .arguments(&[
            "lambda",
            "template",
            "--config",
            "examples/lambda/paceline.toml",
        ])
        .arguments(arguments)
        .variable(
            "DATABASE_URL",
            "postgres://app:a-password@db.example.com/shop",
        )
        .folder(workspace::root());
    let text = program.output()?;
    if text.contains("a-password") {
        return Err(format!(
            "{arguments:?}: the password stands in the template"
        ));
    }
    Ok(text)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
