//! `paceline demo`: a shop on an embedded database, and the configuration that serves it.
//!
//! [`prepare`] makes the shop or finds the one an earlier start has made, [`config`] is the embedded
//! `demo.toml` with its paths in the demo's folder, [`banner`] is what a newcomer can paste.

mod banner;
mod folder;
mod shop;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::Config;
use folder::DemoFolder;

pub use banner::banner;
pub use folder::{Created, FolderError};
pub use shop::{PASSWORD, SHOP, ShopError, Size, create, login_email};

/// The folder used unless another is named, in the current one.
pub const FOLDER: &str = "paceline-demo";

/// The configuration as a file; the contract of every key.
pub const CONFIG: &str = include_str!("../demo.toml");

/// How much one address may ask of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Limits {
    /// 60,000 requests in 15 minutes, so that browsing and measuring are not in the way.
    #[default]
    Browsing,
    /// 100 requests in 15 minutes on `/api/`, as the documentation's example has it.
    Documented,
}

/// The demo cannot be prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The shop cannot be written.
    #[error("the shop in {folder} cannot be made")]
    Shop {
        /// The demo's folder.
        folder: PathBuf,
        /// Why.
        source: ShopError,
    },
}

/// A folder with a whole shop. As long as this lives, no `--fresh` takes the files away.
#[derive(Debug)]
pub struct Demo {
    folder: DemoFolder,
    created: Created,
}

impl Demo {
    /// Whether this start made the shop.
    pub fn created(&self) -> Created {
        self.created
    }

    /// The demo's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Makes the shop in `folder`, or finds the one that is there; `fresh` first removes the files that
/// an earlier demo made there, and only those. Blocks, for about a second where a shop is made.
///
/// # Errors
/// [`DemoError`]; `folder` is left alone when it has files and is not the demo's.
pub fn prepare(folder: &Path, fresh: bool) -> Result<Demo, DemoError> {
    let mut taken = DemoFolder::take(folder)?;
    if fresh {
        taken.clear()?;
    }
    let created = taken.shop(|path| {
        let folder = folder.to_owned();
        create(path, SHOP).map_err(|source| DemoError::Shop { folder, source })
    })?;
    Ok(Demo {
        folder: taken,
        created,
    })
}

/// The demo's configuration, its paths in `folder`.
pub fn config(folder: &Path, limits: Limits) -> Config {
    let mut config = Config::parse(CONFIG, "demo.toml", folder, &|_| None)
        .unwrap_or_else(|mistakes| unreachable!("a test reads the embedded file:\n{mistakes}"));
    if limits == Limits::Documented {
        for limit in config.limits.iter_mut().filter(|limit| limit.name == "api") {
            limit.max = const { NonZeroU32::new(100).expect("it is not 0") };
            limit.window = Duration::from_mins(15);
        }
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api_limit(limits: Limits) -> (u32, Duration) {
        let config = config(Path::new("demo"), limits);
        let limit = config
            .limits
            .iter()
            .find(|limit| limit.name == "api")
            .expect("it is there");
        (limit.max.get(), limit.window)
    }

    #[test]
    fn the_documented_limits_replace_those_for_browsing() {
        let window = Duration::from_mins(15);
        assert_eq!(api_limit(Limits::Browsing), (60_000, window));
        assert_eq!(api_limit(Limits::Documented), (100, window));
    }

    #[test]
    fn everything_lies_in_the_folder() {
        let config = config(Path::new("/tmp/x"), Limits::Browsing);
        assert_eq!(
            config.database.url.path(),
            Some(Path::new("/tmp/x/shop.db"))
        );
        assert_eq!(
            config.jobs.expect("[jobs]").url,
            crate::config::JobStoreUrl::Sqlite("/tmp/x/jobs.db".into())
        );
        let key_file = config.secrets.key_file.expect("key_file");
        assert_eq!(key_file, Path::new("/tmp/x/state/secret.key"));
        assert!(
            config.email.expect("[email]").anonymous,
            "the demo has no mail client that logs in"
        );
    }

    #[test]
    fn a_demo_is_made_found_again_and_made_anew() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("demo");
        let created = |fresh| prepare(&path, fresh).unwrap().created();
        assert_eq!(created(false), Created::Now);
        assert_eq!(created(false), Created::Before);
        assert_eq!(created(true), Created::Now);
    }
}
