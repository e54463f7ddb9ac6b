//! Decimal numbers of any length, written digit by digit.

/// A decimal number as the driver has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal<'row>(Form<'row>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form<'row> {
    /// Digits as JSON has them, with a sign, a point and an exponent where there is one.
    Text(&'row [u8]),
    /// PostgreSQL's binary form: groups of four digits.
    Groups(Groups<'row>),
}

/// What is no number: PostgreSQL has it, JSON has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Positive,
    Negative,
    NotANumber,
    Infinity,
    NegativeInfinity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Groups<'row> {
    sign: Sign,
    /// The power of 10,000 of the first group.
    weight: i16,
    /// Digits behind the point.
    scale: u16,
    /// Big-endian, two bytes a group.
    digits: &'row [u8],
}

const HEADER: usize = 8;

impl<'row> Decimal<'row> {
    /// A number already written out.
    pub fn from_text(digits: &'row [u8]) -> Self {
        Self(Form::Text(digits))
    }

    /// What `numeric_send` of PostgreSQL sends; `None` when it is cut off.
    pub(crate) fn from_postgres(bytes: &'row [u8]) -> Option<Self> {
        let (header, groups) = bytes.split_at_checked(HEADER)?;
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        if groups.len() != usize::from(word(0)) * 2 {
            return None;
        }
        let sign = match word(4) {
            0x0000 => Sign::Positive,
            0x4000 => Sign::Negative,
            0xD000 => Sign::Infinity,
            0xF000 => Sign::NegativeInfinity,
            _ => Sign::NotANumber,
        };
        Some(Self(Form::Groups(Groups {
            sign,
            weight: i16::from_be_bytes([header[2], header[3]]),
            scale: word(6),
            digits: groups,
        })))
    }

    /// Whether JSON can say it.
    pub(crate) fn is_finite(&self) -> bool {
        match &self.0 {
            Form::Text(text) => text.last().is_some_and(u8::is_ascii_digit),
            Form::Groups(groups) => matches!(groups.sign, Sign::Positive | Sign::Negative),
        }
    }

    /// Writes it with all its digits, also those behind the point that are zero.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match &self.0 {
            Form::Text(text) => out.extend_from_slice(text),
            Form::Groups(groups) => groups.write(out),
        }
    }
}

impl Groups<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        match self.sign {
            Sign::Positive => {}
            Sign::Negative => out.push(b'-'),
            Sign::NotANumber => return out.extend_from_slice(b"NaN"),
            Sign::Infinity => return out.extend_from_slice(b"Infinity"),
            Sign::NegativeInfinity => return out.extend_from_slice(b"-Infinity"),
        }
        if self.weight < 0 {
            out.push(b'0');
        } else {
            let first = self.group(0);
            out.extend_from_slice(itoa::Buffer::new().format(first).as_bytes());
            for power in 1..=i32::from(self.weight) {
                out.extend_from_slice(&four_digits(self.group(power)));
            }
        }
        if self.scale == 0 {
            return;
        }
        out.push(b'.');
        let mut left = usize::from(self.scale);
        let mut power = i32::from(self.weight) + 1;
        if self.weight < 0 {
            power = 0;
            // Groups between the point and the first one that is sent.
            for _ in 0..-(i32::from(self.weight) + 1) {
                let zeros = left.min(4);
                out.extend_from_slice(&b"0000"[..zeros]);
                left -= zeros;
            }
        }
        while left > 0 {
            let digits = left.min(4);
            out.extend_from_slice(&four_digits(self.group(power))[..digits]);
            left -= digits;
            power += 1;
        }
    }

    /// The group at this place; groups that are not sent are zero.
    fn group(&self, place: i32) -> u16 {
        let at = usize::try_from(place).map(|place| place * 2).ok();
        let bytes = at.and_then(|at| self.digits.get(at..at + 2));
        bytes.map_or(0, |bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }
}

fn four_digits(group: u16) -> [u8; 4] {
    let digit = |power: u16| {
        let digit = group / power % 10;
        b'0' + u8::try_from(digit).expect("a digit is below ten")
    };
    [digit(1000), digit(100), digit(10), digit(1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(weight: i16, sign: u16, scale: u16, groups: &[u16]) -> Vec<u8> {
        let count = u16::try_from(groups.len()).unwrap();
        let mut bytes = count.to_be_bytes().to_vec();
        bytes.extend_from_slice(&weight.to_be_bytes());
        bytes.extend_from_slice(&sign.to_be_bytes());
        bytes.extend_from_slice(&scale.to_be_bytes());
        bytes.extend(groups.iter().flat_map(|group| group.to_be_bytes()));
        bytes
    }

    fn check(bytes: &[u8], expected: &str) {
        let mut out = Vec::new();
        Decimal::from_postgres(bytes).unwrap().write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn groups_become_digits() {
        check(&sent(0, 0, 0, &[]), "0");
        check(&sent(0, 0, 2, &[]), "0.00");
        check(&sent(0, 0, 0, &[7]), "7");
        check(&sent(0, 0x4000, 2, &[12, 5000]), "-12.50");
        check(&sent(1, 0, 0, &[1, 2]), "10002");
        check(&sent(2, 0, 0, &[1]), "100000000");
        check(&sent(-1, 0, 4, &[1]), "0.0001");
        check(&sent(-1, 0, 2, &[9900]), "0.99");
        check(&sent(-2, 0, 6, &[1200]), "0.000012");
        check(&sent(-3, 0, 9, &[1]), "0.000000000");
        check(&sent(-3, 0, 12, &[1]), "0.000000000001");
        check(
            &sent(3, 0, 5, &[12, 3456, 7890, 1234, 5678, 9000]),
            "12345678901234.56789",
        );
    }

    #[test]
    fn what_is_no_number_says_so() {
        for (sign, text) in [(0xC000, "NaN"), (0xD000, "Infinity"), (0xF000, "-Infinity")] {
            let bytes = sent(0, sign, 0, &[]);
            assert!(!Decimal::from_postgres(&bytes).unwrap().is_finite());
            check(&bytes, text);
        }
        assert!(Decimal::from_text(b"1.5").is_finite());
    }

    #[test]
    fn what_is_cut_off_is_none() {
        let bytes = sent(0, 0, 0, &[1, 2]);
        for end in 0..bytes.len() {
            assert!(Decimal::from_postgres(&bytes[..end]).is_none());
        }
    }
}
