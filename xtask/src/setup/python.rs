//! Python programs in a venv of their own under the target folder.

use std::path::PathBuf;

use crate::process::Program;
use crate::workspace;

/// A venv and the file that says what is in it.
pub(super) struct Environment {
    folder: &'static str,
    requirements: &'static str,
    /// More for pip.
    options: &'static [&'static str],
}

/// What the tests run.
pub(super) const TESTS: Environment = Environment {
    folder: "python",
    requirements: "xtask/python/requirements.txt",
    options: &[],
};

/// Clients of others that the tests let ask the server.
pub(super) const CLIENTS: Environment = Environment {
    folder: "clients",
    requirements: "xtask/python/clients.txt",
    options: &[],
};

/// BullMQ for Python, the other side of the interop tests.
pub(super) const INTEROP: Environment = Environment {
    folder: "interop-python",
    requirements: "crates/jobs/tests/interop/python/requirements.txt",
    options: &[],
};

/// AWS's own signer, which the tokens of Amazon RDS are compared with.
pub(super) const BOTOCORE: Environment = Environment {
    folder: "botocore",
    requirements: "xtask/python/aws.txt",
    options: &[],
};

/// Emulators of AWS Lambda: single programs, of packages whose Python parts are not used.
pub(super) const EMULATORS: Environment = Environment {
    folder: "emulators",
    requirements: "xtask/python/emulators.txt",
    options: &["--no-deps"],
};

/// AWS's own judges of templates.
pub(super) const TEMPLATE: Environment = Environment {
    folder: "template",
    requirements: "xtask/python/template.txt",
    options: &[],
};

/// The `PocketBase` peer.
pub(super) const POCKETBASE: Environment = Environment {
    folder: "pocketbase",
    requirements: "bench/peers/pocketbase/requirements.txt",
    options: &[],
};

/// nginx and Caddy, as peers.
pub(super) const PROXIES: Environment = Environment {
    folder: "proxies",
    requirements: "bench/peers/proxies/requirements.txt",
    options: &[],
};

/// Whether venvs can be made.
pub(super) fn venv_works() -> bool {
    Program::new("python3")
        .arguments(&["-c", "import venv, ensurepip"])
        .succeeds()
}

impl Environment {
    /// A program that was installed into it.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.path().join("bin").join(name)
    }

    /// Where its packages are.
    pub(super) fn packages(&self) -> PathBuf {
        let library = self.path().join("lib");
        let mut versions = std::fs::read_dir(&library).into_iter().flatten().flatten();
        let version =
            versions.find(|entry| entry.file_name().to_string_lossy().starts_with("python"));
        version.map_or(library, |version| version.path().join("site-packages"))
    }

    /// Whether it holds what the requirements say now.
    pub(super) fn is_current(&self) -> bool {
        let installed = std::fs::read(self.stamp());
        let wanted = std::fs::read(workspace::root().join(self.requirements));
        matches!((installed, wanted), (Ok(installed), Ok(wanted)) if installed == wanted)
    }

    /// Makes it anew.
    pub(super) fn install(&self) -> Result<(), String> {
        let requirements = workspace::root().join(self.requirements);
        Program::new("python3")
            .arguments(&["-m", "venv", "--clear"])
            .arguments(&[self.path()])
            .run()?;
        Program::new(self.program("pip"))
            .arguments(&[
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arguments(&[&requirements])
            .arguments(self.options)
            .run()?;
        std::fs::copy(&requirements, self.stamp())
            .map(|_| ())
            .map_err(|error| format!("the mark of what is installed could not be written: {error}"))
    }

    fn path(&self) -> PathBuf {
        workspace::target().join(self.folder)
    }

    /// A copy of the requirements that were installed.
    fn stamp(&self) -> PathBuf {
        self.path().join("requirements.txt")
    }
}
