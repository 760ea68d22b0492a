//! Passwords of private servers: random, kept in files that only their owner can read.
//!
//! A password never stands on a command line, where every user of the machine could read it.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::Error;

/// 24 bytes from the kernel's generator, as 48 hexadecimal digits: safe in URLs and configuration files as they are.
pub(crate) fn random() -> Result<String, Error> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0_u8; 24];
    File::open(path)
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(Error::file("read", path))?;
    Ok(bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .concat())
}

/// The secret in this file; where there is none yet, a new one is made and kept.
pub(crate) fn kept_in(path: &Path) -> Result<String, Error> {
    if let Ok(secret) = fs::read_to_string(path)
        && secret.len() == 48
    {
        return Ok(secret);
    }
    let secret = random()?;
    write_private(path, &secret)?;
    Ok(secret)
}

/// Writes a file with mode 600 from its first moment on, replacing what was there.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    if path.exists() {
        fs::remove_file(path).map_err(Error::file("replace", path))?;
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(Error::file("write", path))
}
