//! The crate from outside: services on a double of the Runtime API.

mod double;
mod events;
mod managed;
mod plain;
mod requests;
mod snapshots;
mod streams;

use std::sync::{Arc, Mutex};

use double::Double;
use paceline_serverless::{Body, BoxError, Place, RunError, Serverless};
use tokio::task::JoinHandle;
use tower::Service;

/// Runs what is given on the double, with these variables beside the address of its Runtime API.
fn start<S, B>(
    double: &Double,
    serverless: Serverless<S>,
    variables: &[(&str, &str)],
) -> JoinHandle<Result<(), RunError>>
where
    S: Service<http::Request<Body>, Response = http::Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let address = double.address();
    let mut known = vec![("AWS_LAMBDA_RUNTIME_API", address.as_str())];
    known.extend_from_slice(variables);
    let place = Place::of(|name| {
        let found = known.iter().find(|variable| variable.0 == name);
        found.map(|variable| variable.1.to_owned())
    });
    let place = place.expect("a place");
    tokio::spawn(async move { serverless.run_in(&place).await })
}

/// What was noted, in order, from several places.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn add(&self, note: &str) {
        self.0.lock().expect("no panic").push(note.to_owned());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().expect("no panic").clone()
    }
}
