//! Which failures to connect may pass by themselves.

use std::io::ErrorKind;

/// Whether a connection that the system refused so may succeed in a moment: the server restarts, or its queue of new
/// connections is full.
pub(crate) fn io(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof
            | ErrorKind::TimedOut
            | ErrorKind::AddrNotAvailable
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
    )
}

/// Whether a server, or a pooler before it, that refused a connection with this SQLSTATE and message may take one in a
/// moment. Nothing was executed yet, so trying again repeats nothing.
pub(super) fn server(state: &str, message: &str) -> bool {
    match state {
        // The server starts, stops, or has as many connections as it may; its resources are short for a moment.
        "57P01" | "57P02" | "57P03" | "53300" | "53200" | "53000" => true,
        // Poolers say most things with this code; some of them pass.
        "08P01" => POOLER_IS_BUSY.iter().any(|part| message.contains(part)),
        // Neon's proxy has this code for all it says itself.
        "XX000" => is_waking(message),
        // The server said no for good.
        "08004" => false,
        _ => state.starts_with("08"),
    }
}

/// Whether Neon's proxy says that it could not reach the database, which may be waking up: nothing was executed.
pub(crate) fn is_waking(message: &str) -> bool {
    WAKING.iter().any(|part| message.contains(part))
}

/// Neon's proxy when the database does not take its connection, when it cannot be started at the moment, and when too
/// many wait for that.
const WAKING: [&str; 3] = [
    "Couldn't connect to compute node",
    "Control plane request failed",
    "Failed to acquire permit",
];

/// `PgBouncer` when it is full, when its own connections to the server fail, and when it shuts down.
const POOLER_IS_BUSY: [&str; 5] = [
    "no more connections allowed",
    "server login has been failing",
    "server login failed",
    "server conn crashed",
    "the database system is",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_and_what_does_not() {
        for (state, message, passes) in [
            ("57P03", "the database system is starting up", true),
            (
                "57P01",
                "terminating connection due to administrator command",
                true,
            ),
            ("53300", "sorry, too many clients already", true),
            ("08006", "", true),
            ("08001", "", true),
            (
                "08P01",
                "no more connections allowed (max_client_conn)",
                true,
            ),
            (
                "08P01",
                "server login has been failing, try again later (server_login_retry)",
                true,
            ),
            ("XX000", "Couldn't connect to compute node", true),
            (
                "XX000",
                "Control plane request failed: endpoint is being started",
                true,
            ),
            ("XX000", "cache lookup failed for type 1", false),
            ("08P01", "no such user: x", false),
            ("08P01", "unsupported startup parameter: options", false),
            ("08004", "", false),
            ("28P01", "password authentication failed", false),
            ("28000", "no pg_hba.conf entry", false),
            ("3D000", "database \"x\" does not exist", false),
            ("42501", "permission denied", false),
            ("0A000", "", false),
        ] {
            assert_eq!(server(state, message), passes, "{state} {message}");
        }
        for (kind, passes) in [
            (ErrorKind::ConnectionRefused, true),
            (ErrorKind::ConnectionReset, true),
            (ErrorKind::TimedOut, true),
            (ErrorKind::UnexpectedEof, true),
            (ErrorKind::NotFound, false),
            (ErrorKind::PermissionDenied, false),
            (ErrorKind::InvalidData, false),
        ] {
            assert_eq!(io(kind), passes, "{kind:?}");
        }
    }
}
