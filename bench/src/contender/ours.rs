//! Paceline's release binary on the demo's shop, with the demo's configuration less its limits.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Data;
use crate::server::{Server, free_address};
use crate::{Outcome, places};

/// Whether answers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cache {
    /// As the demo does.
    On,
    /// Every request runs its query.
    Off,
}

/// Lets `paceline demo` make its shop, once.
pub(super) fn make_shop(folder: &Path) -> Outcome<PathBuf> {
    let shop = folder.join("shop");
    let address = free_address()?;
    let mut command = Command::new(places::paceline());
    command
        .arg("demo")
        .arg("--dir")
        .arg(&shop)
        .arg("--listen")
        .arg(address.to_string());
    drop(Server::start(&mut command, address, "/health/ready")?);
    Ok(shop.join("shop.db"))
}

/// Paceline on the shop.
pub(crate) fn ours(data: &Data, cache: Cache) -> Outcome<Server> {
    let printed = Command::new(places::paceline())
        .args(["demo", "--print-config"])
        .output();
    let printed = printed.map_err(|error| format!("paceline demo --print-config: {error}"))?;
    let name = if cache == Cache::On {
        "bench.toml"
    } else {
        "bench-without-cache.toml"
    };
    let path = data.shop.with_file_name(name);
    let text = without_limits(&String::from_utf8_lossy(&printed.stdout), cache);
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    let address = free_address()?;
    let mut command = Command::new(places::paceline());
    command
        .arg("serve")
        .arg("--config")
        .arg(&path)
        .arg("--listen")
        .arg(address.to_string());
    Server::start(&mut command, address, "/health/ready")
}

/// Paceline on the table to export, without any configuration.
pub(crate) fn ours_on_export(data: &Data) -> Outcome<Server> {
    let address = free_address()?;
    let mut command = Command::new(places::paceline());
    command
        .arg("serve")
        .arg(format!("sqlite:{}", data.export.display()))
        .arg("--listen")
        .arg(address.to_string());
    Server::start(&mut command, address, "/health/ready")
}

/// The demo's configuration without `[[limits]]`, the admin listener and the bounds on mails; nothing else is changed.
fn without_limits(configuration: &str, cache: Cache) -> String {
    let mut in_limits = false;
    let mut kept = String::new();
    for line in configuration.lines() {
        if line.starts_with('[') {
            in_limits = line.starts_with("[[limits]]");
        }
        if in_limits {
            continue;
        }
        let key = line.split('=').next().unwrap_or_default().trim();
        kept.push_str(match key {
            "admin_listen" => "admin_listen = \"off\"",
            "max_waiting" => "max_waiting = 100000000",
            "max_per_window" => "max_per_window = 100000000",
            "size" if cache == Cache::Off => "size = \"0B\"",
            _ => line,
        });
        kept.push('\n');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_limits_go() {
        let text = "[cache]\nsize = \"64MiB\"\n[[limits]]\nname = \"a\"\nmax = 5\n[export]\nenabled = true\n";
        let expected = "[cache]\nsize = \"64MiB\"\n[export]\nenabled = true\n";
        assert_eq!(without_limits(text, Cache::On), expected);
        assert_eq!(
            without_limits(text, Cache::Off),
            expected.replace("64MiB", "0B")
        );
    }
}
