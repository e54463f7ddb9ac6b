//! Checking a password against its argon2 hash, a bounded number at a time, always for the same time.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::{PasswordVerifier, phc::PasswordHash};
use tokio::sync::Semaphore;

/// A hash takes 19 MiB and tens of milliseconds; more at once would stop everything else.
const AT_ONCE: usize = 2;

/// Stands in where a user or a hash is missing: nobody's password, with the parameters of real hashes so that
/// checking takes the same time. Written down rather than made at the start, which would take 19 MiB.
const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// All hashing slots are taken: answer 503 rather than queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Busy;

/// Verifies passwords off the async threads.
#[derive(Clone)]
pub(super) struct Verifier {
    slots: Arc<Semaphore>,
}

impl Verifier {
    pub(super) fn new() -> Self {
        Self {
            slots: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Whether `password` matches `hash`. Without a hash the work is done all the same and the answer is no.
    pub(super) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Busy> {
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else {
            return Err(Busy);
        };
        let checked = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            if let Some(hash) = hash
                .as_deref()
                .and_then(|hash| PasswordHash::new(hash).ok())
            {
                return matches(&password, &hash);
            }
            // Same work, same time: the answer must not tell whether the user exists.
            if let Ok(decoy) = PasswordHash::new(DECOY) {
                matches(&password, &decoy);
            }
            false
        });
        Ok(checked.await.unwrap_or(false))
    }
}

fn matches(password: &str, hash: &PasswordHash) -> bool {
    Argon2::default()
        .verify_password(password.as_bytes(), hash)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use argon2::Params;
    use argon2::password_hash::PasswordHasher;

    use super::*;

    #[test]
    fn the_decoy_costs_what_a_real_hash_costs() {
        let decoy = PasswordHash::new(DECOY).unwrap();
        let real = Argon2::default().hash_password(b"correct horse").unwrap();
        let params = |hash: &PasswordHash| Params::try_from(hash).unwrap();
        assert_eq!(params(&decoy), params(&real));
        assert_eq!(decoy.algorithm, real.algorithm);
        let length = |hash: &PasswordHash| hash.hash.as_ref().map(|output| output.as_bytes().len());
        assert_eq!(length(&decoy), length(&real));
        assert!(!matches("", &decoy));
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_real_hash_matches() {
        let verifier = Verifier::new();
        let hash = Argon2::default()
            .hash_password(b"correct horse")
            .unwrap()
            .to_string();
        let check = async |password: &str, hash: Option<&str>| {
            verifier
                .verify(password.to_owned(), hash.map(str::to_owned))
                .await
                .unwrap()
        };
        assert!(check("correct horse", Some(&hash)).await);
        assert!(!check("wrong", Some(&hash)).await);
        assert!(!check("", None).await);
        assert!(!check("x", Some("not a hash")).await);
    }

    #[tokio::test]
    async fn a_third_hash_at_the_same_time_is_refused() {
        let verifier = Verifier::new();
        let _taken = Arc::clone(&verifier.slots)
            .try_acquire_many_owned(2)
            .unwrap();
        assert_eq!(verifier.verify(String::new(), None).await, Err(Busy));
    }
}
