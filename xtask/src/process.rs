//! Running other programs: what is run is printed, and a failure says which one.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

/// A program to run to its end.
#[derive(Debug)]
pub(crate) struct Program {
    command: Command,
}

/// `cargo` (the one that started this program), in the workspace's root.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: &[S]) -> Program {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut program = Program::new(cargo);
    program
        .command
        .args(arguments)
        .current_dir(crate::workspace::root());
    program
}

impl Program {
    /// `program`, found on the PATH unless it is a path.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        Self { command }
    }

    /// Adds arguments.
    pub(crate) fn arguments<S: AsRef<OsStr>>(&mut self, arguments: &[S]) -> &mut Self {
        self.command.args(arguments);
        self
    }

    /// Sets an environment variable.
    pub(crate) fn variable(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Self {
        self.command.env(name, value);
        self
    }

    /// Runs in `folder`.
    pub(crate) fn folder(&mut self, folder: &Path) -> &mut Self {
        self.command.current_dir(folder);
        self
    }

    /// Runs to the end with this program's own output.
    pub(crate) fn run(&mut self) -> Result<(), String> {
        let line = self.line();
        println!("  $ {line}");
        match self.command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{line}` ended with {status}")),
            Err(error) => Err(format!("`{line}` could not be started: {error}")),
        }
    }

    /// Runs to the end silently and gives its standard output.
    pub(crate) fn output(&mut self) -> Result<String, String> {
        let line = self.line();
        let output = self
            .command
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("`{line}` could not be started: {error}"))?;
        if !output.status.success() {
            return Err(format!("`{line}` ended with {}", output.status));
        }
        String::from_utf8(output.stdout).map_err(|_| format!("`{line}` printed no UTF-8"))
    }

    /// Whether it can be run and ends well; its output is dropped.
    pub(crate) fn succeeds(&mut self) -> bool {
        let quiet = self.command.stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    }

    fn line(&self) -> String {
        let name = Path::new(self.command.get_program());
        let name = name
            .file_name()
            .unwrap_or(name.as_os_str())
            .to_string_lossy();
        let arguments = self.command.get_args().map(|a| a.to_string_lossy());
        std::iter::once(name)
            .chain(arguments)
            .collect::<Vec<_>>()
            .join(" ")
    }
}
