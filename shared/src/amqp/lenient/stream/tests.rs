use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A heartbeat, a header with an unreadable message id, and a body.
fn frames() -> Vec<u8> {
    let mut bytes = vec![8, 0, 0, 0, 0, 0, 0, 0xce];
    bytes.extend([
        2, 0, 1, 0, 0, 0, 16, 0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0x80, 1, 0xfc, 0xce,
    ]);
    bytes.extend([3, 0, 1, 0, 0, 0, 3, b'a', b'b', b'c', 0xce]);
    bytes
}

/// All that comes out when `bytes` come in pieces of these sizes and are read in others.
fn pass(bytes: &[u8], pieces: &[usize], reads: &[usize]) -> Vec<u8> {
    let mut filter = Filter::default();
    let mut passed = Vec::new();
    let mut rest = bytes;
    let mut reads = reads.iter().cycle();
    for piece in pieces.iter().cycle() {
        let (now, later) = rest.split_at(rest.len().min(*piece));
        filter.take_in(now);
        loop {
            let mut out = vec![0; *reads.next().unwrap()];
            let given = filter.give_out(&mut out);
            passed.extend(&out[..given]);
            if given == 0 {
                break;
            }
        }
        if later.is_empty() {
            return passed;
        }
        rest = later;
    }
    unreachable!("the pieces go round")
}

#[test]
fn only_the_unreadable_frame_is_changed() {
    let sent = frames();
    let passed = pass(&sent, &[1_000], &[1_000]);
    assert_eq!(passed[..8], sent[..8], "the heartbeat");
    assert!(passed.ends_with(&sent[sent.len() - 11..]), "the body");
    assert!(String::from_utf8_lossy(&passed).contains(frame::UNREADABLE_HEADER));
}

#[test]
fn what_is_no_amqp_passes_at_once() {
    let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n";
    assert_eq!(pass(answer, &[5], &[3]), answer);
}

proptest! {
    #[test]
    fn it_does_not_matter_how_the_bytes_are_cut(pieces in vec(1_usize..30, 1..8), reads in vec(1_usize..30, 1..8)) {
        prop_assert_eq!(pass(&frames(), &pieces, &reads), pass(&frames(), &[1_000], &[1_000]));
    }
}
