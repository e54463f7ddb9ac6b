//! Who may do what: `[login]`, `[[api_keys]]`, `access` of a resource.

use std::fmt;
use std::time::Duration;

use paceline_data::resource::AccessVerb;

use super::mistake::Mistake;
use super::reader::{Section, nearest};
use super::values::{self, Invalid};
use crate::secret::KeyHash;

/// `[login]`: the route that answers tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Login {
    /// The route. Default `/api/auth/login`.
    pub path: String,
    /// The table of the users. Default `users`.
    pub table: String,
    /// The column that names a user. Default `email`.
    pub identity: String,
    /// The column with the argon2 hash (PHC string); NULL cannot log in. Default `password_hash`.
    pub password: String,
    /// The column whose value is the token's subject. Default `id`.
    pub subject: String,
    /// How long a token is good for. Default 15 min.
    pub token_lifetime: Duration,
}

pub(super) fn login(section: &Section<'_, '_>) -> Login {
    let text = |key, usual: &str| {
        section
            .parsed(key, values::name)
            .unwrap_or_else(|| usual.to_owned())
    };
    let path = section.parsed("path", values::route);
    let lifetime = section.parsed("token_lifetime", values::positive_duration);
    let login = Login {
        path: path.unwrap_or_else(|| "/api/auth/login".to_owned()),
        table: text("table", "users"),
        identity: text("identity", "email"),
        password: text("password", "password_hash"),
        subject: text("subject", "id"),
        token_lifetime: lifetime.unwrap_or(Duration::from_mins(15)),
    };
    section.finish();
    login
}

/// Who may use a verb.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Access {
    /// Everybody.
    #[default]
    Public,
    /// Whoever sends a token or a key.
    User,
    /// Whoever the column of the row names, and nobody else: to others the row is not there.
    Owner(String),
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::User => f.write_str("user"),
            Self::Owner(column) => write!(f, "owner({column})"),
        }
    }
}

/// `access = { … }` of a resource: who may use which verb.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessRules([Access; 5]);

impl AccessRules {
    /// The same rule for reading, and the same for writing.
    pub fn of(read: Access, write: Access) -> Self {
        Self([read.clone(), read, write.clone(), write.clone(), write])
    }

    /// Who may use this verb.
    pub fn rule(&self, verb: AccessVerb) -> &Access {
        &self.0[verb as usize]
    }
}

fn access(text: &str) -> Result<Access, Invalid> {
    let invalid = Invalid::expected("\"public\", \"user\" or \"owner(column)\"");
    match text {
        "public" => return Ok(Access::Public),
        "user" => return Ok(Access::User),
        "anonymous" | "everybody" | "all" => return Err(invalid.instead("public")),
        "login" | "token" | "users" => return Err(invalid.instead("user")),
        _ => {}
    }
    let column = text
        .strip_prefix("owner(")
        .and_then(|rest| rest.strip_suffix(')'));
    match column.map(str::trim) {
        Some(column) if values::name(column).is_ok() => Ok(Access::Owner(column.to_owned())),
        _ if text.starts_with("owner") => Err(invalid.instead("owner(user_id)")),
        _ => Err(invalid),
    }
}

/// The rules of a resource: those of `access`, and `anonymous_read` and `anonymous_write` for verbs it does not name.
pub(super) fn rules(resource: &Section<'_, '_>) -> AccessRules {
    let open = |key, usual: bool| {
        if resource.boolean(key).unwrap_or(usual) {
            Access::Public
        } else {
            Access::User
        }
    };
    let mut rules = AccessRules::of(open("anonymous_read", true), open("anonymous_write", false));
    let Some(section) = resource.section("access") else {
        return rules;
    };
    for verb in AccessVerb::ALL {
        if let Some(rule) = section.parsed(verb.as_str(), access) {
            rules.0[verb as usize] = rule;
        }
    }
    section.finish();
    for (key, verbs) in [
        ("anonymous_read", "list and read"),
        ("anonymous_write", "create, update and delete"),
    ] {
        if resource.has(key) {
            let span = resource.reader.span(&resource.key(key));
            let mistake = Mistake::new(span, format!("`{key}` stands beside `access`"));
            let expected = format!("one of both: {verbs} in `access` say the same");
            resource.reader.report(mistake.expected(expected));
        }
    }
    rules
}

/// `[[api_keys]]`: a key that stands for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiKey {
    /// What logs call it. No default.
    pub name: String,
    /// The hash of the key. No default.
    pub hash: KeyHash,
    /// Who uses it, as rows name their owners. No default.
    pub principal: String,
    /// What it may be used for, `None` for everything. Default everything.
    pub verbs: Option<Vec<AccessVerb>>,
}

pub(super) fn api_keys(sections: &[Section<'_, '_>]) -> Vec<ApiKey> {
    let mut keys: Vec<ApiKey> = Vec::new();
    for section in sections {
        let name = section.required("name", values::name);
        let hash = section.required("hash", hash);
        let principal = section.required("principal", values::name);
        let verbs = section.list("verbs", verb);
        section.finish();
        let (Some(name), Some(hash), Some(principal)) = (name, hash, principal) else {
            continue;
        };
        for (key, known) in [
            ("name", keys.iter().any(|key| key.name == name)),
            ("hash", keys.iter().any(|key| key.hash == hash)),
        ] {
            if known {
                let span = section.reader.span(&section.key(key));
                let mistake =
                    Mistake::new(span, format!("another of [[api_keys]] has this `{key}`"));
                section.reader.report(mistake.expected("each once"));
            }
        }
        keys.push(ApiKey {
            name,
            hash,
            principal,
            verbs,
        });
    }
    keys
}

fn hash(text: &str) -> Result<KeyHash, Invalid> {
    text.parse().map_err(|_| {
        let invalid = Invalid::expected("\"sha256:\" and 64 hexadecimal digits");
        if text.starts_with(crate::secret::KEY_PREFIX) {
            // The key itself must not be shown again.
            invalid
                .because("this is a key: `paceline secret api-key` prints the hash beside it")
                .concealed()
        } else {
            invalid.because("`paceline secret api-key` prints it")
        }
    })
}

fn verb(text: &str) -> Result<AccessVerb, Invalid> {
    let known = AccessVerb::ALL.iter().find(|verb| verb.as_str() == text);
    known.copied().ok_or_else(|| {
        let invalid = Invalid::expected("\"list\", \"read\", \"create\", \"update\" or \"delete\"");
        match nearest(text, &AccessVerb::ALL.map(AccessVerb::as_str)) {
            Some(word) => invalid.instead(word),
            None => invalid,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::values::checks::check;
    use super::*;

    #[test]
    fn rules_of_access() {
        check(access, "public", Ok(Access::Public));
        check(access, "user", Ok(Access::User));
        check(
            access,
            "owner(user_id)",
            Ok(Access::Owner("user_id".to_owned())),
        );
        check(access, "owner( a b )", Ok(Access::Owner("a b".to_owned())));
        check(access, "owner", Err(Some("owner(user_id)")));
        check(access, "owner()", Err(Some("owner(user_id)")));
        check(access, "anonymous", Err(Some("public")));
        check(access, "", Err(None));
    }

    #[test]
    fn a_key_in_the_place_of_its_hash_is_not_shown() {
        let invalid = hash("plk_abc").unwrap_err();
        assert!(invalid.conceals);
        assert!(!hash("sha256:12").unwrap_err().conceals);
    }
}
