//! Cutting a tool's output into lines, however it comes.
//!
//! Invariant: memory is bounded by one line's cap, also when a tool never ends its line.

/// Most bytes kept of a line; the rest of it is dropped.
const LINE_BYTES_MAX: usize = 4_000;

/// Collects bytes until a line is complete.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// Takes what was read and tells each complete line, without its end. A carriage return ends a line too
    /// (progress meters use it); empty lines are left out; what is no UTF-8, and NUL, which no
    /// database takes, is replaced.
    pub(super) fn push(&mut self, bytes: &[u8], mut tell: impl FnMut(&str)) {
        for byte in bytes {
            match byte {
                b'\n' | b'\r' => self.end(&mut tell),
                _ if self.line.len() < LINE_BYTES_MAX => self.line.push(*byte),
                _ => {}
            }
        }
    }

    /// The output is over: tells what is left.
    pub(super) fn end(&mut self, mut tell: impl FnMut(&str)) {
        let text = String::from_utf8_lossy(&self.line).replace('\0', "\u{fffd}");
        if !text.trim().is_empty() {
            tell(text.trim_end());
        }
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut told) = (Lines::default(), Vec::new());
        for chunk in chunks {
            lines.push(chunk, |line| told.push(line.to_owned()));
        }
        lines.end(|line| told.push(line.to_owned()));
        told
    }

    #[test]
    fn lines_are_put_together_from_any_pieces() {
        assert_eq!(
            lines(&[b"on", b"e\ntw", b"o\r\n\n", b"10 %\r20 %\rthe last"]),
            ["one", "two", "10 %", "20 %", "the last"]
        );
        assert!(lines(&[]).is_empty());
    }

    #[test]
    fn a_line_without_end_takes_bounded_memory_and_the_next_is_whole() {
        let told = lines(&[&vec![b'x'; 100_000], b"\nnext"]);
        assert_eq!((told[0].len(), told[1].as_str()), (LINE_BYTES_MAX, "next"));
    }

    #[test]
    fn what_is_not_utf_8_is_replaced() {
        assert_eq!(lines(&[b"Stra\xdfe\n"]), ["Stra\u{fffd}e"]);
        assert_eq!(lines(&[b"a\0b\n"]), ["a\u{fffd}b"]);
    }
}
