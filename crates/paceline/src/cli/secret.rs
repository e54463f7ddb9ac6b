//! `paceline secret`: keys for others.

use clap::{Args, Subcommand};

use super::Failure;
use crate::secret::{KeyHash, key_of};

/// Make keys that programs send
#[derive(Debug, Args)]
pub(super) struct Secret {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make an API key: prints it once, and the table for the configuration, which has only its hash
    ApiKey(ApiKey),
}

#[derive(Debug, Args)]
struct ApiKey {
    /// What logs call it
    #[arg(long, default_value = "my-program")]
    name: String,
    /// Who uses it, as rows name their owners: a user's key, say
    #[arg(long, default_value = "1")]
    principal: String,
}

impl Secret {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.verb {
            Verb::ApiKey(key) => key.run(),
        }
    }
}

impl ApiKey {
    fn run(self) -> Result<(), Failure> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)
            .map_err(|error| Failure::Run(format!("no random bytes: {error}")))?;
        let key = key_of(random);
        let hash = KeyHash::of(&key).expect("a new key has the form of one");
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        println!("{key}");
        println!();
        println!(
            "# The key stands above and nowhere else. It is sent as `Authorization: Bearer KEY`."
        );
        println!("# For the configuration:");
        println!("[[api_keys]]");
        println!("name = {}", quoted(&self.name));
        println!("hash = \"{hash}\"");
        println!("principal = {}", quoted(&self.principal));
        println!("# verbs = [\"list\", \"read\"]   # all without this line");
        Ok(())
    }
}
