//! Frames there and back, and whatever else may come.

use proptest::prelude::*;

use super::*;

fn decode(bytes: &[u8]) -> Result<Vec<Frame>, Malformed> {
    Decoder::default().push(bytes)
}

#[test]
fn a_brokers_frames_are_read() {
    let bytes = b"CONNECTED\nserver:RabbitMQ/3.10.8\nheart-beat:0,10000\nversion:1.2\n\n\x00\n\n\
        MESSAGE\r\nack:T_1@@session-x@@1\r\nunknown:a\\qb\nmessage-id:ID\\chost\\c1\nmessage-id:second\n\
        content-length:3\n\na\x00b\x00\nERROR\nmessage:bad\\nluck\n\nwhy\x00";
    let [connected, message, error] = decode(bytes).unwrap().try_into().unwrap();
    assert_eq!(
        (connected.command.as_str(), connected.header("heart-beat")),
        ("CONNECTED", Some("0,10000"))
    );
    assert_eq!(message.header("message-id"), Some("ID:host:1"));
    assert_eq!(
        (message.header("ack"), message.header("unknown")),
        (Some("T_1@@session-x@@1"), None)
    );
    assert_eq!(message.body, b"a\x00b");
    assert_eq!(
        (error.header("message"), error.body.as_slice()),
        (Some("bad\nluck"), &b"why"[..])
    );
}

#[test]
fn what_is_no_stomp_is_told_and_escapes_that_nobody_knows_are_not() {
    assert_eq!(decode(&[b'x'; 10_000]), Err(Malformed::Command));
    assert_eq!(
        decode(b"MESSAGE\ncontent-length:many\n\n"),
        Err(Malformed::Length)
    );
    assert_eq!(
        decode(b"MESSAGE\ncontent-length:1\n\nab\x00"),
        Err(Malformed::End)
    );
    let frames = decode(b"MESSAGE\nack:a\\tb\\\n\n\x00").unwrap();
    assert_eq!(frames[0].header("ack"), Some("a\\tb\\"));
}

#[test]
fn of_a_body_that_is_too_large_the_beginning_is_kept_and_the_next_frame_is_read() {
    for head in ["MESSAGE\nack:1\n\n", "MESSAGE\nack:1\ncontent-length:2000000\n\n"] {
        let mut decoder = Decoder::default();
        let mut frames = decoder.push(head.as_bytes()).unwrap();
        for _ in 0..2_000 {
            frames.extend(decoder.push(&[b'x'; 1_000]).unwrap());
            assert!(decoder.held() <= BODY_MAX_BYTES + 100);
        }
        frames.extend(decoder.push(b"\x00\nMESSAGE\nack:2\n\n\x00").unwrap());
        let [large, next] = frames.try_into().unwrap();
        assert_eq!((large.header("ack"), next.header("ack")), (Some("1"), Some("2")));
        assert_eq!(
            (large.body.len(), large.lost),
            (BODY_MAX_BYTES, 2_000_000 - BODY_MAX_BYTES as u64)
        );
    }
}

#[test]
fn any_number_of_headers_of_any_length_is_passed_over() {
    let mut decoder = Decoder::default();
    decoder.push(b"MESSAGE\nack:1\n").unwrap();
    for number in 0..1_000 {
        let line = format!("x{number}:{}\nack:{}\n", "y".repeat(100), "z".repeat(20_000));
        decoder.push(line.as_bytes()).unwrap();
        assert!(decoder.held() < 20_000);
    }
    let frames = decoder.push(b"\nbody\x00").unwrap();
    assert_eq!(
        (frames[0].header("ack"), frames[0].body.as_slice()),
        (Some("1"), &b"body"[..])
    );
}

fn frames() -> impl Strategy<Value = Frame> {
    let names: Vec<&str> = KEPT
        .into_iter()
        .filter(|name| *name != "content-length")
        .collect();
    let headers = prop::sample::subsequence(names, 0..6).prop_flat_map(|names| {
        let number = names.len();
        (Just(names), prop::collection::vec("[^\\x00]{0,20}", number))
    });
    let command = prop::sample::select(vec!["MESSAGE", "SEND", "RECEIPT", "ERROR"]);
    (command, headers, prop::collection::vec(any::<u8>(), 0..300)).prop_map(
        |(command, (names, values), body)| {
            let headers = names.into_iter().map(str::to_owned).zip(values).collect();
            Frame {
                command: command.to_owned(),
                headers,
                body,
                lost: 0,
            }
        },
    )
}

proptest! {
    #[test]
    fn frames_come_back_as_they_were_sent_in_whatever_pieces(
        sent in prop::collection::vec(frames(), 1..4), piece in 1..40_usize,
    ) {
        let bytes: Vec<u8> = sent.iter().flat_map(|frame| [frame.encode(), b"\n".to_vec()].concat()).collect();
        let mut decoder = Decoder::default();
        let mut read = Vec::new();
        for part in bytes.chunks(piece) {
            read.extend(decoder.push(part).unwrap());
        }
        for frame in &mut read {
            frame.headers.retain(|(name, _)| name != "content-length");
        }
        prop_assert_eq!(read, sent);
    }

    #[test]
    fn any_bytes_are_frames_or_an_error(bytes in prop::collection::vec(prop_oneof![
        any::<u8>(), Just(0), Just(b'\n'), Just(b':')], 0..2_000), piece in 1..300_usize)
    {
        let mut decoder = Decoder::default();
        for part in bytes.chunks(piece) {
            match decoder.push(part) {
                Ok(_) => prop_assert!(decoder.held() <= bytes.len()),
                Err(_) => break,
            }
        }
    }
}
