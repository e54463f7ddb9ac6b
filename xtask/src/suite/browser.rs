//! A real Chromium on the demo: 304 on reload, codings, event streams over a broken network and a restart.

use super::demo::Demo;
use crate::process::Program;
use crate::server::free_address;
use crate::{setup, workspace};

/// A host of the demo that is not localhost.
const OUTSIDE: &str = "shop.example";

/// Lets the script start and stop the demo while a browser looks at it.
pub(super) fn run() -> Result<(), String> {
    let demo = Demo::make(Some(OUTSIDE))?;
    let port = free_address()?.port().to_string();
    Program::new(setup::clients_program("python"))
        .arguments(&[workspace::root().join("xtask/python/browser.py")])
        .arguments(&[&demo.binary, &demo.configuration])
        .arguments(&[&port])
        .folder(demo.folder())
        .run()
}
