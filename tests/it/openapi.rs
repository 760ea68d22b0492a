//! The API's own document: it is OpenAPI, and a running coordinator answers as it says, whatever is sent.

use serde_json::json;
use tests::Cluster;

/// Requests of each kind for each operation.
const EXAMPLES: u16 = 10;

#[test]
fn the_apis_document_is_openapi_and_whatever_is_sent_is_answered_as_it_says() {
    let cluster = Cluster::named("openapi").plugins("NOOP=1").start();
    let document = cluster.api().get("/api/v1/openapi.json").unwrap();
    assert_eq!(document.status, 200);
    if let Err(faults) = cluster.validate_openapi(&document.body) {
        panic!("{faults}");
    }
    let spoilt = document.body.replacen("\"operationId\"", "\"operationid\"", 1);
    let spoilt = spoilt.replacen("\"summary\":\"", "\"summary\":1,\"x\":\"", 1);
    assert!(
        cluster.validate_openapi(&spoilt).is_err(),
        "the validator finds nothing in a document that is none"
    );

    // There is something to look at.
    let id = cluster
        .api()
        .submit(&json!({"plugin": "NOOP", "title": "Kochbuch"}));
    cluster.wait_until_done(id);
    if let Err(faults) = cluster.try_api_out(&document.body, EXAMPLES) {
        panic!("{faults}");
    }
    // It was let in, and much of what it wanted was understood and done.
    let done = cluster.count("SELECT count(DISTINCT action) FROM audit_log WHERE outcome = 'done'");
    assert!(done >= 3, "only {done} different actions were carried out");
}
