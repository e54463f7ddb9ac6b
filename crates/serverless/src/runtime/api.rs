//! The questions and reports of the Runtime API, by name.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::client::{Address, Client, Report, whole};
use super::next::Next;
use super::{FunctionError, RuntimeApiError};
use crate::response::streaming;

const RUNTIME: &str = "/2018-06-01/runtime";
const ERROR_TYPE: HeaderName = HeaderName::from_static("lambda-runtime-function-error-type");
const RESPONSE_MODE: HeaderName = HeaderName::from_static("lambda-runtime-function-response-mode");

/// The Runtime API on a connection of its own; what is cloned has another.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    address: Arc<Address>,
    pub(super) client: Client,
}

impl Clone for RuntimeApi {
    fn clone(&self) -> Self {
        Self {
            address: Arc::clone(&self.address),
            client: Client::new(Arc::clone(&self.address)),
        }
    }
}

impl RuntimeApi {
    /// The one at `address`, of `AWS_LAMBDA_RUNTIME_API`. Nothing is connected yet.
    pub(crate) fn new(address: &str) -> Result<Self, RuntimeApiError> {
        let address = Arc::new(Address::parse(address)?);
        let client = Client::new(Arc::clone(&address));
        Ok(Self { address, client })
    }

    /// Waits for the next event, however long.
    pub(super) async fn next(&mut self) -> Result<Next, RuntimeApiError> {
        let said = self.get("/invocation/next").await?;
        Next::read(&said.headers, said.body)
    }

    /// Answers an event.
    pub(super) async fn respond(
        &mut self,
        id: &str,
        payload: Vec<u8>,
    ) -> Result<(), RuntimeApiError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let path = format!("/invocation/{id}/response");
        self.post(&path, headers, whole(payload)).await
    }

    /// Answers an event as the answer comes into being.
    pub(super) async fn stream(&mut self, id: &str, report: Report) -> Result<(), RuntimeApiError> {
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(streaming::CONTENT_TYPE),
        );
        headers.insert(RESPONSE_MODE, HeaderValue::from_static("streaming"));
        let path = format!("/invocation/{id}/response");
        self.post(&path, headers, report).await
    }

    /// Says that an event could not be answered.
    pub(super) async fn fail(
        &mut self,
        id: &str,
        error: &FunctionError,
    ) -> Result<(), RuntimeApiError> {
        self.report(&format!("/invocation/{id}/error"), error).await
    }

    /// Says that the function could not start.
    pub(crate) async fn fail_init(&mut self, error: &FunctionError) -> Result<(), RuntimeApiError> {
        self.report("/init/error", error).await
    }

    /// Says that a snapshot may be taken, and waits until one is restored.
    pub(super) async fn restored(&mut self) -> Result<(), RuntimeApiError> {
        self.get("/restore/next").await.map(drop)
    }

    /// Says that the function could not go on from a snapshot.
    pub(super) async fn fail_restore(
        &mut self,
        error: &FunctionError,
    ) -> Result<(), RuntimeApiError> {
        self.report("/restore/error", error).await
    }

    async fn get(&mut self, path: &str) -> Result<super::client::Said, RuntimeApiError> {
        let path = format!("{RUNTIME}{path}");
        let nothing = whole(bytes::Bytes::new());
        self.client
            .send(Method::GET, &path, HeaderMap::new(), nothing)
            .await
    }

    async fn post(
        &mut self,
        path: &str,
        headers: HeaderMap,
        report: Report,
    ) -> Result<(), RuntimeApiError> {
        let path = format!("{RUNTIME}{path}");
        let sent = self.client.send(Method::POST, &path, headers, report);
        sent.await.map(drop)
    }

    async fn report(&mut self, path: &str, error: &FunctionError) -> Result<(), RuntimeApiError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ERROR_TYPE, HeaderValue::from_static(error.kind));
        self.post(path, headers, whole(error.to_json())).await
    }
}
