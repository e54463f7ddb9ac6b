//! Universally unique identifiers.

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The 16 bytes of a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// Its 36 characters, in lower case (RFC 9562 section 4).
    pub(crate) fn text(self) -> [u8; 36] {
        let mut text = [b'-'; 36];
        let mut places = (0..36).filter(|place| !matches!(place, 8 | 13 | 18 | 23));
        for byte in self.0 {
            for digit in [byte >> 4, byte & 0xf] {
                let place = places.next().expect("32 digits have 32 places");
                text[place] = HEX[usize::from(digit)];
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_are_grouped() {
        let uuid = Uuid([
            0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17,
            0x40, 0x0f,
        ]);
        assert_eq!(&uuid.text(), b"123e4567-e89b-12d3-a456-42661417400f");
    }
}
