//! Passwords of RabbitMQ users: in files that only their owner can read, never on a command line or a screen.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use shared::amqp::roles::UserName;
use uuid::Uuid;

/// Bytes of salt before a hash.
const SALT_BYTES: usize = 4;

/// A folder with a file for each user.
#[derive(Debug)]
pub(super) struct Passwords {
    folder: PathBuf,
}

/// A password that is never shown.
pub(super) struct Password(String);

impl Passwords {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// The file with this user's password.
    pub(super) fn file(&self, user: &UserName) -> PathBuf {
        self.folder.join(user.as_str())
    }

    /// This user's password; `None` where there is no file yet.
    pub(super) fn find(&self, user: &UserName) -> anyhow::Result<Option<Password>> {
        let file = self.file(user);
        if !file.try_exists().with_context(|| unusable(&file))? {
            return Ok(None);
        }
        read(&file).map(Some)
    }

    /// This user's password; a new one where there is no file yet. Tells whether it is new.
    pub(super) fn find_or_make(&self, user: &UserName) -> anyhow::Result<(Password, bool)> {
        if let Some(password) = self.find(user)? {
            return Ok((password, false));
        }
        // 244 random bits in letters that mean nothing in addresses and settings.
        let password = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        write_private(&self.file(user), &password)?;
        Ok((Password(password), true))
    }

    /// Writes the address that this user connects to, its password included, beside its password; gives the file.
    pub(super) fn write_address(&self, user: &UserName, address: &str) -> anyhow::Result<PathBuf> {
        let file = self.folder.join(format!("{user}.url"));
        if file.try_exists().with_context(|| unusable(&file))? {
            fs::remove_file(&file).with_context(|| unusable(&file))?;
        }
        write_private(&file, address)?;
        Ok(file)
    }
}

impl Password {
    /// The password itself, for what is sent or written into private files.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    /// What RabbitMQ keeps of it: a salt and the SHA-256 of salt and password.
    pub(super) fn hash(&self) -> String {
        let mut salt = [0; SALT_BYTES];
        salt.copy_from_slice(&Uuid::new_v4().as_bytes()[..SALT_BYTES]);
        self.hash_with(salt)
    }

    /// Whether `hash` was made from this password.
    pub(super) fn is_behind(&self, hash: &str) -> bool {
        let Ok(bytes) = STANDARD.decode(hash) else {
            return false;
        };
        bytes
            .first_chunk::<SALT_BYTES>()
            .is_some_and(|salt| self.hash_with(*salt) == hash)
    }

    fn hash_with(&self, salt: [u8; SALT_BYTES]) -> String {
        let digest = Sha256::new().chain_update(salt).chain_update(&self.0).finalize();
        STANDARD.encode([&salt[..], &digest].concat())
    }
}

/// The password in a file; a line feed at its end is none of it.
pub(super) fn read(file: &Path) -> anyhow::Result<Password> {
    let text = fs::read_to_string(file).with_context(|| unusable(file))?;
    from_text(&text).with_context(|| unusable(file))
}

/// The password that was read from somewhere.
pub(super) fn from_text(text: &str) -> anyhow::Result<Password> {
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("it is empty");
    }
    Ok(Password(password.to_owned()))
}

fn write_private(file: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| unusable(folder))?;
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut opened| opened.write_all(text.as_bytes()))
        .with_context(|| unusable(file))
}

fn unusable(path: &Path) -> String {
    format!("{} can't be used", path.display())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// The example of RabbitMQ's documentation: password test12, salt 908DC60A.
    #[test]
    fn hashes_are_those_that_rabbitmq_expects() {
        let password = Password("test12".to_owned());
        let hash = "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR";
        assert_eq!(password.hash_with([0x90, 0x8d, 0xc6, 0x0a]), hash);
        assert!(password.is_behind(hash));
        assert!(!Password("test13".to_owned()).is_behind(hash));
        assert!(password.is_behind(&password.hash()));
        assert_ne!(password.hash(), password.hash(), "the salt is always the same");
    }

    #[test]
    fn what_is_missing_is_made_for_its_owner_alone_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let passwords = Passwords::new(&folder.path().join("new"));
        let user = "ocr".parse().unwrap();
        assert!(passwords.find(&user).unwrap().is_none());
        let (made, new) = passwords.find_or_make(&user).unwrap();
        assert!(new);
        let (found, new) = passwords.find_or_make(&user).unwrap();
        assert_eq!((found.reveal(), new), (made.reveal(), false));
        let permissions = fs::metadata(passwords.file(&user)).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600);
    }

    #[test]
    fn a_line_feed_is_no_part_of_a_password_and_nothing_is_none() {
        assert_eq!(from_text("secret \n").unwrap().reveal(), "secret ");
        assert!(from_text("\n").is_err());
    }
}
