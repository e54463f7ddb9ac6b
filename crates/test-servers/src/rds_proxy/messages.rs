//! The few messages of the protocol that the proxy must know.

use std::io::{self, Read, Write};

/// What a client begins with.
pub(super) enum First {
    /// It wants TLS.
    Tls,
    /// It wants something cancelled.
    Cancel,
    /// It wants to begin: the whole message.
    Start(Vec<u8>),
}

const TLS: u32 = 80_877_103;
const CANCEL: u32 = 80_877_102;

/// Reads the first message, which has no type.
pub(super) fn first(stream: &mut impl Read) -> io::Result<First> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let size = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if !(8..10_000).contains(&size) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut message = length.to_vec();
    message.resize(size, 0);
    stream.read_exact(&mut message[4..])?;
    let code: [u8; 4] = message[4..8].try_into().expect("eight bytes at least");
    Ok(match u32::from_be_bytes(code) {
        TLS => First::Tls,
        CANCEL => First::Cancel,
        _ => First::Start(message),
    })
}

/// The value of a parameter of the start.
pub(super) fn parameter(start: &[u8], name: &str) -> Option<String> {
    let mut texts = start.get(8..)?.split(|byte| *byte == 0);
    loop {
        let (key, value) = (texts.next()?, texts.next()?);
        if key == name.as_bytes() {
            return String::from_utf8(value.to_vec()).ok();
        }
    }
}

/// Reads a message: its type and what it holds.
pub(super) fn read(stream: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    let size = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if !(4..1 << 24).contains(&size) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut body = vec![0; size - 4];
    stream.read_exact(&mut body)?;
    Ok((head[0], body))
}

/// Writes a message.
pub(super) fn write(stream: &mut impl Write, kind: u8, body: &[u8]) -> io::Result<()> {
    let size = u32::try_from(body.len() + 4).map_err(io::Error::other)?;
    let mut message = vec![kind];
    message.extend_from_slice(&size.to_be_bytes());
    message.extend_from_slice(body);
    stream.write_all(&message)?;
    stream.flush()
}

/// Says no for good.
pub(super) fn refuse(stream: &mut impl Write, code: &str, message: &str) -> io::Result<()> {
    let body = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
    write(stream, b'E', body.as_bytes())
}

/// The statements that went by, from the bytes of a client as they come.
#[derive(Debug, Default)]
pub(super) struct Statements(Vec<u8>);

/// A statement, and whether it was given a name.
pub(super) struct Statement {
    pub(super) text: String,
    pub(super) named: bool,
}

impl Statements {
    /// Those that are whole now.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<Statement> {
        self.0.extend_from_slice(bytes);
        let mut found = Vec::new();
        while let Some(head) = self.0.get(..5) {
            let size = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
            let end = 1 + usize::try_from(size).unwrap_or(usize::MAX);
            let Some(body) = self.0.get(5..end) else {
                break;
            };
            let mut texts = body.split(|byte| *byte == 0);
            let mut text =
                || String::from_utf8_lossy(texts.next().unwrap_or_default()).into_owned();
            match head[0] {
                b'Q' => found.push(Statement {
                    text: text(),
                    named: false,
                }),
                b'P' => {
                    let named = !text().is_empty();
                    found.push(Statement {
                        text: text(),
                        named,
                    });
                }
                _ => {}
            }
            self.0.drain(..end);
        }
        found
    }
}
