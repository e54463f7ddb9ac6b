//! Event streams through a real server: a client that stops reading, and those beside it.

use std::num::NonZeroUsize;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use paceline_http::problem::Problem;
use paceline_http::stream::sse::{Broadcaster, EventName, Filter, Options};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Events kept, and how long the text of one is: more than fits into the buffers of a socket is published.
const KEPT: usize = 16;
const TEXT: usize = 10_000;
const PUBLISHED: usize = 4_000;

struct Client(BufReader<TcpStream>);

impl Client {
    async fn open(address: std::net::SocketAddr) -> Self {
        let mut connection = TcpStream::connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
        connection.write_all(request).await.unwrap();
        Self(BufReader::new(connection))
    }

    /// The name and the first word of the data of the next event.
    async fn event(&mut self) -> (String, String) {
        let (mut name, mut data) = (String::new(), None);
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).await.unwrap() > 0, "it ended");
            // Lines of the chunked framing are not of the event's.
            match line.trim_end().split_once(": ") {
                Some(("event", value)) => value.clone_into(&mut name),
                Some(("data", value)) => {
                    data = Some(value.split(' ').next().unwrap_or_default().to_owned());
                }
                _ => {}
            }
            if line == "\n"
                && let Some(data) = data.take()
            {
                return (name, data);
            }
        }
    }
}

/// The stream of a client that does not read is not read either, holds no event and nobody up; what it missed is told.
#[tokio::test]
async fn trap_18_a_client_that_does_not_read_its_events_holds_nobody_up() {
    let options = Options::default().with_buffer_events(NonZeroUsize::new(KEPT).unwrap());
    let broadcaster = Broadcaster::new(options);
    let events = broadcaster.clone();
    let stream = async move || -> Result<_, Problem> {
        let subscription = events.subscribe(None, Filter::all())?;
        Ok(subscription.into_body().into_response())
    };
    let app = Router::new().route("/", get(stream));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });

    let mut still = Client::open(address).await;
    let mut reading = Client::open(address).await;
    while broadcaster.clients() < 2 {
        tokio::task::yield_now().await;
    }
    let name = EventName::new("n").unwrap();
    let padding = "x".repeat(TEXT);
    for number in 0..PUBLISHED {
        let text = format!("{number} {padding}");
        broadcaster.publish(&name, text).unwrap();
        // The one that reads is told of each, although 40 MB wait for the other.
        assert_eq!(reading.event().await, ("n".to_owned(), number.to_string()));
    }
    let last = PUBLISHED - 1;
    let (mut numbers, mut resets) = (Vec::new(), 0);
    while numbers.last() != Some(&last) {
        let (name, text) = still.event().await;
        if name == "n" {
            numbers.push(text.parse::<usize>().unwrap());
        } else {
            assert_eq!(name, "reset");
            resets += 1;
            // After a reset it goes on with what comes next.
            broadcaster
                .publish(&EventName::new("n").unwrap(), last.to_string())
                .unwrap();
        }
    }
    assert_eq!(resets, 1, "what was missed is told, once");
    numbers.pop();
    assert!(numbers.len() < last, "it did not all wait for it");
    assert!(numbers.iter().copied().eq(0..numbers.len()), "{numbers:?}");
}
