//! Preconditions judged before the work.

mod future;
mod layer;
mod service;
mod validator;

pub(super) use future::TagIsKnown;
pub use future::ValidatedFuture;
pub use layer::ValidatorLayer;
pub use service::Validated;
pub use validator::Validator;
