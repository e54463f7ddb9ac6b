//! Which secret a service works with: the environment's, the configuration's, a key file's.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::config::{self, DatabaseUrl};
use crate::secret::{
    KeyFileError, Secret, SecretTooShort, key_file_of, load_or_create, state_folder,
};

/// The environment variable that wins over the configuration.
const VARIABLE: &str = "PACELINE_SECRET";

/// A secret that was given cannot be used. Its text is never shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The environment variable holds no secret.
    #[error("the environment variable {VARIABLE} holds no secret")]
    Variable(#[source] SecretTooShort),
    /// The environment variable is not text.
    #[error("the environment variable {VARIABLE} is not UTF-8")]
    NotText,
    /// `secrets.key` of the configuration is not one.
    #[error("`key` in [secrets] is not a secret")]
    Configured(#[source] SecretTooShort),
    /// The key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
}

impl SecretError {
    /// Whether another variable or configuration is the remedy.
    pub fn is_misconfigured(&self) -> bool {
        !matches!(self, Self::KeyFile(_))
    }
}

/// Where the secret of a service comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretOrigin {
    /// The environment variable `PACELINE_SECRET`.
    Environment,
    /// `key` in `[secrets]`.
    Configuration,
    /// A key file; it was made if it was not there.
    KeyFile(PathBuf),
    /// Made at this start and gone with the process: cursors and tokens do not survive it.
    Process {
        /// Why there is no key file.
        reason: String,
    },
}

/// `PACELINE_SECRET`, the configured key, the key file, the one of the database in the state folder, or,
/// where that cannot be written, a secret that lives as long as the process.
///
/// What is given and not good is refused, not passed over: whoever sets a secret relies on it.
pub(super) fn load(
    settings: &config::Secrets,
    database: &DatabaseUrl,
    lookup: &dyn Fn(&str) -> Option<OsString>,
) -> Result<(Secret, SecretOrigin), SecretError> {
    if let Some(text) = lookup(VARIABLE) {
        let text = text.into_string().map_err(|_| SecretError::NotText)?;
        let secret = Secret::from_text(&text).map_err(SecretError::Variable)?;
        return Ok((secret, SecretOrigin::Environment));
    }
    if let Some(key) = &settings.key {
        let secret = Secret::from_text(key.expose()).map_err(SecretError::Configured)?;
        return Ok((secret, SecretOrigin::Configuration));
    }
    match &settings.key_file {
        Some(path) => Ok((load_or_create(path)?, SecretOrigin::KeyFile(path.clone()))),
        None => of_state(database, lookup),
    }
}

/// The key of this database in the user's state folder.
fn of_state(
    database: &DatabaseUrl,
    lookup: &dyn Fn(&str) -> Option<OsString>,
) -> Result<(Secret, SecretOrigin), SecretError> {
    let Some(folder) = state_folder(lookup) else {
        let reason = "none of PACELINE_STATE_DIR, XDG_STATE_HOME and HOME names a folder for a key";
        return Ok(of_process(reason.to_owned()));
    };
    let database = match database {
        // Nothing is kept for a database that is not there; opening it tells why.
        DatabaseUrl::Sqlite(path) => match path.canonicalize() {
            Ok(path) => path,
            Err(error) => return Ok(of_process(format!("the database has no path: {error}"))),
        },
        // Without its password, which may change.
        server @ (DatabaseUrl::Postgres(_)
        | DatabaseUrl::Neon(_)
        | DatabaseUrl::MySql(_)
        | DatabaseUrl::PlanetScale(_)) => server.to_string().into(),
    };
    let path = key_file_of(&database, &folder);
    match load_or_create(&path) {
        Ok(secret) => Ok((secret, SecretOrigin::KeyFile(path))),
        Err(error @ KeyFileError::Io { .. }) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            Ok(of_process(format!(
                "{error}: {}",
                cause.unwrap_or_default()
            )))
        }
        Err(error) => Err(error.into()),
    }
}

fn of_process(reason: String) -> (Secret, SecretOrigin) {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    (Secret::new(bytes), SecretOrigin::Process { reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Redacted, Secrets};

    const GOOD: &str = "a passphrase that is long enough to be taken";

    fn load_with(variable: Option<&str>, key: Option<&str>) -> Result<Secret, SecretError> {
        let settings = Secrets {
            key: key.map(|key| Redacted::new(key.to_owned())),
            ..Default::default()
        };
        let lookup = |name: &str| variable.filter(|_| name == VARIABLE).map(OsString::from);
        load(&settings, &DatabaseUrl::Sqlite("a.db".into()), &lookup).map(|(secret, _)| secret)
    }

    #[test]
    fn the_variable_wins_over_the_configuration() {
        let configured = "another passphrase that is long enough too";
        assert_eq!(
            load_with(Some(GOOD), Some(configured)).unwrap(),
            Secret::from_text(GOOD).unwrap()
        );
        assert_eq!(
            load_with(None, Some(configured)).unwrap(),
            Secret::from_text(configured).unwrap()
        );
    }

    #[test]
    fn a_short_secret_is_refused_whatever_else_there_is() {
        for short in ["hunter2", "", "   "] {
            assert!(matches!(
                load_with(Some(short), Some(GOOD)),
                Err(SecretError::Variable(_))
            ));
            assert!(matches!(
                load_with(None, Some(short)),
                Err(SecretError::Configured(_))
            ));
        }
    }
}
