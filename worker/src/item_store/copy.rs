//! Copying with a checksum, in a way that tells whether reading or writing failed.

use std::fmt::Write as _;
use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

/// Bytes moved at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// Which side of a copy failed: the two have different remedies.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// Reading the original.
    #[error("reading failed")]
    Read(#[source] io::Error),
    /// Writing the copy.
    #[error("writing failed")]
    Write(#[source] io::Error),
}

/// Copies all that `from` has; gives its size and its SHA-256 in lower-case hexadecimal digits.
pub(crate) fn copy(from: &mut impl Read, to: &mut impl Write) -> Result<(u64, String), CopyError> {
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Read(error)),
        };
        hash.update(&buffer[..count]);
        to.write_all(&buffer[..count]).map_err(CopyError::Write)?;
        size += count as u64;
    }
    Ok((size, hex(&hash.finalize())))
}

/// A checksum as it is written everywhere: in lower-case hexadecimal digits.
pub(crate) fn hex(checksum: &[u8]) -> String {
    let mut digits = String::with_capacity(2 * checksum.len());
    for byte in checksum {
        write!(digits, "{byte:02x}").expect("writing to a String succeeds");
    }
    digits
}

/// Size and SHA-256 of all that `from` has.
pub(crate) fn digest(from: &mut impl Read) -> io::Result<(u64, String)> {
    copy(from, &mut io::sink()).map_err(|error| match error {
        CopyError::Read(error) | CopyError::Write(error) => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_known_one_and_the_copy_is_whole() {
        let mut copied = Vec::new();
        let (size, sha256) = copy(&mut &b"abc"[..], &mut copied).unwrap();
        assert_eq!((size, copied.as_slice()), (3, &b"abc"[..]));
        assert_eq!(
            sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_refused_write_is_told_from_a_refused_read() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert!(matches!(
            copy(&mut &b"abc"[..], &mut Full),
            Err(CopyError::Write(_))
        ));
    }
}
