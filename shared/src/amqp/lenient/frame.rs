//! One AMQP frame: where it ends, and what is read of it where the client library could not read it.
//!
//! Source of the layouts: AMQP 0-9-1, sections 2.3.5 (frames), 4.2.4 (methods) and 4.2.6 (content headers).

use lapin::protocol::basic::{parse_deliver, parse_properties};

/// Header of a message whose properties could not be read; holds their first bytes as they came.
pub const UNREADABLE_HEADER: &str = "x-unreadable-properties";

/// Bytes of unreadable properties that are kept: the frame must not outgrow what was agreed with the broker.
const KEPT_BYTES: usize = 1_024;
/// Type, channel and size in front of a frame's payload.
const PREFIX: usize = 7;
/// The mark behind each payload.
const END: u8 = 0xce;
const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const HEARTBEAT: u8 = 8;
/// Class 60 (basic), method 60 (deliver).
const DELIVER: [u8; 4] = [0, 60, 0, 60];
/// Class, weight and body size in front of a content header's properties.
const BEFORE_PROPERTIES: usize = 12;
/// Property flags that say: headers, and nothing else.
const ONLY_HEADERS: u16 = 1 << 13;
/// No broker agrees to frames larger than this by default (128 KiB); one that does may send them unseen.
const SIZE_MAX: usize = 1024 * 1024;

/// What lies at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A frame of this many bytes.
    Whole(usize),
    /// The beginning of one.
    Part,
    /// Nothing that AMQP knows: it is the client library's to complain about.
    Other,
}

/// Looks for a frame at the beginning of `bytes`.
pub(super) fn find(bytes: &[u8]) -> Found {
    match bytes.first() {
        Some(&(METHOD | HEADER | BODY | HEARTBEAT)) => {}
        Some(_) => return Found::Other,
        None => return Found::Part,
    }
    let Some(size) = bytes.get(3..PREFIX) else {
        return Found::Part;
    };
    let size = size.iter().fold(0, |size, byte| size << 8 | usize::from(*byte));
    if size > SIZE_MAX {
        Found::Other
    } else if bytes.len() > PREFIX + size {
        Found::Whole(PREFIX + size + 1)
    } else {
        Found::Part
    }
}

/// The frame as the client library can read it, where it could not read this one.
pub(super) fn readable(frame: &[u8]) -> Option<Vec<u8>> {
    let payload = &frame[PREFIX..frame.len() - 1];
    let payload = match frame[0] {
        HEADER => readable_header(payload)?,
        METHOD => readable_deliver(payload)?,
        _ => return None,
    };
    let mut mended = frame[..3].to_vec();
    mended.extend(u32::try_from(payload.len()).ok()?.to_be_bytes());
    mended.extend(payload);
    mended.push(END);
    Some(mended)
}

/// A content header with unreadable properties gets one that says so.
fn readable_header(payload: &[u8]) -> Option<Vec<u8>> {
    let (before, properties) = payload.split_at_checked(BEFORE_PROPERTIES)?;
    if parse_properties(properties).is_ok() {
        return None;
    }
    let kept = &properties[..properties.len().min(KEPT_BYTES)];
    let mut table = short_string(UNREADABLE_HEADER);
    table.push(b'x');
    table.extend(length(kept));
    table.extend(kept);
    let mut mended = before.to_vec();
    mended.extend(ONLY_HEADERS.to_be_bytes());
    mended.extend(length(&table));
    mended.extend(table);
    Some(mended)
}

/// A delivery whose exchange or routing key is no UTF-8 gets a question mark for each bad part.
fn readable_deliver(payload: &[u8]) -> Option<Vec<u8>> {
    let arguments = payload.strip_prefix(&DELIVER)?;
    if parse_deliver(arguments).is_ok() {
        return None;
    }
    let (tag, rest) = take_short_string(arguments)?;
    // Delivery number (8 bytes), redelivered (1).
    let (numbers, rest) = rest.split_at_checked(9)?;
    let (exchange, rest) = take_short_string(rest)?;
    let (routing_key, _) = take_short_string(rest)?;
    let mut mended = DELIVER.to_vec();
    mended.extend(short_string(&questioned(tag)));
    mended.extend(numbers);
    mended.extend(short_string(&questioned(exchange)));
    mended.extend(short_string(&questioned(routing_key)));
    Some(mended)
}

fn take_short_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked((*length).into())
}

/// `text`, which has at most 255 bytes, behind its length.
fn short_string(text: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(text.len()).expect("a short string")];
    bytes.extend(text.as_bytes());
    bytes
}

/// The text, with a question mark for what is no UTF-8; never longer than it was.
fn questioned(bytes: &[u8]) -> String {
    bytes
        .utf8_chunks()
        .flat_map(|chunk| [chunk.valid(), if chunk.invalid().is_empty() { "" } else { "?" }])
        .collect()
}

fn length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len())
        .expect("a part of a frame")
        .to_be_bytes()
}

#[cfg(test)]
mod tests;
