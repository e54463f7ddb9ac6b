//! `Accept-Encoding` (RFC 9110, 12.5.3): reading it with bounded work, and choosing a coding.

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

use super::levels::CodingSet;
use crate::coding::Coding;

/// Elements beyond this many are not read.
const MAX_ELEMENTS: usize = 64;

/// Lines are read up to this many bytes in all; the element that is cut there is dropped with the rest.
const MAX_BYTES: usize = 4096;

/// What a client accepts. Weights are thousandths, `None` where the client said nothing.
///
/// ```
/// use paceline_http::compression::{AcceptEncoding, Coding, CodingSet, Negotiated};
///
/// let accepted = AcceptEncoding::parse([&b"gzip;q=0.8, br, *;q=0"[..]]);
/// assert_eq!(accepted.negotiate(CodingSet::ALL), Negotiated::Coding(Coding::Brotli));
/// assert!(!accepted.accepts_identity());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AcceptEncoding {
    weights: [Option<u16>; 5],
    wildcard: Option<u16>,
}

/// The outcome of the negotiation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Negotiated {
    /// The best coding both sides know; may be identity.
    Coding(Coding),
    /// The client refuses every coding the server has, identity too. The server may disregard that.
    NotAcceptable,
}

impl Negotiated {
    /// The coding to use: identity when nothing is acceptable, as RFC 9110 permits.
    pub fn or_identity(self) -> Coding {
        match self {
            Self::Coding(coding) => coding,
            Self::NotAcceptable => Coding::Identity,
        }
    }
}

impl AcceptEncoding {
    /// Reads all lines of the field.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        Self::parse(
            headers
                .get_all(ACCEPT_ENCODING)
                .iter()
                .map(http::HeaderValue::as_bytes),
        )
    }

    /// Reads the lines of the field. Never fails: an element that breaks the grammar (four decimals, a
    /// parameter other than `q`) is skipped, and so is what exceeds 64 elements or 4 KiB. A coding listed
    /// twice keeps its lower weight.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut accepted = Self::default();
        let mut elements = MAX_ELEMENTS;
        let mut bytes = MAX_BYTES;
        for line in lines {
            let (line, cut) = if line.len() > bytes {
                (&line[..bytes], true)
            } else {
                (line, false)
            };
            bytes -= line.len();
            let mut parts = line.split(|&byte| byte == b',').peekable();
            while let Some(element) = parts.next() {
                if elements == 0 || (cut && parts.peek().is_none()) {
                    return accepted;
                }
                elements -= 1;
                accepted.add(element);
            }
        }
        accepted
    }

    fn add(&mut self, element: &[u8]) {
        let Some((name, weight)) = parse_element(element) else {
            return;
        };
        let slot = if name == b"*" {
            &mut self.wildcard
        } else if let Some(coding) = Coding::from_token(name) {
            &mut self.weights[coding.index()]
        } else {
            return;
        };
        *slot = Some(slot.map_or(weight, |listed| listed.min(weight)));
    }

    /// The best of the codings in `available`: the highest weight, then the server's preference.
    pub fn negotiate(&self, available: CodingSet) -> Negotiated {
        if *self == Self::default() {
            return Negotiated::Coding(Coding::Identity);
        }
        let identity = self.weight(Coding::Identity);
        let offered = Coding::ALL
            .into_iter()
            .filter(|&coding| coding != Coding::Identity && available.contains(coding));
        let weighted = offered.filter_map(|coding| Some((self.weight(coding)?, coding)));
        let best = weighted
            .filter(|&(weight, _)| weight > 0 && Some(weight) >= identity)
            .max();
        match best {
            Some((_, coding)) => Negotiated::Coding(coding),
            None if self.accepts_identity() => Negotiated::Coding(Coding::Identity),
            None => Negotiated::NotAcceptable,
        }
    }

    /// Whether the answer may go out as it is: yes, unless identity is refused by name or by `*;q=0`.
    pub fn accepts_identity(&self) -> bool {
        self.weight(Coding::Identity) != Some(0)
    }

    fn weight(&self, coding: Coding) -> Option<u16> {
        self.weights[coding.index()].or(self.wildcard)
    }
}

/// `coding [ OWS ";" OWS "q=" qvalue ]`
fn parse_element(element: &[u8]) -> Option<(&[u8], u16)> {
    let mut parts = element.splitn(2, |&byte| byte == b';');
    let name = parts.next()?.trim_ascii();
    let weight = match parts.next() {
        None => 1000,
        Some(parameter) => match parameter.trim_ascii() {
            [b'q' | b'Q', b'=', value @ ..] => parse_weight(value)?,
            _ => return None,
        },
    };
    Some((name, weight))
}

