//! JSON strings, written straight into the output.

const BLOCK: usize = 32;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Writes `text` as a JSON string (RFC 8259 section 7). Bytes that are not UTF-8 become U+FFFD.
pub(crate) fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    if std::str::from_utf8(text).is_ok() {
        write_escaped(text, out);
    } else {
        for chunk in text.utf8_chunks() {
            write_escaped(chunk.valid().as_bytes(), out);
            if !chunk.invalid().is_empty() {
                out.extend_from_slice("\u{fffd}".as_bytes());
            }
        }
    }
    out.push(b'"');
}

/// Copies runs that need no escape at once.
fn write_escaped(mut text: &[u8], out: &mut Vec<u8>) {
    while let Some(position) = next_special(text) {
        out.extend_from_slice(&text[..position]);
        escape(text[position], out);
        text = &text[position + 1..];
    }
    out.extend_from_slice(text);
}

/// Where the first byte is that needs an escape. Looks at blocks without leaving them early, which
/// compilers turn into vector instructions.
fn next_special(text: &[u8]) -> Option<usize> {
    let is_special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    let clean = text
        .chunks(BLOCK)
        .take_while(|block| !block.iter().fold(false, |any, byte| any | is_special(byte)))
        .count()
        * BLOCK;
    let rest = text.get(clean..)?;
    rest.iter().position(is_special).map(|found| clean + found)
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0xf)]]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &[u8]) -> String {
        let mut out = Vec::new();
        write_string(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_character_that_must_be_is_escaped() {
        assert_eq!(written(b"plain"), r#""plain""#);
        assert_eq!(written(b"a\"b\\c/d"), r#""a\"b\\c/d""#);
        assert_eq!(
            written(b"\n\r\t\x08\x0c\x00\x1f\x7f"),
            "\"\\n\\r\\t\\b\\f\\u0000\\u001f\x7f\""
        );
        assert_eq!(written("Grüße 🎉".as_bytes()), "\"Grüße 🎉\"");
        assert_eq!(written(b"a\xffb"), "\"a\u{fffd}b\"");
    }

    proptest! {
        #[test]
        fn any_text_reads_back_the_same(text in ".*") {
            let read: String = serde_json::from_str(&written(text.as_bytes())).unwrap();
            prop_assert_eq!(read, text);
        }

        #[test]
        fn any_bytes_give_a_json_string(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let read: String = serde_json::from_str(&written(&bytes)).unwrap();
            prop_assert_eq!(read, String::from_utf8_lossy(&bytes));
        }
    }
}
