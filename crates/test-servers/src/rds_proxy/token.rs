//! Tokens: whose they are, and how old.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a token is good for.
const GOOD: Duration = Duration::from_mins(15);

/// Why a token is none for this user now; nothing when it is. Signatures are not looked at: whether they are right is
/// another test's question.
pub(super) fn problem(token: &str, user: &str, now: SystemTime) -> Option<&'static str> {
    let Some((_, query)) = token.split_once("/?") else {
        return Some("the password is no token");
    };
    let value = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    if value("Action") != Some("connect") || value("X-Amz-Expires") != Some("900") {
        return Some("the password is no token for connecting");
    }
    if value("DBUser") != Some(user) {
        return Some("the token is another user's");
    }
    if value("X-Amz-Signature").is_none_or(|signature| signature.len() != 64) {
        return Some("the token is not signed");
    }
    let Some(made) = value("X-Amz-Date").and_then(moment) else {
        return Some("the token has no date");
    };
    match now.duration_since(made) {
        Ok(age) if age > GOOD => Some("the token is older than 15 minutes"),
        _ => None,
    }
}

/// `20261125T203819Z`
fn moment(text: &str) -> Option<SystemTime> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let (hour, minute, second) = (number(9..11)?, number(11..13)?, number(13..15)?);
    // Years are counted from March, so that a leap day is the last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let days = days.checked_sub(719_468)?;
    Some(UNIX_EPOCH + Duration::from_secs(((days * 24 + hour) * 60 + minute) * 60 + second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_user_and_a_quarter_of_an_hour() {
        let signature = "a".repeat(64);
        let token = format!(
            "h:5432/?Action=connect&DBUser=app&X-Amz-Date=20261125T203819Z&X-Amz-Expires=900&X-Amz-Signature={signature}"
        );
        let made = UNIX_EPOCH + Duration::from_secs(1_795_639_099);
        assert_eq!(moment("20261125T203819Z"), Some(made));
        assert_eq!(problem(&token, "app", made + GOOD), None);
        let late = made + GOOD + Duration::from_secs(1);
        assert_eq!(
            problem(&token, "app", late),
            Some("the token is older than 15 minutes")
        );
        assert_eq!(
            problem(&token, "eve", made),
            Some("the token is another user's")
        );
        assert!(problem("hunter2", "app", made).is_some());
    }
}
