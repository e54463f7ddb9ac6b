//! What a service may know of the invocation behind a request: extensions of the request.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;

/// The client's address as the gateway says it: who connected to it, whatever headers claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The invocation; each request has its own, so none sees another's trace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Invocation {
    /// The platform's id of it, which its log lines carry.
    pub request_id: String,
    /// The X-Ray header, to hand on to what is called. Never put into the process's environment: invocations overlap.
    pub trace_id: Option<String>,
    /// The function's address, with version or alias.
    pub function_arn: Option<String>,
    /// The tenant, where the function isolates tenants.
    pub tenant_id: Option<String>,
}

/// `requestContext` of the event: authorizers' claims, stages, domains.
#[derive(Debug, Clone)]
pub struct RequestContext(Arc<Value>);

impl RequestContext {
    pub(crate) fn new(value: Value) -> Self {
        Self(Arc::new(value))
    }

    /// It as JSON.
    pub fn as_json(&self) -> &Value {
        &self.0
    }
}
