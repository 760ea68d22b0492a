//! Passwords: kept as Argon2id hashes (RFC 9106), compared slowly, a few at a time.

use std::fmt;
use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use tokio::sync::Semaphore;

/// Fewest characters of a password (NIST SP 800-63B asks for 8 and advises more; there are no other rules, as it says).
const PASSWORD_MIN_CHARS: usize = 10;
/// Most bytes: a longer one would only cost time.
const MAX_BYTES: usize = 1024;
/// Passwords that are worked on at the same time, as each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// Passwords that wait for their turn; whoever comes beyond that comes again.
const WAITING_MAX: usize = 20;

/// Takes as long to compare with as a real one; its hash is made up, and no password has it.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGF0IGFsbA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password as somebody has typed it. It is never printed and never written anywhere.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Password(String);

/// What the database keeps of a password: a PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl Password {
    /// A text as a password.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether it may be somebody's new password.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        if self.0.chars().count() < PASSWORD_MIN_CHARS {
            return Err(format!(
                "the password is too short: use at least {PASSWORD_MIN_CHARS} characters, such as a few words"
            ));
        }
        if self.0.len() > MAX_BYTES {
            return Err(format!("the password is too long: use at most {MAX_BYTES} bytes"));
        }
        Ok(())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// In the audit log an action stands as it was asked for, but for this.
impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("…")
    }
}

impl PasswordHash {
    /// As it stands in the database.
    pub fn read(text: String) -> Self {
        Self(text)
    }

    /// As it is written to the database.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

/// Works with passwords without holding up anything else, however many are sent and however many senders hang up.
#[derive(Debug, Clone)]
pub struct Passwords {
    room: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

/// Too many passwords wait to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

impl Default for Passwords {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(AT_ONCE)),
            queue: Arc::new(Semaphore::new(AT_ONCE + WAITING_MAX)),
        }
    }
}

impl Passwords {
    /// What to keep of a new password.
    ///
    /// # Errors
    /// [`Busy`] when too many others wait.
    ///
    /// # Panics
    /// When the system has no random numbers.
    pub async fn hash(&self, password: &Password) -> Result<PasswordHash, Busy> {
        let password = password.clone();
        self.work(move || hash(&password)).await
    }

    /// Whether it is the password that `kept` was made from. Without one it takes as long and is not, so that nobody
    /// can find out which names there are.
    ///
    /// # Errors
    /// [`Busy`] when too many others wait.
    pub async fn matches(&self, password: &Password, kept: Option<&PasswordHash>) -> Result<bool, Busy> {
        let (password, is_known) = (password.clone(), kept.is_some());
        let kept = kept.cloned().unwrap_or_else(|| PasswordHash(NOBODYS.to_owned()));
        Ok(self.work(move || verify(&password, &kept)).await? && is_known)
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let _place = self.queue.try_acquire().map_err(|_| Busy)?;
        let turn = Arc::clone(&self.room).acquire_owned().await;
        let turn = turn.expect("the semaphore is never closed");
        // The turn ends with the work, not with whoever waits for it.
        let work = move || {
            let _turn = turn;
            work()
        };
        Ok(tokio::task::spawn_blocking(work)
            .await
            .expect("hashing does not panic and is not cancelled"))
    }
}

fn hash(password: &Password) -> PasswordHash {
    let hash = Argon2::default()
        .hash_password(password.0.as_bytes())
        .expect("the parameters are valid and the system has random numbers");
    PasswordHash(hash.to_string())
}

fn verify(password: &Password, kept: &PasswordHash) -> bool {
    // Longer ones are nobody's, and cost time.
    password.0.len() <= MAX_BYTES
        && phc::PasswordHash::new(&kept.0).is_ok_and(|kept| {
            Argon2::default()
                .verify_password(password.0.as_bytes(), &kept)
                .is_ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_same_password_matches_and_nobodys_never_does() {
        let passwords = Passwords::default();
        let right = Password::new("vier alte Seiten");
        let kept = passwords.hash(&right).await.unwrap();
        assert!(kept.as_str().starts_with("$argon2id$"), "{}", kept.as_str());
        let matches = async |password: &Password, kept| passwords.matches(password, kept).await.unwrap();
        assert!(matches(&right, Some(&kept)).await);
        assert!(!matches(&Password::new("vier alte Seiten "), Some(&kept)).await);
        assert!(!matches(&Password::new(""), None).await);
        let nobodys = PasswordHash::read(NOBODYS.to_owned());
        assert!(phc::PasswordHash::new(nobodys.as_str()).is_ok());
        assert!(!matches(&right, Some(&nobodys)).await);
        let broken = PasswordHash::read("$argon2id$nonsense".to_owned());
        assert!(!matches(&right, Some(&broken)).await);
    }

    #[tokio::test]
    async fn whoever_hangs_up_frees_no_turn_and_too_many_are_sent_away() {
        let passwords = Passwords::default();
        let (end, ends) = std::sync::mpsc::channel::<()>();
        let ends = Arc::new(std::sync::Mutex::new(ends));
        for _ in 0..AT_ONCE {
            let begun = Arc::new(Semaphore::new(0));
            let (begins, ends) = (Arc::clone(&begun), Arc::clone(&ends));
            let work = move || {
                begins.add_permits(1);
                // Until the test is over.
                ends.lock().unwrap().recv().unwrap_err();
            };
            tokio::select! {
                _ = passwords.work(work) => panic!("the work ends with the test"),
                begun = begun.acquire() => begun.unwrap().forget(),
            }
        }
        assert_eq!(
            passwords.room.available_permits(),
            0,
            "nobody waits for them, but they work"
        );
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE + WAITING_MAX {
            let own = passwords.clone();
            waiting.spawn(async move { own.hash(&Password::new("x")).await });
        }
        while passwords.queue.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(passwords.hash(&Password::new("x")).await, Err(Busy));
        waiting.abort_all();
        drop(end);
    }

    #[test]
    fn a_new_password_has_a_sensible_length_and_is_never_printed() {
        let password = Password::new("vier alte Seiten");
        assert!(password.check().is_ok());
        assert!(Password::new("kurz").check().unwrap_err().contains("at least 10"));
        assert!(
            Password::new("x".repeat(1025))
                .check()
                .unwrap_err()
                .contains("too long")
        );
        let shown = format!("{password:?} {}", serde_json::to_string(&password).unwrap());
        assert!(!shown.contains("Seiten"), "{shown}");
    }
}
