//! What ended in each month, for invoices and statistics, as CSV: all months, the oldest first.
//!
//! Names of plugins and figures need no quoting, and no spreadsheet takes them for formulas.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::db::pages::ReadMonths;
use crate::http::App;
use crate::http::problem::Error;

/// `GET /statistics/months.csv`
pub(crate) async fn export(State(app): State<App>) -> Result<Response, Error> {
    let mut text = "month,plugin,done,failed,cancelled,pages,bytes,seconds\r\n".to_owned();
    for row in app.db.run(&ReadMonths { last: None }).await? {
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "{},{},{},{},{},{},{},{:.0}\r\n",
            row.month.strftime("%Y-%m"),
            row.plugin,
            row.done,
            row.failed,
            row.cancelled,
            row.pages,
            row.bytes,
            row.seconds
        );
    }
    let head = [
        (CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (
            CONTENT_DISPOSITION,
            "attachment; filename=\"taskmanager-months.csv\"",
        ),
    ];
    Ok((head, text).into_response())
}
