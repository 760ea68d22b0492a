//! A program that doesn't keep to UTF-8, as old ones in a library's cellar do.
//!
//! The client library can't say anything else; so it speaks through a relay that writes Latin-1 on the way out.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use lapin::uri::AMQPUri;

/// What the relay turns into three letters ü in Latin-1, wherever it stands in a frame.
pub const MARK: &str = "\u{7f}\u{7f}\u{7f}";
/// As long as [`MARK`], so that no length changes.
const LATIN_1: &[u8] = b"\xfc\xfc\xfc";
/// AMQP's greeting in front of the first frame.
const GREETING: usize = 8;
/// Type, channel and size in front of a frame's payload.
const PREFIX: usize = 7;

/// Starts a relay for one connection to the broker at `url`; tells the address to use instead. It ends with the
/// connection.
pub(crate) fn relay(url: &str) -> String {
    let uri: AMQPUri = url.parse().expect("the broker's address can be read");
    let broker = format!("{}:{}", uri.authority.host, uri.authority.port);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let ours = listener.local_addr().expect("an address").to_string();
    let url = url.replacen(&broker, &ours, 1);
    assert!(url.contains(&ours), "{broker} is not in the broker's address");
    thread::spawn(move || {
        let (client, _) = listener.accept().expect("the client connects");
        let broker = TcpStream::connect(broker).expect("the broker is there");
        let mut answers = broker.try_clone().expect("a second handle");
        let mut back = client.try_clone().expect("a second handle");
        thread::spawn(move || {
            // Whichever side ends, the other is told.
            let _ended = io::copy(&mut answers, &mut back);
            let _gone = back.shutdown(Shutdown::Both);
        });
        let _ended = forward(client, &broker);
        let _gone = broker.shutdown(Shutdown::Both);
    });
    url
}

fn forward(mut client: TcpStream, mut broker: &TcpStream) -> io::Result<()> {
    let mut greeting = [0; GREETING];
    client.read_exact(&mut greeting)?;
    broker.write_all(&greeting)?;
    loop {
        let mut frame = vec![0; PREFIX];
        client.read_exact(&mut frame)?;
        let size = u32::from_be_bytes(frame[3..].try_into().expect("four bytes")) as usize;
        frame.resize(PREFIX + size + 1, 0);
        client.read_exact(&mut frame[PREFIX..])?;
        let marks: Vec<usize> = frame
            .windows(MARK.len())
            .enumerate()
            .filter(|(_, bytes)| *bytes == MARK.as_bytes())
            .map(|(at, _)| at)
            .collect();
        for at in marks {
            frame[at..at + LATIN_1.len()].copy_from_slice(LATIN_1);
        }
        broker.write_all(&frame)?;
    }
}
