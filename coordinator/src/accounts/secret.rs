//! Random secrets: the value of a session's cookie, a token, the code of a one-time link.

use std::fmt::{self, Write as _};

use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};

/// Random bytes of a secret: nobody guesses it, so that a fast hash of it is safe to keep.
const BYTES: usize = 32;

/// A secret as its owner holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// The SHA-256 of a secret, which is what the database keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretHash(pub [u8; 32]);

impl Secret {
    /// A new one, which begins with `prefix`, so that people and programs that look for leaked secrets know it.
    ///
    /// # Panics
    /// When the system has no random numbers.
    pub fn generate(prefix: &str) -> Self {
        let mut bytes = [0; BYTES];
        SystemRandom::new()
            .fill(&mut bytes)
            .expect("the system has random numbers");
        let mut secret = prefix.to_owned();
        for byte in bytes {
            // Writing to a string does not fail.
            let _ = write!(secret, "{byte:02x}");
        }
        Self(secret)
    }

    /// What somebody has sent.
    pub fn sent(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// What the database knows it by.
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The secret itself, for its owner alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_secret_is_another_one_is_found_again_and_is_not_printed() {
        let (one, two) = (Secret::generate("tm_"), Secret::generate("tm_"));
        assert_ne!(one, two);
        assert_eq!(one.reveal().len(), "tm_".len() + 2 * BYTES);
        assert_eq!(Secret::sent(one.reveal()).hash(), one.hash());
        assert!(!format!("{one:?} {:?}", one.hash()).contains(one.reveal()));
    }
}
