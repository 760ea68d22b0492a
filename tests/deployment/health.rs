//! The images' health check: it says yes where the program does, and nowhere else.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::thread;

use launcher::workspace;

fn check(port: u16) -> Output {
    Command::new(workspace().join("deploy/docker/healthcheck"))
        .args(["127.0.0.1", &port.to_string(), "/readyz"])
        .output()
        .unwrap()
}

/// What the check makes of an answer; and the request that it has sent.
fn answered(answer: &'static str) -> (Output, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let request = lines.next().unwrap().unwrap();
        // To the end of its headers: a connection that is closed with unread bytes is reset.
        while !lines.next().unwrap().unwrap().is_empty() {}
        stream.write_all(answer.as_bytes()).unwrap();
        request
    });
    (check(port), server.join().unwrap())
}

#[test]
fn who_answers_200_is_well_and_what_it_says_is_shown() {
    let (output, request) = answered("HTTP/1.1 200 OK\r\nx: y\r\n\r\n{\"ready\": true}");
    assert!(output.status.success());
    assert_eq!(request, "GET /readyz HTTP/1.1");
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("{\"ready\": true}")
    );
}

#[test]
fn who_answers_something_else_is_not_well_and_says_why() {
    let (output, _) = answered("HTTP/1.1 503 Service Unavailable\r\n\r\nno connection to RabbitMQ\n");
    assert!(!output.status.success());
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("no connection to RabbitMQ")
    );
    assert!(!answered("").0.status.success());
    assert!(!answered("HTTP/1.1 200").0.status.success());
}

#[test]
fn where_nobody_answers_nobody_is_well() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    assert!(!check(port).status.success());
}
