//! What the server says, read.

use smallvec::SmallVec;

use super::super::super::algorithm::{CELLS, State};
use super::super::super::{Algorithm, Timestamp};

/// Of one question: when it was answered, and for each key whether it was taken from or changed, and the state
/// from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) now: Timestamp,
    pub(super) keys: SmallVec<[(bool, State); 2]>,
}

/// Reads one answer after the other from what a script answered.
#[derive(Debug)]
pub(super) struct Answers<'a> {
    now: Timestamp,
    rest: &'a [u8],
}

impl<'a> Answers<'a> {
    /// None when there is no time at the start.
    pub(super) fn new(mut bytes: &'a [u8]) -> Option<Self> {
        let now = Timestamp::from_millis(number(&mut bytes)?);
        Some(Self { now, rest: bytes })
    }

    /// The answer to the next question, whose keys are counted by these algorithms. None when it is something else.
    pub(super) fn next(&mut self, algorithms: impl Iterator<Item = Algorithm>) -> Option<Answer> {
        let mut keys = SmallVec::new();
        for algorithm in algorithms {
            let (mark, rest) = self.rest.split_first()?;
            self.rest = rest;
            let changed = match mark {
                b'0' => false,
                b'1' => true,
                _ => return None,
            };
            keys.push((changed, state(algorithm, &mut self.rest)?));
        }
        Some(Answer {
            now: self.now,
            keys,
        })
    }

    /// Whether that was all.
    pub(super) fn is_over(&self) -> bool {
        self.rest.is_empty()
    }
}

fn state(algorithm: Algorithm, bytes: &mut &[u8]) -> Option<State> {
    let mut state = State {
        at: Timestamp::from_millis(number(bytes)?),
        count: small(bytes)?,
        given_back: 0,
        cells: [0; CELLS],
    };
    match algorithm {
        Algorithm::FixedWindow => {}
        Algorithm::SlidingWindow => {
            for cell in &mut state.cells {
                *cell = small(bytes)?;
            }
        }
        Algorithm::Gcra => state.given_back = small(bytes)?,
    }
    Some(state)
}

fn small(bytes: &mut &[u8]) -> Option<u32> {
    u32::try_from(number(bytes)?).ok()
}

/// A whole number below 2^53.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    const END: f64 = 9_007_199_254_740_992.0;
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    let number = f64::from_le_bytes(*first);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole and in the range"
    )]
    let whole = ((0.0..END).contains(&number) && number.fract() == 0.0).then_some(number as u64);
    whole
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALGORITHMS: [Algorithm; 3] = [
        Algorithm::FixedWindow,
        Algorithm::SlidingWindow,
        Algorithm::Gcra,
    ];

    /// A text with these numbers behind a time and a mark.
    fn text(mark: u8, numbers: &[f64]) -> Vec<u8> {
        let mut text = 7f64.to_le_bytes().to_vec();
        text.push(mark);
        text.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        text
    }

    fn read(text: &[u8], algorithms: &[Algorithm]) -> Option<Answer> {
        let mut answers = Answers::new(text)?;
        let answer = answers.next(algorithms.iter().copied())?;
        answers.is_over().then_some(answer)
    }

    #[test]
    fn what_is_not_a_whole_number_in_its_range_is_no_answer() {
        let fixed = |mark, at, count| read(&text(mark, &[at, count]), &[Algorithm::FixedWindow]);
        let (changed, state) = fixed(b'1', 9.0, 3.0).unwrap().keys[0];
        assert!(changed);
        assert_eq!((state.at, state.count), (Timestamp::from_millis(9), 3));
        for (mark, at, count) in [
            (b'2', 9.0, 3.0),
            (b'1', -1.0, 3.0),
            (b'1', 9.5, 3.0),
            (b'1', f64::NAN, 3.0),
            (b'1', f64::INFINITY, 3.0),
            (b'1', 9_007_199_254_740_992.0, 3.0),
            (b'1', 9.0, 4_294_967_296.0),
        ] {
            assert_eq!(fixed(mark, at, count), None, "{mark} {at} {count}");
        }
        let long = [9.0, 3.0, 3.0];
        assert_eq!(read(&text(b'1', &long), &[Algorithm::FixedWindow]), None);
        assert_eq!(
            read(&text(b'1', &long[..1]), &[Algorithm::FixedWindow]),
            None
        );
    }

    proptest! {
        /// What is read of any bytes is written as the same bytes; nothing panics.
        #[test]
        fn an_answer_is_exactly_its_bytes(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                (prop::bool::ANY, prop::collection::vec(0u32.., 0..12)).prop_map(|(mark, numbers)| {
                    let numbers: Vec<f64> = numbers.into_iter().map(f64::from).collect();
                    text(b'0' + u8::from(mark), &numbers)
                }),
            ],
            algorithms in prop::collection::vec(prop::sample::select(&ALGORITHMS[..]), 0..3),
        ) {
            if let Some(answer) = read(&bytes, &algorithms) {
                let mut written = number_of(answer.now.as_millis()).to_vec();
                for ((changed, state), algorithm) in answer.keys.iter().zip(&algorithms) {
                    written.push(b'0' + u8::from(*changed));
                    written.extend(number_of(state.at.as_millis()));
                    written.extend(number_of(state.count.into()));
                    match algorithm {
                        Algorithm::FixedWindow => {}
                        Algorithm::SlidingWindow => {
                            written.extend(state.cells.iter().flat_map(|cell| number_of((*cell).into())));
                        }
                        Algorithm::Gcra => written.extend(number_of(state.given_back.into())),
                    }
                }
                // Zero has two signs.
                let plain = |bytes: &[u8]| bytes.iter().map(|byte| byte & 0x7f).collect::<Vec<_>>();
                prop_assert_eq!(plain(&written), plain(&bytes));
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    fn number_of(number: u64) -> [u8; 8] {
        (number as f64).to_le_bytes()
    }
}
