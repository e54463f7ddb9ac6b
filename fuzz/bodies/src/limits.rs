//! Where the counts of limits lie.

use paceline_http::rate_limit::store::redis::{RedisOptions, RedisStore};

const SECRET: &str = "hunter2";

/// The address of the limits' server, with a password in it: it is taken or refused without a panic, and neither the
/// refusal nor what is logged shows the password.
///
/// # Panics
/// When that does not hold.
pub fn redis_address(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for address in [
        text.to_owned(),
        format!("redis://user:{SECRET}@{text}"),
        format!("{text}:{SECRET}@127.0.0.1"),
    ] {
        let options = RedisOptions::new(address);
        let mut shown = format!("{options:?}");
        if let Err(error) = RedisStore::new(&options) {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            shown = format!("{shown} {error} {error:?} {cause:?}");
        }
        assert!(!shown.contains(SECRET), "{shown}");
    }
}
