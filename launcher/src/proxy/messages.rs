//! PostgreSQL's protocol, as far as it takes to see a COMMIT answered: one byte of type, four of length, the rest.
//!
//! Bytes leave in the order in which they came, whole messages only.

/// The answer to a COMMIT that has taken place; one that has rolled back is answered with another word.
const COMMITTED: &[u8] = b"C\0\0\0\x0bCOMMIT\0";

/// The type and the length; the length counts itself but not the type.
const HEADER: usize = 5;

/// What a server has said and the client has not yet been told.
#[derive(Debug, Default)]
pub(super) struct Messages {
    held: Vec<u8>,
}

impl Messages {
    /// Adds bytes; gives those of all messages that are complete, and whether the stream is to end behind them because
    /// `cuts` says so of the COMMIT that is answered next.
    pub(super) fn take(&mut self, bytes: &[u8], mut cuts: impl FnMut() -> bool) -> (Vec<u8>, bool) {
        self.held.extend_from_slice(bytes);
        let mut end = 0;
        let mut cut = false;
        while let Some(length) = self.message_at(end) {
            if &self.held[end..end + length] == COMMITTED && cuts() {
                cut = true;
                break;
            }
            end += length;
        }
        (self.held.drain(..end).collect(), cut)
    }

    /// The length of the complete message that begins here.
    fn message_at(&self, begin: usize) -> Option<usize> {
        let rest = &self.held[begin..];
        let length: [u8; 4] = rest.get(1..HEADER)?.try_into().ok()?;
        let length = usize::try_from(u32::from_be_bytes(length)).ok()?.checked_add(1)?;
        (rest.len() >= length).then_some(length.max(HEADER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &[u8] = b"D\0\0\0\x0cCOMMIT\0\0";
    const READY: &[u8] = b"Z\0\0\0\x05I";

    #[test]
    fn messages_leave_whole_and_in_order_however_the_bytes_come() {
        let stream = [ROW, COMMITTED, READY].concat();
        let ends = [0, ROW.len(), ROW.len() + COMMITTED.len(), stream.len()];
        for size in 1..=stream.len() {
            let mut messages = Messages::default();
            let mut left = Vec::new();
            for bytes in stream.chunks(size) {
                let (complete, cut) = messages.take(bytes, || false);
                assert!(!cut);
                left.extend(complete);
                assert!(
                    ends.contains(&left.len()),
                    "half a message has left, in pieces of {size}"
                );
            }
            assert_eq!(left, stream, "in pieces of {size}");
        }
    }

    #[test]
    fn only_the_answer_to_a_commit_is_cut_off_and_nothing_of_it_leaves() {
        let stream = [ROW, COMMITTED, READY].concat();
        for size in 1..=stream.len() {
            let mut messages = Messages::default();
            let mut left = Vec::new();
            let cut = stream.chunks(size).any(|bytes| {
                let (complete, cut) = messages.take(bytes, || true);
                left.extend(complete);
                cut
            });
            assert!(cut);
            assert_eq!(left, ROW, "in pieces of {size}");
        }
    }
}
