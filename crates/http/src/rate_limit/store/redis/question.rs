//! What is asked of the server for one request, ready to be sent.

use redis::Cmd;
use smallvec::SmallVec;

use super::super::super::algorithm::Receipt;
use super::super::super::{Algorithm, LimitKey, Policy, Quota};
use super::script;

/// What is done to a key, as the scripts number it.
const FIRST: u8 = 1;
const NEXT: u8 = 2;
const SETTLE: u8 = 3;

/// Bytes of a quota, its cost and a receipt, packed.
const PACKED: usize = 80;

/// One request, in all its policies.
#[derive(Debug)]
pub(super) struct Question {
    /// The keys and arguments one after the other.
    bytes: Vec<u8>,
    parts: SmallVec<[Part; 2]>,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    algorithm: Algorithm,
    key_ends: usize,
    argument_ends: usize,
}

/// What names the keys of one client: `PREFIX:{CLIENT}`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'store> {
    pub(super) prefix: &'store str,
    pub(super) key: LimitKey,
}

impl Question {
    pub(super) fn with_capacity(owner: Owner<'_>, policies: usize) -> Self {
        let key = owner.prefix.len() + 2 * owner.key.as_bytes().len() + 80;
        Self {
            bytes: Vec::with_capacity(policies * (key + PACKED)),
            parts: SmallVec::new(),
        }
    }

    /// Takes from one more policy, if those before it have enough.
    pub(super) fn reserve(&mut self, owner: Owner<'_>, policy: &Policy, cost: u32) {
        let task = if self.parts.is_empty() { FIRST } else { NEXT };
        let quota = policy.quota();
        let key_ends = self.push_key(owner, policy);
        self.push_quota(task, quota, cost);
        self.end_part(quota.algorithm(), key_ends);
    }

    /// Settles what was taken from one more policy.
    pub(super) fn settle(
        &mut self,
        owner: Owner<'_>,
        policy: &Policy,
        (reserved, cost): (u32, u32),
        receipt: &Receipt,
    ) {
        let quota = policy.quota();
        let key_ends = self.push_key(owner, policy);
        self.push_quota(SETTLE, quota, cost);
        self.push_number(u64::from(reserved));
        self.push_number(receipt.at.as_millis());
        self.push_number(u64::from(receipt.count));
        self.push_number(u64::from(receipt.given_back));
        self.push_number(receipt.since.as_millis());
        self.end_part(quota.algorithm(), key_ends);
    }

    pub(super) fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.parts.iter().map(|part| part.algorithm)
    }

    /// A key of it. All of them lie in one slot of a cluster.
    pub(super) fn key(&self) -> &[u8] {
        self.parts
            .first()
            .map_or(&[], |part| &self.bytes[..part.key_ends])
    }

    fn push_key(&mut self, owner: Owner<'_>, policy: &Policy) -> usize {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let bytes = &mut self.bytes;
        bytes.extend_from_slice(owner.prefix.as_bytes());
        bytes.extend_from_slice(b":{");
        for byte in owner.key.as_bytes() {
            bytes.push(DIGITS[usize::from(byte >> 4)]);
            bytes.push(DIGITS[usize::from(byte & 15)]);
        }
        bytes.extend_from_slice(b"}:");
        bytes.extend_from_slice(policy.name().as_bytes());
        let quota = policy.quota();
        bytes.push(b':');
        bytes.extend_from_slice(quota.algorithm().name().as_bytes());
        let mut buffer = itoa::Buffer::new();
        for number in [
            u64::from(quota.max().get()),
            u64::from(quota.capacity().get()),
            quota.window().as_secs(),
        ] {
            bytes.push(b'-');
            bytes.extend_from_slice(buffer.format(number).as_bytes());
        }
        bytes.len()
    }

    fn push_quota(&mut self, task: u8, quota: Quota, cost: u32) {
        let capacity = quota.capacity().get();
        self.bytes.push(task);
        self.bytes.push(script::number(quota.algorithm()));
        self.push_number(u64::from(quota.max().get()));
        self.push_number(u64::try_from(quota.window().as_millis()).unwrap_or(u64::MAX));
        self.push_number(u64::from(capacity));
        self.push_number(u64::from(cost.min(capacity)));
    }

    /// As the scripts unpack it.
    fn push_number(&mut self, number: u64) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "below 2^53: quotas are checked, times are of this age"
        )]
        let number = number as f64;
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    fn end_part(&mut self, algorithm: Algorithm, key_ends: usize) {
        self.parts.push(Part {
            algorithm,
            key_ends,
            argument_ends: self.bytes.len(),
        });
    }

    /// Each key and its argument.
    fn pieces(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.parts.iter().scan(0, |start, part| {
            let key = &self.bytes[*start..part.key_ends];
            *start = part.argument_ends;
            Some((key, &self.bytes[part.key_ends..part.argument_ends]))
        })
    }
}

/// A call that asks all of these at once, by this time or the server's own.
pub(super) fn call<'q>(
    questions: impl Iterator<Item = &'q Question> + Clone,
    told_time: Option<u64>,
) -> Cmd {
    let (mut keys, mut bytes) = (0, 0);
    for question in questions.clone() {
        keys += question.parts.len();
        bytes += question.bytes.len();
    }
    let mut command = Cmd::with_capacity(4 + 2 * keys, 96 + bytes);
    command.arg("EVALSHA").arg(script::hash()).arg(keys);
    for (key, _) in questions.clone().flat_map(Question::pieces) {
        command.arg(key);
    }
    match told_time {
        Some(millis) => command.arg(millis),
        None => command.arg(""),
    };
    for (_, argument) in questions.flat_map(Question::pieces) {
        command.arg(argument);
    }
    command
}
