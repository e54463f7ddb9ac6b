//! Columns that look like secrets.

/// Words that mark a secret wherever they stand in a column's name.
const SECRET_WORDS: [&str; 15] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "hash",
    "secret",
    "secrets",
    "token",
    "tokens",
    "salt",
    "credential",
    "credentials",
    "apikey",
    "otp",
];
/// Pairs of words that do so together.
const SECRET_PAIRS: [(&str, &str); 3] = [("api", "key"), ("private", "key"), ("access", "key")];

/// Whether a column of this name is hidden unless it is named: a whole word of it, split at
/// underscores, other signs and changes of case, is one used for secrets.
///
/// ```
/// use paceline_data::resource::looks_secret;
/// assert!(looks_secret("passwordHash") && looks_secret("API_KEY") && looks_secret("reset_token"));
/// assert!(!looks_secret("hashtag") && !looks_secret("key") && !looks_secret("tokenised"));
/// ```
pub fn looks_secret(column: &str) -> bool {
    let words = words(column);
    words.iter().any(|word| {
        // Digits at the end do not make another word of it: `sha_hash2`.
        SECRET_WORDS.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit()))
    }) || words
        .windows(2)
        .any(|pair| SECRET_PAIRS.contains(&(pair[0].as_str(), pair[1].as_str())))
}

/// The words of a name in lower case: `userAPIKey_2` is `user`, `api`, `key`, `2`.
fn words(name: &str) -> Vec<String> {
    let characters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (index, &character) in characters.iter().enumerate() {
        if !character.is_alphanumeric() {
            words.push(String::new());
            continue;
        }
        let before = index.checked_sub(1).map(|before| characters[before]);
        let after_lower =
            before.is_some_and(|before| before.is_lowercase() || before.is_ascii_digit());
        let ends_acronym = before.is_some_and(char::is_uppercase)
            && characters
                .get(index + 1)
                .is_some_and(|next| next.is_lowercase());
        if character.is_uppercase() && (after_lower || ends_acronym) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::looks_secret;

    #[test]
    fn words_decide() {
        let check = |name: &str, secret: bool| assert_eq!(looks_secret(name), secret, "{name}");
        for name in [
            "password",
            "PASSWORD",
            "user_password",
            "passwordHash",
            "PasswordHash",
            "pwd",
            "api_key",
            "apiKey",
        ] {
            check(name, true);
        }
        for name in [
            "APIKey",
            "userAPIKey",
            "access_token",
            "salt",
            "HASH",
            "hash2",
            "client-secret",
            "private_key",
        ] {
            check(name, true);
        }
        for name in [
            "id",
            "name",
            "hashtag",
            "key",
            "tokenizer",
            "saltiness",
            "AlbumId",
            "Secretary",
            "api",
            "",
        ] {
            check(name, false);
        }
    }
}
