//! Emulators of AWS Lambda: programs that lie in Python packages.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::python::EMULATORS;

/// AWS's runtime interface emulator, wherever it lies.
pub(super) fn rie() -> PathBuf {
    let machine = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    };
    let file = format!("samcli/local/rapid/aws-lambda-rie-{machine}");
    EMULATORS.packages().join(file)
}

/// cargo-lambda, wherever it lies.
pub(super) fn cargo_lambda() -> PathBuf {
    EMULATORS.program("cargo-lambda")
}

/// Whether both are there.
pub(super) fn is_current() -> bool {
    EMULATORS.is_current() && rie().is_file() && cargo_lambda().is_file()
}

/// Installs both.
pub(super) fn install() -> Result<(), String> {
    EMULATORS.install()?;
    let rie = rie();
    // The package does not start it itself, so it comes without the right to be.
    fs::set_permissions(&rie, fs::Permissions::from_mode(0o755))
        .map_err(|error| format!("{}: {error}", rie.display()))
}
