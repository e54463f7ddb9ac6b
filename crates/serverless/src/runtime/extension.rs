//! An extension that does nothing: a function without any is killed, one with an extension is told with SIGTERM before.

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::RuntimeApiError;
use super::api::RuntimeApi;
use super::client::whole;

const NAME: HeaderName = HeaderName::from_static("lambda-extension-name");
const ID: HeaderName = HeaderName::from_static("lambda-extension-identifier");

/// Registers it; it wants to hear of nothing. The wait for its next event, which never comes, says that it is ready, and
/// goes on in the background.
pub(super) async fn register(mut api: RuntimeApi) -> Result<(), RuntimeApiError> {
    let mut headers = HeaderMap::new();
    headers.insert(NAME, HeaderValue::from_static("paceline"));
    headers.insert(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    let path = "/2020-01-01/extension/register";
    let wanted = whole(r#"{"events":[]}"#);
    let said = api.client.send(Method::POST, path, headers, wanted).await?;
    let Some(id) = said.headers.get(ID).cloned() else {
        tracing::debug!("the extension got no id, so it is not waited for");
        return Ok(());
    };
    tokio::spawn(async move {
        let path = "/2020-01-01/extension/event/next";
        let headers = HeaderMap::from_iter([(ID, id)]);
        let waiting = api
            .client
            .send(Method::GET, path, headers, whole(bytes::Bytes::new()));
        if let Err(error) = waiting.await {
            tracing::debug!(%error, "the extension is not waited for any more");
        }
    });
    Ok(())
}
