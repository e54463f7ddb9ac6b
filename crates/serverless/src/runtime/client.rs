//! One connection to the Runtime API, made again when it is gone.

use std::sync::Arc;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::RuntimeApiError;
use crate::BoxError;

/// What is reported: whole, or a stream that may break off.
pub(crate) type Report = UnsyncBoxBody<Bytes, BoxError>;

/// A report that is whole.
pub(super) fn whole(bytes: impl Into<Bytes>) -> Report {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// The largest answer of the Runtime API: an event of 6 MiB, or one of a load balancer, with room for its escapes.
const LARGEST: usize = 32 * 1024 * 1024;

/// Where the Runtime API is.
#[derive(Debug)]
pub(super) struct Address {
    /// `host:port`.
    authority: String,
    host: HeaderValue,
    /// What stands before its paths; nothing at AWS.
    prefix: String,
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, RuntimeApiError> {
        let refused = || RuntimeApiError::Address(text.to_owned());
        let text = text.strip_prefix("http://").unwrap_or(text);
        let (authority, prefix) = match text.find('/') {
            Some(slash) => text.split_at(slash),
            None => (text, ""),
        };
        let host = HeaderValue::try_from(authority).map_err(|_| refused())?;
        if authority.is_empty() {
            return Err(refused());
        }
        let authority = if authority
            .rsplit(':')
            .next()
            .is_some_and(|port| port.parse::<u16>().is_ok())
        {
            authority.to_owned()
        } else {
            format!("{authority}:80")
        };
        Ok(Self {
            authority,
            host,
            prefix: prefix.trim_end_matches('/').to_owned(),
        })
    }
}

/// What the Runtime API said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A connection, or none yet. Each worker has its own.
#[derive(Debug)]
pub(super) struct Client {
    address: Arc<Address>,
    sender: Option<SendRequest<Report>>,
}

impl Client {
    pub(super) fn new(address: Arc<Address>) -> Self {
        Self {
            address,
            sender: None,
        }
    }

    /// Gives the connection up, which is not the same any more after a restore.
    pub(super) fn reset(&mut self) {
        self.sender = None;
    }

    /// Asks or reports. What was never sent, because the connection was found closed, is sent once more.
    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        report: Report,
    ) -> Result<Said, RuntimeApiError> {
        let broken = |error: hyper::Error| RuntimeApiError::Broken(error.into());
        let mut request = Request::new(report);
        *request.method_mut() = method;
        *request.uri_mut() = format!("{}{path}", self.address.prefix)
            .parse()
            .map_err(|error: http::uri::InvalidUri| RuntimeApiError::Broken(error.into()))?;
        *request.headers_mut() = headers;
        request
            .headers_mut()
            .insert(HOST, self.address.host.clone());
        let mut is_again = false;
        let response = loop {
            let mut sender = match self.sender.take() {
                Some(sender) if !sender.is_closed() => sender,
                _ => self.connect().await?,
            };
            if let Err(error) = sender.ready().await {
                if is_again {
                    return Err(broken(error));
                }
                is_again = true;
                continue;
            }
            match sender.try_send_request(request).await {
                Ok(response) => {
                    self.sender = Some(sender);
                    break response;
                }
                Err(mut error) => match error.take_message() {
                    Some(unsent) if !is_again => {
                        request = unsent;
                        is_again = true;
                    }
                    _ => return Err(broken(error.into_error())),
                },
            }
        };
        let (head, body) = response.into_parts();
        let body = http_body_util::Limited::new(body, LARGEST).collect().await;
        let body = body.map_err(|error| {
            self.sender = None;
            RuntimeApiError::Broken(error)
        })?;
        let body = body.to_bytes();
        if !head.status.is_success() {
            return Err(RuntimeApiError::Refused {
                path: path.to_owned(),
                status: head.status.as_u16(),
                text: String::from_utf8_lossy(&body[..body.len().min(500)]).into_owned(),
            });
        }
        Ok(Said {
            headers: head.headers,
            body,
        })
    }

    async fn connect(&self) -> Result<SendRequest<Report>, RuntimeApiError> {
        let authority = &self.address.authority;
        let refused = |error| RuntimeApiError::Connect(authority.clone(), error);
        let socket = TcpStream::connect(authority).await.map_err(refused)?;
        socket.set_nodelay(true).map_err(refused)?;
        let (sender, connection) = handshake(TokioIo::new(socket))
            .await
            .map_err(|error| RuntimeApiError::Broken(error.into()))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the Runtime API ended");
            }
        });
        Ok(sender)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_path_and_no_port() {
        for (text, authority, prefix) in [
            ("127.0.0.1:9001", "127.0.0.1:9001", ""),
            ("127.0.0.1:9190/.rt/shop", "127.0.0.1:9190", "/.rt/shop"),
            ("http://host:1/", "host:1", ""),
            ("sandbox.local", "sandbox.local:80", ""),
            ("[::1]:9001", "[::1]:9001", ""),
        ] {
            let address = Address::parse(text).expect("an address");
            assert_eq!((&*address.authority, &*address.prefix), (authority, prefix));
        }
        for text in ["", "/path", "ho\nst:1"] {
            let error = Address::parse(text).expect_err("no address");
            assert!(error.to_string().contains("AWS_LAMBDA_RUNTIME_API"));
        }
    }
}
