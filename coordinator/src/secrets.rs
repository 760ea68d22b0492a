//! Secrets in the database: encrypted with keys that are only in files.
//!
//! Invariants: a value says which key it was sealed with, so that keys can be exchanged one by one; a value opens only
//! for the job that it was sealed for, so that nobody can move it to another row; nothing here is ever printed.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest;
use ring::rand::{SecureRandom as _, SystemRandom};
use shared::job::JobId;
use shared::message::submit::Token;

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// The first part of every value: how the rest is to be read.
const FORMAT: &str = "1";
/// Characters of a key's id.
const KEY_ID_CHARS: usize = 8;

/// Why a value can't be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Its key is not among those that this process has.
    #[error("the key {0} that the token was encrypted with is in none of the files of --secrets-key-file")]
    OtherKey(String),
    /// It was altered, or belongs to another job.
    #[error("the encrypted token can't be read")]
    Unreadable,
}

/// A key with the id that values name it by.
struct Key {
    id: String,
    key: LessSafeKey,
}

/// The keys of this process: the first one seals, each of them opens.
#[derive(Default)]
pub struct Secrets {
    keys: Vec<Key>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.keys.iter().map(|key| &key.id);
        f.debug_list().entries(ids).finish()
    }
}

impl Secrets {
    /// Reads keys from files: 32 bytes each, as they are or as 64 hexadecimal digits.
    ///
    /// # Errors
    /// When a file can't be read or holds no key.
    pub fn load(files: &[PathBuf]) -> anyhow::Result<Self> {
        let keys = files
            .iter()
            .map(|file| Key::load(file))
            .collect::<Result<_, _>>()?;
        Ok(Self { keys })
    }

    /// The ids of the keys, that of the one that seals first.
    pub fn ids(&self) -> Vec<String> {
        self.keys.iter().map(|key| key.id.clone()).collect()
    }

    /// Encrypts a job's token; `None` when there is no key to do it with.
    ///
    /// # Panics
    /// When the system has no random numbers.
    pub fn seal(&self, job: JobId, token: &Token) -> Option<String> {
        let key = self.keys.first()?;
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new()
            .fill(&mut nonce)
            .expect("the system has random numbers");
        let plain = (token.header, &token.field, &token.secret);
        let mut bytes = serde_json::to_vec(&plain).expect("a token is plain data");
        key.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(job.0.as_bytes()),
                &mut bytes,
            )
            .expect("a token is far shorter than a message may be");
        Some(format!("{FORMAT}.{}.{}{}", key.id, hex(&nonce), hex(&bytes)))
    }

    /// Decrypts a job's token.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(&self, job: JobId, sealed: &str) -> Result<Token, OpenError> {
        let mut parts = sealed.splitn(3, '.');
        let (Some(FORMAT), Some(id), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(OpenError::Unreadable);
        };
        let key = self.keys.iter().find(|key| key.id == id);
        let key = key.ok_or_else(|| OpenError::OtherKey(id.to_owned()))?;
        let mut bytes = unhex(rest).ok_or(OpenError::Unreadable)?;
        let (nonce, sealed) = bytes
            .split_at_mut_checked(NONCE_LEN)
            .ok_or(OpenError::Unreadable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError::Unreadable)?;
        let plain = key
            .key
            .open_in_place(nonce, Aad::from(job.0.as_bytes()), sealed)
            .map_err(|_| OpenError::Unreadable)?;
        let (header, field, secret) = serde_json::from_slice(plain).map_err(|_| OpenError::Unreadable)?;
        Ok(Token {
            field,
            header,
            secret,
        })
    }
}

impl Key {
    fn load(file: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::read(file).with_context(|| format!("--secrets-key-file {}", file.display()))?;
        Self::of(&bytes).with_context(|| {
            format!(
                "--secrets-key-file {} must hold {KEY_BYTES} bytes, or {} hexadecimal digits: \
                 make one with `openssl rand -hex {KEY_BYTES}`",
                file.display(),
                2 * KEY_BYTES
            )
        })
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let decoded = str::from_utf8(bytes).ok().and_then(|text| unhex(text.trim()));
        let bytes = decoded.as_deref().unwrap_or(bytes);
        let key = UnboundKey::new(&CHACHA20_POLY1305, bytes).ok()?;
        let mut told = digest::Context::new(&digest::SHA256);
        told.update(b"taskmanager key id");
        told.update(bytes);
        let mut id = hex(told.finish().as_ref());
        id.truncate(KEY_ID_CHARS);
        Some(Self {
            id,
            key: LessSafeKey::new(key),
        })
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .map(|digit| digit.to_digit(16))
        .collect::<Option<_>>()?;
    let pairs = digits.len().is_multiple_of(2).then(|| digits.chunks_exact(2))?;
    pairs
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use shared::message::submit::TokenHeader;

    use super::*;

    fn keys(seeds: &[u8]) -> Secrets {
        let keys = seeds.iter().map(|seed| Key::of(&[*seed; KEY_BYTES]).unwrap());
        Secrets { keys: keys.collect() }
    }

    fn token() -> Token {
        Token {
            field: "goobiToken".to_owned(),
            header: TokenHeader::Jwt,
            secret: "s3cret".to_owned(),
        }
    }

    #[test]
    fn a_token_opens_with_its_key_and_for_its_job_only() {
        let (job, other) = (JobId::generate(), JobId::generate());
        let sealed = keys(&[1]).seal(job, &token()).unwrap();
        assert!(
            !sealed.contains("s3cret") && !sealed.contains(&hex(b"s3cret")),
            "{sealed}"
        );
        assert_eq!(keys(&[1]).open(job, &sealed), Ok(token()));
        assert_eq!(keys(&[1]).open(other, &sealed), Err(OpenError::Unreadable));
        assert!(matches!(
            keys(&[2]).open(job, &sealed),
            Err(OpenError::OtherKey(_))
        ));
        assert_ne!(
            keys(&[1]).seal(job, &token()).unwrap(),
            sealed,
            "a nonce was used twice"
        );
        let altered = sealed[..sealed.len() - 1].to_owned() + if sealed.ends_with('0') { "1" } else { "0" };
        assert_eq!(keys(&[1]).open(job, &altered), Err(OpenError::Unreadable));
        for nonsense in ["", "1", "1.x", "2.a.b", "s3cret"] {
            assert!(keys(&[1]).open(job, nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn after_an_exchange_of_keys_the_new_one_seals_and_the_old_one_still_opens() {
        let job = JobId::generate();
        let old = keys(&[1]).seal(job, &token()).unwrap();
        let both = keys(&[2, 1]);
        assert_eq!(both.open(job, &old), Ok(token()));
        let new = both.seal(job, &token()).unwrap();
        assert_eq!(keys(&[2]).open(job, &new), Ok(token()));
        assert_eq!(keys(&[]).seal(job, &token()), None);
    }

    #[test]
    fn a_key_is_32_bytes_or_as_many_in_hexadecimal() {
        let digits = format!("{}\n", hex(&[7; KEY_BYTES]));
        assert_eq!(
            Key::of(digits.as_bytes()).unwrap().id,
            Key::of(&[7; KEY_BYTES]).unwrap().id
        );
        assert!(Key::of(b"short").is_none());
        assert!(Key::of(&[7; 33]).is_none());
    }
}
