//! Which broker it is: product and version, as it says in its first frame, which the client library keeps to itself.

/// Bytes of a frame before its payload: type, channel, size.
const HEAD_BYTES: usize = 7;
/// Class and method of the greeting (connection.start), as the payload begins.
const START: [u8; 4] = [0, 10, 0, 10];
/// Bytes of the protocol's version that follow.
const PROTOCOL_BYTES: usize = 2;

/// Product and version, such as "RabbitMQ 3.13.7"; `None` where the frame does not say.
pub(super) fn broker(frame: &[u8]) -> Option<String> {
    let payload = frame.get(HEAD_BYTES..)?.strip_prefix(&START)?;
    let mut rest = long_string(&mut payload.get(PROTOCOL_BYTES..)?)?;
    let (mut product, mut version) = (None, None);
    while !rest.is_empty() {
        let name = short_string(&mut rest)?;
        match (name, value(&mut rest)?) {
            (b"product", (b'S', text)) => product = Some(text),
            (b"version", (b'S', text)) => version = Some(text),
            _ => {}
        }
    }
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Some(format!("{} {}", text(product?), text(version?)))
}

/// The next value with its type; `None` for a type that brokers do not greet with.
fn value<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let kind = take(rest, 1)?[0];
    let value = match kind {
        // Texts, tables and arrays all begin with their size.
        b'S' | b'F' | b'A' => long_string(rest)?,
        b't' => take(rest, 1)?,
        b'I' => take(rest, 4)?,
        _ => return None,
    };
    Some((kind, value))
}

fn short_string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take(rest, 1)?[0];
    take(rest, length.into())
}

fn long_string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_be_bytes(take(rest, 4)?.try_into().ok()?);
    take(rest, usize::try_from(length).ok()?)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn greeting(properties: &[u8]) -> Vec<u8> {
        let mut frame = vec![1, 0, 0, 0, 0, 0, 0, 0, 10, 0, 10, 0, 9];
        frame.extend(u32::try_from(properties.len()).unwrap().to_be_bytes());
        frame.extend(properties);
        frame.extend(b"\0\0\0\x05PLAIN\0\0\0\x05en_US\xce");
        frame
    }

    #[test]
    fn product_and_version_are_found_among_the_properties() {
        let properties = b"\x0ccapabilitiesF\0\0\0\x05\x02xxt\x01\
                           \x07productS\0\0\0\x08RabbitMQ\x07versionS\0\0\0\x063.10.8";
        assert_eq!(broker(&greeting(properties)).unwrap(), "RabbitMQ 3.10.8");
    }

    #[test]
    fn a_broker_that_does_not_say_it_is_nobody() {
        assert_eq!(broker(&greeting(b"")), None);
        assert_eq!(broker(&greeting(b"\x07productS\0\0\0\x01R")), None);
        assert_eq!(broker(b"AMQP\0\0\x09\x01"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            broker(&bytes);
            broker(&greeting(&bytes));
        }
    }
}
