//! Login: a password checked against its argon2 hash, answered by a signed short-lived token; and keys that need none.

mod api_keys;
mod bearer;
mod route;
mod token;
mod verify;

pub(super) use api_keys::ApiKeys;
pub(super) use bearer::{Caller, bearer};
pub(super) use route::{LoginRoute, login};
pub(super) use token::TokenKey;
