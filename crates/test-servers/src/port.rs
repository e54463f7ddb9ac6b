//! Free ports, and waiting for a server to listen on one.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// A port of 127.0.0.1 that was free just now. Somebody else may take it before a server does: try again then.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound socket").port()
}

/// Waits until somebody listens, or until `gone` says that nobody will. False after 20 s, or when gone.
pub(crate) fn listens(port: u16, mut gone: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    while Instant::now() < deadline && !gone() {
        if TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok() {
            return true;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    false
}
