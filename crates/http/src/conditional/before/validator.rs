//! Who knows a resource's version without doing the work.

use http::request;

use crate::conditional::KnownState;

/// Tells the state of the resource a request is about, before the handler runs.
///
/// It answers from what is cheap: a row's version column, a table's counter, the time of a file. The future owns what
/// it needs of the request. `None` means that nothing is known: the request goes on as if there were no validator.
///
/// A state belongs to exactly the answer that this request would get, so it must depend on everything the answer
/// depends on: path, query, media type, who asks. Functions are validators:
///
/// ```
/// use std::future::ready;
/// use http::request::Parts;
/// use paceline_http::conditional::{EntityTag, KnownState, Validator};
///
/// fn version(request: &Parts) -> std::future::Ready<Option<KnownState>> {
///     let is_list = request.uri.path() == "/posts";
///     let tag = EntityTag::strong("posts-7").expect("only legal characters");
///     ready(is_list.then(|| KnownState::tagged(tag)))
/// }
/// fn takes(validator: impl Validator) { drop(validator) }
/// takes(version);
/// ```
pub trait Validator {
    /// The answer, in time.
    type Future: Future<Output = Option<KnownState>>;

    /// Asks for the state. Not called where the request has no precondition and the method is neither `GET` nor `HEAD`.
    fn state(&self, request: &request::Parts) -> Self::Future;
}

impl<F, A> Validator for F
where
    F: Fn(&request::Parts) -> A,
    A: Future<Output = Option<KnownState>>,
{
    type Future = A;

    fn state(&self, request: &request::Parts) -> A {
        self(request)
    }
}
