//! One connection to a broker that answers as a test wants: what is known afterwards of a message, and what is not.

use std::future::Future;

use shared::amqp::publisher::publisher;
use shared::message::goobi::{LogType, Step};
use shared::message::submit::{Token, TokenHeader};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Error};
use super::*;
use crate::db::notify::Changes;
use crate::db::pages::sample::Sample;
use crate::deliveries::Answer;
use crate::intake::{Intake, PathRules, Templates};
use crate::notifications::notifications;
use crate::testing::TestDatabase;

const SECRET: &str = "eyJ0.s3cret";
const WELCOME: &str = "CONNECTED\nversion:1.2\nheart-beat:10000,10000\n\n\0\n";

fn broker_at(listener: &TcpListener) -> Broker {
    Broker {
        address: format!("stomp://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap(),
        user: "goobi".to_owned(),
        password: "password".to_owned(),
        tickets: "goobi_external".to_owned(),
        commands: "goobi_command".to_owned(),
    }
}

fn jwt() -> Token {
    Token {
        field: "jwt".to_owned(),
        header: TokenHeader::Jwt,
        secret: SECRET.to_owned(),
    }
}

/// The next frame as it came, without the zero byte at its end; empty when there is none.
async fn frame(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while let Ok(byte @ 1..) = stream.read_u8().await {
        bytes.push(byte);
    }
    String::from_utf8(bytes).unwrap().trim_start().to_owned()
}

fn header<'a>(frame: &'a str, name: &str) -> Option<&'a str> {
    let mut head = frame.split("\n\n").next()?.lines();
    head.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

/// What is known after a message was sent to a broker that welcomes with `welcome` and then does `more`.
async fn tell<F>(welcome: &'static str, more: impl FnOnce(TcpStream, String) -> F) -> (Answer, String)
where
    F: Future<Output = ()>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let goobi = Goobi::new(broker_at(&listener));
    let step = Step {
        process_id: 27,
        step_id: 6519,
    };
    let command = shared::message::goobi::Command::journal(step, LogType::Info, "fine");
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let connect = frame(&mut stream).await;
        assert!(connect.starts_with("CONNECT\n"), "{connect}");
        assert_eq!(
            (header(&connect, "login"), header(&connect, "passcode")),
            (Some("goobi"), Some("password"))
        );
        stream.write_all(welcome.as_bytes()).await.unwrap();
        let sent = frame(&mut stream).await;
        more(stream, sent).await;
    };
    let jwt = jwt();
    let (told, ()) = tokio::join!(goobi.tell(&command, Some(&jwt)), serve);
    told
}

#[tokio::test]
async fn a_message_counts_as_taken_once_the_broker_says_so() {
    let told = tell(WELCOME, async |mut stream: TcpStream, sent: String| {
        assert_eq!(header(&sent, "destination"), Some("/queue/goobi_command"));
        // A text for ActiveMQ, and kept by it through a restart.
        assert_eq!(
            (header(&sent, "content-length"), header(&sent, "persistent")),
            (None, Some("true"))
        );
        let body = sent.split_once("\n\n").unwrap().1;
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(
            (&body["command"], &body["jwt"]),
            (&"addToProcessJournal".into(), &SECRET.into())
        );
        let receipt = header(&sent, "receipt").unwrap();
        // Another message's receipt is not its own.
        let answer = format!("RECEIPT\nreceipt-id:other\n\n\0\nRECEIPT\nreceipt-id:{receipt}\n\n\0");
        stream.write_all(answer.as_bytes()).await.unwrap();
        assert!(frame(&mut stream).await.starts_with("DISCONNECT"));
    })
    .await;
    assert_eq!(told.0, Answer::Taken);
}

