//! A mistake in the arguments, told without the passwords of addresses.

use clap::error::{ContextKind, ContextValue};

/// The same mistake; where it repeats an address, user, password and parameters are left out.
pub(super) fn without_secrets(mut error: clap::Error) -> clap::Error {
    let shown = |(kind, value): (ContextKind, &ContextValue)| match value {
        ContextValue::String(text) => Some((kind, without_user(text)?)),
        _ => None,
    };
    let addresses: Vec<(ContextKind, String)> = error.context().filter_map(shown).collect();
    for (kind, address) in addresses {
        error.insert(kind, ContextValue::String(address));
    }
    error
}

/// An address as scheme and host; `None` for any other text.
fn without_user(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let host = rest.rsplit('@').next().unwrap_or_default();
    let host = host.split(['?', '#']).next().unwrap_or_default();
    Some(format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::Arguments;
    use super::*;

    fn told(arguments: &[&str]) -> String {
        let error = Arguments::try_parse_from(arguments).unwrap_err();
        without_secrets(error).to_string()
    }

    #[test]
    fn addresses_are_repeated_without_what_they_hide() {
        for arguments in [
            ["paceline", "jobs", "doctor", "redi://me:hunter2@host/1"],
            ["paceline", "jobs", "doctor", "http://:p@hunter2@host/1"],
            [
                "paceline",
                "jobs",
                "doctor",
                "http://host/1?password=hunter2",
            ],
            ["paceline", "redis://me:hunter2@host/1", "", ""],
            ["paceline", "check", "redis://me:hunter2@host/1", ""],
        ] {
            let told = told(&arguments);
            assert!(!told.contains("hunter2"), "{told}");
            assert!(told.contains("://host/1"), "{told}");
        }
    }

    #[test]
    fn other_values_stay() {
        let told = told(&["paceline", "jobs", "doctor", "nonsense"]);
        assert!(told.contains("'nonsense'"), "{told}");
    }
}
