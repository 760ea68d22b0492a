//! The stream between the socket and the client library: whole frames pass, mended where they must be.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use futures_util::io::{AsyncRead, AsyncWrite};

use super::frame::{self, Found};

/// Bytes read from the socket at a time.
const READ_BYTES: usize = 16 * 1024;

/// Reads frames from `inner` and hands them on readable; writes pass untouched.
#[derive(Debug)]
pub(super) struct Lenient<S> {
    inner: S,
    filter: Filter,
    chunk: Box<[u8]>,
}

impl<S> Lenient<S> {
    pub(super) fn new(inner: S) -> Self {
        Self {
            inner,
            filter: Filter::default(),
            chunk: vec![0; READ_BYTES].into(),
        }
    }

    /// The same, and keeps the first frame: the broker's greeting.
    pub(super) fn hearing(inner: S, greeting: Arc<OnceLock<Vec<u8>>>) -> Self {
        let mut lenient = Self::new(inner);
        lenient.filter.greeting = Some(greeting);
        lenient
    }
}

/// What has come from the socket and not yet gone to the library.
#[derive(Debug, Default)]
struct Filter {
    /// Frames that may go; those before `gone` are gone.
    ready: Vec<u8>,
    gone: usize,
    /// The beginning of the next frame.
    part: Vec<u8>,
    /// Where the first frame is kept.
    greeting: Option<Arc<OnceLock<Vec<u8>>>>,
    /// Something that is no AMQP came: all that follows passes as it is.
    given_up: bool,
}

impl Filter {
    fn take_in(&mut self, bytes: &[u8]) {
        self.part.extend_from_slice(bytes);
        let mut begin = 0;
        while !self.given_up {
            let rest = &self.part[begin..];
            match frame::find(rest) {
                Found::Whole(length) => {
                    if let Some(greeting) = self.greeting.take() {
                        greeting.get_or_init(|| rest[..length].to_vec());
                    }
                    match frame::readable(&rest[..length]) {
                        Some(mended) => self.ready.extend(mended),
                        None => self.ready.extend_from_slice(&rest[..length]),
                    }
                    begin += length;
                }
                Found::Part => break,
                Found::Other => self.given_up = true,
            }
        }
        self.part.drain(..begin);
        if self.given_up {
            self.ready.append(&mut self.part);
        }
    }

    /// As much as fits into `out`; nothing when no whole frame has come.
    fn give_out(&mut self, out: &mut [u8]) -> usize {
        let rest = &self.ready[self.gone..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.gone += count;
        if self.gone == self.ready.len() {
            self.ready.clear();
            self.gone = 0;
        }
        count
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lenient<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        loop {
            let given = this.filter.give_out(out);
            if given > 0 || out.is_empty() {
                return Poll::Ready(Ok(given));
            }
            let read = ready!(Pin::new(&mut this.inner).poll_read(cx, &mut this.chunk))?;
            if read == 0 {
                return Poll::Ready(Ok(0));
            }
            this.filter.take_in(&this.chunk[..read]);
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lenient<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, parts)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_close(cx)
    }
}

#[cfg(test)]
mod tests;
