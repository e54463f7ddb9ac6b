//! From a plan to an answer: kept if it can be, read under a stamp, tagged.

use std::future::Future;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, Method};
use paceline_data::catalog::TableId;
use paceline_data::version::Stamp;
use paceline_http::conditional::EntityTag;
use paceline_http::problem::Problem;
use paceline_http::representation::Representation;

use super::failure;
use crate::server::source::{NotKept, Source};

/// How often an answer is read again when commits keep coming in between.
const TRIES: usize = 3;

/// Answers from the cache, or renders under a stamp and keeps the result. When no stamp holds for long
/// enough the answer is tagged by its content and not kept.
///
/// `render` gets the stamp to tag by; without one it tags by content, as where a stamp may outlive a change for a
/// moment: two different answers must not have one tag.
pub(super) async fn answer<F, R>(
    source: &Source,
    key: &[u8],
    tables: &[TableId],
    (method, headers): (&Method, &HeaderMap),
    render: F,
) -> Result<Response, Problem>
where
    F: Fn(Option<Stamp>) -> R,
    R: Future<Output = Result<Representation, Problem>>,
{
    for _ in 0..TRIES {
        let Some(stamp) = source.database.stamp(tables) else {
            break;
        };
        let tagged = Some(stamp).filter(|_| source.database.has_exact_stamps());
        let read = || async {
            let rendered = render(tagged).await?;
            // Only what was read while the stamp held belongs to it.
            if source.database.stamp(tables) == Some(stamp) {
                Ok(rendered)
            } else {
                Err(NotKept::Moved)
            }
        };
        match source.cache.get_or_render(key, stamp, read).await {
            Ok(entry) => {
                let response = entry
                    .respond(method, headers)
                    .await
                    .map_err(failure::precondition)?;
                return Ok(response.map(Body::new));
            }
            Err(NotKept::Moved) => {}
            Err(NotKept::Problem(problem)) => return Err(problem),
        }
    }
    let rendered = render(None).await?;
    let response = rendered
        .into_response(method, headers, &source.compressor)
        .await;
    Ok(response.map_err(failure::precondition)?.map(Body::new))
}

/// The tag of an answer that depends on whole tables: their stamp and what was asked, or the bytes; with what was
/// asked too, which says by whom, where it is somebody's own.
pub(super) fn table_tag(
    stamp: Option<Stamp>,
    key: &[u8],
    (is_personal, body): (bool, &[u8]),
) -> EntityTag {
    let mut hasher = blake3::Hasher::new();
    match &stamp {
        Some(stamp) => hasher.update(b"stamp").update(stamp.as_bytes()).update(key),
        None if is_personal => hasher
            .update(b"own")
            .update(&(key.len() as u64).to_le_bytes())
            .update(key)
            .update(body),
        // A document begins with a bracket, the others with a letter. Whole from its first byte, it is hashed several
        // pieces at a time.
        None => hasher.update(body),
    };
    strong(&hasher.finalize().to_hex()[..32])
}

/// A strong tag; hex digits, base64url and dots are legal in one (RFC 9110 section 8.8.3).
pub(super) fn strong(text: &str) -> EntityTag {
    EntityTag::strong(text).expect("the text has only legal characters")
}
