//! A relay between a client and a server that can fall silent.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Passes bytes on in both directions, until it is muted: it then keeps its sockets open and reads nothing, as a
/// frozen process or a firewall that forgot a connection does. New connections are taken, and not answered either.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    muted: AtomicBool,
    connections: AtomicUsize,
    done: AtomicBool,
}

/// How often a relay looks whether it is to go on.
const TICK: Duration = Duration::from_millis(20);

impl Relay {
    /// To `port` of 127.0.0.1.
    pub fn start(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let ours = listener.local_addr().expect("a bound socket").port();
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.done.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(client) = client else { continue };
                accepting.connections.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&accepting);
                thread::spawn(move || connect(&shared, client, port));
            }
        });
        Self { port: ours, shared }
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Stops to pass anything on, or goes on where it stopped.
    pub fn mute(&self, muted: bool) {
        self.shared.muted.store(muted, Ordering::SeqCst);
    }

    /// How many clients have connected so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.done.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts; when nobody listens any more, it is gone already.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn connect(shared: &Arc<Shared>, client: TcpStream, port: u16) {
    wait_while_muted(shared);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Ok(server) = TcpStream::connect(address) else {
        return;
    };
    for stream in [&client, &server] {
        let set = stream
            .set_nodelay(true)
            .and_then(|()| stream.set_read_timeout(Some(TICK)));
        set.expect("a socket takes these");
    }
    let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let back = Arc::clone(shared);
    thread::spawn(move || pass_on(&back, server, client));
    pass_on(shared, from, to);
}

/// Until one side closes, or the relay is dropped.
fn pass_on(shared: &Shared, mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 16 * 1024];
    while !shared.done.load(Ordering::SeqCst) {
        wait_while_muted(shared);
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                wait_while_muted(shared);
                if to.write_all(&buffer[..length]).is_err() {
                    break;
                }
            }
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) => {}
            Err(_) => break,
        }
    }
    // The other direction ends with this one.
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn wait_while_muted(shared: &Shared) {
    while shared.muted.load(Ordering::SeqCst) && !shared.done.load(Ordering::SeqCst) {
        thread::park_timeout(TICK);
    }
}