/// `qvalue`: 0 to 1 with at most three decimals, in thousandths.
fn parse_weight(value: &[u8]) -> Option<u16> {
    let (whole, decimals) = match value {
        [whole] => (*whole, &[][..]),
        [whole, b'.', decimals @ ..] if decimals.len() <= 3 => (*whole, decimals),
        _ => return None,
    };
    let mut thousandths = match whole {
        b'0' => 0,
        b'1' => 1000,
        _ => return None,
    };
    for (digit, scale) in decimals.iter().zip([100, 10, 1]) {
        thousandths += u16::from(digit.is_ascii_digit().then(|| digit - b'0')?) * scale;
    }
    (thousandths <= 1000).then_some(thousandths)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(lines: &[&str], expected: &str) {
        let accepted = AcceptEncoding::parse(lines.iter().map(|line| line.as_bytes()));
        let chosen = match accepted.negotiate(CodingSet::ALL) {
            Negotiated::Coding(coding) => coding.token(),
            Negotiated::NotAcceptable => "none",
        };
        assert_eq!(chosen, expected, "{lines:?}");
    }

    #[test]
    fn weights_and_server_preference() {
        check(&["gzip, deflate, br, zstd"], "zstd");
        check(&["gzip, deflate, br"], "br");
        check(&["deflate, gzip"], "gzip");
        check(&["deflate"], "deflate");
        check(&["zstd;q=0.5, gzip;q=0.501"], "gzip");
        check(&["gzip;q=1.000, br;q=0.999"], "gzip");
        check(&["GZIP"], "gzip");
        check(&["x-gzip"], "gzip");
        check(&["gzip ; Q=0.3 , br ;q=0.2"], "gzip");
        check(&["br;q=0.1", "gzip;q=0.2"], "gzip");
        check(&["identity, gzip"], "gzip");
        check(&["identity;q=1, gzip;q=0.5"], "identity");
        check(&["gzip;q=0.5"], "gzip");
        check(&["compress, unknown"], "identity");
    }

    #[test]
    fn refusals_and_wildcards() {
        check(&[], "identity");
        check(&[""], "identity");
        check(&["gzip;q=0"], "identity");
        check(&["gzip, gzip;q=0"], "identity");
        check(&["*"], "zstd");
        check(&["*;q=0.1, gzip"], "gzip");
        check(&["zstd;q=0, br;q=0, *"], "gzip");
        check(&["*;q=0"], "none");
        check(&["identity;q=0"], "none");
        check(&["identity;q=0, *;q=0.2"], "zstd");
        check(&["*;q=0, identity"], "identity");
        check(&["*;q=0, gzip;q=0.001"], "gzip");
    }

    #[test]
    fn what_breaks_the_grammar_is_skipped() {
        check(&["gzip;q=0.1234"], "identity");
        check(&["gzip;q=1.001"], "identity");
        check(&["gzip;q=2"], "identity");
        check(&["gzip;q="], "identity");
        check(&["gzip;q=0.5;x=1"], "identity");
        check(&["gzip;level=9"], "identity");
        check(&["gz ip"], "identity");
        check(&[",, ,gzip,"], "gzip");
        check(&["gzip;q=-1, br"], "br");
    }

    #[test]
    fn long_fields_cost_bounded_work() {
        check(&[&format!("{}gzip", ",".repeat(MAX_ELEMENTS - 1))], "gzip");
        check(&[&format!("{}gzip", ",".repeat(MAX_ELEMENTS))], "identity");
        check(&[&format!("br,{}gzip", " ".repeat(MAX_BYTES))], "br");
        check(&[&" ".repeat(MAX_BYTES), "gzip"], "identity");
    }

    #[test]
    fn only_offered_codings_are_chosen() {
        let accepted = AcceptEncoding::parse([&b"gzip, br, zstd, deflate"[..]]);
        let offered = CodingSet::NONE.with(Coding::Gzip).with(Coding::Deflate);
        assert_eq!(
            accepted.negotiate(offered),
            Negotiated::Coding(Coding::Gzip)
        );
        assert_eq!(
            accepted.negotiate(CodingSet::NONE),
            Negotiated::Coding(Coding::Identity)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(lines in proptest::collection::vec(any::<Vec<u8>>(), 0..4)) {
            let accepted = AcceptEncoding::parse(lines.iter().map(Vec::as_slice));
            if accepted.negotiate(CodingSet::ALL) == Negotiated::NotAcceptable {
                prop_assert!(!accepted.accepts_identity());
            }
        }

        #[test]
        fn a_refused_coding_is_never_chosen(refused in 1_usize..5, others in "(gzip|br|zstd|deflate|\\*|identity)(;q=0\\.[0-9]{1,3})?") {
            let refused = Coding::ALL[refused];
            let line = format!("{others}, {}; q=0.000", refused.token());
            let chosen = AcceptEncoding::parse([line.as_bytes()]).negotiate(CodingSet::ALL);
            prop_assert_ne!(chosen, Negotiated::Coding(refused));
        }
    }
}
