//! Signed cursors.

use paceline_data::Value;
use paceline_data::cursor::{Binding, Cursor, CursorKey, Direction};

/// A cursor made of `data` reads back, any change of it is refused, and `data` itself is no cursor.
///
/// # Panics
/// When that does not hold.
pub fn cursor(data: &[u8]) {
    let key = CursorKey::new([7; 32]);
    let binding = Binding::of(&blake3::hash(b"one list"));
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(
            Cursor::decode(&key, &binding, text).is_err(),
            "nobody signed this"
        );
    }
    let original = Cursor {
        direction: direction(data),
        values: values(data),
    };
    let Some(text) = original.encode(&key, &binding) else {
        return;
    };
    assert_eq!(
        Cursor::decode(&key, &binding, &text).as_ref(),
        Ok(&original),
        "what is signed reads back"
    );
    let other = Binding::of(&blake3::hash(b"another list"));
    assert!(
        Cursor::decode(&key, &other, &text).is_err(),
        "bound to its list"
    );
    let changed = changed(&text, data);
    assert!(
        Cursor::decode(&key, &binding, &changed).is_err(),
        "{changed} was changed from {text}"
    );
}

fn direction(data: &[u8]) -> Direction {
    if data.first().is_some_and(|byte| byte % 2 == 1) {
        Direction::Backward
    } else {
        Direction::Forward
    }
}

/// Some values of all kinds, as the bytes say.
fn values(data: &[u8]) -> Vec<Value> {
    data.chunks(9).take(8).map(value).collect()
}

fn value(chunk: &[u8]) -> Value {
    let (kind, rest) = chunk.split_first().expect("chunks are not empty");
    let mut number = [0; 8];
    number[..rest.len()].copy_from_slice(rest);
    match (kind % 5, std::str::from_utf8(rest)) {
        (0, _) => Value::Null,
        (1, _) => Value::Integer(i64::from_le_bytes(number)),
        (2, _) => Value::Real(
            Some(f64::from_le_bytes(number))
                .filter(|real| !real.is_nan())
                .unwrap_or(0.5),
        ),
        (3, Ok(text)) => Value::Text(text.to_owned()),
        _ => Value::Blob(rest.to_vec()),
    }
}

/// `text` with one character replaced by another of its alphabet.
fn changed(text: &str, data: &[u8]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let sum = data.iter().fold(0_usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(*byte))
    });
    let place = sum % bytes.len();
    bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).expect("still letters")
}
