use lapin::types::AMQPValue;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![kind, 0, 7];
    frame.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
    frame.extend(payload);
    frame.push(END);
    frame
}

/// A content header of class 60 with a body of 9 bytes.
fn header(properties: &[u8]) -> Vec<u8> {
    let mut payload = vec![0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    payload.extend(properties);
    frame(HEADER, &payload)
}

/// Properties that hold a message id only.
fn message_id(id: &[u8]) -> Vec<u8> {
    let mut properties = (1_u16 << 7).to_be_bytes().to_vec();
    properties.push(u8::try_from(id.len()).unwrap());
    properties.extend(id);
    properties
}

fn deliver(exchange: &[u8], routing_key: &[u8]) -> Vec<u8> {
    let mut payload = DELIVER.to_vec();
    payload.extend(short_string("consumer"));
    payload.extend([0, 0, 0, 0, 0, 0, 0, 42, 1]);
    for text in [exchange, routing_key] {
        payload.push(u8::try_from(text.len()).unwrap());
        payload.extend(text);
    }
    frame(METHOD, &payload)
}

fn payload(frame: &[u8]) -> &[u8] {
    assert_eq!(find(frame), Found::Whole(frame.len()));
    &frame[PREFIX..frame.len() - 1]
}

#[test]
fn a_message_id_in_latin_1_becomes_a_header_that_keeps_its_bytes() {
    let bad = message_id(b"B\xfccher");
    assert!(
        parse_properties(bad.as_slice()).is_err(),
        "the library reads it by now"
    );
    let mended = readable(&header(&bad)).expect("it can't be read as it is");
    let (before, properties) = payload(&mended).split_at(BEFORE_PROPERTIES);
    assert_eq!(before, &header(&bad)[PREFIX..PREFIX + BEFORE_PROPERTIES]);
    let (rest, read) = parse_properties(properties).unwrap();
    assert!(rest.is_empty());
    let headers = read.headers().as_ref().unwrap().inner();
    assert_eq!(
        headers.get(UNREADABLE_HEADER),
        Some(&AMQPValue::ByteArray(bad.into()))
    );
}

#[test]
fn a_routing_key_in_latin_1_gets_a_question_mark_and_the_rest_of_the_delivery_stays() {
    let mended = readable(&deliver(b"taskmanager.submit", b"B\xfccher")).expect("it can't be read as it is");
    let (_, read) = parse_deliver(payload(&mended).strip_prefix(&DELIVER).unwrap()).unwrap();
    assert_eq!(read.consumer_tag.as_str(), "consumer");
    assert_eq!(read.delivery_tag, 42);
    assert!(read.redelivered);
    assert_eq!(read.exchange.as_str(), "taskmanager.submit");
    assert_eq!(read.routing_key.as_str(), "B?cher");
}

#[test]
fn what_is_no_frame_is_left_to_the_library() {
    assert_eq!(find(b"HTTP/1.1 400 Bad Request"), Found::Other);
    assert_eq!(find(b"AMQP\0\0\x09\x01"), Found::Other);
    assert_eq!(find(&[BODY, 0, 0, 0xff, 0xff, 0xff, 0xff]), Found::Other);
    assert_eq!(find(&[BODY, 0, 0]), Found::Part);
    assert_eq!(find(&[]), Found::Part);
}

proptest! {
    #[test]
    fn whatever_the_properties_are_the_library_can_read_what_passes(properties in vec(any::<u8>(), 0..3_000)) {
        let sent = header(&properties);
        let passed = readable(&sent).unwrap_or(sent);
        prop_assert!(parse_properties(&payload(&passed)[BEFORE_PROPERTIES..]).is_ok());
    }

    #[test]
    fn whatever_the_keys_are_the_library_can_read_what_passes(
        exchange in vec(any::<u8>(), 0..=255),
        routing_key in vec(any::<u8>(), 0..=255),
    ) {
        let sent = deliver(&exchange, &routing_key);
        let passed = readable(&sent).unwrap_or(sent);
        prop_assert!(parse_deliver(payload(&passed).strip_prefix(&DELIVER).unwrap()).is_ok());
    }

    #[test]
    fn what_can_be_read_passes_as_it_is(id in "\\PC{0,60}", key in "\\PC{0,60}") {
        prop_assert_eq!(readable(&header(&message_id(id.as_bytes()))), None);
        prop_assert_eq!(readable(&deliver(b"", key.as_bytes())), None);
    }

    #[test]
    fn no_bytes_at_all_make_it_panic(bytes in vec(any::<u8>(), 0..200)) {
        if let Found::Whole(length) = find(&bytes) {
            readable(&bytes[..length]);
        }
    }
}
