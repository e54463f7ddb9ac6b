//! Bodies made from their size alone, the same everywhere.

use std::fmt::Write as _;

use bytes::Bytes;

/// A body of exactly `size` bytes.
pub(super) fn body(kind: &str, size: usize) -> Bytes {
    match kind {
        "empty" => Bytes::new(),
        "random" => random(size),
        _ => json(size),
    }
}

/// A list of people as APIs answer it, padded to the size with a last string.
fn json(size: usize) -> Bytes {
    const NAMES: [&str; 7] = [
        "Ada", "Grace", "Edsger", "Barbara", "Åsa", "Linus", "Margaret",
    ];
    let mut text = String::with_capacity(size + 128);
    text.push('[');
    let mut number = 0_usize;
    loop {
        let mut row = String::new();
        let scattered = number.wrapping_mul(2_654_435_761) % 1_000_003;
        let _ = write!(
            row,
            "{{\"id\":{number},\"name\":\"{} {scattered}\",\"email\":\"user.{scattered}@example.com\",\"active\":{}}},",
            NAMES[number % NAMES.len()],
            number.is_multiple_of(3),
        );
        if text.len() + row.len() + 3 > size {
            break;
        }
        text.push_str(&row);
        number += 1;
    }
    if size < 4 {
        return Bytes::from("1".repeat(size));
    }
    let padding = size - text.len() - 3;
    let _ = write!(text, "\"{}\"]", "-".repeat(padding));
    Bytes::from(text)
}

/// Bytes of a linear congruential generator: no coding makes them smaller.
fn random(size: usize) -> Bytes {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes = Vec::with_capacity(size);
    while bytes.len() < size {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        bytes.push((state >> 56) as u8);
    }
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_their_size_and_json_is_json() {
        for size in [0, 1, 3, 4, 20, 100, 1024, 4096, 70_000] {
            assert_eq!(random(size).len(), size);
            let text = json(size);
            assert_eq!(text.len(), size);
            if size > 0 {
                let value: Result<serde_json::Value, _> = serde_json::from_slice(&text);
                assert!(value.is_ok(), "{size}");
            }
        }
    }
}