#[tokio::test]
async fn a_message_that_the_broker_refuses_was_not_sent_and_nobody_reads_its_secret() {
    let told = tell(WELCOME, async |mut stream: TcpStream, sent: String| {
        let receipt = header(&sent, "receipt").unwrap();
        let answer = format!("ERROR\nreceipt-id:{receipt}\nmessage:no right\n\nfor {SECRET}\0");
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let said = "the broker refuses it: no right for (secret)";
    assert_eq!(told, (Answer::NotSent, said.to_owned()));
}

#[tokio::test]
async fn a_message_without_a_receipt_may_have_been_taken() {
    for last_words in [
        "",
        "ERROR\nmessage:going down\n\n\0",
        "RECEIPT\nreceipt-id:other\n\n\0",
    ] {
        let told = tell(WELCOME, async |mut stream: TcpStream, sent: String| {
            assert!(sent.starts_with("SEND\n"), "{sent}");
            stream.write_all(last_words.as_bytes()).await.unwrap();
        })
        .await;
        assert_eq!(told.0, Answer::Silence, "{told:?}");
    }
}

#[tokio::test]
async fn a_broker_that_is_not_there_or_can_not_be_relied_on_gets_nothing() {
    let welcomes = [
        (
            "ERROR\nmessage:Bad CONNECT\n\nAccess refused\n\0",
            "Bad CONNECT Access refused",
        ),
        ("CONNECTED\nversion:1.2\nheart-beat:0,10000\n\n\0", "heart-beats"),
        ("CONNECTED\nversion:1.2\n\n\0", "heart-beats"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n\0", "HTTP/1.1 400"),
    ];
    for (welcome, words) in welcomes {
        let (answer, said) = tell(welcome, async |_, sent: String| assert_eq!(sent, "")).await;
        assert_eq!(answer, Answer::NotSent);
        assert!(said.contains(words), "{words} is not in {said}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = broker_at(&listener);
    drop(listener);
    let refused = Connection::open(&nobody).await.unwrap_err();
    assert!(matches!(refused, Error::Network { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_broker_that_falls_silent_is_noticed_and_hears_of_us_meanwhile() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let broker = broker_at(&listener);
    let accept = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        frame(&mut stream).await;
        stream.write_all(WELCOME.as_bytes()).await.unwrap();
        stream
    };
    let (connection, mut stream) = tokio::join!(Connection::open(&broker), accept);
    let mut connection = connection.unwrap();
    tokio::time::pause();
    // A ticket that takes long.
    connection
        .beating(tokio::time::sleep(std::time::Duration::from_mins(1)))
        .await
        .unwrap();
    assert!(matches!(connection.next().await, Err(Error::Silent)));
    tokio::time::resume();
    drop(connection);
    let mut beats = Vec::new();
    stream.read_to_end(&mut beats).await.unwrap();
    assert!(
        beats.len() >= 8 && beats.iter().all(|byte| *byte == b'\n'),
        "{beats:?}"
    );
}

#[tokio::test]
async fn a_ticket_that_can_not_be_put_away_is_not_acknowledged_and_holds_up_no_other_one() {
    let mut sample = Sample::default();
    sample.plugin("NOOP");
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let paths = PathRules::new(vec!["/data".parse().unwrap()], Vec::new());
    // RabbitMQ was never there.
    let (publisher, _) = publisher();
    let (notifier, _) = notifications(publisher.clone());
    let changes = Changes::default();
    let tickets = Tickets {
        broker: broker_at(&listener),
        intake: Intake::new(database.db(), changes, notifier, paths, Templates::default()),
        publisher,
        status: Status::connecting(),
    };
    let good = |step: u32| {
        serde_json::json!({"processId": 27, "stepId": step, "stepName": "OCR", "jwt": SECRET,
            "scripts": [["taskclient", "-t", "NOOP", "-T", format!("book {step}")]]})
    };
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        frame(&mut stream).await;
        stream.write_all(WELCOME.as_bytes()).await.unwrap();
        let subscribed = frame(&mut stream).await;
        let receipt = header(&subscribed, "receipt").unwrap();
        let receipt = format!("RECEIPT\nreceipt-id:{receipt}\n\n\0");
        stream.write_all(receipt.as_bytes()).await.unwrap();
        let bodies = [
            "no ticket".to_owned(),
            good(1).to_string(),
            "no ticket".to_owned(),
            good(2).to_string(),
        ];
        for (number, body) in bodies.iter().enumerate() {
            let message = format!("MESSAGE\nmessage-id:{number}\nack:{number}\n\n{body}\0");
            stream.write_all(message.as_bytes()).await.unwrap();
        }
        let mut acknowledged = Vec::new();
        while acknowledged.len() < 2 {
            let sent = frame(&mut stream).await;
            assert!(sent.starts_with("ACK\n"), "{sent}");
            acknowledged.push(header(&sent, "id").unwrap().to_owned());
        }
        acknowledged
    };
    let acknowledged = tokio::select! {
        acknowledged = serve => acknowledged,
        () = tickets.run(CancellationToken::new()) => panic!("it ended by itself"),
    };
    assert_eq!(acknowledged, ["1", "3"]);
    let jobs = database.texts("SELECT title FROM jobs ORDER BY title").await;
    assert_eq!(jobs, ["book 1", "book 2"]);
}
