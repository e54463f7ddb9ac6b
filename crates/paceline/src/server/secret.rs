//! Which secret a service works with: the environment's, the configuration's, or a key file's.

use std::ffi::OsString;

use crate::config;
use crate::secret::{KeyFileError, Secret, SecretTooShort, load_or_create};

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

/// `PACELINE_SECRET`, the configured key, the key file, or one that lives as long as the process.
///
/// What is given and not good is refused, not passed over: whoever sets a secret relies on it.
pub(super) fn load(
    settings: &config::Secrets,
    lookup: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Secret, SecretError> {
    if let Some(text) = lookup(VARIABLE) {
        let text = text.into_string().map_err(|_| SecretError::NotText)?;
        return Secret::from_text(&text).map_err(SecretError::Variable);
    }
    if let Some(key) = &settings.key {
        return Secret::from_text(key.expose()).map_err(SecretError::Configured);
    }
    if let Some(path) = &settings.key_file {
        return Ok(load_or_create(path)?);
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    Ok(Secret::new(bytes))
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
        load(&settings, &|name| {
            variable.filter(|_| name == VARIABLE).map(OsString::from)
        })
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
