//! Login: a password checked against its argon2 hash, answered by a signed short-lived token.

mod bearer;
mod route;
mod token;
mod verify;

pub(super) use bearer::bearer;
pub(super) use route::{LoginRoute, login};
pub(super) use token::TokenKey;
